/*
 * The model as a whole: its beginning and end, what media and time bring. What people ask for is
 * input.c's business, and how a call goes on machine.c's.
 */
#include "base/mem.h"
#include "call/call.h"
#include "call/machine.h"
#include "call/play.h"

struct call_model *call_model_new(const struct call_config *config, struct rng *rng)
{
    struct call_model *m = mem_zalloc(sizeof(*m));
    if (!m)
        return NULL;
    m->config = *config;
    if (!m->config.ring_timeout)
        m->config.ring_timeout = CALL_DEFAULT_RING_TIMEOUT;
    if (!m->config.setup_timeout)
        m->config.setup_timeout = CALL_DEFAULT_SETUP_TIMEOUT;
    m->rng = rng;
    call_users_init(&m->users, rng);
    call_by_id_init(&m->by_id, rng);
    list_init(&m->calls);
    call_plays_init(&m->plays, rng);
    timer_heap_init(&m->timers);
    call_queue_init(&m->queue);
    return m;
}

static struct call *first_call(const struct call_model *m)
{
    return list_is_empty(&m->calls) ? NULL : CONTAINER_OF(m->calls.next, struct call, link);
}

void call_model_free(struct call_model *m)
{
    if (!m)
        return;
    for (struct call *c; (c = first_call(m));)
        call_discard(m, c);
    call_plays_deinit(&m->plays);
    call_queue_deinit(&m->queue);
    call_users_deinit(&m->users);
    map_deinit(&m->by_id);
    timer_heap_deinit(&m->timers);
    mem_free(m);
}

/* ---- what the media says ---- */

static void on_media_quality(struct call_model *m, const struct call *c,
                             const struct call_media *event)
{
    struct call_node *n = c->state == CALL_STATE_ACTIVE ? call_node_new(CALL_ACTION_SEND, 0) : NULL;
    if (!n)
        return; /* no memory: the page asks again */
    n->action.socket = c->side[event->leg].user->socket;
    n->action.reply = (struct call_reply){
        .type = CALL_REPLY_QUALITY,
        .call_id = c->id,
        .you = event->lines[event->leg],
        .them = event->lines[event->leg == CALL_CALLER ? CALL_CALLEE : CALL_CALLER],
    };
    call_queue_push(&m->queue, n);
}

static void on_media_ended(struct call_model *m, mono_us now, struct call *c,
                           const struct call_media *event)
{
    /* A page closes its peer connection just before it sends `stop`: whichever comes first, its
     * partner must hear the same, and the page itself must not be told about a call it left. */
    bool is_stop = event->end == CALL_MEDIA_END_REMOTE_CLOSED;
    call_end(m, now, c,
             &(struct call_ending){
                 .reason = call_reason_of_media(event->end),
                 .subject = event->leg,
                 .by = is_stop ? (int)event->leg : -1,
                 .text = event->text,
                 .show_text = event->end == CALL_MEDIA_END_REFUSED,
             });
}

void call_media_event(struct call_model *m, mono_us now, const struct call_media *event)
{
    struct call *c = call_find(m, event->call_id);
    struct call_play *p = c ? NULL : call_play_find(m, event->call_id);
    if (p)
        call_play_event(m, p, event);
    if (!c || c->state == CALL_STATE_RINGING)
        return;
    switch (event->type) {
    case CALL_MEDIA_ANSWERED:
        if (c->state == CALL_STATE_STARTING)
            call_answer(m, now, c, event->answer);
        break;
    case CALL_MEDIA_CANDIDATE:
        call_local_candidate(m, now, c, event->leg, &event->candidate);
        break;
    case CALL_MEDIA_CONNECTED:
        call_connect(m, now, c, event->leg);
        break;
    case CALL_MEDIA_REANSWERED:
    case CALL_MEDIA_UNCHANGED:
        call_reanswer(m, now, c, event);
        break;
    case CALL_MEDIA_ENDED:
        on_media_ended(m, now, c, event);
        break;
    case CALL_MEDIA_QUALITY:
        on_media_quality(m, c, event);
        break;
    case CALL_MEDIA_RECORDING:
        call_recorded(m, now, c, event->is_recorded);
        break;
    }
}

/* ---- time, and the end ---- */

void call_timeout(struct call_model *m, mono_us now)
{
    for (struct timer *t; (t = timer_heap_pop(&m->timers, now));)
        call_overdue(m, now, CONTAINER_OF(t, struct call, timer));
}

mono_us call_deadline(const struct call_model *m)
{
    return timer_heap_next(&m->timers);
}

void call_shutdown(struct call_model *m, mono_us now)
{
    m->is_shut_down = true;
    for (struct call *c; (c = first_call(m));)
        call_end(m, now, c, &(struct call_ending){CALL_REASON_SERVER_SHUTDOWN, .by = -1});
    for (struct call_play *p; (p = map_next(&m->plays, &(size_t){0}));)
        call_play_end(m, p, CALL_REASON_SERVER_SHUTDOWN, (struct str){0});
}

bool call_poll_action(struct call_model *m, struct call_action *ret)
{
    return call_queue_poll(&m->queue, ret);
}

size_t call_n_users(const struct call_model *m)
{
    return m->users.by_name.n;
}

size_t call_n_calls(const struct call_model *m)
{
    return m->by_id.n;
}

size_t call_n_plays(const struct call_model *m)
{
    return m->plays.n;
}
