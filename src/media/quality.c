/* Records of calls by id: see the header. */
#include "media/quality.h"

#include <errno.h>

#include "base/mem.h"

/* One page's questions. */
struct asker {
    struct relay_quality quality;
    struct peer_figures caller; /* waits for the callee's */
    bool has_caller;
};

/* What one page says of its ears. */
struct ears {
    struct relay_hearing last;
    mono_us at;
    double sum;
    unsigned n;
};

struct record {
    uint64_t call_id;
    struct asker askers[MEDIA_LEGS];
    struct ears ears[MEDIA_LEGS];
    bool is_gone[MEDIA_LEGS];
    struct engine_stats gone[MEDIA_LEGS];
};

static const void *record_key(const void *value, size_t *ret_len)
{
    *ret_len = sizeof(uint64_t);
    return &((const struct record *)value)->call_id;
}

void media_quality_init(struct media_quality *q, struct rng *rng)
{
    map_init(&q->calls, record_key, rng);
}

void media_quality_deinit(struct media_quality *q)
{
    size_t cursor = 0;
    for (struct record *r; (r = map_next(&q->calls, &cursor));)
        mem_free(r);
    map_deinit(&q->calls);
}

static struct record *find(const struct media_quality *q, uint64_t call_id)
{
    return map_find(&q->calls, &call_id, sizeof(call_id));
}

static struct record *find_or_make(struct media_quality *q, uint64_t call_id)
{
    struct record *r = find(q, call_id);
    if (r)
        return r;
    r = mem_zalloc(sizeof(*r));
    if (!r)
        return NULL;
    r->call_id = call_id;
    for (unsigned leg = 0; leg < MEDIA_LEGS; leg++)
        relay_quality_init(&r->askers[leg].quality);
    if (map_insert(&q->calls, r)) {
        mem_free(r);
        return NULL;
    }
    return r;
}

static void listen_to(struct ears *ears, mono_us now, const struct media_hearing *hearing)
{
    ears->last.is_known = hearing->concealed_permille >= 0;
    if (!ears->last.is_known)
        return;
    ears->last.concealed = hearing->concealed_permille / 1000.0;
    ears->at = now;
    ears->sum += ears->last.concealed;
    ears->n++;
}

int media_quality_asked(struct media_quality *q, mono_us now, uint64_t call_id,
                        enum media_leg asker, const struct media_hearing *hearing)
{
    struct record *r = find_or_make(q, call_id);
    if (!r)
        return -ENOMEM;
    listen_to(&r->ears[asker], now, hearing);
    r->askers[asker].has_caller = false;
    return 0;
}

bool media_quality_figures(struct media_quality *q, mono_us now, uint64_t call_id,
                           enum media_leg asker, enum media_leg leg,
                           const struct peer_figures *figures, struct relay_quality_report *ret)
{
    struct record *r = find(q, call_id);
    if (!r)
        return false;
    struct asker *a = &r->askers[asker];
    if (leg == MEDIA_CALLER) {
        a->caller = *figures;
        a->has_caller = true;
        return false;
    }
    if (!a->has_caller)
        return false;
    a->has_caller = false;
    struct relay_hearing hearing[MEDIA_LEGS];
    for (unsigned i = 0; i < MEDIA_LEGS; i++) {
        hearing[i] = r->ears[i].last;
        hearing[i].is_known &= now - r->ears[i].at < MEDIA_QUALITY_HEARING_AGE;
    }
    relay_quality_ask(&a->quality, (const struct peer_figures[]){a->caller, *figures}, hearing,
                      ret);
    return true;
}

int media_quality_gone(struct media_quality *q, uint64_t call_id, enum media_leg leg,
                       const struct engine_stats *stats, struct media_quality_end *ret)
{
    struct record *r = find_or_make(q, call_id);
    if (!r)
        return -ENOMEM;
    r->gone[leg] = *stats;
    r->is_gone[leg] = true;
    if (!r->is_gone[MEDIA_CALLER] || !r->is_gone[MEDIA_CALLEE])
        return MEDIA_QUALITY_E_FIRST;
    /* Lines are judged by what the engine saw: pages speak of moments. */
    const struct relay_hearing unknown[MEDIA_LEGS] = {{0}};
    const struct peer_figures figures[] = {r->gone[0].media, r->gone[1].media};
    struct relay_quality whole;
    relay_quality_init(&whole);
    *ret = (struct media_quality_end){.stats = {r->gone[0], r->gone[1]}};
    relay_quality_ask(&whole, figures, unknown, &ret->report);
    for (unsigned i = 0; i < MEDIA_LEGS; i++) {
        ret->has_concealed[i] = r->ears[i].n > 0;
        ret->concealed[i] = r->ears[i].n ? r->ears[i].sum / r->ears[i].n : 0;
    }
    return 0;
}

void media_quality_forget(struct media_quality *q, uint64_t call_id)
{
    mem_free(map_remove(&q->calls, &call_id, sizeof(call_id)));
}
