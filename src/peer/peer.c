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
 * Here are the beginning and the end, ICE, and the five verbs; handshake.c has DTLS, media.c what
 * passes once there are keys.
 */
#include "peer/peer.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#include "base/mem.h"
#include "peer/peer_private.h"

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

void peer_set_state(struct peer *p, enum peer_state state)
{
    assert(may_follow(p->state, state));
    p->state = state;
}

void peer_push_event(struct peer *p, const struct peer_event *event)
{
    assert(p->n_events < PEER_MAX_EVENTS);
    p->events[p->n_events++] = *event;
}

void peer_end(struct peer *p, enum peer_end why, enum dtls_failure dtls)
{
    if (p->state == PEER_ENDED)
        return;
    peer_set_state(p, PEER_ENDED);
    peer_push_event(p, &(struct peer_event){.type = PEER_EVENT_ENDED, .end = why, .dtls = dtls});
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

void peer_forget_fingerprints(struct peer *p)
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
    peer_forget_fingerprints(p);
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

void peer_break_down(struct peer *p)
{
    peer_end(p, PEER_END_BROKEN, 0);
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
        peer_push_event(p, &(struct peer_event){PEER_EVENT_VALIDATED, .remote = event->remote});
        peer_handshake_begin(p);
        peer_handshake_release(p, &event->local, &event->remote);
        break;
    case ICE_EVENT_INVALIDATED:
        peer_push_event(p, &(struct peer_event){PEER_EVENT_INVALIDATED, .remote = event->remote});
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
            peer_end(p, p->has_dtls ? PEER_END_CONSENT_LOST : PEER_END_ICE_FAILED, 0);
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
    peer_push_event(p, &(struct peer_event){.type = PEER_EVENT_PATH});
}

/*
 * Take over what ICE found, as long as our own queue has room for what one event can lead to:
 * itself, CONNECTED and ENDED. The rest follows when the owner polls.
 */
void peer_drain_ice(struct peer *p)
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
        peer_break_down(p);
    peer_drain_ice(p);
    return err > 0 ? PEER_E_STUN : 0;
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
        return peer_handshake_input(p, d);
    if (rtp_is_rtcp(d->data, d->len))
        return peer_rtcp_input(p, d);
    return PEER_E_PROTOCOL;
}

void peer_disconnected(struct peer *p, mono_us now, const struct addr *local,
                       const struct addr *remote)
{
    p->now = now;
    if (p->state == PEER_ENDED)
        return;
    if (ice_agent_disconnected(&p->ice, now, local, remote))
        peer_break_down(p);
    peer_drain_ice(p);
}

void peer_timeout(struct peer *p, mono_us now)
{
    p->now = now;
    if (p->state == PEER_ENDED)
        return;
    if (ice_agent_deadline(&p->ice) <= now && ice_agent_timeout(&p->ice, now))
        peer_break_down(p);
    peer_drain_ice(p);
    if (p->has_dtls)
        dtls_conn_timeout(&p->dtls, now);
    peer_handshake_drain(p);
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
        if (peer_rtcp_write(p, ret))
            return true;
        if (peer_may_send(p) && peer_repair_poll_resend(&p->repair, p->now, ret))
            return true;
        return dtls_conn_poll_send(&p->dtls, ret);
    }
    return false;
}

bool peer_poll_event(struct peer *p, struct peer_event *ret)
{
    peer_drain_ice(p);
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
        peer_set_state(p, PEER_ENDED);
}
