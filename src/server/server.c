/*
 * Wiring. Everything here runs on the control thread; the arrows are function calls:
 *
 *     net (WebSocket) ─ on_message ─▶ signal ─ send ─▶ net
 *     signal ─ media interface ─▶ engine ─ wake ─▶ loop ─ signal_media_ready ─▶ signal
 *     kurento ─▶ engine, recorder, player ─ wake ─▶ loop ─ kurento_media_ready ─▶ kurento
 *     signal_deadline ─▶ one timer ─ signal_timeout ─▶ signal
 *
 * The end, in this order (docs/teardown.md): calls are told, sockets are closed with their queues
 * sent, the loop stops, then everything is freed from the outside in.
 */
#include "server/server.h"

#include <errno.h>
#include <inttypes.h>
#include <malloc.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/rng.h"
#include "base/text.h"
#include "kurento/kurento.h"
#include "log/counters.h"
#include "log/log.h"
#include "net/loop.h"
#include "net/server.h"
#include "server/media.h"
#include "signal/signal.h"

/*
 * A handshake leaves 75 KB of freed memory behind, in pieces between what lives on: the C library
 * keeps it for later. Given back once they are over, 155 KB resident a call become 71 (measured
 * with 100 calls). On this thread, because it takes a few milliseconds; the workers go on
 * meanwhile: their packet path neither allocates nor frees.
 */
#define SERVER_TRIM_AFTER (35 * US_PER_S)

/* At the end: how long sockets may take to read their last messages. */
#define SERVER_STOP_LIMIT (3 * US_PER_S)

/* How long the ready line waits for media.stun: round trips and one repetition, not a time-out. */
#define SERVER_STUN_LIMIT (2 * US_PER_S)

/* As in a Kurento Media Server: the objects of a client that is gone live 4 to 8 minutes. */
#define SERVER_KURENTO_COLLECTOR (240 * US_PER_S)

struct server {
    const struct options *options;
    struct rng rng;
    struct net_loop *loop;
    struct net_wake *media_wake;
    struct net_timer *timer;
    struct net_timer *trim_timer;
    struct net_server *net;
    struct server_media media;
    struct signal *signal;
    struct net_timer *ready_timer;
    bool is_ready;           /**< it has been said */
    struct kurento *kurento; /**< NULL without an engine */
    struct net_timer *kurento_timer;
    bool is_stopping;
    bool is_trim_due; /**< trim_timer is armed */
};

/* What they wait for may have changed with every call into them. */
static void rearm(struct server *s)
{
    net_timer_set(s->timer, signal_deadline(s->signal));
    if (s->kurento)
        net_timer_set(s->kurento_timer, kurento_deadline(s->kurento));
    if (s->media.servers)
        media_servers_rearm(s->media.servers);
}

/* --- net → signal, kurento --- */

/* Tag of the Kurento Protocol's route; the others are the dialects of signal. */
#define TAG_KURENTO 100

static const struct net_route routes[] = {
    {.path = "/one2one", .tag = SIGNAL_NODE},
    {.path = "/call", .tag = SIGNAL_JAVA},
};

static void on_open(void *user, uint64_t socket, int tag, const struct net_peer_info *peer)
{
    struct server *s = user;
    char remote[ADDR_TEXT_MAX];
    (void)addr_write(&peer->remote, remote);
    log_debug(NET, "socket %" PRIu64 " opened by %s at %s", socket, remote, peer->path);
    if (tag == TAG_KURENTO)
        log_info(KURENTO, "socket %" PRIu64 ": an application at %s", socket, remote);
    int err = tag == TAG_KURENTO ? kurento_socket_opened(s->kurento, socket)
                                 : signal_socket_opened(s->signal, net_loop_now(), socket,
                                                        (enum signal_dialect)tag);
    if (err)
        net_server_close_socket(s->net, socket, NET_CLOSE_TRY_LATER,
                                STR("the server is out of memory"));
    rearm(s);
}

static void on_message(void *user, uint64_t socket, struct str text)
{
    struct server *s = user;
    /* Each knows its own sockets and ignores the others'. */
    if (s->kurento)
        kurento_frame(s->kurento, net_loop_now(), socket, text);
    signal_frame(s->signal, net_loop_now(), socket, text);
    rearm(s);
}

static void on_close(void *user, uint64_t socket)
{
    struct server *s = user;
    log_debug(NET, "socket %" PRIu64 " closed", socket);
    if (s->kurento)
        kurento_socket_closed(s->kurento, net_loop_now(), socket);
    signal_socket_closed(s->signal, net_loop_now(), socket);
    rearm(s);
}

/* --- signal, kurento → net --- */

static void send_text(void *user, uint64_t socket, struct str text)
{
    struct server *s = user;
    if (net_server_send(s->net, socket, text))
        log_error(NET, "out of memory, closing socket %" PRIu64, socket);
}

static void close_socket(void *user, uint64_t socket, int code, const char *reason)
{
    struct server *s = user;
    net_server_close_socket(s->net, socket, (unsigned)code, str_of(reason));
}

/* --- media and time → signal --- */

static void wake_media(void *user)
{
    struct server *s = user;
    net_wake_send(s->media_wake);
}

/* What the packet path dropped since the start, by reason: the only place where it is told. */
static void log_counters(enum log_level level)
{
    uint64_t values[COUNTER_N];
    char buf[LOG_LINE_MAX / 2];
    struct text t;

    text_init(&t, buf, sizeof(buf));
    counter_snapshot(values);
    for (unsigned i = 0; i < COUNTER_N; i++) {
        if (values[i])
            text_printf(&t, " %s=%" PRIu64, counter_name((enum counter)i), values[i]);
    }
    if (t.len)
        log_write(LOG_MEDIA, level, "counted since the start:%s", t.buf);
}

static void on_trim(void *user, mono_us now)
{
    struct server *s = user;
    (void)now;
    s->is_trim_due = false;
    (void)malloc_trim(0);
    log_counters(LOG_LEVEL_DEBUG);
}

/* The line that scripts wait for. */
static void say_ready(const struct server *s)
{
    char buf[512], media[ADDR_TEXT_MAX];
    struct text t;

    text_init(&t, buf, sizeof(buf));
    text_printf(&t, "ready");
    if (net_server_http_port(s->net))
        text_printf(&t, " http=%s", net_server_http_url(s->net));
    if (net_server_https_port(s->net))
        text_printf(&t, " https=%s", net_server_https_url(s->net));
    if (s->media.engine) {
        const struct addr at = engine_listen_addr(s->media.engine, 0);
        text_printf(&t, " media=udp:%s", addr_write(&at, media));
    } else {
        text_printf(&t, " media=kurento:%zu", s->options->media_kurento_uri.n);
    }
    if (net_server_api_url(s->net)[0])
        text_printf(&t, " kurento=%s", net_server_api_url(s->net));
    (void)puts(buf);
    (void)fflush(stdout);
}

/* The media of others is there or is not: calls say so. */
static bool is_media_ready(const struct server *s)
{
    return !s->media.engine || engine_knows_outside(s->media.engine);
}

/* Once: when the ports know how they look from outside, or have waited long enough for it. */
static void become_ready(struct server *s)
{
    if (s->is_ready)
        return;
    s->is_ready = true;
    say_ready(s);
    if (s->media.engine)
        log_info(SERVER, "media workers: %u", engine_n_workers(s->media.engine));
    else
        log_info(SERVER, "media.backend is kurento: kurento.listen stays closed, recording.dir and "
                         "player have no effect");
}

static void on_ready_limit(void *user, mono_us now)
{
    struct server *s = user;
    (void)now;
    if (!s->is_ready)
        log_warning(SERVER,
                    "media.stun: no answer yet, beginning with the machine's own addresses");
    become_ready(s);
}

static void on_media(void *user)
{
    struct server *s = user;
    if (!s->is_trim_due) {
        s->is_trim_due = true;
        net_timer_set(s->trim_timer, net_loop_now() + SERVER_TRIM_AFTER);
    }
    signal_media_ready(s->signal, net_loop_now());
    if (s->kurento)
        kurento_media_ready(s->kurento, net_loop_now());
    rearm(s);
    if (is_media_ready(s))
        become_ready(s);
}

static void on_kurento_timer(void *user, mono_us now)
{
    struct server *s = user;
    kurento_timeout(s->kurento, now);
    rearm(s);
}

static void on_timer(void *user, mono_us now)
{
    struct server *s = user;
    signal_timeout(s->signal, now);
    rearm(s);
}

static double seconds(mono_us from, mono_us to)
{
    return from == MONO_NEVER ? 0.0 : (double)(to - from) / (double)US_PER_S;
}

/* One line a call: who, how it ended, how long it rang and lasted. */
static void on_call_ended(void *user, const struct call_record *r)
{
    static const char *const by[] = {"server", "caller", "callee"};
    (void)user;
    LOG_SCOPE(r->call_id, NULL);
    mono_us rang_until = r->accepted_at == MONO_NEVER ? r->ended_at : r->accepted_at;
    log_info(SIGNAL,
             "call from \"%.*s\" to \"%.*s\" ended: %s by %s, rang %.1f s, "
             "talked %.1f s%s%.*s",
             STR_FMT(r->caller), STR_FMT(r->callee), call_reason_name(r->reason),
             by[r->ended_by + 1], seconds(r->called_at, rang_until),
             seconds(r->active_at, r->ended_at), r->text.len ? ": " : "", STR_FMT(r->text));
}

/* --- beginning --- */

static void forward_net_log(int level, const char *line)
{
    static const enum log_level levels[] = {LOG_LEVEL_ERROR, LOG_LEVEL_WARNING, LOG_LEVEL_INFO,
                                            LOG_LEVEL_DEBUG};
    log_write(LOG_NET, levels[level], "%s", line);
}

static int64_t wall_clock(void)
{
    struct timespec wall;
    (void)clock_gettime(CLOCK_REALTIME, &wall);
    return (int64_t)wall.tv_sec * US_PER_S + wall.tv_nsec / 1000;
}

static int open_signal(struct server *s)
{
    const struct options *o = s->options;
    const struct signal_config config = {
        .call = {.ring_timeout = o->call_ring_timeout,
                 .setup_timeout = o->call_setup_timeout,
                 .max_users = o->call_max_users,
                 .max_calls = o->call_max_calls,
                 .record = o->call_record},
        .wall_clock = wall_clock,
        .on_call_ended = on_call_ended,
        .user = s,
    };
    const struct signal_transport transport = {send_text, close_socket, s};
    s->signal = signal_new(&config, &transport, s->media.backend, &s->rng);
    return s->signal ? 0 : -ENOMEM;
}

/* What applications see: the version whose protocol this is. */
#define KURENTO_VERSION    "7.3.0"
#define KURENTO_BUILD_TIME __DATE__ " " __TIME__

static int open_kurento(struct server *s)
{
    if (!s->media.engine)
        return 0;
    const mono_us now = net_loop_now();
    const struct kurento_config config = {
        .version = KURENTO_VERSION,
        .build_time = KURENTO_BUILD_TIME,
        .collector_period = SERVER_KURENTO_COLLECTOR,
        .wall_offset = wall_clock() - now,
    };
    const struct kurento_transport transport = {send_text, close_socket, s};
    s->kurento = kurento_new(&config, &transport, s->media.engine, s->media.recorder,
                             s->media.player, &s->rng, now);
    if (!s->kurento)
        return -ENOMEM;
    rearm(s);
    return 0;
}

static int open_net(struct server *s)
{
    const struct options *o = s->options;
    char error[NET_ERROR_MAX] = "";
    const struct net_server_config config = {
        .http_listen = o->http_listen,
        .https_listen = o->https_listen,
        .tls_cert = o->tls_cert,
        .tls_key = o->tls_key,
        .state_dir = o->state_dir,
        .web_root = o->http_web_root,
        .limits = {.max_frame = o->http_max_frame,
                   .max_queue_bytes = o->http_queue_bytes,
                   .max_sockets_per_address = o->http_max_sockets_address,
                   .max_sockets = o->http_max_sockets,
                   .ping_interval = o->http_ping_interval,
                   .other_descriptors = server_media_descriptors(&s->media, o)},
        .routes = routes,
        .n_routes = ARRAY_LEN(routes),
        .origins = (const char *const *)o->http_origins.item,
        .n_origins = o->http_origins.n,
        .api = {.listen = s->kurento ? o->kurento_listen : "",
                .is_tls = o->kurento_tls,
                .route = {.path = "/kurento", .tag = TAG_KURENTO},
                .token = o->kurento_token,
                .origins = (const char *const *)o->kurento_origins.item,
                .n_origins = o->kurento_origins.n},
        .client_ca = o->media_kurento_ca,
        .handlers = {on_open, on_message, on_close},
        .user = s,
    };
    int err = net_server_new(s->loop, &config, &s->net, error);
    if (err)
        log_error(SERVER, "%s", error[0] ? error : strerror(-err));
    return err;
}

static void on_stopped(void *user)
{
    struct server *s = user;
    net_loop_stop(s->loop);
}

static void on_signal(void *user, int signo)
{
    struct server *s = user;
    if (s->is_stopping) {
        net_loop_stop(s->loop); /* asked twice: do not wait for anybody */
        return;
    }
    s->is_stopping = true;
    log_info(SERVER, "signal %d: ending %zu calls of the page, %zu pipelines of applications",
             signo, signal_get_stats(s->signal).calls,
             s->kurento ? kurento_get_stats(s->kurento).pipelines : 0);
    signal_shutdown(s->signal, net_loop_now());
    net_server_stop(s->net, SERVER_STOP_LIMIT, on_stopped, s);
}

static int open_all(struct server *s)
{
    int err = net_loop_new(&s->loop);
    if (!err)
        err = net_loop_on_signals(s->loop, on_signal, s);
    if (!err)
        err = net_wake_new(s->loop, on_media, s, &s->media_wake);
    if (!err)
        err = net_timer_new(s->loop, on_timer, s, &s->timer);
    if (!err)
        err = net_timer_new(s->loop, on_trim, s, &s->trim_timer);
    if (!err)
        err = net_timer_new(s->loop, on_ready_limit, s, &s->ready_timer);
    if (!err)
        err = net_timer_new(s->loop, on_kurento_timer, s, &s->kurento_timer);
    if (err) {
        log_error(SERVER, "cannot make the event loop: %s", strerror(-err));
        return err;
    }
    err = server_media_open(&s->media, s->options, s->loop, &s->rng, wake_media, s);
    if (!err)
        err = open_signal(s);
    if (!err)
        err = open_kurento(s);
    if (!err)
        err = open_net(s);
    if (!err && s->media.servers)
        err = media_servers_open(s->media.servers, s->net);
    return err;
}

/* docs/teardown.md. A writer that hangs in its disk keeps what it may still use. */
static void close_all(struct server *s)
{
    media_servers_close(s->media.servers); /* before its network; its media goes with the others */
    net_server_free(s->net);
    signal_free(s->signal);
    kurento_free(s->kurento);
    if (!server_media_close(&s->media)) /* nobody wakes us from here on */
        return;
    net_timer_free(s->kurento_timer);
    net_timer_free(s->ready_timer);
    net_timer_free(s->trim_timer);
    net_timer_free(s->timer);
    net_wake_free(s->media_wake);
    net_loop_free(s->loop);
}

int server_run(const struct options *options)
{
    struct server s = {.options = options};
    _Static_assert((int)OPTIONS_LOG_DEBUG == (int)LOG_LEVEL_DEBUG, "the same order");

    log_set_level((enum log_level)options->log_level);
    net_set_log(forward_net_log);
    rng_init_system(&s.rng);
    int err = open_all(&s);
    if (!err) {
        if (is_media_ready(&s))
            become_ready(&s);
        else
            net_timer_set(s.ready_timer, net_loop_now() + SERVER_STUN_LIMIT);
        net_loop_run(s.loop);
    }
    close_all(&s);
    log_counters(LOG_LEVEL_INFO);
    if (!err)
        log_info(SERVER, "ended in order");
    return err ? 1 : 0;
}
