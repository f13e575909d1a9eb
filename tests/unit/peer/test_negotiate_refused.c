/* Offers that are refused, and why; limits; and whatever else comes from outside. */
#include <ctype.h>

#include "base/mem.h"
#include "unit/peer/answers.h"

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
