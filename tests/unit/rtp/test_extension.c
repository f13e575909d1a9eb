/* Header extensions: both forms, their endings, renumbering, and what hostile lengths do not do. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/rng.h"
#include "rtp/extension.h"

#define MAX_CONTENT 64

struct built {
    uint8_t data[12 + 4 + MAX_CONTENT + 4];
    size_t len;
    struct rtp_packet packet;
};

/* A packet with this extension content, padded to words, and four bytes of payload. */
static void build(struct built *b, uint16_t profile, const uint8_t *content, size_t len)
{
    size_t words = (len + 3) / 4;
    memset(b, 0, sizeof(*b));
    b->data[0] = 0x90;
    put_be16(b->data + 12, profile);
    put_be16(b->data + 14, (uint16_t)words);
    memcpy(b->data + 16, content, len);
    memset(b->data + 16 + words * 4, 0x77, 4);
    b->len = 16 + words * 4 + 4;
    assert_int_equal(rtp_parse(b->data, b->len, &b->packet), 0);
}

static void one_byte_elements_are_walked(void **state)
{
    const uint8_t content[] = {0x10, 0xaa, 0x00, 0x00, 0x32, 1, 2, 3, 0xe0, 0xbb};
    struct built b;
    struct rtp_extension e;
    (void)state;
    build(&b, 0xbede, content, sizeof(content));
    struct rtp_extension_iter it = rtp_extensions(b.data, &b.packet);
    assert_true(rtp_extension_next(&it, &e));
    assert_int_equal(e.id, 1);
    assert_int_equal(e.len, 1);
    assert_int_equal(e.data[0], 0xaa);
    assert_true(rtp_extension_next(&it, &e));
    assert_int_equal(e.id, 3);
    assert_int_equal(e.len, 3);
    assert_int_equal(e.data[2], 3);
    assert_true(rtp_extension_next(&it, &e));
    assert_int_equal(e.id, 14);
    assert_false(rtp_extension_next(&it, &e));
    assert_false(rtp_extension_next(&it, &e));
}

static void two_byte_elements_are_walked(void **state)
{
    const uint8_t content[] = {1, 0, 0, 200, 2, 9, 8};
    struct built b;
    struct rtp_extension e;
    (void)state;
    for (unsigned appbits = 0; appbits < 16; appbits++) {
        build(&b, (uint16_t)(0x1000 | appbits), content, sizeof(content));
        assert_true(rtp_extension_find(b.data, &b.packet, 1, &e));
        assert_int_equal(e.len, 0);
        assert_true(rtp_extension_find(b.data, &b.packet, 200, &e));
        assert_int_equal(e.len, 2);
        assert_int_equal(e.data[1], 8);
        assert_false(rtp_extension_find(b.data, &b.packet, 9, &e));
    }
    build(&b, 0x1010, content, sizeof(content));
    assert_false(rtp_extension_find(b.data, &b.packet, 200, &e));
}

/* RFC 8285 §4.2: ID 15, and ID 0 with a length, end the block. So does what does not fit. */
static void the_walk_ends_where_it_must(void **state)
{
    static const struct {
        uint16_t profile;
        uint8_t content[8];
        unsigned n;
    } cases[] = {
        {0xbede, {0x10, 1, 0xf0, 2, 0x20, 3}, 1},
        {0xbede, {0x10, 1, 0x01, 2, 2, 0x20, 3}, 1},
        {0xbede, {0x10, 1, 0x2f, 1, 1, 1, 1, 1}, 1},
        {0xbede, {0x16, 1, 1, 1, 1, 1, 1, 1}, 1},
        {0xbede, {0x17, 1, 1, 1, 1, 1, 1, 1}, 0},
        {0xbede, {0}, 0},
        {0x1000, {1, 6, 1, 1, 1, 1, 1, 1}, 1},
        {0x1000, {1, 7, 1, 1, 1, 1, 1, 1}, 0},
        {0x1000, {1, 5, 1, 1, 1, 1, 1, 9}, 1},
        {0x1000, {1, 255}, 0},
        {0x1234, {0x10, 1}, 0},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct built b;
        struct rtp_extension e;
        unsigned n = 0;
        build(&b, cases[i].profile, cases[i].content, 8);
        struct rtp_extension_iter it = rtp_extensions(b.data, &b.packet);
        while (rtp_extension_next(&it, &e))
            n++;
        assert_int_equal(n, cases[i].n);
    }
}

static void ids_are_translated_in_place(void **state)
{
    const uint8_t content[] = {0x10, 0xaa, 0x31, 0xbb, 0xcc, 0x50, 0xdd};
    const uint8_t expected[] = {0x20, 0xaa, 0, 0, 0, 0x10, 0xdd, 0};
    uint8_t map[256] = {[1] = 2, [2] = 9, [5] = 1};
    struct built b;
    (void)state;
    build(&b, 0xbede, content, sizeof(content));
    assert_int_equal(rtp_extensions_translate(b.data, &b.packet, map), 2);
    assert_memory_equal(b.data + 16, expected, sizeof(expected));
    assert_int_equal(b.data[24], 0x77);
    assert_int_equal(get_be16(b.data + 14), 2);
}

static void ids_that_the_form_cannot_hold_are_blanked(void **state)
{
    const uint8_t content[] = {0x10, 0xaa, 0x20, 0xbb, 0x30, 0xcc};
    const uint8_t expected[] = {0, 0, 0xe0, 0xbb, 0, 0, 0, 0};
    uint8_t map[256] = {[1] = 15, [2] = 14, [3] = 200};
    struct built b;
    (void)state;
    build(&b, 0xbede, content, sizeof(content));
    assert_int_equal(rtp_extensions_translate(b.data, &b.packet, map), 1);
    assert_memory_equal(b.data + 16, expected, sizeof(expected));

    const uint8_t two[] = {1, 1, 0xaa, 2, 0, 3, 1, 0xcc};
    const uint8_t two_expected[] = {15, 1, 0xaa, 0, 0, 200, 1, 0xcc};
    map[2] = 0;
    build(&b, 0x1000, two, sizeof(two));
    assert_int_equal(rtp_extensions_translate(b.data, &b.packet, map), 2);
    assert_memory_equal(b.data + 16, two_expected, sizeof(two_expected));
}

/* What is not understood does not get through. */
static void the_rest_is_blanked(void **state)
{
    const uint8_t zeros[8] = {0};
    uint8_t map[256];
    struct built b;
    (void)state;
    for (unsigned i = 0; i < 256; i++)
        map[i] = (uint8_t)i;

    const uint8_t private[] = {1, 2, 3, 4, 5, 6, 7, 8};
    build(&b, 0x1234, private, 8);
    assert_int_equal(rtp_extensions_translate(b.data, &b.packet, map), 0);
    assert_memory_equal(b.data + 16, zeros, 8);
    assert_int_equal(get_be16(b.data + 12), 0xbede);
    assert_int_equal(b.packet.extension_profile, 0xbede);

    const uint8_t fifteen[] = {0x10, 0xaa, 0xf0, 0xbb, 0x20, 0xcc, 1, 1};
    build(&b, 0xbede, fifteen, 8);
    assert_int_equal(rtp_extensions_translate(b.data, &b.packet, map), 1);
    assert_int_equal(b.data[17], 0xaa);
    assert_memory_equal(b.data + 18, zeros, 6);

    const uint8_t too_long[] = {1, 1, 0xaa, 2, 5, 1, 1, 1};
    build(&b, 0x1000, too_long, 8);
    assert_int_equal(rtp_extensions_translate(b.data, &b.packet, map), 1);
    assert_memory_equal(b.data + 19, zeros, 5);
    assert_int_equal(b.data[24], 0x77);
}

/* Property: after a translation exactly the mapped elements are there, in order, and nothing
 * outside the block has changed. */
static void random_blocks_keep_the_properties(void **state)
{
    struct rng rng;
    (void)state;
    rng_init_seeded(&rng, 8285);
    for (unsigned round = 0; round < 20000; round++) {
        uint8_t content[MAX_CONTENT], map[256];
        struct built b;
        rng_fill(&rng, content, sizeof(content));
        rng_fill(&rng, map, sizeof(map));
        for (unsigned i = 0; i < 256; i += 2)
            map[i] &= 0x0f;
        for (unsigned i = 0; i < sizeof(content); i++)
            content[i] &= rng_below(&rng, 2) ? 0x33 : 0xff;
        build(&b, round % 3 ? 0xbede : 0x1000, content, rng_below(&rng, MAX_CONTENT + 1));
        struct built before = b;

        unsigned n = rtp_extensions_translate(b.data, &b.packet, map);
        struct rtp_extension_iter old = rtp_extensions(before.data, &before.packet);
        struct rtp_extension_iter new = rtp_extensions(b.data, &b.packet);
        struct rtp_extension was, is;
        unsigned seen = 0;
        while (rtp_extension_next(&old, &was)) {
            uint8_t id = map[was.id];
            if (id == 0 || (round % 3 && id > 14))
                continue;
            assert_true(rtp_extension_next(&new, &is));
            assert_int_equal(is.id, id);
            assert_int_equal(is.len, was.len);
            assert_memory_equal(is.data, was.data, is.len);
            seen++;
        }
        assert_false(rtp_extension_next(&new, &is));
        assert_int_equal(n, seen);
        assert_memory_equal(b.data, before.data, 16);
        assert_memory_equal(b.data + b.len - 4, before.data + b.len - 4, 4);
    }
}

static void audio_level_is_read(void **state)
{
    const uint8_t one[] = {0x10, 0x80 | 42};
    const uint8_t two[] = {1, 1, 127, 2, 0};
    struct rtp_audio_level level;
    struct built b;
    (void)state;
    build(&b, 0xbede, one, sizeof(one));
    assert_true(rtp_audio_level_read(b.data, &b.packet, 1, &level));
    assert_true(level.voice);
    assert_int_equal(level.level_db, 42);
    assert_false(rtp_audio_level_read(b.data, &b.packet, 2, &level));
    build(&b, 0x1000, two, sizeof(two));
    assert_true(rtp_audio_level_read(b.data, &b.packet, 1, &level));
    assert_false(level.voice);
    assert_int_equal(level.level_db, 127);
    assert_false(rtp_audio_level_read(b.data, &b.packet, 2, &level));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_byte_elements_are_walked),
        cmocka_unit_test(two_byte_elements_are_walked),
        cmocka_unit_test(the_walk_ends_where_it_must),
        cmocka_unit_test(ids_are_translated_in_place),
        cmocka_unit_test(ids_that_the_form_cannot_hold_are_blanked),
        cmocka_unit_test(the_rest_is_blanked),
        cmocka_unit_test(random_blocks_keep_the_properties),
        cmocka_unit_test(audio_level_is_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
