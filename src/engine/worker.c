/*
 * The loop of a media worker.
 *
 * A turn takes up to 64 datagrams and works on them in passes, so that the memory of many calls
 * is on its way while the first one is decrypted:
 *
 *     receive all ─ hash the addresses, prefetch the table
 *                 ─ look up the legs, prefetch keys and state
 *                 ─ one after the other: RTP → relay_forward, the rest → peer_input
 *                 ─ send all
 *
 * Under load a worker that wakes for each packet spends most of its time waking. Above
 * WORKER_BUSY_PPS it sleeps in ticks instead and finds a batch each time.
 */
#include "engine/worker.h"

#include <assert.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "base/mem.h"
#include "log/counters.h"
#include "stun/message.h"

/* Measured: below 2000 packets/s a wake-up per packet is cheap enough for its lower delay. */
#define WORKER_BUSY_PPS 2000
#define WORKER_WINDOW   (200 * US_PER_MS)

/* Turns before timers and commands get their chance again. */
#define WORKER_MAX_TURNS 16

/* Datagrams that are not forwarded RTP but made here wait in these until they are sent. */
struct worker_io {
    struct dgram in[SOCKET_BATCH];
    struct dgram out[SOCKET_BATCH];
    size_t n_out;
    uint64_t hashes[SOCKET_BATCH];
    struct worker_leg *legs[SOCKET_BATCH];
    uint8_t made[SOCKET_BATCH][DGRAM_MAX + SOCKET_TAIL_ROOM];
};

static mono_us mono_now(void)
{
    struct timespec ts;
    (void)clock_gettime(CLOCK_MONOTONIC, &ts);
    return (mono_us)ts.tv_sec * US_PER_S + ts.tv_nsec / 1000;
}

static struct peer *leg_peer(struct worker_leg *leg)
{
    return &leg->call->relay.legs[leg->index];
}

/* --- reports to the control thread --- */

static void send_report(struct worker *w, struct worker_report *r, const struct engine_event *event)
{
    r->event = *event;
    if (mailbox_put(w->config.reports, &r->mail))
        w->config.wake(w->config.wake_user);
}

static void report_connected(struct worker *w, struct worker_leg *leg)
{
    struct worker_report *r = mem_alloc(sizeof(*r));
    if (!r) {
        counter_add(COUNTER_ENGINE_REPORT_LOST); /* its set-up time-out ends the call */
        return;
    }
    send_report(w, r,
                &(struct engine_event){
                    .type = ENGINE_EVENT_CONNECTED, .call_id = leg->call->id, .leg = leg->index});
}

static void report_ended(struct worker *w, struct worker_leg *leg, enum engine_end end)
{
    struct worker_report *r = leg->ended;
    leg->ended = NULL; /* now owned by the mailbox */
    if (r)
        send_report(w, r,
                    &(struct engine_event){.type = ENGINE_EVENT_ENDED,
                                           .call_id = leg->call->id,
                                           .leg = leg->index,
                                           .end = end});
}

static uint32_t ticks_to_us(uint64_t ticks, uint32_t clock_rate)
{
    return clock_rate ? (uint32_t)(ticks * 1000000 / clock_rate) : 0;
}

static void leg_figures(struct worker_leg *leg, struct engine_leg_stats *ret)
{
    const struct peer *p = leg_peer(leg);
    *ret = (struct engine_leg_stats){
        .packets_received = leg->n_received,
        .packets_sent = p->report.packets,
        .packets_dropped = leg->n_dropped,
        .uplink_repaired = p->repair.nack.repaired,
        .downlink_resent = p->repair.ring.resent,
    };
    if (p->source.started) { /* also after its BYE */
        ret->uplink_lost = rtp_recv_stats_lost(&p->source);
        ret->uplink_jitter_us =
            ticks_to_us(rtp_recv_stats_jitter(&p->source), p->source.clock_rate);
    }
    if (p->report.has_remote) {
        ret->downlink_lost = p->report.remote.lost;
        ret->downlink_jitter_us = ticks_to_us(p->report.remote.jitter, p->report.clock_rate);
    }
    if (p->report.has_rtt)
        ret->rtt_us = (uint32_t)p->report.rtt;
}

/* --- sending --- */

static void flush(struct worker *w)
{
    if (w->io->n_out)
        socket_tx_batch(&w->socket, w->io->out, w->io->n_out);
    w->io->n_out = 0;
}

static void push(struct worker *w, const struct dgram *d)
{
    w->io->out[w->io->n_out++] = *d;
    if (w->io->n_out == SOCKET_BATCH)
        flush(w);
}

/* --- after anything that was not plain RTP: datagrams out, events out, timer --- */

static const enum engine_end end_of_peer[] = {
    [PEER_END_ICE_FAILED] = ENGINE_END_ICE_FAILED,
    [PEER_END_DTLS_FAILED] = ENGINE_END_DTLS_FAILED,
    [PEER_END_CONSENT_LOST] = ENGINE_END_CONSENT_LOST,
    [PEER_END_REMOTE_CLOSED] = ENGINE_END_REMOTE_CLOSED,
    [PEER_END_BROKEN] = ENGINE_END_BROKEN,
};

static void handle_event(struct worker *w, struct worker_leg *leg, const struct peer_event *event)
{
    switch (event->type) {
    case PEER_EVENT_VALIDATED:
        demux_validated(&w->demux, &leg->demux, &event->remote, &leg_peer(leg)->path_remote);
        break;
    case PEER_EVENT_INVALIDATED:
        demux_invalidated(&w->demux, &leg->demux, &event->remote);
        break;
    case PEER_EVENT_CONNECTED:
        report_connected(w, leg);
        break;
    case PEER_EVENT_ENDED:
        report_ended(w, leg, end_of_peer[event->end]);
        break;
    }
}

/* Events first: what ICE found may still start the handshake, whose datagrams then go, too. */
static void drain_leg(struct worker *w, struct worker_leg *leg)
{
    struct peer *p = leg_peer(leg);
    struct peer_event event;
    while (peer_poll_event(p, &event))
        handle_event(w, leg, &event);
    for (;;) {
        struct dgram d = {.data = w->io->made[w->io->n_out], .cap = sizeof(w->io->made[0])};
        if (!peer_poll_send(p, &d))
            break;
        push(w, &d);
    }
    /* Not where packets pass: a source that is new is entered at the next report or check. */
    if (p->has_source)
        demux_set_source(&w->demux, &leg->demux, p->source.ssrc);
}

static void arm(struct worker *w, struct worker_call *call)
{
    timer_heap_set(&w->timers, &call->timer, relay_deadline(&call->relay));
}

static void drain(struct worker *w, struct worker_leg *leg)
{
    drain_leg(w, leg);
    arm(w, leg->call);
}

/* One leg broke on our side: say so once, and let signaling release the call. */
static void break_leg(struct worker *w, struct worker_leg *leg)
{
    counter_add(COUNTER_ENGINE_NO_MEMORY);
    peer_close(leg_peer(leg), mono_now());
    report_ended(w, leg, ENGINE_END_BROKEN);
}

/* --- calls --- */

static void call_remove(struct worker *w, struct worker_call *call)
{
    for (unsigned i = 0; i < RELAY_LEGS; i++)
        demux_remove(&w->demux, &call->legs[i].demux);
    timer_heap_set(&w->timers, &call->timer, MONO_NEVER);
    list_remove(&call->calls);
    w->n_calls--;
}

static int call_index(struct worker *w, struct worker_call *call)
{
    int err = timer_heap_reserve(&w->timers, w->n_calls);
    for (unsigned i = 0; i < RELAY_LEGS && !err; i++) {
        struct worker_leg *leg = &call->legs[i];
        err = demux_add(&w->demux, &leg->demux);
        peer_set_transaction_tag(leg_peer(leg), leg->demux.tag);
    }
    return err;
}

static void call_add(struct worker *w, struct worker_call *call)
{
    list_append(&w->calls, &call->calls);
    w->n_calls++;
    if (call_index(w, call)) {
        /* Neither leg may ask for a timer from now on: there may be no room for it. */
        break_leg(w, &call->legs[0]);
        break_leg(w, &call->legs[1]);
        return;
    }
    drain(w, &call->legs[0]);
    drain(w, &call->legs[1]);
}

static void call_release(struct worker *w, struct worker_call *call, mono_us now)
{
    struct engine_event gone = {.type = ENGINE_EVENT_GONE, .call_id = call->id};
    for (unsigned i = 0; i < RELAY_LEGS; i++) {
        leg_figures(&call->legs[i], &gone.legs[i]);
        peer_close(leg_peer(&call->legs[i]), now);
        drain_leg(w, &call->legs[i]);
    }
    flush(w);
    call_remove(w, call);
    struct worker_report *r = call->gone;
    call->gone = NULL; /* now owned by the mailbox */
    worker_call_free(call);
    send_report(w, r, &gone);
}

struct worker_call *worker_call_new(uint64_t id)
{
    struct worker_call *call = mem_zalloc_aligned(sizeof(*call));
    if (!call)
        return NULL;
    call->id = id;
    list_init(&call->calls);
    call->gone = mem_alloc(sizeof(*call->gone));
    bool is_whole = call->gone;
    for (unsigned i = 0; i < RELAY_LEGS; i++) {
        struct worker_leg *leg = &call->legs[i];
        leg->call = call;
        leg->index = i;
        leg->demux.tag = DEMUX_NO_TAG;
        leg->ended = mem_alloc(sizeof(*leg->ended));
        is_whole &= leg->ended != NULL;
    }
    if (is_whole)
        return call;
    worker_call_free(call);
    return NULL;
}

void worker_call_free(struct worker_call *call)
{
    if (!call)
        return;
    relay_deinit(&call->relay);
    for (unsigned i = 0; i < RELAY_LEGS; i++)
        mem_free(call->legs[i].ended);
    mem_free(call->gone);
    mem_free(call);
}

static int add_candidate(struct worker_leg *leg, const struct worker_command *c, mono_us now)
{
    const struct worker_candidate *wc =
        (const struct worker_candidate *)(const void *)c; /* its first member */
    return peer_add_candidate(leg_peer(leg), now, &wc->candidate, str_of(wc->ufrag));
}

static void run_command(struct worker *w, const struct worker_command *c, mono_us now)
{
    struct worker_leg *leg = c->call ? &c->call->legs[c->leg] : NULL;
    int err = 0;

    switch (c->type) {
    case WORKER_ADD:
        call_add(w, c->call);
        return;
    case WORKER_CANDIDATE:
        err = add_candidate(leg, c, now);
        break;
    case WORKER_END_OF_CANDIDATES:
        err = peer_end_of_candidates(leg_peer(leg), now);
        break;
    case WORKER_RELEASE:
        call_release(w, c->call, now);
        return;
    case WORKER_STOP:
        w->must_stop = true;
        return;
    }
    if (err > 0)
        counter_add(COUNTER_ENGINE_CANDIDATE_IGNORED);
    if (err < 0)
        break_leg(w, leg);
    drain(w, leg);
}

static void run_commands(struct worker *w, mono_us now)
{
    struct mail *mail = mailbox_take_all(&w->inbox);
    while (mail) {
        struct worker_command *command = CONTAINER_OF(mail, struct worker_command, mail);
        mail = mail->next;
        run_command(w, command, now);
        mem_free(command);
    }
}

static void run_timers(struct worker *w, mono_us now)
{
    struct timer *timer;
    while ((timer = timer_heap_pop(&w->timers, now))) {
        struct worker_call *call = CONTAINER_OF(timer, struct worker_call, timer);
        for (unsigned i = 0; i < RELAY_LEGS; i++) {
            if (peer_deadline(&call->relay.legs[i]) > now)
                continue;
            peer_timeout(&call->relay.legs[i], now);
            drain_leg(w, &call->legs[i]);
        }
        /* A deadline that its own timeout did not move is a bug of one core; it must cost a turn
         * a millisecond, not the worker and everybody on it. */
        mono_us at = relay_deadline(&call->relay);
        timer_heap_set(&w->timers, &call->timer, at > now ? at : now + US_PER_MS);
    }
}

/* --- datagrams --- */

static void count_drop(struct worker_leg *leg, int reason)
{
    static const enum counter counters[] = {
        [PEER_E_PROTOCOL] = COUNTER_DROP_PROTOCOL,   [PEER_E_STUN] = COUNTER_DROP_STUN,
        [PEER_E_NO_CONSENT] = COUNTER_DROP_CONSENT,  [PEER_E_NO_KEYS] = COUNTER_DROP_NO_KEYS,
        [PEER_E_AUTH] = COUNTER_DROP_AUTH,           [PEER_E_REPLAY] = COUNTER_DROP_REPLAY,
        [PEER_E_MALFORMED] = COUNTER_DROP_MALFORMED, [PEER_E_DIRECTION] = COUNTER_DROP_DIRECTION,
        [PEER_E_NO_PATH] = COUNTER_DROP_NO_PATH,
    };
    leg->n_dropped++;
    if (reason == RELAY_E_CODEC)
        counter_add(COUNTER_DROP_CODEC);
    else if (reason == RELAY_E_OLD)
        counter_add(COUNTER_DROP_OLD);
    else if (reason > 0 && (size_t)reason < ARRAY_LEN(counters))
        counter_add(counters[reason]);
}

static struct worker_leg *leg_of(struct demux_leg *leg)
{
    return leg ? CONTAINER_OF(leg, struct worker_leg, demux) : NULL;
}

static struct worker_leg *find_remote_leg(struct worker *w, uint64_t hash,
                                          const struct addr *remote)
{
    return leg_of(demux_find_remote(&w->demux, hash, remote));
}

/* The leg of a STUN datagram: a request names our ufrag, an answer carries our tag. */
static struct worker_leg *find_stun_leg(struct worker *w, const struct dgram *d, bool *ret_request)
{
    struct str ufrag;
    *ret_request = stun_peek_username(d->data, d->len, &ufrag);
    if (*ret_request)
        return leg_of(demux_find_ufrag(&w->demux, ufrag));
    /* a transaction id begins there (RFC 8489 §5) */
    return leg_of(demux_find_tag(&w->demux, get_be32(d->data + 8)));
}

static void input_stun(struct worker *w, const struct dgram *d, mono_us now)
{
    bool is_request;
    struct worker_leg *leg = find_stun_leg(w, d, &is_request);
    if (!leg) {
        counter_add(COUNTER_DROP_UNKNOWN);
        return;
    }
    int err = peer_input(leg_peer(leg), now, d);
    if (err > 0)
        count_drop(leg, err);
    else if (is_request)
        demux_heard(&w->demux, &leg->demux, &d->remote, &leg_peer(leg)->path_remote);
    drain(w, leg);
}

static void input_rtp(struct worker *w, struct worker_leg *leg, struct dgram *d, mono_us now)
{
    int err = relay_forward(&leg->call->relay, leg->index, now, d);
    if (peer_repair_due(leg_peer(leg)) < leg->call->timer.at)
        arm(w, leg->call); /* a gap was seen: it will be asked for before anything else */
    if (err) {
        count_drop(leg, err);
        return;
    }
    leg->n_received++;
    push(w, d);
}

/* From an address that nobody has shown yet. Media of a browser whose NAT gave it a new one: its
 * SSRC names the leg, its authentication proves it, and the drain sends the check that proves the
 * address. */
static void input_stray(struct worker *w, struct dgram *d, mono_us now)
{
    struct worker_leg *leg = NULL;
    if (rtp_is_rtp(d->data, d->len))
        leg = leg_of(demux_find_source(&w->demux, get_be32(d->data + 8)));
    if (!leg) {
        counter_add(COUNTER_DROP_UNKNOWN);
        return;
    }
    input_rtp(w, leg, d, now);
    drain(w, leg);
}

static void input(struct worker *w, struct worker_leg *leg, struct dgram *d, mono_us now)
{
    if (stun_is_message(d->data, d->len)) {
        input_stun(w, d, now);
        return;
    }
    if (!leg) {
        input_stray(w, d, now);
        return;
    }
    if (rtp_is_rtp(d->data, d->len)) {
        input_rtp(w, leg, d, now);
        return;
    }
    int err = peer_input(leg_peer(leg), now, d);
    drain(w, leg);
    if (err > 0)
        count_drop(leg, err);
}

/* @return datagrams taken */
static size_t turn(struct worker *w, mono_us now)
{
    struct worker_io *io = w->io;
    size_t n = socket_rx_batch(&w->socket, io->in);

    for (size_t i = 0; i < n; i++)
        io->hashes[i] = demux_hash(&w->demux, &io->in[i].remote);
    for (size_t i = 0; i < n; i++) {
        struct worker_leg *leg = find_remote_leg(w, io->hashes[i], &io->in[i].remote);
        io->legs[i] = leg;
        if (!leg)
            continue;
        struct relay *relay = &leg->call->relay;
        rtpsec_prefetch(&relay->legs[leg->index].rx.d);
        rtpsec_prefetch(&relay->legs[1 - leg->index].tx.d);
        __builtin_prefetch(&relay->sinks[leg->index], 1);
    }
    for (size_t i = 0; i < n; i++) {
        /* A check in this very batch may have made its address known meanwhile. */
        if (!io->legs[i])
            io->legs[i] = find_remote_leg(w, io->hashes[i], &io->in[i].remote);
        input(w, io->legs[i], &io->in[i], now);
    }
    flush(w); /* forwarded packets lie in the buffers of the next receive */
    return n;
}

/* --- the thread --- */

static void measure_load(struct worker *w, size_t n, mono_us now)
{
    w->window_packets += (uint32_t)n;
    if (now - w->window_at < WORKER_WINDOW)
        return;
    w->is_busy = w->config.tick > 0 && (mono_us)w->window_packets * US_PER_S >
                                           (mono_us)WORKER_BUSY_PPS * (now - w->window_at);
    w->window_packets = 0;
    w->window_at = now;
}

static void sleep_until_work(struct worker *w, mono_us now)
{
    struct pollfd fds[1 + SOCKET_FAMILIES] = {{.fd = w->wake_fd, .events = POLLIN}};
    mono_us wait = timer_heap_next(&w->timers);
    wait = wait == MONO_NEVER ? MONO_NEVER : wait > now ? wait - now : 0;
    nfds_t n_fds = 1;
    if (w->is_busy)
        wait = mono_min(wait, w->config.tick);
    else
        n_fds += socket_poll_fds(&w->socket, fds + 1);
    struct timespec ts = {.tv_sec = wait / US_PER_S, .tv_nsec = wait % US_PER_S * 1000};
    if (ppoll(fds, n_fds, wait == MONO_NEVER ? NULL : &ts, NULL) > 0 && fds[0].revents) {
        uint64_t count;
        ssize_t n = read(w->wake_fd, &count, sizeof(count));
        (void)n; /* non-blocking; being woken for nothing does no harm */
    }
}

static void *run(void *arg)
{
    struct worker *w = arg;
    w->window_at = mono_now();
    while (!w->must_stop) {
        mono_us now = mono_now();
        size_t n, total = 0;
        unsigned turns = 0;
        run_commands(w, now);
        run_timers(w, now);
        flush(w);
        do {
            n = turn(w, mono_now()); /* a batch of handshakes takes a while */
            total += n;
        } while (n == SOCKET_BATCH && ++turns < WORKER_MAX_TURNS);
        measure_load(w, total, now);
        if (n < SOCKET_BATCH && !w->must_stop)
            sleep_until_work(w, mono_now());
    }
    LIST_FOREACH(node, &w->calls)
        call_release(w, CONTAINER_OF(node, struct worker_call, calls), mono_now());
    return NULL;
}

int worker_open(struct worker *w, const struct worker_config *config)
{
    int err;
    *w = (struct worker){.config = *config, .wake_fd = -1};
    mailbox_init(&w->inbox);
    list_init(&w->calls);
    timer_heap_init(&w->timers);
    demux_init(&w->demux, config->rng);
    err = socket_open(&w->socket, &config->listen);
    if (!err)
        err = socket_set_dscp(&w->socket, config->dscp);
    if (err)
        return err;
    w->wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (w->wake_fd < 0)
        return -errno;
    w->stop = mem_zalloc(sizeof(*w->stop));
    w->io = mem_zalloc(sizeof(*w->io));
    if (!w->stop || !w->io)
        return -ENOMEM;
    w->stop->type = WORKER_STOP;
    w->env = (struct peer_env){
        .srtp = rtpsec_provider_new(RTPSEC_PROVIDER_AUTO, &err),
        .rng = config->rng,
        .ntp_offset = config->ntp_offset,
        .ice_lite = config->ice_lite,
    };
    if (!w->env.srtp)
        return err;
    return dtls_context_new(config->identity, &w->env.dtls);
}

int worker_start(struct worker *w)
{
    /* Signals are the control thread's business. */
    sigset_t all, old;
    (void)sigfillset(&all);
    (void)pthread_sigmask(SIG_SETMASK, &all, &old);
    int err = pthread_create(&w->thread, NULL, run, w);
    (void)pthread_sigmask(SIG_SETMASK, &old, NULL);
    if (err)
        return -err;
    char name[16];
    (void)snprintf(name, sizeof(name), "media-%u", w->socket.bound.port);
    (void)pthread_setname_np(w->thread, name);
    w->is_running = true;
    return 0;
}

void worker_send(struct worker *w, struct worker_command *command)
{
    if (!mailbox_put(&w->inbox, &command->mail))
        return;
    uint64_t one = 1;
    ssize_t n = write(w->wake_fd, &one, sizeof(one));
    (void)n; /* fails only when the counter is full: awake already */
}

static void discard_inbox(struct worker *w)
{
    struct mail *mail = mailbox_take_all(&w->inbox);
    while (mail) {
        struct worker_command *command = CONTAINER_OF(mail, struct worker_command, mail);
        mail = mail->next;
        if (command->type == WORKER_ADD)
            worker_call_free(command->call);
        mem_free(command);
    }
}

void worker_close(struct worker *w)
{
    if (w->is_running) {
        worker_send(w, w->stop);
        w->stop = NULL; /* now owned by the inbox */
        (void)pthread_join(w->thread, NULL);
        w->is_running = false;
    }
    discard_inbox(w);
    dtls_context_free(w->env.dtls);
    rtpsec_provider_free(w->env.srtp);
    timer_heap_deinit(&w->timers);
    demux_deinit(&w->demux);
    mem_free(w->stop);
    mem_free(w->io);
    socket_close(&w->socket);
    if (w->wake_fd >= 0)
        (void)close(w->wake_fd);
    w->wake_fd = -1;
}
