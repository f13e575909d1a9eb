/**
 * A Kurento server without a network: frames in, frames out, as text. UUIDs in what is sent are
 * written as <1>, <2>, … in the order in which they first appear, and such names are put back into
 * what is received, so that a test reads like the protocol's description.
 */
#ifndef TESTS_UNIT_KURENTO_HARNESS_H
#define TESTS_UNIT_KURENTO_HARNESS_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/addr.h"
#include "base/mem.h"
#include "base/rng.h"
#include "base/text.h"
#include "engine/engine.h"
#include "kurento/kurento.h"
#include "kurento/object.h"

#define MAX_IDS 64

/* Frames of the session "s", with ' for ". */
#define REQUEST(method, params, id)                                                                \
    "{'jsonrpc':'2.0','method':'" method "','params':{'sessionId':'s'," params "},'id':" id "}"
#define VALUE(value, id)                                                                           \
    "{'id':" id ",'jsonrpc':'2.0','result':{'sessionId':'s','value':" value "}}"
#define REFUSED(code, type, message, id)                                                           \
    "{'error':{'code':" code ",'data':{'type':'" type "'},'message':'" message "'},'id':" id       \
    ",'jsonrpc':'2.0'}"

#define COLLECTOR_PERIOD (240 * US_PER_S)

struct world {
    struct kurento *k;
    struct engine *engine;     /* a real one, on ports of its own */
    struct recorder *recorder; /* NULL = nothing can be recorded */
    struct player *player;     /* NULL = nothing can be played */
    struct rng rng;
    mono_us now;
    unsigned n_ids;
    char ids[MAX_IDS][KURENTO_UUID_LEN + 1];
    struct text t;
    char transcript[1 << 17];
};

static inline bool is_uuid(const char *s)
{
    return strspn(s, "0123456789abcdef-") >= KURENTO_UUID_LEN && s[8] == '-' && s[13] == '-' &&
           s[18] == '-' && s[23] == '-';
}

static inline unsigned number_of(struct world *w, const char *uuid)
{
    for (unsigned i = 0; i < w->n_ids; i++) {
        if (strncmp(w->ids[i], uuid, KURENTO_UUID_LEN) == 0)
            return i + 1;
    }
    assert_true(w->n_ids < MAX_IDS);
    memcpy(w->ids[w->n_ids], uuid, KURENTO_UUID_LEN);
    return ++w->n_ids;
}

static inline void world_send(void *user, uint64_t socket, struct str text)
{
    struct world *w = user;
    char *copy = strndup(text.p, text.len); /* not counted by mem_fail_at */
    assert_non_null(copy);
    text_printf(&w->t, "%u < ", (unsigned)socket);
    for (const char *p = copy; *p;) {
        if (is_uuid(p)) {
            text_printf(&w->t, "<%u>", number_of(w, p));
            p += KURENTO_UUID_LEN;
        } else {
            text_put(&w->t, (struct str){p++, 1});
        }
    }
    text_put(&w->t, STR("\n"));
    free(copy);
}

static inline void world_close(void *user, uint64_t socket, int code, const char *reason)
{
    struct world *w = user;
    text_printf(&w->t, "%u closed %d %s\n", (unsigned)socket, code, reason);
}

static inline void wake(void *user)
{
    (void)user; /* these tests poll */
}

static inline struct engine *engine_of_world(struct world *w)
{
    char error[ENGINE_ERROR_MAX];
    const struct engine_config config = {.listen = addr_v4(127, 0, 0, 1, 0),
                                         .workers = 1,
                                         .rtp_first = 21000,
                                         .rtp_last = 21999,
                                         .wake = wake};
    struct engine *engine = engine_new(&config, &w->rng, error);
    if (!engine)
        fail_msg("%s", error);
    return engine;
}

/* @param recorder, player  NULL, or taken */
static inline void world_init_with(struct world *w, struct recorder *recorder,
                                   struct player *player)
{
    memset(w, 0, sizeof(*w));
    w->recorder = recorder;
    w->player = player;
    rng_init_system(&w->rng); /* the worker's thread draws from it, too */
    text_init(&w->t, w->transcript, sizeof(w->transcript));
    w->now = 1000 * US_PER_S;
    const struct kurento_config config = {
        .version = "7.3.0",
        .build_time = "Nov 22 2026 19:06:18",
        .collector_period = COLLECTOR_PERIOD,
        .wall_offset = (int64_t)1795374000 * US_PER_S,
    };
    const struct kurento_transport transport = {world_send, world_close, w};
    w->engine = engine_of_world(w);
    w->k = kurento_new(&config, &transport, w->engine, recorder, player, &w->rng, w->now);
    assert_non_null(w->k);
}

static inline void world_init(struct world *w)
{
    world_init_with(w, NULL, NULL);
}

static inline void world_deinit(struct world *w)
{
    kurento_free(w->k);
    engine_free(w->engine);
    player_free(w->player);
    recorder_free(w->recorder);
}

static inline void open_socket(struct world *w, uint64_t socket)
{
    assert_int_equal(kurento_socket_opened(w->k, socket), 0);
}

/* Single quotes stand for double ones, <n> for the n-th UUID that was seen. */
static inline void frame(struct world *w, uint64_t socket, const char *json)
{
    static char buf[1 << 16];
    struct text t;
    text_init(&t, buf, sizeof(buf));
    for (const char *p = json; *p; p++) {
        unsigned n;
        int len = 0;
        if (*p == '\'')
            text_put(&t, STR("\""));
        else if (*p == '<' && sscanf(p, "<%u>%n", &n, &len) == 1 && len > 0 && n <= w->n_ids) {
            text_put(&t, str_of(w->ids[n - 1]));
            p += len - 1;
        } else
            text_put(&t, (struct str){p, 1});
    }
    assert_false(t.failed);
    kurento_frame(w->k, w->now, socket, text_str(&t));
}

/* What was sent since the last check, with single quotes for double ones. */
static inline void expect(struct world *w, const char *transcript)
{
    for (char *p = w->transcript; *p; p++)
        *p = *p == '"' ? '\'' : *p;
    assert_string_equal(w->transcript, transcript);
    text_init(&w->t, w->transcript, sizeof(w->transcript));
}

/* One request, one answer. */
static inline void ask(struct world *w, const char *request, const char *answer)
{
    char line[8192];
    struct text t;
    text_init(&t, line, sizeof(line));
    text_printf(&t, "1 < %s\n", answer);
    frame(w, 1, request);
    expect(w, line);
}

#endif
