/**
 * Which addresses of a machine are meant: a list of rules, each the name of an interface or a
 * network, allowed or (with '-') not.
 *
 *     eth0   wg*   192.0.2.0/24   2001:db8::/32   198.51.100.7   -docker0   -10.0.0.0/8
 *
 * An address passes when no '-' rule matches it and, where there are rules without '-', one of
 * them does. The order does not matter.
 */
#ifndef BASE_INTERFACE_RULE_H
#define BASE_INTERFACE_RULE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/str.h"

/** Characters of an interface's name (IFNAMSIZ less its zero). */
#define INTERFACE_NAME_MAX 15

struct interface_rule {
    bool is_denial;                    /**< it had a '-' */
    bool is_name;                      /**< else a network */
    bool is_prefix;                    /**< the name ended with '*' */
    char name[INTERFACE_NAME_MAX + 1]; /**< zero-terminated, without '*' */
    struct addr network;               /**< port 0 */
    unsigned bits;                     /**< 0-128; of an IPv4 network counted in its mapped form */
};

/**
 * @param text without blanks around it
 * @return false: neither a name nor a network, or a network with bits set behind its prefix
 */
bool interface_rule_parse(struct str text, struct interface_rule *ret);

/** Does this address of the interface of this name pass the rules? No rules: yes. */
bool interface_rules_pass(const struct interface_rule *rules, size_t n, const char *name,
                          const struct addr *addr);

#endif
