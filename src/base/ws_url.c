/* Addresses of WebSocket servers: see the header. */
#include "base/ws_url.h"

#include <string.h>

#include "base/addr.h"
#include "base/text.h"

#define PORT_PLAIN 80
#define PORT_TLS   443

static bool has_only(struct str s, const char *others)
{
    for (size_t i = 0; i < s.len; i++) {
        char c = s.p[i];
        bool ok = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                  (c && strchr(others, c) != NULL);
        if (!ok)
            return false;
    }
    return true;
}

/* RFC 3986 §3.3, §3.4: what path and query may hold, as it is sent. */
static bool is_path(struct str s)
{
    return has_only(s, "/-._~%!$&'()*+,;=:?");
}

bool ws_url_parse(struct str text, struct ws_url *ret)
{
    struct str scheme = STR("wss://"), host, path;
    ret->is_tls = str_starts_with(text, scheme);
    if (!ret->is_tls)
        scheme = STR("ws://");
    if (!str_starts_with(text, scheme))
        return false;
    struct str rest = str_tail(text, scheme.len);
    size_t authority = 0;
    while (authority < rest.len && rest.p[authority] != '/' && rest.p[authority] != '?')
        authority++;
    path = str_tail(rest, authority);
    if (!addr_split(str_head(rest, authority), ret->is_tls ? PORT_TLS : PORT_PLAIN, &host,
                    &ret->port) ||
        !host.len || !has_only(host, "-._:") || !is_path(path))
        return false;
    struct text t;
    text_init(&t, ret->path, sizeof(ret->path));
    if (!str_starts_with(path, STR("/")))
        text_put(&t, STR("/"));
    text_put(&t, path);
    return !t.failed && str_copy(host, ret->host, sizeof(ret->host));
}

const char *ws_url_write(const struct ws_url *url, char *buf)
{
    struct str rest = str_of(url->path);
    struct str path = str_take_until(&rest, '?');
    bool is_v6 = strchr(url->host, ':') != NULL;
    struct text t;
    text_init(&t, buf, WS_URL_MAX);
    text_printf(&t, "%s://%s%s%s:%u%.*s", url->is_tls ? "wss" : "ws", is_v6 ? "[" : "", url->host,
                is_v6 ? "]" : "", url->port, STR_FMT(path));
    return buf;
}
