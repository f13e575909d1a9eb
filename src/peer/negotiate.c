/* Offer/answer for one audio stream.
 *
 * An offer is read in two independent halves. Codecs belong to the call: both offers are laid
 * side by side (negotiate_common) before either is answered, because a relay that cannot
 * transcode must not let one person talk Opus to someone who only hears PCMU. Everything else
 * (ICE, DTLS, extensions, direction) belongs to one leg and is negotiate_read.c. The answer is
 * then written from peer_params and the codec set; of the offer's own text only words that were
 * checked are echoed.
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

bool negotiate_has_codec(const struct sdp *s, const struct sdp_media *m)
{
    struct sdp_rtpmap map;
    for (enum codec_id id = CODEC_OPUS; id < CODEC_FIRST_COMPANION; id++) {
        if (negotiate_find_codec(s, m, id, 0, &map))
            return true;
    }
    return false;
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
    int code = negotiate_find_audio(offer, &negotiate_webrtc, &a, NULL);
    if (!code)
        code = negotiate_find_audio(other, &negotiate_webrtc, &b, NULL);
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
