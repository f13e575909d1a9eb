/* Command line, environment, file: what is taken, what is refused, and in which words. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/mem.h"
#include "server/options.h"

/** Load with an argument list that ends with NULL. */
static int load(const char *const *env, struct options_request *ret, const char *const *arguments)
{
    int argc = 0;
    while (arguments[argc])
        argc++;
    return options_load(argc, arguments, env, ret);
}

#define ENV(...)              ((const char *[]){__VA_ARGS__ __VA_OPT__(, ) NULL})
#define ARGUMENTS(...)        ((const char *[]){"duet", __VA_ARGS__ __VA_OPT__(, ) NULL})
#define LOAD(env, ret, ...)   load(env, ret, ARGUMENTS(__VA_ARGS__))
#define HOME                  "HOME=/home/ada"
#define assert_contains(a, b) assert_non_null(strstr(a, b))

/** A settings file that disappears with the scope. */
struct file {
    char name[32];
};

static struct file file_with(const char *text)
{
    struct file f = {"/tmp/test_options_XXXXXX"};
    int fd = mkstemp(f.name);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
    (void)close(fd);
    return f;
}

static void remove_file(struct file *f)
{
    (void)unlink(f->name);
}

/** Expect a refusal, and these words in it. */
static void assert_refused(int r, struct options_request *request, const char *words)
{
    assert_int_equal(r, OPTIONS_E_REFUSED);
    if (!strstr(request->text, words))
        fail_msg("no '%s' in: %s", words, request->text);
    options_request_deinit(request);
}

static void defaults_are_those_that_others_rely_on(void **state)
{
    (void)state;
    struct options_request q;
    assert_int_equal(LOAD(ENV("XDG_STATE_HOME=/s"), &q, "serve"), 0);
    const struct options *o = &q.options;
    assert_int_equal(q.action, OPTIONS_ACTION_SERVE);
    assert_string_equal(o->http_listen, "127.0.0.1:8080");
    assert_string_equal(o->https_listen, "0.0.0.0:8443");
    assert_string_equal(o->tls_cert, "");
    assert_string_equal(o->tls_key, "");
    assert_string_equal(o->state_dir, "/s/duet");
    assert_string_equal(o->http_web_root, "");
    assert_int_equal(o->http_max_frame, 65536);
    assert_int_equal(o->http_origins.n, 0);
    assert_int_equal(o->http_ping_interval, 10 * US_PER_S);
    assert_true(addr_is_any(&o->media_listen) && addr_is_v4(&o->media_listen));
    assert_int_equal(o->media_port, 40000);
    assert_int_equal(o->media_workers, 0);
    assert_int_equal(o->media_external_ip.n, 0);
    assert_false(o->media_ice_lite);
    assert_int_equal(o->media_tick_us, 1000);
    assert_int_equal(o->media_dscp, 46);
    assert_true(o->media_tcp);
    assert_int_equal(o->media_rtp_ports.first, 41000);
    assert_int_equal(o->media_rtp_ports.last, 41999);
    assert_int_equal(o->media_stun.n + o->media_interfaces.n, 0);
    assert_false(o->media_external_ip.is_auto);
    assert_int_equal(o->call_setup_timeout, 30 * US_PER_S);
    assert_int_equal(o->call_ring_timeout, 60 * US_PER_S);
    assert_string_equal(o->recording_dir, "");
    assert_int_equal(o->recording_max_files, 1000);
    assert_string_equal(o->player_dir, "");
    assert_int_equal(o->player_http.n, 0);
    assert_int_equal(o->player_max_files, 1000);
    assert_int_equal(o->log_level, OPTIONS_LOG_INFO);
    options_request_deinit(&q);
}

static void later_sources_win(void **state)
{
    (void)state;
    _cleanup_(remove_file) struct file f = file_with("media:\n  port: 1\n  workers: 1\n"
                                                     "  tick_us: 1\n");
    struct options_request q;
    int r = LOAD(ENV(HOME, "DUET_MEDIA_PORT=2", "DUET_MEDIA_WORKERS=2"), &q, "serve", "--set",
                 "media.port=3", "--config", f.name);
    assert_int_equal(r, 0);
    assert_int_equal(q.options.media_port, 3);
    assert_int_equal(q.options.media_workers, 2);
    assert_int_equal(q.options.media_tick_us, 1);
    assert_int_equal(q.options.call_max_calls, 5000);
    options_request_deinit(&q);
}

static void the_last_set_counts(void **state)
{
    (void)state;
    struct options_request q;
    assert_int_equal(LOAD(ENV(HOME), &q, "serve", "--set", "media.port=1", "--set", "media.port=2"),
                     0);
    assert_int_equal(q.options.media_port, 2);
    options_request_deinit(&q);
}

static void every_type_is_read(void **state)
{
    (void)state;
    struct options_request q;
    int r = LOAD(ENV(HOME), &q, "serve", "--set", "http.listen=", "--set", "https.listen=[::1]:443",
                 "--set", "media.listen=::", "--set", "media.external_ip=192.0.2.1, 2001:db8::1",
                 "--set", "media.ice_lite=yes", "--set", "call.ring_timeout=1500 ms", "--set",
                 "log.level=debug", "--set", "http.origins=https://a.example:8443,http://localhost",
                 "--set", "state.dir=/d", "--set", "media.tcp=off", "--set",
                 "media.stun=stun.example.org, [2001:db8::1]:3479", "--set",
                 "media.interfaces=eth*,-10.0.0.0/8", "--set", "media.rtp_ports=2000 - 2001");
    assert_int_equal(r, 0);
    const struct options *o = &q.options;
    assert_false(o->media_tcp);
    assert_int_equal(o->media_rtp_ports.first, 2000);
    assert_int_equal(o->media_rtp_ports.last, 2001);
    assert_string_equal(o->media_stun.item[0], "stun.example.org");
    assert_string_equal(o->media_stun.item[1], "[2001:db8::1]:3479");
    assert_string_equal(o->media_interfaces.item[1], "-10.0.0.0/8");
    assert_string_equal(o->http_listen, "");
    assert_string_equal(o->https_listen, "[::1]:443");
    assert_false(addr_is_v4(&o->media_listen));
    assert_int_equal(o->media_external_ip.n, 2);
    assert_true(addr_is_v4(&o->media_external_ip.item[0]));
    assert_int_equal(o->media_external_ip.item[0].port, 0);
    assert_true(o->media_ice_lite);
    assert_int_equal(o->call_ring_timeout, 1500 * US_PER_MS);
    assert_int_equal(o->log_level, OPTIONS_LOG_DEBUG);
    assert_int_equal(o->http_origins.n, 2);
    assert_string_equal(o->http_origins.item[1], "http://localhost");
    assert_null(o->http_origins.item[2]);
    assert_string_equal(o->state_dir, "/d");
    options_request_deinit(&q);
}

static void bad_values_are_refused_with_what_would_be_right(void **state)
{
    (void)state;
    static const struct {
        const char *set, *words;
    } rows[] = {
        {"media.port=65536", "--set: media.port: must be 0 to 65535, not '65536'"},
        {"media.port=-1", "must be 0 to 65535, not '-1'"},
        {"media.port=", "must be 0 to 65535, not ''"},
        {"media.port=4e4", "not '4e4'"},
        {"media.port=18446744073709551617", "must be 0 to 65535"},
        {"media.port=1\n", NULL}, /* spaces at the ends are no mistake */
        {"media.po\nrt=1", "unknown key 'media.po?rt': did you mean 'media.port'?"},
        {"media.tick_us=10001", "must be 0 to 10000 µs, not '10001'"},
        {"http.max_frame=4095", "must be 16384 to 65536 bytes, not '4095'"},
        {"http.listen=8080", "must be address:port, [IPv6]:port or empty"},
        {"http.listen=localhost:8080", "must be address:port"},
        {"http.listen=127.0.0.1:65536", "must be address:port"},
        {"media.listen=", "must be an IPv4 or IPv6 address"},
        {"media.listen=10.0.0.1:5", "must be an IPv4 or IPv6 address"},
        {"media.external_ip=192.0.2.1,192.0.2.2", "at most one of each family"},
        {"media.external_ip=0.0.0.0", "must be unicast addresses"},
        {"media.external_ip=224.0.0.1", "must be unicast addresses"},
        {"media.external_ip=,", "must be unicast addresses"},
        {"media.external_ip=auto,192.0.2.1", "must be unicast addresses"},
        {"media.external_ip=auto", "media.external_ip: auto needs somebody to ask"},
        {"media.stun=stun.example.org:0", "host, host:port or [IPv6]:port"},
        {"media.stun=stun:stun.example.org", "host, host:port or [IPv6]:port"},
        {"media.stun=:3478", "host, host:port or [IPv6]:port"},
        {"media.stun=a b", "host, host:port or [IPv6]:port"},
        {"media.stun=[::1", "host, host:port or [IPv6]:port"},
        {"media.interfaces=10.0.0.1/8", "name, name*, address or network/bits"},
        {"media.interfaces=*", "name, name*, address or network/bits"},
        {"http.origins=https://a.example/path", "scheme://host"},
        {"http.origins=a.example", "scheme://host"},
        {"http.origins=https://", "scheme://host"},
        {"media.rtp_ports=41000", "must be first-last, from 1024 to 65535"},
        {"media.rtp_ports=41000-65536", "must be first-last"},
        {"media.rtp_ports=1023-2000", "must be first-last"},
        {"media.rtp_ports=41000-41000", "must be first-last"},
        {"media.rtp_ports=41001-41002", "must be first-last"},
        {"media.rtp_ports=39000-40000", "media.port, media.rtp_ports: port 40000 is in both"},
        {"media.ice_lite=maybe", "must be true or false, not 'maybe'"},
        {"call.ring_timeout=60", "must be 1s to 1h, with its unit"},
        {"media.backend=janus", "must be engine or kurento"},
        {"media.backend=kurento", "media.backend: kurento needs servers: set media.kurento_uri"},
        {"media.kurento_uri=http://kms:8888/kurento", "ws://host:port/path or wss://"},
        {"media.kurento_uri=wss://[::1]/kurento", "wants a name or an IPv4 address"},
        {"media.kurento_uri=ws://me:secret@kms:8888/kurento", "ws://host:port/path or wss://"},
        {"media.kurento_uri=ws://kms:8888/kurento", "has no effect without media.backend: kurento"},
        {"call.ring_timeout=0s", "must be 1s to 1h"},
        {"call.ring_timeout=4294967295h", "must be 1s to 1h"},
        {"call.ring_timeout=s", "must be 1s to 1h"},
        {"log.level=trace", "must be error, warning, info or debug, not 'trace'"},
        {"tls.cert=a\x1b[31mb", "not 'a?[31mb'"},
        {"player.dir=music", "player.dir: music is not an absolute path"},
        {"recording.dir=calls", "recording.dir: calls is not an absolute path"},
        {"tls.cert=/a", "tls.cert, tls.key: give both or neither"},
        {"kurento.listne=x", "unknown key 'kurento.listne': did you mean 'kurento.listen'?"},
        {"nonsense=x", "unknown key 'nonsense': duet serve --help lists them"},
        {"media.port", "--set: 'media.port': write --set KEY=VALUE"},
        {"=1", "unknown key ''"},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        char set[128];
        (void)snprintf(set, sizeof(set), "%s", rows[i].set);
        struct options_request q;
        int r = LOAD(ENV(HOME), &q, "serve", "--set", set);
        if (rows[i].words) {
            assert_refused(r, &q, rows[i].words);
        } else {
            assert_int_equal(r, 0);
            options_request_deinit(&q);
        }
    }
}

static void rules_between_settings(void **state)
{
    (void)state;
    struct options_request q;
    assert_refused(LOAD(ENV(HOME), &q, "serve", "--set", "http.listen=", "--set", "https.listen="),
                   &q, "both are off");
    assert_refused(
        LOAD(ENV(HOME), &q, "serve", "--set", "media.port=65535", "--set", "media.workers=2"), &q,
        "is above 65535");
    assert_refused(
        LOAD(ENV(HOME), &q, "serve", "--set", "media.port=40999", "--set", "media.workers=2"), &q,
        "port 41000 is in both");
    assert_refused(LOAD(ENV(HOME), &q, "serve", "--set", "call.record=on"), &q,
                   "set recording.dir");
    assert_int_equal(
        LOAD(ENV(HOME), &q, "serve", "--set", "media.port=65535", "--set", "media.workers=1"), 0);
    options_request_deinit(&q);
}

static void all_mistakes_are_told_at_once(void **state)
{
    (void)state;
    _cleanup_(remove_file) struct file f = file_with("# a file\nmedia:\n  prot: 1\n  workers: x\n");
    struct options_request q;
    int r = LOAD(ENV(HOME, "DUET_MEDIA_TICK_US=-", "DUET_NOTHING=1", "OTHER=1"), &q, "serve",
                 "--config", f.name, "--set", "log.level=loud");
    assert_int_equal(r, OPTIONS_E_REFUSED);
    char want[1024];
    (void)snprintf(want, sizeof(want),
                   "%s:3: unknown key 'media.prot': did you mean 'media.port'?\n"
                   "%s:4: media.workers: must be 0 to 64, not 'x'\n"
                   "environment: media.tick_us: must be 0 to 10000 µs, not '-'\n"
                   "environment: DUET_NOTHING: no setting has this name (DUET_MEDIA_PORT is "
                   "media.port)\n"
                   "--set: log.level: must be error, warning, info or debug, not 'loud'\n",
                   f.name, f.name);
    assert_string_equal(q.text, want);
    options_request_deinit(&q);
}

static void many_mistakes_are_counted(void **state)
{
    (void)state;
    const char *argv[2 + 2 * 30 + 1] = {"duet", "serve"};
    for (size_t i = 0; i < 30; i++) {
        argv[2 + 2 * i] = "--set";
        argv[3 + 2 * i] = "a.b=c";
    }
    struct options_request q;
    assert_refused(load(ENV(HOME), &q, argv), &q, "... and 10 more\n");
}

static void wrong_command_lines(void **state)
{
    (void)state;
    struct options_request q;
    assert_refused(LOAD(ENV(HOME), &q, "run"), &q, "'run' is no argument of duet");
    assert_refused(LOAD(ENV(HOME), &q, "--version", "x"), &q, "'x' is no argument of duet");
    assert_refused(load(ENV(HOME), &q, ARGUMENTS()), &q, "duet serve");
    assert_refused(LOAD(ENV(HOME), &q, "serve", "--port"), &q, "'--port' is no argument of duet");
    assert_refused(LOAD(ENV(HOME), &q, "serve", "--config"), &q, "--config: the file is missing");
    assert_refused(LOAD(ENV(HOME), &q, "serve", "--set"), &q, "--set: KEY=VALUE is missing");
    assert_refused(LOAD(ENV(HOME), &q, "serve", "--config", "/a", "--config", "/b"), &q,
                   "--config: given twice");
    assert_refused(LOAD(ENV(HOME), &q, "serve", "--config", "/nowhere/x.yaml"), &q,
                   "/nowhere/x.yaml: cannot be read: No such file");
    assert_refused(LOAD(ENV(HOME), &q, "serve", "--config", "/tmp"), &q, "/tmp: cannot be read");
}

static void what_is_printed(void **state)
{
    (void)state;
    struct options_request q;
    assert_int_equal(LOAD(ENV(HOME), &q, "--version"), 0);
    assert_int_equal(q.action, OPTIONS_ACTION_PRINT);
    assert_true(strncmp(q.text, "duet ", 5) == 0);
    options_request_deinit(&q);
    assert_int_equal(LOAD(ENV(HOME), &q, "--help"), 0);
    assert_contains(q.text, "duet serve --help");
    options_request_deinit(&q);
    /* Help is there also for who has a bad variable set. */
    assert_int_equal(LOAD(ENV("DUET_X=1"), &q, "serve", "--help"), 0);
    assert_contains(q.text, "\n  media.port=40000\n      (0 to 65535)\n");
    options_request_deinit(&q);
}

static void the_printed_file_reads_back(void **state)
{
    (void)state;
    struct options_request first;
    struct options_request second;
    assert_int_equal(LOAD(ENV(HOME), &first, "serve", "--print-config", "--set",
                          "tls.cert=it's #1: ok", "--set", "tls.key=/k", "--set",
                          "call.ring_timeout=90s", "--set",
                          "media.external_ip=192.0.2.1,2001:db8::1"),
                     0);
    assert_contains(first.text, "  ring_timeout: 90s\n");
    _cleanup_(remove_file) struct file f = file_with(first.text);
    assert_int_equal(LOAD(ENV(), &second, "serve", "--print-config", "--config", f.name), 0);
    assert_string_equal(first.text, second.text);
    options_request_deinit(&first);
    options_request_deinit(&second);
}

static void state_dir_of_a_user(void **state)
{
    (void)state;
    struct options_request q;
    const char *want = geteuid() == 0 ? "/var/lib/duet" : "/home/ada/.local/state/duet";
    assert_int_equal(LOAD(ENV(HOME, "XDG_STATE_HOME=relative"), &q, "serve"), 0);
    assert_string_equal(q.options.state_dir, want);
    options_request_deinit(&q);
}

static void the_reference_page_is_the_printed_one(void **state)
{
    (void)state;
    struct options_request q;
    assert_int_equal(LOAD(ENV(HOME), &q, "serve", "--print-reference"), 0);
    FILE *f = fopen(DUET_TEST_DATA "/../../docs/configuration.md", "rb");
    assert_non_null(f);
    static char page[64 * 1024];
    size_t len = fread(page, 1, sizeof(page) - 1, f);
    page[len] = '\0';
    (void)fclose(f);
    if (strcmp(page, q.text) != 0)
        fail_msg(
            "docs/configuration.md is old: duet serve --print-reference >docs/configuration.md");
    options_request_deinit(&q);
}

static void out_of_memory_anywhere(void **state)
{
    (void)state;
    _cleanup_(remove_file) struct file f =
        file_with("http:\n  origins: ['https://a', 'https://b']\n");
    static const char *const sets[] = {"media.port=1", "media.port=x", "tls.cert=/a"};
    static const char *const ends[] = {"--help", "--print-config", "--print-reference", "--set"};
    for (size_t i = 0; i < ARRAY_LEN(sets) * ARRAY_LEN(ends); i++) {
        const char *end = ends[i % ARRAY_LEN(ends)];
        const char *set = sets[i / ARRAY_LEN(ends)];
        int r = -ENOMEM;
        for (unsigned n = 1; r == -ENOMEM; n++) {
            struct options_request q;
            mem_fail_at(n);
            r = LOAD(ENV(HOME), &q, "serve", "--config", f.name, "--set", set, end,
                     strcmp(end, "--set") == 0 ? "tls.key=/b" : NULL);
            assert_true(r == -ENOMEM || mem_count() < n);
            if (r != -ENOMEM)
                options_request_deinit(&q);
            assert_true(n < 1000);
        }
        mem_fail_at(0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(defaults_are_those_that_others_rely_on),
        cmocka_unit_test(later_sources_win),
        cmocka_unit_test(the_last_set_counts),
        cmocka_unit_test(every_type_is_read),
        cmocka_unit_test(bad_values_are_refused_with_what_would_be_right),
        cmocka_unit_test(rules_between_settings),
        cmocka_unit_test(all_mistakes_are_told_at_once),
        cmocka_unit_test(many_mistakes_are_counted),
        cmocka_unit_test(wrong_command_lines),
        cmocka_unit_test(what_is_printed),
        cmocka_unit_test(the_printed_file_reads_back),
        cmocka_unit_test(state_dir_of_a_user),
        cmocka_unit_test(the_reference_page_is_the_printed_one),
        cmocka_unit_test(out_of_memory_anywhere),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
