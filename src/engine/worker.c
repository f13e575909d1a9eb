/*
 * The thread of a media worker: commands, timers, datagrams, handshakes, sleep.
 *
 * Under load a worker that wakes for each packet spends most of its time waking. Above
 * WORKER_BUSY_PPS it sleeps in ticks instead and finds a batch each time. Handshakes are done in
 * the time of that sleep: they make media wait no longer than it does anyway, by one step at most.
 */
#include "engine/worker.h"

#include <assert.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "base/mem.h"
#include "engine/plain_endpoint.h"
#include "engine/player_endpoint.h"
#include "engine/worker_private.h"
#include "log/counters.h"

/* Measured: below 2000 packets/s a wake-up per packet is cheap enough for its lower delay. */
#define WORKER_BUSY_PPS 2000
#define WORKER_WINDOW   (200 * US_PER_MS)

/* Ports of the system's choice that are tried until one is free for UDP and TCP. */
#define WORKER_PORT_TRIES 64

/* Turns before timers and commands get their chance again. */
#define WORKER_MAX_TURNS 16

mono_us worker_now(void)
{
    struct timespec ts;
    (void)clock_gettime(CLOCK_MONOTONIC, &ts);
    return (mono_us)ts.tv_sec * US_PER_S + ts.tv_nsec / 1000;
}

/* --- commands --- */

static void take_candidate(struct worker *w, struct pipeline_endpoint *e,
                           const struct worker_candidate *c, mono_us now)
{
    int err = e->ops->add_candidate(e, now, c ? &c->candidate : NULL,
                                    c ? str_of(c->ufrag) : (struct str){0});
    if (err > 0)
        counter_add(COUNTER_ENGINE_CANDIDATE_IGNORED);
    if (err < 0)
        worker_break(w, e);
    worker_drain(w, e);
}

static void renegotiate(struct worker *w, struct pipeline_endpoint *e,
                        const struct worker_renegotiation *r, mono_us now)
{
    int err = e->ops->renegotiate(e, now, &r->params, str_of(r->ufrag), str_of(r->pwd));
    if (err) /* what may be refused was refused where the answer was made */
        worker_break(w, e);
    for (size_t i = 0; i < r->n_candidates && err >= 0; i++) {
        err = e->ops->add_candidate(e, now, &r->candidates[i], (struct str){0});
        if (err < 0)
            worker_break(w, e);
    }
    worker_drain(w, e);
}

static void play(struct worker *w, struct pipeline_endpoint *e, const struct worker_play *play,
                 mono_us now)
{
    player_endpoint_play(e, now, play->feed, play->played);
    worker_arm(w, e);
}

static void pause_player(struct worker *w, struct pipeline_endpoint *e, bool is_paused, mono_us now)
{
    player_endpoint_pause(e, now, is_paused);
    worker_arm(w, e);
}

static void renegotiate_plain(struct worker *w, struct worker_command *c, mono_us now)
{
    struct worker_plain_renegotiation *r = (void *)c;
    if (plain_endpoint_renegotiate(c->endpoint, now, &r->params))
        worker_break(w, c->endpoint);
    mem_wipe(&r->params, sizeof(r->params)); /* keys */
    worker_drain(w, c->endpoint);
}

/* @return true: the command is part of what it names, and not to be freed by itself */
static bool run_command(struct worker *w, struct worker_command *c, mono_us now)
{
    switch (c->type) {
    case WORKER_ADD_PIPELINE:
        worker_add_pipeline(w, c->pipeline);
        return true;
    case WORKER_ADD_ENDPOINT:
        worker_add_endpoint(w, c->endpoint);
        return true;
    case WORKER_CONNECT:
        relay_connect(c->source->relay, c->endpoint->relay);
        break;
    case WORKER_DISCONNECT:
        if (c->endpoint->relay->source == c->source->relay)
            relay_disconnect(c->endpoint->relay);
        break;
    case WORKER_CANDIDATE:
        take_candidate(w, c->endpoint, (const struct worker_candidate *)(const void *)c, now);
        break;
    case WORKER_END_OF_CANDIDATES:
        take_candidate(w, c->endpoint, NULL, now);
        break;
    case WORKER_SNAPSHOT:
        worker_answer_snapshot(w, (const struct worker_snapshot *)(const void *)c, now);
        break;
    case WORKER_RENEGOTIATE:
        renegotiate(w, c->endpoint, (const struct worker_renegotiation *)(const void *)c, now);
        break;
    case WORKER_PLAY:
        play(w, c->endpoint, (const struct worker_play *)(const void *)c, now);
        break;
    case WORKER_PAUSE:
    case WORKER_RESUME:
        pause_player(w, c->endpoint, c->type == WORKER_PAUSE, now);
        break;
    case WORKER_PLAIN_RENEGOTIATE:
        renegotiate_plain(w, c, now);
        break;
    case WORKER_RELEASE_ENDPOINT:
        worker_release_endpoint(w, c->endpoint, now);
        return true;
    case WORKER_RELEASE_PIPELINE:
        worker_release_pipeline(w, c->pipeline, now);
        return true;
    case WORKER_STOP:
        w->must_stop = true;
        break;
    }
    return false;
}

static void run_commands(struct worker *w, mono_us now)
{
    struct mail *mail = mailbox_take_all(&w->inbox);
    while (mail) {
        struct worker_command *command = CONTAINER_OF(mail, struct worker_command, mail);
        mail = mail->next; /* what the command names may be gone afterwards */
        if (!run_command(w, command, now))
            mem_free(command);
    }
}

/* --- the thread --- */

static void measure_load(struct worker *w, size_t n, mono_us now)
{
    w->window_packets += (uint32_t)n;
    if (now - w->window_at < WORKER_WINDOW)
        return;
    w->is_busy = w->config.tick > 0 && (mono_us)w->window_packets * US_PER_S >
                                           (mono_us)WORKER_BUSY_PPS * (now - w->window_at);
    w->window_packets = 0;
    w->window_at = now;
}

static void sleep_until_work(struct worker *w, mono_us now)
{
    /* a negative descriptor is passed over */
    struct pollfd fds[3 + SOCKET_FAMILIES] = {{.fd = w->wake_fd, .events = POLLIN},
                                              {.fd = w->tcp.epoll_fd, .events = POLLIN},
                                              {.fd = w->plain.epoll_fd, .events = POLLIN}};
    mono_us wait = mono_min(timer_heap_next(&w->timers), tcp_deadline(&w->tcp));
    wait = mono_min(wait, outside_deadline(&w->outside));
    wait = wait == MONO_NEVER ? MONO_NEVER : wait > now ? wait - now : 0;
    if (!setup_queue_is_empty(&w->setup))
        wait = 0; /* only look who is there */
    nfds_t n_fds = 3;
    w->tcp_is_due = w->plain_is_due = false;
    if (w->is_busy) {
        wait = mono_min(wait, w->config.tick);
        /* Nobody is connected: who knocks may wake us. Else they are looked after in ticks, too. */
        w->tcp_is_due = w->tcp.n_connections > 0;
        w->plain_is_due = w->plain.n > 0;
        n_fds = w->tcp_is_due ? 1 : 2;
    } else {
        n_fds += socket_poll_fds(&w->socket, fds + 3);
    }
    struct timespec ts = {.tv_sec = wait / US_PER_S, .tv_nsec = wait % US_PER_S * 1000};
    if (ppoll(fds, n_fds, wait == MONO_NEVER ? NULL : &ts, NULL) > 0 && fds[0].revents) {
        uint64_t count;
        ssize_t n = read(w->wake_fd, &count, sizeof(count));
        (void)n; /* non-blocking; being woken for nothing does no harm */
    }
    w->tcp_is_due |= fds[1].revents != 0;
    w->plain_is_due |= fds[2].revents != 0;
}

/* @param is_pressed  there was no sleep in which anything could have become due */
static size_t turn_plain(struct worker *w, bool is_pressed)
{
    if (!w->plain_is_due && !is_pressed)
        return 0;
    size_t n = worker_turn_plain(w, worker_now());
    w->plain_is_due = n == SOCKET_BATCH; /* there may be more: no sleep */
    return n;
}

static void *run(void *arg)
{
    struct worker *w = arg;
    w->window_at = worker_now();
    while (!w->must_stop) {
        mono_us now = worker_now();
        size_t n, total = 0;
        unsigned turns = 0;
        run_commands(w, now);
        worker_run_timers(w, now);
        if (outside_deadline(&w->outside) <= now)
            worker_run_outside(w, now);
        worker_flush(w);
        do {
            n = worker_turn(w, worker_now()); /* a batch of handshakes takes a while */
            total += n;
        } while (n == SOCKET_BATCH && ++turns < WORKER_MAX_TURNS);
        if (w->tcp_is_due || n == SOCKET_BATCH || tcp_deadline(&w->tcp) <= now)
            total += worker_turn_tcp(w, worker_now());
        total += turn_plain(w, n == SOCKET_BATCH);
        measure_load(w, total, now);
        worker_set_up(w, w->is_busy ? now + w->config.tick : now);
        if (n < SOCKET_BATCH && !w->plain_is_due && !w->must_stop)
            sleep_until_work(w, worker_now());
    }
    LIST_FOREACH(node, &w->pipelines)
        worker_release_pipeline(w, CONTAINER_OF(node, struct pipeline, pipelines), worker_now());
    return NULL;
}

/* Both on one number. One that the system chose for UDP may be somebody's on TCP: then another one
 * will do. */
static int open_ports(struct worker *w, const struct worker_config *config)
{
    int err = -EADDRINUSE;
    for (int i = 0; i < WORKER_PORT_TRIES && err == -EADDRINUSE; i++) {
        socket_close(&w->socket);
        err = socket_open(&w->socket, &config->listen);
        if (err || !config->tcp)
            return err;
        const struct addr *at = &w->socket.bound;
        err = tcp_open(&w->tcp, at, addr_is_any(at) ? socket_has_v6(&w->socket) : !addr_is_v4(at));
        if (config->listen.port)
            break;
    }
    return err;
}

int worker_open(struct worker *w, const struct worker_config *config)
{
    int err;
    *w = (struct worker){.config = *config, .wake_fd = -1};
    tcp_init_off(&w->tcp);
    mailbox_init(&w->inbox);
    list_init(&w->pipelines);
    plain_set_init(&w->plain);
    timer_heap_init(&w->timers);
    demux_init(&w->demux, config->rng);
    err = open_ports(w, config);
    if (!err)
        err = socket_set_dscp(&w->socket, config->dscp);
    if (err)
        return err;
    err = outside_init(&w->outside, DEMUX_NO_TAG, config->rng);
    if (err)
        return err;
    w->has_outside = true;
    w->wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (w->wake_fd < 0)
        return -errno;
    w->stop = mem_zalloc(sizeof(*w->stop));
    w->io = mem_zalloc(sizeof(*w->io));
    if (!w->stop || !w->io || setup_queue_init(&w->setup))
        return -ENOMEM;
    w->stop->type = WORKER_STOP;
    w->env = (struct peer_env){
        .srtp = rtpsec_provider_new(RTPSEC_PROVIDER_AUTO, &err),
        .rng = config->rng,
        .ntp_offset = config->ntp_offset,
        .ice_lite = config->ice_lite,
    };
    if (!w->env.srtp)
        return err;
    return dtls_context_new(config->identity, &w->env.dtls);
}

int worker_start(struct worker *w)
{
    /* Signals are the control thread's business. */
    sigset_t all, old;
    (void)sigfillset(&all);
    (void)pthread_sigmask(SIG_SETMASK, &all, &old);
    int err = pthread_create(&w->thread, NULL, run, w);
    (void)pthread_sigmask(SIG_SETMASK, &old, NULL);
    if (err)
        return -err;
    char name[16];
    (void)snprintf(name, sizeof(name), "media-%u", w->socket.bound.port);
    (void)pthread_setname_np(w->thread, name);
    w->is_running = true;
    return 0;
}

static void wake(struct worker *w)
{
    uint64_t one = 1;
    ssize_t n = write(w->wake_fd, &one, sizeof(one));
    (void)n; /* fails only when the counter is full: awake already */
}

void worker_send(struct worker *w, struct worker_command *command)
{
    if (!mailbox_put(&w->inbox, &command->mail))
        return;
    wake(w);
}

void worker_set_stun(struct worker *w, const struct resolver_result *servers)
{
    outside_set_servers(&w->outside, servers);
    wake(w);
}

void worker_close(struct worker *w)
{
    if (w->is_running) {
        worker_send(w, w->stop);
        w->stop = NULL; /* now owned by the inbox */
        (void)pthread_join(w->thread, NULL);
        w->is_running = false;
    }
    assert(!mailbox_take_all(&w->inbox)); /* STOP was the last command */
    dtls_context_free(w->env.dtls);
    rtpsec_provider_free(w->env.srtp);
    timer_heap_deinit(&w->timers);
    demux_deinit(&w->demux);
    setup_queue_deinit(&w->setup);
    mem_free(w->stop);
    mem_free(w->io);
    if (w->has_outside)
        outside_deinit(&w->outside);
    w->has_outside = false;
    tcp_close(&w->tcp);
    plain_set_deinit(&w->plain);
    socket_close(&w->socket);
    if (w->wake_fd >= 0)
        (void)close(w->wake_fd);
    w->wake_fd = -1;
}
