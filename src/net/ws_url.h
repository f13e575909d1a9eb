/**
 * The address of a WebSocket server: "wss://host:port/path?query" (RFC 6455 §3).
 */
#ifndef NET_WS_URL_H
#define NET_WS_URL_H

#include <stdbool.h>
#include <stdint.h>

#include "base/str.h"

/** Room for a DNS name or an IP address, the zero included. */
#define NET_WS_HOST_MAX 256

/** Room for path and query, the zero included. */
#define NET_WS_PATH_MAX 1024

/** Room for net_ws_url_write, the zero included. */
#define NET_WS_URL_MAX (NET_WS_HOST_MAX + NET_WS_PATH_MAX + 16)

struct net_ws_url {
    bool is_tls;                /**< wss */
    char host[NET_WS_HOST_MAX]; /**< IPv6 without its brackets */
    uint16_t port;              /**< 80 or 443 when the text has none */
    char path[NET_WS_PATH_MAX]; /**< from the "/" on, with the query; "/" when the text has none */
};

/**
 * @return false: no ws:// or wss://, no host, a port out of range, user names, a fragment (both
 * have no meaning there), or characters that a URL does not hold; *ret is then undefined
 */
bool net_ws_url_parse(struct str text, struct net_ws_url *ret);

/**
 * As it may stand in a log: without the query, which can hold a secret.
 *
 * @param buf NET_WS_URL_MAX bytes
 * @return buf
 */
const char *net_ws_url_write(const struct net_ws_url *url, char *buf);

#endif
