/*
 * A later offer of an endpoint that is there. What it may change is peer/negotiate.h's business;
 * here it is laid beside what was said before, answered, and given to the worker in one command.
 * Until that is sent nothing has changed.
 */
#include <errno.h>
#include <string.h>

#include "base/mem.h"
#include "engine/engine_private.h"

/* Everything that one later offer is read with. Too large for the stack. */
struct again {
    struct engine_offer offer;
    struct sdp before; /* its last one that was answered */
    struct sdp other;  /* that of its partner; without one, the offer itself counts */
    bool has_before, has_other;
    struct codec_set set;
    struct said next; /* what will have been said */
};

static void free_again(struct again *a)
{
    sdp_deinit(&a->offer.sdp);
    if (a->has_before)
        sdp_deinit(&a->before);
    if (a->has_other)
        sdp_deinit(&a->other);
    mem_wipe(&a->next, sizeof(a->next));
    mem_free(a);
}

/* What was answered once parses again, unless memory is out. */
static int parse_known(const struct said *said, struct sdp *ret, bool *ret_has)
{
    int err = sdp_parse(ret, said_remote(said), NULL);
    *ret_has = err == 0;
    return err > 0 ? -EINVAL : err;
}

static int read_known(const struct engine *e, const struct engine_endpoint *known, struct again *a)
{
    int err = parse_known(known->said, &a->before, &a->has_before);
    if (err || known->said->partner == SAID_NO_PARTNER)
        return err;
    const struct engine_endpoint *partner =
        engine_find_endpoint(e, known->name.pipeline, known->said->partner);
    return partner ? parse_known(partner->said, &a->other, &a->has_other) : 0;
}

/* What will have been said, and its answer. */
static int answer(struct engine *e, const struct engine_endpoint *known, struct again *a,
                  struct engine_side *s, struct engine_answer *ret, char *error)
{
    const struct negotiate_before before = {&a->before, known->said->dtls_client};
    const struct sdp *other = a->has_other ? &a->other : &a->offer.sdp;

    if (negotiate_again(&a->offer.sdp, other, &known->said->set, &a->set)) {
        engine_say(error, "m=audio: a codec of this call is not offered any more");
        return ENGINE_E_OFFER;
    }
    a->next = *known->said;
    a->next.session_version++;
    ret->is_restart = negotiate_is_restart(&a->offer.sdp, &a->before);
    if (ret->is_restart)
        said_renew_credentials(&a->next, e->rng);
    struct negotiate_local local = said_local(&a->next);
    local.before = &before;
    local.end_of_candidates = true; /* they are known, and belong to this generation */
    return engine_write_answer(e, s, &a->offer.sdp, &a->set, &local, ret, error);
}

/* Candidates travel parsed: the text of the offer is not the worker's. */
static struct worker_renegotiation *new_command(const struct engine_endpoint *known,
                                                const struct again *a, const struct engine_side *s,
                                                bool is_restart)
{
    size_t room = s->params.n_candidates * sizeof(struct ice_candidate);
    struct worker_renegotiation *c = mem_zalloc(sizeof(*c) + room);
    if (!c)
        return NULL;
    c->command = (struct worker_command){.type = WORKER_RENEGOTIATE, .endpoint = known->endpoint};
    c->params = s->params;
    c->params.n_candidates = 0;
    for (unsigned i = 0; i < s->params.n_candidates; i++) {
        if (!ice_candidate_parse(s->params.candidates[i], &c->candidates[c->n_candidates]))
            c->n_candidates++; /* a name, or noise: ICE lives without it */
    }
    if (is_restart) {
        memcpy(c->ufrag, a->next.ufrag, sizeof(c->ufrag));
        memcpy(c->pwd, a->next.pwd, sizeof(c->pwd));
    }
    return c;
}

/* From here on it has been said. */
static int commit(struct engine_endpoint *known, struct again *a, const struct engine_side *s,
                  bool is_restart)
{
    struct worker_renegotiation *c = new_command(known, a, s, is_restart);
    char *offer = mem_strdup(a->offer.text);
    if (!c || !offer) {
        mem_free(c);
        mem_free(offer);
        return -ENOMEM;
    }
    mem_free(known->said->remote);
    a->next.remote = offer;
    a->next.remote_len = a->offer.text.len;
    *known->said = a->next;
    worker_send(known->worker, &c->command);
    return 0;
}

static int answer_again(struct engine *e, mono_us now, struct engine_endpoint *known,
                        struct again *a, struct engine_answer *ret, char *error)
{
    int err = read_known(e, known, a);
    if (err)
        return err;
    struct engine_side *s = engine_side_new(e, known->worker, now);
    if (!s)
        return -ENOMEM;
    engine_write_candidates(s->candidates, s->n_candidates, ret);
    err = answer(e, known, a, s, ret, error);
    if (!err)
        err = commit(known, a, s, ret->is_restart);
    mem_free(s);
    return err;
}

int engine_endpoint_answer_again(struct engine *e, mono_us now, uint64_t pipeline,
                                 unsigned endpoint, struct str offer, struct engine_answer *ret,
                                 char *error)
{
    struct engine_endpoint *known = engine_find_endpoint(e, pipeline, endpoint);
    error[0] = 0;
    if (!known || !known->said) /* a tap has said nothing */
        return ENGINE_E_UNKNOWN;
    struct again *a = mem_zalloc(sizeof(*a));
    if (!a)
        return -ENOMEM;
    int err = engine_parse_offer(offer, &a->offer, error);
    if (err) {
        mem_free(a);
        return err;
    }
    err = answer_again(e, now, known, a, ret, error);
    free_again(a);
    return err;
}
