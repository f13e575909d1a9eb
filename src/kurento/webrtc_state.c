/*
 * States of ICE and DTLS, and the pair of candidates in use.
 *
 *     ICE    DISCONNECTED, GATHERING, CONNECTING, CONNECTED (a pair works), READY (one is
 *            nominated); a restart leads back to CONNECTING; FAILED or DISCONNECTED at the end
 *     DTLS   NEW, CONNECTING, CONNECTED; FAILED or CLOSED at the end
 *
 * The engine tells the path, which is ICE; then that DTLS is through, and with it media may flow.
 * When the first of these tells more than one step, each step is told.
 */
#include "kurento/webrtc_state.h"

#include <errno.h>
#include <string.h>

#include "base/str.h"
#include "kurento/private.h"

/* ICE has one component and one stream here: RTCP is multiplexed, and there is one audio line. */
#define STREAM_ID    1
#define COMPONENT_ID 1

static const char *const ice_words[] = {
    [KURENTO_ICE_DISCONNECTED] = "DISCONNECTED",
    [KURENTO_ICE_GATHERING] = "GATHERING",
    [KURENTO_ICE_CONNECTING] = "CONNECTING",
    [KURENTO_ICE_CONNECTED] = "CONNECTED",
    [KURENTO_ICE_READY] = "READY",
    [KURENTO_ICE_FAILED] = "FAILED",
};

static const char *const dtls_words[] = {
    [KURENTO_DTLS_NEW] = "NEW",
    [KURENTO_DTLS_CONNECTING] = "CONNECTING",
    [KURENTO_DTLS_CONNECTED] = "CONNECTED",
    [KURENTO_DTLS_FAILED] = "FAILED",
    [KURENTO_DTLS_CLOSED] = "CLOSED",
};

static struct kurento_object *object_of(struct kurento_webrtc_endpoint *e)
{
    return &e->sdp.element.object;
}

/* --- changes --- */

static void set_ice(struct kurento_webrtc_endpoint *e, enum kurento_ice state)
{
    if (e->ice == state)
        return;
    e->ice = state;
    kurento_emit(object_of(e), "IceComponentStateChanged",
                 json_pack("{s:i, s:s, s:i}", "componentId", COMPONENT_ID, "state",
                           ice_words[state], "streamId", STREAM_ID));
}

static void set_dtls(struct kurento_webrtc_endpoint *e, enum kurento_dtls state)
{
    if (e->dtls == state)
        return;
    e->dtls = state;
    kurento_emit(object_of(e), "DtlsConnectionStateChange",
                 json_pack("{s:s, s:s, s:s, s:s}", "componentId", "1", "connectionId", "0", "state",
                           dtls_words[state], "streamId", "1"));
}

static void emit_connection_state(struct kurento_webrtc_endpoint *e, const char *from,
                                  const char *to)
{
    kurento_emit(object_of(e), "ConnectionStateChanged",
                 json_pack("{s:s, s:s}", "newState", to, "oldState", from));
}

void kurento_webrtc_gathers(struct kurento_webrtc_endpoint *e)
{
    if (e->ice == KURENTO_ICE_DISCONNECTED)
        set_ice(e, KURENTO_ICE_GATHERING);
}

void kurento_webrtc_connects(struct kurento_webrtc_endpoint *e)
{
    set_ice(e, KURENTO_ICE_CONNECTING);
}

/* --- the pair in use --- */

/* Ours is told as it was found, with its foundation: the agent keeps all but that. */
static const char *as_found(const struct kurento_webrtc_endpoint *e, const char *written)
{
    const char *rest = strchr(written, ' ');
    for (size_t i = 0; i < e->n_candidates && rest; i++) {
        const char *found = strchr(e->candidates[i], ' ');
        if (found && strcmp(found, rest) == 0)
            return e->candidates[i];
    }
    return written;
}

static json_t *pair_of(const struct kurento_webrtc_endpoint *e)
{
    char local[ENGINE_CANDIDATE_TEXT_MAX], remote[ENGINE_CANDIDATE_TEXT_MAX];
    engine_path_write(&e->path, local, remote);
    return json_pack("{s:s, s:s, s:i, s:s, s:s, s:s}", "__module__", "kurento", "__type__",
                     "IceCandidatePair", "componentId", COMPONENT_ID, "localCandidate",
                     as_found(e, local), "remoteCandidate", remote, "streamId", "1");
}

static bool is_same_pair(const struct engine_path *a, const struct engine_path *b)
{
    return addr_equal(&a->local, &b->local) && addr_equal(&a->remote, &b->remote) &&
           a->is_tcp == b->is_tcp;
}

static void took_path(struct kurento_webrtc_endpoint *e, const struct engine_path *path)
{
    bool is_new = !e->has_path || !is_same_pair(&e->path, path);
    e->path = *path;
    e->has_path = true;
    if (is_new)
        kurento_emit(object_of(e), "NewCandidatePairSelected",
                     json_pack("{s:o}", "candidatePair", pair_of(e)));
    if (e->ice < KURENTO_ICE_CONNECTED)
        set_ice(e, KURENTO_ICE_CONNECTED);
    if (path->is_nominated)
        set_ice(e, KURENTO_ICE_READY);
    if (e->dtls == KURENTO_DTLS_NEW)
        set_dtls(e, KURENTO_DTLS_CONNECTING);
}

/* --- what the engine tells --- */

static void connected(struct kurento_webrtc_endpoint *e)
{
    e->state = KURENTO_WEBRTC_CONNECTED;
    set_dtls(e, KURENTO_DTLS_CONNECTED);
    emit_connection_state(e, "DISCONNECTED", "CONNECTED");
}

/* It ends by itself only: who releases an endpoint is told nothing more of it. */
static void ended(struct kurento_webrtc_endpoint *e, enum engine_end end)
{
    bool was_connected = e->state == KURENTO_WEBRTC_CONNECTED;
    e->state = KURENTO_WEBRTC_ENDED;
    if (end == ENGINE_END_DTLS_FAILED)
        set_dtls(e, KURENTO_DTLS_FAILED);
    if (end == ENGINE_END_REMOTE_CLOSED) /* who is lost has closed nothing */
        set_dtls(e, KURENTO_DTLS_CLOSED);
    set_ice(e, end == ENGINE_END_ICE_FAILED ? KURENTO_ICE_FAILED : KURENTO_ICE_DISCONNECTED);
    if (was_connected)
        emit_connection_state(e, "CONNECTED", "DISCONNECTED");
    if (end == ENGINE_END_BROKEN)
        kurento_emit(object_of(e), "Error",
                     json_pack("{s:s, s:i, s:s}", "description",
                               "the media server has run out of memory for this endpoint",
                               "errorCode", 0, "type", "UNEXPECTED_ELEMENT_ERROR"));
    kurento_sdp_endpoint_terminated(&e->sdp);
}

void kurento_webrtc_on_media(struct kurento_object *object, const struct engine_event *event)
{
    struct kurento_webrtc_endpoint *e = kurento_webrtc_endpoint_of(object);
    if (event->type == ENGINE_EVENT_PATH)
        took_path(e, &event->path);
    else if (event->type == ENGINE_EVENT_CONNECTED)
        connected(e);
    else if (event->type == ENGINE_EVENT_ENDED)
        ended(e, event->end);
}

/* --- properties --- */

int kurento_webrtc_get_connection_state(const struct kurento_call *call, json_t **ret)
{
    const struct kurento_webrtc_endpoint *e = kurento_webrtc_endpoint_of(call->object);
    *ret = json_string(e->state == KURENTO_WEBRTC_CONNECTED ? "CONNECTED" : "DISCONNECTED");
    return 0;
}

int kurento_webrtc_get_ice_connection_state(const struct kurento_call *call, json_t **ret)
{
    const struct kurento_webrtc_endpoint *e = kurento_webrtc_endpoint_of(call->object);
    *ret = json_array();
    if (e->ice == KURENTO_ICE_DISCONNECTED && e->state != KURENTO_WEBRTC_ENDED)
        return 0;
    return json_array_append_new(*ret,
                                 json_pack("{s:s, s:s, s:i, s:s, s:s}", "__module__", "kurento",
                                           "__type__", "IceConnection", "componentId", COMPONENT_ID,
                                           "state", ice_words[e->ice], "streamId", "1"))
               ? -ENOMEM
               : 0;
}

int kurento_webrtc_get_dtls_connection_state(const struct kurento_call *call, json_t **ret)
{
    const struct kurento_webrtc_endpoint *e = kurento_webrtc_endpoint_of(call->object);
    *ret = json_array();
    if (e->dtls == KURENTO_DTLS_NEW)
        return 0;
    return json_array_append_new(*ret, json_pack("{s:s, s:s, s:s, s:s, s:s, s:s}", "__module__",
                                                 "kurento", "__type__", "DtlsConnection",
                                                 "componentId", "1", "connectionId", "0", "state",
                                                 dtls_words[e->dtls], "streamId", "1"))
               ? -ENOMEM
               : 0;
}

int kurento_webrtc_get_ice_candidate_pairs(const struct kurento_call *call, json_t **ret)
{
    const struct kurento_webrtc_endpoint *e = kurento_webrtc_endpoint_of(call->object);
    *ret = json_array();
    if (!e->has_path)
        return 0;
    return json_array_append_new(*ret, pair_of(e)) ? -ENOMEM : 0;
}
