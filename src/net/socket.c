/*
 * One WebSocket: messages put together from their pieces, a queue outwards, pings, an orderly end.
 *
 * Nothing is written when it is asked for, only when the library says that the socket takes it, one
 * frame at a time; so the close frame always comes behind what was queued before it, and never into
 * the middle of a frame.
 *
 * All sockets have the same ping interval and the same time to close, hence two lists in which the
 * next one due stands first, and one timer for both: nothing is searched, and an idle server wakes
 * up for pings only.
 */
#include <assert.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "base/mem.h"
#include "base/text.h"
#include "net/server_private.h"

/** A message on its way out. */
struct queued {
    struct list link;
    size_t len;           /**< bytes of text */
    unsigned char data[]; /**< LWS_PRE bytes for the frame's head, then the text */
};

/** Memory of a queued message: many small ones are not free. */
static size_t cost_of(size_t len)
{
    return sizeof(struct queued) + LWS_PRE + len;
}

/** Owner: its net_conn. */
struct net_socket {
    uint64_t id; /**< key in server->sockets */
    struct net_conn *conn;

    struct list queue;   /**< of struct queued */
    size_t queued_bytes; /**< sum of their costs */

    uint8_t *rx; /**< message being put together; NULL = none */
    size_t rx_len, rx_cap;

    struct list due; /**< in server->pinging or server->closing */
    mono_us due_at;  /**< time of the next ping, or when to give up closing */
    unsigned missed; /**< pings in a row without an answer */
    bool heard;      /**< something came since the last ping */
    bool ping_due;   /**< send one when the socket is writable */

    bool is_closing; /**< nothing goes in or out any more, but what is queued and the close frame */
    bool close_sent; /**< our close frame is out */
    bool peer_closed; /**< the library answers the peer's close frame; ours is not needed */
    uint16_t code;    /**< of the close frame */
    uint8_t reason_len;
    char reason[NET_REASON_MAX];
};

const void *net_socket_key(const void *value, size_t *ret_len)
{
    const struct net_socket *socket = value;
    *ret_len = sizeof(socket->id);
    return &socket->id;
}

static struct net_socket *find(const struct net_server *server, uint64_t id)
{
    return map_find(&server->sockets, &id, sizeof(id));
}

/* -- the two lists and their timer -- */

static mono_us due_of_first(const struct list *list)
{
    return list_is_empty(list) ? MONO_NEVER
                               : CONTAINER_OF(list->next, struct net_socket, due)->due_at;
}

static void arm_sweep(struct net_server *server)
{
    net_timer_set(server->sweep,
                  mono_min(due_of_first(&server->pinging), due_of_first(&server->closing)));
}

static void wait_until(struct net_socket *socket, struct list *list, mono_us at)
{
    list_remove(&socket->due);
    socket->due_at = at;
    list_append(list, &socket->due);
}

static struct net_socket *take_due(struct list *list, mono_us now)
{
    if (due_of_first(list) > now)
        return NULL;
    return CONTAINER_OF(list_pop(list), struct net_socket, due);
}

static void ping(struct net_socket *socket, mono_us now)
{
    struct net_server *server = socket->conn->server;
    const struct net_limits *limits = &server->limits;
    socket->missed = socket->heard ? 0 : socket->missed + 1;
    socket->heard = false;
    if (socket->missed >= limits->max_missed_pings) {
        char reason[NET_REASON_MAX];
        snprintf(reason, sizeof(reason), "%u pings without an answer (http.ping_interval)",
                 socket->missed);
        net_socket_close(socket->conn, NET_CLOSE_POLICY, str_of(reason));
        return;
    }
    socket->ping_due = true;
    (void)lws_callback_on_writable(socket->conn->wsi);
    wait_until(socket, &server->pinging, now + limits->ping_interval);
}

void net_socket_sweep(void *user, mono_us now)
{
    struct net_server *server = user;
    struct net_socket *socket;
    while ((socket = take_due(&server->pinging, now)) != NULL)
        ping(socket, now);
    while ((socket = take_due(&server->closing, now)) != NULL)
        net_conn_kill(socket->conn);
    arm_sweep(server);
}

/* -- beginning and end -- */

static void describe(const struct net_conn *conn, struct lws *wsi)
{
    const struct net_server *server = conn->server;
    char origin[256], agent[256], forwarded[256];
    struct net_peer_info peer = {
        .remote = conn->remote,
        .local = conn->local,
        .is_tls = net_conn_is_tls(conn),
        .path = conn->route->path,
        .origin = net_header(wsi, WSI_TOKEN_ORIGIN, origin, sizeof(origin)),
        .user_agent = net_header(wsi, WSI_TOKEN_HTTP_USER_AGENT, agent, sizeof(agent)),
        .forwarded = net_header(wsi, WSI_TOKEN_X_FORWARDED_FOR, forwarded, sizeof(forwarded)),
    };
    server->handlers.on_open(server->user, conn->socket->id, conn->route->tag, &peer);
}

int net_socket_open(struct net_conn *conn, struct lws *wsi)
{
    struct net_server *server = conn->server;
    struct net_socket *socket = mem_zalloc(sizeof(*socket));
    if (!socket)
        return -1;
    socket->id = server->next_id++;
    socket->conn = conn;
    socket->heard = true; /* the handshake */
    list_init(&socket->queue);
    list_init(&socket->due);
    if (map_insert(&server->sockets, socket) < 0) {
        mem_free(socket);
        return -1;
    }
    conn->socket = socket; /* now owned by conn */
    conn->client->sockets++;
    if (server->limits.ping_interval != MONO_NEVER) {
        wait_until(socket, &server->pinging, net_loop_now() + server->limits.ping_interval);
        arm_sweep(server);
    }
    if (conn->is_misled)
        net_socket_close(conn, NET_CLOSE_PROTOCOL, STR("Invalid path"));
    else
        describe(conn, wsi);
    return 0;
}

static void drop_queue(struct net_socket *socket)
{
    struct list *link;
    while ((link = list_pop(&socket->queue)) != NULL)
        mem_free(CONTAINER_OF(link, struct queued, link));
    socket->queued_bytes = 0;
}

static void drop_message(struct net_socket *socket)
{
    mem_free(socket->rx);
    socket->rx = NULL;
    socket->rx_len = socket->rx_cap = 0;
}

void net_socket_gone(struct net_conn *conn)
{
    struct net_server *server = conn->server;
    struct net_socket *socket = conn->socket;
    if (!socket)
        return;
    uint64_t id = socket->id;
    conn->socket = NULL;
    conn->client->sockets--;
    (void)map_remove(&server->sockets, &id, sizeof(id));
    list_remove(&socket->due);
    drop_queue(socket);
    drop_message(socket);
    mem_free(socket);
    if (!server->is_freeing && !conn->is_misled)
        server->handlers.on_close(server->user, id);
}

/** Cut to what fits, at the border of a character: half of one would be an invalid frame. */
static size_t reason_len(struct str reason)
{
    size_t len = reason.len;
    if (len > NET_REASON_MAX) {
        len = NET_REASON_MAX;
        while (len > 0 && ((uint8_t)reason.p[len] & 0xc0) == 0x80)
            len--;
    }
    return len;
}

void net_socket_close(struct net_conn *conn, unsigned code, struct str reason)
{
    struct net_server *server = conn->server;
    struct net_socket *socket = conn->socket;
    assert(code >= 1000 && code < 5000 && code != 1004 && code != 1005 && code != 1006);
    if (!socket || socket->is_closing)
        return;
    socket->is_closing = true;
    socket->ping_due = false;
    socket->code = (uint16_t)code;
    socket->reason_len = (uint8_t)reason_len(reason);
    if (socket->reason_len > 0)
        memcpy(socket->reason, reason.p, socket->reason_len);
    drop_message(socket);
    wait_until(socket, &server->closing, net_loop_now() + NET_CLOSE_TIMEOUT);
    arm_sweep(server);
    (void)lws_callback_on_writable(conn->wsi);
}

int net_socket_peer_closed(struct net_conn *conn)
{
    struct net_socket *socket = conn->socket;
    if (!socket || socket->close_sent)
        return -1; /* both have said it: RFC 6455 §7.1.1, the server ends the connection */
    net_socket_close(conn, NET_CLOSE_NORMAL, STR(""));
    socket->peer_closed = true;
    drop_queue(socket);
    return 0;
}

/** Close because a limit of the operator was met; the reason names it. */
PRINTF_LIKE(3, 4)
static void close_by_limit(struct net_conn *conn, unsigned code, const char *format, ...)
{
    char reason[NET_REASON_MAX + 1];
    va_list ap;
    va_start(ap, format);
    int n = vsnprintf(reason, sizeof(reason), format, ap);
    va_end(ap);
    net_socket_close(conn, code, n < 0 ? STR("") : str_of(reason));
}

/* -- inwards -- */

void net_socket_heard(struct net_conn *conn)
{
    if (conn->socket)
        conn->socket->heard = true;
}

static int append(struct net_socket *socket, const void *data, size_t len, size_t expected)
{
    if (socket->rx_len + len > socket->rx_cap) {
        /* The rest of this frame is known: room for it at once. Many small fragments: doubling. */
        size_t cap = socket->rx_len + len + expected;
        if (cap < 2 * socket->rx_cap)
            cap = 2 * socket->rx_cap;
        uint8_t *rx = mem_realloc(socket->rx, cap);
        if (!rx)
            return -ENOMEM;
        socket->rx = rx;
        socket->rx_cap = cap;
    }
    if (len > 0)
        memcpy(socket->rx + socket->rx_len, data, len);
    socket->rx_len += len;
    return 0;
}

static void deliver(struct net_conn *conn, const void *data, size_t len)
{
    const struct net_server *server = conn->server;
    server->handlers.on_message(server->user, conn->socket->id, (struct str){data, len});
}

int net_socket_receive(struct net_conn *conn, struct lws *wsi, const void *data, size_t len)
{
    struct net_socket *socket = conn->socket;
    if (!socket)
        return -1;
    socket->heard = true;
    if (socket->is_closing)
        return 0;
    bool is_api = conn->side == NET_API;
    size_t max = is_api ? conn->server->api.max_frame : conn->server->limits.max_frame;
    size_t expected = lws_remaining_packet_payload(wsi);
    if (len > max || expected > max || socket->rx_len + len + expected > max) {
        close_by_limit(conn, NET_CLOSE_TOO_BIG, "message exceeds %s (%zu bytes)",
                       is_api ? "the limit" : "http.max_frame", max);
        return 0;
    }
    bool is_complete = lws_is_final_fragment(wsi);
    if (is_complete && socket->rx_len == 0) {
        deliver(conn, data, len);
        return 0;
    }
    if (append(socket, data, len, expected) < 0) {
        net_socket_close(conn, NET_CLOSE_INTERNAL, STR("out of memory"));
        return 0;
    }
    if (is_complete) {
        uint8_t *rx = socket->rx; /* out of reach of a close in the handler */
        size_t rx_len = socket->rx_len;
        socket->rx = NULL;
        drop_message(socket);
        deliver(conn, rx, rx_len);
        mem_free(rx);
    }
    return 0;
}

/* -- outwards -- */

int net_server_send(struct net_server *server, uint64_t id, struct str text)
{
    struct net_socket *socket = find(server, id);
    if (!socket || socket->is_closing)
        return 0;
    bool is_api = socket->conn->side == NET_API;
    size_t max = is_api ? server->api.max_queue_bytes : server->limits.max_queue_bytes;
    size_t left = max - socket->queued_bytes;
    if (text.len > left || cost_of(text.len) > left) {
        drop_queue(socket);
        close_by_limit(socket->conn, NET_CLOSE_POLICY, "does not read: %s (%zu bytes) is full",
                       is_api ? "the queue" : "http.queue_bytes", max);
        return 0;
    }
    struct queued *message = mem_alloc(cost_of(text.len));
    if (!message) {
        net_socket_close(socket->conn, NET_CLOSE_INTERNAL, STR("out of memory"));
        return -ENOMEM;
    }
    message->len = text.len;
    if (text.len > 0)
        memcpy(message->data + LWS_PRE, text.p, text.len);
    list_init(&message->link);
    list_append(&socket->queue, &message->link);
    socket->queued_bytes += cost_of(text.len);
    (void)lws_callback_on_writable(socket->conn->wsi);
    return 0;
}

static int write_ping(struct net_socket *socket, struct lws *wsi)
{
    /* Not empty: the library does not report the pong to an empty ping. */
    unsigned char buf[LWS_PRE + 4] = {0};
    memcpy(buf + LWS_PRE, "duet", 4);
    socket->ping_due = false;
    return lws_write(wsi, buf + LWS_PRE, 4, LWS_WRITE_PING) < 4 ? -1 : 0;
}

static int write_next(struct net_socket *socket, struct lws *wsi)
{
    struct queued *message = CONTAINER_OF(list_pop(&socket->queue), struct queued, link);
    socket->queued_bytes -= cost_of(message->len);
    /* What the kernel does not take is copied by the library, and it says "all of it". */
    int n = lws_write(wsi, message->data + LWS_PRE, message->len, LWS_WRITE_TEXT);
    int r = n < (int)message->len ? -1 : 0;
    mem_free(message);
    return r;
}

/*
 * By ourselves, not with lws_close_reason: on libuv the library closes twice in a row, and the
 * second time takes the connection away before the frame is out. It has no public way to write a
 * close frame, so here is one (RFC 6455 §5.2, §5.5.1).
 */
static int write_close(struct net_socket *socket, struct lws *wsi)
{
    unsigned char buf[LWS_PRE + 4 + NET_REASON_MAX];
    struct bytes_writer frame = bytes_writer(buf + LWS_PRE, sizeof(buf) - LWS_PRE);
    bytes_put8(&frame, 0x88); /* FIN, opcode 8 */
    bytes_put8(&frame, (uint8_t)(2 + socket->reason_len));
    bytes_put16(&frame, socket->code);
    bytes_put(&frame, socket->reason, socket->reason_len);
    socket->close_sent = true;
    return lws_write(wsi, frame.start, frame.len, LWS_WRITE_RAW) < (int)frame.len ? -1 : 0;
}

int net_socket_writable(struct net_conn *conn, struct lws *wsi)
{
    struct net_socket *socket = conn->socket;
    if (!socket || socket->peer_closed)
        return 0;
    int r = 0;
    if (socket->ping_due)
        r = write_ping(socket, wsi);
    else if (!list_is_empty(&socket->queue))
        r = write_next(socket, wsi);
    else if (socket->is_closing && !socket->close_sent)
        r = write_close(socket, wsi);
    bool more = !list_is_empty(&socket->queue) || (socket->is_closing && !socket->close_sent);
    if (r == 0 && more)
        (void)lws_callback_on_writable(wsi);
    return r;
}

void net_server_close_socket(struct net_server *server, uint64_t id, unsigned code,
                             struct str reason)
{
    struct net_socket *socket = find(server, id);
    if (socket)
        net_socket_close(socket->conn, code, reason);
}
