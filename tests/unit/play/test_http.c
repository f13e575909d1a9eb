/*
 * Media from servers, on the loopback interface: each path of the test's own server is a kind of
 * server that one meets.
 */
#include <arpa/inet.h>
#include <curl/curl.h>
#include <errno.h>
#include <netinet/in.h>
#include <pthread.h>
#include <semaphore.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/text.h"
#include "play/player.h"
#include "tone.h"

#define TICKS(ms) ((int64_t)(ms)*48)

#define MAX_CONNECTIONS 32

static struct server {
    int fd;
    unsigned port;
    pthread_t thread, of_connection[MAX_CONNECTIONS];
    int connection[MAX_CONNECTIONS];
    unsigned n_connections;
    sem_t go_on;             /* what /slow waits for */
    atomic_size_t n_sent;    /* bytes */
    atomic_uint n_elsewhere; /* requests that must not come */
    uint8_t *wav;
    size_t wav_len;
} server;

static char host[32];
static const char *hosts[] = {host};
static int wake_fd;
static struct player *player;
static struct player_event event;
static struct packet_feed *feed;

/* --- the server --- */

/* @return false = the client has gone */
static bool send_all(int fd, const void *data, size_t len)
{
    for (size_t at = 0; at < len;) {
        ssize_t n = send(fd, (const char *)data + at, len - at, MSG_NOSIGNAL);
        if (n <= 0)
            return false;
        at += (size_t)n;
        atomic_fetch_add(&server.n_sent, (size_t)n);
    }
    return true;
}

PRINTF_LIKE(2, 3) static void say(int fd, const char *format, ...)
{
    char buf[512];
    va_list args;
    va_start(args, format);
    int n = vsnprintf(buf, sizeof(buf), format, args);
    va_end(args);
    (void)send_all(fd, buf, (size_t)n);
}

static void send_head(int fd, size_t len)
{
    say(fd, "HTTP/1.1 200 OK\r\nContent-Length: %zu\r\n\r\n", len);
}

static void send_tone(int fd)
{
    send_head(fd, server.wav_len);
    (void)send_all(fd, server.wav, server.wav_len);
}

static void send_chunks(int fd)
{
    say(fd, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
    for (size_t at = 0; at < server.wav_len; at += 1000) {
        size_t n = server.wav_len - at < 1000 ? server.wav_len - at : 1000;
        say(fd, "%zx\r\n", n);
        (void)send_all(fd, server.wav + at, n);
        say(fd, "\r\n");
    }
    say(fd, "0\r\n\r\n");
}

/* Half of it, and the rest when the test says so, or never. */
static void send_slowly(int fd)
{
    size_t half = server.wav_len / 2;
    send_head(fd, server.wav_len);
    (void)send_all(fd, server.wav, half);
    sem_wait(&server.go_on);
    (void)send_all(fd, server.wav + half, server.wav_len - half);
}

static void die_in_the_middle(int fd)
{
    send_head(fd, server.wav_len);
    (void)send_all(fd, server.wav, server.wav_len / 2);
}

static void send_for_ever(int fd, const char *status, const void *head, size_t head_len)
{
    static const uint8_t zeros[16384];
    say(fd, "HTTP/1.1 %s\r\n\r\n", status);
    for (bool is_there = send_all(fd, head, head_len); is_there;)
        is_there = send_all(fd, zeros, sizeof(zeros));
}

/* A WAV whose length is not known. */
static void send_radio(int fd)
{
    uint8_t head[TONE_HEAD];
    memcpy(head, server.wav, sizeof(head));
    tone_put32(head + 4, UINT32_MAX);
    tone_put32(head + 40, UINT32_MAX);
    send_for_ever(fd, "200 OK", head, sizeof(head));
}

/* One that begins with a chunk of four gigabytes that is not audio. */
static void send_nothing_to_be_heard(int fd)
{
    uint8_t head[20];
    memcpy(head, "RIFF\xff\xff\xff\xffWAVEjunk\xf0\xff\xff\xff", sizeof(head));
    send_for_ever(fd, "200 OK", head, sizeof(head));
}

/* Behind the last chunk (RFC 9112 §7.1.2). */
static void send_trailers_for_ever(int fd)
{
    say(fd, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nRIFF\r\n0\r\n");
    char line[1024];
    memset(line, 'x', sizeof(line));
    memcpy(line, "X: ", 3);
    memcpy(line + sizeof(line) - 2, "\r\n", 2);
    while (send_all(fd, line, sizeof(line)))
        continue;
}

static void answer(int fd, const char *path)
{
    static const char refusal[] = "Content-Length: 5\r\n\r\nsorry";
    if (strcmp(path, "/tone.wav") == 0)
        send_tone(fd);
    else if (strcmp(path, "/chunked") == 0)
        send_chunks(fd);
    else if (strcmp(path, "/slow") == 0)
        send_slowly(fd);
    else if (strcmp(path, "/dies") == 0)
        die_in_the_middle(fd);
    else if (strcmp(path, "/radio") == 0)
        send_radio(fd);
    else if (strcmp(path, "/junk") == 0)
        send_nothing_to_be_heard(fd);
    else if (strcmp(path, "/silent") == 0)
        sem_wait(&server.go_on);
    else if (strcmp(path, "/page") == 0)
        say(fd, "HTTP/1.1 200 OK\r\nContent-Length: 21\r\n\r\n<!doctype html><title>");
    else if (strcmp(path, "/moved") == 0)
        say(fd, "HTTP/1.1 302 Found\r\nLocation: /tone.wav\r\n%s", refusal);
    else if (strcmp(path, "/loop") == 0)
        say(fd, "HTTP/1.1 301 Moved\r\nLocation: /loop\r\n%s", refusal);
    else if (strcmp(path, "/inside") == 0)
        say(fd, "HTTP/1.1 302 Found\r\nLocation: http://localhost:%u/secret\r\n%s", server.port,
            refusal);
    else if (strcmp(path, "/odd") == 0)
        say(fd, "HTTP/1.1 302 Found\r\nLocation: http://ev\xc3(l/secret\r\n%s", refusal);
    else if (strcmp(path, "/ftp") == 0)
        say(fd, "HTTP/1.1 302 Found\r\nLocation: ftp://%s/secret\r\n%s", host, refusal);
    else if (strcmp(path, "/file") == 0)
        say(fd, "HTTP/1.1 302 Found\r\nLocation: file:///etc/passwd\r\n%s", refusal);
    else if (strcmp(path, "/secret") == 0)
        atomic_fetch_add(&server.n_elsewhere, 1);
    else if (strcmp(path, "/verbose") == 0)
        send_for_ever(fd, "500 Let me explain", "", 0);
    else if (strcmp(path, "/trailers") == 0)
        send_trailers_for_ever(fd);
    else if (strcmp(path, "/403") == 0)
        say(fd, "HTTP/1.1 403 Forbidden\r\n%s", refusal);
    else if (strcmp(path, "/500") == 0)
        say(fd, "HTTP/1.1 500 Oh\r\n%s", refusal);
    else
        say(fd, "HTTP/1.1 404 Not Found\r\n%s", refusal);
}

static void *serve_one(void *arg)
{
    int fd = *(int *)arg;
    char buf[2048];
    size_t len = 0;
    for (ssize_t n; len < sizeof(buf) - 1; len += (size_t)n) {
        n = recv(fd, buf + len, sizeof(buf) - 1 - len, 0);
        if (n <= 0)
            break;
        buf[len + (size_t)n] = 0;
        if (strstr(buf, "\r\n\r\n") || buf[0] == 0x16) /* that would be TLS */
            break;
    }
    char path[64];
    if (sscanf(buf, "GET %63s HTTP/1.1", path) == 1)
        answer(fd, path);
    (void)shutdown(fd, SHUT_RDWR);
    return NULL;
}

static void *serve(void *arg)
{
    (void)arg;
    for (;;) {
        int fd = accept(server.fd, NULL, NULL);
        if (fd < 0 || server.n_connections == MAX_CONNECTIONS)
            return NULL;
        unsigned i = server.n_connections++;
        server.connection[i] = fd;
        if (pthread_create(&server.of_connection[i], NULL, serve_one, &server.connection[i]))
            abort();
    }
}

static void open_server(void)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof(at);
    memset(&server, 0, sizeof(server));
    server.wav = tone_wav(1500, &server.wav_len);
    sem_init(&server.go_on, 0, 0);
    server.fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(server.fd, (struct sockaddr *)&at, len), 0);
    assert_int_equal(listen(server.fd, 8), 0);
    assert_int_equal(getsockname(server.fd, (struct sockaddr *)&at, &len), 0);
    server.port = ntohs(at.sin_port);
    assert_int_equal(pthread_create(&server.thread, NULL, serve, NULL), 0);
    (void)snprintf(host, sizeof(host), "127.0.0.1:%u", server.port);
}

static void close_server(void)
{
    (void)shutdown(server.fd, SHUT_RDWR);
    pthread_join(server.thread, NULL);
    for (unsigned i = 0; i < server.n_connections; i++) {
        (void)sem_post(&server.go_on);
        (void)shutdown(server.connection[i], SHUT_RDWR);
    }
    for (unsigned i = 0; i < server.n_connections; i++) {
        pthread_join(server.of_connection[i], NULL);
        (void)close(server.connection[i]);
    }
    (void)close(server.fd);
    sem_destroy(&server.go_on);
    free(server.wav);
}

/* --- the player --- */

static void wake(void *user)
{
    (void)user;
    assert_int_equal(write(wake_fd, &(uint64_t){1}, 8), 8);
}

static int setup(void **state)
{
    (void)state;
    char error[PLAY_ERROR_MAX];
    open_server();
    wake_fd = eventfd(0, EFD_CLOEXEC);
    const struct player_config config = {
        .rights[PLAYER_PIPELINES] = {.setting = "player.dir", .hosts = hosts, .n_hosts = 1},
        .max_playings = 10,
        .wake = wake,
    };
    player = player_new(&config, error);
    feed = packet_feed_new(0);
    return !player || !feed;
}

static int teardown(void **state)
{
    (void)state;
    player_free(player);
    packet_feed_unref(feed);
    close_server();
    close(wake_fd);
    return 0;
}

static const char *url(const char *path)
{
    static char buf[128];
    (void)snprintf(buf, sizeof(buf), "http://%s%s", host, path);
    return buf;
}

static struct playing *start(const char *uri)
{
    struct playing *g = NULL;
    struct play_error error;
    const struct player_order order = {
        .front = PLAYER_PIPELINES, .uri = str_of(uri), .feed = feed, .user = &feed};
    if (!player_check(player, PLAYER_PIPELINES, order.uri, &error))
        fail_msg("%s: %s", uri, error.text);
    assert_int_equal(player_start(player, &order, &g), 0);
    return g;
}

static void wait_event(enum player_event_type type, const struct playing *g)
{
    uint64_t n;
    while (!player_poll_event(player, PLAYER_PIPELINES, &event))
        assert_int_equal(read(wake_fd, &n, 8), 8);
    assert_int_equal(event.type, type);
    assert_ptr_equal(event.playing, g);
}

/* The test's time limit ends it when there is none. */
static struct packet_feed_frame next_frame(void)
{
    struct packet_feed_frame frame;
    while (!packet_feed_peek(feed, &frame))
        usleep(1000);
    return frame;
}

static int64_t hear_all(void)
{
    for (;;) {
        struct packet_feed_frame frame = next_frame();
        packet_feed_pop(feed);
        if (frame.duration == 0)
            return frame.position;
    }
}

static void expect_tone(const char *path)
{
    struct playing *g = start(url(path));
    assert_false(player_is_file(str_of(url(path))));
    assert_in_range(hear_all(), TICKS(1500), TICKS(1507));
    assert_false(player_poll_event(player, PLAYER_PIPELINES, &event));
    playing_stop(g);
    packet_feed_unref(feed);
    feed = packet_feed_new(0);
}

static void a_file_of_a_server_is_heard_to_its_end(void **state)
{
    (void)state;
    expect_tone("/tone.wav");
    expect_tone("/chunked");
    expect_tone("/moved");
}

static void expect_failure(const char *uri, enum play_trouble trouble, const char *text)
{
    struct playing *g = start(uri);
    wait_event(PLAYER_FAILED, g);
    assert_int_equal(event.error->trouble, trouble);
    if (!strstr(event.error->text, text))
        fail_msg("\"%s\" does not say \"%s\"", event.error->text, text);
    assert_false(event.has_begun);
    playing_stop(g);
}

static void what_a_server_refuses_is_told(void **state)
{
    (void)state;
    expect_failure(url("/nothing"), PLAY_T_NOT_FOUND, "status 404");
    expect_failure(url("/403"), PLAY_T_NOT_PERMITTED, "status 403");
    expect_failure(url("/500"), PLAY_T_UNREADABLE, "status 500");
    expect_failure(url("/verbose"), PLAY_T_UNREADABLE, "status 500");
    expect_failure(url("/trailers"), PLAY_T_UNREADABLE, "header");
    assert_true(server.n_sent < 16 << 20);
    expect_failure(url("/page"), PLAY_T_NOT_MEDIA, "HTML");
    expect_failure(url("/loop"), PLAY_T_UNREADABLE, "redirections");
    char uri[64];
    (void)snprintf(uri, sizeof(uri), "https://%s/tone.wav", host);
    expect_failure(uri, PLAY_T_UNREADABLE, "SSL");
}

static void nobody_listens(void **state)
{
    (void)state;
    (void)shutdown(server.fd, SHUT_RDWR);
    expect_failure(url("/tone.wav"), PLAY_T_UNREADABLE, "connect");
}

/* A server that is named does not lead to one that is not: it is never asked. */
static void redirections_go_to_named_hosts_only(void **state)
{
    (void)state;
    expect_failure(url("/inside"), PLAY_T_NOT_PERMITTED, "does not name the host localhost");
    expect_failure(url("/ftp"), PLAY_T_NOT_PERMITTED, "neither http nor https");
    expect_failure(url("/file"), PLAY_T_NOT_PERMITTED, "neither http nor https");
    struct playing *g = start(url("/odd"));
    wait_event(PLAYER_FAILED, g);
    for (const char *p = event.error->text; *p; p++)
        assert_in_range(*p, ' ', '~'); /* it will be part of a JSON text */
    playing_stop(g);
    assert_int_equal(server.n_elsewhere, 0);
}

static void check(const char *uri, enum play_trouble trouble, const char *text)
{
    struct play_error error = {0};
    assert_int_equal(player_check(player, PLAYER_PIPELINES, str_of(uri), &error), trouble == 0);
    assert_int_equal(error.trouble, trouble);
    if (!strstr(error.text, text))
        fail_msg("%s: \"%s\" does not say \"%s\"", uri, error.text, text);
}

static void only_what_is_named_is_asked(void **state)
{
    (void)state;
    char uri[128];
    check(url("/x"), 0, "");
    (void)snprintf(uri, sizeof(uri), "HTTP://0x7f.1:%u/x", server.port); /* the same address */
    check(uri, 0, "");
    check("http://127.0.0.1/x", PLAY_T_NOT_PERMITTED, "does not name the host 127.0.0.1:80");
    check("https://example.org/x", PLAY_T_NOT_PERMITTED, "example.org:443");
    (void)snprintf(uri, sizeof(uri), "http://%s@evil.example/x", host);
    check(uri, PLAY_T_NOT_PERMITTED, "user and password");
    (void)snprintf(uri, sizeof(uri), "http://evil.example#@%s/x", host);
    check(uri, PLAY_T_NOT_PERMITTED, "evil.example:80");
    check("http://", PLAY_T_NOT_FOUND, "malformed");
    check("http://a b/", PLAY_T_NOT_FOUND, "malformed");
    check("https://[::1", PLAY_T_NOT_FOUND, "malformed");
}

/* The feed runs empty, and nothing is lost; another player does not notice. */
static void a_slow_server_is_waited_for(void **state)
{
    (void)state;
    struct playing *slow = start(url("/slow"));
    struct packet_feed *of_slow = feed;
    while (packet_feed_position(of_slow) < TICKS(700)) {
        (void)next_frame();
        packet_feed_pop(feed);
    }
    feed = packet_feed_new(0);
    expect_tone("/tone.wav");
    packet_feed_unref(feed);
    feed = of_slow;
    assert_int_equal(sem_post(&server.go_on), 0);
    assert_in_range(hear_all(), TICKS(1500), TICKS(1507));
    playing_stop(slow);
}

/* What came is heard, its end is told, and so is that it was not all. */
static void a_server_that_dies_is_heard_so_far(void **state)
{
    (void)state;
    struct playing *g = start(url("/dies"));
    assert_in_range(hear_all(), TICKS(730), TICKS(780));
    wait_event(PLAYER_FAILED, g);
    assert_true(event.has_begun);
    assert_int_equal(event.error->trouble, PLAY_T_UNREADABLE);
    playing_stop(g);
}

/* Whoever does not want to hear more stops the server, too: by TCP. */
static void a_server_without_end_waits_for_the_listener(void **state)
{
    (void)state;
    struct playing *g = start(url("/radio"));
    size_t before, after = 0;
    (void)next_frame();
    do { /* until what lies in between is full */
        before = after;
        usleep(100000);
        after = server.n_sent;
    } while (after != before || after < 192000);
    assert_in_range(after, 0, 16 << 20);
    for (unsigned i = 0; i < 2000; i++) {
        (void)next_frame();
        packet_feed_pop(feed);
    }
    assert_int_equal(packet_feed_position(feed), TICKS(40000));
    playing_stop(g);
}

static void a_server_without_audio_is_left(void **state)
{
    (void)state;
    expect_failure(url("/junk"), PLAY_T_NOT_MEDIA, "nothing comes that could be heard");
}

/* Neither a stop nor the end waits for anybody. */
static void a_server_that_says_nothing_holds_up_nobody(void **state)
{
    (void)state;
    playing_stop(start(url("/silent")));
    (void)start(url("/silent"));
    expect_tone("/tone.wav");
}

/* --- memory of the library --- */

static _Thread_local int fails_at; /* the how manieth allocation of this thread; 0 = none */

static bool fails(void)
{
    return fails_at && --fails_at == 0;
}

static void *lib_malloc(size_t size)
{
    return fails() ? NULL : malloc(size);
}

static void *lib_realloc(void *p, size_t size)
{
    return fails() ? NULL : realloc(p, size);
}

static char *lib_strdup(const char *s)
{
    return fails() ? NULL : strdup(s);
}

static void *lib_calloc(size_t n, size_t size)
{
    return fails() ? NULL : calloc(n, size);
}

static int watch_memory(void **state)
{
    (void)state;
    return curl_global_init_mem(CURL_GLOBAL_DEFAULT, lib_malloc, free, lib_realloc, lib_strdup,
                                lib_calloc);
}

/* The URL is read twice: what was right the first time may find no memory the second time. */
static void no_memory_to_read_a_url(void **state)
{
    char uri[64];
    struct playing *playing;
    int n = 0, err;
    (void)state;
    (void)snprintf(uri, sizeof(uri), "http://%s/ok", host);
    const struct player_order order = {.front = PLAYER_PIPELINES, .uri = str_of(uri), .feed = feed};
    do {
        fails_at = ++n;
        err = player_start(player, &order, &playing);
        fails_at = 0;
        assert_true(err == 0 || err == -ENOMEM);
    } while (err);
    assert_true(n > 1);
    playing_stop(playing);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_file_of_a_server_is_heard_to_its_end),
        TEST(what_a_server_refuses_is_told),
        TEST(nobody_listens),
        TEST(redirections_go_to_named_hosts_only),
        TEST(only_what_is_named_is_asked),
        TEST(a_slow_server_is_waited_for),
        TEST(a_server_that_dies_is_heard_so_far),
        TEST(a_server_without_end_waits_for_the_listener),
        TEST(a_server_without_audio_is_left),
        TEST(a_server_that_says_nothing_holds_up_nobody),
        TEST(no_memory_to_read_a_url),
    };
    return cmocka_run_group_tests(tests, watch_memory, NULL);
}
