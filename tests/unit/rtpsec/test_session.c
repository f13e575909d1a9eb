/* A receiver under attack and a sender that makes mistakes: replay, wrap-around with loss, damage
 * at every byte, cuts at every length, foreign keys, many SSRCs, the SRTCP index, lifetimes. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/bytes.h"
#include "base/mem.h"
#include "base/rng.h"
#include "rtpsec/session.h"
#include "rtpsec/window.h"

#define SSRC    0xcafe0001
#define PAYLOAD 40
#define ROOM    (12 + PAYLOAD + RTPSEC_RTCP_OVERHEAD)

static const uint8_t master_key[RTPSEC_KEY_LEN] = {1, 2, 3};
static const uint8_t master_salt[RTPSEC_MAX_SALT_LEN] = {4, 5, 6};

/* Every test runs with both profiles on every provider. */
struct fixture {
    struct rtpsec_provider *p;
    enum rtpsec_profile profile;
    struct rtpsec_tx tx;
    struct rtpsec_rx rx;
};

struct packet {
    uint8_t data[ROOM];
    size_t len;
};

static struct packet rtp(uint32_t ssrc, uint16_t seq)
{
    struct packet p = {.len = 12 + PAYLOAD};
    p.data[0] = 0x80;
    p.data[1] = 111;
    put_be16(p.data + 2, seq);
    put_be32(p.data + 8, ssrc);
    for (size_t i = 0; i < PAYLOAD; i++)
        p.data[12 + i] = (uint8_t)(seq + i);
    return p;
}

static struct packet rtcp(uint32_t ssrc)
{
    struct packet p = {.len = 28};
    p.data[0] = 0x80;
    p.data[1] = 200;
    p.data[3] = 6;
    put_be32(p.data + 4, ssrc);
    return p;
}

static int seal(struct fixture *f, struct packet *p)
{
    return rtpsec_protect_rtp(&f->tx, f->p, p->data, &p->len, sizeof(p->data));
}

static int open(struct fixture *f, struct packet p)
{
    struct packet plain = rtp(get_be32(p.data + 8), get_be16(p.data + 2));
    int err = rtpsec_unprotect_rtp(&f->rx, f->p, p.data, &p.len);
    if (!err) {
        assert_int_equal(p.len, plain.len);
        assert_memory_equal(p.data, plain.data, p.len);
    }
    return err;
}

static struct packet sealed(struct fixture *f, uint32_t ssrc, uint16_t seq)
{
    struct packet p = rtp(ssrc, seq);
    assert_int_equal(seal(f, &p), 0);
    return p;
}

static struct packet sealed_rtcp(struct fixture *f, uint32_t ssrc)
{
    struct packet p = rtcp(ssrc);
    assert_int_equal(rtpsec_protect_rtcp(&f->tx, f->p, p.data, &p.len, sizeof(p.data)), 0);
    return p;
}

static int open_rtcp(struct fixture *f, struct packet p)
{
    struct packet plain = rtcp(get_be32(p.data + 4));
    int err = rtpsec_unprotect_rtcp(&f->rx, f->p, p.data, &p.len);
    if (!err) {
        assert_int_equal(p.len, plain.len);
        assert_memory_equal(p.data, plain.data, p.len);
    }
    return err;
}

static void restart(struct fixture *f)
{
    rtpsec_tx_deinit(&f->tx);
    rtpsec_rx_deinit(&f->rx);
    assert_int_equal(rtpsec_tx_init(&f->tx, f->p, f->profile, master_key, master_salt), 0);
    assert_int_equal(rtpsec_rx_init(&f->rx, f->p, f->profile, master_key, master_salt), 0);
}

static void each(void (*test)(struct fixture *f))
{
    const enum rtpsec_provider_kind kinds[] = {RTPSEC_PROVIDER_EVP, RTPSEC_PROVIDER_IPSEC_MB};
    const enum rtpsec_profile profiles[] = {RTPSEC_AEAD_AES_128_GCM,
                                            RTPSEC_AES_CM_128_HMAC_SHA1_80};
    for (size_t k = 0; k < ARRAY_LEN(kinds); k++) {
        int err = 0;
        struct fixture f = {.p = rtpsec_provider_new(kinds[k], &err)};
        if (!f.p && err == -ENOTSUP)
            continue;
        assert_non_null(f.p);
        for (size_t i = 0; i < ARRAY_LEN(profiles); i++) {
            f.profile = profiles[i];
            restart(&f);
            test(&f);
            rtpsec_tx_deinit(&f.tx);
            rtpsec_rx_deinit(&f.rx);
        }
        rtpsec_provider_free(f.p);
    }
}

/* ---- Replay ---------------------------------------------------------------------------------- */

static void replays(struct fixture *f)
{
    static struct packet p[400];
    for (uint16_t i = 0; i < 400; i++)
        p[i] = sealed(f, SSRC, i);
    assert_int_equal(open(f, p[10]), 0);
    assert_int_equal(open(f, p[10]), RTPSEC_E_REPLAY);
    assert_int_equal(open(f, p[300]), 0);
    assert_int_equal(open(f, p[300 - RTPSEC_WINDOW + 1]), 0); /* the last that the window holds */
    assert_int_equal(open(f, p[300 - RTPSEC_WINDOW + 1]), RTPSEC_E_REPLAY);
    assert_int_equal(open(f, p[300 - RTPSEC_WINDOW]), RTPSEC_E_REPLAY); /* too old to tell */
    assert_int_equal(open(f, p[0]), RTPSEC_E_REPLAY);
    assert_int_equal(open(f, p[299]), 0);
    assert_int_equal(open(f, p[236]), 0); /* the border of the two words */
    assert_int_equal(open(f, p[237]), 0);
    assert_int_equal(open(f, p[236]), RTPSEC_E_REPLAY);
    assert_int_equal(open(f, p[301]), 0);
    assert_int_equal(open(f, p[236]), RTPSEC_E_REPLAY);
    assert_int_equal(open(f, p[237]), RTPSEC_E_REPLAY);
    assert_int_equal(open(f, p[301]), RTPSEC_E_REPLAY);
}

static void a_packet_is_taken_once(void **state)
{
    (void)state;
    each(replays);
}

/* The window against a plain set, for jumps of all lengths. */
static void the_window_is_a_set(void **state)
{
    static bool seen[400000];
    struct rng rng;
    struct rtpsec_stream s;
    (void)state;
    rng_init_seeded(&rng, 128);
    memset(seen, 0, sizeof(seen));
    rtpsec_window_start(&s, 1, 200);
    seen[200] = true;
    uint64_t highest = 200;
    for (unsigned i = 0; i < 100000; i++) {
        uint64_t index = highest + rng_below(&rng, rng_below(&rng, 50) ? 3 : 300);
        index -= rng_below(&rng, 2) ? rng_below(&rng, 200) : 0;
        if (index >= ARRAY_LEN(seen))
            break;
        bool is_new = index + RTPSEC_WINDOW > highest && !seen[index];
        assert_int_equal(rtpsec_window_is_new(&s, index), is_new);
        if (!is_new)
            continue;
        rtpsec_window_add(&s, index);
        assert_false(rtpsec_window_is_new(&s, index));
        seen[index] = true;
        highest = index > highest ? index : highest;
        assert_true(s.index == highest);
    }
    assert_true(highest > 50000);
}

/* ---- Wrap-around ----------------------------------------------------------------------------- */

static void wraps(struct fixture *f)
{
    struct packet before = sealed(f, SSRC, 65530);
    struct packet late = sealed(f, SSRC, 65533);
    struct packet later = sealed(f, SSRC, 65535);
    struct packet after = sealed(f, SSRC, 3); /* 0, 1 and 2 are lost */
    struct packet missing = sealed(f, SSRC, 1);
    assert_int_equal(open(f, before), 0);
    assert_int_equal(open(f, after), 0);
    assert_true(f->rx.d.streams[0].index == 0x10003);
    assert_int_equal(open(f, late), 0); /* of the round before */
    assert_int_equal(open(f, missing), 0);
    assert_int_equal(open(f, later), 0);
    assert_int_equal(open(f, late), RTPSEC_E_REPLAY);
    assert_true(f->rx.d.streams[0].index == 0x10003);
    /* three more rounds, with a third of the packets lost and neighbours exchanged */
    uint16_t seq = 4;
    for (unsigned i = 0; i < 3 * 65536 / 90; i++) {
        seq = (uint16_t)(seq + 90);
        struct packet first = sealed(f, SSRC, seq);
        struct packet second = sealed(f, SSRC, (uint16_t)(seq + 1));
        if (i % 3)
            assert_int_equal(open(f, second), 0);
        assert_int_equal(open(f, first), 0);
    }
    assert_true(f->rx.d.streams[0].index >> 16 >= 3);
}

static void the_roll_over_counter_follows(void **state)
{
    (void)state;
    each(wraps);
}

/* A packet of another round authenticates with another ROC only. */
static void rounds(struct fixture *f)
{
    struct packet old = sealed(f, SSRC, 100);
    assert_int_equal(open(f, sealed(f, SSRC, 30000)), 0);
    assert_int_equal(open(f, sealed(f, SSRC, 60000)), 0);
    assert_int_equal(open(f, sealed(f, SSRC, 20000)), 0);
    assert_true(f->rx.d.streams[0].index == 0x10000 + 20000);
    assert_int_equal(open(f, old), RTPSEC_E_REPLAY);
    assert_int_equal(open(f, sealed(f, SSRC, 50000)), 0);
    assert_int_equal(open(f, old), RTPSEC_E_AUTH); /* taken for one of the next round */
    assert_true(f->rx.d.streams[0].index == 0x10000 + 50000);
}

static void a_packet_of_another_round_is_refused(void **state)
{
    (void)state;
    each(rounds);
}

/* ---- Damage ---------------------------------------------------------------------------------- */

static void assert_untouched(const struct fixture *f, const struct rtpsec_direction *before)
{
    assert_memory_equal(&f->rx.d, before, sizeof(*before));
}

static void damage(struct fixture *f)
{
    struct packet good = sealed(f, SSRC, 7), ok = sealed(f, SSRC, 6);
    assert_int_equal(open(f, ok), 0);
    struct rtpsec_direction before = f->rx.d;
    for (size_t i = 0; i < good.len; i++) {
        struct packet bad = good;
        bad.data[i] ^= (uint8_t)(1u << (i % 8));
        size_t len = bad.len;
        int err = rtpsec_unprotect_rtp(&f->rx, f->p, bad.data, &len);
        assert_true(err == RTPSEC_E_AUTH || err == RTPSEC_E_MALFORMED || err == RTPSEC_E_REPLAY);
        assert_true(i < 4 || err != RTPSEC_E_REPLAY);
        assert_int_equal(len, good.len);
        assert_untouched(f, &before);
        if (err == RTPSEC_E_AUTH && i >= 12) {
            for (size_t k = 12; k < 12 + PAYLOAD; k++)
                assert_int_equal(bad.data[k], 0);
        }
    }
    for (size_t len = 0; len < good.len; len++) {
        uint8_t *cut = malloc(len ? len : 1);
        size_t cut_len = len;
        assert_non_null(cut);
        memcpy(cut, good.data, len);
        int err = rtpsec_unprotect_rtp(&f->rx, f->p, cut, &cut_len);
        assert_true(err == RTPSEC_E_AUTH || err == RTPSEC_E_MALFORMED);
        assert_untouched(f, &before);
        free(cut);
    }
    assert_int_equal(open(f, good), 0);
}

static void damaged_and_cut_packets_change_nothing(void **state)
{
    (void)state;
    each(damage);
}

static void damage_rtcp(struct fixture *f)
{
    struct packet good = sealed_rtcp(f, SSRC);
    struct rtpsec_direction before = f->rx.d;
    for (size_t i = 0; i < good.len; i++) {
        struct packet bad = good;
        bad.data[i] ^= (uint8_t)(1u << (i % 8));
        assert_true(rtpsec_unprotect_rtcp(&f->rx, f->p, bad.data, &bad.len) > 0);
        assert_untouched(f, &before);
    }
    for (size_t len = 0; len < good.len; len++) {
        uint8_t *cut = malloc(len ? len : 1);
        size_t cut_len = len;
        assert_non_null(cut);
        memcpy(cut, good.data, len);
        assert_true(rtpsec_unprotect_rtcp(&f->rx, f->p, cut, &cut_len) > 0);
        assert_untouched(f, &before);
        free(cut);
    }
    assert_int_equal(open_rtcp(f, good), 0);
}

static void damaged_and_cut_rtcp_changes_nothing(void **state)
{
    (void)state;
    each(damage_rtcp);
}

static void foreign_keys(struct fixture *f)
{
    struct packet p = sealed(f, SSRC, 1), q = sealed_rtcp(f, SSRC);
    uint8_t other_key[RTPSEC_KEY_LEN] = {9}, other_salt[RTPSEC_MAX_SALT_LEN] = {9};
    rtpsec_rx_deinit(&f->rx);
    assert_int_equal(rtpsec_rx_init(&f->rx, f->p, f->profile, other_key, master_salt), 0);
    assert_int_equal(open(f, p), RTPSEC_E_AUTH);
    assert_int_equal(open_rtcp(f, q), RTPSEC_E_AUTH);
    rtpsec_rx_deinit(&f->rx);
    assert_int_equal(rtpsec_rx_init(&f->rx, f->p, f->profile, master_key, other_salt), 0);
    assert_int_equal(open(f, p), RTPSEC_E_AUTH);
    assert_int_equal(open_rtcp(f, q), RTPSEC_E_AUTH);
}

static void foreign_keys_do_not_open(void **state)
{
    (void)state;
    each(foreign_keys);
}

/* ---- SSRCs ----------------------------------------------------------------------------------- */

static void many_ssrcs(struct fixture *f)
{
    for (uint32_t i = 0; i < RTPSEC_MAX_STREAMS; i++)
        assert_int_equal(open(f, sealed(f, SSRC + i, (uint16_t)(100 * i))), 0);
    struct packet fifth = rtp(SSRC + 4, 1);
    assert_int_equal(seal(f, &fifth), RTPSEC_E_LIMIT);
    assert_int_equal(fifth.len, 12 + PAYLOAD);

    /* A forged packet of a new SSRC takes no place. */
    struct packet forged = sealed(f, SSRC, 1);
    put_be32(forged.data + 8, 0x66666666);
    assert_int_equal(open(f, forged), RTPSEC_E_AUTH);
    for (uint32_t i = 0; i < RTPSEC_MAX_STREAMS; i++)
        assert_int_equal(open(f, sealed(f, SSRC + i, (uint16_t)(100 * i + 2))), 0);
}

static void many_ssrcs_are_kept_apart(void **state)
{
    (void)state;
    each(many_ssrcs);
}

/* A fifth sender with the same keys: the one that was silent longest makes room. */
static void eviction(struct fixture *f)
{
    struct rtpsec_tx other;
    assert_int_equal(rtpsec_tx_init(&other, f->p, f->profile, master_key, master_salt), 0);
    for (uint32_t i = 0; i < RTPSEC_MAX_STREAMS; i++)
        assert_int_equal(open(f, sealed(f, SSRC + i, 1)), 0);
    assert_int_equal(open(f, sealed(f, SSRC, 2)), 0); /* so SSRC + 1 is the oldest */
    struct packet fifth = rtp(SSRC + 4, 1);
    assert_int_equal(rtpsec_protect_rtp(&other, f->p, fifth.data, &fifth.len, sizeof(fifth.data)),
                     0);
    assert_int_equal(open(f, fifth), 0);
    assert_int_equal(f->rx.d.n_streams, RTPSEC_MAX_STREAMS);
    assert_int_equal(f->rx.d.streams[0].ssrc, SSRC);
    assert_int_equal(f->rx.d.streams[1].ssrc, SSRC + 4);
    assert_int_equal(f->rx.d.streams[2].ssrc, SSRC + 2);
    rtpsec_tx_deinit(&other);
}

static void the_silent_stream_makes_room(void **state)
{
    (void)state;
    each(eviction);
}

/* ---- Sending --------------------------------------------------------------------------------- */

static void sender_mistakes(struct fixture *f)
{
    (void)sealed(f, SSRC, 1000);
    struct packet p = rtp(SSRC, 1000), was = p;
    assert_int_equal(seal(f, &p), RTPSEC_E_REPLAY);
    assert_memory_equal(&p, &was, sizeof(p));
    (void)sealed(f, SSRC, 1200);
    (void)sealed(f, SSRC, 1200 - RTPSEC_WINDOW + 1);
    p = rtp(SSRC, 1200 - RTPSEC_WINDOW);
    assert_int_equal(seal(f, &p), RTPSEC_E_REPLAY);

    size_t tag_len = f->profile == RTPSEC_AEAD_AES_128_GCM ? 16 : 10;
    p = rtp(SSRC, 1300);
    size_t len = p.len;
    assert_int_equal(rtpsec_protect_rtp(&f->tx, f->p, p.data, &len, p.len + tag_len - 1),
                     RTPSEC_E_NO_ROOM);
    assert_int_equal(rtpsec_protect_rtp(&f->tx, f->p, p.data, &len, p.len - 1), RTPSEC_E_NO_ROOM);
    assert_int_equal(rtpsec_protect_rtp(&f->tx, f->p, p.data, &len, p.len + tag_len), 0);
    assert_int_equal(len, p.len + tag_len);

    uint8_t junk[64] = {0x40};
    len = 20;
    assert_int_equal(rtpsec_protect_rtp(&f->tx, f->p, junk, &len, 64), RTPSEC_E_MALFORMED);
    junk[0] = 0x8f;
    assert_int_equal(rtpsec_protect_rtp(&f->tx, f->p, junk, &len, 64), RTPSEC_E_MALFORMED);
    len = 11;
    junk[0] = 0x80;
    assert_int_equal(rtpsec_protect_rtp(&f->tx, f->p, junk, &len, 64), RTPSEC_E_MALFORMED);
}

static void a_number_is_used_once(void **state)
{
    (void)state;
    each(sender_mistakes);
}

static void lifetimes(struct fixture *f)
{
    (void)sealed(f, SSRC, 65535);
    f->tx.d.streams[0].index = ((uint64_t)1 << 48) - 1; /* the last packet of the key */
    struct packet p = rtp(SSRC, 0);
    assert_int_equal(seal(f, &p), RTPSEC_E_LIMIT);
    struct packet q = sealed(f, SSRC + 1, 65535);
    assert_int_equal(open(f, q), 0);
    f->rx.d.streams[0].index = ((uint64_t)1 << 48) - 1;
    struct packet beyond = sealed(f, SSRC + 1, 65534);
    put_be16(beyond.data + 2, 5);
    assert_int_equal(open(f, beyond), RTPSEC_E_LIMIT);

    f->tx.d.rtcp_index = 0x7fffffff;
    struct packet last = sealed_rtcp(f, SSRC);
    assert_int_equal(open_rtcp(f, last), 0);
    p = rtcp(SSRC);
    assert_int_equal(rtpsec_protect_rtcp(&f->tx, f->p, p.data, &p.len, sizeof(p.data)),
                     RTPSEC_E_LIMIT);
}

static void keys_have_a_lifetime(void **state)
{
    (void)state;
    each(lifetimes);
}

/* ---- SRTCP ----------------------------------------------------------------------------------- */

static void rtcp_index(struct fixture *f)
{
    static struct packet p[200];
    size_t tag_len = f->profile == RTPSEC_AEAD_AES_128_GCM ? 16 : 10;
    for (uint32_t i = 0; i < 200; i++) {
        p[i] = sealed_rtcp(f, SSRC);
        size_t word_at = f->profile == RTPSEC_AEAD_AES_128_GCM ? 28 + tag_len : 28;
        assert_int_equal(p[i].len, 28 + 4 + tag_len);
        assert_int_equal(get_be32(p[i].data + word_at), 0x80000000 | i);
    }
    assert_int_equal(open_rtcp(f, p[5]), 0);
    assert_int_equal(open_rtcp(f, p[5]), RTPSEC_E_REPLAY);
    assert_int_equal(open_rtcp(f, p[199]), 0);
    assert_int_equal(open_rtcp(f, p[72]), 0);
    assert_int_equal(open_rtcp(f, p[71]), RTPSEC_E_REPLAY);
    assert_int_equal(open_rtcp(f, p[72]), RTPSEC_E_REPLAY);
    /* other SSRCs have windows of their own, and the oldest makes room */
    for (uint32_t i = 1; i <= RTPSEC_MAX_RTCP_STREAMS + 1; i++)
        assert_int_equal(open_rtcp(f, sealed_rtcp(f, SSRC + i)), 0);
    assert_int_equal(f->rx.d.n_rtcp_streams, RTPSEC_MAX_RTCP_STREAMS);

    /* RTP and SRTCP do not touch each other's indices */
    assert_int_equal(open(f, sealed(f, SSRC, 5)), 0);

    /* without E flag: not accepted, whatever the tag says */
    struct packet clear = sealed_rtcp(f, SSRC);
    clear.data[f->profile == RTPSEC_AEAD_AES_128_GCM ? 28 + tag_len : 28] &= 0x7f;
    assert_int_equal(open_rtcp(f, clear), RTPSEC_E_MALFORMED);

    /* room, and the smallest packet there is */
    struct packet small = rtcp(SSRC);
    small.len = 8;
    size_t len = 8;
    assert_int_equal(rtpsec_protect_rtcp(&f->tx, f->p, small.data, &len, 8 + 4 + tag_len - 1),
                     RTPSEC_E_NO_ROOM);
    assert_int_equal(rtpsec_protect_rtcp(&f->tx, f->p, small.data, &len, 8 + 4 + tag_len), 0);
    assert_int_equal(rtpsec_unprotect_rtcp(&f->rx, f->p, small.data, &len), 0);
    assert_int_equal(len, 8);
    len = 7;
    assert_int_equal(rtpsec_protect_rtcp(&f->tx, f->p, small.data, &len, 64), RTPSEC_E_MALFORMED);
}

static void srtcp_has_an_index_of_its_own(void **state)
{
    (void)state;
    each(rtcp_index);
}

/* ---- Init ------------------------------------------------------------------------------------ */

static void wiped(struct fixture *f)
{
    static const struct rtpsec_direction zero;
    rtpsec_tx_deinit(&f->tx);
    rtpsec_rx_deinit(&f->rx);
    assert_memory_equal(&f->tx.d, &zero, sizeof(zero));
    assert_memory_equal(&f->rx.d, &zero, sizeof(zero));
    rtpsec_tx_deinit(&f->tx);
    assert_int_equal(rtpsec_tx_init(&f->tx, f->p, RTPSEC_NONE, master_key, master_salt), -EINVAL);
    assert_memory_equal(&f->tx.d, &zero, sizeof(zero));
    restart(f);
}

static void deinit_leaves_nothing(void **state)
{
    (void)state;
    each(wiped);
}

static void sizes_are_within_the_budget(void **state)
{
    (void)state;
    assert_true(sizeof(struct rtpsec_rx) <= 1344);
    assert_true(sizeof(struct rtpsec_tx) <= 1344);
    assert_int_equal(_Alignof(struct rtpsec_rx), CACHE_LINE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_packet_is_taken_once),
        cmocka_unit_test(the_window_is_a_set),
        cmocka_unit_test(the_roll_over_counter_follows),
        cmocka_unit_test(a_packet_of_another_round_is_refused),
        cmocka_unit_test(damaged_and_cut_packets_change_nothing),
        cmocka_unit_test(damaged_and_cut_rtcp_changes_nothing),
        cmocka_unit_test(foreign_keys_do_not_open),
        cmocka_unit_test(many_ssrcs_are_kept_apart),
        cmocka_unit_test(the_silent_stream_makes_room),
        cmocka_unit_test(a_number_is_used_once),
        cmocka_unit_test(keys_have_a_lifetime),
        cmocka_unit_test(srtcp_has_an_index_of_its_own),
        cmocka_unit_test(deinit_leaves_nothing),
        cmocka_unit_test(sizes_are_within_the_budget),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
