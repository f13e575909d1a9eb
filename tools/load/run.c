/* One timer drives the course: it places the next call when its time has come, ends the phases
 * whose work is done, and shows the progress. The calls themselves run by their own events. */
#include "load/run.h"

#include <errno.h>
#include <stdio.h>
#include <sys/resource.h>
#include <time.h>

#include "base/mem.h"
#include "load/sockaddr.h"

/** How often the phases are looked at. */
#define ROUND_UP (10 * US_PER_MS)
/** Users that connect at the same time: a crowd, but not more than a listen queue takes. */
#define MAX_REGISTERING 64
/** Hanging up is spread over this time. */
#define HANG_UP_TIME US_PER_S
/** For the server to let go of what was closed. */
#define SETTLE_TIME US_PER_S
/** More than calls need: WebSocket, UDP; and some for everything else. */
#define DESCRIPTORS_PER_CALL 4
#define OTHER_DESCRIPTORS    64

/* --- making it --- */

static void raise_descriptors(size_t n_calls)
{
    struct rlimit limit;
    rlim_t need = n_calls * DESCRIPTORS_PER_CALL + OTHER_DESCRIPTORS;
    if (getrlimit(RLIMIT_NOFILE, &limit) || limit.rlim_cur >= need)
        return;
    limit.rlim_cur = need;
    if (limit.rlim_max < need)
        limit.rlim_max = need; /* allowed to root */
    if (setrlimit(RLIMIT_NOFILE, &limit))
        (void)fprintf(stderr,
                      "duet-load: %zu calls need %llu open files: raise the limit (ulimit -Hn)\n",
                      n_calls, (unsigned long long)need);
}

static uint64_t ntp_offset(void)
{
    struct timespec wall;
    (void)clock_gettime(CLOCK_REALTIME, &wall);
    mono_us us = (mono_us)wall.tv_sec * US_PER_S + wall.tv_nsec / 1000 - loop_now();
    /* 2208988800: seconds from 1900, NTP's beginning, to 1970 (RFC 5905 §6) */
    return rtp_ntp(us, UINT64_C(2208988800) << 32);
}

static bool find_local(struct run *run, const char **error)
{
    struct addr *local = &run->env.media.local;
    const char *wanted = run->options->local_ip;
    if (wanted[0]) {
        *error = "--local-ip is not an address";
        return addr_parse_ip(str_of(wanted), 0, local);
    }
    *error = "no address of this machine reaches the server";
    if (!sockaddr_local_for(&run->env.ws.server, local))
        return false;
    /* Browsers do not offer the loopback address when they have another. */
    if (addr_is_loopback(local))
        (void)sockaddr_first_interface(local);
    local->port = 0;
    return true;
}

static bool init_env(struct run *run, const char **error)
{
    struct call_env *env = &run->env;
    struct media_env *media = &env->media;
    int err;
    *error = "out of memory";
    env->loop = env->ws.loop = media->loop = &run->loop;
    env->stats = media->stats = &run->stats;
    env->ws.rng = media->peer.rng = &run->rng;
    env->ws.is_insecure = run->options->insecure;
    env->ws.subprotocol = env->driver->subprotocol;
    env->has_media = !run->options->no_media;
    media->is_off = run->options->no_media;
    media->is_trickle = env->driver->candidate != NULL;
    env->is_demo = run->options->demo;
    rng_fill(&run->rng, &media->key, sizeof(media->key));
    (void)snprintf(env->run, sizeof(env->run), "%04x", rng_u32(&run->rng) & 0xffff);
    if (media_env_init(media) || dtls_identity_init(&run->identity, time(NULL)) ||
        dtls_context_new(&run->identity, &media->peer.dtls))
        return false;
    media->fingerprint = run->identity.fingerprint.bytes;
    media->peer.ntp_offset = ntp_offset();
    media->peer.srtp = rtpsec_provider_new(RTPSEC_PROVIDER_AUTO, &err);
    if (!media->peer.srtp || !ws_env_init(&env->ws, error))
        return false;
    call_env_init(env);
    return find_local(run, error);
}

static bool find_driver(struct run *run, const char **error)
{
    run->env.driver = driver_find(run->options->driver);
    *error = "there is no such --driver";
    if (!run->env.driver)
        return false;
    *error = "--url is not a ws:// or wss:// address";
    return url_parse(str_of(run->options->url), run->env.driver->default_path, &run->env.ws.url);
}

static bool make_calls(struct run *run, const char **error)
{
    *error = "out of memory";
    run->n_calls = (size_t)run->options->calls;
    run->calls = mem_zalloc(run->n_calls * sizeof(*run->calls));
    for (size_t i = 0; run->calls && i < run->n_calls; i++) {
        if (call_init(&run->calls[i], &run->env, (uint32_t)i))
            return false;
    }
    return run->calls != NULL;
}

static void on_timer(struct loop_timer *t, mono_us now);

int run_init(struct run *run, const struct options *options)
{
    const char *error = "out of memory";
    memset(run, 0, sizeof(*run));
    run->options = options;
    rng_init_system(&run->rng);
    raise_descriptors((size_t)options->calls);
    if (loop_init(&run->loop) || loop_timer_init(&run->loop, &run->timer, on_timer) ||
        !find_driver(run, &error) || !init_env(run, &error) || !make_calls(run, &error)) {
        (void)fprintf(stderr, "duet-load: %s\n", error);
        return 2;
    }
    return 0;
}

void run_deinit(struct run *run)
{
    for (size_t i = 0; run->calls && i < run->n_calls; i++) {
        if (run->calls[i].env)
            call_deinit(&run->calls[i], loop_now());
    }
    mem_free(run->calls);
    ws_env_deinit(&run->env.ws);
    rtpsec_provider_free(run->env.media.peer.srtp);
    dtls_context_free(run->env.media.peer.dtls);
    dtls_identity_deinit(&run->identity);
    loop_deinit(&run->loop);
}

/* --- measuring --- */

static struct proc_sample sample(const struct run *run)
{
    return proc_read((int)run->options->server_pid);
}

static mono_us own_cpu(void)
{
    struct rusage u;
    (void)getrusage(RUSAGE_SELF, &u);
    return (mono_us)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) * US_PER_S + u.ru_utime.tv_usec +
           u.ru_stime.tv_usec;
}

static void begin_steady(struct run *run)
{
    run->steady_begin = sample(run);
    run->own_cpu_begin = own_cpu();
    run->received_begin = run->stats.packets_received;
}

static void end_steady(struct run *run, mono_us now)
{
    struct proc_sample s = sample(run);
    run->moments[RUN_LAST] = s;
    if (!run->moments[RUN_STEADY].at)
        run->moments[RUN_STEADY] = s;
    run->steady_us += now - run->steady_begin.at;
    run->server_cpu_us += s.cpu_us - run->steady_begin.cpu_us;
    run->server_main_cpu_us += s.main_cpu_us - run->steady_begin.main_cpu_us;
    run->own_cpu_us += own_cpu() - run->own_cpu_begin;
    run->steady_packets += run->stats.packets_received - run->received_begin;
}

static void show_progress(struct run *run, mono_us now)
{
    const struct stats *s = &run->stats;
    mono_us since = now - run->progress_at;
    if (since < US_PER_S)
        return;
    struct proc_sample server = sample(run);
    (void)fprintf(stderr, "%5.0f s  ", (double)(now - run->started_at) / 1e6);
    if (run->phase == RUN_REGISTERING)
        (void)fprintf(stderr, "registered %u of %zu pairs", run->env.n_in[CALL_IDLE], run->n_calls);
    else
        (void)fprintf(stderr, "round %u  up %u  failed %llu  %.0f packets/s  lost %llu",
                      run->round + 1, run->env.n_in[CALL_UP], (unsigned long long)s->calls_failed,
                      (double)(s->packets_received - run->progress_received) * 1e6 / (double)since,
                      (unsigned long long)s->packets_lost);
    if (server.is_valid && run->progress_sample.is_valid)
        (void)fprintf(stderr, "  | server %.1f %% of a core, %.1f MB",
                      (double)(server.cpu_us - run->progress_sample.cpu_us) * 100 /
                          (double)(server.at - run->progress_sample.at),
                      (double)server.rss_kb / 1024);
    (void)fprintf(stderr, "\n");
    run->progress_at = now;
    run->progress_received = s->packets_received;
    run->progress_sample = server;
}

static void show_demo(struct run *run, mono_us now)
{
    static const char *const names[] = {"alice", "bob"};
    if (now - run->progress_at < US_PER_S || run->phase != RUN_HOLDING)
        return;
    for (unsigned i = 0; i < 2; i++) {
        const struct media *m = &run->calls[0].users[i].media;
        (void)printf("%9.1f ms  %-6shas heard %u packets in order, %.1f ms on the way\n",
                     (double)(now - run->calls[0].dialled_at) / 1000, names[i],
                     m->ear.track.n_unique,
                     (double)histogram_percentile(&run->stats.latency, 50) / 1000);
    }
    run->progress_at = now;
}

/* Each call once a round, evenly spread. */
static void keep_alive(struct run *run, mono_us now)
{
    mono_us elapsed = now - run->alive_at;
    size_t until = (size_t)((double)run->n_calls * (double)elapsed / (double)DRIVER_KEEP_ALIVE);
    if (!run->env.driver->keep_alive)
        return;
    for (; run->n_alive < until && run->n_alive < run->n_calls; run->n_alive++)
        call_keep_alive(&run->calls[run->n_alive]);
    if (elapsed >= DRIVER_KEEP_ALIVE) {
        run->alive_at = now;
        run->n_alive = 0;
    }
}

/* --- the phases --- */

static void enter(struct run *run, enum run_phase phase, mono_us now)
{
    run->phase = phase;
    run->phase_at = now;
}

static unsigned n_in(const struct run *run, enum call_state state)
{
    return run->env.n_in[state];
}

static void keep_registering(struct run *run, mono_us now)
{
    while (run->cursor < run->n_calls && n_in(run, CALL_REGISTERING) * 2 < MAX_REGISTERING)
        call_register(&run->calls[run->cursor++], now);
    if (run->cursor < run->n_calls || n_in(run, CALL_REGISTERING) > 0)
        return;
    run->moments[RUN_REGISTERED] = sample(run);
    if (n_in(run, CALL_IDLE) == 0) {
        enter(run, RUN_SETTLING, now);
        return;
    }
    run->dial_at = now;
    run->cursor = 0;
    enter(run, run->options->churn > 0 ? RUN_CHURNING : RUN_DIALLING, now);
    if (run->phase == RUN_CHURNING)
        begin_steady(run);
}

static mono_us interval(double per_s)
{
    return (mono_us)(1e6 / per_s);
}

static void keep_dialling(struct run *run, mono_us now)
{
    for (; run->n_dialled < run->n_calls && run->dial_at <= now; run->n_dialled++) {
        struct call *call = &run->calls[run->n_dialled];
        if (call->state == CALL_IDLE)
            call_dial(call, now);
        run->dial_at += interval(run->options->rate);
    }
    if (n_in(run, CALL_DEAD) == run->n_calls) {
        enter(run, RUN_SETTLING, now);
        return;
    }
    if (run->n_dialled < run->n_calls || n_in(run, CALL_RINGING) + n_in(run, CALL_CONNECTING) > 0)
        return;
    enter(run, RUN_HOLDING, now);
    begin_steady(run);
}

static void keep_holding(struct run *run, mono_us now)
{
    if (now - run->phase_at < (mono_us)(run->options->hold_s * 1e6))
        return;
    end_steady(run, now);
    run->cursor = 0;
    enter(run, RUN_HANGING_UP, now);
}

static bool is_anybody_busy(const struct run *run)
{
    unsigned n = 0;
    for (enum call_state s = CALL_RINGING; s <= CALL_FAILED; s++)
        n += n_in(run, s);
    return n > 0;
}

static void keep_hanging_up(struct run *run, mono_us now)
{
    mono_us elapsed = now - run->phase_at;
    size_t until = elapsed >= HANG_UP_TIME
                       ? run->n_calls
                       : (size_t)((double)run->n_calls * (double)elapsed / (double)HANG_UP_TIME);
    for (; run->cursor < until; run->cursor++) {
        if (run->calls[run->cursor].state == CALL_UP)
            call_hang_up(&run->calls[run->cursor], now);
    }
    if (run->cursor < run->n_calls || is_anybody_busy(run))
        return;
    run->round++;
    if (run->round < (unsigned)run->options->rounds && !run->options->churn) {
        run->n_dialled = 0;
        run->dial_at = now;
        enter(run, RUN_DIALLING, now);
        return;
    }
    run->moments[RUN_HUNG_UP] = sample(run);
    for (size_t i = 0; i < run->n_calls; i++)
        call_deinit(&run->calls[i], now);
    enter(run, RUN_SETTLING, now);
}

static struct call *find_free(struct run *run)
{
    for (size_t i = 0; i < run->n_calls; i++) {
        struct call *call = &run->calls[run->cursor++ % run->n_calls];
        if (call->state == CALL_IDLE)
            return call;
    }
    return NULL;
}

static void keep_churning(struct run *run, mono_us now)
{
    mono_us hold = (mono_us)(run->options->hold_s * 1e6);
    for (size_t i = 0; i < run->n_calls; i++) {
        if (run->calls[i].state == CALL_UP && now - run->calls[i].up_at >= hold)
            call_hang_up(&run->calls[i], now);
    }
    for (; run->dial_at <= now; run->dial_at += interval(run->options->churn)) {
        struct call *call = find_free(run);
        if (call)
            call_dial(call, now);
        else
            run->stats.skipped++;
    }
    if (now - run->phase_at < (mono_us)(run->options->duration_s * 1e6))
        return;
    end_steady(run, now);
    run->cursor = 0;
    enter(run, RUN_HANGING_UP, now);
}

static void go_on(struct run *run, mono_us now)
{
    if (run->env.n_in[CALL_UP] > run->max_up)
        run->max_up = run->env.n_in[CALL_UP];
    switch (run->phase) {
    case RUN_REGISTERING:
        keep_registering(run, now);
        break;
    case RUN_DIALLING:
        keep_dialling(run, now);
        break;
    case RUN_HOLDING:
        keep_holding(run, now);
        break;
    case RUN_CHURNING:
        keep_churning(run, now);
        break;
    case RUN_HANGING_UP:
        keep_hanging_up(run, now);
        break;
    case RUN_SETTLING:
        if (now - run->phase_at >= SETTLE_TIME)
            enter(run, RUN_DONE, now);
        break;
    case RUN_DONE:
        break;
    }
}

static void on_timer(struct loop_timer *t, mono_us now)
{
    struct run *run = CONTAINER_OF(t, struct run, timer);
    go_on(run, now);
    keep_alive(run, now);
    if (run->options->demo)
        show_demo(run, now);
    else if (!run->options->quiet)
        show_progress(run, now);
    mono_us next = now + ROUND_UP;
    if (run->phase == RUN_DIALLING && run->n_dialled < run->n_calls)
        next = mono_min(next, run->dial_at);
    loop_timer_set(&run->loop, &run->timer, next);
}

void run_all(struct run *run, const volatile bool *stop)
{
    mono_us now = loop_now();
    run->moments[RUN_BEFORE] = sample(run);
    run->started_at = run->progress_at = run->alive_at = now;
    run->progress_sample = run->moments[RUN_BEFORE];
    enter(run, RUN_REGISTERING, now);
    loop_timer_set(&run->loop, &run->timer, now);
    while (run->phase != RUN_DONE && !*stop)
        loop_step(&run->loop, MONO_NEVER);
    run->moments[RUN_AFTER] = sample(run);
}
