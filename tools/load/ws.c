/*
 * CONNECTING ─ TCP is up ─┬─ TLS ─ handshake ─┬─ UPGRADING ─ 101 ─ OPEN
 *                         └───────────────────┘
 *
 * Reading and writing go through receive() and transmit(), which hide TLS. What cannot be written
 * at once waits in `out`.
 */
#include "load/ws.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include "base/mem.h"
#include "load/sockaddr.h"

#define WHY_MAX 160

/* --- what all share --- */

static bool resolve(const char *host, uint16_t port, struct addr *ret)
{
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_ADDRCONFIG}, *list;
    struct sockaddr_storage sa = {0};
    if (addr_parse_ip(str_of(host), port, ret))
        return true;
    if (getaddrinfo(host, NULL, &hints, &list))
        return false;
    memcpy(&sa, list->ai_addr, list->ai_addrlen);
    freeaddrinfo(list);
    if (!sockaddr_read(&sa, ret))
        return false;
    ret->port = port;
    return true;
}

bool ws_env_init(struct ws_env *env, const char **error)
{
    if (!resolve(env->url.host, env->url.port, &env->server)) {
        *error = "the host of --url has no address";
        return false;
    }
    if (!env->url.is_tls)
        return true;
    env->tls = SSL_CTX_new(TLS_client_method());
    if (!env->tls || (!env->is_insecure && SSL_CTX_set_default_verify_paths(env->tls) != 1)) {
        *error = "TLS cannot be set up";
        return false;
    }
    SSL_CTX_set_mode(env->tls, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE |
                                   SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    SSL_CTX_set_verify(env->tls, env->is_insecure ? SSL_VERIFY_NONE : SSL_VERIFY_PEER, NULL);
    return true;
}

void ws_env_deinit(struct ws_env *env)
{
    SSL_CTX_free(env->tls);
    env->tls = NULL;
}

/* --- buffers --- */

static void buffer_free(struct ws_buffer *b)
{
    mem_free(b->data);
    *b = (struct ws_buffer){0};
}

static bool buffer_reserve(struct ws_buffer *b, size_t n)
{
    if (b->cap - b->len >= n)
        return true;
    size_t cap = b->cap * 2 > b->len + n ? b->cap * 2 : b->len + n;
    uint8_t *data = mem_realloc(b->data, cap);
    if (!data)
        return false;
    b->data = data;
    b->cap = cap;
    return true;
}

static void buffer_skip(struct ws_buffer *b, size_t n)
{
    b->len -= n;
    if (b->len == 0)
        buffer_free(b);
    else
        memmove(b->data, b->data + n, b->len);
}

static bool buffer_append(struct ws_buffer *b, const void *data, size_t n)
{
    if (!buffer_reserve(b, n))
        return false;
    memcpy(b->data + b->len, data, n);
    b->len += n;
    return true;
}

/* --- the end --- */

void ws_close(struct ws *ws)
{
    if (ws->state == WS_CLOSED)
        return;
    ws->state = WS_CLOSED;
    SSL_free(ws->ssl);
    ws->ssl = NULL;
    int fd = loop_unwatch(ws->env->loop, &ws->watch);
    if (fd >= 0)
        (void)close(fd);
    buffer_free(&ws->in);
    buffer_free(&ws->out);
    buffer_free(&ws->message);
}

static void fail(struct ws *ws, mono_us now, const char *why)
{
    ws_close(ws);
    ws->env->handlers.on_closed(ws, now, why);
}

static void fail_tls(struct ws *ws, mono_us now)
{
    char why[WHY_MAX];
    long verified = SSL_get_verify_result(ws->ssl);
    unsigned long code = ERR_peek_last_error();
    const char *reason = code ? ERR_reason_error_string(code) : NULL;
    if (!ws->env->is_insecure && verified != X509_V_OK)
        (void)snprintf(why, sizeof(why), "TLS: %s (--insecure takes any certificate)",
                       X509_verify_cert_error_string(verified));
    else
        (void)snprintf(why, sizeof(why), "TLS: %s", reason ? reason : "connection closed");
    fail(ws, now, why);
}

/* --- bytes --- */

/* @return bytes, 0 = not now, -1 = the end */
static ssize_t tls_result(struct ws *ws, int n)
{
    if (n > 0)
        return n;
    int error = SSL_get_error(ws->ssl, n);
    return error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE ? 0 : -1;
}

static ssize_t socket_result(ssize_t n)
{
    if (n > 0)
        return n;
    return n < 0 && (errno == EAGAIN || errno == EINTR) ? 0 : -1;
}

static ssize_t receive(struct ws *ws, void *buf, size_t cap)
{
    ERR_clear_error();
    return ws->ssl ? tls_result(ws, SSL_read(ws->ssl, buf, (int)cap))
                   : socket_result(recv(ws->watch.fd, buf, cap, 0));
}

static ssize_t transmit(struct ws *ws, const void *buf, size_t len)
{
    ERR_clear_error();
    return ws->ssl ? tls_result(ws, SSL_write(ws->ssl, buf, (int)len))
                   : socket_result(send(ws->watch.fd, buf, len, MSG_NOSIGNAL));
}

static void wait_for_write(struct ws *ws, bool wanted)
{
    if (ws->waits_for_write == wanted || ws->state == WS_CLOSED)
        return;
    ws->waits_for_write = wanted;
    loop_rewatch(ws->env->loop, &ws->watch, EPOLLIN | (wanted ? EPOLLOUT : 0));
}

/* A broken connection is found when it is read. */
static void flush(struct ws *ws)
{
    while (ws->out.len > 0) {
        ssize_t n = transmit(ws, ws->out.data, ws->out.len);
        if (n <= 0)
            break;
        buffer_skip(&ws->out, (size_t)n);
    }
    wait_for_write(ws, ws->out.len > 0);
}

static void send_frame(struct ws *ws, enum ws_opcode opcode, struct str payload)
{
    uint8_t mask[4];
    if (!buffer_reserve(&ws->out, payload.len + WS_HEADER_MAX))
        return;
    rng_fill(ws->env->rng, mask, sizeof(mask));
    ws->out.len += ws_frame_write(opcode, payload, mask, ws->out.data + ws->out.len);
    flush(ws);
}

void ws_send(struct ws *ws, struct str message)
{
    if (ws->state == WS_OPEN)
        send_frame(ws, WS_TEXT, message);
}

/* --- the beginning --- */

static void begin_upgrade(struct ws *ws)
{
    char request[2048];
    uint8_t random[16];
    const struct ws_env *env = ws->env;
    rng_fill(env->rng, random, sizeof(random));
    ws_key_write(random, ws->key);
    int len = snprintf(request, sizeof(request),
                       "GET %s HTTP/1.1\r\nHost: %s\r\nUpgrade: websocket\r\n"
                       "Connection: Upgrade\r\nSec-WebSocket-Key: %s\r\n"
                       "Sec-WebSocket-Version: 13\r\n%s%s%s\r\n",
                       env->url.path, env->url.authority, ws->key,
                       env->subprotocol ? "Sec-WebSocket-Protocol: " : "",
                       env->subprotocol ? env->subprotocol : "", env->subprotocol ? "\r\n" : "");
    ws->state = WS_UPGRADING;
    if (buffer_append(&ws->out, request, (size_t)len))
        flush(ws);
}

static void go_on_with_tls(struct ws *ws, mono_us now)
{
    ERR_clear_error();
    int n = SSL_do_handshake(ws->ssl);
    if (n == 1) {
        begin_upgrade(ws);
        return;
    }
    int error = SSL_get_error(ws->ssl, n);
    if (error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE)
        wait_for_write(ws, error == SSL_ERROR_WANT_WRITE);
    else
        fail_tls(ws, now);
}

static bool begin_tls(struct ws *ws)
{
    struct ws_env *env = ws->env;
    struct addr ip;
    ws->ssl = SSL_new(env->tls);
    if (!ws->ssl || SSL_set_fd(ws->ssl, ws->watch.fd) != 1)
        return false;
    SSL_set_connect_state(ws->ssl);
    if (addr_parse_ip(str_of(env->url.host), 0, &ip))
        (void)X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ws->ssl), env->url.host);
    else if (SSL_set_tlsext_host_name(ws->ssl, env->url.host) != 1 ||
             SSL_set1_host(ws->ssl, env->url.host) != 1)
        return false;
    ws->state = WS_TLS;
    return true;
}

static void connected(struct ws *ws, mono_us now)
{
    int error = 0;
    socklen_t len = sizeof(error);
    (void)getsockopt(ws->watch.fd, SOL_SOCKET, SO_ERROR, &error, &len);
    if (error) {
        char why[WHY_MAX];
        (void)snprintf(why, sizeof(why), "cannot connect: %s", strerror(error));
        fail(ws, now, why);
        return;
    }
    wait_for_write(ws, false);
    if (!ws->env->tls)
        begin_upgrade(ws);
    else if (begin_tls(ws))
        go_on_with_tls(ws, now);
    else
        fail_tls(ws, now);
}

static void on_ready(struct watch *w, uint32_t events, mono_us now);

int ws_open(struct ws *ws, struct ws_env *env)
{
    bool is_v6 = !addr_is_v4(&env->server);
    struct sockaddr_storage sa;
    socklen_t len = sockaddr_of(&env->server, is_v6, &sa);
    int fd = socket(is_v6 ? AF_INET6 : AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -errno;
    *ws = (struct ws){.env = env, .watch = {.fd = fd, .on_ready = on_ready}};
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
    int err = connect(fd, (struct sockaddr *)&sa, len) && errno != EINPROGRESS ? -errno : 0;
    if (!err)
        err = loop_watch(env->loop, &ws->watch, EPOLLIN | EPOLLOUT);
    if (err) {
        (void)close(fd);
        ws->watch.fd = -1;
        return err;
    }
    ws->state = WS_CONNECTING;
    ws->waits_for_write = true;
    return 0;
}

/* --- messages --- */

static void closed_by_server(struct ws *ws, mono_us now, const struct ws_frame *frame)
{
    char why[WHY_MAX];
    unsigned code = frame->payload_len >= 2 ? frame->payload[0] << 8 | frame->payload[1] : 1005;
    (void)snprintf(why, sizeof(why), "closed by the server with code %u", code);
    send_frame(ws, WS_CLOSE, (struct str){(const char *)frame->payload, frame->payload_len});
    fail(ws, now, why);
}

static void on_data(struct ws *ws, mono_us now, const struct ws_frame *frame)
{
    struct str text = {(const char *)frame->payload, frame->payload_len};
    if (frame->is_final && ws->message.len == 0) {
        ws->env->handlers.on_message(ws, now, text);
        return;
    }
    if (ws->message.len + text.len > WS_MESSAGE_MAX ||
        !buffer_append(&ws->message, text.p, text.len)) {
        fail(ws, now, "a message is too long");
    } else if (frame->is_final) {
        struct ws_buffer whole = ws->message;
        ws->message = (struct ws_buffer){0};
        ws->env->handlers.on_message(ws, now, (struct str){(const char *)whole.data, whole.len});
        buffer_free(&whole);
    }
}

static void on_frame(struct ws *ws, mono_us now, const struct ws_frame *frame)
{
    switch (frame->opcode) {
    case WS_CONTINUATION:
    case WS_TEXT:
    case WS_BINARY:
        on_data(ws, now, frame);
        break;
    case WS_PING:
        send_frame(ws, WS_PONG, (struct str){(const char *)frame->payload, frame->payload_len});
        break;
    case WS_PONG:
        break;
    case WS_CLOSE:
        closed_by_server(ws, now, frame);
        break;
    }
}

/* The bytes of the frame must stay while its handler runs, which may close the WebSocket. */
static void take_frames(struct ws *ws, mono_us now)
{
    struct ws_buffer in = ws->in;
    struct ws_frame frame;
    size_t done = 0;
    int err = 0;
    ws->in = (struct ws_buffer){0};
    while (ws->state == WS_OPEN && !(err = ws_frame_parse(in.data + done, in.len - done, &frame))) {
        done += frame.frame_len;
        on_frame(ws, now, &frame);
    }
    if (ws->state != WS_OPEN) {
        buffer_free(&in);
        return;
    }
    buffer_skip(&in, done);
    ws->in = in;
    if (err != WS_E_MORE)
        fail(ws, now, "the server broke the WebSocket protocol");
}

static void take_response(struct ws *ws, mono_us now)
{
    size_t len;
    unsigned status = 0;
    char why[WHY_MAX];
    int err = ws_response_parse((struct str){(const char *)ws->in.data, ws->in.len}, ws->key, &len,
                                &status);
    switch (err) {
    case 0:
        buffer_skip(&ws->in, len);
        ws->state = WS_OPEN;
        ws->env->handlers.on_open(ws, now);
        break;
    case WS_E_MORE:
        break;
    default:
        (void)snprintf(why, sizeof(why), "no WebSocket there (HTTP status %u)", status);
        fail(ws, now, why);
    }
}

static void read_all(struct ws *ws, mono_us now)
{
    uint8_t chunk[16384];
    while (ws->state == WS_UPGRADING || ws->state == WS_OPEN) {
        ssize_t n = receive(ws, chunk, sizeof(chunk));
        if (n == 0)
            return;
        if (n < 0 || !buffer_append(&ws->in, chunk, (size_t)n)) {
            fail(ws, now, "the connection broke");
            return;
        }
        if (ws->state == WS_UPGRADING)
            take_response(ws, now);
        if (ws->state == WS_OPEN && ws->in.len > 0)
            take_frames(ws, now);
        if (!ws->ssl && (size_t)n < sizeof(chunk))
            return;
    }
}

static void on_ready(struct watch *w, uint32_t events, mono_us now)
{
    struct ws *ws = CONTAINER_OF(w, struct ws, watch);
    if (ws->state == WS_CONNECTING)
        connected(ws, now);
    else if (ws->state == WS_TLS)
        go_on_with_tls(ws, now);
    if ((events & EPOLLOUT) && (ws->state == WS_UPGRADING || ws->state == WS_OPEN))
        flush(ws);
    if (ws->state == WS_UPGRADING || ws->state == WS_OPEN)
        read_all(ws, now);
}
