/* Writing STUN messages: attributes in the order of the calls, integrity and fingerprint last. */
#include <assert.h>
#include <string.h>

#include "base/dgram.h"
#include "stun/crc32.h"
#include "stun/message.h"
#include "stun/wire.h"

static const struct {
    enum stun_code code;
    const char *reason;
} reasons[] = {
    {STUN_CODE_BAD_REQUEST, "Bad Request"},
    {STUN_CODE_UNKNOWN_ATTRIBUTE, "Unknown Attribute"},
    {STUN_CODE_ROLE_CONFLICT, "Role Conflict"},
};

struct stun_writer stun_write_start(void *buf, size_t cap, enum stun_class class, uint16_t method,
                                    const uint8_t *id)
{
    /* Bounded, so that a length fits its field and the HMAC its buffer. */
    struct stun_writer s = {bytes_writer(buf, cap < DGRAM_MAX ? cap : DGRAM_MAX)};
    unsigned type = (method & 0x000FU) | ((method & 0x0070U) << 1) | ((method & 0x0F80U) << 2) |
                    (((unsigned)class & 2U) << 7) | (((unsigned)class & 1U) << 4);

    bytes_put16(&s.w, (uint16_t)type);
    bytes_put16(&s.w, 0); /* length: stun_write_end */
    bytes_put32(&s.w, STUN_MAGIC_COOKIE);
    bytes_put(&s.w, id, STUN_ID_LEN);
    return s;
}

static void put_header(struct stun_writer *s, enum stun_attribute type, size_t len)
{
    bytes_put16(&s->w, (uint16_t)type);
    bytes_put16(&s->w, (uint16_t)len);
}

static void put_padding(struct stun_writer *s)
{
    while ((s->w.len & 3) && !s->w.failed)
        bytes_put8(&s->w, 0);
}

static void put_text(struct stun_writer *s, enum stun_attribute type, struct str text)
{
    if (text.len > DGRAM_MAX) {
        s->w.failed = true;
        return;
    }
    put_header(s, type, text.len);
    bytes_put(&s->w, text.p, text.len);
    put_padding(s);
}

void stun_write_username(struct stun_writer *s, struct str username)
{
    put_text(s, STUN_ATTR_USERNAME, username);
}

void stun_write_priority(struct stun_writer *s, uint32_t priority)
{
    put_header(s, STUN_ATTR_PRIORITY, 4);
    bytes_put32(&s->w, priority);
}

void stun_write_use_candidate(struct stun_writer *s)
{
    put_header(s, STUN_ATTR_USE_CANDIDATE, 0);
}

void stun_write_role(struct stun_writer *s, bool is_controlling, uint64_t tie_breaker)
{
    put_header(s, is_controlling ? STUN_ATTR_ICE_CONTROLLING : STUN_ATTR_ICE_CONTROLLED, 8);
    bytes_put64(&s->w, tie_breaker);
}

void stun_write_mapped(struct stun_writer *s, const struct addr *mapped)
{
    bool is_v4 = addr_is_v4(mapped);

    if (s->w.len < STUN_HEADER_LEN) /* the header itself did not fit: there is no identifier */
        return;
    struct addr wire = stun_xor_addr(mapped, s->w.start + 8);
    put_header(s, STUN_ATTR_XOR_MAPPED_ADDRESS, is_v4 ? 8 : 20);
    bytes_put8(&s->w, 0);
    bytes_put8(&s->w, is_v4 ? STUN_FAMILY_V4 : STUN_FAMILY_V6);
    bytes_put16(&s->w, wire.port);
    bytes_put(&s->w, is_v4 ? wire.ip + 12 : wire.ip, is_v4 ? 4 : 16);
}

void stun_write_error(struct stun_writer *s, enum stun_code code)
{
    struct str reason = {NULL, 0};

    for (size_t i = 0; i < ARRAY_LEN(reasons); i++) {
        if (reasons[i].code == code)
            reason = str_of(reasons[i].reason);
    }
    put_header(s, STUN_ATTR_ERROR_CODE, 4 + reason.len);
    bytes_put16(&s->w, 0);
    bytes_put8(&s->w, (uint8_t)((unsigned)code / 100));
    bytes_put8(&s->w, (uint8_t)((unsigned)code % 100));
    bytes_put(&s->w, reason.p, reason.len);
    put_padding(s);
}

void stun_write_unknown(struct stun_writer *s, const uint16_t *types, size_t n)
{
    assert(n <= STUN_MAX_UNKNOWN);
    put_header(s, STUN_ATTR_UNKNOWN_ATTRIBUTES, 2 * n);
    for (size_t i = 0; i < n; i++)
        bytes_put16(&s->w, types[i]);
    put_padding(s);
}

static int put_integrity(struct stun_writer *s, struct str key)
{
    size_t at = s->w.len;

    put_header(s, STUN_ATTR_MESSAGE_INTEGRITY, STUN_HMAC_LEN);
    uint8_t *mac = bytes_reserve(&s->w, STUN_HMAC_LEN);
    if (!mac)
        return STUN_E_SPACE;
    return stun_hmac(s->w.start, at, key, mac);
}

int stun_write_end(struct stun_writer *s, struct str key, size_t *ret_len)
{
    if (key.len && !s->w.failed) {
        int r = put_integrity(s, key);
        if (r)
            return r;
    }
    size_t at = s->w.len;
    put_header(s, STUN_ATTR_FINGERPRINT, 4);
    uint8_t *crc = bytes_reserve(&s->w, 4);
    if (!crc)
        return STUN_E_SPACE;
    put_be16(s->w.start + 2, (uint16_t)(s->w.len - STUN_HEADER_LEN));
    put_be32(crc, stun_crc32(s->w.start, at) ^ STUN_FINGERPRINT_XOR);
    *ret_len = s->w.len;
    return 0;
}
