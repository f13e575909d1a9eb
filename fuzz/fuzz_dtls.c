/* fuzz: duet_dtls */
/*
 * A script drives two live connections and the network between them: the input's bytes are
 * operations that deliver, lose, repeat, change, cut and invent datagrams, and let time pass.
 * So mutated records reach OpenSSL with valid randoms, in every state of a handshake.
 *
 * What must hold whatever happens: datagrams fit, OpenSSL's error queue is empty, a connected
 * end never fails, two connected ends have the same keys.
 */
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/err.h>

#include "base/bytes.h"
#include "dtls/conn.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define QUEUE   16
#define MAX_OPS 200

#define CHECK(condition)                                                                           \
    do {                                                                                           \
        if (!(condition))                                                                          \
            abort();                                                                               \
    } while (0)

struct packet {
    int to;
    size_t len;
    uint8_t data[DTLS_MTU];
};

struct end {
    struct dtls_conn conn;
    bool is_connected;
    uint8_t material[DTLS_SRTP_MATERIAL_MAX];
};

struct net {
    struct end end[2]; /* client, server */
    struct packet queue[QUEUE];
    size_t n;
    mono_us now;
};

static struct dtls_identity identity;
static struct dtls_context *context;

static void drain(struct net *net, int side)
{
    struct end *e = &net->end[side];
    struct dtls_event event;
    uint8_t buf[DTLS_MTU];
    struct dgram d = {.data = buf, .cap = sizeof(buf)};
    while (dtls_conn_poll_send(&e->conn, &d)) {
        CHECK(d.len > 0 && d.len <= DTLS_MTU);
        if (net->n == QUEUE)
            continue;
        struct packet *p = &net->queue[net->n++];
        p->to = !side;
        p->len = d.len;
        memcpy(p->data, buf, d.len);
    }
    while (dtls_conn_poll_event(&e->conn, &event)) {
        if (event.type == DTLS_EVENT_CONNECTED) {
            e->is_connected = true;
            memcpy(e->material, event.keys->material, sizeof(e->material));
        }
        CHECK(event.type != DTLS_EVENT_FAILED || !e->is_connected);
    }
    CHECK(ERR_peek_error() == 0);
    CHECK(dtls_conn_deadline(&e->conn) >= 0);
}

static void input(struct net *net, int side, const uint8_t *data, size_t len)
{
    uint8_t *exact = malloc(len ? len : 1); /* one byte too far is seen */
    CHECK(exact);
    if (len)
        memcpy(exact, data, len);
    (void)dtls_conn_input(&net->end[side].conn, net->now, exact, len);
    free(exact);
    drain(net, side);
}

static void drop(struct net *net)
{
    if (net->n)
        memmove(net->queue, net->queue + 1, --net->n * sizeof(net->queue[0]));
}

static void deliver(struct net *net, bool is_kept)
{
    if (net->n == 0)
        return;
    struct packet p = net->queue[0];
    if (!is_kept)
        drop(net);
    input(net, p.to, p.data, p.len);
}

static void deliver_changed(struct net *net, struct bytes_reader *script)
{
    size_t offset = bytes_get16(script);
    uint8_t mask = bytes_get8(script);
    if (net->n == 0)
        return;
    struct packet p = net->queue[0];
    p.data[offset % p.len] ^= mask;
    input(net, p.to, p.data, p.len);
}

static void deliver_cut(struct net *net, struct bytes_reader *script)
{
    size_t len = bytes_get16(script);
    if (net->n == 0)
        return;
    struct packet p = net->queue[0];
    input(net, p.to, p.data, len % (p.len + 1));
}

/* Bytes of the script as they are, or behind a record header that is right. */
static void inject(struct net *net, struct bytes_reader *script, bool has_header)
{
    uint8_t buf[13 + 255];
    int side = bytes_get8(script) & 1;
    uint8_t type = has_header ? bytes_get8(script) : 0;
    uint8_t epoch = has_header ? bytes_get8(script) : 0;
    size_t len = bytes_get8(script);
    const uint8_t *content = bytes_skip(script, len < script->left ? len : (len = script->left));
    if (!content)
        return;
    struct bytes_writer w = bytes_writer(buf, sizeof(buf));
    if (has_header) {
        bytes_put8(&w, type);
        bytes_put16(&w, 0xfefd);
        bytes_put64(&w, (uint64_t)epoch << 48 | 77);
        bytes_put16(&w, (uint16_t)len);
    }
    bytes_put(&w, content, len);
    input(net, side, buf, w.len);
}

static void pass_time(struct net *net, mono_us us)
{
    net->now += us;
    for (int side = 0; side < 2; side++) {
        dtls_conn_timeout(&net->end[side].conn, net->now);
        drain(net, side);
    }
}

static void swap_first_two(struct net *net)
{
    if (net->n < 2)
        return;
    struct packet p = net->queue[0];
    net->queue[0] = net->queue[1];
    net->queue[1] = p;
}

static void run_op(struct net *net, struct bytes_reader *script)
{
    uint8_t op = bytes_get8(script);
    switch (op % 12) {
    case 0:
    case 1:
        deliver(net, false);
        break;
    case 2:
        deliver(net, true);
        break;
    case 3:
        drop(net);
        break;
    case 4:
        deliver_changed(net, script);
        break;
    case 5:
        deliver_cut(net, script);
        break;
    case 6:
        inject(net, script, false);
        break;
    case 7:
        inject(net, script, true);
        break;
    case 8:
        pass_time(net, bytes_get8(script) * 20 * US_PER_MS);
        break;
    case 9:
        dtls_conn_close(&net->end[op / 12 & 1].conn, net->now);
        drain(net, op / 12 & 1);
        break;
    case 10:
        swap_first_two(net);
        break;
    case 11:
        for (int i = 0; i < 8; i++)
            deliver(net, false);
        break;
    }
}

static void run_script(struct bytes_reader *script)
{
    static struct net net;
    memset(&net, 0, sizeof(net));
    net.now = US_PER_S;
    for (int side = 0; side < 2; side++)
        CHECK(dtls_conn_init(&net.end[side].conn, context, side == 0, &identity.fingerprint, 1) ==
              0);
    dtls_conn_start(&net.end[0].conn, net.now);
    drain(&net, 0);
    for (int i = 0; i < MAX_OPS && script->left > 0; i++)
        run_op(&net, script);
    if (net.end[0].is_connected && net.end[1].is_connected)
        CHECK(memcmp(net.end[0].material, net.end[1].material, sizeof(net.end[0].material)) == 0);
    for (int side = 0; side < 2; side++)
        dtls_conn_deinit(&net.end[side].conn);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (!context) {
        CHECK(dtls_identity_init(&identity, 1700000000) == 0);
        CHECK(dtls_context_new(&identity, &context) == 0);
    }
    struct bytes_reader script = bytes_reader(data, size);
    run_script(&script);
    return 0;
}
