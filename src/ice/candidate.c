/* Candidate text. One pass over the words; the fixed six come first, then pairs of name and value
 * of which three are known (typ, raddr/rport, tcptype). Syntax is judged before meaning: a caller
 * that is strict about ICE_E_SYNTAX does not want it hidden behind "a TCP candidate, ignored". */
#include "ice/candidate.h"

#include <string.h>

#include "base/text.h"

/* RFC 8445 §5.1.2.2; RFC 6544 §4.2 wants TCP below UDP where both do: the numbers are those of
 * libwebrtc (ICE_TYPE_PREFERENCE_HOST_TCP = 90), so that both sides rank alike. */
static const struct {
    const char *name;
    enum ice_type type;
    uint32_t preference, tcp_preference;
} types[] = {
    {"host", ICE_HOST, 126, 90},
    {"srflx", ICE_SRFLX, 100, 70},
    {"prflx", ICE_PRFLX, 110, 80},
    {"relay", ICE_RELAY, 0, 0},
};

/* RFC 6544 §4.2: "It is RECOMMENDED that … the direction-pref is assigned": for host and relayed
 * candidates, and for those that a NAT takes part in. */
static const struct {
    const char *name;
    enum ice_tcptype tcptype;
    uint32_t direction, nat_direction;
} tcptypes[] = {
    {"active", ICE_TCP_ACTIVE, 6, 4},
    {"passive", ICE_TCP_PASSIVE, 4, 2},
    {"so", ICE_TCP_SO, 2, 6},
};

/* RFC 8839 §5.1: 1*32ice-char. Some stacks write '-' or ':' in it; nothing depends on the
 * characters, so any visible one passes. */
static bool read_foundation(struct str word, struct ice_candidate *c)
{
    for (size_t i = 0; i < word.len; i++) {
        if (word.p[i] <= ' ' || word.p[i] >= 0x7f)
            return false;
    }
    return word.len > 0 && str_copy(word, c->foundation, sizeof(c->foundation));
}

static bool is_host_name(struct str s)
{
    bool has_letter = false;

    for (size_t i = 0; i < s.len; i++) {
        char ch = s.p[i];
        bool is_alpha = (ch >= 'A' && ch <= 'Z') || (ch >= 'a' && ch <= 'z');
        if (!is_alpha && !(ch >= '0' && ch <= '9') && ch != '-' && ch != '.' && ch != '_')
            return false;
        has_letter |= is_alpha;
    }
    return has_letter;
}

/* What the words say besides the struct, kept until syntax is known to be right. */
struct findings {
    bool is_known_transport, is_known_type, is_name;
    struct str typ, raddr, rport;
};

static bool read_fixed_words(struct str *rest, struct ice_candidate *c, struct findings *f)
{
    uint64_t component, priority, port;
    struct str foundation = str_take_word(rest);
    struct str component_text = str_take_word(rest);
    struct str transport = str_take_word(rest);
    struct str priority_text = str_take_word(rest);
    struct str address = str_take_word(rest);
    struct str port_text = str_take_word(rest);

    if (!read_foundation(foundation, c) || transport.len == 0 ||
        !str_to_u64(component_text, 256, &component) || component == 0 ||
        !str_to_u64(priority_text, UINT32_MAX, &priority) ||
        !str_to_u64(port_text, UINT16_MAX, &port))
        return false;
    c->component = (uint16_t)component;
    c->priority = (uint32_t)priority;
    f->is_known_transport = str_caseeq(transport, STR("udp")) || str_caseeq(transport, STR("tcp"));
    c->transport = str_caseeq(transport, STR("tcp")) ? ICE_TCP : ICE_UDP;
    if (addr_parse_ip(address, (uint16_t)port, &c->addr))
        return true;
    f->is_name = is_host_name(address);
    return f->is_name;
}

static bool read_type(struct str word, struct ice_candidate *c, struct findings *f)
{
    for (size_t i = 0; i < ARRAY_LEN(types); i++) {
        if (str_caseeq(word, str_of(types[i].name))) {
            c->type = types[i].type;
            f->is_known_type = true;
        }
    }
    return word.len > 0;
}

static bool read_tcptype(struct str word, struct ice_candidate *c)
{
    for (size_t i = 0; i < ARRAY_LEN(tcptypes); i++) {
        if (str_caseeq(word, str_of(tcptypes[i].name)))
            c->tcptype = tcptypes[i].tcptype;
    }
    return c->tcptype != ICE_TCP_NONE;
}

/* RFC 8839 §5.1: "typ" comes first, extensions are pairs. A last name without value is what some
 * clients make of an empty ufrag; it is harmless. */
static bool read_extensions(struct str rest, struct ice_candidate *c, struct findings *f)
{
    if (!str_caseeq(str_take_word(&rest), STR("typ")) || !read_type(str_take_word(&rest), c, f))
        return false;
    for (;;) {
        struct str name = str_take_word(&rest), value = str_take_word(&rest);
        if (name.len == 0)
            return true;
        if (str_caseeq(name, STR("raddr")))
            f->raddr = value;
        else if (str_caseeq(name, STR("rport")))
            f->rport = value;
        else if (str_caseeq(name, STR("tcptype")) && !read_tcptype(value, c))
            return false;
    }
}

/* A related address is for diagnosis only: one that is a name or missing is left out. */
static bool read_related(const struct findings *f, struct ice_candidate *c)
{
    uint64_t port = 0;

    if (f->rport.len && !str_to_u64(f->rport, UINT16_MAX, &port))
        return false;
    if (f->raddr.len && !addr_parse_ip(f->raddr, (uint16_t)port, &c->related))
        return is_host_name(f->raddr);
    return true;
}

static struct str without_prefix(struct str text)
{
    text = str_trim(text);
    if (str_starts_with(text, STR("a=")))
        text = str_tail(text, 2);
    if (str_caseeq(str_head(text, 10), STR("candidate:")))
        text = str_tail(text, 10);
    return text;
}

int ice_candidate_parse(struct str text, struct ice_candidate *ret)
{
    struct ice_candidate c = {0};
    struct findings f = {0};
    struct str rest = without_prefix(text);

    if (!read_fixed_words(&rest, &c, &f) || !read_extensions(rest, &c, &f) || !read_related(&f, &c))
        return ICE_E_SYNTAX;
    if (!f.is_known_transport || c.component != 1 || !f.is_known_type)
        return ICE_E_UNSUPPORTED;
    if (c.transport == ICE_UDP)
        c.tcptype = ICE_TCP_NONE;
    else if (c.tcptype == ICE_TCP_NONE) /* RFC 6544 §4.5: "MUST" */
        return ICE_E_UNSUPPORTED;
    if (f.is_name)
        return ICE_E_UNRESOLVABLE;
    if (!addr_is_unicast(&c.addr))
        return ICE_E_ADDRESS;
    *ret = c;
    return 0;
}

struct str ice_candidate_ufrag(struct str text)
{
    struct str rest = without_prefix(text);

    for (int i = 0; i < 6; i++)
        (void)str_take_word(&rest);
    for (;;) {
        struct str name = str_take_word(&rest), value = str_take_word(&rest);
        if (name.len == 0)
            return (struct str){NULL, 0};
        if (str_caseeq(name, STR("ufrag")))
            return value;
    }
}

static const char *type_name(enum ice_type type)
{
    for (size_t i = 0; i < ARRAY_LEN(types); i++) {
        if (types[i].type == type)
            return types[i].name;
    }
    return "host";
}

size_t ice_candidate_write(const struct ice_candidate *c, char *buf)
{
    static const struct addr none;
    char ip[ADDR_TEXT_MAX];
    struct text t;

    text_init(&t, buf, ICE_CANDIDATE_TEXT_MAX);
    text_printf(&t, "candidate:%s %u %s %u %s %u typ %s", c->foundation, c->component,
                c->transport == ICE_TCP ? "TCP" : "UDP", c->priority, addr_write_ip(&c->addr, ip),
                c->addr.port, type_name(c->type));
    if (!addr_equal(&c->related, &none))
        text_printf(&t, " raddr %s rport %u", addr_write_ip(&c->related, ip), c->related.port);
    for (size_t i = 0; i < ARRAY_LEN(tcptypes); i++) {
        if (c->transport == ICE_TCP && tcptypes[i].tcptype == c->tcptype)
            text_printf(&t, " tcptype %s", tcptypes[i].name);
    }
    return t.len;
}

uint32_t ice_candidate_priority(enum ice_type type, uint16_t local_preference)
{
    uint32_t preference = 0;

    for (size_t i = 0; i < ARRAY_LEN(types); i++) {
        if (types[i].type == type)
            preference = types[i].preference;
    }
    return (preference << 24) | ((uint32_t)local_preference << 8) | 255;
}

uint32_t ice_candidate_tcp_priority(enum ice_type type, enum ice_tcptype tcptype,
                                    uint16_t other_preference)
{
    bool is_translated = type == ICE_SRFLX || type == ICE_PRFLX;
    uint32_t preference = 0, direction = 0;

    for (size_t i = 0; i < ARRAY_LEN(types); i++) {
        if (types[i].type == type)
            preference = types[i].tcp_preference;
    }
    for (size_t i = 0; i < ARRAY_LEN(tcptypes); i++) {
        if (tcptypes[i].tcptype == tcptype)
            direction = is_translated ? tcptypes[i].nat_direction : tcptypes[i].direction;
    }
    uint32_t local = (direction << 13) | (other_preference & ICE_OTHER_PREFERENCE_MAX);
    return (preference << 24) | (local << 8) | 255;
}

uint64_t ice_pair_priority(uint32_t controlling, uint32_t controlled)
{
    uint64_t min = controlling < controlled ? controlling : controlled;
    uint64_t max = controlling < controlled ? controlled : controlling;
    return (min << 32) + 2 * max + (controlling > controlled);
}
