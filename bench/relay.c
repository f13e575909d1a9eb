/* bench: duet_relay duet_peer duet_rtpsec duet_rtp duet_base */
/* What the program itself spends on a relayed packet: everything between the two system calls,
 * without them. N peers in pairs, keyed by hand; in batches of 64, as a worker takes them, each
 * packet is prefetched, authenticated, counted, translated, protected and counted again.
 *
 * Between two batches the kernel's path of 64 packets goes through the caches. The bench reads that
 * many bytes in its place: without it a packet costs half, and a layout cannot be judged.
 *
 *     bench_relay [bytes read between two batches, default 1 MB; 1 = none]
 *
 * Printed is the thread's CPU time, so it can be compared on a machine that is not idle, between
 * builds that take turns. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/bytes.h"
#include "base/mem.h"
#include "base/rng.h"
#include "base/str.h"
#include "relay/webrtc.h"

enum { BATCH = 64, PAYLOAD = 80, RUNS = 9 };

struct bench {
    unsigned n;
    struct relay_webrtc *peers;
    struct rtpsec_tx *clients; /* how each of them protects what it sends */
    struct peer_env env;
    struct rtpsec_provider *client_ciphers;
    uint8_t packets[BATCH][DGRAM_MAX + RTPSEC_RTP_OVERHEAD];
    struct dgram in[BATCH];
    uint64_t n_failed;
};

static void die(const char *what)
{
    (void)fprintf(stderr, "bench_relay: %s\n", what);
    exit(1);
}

static double cpu_ns(void)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static void open_peer(struct bench *b, unsigned i)
{
    static const struct peer_params params = {
        .codecs = {{.id = CODEC_OPUS, .pt = 111, .channels = 2, .clock_rate = 48000}},
        .n_codecs = 1,
        .may_send = true,
        .may_receive = true,
        .nack = true,
        .local_ssrc = 1,
        .remote_ufrag = "abcd",
        .remote_pwd = "abcdefghijklmnopqrstuv",
        .n_fingerprints = 1,
    };
    const struct peer_local local = {
        .ufrag = str_of("abcdefgh"),
        .pwd = str_of("abcdefghijklmnopqrstuvwx"),
        .cname = str_of("bench"),
    };
    uint8_t key[RTPSEC_KEY_LEN] = {1}, salt[RTPSEC_MAX_SALT_LEN] = {2};
    struct peer *p = &b->peers[i].peer;
    put_be32(key + 4, i);
    if (relay_webrtc_init(&b->peers[i], 0, &params, &local, &b->env) ||
        rtpsec_rx_init(&p->rx, b->env.srtp, RTPSEC_AEAD_AES_128_GCM, key, salt) ||
        rtpsec_tx_init(&p->tx, b->env.srtp, RTPSEC_AEAD_AES_128_GCM, key, salt) ||
        rtpsec_tx_init(&b->clients[i], b->client_ciphers, RTPSEC_AEAD_AES_128_GCM, key, salt))
        die("cannot make a peer");
    p->state = PEER_CONNECTED;
    p->has_path = true;
    p->path_remote = addr_v4(127, (uint8_t)(i >> 16), (uint8_t)(i >> 8), (uint8_t)i, 1);
}

/* The next packet of each of 64 peers, as it arrives. */
static void fill(struct bench *b, unsigned first, uint16_t seq)
{
    for (unsigned i = 0; i < BATCH; i++) {
        unsigned from = (first + i) % b->n;
        uint8_t *data = b->packets[i];
        size_t len = 12 + PAYLOAD;
        memset(data, 0, len);
        data[0] = 0x80;
        data[1] = 111;
        put_be16(data + 2, seq);
        put_be32(data + 4, (uint32_t)seq * 960);
        put_be32(data + 8, from + 1);
        if (rtpsec_protect_rtp(&b->clients[from], b->client_ciphers, data, &len,
                               sizeof(b->packets[i])))
            die("cannot protect");
        b->in[i] = (struct dgram){.remote = b->peers[from].peer.path_remote,
                                  .data = data,
                                  .len = len,
                                  .cap = sizeof(b->packets[i])};
    }
}

static void relay_batch(struct bench *b, unsigned first, mono_us now)
{
    for (unsigned i = 0; i < BATCH; i++)
        __builtin_prefetch(&b->peers[(first + i) % b->n].endpoint);
    for (unsigned i = 0; i < BATCH; i++)
        relay_webrtc_prefetch(&b->peers[(first + i) % b->n]);
    for (unsigned i = 0; i < BATCH; i++) {
        struct relay_fan fan;
        struct relay_out out;
        struct dgram spare = {.data = NULL};
        if (relay_webrtc_receive(&b->peers[(first + i) % b->n], now, &b->in[i], &fan) ||
            !relay_fan_next(&fan, &spare, &out) || out.error)
            b->n_failed++;
    }
}

/* @return ns a packet, over one packet of each peer */
static double run(struct bench *b, uint16_t seq, const volatile uint8_t *others, size_t n_others)
{
    double spent = 0;
    unsigned n_batches = b->n / BATCH;
    for (unsigned k = 0; k < n_batches; k++) {
        fill(b, k * BATCH, seq);
        for (size_t i = 0; i < n_others; i += CACHE_LINE)
            (void)others[i];
        double start = cpu_ns();
        relay_batch(b, k * BATCH, (mono_us)seq * 20 * US_PER_MS);
        spent += cpu_ns() - start;
    }
    return spent / (n_batches * BATCH);
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static void measure(unsigned n, size_t n_others, struct rng *rng)
{
    double figures[RUNS];
    int err;
    struct bench *b = mem_zalloc_aligned(sizeof(*b));
    uint8_t *others = mem_zalloc(n_others);
    if (!b || !others)
        die("out of memory");
    b->n = n;
    b->env = (struct peer_env){.srtp = rtpsec_provider_new(RTPSEC_PROVIDER_AUTO, &err), .rng = rng};
    b->client_ciphers = rtpsec_provider_new(RTPSEC_PROVIDER_AUTO, &err);
    b->peers = mem_zalloc_aligned(n * sizeof(*b->peers));
    b->clients = mem_zalloc_aligned(n * sizeof(*b->clients));
    if (!b->env.srtp || !b->client_ciphers || !b->peers || !b->clients)
        die("out of memory");
    for (unsigned i = 0; i < n; i++)
        open_peer(b, i);
    for (unsigned i = 0; i < n; i++)
        relay_connect(&b->peers[i].endpoint, &b->peers[i ^ 1].endpoint);
    (void)run(b, 1, others, n_others);
    for (unsigned i = 0; i < RUNS; i++)
        figures[i] = run(b, (uint16_t)(2 + i), others, n_others);
    qsort(figures, RUNS, sizeof(figures[0]), by_value);
    (void)printf("%6u  %5.0f  %6.0f  %5.0f  %7llu\n", n, figures[0], figures[RUNS / 2],
                 figures[RUNS - 1], (unsigned long long)b->n_failed);
    for (unsigned i = 0; i < n; i++) {
        relay_webrtc_deinit(&b->peers[i]);
        rtpsec_tx_deinit(&b->clients[i]);
    }
    rtpsec_provider_free(b->env.srtp);
    rtpsec_provider_free(b->client_ciphers);
    mem_free(b->peers);
    mem_free(b->clients);
    mem_free(others);
    mem_free(b);
}

int main(int argc, char **argv)
{
    static const unsigned sizes[] = {64, 1024, 2048, 8192};
    uint64_t n_others = 1024 * 1024;
    struct rng rng;
    if (argc > 1 && (!str_to_u64(str_of(argv[1]), 1 << 30, &n_others) || n_others == 0))
        die("usage: bench_relay [bytes read between two batches, 1 = none]");
    rng_init_system(&rng);
    (void)printf("         CPU ns/packet\n peers    min  median    max   failed\n");
    for (size_t i = 0; i < ARRAY_LEN(sizes); i++)
        measure(sizes[i], (size_t)n_others, &rng);
    return 0;
}
