/* Lines as they come out of the other end of a pipe; counters from several threads. */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "log/counters.h"
#include "log/log.h"

static int ends[2];
static char buf[1 << 16];

static int set_up(void **state)
{
    (void)state;
    if (pipe2(ends, O_NONBLOCK))
        return -1;
    log_set_fd(ends[1]);
    log_set_level(LOG_LEVEL_INFO);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    log_set_fd(STDERR_FILENO);
    (void)close(ends[0]);
    (void)close(ends[1]);
    return 0;
}

/* All that was written since the last time; "" = nothing. */
static const char *written(void)
{
    ssize_t n = read(ends[0], buf, sizeof(buf) - 1);
    buf[n > 0 ? n : 0] = 0;
    return buf;
}

static void a_line_has_time_level_subsystem_and_message(void **state)
{
    static const char pattern[] = "dddd-dd-ddTdd:dd:dd.dddZ info    media three 3\n";
    (void)state;
    log_info(MEDIA, "three %d", 3);
    const char *line = written();
    assert_int_equal(strlen(line), sizeof(pattern) - 1);
    for (size_t i = 0; i < sizeof(pattern) - 1; i++) {
        if (pattern[i] == 'd' && i < 24)
            assert_true(line[i] >= '0' && line[i] <= '9');
        else
            assert_int_equal(line[i], pattern[i]);
    }
}

static unsigned n_evaluated;

static int evaluate(void)
{
    return (int)++n_evaluated;
}

static void what_is_off_is_not_even_evaluated(void **state)
{
    (void)state;
    log_debug(NET, "%d", evaluate());
    assert_int_equal(n_evaluated, 0);
    assert_string_equal(written(), "");
    log_write(LOG_NET, LOG_LEVEL_DEBUG, "directly");
    assert_string_equal(written(), "");
}

static void a_level_lets_through_what_is_as_important(void **state)
{
    (void)state;
    for (int level = LOG_LEVEL_ERROR; level <= LOG_LEVEL_DEBUG; level++) {
        log_set_level((enum log_level)level);
        for (int of = LOG_LEVEL_ERROR; of <= LOG_LEVEL_DEBUG; of++)
            assert_int_equal(log_is_on((enum log_level)of), of <= level);
    }
}

static void text_from_outside_cannot_forge(void **state)
{
    static const struct {
        const char *text, *expected;
    } cases[] = {
        {"a\nb", " a\\x0ab\n"},
        {"\r\t\x1b[2J\x7f", " \\x0d\\x09\\x1b[2J\\x7f\n"},
        {"\xc2\x9b"
         "2J",
         " \\x9b2J\n"},                                           /* CSI as one UTF-8 character */
        {"\x9b", " \\x9b\n"},                                     /* and as a byte */
        {"\xc0\x8a\xed\xa0\x80", " \\xc0\\x8a\\xed\\xa0\\x80\n"}, /* not UTF-8 */
        {"Zoë 😀", " Zoë 😀\n"},
        {"\xe2\x82", " \\xe2\\x82\n"}, /* cut short */
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        log_info(SIGNAL, "%s", cases[i].text);
        const char *line = written();
        const char *end = line + strlen(line) - strlen(cases[i].expected);
        assert_true(end > line);
        assert_string_equal(end, cases[i].expected);
    }
}

static void long_lines_are_cut_and_say_so(void **state)
{
    static char text[2 * LOG_LINE_MAX];
    (void)state;
    for (size_t len = LOG_LINE_MAX - 100; len < sizeof(text) - 1; len += 7) {
        for (int filler = 0; filler < 2; filler++) {
            memset(text, filler ? '\n' : 'x', len);
            text[len] = 0;
            log_info(SIGNAL, "%s", text);
            const char *line = written();
            size_t n = strlen(line);
            assert_true(n < LOG_LINE_MAX);
            assert_ptr_equal(strchr(line, '\n'), line + n - 1); /* one line, whole */
            if (filler || len >= LOG_LINE_MAX)
                assert_string_equal(line + n - strlen("…\n"), "…\n");
        }
    }
}

static void context_lasts_as_long_as_its_block(void **state)
{
    (void)state;
    {
        LOG_SCOPE(0x17, "caller");
        {
            LOG_SCOPE(0x18, NULL);
            log_info(MEDIA, "inner");
            assert_non_null(strstr(written(), " media call=0000000000000018 inner\n"));
        }
        log_info(MEDIA, "outer");
        assert_non_null(strstr(written(), " media call=0000000000000017 leg=caller outer\n"));
    }
    log_info(MEDIA, "none");
    assert_non_null(strstr(written(), " media none\n"));
}

static void errno_is_left_alone(void **state)
{
    (void)state;
    log_set_fd(-1);
    errno = EAGAIN;
    log_error(SERVER, "nobody hears this");
    assert_int_equal(errno, EAGAIN);
}

#define N_THREADS 4
#define N_LINES   100

static void *write_lines(void *arg)
{
    LOG_SCOPE((uint64_t)(uintptr_t)arg, "caller");
    for (int i = 0; i < N_LINES; i++) {
        log_info(ENGINE, "line of thread %zu", (size_t)(uintptr_t)arg);
        counter_add(COUNTER_DROP_AUTH);
        counter_add_n(COUNTER_DROP_REPLAY, 3);
    }
    return NULL;
}

static void threads_do_not_mix(void **state)
{
    uint64_t before[COUNTER_N], after[COUNTER_N];
    pthread_t threads[N_THREADS];
    unsigned n = 0;
    (void)state;
    counter_snapshot(before);
    for (size_t i = 0; i < N_THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, write_lines, (void *)(i + 1)), 0);
    for (size_t i = 0; i < N_THREADS; i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    /* Each line is whole: what the context says and what the message says agree. */
    char *rest = (char *)(uintptr_t)written();
    for (char *line = strsep(&rest, "\n"); line && *line; line = strsep(&rest, "\n"), n++) {
        const char *call = strstr(line, " engine call=");
        const char *thread = strstr(line, " leg=caller line of thread ");
        assert_true(call && thread);
        assert_int_equal(strtoul(call + strlen(" engine call="), NULL, 16),
                         strtoul(thread + strlen(" leg=caller line of thread "), NULL, 10));
    }
    assert_int_equal(n, N_THREADS * N_LINES);
    counter_snapshot(after);
    assert_int_equal(after[COUNTER_DROP_AUTH] - before[COUNTER_DROP_AUTH], N_THREADS * N_LINES);
    assert_int_equal(after[COUNTER_DROP_REPLAY] - before[COUNTER_DROP_REPLAY],
                     3 * N_THREADS * N_LINES);
}

static void counters_have_names_of_their_own(void **state)
{
    (void)state;
    for (unsigned i = 0; i < COUNTER_N; i++) {
        const char *name = counter_name((enum counter)i);
        assert_non_null(name);
        assert_int_equal(strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-"), strlen(name));
        for (unsigned k = 0; k < i; k++)
            assert_string_not_equal(name, counter_name((enum counter)k));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_line_has_time_level_subsystem_and_message, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(what_is_off_is_not_even_evaluated, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_level_lets_through_what_is_as_important, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(text_from_outside_cannot_forge, set_up, tear_down),
        cmocka_unit_test_setup_teardown(long_lines_are_cut_and_say_so, set_up, tear_down),
        cmocka_unit_test_setup_teardown(context_lasts_as_long_as_its_block, set_up, tear_down),
        cmocka_unit_test_setup_teardown(errno_is_left_alone, set_up, tear_down),
        cmocka_unit_test_setup_teardown(threads_do_not_mix, set_up, tear_down),
        cmocka_unit_test(counters_have_names_of_their_own),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
