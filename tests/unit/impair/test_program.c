/*
 * The program itself over loopback: this test is the client and the server, and talks to it by
 * standard input and output as a person or a script does. Waits are poll() on what must come; the
 * only times that pass are the delays asked for, and they are held to be long enough, never short:
 * the clock is read before what begins them.
 */
#include <errno.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <spawn.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/addr.h"
#include "base/compiler.h"
#include "base/time.h"
#include "impair/udp.h"

#define WAIT_MS 120000 /* never reached when all is well */

static struct {
    pid_t pid;
    FILE *in, *out;     /* its standard input and output */
    char line[4096];    /* the last that it said */
    struct addr relay;  /* where it listens */
    struct addr server; /* what the server is bound to */
    struct addr from;   /* of the last datagram that the server received */
    int server_fd, client_fd;
    char data[64]; /* the last datagram */
} t;

static mono_us mono_now(void)
{
    struct timespec ts;
    (void)clock_gettime(CLOCK_MONOTONIC, &ts);
    return (mono_us)ts.tv_sec * US_PER_S + ts.tv_nsec / 1000;
}

static const char *read_line(void)
{
    if (!fgets(t.line, sizeof(t.line), t.out))
        fail_msg("duet-impair ended");
    t.line[strcspn(t.line, "\n")] = 0;
    return t.line;
}

static const char *command(const char *text)
{
    (void)fprintf(t.in, "%s\n", text);
    (void)fflush(t.in);
    return read_line();
}

static void spawn_with(const char *const *options)
{
    const char *argv[24] = {DUET_IMPAIR_PROGRAM};
    int in[2], out[2];
    size_t n = 1;
    while (*options)
        argv[n++] = *options++;
    assert_int_equal(pipe(in) | pipe(out), 0);
    posix_spawn_file_actions_t actions;
    assert_int_equal(posix_spawn_file_actions_init(&actions), 0);
    (void)posix_spawn_file_actions_adddup2(&actions, in[0], STDIN_FILENO);
    (void)posix_spawn_file_actions_adddup2(&actions, out[1], STDOUT_FILENO);
    for (int i = 0; i < 2; i++) {
        (void)posix_spawn_file_actions_addclose(&actions, in[i]);
        (void)posix_spawn_file_actions_addclose(&actions, out[i]);
    }
    char *const *args = (char *const *)(uintptr_t)argv;
    assert_int_equal(posix_spawn(&t.pid, argv[0], &actions, NULL, args, environ), 0);
    (void)posix_spawn_file_actions_destroy(&actions);
    (void)close(in[0]);
    (void)close(out[1]);
    t.in = fdopen(in[1], "w");
    t.out = fdopen(out[0], "r");
    assert_true(t.in && t.out);
}

/* A server, the program before it, a client. @param options  NULL at the end */
static void start(const char *const *options)
{
    char server[ADDR_TEXT_MAX];
    const char *argv[16] = {"--listen", "127.0.0.1:0", "--server", server};
    size_t n = 4;
    t.server = addr_v4(127, 0, 0, 1, 0);
    t.server_fd = impair_udp_bind(&t.server);
    assert_true(t.server_fd >= 0);
    (void)addr_write(&t.server, server);
    while (*options)
        argv[n++] = *options++;
    spawn_with(argv);
    struct str ready = str_of(read_line());
    assert_true(str_starts_with(ready, STR("ready listen=")));
    assert_true(addr_parse(str_tail(ready, strlen("ready listen=")), &t.relay));
    t.client_fd = impair_udp_connect(&t.relay, NULL);
    assert_true(t.client_fd >= 0);
}

static int end_status(void)
{
    int status;
    assert_int_equal(waitpid(t.pid, &status, 0), t.pid);
    t.pid = 0;
    (void)fclose(t.in);
    (void)fclose(t.out);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/* @return the JSON that it said last */
static const char *stop(void)
{
    assert_string_equal(command("quit"), "ok");
    (void)read_line();
    assert_int_equal(end_status(), 0);
    (void)close(t.server_fd);
    (void)close(t.client_fd);
    return t.line;
}

static void from_client(const char *text)
{
    assert_int_equal(impair_udp_send(t.client_fd, NULL, text, strlen(text) + 1), 0);
}

static void from_server(const char *text)
{
    assert_int_equal(impair_udp_send(t.server_fd, &t.from, text, strlen(text) + 1), 0);
}

/* @return the datagram, or NULL when none comes in time */
static const char *received(int fd, int wait_ms)
{
    struct pollfd p = {.fd = fd, .events = POLLIN};
    if (poll(&p, 1, wait_ms) <= 0)
        return NULL;
    struct addr from;
    ssize_t n = impair_udp_receive(fd, t.data, sizeof(t.data), &from);
    assert_true(n > 0);
    if (fd == t.server_fd)
        t.from = from;
    return t.data;
}

static void expect(int fd, const char *text)
{
    const char *data = received(fd, WAIT_MS);
    if (!data)
        fail_msg("\"%s\" did not come", text);
    assert_string_equal(data, text);
}

/* A number of the JSON: "up", "received". */
static unsigned long long stat_of(const char *json, const char *direction, const char *key)
{
    char name[64];
    (void)snprintf(name, sizeof(name), "\"%s\":{", direction);
    const char *at = strstr(json, name);
    assert_non_null(at);
    (void)snprintf(name, sizeof(name), "\"%s\":", key);
    at = strstr(at, name);
    assert_non_null(at);
    return strtoull(at + strlen(name), NULL, 10);
}

/* A test that failed leaves no program behind. */
static int teardown(void **state)
{
    (void)state;
    if (t.pid > 0 && kill(t.pid, SIGKILL) == 0)
        (void)end_status();
    return 0;
}

static void a_perfect_line_carries_both_ways(void **state)
{
    (void)state;
    start((const char *[]){NULL});
    from_client("question");
    expect(t.server_fd, "question");
    assert_false(t.from.port == t.relay.port);
    from_server("answer");
    expect(t.client_fd, "answer");
    const char *json = stop();
    assert_int_equal(stat_of(json, "up", "received"), 1);
    assert_int_equal(stat_of(json, "up", "forwarded"), 1);
    assert_int_equal(stat_of(json, "down", "forwarded"), 1);
    assert_int_equal(stat_of(json, "down", "refused"), 0);
}

static void every_client_has_its_own_address(void **state)
{
    (void)state;
    start((const char *[]){NULL});
    from_client("first");
    expect(t.server_fd, "first");
    struct addr first = t.from;

    int other = impair_udp_connect(&t.relay, NULL);
    assert_true(other >= 0);
    assert_int_equal(impair_udp_send(other, NULL, "second", 7), 0);
    expect(t.server_fd, "second");
    assert_false(addr_equal(&first, &t.from));
    from_server("to the second");
    expect(other, "to the second");
    t.from = first;
    from_server("to the first");
    expect(t.client_fd, "to the first");
    (void)close(other);
    (void)stop();
}

static void delay_is_kept_and_each_way_has_its_own(void **state)
{
    (void)state;
    start((const char *[]){"--up-delay", "80", NULL});
    mono_us begin = mono_now();
    from_client("slow");
    expect(t.server_fd, "slow");
    assert_true(mono_now() - begin >= 80 * US_PER_MS);
    assert_string_equal(command("down delay 40ms"), "ok");
    assert_string_equal(command("up delay 0"), "ok");
    begin = mono_now();
    from_server("slower");
    expect(t.client_fd, "slower");
    assert_true(mono_now() - begin >= 40 * US_PER_MS);
    (void)stop();
}

/* What comes after a loss shows that the lost one does not come any more: order is kept. */
static void loss_and_doubling_at_command(void **state)
{
    (void)state;
    start((const char *[]){"--up-loss", "100", NULL});
    from_client("lost");
    assert_null(received(t.server_fd, 20));
    assert_string_equal(command("up loss 0"), "ok");
    assert_string_equal(command("up duplicate 100"), "ok");
    from_client("twice");
    expect(t.server_fd, "twice");
    expect(t.server_fd, "twice");
    assert_string_equal(command("loss 101"), "error: loss: \"101\" is not 0 % to 100 %");
    const char *json = stop();
    assert_int_equal(stat_of(json, "up", "lost_single"), 1);
    assert_int_equal(stat_of(json, "up", "duplicated"), 1);
    assert_int_equal(stat_of(json, "up", "forwarded"), 2);
}

static void a_blackout_ends_by_itself(void **state)
{
    (void)state;
    start((const char *[]){NULL});
    assert_string_equal(command("blackout 3600s"), "ok");
    from_client("anybody?");
    while (stat_of(command("stats"), "up", "lost_blackout") == 0)
        ;
    mono_us begin = mono_now();
    assert_string_equal(command("blackout 150ms"), "ok");
    do
        from_client("anybody?");
    while (!received(t.server_fd, 10) && mono_now() - begin < WAIT_MS * US_PER_MS);
    assert_true(mono_now() - begin >= 150 * US_PER_MS);
    (void)stop();
}

static void rebind_changes_the_address_and_leaves_the_old_one_dead(void **state)
{
    (void)state;
    start((const char *[]){NULL});
    from_client("before");
    expect(t.server_fd, "before");
    struct addr old = t.from;

    assert_string_equal(command("rebind"), "ok");
    from_client("after");
    expect(t.server_fd, "after");
    struct addr fresh = t.from;
    assert_false(addr_equal(&old, &fresh));
    t.from = old;
    from_server("into the void");
    t.from = fresh;
    from_server("found");
    expect(t.client_fd, "found");

    assert_string_equal(command("rebind 127.0.0.77"), "ok");
    from_client("from elsewhere");
    expect(t.server_fd, "from elsewhere");
    struct addr elsewhere = addr_v4(127, 0, 0, 77, t.from.port);
    assert_true(addr_equal(&t.from, &elsewhere));
    assert_true(str_starts_with(str_of(command("rebind 203.0.113.9")), STR("error: rebind: ")));
    const char *json = stop();
    assert_int_equal(stat_of(json, "down", "lost_old_address"), 1);
    assert_non_null(strstr(json, "\"rebinds\":2"));
}

static void the_bandwidth_has_a_queue(void **state)
{
    (void)state;
    /* 8 kbit/s: a byte a millisecond; 28 of headers and "x" are 30 ms */
    start((const char *[]){"--up-rate", "8", "--up-queue", "50", NULL});
    mono_us begin = mono_now();
    from_client("x");
    from_client("x");
    expect(t.server_fd, "x");
    expect(t.server_fd, "x");
    assert_true(mono_now() - begin >= 60 * US_PER_MS);
    do
        from_client("x");
    while (stat_of(command("stats"), "up", "lost_queue") == 0);
    (void)stop();
}

static void what_was_ordered_for_later_happens(void **state)
{
    (void)state;
    mono_us begin = mono_now();
    start((const char *[]){"--at", "60ms stats", "--at", "0ms loss 100", NULL});
    (void)stat_of(read_line(), "up", "received");
    assert_true(mono_now() - begin >= 60 * US_PER_MS);
    from_client("lost");
    while (stat_of(command("stats"), "up", "received") == 0)
        ;
    assert_int_equal(stat_of(stop(), "up", "lost_single"), 1);

    begin = mono_now();
    start((const char *[]){"--duration", "60ms", NULL});
    (void)stat_of(read_line(), "up", "received");
    assert_int_equal(end_status(), 0);
    assert_true(mono_now() - begin >= 60 * US_PER_MS);
    (void)close(t.server_fd);
    (void)close(t.client_fd);
}

static void a_client_is_forgotten_after_a_silence(void **state)
{
    (void)state;
    start((const char *[]){"--idle", "1s", NULL});
    mono_us begin = mono_now();
    from_client("hello");
    expect(t.server_fd, "hello");
    struct addr first = t.from;
    /* Its address towards the server is free again once its socket is closed. */
    int probe;
    while ((probe = impair_udp_bind(&first)) == -EADDRINUSE &&
           mono_now() - begin < WAIT_MS * US_PER_MS)
        (void)poll(NULL, 0, 20);
    assert_true(probe >= 0);
    assert_true(mono_now() - begin >= US_PER_S);
    (void)close(probe);
    from_client("again");
    expect(t.server_fd, "again");
    assert_non_null(strstr(stop(), "\"clients\":2"));
}

static void signals_end_it_in_order(void **state)
{
    static const int signals[] = {SIGTERM, SIGINT};
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(signals); i++) {
        start((const char *[]){"--delay", "10s", NULL});
        from_client("still waiting at the end");
        while (stat_of(command("stats"), "up", "waiting") == 0)
            ;
        assert_int_equal(kill(t.pid, signals[i]), 0);
        assert_int_equal(stat_of(read_line(), "up", "waiting"), 1);
        assert_int_equal(end_status(), 0);
        (void)close(t.server_fd);
        (void)close(t.client_fd);
    }
}

static void the_end_of_commands_is_not_the_end(void **state)
{
    (void)state;
    start((const char *[]){NULL});
    (void)fprintf(t.in, "stats"); /* and no end of the line */
    (void)fflush(t.in);
    assert_int_equal(dup2(STDERR_FILENO, fileno(t.in)) < 0, 0); /* closes the pipe */
    assert_non_null(strstr(read_line(), "\"clients\":0"));
    from_client("still there");
    expect(t.server_fd, "still there");
    assert_int_equal(kill(t.pid, SIGTERM), 0);
    (void)read_line();
    assert_int_equal(end_status(), 0);
    (void)close(t.server_fd);
    (void)close(t.client_fd);
}

static void a_server_that_is_not_there_does_no_harm(void **state)
{
    (void)state;
    start((const char *[]){NULL});
    (void)close(t.server_fd);
    for (int i = 0; i < 5; i++) {
        from_client("nobody");
        while (stat_of(command("stats"), "up", "forwarded") < (unsigned)i + 1)
            ;
    }
    t.server_fd = impair_udp_bind(&t.server);
    assert_true(t.server_fd >= 0);
    from_client("back again");
    expect(t.server_fd, "back again");
    assert_int_equal(stat_of(stop(), "up", "refused"), 0);
}

static void a_port_in_use_and_a_wrong_option_are_named(void **state)
{
    struct addr taken = addr_v4(127, 0, 0, 1, 0);
    char text[ADDR_TEXT_MAX];
    (void)state;
    int fd = impair_udp_bind(&taken);
    assert_true(fd >= 0);
    (void)addr_write(&taken, text);
    spawn_with((const char *[]){"--listen", text, "--server", "127.0.0.1:9", NULL});
    assert_int_equal(end_status(), 1);
    spawn_with((const char *[]){"--lossy", "1", NULL});
    assert_int_equal(end_status(), 2);
    (void)close(fd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(a_perfect_line_carries_both_ways, teardown),
        cmocka_unit_test_teardown(every_client_has_its_own_address, teardown),
        cmocka_unit_test_teardown(delay_is_kept_and_each_way_has_its_own, teardown),
        cmocka_unit_test_teardown(loss_and_doubling_at_command, teardown),
        cmocka_unit_test_teardown(a_blackout_ends_by_itself, teardown),
        cmocka_unit_test_teardown(rebind_changes_the_address_and_leaves_the_old_one_dead, teardown),
        cmocka_unit_test_teardown(the_bandwidth_has_a_queue, teardown),
        cmocka_unit_test_teardown(what_was_ordered_for_later_happens, teardown),
        cmocka_unit_test_teardown(a_client_is_forgotten_after_a_silence, teardown),
        cmocka_unit_test_teardown(signals_end_it_in_order, teardown),
        cmocka_unit_test_teardown(the_end_of_commands_is_not_the_end, teardown),
        cmocka_unit_test_teardown(a_server_that_is_not_there_does_no_harm, teardown),
        cmocka_unit_test_teardown(a_port_in_use_and_a_wrong_option_are_named, teardown),
    };
    (void)signal(SIGPIPE, SIG_IGN);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
