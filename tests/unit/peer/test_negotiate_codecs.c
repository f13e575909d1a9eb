/* What is agreed of codecs, their feedback and their parameters, when two offers meet in a call. */
#include "unit/peer/answers.h"

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
    /* Only the PCMU phone cannot speak with the eight that have no PCMU. */
    assert_int_equal(answered_pairs, 20 * 20 - 2 * 8);
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_pair_of_offers),
        cmocka_unit_test(common_codecs),
        cmocka_unit_test(comfort_noise_goes_along),
        cmocka_unit_test(feedback_that_both_understand),
        cmocka_unit_test(extended_reports_that_are_asked_for),
        cmocka_unit_test(red_stands_before_what_it_carries),
        cmocka_unit_test(red_of_anything_else_is_not_answered),
        cmocka_unit_test(opus_parameters_of_each_towards_each),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
