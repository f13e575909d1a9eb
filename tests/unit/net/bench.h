/**
 * A real server on loopback and a raw client, in one thread: whenever the client has to wait, the
 * server's loop runs. No sleeping, and nothing to lock.
 */
#ifndef NET_TEST_BENCH_H
#define NET_TEST_BENCH_H

#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>
#include <openssl/ssl.h>

#include "net/loop.h"
#include "net/server.h"

/** How long anything may take before the test fails: reached only when something is wrong. */
#define PATIENCE (120 * US_PER_S)

struct bench {
    struct net_loop *loop;
    struct net_server *server;
    struct net_server_config config;
    char error[NET_ERROR_MAX];
    char dir[64]; /**< of this test; removed at the end */

    unsigned opened, closed, messages;
    uint64_t last_socket, last_closed;
    int last_tag;
    struct net_peer_info last_peer; /**< the borrowed strings are not valid */
    char last_origin[128];
    char message[128 * 1024]; /**< the last one */
    size_t message_len;
    bool no_echo;
    bool stopped;
};

static void bench_on_open(void *user, uint64_t socket, int tag, const struct net_peer_info *peer)
{
    struct bench *b = user;
    b->opened++;
    b->last_socket = socket;
    b->last_tag = tag;
    b->last_peer = *peer;
    snprintf(b->last_origin, sizeof(b->last_origin), "%.*s", STR_FMT(peer->origin));
}

static void bench_on_message(void *user, uint64_t socket, struct str text)
{
    struct bench *b = user;
    b->messages++;
    assert_true(text.len <= sizeof(b->message));
    if (text.len)
        memcpy(b->message, text.p, text.len);
    b->message_len = text.len;
    if (!b->no_echo)
        assert_int_equal(net_server_send(b->server, socket, text), 0);
}

static void bench_on_close(void *user, uint64_t socket)
{
    struct bench *b = user;
    b->closed++;
    b->last_closed = socket;
}

static const struct net_route bench_routes[] = {{"/one2one", 7}, {"/call", 8}};

static inline void bench_init(struct bench *b)
{
    memset(b, 0, sizeof(*b));
    snprintf(b->dir, sizeof(b->dir), "/tmp/duet-net-XXXXXX");
    assert_non_null(mkdtemp(b->dir));
    assert_int_equal(net_loop_new(&b->loop), 0);
    b->config = (struct net_server_config){
        .http_listen = "127.0.0.1:0",
        .state_dir = b->dir,
        .routes = bench_routes,
        .n_routes = 2,
        .handlers = {bench_on_open, bench_on_message, bench_on_close},
        .user = b,
    };
}

static inline void bench_start(struct bench *b)
{
    int r = net_server_new(b->loop, &b->config, &b->server, b->error);
    if (r != 0)
        print_error("%d: %s\n", r, b->error);
    assert_int_equal(r, 0);
}

static inline void bench_path(const struct bench *b, const char *name, char *ret, size_t size)
{
    snprintf(ret, size, "%s/%s", b->dir, name);
}

static inline void bench_write_file(const struct bench *b, const char *name, const void *data,
                                    size_t len)
{
    char path[256];
    bench_path(b, name, path, sizeof(path));
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    assert_int_equal(fwrite(data, 1, len, f), len);
    assert_int_equal(fclose(f), 0);
}

static inline void bench_remove_dir(const char *dir)
{
    DIR *d = opendir(dir);
    struct dirent *e;
    while (d && (e = readdir(d)) != NULL) {
        char path[1024];
        if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
            continue;
        snprintf(path, sizeof(path), "%s/%s", dir, e->d_name);
        if (unlink(path) < 0)
            bench_remove_dir(path);
    }
    if (d)
        closedir(d);
    (void)rmdir(dir);
}

static inline void bench_deinit(struct bench *b)
{
    net_server_free(b->server);
    net_loop_free(b->loop);
    bench_remove_dir(b->dir);
}

/** Run the loop until a condition holds. */
#define BENCH_UNTIL(b, condition)                                                                  \
    do {                                                                                           \
        mono_us bench_end = net_loop_now() + PATIENCE;                                             \
        while (!(condition)) {                                                                     \
            assert_true(net_loop_now() < bench_end);                                               \
            net_loop_step((b)->loop, net_loop_now() + 5 * US_PER_MS);                              \
        }                                                                                          \
    } while (0)

static inline unsigned bench_count_fds(void)
{
    unsigned n = 0;
    DIR *d = opendir("/proc/self/fd");
    while (readdir(d))
        n++;
    closedir(d);
    return n;
}

/* -- the client -- */

struct client {
    struct bench *b;
    int fd;
    SSL *ssl; /**< NULL = plain */
    unsigned char in[256 * 1024];
    size_t len; /**< bytes in `in` */
    bool ended; /**< the server closed */
};

/** @param from the client's own address, IPv4; NULL = the system chooses */
static inline struct client *client_open_from(struct bench *b, uint16_t port, const char *ip,
                                              const char *from)
{
    struct client *c = calloc(1, sizeof(*c));
    assert_non_null(c);
    struct sockaddr_in6 v6 = {.sin6_family = AF_INET6, .sin6_port = htons(port)};
    struct sockaddr_in v4 = {.sin_family = AF_INET, .sin_port = htons(port)};
    bool is_v4 = inet_pton(AF_INET, ip, &v4.sin_addr) == 1;
    if (!is_v4)
        assert_int_equal(inet_pton(AF_INET6, ip, &v6.sin6_addr), 1);
    c->b = b;
    c->fd = socket(is_v4 ? AF_INET : AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(c->fd >= 0);
    struct sockaddr_in own = {.sin_family = AF_INET};
    if (from) {
        assert_int_equal(inet_pton(AF_INET, from, &own.sin_addr), 1);
        assert_int_equal(bind(c->fd, (struct sockaddr *)&own, sizeof(own)), 0);
    }
    /* Loopback: the kernel completes this from the backlog, before anybody accepts. */
    assert_int_equal(connect(c->fd, is_v4 ? (struct sockaddr *)&v4 : (struct sockaddr *)&v6,
                             is_v4 ? sizeof(v4) : sizeof(v6)),
                     0);
    assert_int_equal(fcntl(c->fd, F_SETFL, O_NONBLOCK), 0);
    return c;
}

static inline struct client *client_open(struct bench *b)
{
    return client_open_from(b, net_server_http_port(b->server), "127.0.0.1", NULL);
}

static inline void client_free(struct client *c)
{
    SSL_free(c->ssl);
    if (c->fd >= 0)
        close(c->fd);
    free(c);
}

/** One turn of waiting. */
static inline void client_wait(struct client *c, mono_us end)
{
    assert_true(net_loop_now() < end);
    net_loop_step(c->b->loop, net_loop_now() + 2 * US_PER_MS);
}

/** @return false: the handshake failed */
static inline bool client_tls(struct client *c, SSL_CTX *ctx)
{
    mono_us end = net_loop_now() + PATIENCE;
    c->ssl = SSL_new(ctx);
    SSL_set_fd(c->ssl, c->fd);
    SSL_set_mode(c->ssl, SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    int r;
    while ((r = SSL_connect(c->ssl)) != 1) {
        int e = SSL_get_error(c->ssl, r);
        if (e != SSL_ERROR_WANT_READ && e != SSL_ERROR_WANT_WRITE)
            return false;
        client_wait(c, end);
    }
    return true;
}

/** @return false: the server has gone */
static inline bool client_write(struct client *c, const void *data, size_t len)
{
    mono_us end = net_loop_now() + PATIENCE;
    const char *p = data;
    while (len > 0) {
        ssize_t n = c->ssl ? SSL_write(c->ssl, p, (int)len) : send(c->fd, p, len, MSG_NOSIGNAL);
        if (n > 0) {
            p += n;
            len -= (size_t)n;
            continue;
        }
        bool again = c->ssl ? SSL_get_error(c->ssl, (int)n) == SSL_ERROR_WANT_WRITE ||
                                  SSL_get_error(c->ssl, (int)n) == SSL_ERROR_WANT_READ
                            : errno == EAGAIN;
        if (!again)
            return false;
        client_wait(c, end);
    }
    return true;
}

/** Take what is there. @return false when nothing came */
static inline bool client_pump(struct client *c)
{
    size_t room = sizeof(c->in) - c->len;
    if (c->ended || room == 0)
        return false;
    ssize_t n =
        c->ssl ? SSL_read(c->ssl, c->in + c->len, (int)room) : recv(c->fd, c->in + c->len, room, 0);
    if (n > 0) {
        c->len += (size_t)n;
        return true;
    }
    if (c->ssl) {
        int e = SSL_get_error(c->ssl, (int)n);
        c->ended = e != SSL_ERROR_WANT_READ && e != SSL_ERROR_WANT_WRITE;
    } else {
        c->ended = n == 0 || (errno != EAGAIN && errno != EINTR);
    }
    return false;
}

static inline void client_consume(struct client *c, size_t n)
{
    assert_true(n <= c->len);
    memmove(c->in, c->in + n, c->len - n);
    c->len -= n;
}

/** Wait for n bytes. @return false: the server closed before */
static inline bool client_need(struct client *c, size_t n)
{
    mono_us end = net_loop_now() + PATIENCE;
    while (c->len < n) {
        if (client_pump(c))
            continue;
        if (c->ended)
            return false;
        client_wait(c, end);
    }
    return true;
}

/** Wait until the server has closed; what it sends before is thrown away. */
static inline void client_wait_end(struct client *c)
{
    mono_us end = net_loop_now() + PATIENCE;
    while (!c->ended) {
        c->len = 0;
        if (!client_pump(c) && !c->ended)
            client_wait(c, end);
    }
}

/* -- HTTP -- */

struct response {
    int status;
    char head[8192];
    char *body; /**< owned */
    size_t len;
};

static inline void response_free(struct response *r)
{
    free(r->body);
    r->body = NULL;
}

/** Value of a header; NULL = none. Static memory. */
static inline const char *response_header(const struct response *r, const char *name)
{
    static char value[1024];
    size_t n = strlen(name);
    for (const char *line = r->head; line; line = strstr(line, "\r\n")) {
        if (line != r->head)
            line += 2;
        if (strncasecmp(line, name, n) == 0 && line[n] == ':') {
            const char *from = line + n + 1 + strspn(line + n + 1, " ");
            snprintf(value, sizeof(value), "%.*s", (int)strcspn(from, "\r"), from);
            return value;
        }
    }
    return NULL;
}

/** @return false: closed before a complete head */
static inline bool client_head(struct client *c, struct response *ret)
{
    mono_us end = net_loop_now() + PATIENCE;
    memset(ret, 0, sizeof(*ret));
    for (;;) {
        unsigned char *blank = memmem(c->in, c->len, "\r\n\r\n", 4);
        if (blank) {
            size_t n = (size_t)(blank - c->in) + 4;
            assert_true(n < sizeof(ret->head));
            memcpy(ret->head, c->in, n);
            client_consume(c, n);
            assert_int_equal(sscanf(ret->head, "HTTP/1.1 %d", &ret->status), 1);
            return true;
        }
        if (client_pump(c))
            continue;
        if (c->ended)
            return false;
        client_wait(c, end);
    }
}

static inline bool client_request(struct client *c, const char *request, bool no_body,
                                  struct response *ret)
{
    if (!client_write(c, request, strlen(request)) || !client_head(c, ret))
        return false;
    const char *length = response_header(ret, "Content-Length");
    if (no_body || ret->status == 304 || ret->status == 101 || !length)
        return true;
    ret->len = strtoul(length, NULL, 10);
    ret->body = calloc(1, ret->len + 1);
    for (size_t got = 0; got < ret->len;) {
        if (c->len == 0 && !client_need(c, 1))
            return false;
        size_t n = c->len < ret->len - got ? c->len : ret->len - got;
        memcpy(ret->body + got, c->in, n);
        client_consume(c, n);
        got += n;
    }
    return true;
}

/** GET on a connection of its own. */
static inline void bench_get(struct bench *b, const char *path, struct response *ret)
{
    char request[1024];
    struct client *c = client_open(b);
    snprintf(request, sizeof(request), "GET %s HTTP/1.1\r\nHost: localhost\r\n\r\n", path);
    assert_true(client_request(c, request, false, ret));
    client_free(c);
}

/* -- WebSocket -- */

enum { WS_CONT = 0, WS_TEXT = 1, WS_BINARY = 2, WS_CLOSE = 8, WS_PING = 9, WS_PONG = 10 };

struct frame {
    bool fin;
    int opcode;
    size_t len;
    unsigned char data[128 * 1024];
};

/** The request of RFC 6455 §1.3, on any path. @return the status */
static inline int client_upgrade(struct client *c, const char *path, const char *headers,
                                 struct response *ret)
{
    char request[2048];
    snprintf(request, sizeof(request),
             "GET %s HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\n"
             "Connection: keep-alive, Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
             "Sec-WebSocket-Version: 13\r\n%s\r\n",
             path, headers);
    if (!client_request(c, request, false, ret))
        return -1;
    return ret->status;
}

static inline struct client *client_websocket(struct bench *b)
{
    struct client *c = client_open(b);
    struct response r;
    unsigned before = b->opened;
    assert_int_equal(client_upgrade(c, "/one2one", "", &r), 101);
    response_free(&r);
    assert_int_equal(b->opened, before + 1);
    return c;
}

static inline bool client_send_frame(struct client *c, bool fin, int opcode, const void *data,
                                     size_t len)
{
    static unsigned char buf[14 + 256 * 1024];
    static const unsigned char mask[4] = {0x37, 0xfa, 0x21, 0x3d};
    size_t n = 0;
    assert_true(len <= 256 * 1024);
    buf[n++] = (unsigned char)((fin ? 0x80 : 0) | opcode);
    if (len < 126) {
        buf[n++] = (unsigned char)(0x80 | len);
    } else if (len < 65536) {
        buf[n++] = 0x80 | 126;
        buf[n++] = (unsigned char)(len >> 8);
        buf[n++] = (unsigned char)len;
    } else {
        buf[n++] = 0x80 | 127;
        for (int i = 7; i >= 0; i--)
            buf[n++] = (unsigned char)((uint64_t)len >> (8 * i));
    }
    memcpy(buf + n, mask, 4);
    n += 4;
    for (size_t i = 0; i < len; i++)
        buf[n + i] = ((const unsigned char *)data)[i] ^ mask[i & 3];
    return client_write(c, buf, n + len);
}

static inline bool client_send_text(struct client *c, const char *text)
{
    return client_send_frame(c, true, WS_TEXT, text, strlen(text));
}

/** @return false: closed before a whole frame */
static inline bool client_read_frame(struct client *c, struct frame *ret)
{
    if (!client_need(c, 2))
        return false;
    size_t head = 2, len = c->in[1] & 0x7f;
    assert_int_equal(c->in[1] & 0x80, 0); /* RFC 6455 §5.1: a server must not mask */
    if (len == 126) {
        head = 4;
        if (!client_need(c, head))
            return false;
        len = (size_t)c->in[2] << 8 | c->in[3];
    } else if (len == 127) {
        head = 10;
        if (!client_need(c, head))
            return false;
        len = 0;
        for (int i = 2; i < 10; i++)
            len = len << 8 | c->in[i];
    }
    assert_true(len <= sizeof(ret->data) - 1);
    if (!client_need(c, head + len))
        return false;
    ret->fin = c->in[0] & 0x80;
    ret->opcode = c->in[0] & 0x0f;
    assert_int_equal(c->in[0] & 0x70, 0);
    ret->len = len;
    memcpy(ret->data, c->in + head, len);
    ret->data[len] = 0;
    client_consume(c, head + len);
    return true;
}

/** The next frame must be this text. */
static inline void client_expect_text(struct client *c, const void *text, size_t len)
{
    struct frame *f = calloc(1, sizeof(*f));
    assert_true(client_read_frame(c, f));
    assert_int_equal(f->opcode, WS_TEXT);
    assert_true(f->fin);
    assert_int_equal(f->len, len);
    assert_memory_equal(f->data, text, len);
    free(f);
}

/** The next frame must be a close with this code. @param reason NULL = any */
static inline void client_expect_close_frame(struct client *c, int code, const char *reason)
{
    struct frame *f = calloc(1, sizeof(*f));
    assert_true(client_read_frame(c, f));
    assert_int_equal(f->opcode, WS_CLOSE);
    assert_true(f->len >= 2);
    assert_int_equal(f->data[0] << 8 | f->data[1], code);
    if (reason)
        assert_string_equal((char *)f->data + 2, reason);
    free(f);
}

/** The same; the client answers and waits for the end. */
static inline void client_expect_close(struct client *c, int code, const char *reason)
{
    unsigned char answer[2] = {(unsigned char)(code >> 8), (unsigned char)code};
    client_expect_close_frame(c, code, reason);
    (void)client_send_frame(c, true, WS_CLOSE, answer, sizeof(answer));
    client_wait_end(c);
}

#endif
