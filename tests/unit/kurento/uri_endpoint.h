/*
 * A pipeline with one RecorderEndpoint or PlayerEndpoint, whose files are in a folder of the test:
 * what the tests of both share. TYPE, defined before, is the endpoint's.
 */
#ifndef TESTS_UNIT_KURENTO_URI_ENDPOINT_H
#define TESTS_UNIT_KURENTO_URI_ENDPOINT_H

#include "harness.h"

#define P "<1>_kurento.MediaPipeline"
#define E P "/<2>_kurento." TYPE

#define CREATE(params, id)                                                                         \
    REQUEST("create",                                                                              \
            "'type':'" TYPE "','constructorParams':{'mediaPipeline':'" P "'," params "}", id)
#define INVOKE(operation, id) REQUEST("invoke", "'object':'" E "','operation':'" operation "'", id)

/* @param ms  since the beginning; own  members of the event, which stand in alphabetical order */
#define TOLD_AT(ms, event, own)                                                                    \
    "1 < {'jsonrpc':'2.0','method':'onEvent','params':{'value':{'data':{'source':'" E "'," own     \
    "'tags':[],'timestampMillis':'179537500" ms "','type':'" event "'},'object':'" E               \
    "','type':'" event "'}}}\n"
#define TOLD(event, own)    TOLD_AT("0000", event, own)
#define STATE_AT(ms, state) TOLD_AT(ms, "UriEndpointStateChanged", "'state':'" state "',")
#define STATE(state)        STATE_AT("0000", state)

static char folder[64];
static struct world w;

static inline void make_folder(void)
{
    strcpy(folder, "/tmp/duet-kurento-XXXXXX");
    assert_non_null(mkdtemp(folder));
}

static inline void open_pipeline(struct recorder *recorder, struct player *player)
{
    world_init_with(&w, recorder, player);
    open_socket(&w, 1);
    ask(&w, REQUEST("create", "'type':'MediaPipeline'", "1"), VALUE("'" P "'", "1"));
}

static inline void make(const char *create)
{
    ask(&w, create, VALUE("'" E "'", "2"));
}

static inline void subscribe(const char *object, const char *event, size_t i)
{
    char request[256];
    (void)snprintf(request, sizeof(request),
                   REQUEST("subscribe", "'object':'%s','type':'%s'", "5%zu"), object, event, i);
    frame(&w, 1, request);
    text_init(&w.t, w.transcript, sizeof(w.transcript));
}

#endif
