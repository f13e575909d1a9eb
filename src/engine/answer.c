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

/* RFC 7022 §4.2: a CNAME for one endpoint only, 96 random bits. */
#define CNAME_LEN 16

/* Of our own making; RFC 8839 §5.4 asks for 22 at least. 144 random bits. */
#define PWD_LEN 24

int engine_parse_offer(struct str text, struct sdp *ret, char *error)
{
    struct sdp_error sdp_error;
    struct negotiate_error refusal;
    char buf[NEGOTIATE_ERROR_MAX];

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
    if (negotiate_check(ret, &refusal)) {
        engine_say(error, "%s", negotiate_error_write(&refusal, buf));
        sdp_deinit(ret);
        return ENGINE_E_OFFER;
    }
    return 0;
}

bool engine_check_offer(struct engine *e, struct str offer, char *error)
{
    struct sdp sdp;
    (void)e;
    if (engine_parse_offer(offer, &sdp, error))
        return false;
    sdp_deinit(&sdp);
    return true;
}

/* --- our side --- */

/* What we say of ourselves to one endpoint, and what came of it. Too large for the stack. */
struct side {
    char ufrag[DEMUX_UFRAG_LEN + 1];
    char pwd[PWD_LEN + 1];
    char cname[CNAME_LEN + 1];
    struct ice_candidate candidates[ENGINE_MAX_CANDIDATES];
    size_t n_candidates;
    struct peer_params params;
};

/* Written again with the candidates in it when the client cannot be told of them later. */
static int write_answer(const struct engine *e, struct side *s, const struct sdp *offer,
                        const struct codec_set *set, struct negotiate_local *local,
                        struct engine_answer *ret, struct negotiate_error *refusal)
{
    struct str candidates[ENGINE_MAX_CANDIDATES];
    struct text text;

    memcpy(local->fingerprint, e->identity.fingerprint.bytes, 32);
    for (size_t k = 0; k < ret->n_candidates; k++)
        candidates[k] = str_of(ret->candidates[k]);
    local->candidates = candidates;
    for (;;) {
        text_init(&text, ret->sdp, sizeof(ret->sdp));
        int err = negotiate_answer(offer, set, local, &s->params, &text, refusal);
        if (err || s->params.remote_trickle || local->end_of_candidates)
            return err;
        local->n_candidates = ret->n_candidates;
        local->end_of_candidates = true;
    }
}

static int answer(struct engine *e, struct side *s, const struct sdp *offer,
                  const struct codec_set *set, struct engine_answer *ret, char *error)
{
    struct negotiate_error refusal;

    rng_ice_chars(e->rng, s->ufrag, DEMUX_UFRAG_LEN);
    rng_ice_chars(e->rng, s->pwd, PWD_LEN);
    rng_ice_chars(e->rng, s->cname, CNAME_LEN);
    struct negotiate_local local = {
        .ufrag = str_of(s->ufrag),
        .pwd = str_of(s->pwd),
        .ssrc = rng_u32(e->rng),
        .cname = str_of(s->cname),
        .msid = str_of(s->cname),
        .session_id = rng_u64(e->rng) >> 2,
        .session_version = 1,
        .ice_lite = e->ice_lite,
    };
    if (write_answer(e, s, offer, set, &local, ret, &refusal)) {
        (void)negotiate_error_write(&refusal, error);
        return ENGINE_E_OFFER;
    }
    if (e->ice_lite && s->params.remote_lite) {
        engine_say(error, "a=ice-lite: this server is lite itself, nobody would send checks");
        return ENGINE_E_OFFER;
    }
    (void)str_copy(str_of(s->params.mid), ret->mid, sizeof(ret->mid));
    ret->mline_index = (int)s->params.mline_index;
    return 0;
}

static int make(struct worker *w, mono_us now, struct pipeline *p, unsigned number,
                const struct side *s, char *error, struct pipeline_endpoint **ret)
{
    const struct peer_local local = {
        .ufrag = str_of(s->ufrag),
        .pwd = str_of(s->pwd),
        .cname = str_of(s->cname),
        .candidates = s->candidates,
        .n_candidates = s->n_candidates,
    };
    int err = webrtc_new(p, number, now, &s->params, &local, &w->env, ret);
    if (err > 0) {
        engine_say(error, "ICE: the offer's credentials cannot be used");
        return ENGINE_E_OFFER;
    }
    return err;
}

int engine_make_webrtc(struct engine *e, struct worker *w, mono_us now, struct pipeline *p,
                       unsigned number, const struct sdp *offer, const struct codec_set *set,
                       struct engine_answer *ret, char *error, struct pipeline_endpoint **ret_made)
{
    struct side *s = mem_zalloc(sizeof(*s));
    if (!s)
        return -ENOMEM;
    int err = engine_list_addresses(e, now);
    if (err) /* what was there at start is better than nothing */
        log_warning(ENGINE, "cannot list the addresses of this machine: %s", strerror(-err));
    s->n_candidates = engine_make_candidates(e, w, s->candidates);
    engine_write_candidates(s->candidates, s->n_candidates, ret);
    err = answer(e, s, offer, set, ret, error);
    if (!err)
        err = make(w, now, p, number, s, error, ret_made);
    mem_free(s);
    return err;
}
