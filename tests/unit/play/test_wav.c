/* WAV as many write it: every kind of sample, odd rates, unknown lengths, chunks in between. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "listen.h"

#define HZ 440

static uint8_t file[1 << 20];
static size_t len;

static void put(uint64_t value, unsigned bytes)
{
    for (; bytes; bytes--, value >>= 8)
        file[len++] = (uint8_t)value;
}

static void put_id(const char *id)
{
    memcpy(file + len, id, 4);
    len += 4;
}

struct kind {
    unsigned codec, bits, channels, rate;
    bool is_extensible;
};

static void put_fmt(const struct kind *k)
{
    put_id("fmt ");
    put(k->is_extensible ? 40 : 16, 4);
    put(k->is_extensible ? 0xfffe : k->codec, 2);
    put(k->channels, 2);
    put(k->rate, 4);
    put((uint64_t)k->rate * k->channels * k->bits / 8, 4);
    put(k->channels * k->bits / 8, 2);
    put(k->bits, 2);
    if (k->is_extensible) {
        put(22, 2);
        put(k->bits, 2);
        put(0, 4);
        put(k->codec, 2);
        put(0x800000aa00100000, 8);
        put(0x0000719b38, 6);
    }
}

/* G.711, by the book: the largest code whose value is not above. */
static uint8_t compress(unsigned codec, double x)
{
    unsigned sign = x < 0 ? 0 : 0x80, size = (unsigned)(fabs(x) * 32767), exponent = 7;
    if (codec == 7) {
        size += 132;
        while (exponent && !(size & 0x80U << exponent))
            exponent--;
        return (uint8_t) ~((sign ^ 0x80) | exponent << 4 | (size >> (exponent + 3) & 15));
    }
    while (exponent && !(size & 0x80U << exponent))
        exponent--;
    return (uint8_t)((sign | exponent << 4 | (size >> (exponent ? exponent + 3 : 4) & 15)) ^ 0x55);
}

static void put_sample(const struct kind *k, double x)
{
    float single = (float)x;
    uint64_t bits = 0;
    if (k->codec == 3) {
        memcpy(&bits, k->bits == 64 ? (void *)&x : (void *)&single, k->bits / 8);
        put(bits, k->bits / 8);
    } else if (k->codec > 3) {
        put(compress(k->codec, x), 1);
    } else if (k->bits == 8) {
        put((uint64_t)(128 + 127 * x), 1);
    } else {
        put((uint64_t)(int64_t)(x * (double)((INT64_C(1) << (k->bits - 1)) - 1)), k->bits / 8);
    }
}

/* A second channel is silent. */
static void put_tone(const struct kind *k, unsigned n)
{
    for (unsigned i = 0; i < n; i++) {
        put_sample(k, 0.5 * sin(2 * M_PI * HZ * i / k->rate));
        if (k->channels == 2)
            put_sample(k, 0);
    }
}

static void begin(void)
{
    len = 0;
    put_id("RIFF");
    put(0, 4);
    put_id("WAVE");
}

static uint32_t data_len(const struct kind *k, unsigned n)
{
    return n * k->channels * k->bits / 8;
}

static void make(const struct kind *k, unsigned n, uint32_t data_is)
{
    begin();
    put_fmt(k);
    put_id("data");
    put(data_is, 4);
    put_tone(k, n);
}

/* The tone as it should be: not a sample earlier or later, and as loud. */
static void assert_tone(const struct listened *l, double level)
{
    double error = 0, power = 0;
    for (size_t i = 4800; i < l->n - 4800; i++) {
        double x = 32768 * level * sin(2 * M_PI * HZ * (double)i / PLAY_RATE);
        error += (l->pcm[i] - x) * (l->pcm[i] - x);
        power += x * x;
    }
    if (error > 0.02 * power)
        fail_msg("%.3f of the power is error", error / power);
}

static void test_kinds(void **state)
{
    (void)state;
    static const struct kind kinds[] = {
        {1, 8, 1, 8000, false},   {1, 16, 1, 8000, false},  {1, 16, 2, 16000, false},
        {1, 24, 1, 44100, false}, {1, 24, 2, 48000, true},  {1, 32, 1, 48000, false},
        {3, 32, 1, 48000, false}, {3, 32, 2, 96000, true},  {3, 64, 1, 22050, false},
        {6, 8, 1, 8000, false},   {7, 8, 1, 8000, false},   {1, 16, 1, 11025, false},
        {1, 16, 1, 12000, false}, {1, 16, 1, 32000, false}, {1, 16, 1, 192000, false},
        {1, 16, 1, 44101, false}, {1, 16, 2, 24000, true},
    };
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        const struct kind *k = &kinds[i];
        make(k, k->rate / 2, data_len(k, k->rate / 2));
        struct listened *l = listen_to(file, len);
        assert_int_equal(l->result, PLAY_READER_OVER);
        assert_false(l->info.is_cut);
        assert_int_equal(l->info.channels, k->channels);
        assert_in_range(l->n, 23998, 24002); /* half a second, where it is no whole number */
        assert_int_equal(l->info.duration, l->n);
        assert_tone(l, k->channels == 2 ? 0.25 : 0.5);
        free(l);
    }
}

static const struct kind usual = {1, 16, 1, 16000, false};

static void test_lengths(void **state)
{
    (void)state;
    static const unsigned lengths[] = {1, 2, 215, 216, 217, 319, 320, 321, 640, 16001};
    for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
        make(&usual, lengths[i], data_len(&usual, lengths[i]));
        struct listened *l = listen_to(file, len);
        assert_int_equal(l->result, PLAY_READER_OVER);
        assert_int_equal(l->n, 3 * lengths[i]);
        assert_int_equal(l->skip, 312);
        assert_int_equal(l->n_packets, (3 * lengths[i] + 312 + 959) / 960);
        free(l);
    }
}

static void test_length_unknown(void **state)
{
    (void)state;
    static const uint32_t told[] = {0, UINT32_MAX};
    for (unsigned i = 0; i < 2; i++) {
        make(&usual, 8000, told[i]);
        struct listened *l = listen_to(file, len);
        assert_int_equal(l->result, PLAY_READER_OVER);
        assert_false(l->info.is_cut);
        assert_int_equal(l->n, 24000);
        free(l);
    }
}

static void test_cut_off(void **state)
{
    (void)state;
    make(&usual, 8000, data_len(&usual, 9000));
    struct listened *l = listen_to(file, len);
    assert_int_equal(l->result, PLAY_READER_OVER);
    assert_true(l->info.is_cut);
    assert_int_equal(l->n, 24000);
    free(l);
}

/* Behind the samples there may be anything, and in front of them chunks of odd lengths. */
static void test_other_chunks(void **state)
{
    (void)state;
    begin();
    put_id("LIST");
    put(5, 4);
    put(0, 6);
    put_fmt(&usual);
    put_id("data"); /* not this one, but its name in a chunk that is gone over */
    len -= 4;
    put_id("junk");
    put(70000, 4);
    memset(file + len, 'd', 70000);
    len += 70000;
    put_id("data");
    put(data_len(&usual, 8000), 4);
    put_tone(&usual, 8000);
    put_id("LIST");
    put(4000, 4);
    memset(file + len, 0x7f, 4000);
    len += 4000;
    struct listened *l = listen_to(file, len);
    assert_int_equal(l->result, PLAY_READER_OVER);
    assert_false(l->info.is_cut);
    assert_int_equal(l->n, 24000);
    assert_tone(l, 0.5);
    free(l);
}

static void test_rf64(void **state)
{
    (void)state;
    len = 0;
    put_id("RF64");
    put(UINT32_MAX, 4);
    put_id("WAVE");
    put_id("ds64");
    put(28, 4);
    put(0, 8);
    put(data_len(&usual, 8000), 8);
    put(8000, 8);
    put(0, 4);
    put_fmt(&usual);
    put_id("data");
    put(UINT32_MAX, 4);
    put_tone(&usual, 8000);
    memset(file + len, 0x55, 100);
    struct listened *l = listen_to(file, len + 100);
    assert_int_equal(l->result, PLAY_READER_OVER);
    assert_int_equal(l->n, 24000);
    free(l);
}

/* Numbers that are none, and some that are too large. */
static void test_wild_floats(void **state)
{
    (void)state;
    static const uint32_t wild[] = {0x7fc00000, 0x7f800000, 0xff800000, 0x7f7fffff, 0xffffffff};
    static const struct kind k = {3, 32, 1, 44100, false};
    begin();
    put_fmt(&k);
    put_id("data");
    put(0, 4);
    for (unsigned i = 0; i < 44100; i++)
        put(wild[i % 5], 4);
    struct listened *l = listen_to(file, len);
    assert_int_equal(l->result, PLAY_READER_OVER);
    assert_int_equal(l->n, 48000);
    free(l);
}

/* One of them costs a moment, and not what follows. */
static void test_one_nan(void **state)
{
    (void)state;
    static const struct kind k = {3, 32, 1, 44100, false};
    begin();
    put_fmt(&k);
    put_id("data");
    put(0, 4);
    put_tone(&k, 44100);
    memcpy(file + 44 + 4 * 10000, &(uint32_t){0x7fc00000}, 4);
    struct listened *l = listen_to(file, len);
    assert_true(listen_share(l, 0, 9600, HZ) > 0.98);
    assert_true(listen_share(l, 9600, 12000, HZ) > 0.95);
    assert_true(listen_share(l, 12000, l->n, HZ) > 0.98);
    free(l);
}

static void assert_refused(int result, const char *error)
{
    struct listened *l = listen_to(file, len);
    assert_string_equal(l->error, error);
    assert_int_equal(l->result, result);
    assert_int_equal(l->n_packets, 0);
    free(l);
}

static void test_refused(void **state)
{
    (void)state;
    struct kind k = usual;
    k.channels = 6;
    make(&k, 10, 0);
    assert_refused(PLAY_READER_E_UNSUPPORTED, "6 channels: only mono and stereo can be played");
    k.channels = 0;
    make(&k, 10, 0);
    assert_refused(PLAY_READER_E_UNSUPPORTED, "0 channels: only mono and stereo can be played");
    k = usual;
    k.codec = 2;
    k.bits = 4;
    make(&k, 0, 0);
    assert_refused(PLAY_READER_E_UNSUPPORTED,
                   "WAV with samples of codec 2 and 4 bits: only PCM, float, A-law and u-law can "
                   "be played");
    k = usual;
    k.rate = 7999;
    make(&k, 10, 0);
    assert_refused(PLAY_READER_E_UNSUPPORTED,
                   "7999 samples a second: only 8000 to 192000 can be played");
    make(&usual, 0, 0);
    assert_refused(PLAY_READER_E_BROKEN, "it ends before its first sound");
    begin();
    put_id("data");
    put(100, 4);
    assert_refused(PLAY_READER_E_BROKEN, "its samples come before their format");
    begin();
    put_id("fmt ");
    put(UINT32_MAX, 4);
    assert_refused(PLAY_READER_E_BROKEN, "its format is of 4294967295 bytes");
    make(&usual, 10, 0);
    file[32] = 3; /* bytes of a sample of all channels */
    assert_refused(PLAY_READER_E_BROKEN, "its format contradicts itself");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_kinds),          cmocka_unit_test(test_lengths),
        cmocka_unit_test(test_length_unknown), cmocka_unit_test(test_cut_off),
        cmocka_unit_test(test_other_chunks),   cmocka_unit_test(test_rf64),
        cmocka_unit_test(test_wild_floats),    cmocka_unit_test(test_refused),
        cmocka_unit_test(test_one_nan),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
