/* scheme "://" host [":" port] [path] */
#include "load/url.h"

static bool take_scheme(struct str *text, bool *ret_is_tls)
{
    struct str plain = STR("ws://"), tls = STR("wss://");
    *ret_is_tls = str_starts_with(*text, tls);
    if (!*ret_is_tls && !str_starts_with(*text, plain))
        return false;
    *text = str_tail(*text, *ret_is_tls ? tls.len : plain.len);
    return true;
}

bool url_parse(struct str text, const char *default_path, struct url *ret)
{
    if (!take_scheme(&text, &ret->is_tls))
        return false;
    const char *slash = text.len ? memchr(text.p, '/', text.len) : NULL;
    size_t authority_len = slash ? (size_t)(slash - text.p) : text.len;
    struct str rest = str_head(text, authority_len), path = str_tail(text, authority_len), host;
    uint64_t port = ret->is_tls ? 443 : 80;

    if (path.len <= 1)
        path = str_of(default_path);
    if (!str_copy(rest, ret->authority, sizeof(ret->authority)) ||
        !str_copy(path, ret->path, sizeof(ret->path)))
        return false;
    if (str_starts_with(rest, STR("["))) {
        rest = str_tail(rest, 1);
        host = str_take_until(&rest, ']');
        if (rest.len > 0 && !str_starts_with(rest, STR(":")))
            return false;
        rest = str_tail(rest, 1);
    } else {
        host = str_take_until(&rest, ':');
    }
    if (rest.len > 0 && (!str_to_u64(rest, UINT16_MAX, &port) || port == 0))
        return false;
    ret->port = (uint16_t)port;
    return host.len > 0 && str_copy(host, ret->host, sizeof(ret->host));
}
