/* bench: duet_engine duet_rtpsec duet_rtp duet_base */
/* What relaying costs at the least: the loop of a media worker without peers, statistics, timers
 * and everything else that makes it a server. Same sockets, same ciphers, same order of work:
 *
 *     recvmmsg 64 ─ look up all ─ prefetch ─ each: unprotect, rewrite, protect ─ sendmmsg 64
 *
 * A second thread is all the endpoints: N sockets on loopback, each of which sends a 116-byte
 * datagram every 20 ms (the relay joins 0 with 1, 2 with 3, ...) and throws away what arrives. As a
 * worker under load does, the loop sleeps in ticks of 1 ms and finds a batch each time.
 *
 * The endpoints wait in epoll, as every client on the same machine does (the load generator, too):
 * then the kernel's work of waking them is the sender's, 0.5-1 µs a packet. With `deaf` they only
 * look every tick; that is what a server pays whose clients are elsewhere.
 *
 * What is printed is all CPU time of the loop's thread divided by the packets that it relayed: the
 * kernel's part included, and, as always on loopback, the receiving half of the kernel's work for
 * the packets that it sends. Three placements: one thread that does both in turn, 64 packets at a
 * time, of which only the relaying is timed; both threads on one core, as a network card's
 * interrupts and the worker should be; each on its own, where every packet changes caches.
 *
 *     bench_floor [deaf] [seconds per run, default 1] [runs, default 3] [endpoints, default 100
 * 1000 2000]
 *
 * Run it beside the server's own figure, on the same machine at the same time: only the ratio of
 * the two is worth something. */
#include <errno.h>
#include <netinet/in.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/compiler.h"
#include "base/map.h"
#include "base/mem.h"
#include "base/rng.h"
#include "base/time.h"
#include "engine/socket.h"
#include "rtp/packet.h"
#include "rtpsec/session.h"

#define DATAGRAM      116
#define MAX_RUNS      15
#define MAX_ENDPOINTS 10000
#define FRAME         (20 * US_PER_MS)
#define TICK          US_PER_MS

/* What the loop knows of one end: where it is, its keys, and who is at the other end. */
struct leg {
    struct rtpsec_rx rx;
    struct rtpsec_tx tx;
    struct addr remote;
    struct leg *other;
    uint32_t ssrc; /* of what is sent to it */
};

/* One end as the endpoints' thread knows it. */
struct endpoint {
    struct rtpsec_tx tx;
    int fd; /* owned */
    uint16_t seq;
    uint32_t ssrc;
};

struct bench {
    unsigned n;
    struct socket socket;
    struct map by_remote;
    struct leg *legs;
    struct endpoint *endpoints;
    struct rtpsec_provider *loop_ciphers, *client_ciphers; /* one for each thread */
    int epoll; /* owned: what the endpoints wait in; -1 = they do not */
    atomic_bool must_end;
    uint64_t n_relayed, n_dropped; /* by the loop */
    struct dgram in[SOCKET_BATCH], out[SOCKET_BATCH];
};

static void die(const char *what)
{
    (void)fprintf(stderr, "bench_floor: %s: %s\n", what, strerror(errno));
    exit(1);
}

static double cpu_ns(void)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static mono_us mono_now(void)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (mono_us)t.tv_sec * US_PER_S + t.tv_nsec / 1000;
}

static const void *remote_key(const void *value, size_t *ret_len)
{
    *ret_len = sizeof(struct addr);
    return &((const struct leg *)value)->remote;
}

/* --- the loop --- */

static struct leg *find_leg(const struct bench *b, uint64_t hash, const struct addr *remote)
{
    struct leg *leg = map_find_hashed(&b->by_remote, hash, remote, sizeof(*remote));
    if (leg) {
        rtpsec_prefetch(&leg->rx.d);
        rtpsec_prefetch(&leg->other->tx.d);
    }
    return leg;
}

/* @return false = dropped */
static bool forward(struct bench *b, struct leg *leg, struct dgram *d)
{
    struct rtp_packet packet;
    if (!leg || rtpsec_unprotect_rtp(&leg->rx, b->loop_ciphers, d->data, &d->len) ||
        rtp_parse(d->data, d->len, &packet))
        return false;
    rtp_set_pt(d->data, 96);
    rtp_set_seq(d->data, (uint16_t)(packet.seq + 1000));
    rtp_set_timestamp(d->data, packet.timestamp + 1000);
    rtp_set_ssrc(d->data, leg->other->ssrc);
    d->remote = leg->other->remote;
    return !rtpsec_protect_rtp(&leg->other->tx, b->loop_ciphers, d->data, &d->len, d->cap);
}

static size_t turn(struct bench *b)
{
    uint64_t hashes[SOCKET_BATCH];
    struct leg *legs[SOCKET_BATCH];
    size_t n = socket_rx_batch(&b->socket, b->in);
    size_t n_out = 0;
    for (size_t i = 0; i < n; i++) {
        hashes[i] = map_hash(&b->by_remote, &b->in[i].remote, sizeof(struct addr));
        map_prefetch(&b->by_remote, hashes[i]);
    }
    for (size_t i = 0; i < n; i++)
        legs[i] = find_leg(b, hashes[i], &b->in[i].remote);
    for (size_t i = 0; i < n; i++) {
        if (forward(b, legs[i], &b->in[i]))
            b->out[n_out++] = b->in[i];
    }
    socket_tx_batch(&b->socket, b->out, n_out);
    b->n_dropped += n - n_out;
    b->n_relayed += n_out;
    return n;
}

static void sleep_until(mono_us at)
{
    const struct timespec t = {.tv_sec = at / US_PER_S, .tv_nsec = at % US_PER_S * 1000};
    (void)clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, NULL);
}

/* @return ns of CPU a packet */
static double run_loop(struct bench *b, mono_us duration)
{
    mono_us end = mono_now() + duration;
    uint64_t before = b->n_relayed;
    double start = cpu_ns();
    do {
        while (turn(b) == SOCKET_BATCH)
            ;
        sleep_until(mono_now() + TICK);
    } while (mono_now() < end);
    double spent = cpu_ns() - start;
    return b->n_relayed > before ? spent / (double)(b->n_relayed - before) : 0;
}

/* --- the endpoints --- */

static void send_packet(struct bench *b, struct endpoint *e)
{
    uint8_t data[DATAGRAM + SOCKET_TAIL_ROOM] = {0x80, 111};
    size_t len = DATAGRAM - RTPSEC_RTP_OVERHEAD;
    put_be16(data + 2, e->seq++);
    put_be32(data + 8, e->ssrc);
    if (rtpsec_protect_rtp(&e->tx, b->client_ciphers, data, &len, sizeof(data)))
        die("protect");
    (void)!send(e->fd, data, len, 0);
}

static void throw_away(const struct endpoint *e)
{
    uint8_t data[DATAGRAM + SOCKET_TAIL_ROOM];
    while (recv(e->fd, data, sizeof(data), MSG_DONTWAIT) > 0)
        ;
}

/* For about one tick, throwing away what comes. */
static void wait_and_listen(struct bench *b)
{
    mono_us end = mono_now() + TICK;
    if (b->epoll < 0) {
        sleep_until(end);
        return;
    }
    struct epoll_event events[SOCKET_BATCH];
    do {
        int n = epoll_wait(b->epoll, events, SOCKET_BATCH, 1);
        for (int i = 0; i < n; i++)
            throw_away(&b->endpoints[events[i].data.u32]);
    } while (mono_now() < end);
}

/* Each in turn, evenly spread over the 20 ms of a frame. What is more than a frame late, on a
 * machine that is too slow, is left out: the column packets/s shows it. */
static void *run_endpoints(void *arg)
{
    struct bench *b = arg;
    mono_us start = mono_now();
    uint64_t n_sent = 0;
    while (!atomic_load_explicit(&b->must_end, memory_order_relaxed)) {
        uint64_t n_due = (uint64_t)((mono_now() - start) * b->n / FRAME);
        if (n_due - n_sent > b->n)
            n_sent = n_due - b->n;
        for (; n_sent < n_due; n_sent++) {
            struct endpoint *e = &b->endpoints[n_sent % b->n];
            throw_away(e);
            send_packet(b, e);
        }
        wait_and_listen(b);
    }
    return NULL;
}

/* --- begin and end --- */

static void open_endpoint(struct bench *b, unsigned i)
{
    struct endpoint *e = &b->endpoints[i];
    struct leg *leg = &b->legs[i];
    uint8_t key[RTPSEC_KEY_LEN] = {1}, salt[RTPSEC_MAX_SALT_LEN] = {2};
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(b->socket.bound.port)};
    struct sockaddr_in self;
    socklen_t len = sizeof(self);

    put_be32(key + 4, i);
    if (rtpsec_tx_init(&e->tx, b->client_ciphers, RTPSEC_AEAD_AES_128_GCM, key, salt) ||
        rtpsec_rx_init(&leg->rx, b->loop_ciphers, RTPSEC_AEAD_AES_128_GCM, key, salt) ||
        rtpsec_tx_init(&leg->tx, b->loop_ciphers, RTPSEC_AEAD_AES_128_GCM, key, salt))
        die("keys");
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    e->seq = 1;
    e->ssrc = 0x10000 + i;
    e->fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (e->fd < 0 || connect(e->fd, (struct sockaddr *)&to, sizeof(to)) ||
        getsockname(e->fd, (struct sockaddr *)&self, &len) ||
        !socket_addr_from_sa((struct sockaddr *)&self, &leg->remote))
        die("socket of an endpoint");
    struct epoll_event event = {.events = EPOLLIN, .data.u32 = i};
    if (b->epoll >= 0 && epoll_ctl(b->epoll, EPOLL_CTL_ADD, e->fd, &event))
        die("epoll");
    leg->ssrc = 0x20000 + i;
    leg->other = &b->legs[i ^ 1];
    if (map_insert(&b->by_remote, leg))
        die("table");
}

static struct bench *bench_open(unsigned n, bool is_deaf, struct rng *rng)
{
    /* As the server listens: every address, so packet info is read and written. */
    const struct addr any = addr_v4(0, 0, 0, 0, 0);
    int err;
    struct bench *b = mem_zalloc_aligned(sizeof(*b));
    if (!b)
        die("memory");
    b->n = n;
    b->epoll = is_deaf ? -1 : epoll_create1(EPOLL_CLOEXEC);
    if (b->epoll < 0 && !is_deaf)
        die("epoll");
    b->legs = mem_zalloc_aligned(n * sizeof(*b->legs));
    b->endpoints = mem_zalloc_aligned(n * sizeof(*b->endpoints));
    b->loop_ciphers = rtpsec_provider_new(RTPSEC_PROVIDER_AUTO, &err);
    b->client_ciphers = rtpsec_provider_new(RTPSEC_PROVIDER_AUTO, &err);
    if (!b->legs || !b->endpoints || !b->loop_ciphers || !b->client_ciphers)
        die("memory");
    if (socket_open(&b->socket, &any))
        die("socket");
    map_init(&b->by_remote, remote_key, rng);
    for (unsigned i = 0; i < n; i++)
        open_endpoint(b, i);
    return b;
}

static void bench_close(struct bench *b)
{
    for (unsigned i = 0; i < b->n; i++) {
        (void)close(b->endpoints[i].fd);
        rtpsec_tx_deinit(&b->endpoints[i].tx);
        rtpsec_rx_deinit(&b->legs[i].rx);
        rtpsec_tx_deinit(&b->legs[i].tx);
    }
    if (b->epoll >= 0)
        (void)close(b->epoll);
    socket_close(&b->socket);
    map_deinit(&b->by_remote);
    rtpsec_provider_free(b->loop_ciphers);
    rtpsec_provider_free(b->client_ciphers);
    mem_free(b->legs);
    mem_free(b->endpoints);
    mem_free(b);
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* The same without a second thread: a whole batch is sent, then relayed, and only that is timed.
 * No waking, no half-empty batch, no other core: the floor below the floor. */
static double run_batches(struct bench *b, mono_us duration)
{
    mono_us end = mono_now() + duration;
    uint64_t before = b->n_relayed, n_sent = 0;
    double spent = 0;
    do {
        for (unsigned i = 0; i < SOCKET_BATCH; i++, n_sent++) {
            struct endpoint *e = &b->endpoints[n_sent % b->n];
            throw_away(e);
            send_packet(b, e);
        }
        double start = cpu_ns();
        (void)turn(b);
        spent += cpu_ns() - start;
    } while (mono_now() < end);
    return b->n_relayed > before ? spent / (double)(b->n_relayed - before) : 0;
}

/* Threads made later inherit it. */
static void stay_on(int core)
{
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET(core, &set);
    if (sched_setaffinity(0, sizeof(set), &set))
        die("sched_setaffinity");
}

/* Where the endpoints are, seen from the loop. */
enum placement { PLACE_SAME_THREAD, PLACE_SAME_CORE, PLACE_OTHER_CORE, N_PLACES };

static const char *const place_names[N_PLACES] = {"thread", "core", "another"};

struct plan {
    unsigned seconds, runs;
    bool is_deaf;
    int cores[2]; /* the same twice when we have only one */
};

static double run_once(struct bench *b, enum placement place, mono_us duration)
{
    return place == PLACE_SAME_THREAD ? run_batches(b, duration) : run_loop(b, duration);
}

static void measure(unsigned n, enum placement place, const struct plan *plan, struct rng *rng)
{
    double figures[MAX_RUNS];
    pthread_t thread;
    struct bench *b = bench_open(n, plan->is_deaf, rng);
    stay_on(plan->cores[place == PLACE_OTHER_CORE]);
    if (place != PLACE_SAME_THREAD && pthread_create(&thread, NULL, run_endpoints, b))
        die("thread");
    stay_on(plan->cores[0]);
    (void)run_once(b, place, US_PER_S / 4); /* until the caches are warm */
    uint64_t before = b->n_relayed;
    for (unsigned i = 0; i < plan->runs; i++)
        figures[i] = run_once(b, place, plan->seconds * US_PER_S);
    uint64_t relayed = b->n_relayed - before;
    atomic_store(&b->must_end, true);
    if (place != PLACE_SAME_THREAD)
        (void)pthread_join(thread, NULL);
    qsort(figures, plan->runs, sizeof(figures[0]), by_value);
    (void)printf("%9u  %-8s  %5.0f  %6.0f  %5.0f  %9.0f  %7llu\n", n, place_names[place],
                 figures[0], figures[plan->runs / 2], figures[plan->runs - 1],
                 (double)relayed / (plan->seconds * plan->runs), (unsigned long long)b->n_dropped);
    (void)fflush(stdout);
    bench_close(b);
}

/* The first core that we may use, and another, or the same when there is no other. */
static void find_cores(int *ret)
{
    cpu_set_t set;
    int n = 0;
    if (sched_getaffinity(0, sizeof(set), &set))
        die("sched_getaffinity");
    for (int i = 0; i < CPU_SETSIZE && n < 2; i++) {
        if (CPU_ISSET(i, &set))
            ret[n++] = i;
    }
    if (n < 2)
        ret[1] = ret[0];
}

static unsigned argument(const char *text, unsigned max)
{
    uint64_t value;
    if (!str_to_u64(str_of(text), max, &value) || value == 0) {
        (void)fprintf(stderr,
                      "usage: bench_floor [deaf] [seconds per run, 1-60] [runs, 1-%d] "
                      "[endpoints, an even number up to %d]...\n",
                      MAX_RUNS, MAX_ENDPOINTS);
        exit(2);
    }
    return (unsigned)value;
}

static void measure_places(unsigned n, const struct plan *plan, struct rng *rng)
{
    for (enum placement place = 0; place < N_PLACES; place++)
        measure(n, place, plan, rng);
}

int main(int argc, char **argv)
{
    static const unsigned sizes[] = {100, 1000, 2000};
    bool is_deaf = argc > 1 && str_eq(str_of(argv[1]), str_of("deaf"));
    argc -= is_deaf;
    argv += is_deaf;
    struct plan plan = {
        .seconds = argc > 1 ? argument(argv[1], 60) : 1,
        .runs = argc > 2 ? argument(argv[2], MAX_RUNS) : 3,
        .is_deaf = is_deaf,
    };
    struct rlimit limit;
    struct rng rng;

    if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
        limit.rlim_cur = limit.rlim_max;
        (void)setrlimit(RLIMIT_NOFILE, &limit);
    }
    rng_init_system(&rng);
    find_cores(plan.cores);
    (void)printf("           same        CPU ns/packet\n"
                 "endpoints  ...        min  median    max  packets/s  dropped\n");
    for (int i = 3; i < argc; i++)
        measure_places(argument(argv[i], MAX_ENDPOINTS) & ~1U, &plan, &rng);
    for (size_t i = 0; argc <= 3 && i < ARRAY_LEN(sizes); i++)
        measure_places(sizes[i], &plan, &rng);
    return 0;
}
