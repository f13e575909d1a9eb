/* The connections of a worker, over real loopback sockets: limits, strangers, slow readers, and who
 * closes what. Time is the test's own: nothing here waits for a deadline. */
#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/bytes.h"
#include "base/mem.h"
#include "engine/framing.h"
#include "engine/socket.h"
#include "engine/tcp.h"
#include "log/counters.h"
#include "stun/message.h"

#define START (1000 * US_PER_S)

static struct tcp tcp;
static uint16_t port;

static uint64_t counter(enum counter which)
{
    uint64_t values[COUNTER_N];
    counter_snapshot(values);
    return values[which];
}

/* --- the other side --- */

static int connect_to(void)
{
    struct sockaddr_in sa = {.sin_family = AF_INET, .sin_port = htons(port)};
    sa.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    assert_true(fd >= 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&sa, sizeof(sa)), 0);
    return fd;
}

static void put(int fd, const void *p, size_t len)
{
    assert_int_equal(send(fd, p, len, MSG_NOSIGNAL), len);
}

static void put_frame(int fd, const void *p, size_t len)
{
    uint8_t frame[2 + DGRAM_MAX];
    put_be16(frame, (uint16_t)len);
    memcpy(frame + 2, p, len);
    put(fd, frame, 2 + len);
}

/* STUN enough for who looks at the header only. */
static const uint8_t check[20] = {0, 1, 0, 0, 0x21, 0x12, 0xa4, 0x42, 1, 2, 3};

static bool is_closed_by_server(int fd)
{
    uint8_t byte;
    struct pollfd p = {.fd = fd, .events = POLLIN};
    if (poll(&p, 1, 0) != 1)
        return false;
    return recv(fd, &byte, 1, MSG_DONTWAIT | MSG_PEEK) <= 0 && errno != EAGAIN;
}

/* --- this side --- */

/* On a port that is free for UDP, as a worker does it, until one is free for both. */
static int set_up(void **state)
{
    int err = -EADDRINUSE;
    (void)state;
    for (unsigned i = 0; i < 100 && err == -EADDRINUSE; i++) {
        struct addr at = addr_v4(127, 0, 0, 1, 0);
        struct socket udp;
        assert_int_equal(socket_open(&udp, &at), 0);
        at.port = port = udp.bound.port;
        err = tcp_open(&tcp, &at, false);
        socket_close(&udp);
    }
    return err;
}

static int tear_down(void **state)
{
    (void)state;
    tcp_close(&tcp);
    return 0;
}

static void wait_readable(void)
{
    struct pollfd p = {.fd = tcp.epoll_fd, .events = POLLIN};
    if (list_is_empty(&tcp.readable))
        assert_int_equal(poll(&p, 1, 10000), 1);
}

/* Until one datagram comes. */
static struct dgram rx_one(mono_us now)
{
    struct dgram d;
    for (;;) {
        wait_readable();
        if (tcp_rx_batch(&tcp, now, &d, 1))
            return d;
    }
}

/* Take what happens until there are so many connections. */
static void rx_until(size_t n_connections)
{
    struct dgram d;
    while (tcp.n_connections != n_connections) {
        wait_readable();
        (void)tcp_rx_batch(&tcp, START, &d, 1);
    }
}

static struct dgram proven(int *ret_fd)
{
    *ret_fd = connect_to();
    put_frame(*ret_fd, check, sizeof(check));
    struct dgram d = rx_one(START);
    tcp_proven(&tcp, &d.remote);
    assert_int_equal(tcp.n_unproven, 0);
    return d;
}

/* --- tests --- */

static void frames_come_in_and_go_out(void **state)
{
    int fd;
    uint8_t buf[64];
    (void)state;
    struct dgram d = proven(&fd);
    assert_int_equal(d.len, sizeof(check));
    assert_memory_equal(d.data, check, sizeof(check));
    assert_int_equal(d.local.port, port);
    assert_int_equal(d.local.tcp, ADDR_TCP);
    assert_int_equal(d.remote.tcp, 1);
    assert_true(d.cap >= DGRAM_MAX + SOCKET_TAIL_ROOM);
    d.data[0] = 0x80;
    tcp_send(&tcp, &d);
    tcp_send(&tcp, &d);
    tcp_flush(&tcp);
    assert_int_equal(recv(fd, buf, 44, MSG_WAITALL), 44);
    assert_memory_equal(buf, "\0\24\200", 3);
    assert_memory_equal(buf + 22, "\0\24\200", 3);
    (void)close(fd);
}

static void many_frames_in_one_read_come_in_batches_and_in_order(void **state)
{
    enum { N = 200 };
    struct dgram in[SOCKET_BATCH];
    uint8_t all[N][2 + sizeof(check)];
    int fd;
    (void)state;
    (void)proven(&fd);
    for (unsigned i = 0; i < N; i++) {
        put_be16(all[i], sizeof(check));
        memcpy(all[i] + 2, check, sizeof(check));
        all[i][21] = (uint8_t)i;
    }
    put(fd, all, sizeof(all));
    for (unsigned i = 0; i < N;) {
        wait_readable();
        size_t n = tcp_rx_batch(&tcp, START, in, SOCKET_BATCH);
        for (size_t k = 0; k < n; k++, i++)
            assert_int_equal(in[k].data[19], (uint8_t)i);
        if (n == SOCKET_BATCH) /* the rest needs no new event */
            assert_int_equal(tcp_deadline(&tcp), 0);
    }
    (void)close(fd);
}

static void a_number_means_one_connection_only(void **state)
{
    uint64_t gone = counter(COUNTER_TCP_GONE);
    int fd, other;
    (void)state;
    struct dgram d = proven(&fd), old = d;
    old.remote.port++; /* somebody who had this number before */
    tcp_send(&tcp, &old);
    assert_int_equal(counter(COUNTER_TCP_GONE), gone + 1);
    old.remote.tcp = TCP_MAX_CONNECTIONS + 1;
    tcp_send(&tcp, &old);
    tcp_proven(&tcp, &old.remote);
    tcp_release(&tcp, &old.remote);
    assert_int_equal(counter(COUNTER_TCP_GONE), gone + 2);
    tcp_release(&tcp, &d.remote);
    d = proven(&other);
    assert_int_equal(d.remote.tcp, 2); /* not the one that was just given back */
    (void)close(fd);
    (void)close(other);
}

static void who_closes_is_told_once_if_it_was_proven(void **state)
{
    struct addr local, remote;
    int fd;
    (void)state;
    struct dgram d = proven(&fd);
    (void)close(fd);
    rx_until(0);
    assert_int_equal(tcp_deadline(&tcp), 0);
    assert_true(tcp_poll_closed(&tcp, &local, &remote));
    assert_true(addr_equal(&remote, &d.remote) && addr_equal(&local, &d.local));
    assert_false(tcp_poll_closed(&tcp, &local, &remote));
    fd = connect_to(); /* a stranger */
    rx_until(1);
    (void)close(fd);
    rx_until(0);
    assert_false(tcp_poll_closed(&tcp, &local, &remote));
}

static void a_reset_in_the_middle_of_a_frame_is_an_end(void **state)
{
    const struct linger reset = {.l_onoff = 1};
    struct addr local, remote;
    int fd;
    (void)state;
    (void)proven(&fd);
    put(fd, "\4\0half a frame", 14);
    assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset)), 0);
    (void)close(fd);
    rx_until(0);
    assert_true(tcp_poll_closed(&tcp, &local, &remote));
}

static void strangers_who_do_not_speak_stun_are_cut_off(void **state)
{
    static const struct {
        const char *bytes;
        size_t len;
    } rows[] = {
        {"GET / HTTP/1.1\r\n\r\n", 18}, {"\377\377xxxx", 6}, {"\0\5hello", 7}, {"\0\1\200", 3}};
    uint64_t bad = counter(COUNTER_TCP_BAD_FRAME);
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        int fd = connect_to();
        rx_until(1);
        put(fd, rows[i].bytes, rows[i].len);
        rx_until(0);
        assert_true(is_closed_by_server(fd));
        (void)close(fd);
    }
    assert_int_equal(counter(COUNTER_TCP_BAD_FRAME) - bad, ARRAY_LEN(rows));
}

static void a_thousand_connections_of_one_stranger_leave_room(void **state)
{
    enum { N = 1000 };
    static int fds[N];
    uint64_t refused = counter(COUNTER_TCP_REFUSED);
    struct dgram d;
    (void)state;
    for (unsigned i = 0; i < N; i++) {
        fds[i] = connect_to();
        (void)tcp_rx_batch(&tcp, START, &d, 1); /* the backlog is shorter than that */
    }
    while (counter(COUNTER_TCP_REFUSED) - refused < N - TCP_MAX_UNPROVEN_PER_ADDRESS) {
        wait_readable();
        (void)tcp_rx_batch(&tcp, START, &d, 1);
    }
    assert_int_equal(tcp.n_connections, TCP_MAX_UNPROVEN_PER_ADDRESS);
    /* Slowly, byte by byte, they live as long as anybody who proves nothing. */
    for (unsigned i = 0; i < TCP_MAX_UNPROVEN_PER_ADDRESS; i++)
        put(fds[i], "\0", 1);
    assert_int_equal(tcp_rx_batch(&tcp, START + TCP_PROVE_LIMIT - 1, &d, 1), 0);
    tcp_timeout(&tcp, START + TCP_PROVE_LIMIT - 1);
    assert_int_equal(tcp.n_connections, TCP_MAX_UNPROVEN_PER_ADDRESS);
    assert_true(tcp_deadline(&tcp) <= START + TCP_PROVE_LIMIT);
    tcp_timeout(&tcp, START + TCP_PROVE_LIMIT);
    assert_int_equal(tcp.n_connections, 0);
    for (unsigned i = 0; i < N; i++)
        (void)close(fds[i]);
}

static void a_silent_connection_ends_and_a_speaking_one_does_not(void **state)
{
    struct addr local, remote;
    struct dgram d;
    int silent, speaking;
    (void)state;
    struct dgram first = proven(&silent);
    struct dgram second = proven(&speaking);
    for (mono_us now = START; now < START + TCP_IDLE_LIMIT; now += 10 * US_PER_S) {
        put_frame(speaking, check, sizeof(check));
        put(silent, "\0\0", 2); /* empty frames are no sign of life */
        wait_readable();
        while (!tcp_rx_batch(&tcp, now, &d, 1))
            wait_readable();
        tcp_heard(&tcp, &second.remote, now);
        tcp_timeout(&tcp, now);
    }
    assert_int_equal(tcp.n_connections, 2);
    tcp_timeout(&tcp, tcp_deadline(&tcp));
    tcp_timeout(&tcp, START + TCP_IDLE_LIMIT + 20 * US_PER_S);
    assert_int_equal(tcp.n_connections, 1);
    assert_true(tcp_poll_closed(&tcp, &local, &remote));
    assert_true(addr_equal(&remote, &first.remote));
    (void)close(silent);
    (void)close(speaking);
}

/* Of a call that is over, say: it was proven once, and goes on sending. */
static void frames_that_are_nobodys_keep_no_connection(void **state)
{
    struct addr local, remote;
    struct dgram d;
    int fd;
    (void)state;
    (void)proven(&fd);
    for (mono_us now = START; now < START + TCP_IDLE_LIMIT; now += 10 * US_PER_S) {
        put_frame(fd, check, sizeof(check));
        wait_readable();
        while (!tcp_rx_batch(&tcp, now, &d, 1))
            wait_readable();
        tcp_timeout(&tcp, now);
    }
    assert_int_equal(tcp.n_connections, 1);
    tcp_timeout(&tcp, START + TCP_IDLE_LIMIT);
    assert_int_equal(tcp.n_connections, 0);
    assert_true(tcp_poll_closed(&tcp, &local, &remote));
    (void)close(fd);
}

/* Media are dropped, whole frames only; checks still find room; nothing blocks. */
static void a_slow_reader_loses_media_and_no_frame_is_cut(void **state)
{
    uint64_t full = counter(COUNTER_TCP_QUEUE_FULL);
    uint8_t media[200] = {0x80}, buf[4096];
    static struct framing_in in;
    int fd;
    (void)state;
    in = (struct framing_in){0};
    struct dgram d = proven(&fd);
    struct dgram out = {.local = d.local, .remote = d.remote, .data = media, .len = sizeof(media)};
    unsigned n_sent = 0;
    while (counter(COUNTER_TCP_QUEUE_FULL) == full) {
        put_be32(media + 4, n_sent++);
        tcp_send(&tcp, &out);
        tcp_flush(&tcp);
        assert_true(n_sent < 100000);
    }
    n_sent--; /* the last one was the one too many */
    struct dgram stun = {.local = d.local, .remote = d.remote};
    uint8_t question[sizeof(check)];
    memcpy(question, check, sizeof(check));
    stun.data = question;
    stun.len = sizeof(question);
    tcp_send(&tcp, &stun);
    assert_int_equal(counter(COUNTER_TCP_QUEUE_FULL), full + 1);
    for (unsigned n_read = 0;;) {
        size_t room, len;
        struct dgram ignored;
        (void)tcp_rx_batch(&tcp, START, &ignored, 1); /* more goes when the kernel takes more */
        uint8_t *to = framing_in_room(&in, &room);
        ssize_t n = recv(fd, to, room, MSG_DONTWAIT);
        if (n > 0)
            framing_in_added(&in, (size_t)n);
        while (!framing_in_next(&in, buf, &len)) {
            if (buf[0] != 0x80) {
                assert_int_equal(n_read, n_sent);
                assert_memory_equal(buf, check, sizeof(check));
                (void)close(fd);
                return;
            }
            assert_int_equal(len, sizeof(media));
            assert_int_equal(get_be32(buf + 4), n_read);
            n_read++;
        }
    }
}

static void without_descriptors_accepting_pauses_and_goes_on(void **state)
{
    struct rlimit limit, low;
    struct dgram d;
    (void)state;
    int fds[2] = {connect_to(), connect_to()};
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
    low = limit;
    low.rlim_cur = (rlim_t)fds[1] + 1; /* descriptors are given lowest first: none is left */
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &low), 0);
    wait_readable();
    assert_int_equal(tcp_rx_batch(&tcp, START, &d, 1), 0);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
    assert_int_equal(tcp.n_connections, 0);
    struct pollfd p = {.fd = tcp.epoll_fd, .events = POLLIN};
    assert_int_equal(poll(&p, 1, 0), 0); /* no spinning meanwhile */
    assert_true(tcp_deadline(&tcp) > START && tcp_deadline(&tcp) < START + 10 * US_PER_S);
    tcp_timeout(&tcp, tcp_deadline(&tcp));
    rx_until(2);
    (void)close(fds[0]);
    (void)close(fds[1]);
}

static void opening_and_accepting_survive_lack_of_memory(void **state)
{
    struct addr at = addr_v4(127, 0, 0, 1, port);
    struct dgram d;
    (void)state;
    tcp_close(&tcp);
    for (unsigned n = 1;; n++) {
        mem_fail_at(n);
        int err = tcp_open(&tcp, &at, false);
        mem_fail_at(0);
        if (!err)
            break;
        assert_int_equal(err, -ENOMEM);
        assert_int_equal(tcp.listen_fd, -1);
        assert_true(n < 10);
    }
    uint64_t refused = counter(COUNTER_TCP_REFUSED);
    int fd = connect_to();
    wait_readable();
    mem_fail_at(1);
    assert_int_equal(tcp_rx_batch(&tcp, START, &d, 1), 0);
    mem_fail_at(0);
    assert_int_equal(counter(COUNTER_TCP_REFUSED), refused + 1);
    assert_int_equal(tcp.n_connections, 0);
    (void)close(fd);
}

static void switched_off_every_call_is_legal(void **state)
{
    struct addr a = addr_v4(127, 0, 0, 1, 1), b;
    struct tcp off;
    uint8_t byte = 0x80;
    struct dgram d = {.data = &byte, .len = 1};
    (void)state;
    tcp_init_off(&off);
    a.tcp = 1;
    d.remote = a;
    assert_int_equal(tcp_rx_batch(&off, START, &d, 1), 0);
    d = (struct dgram){.data = &byte, .len = 1, .remote = a};
    tcp_send(&off, &d);
    tcp_flush(&off);
    tcp_proven(&off, &a);
    tcp_release(&off, &a);
    assert_false(tcp_poll_closed(&off, &a, &b));
    tcp_timeout(&off, START);
    assert_true(tcp_deadline(&off) == MONO_NEVER);
    tcp_close(&off);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(frames_come_in_and_go_out),
        TEST(many_frames_in_one_read_come_in_batches_and_in_order),
        TEST(a_number_means_one_connection_only),
        TEST(who_closes_is_told_once_if_it_was_proven),
        TEST(a_reset_in_the_middle_of_a_frame_is_an_end),
        TEST(strangers_who_do_not_speak_stun_are_cut_off),
        TEST(a_thousand_connections_of_one_stranger_leave_room),
        TEST(a_silent_connection_ends_and_a_speaking_one_does_not),
        TEST(frames_that_are_nobodys_keep_no_connection),
        TEST(a_slow_reader_loses_media_and_no_frame_is_cut),
        TEST(without_descriptors_accepting_pauses_and_goes_on),
        TEST(opening_and_accepting_survive_lack_of_memory),
        TEST(switched_off_every_call_is_legal),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
