/**
 * The option table: what a setting is, for whoever reads, checks or prints settings.
 */
#ifndef SERVER_OPTIONS_TABLE_H
#define SERVER_OPTIONS_TABLE_H

#include <stddef.h>
#include <stdint.h>

#include "base/str.h"
#include "server/options.h"

enum options_type {
    OPTIONS_TYPE_LISTEN,   /**< char *: "address:port", empty = off */
    OPTIONS_TYPE_PATH,     /**< char *: file or folder, empty = not set */
    OPTIONS_TYPE_TOKEN,    /**< char *: a secret of URL characters, empty = not set */
    OPTIONS_TYPE_IP,       /**< struct addr without port */
    OPTIONS_TYPE_IPS,      /**< struct options_ips */
    OPTIONS_TYPE_ORIGINS,  /**< struct options_texts */
    OPTIONS_TYPE_HOSTS,    /**< struct options_texts: "host:port" */
    OPTIONS_TYPE_RULES,    /**< struct options_texts: for base/interface_rule.h */
    OPTIONS_TYPE_PORTS,    /**< struct options_ports: "first-last", empty = none */
    OPTIONS_TYPE_WS_URLS,  /**< struct options_texts: for base/ws_url.h */
    OPTIONS_TYPE_NUMBER,   /**< uint16_t or uint32_t, by `size` */
    OPTIONS_TYPE_DURATION, /**< mono_us */
    OPTIONS_TYPE_BOOL,     /**< bool */
    OPTIONS_TYPE_WORD,     /**< 4-byte enum: index into `words` */
};

struct options_row {
    const char *key;  /**< "section.name": lower case letters, digits and '_' */
    const char *help; /**< sentences */
    enum options_type type;
    size_t offset;            /**< of the member in struct options */
    size_t size;              /**< of the member */
    const char *fallback;     /**< the default, as one would write it */
    int64_t min, max;         /**< NUMBER: `unit`; DURATION: µs; both included */
    const char *unit;         /**< NUMBER: NULL = a count or a port */
    const char *const *words; /**< WORD: NULL behind the last */
};

/** Rows of one section stand together. */
extern const struct options_row options_table[];
extern const size_t options_table_len;

/** NULL = no such key. */
const struct options_row *options_table_find(struct str key);

/** Is there a key that starts with `section` and a dot? */
bool options_table_has_section(struct str section);

/** The key that was probably meant; NULL = none is near. */
const struct options_row *options_table_nearest(struct str key);

/** Room for options_table_env, the zero included. */
#define OPTIONS_ENV_MAX 64

/** "media.port" -> "DUET_MEDIA_PORT". @param buf OPTIONS_ENV_MAX bytes. @return buf */
const char *options_table_env(const struct options_row *row, char *buf);

#endif
