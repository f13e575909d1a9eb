/* Offers of ours over real sockets: browsers answer, talk, and offer in their turn. */
#include "bench.h"

#define ID bench_id(0)

/* Browser i answers an offer and becomes endpoint i. */
static void accept_browser(struct bench *b, unsigned i, const char *file)
{
    char error[ENGINE_ERROR_MAX];
    struct engine_offered *offered;
    struct engine_answer *ours = &b->answers->legs[0];
    struct browser *br = browser_open(b, i, file);
    br->is_answerer = true;
    assert_int_equal(engine_offer(b->engine, bench_now(), ID, ENGINE_SENDRECV, ours, &offered), 0);
    assert_string_equal(ours->mid, "audio0");
    assert_int_equal(
        engine_endpoint_accept(b->engine, bench_now(), ID, i, offered, str_of(br->offer), error),
        0);
    engine_offered_free(offered);
    browser_answered(b, br, ours);
    browser_trickle(b, ID, i, br);
}

static bool are_connected(struct bench *b, unsigned n)
{
    for (unsigned i = 0; i < n; i++) {
        if (!b->calls[0].connected[i] || !b->browsers[i].connected)
            return false;
    }
    return true;
}

static struct bench *talking(void)
{
    struct bench *b = bench_new();
    assert_int_equal(engine_pipeline_new(b->engine, ENGINE_PIPELINES, ID), 0);
    accept_browser(b, 0, "answer_chromium.sdp");
    accept_browser(b, 1, "answer_werift.sdp");
    for (unsigned i = 0; i < 2; i++)
        assert_int_equal(engine_connect(b->engine, ID, i, 1 - i), 0);
    bench_wait(b, are_connected, 2);
    return b;
}

static bool has_heard(struct bench *b, unsigned n)
{
    return b->browsers[0].n_rtp >= n && b->browsers[1].n_rtp >= n;
}

static void talk(struct bench *b, uint16_t seq, unsigned n)
{
    for (unsigned i = 0; i < 2; i++)
        browser_send(&b->browsers[i], seq, bench_payload, sizeof(bench_payload));
    bench_wait(b, has_heard, n);
}

static void who_answers_is_heard(void **state)
{
    struct bench *b = talking();
    (void)state;
    talk(b, 1, 1);
    for (unsigned i = 0; i < 2; i++) {
        assert_int_equal(b->browsers[i].rtp.pt, 111);
        assert_false(b->browsers[i].peer->ice.is_controlling);
    }
    bench_free(b);
}

/* Its answer was the last that we heard: what it offers later is held to that. */
static void who_answered_may_offer(void **state)
{
    char error[ENGINE_ERROR_MAX];
    struct bench *b = talking();
    struct browser *br = &b->browsers[0];
    struct engine_answer *answer = &b->answers->legs[0];
    (void)state;
    assert_int_equal(engine_endpoint_answer_again(b->engine, bench_now(), ID, 0, str_of(br->offer),
                                                  answer, error),
                     0);
    assert_false(answer->is_restart);
    assert_non_null(strstr(answer->sdp, " 2 IN IP4 "));
    assert_non_null(strstr(answer->sdp, "a=setup:passive"));
    memcpy(strstr(br->offer, "a=mid:audio0"), "a=mid:audio1", 12);
    assert_int_equal(engine_endpoint_answer_again(b->engine, bench_now(), ID, 0, str_of(br->offer),
                                                  answer, error),
                     ENGINE_E_OFFER);
    talk(b, 1, 1);
    bench_free(b);
}

static void a_wrong_answer_leaves_the_offer_standing(void **state)
{
    char error[ENGINE_ERROR_MAX];
    struct engine_offered *offered;
    struct bench *b = bench_new();
    struct engine_answer *ours = &b->answers->legs[0];
    (void)state;
    assert_int_equal(engine_offer(b->engine, bench_now(), ID, ENGINE_SENDONLY, ours, &offered),
                     ENGINE_E_UNKNOWN);
    assert_int_equal(engine_pipeline_new(b->engine, ENGINE_PIPELINES, ID), 0);
    assert_int_equal(engine_offer(b->engine, bench_now(), ID, ENGINE_SENDONLY, ours, &offered), 0);
    assert_non_null(strstr(ours->sdp, "a=sendonly"));
    struct browser *br = browser_open(b, 0, "answer_firefox.sdp");
    br->is_answerer = true;
    assert_int_equal(
        engine_endpoint_accept(b->engine, bench_now(), ID, 0, offered, STR("v=1"), error),
        ENGINE_E_OFFER);
    assert_true(strlen(error) > 0);
    assert_int_equal(
        engine_endpoint_accept(b->engine, bench_now(), ID, 0, offered, str_of(ours->sdp), error),
        ENGINE_E_OFFER);
    assert_non_null(strstr(error, "a=setup"));
    assert_int_equal(
        engine_endpoint_accept(b->engine, bench_now(), 99, 0, offered, str_of(br->offer), error),
        ENGINE_E_UNKNOWN);
    assert_int_equal(
        engine_endpoint_accept(b->engine, bench_now(), ID, 0, offered, str_of(br->offer), error),
        0);
    engine_offered_free(offered);
    browser_answered(b, br, ours);
    browser_trickle(b, ID, 0, br);
    bench_wait(b, are_connected, 1);
    bench_free(b);
}

static void without_memory_nothing_is_made(void **state)
{
    char error[ENGINE_ERROR_MAX];
    struct engine_offered *offered = NULL;
    struct bench *b = bench_new();
    struct engine_answer *ours = &b->answers->legs[0];
    bool has_failed = true;
    (void)state;
    assert_int_equal(engine_pipeline_new(b->engine, ENGINE_PIPELINES, ID), 0);
    struct browser *br = browser_open(b, 0, "answer_werift.sdp");
    br->is_answerer = true;
    for (unsigned n = 1; has_failed; n++) {
        mem_fail_at(n);
        int err = engine_offer(b->engine, bench_now(), ID, ENGINE_SENDRECV, ours, &offered);
        has_failed = mem_count() >= n;
        mem_fail_at(0);
        assert_int_equal(err, has_failed ? -ENOMEM : 0);
        assert_true(has_failed || n > 3);
    }
    has_failed = true;
    for (unsigned n = 1; has_failed; n++) {
        mem_fail_at(n);
        int err = engine_endpoint_accept(b->engine, bench_now(), ID, 0, offered, str_of(br->offer),
                                         error);
        has_failed = mem_count() >= n;
        mem_fail_at(0);
        assert_int_equal(err, has_failed ? -ENOMEM : 0);
        assert_true(has_failed || n > 5);
    }
    engine_offered_free(offered);
    browser_answered(b, br, ours);
    browser_trickle(b, ID, 0, br);
    bench_wait(b, are_connected, 1);
    bench_free(b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(who_answers_is_heard),
        cmocka_unit_test(who_answered_may_offer),
        cmocka_unit_test(a_wrong_answer_leaves_the_offer_standing),
        cmocka_unit_test(without_memory_nothing_is_made),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
