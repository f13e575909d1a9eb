/* Attribute values. Each is a handful of words; what they have in common is that the value comes
 * from outside, so a number is read with its range and a name is compared with a table. What
 * has several spellings in the wild (case of codec names, spaces after a semicolon) is accepted
 * where it cannot mean anything else.
 */
#include "sdp/attr.h"

bool sdp_is_token(struct str s)
{
    static const char extra[] = "!#$%&'*+-.^_`{|}~";
    for (size_t i = 0; i < s.len; i++) {
        char c = s.p[i];
        bool alnum = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
        if (!alnum && !memchr(extra, c, sizeof(extra) - 1))
            return false;
    }
    return s.len > 0;
}

bool sdp_is_ice_chars(struct str s, size_t min, size_t max)
{
    for (size_t i = 0; i < s.len; i++) {
        char c = s.p[i];
        bool alnum = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
        if (!alnum && c != '+' && c != '/')
            return false;
    }
    return s.len >= min && s.len <= max;
}

/* ---- media formats ---- */

static bool take_pt(struct str *rest, uint8_t *ret)
{
    uint64_t pt;
    if (!str_to_u64(str_take_word(rest), 127, &pt))
        return false;
    *ret = (uint8_t)pt;
    return true;
}

bool sdp_rtpmap_parse(struct str value, struct sdp_rtpmap *ret)
{
    struct sdp_rtpmap map = {.channels = 1};
    uint64_t clock_rate;
    uint64_t channels = 1;

    if (!take_pt(&value, &map.pt))
        return false;
    struct str parts = str_take_word(&value);
    map.encoding = parts;
    map.name = str_take_until(&parts, '/');
    struct str clock_text = str_take_until(&parts, '/');
    if (!sdp_is_token(map.name) || !str_to_u64(clock_text, UINT32_MAX, &clock_rate))
        return false;
    if (parts.len && !str_to_u64(parts, 255, &channels))
        return false;
    if (clock_rate == 0 || channels == 0)
        return false;
    map.clock_rate = (uint32_t)clock_rate;
    map.channels = (uint8_t)channels;
    *ret = map;
    return true;
}

/** RFC 3551 §6: the static payload types that browsers and telephones still leave unmapped. */
static const struct {
    uint8_t pt;
    const char *value;
} static_rtpmaps[] = {
    {0, "0 PCMU/8000"},
    {8, "8 PCMA/8000"},
    {9, "9 G722/8000"},
    {13, "13 CN/8000"},
};

bool sdp_find_rtpmap(const struct sdp *s, const struct sdp_media *m, uint8_t pt,
                     struct sdp_rtpmap *ret)
{
    const struct sdp_attr *a = NULL;
    while ((a = sdp_next(s, m, STR("rtpmap"), a))) {
        struct str rest = a->value;
        uint8_t of;
        if (take_pt(&rest, &of) && of == pt)
            return sdp_rtpmap_parse(a->value, ret);
    }
    for (size_t i = 0; i < ARRAY_LEN(static_rtpmaps); i++) {
        if (static_rtpmaps[i].pt == pt)
            return sdp_rtpmap_parse(str_of(static_rtpmaps[i].value), ret);
    }
    return false;
}

struct str sdp_find_fmtp(const struct sdp *s, const struct sdp_media *m, uint8_t pt)
{
    const struct sdp_attr *a = NULL;
    while ((a = sdp_next(s, m, STR("fmtp"), a))) {
        struct str params = a->value;
        uint8_t of;
        if (take_pt(&params, &of) && of == pt)
            return str_trim(params);
    }
    return (struct str){0};
}

bool sdp_fmtp_next(struct str *rest, struct str *ret_name, struct str *ret_value)
{
    while (rest->len) {
        struct str value = str_take_until(rest, ';');
        struct str name = str_trim(str_take_until(&value, '='));
        if (name.len == 0)
            continue;
        *ret_name = name;
        *ret_value = str_trim(value);
        return true;
    }
    return false;
}

bool sdp_rtcp_fb_parse(struct str value, struct sdp_rtcp_fb *ret)
{
    struct sdp_rtcp_fb fb = {0};
    struct str pt = str_take_word(&value);

    fb.all = str_eq(pt, STR("*"));
    if (!fb.all && !take_pt(&pt, &fb.pt))
        return false;
    fb.type = str_take_word(&value);
    fb.parameter = str_trim(value);
    if (fb.type.len == 0)
        return false;
    *ret = fb;
    return true;
}

unsigned sdp_find_ptime(const struct sdp *s, const struct sdp_media *m, struct str name)
{
    const struct sdp_attr *a = sdp_find(s, m, name);
    uint64_t ms;
    if (!a || !str_to_u64(a->value, 10000, &ms))
        return 0;
    return (unsigned)ms;
}

/* ---- direction ---- */

static const char *const direction_names[] = {
    [SDP_INACTIVE] = "inactive",
    [SDP_SENDONLY] = "sendonly",
    [SDP_RECVONLY] = "recvonly",
    [SDP_SENDRECV] = "sendrecv",
};

const char *sdp_direction_name(enum sdp_direction d)
{
    return direction_names[d];
}

static bool direction_of(struct str name, enum sdp_direction *ret)
{
    for (size_t i = 0; i < ARRAY_LEN(direction_names); i++) {
        if (str_eq(name, str_of(direction_names[i]))) {
            *ret = (enum sdp_direction)i;
            return true;
        }
    }
    return false;
}

static bool level_direction(const struct sdp *s, const struct sdp_range *level,
                            enum sdp_direction *ret)
{
    for (unsigned i = 0; i < level->n; i++) {
        if (direction_of(s->attrs[level->first + i].name, ret))
            return true;
    }
    return false;
}

enum sdp_direction sdp_find_direction(const struct sdp *s, const struct sdp_media *m)
{
    enum sdp_direction d = SDP_SENDRECV;
    if (!level_direction(s, &m->attrs, &d))
        (void)level_direction(s, &s->session, &d);
    return d;
}

/* ---- header extensions, sources ---- */

/** RFC 8285 §7: 1-14 and 16-255 are ids, 4096-4351 stand for "more than there is room for". */
static bool is_extmap_id(uint64_t id)
{
    return (id >= 1 && id <= 255 && id != 15) || (id >= 4096 && id <= 4351);
}

bool sdp_extmap_parse(struct str value, struct sdp_extmap *ret)
{
    struct sdp_extmap e = {.direction = SDP_SENDRECV};
    struct str direction = str_take_word(&value);
    bool has_direction = direction.len && memchr(direction.p, '/', direction.len);
    struct str id_text = str_take_until(&direction, '/');
    uint64_t id;

    if (!str_to_u64(id_text, UINT16_MAX, &id) || !is_extmap_id(id))
        return false;
    if (has_direction && !direction_of(direction, &e.direction))
        return false;
    e.id = (uint16_t)id;
    e.uri = str_take_word(&value);
    e.attributes = str_trim(value);
    if (e.uri.len == 0)
        return false;
    *ret = e;
    return true;
}

void sdp_extmap_write(struct text *t, const struct sdp_extmap *e)
{
    text_printf(t, "a=extmap:%u", (unsigned)e->id);
    if (e->direction != SDP_SENDRECV)
        text_printf(t, "/%s", sdp_direction_name(e->direction));
    text_put(t, STR(" "));
    text_put(t, e->uri);
    if (e->attributes.len) {
        text_put(t, STR(" "));
        text_put(t, e->attributes);
    }
    text_put(t, STR("\r\n"));
}

bool sdp_ssrc_parse(struct str value, struct sdp_ssrc *ret)
{
    uint64_t ssrc;
    if (!str_to_u64(str_take_word(&value), UINT32_MAX, &ssrc))
        return false;
    struct str attribute = str_trim(str_take_until(&value, ':'));
    if (attribute.len == 0)
        return false;
    *ret =
        (struct sdp_ssrc){.ssrc = (uint32_t)ssrc, .attribute = attribute, .value = str_trim(value)};
    return true;
}

/* ---- transport ---- */

bool sdp_address_parse(struct str value, uint16_t port, struct addr *ret)
{
    struct addr a;
    struct str net = str_take_word(&value);
    struct str family = str_take_word(&value);
    struct str text = str_take_until(&value, '/');
    if (!str_caseeq(net, STR("IN")) || !addr_parse_ip(str_trim(text), port, &a))
        return false;
    if (!str_caseeq(family, addr_is_v4(&a) ? STR("IP4") : STR("IP6")))
        return false;
    *ret = a;
    return true;
}

bool sdp_find_connection(const struct sdp *s, const struct sdp_media *m, struct addr *ret)
{
    return sdp_address_parse(m->connection.len ? m->connection : s->connection, 0, ret);
}

void sdp_address_write(struct text *t, const struct addr *a)
{
    char buf[ADDR_TEXT_MAX];
    text_printf(t, "IN %s %s", addr_is_v4(a) ? "IP4" : "IP6", addr_write_ip(a, buf));
}

bool sdp_rtcp_parse(struct str value, struct addr *ret)
{
    struct addr a = *ret;
    uint64_t port;
    if (!str_to_u64(str_take_word(&value), UINT16_MAX, &port))
        return false;
    value = str_trim(value);
    if (value.len && !sdp_address_parse(value, 0, &a))
        return false;
    a.port = (uint16_t)port;
    *ret = a;
    return true;
}

static const struct {
    const char *name;
    uint8_t len;
} hashes[] = {
    [SDP_SHA256] = {"sha-256", 32},
    [SDP_SHA384] = {"sha-384", 48},
    [SDP_SHA512] = {"sha-512", 64},
};

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return -1;
}

/** "AB:CD:...", exactly len bytes. */
static bool parse_hex(struct str s, uint8_t *digest, size_t len)
{
    if (s.len != 3 * len - 1)
        return false;
    for (size_t i = 0; i < len; i++) {
        const char *p = s.p + 3 * i;
        int high = hex_digit(p[0]);
        int low = hex_digit(p[1]);
        if (high < 0 || low < 0 || (i + 1 < len && p[2] != ':'))
            return false;
        digest[i] = (uint8_t)(high << 4 | low);
    }
    return true;
}

int sdp_fingerprint_parse(struct str value, struct sdp_fingerprint *ret)
{
    struct str name = str_take_word(&value);
    struct str hex = str_trim(value);

    if (name.len == 0 || hex.len == 0)
        return SDP_E_FINGERPRINT;
    for (size_t i = 0; i < ARRAY_LEN(hashes); i++) {
        struct sdp_fingerprint f = {.hash = (enum sdp_hash)i, .len = hashes[i].len};
        if (!str_caseeq(name, str_of(hashes[i].name)))
            continue;
        if (!parse_hex(hex, f.digest, f.len))
            return SDP_E_FINGERPRINT;
        *ret = f;
        return 0;
    }
    return SDP_E_UNKNOWN_HASH;
}

void sdp_fingerprint_write(struct text *t, const struct sdp_fingerprint *f)
{
    text_printf(t, "a=fingerprint:%s ", hashes[f->hash].name);
    for (size_t i = 0; i < f->len; i++)
        text_printf(t, "%s%02X", i ? ":" : "", f->digest[i]);
    text_put(t, STR("\r\n"));
}

static const char *const setup_names[] = {
    [SDP_SETUP_ACTIVE] = "active",
    [SDP_SETUP_PASSIVE] = "passive",
    [SDP_SETUP_ACTPASS] = "actpass",
    [SDP_SETUP_HOLDCONN] = "holdconn",
};

bool sdp_setup_parse(struct str value, enum sdp_setup *ret)
{
    for (size_t i = 0; i < ARRAY_LEN(setup_names); i++) {
        if (str_caseeq(value, str_of(setup_names[i]))) {
            *ret = (enum sdp_setup)i;
            return true;
        }
    }
    return false;
}

const char *sdp_setup_name(enum sdp_setup setup)
{
    return setup_names[setup];
}

bool sdp_has_ice_option(const struct sdp *s, const struct sdp_media *m, struct str option)
{
    const struct sdp_attr *a = sdp_find_inherited(s, m, STR("ice-options"));
    if (!a)
        return false;
    struct str options = a->value;
    for (struct str w; (w = str_take_word(&options)).len;) {
        if (str_eq(w, option))
            return true;
    }
    return false;
}

struct str sdp_candidate_text(const struct sdp_attr *a)
{
    const char *end = a->value.p ? a->value.p + a->value.len : a->name.p + a->name.len;
    return (struct str){a->name.p, (size_t)(end - a->name.p)};
}
