/*
 * A sink that takes each packet out of the relay and puts it into a ring. A full ring loses it: a
 * worker waits for nobody.
 *
 * Most of what a kind of endpoint does is about a network, which a tap has not: those do nothing.
 */
#include "engine/tap.h"

#include "base/mem.h"
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

/* --- what others do with a network --- */

static void prefetch(struct pipeline_endpoint *e)
{
    (void)e;
}

static int receive(struct pipeline_endpoint *e, mono_us now, struct dgram *d, struct relay_fan *ret,
                   mono_us *ret_due)
{
    (void)e, (void)now, (void)d, (void)ret;
    *ret_due = MONO_NEVER;
    return PEER_E_PROTOCOL;
}

static bool is_connected(const struct pipeline_endpoint *e)
{
    (void)e;
    return true;
}

static bool awaits(const struct pipeline_endpoint *e, const uint8_t *id)
{
    (void)e, (void)id;
    return false;
}

static int input(struct pipeline_endpoint *e, mono_us now, const struct dgram *d)
{
    (void)e, (void)now, (void)d;
    return PEER_E_PROTOCOL;
}

static void time_out(struct pipeline_endpoint *e, mono_us now)
{
    (void)e, (void)now;
}

static mono_us deadline(const struct pipeline_endpoint *e)
{
    (void)e;
    return MONO_NEVER;
}

static bool poll_send(struct pipeline_endpoint *e, struct dgram *ret)
{
    (void)e, (void)ret;
    return false;
}

static bool poll_event(struct pipeline_endpoint *e, struct peer_event *ret)
{
    (void)e, (void)ret;
    return false;
}

static void set_tag(struct pipeline_endpoint *e)
{
    (void)e;
}

static bool get_source(const struct pipeline_endpoint *e, uint32_t *ret)
{
    (void)e, (void)ret;
    return false;
}

static int add_candidate(struct pipeline_endpoint *e, mono_us now, const struct ice_candidate *c,
                         struct str ufrag)
{
    (void)e, (void)now, (void)c, (void)ufrag;
    return 0;
}

static void disconnected(struct pipeline_endpoint *e, mono_us now, const struct addr *local,
                         const struct addr *remote)
{
    (void)e, (void)now, (void)local, (void)remote;
}

static int renegotiate(struct pipeline_endpoint *e, mono_us now, const struct peer_params *params,
                       struct str ufrag, struct str pwd)
{
    (void)e, (void)now, (void)params, (void)ufrag, (void)pwd;
    return 0;
}

static void close_tap(struct pipeline_endpoint *e, mono_us now)
{
    (void)e, (void)now;
}

/* --- the rest --- */

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
    .prefetch = prefetch,
    .receive = receive,
    .is_connected = is_connected,
    .awaits = awaits,
    .input = input,
    .timeout = time_out,
    .deadline = deadline,
    .poll_send = poll_send,
    .poll_event = poll_event,
    .set_tag = set_tag,
    .get_source = get_source,
    .add_candidate = add_candidate,
    .disconnected = disconnected,
    .renegotiate = renegotiate,
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
