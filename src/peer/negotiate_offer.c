/*
 * The other way round: we offer, and read the answer.
 *
 * What we offer is everything that can be relayed, because nobody is behind us yet whose wishes
 * could narrow it. It is written from a table, as the peer_params that we would have if all of it
 * were taken. The answer is read like an offer, by the same readers; what makes it an answer is
 * held against our offer afterwards:
 *
 *     offer (ours) ──┬─ its lines, directions, ids ──────────┐
 *                    └─┐                                     ▼
 *     answer ──────────┴─ readers of negotiate_read.c ─► peer_params, refused with line and reason
 *
 * RFC 3264 §6, RFC 9429 §5.2 and §5.11. We differ: docs/rfc/sdp.md#we-offer
 */
#include <assert.h>
#include <inttypes.h>

#include "peer/negotiate_private.h"
#include "sdp/opus.h"

/* Payload types as browsers have them, so that whoever looks at a capture knows them. */
#define RED_PT 63

static const struct negotiate_offered offered[] = {
    {{CODEC_OPUS, 111, 2, 48000}, "opus/48000/2", "minptime=10;useinbandfec=1"},
    {{CODEC_PCMU, 0, 1, 8000}, "PCMU/8000", NULL},
    {{CODEC_PCMA, 8, 1, 8000}, "PCMA/8000", NULL},
    {{CODEC_G722, 9, 1, 8000}, "G722/8000", NULL},
    {{CODEC_CN, 13, 1, 8000}, "CN/8000", NULL},
    {{CODEC_TELEPHONE_EVENT, 110, 1, 48000}, "telephone-event/48000", "0-15"},
    {{CODEC_TELEPHONE_EVENT, 126, 1, 8000}, "telephone-event/8000", "0-15"},
};

_Static_assert(ARRAY_LEN(offered) <= PEER_MAX_CODECS, "a peer takes them all");

const struct negotiate_offered *negotiate_offered(size_t *ret_n)
{
    *ret_n = ARRAY_LEN(offered);
    return offered;
}

/** RFC 8285 §4.2: one-byte ids. */
static const uint8_t ext_ids[PEER_N_EXT] = {
    [PEER_EXT_AUDIO_LEVEL] = 1,
    [PEER_EXT_TRANSPORT_CC] = 3,
};

/* ---- the offer ------------------------------------------------------------------------- */

/** What is agreed on if the answer takes everything. */
static struct peer_params all_of_it(const struct negotiate_local *local)
{
    struct peer_params p = {
        .n_codecs = ARRAY_LEN(offered),
        .red_pt = local->red ? RED_PT : 0,
        .may_send = !local->never_sends,
        .may_receive = !local->never_receives,
    };
    for (size_t i = 0; i < ARRAY_LEN(offered); i++)
        p.codecs[i] = offered[i].codec;
    for (size_t i = 0; i < PEER_N_EXT; i++) {
        p.ext_recv[i] = ext_ids[i];
        p.ext_send[i] = negotiate_exts[i].is_sent ? ext_ids[i] : 0;
    }
    return p;
}

static void write_media_line(struct text *t, const struct peer_params *p)
{
    text_put(t, STR("m=audio 9 UDP/TLS/RTP/SAVPF"));
    if (p->red_pt) /* first: see negotiate_red.c */
        text_printf(t, " %u", (unsigned)p->red_pt);
    for (unsigned i = 0; i < p->n_codecs; i++)
        text_printf(t, " %u", (unsigned)p->codecs[i].pt);
    text_put(t, STR("\r\nc=IN IP4 0.0.0.0\r\n"));
}

/** NACK is a wish of ours for all audio; nobody's rate follows G.711. */
static void write_one_feedback(struct text *t, const struct peer_codec *codec)
{
    unsigned pt = codec->pt;
    if (codec->id == CODEC_TELEPHONE_EVENT || codec->id == CODEC_CN)
        return;
    if (codec->id == CODEC_OPUS)
        text_printf(t, "a=rtcp-fb:%u transport-cc\r\n", pt);
    text_printf(t, "a=rtcp-fb:%u nack\r\n", pt);
}

static void write_formats(struct text *t, const struct peer_params *p)
{
    unsigned first = p->codecs[0].pt;
    if (p->red_pt)
        text_printf(t, "a=rtpmap:%u red/48000/2\r\na=fmtp:%u %u/%u\r\n", (unsigned)p->red_pt,
                    (unsigned)p->red_pt, first, first);
    for (size_t i = 0; i < ARRAY_LEN(offered); i++) {
        unsigned pt = offered[i].codec.pt;
        text_printf(t, "a=rtpmap:%u %s\r\n", pt, offered[i].encoding);
        write_one_feedback(t, &offered[i].codec);
        if (offered[i].fmtp)
            text_printf(t, "a=fmtp:%u %s\r\n", pt, offered[i].fmtp);
    }
}

int negotiate_offer(const struct negotiate_local *local, struct text *offer)
{
    const struct peer_params p = all_of_it(local);
    struct text before = *offer;

    assert(p.may_send || p.may_receive);
    text_printf(offer,
                "v=0\r\no=- %" PRIu64 " %" PRIu64 " IN IP4 0.0.0.0\r\ns=Duet\r\nt=0 0\r\n"
                "a=group:BUNDLE " NEGOTIATE_MID "\r\n%s",
                local->session_id, local->session_version, local->ice_lite ? "a=ice-lite\r\n" : "");
    write_media_line(offer, &p);
    text_printf(offer, "a=mid:" NEGOTIATE_MID "\r\na=%s\r\na=rtcp-mux\r\na=rtcp-rsize\r\n",
                sdp_direction_name(negotiate_direction(&p)));
    negotiate_write_transport(offer, local, SDP_SETUP_ACTPASS);
    write_formats(offer, &p);
    negotiate_write_extensions(offer, &p);
    negotiate_write_source(offer, local, &p);
    if (!offer->failed)
        return 0;
    *offer = before;
    offer->buf[offer->len] = 0;
    return NEGOTIATE_E_TOO_LONG;
}

/* ---- the answer ------------------------------------------------------------------------ */

/** RFC 3264 §6: a line for each line, of the same kind, and ours was taken. */
static int check_lines(const struct sdp *offer, const struct sdp *answer,
                       struct negotiate_error *err)
{
    const struct sdp_media *m = &answer->media[0];

    if (answer->n_media != offer->n_media)
        return negotiate_refuse(err, NEGOTIATE_E_ANSWER, 0,
                                "m=", "the answer must have as many lines as the offer");
    if (!str_eq(m->type, STR("audio")))
        return negotiate_refuse(err, NEGOTIATE_E_ANSWER, m->line,
                                "m=", "the audio line must be answered as audio");
    if (m->port == 0)
        return negotiate_refuse(err, NEGOTIATE_E_NO_AUDIO, m->line, "m=audio",
                                "the audio was refused");
    return 0;
}

/** RFC 5763 §5: an answer decides. */
static int check_setup(const struct audio_line *line, struct negotiate_error *err)
{
    const struct sdp_attr *a = negotiate_find_transport(line, STR("setup"), NULL);
    enum sdp_setup setup = SDP_SETUP_ACTIVE;

    if (a)
        (void)sdp_setup_parse(a->value, &setup); /* was read before */
    if (setup == SDP_SETUP_ACTPASS)
        return negotiate_refuse(err, NEGOTIATE_E_SETUP, a->line, "a=setup",
                                "must be active or passive in an answer");
    return 0;
}

/** RFC 9429 §5.11; an answer without a=mid is from someone who knows no bundling. */
static int check_mid(const struct audio_line *line, struct negotiate_error *err)
{
    const struct sdp_attr *a = sdp_find(line->offer, line->m, STR("mid"));
    if (a && !str_eq(a->value, STR(NEGOTIATE_MID)))
        return negotiate_refuse(err, NEGOTIATE_E_MID, a->line, "a=mid",
                                "must be that of the offer");
    return 0;
}

/** RFC 3264 §6.1: not more than was offered. */
static int check_direction(const struct audio_line *line, const struct negotiate_local *local,
                           const struct peer_params *p, struct negotiate_error *err)
{
    if ((local->never_sends && p->may_send) || (local->never_receives && p->may_receive))
        return negotiate_refuse(err, NEGOTIATE_E_ANSWER, line->m->line, "m=audio",
                                "its direction was not offered");
    return 0;
}

/** RFC 8285 §7: the ids of an answer are those of the offer. */
static int check_extensions(const struct audio_line *line, const struct peer_params *p,
                            struct negotiate_error *err)
{
    for (size_t i = 0; i < PEER_N_EXT; i++) {
        uint8_t id = p->ext_recv[i] ? p->ext_recv[i] : p->ext_send[i];
        if (id && id != ext_ids[i])
            return negotiate_refuse(err, NEGOTIATE_E_ANSWER, line->m->line, "a=extmap",
                                    "its id must be that of the offer");
    }
    return 0;
}

/** RFC 3264 §6.1 would let an answer number codecs anew; a leg of ours has one number for both
 * directions, and nobody else numbers anew either. */
int negotiate_check_payload_types(const struct audio_line *line, const struct peer_params *p,
                                  struct negotiate_error *err)
{
    for (unsigned i = 0; i < p->n_codecs; i++) {
        bool is_ours = false;
        for (size_t k = 0; k < ARRAY_LEN(offered); k++)
            is_ours |= offered[k].codec.id == p->codecs[i].id &&
                       offered[k].codec.clock_rate == p->codecs[i].clock_rate &&
                       offered[k].codec.pt == p->codecs[i].pt;
        if (!is_ours)
            return negotiate_refuse(err, NEGOTIATE_E_ANSWER, line->m->line, "m=audio",
                                    "its payload types must be those of the offer");
    }
    return 0;
}

static int check_answer(const struct audio_line *line, const struct negotiate_local *local,
                        const struct peer_params *p, struct negotiate_error *err)
{
    int code = check_setup(line, err);
    if (!code)
        code = check_mid(line, err);
    if (!code)
        code = check_direction(line, local, p, err);
    if (!code)
        code = check_extensions(line, p, err);
    return code ? code : negotiate_check_payload_types(line, p, err);
}

int negotiate_accept(const struct sdp *offer, const struct sdp *answer,
                     const struct negotiate_local *local, struct codec_set *ret_set,
                     struct peer_params *ret, struct negotiate_error *err)
{
    struct audio_line line;
    struct codec_set set;
    struct peer_params p = {.local_ssrc = local->ssrc};

    int code = check_lines(offer, answer, err);
    if (!code)
        code = negotiate_read(answer, &line, &p, err);
    if (code)
        return code;
    if (negotiate_common(offer, answer, &set))
        return negotiate_refuse(err, NEGOTIATE_E_NO_CODEC, line.m->line, "m=audio",
                                "no codec of the offer was taken");
    code = negotiate_match_codecs(&line, &set, &p, err);
    if (!code)
        code = check_answer(&line, local, &p, err);
    if (code)
        return code;
    if (local->red)
        negotiate_read_red(&line, &p);
    negotiate_read_feedback(&line, &p);
    *ret_set = set;
    *ret = p;
    return 0;
}
