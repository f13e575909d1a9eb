/* Everything that people type: values, commands, the command line; and the JSON that they read. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "impair/command.h"
#include "impair/options.h"
#include "impair/stats.h"

static char buf[IMPAIR_HELP_TEXT_MAX];
static struct text why;

static void fresh(void)
{
    text_init(&why, buf, sizeof(buf));
}

static void values_are_read_and_written(void **state)
{
    static const struct {
        const char *text;
        enum impair_unit unit;
        int64_t value;
        const char *written;
    } rows[] = {
        {"5", IMPAIR_UNIT_SHARE, 50000, "5 %"},
        {"0.5%", IMPAIR_UNIT_SHARE, 5000, "0.5 %"},
        {"0.0001", IMPAIR_UNIT_SHARE, 1, "0.0001 %"},
        {"100.000000", IMPAIR_UNIT_SHARE, 1000000, "100 %"},
        {"20", IMPAIR_UNIT_TIME, 20000, "20 ms"},
        {"20ms", IMPAIR_UNIT_TIME, 20000, "20 ms"},
        {"1.5s", IMPAIR_UNIT_TIME, 1500000, "1500 ms"},
        {"7us", IMPAIR_UNIT_TIME, 7, "0.007 ms"},
        {"0.05", IMPAIR_UNIT_TIME, 50, "0.05 ms"},
        {"64", IMPAIR_UNIT_RATE, 64000, "64 kbit"},
        {"1.25mbit", IMPAIR_UNIT_RATE, 1250000, "1250 kbit"},
        {"on", IMPAIR_UNIT_SWITCH, 1, "on"},
        {"off", IMPAIR_UNIT_SWITCH, 0, "off"},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        int64_t value = -1;
        assert_true(impair_value_parse(str_of(rows[i].text), rows[i].unit, &value));
        assert_int_equal(value, rows[i].value);
        fresh();
        impair_value_write(value, rows[i].unit, &why);
        assert_string_equal(buf, rows[i].written);
    }
}

static void what_is_no_value_is_refused(void **state)
{
    static const struct {
        const char *text;
        enum impair_unit unit;
    } rows[] = {
        {"", IMPAIR_UNIT_SHARE},        {"-1", IMPAIR_UNIT_SHARE},
        {"+1", IMPAIR_UNIT_SHARE},      {"1.", IMPAIR_UNIT_SHARE},
        {".5", IMPAIR_UNIT_SHARE},      {"1,5", IMPAIR_UNIT_SHARE},
        {"1 %", IMPAIR_UNIT_SHARE},     {"5ms", IMPAIR_UNIT_SHARE},
        {"0.00001", IMPAIR_UNIT_SHARE}, {"1.00000000001", IMPAIR_UNIT_TIME},
        {"0.5us", IMPAIR_UNIT_TIME},    {"1e3", IMPAIR_UNIT_TIME},
        {"0x10", IMPAIR_UNIT_TIME},     {"99999999999999999999", IMPAIR_UNIT_TIME},
        {"nan", IMPAIR_UNIT_RATE},      {"5gbit", IMPAIR_UNIT_RATE},
        {"1", IMPAIR_UNIT_SWITCH},      {"", IMPAIR_UNIT_SWITCH},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        int64_t value = -1;
        if (impair_value_parse(str_of(rows[i].text), rows[i].unit, &value))
            fail_msg("\"%s\" was read as %lld", rows[i].text, (long long)value);
        assert_int_equal(value, -1);
    }
}

static struct impair_command parsed(const char *line)
{
    struct impair_command c;
    fresh();
    if (!impair_command_parse(str_of(line), &c, &why))
        fail_msg("%s: %s", line, buf);
    return c;
}

static void commands_are_read(void **state)
{
    (void)state;
    struct impair_command c = parsed("loss 10");
    assert_int_equal(c.type, IMPAIR_COMMAND_SET);
    assert_int_equal(c.param, IMPAIR_LOSS);
    assert_int_equal(c.value, 100000);
    assert_true(c.directions[IMPAIR_UP] && c.directions[IMPAIR_DOWN]);

    c = parsed("  down   delay  1.5s ");
    assert_int_equal(c.param, IMPAIR_DELAY);
    assert_true(!c.directions[IMPAIR_UP] && c.directions[IMPAIR_DOWN]);

    c = parsed("up blackout 2s");
    assert_int_equal(c.type, IMPAIR_COMMAND_BLACKOUT);
    assert_int_equal(c.value, 2 * US_PER_S);
    assert_true(c.directions[IMPAIR_UP] && !c.directions[IMPAIR_DOWN]);

    assert_false(parsed("rebind").has_ip);
    c = parsed("rebind 127.0.0.9");
    assert_true(c.has_ip);
    struct addr want = addr_v4(127, 0, 0, 9, 0);
    assert_true(addr_equal(&c.ip, &want));

    assert_int_equal(parsed("clear").type, IMPAIR_COMMAND_CLEAR);
    assert_int_equal(parsed("stats").type, IMPAIR_COMMAND_STATS);
    assert_int_equal(parsed("quit").type, IMPAIR_COMMAND_QUIT);
}

static void wrong_commands_say_what_is_wrong(void **state)
{
    static const struct {
        const char *line, *why;
    } rows[] = {
        {"", "there is no command or parameter \"\""},
        {"up", "there is no command or parameter \"\""},
        {"up down loss 5", "\"5\" is too much"},
        {"Loss 5", "there is no command or parameter \"Loss\""},
        {"loss", "loss: \"\" is not 0 % to 100 %"},
        {"loss 101", "loss: \"101\" is not 0 % to 100 %"},
        {"burst-r 0", "burst-r: \"0\" is not 0.01 % to 100 %"},
        {"delay 10001", "delay: \"10001\" is not 0 ms to 10000 ms"},
        {"keep-order yes", "keep-order: \"yes\" is not on or off"},
        {"loss 5 6", "\"6\" is too much"},
        {"blackout", "blackout: \"\" is not a time of an hour or less, like 2s or 500ms"},
        {"blackout 3601s",
         "blackout: \"3601s\" is not a time of an hour or less, like 2s or 500ms"},
        {"rebind localhost", "rebind: \"localhost\" is not an IP address"},
        {"up rebind", "rebind has no direction"},
        {"quit now", "quit takes nothing more"},
    };
    struct impair_command c;
    char longest[IMPAIR_COMMAND_MAX + 2];
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        fresh();
        assert_false(impair_command_parse(str_of(rows[i].line), &c, &why));
        assert_string_equal(buf, rows[i].why);
    }
    memset(longest, 'x', sizeof(longest));
    fresh();
    assert_false(impair_command_parse((struct str){longest, sizeof(longest) - 1}, &c, &why));
    assert_string_equal(buf, "longer than 120 characters");
}

static enum impair_options_result parse(const char *const *argv, struct impair_options *ret)
{
    int argc = 0;
    while (argv[argc])
        argc++;
    fresh();
    return impair_options_parse(argc, argv, ret, &why);
}

static void the_command_line_is_read(void **state)
{
    static const char *const argv[] = {
        "duet-impair",
        "--listen",
        "127.0.0.1:5000",
        "--listen=[::1]:5001",
        "--server",
        "127.0.0.1:40",
        "--loss",
        "5",
        "--up-delay",
        "30",
        "--down-rate=64",
        "--at",
        "1s rebind",
        "--at",
        "500ms up loss 7",
        "--seed",
        "9",
        "--duration",
        "3s",
        NULL,
    };
    struct impair_options o;
    (void)state;
    assert_int_equal(parse(argv, &o), IMPAIR_OPTIONS_OK);
    assert_int_equal(o.n_listen, 2);
    assert_int_equal(o.n_server, 2); /* one for all */
    assert_true(addr_equal(&o.server[0], &o.server[1]));
    assert_int_equal(o.listen[1].port, 5001);
    assert_int_equal(o.conditions[IMPAIR_UP].values[IMPAIR_LOSS], 50000);
    assert_int_equal(o.conditions[IMPAIR_DOWN].values[IMPAIR_LOSS], 50000);
    assert_int_equal(o.conditions[IMPAIR_UP].values[IMPAIR_DELAY], 30 * US_PER_MS);
    assert_int_equal(o.conditions[IMPAIR_DOWN].values[IMPAIR_DELAY], 0);
    assert_int_equal(o.conditions[IMPAIR_DOWN].values[IMPAIR_RATE], 64000);
    assert_int_equal(o.conditions[IMPAIR_DOWN].values[IMPAIR_KEEP_ORDER], 1);
    assert_int_equal(o.n_schedule, 2);
    assert_int_equal(o.schedule[0].after, US_PER_S);
    assert_int_equal(o.schedule[0].command.type, IMPAIR_COMMAND_REBIND);
    assert_int_equal(o.schedule[1].command.value, 70000);
    assert_int_equal(o.seed, 9);
    assert_int_equal(o.duration, 3 * US_PER_S);
    assert_int_equal(o.idle, 300 * US_PER_S);
}

static void wrong_options_say_what_is_wrong(void **state)
{
    static const struct {
        const char *argv[8];
        const char *why;
    } rows[] = {
        {{"x"}, "--listen is missing: where are clients to send to?"},
        {{"x", "--listen", "127.0.0.1:0"}, "--server is missing: where is it to be sent on?"},
        {{"x", "loss"}, "\"loss\" is not an option"},
        {{"x", "-l"}, "\"-l\" is not an option"},
        {{"x", "--"}, "--: its value is missing"},
        {{"x", "--", "1"}, "--: there is no such option; --help lists them"},
        {{"x", "--up-", "1"}, "--up-: there is no such option; --help lists them"},
        {{"x", "--up-seed", "1"}, "--up-seed: there is no such option; --help lists them"},
        {{"x", "--loss"}, "--loss: its value is missing"},
        {{"x", "--loss=", "5"}, "--loss: \"\" is not 0 % to 100 %"},
        {{"x", "--listen", "localhost:1"},
         "--listen: \"localhost:1\" is not IP:PORT, like 127.0.0.1:5000 or [::1]:5000"},
        {{"x", "--listen", "0.0.0.0:1"},
         "--listen: \"0.0.0.0:1\" is every address; name the one that clients are to use"},
        {{"x", "--server", "127.0.0.1:0"},
         "--server: \"127.0.0.1:0\" is not an address and port to send to"},
        {{"x", "--seed", "-1"}, "--seed: \"-1\" is not a whole number"},
        {{"x", "--duration", "0"},
         "--duration: \"0\" is not a time from 1 ms to a day, like 500ms or 30s"},
        {{"x", "--idle", "2d"},
         "--idle: \"2d\" is not a time from 1000 ms to a day, like 500ms or 30s"},
        {{"x", "--at", "loss 5"},
         "--at: \"loss\" is not a time from 0 ms to a day, like 500ms or 30s"},
        {{"x", "--at", "1s loss 500"}, "--at: loss: \"500\" is not 0 % to 100 %"},
        {{"x", "--listen=127.0.0.1:1", "--server=127.0.0.1:2", "--server=127.0.0.1:3"},
         "1 --listen and 2 --server: give one server for all, or one for each"},
    };
    struct impair_options o;
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        assert_int_equal(parse(rows[i].argv, &o), IMPAIR_OPTIONS_REFUSED);
        assert_string_equal(buf, rows[i].why);
    }
}

static void lists_and_arguments_have_limits(void **state)
{
    const char *argv[2 * IMPAIR_MAX_LISTENERS + 8] = {"x"};
    struct impair_options o;
    char longest[300];
    (void)state;
    for (unsigned i = 0; i <= IMPAIR_MAX_LISTENERS; i++) {
        argv[1 + 2 * i] = "--listen";
        argv[2 + 2 * i] = "127.0.0.1:0";
    }
    assert_int_equal(parse(argv, &o), IMPAIR_OPTIONS_REFUSED);
    assert_string_equal(buf, "--listen: more than 64 of them");

    memset(longest, 'x', sizeof(longest));
    longest[sizeof(longest) - 1] = 0;
    argv[1] = "--loss";
    argv[2] = longest;
    argv[3] = NULL;
    assert_int_equal(parse(argv, &o), IMPAIR_OPTIONS_REFUSED);
    assert_string_equal(buf, "an argument is longer than 200 characters");
}

static void help_names_everything(void **state)
{
    static const char *const argv[] = {"x", "--loss", "5", "--help", NULL};
    struct impair_options o;
    (void)state;
    assert_int_equal(parse(argv, &o), IMPAIR_OPTIONS_HELP);
    fresh();
    impair_options_help(&why);
    assert_false(why.failed);
    for (size_t i = 0; i < IMPAIR_N_PARAMS; i++)
        assert_non_null(strstr(buf, impair_param_rows[i].name));
}

static void the_largest_counters_fit(void **state)
{
    struct impair_stats s;
    char text[IMPAIR_STATS_TEXT_MAX];
    struct text t;
    (void)state;
    memset(&s, 0xff, sizeof(s));
    text_init(&t, text, sizeof(text));
    impair_stats_write(&s, INT64_MAX, &t);
    assert_false(t.failed);
    assert_int_equal(text[t.len - 1], '}');
    assert_non_null(strstr(text, "\"down\":{\"received\":18446744073709551615,"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_are_read_and_written),
        cmocka_unit_test(what_is_no_value_is_refused),
        cmocka_unit_test(commands_are_read),
        cmocka_unit_test(wrong_commands_say_what_is_wrong),
        cmocka_unit_test(the_command_line_is_read),
        cmocka_unit_test(wrong_options_say_what_is_wrong),
        cmocka_unit_test(lists_and_arguments_have_limits),
        cmocka_unit_test(help_names_everything),
        cmocka_unit_test(the_largest_counters_fit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
