/* Published vectors: RFC 3711 B.2 (AES-CM), B.3 (key derivation), RFC 7714 §16 and §17 (AEAD), and
 * the split of RFC 5764 §4.2. RFC 6188 §7 has AES-192 and AES-256 only; its key derivation for 128
 * bits is that of RFC 3711. Every vector runs through every provider of this build. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/bytes.h"
#include "rtpsec/kdf.h"
#include "rtpsec/session.h"
#include "rtpsec/transform.h"

static size_t unhex(const char *text, uint8_t *ret, size_t cap)
{
    size_t n = 0;
    for (; *text; text++) {
        if (*text == ' ')
            continue;
        unsigned byte;
        assert_true(n < cap);
        assert_int_equal(sscanf(text, "%2x", &byte), 1);
        ret[n++] = (uint8_t)byte;
        text++;
    }
    return n;
}

static void kdf_rfc3711_b3(void **state)
{
    static const struct {
        enum rtpsec_kdf_label label;
        const char *expected;
    } cases[] = {
        {RTPSEC_KDF_RTP_KEY, "C61E7A93744F39EE10734AFE3FF7A087"},
        {RTPSEC_KDF_RTP_SALT, "30CBBC08863D8C85D49DB34A9AE1"},
        {RTPSEC_KDF_RTP_AUTH, "CEBE321F6FF7716B6FD4AB49AF256A15 6D38BAA48F0A0ACF3C34E2359E6CDBCE"
                              "E049646C43D9327AD175578EF7227098 6371C10C9A369AC2F94A8C5FBCDDDC25"
                              "6D6E919A48B610EF17C2041E47403576 6B68642C59BBFC2F34DB60DBDFB2"},
    };
    uint8_t key[16], salt[14], expected[RTPSEC_KDF_MAX_LEN], out[RTPSEC_KDF_MAX_LEN];
    (void)state;
    (void)unhex("E1F97A0D3E018BE0D64FA32C06DE4139", key, sizeof(key));
    (void)unhex("0EC675AD498AFEEBB6960B3AABE6", salt, sizeof(salt));
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        size_t len = unhex(cases[i].expected, expected, sizeof(expected));
        assert_int_equal(rtpsec_kdf(key, salt, cases[i].label, out, len), 0);
        assert_memory_equal(out, expected, len);
    }
}

/* The transform, with the session key of the vector put in place of a derived one. */
struct keyed {
    _Alignas(CACHE_LINE) uint8_t room[RTPSEC_KEY_ROOM];
};

/* RFC 3711 B.2: key stream of SSRC 0, index 0; the last blocks are 0xfeff and more into it. */
static void aes_cm_rfc3711_b2(struct rtpsec_provider *p)
{
    static uint8_t stream[0x10000 * 16];
    static const struct {
        size_t block;
        const char *expected;
    } cases[] = {
        {0x0000, "E03EAD0935C95E80E166B16DD92B4EB4"}, {0x0001, "D23513162B02D0F72A43A2FE4A5F97AB"},
        {0x0002, "41E95B3BB0A2E8DD477901E4FCA894C0"}, {0xfeff, "EC8CDF7398607CB0F2D21675EA9EA1E4"},
        {0xff00, "362B7C3C6773516318A077D7FC5073AE"}, {0xff01, "6A2CC3787889374FBEB4C81B17BA6C44"},
    };
    const struct rtpsec_transform *t = rtpsec_transform_find(p, RTPSEC_AES_CM_128_HMAC_SHA1_80);
    uint8_t cipher[16], auth[20] = {0}, tag[16], expected[16];
    struct keyed key = {0};
    memset(stream, 0, sizeof(stream));
    (void)unhex("2B7E151628AED2A6ABF7158809CF4F3C", cipher, sizeof(cipher));
    struct rtpsec_op op = {
        .data = stream, .text = stream, .text_len = sizeof(stream) - 16, .tag = tag};
    (void)unhex("F0F1F2F3F4F5F6F7F8F9FAFBFCFD0000", op.iv, sizeof(op.iv));
    assert_int_equal(t->key_init(p, key.room, cipher, auth), 0);
    assert_int_equal(t->seal(p, key.room, &op), 0);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        (void)unhex(cases[i].expected, expected, sizeof(expected));
        assert_memory_equal(stream + 16 * cases[i].block, expected, 16);
    }
    t->key_deinit(key.room);
}

/* RFC 7714 gives session keys; a session is made and its derived ones are exchanged. */
static void set_session_keys(struct rtpsec_direction *d, struct rtpsec_provider *p)
{
    uint8_t key[16];
    (void)unhex("000102030405060708090a0b0c0d0e0f", key, sizeof(key));
    d->transform->key_deinit(d->key);
    assert_int_equal(d->transform->key_init(p, d->key, key, NULL), 0);
    memcpy(d->rtcp_key, key, sizeof(key));
    (void)unhex("517569642070726f2071756f", d->salt, sizeof(d->salt));
    (void)unhex("517569642070726f2071756f", d->rtcp_salt, sizeof(d->rtcp_salt));
}

static const uint8_t any[RTPSEC_KEY_LEN];

static void srtp_gcm_rfc7714_16(struct rtpsec_provider *p)
{
    struct rtpsec_tx tx;
    struct rtpsec_rx rx;
    uint8_t plain[64], data[64 + RTPSEC_RTP_OVERHEAD], expected[sizeof(data)];
    assert_int_equal(rtpsec_tx_init(&tx, p, RTPSEC_AEAD_AES_128_GCM, any, any), 0);
    assert_int_equal(rtpsec_rx_init(&rx, p, RTPSEC_AEAD_AES_128_GCM, any, any), 0);
    set_session_keys(&tx.d, p);
    set_session_keys(&rx.d, p);
    size_t plain_len = unhex("8040f17b 8041f8d3 5501a0b2 47616c6c 69612065 7374206f 6d6e6973"
                             "20646976 69736120 696e2070 61727465 73207472 6573",
                             plain, sizeof(plain));
    size_t expected_len = unhex("8040f17b 8041f8d3 5501a0b2 f24de3a3 fb34de6c acba861c 9d7e4bca"
                                "be633bd5 0d294e6f 42a5f47a 51c7d19b 36de3adf 8833 899d7f27"
                                "beb16a91 52cf765e e4390cce",
                                expected, sizeof(expected));
    size_t len = plain_len;
    memcpy(data, plain, plain_len);
    assert_int_equal(rtpsec_protect_rtp(&tx, p, data, &len, sizeof(data)), 0);
    assert_int_equal(len, expected_len);
    assert_memory_equal(data, expected, len);
    assert_int_equal(rtpsec_unprotect_rtp(&rx, p, data, &len), 0);
    assert_int_equal(len, plain_len);
    assert_memory_equal(data, plain, len);
    rtpsec_tx_deinit(&tx);
    rtpsec_rx_deinit(&rx);
}

static void srtcp_gcm_rfc7714_17(struct rtpsec_provider *p)
{
    struct rtpsec_tx tx;
    struct rtpsec_rx rx;
    uint8_t plain[64], data[64 + RTPSEC_RTCP_OVERHEAD], expected[sizeof(data)];
    assert_int_equal(rtpsec_tx_init(&tx, p, RTPSEC_AEAD_AES_128_GCM, any, any), 0);
    assert_int_equal(rtpsec_rx_init(&rx, p, RTPSEC_AEAD_AES_128_GCM, any, any), 0);
    set_session_keys(&tx.d, p);
    set_session_keys(&rx.d, p);
    tx.d.rtcp_index = 0x5d4;
    size_t plain_len = unhex("81c8000d 4d617273 4e545031 4e545032 52545020 0000042a 0000e930"
                             "4c756e61 deadbeef deadbeef deadbeef deadbeef deadbeef",
                             plain, sizeof(plain));
    size_t expected_len = unhex("81c8000d 4d617273 63e94885 dcdab67c a727d766 2f6b7e99 7ff5c0f7"
                                "6c06f32d c676a5f1 730d6fda 4ce09b46 86303ded 0bb9275b c84aa458"
                                "96cf4d2f c5abf872 45d9eade 800005d4",
                                expected, sizeof(expected));
    size_t len = plain_len;
    memcpy(data, plain, plain_len);
    assert_int_equal(rtpsec_protect_rtcp(&tx, p, data, &len, sizeof(data)), 0);
    assert_int_equal(len, expected_len);
    assert_memory_equal(data, expected, len);
    assert_int_equal(rtpsec_unprotect_rtcp(&rx, p, data, &len), 0);
    assert_int_equal(len, plain_len);
    assert_memory_equal(data, plain, len);
    rtpsec_tx_deinit(&tx);
    rtpsec_rx_deinit(&rx);
}

static void every_provider_passes_the_vectors(void **state)
{
    const enum rtpsec_provider_kind kinds[] = {RTPSEC_PROVIDER_EVP, RTPSEC_PROVIDER_IPSEC_MB};
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
        int err = 0;
        _cleanup_(rtpsec_provider_freep) struct rtpsec_provider *p =
            rtpsec_provider_new(kinds[i], &err);
        if (!p && err == -ENOTSUP && kinds[i] == RTPSEC_PROVIDER_IPSEC_MB)
            continue; /* not this machine */
        assert_non_null(p);
        aes_cm_rfc3711_b2(p);
        srtp_gcm_rfc7714_16(p);
        srtcp_gcm_rfc7714_17(p);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(kdf_rfc3711_b3),
        cmocka_unit_test(every_provider_passes_the_vectors),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
