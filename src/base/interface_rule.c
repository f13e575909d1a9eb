/* A text with a colon, a slash or only digits and dots is a network, anything else a name: Linux
 * allows nearly all characters in names, but none that is called 10.0.0.1. */
#include "base/interface_rule.h"

#include <string.h>

#define V4_OFFSET 96 /* bits of the prefix of mapped addresses */

static bool is_name(struct str s)
{
    bool has_letter = false;
    if (s.len && s.p[0] == '-')
        return false;
    for (size_t i = 0; i < s.len; i++) {
        char c = s.p[i];
        bool is_letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
        if (!is_letter && !(c >= '0' && c <= '9') && c != '.' && c != '-' && c != '_' && c != '@')
            return false;
        has_letter |= is_letter;
    }
    return has_letter;
}

static bool has_prefix(const uint8_t a[16], const uint8_t b[16], unsigned bits)
{
    unsigned whole = bits / 8, rest = bits % 8;
    if (memcmp(a, b, whole) != 0)
        return false;
    return rest == 0 || (a[whole] ^ b[whole]) >> (8 - rest) == 0;
}

static bool parse_network(struct str text, struct interface_rule *ret)
{
    static const uint8_t zero[16];
    struct str ip = str_take_until(&text, '/');
    uint8_t host[16];
    uint64_t bits;

    if (!addr_parse_ip(ip, 0, &ret->network))
        return false;
    bool is_v4 = addr_is_v4(&ret->network);
    unsigned max = is_v4 ? 32 : 128;
    if (text.len == 0)
        bits = max;
    else if (!str_to_u64(text, max, &bits))
        return false;
    ret->bits = (unsigned)bits + (is_v4 ? V4_OFFSET : 0);
    /* 10.0.0.1/8 is more often a slip of the pen than 10.0.0.0/8. */
    memcpy(host, ret->network.ip, sizeof(host));
    for (unsigned i = 0; i < ret->bits; i++)
        host[i / 8] &= (uint8_t) ~(0x80U >> (i % 8));
    return memcmp(host, zero, sizeof(host)) == 0;
}

bool interface_rule_parse(struct str text, struct interface_rule *ret)
{
    struct interface_rule rule = {0};

    if (text.len && text.p[0] == '-') {
        rule.is_denial = true;
        text = str_tail(text, 1);
    }
    struct str name = text;
    if (name.len && name.p[name.len - 1] == '*') {
        rule.is_prefix = true;
        name.len--;
    }
    rule.is_name = is_name(name);
    if (rule.is_name ? !str_copy(name, rule.name, sizeof(rule.name))
                     : rule.is_prefix || !parse_network(text, &rule))
        return false;
    *ret = rule;
    return true;
}

static bool matches(const struct interface_rule *rule, struct str name, const struct addr *addr)
{
    if (!rule->is_name)
        return addr_is_v4(addr) == addr_is_v4(&rule->network) &&
               has_prefix(addr->ip, rule->network.ip, rule->bits);
    struct str wanted = str_of(rule->name);
    return rule->is_prefix ? str_starts_with(name, wanted) : str_eq(name, wanted);
}

bool interface_rules_pass(const struct interface_rule *rules, size_t n, const char *name,
                          const struct addr *addr)
{
    bool must_be_allowed = false, is_allowed = false;

    for (size_t i = 0; i < n; i++) {
        bool is_match = matches(&rules[i], str_of(name), addr);
        if (rules[i].is_denial && is_match)
            return false;
        must_be_allowed |= !rules[i].is_denial;
        is_allowed |= is_match;
    }
    return is_allowed || !must_be_allowed;
}
