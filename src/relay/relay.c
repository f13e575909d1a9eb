/*
 * The relay: see the header. The tables are made once; forwarding is receive, look up, rewrite
 * eight header fields at most, send.
 */
#include "relay/relay.h"

#include <string.h>

#include "rtp/extension.h"

/* Payload types and clock rates: the same codec has the same place on both legs. */
static void map_codecs(struct relay_sink *sink, const struct peer *from, const struct peer *to)
{
    memset(sink->pt_map, RELAY_NO_PT, sizeof(sink->pt_map));
    unsigned n = from->n_codecs < to->n_codecs ? from->n_codecs : to->n_codecs;
    for (unsigned i = 0; i < n; i++) {
        sink->pt_map[from->codecs[i].pt] = to->codecs[i].pt;
        sink->codec_of[from->codecs[i].pt] = (uint8_t)i;
        sink->clock_rates[i] = from->codecs[i].clock_rate;
    }
}

static void map_extensions(struct relay_sink *sink, const struct peer *from, const struct peer *to)
{
    memset(sink->ext_map, 0, sizeof(sink->ext_map));
    for (unsigned i = 0; i < PEER_N_EXT; i++) {
        if (from->ext_recv[i])
            sink->ext_map[from->ext_recv[i]] = to->ext_send[i];
    }
}

static void init_sink(struct relay_sink *sink, const struct peer *from, const struct peer *to)
{
    struct rng *rng = to->env->rng;
    map_codecs(sink, from, to);
    map_extensions(sink, from, to);
    /* RFC 3550 §5.1: both random; below 2^15, so that no loss before the first roll-over can
     * leave the receiver with another roll-over count (RFC 3711 §3.3.1). */
    rtp_translator_init(&sink->translator, to->local_ssrc, (uint16_t)(rng_u32(rng) & 0x7fff),
                        rng_u32(rng));
}

int relay_init(struct relay *r, mono_us now, const struct peer_params *const params[RELAY_LEGS],
               const struct peer_local *const locals[RELAY_LEGS], const struct peer_env *env)
{
    int err = peer_init(&r->legs[0], now, params[0], locals[0], env);
    if (err)
        return err;
    err = peer_init(&r->legs[1], now, params[1], locals[1], env);
    if (err) {
        peer_deinit(&r->legs[0]);
        return err;
    }
    init_sink(&r->sinks[0], &r->legs[0], &r->legs[1]);
    init_sink(&r->sinks[1], &r->legs[1], &r->legs[0]);
    return 0;
}

void relay_deinit(struct relay *r)
{
    peer_deinit(&r->legs[0]);
    peer_deinit(&r->legs[1]);
}

int relay_forward(struct relay *r, unsigned from, mono_us now, struct dgram *d)
{
    struct relay_sink *sink = &r->sinks[from];
    struct peer *to = &r->legs[1 - from];
    struct rtp_packet packet;
    uint32_t timestamp;
    uint16_t seq;

    int err = peer_receive_rtp(&r->legs[from], now, d, &packet);
    if (err)
        return err;
    /* Before the numbers are given out: a leg that is late must not find a gap at its start. */
    if (!peer_may_send(to))
        return PEER_E_NO_PATH;
    uint8_t pt = sink->pt_map[packet.pt];
    if (pt == RELAY_NO_PT)
        return RELAY_E_CODEC;
    err = rtp_translate(&sink->translator, packet.ssrc, packet.seq, packet.timestamp, now,
                        sink->clock_rates[sink->codec_of[packet.pt]], &seq, &timestamp);
    if (err)
        return RELAY_E_OLD;
    if (packet.has_extension)
        (void)rtp_extensions_translate(d->data, &packet, sink->ext_map);
    rtp_set_pt(d->data, pt);
    rtp_set_seq(d->data, seq);
    rtp_set_timestamp(d->data, timestamp);
    rtp_set_ssrc(d->data, to->local_ssrc);
    packet.timestamp = timestamp;
    return peer_send_rtp(to, now, d, &packet);
}
