/* One reading without a thread: sources that wait, fail, or bring nonsense. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/mem.h"
#include "play/reading.h"
#include "record/container.h"
#include "tone.h"

#define TICKS(ms) ((int64_t)(ms)*48)

/* Bytes of the test as a source. */
static struct memory {
    struct play_source source;
    const uint8_t *data;
    size_t len, at;
    size_t fails_at;  /* instead of going on from there; 0 = never */
    unsigned repeats; /* from the beginning, when it is over */
    size_t repeats_from;
    bool waits; /* every second time */
    bool is_odd;
    unsigned n_closed;
} memory;

static struct play_reading r;
static struct packet_feed *feed;
static uint8_t *wav;
static size_t wav_len;

static ssize_t read_memory(struct play_source *s, void *buf, size_t size, struct play_error *error)
{
    (void)s;
    memory.is_odd = !memory.is_odd;
    if (memory.waits && memory.is_odd)
        return PLAY_SOURCE_WAIT;
    if (memory.fails_at && memory.at >= memory.fails_at)
        return play_source_fail(error, PLAY_T_UNREADABLE, "the cable was pulled");
    if (memory.at == memory.len && memory.repeats) {
        memory.repeats--;
        memory.at = memory.repeats_from;
    }
    size_t n = memory.len - memory.at < size ? memory.len - memory.at : size;
    if (n)
        memcpy(buf, memory.data + memory.at, n);
    memory.at += n;
    return (ssize_t)n;
}

static void close_memory(struct play_source *s)
{
    (void)s;
    memory.n_closed++;
}

static const struct play_source_ops ops = {.read = read_memory, .close = close_memory};

static int setup(void **state)
{
    (void)state;
    memset(&r, 0, sizeof(r));
    wav = tone_wav(1000, &wav_len);
    memory = (struct memory){.source = {&ops}, .data = wav, .len = wav_len};
    feed = packet_feed_new(0);
    return !feed;
}

static int teardown(void **state)
{
    (void)state;
    play_reading_deinit(&r);
    packet_feed_unref(feed);
    free(wav);
    return 0;
}

/* Steps until something happens but BUSY, or IDLE for long. What is in the feed is heard. */
static enum play_reading_result run(int64_t *ret_end)
{
    struct packet_feed_frame frame;
    *ret_end = -1;
    for (unsigned idle = 0; idle < 10;) {
        enum play_reading_result result = play_reading_step(&r);
        for (; packet_feed_peek(feed, &frame); packet_feed_pop(feed)) {
            if (frame.duration == 0)
                *ret_end = frame.position;
        }
        if (result == PLAY_READING_FAILED || result == PLAY_READING_MEASURED)
            return result;
        idle = result == PLAY_READING_IDLE ? idle + 1 : 0;
    }
    return PLAY_READING_IDLE;
}

static void a_source_that_waits_is_asked_again(void **state)
{
    (void)state;
    int64_t end;
    memory.waits = true;
    play_reading_init(&r, feed, 0, &memory.source, false);
    assert_int_equal(run(&end), PLAY_READING_IDLE);
    assert_in_range(end, TICKS(1000), TICKS(1007));
    assert_false(r.is_cut);
    assert_int_equal(memory.n_closed, 1); /* as soon as it is over */
}

static void a_source_that_fails_ends_where_it_did(void **state)
{
    (void)state;
    int64_t end;
    memory.fails_at = wav_len / 2;
    play_reading_init(&r, feed, 0, &memory.source, true);
    assert_int_equal(run(&end), PLAY_READING_FAILED);
    assert_string_equal(r.error.text, "the cable was pulled");
    assert_true(r.has_begun);
    assert_int_equal(run(&end), PLAY_READING_IDLE);
    assert_in_range(end, TICKS(500), TICKS(700)); /* reads are of 16 KB, 170 ms */
    assert_int_equal(memory.n_closed, 1);
}

/* Nothing was heard: who waits for the end is told by the failure alone. */
static void a_source_that_fails_at_once_leaves_the_feed_empty(void **state)
{
    (void)state;
    int64_t end;
    memory.fails_at = 1;
    memory.at = 1;
    play_reading_init(&r, feed, 0, &memory.source, true);
    assert_int_equal(run(&end), PLAY_READING_FAILED);
    assert_false(r.has_begun);
    assert_int_equal(run(&end), PLAY_READING_IDLE);
    assert_int_equal(end, -1);
}

static void what_could_not_be_opened_has_failed(void **state)
{
    (void)state;
    int64_t end;
    (void)play_source_fail_errno(&r.error, -ENOENT);
    play_reading_init(&r, feed, 0, NULL, true);
    assert_int_equal(run(&end), PLAY_READING_FAILED);
    assert_int_equal(r.error.trouble, PLAY_T_NOT_FOUND);
    assert_int_equal(run(&end), PLAY_READING_IDLE);
}

/* An Ogg file of frames of this length, in place of the WAV. */
static void make_ogg(size_t len)
{
    static uint8_t data[PLAY_READER_PUSH_MAX];
    struct record_container c;
    FILE *f = tmpfile();
    assert_non_null(f);
    memset(data, 0, sizeof(data));
    data[0] = 31 << 3; /* CELT, 20 ms */
    assert_int_equal(record_container_begin(&c, RECORD_OGG, fileno(f), 1, 0), 0);
    for (unsigned i = 0; i < 50; i++) {
        const struct record_piece piece = {
            .start = i * 960, .data = data, .len = i % 2 ? len : 80, .duration = 960};
        assert_int_equal(record_container_put(&c, &piece), 0);
    }
    assert_int_equal(record_container_end(&c), 0);
    record_container_deinit(&c);
    free(wav);
    wav_len = (size_t)lseek(fileno(f), 0, SEEK_END);
    wav = malloc(wav_len);
    assert_int_equal(pread(fileno(f), wav, wav_len, 0), (ssize_t)wav_len);
    (void)fclose(f);
    memory.data = wav;
    memory.len = wav_len;
}

/* A frame that is no datagram is silence; the others stand where they did. */
static void frames_that_are_too_long_are_left_out(void **state)
{
    (void)state;
    int64_t end;
    make_ogg(PACKET_FEED_MAX_FRAME);
    play_reading_init(&r, feed, 0, &memory.source, true);
    assert_int_equal(run(&end), PLAY_READING_IDLE);
    assert_int_equal(r.n_long, 0);
    play_reading_deinit(&r);
    packet_feed_unref(feed);
    feed = packet_feed_new(0);
    memset(&r, 0, sizeof(r));
    memory.at = 0;
    make_ogg(PACKET_FEED_MAX_FRAME + 1);
    play_reading_init(&r, feed, 0, &memory.source, true);
    assert_int_equal(run(&end), PLAY_READING_IDLE);
    assert_int_equal(r.n_long, 25);
    assert_in_range(end, TICKS(990), TICKS(1007));
}

/* A server may send without an end, but not without a sound. */
static void what_is_not_heard_is_not_read_on_and_on(void **state)
{
    (void)state;
    int64_t end;
    static const uint8_t head[] = {'R', 'I', 'F', 'F', 0xff, 0xff, 0xff, 0xff, 'W',  'A',
                                   'V', 'E', 'j', 'u', 'n',  'k',  0xff, 0xff, 0xff, 0xff};
    static uint8_t junk[PLAY_READER_PUSH_MAX];
    memcpy(junk, head, sizeof(head));
    memory.data = junk;
    memory.len = sizeof(junk);
    memory.repeats_from = sizeof(head);
    memory.repeats = 2 * PLAY_READING_MAX_BARREN / sizeof(junk);
    play_reading_init(&r, feed, 0, &memory.source, false);
    assert_int_equal(run(&end), PLAY_READING_FAILED);
    assert_int_equal(r.error.trouble, PLAY_T_NOT_MEDIA);
    assert_true(memory.repeats > 0);
}

static void what_is_heard_is_read_on_and_on(void **state)
{
    (void)state;
    int64_t end;
    make_ogg(PACKET_FEED_MAX_FRAME);
    memory.repeats = (unsigned)(PLAY_READING_MAX_BARREN / memory.len) + 1;
    play_reading_init(&r, feed, 0, &memory.source, false);
    assert_int_equal(run(&end), PLAY_READING_IDLE);
    assert_int_equal(memory.repeats, 0);
    assert_true(end > 0);
}

/* Each allocation fails once: it fails as a whole, or does not notice. */
static void no_memory(void **state)
{
    (void)state;
    int64_t end;
    for (unsigned n = 1;; n++) {
        memory.at = 0;
        memset(&r, 0, sizeof(r));
        packet_feed_unref(feed);
        feed = packet_feed_new(0);
        mem_fail_at(n);
        play_reading_init(&r, feed, 0, &memory.source, true);
        enum play_reading_result result = run(&end);
        bool was_reached = mem_count() >= n;
        mem_fail_at(0);
        play_reading_deinit(&r);
        if (!was_reached) {
            assert_int_equal(result, PLAY_READING_IDLE);
            assert_in_range(n, 2, 50);
            break;
        }
        assert_int_equal(result, PLAY_READING_FAILED);
        assert_int_equal(r.error.trouble, PLAY_T_NO_MEMORY);
    }
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_source_that_waits_is_asked_again),
        TEST(a_source_that_fails_ends_where_it_did),
        TEST(a_source_that_fails_at_once_leaves_the_feed_empty),
        TEST(what_could_not_be_opened_has_failed),
        TEST(frames_that_are_too_long_are_left_out),
        TEST(what_is_not_heard_is_not_read_on_and_on),
        TEST(what_is_heard_is_read_on_and_on),
        TEST(no_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
