/* YAML: the forms that are taken, and those that are refused with their line. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/compiler.h"
#include "server/config.h"

static struct options options;
static struct config config;

static int setup(void **state)
{
    (void)state;
    options_init(&options);
    config_init(&config, &options);
    return config_set_defaults(&config);
}

static int teardown(void **state)
{
    (void)state;
    config_deinit(&config);
    options_deinit(&options);
    return 0;
}

static const char *report(struct str text)
{
    assert_int_equal(config_read_yaml(&config, "f", text), 0);
    return config.n_mistakes ? config.report.p : "";
}

static void forms_that_are_taken(void **state)
{
    (void)state;
    assert_string_equal(report(STR("")), "");
    assert_string_equal(report(STR("# only a comment\n")), "");
    assert_string_equal(report(STR("---\nmedia: {port: 1}\n...\n")), "");
    assert_int_equal(options.media_port, 1);
    assert_string_equal(report(STR("media.port: '2'\nmedia:\n  workers: \"3\"\n")), "");
    assert_int_equal(options.media_port, 2);
    assert_int_equal(options.media_workers, 3);
    assert_string_equal(report(STR("media:\nhttp: ~\ncall:\n  # nothing\n")), "");
    assert_string_equal(report(STR("media:\n  external_ip:\n    - 192.0.2.1\n    - 2001:db8::1\n")),
                        "");
    assert_int_equal(options.media_external_ip.n, 2);
    assert_string_equal(report(STR("media: {external_ip: }\n")), "");
    assert_int_equal(options.media_external_ip.n, 0);
    assert_string_equal(report(STR("media: {external_ip: []}\n")), "");
    assert_string_equal(report(STR("\xef\xbb\xbfmedia: {port: 5}\n")), "");
    assert_int_equal(options.media_port, 5);
    assert_string_equal(report(STR("tls: {cert: \"/\xc3\xa4.pem\"}\n")), "");
    assert_string_equal(options.tls_cert, "/\xc3\xa4.pem");
}

static void mistakes_carry_their_line(void **state)
{
    (void)state;
    static const struct {
        const char *text, *report;
    } rows[] = {
        {"\nmedia:\n  port: 70000\n", "f:3: media.port: must be 0 to 65535, not '70000'\n"},
        {"media:\n  port:\n", "f:2: media.port: must be 0 to 65535, not ''\n"},
        {"media:\n  port: 1\n  port: 2\n", "f:3: media.port: given twice\n"},
        {"media:\n  port: 1\nmedia.port: 2\n", "f:3: media.port: given twice\n"},
        {"media: {port: 1}\nmedia: {workers: 1}\n", "f:2: this section was given before\n"},
        {"a: {b: [c, {d: e}]}\nlog: {level: 1}\n",
         "f:1: unknown key 'a': duet serve --help lists them\n"
         "f:2: log.level: must be error, warning, info or debug, not '1'\n"},
        {"media: {port: {x: 1}}\n", "f:1: this key has a value, not keys below it\n"},
        {"media: [1]\n", "f:1: a section holds keys, not a value\n"},
        {"media: ''\n", "f:1: a section holds keys, not a value\n"},
        {"- 1\n", "f:1: the file holds keys: 'section:' and below it 'name: value'\n"},
        {"text\n", "f:1: the file holds keys: 'section:' and below it 'name: value'\n"},
        {"media: {port: &a 1, workers: *a}\n",
         "f:1: anchors (&), aliases (*) and tags (!) are not taken\n"},
        {"media: &a {port: 1}\n", "f:1: anchors (&), aliases (*) and tags (!) are not taken\n"},
        {"media:\n  port: !!int 1\n", "f:2: anchors (&), aliases (*) and tags (!) are not taken\n"},
        {"a: [*x]\n", "f:1: unknown key 'a': duet serve --help lists them\n"
                      "f:1: anchors (&), aliases (*) and tags (!) are not taken\n"},
        {"{}\n---\n{}\n", "f:2: a second document begins here\n"},
        {"? [a]\n: b\n", "f:1: a key is a word\n"},
        {"media: {external_ip: [[1]]}\n", "f:1: a list holds plain values only\n"},
        {"media: {external_ip: ['1,2']}\n", "f:1: an item of a list has no comma\n"},
        {"media:\n\tport: 1\n", "f:2: not YAML: found character that cannot start any token\n"},
        {"media: {port: 1\n", "f:2: not YAML: did not find expected ',' or '}'\n"},
        {"tls: {cert: \"a\\0b\"}\n",
         "f:1: tls.cert: must be a path of at most 4095 characters, not 'a?b'\n"},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        assert_int_equal(teardown(NULL), 0);
        assert_int_equal(setup(NULL), 0);
        assert_string_equal(report(str_of(rows[i].text)), rows[i].report);
    }
}

static void bytes_that_are_no_text(void **state)
{
    (void)state;
    assert_non_null(strstr(report(STR("tls: {cert: \"\xff\"}\n")), "not YAML: invalid"));
    assert_int_equal(config.n_mistakes, 1);
    assert_non_null(strstr(report(STR("a\0b: c\n")), "not YAML: "));
    assert_non_null(strstr(report(STR("\xfe\xff\0a\0:")), "not YAML: "));
}

static void sizes_are_bounded(void **state)
{
    (void)state;
    size_t len = CONFIG_FILE_MAX;
    char *text = malloc(len + 1);
    assert_non_null(text);
    memset(text, '#', len + 1);
    assert_string_equal(report((struct str){text, len}), "");
    assert_string_equal(report((struct str){text, len + 1}), "f: larger than 65536 bytes\n");
    memset(text, '[', len); /* nesting */
    assert_int_equal(config_read_yaml(&config, "f", (struct str){text, len}), 0);
    assert_int_equal(config.n_mistakes, 2);
    memset(text, 'k', len); /* a long key */
    memcpy(text + 900, ": 1", 3);
    assert_int_equal(config_read_yaml(&config, "f", (struct str){text, 903}), 0);
    assert_int_equal(config.n_mistakes, 3);
    assert_non_null(strstr(config.report.p, "f:1: no key is as long as this\n"));
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(forms_that_are_taken, setup, teardown),
        cmocka_unit_test_setup_teardown(mistakes_carry_their_line, setup, teardown),
        cmocka_unit_test_setup_teardown(bytes_that_are_no_text, setup, teardown),
        cmocka_unit_test_setup_teardown(sizes_are_bounded, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
