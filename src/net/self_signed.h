/**
 * A certificate for a server that has none: self-signed, made once and kept.
 */
#ifndef NET_SELF_SIGNED_H
#define NET_SELF_SIGNED_H

#include <stddef.h>

#include "base/compiler.h"

/** Name of the file in the folder: the key and the certificate, PEM. */
#define NET_SELF_SIGNED_FILE "tls-self-signed.pem"

/** Days a new certificate is good for. Browsers refuse more than 398 for trusted ones. */
#define NET_SELF_SIGNED_DAYS 365

/**
 * Make sure that the folder holds a usable pair: P-256, names localhost, 127.0.0.1, ::1, the host's
 * name and its addresses. One that is missing, unreadable, damaged, or ends within a day is made
 * anew; any other is left alone.
 *
 * @param dir       made when missing (mode 0700)
 * @param path      filled with the file's path
 * @param path_size bytes of room at path
 * @param ret_error NET_ERROR_MAX bytes, filled on failure
 *
 * @return 0, NET_E_CONFIG (folder or file cannot be written), or a negative errno
 */
MUST_CHECK int net_self_signed(const char *dir, char *path, size_t path_size, char *ret_error);

/**
 * Write a new pair to a file: as a whole or not at all, mode 0600.
 *
 * @param days from now; negative = already over (for tests)
 * @return 0, or a negative errno (-EIO: OpenSSL failed)
 */
MUST_CHECK int net_self_signed_make(const char *path, int days);

#endif
