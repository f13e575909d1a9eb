/* Descriptions of plain RTP: what is read, what is answered, what is offered. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "base/compiler.h"
#include "peer/plain_sdp.h"

#define KEY "d0RmdmcmVCspeEc3QGZiNWpVLFJhQX1cfHAwJSoj"
#define SHA "AES_CM_128_HMAC_SHA1_80 "
#define GCM "AEAD_AES_128_GCM "

#define HEAD "v=0\r\nc=IN IP4 198.51.100.7\r\n"

static struct plain_side side(void)
{
    return (struct plain_side){
        .key = "0123456789abcdefghijklmnopqrst",
        .addr = addr_v4(192, 0, 2, 1, 41000),
        .rtcp_port = 41001,
        .ssrc = 4711,
        .cname = {"name", 4},
        .session_id = 1,
        .session_version = 2,
    };
}

struct answered {
    int code;
    struct plain_params params;
    char text[2048], error[NEGOTIATE_ERROR_MAX];
};

static struct answered answer(const char *offer)
{
    struct answered a = {.code = 0};
    struct negotiate_error error = {0};
    const struct plain_side ours = side();
    struct sdp sdp;
    struct text text;
    assert_int_equal(sdp_parse(&sdp, str_of(offer), NULL), 0);
    text_init(&text, a.text, sizeof(a.text));
    a.code = plain_sdp_answer(&sdp, &ours, &a.params, &text, &error);
    if (a.code)
        (void)negotiate_error_write(&error, a.error);
    sdp_deinit(&sdp);
    return a;
}

static void is_at(const struct addr *a, const char *expected)
{
    char buf[ADDR_TEXT_MAX];
    assert_string_equal(addr_write(a, buf), expected);
}

static void the_answer_of_a_gateway(void **state)
{
    (void)state;
    const struct answered a =
        answer(HEAD "m=audio 5004 RTP/AVP 8 18 101\r\na=rtpmap:8 PCMA/8000\r\n"
                    "a=rtpmap:18 G729/8000\r\na=rtpmap:101 telephone-event/8000\r\n"
                    "a=fmtp:101 0-16\r\na=ptime:20\r\na=sendrecv\r\n"
                    "m=video 5006 RTP/AVP 34\r\na=rtpmap:34 H263/90000\r\n");
    assert_int_equal(a.code, 0);
    assert_string_equal(a.text, "v=0\r\n"
                                "o=- 1 2 IN IP4 192.0.2.1\r\n"
                                "s=Duet\r\n"
                                "c=IN IP4 192.0.2.1\r\n"
                                "t=0 0\r\n"
                                "m=audio 41000 RTP/AVP 8 101\r\n"
                                "a=sendrecv\r\n"
                                "a=rtcp:41001\r\n"
                                "a=rtpmap:8 PCMA/8000\r\n"
                                "a=rtpmap:101 telephone-event/8000\r\n"
                                "a=fmtp:101 0-16\r\n"
                                "a=ptime:20\r\n"
                                "a=ssrc:4711 cname:name\r\n"
                                "m=video 0 RTP/AVP 34\r\n"
                                "c=IN IP4 0.0.0.0\r\n"
                                "a=inactive\r\n"
                                "a=rtpmap:34 H263/90000\r\n");
    is_at(&a.params.rtp, "198.51.100.7:5004");
    is_at(&a.params.rtcp, "198.51.100.7:5005");
    assert_false(a.params.is_muxed || a.params.media.nack);
    assert_true(a.params.media.may_send && a.params.media.may_receive);
    assert_int_equal(a.params.media.n_codecs, 2);
    assert_int_equal(a.params.media.local_ssrc, 4711);
}

static void feedback_is_taken_where_it_is_offered(void **state)
{
    (void)state;
    struct answered a = answer(HEAD "m=audio 5004 RTP/AVPF 96\r\na=rtpmap:96 opus/48000/2\r\n"
                                    "a=rtcp-fb:96 nack\r\na=rtcp-mux\r\na=rtcp-rsize\r\n"
                                    "a=extmap:1 urn:ietf:params:rtp-hdrext:ssrc-audio-level\r\n"
                                    "a=ssrc:9 cname:x\r\n");
    assert_int_equal(a.code, 0);
    assert_true(a.params.media.nack && a.params.media.reduced_size_rtcp && a.params.is_muxed);
    assert_non_null(strstr(a.text, "m=audio 41000 RTP/AVPF 96\r\na=sendrecv\r\na=rtcp-mux\r\n"
                                   "a=rtcp-rsize\r\n"));
    assert_non_null(strstr(a.text, "a=rtcp-fb:96 nack\r\n"));
    assert_non_null(strstr(a.text, "a=extmap:1 urn:ietf:params:rtp-hdrext:ssrc-audio-level\r\n"));
    assert_int_equal(a.params.media.ssrcs[0], 9);
    a = answer(HEAD "m=audio 5004 RTP/AVP 96\r\na=rtpmap:96 opus/48000/2\r\na=rtcp-fb:96 nack\r\n"
                    "a=rtcp-rsize\r\n");
    assert_false(a.params.media.nack || a.params.media.reduced_size_rtcp);
    assert_null(strstr(a.text, "rtcp-fb"));
    a = answer(HEAD "m=audio 5004 RTP/AVPF 0\r\n");
    assert_false(a.params.media.nack);
}

static void where_media_goes(void **state)
{
    (void)state;
    static const struct {
        const char *offer, *rtp, *rtcp;
        bool may_send, may_receive;
    } rows[] = {
        {HEAD "m=audio 5004 RTP/AVP 0\r\na=rtcp:7000\r\n", "198.51.100.7:5004", "198.51.100.7:7000",
         true, true},
        {HEAD "m=audio 5004 RTP/AVP 0\r\na=rtcp:7000 IN IP4 198.51.100.8\r\n", "198.51.100.7:5004",
         "198.51.100.8:7000", true, true},
        {HEAD "m=audio 65535 RTP/AVP 0\r\n", "198.51.100.7:65535", "198.51.100.7:9", true, true},
        {HEAD "m=audio 5004 RTP/AVP 0\r\nc=IN IP4 198.51.100.9\r\n", "198.51.100.9:5004",
         "198.51.100.9:5005", true, true},
        {"v=0\r\nc=IN IP6 2001:db8::7\r\nm=audio 5004 RTP/AVP 0\r\n", "[2001:db8::7]:5004",
         "[2001:db8::7]:5005", true, true},
        /* not known yet */
        {HEAD "m=audio 9 RTP/AVP 0\r\n", "198.51.100.7:9", "198.51.100.7:9", true, true},
        {"v=0\r\nc=IN IP4 0.0.0.0\r\nm=audio 9 RTP/AVP 0\r\n", "0.0.0.0:9", "0.0.0.0:9", true,
         true},
        /* hold */
        {"v=0\r\nc=IN IP4 0.0.0.0\r\nm=audio 5004 RTP/AVP 0\r\n", "0.0.0.0:5004", "0.0.0.0:5005",
         false, true},
        {HEAD "m=audio 5004 RTP/AVP 0\r\na=sendonly\r\n", "198.51.100.7:5004", "198.51.100.7:5005",
         false, true},
        {HEAD "a=inactive\r\nm=audio 5004 RTP/AVP 0\r\n", "198.51.100.7:5004", "198.51.100.7:5005",
         false, false},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        const struct answered a = answer(rows[i].offer);
        assert_int_equal(a.code, 0);
        is_at(&a.params.rtp, rows[i].rtp);
        is_at(&a.params.rtcp, rows[i].rtcp);
        assert_int_equal(a.params.media.may_send, rows[i].may_send);
        assert_int_equal(a.params.media.may_receive, rows[i].may_receive);
        assert_int_equal(strstr(a.text, "a=ssrc:") != NULL, rows[i].may_send);
    }
}

static void what_cannot_be_answered(void **state)
{
    (void)state;
    static const struct {
        const char *offer;
        int code;
    } rows[] = {
        {HEAD "m=audio 5004 UDP/TLS/RTP/SAVPF 0\r\n", NEGOTIATE_E_PROTO},
        {HEAD "m=audio 5004 RTP/SAVP 0\r\n", NEGOTIATE_E_CRYPTO},
        {HEAD "m=audio 5004 RTP/SAVP 0\r\na=crypto:1 AES_CM_128_HMAC_SHA1_32 inline:" KEY "\r\n",
         NEGOTIATE_E_CRYPTO},
        {HEAD "m=audio 0 RTP/AVP 0\r\n", NEGOTIATE_E_NO_AUDIO},
        {HEAD "m=video 5004 RTP/AVP 34\r\n", NEGOTIATE_E_NO_AUDIO},
        {HEAD "m=audio 5004 RTP/AVP 101\r\na=rtpmap:101 telephone-event/8000\r\n",
         NEGOTIATE_E_NO_CODEC},
        {"v=0\r\nm=audio 5004 RTP/AVP 0\r\n", NEGOTIATE_E_ADDRESS},
        {"v=0\r\nc=IN IP4 gateway.example\r\nm=audio 5004 RTP/AVP 0\r\n", NEGOTIATE_E_ADDRESS},
        {"v=0\r\nc=IN IP4 239.1.1.1/3\r\nm=audio 5004 RTP/AVP 0\r\n", NEGOTIATE_E_ADDRESS},
        {"v=0\r\nc=IN IP4 255.255.255.255\r\nm=audio 5004 RTP/AVP 0\r\n", NEGOTIATE_E_ADDRESS},
        {HEAD "m=audio 5004 RTP/AVP 0\r\na=rtcp:\r\n", NEGOTIATE_E_ADDRESS},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        const struct answered a = answer(rows[i].offer);
        assert_int_equal(a.code, rows[i].code);
        assert_true(a.error[0] && !a.text[0]);
    }
}

/* The first that can be used is taken, under its tag, with a key of our own. */
static void keys_in_the_description(void **state)
{
    (void)state;
    struct answered a =
        answer(HEAD "m=audio 5004 RTP/SAVPF 0\r\n"
                    "a=crypto:1 AES_256_CM_HMAC_SHA1_80 inline:" KEY "\r\n"
                    "a=crypto:4 " SHA "inline:" KEY "|2^31\r\n"
                    "a=crypto:5 " GCM "inline:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\r\n");
    assert_int_equal(a.code, 0);
    assert_non_null(strstr(a.text, "m=audio 41000 RTP/SAVPF 0\r\n"));
    assert_non_null(
        strstr(a.text, "a=crypto:4 " SHA "inline:MDEyMzQ1Njc4OWFiY2RlZmdoaWprbG1ub3BxcnN0\r\n"));
    assert_int_equal(a.params.keys.profile, RTPSEC_AES_CM_128_HMAC_SHA1_80);
    assert_memory_equal(a.params.keys.remote, "wDfvg&T+)xG7@fb5jU,RaA}\\|p0%*#", 30);
    assert_memory_equal(a.params.keys.local, "0123456789abcdefghijklmnopqrst", 30);
    a = answer(HEAD "m=audio 5004 RTP/SAVP 0\r\n"
                    "a=crypto:5 " GCM "inline:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\r\n");
    assert_int_equal(a.code, 0);
    assert_int_equal(a.params.keys.profile, RTPSEC_AEAD_AES_128_GCM);
    assert_non_null(
        strstr(a.text, "a=crypto:5 " GCM "inline:MDEyMzQ1Njc4OWFiY2RlZmdoaWprbG1ub3Bxcg==\r\n"));
    a = answer(HEAD "m=audio 5004 RTP/AVP 0\r\na=crypto:4 " SHA "inline:" KEY "\r\n");
    assert_int_equal(a.params.keys.profile, RTPSEC_NONE);
    assert_null(strstr(a.text, "crypto"));
}

/* Who wants it encrypted gets nothing else. */
static void encryption_is_demanded(void **state)
{
    (void)state;
    static const struct {
        const char *answer;
        int code;
    } rows[] = {
        {HEAD "m=audio 5004 RTP/SAVP 8\r\na=crypto:1 " SHA "inline:" KEY "\r\n", 0},
        {HEAD "m=audio 5004 RTP/AVP 8\r\n", NEGOTIATE_E_PROTO},
        {HEAD "m=audio 5004 RTP/SAVP 8\r\n", NEGOTIATE_E_CRYPTO},
        {HEAD "m=audio 5004 RTP/SAVP 8\r\na=crypto:2 " SHA "inline:" KEY "\r\n",
         NEGOTIATE_E_ANSWER},
        {HEAD "m=audio 5004 RTP/SAVP 8\r\n"
              "a=crypto:1 " GCM "inline:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\r\n",
         NEGOTIATE_E_ANSWER},
    };
    struct plain_side ours = side();
    struct negotiate_error error;
    struct plain_params p;
    struct sdp offer, answer;
    struct text t;
    char buf[2048], scratch[2048];
    ours.must_encrypt = true;
    text_init(&t, buf, sizeof(buf));
    assert_int_equal(plain_sdp_offer(&ours, &t), 0);
    assert_non_null(strstr(buf, "m=audio 41000 RTP/SAVP 111 "));
    assert_non_null(
        strstr(buf, "a=crypto:1 " SHA "inline:MDEyMzQ1Njc4OWFiY2RlZmdoaWprbG1ub3BxcnN0\r\n"));
    assert_int_equal(sdp_parse(&offer, text_str(&t), NULL), 0);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        assert_int_equal(sdp_parse(&answer, str_of(rows[i].answer), NULL), 0);
        assert_int_equal(plain_sdp_accept(&offer, &answer, &ours, &p, &error), rows[i].code);
        text_init(&t, scratch, sizeof(scratch));
        int code = plain_sdp_answer(&answer, &ours, &p, &t, &error);
        assert_int_equal(code == 0,
                         rows[i].code != NEGOTIATE_E_PROTO && rows[i].code != NEGOTIATE_E_CRYPTO);
        sdp_deinit(&answer);
    }
    sdp_deinit(&offer);
}

static void too_little_room_leaves_nothing(void **state)
{
    (void)state;
    const struct plain_side ours = side();
    struct negotiate_error error;
    struct plain_params params;
    struct text text;
    struct sdp sdp;
    char buf[100];
    assert_int_equal(sdp_parse(&sdp, STR(HEAD "m=audio 5004 RTP/AVP 0\r\n"), NULL), 0);
    text_init(&text, buf, sizeof(buf));
    assert_int_equal(plain_sdp_answer(&sdp, &ours, &params, &text, &error), NEGOTIATE_E_TOO_LONG);
    assert_string_equal(buf, "");
    assert_int_equal(plain_sdp_offer(&ours, &text), NEGOTIATE_E_TOO_LONG);
    assert_string_equal(buf, "");
    sdp_deinit(&sdp);
}

/* @param ret  only on 0 */
static int accept(const char *text, struct plain_params *ret)
{
    const struct plain_side ours = side();
    struct negotiate_error error;
    struct sdp offer, answer;
    struct text t;
    char buf[2048];
    text_init(&t, buf, sizeof(buf));
    assert_int_equal(plain_sdp_offer(&ours, &t), 0);
    assert_int_equal(sdp_parse(&offer, text_str(&t), NULL), 0);
    assert_int_equal(sdp_parse(&answer, str_of(text), NULL), 0);
    int code = plain_sdp_accept(&offer, &answer, &ours, ret, &error);
    sdp_deinit(&offer);
    sdp_deinit(&answer);
    return code;
}

static void what_we_offer_and_what_may_be_answered(void **state)
{
    (void)state;
    const struct plain_side ours = side();
    struct plain_params p;
    struct text t;
    char buf[2048];
    text_init(&t, buf, sizeof(buf));
    assert_int_equal(plain_sdp_offer(&ours, &t), 0);
    assert_non_null(strstr(buf, "m=audio 41000 RTP/AVP 111 0 8 9 13 110 126\r\na=sendrecv\r\n"
                                "a=rtcp:41001\r\na=rtcp-mux\r\na=rtpmap:111 opus/48000/2\r\n"));
    assert_int_equal(accept(HEAD "m=audio 5004 RTP/AVP 8 126\r\n"
                                 "a=rtpmap:126 telephone-event/8000\r\n",
                            &p),
                     0);
    assert_int_equal(p.media.n_codecs, 2);
    assert_int_equal(p.media.codecs[1].pt, 126);
    assert_false(p.is_muxed);
    assert_int_equal(accept(HEAD "m=audio 5004 RTP/AVP 111\r\na=rtpmap:111 opus/48000/2\r\n"
                                 "a=rtcp-mux\r\n"
                                 "a=extmap:1 urn:ietf:params:rtp-hdrext:ssrc-audio-level\r\n",
                            &p),
                     0);
    assert_true(p.is_muxed && p.media.ext_recv[PEER_EXT_AUDIO_LEVEL] == 0);
    static const struct {
        const char *answer;
        int code;
    } rows[] = {
        {HEAD "m=audio 0 RTP/AVP 8\r\n", NEGOTIATE_E_NO_AUDIO},
        {HEAD "m=audio 5004 RTP/AVP 18\r\n", NEGOTIATE_E_NO_CODEC},
        {HEAD "m=audio 5004 RTP/AVP 96\r\na=rtpmap:96 opus/48000/2\r\n", NEGOTIATE_E_ANSWER},
        {HEAD "m=audio 5004 RTP/AVP 8\r\nm=video 0 RTP/AVP 34\r\n", NEGOTIATE_E_ANSWER},
        {HEAD, NEGOTIATE_E_ANSWER},
        {"v=0\r\nm=audio 5004 RTP/AVP 8\r\n", NEGOTIATE_E_ADDRESS},
        {HEAD "m=audio 5004 RTP/SAVP 8\r\n", NEGOTIATE_E_CRYPTO},
        {HEAD "m=audio 5004 RTP/SAVP 8\r\na=crypto:1 " SHA "inline:" KEY "\r\n",
         NEGOTIATE_E_ANSWER},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        assert_int_equal(accept(rows[i].answer, &p), rows[i].code);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_answer_of_a_gateway),
        cmocka_unit_test(feedback_is_taken_where_it_is_offered),
        cmocka_unit_test(where_media_goes),
        cmocka_unit_test(what_cannot_be_answered),
        cmocka_unit_test(keys_in_the_description),
        cmocka_unit_test(encryption_is_demanded),
        cmocka_unit_test(too_little_room_leaves_nothing),
        cmocka_unit_test(what_we_offer_and_what_may_be_answered),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
