/*
 * One look a packet: is the oldest frame of the feed due? Then it gets a header of ours and goes
 * the way of every packet that was received. A frame that is due is sent alone; the next one is
 * looked at in the next turn.
 */
#include "engine/player_endpoint.h"

#include <assert.h>
#include <string.h>

#include "base/mem.h"
#include "engine/no_network.h"
#include "relay/pacer.h"

/* Payload type on the way to the sinks, each of which has its own. */
#define OPUS_PT 111

struct player_endpoint {
    struct relay_endpoint relay;
    struct pipeline_endpoint base;
    struct packet_feed *feed;     /* a reference; NULL = silent */
    struct worker_report *played; /* owned; with feed */
    mono_us due;                  /* when it looks at the feed again; MONO_NEVER = not by itself */
    mono_us paused_at;            /* MONO_NEVER = it plays */
    mono_us sent_at;              /* the last packet */
    uint32_t n_sent;
    bool is_closed; /* it plays nothing any more, and asks for no timer */
    struct relay_pacer pacer;
    uint32_t ssrc; /* RO */
    uint16_t seq;  /* of the next packet */
    struct dgram d;
    uint8_t bytes[DGRAM_MAX + SOCKET_TAIL_ROOM];
};

_Static_assert(RTP_HEADER_LEN + PACKET_FEED_MAX_FRAME <= DGRAM_MAX, "a frame is a datagram");

static struct player_endpoint *of(struct pipeline_endpoint *e)
{
    return CONTAINER_OF(e, struct player_endpoint, base);
}

static const struct player_endpoint *of_const(const struct pipeline_endpoint *e)
{
    return (const struct player_endpoint *)(const void *)((const char *)e -
                                                          offsetof(struct player_endpoint, base));
}

static const struct peer_codec opus = {
    .id = CODEC_OPUS, .pt = OPUS_PT, .channels = 2, .clock_rate = 48000};

/* --- as a sink: never --- */

static bool is_ready(const struct relay_endpoint *e)
{
    (void)e;
    return false;
}

static int take(struct relay_endpoint *e, mono_us now, struct dgram *d,
                const struct rtp_packet *packet)
{
    (void)e, (void)now, (void)d, (void)packet;
    return PEER_E_NO_PATH;
}

static const struct relay_ops relay_ops = {.is_ready = is_ready, .send = take};

/* --- as a source --- */

static void forget_feed(struct player_endpoint *p)
{
    packet_feed_unref(p->feed);
    mem_free(p->played);
    p->feed = NULL;
    p->played = NULL;
    p->due = MONO_NEVER;
}

/* All of it was heard. */
static void end_feed(struct player_endpoint *p)
{
    packet_feed_pop(p->feed);
    assert(!p->base.tell); /* each is sent in the turn in which it is told */
    p->base.tell = p->played;
    p->played = NULL; /* now owned by the base */
    forget_feed(p);
}

static void write_packet(struct player_endpoint *p, const struct packet_feed_frame *frame,
                         uint32_t timestamp, bool marker, struct rtp_packet *ret)
{
    *ret = (struct rtp_packet){
        .timestamp = timestamp,
        .ssrc = p->ssrc,
        .seq = p->seq++,
        .pt = OPUS_PT,
        .marker = marker,
        .header_len = RTP_HEADER_LEN,
        .payload_len = frame->len,
    };
    p->bytes[0] = 0x80; /* version 2 */
    p->bytes[1] = 0;
    rtp_set_pt(p->bytes, ret->pt);
    rtp_set_marker(p->bytes, marker);
    rtp_set_seq(p->bytes, ret->seq);
    rtp_set_timestamp(p->bytes, timestamp);
    rtp_set_ssrc(p->bytes, ret->ssrc);
    memcpy(p->bytes + RTP_HEADER_LEN, frame->data, frame->len);
    p->d = (struct dgram){
        .data = p->bytes, .len = RTP_HEADER_LEN + frame->len, .cap = sizeof(p->bytes)};
}

/* When the next frame wants to be looked at; one that is not there yet, soon. */
static mono_us next_look(struct player_endpoint *p, mono_us now)
{
    struct packet_feed_frame frame;
    if (!packet_feed_peek(p->feed, &frame))
        return now + PLAYER_ENDPOINT_LOOK;
    return relay_pacer_due(&p->pacer, frame.position);
}

static int emit(struct pipeline_endpoint *e, mono_us now, struct relay_fan *ret)
{
    struct player_endpoint *p = of(e);
    struct packet_feed_frame frame;
    bool marker;
    if (p->due > now)
        return PIPELINE_NOTHING;
    p->due = next_look(p, now);
    if (p->due > now || !packet_feed_peek(p->feed, &frame))
        return PIPELINE_NOTHING;
    if (frame.duration == 0) {
        end_feed(p);
        return PIPELINE_NOTHING;
    }
    uint32_t timestamp = relay_pacer_take(&p->pacer, now, frame.position, frame.duration, &marker);
    write_packet(p, &frame, timestamp, marker, &ret->packet);
    packet_feed_pop(p->feed);
    p->sent_at = now;
    p->n_sent++;
    p->due = next_look(p, now);
    return relay_fan_start(ret, &p->relay, now, &p->d);
}

static mono_us deadline(const struct pipeline_endpoint *e)
{
    return of_const(e)->due;
}

/* --- what it is told --- */

void player_endpoint_play(struct pipeline_endpoint *e, mono_us now, struct packet_feed *feed,
                          struct worker_report *played)
{
    struct player_endpoint *p = of(e);
    assert(player_endpoint_is(e) && !feed == !played);
    forget_feed(p);
    p->feed = feed;
    p->played = played;
    p->paused_at = MONO_NEVER;
    relay_pacer_restart(&p->pacer);
    if (p->is_closed)
        forget_feed(p);
    else if (feed)
        p->due = next_look(p, now);
}

void player_endpoint_pause(struct pipeline_endpoint *e, mono_us now, bool is_paused)
{
    struct player_endpoint *p = of(e);
    assert(player_endpoint_is(e));
    if (is_paused == (p->paused_at != MONO_NEVER))
        return;
    if (!is_paused)
        relay_pacer_hold(&p->pacer, now - p->paused_at);
    p->paused_at = is_paused ? now : MONO_NEVER;
    p->due = is_paused || !p->feed ? MONO_NEVER : next_look(p, now);
}

/* --- the rest --- */

static void close_player(struct pipeline_endpoint *e, mono_us now)
{
    struct player_endpoint *p = of(e);
    (void)now;
    forget_feed(p);
    p->is_closed = true;
}

/* What was read counts as what others receive. */
static void figures(const struct pipeline_endpoint *e, mono_us now, struct engine_stats *ret)
{
    const struct player_endpoint *p = of_const(e);
    ret->media.at = now;
    ret->media.up.packets = p->n_sent;
    ret->media.up.heard_at = p->sent_at;
}

static void free_player(struct pipeline_endpoint *e)
{
    struct player_endpoint *p = of(e);
    forget_feed(p);
    relay_endpoint_deinit(&p->relay);
    pipeline_endpoint_deinit(e);
    mem_free(p);
}

static const struct pipeline_ops ops = {
    NO_NETWORK_OPS,       .timeout = no_network_timeout, .emit = emit,
    .deadline = deadline, .close = close_player,         .figures = figures,
    .free = free_player,
};

bool player_endpoint_is(const struct pipeline_endpoint *e)
{
    return e->ops == &ops;
}

struct pipeline_endpoint *player_endpoint_new(struct pipeline *pipeline, unsigned number,
                                              struct rng *rng)
{
    const struct relay_format emits = {.codecs = &opus, .n_codecs = 1}, hears = {0};
    struct player_endpoint *p = mem_zalloc_aligned(sizeof(*p));
    if (!p)
        return NULL;
    if (pipeline_endpoint_init(&p->base, &ops, pipeline, number)) {
        pipeline_endpoint_deinit(&p->base);
        mem_free(p);
        return NULL;
    }
    relay_endpoint_init(&p->relay, &relay_ops, rng_u32(rng), &emits, &hears, rng);
    p->base.relay = &p->relay;
    p->due = p->paused_at = MONO_NEVER;
    p->ssrc = rng_u32(rng);
    p->seq = (uint16_t)(rng_u32(rng) & 0x7fff);
    relay_pacer_init(&p->pacer, 0, rng_u32(rng));
    return &p->base;
}
