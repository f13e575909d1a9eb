/* bench: duet_rtpsec duet_rtp duet_base */
/* What SRTP costs: unprotect from one session, protect for another, as a relay does, over N
 * sessions whose packets come in turn. 116-byte datagrams: 12 bytes of header, 88 of Opus, 16 of
 * tag (AES-CM: 94 of Opus, 10 of tag). Only the two calls are timed; "prefetch" asks for the
 * sessions of a batch of 64 first, as the worker does.
 *
 *    bench_rtpsec [packets per figure, default 400000] */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/bytes.h"
#include "base/mem.h"
#include "rtpsec/session.h"

#define DATAGRAM 116
#define BATCH    64

struct pair {
    struct rtpsec_rx rx; /* what the server reads */
    struct rtpsec_tx tx; /* what the server writes */
};

struct client {
    struct rtpsec_tx tx; /* makes the packets; outside of the measurement */
    uint16_t seq;
};

struct packet {
    uint8_t data[160];
    size_t len;
    struct pair *pair;
};

static double now_ns(void)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static void die(const char *what)
{
    (void)fprintf(stderr, "%s failed\n", what);
    exit(1);
}

static void make_sessions(struct rtpsec_provider *p, enum rtpsec_profile profile,
                          struct pair *pairs, struct client *clients, unsigned n)
{
    for (unsigned i = 0; i < n; i++) {
        uint8_t key[RTPSEC_KEY_LEN] = {1}, salt[RTPSEC_MAX_SALT_LEN] = {2};
        put_be32(key + 4, i);
        clients[i].seq = 1;
        if (rtpsec_rx_init(&pairs[i].rx, p, profile, key, salt) ||
            rtpsec_tx_init(&pairs[i].tx, p, profile, key, salt) ||
            rtpsec_tx_init(&clients[i].tx, p, profile, key, salt))
            die("init");
    }
}

static void make_packet(struct rtpsec_provider *p, enum rtpsec_profile profile,
                        struct client *client, struct packet *packet)
{
    memset(packet->data, 0x55, sizeof(packet->data));
    packet->data[0] = 0x80;
    packet->data[1] = 111;
    put_be16(packet->data + 2, client->seq++);
    put_be32(packet->data + 8, 0x12345678);
    packet->len = DATAGRAM - (profile == RTPSEC_AEAD_AES_128_GCM ? 16 : 10);
    if (rtpsec_protect_rtp(&client->tx, p, packet->data, &packet->len, sizeof(packet->data)))
        die("protect (client)");
}

static double relay(struct rtpsec_provider *p, struct packet *packets, bool prefetch)
{
    double start = now_ns();
    if (prefetch) {
        for (unsigned i = 0; i < BATCH; i++) {
            rtpsec_prefetch(&packets[i].pair->rx.d);
            rtpsec_prefetch(&packets[i].pair->tx.d);
        }
    }
    for (unsigned i = 0; i < BATCH; i++) {
        struct packet *packet = &packets[i];
        if (rtpsec_unprotect_rtp(&packet->pair->rx, p, packet->data, &packet->len))
            die("unprotect");
        if (rtpsec_protect_rtp(&packet->pair->tx, p, packet->data, &packet->len,
                               sizeof(packet->data)))
            die("protect");
    }
    return now_ns() - start;
}

static void measure(struct rtpsec_provider *p, enum rtpsec_profile profile, unsigned n,
                    unsigned total)
{
    struct pair *pairs = mem_zalloc_aligned(n * sizeof(*pairs));
    struct client *clients = mem_zalloc_aligned(n * sizeof(*clients));
    struct packet *packets = mem_zalloc(BATCH * sizeof(*packets));
    if (!pairs || !clients || !packets)
        die("memory");
    double start = now_ns();
    make_sessions(p, profile, pairs, clients, n);
    double setup = (now_ns() - start) / (3.0 * n);

    double sum[2] = {0};
    unsigned count[2] = {0};
    unsigned next = 0;
    for (unsigned done = 0; done < total; done += BATCH) {
        bool prefetch = done / BATCH % 2;
        for (unsigned i = 0; i < BATCH; i++, next = (next + 1) % n) {
            make_packet(p, profile, &clients[next], &packets[i]);
            packets[i].pair = &pairs[next];
        }
        sum[prefetch] += relay(p, packets, prefetch);
        count[prefetch] += BATCH;
    }
    printf("%-9s %-4s %6u  %7.0f  %7.0f  %9.0f\n", rtpsec_provider_name(p),
           profile == RTPSEC_AEAD_AES_128_GCM ? "GCM" : "CM", n, sum[0] / count[0],
           sum[1] / count[1], setup);

    for (unsigned i = 0; i < n; i++) {
        rtpsec_rx_deinit(&pairs[i].rx);
        rtpsec_tx_deinit(&pairs[i].tx);
        rtpsec_tx_deinit(&clients[i].tx);
    }
    mem_free(pairs);
    mem_free(clients);
    mem_free(packets);
}

int main(int argc, char **argv)
{
    unsigned total = argc > 1 ? (unsigned)strtoul(argv[1], NULL, 10) : 400000;
    const enum rtpsec_provider_kind kinds[] = {RTPSEC_PROVIDER_IPSEC_MB, RTPSEC_PROVIDER_EVP};
    const enum rtpsec_profile profiles[] = {RTPSEC_AEAD_AES_128_GCM,
                                            RTPSEC_AES_CM_128_HMAC_SHA1_80};
    const unsigned sessions[] = {1, 1000, 10000};

    printf("struct rtpsec_rx %zu bytes, struct rtpsec_tx %zu bytes\n", sizeof(struct rtpsec_rx),
           sizeof(struct rtpsec_tx));
    printf("provider  prof      N  ns/pair  prefetch  init ns/dir\n");
    for (size_t k = 0; k < ARRAY_LEN(kinds); k++) {
        int err = 0;
        struct rtpsec_provider *p = rtpsec_provider_new(kinds[k], &err);
        if (!p) {
            printf("provider %d: %s\n", (int)kinds[k], strerror(-err));
            continue;
        }
        for (size_t f = 0; f < ARRAY_LEN(profiles); f++) {
            for (size_t i = 0; i < ARRAY_LEN(sessions); i++)
                measure(p, profiles[f], sessions[i], total);
        }
        rtpsec_provider_free(p);
    }
    return 0;
}
