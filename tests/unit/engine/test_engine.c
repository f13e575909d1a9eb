/* The engine from outside, over real sockets: calls come up, media passes untouched, calls end. */
#include "bench.h"
#include "log/counters.h"

static uint64_t counter(enum counter which)
{
    uint64_t values[COUNTER_N];
    counter_snapshot(values);
    return values[which];
}

/* --- calls --- */

static const char *const kinds[][2] = {
    {"chromium_audio.sdp", "firefox_audio.sdp"},   {"firefox_av.sdp", "chromium_av.sdp"},
    {"safari17_audio.sdp", "werift_audio.sdp"},    {"strange_mids.sdp", "safari12_audio.sdp"},
    {"firefox_max_bundle.sdp", "datachannel.sdp"}, {"kurento_utils_av.sdp", "chromium_audio.sdp"},
    {"pcmu_device.sdp", "chromium_audio.sdp"},     {"firefox_audio.sdp", "pcmu_device.sdp"},
    {"gstreamer_audio.sdp", "pion_audio.sdp"},
};

#define N_KINDS   ARRAY_LEN(kinds)
#define N_PACKETS 40

static bool has_media(struct bench *b, unsigned browser, unsigned n)
{
    return b->browsers[browser].n_rtp >= n;
}

/* One packet from each browser of each call, of the same bytes; they arrive as they were sent. */
static void exchange(struct bench *b, unsigned n_calls, uint16_t n)
{
    uint8_t payload[1100];
    size_t len = 1 + rng_below(&b->rng, sizeof(payload) - 1);
    rng_fill(&b->rng, payload, sizeof(payload));
    for (unsigned i = 0; i < 2 * n_calls; i++)
        browser_send(&b->browsers[i], (uint16_t)(65530 + n), payload, len);
    mono_us limit = bench_now() + BENCH_LIMIT;
    for (unsigned i = 0; i < 2 * n_calls; i++) {
        struct browser *br = &b->browsers[i];
        while (!has_media(b, i, n + 1u) && bench_now() < limit)
            bench_turn(b, limit);
        assert_int_equal(br->n_rtp, n + 1);
        assert_int_equal(br->rtp.payload_len, len);
        assert_memory_equal(br->rtp_data + br->rtp.header_len, payload, len);
        assert_int_equal(br->rtp.pt, br->peer->codecs[0].pt);
    }
}

/* The paths that were told are those that the browsers use, and as candidates they are named so. */
static void check_paths(const struct bench *b, unsigned call)
{
    char local[ENGINE_CANDIDATE_TEXT_MAX], remote[ENGINE_CANDIDATE_TEXT_MAX];
    for (unsigned leg = 0; leg < 2; leg++) {
        const struct browser *br = &b->browsers[2 * call + leg];
        const struct engine_path *path = &b->calls[call].path[leg];
        struct ice_candidate c;
        assert_in_range(b->calls[call].n_paths[leg], 1, 2);
        assert_true(path->is_nominated);
        assert_true(addr_equal(&path->local, &br->peer->path_remote));
        assert_true(addr_equal(&path->remote, &br->peer->path_local));
        engine_path_write(path, local, remote);
        assert_int_equal(ice_candidate_parse(str_of(local), &c), 0);
        assert_int_equal(c.type, ICE_HOST);
        assert_true(addr_equal(&c.addr, &path->local));
        assert_int_equal(ice_candidate_parse(str_of(remote), &c), 0);
        assert_true(addr_equal(&c.addr, &path->remote));
    }
}

static void many_calls_at_once_pass_media_untouched(void **state)
{
    (void)state;
    struct bench *b = bench_new();
    const unsigned n_calls = 2 * N_KINDS;
    for (unsigned call = 0; call < n_calls; call++) {
        assert_int_equal(bench_start(b, call, kinds[call % N_KINDS]), 0);
        assert_int_equal(b->answers->legs[0].n_candidates, 1);
        bench_answer(b, call);
    }
    assert_int_equal(engine_n_pipelines(b->engine), n_calls);
    bench_wait_all(b, is_connected, n_calls);
    for (uint16_t n = 0; n < N_PACKETS; n++)
        exchange(b, n_calls, n);
    for (unsigned call = 0; call < n_calls; call++)
        check_paths(b, call);
    for (unsigned call = 0; call < n_calls; call++)
        engine_pipeline_release(b->engine, bench_id(call));
    bench_wait_all(b, is_gone, n_calls);
    for (unsigned call = 0; call < n_calls; call++) {
        for (unsigned leg = 0; leg < 2; leg++) {
            const struct engine_stats *s = &b->calls[call].stats[leg];
            assert_int_equal(s->packets_received, N_PACKETS);
            assert_int_equal(s->media.down.packets, N_PACKETS);
            assert_int_equal(s->media.up.counts.lost, 0);
            assert_false(b->calls[call].ended[leg]);
        }
    }
    assert_int_equal(engine_n_pipelines(b->engine), 0);
    bench_free(b);
}

/* Nothing comes after the offer, and the first check begins while it is read: before the worker
 * has given its number to the leg. */
static void the_only_candidate_stands_in_the_offer(void **state)
{
    (void)state;
    struct bench *b = bench_new();
    struct str offers[2];
    for (unsigned leg = 0; leg < 2; leg++) {
        char candidate[ICE_CANDIDATE_TEXT_MAX];
        struct browser *br = browser_open(b, leg, "aiortc_audio.sdp");
        const struct ice_candidate c = browser_candidate(br);
        struct text t;
        (void)ice_candidate_write(&c, candidate);
        size_t len = strlen(br->offer);
        text_init(&t, br->offer + len, sizeof(br->offer) - len);
        text_printf(&t, "a=%s\r\na=end-of-candidates\r\n", candidate);
        assert_false(t.failed);
        offers[leg] = str_of(br->offer);
    }
    assert_int_equal(engine_call_start(b->engine, bench_now(), bench_id(0), offers, b->answers), 0);
    for (unsigned leg = 0; leg < 2; leg++)
        browser_answered(b, &b->browsers[leg], &b->answers->legs[leg]);
    bench_wait(b, is_connected, 0);
    exchange(b, 1, 0);
    bench_free(b);
}

static void calls_are_spread_over_the_workers(void **state)
{
    (void)state;
    struct bench *b = bench_new();
    bool is_used[2] = {false};
    assert_int_equal(engine_n_workers(b->engine), 2);
    for (unsigned call = 0; call < 2; call++) {
        struct ice_candidate c;
        bench_call(b, call);
        assert_int_equal(ice_candidate_parse(str_of(b->answers->legs[0].candidates[0]), &c), 0);
        for (unsigned w = 0; w < 2; w++) {
            const struct addr at = engine_listen_addr(b->engine, w);
            is_used[w] |= addr_equal(&at, &c.addr);
        }
    }
    assert_true(is_used[0] && is_used[1]);
    bench_free(b);
}

static bool has_600(struct bench *b, unsigned call)
{
    return b->browsers[2 * call + 1].n_rtp == 600;
}

/* Above 2000 packets/s a worker sleeps in ticks; nothing may be lost or stay behind for it. */
static void a_busy_worker_loses_nothing(void **state)
{
    (void)state;
    struct engine_config config = bench_config();
    config.workers = 1;
    config.tick = 1000;
    struct bench *b = bench_new_with(config);
    bench_call(b, 0);
    bench_wait(b, is_connected, 0);
    for (uint16_t n = 0; n < 600; n++) {
        browser_send(&b->browsers[0], n, bench_payload, sizeof(bench_payload));
        /* No more under way than the sockets' buffers hold when the worker does not come to run. */
        if (n % 32 == 31)
            do
                bench_turn(b, bench_now() + US_PER_MS);
            while (b->browsers[1].n_rtp + 128 < n);
    }
    bench_wait(b, has_600, 0);
    /* Commands are heard in between. */
    engine_pipeline_release(b->engine, bench_id(0));
    bench_wait(b, is_gone, 0);
    assert_int_equal(b->calls[0].stats[0].packets_received, 600);
    bench_free(b);
}

/* --- the end of calls --- */

static bool both_have_ended(struct bench *b, unsigned call)
{
    return b->browsers[2 * call].ended && b->browsers[2 * call + 1].ended;
}

static void a_released_call_says_goodbye(void **state)
{
    (void)state;
    struct bench *b = bench_new();
    bench_call(b, 0);
    bench_wait(b, is_connected, 0);
    engine_pipeline_release(b->engine, bench_id(0));
    bench_wait(b, both_have_ended, 0);
    bench_wait(b, is_gone, 0);
    assert_int_equal(b->calls[0].n_gone, 1);
    bench_free(b);
}

static void an_engine_that_ends_says_goodbye_to_all(void **state)
{
    (void)state;
    struct bench *b = bench_new();
    for (unsigned call = 0; call < 4; call++)
        bench_call(b, call);
    bench_wait_all(b, is_connected, 3);
    bench_call(b, 4); /* the workers may not have seen this one yet */
    engine_free(b->engine);
    b->engine = NULL;
    for (unsigned i = 0; i < 6; i++) {
        struct browser *br = &b->browsers[i];
        mono_us limit = bench_now() + BENCH_LIMIT;
        while (!br->ended && bench_now() < limit)
            browser_run(br);
        assert_true(br->ended);
    }
    bench_free(b);
}

static bool leg_0_has_ended(struct bench *b, unsigned call)
{
    return b->calls[call].ended[0];
}

static bool has_10(struct bench *b, unsigned call)
{
    return b->browsers[2 * call + 1].n_rtp == 10;
}

static void a_browser_that_closes_ends_its_leg_and_keeps_its_figures(void **state)
{
    (void)state;
    struct bench *b = bench_new();
    bench_call(b, 0);
    bench_wait(b, is_connected, 0);
    for (uint16_t n = 0; n < 10; n++) /* two are missing in the middle */
        browser_send(&b->browsers[0], n < 5 ? n : n + 2, bench_payload, sizeof(bench_payload));
    bench_wait(b, has_10, 0);
    peer_close(b->browsers[0].peer, bench_now()); /* BYE, then close_notify */
    bench_wait(b, leg_0_has_ended, 0);
    assert_int_equal(b->calls[0].end[0], ENGINE_END_REMOTE_CLOSED);
    assert_false(b->calls[0].ended[1]);
    engine_pipeline_release(b->engine, bench_id(0));
    bench_wait(b, is_gone, 0);
    assert_int_equal(b->calls[0].n_ended[0], 1);
    assert_int_equal(b->calls[0].stats[0].packets_received, 10);
    assert_int_equal(b->calls[0].stats[0].media.up.counts.lost, 2);
    assert_int_equal(b->calls[0].stats[1].media.down.packets, 10);
    bench_free(b);
}

static bool has_snapshots(struct bench *b, unsigned call)
{
    return b->calls[call].n_snapshots == 2;
}

static void who_asks_gets_figures_while_the_call_goes_on(void **state)
{
    (void)state;
    struct bench *b = bench_new();
    bench_call(b, 0);
    bench_wait(b, is_connected, 0);
    for (uint16_t n = 0; n < 10; n++)
        browser_send(&b->browsers[0], n, bench_payload, sizeof(bench_payload));
    bench_wait(b, has_10, 0);
    for (unsigned leg = 0; leg < 2; leg++)
        assert_int_equal(engine_snapshot(b->engine, bench_id(0), leg, 70 + leg), 0);
    bench_wait(b, has_snapshots, 0);
    const struct engine_stats *s = b->calls[0].stats;
    assert_int_equal(s[0].packets_received, 10);
    assert_int_equal(s[0].media.up.packets, 10);
    assert_int_equal(s[0].media.up.octets, 10 * sizeof(bench_payload));
    assert_true(s[0].media.up.has_source);
    assert_int_equal(s[0].media.up.ssrc, b->browsers[0].peer->local_ssrc);
    assert_int_equal(s[1].media.down.packets, 10);
    assert_int_equal(s[1].media.up.packets, 0);
    assert_true(s[1].media.connected_at > 0 && s[1].media.connected_at <= s[1].media.at);
    assert_int_equal(b->calls[0].snapshot_tag, 71);

    assert_int_equal(engine_snapshot(b->engine, bench_id(0), 2, 0), ENGINE_E_UNKNOWN);
    assert_int_equal(engine_snapshot(b->engine, bench_id(5), 0, 0), ENGINE_E_UNKNOWN);
    for (long n = 1; n <= 2; n++) {
        mem_fail_at(n);
        assert_int_equal(engine_snapshot(b->engine, bench_id(0), 0, 0), -ENOMEM);
        mem_fail_at(0);
    }
    /* asked and released: nobody waits for it any more */
    assert_int_equal(engine_snapshot(b->engine, bench_id(0), 0, 0), 0);
    engine_pipeline_release(b->engine, bench_id(0));
    assert_int_equal(engine_snapshot(b->engine, bench_id(0), 0, 0), ENGINE_E_UNKNOWN);
    bench_wait(b, is_gone, 0);
    assert_int_equal(b->calls[0].n_snapshots, 2);
    bench_free(b);
}

static void a_wrong_fingerprint_ends_its_leg(void **state)
{
    (void)state;
    struct bench *b = bench_new();
    struct browser *liar = browser_open(b, 0, "chromium_audio.sdp");
    struct browser *other = browser_open(b, 1, "firefox_audio.sdp");
    char *digest = strstr(liar->offer, "a=fingerprint:sha-256 ");
    assert_non_null(digest);
    digest += strlen("a=fingerprint:sha-256 ");
    *digest = *digest == '0' ? '1' : '0';
    assert_int_equal(
        engine_call_start(b->engine, bench_now(), 1,
                          (const struct str[]){str_of(liar->offer), str_of(other->offer)},
                          b->answers),
        0);
    bench_answer(b, 0);
    bench_wait(b, leg_0_has_ended, 0);
    assert_int_equal(b->calls[0].end[0], ENGINE_END_DTLS_FAILED);
    assert_false(b->calls[0].connected[0]);
    engine_pipeline_release(b->engine, 1);
    bench_wait(b, is_gone, 0);
    bench_free(b);
}

static void a_call_that_never_connected_is_released(void **state)
{
    static const char *const files[2] = {"chromium_audio.sdp", "firefox_audio.sdp"};
    (void)state;
    struct bench *b = bench_new();
    assert_int_equal(bench_start(b, 0, files), 0);
    engine_pipeline_release(b->engine, bench_id(0));
    assert_int_equal(engine_n_pipelines(b->engine), 1);
    bench_wait(b, is_gone, 0);
    assert_int_equal(engine_n_pipelines(b->engine), 0);
    assert_int_equal(b->calls[0].stats[0].packets_received, 0);
    bench_free(b);
}

static void an_id_may_be_used_again_when_its_call_is_gone(void **state)
{
    (void)state;
    struct bench *b = bench_new();
    for (unsigned round = 0; round < 5; round++) {
        bench_call(b, 0);
        bench_wait(b, is_connected, 0);
        engine_pipeline_release(b->engine, bench_id(0));
        bench_wait(b, is_gone, 0);
        browser_close(&b->browsers[0]);
        browser_close(&b->browsers[1]);
        b->calls[0] = (struct bench_call){0};
    }
    bench_free(b);
}

static void unknown_calls_are_ignored(void **state)
{
    struct engine_event event;
    (void)state;
    struct bench *b = bench_new();
    bench_call(b, 0);
    engine_pipeline_release(b->engine, 77);
    assert_int_equal(engine_add_candidate(b->engine, 77, 1,
                                          STR("candidate:1 1 UDP 1 192.0.2.1 1 typ host"), STR("")),
                     ENGINE_E_UNKNOWN);
    engine_pipeline_release(b->engine, bench_id(0));
    engine_pipeline_release(b->engine, bench_id(0));
    assert_int_equal(engine_add_candidate(b->engine, bench_id(0), 0, STR(""), STR("")),
                     ENGINE_E_UNKNOWN);
    bench_wait(b, is_gone, 0);
    assert_int_equal(b->calls[0].n_gone, 1);
    assert_false(engine_poll_event(b->engine, ENGINE_CALLS, &event));
    bench_free(b);
}

/* --- strangers --- */

static void a_flood_of_candidates_does_no_harm(void **state)
{
    static const char *const odd[] = {
        "candidate:1 1 UDP 2113937151 5bc7a8b7-a5a1-4f61-a7a1-2c3b5a0c2c11.local 50000 typ host",
        "candidate:1 1 TCP 2113937151 192.0.2.9 9 typ host tcptype active",
        "candidate:1 2 UDP 2113937151 192.0.2.9 5000 typ host",
        "candidate:1 1 UDP 2113937151 224.0.0.1 5000 typ host",
        "candidate:1 1 UDP 2113937151 0.0.0.0 5000 typ host",
        "candidate:1 1 UDP 2113937151 192.0.2.9 0 typ host",
        "candidate:1 1 UDP 2113937151 2001:db8::1 5000 typ host",
        "candidate:",
        "nothing of the kind",
        "candidate:1 1 UDP 2113937151 192.0.2.9 5000 typ host ufrag otherone",
    };
    static const char *const files[2] = {"chromium_audio.sdp", "firefox_audio.sdp"};
    (void)state;
    struct bench *b = bench_new();
    uint64_t before = counter(COUNTER_ENGINE_CANDIDATE_IGNORED);
    char long_ufrag[400];
    memset(long_ufrag, 'u', sizeof(long_ufrag));
    assert_int_equal(bench_start(b, 0, files), 0);
    for (unsigned n = 0; n < 500; n++) {
        char text[128];
        (void)snprintf(text, sizeof(text), "candidate:1 1 UDP %u 127.0.0.1 %u typ host", n + 1,
                       1 + n);
        engine_add_candidate(b->engine, 1, n & 1, str_of(odd[n % ARRAY_LEN(odd)]), STR(""));
        engine_add_candidate(b->engine, 1, n & 1, str_of(text),
                             (struct str){long_ufrag, n % 2 ? 0 : sizeof(long_ufrag)});
    }
    engine_add_candidate(b->engine, 1, 0, STR(""), STR(""));
    bench_answer(b, 0);
    bench_wait(b, is_connected, 0);
    /* Of the odd ones 2001:db8::1 is well-formed, and paired with nothing. */
    assert_true(counter(COUNTER_ENGINE_CANDIDATE_IGNORED) - before >= 450 + 250 + 1);
    bench_free(b);
}

static void garbage_from_strangers_is_counted_and_dropped(void **state)
{
    (void)state;
    struct bench *b = bench_new();
    const struct addr any_port = addr_v4(127, 0, 0, 1, 0);
    struct socket stranger;
    bench_call(b, 0);
    bench_wait(b, is_connected, 0);
    uint64_t before = counter(COUNTER_DROP_UNKNOWN); /* on a busy machine set-up drops some, too */
    assert_int_equal(socket_open(&stranger, &any_port), 0);
    for (unsigned n = 0; n < 256; n++) {
        uint8_t bytes[200];
        rng_fill(&b->rng, bytes, sizeof(bytes));
        bytes[0] = (uint8_t)n;
        struct dgram d = {.data = bytes, .len = n % sizeof(bytes), .cap = sizeof(bytes)};
        d.remote = engine_listen_addr(b->engine, n & 1);
        socket_tx_batch(&stranger, &d, 1);
        if (n % 32 == 31)
            bench_turn(b, bench_now());
    }
    mono_us limit = bench_now() + BENCH_LIMIT;
    while (counter(COUNTER_DROP_UNKNOWN) - before < 256 && bench_now() < limit)
        bench_turn(b, bench_now() + US_PER_MS);
    assert_int_equal(counter(COUNTER_DROP_UNKNOWN) - before, 256);
    exchange(b, 1, 0);
    socket_close(&stranger);
    bench_free(b);
}

/* --- offers that cannot be answered --- */

static int start_texts(struct bench *b, const char *caller, const char *callee)
{
    return engine_call_start(b->engine, bench_now(), 9,
                             (const struct str[]){str_of(caller), str_of(callee)}, b->answers);
}

static void an_unusable_offer_is_refused_by_name(void **state)
{
    char error[ENGINE_ERROR_MAX];
    (void)state;
    struct bench *b = bench_new();
    const char *good = browser_open(b, 0, "chromium_audio.sdp")->offer;
    static const char *const bad[] = {"", "v=0\r\n", "hello", "v=0\r\nm=video 9 RTP/AVP 96\r\n"};
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        assert_int_equal(start_texts(b, bad[i], good), ENGINE_E_OFFER);
        assert_int_equal(b->answers->bad_leg, 0);
        assert_int_not_equal(b->answers->error[0], 0);
        assert_int_equal(start_texts(b, good, bad[i]), ENGINE_E_OFFER);
        assert_int_equal(b->answers->bad_leg, 1);
        assert_int_not_equal(b->answers->error[0], 0);
        assert_false(engine_check_offer(str_of(bad[i]), error));
        assert_string_equal(error, b->answers->error);
    }
    assert_true(engine_check_offer(str_of(good), error));
    assert_int_equal(engine_n_pipelines(b->engine), 0);
    bench_free(b);
}

static void two_offers_without_a_common_codec_are_refused(void **state)
{
    static const char *const files[2] = {"setup_active.sdp", "pcmu_device.sdp"};
    (void)state;
    struct bench *b = bench_new();
    assert_int_equal(bench_start(b, 0, files), ENGINE_E_NO_CODEC);
    assert_non_null(strstr(b->answers->error, "codec"));
    assert_int_equal(engine_n_pipelines(b->engine), 0);
    bench_free(b);
}

/* Nobody would send checks (RFC 8445 §6.1.1 leaves it to a full agent to ask). */
static void a_lite_browser_cannot_meet_a_lite_engine(void **state)
{
    static const char *const files[2] = {"chromium_audio.sdp", "pcmu_device.sdp"};
    (void)state;
    struct engine_config config = bench_config();
    config.ice_lite = true;
    struct bench *b = bench_new_with(config);
    assert_int_equal(bench_start(b, 0, files), ENGINE_E_OFFER);
    assert_int_equal(b->answers->bad_leg, 1);
    assert_non_null(strstr(b->answers->error, "lite"));
    bench_call(b, 1);
    bench_wait(b, is_connected, 1);
    bench_free(b);
}

static void who_does_not_trickle_finds_the_candidates_in_the_answer(void **state)
{
    static const char *const files[2] = {"pcmu_device.sdp", "chromium_audio.sdp"};
    (void)state;
    struct bench *b = bench_new();
    assert_int_equal(bench_start(b, 0, files), 0);
    assert_non_null(strstr(b->answers->legs[0].sdp, b->answers->legs[0].candidates[0]));
    assert_non_null(strstr(b->answers->legs[0].sdp, "a=end-of-candidates"));
    assert_null(strstr(b->answers->legs[1].sdp, "a=candidate"));
    assert_string_equal(b->answers->legs[0].mid, "");
    assert_string_equal(b->answers->legs[1].mid, "0");
    bench_free(b);
}

/* --- ports and addresses --- */

static void a_port_in_use_is_named(void **state)
{
    char error[ENGINE_ERROR_MAX], port[16];
    (void)state;
    struct bench *b = bench_new();
    struct engine_config config = bench_config();
    config.listen = engine_listen_addr(b->engine, 0);
    config.workers = 1;
    assert_null(bench_engine(b, config, error));
    (void)snprintf(port, sizeof(port), ":%u", config.listen.port);
    assert_non_null(strstr(error, "media.port"));
    assert_non_null(strstr(error, port));
    assert_non_null(strstr(error, strerror(EADDRINUSE)));
    bench_free(b);
}

static void ports_beyond_the_last_one_are_refused(void **state)
{
    char error[ENGINE_ERROR_MAX];
    (void)state;
    struct bench *b = bench_new();
    struct engine_config config = bench_config();
    config.listen.port = 65535;
    assert_null(bench_engine(b, config, error));
    assert_non_null(strstr(error, "media.port"));
    bench_free(b);
}

static void a_foreign_address_is_named(void **state)
{
    char error[ENGINE_ERROR_MAX];
    (void)state;
    struct bench *b = bench_new();
    struct engine_config config = bench_config();
    config.listen = addr_v4(192, 0, 2, 1, 0);
    assert_null(bench_engine(b, config, error));
    assert_non_null(strstr(error, "192.0.2.1"));
    bench_free(b);
}

static void an_external_address_is_offered_in_place_of_ours(void **state)
{
    static const char *const files[2] = {"chromium_audio.sdp", "firefox_audio.sdp"};
    const struct addr external = addr_v4(203, 0, 113, 7, 0);
    (void)state;
    struct engine_config config = bench_config();
    config.external_ips = &external;
    config.n_external_ips = 1;
    struct bench *b = bench_new_with(config);
    assert_int_equal(bench_start(b, 0, files), 0);
    assert_int_equal(b->answers->legs[0].n_candidates, 1);
    assert_non_null(strstr(b->answers->legs[0].candidates[0], " 203.0.113.7 "));
    assert_null(strstr(b->answers->legs[0].candidates[0], "127.0.0.1"));
    bench_free(b);
}

static void a_wildcard_offers_the_interfaces(void **state)
{
    static const char *const files[2] = {"chromium_audio.sdp", "firefox_audio.sdp"};
    (void)state;
    struct engine_config config = bench_config();
    config.listen = addr_v4(0, 0, 0, 0, 0);
    struct bench *b = bench_new_with(config);
    assert_int_equal(bench_start(b, 0, files), 0);
    assert_true(b->answers->legs[0].n_candidates >= 1);
    for (size_t i = 0; i < b->answers->legs[0].n_candidates; i++) {
        struct ice_candidate c;
        assert_int_equal(ice_candidate_parse(str_of(b->answers->legs[0].candidates[i]), &c), 0);
        assert_false(addr_is_any(&c.addr));
    }
    bench_free(b);
}

/* --- memory runs out --- */

static void an_engine_that_gets_no_memory_says_so(void **state)
{
    (void)state;
    struct bench *b = bench_new();
    const struct engine_config config = bench_config();
    for (unsigned n = 1;; n++) {
        char error[ENGINE_ERROR_MAX] = "untouched";
        mem_fail_at(n);
        struct engine *e = bench_engine(b, config, error);
        bool has_failed = mem_count() >= n;
        mem_fail_at(0);
        if (!has_failed) {
            assert_non_null(e);
            engine_free(e);
            assert_true(n > 6);
            break;
        }
        assert_null(e);
        assert_string_not_equal(error, "untouched");
        assert_int_not_equal(error[0], 0);
    }
    bench_free(b);
}

static void a_call_that_gets_no_memory_is_refused_alone(void **state)
{
    (void)state;
    struct bench *b = bench_new();
    const struct str offers[2] = {str_of(browser_open(b, 0, "chromium_audio.sdp")->offer),
                                  str_of(browser_open(b, 1, "firefox_audio.sdp")->offer)};
    for (unsigned n = 1;; n++) {
        mem_fail_at(n);
        int err = engine_call_start(b->engine, bench_now(), 1, offers, b->answers);
        bool has_failed = mem_count() >= n;
        mem_fail_at(0);
        if (!has_failed) {
            assert_int_equal(err, 0);
            assert_true(n > 8);
            break;
        }
        assert_int_equal(err, -ENOMEM);
        assert_int_equal(engine_n_pipelines(b->engine), 0);
    }
    bench_answer(b, 0);
    bench_wait(b, is_connected, 0);
    bench_free(b);
}

/* The end of a call needs no memory: neither the order to end it nor the word that it is gone. */
static void a_release_needs_no_memory(void **state)
{
    (void)state;
    struct bench *b = bench_new();
    bench_call(b, 0);
    bench_wait(b, is_connected, 0);
    mem_fail_at(1);
    engine_pipeline_release(b->engine, bench_id(0));
    mem_fail_at(0);
    bench_wait(b, is_gone, 0);
    assert_int_equal(engine_n_pipelines(b->engine), 0);
    bench_free(b);
}

static void an_end_needs_no_memory(void **state)
{
    (void)state;
    struct bench *b = bench_new();
    bench_call(b, 0);
    bench_wait(b, is_connected, 0);
    mem_fail_at(1);
    engine_free(b->engine);
    assert_int_equal(mem_count(), 0);
    mem_fail_at(0);
    b->engine = NULL;
    bench_free(b);
}

static struct engine_config one_worker(void)
{
    struct engine_config config = bench_config();
    config.workers = 1;
    return config;
}

static bool is_broken(struct bench *b, unsigned call)
{
    return b->calls[call].ended[0] || b->calls[call].ended[1];
}

/* A call whose browsers stay away. */
static void start_silent(struct bench *b, unsigned call)
{
    static const char *const files[2] = {"werift_audio.sdp", "werift_audio.sdp"};
    assert_int_equal(bench_start(b, call, files), 0);
}

/*
 * The tables of a worker grow at its 65th call: timers, tags, ufrags. Whichever cannot, this
 * call alone ends, whatever commands are under way for it.
 */
static void a_worker_whose_tables_cannot_grow_loses_one_call_only(void **state)
{
    (void)state;
    for (unsigned n = 1; n <= 3; n++) {
        struct bench *b = bench_new_with(one_worker());
        for (unsigned call = 0; call < 64; call++)
            start_silent(b, call);
        atomic_store(&b->fail_worker_at, n); /* from the report of this one on */
        engine_pipeline_release(b->engine, bench_id(63));
        bench_wait(b, is_gone, 63);
        start_silent(b, 64);
        start_silent(b, 65);
        for (unsigned i = 0; i < 50; i++)
            engine_add_candidate(b->engine, bench_id(65), i & 1, STR(""), STR(""));
        bench_wait(b, is_broken, 65);
        const struct bench_call *broken = &b->calls[65];
        assert_int_equal(broken->end[broken->ended[0] ? 0 : 1], ENGINE_END_BROKEN);
        engine_pipeline_release(b->engine, bench_id(65));
        bench_wait(b, is_gone, 65);
        bench_call(b, 66);
        bench_wait(b, is_connected, 66);
        bench_free(b);
    }
}

/* The word that a leg has ended must not get lost: nobody else would end this call. */
static void the_word_of_an_end_needs_no_memory(void **state)
{
    (void)state;
    struct bench *b = bench_new_with(one_worker());
    bench_call(b, 0);
    bench_wait(b, is_connected, 0);
    bench_call(b, 1);
    bench_wait(b, is_connected, 1);
    atomic_store(&b->fail_worker_at, 1);
    engine_pipeline_release(b->engine, bench_id(1));
    bench_wait(b, is_gone, 1);
    peer_close(b->browsers[0].peer, bench_now());
    bench_wait(b, leg_0_has_ended, 0);
    bench_free(b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(many_calls_at_once_pass_media_untouched),
        cmocka_unit_test(the_only_candidate_stands_in_the_offer),
        cmocka_unit_test(calls_are_spread_over_the_workers),
        cmocka_unit_test(a_busy_worker_loses_nothing),
        cmocka_unit_test(a_released_call_says_goodbye),
        cmocka_unit_test(an_engine_that_ends_says_goodbye_to_all),
        cmocka_unit_test(a_browser_that_closes_ends_its_leg_and_keeps_its_figures),
        cmocka_unit_test(who_asks_gets_figures_while_the_call_goes_on),
        cmocka_unit_test(a_wrong_fingerprint_ends_its_leg),
        cmocka_unit_test(a_call_that_never_connected_is_released),
        cmocka_unit_test(an_id_may_be_used_again_when_its_call_is_gone),
        cmocka_unit_test(unknown_calls_are_ignored),
        cmocka_unit_test(a_flood_of_candidates_does_no_harm),
        cmocka_unit_test(garbage_from_strangers_is_counted_and_dropped),
        cmocka_unit_test(an_unusable_offer_is_refused_by_name),
        cmocka_unit_test(two_offers_without_a_common_codec_are_refused),
        cmocka_unit_test(a_lite_browser_cannot_meet_a_lite_engine),
        cmocka_unit_test(who_does_not_trickle_finds_the_candidates_in_the_answer),
        cmocka_unit_test(a_port_in_use_is_named),
        cmocka_unit_test(ports_beyond_the_last_one_are_refused),
        cmocka_unit_test(a_foreign_address_is_named),
        cmocka_unit_test(an_external_address_is_offered_in_place_of_ours),
        cmocka_unit_test(a_wildcard_offers_the_interfaces),
        cmocka_unit_test(an_engine_that_gets_no_memory_says_so),
        cmocka_unit_test(a_call_that_gets_no_memory_is_refused_alone),
        cmocka_unit_test(a_release_needs_no_memory),
        cmocka_unit_test(an_end_needs_no_memory),
        cmocka_unit_test(a_worker_whose_tables_cannot_grow_loses_one_call_only),
        cmocka_unit_test(the_word_of_an_end_needs_no_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
