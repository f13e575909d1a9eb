/* Offer/answer for one audio stream.
 *
 * An offer is read in two independent halves. Codecs belong to the call: both offers are laid
 * side by side (negotiate_common) before either is answered, because a relay that cannot
 * transcode must not let one person talk Opus to someone who only hears PCMU. Everything else
 * (ICE, DTLS, extensions, direction) belongs to one leg: a list of readers fills peer_params, the
 * first one that fails names the line to blame. The answer is then written from peer_params and
 * the codec set; of the offer's own text only words that were checked are echoed.
 *
 *     offer a ──┬─ find_audio ─ readers ─────────────► peer_params ─┐
 *               └─┐                                                 ├─► answer a
 *     offer b ────┴─ codecs of both, wishes of b ────► codec_set ───┘
 *
 * What we tell leg a to send is what leg b's receiver asked for: b's fmtp and ptime stand in
 * a's answer (they are declarations of a receiver, RFC 7587 §6.1, RFC 4733 §2.4.1).
 */
#include "peer/negotiate.h"

#include <assert.h>

#include "peer/negotiate_private.h"
#include "sdp/opus.h"

int negotiate_refuse(struct negotiate_error *err, int code, unsigned line, const char *attribute,
                     const char *text)
{
    if (err)
        *err = (struct negotiate_error){.line = line, .attribute = attribute, .text = text};
    return code;
}

/* ---- codecs --------------------------------------------------------------------------- */

/** In order of preference; the index is enum codec_id. */
static const struct {
    const char *name;
    uint32_t clock_rate; /* Hz; 0 = any, part of the identity */
    uint8_t channels;
} codec_rows[] = {
    [CODEC_OPUS] = {"opus", 48000, 2}, /* RFC 7587 §7: always 48000/2 */
    [CODEC_PCMU] = {"PCMU", 8000, 1},
    [CODEC_PCMA] = {"PCMA", 8000, 1},
    [CODEC_G722] = {"G722", 8000, 1},
    /* Those that follow are never alone. Only the clock of the telephony codecs: Opus has comfort
     * noise of its own. */
    [CODEC_CN] = {"CN", 8000, 1},
    [CODEC_TELEPHONE_EVENT] = {"telephone-event", 0, 1},
};

#define CODEC_FIRST_COMPANION CODEC_CN

static bool is_codec(const struct sdp_rtpmap *map, enum codec_id id)
{
    return str_caseeq(map->name, str_of(codec_rows[id].name)) &&
           map->channels == codec_rows[id].channels &&
           (codec_rows[id].clock_rate == 0 || map->clock_rate == codec_rows[id].clock_rate);
}

bool negotiate_next_format(const struct sdp *s, const struct sdp_media *m, struct str *rest,
                           struct sdp_rtpmap *ret)
{
    for (struct str word; (word = str_take_word(rest)).len;) {
        uint64_t pt;
        if (!str_to_u64(word, 127, &pt) || (pt >= 64 && pt <= 95))
            continue;
        if (sdp_find_rtpmap(s, m, (uint8_t)pt, ret))
            return true;
    }
    return false;
}

bool negotiate_find_codec(const struct sdp *s, const struct sdp_media *m, enum codec_id id,
                          uint32_t clock_rate, struct sdp_rtpmap *ret)
{
    struct str rest = m->formats;
    struct sdp_rtpmap map;

    while (negotiate_next_format(s, m, &rest, &map)) {
        if (!is_codec(&map, id) || (clock_rate && map.clock_rate != clock_rate))
            continue;
        *ret = map;
        return true;
    }
    return false;
}

static bool has_any_codec(const struct sdp *s, const struct sdp_media *m)
{
    struct sdp_rtpmap map;
    for (enum codec_id id = CODEC_OPUS; id < CODEC_FIRST_COMPANION; id++) {
        if (negotiate_find_codec(s, m, id, 0, &map))
            return true;
    }
    return false;
}

/* ---- the audio line ------------------------------------------------------------------- */

/**
 * RFC 9429 §5.1.2 wants every spelling of RTP profiles accepted; we take those that promise what
 * we do: encrypted, with feedback. RTP/SAVPF with a fingerprint is how browsers wrote it until 2015
 * and how Kurento still does.
 */
static const char *const protos[] = {
    "UDP/TLS/RTP/SAVPF", "TCP/DTLS/RTP/SAVPF", "TCP/TLS/RTP/SAVPF", "RTP/SAVPF", NULL,
};

static const struct negotiate_profile webrtc = {protos, "audio must be UDP/TLS/RTP/SAVPF"};

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
        if (has_proto(profile, m->proto) && has_any_codec(offer, m)) {
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
    if (!line->anchor || line->anchor->port == 0 || !has_proto(&webrtc, line->anchor->proto) ||
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
    int code = negotiate_find_audio(offer, &webrtc, ret_line, err);
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

/* ---- codecs of a call ----------------------------------------------------------------- */

static void add_codec(struct codec_set *set, const struct audio_line *other, enum codec_id id,
                      const struct sdp_rtpmap *theirs)
{
    if (set->n == PEER_MAX_CODECS)
        return;
    set->codecs[set->n++] = (struct codec){
        .id = id,
        .clock_rate = theirs->clock_rate,
        .fmtp = sdp_find_fmtp(other->offer, other->m, theirs->pt),
    };
}

/** The highest telephone-event clock below a limit that both lines have; 0 = no more. */
static uint32_t next_event_clock(const struct audio_line *a, const struct audio_line *b,
                                 uint32_t below, struct sdp_rtpmap *ret_b)
{
    struct str rest = a->m->formats;
    struct sdp_rtpmap map;
    uint32_t best = 0;

    while (negotiate_next_format(a->offer, a->m, &rest, &map)) {
        if (is_codec(&map, CODEC_TELEPHONE_EVENT) && map.clock_rate < below &&
            map.clock_rate > best &&
            negotiate_find_codec(b->offer, b->m, CODEC_TELEPHONE_EVENT, map.clock_rate, ret_b))
            best = map.clock_rate;
    }
    return best;
}

/** RFC 3389 §5: comfort noise runs on the clock of the codec whose silence it fills. */
static bool has_clock(const struct codec_set *set, uint32_t clock_rate)
{
    for (unsigned i = 0; i < set->n; i++) {
        if (set->codecs[i].clock_rate == clock_rate)
            return true;
    }
    return false;
}

int negotiate_line_codecs(const struct audio_line *a, const struct audio_line *b,
                          struct codec_set *ret)
{
    struct sdp_rtpmap in_a, in_b;
    struct codec_set set = {0};

    for (enum codec_id id = CODEC_OPUS; id < CODEC_FIRST_COMPANION; id++) {
        if (negotiate_find_codec(a->offer, a->m, id, 0, &in_a) &&
            negotiate_find_codec(b->offer, b->m, id, 0, &in_b))
            add_codec(&set, b, id, &in_b);
    }
    if (set.n == 0)
        return NEGOTIATE_E_NO_CODEC;
    if (has_clock(&set, codec_rows[CODEC_CN].clock_rate) &&
        negotiate_find_codec(a->offer, a->m, CODEC_CN, 0, &in_a) &&
        negotiate_find_codec(b->offer, b->m, CODEC_CN, 0, &in_b))
        add_codec(&set, b, CODEC_CN, &in_b);
    for (uint32_t clock = UINT32_MAX; (clock = next_event_clock(a, b, clock, &in_b));)
        add_codec(&set, b, CODEC_TELEPHONE_EVENT, &in_b);
    set.ptime_ms = sdp_find_ptime(b->offer, b->m, STR("ptime"));
    set.max_ptime_ms = sdp_find_ptime(b->offer, b->m, STR("maxptime"));
    *ret = set;
    return 0;
}

int negotiate_common(const struct sdp *offer, const struct sdp *other, struct codec_set *ret)
{
    struct audio_line a, b;
    int code = negotiate_find_audio(offer, &webrtc, &a, NULL);
    if (!code)
        code = negotiate_find_audio(other, &webrtc, &b, NULL);
    return code ? code : negotiate_line_codecs(&a, &b, ret);
}

int negotiate_own(const struct sdp *offer, struct codec_set *ret)
{
    return negotiate_common(offer, offer, ret);
}

/* ---- the answer ----------------------------------------------------------------------- */

static struct peer_opus peer_opus(struct str fmtp)
{
    struct sdp_opus o = sdp_opus_parse(fmtp);
    const uint32_t *value = o.value;
    return (struct peer_opus){
        .max_playback_rate_hz =
            o.given[SDP_OPUS_MAXPLAYBACKRATE] ? value[SDP_OPUS_MAXPLAYBACKRATE] : 48000,
        .max_bitrate_bps = value[SDP_OPUS_MAXAVERAGEBITRATE],
        .stereo = value[SDP_OPUS_STEREO],
        .inband_fec = value[SDP_OPUS_USEINBANDFEC],
        .dtx = value[SDP_OPUS_USEDTX],
        .cbr = value[SDP_OPUS_CBR],
    };
}

int negotiate_match_codecs(const struct audio_line *line, const struct codec_set *set,
                           struct peer_params *p, struct negotiate_error *err)
{
    for (unsigned i = 0; i < set->n; i++) {
        const struct codec *codec = &set->codecs[i];
        struct sdp_rtpmap map;
        if (!negotiate_find_codec(line->offer, line->m, codec->id, codec->clock_rate, &map))
            return negotiate_refuse(err, NEGOTIATE_E_NO_CODEC, line->m->line, "m=audio",
                                    "a codec that both sides need is not offered");
        p->codecs[i] = (struct peer_codec){
            .id = codec->id, .pt = map.pt, .channels = map.channels, .clock_rate = map.clock_rate};
        if (codec->id == CODEC_OPUS)
            p->opus = peer_opus(sdp_find_fmtp(line->offer, line->m, map.pt));
    }
    p->n_codecs = set->n;
    return 0;
}

int negotiate_answer(const struct sdp *offer, const struct codec_set *set,
                     const struct negotiate_local *local, struct peer_params *ret,
                     struct text *answer, struct negotiate_error *err)
{
    struct audio_line line;
    struct peer_params p = {.local_ssrc = local->ssrc};
    struct text before = *answer;

    assert(set->n > 0 && set->n <= PEER_MAX_CODECS);
    assert(sdp_is_ice_chars(local->ufrag, 4, 256) && sdp_is_ice_chars(local->pwd, 22, 256));
    int code = negotiate_read(offer, &line, &p, err);
    if (code)
        return code;
    code = negotiate_hold_to(&line, local->before, &p, err);
    if (code)
        return code;
    p.may_send = p.may_send && !local->never_sends;
    p.may_receive = p.may_receive && !local->never_receives;
    code = negotiate_match_codecs(&line, set, &p, err);
    if (code)
        return code;
    if (local->red)
        negotiate_read_red(&line, &p);
    negotiate_read_feedback(&line, &p);
    negotiate_write_answer(answer, &line, set, local, &p);
    if (answer->failed) {
        *answer = before;
        answer->buf[answer->len] = 0;
        return negotiate_refuse(err, NEGOTIATE_E_TOO_LONG, 0, "m=", "the answer would be too long");
    }
    *ret = p;
    return 0;
}

const char *negotiate_error_write(const struct negotiate_error *err, char *buf)
{
    struct text t;
    text_init(&t, buf, NEGOTIATE_ERROR_MAX);
    if (err->line)
        text_printf(&t, "line %u, ", err->line);
    text_printf(&t, "%s: %s", err->attribute, err->text);
    return buf;
}
