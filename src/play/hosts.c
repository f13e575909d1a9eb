/* Reading a URL and comparing its authority: by the library that fetches it, so that there are no
 * two opinions about what it says. */
#include "play/hosts.h"

#include "base/addr.h"
#include "base/mem.h"
#include "base/str.h"

/* Registered for both schemes (RFC 9110 §4.2). */
#define HTTP_PORT  80
#define HTTPS_PORT 443

struct play_hosts {
    size_t n;
    char *names[];
};

struct play_hosts *play_hosts_new(const char *const *hosts, size_t n)
{
    struct play_hosts *h = mem_zalloc(sizeof(*h) + n * sizeof(h->names[0]));
    if (!h)
        return NULL;
    for (h->n = 0; h->n < n; h->n++) {
        h->names[h->n] = mem_strdup(str_of(hosts[h->n]));
        if (!h->names[h->n]) {
            play_hosts_free(h);
            return NULL;
        }
    }
    return h;
}

void play_hosts_free(struct play_hosts *h)
{
    for (size_t i = 0; h && i < h->n; i++)
        mem_free(h->names[i]);
    mem_free(h);
}

/* Brackets of an IPv6 address are no part of it. */
static struct str without_brackets(struct str s)
{
    if (s.len > 2 && s.p[0] == '[' && s.p[s.len - 1] == ']')
        return (struct str){s.p + 1, s.len - 2};
    return s;
}

static bool is_named(const struct play_hosts *h, struct str host, uint16_t port, uint16_t usual)
{
    for (size_t i = 0; i < h->n; i++) {
        struct str name;
        uint16_t at;
        if (addr_split(str_of(h->names[i]), usual, &name, &at) && at == port &&
            str_caseeq(without_brackets(name), without_brackets(host)))
            return true;
    }
    return false;
}

/* What a URL is made of; each is curl_free'd. */
struct parts {
    char *scheme, *host, *port;
};

static bool is_allowed(const struct play_hosts *h, const struct parts *p, uint16_t usual,
                       struct play_error *error)
{
    uint64_t port;
    if (!str_to_u64(str_of(p->port), UINT16_MAX, &port))
        port = 0;
    if (is_named(h, str_of(p->host), (uint16_t)port, usual))
        return true;
    (void)play_source_fail(error, PLAY_T_NOT_PERMITTED,
                           "player.http does not name the host %.160s:%s", p->host, p->port);
    return false;
}

static bool check_parts(const struct play_hosts *h, CURLU *u, struct parts *p,
                        struct play_error *error)
{
    if (curl_url_get(u, CURLUPART_SCHEME, &p->scheme, 0)) {
        (void)play_source_fail(error, PLAY_T_NOT_FOUND, "the URI has no scheme");
        return false;
    }
    bool is_https = str_eq(str_of(p->scheme), STR("https"));
    if (!is_https && !str_eq(str_of(p->scheme), STR("http"))) {
        (void)play_source_fail(error, PLAY_T_NOT_PERMITTED, "neither http nor https: %.40s",
                               p->scheme);
        return false;
    }
    if (curl_url_get(u, CURLUPART_HOST, &p->host, 0) ||
        curl_url_get(u, CURLUPART_PORT, &p->port, CURLU_DEFAULT_PORT)) {
        (void)play_source_fail(error, PLAY_T_NOT_FOUND, "the URI names no host");
        return false;
    }
    return is_allowed(h, p, is_https ? HTTPS_PORT : HTTP_PORT, error);
}

static bool check(const struct play_hosts *h, CURLU *u, struct play_error *error)
{
    struct parts parts = {0};
    bool is_good = check_parts(h, u, &parts, error);
    curl_free(parts.scheme);
    curl_free(parts.host);
    curl_free(parts.port);
    return is_good;
}

CURLU *play_hosts_parse(const struct play_hosts *h, const char *url, struct play_error *error)
{
    CURLU *u = curl_url();
    if (!u) {
        (void)play_source_fail(error, PLAY_T_NO_MEMORY, "out of memory");
        return NULL;
    }
    CURLUcode err = curl_url_set(u, CURLUPART_URL, url, CURLU_DISALLOW_USER);
    if (err == CURLUE_USER_NOT_ALLOWED)
        (void)play_source_fail(error, PLAY_T_NOT_PERMITTED,
                               "user and password in a URI are not taken");
    else if (err)
        (void)play_source_fail(error, PLAY_T_NOT_FOUND, "the URI is malformed: %s",
                               curl_url_strerror(err));
    else if (check(h, u, error))
        return u;
    curl_url_cleanup(u);
    return NULL;
}
