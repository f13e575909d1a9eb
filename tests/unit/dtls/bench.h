/**
 * Two DTLS ends and a network between them, in virtual time.
 *
 * [0] is the client, [1] the server. A filter sees each datagram once, in the order of sending,
 * and says what becomes of it.
 */
#ifndef TEST_DTLS_BENCH_H
#define TEST_DTLS_BENCH_H

#include <stdlib.h>

#include <openssl/err.h>
#include <openssl/ssl.h>

#include "base/mem.h"
#include "base/rng.h"
#include "dtls/conn.h"
#include "dtls/context_private.h"

enum { CLIENT, SERVER };

#define BENCH_DELAY   (10 * US_PER_MS) /* one way */
#define BENCH_PACKETS 128
#define BENCH_LOG     256
#define BENCH_EPOCH   (1000 * US_PER_S) /* virtual time does not begin at 0 */

struct bench_packet {
    mono_us at;
    int to;
    size_t len;
    uint8_t data[DTLS_MTU];
};

struct bench;

/* @return copies to be delivered (0 = lost); *delay may be changed */
typedef int (*bench_filter)(struct bench *b, int from, unsigned index, mono_us *delay);

struct bench_end {
    struct dtls_identity id;
    struct dtls_context *ctx;
    struct dtls_conn conn;
    bool is_connected, is_failed, is_closed;
    mono_us connected_at, failed_at;
    enum dtls_failure failure;
    struct dtls_srtp_keys keys; /* copy; its pointers are not used */
    uint8_t local[30], remote[30];
    unsigned n_sent;
};

struct bench {
    struct bench_end end[2];
    mono_us now;
    struct bench_packet packets[BENCH_PACKETS]; /* in flight */
    size_t n;
    struct bench_packet log[BENCH_LOG]; /* all that was sent */
    size_t n_log;
    bench_filter filter;
    struct rng rng;
    unsigned victim[2]; /* for filters */
    unsigned percent;
};

static inline void bench_identity(struct bench *b)
{
    for (int i = 0; i < 2; i++)
        assert_int_equal(dtls_identity_init(&b->end[i].id, 1700000000), 0);
}

static inline void bench_contexts(struct bench *b)
{
    for (int i = 0; i < 2; i++)
        assert_int_equal(dtls_context_new(&b->end[i].id, &b->end[i].ctx), 0);
}

static inline void bench_conn(struct bench *b, int side, const struct dtls_fingerprint *expected)
{
    struct bench_end *e = &b->end[side];
    assert_int_equal(dtls_conn_init(&e->conn, e->ctx, side == CLIENT, expected, 1), 0);
}

static inline struct bench *bench_new(void)
{
    struct bench *b = calloc(1, sizeof(*b));
    assert_non_null(b);
    b->now = BENCH_EPOCH;
    rng_init_seeded(&b->rng, 1);
    bench_identity(b);
    bench_contexts(b);
    for (int i = 0; i < 2; i++)
        bench_conn(b, i, &b->end[!i].id.fingerprint);
    return b;
}

static inline void bench_free(struct bench *b)
{
    for (int i = 0; i < 2; i++) {
        dtls_conn_deinit(&b->end[i].conn);
        dtls_context_free(b->end[i].ctx);
        dtls_identity_deinit(&b->end[i].id);
    }
    free(b);
}

static inline void bench_post(struct bench *b, int to, mono_us at, const void *data, size_t len)
{
    assert_true(b->n < BENCH_PACKETS);
    struct bench_packet *p = &b->packets[b->n++];
    p->at = at;
    p->to = to;
    p->len = len;
    memcpy(p->data, data, len);
}

static inline void bench_drain_events(struct bench *b, int side)
{
    struct bench_end *e = &b->end[side];
    struct dtls_event event;
    while (dtls_conn_poll_event(&e->conn, &event)) {
        switch (event.type) {
        case DTLS_EVENT_CONNECTED:
            assert_false(e->is_connected);
            e->is_connected = true;
            e->connected_at = b->now;
            e->keys = *event.keys;
            memcpy(e->local, event.keys->local_key, 16);
            memcpy(e->local + 16, event.keys->local_salt, event.keys->salt_len);
            memcpy(e->remote, event.keys->remote_key, 16);
            memcpy(e->remote + 16, event.keys->remote_salt, event.keys->salt_len);
            break;
        case DTLS_EVENT_FAILED:
            assert_false(e->is_failed);
            e->is_failed = true;
            e->failed_at = b->now;
            e->failure = event.failure;
            break;
        case DTLS_EVENT_CLOSED:
            assert_false(e->is_closed);
            e->is_closed = true;
            break;
        }
    }
}

/* What the owner does after each call. */
static inline void bench_drain(struct bench *b, int side)
{
    struct bench_end *e = &b->end[side];
    uint8_t buf[DTLS_MTU];
    struct dgram d = {.data = buf, .cap = sizeof(buf)};
    while (dtls_conn_poll_send(&e->conn, &d)) {
        mono_us delay = BENCH_DELAY;
        assert_true(d.len > 0 && d.len <= DTLS_MTU);
        if (b->n_log < BENCH_LOG) {
            struct bench_packet *p = &b->log[b->n_log++];
            p->at = b->now;
            p->to = !side;
            p->len = d.len;
            memcpy(p->data, d.data, d.len);
        }
        int copies = b->filter ? b->filter(b, side, e->n_sent, &delay) : 1;
        e->n_sent++;
        for (int i = 0; i < copies; i++)
            bench_post(b, !side, b->now + delay, d.data, d.len);
    }
    bench_drain_events(b, side);
    assert_int_equal(ERR_peek_error(), 0); /* nothing left for the next connection to trip over */
}

static inline int bench_input(struct bench *b, int side, const void *data, size_t len)
{
    int r = dtls_conn_input(&b->end[side].conn, b->now, data, len);
    bench_drain(b, side);
    return r;
}

static inline void bench_start(struct bench *b)
{
    for (int i = 1; i >= 0; i--) {
        dtls_conn_start(&b->end[i].conn, b->now);
        bench_drain(b, i);
    }
}

/* The earliest packet; NULL = none in flight. */
static inline struct bench_packet *bench_next(struct bench *b)
{
    struct bench_packet *next = NULL;
    for (size_t i = 0; i < b->n; i++)
        if (!next || b->packets[i].at < next->at)
            next = &b->packets[i];
    return next;
}

/* One thing happens: a packet arrives or a deadline passes. @return false = nothing until end */
static inline bool bench_step(struct bench *b, mono_us end)
{
    struct bench_packet *p = bench_next(b);
    mono_us deadline =
        mono_min(dtls_conn_deadline(&b->end[0].conn), dtls_conn_deadline(&b->end[1].conn));
    mono_us at = p ? mono_min(p->at, deadline) : deadline;
    if (at > end)
        return false;
    if (at > b->now)
        b->now = at;
    if (p && p->at <= deadline) {
        struct bench_packet arrived = *p;
        memmove(p, p + 1, (size_t)(&b->packets[--b->n] - p) * sizeof(*p));
        (void)bench_input(b, arrived.to, arrived.data, arrived.len);
        return true;
    }
    for (int i = 0; i < 2; i++) {
        if (dtls_conn_deadline(&b->end[i].conn) <= b->now) {
            dtls_conn_timeout(&b->end[i].conn, b->now);
            bench_drain(b, i);
        }
    }
    return true;
}

static inline void bench_run(struct bench *b, mono_us duration)
{
    mono_us end = b->now + duration;
    while (bench_step(b, end))
        continue;
    b->now = end;
}

/* Both are connected and have the same keys. */
static inline void bench_assert_connected(struct bench *b, enum dtls_srtp_profile profile)
{
    const struct bench_end *c = &b->end[CLIENT];
    const struct bench_end *s = &b->end[SERVER];
    const size_t n = 16u + (profile == DTLS_SRTP_AEAD_AES_128_GCM ? 12 : 14);
    assert_true(c->is_connected && s->is_connected);
    assert_false(c->is_failed || s->is_failed || c->is_closed || s->is_closed);
    assert_int_equal(c->keys.profile, profile);
    assert_int_equal(s->keys.profile, profile);
    assert_memory_equal(c->local, s->remote, n);
    assert_memory_equal(s->local, c->remote, n);
    assert_memory_not_equal(c->local, s->local, n);
    assert_memory_equal(c->keys.material, s->keys.material, 2 * n);
    assert_int_equal(c->keys.material_len, 2 * n);
}

#endif
