/* We offer: what the offer says, what answers of Chromium, werift and Firefox make of it, and which
 * answers are refused, with which line to blame. */
#include "unit/peer/offers.h"

static const struct str our_candidate = {"candidate:1 1 UDP 2130706431 192.0.2.1 40000 typ host",
                                         53};

static struct negotiate_local us(void)
{
    struct negotiate_local local = {
        .ufrag = STR("abcdefgh"),
        .pwd = STR("ABCDEFGHIJKLMNOPQRSTUVWX"),
        .ssrc = 0xCAFE0001,
        .cname = STR("cname"),
        .msid = STR("duet"),
        .session_id = 17,
        .session_version = 1,
        .candidates = &our_candidate,
        .n_candidates = 1,
        .end_of_candidates = true,
        .red = true,
    };
    memset(local.fingerprint, 0xAB, sizeof(local.fingerprint));
    return local;
}

struct accepted {
    struct codec_set set;
    struct peer_params p;
    struct negotiate_error err;
};

/* @param ret  the candidates in it are gone with the answer's text */
static int accept_answer(const struct negotiate_local *local, const char *answer,
                         struct accepted *ret)
{
    static char text[NEGOTIATE_ANSWER_MAX];
    struct text t;
    struct sdp ours, theirs;
    *ret = (struct accepted){0};
    text_init(&t, text, sizeof(text));
    assert_int_equal(negotiate_offer(local, &t), 0);
    assert_int_equal(sdp_parse(&ours, text_str(&t), NULL), 0);
    assert_int_equal(sdp_parse(&theirs, str_of(answer), NULL), 0);
    int code = negotiate_accept(&ours, &theirs, local, &ret->set, &ret->p, &ret->err);
    sdp_deinit(&ours);
    sdp_deinit(&theirs);
    return code;
}

/* ---- the offer --------------------------------------------------------------------------- */

static void the_offer_to_the_letter(void **state)
{
    static const char expected[] =
        "v=0\r\n"
        "o=- 17 1 IN IP4 0.0.0.0\r\n"
        "s=Duet\r\n"
        "t=0 0\r\n"
        "a=group:BUNDLE audio0\r\n"
        "m=audio 9 UDP/TLS/RTP/SAVPF 111 0 8 9 13 110 126\r\n"
        "c=IN IP4 0.0.0.0\r\n"
        "a=mid:audio0\r\n"
        "a=sendrecv\r\n"
        "a=rtcp-mux\r\n"
        "a=rtcp-rsize\r\n"
        "a=ice-ufrag:abcdefgh\r\n"
        "a=ice-pwd:ABCDEFGHIJKLMNOPQRSTUVWX\r\n"
        "a=ice-options:trickle\r\n"
        "a=fingerprint:sha-256 "
        "AB:AB:AB:AB:AB:AB:AB:AB:AB:AB:AB:AB:AB:AB:AB:AB:AB:AB:AB:AB:AB:AB:AB:"
        "AB:AB:AB:AB:AB:AB:AB:AB:AB\r\n"
        "a=setup:actpass\r\n"
        "a=candidate:1 1 UDP 2130706431 192.0.2.1 40000 typ host\r\n"
        "a=end-of-candidates\r\n"
        "a=rtpmap:111 opus/48000/2\r\n"
        "a=rtcp-fb:111 transport-cc\r\n"
        "a=rtcp-fb:111 nack\r\n"
        "a=fmtp:111 minptime=10;useinbandfec=1\r\n"
        "a=rtpmap:0 PCMU/8000\r\n"
        "a=rtcp-fb:0 nack\r\n"
        "a=rtpmap:8 PCMA/8000\r\n"
        "a=rtcp-fb:8 nack\r\n"
        "a=rtpmap:9 G722/8000\r\n"
        "a=rtcp-fb:9 nack\r\n"
        "a=rtpmap:13 CN/8000\r\n"
        "a=rtpmap:110 telephone-event/48000\r\n"
        "a=fmtp:110 0-15\r\n"
        "a=rtpmap:126 telephone-event/8000\r\n"
        "a=fmtp:126 0-15\r\n"
        "a=extmap:1 urn:ietf:params:rtp-hdrext:ssrc-audio-level\r\n"
        "a=extmap:3/recvonly "
        "http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01\r\n"
        "a=msid:duet duet\r\n"
        "a=ssrc:3405643777 cname:cname\r\n";
    char buf[NEGOTIATE_ANSWER_MAX];
    struct negotiate_local local = us();
    struct text t;
    (void)state;
    local.red = false;
    text_init(&t, buf, sizeof(buf));
    assert_int_equal(negotiate_offer(&local, &t), 0);
    assert_string_equal(buf, expected);
}

static void one_way_and_red(void **state)
{
    char buf[NEGOTIATE_ANSWER_MAX];
    struct negotiate_local local = us();
    struct text t;
    (void)state;
    local.never_sends = true;
    local.ice_lite = true;
    text_init(&t, buf, sizeof(buf));
    assert_int_equal(negotiate_offer(&local, &t), 0);
    assert_non_null(strstr(buf, "a=recvonly\r\n"));
    assert_null(strstr(buf, "a=ssrc:"));
    assert_non_null(strstr(buf, "a=ice-lite\r\n"));
    assert_non_null(strstr(buf, "SAVPF 63 111 0"));
    assert_non_null(strstr(buf, "a=rtpmap:63 red/48000/2\r\na=fmtp:63 111/111\r\n"));
    local.never_sends = false;
    local.never_receives = true;
    text_init(&t, buf, sizeof(buf));
    assert_int_equal(negotiate_offer(&local, &t), 0);
    assert_non_null(strstr(buf, "a=sendonly\r\n"));
}

static void no_room_leaves_what_was_there(void **state)
{
    char buf[NEGOTIATE_ANSWER_MAX];
    struct negotiate_local local = us();
    struct text t;
    (void)state;
    for (size_t room = 8; room < 1000; room += 7) {
        text_init(&t, buf, room);
        text_put(&t, STR("before"));
        assert_int_equal(negotiate_offer(&local, &t), NEGOTIATE_E_TOO_LONG);
        assert_string_equal(buf, "before");
    }
}

/* ---- answers that are taken -------------------------------------------------------------- */

static void chromium_takes_everything(void **state)
{
    struct negotiate_local local = us();
    struct accepted a;
    (void)state;
    assert_int_equal(accept_answer(&local, load_text("answer_chromium"), &a), 0);
    assert_int_equal(a.p.n_codecs, 7);
    assert_int_equal(a.set.n, 7);
    assert_int_equal(a.p.codecs[0].id, CODEC_OPUS);
    assert_int_equal(a.p.codecs[0].pt, 111);
    assert_int_equal(a.p.red_pt, 63);
    assert_false(a.p.dtls_client);
    assert_true(a.p.may_send && a.p.may_receive && a.p.reduced_size_rtcp);
    assert_int_equal(a.p.ext_send[PEER_EXT_AUDIO_LEVEL], 1);
    assert_int_equal(a.p.ext_recv[PEER_EXT_TRANSPORT_CC], 3);
    assert_int_equal(a.p.ext_send[PEER_EXT_TRANSPORT_CC], 0);
    assert_int_equal(a.p.n_candidates, 2);
    assert_int_equal(a.p.local_ssrc, 0xCAFE0001);
    assert_int_equal(a.p.ssrcs[0], 2425060923u);
    assert_string_equal(a.p.remote_ufrag, "W1+z");
    local.red = false;
    assert_int_equal(accept_answer(&local, load_text("answer_chromium"), &a), 0);
    assert_int_equal(a.p.red_pt, 0);
}

static void werift_takes_opus(void **state)
{
    struct negotiate_local local = us();
    struct accepted a;
    (void)state;
    assert_int_equal(accept_answer(&local, load_text("answer_werift"), &a), 0);
    assert_int_equal(a.p.n_codecs, 1);
    assert_int_equal(a.p.codecs[0].pt, 111);
    assert_int_equal(a.p.red_pt, 0);
    assert_true(a.p.remote_end_of_candidates);
    assert_int_equal(a.p.ext_recv[PEER_EXT_TRANSPORT_CC], 0); /* feedback without the extension */
}

static void firefox_only_listens(void **state)
{
    struct negotiate_local local = us();
    struct accepted a;
    (void)state;
    assert_int_equal(accept_answer(&local, load_text("answer_firefox"), &a), 0);
    assert_int_equal(a.p.n_codecs, 5);
    assert_true(a.p.may_send);
    assert_false(a.p.may_receive);
    assert_true(a.p.opus.stereo);
    assert_int_equal(a.p.ext_recv[PEER_EXT_TRANSPORT_CC], 3);
    local.never_receives = true;
    assert_int_equal(accept_answer(&local, load_text("answer_firefox"), &a), 0);
}

static void the_answerer_chooses_its_role(void **state)
{
    static const struct {
        const char *setup;
        bool dtls_client;
    } rows[] = {{"a=setup:active", false}, {"a=setup:passive", true}, {NULL, false}};
    static char answer[FILE_MAX];
    struct negotiate_local local = us();
    struct accepted a;
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        replace_lines(load_text("answer_chromium"), "a=setup:", rows[i].setup, answer);
        assert_int_equal(accept_answer(&local, answer, &a), 0);
        assert_int_equal(a.p.dtls_client, rows[i].dtls_client);
    }
}

static void an_answer_may_do_without(void **state)
{
    static const char *const optional[] = {
        "a=mid:",      "a=group:", "a=extmap:",    "a=rtcp-fb:", "a=msid",
        "a=candidate", "a=ssrc:",  "a=rtcp-rsize", "a=sendrecv"};
    static char answer[FILE_MAX];
    struct negotiate_local local = us();
    struct accepted a;
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(optional); i++) {
        replace_lines(load_text("answer_chromium"), optional[i], NULL, answer);
        if (accept_answer(&local, answer, &a))
            fail_msg("%s: %s", optional[i], a.err.text);
    }
}

/* ---- answers that are refused ------------------------------------------------------------ */

static void wrong_answers_are_refused_with_a_line_to_blame(void **state)
{
    static const struct {
        const char *start, *with;
        int code;
        const char *attribute;
        unsigned line; /* 0 = not looked at */
    } rows[] = {
        {"m=audio", "m=audio 0 UDP/TLS/RTP/SAVPF 111", NEGOTIATE_E_NO_AUDIO, "m=audio", 7},
        {"m=audio", "m=video 9 UDP/TLS/RTP/SAVPF 111", NEGOTIATE_E_ANSWER, "m=", 7},
        {"m=audio", "m=audio 9 RTP/AVP 111", NEGOTIATE_E_PROTO, "m=audio", 7},
        {"m=audio", "m=audio 9 UDP/TLS/RTP/SAVPF 110 126", NEGOTIATE_E_NO_CODEC, "m=audio", 7},
        {"a=rtpmap:111", "a=rtpmap:111 PCMU/8000", NEGOTIATE_E_ANSWER, "m=audio", 0},
        {"a=ssrc", "m=audio 9 UDP/TLS/RTP/SAVPF 0", NEGOTIATE_E_ANSWER, "m=", 0},
        {"a=setup:", "a=setup:actpass", NEGOTIATE_E_SETUP, "a=setup", 16},
        {"a=setup:", "a=setup:holdconn", NEGOTIATE_E_SETUP, "a=setup", 16},
        {"a=mid:", "a=mid:0", NEGOTIATE_E_MID, "a=mid", 17},
        {"a=extmap:1", "a=extmap:2 urn:ietf:params:rtp-hdrext:ssrc-audio-level", NEGOTIATE_E_ANSWER,
         "a=extmap", 0},
        {"a=rtcp-mux", NULL, NEGOTIATE_E_RTCP_MUX, "a=rtcp-mux", 0},
        {"a=ice-ufrag:", NULL, NEGOTIATE_E_ICE, "a=ice-ufrag", 0},
        {"a=ice-pwd:", "a=ice-pwd:short", NEGOTIATE_E_ICE, "a=ice-pwd", 0},
        {"a=fingerprint:", NULL, NEGOTIATE_E_FINGERPRINT, "a=fingerprint", 0},
    };
    static char answer[FILE_MAX];
    struct negotiate_local local = us();
    struct accepted a;
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        replace_lines(load_text("answer_chromium"), rows[i].start, rows[i].with, answer);
        int code = accept_answer(&local, answer, &a);
        if (code != rows[i].code || strcmp(a.err.attribute, rows[i].attribute) != 0 ||
            (rows[i].line && a.err.line != rows[i].line))
            fail_msg("row %zu: %d, line %u, %s: %s", i, code, a.err.line,
                     a.err.attribute ? a.err.attribute : "", a.err.text ? a.err.text : "");
        assert_int_equal(a.set.n + a.p.n_codecs, 0); /* untouched */
    }
}

static void more_than_was_offered(void **state)
{
    struct negotiate_local local = us();
    struct accepted a;
    (void)state;
    local.never_sends = true;
    assert_int_equal(accept_answer(&local, load_text("answer_chromium"), &a), NEGOTIATE_E_ANSWER);
    local.never_sends = false;
    local.never_receives = true;
    assert_int_equal(accept_answer(&local, load_text("answer_chromium"), &a), NEGOTIATE_E_ANSWER);
    assert_string_equal(a.err.text, "its direction was not offered");
}

static void our_answers_fit_our_offers(void **state)
{
    char offer[NEGOTIATE_ANSWER_MAX], answer[NEGOTIATE_ANSWER_MAX];
    struct negotiate_local local = us();
    struct peer_params p;
    struct codec_set set;
    struct accepted a;
    struct sdp s;
    struct text t;
    (void)state;
    text_init(&t, offer, sizeof(offer));
    assert_int_equal(negotiate_offer(&local, &t), 0);
    assert_int_equal(sdp_parse(&s, text_str(&t), NULL), 0);
    assert_int_equal(negotiate_own(&s, &set), 0);
    text_init(&t, answer, sizeof(answer));
    assert_int_equal(negotiate_answer(&s, &set, &local, &p, &t, NULL), 0);
    sdp_deinit(&s);
    assert_int_equal(accept_answer(&local, answer, &a), 0);
    assert_int_equal(a.p.n_codecs, 7);
    assert_int_equal(a.p.red_pt, 63);
    assert_true(a.p.dtls_client != p.dtls_client);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_offer_to_the_letter),
        cmocka_unit_test(one_way_and_red),
        cmocka_unit_test(no_room_leaves_what_was_there),
        cmocka_unit_test(chromium_takes_everything),
        cmocka_unit_test(werift_takes_opus),
        cmocka_unit_test(firefox_only_listens),
        cmocka_unit_test(the_answerer_chooses_its_role),
        cmocka_unit_test(an_answer_may_do_without),
        cmocka_unit_test(wrong_answers_are_refused_with_a_line_to_blame),
        cmocka_unit_test(more_than_was_offered),
        cmocka_unit_test(our_answers_fit_our_offers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
