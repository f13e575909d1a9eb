/* What a user may be called. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/compiler.h"
#include "base/utf8.h"
#include "call/name.h"

#define TEN "0123456789"

static void names(void **state)
{
    const struct {
        struct str name;
        int result;
    } rows[] = {
        {STR("a"), 0},
        {STR("alice smith"), 0},
        {STR("<b>\"'&"), 0},
        {STR("zażółć"), 0},
        {STR("\xf0\x9f\x98\x80"), 0},
        {STR(""), CALL_NAME_E_EMPTY},
        {STR(TEN TEN TEN TEN TEN TEN "0123"), 0},
        {STR(TEN TEN TEN TEN TEN TEN "012\xc3\xa9"), 0},
        {STR(TEN TEN TEN TEN TEN TEN "01234"), CALL_NAME_E_TOO_LONG},
        {STR("a\tb"), CALL_NAME_E_CONTROL},
        {STR("a\nb"), CALL_NAME_E_CONTROL},
        {STR("a\0b"), CALL_NAME_E_CONTROL},
        {STR("\x7f"), CALL_NAME_E_CONTROL},
        {STR("\xc2\x80"), CALL_NAME_E_CONTROL},
        {STR("\xc2\x9f"), CALL_NAME_E_CONTROL},
        {STR("\xc2\xa0"), 0},
        {STR("\xc0\x80"), CALL_NAME_E_NOT_UTF8},         /* long form of U+0000 */
        {STR("\xe0\x80\xaf"), CALL_NAME_E_NOT_UTF8},     /* long form of / */
        {STR("\xed\xa0\x80"), CALL_NAME_E_NOT_UTF8},     /* surrogate */
        {STR("\xf4\x90\x80\x80"), CALL_NAME_E_NOT_UTF8}, /* U+110000 */
        {STR("\xf5\x80\x80\x80"), CALL_NAME_E_NOT_UTF8},
        {STR("a\xc3"), CALL_NAME_E_NOT_UTF8},
        {STR("\x80"), CALL_NAME_E_NOT_UTF8},
        {STR("\xe2\x82"), CALL_NAME_E_NOT_UTF8},
        {STR("\xe2\x82z"), CALL_NAME_E_NOT_UTF8},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        assert_int_equal(call_name_check(rows[i].name), rows[i].result);
        assert_int_equal(utf8_is_valid(rows[i].name), rows[i].result != CALL_NAME_E_NOT_UTF8);
    }
}

static void the_longest_name_fits_its_buffer(void **state)
{
    char name[CALL_NAME_SIZE];
    (void)state;
    for (size_t i = 0; i + 4 < sizeof(name); i += 4)
        (void)memcpy(name + i, "\xf0\x9f\x98\x80", 4);
    assert_int_equal(call_name_check((struct str){name, sizeof(name) - 1}), 0);
    assert_int_equal(utf8_length((struct str){name, sizeof(name) - 1}), CALL_NAME_MAX_CHARS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names),
        cmocka_unit_test(the_longest_name_fits_its_buffer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
