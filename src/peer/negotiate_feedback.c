/* a=rtcp-fb and a=rtcp-xr of the audio line: what is agreed, and how the answer says it.
 *
 * transport-cc needs both its feedback line and its header extension, and we take it one way only:
 * we report what we receive, what we send bears no numbers (docs/rfc/rtp.md). REMB is the old way
 * to the same end and taken only where the new one is not offered.
 *
 * NACK is the exception: it is answered although nobody offers it for audio.
 */
#include "peer/negotiate_private.h"

bool negotiate_offers_feedback(const struct audio_line *line, uint8_t pt, struct str type)
{
    const struct sdp_attr *a = NULL;
    while ((a = sdp_next(line->offer, line->m, STR("rtcp-fb"), a))) {
        struct sdp_rtcp_fb fb;
        if (sdp_rtcp_fb_parse(a->value, &fb) && (fb.all || fb.pt == pt) && str_eq(fb.type, type) &&
            fb.parameter.len == 0)
            return true;
    }
    return false;
}

/** RFC 3611 §5.1: what an offer may name, and what we ask for then. */
static const struct {
    const char *name;
    const char *answer;
} xr_rows[PEER_N_XR] = {
    [PEER_XR_REFERENCE] = {"rcvr-rtt", "rcvr-rtt=all"},
    [PEER_XR_SUMMARY] = {"stat-summary", "stat-summary=loss,dup,jitt"},
    [PEER_XR_VOIP] = {"voip-metrics", "voip-metrics"},
};

static void take_xr(struct peer_params *p, struct str word)
{
    for (size_t i = 0; i < PEER_N_XR; i++) {
        struct str rest = word;
        if (!str_starts_with(rest, str_of(xr_rows[i].name)))
            continue;
        rest = str_tail(rest, str_of(xr_rows[i].name).len);
        if (rest.len == 0 || rest.p[0] == '=' || rest.p[0] == ':')
            p->xr[i] = true;
    }
}

static void read_xr(const struct audio_line *line, struct peer_params *p)
{
    const struct sdp_attr *a = sdp_find_inherited(line->offer, line->m, STR("rtcp-xr"));
    struct str words = a ? a->value : (struct str){0};
    for (struct str word; (word = str_take_word(&words)).len;)
        take_xr(p, word);
}

void negotiate_read_feedback(const struct audio_line *line, struct peer_params *p)
{
    uint8_t pt = p->codecs[0].pt;
    if (!negotiate_offers_feedback(line, pt, STR("transport-cc")))
        p->ext_recv[PEER_EXT_TRANSPORT_CC] = 0;
    p->remb = !p->ext_recv[PEER_EXT_TRANSPORT_CC] &&
              negotiate_offers_feedback(line, pt, STR("goog-remb"));
    read_xr(line, p);
}

static void write_fb(struct text *t, uint8_t pt, const char *type)
{
    text_printf(t, "a=rtcp-fb:%u %s\r\n", (unsigned)pt, type);
}

void negotiate_write_feedback(struct text *t, const struct audio_line *line,
                              const struct peer_params *p, uint8_t pt)
{
    /* RFC 4585 §4.2 would have this offered first. Chromium never offers NACK for audio, but obeys
     * it in an answer, in both directions (observed in Chromium 156); Firefox and werift take what
     * they know. docs/rfc/sdp.md */
    if (p->nack)
        write_fb(t, pt, "nack");
    if (p->ext_recv[PEER_EXT_TRANSPORT_CC] &&
        negotiate_offers_feedback(line, pt, STR("transport-cc")))
        write_fb(t, pt, "transport-cc");
    if (p->remb && negotiate_offers_feedback(line, pt, STR("goog-remb")))
        write_fb(t, pt, "goog-remb");
}

void negotiate_write_xr(struct text *t, const struct peer_params *p)
{
    const char *separator = "a=rtcp-xr:";
    for (size_t i = 0; i < PEER_N_XR; i++) {
        if (!p->xr[i])
            continue;
        text_printf(t, "%s%s", separator, xr_rows[i].answer);
        separator = " ";
    }
    if (separator[0] == ' ')
        text_put(t, STR("\r\n"));
}
