/**
 * The address of a WebSocket server: "wss://host:port/path?query" (RFC 6455 §3).
 */
#ifndef WS_URL_H
#define WS_URL_H

#include <stdbool.h>
#include <stdint.h>

#include "base/str.h"

/** Room for a DNS name or an IP address, the zero included. */
#define WS_HOST_MAX 256

/** Room for path and query, the zero included. */
#define WS_PATH_MAX 1024

/** Room for ws_url_write, the zero included. */
#define WS_URL_MAX (WS_HOST_MAX + WS_PATH_MAX + 16)

struct ws_url {
    bool is_tls;            /**< wss */
    char host[WS_HOST_MAX]; /**< IPv6 without its brackets */
    uint16_t port;          /**< 80 or 443 when the text has none */
    char path[WS_PATH_MAX]; /**< from the "/" on, with the query; "/" when the text has none */
};

/**
 * @return false: no ws:// or wss://, no host, a port out of range, user names, a fragment (both
 * have no meaning there), or characters that a URL does not hold; *ret is then undefined
 */
bool ws_url_parse(struct str text, struct ws_url *ret);

/**
 * As it may stand in a log: without the query, which can hold a secret.
 *
 * @param buf WS_URL_MAX bytes
 * @return buf
 */
const char *ws_url_write(const struct ws_url *url, char *buf);

#endif
