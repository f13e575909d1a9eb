/*
 * A sink that takes each packet out of the relay and puts it into a ring. A full ring loses it: a
 * worker waits for nobody.
 */
#include "engine/tap.h"

#include "base/mem.h"
#include "engine/no_network.h"
#include "log/counters.h"

struct tap {
    struct relay_endpoint relay;
    struct packet_ring *ring; /* a reference */
    struct pipeline_endpoint base;
};

static struct tap *of(struct pipeline_endpoint *e)
{
    return CONTAINER_OF(e, struct tap, base);
}

/* --- what it hears --- */

static bool is_ready(const struct relay_endpoint *e)
{
    (void)e;
    return true;
}

static int take(struct relay_endpoint *e, mono_us now, struct dgram *d,
                const struct rtp_packet *packet)
{
    (void)packet;
    if (!packet_ring_push(CONTAINER_OF(e, struct tap, relay)->ring, now, d->data, d->len))
        counter_add(COUNTER_TAP_FULL);
    return RELAY_TAKEN;
}

static const struct relay_ops relay_ops = {.is_ready = is_ready, .send = take};

static const struct peer_codec opus = {
    .id = CODEC_OPUS, .pt = TAP_OPUS_PT, .channels = 2, .clock_rate = 48000};

/* --- the rest --- */

static void close_tap(struct pipeline_endpoint *e, mono_us now)
{
    (void)e, (void)now;
}

/* What the reader was too slow for is dropped like all that does not arrive. */
static void figures(const struct pipeline_endpoint *e, mono_us now, struct engine_stats *ret)
{
    const struct tap *t =
        (const struct tap *)(const void *)((const char *)e - offsetof(struct tap, base));
    ret->media.at = now;
    ret->packets_dropped += packet_ring_n_dropped(t->ring);
}

static void free_tap(struct pipeline_endpoint *e)
{
    struct tap *t = of(e);
    relay_endpoint_deinit(&t->relay);
    packet_ring_unref(t->ring);
    pipeline_endpoint_deinit(e);
    mem_free(t);
}

static const struct pipeline_ops ops = {
    NO_NETWORK_OPS,
    .timeout = no_network_timeout,
    .deadline = no_network_deadline,
    .close = close_tap,
    .figures = figures,
    .free = free_tap,
};

struct pipeline_endpoint *tap_new(struct pipeline *p, unsigned number, struct packet_ring *ring,
                                  struct rng *rng)
{
    const struct relay_format emits = {0}, hears = {.codecs = &opus, .n_codecs = 1};
    struct tap *t = mem_zalloc_aligned(sizeof(*t));
    if (!t)
        return NULL;
    if (pipeline_endpoint_init(&t->base, &ops, p, number)) {
        pipeline_endpoint_deinit(&t->base);
        mem_free(t);
        return NULL;
    }
    relay_endpoint_init(&t->relay, &relay_ops, rng_u32(rng), &emits, &hears, rng);
    t->base.relay = &t->relay;
    t->ring = packet_ring_ref(ring);
    return &t->base;
}
