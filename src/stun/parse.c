/* Reading STUN messages. One pass over the attributes; a table says what each is worth:
 *
 *   0                   1                   2                   3
 *  |0 0|  type (14)    |  length        |   magic cookie   | transaction id (96) |
 *  | attribute type | length | value … | padding to 4 |  attribute …
 *
 * An unknown type below 0x8000 is remembered for the 420 answer; from 0x8000 on it is skipped.
 * Integrity needs a key and is a second step (stun_check_integrity). */
#include <errno.h>
#include <string.h>

#include <openssl/crypto.h>

#include "base/dgram.h"
#include "stun/crc32.h"
#include "stun/message.h"
#include "stun/wire.h"

bool stun_is_message(const uint8_t *data, size_t len)
{
    return len >= STUN_HEADER_LEN && data[0] <= 3 && get_be32(data + 4) == STUN_MAGIC_COOKIE &&
           (len & 3) == 0 && get_be16(data + 2) == len - STUN_HEADER_LEN;
}

/* RFC 8489 §5: the class bits C1 and C0 stand between the method bits, at 0x100 and 0x010. */
static uint16_t method_of(uint16_t type)
{
    return (uint16_t)((type & 0x000F) | ((type & 0x00E0) >> 1) | ((type & 0x3E00) >> 2));
}

static enum stun_class class_of(uint16_t type)
{
    return (enum stun_class)(((type & 0x0100) >> 7) | ((type & 0x0010) >> 4));
}

struct attribute {
    uint16_t type;
    uint16_t at; /* offset of the attribute in the message */
    struct str value;
};

static const uint8_t *bytes_of(const struct attribute *a)
{
    return (const uint8_t *)a->value.p;
}

/* The next attribute with its padding. False: it does not fit what is left. */
static bool next_attribute(struct bytes_reader *r, const uint8_t *message, struct attribute *ret)
{
    ret->at = (uint16_t)(r->p - message);
    ret->type = bytes_get16(r);
    size_t len = bytes_get16(r);
    const uint8_t *value = bytes_skip(r, len);
    (void)bytes_skip(r, (4 - (len & 3)) & 3);
    ret->value = (struct str){(const char *)value, len};
    return !r->failed;
}

static bool read_text(struct stun_message *m, const struct attribute *a)
{
    struct str *field = a->type == STUN_ATTR_USERNAME ? &m->username
                        : a->type == STUN_ATTR_REALM  ? &m->realm
                        : a->type == STUN_ATTR_NONCE  ? &m->nonce
                                                      : &m->software;
    if (!field->p)
        *field = a->value;
    return true;
}

static bool read_mapped(struct stun_message *m, const struct attribute *a)
{
    const uint8_t *p = bytes_of(a);
    struct addr wire = {.tcp = 0};

    if (m->has_mapped)
        return true;
    if (a->value.len == 8 && p[1] == STUN_FAMILY_V4) {
        wire = addr_v4(p[4], p[5], p[6], p[7], get_be16(p + 2));
    } else if (a->value.len == 20 && p[1] == STUN_FAMILY_V6) {
        wire.port = get_be16(p + 2);
        memcpy(wire.ip, p + 4, sizeof(wire.ip));
        /* Were the masked bytes an IPv4-mapped address, addr_is_v4 would choose the short mask. */
        if (addr_is_v4(&wire))
            return false;
    } else {
        return false;
    }
    m->mapped = stun_xor_addr(&wire, m->id);
    m->has_mapped = true;
    return true;
}

static bool read_error(struct stun_message *m, const struct attribute *a)
{
    if (m->error_code)
        return true;
    if (a->value.len < 4)
        return false;
    unsigned hundreds = bytes_of(a)[2] & 7, rest = bytes_of(a)[3];
    if (hundreds < 3 || hundreds > 6 || rest > 99)
        return false;
    m->error_code = (uint16_t)(hundreds * 100 + rest);
    m->reason = str_tail(a->value, 4);
    return true;
}

static bool read_priority(struct stun_message *m, const struct attribute *a)
{
    if (m->has_priority)
        return true;
    m->priority = get_be32(bytes_of(a));
    m->has_priority = true;
    return true;
}

static bool read_role(struct stun_message *m, const struct attribute *a)
{
    if (m->is_controlling || m->is_controlled)
        return true;
    m->tie_breaker = get_be64(bytes_of(a));
    m->is_controlling = a->type == STUN_ATTR_ICE_CONTROLLING;
    m->is_controlled = !m->is_controlling;
    return true;
}

static bool read_use_candidate(struct stun_message *m, const struct attribute *a)
{
    (void)a;
    m->use_candidate = true;
    return true;
}

static bool read_integrity(struct stun_message *m, const struct attribute *a)
{
    m->integrity_at = a->at;
    return true;
}

static bool read_fingerprint(struct stun_message *m, const struct attribute *a)
{
    (void)a; /* its value is compared, and its place is checked, by the caller */
    m->has_fingerprint = true;
    return true;
}

/* Known, but nothing that ICE looks at: understood, so that it is no reason for a 420. */
static bool skip(struct stun_message *m, const struct attribute *a)
{
    (void)m;
    (void)a;
    return true;
}

#define ANY_LEN (-1)

static const struct known {
    uint16_t type;
    int len; /* bytes, or ANY_LEN */
    bool (*read)(struct stun_message *m, const struct attribute *a);
} known[] = {
    {STUN_ATTR_USERNAME, ANY_LEN, read_text},
    {STUN_ATTR_MESSAGE_INTEGRITY, STUN_HMAC_LEN, read_integrity},
    {STUN_ATTR_PRIORITY, 4, read_priority},
    {STUN_ATTR_USE_CANDIDATE, 0, read_use_candidate},
    {STUN_ATTR_ICE_CONTROLLING, 8, read_role},
    {STUN_ATTR_ICE_CONTROLLED, 8, read_role},
    {STUN_ATTR_FINGERPRINT, 4, read_fingerprint},
    {STUN_ATTR_XOR_MAPPED_ADDRESS, ANY_LEN, read_mapped},
    {STUN_ATTR_ERROR_CODE, ANY_LEN, read_error},
    {STUN_ATTR_SOFTWARE, ANY_LEN, read_text},
    {STUN_ATTR_REALM, ANY_LEN, read_text},
    {STUN_ATTR_NONCE, ANY_LEN, read_text},
    {STUN_ATTR_MAPPED_ADDRESS, ANY_LEN, skip},
    {STUN_ATTR_UNKNOWN_ATTRIBUTES, ANY_LEN, skip},
};

static bool read_attribute(struct stun_message *m, const struct attribute *a)
{
    for (size_t i = 0; i < ARRAY_LEN(known); i++) {
        if (known[i].type != a->type)
            continue;
        if (known[i].len != ANY_LEN && (size_t)known[i].len != a->value.len)
            return false;
        return known[i].read(m, a);
    }
    if (a->type < 0x8000 && m->n_unknown < STUN_MAX_UNKNOWN)
        m->unknown[m->n_unknown++] = a->type;
    return true;
}

int stun_parse(const uint8_t *data, size_t len, struct stun_message *ret)
{
    if (!stun_is_message(data, len))
        return STUN_E_NOT_STUN;
    if (len > DGRAM_MAX)
        return STUN_E_MALFORMED;

    uint16_t type = get_be16(data);
    struct stun_message m = {
        .data = data,
        .len = len,
        .class = class_of(type),
        .method = method_of(type),
        .id = data + 8,
    };
    struct bytes_reader r = bytes_reader(data + STUN_HEADER_LEN, len - STUN_HEADER_LEN);

    while (r.left) {
        struct attribute a;
        if (!next_attribute(&r, data, &a))
            return STUN_E_MALFORMED;
        /* What stands behind MESSAGE-INTEGRITY is not covered by it. */
        if (m.integrity_at && a.type != STUN_ATTR_FINGERPRINT)
            continue;
        if (!read_attribute(&m, &a))
            return STUN_E_MALFORMED;
        if (!m.has_fingerprint)
            continue;
        if (r.left)
            return STUN_E_MALFORMED;
        if (get_be32(bytes_of(&a)) != (stun_crc32(data, a.at) ^ STUN_FINGERPRINT_XOR))
            return STUN_E_FINGERPRINT;
    }
    *ret = m;
    return 0;
}

int stun_check_integrity(const struct stun_message *m, struct str key)
{
    uint8_t mac[STUN_HMAC_LEN];

    if (!m->integrity_at || key.len == 0)
        return STUN_E_INTEGRITY;
    /* Out of memory inside the crypto library: not shown to be authentic, so it is not. */
    if (stun_hmac(m->data, m->integrity_at, key, mac))
        return STUN_E_INTEGRITY;
    if (CRYPTO_memcmp(mac, m->data + m->integrity_at + STUN_ATTR_HEADER_LEN, sizeof(mac)) != 0)
        return STUN_E_INTEGRITY;
    return 0;
}

bool stun_peek_username(const uint8_t *data, size_t len, struct str *ret)
{
    if (!stun_is_message(data, len) || get_be16(data) != STUN_METHOD_BINDING)
        return false;

    struct bytes_reader r = bytes_reader(data + STUN_HEADER_LEN, len - STUN_HEADER_LEN);
    while (r.left) {
        struct attribute a;
        if (!next_attribute(&r, data, &a) || a.type == STUN_ATTR_MESSAGE_INTEGRITY)
            return false;
        if (a.type != STUN_ATTR_USERNAME)
            continue;
        const char *colon = memchr(a.value.p, ':', a.value.len);
        if (!colon)
            return false;
        *ret = str_head(a.value, (size_t)(colon - a.value.p));
        return true;
    }
    return false;
}
