/**
 * A server without a network: a transport and a media backend that write down what they are told,
 * one line each, for a test to compare as text. Call ids are checked in form and written as "#".
 */
#ifndef TESTS_UNIT_SIGNAL_HARNESS_H
#define TESTS_UNIT_SIGNAL_HARNESS_H

#include <errno.h>
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/rng.h"
#include "base/text.h"
#include "signal/signal.h"

enum person { NOBODY, ALICE, BOB, CAROL, DAVE, N_PERSONS };

static const char *const persons[N_PERSONS] = {"nobody", "alice", "bob", "carol", "dave"};

struct world {
    struct signal *s;
    struct media media;
    struct rng rng;
    mono_us now;
    int start_result;        /* of the backend's next starts */
    int renegotiate_result;  /* of its next later offers */
    int play_result;         /* of the next recordings that it is to play */
    uint64_t call_id;        /* that the backend started last */
    char call_id_text[17];   /* on the wire, the last one seen */
    struct media_event next; /* given by the next poll when has_next */
    bool has_next;
    struct text t;
    char transcript[65536 * 2];
};

/* ---- transport ---- */

static inline void write_frame(struct world *w, const char *frame)
{
    static const char key[] = "\"callId\":\"";
    const char *at = strstr(frame, key);
    if (!at) {
        text_put(&w->t, str_of(frame));
        return;
    }
    at += sizeof(key) - 1;
    assert_int_equal(strspn(at, "0123456789abcdef"), 16);
    memcpy(w->call_id_text, at, 16);
    text_put(&w->t, (struct str){frame, (size_t)(at - frame)});
    text_put(&w->t, STR("#"));
    text_put(&w->t, str_of(at + 16));
}

static inline void transport_send(void *user, uint64_t socket, struct str text)
{
    struct world *w = user;
    static char frame[65536];
    assert_true(str_copy(text, frame, sizeof(frame)));
    text_printf(&w->t, "%s < ", persons[socket]);
    write_frame(w, frame);
    text_put(&w->t, STR("\n"));
}

static inline void transport_close(void *user, uint64_t socket, int code, const char *reason)
{
    struct world *w = user;
    text_printf(&w->t, "%s closed %d %s\n", persons[socket], code, reason);
}

/* ---- media backend ---- */

static inline struct world *world_of(struct media *m)
{
    return CONTAINER_OF(m, struct world, media);
}

/* Every call is recorded with its id in the name. */
static inline void write_file(struct world *w, uint64_t call_id, struct str file)
{
    char id[17];
    (void)snprintf(id, sizeof(id), "%016" PRIx64, call_id);
    const size_t at = sizeof("2026-11-23_09-30-05-123-") - 1;
    assert_true(file.len > at + 16);
    if (call_id)
        assert_memory_equal(file.p + at, id, 16);
    text_put(&w->t, str_head(file, at));
    text_put(&w->t, STR("#"));
    text_put(&w->t, str_tail(file, at + 16));
    text_put(&w->t, STR("\n"));
}

static inline int64_t wall_clock(void)
{
    return 1795426205123456; /* 2026-11-23 09:30:05 UTC */
}

static inline bool media_check_offer(struct media *m, struct str offer, char *error)
{
    (void)m;
    if (!str_starts_with(offer, STR("bad")))
        return true;
    (void)snprintf(error, MEDIA_ERROR_MAX, "the offer has no audio");
    return false;
}

static inline int media_start(struct media *m, uint64_t call_id, struct str caller,
                              struct str callee, const struct str files[MEDIA_LEGS])
{
    struct world *w = world_of(m);
    w->call_id = call_id;
    text_printf(&w->t, "media start %.*s | %.*s\n", STR_FMT(caller), STR_FMT(callee));
    for (int leg = 0; files && leg < MEDIA_LEGS; leg++) {
        text_put(&w->t, STR("media records "));
        write_file(w, call_id, files[leg]);
    }
    return w->start_result;
}

static inline int media_play(struct media *m, uint64_t id, struct str file, struct str offer)
{
    struct world *w = world_of(m);
    assert_true(id != w->call_id);
    w->call_id = id;
    text_printf(&w->t, "media plays to %.*s: ", STR_FMT(offer));
    write_file(w, 0, file);
    return w->play_result;
}

static inline int media_renegotiate(struct media *m, uint64_t call_id, enum media_leg leg,
                                    struct str offer)
{
    struct world *w = world_of(m);
    assert_true(call_id == w->call_id);
    text_printf(&w->t, "media reoffer %s %.*s\n", leg == MEDIA_CALLER ? "caller" : "callee",
                STR_FMT(offer));
    return w->renegotiate_result;
}

static inline void media_add_candidate(struct media *m, uint64_t call_id, enum media_leg leg,
                                       const struct media_candidate *c)
{
    struct world *w = world_of(m);
    assert_true(call_id == w->call_id);
    text_printf(&w->t, "media candidate %s [%.*s] [%.*s] %d [%.*s]\n",
                leg == MEDIA_CALLER ? "caller" : "callee", STR_FMT(c->candidate), STR_FMT(c->mid),
                c->mline_index, STR_FMT(c->ufrag));
}

static inline void media_ask_quality(struct media *m, uint64_t call_id, enum media_leg leg,
                                     const struct media_hearing *h)
{
    struct world *w = world_of(m);
    assert_true(call_id == w->call_id);
    text_printf(&w->t, "media quality %s %d %d\n", leg == MEDIA_CALLER ? "caller" : "callee",
                h->concealed_permille, h->jitter_buffer_ms);
}

static inline void media_release(struct media *m, uint64_t call_id)
{
    struct world *w = world_of(m);
    assert_true(call_id == w->call_id);
    text_put(&w->t, STR("media release\n"));
}

static inline bool media_poll_event(struct media *m, struct media_event *ret)
{
    struct world *w = world_of(m);
    if (!w->has_next)
        return false;
    w->has_next = false;
    *ret = w->next;
    return true;
}

static inline void media_free(struct media *m)
{
    (void)m;
}

static inline void call_ended(void *user, const struct call_record *r)
{
    struct world *w = user;
    text_printf(&w->t, "ended %.*s-%.*s %s\n", STR_FMT(r->caller), STR_FMT(r->callee),
                call_reason_name(r->reason));
}

/* ---- the world ---- */

static inline void world_init(struct world *w, enum signal_dialect dialect, bool record)
{
    static const struct media_ops ops = {
        .check_offer = media_check_offer,
        .start = media_start,
        .play = media_play,
        .renegotiate = media_renegotiate,
        .add_candidate = media_add_candidate,
        .ask_quality = media_ask_quality,
        .release = media_release,
        .poll_event = media_poll_event,
        .free = media_free,
    };
    memset(w, 0, sizeof(*w));
    w->now = 1000 * US_PER_S;
    w->media.ops = &ops;
    rng_init_seeded(&w->rng, 3);
    text_init(&w->t, w->transcript, sizeof(w->transcript));
    w->s = signal_new(&(struct signal_config){.call.record = record,
                                              .wall_clock = wall_clock,
                                              .on_call_ended = call_ended,
                                              .user = w},
                      &(struct signal_transport){transport_send, transport_close, w}, &w->media,
                      &w->rng);
    assert_non_null(w->s);
    for (uint64_t socket = 0; socket < N_PERSONS; socket++)
        assert_int_equal(signal_socket_opened(w->s, w->now, socket, dialect), 0);
}

static inline void world_deinit(struct world *w)
{
    signal_free(w->s);
}

/* Everything that came out since the last time. */
static inline const char *happened(struct world *w)
{
    static char copy[sizeof(w->transcript)];
    assert_false(w->t.failed);
    memcpy(copy, w->transcript, w->t.len + 1);
    text_init(&w->t, w->transcript, sizeof(w->transcript));
    return copy;
}

#define assert_happened(w, text) assert_string_equal(happened(w), text)

static inline void says(struct world *w, enum person who, const char *frame)
{
    signal_frame(w->s, w->now, who, str_of(frame));
}

static inline void media_says(struct world *w, const struct media_event *event)
{
    w->next = *event;
    w->next.call_id = w->call_id;
    w->has_next = true;
    signal_media_ready(w->s, w->now);
}

static inline void media_answers(struct world *w)
{
    media_says(w, &(struct media_event){
                      .type = MEDIA_EVENT_ANSWERED,
                      .answer = {STR("v=0\r\ncaller/answer"), STR("v=0\r\ncallee/answer")}});
}

static inline void everybody_registers(struct world *w)
{
    char frame[128];
    for (int who = ALICE; who < N_PERSONS; who++) {
        (void)snprintf(frame, sizeof(frame), "{\"id\":\"register\",\"name\":\"%s\"}", persons[who]);
        says(w, (enum person)who, frame);
    }
    (void)happened(w);
}

/* alice rings bob */
static inline void scene_ringing(struct world *w)
{
    everybody_registers(w);
    says(w, ALICE, "{\"id\":\"call\",\"from\":\"alice\",\"to\":\"bob\",\"sdpOffer\":\"A\"}");
    (void)happened(w);
}

static inline void scene_answered(struct world *w)
{
    scene_ringing(w);
    says(w, BOB,
         "{\"id\":\"incomingCallResponse\",\"from\":\"alice\",\"callResponse\":\"accept\","
         "\"sdpOffer\":\"B\"}");
    media_answers(w);
    (void)happened(w);
}

/* One test in a world of its own. */
#define WORLD_TEST(name, dialect) WORLD_TEST_WITH(name, dialect, false)

/* One in which calls are recorded. */
#define RECORDED_TEST(name, dialect) WORLD_TEST_WITH(name, dialect, true)

#define WORLD_TEST_WITH(name, dialect, record)                                                     \
    static void name##_in(struct world *w);                                                        \
    static void name(void **state)                                                                 \
    {                                                                                              \
        static struct world w;                                                                     \
        (void)state;                                                                               \
        world_init(&w, dialect, record);                                                           \
        name##_in(&w);                                                                             \
        world_deinit(&w);                                                                          \
    }                                                                                              \
    static void name##_in(struct world *w)

#endif
