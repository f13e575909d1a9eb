/* The reading thread with real files: what is read ahead, what is told, what is refused. Servers
 * have a test of their own. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/mem.h"
#include "play/player.h"
#include "tone.h"

#define TICKS(ms) ((int64_t)(ms)*48)

static char folder[64];
static int wake_fd;
static struct player *player;
static struct player_event event;
static struct packet_feed *feed;

static void wake(void *user)
{
    (void)user;
    assert_int_equal(write(wake_fd, &(uint64_t){1}, 8), 8);
}

static struct player_config config(void)
{
    return (struct player_config){
        .rights = {[PLAYER_PIPELINES] = {.folder = folder, .setting = "player.dir"},
                   [PLAYER_CALLS] = {.setting = "recording.dir"}},
        .max_playings = 3,
        .wake = wake,
    };
}

static const char *path_of(const char *name)
{
    static char path[128];
    (void)snprintf(path, sizeof(path), "%s/%s", folder, name);
    return path;
}

static void write_tone(const char *name, unsigned ms)
{
    size_t len;
    uint8_t *wav = tone_wav(ms, &len);
    tone_write_file(path_of(name), wav, len);
    free(wav);
}

static int setup(void **state)
{
    (void)state;
    char error[PLAY_ERROR_MAX];
    strcpy(folder, "/tmp/duet-player-XXXXXX");
    if (!mkdtemp(folder))
        return -1;
    wake_fd = eventfd(0, EFD_CLOEXEC);
    const struct player_config c = config();
    player = player_new(&c, error);
    feed = packet_feed_new(0);
    return !player || !feed;
}

static int teardown(void **state)
{
    char command[128];
    (void)state;
    player_free(player);
    packet_feed_unref(feed);
    close(wake_fd);
    (void)snprintf(command, sizeof(command), "rm -r %s", folder);
    return system(command); /* NOLINT: a folder of ours */
}

static struct playing *start(const char *uri, struct packet_feed *into, int64_t from)
{
    struct playing *g = NULL;
    const struct player_order order = {
        .front = PLAYER_PIPELINES, .uri = str_of(uri), .from = from, .feed = into, .user = &feed};
    assert_int_equal(player_start(player, &order, &g), 0);
    return g;
}

static void wait_event(enum player_event_type type, const struct playing *g)
{
    uint64_t n;
    while (!player_poll_event(player, PLAYER_PIPELINES, &event))
        assert_int_equal(read(wake_fd, &n, 8), 8);
    assert_int_equal(event.type, type);
    assert_ptr_equal(event.playing, g);
    assert_ptr_equal(event.user, &feed);
}

/* The test's time limit ends it when there is none. */
static struct packet_feed_frame next_frame(void)
{
    struct packet_feed_frame frame;
    while (!packet_feed_peek(feed, &frame))
        usleep(1000);
    return frame;
}

/* As a worker would, but at once. @return where it ends */
static int64_t hear_all(int64_t *ret_first)
{
    *ret_first = next_frame().position;
    for (int64_t next = *ret_first;;) {
        struct packet_feed_frame frame = next_frame();
        packet_feed_pop(feed);
        if (frame.duration == 0)
            return frame.position;
        assert_int_equal(frame.position, next);
        assert_true(frame.len > 0);
        next = frame.position + frame.duration;
    }
}

static void a_file_is_heard_to_its_end(void **state)
{
    (void)state;
    int64_t first;
    write_tone("a.wav", 5000);
    struct playing *g = start("a.wav", feed, 0);
    assert_true(player_is_file(STR("a.wav")));
    int64_t end = hear_all(&first);
    assert_int_equal(first, 0);
    assert_in_range(end, TICKS(5000), TICKS(5007)); /* what the encoder looks ahead */
    playing_stop(g);
}

static void two_seconds_are_read_ahead_and_no_more(void **state)
{
    (void)state;
    write_tone("a.wav", 10000);
    write_tone("long.wav", 60000);
    struct playing *g = start("a.wav", feed, 0);
    /* each has its turn: many steps of one are many of the other */
    struct playing *other = start("long.wav", NULL, 0);
    wait_event(PLAYER_MEASURED, other);
    playing_stop(other);
    playing_stop(g);
    struct packet_feed_frame frame;
    int64_t end = 0;
    for (; packet_feed_peek(feed, &frame); packet_feed_pop(feed))
        end = frame.position + frame.duration;
    assert_int_equal(end, TICKS(2000));
}

static void it_begins_anywhere(void **state)
{
    (void)state;
    int64_t first;
    write_tone("a.wav", 5000);
    packet_feed_unref(feed);
    feed = packet_feed_new(TICKS(4000));
    struct playing *g = start("a.wav", feed, TICKS(4000));
    assert_in_range(hear_all(&first), TICKS(5000), TICKS(5007));
    assert_in_range(first, TICKS(3980), TICKS(4000));
    playing_stop(g);
}

static void behind_the_end_is_the_end(void **state)
{
    (void)state;
    int64_t first;
    write_tone("a.wav", 100);
    struct playing *g = start("a.wav", feed, TICKS(7000));
    assert_int_equal(hear_all(&first), TICKS(7000));
    playing_stop(g);
}

static void its_length_is_measured(void **state)
{
    (void)state;
    write_tone("a.wav", 61000);
    struct playing *g = start("a.wav", NULL, 0);
    wait_event(PLAYER_MEASURED, g);
    assert_in_range(event.duration, TICKS(61000), TICKS(61007));
    playing_stop(g);
}

static void expect_failure(const char *uri, enum play_trouble trouble, const char *text)
{
    struct playing *g = start(uri, feed, 0);
    wait_event(PLAYER_FAILED, g);
    assert_int_equal(event.error->trouble, trouble);
    if (!strstr(event.error->text, text))
        fail_msg("\"%s\" does not say \"%s\"", event.error->text, text);
    assert_false(event.has_begun);
    struct packet_feed_frame frame;
    assert_false(packet_feed_peek(feed, &frame));
    playing_stop(g);
    assert_false(player_poll_event(player, PLAYER_PIPELINES, &event));
}

static void what_cannot_be_played_says_why(void **state)
{
    (void)state;
    tone_write_file(path_of("text"), "this is no media at all, only some text", 39);
    tone_write_file(path_of("empty"), "", 0);
    assert_int_equal(mkdir(path_of("dir"), 0700), 0);
    assert_int_equal(mkfifo(path_of("fifo"), 0600), 0);
    assert_int_equal(symlink("/etc/passwd", path_of("link")), 0);
    expect_failure("missing.ogg", PLAY_T_NOT_FOUND, "no such file");
    expect_failure("dir/x/y.ogg", PLAY_T_NOT_FOUND, "no such file");
    expect_failure("dir", PLAY_T_NOT_MEDIA, "not an ordinary file");
    expect_failure("fifo", PLAY_T_NOT_MEDIA, "not an ordinary file");
    expect_failure("link", PLAY_T_NOT_PERMITTED, "out of the folder");
    expect_failure("../player/x", PLAY_T_NOT_PERMITTED, "out of the folder");
    expect_failure("text", PLAY_T_NOT_MEDIA, "");
    expect_failure("empty", PLAY_T_NOT_MEDIA, "");
}

/* Bytes of an Ogg file that is cut off in the middle of its pages, and one whose end is rubbish. */
static void a_file_that_is_cut_off_is_heard_as_far_as_it_goes(void **state)
{
    (void)state;
    int64_t first;
    size_t len;
    uint8_t *wav = tone_wav(3000, &len);
    tone_write_file(path_of("cut.wav"), wav, len / 2);
    free(wav);
    struct playing *g = start("cut.wav", feed, 0);
    assert_in_range(hear_all(&first), TICKS(1480), TICKS(1520));
    assert_false(player_poll_event(player, PLAYER_PIPELINES, &event)); /* it is in the log */
    playing_stop(g);
}

static void check(enum player_front front, const char *uri, enum play_trouble trouble,
                  const char *text)
{
    struct play_error error = {0};
    assert_int_equal(player_check(player, front, str_of(uri), &error), trouble == 0);
    assert_int_equal(error.trouble, trouble);
    if (!strstr(error.text, text))
        fail_msg("%s: \"%s\" does not say \"%s\"", uri, error.text, text);
}

static void a_name_is_refused_before_anything_is_opened(void **state)
{
    (void)state;
    char uri[PLAYER_URI_MAX + 1];
    const enum player_front f = PLAYER_PIPELINES;
    (void)snprintf(uri, sizeof(uri), "file://%s/a%%20b.ogg", folder);
    check(f, uri, 0, "");
    check(f, "a.ogg", 0, "");
    check(f, "file:///etc/passwd", PLAY_T_NOT_PERMITTED, "not below player.dir");
    check(f, "/etc/passwd", PLAY_T_NOT_PERMITTED, "not below player.dir");
    check(f, "rtsp://camera/1", PLAY_T_NOT_PERMITTED, "only file://, http:// and https://");
    check(f, "data://x", PLAY_T_NOT_PERMITTED, "only");
    check(f, "", PLAY_T_NOT_FOUND, "names no file");
    check(f, "file:///%zz", PLAY_T_NOT_FOUND, "names no file");
    check(f, "http://localhost/a.ogg", PLAY_T_NOT_PERMITTED, "does not name the host localhost:80");
    check(PLAYER_CALLS, "a.ogg", PLAY_T_NOT_PERMITTED, "recording.dir is not set");
    check(PLAYER_CALLS, "gopher://x/a", PLAY_T_NOT_PERMITTED, "only");
    memset(uri, 'a', PLAYER_URI_MAX);
    uri[PLAYER_URI_MAX] = 0;
    check(f, uri, PLAY_T_NOT_FOUND, "longer than");
}

/* A place is free when the thread has let go of who had it. */
static struct playing *start_when_there_is_room(const struct player_order *order)
{
    struct playing *g = NULL;
    uint64_t n;
    for (;;) {
        int err = player_start(player, order, &g);
        if (!err)
            return g;
        assert_int_equal(err, PLAYER_E_FULL);
        assert_int_equal(read(wake_fd, &n, 8), 8);
        assert_false(player_poll_event(player, PLAYER_PIPELINES, &event)); /* all are stopped */
    }
}

/* Before it began, while it reads, after it failed: no event comes of it any more. */
static void stopped_at_any_time(void **state)
{
    (void)state;
    write_tone("a.wav", 5000);
    for (unsigned i = 0; i < 100; i++) {
        struct packet_feed *into = packet_feed_new(0);
        const struct player_order order = {.front = PLAYER_PIPELINES,
                                           .uri = i % 3 ? STR("a.wav") : STR("missing"),
                                           .feed = i % 2 ? into : NULL};
        struct playing *g = start_when_there_is_room(&order);
        usleep(300 * (i % 7)); /* let the thread come as far as it may */
        playing_stop(g);
        packet_feed_unref(into);
    }
    playing_stop(NULL);
    const struct player_order last = {.front = PLAYER_PIPELINES, .uri = STR("a.wav"), .feed = feed};
    (void)start_when_there_is_room(&last); /* ends with the player */
}

static void too_many_are_refused(void **state)
{
    (void)state;
    struct playing *g[3], *more;
    const struct player_order order = {
        .front = PLAYER_PIPELINES, .uri = STR("a.wav"), .feed = feed};
    write_tone("a.wav", 100);
    for (unsigned i = 0; i < 3; i++)
        assert_int_equal(player_start(player, &order, &g[i]), 0);
    assert_int_equal(player_start(player, &order, &more), PLAYER_E_FULL);
    playing_stop(g[0]);
    (void)start_when_there_is_room(&order);
}

static void no_memory(void **state)
{
    (void)state;
    char error[PLAY_ERROR_MAX];
    const struct player_config c = config();
    const struct player_order order = {
        .front = PLAYER_PIPELINES, .uri = STR("a.wav"), .feed = feed};
    struct playing *g;
    struct player *other = NULL;
    unsigned n = 1;
    for (; !other; n++) {
        mem_fail_at(n);
        other = player_new(&c, error);
        assert_true(other || strstr(error, "out of memory"));
    }
    mem_fail_at(0);
    assert_in_range(n, 4, 20);
    player_free(other);
    mem_fail_at(1);
    assert_int_equal(player_start(player, &order, &g), -ENOMEM);
    mem_fail_at(0);
}

static void a_folder_that_is_not_there(void **state)
{
    (void)state;
    char error[PLAY_ERROR_MAX];
    struct player_config c = config();
    c.rights[PLAYER_PIPELINES].folder = "/nonexistent/x";
    assert_null(player_new(&c, error));
    assert_string_equal(error, "player.dir: /nonexistent/x: No such file or directory");
    c.rights[PLAYER_PIPELINES].folder = "tmp";
    assert_null(player_new(&c, error));
    assert_string_equal(error, "player.dir: tmp: not an absolute path");
    player_free(NULL);
}

/* Root may look everywhere: as somebody else, then. */
static void a_folder_of_others(void **state)
{
    (void)state;
    char others[] = "/tmp/duet-player-XXXXXX", error[PLAY_ERROR_MAX];
    bool is_root = geteuid() == 0;
    struct player_config c = config();
    assert_non_null(mkdtemp(others));
    assert_int_equal(chmod(others, 0), 0);
    c.rights[PLAYER_PIPELINES].folder = others;
    assert_int_equal(is_root ? seteuid(65534) : 0, 0);
    const struct player *none = player_new(&c, error);
    assert_int_equal(is_root ? seteuid(0) : 0, 0);
    assert_int_equal(rmdir(others), 0);
    assert_null(none);
    assert_non_null(strstr(error, ": Permission denied"));
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_file_is_heard_to_its_end),
        TEST(two_seconds_are_read_ahead_and_no_more),
        TEST(it_begins_anywhere),
        TEST(behind_the_end_is_the_end),
        TEST(its_length_is_measured),
        TEST(what_cannot_be_played_says_why),
        TEST(a_file_that_is_cut_off_is_heard_as_far_as_it_goes),
        TEST(a_name_is_refused_before_anything_is_opened),
        TEST(stopped_at_any_time),
        TEST(too_many_are_refused),
        TEST(no_memory),
        TEST(a_folder_that_is_not_there),
        TEST(a_folder_of_others),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
