/*
 * Answers to plain requests: the page's files, /healthz, and texts that help.
 *
 * The heads are written as text by ourselves. There are only a few kinds of them, every one carries
 * the same security headers, and so the whole answer can be read here in one place.
 *
 * Bodies go out piece by piece, as the socket takes them; a small one together with its head.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/text.h"
#include "net/server_private.h"

/** Room for a head: the fixed headers below take about 900 bytes. */
#define HEAD_MAX 2048

/** Bytes of body in one write. One TLS record holds 16 KiB. */
#define BODY_PIECE 16384

/*
 * The page consists of modules, styles and pictures of this server alone; blob: is for recordings
 * and workers made in the page, data: for small pictures. No inline scripts nor styles. WebSockets
 * may go anywhere: the page of one server may call on another.
 *
 * No HSTS: the default certificate is self-signed, and HSTS would make browsers refuse to let a
 * person past the warning, for good.
 */
static const char security_headers[] =
    "Content-Security-Policy: default-src 'self'; script-src 'self'; style-src 'self'; "
    "img-src 'self' data: blob:; media-src 'self' blob:; worker-src 'self' blob:; "
    "connect-src 'self' ws: wss:; object-src 'none'; base-uri 'none'; form-action 'self'; "
    "frame-ancestors 'none'\r\n"
    "X-Content-Type-Options: nosniff\r\n"
    "X-Frame-Options: DENY\r\n"
    "Referrer-Policy: no-referrer\r\n"
    "Permissions-Policy: microphone=(self), speaker-selection=(self), autoplay=(self), camera=(), "
    "geolocation=(), display-capture=()\r\n"
    "Cross-Origin-Opener-Policy: same-origin\r\n";

static const struct {
    int status;
    const char *phrase;
} phrases[] = {
    {200, "OK"},
    {304, "Not Modified"},
    {400, "Bad Request"},
    {401, "Unauthorized"},
    {403, "Forbidden"},
    {404, "Not Found"},
    {405, "Method Not Allowed"},
    {426, "Upgrade Required"},
    {429, "Too Many Requests"},
    {500, "Internal Server Error"},
    {503, "Service Unavailable"},
};

static const char *phrase_of(int status)
{
    for (size_t i = 0; i < ARRAY_LEN(phrases); i++) {
        if (phrases[i].status == status)
            return phrases[i].phrase;
    }
    return "";
}

/** RFC 9110 §5.6.7: always English, whatever the locale. */
static void put_date(struct text *head)
{
    static const char days[][4] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
    static const char months[][4] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                     "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    time_t now = time(NULL);
    struct tm tm;
    if (gmtime_r(&now, &tm))
        text_printf(head, "Date: %s, %02d %s %d %02d:%02d:%02d GMT\r\n", days[tm.tm_wday],
                    tm.tm_mday, months[tm.tm_mon], tm.tm_year + 1900, tm.tm_hour, tm.tm_min,
                    tm.tm_sec);
}

/** Everything up to the empty line. */
static void put_head(struct text *head, const struct net_conn *conn, int status, const char *type,
                     size_t len, const char *headers)
{
    text_printf(head, "HTTP/1.1 %d %s\r\n", status, phrase_of(status));
    put_date(head);
    if (status != 304) /* RFC 9110 §15.4.5: a 304 describes no body */
        text_printf(head, "Content-Type: %s\r\nContent-Length: %zu\r\n", type, len);
    text_put(head, str_of(headers));
    text_put(head, STR(security_headers));
    text_printf(head, "%s\r\n", conn->is_last ? "Connection: close\r\n" : "");
}

static int write_all(struct lws *wsi, unsigned char *data, size_t len, enum lws_write_protocol kind)
{
    /* What the socket does not take at once is kept by the library. */
    return lws_write(wsi, data, len, kind) < (int)len ? -1 : 0;
}

/** The answer is complete. */
static int finish(struct net_conn *conn, struct lws *wsi)
{
    net_http_end(conn);
    /* -1 also flushes what the library still holds. */
    return conn->is_last || lws_http_transaction_completed(wsi) ? -1 : 0;
}

static int answer(struct net_conn *conn, struct lws *wsi, int status, const char *type,
                  const char *headers, struct str body, bool head_only)
{
    char buf[LWS_PRE + HEAD_MAX];
    struct text out;
    text_init(&out, buf + LWS_PRE, HEAD_MAX);
    put_head(&out, conn, status, type, body.len, headers);
    if (!head_only)
        text_put(&out, body);
    if (out.failed || write_all(wsi, (unsigned char *)out.buf, out.len, LWS_WRITE_HTTP_HEADERS) < 0)
        return -1;
    return finish(conn, wsi);
}

static bool is_head(struct lws *wsi)
{
    return lws_hdr_total_length(wsi, WSI_TOKEN_HEAD_URI) > 0;
}

int net_http_text(struct net_conn *conn, struct lws *wsi, int status, const char *headers,
                  const char *format, ...)
{
    char buf[512];
    va_list ap;
    va_start(ap, format);
    int n = vsnprintf(buf, sizeof(buf), format, ap);
    va_end(ap);
    if (n < 0)
        return -1;
    return answer(conn, wsi, status, "text/plain; charset=utf-8", headers, str_of(buf),
                  is_head(wsi));
}

struct str net_header(struct lws *wsi, enum lws_token_indexes which, char *buf, int size)
{
    int len = lws_hdr_copy(wsi, buf, size, which);
    return len > 0 ? (struct str){buf, (size_t)len} : (struct str){"", 0};
}

/** RFC 9110 §13.1.2: weak comparison of a list, or "*". */
static bool is_known(struct lws *wsi, const char *etag)
{
    char buf[512];
    struct str rest = net_header(wsi, WSI_TOKEN_HTTP_IF_NONE_MATCH, buf, sizeof(buf));
    while (rest.len > 0) {
        struct str one = str_trim(str_take_until(&rest, ','));
        if (str_starts_with(one, STR("W/")))
            one = str_tail(one, 2);
        if (str_eq(one, str_of(etag)) || str_eq(one, STR("*")))
            return true;
    }
    return false;
}

void net_http_end(struct net_conn *conn)
{
    if (conn->has_body && conn->body.fd >= 0)
        close(conn->body.fd);
    conn->has_body = false;
}

int net_http_writable(struct net_conn *conn, struct lws *wsi)
{
    unsigned char buf[LWS_PRE + BODY_PIECE];
    if (!conn->has_body)
        return 0;
    size_t len = conn->body.len - conn->body_at;
    if (len > BODY_PIECE)
        len = BODY_PIECE;
    if (conn->body.data) {
        memcpy(buf + LWS_PRE, conn->body.data + conn->body_at, len);
    } else {
        ssize_t n = pread(conn->body.fd, buf + LWS_PRE, len, (off_t)conn->body_at);
        if (n <= 0)
            return -1; /* it became shorter: the length that was promised cannot be kept */
        len = (size_t)n;
    }
    if (write_all(wsi, buf + LWS_PRE, len, LWS_WRITE_HTTP) < 0)
        return -1;
    conn->body_at += len;
    if (conn->body_at == conn->body.len)
        return finish(conn, wsi);
    (void)lws_callback_on_writable(wsi);
    return 0;
}

static int send_file(struct net_conn *conn, struct lws *wsi, const struct net_file *file)
{
    char buf[LWS_PRE + HEAD_MAX], headers[160];
    bool known = is_known(wsi, file->etag);
    /* no-cache: keep it, but ask each time, so that an update is seen with the next reload. */
    snprintf(headers, sizeof(headers), "ETag: %s\r\nCache-Control: no-cache\r\n", file->etag);

    struct text head;
    text_init(&head, buf + LWS_PRE, HEAD_MAX);
    put_head(&head, conn, known ? 304 : 200, file->type, file->len, headers);
    conn->has_body = true;
    conn->body = *file; /* now owned by conn */
    conn->body_at = 0;
    if (head.failed ||
        write_all(wsi, (unsigned char *)head.buf, head.len, LWS_WRITE_HTTP_HEADERS) < 0)
        return -1;
    if (known || is_head(wsi) || file->len == 0)
        return finish(conn, wsi);
    (void)lws_callback_on_writable(wsi);
    return 0;
}

static int get_file(struct net_conn *conn, struct lws *wsi, struct str path)
{
    struct net_file file;
    int r = net_files_open(&conn->server->files, path, &file);
    if (r < 0)
        return net_http_text(conn, wsi, 503, "Retry-After: 5\r\n",
                             "503: the server is out of resources. Try again in a moment.\n");
    if (r == NET_FILES_E_NONE)
        return net_http_text(conn, wsi, 404, "Cache-Control: no-store\r\n",
                             "404: there is nothing at this address. The page is at /.\n");
    return send_file(conn, wsi, &file);
}

/** For load balancers and supervisors: may new people be sent here? */
static int get_health(struct net_conn *conn, struct lws *wsi)
{
    bool ok = !conn->server->is_stopping;
    return answer(conn, wsi, ok ? 200 : 503, "application/json", "Cache-Control: no-store\r\n",
                  ok ? STR("{\"status\":\"ok\"}\n") : STR("{\"status\":\"stopping\"}\n"),
                  is_head(wsi));
}

const struct net_route *net_server_route(const struct net_server *server, struct str path)
{
    for (size_t i = 0; i < server->n_routes; i++) {
        if (str_eq(path, str_of(server->routes[i].path)))
            return &server->routes[i];
    }
    return NULL;
}

int net_http_request(struct net_conn *conn, struct lws *wsi, struct str path)
{
    net_http_end(conn);
    conn->is_last = conn->server->is_stopping;
    if (!is_head(wsi) && lws_hdr_total_length(wsi, WSI_TOKEN_GET_URI) == 0) {
        conn->is_last = true; /* rather than read a body that nobody wants */
        return net_http_text(conn, wsi, 405, "Allow: GET, HEAD\r\n",
                             "405: this server answers GET and HEAD only.\n");
    }
    if (str_eq(path, STR("/healthz")))
        return get_health(conn, wsi);
    if (conn->side == NET_API)
        return net_api_request(conn, wsi);
    if (net_server_route(conn->server, path))
        return net_http_text(conn, wsi, 426, "Upgrade: websocket\r\nCache-Control: no-store\r\n",
                             "426: this address is for WebSockets (%s). The page is at /.\n",
                             net_conn_is_tls(conn) ? "wss://" : "ws://");
    return get_file(conn, wsi, path);
}
