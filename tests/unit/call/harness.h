/**
 * A scripted world for the call model: people with fixed sockets, virtual time, and a transcript of
 * the actions, one line each, which a test compares as text.
 */
#ifndef TESTS_UNIT_CALL_HARNESS_H
#define TESTS_UNIT_CALL_HARNESS_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/rng.h"
#include "base/text.h"
#include "call/call.h"

enum person { NOBODY, ALICE, BOB, CAROL, DAVE, N_PERSONS };

static const char *const persons[N_PERSONS] = {"nobody", "alice", "bob", "carol", "dave"};

static const char *const offers[N_PERSONS] = {"", "a=ice-ufrag:Ualice", "a=ice-ufrag:Ubob",
                                              "a=ice-ufrag:Ucarol", "a=ice-ufrag:Udave"};

struct world {
    struct call_model *m;
    struct rng rng;
    mono_us now;
    uint64_t call_id; /* of the call that rang last */
    char transcript[8192];
};

static inline void world_init(struct world *w, const struct call_config *config)
{
    *w = (struct world){.now = 1000 * US_PER_S};
    rng_init_seeded(&w->rng, 1);
    w->m = call_model_new(config ? config : &(struct call_config){0}, &w->rng);
    assert_non_null(w->m);
}

static inline void world_deinit(struct world *w)
{
    call_model_free(w->m);
}

/* ---- the transcript ---- */

static inline void write_reply(struct text *t, const struct call_action *a)
{
    static const char *const types[] = {
        [CALL_REPLY_REGISTERED] = "registered",
        [CALL_REPLY_REGISTER_REJECTED] = "register-rejected",
        [CALL_REPLY_CALL_ACCEPTED] = "call-accepted",
        [CALL_REPLY_CALL_REJECTED] = "call-rejected",
        [CALL_REPLY_INCOMING] = "incoming",
        [CALL_REPLY_START] = "start",
        [CALL_REPLY_STOP] = "stop",
        [CALL_REPLY_CANDIDATE] = "candidate",
        [CALL_REPLY_RINGING] = "ringing",
        [CALL_REPLY_QUALITY] = "quality",
        [CALL_REPLY_RECORDING] = "recording",
        [CALL_REPLY_REOFFER_ACCEPTED] = "reoffer-accepted",
        [CALL_REPLY_REOFFER_REJECTED] = "reoffer-rejected",
        [CALL_REPLY_PLAY_ACCEPTED] = "play-accepted",
        [CALL_REPLY_PLAY_REJECTED] = "play-rejected",
        [CALL_REPLY_PLAY_END] = "play-end",
        [CALL_REPLY_ERROR] = "error",
    };
    const struct call_reply *r = &a->reply;
    bool has_reason = r->type == CALL_REPLY_REGISTER_REJECTED ||
                      r->type == CALL_REPLY_CALL_REJECTED || r->type == CALL_REPLY_STOP ||
                      r->type == CALL_REPLY_REOFFER_REJECTED ||
                      r->type == CALL_REPLY_PLAY_REJECTED || r->type == CALL_REPLY_PLAY_END ||
                      r->type == CALL_REPLY_ERROR;
    text_printf(t, "%s < %s", persons[a->socket], types[r->type]);
    if (has_reason)
        text_printf(t, " %s", call_reason_name(r->reason));
    if (r->field)
        text_printf(t, " field=%s", r->field);
    if (r->type == CALL_REPLY_INCOMING)
        text_printf(t, " %.*s", STR_FMT(r->name));
    if (has_reason && !r->text.len && call_reason_after(r->reason))
        text_printf(t, " (%.*s)", STR_FMT(r->name));
    if (r->text.len)
        text_printf(t, " \"%.*s\"", STR_FMT(r->text));
    if (r->sdp.len)
        text_printf(t, " %.*s", STR_FMT(r->sdp));
    if (r->type == CALL_REPLY_QUALITY)
        text_printf(t, " you %s, them %s", r->you.grade, r->them.grade);
    if (r->type == CALL_REPLY_RECORDING)
        text_printf(t, " you %d, them %d", r->records_you, r->records_them);
    if (r->type == CALL_REPLY_CANDIDATE)
        text_printf(t, " %.*s", STR_FMT(r->candidate.candidate));
    if (r->is_recorded)
        text_put(t, STR(" recorded"));
}

static inline void write_action(struct world *w, struct text *t, const struct call_action *a)
{
    static const char *const legs[] = {"caller", "callee"};
    switch (a->type) {
    case CALL_ACTION_SEND:
        if (a->reply.type == CALL_REPLY_INCOMING)
            w->call_id = a->reply.call_id;
        write_reply(t, a);
        break;
    case CALL_ACTION_MEDIA_START:
        text_printf(t, "media start %.*s %.*s", STR_FMT(a->offer[0]), STR_FMT(a->offer[1]));
        if (a->is_recorded)
            text_printf(t, " records %s %.*s, %s %.*s", persons[a->sockets[0]],
                        STR_FMT(a->names[0]), persons[a->sockets[1]], STR_FMT(a->names[1]));
        break;
    case CALL_ACTION_MEDIA_PLAY:
        w->call_id = a->call_id;
        text_printf(t, "media plays %.*s to %.*s %.*s", STR_FMT(a->recording), STR_FMT(a->names[0]),
                    STR_FMT(a->offer[0]));
        break;
    case CALL_ACTION_MEDIA_CANDIDATE:
        text_printf(t, "media candidate %s %.*s", legs[a->leg], STR_FMT(a->candidate.candidate));
        break;
    case CALL_ACTION_MEDIA_QUALITY:
        text_printf(t, "media quality %s %d %d", legs[a->leg], a->hearing.concealed_permille,
                    a->hearing.jitter_buffer_ms);
        break;
    case CALL_ACTION_MEDIA_REOFFER:
        text_printf(t, "media reoffer %s %.*s", legs[a->leg], STR_FMT(a->offer[a->leg]));
        break;
    case CALL_ACTION_MEDIA_RELEASE:
        text_put(t, STR("media release"));
        break;
    case CALL_ACTION_ENDED:
        text_printf(t, "ended %.*s-%.*s %s by %s", STR_FMT(a->record.caller),
                    STR_FMT(a->record.callee), call_reason_name(a->record.reason),
                    a->record.ended_by < 0 ? "server" : legs[a->record.ended_by]);
        break;
    }
    text_put(t, STR("\n"));
}

/* Everything that the model wants done since the last time. */
static inline const char *happened(struct world *w)
{
    struct call_action a;
    struct text t;
    text_init(&t, w->transcript, sizeof(w->transcript));
    while (call_poll_action(w->m, &a))
        write_action(w, &t, &a);
    assert_false(t.failed);
    return w->transcript;
}

#define assert_happened(w, text) assert_string_equal(happened(w), text)

/* ---- what people do ---- */

static inline void input(struct world *w, enum person who, const struct call_msg *msg)
{
    assert_int_equal(call_input(w->m, w->now, who, msg), 0);
}

static inline void register_as(struct world *w, enum person who, const char *name)
{
    input(w, who, &(struct call_msg){.type = CALL_MSG_REGISTER, .name = str_of(name)});
}

static inline void calls(struct world *w, enum person who, const char *to)
{
    input(
        w, who,
        &(struct call_msg){.type = CALL_MSG_CALL, .to = str_of(to), .offer = str_of(offers[who])});
}

static inline void accepts(struct world *w, enum person who, const char *from)
{
    input(w, who,
          &(struct call_msg){.type = CALL_MSG_RESPONSE,
                             .from = str_of(from),
                             .accept = true,
                             .offer = str_of(offers[who])});
}

static inline void rejects(struct world *w, enum person who, const char *from, bool busy)
{
    input(w, who,
          &(struct call_msg){.type = CALL_MSG_RESPONSE, .from = str_of(from), .busy = busy});
}

static inline void trickles(struct world *w, enum person who, const char *candidate,
                            const char *ufrag)
{
    input(w, who,
          &(struct call_msg){.type = CALL_MSG_CANDIDATE,
                             .candidate = {.candidate = str_of(candidate),
                                           .mline_index = 0,
                                           .ufrag = str_of(ufrag)}});
}

static inline void reoffers(struct world *w, enum person who, const char *offer)
{
    input(w, who, &(struct call_msg){.type = CALL_MSG_REOFFER, .offer = str_of(offer)});
}

static inline void plays(struct world *w, enum person who, const char *user, const char *recording)
{
    input(w, who,
          &(struct call_msg){.type = CALL_MSG_PLAY,
                             .name = str_of(user),
                             .recording = str_of(recording),
                             .offer = str_of(offers[who])});
}

static inline void stops_playing(struct world *w, enum person who)
{
    input(w, who, &(struct call_msg){.type = CALL_MSG_STOP_PLAY});
}

static inline void stops(struct world *w, enum person who)
{
    input(w, who, &(struct call_msg){.type = CALL_MSG_STOP});
}

static inline void asks_for_quality(struct world *w, enum person who, uint64_t call_id)
{
    input(w, who,
          &(struct call_msg){
              .type = CALL_MSG_QUALITY, .call_id = call_id, .hearing = {.concealed_permille = 7}});
}

static inline void vanishes(struct world *w, enum person who)
{
    input(w, who, &(struct call_msg){.type = CALL_MSG_SOCKET_CLOSED});
}

/* ---- what the media does ---- */

static inline void media_answers(struct world *w)
{
    call_media_event(w->m, w->now,
                     &(struct call_media){.type = CALL_MEDIA_ANSWERED,
                                          .call_id = w->call_id,
                                          .answer = {STR("answer-caller"), STR("answer-callee")}});
}

static inline void media_reanswers(struct world *w, enum call_leg leg)
{
    call_media_event(w->m, w->now,
                     &(struct call_media){.type = CALL_MEDIA_REANSWERED,
                                          .call_id = w->call_id,
                                          .leg = leg,
                                          .answer = {STR("again-caller"), STR("again-callee")}});
}

static inline void media_refuses(struct world *w, enum call_leg leg, enum call_media_end end)
{
    call_media_event(w->m, w->now,
                     &(struct call_media){.type = CALL_MEDIA_UNCHANGED,
                                          .call_id = w->call_id,
                                          .leg = leg,
                                          .end = end,
                                          .text = STR("because")});
}

static inline void media_finds(struct world *w, enum call_leg leg, const char *candidate)
{
    call_media_event(w->m, w->now,
                     &(struct call_media){.type = CALL_MEDIA_CANDIDATE,
                                          .call_id = w->call_id,
                                          .leg = leg,
                                          .candidate = {.candidate = str_of(candidate)}});
}

static inline void media_connects(struct world *w, enum call_leg leg)
{
    call_media_event(
        w->m, w->now,
        &(struct call_media){.type = CALL_MEDIA_CONNECTED, .call_id = w->call_id, .leg = leg});
}

static inline void media_ends(struct world *w, enum call_leg leg, enum call_media_end end,
                              const char *text)
{
    call_media_event(w->m, w->now,
                     &(struct call_media){.type = CALL_MEDIA_ENDED,
                                          .call_id = w->call_id,
                                          .leg = leg,
                                          .end = end,
                                          .text = str_of(text)});
}

/* ---- scenes ---- */

static inline void everybody_registers(struct world *w)
{
    for (int who = ALICE; who < N_PERSONS; who++)
        register_as(w, (enum person)who, persons[who]);
    (void)happened(w);
}

/* alice rings bob */
static inline void scene_ringing(struct world *w)
{
    everybody_registers(w);
    calls(w, ALICE, "bob");
    (void)happened(w);
}

static inline void scene_starting(struct world *w)
{
    scene_ringing(w);
    accepts(w, BOB, "alice");
    (void)happened(w);
}

static inline void scene_answered(struct world *w)
{
    scene_starting(w);
    media_answers(w);
    (void)happened(w);
}

static inline void scene_active(struct world *w)
{
    scene_answered(w);
    media_connects(w, CALL_CALLER);
    media_connects(w, CALL_CALLEE);
    assert_happened(w, "");
}

/* One test in a world of its own. */
#define WORLD_TEST(name)                                                                           \
    static void name##_in(struct world *w);                                                        \
    static void name(void **state)                                                                 \
    {                                                                                              \
        struct world w;                                                                            \
        (void)state;                                                                               \
        world_init(&w, NULL);                                                                      \
        name##_in(&w);                                                                             \
        world_deinit(&w);                                                                          \
    }                                                                                              \
    static void name##_in(struct world *w)

#endif
