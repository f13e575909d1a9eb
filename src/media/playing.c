/*
 * A played file is two halves that know nothing of each other: a reading, which fills a feed, and a
 * pipeline, whose player empties it. The feed exists from the beginning, so it does not matter
 * which half is ready first: the reading waits for the file to be whole, the player for the
 * listener.
 */
#include "media/playing.h"

#include <assert.h>
#include <errno.h>

#include "base/mem.h"
#include "base/packet_feed.h"
#include "log/log.h"

/* The endpoint that plays; the number follows those of legs, which events are about. */
#define PLAYER MEDIA_LEGS

struct played_file {
    uint64_t id;
    char *file;               /* owned */
    struct packet_feed *feed; /* a reference */
    struct playing *playing;  /* the reading; NULL = has not begun */
    struct list node;         /* in `waiting`, in `failed`, or in none */
    enum media_end end;       /* in `failed` */
};

static const void *id_key(const void *value, size_t *ret_len)
{
    *ret_len = sizeof(uint64_t);
    return &((const struct played_file *)value)->id;
}

void media_playings_init(struct media_playings *p, struct engine *engine, struct player *player,
                         const struct media_recordings *recordings, struct rng *rng)
{
    p->engine = engine;
    p->player = player;
    p->recordings = recordings;
    map_init(&p->by_id, id_key, rng);
    list_init(&p->waiting);
    list_init(&p->failed);
}

static void free_file(struct played_file *f)
{
    list_remove(&f->node);
    playing_stop(f->playing);
    packet_feed_unref(f->feed);
    mem_free(f->file);
    mem_free(f);
}

void media_playings_deinit(struct media_playings *p)
{
    size_t cursor = 0;
    for (struct played_file *f; (f = map_next(&p->by_id, &cursor));)
        free_file(f);
    map_deinit(&p->by_id);
}

/* ---- the beginning ---- */

static struct played_file *new_file(uint64_t id, struct str file)
{
    struct played_file *f = mem_zalloc(sizeof(*f));
    if (!f)
        return NULL;
    f->id = id;
    list_init(&f->node);
    f->file = mem_strdup(file);
    f->feed = packet_feed_new(0);
    if (f->file && f->feed)
        return f;
    free_file(f);
    return NULL;
}

/* The half that reads. @return 0, PLAYER_E_FULL, or -ENOMEM */
static int start_reading(struct media_playings *p, struct played_file *f)
{
    const struct player_order order = {
        .front = PLAYER_CALLS, .uri = str_of(f->file), .feed = f->feed, .user = f};
    return player_start(p->player, &order, &f->playing);
}

/* The half that sends: whatever it leaves behind is released with the pipeline. */
static int make_endpoints(struct media_playings *p, mono_us now, uint64_t id, struct str offer,
                          struct engine_answer *ret, char *error)
{
    int err = engine_endpoint_answer(p->engine, now, id, MEDIA_CALLER, offer, ENGINE_SENDONLY, ret,
                                     error);
    if (!err)
        err = engine_endpoint_player(p->engine, id, PLAYER);
    if (!err)
        err = engine_connect(p->engine, id, PLAYER, MEDIA_CALLER);
    return err;
}

static int start_both(struct media_playings *p, mono_us now, struct played_file *f,
                      struct str offer, struct engine_answer *ret, char *error)
{
    bool is_written = media_recordings_is_open(p->recordings, str_of(f->file));
    int err = engine_pipeline_new(p->engine, ENGINE_CALLS, f->id);
    if (err)
        return err;
    err = make_endpoints(p, now, f->id, offer, ret, error);
    if (!err && !is_written && start_reading(p, f))
        err = -EBUSY;
    if (err)
        engine_pipeline_release(p->engine, f->id);
    else if (is_written)
        list_append(&p->waiting, &f->node);
    return err;
}

int media_playings_start(struct media_playings *p, mono_us now, uint64_t id, struct str file,
                         struct str offer, struct engine_answer *ret, char *error)
{
    struct played_file *f = new_file(id, file);
    assert(p->player);
    if (!f)
        return -ENOMEM;
    int err = map_insert(&p->by_id, f);
    if (err) {
        free_file(f);
        return err;
    }
    err = start_both(p, now, f, offer, ret, error);
    if (err) {
        (void)map_remove(&p->by_id, &id, sizeof(id));
        free_file(f);
    }
    return err;
}

static struct played_file *find(const struct media_playings *p, uint64_t id)
{
    return map_find(&p->by_id, &id, sizeof(id));
}

static void fail(struct media_playings *p, struct played_file *f, enum media_end end)
{
    list_remove(&f->node);
    f->end = end;
    list_append(&p->failed, &f->node);
}

void media_playings_connected(struct media_playings *p, uint64_t id)
{
    struct played_file *f = find(p, id);
    if (f && engine_play(p->engine, id, PLAYER, f->feed, 0))
        fail(p, f, MEDIA_END_BROKEN);
}

static void start_what_is_whole(struct media_playings *p)
{
    LIST_FOREACH(node, &p->waiting) {
        struct played_file *f = CONTAINER_OF(node, struct played_file, node);
        if (media_recordings_is_open(p->recordings, str_of(f->file)))
            continue;
        list_remove(&f->node);
        if (start_reading(p, f))
            fail(p, f, MEDIA_END_BROKEN);
    }
}

/* ---- the end ---- */

void media_playings_release(struct media_playings *p, uint64_t id)
{
    struct played_file *f = map_remove(&p->by_id, &id, sizeof(id));
    if (f)
        free_file(f);
}

/* What was read before a failure is played to its end, which the engine tells. */
static void hear_player(struct media_playings *p)
{
    struct player_event event;
    while (p->player && player_poll_event(p->player, PLAYER_CALLS, &event)) {
        if (event.type == PLAYER_FAILED && !event.has_begun)
            fail(p, event.user, MEDIA_END_UNREADABLE);
    }
}

bool media_playings_poll(struct media_playings *p, uint64_t *ret_id, enum media_end *ret_end)
{
    start_what_is_whole(p);
    hear_player(p);
    struct list *node = list_pop(&p->failed);
    if (!node)
        return false;
    const struct played_file *f = CONTAINER_OF(node, struct played_file, node);
    *ret_id = f->id;
    *ret_end = f->end;
    return true;
}
