/*
 * Forwarding: look up what the sink makes of the packet, give it the sink's numbers, rewrite eight
 * header fields at most, send. What cannot be sent is known before anything is copied.
 *
 * In place means: the last sink gets the received bytes. Whatever still needs them comes before it:
 * copies for the other sinks, and what redundancy gives back, which borrows from them.
 */
#include "relay/fan.h"

#include <string.h>

#include "peer/peer.h"
#include "rtp/extension.h"

/* RFC 3550 §5.1: padding fills the line it is sent over and means nothing to anybody else. Nobody
 * gets the packet, nobody misses its number. */
static void skip(const struct relay_fan *fan, struct relay_endpoint *source)
{
    LIST_FOREACH(node, &source->sinks)
        rtp_translator_skip(&CONTAINER_OF(node, struct relay_endpoint, siblings)->translator,
                            fan->packet.ssrc, fan->packet.seq);
}

int relay_fan_start(struct relay_fan *fan, struct relay_endpoint *source, mono_us now,
                    struct dgram *d)
{
    fan->d = d;
    fan->now = now;
    fan->end = &source->sinks;
    fan->next = source->sinks.next;
    fan->n_given = 0;
    fan->red.is_red = fan->red.is_repeat = false;
    fan->red.recovered.n = 0;
    if (fan->next == fan->end)
        return RELAY_E_UNHEARD;
    int err = 0;
    if (source->red.pt)
        err = relay_red_receive(&source->red, d->data, &fan->packet, &fan->red);
    if (fan->packet.payload_len == 0) {
        skip(fan, source);
        return RELAY_E_PADDING;
    }
    return err;
}

static const struct relay_codec_map *find_codec(const struct relay_endpoint *sink, uint8_t pt)
{
    for (unsigned i = 0; i < sink->n_codecs; i++) {
        if (sink->codecs[i].from_pt == pt)
            return &sink->codecs[i];
    }
    return NULL;
}

/* The header of a packet as one sink will see it. */
struct numbers {
    uint8_t pt;
    uint16_t seq;
    uint32_t timestamp;
};

/* @return 0, or why this sink does not get the packet */
static int number(const struct relay_fan *fan, struct relay_endpoint *sink,
                  const struct relay_codec_map *codec, uint16_t seq, uint32_t timestamp,
                  struct numbers *ret)
{
    ret->pt = codec->to_pt;
    return rtp_translate(&sink->translator, fan->packet.ssrc, seq, timestamp, fan->now,
                         codec->clock_rate, &ret->seq, &ret->timestamp)
               ? RELAY_E_OLD
               : 0;
}

/* What can be known about the payload without changing it. */
static int check_payload(const struct relay_fan *fan, const struct relay_endpoint *sink,
                         const struct relay_codec_map *codec)
{
    const struct rtp_packet *p = &fan->packet;
    if (fan->red.is_repeat && sink->opens_red)
        return RELAY_E_OLD;
    switch ((enum relay_payload)codec->payload) {
    case RELAY_PAYLOAD_AS_IT_IS:
        break;
    case RELAY_PAYLOAD_RED:
        if (!relay_red_carries(fan->d->data + p->header_len, p->payload_len, codec->from_block))
            return RELAY_E_CODEC;
        break;
    case RELAY_PAYLOAD_OPEN_RED:
        if (rtp_red_primary(&fan->red.blocks)->pt != codec->from_block)
            return RELAY_E_CODEC;
        break;
    }
    return 0;
}

static void rewrite_payload(const struct relay_fan *fan, const struct relay_codec_map *codec,
                            struct dgram *d, struct rtp_packet *packet)
{
    const struct rtp_red_block *newest;
    switch ((enum relay_payload)codec->payload) {
    case RELAY_PAYLOAD_AS_IT_IS:
        break;
    case RELAY_PAYLOAD_RED:
        if (codec->from_block != codec->to_block)
            relay_red_set_pts(d->data + packet->header_len, codec->to_block);
        break;
    case RELAY_PAYLOAD_OPEN_RED:
        newest = rtp_red_primary(&fan->red.blocks);
        relay_red_open(d, packet, fan->red.newest_at, newest->len);
        break;
    }
}

static int send_to(struct relay_endpoint *sink, mono_us now, const struct numbers *numbers,
                   struct dgram *d, struct rtp_packet *packet)
{
    if (packet->has_extension)
        (void)rtp_extensions_translate(d->data, packet, sink->ext_map);
    rtp_set_pt(d->data, numbers->pt);
    rtp_set_seq(d->data, numbers->seq);
    rtp_set_timestamp(d->data, numbers->timestamp);
    rtp_set_ssrc(d->data, sink->translator.ssrc);
    packet->timestamp = numbers->timestamp;
    return sink->ops->send(sink, now, d, packet);
}

/* A packet that was missing, for a sink that cannot get it out of RED itself. */
static int give_back(struct relay_fan *fan, struct relay_endpoint *sink, struct dgram *spare)
{
    const struct rtp_red_packet *recovered = &fan->red.recovered.packets[fan->n_given++];
    struct rtp_packet packet;
    struct numbers numbers;
    if (!sink->ops->is_ready(sink))
        return PEER_E_NO_PATH;
    const struct relay_codec_map *codec = find_codec(sink, fan->packet.pt);
    if (!codec)
        return RELAY_E_CODEC;
    int err = number(fan, sink, codec, recovered->seq, recovered->timestamp, &numbers);
    if (err)
        return err;
    relay_red_build(spare, recovered, &packet);
    return send_to(sink, fan->now, &numbers, spare, &packet);
}

/* The packet itself. */
static int pass(struct relay_fan *fan, struct relay_endpoint *sink, bool is_last,
                struct dgram *spare)
{
    struct numbers numbers;
    struct rtp_packet copy, *packet = &fan->packet;
    struct dgram *d = fan->d;
    /* Before the numbers are given out: a sink that is late must not find a gap at its start. */
    if (!sink->ops->is_ready(sink))
        return PEER_E_NO_PATH;
    const struct relay_codec_map *codec = find_codec(sink, packet->pt);
    if (!codec)
        return RELAY_E_CODEC;
    int err = check_payload(fan, sink, codec);
    if (!err)
        err = number(fan, sink, codec, packet->seq, packet->timestamp, &numbers);
    if (err)
        return err;
    if (!is_last) { /* others want it, too */
        memcpy(spare->data, d->data, d->len);
        spare->len = d->len;
        d = spare;
        copy = *packet;
        packet = &copy;
    }
    rewrite_payload(fan, codec, d, packet);
    return send_to(sink, fan->now, &numbers, d, packet);
}

bool relay_fan_next(struct relay_fan *fan, struct dgram *spare, struct relay_out *ret)
{
    int err;
    if (fan->next == fan->end)
        return false;
    struct relay_endpoint *sink = CONTAINER_OF(fan->next, struct relay_endpoint, siblings);
    ret->d = spare;
    if (sink->opens_red && fan->n_given < fan->red.recovered.n) {
        err = give_back(fan, sink, spare);
    } else {
        fan->next = fan->next->next;
        fan->n_given = 0;
        bool is_last = fan->next == fan->end;
        if (is_last)
            ret->d = fan->d;
        err = pass(fan, sink, is_last, spare);
    }
    ret->error = err == RELAY_TAKEN ? 0 : err;
    if (err)
        ret->d = NULL;
    return true;
}
