/*
 * The connections of a worker in one epoll set, level-triggered: a connection is read once a turn,
 * so that a fast one does not starve the others, and what is left announces itself again.
 *
 *     epoll ─ listener   → tcp_accept.c: limits, one allocation
 *           ─ readable   → recv into its framing_in → readable list → whole frames by batch
 *           ─ writable   → its framing_out, which was full of what the kernel did not take
 *
 * Output is queued by tcp_send and written once a turn: several frames in one system call, no
 * timer of Nagle behind it.
 */
#include "engine/tcp.h"

#include <assert.h>
#include <errno.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/mem.h"
#include "engine/socket.h"
#include "engine/tcp_private.h"
#include "log/counters.h"
#include "stun/message.h"

#define EVENTS 64

/* Media leave this much of the queue to STUN and DTLS: several checks, or a flight. */
#define RESERVED_BYTES 2048

#define DGRAM_ROOM (DGRAM_MAX + SOCKET_TAIL_ROOM)

/* --- life of a connection --- */

static struct tcp_connection *find(const struct tcp *t, const struct addr *remote)
{
    if (remote->tcp == 0 || remote->tcp > TCP_MAX_CONNECTIONS || !t->connections)
        return NULL;
    struct tcp_connection *c = t->connections[remote->tcp - 1];
    return c && addr_equal(&c->remote, remote) ? c : NULL;
}

/* Free the number and the descriptor; the memory is still there. */
static void detach(struct tcp *t, struct tcp_connection *c)
{
    t->connections[c->remote.tcp - 1] = NULL;
    t->n_connections--;
    t->n_unproven -= !c->is_proven;
    list_remove(&c->age);
    list_remove(&c->readable);
    list_remove(&c->writable);
    (void)close(c->fd); /* leaves the epoll set by that */
    c->fd = -1;
}

void tcp_close_unproven(struct tcp *t, struct tcp_connection *c)
{
    counter_add(COUNTER_TCP_NOT_PROVEN);
    tcp_reset(c->fd);
    detach(t, c);
    mem_free(c);
}

/* It is over, and not by its owner's will. */
static void end(struct tcp *t, struct tcp_connection *c)
{
    if (!c->is_proven) {
        tcp_close_unproven(t, c);
        return;
    }
    detach(t, c);
    list_append(&t->closed, &c->age);
}

void tcp_proven(struct tcp *t, const struct addr *remote)
{
    struct tcp_connection *c = find(t, remote);
    if (!c || c->is_proven)
        return;
    c->is_proven = true;
    t->n_unproven--;
    list_remove(&c->age);
}

void tcp_heard(struct tcp *t, const struct addr *remote, mono_us now)
{
    struct tcp_connection *c = find(t, remote);
    if (c && c->is_proven) /* the age of the others says how long they may stay so */
        c->heard_at = now;
}

void tcp_release(struct tcp *t, const struct addr *remote)
{
    struct tcp_connection *c = find(t, remote);
    if (!c)
        return;
    size_t len;
    const uint8_t *p = framing_out_peek(&c->out, &len);
    if (len)
        (void)!send(c->fd, p, len, MSG_DONTWAIT | MSG_NOSIGNAL); /* a farewell: no matter if not */
    detach(t, c);
    mem_free(c);
}

bool tcp_poll_closed(struct tcp *t, struct addr *ret_local, struct addr *ret_remote)
{
    struct list *node = list_pop(&t->closed);
    if (!node)
        return false;
    struct tcp_connection *c = CONTAINER_OF(node, struct tcp_connection, age);
    *ret_local = c->local;
    *ret_remote = c->remote;
    mem_free(c);
    return true;
}

/* --- bytes --- */

/* @return false: the connection has ended */
static bool write_out(struct tcp *t, struct tcp_connection *c)
{
    size_t len;
    const uint8_t *p = framing_out_peek(&c->out, &len);
    ssize_t n = len ? send(c->fd, p, len, MSG_DONTWAIT | MSG_NOSIGNAL) : 0;
    if (n < 0 && errno != EAGAIN && errno != EINTR) {
        end(t, c);
        return false;
    }
    if (n > 0)
        framing_out_sent(&c->out, (size_t)n);
    bool wants_write = n < 0 || (size_t)n < len;
    if (wants_write != c->wants_write) {
        struct epoll_event event = {.events = EPOLLIN | (wants_write ? (uint32_t)EPOLLOUT : 0),
                                    .data.ptr = c};
        c->wants_write = wants_write;
        (void)epoll_ctl(t->epoll_fd, EPOLL_CTL_MOD, c->fd, &event);
    }
    return true;
}

static void read_in(struct tcp *t, struct tcp_connection *c)
{
    size_t room;
    uint8_t *p = framing_in_room(&c->in, &room);
    ssize_t n = recv(c->fd, p, room, MSG_DONTWAIT);
    if (n > 0) {
        framing_in_added(&c->in, (size_t)n);
        list_remove(&c->readable);
        list_append(&t->readable, &c->readable);
    } else if (n == 0 || (errno != EAGAIN && errno != EINTR)) {
        end(t, c);
    }
}

static void take_events(struct tcp *t, mono_us now)
{
    struct epoll_event events[EVENTS];
    int n = epoll_wait(t->epoll_fd, events, EVENTS, 0);
    for (int i = 0; i < n; i++) {
        struct tcp_connection *c = events[i].data.ptr;
        if (!c)
            continue;
        if (events[i].events & EPOLLOUT && !write_out(t, c))
            continue;
        if (events[i].events & ~(uint32_t)EPOLLOUT)
            read_in(t, c);
    }
    /* Last: to make room it may close a connection that has an event of its own above. */
    for (int i = 0; i < n; i++) {
        if (!events[i].data.ptr)
            tcp_accept_all(t, now);
    }
}

/* Whole frames of one connection. @return the new number of datagrams */
static size_t take_frames(struct tcp *t, struct tcp_connection *c, struct dgram *ret, size_t n,
                          size_t max)
{
    while (n < max) {
        uint8_t *data = t->bytes + n * DGRAM_ROOM;
        size_t len;
        int err = framing_in_next(&c->in, data, &len);
        if (err == FRAMING_E_MORE) {
            list_remove(&c->readable);
            return n;
        }
        bool is_stranger = !err && !c->is_proven && !stun_is_message(data, len);
        if (err || is_stranger) {
            counter_add(COUNTER_TCP_BAD_FRAME);
            end(t, c);
            return n;
        }
        ret[n++] = (struct dgram){
            .local = c->local, .remote = c->remote, .data = data, .len = len, .cap = DGRAM_ROOM};
    }
    return n;
}

static size_t take_all_frames(struct tcp *t, struct dgram *ret, size_t n, size_t max)
{
    LIST_FOREACH(node, &t->readable)
        n = take_frames(t, CONTAINER_OF(node, struct tcp_connection, readable), ret, n, max);
    return n;
}

size_t tcp_rx_batch(struct tcp *t, mono_us now, struct dgram *ret, size_t max)
{
    assert(max <= SOCKET_BATCH);
    if (t->epoll_fd < 0)
        return 0;
    size_t n = take_all_frames(t, ret, 0, max);
    if (n == max)
        return n;
    take_events(t, now);
    return take_all_frames(t, ret, n, max);
}

void tcp_send(struct tcp *t, const struct dgram *d)
{
    struct tcp_connection *c = find(t, &d->remote);
    if (!c) {
        counter_add(COUNTER_TCP_GONE);
        return;
    }
    bool is_media = (d->data[0] & 0xc0) == 0x80; /* RFC 7983 §7 */
    if (!framing_out_put(&c->out, d->data, d->len, is_media ? RESERVED_BYTES : 0)) {
        counter_add(COUNTER_TCP_QUEUE_FULL);
        return;
    }
    if (!c->wants_write && list_is_empty(&c->writable))
        list_append(&t->writable, &c->writable);
}

void tcp_flush(struct tcp *t)
{
    struct list *node;
    while ((node = list_pop(&t->writable)))
        (void)write_out(t, CONTAINER_OF(node, struct tcp_connection, writable));
}

/* --- time --- */

static void sweep(struct tcp *t, mono_us now)
{
    for (size_t i = 0; i < TCP_MAX_CONNECTIONS; i++) {
        struct tcp_connection *c = t->connections[i];
        if (c && c->is_proven && now - c->heard_at >= TCP_IDLE_LIMIT)
            end(t, c);
    }
    t->sweep_at = t->n_connections ? now + TCP_SWEEP_INTERVAL : MONO_NEVER;
}

static mono_us prove_limit(const struct tcp *t)
{
    if (list_is_empty(&t->unproven))
        return MONO_NEVER;
    return CONTAINER_OF(t->unproven.next, struct tcp_connection, age)->heard_at + TCP_PROVE_LIMIT;
}

void tcp_timeout(struct tcp *t, mono_us now)
{
    while (now >= prove_limit(t))
        tcp_close_unproven(t, CONTAINER_OF(t->unproven.next, struct tcp_connection, age));
    if (now >= t->sweep_at)
        sweep(t, now);
    if (now >= t->accept_at) {
        t->accept_at = MONO_NEVER;
        tcp_listen_for(t, true);
    }
}

mono_us tcp_deadline(const struct tcp *t)
{
    if (!list_is_empty(&t->readable) || !list_is_empty(&t->closed))
        return 0;
    return mono_min(prove_limit(t), mono_min(t->sweep_at, t->accept_at));
}

/* --- opening --- */

void tcp_init_off(struct tcp *t)
{
    *t = (struct tcp){
        .listen_fd = -1, .epoll_fd = -1, .sweep_at = MONO_NEVER, .accept_at = MONO_NEVER};
    list_init(&t->unproven);
    list_init(&t->readable);
    list_init(&t->writable);
    list_init(&t->closed);
}

static int open_all(struct tcp *t, const struct addr *at, bool is_v6)
{
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = NULL};
    int err = tcp_listener_open(t, at, is_v6);
    if (err)
        return err;
    t->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    if (t->epoll_fd < 0 || epoll_ctl(t->epoll_fd, EPOLL_CTL_ADD, t->listen_fd, &event))
        return -errno;
    t->connections = mem_zalloc(TCP_MAX_CONNECTIONS * sizeof(struct tcp_connection *));
    t->bytes = mem_alloc((size_t)SOCKET_BATCH * DGRAM_ROOM);
    return t->connections && t->bytes ? 0 : -ENOMEM;
}

int tcp_open(struct tcp *t, const struct addr *at, bool is_v6)
{
    tcp_init_off(t);
    int err = open_all(t, at, is_v6);
    if (err)
        tcp_close(t);
    return err;
}

void tcp_close(struct tcp *t)
{
    struct addr local, remote;
    for (size_t i = 0; t->connections && i < TCP_MAX_CONNECTIONS; i++) {
        if (t->connections[i])
            tcp_release(t, &t->connections[i]->remote);
    }
    while (tcp_poll_closed(t, &local, &remote))
        ;
    if (t->listen_fd >= 0)
        (void)close(t->listen_fd);
    if (t->epoll_fd >= 0)
        (void)close(t->epoll_fd);
    mem_free(t->connections);
    mem_free(t->bytes);
    tcp_init_off(t);
}
