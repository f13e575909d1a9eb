/**
 * One value: text <-> member of struct options, with the checks of its row.
 */
#ifndef SERVER_CONFIG_VALUE_H
#define SERVER_CONFIG_VALUE_H

#include "base/str.h"
#include "base/text.h"
#include "server/config_text.h"
#include "server/options_table.h"

/** Room for the sentence that says why a value is refused, the zero included. */
#define CONFIG_WHY_MAX 256

/**
 * Parse and check a value, and put it into its member; the old one is freed.
 *
 * @param why gets what would have been right ("must be a whole number from 0 to 65535")
 *
 * @return 0                  taken
 *         OPTIONS_E_REFUSED  not of the row's type or out of its range: the member is unchanged
 *         -ENOMEM            the member is unchanged
 */
MUST_CHECK int config_value_set(const struct options_row *row, struct str value,
                                struct options *options, struct text *why);

/** Write the value in effect in the form that config_value_set takes; "" for what is not set. */
void config_value_write(const struct options_row *row, const struct options *options,
                        struct config_text *ret);

/** What may stand there, in words: "0 to 65535", "1s to 10min", "true or false". */
void config_value_write_range(const struct options_row *row, struct config_text *ret);

/** Free what the member owns. */
void config_value_clear(const struct options_row *row, struct options *options);

#endif
