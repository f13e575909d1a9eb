/**
 * From the path of a request to the bytes of a file: those inside the program, or a folder's.
 */
#ifndef NET_FILES_H
#define NET_FILES_H

#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"
#include "base/str.h"

/** Longest path of a request that is looked at, in bytes. */
#define NET_PATH_MAX 256

struct net_files {
    int root; /**< descriptor of the folder; -1 = the files inside the program */
};

/** One file, open for one answer. */
struct net_file {
    const char *type;    /**< Content-Type */
    char etag[64];       /**< with its quotes */
    const uint8_t *data; /**< borrowed; NULL when fd is used */
    int fd;              /**< owned; -1 when data is used */
    size_t len;          /**< bytes */
};

/** What net_files_open gives when there is no such file: answer 404. */
#define NET_FILES_E_NONE 1

/**
 * @param web_root  folder; NULL or "" = the files inside the program
 * @param ret_error NET_ERROR_MAX bytes, filled on failure
 * @return 0, or NET_E_CONFIG
 */
MUST_CHECK int net_files_init(struct net_files *files, const char *web_root, char *ret_error);

void net_files_deinit(struct net_files *files);

/**
 * Find a file. "/" and paths that end in "/" mean the index.html there.
 *
 * Path segments hold letters, digits and "-_.~@+" and do not begin with a dot: no "..", no hidden
 * files, no escapes. Symbolic links are followed: who can make them in the folder owns it.
 *
 * @param path decoded, without the query
 * @return 0, NET_FILES_E_NONE, or a negative errno (-EMFILE, …)
 */
MUST_CHECK int net_files_open(const struct net_files *files, struct str path, struct net_file *ret);

#endif
