/*
 * Ten seconds of a real Opus tone over a bad line, into both formats; then decoded by somebody
 * else. Ogg by opusdec, WebM by a walk over its elements and libopus.
 */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <spawn.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/bytes.h"
#include "base/mem.h"
#include "base/rng.h"
#include "record/container.h"
#include "tone.h"

#define BEGAN   INT64_C(1769860800123456) /* 2026-01-31T12:00:00.123456Z */
#define START   (50 * US_PER_S)
#define FRAME   (20 * US_PER_MS)
#define N       500 /* packets: ten seconds */
#define OFFSET  480 /* the first one came 10 ms behind the start [ticks] */
#define TAIL    245 /* and the stop so much behind the last one; not a multiple of a grain */
#define TOTAL   (OFFSET + N * TONE_FRAME + TAIL)
#define TAIL_US (TAIL * 1000 / 48)
#define IN_WEBM (TOTAL + FILE_OPUS_PRE_SKIP) /* the walk skips nothing */
#define MAX_PCM (12 * FILE_OPUS_RATE)

extern char **environ;

static char path[64], decoded[72];
static int fd;
static int16_t pcm[2 * MAX_PCM]; /* stereo */

static int begin(void **state)
{
    (void)state;
    strcpy(path, "/tmp/duet-record-XXXXXX");
    fd = mkstemp(path);
    snprintf(decoded, sizeof(decoded), "%s.raw", path);
    return fd < 0;
}

static int end(void **state)
{
    (void)state;
    close(fd);
    unlink(path);
    unlink(decoded);
    return 0;
}

/* --- a recording --- */

struct line {
    unsigned lost_percent;
    int has_silence; /* three quarters of it, encoded with DTX */
    int is_cut;      /* the end never comes */
};

static void drain(struct record_timeline *t, struct record_container *c, mono_us now)
{
    struct record_piece piece;
    while (record_timeline_poll(t, now, &piece))
        assert_int_equal(record_container_put(c, &piece), 0);
}

static int is_on(const struct line *line, unsigned i)
{
    return !line->has_silence || i < N / 8 || i >= N - N / 8;
}

static void record(enum record_format format, const struct line *line)
{
    static struct record_container c;
    struct record_timeline t;
    struct rng rng;
    uint8_t payload[1500];
    OpusEncoder *encoder = opus_encoder_create(FILE_OPUS_RATE, 1, OPUS_APPLICATION_VOIP, NULL);
    (void)opus_encoder_ctl(encoder, OPUS_SET_DTX(1));
    rng_init_seeded(&rng, 3);
    record_timeline_init(&t);
    record_timeline_start(&t, START);
    assert_int_equal(record_container_begin(&c, format, fd, 1, BEGAN), 0);
    mono_us at = START + OFFSET * 1000 / 48;
    for (unsigned i = 0, seq = 65500; i < N; i++, at += FRAME) {
        size_t len = tone_encode(encoder, i, is_on(line, i), payload, sizeof(payload));
        assert_true(len > 0);
        if (len <= 2)
            continue;
        seq++;
        if (i && rng_below(&rng, 100) < line->lost_percent)
            continue;
        assert_int_equal(
            record_timeline_push(&t, at, (uint16_t)seq, i * TONE_FRAME - 5000U, payload, len), 0);
        drain(&t, &c, at);
    }
    if (!line->is_cut) {
        record_timeline_stop(&t, at + TAIL_US + 1);
        drain(&t, &c, at + FRAME);
        assert_int_equal(record_container_end(&c), 0);
    }
    record_container_deinit(&c);
    record_timeline_deinit(&t);
    opus_encoder_destroy(encoder);
}

/* --- what others hear --- */

static void run(const char *const argv[])
{
    posix_spawn_file_actions_t actions;
    pid_t pid;
    int status = -1;
    (void)posix_spawn_file_actions_init(&actions);
    (void)posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0);
    (void)posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0);
    assert_int_equal(
        posix_spawnp(&pid, argv[0], &actions, NULL, (char *const *)(uintptr_t)argv, environ), 0);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
    posix_spawn_file_actions_destroy(&actions);
}

/* @return samples */
static size_t decode_ogg(void)
{
    const char *const opusdec[] = {"opusdec",     "--quiet", "--rate", "48000",
                                   "--no-dither", path,      decoded,  NULL};
    run(opusdec);
    FILE *f = fopen(decoded, "rb");
    assert_non_null(f);
    size_t n = fread(pcm, 4, MAX_PCM, f);
    fclose(f);
    return n;
}

struct webm {
    OpusDecoder *decoder;
    size_t n;         /* samples */
    uint64_t cluster; /* ms */
    unsigned clusters, cues;
    double duration; /* ms; 0 = not told */
    const uint8_t *segment;
    uint64_t cues_at;
};

static uint64_t number(const uint8_t *p, size_t len)
{
    uint64_t v = 0;
    while (len--)
        v = v << 8 | *p++;
    return v;
}

static void block(struct webm *w, const uint8_t *p, size_t len)
{
    assert_int_equal(p[0], 0x81);
    uint64_t at = w->cluster + get_be16(p + 1);
    uint64_t here = (w->n + 24) / 48;
    assert_int_equal(at, here); /* nothing is left out: positions are what was decoded */
    int n = opus_decode(w->decoder, p + 4, (opus_int32)(len - 4), pcm + 2 * w->n, 5760, 0);
    assert_true(n > 0);
    w->n += (size_t)n;
}

static void walk(struct webm *w, const uint8_t *p, size_t len);

static void element(struct webm *w, uint32_t id, const uint8_t *p, size_t len)
{
    uint64_t bits;
    switch (id) {
    case 0x18538067: /* Segment */
        w->segment = p;
        walk(w, p, len);
        break;
    case 0x1f43b675: /* Cluster */
        w->clusters++;
        walk(w, p, len);
        break;
    case 0x1a45dfa3: /* EBML */
    case 0x114d9b74: /* SeekHead */
    case 0x4dbb:
    case 0x1549a966: /* Info */
    case 0x1654ae6b: /* Tracks */
    case 0xae:
    case 0xe1:
    case 0xbb: /* Cues */
    case 0xb7:
        walk(w, p, len);
        break;
    case 0x1c53bb6b:
        assert_int_equal(p - w->segment - 12, w->cues_at);
        walk(w, p, len);
        break;
    case 0x53ac:
        w->cues_at = number(p, len);
        break;
    case 0xf1: /* where a cluster is */
        w->cues++;
        assert_int_equal(get_be32(w->segment + number(p, len)), 0x1f43b675);
        break;
    case 0xe7:
        w->cluster = number(p, len);
        break;
    case 0x4489:
        bits = number(p, len);
        memcpy(&w->duration, &bits, 8);
        break;
    case 0xa3:
        block(w, p, len);
        break;
    default:
        break;
    }
}

static void walk(struct webm *w, const uint8_t *p, size_t len)
{
    while (len) {
        size_t id_len = (size_t)__builtin_clz(p[0]) - 23;
        size_t size_len = (size_t)__builtin_clz(p[id_len]) - 23;
        assert_in_range(id_len, 1, 4);
        assert_in_range(size_len, 1, 8);
        assert_true(id_len + size_len <= len);
        uint64_t size = number(p + id_len, size_len) & ((UINT64_C(1) << (7 * size_len)) - 1);
        size_t head = id_len + size_len;
        if (size == (UINT64_C(1) << 56) - 1)
            size = len - head; /* unknown: to the end */
        assert_true(size <= len - head);
        element(w, (uint32_t)number(p, id_len), p + head, (size_t)size);
        p += head + size;
        len -= head + size;
    }
}

static struct webm decode_webm(void)
{
    struct stat st;
    struct webm w = {.decoder = opus_decoder_create(FILE_OPUS_RATE, 2, NULL)};
    assert_int_equal(fstat(fd, &st), 0);
    uint8_t *file = malloc((size_t)st.st_size);
    assert_int_equal(pread(fd, file, (size_t)st.st_size, 0), st.st_size);
    walk(&w, file, (size_t)st.st_size);
    opus_decoder_destroy(w.decoder);
    free(file);
    return w;
}

static void assert_tone(unsigned second, double at_least)
{
    double share = tone_share(pcm + 2 * second * FILE_OPUS_RATE, FILE_OPUS_RATE);
    if (share < at_least)
        fail_msg("second %u: %.3f of the energy is the tone", second, share);
}

static void assert_silence_between(void)
{
    assert_tone(0, 0.9);
    assert_true(tone_level(pcm + 2 * 3 * FILE_OPUS_RATE, 4 * FILE_OPUS_RATE) < 30);
    assert_true(tone_share(pcm + 2 * (9 * FILE_OPUS_RATE), FILE_OPUS_RATE) > 0.9);
}

static int file_has(const void *bytes, size_t len)
{
    static uint8_t head[1024];
    ssize_t n = pread(fd, head, sizeof(head), 0);
    return n > 0 && memmem(head, (size_t)n, bytes, len) != NULL;
}

/* --- Ogg --- */

static void test_ogg(void **state)
{
    (void)state;
    record(RECORD_OGG, &(struct line){0});
    assert_int_equal(decode_ogg(), TOTAL);
    for (unsigned second = 0; second < 10; second++)
        assert_tone(second, 0.95);
    const char *const opusinfo[] = {"opusinfo", "-q", path, NULL};
    run(opusinfo);
    assert_true(file_has("DATE=2026-01-31T12:00:00.123456Z", 32));
}

static void test_ogg_loss(void **state)
{
    (void)state;
    record(RECORD_OGG, &(struct line){.lost_percent = 10});
    assert_int_equal(decode_ogg(), TOTAL);
    for (unsigned second = 0; second < 10; second++)
        assert_tone(second, 0.6);
}

static void test_ogg_silence(void **state)
{
    (void)state;
    record(RECORD_OGG, &(struct line){.has_silence = 1, .lost_percent = 2});
    assert_int_equal(decode_ogg(), TOTAL);
    assert_silence_between();
}

static void test_ogg_cut_off(void **state)
{
    (void)state;
    record(RECORD_OGG, &(struct line){.is_cut = 1});
    size_t n = decode_ogg();
    assert_true(n <= TOTAL && n >= TOTAL - FILE_OPUS_RATE - 2 * TONE_FRAME);
    assert_tone(5, 0.95);
}

/* --- WebM --- */

static void test_webm(void **state)
{
    (void)state;
    record(RECORD_WEBM, &(struct line){.lost_percent = 10});
    struct webm w = decode_webm();
    assert_true(w.duration == (double)TOTAL / 48);
    uint8_t date[11] = {0x44, 0x61, 0x88};
    put_be64(date + 3, (BEGAN - 978307200 * US_PER_S) * 1000);
    assert_true(file_has(date, sizeof(date)));
    assert_in_range(w.n, IN_WEBM, IN_WEBM + FILE_OPUS_GRAIN - 1);
    assert_in_range(w.clusters, 10, 11);
    assert_int_equal(w.cues, 2);
    for (unsigned second = 0; second < 10; second++)
        assert_tone(second, 0.6);
}

static void test_webm_silence(void **state)
{
    (void)state;
    record(RECORD_WEBM, &(struct line){.has_silence = 1});
    assert_in_range(decode_webm().n, IN_WEBM, IN_WEBM + FILE_OPUS_GRAIN - 1);
    assert_silence_between();
}

static void test_webm_cut_off(void **state)
{
    (void)state;
    record(RECORD_WEBM, &(struct line){.is_cut = 1});
    struct webm w = decode_webm();
    assert_true(w.duration == 0);
    assert_true(w.n >= TOTAL - FILE_OPUS_RATE - 2 * TONE_FRAME);
    assert_tone(5, 0.95);
}

/* --- both --- */

static void test_empty(void **state)
{
    (void)state;
    struct record_container c;
    assert_int_equal(record_container_begin(&c, RECORD_OGG, fd, 1, BEGAN), 0);
    assert_int_equal(record_container_end(&c), 0);
    record_container_deinit(&c);
    assert_int_equal(decode_ogg(), 0);
    assert_int_equal(ftruncate(fd, 0), 0);
    lseek(fd, 0, SEEK_SET);
    assert_int_equal(record_container_begin(&c, RECORD_WEBM, fd, 1, BEGAN), 0);
    assert_int_equal(record_container_end(&c), 0);
    record_container_deinit(&c);
    assert_in_range(decode_webm().n, FILE_OPUS_PRE_SKIP, FILE_OPUS_PRE_SKIP + FILE_OPUS_GRAIN);
}

/* What is in memory goes to the file without waiting for more. */
static void test_flush(void **state)
{
    (void)state;
    static const uint8_t frame[] = {31 << 3, 1, 2, 3};
    const struct record_piece pieces[] = {{0, 960, frame, 4}, {960, 960, frame, 4}};
    for (enum record_format format = RECORD_OGG; format <= RECORD_WEBM; format++) {
        struct record_container c;
        struct stat before, after;
        assert_int_equal(record_container_begin(&c, format, fd, 1, BEGAN), 0);
        assert_int_equal(record_container_put(&c, &pieces[0]), 0);
        assert_int_equal(record_container_put(&c, &pieces[1]), 0);
        fstat(fd, &before);
        assert_int_equal(record_container_flush(&c), 0);
        fstat(fd, &after);
        assert_true(after.st_size > before.st_size);
        assert_int_equal(record_container_flush(&c), 0); /* nothing more to say */
        fstat(fd, &before);
        assert_int_equal(after.st_size, before.st_size);
        record_container_deinit(&c);
    }
}

static void test_disk_full(void **state)
{
    (void)state;
    int full = open("/dev/full", O_WRONLY | O_CLOEXEC);
    struct record_container c;
    for (enum record_format format = RECORD_OGG; format <= RECORD_WEBM; format++) {
        assert_int_equal(record_container_begin(&c, format, full, 1, BEGAN), -ENOSPC);
        record_container_deinit(&c);
    }
    close(full);
}

static int whole_life(enum record_format format)
{
    struct record_container c;
    static const uint8_t frame[] = {31 << 3, 1, 2, 3};
    int err = record_container_begin(&c, format, fd, 1, BEGAN);
    for (uint64_t i = 0; i < 200 && !err; i++)
        err = record_container_put(&c, &(struct record_piece){i * 960, 960, frame, 4});
    if (!err)
        err = record_container_end(&c);
    record_container_deinit(&c);
    return err;
}

static void test_no_memory(void **state)
{
    (void)state;
    for (enum record_format format = RECORD_OGG; format <= RECORD_WEBM; format++) {
        int err = -ENOMEM;
        unsigned n = 0;
        while (err == -ENOMEM && n < 100) {
            mem_fail_at(++n);
            err = whole_life(format);
            mem_fail_at(0);
        }
        assert_int_equal(err, 0);
        assert_true(n > 1);
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_ogg),   TEST(test_ogg_loss),     TEST(test_ogg_silence),  TEST(test_ogg_cut_off),
        TEST(test_webm),  TEST(test_webm_silence), TEST(test_webm_cut_off), TEST(test_empty),
        TEST(test_flush), TEST(test_disk_full),    TEST(test_no_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
