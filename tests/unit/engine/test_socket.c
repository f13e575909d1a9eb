/* Batches over loopback: bytes, addresses, limits, and what the kernel refuses. */
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/mem.h"
#include "engine/socket.h"
#include "log/counters.h"

static uint64_t counter(enum counter which)
{
    uint64_t values[COUNTER_N];
    counter_snapshot(values);
    return values[which];
}

static struct addr loopback(uint16_t port)
{
    return addr_v4(127, 0, 0, 1, port);
}

static struct addr loopback_v6(uint16_t port)
{
    return (struct addr){.ip = {[15] = 1}, .port = port};
}

static struct addr any_v6(void)
{
    return (struct addr){.port = 0};
}

static void open_at(struct socket *s, struct addr at)
{
    assert_int_equal(socket_open(s, &at), 0);
    assert_int_not_equal(s->bound.port, 0);
}

/* At least one datagram, or the test has failed. */
static size_t receive(struct socket *s, struct dgram *ret)
{
    struct pollfd fds[SOCKET_FAMILIES];
    assert_true(poll(fds, socket_poll_fds(s, fds), 10000) > 0);
    return socket_rx_batch(s, ret);
}

static void send_one(struct socket *s, struct addr local, struct addr remote, void *data,
                     size_t len)
{
    const struct dgram d = {.local = local, .remote = remote, .data = data, .len = len, .cap = len};
    socket_tx_batch(s, &d, 1);
}

static void a_batch_arrives_with_its_addresses(void **state)
{
    struct socket a, b;
    struct dgram out[SOCKET_BATCH], in[SOCKET_BATCH];
    uint8_t bytes[SOCKET_BATCH][4];
    (void)state;
    open_at(&a, loopback(0));
    open_at(&b, loopback(0));
    for (uint8_t i = 0; i < SOCKET_BATCH; i++) {
        memset(bytes[i], i, sizeof(bytes[i]));
        out[i] = (struct dgram){.local = a.bound,
                                .remote = b.bound,
                                .data = bytes[i],
                                .len = i % sizeof(bytes[i]), /* empty ones, too */
                                .cap = sizeof(bytes[i])};
    }
    socket_tx_batch(&a, out, SOCKET_BATCH);
    for (size_t seen = 0, n; seen < SOCKET_BATCH; seen += n) {
        n = receive(&b, in);
        for (size_t i = 0; i < n; i++) {
            assert_int_equal(in[i].len, out[seen + i].len);
            assert_memory_equal(in[i].data, out[seen + i].data, in[i].len);
            assert_true(addr_equal(&in[i].remote, &a.bound));
            assert_true(addr_equal(&in[i].local, &b.bound));
            assert_true(in[i].cap >= DGRAM_MAX + SOCKET_TAIL_ROOM);
        }
    }
    assert_int_equal(socket_rx_batch(&b, in), 0);
    socket_close(&a);
    socket_close(&b);
}

static void the_longest_datagram_passes_and_a_longer_one_is_counted(void **state)
{
    uint8_t bytes[DGRAM_MAX + 2];
    struct socket a, b;
    struct dgram in[SOCKET_BATCH];
    (void)state;
    uint64_t before = counter(COUNTER_DROP_TRUNCATED);
    memset(bytes, 0x5a, sizeof(bytes));
    open_at(&a, loopback(0));
    open_at(&b, loopback(0));
    send_one(&a, a.bound, b.bound, bytes, DGRAM_MAX + 1);
    send_one(&a, a.bound, b.bound, bytes, DGRAM_MAX + 2);
    send_one(&a, a.bound, b.bound, bytes, DGRAM_MAX);
    size_t n;
    do
        n = receive(&b, in);
    while (n == 0); /* nothing but long ones so far */
    assert_int_equal(n, 1);
    assert_int_equal(in[0].len, DGRAM_MAX);
    assert_memory_equal(in[0].data, bytes, DGRAM_MAX);
    assert_int_equal(counter(COUNTER_DROP_TRUNCATED) - before, 2);
    socket_close(&a);
    socket_close(&b);
}

/* 0.0.0.0 is every address: the answer leaves from where the question arrived. */
static void a_wildcard_socket_answers_from_the_address_that_was_asked(void **state)
{
    const struct addr asked = addr_v4(127, 0, 0, 9, 0);
    uint8_t question[] = "where", answer[] = "here";
    struct socket server, client;
    struct dgram in[SOCKET_BATCH];
    (void)state;
    open_at(&server, addr_v4(0, 0, 0, 0, 0));
    open_at(&client, loopback(0));
    struct addr at = asked;
    at.port = server.bound.port;
    send_one(&client, client.bound, at, question, sizeof(question));
    assert_int_equal(receive(&server, in), 1);
    assert_true(addr_equal(&in[0].local, &at));
    assert_true(addr_equal(&in[0].remote, &client.bound));
    send_one(&server, in[0].local, in[0].remote, answer, sizeof(answer));
    assert_int_equal(receive(&client, in), 1);
    assert_true(addr_equal(&in[0].remote, &at));
    socket_close(&server);
    socket_close(&client);
}

static bool has_v6(void)
{
    const struct addr at = loopback_v6(0);
    struct socket s;
    if (socket_open(&s, &at))
        return false;
    socket_close(&s);
    return true;
}

static void a_wildcard_socket_serves_both_families(void **state)
{
    uint8_t bytes[] = "hello";
    struct socket server, v4, v6;
    struct dgram in[SOCKET_BATCH];
    (void)state;
    if (!has_v6())
        skip();
    open_at(&server, any_v6());
    assert_true(socket_has_v6(&server));
    open_at(&v4, loopback(0));
    open_at(&v6, loopback_v6(0));
    struct socket *clients[] = {&v4, &v6};
    for (size_t i = 0; i < ARRAY_LEN(clients); i++) {
        struct socket *c = clients[i];
        struct addr at = c->bound;
        at.port = server.bound.port;
        send_one(c, c->bound, at, bytes, sizeof(bytes));
        assert_int_equal(receive(&server, in), 1);
        assert_true(addr_equal(&in[0].local, &at));
        assert_true(addr_equal(&in[0].remote, &c->bound));
        send_one(&server, in[0].local, in[0].remote, bytes, sizeof(bytes));
        assert_int_equal(receive(c, in), 1);
        assert_true(addr_equal(&in[0].remote, &at));
    }
    socket_close(&server);
    socket_close(&v4);
    socket_close(&v6);
}

/* What the worker sends in one go, whoever it is for. */
static void a_mixed_batch_reaches_both_families_in_order(void **state)
{
    enum { EACH = SOCKET_BATCH / 2 };
    struct socket server, clients[2];
    struct dgram out[SOCKET_BATCH], in[SOCKET_BATCH];
    uint8_t bytes[SOCKET_BATCH];
    (void)state;
    if (!has_v6())
        skip();
    open_at(&server, any_v6());
    open_at(&clients[0], loopback(0));
    open_at(&clients[1], loopback_v6(0));
    for (uint8_t i = 0; i < SOCKET_BATCH; i++) {
        bytes[i] = i;
        out[i] = (struct dgram){.local = clients[i % 2].bound,
                                .remote = clients[i % 2].bound,
                                .data = &bytes[i],
                                .len = 1,
                                .cap = 1};
    }
    socket_tx_batch(&server, out, SOCKET_BATCH);
    for (unsigned k = 0; k < 2; k++) {
        for (size_t seen = 0, n; seen < EACH; seen += n) {
            n = receive(&clients[k], in);
            for (size_t i = 0; i < n; i++)
                assert_int_equal(in[i].data[0], 2 * (seen + i) + k);
        }
        socket_close(&clients[k]);
    }
    socket_close(&server);
}

/* A flood of one family leaves room for the other. */
static void neither_family_starves_the_other(void **state)
{
    struct socket server, v4, v6;
    struct dgram in[SOCKET_BATCH];
    uint8_t byte = 4, other = 6;
    (void)state;
    if (!has_v6())
        skip();
    open_at(&server, any_v6());
    open_at(&v4, loopback(0));
    open_at(&v6, loopback_v6(0));
    struct addr at4 = v4.bound, at6 = v6.bound;
    at4.port = at6.port = server.bound.port;
    for (int i = 0; i < 3 * SOCKET_BATCH; i++)
        send_one(&v4, v4.bound, at4, &byte, 1);
    send_one(&v6, v6.bound, at6, &other, 1);
    bool has_come = false;
    for (int turn = 0; turn < 2; turn++) {
        size_t n = receive(&server, in);
        for (size_t i = 0; i < n; i++)
            has_come |= in[i].data[0] == other;
    }
    assert_true(has_come);
    socket_close(&server);
    socket_close(&v4);
    socket_close(&v6);
}

/* A plain socket of the test, which asks the kernel for the mark of what it receives. */
static int open_observer(const struct addr *at, bool is_v6, struct addr *ret)
{
    const int on = 1;
    struct sockaddr_storage sa = {0};
    socklen_t len;
    if (is_v6) {
        struct sockaddr_in6 in6 = {.sin6_family = AF_INET6};
        memcpy(&in6.sin6_addr, at->ip, sizeof(at->ip));
        memcpy(&sa, &in6, len = sizeof(in6));
    } else {
        struct sockaddr_in in = {.sin_family = AF_INET};
        memcpy(&in.sin_addr, at->ip + 12, 4);
        memcpy(&sa, &in, len = sizeof(in));
    }
    int fd = socket(sa.ss_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    assert_return_code(fd, errno);
    assert_return_code(bind(fd, (struct sockaddr *)&sa, len), errno);
    assert_return_code(getsockname(fd, (struct sockaddr *)&sa, &len), errno);
    assert_true(socket_addr_from_sa((struct sockaddr *)&sa, ret));
    assert_return_code(is_v6 ? setsockopt(fd, IPPROTO_IPV6, IPV6_RECVTCLASS, &on, sizeof(on))
                             : setsockopt(fd, IPPROTO_IP, IP_RECVTOS, &on, sizeof(on)),
                       errno);
    return fd;
}

/* TOS or traffic class of the next datagram. */
static int observe(int fd)
{
    _Alignas(struct cmsghdr) uint8_t control[64];
    uint8_t byte;
    struct iovec iov = {&byte, 1};
    struct msghdr msg = {.msg_iov = &iov,
                         .msg_iovlen = 1,
                         .msg_control = control,
                         .msg_controllen = sizeof(control)};
    struct pollfd pollfd = {.fd = fd, .events = POLLIN};
    assert_int_equal(poll(&pollfd, 1, 10000), 1);
    assert_int_equal(recvmsg(fd, &msg, 0), 1);
    for (struct cmsghdr *c = CMSG_FIRSTHDR(&msg); c; c = CMSG_NXTHDR(&msg, c)) {
        int value;
        if (c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_TOS)
            return CMSG_DATA(c)[0]; /* one byte, ip(7) */
        if (c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_TCLASS) {
            memcpy(&value, CMSG_DATA(c), sizeof(value));
            return value;
        }
    }
    return -1;
}

static void datagrams_carry_their_mark(void **state)
{
    const struct addr ends[] = {loopback(0), loopback_v6(0)};
    uint8_t byte = 1;
    (void)state;
    for (unsigned v6 = 0; v6 < (has_v6() ? 2u : 1u); v6++) {
        struct socket s;
        struct addr to;
        open_at(&s, any_v6());
        int fd = open_observer(&ends[v6], v6, &to);
        send_one(&s, to, to, &byte, 1);
        assert_int_equal(observe(fd), 0);
        assert_int_equal(socket_set_dscp(&s, 46), 0);
        send_one(&s, to, to, &byte, 1);
        assert_int_equal(observe(fd), 46 << 2);
        assert_int_equal(socket_set_dscp(&s, 0), 0);
        send_one(&s, to, to, &byte, 1);
        assert_int_equal(observe(fd), 0);
        (void)close(fd);
        socket_close(&s);
    }
}

static void what_the_kernel_refuses_is_counted_and_the_rest_goes(void **state)
{
    uint8_t bytes[] = "through";
    struct socket a, b;
    struct dgram in[SOCKET_BATCH];
    (void)state;
    open_at(&a, loopback(0));
    open_at(&b, loopback(0));
    uint64_t before = counter(COUNTER_SEND_FAILED);
    struct dgram out[4];
    for (size_t i = 0; i < ARRAY_LEN(out); i++)
        out[i] = (struct dgram){
            .local = a.bound, .remote = b.bound, .data = bytes, .len = sizeof(bytes)};
    out[0].remote.port = 0;
    out[2].remote = addr_v4(255, 255, 255, 255, 9); /* broadcast was never asked for */
    out[3].remote = loopback_v6(9);                 /* of a family that this port is not of */
    socket_tx_batch(&a, out, ARRAY_LEN(out));
    assert_int_equal(receive(&b, in), 1);
    assert_memory_equal(in[0].data, bytes, sizeof(bytes));
    assert_int_equal(counter(COUNTER_SEND_FAILED) - before, 3);
    socket_close(&a);
    socket_close(&b);
}

static void a_socket_that_cannot_be_opened_says_why(void **state)
{
    struct socket first, s;
    (void)state;
    open_at(&first, loopback(0));
    assert_int_equal(socket_open(&s, &first.bound), -EADDRINUSE);
    assert_int_equal(s.n_families, 0);
    assert_null(s.io);
    const struct addr foreign = addr_v4(192, 0, 2, 1, 0);
    assert_int_equal(socket_open(&s, &foreign), -EADDRNOTAVAIL);
    mem_fail_at(1);
    const struct addr at = loopback(0);
    assert_int_equal(socket_open(&s, &at), -ENOMEM);
    mem_fail_at(0);
    socket_close(&s);
    socket_close(&first);
    socket_close(&first);
}

static void other_families_are_no_addresses(void **state)
{
    const struct sockaddr sa = {.sa_family = AF_UNIX};
    struct addr addr;
    (void)state;
    assert_false(socket_addr_from_sa(&sa, &addr));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_batch_arrives_with_its_addresses),
        cmocka_unit_test(the_longest_datagram_passes_and_a_longer_one_is_counted),
        cmocka_unit_test(a_wildcard_socket_answers_from_the_address_that_was_asked),
        cmocka_unit_test(a_wildcard_socket_serves_both_families),
        cmocka_unit_test(a_mixed_batch_reaches_both_families_in_order),
        cmocka_unit_test(neither_family_starves_the_other),
        cmocka_unit_test(datagrams_carry_their_mark),
        cmocka_unit_test(what_the_kernel_refuses_is_counted_and_the_rest_goes),
        cmocka_unit_test(a_socket_that_cannot_be_opened_says_why),
        cmocka_unit_test(other_families_are_no_addresses),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
