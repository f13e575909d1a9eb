/* Offers of real and made-up clients: the facts that are read, the answers that are written.
 *
 * Every answer of every test goes through check_answer(), which reads both texts with a line
 * splitter of its own (not with the parser under test) and holds them against RFC 3264, 8843 and
 * 8285: same lines in the same order, nothing in the answer that was not offered.
 */
#include <ctype.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/mem.h"
#include "peer/negotiate.h"

#define FILE_MAX 32768

/* ---- an independent reader of SDP ------------------------------------------------------ */

struct section {
    struct str lines[1024]; /* without line ends; [0] is the m= line (session: v=) */
    unsigned n;
};

struct split {
    struct section sections[SDP_MAX_MEDIA + 1]; /* [0] = session */
    unsigned n;
};

static void split(struct str text, struct split *ret)
{
    ret->n = 1;
    ret->sections[0].n = 0;
    while (text.len) {
        struct str line = str_trim(str_take_until(&text, '\n'));
        if (str_starts_with(line, STR("m=")))
            ret->sections[ret->n++].n = 0;
        struct section *s = &ret->sections[ret->n - 1];
        assert_true(s->n < ARRAY_LEN(s->lines));
        s->lines[s->n++] = line;
    }
}

/** What follows the n-th line that begins like this; a NULL view = none. */
static struct str line_after(const struct section *s, const char *start, unsigned nth)
{
    for (unsigned i = 0; i < s->n; i++) {
        if (str_starts_with(s->lines[i], str_of(start)) && nth-- == 0)
            return str_tail(s->lines[i], strlen(start));
    }
    return (struct str){0};
}

static bool has_line(const struct section *s, const char *line)
{
    for (unsigned i = 0; i < s->n; i++) {
        if (str_eq(s->lines[i], str_of(line)))
            return true;
    }
    return false;
}

static bool is_among(struct str list, struct str word)
{
    for (struct str w; (w = str_take_word(&list)).len;) {
        if (str_eq(w, word))
            return true;
    }
    return false;
}

/** "111" -> "opus/48000/2" of a section, by its own a=rtpmap; static ones by what RFC 3551 says. */
static struct str encoding_of(const struct section *s, struct str pt)
{
    struct str map;
    for (unsigned i = 0; (map = line_after(s, "a=rtpmap:", i)).p; i++) {
        if (str_eq(str_take_word(&map), pt))
            return str_trim(map);
    }
    if (str_eq(pt, STR("0")))
        return STR("PCMU/8000");
    if (str_eq(pt, STR("8")))
        return STR("PCMA/8000");
    if (str_eq(pt, STR("13")))
        return STR("CN/8000");
    return str_eq(pt, STR("9")) ? STR("G722/8000") : (struct str){0};
}

static void check_m_line(const struct section *o, const struct section *a, bool accepted)
{
    struct str offered = o->lines[0], answered = a->lines[0];
    assert_true(str_eq(str_take_word(&offered), str_take_word(&answered))); /* kind */
    (void)str_take_word(&offered);
    struct str port = str_take_word(&answered);
    assert_true(str_eq(port, accepted ? STR("9") : STR("0")));
    assert_true(str_eq(str_take_word(&offered), str_take_word(&answered))); /* proto */
    unsigned n = 0;
    for (struct str pt; (pt = str_take_word(&answered)).len; n++) {
        assert_true(is_among(offered, pt));
        if (accepted)
            assert_true(str_eq(encoding_of(o, pt), encoding_of(a, pt)));
    }
    assert_true(n > 0);
    struct str mid = line_after(o, "a=mid:", 0);
    assert_true(str_eq(mid, line_after(a, "a=mid:", 0)));
}

static struct str setup_of(const struct split *s, const struct section *m)
{
    struct str setup = line_after(m, "a=setup:", 0);
    if (!setup.p)
        setup = line_after(&s->sections[0], "a=setup:", 0);
    return setup;
}

static void check_extmaps(const struct split *o, const struct section *om, const struct section *am)
{
    struct str taken;
    for (unsigned i = 0; (taken = line_after(am, "a=extmap:", i)).p; i++) {
        struct str id = str_take_word(&taken);
        struct str number = str_take_until(&id, '/');
        bool found = false;
        const struct section *levels[] = {om, &o->sections[0]};
        for (size_t l = 0; l < ARRAY_LEN(levels); l++) {
            struct str e;
            for (unsigned k = 0; (e = line_after(levels[l], "a=extmap:", k)).p; k++) {
                struct str offered_id = str_take_word(&e);
                if (str_eq(str_take_until(&offered_id, '/'), number) &&
                    str_eq(str_take_word(&e), str_trim(taken)))
                    found = true;
            }
        }
        assert_true(found);
    }
}

static void check_accepted(const struct split *o, const struct section *om,
                           const struct section *am)
{
    struct str setup = setup_of(o, om);
    bool offered_passive = setup.p && str_eq(setup, STR("passive"));
    assert_true(has_line(am, offered_passive ? "a=setup:active" : "a=setup:passive"));
    assert_true(has_line(am, "a=rtcp-mux"));
    if (has_line(am, "a=rtcp-rsize"))
        assert_true(has_line(om, "a=rtcp-rsize"));
    assert_true(line_after(am, "a=ice-ufrag:", 0).len >= 4);
    assert_true(line_after(am, "a=ice-pwd:", 0).len >= 22);
    assert_int_equal(line_after(am, "a=fingerprint:sha-256 ", 0).len, 32 * 3 - 1);
    assert_null(line_after(am, "a=crypto", 0).p);
    check_extmaps(o, om, am);
}

static void check_bundle(const struct split *o, const struct split *a)
{
    struct str group = line_after(&a->sections[0], "a=group:BUNDLE", 0);
    struct str offered = line_after(&o->sections[0], "a=group:BUNDLE", 0);
    if (group.p)
        assert_non_null(offered.p);
    for (struct str mid; (mid = str_take_word(&group)).len;)
        assert_true(is_among(offered, mid));
    /* RFC 8843 §7.3.3: what is refused is not in the group, what is accepted stays in it. */
    group = line_after(&a->sections[0], "a=group:BUNDLE", 0);
    for (unsigned i = 1; i < a->n; i++) {
        struct str m = a->sections[i].lines[0];
        (void)str_take_word(&m);
        bool refused = str_eq(str_take_word(&m), STR("0"));
        struct str mid = line_after(&a->sections[i], "a=mid:", 0);
        assert_int_equal(mid.len && is_among(group, mid),
                         !refused && mid.len && is_among(offered, mid));
    }
}

/** @param kept index of another line that must be accepted for its transport; -1 = none */
static void check_answer(struct str offer, struct str answer, const struct peer_params *p, int kept)
{
    static struct split o, a;
    split(offer, &o);
    split(answer, &a);
    assert_int_equal(o.n, a.n);
    for (size_t i = 0; i < answer.len; i++) {
        if (answer.p[i] == '\n')
            assert_true(i > 0 && answer.p[i - 1] == '\r');
    }
    for (unsigned i = 1; i < o.n; i++) {
        bool accepted = i - 1 == p->mline_index;
        check_m_line(&o.sections[i], &a.sections[i], accepted || (int)i - 1 == kept);
        if (accepted)
            check_accepted(&o, &o.sections[i], &a.sections[i]);
        else
            assert_true(has_line(&a.sections[i], "a=inactive"));
    }
    check_bundle(&o, &a);
    struct sdp again;
    assert_int_equal(sdp_parse(&again, answer, NULL), 0);
    assert_int_equal(again.n_media, o.n - 1);
    sdp_deinit(&again);
}

/* ---- fixtures -------------------------------------------------------------------------- */

static const char *const fixtures[] = {
    "chromium_audio",    "chromium_av",        "firefox_audio",    "firefox_av",  "werift_audio",
    "safari17_audio",    "safari12_audio",     "kurento_utils_av", "pcmu_device", "setup_active",
    "setup_passive",     "session_level",      "strange_mids",     "two_audio",   "datachannel",
    "bundle_only_audio", "firefox_max_bundle",
};

static struct str load(const char *name, char *buf)
{
    char path[512];
    (void)snprintf(path, sizeof(path), "%s/sdp/%s.sdp", DUET_TEST_DATA, name);
    FILE *f = fopen(path, "rb");
    if (!f)
        fail_msg("%s is missing", path);
    size_t len = fread(buf, 1, FILE_MAX, f);
    assert_true(len > 0 && len < FILE_MAX);
    (void)fclose(f);
    return (struct str){buf, len};
}

static struct sdp parsed(struct str text)
{
    struct sdp s;
    struct sdp_error err = {0};
    int code = sdp_parse(&s, text, &err);
    if (code)
        fail_msg("line %u: %s", err.line, err.text);
    return s;
}

/* media.red of the answers that follow. */
static bool is_red_on;

static struct negotiate_local our_side(void)
{
    struct negotiate_local local = {
        .ufrag = STR("abcdefgh"),
        .pwd = STR("ABCDEFGHIJKLMNOPQRSTUVWX"),
        .ssrc = 0xCAFE0001,
        .cname = STR("cname0123456789"),
        .msid = STR("duet"),
        .session_id = 0x7FFFFFFFFFFFFFFF,
        .session_version = 1,
        .red = is_red_on,
    };
    for (unsigned i = 0; i < 32; i++)
        local.fingerprint[i] = (uint8_t)(0xF0 + i);
    return local;
}

/** Answers one offer, alone or towards another one, and checks the answer. */
static int answer_text(struct str offer, struct str other, struct peer_params *p, char *buf,
                       struct negotiate_error *err)
{
    struct sdp s, t;
    struct codec_set set;
    struct text text;
    struct negotiate_local local = our_side();

    int code = sdp_parse(&s, offer, NULL);
    if (code)
        return 1000 + code;
    t = parsed(other.len ? other : offer);
    text_init(&text, buf, NEGOTIATE_ANSWER_MAX);
    code = negotiate_common(&s, &t, &set);
    if (!code)
        code = negotiate_answer(&s, &set, &local, p, &text, err);
    else if (negotiate_check(&s, err) == 0 && err)
        *err = (struct negotiate_error){.line = 1, .attribute = "m=audio", .text = "common"};
    if (!code) {
        int kept = -1;
        struct str mids;
        if (s.media[p->mline_index].port == 0 && sdp_find_bundle(&s, str_of(p->mid), &mids))
            kept = (int)(sdp_find_mid(&s, str_take_word(&mids)) - s.media);
        check_answer(offer, text_str(&text), p, kept);
    }
    sdp_deinit(&s);
    sdp_deinit(&t);
    return code;
}

static char answer_buf[NEGOTIATE_ANSWER_MAX];

static struct peer_params answered(const char *name, const char *other)
{
    static char offer_buf[FILE_MAX], other_buf[FILE_MAX];
    struct negotiate_error err = {0};
    struct peer_params p = {0};
    struct str offer = load(name, offer_buf);
    struct str behind = other ? load(other, other_buf) : (struct str){0};
    int code = answer_text(offer, behind, &p, answer_buf, &err);
    if (code)
        fail_msg("%s: code %d, line %u %s", name, code, err.line, err.text ? err.text : "");
    return p;
}

#define O  CODEC_OPUS
#define U  CODEC_PCMU
#define A  CODEC_PCMA
#define G  CODEC_G722
#define CN CODEC_CN
#define TE CODEC_TELEPHONE_EVENT

static void facts_of_each_offer(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        unsigned mline;
        const char *mid;
        const char *ufrag;
        enum codec_id codecs[PEER_MAX_CODECS];
        unsigned pts[PEER_MAX_CODECS + 1]; /* ends with 999 */
        unsigned level_send, level_recv;   /* ids of RFC 6464 */
        bool client, send, receive, trickle;
        unsigned n_ssrcs;
        uint32_t ssrc;
    } rows[] = {
        {"chromium_audio",
         0,
         "0",
         "hc83",
         {O, U, A, G, CN, TE, TE},
         {111, 0, 8, 9, 13, 110, 126, 999},
         1,
         1,
         false,
         true,
         true,
         true,
         1,
         3679084672},
        {"chromium_av",
         0,
         "0",
         "F+31",
         {O, U, A, G, CN, TE, TE},
         {111, 0, 8, 9, 13, 110, 126, 999},
         1,
         1,
         false,
         true,
         true,
         true,
         1,
         3448550496},
        {"firefox_audio",
         0,
         "0",
         "a982cbe8",
         {O, U, A, G, TE},
         {109, 0, 8, 9, 101, 999},
         1,
         1,
         false,
         true,
         true,
         true,
         1,
         1847631019},
        {"firefox_av",
         0,
         "0",
         "392d11f2",
         {O, U, A, G, TE},
         {109, 0, 8, 9, 101, 999},
         1,
         1,
         false,
         true,
         true,
         true,
         1,
         7730407},
        {"werift_audio",
         0,
         "0",
         "06a1",
         {O, U},
         {96, 0, 999},
         0,
         0,
         false,
         true,
         true,
         true,
         1,
         3755545272},
        {"safari17_audio",
         0,
         "0",
         "Zb4q",
         {O, U, A, G, CN, TE, TE},
         {111, 0, 8, 9, 13, 110, 126, 999},
         1,
         1,
         false,
         true,
         true,
         true,
         1,
         2204961337},
        {"safari12_audio",
         0,
         "audio",
         "tX/2",
         {O, U, A, G, CN, TE, TE, TE},
         {111, 0, 8, 9, 13, 110, 113, 126, 999},
         1,
         1,
         false,
         true,
         true,
         true,
         1,
         1001002003},
        {"kurento_utils_av",
         0,
         "0",
         "9sHk",
         {O, U, A, G, CN, TE, TE, TE, TE},
         {111, 0, 8, 9, 13, 110, 112, 113, 126, 999},
         1,
         1,
         false,
         true,
         true,
         true,
         1,
         3018725511},
        {"pcmu_device", 0, "", "door", {U}, {0, 999}, 0, 0, false, true, true, false, 0, 0},
        {"setup_active",
         0,
         "0",
         "acti",
         {O, A},
         {96, 8, 999},
         0,
         0,
         false,
         false,
         true,
         true,
         0,
         0},
        {"setup_passive",
         0,
         "0",
         "pass",
         {O, A},
         {96, 8, 999},
         0,
         0,
         true,
         true,
         false,
         true,
         0,
         0},
        {"session_level",
         0,
         "",
         "sessionlevelufrag",
         {O, TE},
         {97, 101, 999},
         0,
         5,
         false,
         true,
         false,
         true,
         0,
         0},
        {"strange_mids",
         1,
         "aud.7_~",
         "mids",
         {O},
         {107, 999},
         0,
         0,
         false,
         true,
         true,
         true,
         2,
         1},
        {"two_audio", 2, "b", "twoa", {O}, {111, 999}, 0, 0, false, true, true, true, 0, 0},
        {"datachannel",
         0,
         "0",
         "datc",
         {O, A, TE},
         {109, 8, 101, 999},
         0,
         0,
         false,
         true,
         true,
         true,
         0,
         0},
        {"bundle_only_audio", 1, "a", "bndl", {O}, {111, 999}, 0, 0, false, true, true, true, 0, 0},
        {"firefox_max_bundle",
         1,
         "1",
         "973c49f7",
         {O, U, A, G, TE},
         {109, 0, 8, 9, 101, 999},
         1,
         1,
         false,
         true,
         true,
         true,
         1,
         1416536527},
    };
    assert_int_equal(ARRAY_LEN(rows), ARRAY_LEN(fixtures));
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct peer_params p = answered(rows[i].name, NULL);
        print_message("%s\n", rows[i].name);
        assert_int_equal(p.mline_index, rows[i].mline);
        assert_string_equal(p.mid, rows[i].mid);
        assert_string_equal(p.remote_ufrag, rows[i].ufrag);
        assert_true(strlen(p.remote_pwd) >= 22);
        for (unsigned k = 0; k < p.n_codecs; k++) {
            assert_int_equal(p.codecs[k].id, rows[i].codecs[k]);
            assert_int_equal(p.codecs[k].pt, rows[i].pts[k]);
        }
        assert_int_equal(rows[i].pts[p.n_codecs], 999);
        assert_int_equal(p.ext_send[PEER_EXT_AUDIO_LEVEL], rows[i].level_send);
        assert_int_equal(p.ext_recv[PEER_EXT_AUDIO_LEVEL], rows[i].level_recv);
        assert_int_equal(p.dtls_client, rows[i].client);
        assert_int_equal(p.may_send, rows[i].send);
        assert_int_equal(p.may_receive, rows[i].receive);
        assert_int_equal(p.remote_trickle, rows[i].trickle);
        assert_int_equal(p.n_ssrcs, rows[i].n_ssrcs);
        if (p.n_ssrcs)
            assert_int_equal(p.ssrcs[0], rows[i].ssrc);
        assert_int_equal(p.local_ssrc, 0xCAFE0001);
        assert_true(p.n_fingerprints >= 1);
    }
}

static void details_of_some_offers(void **state)
{
    (void)state;
    struct peer_params p = answered("pcmu_device", NULL);
    assert_true(p.remote_lite);
    assert_true(p.remote_end_of_candidates);
    assert_int_equal(p.n_candidates, 2);
    assert_true(
        str_eq(p.candidates[0], STR("candidate:1 1 UDP 2130706431 192.0.2.77 30000 typ host")));
    assert_int_equal(p.ptime_ms, 30);
    assert_int_equal(p.codecs[0].clock_rate, 8000);
    assert_int_equal(p.codecs[0].channels, 1);
    assert_int_equal(p.fingerprints[0].digest[0], 7);

    p = answered("bundle_only_audio", NULL); /* all of it stands in the video section */
    assert_int_equal(p.n_candidates, 1);
    assert_int_equal(p.n_fingerprints, 1);
    assert_false(p.dtls_client);

    p = answered("session_level", NULL); /* sha-1 is passed over */
    assert_int_equal(p.n_fingerprints, 2);
    assert_int_equal(p.fingerprints[0].hash, SDP_SHA512);
    assert_int_equal(p.fingerprints[1].hash, SDP_SHA256);
    assert_true(p.opus.dtx);
    assert_false(p.opus.cbr);
    assert_int_equal(p.opus.max_playback_rate_hz, 16000);

    p = answered("firefox_audio", NULL);
    assert_true(p.opus.stereo);
    assert_true(p.opus.inband_fec);
    assert_false(p.opus.dtx);
    assert_int_equal(p.opus.max_playback_rate_hz, 48000);
    assert_int_equal(p.opus.max_bitrate_bps, 0);
    assert_int_equal(p.codecs[0].channels, 2);

    p = answered("setup_active", NULL);
    assert_int_equal(p.opus.max_bitrate_bps, 24000);
}

/* ---- answers --------------------------------------------------------------------------- */

static bool answer_has(const char *line)
{
    return strstr(answer_buf, line) != NULL;
}

static void an_answer_to_the_letter(void **state)
{
    (void)state;
    static const char expected[] =
        "v=0\r\n"
        "o=- 9223372036854775807 1 IN IP4 0.0.0.0\r\n"
        "s=Duet\r\n"
        "t=0 0\r\n"
        "a=group:BUNDLE 0\r\n"
        "m=audio 9 UDP/TLS/RTP/SAVPF 111 0 8 9 126\r\n"
        "c=IN IP4 0.0.0.0\r\n"
        "a=mid:0\r\n"
        "a=sendrecv\r\n"
        "a=rtcp-mux\r\n"
        "a=ice-ufrag:abcdefgh\r\n"
        "a=ice-pwd:ABCDEFGHIJKLMNOPQRSTUVWX\r\n"
        "a=ice-options:trickle\r\n"
        "a=fingerprint:sha-256 F0:F1:F2:F3:F4:F5:F6:F7:F8:F9:FA:FB:FC:FD:FE:FF:00:01:02:03:04:05:"
        "06:07:08:09:0A:0B:0C:0D:0E:0F\r\n"
        "a=setup:passive\r\n"
        "a=rtpmap:111 opus/48000/2\r\n"
        "a=rtcp-fb:111 nack\r\n"
        "a=rtcp-fb:111 transport-cc\r\n"
        "a=fmtp:111 maxplaybackrate=48000;stereo=1;useinbandfec=1\r\n"
        "a=rtpmap:0 PCMU/8000\r\n"
        "a=rtcp-fb:0 nack\r\n"
        "a=rtpmap:8 PCMA/8000\r\n"
        "a=rtcp-fb:8 nack\r\n"
        "a=rtpmap:9 G722/8000\r\n"
        "a=rtcp-fb:9 nack\r\n"
        "a=rtpmap:126 telephone-event/8000\r\n"
        "a=fmtp:126 0-15\r\n"
        "a=extmap:1 urn:ietf:params:rtp-hdrext:ssrc-audio-level\r\n"
        "a=extmap:3/recvonly "
        "http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01\r\n"
        "a=msid:duet duet\r\n"
        "a=ssrc:3405643777 cname:cname0123456789\r\n"
        "m=video 0 UDP/TLS/RTP/SAVPF 96 97 98 99 100 101 127 124 125\r\n"
        "c=IN IP4 0.0.0.0\r\n"
        "a=inactive\r\n"
        "a=mid:1\r\n"
        "a=rtpmap:96 VP8/90000\r\n"
        "a=rtpmap:97 rtx/90000\r\n"
        "a=rtpmap:98 VP9/90000\r\n"
        "a=rtpmap:99 rtx/90000\r\n"
        "a=rtpmap:100 H264/90000\r\n"
        "a=rtpmap:101 rtx/90000\r\n"
        "a=rtpmap:127 red/90000\r\n"
        "a=rtpmap:124 rtx/90000\r\n"
        "a=rtpmap:125 ulpfec/90000\r\n";
    (void)answered("kurento_utils_av", "firefox_audio");
    assert_string_equal(answer_buf, expected);
}

static void wishes_of_the_other_leg(void **state)
{
    (void)state;
    (void)answered("firefox_audio", "chromium_audio");
    assert_true(answer_has("a=fmtp:109 minptime=10;useinbandfec=1\r\n"));
    assert_false(answer_has("a=fmtp:101"));
    (void)answered("chromium_audio", "werift_audio"); /* it asks for nothing */
    assert_false(answer_has("a=fmtp:111"));
    (void)answered("werift_audio", "setup_active"); /* and unknown parameters stay behind */
    assert_true(answer_has("a=fmtp:96 maxaveragebitrate=24000;stereo=0;useinbandfec=1\r\n"));
    (void)answered("chromium_audio", "pcmu_device");
    assert_true(answer_has("m=audio 9 UDP/TLS/RTP/SAVPF 0\r\n"));
    assert_true(answer_has("a=ptime:30\r\n"));
    (void)answered("chromium_audio", "session_level");
    assert_true(answer_has("a=fmtp:126 0-15,66\r\n"));
}

static void other_shapes(void **state)
{
    (void)state;
    (void)answered("setup_active", NULL);
    assert_true(answer_has("a=recvonly\r\n"));
    assert_false(answer_has("a=ssrc:"));
    assert_false(answer_has("a=msid:"));
    (void)answered("setup_passive", NULL);
    assert_true(answer_has("a=setup:active\r\n"));
    assert_true(answer_has("a=sendonly\r\n"));
    (void)answered("session_level", NULL);
    assert_true(answer_has("m=audio 9 RTP/SAVPF 97 101\r\n"));
    assert_true(answer_has("a=extmap:5/recvonly urn:"));
    (void)answered("werift_audio", NULL);
    assert_true(answer_has("a=rtpmap:96 OPUS/48000/2\r\n"));
    (void)answered("strange_mids", NULL);
    assert_true(answer_has("a=group:BUNDLE aud.7_~\r\n"));
    (void)answered("datachannel", NULL);
    assert_true(answer_has("m=application 0 UDP/DTLS/SCTP webrtc-datachannel\r\n"));
    assert_true(answer_has("a=group:BUNDLE 0\r\n"));
    assert_true(answer_has("a=sctp-port:5000\r\n"));
    (void)answered("chromium_audio", NULL);
    assert_true(answer_has("a=rtcp-rsize\r\n"));
    (void)answered("bundle_only_audio", NULL);
    assert_true(answer_has("a=group:BUNDLE v a\r\nm=video 9 UDP/TLS/RTP/SAVPF 96\r\n"));
}

static void candidates_can_be_embedded(void **state)
{
    (void)state;
    static char buf[FILE_MAX];
    struct sdp s = parsed(load("chromium_audio", buf));
    struct codec_set set;
    struct peer_params p;
    struct text t;
    struct negotiate_local local = our_side();
    const struct str candidates[] = {
        STR("candidate:1 1 UDP 2015363327 192.0.2.5 45678 typ host"),
        STR("candidate:2 1 UDP 2015363326 2001:db8::1 45678 typ host"),
    };
    local.candidates = candidates;
    local.n_candidates = 2;
    local.end_of_candidates = true;
    local.ice_lite = true;
    local.msid = STR("");
    assert_int_equal(negotiate_own(&s, &set), 0);
    text_init(&t, answer_buf, sizeof(answer_buf));
    assert_int_equal(negotiate_answer(&s, &set, &local, &p, &t, NULL), 0);
    assert_true(answer_has("a=candidate:1 1 UDP 2015363327 192.0.2.5 45678 typ host\r\n"
                           "a=candidate:2 1 UDP 2015363326 2001:db8::1 45678 typ host\r\n"
                           "a=end-of-candidates\r\n"));
    assert_true(answer_has("t=0 0\r\na=group:BUNDLE 0\r\na=ice-lite\r\nm=audio"));
    assert_false(answer_has("a=msid"));
    sdp_deinit(&s);
}

static void room_for_the_answer(void **state)
{
    (void)state;
    static char buf[FILE_MAX];
    static char small[NEGOTIATE_ANSWER_MAX];
    struct sdp s = parsed(load("chromium_av", buf));
    struct codec_set set;
    struct negotiate_local local = our_side();
    struct text t;
    struct peer_params p;
    assert_int_equal(negotiate_own(&s, &set), 0);
    text_init(&t, small, sizeof(small));
    assert_int_equal(negotiate_answer(&s, &set, &local, &p, &t, NULL), 0);
    size_t needed = t.len + 1;
    for (size_t cap = 1; cap < needed; cap++) {
        struct negotiate_error err = {0};
        struct peer_params untouched = {.mline_index = 77};
        text_init(&t, small, cap);
        assert_int_equal(negotiate_answer(&s, &set, &local, &untouched, &t, &err),
                         NEGOTIATE_E_TOO_LONG);
        assert_non_null(err.text);
        assert_int_equal(untouched.mline_index, 77);
        assert_int_equal(t.len, 0);
        assert_int_equal(small[0], 0);
    }
    text_init(&t, small, needed);
    assert_int_equal(negotiate_answer(&s, &set, &local, &p, &t, NULL), 0);
    sdp_deinit(&s);
}

/* ---- both offers of a call ------------------------------------------------------------- */

static bool same_codecs(const struct codec_set *a, const struct codec_set *b)
{
    if (a->n != b->n)
        return false;
    for (unsigned i = 0; i < a->n; i++) {
        if (a->codecs[i].id != b->codecs[i].id ||
            a->codecs[i].clock_rate != b->codecs[i].clock_rate)
            return false;
    }
    return true;
}

/** Each with each: symmetric, and both peers end with the same codecs at the same places. */
static void every_pair_of_offers(void **state)
{
    (void)state;
    static char buf[2][FILE_MAX];
    unsigned answered_pairs = 0;
    for (size_t i = 0; i < ARRAY_LEN(fixtures); i++) {
        for (size_t k = 0; k < ARRAY_LEN(fixtures); k++) {
            struct str texts[2] = {load(fixtures[i], buf[0]), load(fixtures[k], buf[1])};
            struct sdp a = parsed(texts[0]), b = parsed(texts[1]);
            struct codec_set of_a, of_b;
            struct peer_params p = {0}, q = {0};
            int code = negotiate_common(&a, &b, &of_a);
            assert_int_equal(negotiate_common(&b, &a, &of_b), code);
            if (!code) {
                assert_true(same_codecs(&of_a, &of_b));
                assert_int_equal(answer_text(texts[0], texts[1], &p, answer_buf, NULL), 0);
                assert_int_equal(answer_text(texts[1], texts[0], &q, answer_buf, NULL), 0);
                assert_int_equal(p.n_codecs, of_a.n);
                for (unsigned c = 0; c < p.n_codecs; c++) {
                    assert_int_equal(p.codecs[c].id, q.codecs[c].id);
                    assert_int_equal(p.codecs[c].clock_rate, q.codecs[c].clock_rate);
                }
                answered_pairs++;
            } else {
                assert_int_equal(code, NEGOTIATE_E_NO_CODEC);
            }
            sdp_deinit(&a);
            sdp_deinit(&b);
        }
    }
    /* Only the PCMU phone cannot speak with the seven that have no PCMU. */
    assert_int_equal(answered_pairs, 17 * 17 - 2 * 7);
}

static void common_codecs(void **state)
{
    (void)state;
    static const struct {
        const char *a, *b;
        enum codec_id codecs[PEER_MAX_CODECS];
        unsigned n;
    } rows[] = {
        {"chromium_audio", "pcmu_device", {U}, 1},
        {"chromium_audio", "werift_audio", {O, U}, 2},
        {"chromium_audio", "firefox_audio", {O, U, A, G, TE}, 5},
        {"chromium_audio", "safari12_audio", {O, U, A, G, CN, TE, TE}, 7},
        {"setup_active", "session_level", {O}, 1},
        {"datachannel", "chromium_av", {O, A, TE}, 3},
    };
    static char buf[2][FILE_MAX];
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct sdp a = parsed(load(rows[i].a, buf[0])), b = parsed(load(rows[i].b, buf[1]));
        struct codec_set set;
        assert_int_equal(negotiate_common(&a, &b, &set), 0);
        assert_int_equal(set.n, rows[i].n);
        for (unsigned c = 0; c < set.n; c++)
            assert_int_equal(set.codecs[c].id, rows[i].codecs[c]);
        sdp_deinit(&a);
        sdp_deinit(&b);
    }
}

/** Comfort noise needs both, and a codec of its clock; it is nothing by itself. */
static void comfort_noise_goes_along(void **state)
{
    static const struct {
        const char *a, *b; /* m=audio formats */
        enum codec_id codecs[PEER_MAX_CODECS];
        unsigned n; /* 0 = nothing in common */
    } rows[] = {
        {"0 13", "13 8 0", {U, CN}, 2}, {"9 13", "9 13", {G, CN}, 2}, {"0 13", "0", {U}, 1},
        {"0 97", "0 13", {U, CN}, 2}, /* dynamic towards static */
        {"0 98", "0 98", {U}, 1},     /* another clock */
        {"96 13", "96 13", {O}, 1},     {"13", "13", {O}, 0},         {"96 13", "0 13", {O}, 0},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        char buf[2][512];
        struct sdp s[2];
        struct codec_set set;
        for (size_t k = 0; k < 2; k++) {
            (void)snprintf(buf[k], sizeof(buf[k]),
                           "v=0\nm=audio 9 UDP/TLS/RTP/SAVPF %s\na=rtpmap:96 opus/48000/2\n"
                           "a=rtpmap:97 cn/8000\na=rtpmap:98 CN/16000\n",
                           k ? rows[i].b : rows[i].a);
            s[k] = parsed(str_of(buf[k]));
        }
        assert_int_equal(negotiate_common(&s[0], &s[1], &set),
                         rows[i].n ? 0 : NEGOTIATE_E_NO_CODEC);
        for (unsigned c = 0; c < rows[i].n; c++)
            assert_int_equal(set.codecs[c].id, rows[i].codecs[c]);
        assert_true(rows[i].n == 0 || set.n == rows[i].n);
        sdp_deinit(&s[0]);
        sdp_deinit(&s[1]);
    }
}

/* ---- broken offers --------------------------------------------------------------------- */

#define FP                                                                                         \
    "00:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:EE:FF:00:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:"   \
    "EE:FF"

static const char base_offer[] = "v=0\n"
                                 "t=0 0\n"
                                 "m=audio 9 UDP/TLS/RTP/SAVPF 96\n"
                                 "a=mid:0\n"
                                 "a=ice-ufrag:abcd\n"
                                 "a=ice-pwd:0123456789012345678901\n"
                                 "a=fingerprint:sha-256 " FP "\n"
                                 "a=setup:actpass\n"
                                 "a=rtcp-mux\n"
                                 "a=rtpmap:96 opus/48000/2\n";

/** Copy of the base offer with the n-th line (1-based) replaced; empty = left out. */
static struct str with_line(unsigned n, const char *line, char *buf, size_t size)
{
    struct str rest = str_of(base_offer);
    struct text t;
    text_init(&t, buf, size);
    for (unsigned i = 1; rest.len; i++) {
        struct str old = str_take_until(&rest, '\n');
        struct str now = i == n ? str_of(line) : old;
        if (now.len) {
            text_put(&t, now);
            text_put(&t, STR("\n"));
        }
    }
    assert_false(t.failed);
    return text_str(&t);
}

/** The base offer with these lines behind it. */
static struct str with_lines(const char *lines, char *buf, size_t size)
{
    int len = snprintf(buf, size, "%s%s", base_offer, lines);
    assert_true(len > 0 && (size_t)len < size);
    return (struct str){buf, (size_t)len};
}

/* ---- feedback -------------------------------------------------------------------------- */

#define TCC_URI "http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01"

static void feedback_that_both_understand(void **state)
{
    static const struct {
        const char *offered;
        uint8_t transport_id;
        bool remb;
        const char *answered; /* NULL = neither transport-cc nor REMB */
    } rows[] = {
        {"a=extmap:3 " TCC_URI "\na=rtcp-fb:96 transport-cc\n", 3, false,
         "a=rtcp-fb:96 nack\r\na=rtcp-fb:96 transport-cc\r\n"},
        {"a=extmap:14/sendonly " TCC_URI "\na=rtcp-fb:* transport-cc\n", 14, false,
         "a=extmap:14/recvonly " TCC_URI "\r\n"},
        /* numbers that it only wants to get: we have none */
        {"a=extmap:3/recvonly " TCC_URI "\na=rtcp-fb:96 transport-cc\n", 0, false, NULL},
        {"a=extmap:3 " TCC_URI "\n", 0, false, NULL},
        {"a=rtcp-fb:96 transport-cc\n", 0, false, NULL},
        {"a=extmap:3 " TCC_URI "\na=rtcp-fb:97 transport-cc\n", 0, false, NULL},
        {"a=extmap:3 " TCC_URI "\na=rtcp-fb:96 transport-cc 2\n", 0, false, NULL},
        {"a=rtcp-fb:96 goog-remb\n", 0, true, "a=rtcp-fb:96 goog-remb\r\n"},
        {"a=rtcp-fb:96 goog-remb\na=rtcp-fb:96 transport-cc\n", 0, true,
         "a=rtcp-fb:96 goog-remb\r\n"},
        {"a=rtcp-fb:96 goog-remb\na=extmap:3 " TCC_URI "\na=rtcp-fb:96 transport-cc\n", 3, false,
         "a=rtcp-fb:96 transport-cc\r\n"},
        {"a=rtcp-fb:96 ccm fir\na=rtcp-fb:96 nack pli\n", 0, false, NULL},
    };
    char buf[2048];
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct peer_params p = {0};
        struct str offer = with_lines(rows[i].offered, buf, sizeof(buf));
        assert_int_equal(answer_text(offer, (struct str){0}, &p, answer_buf, NULL), 0);
        assert_int_equal(p.ext_recv[PEER_EXT_TRANSPORT_CC], rows[i].transport_id);
        assert_int_equal(p.ext_send[PEER_EXT_TRANSPORT_CC], 0);
        assert_int_equal(p.remb, rows[i].remb);
        if (rows[i].answered)
            assert_true(answer_has(rows[i].answered));
        assert_int_equal(answer_has("transport-cc"), rows[i].transport_id != 0);
        assert_int_equal(answer_has("goog-remb"), rows[i].remb);
        assert_false(answer_has("fir") || answer_has("pli"));
    }
}

static void extended_reports_that_are_asked_for(void **state)
{
    static const struct {
        const char *offered, *answered;
    } rows[] = {
        {"a=rtcp-xr:rcvr-rtt=all\n", "a=rtcp-xr:rcvr-rtt=all\r\n"},
        {"a=rtcp-xr:rcvr-rtt=sender:1000 pkt-loss-rle\n", "a=rtcp-xr:rcvr-rtt=all\r\n"},
        {"a=rtcp-xr:voip-metrics stat-summary=loss,TTL\n",
         "a=rtcp-xr:stat-summary=loss,dup,jitt voip-metrics\r\n"},
        {"a=rtcp-xr:stat-summary\n", "a=rtcp-xr:stat-summary=loss,dup,jitt\r\n"},
        {"a=rtcp-xr:voip-metricsx rcvr-rt pkt-dup-rle\n", NULL},
        {"a=rtcp-xr:\n", NULL},
        {"a=rtcp-xr\n", NULL},
        {"", NULL},
    };
    char buf[2048];
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct peer_params p = {0};
        struct str offer = with_lines(rows[i].offered, buf, sizeof(buf));
        assert_int_equal(answer_text(offer, (struct str){0}, &p, answer_buf, NULL), 0);
        if (rows[i].answered)
            assert_true(answer_has(rows[i].answered));
        else
            assert_false(answer_has("rtcp-xr"));
    }
}

/* ---- RED -------------------------------------------------------------------------------- */

/** Of the recorded offers those of Chromium and Safari have it; it needs no second leg that has. */
static void red_stands_before_what_it_carries(void **state)
{
    (void)state;
    is_red_on = true;
    struct peer_params p = answered("chromium_audio", "firefox_audio");
    assert_int_equal(p.red_pt, 63);
    assert_true(answer_has("UDP/TLS/RTP/SAVPF 63 111 "));
    assert_true(answer_has("a=rtpmap:63 red/48000/2\r\na=fmtp:63 111/111\r\na=rtpmap:111 "));
    assert_int_equal(p.codecs[0].id, CODEC_OPUS);
    p = answered("firefox_audio", "chromium_audio");
    assert_int_equal(p.red_pt, 0);
    assert_false(answer_has("red/48000"));
    is_red_on = false;
    p = answered("chromium_audio", "chromium_audio");
    assert_int_equal(p.red_pt, 0);
    assert_false(answer_has("a=rtpmap:63"));
}

static void red_of_anything_else_is_not_answered(void **state)
{
    static const struct {
        const char *offered;
        uint8_t pt;
    } rows[] = {
        {"a=rtpmap:97 red/48000/2\na=fmtp:97 96/96\n", 97},
        {"a=rtpmap:97 RED/48000/2\na=fmtp:97 96\n", 97},
        {"a=rtpmap:97 red/48000/2\na=fmtp:97 96/96/96/96\n", 97},
        {"a=rtpmap:97 red/48000/2\n", 0},
        {"a=rtpmap:97 red/48000/2\na=fmtp:97 96/98\n", 0},
        {"a=rtpmap:97 red/48000/2\na=fmtp:97 97/97\n", 0},
        {"a=rtpmap:97 red/48000/2\na=fmtp:97 96//96\n", 0},
        {"a=rtpmap:97 red/48000/2\na=fmtp:97 96/-96\n", 0},
        {"a=rtpmap:97 red/48000/2\na=fmtp:97 /\n", 0},
        {"a=rtpmap:97 red/8000\na=fmtp:97 96/96\n", 0},
        {"a=rtpmap:97 red/48000\na=fmtp:97 96/96\n", 0},
        {"a=rtpmap:98 red/48000/2\na=fmtp:98 96/96\n", 0}, /* not in the m= line */
    };
    char buf[2048], offer[2048];
    (void)state;
    is_red_on = true;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct peer_params p = {0};
        struct str base = with_line(3, "m=audio 9 UDP/TLS/RTP/SAVPF 96 97", buf, sizeof(buf));
        (void)snprintf(offer, sizeof(offer), "%.*s%s", STR_FMT(base), rows[i].offered);
        assert_int_equal(answer_text(str_of(offer), (struct str){0}, &p, answer_buf, NULL), 0);
        assert_int_equal(p.red_pt, rows[i].pt);
        assert_int_equal(answer_has("a=fmtp:97 96/96\r\n"), rows[i].pt != 0);
    }
    is_red_on = false;
}

/* ---- parameters of Opus ---------------------------------------------------------------- */

/**
 * Each with each: A's answer says what B's receiver asked for, in legal values only, whatever A
 * asked for itself; and what A asked for is known of A.
 */
static void opus_parameters_of_each_towards_each(void **state)
{
    static const struct {
        const char *offered;  /* a=fmtp of one; NULL = none */
        const char *answered; /* a=fmtp of the other one's answer; NULL = none */
        struct peer_opus opus;
    } rows[] = {
        {NULL, NULL, {.max_playback_rate_hz = 48000}},
        {"minptime=10;useinbandfec=1",
         "minptime=10;useinbandfec=1",
         {.max_playback_rate_hz = 48000, .inband_fec = true}},
        {"usedtx=1; useinbandfec=1; stereo=1; cbr=1",
         "stereo=1;cbr=1;useinbandfec=1;usedtx=1",
         {48000, 0, .stereo = true, .inband_fec = true, .dtx = true, .cbr = true}},
        {"maxaveragebitrate=20000;maxplaybackrate=16000;usedtx=0",
         "maxplaybackrate=16000;maxaveragebitrate=20000;usedtx=0",
         {.max_playback_rate_hz = 16000, .max_bitrate_bps = 20000}},
        /* out of their range: as if not said; RFC 7587 §6.1 */
        {"maxaveragebitrate=5999;maxplaybackrate=48001;usedtx=2;stereo=-1;minptime=2",
         NULL,
         {.max_playback_rate_hz = 48000}},
        {"maxaveragebitrate=510000;maxplaybackrate=8000;minptime=120",
         "minptime=120;maxplaybackrate=8000;maxaveragebitrate=510000",
         {.max_playback_rate_hz = 8000, .max_bitrate_bps = 510000}},
        {"USEDTX=1;x-google-start-bitrate=300;usedtx=1;maxaveragebitrate=9999999999999",
         "usedtx=1",
         {.max_playback_rate_hz = 48000, .dtx = true}},
        {"sprop-stereo=1;sprop-maxcapturerate=16000",
         "sprop-maxcapturerate=16000;sprop-stereo=1",
         {.max_playback_rate_hz = 48000}},
    };
    char buf[2][2048], line[256];
    (void)state;
    for (size_t a = 0; a < ARRAY_LEN(rows); a++) {
        for (size_t b = 0; b < ARRAY_LEN(rows); b++) {
            struct str offers[2];
            struct peer_params p = {0};
            for (size_t i = 0; i < 2; i++) {
                const char *fmtp = rows[i ? b : a].offered;
                (void)snprintf(line, sizeof(line), "a=fmtp:96 %s\n", fmtp ? fmtp : "");
                offers[i] = with_lines(fmtp ? line : "", buf[i], sizeof(buf[i]));
            }
            assert_int_equal(answer_text(offers[0], offers[1], &p, answer_buf, NULL), 0);
            if (rows[b].answered) {
                (void)snprintf(line, sizeof(line), "a=fmtp:96 %s\r\n", rows[b].answered);
                assert_true(answer_has(line));
            } else {
                assert_false(answer_has("a=fmtp"));
            }
            const struct peer_opus *want = &rows[a].opus;
            assert_int_equal(p.opus.max_playback_rate_hz, want->max_playback_rate_hz);
            assert_int_equal(p.opus.max_bitrate_bps, want->max_bitrate_bps);
            assert_int_equal(p.opus.stereo, want->stereo);
            assert_int_equal(p.opus.inband_fec, want->inband_fec);
            assert_int_equal(p.opus.dtx, want->dtx);
            assert_int_equal(p.opus.cbr, want->cbr);
        }
    }
}

#define TEXT_256                                                                                   \
    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"                             \
    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"                             \
    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"                             \
    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define TEXT_64 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"

static void refuses_and_says_why(void **state)
{
    (void)state;
    static const struct {
        unsigned line;    /* of base_offer, replaced by */
        const char *text; /* this */
        int code;
        unsigned blamed;
        const char *attribute;
    } rows[] = {
        {3, "m=video 9 UDP/TLS/RTP/SAVPF 96", NEGOTIATE_E_NO_AUDIO, 0, "m=audio"},
        {3, "m=audio 0 UDP/TLS/RTP/SAVPF 96", NEGOTIATE_E_NO_AUDIO, 0, "m=audio"},
        {3, "m=Audio 9 UDP/TLS/RTP/SAVPF 96", NEGOTIATE_E_NO_AUDIO, 0, "m=audio"},
        {3, "m=audio 9 RTP/AVP 96", NEGOTIATE_E_PROTO, 3, "m=audio"},
        {3, "m=audio 9 RTP/AVPF 96", NEGOTIATE_E_PROTO, 3, "m=audio"},
        {3, "m=audio 9 RTP/SAVP 96", NEGOTIATE_E_PROTO, 3, "m=audio"},
        {3, "m=audio 9 UDP/TLS/RTP/SAVP 96", NEGOTIATE_E_PROTO, 3, "m=audio"},
        {3, "m=audio 9 UDP/TLS/RTP/SAVPF 97", NEGOTIATE_E_NO_CODEC, 3, "m=audio"},
        {3, "m=audio 9 UDP/TLS/RTP/SAVPF 13 x 128", NEGOTIATE_E_NO_CODEC, 3, "m=audio"},
        {3, "m=audio 9 RTP/AVP 96\nm=audio 9 UDP/TLS/RTP/SAVPF 13", NEGOTIATE_E_PROTO, 3,
         "m=audio"},
        {4, "a=mid:", NEGOTIATE_E_MID, 4, "a=mid"},
        {4, "a=mid", NEGOTIATE_E_MID, 4, "a=mid"},
        {4, "a=mid:a b", NEGOTIATE_E_MID, 4, "a=mid"},
        {4, "a=mid:" TEXT_64 "a", NEGOTIATE_E_MID, 4, "a=mid"},
        {4, "a=mid:" TEXT_64, 0, 0, NULL},
        {5, "", NEGOTIATE_E_ICE, 3, "a=ice-ufrag"},
        {5, "a=ice-ufrag", NEGOTIATE_E_ICE, 5, "a=ice-ufrag"},
        {5, "a=ice-ufrag:abc", NEGOTIATE_E_ICE, 5, "a=ice-ufrag"},
        {5, "a=ice-ufrag:ab-d", NEGOTIATE_E_ICE, 5, "a=ice-ufrag"},
        {5, "a=ice-ufrag:" TEXT_256, 0, 0, NULL},
        {5, "a=ice-ufrag:" TEXT_256 "a", NEGOTIATE_E_ICE, 5, "a=ice-ufrag"},
        {6, "", NEGOTIATE_E_ICE, 3, "a=ice-pwd"},
        {6, "a=ice-pwd:012345678901234567890", NEGOTIATE_E_ICE, 6, "a=ice-pwd"},
        {6, "a=ice-pwd:" TEXT_256, 0, 0, NULL},
        {6, "a=ice-pwd:" TEXT_256 "a", NEGOTIATE_E_ICE, 6, "a=ice-pwd"},
        {7, "", NEGOTIATE_E_FINGERPRINT, 3, "a=fingerprint"},
        {7, "a=fingerprint", NEGOTIATE_E_FINGERPRINT, 7, "a=fingerprint"},
        {7, "a=fingerprint:sha-256", NEGOTIATE_E_FINGERPRINT, 7, "a=fingerprint"},
        {7, "a=fingerprint:sha-256 " FP ":00", NEGOTIATE_E_FINGERPRINT, 7, "a=fingerprint"},
        {7, "a=fingerprint:sha-1 " FP, NEGOTIATE_E_FINGERPRINT, 7, "a=fingerprint"},
        {7, "a=fingerprint:md5 00\na=fingerprint:SHA-256 " FP, 0, 0, NULL},
        {7, "a=fingerprint:sha-256 " FP "\na=fingerprint:sha-256 x", NEGOTIATE_E_FINGERPRINT, 8,
         "a=fingerprint"},
        {7, "a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:x", NEGOTIATE_E_FINGERPRINT, 3,
         "a=fingerprint"},
        {8, "", 0, 0, NULL},
        {8, "a=setup:ACTPASS", 0, 0, NULL},
        {8, "a=setup", NEGOTIATE_E_SETUP, 8, "a=setup"},
        {8, "a=setup:holdconn", NEGOTIATE_E_SETUP, 8, "a=setup"},
        {8, "a=setup:both", NEGOTIATE_E_SETUP, 8, "a=setup"},
        {9, "", NEGOTIATE_E_RTCP_MUX, 3, "a=rtcp-mux"},
        {9, "a=rtcp-mux-only", NEGOTIATE_E_RTCP_MUX, 3, "a=rtcp-mux"},
        {10, "", NEGOTIATE_E_NO_CODEC, 3, "m=audio"},
        {10, "a=rtpmap:96 opus/48000", NEGOTIATE_E_NO_CODEC, 3, "m=audio"},
        {10, "a=rtpmap:96 opus/16000/2", NEGOTIATE_E_NO_CODEC, 3, "m=audio"},
        {10, "a=rtpmap:96 telephone-event/8000", NEGOTIATE_E_NO_CODEC, 3, "m=audio"},
        {10, "a=rtpmap:96 CN/8000", NEGOTIATE_E_NO_CODEC, 3, "m=audio"},
        {10, "a=rtpmap:96 red/48000/2", NEGOTIATE_E_NO_CODEC, 3, "m=audio"},
        {10, "a=rtpmap:96 pcma/8000/1", 0, 0, NULL},
    };
    static char buf[4096];
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct str text = with_line(rows[i].line, rows[i].text, buf, sizeof(buf));
        struct sdp s = parsed(text);
        struct negotiate_error err = {0};
        char sentence[NEGOTIATE_ERROR_MAX];
        int code = negotiate_check(&s, &err);
        if (code != rows[i].code || err.line != rows[i].blamed)
            fail_msg("row %zu \"%.40s\": code %d, line %u", i, rows[i].text, code, err.line);
        assert_int_equal(negotiate_check(&s, NULL), code);
        if (code) {
            assert_string_equal(err.attribute, rows[i].attribute);
            assert_true(strlen(negotiate_error_write(&err, sentence)) > 20);
        }
        sdp_deinit(&s);
    }
}

static void an_error_as_a_sentence(void **state)
{
    (void)state;
    static char buf[4096];
    char sentence[NEGOTIATE_ERROR_MAX];
    struct negotiate_error err;
    struct sdp s = parsed(with_line(7, "a=fingerprint:sha-1 " FP, buf, sizeof(buf)));
    assert_int_equal(negotiate_check(&s, &err), NEGOTIATE_E_FINGERPRINT);
    assert_string_equal(negotiate_error_write(&err, sentence),
                        "line 7, a=fingerprint: only sha-256, sha-384 and sha-512 are accepted");
    sdp_deinit(&s);
    s = parsed(with_line(3, "m=video 9 x 1", buf, sizeof(buf)));
    assert_int_equal(negotiate_check(&s, &err), NEGOTIATE_E_NO_AUDIO);
    assert_string_equal(negotiate_error_write(&err, sentence), "m=audio: the offer has no audio");
    sdp_deinit(&s);
}

/** RFC 5761 §4: payload types 64-95 collide with RTCP once both share a port. */
static void payload_types_that_look_like_rtcp(void **state)
{
    (void)state;
    static char buf[4096];
    for (unsigned pt = 0; pt < 128; pt++) {
        char line[64], map[96];
        (void)snprintf(line, sizeof(line), "m=audio 9 UDP/TLS/RTP/SAVPF %u", pt);
        (void)snprintf(map, sizeof(map), "a=rtpmap:%u opus/48000/2", pt);
        struct str text = with_line(3, line, buf, sizeof(buf));
        struct text t = {.buf = buf, .len = text.len, .cap = sizeof(buf)};
        text_put(&t, str_of(map));
        struct sdp s = parsed(text_str(&t));
        assert_int_equal(negotiate_check(&s, NULL),
                         pt >= 64 && pt <= 95 ? NEGOTIATE_E_NO_CODEC : 0);
        sdp_deinit(&s);
    }
}

static void lists_from_outside_are_bounded(void **state)
{
    (void)state;
    static char buf[65536];
    static char out[NEGOTIATE_ANSWER_MAX];
    struct text t;
    struct peer_params p;
    text_init(&t, buf, sizeof(buf));
    text_put(&t, str_of(base_offer));
    for (unsigned i = 0; i < 200; i++) {
        text_printf(&t, "a=candidate:%u 1 udp 1 192.0.2.1 9 typ host\na=ssrc:%u cname:x\n", i, i);
        text_printf(&t, "a=fingerprint:sha-256 " FP "\n");
        text_printf(&t, "a=extmap:%u urn:ietf:params:rtp-hdrext:ssrc-audio-level\n", i % 20);
    }
    assert_false(t.failed);
    assert_int_equal(answer_text(text_str(&t), (struct str){0}, &p, out, NULL), 0);
    assert_int_equal(p.n_candidates, PEER_MAX_CANDIDATES);
    assert_int_equal(p.n_ssrcs, PEER_MAX_SSRCS);
    assert_int_equal(p.n_fingerprints, PEER_MAX_FINGERPRINTS);
    assert_int_equal(p.ext_send[PEER_EXT_AUDIO_LEVEL], 1);
}

static void extension_ids_of_one_byte_headers_only(void **state)
{
    (void)state;
    static const struct {
        const char *id;
        unsigned send, recv;
    } rows[] = {
        {"1", 1, 1},   {"14", 14, 14}, {"14/sendonly", 0, 14}, {"3/recvonly", 3, 0}, {"16", 0, 0},
        {"255", 0, 0}, {"4096", 0, 0}, {"5/inactive", 0, 0},   {"15", 0, 0},         {"0", 0, 0},
    };
    static char buf[4096], line[128], out[NEGOTIATE_ANSWER_MAX];
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct peer_params p;
        (void)snprintf(line, sizeof(line),
                       "a=mid:0\na=extmap:%s urn:ietf:params:rtp-hdrext:ssrc-audio-level",
                       rows[i].id);
        struct str text = with_line(4, line, buf, sizeof(buf));
        assert_int_equal(answer_text(text, (struct str){0}, &p, out, NULL), 0);
        assert_int_equal(p.ext_send[PEER_EXT_AUDIO_LEVEL], rows[i].send);
        assert_int_equal(p.ext_recv[PEER_EXT_AUDIO_LEVEL], rows[i].recv);
        assert_int_equal(strstr(out, "a=extmap:") != NULL, rows[i].send || rows[i].recv);
    }
}

static void bundle_only_needs_a_line_to_hang_on(void **state)
{
    (void)state;
    static const struct {
        const char *group, *first;
        int code;
    } rows[] = {
        {"a=group:BUNDLE v 0", "m=video 9 UDP/TLS/RTP/SAVPF 96\na=mid:v", 0},
        {"a=group:BUNDLE v 0", "m=video 0 UDP/TLS/RTP/SAVPF 96\na=mid:v", NEGOTIATE_E_BUNDLE},
        {"a=group:BUNDLE v 0", "m=application 9 UDP/DTLS/SCTP x\na=mid:v", NEGOTIATE_E_BUNDLE},
        {"a=group:BUNDLE w 0", "m=video 9 UDP/TLS/RTP/SAVPF 96\na=mid:v", NEGOTIATE_E_BUNDLE},
        {"a=group:BUNDLE 0 v", "m=video 9 UDP/TLS/RTP/SAVPF 96\na=mid:v", NEGOTIATE_E_BUNDLE},
        {"a=group:BUNDLE v", "m=video 9 UDP/TLS/RTP/SAVPF 96\na=mid:v", NEGOTIATE_E_NO_AUDIO},
        {"a=x", "m=video 9 UDP/TLS/RTP/SAVPF 96\na=mid:v", NEGOTIATE_E_NO_AUDIO},
    };
    static char buf[4096], line[512], out[NEGOTIATE_ANSWER_MAX];
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct peer_params p;
        (void)snprintf(line, sizeof(line), "%s\n%s\nm=audio 0 UDP/TLS/RTP/SAVPF 96\na=bundle-only",
                       rows[i].group, rows[i].first);
        struct str text = with_line(3, line, buf, sizeof(buf));
        int code = answer_text(text, (struct str){0}, &p, out, NULL);
        struct sdp s = parsed(text);
        if (negotiate_check(&s, NULL) != rows[i].code || code != rows[i].code)
            fail_msg("row %zu: %d", i, code);
        sdp_deinit(&s);
    }
}

/** Parse, check, answer: no crash, and whatever is refused has a reason. */
static void survive(const char *data, size_t len)
{
    static char out[NEGOTIATE_ANSWER_MAX];
    char *copy = malloc(len ? len : 1);
    assert_non_null(copy);
    if (len)
        memcpy(copy, data, len);
    struct sdp_error parse_error = {0};
    struct negotiate_error err = {0};
    struct peer_params p;
    struct sdp s;
    int code = sdp_parse(&s, (struct str){copy, len}, &parse_error);
    if (code) {
        assert_true(code > 0);
        assert_non_null(parse_error.text);
        free(copy);
        return;
    }
    code = negotiate_check(&s, &err);
    assert_true(code >= 0);
    sdp_deinit(&s);
    if (code) {
        assert_non_null(err.attribute);
        assert_non_null(err.text);
    } else {
        assert_int_equal(answer_text((struct str){copy, len}, (struct str){0}, &p, out, &err), 0);
    }
    free(copy);
}

/* Between two letters of a word no reader decides anything that it does not at the word's end. */
static bool is_inside_a_word(struct str text, size_t at)
{
    return at > 0 && at < text.len && isalnum(text.p[at - 1]) && isalnum(text.p[at]);
}

static void every_truncation_of_every_offer(void **state)
{
    (void)state;
    static char buf[FILE_MAX];
    for (size_t i = 0; i < ARRAY_LEN(fixtures); i++) {
        struct str text = load(fixtures[i], buf);
        for (size_t len = 0; len <= text.len; len++) {
            if (!is_inside_a_word(text, len))
                survive(text.p, len);
        }
    }
}

/** Each line left out, doubled, emptied behind the colon, emptied behind the equals sign. */
static void every_line_of_every_offer_broken(void **state)
{
    (void)state;
    static char buf[FILE_MAX], broken[FILE_MAX];
    for (size_t i = 0; i < ARRAY_LEN(fixtures); i++) {
        struct str text = load(fixtures[i], buf);
        for (size_t start = 0; start < text.len;) {
            struct str rest = str_tail(text, start);
            struct str line = str_take_until(&rest, '\n');
            const char *colon = memchr(line.p, ':', line.len);
            struct str cuts[] = {{0},
                                 line,
                                 str_head(line, 2),
                                 str_head(line, colon ? (size_t)(colon - line.p) : 1),
                                 str_head(line, colon ? (size_t)(colon - line.p) + 1 : 1)};
            for (size_t c = 0; c < ARRAY_LEN(cuts); c++) {
                struct text t;
                text_init(&t, broken, sizeof(broken));
                text_put(&t, str_head(text, start));
                text_put(&t, cuts[c]);
                if (cuts[c].len)
                    text_put(&t, STR("\n"));
                if (c == 1) {
                    text_put(&t, line);
                    text_put(&t, STR("\n"));
                }
                text_put(&t, rest);
                assert_false(t.failed);
                survive(t.buf, t.len);
            }
            start += line.len + 1;
        }
    }
}

static void out_of_memory(void **state)
{
    (void)state;
    static char buf[FILE_MAX];
    struct str text = load("chromium_av", buf);
    struct sdp s;
    struct codec_set set;
    mem_fail_at(1);
    assert_true(sdp_parse(&s, text, NULL) < 0);
    mem_fail_at(0);
    s = parsed(text);
    mem_fail_at(1); /* nothing else allocates */
    assert_int_equal(negotiate_own(&s, &set), 0);
    assert_int_equal(negotiate_check(&s, NULL), 0);
    assert_int_equal(mem_count(), 0);
    mem_fail_at(0);
    sdp_deinit(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(facts_of_each_offer),
        cmocka_unit_test(details_of_some_offers),
        cmocka_unit_test(an_answer_to_the_letter),
        cmocka_unit_test(wishes_of_the_other_leg),
        cmocka_unit_test(other_shapes),
        cmocka_unit_test(candidates_can_be_embedded),
        cmocka_unit_test(room_for_the_answer),
        cmocka_unit_test(every_pair_of_offers),
        cmocka_unit_test(common_codecs),
        cmocka_unit_test(comfort_noise_goes_along),
        cmocka_unit_test(feedback_that_both_understand),
        cmocka_unit_test(extended_reports_that_are_asked_for),
        cmocka_unit_test(red_stands_before_what_it_carries),
        cmocka_unit_test(red_of_anything_else_is_not_answered),
        cmocka_unit_test(opus_parameters_of_each_towards_each),
        cmocka_unit_test(refuses_and_says_why),
        cmocka_unit_test(an_error_as_a_sentence),
        cmocka_unit_test(payload_types_that_look_like_rtcp),
        cmocka_unit_test(lists_from_outside_are_bounded),
        cmocka_unit_test(extension_ids_of_one_byte_headers_only),
        cmocka_unit_test(bundle_only_needs_a_line_to_hang_on),
        cmocka_unit_test(every_truncation_of_every_offer),
        cmocka_unit_test(every_line_of_every_offer_broken),
        cmocka_unit_test(out_of_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
