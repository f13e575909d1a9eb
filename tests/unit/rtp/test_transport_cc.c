/* Transport-wide feedback: packets by hand, and a parser of its own (after the draft, not after the
 * writer) that must find again what was put in. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/rng.h"
#include "rtp/rtcp.h"
#include "rtp/transport_cc.h"

#define OURS  0x11111111
#define MEDIA 0x22222222
#define TICK  250 /* µs */

static struct rtp_transport_cc t;
static uint8_t buf[RTP_TRANSPORT_CC_MAX_LEN];
static size_t len;

static bool write_at(mono_us now)
{
    struct bytes_writer w = bytes_writer(buf, sizeof(buf));
    bool done = rtp_transport_cc_write(&t, now, OURS, MEDIA, &w);
    assert_false(w.failed);
    len = w.len;
    return done;
}

/* What a sender reads out of a feedback. */
struct heard {
    unsigned base, n, count;
    bool came[64];
    int64_t at[64]; /* [250 µs], by the reference time */
};

static unsigned symbols_of(const uint8_t *p, unsigned *ret_n, uint8_t ret[8191])
{
    unsigned chunk = get_be16(p), n = 0;
    if (!(chunk & 0x8000)) {
        for (; n < (chunk & 0x1fff); n++)
            ret[n] = (uint8_t)(chunk >> 13 & 3);
    } else if (!(chunk & 0x4000)) {
        for (; n < 14; n++)
            ret[n] = chunk >> (13 - n) & 1;
    } else {
        for (; n < 7; n++)
            ret[n] = chunk >> (12 - 2 * n) & 3;
    }
    *ret_n = n;
    return chunk;
}

static struct heard read_feedback(void)
{
    struct heard h = {0};
    static uint8_t symbols[20000];
    unsigned n_symbols = 0;

    assert_int_equal(rtcp_check(buf, len), 0);
    assert_int_equal(buf[0], 0x8f);
    assert_int_equal(buf[1], 205);
    assert_int_equal(get_be32(buf + 4), OURS);
    assert_int_equal(get_be32(buf + 8), MEDIA);
    h.base = get_be16(buf + 12);
    h.n = get_be16(buf + 14);
    int64_t reference = (int32_t)(get_be32(buf + 16) & 0xffffff00) >> 8;
    h.count = buf[19];
    assert_in_range(h.n, 1, 64);
    size_t at = 20;
    while (n_symbols < h.n) {
        unsigned n;
        assert_true(at + 2 <= len);
        symbols_of(buf + at, &n, symbols + n_symbols);
        assert_true(n > 0);
        n_symbols += n;
        at += 2;
    }
    for (unsigned i = h.n; i < n_symbols; i++)
        assert_int_equal(symbols[i], 0);
    int64_t ticks = reference * 256;
    for (unsigned i = 0; i < h.n; i++) {
        assert_int_not_equal(symbols[i], 3);
        if (symbols[i] == 1)
            ticks += buf[at++];
        if (symbols[i] == 2) {
            ticks += (int16_t)get_be16(buf + at);
            at += 2;
        }
        h.came[i] = symbols[i] != 0;
        h.at[i] = ticks;
    }
    assert_true(at <= len && len - at < 4);
    for (; at < len; at++)
        assert_int_equal(buf[at], 0);
    return h;
}

static void nothing_came_nothing_is_due(void **state)
{
    (void)state;
    rtp_transport_cc_init(&t);
    assert_true(rtp_transport_cc_deadline(&t) == MONO_NEVER);
    assert_false(write_at(US_PER_S));
    assert_int_equal(len, 0);
}

static void five_packets_in_a_row(void **state)
{
    /* 20 ms apart: 80 ticks. Reference 1 s / 64 ms = 15, and 40 ms (160 ticks) on top. */
    static const uint8_t expected[] = {
        0x8f, 205,  0,    6,    0x11, 0x11, 0x11, 0x11, 0x22, 0x22, /* header, SSRCs */
        0x22, 0x22, 0xff, 0xfe, 0,    5,    0,    0,    15,   0,    /* base, count, reference, fb */
        0x20, 5,                                                    /* run of five small deltas */
        160,  80,   80,   80,   80,   0,                            /* deltas, padding */
    };
    (void)state;
    rtp_transport_cc_init(&t);
    for (unsigned i = 0; i < 5; i++)
        rtp_transport_cc_packet(&t, (uint16_t)(65534 + i), US_PER_S + i * 20 * US_PER_MS);
    assert_true(rtp_transport_cc_deadline(&t) == US_PER_S + RTP_TRANSPORT_CC_INTERVAL);
    assert_false(write_at(US_PER_S + RTP_TRANSPORT_CC_INTERVAL - 1));
    assert_true(write_at(US_PER_S + RTP_TRANSPORT_CC_INTERVAL));
    assert_int_equal(len, sizeof(expected));
    assert_memory_equal(buf, expected, sizeof(expected));
    assert_true(rtp_transport_cc_deadline(&t) == MONO_NEVER);
    assert_false(write_at(2 * US_PER_S));
}

static void loss_and_long_deltas(void **state)
{
    /* 1 came, 2 3 lost, 4 100 ms later (400 ticks: long), 5 before it (-4 ticks: long), 6 lost, 7
     */
    static const uint8_t expected[] = {
        0x8f, 205,  0,    7,    0x11, 0x11, 0x11, 0x11, 0x22, 0x22, /* */
        0x22, 0x22, 0,    1,    0,    7,    0,    0,    1,    0,    /* */
        0xd0, 0xa1,                                                 /* 11 01 00 00 10 10 00 01 */
        0,    0x01, 0x90, 0xff, 0xfc, 4,                            /* 0 400 -4 4 */
        0,    0,    0,    0,
    };
    (void)state;
    rtp_transport_cc_init(&t);
    const mono_us start = 64 * US_PER_MS;
    rtp_transport_cc_packet(&t, 1, start);
    rtp_transport_cc_packet(&t, 5, start + 99 * US_PER_MS);
    rtp_transport_cc_packet(&t, 4, start + 100 * US_PER_MS);
    rtp_transport_cc_packet(&t, 7, start + 100 * US_PER_MS);
    assert_true(write_at(start + RTP_TRANSPORT_CC_INTERVAL));
    assert_int_equal(len, 28);
    assert_memory_equal(buf + 4, expected + 4, 24);
    assert_int_equal(get_be16(buf + 2), 6);
}

static void long_runs_take_one_chunk(void **state)
{
    (void)state;
    rtp_transport_cc_init(&t);
    for (uint16_t i = 0; i < 30; i++)
        rtp_transport_cc_packet(&t, i, 0);
    rtp_transport_cc_packet(&t, 31, 0);
    assert_true(write_at(RTP_TRANSPORT_CC_INTERVAL));
    assert_int_equal(len, 20 + 2 * 2 + 31 + 1);
    assert_int_equal(get_be16(buf + 20), 0x2000 | 30);
    assert_int_equal(get_be16(buf + 22), 0x8000 | 1 << 12);
    assert_int_equal(read_feedback().n, 32);
}

static void what_is_lost_between_two_feedbacks_is_told(void **state)
{
    (void)state;
    rtp_transport_cc_init(&t);
    rtp_transport_cc_packet(&t, 10, 0);
    assert_true(write_at(RTP_TRANSPORT_CC_INTERVAL));
    rtp_transport_cc_packet(&t, 13, 200 * US_PER_MS);
    assert_true(write_at(US_PER_S));
    struct heard h = read_feedback();
    assert_int_equal(h.base, 11);
    assert_int_equal(h.n, 3);
    assert_int_equal(h.count, 1);
    assert_false(h.came[0]);
    assert_false(h.came[1]);
    assert_true(h.came[2]);
    assert_int_equal(h.at[2], 800);
}

/* One in four, then three in four; the first number of a feedback has nothing before it. */
static void scattered_loss_is_forgiven_and_a_full_line_is_not(void **state)
{
    (void)state;
    rtp_transport_cc_init(&t);
    rtp_transport_cc_forgive(&t, true);
    for (uint16_t i = 0; i <= 12; i++) {
        if (i % 4 != 1)
            rtp_transport_cc_packet(&t, i, i * 20 * US_PER_MS);
    }
    assert_true(write_at(US_PER_S));
    struct heard h = read_feedback();
    assert_int_equal(h.n, 13);
    for (unsigned i = 0; i < h.n; i++) {
        assert_true(h.came[i]);
        assert_int_equal(h.at[i], (i % 4 == 1 ? i - 1 : i) * 80);
    }
    for (uint16_t i = 13; i <= 24; i++) {
        if (i % 4 == 0)
            rtp_transport_cc_packet(&t, i, i * 20 * US_PER_MS);
    }
    assert_true(write_at(2 * US_PER_S));
    h = read_feedback();
    assert_int_equal(h.n, 12);
    for (unsigned i = 0; i < h.n; i++)
        assert_int_equal(h.came[i], (h.base + i) % 4 == 0);
}

static void a_late_packet_is_told_afterwards(void **state)
{
    (void)state;
    rtp_transport_cc_init(&t);
    rtp_transport_cc_packet(&t, 10, 0);
    rtp_transport_cc_packet(&t, 12, 40 * US_PER_MS);
    assert_true(write_at(RTP_TRANSPORT_CC_INTERVAL));
    rtp_transport_cc_packet(&t, 11, 120 * US_PER_MS);
    rtp_transport_cc_packet(&t, 10, 121 * US_PER_MS); /* a duplicate */
    assert_true(write_at(US_PER_S));
    struct heard h = read_feedback();
    assert_int_equal(h.base, 11);
    assert_int_equal(h.n, 2); /* 12 is repeated: it must not look lost now */
    assert_true(h.came[0] && h.came[1]);
    assert_int_equal(h.at[0], 480);
    assert_int_equal(h.at[1], 160);
    rtp_transport_cc_packet(&t, 9, 2 * US_PER_S); /* from before the beginning */
    assert_int_equal(t.late, 1);
    assert_true(rtp_transport_cc_deadline(&t) == MONO_NEVER);
}

static void a_full_window_does_not_wait(void **state)
{
    (void)state;
    rtp_transport_cc_init(&t);
    rtp_transport_cc_packet(&t, 100, 0);
    rtp_transport_cc_packet(&t, 147, 1);
    assert_true(rtp_transport_cc_deadline(&t) == RTP_TRANSPORT_CC_INTERVAL);
    rtp_transport_cc_packet(&t, 148, 2);
    assert_true(rtp_transport_cc_deadline(&t) == 2);
    assert_true(write_at(2));
    assert_int_equal(read_feedback().n, 49);
}

static void a_packet_beyond_the_window_moves_it(void **state)
{
    (void)state;
    rtp_transport_cc_init(&t);
    rtp_transport_cc_packet(&t, 1, 0);
    rtp_transport_cc_packet(&t, 2, 0);
    rtp_transport_cc_packet(&t, 65, 0); /* 1 falls out */
    assert_true(write_at(RTP_TRANSPORT_CC_INTERVAL));
    struct heard h = read_feedback();
    assert_int_equal(h.base, 2);
    assert_int_equal(h.n, 64);
    assert_true(h.came[0] && h.came[63] && !h.came[1] && !h.came[62]);
    /* a jump begins anew */
    rtp_transport_cc_packet(&t, 65 + 64, US_PER_S);
    assert_true(write_at(2 * US_PER_S));
    h = read_feedback();
    assert_int_equal(h.base, 129);
    assert_int_equal(h.n, 1);
    /* a straggler from far back does not, two in sequence do */
    rtp_transport_cc_packet(&t, 5, 3 * US_PER_S);
    assert_true(rtp_transport_cc_deadline(&t) == MONO_NEVER);
    rtp_transport_cc_packet(&t, 6, 3 * US_PER_S);
    assert_true(write_at(4 * US_PER_S));
    assert_int_equal(read_feedback().base, 6);
}

static void a_delta_that_does_not_fit_begins_another_feedback(void **state)
{
    const mono_us most = INT16_MAX * TICK;
    (void)state;
    rtp_transport_cc_init(&t);
    rtp_transport_cc_packet(&t, 1, 0);
    rtp_transport_cc_packet(&t, 2, most);
    rtp_transport_cc_packet(&t, 4, 2 * most + TICK);
    assert_true(write_at(2 * most + TICK));
    struct heard h = read_feedback();
    assert_int_equal(h.base, 1);
    assert_int_equal(h.n, 3);
    assert_int_equal(h.at[1], INT16_MAX);
    assert_true(write_at(2 * most + TICK));
    h = read_feedback();
    assert_int_equal(h.base, 4);
    assert_int_equal(h.n, 1);
    assert_int_equal(h.count, 1);
    assert_int_equal(h.at[0], 2 * INT16_MAX + 1);
    assert_false(write_at(3 * most));
}

static void without_room_it_stays_due(void **state)
{
    (void)state;
    rtp_transport_cc_init(&t);
    rtp_transport_cc_packet(&t, 1, 0);
    for (size_t room = 0; room < 24; room++) {
        struct bytes_writer w = bytes_writer(buf, room);
        assert_false(rtp_transport_cc_write(&t, US_PER_S, OURS, MEDIA, &w));
        assert_true(w.failed);
        assert_int_equal(w.len, 0);
    }
    assert_true(write_at(US_PER_S));
    assert_int_equal(len, 24);
    assert_int_equal(read_feedback().count, 0);
}

/* Any pattern of loss, reordering and delay: the last word on each packet is the truth. */
static void a_random_stream_is_told_as_it_was(void **state)
{
    enum { N = 100000 };
    static int64_t sent_at[N], told_at[N]; /* -1 = did not come */
    struct rng rng;
    (void)state;
    for (unsigned pattern = 0; pattern < 4; pattern++) {
        rng_init_seeded(&rng, pattern);
        rtp_transport_cc_init(&t);
        mono_us now = 77 * US_PER_S + (mono_us)rng_below(&rng, 1000000);
        /* the 24 bits of the reference time wrap on the way in one of them */
        if (pattern == 3)
            now = (INT64_C(1) << 23) * 64 * US_PER_MS - 10 * US_PER_S;
        unsigned counts = 0;
        uint32_t loss = pattern * 15;
        unsigned held = N;
        for (unsigned i = 0; i < N; i++) {
            sent_at[i] = told_at[i] = -1;
            now += rng_below(&rng, pattern < 2 ? 2000 : 80000);
            bool is_lost = i > 0 && rng_below(&rng, 100) < loss;
            if (!is_lost && i > 0 && held == N && rng_below(&rng, 30) == 0) {
                held = i;
            } else if (!is_lost) {
                rtp_transport_cc_packet(&t, (uint16_t)i, now);
                sent_at[i] = now / TICK;
            }
            if (held < i && rng_below(&rng, 3) == 0) {
                now += 10;
                rtp_transport_cc_packet(&t, (uint16_t)held, now);
                sent_at[held] = now / TICK;
                held = N;
            }
            while (write_at(now)) {
                struct heard h = read_feedback();
                assert_int_equal(h.count, counts++ % 256);
                for (unsigned k = 0; k < h.n; k++) {
                    unsigned seq = i - (uint16_t)(i - h.base) + k;
                    if (seq > i)
                        continue;
                    assert_true(h.came[k] || told_at[seq] < 0);
                    if (h.came[k])
                        told_at[seq] = h.at[k];
                }
            }
        }
        assert_true(counts > N / 100);
        for (unsigned i = 0; i < N - 100; i++) {
            int64_t told = told_at[i];
            if (sent_at[i] < 0)
                assert_true(told < 0);
            else /* the reference has 24 bits with sign */
                assert_int_equal((told - sent_at[i]) % (INT64_C(256) << 24), 0);
        }
    }
}

static void the_number_is_read_from_its_extension(void **state)
{
    const uint8_t packet[] = {
        0x90, 111,  0,    1,    0,    0,    0,    2, 0, 0, 0, 3, /* */
        0xbe, 0xde, 0,    2,                                     /* two words */
        0x10, 0x85, 0x31, 0xab, 0xcd, 0x20, 0x55, 0, /* 1: level, 3: number, 2: one byte */
        'x',
    };
    struct rtp_packet p;
    uint16_t seq = 1;
    (void)state;
    assert_int_equal(rtp_parse(packet, sizeof(packet), &p), 0);
    assert_true(rtp_transport_seq_read(packet, &p, 3, &seq));
    assert_int_equal(seq, 0xabcd);
    assert_false(rtp_transport_seq_read(packet, &p, 4, &seq));
    assert_false(rtp_transport_seq_read(packet, &p, 2, &seq)); /* too short for one */
    assert_int_equal(seq, 0xabcd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_came_nothing_is_due),
        cmocka_unit_test(five_packets_in_a_row),
        cmocka_unit_test(loss_and_long_deltas),
        cmocka_unit_test(long_runs_take_one_chunk),
        cmocka_unit_test(what_is_lost_between_two_feedbacks_is_told),
        cmocka_unit_test(scattered_loss_is_forgiven_and_a_full_line_is_not),
        cmocka_unit_test(a_late_packet_is_told_afterwards),
        cmocka_unit_test(a_full_window_does_not_wait),
        cmocka_unit_test(a_packet_beyond_the_window_moves_it),
        cmocka_unit_test(a_delta_that_does_not_fit_begins_another_feedback),
        cmocka_unit_test(without_room_it_stays_due),
        cmocka_unit_test(a_random_stream_is_told_as_it_was),
        cmocka_unit_test(the_number_is_read_from_its_extension),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
