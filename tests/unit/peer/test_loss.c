/* Loss before repair, as a share that follows the last seconds. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "peer/loss.h"

static struct peer_loss l;
static uint32_t packets, lost;

static void begin(uint32_t at)
{
    l = (struct peer_loss){.packets = at, .lost = at};
    packets = lost = at;
}

/* n windows, of each of which so many are lost */
static unsigned windows(unsigned n, unsigned of_each)
{
    unsigned share = 0;
    for (unsigned i = 0; i < n; i++) {
        packets += PEER_LOSS_WINDOW;
        lost += of_each;
        share = peer_loss_share(&l, packets, lost);
    }
    return share;
}

static void the_first_window_counts_whole(void **state)
{
    (void)state;
    begin(0);
    assert_int_equal(peer_loss_share(&l, 0, 0), 0);
    assert_int_equal(peer_loss_share(&l, PEER_LOSS_WINDOW - 1, 10), 0); /* not yet */
    assert_int_equal(windows(1, 5), 25);
}

static void it_rises_and_falls(void **state)
{
    (void)state;
    begin(0);
    assert_int_equal(windows(1, 0), 0);
    unsigned after_one = windows(1, 10);
    assert_in_range(after_one, 10, 13); /* a quarter of 51 */
    assert_in_range(windows(30, 10), 50, 51);
    assert_in_range(windows(30, 0), 0, 1);
}

static void asking_more_often_changes_nothing(void **state)
{
    (void)state;
    begin(0);
    windows(1, 5);
    unsigned share = windows(1, 20);
    for (unsigned i = 0; i < 100; i++)
        assert_int_equal(peer_loss_share(&l, packets + i % PEER_LOSS_WINDOW, lost), share);
}

static void everything_lost_fits(void **state)
{
    (void)state;
    begin(0);
    assert_int_equal(windows(1, PEER_LOSS_WINDOW), 255);
    assert_int_equal(windows(5, PEER_LOSS_WINDOW + 7),
                     255); /* counted late: of the window before */
}

static void counters_wrap(void **state)
{
    (void)state;
    begin(UINT32_MAX - 20);
    assert_int_equal(windows(1, 25), 127);
    assert_int_equal(windows(1, 25), 127);
}

static void two_lines_are_joined(void **state)
{
    (void)state;
    assert_int_equal(peer_loss_join(0, 0), 0);
    assert_int_equal(peer_loss_join(26, 0), 26);
    assert_int_equal(peer_loss_join(26, 26), 49); /* 10 % and 10 % are 19 % */
    assert_int_equal(peer_loss_join(255, 255), 255);
    assert_int_equal(peer_loss_join(255, 1), 255);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_window_counts_whole),
        cmocka_unit_test(it_rises_and_falls),
        cmocka_unit_test(asking_more_often_changes_nothing),
        cmocka_unit_test(everything_lost_fits),
        cmocka_unit_test(counters_wrap),
        cmocka_unit_test(two_lines_are_joined),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
