/*
 * Plain RTP behind the table of its kind. What it sends leaves by its own sockets: the relay is
 * told that the packet was taken, and the worker finds nothing to poll.
 */
#include "engine/plain_endpoint.h"

#include "base/mem.h"
#include "engine/no_network.h"

struct plain_endpoint {
    struct plain plain;
    struct relay_endpoint relay;
    struct plain_pair pair;
    struct pipeline_endpoint base;
};

static struct plain_endpoint *of(struct pipeline_endpoint *e)
{
    return CONTAINER_OF(e, struct plain_endpoint, base);
}

static const struct plain *plain_of(const struct pipeline_endpoint *e)
{
    return &((const struct plain_endpoint *)(const void *)((const char *)e -
                                                           offsetof(struct plain_endpoint, base)))
                ->plain;
}

/* --- what it hears --- */

static struct plain_endpoint *of_relay(struct relay_endpoint *e)
{
    return CONTAINER_OF(e, struct plain_endpoint, relay);
}

static bool is_ready(const struct relay_endpoint *e)
{
    const struct plain_endpoint *p =
        (const struct plain_endpoint *)(const void *)((const char *)e -
                                                      offsetof(struct plain_endpoint, relay));
    return plain_may_send(&p->plain);
}

static int send_rtp(struct relay_endpoint *e, mono_us now, struct dgram *d,
                    const struct rtp_packet *packet)
{
    struct plain_endpoint *p = of_relay(e);
    int err = plain_send_rtp(&p->plain, now, d, packet);
    if (err)
        return err;
    plain_pair_send(&p->pair, d);
    return RELAY_TAKEN;
}

static uint8_t loss(struct relay_endpoint *e)
{
    return plain_loss_down(&of_relay(e)->plain);
}

static const struct relay_ops relay_ops = {.is_ready = is_ready, .send = send_rtp, .loss = loss};

static struct relay_format emits(const struct plain *p)
{
    return (struct relay_format){p->codecs, p->n_codecs, p->ext_recv, 0};
}

static struct relay_format hears(const struct plain *p)
{
    return (struct relay_format){p->codecs, p->n_codecs, p->ext_send, 0};
}

/* --- what it emits --- */

static int receive(struct pipeline_endpoint *e, mono_us now, struct dgram *d, struct relay_fan *ret,
                   mono_us *ret_due)
{
    struct plain_endpoint *p = of(e);
    int err = plain_receive_rtp(&p->plain, now, d, &ret->packet);
    *ret_due = plain_rtp_due(&p->plain);
    return err ? err : relay_fan_start(ret, &p->relay, now, d);
}

static int input(struct pipeline_endpoint *e, mono_us now, const struct dgram *d)
{
    struct dgram in = *d; /* decrypted in place, and shorter then */
    return plain_input(&of(e)->plain, now, &in);
}

/* --- the rest --- */

static void time_out(struct pipeline_endpoint *e, mono_us now)
{
    plain_timeout(&of(e)->plain, now);
}

static mono_us deadline(const struct pipeline_endpoint *e)
{
    return plain_deadline(plain_of(e));
}

static bool poll_send(struct pipeline_endpoint *e, struct dgram *ret)
{
    struct plain_endpoint *p = of(e);
    while (plain_poll_send(&p->plain, ret))
        plain_pair_send(&p->pair, ret);
    return false;
}

static bool poll_event(struct pipeline_endpoint *e, struct peer_event *ret)
{
    return plain_poll_event(&of(e)->plain, ret);
}

int plain_endpoint_renegotiate(struct pipeline_endpoint *e, mono_us now,
                               const struct plain_params *params)
{
    struct plain_endpoint *p = of(e);
    int err = plain_renegotiate(&p->plain, now, params);
    if (err)
        return err;
    const struct relay_format from = emits(&p->plain), to = hears(&p->plain);
    relay_endpoint_set_formats(&p->relay, &from, &to);
    if (!p->plain.may_send) /* on hold the numbers stand still: see relay_webrtc_renegotiate */
        rtp_translator_expect_source(&p->relay.translator);
    return 0;
}

static void close_plain(struct pipeline_endpoint *e, mono_us now)
{
    plain_close(&of(e)->plain, now);
}

static void figures(const struct pipeline_endpoint *e, mono_us now, struct engine_stats *ret)
{
    plain_figures(plain_of(e), now, &ret->media);
}

static void free_plain(struct pipeline_endpoint *e)
{
    struct plain_endpoint *p = of(e);
    relay_endpoint_deinit(&p->relay);
    plain_deinit(&p->plain);
    plain_pair_close(&p->pair);
    pipeline_endpoint_deinit(e);
    mem_free(p);
}

static const struct pipeline_ops ops = {
    .prefetch = no_network_prefetch,
    .receive = receive,
    .is_connected = no_network_is_connected,
    .awaits = no_network_awaits,
    .input = input,
    .timeout = time_out,
    .deadline = deadline,
    .poll_send = poll_send,
    .poll_event = poll_event,
    .set_tag = no_network_set_tag,
    .get_source = no_network_get_source,
    .get_path = no_network_get_path,
    .add_candidate = no_network_add_candidate,
    .disconnected = no_network_disconnected,
    .renegotiate = no_network_renegotiate,
    .close = close_plain,
    .figures = figures,
    .free = free_plain,
};

struct pipeline_endpoint *plain_endpoint_new(struct pipeline *p, unsigned number, mono_us now,
                                             const struct plain_params *params, struct str cname,
                                             const struct peer_env *env, struct plain_pair *pair)
{
    struct plain_endpoint *made = mem_zalloc_aligned(sizeof(*made));
    const struct plain_local local = {pair->rtp.local, pair->rtcp.local, cname};
    if (!made)
        return NULL;
    int err = pipeline_endpoint_init(&made->base, &ops, p, number);
    if (!err)
        err = plain_init(&made->plain, now, params, &local, env);
    if (err) {
        pipeline_endpoint_deinit(&made->base);
        mem_free(made);
        return NULL;
    }
    const struct relay_format from = emits(&made->plain), to = hears(&made->plain);
    relay_endpoint_init(&made->relay, &relay_ops, params->media.local_ssrc, &from, &to, env->rng);
    made->base.relay = &made->relay;
    made->base.pair = &made->pair;
    made->pair = *pair;
    plain_pair_init_off(pair); /* now owned by the endpoint */
    return &made->base;
}
