/*
 * The state machine of a call. Everything that can fail is allocated first; then the state changes
 * and the actions are queued, in the order in which the two pages must hear of them.
 */
#include "call/machine.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#include "base/mem.h"
#include "call/play.h"

/* ---- states ---- */

enum deadline { DEADLINE_NONE, DEADLINE_RING, DEADLINE_SETUP, DEADLINE_KEEP };

#define FROM(state) (1u << CALL_STATE_##state)

/* Which states may come before, and until when this one may last. */
static const struct {
    unsigned from;
    enum deadline deadline;
} states[] = {
    [CALL_STATE_NEW] = {0, DEADLINE_NONE},
    [CALL_STATE_RINGING] = {FROM(NEW), DEADLINE_RING},
    [CALL_STATE_STARTING] = {FROM(RINGING), DEADLINE_SETUP},
    [CALL_STATE_ANSWERED] = {FROM(STARTING), DEADLINE_KEEP},
    [CALL_STATE_ACTIVE] = {FROM(ANSWERED), DEADLINE_NONE},
    [CALL_STATE_ENDED] = {FROM(RINGING) | FROM(STARTING) | FROM(ANSWERED) | FROM(ACTIVE),
                          DEADLINE_NONE},
};

/* The only place where a call changes its state. */
static void enter(struct call_model *m, mono_us now, struct call *c, enum call_state to)
{
    assert(states[to].from & 1u << c->state);
    c->state = to;
    switch (states[to].deadline) {
    case DEADLINE_NONE:
        timer_heap_set(&m->timers, &c->timer, MONO_NEVER);
        break;
    case DEADLINE_RING:
        timer_heap_set(&m->timers, &c->timer, now + m->config.ring_timeout);
        break;
    case DEADLINE_SETUP:
        timer_heap_set(&m->timers, &c->timer, now + m->config.setup_timeout);
        break;
    case DEADLINE_KEEP:
        break;
    }
}

static bool has_media(const struct call *c)
{
    return c->accepted_at != MONO_NEVER;
}

/* ---- making and freeing ---- */

static const void *id_key(const void *value, size_t *ret_len)
{
    const struct call *c = value;
    *ret_len = sizeof(c->id);
    return &c->id;
}

void call_by_id_init(struct map *by_id, struct rng *rng)
{
    map_init(by_id, id_key, rng);
}

struct call *call_find(const struct call_model *m, uint64_t id)
{
    return map_find(&m->by_id, &id, sizeof(id));
}

static struct str side_name(const struct call *c, enum call_leg leg)
{
    return (struct str){c->side[leg].name, c->side[leg].name_len};
}

static void init_side(struct call_side *side, struct call_user *user)
{
    side->user = user;
    memcpy(side->name, user->name, user->name_len);
    side->name_len = user->name_len;
    call_kept_init(&side->held);
}

static struct call *new_call(struct call_model *m, struct call_user *caller,
                             struct call_user *callee, struct str offer)
{
    struct call *c = mem_zalloc(sizeof(*c));
    if (!c)
        return NULL;
    c->offer = mem_strdup(offer);
    c->offer_len = offer.len;
    do {
        c->id = rng_u64(m->rng);
    } while (c->id == 0 || call_find(m, c->id) || call_play_find(m, c->id));
    if (!c->offer || timer_heap_reserve(&m->timers, m->by_id.n + 1) || map_insert(&m->by_id, c)) {
        mem_free(c->offer);
        mem_free(c);
        return NULL;
    }
    c->called_at = c->accepted_at = c->active_at = MONO_NEVER;
    init_side(&c->side[CALL_CALLER], caller);
    init_side(&c->side[CALL_CALLEE], callee);
    list_append(&m->calls, &c->link);
    return c;
}

/* Out of the model; what is left is plain memory. */
static void unlink_call(struct call_model *m, struct call *c)
{
    timer_heap_set(&m->timers, &c->timer, MONO_NEVER);
    (void)map_remove(&m->by_id, &c->id, sizeof(c->id));
    list_remove(&c->link);
    for (int leg = 0; leg < CALL_LEGS; leg++)
        call_kept_clear(&c->side[leg].held);
    mem_free(c->offer);
    c->offer = NULL;
}

void call_discard(struct call_model *m, struct call *c)
{
    unlink_call(m, c);
    mem_free(c);
}

bool call_is_full(const struct call_model *m)
{
    return m->config.max_calls && m->by_id.n + m->plays.n >= m->config.max_calls;
}

/* ---- ringing ---- */

static struct call_node *new_reply(const struct call_model *m, const struct call *c,
                                   uint64_t socket, enum call_reply_type type, struct str name,
                                   struct str sdp)
{
    struct call_node *n = call_node_new(CALL_ACTION_SEND, name.len + sdp.len);
    if (!n)
        return NULL;
    n->action.socket = socket;
    n->action.reply = (struct call_reply){
        .type = type,
        .call_id = c->id,
        .name = call_node_put(n, name),
        .sdp = call_node_put(n, sdp),
        .is_recorded = m->config.record,
    };
    return n;
}

static void join(struct call *c, enum call_leg leg)
{
    c->side[leg].user->call = c;
    c->side[leg].user->leg = leg;
    c->side[leg].user->n_candidates = 0;
    c->side[leg].user->told_too_many = false;
}

/* From here on this side's candidates are those of its offer. */
static void take_offer(struct call *c, enum call_leg leg, struct str offer)
{
    struct call_user *u = c->side[leg].user;
    c->side[leg].has_offer = true;
    call_kept_sift(&u->kept, offer);
    u->n_candidates = u->kept.n;
}

int call_ring(struct call_model *m, mono_us now, struct call_user *caller, struct call_user *callee,
              struct str offer)
{
    struct call *c = new_call(m, caller, callee, offer);
    if (!c)
        return -ENOMEM;
    struct call_node *incoming = new_reply(m, c, callee->socket, CALL_REPLY_INCOMING,
                                           call_user_name(caller), (struct str){0});
    struct call_node *ringing =
        new_reply(m, c, caller->socket, CALL_REPLY_RINGING, (struct str){0}, (struct str){0});
    if (!incoming || !ringing) {
        call_node_free(incoming);
        call_node_free(ringing);
        call_discard(m, c);
        return -ENOMEM;
    }
    if (caller->call)
        call_end(
            m, now, caller->call,
            &(struct call_ending){CALL_REASON_BUSY, .subject = CALL_CALLEE, .by = CALL_CALLEE});
    join(c, CALL_CALLER);
    join(c, CALL_CALLEE);
    take_offer(c, CALL_CALLER, offer);
    c->side[CALL_CALLER].awaits_response = true;
    c->called_at = now;
    enter(m, now, c, CALL_STATE_RINGING);
    call_queue_push(&m->queue, incoming);
    call_queue_push(&m->queue, ringing);
    return 0;
}

/* ---- set-up ---- */

static void release_kept(struct call_model *m, struct call *c, enum call_leg leg)
{
    struct call_node *n;
    while ((n = call_kept_pop(&c->side[leg].user->kept))) {
        n->action.call_id = c->id;
        n->action.leg = leg;
        call_queue_push(&m->queue, n);
    }
}

int call_accept(struct call_model *m, mono_us now, struct call *c, struct str offer,
                bool calls_back)
{
    const struct str caller = side_name(c, CALL_CALLER), callee = side_name(c, CALL_CALLEE);
    struct call_node *start =
        call_node_new(CALL_ACTION_MEDIA_START, c->offer_len + offer.len + caller.len + callee.len);
    if (!start)
        return -ENOMEM;
    start->action.call_id = c->id;
    start->action.is_recorded = m->config.record;
    for (int leg = 0; leg < CALL_LEGS; leg++)
        start->action.sockets[leg] = c->side[leg].user->socket;
    start->action.names[CALL_CALLER] = call_node_put(start, caller);
    start->action.names[CALL_CALLEE] = call_node_put(start, callee);
    start->action.offer[CALL_CALLER] = call_node_put(start, (struct str){c->offer, c->offer_len});
    start->action.offer[CALL_CALLEE] = call_node_put(start, offer);
    mem_free(c->offer);
    c->offer = NULL;
    take_offer(c, CALL_CALLEE, offer);
    c->side[CALL_CALLEE].awaits_response = calls_back;
    c->accepted_at = now;
    enter(m, now, c, CALL_STATE_STARTING);
    call_queue_push(&m->queue, start);
    release_kept(m, c, CALL_CALLER);
    release_kept(m, c, CALL_CALLEE);
    return 0;
}

static void end_broken(struct call_model *m, mono_us now, struct call *c)
{
    call_end(m, now, c, &(struct call_ending){CALL_REASON_SERVER_ERROR, .by = -1});
}

static void check_active(struct call_model *m, mono_us now, struct call *c)
{
    if (c->state != CALL_STATE_ANSWERED || !c->side[CALL_CALLER].connected ||
        !c->side[CALL_CALLEE].connected)
        return;
    c->active_at = now;
    enter(m, now, c, CALL_STATE_ACTIVE);
}

void call_answer(struct call_model *m, mono_us now, struct call *c,
                 const struct str answer[CALL_LEGS])
{
    struct call_node *replies[CALL_LEGS];
    for (int leg = 0; leg < CALL_LEGS; leg++) {
        const struct call_side *side = &c->side[leg];
        replies[leg] =
            new_reply(m, c, side->user->socket,
                      side->awaits_response ? CALL_REPLY_CALL_ACCEPTED : CALL_REPLY_START,
                      (struct str){0}, answer[leg]);
    }
    if (!replies[CALL_CALLER] || !replies[CALL_CALLEE]) {
        call_node_free(replies[CALL_CALLER]);
        call_node_free(replies[CALL_CALLEE]);
        end_broken(m, now, c);
        return;
    }
    enter(m, now, c, CALL_STATE_ANSWERED);
    call_queue_push(&m->queue, replies[CALL_CALLEE]);
    call_queue_push(&m->queue, replies[CALL_CALLER]);
    for (int leg = 0; leg < CALL_LEGS; leg++) {
        struct call_node *n;
        while ((n = call_kept_pop(&c->side[leg].held)))
            call_queue_push(&m->queue, n);
    }
    check_active(m, now, c);
}

void call_connect(struct call_model *m, mono_us now, struct call *c, enum call_leg leg)
{
    c->side[leg].connected = true;
    check_active(m, now, c);
}

void call_local_candidate(struct call_model *m, mono_us now, struct call *c, enum call_leg leg,
                          const struct call_candidate *candidate)
{
    struct call_node *n = call_node_new(CALL_ACTION_SEND, call_candidate_len(candidate));
    if (!n) {
        end_broken(m, now, c);
        return;
    }
    n->action.socket = c->side[leg].user->socket;
    n->action.reply = (struct call_reply){
        .type = CALL_REPLY_CANDIDATE,
        .call_id = c->id,
        .candidate = call_node_put_candidate(n, candidate),
    };
    if (c->state == CALL_STATE_STARTING)
        call_kept_add(&c->side[leg].held, n);
    else
        call_queue_push(&m->queue, n);
}

/* ---- what is recorded ---- */

void call_recorded(struct call_model *m, mono_us now, struct call *c,
                   const bool is_recorded[CALL_LEGS])
{
    struct call_node *nodes[CALL_LEGS];
    if (c->state < CALL_STATE_ANSWERED)
        return;
    for (int leg = 0; leg < CALL_LEGS; leg++) {
        nodes[leg] = new_reply(m, c, c->side[leg].user->socket, CALL_REPLY_RECORDING,
                               (struct str){0}, (struct str){0});
    }
    if (!nodes[CALL_CALLER] || !nodes[CALL_CALLEE]) {
        call_node_free(nodes[CALL_CALLER]);
        call_node_free(nodes[CALL_CALLEE]);
        end_broken(m, now, c);
        return;
    }
    for (int leg = 0; leg < CALL_LEGS; leg++) {
        struct call_reply *reply = &nodes[leg]->action.reply;
        reply->is_recorded = false; /* an intention, and here is what became of it */
        reply->records_you = is_recorded[leg];
        reply->records_them = is_recorded[leg == CALL_CALLER ? CALL_CALLEE : CALL_CALLER];
        call_queue_push(&m->queue, nodes[leg]);
    }
}

/* ---- a later offer ---- */

int call_reoffer(struct call_model *m, struct call *c, enum call_leg leg, struct str offer)
{
    struct call_user *u = c->side[leg].user;
    struct call_node *n = call_node_new(CALL_ACTION_MEDIA_REOFFER, offer.len);
    if (!n)
        return -ENOMEM;
    n->action.call_id = c->id;
    n->action.leg = leg;
    n->action.offer[leg] = call_node_put(n, offer);
    c->side[leg].awaits_reanswer = true;
    u->n_candidates = 0;
    u->told_too_many = false;
    call_queue_push(&m->queue, n);
    return 0;
}

void call_reanswer(struct call_model *m, mono_us now, struct call *c,
                   const struct call_media *event)
{
    struct call_side *side = &c->side[event->leg];
    bool is_answered = event->type == CALL_MEDIA_REANSWERED;
    if (!side->awaits_reanswer)
        return;
    side->awaits_reanswer = false;
    struct str sdp = is_answered ? event->answer[event->leg] : (struct str){0};
    struct str name = side_name(c, event->leg), text = is_answered ? (struct str){0} : event->text;
    struct call_node *n = call_node_new(CALL_ACTION_SEND, name.len + sdp.len + text.len);
    if (!n) {
        end_broken(m, now, c);
        return;
    }
    n->action.socket = side->user->socket;
    n->action.reply = (struct call_reply){
        .type = is_answered ? CALL_REPLY_REOFFER_ACCEPTED : CALL_REPLY_REOFFER_REJECTED,
        .call_id = c->id,
        .reason = event->end == CALL_MEDIA_END_BROKEN ? CALL_REASON_SERVER_ERROR
                                                      : CALL_REASON_INVALID_OFFER,
        .name = call_node_put(n, name),
        .sdp = call_node_put(n, sdp),
        .text = call_node_put(n, text),
    };
    call_queue_push(&m->queue, n);
}

/* ---- the end ---- */

enum call_reason call_reason_of_media(enum call_media_end end)
{
    static const enum call_reason reasons[] = {
        [CALL_MEDIA_END_FAILED] = CALL_REASON_MEDIA_FAILED,
        [CALL_MEDIA_END_LOST] = CALL_REASON_MEDIA_LOST,
        [CALL_MEDIA_END_REMOTE_CLOSED] = CALL_REASON_HANG_UP,
        [CALL_MEDIA_END_REFUSED] = CALL_REASON_NO_COMMON_CODEC,
        [CALL_MEDIA_END_BROKEN] = CALL_REASON_SERVER_ERROR,
        [CALL_MEDIA_END_PLAYED] = CALL_REASON_PLAYED,
        [CALL_MEDIA_END_UNREADABLE] = CALL_REASON_NO_RECORDING,
    };
    return reasons[end];
}

static void leave(struct call *c, enum call_leg leg)
{
    struct call_user *u = c->side[leg].user;
    u->call = NULL;
    /* Without an offer in this call, what is kept belongs to an offer that is still to come. */
    if (c->side[leg].has_offer)
        call_kept_clear(&u->kept);
}

/* One end for one side: a page that still waits for its callResponse gets that. */
static void tell_end(struct call_model *m, struct call *c, enum call_leg leg,
                     const struct call_ending *how)
{
    const struct call_side *side = &c->side[leg];
    bool is_waiting = side->awaits_response && c->state < CALL_STATE_ANSWERED;
    struct call_node *n = &c->notice[leg];
    call_node_init(n, CALL_ACTION_SEND, NULL);
    n->action.socket = side->user->socket;
    n->action.reply = (struct call_reply){
        .type = is_waiting ? CALL_REPLY_CALL_REJECTED : CALL_REPLY_STOP,
        .call_id = c->id,
        .reason = how->reason,
        .name = side_name(c, how->subject),
        .text = how->show_text ? str_of(c->text) : (struct str){0},
    };
    call_queue_push(&m->queue, n);
}

static void push_record(struct call_model *m, mono_us now, struct call *c,
                        const struct call_ending *how)
{
    call_node_init(&c->ended, CALL_ACTION_ENDED, c);
    c->ended.action.record = (struct call_record){
        .call_id = c->id,
        .caller = side_name(c, CALL_CALLER),
        .callee = side_name(c, CALL_CALLEE),
        .sockets = {c->side[CALL_CALLER].user->socket, c->side[CALL_CALLEE].user->socket},
        .called_at = c->called_at,
        .accepted_at = c->accepted_at,
        .active_at = c->active_at,
        .ended_at = now,
        .reason = how->reason,
        .ended_by = how->by,
        .text = str_of(c->text),
    };
    call_queue_push(&m->queue, &c->ended);
}

void call_end(struct call_model *m, mono_us now, struct call *c, const struct call_ending *how)
{
    struct str text = str_head(how->text, sizeof(c->text) - 1);
    if (text.len)
        memcpy(c->text, text.p, text.len);
    c->text[text.len] = 0;
    for (int leg = 0; leg < CALL_LEGS; leg++) {
        if (leg != how->by)
            tell_end(m, c, (enum call_leg)leg, how);
    }
    enter(m, now, c, CALL_STATE_ENDED);
    leave(c, CALL_CALLER);
    leave(c, CALL_CALLEE);
    unlink_call(m, c);
    if (has_media(c)) {
        call_node_init(&c->release, CALL_ACTION_MEDIA_RELEASE, NULL);
        c->release.action.call_id = c->id;
        call_queue_push(&m->queue, &c->release);
    }
    push_record(m, now, c, how); /* the call now belongs to its record */
}

void call_overdue(struct call_model *m, mono_us now, struct call *c)
{
    struct call_ending how = {.reason = CALL_REASON_MEDIA_FAILED, .by = -1};
    if (c->state == CALL_STATE_RINGING) {
        how.reason = CALL_REASON_NO_ANSWER;
        how.subject = CALL_CALLEE;
    } else if (c->state == CALL_STATE_STARTING) {
        how.reason = CALL_REASON_SERVER_ERROR;
        how.text = STR("the media backend did not answer in time");
    } else if (c->side[CALL_CALLER].connected) {
        how.subject = CALL_CALLEE;
    }
    call_end(m, now, c, &how);
}
