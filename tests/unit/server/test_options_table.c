/* The table itself: what every row must keep, whoever adds one. */
#include <ctype.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "server/config.h"
#include "server/config_value.h"
#include "server/options_table.h"

static void keys_are_section_and_name(void **state)
{
    (void)state;
    assert_true(options_table_len <= CONFIG_ROWS_MAX);
    for (size_t i = 0; i < options_table_len; i++) {
        struct str key = str_of(options_table[i].key);
        struct str section = str_take_until(&key, '.');
        assert_true(section.len > 0 && key.len > 0);
        for (size_t k = 0; k < key.len; k++)
            assert_true(islower(key.p[k]) || isdigit(key.p[k]) || key.p[k] == '_');
        char buf[OPTIONS_ENV_MAX];
        assert_true(strlen(options_table_env(&options_table[i], buf)) ==
                    strlen("DUET_") + strlen(options_table[i].key));
    }
}

/** Two keys must not share a variable (a.b_c and a_b.c would), nor a row be shadowed. */
static void keys_and_variables_are_unique(void **state)
{
    (void)state;
    for (size_t i = 0; i < options_table_len; i++) {
        assert_ptr_equal(options_table_find(str_of(options_table[i].key)), &options_table[i]);
        for (size_t k = 0; k < i; k++) {
            char a[OPTIONS_ENV_MAX];
            char b[OPTIONS_ENV_MAX];
            assert_string_not_equal(options_table_env(&options_table[i], a),
                                    options_table_env(&options_table[k], b));
            assert_int_not_equal(options_table[i].offset, options_table[k].offset);
        }
    }
}

static void sections_stand_together(void **state)
{
    (void)state;
    for (size_t i = 1; i < options_table_len; i++) {
        struct str rest = str_of(options_table[i].key);
        struct str section = str_take_until(&rest, '.');
        struct str before = str_of(options_table[i - 1].key);
        if (str_eq(section, str_take_until(&before, '.')))
            continue;
        for (size_t k = 0; k < i; k++) {
            struct str other = str_of(options_table[k].key);
            assert_false(str_eq(section, str_take_until(&other, '.')));
        }
    }
}

static void members_have_the_width_of_their_type(void **state)
{
    (void)state;
    for (size_t i = 0; i < options_table_len; i++) {
        const struct options_row *row = &options_table[i];
        assert_true(row->offset + row->size <= sizeof(struct options));
        if (row->type == OPTIONS_TYPE_NUMBER) {
            assert_true(row->size == sizeof(uint16_t) || row->size == sizeof(uint32_t));
            assert_true(row->min >= 0 && row->min <= row->max);
            assert_true(row->max < ((int64_t)1 << (8 * row->size)));
        }
        if (row->type == OPTIONS_TYPE_DURATION)
            assert_true(row->size == sizeof(mono_us) && row->min <= row->max);
        if (row->type == OPTIONS_TYPE_WORD)
            assert_true(row->size == sizeof(uint32_t) && row->words[0]);
    }
}

/** Else --print-config and the reference page would show different defaults. */
static void defaults_are_legal_and_canonical(void **state)
{
    (void)state;
    struct options o;
    struct config c;
    options_init(&o);
    config_init(&c, &o);
    assert_int_equal(config_set_defaults(&c), 0);
    for (size_t i = 0; i < options_table_len; i++) {
        struct config_text written = {0};
        config_text_put(&written, STR(""));
        config_value_write(&options_table[i], &o, &written);
        assert_string_equal(written.p, options_table[i].fallback);
        config_text_deinit(&written);
    }
    config_deinit(&c);
    options_deinit(&o);
}

static void a_slip_finds_its_key(void **state)
{
    (void)state;
    assert_string_equal(options_table_nearest(STR("media.prot"))->key, "media.port");
    assert_string_equal(options_table_nearest(STR("http.max_socket"))->key, "http.max_sockets");
    assert_null(options_table_nearest(STR("")));
    assert_null(options_table_nearest(STR("video.bitrate")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keys_are_section_and_name),
        cmocka_unit_test(keys_and_variables_are_unique),
        cmocka_unit_test(sections_stand_together),
        cmocka_unit_test(members_have_the_width_of_their_type),
        cmocka_unit_test(defaults_are_legal_and_canonical),
        cmocka_unit_test(a_slip_finds_its_key),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
