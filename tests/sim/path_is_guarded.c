/* Who may shake hands, and what happens when a browser's address changes in the call. */
#include <string.h>

#include "sim/bench/bench.h"

static const uint8_t opus[] = {0x78, 1, 2, 3, 4, 5};

/* A ClientHello as anybody could forge it: the real browser's own, seen on its way. */
static bool copy_hello(struct bench *b, struct bench_dgram *d)
{
    if (d->data[0] == 22 && d->len > 14 && d->data[13] == 1 && b->n_filtered == 0) {
        b->n_filtered = 1;
        struct addr stranger = addr_v4(203, 0, 113, 9, 6666);
        bench_filter_fn self = b->filter;
        b->filter = NULL;
        mono_us delay = b->delay;
        b->delay = 0; /* it wins the race */
        bench_inject(b, &stranger, d->data, d->len);
        b->delay = delay;
        b->filter = self;
    }
    return true;
}

static void a_strangers_hello_is_ignored(void **state)
{
    (void)state;
    struct bench *b = bench_new();
    b->filter = copy_hello;
    bench_set_up(b, (const struct bench_browser[]){bench_chromium, bench_firefox});
    assert_true(bench_connect(b, 5 * US_PER_S));
    assert_int_equal(b->n_filtered, 1);
    for (unsigned i = 0; i < 2; i++)
        assert_true(addr_equal(&b->routes[i], &b->addrs[i]));
    bench_free(b);
}

/* Our answer-check to browser 0 is late: its hello arrives before its address is valid. */
static bool delay_our_checks(struct bench *b, struct bench_dgram *d)
{
    bool is_request = stun_is_message(d->data, d->len) && d->data[0] == 0 && d->data[1] == 1;
    if (is_request && addr_equal(&d->from, &b->server))
        d->at += 15 * US_PER_MS;
    return true;
}

static void an_early_hello_is_held_not_lost(void **state)
{
    (void)state;
    struct bench *b = bench_new();
    mono_us start = b->now;
    b->filter = delay_our_checks;
    bench_set_up(b, (const struct bench_browser[]){bench_chromium, bench_firefox});
    assert_true(bench_connect(b, 5 * US_PER_S));
    /* Without it the browser's retransmission would cost 100 ms more. */
    assert_true(b->connected_at - start < 80 * US_PER_MS);
    bench_free(b);
}

/* Browser 0 has two addresses: it is checked on both, and shakes hands on the second one, where our
 * check takes longer. */
struct two_addresses {
    struct addr second;
    mono_us late_first, late_second; /* our checks of them */
    uint8_t second_id[STUN_ID_LEN];  /* of our check of the second one */
    bool is_known;                   /* the second one, to us */
};

static void check_from_second(struct bench *b, const struct two_addresses *two,
                              const struct bench_dgram *d)
{
    bench_filter_fn self = b->filter;
    b->filter = NULL;
    bench_inject(b, &two->second, d->data, d->len);
    b->filter = self;
}

static bool from_either_address(struct bench *b, struct bench_dgram *d)
{
    struct two_addresses *two = b->user;
    bool is_stun = stun_is_message(d->data, d->len);
    bool is_request = is_stun && d->data[0] == 0 && d->data[1] == 1;
    bool is_ours = addr_equal(&d->from, &b->server);
    const uint8_t *id = d->data + 8; /* RFC 8489 §5 */
    if (is_ours && addr_equal(&d->to, &two->second)) {
        d->to = b->addrs[0];
        d->at += is_request ? two->late_second : 0;
        if (is_request)
            memcpy(two->second_id, id, sizeof(two->second_id));
    } else if (is_ours && is_request && addr_equal(&d->to, &b->addrs[0])) {
        d->at += two->late_first;
    } else if (addr_equal(&d->from, &b->addrs[0])) {
        if (is_request && !two->is_known)
            check_from_second(b, two, d);
        two->is_known = two->is_known || is_request;
        if (!is_stun || memcmp(id, two->second_id, sizeof(two->second_id)) == 0)
            d->from = two->second;
    }
    return true;
}

/* Neither the other address, valid before the hello comes or after it, is a reason to lose it. */
static void an_early_hello_is_held_whatever_else_is_valid(void **state)
{
    (void)state;
    const mono_us late_first[] = {0, 10 * US_PER_MS};
    for (unsigned i = 0; i < 2; i++) {
        struct bench *b = bench_new();
        struct two_addresses two = {.second = addr_v4(198, 51, 100, 9, 5000),
                                    .late_first = late_first[i],
                                    .late_second = 15 * US_PER_MS};
        mono_us start = b->now;
        b->user = &two;
        b->filter = from_either_address;
        bench_set_up(b, (const struct bench_browser[]){bench_chromium, bench_firefox});
        assert_true(bench_connect(b, 5 * US_PER_S));
        assert_true(addr_equal(&b->legs[0]->peer.dtls_remote, &two.second));
        assert_true(b->connected_at - start < 80 * US_PER_MS);
        assert_null(b->legs[0]->peer.held);
        bench_free(b);
    }
}

static void media_follows_a_browser_to_its_new_address(void **state)
{
    (void)state;
    struct bench *b = bench_new();
    bench_set_up(b, (const struct bench_browser[]){bench_chromium, bench_firefox});
    assert_true(bench_connect(b, 5 * US_PER_S));
    bench_run(b, b->now + 10 * US_PER_S);
    /* The NAT in front of browser 0 forgets: the same socket, seen from a new address. */
    b->addrs[0] = addr_v4(198, 51, 100, 77, 7777);
    mono_us moved_at = b->now;
    unsigned before = b->n_rtp[0];
    while (b->n_rtp[0] == before && b->now < moved_at + 50 * US_PER_S) {
        bench_send(b, 1, 0xb0000001, (uint16_t)((b->now - moved_at) / 20000), 0, opus,
                   sizeof(opus));
        bench_run(b, b->now + 20 * US_PER_MS);
    }
    /* This browser knows nothing of its move and does not nominate again, so that the old path has
     * to lose consent first. (Chromium nominates with each of its checks: seconds.) */
    assert_true(b->n_rtp[0] > before);
    assert_true(b->now - moved_at < 31 * US_PER_S);
    assert_true(addr_equal(&b->routes[0], &b->addrs[0]));
    assert_false(b->relay_ended[0]);
    bench_free(b);
}

/* One round of talk: both browsers send a packet, 20 ms pass. */
static void talk(struct bench *b, uint16_t seq)
{
    bench_send(b, 0, 0xb0000000, seq, seq * 960u, opus, sizeof(opus));
    bench_send(b, 1, 0xb0000001, seq, seq * 960u, opus, sizeof(opus));
    bench_run(b, b->now + 20 * US_PER_MS);
}

static void media_shows_the_new_address_at_once(void **state)
{
    (void)state;
    struct bench *b = bench_new();
    uint16_t seq = 0;
    bench_set_up(b, (const struct bench_browser[]){bench_chromium, bench_firefox});
    assert_true(bench_connect(b, 5 * US_PER_S));
    while (seq < 500)
        talk(b, ++seq);
    assert_int_equal(b->n_rtp[0], 500);
    assert_int_equal(b->n_rtp[1], 500);
    struct addr old = b->addrs[0], moved = addr_v4(198, 51, 100, 77, 7777);
    b->addrs[0] = moved;
    while (seq < 600)
        talk(b, ++seq);
    /* What the browser says comes through without a gap; what it hears misses the packets of one
     * round trip of 10 ms and those that were on their way: within 40 ms of 20 ms frames. */
    assert_int_equal(b->n_rtp[1], 600);
    assert_true(b->n_rtp[0] >= 598);
    assert_true(addr_equal(&b->legs[0]->peer.path_remote, &moved));
    assert_true(addr_equal(&b->routes[0], &moved));
    assert_true(addr_equal(&b->paths[0].remote.addr, &moved));
    assert_int_equal(b->paths[0].remote.type, ICE_PRFLX);
    /* A packet that comes late from the old address leads nowhere. */
    for (unsigned n = 0; n < 10; n++) {
        b->addrs[0] = n == 4 ? old : moved;
        b->delay = n == 4 ? 50 * US_PER_MS : 5 * US_PER_MS;
        seq++;
        bench_send(b, 0, 0xb0000000, seq, seq * 960u, opus, sizeof(opus));
        b->addrs[0] = moved;
        b->delay = 5 * US_PER_MS;
        bench_run(b, b->now + 20 * US_PER_MS);
    }
    assert_true(addr_equal(&b->legs[0]->peer.path_remote, &moved));
    bench_free(b);
}

/* Whoever moves with every packet, authentic and checked each time, is told of as often as a person
 * could read it; and where he stays is told at last. */
static void a_path_that_flutters_is_told_rarely(void **state)
{
    (void)state;
    struct bench *b = bench_new();
    uint16_t seq = 0;
    bench_set_up(b, (const struct bench_browser[]){bench_chromium, bench_firefox});
    assert_true(bench_connect(b, 5 * US_PER_S));
    while (seq < 100)
        talk(b, ++seq);
    const struct addr ways[] = {b->addrs[0], addr_v4(198, 51, 100, 77, 7777)};
    for (unsigned n = 0; n < 100; n++) { /* both are known then */
        b->addrs[0] = ways[n / 50];
        talk(b, ++seq);
    }
    unsigned told = b->n_paths[0], moves = 0;
    struct addr was = b->legs[0]->peer.path_remote;
    for (unsigned n = 0; n < 100; n++) {
        b->addrs[0] = ways[n % 2];
        talk(b, ++seq);
        moves += !addr_equal(&was, &b->legs[0]->peer.path_remote);
        was = b->legs[0]->peer.path_remote;
    }
    assert_true(moves > 50); /* 2 s */
    assert_in_range(b->n_paths[0] - told, 10, 21);
    talk(b, ++seq);
    bench_run(b, b->now + PEER_PATH_INTERVAL);
    assert_true(addr_equal(&b->paths[0].remote.addr, &b->legs[0]->peer.path_remote));
    bench_free(b);
}

static const struct addr *stranger(void)
{
    static struct addr at;
    at = addr_v4(203, 0, 113, 9, 6666);
    return &at;
}

/* Every RTP packet of browser 0 is seen on its way and sent on from elsewhere, ahead of it. What
 * goes to the stranger is counted by kind. */
static unsigned n_rtp_to_stranger, n_stun_to_stranger;

static bool outrun_media(struct bench *b, struct bench_dgram *d)
{
    if (addr_equal(&d->to, stranger())) {
        bool is_stun = stun_is_message(d->data, d->len);
        n_stun_to_stranger += is_stun;
        n_rtp_to_stranger += !is_stun;
        return false;
    }
    if (rtp_is_rtp(d->data, d->len) && addr_equal(&d->from, &b->addrs[0])) {
        bench_filter_fn self = b->filter;
        mono_us delay = b->delay;
        b->filter = NULL;
        b->delay = US_PER_MS;
        bench_inject(b, stranger(), d->data, d->len);
        b->delay = delay;
        b->filter = self;
    }
    return true;
}

static void replayed_media_does_not_pull_the_stream_away(void **state)
{
    (void)state;
    struct bench *b = bench_new();
    uint16_t seq = 0;
    bench_set_up(b, (const struct bench_browser[]){bench_chromium, bench_firefox});
    assert_true(bench_connect(b, 5 * US_PER_S));
    while (seq < 100)
        talk(b, ++seq);
    n_rtp_to_stranger = n_stun_to_stranger = 0;
    b->filter = outrun_media;
    while (seq < 3100)
        talk(b, ++seq);
    /* A minute of it: the path stays, nothing is lost, no media goes astray, and the stranger gets
     * the sendings of one check at a time. */
    assert_true(addr_equal(&b->legs[0]->peer.path_remote, &b->addrs[0]));
    assert_int_equal(b->n_rtp[0], 3100);
    assert_int_equal(b->n_rtp[1], 3100);
    assert_int_equal(n_rtp_to_stranger, 0);
    assert_in_range(n_stun_to_stranger, 1, 2 * STUN_RC);
    assert_false(b->relay_ended[0]);
    bench_free(b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_strangers_hello_is_ignored),
        cmocka_unit_test(an_early_hello_is_held_not_lost),
        cmocka_unit_test(an_early_hello_is_held_whatever_else_is_valid),
        cmocka_unit_test(media_follows_a_browser_to_its_new_address),
        cmocka_unit_test(media_shows_the_new_address_at_once),
        cmocka_unit_test(a_path_that_flutters_is_told_rarely),
        cmocka_unit_test(replayed_media_does_not_pull_the_stream_away),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
