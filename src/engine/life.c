/*
 * The life of pipelines and endpoints on their worker: they come, become connected, end, go. Each
 * of these is reported to the control thread. Ending is no going: an endpoint whose media is over
 * stays until the control side releases it.
 */
#include "base/mem.h"
#include "engine/worker_private.h"
#include "log/counters.h"

/* --- reports to the control thread --- */

/* @param r  its stats, if it has any, are filled already */
static void send_report(struct worker *w, struct worker_report *r, const struct engine_event *event)
{
    const struct engine_stats *stats = r->event.stats;
    r->event = *event;
    r->event.stats = stats;
    if (mailbox_put(w->config.reports, &r->mail))
        w->config.wake(w->config.wake_user);
}

static struct engine_event event_of(const struct pipeline_endpoint *e, enum engine_event_type type)
{
    return (struct engine_event){.type = type, .pipeline = e->pipeline->id, .endpoint = e->number};
}

static void report_path(struct worker *w, struct pipeline_endpoint *e)
{
    struct engine_event event = event_of(e, ENGINE_EVENT_PATH);
    struct peer_path path;
    if (!e->ops->get_path(e, &path))
        return;
    struct worker_report *r = worker_report_new(false);
    if (!r) {
        counter_add(COUNTER_ENGINE_REPORT_LOST);
        return;
    }
    event.path = (struct engine_path){.local = path.local.addr,
                                      .remote = path.remote.addr,
                                      .local_priority = path.local.priority,
                                      .remote_priority = path.remote.priority,
                                      .remote_type = (uint8_t)path.remote.type,
                                      .is_tcp = path.local.transport == ICE_TCP,
                                      .is_nominated = path.is_nominated};
    send_report(w, r, &event);
}

static void report_connected(struct worker *w, struct pipeline_endpoint *e)
{
    struct worker_report *r = worker_report_new(false);
    if (!r) {
        counter_add(COUNTER_ENGINE_REPORT_LOST); /* its set-up time-out ends the call */
        return;
    }
    struct engine_event event = event_of(e, ENGINE_EVENT_CONNECTED);
    send_report(w, r, &event);
}

static void report_ended(struct worker *w, struct pipeline_endpoint *e, enum engine_end end)
{
    struct engine_event event = event_of(e, ENGINE_EVENT_ENDED);
    struct worker_report *r = e->ended;
    e->ended = NULL; /* now owned by the mailbox */
    event.end = end;
    if (r)
        send_report(w, r, &event);
}

/* --- after anything that was not plain RTP --- */

static const enum engine_end end_of_peer[] = {
    [PEER_END_ICE_FAILED] = ENGINE_END_ICE_FAILED,
    [PEER_END_DTLS_FAILED] = ENGINE_END_DTLS_FAILED,
    [PEER_END_CONSENT_LOST] = ENGINE_END_CONSENT_LOST,
    [PEER_END_REMOTE_CLOSED] = ENGINE_END_REMOTE_CLOSED,
    [PEER_END_BROKEN] = ENGINE_END_BROKEN,
};

static void handle_event(struct worker *w, struct pipeline_endpoint *e,
                         const struct peer_event *event)
{
    switch (event->type) {
    case PEER_EVENT_VALIDATED:
        demux_validated(&w->demux, &e->demux, &event->remote, e->path_remote);
        break;
    case PEER_EVENT_INVALIDATED:
        demux_invalidated(&w->demux, &e->demux, &event->remote);
        break;
    case PEER_EVENT_PATH:
        report_path(w, e);
        break;
    case PEER_EVENT_CONNECTED:
        report_connected(w, e);
        break;
    case PEER_EVENT_ENDED:
        report_ended(w, e, end_of_peer[event->end]);
        break;
    }
}

static void tell(struct worker *w, struct pipeline_endpoint *e)
{
    struct worker_report *r = e->tell;
    const struct engine_event event = r->event;
    e->tell = NULL; /* now owned by the mailbox */
    send_report(w, r, &event);
}

/* Events first: what ICE found may still start the handshake, whose datagrams then go, too. */
static void drain_polls(struct worker *w, struct pipeline_endpoint *e)
{
    struct peer_event event;
    while (e->ops->poll_event(e, &event))
        handle_event(w, e, &event);
    if (e->tell)
        tell(w, e);
    for (struct dgram d = worker_spare(w); e->ops->poll_send(e, &d); d = worker_spare(w))
        worker_push(w, &d);
    /* Not where packets pass: a source that is new is entered at the next report or check. */
    uint32_t ssrc;
    if (e->ops->get_source(e, &ssrc))
        demux_set_source(&w->demux, &e->demux, ssrc);
}

void worker_drain(struct worker *w, struct pipeline_endpoint *e)
{
    drain_polls(w, e);
    worker_arm(w, e);
}

void worker_break(struct worker *w, struct pipeline_endpoint *e)
{
    counter_add(COUNTER_ENGINE_NO_MEMORY);
    e->ops->close(e, worker_now());
    report_ended(w, e, ENGINE_END_BROKEN);
}

/* --- coming --- */

static int enter(struct worker *w, struct pipeline_endpoint *e)
{
    int err = timer_heap_reserve(&w->timers, w->n_endpoints);
    if (!err && e->pair)
        err = plain_set_add(&w->plain, e->pair, e);
    if (err || !e->demux.name[0])
        return err;
    err = demux_add(&w->demux, &e->demux);
    e->ops->set_tag(e);
    return err;
}

static void begin(struct worker *w, struct pipeline_endpoint *e)
{
    w->n_endpoints++;
    if (enter(w, e))
        worker_break(w, e); /* asks for no timer from now on: there may be no room for it */
    else
        worker_drain(w, e);
}

void worker_add_endpoint(struct worker *w, struct pipeline_endpoint *e)
{
    list_append(&e->pipeline->endpoints, &e->endpoints);
    begin(w, e);
}

void worker_add_pipeline(struct worker *w, struct pipeline *p)
{
    list_append(&w->pipelines, &p->pipelines);
    LIST_FOREACH(node, &p->endpoints)
        begin(w, CONTAINER_OF(node, struct pipeline_endpoint, endpoints));
}

/* --- going --- */

/* Its connections say what is queued, and close. */
static void release_connections(struct worker *w, const struct demux_leg *leg)
{
    for (unsigned i = 0; i < DEMUX_MAX_ROUTES; i++) {
        if (leg->routes[i].leg && leg->routes[i].remote.tcp)
            tcp_release(&w->tcp, &leg->routes[i].remote);
    }
}

static void leave(struct worker *w, struct pipeline_endpoint *e)
{
    release_connections(w, &e->demux);
    demux_remove(&w->demux, &e->demux);
    if (e->pair)
        plain_set_remove(&w->plain, e->pair);
    setup_queue_forget(&w->setup, &e->setup);
    timer_heap_set(&w->timers, &e->timer, MONO_NEVER);
    list_remove(&e->endpoints);
    w->n_endpoints--;
}

/* So that it can be told when the object is freed, and all that it held (ports) is free, too. */
static struct worker_report *take_gone(struct worker_report **owned)
{
    struct worker_report *r = *owned;
    *owned = NULL;
    return r;
}

static void fill_stats(const struct pipeline_endpoint *e, mono_us now, struct engine_stats *ret)
{
    *ret =
        (struct engine_stats){.packets_received = e->n_received, .packets_dropped = e->n_dropped};
    e->ops->figures(e, now, ret);
}

void worker_answer_snapshot(struct worker *w, const struct worker_snapshot *snapshot, mono_us now)
{
    struct engine_event event = event_of(snapshot->command.endpoint, ENGINE_EVENT_SNAPSHOT);
    event.tag = snapshot->tag;
    fill_stats(snapshot->command.endpoint, now, snapshot->report->stats);
    send_report(w, snapshot->report, &event);
}

static void end_endpoint(struct worker *w, struct pipeline_endpoint *e, mono_us now)
{
    const struct engine_event gone = event_of(e, ENGINE_EVENT_ENDPOINT_GONE);
    fill_stats(e, now, e->gone->stats);
    e->ops->close(e, now);
    drain_polls(w, e);
    leave(w, e);
    struct worker_report *report = take_gone(&e->gone);
    pipeline_endpoint_free(e);
    send_report(w, report, &gone);
}

void worker_release_endpoint(struct worker *w, struct pipeline_endpoint *e, mono_us now)
{
    end_endpoint(w, e, now);
    worker_flush(w);
}

void worker_release_pipeline(struct worker *w, struct pipeline *p, mono_us now)
{
    const struct engine_event gone = {.type = ENGINE_EVENT_GONE, .pipeline = p->id};
    LIST_FOREACH(node, &p->endpoints)
        end_endpoint(w, CONTAINER_OF(node, struct pipeline_endpoint, endpoints), now);
    worker_flush(w);
    list_remove(&p->pipelines);
    struct worker_report *report = take_gone(&p->gone);
    pipeline_free(p);
    send_report(w, report, &gone);
}

/* --- time --- */

void worker_run_timers(struct worker *w, mono_us now)
{
    struct timer *timer;
    while ((timer = timer_heap_pop(&w->timers, now))) {
        struct pipeline_endpoint *e = CONTAINER_OF(timer, struct pipeline_endpoint, timer);
        e->ops->timeout(e, now);
        if (e->ops->emit)
            worker_emit(w, e, now);
        drain_polls(w, e);
        /* A deadline that its own timeout did not move is a bug of one core; it must cost a turn
         * a millisecond, not the worker and everybody on it. */
        mono_us at = e->ops->deadline(e);
        timer_heap_set(&w->timers, &e->timer, at > now ? at : now + US_PER_MS);
    }
}
