/*
 * Who may do what, when: one handler a message. A handler decides by the state of its user, then
 * either answers, or lets the call's machine run. Nothing here changes a call by itself.
 */
#include <assert.h>
#include <errno.h>

#include "call/call.h"
#include "call/machine.h"
#include "call/play.h"

/* ---- answers ---- */

/* Queue an answer; its views are copied. */
static int reply(struct call_model *m, uint64_t socket, const struct call_reply *r)
{
    struct call_node *n = call_node_new(CALL_ACTION_SEND, r->name.len + r->text.len);
    if (!n)
        return -ENOMEM;
    n->action.socket = socket;
    n->action.reply = *r;
    n->action.reply.name = call_node_put(n, r->name);
    n->action.reply.text = call_node_put(n, r->text);
    call_queue_push(&m->queue, n);
    return 0;
}

static int refuse(struct call_model *m, uint64_t socket, enum call_reply_type type,
                  enum call_reason reason, struct str name)
{
    return reply(m, socket, &(struct call_reply){.type = type, .reason = reason, .name = name});
}

static int error_in(struct call_model *m, uint64_t socket, const char *field,
                    enum call_reason reason, struct str name)
{
    return reply(m, socket,
                 &(struct call_reply){
                     .type = CALL_REPLY_ERROR, .reason = reason, .name = name, .field = field});
}

/* ---- register ---- */

/* @return true and the reason when this name cannot be had */
static bool register_refused(const struct call_model *m, const struct call_user *u,
                             const struct call_msg *msg, enum call_reason *ret)
{
    if (msg->name.len == 0)
        *ret = CALL_REASON_EMPTY_NAME;
    else if (m->is_shut_down)
        *ret = CALL_REASON_SERVER_SHUTDOWN;
    else if (u && u->call)
        *ret = CALL_REASON_IN_CALL;
    else if (call_users_find(&m->users, msg->name))
        *ret = CALL_REASON_NAME_TAKEN;
    else if (!u && m->config.max_users && m->users.by_name.n >= m->config.max_users)
        *ret = CALL_REASON_SERVER_FULL;
    else
        return false;
    return true;
}

static int on_register(struct call_model *m, mono_us now, uint64_t socket, struct call_user *u,
                       const struct call_msg *msg)
{
    enum call_reason reason;
    bool is_known = u && str_eq(call_user_name(u), msg->name);
    (void)now;
    assert(msg->name.len == 0 || call_name_check(msg->name) == 0);
    if (!is_known && register_refused(m, u, msg, &reason))
        return refuse(m, socket, CALL_REPLY_REGISTER_REJECTED, reason, msg->name);
    struct call_node *n = call_node_new(CALL_ACTION_SEND, 0);
    if (!n)
        return -ENOMEM;
    n->action.socket = socket;
    n->action.reply.type = CALL_REPLY_REGISTERED;
    if (!u) {
        int err = call_users_add(&m->users, socket, msg->name);
        if (err) {
            call_node_free(n);
            return err;
        }
    } else if (!is_known) {
        call_users_rename(&m->users, u, msg->name);
    }
    call_queue_push(&m->queue, n);
    return 0;
}

/* ---- call ---- */

static bool is_rung(const struct call_user *u)
{
    return u->call && u->call->state == CALL_STATE_RINGING && u->leg == CALL_CALLEE;
}

static struct str caller_name(const struct call *c)
{
    return call_user_name(c->side[CALL_CALLER].user);
}

/* @return true and the reason when this call cannot ring */
static bool call_refused(const struct call_model *m, const struct call_user *u,
                         const struct call_user *callee, const struct call_msg *msg,
                         enum call_reason *ret)
{
    if (m->is_shut_down)
        *ret = CALL_REASON_SERVER_SHUTDOWN;
    else if (u->play)
        *ret = CALL_REASON_PLAYING;
    else if (msg->offer_error)
        *ret = CALL_REASON_INVALID_OFFER;
    else if (callee == u)
        *ret = CALL_REASON_SELF_CALL;
    else if (!callee)
        *ret = CALL_REASON_NOT_REGISTERED;
    else if (call_user_is_busy(callee))
        *ret = CALL_REASON_BUSY;
    else if (call_is_full(m))
        *ret = CALL_REASON_SERVER_FULL;
    else
        return false;
    return true;
}

static int on_call(struct call_model *m, mono_us now, uint64_t socket, struct call_user *u,
                   const struct call_msg *msg)
{
    enum call_reason reason;
    if (!u)
        return refuse(m, socket, CALL_REPLY_CALL_REJECTED, CALL_REASON_REGISTER_FIRST,
                      (struct str){0});
    if (msg->from.len && !str_eq(msg->from, call_user_name(u)))
        return error_in(m, socket, "from", CALL_REASON_WRONG_FROM, call_user_name(u));
    if (u->call && !is_rung(u))
        return error_in(m, socket, NULL, CALL_REASON_IN_CALL, (struct str){0});
    /* Glare: both want to talk to each other, so calling the one who rings here is accepting. */
    if (u->call && !msg->offer_error && str_eq(msg->to, caller_name(u->call)))
        return call_accept(m, now, u->call, msg->offer, true);
    struct call_user *callee = call_users_find(&m->users, msg->to);
    if (call_refused(m, u, callee, msg, &reason))
        return reply(m, socket,
                     &(struct call_reply){
                         .type = CALL_REPLY_CALL_REJECTED,
                         .reason = reason,
                         .name = reason == CALL_REASON_INVALID_OFFER ? call_user_name(u) : msg->to,
                         .text = reason == CALL_REASON_INVALID_OFFER ? str_of(msg->offer_error)
                                                                     : (struct str){0},
                     });
    return call_ring(m, now, u, callee, msg->offer);
}

/* ---- incomingCallResponse ---- */

/*
 * A response without a call that it could answer. stopCommunication ends whatever the page shows,
 * so it goes only to pages that have nothing to lose by it; the tutorial's reflex of rejecting a
 * call that is over already is no error.
 */
static int on_stray_response(struct call_model *m, uint64_t socket, const struct call_user *u,
                             const struct call_msg *msg)
{
    bool is_unknown = !call_users_find(&m->users, msg->from);
    enum call_reason reason = is_unknown ? CALL_REASON_UNKNOWN_FROM : CALL_REASON_NOT_RINGING;
    if (!call_user_is_busy(u) && (is_unknown || msg->accept))
        return refuse(m, socket, CALL_REPLY_STOP, reason, msg->from);
    if (!msg->accept)
        return 0;
    if (is_unknown && is_rung(u))
        return refuse(m, socket, CALL_REPLY_STOP, reason, msg->from);
    return error_in(m, socket, "from", reason, msg->from);
}

static int on_response(struct call_model *m, mono_us now, uint64_t socket, struct call_user *u,
                       const struct call_msg *msg)
{
    if (!u)
        return error_in(m, socket, NULL, CALL_REASON_REGISTER_FIRST, (struct str){0});
    struct call *c = u->call;
    if (!is_rung(u) || !str_eq(msg->from, caller_name(c)) ||
        (msg->call_id && msg->call_id != c->id))
        return on_stray_response(m, socket, u, msg);
    if (msg->accept && !msg->offer_error)
        return call_accept(m, now, c, msg->offer, false);
    struct call_ending how = {
        .reason = msg->busy ? CALL_REASON_DECLINED_BUSY : CALL_REASON_DECLINED,
        .subject = CALL_CALLEE,
        .by = CALL_CALLEE,
    };
    if (msg->accept)
        how = (struct call_ending){CALL_REASON_INVALID_OFFER, CALL_CALLEE, .by = -1,
                                   .text = str_of(msg->offer_error), .show_text = true};
    call_end(m, now, c, &how);
    return 0;
}

/* ---- candidates ---- */

static struct call_node *new_candidate(const struct call_msg *msg)
{
    struct call_node *n =
        call_node_new(CALL_ACTION_MEDIA_CANDIDATE, call_candidate_len(&msg->candidate));
    if (n)
        n->action.candidate = call_node_put_candidate(n, &msg->candidate);
    return n;
}

/* The offer is still to come: keep the newest. */
static int keep_for_later(struct call_user *u, const struct call_msg *msg)
{
    struct call_node *n = new_candidate(msg);
    if (!n)
        return -ENOMEM;
    if (u->kept.n == CALL_MAX_CANDIDATES)
        call_node_free(call_kept_pop(&u->kept));
    call_kept_add(&u->kept, n);
    return 0;
}

static int refuse_candidate(struct call_model *m, uint64_t socket, struct call_user *u)
{
    if (u->told_too_many)
        return 0;
    int err = error_in(m, socket, "candidate", CALL_REASON_TOO_MANY_CANDIDATES, (struct str){0});
    if (!err)
        u->told_too_many = true;
    return err;
}

static int on_candidate(struct call_model *m, mono_us now, uint64_t socket, struct call_user *u,
                        const struct call_msg *msg)
{
    (void)now;
    if (!u)
        return error_in(m, socket, NULL, CALL_REASON_REGISTER_FIRST, (struct str){0});
    struct call *c = u->call;
    if (!u->play && (!c || !c->side[u->leg].has_offer))
        return keep_for_later(u, msg);
    bool is_ringing = c && c->state == CALL_STATE_RINGING;
    if (is_ringing && !call_offer_owns((struct str){c->offer, c->offer_len}, msg->candidate.ufrag))
        return 0;
    if (u->n_candidates == CALL_MAX_CANDIDATES)
        return refuse_candidate(m, socket, u);
    struct call_node *n = new_candidate(msg);
    if (!n)
        return -ENOMEM;
    u->n_candidates++;
    if (is_ringing) {
        call_kept_add(&u->kept, n);
        return 0;
    }
    n->action.call_id = c ? c->id : u->play->id;
    n->action.leg = c ? u->leg : CALL_CALLER;
    call_queue_push(&m->queue, n);
    return 0;
}

/* ---- quality ---- */

/* A question that comes too often or at the wrong time has no answer: the next one is on its way.
 */
static int on_quality(struct call_model *m, mono_us now, uint64_t socket, struct call_user *u,
                      const struct call_msg *msg)
{
    struct call *c = u ? u->call : NULL;
    (void)socket;
    if (!c || c->state != CALL_STATE_ACTIVE || (msg->call_id && msg->call_id != c->id))
        return 0;
    struct call_side *side = &c->side[u->leg];
    if (side->asked_at && now - side->asked_at < CALL_QUALITY_INTERVAL)
        return 0;
    struct call_node *n = call_node_new(CALL_ACTION_MEDIA_QUALITY, 0);
    if (!n)
        return -ENOMEM;
    side->asked_at = now;
    n->action.call_id = c->id;
    n->action.leg = u->leg;
    n->action.hearing = msg->hearing;
    call_queue_push(&m->queue, n);
    return 0;
}

/* ---- a later offer ---- */

/* One a second, and some at once: what is left over is what `offers_until` has not yet caught. */
static bool is_within_rate(struct call_side *side, mono_us now)
{
    mono_us from = side->offers_until > now ? side->offers_until : now;
    if (from - now >= CALL_OFFER_BURST * CALL_OFFER_INTERVAL)
        return false;
    side->offers_until = from + CALL_OFFER_INTERVAL;
    return true;
}

/* @return true and the reason when this offer is not for the media */
static bool reoffer_refused(const struct call_user *u, mono_us now, const struct call_msg *msg,
                            enum call_reason *ret)
{
    struct call *c = u->call;
    if (!c || is_rung(u) || (msg->call_id && msg->call_id != c->id))
        *ret = CALL_REASON_NOT_IN_CALL;
    else if (c->state < CALL_STATE_ANSWERED || c->side[u->leg].awaits_reanswer)
        *ret = CALL_REASON_OFFER_PENDING;
    else if (!is_within_rate(&c->side[u->leg], now))
        *ret = CALL_REASON_TOO_MANY_OFFERS;
    else if (msg->offer_error)
        *ret = CALL_REASON_INVALID_OFFER;
    else
        return false;
    return true;
}

static int on_reoffer(struct call_model *m, mono_us now, uint64_t socket, struct call_user *u,
                      const struct call_msg *msg)
{
    enum call_reason reason;
    if (!u)
        return refuse(m, socket, CALL_REPLY_REOFFER_REJECTED, CALL_REASON_REGISTER_FIRST,
                      (struct str){0});
    if (!reoffer_refused(u, now, msg, &reason))
        return call_reoffer(m, u->call, u->leg, msg->offer);
    return reply(m, socket,
                 &(struct call_reply){
                     .type = CALL_REPLY_REOFFER_REJECTED,
                     .call_id = reason == CALL_REASON_NOT_IN_CALL ? 0 : u->call->id,
                     .reason = reason,
                     .name = call_user_name(u),
                     .text = reason == CALL_REASON_INVALID_OFFER ? str_of(msg->offer_error)
                                                                 : (struct str){0},
                 });
}

/* ---- the end by a user ---- */

static void hang_up(struct call_model *m, mono_us now, const struct call_user *u,
                    enum call_reason otherwise)
{
    struct call_ending how = {.reason = otherwise, .subject = u->leg, .by = (int)u->leg};
    if (u->call->state == CALL_STATE_RINGING && u->leg == CALL_CALLER)
        how.reason = CALL_REASON_CANCELLED;
    else if (is_rung(u) && otherwise == CALL_REASON_HANG_UP)
        how.reason = CALL_REASON_DECLINED;
    call_end(m, now, u->call, &how);
}

static int on_stop(struct call_model *m, mono_us now, uint64_t socket, struct call_user *u,
                   const struct call_msg *msg)
{
    (void)socket;
    if (u && u->call && (!msg->call_id || msg->call_id == u->call->id))
        hang_up(m, now, u, CALL_REASON_HANG_UP);
    return 0;
}

static int on_socket_closed(struct call_model *m, mono_us now, uint64_t socket, struct call_user *u,
                            const struct call_msg *msg)
{
    (void)socket;
    (void)msg;
    if (!u)
        return 0;
    if (u->call)
        hang_up(m, now, u, CALL_REASON_PEER_LOST);
    if (u->play)
        call_play_stop(m, u->play);
    call_users_remove(&m->users, u);
    return 0;
}

/* ---- recordings ---- */

/* @return true and the reason when this recording is not to be heard */
static bool play_refused(const struct call_model *m, const struct call_user *u,
                         const struct call_msg *msg, enum call_reason *ret)
{
    if (m->is_shut_down)
        *ret = CALL_REASON_SERVER_SHUTDOWN;
    else if (u && u->call)
        *ret = CALL_REASON_IN_CALL;
    else if (u && u->play)
        *ret = CALL_REASON_PLAYING;
    else if (!u || !msg->recording.len)
        *ret = CALL_REASON_NO_RECORDING;
    else if (msg->offer_error)
        *ret = CALL_REASON_INVALID_OFFER;
    else if (call_is_full(m))
        *ret = CALL_REASON_SERVER_FULL;
    else
        return false;
    return true;
}

static int on_play(struct call_model *m, mono_us now, uint64_t socket, struct call_user *u,
                   const struct call_msg *msg)
{
    enum call_reason reason;
    (void)now;
    if (!play_refused(m, u, msg, &reason))
        return call_play_start(m, u, msg);
    return reply(m, socket,
                 &(struct call_reply){
                     .type = CALL_REPLY_PLAY_REJECTED,
                     .reason = reason,
                     .name = reason == CALL_REASON_INVALID_OFFER ? call_user_name(u) : msg->name,
                     .text = reason == CALL_REASON_INVALID_OFFER ? str_of(msg->offer_error)
                                                                 : (struct str){0},
                 });
}

static int on_stop_play(struct call_model *m, mono_us now, uint64_t socket, struct call_user *u,
                        const struct call_msg *msg)
{
    (void)now;
    (void)socket;
    (void)msg;
    if (u && u->play)
        call_play_stop(m, u->play);
    return 0;
}

/* ---- the table ---- */

typedef int (*call_handler)(struct call_model *m, mono_us now, uint64_t socket,
                            struct call_user *user, const struct call_msg *msg);

static const call_handler handlers[] = {
    [CALL_MSG_REGISTER] = on_register,   [CALL_MSG_CALL] = on_call,
    [CALL_MSG_RESPONSE] = on_response,   [CALL_MSG_CANDIDATE] = on_candidate,
    [CALL_MSG_REOFFER] = on_reoffer,     [CALL_MSG_STOP] = on_stop,
    [CALL_MSG_QUALITY] = on_quality,     [CALL_MSG_PLAY] = on_play,
    [CALL_MSG_STOP_PLAY] = on_stop_play, [CALL_MSG_SOCKET_CLOSED] = on_socket_closed,
};

int call_input(struct call_model *m, mono_us now, uint64_t socket, const struct call_msg *msg)
{
    struct call_user *u = call_users_find_socket(&m->users, socket);
    return handlers[msg->type](m, now, socket, u, msg);
}
