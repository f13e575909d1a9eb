/* Two implementations are one: thousands of random packets through both, byte for byte; and AES-CM
 * with HMAC-SHA1 against a computation from the RFC's text on OpenSSL's one-shot functions. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "base/bytes.h"
#include "base/mem.h"
#include "base/rng.h"
#include "rtp/packet.h"
#include "rtpsec/session.h"
#include "rtpsec/transform.h"

#define ROUNDS      4000
#define MAX_PAYLOAD 1400
#define MAX_PACKET  (12 + 60 + 4 + 4 * 40 + MAX_PAYLOAD + RTPSEC_RTCP_OVERHEAD)

static const enum rtpsec_profile profiles[] = {RTPSEC_AEAD_AES_128_GCM,
                                               RTPSEC_AES_CM_128_HMAC_SHA1_80};

static size_t random_rtp(struct rng *rng, uint16_t seq, uint8_t *data)
{
    unsigned n_csrc = rng_below(rng, 3) ? 0 : rng_below(rng, 16);
    unsigned words = rng_below(rng, 2) ? rng_below(rng, 41) : 0;
    bool has_extension = rng_below(rng, 2);
    rng_fill(rng, data, MAX_PACKET);
    data[0] = (uint8_t)(0x80 | (has_extension ? 0x10 : 0) | n_csrc);
    data[1] = 111;
    put_be16(data + 2, seq);
    put_be32(data + 8, 0x11223344);
    size_t len = 12 + 4 * (size_t)n_csrc;
    if (has_extension) {
        put_be16(data + len + 2, (uint16_t)words);
        len += 4 + 4 * (size_t)words;
    }
    return len + rng_below(rng, MAX_PAYLOAD + 1);
}

struct side {
    struct rtpsec_provider *p;
    struct rtpsec_tx tx;
    struct rtpsec_rx rx;
};

static void open_side(struct side *s, enum rtpsec_provider_kind kind, enum rtpsec_profile profile,
                      const uint8_t *key, const uint8_t *salt)
{
    s->p = rtpsec_provider_new(kind, NULL);
    assert_non_null(s->p);
    assert_int_equal(rtpsec_tx_init(&s->tx, s->p, profile, key, salt), 0);
    assert_int_equal(rtpsec_rx_init(&s->rx, s->p, profile, key, salt), 0);
}

static void close_side(struct side *s)
{
    rtpsec_tx_deinit(&s->tx);
    rtpsec_rx_deinit(&s->rx);
    rtpsec_provider_free(s->p);
}

static void compare_rtp(struct rng *rng, struct side *a, struct side *b, uint16_t seq)
{
    static uint8_t plain[MAX_PACKET], da[MAX_PACKET], db[MAX_PACKET];
    size_t len = random_rtp(rng, seq, plain), la = len, lb = len;
    memcpy(da, plain, len);
    memcpy(db, plain, len);
    assert_int_equal(rtpsec_protect_rtp(&a->tx, a->p, da, &la, sizeof(da)), 0);
    assert_int_equal(rtpsec_protect_rtp(&b->tx, b->p, db, &lb, sizeof(db)), 0);
    assert_int_equal(la, lb);
    assert_memory_equal(da, db, la);
    /* crosswise: what one made the other reads */
    assert_int_equal(rtpsec_unprotect_rtp(&b->rx, b->p, da, &la), 0);
    assert_int_equal(rtpsec_unprotect_rtp(&a->rx, a->p, db, &lb), 0);
    assert_int_equal(la, len);
    assert_int_equal(lb, len);
    assert_memory_equal(da, plain, len);
    assert_memory_equal(db, plain, len);
}

static void compare_rtcp(struct rng *rng, struct side *a, struct side *b)
{
    static uint8_t plain[MAX_PACKET], da[MAX_PACKET], db[MAX_PACKET];
    size_t len = 8 + rng_below(rng, 1000), la = len, lb = len;
    rng_fill(rng, plain, len);
    plain[0] = 0x80;
    plain[1] = 200;
    put_be32(plain + 4, 7);
    memcpy(da, plain, len);
    memcpy(db, plain, len);
    assert_int_equal(rtpsec_protect_rtcp(&a->tx, a->p, da, &la, sizeof(da)), 0);
    assert_int_equal(rtpsec_protect_rtcp(&b->tx, b->p, db, &lb, sizeof(db)), 0);
    assert_int_equal(la, lb);
    assert_memory_equal(da, db, la);
    assert_int_equal(rtpsec_unprotect_rtcp(&b->rx, b->p, da, &la), 0);
    assert_int_equal(rtpsec_unprotect_rtcp(&a->rx, a->p, db, &lb), 0);
    assert_int_equal(la, len);
    assert_memory_equal(da, plain, len);
    assert_memory_equal(db, plain, len);
}

static void both_implementations_make_the_same_bytes(void **state)
{
    struct rng rng;
    (void)state;
    struct rtpsec_provider *probe = rtpsec_provider_new(RTPSEC_PROVIDER_AUTO, NULL);
    assert_non_null(probe);
    bool has_mb = rtpsec_provider_kind(probe) == RTPSEC_PROVIDER_IPSEC_MB;
    rtpsec_provider_free(probe);
    if (!has_mb)
        skip();
    rng_init_seeded(&rng, 7714);
    for (size_t i = 0; i < ARRAY_LEN(profiles); i++) {
        uint8_t key[RTPSEC_KEY_LEN], salt[RTPSEC_MAX_SALT_LEN];
        struct side a, b;
        rng_fill(&rng, key, sizeof(key));
        rng_fill(&rng, salt, sizeof(salt));
        open_side(&a, RTPSEC_PROVIDER_EVP, profiles[i], key, salt);
        open_side(&b, RTPSEC_PROVIDER_IPSEC_MB, profiles[i], key, salt);
        /* from 63000 on: the roll-over counter takes part */
        for (unsigned n = 0; n < ROUNDS; n++) {
            compare_rtp(&rng, &a, &b, (uint16_t)(63000 + n));
            if (n % 10 == 0)
                compare_rtcp(&rng, &a, &b);
        }
        close_side(&a);
        close_side(&b);
    }
}

/* ---- RFC 3711, step by step ------------------------------------------------------------------ */

static void aes_ctr(const uint8_t *key, const uint8_t *iv, uint8_t *data, size_t len)
{
    EVP_CIPHER_CTX *c = EVP_CIPHER_CTX_new();
    uint8_t block[16];
    assert_non_null(c);
    assert_true(EVP_EncryptInit_ex(c, EVP_aes_128_ecb(), NULL, key, NULL));
    (void)EVP_CIPHER_CTX_set_padding(c, 0);
    memcpy(block, iv, 16);
    for (size_t i = 0; i < len; i += 16) {
        uint8_t stream[16];
        int n;
        put_be16(block + 14, (uint16_t)(i / 16));
        assert_true(EVP_EncryptUpdate(c, stream, &n, block, 16));
        for (size_t k = 0; k < 16 && i + k < len; k++)
            data[i + k] ^= stream[k];
    }
    EVP_CIPHER_CTX_free(c);
}

static void derive(const uint8_t *key, const uint8_t *salt, uint8_t label, uint8_t *ret, size_t len)
{
    uint8_t iv[16] = {0};
    memcpy(iv, salt, 14);
    iv[7] ^= label;
    memset(ret, 0, len);
    aes_ctr(key, iv, ret, len);
}

/* Session keys of one direction, by labels base, base + 1, base + 2. */
struct plain_keys {
    uint8_t key[16], auth[20], salt[14];
};

static void derive_all(const uint8_t *key, const uint8_t *salt, uint8_t base,
                       struct plain_keys *ret)
{
    derive(key, salt, base, ret->key, 16);
    derive(key, salt, (uint8_t)(base + 1), ret->auth, 20);
    derive(key, salt, (uint8_t)(base + 2), ret->salt, 14);
}

static void encrypt(const struct plain_keys *k, uint32_t ssrc, uint64_t index, uint8_t *data,
                    size_t len)
{
    uint8_t iv[16] = {0};
    memcpy(iv, k->salt, 14);
    for (unsigned i = 0; i < 4; i++)
        iv[4 + i] ^= (uint8_t)(ssrc >> (24 - 8 * i));
    for (unsigned i = 0; i < 6; i++)
        iv[8 + i] ^= (uint8_t)(index >> (40 - 8 * i));
    aes_ctr(k->key, iv, data, len);
}

static void hmac(const struct plain_keys *k, const uint8_t *data, size_t len, uint8_t *tag)
{
    uint8_t digest[20];
    unsigned n = sizeof(digest);
    assert_non_null(HMAC(EVP_sha1(), k->auth, 20, data, len, digest, &n));
    memcpy(tag, digest, 10);
}

static void aes_cm_is_what_the_rfc_says(void **state)
{
    const uint8_t key[16] = "sixteen bytes k", salt[14] = "fourteen salt";
    struct plain_keys rtp, rtcp;
    struct rng rng;
    struct side s;
    (void)state;
    rng_init_seeded(&rng, 3711);
    derive_all(key, salt, 0, &rtp);
    derive_all(key, salt, 3, &rtcp);
    for (unsigned kind = RTPSEC_PROVIDER_AUTO; kind <= RTPSEC_PROVIDER_EVP; kind++) {
        open_side(&s, (enum rtpsec_provider_kind)kind, RTPSEC_AES_CM_128_HMAC_SHA1_80, key, salt);
        for (uint32_t n = 0; n < 300; n++) {
            uint8_t data[MAX_PACKET], want[MAX_PACKET + 4];
            uint64_t index = 65400 + n;
            size_t len = random_rtp(&rng, (uint16_t)index, data), header_len;
            assert_int_equal(rtp_parse_header_len(data, len, &header_len), 0);
            memcpy(want, data, len);
            encrypt(&rtp, 0x11223344, index, want + header_len, len - header_len);
            put_be32(want + len, (uint32_t)(index >> 16));
            uint8_t tag[10];
            hmac(&rtp, want, len + 4, tag);
            memcpy(want + len, tag, 10);
            assert_int_equal(rtpsec_protect_rtp(&s.tx, s.p, data, &len, sizeof(data)), 0);
            assert_memory_equal(data, want, len);
        }
        for (uint32_t n = 0; n < 50; n++) {
            uint8_t data[200], want[200];
            size_t len = 28 + 4 * n % 100;
            rng_fill(&rng, data, len);
            data[0] = 0x81;
            data[1] = 201;
            memcpy(want, data, len);
            encrypt(&rtcp, get_be32(data + 4), n, want + 8, len - 8);
            put_be32(want + len, 0x80000000 | n);
            hmac(&rtcp, want, len + 4, want + len + 4);
            assert_int_equal(rtpsec_protect_rtcp(&s.tx, s.p, data, &len, sizeof(data)), 0);
            assert_int_equal(len, 28 + 4 * n % 100 + 14);
            assert_memory_equal(data, want, len);
        }
        close_side(&s);
    }
}

/* ---- Choosing -------------------------------------------------------------------------------- */

static void kinds_are_what_was_asked_for(void **state)
{
    int err = 0;
    (void)state;
    struct rtpsec_provider *p = rtpsec_provider_new(RTPSEC_PROVIDER_EVP, &err);
    assert_non_null(p);
    assert_int_equal(rtpsec_provider_kind(p), RTPSEC_PROVIDER_EVP);
    assert_string_equal(rtpsec_provider_name(p), "evp");
    rtpsec_provider_free(p);
    p = rtpsec_provider_new(RTPSEC_PROVIDER_IPSEC_MB, &err);
    if (p)
        assert_string_equal(rtpsec_provider_name(p), "ipsec-mb");
    else
        assert_int_equal(err, -ENOTSUP);
    rtpsec_provider_free(p);
    rtpsec_provider_free(NULL);
}

static void memory_may_run_out_at_any_allocation(void **state)
{
    (void)state;
    for (unsigned kind = RTPSEC_PROVIDER_AUTO; kind <= RTPSEC_PROVIDER_IPSEC_MB; kind++) {
        mem_fail_at(0);
        int err = 0;
        struct rtpsec_provider *p = rtpsec_provider_new((enum rtpsec_provider_kind)kind, &err);
        unsigned n = mem_count();
        rtpsec_provider_free(p);
        if (!p)
            continue;
        for (unsigned i = 1; i <= n; i++) {
            mem_fail_at(i);
            err = 0;
            p = rtpsec_provider_new((enum rtpsec_provider_kind)kind, &err);
            assert_null(p);
            assert_int_equal(err, -ENOMEM);
        }
        mem_fail_at(0);
    }
}

/* The self-test must find a cipher that lies, or it is for nothing. */
static const struct rtpsec_transform *honest;

static int lying_seal(struct rtpsec_provider *p, void *key, const struct rtpsec_op *op)
{
    int err = honest->seal(p, key, op);
    if (op->text_len == 200)
        op->text[199] ^= 0x10;
    return err;
}

static int trusting_open(struct rtpsec_provider *p, void *key, const struct rtpsec_op *op)
{
    int err = honest->open(p, key, op);
    return err == RTPSEC_E_AUTH ? 0 : err;
}

static void self_test_finds_a_wrong_byte_and_a_missing_check(void **state)
{
    (void)state;
    struct rtpsec_provider *a = rtpsec_provider_new(RTPSEC_PROVIDER_EVP, NULL);
    struct rtpsec_provider *b = rtpsec_provider_new(RTPSEC_PROVIDER_EVP, NULL);
    assert_non_null(a);
    assert_non_null(b);
    assert_int_equal(rtpsec_self_test(a, b), 0);
    honest = a->gcm;
    struct rtpsec_transform broken = *honest;
    broken.seal = lying_seal;
    a->gcm = &broken;
    assert_int_equal(rtpsec_self_test(a, b), -ENOTSUP);
    broken = *honest;
    broken.open = trusting_open;
    assert_int_equal(rtpsec_self_test(a, b), -ENOTSUP);
    a->gcm = honest;
    honest = a->cm;
    broken = *honest;
    broken.seal = lying_seal;
    a->cm = &broken;
    assert_int_equal(rtpsec_self_test(a, b), -ENOTSUP);
    rtpsec_provider_free(a);
    rtpsec_provider_free(b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(both_implementations_make_the_same_bytes),
        cmocka_unit_test(aes_cm_is_what_the_rfc_says),
        cmocka_unit_test(kinds_are_what_was_asked_for),
        cmocka_unit_test(memory_may_run_out_at_any_allocation),
        cmocka_unit_test(self_test_finds_a_wrong_byte_and_a_missing_check),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
