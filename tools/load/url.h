/**
 * ws:// and wss:// addresses.
 */
#ifndef LOAD_URL_H
#define LOAD_URL_H

#include <stdbool.h>
#include <stdint.h>

#include "base/compiler.h"
#include "base/str.h"

struct url {
    bool is_tls;
    uint16_t port;
    char host[256];      /**< name or address, without brackets */
    char authority[300]; /**< for the Host header */
    char path[512];      /**< begins with '/' */
};

/** @return false: not a ws:// or wss:// address; *ret is then undefined */
MUST_CHECK bool url_parse(struct str text, const char *default_path, struct url *ret);

#endif
