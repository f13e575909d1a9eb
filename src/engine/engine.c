/*
 * The control side of the engine: negotiates, makes calls, gives them to workers, collects what
 * the workers report. It never looks into a call that it has given away.
 */
#include "engine/engine.h"

#include <assert.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/map.h"
#include "base/mem.h"
#include "base/text.h"
#include "engine/interfaces.h"
#include "engine/worker.h"
#include "log/counters.h"
#include "log/log.h"
#include "peer/negotiate.h"

/* RFC 7022 §4.2: a CNAME for one call only, 96 random bits. */
#define CNAME_LEN 16

/* Seconds from 1900 (NTP) to 1970 (Unix). */
#define NTP_UNIX_OFFSET UINT64_C(2208988800)

/* A call as the control side knows it. */
struct engine_call {
    uint64_t id;
    struct worker *worker;
    struct worker_call *call;       /* owned by the worker: for commands only, never looked into */
    struct worker_command *release; /* owned until sent; NULL = released: nothing but GONE comes */
};

struct engine {
    struct rng *rng;
    bool ice_lite;
    struct dtls_identity identity;
    struct mailbox reports;
    struct mail *pending; /* taken from the mailbox, oldest first */
    struct map calls;     /* struct engine_call by id; owned */
    unsigned next_worker;
    unsigned n_workers;
    struct worker *workers;                  /* owned */
    struct addr addrs[ENGINE_MAX_ADDRESSES]; /* of the host candidates; port 0 */
    size_t n_addrs;
    struct addr externals[ENGINE_MAX_ADDRESSES];
    size_t n_externals;
};

static const void *call_key(const void *value, size_t *ret_len)
{
    *ret_len = sizeof(uint64_t);
    return &((const struct engine_call *)value)->id;
}

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

static void say(char *error, const char *format, ...) PRINTF_LIKE(2, 3);
static void say(char *error, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    (void)vsnprintf(error, ENGINE_ERROR_MAX, format, args);
    va_end(args);
}

static int find_addresses(struct engine *e, const struct engine_config *config)
{
    if (!addr_is_any(&config->listen)) {
        e->addrs[0] = config->listen;
        e->n_addrs = 1;
        return 0;
    }
    int n = interfaces_list(socket_has_v6(&e->workers[0].socket), e->addrs, ENGINE_MAX_ADDRESSES);
    if (n < 0)
        return n;
    e->n_addrs = (size_t)n;
    return n ? 0 : -EADDRNOTAVAIL;
}

static int open_workers(struct engine *e, const struct engine_config *config, char *error)
{
    struct worker_config wc = {
        .dscp = config->dscp,
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
        say(error,
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
            say(error, "media.port: cannot open UDP %s of worker %u: %s",
                addr_write(&wc.listen, at), i, strerror(-err));
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
        say(error, "cannot make the DTLS certificate: %s", strerror(-err));
        e->n_workers = 0; /* none is open */
        return err;
    }
    err = open_workers(e, config, error);
    if (err)
        return err;
    err = find_addresses(e, config);
    if (err) {
        say(error, "media.listen: no address to offer: %s", strerror(-err));
        return err;
    }
    for (unsigned i = 0; i < e->n_workers; i++) {
        err = worker_start(&e->workers[i]);
        if (err) {
            say(error, "cannot start media worker %u: %s", i, strerror(-err));
            return err;
        }
    }
    return 0;
}

struct engine *engine_new(const struct engine_config *config, struct rng *rng, char *error)
{
    struct engine *e = mem_zalloc(sizeof(*e));
    say(error, "out of memory");
    if (!e)
        return NULL;
    assert(config->n_external_ips <= ENGINE_MAX_ADDRESSES);
    e->rng = rng;
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
    map_init(&e->calls, call_key, rng);
    if (start(e, config, error)) {
        engine_free(e);
        return NULL;
    }
    return e;
}

static struct mail *next_report(struct engine *e)
{
    if (!e->pending)
        e->pending = mailbox_take_all(&e->reports);
    struct mail *mail = e->pending;
    if (mail)
        e->pending = mail->next;
    return mail;
}

static void free_call(struct engine_call *call)
{
    if (call)
        mem_free(call->release);
    mem_free(call);
}

void engine_free(struct engine *e)
{
    if (!e)
        return;
    for (unsigned i = 0; i < e->n_workers; i++)
        worker_close(&e->workers[i]);
    for (struct mail *mail; (mail = next_report(e));)
        mem_free(CONTAINER_OF(mail, struct worker_report, mail));
    size_t cursor = 0;
    for (struct engine_call *call; (call = map_next(&e->calls, &cursor));)
        free_call(call);
    map_deinit(&e->calls);
    dtls_identity_deinit(&e->identity);
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

size_t engine_n_calls(const struct engine *e)
{
    return e->calls.n;
}

/* --- offers --- */

/* @return 0, ENGINE_E_OFFER, -ENOMEM; `error` says it in both cases */
static int parse_offer(struct str text, struct sdp *ret, char *error)
{
    struct sdp_error sdp_error;
    struct negotiate_error refusal;
    char buf[NEGOTIATE_ERROR_MAX];

    int err = sdp_parse(ret, text, &sdp_error);
    if (err < 0) {
        say(error, "%s", strerror(-err));
        return err;
    }
    if (err) {
        if (sdp_error.line)
            say(error, "line %u: %s", sdp_error.line, sdp_error.text);
        else
            say(error, "%s", sdp_error.text);
        return ENGINE_E_OFFER;
    }
    if (negotiate_check(ret, &refusal)) {
        say(error, "%s", negotiate_error_write(&refusal, buf));
        sdp_deinit(ret);
        return ENGINE_E_OFFER;
    }
    return 0;
}

bool engine_check_offer(struct engine *e, struct str offer, char *error)
{
    struct sdp sdp;
    (void)e;
    if (parse_offer(offer, &sdp, error))
        return false;
    sdp_deinit(&sdp);
    return true;
}

/* --- making a call --- */

/* What we say of ourselves to one leg. */
struct leg_side {
    char ufrag[DEMUX_UFRAG_LEN + 1];
    char pwd[WORKER_PWD_LEN + 1];
    char cname[CNAME_LEN + 1];
    struct peer_params params;
};

/* Everything that is needed while a call is made: too large for the stack. */
struct setup {
    struct sdp offers[RELAY_LEGS];
    struct codec_set sets[RELAY_LEGS];
    struct leg_side sides[RELAY_LEGS];
    struct ice_candidate candidates[ENGINE_MAX_ADDRESSES];
    size_t n_candidates;
};

/* RFC 8445 §5.1.1.3: same foundation for same type and base. One address, one foundation. */
static void add_candidate(struct setup *s, const struct addr *addr, const struct addr *base)
{
    struct ice_candidate *c = &s->candidates[s->n_candidates];
    *c = (struct ice_candidate){
        .type = ICE_HOST,
        .transport = ICE_UDP,
        .component = 1,
        .priority = ice_candidate_priority(ICE_HOST, (uint16_t)(UINT16_MAX - s->n_candidates)),
        .addr = *addr,
        .related = base ? *base : (struct addr){.port = 0},
    };
    s->n_candidates++;
    (void)snprintf(c->foundation, sizeof(c->foundation), "%zu", s->n_candidates);
}

/* The external addresses stand for the interfaces of their family; other families stay as they are.
 */
static void make_candidates(const struct engine *e, uint16_t port, struct setup *s)
{
    for (size_t i = 0; i < e->n_addrs && s->n_candidates < ICE_MAX_LOCAL; i++) {
        struct addr base = e->addrs[i], external;
        bool is_mapped = false;
        base.port = port;
        for (size_t k = 0; k < e->n_externals && !is_mapped; k++) {
            external = e->externals[k];
            external.port = port;
            is_mapped = addr_is_v4(&external) == addr_is_v4(&base);
        }
        add_candidate(s, is_mapped ? &external : &base, is_mapped ? &base : NULL);
    }
}

/* Our candidates as text: to be trickled, and for who cannot trickle in the answer itself. */
static void write_candidates(const struct setup *s, struct engine_answers *ret)
{
    ret->n_candidates = s->n_candidates;
    for (size_t i = 0; i < s->n_candidates; i++) {
        struct ice_candidate shown = s->candidates[i];
        /* The address behind a 1:1 NAT is nobody's business. */
        shown.related = (struct addr){.port = 0};
        (void)ice_candidate_write(&shown, ret->candidates[i]);
    }
}

static int answer_leg(struct engine *e, struct setup *s, unsigned i, struct engine_answers *ret)
{
    struct leg_side *side = &s->sides[i];
    struct str candidates[ENGINE_MAX_ADDRESSES];
    struct negotiate_error refusal;
    struct text answer;

    rng_ice_chars(e->rng, side->ufrag, DEMUX_UFRAG_LEN);
    rng_ice_chars(e->rng, side->pwd, WORKER_PWD_LEN);
    rng_ice_chars(e->rng, side->cname, CNAME_LEN);
    for (size_t k = 0; k < ret->n_candidates; k++)
        candidates[k] = str_of(ret->candidates[k]);
    struct negotiate_local local = {
        .ufrag = str_of(side->ufrag),
        .pwd = str_of(side->pwd),
        .ssrc = rng_u32(e->rng),
        .cname = str_of(side->cname),
        .msid = str_of(side->cname),
        .session_id = rng_u64(e->rng) >> 2,
        .session_version = 1,
        .candidates = candidates,
        .ice_lite = e->ice_lite,
    };
    memcpy(local.fingerprint, e->identity.fingerprint.bytes, 32);
    int err;
    do {
        text_init(&answer, ret->sdp[i], sizeof(ret->sdp[i]));
        err =
            negotiate_answer(&s->offers[i], &s->sets[i], &local, &side->params, &answer, &refusal);
        if (err || side->params.remote_trickle || local.end_of_candidates)
            break;
        local.n_candidates = ret->n_candidates;
        local.end_of_candidates = true;
    } while (true);
    if (err) {
        (void)negotiate_error_write(&refusal, ret->error);
        ret->bad_leg = i;
        return ENGINE_E_OFFER;
    }
    if (e->ice_lite && side->params.remote_lite) {
        say(ret->error, "a=ice-lite: this server is lite itself, nobody would send checks");
        ret->bad_leg = i;
        return ENGINE_E_OFFER;
    }
    (void)str_copy(str_of(side->params.mid), ret->mid[i], sizeof(ret->mid[i]));
    ret->mline_index[i] = (int)side->params.mline_index;
    return 0;
}

static int negotiate(struct engine *e, struct setup *s, struct engine_answers *ret)
{
    for (unsigned i = 0; i < RELAY_LEGS; i++) {
        if (negotiate_common(&s->offers[i], &s->offers[1 - i], &s->sets[i])) {
            say(ret->error, "the two sides have no audio codec in common");
            return ENGINE_E_NO_CODEC;
        }
    }
    for (unsigned i = 0; i < RELAY_LEGS; i++) {
        int err = answer_leg(e, s, i, ret);
        if (err)
            return err;
    }
    return 0;
}

static int make_call(struct worker *w, mono_us now, const struct setup *s, uint64_t id,
                     struct worker_call **ret)
{
    struct worker_call *call = worker_call_new(id);
    struct peer_local locals[RELAY_LEGS];
    if (!call)
        return -ENOMEM;
    for (unsigned i = 0; i < RELAY_LEGS; i++) {
        const struct leg_side *side = &s->sides[i];
        memcpy(call->legs[i].demux.name, side->ufrag, DEMUX_NAME_LEN);
        locals[i] = (struct peer_local){
            .ufrag = str_of(side->ufrag),
            .pwd = str_of(side->pwd),
            .cname = str_of(side->cname),
            .candidates = s->candidates,
            .n_candidates = s->n_candidates,
        };
    }
    int err = relay_init(&call->relay, now,
                         (const struct peer_params *[]){&s->sides[0].params, &s->sides[1].params},
                         (const struct peer_local *[]){&locals[0], &locals[1]}, &w->env);
    if (err) {
        worker_call_free(call);
        return err;
    }
    *ret = call;
    return 0;
}

/* @param size of a worker_command or of what begins with one; NULL = out of memory */
static struct worker_command *command_new(size_t size, enum worker_command_type type,
                                          struct worker_call *call)
{
    struct worker_command *c = mem_zalloc(size);
    if (!c)
        return NULL;
    c->type = type;
    c->call = call;
    return c;
}

/* Give a finished call away. */
static int hand_over(struct engine *e, struct worker *w, struct worker_call *call)
{
    struct engine_call *known = mem_zalloc(sizeof(*known));
    struct worker_command *add = command_new(sizeof(*add), WORKER_ADD, call);
    if (known) {
        *known = (struct engine_call){.id = call->id, .worker = w, .call = call};
        known->release = command_new(sizeof(*known->release), WORKER_RELEASE, call);
    }
    int err = known && known->release && add ? map_insert(&e->calls, known) : -ENOMEM;
    if (err) {
        mem_free(add);
        free_call(known);
        return err;
    }
    worker_send(w, add);
    return 0;
}

static int set_up(struct engine *e, mono_us now, uint64_t call_id, struct setup *s,
                  struct engine_answers *ret)
{
    struct worker *w = &e->workers[e->next_worker++ % e->n_workers];
    struct worker_call *call;

    make_candidates(e, w->socket.bound.port, s);
    write_candidates(s, ret);
    int err = negotiate(e, s, ret);
    if (err)
        return err;
    err = make_call(w, now, s, call_id, &call);
    if (err > 0) {
        say(ret->error, "ICE: the offer's credentials cannot be used");
        return ENGINE_E_OFFER;
    }
    if (err)
        return err;
    err = hand_over(e, w, call);
    if (err) {
        worker_call_free(call);
        return err;
    }
    return 0;
}

int engine_call_start(struct engine *e, mono_us now, uint64_t call_id, const struct str offers[2],
                      struct engine_answers *ret)
{
    assert(!map_find(&e->calls, &call_id, sizeof(call_id)));
    ret->error[0] = 0;
    ret->bad_leg = 0;
    struct setup *s = mem_zalloc(sizeof(*s));
    if (!s)
        return -ENOMEM;
    int err = 0;
    unsigned n = 0;
    for (; n < RELAY_LEGS; n++) {
        err = parse_offer(offers[n], &s->offers[n], ret->error);
        if (err) {
            ret->bad_leg = n;
            break;
        }
    }
    if (!err)
        err = set_up(e, now, call_id, s, ret);
    while (n > 0)
        sdp_deinit(&s->offers[--n]);
    mem_free(s);
    return err;
}

/* --- afterwards --- */

static struct engine_call *find_live(struct engine *e, uint64_t call_id)
{
    struct engine_call *call = map_find(&e->calls, &call_id, sizeof(call_id));
    return call && call->release ? call : NULL;
}

static void send_candidate(const struct engine_call *call, unsigned leg, struct str text,
                           struct str ufrag)
{
    struct worker_candidate *c = (struct worker_candidate *)(void *)command_new(
        sizeof(*c), WORKER_CANDIDATE, call->call); /* command is its first member */
    if (!c)
        return;
    c->command.leg = leg;
    if (ufrag.len == 0)
        ufrag = ice_candidate_ufrag(text);
    int err = ice_candidate_parse(text, &c->candidate);
    if (err || !str_copy(ufrag, c->ufrag, sizeof(c->ufrag))) {
        LOG_SCOPE(call->id, leg ? "callee" : "caller");
        log_debug(MEDIA, "candidate cannot be used, ignoring: %.*s", STR_FMT(str_head(text, 200)));
        counter_add(COUNTER_ENGINE_CANDIDATE_IGNORED);
        mem_free(c);
        return;
    }
    worker_send(call->worker, &c->command);
}

static void send_end_of_candidates(const struct engine_call *call, unsigned leg)
{
    struct worker_command *c = command_new(sizeof(*c), WORKER_END_OF_CANDIDATES, call->call);
    if (!c)
        return;
    c->leg = leg;
    worker_send(call->worker, c);
}

void engine_call_add_candidate(struct engine *e, uint64_t call_id, unsigned leg,
                               struct str candidate, struct str ufrag)
{
    const struct engine_call *call = find_live(e, call_id);
    assert(leg < RELAY_LEGS);
    if (!call)
        return;
    if (candidate.len)
        send_candidate(call, leg, candidate, ufrag);
    else
        send_end_of_candidates(call, leg);
}

void engine_call_release(struct engine *e, uint64_t call_id)
{
    struct engine_call *call = find_live(e, call_id);
    if (!call)
        return;
    struct worker_command *release = call->release;
    call->release = NULL; /* now owned by the worker */
    worker_send(call->worker, release);
}

bool engine_poll_event(struct engine *e, struct engine_event *ret)
{
    for (struct mail *mail; (mail = next_report(e));) {
        struct worker_report *report = CONTAINER_OF(mail, struct worker_report, mail);
        struct engine_event event = report->event;
        mem_free(report);
        struct engine_call *call = map_find(&e->calls, &event.call_id, sizeof(event.call_id));
        if (!call || (!call->release && event.type != ENGINE_EVENT_GONE))
            continue;
        if (event.type == ENGINE_EVENT_GONE)
            free_call(map_remove(&e->calls, &event.call_id, sizeof(event.call_id)));
        *ret = event;
        return true;
    }
    return false;
}
