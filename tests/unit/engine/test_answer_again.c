/* Later offers over real sockets: ICE restarts, new addresses, hold. */
#include "bench.h"
#include "engine/demux.h"

#define ALICE 0
#define BOB   1

static struct bench *talking(void)
{
    struct bench *b = bench_new();
    bench_call(b, 0);
    bench_wait(b, is_connected, 0);
    return b;
}

/* One packet from each; both arrive. */
static void talk(struct bench *b, uint16_t *seq)
{
    unsigned wanted[2] = {b->browsers[ALICE].n_rtp + 1, b->browsers[BOB].n_rtp + 1};
    mono_us limit = bench_now() + BENCH_LIMIT;
    ++*seq;
    for (unsigned i = 0; i < 2; i++)
        browser_send(&b->browsers[i], *seq, bench_payload, sizeof(bench_payload));
    for (unsigned i = 0; i < 2; i++) {
        while (b->browsers[i].n_rtp < wanted[i] && bench_now() < limit)
            bench_turn(b, limit);
        assert_int_equal(b->browsers[i].n_rtp, wanted[i]);
    }
}

static int answer_again(struct bench *b, unsigned leg)
{
    return engine_endpoint_answer_again(b->engine, bench_now(), bench_id(0), leg,
                                        str_of(b->browsers[leg].offer), &b->answers->legs[leg],
                                        b->answers->error);
}

static void replace(char *text, size_t cap, const char *what, const char *with)
{
    char *at = strstr(text, what);
    assert_non_null(at);
    size_t tail = strlen(at + strlen(what)) + 1;
    assert_true((size_t)(at - text) + strlen(with) + tail <= cap);
    memmove(at + strlen(with), at + strlen(what), tail);
    memcpy(at, with, strlen(with));
}

/* The browser of a leg restarts ICE; both sides have told all that they know. */
static void restart(struct bench *b, unsigned leg, const char *file)
{
    struct browser *br = &b->browsers[leg];
    struct peer_params params;
    rng_ice_chars(&b->rng, br->ufrag, sizeof(br->ufrag) - 1);
    rng_ice_chars(&b->rng, br->pwd, sizeof(br->pwd) - 1);
    browser_write_offer(b, br, file);
    assert_int_equal(
        ice_agent_restart(&br->peer->ice, bench_now(), str_of(br->ufrag), str_of(br->pwd)), 0);
    assert_int_equal(answer_again(b, leg), 0);
    assert_true(b->answers->legs[leg].is_restart);
    browser_trickle(b, bench_id(0), leg, br);
    read_answer(str_of(b->answers->legs[leg].sdp), &params);
    assert_int_equal(ice_agent_set_remote(&br->peer->ice, bench_now(), str_of(params.remote_ufrag),
                                          str_of(params.remote_pwd), false),
                     0);
    for (size_t i = 0; i < b->answers->legs[leg].n_candidates; i++) {
        struct ice_candidate c;
        assert_int_equal(ice_candidate_parse(str_of(b->answers->legs[leg].candidates[i]), &c), 0);
        assert_int_equal(peer_add_candidate(br->peer, bench_now(), &c, STR("")), 0);
    }
}

static void wait_for_ice(struct bench *b, unsigned leg)
{
    mono_us limit = bench_now() + BENCH_LIMIT;
    while (b->browsers[leg].peer->ice.state != ICE_COMPLETED && bench_now() < limit)
        bench_turn(b, limit);
    assert_int_equal(b->browsers[leg].peer->ice.state, ICE_COMPLETED);
}

static void value_of(const struct engine_answer *answer, const char *name, char *ret, size_t cap)
{
    const char *at = strstr(answer->sdp, name);
    assert_non_null(at);
    assert_true(str_copy((struct str){at, strcspn(at, "\r\n")}, ret, cap));
}

static void media_does_not_notice_a_restart(void **state)
{
    char first[64], again[64], ssrc[64], ssrc_again[64];
    struct bench *b = talking();
    uint16_t seq = 100;
    (void)state;
    for (unsigned n = 0; n < 20; n++)
        talk(b, &seq);
    value_of(&b->answers->legs[ALICE], "a=ice-ufrag:", first, sizeof(first));
    value_of(&b->answers->legs[ALICE], "a=ssrc:", ssrc, sizeof(ssrc));
    restart(b, ALICE, "chromium_audio.sdp");
    talk(b, &seq); /* over the old path, most likely */
    wait_for_ice(b, ALICE);
    for (unsigned n = 0; n < 20; n++)
        talk(b, &seq);
    value_of(&b->answers->legs[ALICE], "a=ice-ufrag:", again, sizeof(again));
    value_of(&b->answers->legs[ALICE], "a=ssrc:", ssrc_again, sizeof(ssrc_again));
    assert_string_not_equal(first, again);
    /* The first characters name the leg, whatever the generation. */
    assert_memory_equal(first, again, strlen("a=ice-ufrag:") + DEMUX_NAME_LEN);
    assert_string_equal(ssrc, ssrc_again);
    assert_non_null(strstr(b->answers->legs[ALICE].sdp, " 2 IN IP4 "));
    assert_non_null(strstr(b->answers->legs[ALICE].sdp, "a=end-of-candidates"));
    restart(b, BOB, "firefox_audio.sdp");
    restart(b, ALICE, "chromium_audio.sdp");
    wait_for_ice(b, BOB);
    wait_for_ice(b, ALICE);
    talk(b, &seq);
    assert_non_null(strstr(b->answers->legs[ALICE].sdp, " 3 IN IP4 "));
    assert_false(b->calls[0].ended[ALICE] || b->calls[0].ended[BOB]);
    bench_free(b);
}

static void another_socket(struct browser *br)
{
    const struct addr any_port = addr_v4(127, 0, 0, 1, 0);
    socket_close(&br->socket);
    assert_int_equal(socket_open(&br->socket, &any_port), 0);
}

static void a_browser_moves_and_restarts(void **state)
{
    struct bench *b = talking();
    struct browser *alice = &b->browsers[ALICE];
    uint16_t seq = 100;
    (void)state;
    talk(b, &seq);
    another_socket(alice);
    const struct ice_candidate c = browser_candidate(alice);
    assert_int_equal(ice_agent_add_local(&alice->peer->ice, &c), 0);
    restart(b, ALICE, "chromium_audio.sdp");
    wait_for_ice(b, ALICE);
    for (unsigned n = 0; n < 20; n++)
        talk(b, &seq);
    assert_false(b->calls[0].ended[ALICE]);
    assert_true(addr_equal(&b->calls[0].path[ALICE].remote, &alice->socket.bound));
    assert_true(b->calls[0].path[ALICE].is_nominated);
    bench_free(b);
}

/* The NAT of a browser forgets; the browser notices nothing and talks on. */
static void a_new_address_is_heard_at_once(void **state)
{
    struct bench *b = talking();
    struct browser *alice = &b->browsers[ALICE], *bob = &b->browsers[BOB];
    uint16_t seq = 100;
    (void)state;
    talk(b, &seq);
    /* Its source is entered with the next check: the browser's own, whose answer it gets. */
    mono_us answered_at = alice->peer->ice.consent.answered_at;
    mono_us limit = bench_now() + BENCH_LIMIT;
    while (alice->peer->ice.consent.answered_at == answered_at && bench_now() < limit)
        bench_turn(b, limit);
    alice->inside = alice->socket.bound;
    another_socket(alice);
    unsigned heard = alice->n_rtp;
    limit = bench_now() + BENCH_LIMIT;
    while (alice->n_rtp == heard && bench_now() < limit) {
        unsigned wanted = bob->n_rtp + 1;
        seq++;
        browser_send(alice, seq, bench_payload, sizeof(bench_payload));
        browser_send(bob, seq, bench_payload, sizeof(bench_payload));
        while (bob->n_rtp < wanted && bench_now() < limit)
            bench_turn(b, limit);
        assert_int_equal(bob->n_rtp, wanted); /* what she says, from the first packet on */
    }
    assert_true(alice->n_rtp > heard);
    bench_free(b);
}

static void hold_stops_one_way_and_resumes_without_a_gap(void **state)
{
    struct bench *b = talking();
    struct browser *alice = &b->browsers[ALICE], *bob = &b->browsers[BOB];
    uint16_t seq = 100;
    (void)state;
    talk(b, &seq);
    uint16_t last = alice->rtp.seq;
    replace(alice->offer, sizeof(alice->offer), "a=sendrecv", "a=sendonly");
    assert_int_equal(answer_again(b, ALICE), 0);
    assert_false(b->answers->legs[ALICE].is_restart);
    assert_non_null(strstr(b->answers->legs[ALICE].sdp, "a=recvonly"));
    unsigned n = alice->n_rtp, n_bob = bob->n_rtp;
    for (unsigned i = 0; i < 50; i++) {
        seq++;
        browser_send(bob, seq, bench_payload, sizeof(bench_payload));
        browser_send(alice, seq, bench_payload, sizeof(bench_payload));
    }
    mono_us limit = bench_now() + BENCH_LIMIT;
    while (bob->n_rtp < n_bob + 50 && bench_now() < limit)
        bench_turn(b, limit);
    assert_int_equal(bob->n_rtp, n_bob + 50);
    assert_int_equal(alice->n_rtp, n);
    replace(alice->offer, sizeof(alice->offer), "a=sendonly", "a=sendrecv");
    assert_int_equal(answer_again(b, ALICE), 0);
    talk(b, &seq);
    assert_int_equal(alice->rtp.seq, (uint16_t)(last + 1));
    bench_free(b);
}

static void another_payload_type(void **state)
{
    struct bench *b = talking();
    struct browser *alice = &b->browsers[ALICE], *bob = &b->browsers[BOB];
    uint16_t seq = 100;
    (void)state;
    talk(b, &seq);
    assert_int_equal(alice->peer->codecs[0].pt, 111);
    replace(alice->offer, sizeof(alice->offer), "SAVPF 111", "SAVPF 112");
    replace(alice->offer, sizeof(alice->offer), "a=rtpmap:111", "a=rtpmap:112");
    assert_int_equal(answer_again(b, ALICE), 0);
    alice->peer->codecs[0].pt = 112;
    talk(b, &seq);
    assert_int_equal(alice->rtp.pt, 112);
    assert_int_equal(bob->rtp.pt, bob->peer->codecs[0].pt);
    bench_free(b);
}

static void what_is_refused_changes_nothing(void **state)
{
    struct bench *b = talking();
    struct browser *alice = &b->browsers[ALICE];
    uint16_t seq = 100;
    char kept[sizeof(alice->offer)];
    (void)state;
    memcpy(kept, alice->offer, sizeof(kept));
    replace(alice->offer, sizeof(alice->offer), "a=fingerprint:sha-256 ",
            "a=fingerprint:sha-256 00:");
    assert_int_equal(answer_again(b, ALICE), ENGINE_E_OFFER);
    assert_true(strlen(b->answers->error) > 0);
    memcpy(alice->offer, kept, sizeof(kept));
    replace(alice->offer, sizeof(alice->offer), "opus/48000/2", "nopus/48000/2");
    assert_int_equal(answer_again(b, ALICE), ENGINE_E_OFFER);
    assert_non_null(strstr(b->answers->error, "codec"));
    memcpy(alice->offer, kept, sizeof(kept));
    assert_int_equal(answer_again(b, ALICE), 0);
    assert_non_null(
        strstr(b->answers->legs[ALICE].sdp, " 2 IN IP4 ")); /* the refused ones count not */
    talk(b, &seq);
    assert_int_equal(engine_endpoint_answer_again(b->engine, bench_now(), 99, 0, str_of(kept),
                                                  &b->answers->legs[0], b->answers->error),
                     ENGINE_E_UNKNOWN);
    engine_pipeline_release(b->engine, bench_id(0));
    assert_int_equal(answer_again(b, ALICE), ENGINE_E_UNKNOWN);
    bench_free(b);
}

static void without_memory_all_is_as_before(void **state)
{
    struct bench *b = talking();
    uint16_t seq = 100;
    (void)state;
    talk(b, &seq);
    for (unsigned n = 1;; n++) {
        mem_fail_at(n);
        int err = answer_again(b, ALICE);
        bool has_failed = mem_count() >= n;
        mem_fail_at(0);
        if (!has_failed) {
            assert_int_equal(err, 0);
            assert_true(n > 6);
            break;
        }
        assert_int_equal(err, -ENOMEM);
    }
    assert_non_null(strstr(b->answers->legs[ALICE].sdp, " 2 IN IP4 "));
    talk(b, &seq);
    restart(b, ALICE, "chromium_audio.sdp");
    wait_for_ice(b, ALICE);
    talk(b, &seq);
    bench_free(b);
}

/* The worker has none: the leg is over, and its owner is told. */
static void a_worker_without_memory_ends_the_leg(void **state)
{
    struct bench *b = talking();
    struct browser *alice = &b->browsers[ALICE];
    (void)state;
    rng_ice_chars(&b->rng, alice->ufrag, sizeof(alice->ufrag) - 1);
    browser_write_offer(b, alice, "chromium_audio.sdp");
    /* The next report wakes us on the worker's thread, where its allocations are made to fail: a
     * browser that closes makes one. */
    atomic_store(&b->fail_worker_at, 1);
    peer_close(b->browsers[BOB].peer, bench_now());
    browser_drain(&b->browsers[BOB]);
    b->browsers[BOB].has_left = true;
    mono_us limit = bench_now() + BENCH_LIMIT;
    while (!b->calls[0].ended[BOB] && bench_now() < limit)
        bench_turn(b, limit);
    assert_int_equal(answer_again(b, ALICE), 0);
    while (!b->calls[0].ended[ALICE] && bench_now() < limit)
        bench_turn(b, limit);
    assert_int_equal(b->calls[0].end[ALICE], ENGINE_END_BROKEN);
    bench_free(b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(media_does_not_notice_a_restart),
        cmocka_unit_test(a_browser_moves_and_restarts),
        cmocka_unit_test(a_new_address_is_heard_at_once),
        cmocka_unit_test(hold_stops_one_way_and_resumes_without_a_gap),
        cmocka_unit_test(another_payload_type),
        cmocka_unit_test(what_is_refused_changes_nothing),
        cmocka_unit_test(without_memory_all_is_as_before),
        cmocka_unit_test(a_worker_without_memory_ends_the_leg),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
