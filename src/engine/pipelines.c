/*
 * Pipelines and endpoints from the control side: what is named is found in two tables, what is to
 * happen goes to the worker as a command.
 */
#include <assert.h>
#include <errno.h>

#include "base/mem.h"
#include "engine/engine_private.h"
#include "engine/player_endpoint.h"
#include "engine/tap.h"
#include "log/counters.h"

/* --- names --- */

const void *engine_pipeline_key(const void *value, size_t *ret_len)
{
    *ret_len = sizeof(uint64_t);
    return &((const struct engine_pipeline *)value)->id;
}

const void *engine_endpoint_key(const void *value, size_t *ret_len)
{
    *ret_len = sizeof(struct engine_name);
    return &((const struct engine_endpoint *)value)->name;
}

struct engine_pipeline *engine_find_pipeline(const struct engine *e, uint64_t id)
{
    struct engine_pipeline *p = map_find(&e->pipelines, &id, sizeof(id));
    return p && !p->is_released ? p : NULL;
}

struct engine_endpoint *engine_find_endpoint(const struct engine *e, uint64_t pipeline,
                                             unsigned endpoint)
{
    const struct engine_name name = {pipeline, endpoint};
    if (!engine_find_pipeline(e, pipeline))
        return NULL;
    struct engine_endpoint *known = map_find(&e->endpoints, &name, sizeof(name));
    return known && !known->is_released ? known : NULL;
}

enum engine_front engine_front_of(const struct engine *e, uint64_t pipeline)
{
    const struct engine_pipeline *p = map_find(&e->pipelines, &pipeline, sizeof(pipeline));
    return p ? p->front : ENGINE_CALLS;
}

bool engine_is_wanted(const struct engine *e, const struct engine_event *event)
{
    switch (event->type) {
    case ENGINE_EVENT_PATH:
    case ENGINE_EVENT_CONNECTED:
    case ENGINE_EVENT_SNAPSHOT:
    case ENGINE_EVENT_PLAYED:
    case ENGINE_EVENT_ENDED:
        return engine_find_endpoint(e, event->pipeline, event->endpoint) != NULL;
    case ENGINE_EVENT_ENDPOINT_GONE:
    case ENGINE_EVENT_GONE:
        break;
    }
    return true;
}

void engine_forget_pipeline(struct engine *e, uint64_t pipeline)
{
    mem_free(map_remove(&e->pipelines, &pipeline, sizeof(pipeline)));
}

void engine_forget_endpoint(struct engine *e, uint64_t pipeline, unsigned endpoint)
{
    const struct engine_name name = {pipeline, endpoint};
    engine_endpoint_free(e, map_remove(&e->endpoints, &name, sizeof(name)));
}

void engine_endpoint_free(struct engine *e, struct engine_endpoint *known)
{
    if (known) {
        said_free(known->said);
        engine_plain_free(e, known->plain);
    }
    mem_free(known);
}

/* --- giving away --- */

struct worker *engine_choose_worker(struct engine *e)
{
    return &e->workers[e->next_worker++ % e->n_workers];
}

static int know_endpoint(struct engine *e, struct worker *w, struct pipeline_endpoint *endpoint)
{
    struct engine_endpoint *known = mem_zalloc(sizeof(*known));
    if (!known)
        return -ENOMEM;
    *known = (struct engine_endpoint){
        .name = {endpoint->pipeline->id, endpoint->number},
        .worker = w,
        .endpoint = endpoint,
        .is_player = player_endpoint_is(endpoint),
    };
    int err = map_insert(&e->endpoints, known);
    if (err) {
        mem_free(known);
        return err;
    }
    known->said = endpoint->said;
    endpoint->said = NULL; /* now owned by what we know of it */
    return 0;
}

static int know_pipeline(struct engine *e, struct worker *w, struct pipeline *p,
                         enum engine_front front)
{
    struct engine_pipeline *known = mem_zalloc(sizeof(*known));
    if (!known)
        return -ENOMEM;
    *known = (struct engine_pipeline){.id = p->id, .front = front, .worker = w, .pipeline = p};
    int err = map_insert(&e->pipelines, known);
    if (err)
        mem_free(known);
    return err;
}

static void forget_endpoints(struct engine *e, const struct pipeline *p)
{
    LIST_FOREACH(node, &p->endpoints) {
        const struct pipeline_endpoint *endpoint =
            CONTAINER_OF(node, struct pipeline_endpoint, endpoints);
        engine_forget_endpoint(e, p->id, endpoint->number);
    }
}

int engine_hand_over(struct engine *e, struct worker *w, struct pipeline *p,
                     enum engine_front front)
{
    int err = know_pipeline(e, w, p, front);
    if (err)
        return err;
    LIST_FOREACH(node, &p->endpoints) {
        err = know_endpoint(e, w, CONTAINER_OF(node, struct pipeline_endpoint, endpoints));
        if (err) {
            forget_endpoints(e, p);
            engine_forget_pipeline(e, p->id);
            return err;
        }
    }
    worker_send(w, &p->add);
    return 0;
}

int engine_pipeline_new(struct engine *e, enum engine_front front, uint64_t id)
{
    assert(!map_find(&e->pipelines, &id, sizeof(id)));
    struct pipeline *p = pipeline_new(id);
    if (!p)
        return -ENOMEM;
    int err = engine_hand_over(e, engine_choose_worker(e), p, front);
    if (err)
        pipeline_free(p);
    return err;
}

void engine_pipeline_release(struct engine *e, uint64_t id)
{
    struct engine_pipeline *known = engine_find_pipeline(e, id);
    if (!known)
        return;
    known->is_released = true;
    worker_send(known->worker, &known->pipeline->release);
}

int engine_give_endpoint(struct engine *e, struct worker *w, struct pipeline_endpoint *endpoint)
{
    int err = know_endpoint(e, w, endpoint);
    if (err) {
        pipeline_endpoint_free(endpoint);
        return err;
    }
    worker_send(w, &endpoint->add);
    return 0;
}

static int answer(struct engine *e, mono_us now, const struct engine_pipeline *known,
                  unsigned number, const struct engine_offer *offer, struct engine_answer *ret,
                  char *error)
{
    struct pipeline_endpoint *endpoint;
    struct codec_set set;
    if (negotiate_own(&offer->sdp, &set)) {
        engine_say(error, "no audio codec that can be relayed is offered");
        return ENGINE_E_OFFER;
    }
    int err = engine_make_webrtc(e, known->worker, now, known->pipeline, number, offer, &set, ret,
                                 error, &endpoint);
    if (err)
        return err;
    return engine_give_endpoint(e, known->worker, endpoint);
}

int engine_endpoint_answer(struct engine *e, mono_us now, uint64_t pipeline, unsigned number,
                           struct str offer, enum engine_direction direction,
                           struct engine_answer *ret, char *error)
{
    const struct engine_pipeline *known = engine_find_pipeline(e, pipeline);
    const struct engine_name name = {pipeline, number};
    struct engine_offer parsed;
    error[0] = 0;
    if (!known)
        return ENGINE_E_UNKNOWN;
    assert(!map_find(&e->endpoints, &name, sizeof(name)));
    int err = engine_parse_offer(offer, &parsed, error);
    if (err)
        return err;
    parsed.direction = direction;
    err = answer(e, now, known, number, &parsed, ret, error);
    sdp_deinit(&parsed.sdp);
    return err;
}

int engine_endpoint_tap(struct engine *e, uint64_t pipeline, unsigned number,
                        struct packet_ring *ring)
{
    const struct engine_pipeline *known = engine_find_pipeline(e, pipeline);
    const struct engine_name name = {pipeline, number};
    if (!known)
        return ENGINE_E_UNKNOWN;
    assert(!map_find(&e->endpoints, &name, sizeof(name)));
    struct pipeline_endpoint *tap = tap_new(known->pipeline, number, ring, e->rng);
    return tap ? engine_give_endpoint(e, known->worker, tap) : -ENOMEM;
}

int engine_endpoint_player(struct engine *e, uint64_t pipeline, unsigned number)
{
    const struct engine_pipeline *known = engine_find_pipeline(e, pipeline);
    const struct engine_name name = {pipeline, number};
    if (!known)
        return ENGINE_E_UNKNOWN;
    assert(!map_find(&e->endpoints, &name, sizeof(name)));
    struct pipeline_endpoint *player = player_endpoint_new(known->pipeline, number, e->rng);
    return player ? engine_give_endpoint(e, known->worker, player) : -ENOMEM;
}

void engine_endpoint_release(struct engine *e, uint64_t pipeline, unsigned endpoint)
{
    struct engine_endpoint *known = engine_find_endpoint(e, pipeline, endpoint);
    if (!known)
        return;
    known->is_released = true;
    worker_send(known->worker, &known->endpoint->release);
}

/* --- commands to what is there --- */

static int send_connection(struct engine *e, uint64_t pipeline, unsigned source, unsigned sink,
                           enum worker_command_type type)
{
    const struct engine_endpoint *from = engine_find_endpoint(e, pipeline, source);
    const struct engine_endpoint *to = engine_find_endpoint(e, pipeline, sink);
    if (!from || !to)
        return ENGINE_E_UNKNOWN;
    struct worker_command *c = mem_alloc(sizeof(*c));
    if (!c)
        return -ENOMEM;
    *c = (struct worker_command){.type = type, .source = from->endpoint, .endpoint = to->endpoint};
    worker_send(to->worker, c);
    return 0;
}

int engine_connect(struct engine *e, uint64_t pipeline, unsigned source, unsigned sink)
{
    return send_connection(e, pipeline, source, sink, WORKER_CONNECT);
}

int engine_disconnect(struct engine *e, uint64_t pipeline, unsigned source, unsigned sink)
{
    return send_connection(e, pipeline, source, sink, WORKER_DISCONNECT);
}

static int send_candidate(const struct engine_endpoint *known, struct str text, struct str ufrag)
{
    struct worker_candidate *c = mem_zalloc(sizeof(*c));
    if (!c)
        return -ENOMEM;
    c->command = (struct worker_command){.type = WORKER_CANDIDATE, .endpoint = known->endpoint};
    if (ufrag.len == 0)
        ufrag = ice_candidate_ufrag(text);
    if (ice_candidate_parse(text, &c->candidate) || !str_copy(ufrag, c->ufrag, sizeof(c->ufrag))) {
        counter_add(COUNTER_ENGINE_CANDIDATE_IGNORED);
        mem_free(c);
        return ENGINE_E_CANDIDATE;
    }
    worker_send(known->worker, &c->command);
    return 0;
}

static int send_end_of_candidates(const struct engine_endpoint *known)
{
    struct worker_command *c = mem_alloc(sizeof(*c));
    if (!c)
        return -ENOMEM;
    *c = (struct worker_command){.type = WORKER_END_OF_CANDIDATES, .endpoint = known->endpoint};
    worker_send(known->worker, c);
    return 0;
}

int engine_snapshot(struct engine *e, uint64_t pipeline, unsigned endpoint, unsigned tag)
{
    const struct engine_endpoint *known = engine_find_endpoint(e, pipeline, endpoint);
    if (!known)
        return ENGINE_E_UNKNOWN;
    struct worker_snapshot *s = mem_alloc(sizeof(*s));
    struct worker_report *report = worker_report_new(true);
    if (!s || !report) {
        mem_free(s);
        mem_free(report);
        return -ENOMEM;
    }
    *s = (struct worker_snapshot){
        .command = {.type = WORKER_SNAPSHOT, .endpoint = known->endpoint},
        .report = report, /* now owned by the worker */
        .tag = tag,
    };
    worker_send(known->worker, &s->command);
    return 0;
}

int engine_add_candidate(struct engine *e, uint64_t pipeline, unsigned endpoint,
                         struct str candidate, struct str ufrag)
{
    const struct engine_endpoint *known = engine_find_endpoint(e, pipeline, endpoint);
    if (!known)
        return ENGINE_E_UNKNOWN;
    return candidate.len ? send_candidate(known, candidate, ufrag) : send_end_of_candidates(known);
}

static const struct engine_endpoint *find_player(const struct engine *e, uint64_t pipeline,
                                                 unsigned endpoint)
{
    const struct engine_endpoint *known = engine_find_endpoint(e, pipeline, endpoint);
    return known && known->is_player ? known : NULL;
}

static struct worker_report *played_report(uint64_t pipeline, unsigned endpoint, unsigned tag)
{
    struct worker_report *r = worker_report_new(false);
    if (r)
        r->event = (struct engine_event){
            .type = ENGINE_EVENT_PLAYED, .pipeline = pipeline, .endpoint = endpoint, .tag = tag};
    return r;
}

int engine_play(struct engine *e, uint64_t pipeline, unsigned endpoint, struct packet_feed *feed,
                unsigned tag)
{
    const struct engine_endpoint *known = find_player(e, pipeline, endpoint);
    if (!known)
        return ENGINE_E_UNKNOWN;
    struct worker_play *play = mem_alloc(sizeof(*play));
    struct worker_report *played = feed ? played_report(pipeline, endpoint, tag) : NULL;
    if (!play || (feed && !played)) {
        mem_free(play);
        mem_free(played);
        return -ENOMEM;
    }
    *play = (struct worker_play){
        .command = {.type = WORKER_PLAY, .endpoint = known->endpoint},
        .feed = feed ? packet_feed_ref(feed) : NULL,
        .played = played,
    };
    worker_send(known->worker, &play->command);
    return 0;
}

int engine_play_pause(struct engine *e, uint64_t pipeline, unsigned endpoint, bool is_paused)
{
    const struct engine_endpoint *known = find_player(e, pipeline, endpoint);
    if (!known)
        return ENGINE_E_UNKNOWN;
    struct worker_command *c = mem_alloc(sizeof(*c));
    if (!c)
        return -ENOMEM;
    *c = (struct worker_command){.type = is_paused ? WORKER_PAUSE : WORKER_RESUME,
                                 .endpoint = known->endpoint};
    worker_send(known->worker, c);
    return 0;
}
