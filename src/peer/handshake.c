/* DTLS of a peer: begun with the first valid pair, fed from addresses that ICE has validated, and
 * what comes of it: keys, a failure, the other side's farewell.
 *
 * What comes too early is not lost: the first DTLS datagram of a browser often overtakes the
 * answer to our check of its address, so one datagram is held until that address is valid. Another
 * address may be valid before: nobody says that the handshake comes from the first one.
 */
#include <string.h>

#include "base/mem.h"
#include "peer/peer_private.h"

/* A flight of a browser fits into one or two datagrams; the first one is what must not be lost. */
struct peer_held {
    struct addr local, remote;
    size_t len;
    uint8_t data[DGRAM_MAX];
};

static bool set_keys(struct peer *p, const struct dtls_srtp_keys *keys)
{
    enum rtpsec_profile profile = keys->profile == DTLS_SRTP_AEAD_AES_128_GCM
                                      ? RTPSEC_AEAD_AES_128_GCM
                                      : RTPSEC_AES_CM_128_HMAC_SHA1_80;
    return !rtpsec_rx_init(&p->rx, p->env->srtp, profile, keys->remote_key, keys->remote_salt) &&
           !rtpsec_tx_init(&p->tx, p->env->srtp, profile, keys->local_key, keys->local_salt);
}

static void forget_held(struct peer *p)
{
    mem_free(p->held);
    p->held = NULL;
}

void peer_handshake_drain(struct peer *p)
{
    struct dtls_event event;
    while (p->has_dtls && p->state != PEER_ENDED && dtls_conn_poll_event(&p->dtls, &event)) {
        switch (event.type) {
        case DTLS_EVENT_CONNECTED:
            if (!set_keys(p, event.keys)) {
                peer_break_down(p);
                break;
            }
            peer_set_state(p, PEER_CONNECTED);
            forget_held(p); /* from an address that was never valid */
            p->measure.connected_at = p->now;
            peer_push_event(p, &(struct peer_event){.type = PEER_EVENT_CONNECTED});
            break;
        case DTLS_EVENT_FAILED:
            peer_end(p, PEER_END_DTLS_FAILED, event.failure);
            break;
        case DTLS_EVENT_CLOSED:
            peer_end(p, PEER_END_REMOTE_CLOSED, 0);
            break;
        }
    }
}

/* The first valid pair: only now is there somebody to shake hands with (RFC 8842 §6). */
void peer_handshake_begin(struct peer *p)
{
    if (p->has_dtls || p->state == PEER_ENDED)
        return;
    int err = dtls_conn_init(&p->dtls, p->env->dtls, p->is_dtls_client, p->fingerprints,
                             p->n_fingerprints);
    peer_forget_fingerprints(p); /* it has its own copy, as long as it needs them */
    if (err) {
        peer_break_down(p);
        return;
    }
    p->has_dtls = true;
    peer_set_state(p, PEER_SECURING);
    dtls_conn_start(&p->dtls, p->now);
    peer_handshake_drain(p);
}

static int feed_dtls(struct peer *p, const struct addr *local, const struct addr *remote,
                     const uint8_t *data, size_t len)
{
    p->dtls_local = *local;
    p->dtls_remote = *remote;
    int ignored = dtls_conn_input(&p->dtls, p->now, data, len);
    peer_handshake_drain(p);
    return ignored ? PEER_E_PROTOCOL : 0;
}

static bool hold(struct peer *p, const struct dgram *d)
{
    if (p->held || p->state == PEER_CONNECTED || d->len > sizeof(p->held->data))
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

void peer_handshake_release(struct peer *p, const struct addr *local, const struct addr *remote)
{
    struct peer_held *held = p->held;
    if (!held || !p->has_dtls || !addr_equal(&held->remote, remote) ||
        !addr_equal(&held->local, local))
        return;
    p->held = NULL;
    (void)feed_dtls(p, local, remote, held->data, held->len);
    mem_free(held);
}

int peer_handshake_input(struct peer *p, const struct dgram *d)
{
    if (!ice_agent_is_valid(&p->ice, &d->local, &d->remote))
        return hold(p, d) ? 0 : PEER_E_NO_CONSENT;
    if (!p->has_dtls)
        return PEER_E_NO_CONSENT;
    return feed_dtls(p, &d->local, &d->remote, d->data, d->len);
}
