/* Opus DTX (RFC 7587 §3.1.3): in silence a sender lets frames out. The numbers go on without a gap
 * and the timestamps jump, and so they arrive; nobody counts loss, asks for anything, or moves a
 * clock. Both shapes: Chromium sends one packet each 400 ms, others nothing at all. */
#include <string.h>

#include "sim/bench/bench.h"

static const uint8_t voice[80] = {0x78};
static const uint8_t silent[3] = {0x78};

struct talk {
    struct bench *b;
    uint16_t seq;
    uint32_t timestamp;
};

static struct talk begin(void)
{
    struct talk t = {.b = bench_new(), .seq = 65000, .timestamp = 0xffff0000};
    struct bench_browser numbered = bench_chromium;
    numbered.transport_ext = 3;
    bench_set_up(t.b, (const struct bench_browser[]){numbered, bench_chromium});
    assert_true(bench_connect(t.b, 5 * US_PER_S));
    return t;
}

/* One packet, and then as long without one as it stands for. */
static void send_for(struct talk *t, unsigned frames, const uint8_t *payload, size_t len)
{
    const struct bench_packet packet = {.ssrc = t->b->browsers[0]->local_ssrc,
                                        .seq = t->seq++,
                                        .timestamp = t->timestamp,
                                        .payload = payload,
                                        .len = len};
    unsigned before = t->b->n_rtp[1];
    bench_send_packet(t->b, 0, &packet);
    bench_run(t->b, t->b->now + 20 * US_PER_MS);
    assert_int_equal(t->b->n_rtp[1], before + 1);
    bench_run(t->b, t->b->now + (frames - 1) * 20 * US_PER_MS);
    t->timestamp += frames * 960;
}

static void talk_for(struct talk *t, unsigned frames)
{
    for (; frames; frames--)
        send_for(t, 1, voice, sizeof(voice));
}

static void assert_clean(const struct talk *t, uint16_t first_seq, uint32_t first_timestamp,
                         uint16_t sent, uint32_t frames)
{
    const struct peer *leg = bench_leg(t->b, 0), *hearer = t->b->browsers[1];
    const struct rtp_packet *last = &t->b->last_rtp[1].packet;
    assert_int_equal(last->seq, (uint16_t)(first_seq + sent));
    assert_int_equal(last->timestamp, first_timestamp + frames * 960);
    assert_int_equal(rtp_recv_stats_lost(&leg->source), 0);
    assert_int_equal(leg->repair.nack.lost, 0);
    assert_int_equal(leg->repair.nack.requests, 0);
    assert_int_equal(rtp_recv_stats_lost(&hearer->source), 0);
    assert_int_equal(hearer->repair.nack.lost, 0);
    assert_true(rtp_recv_stats_jitter(&leg->source) <= 1);
}

static void a_packet_each_400_ms(void **state)
{
    (void)state;
    struct talk t = begin();
    talk_for(&t, 1);
    uint16_t seq = t.b->last_rtp[1].packet.seq;
    uint32_t timestamp = t.b->last_rtp[1].packet.timestamp;
    talk_for(&t, 50);
    for (unsigned n = 0; n < 200; n++) /* 80 s */
        send_for(&t, 20, silent, sizeof(silent));
    talk_for(&t, 50);
    assert_clean(&t, seq, timestamp, 300, 50 + 200 * 20 + 50);
    /* what came is told all the same: deltas that do not fit one feedback begin another */
    assert_true(t.b->rtcp[0][RTCP_RTPFB - RTCP_SR][RTCP_RTPFB_TRANSPORT_CC].n >= 200);
    assert_int_equal(t.b->rtcp[0][RTCP_RTPFB - RTCP_SR][RTCP_RTPFB_NACK].n, 0);
    bench_free(t.b);
}

static void nothing_for_a_minute(void **state)
{
    (void)state;
    struct talk t = begin();
    talk_for(&t, 1);
    uint16_t seq = t.b->last_rtp[1].packet.seq;
    uint32_t timestamp = t.b->last_rtp[1].packet.timestamp;
    send_for(&t, 60 * 50, silent, sizeof(silent));
    talk_for(&t, 10);
    assert_clean(&t, seq, timestamp, 11, 60 * 50 + 10);
    bench_free(t.b);
}

/* A real loss at the edge of a silence is still one. */
static bool lose_one(struct bench *b, struct bench_dgram *d)
{
    return !rtp_is_rtp(d->data, d->len) || !addr_equal(&d->to, &b->server) || ++b->n_filtered != 2;
}

static void a_loss_in_silence_is_asked_for(void **state)
{
    (void)state;
    struct talk t = begin();
    talk_for(&t, 20);
    t.b->filter = lose_one;
    send_for(&t, 20, silent, sizeof(silent));
    const struct bench_packet lost = {.ssrc = t.b->browsers[0]->local_ssrc,
                                      .seq = t.seq++,
                                      .timestamp = t.timestamp,
                                      .payload = voice,
                                      .len = sizeof(voice)};
    bench_send_packet(t.b, 0, &lost);
    bench_run(t.b, t.b->now + 20 * US_PER_MS);
    t.timestamp += 960;
    talk_for(&t, 20);
    assert_int_equal(bench_leg(t.b, 0)->repair.nack.lost, 1);
    assert_int_equal(t.b->rtcp[0][RTCP_RTPFB - RTCP_SR][RTCP_RTPFB_NACK].n >= 1, 1);
    bench_free(t.b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_packet_each_400_ms),
        cmocka_unit_test(nothing_for_a_minute),
        cmocka_unit_test(a_loss_in_silence_is_asked_for),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
