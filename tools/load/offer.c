/* The text follows tests/data/sdp/chromium_audio.sdp and firefox_audio.sdp, without RED and comfort
 * noise. The other codecs stay, so that the server has to choose. Answers have Opus alone. */
#include "load/offer.h"

#include <stdio.h>

#include "ice/candidate.h"
#include "sdp/attr.h"
#include "sdp/sdp.h"

const struct offer_kind offer_kinds[2] = {
    {.name = "Chromium", .opus_pt = 111, .event_pt = 110, .level_ext = 1, .mid_ext = 4},
    {.name = "Firefox", .opus_pt = 109, .event_pt = 101, .level_ext = 5, .mid_ext = 3},
};

static const char level_uri[] = "urn:ietf:params:rtp-hdrext:ssrc-audio-level";

/* --- writing --- */

static void write_session(const struct offer *o, const char *mid, struct text *ret)
{
    text_printf(ret,
                "v=0\r\no=- %llu 2 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\na=group:BUNDLE %s\r\n"
                "a=msid-semantic: WMS *\r\n",
                (unsigned long long)o->session_id, mid);
}

/* Where the only candidate is known it is the default one too (RFC 8839 §4.2.1.2); else RFC 8840
 * §4.1.1. */
static void write_media(const struct offer *o, const char *formats, struct text *ret)
{
    char ip[ADDR_TEXT_MAX] = "0.0.0.0";
    bool is_v6 = o->candidate && !addr_is_v4(&o->address);
    unsigned port = o->candidate ? o->address.port : 9;
    if (o->candidate)
        (void)addr_write_ip(&o->address, ip);
    text_printf(ret, "m=audio %u UDP/TLS/RTP/SAVPF %s\r\nc=IN IP%c %s\r\na=rtcp:%u IN IP%c %s\r\n",
                port, formats, is_v6 ? '6' : '4', ip, port, is_v6 ? '6' : '4', ip);
}

/* What stands between there and the codecs, the extensions excepted. */
static void write_transport(const struct offer *o, const char *setup, const char *mid,
                            struct text *ret)
{
    struct sdp_fingerprint fingerprint = {.hash = SDP_SHA256, .len = 32};
    memcpy(fingerprint.digest, o->fingerprint, fingerprint.len);
    text_printf(ret, "a=ice-ufrag:%s\r\na=ice-pwd:%s\r\n", o->ufrag, o->pwd);
    if (o->candidate)
        text_printf(ret, "a=%s\r\na=end-of-candidates\r\n", o->candidate);
    else
        text_printf(ret, "a=ice-options:trickle\r\n");
    sdp_fingerprint_write(ret, &fingerprint);
    text_printf(ret, "a=setup:%s\r\na=mid:%s\r\na=sendrecv\r\na=rtcp-mux\r\na=rtcp-rsize\r\n",
                setup, mid);
}

static void write_level(const struct offer *o, struct text *ret)
{
    if (o->kind.level_ext)
        text_printf(ret, "a=extmap:%u %s\r\n", o->kind.level_ext, level_uri);
}

static void write_opus(const struct offer *o, struct text *ret)
{
    text_printf(ret,
                "a=msid:%s %s-track\r\na=rtpmap:%u opus/48000/2\r\na=rtcp-fb:%u transport-cc\r\n"
                "a=fmtp:%u minptime=10;useinbandfec=1\r\n",
                o->cname, o->cname, o->kind.opus_pt, o->kind.opus_pt, o->kind.opus_pt);
}

static void write_source(const struct offer *o, struct text *ret)
{
    text_printf(ret, "a=ssrc:%u cname:%s\r\n", o->ssrc, o->cname);
}

void offer_write(const struct offer *o, struct text *ret)
{
    const struct offer_kind *k = &o->kind;
    char formats[32];
    (void)snprintf(formats, sizeof(formats), "%u 9 0 8 %u", k->opus_pt, k->event_pt);
    write_session(o, "0", ret);
    write_media(o, formats, ret);
    write_transport(o, "actpass", "0", ret);
    write_level(o, ret);
    text_printf(ret, "a=extmap:%u urn:ietf:params:rtp-hdrext:sdes:mid\r\n", k->mid_ext);
    write_opus(o, ret);
    text_printf(ret,
                "a=rtpmap:9 G722/8000\r\na=rtpmap:0 PCMU/8000\r\na=rtpmap:8 PCMA/8000\r\n"
                "a=rtpmap:%u telephone-event/48000\r\n",
                k->event_pt);
    write_source(o, ret);
}

void offer_write_answer(const struct offer *o, const struct peer_params *params, struct text *ret)
{
    char format[4];
    (void)snprintf(format, sizeof(format), "%u", o->kind.opus_pt);
    write_session(o, params->mid, ret);
    write_media(o, format, ret);
    write_transport(o, sdp_setup_name(params->dtls_client ? SDP_SETUP_ACTIVE : SDP_SETUP_PASSIVE),
                    params->mid, ret);
    write_level(o, ret);
    write_opus(o, ret);
    write_source(o, ret);
}

/* --- reading --- */

static bool read_transport(const struct sdp *s, const struct sdp_media *m, struct peer_params *ret)
{
    const struct sdp_attr *ufrag = sdp_find_inherited(s, m, STR("ice-ufrag"));
    const struct sdp_attr *pwd = sdp_find_inherited(s, m, STR("ice-pwd"));
    const struct sdp_attr *fingerprint = sdp_find_inherited(s, m, STR("fingerprint"));
    const struct sdp_attr *setup = sdp_find_inherited(s, m, STR("setup"));
    const struct sdp_attr *mid = sdp_find(s, m, STR("mid"));
    enum sdp_setup role;

    if (!ufrag || !pwd || !fingerprint || !setup || !sdp_setup_parse(setup->value, &role) ||
        !str_copy(ufrag->value, ret->remote_ufrag, sizeof(ret->remote_ufrag)) ||
        !str_copy(pwd->value, ret->remote_pwd, sizeof(ret->remote_pwd)) ||
        (mid && !str_copy(mid->value, ret->mid, sizeof(ret->mid))) ||
        sdp_fingerprint_parse(fingerprint->value, &ret->fingerprints[0]))
        return false;
    ret->n_fingerprints = 1;
    ret->dtls_client = role != SDP_SETUP_ACTIVE; /* to actpass browsers answer active */
    ret->remote_lite = sdp_find(s, NULL, STR("ice-lite")) != NULL;
    ret->remote_end_of_candidates = sdp_find(s, m, STR("end-of-candidates")) != NULL;
    for (const struct sdp_attr *a = NULL; (a = sdp_next(s, m, STR("candidate"), a));) {
        if (ret->n_candidates < PEER_MAX_CANDIDATES)
            ret->candidates[ret->n_candidates++] = sdp_candidate_text(a);
    }
    return true;
}

/* @return the other's id of the audio level; 0 = none */
static uint8_t find_level(const struct sdp *s, const struct sdp_media *m)
{
    struct sdp_extmap map;
    for (const struct sdp_attr *a = NULL; (a = sdp_next(s, m, STR("extmap"), a));) {
        if (sdp_extmap_parse(a->value, &map) && str_eq(map.uri, str_of(level_uri)))
            return map.id;
    }
    return 0;
}

/* The first payload type is what the other wants: it must be Opus. */
static bool read_opus(const struct sdp *s, const struct sdp_media *m, uint8_t *ret)
{
    struct str formats = m->formats;
    struct sdp_rtpmap map;
    uint64_t pt;
    if (!str_to_u64(str_take_word(&formats), 127, &pt) ||
        !sdp_find_rtpmap(s, m, (uint8_t)pt, &map) || !str_caseeq(map.name, STR("opus")))
        return false;
    *ret = (uint8_t)pt;
    return true;
}

/* @param ret_theirs  the numbers that the text gives */
static const char *read_media(const struct sdp *s, struct peer_params *ret,
                              struct offer_kind *ret_theirs)
{
    const struct sdp_media *m = s->n_media == 1 ? &s->media[0] : NULL;
    uint8_t opus_pt;

    if (!m || !str_eq(m->type, STR("audio")) || m->port == 0)
        return "the server refuses the audio";
    if (!read_opus(s, m, &opus_pt))
        return "the server does not choose Opus";
    if (sdp_find_direction(s, m) != SDP_SENDRECV)
        return "the server is not sendrecv";
    if (!read_transport(s, m, ret))
        return "the server's text lacks ICE credentials, fingerprint or setup";
    *ret_theirs = (struct offer_kind){.opus_pt = opus_pt, .level_ext = find_level(s, m)};
    ret->codecs[0] = (struct peer_codec){CODEC_OPUS, opus_pt, 2, 48000};
    ret->n_codecs = 1;
    ret->may_send = ret->may_receive = true;
    ret->reduced_size_rtcp = sdp_find(s, m, STR("rtcp-rsize")) != NULL;
    return NULL;
}

static const char *read_text(struct str text, struct peer_params *ret,
                             struct offer_kind *ret_theirs)
{
    struct sdp s;
    memset(ret, 0, sizeof(*ret));
    if (sdp_parse(&s, text, NULL))
        return "the server's text is not a session description";
    const char *error = read_media(&s, ret, ret_theirs);
    sdp_deinit(&s);
    return error;
}

static void use_level(struct peer_params *params, uint8_t id)
{
    params->ext_send[PEER_EXT_AUDIO_LEVEL] = params->ext_recv[PEER_EXT_AUDIO_LEVEL] = id;
}

const char *offer_read_answer(const struct offer *o, struct str answer, struct peer_params *ret)
{
    struct offer_kind theirs;
    const char *error = read_text(answer, ret, &theirs);
    if (error)
        return error;
    if (theirs.opus_pt != o->kind.opus_pt)
        return "the answer does not keep the offer's payload type";
    if (theirs.level_ext == o->kind.level_ext)
        use_level(ret, theirs.level_ext);
    ret->local_ssrc = o->ssrc;
    return NULL;
}

const char *offer_read_offer(struct offer *o, struct str offer, struct peer_params *ret)
{
    struct offer_kind theirs;
    const char *error = read_text(offer, ret, &theirs);
    if (error)
        return error;
    o->kind.opus_pt = theirs.opus_pt;
    o->kind.level_ext = theirs.level_ext;
    use_level(ret, theirs.level_ext);
    ret->local_ssrc = o->ssrc;
    return NULL;
}
