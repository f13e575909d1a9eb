/*
 * One WebRTC peer: the cores put together.
 *
 *     state        leaves it by
 *     CHECKING     ICE validates a pair        → SECURING
 *                  ICE fails                   → ENDED
 *     SECURING     DTLS connected, keys are in → CONNECTED
 *                  DTLS fails, consent lost    → ENDED
 *     CONNECTED    consent lost, close_notify  → ENDED
 *     any          peer_close                  → ENDED, without an event
 *
 * What comes too early is not lost: the first DTLS datagram of a browser often overtakes the
 * answer to our check of its address, so one datagram is held until that address is valid.
 */
#include "peer/peer.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#include "base/mem.h"

/* A flight of a browser fits into one or two datagrams; the first one is what must not be lost. */
struct peer_held {
    struct addr local, remote;
    size_t len;
    uint8_t data[DGRAM_MAX];
};

const char *peer_state_name(enum peer_state state)
{
    static const char *const names[] = {
        [PEER_CHECKING] = "checking",
        [PEER_SECURING] = "securing",
        [PEER_CONNECTED] = "connected",
        [PEER_ENDED] = "ended",
    };
    return names[state];
}

static bool may_follow(enum peer_state from, enum peer_state to)
{
    static const uint8_t allowed_from[] = {
        [PEER_CHECKING] = 0,
        [PEER_SECURING] = 1 << PEER_CHECKING,
        [PEER_CONNECTED] = 1 << PEER_SECURING,
        [PEER_ENDED] = 1 << PEER_CHECKING | 1 << PEER_SECURING | 1 << PEER_CONNECTED,
    };
    return allowed_from[to] >> from & 1;
}

static void set_state(struct peer *p, enum peer_state state)
{
    assert(may_follow(p->state, state));
    p->state = state;
}

static void push_event(struct peer *p, const struct peer_event *event)
{
    assert(p->n_events < PEER_MAX_EVENTS);
    p->events[p->n_events++] = *event;
}

static void end(struct peer *p, enum peer_end why, enum dtls_failure dtls)
{
    if (p->state == PEER_ENDED)
        return;
    set_state(p, PEER_ENDED);
    push_event(p, &(struct peer_event){.type = PEER_EVENT_ENDED, .end = why, .dtls = dtls});
}

/* --- beginning --- */

static int copy_fingerprints(struct peer *p, const struct peer_params *params)
{
    static const enum dtls_hash hashes[] = {
        [SDP_SHA256] = DTLS_HASH_SHA256,
        [SDP_SHA384] = DTLS_HASH_SHA384,
        [SDP_SHA512] = DTLS_HASH_SHA512,
    };
    assert(params->n_fingerprints <= DTLS_MAX_FINGERPRINTS);
    p->fingerprints = mem_zalloc(params->n_fingerprints * sizeof(*p->fingerprints));
    if (!p->fingerprints)
        return -ENOMEM;
    for (unsigned i = 0; i < params->n_fingerprints; i++) {
        const struct sdp_fingerprint *from = &params->fingerprints[i];
        struct dtls_fingerprint *to = &p->fingerprints[p->n_fingerprints++];
        to->hash = hashes[from->hash];
        memcpy(to->bytes, from->digest, from->len);
    }
    return 0;
}

static void forget_fingerprints(struct peer *p)
{
    mem_free(p->fingerprints);
    p->fingerprints = NULL;
    p->n_fingerprints = 0;
}

/* The credentials of an offer, and the candidates in it. */
static int set_remote(struct peer *p, mono_us now, const struct peer_params *params)
{
    int err = ice_agent_set_remote(&p->ice, now, str_of(params->remote_ufrag),
                                   str_of(params->remote_pwd), params->remote_lite);
    for (unsigned i = 0; i < params->n_candidates && !err; i++) {
        struct ice_candidate c;
        if (ice_candidate_parse(params->candidates[i], &c))
            continue; /* a name, TCP, or noise: ICE lives without it */
        err = ice_agent_add_remote(&p->ice, now, &c, ice_candidate_ufrag(params->candidates[i]));
        if (err > 0)
            err = 0;
    }
    if (!err && params->remote_end_of_candidates)
        err = ice_agent_end_of_candidates(&p->ice, now);
    return err;
}

static int init_ice(struct peer *p, mono_us now, const struct peer_params *params,
                    const struct peer_local *local)
{
    const struct ice_config config = {
        .lite = p->env->ice_lite,
        .controlling = local->is_offerer,
        .ufrag = local->ufrag,
        .pwd = local->pwd,
    };
    int err = ice_agent_init(&p->ice, &config, p->env->rng);
    for (size_t i = 0; i < local->n_candidates && !err; i++)
        err = ice_agent_add_local(&p->ice, &local->candidates[i]);
    return err ? err : set_remote(p, now, params);
}

/* What every offer of the leg says anew. */
static void take_media(struct peer *p, const struct peer_params *params)
{
    p->may_send = params->may_send;
    p->may_receive = params->may_receive;
    p->n_codecs = (uint8_t)params->n_codecs;
    p->red_pt = params->red_pt;
    memcpy(p->codecs, params->codecs, sizeof(p->codecs));
    memcpy(p->ext_send, params->ext_send, sizeof(p->ext_send));
    memcpy(p->ext_recv, params->ext_recv, sizeof(p->ext_recv));
}

int peer_init(struct peer *p, mono_us now, const struct peer_params *params,
              const struct peer_local *local, const struct peer_env *env)
{
    memset(p, 0, sizeof(*p));
    assert(params->n_codecs > 0);
    p->env = env;
    p->now = now;
    p->local_ssrc = params->local_ssrc;
    take_media(p, params);
    p->is_dtls_client = params->dtls_client;
    rtp_report_init(&p->report, p->local_ssrc, p->codecs[0].clock_rate, local->cname,
                    env->ntp_offset, env->rng, now);
    peer_repair_init(&p->repair, params->nack, params->reduced_size_rtcp);
    peer_feedback_init(&p->feedback, params, now);
    int err = copy_fingerprints(p, params);
    if (!err)
        err = init_ice(p, now, params, local);
    if (err)
        peer_deinit(p);
    return err;
}

void peer_deinit(struct peer *p)
{
    ice_agent_deinit(&p->ice);
    dtls_conn_deinit(&p->dtls);
    rtpsec_rx_deinit(&p->rx);
    rtpsec_tx_deinit(&p->tx);
    peer_repair_deinit(&p->repair);
    mem_free(p->held);
    p->held = NULL;
    forget_fingerprints(p);
}

void peer_set_transaction_tag(struct peer *p, uint32_t tag)
{
    ice_agent_set_transaction_tag(&p->ice, tag);
}

int peer_add_candidate(struct peer *p, mono_us now, const struct ice_candidate *c, struct str ufrag)
{
    p->now = now;
    return p->state == PEER_ENDED ? 0 : ice_agent_add_remote(&p->ice, now, c, ufrag);
}

int peer_end_of_candidates(struct peer *p, mono_us now)
{
    p->now = now;
    return p->state == PEER_ENDED ? 0 : ice_agent_end_of_candidates(&p->ice, now);
}

/* The peer's side first: it is what may be refused, and the agent restarts with it. */
static int restart_ice(struct peer *p, mono_us now, const struct peer_params *params,
                       struct str ufrag, struct str pwd)
{
    int err = set_remote(p, now, params);
    return err || ufrag.len == 0 ? err : ice_agent_restart(&p->ice, now, ufrag, pwd);
}

int peer_renegotiate(struct peer *p, mono_us now, const struct peer_params *params,
                     struct str ufrag, struct str pwd)
{
    p->now = now;
    assert(params->n_codecs > 0);
    if (p->state == PEER_ENDED)
        return 0;
    int err = restart_ice(p, now, params, ufrag, pwd);
    if (err)
        return err;
    take_media(p, params);
    peer_repair_set(&p->repair, params->nack, params->reduced_size_rtcp);
    peer_feedback_set(&p->feedback, params);
    return 0;
}

/* Something on our side broke (memory, the cipher library): this peer is over, nobody else. */
static void break_down(struct peer *p)
{
    end(p, PEER_END_BROKEN, 0);
}

/* --- DTLS --- */

static bool set_keys(struct peer *p, const struct dtls_srtp_keys *keys)
{
    enum rtpsec_profile profile = keys->profile == DTLS_SRTP_AEAD_AES_128_GCM
                                      ? RTPSEC_AEAD_AES_128_GCM
                                      : RTPSEC_AES_CM_128_HMAC_SHA1_80;
    return !rtpsec_rx_init(&p->rx, p->env->srtp, profile, keys->remote_key, keys->remote_salt) &&
           !rtpsec_tx_init(&p->tx, p->env->srtp, profile, keys->local_key, keys->local_salt);
}

static void drain_dtls(struct peer *p)
{
    struct dtls_event event;
    while (p->has_dtls && p->state != PEER_ENDED && dtls_conn_poll_event(&p->dtls, &event)) {
        switch (event.type) {
        case DTLS_EVENT_CONNECTED:
            if (!set_keys(p, event.keys)) {
                break_down(p);
                break;
            }
            set_state(p, PEER_CONNECTED);
            p->measure.connected_at = p->now;
            push_event(p, &(struct peer_event){.type = PEER_EVENT_CONNECTED});
            break;
        case DTLS_EVENT_FAILED:
            end(p, PEER_END_DTLS_FAILED, event.failure);
            break;
        case DTLS_EVENT_CLOSED:
            end(p, PEER_END_REMOTE_CLOSED, 0);
            break;
        }
    }
}

/* The first valid pair: only now is there somebody to shake hands with (RFC 8842 §6). */
static void begin_dtls(struct peer *p)
{
    if (p->has_dtls || p->state == PEER_ENDED)
        return;
    int err = dtls_conn_init(&p->dtls, p->env->dtls, p->is_dtls_client, p->fingerprints,
                             p->n_fingerprints);
    forget_fingerprints(p); /* it has its own copy, as long as it needs them */
    if (err) {
        break_down(p);
        return;
    }
    p->has_dtls = true;
    set_state(p, PEER_SECURING);
    dtls_conn_start(&p->dtls, p->now);
    drain_dtls(p);
}

static int feed_dtls(struct peer *p, const struct addr *local, const struct addr *remote,
                     const uint8_t *data, size_t len)
{
    p->dtls_local = *local;
    p->dtls_remote = *remote;
    int ignored = dtls_conn_input(&p->dtls, p->now, data, len);
    drain_dtls(p);
    return ignored ? PEER_E_PROTOCOL : 0;
}

static bool hold(struct peer *p, const struct dgram *d)
{
    if (p->held || p->has_dtls || d->len > sizeof(p->held->data))
        return false;
    p->held = mem_alloc(sizeof(*p->held));
    if (!p->held)
        return false; /* the browser will send it again */
    p->held->local = d->local;
    p->held->remote = d->remote;
    p->held->len = d->len;
    memcpy(p->held->data, d->data, d->len);
    return true;
}

static void release_held(struct peer *p, const struct addr *local, const struct addr *remote)
{
    struct peer_held *held = p->held;
    if (!held || !p->has_dtls)
        return;
    p->held = NULL;
    if (addr_equal(&held->remote, remote) && addr_equal(&held->local, local))
        (void)feed_dtls(p, local, remote, held->data, held->len);
    mem_free(held);
}

static int input_dtls(struct peer *p, const struct dgram *d)
{
    if (!ice_agent_is_valid(&p->ice, &d->local, &d->remote))
        return hold(p, d) ? 0 : PEER_E_NO_CONSENT;
    if (!p->has_dtls)
        return PEER_E_NO_CONSENT;
    return feed_dtls(p, &d->local, &d->remote, d->data, d->len);
}

/* --- ICE --- */

/* Once or twice a generation, and waited for: told at once. */
static void path_settles(struct peer *p)
{
    p->path_is_news = true;
    p->path_told_at = p->now - PEER_PATH_INTERVAL;
}

static void apply_ice_event(struct peer *p, const struct ice_event *event)
{
    switch (event->type) {
    case ICE_EVENT_VALIDATED:
        push_event(p, &(struct peer_event){PEER_EVENT_VALIDATED, .remote = event->remote});
        begin_dtls(p);
        release_held(p, &event->local, &event->remote);
        break;
    case ICE_EVENT_INVALIDATED:
        push_event(p, &(struct peer_event){PEER_EVENT_INVALIDATED, .remote = event->remote});
        break;
    case ICE_EVENT_SELECTED:
        p->path_local = event->local;
        p->path_remote = event->remote;
        p->has_path = true;
        peer_repair_new_line(&p->repair);
        rtp_recv_stats_new_line(&p->source);
        p->path_is_news = true;
        break;
    case ICE_EVENT_CONSENT_LOST:
        p->has_path = false;
        break;
    case ICE_EVENT_STATE:
        if (event->state == ICE_FAILED)
            end(p, p->has_dtls ? PEER_END_CONSENT_LOST : PEER_END_ICE_FAILED, 0);
        if (event->state == ICE_CONNECTED || event->state == ICE_COMPLETED)
            path_settles(p);
        break;
    }
}

static void tell_path(struct peer *p)
{
    if (!p->path_is_news || p->state == PEER_ENDED || p->n_events + 3 > PEER_MAX_EVENTS ||
        p->now < p->path_told_at + PEER_PATH_INTERVAL)
        return;
    p->path_is_news = false;
    p->path_told_at = p->now;
    push_event(p, &(struct peer_event){.type = PEER_EVENT_PATH});
}

/*
 * Take over what ICE found, as long as our own queue has room for what one event can lead to:
 * itself, CONNECTED and ENDED. The rest follows when the owner polls.
 */
static void drain_ice(struct peer *p)
{
    struct ice_event event;
    while (p->n_events + 3 <= PEER_MAX_EVENTS && p->state != PEER_ENDED &&
           ice_agent_poll_event(&p->ice, &event))
        apply_ice_event(p, &event);
    tell_path(p);
}

static int input_stun(struct peer *p, const struct dgram *d)
{
    int err = ice_agent_input(&p->ice, p->now, d);
    if (err < 0)
        break_down(p);
    drain_ice(p);
    return err > 0 ? PEER_E_STUN : 0;
}

/* --- RTCP --- */

/* When the cipher library itself fails, the leg is over; its owner hears of it at its next drain.
 */
static int srtp_error(struct peer *p, int err)
{
    if (err < 0)
        break_down(p);
    if (err == RTPSEC_E_AUTH)
        return PEER_E_AUTH;
    return err == RTPSEC_E_REPLAY ? PEER_E_REPLAY : PEER_E_MALFORMED;
}

static int input_rtcp(struct peer *p, const struct dgram *d)
{
    struct rtp_report_events events;
    size_t len = d->len;

    if (p->state != PEER_CONNECTED)
        return PEER_E_NO_KEYS;
    int err = rtpsec_unprotect_rtcp(&p->rx, p->env->srtp, d->data, &len);
    if (err)
        return srtp_error(p, err);
    err = rtp_report_receive(&p->report, p->now, d->data, len, &p->source, p->has_source, &events);
    if (err)
        return PEER_E_MALFORMED;
    if (events.is_reported)
        peer_measure_reported(&p->measure, &p->report, events.is_rtt);
    if (events.is_rtt)
        peer_repair_round_trip(&p->repair, p->now, p->report.rtt,
                               p->has_source ? rtp_recv_stats_queue(&p->source, p->now) : 0);
    if (events.is_bye) {
        p->has_source = false; /* the source is over, not the call: another one may follow */
        peer_repair_restart(&p->repair);
    }
    peer_repair_feedback(&p->repair, d->data, len, p->local_ssrc);
    return peer_feedback_receive(&p->feedback, p->now, d->data, len) ? 0 : PEER_E_FEEDBACK;
}

static void sample_jitter(struct peer *p)
{
    if (p->has_source && p->source.clock_rate)
        rtp_mean_add(&p->measure.jitter_up, (mono_us)((uint64_t)rtp_recv_stats_jitter(&p->source) *
                                                      (uint64_t)US_PER_S / p->source.clock_rate));
}

static uint8_t loss_up(struct peer *p)
{
    return peer_loss_share(&p->loss_up, p->repair.nack.expected, p->repair.nack.lost);
}

uint8_t peer_loss_down(struct peer *p)
{
    return peer_loss_share(&p->loss_down, p->report.packets, p->repair.ring.missed);
}

/* The farewell, a report that is due, or a question for lost packets. @return false = nothing */
static bool write_plain_rtcp(struct peer *p, struct bytes_writer *w)
{
    if (p->has_bye) {
        rtp_report_write_bye(&p->report, p->now, w);
        p->has_bye = false;
        return true;
    }
    if (p->state != PEER_CONNECTED || !p->has_path)
        return false;
    rtp_report_set_least_loss(&p->report, peer_loss_join(loss_up(p), p->onward_loss));
    if (rtp_report_write(&p->report, p->now, &p->source, p->has_source, w)) {
        peer_feedback_write_dlrr(&p->feedback, p->now, p->local_ssrc, w);
        sample_jitter(p);
        return true;
    }
    if (!p->has_source)
        return false;
    peer_repair_queued(&p->repair, rtp_recv_stats_queue(&p->source, p->now));
    return peer_repair_write_nack(&p->repair, p->now, &p->report, &p->source, w) ||
           peer_feedback_write(&p->feedback, p->now, &p->report, &p->source, &p->repair.nack, w);
}

static bool write_rtcp(struct peer *p, struct dgram *ret)
{
    struct bytes_writer w = bytes_writer(ret->data, ret->cap);
    if (!write_plain_rtcp(p, &w))
        return false;
    ret->len = w.len;
    return !w.failed && !rtpsec_protect_rtcp(&p->tx, p->env->srtp, ret->data, &ret->len, ret->cap);
}

/* --- the five verbs --- */

bool peer_path(const struct peer *p, struct peer_path *ret)
{
    struct peer_path path;
    if (!ice_agent_selected_pair(&p->ice, &path.local, &path.remote))
        return false;
    path.is_nominated = p->ice.state == ICE_COMPLETED;
    *ret = path;
    return true;
}

bool peer_awaits(const struct peer *p, const uint8_t *id)
{
    return p->state != PEER_ENDED && ice_agent_awaits(&p->ice, id);
}

int peer_input(struct peer *p, mono_us now, const struct dgram *d)
{
    p->now = now;
    if (p->state == PEER_ENDED)
        return PEER_E_NO_PATH;
    if (d->len == 0)
        return PEER_E_PROTOCOL;
    /* RFC 7983 §7 */
    if (d->data[0] <= 3)
        return input_stun(p, d);
    if (peer_is_dtls(d->data, d->len))
        return input_dtls(p, d);
    if (rtp_is_rtcp(d->data, d->len))
        return input_rtcp(p, d);
    return PEER_E_PROTOCOL;
}

void peer_disconnected(struct peer *p, mono_us now, const struct addr *local,
                       const struct addr *remote)
{
    p->now = now;
    if (p->state == PEER_ENDED)
        return;
    if (ice_agent_disconnected(&p->ice, now, local, remote))
        break_down(p);
    drain_ice(p);
}

void peer_timeout(struct peer *p, mono_us now)
{
    p->now = now;
    if (p->state == PEER_ENDED)
        return;
    if (ice_agent_deadline(&p->ice) <= now && ice_agent_timeout(&p->ice, now))
        break_down(p);
    drain_ice(p);
    if (p->has_dtls)
        dtls_conn_timeout(&p->dtls, now);
    drain_dtls(p);
}

mono_us peer_deadline(const struct peer *p)
{
    if (p->state == PEER_ENDED)
        return MONO_NEVER;
    mono_us at = ice_agent_deadline(&p->ice);
    if (p->path_is_news)
        at = mono_min(at, p->path_told_at + PEER_PATH_INTERVAL);
    if (p->has_dtls)
        at = mono_min(at, dtls_conn_deadline(&p->dtls));
    if (p->state == PEER_CONNECTED && p->has_path)
        at = mono_min(at, rtp_report_deadline(&p->report));
    if (p->state == PEER_CONNECTED && p->has_path && p->has_source) {
        at = mono_min(at, peer_repair_deadline(&p->repair));
        at = mono_min(at, peer_feedback_deadline(&p->feedback));
    }
    return at;
}

/* Where DTLS and RTCP go: the selected path, before that to where the handshake came from. */
static bool set_path(const struct peer *p, struct dgram *d)
{
    d->local = p->has_path ? p->path_local : p->dtls_local;
    d->remote = p->has_path ? p->path_remote : p->dtls_remote;
    return d->remote.port != 0;
}

bool peer_poll_send(struct peer *p, struct dgram *ret)
{
    if (p->state != PEER_ENDED && ice_agent_poll_send(&p->ice, ret))
        return true;
    if (p->has_dtls && set_path(p, ret)) {
        /* BYE stands before close_notify: behind it nobody would listen. */
        if (write_rtcp(p, ret))
            return true;
        if (peer_may_send(p) && peer_repair_poll_resend(&p->repair, p->now, ret))
            return true;
        return dtls_conn_poll_send(&p->dtls, ret);
    }
    return false;
}

bool peer_poll_event(struct peer *p, struct peer_event *ret)
{
    drain_ice(p);
    if (p->n_events == 0)
        return false;
    *ret = p->events[0];
    p->n_events--;
    memmove(p->events, p->events + 1, p->n_events * sizeof(p->events[0]));
    return true;
}

void peer_close(struct peer *p, mono_us now)
{
    p->now = now;
    p->n_events = 0;
    if (p->state == PEER_CONNECTED) {
        p->has_bye = p->has_path;
        dtls_conn_close(&p->dtls, now);
    }
    if (p->state != PEER_ENDED)
        set_state(p, PEER_ENDED);
}

/* --- the packet path --- */

/* RFC 3550 §A.1's probation guards against strays; ours are authenticated. */
static void set_source(struct peer *p, const struct rtp_packet *packet)
{
    const struct peer_codec *codec = peer_codec_of(p, packet->pt);
    rtp_recv_stats_init(&p->source, packet->ssrc,
                        codec ? codec->clock_rate : p->codecs[0].clock_rate, 0);
    p->has_source = true;
    peer_repair_restart(&p->repair);
}

/* The browser sends from elsewhere than we send to: rare, and not on the packet path's budget. */
static void follow_media(struct peer *p, mono_us now, const struct dgram *d)
{
    p->now = now;
    if (ice_agent_heard_media(&p->ice, now, &d->local, &d->remote))
        break_down(p);
    drain_ice(p);
}

int peer_receive_rtp(struct peer *p, mono_us now, struct dgram *d, struct rtp_packet *ret)
{
    if (p->state != PEER_CONNECTED)
        return PEER_E_NO_KEYS;
    int err = rtpsec_unprotect_rtp(&p->rx, p->env->srtp, d->data, &d->len);
    if (err)
        return srtp_error(p, err);
    if (rtp_parse(d->data, d->len, ret))
        return PEER_E_MALFORMED;
    if (!p->may_receive)
        return PEER_E_DIRECTION;
    if (!p->has_source || p->source.ssrc != ret->ssrc)
        set_source(p, ret);
    if (!rtp_recv_stats_packet(&p->source, ret->seq, ret->timestamp, now))
        peer_repair_received(&p->repair, ret->seq, now);
    peer_measure_received(&p->measure, d->data, ret, p->ext_recv[PEER_EXT_AUDIO_LEVEL], now);
    peer_feedback_received(&p->feedback, d->data, d->len, ret, now);
    if (!addr_equal(&d->remote, &p->path_remote) && ret->seq == p->source.max_seq)
        follow_media(p, now, d);
    return 0;
}

int peer_send_rtp(struct peer *p, mono_us now, struct dgram *d, const struct rtp_packet *packet)
{
    if (!peer_may_send(p))
        return PEER_E_NO_PATH;
    int err = rtpsec_protect_rtp(&p->tx, p->env->srtp, d->data, &d->len, d->cap);
    if (err)
        return srtp_error(p, err);
    d->local = p->path_local;
    d->remote = p->path_remote;
    uint16_t seq = get_be16(d->data + 2);
    peer_measure_sent(&p->measure, &p->report, seq);
    rtp_report_sent(&p->report, packet->timestamp, packet->payload_len, now);
    peer_repair_sent(&p->repair, seq, d, now);
    return 0;
}
