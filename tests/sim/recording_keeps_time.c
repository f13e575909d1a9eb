/*
 * Ten seconds are ten seconds in the file, and what was said stands where it was said: over a lossy
 * line, with silences that are not sent, when the source goes away and when it is another one.
 *
 *     source ─ line ─▶ relay ─▶ tap ─▶ ring ─▶ recorder ─▶ file ─▶ opusdec, ffmpeg ─▶ samples
 *
 * Packets carry virtual time. The writer's thread runs behind it: it is given a ring that holds the
 * whole recording already.
 */
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <spawn.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "engine/tap.h"
#include "record/recorder.h"
#include "relay/fan.h"
#include "unit/record/tone.h"

#define FRAME   (20 * US_PER_MS)
#define N       500 /* frames: ten seconds */
#define LENGTH  (N * TONE_FRAME)
#define OFF_BY  960 /* 20 ms: what the length and a beginning may be off [samples] */
#define MAX_PCM (12 * FILE_OPUS_RATE)
#define SECOND  50   /* frames */
#define WINDOW  480  /* 10 ms */
#define HEARD   2000 /* level; the tone's is 5600 */
#define SILENT  (HEARD / 10)
#define AT(s)   ((s)*FILE_OPUS_RATE) /* seconds */

extern char **environ;

static char folder[64];
static int16_t pcm[2 * MAX_PCM]; /* stereo */

/* --- who speaks --- */

struct source {
    struct relay_endpoint relay;
    OpusEncoder *encoder;
    uint32_t ssrc, timestamp;
    uint16_t seq;
};

static const struct peer_codec opus = {
    .id = CODEC_OPUS, .pt = 96, .channels = 2, .clock_rate = FILE_OPUS_RATE};

static void source_init(struct source *s, struct rng *rng)
{
    const struct relay_format emits = {.codecs = &opus, .n_codecs = 1}, hears = {0};
    static const struct relay_ops none = {0};
    s->ssrc = rng_u32(rng);
    s->timestamp = rng_u32(rng);
    s->seq = (uint16_t)rng_u32(rng);
    s->encoder = opus_encoder_create(FILE_OPUS_RATE, 1, OPUS_APPLICATION_VOIP, NULL);
    (void)opus_encoder_ctl(s->encoder, OPUS_SET_DTX(1));
    relay_endpoint_init(&s->relay, &none, s->ssrc, &emits, &hears, rng);
}

static void source_deinit(struct source *s)
{
    relay_endpoint_deinit(&s->relay);
    opus_encoder_destroy(s->encoder);
}

/* --- what happens in the ten seconds --- */

struct scene {
    unsigned lost_percent;
    bool is_jittery;                /* every seventh packet comes behind the next one */
    unsigned off_from, off_until;   /* frames of silence */
    unsigned gone_from, gone_until; /* nothing is sent */
    bool stands_still;              /* and its timestamps do not go on meanwhile */
    unsigned other_from;            /* from this frame on another source is heard; 0 = never */
};

struct stage {
    const struct scene *scene;
    struct rng rng;
    struct source sources[2];
    struct pipeline *pipeline;
    struct pipeline_endpoint *tap;
    struct packet_ring *ring;
    mono_us start;
    struct relay_fan fan;
    uint8_t kept[1500]; /* the packet that comes late */
    size_t kept_len;
};

static void arrive(struct stage *st, struct source *s, mono_us at, const uint8_t *packet,
                   size_t len)
{
    uint8_t data[DGRAM_MAX + 64], spare_data[DGRAM_MAX + 64];
    struct dgram d = {.data = data, .len = len, .cap = sizeof(data)};
    struct dgram spare = {.data = spare_data, .cap = sizeof(spare_data)};
    struct relay_out out;
    memcpy(data, packet, len);
    assert_int_equal(rtp_parse(data, len, &st->fan.packet), 0);
    if (relay_fan_start(&st->fan, &s->relay, at, &d))
        return;
    while (relay_fan_next(&st->fan, &spare, &out))
        continue;
}

static void over_the_line(struct stage *st, struct source *s, unsigned i, const uint8_t *packet,
                          size_t len)
{
    mono_us at = st->start + i * FRAME + 3 * US_PER_MS;
    if (rng_below(&st->rng, 100) < st->scene->lost_percent)
        return;
    if (st->scene->is_jittery && i % 7 == 3 && !st->kept_len) {
        memcpy(st->kept, packet, len);
        st->kept_len = len;
        return;
    }
    arrive(st, s, at, packet, len);
    if (st->kept_len)
        arrive(st, s, at + US_PER_MS, st->kept, st->kept_len);
    st->kept_len = 0;
}

static void speak(struct stage *st, struct source *s, unsigned i)
{
    const struct scene *sc = st->scene;
    uint8_t packet[1500] = {0x80, 96};
    bool is_on = i < sc->off_from || i >= sc->off_until;
    bool is_gone = i >= sc->gone_from && i < sc->gone_until;
    if (is_gone && sc->stands_still)
        return;
    size_t len = is_gone ? 0 : tone_encode(s->encoder, i, is_on, packet + 12, 1400);
    put_be32(packet + 4, s->timestamp);
    s->timestamp += TONE_FRAME;
    if (len <= 2)
        return; /* DTX */
    put_be16(packet + 2, s->seq++);
    put_be32(packet + 8, s->ssrc);
    over_the_line(st, s, i, packet, len + 12);
}

static void stage_begin(struct stage *st, const struct scene *scene)
{
    struct timespec now;
    memset(st, 0, sizeof(*st));
    st->scene = scene;
    rng_init_seeded(&st->rng, 5);
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    st->start = (mono_us)now.tv_sec * US_PER_S - 60 * US_PER_S;
    st->ring = packet_ring_new(1 << 20);
    st->pipeline = pipeline_new(1);
    assert_non_null(st->ring);
    assert_non_null(st->pipeline);
    st->tap = tap_new(st->pipeline, 0, st->ring, &st->rng);
    assert_non_null(st->tap);
    source_init(&st->sources[0], &st->rng);
    source_init(&st->sources[1], &st->rng);
}

static void stage_end(struct stage *st)
{
    source_deinit(&st->sources[0]);
    source_deinit(&st->sources[1]);
    st->tap->ops->free(st->tap);
    pipeline_free(st->pipeline);
    packet_ring_unref(st->ring);
}

static void play_scene(struct stage *st)
{
    relay_connect(&st->sources[0].relay, st->tap->relay);
    for (unsigned i = 0; i < N; i++) {
        unsigned who = st->scene->other_from && i >= st->scene->other_from;
        if (who && i == st->scene->other_from)
            relay_connect(&st->sources[1].relay, st->tap->relay);
        speak(st, &st->sources[who], i);
    }
}

/* --- into a file, and out of it --- */

static void wake(void *user)
{
    assert_int_equal(write(*(int *)user, &(uint64_t){1}, 8), 8);
}

static void write_file(const struct stage *st, enum record_format format, const char *name)
{
    char error[RECORDER_ERROR_MAX];
    int wake_fd = eventfd(0, EFD_CLOEXEC);
    struct rng rng;
    struct recording *rec;
    struct recorder_event event = {.type = RECORDER_STARTED};
    rng_init_seeded(&rng, 1);
    struct recorder *r = recorder_new(
        &(struct recorder_config){
            .folder = folder, .max_recordings = 1, .wake = wake, .wake_user = &wake_fd},
        &rng, error);
    assert_non_null(r);
    const struct recorder_order order = {.format = format, .uri = str_of(name), .ring = st->ring};
    assert_int_equal(recorder_start(r, st->start, &order, &rec), 0);
    recording_stop(rec, st->start + N * FRAME);
    while (event.type != RECORDER_CLOSED) {
        uint64_t n;
        while (!recorder_poll_event(r, RECORDER_CALLS, &event))
            assert_int_equal(read(wake_fd, &n, 8), 8);
        assert_int_not_equal(event.type, RECORDER_FAILED);
    }
    recorder_free(r);
    close(wake_fd);
}

static void run(const char *const argv[])
{
    posix_spawn_file_actions_t actions;
    pid_t pid;
    int status = -1;
    (void)posix_spawn_file_actions_init(&actions);
    (void)posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
    (void)posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0);
    (void)posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0);
    assert_int_equal(
        posix_spawnp(&pid, argv[0], &actions, NULL, (char *const *)(uintptr_t)argv, environ), 0);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
    posix_spawn_file_actions_destroy(&actions);
}

/* @return samples, in pcm */
static size_t decode(enum record_format format, const char *name)
{
    char path[80], raw[80];
    (void)snprintf(path, sizeof(path), "%s/%s", folder, name);
    (void)snprintf(raw, sizeof(raw), "%s/raw", folder);
    if (format == RECORD_OGG)
        run((const char *const[]){"opusdec", "--quiet", "--rate", "48000", "--no-dither", path, raw,
                                  NULL});
    else
        run((const char *const[]){"ffmpeg", "-y", "-i", path, "-f", "s16le", "-ac", "2", "-ar",
                                  "48000", raw, NULL});
    FILE *f = fopen(raw, "rb");
    assert_non_null(f);
    size_t n = fread(pcm, 4, MAX_PCM, f);
    (void)fclose(f);
    (void)unlink(raw);
    (void)unlink(path);
    return n;
}

/* What the checks are about: the scene, decoded. @return samples */
static size_t recorded(enum record_format format, const struct scene *scene)
{
    static struct stage st;
    const char *name = format == RECORD_OGG ? "a.ogg" : "a.webm";
    stage_begin(&st, scene);
    play_scene(&st);
    write_file(&st, format, name);
    stage_end(&st);
    return decode(format, name);
}

static double level(size_t from, size_t until)
{
    return tone_level(pcm + 2 * from, until - from);
}

/* The first sample after `from` from which on something is heard. */
static size_t onset(size_t from)
{
    while (level(from, from + WINDOW) < SILENT) {
        from += WINDOW / 4;
        assert_true(from + WINDOW < LENGTH);
    }
    return from;
}

static void assert_length(size_t n)
{
    assert_in_range(n, LENGTH - OFF_BY, LENGTH + OFF_BY);
}

static void assert_begins(size_t from, size_t at)
{
    assert_in_range(onset(from), at - OFF_BY, at + OFF_BY);
}

/* --- the scenes, each in both formats --- */

static void keeps(enum record_format format, const struct scene *scene, size_t silent_at,
                  size_t speaks_again_at)
{
    assert_length(recorded(format, scene));
    assert_true(level(AT(1) / 2, AT(1)) > HEARD);
    assert_true(level(AT(9), AT(10) - OFF_BY) > HEARD);
    if (!silent_at)
        return;
    assert_true(level(silent_at, speaks_again_at - OFF_BY) < SILENT);
    assert_begins(silent_at, speaks_again_at);
}

static void keeps_in_both(const struct scene *scene, size_t silent_at, size_t speaks_again_at)
{
    keeps(RECORD_OGG, scene, silent_at, speaks_again_at);
    keeps(RECORD_WEBM, scene, silent_at, speaks_again_at);
}

/* Also by a decoder that does not conceal, as FFmpeg's of WebM: nearly all of it is heard. */
static void assert_heard_through(void)
{
    unsigned heard = 0, all = 0;
    for (size_t from = AT(1); from + WINDOW < LENGTH; from += WINDOW, all++)
        heard += level(from, from + WINDOW) > HEARD;
    assert_in_range(heard, all * 9 / 10, all);
}

static void a_tenth_is_lost(void **state)
{
    const struct scene scene = {.lost_percent = 10, .is_jittery = true};
    (void)state;
    keeps(RECORD_OGG, &scene, 0, 0);
    assert_heard_through();
    keeps(RECORD_WEBM, &scene, 0, 0);
    assert_heard_through();
}

static void silence_is_not_sent(void **state)
{
    (void)state;
    const struct scene scene = {
        .lost_percent = 10, .off_from = 2 * SECOND, .off_until = 8 * SECOND};
    keeps_in_both(&scene, AT(3), AT(8));
}

static void the_source_goes_and_comes_back(void **state)
{
    (void)state;
    const struct scene scene = {.gone_from = 3 * SECOND, .gone_until = 7 * SECOND};
    keeps_in_both(&scene, AT(4), AT(7));
}

static void its_timestamps_stand_still_meanwhile(void **state)
{
    (void)state;
    const struct scene scene = {
        .gone_from = 3 * SECOND, .gone_until = 7 * SECOND, .stands_still = true};
    keeps_in_both(&scene, AT(4), AT(7));
}

static void it_is_another_source(void **state)
{
    (void)state;
    const struct scene scene = {
        .gone_from = 3 * SECOND, .gone_until = 6 * SECOND, .other_from = 5 * SECOND};
    keeps_in_both(&scene, AT(4), AT(6));
}

static int set_up(void **state)
{
    (void)state;
    strcpy(folder, "/tmp/duet-sim-recording-XXXXXX");
    return !mkdtemp(folder);
}

static int tear_down(void **state)
{
    (void)state;
    return rmdir(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_tenth_is_lost),
        cmocka_unit_test(silence_is_not_sent),
        cmocka_unit_test(the_source_goes_and_comes_back),
        cmocka_unit_test(its_timestamps_stand_still_meanwhile),
        cmocka_unit_test(it_is_another_source),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
