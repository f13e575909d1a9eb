/**
 * What must hold whatever happens: a second, much simpler account of all calls, kept from the
 * actions alone.
 *
 *   - a socket is in at most one call, and a call has two different sockets
 *   - media is started at most once, released exactly once, and used only in between
 *   - each side hears of the end exactly once, or ended it itself
 *   - a page gets its answer before its candidates, and nothing after its end
 *   - a recording is played to one socket that is in no call, one at a time, released once, and its
 *     end is told once, or it was stopped
 *   - a later offer goes to the media one at a time, after the first answer, and is answered once
 */
#ifndef TESTS_UNIT_CALL_SHADOW_H
#define TESTS_UNIT_CALL_SHADOW_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "call/call.h"

#define SHADOW_SOCKETS 16
#define SHADOW_CALLS   (SHADOW_SOCKETS / 2)

struct shadow_call {
    uint64_t id; /* 0 = free */
    uint64_t socket[CALL_LEGS];
    bool is_answered[CALL_LEGS], is_told[CALL_LEGS], is_reoffered[CALL_LEGS];
    bool is_started, is_released;
};

/* What a socket listens to. */
struct shadow_play {
    uint64_t id; /* 0 = nothing */
    bool is_answered, is_told;
};

struct shadow {
    struct shadow_call calls[SHADOW_CALLS];
    struct shadow_play plays[SHADOW_SOCKETS]; /* by socket */
    unsigned n_played;                        /* to their ends */
    uint64_t last_id;                         /* of the call that rang last */
    unsigned n_ended;                         /* calls that came to their end */
    unsigned n_answered;                      /* legs that got an answer */
    unsigned n_reanswered;
    unsigned reasons[64];
};

static inline struct shadow_call *shadow_find(struct shadow *s, uint64_t id)
{
    for (size_t i = 0; i < SHADOW_CALLS; i++) {
        if (s->calls[i].id == id)
            return &s->calls[i];
    }
    return NULL;
}

static inline size_t shadow_n_calls(const struct shadow *s)
{
    size_t n = 0;
    for (size_t i = 0; i < SHADOW_CALLS; i++)
        n += s->calls[i].id != 0;
    return n;
}

static inline struct shadow_call *shadow_of_socket(struct shadow *s, uint64_t socket)
{
    for (size_t i = 0; i < SHADOW_CALLS; i++) {
        struct shadow_call *c = &s->calls[i];
        if (c->id && (c->socket[0] == socket || c->socket[1] == socket))
            return c;
    }
    return NULL;
}

static inline int shadow_leg(const struct shadow_call *c, uint64_t socket)
{
    assert_true(c->socket[0] == socket || c->socket[1] == socket);
    return c->socket[0] == socket ? 0 : 1;
}

static inline struct shadow_play *shadow_find_play(struct shadow *s, uint64_t id)
{
    for (size_t i = 0; i < SHADOW_SOCKETS; i++) {
        if (s->plays[i].id == id)
            return &s->plays[i];
    }
    return NULL;
}

/* A reply about no call: what is refused changes nothing. */
static inline void shadow_play_reply(struct shadow *s, const struct call_action *a)
{
    struct shadow_play *p = &s->plays[a->socket];
    switch (a->reply.type) {
    case CALL_REPLY_PLAY_ACCEPTED:
        assert_true(p->id && !p->is_answered && !p->is_told);
        p->is_answered = true;
        break;
    case CALL_REPLY_CANDIDATE:
        assert_true(p->id && p->is_answered && !p->is_told);
        break;
    case CALL_REPLY_PLAY_END:
        assert_true(p->id && p->is_answered && !p->is_told);
        p->is_told = true;
        s->n_played++;
        break;
    case CALL_REPLY_PLAY_REJECTED:
        if (!p->id || a->reply.reason == CALL_REASON_PLAYING)
            break;
        assert_true(!p->is_answered && !p->is_told);
        p->is_told = true;
        break;
    default:
        break;
    }
}

static inline void shadow_play_media(struct shadow *s, const struct call_action *a)
{
    struct shadow_play *p = shadow_find_play(s, a->call_id);
    switch (a->type) {
    case CALL_ACTION_MEDIA_PLAY:
        assert_null(p);
        assert_null(shadow_of_socket(s, a->sockets[0]));
        p = &s->plays[a->sockets[0]];
        assert_int_equal(p->id, 0);
        assert_true(a->call_id && a->offer[0].len && a->recording.len);
        *p = (struct shadow_play){.id = a->call_id};
        s->last_id = a->call_id;
        break;
    case CALL_ACTION_MEDIA_CANDIDATE:
        assert_int_equal(a->leg, CALL_CALLER);
        break;
    default:
        assert_int_equal(a->type, CALL_ACTION_MEDIA_RELEASE);
        *p = (struct shadow_play){0};
    }
}

static inline void shadow_rings(struct shadow *s, const struct call_action *a)
{
    assert_true(a->reply.call_id != 0);
    assert_int_equal(s->plays[a->socket].id, 0);
    assert_null(shadow_of_socket(s, a->socket));
    struct shadow_call *c = shadow_find(s, a->reply.call_id);
    if (a->reply.type == CALL_REPLY_INCOMING) {
        assert_null(c);
        c = shadow_find(s, 0);
        assert_non_null(c);
        *c = (struct shadow_call){.id = a->reply.call_id};
        c->socket[CALL_CALLEE] = a->socket;
        s->last_id = c->id;
        return;
    }
    assert_non_null(c);
    c->socket[CALL_CALLER] = a->socket;
    assert_true(c->socket[0] != c->socket[1]);
}

static inline void shadow_reply(struct shadow *s, const struct call_action *a)
{
    const struct call_reply *r = &a->reply;
    struct shadow_call *c = r->call_id ? shadow_find(s, r->call_id) : NULL;
    if (r->type == CALL_REPLY_INCOMING || r->type == CALL_REPLY_RINGING) {
        shadow_rings(s, a);
        return;
    }
    if (!r->call_id) { /* a refusal: about no call that rings or runs; or about a recording */
        shadow_play_reply(s, a);
        return;
    }
    assert_non_null(c);
    int leg = shadow_leg(c, a->socket);
    assert_false(c->is_told[leg]);
    switch (r->type) {
    case CALL_REPLY_CALL_ACCEPTED:
    case CALL_REPLY_START:
        assert_false(c->is_answered[leg]);
        assert_true(c->is_started);
        c->is_answered[leg] = true;
        s->n_answered++;
        break;
    case CALL_REPLY_CANDIDATE:
        assert_true(c->is_answered[leg]);
        break;
    case CALL_REPLY_QUALITY:
    case CALL_REPLY_RECORDING:
        assert_true(c->is_answered[leg]);
        assert_false(c->is_released);
        break;
    case CALL_REPLY_CALL_REJECTED:
        assert_false(c->is_answered[leg]);
        c->is_told[leg] = true;
        break;
    case CALL_REPLY_REOFFER_ACCEPTED:
        assert_true(c->is_reoffered[leg]);
        c->is_reoffered[leg] = false;
        s->n_reanswered++;
        break;
    case CALL_REPLY_REOFFER_REJECTED:
        if (r->text.len && !str_eq(r->text, STR("no"))) /* by the media */
            c->is_reoffered[leg] = false;
        break;
    case CALL_REPLY_STOP:
        c->is_told[leg] = true;
        break;
    default:
        fail();
    }
}

static inline void shadow_media(struct shadow *s, const struct call_action *a)
{
    if (a->type == CALL_ACTION_MEDIA_PLAY || shadow_find_play(s, a->call_id)) {
        shadow_play_media(s, a);
        return;
    }
    struct shadow_call *c = shadow_find(s, a->call_id);
    assert_non_null(c);
    assert_false(c->is_released);
    switch (a->type) {
    case CALL_ACTION_MEDIA_START:
        assert_false(c->is_started);
        assert_true(a->offer[0].len && a->offer[1].len);
        c->is_started = true;
        break;
    case CALL_ACTION_MEDIA_CANDIDATE:
    case CALL_ACTION_MEDIA_QUALITY:
        assert_true(c->is_started);
        break;
    case CALL_ACTION_MEDIA_REOFFER:
        assert_true(c->is_answered[a->leg] && a->offer[a->leg].len);
        assert_false(c->is_reoffered[a->leg]);
        c->is_reoffered[a->leg] = true;
        break;
    default:
        assert_true(c->is_started);
        c->is_released = true;
    }
}

static inline void shadow_ended(struct shadow *s, const struct call_record *r)
{
    struct shadow_call *c = shadow_find(s, r->call_id);
    assert_non_null(c);
    assert_int_equal(c->is_started, c->is_released);
    assert_int_equal(r->accepted_at != MONO_NEVER, c->is_started);
    for (int leg = 0; leg < CALL_LEGS; leg++)
        assert_int_equal(c->is_told[leg] + (r->ended_by == leg), 1);
    assert_true(r->called_at <= r->ended_at);
    *c = (struct shadow_call){0};
    s->n_ended++;
    s->reasons[r->reason]++;
}

/* Take all actions of the model and compare the two accounts. */
static inline void shadow_follow(struct shadow *s, struct call_model *m)
{
    struct call_action a;
    while (call_poll_action(m, &a)) {
        if (a.type == CALL_ACTION_SEND)
            shadow_reply(s, &a);
        else if (a.type == CALL_ACTION_ENDED)
            shadow_ended(s, &a.record);
        else
            shadow_media(s, &a);
    }
    size_t n_plays = 0;
    for (size_t i = 0; i < SHADOW_SOCKETS; i++)
        n_plays += s->plays[i].id != 0;
    assert_int_equal(n_plays, call_n_plays(m));
    assert_int_equal(shadow_n_calls(s), call_n_calls(m));
    for (size_t i = 0; i < SHADOW_CALLS; i++)
        assert_true(!s->calls[i].id || (s->calls[i].socket[0] && s->calls[i].socket[1]));
}

#endif
