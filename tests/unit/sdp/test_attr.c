/* Attribute values: tables of text -> fields, and of what is malformed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "sdp/attr.h"
#include "sdp/opus.h"

static void assert_str(struct str s, const char *expected)
{
    if (!str_eq(s, str_of(expected)))
        fail_msg("\"%.*s\" instead of \"%s\"", STR_FMT(s), expected);
}

static void rtpmap(void **state)
{
    (void)state;
    static const struct {
        const char *value;
        uint8_t pt;
        const char *name;
        uint32_t clock_rate;
        uint8_t channels;
        const char *encoding;
    } good[] = {
        {"111 opus/48000/2", 111, "opus", 48000, 2, "opus/48000/2"},
        {"96 OPUS/48000/2", 96, "OPUS", 48000, 2, "OPUS/48000/2"},
        {"9 G722/8000/1", 9, "G722", 8000, 1, "G722/8000/1"},
        {"0  PCMU/8000 ", 0, "PCMU", 8000, 1, "PCMU/8000"},
        {"127 x/4294967295/255", 127, "x", 4294967295u, 255, "x/4294967295/255"},
    };
    static const char *const bad[] = {
        "",
        "111",
        "128 a/1",
        "-1 a/1",
        "a opus/48000",
        "111 opus",
        "111 opus/",
        "111 /1",
        "111 opus/0",
        "1 a/1/0",
        "1 a/1/256",
        "1 a/1/x",
        "1 a/1x",
        "1 a b/1",
        "1 a/1/2/",
        "1 a/1/2/3",
        "1 (/8000",
        "999999999999999999999 a/1",
        "1 a/4294967296",
    };
    for (size_t i = 0; i < ARRAY_LEN(good); i++) {
        struct sdp_rtpmap m;
        assert_true(sdp_rtpmap_parse(str_of(good[i].value), &m));
        assert_int_equal(m.pt, good[i].pt);
        assert_str(m.name, good[i].name);
        assert_int_equal(m.clock_rate, good[i].clock_rate);
        assert_int_equal(m.channels, good[i].channels);
        assert_str(m.encoding, good[i].encoding);
    }
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        struct sdp_rtpmap m = {.pt = 77};
        if (sdp_rtpmap_parse(str_of(bad[i]), &m))
            fail_msg("accepted \"%s\"", bad[i]);
        assert_int_equal(m.pt, 77);
    }
}

static const char description[] = "v=0\n"
                                  "a=recvonly\n"
                                  "a=ice-options:trickle renomination\n"
                                  "m=audio 9 UDP/TLS/RTP/SAVPF 111 0 8 9 13 3\n"
                                  "a=rtpmap:1110 x/8000\n"
                                  "a=rtpmap:9\n"
                                  "a=rtpmap:111 opus/48000/2\n"
                                  "a=rtpmap:111 other/8000\n"
                                  "a=rtpmap:8 L16/44100\n"
                                  "a=fmtp:1110 x=y\n"
                                  "a=fmtp:111 minptime=10; useinbandfec=1;;flag; =z;a=b=c \n"
                                  "a=fmtp:13\n"
                                  "a=ptime:20\n"
                                  "a=maxptime:0x10\n"
                                  "a=sendonly\n"
                                  "a=candidate:1 1 udp 2 192.0.2.1 9 typ host  \n"
                                  "m=audio 9 UDP/TLS/RTP/SAVPF 0\n"
                                  "a=ice-options:ice2\n"
                                  "a=ptime:10001\n"
                                  "a=candidate\n";

static void in_a_section(void **state)
{
    (void)state;
    struct sdp s;
    struct sdp_rtpmap m;
    assert_int_equal(sdp_parse(&s, str_of(description), NULL), 0);
    const struct sdp_media *a = &s.media[0];
    const struct sdp_media *b = &s.media[1];

    assert_true(sdp_find_rtpmap(&s, a, 111, &m));
    assert_str(m.name, "opus");
    assert_true(sdp_find_rtpmap(&s, a, 8, &m));
    assert_str(m.name, "L16"); /* what is written wins over RFC 3551 */
    static const struct {
        uint8_t pt;
        const char *encoding;
    } fixed[] = {{0, "PCMU/8000"}, {13, "CN/8000"}};
    for (size_t i = 0; i < ARRAY_LEN(fixed); i++) {
        assert_true(sdp_find_rtpmap(&s, a, fixed[i].pt, &m));
        assert_str(m.encoding, fixed[i].encoding);
    }
    assert_false(sdp_find_rtpmap(&s, a, 9, &m)); /* malformed */
    assert_false(sdp_find_rtpmap(&s, a, 3, &m));
    assert_true(sdp_find_rtpmap(&s, b, 9, &m));
    assert_str(m.encoding, "G722/8000");
    assert_true(sdp_find_rtpmap(&s, b, 8, &m));
    assert_str(m.encoding, "PCMA/8000");
    assert_false(sdp_find_rtpmap(&s, b, 111, &m));

    struct str fmtp = sdp_find_fmtp(&s, a, 111);
    struct str name, value;
    static const char *const params[][2] = {
        {"minptime", "10"}, {"useinbandfec", "1"}, {"flag", ""}, {"a", "b=c"}};
    for (size_t i = 0; i < ARRAY_LEN(params); i++) {
        assert_true(sdp_fmtp_next(&fmtp, &name, &value));
        assert_str(name, params[i][0]);
        assert_str(value, params[i][1]);
    }
    assert_false(sdp_fmtp_next(&fmtp, &name, &value));
    assert_int_equal(sdp_find_fmtp(&s, a, 13).len, 0);
    assert_int_equal(sdp_find_fmtp(&s, a, 0).len, 0);

    assert_int_equal(sdp_find_ptime(&s, a, STR("ptime")), 20);
    assert_int_equal(sdp_find_ptime(&s, a, STR("maxptime")), 0);
    assert_int_equal(sdp_find_ptime(&s, b, STR("ptime")), 0);
    assert_int_equal(sdp_find_ptime(&s, b, STR("maxptime")), 0);
    assert_int_equal(sdp_find_direction(&s, a), SDP_SENDONLY);
    assert_int_equal(sdp_find_direction(&s, b), SDP_RECVONLY);
    assert_true(sdp_has_ice_option(&s, a, STR("trickle")));
    assert_false(sdp_has_ice_option(&s, b, STR("trickle")));
    assert_str(sdp_candidate_text(sdp_find(&s, a, STR("candidate"))),
               "candidate:1 1 udp 2 192.0.2.1 9 typ host");
    assert_str(sdp_candidate_text(sdp_find(&s, b, STR("candidate"))), "candidate");
    sdp_deinit(&s);
}

static void direction(void **state)
{
    (void)state;
    struct sdp s;
    assert_int_equal(sdp_parse(&s, STR("v=0\nm=a 9 b c\n"), NULL), 0);
    assert_int_equal(sdp_find_direction(&s, &s.media[0]), SDP_SENDRECV);
    sdp_deinit(&s);
    static const struct {
        enum sdp_direction d;
        const char *name;
    } rows[] = {
        {SDP_INACTIVE, "inactive"},
        {SDP_SENDONLY, "sendonly"},
        {SDP_RECVONLY, "recvonly"},
        {SDP_SENDRECV, "sendrecv"},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        assert_string_equal(sdp_direction_name(rows[i].d), rows[i].name);
}

static void extmap(void **state)
{
    (void)state;
    static const struct {
        const char *value;
        uint16_t id;
        enum sdp_direction direction;
        const char *uri, *attributes;
    } good[] = {
        {"1 urn:x", 1, SDP_SENDRECV, "urn:x", ""},
        {"2/recvonly urn:y", 2, SDP_RECVONLY, "urn:y", ""},
        {"14/sendonly urn:z vad=on x", 14, SDP_SENDONLY, "urn:z", "vad=on x"},
        {"255/inactive u", 255, SDP_INACTIVE, "u", ""},
        {"4096 u", 4096, SDP_SENDRECV, "u", ""},
    };
    static const char *const bad[] = {
        "",           "1",    "0 u",  "15 u", "256 u",
        "4352 u",     "x u",  "/ u",  "1/ u", "1/x u",
        "1/recvonly", "-1 u", "1x u", "1 ",   "99999999999999999 u",
    };
    for (size_t i = 0; i < ARRAY_LEN(good); i++) {
        struct sdp_extmap e;
        char buf[128], line[128];
        struct text t;
        assert_true(sdp_extmap_parse(str_of(good[i].value), &e));
        assert_int_equal(e.id, good[i].id);
        assert_int_equal(e.direction, good[i].direction);
        assert_str(e.uri, good[i].uri);
        assert_str(e.attributes, good[i].attributes);
        text_init(&t, buf, sizeof(buf));
        sdp_extmap_write(&t, &e);
        (void)snprintf(line, sizeof(line), "a=extmap:%s\r\n", good[i].value);
        assert_string_equal(buf, line);
    }
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        struct sdp_extmap e;
        if (sdp_extmap_parse(str_of(bad[i]), &e))
            fail_msg("accepted \"%s\"", bad[i]);
    }
}

static void sources_and_feedback(void **state)
{
    (void)state;
    struct sdp_ssrc s;
    assert_true(sdp_ssrc_parse(STR("4294967295 cname:a:b"), &s));
    assert_int_equal(s.ssrc, 4294967295u);
    assert_str(s.attribute, "cname");
    assert_str(s.value, "a:b");
    assert_true(sdp_ssrc_parse(STR("0 label"), &s));
    assert_str(s.value, "");
    static const char *const bad_ssrc[] = {"", "1", "1 ", "x cname:a", "4294967296 a:b", "1 :x"};
    for (size_t i = 0; i < ARRAY_LEN(bad_ssrc); i++)
        assert_false(sdp_ssrc_parse(str_of(bad_ssrc[i]), &s));

    struct sdp_rtcp_fb fb;
    assert_true(sdp_rtcp_fb_parse(STR("96 nack pli"), &fb));
    assert_int_equal(fb.pt, 96);
    assert_false(fb.all);
    assert_str(fb.type, "nack");
    assert_str(fb.parameter, "pli");
    assert_true(sdp_rtcp_fb_parse(STR("* transport-cc"), &fb));
    assert_true(fb.all);
    assert_str(fb.parameter, "");
    static const char *const bad_fb[] = {"", "*", "96", "128 nack", "** nack"};
    for (size_t i = 0; i < ARRAY_LEN(bad_fb); i++)
        assert_false(sdp_rtcp_fb_parse(str_of(bad_fb[i]), &fb));
}

/** RFC 8122 §5 with the digest of its example, filled up to 32 bytes. */
#define DIGEST                                                                                     \
    "4A:AD:B9:B1:3F:82:18:3B:54:02:12:DF:3E:5D:49:6B:19:E5:7C:AB:4A:AD:B9:B1:3F:82:18:3B:54:02:"   \
    "12:df"

static void fingerprint(void **state)
{
    (void)state;
    struct sdp_fingerprint f;
    assert_int_equal(sdp_fingerprint_parse(STR("SHA-256  " DIGEST " "), &f), 0);
    assert_int_equal(f.hash, SDP_SHA256);
    assert_int_equal(f.len, 32);
    assert_int_equal(f.digest[0], 0x4A);
    assert_int_equal(f.digest[31], 0xDF);
    assert_int_equal(sdp_fingerprint_parse(STR("sha-512 " DIGEST ":" DIGEST), &f), 0);
    assert_int_equal(f.len, 64);
    assert_int_equal(f.digest[63], 0xDF);
    static const struct {
        const char *value;
        int code;
    } bad[] = {
        {"", SDP_E_FINGERPRINT},
        {"sha-256", SDP_E_FINGERPRINT},
        {"sha-256 4A", SDP_E_FINGERPRINT},
        {"sha-256 " DIGEST ":", SDP_E_FINGERPRINT},
        {"sha-256 " DIGEST ":00", SDP_E_FINGERPRINT},
        {"sha-384 " DIGEST, SDP_E_FINGERPRINT},
        {"sha-256 x" DIGEST, SDP_E_FINGERPRINT},
        {"sha-1 " DIGEST, SDP_E_UNKNOWN_HASH},
        {"md5 00", SDP_E_UNKNOWN_HASH},
        {"sha-2560 " DIGEST, SDP_E_UNKNOWN_HASH},
    };
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        struct sdp_fingerprint untouched = {.len = 99};
        assert_int_equal(sdp_fingerprint_parse(str_of(bad[i].value), &untouched), bad[i].code);
        assert_int_equal(untouched.len, 99);
    }
    char hex[] = "sha-256 " DIGEST;
    hex[10] = '-'; /* the first colon */
    assert_int_equal(sdp_fingerprint_parse(str_of(hex), &f), SDP_E_FINGERPRINT);
    hex[10] = ':';
    hex[8] = 'G';
    assert_int_equal(sdp_fingerprint_parse(str_of(hex), &f), SDP_E_FINGERPRINT);

    char buf[256];
    struct text t;
    text_init(&t, buf, sizeof(buf));
    sdp_fingerprint_write(
        &t, &(struct sdp_fingerprint){.hash = SDP_SHA384, .len = 3, .digest = {0, 0xAB, 9}});
    assert_string_equal(buf, "a=fingerprint:sha-384 00:AB:09\r\n");
}

static void setup_and_characters(void **state)
{
    (void)state;
    static const char *const names[] = {"active", "passive", "actpass", "holdconn"};
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        enum sdp_setup setup;
        assert_true(sdp_setup_parse(str_of(names[i]), &setup));
        assert_string_equal(sdp_setup_name(setup), names[i]);
    }
    enum sdp_setup untouched = SDP_SETUP_HOLDCONN;
    assert_false(sdp_setup_parse(STR(""), &untouched));
    assert_false(sdp_setup_parse(STR("activ"), &untouched));
    assert_int_equal(untouched, SDP_SETUP_HOLDCONN);

    assert_true(sdp_is_token(STR("aud.7_~{}`|!#$%&'*+-^")));
    static const char *const bad[] = {"", "a b", "a:b", "a/b", "a\"", "\x7f", "\xc3\xa4", "("};
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        assert_false(sdp_is_token(str_of(bad[i])));
    assert_true(sdp_is_ice_chars(STR("aZ9+/"), 4, 5));
    assert_false(sdp_is_ice_chars(STR("aZ9+/"), 6, 9));
    assert_false(sdp_is_ice_chars(STR("aZ9+/"), 1, 4));
    assert_false(sdp_is_ice_chars(STR("aZ9-"), 1, 9));
}

static void addresses(void **state)
{
    (void)state;
    static const struct {
        const char *value, *read; /* read NULL = refused */
    } rows[] = {
        {"IN IP4 192.0.2.1", "IN IP4 192.0.2.1"},
        {" IN  IP6 2001:db8::1 ", "IN IP6 2001:db8::1"},
        {"in ip4 0.0.0.0", "IN IP4 0.0.0.0"},
        {"IN IP4 233.252.0.1/127", "IN IP4 233.252.0.1"}, /* what it is good for is not judged */
        {"IN IP4 2001:db8::1", NULL},
        {"IN IP6 192.0.2.1", NULL},
        {"IN IP4 host.example.org", NULL},
        {"ATM IP4 192.0.2.1", NULL},
        {"IN IP4", NULL},
        {"", NULL},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        char buf[64];
        struct text t;
        struct addr a = addr_v4(9, 9, 9, 9, 9);
        text_init(&t, buf, sizeof(buf));
        assert_int_equal(sdp_address_parse(str_of(rows[i].value), 5, &a), rows[i].read != NULL);
        assert_int_equal(a.port, rows[i].read ? 5 : 9);
        sdp_address_write(&t, &a);
        assert_string_equal(buf, rows[i].read ? rows[i].read : "IN IP4 9.9.9.9");
    }
}

static void where_rtcp_is(void **state)
{
    (void)state;
    static const struct {
        const char *value;
        struct addr expected;
    } rows[] = {
        {"53020", {.port = 53020}}, {"53020 IN IP6 ::1", {.ip = {[15] = 1}, .port = 53020}},
        {"65536", {.port = 1}},     {"53020 IN IP4 x", {.port = 1}},
        {"", {.port = 1}},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct addr a = {.port = 1};
        assert_int_equal(sdp_rtcp_parse(str_of(rows[i].value), &a), rows[i].expected.port != 1);
        assert_true(addr_equal(&a, &rows[i].expected));
    }
}

static void a_section_has_its_own_connection_or_that_of_the_session(void **state)
{
    (void)state;
    struct sdp s;
    struct addr a;
    assert_int_equal(sdp_parse(&s,
                               STR("v=0\nc=IN IP4 192.0.2.1\nm=audio 4000 RTP/AVP 0\n"
                                   "m=audio 4002 RTP/AVP 0\nc=IN IP4 192.0.2.2\nc=IN IP4 x\n"),
                               NULL),
                     0);
    assert_true(sdp_find_connection(&s, &s.media[0], &a));
    assert_true(a.ip[15] == 1 && a.port == 0);
    assert_true(sdp_find_connection(&s, &s.media[1], &a));
    assert_int_equal(a.ip[15], 2);
    sdp_deinit(&s);
    assert_int_equal(sdp_parse(&s, STR("v=0\nm=audio 4000 RTP/AVP 0\n"), NULL), 0);
    assert_false(sdp_find_connection(&s, &s.media[0], &a));
    sdp_deinit(&s);
}

static void opus(void **state)
{
    (void)state;
    static const struct {
        const char *fmtp, *line;
    } rows[] = {
        {"minptime=10;useinbandfec=1", "a=fmtp:111 minptime=10;useinbandfec=1\r\n"},
        {" useinbandfec=1 ;MinPtime = 10; ", "a=fmtp:111 minptime=10;useinbandfec=1\r\n"},
        {"stereo=0", "a=fmtp:111 stereo=0\r\n"},
        {"stereo=1;stereo=0;stereo=2", "a=fmtp:111 stereo=0\r\n"},
        {"maxplaybackrate=7999;maxaveragebitrate=510001;cbr=-1;usedtx;stereo=", ""},
        {"maxplaybackrate=8000;sprop-maxcapturerate=48000;maxaveragebitrate=6000;sprop-stereo=1;"
         "cbr=1;usedtx=1",
         "a=fmtp:111 maxplaybackrate=8000;sprop-maxcapturerate=48000;maxaveragebitrate=6000;"
         "sprop-stereo=1;cbr=1;usedtx=1\r\n"},
        {"x-unknown=1;ptime=20", ""},
        {"", ""},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        char buf[256];
        struct text t;
        struct sdp_opus o = sdp_opus_parse(str_of(rows[i].fmtp));
        text_init(&t, buf, sizeof(buf));
        sdp_opus_write(&t, 111, &o);
        assert_string_equal(buf, rows[i].line);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rtpmap),
        cmocka_unit_test(in_a_section),
        cmocka_unit_test(direction),
        cmocka_unit_test(extmap),
        cmocka_unit_test(sources_and_feedback),
        cmocka_unit_test(fingerprint),
        cmocka_unit_test(setup_and_characters),
        cmocka_unit_test(addresses),
        cmocka_unit_test(where_rtcp_is),
        cmocka_unit_test(a_section_has_its_own_connection_or_that_of_the_session),
        cmocka_unit_test(opus),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
