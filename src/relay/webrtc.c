/* A peer as source and sink: see the header. */
#include "relay/webrtc.h"

static struct relay_webrtc *of(struct relay_endpoint *e)
{
    return CONTAINER_OF(e, struct relay_webrtc, endpoint);
}

static bool is_ready(const struct relay_endpoint *e)
{
    const struct relay_webrtc *w =
        (const struct relay_webrtc *)((const char *)e - offsetof(struct relay_webrtc, endpoint));
    return peer_may_send(&w->peer);
}

static int send_rtp(struct relay_endpoint *e, mono_us now, struct dgram *d,
                    const struct rtp_packet *packet)
{
    return peer_send_rtp(&of(e)->peer, now, d, packet);
}

static uint8_t loss(struct relay_endpoint *e)
{
    return peer_loss_down(&of(e)->peer);
}

static const struct relay_ops ops = {.is_ready = is_ready, .send = send_rtp, .loss = loss};

static struct relay_format emits(const struct peer *p)
{
    return (struct relay_format){p->codecs, p->n_codecs, p->ext_recv, p->red_pt};
}

static struct relay_format hears(const struct peer *p)
{
    return (struct relay_format){p->codecs, p->n_codecs, p->ext_send, p->red_pt};
}

int relay_webrtc_init(struct relay_webrtc *w, mono_us now, const struct peer_params *params,
                      const struct peer_local *local, const struct peer_env *env)
{
    struct peer *p = &w->peer;
    int err = peer_init(p, now, params, local, env);
    if (err)
        return err;
    const struct relay_format from = emits(p), to = hears(p);
    relay_endpoint_init(&w->endpoint, &ops, p->local_ssrc, &from, &to, env->rng);
    return 0;
}

int relay_webrtc_renegotiate(struct relay_webrtc *w, mono_us now, const struct peer_params *params,
                             struct str ufrag, struct str pwd)
{
    int err = peer_renegotiate(&w->peer, now, params, ufrag, pwd);
    if (err)
        return err;
    const struct relay_format from = emits(&w->peer), to = hears(&w->peer);
    relay_endpoint_set_formats(&w->endpoint, &from, &to);
    /* On hold its numbers stand still. What is said meanwhile is not lost but not sent: behind it
     * the stream goes on where it stopped. */
    if (!w->peer.may_send)
        rtp_translator_expect_source(&w->endpoint.translator);
    return 0;
}

void relay_webrtc_deinit(struct relay_webrtc *w)
{
    relay_endpoint_deinit(&w->endpoint);
    peer_deinit(&w->peer);
}

void relay_webrtc_timeout(struct relay_webrtc *w, mono_us now)
{
    peer_set_onward_loss(&w->peer, relay_onward_loss(&w->endpoint));
    peer_timeout(&w->peer, now);
}

int relay_webrtc_receive(struct relay_webrtc *w, mono_us now, struct dgram *d,
                         struct relay_fan *ret)
{
    int err = peer_receive_rtp(&w->peer, now, d, &ret->packet);
    if (err)
        return err;
    err = relay_fan_start(ret, &w->endpoint, now, d);
    for (unsigned i = 0; i < ret->red.recovered.n; i++)
        peer_recovered(&w->peer, ret->red.recovered.packets[i].seq, now);
    return err;
}
