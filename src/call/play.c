/* Playing a recording: the same order of things as in a call, for one. See the header. */
#include "call/play.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#include "base/mem.h"

static const void *id_key(const void *value, size_t *ret_len)
{
    const struct call_play *p = value;
    *ret_len = sizeof(p->id);
    return &p->id;
}

void call_plays_init(struct map *plays, struct rng *rng)
{
    map_init(plays, id_key, rng);
}

void call_plays_deinit(struct map *plays)
{
    size_t cursor = 0;
    for (struct call_play *p; (p = map_next(plays, &cursor));) {
        call_kept_clear(&p->held);
        mem_free(p);
    }
    map_deinit(plays);
}

struct call_play *call_play_find(const struct call_model *m, uint64_t id)
{
    return map_find(&m->plays, &id, sizeof(id));
}

/* ---- the beginning ---- */

static struct call_play *new_play(struct call_model *m, struct call_user *u, struct str heard)
{
    struct call_play *p = mem_zalloc(sizeof(*p));
    if (!p)
        return NULL;
    bool fits = str_copy(call_user_name(u), p->listener, sizeof(p->listener)) &&
                str_copy(heard, p->heard, sizeof(p->heard));
    assert(fits);
    p->user = u;
    call_kept_init(&p->held);
    do {
        p->id = rng_u64(m->rng);
    } while (p->id == 0 || call_find(m, p->id) || call_play_find(m, p->id));
    if (map_insert(&m->plays, p)) {
        mem_free(p);
        return NULL;
    }
    return p;
}

/* From here on the user's candidates are those of this offer. */
static void take_candidates(struct call_model *m, struct call_play *p, struct str offer)
{
    struct call_user *u = p->user;
    call_kept_sift(&u->kept, offer);
    u->n_candidates = u->kept.n;
    u->told_too_many = false;
    for (struct call_node *n; (n = call_kept_pop(&u->kept));) {
        n->action.call_id = p->id;
        n->action.leg = CALL_CALLER;
        call_queue_push(&m->queue, n);
    }
}

int call_play_start(struct call_model *m, struct call_user *u, const struct call_msg *msg)
{
    const struct str listener = call_user_name(u);
    struct call_node *n = call_node_new(
        CALL_ACTION_MEDIA_PLAY, msg->offer.len + msg->recording.len + listener.len + msg->name.len);
    struct call_play *p = n ? new_play(m, u, msg->name) : NULL;
    if (!p) {
        call_node_free(n);
        return -ENOMEM;
    }
    n->action.call_id = p->id;
    n->action.sockets[CALL_CALLER] = u->socket;
    n->action.offer[CALL_CALLER] = call_node_put(n, msg->offer);
    n->action.recording = call_node_put(n, msg->recording);
    n->action.names[0] = call_node_put(n, listener);
    n->action.names[1] = call_node_put(n, msg->name);
    u->play = p;
    call_queue_push(&m->queue, n);
    take_candidates(m, p, msg->offer);
    return 0;
}

/* ---- what the media says ---- */

static void end_broken(struct call_model *m, struct call_play *p)
{
    call_play_end(m, p, CALL_REASON_SERVER_ERROR, (struct str){0});
}

static void on_answer(struct call_model *m, struct call_play *p, struct str answer)
{
    if (p->is_answered)
        return;
    struct call_node *n = call_node_new(CALL_ACTION_SEND, answer.len);
    if (!n) {
        end_broken(m, p);
        return;
    }
    n->action.socket = p->user->socket;
    n->action.reply =
        (struct call_reply){.type = CALL_REPLY_PLAY_ACCEPTED, .sdp = call_node_put(n, answer)};
    p->is_answered = true;
    call_queue_push(&m->queue, n);
    while ((n = call_kept_pop(&p->held)))
        call_queue_push(&m->queue, n);
}

static void on_candidate(struct call_model *m, struct call_play *p, const struct call_candidate *c)
{
    struct call_node *n = call_node_new(CALL_ACTION_SEND, call_candidate_len(c));
    if (!n) {
        end_broken(m, p);
        return;
    }
    n->action.socket = p->user->socket;
    n->action.reply = (struct call_reply){.type = CALL_REPLY_CANDIDATE,
                                          .candidate = call_node_put_candidate(n, c)};
    if (p->is_answered)
        call_queue_push(&m->queue, n);
    else
        call_kept_add(&p->held, n);
}

static void on_ended(struct call_model *m, struct call_play *p, const struct call_media *event)
{
    switch (event->end) {
    case CALL_MEDIA_END_REMOTE_CLOSED: /* the page has left, its stopPlay is on its way */
        call_play_stop(m, p);
        break;
    case CALL_MEDIA_END_REFUSED: /* the offer: why is known only to who refused it */
        call_play_end(m, p, CALL_REASON_INVALID_OFFER, event->text);
        break;
    case CALL_MEDIA_END_FAILED:
    case CALL_MEDIA_END_LOST:
    case CALL_MEDIA_END_BROKEN:
    case CALL_MEDIA_END_PLAYED:
    case CALL_MEDIA_END_UNREADABLE:
        call_play_end(m, p, call_reason_of_media(event->end), (struct str){0});
        break;
    }
}

void call_play_event(struct call_model *m, struct call_play *p, const struct call_media *event)
{
    switch (event->type) {
    case CALL_MEDIA_ANSWERED:
        on_answer(m, p, event->answer[CALL_CALLER]);
        break;
    case CALL_MEDIA_CANDIDATE:
        on_candidate(m, p, &event->candidate);
        break;
    case CALL_MEDIA_ENDED:
        on_ended(m, p, event);
        break;
    case CALL_MEDIA_CONNECTED:
    case CALL_MEDIA_REANSWERED:
    case CALL_MEDIA_UNCHANGED:
    case CALL_MEDIA_QUALITY:
    case CALL_MEDIA_RECORDING:
        break;
    }
}

/* ---- the end ---- */

void call_play_stop(struct call_model *m, struct call_play *p)
{
    (void)map_remove(&m->plays, &p->id, sizeof(p->id));
    p->user->play = NULL;
    call_kept_clear(&p->held);
    call_node_init(&p->release, CALL_ACTION_MEDIA_RELEASE, p); /* the play now belongs to it */
    p->release.action.call_id = p->id;
    call_queue_push(&m->queue, &p->release);
}

void call_play_end(struct call_model *m, struct call_play *p, enum call_reason reason,
                   struct str text)
{
    text = str_head(text, sizeof(p->text) - 1);
    if (text.len)
        memcpy(p->text, text.p, text.len);
    call_node_init(&p->notice, CALL_ACTION_SEND, NULL);
    p->notice.action.socket = p->user->socket;
    p->notice.action.reply = (struct call_reply){
        .type = p->is_answered ? CALL_REPLY_PLAY_END : CALL_REPLY_PLAY_REJECTED,
        .reason = reason,
        .name = str_of(reason == CALL_REASON_NO_RECORDING ? p->heard : p->listener),
        .text = {p->text, text.len},
    };
    call_queue_push(&m->queue, &p->notice);
    call_play_stop(m, p);
}
