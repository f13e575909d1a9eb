/* Text to struct: what is accepted, what is refused and which line is blamed. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/mem.h"
#include "base/text.h"
#include "sdp/sdp.h"

static const char offer[] = "v=0\r\n"
                            "o=- 1 1 IN IP4 127.0.0.1\r\n"
                            "s=-\r\n"
                            "t=0 0\r\n"
                            "a=group:LS x\r\n"
                            "a=group:BUNDLE 0 data\r\n"
                            "a=setup:actpass\r\n"
                            "m=audio 9/2 UDP/TLS/RTP/SAVPF 111  0\r\n"
                            "c=IN IP4 0.0.0.0\r\n"
                            "a=mid:0\r\n"
                            "a=rtcp-mux\r\n"
                            "a=ssrc:1 cname:x\r\n"
                            "a=ssrc:2 cname: y \r\n"
                            "m=application 0 UDP/DTLS/SCTP webrtc-datachannel\r\n"
                            "a=mid:data\r\n"
                            "a=setup:active\r\n";

static void assert_str(struct str s, const char *expected)
{
    if (!str_eq(s, str_of(expected)))
        fail_msg("\"%.*s\" instead of \"%s\"", STR_FMT(s), expected);
}

static void finds_lines_and_attributes(void **state)
{
    (void)state;
    struct sdp s;
    struct str mids;

    assert_int_equal(sdp_parse(&s, str_of(offer), NULL), 0);
    assert_int_equal(s.n_media, 2);
    const struct sdp_media *audio = &s.media[0];
    const struct sdp_media *data = &s.media[1];
    assert_str(audio->type, "audio");
    assert_int_equal(audio->port, 9);
    assert_int_equal(audio->line, 8);
    assert_str(audio->proto, "UDP/TLS/RTP/SAVPF");
    assert_str(audio->formats, "111  0");
    assert_int_equal(data->port, 0);
    assert_str(data->formats, "webrtc-datachannel");

    assert_str(sdp_find(&s, audio, STR("mid"))->value, "0");
    assert_int_equal(sdp_find(&s, audio, STR("mid"))->line, 10);
    assert_int_equal(sdp_find(&s, audio, STR("rtcp-mux"))->value.len, 0);
    assert_null(sdp_find(&s, audio, STR("setup")));
    assert_null(sdp_find(&s, data, STR("rtcp-mux")));
    assert_null(sdp_find(&s, NULL, STR("mid")));
    assert_null(sdp_find(&s, audio, STR("MID")));

    const struct sdp_attr *ssrc = sdp_next(&s, audio, STR("ssrc"), NULL);
    assert_str(ssrc->value, "1 cname:x");
    ssrc = sdp_next(&s, audio, STR("ssrc"), ssrc);
    assert_str(ssrc->value, "2 cname: y");
    assert_null(sdp_next(&s, audio, STR("ssrc"), ssrc));

    assert_str(sdp_find_inherited(&s, audio, STR("setup"))->value, "actpass");
    assert_str(sdp_find_inherited(&s, data, STR("setup"))->value, "active");
    assert_str(sdp_find_inherited(&s, NULL, STR("setup"))->value, "actpass");

    assert_ptr_equal(sdp_find_mid(&s, STR("data")), data);
    assert_null(sdp_find_mid(&s, STR("x")));
    assert_null(sdp_find_mid(&s, STR("")));
    assert_true(sdp_find_bundle(&s, STR("data"), &mids));
    assert_str(mids, "0 data");
    assert_false(sdp_find_bundle(&s, STR("x"), &mids));
    assert_false(sdp_find_bundle(&s, STR("BUNDLE"), &mids));
    assert_false(sdp_find_bundle(&s, STR(""), &mids));
    sdp_deinit(&s);
    sdp_deinit(&s);
}

#define M "m=audio 9 RTP/SAVPF 0\n"

static void accepts(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        unsigned n_media;
    } rows[] = {
        {"v=0", 0},
        {"v=0\n", 0},
        {"v=0\r\n", 0},
        {"v=0 \r\n", 0},
        {"v=0\n" M, 1},
        {"v=0\r\n\r\n", 0},
        {"v=0\n" M "\n\r\n \t\n", 1},
        {"v=0\no=-\ns=\nt=\n" M, 1},
        {"v=0\n" M "k=clear:x\nb=AS:5\ni=\n", 1},
        {"v=0\na=\na=:\na=:x\na=x:\n" M "a=\n", 1},
        {"v=0\nm=x 65535 y z", 1},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct sdp s;
        struct sdp_error err = {0};
        int code = sdp_parse(&s, str_of(rows[i].text), &err);
        if (code)
            fail_msg("row %zu: line %u, %s", i, err.line, err.text);
        assert_int_equal(s.n_media, rows[i].n_media);
        sdp_deinit(&s);
    }
}

static void refuses_and_names_the_line(void **state)
{
    (void)state;
    const struct {
        struct str text;
        unsigned line;
    } rows[] = {
        {STR(""), 0},
        {STR("\r\n\r\n"), 0},
        {STR("   "), 1},
        {STR("v=1\n"), 1},
        {STR("v=0x\n"), 1},
        {STR("\nv=0\n"), 1},
        {STR("o=-\nv=0\n"), 1},
        {STR("hello"), 1},
        {STR("v=0\n\n" M), 2},
        {STR("v=0\nx=1\n"), 2},
        {STR("v=0\nV=1\n"), 2},
        {STR("v=0\na\n"), 2},
        {STR("v=0\n=\n"), 2},
        {STR("v=0\n a=b\n"), 2},
        {STR("v=0\ns=\0\n"), 2},
        {STR("v=0\n\0=\n"), 2},
        {STR("v=0\na=mid:a\rb\n"), 2},
        {STR("v=0\n" M "a=x\r\r\n"), 3},
        {STR("v=0\nm=\n"), 2},
        {STR("v=0\nm=audio\n"), 2},
        {STR("v=0\nm=audio x RTP/AVP 0\n"), 2},
        {STR("v=0\nm=audio -1 RTP/AVP 0\n"), 2},
        {STR("v=0\nm=audio 65536 RTP/AVP 0\n"), 2},
        {STR("v=0\n" M "m=audio 9 RTP/AVP\n"), 3},
        {STR("v=0\n" M "m=audio 9 RTP/AVP \n"), 3},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct sdp s;
        struct sdp_error err = {.line = 99};
        int code = sdp_parse(&s, rows[i].text, &err);
        if (code != SDP_E_SYNTAX || err.line != rows[i].line)
            fail_msg("row %zu: code %d, line %u", i, code, err.line);
        assert_non_null(err.text);
        assert_int_equal(sdp_parse(&s, rows[i].text, NULL), code);
    }
}

/** "v=0", then a line repeated */
static char *repeated(const char *line, unsigned n)
{
    size_t size = 5 + strlen(line) * n;
    char *buf = malloc(size);
    struct text t;
    assert_non_null(buf);
    text_init(&t, buf, size);
    text_put(&t, STR("v=0\n"));
    for (unsigned i = 0; i < n; i++)
        text_put(&t, str_of(line));
    assert_false(t.failed);
    return buf;
}

static void expect_parse(const char *text, int expected, unsigned line)
{
    struct sdp s;
    struct sdp_error err = {0};
    int code = sdp_parse(&s, str_of(text), &err);
    assert_int_equal(code, expected);
    if (code)
        assert_int_equal(err.line, line);
    else
        sdp_deinit(&s);
}

static void limits_hold_to_the_line(void **state)
{
    (void)state;
    static const struct {
        const char *line;
        unsigned most; /* that many are accepted */
        unsigned blamed;
    } rows[] = {
        {M, SDP_MAX_MEDIA, SDP_MAX_MEDIA + 2},
        {"a=x\n", SDP_MAX_LINES - 1, SDP_MAX_LINES + 1},
        {"c=x\n", SDP_MAX_LINES - 1, SDP_MAX_LINES + 1},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        char *text = repeated(rows[i].line, rows[i].most);
        expect_parse(text, 0, 0);
        free(text);
        text = repeated(rows[i].line, rows[i].most + 1);
        expect_parse(text, SDP_E_LIMIT, rows[i].blamed);
        free(text);
    }
}

static void limit_of_formats_and_text(void **state)
{
    (void)state;
    static char buf[SDP_MAX_TEXT + 2];
    for (unsigned n = SDP_MAX_FORMATS; n <= SDP_MAX_FORMATS + 1; n++) {
        struct text t;
        text_init(&t, buf, sizeof(buf));
        text_put(&t, STR("v=0\nm=audio 9 RTP/SAVPF"));
        for (unsigned i = 0; i < n; i++)
            text_printf(&t, " %u", i);
        expect_parse(buf, n > SDP_MAX_FORMATS ? SDP_E_LIMIT : 0, 2);
    }
    memcpy(buf, "v=0\ns=", 6);
    memset(buf + 6, 'x', sizeof(buf) - 6);
    buf[SDP_MAX_TEXT] = 0;
    expect_parse(buf, 0, 0);
    buf[SDP_MAX_TEXT] = 'x';
    buf[SDP_MAX_TEXT + 1] = 0;
    expect_parse(buf, SDP_E_LIMIT, 0);
}

static void out_of_memory(void **state)
{
    (void)state;
    struct sdp s;
    mem_fail_at(1);
    assert_int_equal(sdp_parse(&s, str_of(offer), NULL), -ENOMEM);
    assert_int_equal(mem_count(), 1);
    mem_fail_at(2);
    assert_int_equal(sdp_parse(&s, str_of(offer), NULL), 0);
    sdp_deinit(&s);
    mem_fail_at(0);
}

/** An exact heap copy of each beginning, so that reading one byte too far is seen. */
static void every_truncation(void **state)
{
    (void)state;
    for (size_t len = 0; len < sizeof(offer); len++) {
        char *copy = malloc(len ? len : 1);
        assert_non_null(copy);
        memcpy(copy, offer, len);
        struct sdp s;
        struct sdp_error err = {0};
        int code = sdp_parse(&s, (struct str){copy, len}, &err);
        if (code)
            assert_non_null(err.text);
        else
            sdp_deinit(&s);
        free(copy);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(finds_lines_and_attributes), cmocka_unit_test(accepts),
        cmocka_unit_test(refuses_and_names_the_line), cmocka_unit_test(limits_hold_to_the_line),
        cmocka_unit_test(limit_of_formats_and_text),  cmocka_unit_test(out_of_memory),
        cmocka_unit_test(every_truncation),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
