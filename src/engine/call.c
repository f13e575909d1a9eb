/*
 * A whole call at once: both offers are laid side by side before either is answered, and pipeline,
 * endpoints and connections go to the worker in one piece.
 */
#include <assert.h>
#include <errno.h>

#include "base/mem.h"
#include "engine/engine_private.h"

#define LEGS 2

/* Too large for the stack. */
struct setup {
    struct engine_offer offers[LEGS];
    struct codec_set sets[LEGS];
};

/* Both endpoints into the pipeline, connected. */
static int make_legs(struct engine *e, struct worker *w, mono_us now, const struct setup *s,
                     struct pipeline *p, struct engine_answers *ret)
{
    struct pipeline_endpoint *legs[LEGS];
    for (unsigned i = 0; i < LEGS; i++) {
        int err = engine_make_webrtc(e, w, now, p, i, &s->offers[i], &s->sets[i], &ret->legs[i],
                                     ret->error, &legs[i]);
        if (err) {
            ret->bad_leg = i;
            return err;
        }
        legs[i]->said->partner = 1 - i;
        list_append(&p->endpoints, &legs[i]->endpoints);
    }
    relay_connect(legs[0]->relay, legs[1]->relay);
    relay_connect(legs[1]->relay, legs[0]->relay);
    return 0;
}

static int make_call(struct engine *e, mono_us now, uint64_t id, const struct setup *s,
                     struct engine_answers *ret)
{
    struct worker *w = engine_choose_worker(e);
    struct pipeline *p = pipeline_new(id);
    if (!p)
        return -ENOMEM;
    int err = make_legs(e, w, now, s, p, ret);
    if (!err)
        err = engine_hand_over(e, w, p, ENGINE_CALLS);
    if (err)
        pipeline_free(p);
    return err;
}

static int negotiate(struct setup *s, struct engine_answers *ret)
{
    for (unsigned i = 0; i < LEGS; i++) {
        if (negotiate_common(&s->offers[i].sdp, &s->offers[1 - i].sdp, &s->sets[i])) {
            engine_say(ret->error, "the two sides have no audio codec in common");
            return ENGINE_E_NO_CODEC;
        }
    }
    return 0;
}

int engine_call_start(struct engine *e, mono_us now, uint64_t id, const struct str offers[2],
                      struct engine_answers *ret)
{
    assert(!map_find(&e->pipelines, &id, sizeof(id)));
    ret->error[0] = 0;
    ret->bad_leg = 0;
    struct setup *s = mem_zalloc(sizeof(*s));
    if (!s)
        return -ENOMEM;
    int err = 0;
    unsigned n = 0;
    for (; n < LEGS; n++) {
        err = engine_parse_offer(offers[n], &s->offers[n], ret->error);
        if (err) {
            ret->bad_leg = n;
            break;
        }
    }
    if (!err)
        err = negotiate(s, ret);
    if (!err)
        err = make_call(e, now, id, s, ret);
    while (n > 0)
        sdp_deinit(&s->offers[--n].sdp);
    mem_free(s);
    return err;
}
