/* fuzz: duet_signal duet_call duet_base */
/*
 * Sequences of WebSocket frames, one a line. The first byte of a line says who sends it, and some
 * bytes stand for what is not a frame:
 *
 *   a..h  a frame of that socket (a-d Node, e-h Java)   A..H  that socket closes, and opens again
 *   !     the media backend answers                     @     it finds a candidate
 *   +     the next leg is connected                     -     the media ends, next byte: why
 *   =     quality was asked for                         t     a minute passes
 *   ~     it answers a later offer                      ^     it refuses one
 *   #     what is recorded has changed                  q     the server shuts down
 *
 * All calls are recorded. Checked: what is sent is JSON with an id and goes to open sockets, media
 * that starts is released once, and when all have left there is neither user nor call.
 */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "base/compiler.h"
#include "base/rng.h"
#include "log/log.h"
#include "signal/signal.h"

#define N_SOCKETS 8
#define MAX_MEDIA 64

struct world {
    struct signal *s;
    struct media media;
    struct rng rng;
    mono_us now;
    uint64_t live[MAX_MEDIA]; /* calls whose media runs, oldest first */
    size_t n_live;
    struct media_event next;
    bool has_next;
};

static void on_send(void *user, uint64_t socket, struct str text)
{
    (void)user;
    assert(socket < N_SOCKETS);
    json_t *object = json_loadb(text.p, text.len, JSON_REJECT_DUPLICATES, NULL);
    assert(object && json_is_string(json_object_get(object, "id")));
    json_decref(object);
}

static void on_close(void *user, uint64_t socket, int code, const char *reason)
{
    (void)user;
    (void)socket;
    (void)code;
    (void)reason;
    abort(); /* memory does not run out here */
}

static bool check_offer(struct media *m, struct str offer, char *error)
{
    (void)m;
    if (!str_starts_with(offer, STR("bad")))
        return true;
    strcpy(error, "a bad offer");
    return false;
}

static int start(struct media *m, uint64_t call_id, struct str caller, struct str callee,
                 const struct str files[MEDIA_LEGS])
{
    struct world *w = CONTAINER_OF(m, struct world, media);
    assert(caller.len && callee.len && w->n_live < MAX_MEDIA);
    for (int leg = 0; leg < MEDIA_LEGS; leg++)
        assert(files[leg].len > 40 && !memchr(files[leg].p, '/', files[leg].len));
    w->live[w->n_live++] = call_id;
    return str_eq(callee, STR("broken")) ? -1 : 0;
}

static int play(struct media *m, uint64_t id, struct str file, struct str offer)
{
    struct world *w = CONTAINER_OF(m, struct world, media);
    assert(file.len && offer.len && w->n_live < MAX_MEDIA);
    w->live[w->n_live++] = id;
    return str_eq(offer, STR("broken")) ? -1 : 0;
}

static int64_t wall_clock(void)
{
    return 1795426205123456;
}

static bool find_live(const struct world *w, uint64_t call_id, size_t *ret)
{
    for (size_t i = 0; i < w->n_live; i++) {
        *ret = i;
        if (w->live[i] == call_id)
            return true;
    }
    return false;
}

static void add_candidate(struct media *m, uint64_t call_id, enum media_leg leg,
                          const struct media_candidate *candidate)
{
    size_t i;
    (void)leg;
    (void)candidate;
    bool is_live = find_live(CONTAINER_OF(m, struct world, media), call_id, &i);
    assert(is_live);
}

static void ask_quality(struct media *m, uint64_t call_id, enum media_leg leg,
                        const struct media_hearing *hearing)
{
    size_t i;
    (void)leg;
    bool is_live = find_live(CONTAINER_OF(m, struct world, media), call_id, &i);
    assert(is_live && hearing->concealed_permille <= 1000);
}

static int renegotiate(struct media *m, uint64_t call_id, enum media_leg leg, struct str offer)
{
    size_t i;
    (void)leg;
    bool is_live = find_live(CONTAINER_OF(m, struct world, media), call_id, &i);
    assert(is_live && offer.len);
    return str_eq(offer, STR("broken")) ? -1 : 0;
}

static void release(struct media *m, uint64_t call_id)
{
    struct world *w = CONTAINER_OF(m, struct world, media);
    size_t i;
    bool is_live = find_live(w, call_id, &i);
    assert(is_live);
    memmove(&w->live[i], &w->live[i + 1], (--w->n_live - i) * sizeof(w->live[0]));
}

static bool poll_event(struct media *m, struct media_event *ret)
{
    struct world *w = CONTAINER_OF(m, struct world, media);
    if (!w->has_next)
        return false;
    w->has_next = false;
    *ret = w->next;
    return true;
}

static void free_media(struct media *m)
{
    (void)m;
}

static void media_says(struct world *w, enum media_event_type type, struct str arguments)
{
    uint8_t which = arguments.len ? (uint8_t)arguments.p[0] : 0;
    w->next = (struct media_event){
        .type = type,
        .call_id = w->n_live ? w->live[which % w->n_live] : 1,
        .leg = which & 1 ? MEDIA_CALLEE : MEDIA_CALLER,
        .answer = {STR("one"), STR("two")},
        .candidate = {.candidate = str_tail(arguments, 1), .mline_index = -1},
        .end = (enum media_end)(arguments.len > 1 ? (uint8_t)arguments.p[1] % 7 : 0),
        .text = "because",
        .lines = {{"good", NULL}, {"poor", "loss-up"}},
        .is_recorded = {which & 2, which & 4},
    };
    /* a backend writes its candidates itself */
    w->next.candidate.candidate = STR("candidate:1");
    w->has_next = true;
    signal_media_ready(w->s, w->now);
}

static void open_socket(struct world *w, uint64_t socket)
{
    int err = signal_socket_opened(w->s, w->now, socket,
                                   socket < N_SOCKETS / 2 ? SIGNAL_NODE : SIGNAL_JAVA);
    assert(!err);
}

static void run_line(struct world *w, struct str line)
{
    char what = line.len ? line.p[0] : 0;
    line = str_tail(line, 1);
    w->now += 10 * US_PER_MS;
    if (what >= 'a' && what < 'a' + N_SOCKETS) {
        signal_frame(w->s, w->now, (uint64_t)(what - 'a'), line);
    } else if (what >= 'A' && what < 'A' + N_SOCKETS) {
        signal_socket_closed(w->s, w->now, (uint64_t)(what - 'A'));
        open_socket(w, (uint64_t)(what - 'A'));
    } else if (what == '!') {
        media_says(w, MEDIA_EVENT_ANSWERED, line);
    } else if (what == '@') {
        media_says(w, MEDIA_EVENT_CANDIDATE, line);
    } else if (what == '~') {
        media_says(w, MEDIA_EVENT_REANSWERED, line);
    } else if (what == '^') {
        media_says(w, MEDIA_EVENT_UNCHANGED, line);
    } else if (what == '+') {
        media_says(w, MEDIA_EVENT_CONNECTED, line);
    } else if (what == '-') {
        media_says(w, MEDIA_EVENT_ENDED, line);
    } else if (what == '=') {
        media_says(w, MEDIA_EVENT_QUALITY, line);
    } else if (what == '#') {
        media_says(w, MEDIA_EVENT_RECORDING, line);
    } else if (what == 't') {
        w->now += 60 * US_PER_S;
    } else if (what == 'q') {
        signal_shutdown(w->s, w->now);
    }
    if (signal_deadline(w->s) <= w->now)
        signal_timeout(w->s, w->now);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct media_ops ops = {
        check_offer, start,   play,       renegotiate, add_candidate,
        ask_quality, release, poll_event, free_media,
    };
    struct world w = {.media.ops = &ops};
    struct str rest = {(const char *)data, size};
    json_object_seed(1);
    log_set_level(LOG_LEVEL_ERROR);
    rng_init_seeded(&w.rng, 1);
    w.s = signal_new(&(struct signal_config){.call.record = true, .wall_clock = wall_clock},
                     &(struct signal_transport){on_send, on_close, &w}, &w.media, &w.rng);
    assert(w.s);
    for (uint64_t socket = 0; socket < N_SOCKETS; socket++)
        open_socket(&w, socket);
    while (rest.len)
        run_line(&w, str_take_until(&rest, '\n'));
    for (uint64_t socket = 0; socket < N_SOCKETS; socket++)
        signal_socket_closed(w.s, w.now, socket);
    struct signal_stats stats = signal_get_stats(w.s);
    assert(stats.sockets == 0 && stats.users == 0 && stats.calls == 0 && stats.plays == 0 &&
           w.n_live == 0);
    assert(signal_deadline(w.s) == MONO_NEVER);
    signal_free(w.s);
    return 0;
}
