/*
 * Each transfer has room for one piece. While that is full its callback says "pause", and the
 * server feels it through TCP; who empties it lets the transfer go on.
 */
#include "play/http.h"

#include <curl/curl.h>
#include <string.h>

#include "base/mem.h"
#include "play/hosts.h"

struct play_http {
    CURLM *multi;
};

struct transfer {
    struct play_source source;
    struct play_http *client;
    const struct play_hosts *hosts;
    CURL *easy;
    CURLU *url;
    unsigned n_redirections;
    size_t n_ignored; /* bytes of pages that are not the media */
    size_t n_head;    /* bytes of headers and trailers */
    bool is_paused;   /* more is there than there was room for */
    bool is_done;     /* nothing comes any more */
    bool has_failed;
    struct play_error error; /* with has_failed */
    size_t at, len;          /* of what waits in buf */
    char text[CURL_ERROR_SIZE];
    char buf[CURL_MAX_WRITE_SIZE];
};

bool play_http_is(struct str uri)
{
    return str_caseeq(str_head(uri, 7), STR("http://")) ||
           str_caseeq(str_head(uri, 8), STR("https://"));
}

int play_http_check(const struct play_hosts *hosts, const char *url, struct play_error *error)
{
    CURLU *u = play_hosts_parse(hosts, url, error);
    curl_url_cleanup(u);
    return u ? 0 : PLAY_SOURCE_FAILED;
}

/* --- what comes --- */

static long status_of(const struct transfer *t)
{
    long status = 0;
    (void)curl_easy_getinfo(t->easy, CURLINFO_RESPONSE_CODE, &status);
    return status;
}

static bool is_success(long status)
{
    return status >= 200 && status < 300;
}

static size_t on_data(char *data, size_t size, size_t n, void *user)
{
    struct transfer *t = user;
    size_t len = size * n;
    if (!is_success(status_of(t))) { /* the page of an error, or of a redirection */
        t->n_ignored += len;
        return t->n_ignored > PLAY_HTTP_MAX_PAGE ? 0 : len; /* 0: the transfer ends */
    }
    if (t->len) {
        t->is_paused = true;
        return CURL_WRITEFUNC_PAUSE;
    }
    if (len > sizeof(t->buf))
        return 0; /* never: it is the library's own limit */
    memcpy(t->buf, data, len);
    t->at = 0;
    t->len = len;
    return len;
}

/* The library keeps them all, and has no limit for those behind the last chunk. */
static size_t on_header(char *data, size_t size, size_t n, void *user)
{
    struct transfer *t = user;
    (void)data;
    t->n_head += size * n;
    if (t->n_head <= PLAY_HTTP_MAX_HEAD)
        return size * n;
    (void)play_source_fail(&t->error, PLAY_T_UNREADABLE,
                           "the server sends more than %d bytes of header", PLAY_HTTP_MAX_HEAD);
    t->has_failed = true;
    return 0; /* the transfer ends */
}

static void resume(struct transfer *t)
{
    t->is_paused = false;
    (void)curl_easy_pause(t->easy, CURLPAUSE_CONT); /* may bring the next piece at once */
}

static ssize_t read_transfer(struct play_source *s, void *buf, size_t size,
                             struct play_error *error)
{
    struct transfer *t = CONTAINER_OF(s, struct transfer, source);
    if (t->len) {
        size_t n = t->len - t->at < size ? t->len - t->at : size;
        memcpy(buf, t->buf + t->at, n);
        t->at += n;
        if (t->at == t->len) {
            t->len = 0;
            if (t->is_paused)
                resume(t);
        }
        return (ssize_t)n;
    }
    if (t->has_failed) {
        *error = t->error;
        return PLAY_SOURCE_FAILED;
    }
    return t->is_done ? 0 : PLAY_SOURCE_WAIT;
}

/* --- how it ends --- */

static void refuse_status(struct transfer *t, long status)
{
    enum play_trouble trouble = status == 404 || status == 410   ? PLAY_T_NOT_FOUND
                                : status == 401 || status == 403 ? PLAY_T_NOT_PERMITTED
                                                                 : PLAY_T_UNREADABLE;
    (void)play_source_fail(&t->error, trouble, "the server answers with status %ld", status);
    t->has_failed = true;
}

static bool is_https(CURLU *u)
{
    char *scheme = NULL;
    bool result =
        !curl_url_get(u, CURLUPART_SCHEME, &scheme, 0) && str_eq(str_of(scheme), STR("https"));
    curl_free(scheme);
    return result;
}

/* @return 0 = the transfer begins anew, elsewhere */
static int redirect(struct transfer *t, const char *to)
{
    if (++t->n_redirections > PLAY_HTTP_MAX_REDIRECTIONS)
        return play_source_fail(&t->error, PLAY_T_UNREADABLE, "more than %d redirections",
                                PLAY_HTTP_MAX_REDIRECTIONS);
    CURLU *u = play_hosts_parse(t->hosts, to, &t->error);
    if (!u)
        return PLAY_SOURCE_FAILED;
    if (is_https(t->url) && !is_https(u)) {
        curl_url_cleanup(u);
        return play_source_fail(&t->error, PLAY_T_NOT_PERMITTED, "redirected from https to http");
    }
    (void)curl_easy_setopt(t->easy, CURLOPT_CURLU, u);
    curl_url_cleanup(t->url);
    t->url = u;
    if (curl_multi_add_handle(t->client->multi, t->easy))
        return play_source_fail(&t->error, PLAY_T_NO_MEMORY, "out of memory");
    return 0;
}

static void refuse_result(struct transfer *t, CURLcode result)
{
    const char *text = t->text[0] ? t->text : curl_easy_strerror(result);
    enum play_trouble trouble =
        result == CURLE_OUT_OF_MEMORY ? PLAY_T_NO_MEMORY : PLAY_T_UNREADABLE;
    (void)play_source_fail(&t->error, trouble, "%.200s", text);
    t->has_failed = true;
}

/* The library is through with it; it is out of the multi handle. */
static void end_transfer(struct transfer *t, CURLcode result)
{
    char *to = NULL;
    long status = status_of(t);
    (void)curl_easy_getinfo(t->easy, CURLINFO_REDIRECT_URL, &to);
    if (t->has_failed)
        return; /* it was told to end */
    if (status >= 300 && status < 400 && to)
        t->has_failed = redirect(t, to) != 0;
    else if (status && !is_success(status))
        refuse_status(t, status);
    else if (result)
        refuse_result(t, result);
    else
        t->is_done = true;
}

/* --- beginning and end --- */

static void close_transfer(struct play_source *s)
{
    struct transfer *t = CONTAINER_OF(s, struct transfer, source);
    if (t->easy)
        (void)curl_multi_remove_handle(t->client->multi, t->easy);
    curl_easy_cleanup(t->easy);
    curl_url_cleanup(t->url);
    mem_free(t);
}

static const struct play_source_ops ops = {.read = read_transfer, .close = close_transfer};

static CURLcode set_up(struct transfer *t)
{
    CURL *e = t->easy;
    CURLcode err = curl_easy_setopt(e, CURLOPT_CURLU, t->url);
    if (!err) /* beside the check of each URL: nothing else is ever spoken */
        err = curl_easy_setopt(e, CURLOPT_PROTOCOLS_STR, "http,https");
    if (!err) /* HTTP/2 would put transfers that stop into one connection */
        err = curl_easy_setopt(e, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    if (!err) /* not what the environment says */
        err = curl_easy_setopt(e, CURLOPT_PROXY, "");
    if (!err)
        err = curl_easy_setopt(e, CURLOPT_FOLLOWLOCATION, 0L);
    if (!err)
        err = curl_easy_setopt(e, CURLOPT_NOSIGNAL, 1L);
    if (!err) /* a name server that does not answer must not hold up the thread */
        err = curl_easy_setopt(e, CURLOPT_QUICK_EXIT, 1L);
    if (!err)
        err = curl_easy_setopt(e, CURLOPT_CONNECTTIMEOUT_MS,
                               (long)(PLAY_HTTP_CONNECT_LIMIT / US_PER_MS));
    if (!err)
        err = curl_easy_setopt(e, CURLOPT_LOW_SPEED_LIMIT, 1L);
    if (!err)
        err =
            curl_easy_setopt(e, CURLOPT_LOW_SPEED_TIME, (long)(PLAY_HTTP_SILENCE_LIMIT / US_PER_S));
    if (!err)
        err = curl_easy_setopt(e, CURLOPT_USERAGENT, "duet");
    if (!err)
        err = curl_easy_setopt(e, CURLOPT_ERRORBUFFER, t->text);
    if (!err)
        err = curl_easy_setopt(e, CURLOPT_HEADERFUNCTION, on_header);
    if (!err)
        err = curl_easy_setopt(e, CURLOPT_HEADERDATA, t);
    if (!err)
        err = curl_easy_setopt(e, CURLOPT_WRITEFUNCTION, on_data);
    if (!err)
        err = curl_easy_setopt(e, CURLOPT_WRITEDATA, t);
    return err ? err : curl_easy_setopt(e, CURLOPT_PRIVATE, t);
}

static int begin(struct transfer *t, struct play_error *error)
{
    t->easy = curl_easy_init();
    if (!t->easy || set_up(t) || curl_multi_add_handle(t->client->multi, t->easy))
        return play_source_fail(error, PLAY_T_NO_MEMORY, "out of memory");
    return 0;
}

struct play_source *play_http_open(struct play_http *c, const struct play_hosts *hosts,
                                   const char *url, struct play_error *error)
{
    struct transfer *t = mem_zalloc(sizeof(*t));
    if (!t) {
        (void)play_source_fail(error, PLAY_T_NO_MEMORY, "out of memory");
        return NULL;
    }
    t->source.ops = &ops;
    t->client = c;
    t->hosts = hosts;
    t->url = play_hosts_parse(hosts, url, error);
    if (!t->url || begin(t, error)) {
        close_transfer(&t->source);
        return NULL;
    }
    return &t->source;
}

struct play_http *play_http_new(void)
{
    struct play_http *c = mem_zalloc(sizeof(*c));
    if (!c)
        return NULL;
    if (!curl_global_init(CURL_GLOBAL_DEFAULT))
        c->multi = curl_multi_init();
    if (!c->multi) {
        mem_free(c);
        return NULL;
    }
    return c;
}

void play_http_free(struct play_http *c)
{
    if (!c)
        return;
    (void)curl_multi_cleanup(c->multi);
    mem_free(c);
}

void play_http_run(struct play_http *c)
{
    int n;
    (void)curl_multi_perform(c->multi, &n);
    for (CURLMsg *m; (m = curl_multi_info_read(c->multi, &n));) {
        const CURLcode result = m->data.result;
        CURL *easy = m->easy_handle;
        struct transfer *t;
        if (m->msg != CURLMSG_DONE)
            continue;
        (void)curl_multi_remove_handle(c->multi, easy); /* and with it the message */
        (void)curl_easy_getinfo(easy, CURLINFO_PRIVATE, &t);
        end_transfer(t, result);
    }
}

void play_http_wait(struct play_http *c, int fd, int ms)
{
    struct curl_waitfd wake = {.fd = fd, .events = CURL_WAIT_POLLIN};
    int n;
    if (ms < 0)
        ms = INT32_MAX;
    (void)curl_multi_poll(c->multi, &wake, 1, ms, &n);
}
