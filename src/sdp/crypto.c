/* Keys in a description: see the header. A line that says more than is understood is not used. */
#include "sdp/crypto.h"

#include <string.h>

#include "base/base64.h"

static const struct {
    const char *name;
    uint8_t key_len;
} suites[SDP_CRYPTO_N_SUITES] = {
    [SDP_CRYPTO_AES_CM_128_HMAC_SHA1_80] = {"AES_CM_128_HMAC_SHA1_80", 30},
    [SDP_CRYPTO_AEAD_AES_128_GCM] = {"AEAD_AES_128_GCM", 28},
};

size_t sdp_crypto_key_len(enum sdp_crypto_suite suite)
{
    return suites[suite].key_len;
}

static bool find_suite(struct str name, enum sdp_crypto_suite *ret)
{
    for (unsigned i = 0; i < SDP_CRYPTO_N_SUITES; i++) {
        if (!str_eq(name, str_of(suites[i].name)))
            continue;
        *ret = (enum sdp_crypto_suite)i;
        return true;
    }
    return false;
}

/* "inline:" key ["|" lifetime] ["|" MKI ":" length]: how long a key may live does not matter to
 * who makes a new one for every call (RFC 4568 §6.1). */
static bool read_key(struct str params, struct sdp_crypto *c)
{
    if (!str_starts_with(params, STR("inline:")))
        return false;
    params = str_tail(params, 7);
    struct str key = str_take_until(&params, '|');
    if (params.len && (memchr(params.p, ':', params.len) || memchr(params.p, ';', params.len)))
        return false;
    return base64_read(key, c->key, suites[c->suite].key_len);
}

/* RFC 4568 §6.3.7: what begins with '-' need not be understood; the window for replays (§6.3.6) is
 * a hint. */
static bool may_be_ignored(struct str params)
{
    for (struct str word; (word = str_take_word(&params)).len;) {
        if (word.p[0] != '-' && !str_starts_with(word, STR("WSH=")))
            return false;
    }
    return true;
}

bool sdp_crypto_parse(struct str value, struct sdp_crypto *ret)
{
    struct sdp_crypto c = {.tag = 0};
    uint64_t tag;
    if (!str_to_u64(str_take_word(&value), 999999999, &tag) ||
        !find_suite(str_take_word(&value), &c.suite) || !read_key(str_take_word(&value), &c) ||
        !may_be_ignored(value))
        return false;
    c.tag = (uint32_t)tag;
    *ret = c;
    return true;
}

void sdp_crypto_write(struct text *t, const struct sdp_crypto *c)
{
    text_printf(t, "a=crypto:%u %s inline:", (unsigned)c->tag, suites[c->suite].name);
    base64_write(t, c->key, suites[c->suite].key_len);
    text_put(t, STR("\r\n"));
}
