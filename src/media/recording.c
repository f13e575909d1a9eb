/*
 * Each leg has a tap, an endpoint of the call's pipeline that hears this leg and puts what it hears
 * into the ring of a recording. The entry of a call lives until the last of its files is closed,
 * which may be some time after the call.
 */
#include "media/recording.h"

#include <errno.h>

#include "base/mem.h"
#include "base/packet_ring.h"
#include "log/log.h"

/* The numbers of a call's taps follow those of its legs. */
#define TAP_OF(leg) (MEDIA_LEGS + (leg))

enum outcome {
    OUTCOME_UNKNOWN, /* not begun, or its file is being opened */
    OUTCOME_RECORDED,
    OUTCOME_DROPPED, /* the disk stands still, and what is said is dropped meanwhile */
    OUTCOME_LOST,
};

struct recorded_leg {
    struct recorded_call *call;
    char *file;                  /* owned */
    struct recording *recording; /* NULL = has not begun, or is closed */
    bool is_connected, is_open;  /* the leg; its file */
    enum outcome outcome, told;  /* as it is; as the people of the call know it */
    uint64_t n_dropped;          /* packets, when it was looked at last */
};

struct recorded_call {
    uint64_t id;
    bool has_begun, is_over;
    mono_us looked_at;
    struct recorded_leg legs[MEDIA_LEGS];
    struct list changed; /* in media_recordings.changed */
};

static const char *const leg_names[] = {[MEDIA_CALLER] = "caller", [MEDIA_CALLEE] = "callee"};

static const char *name_of(const struct recorded_leg *leg)
{
    return leg_names[leg - leg->call->legs];
}

static const void *id_key(const void *value, size_t *ret_len)
{
    *ret_len = sizeof(uint64_t);
    return &((const struct recorded_call *)value)->id;
}

static void free_call(struct recorded_call *call)
{
    list_remove(&call->changed);
    for (unsigned leg = 0; leg < MEDIA_LEGS; leg++)
        mem_free(call->legs[leg].file);
    mem_free(call);
}

void media_recordings_init(struct media_recordings *r, struct engine *engine,
                           struct recorder *recorder, struct rng *rng)
{
    r->engine = engine;
    r->recorder = recorder;
    map_init(&r->calls, id_key, rng);
    list_init(&r->changed);
}

void media_recordings_deinit(struct media_recordings *r)
{
    size_t cursor = 0;
    for (struct recorded_call *call; (call = map_next(&r->calls, &cursor));)
        free_call(call);
    map_deinit(&r->calls);
}

static struct recorded_call *find(const struct media_recordings *r, uint64_t call_id)
{
    return map_find(&r->calls, &call_id, sizeof(call_id));
}

int media_recordings_expect(struct media_recordings *r, uint64_t call_id,
                            const struct str files[MEDIA_LEGS])
{
    struct recorded_call *call = mem_zalloc(sizeof(*call));
    if (!call)
        return -ENOMEM;
    call->id = call_id;
    list_init(&call->changed);
    for (unsigned leg = 0; leg < MEDIA_LEGS; leg++) {
        call->legs[leg].call = call;
        call->legs[leg].file = mem_strdup(files[leg]);
    }
    if (!call->legs[MEDIA_CALLER].file || !call->legs[MEDIA_CALLEE].file ||
        map_insert(&r->calls, call)) {
        free_call(call);
        return -ENOMEM;
    }
    return 0;
}

/* ---- what the people of a call are told ---- */

static void came_out(struct media_recordings *r, struct recorded_leg *leg, enum outcome outcome)
{
    struct recorded_call *call = leg->call;
    bool is_same = leg->outcome == outcome;
    leg->outcome = outcome;
    if (call->is_over || is_same)
        return;
    list_remove(&call->changed);
    list_append(&r->changed, &call->changed);
}

static bool is_changed(const struct recorded_leg *leg)
{
    bool is_first = leg->told == OUTCOME_UNKNOWN;
    return is_first || (leg->outcome == OUTCOME_RECORDED) != (leg->told == OUTCOME_RECORDED);
}

static bool is_news(const struct recorded_call *call)
{
    const struct recorded_leg *caller = &call->legs[MEDIA_CALLER],
                              *callee = &call->legs[MEDIA_CALLEE];
    return caller->outcome && callee->outcome && (is_changed(caller) || is_changed(callee));
}

static void drops(struct media_recordings *r, struct recorded_leg *leg)
{
    LOG_SCOPE(leg->call->id, name_of(leg));
    if (leg->outcome != OUTCOME_DROPPED)
        log_warning(RECORD, "the disk does not keep up; the call goes on, but is not recorded");
    came_out(r, leg, OUTCOME_DROPPED);
}

static void goes_on(struct media_recordings *r, struct recorded_leg *leg)
{
    LOG_SCOPE(leg->call->id, name_of(leg));
    log_info(RECORD, "the disk keeps up again; the call is recorded");
    came_out(r, leg, OUTCOME_RECORDED);
}

/* A recording that has failed stays that. */
static void look_at(struct media_recordings *r, struct recorded_leg *leg)
{
    if (!leg->recording || leg->outcome == OUTCOME_LOST)
        return;
    uint64_t n_dropped = recording_n_dropped(leg->recording);
    if (n_dropped != leg->n_dropped)
        drops(r, leg);
    else if (leg->outcome == OUTCOME_DROPPED && leg->is_open)
        goes_on(r, leg);
    leg->n_dropped = n_dropped;
}

bool media_recordings_look(struct media_recordings *r, mono_us now, uint64_t call_id)
{
    struct recorded_call *call = find(r, call_id);
    if (!call || call->is_over || now - call->looked_at < MEDIA_RECORDINGS_LOOK)
        return false;
    call->looked_at = now;
    look_at(r, &call->legs[MEDIA_CALLER]);
    look_at(r, &call->legs[MEDIA_CALLEE]);
    return is_news(call);
}

bool media_recordings_poll_change(struct media_recordings *r, uint64_t *ret_call_id,
                                  bool ret_is_recorded[MEDIA_LEGS])
{
    for (struct list *node; (node = list_pop(&r->changed));) {
        struct recorded_call *call = CONTAINER_OF(node, struct recorded_call, changed);
        if (!is_news(call))
            continue;
        *ret_call_id = call->id;
        for (unsigned leg = 0; leg < MEDIA_LEGS; leg++) {
            call->legs[leg].told = call->legs[leg].outcome;
            ret_is_recorded[leg] = call->legs[leg].outcome == OUTCOME_RECORDED;
        }
        return true;
    }
    return false;
}

/* ---- the beginning ---- */

static void say_lost(uint64_t call_id, unsigned leg, const char *why)
{
    LOG_SCOPE(call_id, leg_names[leg]);
    log_error(RECORD, "%s; the call goes on, but is not recorded", why);
}

/* The leg's voice into the ring. */
static int tap(struct media_recordings *r, uint64_t call_id, unsigned leg, struct packet_ring *ring)
{
    int err = engine_endpoint_tap(r->engine, call_id, TAP_OF(leg), ring);
    if (err)
        return err;
    err = engine_connect(r->engine, call_id, leg, TAP_OF(leg));
    if (err)
        engine_endpoint_release(r->engine, call_id, TAP_OF(leg));
    return err;
}

static int record(struct media_recordings *r, mono_us now, struct recorded_leg *leg,
                  struct packet_ring *ring)
{
    const struct recorder_order order = {
        .front = RECORDER_CALLS,
        .format = RECORD_WEBM,
        .uri = str_of(leg->file),
        .ring = ring,
        .user = leg,
    };
    return recorder_start(r->recorder, now, &order, &leg->recording);
}

static void begin_leg(struct media_recordings *r, mono_us now, struct recorded_call *call,
                      unsigned i)
{
    struct recorded_leg *leg = &call->legs[i];
    struct packet_ring *ring = packet_ring_new(RECORDER_RING);
    int err = ring ? record(r, now, leg, ring) : -ENOMEM;
    if (!err) {
        err = tap(r, call->id, i, ring);
        if (err) {
            recording_forget(leg->recording, now);
            leg->recording = NULL;
        }
    }
    packet_ring_unref(ring);
    if (err) {
        say_lost(call->id, i,
                 err == RECORDER_E_FULL ? "recording.max_files is reached" : "out of memory");
        came_out(r, leg, OUTCOME_LOST);
        return;
    }
    LOG_SCOPE(call->id, leg_names[i]);
    log_info(RECORD, "recording to %s", leg->file);
}

void media_recordings_connected(struct media_recordings *r, mono_us now, uint64_t call_id,
                                enum media_leg leg)
{
    struct recorded_call *call = find(r, call_id);
    if (!call || call->has_begun || call->is_over)
        return;
    call->legs[leg].is_connected = true;
    if (!call->legs[MEDIA_CALLER].is_connected || !call->legs[MEDIA_CALLEE].is_connected)
        return;
    call->has_begun = true;
    for (unsigned i = 0; i < MEDIA_LEGS; i++)
        begin_leg(r, now, call, i);
}

/* ---- the end ---- */

static void forget_when_closed(struct media_recordings *r, struct recorded_call *call)
{
    if (!call->is_over || call->legs[MEDIA_CALLER].recording || call->legs[MEDIA_CALLEE].recording)
        return;
    (void)map_remove(&r->calls, &call->id, sizeof(call->id));
    free_call(call);
}

void media_recordings_release(struct media_recordings *r, mono_us now, uint64_t call_id)
{
    struct recorded_call *call = find(r, call_id);
    if (!call || call->is_over)
        return;
    call->is_over = true;
    list_remove(&call->changed);
    for (unsigned leg = 0; leg < MEDIA_LEGS; leg++) {
        if (call->legs[leg].recording)
            recording_stop(call->legs[leg].recording, now);
    }
    forget_when_closed(r, call);
}

void media_recordings_poll(struct media_recordings *r)
{
    struct recorder_event event;
    while (r->recorder && recorder_poll_event(r->recorder, RECORDER_CALLS, &event)) {
        struct recorded_leg *leg = event.user;
        switch (event.type) {
        case RECORDER_FAILED:
            say_lost(leg->call->id, leg == &leg->call->legs[MEDIA_CALLEE], event.text);
            came_out(r, leg, OUTCOME_LOST);
            break;
        case RECORDER_CLOSED:
            leg->recording = NULL;
            forget_when_closed(r, leg->call);
            break;
        case RECORDER_STARTED:
            leg->is_open = true;
            came_out(r, leg, OUTCOME_RECORDED);
            break;
        case RECORDER_PAUSED:
        case RECORDER_RESUMED:
            break;
        }
    }
}

bool media_recordings_is_open(const struct media_recordings *r, struct str file)
{
    size_t cursor = 0;
    for (const struct recorded_call *call; (call = map_next(&r->calls, &cursor));) {
        for (unsigned leg = 0; leg < MEDIA_LEGS; leg++) {
            if (call->legs[leg].recording && str_eq(file, str_of(call->legs[leg].file)))
                return true;
        }
    }
    return false;
}
