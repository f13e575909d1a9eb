/* Two implementations, the same packets: every byte must be the same. The lengths go over the
 * borders at which vector code changes its path: blocks, four, eight and sixteen of them. */
#include <errno.h>
#include <string.h>

#include "base/mem.h"
#include "rtpsec/session.h"
#include "rtpsec/transform.h"

#define AAD_MAX  32
#define TEXT_MAX 272
#define TAG_MAX  16

/* Key, text and nonce only have to be irregular. */
static void fill(uint8_t *p, size_t len, unsigned seed)
{
    for (size_t i = 0; i < len; i++) {
        seed = seed * 1103515245 + 12345;
        p[i] = (uint8_t)(seed >> 16);
    }
}

struct key {
    _Alignas(CACHE_LINE) uint8_t room[RTPSEC_KEY_ROOM];
};

struct packet {
    uint8_t bytes[AAD_MAX + TEXT_MAX];
    uint8_t tag[TAG_MAX];
};

static struct rtpsec_op op_of(struct packet *packet, size_t aad_len, size_t text_len)
{
    struct rtpsec_op op = {
        .data = packet->bytes,
        .text = packet->bytes + aad_len,
        .text_len = text_len,
        .aad = packet->bytes,
        .aad_len = aad_len,
        .tag = packet->tag,
    };
    fill(op.iv, sizeof(op.iv), (unsigned)text_len);
    fill(op.word, sizeof(op.word), (unsigned)aad_len);
    return op;
}

static int check_length(struct rtpsec_provider *a, const struct rtpsec_transform *ta,
                        struct key *key_a, struct rtpsec_provider *b,
                        const struct rtpsec_transform *tb, struct key *key_b, size_t text_len)
{
    size_t aad_len = 12 + 4 * (text_len % 6);
    struct packet plain = {0};
    fill(plain.bytes, aad_len + text_len, 1);
    struct packet pa = plain, pb = plain;
    struct rtpsec_op oa = op_of(&pa, aad_len, text_len);
    struct rtpsec_op ob = op_of(&pb, aad_len, text_len);

    if (ta->seal(a, key_a->room, &oa) || tb->seal(b, key_b->room, &ob))
        return -EIO;
    if (memcmp(&pa, &pb, sizeof(pa)))
        return -ENOTSUP;
    if (ta->open(a, key_a->room, &oa) || memcmp(pa.bytes, plain.bytes, aad_len + text_len))
        return -ENOTSUP;
    pb.tag[text_len % ta->tag_len] ^= 1;
    return ta->open(a, key_a->room, &ob) == RTPSEC_E_AUTH ? 0 : -ENOTSUP;
}

static int check_profile(struct rtpsec_provider *a, struct rtpsec_provider *b,
                         enum rtpsec_profile profile)
{
    const struct rtpsec_transform *ta = rtpsec_transform_find(a, profile);
    const struct rtpsec_transform *tb = rtpsec_transform_find(b, profile);
    struct key key_a = {0}, key_b = {0};
    uint8_t cipher[RTPSEC_KEY_LEN], auth[20];
    fill(cipher, sizeof(cipher), 2);
    fill(auth, sizeof(auth), 3);

    int err = ta->key_init(a, key_a.room, cipher, auth);
    if (!err)
        err = tb->key_init(b, key_b.room, cipher, auth);
    for (size_t len = 0; !err && len <= TEXT_MAX; len++)
        err = check_length(a, ta, &key_a, b, tb, &key_b, len);
    ta->key_deinit(key_a.room);
    tb->key_deinit(key_b.room);
    return err;
}

int rtpsec_self_test(struct rtpsec_provider *a, struct rtpsec_provider *b)
{
    int err = check_profile(a, b, RTPSEC_AEAD_AES_128_GCM);
    return err ? err : check_profile(a, b, RTPSEC_AES_CM_128_HMAC_SHA1_80);
}
