/* Files that others made, by any name; what is no such file; every split; winding; no memory. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/mem.h"
#include "listen.h"

static const struct {
    const char *name;
    enum play_format format;
    unsigned channels, pre_skip;
    size_t heard; /* samples */
} files[] = {
    {"opusenc.opus", PLAY_OGG, 2, 312, 72000},     {"ffmpeg.webm", PLAY_WEBM, 2, 312, 72000},
    {"ffmpeg.mka", PLAY_WEBM, 1, 312, 72000},      {"live.webm", PLAY_WEBM, 1, 312, 72000},
    {"video.webm", PLAY_WEBM, 1, 312, 72000},      {"video.ogg", PLAY_OGG, 1, 312, 72000},
    {"chromium.webm", PLAY_WEBM, 1, 0, 30 * 2880}, {"s24.wav", PLAY_WAV, 1, 312, 9600},
    {"alaw.wav", PLAY_WAV, 1, 312, 24000},         {"mulaw.wav", PLAY_WAV, 1, 312, 72000},
    {"ffmpeg_pipe.wav", PLAY_WAV, 1, 312, 14400},
};

static void test_files_of_others(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
        struct listened *l = listen_to_file(files[i].name);
        assert_int_equal(l->result, PLAY_READER_OVER);
        assert_int_equal(l->info.format, files[i].format);
        assert_int_equal(l->info.channels, files[i].channels);
        assert_int_equal(l->info.pre_skip, files[i].pre_skip);
        assert_false(l->info.is_cut);
        assert_int_equal(l->info.began_us, 0);
        assert_int_equal(l->info.duration, l->n);
        assert_int_equal(l->n_firsts, 1);
        assert_int_equal(l->n, files[i].heard);
        assert_true(listen_share(l, l->n / 4, l->n * 3 / 4, 440) > 0.9);
        free(l);
    }
}

static void test_split_anywhere(void **state)
{
    (void)state;
    static const size_t pieces[] = {1, 7, 255, 1000};
    for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
        size_t len;
        uint8_t *bytes = listen_load(files[i].name, &len);
        struct listened *whole = listen_from(bytes, len, PLAY_READER_PUSH_MAX, 0);
        for (size_t k = 0; k < sizeof(pieces) / sizeof(pieces[0]); k++) {
            struct listened *split = listen_from(bytes, len, pieces[k], 0);
            assert_same(split, whole);
            free(split);
        }
        free(whole);
        free(bytes);
    }
}

/* Wherever it is cut off: what is there is given, and that it is not all is told or seen. */
static void test_cut_off_anywhere(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
        size_t len, before = 0;
        uint8_t *bytes = listen_load(files[i].name, &len);
        for (size_t n = 0; n < len; n += len / 60 + 1) {
            struct listened *l = listen_to(bytes, n);
            assert_true(l->result == PLAY_READER_OVER || l->result == PLAY_READER_E_BROKEN);
            assert_int_equal(l->result == PLAY_READER_OVER, l->n_packets > 0);
            assert_int_equal(l->result == PLAY_READER_OVER, l->error[0] == 0);
            assert_true(l->n_packets >= before);
            before = l->n_packets;
            free(l);
        }
        free(bytes);
    }
}

static void test_refused(void **state)
{
    (void)state;
    static const struct {
        const char *bytes, *error;
        int result;
    } table[] = {
        {"", "it is empty", PLAY_READER_E_BROKEN},
        {"OggS", "it ends within its first bytes", PLAY_READER_E_BROKEN},
        {"hello, world, hello", "it is neither Ogg nor WebM nor WAV", PLAY_READER_E_UNSUPPORTED},
        {"RIFFxxxxAVI LIST", "it is neither Ogg nor WebM nor WAV", PLAY_READER_E_UNSUPPORTED},
        {"ID3\x03xxxxxxxxxx", "it is MP3: only Ogg Opus, WebM with Opus and WAV can be played",
         PLAY_READER_E_UNSUPPORTED},
        {"xxxxftypisommp42", "it is MP4: only Ogg Opus, WebM with Opus and WAV can be played",
         PLAY_READER_E_UNSUPPORTED},
        {"<!doctype html>", "it is HTML: only Ogg Opus, WebM with Opus and WAV can be played",
         PLAY_READER_E_UNSUPPORTED},
    };
    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        struct listened *l = listen_to(table[i].bytes, strlen(table[i].bytes));
        assert_string_equal(l->error, table[i].error);
        assert_int_equal(l->result, table[i].result);
        free(l);
    }
}

static void test_no_opus(void **state)
{
    (void)state;
    struct listened *l = listen_to_file("vorbis.ogg");
    assert_int_equal(l->result, PLAY_READER_E_UNSUPPORTED);
    assert_string_equal(l->error, "no Opus in it: Vorbis");
    free(l);
    l = listen_to_file("vorbis.webm");
    assert_int_equal(l->result, PLAY_READER_E_UNSUPPORTED);
    assert_string_equal(l->error, "no Opus in it: A_VORBIS");
    free(l);
}

/* From a position on, the packets are those of the whole file; WAV is encoded from there. */
static void test_wound(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
        size_t len;
        uint8_t *bytes = listen_load(files[i].name, &len);
        struct listened *whole = listen_to(bytes, len);
        struct listened *half = listen_from(bytes, len, 4096, whole->end / 2);
        struct listened *none = listen_from(bytes, len, 4096, UINT64_MAX);
        assert_int_equal(half->result, PLAY_READER_OVER);
        assert_int_equal(half->info.duration, whole->info.duration);
        assert_int_equal(half->end, whole->end);
        assert_in_range(half->first_at + 5760, whole->end / 2, whole->end / 2 + 5760);
        assert_int_equal(half->n_firsts, 1);
        assert_int_equal(none->result, PLAY_READER_OVER);
        assert_int_equal(none->n_packets, 0);
        assert_int_equal(none->info.duration, whole->info.duration);
        free(none);
        free(half);
        free(whole);
        free(bytes);
    }
}

static int read_all(const uint8_t *bytes, size_t len)
{
    struct play_reader *r = play_reader_new(0);
    struct play_packet p;
    size_t at = 0;
    int err = r ? PLAY_READER_HUNGRY : -ENOMEM;
    while (err == 0 || err == PLAY_READER_HUNGRY) {
        size_t n = len - at < 4096 ? len - at : 4096;
        if (err == PLAY_READER_HUNGRY && n)
            err = play_reader_push(r, bytes + at, n);
        else if (err == PLAY_READER_HUNGRY)
            play_reader_end(r);
        at += n;
        while ((err == 0 || err == PLAY_READER_HUNGRY) && !(err = play_reader_poll(r, &p)))
            continue;
    }
    play_reader_free(r);
    return err;
}

static void test_no_memory(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
        size_t len;
        uint8_t *bytes = listen_load(files[i].name, &len);
        int err = -ENOMEM;
        unsigned n = 0;
        while (err == -ENOMEM && n < 100) {
            mem_fail_at(++n);
            err = read_all(bytes, len);
            mem_fail_at(0);
        }
        assert_int_equal(err, PLAY_READER_OVER);
        assert_in_range(n, 3, 20);
        free(bytes);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_files_of_others),  cmocka_unit_test(test_split_anywhere),
        cmocka_unit_test(test_cut_off_anywhere), cmocka_unit_test(test_refused),
        cmocka_unit_test(test_no_opus),          cmocka_unit_test(test_wound),
        cmocka_unit_test(test_no_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
