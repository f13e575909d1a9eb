/*
 * Plain RTP: see the header. What an SRTP key would prove is replaced by caution, in this order: a
 * valid header, an address that peer/latch.h believes, and for an SSRC that is new two packets in
 * sequence (RFC 3550 §A.1). With SDES there is a key, and it proves all of that. RTCP counts only
 * from the host that RTP goes to, and only as compound packets that begin with a report (§A.2).
 */
#include "peer/plain.h"

#include <errno.h>
#include <string.h>

#include "base/mem.h"
#include "peer/feedback.h"
#include "rtp/sequence.h"

struct plain_srtp {
    struct rtpsec_rx rx;
    struct rtpsec_tx tx;
    uint8_t remote[RTPSEC_KEY_LEN + RTPSEC_MAX_SALT_LEN]; /* a secret */
};

static const struct peer_codec *codec_of(const struct plain *p, uint8_t pt)
{
    for (unsigned i = 0; i < p->n_codecs; i++) {
        if (p->codecs[i].pt == pt)
            return &p->codecs[i];
    }
    return NULL;
}

/* --- SRTP --- */

static int set_remote_key(struct plain *p, const struct plain_keys *keys)
{
    memcpy(p->srtp->remote, keys->remote, sizeof(p->srtp->remote));
    rtpsec_rx_deinit(&p->srtp->rx);
    return rtpsec_rx_init(&p->srtp->rx, p->env->srtp, keys->profile, keys->remote,
                          keys->remote + RTPSEC_KEY_LEN);
}

static void forget_keys(struct plain *p)
{
    if (!p->srtp)
        return;
    rtpsec_rx_deinit(&p->srtp->rx);
    rtpsec_tx_deinit(&p->srtp->tx);
    mem_wipe(p->srtp->remote, sizeof(p->srtp->remote));
    mem_free(p->srtp);
    p->srtp = NULL;
}

static int set_keys(struct plain *p, const struct plain_keys *keys)
{
    if (keys->profile == RTPSEC_NONE)
        return 0;
    p->srtp = mem_zalloc_aligned(sizeof(*p->srtp));
    if (!p->srtp)
        return -ENOMEM;
    int err = rtpsec_tx_init(&p->srtp->tx, p->env->srtp, keys->profile, keys->local,
                             keys->local + RTPSEC_KEY_LEN);
    if (!err)
        err = set_remote_key(p, keys);
    if (err)
        forget_keys(p);
    return err;
}

static int srtp_error(int err)
{
    if (err == RTPSEC_E_AUTH)
        return PEER_E_AUTH;
    return err == RTPSEC_E_REPLAY ? PEER_E_REPLAY : PEER_E_MALFORMED;
}

/* --- where RTCP goes --- */

/* Its host is always RTP's: what was learnt of one says nothing about any other. */
static void place_rtcp(struct plain *p)
{
    const struct addr *rtp = latch_remote(&p->latch);
    if (p->is_muxed)
        p->rtcp_remote = p->latch.current;
    else if (!rtp)
        p->rtcp_remote = (struct addr){.port = 0};
    else if (p->rtcp_named.port && addr_ip_equal(&p->rtcp_named, &p->latch.named) &&
             !addr_ip_equal(rtp, &p->latch.named))
        p->rtcp_remote = (struct addr){.port = 0}; /* behind a NAT: until some comes from there */
    else
        p->rtcp_remote = p->rtcp_named;
}

/* RTP has another address, or its first one. */
static void moved(struct plain *p, mono_us now)
{
    p->now = now;
    place_rtcp(p);
    peer_repair_new_line(&p->repair);
    rtp_recv_stats_new_line(&p->source);
    if (p->is_connected)
        return;
    p->is_connected = p->has_event = true;
    p->measure.connected_at = now;
}

/* --- beginning --- */

static void take_media(struct plain *p, const struct plain_params *params)
{
    const struct peer_params *m = &params->media;
    p->may_send = m->may_send;
    p->may_receive = m->may_receive;
    p->is_muxed = params->is_muxed;
    p->n_codecs = (uint8_t)m->n_codecs;
    p->n_ssrcs = (uint8_t)m->n_ssrcs;
    memcpy(p->codecs, m->codecs, sizeof(p->codecs));
    memcpy(p->ssrcs, m->ssrcs, sizeof(p->ssrcs));
    memcpy(p->ext_send, m->ext_send, sizeof(p->ext_send));
    memcpy(p->ext_recv, m->ext_recv, sizeof(p->ext_recv));
    p->strips = true;
    for (unsigned i = 0; i < PEER_N_EXT; i++)
        p->strips &= p->ext_send[i] == 0;
    p->rtcp_named = addr_is_unicast(&params->rtcp) && params->rtcp.port != LATCH_UNKNOWN_PORT
                        ? params->rtcp
                        : (struct addr){.port = 0};
}

int plain_init(struct plain *p, mono_us now, const struct plain_params *params,
               const struct plain_local *local, const struct peer_env *env)
{
    memset(p, 0, sizeof(*p));
    p->local = *local;
    p->env = env;
    int err = set_keys(p, &params->keys);
    if (err)
        return err;
    take_media(p, params);
    rtp_report_init(&p->report, params->media.local_ssrc, p->codecs[0].clock_rate, local->cname,
                    env->ntp_offset, env->rng, now);
    p->local.cname = (struct str){0}; /* the report has its copy */
    peer_repair_init(&p->repair, params->media.nack, params->media.reduced_size_rtcp);
    peer_feedback_init(&p->feedback, &params->media, now);
    latch_init(&p->latch, now, &params->rtp);
    if (latch_remote(&p->latch))
        moved(p, now);
    return 0;
}

void plain_deinit(struct plain *p)
{
    peer_repair_deinit(&p->repair);
    forget_keys(p);
}

/* c=0.0.0.0 as it was before RFC 3264: nothing is to be sent. Where she is stays known, or anybody
 * could take her place meanwhile. */
static bool is_old_hold(const struct addr *named)
{
    return addr_is_any(named) && named->port != LATCH_UNKNOWN_PORT;
}

int plain_renegotiate(struct plain *p, mono_us now, const struct plain_params *params)
{
    int err = 0;
    if (p->is_closed)
        return 0;
    if (p->srtp && memcmp(p->srtp->remote, params->keys.remote, sizeof(p->srtp->remote)) != 0)
        err = set_remote_key(p, &params->keys);
    if (err)
        return err;
    take_media(p, params);
    peer_repair_set(&p->repair, params->media.nack, params->media.reduced_size_rtcp);
    peer_feedback_set(&p->feedback, &params->media);
    if (!is_old_hold(&params->rtp))
        latch_name(&p->latch, now, &params->rtp);
    if (latch_remote(&p->latch))
        moved(p, now);
    return 0;
}

/* --- RTCP --- */

static bool is_from_source(const struct plain *p, const uint8_t *data)
{
    return !p->has_source || get_be32(data + 4) == p->source.ssrc;
}

/* From there, or from where RTP is and of its source: then RTCP is answered to there, too. */
static bool admit_rtcp(struct plain *p, const struct addr *from, const uint8_t *data)
{
    const struct addr *rtp = latch_remote(&p->latch);
    if (!rtp)
        return false;
    if (addr_equal(from, &p->rtcp_remote))
        return true;
    if (!p->srtp && (!addr_ip_equal(from, rtp) || !is_from_source(p, data)))
        return false;
    if (!p->is_muxed)
        p->rtcp_remote = *from;
    return p->srtp || !p->is_muxed;
}

static void take_events(struct plain *p, const struct rtp_report_events *events)
{
    if (events->is_reported)
        peer_measure_reported(&p->measure, &p->report, events->is_rtt);
    if (events->is_rtt)
        peer_repair_round_trip(&p->repair, p->now, p->report.rtt,
                               p->has_source ? rtp_recv_stats_queue(&p->source, p->now) : 0);
    if (events->is_bye) {
        p->has_source = false; /* another one may follow */
        peer_repair_restart(&p->repair);
    }
}

int plain_input(struct plain *p, mono_us now, struct dgram *d)
{
    struct rtp_report_events events;
    p->now = now;
    if (p->is_closed)
        return PEER_E_NO_PATH;
    if (!rtp_is_rtcp(d->data, d->len))
        return PEER_E_PROTOCOL;
    int err = p->srtp ? rtpsec_unprotect_rtcp(&p->srtp->rx, p->env->srtp, d->data, &d->len) : 0;
    if (err)
        return srtp_error(err);
    if (rtcp_check(d->data, d->len) ||
        (rtcp_is_reduced_size(d->data, d->len) && !p->repair.is_reduced))
        return PEER_E_MALFORMED;
    if (!admit_rtcp(p, &d->remote, d->data))
        return PEER_E_SOURCE;
    if (rtp_report_receive(&p->report, now, d->data, d->len, &p->source, p->has_source, &events))
        return PEER_E_MALFORMED;
    take_events(p, &events);
    peer_repair_feedback(&p->repair, d->data, d->len, p->report.ssrc);
    return peer_feedback_receive(&p->feedback, now, d->data, d->len) ? 0 : PEER_E_FEEDBACK;
}

static void sample_jitter(struct plain *p)
{
    if (p->has_source && p->source.clock_rate)
        rtp_mean_add(&p->measure.jitter_up, (mono_us)((uint64_t)rtp_recv_stats_jitter(&p->source) *
                                                      (uint64_t)US_PER_S / p->source.clock_rate));
}

static bool write_rtcp(struct plain *p, struct bytes_writer *w)
{
    if (p->has_bye) {
        rtp_report_write_bye(&p->report, p->now, w);
        p->has_bye = false;
        return true;
    }
    if (p->is_closed)
        return false;
    if (rtp_report_write(&p->report, p->now, &p->source, p->has_source, w)) {
        peer_feedback_write_dlrr(&p->feedback, p->now, p->report.ssrc, w);
        sample_jitter(p);
        return true;
    }
    if (!p->has_source)
        return false;
    peer_repair_queued(&p->repair, rtp_recv_stats_queue(&p->source, p->now));
    return peer_repair_write_nack(&p->repair, p->now, &p->report, &p->source, w);
}

/* --- the five verbs --- */

void plain_timeout(struct plain *p, mono_us now)
{
    p->now = now; /* reports are made where they are polled */
}

mono_us plain_deadline(const struct plain *p)
{
    if (p->has_event)
        return p->now;
    if (p->is_closed || !p->rtcp_remote.port)
        return MONO_NEVER;
    mono_us at = rtp_report_deadline(&p->report);
    return p->has_source ? mono_min(at, peer_repair_deadline(&p->repair)) : at;
}

bool plain_poll_send(struct plain *p, struct dgram *ret)
{
    struct bytes_writer w = bytes_writer(ret->data, ret->cap);
    if (p->rtcp_remote.port && write_rtcp(p, &w)) {
        ret->len = w.len;
        ret->local = p->is_muxed ? p->local.rtp : p->local.rtcp;
        ret->remote = p->rtcp_remote;
        return !w.failed && (!p->srtp || !rtpsec_protect_rtcp(&p->srtp->tx, p->env->srtp, ret->data,
                                                              &ret->len, ret->cap));
    }
    ret->local = p->local.rtp;
    ret->remote = p->latch.current;
    return plain_may_send(p) && peer_repair_poll_resend(&p->repair, p->now, ret);
}

bool plain_poll_event(struct plain *p, struct peer_event *ret)
{
    if (!p->has_event)
        return false;
    p->has_event = false;
    *ret = (struct peer_event){.type = PEER_EVENT_CONNECTED};
    return true;
}

/* RFC 3550 §6.3.7: who never sent anything says no goodbye. */
void plain_close(struct plain *p, mono_us now)
{
    p->now = now;
    p->has_bye = !p->is_closed && p->rtcp_remote.port && p->is_connected;
    p->has_event = false;
    p->is_closed = true;
}

/* --- the packet path --- */

static bool is_announced(const struct plain *p, uint32_t ssrc)
{
    for (unsigned i = 0; i < p->n_ssrcs; i++) {
        if (p->ssrcs[i] == ssrc)
            return true;
    }
    return p->n_ssrcs == 0;
}

/* A key proves more than an address. What is not the newest may have been held back by somebody on
 * the way, who sends it from elsewhere now. */
static void follow(struct plain *p, mono_us now, const struct addr *from,
                   const struct rtp_packet *packet)
{
    bool is_elsewhere = !addr_equal(from, &p->latch.current);
    if (p->has_source && p->source.ssrc == packet->ssrc &&
        !rtp_seq_is_newer(packet->seq, p->source.max_seq))
        return;
    latch_follow(&p->latch, now, from);
    if (is_elsewhere)
        moved(p, now);
}

/* Who comes from elsewhere must bring what was described. */
static bool admit(struct plain *p, mono_us now, const struct addr *from,
                  const struct rtp_packet *packet)
{
    if (addr_equal(from, &p->latch.current))
        return latch_take(&p->latch, now, from, packet->ssrc, packet->seq);
    if (!codec_of(p, packet->pt) || !is_announced(p, packet->ssrc) ||
        !latch_take(&p->latch, now, from, packet->ssrc, packet->seq))
        return false;
    moved(p, now);
    return true;
}

/* RFC 3550 §A.1: a new SSRC takes over when two of its packets came in sequence.
 *
 * @return the result of counting the packet; RTP_E_PROBATION = it is not heard yet */
static int count(struct plain *p, mono_us now, const struct rtp_packet *packet)
{
    if (p->has_source && p->source.ssrc == packet->ssrc)
        return rtp_recv_stats_packet(&p->source, packet->seq, packet->timestamp, now);
    if (!p->next.started || p->next.ssrc != packet->ssrc) {
        const struct peer_codec *codec = codec_of(p, packet->pt);
        rtp_recv_stats_init(&p->next, packet->ssrc,
                            codec ? codec->clock_rate : p->codecs[0].clock_rate,
                            p->srtp ? 0 : RTP_RECV_MIN_SEQUENTIAL);
    }
    int err = rtp_recv_stats_packet(&p->next, packet->seq, packet->timestamp, now);
    if (err)
        return RTP_E_PROBATION;
    p->source = p->next;
    p->next = (struct rtp_recv_stats){.started = false};
    p->has_source = true;
    peer_repair_restart(&p->repair);
    return 0;
}

int plain_receive_rtp(struct plain *p, mono_us now, struct dgram *d, struct rtp_packet *ret)
{
    struct rtp_packet packet;
    if (p->is_closed)
        return PEER_E_NO_PATH;
    int err = p->srtp ? rtpsec_unprotect_rtp(&p->srtp->rx, p->env->srtp, d->data, &d->len) : 0;
    if (err)
        return srtp_error(err);
    if (rtp_parse(d->data, d->len, &packet))
        return PEER_E_MALFORMED;
    if (p->srtp)
        follow(p, now, &d->remote, &packet);
    else if (!admit(p, now, &d->remote, &packet))
        return PEER_E_SOURCE;
    if (!p->may_receive)
        return PEER_E_DIRECTION;
    err = count(p, now, &packet);
    if (err == RTP_E_PROBATION)
        return PEER_E_SOURCE;
    if (!err)
        peer_repair_received(&p->repair, packet.seq, now);
    peer_measure_received(&p->measure, d->data, &packet, p->ext_recv[PEER_EXT_AUDIO_LEVEL], now);
    *ret = packet;
    return 0;
}

/* Old phones know no header extensions, and nothing in one would mean anything to this end. */
static void strip_extension(struct dgram *d, const struct rtp_packet *packet)
{
    size_t fixed = RTP_HEADER_LEN + 4 * (size_t)packet->n_csrc;
    size_t cut = packet->header_len - fixed;
    memmove(d->data + cut, d->data, fixed);
    d->data += cut;
    d->len -= cut;
    d->cap -= cut;
    d->data[0] &= (uint8_t)~0x10;
}

int plain_send_rtp(struct plain *p, mono_us now, struct dgram *d, const struct rtp_packet *packet)
{
    if (!plain_may_send(p))
        return PEER_E_NO_PATH;
    if (packet->has_extension && p->strips)
        strip_extension(d, packet);
    d->local = p->local.rtp;
    d->remote = p->latch.current;
    const struct peer_codec *codec = codec_of(p, d->data[1] & 0x7f);
    if (codec)
        rtp_report_set_clock_rate(&p->report, codec->clock_rate);
    uint16_t seq = get_be16(d->data + 2);
    int err =
        p->srtp ? rtpsec_protect_rtp(&p->srtp->tx, p->env->srtp, d->data, &d->len, d->cap) : 0;
    if (err)
        return srtp_error(err);
    peer_measure_sent(&p->measure, &p->report, seq);
    rtp_report_sent(&p->report, packet->timestamp, packet->payload_len, now);
    peer_repair_sent(&p->repair, seq, d, now);
    return 0;
}

uint8_t plain_loss_down(struct plain *p)
{
    const struct peer_delivery *d = &p->measure.delivery;
    return peer_loss_share(&p->loss_down, d->expected, d->lost);
}

void plain_figures(const struct plain *p, mono_us now, struct peer_figures *ret)
{
    const struct peer_parts parts = {
        .losses = &p->repair.nack,
        .measure = &p->measure,
        .source = &p->source,
        .report = &p->report,
        .feedback = &p->feedback,
        .codec = p->codecs[0].id,
        .may_send = p->may_send,
        .may_receive = p->may_receive,
        .has_source = p->has_source,
        .resent = p->repair.ring.resent,
    };
    peer_figures_of(&parts, now, ret);
}
