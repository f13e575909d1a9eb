/* Pipelines of many endpoints in a real engine: browsers come one by one, are connected and
 * disconnected while they talk, and go. */
#include "base/bytes.h"
#include "base/mem.h"
#include "base/packet_ring.h"
#include "bench.h"

static const char *const kinds[] = {"chromium_audio.sdp", "firefox_audio.sdp", "werift_audio.sdp",
                                    "chromium_audio.sdp"};

#define ID bench_id(0)

/* Browser i becomes endpoint i. */
static void come(struct bench *b, unsigned i)
{
    struct browser *br = browser_open(b, i, kinds[i]);
    char error[ENGINE_ERROR_MAX];
    struct engine_answer *answer = &b->answers->legs[0];
    assert_int_equal(engine_endpoint_answer(b->engine, bench_now(), ID, i, str_of(br->offer),
                                            ENGINE_SENDRECV, answer, error),
                     0);
    browser_answered(b, br, answer);
    browser_trickle(b, ID, i, br);
}

static bool are_connected(struct bench *b, unsigned n)
{
    for (unsigned i = 0; i < n; i++) {
        if (!b->calls[0].connected[i] || !b->browsers[i].connected)
            return false;
    }
    return true;
}

static struct bench *pipeline_of(unsigned n)
{
    struct bench *b = bench_new();
    assert_int_equal(engine_pipeline_new(b->engine, ENGINE_PIPELINES, ID), 0);
    for (unsigned i = 0; i < n; i++)
        come(b, i);
    bench_wait(b, are_connected, n);
    return b;
}

static void hear(struct bench *b, unsigned source, unsigned sink)
{
    assert_int_equal(engine_connect(b->engine, ID, source, sink), 0);
}

/* What the condition below waits for: browser [0] has heard [1] packets. */
static unsigned wanted[2];

static bool has_heard(struct bench *b, unsigned call)
{
    (void)call;
    return b->browsers[wanted[0]].n_rtp >= wanted[1];
}

static void wait_heard(struct bench *b, unsigned i, unsigned n)
{
    wanted[0] = i;
    wanted[1] = n;
    bench_wait(b, has_heard, 0);
    const struct browser *br = &b->browsers[i];
    assert_int_equal(br->n_rtp, n);
    assert_int_equal(br->rtp.payload_len, sizeof(bench_payload));
    assert_memory_equal(br->rtp_data + br->rtp.header_len, bench_payload, sizeof(bench_payload));
}

static void say(struct bench *b, unsigned i, uint16_t seq)
{
    browser_send(&b->browsers[i], seq, bench_payload, sizeof(bench_payload));
}

/* Commands and packets reach a worker by two ways. When the last word of a pipeline is here, every
 * command that its worker was sent before is through. */
static void settle(struct bench *b)
{
    struct bench_call *other = &b->calls[1];
    *other = (struct bench_call){0};
    for (unsigned w = 0; w < 2; w++) { /* one of them is on the same worker */
        assert_int_equal(engine_pipeline_new(b->engine, ENGINE_PIPELINES, bench_id(1)), 0);
        engine_pipeline_release(b->engine, bench_id(1));
        bench_wait(b, is_gone, 1);
        other->gone = false;
    }
}

static void one_is_heard_by_three(void **state)
{
    (void)state;
    struct bench *b = pipeline_of(4);
    for (unsigned i = 1; i < 4; i++)
        hear(b, 0, i);
    settle(b);
    for (uint16_t n = 0; n < 100; n++) {
        say(b, 0, n);
        for (unsigned i = 1; i < 4; i++)
            wait_heard(b, i, n + 1u);
    }
    assert_int_equal(b->browsers[0].n_rtp, 0);
    engine_pipeline_release(b->engine, ID);
    bench_wait(b, is_gone, 0);
    for (unsigned i = 0; i < 4; i++)
        assert_true(b->calls[0].endpoint_gone[i]);
    assert_int_equal(b->calls[0].stats[0].packets_received, 100);
    assert_int_equal(b->calls[0].stats[0].packets_dropped, 0);
    assert_int_equal(b->calls[0].stats[3].media.down.packets, 100);
    bench_free(b);
}

/* A batch of 64 for three sinks is three batches to be sent. */
static void a_burst_for_many_is_sent_in_batches(void **state)
{
    (void)state;
    struct bench *b = pipeline_of(4);
    for (unsigned i = 0; i < 4; i++)
        hear(b, 0, i);
    settle(b);
    for (uint16_t n = 0; n < 200; n++)
        say(b, 0, n);
    for (unsigned i = 0; i < 4; i++)
        wait_heard(b, i, 200);
    bench_free(b);
}

static void a_change_of_source_is_no_break(void **state)
{
    (void)state;
    struct bench *b = pipeline_of(3);
    const struct rtp_packet *heard = &b->browsers[2].rtp;
    hear(b, 0, 2);
    settle(b);
    say(b, 0, 100);
    wait_heard(b, 2, 1);
    const uint16_t first = heard->seq;
    hear(b, 1, 2);
    settle(b);
    say(b, 0, 101);
    say(b, 1, 7000);
    wait_heard(b, 2, 2);
    assert_int_equal(heard->seq, (uint16_t)(first + 1));
    hear(b, 0, 2);
    settle(b);
    say(b, 0, 102);
    wait_heard(b, 2, 3);
    assert_int_equal(heard->seq, (uint16_t)(first + 2));
    bench_free(b);
}

static void a_disconnected_sink_hears_nothing(void **state)
{
    (void)state;
    struct bench *b = pipeline_of(3);
    hear(b, 0, 1);
    hear(b, 0, 2);
    settle(b);
    say(b, 0, 0);
    wait_heard(b, 1, 1);
    wait_heard(b, 2, 1);
    /* not from whom it does not hear */
    assert_int_equal(engine_disconnect(b->engine, ID, 2, 1), 0);
    settle(b);
    say(b, 0, 1);
    wait_heard(b, 1, 2);
    assert_int_equal(engine_disconnect(b->engine, ID, 0, 1), 0);
    settle(b);
    say(b, 0, 2);
    wait_heard(b, 2, 3);
    assert_int_equal(b->browsers[1].n_rtp, 2);
    bench_free(b);
}

static bool source_is_gone(struct bench *b, unsigned call)
{
    return b->calls[call].endpoint_gone[0];
}

static bool tap_is_gone(struct bench *b, unsigned call)
{
    return b->calls[call].endpoint_gone[7];
}

static bool sink_is_gone(struct bench *b, unsigned call)
{
    return b->calls[call].endpoint_gone[2];
}

static void endpoints_go_one_by_one(void **state)
{
    (void)state;
    struct bench *b = pipeline_of(4);
    for (unsigned i = 1; i < 4; i++)
        hear(b, 0, i);
    hear(b, 1, 0);
    settle(b);
    say(b, 0, 0);
    wait_heard(b, 3, 1);
    engine_endpoint_release(b->engine, ID, 2);
    engine_endpoint_release(b->engine, ID, 2);
    bench_wait(b, sink_is_gone, 0);
    assert_int_equal(b->calls[0].stats[2].media.down.packets, 1);
    say(b, 0, 1);
    wait_heard(b, 1, 2);
    wait_heard(b, 3, 2);
    assert_int_equal(engine_connect(b->engine, ID, 0, 2), ENGINE_E_UNKNOWN);
    engine_endpoint_release(b->engine, ID, 0);
    bench_wait(b, source_is_gone, 0);
    hear(b, 1, 3);
    settle(b);
    say(b, 1, 50);
    wait_heard(b, 3, 3);
    assert_false(b->calls[0].gone);
    engine_pipeline_release(b->engine, ID);
    bench_wait(b, is_gone, 0);
    bench_free(b);
}

/* A name may be used again when its owner is gone. */
static void a_number_is_free_again(void **state)
{
    (void)state;
    struct bench *b = pipeline_of(2);
    hear(b, 1, 0);
    engine_endpoint_release(b->engine, ID, 0);
    bench_wait(b, source_is_gone, 0);
    browser_close(&b->browsers[0]);
    b->calls[0].connected[0] = false;
    come(b, 0);
    bench_wait(b, are_connected, 2);
    hear(b, 0, 1);
    settle(b);
    say(b, 0, 9);
    wait_heard(b, 1, 1);
    bench_free(b);
}

/* --- a tap --- */

#define TAP 7

static struct packet_ring *ring;

static bool ring_has(struct bench *b, unsigned call)
{
    mono_us at;
    size_t len;
    (void)b, (void)call;
    return packet_ring_peek(ring, &at, &len) != NULL;
}

/* @return number of the next packet, whose content is what browsers say */
static uint16_t take_from_ring(struct bench *b)
{
    mono_us at, now = bench_now();
    size_t len;
    struct rtp_packet p;
    bench_wait(b, ring_has, 0);
    const uint8_t *data = packet_ring_peek(ring, &at, &len);
    assert_int_equal(rtp_parse(data, len, &p), 0);
    assert_true(at <= bench_now() && at > now - 10 * US_PER_S);
    assert_int_equal(p.payload_len, sizeof(bench_payload));
    assert_memory_equal(data + p.header_len, bench_payload, sizeof(bench_payload));
    packet_ring_pop(ring);
    return p.seq;
}

static struct bench *tapped_pipeline(size_t capacity)
{
    struct bench *b = pipeline_of(2);
    ring = packet_ring_new(capacity);
    assert_int_equal(engine_endpoint_tap(b->engine, ID, TAP, ring), 0);
    hear(b, 0, TAP);
    settle(b);
    return b;
}

/* Beside another sink, and on with another source; its numbers have no break. */
static void a_tap_hears_what_is_said(void **state)
{
    (void)state;
    struct bench *b = tapped_pipeline(PACKET_RING_MIN);
    say(b, 0, 500);
    const uint16_t first = take_from_ring(b);
    hear(b, 0, 1);
    settle(b);
    say(b, 0, 501);
    assert_int_equal(take_from_ring(b), (uint16_t)(first + 1));
    wait_heard(b, 1, 1);
    hear(b, 1, TAP);
    settle(b);
    say(b, 1, 9000);
    assert_int_equal(take_from_ring(b), (uint16_t)(first + 2));
    engine_endpoint_release(b->engine, ID, TAP);
    bench_wait(b, tap_is_gone, 0);
    say(b, 1, 9001); /* nobody is there any more, and nothing breaks */
    bench_free(b);
    packet_ring_unref(ring);
}

/* Who reads too slowly loses; the other sink does not notice. */
static void a_full_tap_holds_up_nobody(void **state)
{
    (void)state;
    struct bench *b = tapped_pipeline(PACKET_RING_MIN);
    hear(b, 0, 1);
    settle(b);
    for (uint16_t n = 0; n < 200; n++) {
        say(b, 0, n);
        wait_heard(b, 1, n + 1u);
    }
    uint64_t lost = packet_ring_n_dropped(ring);
    assert_in_range(lost, 100, 199);
    engine_pipeline_release(b->engine, ID);
    bench_wait(b, is_gone, 0);
    assert_int_equal(b->calls[0].stats[TAP].packets_dropped, lost);
    for (unsigned n = 0; n < 200 - lost; n++)
        (void)take_from_ring(b); /* what it holds outlives the pipeline */
    bench_free(b);
    packet_ring_unref(ring);
}

/* It has no words with anybody. */
static void a_tap_negotiates_nothing(void **state)
{
    (void)state;
    struct bench *b = tapped_pipeline(PACKET_RING_MIN);
    char error[ENGINE_ERROR_MAX];
    const struct str offer = str_of(b->browsers[0].offer);
    assert_int_equal(engine_endpoint_answer_again(b->engine, bench_now(), ID, TAP, offer,
                                                  &b->answers->legs[0], error),
                     ENGINE_E_UNKNOWN);
    assert_int_equal(engine_add_candidate(b->engine, ID, TAP, STR(""), STR("")), 0);
    assert_int_equal(engine_connect(b->engine, ID, TAP, 1), 0); /* hears silence */
    assert_int_equal(engine_endpoint_tap(b->engine, bench_id(7), 1, ring), ENGINE_E_UNKNOWN);
    for (unsigned n = 1; n <= 3; n++) {
        mem_fail_at(n);
        assert_int_equal(engine_endpoint_tap(b->engine, ID, 6, ring), -ENOMEM);
    }
    mem_fail_at(0);
    settle(b);
    bench_free(b);
    packet_ring_unref(ring);
}

static void what_is_unknown_is_said(void **state)
{
    (void)state;
    struct bench *b = pipeline_of(1);
    char error[ENGINE_ERROR_MAX];
    assert_int_equal(engine_connect(b->engine, ID, 0, 1), ENGINE_E_UNKNOWN);
    assert_int_equal(engine_connect(b->engine, ID, 1, 0), ENGINE_E_UNKNOWN);
    assert_int_equal(engine_disconnect(b->engine, bench_id(7), 0, 0), ENGINE_E_UNKNOWN);
    assert_int_equal(engine_add_candidate(b->engine, ID, 3, STR(""), STR("")), ENGINE_E_UNKNOWN);
    assert_int_equal(engine_add_candidate(b->engine, ID, 0, STR("nonsense"), STR("")),
                     ENGINE_E_CANDIDATE);
    assert_int_equal(engine_endpoint_answer(b->engine, bench_now(), bench_id(7), 0, STR("v=0"),
                                            ENGINE_SENDRECV, &b->answers->legs[0], error),
                     ENGINE_E_UNKNOWN);
    assert_int_equal(engine_endpoint_answer(b->engine, bench_now(), ID, 1, STR("v=0"),
                                            ENGINE_SENDRECV, &b->answers->legs[0], error),
                     ENGINE_E_OFFER);
    assert_int_not_equal(error[0], 0);
    engine_endpoint_release(b->engine, ID, 9);
    engine_pipeline_release(b->engine, bench_id(7));
    engine_pipeline_release(b->engine, ID);
    assert_int_equal(engine_connect(b->engine, ID, 0, 0), ENGINE_E_UNKNOWN);
    bench_wait(b, is_gone, 0);
    bench_free(b);
}

static void without_memory_everything_stays_as_it_was(void **state)
{
    (void)state;
    struct bench *b = pipeline_of(3);
    hear(b, 0, 2);
    settle(b);
    mem_fail_at(1);
    assert_int_equal(engine_connect(b->engine, ID, 1, 2), -ENOMEM);
    mem_fail_at(1);
    assert_int_equal(engine_disconnect(b->engine, ID, 0, 2), -ENOMEM);
    mem_fail_at(1);
    assert_int_equal(engine_pipeline_new(b->engine, ENGINE_PIPELINES, bench_id(1)), -ENOMEM);
    mem_fail_at(0);
    settle(b);
    say(b, 1, 1);
    say(b, 0, 1);
    wait_heard(b, 2, 1);
    bench_free(b);
}

static void an_endpoint_that_gets_no_memory_is_refused_alone(void **state)
{
    (void)state;
    struct bench *b = pipeline_of(1);
    struct browser *br = browser_open(b, 1, kinds[1]);
    char error[ENGINE_ERROR_MAX];
    struct engine_answer *answer = &b->answers->legs[0];
    for (unsigned n = 1;; n++) {
        mem_fail_at(n);
        int err = engine_endpoint_answer(b->engine, bench_now(), ID, 1, str_of(br->offer),
                                         ENGINE_SENDRECV, answer, error);
        bool has_failed = mem_count() >= n;
        mem_fail_at(0);
        if (!has_failed) {
            assert_int_equal(err, 0);
            assert_true(n > 5);
            break;
        }
        assert_int_equal(err, -ENOMEM);
    }
    browser_answered(b, br, answer);
    browser_trickle(b, ID, 1, br);
    bench_wait(b, are_connected, 2);
    bench_free(b);
}

/* The end of an endpoint needs no memory, nor does the word of it. */
static void a_release_needs_no_memory(void **state)
{
    (void)state;
    struct bench *b = pipeline_of(2);
    mem_fail_at(1);
    engine_endpoint_release(b->engine, ID, 0);
    engine_pipeline_release(b->engine, ID);
    mem_fail_at(0);
    bench_wait(b, is_gone, 0);
    assert_true(b->calls[0].endpoint_gone[0] && b->calls[0].endpoint_gone[1]);
    bench_free(b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_is_heard_by_three),
        cmocka_unit_test(a_burst_for_many_is_sent_in_batches),
        cmocka_unit_test(a_change_of_source_is_no_break),
        cmocka_unit_test(a_disconnected_sink_hears_nothing),
        cmocka_unit_test(endpoints_go_one_by_one),
        cmocka_unit_test(a_number_is_free_again),
        cmocka_unit_test(a_tap_hears_what_is_said),
        cmocka_unit_test(a_full_tap_holds_up_nobody),
        cmocka_unit_test(a_tap_negotiates_nothing),
        cmocka_unit_test(what_is_unknown_is_said),
        cmocka_unit_test(without_memory_everything_stays_as_it_was),
        cmocka_unit_test(an_endpoint_that_gets_no_memory_is_refused_alone),
        cmocka_unit_test(a_release_needs_no_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
