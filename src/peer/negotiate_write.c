/* The answer as text. Everything was decided before: here the accepted line is written from
 * peer_params and the codec set, and every other line of the offer is refused in its place. Of the
 * offer's own text only words that were checked are echoed.
 */
#include <inttypes.h>
#include <string.h>

#include "peer/negotiate_private.h"
#include "sdp/opus.h"

static void write_attr(struct text *t, const char *name, struct str value)
{
    text_printf(t, "a=%s:", name);
    text_put(t, value);
    text_put(t, STR("\r\n"));
}

void negotiate_write_rtpmap(struct text *t, const struct sdp_rtpmap *map)
{
    text_printf(t, "a=rtpmap:%u ", (unsigned)map->pt);
    text_put(t, map->encoding);
    text_put(t, STR("\r\n"));
}

static void write_session(struct text *t, const struct audio_line *line,
                          const struct negotiate_local *local)
{
    text_printf(t,
                "v=0\r\n"
                "o=- %" PRIu64 " %" PRIu64 " IN IP4 0.0.0.0\r\n"
                "s=Duet\r\n"
                "t=0 0\r\n",
                local->session_id, local->session_version);
    /* RFC 8843 §7.3.1: only what is accepted stays in the group. */
    if (line->bundled) {
        text_put(t, STR("a=group:BUNDLE "));
        if (line->anchor) {
            text_put(t, negotiate_mid(line->offer, line->anchor));
            text_put(t, STR(" "));
        }
        text_put(t, line->mid);
        text_put(t, STR("\r\n"));
    }
    if (local->ice_lite)
        text_put(t, STR("a=ice-lite\r\n"));
}

/** What a refused line's formats are: werift fails on a payload type without its codec. */
static void write_refused_formats(struct text *t, const struct sdp *offer,
                                  const struct sdp_media *m)
{
    struct str formats = m->formats;
    struct sdp_rtpmap map;
    uint64_t number;

    for (struct str word; (word = str_take_word(&formats)).len;) {
        if (str_to_u64(word, 127, &number) && sdp_find_rtpmap(offer, m, (uint8_t)number, &map))
            negotiate_write_rtpmap(t, &map);
    }
    const struct sdp_attr *port = sdp_find(offer, m, STR("sctp-port"));
    if (port && str_to_u64(port->value, UINT16_MAX, &number))
        write_attr(t, "sctp-port", port->value);
}

/**
 * RFC 3264 §6: a refused stream keeps its place, its kind and its formats. Chrome fails on a line
 * without a format, and needs the mid to know the line again.
 */
void negotiate_write_refused(struct text *t, const struct sdp *offer, const struct sdp_media *m)
{
    struct str formats = m->formats;
    text_put(t, STR("m="));
    text_put(t, m->type);
    text_put(t, STR(" 0 "));
    text_put(t, m->proto);
    for (struct str word; (word = str_take_word(&formats)).len;) {
        text_put(t, STR(" "));
        text_put(t, word);
    }
    text_put(t, STR("\r\nc=IN IP4 0.0.0.0\r\na=inactive\r\n"));
    struct str mid = negotiate_mid(offer, m);
    if (sdp_is_token(mid))
        write_attr(t, "mid", mid);
    write_refused_formats(t, offer, m);
}

/** RFC 4733 §2.4.1: "0-15,66,70"; nothing means 0-15. */
static void write_event_fmtp(struct text *t, uint8_t pt, struct str fmtp)
{
    for (size_t i = 0; i < fmtp.len; i++) {
        if (!memchr("0123456789,-", fmtp.p[i], 12))
            return;
    }
    if (fmtp.len == 0 || fmtp.len > 64)
        return;
    text_printf(t, "a=fmtp:%u ", (unsigned)pt);
    text_put(t, fmtp);
    text_put(t, STR("\r\n"));
}

static void write_fmtp(struct text *t, const struct codec *codec, uint8_t pt)
{
    struct sdp_opus opus;

    switch (codec->id) {
    case CODEC_OPUS:
        opus = sdp_opus_parse(codec->fmtp);
        sdp_opus_write(t, pt, &opus);
        break;
    case CODEC_TELEPHONE_EVENT:
        write_event_fmtp(t, pt, codec->fmtp);
        break;
    case CODEC_PCMU:
    case CODEC_PCMA:
    case CODEC_G722:
    case CODEC_CN:
        break;
    }
}

/** Not an event, which repeats itself (RFC 4733 §2.5.1.4), nor what fills a silence. */
static bool is_audio(enum codec_id id)
{
    return id != CODEC_TELEPHONE_EVENT && id != CODEC_CN;
}

void negotiate_write_codecs(struct text *t, const struct audio_line *line,
                            const struct codec_set *set, const struct peer_params *p)
{
    negotiate_write_red(t, line, p);
    for (unsigned i = 0; i < p->n_codecs; i++) {
        struct sdp_rtpmap map = {0};
        (void)sdp_find_rtpmap(line->offer, line->m, p->codecs[i].pt, &map);
        negotiate_write_rtpmap(t, &map);
        if (is_audio(p->codecs[i].id))
            negotiate_write_feedback(t, line, p, p->codecs[i].pt);
        write_fmtp(t, &set->codecs[i], p->codecs[i].pt);
    }
    if (set->ptime_ms)
        text_printf(t, "a=ptime:%u\r\n", set->ptime_ms);
    if (set->max_ptime_ms)
        text_printf(t, "a=maxptime:%u\r\n", set->max_ptime_ms);
}

void negotiate_write_extensions(struct text *t, const struct peer_params *p)
{
    for (size_t i = 0; i < PEER_N_EXT; i++) {
        unsigned send = p->ext_send[i] ? SDP_SENDONLY : 0;
        unsigned recv = p->ext_recv[i] ? SDP_RECVONLY : 0;
        if (!send && !recv)
            continue;
        sdp_extmap_write(t, &(struct sdp_extmap){
                                .id = send ? p->ext_send[i] : p->ext_recv[i],
                                .direction = (enum sdp_direction)(send | recv),
                                .uri = str_of(negotiate_exts[i].uri),
                            });
    }
}

void negotiate_write_transport(struct text *t, const struct negotiate_local *local,
                               enum sdp_setup setup)
{
    struct sdp_fingerprint f = {.hash = SDP_SHA256, .len = sizeof(local->fingerprint)};
    memcpy(f.digest, local->fingerprint, sizeof(local->fingerprint));

    write_attr(t, "ice-ufrag", local->ufrag);
    write_attr(t, "ice-pwd", local->pwd);
    write_attr(t, "ice-options", STR("trickle"));
    sdp_fingerprint_write(t, &f);
    write_attr(t, "setup", str_of(sdp_setup_name(setup)));
    for (size_t i = 0; i < local->n_candidates; i++) {
        text_put(t, STR("a="));
        text_put(t, local->candidates[i]);
        text_put(t, STR("\r\n"));
    }
    if (local->end_of_candidates)
        text_put(t, STR("a=end-of-candidates\r\n"));
}

/** What we send is announced only when we may send. */
void negotiate_write_source(struct text *t, const struct negotiate_local *local,
                            const struct peer_params *p)
{
    if (!p->may_send)
        return;
    if (local->msid.len) {
        text_printf(t, "a=msid:%.*s %.*s\r\n", STR_FMT(local->msid), STR_FMT(local->msid));
    }
    text_printf(t, "a=ssrc:%u cname:%.*s\r\n", (unsigned)local->ssrc, STR_FMT(local->cname));
}

static enum sdp_setup setup_of(const struct peer_params *p)
{
    return p->dtls_client ? SDP_SETUP_ACTIVE : SDP_SETUP_PASSIVE;
}

/** A section of another kind that is kept for its transport: one of its formats, never used. */
static void write_anchor(struct text *t, const struct audio_line *line,
                         const struct negotiate_local *local, const struct peer_params *p)
{
    struct str formats = line->anchor->formats;
    struct str format = str_take_word(&formats);
    struct sdp_rtpmap map;
    uint64_t pt;

    text_put(t, STR("m="));
    text_put(t, line->anchor->type);
    text_put(t, STR(" 9 "));
    text_put(t, line->anchor->proto);
    text_put(t, STR(" "));
    text_put(t, format);
    text_put(t, STR("\r\nc=IN IP4 0.0.0.0\r\n"));
    write_attr(t, "mid", negotiate_mid(line->offer, line->anchor));
    text_put(t, STR("a=inactive\r\na=rtcp-mux\r\n"));
    negotiate_write_transport(t, local, setup_of(p));
    if (str_to_u64(format, 127, &pt) &&
        sdp_find_rtpmap(line->offer, line->anchor, (uint8_t)pt, &map))
        negotiate_write_rtpmap(t, &map);
}

enum sdp_direction negotiate_direction(const struct peer_params *p)
{
    return (enum sdp_direction)((p->may_send ? SDP_SENDONLY : 0u) |
                                (p->may_receive ? SDP_RECVONLY : 0u));
}

static void write_accepted(struct text *t, const struct audio_line *line,
                           const struct codec_set *set, const struct negotiate_local *local,
                           const struct peer_params *p)
{
    text_put(t, STR("m=audio 9 "));
    text_put(t, line->m->proto);
    if (p->red_pt)
        text_printf(t, " %u", (unsigned)p->red_pt);
    for (unsigned i = 0; i < p->n_codecs; i++)
        text_printf(t, " %u", (unsigned)p->codecs[i].pt);
    text_put(t, STR("\r\nc=IN IP4 0.0.0.0\r\n"));
    if (p->mid[0])
        write_attr(t, "mid", line->mid);
    text_printf(t, "a=%s\r\na=rtcp-mux\r\n", sdp_direction_name(negotiate_direction(p)));
    if (p->reduced_size_rtcp)
        text_put(t, STR("a=rtcp-rsize\r\n"));
    negotiate_write_xr(t, p);
    negotiate_write_transport(t, local, setup_of(p));
    negotiate_write_codecs(t, line, set, p);
    negotiate_write_extensions(t, p);
    negotiate_write_source(t, local, p);
}

void negotiate_write_answer(struct text *t, const struct audio_line *line,
                            const struct codec_set *set, const struct negotiate_local *local,
                            const struct peer_params *p)
{
    write_session(t, line, local);
    for (unsigned i = 0; i < line->offer->n_media; i++) {
        const struct sdp_media *m = &line->offer->media[i];
        if (m == line->m)
            write_accepted(t, line, set, local, p);
        else if (m == line->anchor)
            write_anchor(t, line, local, p);
        else
            negotiate_write_refused(t, line->offer, m);
    }
}
