/*
 * From request to WebSocket: all that must be true before, and what is said when it is not.
 *
 * The library would refuse most of this too, by hanging up without an answer. A developer at the
 * other end deserves to read what is wrong.
 */
#include <string.h>
#include <strings.h>

#include "net/server_private.h"

/** A base64 of 16 bytes (RFC 6455 §4.1). */
#define KEY_LEN 24

#define NO_STORE    "Cache-Control: no-store\r\n"
#define RETRY_LATER NO_STORE "Retry-After: 10\r\n"

/** One of the words of a comma-separated list, in any case (RFC 9110 §5.6.1). */
static bool has_word(struct str list, struct str word)
{
    while (list.len > 0) {
        if (str_caseeq(str_trim(str_take_until(&list, ',')), word))
            return true;
    }
    return false;
}

/* Each check answers and gives false, or gives true. */

static bool check_request(struct net_conn *conn, struct lws *wsi, const char *protocol)
{
    char buf[256];
    const char *wrong = NULL;
    if (strcasecmp(protocol, "websocket") != 0)
        wrong = "it upgrades to \"websocket\" only";
    else if (lws_hdr_total_length(wsi, WSI_TOKEN_GET_URI) == 0)
        wrong = "a WebSocket begins with GET";
    else if (!has_word(net_header(wsi, WSI_TOKEN_CONNECTION, buf, sizeof(buf)), STR("upgrade")))
        wrong = "the header \"Connection: Upgrade\" is missing";
    else if (lws_hdr_total_length(wsi, WSI_TOKEN_HOST) == 0)
        wrong = "the header Host is missing";
    else if (net_header(wsi, WSI_TOKEN_KEY, buf, sizeof(buf)).len != KEY_LEN ||
             strcmp(buf + KEY_LEN - 2, "==") != 0)
        wrong = "Sec-WebSocket-Key is missing or is not 16 bytes in base64";
    else if (lws_hdr_total_length(wsi, WSI_TOKEN_PROTOCOL) > 0)
        wrong = "it speaks no subprotocol; leave Sec-WebSocket-Protocol out";
    if (wrong)
        (void)net_http_text(conn, wsi, 400, NO_STORE,
                            "400: this server cannot use the request: %s.\n", wrong);
    return !wrong;
}

static bool check_version(struct net_conn *conn, struct lws *wsi)
{
    char buf[16];
    if (str_eq(net_header(wsi, WSI_TOKEN_VERSION, buf, sizeof(buf)), STR("13")))
        return true;
    (void)net_http_text(conn, wsi, 426, NO_STORE "Sec-WebSocket-Version: 13\r\n",
                        "426: Sec-WebSocket-Version must be 13 (RFC 6455).\n");
    return false;
}

static bool check_route(struct net_conn *conn, struct lws *wsi)
{
    char buf[NET_PATH_MAX];
    struct str path = net_header(wsi, WSI_TOKEN_GET_URI, buf, sizeof(buf));
    conn->route = net_server_route(conn->server, path);
    if (conn->route)
        return true;
    const struct net_server *server = conn->server;
    (void)net_http_text(
        conn, wsi, 404, NO_STORE, "404: there is no WebSocket at this address%s%s.\n",
        server->n_routes ? "; one is at " : "", server->n_routes ? server->routes[0].path : "");
    return false;
}

bool net_origin_is_listed(struct str origin, const char *const *origins, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        struct str allowed = str_of(origins[i]);
        if (str_eq(allowed, STR("*")) || str_caseeq(allowed, origin))
            return true;
    }
    return false;
}

static bool check_origin(struct net_conn *conn, struct lws *wsi)
{
    const struct net_server *server = conn->server;
    char buf[256];
    if (server->n_origins == 0 || lws_hdr_total_length(wsi, WSI_TOKEN_ORIGIN) == 0)
        return true;
    struct str origin = net_header(wsi, WSI_TOKEN_ORIGIN, buf, sizeof(buf));
    if (net_origin_is_listed(origin, server->origins, server->n_origins))
        return true;
    (void)net_http_text(
        conn, wsi, 403, NO_STORE,
        "403: pages of this origin may not connect; http.origins says which may.\n");
    return false;
}

static bool check_limits(struct net_conn *conn, struct lws *wsi)
{
    const struct net_server *server = conn->server;
    bool exempt = addr_is_loopback(&conn->remote) && !server->limits.limit_loopback;
    if (server->is_stopping) {
        (void)net_http_text(conn, wsi, 503, RETRY_LATER, "503: the server is stopping.\n");
        return false;
    }
    if (server->sockets.n >= server->limits.max_sockets) {
        (void)net_http_text(conn, wsi, 503, RETRY_LATER,
                            "503: http.max_sockets (%u) is reached. Try again later.\n",
                            server->limits.max_sockets);
        return false;
    }
    if (!exempt && conn->client->sockets >= server->limits.max_sockets_per_address) {
        (void)net_http_text(conn, wsi, 429, RETRY_LATER,
                            "429: http.max_sockets_per_address (%u) is reached for your address.\n",
                            server->limits.max_sockets_per_address);
        return false;
    }
    return true;
}

int net_upgrade_check(struct net_conn *conn, struct lws *wsi, const char *protocol)
{
    conn->is_last = true; /* whatever is refused here ends the connection */
    bool ok = conn->side != NET_API || net_api_has_key(conn, wsi);
    ok = ok && check_request(conn, wsi, protocol) && check_version(conn, wsi);
    if (ok && conn->side == NET_API)
        ok = net_api_check(conn, wsi);
    else
        ok = ok && check_route(conn, wsi) && check_origin(conn, wsi);
    ok = ok && check_limits(conn, wsi);
    return ok ? 0 : -1;
}
