/* fuzz: duet_kurento duet_engine duet_log duet_base */
/*
 * Frames of the Kurento Protocol, one a line, from three clients; the first byte of a line says who
 * sends it, and some bytes stand for what is not a frame:
 *
 *   a..c  a frame of that client        A..C  that client's socket closes, and opens again
 *   t     four minutes pass             !     the engine's events are read
 *
 * "#" in a frame is the object that was made last, "$" the one before: so that a mutation reaches
 * objects although their ids are random. Checked: what is sent is JSON-RPC, and nothing is left
 * when all is freed.
 */
#include <assert.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "base/addr.h"
#include "base/rng.h"
#include "base/text.h"
#include "engine/engine.h"
#include "kurento/kurento.h"

#define N_CLIENTS 3
#define MAX_ID    512

static struct engine *engine;
static struct rng rng;

struct world {
    struct kurento *k;
    mono_us now;
    char last[MAX_ID], before[MAX_ID];
};

static void note_object(struct world *w, const json_t *message)
{
    const char *value =
        json_string_value(json_object_get(json_object_get(message, "result"), "value"));
    if (!value || !strstr(value, "_kurento.") || strlen(value) >= MAX_ID)
        return;
    memcpy(w->before, w->last, MAX_ID);
    (void)snprintf(w->last, sizeof(w->last), "%s", value);
}

static void on_send(void *user, uint64_t socket, struct str text)
{
    assert(socket < N_CLIENTS);
    json_t *message = json_loadb(text.p, text.len, JSON_REJECT_DUPLICATES, NULL);
    assert(message && json_is_string(json_object_get(message, "jsonrpc")));
    assert(json_object_get(message, "method") ||
           !json_object_get(message, "result") != !json_object_get(message, "error"));
    note_object(user, message);
    json_decref(message);
}

static void on_close(void *user, uint64_t socket, int code, const char *reason)
{
    (void)user;
    (void)socket;
    (void)code;
    (void)reason;
    abort(); /* memory does not run out here */
}

static void on_wake(void *user)
{
    (void)user;
}

/* Its thread must not run any more when the libraries' own exit handlers do. */
static void close_engine(void)
{
    engine_free(engine);
}

static void open_engine(void)
{
    char error[ENGINE_ERROR_MAX];
    const struct engine_config config = {
        .listen = addr_v4(127, 0, 0, 1, 0), .workers = 1, .wake = on_wake};
    rng_init_system(&rng);
    engine = engine_new(&config, &rng, error);
    assert(engine);
    (void)atexit(close_engine);
}

static void send_frame(struct world *w, uint64_t client, struct str line)
{
    static char buf[1 << 17];
    struct text t;
    text_init(&t, buf, sizeof(buf));
    for (size_t i = 0; i < line.len; i++) {
        if (line.p[i] == '#')
            text_put(&t, str_of(w->last));
        else if (line.p[i] == '$')
            text_put(&t, str_of(w->before));
        else
            text_put(&t, (struct str){line.p + i, 1});
    }
    kurento_frame(w->k, w->now, client, text_str(&t));
}

static void step(struct world *w, struct str line)
{
    char who = line.len ? line.p[0] : 0;
    w->now += US_PER_MS;
    if (who >= 'a' && who < 'a' + N_CLIENTS) {
        send_frame(w, (uint64_t)(who - 'a'), str_tail(line, 1));
    } else if (who >= 'A' && who < 'A' + N_CLIENTS) {
        kurento_socket_closed(w->k, w->now, (uint64_t)(who - 'A'));
        int err = kurento_socket_opened(w->k, (uint64_t)(who - 'A'));
        assert(!err);
    } else if (who == 't') {
        w->now += 240 * US_PER_S;
        kurento_timeout(w->k, w->now);
    } else if (who == '!') {
        kurento_media_ready(w->k, w->now);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct world w;
    const struct kurento_config config = {
        .version = "7", .build_time = "now", .collector_period = 240 * US_PER_S};
    const struct kurento_transport transport = {on_send, on_close, &w};
    struct str rest = {(const char *)data, size};
    if (!engine)
        open_engine();
    memset(&w, 0, sizeof(w));
    w.now = US_PER_S;
    w.k = kurento_new(&config, &transport, engine, NULL, NULL, &rng, w.now);
    assert(w.k);
    for (uint64_t client = 0; client < N_CLIENTS; client++) {
        int err = kurento_socket_opened(w.k, client);
        assert(!err);
    }
    while (rest.len)
        step(&w, str_take_until(&rest, '\n'));
    kurento_free(w.k);
    struct engine_event event;
    while (engine_poll_event(engine, ENGINE_PIPELINES, &event))
        ;
    return 0;
}
