/*
 * What a worker does at once and what it lets wait, with a worker that has no thread: the test
 * makes its turns. Endpoints are of a kind that only counts.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/bytes.h"
#include "base/mem.h"
#include "engine/no_network.h"
#include "engine/worker_private.h"

enum { RUSH = 100, N_RTP = 10 };

struct counting {
    struct pipeline_endpoint base;
    struct relay_endpoint relay; /* nobody hears it */
    struct socket line;          /* the other end */
    struct addr path_remote;
    bool is_connected, connects; /* `connects`: its next DTLS datagram completes the handshake */
    int refusal;                 /* of its media; 0 = it is taken */
    unsigned n_input, n_rtp, n_early, n_drained;
};

struct bench {
    struct rng rng;
    struct dtls_identity identity;
    struct worker worker;
    struct pipeline pipeline;
    struct counting talking, arriving;
};

static struct counting *of(const struct pipeline_endpoint *e)
{
    return (struct counting *)(uintptr_t)e; /* its first member */
}

static void prefetch(struct pipeline_endpoint *e)
{
    (void)e;
}

static int receive(struct pipeline_endpoint *e, mono_us now, struct dgram *d, struct relay_fan *ret,
                   mono_us *ret_due)
{
    (void)now, (void)d, (void)ret;
    *ret_due = MONO_NEVER;
    if (!of(e)->is_connected) {
        of(e)->n_early++;
        return PEER_E_NO_KEYS;
    }
    if (of(e)->refusal)
        return of(e)->refusal;
    of(e)->n_rtp++;
    return RELAY_E_UNHEARD;
}

static bool is_connected(const struct pipeline_endpoint *e)
{
    return of(e)->is_connected;
}

/* Awaits one id: its tag and zeros. */
static bool awaits(const struct pipeline_endpoint *e, const uint8_t *id)
{
    static const uint8_t zeros[8];
    return get_be32(id) == e->demux.tag && memcmp(id + 4, zeros, sizeof(zeros)) == 0;
}

static int input(struct pipeline_endpoint *e, mono_us now, const struct dgram *d)
{
    (void)now, (void)d;
    of(e)->n_input++;
    of(e)->is_connected |= of(e)->connects;
    return 0;
}

static void ignore(struct pipeline_endpoint *e, mono_us now)
{
    (void)e, (void)now;
}

static bool poll_event(struct pipeline_endpoint *e, struct peer_event *ret)
{
    (void)ret;
    of(e)->n_drained++;
    return false;
}

static void figures(const struct pipeline_endpoint *e, mono_us now, struct engine_stats *ret)
{
    (void)e, (void)now, (void)ret;
}

static void keep(struct pipeline_endpoint *e)
{
    (void)e;
}

static const struct pipeline_ops ops = {
    .prefetch = prefetch,
    .receive = receive,
    .is_connected = is_connected,
    .awaits = awaits,
    .input = input,
    .timeout = ignore,
    .deadline = no_network_deadline,
    .poll_send = no_network_poll_send,
    .poll_event = poll_event,
    .set_tag = no_network_set_tag,
    .get_source = no_network_get_source,
    .get_path = no_network_get_path,
    .add_candidate = no_network_add_candidate,
    .disconnected = no_network_disconnected,
    .renegotiate = no_network_renegotiate,
    .close = ignore,
    .figures = figures,
    .free = keep,
};

static void wake(void *user)
{
    (void)user;
}

static void enter(struct bench *b, struct counting *c, const char *ufrag)
{
    const struct addr loopback = addr_v4(127, 0, 0, 1, 0);
    assert_int_equal(socket_open(&c->line, &loopback), 0);
    memcpy(c->base.demux.name, ufrag, DEMUX_NAME_LEN);
    assert_int_equal(pipeline_endpoint_init(&c->base, &ops, &b->pipeline, 0), 0);
    c->base.path_remote = &c->path_remote;
    c->base.relay = &c->relay;
    worker_add_endpoint(&b->worker, &c->base);
    demux_heard(&b->worker.demux, &c->base.demux, &c->line.bound, &c->path_remote);
}

static int begin(void **state)
{
    static struct bench bench;
    static struct mailbox reports;
    struct bench *b = &bench;
    memset(b, 0, sizeof(*b));
    mailbox_init(&reports);
    rng_init_system(&b->rng);
    assert_int_equal(dtls_identity_init(&b->identity, 1700000000), 0);
    const struct worker_config config = {.listen = addr_v4(127, 0, 0, 1, 0),
                                         .rng = &b->rng,
                                         .identity = &b->identity,
                                         .reports = &reports,
                                         .wake = wake};
    assert_int_equal(worker_open(&b->worker, &config), 0);
    list_init(&b->pipeline.endpoints);
    enter(b, &b->talking, "talking0");
    enter(b, &b->arriving, "arriving");
    b->talking.is_connected = true;
    *state = b;
    return 0;
}

static void leave(struct bench *b, struct counting *c)
{
    demux_remove(&b->worker.demux, &c->base.demux);
    setup_queue_forget(&b->worker.setup, &c->base.setup);
    list_remove(&c->base.endpoints);
    pipeline_endpoint_deinit(&c->base);
    socket_close(&c->line);
}

static int end(void **state)
{
    struct bench *b = *state;
    leave(b, &b->talking);
    leave(b, &b->arriving);
    worker_close(&b->worker);
    dtls_identity_deinit(&b->identity);
    return 0;
}

/* On loopback a datagram is in the worker's socket when the call returns. */
static void say(struct bench *b, struct counting *c, const void *bytes, size_t len)
{
    uint8_t copy[64];
    memcpy(copy, bytes, len);
    const struct dgram d = {.local = c->line.bound,
                            .remote = b->worker.socket.bound,
                            .data = copy,
                            .len = len,
                            .cap = sizeof(copy)};
    socket_tx_batch(&c->line, &d, 1);
}

static void say_hello(struct bench *b, struct counting *c)
{
    static const uint8_t hello[] = {22, 0xfe, 0xff, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1};
    say(b, c, hello, sizeof(hello));
}

static void say_word(struct bench *b, struct counting *c)
{
    static const uint8_t rtp[] = {0x80, 111, 0, 1, 0, 0, 0, 1, 0, 0, 0, 1, 0x78};
    say(b, c, rtp, sizeof(rtp));
}

/* A check of ours was answered: the tag of the endpoint begins the transaction id. */
static void say_answer(struct bench *b, struct counting *c)
{
    uint8_t stun[20] = {0x01, 0x01, 0, 0, 0x21, 0x12, 0xa4, 0x42};
    put_be32(stun + 8, c->base.demux.tag);
    say(b, c, stun, sizeof(stun));
}

/* The same from a stranger, who knows that tags are small numbers and guesses the rest. */
static void say_guess(struct bench *b, struct counting *c)
{
    uint8_t stun[20] = {0x01, 0x01, 0, 0, 0x21, 0x12, 0xa4, 0x42};
    put_be32(stun + 8, c->base.demux.tag);
    stun[19] = 1;
    say(b, c, stun, sizeof(stun));
}

static void take_all(struct bench *b)
{
    while (worker_turn(&b->worker, worker_now()) > 0)
        ;
}

/* One step at a time: a worker without time left makes one, so that media does not starve them. */
static void step(struct bench *b)
{
    worker_set_up(&b->worker, 0);
}

static void a_rush_of_handshakes_leaves_media_alone(void **state)
{
    struct bench *b = *state;
    for (int i = 0; i < RUSH; i++)
        say_hello(b, &b->arriving);
    for (int i = 0; i < N_RTP; i++)
        say_word(b, &b->talking);
    take_all(b);
    assert_int_equal(b->talking.n_rtp, N_RTP);
    assert_int_equal(b->arriving.n_input, 0); /* not one of them in a turn */
    for (unsigned i = 1; i <= SETUP_QUEUE_PER_LEG; i++) {
        say_word(b, &b->talking);
        take_all(b);
        assert_int_equal(b->talking.n_rtp, N_RTP + i);
        step(b);
        assert_int_equal(b->arriving.n_input, i);
    }
    assert_true(setup_queue_is_empty(&b->worker.setup)); /* the rest pushed each other out */
}

static void with_time_left_all_of_them_are_done(void **state)
{
    struct bench *b = *state;
    for (int i = 0; i < 3; i++)
        say_hello(b, &b->arriving);
    take_all(b);
    worker_set_up(&b->worker, MONO_NEVER);
    assert_int_equal(b->arriving.n_input, 3);
    assert_true(setup_queue_is_empty(&b->worker.setup));
}

/* Consent of a running call is not late because others begin. */
static void checks_of_a_running_call_do_not_wait(void **state)
{
    struct bench *b = *state;
    say_hello(b, &b->arriving);
    say_answer(b, &b->arriving);
    say_answer(b, &b->talking);
    take_all(b);
    assert_int_equal(b->talking.n_input, 1);
    assert_int_equal(b->arriving.n_input, 0);
    step(b);
    step(b);
    assert_int_equal(b->arriving.n_input, 2);
}

static void guessed_answers_push_nobody_out(void **state)
{
    struct bench *b = *state;
    say_hello(b, &b->arriving);
    for (int i = 0; i < RUSH; i++)
        say_guess(b, &b->arriving);
    take_all(b);
    assert_int_equal(b->arriving.base.setup.n, 1);
    step(b);
    assert_true(b->arriving.n_input == 1 && setup_queue_is_empty(&b->worker.setup));
}

/* A connected peer has DTLS to say, too, and so has who forges it: at no better price. */
static void dtls_of_a_running_call_waits(void **state)
{
    struct bench *b = *state;
    say_hello(b, &b->talking);
    take_all(b);
    assert_int_equal(b->talking.n_input, 0);
    step(b);
    assert_int_equal(b->talking.n_input, 1);
}

/* The first word may stand right behind the last flight; it is not dropped for having to wait. */
static void media_behind_a_last_flight_is_kept(void **state)
{
    struct bench *b = *state;
    b->arriving.connects = true;
    say_hello(b, &b->arriving);
    say_word(b, &b->arriving);
    take_all(b);
    step(b);
    assert_int_equal(b->arriving.n_input, 1);
    assert_int_equal(b->arriving.n_rtp, 0);
    step(b);
    assert_int_equal(b->arriving.n_rtp, 1);
}

static void media_without_a_handshake_is_dropped(void **state)
{
    struct bench *b = *state;
    say_word(b, &b->arriving);
    take_all(b);
    assert_true(setup_queue_is_empty(&b->worker.setup));
    /* Too much of it does not push out the handshake that it waits for, nor wait for itself. */
    say_hello(b, &b->arriving);
    for (int i = 0; i < RUSH; i++)
        say_word(b, &b->arriving);
    take_all(b);
    worker_set_up(&b->worker, MONO_NEVER);
    assert_int_equal(b->arriving.n_input, 1);
    assert_int_equal(b->arriving.n_rtp, 0);
    assert_true(setup_queue_is_empty(&b->worker.setup));
}

/* Who knows an SSRC makes an endpoint decrypt, and nothing more; who has the keys is followed. */
static void media_from_nowhere_is_followed_only_when_it_is_authentic(void **state)
{
    static const int refusals[] = {PEER_E_AUTH, PEER_E_REPLAY, PEER_E_NO_KEYS, PEER_E_MALFORMED};
    struct bench *b = *state;
    const uint8_t rtp[] = {0x80, 111, 0, 1, 0, 0, 0, 1, 0, 0, 0, 7, 0x78};
    struct counting stranger = {0};
    unsigned before = b->talking.n_drained;
    const struct addr loopback = addr_v4(127, 0, 0, 1, 0);
    assert_int_equal(socket_open(&stranger.line, &loopback), 0);
    demux_set_source(&b->worker.demux, &b->talking.base.demux, 7);
    for (size_t i = 0; i < ARRAY_LEN(refusals); i++) {
        b->talking.refusal = refusals[i];
        say(b, &stranger, rtp, sizeof(rtp));
        take_all(b);
        assert_int_equal(b->talking.n_drained, before);
    }
    b->talking.refusal = 0;
    say(b, &stranger, rtp, sizeof(rtp));
    take_all(b);
    assert_int_equal(b->talking.n_rtp, 1);
    assert_int_equal(b->talking.n_drained, before + 1);
    socket_close(&stranger.line);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_rush_of_handshakes_leaves_media_alone),
        TEST(with_time_left_all_of_them_are_done),
        TEST(checks_of_a_running_call_do_not_wait),
        TEST(dtls_of_a_running_call_waits),
        TEST(media_behind_a_last_flight_is_kept),
        TEST(media_without_a_handshake_is_dropped),
        TEST(guessed_answers_push_nobody_out),
        TEST(media_from_nowhere_is_followed_only_when_it_is_authentic),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
