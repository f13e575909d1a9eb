/*
 * One thread, one epoll. A turn of the loop: run the alarms that are due; take what the sockets
 * have and let the lines decide when each packet comes out; send the packets that are due. A
 * timerfd wakes it to the microsecond: epoll_wait's own clock knows milliseconds only, and a
 * delay must not be rounded up by one.
 */
#include "impair/relay.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include "base/mem.h"
#include "impair/client.h"
#include "impair/udp.h"

#define MAX_EVENTS 64

/* Datagrams of one socket before the others get their turn. */
#define MAX_READS 64

static mono_us mono_now(void)
{
    struct timespec ts;
    (void)clock_gettime(CLOCK_MONOTONIC, &ts);
    return (mono_us)ts.tv_sec * US_PER_S + ts.tv_nsec / 1000;
}

int impair_relay_watch(struct impair_relay *r, struct impair_source *source)
{
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = source};
    return epoll_ctl(r->epoll, EPOLL_CTL_ADD, source->fd, &event) ? -errno : 0;
}

/* --- packets --- */

void impair_relay_enter(struct impair_relay *r, struct impair_client *client,
                        enum impair_direction direction, const void *data, size_t len)
{
    uint64_t *counts = r->stats.counts[direction];
    struct impair_fate fate;

    counts[IMPAIR_RECEIVED]++;
    impair_line_pass(&client->lines[direction], &r->conditions[direction], r->now, len, &fate);
    if (fate.n == 0)
        counts[fate.cause]++;
    if (fate.n == 2)
        counts[IMPAIR_DUPLICATED]++;
    counts[IMPAIR_REORDERED] += fate.is_held_back;
    for (unsigned i = 0; i < fate.n; i++) {
        if (impair_waiting_put(&r->waiting, fate.at[i], client, direction, data, len)) {
            counts[IMPAIR_REFUSED]++;
            continue;
        }
        counts[IMPAIR_WAITING]++;
        client->n_waiting++;
    }
}

static void send_due(struct impair_relay *r)
{
    struct impair_packet *packet;
    while ((packet = impair_waiting_take(&r->waiting, r->now))) {
        struct impair_client *client = packet->client;
        bool is_up = packet->direction == IMPAIR_UP;
        int fd = is_up ? client->upstream->source.fd : client->listener->source.fd;
        const struct addr *to = is_up ? NULL : &client->key.remote;
        int err = impair_udp_send(fd, to, packet->data, packet->len);
        uint64_t *counts = r->stats.counts[packet->direction];
        counts[err ? IMPAIR_REFUSED : IMPAIR_FORWARDED]++;
        counts[IMPAIR_WAITING]--;
        client->n_waiting--;
        mem_free(packet);
    }
}

static void listener_ready(struct impair_relay *r, struct impair_source *source)
{
    struct impair_listener *listener = CONTAINER_OF(source, struct impair_listener, source);
    for (int i = 0; i < MAX_READS; i++) {
        struct addr from;
        ssize_t n = impair_udp_receive(source->fd, r->buffer, sizeof(r->buffer), &from);
        if (n < 0)
            return;
        struct impair_client *client = impair_client_get(r, listener, &from);
        if (client) {
            impair_relay_enter(r, client, IMPAIR_UP, r->buffer, (size_t)n);
        } else {
            r->stats.counts[IMPAIR_UP][IMPAIR_RECEIVED]++;
            r->stats.counts[IMPAIR_UP][IMPAIR_REFUSED]++;
        }
    }
}

/* --- commands --- */

static void rebind(struct impair_relay *r, const struct impair_command *c, struct text *answer)
{
    char ip[ADDR_TEXT_MAX];
    int err = impair_clients_rebind(r, c->has_ip ? &c->ip : NULL);
    if (!err)
        text_printf(answer, "ok");
    else if (c->has_ip)
        text_printf(answer, "error: rebind: %s: %s", addr_write_ip(&c->ip, ip), strerror(-err));
    else
        text_printf(answer, "error: rebind: %s", strerror(-err));
}

static void change(struct impair_conditions *conditions, const struct impair_command *c,
                   mono_us now)
{
    switch (c->type) {
    case IMPAIR_COMMAND_SET:
        conditions->values[c->param] = c->value;
        break;
    case IMPAIR_COMMAND_BLACKOUT:
        conditions->blackout_until = now + c->value;
        break;
    case IMPAIR_COMMAND_CLEAR:
        impair_conditions_init(conditions);
        break;
    case IMPAIR_COMMAND_REBIND:
    case IMPAIR_COMMAND_STATS:
    case IMPAIR_COMMAND_QUIT:
        break;
    }
}

void impair_relay_command(struct impair_relay *r, const struct impair_command *c,
                          struct text *answer)
{
    switch (c->type) {
    case IMPAIR_COMMAND_SET:
    case IMPAIR_COMMAND_BLACKOUT:
    case IMPAIR_COMMAND_CLEAR:
        for (size_t i = 0; i < IMPAIR_N_DIRECTIONS; i++) {
            if (c->directions[i])
                change(&r->conditions[i], c, r->now);
        }
        break;
    case IMPAIR_COMMAND_REBIND:
        rebind(r, c, answer);
        return;
    case IMPAIR_COMMAND_STATS:
        impair_relay_stats(r, answer);
        return;
    case IMPAIR_COMMAND_QUIT:
        r->must_end = true;
        break;
    }
    text_printf(answer, "ok");
}

static void command_due(struct impair_relay *r, struct impair_alarm *alarm)
{
    char buf[IMPAIR_STATS_TEXT_MAX];
    struct text answer;
    text_init(&answer, buf, sizeof(buf));
    const struct impair_command *command =
        CONTAINER_OF(alarm, struct impair_command_alarm, alarm)->command;
    impair_relay_command(r, command, &answer);
    /* Nobody asked at this moment: only what is worth saying is said. */
    if (str_starts_with(text_str(&answer), STR("error")))
        (void)fprintf(stderr, "duet-impair: --at: %s\n", buf);
    else if (command->type == IMPAIR_COMMAND_STATS)
        (void)puts(buf);
    (void)fflush(stdout);
}

void impair_relay_stats(const struct impair_relay *r, struct text *ret)
{
    impair_stats_write(&r->stats, mono_now() - r->started, ret);
}

/* --- the loop --- */

static void end_due(struct impair_relay *r, struct impair_alarm *alarm)
{
    (void)alarm;
    r->must_end = true;
}

static void signal_ready(struct impair_relay *r, struct impair_source *source)
{
    (void)source;
    r->must_end = true;
}

static void clock_ready(struct impair_relay *r, struct impair_source *source)
{
    uint64_t n_expired;
    (void)r;
    ssize_t n = read(source->fd, &n_expired, sizeof(n_expired));
    (void)n; /* re-arming between the event and here may have taken it back */
}

static void set_clock(struct impair_relay *r)
{
    mono_us at = mono_min(impair_waiting_next(&r->waiting), timer_heap_next(&r->alarms));
    struct itimerspec spec = {0}; /* zero: disarmed */
    if (at != MONO_NEVER) {
        spec.it_value.tv_sec = at / US_PER_S;
        spec.it_value.tv_nsec = at % US_PER_S * 1000;
    }
    (void)timerfd_settime(r->clock.fd, TFD_TIMER_ABSTIME, &spec, NULL);
}

static void run_alarms(struct impair_relay *r)
{
    struct timer *timer;
    while ((timer = timer_heap_pop(&r->alarms, r->now))) {
        struct impair_alarm *alarm = CONTAINER_OF(timer, struct impair_alarm, timer);
        alarm->on_due(r, alarm);
    }
}

int impair_relay_run(struct impair_relay *r)
{
    while (!r->must_end) {
        struct epoll_event events[MAX_EVENTS];
        set_clock(r);
        int n = epoll_wait(r->epoll, events, MAX_EVENTS, -1);
        if (n < 0 && errno != EINTR)
            return -errno;
        r->now = mono_now();
        run_alarms(r); /* first: what was ordered for now holds for what comes now */
        for (int i = 0; i < n; i++) {
            struct impair_source *source = events[i].data.ptr;
            source->on_ready(r, source);
        }
        send_due(r);
        impair_clients_free_discarded(r);
    }
    return 0;
}

/* --- begin and end --- */

static int open_listeners(struct impair_relay *r, struct text *why)
{
    char text[ADDR_TEXT_MAX];
    for (unsigned i = 0; i < r->options->n_listen; i++) {
        struct impair_listener *l = &r->listeners[i];
        *l = (struct impair_listener){
            .source.on_ready = listener_ready,
            .bound = r->options->listen[i],
            .server = r->options->server[i],
        };
        l->source.fd = impair_udp_bind(&l->bound);
        r->n_listeners++;
        int err = l->source.fd < 0 ? l->source.fd : impair_relay_watch(r, &l->source);
        if (err) {
            text_printf(why, "cannot listen on %s: %s", addr_write(&l->bound, text),
                        strerror(-err));
            return err;
        }
    }
    return 0;
}

static int open_signals(struct impair_relay *r)
{
    sigset_t set;
    (void)sigemptyset(&set);
    (void)sigaddset(&set, SIGINT);
    (void)sigaddset(&set, SIGTERM);
    if (sigprocmask(SIG_BLOCK, &set, NULL))
        return -errno;
    r->signals.on_ready = signal_ready;
    r->signals.fd = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
    return r->signals.fd < 0 ? -errno : impair_relay_watch(r, &r->signals);
}

static int open_clock(struct impair_relay *r)
{
    r->clock.on_ready = clock_ready;
    r->clock.fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
    return r->clock.fd < 0 ? -errno : impair_relay_watch(r, &r->clock);
}

static int start_schedule(struct impair_relay *r)
{
    const struct impair_options *o = r->options;
    int err = timer_heap_reserve(&r->alarms, o->n_schedule + 1);
    if (err)
        return err;
    r->started = r->now = mono_now();
    for (unsigned i = 0; i < o->n_schedule; i++) {
        r->schedule[i] = (struct impair_command_alarm){
            .alarm.on_due = command_due,
            .command = &o->schedule[i].command,
        };
        timer_heap_set(&r->alarms, &r->schedule[i].alarm.timer, r->now + o->schedule[i].after);
    }
    r->end.on_due = end_due;
    if (o->duration)
        timer_heap_set(&r->alarms, &r->end.timer, r->now + o->duration);
    return 0;
}

int impair_relay_open(struct impair_relay *r, const struct impair_options *options,
                      struct text *why)
{
    *r = (struct impair_relay){.options = options, .clock.fd = -1, .signals.fd = -1};
    memcpy(r->conditions, options->conditions, sizeof(r->conditions));
    rng_init_seeded(&r->seeds, options->seed);
    rng_init_system(&r->secret);
    impair_clients_init(r);
    impair_waiting_init(&r->waiting);
    timer_heap_init(&r->alarms);
    r->epoll = epoll_create1(EPOLL_CLOEXEC);

    int err = r->epoll < 0 ? -errno : open_listeners(r, why);
    if (!err)
        err = open_signals(r);
    if (!err)
        err = open_clock(r);
    if (!err)
        err = start_schedule(r);
    if (err && why->len == 0)
        text_printf(why, "%s", strerror(-err));
    return err;
}

static void close_fd(int fd)
{
    if (fd >= 0)
        (void)close(fd);
}

void impair_relay_close(struct impair_relay *r)
{
    impair_waiting_deinit(&r->waiting);
    impair_clients_deinit(r);
    timer_heap_deinit(&r->alarms);
    for (unsigned i = 0; i < r->n_listeners; i++)
        close_fd(r->listeners[i].source.fd);
    close_fd(r->clock.fd);
    close_fd(r->signals.fd);
    close_fd(r->epoll);
}
