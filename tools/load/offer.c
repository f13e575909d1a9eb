/* The text follows tests/data/sdp/chromium_audio.sdp and firefox_audio.sdp, without RED and comfort
 * noise. The other codecs stay, so that the server has to choose. */
#include "load/offer.h"

#include "ice/candidate.h"
#include "sdp/attr.h"
#include "sdp/sdp.h"

const struct offer_kind offer_kinds[2] = {
    {.name = "Chromium", .opus_pt = 111, .event_pt = 110, .level_ext = 1, .mid_ext = 4},
    {.name = "Firefox", .opus_pt = 109, .event_pt = 101, .level_ext = 5, .mid_ext = 3},
};

static const char level_uri[] = "urn:ietf:params:rtp-hdrext:ssrc-audio-level";

void offer_write(const struct offer *o, struct text *ret)
{
    const struct offer_kind *k = o->kind;
    struct sdp_fingerprint fingerprint = {.hash = SDP_SHA256, .len = 32};
    memcpy(fingerprint.digest, o->fingerprint, fingerprint.len);
    text_printf(ret,
                "v=0\r\no=- %llu 2 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\na=group:BUNDLE 0\r\n"
                "a=msid-semantic: WMS *\r\n"
                "m=audio 9 UDP/TLS/RTP/SAVPF %u 9 0 8 %u\r\n"
                "c=IN IP4 0.0.0.0\r\na=rtcp:9 IN IP4 0.0.0.0\r\n"
                "a=ice-ufrag:%s\r\na=ice-pwd:%s\r\na=ice-options:trickle\r\n",
                (unsigned long long)o->session_id, k->opus_pt, k->event_pt, o->ufrag, o->pwd);
    sdp_fingerprint_write(ret, &fingerprint);
    text_printf(ret,
                "a=setup:actpass\r\na=mid:0\r\n"
                "a=extmap:%u %s\r\na=extmap:%u urn:ietf:params:rtp-hdrext:sdes:mid\r\n"
                "a=sendrecv\r\na=msid:%s %s-track\r\na=rtcp-mux\r\na=rtcp-rsize\r\n"
                "a=rtpmap:%u opus/48000/2\r\na=rtcp-fb:%u transport-cc\r\n"
                "a=fmtp:%u minptime=10;useinbandfec=1\r\na=rtpmap:9 G722/8000\r\n"
                "a=rtpmap:0 PCMU/8000\r\na=rtpmap:8 PCMA/8000\r\n"
                "a=rtpmap:%u telephone-event/48000\r\na=ssrc:%u cname:%s\r\n",
                k->level_ext, level_uri, k->mid_ext, o->cname, o->cname, k->opus_pt, k->opus_pt,
                k->opus_pt, k->event_pt, o->ssrc, o->cname);
}

static bool read_transport(const struct sdp *s, const struct sdp_media *m, struct peer_params *ret)
{
    const struct sdp_attr *ufrag = sdp_find_inherited(s, m, STR("ice-ufrag"));
    const struct sdp_attr *pwd = sdp_find_inherited(s, m, STR("ice-pwd"));
    const struct sdp_attr *fingerprint = sdp_find_inherited(s, m, STR("fingerprint"));
    const struct sdp_attr *setup = sdp_find_inherited(s, m, STR("setup"));
    enum sdp_setup role;

    if (!ufrag || !pwd || !fingerprint || !setup || !sdp_setup_parse(setup->value, &role) ||
        !str_copy(ufrag->value, ret->remote_ufrag, sizeof(ret->remote_ufrag)) ||
        !str_copy(pwd->value, ret->remote_pwd, sizeof(ret->remote_pwd)) ||
        sdp_fingerprint_parse(fingerprint->value, &ret->fingerprints[0]))
        return false;
    ret->n_fingerprints = 1;
    ret->dtls_client = role == SDP_SETUP_PASSIVE;
    ret->remote_lite = sdp_find(s, NULL, STR("ice-lite")) != NULL;
    ret->remote_end_of_candidates = sdp_find(s, m, STR("end-of-candidates")) != NULL;
    for (const struct sdp_attr *a = NULL; (a = sdp_next(s, m, STR("candidate"), a));) {
        if (ret->n_candidates < PEER_MAX_CANDIDATES)
            ret->candidates[ret->n_candidates++] = sdp_candidate_text(a);
    }
    return true;
}

static void read_extensions(const struct offer *o, const struct sdp *s, const struct sdp_media *m,
                            struct peer_params *ret)
{
    struct sdp_extmap map;
    for (const struct sdp_attr *a = NULL; (a = sdp_next(s, m, STR("extmap"), a));) {
        if (sdp_extmap_parse(a->value, &map) && str_eq(map.uri, str_of(level_uri)) &&
            map.id == o->kind->level_ext)
            ret->ext_send[PEER_EXT_AUDIO_LEVEL] = ret->ext_recv[PEER_EXT_AUDIO_LEVEL] =
                o->kind->level_ext;
    }
}

static const char *read_media(const struct offer *o, const struct sdp *s, struct peer_params *ret)
{
    const struct sdp_media *m = s->n_media == 1 ? &s->media[0] : NULL;
    struct sdp_rtpmap map;
    uint64_t pt;

    if (!m || !str_eq(m->type, STR("audio")) || m->port == 0)
        return "the answer refuses the audio";
    struct str formats = m->formats;
    struct str first = str_take_word(&formats);
    if (!str_to_u64(first, 127, &pt) || pt != o->kind->opus_pt ||
        !sdp_find_rtpmap(s, m, (uint8_t)pt, &map) || !str_caseeq(map.name, STR("opus")))
        return "the answer does not choose Opus with the offer's payload type";
    if (sdp_find_direction(s, m) != SDP_SENDRECV)
        return "the answer is not sendrecv";
    if (!read_transport(s, m, ret))
        return "the answer lacks ICE credentials, fingerprint or setup";
    read_extensions(o, s, m, ret);
    ret->codecs[0] = (struct peer_codec){CODEC_OPUS, (uint8_t)pt, 2, 48000};
    ret->n_codecs = 1;
    ret->may_send = ret->may_receive = true;
    ret->reduced_size_rtcp = sdp_find(s, m, STR("rtcp-rsize")) != NULL;
    ret->local_ssrc = o->ssrc;
    return NULL;
}

bool offer_read_answer(const struct offer *o, struct str answer, struct peer_params *ret,
                       const char **ret_error)
{
    struct sdp s;
    memset(ret, 0, sizeof(*ret));
    if (sdp_parse(&s, answer, NULL)) {
        *ret_error = "the answer is not a session description";
        return false;
    }
    *ret_error = read_media(o, &s, ret);
    sdp_deinit(&s);
    return !*ret_error;
}
