/* What a NAT makes of a port, in virtual time: asked, kept alive, changed, lost and found again. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "stun/mapping.h"
#include "stun/message.h"

#define START (1000 * US_PER_S)
#define TAG   0xffffffff

static struct stun_mapping m;
static struct rng rng;
static mono_us now;
static struct addr servers[2], local, mapped;
static uint8_t asked_id[STUN_ID_LEN];
static unsigned n_asked[2];

static void begin(size_t n)
{
    rng_init_seeded(&rng, 1);
    now = START;
    servers[0] = addr_v4(198, 51, 100, 1, 3478);
    servers[1] = addr_v4(198, 51, 100, 2, 3478);
    local = addr_v4(192, 168, 1, 2, 40000);
    mapped = addr_v4(203, 0, 113, 9, 51234);
    memset(n_asked, 0, sizeof(n_asked));
    stun_mapping_init(&m, TAG, &rng);
    assert_true(stun_mapping_deadline(&m) == MONO_NEVER);
    stun_mapping_set_servers(&m, now, servers, n);
}

static void drain(void)
{
    uint8_t buf[128];
    struct dgram d = {.data = buf, .cap = sizeof(buf)};
    while (stun_mapping_poll_send(&m, &d)) {
        struct stun_message question;
        assert_int_equal(stun_parse(d.data, d.len, &question), 0);
        assert_int_equal(question.class, STUN_REQUEST);
        assert_true(question.has_fingerprint);
        assert_int_equal(get_be32(question.id), TAG);
        memcpy(asked_id, question.id, sizeof(asked_id));
        n_asked[addr_equal(&d.remote, &servers[1])]++;
    }
}

/* @return as stun_mapping_input */
static int answer(const struct addr *from, enum stun_class class, const struct addr *with)
{
    uint8_t buf[128];
    struct dgram d = {.local = local, .remote = *from, .data = buf, .cap = sizeof(buf)};
    struct stun_writer w = stun_write_start(buf, sizeof(buf), class, STUN_METHOD_BINDING, asked_id);
    if (class == STUN_ERROR)
        stun_write_error(&w, STUN_CODE_BAD_REQUEST);
    if (with)
        stun_write_mapped(&w, with);
    assert_int_equal(stun_write_end(&w, STR(""), &d.len), 0);
    return stun_mapping_input(&m, now, &d);
}

static void pass(mono_us span)
{
    mono_us end = now + span;
    unsigned n = 0;
    drain();
    while (stun_mapping_deadline(&m) <= end) {
        assert_true(++n < 100);
        now = stun_mapping_deadline(&m);
        stun_mapping_timeout(&m, now);
        drain();
    }
    now = end;
}

static bool told(struct stun_mapping_event *ret)
{
    return stun_mapping_poll_event(&m, ret);
}

static void known(void)
{
    struct stun_mapping_event e;
    drain();
    assert_int_equal(answer(&servers[0], STUN_SUCCESS, &mapped), 0);
    assert_true(told(&e));
    assert_true(e.is_known && addr_equal(&e.mapped, &mapped) && addr_equal(&e.local, &local));
    assert_false(told(&e));
}

static void all_are_asked_and_the_first_answer_counts(void **state)
{
    struct stun_mapping_event e;
    (void)state;
    begin(2);
    drain();
    assert_int_equal(n_asked[0], 1);
    assert_int_equal(n_asked[1], 1);
    known();
    assert_int_equal(answer(&servers[1], STUN_SUCCESS, &local), STUN_E_NOT_STUN);
    assert_false(told(&e));
    pass(5 * US_PER_S); /* nothing is sent again */
    assert_int_equal(n_asked[0] + n_asked[1], 2);
}

static void it_is_kept_alive_with_the_one_who_answered(void **state)
{
    struct stun_mapping_event e;
    (void)state;
    begin(2);
    known();
    for (unsigned i = 2; i < 10; i++) {
        pass(STUN_MAPPING_REFRESH);
        assert_int_equal(n_asked[0], i);
        assert_int_equal(answer(&servers[0], STUN_SUCCESS, &mapped), 0);
        assert_false(told(&e)); /* no news */
    }
    assert_int_equal(n_asked[1], 1);
}

static void a_change_is_told(void **state)
{
    struct stun_mapping_event e;
    struct addr other = addr_v4(203, 0, 113, 10, 1);
    (void)state;
    begin(1);
    known();
    pass(STUN_MAPPING_REFRESH);
    assert_int_equal(answer(&servers[0], STUN_SUCCESS, &other), 0);
    assert_true(told(&e));
    assert_true(e.is_known && addr_equal(&e.mapped, &other));
}

static void silence_at_first_is_told_and_asked_again(void **state)
{
    struct stun_mapping_event e;
    (void)state;
    begin(2);
    pass(39 * US_PER_S);
    assert_false(told(&e));
    pass(US_PER_S);
    assert_true(told(&e));
    assert_false(e.is_known);
    assert_int_equal(n_asked[0], STUN_RC);
    assert_int_equal(n_asked[1], STUN_RC);
    pass(STUN_MAPPING_PAUSE - 100 * US_PER_MS); /* 39.5 s after the first question, that is */
    assert_int_equal(n_asked[1], STUN_RC + 1);
    known();
}

static void silence_later_gives_the_mapping_up_and_asks_all(void **state)
{
    struct stun_mapping_event e;
    (void)state;
    begin(2);
    known();
    pass(STUN_MAPPING_REFRESH + 39 * US_PER_S);
    assert_false(told(&e));
    assert_int_equal(n_asked[1], 1);
    pass(900 * US_PER_MS);
    assert_true(told(&e));
    assert_false(e.is_known);
    assert_int_equal(n_asked[1], 2);
    assert_int_equal(answer(&servers[1], STUN_SUCCESS, &mapped), 0);
    assert_true(told(&e) && e.is_known);
}

static void what_is_no_answer_changes_nothing(void **state)
{
    struct stun_mapping_event e;
    struct addr stranger = addr_v4(198, 51, 100, 77, 3478), none = addr_v4(0, 0, 0, 0, 5);
    (void)state;
    begin(2);
    drain();
    assert_int_equal(answer(&stranger, STUN_SUCCESS, &stranger), STUN_E_NOT_STUN);
    assert_int_equal(answer(&servers[0], STUN_REQUEST, &stranger), 0);
    assert_int_equal(answer(&servers[0], STUN_ERROR, NULL), 0);
    assert_int_equal(answer(&servers[0], STUN_SUCCESS, NULL), 0);
    assert_int_equal(answer(&servers[0], STUN_SUCCESS, &none), 0);
    asked_id[11] ^= 1;
    assert_int_equal(answer(&servers[0], STUN_SUCCESS, &stranger), STUN_E_NOT_STUN);
    asked_id[11] ^= 1;
    assert_false(told(&e));
    assert_int_equal(answer(&servers[1], STUN_SUCCESS, &mapped), 0);
    assert_true(told(&e) && e.is_known);
}

static void other_servers_are_asked_and_none_end_it(void **state)
{
    struct stun_mapping_event e;
    (void)state;
    begin(1);
    known();
    stun_mapping_set_servers(&m, now, servers, 1); /* the same */
    drain();
    assert_int_equal(n_asked[0], 1);
    stun_mapping_set_servers(&m, now, servers + 1, 1);
    drain();
    assert_int_equal(n_asked[1], 1);
    assert_false(told(&e)); /* what is known stays meanwhile */
    assert_int_equal(answer(&servers[1], STUN_SUCCESS, &mapped), 0);
    assert_false(told(&e));
    stun_mapping_set_servers(&m, now, NULL, 0);
    assert_true(told(&e) && !e.is_known);
    assert_true(stun_mapping_deadline(&m) == MONO_NEVER);
    pass(100 * US_PER_S);
    assert_int_equal(n_asked[0] + n_asked[1], 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_are_asked_and_the_first_answer_counts),
        cmocka_unit_test(it_is_kept_alive_with_the_one_who_answered),
        cmocka_unit_test(a_change_is_told),
        cmocka_unit_test(silence_at_first_is_told_and_asked_again),
        cmocka_unit_test(silence_later_gives_the_mapping_up_and_asks_all),
        cmocka_unit_test(what_is_no_answer_changes_nothing),
        cmocka_unit_test(other_servers_are_asked_and_none_end_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
