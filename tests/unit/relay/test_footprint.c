/*
 * What a packet touches and what a call keeps. Sizes that grow are seen here, not by whoever
 * measures a thousand calls next time: raise a number when what it buys is worth its memory, and
 * say so in docs/howto/packet-path.md.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/compiler.h"
#include "relay/webrtc.h"

#define END_OF(type, member) (offsetof(type, member) + sizeof(((type *)0)->member))

static void assert_one_line(size_t begin, size_t end)
{
    assert_int_equal(begin / CACHE_LINE, (end - 1) / CACHE_LINE);
}

static void what_each_packet_needs_of_a_peer_is_on_one_line(void **state)
{
    (void)state;
    assert_one_line(offsetof(struct peer, env), END_OF(struct peer, local_ssrc));
    assert_one_line(offsetof(struct peer, source), END_OF(struct peer, source.max_seq));
}

static void a_leg_is_as_small_as_it_was(void **state)
{
    (void)state;
    /* of which 2 × 1008 bytes are ipsec-mb's expanded keys */
    assert_true(sizeof(struct relay_webrtc) <= 6080);
    assert_true(sizeof(struct rtpsec_direction) <= 1344);
    assert_true(sizeof(struct ice_agent) <= 448);
    assert_true(sizeof(struct dtls_conn) <= 304);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_each_packet_needs_of_a_peer_is_on_one_line),
        cmocka_unit_test(a_leg_is_as_small_as_it_was),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
