/* Later offers of a leg that talks: what may change, what is refused, what the answer keeps. */
#include "unit/peer/offers.h"

/* ---- texts ------------------------------------------------------------------------------- */

static bool has(const char *text, const char *what)
{
    return strstr(text, what) != NULL;
}

static void line_of(const char *text, const char *start, char *ret, size_t cap)
{
    const char *at = strstr(text, start);
    assert_non_null(at);
    size_t len = strcspn(at, "\r\n");
    assert_true(str_copy((struct str){at, len}, ret, cap));
}

/* ---- a call whose other leg says what it said -------------------------------------------- */

struct call {
    char first[FILE_MAX], other[FILE_MAX];
    struct codec_set set;
    struct peer_params params; /* of the first answer */
    char answer[NEGOTIATE_ANSWER_MAX];
};

static struct negotiate_local our_side(uint64_t version)
{
    return (struct negotiate_local){
        .ufrag = STR("abcdefgh0001"),
        .pwd = STR("ABCDEFGHIJKLMNOPQRSTUVWX"),
        .ssrc = 0xCAFE0001,
        .cname = STR("cname0123456789"),
        .msid = STR("duet"),
        .session_id = 4711,
        .session_version = version,
    };
}

static struct sdp parsed(const char *text)
{
    struct sdp s;
    assert_int_equal(sdp_parse(&s, str_of(text), NULL), 0);
    return s;
}

static struct call *begin(const char *name, const char *other)
{
    static struct call c;
    struct negotiate_local local = our_side(1);
    struct text t;

    memset(&c, 0, sizeof(c));
    (void)load(name, c.first);
    (void)load(other, c.other);
    struct sdp s = parsed(c.first), o = parsed(c.other);
    text_init(&t, c.answer, sizeof(c.answer));
    assert_int_equal(negotiate_common(&s, &o, &c.set), 0);
    assert_int_equal(negotiate_answer(&s, &c.set, &local, &c.params, &t, NULL), 0);
    sdp_deinit(&s);
    sdp_deinit(&o);
    return &c;
}

struct outcome {
    int code;
    bool is_restart;
    struct negotiate_error err;
    struct peer_params params;
    char answer[NEGOTIATE_ANSWER_MAX];
};

static struct outcome *again(const struct call *c, const char *offer)
{
    static struct outcome r;
    struct sdp s = parsed(offer), before = parsed(c->first), o = parsed(c->other);
    const struct negotiate_before held = {.offer = &before, .dtls_client = c->params.dtls_client};
    struct negotiate_local local = our_side(2);
    struct codec_set set;
    struct text t;

    memset(&r, 0, sizeof(r));
    text_init(&t, r.answer, sizeof(r.answer));
    local.before = &held;
    r.code = negotiate_again(&s, &o, &c->set, &set);
    r.is_restart = negotiate_is_restart(&s, &before);
    if (!r.code)
        r.code = negotiate_answer(&s, &set, &local, &r.params, &t, &r.err);
    sdp_deinit(&s);
    sdp_deinit(&before);
    sdp_deinit(&o);
    return &r;
}

/* ---- what may change ---------------------------------------------------------------------- */

static void the_same_offer_again_gets_the_same_answer(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(fixtures); i++) {
        struct call *c = begin(fixtures[i], fixtures[i]);
        const struct outcome *r = again(c, c->first);
        if (r->code)
            fail_msg("%s: code %d, %s", fixtures[i], r->code, r->err.text ? r->err.text : "");
        assert_false(r->is_restart);
        assert_int_equal(r->params.n_codecs, c->params.n_codecs);
        assert_memory_equal(r->params.codecs, c->params.codecs, sizeof(r->params.codecs));
        /* The version of the o= line is all that is new (RFC 3264 §8). */
        assert_true(has(r->answer, "o=- 4711 2 IN"));
        const char *body = strstr(r->answer, "\r\ns="), *first = strstr(c->answer, "\r\ns=");
        assert_string_equal(body, first);
    }
}

static void new_credentials_are_a_restart_and_nothing_else(void **state)
{
    char offer[FILE_MAX], half[FILE_MAX], was[300], is[300];
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(fixtures); i++) {
        struct call *c = begin(fixtures[i], fixtures[i]);
        replace_lines(c->first, "a=ice-ufrag:", "a=ice-ufrag:NEWufrag", half);
        assert_true(again(c, half)->is_restart);
        replace_lines(half, "a=ice-pwd:", "a=ice-pwd:NEWpasswordNEWpasswordNEW", offer);
        const struct outcome *r = again(c, offer);
        assert_int_equal(r->code, 0);
        assert_true(r->is_restart);
        assert_string_equal(r->params.remote_ufrag, "NEWufrag");
        assert_int_equal(r->params.dtls_client, c->params.dtls_client);
        assert_int_equal(r->params.local_ssrc, c->params.local_ssrc);
        line_of(c->answer, "a=setup:", was, sizeof(was));
        line_of(r->answer, "a=setup:", is, sizeof(is));
        assert_string_equal(was, is);
    }
}

static void hold_and_resume(void **state)
{
    static const struct {
        const char *theirs, *ours;
        bool may_send, may_receive;
    } rows[] = {
        {"a=sendonly", "a=recvonly", false, true},
        {"a=recvonly", "a=sendonly", true, false},
        {"a=inactive", "a=inactive", false, false},
        {"a=sendrecv", "a=sendrecv", true, true},
    };
    char offer[FILE_MAX];
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct call *c = begin("chromium_audio", "firefox_audio");
        replace_lines(c->first, "a=sendrecv", rows[i].theirs, offer);
        const struct outcome *r = again(c, offer);
        assert_int_equal(r->code, 0);
        assert_false(r->is_restart);
        assert_int_equal(r->params.may_send, rows[i].may_send);
        assert_int_equal(r->params.may_receive, rows[i].may_receive);
        assert_true(has(r->answer, rows[i].ours));
    }
}

static void codecs_in_another_order_under_other_numbers(void **state)
{
    char offer[FILE_MAX], renumbered[FILE_MAX];
    (void)state;
    struct call *c = begin("firefox_audio", "chromium_audio");
    assert_int_equal(c->params.codecs[0].pt, 109);
    replace_lines(c->first, "m=audio ", "m=audio 9 UDP/TLS/RTP/SAVPF 8 0 9 110 101", offer);
    replace_lines(offer, "a=rtpmap:109 ", "a=rtpmap:110 opus/48000/2", renumbered);
    const struct outcome *r = again(c, renumbered);
    assert_int_equal(r->code, 0);
    assert_int_equal(r->params.n_codecs, c->params.n_codecs);
    for (unsigned i = 0; i < r->params.n_codecs; i++)
        assert_int_equal(r->params.codecs[i].id, c->params.codecs[i].id);
    assert_int_equal(r->params.codecs[0].pt, 110);
}

static void more_lines_and_more_codecs_change_nothing(void **state)
{
    char offer[FILE_MAX], own[FILE_MAX];
    (void)state;
    /* What only this leg has gained cannot be relayed: the other one was not told. */
    struct call *c = begin("pcmu_device", "chromium_audio");
    const struct outcome *r = again(c, c->first);
    unsigned n = r->params.n_codecs;
    replace_lines(c->first, "m=audio ", "m=audio 9 UDP/TLS/RTP/SAVPF 0 8 9 111", offer);
    replace_lines(offer, "a=rtcp-mux", "a=rtcp-mux\r\na=rtpmap:111 opus/48000/2", own);
    r = again(c, own);
    assert_int_equal(r->code, 0);
    assert_int_equal(r->params.n_codecs, n);
    c = begin("chromium_audio", "firefox_audio");
    struct text t;
    text_init(&t, offer, sizeof(offer));
    text_put(&t, str_of(c->first));
    text_put(&t, STR("m=video 9 UDP/TLS/RTP/SAVPF 96\r\nc=IN IP4 0.0.0.0\r\na=mid:1\r\n"
                     "a=rtpmap:96 VP8/90000\r\n"));
    r = again(c, offer);
    assert_int_equal(r->code, 0);
    assert_true(has(r->answer, "m=video 0 "));
}

static void wishes_are_those_that_the_other_leg_has_by_now(void **state)
{
    char other[FILE_MAX];
    (void)state;
    struct call *c = begin("chromium_audio", "firefox_audio");
    assert_true(has(c->answer, "maxplaybackrate=48000"));
    replace_lines(c->other, "a=fmtp:109 ", "a=fmtp:109 maxplaybackrate=16000;useinbandfec=1",
                  other);
    assert_true(str_copy(str_of(other), c->other, sizeof(c->other)));
    const struct outcome *r = again(c, c->first);
    assert_int_equal(r->code, 0);
    assert_true(has(r->answer, "maxplaybackrate=16000"));
}

/* ---- what is refused ---------------------------------------------------------------------- */

static void what_stays_for_a_whole_call(void **state)
{
    static const struct {
        const char *fixture, *start, *with, *attribute;
        int code;
    } rows[] = {
        {"chromium_audio", "a=fingerprint:",
         "a=fingerprint:sha-256 48:0D:20:99:3C:F2:56:94:9E:3E:48:D4:92:60:BA:1C:92:67:FB:49:E0:D2:"
         "96:9A:D7:87:F4:41:5D:4A:09:5D",
         "a=fingerprint", NEGOTIATE_E_CHANGE},
        {"chromium_audio", "a=setup:", "a=setup:passive", "a=setup", NEGOTIATE_E_CHANGE},
        {"setup_passive", "a=setup:", "a=setup:active", "a=setup", NEGOTIATE_E_CHANGE},
        {"chromium_audio", "a=mid:", "a=mid:other", "a=mid", NEGOTIATE_E_CHANGE},
        {"setup_active", "a=ice-pwd:", "a=ice-pwd:short", NULL, NEGOTIATE_E_ICE},
        {"chromium_audio", "m=audio ", "m=audio 9 UDP/TLS/RTP/SAVPF 0 8 126", NULL,
         NEGOTIATE_E_NO_CODEC},
        {"chromium_audio", "m=audio ", "m=audio 0 UDP/TLS/RTP/SAVPF 111", NULL,
         NEGOTIATE_E_NO_AUDIO},
    };
    char offer[FILE_MAX];
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct call *c = begin(rows[i].fixture, rows[i].fixture);
        replace_lines(c->first, rows[i].start, rows[i].with, offer);
        const struct outcome *r = again(c, offer);
        if (r->code != rows[i].code)
            fail_msg("row %zu: code %d", i, r->code);
        if (rows[i].attribute)
            assert_string_equal(r->err.attribute, rows[i].attribute);
        assert_int_equal(r->answer[0], 0);
    }
}

static void the_role_is_kept_when_the_offer_leaves_it_open(void **state)
{
    char offer[FILE_MAX];
    (void)state;
    struct call *c = begin("setup_passive", "chromium_audio");
    assert_true(c->params.dtls_client);
    replace_lines(c->first, "a=setup:", "a=setup:actpass", offer);
    const struct outcome *r = again(c, offer);
    assert_int_equal(r->code, 0);
    assert_true(r->params.dtls_client);
    assert_true(has(r->answer, "a=setup:active"));
}

static void another_tls_id_is_another_connection(void **state)
{
    char first[FILE_MAX], offer[FILE_MAX];
    (void)state;
    struct call *c = begin("firefox_audio", "chromium_audio");
    replace_lines(c->first, "a=setup:", "a=setup:actpass\r\na=tls-id:aaaaaaaaaaaaaaaaaaaaaaaa",
                  first);
    replace_lines(c->first, "a=setup:", "a=setup:actpass\r\na=tls-id:bbbbbbbbbbbbbbbbbbbbbbbb",
                  offer);
    assert_int_equal(again(c, offer)->code, 0); /* there was none before */
    assert_true(str_copy(str_of(first), c->first, sizeof(c->first)));
    assert_int_equal(again(c, c->first)->code, 0);
    const struct outcome *r = again(c, offer);
    assert_int_equal(r->code, NEGOTIATE_E_CHANGE);
    assert_string_equal(r->err.attribute, "a=tls-id");
}

static void lines_keep_their_places(void **state)
{
    char offer[FILE_MAX];
    (void)state;
    struct call *c = begin("chromium_av", "chromium_audio");
    assert_true(str_copy(str_of(load_text("chromium_audio")), offer, sizeof(offer)));
    const struct outcome *r = again(c, offer);
    assert_int_equal(r->code, NEGOTIATE_E_CHANGE);
    /* The first of two audio lines is given up: the second one is no substitute. */
    c = begin("two_audio", "chromium_audio");
    unsigned index = c->params.mline_index;
    assert_true(str_copy(str_of(c->first), offer, sizeof(offer)));
    char *line = offer;
    for (unsigned i = 0; i <= index; i++)
        line = strstr(i ? line + 1 : line, "m=audio ");
    assert_non_null(line);
    memcpy(line, "m=appli ", 8);
    r = again(c, offer);
    assert_int_not_equal(r->code, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_same_offer_again_gets_the_same_answer),
        cmocka_unit_test(new_credentials_are_a_restart_and_nothing_else),
        cmocka_unit_test(hold_and_resume),
        cmocka_unit_test(codecs_in_another_order_under_other_numbers),
        cmocka_unit_test(more_lines_and_more_codecs_change_nothing),
        cmocka_unit_test(wishes_are_those_that_the_other_leg_has_by_now),
        cmocka_unit_test(what_stays_for_a_whole_call),
        cmocka_unit_test(the_role_is_kept_when_the_offer_leaves_it_open),
        cmocka_unit_test(another_tls_id_is_another_connection),
        cmocka_unit_test(lines_keep_their_places),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
