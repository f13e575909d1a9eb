/* SRTP framing: from bytes to (header, text, tag), from (SSRC, sequence number) to an index and
 * from that to an IV; the rest is the transform's.
 *
 *    SRTP, both         | header | text ……… | tag |                 IV and tag know the ROC
 *    SRTCP, AES-CM      | 8 bytes | text ……… | E, index | tag |
 *    SRTCP, AES-GCM     | 8 bytes | text ……… | tag | E, index |     AAD = 8 bytes, E, index
 *
 * Nothing of a session changes before a packet is authenticated: not the roll-over counter, not the
 * window, not the table of SSRCs. So a flood of forged packets costs time and nothing else. */
#include "rtpsec/session.h"

#include <assert.h>
#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "base/bytes.h"
#include "base/mem.h"
#include "rtp/packet.h"
#include "rtp/sequence.h"
#include "rtpsec/kdf.h"
#include "rtpsec/transform.h"
#include "rtpsec/window.h"

_Static_assert(offsetof(struct rtpsec_direction, streams) + sizeof(struct rtpsec_stream) <=
                   CACHE_LINE,
               "the first stream belongs on the first line");

/** RFC 3711 §9.2: "the maximum number of packets ... 2^48 SRTP packets ... 2^31 SRTCP packets". */
#define RTP_INDEX_END  ((uint64_t)1 << 48)
#define RTCP_INDEX_END ((uint32_t)1 << 31)

#define RTCP_E_FLAG ((uint32_t)1 << 31)

/** RFC 3711 §3.4: the first 8 octets of a compound stay in the clear. */
#define RTCP_CLEAR_LEN 8
#define RTCP_WORD_LEN  4

/* ---- Keys ------------------------------------------------------------------------------------ */

struct derived {
    uint8_t rtp_key[RTPSEC_KEY_LEN];
    uint8_t rtp_auth[20];
};

static int derive(struct rtpsec_direction *d, const uint8_t *master_key, const uint8_t *salt,
                  size_t salt_len, struct derived *ret)
{
    const struct {
        enum rtpsec_kdf_label label;
        uint8_t *out;
        size_t len;
    } outputs[] = {
        {RTPSEC_KDF_RTP_KEY, ret->rtp_key, sizeof(ret->rtp_key)},
        {RTPSEC_KDF_RTP_AUTH, ret->rtp_auth, sizeof(ret->rtp_auth)},
        {RTPSEC_KDF_RTP_SALT, d->salt, salt_len},
        {RTPSEC_KDF_RTCP_KEY, d->rtcp_key, sizeof(d->rtcp_key)},
        {RTPSEC_KDF_RTCP_AUTH, d->rtcp_auth, sizeof(d->rtcp_auth)},
        {RTPSEC_KDF_RTCP_SALT, d->rtcp_salt, salt_len},
    };
    for (size_t i = 0; i < ARRAY_LEN(outputs); i++) {
        int err = rtpsec_kdf(master_key, salt, outputs[i].label, outputs[i].out, outputs[i].len);
        if (err)
            return err;
    }
    return 0;
}

static void direction_deinit(struct rtpsec_direction *d)
{
    if (d->transform)
        d->transform->key_deinit(d->key);
    mem_wipe(d, sizeof(*d));
}

static int direction_init(struct rtpsec_direction *d, struct rtpsec_provider *provider,
                          enum rtpsec_profile profile, const uint8_t *master_key,
                          const uint8_t *master_salt)
{
    memset(d, 0, sizeof(*d));
    size_t salt_len = rtpsec_salt_len(profile);
    if (salt_len == 0)
        return -EINVAL;
    d->transform = rtpsec_transform_find(provider, profile);

    /* RFC 7714 §11: a 96-bit master salt is "padded on the right" for the key derivation. */
    uint8_t salt[RTPSEC_MAX_SALT_LEN] = {0};
    memcpy(salt, master_salt, salt_len);
    struct derived derived;
    int err = derive(d, master_key, salt, salt_len, &derived);
    if (!err)
        err = d->transform->key_init(provider, d->key, derived.rtp_key, derived.rtp_auth);
    mem_wipe(&derived, sizeof(derived));
    mem_wipe(salt, sizeof(salt));
    if (err)
        direction_deinit(d);
    return err;
}

int rtpsec_tx_init(struct rtpsec_tx *tx, struct rtpsec_provider *provider,
                   enum rtpsec_profile profile, const uint8_t *master_key,
                   const uint8_t *master_salt)
{
    return direction_init(&tx->d, provider, profile, master_key, master_salt);
}

int rtpsec_rx_init(struct rtpsec_rx *rx, struct rtpsec_provider *provider,
                   enum rtpsec_profile profile, const uint8_t *master_key,
                   const uint8_t *master_salt)
{
    return direction_init(&rx->d, provider, profile, master_key, master_salt);
}

void rtpsec_tx_deinit(struct rtpsec_tx *tx)
{
    direction_deinit(&tx->d);
}

void rtpsec_rx_deinit(struct rtpsec_rx *rx)
{
    direction_deinit(&rx->d);
}

/* ---- Streams --------------------------------------------------------------------------------- */

static struct rtpsec_stream *find_stream(struct rtpsec_stream *streams, unsigned n, uint32_t ssrc)
{
    for (unsigned i = 0; i < n; i++) {
        if (streams[i].ssrc == ssrc)
            return &streams[i];
    }
    return NULL;
}

/* A free place, or that of the stream which was silent longest. */
static struct rtpsec_stream *take_place(const struct rtpsec_direction *d,
                                        struct rtpsec_stream *streams, uint8_t *n, unsigned max)
{
    if (*n < max)
        return &streams[(*n)++];
    struct rtpsec_stream *oldest = &streams[0];
    for (unsigned i = 1; i < max; i++) {
        if (d->clock - streams[i].used_at > d->clock - oldest->used_at)
            oldest = &streams[i];
    }
    return oldest;
}

static void use_stream(struct rtpsec_direction *d, struct rtpsec_stream *s)
{
    s->used_at = ++d->clock;
}

/* ---- IVs ------------------------------------------------------------------------------------- */

/* RFC 3711 §4.1.1: IV = (k_s * 2^16) XOR (SSRC * 2^64) XOR (i * 2^16), i has 48 bits.
 * RFC 7714 §8.1, §9.1: 16 zero bits, SSRC, i (48 bits; SRTCP's index right-aligned), XOR salt.
 *
 *    byte      0   2   4   6   8   10  12  14
 *    AES-CM    |       | SSRC  |     i     | block |
 *    AES-GCM   |   | SSRC  |     i     |
 *
 * Two words at a time: with single bytes this was a tenth of the whole packet. */
static void make_iv(uint8_t *iv, const uint8_t *salt, bool is_gcm, uint32_t ssrc, uint64_t index)
{
    uint64_t high = is_gcm ? (uint64_t)ssrc << 16 | index >> 32 : ssrc;
    uint64_t low = is_gcm ? index << 32 : index << 16;
    put_be64(iv, get_be64(salt) ^ high);
    put_be64(iv + 8, get_be64(salt + 8) ^ low);
}

static bool is_gcm(const struct rtpsec_direction *d)
{
    return d->transform->profile == RTPSEC_AEAD_AES_128_GCM;
}

/* ---- SRTP ------------------------------------------------------------------------------------ */

static void make_rtp_op(const struct rtpsec_direction *d, uint8_t *data, size_t header_len,
                        size_t text_len, uint32_t ssrc, uint64_t index, struct rtpsec_op *op)
{
    op->data = data;
    op->text = data + header_len;
    op->text_len = text_len;
    op->aad = data;
    op->aad_len = header_len;
    op->tag = data + header_len + text_len;
    make_iv(op->iv, d->salt, is_gcm(d), ssrc, index);
    put_be32(op->word, (uint32_t)(index >> 16));
}

int rtpsec_protect_rtp(struct rtpsec_tx *tx, struct rtpsec_provider *provider, uint8_t *data,
                       size_t *len, size_t cap)
{
    struct rtpsec_direction *d = &tx->d;
    size_t header_len;
    if (rtp_parse_header_len(data, *len, &header_len))
        return RTPSEC_E_MALFORMED;
    if (cap < *len || cap - *len < d->transform->tag_len)
        return RTPSEC_E_NO_ROOM;

    uint16_t seq = get_be16(data + 2);
    uint32_t ssrc = get_be32(data + 8);
    struct rtpsec_stream *s = find_stream(d->streams, d->n_streams, ssrc);
    uint64_t index = s ? rtp_seq_extend(s->index, seq) : seq;
    if (index >= RTP_INDEX_END || (!s && d->n_streams == RTPSEC_MAX_STREAMS))
        return RTPSEC_E_LIMIT;
    if (s && !rtpsec_window_is_new(s, index))
        return RTPSEC_E_REPLAY;

    struct rtpsec_op op;
    make_rtp_op(d, data, header_len, *len - header_len, ssrc, index, &op);
    /* Recorded first: also after a failure this index is not used again. */
    if (s)
        rtpsec_window_add(s, index);
    else
        rtpsec_window_start(&d->streams[d->n_streams++], ssrc, index);
    int err = d->transform->seal(provider, d->key, &op);
    if (err)
        return err;
    *len += d->transform->tag_len;
    return 0;
}

int rtpsec_unprotect_rtp(struct rtpsec_rx *rx, struct rtpsec_provider *provider, uint8_t *data,
                         size_t *len)
{
    struct rtpsec_direction *d = &rx->d;
    size_t header_len;
    if (*len < d->transform->tag_len)
        return RTPSEC_E_MALFORMED;
    size_t plain_len = *len - d->transform->tag_len;
    if (rtp_parse_header_len(data, plain_len, &header_len))
        return RTPSEC_E_MALFORMED;

    uint16_t seq = get_be16(data + 2);
    uint32_t ssrc = get_be32(data + 8);
    struct rtpsec_stream *s = find_stream(d->streams, d->n_streams, ssrc);
    uint64_t index = s ? rtp_seq_extend(s->index, seq) : seq;
    if (index >= RTP_INDEX_END)
        return RTPSEC_E_LIMIT;
    if (s && !rtpsec_window_is_new(s, index))
        return RTPSEC_E_REPLAY;

    struct rtpsec_op op;
    make_rtp_op(d, data, header_len, plain_len - header_len, ssrc, index, &op);
    int err = d->transform->open(provider, d->key, &op);
    if (err)
        return err;

    if (s) {
        rtpsec_window_add(s, index);
    } else {
        s = take_place(d, d->streams, &d->n_streams, RTPSEC_MAX_STREAMS);
        rtpsec_window_start(s, ssrc, index);
    }
    use_stream(d, s);
    *len = plain_len;
    return 0;
}

/* ---- SRTCP ----------------------------------------------------------------------------------- */

/* The keys are expanded for each packet: a tenth of a microsecond a second, against 1 KB. */
struct rtcp_key {
    _Alignas(CACHE_LINE) uint8_t room[RTPSEC_KEY_ROOM];
};

/* Where everything stands in a packet of plain_len bytes before, or after, its protection. */
struct rtcp_layout {
    size_t tag_at;
    size_t word_at;
    size_t len; /* with both */
};

static struct rtcp_layout rtcp_layout(const struct rtpsec_direction *d, size_t plain_len)
{
    size_t tag_len = d->transform->tag_len;
    return (struct rtcp_layout){
        .tag_at = is_gcm(d) ? plain_len : plain_len + RTCP_WORD_LEN,
        .word_at = is_gcm(d) ? plain_len + tag_len : plain_len,
        .len = plain_len + tag_len + RTCP_WORD_LEN,
    };
}

static int run_rtcp(const struct rtpsec_direction *d, struct rtpsec_provider *provider,
                    uint8_t *data, size_t plain_len, uint32_t word,
                    int (*run)(struct rtpsec_provider *, void *, const struct rtpsec_op *))
{
    uint8_t aad[RTCP_CLEAR_LEN + RTCP_WORD_LEN];
    memcpy(aad, data, RTCP_CLEAR_LEN);
    put_be32(aad + RTCP_CLEAR_LEN, word);
    struct rtpsec_op op = {
        .data = data,
        .text = data + RTCP_CLEAR_LEN,
        .text_len = plain_len - RTCP_CLEAR_LEN,
        .aad = aad,
        .aad_len = sizeof(aad),
        .tag = data + rtcp_layout(d, plain_len).tag_at,
    };
    make_iv(op.iv, d->rtcp_salt, is_gcm(d), get_be32(data + 4), word & ~RTCP_E_FLAG);
    put_be32(op.word, word);

    struct rtcp_key key = {0};
    int err = d->transform->key_init(provider, key.room, d->rtcp_key, d->rtcp_auth);
    if (!err)
        err = run(provider, key.room, &op);
    d->transform->key_deinit(key.room);
    mem_wipe(&key, sizeof(key));
    return err;
}

int rtpsec_protect_rtcp(struct rtpsec_tx *tx, struct rtpsec_provider *provider, uint8_t *data,
                        size_t *len, size_t cap)
{
    struct rtpsec_direction *d = &tx->d;
    if (!rtp_is_rtcp(data, *len))
        return RTPSEC_E_MALFORMED;
    struct rtcp_layout layout = rtcp_layout(d, *len);
    if (cap < layout.len)
        return RTPSEC_E_NO_ROOM;
    if (d->rtcp_index == RTCP_INDEX_END)
        return RTPSEC_E_LIMIT;

    uint32_t word = RTCP_E_FLAG | d->rtcp_index++;
    int err = run_rtcp(d, provider, data, *len, word, d->transform->seal);
    if (err)
        return err;
    put_be32(data + layout.word_at, word);
    *len = layout.len;
    return 0;
}

int rtpsec_unprotect_rtcp(struct rtpsec_rx *rx, struct rtpsec_provider *provider, uint8_t *data,
                          size_t *len)
{
    struct rtpsec_direction *d = &rx->d;
    size_t overhead = (size_t)d->transform->tag_len + RTCP_WORD_LEN;
    if (*len < RTCP_CLEAR_LEN + overhead || !rtp_is_rtcp(data, *len))
        return RTPSEC_E_MALFORMED;
    size_t plain_len = *len - overhead;
    uint32_t word = get_be32(data + rtcp_layout(d, plain_len).word_at);
    if (!(word & RTCP_E_FLAG))
        return RTPSEC_E_MALFORMED;

    uint32_t ssrc = get_be32(data + 4);
    uint32_t index = word & ~RTCP_E_FLAG;
    struct rtpsec_stream *s = find_stream(d->rtcp_streams, d->n_rtcp_streams, ssrc);
    if (s && !rtpsec_window_is_new(s, index))
        return RTPSEC_E_REPLAY;
    int err = run_rtcp(d, provider, data, plain_len, word, d->transform->open);
    if (err)
        return err;

    if (s) {
        rtpsec_window_add(s, index);
    } else {
        s = take_place(d, d->rtcp_streams, &d->n_rtcp_streams, RTPSEC_MAX_RTCP_STREAMS);
        rtpsec_window_start(s, ssrc, index);
    }
    use_stream(d, s);
    *len = plain_len;
    return 0;
}
