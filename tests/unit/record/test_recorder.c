/* The writer with real files: what is told, in which order, and what is in the file then. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/bytes.h"
#include "base/mem.h"
#include "file/date.h"
#include "record/recorder.h"

#define FRAME   (20 * US_PER_MS)
#define RTP_LEN (12 + 60)

static char folder[64], path[80];
static int wake_fd;
static struct rng rng;
static struct recorder *r;
static struct packet_ring *ring;
static struct recorder_event event;
/* A disk that does not answer: the writer waits here as long as the test holds it. */
static pthread_mutex_t disk = PTHREAD_MUTEX_INITIALIZER;

static void wake(void *user)
{
    (void)user;
    assert_int_equal(pthread_mutex_lock(&disk), 0);
    assert_int_equal(pthread_mutex_unlock(&disk), 0);
    assert_int_equal(write(wake_fd, &(uint64_t){1}, 8), 8);
}

static const struct recorder_config config = {.folder = folder, .max_recordings = 2, .wake = wake};
static mono_us start; /* some seconds ago: what is recorded lies in the past */

static int begin(void **state)
{
    char error[RECORDER_ERROR_MAX];
    struct timespec now;
    (void)state;
    strcpy(folder, "/tmp/duet-recorder-XXXXXX");
    if (!mkdtemp(folder))
        return -1;
    (void)snprintf(path, sizeof(path), "%s/a", folder);
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    start = (mono_us)now.tv_sec * US_PER_S - 20 * US_PER_S;
    wake_fd = eventfd(0, EFD_CLOEXEC);
    rng_init_seeded(&rng, 1);
    ring = packet_ring_new(RECORDER_RING);
    r = recorder_new(&config, &rng, error);
    return !r || !ring;
}

static int end(void **state)
{
    (void)state;
    recorder_free(r);
    packet_ring_unref(ring);
    close(wake_fd);
    (void)unlink(path);
    return rmdir(folder);
}

/* The next event; the test's own time limit ends it when none comes. */
static void wait_for(enum recorder_event_type type, const struct recording *rec)
{
    while (!recorder_poll_event(r, RECORDER_PIPELINES, &event)) {
        uint64_t n;
        assert_int_equal(read(wake_fd, &n, 8), 8);
    }
    assert_int_equal(event.type, type);
    assert_ptr_equal(event.recording, rec);
    assert_ptr_equal(event.user, &start);
}

static int try_to_record(const char *name, enum record_format format, struct recording **ret)
{
    const struct recorder_order order = {.front = RECORDER_PIPELINES,
                                         .format = format,
                                         .uri = str_of(name),
                                         .ring = ring,
                                         .user = &start};
    return recorder_start(r, start, &order, ret);
}

static struct recording *record(const char *name, enum record_format format)
{
    struct recording *rec = NULL;
    assert_int_equal(try_to_record(name, format, &rec), 0);
    return rec;
}

static void push(mono_us at, unsigned from, unsigned n)
{
    uint8_t packet[RTP_LEN] = {0x80, 111};
    packet[12] = 31 << 3;
    for (unsigned i = from; i < from + n; i++, at += FRAME) {
        put_be16(packet + 2, (uint16_t)i);
        put_be32(packet + 4, i * 960);
        assert_true(packet_ring_push(ring, at, packet, sizeof(packet)));
    }
}

/* Position of the last page: the length that players show, and whether it says it is the last. */
static uint64_t length_of_ogg(bool *ret_is_ended)
{
    static uint8_t file[1 << 17];
    uint64_t position = 0;
    FILE *f = fopen(path, "rb");
    assert_non_null(f);
    size_t len = fread(file, 1, sizeof(file), f);
    fclose(f);
    for (size_t i = 0; i + 27 < len; i++) {
        if (memcmp(file + i, "OggS", 4) == 0) {
            position = __builtin_bswap64(get_be64(file + i + 6));
            *ret_is_ended = file[i + 5] & 4;
        }
    }
    return position < FILE_OPUS_PRE_SKIP ? 0 : position - FILE_OPUS_PRE_SKIP;
}

static void assert_ended_ogg(uint64_t ticks)
{
    bool is_ended = false;
    assert_int_equal(length_of_ogg(&is_ended), ticks);
    assert_true(is_ended);
}

static void test_recording(void **state)
{
    (void)state;
    struct recording *rec = record("a", RECORD_OGG);
    wait_for(RECORDER_STARTED, rec);
    push(start + FRAME, 0, 200);
    recording_stop(rec, start + 205 * FRAME);
    wait_for(RECORDER_CLOSED, rec);
    assert_false(recorder_poll_event(r, RECORDER_PIPELINES, &event));
    assert_ended_ogg(205 * 960);
}

static void test_pause(void **state)
{
    (void)state;
    struct recording *rec = record("a", RECORD_OGG);
    push(start, 0, 100);
    assert_int_equal(recording_pause(rec, start + 100 * FRAME), 0);
    wait_for(RECORDER_STARTED, rec);
    wait_for(RECORDER_PAUSED, rec);
    push(start + 100 * FRAME, 100, 100); /* not recorded */
    assert_int_equal(recording_resume(rec, start + 200 * FRAME), 0);
    wait_for(RECORDER_RESUMED, rec);
    push(start + 200 * FRAME, 200, 50);
    assert_int_equal(recording_pause(rec, start + 250 * FRAME), 0);
    assert_int_equal(recording_pause(rec, start + 260 * FRAME), 0); /* it is already */
    recording_stop(rec, start + 300 * FRAME);
    wait_for(RECORDER_PAUSED, rec);
    wait_for(RECORDER_PAUSED, rec);
    wait_for(RECORDER_CLOSED, rec);
    assert_ended_ogg(150 * 960);
}

/* When it began is told by the wall clock: some seconds ago, as here every recording. */
static void test_when_it_began(void **state)
{
    (void)state;
    static char file[4096];
    struct timespec now, mono;
    int64_t began = 0;
    struct recording *rec = record("a", RECORD_OGG);
    wait_for(RECORDER_STARTED, rec);
    recording_stop(rec, start + FRAME);
    wait_for(RECORDER_CLOSED, rec);
    (void)clock_gettime(CLOCK_REALTIME, &now);
    (void)clock_gettime(CLOCK_MONOTONIC, &mono);
    FILE *f = fopen(path, "rb");
    size_t len = fread(file, 1, sizeof(file), f);
    fclose(f);
    const char *date = memmem(file, len, FILE_DATE_KEY, strlen(FILE_DATE_KEY));
    assert_non_null(date);
    date += strlen(FILE_DATE_KEY);
    assert_true(file_date_read((struct str){date, strlen("2026-01-31T12:00:00.123456Z")}, &began));
    mono_us ago = (mono_us)mono.tv_sec * US_PER_S + mono.tv_nsec / 1000 - start;
    int64_t expected = (int64_t)now.tv_sec * US_PER_S + now.tv_nsec / 1000 - ago;
    assert_true(began > expected - 5 * US_PER_S && began < expected + 5 * US_PER_S);
}

/* Stopped with the server: whole all the same, and nothing leaks. */
static void test_recorder_ends(void **state)
{
    char error[RECORDER_ERROR_MAX];
    (void)state;
    struct recording *rec = record("a", RECORD_OGG);
    push(start, 0, 50);
    assert_int_equal(recording_pause(rec, start + 50 * FRAME), 0);
    recorder_free(r);
    assert_ended_ogg(50 * 960);
    r = recorder_new(&config, &rng, error);
    assert_non_null(r);
}

static void fails(const char *name, int error, const char *because)
{
    struct recording *rec = record(name, RECORD_WEBM);
    wait_for(RECORDER_FAILED, rec);
    assert_int_equal(event.error, error);
    assert_non_null(strstr(event.text, because));
    push(start, 0, 10);
    assert_int_equal(recording_pause(rec, start), 0);
    assert_int_equal(recording_resume(rec, start), 0);
    recording_stop(rec, start);
    wait_for(RECORDER_PAUSED, rec);
    wait_for(RECORDER_RESUMED, rec);
    wait_for(RECORDER_CLOSED, rec);
}

static void test_no_such_folder(void **state)
{
    (void)state;
    fails("none/a", -ENOENT, "none/a: No such file or directory");
}

static void test_out_of_it(void **state)
{
    (void)state;
    fails("../a", -EXDEV, "not below recording.dir");
}

static void test_two_for_one_file(void **state)
{
    (void)state;
    struct recording *rec = record("a", RECORD_WEBM);
    wait_for(RECORDER_STARTED, rec);
    fails("a", -EBUSY, "another recording");
    recording_stop(rec, start + FRAME);
    wait_for(RECORDER_CLOSED, rec);
}

/* The disk is full in the middle: told once, and what was written stays. */
static void test_disk_full(void **state)
{
    struct rlimit before, small = {4096, 4096};
    struct stat st;
    (void)state;
    (void)signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    small.rlim_max = before.rlim_max;
    struct recording *rec = record("a", RECORD_WEBM);
    wait_for(RECORDER_STARTED, rec);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    push(start, 0, 600);
    wait_for(RECORDER_FAILED, rec);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    assert_int_equal(event.error, -EFBIG);
    assert_non_null(strstr(event.text, "a: File too large"));
    recording_stop(rec, start + 600 * FRAME);
    wait_for(RECORDER_CLOSED, rec);
    assert_int_equal(stat(path, &st), 0);
    assert_in_range(st.st_size, 1000, 4096);
}

/* Nobody hears of it any more, and it is whole all the same. */
static void test_forgotten(void **state)
{
    (void)state;
    struct recording *rec = record("a", RECORD_OGG), *another;
    wait_for(RECORDER_STARTED, rec);
    push(start, 0, 50);
    recording_forget(rec, start + 60 * FRAME);
    another = record("none/b", RECORD_OGG); /* its failure comes behind */
    wait_for(RECORDER_FAILED, another);
    recording_stop(another, start);
    recording_forget(another, start);
    assert_int_equal(recorder_n_forgotten(r, RECORDER_PIPELINES), 2);
    assert_int_equal(recorder_n_forgotten(r, RECORDER_CALLS), 0);
    assert_true(recorder_are_whole(r, RECORDER_PIPELINES, 0));
    assert_false(recorder_are_whole(r, RECORDER_PIPELINES, 2));
    while (!recorder_are_whole(r, RECORDER_PIPELINES, 2)) {
        uint64_t n;
        assert_int_equal(read(wake_fd, &n, 8), 8);
        assert_false(recorder_poll_event(r, RECORDER_PIPELINES, &event));
    }
    recorder_free(r);
    assert_ended_ogg(60 * 960);
    char error[RECORDER_ERROR_MAX];
    r = recorder_new(&config, &rng, error);
    assert_non_null(r);
}

/* It is waited for, but not for ever; when the disk is back the file becomes whole. */
static void test_end_without_a_disk(void **state)
{
    char error[RECORDER_ERROR_MAX];
    struct recorder_config hasty = config;
    (void)state;
    assert_true(recorder_free(r));
    hasty.end_patience = 50 * US_PER_MS;
    r = recorder_new(&hasty, &rng, error);
    assert_non_null(r);
    assert_int_equal(pthread_mutex_lock(&disk), 0);
    (void)record("a", RECORD_OGG);
    push(start, 0, 50);
    bool is_freed = recorder_free(r);
    assert_int_equal(pthread_mutex_unlock(&disk), 0);
    assert_false(is_freed);
    while (!recorder_free(r))
        continue;
    bool is_ended = false;
    assert_true(length_of_ogg(&is_ended) >= 50 * (uint64_t)960);
    assert_true(is_ended);
    r = recorder_new(&config, &rng, error);
    assert_non_null(r);
}

/* What one front made the other does not hear of. */
static void test_fronts(void **state)
{
    (void)state;
    struct recording *rec = record("a", RECORD_OGG);
    wait_for(RECORDER_STARTED, rec);
    recording_stop(rec, start);
    while (poll(&(struct pollfd){.fd = wake_fd, .events = POLLIN}, 1, -1) < 1)
        continue;
    assert_false(recorder_poll_event(r, RECORDER_CALLS, &event));
    wait_for(RECORDER_CLOSED, rec);
}

/* One is alive until its last event was polled. */
static void test_too_many(void **state)
{
    struct recording *recs[3];
    (void)state;
    assert_int_equal(try_to_record("none/a", RECORD_OGG, &recs[0]), 0);
    assert_int_equal(try_to_record("none/b", RECORD_OGG, &recs[1]), 0);
    assert_int_equal(try_to_record("none/c", RECORD_OGG, &recs[2]), RECORDER_E_FULL);
    wait_for(RECORDER_FAILED, recs[0]);
    wait_for(RECORDER_FAILED, recs[1]);
    recording_stop(recs[0], start);
    wait_for(RECORDER_CLOSED, recs[0]);
    assert_int_equal(try_to_record("none/c", RECORD_OGG, &recs[2]), RECORDER_E_FULL);
    assert_false(recorder_poll_event(r, RECORDER_PIPELINES, &event));
    assert_int_equal(try_to_record("none/c", RECORD_OGG, &recs[2]), 0);
}

static void test_check(void **state)
{
    char error[RECORDER_ERROR_MAX] = "";
    (void)state;
    assert_true(recorder_check(r, STR("a.webm"), error));
    assert_false(recorder_check(r, STR("file:///etc/passwd"), error));
    assert_string_equal(error, "the file is not below recording.dir");
}

static void test_bad_folder(void **state)
{
    static const char *const folders[] = {"/none/at/all", "relative", "/etc/passwd"};
    char error[RECORDER_ERROR_MAX];
    (void)state;
    for (size_t i = 0; i < 3; i++) {
        error[0] = '\0';
        assert_null(recorder_new(&(struct recorder_config){.folder = folders[i], .wake = wake},
                                 &rng, error));
        assert_non_null(strstr(error, folders[i]));
    }
}

/* Root may write everywhere: as somebody else, then. */
static void test_folder_of_others(void **state)
{
    char others[] = "/tmp/duet-recorder-XXXXXX", error[RECORDER_ERROR_MAX];
    bool is_root = geteuid() == 0;
    (void)state;
    assert_non_null(mkdtemp(others));
    assert_int_equal(chmod(others, 0555), 0);
    assert_int_equal(is_root ? seteuid(65534) : 0, 0);
    const struct recorder *none =
        recorder_new(&(struct recorder_config){.folder = others, .wake = wake}, &rng, error);
    assert_int_equal(is_root ? seteuid(0) : 0, 0);
    assert_int_equal(rmdir(others), 0);
    assert_null(none);
    assert_non_null(strstr(error, ": Permission denied"));
}

static void test_no_memory(void **state)
{
    char error[RECORDER_ERROR_MAX];
    (void)state;
    for (unsigned n = 1; n <= 2; n++) {
        mem_fail_at(n);
        assert_null(recorder_new(&config, &rng, error));
    }
    struct recording *rec = NULL;
    mem_fail_at(1);
    assert_int_equal(try_to_record("a", RECORD_OGG, &rec), -ENOMEM);
    mem_fail_at(0);
    rec = record("a", RECORD_OGG);
    mem_fail_at(1);
    assert_int_equal(recording_pause(rec, start), -ENOMEM);
    mem_fail_at(0);
    recording_stop(rec, start);
    wait_for(RECORDER_STARTED, rec);
    wait_for(RECORDER_CLOSED, rec);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_recording),          TEST(test_pause),          TEST(test_when_it_began),
        TEST(test_recorder_ends),      TEST(test_no_such_folder), TEST(test_out_of_it),
        TEST(test_two_for_one_file),   TEST(test_disk_full),      TEST(test_check),
        TEST(test_bad_folder),         TEST(test_no_memory),      TEST(test_forgotten),
        TEST(test_folder_of_others),   TEST(test_fronts),         TEST(test_too_many),
        TEST(test_end_without_a_disk),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
