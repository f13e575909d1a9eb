/* The glue between media servers and the loop: what it does while it is not open. That it connects,
 * and what comes of it, is shown with real servers (tests/e2e/media_servers.test.mjs). */
#include "server/media_servers.h"
#include "unit/net/bench.h"

struct glue {
    struct bench b;
    struct options options;
    struct rng rng;
    struct media_servers *servers;
    struct net_timer *turn;
    unsigned turns;
};

static void on_turn(void *user, mono_us now)
{
    struct glue *g = user;
    (void)now;
    g->turns++;
}

static void ignore(void *user)
{
    (void)user;
}

static void begin(struct glue *g)
{
    static char uri[] = "ws://127.0.0.1:9/kurento";
    memset(g, 0, sizeof(*g));
    bench_init(&g->b);
    bench_start(&g->b);
    rng_init_seeded(&g->rng, 1);
    g->options.media_kurento_uri.item[0] = uri;
    g->options.media_kurento_uri.n = 1;
    assert_int_equal(media_servers_new(&g->options, g->b.loop, &g->rng, ignore, NULL, &g->servers),
                     0);
    assert_int_equal(net_timer_new(g->b.loop, on_turn, g, &g->turn), 0);
}

/* What was due before has had its turn when it returns. */
static void turn(struct glue *g)
{
    unsigned before = g->turns;
    net_timer_set(g->turn, 0);
    BENCH_UNTIL(&g->b, g->turns > before);
}

static void end(struct glue *g)
{
    struct media *media = media_servers_media(g->servers);
    media->ops->free(media);
    media_servers_free(g->servers);
    net_timer_free(g->turn);
    bench_deinit(&g->b);
}

static struct glue g;

/* The rest of the program starts first, and asks for timers. */
static void nothing_is_connected_before_it_is_open(void **state)
{
    (void)state;
    begin(&g);
    media_servers_rearm(g.servers);
    turn(&g);
    end(&g);
}

/* The network ends after it; sockets of browsers that close meanwhile are heard. */
static void nothing_is_connected_after_it_was_closed(void **state)
{
    (void)state;
    begin(&g);
    assert_int_equal(media_servers_open(g.servers, g.b.server), 0);
    media_servers_close(g.servers);
    media_servers_rearm(g.servers);
    turn(&g);
    end(&g);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_is_connected_before_it_is_open),
        cmocka_unit_test(nothing_is_connected_after_it_was_closed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
