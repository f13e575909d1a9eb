/*
 * A later offer of a leg that talks. Three things are decided here: whether it is one that this leg
 * may make at all, whether ICE restarts, and which codecs its answer has.
 *
 * The certificate and the DTLS role stay for the whole call (RFC 8842 §5.5 keeps the connection
 * when neither fingerprints nor tls-id change). A new certificate would be a new connection under
 * new keys; whoever needs that calls anew, and is told so.
 */
#include <string.h>

#include "peer/negotiate_private.h"

/* ---- what may not change --------------------------------------------------------------- */

static bool has_fingerprint(const struct peer_params *p, const struct sdp_fingerprint *f)
{
    for (unsigned i = 0; i < p->n_fingerprints; i++) {
        const struct sdp_fingerprint *own = &p->fingerprints[i];
        if (own->hash == f->hash && own->len == f->len && !memcmp(own->digest, f->digest, f->len))
            return true;
    }
    return false;
}

/* RFC 8122 §5: they are a set, in no order. */
static bool is_same_certificate(const struct peer_params *a, const struct peer_params *b)
{
    if (a->n_fingerprints != b->n_fingerprints)
        return false;
    for (unsigned i = 0; i < a->n_fingerprints; i++) {
        if (!has_fingerprint(b, &a->fingerprints[i]))
            return false;
    }
    return true;
}

/* RFC 3264 §8: a line keeps its place for good, and none is taken away. */
static int hold_line(const struct audio_line *line, const struct sdp *before,
                     const struct peer_params *was, const struct peer_params *is,
                     struct negotiate_error *err)
{
    if (line->offer->n_media < before->n_media)
        return negotiate_refuse(err, NEGOTIATE_E_CHANGE, 0,
                                "m=", "a line of the earlier offer is missing");
    if (is->mline_index != was->mline_index)
        return negotiate_refuse(err, NEGOTIATE_E_CHANGE, line->m->line, "m=audio",
                                "the audio in use must stay where it was");
    if (strcmp(is->mid, was->mid) != 0)
        return negotiate_refuse(err, NEGOTIATE_E_CHANGE, line->m->line, "a=mid",
                                "must stay what it was");
    return 0;
}

/* RFC 8842 §5.2: another tls-id asks for another connection, like another certificate. */
static int hold_connection(const struct audio_line *line, const struct audio_line *line_before,
                           const struct peer_params *was, const struct peer_params *is,
                           struct negotiate_error *err)
{
    const struct sdp_attr *id = negotiate_find_transport(line, STR("tls-id"), NULL);
    const struct sdp_attr *id_before = negotiate_find_transport(line_before, STR("tls-id"), NULL);

    if (!is_same_certificate(is, was))
        return negotiate_refuse(err, NEGOTIATE_E_CHANGE, line->m->line, "a=fingerprint",
                                "another certificate needs another call");
    if (id && id_before && !str_eq(id->value, id_before->value))
        return negotiate_refuse(err, NEGOTIATE_E_CHANGE, id->line, "a=tls-id",
                                "another DTLS connection needs another call");
    return 0;
}

/* RFC 8842 §5.5: actpass leaves the roles as they are; anything else must name them. */
static int hold_role(const struct audio_line *line, bool dtls_client, struct peer_params *p,
                     struct negotiate_error *err)
{
    const struct sdp_attr *a = negotiate_find_transport(line, STR("setup"), NULL);
    enum sdp_setup setup = SDP_SETUP_ACTIVE;

    if (a)
        (void)sdp_setup_parse(a->value, &setup); /* was read before */
    if (setup != SDP_SETUP_ACTPASS && p->dtls_client != dtls_client)
        return negotiate_refuse(err, NEGOTIATE_E_CHANGE, a ? a->line : line->m->line, "a=setup",
                                "the DTLS roles cannot be exchanged");
    p->dtls_client = dtls_client;
    return 0;
}

int negotiate_hold_to(const struct audio_line *line, const struct negotiate_before *before,
                      struct peer_params *p, struct negotiate_error *err)
{
    struct peer_params was = {0};
    struct audio_line line_before;

    if (!before)
        return 0;
    int code = negotiate_read(before->offer, &line_before, &was, err);
    if (!code)
        code = hold_line(line, before->offer, &was, p, err);
    if (!code)
        code = hold_connection(line, &line_before, &was, p, err);
    return code ? code : hold_role(line, before->dtls_client, p, err);
}

/* ---- ICE ------------------------------------------------------------------------------- */

bool negotiate_is_restart(const struct sdp *offer, const struct sdp *before)
{
    struct audio_line line, line_before;
    struct peer_params is = {0}, was = {0};

    if (negotiate_read(offer, &line, &is, NULL) || negotiate_read(before, &line_before, &was, NULL))
        return false;
    return strcmp(is.remote_ufrag, was.remote_ufrag) != 0 ||
           strcmp(is.remote_pwd, was.remote_pwd) != 0;
}

/* ---- codecs ---------------------------------------------------------------------------- */

int negotiate_again(const struct sdp *offer, const struct sdp *other, const struct codec_set *kept,
                    struct codec_set *ret)
{
    struct audio_line a, b;
    struct peer_params scratch = {0};
    struct codec_set set = {.n = kept->n};

    int code = negotiate_read(offer, &a, &scratch, NULL);
    if (code)
        return code;
    code = negotiate_read(other, &b, &scratch, NULL);
    if (code)
        return code;
    for (unsigned i = 0; i < kept->n; i++) {
        const struct codec *codec = &kept->codecs[i];
        struct sdp_rtpmap in_a, in_b;
        if (!negotiate_find_codec(offer, a.m, codec->id, codec->clock_rate, &in_a) ||
            !negotiate_find_codec(other, b.m, codec->id, codec->clock_rate, &in_b))
            return NEGOTIATE_E_NO_CODEC;
        set.codecs[i] = (struct codec){
            .id = codec->id,
            .clock_rate = codec->clock_rate,
            .fmtp = sdp_find_fmtp(other, b.m, in_b.pt),
        };
    }
    set.ptime_ms = sdp_find_ptime(other, b.m, STR("ptime"));
    set.max_ptime_ms = sdp_find_ptime(other, b.m, STR("maxptime"));
    *ret = set;
    return 0;
}
