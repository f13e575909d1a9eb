/* From the audio line of an offer, or of an answer, into peer_params: everything but the codecs.
 *
 * A list of readers, each for one thing that a line says; the first one that fails names the line
 * to blame. What the transport says may stand in the section, at the session's level, or in the
 * section whose transport is shared (BUNDLE).
 */
#include "peer/negotiate_private.h"

/* ---- the audio line ------------------------------------------------------------------- */

/**
 * RFC 9429 §5.1.2 wants every spelling of RTP profiles accepted; we take those that promise what
 * we do: encrypted, with feedback. RTP/SAVPF with a fingerprint is how browsers wrote it until 2015
 * and how Kurento still does.
 */
static const char *const protos[] = {
    "UDP/TLS/RTP/SAVPF", "TCP/DTLS/RTP/SAVPF", "TCP/TLS/RTP/SAVPF", "RTP/SAVPF", NULL,
};

const struct negotiate_profile negotiate_webrtc = {protos, "audio must be UDP/TLS/RTP/SAVPF"};

static bool has_proto(const struct negotiate_profile *profile, struct str proto)
{
    for (const char *const *p = profile->protos; *p; p++) {
        if (str_eq(proto, str_of(*p)))
            return true;
    }
    return false;
}

struct str negotiate_mid(const struct sdp *s, const struct sdp_media *m)
{
    const struct sdp_attr *a = sdp_find(s, m, STR("mid"));
    return a ? a->value : (struct str){0};
}

static struct audio_line audio_line(const struct sdp *offer, const struct sdp_media *m)
{
    struct audio_line line = {.offer = offer, .m = m, .mid = negotiate_mid(offer, m)};
    struct str mids;

    line.bundled = sdp_find_bundle(offer, line.mid, &mids);
    if (line.bundled) {
        const struct sdp_media *first = sdp_find_mid(offer, str_take_word(&mids));
        line.tagged = first == m ? NULL : first;
        line.anchor = m->port == 0 ? line.tagged : NULL;
    }
    return line;
}

/** RFC 3264 §6: port 0 = not wanted; RFC 8843 §6: unless it is a=bundle-only. */
static bool is_wanted_audio(const struct sdp *offer, const struct sdp_media *m)
{
    struct str mids;
    if (!str_eq(m->type, STR("audio")))
        return false;
    return m->port != 0 || (sdp_find(offer, m, STR("bundle-only")) &&
                            sdp_find_bundle(offer, negotiate_mid(offer, m), &mids));
}

int negotiate_find_audio(const struct sdp *offer, const struct negotiate_profile *profile,
                         struct audio_line *ret, struct negotiate_error *err)
{
    const struct sdp_media *wanted = NULL;

    for (unsigned i = 0; i < offer->n_media; i++) {
        const struct sdp_media *m = &offer->media[i];
        if (!is_wanted_audio(offer, m))
            continue;
        if (has_proto(profile, m->proto) && negotiate_has_codec(offer, m)) {
            *ret = audio_line(offer, m);
            return 0;
        }
        wanted = wanted ? wanted : m;
    }
    if (!wanted)
        return negotiate_refuse(err, NEGOTIATE_E_NO_AUDIO, 0, "m=audio", "the offer has no audio");
    if (!has_proto(profile, wanted->proto))
        return negotiate_refuse(err, NEGOTIATE_E_PROTO, wanted->line, "m=audio", profile->refusal);
    return negotiate_refuse(err, NEGOTIATE_E_NO_CODEC, wanted->line, "m=audio",
                            "none of Opus, PCMU, PCMA and G722 is there");
}

const struct sdp_attr *negotiate_find_transport(const struct audio_line *line, struct str name,
                                                const struct sdp_media **ret_level)
{
    const struct sdp_media *levels[] = {line->m, NULL, line->tagged};
    size_t n = line->tagged ? 3 : 2;

    for (size_t i = 0; i < n; i++) {
        const struct sdp_attr *a = sdp_find(line->offer, levels[i], name);
        if (a && ret_level)
            *ret_level = levels[i];
        if (a)
            return a;
    }
    return NULL;
}

/* ---- readers: from the audio line into peer_params ------------------------------------- */

typedef int (*reader_fn)(const struct audio_line *line, struct peer_params *p,
                         struct negotiate_error *err);

static int read_mid(const struct audio_line *line, struct peer_params *p,
                    struct negotiate_error *err)
{
    const struct sdp_attr *a = sdp_find(line->offer, line->m, STR("mid"));
    p->mline_index = (unsigned)(line->m - line->offer->media);
    if (!a)
        return 0;
    if (!sdp_is_token(a->value) || !str_copy(a->value, p->mid, sizeof(p->mid)))
        return negotiate_refuse(err, NEGOTIATE_E_MID, a->line, "a=mid",
                                "not a name of 1 to 64 characters");
    return 0;
}

/**
 * RFC 8843 §7.3.1: a section with port 0 cannot become the one that carries the transport. So audio
 * that is bundle-only needs the section that the offer tagged: that one is then accepted, inactive.
 */
static int read_bundle(const struct audio_line *line, struct peer_params *p,
                       struct negotiate_error *err)
{
    (void)p;
    if (line->m->port != 0)
        return 0;
    if (!line->anchor || line->anchor->port == 0 ||
        !has_proto(&negotiate_webrtc, line->anchor->proto) ||
        !sdp_is_token(negotiate_mid(line->offer, line->anchor)))
        return negotiate_refuse(err, NEGOTIATE_E_BUNDLE, line->m->line, "a=bundle-only",
                                "audio hangs on a line that cannot be accepted");
    return 0;
}

static int read_rtcp_mux(const struct audio_line *line, struct peer_params *p,
                         struct negotiate_error *err)
{
    if (!negotiate_find_transport(line, STR("rtcp-mux"), NULL))
        return negotiate_refuse(err, NEGOTIATE_E_RTCP_MUX, line->m->line, "a=rtcp-mux",
                                "RTP and RTCP must share one port");
    p->reduced_size_rtcp = sdp_find(line->offer, line->m, STR("rtcp-rsize")) != NULL;
    p->nack = true; /* see negotiate_write.c: not to be had by asking what was offered */
    return 0;
}

/** RFC 8839 §5.4: 4 to 256 and 22 to 256 ice-chars. */
static int read_ice_text(const struct audio_line *line, struct str name, size_t min, char *buf,
                         const char *attribute, struct negotiate_error *err)
{
    const struct sdp_attr *a = negotiate_find_transport(line, name, NULL);
    if (!a)
        return negotiate_refuse(err, NEGOTIATE_E_ICE, line->m->line, attribute,
                                "ICE credentials are missing");
    if (!sdp_is_ice_chars(a->value, min, PEER_MAX_ICE_TEXT) ||
        !str_copy(a->value, buf, PEER_MAX_ICE_TEXT + 1))
        return negotiate_refuse(err, NEGOTIATE_E_ICE, a->line, attribute,
                                "malformed ICE credentials");
    return 0;
}

static int read_ice(const struct audio_line *line, struct peer_params *p,
                    struct negotiate_error *err)
{
    int code = read_ice_text(line, STR("ice-ufrag"), 4, p->remote_ufrag, "a=ice-ufrag", err);
    if (code)
        return code;
    code = read_ice_text(line, STR("ice-pwd"), 22, p->remote_pwd, "a=ice-pwd", err);
    if (code)
        return code;
    p->remote_lite = sdp_find(line->offer, NULL, STR("ice-lite")) != NULL;
    p->remote_trickle =
        sdp_has_ice_option(line->offer, line->m, STR("trickle")) ||
        (line->tagged && sdp_has_ice_option(line->offer, line->tagged, STR("trickle")));
    return 0;
}

static int read_candidates(const struct audio_line *line, struct peer_params *p,
                           struct negotiate_error *err)
{
    (void)err;
    const struct sdp_media *level = NULL;
    const struct sdp_attr *a = negotiate_find_transport(line, STR("candidate"), &level);
    for (; a && p->n_candidates < PEER_MAX_CANDIDATES;
         a = sdp_next(line->offer, level, STR("candidate"), a))
        p->candidates[p->n_candidates++] = sdp_candidate_text(a);
    p->remote_end_of_candidates =
        negotiate_find_transport(line, STR("end-of-candidates"), NULL) != NULL;
    return 0;
}

/**
 * RFC 5763 §5: who offers actpass leaves the choice to us. As DTLS server we pick the SRTP profile,
 * so we are the server whenever we may. No a=setup means active (RFC 4145 §4).
 */
static int read_setup(const struct audio_line *line, struct peer_params *p,
                      struct negotiate_error *err)
{
    const struct sdp_attr *a = negotiate_find_transport(line, STR("setup"), NULL);
    enum sdp_setup setup = SDP_SETUP_ACTIVE;

    if (a && !sdp_setup_parse(a->value, &setup))
        return negotiate_refuse(err, NEGOTIATE_E_SETUP, a->line, "a=setup",
                                "must be actpass, active or passive");
    if (setup == SDP_SETUP_HOLDCONN)
        return negotiate_refuse(err, NEGOTIATE_E_SETUP, a->line, "a=setup",
                                "holdconn asks for no connection at all");
    p->dtls_client = setup == SDP_SETUP_PASSIVE;
    return 0;
}

/** RFC 8122 §5: several fingerprints may stand together, unknown hash functions are passed over. */
static int read_fingerprints(const struct audio_line *line, struct peer_params *p,
                             struct negotiate_error *err)
{
    const struct sdp_media *level = NULL;
    const struct sdp_attr *a = negotiate_find_transport(line, STR("fingerprint"), &level);
    if (!a)
        return negotiate_refuse(err, NEGOTIATE_E_FINGERPRINT, line->m->line, "a=fingerprint",
                                "the fingerprint of the certificate is missing");
    unsigned first = a->line;
    for (; a; a = sdp_next(line->offer, level, STR("fingerprint"), a)) {
        struct sdp_fingerprint f;
        int code = sdp_fingerprint_parse(a->value, &f);
        if (code == SDP_E_FINGERPRINT)
            return negotiate_refuse(err, NEGOTIATE_E_FINGERPRINT, a->line, "a=fingerprint",
                                    "malformed fingerprint");
        if (code == 0 && p->n_fingerprints < PEER_MAX_FINGERPRINTS)
            p->fingerprints[p->n_fingerprints++] = f;
    }
    if (p->n_fingerprints == 0)
        return negotiate_refuse(err, NEGOTIATE_E_FINGERPRINT, first, "a=fingerprint",
                                "only sha-256, sha-384 and sha-512 are accepted");
    return 0;
}

static int read_direction(const struct audio_line *line, struct peer_params *p,
                          struct negotiate_error *err)
{
    (void)err;
    enum sdp_direction theirs = sdp_find_direction(line->offer, line->m);
    p->may_receive = theirs & SDP_SENDONLY;
    p->may_send = theirs & SDP_RECVONLY;
    return 0;
}

const struct negotiate_ext negotiate_exts[PEER_N_EXT] = {
    [PEER_EXT_AUDIO_LEVEL] = {"urn:ietf:params:rtp-hdrext:ssrc-audio-level", true},
    [PEER_EXT_TRANSPORT_CC] =
        {"http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01", false},
};

static void take_extension(struct peer_params *p, const struct sdp_extmap *e)
{
    /* RFC 8285 §4.2: these ids fit the one-byte header, which everyone understands. */
    if (e->id < 1 || e->id > 14)
        return;
    for (size_t i = 0; i < PEER_N_EXT; i++) {
        if (!str_eq(e->uri, str_of(negotiate_exts[i].uri)) || p->ext_send[i] || p->ext_recv[i])
            continue;
        bool is_sent = negotiate_exts[i].is_sent && e->direction & SDP_RECVONLY;
        p->ext_recv[i] = e->direction & SDP_SENDONLY ? (uint8_t)e->id : 0;
        p->ext_send[i] = is_sent ? (uint8_t)e->id : 0;
    }
}

static int read_extensions(const struct audio_line *line, struct peer_params *p,
                           struct negotiate_error *err)
{
    (void)err;
    const struct sdp_media *levels[] = {line->m, NULL};
    for (size_t i = 0; i < ARRAY_LEN(levels); i++) {
        const struct sdp_attr *a = NULL;
        while ((a = sdp_next(line->offer, levels[i], STR("extmap"), a))) {
            struct sdp_extmap e;
            if (sdp_extmap_parse(a->value, &e))
                take_extension(p, &e);
        }
    }
    return 0;
}

static bool has_ssrc(const struct peer_params *p, uint32_t ssrc)
{
    for (unsigned i = 0; i < p->n_ssrcs; i++) {
        if (p->ssrcs[i] == ssrc)
            return true;
    }
    return false;
}

static int read_ssrcs(const struct audio_line *line, struct peer_params *p,
                      struct negotiate_error *err)
{
    (void)err;
    const struct sdp_attr *a = NULL;
    while ((a = sdp_next(line->offer, line->m, STR("ssrc"), a)) && p->n_ssrcs < PEER_MAX_SSRCS) {
        struct sdp_ssrc s;
        if (sdp_ssrc_parse(a->value, &s) && !has_ssrc(p, s.ssrc))
            p->ssrcs[p->n_ssrcs++] = s.ssrc;
    }
    return 0;
}

static int read_ptime(const struct audio_line *line, struct peer_params *p,
                      struct negotiate_error *err)
{
    (void)err;
    p->ptime_ms = sdp_find_ptime(line->offer, line->m, STR("ptime"));
    p->max_ptime_ms = sdp_find_ptime(line->offer, line->m, STR("maxptime"));
    return 0;
}

static const reader_fn media_readers[] = {
    read_mid, read_direction, read_extensions, read_ssrcs, read_ptime, NULL,
};

static const reader_fn transport_readers[] = {
    read_bundle, read_rtcp_mux, read_ice, read_candidates, read_setup, read_fingerprints, NULL,
};

static int read_with(const reader_fn *readers, const struct audio_line *line, struct peer_params *p,
                     struct negotiate_error *err)
{
    for (; *readers; readers++) {
        int code = (*readers)(line, p, err);
        if (code)
            return code;
    }
    return 0;
}

int negotiate_read_media(const struct audio_line *line, struct peer_params *p,
                         struct negotiate_error *err)
{
    return read_with(media_readers, line, p, err);
}

int negotiate_read(const struct sdp *offer, struct audio_line *ret_line, struct peer_params *ret,
                   struct negotiate_error *err)
{
    int code = negotiate_find_audio(offer, &negotiate_webrtc, ret_line, err);
    if (!code)
        code = negotiate_read_media(ret_line, ret, err);
    return code ? code : read_with(transport_readers, ret_line, ret, err);
}

int negotiate_check(const struct sdp *offer, struct negotiate_error *err)
{
    struct audio_line line;
    struct peer_params scratch = {0};
    return negotiate_read(offer, &line, &scratch, err);
}
