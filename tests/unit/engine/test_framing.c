/* RFC 4571 frames: cut anywhere, empty, too long, and a queue that is full. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "engine/framing.h"

static void feed(struct framing_in *f, const void *bytes, size_t n)
{
    size_t room;
    uint8_t *to = framing_in_room(f, &room);
    assert_true(n <= room);
    memcpy(to, bytes, n);
    framing_in_added(f, n);
}

static void frames_cut_at_every_place_are_put_together(void **state)
{
    static const uint8_t stream[] = {0, 3, 'a', 'b', 'c', 0, 0, 0, 1, 'd', 0, 2, 'e', 'f'};
    (void)state;
    for (size_t cut = 0; cut <= sizeof(stream); cut++) {
        struct framing_in f = {0};
        uint8_t data[DGRAM_MAX];
        char all[16] = "";
        size_t len, n = 0;
        for (int half = 0; half < 2; half++) {
            feed(&f, half ? stream + cut : stream, half ? sizeof(stream) - cut : cut);
            while (!framing_in_next(&f, data, &len)) {
                memcpy(all + n, data, len);
                n += len;
                all[n++] = '.';
            }
        }
        all[n] = 0;
        assert_string_equal(all, "abc.d.ef.");
        assert_int_equal(f.start, f.end);
    }
}

static void empty_frames_are_no_datagrams(void **state)
{
    struct framing_in f = {0};
    uint8_t zeros[2001] = {0}, data[DGRAM_MAX];
    size_t len = 99;
    (void)state;
    feed(&f, zeros, sizeof(zeros));
    assert_int_equal(framing_in_next(&f, data, &len), FRAMING_E_MORE);
    assert_int_equal(len, 99);
    feed(&f, "\1x", 2); /* the odd zero begins this length */
    assert_int_equal(framing_in_next(&f, data, &len), 0);
    assert_int_equal(len, 1);
}

static void the_largest_frame_passes_and_one_byte_more_does_not(void **state)
{
    struct framing_in f = {0};
    uint8_t frame[2 + DGRAM_MAX] = {DGRAM_MAX >> 8, DGRAM_MAX & 255, 7}, data[DGRAM_MAX];
    const uint8_t longer[2] = {(DGRAM_MAX + 1) >> 8, (DGRAM_MAX + 1) & 255};
    const uint8_t longest[2] = {255, 255};
    size_t len, room;
    (void)state;
    for (unsigned i = 0; i < 20; i++) { /* whatever the place in the buffer */
        uint8_t before[1 + 1000] = {0, (uint8_t)(1 + 10 * i)};
        f = (struct framing_in){0};
        feed(&f, before, 2 + before[1]);
        feed(&f, frame, sizeof(frame) - 1);
        assert_int_equal(framing_in_next(&f, data, &len), 0);
        assert_int_equal(len, before[1]);
        assert_int_equal(framing_in_next(&f, data, &len), FRAMING_E_MORE);
        (void)framing_in_room(&f, &room);
        assert_true(room > 0);
        feed(&f, frame, 1);
        assert_int_equal(framing_in_next(&f, data, &len), 0);
        assert_int_equal(len, DGRAM_MAX);
    }
    f = (struct framing_in){0};
    feed(&f, longer, 2);
    assert_int_equal(framing_in_next(&f, data, &len), FRAMING_E_TOO_LONG);
    f = (struct framing_in){0};
    feed(&f, longest, 2);
    assert_int_equal(framing_in_next(&f, data, &len), FRAMING_E_TOO_LONG);
}

static void a_full_queue_takes_whole_frames_or_none(void **state)
{
    struct framing_out f = {0};
    uint8_t frame[100];
    size_t len, n = 0;
    (void)state;
    memset(frame, 'x', sizeof(frame));
    while (framing_out_put(&f, frame, sizeof(frame), 1000))
        n++;
    assert_int_equal(n, (FRAMING_OUT_BYTES - 1000) / 102);
    assert_true(framing_out_put(&f, frame, sizeof(frame), 0)); /* what the reserve is for */
    (void)framing_out_peek(&f, &len);
    assert_int_equal(len, (n + 1) * 102);
    while (framing_out_put(&f, frame, sizeof(frame), 0))
        n++;
    assert_int_equal(n + 1, FRAMING_OUT_BYTES / 102);
    /* Half a frame goes out: as much room is there, and the rest follows in order. */
    framing_out_sent(&f, 51);
    assert_false(framing_out_put(&f, frame, sizeof(frame), 0));
    framing_out_sent(&f, 51);
    assert_true(framing_out_put(&f, frame, sizeof(frame), 0));
    for (const uint8_t *p; (p = framing_out_peek(&f, &len), len);) {
        assert_memory_equal(p, "\0\144", 2);
        assert_int_equal(p[2], 'x');
        framing_out_sent(&f, 102);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(frames_cut_at_every_place_are_put_together),
        cmocka_unit_test(empty_frames_are_no_datagrams),
        cmocka_unit_test(the_largest_frame_passes_and_one_byte_more_does_not),
        cmocka_unit_test(a_full_queue_takes_whole_frames_or_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
