/* Two peers face to face in virtual time: the contract of peer.h, and every allocation that fails.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "peer/peer.h"

#define MAX_IN_FLIGHT 64
#define DELAY         (5 * US_PER_MS)

struct flying {
    unsigned to;
    mono_us at;
    struct addr from;
    size_t len;
    uint8_t data[DGRAM_MAX + 64];
};

/* [0] offers: controlling, DTLS client. [1] answers. */
struct pair {
    mono_us now;
    struct rng rng;
    struct dtls_identity identities[2];
    struct peer_env envs[2];
    struct peer peers[2];
    struct addr addrs[2];
    bool is_made[2], connected[2], ended[2];
    enum peer_end end[2];
    unsigned n_events[2], n_in_flight;
    struct flying in_flight[MAX_IN_FLIGHT];
};

static struct ice_candidate host(const struct addr *addr)
{
    return (struct ice_candidate){.type = ICE_HOST,
                                  .transport = ICE_UDP,
                                  .component = 1,
                                  .priority = ice_candidate_priority(ICE_HOST, 65535),
                                  .foundation = "1",
                                  .addr = *addr};
}

static void pair_open(struct pair *t)
{
    int err = 0;
    memset(t, 0, sizeof(*t));
    t->now = 1000 * US_PER_S;
    rng_init_seeded(&t->rng, 1);
    for (unsigned i = 0; i < 2; i++) {
        t->addrs[i] = addr_v4(192, 0, 2, (uint8_t)(1 + i), 5000);
        assert_int_equal(dtls_identity_init(&t->identities[i], 1700000000), 0);
        t->envs[i] = (struct peer_env){.srtp = rtpsec_provider_new(RTPSEC_PROVIDER_AUTO, &err),
                                       .rng = &t->rng};
        assert_non_null(t->envs[i].srtp);
        assert_int_equal(dtls_context_new(&t->identities[i], &t->envs[i].dtls), 0);
    }
}

static void pair_reset(struct pair *t)
{
    for (unsigned i = 0; i < 2; i++) {
        if (t->is_made[i])
            peer_deinit(&t->peers[i]);
        t->is_made[i] = t->connected[i] = t->ended[i] = false;
        t->n_events[i] = 0;
    }
    t->n_in_flight = 0;
}

static void pair_close(struct pair *t)
{
    pair_reset(t);
    for (unsigned i = 0; i < 2; i++) {
        dtls_context_free(t->envs[i].dtls);
        rtpsec_provider_free(t->envs[i].srtp);
        dtls_identity_deinit(&t->identities[i]);
    }
}

static int make_peer(struct pair *t, unsigned i)
{
    static const char *const ufrags[] = {"aaaa", "bbbb"};
    static const char pwd[] = "passwordpasswordpassword";
    const struct ice_candidate own = host(&t->addrs[i]);
    struct peer_params params = {
        .codecs = {{CODEC_OPUS, 111, 2, 48000}},
        .n_codecs = 1,
        .may_send = true,
        .may_receive = true,
        .local_ssrc = 0xa0 + i,
        .dtls_client = i == 0,
        .n_fingerprints = 1,
        .candidates = {STR("candidate:1 1 udp 2130706431 192.0.2.1 5000 typ host"),
                       STR("candidate:2 1 udp 2130706431 192.0.2.2 5000 typ host")},
        .n_candidates = 2,
    };
    params.fingerprints[0] = (struct sdp_fingerprint){.hash = SDP_SHA256, .len = 32};
    memcpy(params.fingerprints[0].digest, t->identities[!i].fingerprint.bytes, 32);
    memcpy(params.remote_ufrag, ufrags[!i], sizeof("aaaa"));
    memcpy(params.remote_pwd, pwd, sizeof(pwd));
    const struct peer_local local = {.is_offerer = i == 0,
                                     .ufrag = str_of(ufrags[i]),
                                     .pwd = str_of(pwd),
                                     .cname = STR("me"),
                                     .candidates = &own,
                                     .n_candidates = 1};
    int err = peer_init(&t->peers[i], t->now, &params, &local, &t->envs[i]);
    t->is_made[i] = err == 0;
    return err;
}

static void drain(struct pair *t, unsigned i)
{
    struct peer_event event;
    while (peer_poll_event(&t->peers[i], &event)) {
        t->n_events[i]++;
        t->connected[i] |= event.type == PEER_EVENT_CONNECTED;
        if (event.type == PEER_EVENT_ENDED) {
            assert_false(t->ended[i]);
            t->ended[i] = true;
            t->end[i] = event.end;
        }
    }
    for (;;) {
        assert_true(t->n_in_flight < MAX_IN_FLIGHT);
        struct flying *f = &t->in_flight[t->n_in_flight];
        struct dgram d = {.data = f->data, .cap = sizeof(f->data)};
        if (!peer_poll_send(&t->peers[i], &d))
            break;
        /* What a peer sends to its own address, or to nobody, is lost. */
        if (!addr_equal(&d.remote, &t->addrs[!i]))
            continue;
        assert_true(addr_equal(&d.local, &t->addrs[i]));
        f->to = !i;
        f->from = d.local;
        f->len = d.len;
        f->at = t->now + DELAY;
        t->n_in_flight++;
    }
}

static void arrive(struct pair *t)
{
    struct flying f = t->in_flight[0];
    struct dgram d = {.local = t->addrs[f.to],
                      .remote = f.from,
                      .data = f.data,
                      .len = f.len,
                      .cap = sizeof(f.data)};
    memmove(t->in_flight, t->in_flight + 1, --t->n_in_flight * sizeof(f));
    int dropped = peer_input(&t->peers[f.to], t->now, &d);
    (void)dropped;
    drain(t, f.to);
}

static mono_us next_at(const struct pair *t)
{
    mono_us at = mono_min(peer_deadline(&t->peers[0]), peer_deadline(&t->peers[1]));
    return t->n_in_flight ? mono_min(at, t->in_flight[0].at) : at;
}

static bool is_done(const struct pair *t)
{
    return t->ended[0] || t->ended[1] || (t->connected[0] && t->connected[1]);
}

static void step(struct pair *t)
{
    mono_us at = next_at(t);
    t->now = at > t->now ? at : t->now;
    if (t->n_in_flight && t->in_flight[0].at <= t->now) {
        arrive(t);
        return;
    }
    for (unsigned i = 0; i < 2; i++) {
        if (peer_deadline(&t->peers[i]) <= t->now)
            peer_timeout(&t->peers[i], t->now);
        drain(t, i);
    }
}

static void connect_pair(struct pair *t)
{
    mono_us limit = t->now + 100 * US_PER_S;
    while (!is_done(t) && t->now < limit)
        step(t);
    assert_true(is_done(t));
}

static void make_both(struct pair *t)
{
    for (unsigned i = 0; i < 2; i++)
        assert_int_equal(make_peer(t, i), 0);
}

/* --- the contract --- */

static void a_closed_peer_is_silent_after_its_farewell(void **state)
{
    struct pair t;
    struct peer_event event;
    uint8_t buf[DGRAM_MAX + 64];
    (void)state;
    pair_open(&t);
    make_both(&t);
    connect_pair(&t);
    peer_close(&t.peers[0], t.now);
    peer_close(&t.peers[0], t.now);
    unsigned n = 0;
    for (struct dgram d;
         d = (struct dgram){.data = buf, .cap = sizeof(buf)}, peer_poll_send(&t.peers[0], &d);)
        n++;
    assert_int_equal(n, 2); /* BYE, close_notify */
    assert_false(peer_poll_event(&t.peers[0], &event));
    assert_true(peer_deadline(&t.peers[0]) == MONO_NEVER);
    peer_timeout(&t.peers[0], t.now + 100 * US_PER_S);
    assert_int_equal(peer_end_of_candidates(&t.peers[0], t.now), 0);
    uint8_t byte = 0;
    const struct dgram late = {.data = &byte, .len = 1, .cap = 1};
    assert_int_equal(peer_input(&t.peers[0], t.now, &late), PEER_E_NO_PATH);
    struct dgram d = {.data = buf, .cap = sizeof(buf)};
    assert_false(peer_poll_send(&t.peers[0], &d));
    pair_close(&t);
}

static void a_peer_that_is_closed_early_says_nothing(void **state)
{
    struct pair t;
    uint8_t buf[DGRAM_MAX + 64];
    (void)state;
    pair_open(&t);
    make_both(&t);
    peer_close(&t.peers[0], t.now);
    struct dgram d = {.data = buf, .cap = sizeof(buf)};
    assert_false(peer_poll_send(&t.peers[0], &d));
    pair_close(&t);
}

static void a_peer_may_be_freed_twice(void **state)
{
    struct pair t;
    (void)state;
    pair_open(&t);
    make_both(&t);
    connect_pair(&t);
    pair_reset(&t);
    for (unsigned i = 0; i < 2; i++)
        peer_deinit(&t.peers[i]);
    pair_close(&t);
}

static void events_that_nobody_polls_wait(void **state)
{
    struct pair t;
    (void)state;
    pair_open(&t);
    make_both(&t);
    connect_pair(&t);
    /* Its datagrams are lost, its events stay where they are until it is all over. */
    for (unsigned n = 0; n < 1000 && peer_deadline(&t.peers[0]) != MONO_NEVER; n++) {
        uint8_t buf[DGRAM_MAX + 64];
        struct dgram d = {.data = buf, .cap = sizeof(buf)};
        t.now = peer_deadline(&t.peers[0]);
        peer_timeout(&t.peers[0], t.now);
        while (peer_poll_send(&t.peers[0], &d))
            d = (struct dgram){.data = buf, .cap = sizeof(buf)};
    }
    drain(&t, 0);
    assert_true(t.ended[0]);
    assert_int_equal(t.end[0], PEER_END_CONSENT_LOST);
    pair_close(&t);
}

/* --- memory runs out --- */

static void a_peer_that_gets_no_memory_is_not_made(void **state)
{
    struct pair t;
    (void)state;
    pair_open(&t);
    for (unsigned n = 1;; n++) {
        mem_fail_at(n);
        int err = make_peer(&t, 0);
        bool has_failed = mem_count() >= n;
        mem_fail_at(0);
        if (!has_failed) {
            assert_int_equal(err, 0);
            assert_true(n > 4);
            break;
        }
        assert_int_equal(err, -ENOMEM);
    }
    pair_close(&t);
}

/*
 * Whatever allocation fails on the way to a connection: either it was one that can be missed, and
 * both connect, or the one that missed it ends once and says that it is broken.
 */
static void a_failed_allocation_ends_one_peer_at_most(void **state)
{
    struct pair t;
    unsigned n_broken = 0, n = 1;
    (void)state;
    pair_open(&t);
    for (bool has_failed = true; has_failed; n++) {
        make_both(&t);
        mem_fail_at(n);
        connect_pair(&t);
        has_failed = mem_count() >= n;
        mem_fail_at(0);
        for (unsigned i = 0; i < 2; i++) {
            if (!t.ended[i])
                continue;
            assert_true(has_failed);
            assert_true(t.end[i] == PEER_END_BROKEN || t.end[i] == PEER_END_DTLS_FAILED);
            assert_true(peer_deadline(&t.peers[i]) == MONO_NEVER);
            n_broken++;
        }
        assert_false(t.ended[0] && t.ended[1]);
        pair_reset(&t);
    }
    assert_true(n > 5);
    assert_true(n_broken > 0);
    pair_close(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_closed_peer_is_silent_after_its_farewell),
        cmocka_unit_test(a_peer_that_is_closed_early_says_nothing),
        cmocka_unit_test(a_peer_may_be_freed_twice),
        cmocka_unit_test(events_that_nobody_polls_wait),
        cmocka_unit_test(a_peer_that_gets_no_memory_is_not_made),
        cmocka_unit_test(a_failed_allocation_ends_one_peer_at_most),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
