/*
 * The other way round: an offer of ours, and an endpoint from the answer to it. Until the answer is
 * there no worker knows of it: an offer is a value that its owner keeps or throws away. What comes
 * from the other side before (RFC 8445 §7.3 allows its checks) is unknown then and repeated.
 */
#include <errno.h>
#include <string.h>

#include "base/mem.h"
#include "engine/engine_private.h"

/* --- the offer --- */

struct engine_offered {
    struct said *said; /* owned; its `remote` is our own offer, as nothing else was said yet */
};

void engine_offered_free(struct engine_offered *o)
{
    if (!o)
        return;
    said_free(o->said);
    mem_free(o);
}

static int write_offer(const struct engine *e, const struct said *said, struct engine_answer *ret)
{
    struct negotiate_local local = said_local(said);
    struct str candidates[ENGINE_MAX_CANDIDATES];
    struct text text;

    engine_fill_local(e, &local, ret, candidates);
    local.n_candidates = ret->n_candidates; /* nobody knows yet whether they could come later */
    local.end_of_candidates = true;
    text_init(&text, ret->sdp, sizeof(ret->sdp));
    if (negotiate_offer(&local, &text))
        return -ENOBUFS; /* ENGINE_ANSWER_MAX holds all candidates that there can be */
    (void)str_copy(STR(NEGOTIATE_MID), ret->mid, sizeof(ret->mid));
    ret->mline_index = 0;
    return 0;
}

/* Our offer stands where the other side's description will be. */
static struct said *say(struct engine *e, enum engine_direction direction,
                        struct engine_answer *ret)
{
    struct said *said = said_new(e->rng, STR(""), direction);
    if (!said)
        return NULL;
    said->is_offerer = true;
    if (write_offer(e, said, ret) || said_set_remote(said, str_of(ret->sdp))) {
        said_free(said);
        return NULL;
    }
    return said;
}

int engine_offer(struct engine *e, mono_us now, uint64_t pipeline, enum engine_direction direction,
                 struct engine_answer *ret, struct engine_offered **ret_offered)
{
    const struct engine_pipeline *known = engine_find_pipeline(e, pipeline);
    if (!known)
        return ENGINE_E_UNKNOWN;
    struct engine_side *s = engine_side_new(e, known->worker, now);
    struct engine_offered *o = mem_zalloc(sizeof(*o));
    if (s && o) {
        engine_write_candidates(s->candidates, s->n_candidates, ret);
        o->said = say(e, direction, ret);
    }
    mem_free(s);
    if (!o || !o->said) {
        engine_offered_free(o);
        return -ENOMEM;
    }
    *ret_offered = o;
    return 0;
}

/* --- its answer --- */

static int read_answer(const struct engine *e, const struct engine_offered *o,
                       const struct sdp *answer, struct engine_side *s, struct codec_set *ret,
                       char *error)
{
    struct sdp ours;
    struct negotiate_error refusal;
    struct negotiate_local local = said_local(o->said);
    local.red = e->red;
    int err = sdp_parse(&ours, said_remote(o->said), NULL);
    if (err)
        return err < 0 ? err : -EINVAL;
    err = negotiate_accept(&ours, answer, &local, ret, &s->params, &refusal);
    sdp_deinit(&ours);
    if (err) {
        (void)negotiate_error_write(&refusal, error);
        return ENGINE_E_OFFER;
    }
    return engine_check_lite(e, s, error);
}

static int accept_and_make(struct engine *e, mono_us now, const struct engine_pipeline *known,
                           unsigned number, const struct engine_offered *o,
                           const struct engine_offer *answer, struct engine_side *s,
                           struct said *said, char *error)
{
    struct pipeline_endpoint *endpoint;
    struct codec_set set;
    int err = read_answer(e, o, &answer->sdp, s, &set, error);
    if (!err)
        err = engine_make(known->worker, now, known->pipeline, number, s, &set, said, error,
                          &endpoint);
    if (err) {
        said_free(said);
        return err;
    }
    return engine_give_endpoint(e, known->worker, endpoint);
}

int engine_endpoint_accept(struct engine *e, mono_us now, uint64_t pipeline, unsigned number,
                           const struct engine_offered *o, struct str answer, char *error)
{
    const struct engine_pipeline *known = engine_find_pipeline(e, pipeline);
    struct engine_offer parsed = {.text = answer};
    error[0] = 0;
    if (!known)
        return ENGINE_E_UNKNOWN;
    int err = engine_parse(answer, &parsed.sdp, error);
    if (err)
        return err;
    struct engine_side *s = engine_side_new(e, known->worker, now);
    struct said *said = said_copy(o->said, answer);
    if (s && said) {
        err = accept_and_make(e, now, known, number, o, &parsed, s, said, error);
    } else {
        said_free(said);
        err = -ENOMEM;
    }
    mem_free(s);
    sdp_deinit(&parsed.sdp);
    return err;
}
