/*
 * Forwarding: look up what the sink makes of the packet, give it the sink's numbers, rewrite eight
 * header fields at most, send. What cannot be sent is known before anything is copied.
 */
#include "relay/fan.h"

#include <string.h>

#include "peer/peer.h"
#include "rtp/extension.h"

int relay_fan_start(struct relay_fan *fan, struct relay_endpoint *source, mono_us now,
                    struct dgram *d)
{
    fan->d = d;
    fan->now = now;
    fan->end = &source->sinks;
    fan->next = source->sinks.next;
    return fan->next == fan->end ? RELAY_E_UNHEARD : 0;
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
static int number(const struct relay_fan *fan, struct relay_endpoint *sink, struct numbers *ret)
{
    const struct rtp_packet *p = &fan->packet;
    /* Before the numbers are given out: a sink that is late must not find a gap at its start. */
    if (!sink->ops->is_ready(sink))
        return PEER_E_NO_PATH;
    const struct relay_codec_map *codec = find_codec(sink, p->pt);
    if (!codec)
        return RELAY_E_CODEC;
    ret->pt = codec->to_pt;
    if (rtp_translate(&sink->translator, p->ssrc, p->seq, p->timestamp, fan->now, codec->clock_rate,
                      &ret->seq, &ret->timestamp))
        return RELAY_E_OLD;
    return 0;
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

/* Others want the packet, too. */
static int send_copy(const struct relay_fan *fan, struct relay_endpoint *sink,
                     const struct numbers *numbers, struct dgram *spare)
{
    struct rtp_packet packet = fan->packet;
    memcpy(spare->data, fan->d->data, fan->d->len);
    spare->len = fan->d->len;
    return send_to(sink, fan->now, numbers, spare, &packet);
}

bool relay_fan_next(struct relay_fan *fan, struct dgram *spare, struct relay_out *ret)
{
    if (fan->next == fan->end)
        return false;
    struct relay_endpoint *sink = CONTAINER_OF(fan->next, struct relay_endpoint, siblings);
    struct numbers numbers;
    fan->next = fan->next->next;
    bool is_last = fan->next == fan->end;

    int err = number(fan, sink, &numbers);
    if (!err)
        err = is_last ? send_to(sink, fan->now, &numbers, fan->d, &fan->packet)
                      : send_copy(fan, sink, &numbers, spare);
    ret->error = err == RELAY_TAKEN ? 0 : err;
    ret->d = err ? NULL : is_last ? fan->d : spare;
    return true;
}
