/* What strangers and broken senders can do to a running call: nothing. Each case is dropped for
 * the reason that it has, and the next good packet passes. */
#include <string.h>

#include "sim/bench/bench.h"

static const uint8_t opus[] = {0x78, 1, 2, 3, 4, 5, 6, 7, 8, 9};

static struct bench *running_call(void)
{
    struct bench *b = bench_new();
    bench_set_up(b, (const struct bench_browser[]){bench_chromium, bench_firefox});
    assert_true(bench_connect(b, 5 * US_PER_S));
    bench_send(b, 0, 0xaaaa, 100, 0, opus, sizeof(opus));
    bench_run(b, b->now + 20 * US_PER_MS);
    assert_int_equal(b->n_rtp[1], 1);
    b->last_error[0] = b->last_error[1] = 0;
    b->n_errors[0] = b->n_errors[1] = 0;
    return b;
}

/* The call is unharmed: the next packet arrives, exactly once, and nobody ended. */
static void assert_unharmed(struct bench *b, uint16_t seq)
{
    unsigned before = b->n_rtp[1];
    bench_send(b, 0, 0xaaaa, seq, seq * 960u, opus, sizeof(opus));
    bench_run(b, b->now + 20 * US_PER_MS);
    assert_int_equal(b->n_rtp[1], before + 1);
    for (unsigned i = 0; i < 2; i++)
        assert_false(b->relay_ended[i] || b->browser_ended[i]);
}

static void inject(struct bench *b, const struct addr *from, const void *data, size_t len)
{
    bench_inject(b, from, data, len);
    bench_run(b, b->now + 20 * US_PER_MS);
}

static void replayed_srtp_is_dropped(void **state)
{
    (void)state;
    struct bench *b = running_call();
    inject(b, &b->addrs[0], b->last_sent[0].data, b->last_sent[0].len);
    assert_int_equal(b->last_error[0], PEER_E_REPLAY);
    assert_int_equal(b->n_rtp[1], 1);
    assert_unharmed(b, 101);
    bench_free(b);
}

static void every_flipped_byte_is_dropped(void **state)
{
    (void)state;
    struct bench *b = running_call();
    struct bench_dgram sent = b->last_sent[0];
    put_be16(sent.data + 2, 101); /* not a replay */
    for (size_t i = 0; i < sent.len; i++) {
        struct bench_dgram bad = sent;
        bad.data[i] ^= 0x04;
        inject(b, &b->addrs[0], bad.data, bad.len);
        assert_int_not_equal(b->last_error[0], 0);
        b->last_error[0] = 0;
    }
    assert_int_equal(b->n_rtp[1], 1);
    assert_unharmed(b, 102);
    bench_free(b);
}

static void every_truncation_is_dropped(void **state)
{
    (void)state;
    struct bench *b = running_call();
    struct bench_dgram sent = b->last_sent[0];
    for (size_t len = 0; len < sent.len; len++)
        inject(b, &b->addrs[0], sent.data, len);
    assert_int_equal(b->n_rtp[1], 1);
    assert_unharmed(b, 101);
    bench_free(b);
}

static void rtp_in_the_clear_is_dropped(void **state)
{
    static const uint8_t clear[64] = {0x80, 111, 0, 105, 0, 0, 0, 9, 0, 0, 0xaa, 0xaa};
    (void)state;
    struct bench *b = running_call();
    inject(b, &b->addrs[0], clear, sizeof(clear));
    assert_int_equal(b->last_error[0], PEER_E_AUTH);
    assert_unharmed(b, 106);
    bench_free(b);
}

static void the_other_legs_packet_is_not_taken(void **state)
{
    (void)state;
    struct bench *b = running_call();
    inject(b, &b->addrs[1], b->last_sent[0].data, b->last_sent[0].len);
    assert_int_equal(b->last_error[1], PEER_E_AUTH);
    assert_unharmed(b, 101);
    bench_free(b);
}

static void media_before_keys_is_dropped(void **state)
{
    uint8_t early[DGRAM_MAX] = {0x80, 111, 0, 1};
    (void)state;
    struct bench *b = bench_new();
    bench_set_up(b, (const struct bench_browser[]){bench_chromium, bench_firefox});
    struct dgram d = {
        .local = b->server, .remote = b->addrs[0], .data = early, .len = 64, .cap = sizeof(early)};
    assert_int_equal(bench_forward(b, 0, &d), PEER_E_NO_KEYS);
    assert_true(bench_connect(b, 5 * US_PER_S));
    bench_free(b);
}

static void rtcp_garbage_is_dropped(void **state)
{
    (void)state;
    struct bench *b = running_call();
    for (unsigned n = 0; n < 300; n++) {
        uint8_t garbage[200];
        rng_fill(&b->rng, garbage, sizeof(garbage));
        garbage[0] = (uint8_t)(0x80 | (garbage[0] & 0x3f));
        garbage[1] = (uint8_t)(192 + n % 32);
        inject(b, &b->addrs[0], garbage, 1 + rng_below(&b->rng, sizeof(garbage) - 1));
    }
    assert_unharmed(b, 101);
    bench_free(b);
}

static void random_datagrams_are_dropped(void **state)
{
    (void)state;
    struct bench *b = running_call();
    for (unsigned n = 0; n < 2000; n++) {
        uint8_t garbage[1400];
        size_t len = rng_below(&b->rng, sizeof(garbage));
        rng_fill(&b->rng, garbage, sizeof(garbage));
        if (n % 3 == 0)
            garbage[0] = (uint8_t)(20 + n % 44);
        inject(b, &b->addrs[n & 1], garbage, len);
    }
    assert_unharmed(b, 101);
    bench_free(b);
}

static void a_codec_that_was_not_negotiated_is_dropped(void **state)
{
    (void)state;
    struct bench *b = running_call();
    b->browsers[0]->codecs[0].pt = 100; /* a browser that breaks its own answer */
    bench_send(b, 0, 0xaaaa, 101, 960, opus, sizeof(opus));
    bench_run(b, b->now + 20 * US_PER_MS);
    assert_int_equal(b->last_error[0], RELAY_E_CODEC);
    b->browsers[0]->codecs[0].pt = bench_chromium.opus_pt;
    assert_unharmed(b, 102);
    bench_free(b);
}

static void a_new_source_continues_the_numbers(void **state)
{
    (void)state;
    struct bench *b = running_call();
    uint16_t last = b->last_rtp[1].packet.seq;
    uint32_t ssrc = b->last_rtp[1].packet.ssrc;
    bench_run(b, b->now + US_PER_S);
    bench_send(b, 0, 0xcccc, 40000, 7, opus, sizeof(opus));
    bench_run(b, b->now + 20 * US_PER_MS);
    assert_int_equal(b->n_rtp[1], 2);
    assert_int_equal(b->last_rtp[1].packet.seq, (uint16_t)(last + 1));
    assert_int_equal(b->last_rtp[1].packet.ssrc, ssrc);
    bench_free(b);
}

static void media_against_the_direction_is_dropped(void **state)
{
    (void)state;
    struct bench *b = bench_new();
    struct bench_browser listener = bench_chromium;
    listener.may_send = false;
    bench_set_up(b, (const struct bench_browser[]){listener, bench_firefox});
    assert_true(bench_connect(b, 5 * US_PER_S));
    b->browsers[0]->may_send = true;
    bench_send(b, 0, 0xaaaa, 1, 0, opus, sizeof(opus));
    bench_run(b, b->now + 20 * US_PER_MS);
    assert_int_equal(b->last_error[0], PEER_E_DIRECTION);
    assert_int_equal(b->n_rtp[1], 0);
    bench_free(b);
}

/* --- what a browser itself may do to its stream --- */

/* The receiver hears one stream: the numbers go on, whoever sends and whatever their numbers are.
 */
static void send_on(struct bench *b, uint32_t ssrc, uint16_t seq, uint32_t timestamp)
{
    bench_send(b, 0, ssrc, seq, timestamp, opus, sizeof(opus));
    bench_run(b, b->now + 20 * US_PER_MS);
}

static void assert_goes_on(struct bench *b, uint16_t seq, unsigned n)
{
    assert_int_equal(b->n_rtp[1], n);
    assert_int_equal(b->last_rtp[1].packet.seq, seq);
    assert_int_equal(b->last_rtp[1].packet.ssrc, bench_leg(b, 1)->local_ssrc);
}

static void an_ssrc_like_ours_is_no_collision(void **state)
{
    (void)state;
    struct bench *b = running_call();
    uint16_t seq = b->last_rtp[1].packet.seq;
    /* what we send to this leg, and what we send to the other one: RFC 3550 §8.2 has each leave
     * the session, here each leg has its own */
    send_on(b, bench_leg(b, 0)->local_ssrc, 500, 0);
    send_on(b, bench_leg(b, 0)->local_ssrc, 501, 960);
    assert_goes_on(b, (uint16_t)(seq + 2), 3);
    bench_run(b, b->now + US_PER_S); /* stragglers of the source before are refused so long */
    send_on(b, bench_leg(b, 1)->local_ssrc, 7000, 0);
    assert_goes_on(b, (uint16_t)(seq + 3), 4);
    assert_int_equal(b->n_errors[0], 0);
    bench_free(b);
}

/* Each new source takes the stream over, and the one before it may not take it back at once. */
static void two_sources_at_once_do_not_fight(void **state)
{
    (void)state;
    struct bench *b = running_call();
    for (uint16_t n = 0; n < 20; n++) {
        send_on(b, 0xbbbb, (uint16_t)(900 + n), n * 960u);
        send_on(b, 0xcccc, (uint16_t)(50 + n), n * 960u);
    }
    assert_int_equal(b->last_error[0], RELAY_E_OLD);
    assert_in_range(b->n_rtp[1], 20, 25); /* one of them, but for the stragglers' time */
    bench_run(b, b->now + US_PER_S);
    unsigned before = b->n_rtp[1];
    uint16_t seq = b->last_rtp[1].packet.seq;
    for (uint16_t n = 1; n <= 50; n++)
        send_on(b, 0xaaaa, (uint16_t)(100 + n), n * 960u);
    assert_goes_on(b, (uint16_t)(seq + 50), before + 50);
    bench_free(b);
}

static void a_jump_of_the_numbers_needs_two_in_sequence(void **state)
{
    (void)state;
    struct bench *b = running_call();
    uint16_t seq = b->last_rtp[1].packet.seq;
    send_on(b, 0xaaaa, 30000, 960);
    assert_int_equal(b->last_error[0], RELAY_E_OLD);
    assert_goes_on(b, seq, 1);
    send_on(b, 0xaaaa, 30001, 1920);
    assert_goes_on(b, (uint16_t)(seq + 1), 2);
    send_on(b, 0xaaaa, 30002, 2880);
    assert_goes_on(b, (uint16_t)(seq + 2), 3);
    assert_int_equal(rtp_recv_stats_lost(&bench_leg(b, 0)->source), 0);
    bench_free(b);
}

static void a_clock_that_stands_still_is_passed_on(void **state)
{
    (void)state;
    struct bench *b = running_call();
    uint32_t last = b->last_rtp[1].packet.timestamp;
    for (uint16_t n = 1; n <= 600; n++) {
        send_on(b, 0xaaaa, (uint16_t)(100 + n), 0);
        assert_int_equal(b->last_rtp[1].packet.timestamp, last);
    }
    send_on(b, 0xaaaa, 701, 960); /* it goes again */
    assert_int_equal(b->last_rtp[1].packet.timestamp, last + 960);
    send_on(b, 0xaaaa, 702, 960 * 602); /* it is where it should be: a jump, which is taken out */
    assert_int_equal(b->last_rtp[1].packet.timestamp, last + 2 * 960);
    assert_int_equal(b->n_rtp[1], 603);
    assert_int_equal(b->n_errors[0], 0);
    bench_free(b);
}

static bool swap_neighbours(struct bench *b, struct bench_dgram *d)
{
    if (rtp_is_rtp(d->data, d->len) && addr_equal(&d->to, &b->server) && b->n_filtered++ % 2)
        d->at -= 30 * US_PER_MS;
    return true;
}

static void reordered_packets_keep_their_places(void **state)
{
    (void)state;
    struct bench *b = running_call();
    b->delay = 50 * US_PER_MS;
    b->filter = swap_neighbours;
    uint16_t seq = b->last_rtp[1].packet.seq;
    for (uint16_t n = 1; n <= 100; n++)
        send_on(b, 0xaaaa, (uint16_t)(100 + n), n * 960u);
    bench_run(b, b->now + US_PER_S);
    assert_int_equal(b->n_rtp[1], 101);
    assert_int_equal(b->n_errors[0], 0);
    assert_int_equal(rtp_recv_stats_lost(&b->browsers[1]->source), 0);
    assert_int_equal(b->browsers[1]->source.max_seq, (uint16_t)(seq + 100));
    bench_free(b);
}

/* Older than the replay window knows: refused, although nobody saw it. */
static void what_comes_much_too_late_is_dropped(void **state)
{
    (void)state;
    struct bench *b = running_call();
    b->delay = 10 * US_PER_S;
    bench_send(b, 0, 0xaaaa, 101, 960, opus, sizeof(opus));
    b->delay = 5 * US_PER_MS;
    for (uint16_t n = 2; n <= 300; n++)
        send_on(b, 0xaaaa, (uint16_t)(100 + n), n * 960u);
    b->last_error[0] = 0;
    bench_run(b, b->now + 10 * US_PER_S);
    assert_int_equal(b->last_error[0], PEER_E_REPLAY);
    assert_unharmed(b, 401);
    bench_free(b);
}

static void protected_by_other_keys_is_dropped(void **state)
{
    (void)state;
    struct bench *b = running_call();
    /* the other browser's keys, from this one's address */
    bench_send(b, 1, 0xaaaa, 101, 960, opus, sizeof(opus));
    inject(b, &b->addrs[0], b->last_sent[1].data, b->last_sent[1].len);
    assert_int_equal(b->last_error[0], PEER_E_AUTH);
    assert_unharmed(b, 101);
    bench_free(b);
}

/* --- RTCP that authenticates and is of no use --- */

static void feedback_of_no_use_is_counted(void **state)
{
    static const struct {
        uint8_t data[28];
        size_t len;
        int expected;
    } rows[] = {
        {{0x81, 206, 0, 2, 0, 0, 0, 1, 0, 0, 0, 2}, 12, PEER_E_FEEDBACK},                /* PLI */
        {{0x84, 206, 0, 4, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 2, 1}, 20, PEER_E_FEEDBACK}, /* FIR */
        {{0x82, 206, 0, 3, 0, 0, 0, 1, 0, 0, 0, 2}, 16, PEER_E_FEEDBACK},                /* SLI */
        {{0x8f, 205, 0, 5, 0, 0, 0, 1, 0, 0, 0, 2, 0, 1, 0, 1}, 24, PEER_E_FEEDBACK},    /* tcc */
        {{0x83, 205, 0, 4, 0, 0, 0, 1}, 20, PEER_E_FEEDBACK},                            /* TMMBR */
        {{0x9f, 205, 0, 2, 0, 0, 0, 1}, 12, PEER_E_FEEDBACK},                     /* unknown */
        {{0x80, 204, 0, 2, 0, 0, 0, 1, 'd', 'u', 'e', 't'}, 12, PEER_E_FEEDBACK}, /* APP */
        {{0x80, 192, 0, 1, 0, 0, 0, 1}, 8, PEER_E_FEEDBACK},                      /* old FIR */
        {{0x80, 223, 0, 1, 0, 0, 0, 1}, 8, PEER_E_FEEDBACK},
        {{0x81, 205, 0, 1, 0, 0, 0, 1}, 8, 0}, /* NACK without a number */
        {{0x80, 201, 0, 1, 0, 0, 0, 1, 0x81, 206, 0, 2}, 20, PEER_E_FEEDBACK}, /* RR and PLI */
        {{0x80, 201, 0, 1, 0, 0, 0, 1}, 8, 0},
        {{0x80, 201, 0, 9, 0, 0, 0, 1}, 8, PEER_E_MALFORMED},              /* longer than it is */
        {{0x80, 201, 0, 1, 0, 0, 0, 1, 0, 0, 0, 0}, 12, PEER_E_MALFORMED}, /* and a tail */
    };
    (void)state;
    struct bench *b = running_call();
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        b->last_error[0] = 0;
        bench_send_rtcp(b, 0, rows[i].data, rows[i].len);
        bench_run(b, b->now + 20 * US_PER_MS);
        assert_int_equal(b->last_error[0], rows[i].expected);
    }
    assert_unharmed(b, 101);
    bench_free(b);
}

/* Whatever is inside, its sender has the keys: it may spoil its own call, never the server. */
static void authentic_rtcp_garbage_does_no_harm(void **state)
{
    (void)state;
    struct bench *b = running_call();
    for (unsigned n = 0; n < 1000; n++) {
        uint8_t garbage[200];
        size_t len = 8 + 4 * rng_below(&b->rng, sizeof(garbage) / 4 - 1);
        rng_fill(&b->rng, garbage, sizeof(garbage));
        garbage[0] = (uint8_t)(0x80 | (garbage[0] & 0x1f));
        garbage[1] = (uint8_t)(200 + n % 8);
        put_be16(garbage + 2, (uint16_t)(len / 4 - 1));
        if (garbage[1] == RTCP_BYE)
            continue; /* a BYE that is meant ends the source: tests/sim/peer_ends.c */
        bench_send_rtcp(b, 0, garbage, len);
        bench_run(b, b->now + US_PER_MS);
    }
    bench_run(b, b->now + US_PER_S);
    assert_unharmed(b, 101);
    bench_free(b);
}

static void replayed_rtcp_is_dropped(void **state)
{
    static const uint8_t rr[] = {0x80, 201, 0, 1, 0, 0, 0, 1};
    uint8_t buf[64];
    size_t len = sizeof(rr);
    (void)state;
    struct bench *b = running_call();
    struct peer *p = b->browsers[0];
    memcpy(buf, rr, len);
    assert_int_equal(rtpsec_protect_rtcp(&p->tx, p->env->srtp, buf, &len, sizeof(buf)), 0);
    inject(b, &b->addrs[0], buf, len);
    assert_int_equal(b->last_error[0], 0);
    inject(b, &b->addrs[0], buf, len);
    assert_int_equal(b->last_error[0], PEER_E_REPLAY);
    memcpy(buf, rr, len = sizeof(rr));
    assert_int_equal(rtpsec_protect_rtcp(&p->tx, p->env->srtp, buf, &len, sizeof(buf)), 0);
    buf[10] ^= 1;
    inject(b, &b->addrs[0], buf, len);
    assert_int_equal(b->last_error[0], PEER_E_AUTH);
    assert_unharmed(b, 101);
    bench_free(b);
}

/* --- sizes, STUN, addresses --- */

static void datagrams_of_every_size_are_survived(void **state)
{
    static const uint8_t firsts[] = {0, 1, 3, 20, 22, 63, 64, 79, 128, 144, 191, 192, 255};
    (void)state;
    struct bench *b = running_call();
    for (size_t i = 0; i < sizeof(firsts); i++) {
        for (size_t len = 1; len <= DGRAM_MAX; len += len < 40 ? 1 : 97) {
            uint8_t garbage[DGRAM_MAX] = {firsts[i], (uint8_t)(len % 256)};
            inject(b, &b->addrs[0], garbage, len);
        }
    }
    uint8_t longest[DGRAM_MAX] = {0x80, 111};
    b->last_error[0] = 0;
    inject(b, &b->addrs[0], longest, sizeof(longest));
    assert_int_equal(b->last_error[0], PEER_E_AUTH);
    assert_unharmed(b, 101);
    bench_free(b);
}

/* Checks that name our ufrag and know nothing else: answered with an error at the most. */
static void a_flood_of_checks_is_dropped(void **state)
{
    (void)state;
    struct bench *b = running_call();
    struct addr stranger = addr_v4(203, 0, 113, 9, 6666);
    unsigned before = b->n_errors[0];
    for (unsigned n = 0; n < 2000; n++) {
        /* Binding request, USERNAME rel0:brw0, an integrity that somebody made up */
        uint8_t check[64] = {0, 1, 0, 40, 0x21, 0x12, 0xa4, 0x42};
        rng_fill(&b->rng, check + 8, 12);
        put_be16(check + 20, 0x0006);
        put_be16(check + 22, 9);
        memcpy(check + 24, "rel0:brw0", 9);
        put_be16(check + 36, 0x0008);
        put_be16(check + 38, 20);
        rng_fill(&b->rng, check + 40, 20);
        inject(b, n & 1 ? &stranger : &b->addrs[0], check, 60);
    }
    assert_int_equal(b->n_errors[0], before + 2000);
    assert_int_equal(b->last_error[0], PEER_E_STUN);
    assert_true(addr_equal(&bench_leg(b, 0)->path_remote, &b->addrs[0]));
    assert_unharmed(b, 101);
    bench_free(b);
}

/* The relay of this bench takes a leg by address alone; a copy from elsewhere is a replay, and a
 * forged one does not authenticate: neither moves the path. */
static void a_spoofed_source_moves_nothing(void **state)
{
    (void)state;
    struct bench *b = running_call();
    struct addr stranger = addr_v4(203, 0, 113, 9, 6666);
    struct bench_dgram forged = b->last_sent[0];
    put_be16(forged.data + 2, 101);
    inject(b, &stranger, b->last_sent[0].data, b->last_sent[0].len);
    assert_int_equal(b->last_error[0], PEER_E_REPLAY);
    inject(b, &stranger, forged.data, forged.len);
    assert_int_equal(b->last_error[0], PEER_E_AUTH);
    assert_true(addr_equal(&bench_leg(b, 0)->path_remote, &b->addrs[0]));
    assert_true(addr_equal(&b->routes[0], &b->addrs[0]));
    assert_unharmed(b, 102);
    bench_free(b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(replayed_srtp_is_dropped),
        cmocka_unit_test(every_flipped_byte_is_dropped),
        cmocka_unit_test(every_truncation_is_dropped),
        cmocka_unit_test(rtp_in_the_clear_is_dropped),
        cmocka_unit_test(the_other_legs_packet_is_not_taken),
        cmocka_unit_test(media_before_keys_is_dropped),
        cmocka_unit_test(rtcp_garbage_is_dropped),
        cmocka_unit_test(random_datagrams_are_dropped),
        cmocka_unit_test(a_codec_that_was_not_negotiated_is_dropped),
        cmocka_unit_test(a_new_source_continues_the_numbers),
        cmocka_unit_test(media_against_the_direction_is_dropped),
        cmocka_unit_test(an_ssrc_like_ours_is_no_collision),
        cmocka_unit_test(two_sources_at_once_do_not_fight),
        cmocka_unit_test(a_jump_of_the_numbers_needs_two_in_sequence),
        cmocka_unit_test(a_clock_that_stands_still_is_passed_on),
        cmocka_unit_test(reordered_packets_keep_their_places),
        cmocka_unit_test(what_comes_much_too_late_is_dropped),
        cmocka_unit_test(protected_by_other_keys_is_dropped),
        cmocka_unit_test(feedback_of_no_use_is_counted),
        cmocka_unit_test(authentic_rtcp_garbage_does_no_harm),
        cmocka_unit_test(replayed_rtcp_is_dropped),
        cmocka_unit_test(datagrams_of_every_size_are_survived),
        cmocka_unit_test(a_flood_of_checks_is_dropped),
        cmocka_unit_test(a_spoofed_source_moves_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
