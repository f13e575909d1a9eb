/* SdpEndpoint, SessionEndpoint, BaseRtpEndpoint: what WebRtcEndpoint and RtpEndpoint share. */
#include "kurento/sdp_endpoint.h"

#include <errno.h>

#include "base/mem.h"
#include "kurento/private.h"
#include "kurento/property.h"
#include "kurento/types.h"
#include "kurento/watch.h"

int kurento_sdp_endpoint_keep(struct kurento_sdp_endpoint *e, struct str local, struct str remote)
{
    char *l = mem_strdup(local), *r = remote.len ? mem_strdup(remote) : NULL;
    if (!l || (remote.len && !r)) {
        mem_free(l);
        mem_free(r);
        return -ENOMEM;
    }
    kurento_sdp_endpoint_deinit(e);
    e->local = l;
    e->remote = r;
    return 0;
}

int kurento_sdp_endpoint_negotiated(struct kurento_sdp_endpoint *e, unsigned number,
                                    struct str local, struct str remote)
{
    struct kurento_element *element = &e->element;
    int err = kurento_sdp_endpoint_keep(e, local, remote);
    if (err) {
        engine_endpoint_release(element->object.kurento->engine, kurento_element_pipeline(element),
                                number);
        return err;
    }
    kurento_emit(&element->object, "MediaSessionStarted", json_object());
    return kurento_element_went_live(element, number);
}

void kurento_sdp_endpoint_terminated(struct kurento_sdp_endpoint *e)
{
    kurento_emit(&e->element.object, "MediaSessionTerminated", json_object());
    kurento_element_tell_end_of_stream(&e->element);
}

int kurento_sdp_refuse_text(const struct kurento_call *call, struct str text, const char *what)
{
    if (!text.len)
        return kurento_fail(call->fault, KURENTO_E_SDP_PARSE, "Empty %s not valid", what);
    if (!str_starts_with(text, STR("v=")))
        return kurento_fail(call->fault, KURENTO_E_SDP_PARSE, "Invalid SDP");
    return 0;
}

int kurento_sdp_already_negotiated(const struct kurento_call *call)
{
    return kurento_fail(call->fault, KURENTO_E_NEGOTIATED, "Endpoint already negotiated");
}

void kurento_sdp_endpoint_deinit(struct kurento_sdp_endpoint *e)
{
    mem_free(e->local);
    mem_free(e->remote);
    e->local = e->remote = NULL;
}

static int get_local(const struct kurento_call *call, json_t **ret)
{
    const struct kurento_sdp_endpoint *e = kurento_sdp_endpoint_of(call->object);
    if (!e->local)
        return kurento_fail(call->fault, KURENTO_E_NO_LOCAL_SDP, "No local SDP");
    *ret = json_string(e->local);
    return 0;
}

static int get_remote(const struct kurento_call *call, json_t **ret)
{
    const struct kurento_sdp_endpoint *e = kurento_sdp_endpoint_of(call->object);
    if (!e->remote)
        return kurento_fail(call->fault, KURENTO_E_NO_REMOTE_SDP, "No remote SDP");
    *ret = json_string(e->remote);
    return 0;
}

static json_t *state_answer(struct kurento_element *element, const struct engine_stats *stats)
{
    (void)element;
    return json_string(kurento_flows(stats) ? "CONNECTED" : "DISCONNECTED");
}

static int get_media_state(const struct kurento_call *call, json_t **ret)
{
    struct kurento_element *element = kurento_element_of(call->object);
    if (element->is_live)
        return kurento_ask(call, element, state_answer);
    *ret = json_string("DISCONNECTED");
    return 0;
}

/* --- the rows --- */

static const struct kurento_param max_audio[] = {
    {.name = "maxAudioRecvBandwidth", .type = KURENTO_INTEGER}};
static const struct kurento_param max_video[] = {
    {.name = "maxVideoRecvBandwidth", .type = KURENTO_INTEGER}};
static const struct kurento_param min_video_recv[] = {
    {.name = "minVideoRecvBandwidth", .type = KURENTO_INTEGER}};
static const struct kurento_param min_video_send[] = {
    {.name = "minVideoSendBandwidth", .type = KURENTO_INTEGER}};
static const struct kurento_param max_video_send[] = {
    {.name = "maxVideoSendBandwidth", .type = KURENTO_INTEGER}};
static const struct kurento_param mtu[] = {
    {.name = "mtu", .type = KURENTO_INTEGER, .min = 1, .max = 65535}};

static const struct kurento_param remb[] = {{.name = "rembParams", .type = KURENTO_COMPLEX}};

static const struct kurento_operation sdp_operations[] = {
    {"getLocalSessionDescriptor", NULL, 0, get_local},
    {"getRemoteSessionDescriptor", NULL, 0, get_remote},
    KURENTO_PROPERTY("MaxAudioRecvBandwidth", max_audio[0]),
    KURENTO_PROPERTY("MaxVideoRecvBandwidth", max_video[0]),
};

static const struct kurento_operation rtp_operations[] = {
    KURENTO_PROPERTY("MinVideoRecvBandwidth", min_video_recv[0]),
    KURENTO_PROPERTY("MinVideoSendBandwidth", min_video_send[0]),
    KURENTO_PROPERTY("MaxVideoSendBandwidth", max_video_send[0]),
    KURENTO_PROPERTY("Mtu", mtu[0]),
    KURENTO_PROPERTY("RembParams", remb[0]),
    {"getMediaState", NULL, 0, get_media_state},
    {"requestKeyframe", NULL, 0, kurento_property_ignore},
};

static const char *const session_events[] = {"MediaSessionStarted", "MediaSessionTerminated", NULL};
static const char *const rtp_events[] = {"ConnectionStateChanged", "MediaStateChanged", NULL};

const struct kurento_type kurento_endpoint_type = {
    .name = "Endpoint",
    .base = &kurento_media_element_type,
};

const struct kurento_type kurento_session_endpoint_type = {
    .name = "SessionEndpoint",
    .base = &kurento_endpoint_type,
    .events = session_events,
};

const struct kurento_type kurento_sdp_endpoint_type = {
    .name = "SdpEndpoint",
    .base = &kurento_session_endpoint_type,
    .operations = sdp_operations,
    .n_operations = ARRAY_LEN(sdp_operations),
};

const struct kurento_type kurento_base_rtp_endpoint_type = {
    .name = "BaseRtpEndpoint",
    .base = &kurento_sdp_endpoint_type,
    .operations = rtp_operations,
    .n_operations = ARRAY_LEN(rtp_operations),
    .events = rtp_events,
};
