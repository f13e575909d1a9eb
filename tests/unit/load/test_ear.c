/* What is wrong with a packet is counted as just that. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/bytes.h"
#include "load/ear.h"
#include "load/payload.h"

#define PT 111

static const struct siphash_key key = {1, 2};
static const struct media_identity bob = {.call = 7, .round = 2, .side = 1};
static struct stats stats;
static struct ear ear;

static int begin(void **state)
{
    (void)state;
    memset(&stats, 0, sizeof(stats));
    ear_init(&ear, &stats, &key, &bob);
    return 0;
}

/* What alice says as number seq, renumbered by a server. */
struct heard {
    struct payload payload;
    struct rtp_packet packet;
    uint8_t data[RTP_HEADER_LEN + PAYLOAD_LEN];
};

static struct heard from_alice(uint32_t seq)
{
    struct heard h = {
        .payload = {.side = 0, .call = 7, .round = 2, .seq = seq, .sent_at = 1000},
        .packet = {.pt = PT,
                   .ssrc = 99,
                   .seq = (uint16_t)(65530 + seq),
                   .timestamp = UINT32_MAX - 5 + seq * EAR_SAMPLES,
                   .marker = seq == 0,
                   .header_len = RTP_HEADER_LEN,
                   .payload_len = PAYLOAD_LEN},
    };
    payload_write(&h.payload, &key, h.data + RTP_HEADER_LEN);
    return h;
}

static bool hear(const struct heard *h)
{
    return ear_hear(&ear, 1500, PT, h->data, &h->packet);
}

static bool hear_number(uint32_t seq)
{
    struct heard h = from_alice(seq);
    return hear(&h);
}

static void all_is_well_also_where_numbers_wrap(void **state)
{
    (void)state;
    for (uint32_t seq = 0; seq < 20; seq++)
        assert_int_equal(hear_number(seq), seq == 0);
    assert_int_equal(stats.packets_received, 20);
    assert_int_equal(stats.latency.n, 20);
    assert_int_equal(stats.latency.max_us, 500);
    assert_int_equal(stats.corrupted + stats.misrouted + stats.bad_headers, 0);
    assert_int_equal(stats.gaps + stats.duplicates + stats.reordered + stats.late, 0);
}

static void order_is_counted(void **state)
{
    (void)state;
    hear_number(0);
    hear_number(3);
    hear_number(1);
    hear_number(3);
    assert_int_equal(stats.gaps, 1);
    assert_int_equal(stats.reordered, 1);
    assert_int_equal(stats.duplicates, 1);
    assert_int_equal(track_lost(&ear.track, 5), 2);
}

static void a_wrong_bit_is_no_packet(void **state)
{
    (void)state;
    struct heard h = from_alice(0);
    h.data[RTP_HEADER_LEN + 40] ^= 1;
    assert_false(hear(&h));
    assert_int_equal(stats.corrupted, 1);
    assert_int_equal(stats.latency.n, 0);
}

static void others_are_not_heard(void **state)
{
    static const struct payload rows[] = {
        {.side = 0, .call = 8, .round = 2}, /* another call */
        {.side = 0, .call = 7, .round = 1}, /* the call before */
        {.side = 1, .call = 7, .round = 2}, /* himself */
    };
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct heard h = from_alice(0);
        payload_write(&rows[i], &key, h.data + RTP_HEADER_LEN);
        assert_false(hear(&h));
        assert_int_equal(stats.misrouted, i + 1);
    }
}

static void each_field_of_the_header_is_looked_at(void **state)
{
    enum { WRONG_PT, WRONG_SSRC, WRONG_SEQ, WRONG_TIMESTAMP, MARKED, PADDED, MIXED, N };
    (void)state;
    hear_number(0);
    for (uint32_t i = 0; i < N; i++) {
        struct heard h = from_alice(i + 1);
        h.packet.pt = i == WRONG_PT ? 0 : h.packet.pt;
        h.packet.ssrc += i == WRONG_SSRC;
        h.packet.seq = (uint16_t)(h.packet.seq + (i == WRONG_SEQ));
        h.packet.timestamp += i == WRONG_TIMESTAMP;
        h.packet.marker = i == MARKED;
        h.packet.padding_len = i == PADDED;
        h.packet.n_csrc = i == MIXED;
        hear(&h);
        assert_int_equal(stats.bad_headers, i + 1);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(all_is_well_also_where_numbers_wrap, begin),
        cmocka_unit_test_setup(order_is_counted, begin),
        cmocka_unit_test_setup(a_wrong_bit_is_no_packet, begin),
        cmocka_unit_test_setup(others_are_not_heard, begin),
        cmocka_unit_test_setup(each_field_of_the_header_is_looked_at, begin),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
