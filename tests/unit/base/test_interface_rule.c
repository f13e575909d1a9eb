/* Rules for interfaces: what is one, and what passes a list of them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/compiler.h"
#include "base/interface_rule.h"

static void what_is_a_rule(void **state)
{
    static const struct {
        const char *text;
        bool expected;
    } rows[] = {
        {"eth0", true},
        {"-docker0", true},
        {"br-*", true},
        {"enp0s31f6", true},
        {"eth0.100", true},
        {"veth12@if3", true},
        {"10.0.0.0/8", true},
        {"-192.0.2.7", true},
        {"0.0.0.0/0", true},
        {"::/0", true},
        {"2001:db8::/32", true},
        {"-fe80::/10", true},
        {"::1", true},
        {"192.0.2.128/25", true},
        {"", false},
        {"-", false},
        {"*", false},
        {"--eth0", false},
        {"eth 0", false},
        {"a-name-of-16-cha", false},
        {"a-name-of-15-ch", true},
        {"10.0.0.1/8", false},
        {"10.0.0.0/33", false},
        {"2001:db8::/129", false},
        {"10.0.0.0/x", false},
        {"10.0.0/8", false},
        {"10.0.0.*", false},
        {"2001:db8::1/64", false},
        {"192.0.2.128/24", false},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct interface_rule rule;
        if (interface_rule_parse(str_of(rows[i].text), &rule) != rows[i].expected)
            fail_msg("\"%s\"", rows[i].text);
    }
}

static bool passes(const char *rules, const char *name, const char *ip)
{
    struct interface_rule parsed[8];
    struct str rest = str_of(rules);
    struct addr addr;
    size_t n = 0;
    while (rest.len)
        assert_true(interface_rule_parse(str_take_word(&rest), &parsed[n++]));
    assert_true(addr_parse_ip(str_of(ip), 0, &addr));
    return interface_rules_pass(parsed, n, name, &addr);
}

static void what_passes(void **state)
{
    static const struct {
        const char *rules, *name, *ip;
        bool expected;
    } rows[] = {
        {"", "eth0", "192.0.2.1", true},
        {"eth0", "eth0", "192.0.2.1", true},
        {"eth0", "eth01", "192.0.2.1", false},
        {"eth*", "eth01", "192.0.2.1", true},
        {"eth0 wlan0", "wlan0", "192.0.2.1", true},
        {"-docker0", "docker0", "172.17.0.1", false},
        {"-docker0", "eth0", "192.0.2.1", true},
        {"eth* -eth1", "eth1", "192.0.2.1", false},
        {"-eth1 eth*", "eth1", "192.0.2.1", false},
        {"192.0.2.0/24", "x0", "192.0.2.255", true},
        {"192.0.2.0/24", "x0", "192.0.3.0", false},
        {"192.0.2.0/25", "x0", "192.0.2.128", false},
        {"0.0.0.0/0", "x0", "192.0.3.0", true},
        {"0.0.0.0/0", "x0", "2001:db8::1", false},
        {"-::/0", "x0", "2001:db8::1", false},
        {"::/0", "x0", "192.0.2.1", false},
        {"2001:db8::/33", "x0", "2001:db8:7fff::", true},
        {"2001:db8::/33", "x0", "2001:db8:8000::", false},
        {"eth0 -10.0.0.0/8", "eth0", "10.1.2.3", false},
        {"eth0 -10.0.0.0/8", "eth0", "192.0.2.1", true},
        {"192.0.2.7", "x0", "192.0.2.7", true},
        {"192.0.2.7", "x0", "192.0.2.6", false},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        if (passes(rows[i].rules, rows[i].name, rows[i].ip) != rows[i].expected)
            fail_msg("\"%s\": %s %s", rows[i].rules, rows[i].name, rows[i].ip);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_a_rule),
        cmocka_unit_test(what_passes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
