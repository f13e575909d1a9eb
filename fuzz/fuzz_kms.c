/* fuzz: duet_kms duet_signal duet_engine duet_net duet_log duet_base */
/*
 * Two media servers that say what they like, one thing a line; the first byte says what it is:
 *
 *   0 1   a frame of that server, the rest of the line; "#" in it is the id of the oldest request
 * that the server was sent and that no frame of it has named yet o p   its connection opens (server
 * 0, 1)      x y   it closes s     a call starts   c  a candidate of it    g     a later offer    r
 * it is released t     a second passes
 *
 * Checked: what is sent is JSON-RPC, what is told is of calls that are there, after an end nothing
 * more, and nothing is left when all is freed.
 */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "base/text.h"
#include "kms/kms.h"
#include "log/log.h"

#define N_SERVERS   2
#define MAX_WAITING 256
#define MAX_CALLS   64

struct waiting {
    json_int_t ids[MAX_WAITING];
    size_t first, n; /* of those that were sent */
};

struct world {
    struct kms *k;
    struct media *m;
    mono_us now;
    bool is_connecting[N_SERVERS], is_open[N_SERVERS];
    struct waiting waiting[N_SERVERS];
    bool is_there[MAX_CALLS], has_ended[MAX_CALLS]; /* by id */
    uint64_t last_call;
};

static void do_connect(void *user, unsigned n)
{
    struct world *w = user;
    assert(!w->is_connecting[n] && !w->is_open[n]);
    w->is_connecting[n] = true;
}

static void do_send(void *user, unsigned n, struct str text)
{
    struct world *w = user;
    struct waiting *all = &w->waiting[n];
    json_t *request = json_loadb(text.p, text.len, JSON_REJECT_DUPLICATES, NULL);
    assert(request && json_is_string(json_object_get(request, "method")));
    if (w->is_open[n])
        all->ids[all->n++ % MAX_WAITING] = json_integer_value(json_object_get(request, "id"));
    json_decref(request);
}

static void do_close(void *user, unsigned n)
{
    struct world *w = user;
    w->is_connecting[n] = w->is_open[n] = false;
}

static mono_us get_now(void *user)
{
    const struct world *w = user;
    return w->now;
}

static void do_wake(void *user)
{
    (void)user;
}

static void drain(struct world *w)
{
    struct media_event e;
    while (w->m->ops->poll_event(w->m, &e)) {
        assert(e.call_id < MAX_CALLS && w->is_there[e.call_id] && !w->has_ended[e.call_id]);
        if (e.type == MEDIA_EVENT_ENDED)
            w->has_ended[e.call_id] = true;
    }
}

static json_int_t next_id(struct waiting *all)
{
    return all->first < all->n ? all->ids[all->first++ % MAX_WAITING] : 0;
}

static void say(struct world *w, unsigned n, struct str line)
{
    static char buf[65536];
    struct text t;
    if (!w->is_open[n])
        return;
    text_init(&t, buf, sizeof(buf));
    while (line.len) {
        struct str part = str_take_until(&line, '#');
        text_put(&t, part);
        if (line.len)
            text_printf(&t, "%lld", (long long)next_id(&w->waiting[n]));
    }
    kms_frame(w->k, w->now, n, text_str(&t));
}

static void open_(struct world *w, unsigned n)
{
    if (!w->is_connecting[n])
        return;
    w->is_connecting[n] = false;
    w->is_open[n] = true;
    w->waiting[n] = (struct waiting){0};
    kms_opened(w->k, w->now, n);
}

static void close_(struct world *w, unsigned n)
{
    if (!w->is_connecting[n] && !w->is_open[n])
        return;
    w->is_connecting[n] = w->is_open[n] = false;
    kms_closed(w->k, w->now, n, "closed");
}

static void start(struct world *w)
{
    if (w->last_call + 1 >= MAX_CALLS)
        return;
    w->is_there[++w->last_call] = true;
    int err = w->m->ops->start(w->m, w->last_call, STR("v=0 a"), STR("v=0 b"), NULL);
    assert(!err);
}

static void run_line(struct world *w, struct str line)
{
    static const struct media_candidate candidate = {
        .candidate = {"candidate:1 1 udp 1 192.0.2.1 1 typ host", 40}, .mline_index = 0};
    static const struct media_hearing hearing = {5, 40};
    enum media_leg leg = line.len & 1 ? MEDIA_CALLER : MEDIA_CALLEE;
    switch (line.len ? line.p[0] : 0) {
    case '0':
    case '1':
        say(w, (unsigned)(line.p[0] - '0'), str_tail(line, 1));
        break;
    case 'o':
    case 'p':
        open_(w, (unsigned)(line.p[0] - 'o'));
        break;
    case 'x':
    case 'y':
        close_(w, (unsigned)(line.p[0] - 'x'));
        break;
    case 's':
        start(w);
        break;
    case 'c':
        w->m->ops->add_candidate(w->m, w->last_call, leg, &candidate);
        break;
    case 'g':
        (void)!w->m->ops->renegotiate(w->m, w->last_call, leg, STR("v=0 again"));
        break;
    case 'r':
        w->m->ops->release(w->m, w->last_call);
        w->is_there[w->last_call] = false;
        break;
    case 'q':
        w->m->ops->ask_quality(w->m, w->last_call, leg, &hearing);
        break;
    case 't':
        w->now += US_PER_S;
        break;
    default:
        break;
    }
    kms_timeout(w->k, w->now);
    drain(w);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const names[] = {"one", "two"};
    static struct world w;
    struct rng rng;
    memset(&w, 0, sizeof(w));
    w.now = US_PER_S;
    log_set_level(LOG_LEVEL_ERROR);
    rng_init_seeded(&rng, 1);
    w.k = kms_new(&(struct kms_config){names, N_SERVERS, do_wake, NULL},
                  &(struct kms_transport){do_connect, do_send, do_close, get_now, &w}, &rng);
    assert(w.k);
    w.m = kms_media(w.k);
    struct str rest = {(const char *)data, size};
    while (rest.len)
        run_line(&w, str_take_until(&rest, '\n'));
    w.m->ops->free(w.m);
    return 0;
}
