/* Ogg Opus beyond the usual: parts one behind the other, pages lost, other streams, odd granules.
 */
#include <errno.h>
#include <ogg/ogg.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/bytes.h"
#include "listen.h"

#define FRAME 960

/* --- a writer of whatever pages --- */

static uint8_t file[1 << 20];
static size_t len;
static uint32_t page_no;

#define CONTINUED 1
#define BOS       2
#define EOS       4

/* A page of one piece of a packet (its lacing ends it, or not). */
static void put_page(uint32_t serial, unsigned flags, int64_t granule,
                     const uint8_t *const bodies[], const size_t lens[], unsigned n, bool goes_on)
{
    uint8_t *head = file + len, *lacing = head + 27, *body;
    unsigned n_lacing = 0;
    for (unsigned i = 0; i < n; i++) {
        size_t left = lens[i];
        for (; left >= 255; left -= 255)
            lacing[n_lacing++] = 255;
        if (!(goes_on && i == n - 1))
            lacing[n_lacing++] = (uint8_t)left;
    }
    memcpy(head, "OggS", 4);
    head[4] = 0;
    head[5] = (uint8_t)flags;
    for (unsigned i = 0; i < 8; i++)
        head[6 + i] = (uint8_t)((uint64_t)granule >> 8 * i);
    for (unsigned i = 0; i < 4; i++) {
        head[14 + i] = (uint8_t)(serial >> 8 * i);
        head[18 + i] = (uint8_t)(page_no >> 8 * i);
    }
    page_no++;
    head[26] = (uint8_t)n_lacing;
    body = lacing + n_lacing;
    for (unsigned i = 0; i < n; i++) {
        memcpy(body, bodies[i], lens[i]);
        body += lens[i];
    }
    ogg_page page = {head, 27 + n_lacing, lacing + n_lacing, body - (lacing + n_lacing)};
    ogg_page_checksum_set(&page);
    len = (size_t)(body - file);
}

static void put_one(uint32_t serial, unsigned flags, int64_t granule, const void *body, size_t n)
{
    put_page(serial, flags, granule, &(const uint8_t *){body}, &n, 1, false);
}

static uint8_t head[19] = {'O', 'p', 'u', 's', 'H', 'e', 'a', 'd', 1, 1, 0x38, 1};
static const char tags[] = "OpusTags\0\0\0\0\1\0\0\0\x19\0\0\0date=2026-01-31T12:00:00Z";

static void begin(uint32_t serial)
{
    page_no = 0;
    put_one(serial, BOS, 0, head, sizeof(head));
    put_one(serial, 0, 0, tags, sizeof(tags) - 1);
}

/* A page of n packets of 20 ms, nothing in them. */
static void put_packets(uint32_t serial, unsigned flags, int64_t granule, unsigned n)
{
    static const uint8_t toc[] = {31 << 3};
    const uint8_t *bodies[255];
    size_t lens[255];
    for (unsigned i = 0; i < n; i++) {
        bodies[i] = toc;
        lens[i] = 1;
    }
    put_page(serial, flags, granule, bodies, lens, n, false);
}

static struct listened *read_it(void)
{
    struct listened *l = listen_to(file, len);
    len = 0;
    return l;
}

#define PRE_SKIP 312

/* --- */

static void test_plain(void **state)
{
    (void)state;
    begin(7);
    put_packets(7, 0, 50 * FRAME, 50);
    put_packets(7, EOS, 100 * FRAME - 100, 50);
    struct listened *l = read_it();
    assert_int_equal(l->result, PLAY_READER_OVER);
    assert_false(l->info.is_cut);
    assert_int_equal(l->n_packets, 100);
    assert_int_equal(l->skip, PRE_SKIP);
    assert_int_equal(l->trim, 100);
    assert_int_equal(l->info.duration, 100 * FRAME - 100 - PRE_SKIP);
    assert_int_equal(l->info.began_us, 1769860800000000);
    free(l);
}

/* §4.5: the granules of a stream that was caught in the middle begin anywhere. */
static void test_caught_in_the_middle(void **state)
{
    (void)state;
    begin(7);
    put_packets(7, 0, 1000000 + 50 * FRAME, 50);
    put_packets(7, EOS, 1000000 + 100 * FRAME, 50);
    struct listened *l = read_it();
    assert_int_equal(l->first_at, 0);
    assert_int_equal(l->end, 100 * FRAME);
    assert_int_equal(l->pauses, 0);
    free(l);
}

static void test_trimmed_by_more_than_a_packet(void **state)
{
    (void)state;
    begin(7);
    put_packets(7, 0, 10 * FRAME, 10);
    put_packets(7, EOS, 11 * FRAME + 5, 10);
    struct listened *l = read_it();
    assert_int_equal(l->n_packets, 20);
    assert_int_equal(l->trim, 9 * FRAME - 5);
    free(l);
    /* a file of one page, and shorter than its pre-skip */
    begin(7);
    put_packets(7, EOS, 100, 1);
    l = read_it();
    assert_int_equal(l->result, PLAY_READER_OVER);
    assert_int_equal(l->n_packets, 1);
    assert_int_equal(l->skip + l->trim, FRAME);
    free(l);
}

static void test_page_lost(void **state)
{
    (void)state;
    begin(7);
    put_packets(7, 0, 50 * FRAME, 50);
    size_t before = len;
    put_packets(7, 0, 100 * FRAME, 50);
    len = before;
    put_packets(7, 0, 150 * FRAME, 50);
    put_packets(7, EOS, 200 * FRAME, 50);
    struct listened *l = read_it();
    assert_int_equal(l->n_packets, 150);
    assert_int_equal(l->pauses, 50 * FRAME);
    assert_int_equal(l->end, 200 * FRAME);
    free(l);
}

/* A page whose sum is wrong is as good as lost, and what is between pages is gone over. */
static void test_page_damaged(void **state)
{
    (void)state;
    begin(7);
    put_packets(7, 0, 50 * FRAME, 50);
    size_t damaged = len + 40;
    put_packets(7, 0, 100 * FRAME, 50);
    file[damaged] ^= 1;
    memset(file + len, 'O', 5000);
    len += 5000;
    put_packets(7, EOS, 150 * FRAME, 50);
    struct listened *l = read_it();
    assert_int_equal(l->n_packets, 100);
    assert_int_equal(l->pauses, 50 * FRAME);
    assert_false(l->info.is_cut);
    free(l);
}

/* What costs most to look for: each one may be a page, and none is. */
static void test_no_end_of_damage(void **state)
{
    (void)state;
    for (unsigned kib = 200; kib <= 300; kib += 100) {
        begin(7);
        put_packets(7, 0, 50 * FRAME, 50);
        for (unsigned i = 0; i < kib * 256; i++, len += 4)
            memcpy(file + len, "OggS", 4);
        put_packets(7, EOS, 100 * FRAME, 50);
        struct listened *l = read_it();
        assert_string_equal(l->error, kib == 200 ? "" : "more than 262144 bytes of it are not Ogg");
        assert_int_equal(l->n_packets, kib == 200 ? 100 : 50);
        free(l);
    }
}

/* A source that was silent and wrote nothing: only the granules go on. */
static void test_pause(void **state)
{
    (void)state;
    begin(7);
    put_packets(7, 0, 10 * FRAME, 10);
    put_packets(7, 0, 70 * FRAME + 7, 10);
    put_packets(7, EOS, 80 * FRAME + 7, 10);
    struct listened *l = read_it();
    assert_int_equal(l->pauses, 50 * FRAME + 7);
    assert_int_equal(l->info.duration, 80 * FRAME + 7 - PRE_SKIP);
    free(l);
}

/* Granules that cannot be meant move nothing. */
static void test_granules_of_nonsense(void **state)
{
    (void)state;
    static const int64_t nonsense[] = {
        -1, -2, INT64_MAX, INT64_MIN, INT64_MAX / 2, (INT64_C(1) << 40)};
    for (size_t i = 0; i < sizeof(nonsense) / sizeof(nonsense[0]); i++) {
        begin(7);
        put_packets(7, 0, 10 * FRAME, 10);
        put_packets(7, 0, nonsense[i], 10);
        put_packets(7, 0, 30 * FRAME, 10);
        put_packets(7, 0, 5 * FRAME, 10);
        put_packets(7, EOS, nonsense[i], 10);
        struct listened *l = read_it();
        assert_int_equal(l->result, PLAY_READER_OVER);
        assert_int_equal(l->n_packets, 50);
        assert_int_equal(l->pauses, 0);
        assert_int_equal(l->end, 50 * FRAME);
        free(l);
    }
}

/* --- packets over pages --- */

static void test_over_pages(void **state)
{
    (void)state;
    static uint8_t large[3 * 255];
    const uint8_t *bodies[] = {large, large};
    memset(large, 1, sizeof(large));
    large[0] = 31 << 3;
    for (unsigned lost = 0; lost < 4; lost++) {
        begin(7);
        put_packets(7, 0, FRAME, 1);
        size_t at[4];
        at[0] = len; /* whole, and the first third */
        put_page(7, 0, 2 * FRAME, bodies, (const size_t[]){100, 255}, 2, true);
        at[1] = len; /* a third in the middle */
        put_page(7, CONTINUED, -1, bodies, (const size_t[]){255}, 1, true);
        at[2] = len; /* the last one, and another packet */
        put_page(7, CONTINUED, 4 * FRAME, bodies, (const size_t[]){30, 90}, 2, false);
        at[3] = len;
        if (lost) { /* as if it had never been there */
            memmove(file + at[lost - 1], file + at[lost], len - at[lost]);
            len -= at[lost] - at[lost - 1];
        }
        put_packets(7, EOS, 5 * FRAME, 1);
        struct listened *l = read_it();
        static const unsigned n_packets[] = {5, 3, 4, 3};
        assert_int_equal(l->n_packets, n_packets[lost]);
        assert_int_equal(l->pauses, (5 - n_packets[lost]) * FRAME);
        assert_int_equal(l->end, 5 * FRAME);
        free(l);
    }
}

/* No packet, and no comments, of whatever size are kept. */
static void test_too_long(void **state)
{
    (void)state;
    static uint8_t large[255 * 250];
    large[0] = 31 << 3;
    const uint8_t *bodies[] = {large};
    const size_t lens[] = {sizeof(large)};
    page_no = 0;
    put_one(7, BOS, 0, head, sizeof(head));
    for (unsigned i = 0; i < 8; i++) /* comments of half a megabyte */
        put_page(7, i ? CONTINUED : 0, i < 7 ? -1 : 0, bodies, lens, 1, i < 7);
    put_packets(7, 0, FRAME, 1);
    put_page(7, 0, -1, bodies, lens, 1, true);
    put_page(7, CONTINUED, 2 * FRAME, bodies, (const size_t[]){10}, 1, false);
    put_packets(7, EOS, 3 * FRAME, 1);
    struct listened *l = read_it();
    assert_int_equal(l->result, PLAY_READER_OVER);
    assert_int_equal(l->n_packets, 2);
    assert_int_equal(l->end, 3 * FRAME);
    free(l);
}

static void test_not_opus_packets(void **state)
{
    (void)state;
    static const uint8_t none[] = {0}, empty_code_3[] = {3}, too_many[] = {3, 63};
    const uint8_t *bodies[] = {none, empty_code_3, too_many, (const uint8_t[]){31 << 3}};
    begin(7);
    put_page(7, EOS, FRAME, bodies, (const size_t[]){0, 1, 2, 1}, 4, false);
    struct listened *l = read_it();
    assert_int_equal(l->result, PLAY_READER_OVER);
    assert_int_equal(l->n_packets, 1);
    free(l);
}

/* --- several streams --- */

static void test_chained(void **state)
{
    (void)state;
    for (unsigned same_serial = 0; same_serial < 2; same_serial++) {
        begin(7);
        put_packets(7, EOS, 10 * FRAME - 50, 10);
        begin(same_serial ? 7 : 8);
        put_packets(same_serial ? 7 : 8, EOS, 555555 + 10 * FRAME, 10);
        struct listened *l = read_it();
        assert_int_equal(l->result, PLAY_READER_OVER);
        assert_int_equal(l->n_packets, 20);
        assert_int_equal(l->n_firsts, 2);
        assert_int_equal(l->skip, 2 * PRE_SKIP);
        assert_int_equal(l->pauses, 0);
        assert_int_equal(l->end, 20 * FRAME);
        free(l);
    }
}

/* Its first part was cut off: the second one begins all the same. */
static void test_chained_without_end(void **state)
{
    (void)state;
    begin(7);
    put_packets(7, 0, 10 * FRAME, 10);
    begin(8);
    put_packets(8, 0, 10 * FRAME, 10);
    struct listened *l = read_it();
    assert_int_equal(l->n_packets, 20);
    assert_int_equal(l->n_firsts, 2);
    assert_true(l->info.is_cut);
    free(l);
}

static void test_side_by_side(void **state)
{
    (void)state;
    put_one(1, BOS, 0, "\x01vorbis", 7);
    page_no = 0;
    put_one(7, BOS, 0, head, sizeof(head));
    put_one(9, BOS, 0, head, sizeof(head)); /* a second Opus: not ours */
    page_no = 1;
    put_one(7, 0, 0, tags, sizeof(tags) - 1);
    for (unsigned i = 1; i <= 10; i++) {
        page_no = i + 1;
        put_packets(7, i == 10 ? EOS : 0, (int64_t)i * FRAME, 1);
        put_packets(9, i == 10 ? EOS : 0, (int64_t)i * 3 * FRAME, 3);
        put_one(1, 0, 77 * i, "whatever", 8);
    }
    struct listened *l = read_it();
    assert_int_equal(l->n_packets, 10);
    assert_int_equal(l->pauses, 0);
    free(l);
}

/* --- heads --- */

static void with_head(unsigned at, uint8_t value, int result, const char *error)
{
    uint8_t before = head[at];
    head[at] = value;
    begin(7);
    put_packets(7, EOS, FRAME, 1);
    head[at] = before;
    struct listened *l = read_it();
    assert_int_equal(l->result, result);
    assert_string_equal(l->error, error);
    free(l);
}

static void test_heads(void **state)
{
    (void)state;
    with_head(8, 15, PLAY_READER_OVER, "");
    with_head(8, 16, PLAY_READER_E_UNSUPPORTED, "Opus of a version that is not known: 16");
    with_head(9, 2, PLAY_READER_OVER, "");
    with_head(9, 0, PLAY_READER_E_UNSUPPORTED,
              "0 channels of family 0: only mono and stereo can be played");
    with_head(9, 6, PLAY_READER_E_UNSUPPORTED,
              "6 channels of family 0: only mono and stereo can be played");
    with_head(18, 1, PLAY_READER_E_UNSUPPORTED, /* its table is missing */
              "1 channels of family 1: only mono and stereo can be played");
    with_head(18, 255, PLAY_READER_E_UNSUPPORTED,
              "1 channels of family 255: only mono and stereo can be played");
    page_no = 0;
    put_one(7, BOS, 0, head, 18);
    struct listened *l = read_it();
    assert_string_equal(l->error, "its header of Opus is broken");
    free(l);
    head[17] = 0xff; /* -1 dB in 256ths: 0xff00 */
    begin(7);
    head[17] = 0;
    put_packets(7, EOS, FRAME, 1);
    l = read_it();
    assert_int_equal(l->info.gain_q8, -256);
    free(l);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_plain),
        cmocka_unit_test(test_caught_in_the_middle),
        cmocka_unit_test(test_trimmed_by_more_than_a_packet),
        cmocka_unit_test(test_page_lost),
        cmocka_unit_test(test_page_damaged),
        cmocka_unit_test(test_pause),
        cmocka_unit_test(test_no_end_of_damage),
        cmocka_unit_test(test_granules_of_nonsense),
        cmocka_unit_test(test_over_pages),
        cmocka_unit_test(test_too_long),
        cmocka_unit_test(test_not_opus_packets),
        cmocka_unit_test(test_chained),
        cmocka_unit_test(test_chained_without_end),
        cmocka_unit_test(test_side_by_side),
        cmocka_unit_test(test_heads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
