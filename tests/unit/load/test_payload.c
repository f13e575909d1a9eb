/* The payload: what is written is read, and no changed bit passes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "load/payload.h"

static const struct siphash_key key = {1, 2};
static const struct payload sample = {
    .side = 1, .call = 4711, .round = 3, .seq = 0x80000001, .sent_at = 1234567890123};

static void what_is_written_is_read(void **state)
{
    uint8_t buf[PAYLOAD_LEN];
    struct payload p;
    (void)state;
    payload_write(&sample, &key, buf);
    assert_int_equal(buf[0], PAYLOAD_TOC);
    assert_int_equal(payload_read(buf, sizeof(buf), &key, &p), 0);
    assert_int_equal(p.side, sample.side);
    assert_int_equal(p.call, sample.call);
    assert_int_equal(p.round, sample.round);
    assert_int_equal(p.seq, sample.seq);
    assert_true(p.sent_at == sample.sent_at);
}

static void every_changed_bit_is_found(void **state)
{
    uint8_t buf[PAYLOAD_LEN];
    struct payload p;
    (void)state;
    payload_write(&sample, &key, buf);
    for (unsigned bit = 0; bit < PAYLOAD_LEN * 8; bit++) {
        buf[bit / 8] ^= (uint8_t)(1 << bit % 8);
        assert_int_equal(payload_read(buf, sizeof(buf), &key, &p), PAYLOAD_E_CHECKSUM);
        buf[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
}

static void every_other_length_is_refused(void **state)
{
    uint8_t buf[PAYLOAD_LEN + 1] = {0};
    struct payload p;
    (void)state;
    payload_write(&sample, &key, buf);
    for (size_t len = 0; len <= sizeof(buf); len++) {
        if (len != PAYLOAD_LEN)
            assert_int_equal(payload_read(buf, len, &key, &p), PAYLOAD_E_LENGTH);
    }
}

static void another_run_is_refused(void **state)
{
    const struct siphash_key other = {1, 3};
    uint8_t buf[PAYLOAD_LEN];
    struct payload p;
    (void)state;
    payload_write(&sample, &other, buf);
    assert_int_equal(payload_read(buf, sizeof(buf), &key, &p), PAYLOAD_E_CHECKSUM);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_written_is_read),
        cmocka_unit_test(every_changed_bit_is_found),
        cmocka_unit_test(every_other_length_is_refused),
        cmocka_unit_test(another_run_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
