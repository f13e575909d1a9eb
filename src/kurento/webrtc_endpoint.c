/*
 * WebRtcEndpoint: offer, answer and candidates. What its connections are like is
 * kurento/webrtc_state.c.
 *
 *     state        leaves it by
 *     NEW          processOffer                 → NEGOTIATED
 *                  generateOffer                → OFFERED
 *     OFFERED      processAnswer                → NEGOTIATED
 *     NEGOTIATED   the engine: connected        → CONNECTED
 *     any          the engine: ended            → ENDED
 *
 * A later processOffer leaves the state as it is: ICE restarts, keys and SSRC stay. (A real server
 * refuses it; docs/kurento.md.)
 *
 * The engine answers at once and knows its candidates then; clients hear of them when they ask for
 * gathering. Candidates of the other side are taken in any order: those that come before its
 * description wait here.
 */
#include "kurento/webrtc_endpoint.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "kurento/private.h"
#include "kurento/property.h"
#include "kurento/types.h"
#include "kurento/webrtc_state.h"

static struct kurento_webrtc_endpoint *self(struct kurento_object *object)
{
    return kurento_webrtc_endpoint_of(object);
}

/* --- candidates --- */

static void add_candidate(struct kurento_webrtc_endpoint *e, const json_t *candidate)
{
    struct kurento_element *element = &e->sdp.element;
    int ignored = engine_add_candidate(
        element->object.kurento->engine, kurento_element_pipeline(element), element->endpoint,
        kurento_member(candidate, "candidate"), kurento_member(candidate, "usernameFragment"));
    (void)ignored; /* names, garbage: ICE lives without it, and so does the server's answer */
}

static void add_early_candidates(struct kurento_webrtc_endpoint *e)
{
    const json_t *candidate;
    size_t i;
    json_array_foreach(e->early, i, candidate) add_candidate(e, candidate);
    json_decref(e->early);
    e->early = NULL;
}

/* Only what is used later: what a client sends beside it may be large. */
static int keep_early(struct kurento_webrtc_endpoint *e, struct str candidate, struct str ufrag)
{
    if (!e->early)
        e->early = json_array();
    if (json_array_size(e->early) >= KURENTO_MAX_EARLY_CANDIDATES ||
        candidate.len + ufrag.len > KURENTO_MAX_EARLY_SIZE)
        return 0; /* more than any browser has */
    json_t *kept =
        json_pack("{s:s%, s:s%}", "candidate", candidate.len ? candidate.p : "", candidate.len,
                  "usernameFragment", ufrag.len ? ufrag.p : "", ufrag.len);
    return json_array_append_new(e->early, kept) ? -ENOMEM : 0;
}

static int add_ice_candidate(const struct kurento_call *call, json_t **ret)
{
    struct kurento_webrtc_endpoint *e = self(call->object);
    const json_t *candidate = call->args[0].json;
    (void)ret;
    if (e->state != KURENTO_WEBRTC_NEW && e->state != KURENTO_WEBRTC_OFFERED) {
        add_candidate(e, candidate);
        return 0;
    }
    return keep_early(e, kurento_member(candidate, "candidate"),
                      kurento_member(candidate, "usernameFragment"));
}

static void emit_candidate(struct kurento_webrtc_endpoint *e, const char *candidate)
{
    kurento_emit(&e->sdp.element.object, "IceCandidateFound",
                 json_pack("{s:{s:s, s:s, s:s, s:i, s:s}}", "candidate", "__module__", "kurento",
                           "__type__", "IceCandidate", "candidate", candidate, "sdpMLineIndex",
                           e->mline_index, "sdpMid", e->mid));
}

static int gather_candidates(const struct kurento_call *call, json_t **ret)
{
    struct kurento_webrtc_endpoint *e = self(call->object);
    (void)ret;
    if (e->has_gathered || e->state == KURENTO_WEBRTC_NEW)
        return 0;
    e->has_gathered = true;
    kurento_webrtc_gathers(e);
    for (size_t i = 0; i < e->n_candidates; i++)
        emit_candidate(e, e->candidates[i]);
    kurento_emit(call->object, "IceGatheringDone", json_object());
    if (e->state == KURENTO_WEBRTC_NEGOTIATED && e->ice == KURENTO_ICE_GATHERING)
        kurento_webrtc_connects(e);
    return 0;
}

/* --- offer and answer --- */

/* Those that there are: most servers have two or four. @return 0 or -ENOMEM: those of before */
static int keep_candidates(struct kurento_webrtc_endpoint *e, const struct engine_answer *answer)
{
    size_t size = answer->n_candidates * sizeof(answer->candidates[0]);
    char(*kept)[ENGINE_CANDIDATE_TEXT_MAX] = mem_alloc(size ? size : 1);
    if (!kept)
        return -ENOMEM;
    memcpy(kept, answer->candidates, size);
    mem_free(e->candidates);
    e->candidates = kept;
    e->n_candidates = answer->n_candidates;
    memcpy(e->mid, answer->mid, sizeof(e->mid));
    e->mline_index = answer->mline_index;
    return 0;
}

/* @param error  of the engine, on ENGINE_E_OFFER */
static int refusal(const struct kurento_call *call, enum kurento_error code, int err,
                   const char *error)
{
    return kurento_fail(call->fault, code, "Error processing %s: %s",
                        code == KURENTO_E_PROCESS_OFFER ? "offer" : "answer",
                        err == ENGINE_E_UNKNOWN ? "its media has ended" : error);
}

/* The engine has made it: connections come true, and what came too early is given to it. */
static int begin(struct kurento_webrtc_endpoint *e, unsigned number, struct str local,
                 struct str remote)
{
    int err = kurento_sdp_endpoint_negotiated(&e->sdp, number, local, remote);
    if (err)
        return err;
    e->state = KURENTO_WEBRTC_NEGOTIATED;
    add_early_candidates(e);
    if (e->has_gathered) /* with our offer */
        kurento_webrtc_connects(e);
    return 0;
}

static int first_offer(const struct kurento_call *call, struct kurento_webrtc_endpoint *e,
                       struct str offer, struct engine_answer *answer)
{
    char error[ENGINE_ERROR_MAX];
    struct kurento_element *element = &e->sdp.element;
    unsigned number = kurento_element_new_endpoint(element);
    int err =
        engine_endpoint_answer(call->kurento->engine, call->now, kurento_element_pipeline(element),
                               number, offer, e->direction, answer, error);
    if (err)
        return err > 0 ? refusal(call, KURENTO_E_PROCESS_OFFER, err, error) : err;
    err = keep_candidates(e, answer);
    if (err) {
        engine_endpoint_release(call->kurento->engine, kurento_element_pipeline(element), number);
        return err;
    }
    return begin(e, number, str_of(answer->sdp), offer);
}

/*
 * A restart of ICE, hold, other payload types: SSRC, keys and connections stay. When there is no
 * memory left to keep the descriptions, what the getters tell is the one before.
 */
static int later_offer(const struct kurento_call *call, struct kurento_webrtc_endpoint *e,
                       struct str offer, struct engine_answer *answer)
{
    char error[ENGINE_ERROR_MAX];
    struct kurento_element *element = &e->sdp.element;
    if (e->state == KURENTO_WEBRTC_ENDED)
        return refusal(call, KURENTO_E_PROCESS_OFFER, ENGINE_E_UNKNOWN, "");
    int err = engine_endpoint_answer_again(call->kurento->engine, call->now,
                                           kurento_element_pipeline(element), element->endpoint,
                                           offer, answer, error);
    if (err)
        return err > 0 ? refusal(call, KURENTO_E_PROCESS_OFFER, err, error) : err;
    err = keep_candidates(e, answer);
    if (!err)
        err = kurento_sdp_endpoint_keep(&e->sdp, str_of(answer->sdp), offer);
    (void)err; /* it has been said, and must be answered */
    if (answer->is_restart) {
        e->has_gathered = false;
        kurento_webrtc_connects(e);
    }
    return 0;
}

static int process_offer(const struct kurento_call *call, json_t **ret)
{
    struct kurento_webrtc_endpoint *e = self(call->object);
    struct str offer = call->args[0].string;
    int err = kurento_sdp_refuse_text(call, offer, "offer");
    if (err)
        return err;
    if (e->state == KURENTO_WEBRTC_OFFERED)
        return kurento_sdp_already_negotiated(call);
    struct engine_answer *answer = mem_alloc(sizeof(*answer));
    if (!answer)
        return -ENOMEM;
    err = e->state == KURENTO_WEBRTC_NEW ? first_offer(call, e, offer, answer)
                                         : later_offer(call, e, offer, answer);
    if (!err)
        *ret = json_string(answer->sdp);
    mem_free(answer);
    return err;
}

/* --- our offer and its answer --- */

/* Of the constructor, without what the options leave out. @return false: nothing is left */
static bool offered_direction(const struct kurento_call *call,
                              const struct kurento_webrtc_endpoint *e, enum engine_direction *ret)
{
    const json_t *audio = json_object_get(call->args[0].json, "offerToReceiveAudio");
    bool may_receive = !json_is_false(audio);
    *ret = may_receive ? e->direction : ENGINE_SENDONLY;
    return may_receive || e->direction != ENGINE_RECVONLY;
}

static int offer(const struct kurento_call *call, struct kurento_webrtc_endpoint *e,
                 enum engine_direction direction, struct engine_answer *ret)
{
    int err = engine_offer(call->kurento->engine, call->now,
                           kurento_element_pipeline(&e->sdp.element), direction, ret, &e->offered);
    if (err > 0)
        return kurento_fail(call->fault, KURENTO_E_GENERATE_OFFER,
                            "Error generating offer: the pipeline has ended");
    if (!err)
        err = keep_candidates(e, ret);
    if (!err)
        err = kurento_sdp_endpoint_keep(&e->sdp, str_of(ret->sdp), (struct str){0});
    if (err) {
        engine_offered_free(e->offered);
        e->offered = NULL;
        return err;
    }
    e->state = KURENTO_WEBRTC_OFFERED;
    return 0;
}

static int generate_offer(const struct kurento_call *call, json_t **ret)
{
    struct kurento_webrtc_endpoint *e = self(call->object);
    enum engine_direction direction;
    if (e->state != KURENTO_WEBRTC_NEW)
        return kurento_sdp_already_negotiated(call);
    if (!offered_direction(call, e, &direction))
        return kurento_fail(call->fault, KURENTO_E_GENERATE_OFFER,
                            "Error generating offer: neither sending nor receiving is left");
    struct engine_answer *text = mem_alloc(sizeof(*text));
    if (!text)
        return -ENOMEM;
    int err = offer(call, e, direction, text);
    if (!err)
        *ret = json_string(text->sdp);
    mem_free(text);
    return err;
}

static int accept_answer(const struct kurento_call *call, struct kurento_webrtc_endpoint *e,
                         struct str answer, const char *local)
{
    char error[ENGINE_ERROR_MAX];
    struct kurento_element *element = &e->sdp.element;
    unsigned number = kurento_element_new_endpoint(element);
    int err =
        engine_endpoint_accept(call->kurento->engine, call->now, kurento_element_pipeline(element),
                               number, e->offered, answer, error);
    if (err)
        return err > 0 ? refusal(call, KURENTO_E_PROCESS_ANSWER, err, error) : err;
    return begin(e, number, str_of(local), answer);
}

/* What is returned is the local description; the answer changes nothing in it. */
static int process_answer(const struct kurento_call *call, json_t **ret)
{
    struct kurento_webrtc_endpoint *e = self(call->object);
    struct str answer = call->args[0].string;
    int err = kurento_sdp_refuse_text(call, answer, "answer");
    if (err)
        return err;
    if (e->state == KURENTO_WEBRTC_NEW)
        return kurento_fail(call->fault, KURENTO_E_NO_OFFER,
                            "Offer not generated. It is not possible to process an answer.");
    if (e->state != KURENTO_WEBRTC_OFFERED)
        return kurento_fail(call->fault, KURENTO_E_ANSWERED, "Sdp Answer already processed");
    err = accept_answer(call, e, answer, e->sdp.local);
    if (err)
        return err;
    engine_offered_free(e->offered);
    e->offered = NULL;
    *ret = json_string(e->sdp.local);
    return 0;
}

/* --- life --- */

static int init(const struct kurento_call *call)
{
    struct kurento_webrtc_endpoint *e = self(call->object);
    bool recvonly = call->args[1].boolean, sendonly = call->args[2].boolean;
    if (recvonly && sendonly)
        return kurento_fail(call->fault, KURENTO_E_ARGUMENT,
                            "recvonly and sendonly exclude one another");
    e->direction = recvonly ? ENGINE_RECVONLY : sendonly ? ENGINE_SENDONLY : ENGINE_SENDRECV;
    kurento_element_init(&e->sdp.element);
    e->sdp.element.on_media = kurento_webrtc_on_media;
    return 0;
}

static void deinit(struct kurento_object *object)
{
    struct kurento_webrtc_endpoint *e = self(object);
    kurento_element_deinit(&e->sdp.element);
    engine_offered_free(e->offered);
    kurento_sdp_endpoint_deinit(&e->sdp);
    json_decref(e->early);
    mem_free(e->candidates);
}

static int no_data_channels(const struct kurento_call *call, json_t **ret)
{
    (void)ret;
    return kurento_fail(call->fault, KURENTO_E_UNSUPPORTED, "Data channels are not supported");
}

/* --- the row --- */

static const char *const key_types[] = {"RSA", "ECDSA", NULL};

/* All traffic of the server has one mark, media.dscp: these are taken and change nothing. */
static const char *const dscp_words[] = {
    "NO_DSCP",
    "NO_VALUE",
    "AUDIO_VERYLOW",
    "AUDIO_LOW",
    "AUDIO_MEDIUM",
    "AUDIO_HIGH",
    "VIDEO_VERYLOW",
    "VIDEO_LOW",
    "VIDEO_MEDIUM",
    "VIDEO_MEDIUM_THROUGHPUT",
    "VIDEO_HIGH",
    "VIDEO_HIGH_THROUGHPUT",
    "DATA_VERYLOW",
    "DATA_LOW",
    "DATA_MEDIUM",
    "DATA_HIGH",
    "CHROME_HIGH",
    "CHROME_MEDIUM",
    "CHROME_LOW",
    "CHROME_VERYLOW",
    "CS0",
    "CS1",
    "CS2",
    "CS3",
    "CS4",
    "CS5",
    "CS6",
    "CS7",
    "AF11",
    "AF12",
    "AF13",
    "AF21",
    "AF22",
    "AF23",
    "AF31",
    "AF32",
    "AF33",
    "AF41",
    "AF42",
    "AF43",
    "EF",
    "VOICEADMIT",
    "LE",
    NULL,
};

static const struct kurento_param params[] = {
    KURENTO_PIPELINE_PARAM,
    {.name = "recvonly", .type = KURENTO_BOOLEAN, .is_optional = true},
    {.name = "sendonly", .type = KURENTO_BOOLEAN, .is_optional = true},
    {.name = "useDataChannels", .type = KURENTO_BOOLEAN, .is_optional = true},
    {.name = "certificateKeyType",
     .type = KURENTO_ENUM,
     .type_name = "CertificateKeyType",
     .words = key_types,
     .is_optional = true},
    {.name = "qosDscp",
     .type = KURENTO_ENUM,
     .type_name = "DSCPValue",
     .words = dscp_words,
     .is_optional = true},
};

static const struct kurento_param offer_param[] = {{.name = "offer", .type = KURENTO_STRING}};
static const struct kurento_param answer_param[] = {{.name = "answer", .type = KURENTO_STRING}};
static const struct kurento_param offer_options[] = {
    {.name = "options", .type = KURENTO_COMPLEX, .is_optional = true}};
static const struct kurento_param candidate_param[] = {
    {.name = "candidate", .type = KURENTO_COMPLEX}};
static const struct kurento_param stun_address[] = {
    {.name = "stunServerAddress", .type = KURENTO_STRING}};
static const struct kurento_param stun_port[] = {
    {.name = "stunServerPort", .type = KURENTO_INTEGER, .min = 1, .max = 65535}};
static const struct kurento_param turn_url[] = {{.name = "turnUrl", .type = KURENTO_STRING}};
static const struct kurento_param external_v4[] = {
    {.name = "externalIPv4", .type = KURENTO_STRING}};
static const struct kurento_param external_v6[] = {
    {.name = "externalIPv6", .type = KURENTO_STRING}};
static const struct kurento_param interfaces[] = {
    {.name = "networkInterfaces", .type = KURENTO_STRING}};
static const struct kurento_param ice_tcp[] = {{.name = "iceTcp", .type = KURENTO_BOOLEAN}};

static const struct kurento_operation operations[] = {
    {"processOffer", offer_param, 1, process_offer},
    {"generateOffer", offer_options, 1, generate_offer},
    {"processAnswer", answer_param, 1, process_answer},
    {"addIceCandidate", candidate_param, 1, add_ice_candidate},
    {"gatherCandidates", NULL, 0, gather_candidates},
    {"getConnectionState", NULL, 0, kurento_webrtc_get_connection_state},
    {"getIceConnectionState", NULL, 0, kurento_webrtc_get_ice_connection_state},
    {"getDtlsConnectionState", NULL, 0, kurento_webrtc_get_dtls_connection_state},
    {"getICECandidatePairs", NULL, 0, kurento_webrtc_get_ice_candidate_pairs},
    {"createDataChannel", NULL, 0, no_data_channels},
    {"closeDataChannel", NULL, 0, no_data_channels},
    KURENTO_PROPERTY("StunServerAddress", stun_address[0]),
    KURENTO_PROPERTY("StunServerPort", stun_port[0]),
    KURENTO_PROPERTY("TurnUrl", turn_url[0]),
    KURENTO_PROPERTY("ExternalIPv4", external_v4[0]),
    KURENTO_PROPERTY("ExternalIPv6", external_v6[0]),
    KURENTO_PROPERTY("NetworkInterfaces", interfaces[0]),
    KURENTO_PROPERTY("IceTcp", ice_tcp[0]),
};

static const char *const events[] = {
    "IceCandidateFound",         "IceGatheringDone",
    "IceComponentStateChanged",  "NewCandidatePairSelected",
    "DataChannelOpened",         "DataChannelClosed",
    "DtlsConnectionStateChange", NULL,
};

const struct kurento_type kurento_webrtc_endpoint_type = {
    .name = "WebRtcEndpoint",
    .module = "elements",
    .base = &kurento_base_rtp_endpoint_type,
    .size = sizeof(struct kurento_webrtc_endpoint),
    .params = params,
    .n_params = ARRAY_LEN(params),
    .init = init,
    .deinit = deinit,
    .operations = operations,
    .n_operations = ARRAY_LEN(operations),
    .events = events,
};
