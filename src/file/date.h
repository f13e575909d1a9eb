/**
 * When a recording began, in its file: two recordings of one call are laid side by side by it.
 *
 *    Ogg    the comment DATE=2026-01-31T12:00:00.123456Z (ISO 8601)
 *    WebM   DateUTC (RFC 9559 §5.1.2.9)
 */
#ifndef FILE_DATE_H
#define FILE_DATE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/str.h"

/** Room for the text, the zero included. */
#define FILE_DATE_MAX 32

/** Key of the comment, with its separator. */
#define FILE_DATE_KEY "DATE="

/** RFC 9559: DateUTC counts from 2001-01-01T00:00:00 UTC [ns]; since 1970 [s]. */
#define FILE_DATE_2001 INT64_C(978307200)

/** @param utc_us  since 1970 [µs], up to the year 9999 */
void file_date_write(int64_t utc_us, char ret[FILE_DATE_MAX]);

/**
 * Only a whole date with a time to the second, or finer, in UTC: what else people write there (a
 * year) tells no moment.
 *
 * @return false = it is none; *ret is then untouched
 */
bool file_date_read(struct str text, int64_t *ret_utc_us);

#endif
