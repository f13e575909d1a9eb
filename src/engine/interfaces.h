/**
 * The addresses of this machine that a host candidate can stand for (RFC 8445 §5.1.1.1).
 */
#ifndef ENGINE_INTERFACES_H
#define ENGINE_INTERFACES_H

#include <stddef.h>

#include "base/addr.h"
#include "base/interface_rule.h"

/**
 * Addresses of the interfaces that are up, IPv4 before IPv6, without duplicates. Loopback
 * addresses are given only when there is nothing else; link-local ones
 * never (a browser on another machine cannot use them without a zone, or is not on that link).
 *
 * @param with_v6 give IPv6 addresses too
 * @param rules   which ones; none = all
 * @param ret     room for max addresses; their ports are 0
 * @return number of addresses, or a negative errno
 */
int interfaces_list(bool with_v6, const struct interface_rule *rules, size_t n_rules,
                    struct addr *ret, size_t max);

#endif
