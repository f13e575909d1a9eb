/* fuzz: duet_relay */
/*
 * A source whose every byte is hostile, and three who hear it: one with RED under the same numbers,
 * one under others, one without. The input is a script of packets and changes of who hears whom.
 * What each gets is RTP with his SSRC and payload types, each number once.
 */
#include <stdlib.h>
#include <string.h>

#include "relay/fan.h"

#define CHECK(x)                                                                                   \
    do {                                                                                           \
        if (!(x))                                                                                  \
            abort();                                                                               \
    } while (0)

#define N        4 /* 0 is the source */
#define OVERHEAD 32

struct listener {
    struct relay_endpoint endpoint;
    struct peer_codec codecs[2];
    uint8_t ext[PEER_N_EXT];
    uint8_t red_pt;
    uint8_t had[1 << 13]; /* a bit for each number */
};

static struct listener listeners[N];
static struct rng rng;
static mono_us now;

static bool is_ready(const struct relay_endpoint *e)
{
    (void)e;
    return true;
}

/* Every block of RED is of the listener's own type. */
static void check_red(const struct listener *l, const uint8_t *payload, size_t len)
{
    CHECK(relay_red_carries(payload, len, l->codecs[0].pt));
}

static int hear(struct relay_endpoint *e, mono_us at, struct dgram *d,
                const struct rtp_packet *packet)
{
    struct listener *l = CONTAINER_OF(e, struct listener, endpoint);
    struct rtp_packet p;
    (void)at;
    CHECK(!rtp_parse(d->data, d->len, &p) && d->len + OVERHEAD <= d->cap);
    CHECK(p.ssrc == e->translator.ssrc && p.payload_len == packet->payload_len);
    CHECK(p.pt == l->codecs[0].pt || p.pt == l->codecs[1].pt || (l->red_pt && p.pt == l->red_pt));
    if (l->red_pt && p.pt == l->red_pt && p.payload_len > 0)
        check_red(l, d->data + p.header_len, p.payload_len);
    CHECK(!(l->had[p.seq / 8] >> (p.seq % 8) & 1));
    l->had[p.seq / 8] |= (uint8_t)(1 << (p.seq % 8));
    memset(d->data, 0xee, d->len);
    return 0;
}

/* SRTP lets each number of a source through once. Two sources are enough. */
static uint8_t came[2][1 << 13];

static const struct relay_ops ops = {.is_ready = is_ready, .send = hear};

static void set_up(void)
{
    static const uint8_t red_pts[N] = {63, 63, 113, 0}, opus_pts[N] = {111, 111, 96, 109};
    rng_init_seeded(&rng, 1);
    now = US_PER_S;
    memset(listeners, 0, sizeof(listeners));
    memset(came, 0, sizeof(came));
    for (uint8_t i = 0; i < N; i++) {
        struct listener *l = &listeners[i];
        l->codecs[0] = (struct peer_codec){CODEC_OPUS, opus_pts[i], 2, 48000};
        l->codecs[1] = (struct peer_codec){CODEC_PCMU, 0, 1, 8000};
        l->ext[0] = (uint8_t)(i + 1);
        l->red_pt = red_pts[i];
        const struct relay_format format = {l->codecs, 2, l->ext, l->red_pt};
        relay_endpoint_init(&l->endpoint, &ops, 0x5000u + i, &format, &format, &rng);
    }
}

static bool is_replay(const uint8_t *data)
{
    uint16_t number = get_be16(data + 2);
    uint8_t *byte = &came[data[11] & 1][number / 8], bit = (uint8_t)(1 << (number % 8));
    bool is_known = *byte & bit;
    *byte |= bit;
    return is_known;
}

/* Header fields that go on from packet to packet, unless the script says otherwise. */
static uint16_t seq;

static void receive(const uint8_t *data, size_t len)
{
    static uint8_t buf[DGRAM_MAX + OVERHEAD];
    size_t cap = len + OVERHEAD;
    uint8_t *exact = malloc(cap);
    struct dgram d = {.data = exact, .len = len, .cap = cap};
    struct relay_fan fan;
    struct relay_out out;
    CHECK(exact);
    if (len)
        memcpy(exact, data, len);
    if (len >= RTP_HEADER_LEN)
        put_be32(exact + 8, 0xa000 + (data[11] & 1));
    if (!rtp_parse(exact, len, &fan.packet) && !is_replay(exact) &&
        !relay_fan_start(&fan, &listeners[0].endpoint, now, &d)) {
        for (;;) {
            struct dgram spare = {.data = buf, .cap = sizeof(buf)};
            if (!relay_fan_next(&fan, &spare, &out))
                break;
            CHECK(!out.error == (out.d != NULL));
        }
    }
    free(exact);
}

static void say(struct bytes_reader *in, uint8_t kind)
{
    uint8_t packet[DGRAM_MAX] = {kind & 0x40 ? 0xa0 : 0x80, kind & 0x20 ? 111 : 63};
    struct bytes_writer w = bytes_writer(packet + RTP_HEADER_LEN, sizeof(packet) - RTP_HEADER_LEN);
    int8_t step = kind & 0x10 ? (int8_t)bytes_get8(in) : 1;
    size_t len = bytes_get8(in);
    if (len > in->left)
        len = in->left;
    seq = (uint16_t)(seq + step);
    put_be16(packet + 2, seq);
    put_be32(packet + 4, seq * 960u);
    put_be32(packet + 8, 0xa000 + (kind >> 2 & 1));
    bytes_put(&w, bytes_skip(in, len), len);
    receive(packet, RTP_HEADER_LEN + w.len);
}

static void set_red(struct listener *l, uint8_t pt)
{
    const struct relay_format format = {l->codecs, 2, l->ext, pt};
    relay_endpoint_set_formats(&l->endpoint, &format, &format);
}

static void change(uint8_t kind)
{
    struct relay_endpoint *e = &listeners[1 + kind % (N - 1)].endpoint;
    switch (kind >> 2 & 3) {
    case 0:
        relay_disconnect(e);
        break;
    case 1:
        set_red(&listeners[0], kind & 0x10 ? 63 : 0);
        break;
    case 2:
    case 3:
        relay_connect(&listeners[0].endpoint, e);
        break;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct bytes_reader in = bytes_reader(data, size);
    set_up();
    seq = 0;
    for (unsigned i = 1; i < N; i++)
        relay_connect(&listeners[0].endpoint, &listeners[i].endpoint);
    while (in.left > 0) {
        uint8_t kind = bytes_get8(&in);
        now += (mono_us)(kind & 3) * 10 * US_PER_MS;
        if (kind & 0x80) {
            change(kind & 0x7f);
        } else if (kind & 0x08) { /* a whole packet of the script's own */
            size_t len = bytes_get8(&in);
            len = len < in.left ? len : in.left;
            receive(bytes_skip(&in, len), len);
        } else {
            say(&in, kind);
        }
    }
    for (unsigned i = 0; i < N; i++)
        relay_endpoint_deinit(&listeners[i].endpoint);
    return 0;
}
