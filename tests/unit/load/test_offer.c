/* The offers, answered by the server's own negotiation, and what is read from the answers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "load/offer.h"
#include "peer/negotiate.h"

static const uint8_t fingerprint[32] = {0xab, 1, 2, 3};
static char offer_text[OFFER_MAX], answer_text[NEGOTIATE_ANSWER_MAX];

static struct offer make_offer(unsigned side)
{
    return (struct offer){
        .kind = offer_kinds[side],
        .ufrag = "ufra",
        .pwd = "passwordpasswordpassword",
        .fingerprint = fingerprint,
        .cname = "cname",
        .ssrc = 4711,
        .session_id = 1,
    };
}

/* @return the answer of a server that is called "serv" */
static struct str answer_to(const struct offer *o)
{
    struct text offer, answer;
    struct sdp sdp;
    struct codec_set set;
    struct peer_params params;
    const struct str candidates[] = {STR("candidate:1 1 UDP 2130706431 192.0.2.1 40000 typ host")};
    struct negotiate_local local = {
        .ufrag = STR("serv"),
        .pwd = STR("serverserverserverserver"),
        .ssrc = 1,
        .cname = STR("duet"),
        .candidates = candidates,
        .n_candidates = 1,
    };
    text_init(&offer, offer_text, sizeof(offer_text));
    offer_write(o, &offer);
    assert_false(offer.failed);
    assert_int_equal(sdp_parse(&sdp, text_str(&offer), NULL), 0);
    assert_int_equal(negotiate_check(&sdp, NULL), 0);
    assert_int_equal(negotiate_own(&sdp, &set), 0);
    text_init(&answer, answer_text, sizeof(answer_text));
    assert_int_equal(negotiate_answer(&sdp, &set, &local, &params, &answer, NULL), 0);
    assert_string_equal(params.remote_ufrag, "ufra");
    assert_int_equal(params.codecs[0].id, CODEC_OPUS);
    assert_int_equal(params.codecs[0].pt, o->kind.opus_pt);
    assert_int_equal(params.ssrcs[0], 4711);
    assert_memory_equal(params.fingerprints[0].digest, fingerprint, sizeof(fingerprint));
    sdp_deinit(&sdp);
    return text_str(&answer);
}

static void both_kinds_are_answered(void **state)
{
    (void)state;
    for (unsigned side = 0; side < 2; side++) {
        struct offer o = make_offer(side);
        struct peer_params p;
        assert_null(offer_read_answer(&o, answer_to(&o), &p));
        assert_string_equal(p.remote_ufrag, "serv");
        assert_string_equal(p.remote_pwd, "serverserverserverserver");
        assert_int_equal(p.n_candidates, 1);
        assert_int_equal(p.codecs[0].pt, o.kind.opus_pt);
        assert_int_equal(p.ext_send[PEER_EXT_AUDIO_LEVEL], o.kind.level_ext);
        assert_true(p.dtls_client);
        assert_int_equal(p.local_ssrc, 4711);
    }
}

static void unusable_answers_are_named(void **state)
{
    static const struct {
        const char *from, *to;
    } rows[] = {
        {"v=0", "v=1"},           {"m=audio 9", "m=audio 0"},
        {"m=audio", "m=video"},   {"a=ice-ufrag", "a=ice-ufrxx"},
        {"a=setup:", "a=sexup:"}, {"a=sendrecv", "a=sendonly"},
        {"opus/", "opux/"},       {"sha-256 ", "sha-999 "},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct offer o = make_offer(0);
        struct str answer = answer_to(&o);
        struct peer_params p;
        char *at = strstr(answer_text, rows[i].from);
        assert_non_null(at);
        memcpy(at, rows[i].to, strlen(rows[i].to));
        assert_non_null(offer_read_answer(&o, answer, &p));
    }
}

static struct str offer_of(const struct offer *o)
{
    struct text text;
    text_init(&text, offer_text, sizeof(offer_text));
    offer_write(o, &text);
    assert_false(text.failed);
    return text_str(&text);
}

/* Janus and rtpengine hand the caller's offer on; here it is as if they changed nothing in it. */
static void an_offer_is_answered_with_its_numbers(void **state)
{
    struct offer caller = make_offer(0), callee = make_offer(1);
    struct peer_params p;
    struct text answer;
    (void)state;
    callee.ssrc = 4712;
    assert_null(offer_read_offer(&callee, offer_of(&caller), &p));
    assert_int_equal(callee.kind.opus_pt, 111);
    assert_int_equal(callee.kind.level_ext, 1);
    assert_string_equal(callee.kind.name, "Firefox");
    assert_string_equal(p.remote_ufrag, "ufra");
    assert_int_equal(p.local_ssrc, 4712);
    assert_true(p.dtls_client);

    text_init(&answer, answer_text, sizeof(answer_text));
    offer_write_answer(&callee, &p, &answer);
    assert_non_null(strstr(answer_text, "a=setup:active\r\n"));
    assert_null(offer_read_answer(&caller, text_str(&answer), &p));
    assert_int_equal(p.codecs[0].pt, 111);
    assert_int_equal(p.ext_send[PEER_EXT_AUDIO_LEVEL], 1);
    assert_false(p.dtls_client);
    assert_string_equal(p.mid, "0");
}

static void without_trickle_the_candidate_is_in_the_text(void **state)
{
    struct offer o = make_offer(0);
    struct peer_params p;
    (void)state;
    o.candidate = "candidate:1 1 UDP 2130706431 192.0.2.7 4000 typ host";
    o.address = addr_v4(192, 0, 2, 7, 4000);
    struct str text = offer_of(&o);
    assert_non_null(strstr(offer_text, "m=audio 4000 "));
    assert_non_null(strstr(offer_text, "c=IN IP4 192.0.2.7\r\n"));
    assert_null(strstr(offer_text, "trickle"));
    assert_null(offer_read_offer(&o, text, &p));
    assert_int_equal(p.n_candidates, 1);
    assert_true(p.remote_end_of_candidates);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_offer_is_answered_with_its_numbers),
        cmocka_unit_test(without_trickle_the_candidate_is_in_the_text),
        cmocka_unit_test(both_kinds_are_answered),
        cmocka_unit_test(unusable_answers_are_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
