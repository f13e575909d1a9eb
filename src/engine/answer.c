/*
 * From an offer to an endpoint: it is parsed, our side of the leg is made up (credentials,
 * candidates, SSRC), the answer is written, and the endpoint built from both. No worker is asked:
 * what an answer needs of it is its port.
 */
#include <assert.h>
#include <errno.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "engine/engine_private.h"
#include "engine/webrtc.h"
#include "log/log.h"

int engine_parse(struct str text, struct sdp *ret, char *error)
{
    struct sdp_error sdp_error;
    int err = sdp_parse(ret, text, &sdp_error);
    if (err < 0) {
        engine_say(error, "%s", strerror(-err));
        return err;
    }
    if (err) {
        if (sdp_error.line)
            engine_say(error, "line %u: %s", sdp_error.line, sdp_error.text);
        else
            engine_say(error, "%s", sdp_error.text);
        return ENGINE_E_OFFER;
    }
    return 0;
}

static int parse(struct str text, struct sdp *ret, char *error)
{
    struct negotiate_error refusal;
    char buf[NEGOTIATE_ERROR_MAX];

    int err = engine_parse(text, ret, error);
    if (err)
        return err;
    if (negotiate_check(ret, &refusal)) {
        engine_say(error, "%s", negotiate_error_write(&refusal, buf));
        sdp_deinit(ret);
        return ENGINE_E_OFFER;
    }
    return 0;
}

int engine_parse_offer(struct str text, struct engine_offer *ret, char *error)
{
    ret->text = text;
    ret->direction = ENGINE_SENDRECV;
    return parse(text, &ret->sdp, error);
}

bool engine_check_offer(struct str offer, char *error)
{
    struct sdp sdp;
    if (parse(offer, &sdp, error))
        return false;
    sdp_deinit(&sdp);
    return true;
}

/* --- our side --- */

struct engine_side *engine_side_new(struct engine *e, struct worker *w, mono_us now)
{
    struct engine_side *s = mem_zalloc(sizeof(*s));
    if (!s)
        return NULL;
    int err = engine_list_addresses(e, now);
    if (err) /* what was there at start is better than nothing */
        log_warning(ENGINE, "cannot list the addresses of this machine: %s", strerror(-err));
    s->n_candidates = engine_make_candidates(e, w, s->candidates);
    return s;
}

void engine_fill_local(const struct engine *e, struct negotiate_local *local,
                       const struct engine_answer *answer, struct str *candidates)
{
    memcpy(local->fingerprint, e->identity.fingerprint.bytes, 32);
    local->ice_lite = e->ice_lite;
    local->red = e->red;
    for (size_t k = 0; k < answer->n_candidates; k++)
        candidates[k] = str_of(answer->candidates[k]);
    local->candidates = candidates;
}

int engine_check_lite(const struct engine *e, const struct engine_side *s, char *error)
{
    if (!e->ice_lite || !s->params.remote_lite)
        return 0;
    engine_say(error, "a=ice-lite: this server is lite itself, nobody would send checks");
    return ENGINE_E_OFFER;
}

/* Written again with the candidates in it when the client cannot be told of them later. */
static int write_answer(const struct engine *e, struct engine_side *s, const struct sdp *offer,
                        const struct codec_set *set, struct negotiate_local *local,
                        struct engine_answer *ret, struct negotiate_error *refusal)
{
    struct str candidates[ENGINE_MAX_CANDIDATES];
    struct text text;

    engine_fill_local(e, local, ret, candidates);
    for (;;) {
        local->n_candidates = local->end_of_candidates ? ret->n_candidates : 0;
        text_init(&text, ret->sdp, sizeof(ret->sdp));
        int err = negotiate_answer(offer, set, local, &s->params, &text, refusal);
        if (err || s->params.remote_trickle || local->end_of_candidates)
            return err;
        local->end_of_candidates = true;
    }
}

int engine_write_answer(const struct engine *e, struct engine_side *s, const struct sdp *offer,
                        const struct codec_set *set, struct negotiate_local *local,
                        struct engine_answer *ret, char *error)
{
    struct negotiate_error refusal;

    if (write_answer(e, s, offer, set, local, ret, &refusal)) {
        (void)negotiate_error_write(&refusal, error);
        return ENGINE_E_OFFER;
    }
    int err = engine_check_lite(e, s, error);
    if (err)
        return err;
    (void)str_copy(str_of(s->params.mid), ret->mid, sizeof(ret->mid));
    ret->mline_index = (int)s->params.mline_index;
    return 0;
}

/* --- the endpoint --- */

int engine_make(struct worker *w, mono_us now, struct pipeline *p, unsigned number,
                const struct engine_side *s, const struct codec_set *set, struct said *said,
                char *error, struct pipeline_endpoint **ret)
{
    const struct peer_local local = {
        .is_offerer = said->is_offerer,
        .ufrag = str_of(said->ufrag),
        .pwd = str_of(said->pwd),
        .cname = str_of(said->cname),
        .candidates = s->candidates,
        .n_candidates = s->n_candidates,
    };
    int err = webrtc_new(p, number, now, &s->params, &local, &w->env, ret);
    if (err > 0) {
        engine_say(error, "ICE: these credentials cannot be used");
        return ENGINE_E_OFFER;
    }
    if (err)
        return err;
    said->dtls_client = s->params.dtls_client;
    said_keep_codecs(said, set);
    (*ret)->said = said; /* now owned by the endpoint */
    return 0;
}

static int answer_and_make(struct engine *e, struct worker *w, mono_us now, struct pipeline *p,
                           unsigned number, const struct engine_offer *offer,
                           const struct codec_set *set, struct engine_side *s, struct said *said,
                           struct engine_answer *ret, char *error,
                           struct pipeline_endpoint **ret_made)
{
    struct negotiate_local local = said_local(said);
    engine_write_candidates(s->candidates, s->n_candidates, ret);
    int err = engine_write_answer(e, s, &offer->sdp, set, &local, ret, error);
    return err ? err : engine_make(w, now, p, number, s, set, said, error, ret_made);
}

int engine_make_webrtc(struct engine *e, struct worker *w, mono_us now, struct pipeline *p,
                       unsigned number, const struct engine_offer *offer,
                       const struct codec_set *set, struct engine_answer *ret, char *error,
                       struct pipeline_endpoint **ret_made)
{
    struct engine_side *s = engine_side_new(e, w, now);
    struct said *said = said_new(e->rng, offer->text, offer->direction);
    int err = s && said
                  ? answer_and_make(e, w, now, p, number, offer, set, s, said, ret, error, ret_made)
                  : -ENOMEM;
    if (err)
        said_free(said);
    mem_free(s);
    return err;
}
