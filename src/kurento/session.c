/* Sessions, what they hold and what they were answered: see the header. */
#include "kurento/session.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#include "base/mem.h"

/* One allocation: the id and the text stand behind it. */
struct kurento_answer {
    struct list oldest;
    mono_us at;
    size_t id_len, text_len;
    char bytes[];
};

static const void *session_key(const void *value, size_t *ret_len)
{
    const struct kurento_session *session = value;
    *ret_len = strlen(session->id);
    return session->id;
}

static const void *answer_key(const void *value, size_t *ret_len)
{
    const struct kurento_answer *answer = value;
    *ret_len = answer->id_len;
    return answer->bytes;
}

void kurento_sessions_init(struct kurento_sessions *sessions, struct rng *rng)
{
    map_init(&sessions->by_id, session_key, rng);
    list_init(&sessions->all);
    sessions->rng = rng;
}

void kurento_sessions_deinit(struct kurento_sessions *sessions)
{
    assert(sessions->by_id.n == 0);
    map_deinit(&sessions->by_id);
}

struct kurento_session *kurento_session_find(const struct kurento_sessions *sessions, struct str id)
{
    return map_find(&sessions->by_id, id.p, id.len);
}

struct kurento_session *kurento_session_new(struct kurento_sessions *sessions, struct str id)
{
    struct kurento_session *session = mem_zalloc(sizeof(*session));
    if (!session)
        return NULL;
    list_init(&session->of_all);
    list_init(&session->refs);
    list_init(&session->subscriptions);
    list_init(&session->oldest);
    map_init(&session->answers, answer_key, sessions->rng);
    session->id = mem_strdup(id);
    if (!session->id || map_insert(&sessions->by_id, session)) {
        mem_free(session->id);
        mem_free(session);
        return NULL;
    }
    list_append(&sessions->all, &session->of_all);
    return session;
}

static void forget_answer(struct kurento_session *session, struct kurento_answer *answer)
{
    session->answer_bytes -= sizeof(*answer) + answer->id_len + answer->text_len;
    (void)map_remove(&session->answers, answer->bytes, answer->id_len);
    list_remove(&answer->oldest);
    mem_free(answer);
}

static void forget_old_answers(struct kurento_session *session, mono_us now)
{
    LIST_FOREACH(node, &session->oldest) {
        struct kurento_answer *answer = CONTAINER_OF(node, struct kurento_answer, oldest);
        if (now - answer->at < KURENTO_ANSWER_KEPT &&
            session->answer_bytes <= KURENTO_ANSWERS_MAX_BYTES)
            return;
        forget_answer(session, answer);
    }
}

void kurento_session_free(struct kurento_sessions *sessions, struct kurento_session *session)
{
    assert(list_is_empty(&session->refs) && list_is_empty(&session->subscriptions));
    (void)map_remove(&sessions->by_id, session->id, strlen(session->id));
    list_remove(&session->of_all);
    LIST_FOREACH(node, &session->oldest)
        forget_answer(session, CONTAINER_OF(node, struct kurento_answer, oldest));
    map_deinit(&session->answers);
    mem_free(session->id);
    mem_free(session);
}

/* --- what it holds --- */

/* Nearly always there is one session: the list has one element. */
static struct kurento_ref *find_ref(const struct kurento_session *session,
                                    struct kurento_object *object)
{
    LIST_FOREACH(node, &object->refs) {
        struct kurento_ref *ref = CONTAINER_OF(node, struct kurento_ref, of_object);
        if (ref->session == session)
            return ref;
    }
    return NULL;
}

static void drop_ref(struct kurento_ref *ref)
{
    list_remove(&ref->of_session);
    list_remove(&ref->of_object);
    mem_free(ref);
}

int kurento_session_hold(struct kurento_session *session, struct kurento_object *object)
{
    for (; object; object = object->parent) {
        if (find_ref(session, object))
            continue;
        struct kurento_ref *ref = mem_alloc(sizeof(*ref));
        if (!ref)
            return -ENOMEM;
        ref->session = session;
        ref->object = object;
        list_append(&session->refs, &ref->of_session);
        list_append(&object->refs, &ref->of_object);
    }
    return 0;
}

bool kurento_session_let_go(struct kurento_session *session, struct kurento_object *object)
{
    struct kurento_ref *ref = find_ref(session, object);
    if (!ref)
        return false;
    drop_ref(ref);
    return list_is_empty(&object->refs);
}

void kurento_object_drop_refs(struct kurento_object *object)
{
    LIST_FOREACH(node, &object->refs)
        drop_ref(CONTAINER_OF(node, struct kurento_ref, of_object));
}

/* --- what it was answered --- */

void kurento_session_remember(struct kurento_session *session, mono_us now, struct str id,
                              struct str text)
{
    struct kurento_answer *answer = map_find(&session->answers, id.p, id.len);
    if (answer)
        forget_answer(session, answer);
    answer = mem_alloc(sizeof(*answer) + id.len + text.len);
    if (!answer)
        return;
    answer->at = now;
    answer->id_len = id.len;
    answer->text_len = text.len;
    memcpy(answer->bytes, id.p, id.len);
    memcpy(answer->bytes + id.len, text.p, text.len);
    if (map_insert(&session->answers, answer)) {
        mem_free(answer);
        return;
    }
    list_append(&session->oldest, &answer->oldest);
    session->answer_bytes += sizeof(*answer) + id.len + text.len;
    forget_old_answers(session, now);
}

struct str kurento_session_answer(struct kurento_session *session, mono_us now, struct str id)
{
    forget_old_answers(session, now);
    const struct kurento_answer *answer = map_find(&session->answers, id.p, id.len);
    return answer ? (struct str){answer->bytes + answer->id_len, answer->text_len}
                  : (struct str){0};
}
