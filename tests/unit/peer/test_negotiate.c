/* Offers of real and made-up clients: the facts that are read, the answers that are written. */
#include "unit/peer/answers.h"

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
        {"aiortc_audio",
         0,
         "0",
         "Ljey",
         {O, U, A},
         {96, 0, 8, 999},
         2,
         2,
         false,
         true,
         true,
         false,
         1,
         3211243813},
        {"gstreamer_audio",
         0,
         "audio0",
         "F2FAV/UvPNDNZqdqlS/dPT0Yg44pgBw1",
         {O},
         {96, 999},
         0,
         0,
         false,
         true,
         true,
         true,
         1,
         1627909319},
        {"pion_audio",
         0,
         "0",
         "vZKfBoCYRVnTpFIw",
         {O, U, A, G},
         {111, 0, 8, 9, 999},
         0,
         0,
         false,
         true,
         true,
         false,
         1,
         2928214214},
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
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
