/*
 * Plain RTP in SDP: the audio line is found and read by the readers of negotiate_read.c, its
 * transport here. Two ways to say "no media for me, please" are told apart: c=0.0.0.0 with a port
 * is hold as it was before RFC 3264, port 9 (discard) is an address that is not known yet.
 */
#include "peer/plain_sdp.h"

#include <inttypes.h>
#include <string.h>

#include "base/mem.h"
#include "peer/negotiate_private.h"

static const char *const all_protos[] = {"RTP/AVP", "RTP/AVPF", "RTP/SAVP", "RTP/SAVPF", NULL};
static const struct negotiate_profile any = {
    all_protos, "audio must be RTP/AVP, RTP/AVPF, or RTP/SAVP with a=crypto"};

static const char *const secure_protos[] = {"RTP/SAVP", "RTP/SAVPF", NULL};
static const struct negotiate_profile secure = {
    secure_protos, "audio must be RTP/SAVP or RTP/SAVPF, with a=crypto"};

static const enum rtpsec_profile srtp_profiles[SDP_CRYPTO_N_SUITES] = {
    [SDP_CRYPTO_AES_CM_128_HMAC_SHA1_80] = RTPSEC_AES_CM_128_HMAC_SHA1_80,
    [SDP_CRYPTO_AEAD_AES_128_GCM] = RTPSEC_AEAD_AES_128_GCM,
};

/* Of our offer's only a=crypto. */
#define OFFERED_TAG   1
#define OFFERED_SUITE SDP_CRYPTO_AES_CM_128_HMAC_SHA1_80

/* ---- reading --------------------------------------------------------------------------- */

static bool is_feedback_profile(const struct audio_line *line)
{
    return str_eq(line->m->proto, STR("RTP/AVPF")) || str_eq(line->m->proto, STR("RTP/SAVPF"));
}

static bool is_secure(const struct audio_line *line)
{
    return str_starts_with(line->m->proto, STR("RTP/S"));
}

static int find_audio(const struct sdp *s, const struct plain_side *side, struct audio_line *ret,
                      struct negotiate_error *err)
{
    return negotiate_find_audio(s, side->must_encrypt ? &secure : &any, ret, err);
}

/* The first a=crypto that we can use. @return false = there is none */
static bool find_crypto(const struct audio_line *line, struct sdp_crypto *ret)
{
    const struct sdp_attr *a = NULL;
    while ((a = sdp_next(line->offer, line->m, STR("crypto"), a))) {
        if (sdp_crypto_parse(a->value, ret))
            return true;
    }
    return false;
}

static int read_crypto(const struct audio_line *line, const struct plain_side *side,
                       struct sdp_crypto *ret, struct plain_keys *keys, struct negotiate_error *err)
{
    if (!is_secure(line))
        return 0;
    if (!find_crypto(line, ret))
        return negotiate_refuse(err, NEGOTIATE_E_CRYPTO, line->m->line, "a=crypto",
                                "AES_CM_128_HMAC_SHA1_80 or AEAD_AES_128_GCM is needed");
    keys->profile = srtp_profiles[ret->suite];
    memcpy(keys->remote, ret->key, sizeof(ret->key));
    memcpy(keys->local, side->key, sizeof(side->key));
    return 0;
}

/* Later the packets tell the rest: peer/latch.h. */
static int read_address(const struct audio_line *line, struct addr *ret,
                        struct negotiate_error *err)
{
    unsigned blamed = line->m->line;
    if (!sdp_find_connection(line->offer, line->m, ret))
        return negotiate_refuse(err, NEGOTIATE_E_ADDRESS, blamed, "c=",
                                "an IPv4 or IPv6 address is needed here or above, not a name");
    ret->port = line->m->port;
    if (!addr_is_any(ret) && !addr_is_unicast(ret))
        return negotiate_refuse(err, NEGOTIATE_E_ADDRESS, blamed,
                                "c=", "nothing is sent to multicast or reserved addresses");
    return 0;
}

/* RFC 3550 §11: the next higher port, where a=rtcp (RFC 3605) says nothing else. */
static int read_rtcp(const struct audio_line *line, struct plain_params *p,
                     struct negotiate_error *err)
{
    const struct sdp_attr *a = sdp_find(line->offer, line->m, STR("rtcp"));
    p->is_muxed = sdp_find(line->offer, line->m, STR("rtcp-mux")) != NULL;
    p->rtcp = p->rtp;
    p->rtcp.port = p->rtp.port == LATCH_UNKNOWN_PORT || p->rtp.port == UINT16_MAX
                       ? LATCH_UNKNOWN_PORT
                       : (uint16_t)(p->rtp.port + 1);
    if (a && !sdp_rtcp_parse(a->value, &p->rtcp))
        return negotiate_refuse(err, NEGOTIATE_E_ADDRESS, a->line, "a=rtcp",
                                "must be a port, and an address where it is another one");
    return 0;
}

static int read_line(const struct audio_line *line, const struct plain_side *side,
                     struct sdp_crypto *crypto, struct plain_params *p, struct negotiate_error *err)
{
    int code = negotiate_read_media(line, &p->media, err);
    if (!code)
        code = read_address(line, &p->rtp, err);
    if (!code)
        code = read_rtcp(line, p, err);
    if (!code)
        code = read_crypto(line, side, crypto, &p->keys, err);
    if (code)
        return code;
    if (addr_is_any(&p->rtp) && p->rtp.port != LATCH_UNKNOWN_PORT)
        p->media.may_send = false;
    p->media.ext_recv[PEER_EXT_TRANSPORT_CC] = p->media.ext_send[PEER_EXT_TRANSPORT_CC] = 0;
    p->media.reduced_size_rtcp =
        is_feedback_profile(line) && sdp_find(line->offer, line->m, STR("rtcp-rsize"));
    return 0;
}

/* Codecs with the numbers of this line, and what feedback of the first one is agreed. */
static int read_codecs(const struct audio_line *line, const struct codec_set *set,
                       struct peer_params *p, struct negotiate_error *err)
{
    int code = negotiate_match_codecs(line, set, p, err);
    if (!code)
        p->nack = is_feedback_profile(line) &&
                  negotiate_offers_feedback(line, p->codecs[0].pt, STR("nack"));
    return code;
}

static void limit_direction(struct peer_params *p, const struct plain_side *side)
{
    p->may_send = p->may_send && !side->never_sends;
    p->may_receive = p->may_receive && !side->never_receives;
}

int plain_sdp_remote(const struct sdp *offer, struct addr *ret_rtp, struct negotiate_error *err)
{
    struct audio_line line;
    int code = negotiate_find_audio(offer, &any, &line, err);
    return code ? code : read_address(&line, ret_rtp, err);
}

/* ---- writing --------------------------------------------------------------------------- */

static void write_session(struct text *t, const struct plain_side *side)
{
    text_printf(t, "v=0\r\no=- %" PRIu64 " %" PRIu64 " ", side->session_id, side->session_version);
    sdp_address_write(t, &side->addr);
    text_put(t, STR("\r\ns=Duet\r\nc="));
    sdp_address_write(t, &side->addr);
    text_put(t, STR("\r\nt=0 0\r\n"));
}

static void write_media_line(struct text *t, const struct plain_side *side, struct str proto,
                             const struct peer_params *p)
{
    text_printf(t, "m=audio %u %.*s", (unsigned)side->addr.port, STR_FMT(proto));
    for (unsigned i = 0; i < p->n_codecs; i++)
        text_printf(t, " %u", (unsigned)p->codecs[i].pt);
    text_put(t, STR("\r\n"));
}

/* RFC 5761 §5.1.1: an offer of muxing says a=rtcp besides, for who does not know it. */
static void write_transport(struct text *t, const struct plain_side *side, bool has_rtcp,
                            bool has_mux, const struct peer_params *p)
{
    text_printf(t, "a=%s\r\n", sdp_direction_name(negotiate_direction(p)));
    if (has_rtcp)
        text_printf(t, "a=rtcp:%u\r\n", (unsigned)side->rtcp_port);
    if (has_mux)
        text_put(t, STR("a=rtcp-mux\r\n"));
    if (p->reduced_size_rtcp)
        text_put(t, STR("a=rtcp-rsize\r\n"));
}

static void write_source(struct text *t, const struct plain_side *side, const struct peer_params *p)
{
    if (p->may_send)
        text_printf(t, "a=ssrc:%u cname:%.*s\r\n", (unsigned)side->ssrc, STR_FMT(side->cname));
}

static void write_crypto(struct text *t, const struct plain_side *side, uint32_t tag,
                         enum sdp_crypto_suite suite)
{
    struct sdp_crypto ours = {.tag = tag, .suite = suite};
    memcpy(ours.key, side->key, sizeof(ours.key));
    sdp_crypto_write(t, &ours);
    mem_wipe(&ours, sizeof(ours));
}

static void write_accepted(struct text *t, const struct audio_line *line,
                           const struct codec_set *set, const struct plain_side *side,
                           const struct sdp_crypto *crypto, const struct plain_params *p)
{
    write_media_line(t, side, line->m->proto, &p->media);
    if (p->media.mid[0])
        text_printf(t, "a=mid:%s\r\n", p->media.mid);
    write_transport(t, side, !p->is_muxed, p->is_muxed, &p->media);
    if (p->keys.profile != RTPSEC_NONE)
        write_crypto(t, side, crypto->tag, crypto->suite);
    negotiate_write_codecs(t, line, set, &p->media);
    negotiate_write_extensions(t, &p->media);
    write_source(t, side, &p->media);
}

static int end_of(struct text *t, const struct text *before, struct negotiate_error *err)
{
    if (!t->failed)
        return 0;
    *t = *before;
    t->buf[t->len] = 0;
    return negotiate_refuse(err, NEGOTIATE_E_TOO_LONG, 0, "m=", "the answer would be too long");
}

int plain_sdp_answer(const struct sdp *offer, const struct plain_side *side,
                     struct plain_params *ret, struct text *answer, struct negotiate_error *err)
{
    struct audio_line line;
    struct codec_set set;
    struct sdp_crypto crypto = {.tag = 0};
    struct plain_params p = {.media.local_ssrc = side->ssrc};
    const struct text before = *answer;

    int code = find_audio(offer, side, &line, err);
    if (!code)
        code = read_line(&line, side, &crypto, &p, err);
    if (code)
        return code;
    if (negotiate_line_codecs(&line, &line, &set)) /* telephone-event alone is not found before */
        return negotiate_refuse(err, NEGOTIATE_E_NO_CODEC, line.m->line, "m=audio",
                                "none of Opus, PCMU, PCMA and G722 is there");
    code = read_codecs(&line, &set, &p.media, err);
    if (code)
        return code;
    limit_direction(&p.media, side);
    write_session(answer, side);
    for (unsigned i = 0; i < offer->n_media; i++) {
        const struct sdp_media *m = &offer->media[i];
        if (m == line.m)
            write_accepted(answer, &line, &set, side, &crypto, &p);
        else
            negotiate_write_refused(answer, offer, m);
    }
    code = end_of(answer, &before, err);
    if (!code)
        *ret = p;
    return code;
}

/* Without feedback, because many gateways refuse an AVPF that they do not know. */
int plain_sdp_offer(const struct plain_side *side, struct text *offer)
{
    size_t n;
    const struct negotiate_offered *all = negotiate_offered(&n);
    const struct text before = *offer;
    struct peer_params p = {.n_codecs = (unsigned)n, .may_send = true, .may_receive = true};
    for (size_t i = 0; i < n; i++)
        p.codecs[i] = all[i].codec;
    limit_direction(&p, side);
    write_session(offer, side);
    write_media_line(offer, side, side->must_encrypt ? STR("RTP/SAVP") : STR("RTP/AVP"), &p);
    write_transport(offer, side, true, true, &p);
    if (side->must_encrypt)
        write_crypto(offer, side, OFFERED_TAG, OFFERED_SUITE);
    for (size_t i = 0; i < n; i++) {
        unsigned pt = all[i].codec.pt;
        text_printf(offer, "a=rtpmap:%u %s\r\n", pt, all[i].encoding);
        if (all[i].fmtp)
            text_printf(offer, "a=fmtp:%u %s\r\n", pt, all[i].fmtp);
    }
    write_source(offer, side, &p);
    return end_of(offer, &before, NULL);
}

/* ---- the answer to ours ------------------------------------------------------------------ */

/* RFC 4568 §5.1.3: the one that was offered is taken. */
static int check_crypto(const struct audio_line *line, const struct plain_side *side,
                        const struct sdp_crypto *crypto, struct negotiate_error *err)
{
    if (is_secure(line) != side->must_encrypt)
        return negotiate_refuse(err, NEGOTIATE_E_ANSWER, line->m->line, "m=audio",
                                "the profile must be that of the offer");
    if (side->must_encrypt && (crypto->tag != OFFERED_TAG || crypto->suite != OFFERED_SUITE))
        return negotiate_refuse(err, NEGOTIATE_E_ANSWER, line->m->line, "a=crypto",
                                "tag and suite must be those of the offer");
    return 0;
}

static int check_answer(const struct sdp *answer, struct negotiate_error *err)
{
    if (answer->n_media != 1)
        return negotiate_refuse(err, NEGOTIATE_E_ANSWER, 0,
                                "m=", "the answer must have as many lines as the offer");
    if (answer->media[0].port == 0)
        return negotiate_refuse(err, NEGOTIATE_E_NO_AUDIO, answer->media[0].line, "m=audio",
                                "the audio was refused");
    return 0;
}

int plain_sdp_accept(const struct sdp *offer, const struct sdp *answer,
                     const struct plain_side *side, struct plain_params *ret,
                     struct negotiate_error *err)
{
    struct audio_line ours, line;
    struct codec_set set;
    struct sdp_crypto crypto = {.tag = 0};
    struct plain_params p = {.media.local_ssrc = side->ssrc};

    int code = check_answer(answer, err);
    if (!code)
        code = find_audio(answer, side, &line, err);
    if (!code)
        code = read_line(&line, side, &crypto, &p, err);
    if (!code)
        code = check_crypto(&line, side, &crypto, err);
    if (!code)
        code = find_audio(offer, side, &ours, err);
    if (code)
        return code;
    if (negotiate_line_codecs(&ours, &line, &set))
        return negotiate_refuse(err, NEGOTIATE_E_NO_CODEC, line.m->line, "m=audio",
                                "no codec of the offer was taken");
    code = read_codecs(&line, &set, &p.media, err);
    if (!code)
        code = negotiate_check_payload_types(&line, &p.media, err);
    if (code)
        return code;
    limit_direction(&p.media, side);
    p.media.nack = p.media.reduced_size_rtcp = false; /* was not offered */
    for (unsigned i = 0; i < PEER_N_EXT; i++)
        p.media.ext_send[i] = p.media.ext_recv[i] = 0; /* nor was any */
    *ret = p;
    return 0;
}
