/*
 * Calls of a real engine recorded to real files, and played again: when it begins, what is known of
 * it meanwhile, and what happens without memory, without a file, and with too many of them.
 */
#include <dirent.h>
#include <pthread.h>
#include <sys/stat.h>

#include "media/playing.h"
#include "unit/engine/bench.h"

#define PLAY_CALL 50
#define PLAY_ID   bench_id(PLAY_CALL)

static char folder[] = "/tmp/duet-media-recording-XXXXXX";
static const struct str files[MEDIA_LEGS] = {{"caller.webm", 11}, {"callee.webm", 11}};

struct studio {
    struct bench *b;
    struct recorder *recorder;
    struct player *player;
    struct media_recordings recordings;
    struct media_playings playings;
};

/* A disk that does not answer: the writer waits here as long as the test holds it. */
static pthread_mutex_t disk = PTHREAD_MUTEX_INITIALIZER;

static void wake_studio(void *user)
{
    assert_int_equal(pthread_mutex_lock(&disk), 0);
    assert_int_equal(pthread_mutex_unlock(&disk), 0);
    bench_wake(user);
}

static void open_studio(struct studio *s, unsigned max_files)
{
    char error[RECORDER_ERROR_MAX];
    s->b = bench_new();
    s->recorder = recorder_new(
        &(struct recorder_config){
            .folder = folder, .max_recordings = max_files, .wake = wake_studio, .wake_user = s->b},
        &s->b->rng, error);
    s->player = player_new(
        &(struct player_config){
            .rights = {[PLAYER_CALLS] = {.folder = folder, .setting = "recording.dir"}},
            .max_playings = max_files,
            .wake = bench_wake,
            .wake_user = s->b},
        error);
    assert_true(s->recorder && s->player);
    media_recordings_init(&s->recordings, s->b->engine, s->recorder, &s->b->rng);
    media_playings_init(&s->playings, s->b->engine, s->player, &s->recordings, &s->b->rng);
}

/* In the order of docs/teardown.md. */
static void close_studio(struct studio *s)
{
    engine_free(s->b->engine);
    s->b->engine = NULL;
    media_playings_deinit(&s->playings);
    media_recordings_deinit(&s->recordings);
    player_free(s->player);
    recorder_free(s->recorder);
    bench_free(s->b);
    for (int leg = 0; leg < MEDIA_LEGS; leg++) {
        char path[64];
        (void)snprintf(path, sizeof(path), "%s/%s", folder, files[leg].p);
        (void)unlink(path);
    }
}

/* @return bytes; -1 = there is none */
static long size_of(unsigned leg)
{
    char path[64];
    struct stat st;
    (void)snprintf(path, sizeof(path), "%s/%s", folder, files[leg].p);
    return stat(path, &st) ? -1 : (long)st.st_size;
}

/* Descriptors of recordings. */
static unsigned n_open_files(void)
{
    char path[300], target[300];
    unsigned n = 0;
    DIR *dir = opendir("/proc/self/fd");
    assert_non_null(dir);
    for (const struct dirent *entry; (entry = readdir(dir));) {
        (void)snprintf(path, sizeof(path), "/proc/self/fd/%s", entry->d_name);
        ssize_t len = readlink(path, target, sizeof(target) - 1);
        target[len < 0 ? 0 : len] = 0;
        n += str_starts_with(str_of(target), str_of(folder)) && strstr(target, ".webm");
    }
    (void)closedir(dir);
    return n;
}

static void until_all_is_closed(struct studio *s)
{
    for (media_recordings_poll(&s->recordings); s->recordings.calls.n;
         media_recordings_poll(&s->recordings))
        bench_turn(s->b, bench_now() + US_PER_S);
    assert_int_equal(n_open_files(), 0);
}

/* Browsers 0 and 1 are connected to one another, and say something. */
static void talk(struct studio *s, uint16_t from, uint16_t to, const uint8_t *payload, size_t len)
{
    struct bench *b = s->b;
    for (uint16_t seq = from; seq <= to; seq++) {
        browser_send(&b->browsers[0], seq, payload, len);
        browser_send(&b->browsers[1], seq, payload, len);
        while (b->browsers[0].n_rtp < seq || b->browsers[1].n_rtp < seq)
            bench_turn(b, bench_now() + US_PER_S);
    }
}

static void scene_recorded(struct studio *s)
{
    assert_int_equal(media_recordings_expect(&s->recordings, bench_id(0), files), 0);
    bench_call(s->b, 0);
    bench_wait(s->b, is_connected, 0);
    media_recordings_connected(&s->recordings, bench_now(), bench_id(0), MEDIA_CALLER);
    assert_false(media_recordings_is_open(&s->recordings, files[0]));
    media_recordings_connected(&s->recordings, bench_now(), bench_id(0), MEDIA_CALLEE);
    talk(s, 1, 16, bench_payload, sizeof(bench_payload));
}

static void it_begins_with_the_second_leg_and_ends_with_the_call(void **state)
{
    struct studio s;
    (void)state;
    open_studio(&s, 8);
    media_recordings_connected(&s.recordings, bench_now(), bench_id(9), MEDIA_CALLER);
    scene_recorded(&s);
    assert_true(media_recordings_is_open(&s.recordings, files[0]));
    assert_true(media_recordings_is_open(&s.recordings, files[1]));
    assert_false(media_recordings_is_open(&s.recordings, STR("another.webm")));
    media_recordings_connected(&s.recordings, bench_now(), bench_id(0), MEDIA_CALLEE);
    media_recordings_release(&s.recordings, bench_now(), bench_id(0));
    media_recordings_release(&s.recordings, bench_now(), bench_id(0));
    media_recordings_connected(&s.recordings, bench_now(), bench_id(0), MEDIA_CALLER);
    engine_pipeline_release(s.b->engine, bench_id(0));
    until_all_is_closed(&s);
    assert_false(media_recordings_is_open(&s.recordings, files[0]));
    assert_true(size_of(0) > 100 && size_of(1) > 100);
    close_studio(&s);
}

/* The next change; others of the recorder's events may come before it. */
static void next_change(struct studio *s, bool is_recorded[MEDIA_LEGS])
{
    uint64_t id;
    for (media_recordings_poll(&s->recordings);
         !media_recordings_poll_change(&s->recordings, &id, is_recorded);
         media_recordings_poll(&s->recordings))
        bench_turn(s->b, bench_now() + US_PER_S);
    assert_true(id == bench_id(0));
}

static void until_told(struct studio *s, bool caller, bool callee)
{
    bool is_recorded[MEDIA_LEGS];
    uint64_t id;
    next_change(s, is_recorded);
    assert_int_equal(is_recorded[MEDIA_CALLER], caller);
    assert_int_equal(is_recorded[MEDIA_CALLEE], callee);
    assert_false(media_recordings_poll_change(&s->recordings, &id, is_recorded));
}

static void remove_file(unsigned leg)
{
    char path[64];
    (void)snprintf(path, sizeof(path), "%s/%s", folder, files[leg].p);
    assert_int_equal(unlink(path), 0);
}

/* A file that somebody deletes is not a recording any more, though writing to it goes on well. */
static void what_is_recorded_is_told(void **state)
{
    struct studio s;
    (void)state;
    open_studio(&s, 8);
    scene_recorded(&s);
    until_told(&s, true, true);
    remove_file(MEDIA_CALLEE);
    until_told(&s, true, false);
    remove_file(MEDIA_CALLER);
    until_told(&s, false, false);
    media_recordings_release(&s.recordings, bench_now(), bench_id(0));
    until_all_is_closed(&s);
    close_studio(&s);
}

/* The writer hangs from here on, with the failure of a recording of somebody else. */
static void disk_stops(struct studio *s)
{
    struct packet_ring *ring = packet_ring_new(PACKET_RING_MIN);
    const struct recorder_order order = {
        .front = RECORDER_PIPELINES, .uri = STR("none/a.webm"), .ring = ring};
    struct recording *another;
    assert_non_null(ring);
    assert_int_equal(pthread_mutex_lock(&disk), 0);
    assert_int_equal(recorder_start(s->recorder, bench_now(), &order, &another), 0);
    packet_ring_unref(ring);
    recording_forget(another, bench_now());
}

static void what_a_disk_has_no_time_for_is_not_recorded(void **state)
{
    static const uint8_t long_frame[400] = {0x78};
    struct studio s;
    (void)state;
    open_studio(&s, 8);
    scene_recorded(&s);
    until_told(&s, true, true);
    mono_us now = bench_now() + US_PER_S;
    assert_false(media_recordings_look(&s.recordings, now, bench_id(0)));
    disk_stops(&s);
    talk(&s, 17, 17 + RECORDER_RING / sizeof(long_frame), long_frame, sizeof(long_frame));
    bool is_too_early = media_recordings_look(&s.recordings, now + 1, bench_id(0));
    bool is_seen = media_recordings_look(&s.recordings, now + US_PER_S, bench_id(0));
    assert_int_equal(pthread_mutex_unlock(&disk), 0);
    assert_false(is_too_early);
    assert_true(is_seen);
    until_told(&s, false, false);
    assert_false(media_recordings_look(&s.recordings, now + US_PER_S + 1, bench_id(0)));
    assert_true(media_recordings_look(&s.recordings, now + 2 * US_PER_S, bench_id(0)));
    until_told(&s, true, true);
    assert_false(media_recordings_look(&s.recordings, now + 3 * US_PER_S, bench_id(0)));
    assert_false(media_recordings_look(&s.recordings, now, bench_id(9)));
    media_recordings_release(&s.recordings, bench_now(), bench_id(0));
    until_all_is_closed(&s);
    close_studio(&s);
}

static void a_file_that_is_still_being_opened_is_no_recording(void **state)
{
    static const uint8_t long_frame[400] = {0x78};
    struct studio s;
    (void)state;
    open_studio(&s, 8);
    disk_stops(&s);
    scene_recorded(&s);
    mono_us now = bench_now() + US_PER_S;
    bool is_known = media_recordings_look(&s.recordings, now, bench_id(0));
    talk(&s, 17, 17 + RECORDER_RING / sizeof(long_frame), long_frame, sizeof(long_frame));
    bool is_seen = media_recordings_look(&s.recordings, now + US_PER_S, bench_id(0));
    until_told(&s, false, false);
    bool is_back = media_recordings_look(&s.recordings, now + 2 * US_PER_S, bench_id(0));
    assert_int_equal(pthread_mutex_unlock(&disk), 0);
    assert_false(is_known || is_back);
    assert_true(is_seen);
    bool is_recorded[MEDIA_LEGS] = {false, false};
    while (!is_recorded[MEDIA_CALLER] || !is_recorded[MEDIA_CALLEE])
        next_change(&s, is_recorded); /* one file may be open before the other */
    media_recordings_release(&s.recordings, bench_now(), bench_id(0));
    until_all_is_closed(&s);
    close_studio(&s);
}

static void a_call_that_never_connects_leaves_nothing(void **state)
{
    struct studio s;
    (void)state;
    open_studio(&s, 8);
    assert_int_equal(media_recordings_expect(&s.recordings, bench_id(0), files), 0);
    media_recordings_connected(&s.recordings, bench_now(), bench_id(0), MEDIA_CALLER);
    media_recordings_connected(&s.recordings, bench_now(), bench_id(0), MEDIA_CALLER);
    media_recordings_release(&s.recordings, bench_now(), bench_id(0));
    assert_int_equal(s.recordings.calls.n, 0);
    assert_int_equal(size_of(0), -1);
    close_studio(&s);
}

/* One file may be written: of the other leg there is none, and the two go on talking. */
static void too_many_files(void **state)
{
    struct studio s;
    (void)state;
    open_studio(&s, 1);
    scene_recorded(&s);
    assert_true(media_recordings_is_open(&s.recordings, files[0]));
    assert_false(media_recordings_is_open(&s.recordings, files[1]));
    until_told(&s, true, false);
    media_recordings_release(&s.recordings, bench_now(), bench_id(0));
    until_all_is_closed(&s);
    assert_true(size_of(0) > 100);
    assert_int_equal(size_of(1), -1);
    close_studio(&s);
}

/* Nothing is left over, whichever allocation fails, and the call is not concerned. */
static void recording_without_memory(void **state)
{
    struct studio s;
    unsigned n_failed = 0;
    (void)state;
    open_studio(&s, 64);
    for (unsigned n = 1; n <= 24; n++) {
        const uint64_t id = bench_id(n);
        bench_call(s.b, n);
        bench_wait(s.b, is_connected, n);
        mem_fail_at(n);
        int err = media_recordings_expect(&s.recordings, id, files);
        if (!err) {
            media_recordings_connected(&s.recordings, bench_now(), id, MEDIA_CALLER);
            media_recordings_connected(&s.recordings, bench_now(), id, MEDIA_CALLEE);
        }
        mem_fail_at(0);
        n_failed += err || !media_recordings_is_open(&s.recordings, files[0]) ||
                    !media_recordings_is_open(&s.recordings, files[1]);
        assert_false(s.b->calls[n].ended[0] || s.b->calls[n].ended[1]);
        media_recordings_release(&s.recordings, bench_now(), id);
        until_all_is_closed(&s);
        engine_pipeline_release(s.b->engine, id);
        bench_wait(s.b, is_gone, n);
    }
    assert_in_range(n_failed, 8, 20);
    close_studio(&s);
}

/* ---- playing ---- */

static void listen_to(struct studio *s, struct str file)
{
    struct browser *br = browser_open(s->b, 100, "chromium_audio.sdp");
    struct engine_answer *answer = &s->b->answers->legs[0];
    assert_int_equal(media_playings_start(&s->playings, bench_now(), PLAY_ID, file,
                                          str_of(br->offer), answer, s->b->answers->error),
                     0);
    assert_non_null(strstr(answer->sdp, "a=sendonly"));
    browser_answered(s->b, br, answer);
    browser_trickle(s->b, PLAY_ID, 0, br);
}

static bool listener_is_connected(struct bench *b, unsigned call)
{
    return b->calls[call].connected[0] && b->browsers[100].connected;
}

/* It is asked for while it is still written; what is heard is all of it. */
static void it_is_played_when_it_is_whole(void **state)
{
    struct studio s;
    uint64_t id;
    enum media_end end;
    (void)state;
    open_studio(&s, 8);
    scene_recorded(&s);
    listen_to(&s, files[1]);
    assert_false(media_playings_poll(&s.playings, &id, &end));
    assert_false(list_is_empty(&s.playings.waiting));
    bench_wait(s.b, listener_is_connected, PLAY_CALL);
    media_playings_connected(&s.playings, PLAY_ID);

    media_recordings_release(&s.recordings, bench_now(), bench_id(0));
    engine_pipeline_release(s.b->engine, bench_id(0));
    until_all_is_closed(&s);
    assert_int_equal(s.b->browsers[100].n_rtp, 0);
    assert_false(media_playings_poll(&s.playings, &id, &end));
    assert_true(list_is_empty(&s.playings.waiting));
    const struct browser *br = &s.b->browsers[100];
    bool is_heard = false;
    while (!s.b->calls[PLAY_CALL].n_played || br->n_rtp < 16) {
        bench_turn(s.b, bench_now() + US_PER_S);
        is_heard |= br->n_rtp && memcmp(br->rtp_data + br->rtp.header_len, bench_payload,
                                        sizeof(bench_payload)) == 0;
    }
    assert_true(is_heard);
    assert_false(media_playings_poll(&s.playings, &id, &end));
    media_playings_release(&s.playings, PLAY_ID);
    media_playings_release(&s.playings, PLAY_ID);
    engine_pipeline_release(s.b->engine, PLAY_ID);
    bench_wait(s.b, is_gone, PLAY_CALL);
    close_studio(&s);
}

static void what_is_no_recording(void **state)
{
    struct studio s;
    uint64_t id;
    enum media_end end;
    (void)state;
    open_studio(&s, 8);
    listen_to(&s, STR("missing.webm"));
    while (!media_playings_poll(&s.playings, &id, &end))
        bench_turn(s.b, bench_now() + US_PER_S);
    assert_true(id == PLAY_ID);
    assert_int_equal(end, MEDIA_END_UNREADABLE);
    assert_false(media_playings_poll(&s.playings, &id, &end));
    media_playings_release(&s.playings, PLAY_ID);
    assert_int_equal(s.playings.by_id.n, 0);
    close_studio(&s);
}

/* What is left is a released pipeline, as the engine ends them. */
static void playing_without_memory(void **state)
{
    struct studio s;
    unsigned n_failed = 0;
    (void)state;
    open_studio(&s, 1);
    const struct browser *br = browser_open(s.b, 100, "chromium_audio.sdp");
    for (unsigned n = 1; n <= 60; n++) {
        const uint64_t id = bench_id(n);
        mem_fail_at(n);
        int err = media_playings_start(&s.playings, bench_now(), id, files[0], str_of(br->offer),
                                       &s.b->answers->legs[0], s.b->answers->error);
        mem_fail_at(0);
        n_failed += err != 0;
        assert_true(err == 0 || err == -ENOMEM || err == -EBUSY);
        assert_int_equal(s.playings.by_id.n, err == 0);
        media_playings_release(&s.playings, id);
        engine_pipeline_release(s.b->engine, id);
        if (!err)
            break; /* there were no more to fail */
        while (engine_n_pipelines(s.b->engine))
            bench_turn(s.b, bench_now() + US_PER_S);
    }
    assert_in_range(n_failed, 10, 59);
    assert_int_equal(media_playings_start(&s.playings, bench_now(), bench_id(70), files[0],
                                          STR("v=0"), &s.b->answers->legs[0], s.b->answers->error),
                     ENGINE_E_OFFER);
    assert_int_equal(s.playings.by_id.n, 0);
    close_studio(&s);
}

static int make_folder(void **state)
{
    (void)state;
    return mkdtemp(folder) ? 0 : -1;
}

static int remove_folder(void **state)
{
    (void)state;
    return rmdir(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_begins_with_the_second_leg_and_ends_with_the_call),
        cmocka_unit_test(what_is_recorded_is_told),
        cmocka_unit_test(what_a_disk_has_no_time_for_is_not_recorded),
        cmocka_unit_test(a_file_that_is_still_being_opened_is_no_recording),
        cmocka_unit_test(a_call_that_never_connects_leaves_nothing),
        cmocka_unit_test(too_many_files),
        cmocka_unit_test(recording_without_memory),
        cmocka_unit_test(it_is_played_when_it_is_whole),
        cmocka_unit_test(what_is_no_recording),
        cmocka_unit_test(playing_without_memory),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
