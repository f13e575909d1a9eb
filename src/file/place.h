/**
 * Where a recording may go, or what is played may be: below one folder, whatever an application
 * asks for.
 *
 *    file:///srv/rec/a%20b.webm   with /srv/rec as that folder   a b.webm
 *    calls/7.ogg                                                 calls/7.ogg
 *    file:///etc/passwd           refused
 *
 * What the name says is checked here, where it leads (.., symbolic links) by the kernel when it is
 * opened.
 */
#ifndef FILE_PLACE_H
#define FILE_PLACE_H

#include <stddef.h>

#include "base/compiler.h"
#include "base/str.h"

/** Longest path below the folder, the zero included. */
#define FILE_PATH_MAX 1024

/** What is wrong with a URI. Tell who asked. */
enum file_place_error {
    FILE_E_SCHEME = 1, /**< not a file of this machine */
    FILE_E_URI,        /**< malformed, names no file, or too long */
    FILE_E_OUTSIDE,    /**< absolute, and not below the folder */
};

/**
 * The path below the folder that a URI means.
 *
 * @param uri     file: URI (RFC 8089), percent-encoded; or a path as it is
 * @param folder  absolute path
 * @param ret     FILE_PATH_MAX bytes
 *
 * @return 0, or an enum file_place_error. May still hold ".." and lead over links
 */
MUST_CHECK int file_place_parse(struct str uri, struct str folder, char *ret);

/** A sentence for an error of file_place_parse or a negative errno of file_place_open. */
const char *file_place_error_text(int err);

/**
 * Open a file, empty, for nobody else to record to. What is there is overwritten.
 *
 * @param folder_fd  nothing outside of it is reached
 * @param path       of file_place_parse
 *
 * @return descriptor, owned by the caller; or a negative errno: EXDEV leads out of the folder;
 *         EBUSY another recording goes there; ENOTSUP something else than a file; ENOENT, EACCES,
 *         ENOSPC, … of open(2)
 */
MUST_CHECK int file_place_open(int folder_fd, const char *path);

/**
 * Open a file as it is, for reading; also one that is being recorded to.
 *
 * @return as file_place_open, without EBUSY
 */
MUST_CHECK int file_place_open_to_read(int folder_fd, const char *path);

#endif
