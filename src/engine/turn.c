/*
 * A turn of a worker: up to 64 datagrams, worked on in passes, so that the memory of many calls is
 * on its way while the first one is decrypted:
 *
 *     receive all ─ hash the addresses, prefetch the table
 *                 ─ look up the endpoints
 *                 ─ prefetch keys and state, of each endpoint and of its first sink
 *                 ─ one after the other: RTP → relay_fan, to all who hear it
 *                                        STUN, RTCP of who is connected → input
 *                                        the rest → setup_queue
 *                 ─ send all
 *     then worker_set_up: from setup_queue, as long as there is time
 */
#include "engine/worker_private.h"
#include "log/counters.h"
#include "stun/message.h"

void worker_flush(struct worker *w)
{
    if (w->io->n_out)
        socket_tx_batch(&w->socket, w->io->out, w->io->n_out);
    w->io->n_out = 0;
    tcp_flush(&w->tcp);
}

static void count_drop(struct pipeline_endpoint *e, int reason)
{
    static const enum counter of_peer[] = {
        [PEER_E_PROTOCOL] = COUNTER_DROP_PROTOCOL,   [PEER_E_STUN] = COUNTER_DROP_STUN,
        [PEER_E_NO_CONSENT] = COUNTER_DROP_CONSENT,  [PEER_E_NO_KEYS] = COUNTER_DROP_NO_KEYS,
        [PEER_E_AUTH] = COUNTER_DROP_AUTH,           [PEER_E_REPLAY] = COUNTER_DROP_REPLAY,
        [PEER_E_MALFORMED] = COUNTER_DROP_MALFORMED, [PEER_E_DIRECTION] = COUNTER_DROP_DIRECTION,
        [PEER_E_NO_PATH] = COUNTER_DROP_NO_PATH,     [PEER_E_FEEDBACK] = COUNTER_RTCP_IGNORED,
        [PEER_E_SOURCE] = COUNTER_DROP_SOURCE,
    };
    static const enum counter of_relay[] = {
        [RELAY_E_CODEC - RELAY_E_CODEC] = COUNTER_DROP_CODEC,
        [RELAY_E_OLD - RELAY_E_CODEC] = COUNTER_DROP_OLD,
        [RELAY_E_UNHEARD - RELAY_E_CODEC] = COUNTER_DROP_UNHEARD,
        [RELAY_E_PADDING - RELAY_E_CODEC] = COUNTER_DROP_PADDING,
    };
    e->n_dropped++;
    if (reason >= RELAY_E_CODEC)
        counter_add(of_relay[reason - RELAY_E_CODEC]);
    else if (reason > 0 && (size_t)reason < ARRAY_LEN(of_peer))
        counter_add(of_peer[reason]);
}

static struct pipeline_endpoint *of_leg(struct demux_leg *leg)
{
    return leg ? CONTAINER_OF(leg, struct pipeline_endpoint, demux) : NULL;
}

static struct pipeline_endpoint *find_remote(struct worker *w, uint64_t hash,
                                             const struct addr *remote)
{
    return of_leg(demux_find_remote(&w->demux, hash, remote));
}

/* Whose a STUN datagram is: a request names our ufrag, an answer carries our tag, and the rest of
 * an id that is awaited: a tag alone, which is easily guessed, must not fill anybody's queue. */
static struct pipeline_endpoint *find_stun(struct worker *w, const struct dgram *d,
                                           bool *ret_request)
{
    struct str ufrag;
    *ret_request = stun_peek_username(d->data, d->len, &ufrag);
    if (*ret_request)
        return of_leg(demux_find_ufrag(&w->demux, ufrag));
    /* a transaction id begins there (RFC 8489 §5) */
    struct pipeline_endpoint *e = of_leg(demux_find_tag(&w->demux, get_be32(d->data + 8)));
    return e && e->ops->awaits(e, d->data + 8) ? e : NULL;
}

void worker_run_outside(struct worker *w, mono_us now)
{
    if (outside_run(&w->outside, now))
        w->config.wake(w->config.wake_user);
    for (struct dgram d = worker_spare(w); outside_poll_send(&w->outside, &d); d = worker_spare(w))
        worker_push(w, &d);
}

/* An authentic check came from there. */
static void hear(struct worker *w, struct pipeline_endpoint *e, const struct addr *remote)
{
    demux_heard(&w->demux, &e->demux, remote, e->path_remote);
    if (remote->tcp)
        tcp_proven(&w->tcp, remote);
}

static void set_up_later(struct worker *w, struct pipeline_endpoint *e, const struct dgram *d)
{
    setup_queue_put(&w->setup, &e->setup, d);
}

static void input_check(struct worker *w, struct pipeline_endpoint *e, bool is_request,
                        const struct dgram *d, mono_us now)
{
    int err = e->ops->input(e, now, d);
    if (err > 0)
        count_drop(e, err);
    else if (is_request)
        hear(w, e, &d->remote);
    worker_drain(w, e);
}

static void input_stun(struct worker *w, const struct dgram *d, mono_us now)
{
    bool is_request;
    struct pipeline_endpoint *e = find_stun(w, d, &is_request);
    if (e && e->ops->is_connected(e))
        input_check(w, e, is_request, d, now);
    else if (e)
        set_up_later(w, e, d);
    else if (is_request || !outside_input(&w->outside, now, d))
        counter_add(COUNTER_DROP_UNKNOWN);
    else
        worker_run_outside(w, now);
}

/* To everyone who hears it. */
static void forward(struct worker *w, struct pipeline_endpoint *e, struct relay_fan *fan)
{
    struct relay_out out;
    bool is_heard = false;
    for (struct dgram spare = worker_spare(w); relay_fan_next(fan, &spare, &out);
         spare = worker_spare(w)) {
        if (out.error)
            count_drop(e, out.error);
        else
            is_heard = true;
        if (out.d)
            worker_push(w, out.d);
    }
    e->n_received += is_heard;
}

void worker_emit(struct worker *w, struct pipeline_endpoint *e, mono_us now)
{
    int err = e->ops->emit(e, now, &w->io->fan);
    if (!err)
        forward(w, e, &w->io->fan);
    else if (err != PIPELINE_NOTHING)
        count_drop(e, err);
}

/* @return 0, or why it was not forwarded: for the caller to count */
static int receive_rtp(struct worker *w, struct pipeline_endpoint *e, struct dgram *d, mono_us now)
{
    struct relay_fan *fan = &w->io->fan;
    mono_us due;
    int err = e->ops->receive(e, now, d, fan, &due);
    if (due < e->timer.at)
        worker_arm(w, e); /* a gap was seen: it will be asked for before anything else */
    if (!err)
        forward(w, e, fan);
    return err;
}

/* What comes right behind the last flight of a handshake waits for it, as long as it does not push
 * out the handshake itself. */
static bool is_early(const struct pipeline_endpoint *e, int err)
{
    return err == PEER_E_NO_KEYS && e->setup.n > 0 && e->setup.n < SETUP_QUEUE_PER_LEG;
}

static void input_rtp(struct worker *w, struct pipeline_endpoint *e, struct dgram *d, mono_us now)
{
    int err = receive_rtp(w, e, d, now);
    if (is_early(e, err))
        set_up_later(w, e, d);
    else if (err)
        count_drop(e, err);
}

/* Refused before anything was changed: anybody who has seen an SSRC can send such. */
static bool proves_nothing(int err)
{
    return err == PEER_E_AUTH || err == PEER_E_REPLAY || err == PEER_E_NO_KEYS ||
           err == PEER_E_MALFORMED;
}

/* From an address that nobody has shown yet. Media of a browser whose NAT gave it a new one: its
 * SSRC names the endpoint, its authentication proves it, and the drain sends the check that proves
 * the address. */
static void input_stray(struct worker *w, struct dgram *d, mono_us now)
{
    struct pipeline_endpoint *e = NULL;
    if (rtp_is_rtp(d->data, d->len))
        e = of_leg(demux_find_source(&w->demux, get_be32(d->data + 8)));
    if (!e) {
        counter_add(COUNTER_DROP_UNKNOWN);
        return;
    }
    int err = receive_rtp(w, e, d, now);
    if (err)
        count_drop(e, err);
    if (!proves_nothing(err))
        worker_drain(w, e);
}

/* RTCP, DTLS, and what is none of ours. */
static void input_other(struct worker *w, struct pipeline_endpoint *e, const struct dgram *d,
                        mono_us now)
{
    int err = e->ops->input(e, now, d);
    worker_drain(w, e);
    if (err > 0)
        count_drop(e, err);
}

static void input(struct worker *w, struct pipeline_endpoint *e, struct dgram *d, mono_us now)
{
    if (stun_is_message(d->data, d->len))
        input_stun(w, d, now);
    else if (!e)
        input_stray(w, d, now);
    else if (rtp_is_rtp(d->data, d->len))
        input_rtp(w, e, d, now);
    else if (peer_is_dtls(d->data, d->len))
        set_up_later(w, e, d);
    else
        input_other(w, e, d, now);
}

/* The n datagrams of io->in. */
static void work_on(struct worker *w, size_t n, mono_us now)
{
    struct worker_io *io = w->io;

    for (size_t i = 0; i < n; i++)
        io->hashes[i] = demux_hash(&w->demux, &io->in[i].remote);
    for (size_t i = 0; i < n; i++)
        io->endpoints[i] = find_remote(w, io->hashes[i], &io->in[i].remote);
    for (size_t i = 0; i < n; i++) {
        if (io->endpoints[i])
            io->endpoints[i]->ops->prefetch(io->endpoints[i]);
    }
    for (size_t i = 0; i < n; i++) {
        /* A check in this very batch may have made its address known meanwhile. */
        if (!io->endpoints[i])
            io->endpoints[i] = find_remote(w, io->hashes[i], &io->in[i].remote);
        input(w, io->endpoints[i], &io->in[i], now);
    }
    worker_flush(w); /* forwarded packets lie in the buffers of the next receive */
}

size_t worker_turn(struct worker *w, mono_us now)
{
    size_t n = socket_rx_batch(&w->socket, w->io->in);
    work_on(w, n, now);
    return n;
}

/* Before the work: what is forwarded in place bears another address then. */
static void keep_connections(struct worker *w, size_t n, mono_us now)
{
    for (size_t i = 0; i < n; i++) {
        const struct addr *remote = &w->io->in[i].remote;
        if (find_remote(w, demux_hash(&w->demux, remote), remote))
            tcp_heard(&w->tcp, remote, now);
    }
}

/* Connections that were closed: to ICE a path is gone, and an address is nobody's any more. */
static void drop_closed(struct worker *w, mono_us now)
{
    struct addr local, remote;
    while (tcp_poll_closed(&w->tcp, &local, &remote)) {
        struct pipeline_endpoint *e = find_remote(w, demux_hash(&w->demux, &remote), &remote);
        if (!e)
            continue;
        demux_invalidated(&w->demux, &e->demux, &remote);
        e->ops->disconnected(e, now, &local, &remote);
        worker_drain(w, e);
    }
}

size_t worker_turn_tcp(struct worker *w, mono_us now)
{
    tcp_timeout(&w->tcp, now);
    size_t n = tcp_rx_batch(&w->tcp, now, w->io->in, SOCKET_BATCH);
    keep_connections(w, n, now);
    work_on(w, n, now);
    drop_closed(w, now);
    worker_flush(w);
    return n;
}

size_t worker_turn_plain(struct worker *w, mono_us now)
{
    struct worker_io *io = w->io;
    size_t n = plain_set_rx_batch(&w->plain, io->in, io->endpoints);
    for (size_t i = 0; i < n; i++) {
        struct dgram *d = &io->in[i];
        if (rtp_is_rtp(d->data, d->len))
            input_rtp(w, io->endpoints[i], d, now);
        else
            input_other(w, io->endpoints[i], d, now);
    }
    worker_flush(w);
    return n;
}

static void set_up(struct worker *w, struct pipeline_endpoint *e, struct dgram *d, mono_us now)
{
    struct str ufrag;
    int err = 0;
    if (stun_is_message(d->data, d->len))
        input_check(w, e, stun_peek_username(d->data, d->len, &ufrag), d, now);
    else if (rtp_is_rtp(d->data, d->len))
        err = receive_rtp(w, e, d, now);
    else
        input_other(w, e, d, now);
    if (err)
        count_drop(e, err);
    worker_flush(w); /* a forwarded packet lies in the buffer of what is taken next */
}

void worker_set_up(struct worker *w, mono_us until)
{
    struct setup_leg *leg;
    struct dgram d;
    do {
        leg = setup_queue_take(&w->setup, &d);
        if (leg)
            set_up(w, CONTAINER_OF(leg, struct pipeline_endpoint, setup), &d, worker_now());
    } while (leg && worker_now() < until);
}
