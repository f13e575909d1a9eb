/*
 * Beginning and end of the control side: addresses, workers, what they report. It never looks into
 * a pipeline or an endpoint that it has given away.
 */
#include "engine/engine.h"

#include <assert.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/mem.h"
#include "engine/engine_private.h"

/* Seconds from 1900 (NTP) to 1970 (Unix). */
#define NTP_UNIX_OFFSET UINT64_C(2208988800)

/* NTP time at monotonic time 0. */
static uint64_t ntp_offset(void)
{
    struct timespec wall, mono;
    (void)clock_gettime(CLOCK_REALTIME, &wall);
    (void)clock_gettime(CLOCK_MONOTONIC, &mono);
    mono_us us =
        ((mono_us)wall.tv_sec - mono.tv_sec) * US_PER_S + (wall.tv_nsec - mono.tv_nsec) / 1000;
    return rtp_ntp(us, NTP_UNIX_OFFSET << 32);
}

void engine_say(char *error, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    (void)vsnprintf(error, ENGINE_ERROR_MAX, format, args);
    va_end(args);
}

static int find_addresses(struct engine *e, const struct engine_config *config)
{
    e->is_wildcard = addr_is_any(&config->listen);
    e->n_rules = config->n_interfaces;
    for (size_t i = 0; i < e->n_rules; i++)
        e->rules[i] = config->interfaces[i];
    e->addrs_at = MONO_NEVER; /* never listed */
    e->addrs[0] = config->listen;
    e->n_addrs = 1;
    return e->is_wildcard ? engine_list_addresses(e, 0) : 0;
}

static int open_workers(struct engine *e, const struct engine_config *config, char *error)
{
    struct worker_config wc = {
        .dscp = config->dscp,
        .tcp = config->tcp,
        .tick = config->tick,
        .ice_lite = config->ice_lite,
        .rng = e->rng,
        .identity = &e->identity,
        .ntp_offset = ntp_offset(),
        .reports = &e->reports,
        .wake = config->wake,
        .wake_user = config->wake_user,
    };
    if (config->listen.port && config->listen.port + e->n_workers - 1 > UINT16_MAX) {
        engine_say(
            error,
            "media.port: %u leaves no port for each of %u workers (media.workers); at most %u",
            config->listen.port, e->n_workers, UINT16_MAX - e->n_workers + 1);
        e->n_workers = 0;
        return -EINVAL;
    }
    for (unsigned i = 0; i < e->n_workers; i++) {
        char at[ADDR_TEXT_MAX];
        wc.listen = config->listen;
        if (config->listen.port)
            wc.listen.port = (uint16_t)(config->listen.port + i);
        int err = worker_open(&e->workers[i], &wc);
        if (err) {
            bool is_tcp = e->workers[i].socket.n_families > 0; /* UDP went well */
            engine_say(error, "media.port: cannot open %s %s of worker %u: %s",
                       is_tcp ? "TCP" : "UDP", addr_write(&wc.listen, at), i, strerror(-err));
            worker_close(&e->workers[i]);
            e->n_workers = i;
            return err;
        }
    }
    return 0;
}

static int start(struct engine *e, const struct engine_config *config, char *error)
{
    e->workers = mem_zalloc(e->n_workers * sizeof(struct worker));
    if (!e->workers) {
        e->n_workers = 0;
        return -ENOMEM;
    }
    int err = dtls_identity_init(&e->identity, (int64_t)time(NULL));
    if (err) {
        engine_say(error, "cannot make the DTLS certificate: %s", strerror(-err));
        e->n_workers = 0; /* none is open */
        return err;
    }
    err = open_workers(e, config, error);
    if (err)
        return err;
    err = find_addresses(e, config);
    if (err) {
        engine_say(error, "media.listen: no address to offer: %s", strerror(-err));
        return err;
    }
    for (unsigned i = 0; i < e->n_workers; i++) {
        err = worker_start(&e->workers[i]);
        if (err) {
            engine_say(error, "cannot start media worker %u: %s", i, strerror(-err));
            return err;
        }
    }
    err = engine_start_stun(e, config);
    if (err)
        engine_say(error, "media.stun: cannot start the resolver: %s", strerror(-err));
    return err;
}

struct engine *engine_new(const struct engine_config *config, struct rng *rng, char *error)
{
    struct engine *e = mem_zalloc(sizeof(*e));
    engine_say(error, "out of memory");
    if (!e)
        return NULL;
    assert(config->n_external_ips <= ENGINE_MAX_ADDRESSES);
    assert(config->n_interfaces <= ENGINE_MAX_RULES);
    e->rng = rng;
    e->red = config->red;
    e->ice_lite = config->ice_lite;
    e->n_workers = config->workers;
    if (e->n_workers == 0) {
        long cores = sysconf(_SC_NPROCESSORS_ONLN);
        e->n_workers = cores > 0 ? (unsigned)cores : 1;
    }
    if (e->n_workers > ENGINE_MAX_WORKERS)
        e->n_workers = ENGINE_MAX_WORKERS;
    e->n_externals = config->n_external_ips;
    for (size_t i = 0; i < e->n_externals; i++)
        e->externals[i] = config->external_ips[i];
    mailbox_init(&e->reports);
    map_init(&e->pipelines, engine_pipeline_key, rng);
    map_init(&e->endpoints, engine_endpoint_key, rng);
    if (plain_ports_init(&e->plain_ports, config->rtp_first, config->rtp_last, rng) ||
        start(e, config, error)) {
        engine_free(e);
        return NULL;
    }
    return e;
}

/* What came is sorted by whom it is for: a pipeline is known until its last event was read. */
static void sort_reports(struct engine *e)
{
    struct mail *mail = mailbox_take_all(&e->reports);
    while (mail) {
        struct mail *next = mail->next;
        const struct worker_report *report = CONTAINER_OF(mail, struct worker_report, mail);
        struct engine_pending *pending = &e->pending[engine_front_of(e, report->event.pipeline)];
        mail->next = NULL;
        *(pending->first ? &pending->last->next : &pending->first) = mail;
        pending->last = mail;
        mail = next;
    }
}

static struct mail *next_report(struct engine *e, enum engine_front front)
{
    struct engine_pending *pending = &e->pending[front];
    if (!pending->first)
        sort_reports(e);
    struct mail *mail = pending->first;
    if (mail)
        pending->first = mail->next;
    return mail;
}

static void free_endpoints(struct engine *e)
{
    struct map *map = &e->endpoints;
    size_t cursor = 0;
    for (struct engine_endpoint *known; (known = map_next(map, &cursor));)
        engine_endpoint_free(e, known);
    map_deinit(map);
}

static void free_pipelines(struct map *map)
{
    size_t cursor = 0;
    for (struct engine_pipeline *known; (known = map_next(map, &cursor));)
        mem_free(known);
    map_deinit(map);
}

void engine_free(struct engine *e)
{
    if (!e)
        return;
    resolver_free(e->resolver); /* first: it tells the workers */
    for (unsigned i = 0; i < e->n_workers; i++)
        worker_close(&e->workers[i]);
    for (unsigned front = 0; front < ENGINE_N_FRONTS; front++) {
        for (struct mail *mail; (mail = next_report(e, (enum engine_front)front));)
            mem_free(CONTAINER_OF(mail, struct worker_report, mail));
    }
    free_endpoints(e);
    free_pipelines(&e->pipelines);
    plain_ports_deinit(&e->plain_ports);
    dtls_identity_deinit(&e->identity);
    mem_free(e->polled);
    mem_free(e->workers);
    mem_free(e);
}

struct addr engine_listen_addr(const struct engine *e, unsigned worker)
{
    assert(worker < e->n_workers);
    return e->workers[worker].socket.bound;
}

unsigned engine_n_workers(const struct engine *e)
{
    return e->n_workers;
}

size_t engine_n_pipelines(const struct engine *e)
{
    return e->pipelines.n;
}

bool engine_poll_event(struct engine *e, enum engine_front front, struct engine_event *ret)
{
    engine_tell_outside(e);
    for (struct mail *mail; (mail = next_report(e, front));) {
        struct worker_report *report = CONTAINER_OF(mail, struct worker_report, mail);
        struct engine_event event = report->event;
        mem_free(e->polled);
        e->polled = report;
        if (!engine_is_wanted(e, &event))
            continue;
        if (event.type == ENGINE_EVENT_ENDPOINT_GONE)
            engine_forget_endpoint(e, event.pipeline, event.endpoint);
        if (event.type == ENGINE_EVENT_GONE)
            engine_forget_pipeline(e, event.pipeline);
        *ret = event;
        return true;
    }
    return false;
}
