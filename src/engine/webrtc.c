/* WebRTC endpoints: a relay_webrtc behind the table of its kind. */
#include "engine/webrtc.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#include "base/mem.h"

struct webrtc {
    struct relay_webrtc media; /* first: it is aligned to cache lines */
    struct pipeline_endpoint base;
};

static struct webrtc *of(struct pipeline_endpoint *e)
{
    return CONTAINER_OF(e, struct webrtc, base);
}

static const struct peer *peer_of(const struct pipeline_endpoint *e)
{
    return &((const struct webrtc *)(const void *)((const char *)e - offsetof(struct webrtc, base)))
                ->media.peer;
}

static void prefetch(struct pipeline_endpoint *e)
{
    relay_webrtc_prefetch(&of(e)->media);
}

static int receive(struct pipeline_endpoint *e, mono_us now, struct dgram *d, struct relay_fan *ret,
                   mono_us *ret_due)
{
    struct relay_webrtc *media = &of(e)->media;
    int err = relay_webrtc_receive(media, now, d, ret);
    *ret_due = peer_rtp_due(&media->peer);
    return err;
}

static bool is_connected(const struct pipeline_endpoint *e)
{
    return peer_of(e)->state == PEER_CONNECTED;
}

static bool awaits(const struct pipeline_endpoint *e, const uint8_t *id)
{
    return peer_awaits(peer_of(e), id);
}

static int input(struct pipeline_endpoint *e, mono_us now, const struct dgram *d)
{
    return peer_input(&of(e)->media.peer, now, d);
}

static void time_out(struct pipeline_endpoint *e, mono_us now)
{
    relay_webrtc_timeout(&of(e)->media, now);
}

static mono_us deadline(const struct pipeline_endpoint *e)
{
    return peer_deadline(peer_of(e));
}

static bool poll_send(struct pipeline_endpoint *e, struct dgram *ret)
{
    return peer_poll_send(&of(e)->media.peer, ret);
}

static bool poll_event(struct pipeline_endpoint *e, struct peer_event *ret)
{
    return peer_poll_event(&of(e)->media.peer, ret);
}

static void set_tag(struct pipeline_endpoint *e)
{
    peer_set_transaction_tag(&of(e)->media.peer, e->demux.tag);
}

static bool get_source(const struct pipeline_endpoint *e, uint32_t *ret)
{
    const struct peer *p = peer_of(e);
    if (p->has_source)
        *ret = p->source.ssrc;
    return p->has_source;
}

static bool get_path(const struct pipeline_endpoint *e, struct peer_path *ret)
{
    return peer_path(peer_of(e), ret);
}

static int add_candidate(struct pipeline_endpoint *e, mono_us now, const struct ice_candidate *c,
                         struct str ufrag)
{
    struct peer *p = &of(e)->media.peer;
    return c ? peer_add_candidate(p, now, c, ufrag) : peer_end_of_candidates(p, now);
}

static void disconnected(struct pipeline_endpoint *e, mono_us now, const struct addr *local,
                         const struct addr *remote)
{
    peer_disconnected(&of(e)->media.peer, now, local, remote);
}

static int renegotiate(struct pipeline_endpoint *e, mono_us now, const struct peer_params *params,
                       struct str ufrag, struct str pwd)
{
    return relay_webrtc_renegotiate(&of(e)->media, now, params, ufrag, pwd);
}

static void close_peer(struct pipeline_endpoint *e, mono_us now)
{
    peer_close(&of(e)->media.peer, now);
}

static void figures(const struct pipeline_endpoint *e, mono_us now, struct engine_stats *ret)
{
    peer_figures(peer_of(e), now, &ret->media);
}

static void free_webrtc(struct pipeline_endpoint *e)
{
    struct webrtc *w = of(e);
    relay_webrtc_deinit(&w->media);
    pipeline_endpoint_deinit(e);
    mem_free(w);
}

static const struct pipeline_ops ops = {
    .prefetch = prefetch,
    .receive = receive,
    .is_connected = is_connected,
    .awaits = awaits,
    .input = input,
    .timeout = time_out,
    .deadline = deadline,
    .poll_send = poll_send,
    .poll_event = poll_event,
    .set_tag = set_tag,
    .get_source = get_source,
    .get_path = get_path,
    .add_candidate = add_candidate,
    .disconnected = disconnected,
    .renegotiate = renegotiate,
    .close = close_peer,
    .figures = figures,
    .free = free_webrtc,
};

int webrtc_new(struct pipeline *p, unsigned number, mono_us now, const struct peer_params *params,
               const struct peer_local *local, const struct peer_env *env,
               struct pipeline_endpoint **ret)
{
    struct webrtc *w = mem_zalloc_aligned(sizeof(*w));
    if (!w)
        return -ENOMEM;
    assert(local->ufrag.len == DEMUX_UFRAG_LEN);
    memcpy(w->base.demux.name, local->ufrag.p, DEMUX_NAME_LEN);
    int err = pipeline_endpoint_init(&w->base, &ops, p, number);
    if (!err)
        err = relay_webrtc_init(&w->media, now, params, local, env);
    if (err) {
        pipeline_endpoint_deinit(&w->base);
        mem_free(w);
        return err;
    }
    w->base.relay = &w->media.endpoint;
    w->base.path_remote = &w->media.peer.path_remote;
    *ret = &w->base;
    return 0;
}
