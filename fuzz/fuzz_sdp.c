/* fuzz: duet_peer duet_sdp duet_base */
/* Two offers of a call, separated by a NUL (one alone is both): parse, compare, answer both, and
 * read the answers again. What we write we must be able to read, and the line we took must be
 * answerable with the same codecs by ourselves. The first one is also taken for the answer to an
 * offer of ours, of each direction. */
#include <assert.h>
#include <stdlib.h>

#include "peer/negotiate.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static char answer_buf[NEGOTIATE_ANSWER_MAX];

static const struct str our_candidate = {"candidate:1 1 UDP 2015363327 192.0.2.5 45678 typ host",
                                         53};

static void check_params(const struct sdp *offer, const struct peer_params *p)
{
    assert(p->n_codecs >= 1 && p->n_codecs <= PEER_MAX_CODECS);
    assert(p->codecs[0].id != CODEC_TELEPHONE_EVENT);
    assert(p->mline_index < offer->n_media);
    assert(p->n_fingerprints >= 1 && p->n_fingerprints <= PEER_MAX_FINGERPRINTS);
    assert(p->n_candidates <= PEER_MAX_CANDIDATES && p->n_ssrcs <= PEER_MAX_SSRCS);
    assert(strlen(p->remote_ufrag) >= 4 && strlen(p->remote_pwd) >= 22);
    for (unsigned i = 0; i < p->n_codecs; i++)
        assert(p->codecs[i].pt < 64 || (p->codecs[i].pt > 95 && p->codecs[i].pt < 128));
}

/** Our own answer, read as an offer: the same codecs in the same order. */
static void reread(const struct sdp *offer, const struct codec_set *set, struct str answer)
{
    struct sdp again;
    struct codec_set own;
    struct sdp_error err;

    if (answer.len > SDP_MAX_TEXT)
        return;
    int code = sdp_parse(&again, answer, &err);
    if (code < 0)
        return;
    assert(code == 0);
    assert(again.n_media == offer->n_media);
    assert(negotiate_check(&again, NULL) == 0);
    assert(negotiate_own(&again, &own) == 0);
    assert(own.n == set->n);
    for (unsigned i = 0; i < own.n; i++)
        assert(own.codecs[i].id == set->codecs[i].id &&
               own.codecs[i].clock_rate == set->codecs[i].clock_rate);
    sdp_deinit(&again);
}

static void answer_one(const struct sdp *offer, const struct sdp *other)
{
    struct codec_set set;
    struct peer_params params;
    struct negotiate_error err = {0};
    struct text text;
    const struct negotiate_local local = {
        .ufrag = {"abcdefgh", 8},
        .pwd = {"ABCDEFGHIJKLMNOPQRSTUVWX", 24},
        .ssrc = 0xCAFE0001,
        .cname = {"cname", 5},
        .msid = {"duet", 4},
        .candidates = &our_candidate,
        .n_candidates = 1,
        .end_of_candidates = true,
    };

    int checked = negotiate_check(offer, &err);
    assert(!checked || (err.attribute && err.text));
    if (negotiate_common(offer, other, &set))
        return;
    text_init(&text, answer_buf, sizeof(answer_buf));
    int code = negotiate_answer(offer, &set, &local, &params, &text, &err);
    assert(code == checked || code == NEGOTIATE_E_TOO_LONG);
    if (code)
        return;
    check_params(offer, &params);
    reread(offer, &set, text_str(&text));
}

/** An answer to an offer of ours: what is accepted must be within what was offered. */
static void accept_one(const struct sdp *answer, struct negotiate_local *local)
{
    struct codec_set set;
    struct peer_params params;
    struct negotiate_error err = {0};
    struct sdp ours;
    struct text text;

    text_init(&text, answer_buf, sizeof(answer_buf));
    int code = negotiate_offer(local, &text);
    assert(code == 0);
    code = sdp_parse(&ours, text_str(&text), NULL);
    assert(code <= 0);
    if (code)
        return;
    code = negotiate_accept(&ours, answer, local, &set, &params, &err);
    assert(!code || (err.attribute && err.text));
    if (code == 0) {
        check_params(answer, &params);
        assert(params.n_codecs == set.n && answer->n_media == 1);
        assert(!(local->never_sends && params.may_send));
        assert(!(local->never_receives && params.may_receive));
        assert(params.red_pt == 0 || params.red_pt == 63);
    }
    sdp_deinit(&ours);
}

static void accept_all_ways(const struct sdp *answer)
{
    struct negotiate_local local = {
        .ufrag = {"abcdefgh", 8},
        .pwd = {"ABCDEFGHIJKLMNOPQRSTUVWX", 24},
        .cname = {"cname", 5},
        .red = true,
    };
    accept_one(answer, &local);
    local.never_sends = true;
    accept_one(answer, &local);
    local.never_sends = false;
    local.never_receives = true;
    accept_one(answer, &local);
}

/** Views go into an exact heap copy, so that reading one byte too far is seen. */
static int parse_copy(struct sdp *ret, struct str text, char **ret_copy)
{
    struct sdp_error err = {0};
    *ret_copy = malloc(text.len ? text.len : 1);
    if (!*ret_copy)
        return -1;
    if (text.len)
        memcpy(*ret_copy, text.p, text.len);
    int code = sdp_parse(ret, (struct str){*ret_copy, text.len}, &err);
    assert(code <= 0 || err.text);
    return code;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str rest = {(const char *)data, size};
    struct str first = str_take_until(&rest, 0);
    struct sdp a = {0}, b = {0};
    char *copy_a = NULL, *copy_b = NULL;

    if (!parse_copy(&a, first, &copy_a) && !parse_copy(&b, rest.len ? rest : first, &copy_b)) {
        answer_one(&a, &b);
        answer_one(&b, &a);
        accept_all_ways(&a);
    }
    sdp_deinit(&a);
    sdp_deinit(&b);
    free(copy_a);
    free(copy_b);
    return 0;
}
