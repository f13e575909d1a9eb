/*
 * The port for programs. Its manners are those of a Kurento Media Server, because the programs were
 * written for one: see struct net_api_config. What that server lacks, and an operator needs, is
 * added where no client notices: a token, and a refusal of web pages that nobody listed.
 */
#include <string.h>

#include "net/server_private.h"

#define NO_STORE "Cache-Control: no-store\r\n"

/** Room for a token in a URL or header. */
#define TOKEN_MAX 512

int net_api_request(struct net_conn *conn, struct lws *wsi)
{
    return net_http_text(conn, wsi, 426, "Upgrade: websocket\r\n" NO_STORE,
                         "426: this port is for programs that speak the Kurento Protocol (%s).\n",
                         conn->server->urls[NET_API]);
}

bool net_api_has_key(struct net_conn *conn, struct lws *wsi)
{
    if (lws_hdr_total_length(wsi, WSI_TOKEN_KEY) > 0)
        return true;
    (void)net_http_text(conn, wsi, 500, NO_STORE, "500: Sec-WebSocket-Key is missing.\n");
    return false;
}

/* Takes the same time wherever the first difference is. */
static bool is_same(struct str given, struct str token)
{
    unsigned differs = given.len != token.len;
    for (size_t i = 0; i < given.len && i < token.len; i++)
        differs |= (unsigned char)(given.p[i] ^ token.p[i]);
    return !differs;
}

static bool has_token(const struct net_conn *conn, struct lws *wsi)
{
    char buf[TOKEN_MAX];
    struct str token = str_of(conn->server->api.token);
    if (!token.len)
        return true;
    struct str header = net_header(wsi, WSI_TOKEN_HTTP_AUTHORIZATION, buf, sizeof(buf));
    if (str_caseeq(str_head(header, 7), STR("Bearer ")))
        return is_same(str_trim(str_tail(header, 7)), token);
    const char *value = lws_get_urlarg_by_name(wsi, "access_token=", buf, sizeof(buf));
    return value && is_same(str_of(value), token);
}

/* What does not fit is no name that a program gives itself. */
static bool is_page(struct lws *wsi, struct str origin)
{
    if (origin.len == 0)
        return lws_hdr_total_length(wsi, WSI_TOKEN_ORIGIN) > 0;
    return str_caseeq(str_head(origin, 7), STR("http://")) ||
           str_caseeq(str_head(origin, 8), STR("https://")) || str_eq(origin, STR("null"));
}

bool net_api_check(struct net_conn *conn, struct lws *wsi)
{
    const struct net_api_config *api = &conn->server->api;
    char origin_buf[256], path_buf[NET_PATH_MAX];
    struct str origin = net_header(wsi, WSI_TOKEN_ORIGIN, origin_buf, sizeof(origin_buf));
    struct str path = net_header(wsi, WSI_TOKEN_GET_URI, path_buf, sizeof(path_buf));

    if (is_page(wsi, origin) && !net_origin_is_listed(origin, api->origins, api->n_origins)) {
        (void)net_http_text(conn, wsi, 403, NO_STORE,
                            "403: web pages may not connect; kurento.origins says which may.\n");
        return false;
    }
    if (!has_token(conn, wsi)) {
        (void)net_http_text(conn, wsi, 401, "WWW-Authenticate: Bearer\r\n" NO_STORE,
                            "401: the token is missing or wrong: ?access_token=… in the URL, or "
                            "the header Authorization: Bearer ….\n");
        return false;
    }
    conn->is_misled = !str_eq(path, str_of(api->route.path));
    conn->route = &api->route;
    return true;
}
