/* WebM beyond the usual: lacing, groups, lengths that are not told, clocks that jitter, locks. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/bytes.h"
#include "listen.h"

#define FRAME 960
#define MS    48

/* --- a writer of whatever elements --- */

static uint8_t file[1 << 20];
static struct bytes_writer w;

static void put_id(uint32_t id)
{
    for (int shift = 24; shift >= 0; shift -= 8)
        if (id >> shift)
            bytes_put8(&w, (uint8_t)(id >> shift));
}

static void put(uint32_t id, const void *data, size_t len)
{
    put_id(id);
    bytes_put32(&w, (uint32_t)(0x10000000 | len));
    bytes_put(&w, data, len);
}

static void put_number(uint32_t id, uint64_t value)
{
    uint8_t bytes[8];
    put_be64(bytes, value);
    put(id, bytes, 8);
}

static void put_text(uint32_t id, const char *text)
{
    put(id, text, strlen(text));
}

static size_t open_element(uint32_t id)
{
    put_id(id);
    bytes_put32(&w, 0x10000000);
    return w.len;
}

static void close_element(size_t at)
{
    put_be32(file + at - 4, (uint32_t)(0x10000000 | (w.len - at)));
}

static void open_unknown(uint32_t id)
{
    put_id(id);
    bytes_put8(&w, 0xff);
}

static void put_head(const char *type)
{
    size_t head = open_element(0x1a45dfa3);
    put_text(0x4282, type);
    close_element(head);
    open_unknown(0x18538067);
}

static const uint8_t opus_head[19] = {'O', 'p', 'u', 's', 'H', 'e', 'a', 'd', 1, 2, 0x38, 1};

static void put_track(unsigned number, const char *codec, int encoding)
{
    size_t entry = open_element(0xae);
    put_number(0xd7, number);
    put_text(0x86, codec);
    if (strcmp(codec, "A_OPUS") == 0)
        put(0x63a2, opus_head, sizeof(opus_head));
    if (encoding >= 0) {
        size_t encodings = open_element(0x6d80), one = open_element(0x6240);
        put_number(0x5033, (uint64_t)encoding);
        close_element(one);
        close_element(encodings);
    }
    close_element(entry);
}

static void put_tracks(void)
{
    size_t tracks = open_element(0x1654ae6b);
    put_track(3, "A_OPUS", -1);
    close_element(tracks);
}

static void begin(void)
{
    w = bytes_writer(file, sizeof(file));
    put_head("webm");
    put_tracks();
}

static void put_cluster(uint64_t ms)
{
    open_unknown(0x1f43b675);
    put_number(0xe7, ms);
}

/* 20 ms of nothing. */
static void put_block(unsigned track, int16_t ms)
{
    const uint8_t block[] = {(uint8_t)(0x80 | track), (uint8_t)(ms >> 8), (uint8_t)ms, 0x80,
                             31 << 3};
    put(0xa3, block, sizeof(block));
}

static struct listened *read_it(void)
{
    assert_false(w.failed);
    return listen_to(file, w.len);
}

static void assert_read(unsigned n_packets, uint64_t pauses, uint64_t end)
{
    struct listened *l = read_it();
    assert_string_equal(l->error, "");
    assert_int_equal(l->result, PLAY_READER_OVER);
    assert_int_equal(l->n_packets, n_packets);
    assert_int_equal(l->pauses, pauses);
    assert_int_equal(l->end, end);
    free(l);
}

static void assert_refused(int result, const char *error)
{
    struct listened *l = read_it();
    assert_string_equal(l->error, error);
    assert_int_equal(l->result, result);
    free(l);
}

/* --- */

static void test_plain(void **state)
{
    (void)state;
    begin();
    for (unsigned i = 0; i < 10; i++) {
        put_cluster(1000 * i);
        for (int16_t k = 0; k < 50; k++)
            put_block(3, (int16_t)(20 * k));
    }
    assert_read(500, 0, 500 * FRAME);
}

static void test_date(void **state)
{
    (void)state;
    static const struct {
        int64_t ns, us;
    } table[] = {
        {INT64_C(791553600123456789), 1769860800123456},
        {-1000, 978307199999999},
        {INT64_MIN, 0}, /* long before 1970 */
        {INT64_MAX, INT64_MAX / 1000 + 978307200000000},
    };
    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        w = bytes_writer(file, sizeof(file));
        put_head("matroska");
        size_t info = open_element(0x1549a966);
        put_number(0x4461, (uint64_t)table[i].ns);
        close_element(info);
        put_tracks();
        put_cluster(0);
        put_block(3, 0);
        struct listened *l = read_it();
        assert_int_equal(l->info.began_us, table[i].us);
        free(l);
    }
}

/* As browsers do it: up to some milliseconds aside, and in the long run the clock's. */
static void test_jitter(void **state)
{
    (void)state;
    static const int16_t aside[] = {0, 3, -1, 9, -8, 4, 1, 9, 9, -9};
    begin();
    put_cluster(1000);
    for (int i = 0; i < 1000; i++)
        put_block(3, (int16_t)(20 * i + aside[i % 10]));
    assert_read(1000, 0, 1000 * FRAME);
}

static void test_pauses(void **state)
{
    (void)state;
    begin();
    put_cluster(0);
    put_block(3, 0);
    put_block(3, 500);
    put_cluster(3600 * 1000); /* an hour of nothing is meant */
    put_block(3, 0);
    put_cluster(UINT64_C(3) * 3600 * 1000); /* two hours are not */
    put_block(3, 0);
    put_block(3, 100);
    put_cluster(0); /* back to the beginning: neither */
    put_block(3, 0);
    put_block(3, 60);
    put_cluster(UINT64_MAX);
    put_block(3, 0);
    struct listened *l = read_it();
    assert_int_equal(l->result, PLAY_READER_OVER);
    assert_int_equal(l->n_packets, 8);
    assert_int_equal(l->pauses, (480 + 3600 * 1000 - 520 + 80 + 40) * MS);
    free(l);
}

static void test_scale(void **state)
{
    (void)state;
    w = bytes_writer(file, sizeof(file));
    put_head("matroska");
    size_t info = open_element(0x1549a966);
    put_number(0x2ad7b1, 20833);                               /* a tick, nearly */
    put(0x4489, (const uint8_t[]){0x45, 0xbb, 0x80, 0x00}, 4); /* 6000, as a short float */
    close_element(info);
    put_tracks();
    put_cluster(48000);
    put_block(3, 0);
    put_block(3, 4800);
    struct listened *l = read_it();
    assert_in_range(l->pauses, 80 * MS - 2, 80 * MS);
    assert_int_equal(l->info.duration, l->n); /* not what was told */
    free(l);
}

/* --- blocks --- */

#define LACED_AT 4

static void put_laced(unsigned lacing, const uint8_t *sizes, size_t n_sizes, size_t n_bytes)
{
    uint8_t block[2000] = {0x83, 0, 0, (uint8_t)(lacing << 1)};
    memcpy(block + LACED_AT, sizes, n_sizes);
    memset(block + LACED_AT + n_sizes, 31 << 3, n_bytes);
    put(0xa3, block, LACED_AT + n_sizes + n_bytes);
}

static void assert_lens(const size_t *lens, unsigned n)
{
    struct play_reader *r = play_reader_new(0);
    struct play_packet p;
    const uint8_t *next = NULL;
    assert_true(w.len < PLAY_READER_PUSH_MAX);
    assert_int_equal(play_reader_poll(r, &p), PLAY_READER_HUNGRY);
    assert_int_equal(play_reader_push(r, file, w.len), 0);
    for (unsigned i = 0; i < n; i++) {
        assert_int_equal(play_reader_poll(r, &p), 0);
        assert_int_equal(p.len, lens[i]);
        assert_int_equal(p.position, i * FRAME);
        assert_true(!next || p.data == next);
        next = p.data + p.len;
    }
    assert_int_equal(play_reader_poll(r, &p), PLAY_READER_HUNGRY);
    play_reader_free(r);
}

static void test_lacing(void **state)
{
    (void)state;
    begin();
    put_cluster(0);
    put_laced(1, (const uint8_t[]){3, 255, 45, 0, 2}, 5, 300 + 0 + 2 + 7); /* one is empty */
    assert_lens((const size_t[]){300, 2, 7}, 3);
    begin();
    put_cluster(0);
    put_laced(2, (const uint8_t[]){3}, 1, 20);
    assert_lens((const size_t[]){5, 5, 5, 5}, 4);
    begin();
    put_cluster(0);
    /* 800 = 0x4320; 500: -300 + 8191 = 7891 = 0x5ed3; 20: -480 + 8191 = 7711 = 0x5e1f; 16 */
    put_laced(3, (const uint8_t[]){3, 0x43, 0x20, 0x5e, 0xd3, 0x5e, 0x1f}, 7, 800 + 500 + 20 + 16);
    assert_lens((const size_t[]){800, 500, 20, 16}, 4);
}

/* What does not fit is left out, and what follows is good. */
static void test_lacing_broken(void **state)
{
    (void)state;
    static const struct {
        unsigned lacing;
        uint8_t sizes[8];
        size_t n_sizes, n_bytes;
        unsigned n_packets; /* with the one behind them */
    } table[] = {
        {1, {2, 255, 255, 255}, 4, 0, 1},
        {1, {1, 200}, 2, 100, 1},
        {1, {255}, 1, 10, 1},
        {2, {255}, 1, 10, 2}, /* all of it is the last of them */
        {3, {2, 0x00}, 2, 10, 1},
        {3, {2, 0x81, 0x80}, 3, 10, 1},
        {3, {1, 0x10, 0xff, 0xff}, 4, 9, 1},
        {3, {2, 0x8a, 0x5f, 0xff}, 4, 30, 4}, /* it fits: 10, no less, the rest */
        {3, {1}, 1, 0, 1},
    };
    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        begin();
        put_cluster(0);
        put_laced(table[i].lacing, table[i].sizes, table[i].n_sizes, table[i].n_bytes);
        put_block(3, 100);
        struct listened *l = read_it();
        assert_int_equal(l->result, PLAY_READER_OVER);
        assert_int_equal(l->n_packets, table[i].n_packets);
        free(l);
    }
}

static void test_group(void **state)
{
    (void)state;
    static const uint8_t block[] = {0x83, 0, 0, 0, 31 << 3};
    begin();
    put_cluster(0);
    put_block(3, 0);
    put_cluster(20);
    size_t group = open_element(0xa0);
    put(0xa1, block, sizeof(block));
    put_number(0x75a2, 5000000); /* 5 ms */
    close_element(group);
    struct listened *l = read_it();
    assert_int_equal(l->n_packets, 2);
    assert_int_equal(l->trim, 5 * MS);
    assert_int_equal(l->skip, 312);
    free(l);
}

static void test_others_between(void **state)
{
    (void)state;
    static const uint8_t picture[200000] = {0x81};
    begin();
    put_cluster(0);
    for (int16_t i = 0; i < 3; i++) {
        put(0xa3, picture, sizeof(picture));
        put_block(3, (int16_t)(20 * i));
        put_block(1, (int16_t)(20 * i));
        size_t group = open_element(0xa0);
        put(0xa1, picture, 100);
        close_element(group);
        put(0xec, picture, 1000);
    }
    put(0x1c53bb6b, picture, 70000);
    assert_read(3, 0, 3 * FRAME);
}

/* A second file right behind the first. */
static void test_appended(void **state)
{
    (void)state;
    begin();
    put_cluster(0);
    put_block(3, 0);
    put_head("webm");
    put_tracks();
    put_cluster(777);
    put_block(3, 0);
    struct listened *l = read_it();
    assert_int_equal(l->n_packets, 2);
    assert_int_equal(l->n_firsts, 2);
    assert_int_equal(l->end, 2 * FRAME);
    assert_int_equal(l->skip, 2 * 312);
    free(l);
}

/* --- refused --- */

static void test_refused(void **state)
{
    (void)state;
    w = bytes_writer(file, sizeof(file));
    put_head("xml");
    assert_refused(PLAY_READER_E_UNSUPPORTED, "it is EBML, but neither WebM nor Matroska");
    w = bytes_writer(file, sizeof(file));
    put_head("webm");
    put_cluster(0);
    assert_refused(PLAY_READER_E_UNSUPPORTED, "no Opus in it: no track at all");
    w = bytes_writer(file, sizeof(file));
    put_head("matroska");
    size_t tracks = open_element(0x1654ae6b);
    put_track(1, "V_VP8", -1);
    put_track(2, "A_AAC", -1);
    put_track(4, "evil\nname", -1);
    close_element(tracks);
    put_cluster(0);
    assert_refused(PLAY_READER_E_UNSUPPORTED, "no Opus in it: V_VP8, A_AAC");
    for (int encoding = 0; encoding < 2; encoding++) {
        w = bytes_writer(file, sizeof(file));
        put_head("matroska");
        tracks = open_element(0x1654ae6b);
        put_track(1, "A_OPUS", encoding);
        close_element(tracks);
        assert_refused(PLAY_READER_E_UNSUPPORTED,
                       encoding ? "its Opus is encrypted"
                                : "its Opus is compressed once more by Matroska");
    }
}

static void test_broken(void **state)
{
    (void)state;
    static const uint8_t zeros[100], endless[] = {0xa3, 0xff, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10};
    begin();
    put_cluster(0);
    put_block(3, 0);
    size_t at = w.len;
    char error[64];
    (void)snprintf(error, sizeof(error), "it is broken at byte %zu", at);
    bytes_put(&w, zeros, sizeof(zeros)); /* as a crash leaves them */
    assert_refused(PLAY_READER_E_BROKEN, error);
    w.len = at;
    bytes_put(&w, endless, sizeof(endless));
    assert_refused(PLAY_READER_E_BROKEN, error);
}

static void test_cut_is_told(void **state)
{
    (void)state;
    begin();
    put_cluster(0);
    put_block(3, 0);
    put_block(3, 20);
    w.len -= 2;
    struct listened *l = read_it();
    assert_int_equal(l->n_packets, 1);
    assert_true(l->info.is_cut);
    free(l);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_plain),          cmocka_unit_test(test_date),
        cmocka_unit_test(test_jitter),         cmocka_unit_test(test_pauses),
        cmocka_unit_test(test_scale),          cmocka_unit_test(test_lacing),
        cmocka_unit_test(test_lacing_broken),  cmocka_unit_test(test_group),
        cmocka_unit_test(test_others_between), cmocka_unit_test(test_appended),
        cmocka_unit_test(test_refused),        cmocka_unit_test(test_broken),
        cmocka_unit_test(test_cut_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
