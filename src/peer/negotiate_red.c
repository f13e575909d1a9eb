/* RED (RFC 2198) is agreed with one leg alone: the relay opens it for who does not have it, so it
 * is a matter of the line that loses packets and not of both ends. It carries the first codec,
 * Opus, and nothing else; an offer that would mix codecs in it is answered without.
 *
 * The payload type stands before Opus in the answer: a sender uses the first (RFC 3264 §6.1), and
 * Chromium sends RED only then (observed in Chromium 156). */
#include "peer/negotiate_private.h"

/** RFC 2198 §5: "a=fmtp:121 0/5"; all of them must be the one that we want. */
static bool carries_only(struct str fmtp, uint8_t pt)
{
    if (fmtp.len == 0)
        return false;
    while (fmtp.len) {
        uint64_t number;
        if (!str_to_u64(str_take_until(&fmtp, '/'), 127, &number) || number != pt)
            return false;
    }
    return true;
}

void negotiate_read_red(const struct audio_line *line, struct peer_params *p)
{
    const struct peer_codec *codec = &p->codecs[0];
    struct str rest = line->m->formats;
    struct sdp_rtpmap map;

    if (codec->id != CODEC_OPUS)
        return;
    while (negotiate_next_format(line->offer, line->m, &rest, &map)) {
        if (str_caseeq(map.name, STR("red")) && map.clock_rate == codec->clock_rate &&
            map.channels == codec->channels &&
            carries_only(sdp_find_fmtp(line->offer, line->m, map.pt), codec->pt)) {
            p->red_pt = map.pt;
            return;
        }
    }
}

void negotiate_write_red(struct text *t, const struct audio_line *line, const struct peer_params *p)
{
    struct sdp_rtpmap map;
    unsigned pt = p->codecs[0].pt;
    if (!p->red_pt || !sdp_find_rtpmap(line->offer, line->m, p->red_pt, &map))
        return;
    negotiate_write_rtpmap(t, &map);
    text_printf(t, "a=fmtp:%u %u/%u\r\n", (unsigned)p->red_pt, pt, pt);
}
