/*
 * RtpEndpoint.
 *
 *     state        leaves it by
 *     NEW          processOffer                 → NEGOTIATED
 *                  generateOffer                → OFFERED
 *     OFFERED      processAnswer                → NEGOTIATED
 *                  (without memory for it)      → NEW
 *     NEGOTIATED   the engine: connected        → CONNECTED
 *     any          the engine: ended            → ENDED
 *
 * A later processOffer leaves the state as it is: hold, another address, other codecs. (A real
 * server refuses it; docs/kurento.md.)
 */
#include "kurento/rtp_endpoint.h"

#include <errno.h>
#include <string.h>

#include "base/base64.h"
#include "base/mem.h"
#include "kurento/private.h"
#include "kurento/property.h"
#include "kurento/types.h"
#include "kurento/watch.h"

static struct kurento_rtp_endpoint *self(struct kurento_object *object)
{
    return CONTAINER_OF(object, struct kurento_rtp_endpoint, sdp.element.object);
}

/* --- offer and answer --- */

/* @param err, error  of the engine; `doing` is what was not done */
static int refusal(const struct kurento_call *call, enum kurento_error code, const char *doing,
                   int err, const char *error)
{
    if (err < 0)
        return err;
    if (err == ENGINE_E_PORTS)
        return kurento_fail(call->fault, KURENTO_E_RESOURCES, "Error %s: %s", doing, error);
    return kurento_fail(call->fault, code, "Error %s: %s", doing,
                        err == ENGINE_E_UNKNOWN ? "its media has ended" : error);
}

static const struct engine_sdes *sdes_of(const struct kurento_rtp_endpoint *e)
{
    return e->is_encrypted ? &e->sdes : NULL;
}

/* The engine has made it: connections come true. */
static int begin(struct kurento_rtp_endpoint *e, unsigned number, struct str local,
                 struct str remote)
{
    int err = kurento_sdp_endpoint_negotiated(&e->sdp, number, local, remote);
    if (!err)
        e->state = KURENTO_RTP_NEGOTIATED;
    return err;
}

static int first_offer(const struct kurento_call *call, struct kurento_rtp_endpoint *e,
                       struct str offer, char *answer)
{
    char error[ENGINE_ERROR_MAX];
    struct kurento_element *element = &e->sdp.element;
    unsigned number = kurento_element_new_endpoint(element);
    int err =
        engine_plain_answer(call->kurento->engine, call->now, kurento_element_pipeline(element),
                            number, offer, sdes_of(e), answer, error);
    if (err)
        return refusal(call, KURENTO_E_PROCESS_OFFER, "processing offer", err, error);
    return begin(e, number, str_of(answer), offer);
}

/* When there is no memory left to keep the descriptions, what the getters tell is the one before.
 */
static int later_offer(const struct kurento_call *call, struct kurento_rtp_endpoint *e,
                       struct str offer, char *answer)
{
    char error[ENGINE_ERROR_MAX];
    struct kurento_element *element = &e->sdp.element;
    int err =
        e->state == KURENTO_RTP_ENDED
            ? ENGINE_E_UNKNOWN
            : engine_plain_answer_again(call->kurento->engine, kurento_element_pipeline(element),
                                        element->endpoint, offer, answer, error);
    if (err)
        return refusal(call, KURENTO_E_PROCESS_OFFER, "processing offer", err, error);
    err = kurento_sdp_endpoint_keep(&e->sdp, str_of(answer), offer);
    (void)err; /* it has been said, and must be answered */
    return 0;
}

static int process_offer(const struct kurento_call *call, json_t **ret)
{
    struct kurento_rtp_endpoint *e = self(call->object);
    struct str offer = call->args[0].string;
    int err = kurento_sdp_refuse_text(call, offer, "offer");
    if (err)
        return err;
    if (e->state == KURENTO_RTP_OFFERED)
        return kurento_sdp_already_negotiated(call);
    char *answer = mem_alloc(ENGINE_ANSWER_MAX);
    if (!answer)
        return -ENOMEM;
    err = e->state == KURENTO_RTP_NEW ? first_offer(call, e, offer, answer)
                                      : later_offer(call, e, offer, answer);
    if (!err)
        *ret = json_string(answer);
    mem_free(answer);
    return err;
}

static void forget_offer(struct kurento_rtp_endpoint *e)
{
    engine_plain_offered_free(e->offered);
    e->offered = NULL;
}

/* Audio can be left out of what we receive; of what we send it cannot. */
static int generate_offer(const struct kurento_call *call, json_t **ret)
{
    struct kurento_rtp_endpoint *e = self(call->object);
    const json_t *audio = json_object_get(call->args[0].json, "offerToReceiveAudio");
    char error[ENGINE_ERROR_MAX];
    if (e->state != KURENTO_RTP_NEW)
        return kurento_sdp_already_negotiated(call);
    int err = engine_plain_offer(
        call->kurento->engine, call->now, kurento_element_pipeline(&e->sdp.element), e->use_ipv6,
        json_is_false(audio) ? ENGINE_SENDONLY : ENGINE_SENDRECV, sdes_of(e), error, &e->offered);
    if (err)
        return refusal(call, KURENTO_E_GENERATE_OFFER, "generating offer", err, error);
    const char *offer = engine_plain_offered_sdp(e->offered);
    err = kurento_sdp_endpoint_keep(&e->sdp, str_of(offer), (struct str){0});
    if (err) {
        forget_offer(e);
        return err;
    }
    e->state = KURENTO_RTP_OFFERED;
    *ret = json_string(offer);
    return 0;
}

static int accept_answer(const struct kurento_call *call, struct kurento_rtp_endpoint *e,
                         struct str answer)
{
    char error[ENGINE_ERROR_MAX];
    struct kurento_element *element = &e->sdp.element;
    unsigned number = kurento_element_new_endpoint(element);
    int err =
        engine_plain_accept(call->kurento->engine, call->now, kurento_element_pipeline(element),
                            number, e->offered, answer, error);
    if (err)
        return refusal(call, KURENTO_E_PROCESS_ANSWER, "processing answer", err, error);
    return begin(e, number, str_of(engine_plain_offered_sdp(e->offered)), answer);
}

/* What is returned is the local description; the answer changes nothing in it. */
static int process_answer(const struct kurento_call *call, json_t **ret)
{
    struct kurento_rtp_endpoint *e = self(call->object);
    struct str answer = call->args[0].string;
    int err = kurento_sdp_refuse_text(call, answer, "answer");
    if (err)
        return err;
    if (e->state == KURENTO_RTP_NEW)
        return kurento_fail(call->fault, KURENTO_E_NO_OFFER,
                            "Offer not generated. It is not possible to process an answer.");
    if (e->state != KURENTO_RTP_OFFERED)
        return kurento_fail(call->fault, KURENTO_E_ANSWERED, "Sdp Answer already processed");
    err = accept_answer(call, e, answer);
    if (err > 0)
        return err;
    forget_offer(e); /* taken, or spent */
    if (err) {
        e->state = KURENTO_RTP_NEW;
        return err;
    }
    *ret = json_string(e->sdp.local);
    return 0;
}

/* --- states --- */

static void emit_connection_state(struct kurento_rtp_endpoint *e, const char *from, const char *to)
{
    kurento_emit(&e->sdp.element.object, "ConnectionStateChanged",
                 json_pack("{s:s, s:s}", "newState", to, "oldState", from));
}

static void on_media(struct kurento_object *object, const struct engine_event *event)
{
    struct kurento_rtp_endpoint *e = self(object);
    bool was_connected = e->state == KURENTO_RTP_CONNECTED;
    if (event->type == ENGINE_EVENT_CONNECTED) {
        e->state = KURENTO_RTP_CONNECTED;
        emit_connection_state(e, "DISCONNECTED", "CONNECTED");
    } else if (event->type == ENGINE_EVENT_ENDED) {
        e->state = KURENTO_RTP_ENDED;
        if (was_connected)
            emit_connection_state(e, "CONNECTED", "DISCONNECTED");
    }
}

static int get_connection_state(const struct kurento_call *call, json_t **ret)
{
    *ret = json_string(self(call->object)->state == KURENTO_RTP_CONNECTED ? "CONNECTED"
                                                                          : "DISCONNECTED");
    return 0;
}

/* --- life --- */

/* A real server takes `key` as it is, one character a byte. */
static int read_key(const struct kurento_call *call, const json_t *crypto, struct engine_sdes *ret)
{
    struct str plain = kurento_member(crypto, "key"), base64 = kurento_member(crypto, "keyBase64");
    bool is_right = true;
    ret->has_key = plain.len || base64.len;
    if (plain.len && plain.len == sizeof(ret->key))
        memcpy(ret->key, plain.p, sizeof(ret->key));
    else if (ret->has_key)
        is_right = !plain.len && base64_read(base64, ret->key, sizeof(ret->key));
    return is_right
               ? 0
               : kurento_fail(call->fault, KURENTO_E_ARGUMENT,
                              "crypto: master key and salt must have %zu bytes", sizeof(ret->key));
}

/* kurento-client sends an empty SDES for none. */
static int read_crypto(const struct kurento_call *call, struct kurento_rtp_endpoint *e)
{
    const json_t *crypto = call->args[1].json;
    struct str suite = kurento_member(crypto, "crypto");
    if (suite.len && !str_eq(suite, STR("AES_128_CM_HMAC_SHA1_80")))
        return kurento_fail(call->fault, KURENTO_E_NOT_IMPLEMENTED,
                            "crypto: of the suites only AES_128_CM_HMAC_SHA1_80 is there");
    int err = read_key(call, crypto, &e->sdes);
    e->is_encrypted = suite.len || e->sdes.has_key;
    return err;
}

static int init(const struct kurento_call *call)
{
    struct kurento_rtp_endpoint *e = self(call->object);
    int err = call->args[1].is_given ? read_crypto(call, e) : 0;
    if (err)
        return err;
    e->use_ipv6 = call->args[2].boolean;
    kurento_element_init(&e->sdp.element);
    e->sdp.element.on_media = on_media;
    return 0;
}

static void deinit(struct kurento_object *object)
{
    struct kurento_rtp_endpoint *e = self(object);
    kurento_element_deinit(&e->sdp.element);
    forget_offer(e);
    mem_wipe(&e->sdes, sizeof(e->sdes));
    kurento_sdp_endpoint_deinit(&e->sdp);
}

/* --- the row --- */

static const struct kurento_param params[] = {
    KURENTO_PIPELINE_PARAM,
    {.name = "crypto", .type = KURENTO_COMPLEX, .is_optional = true},
    {.name = "useIpv6", .type = KURENTO_BOOLEAN, .is_optional = true},
};

static const struct kurento_param offer_param[] = {{.name = "offer", .type = KURENTO_STRING}};
static const struct kurento_param answer_param[] = {{.name = "answer", .type = KURENTO_STRING}};
static const struct kurento_param offer_options[] = {
    {.name = "options", .type = KURENTO_COMPLEX, .is_optional = true}};

static const struct kurento_operation operations[] = {
    {"processOffer", offer_param, 1, process_offer},
    {"generateOffer", offer_options, 1, generate_offer},
    {"processAnswer", answer_param, 1, process_answer},
    {"getConnectionState", NULL, 0, get_connection_state},
};

static const char *const events[] = {"OnKeySoftLimit", NULL};

const struct kurento_type kurento_rtp_endpoint_type = {
    .name = "RtpEndpoint",
    .module = "elements",
    .base = &kurento_base_rtp_endpoint_type,
    .size = sizeof(struct kurento_rtp_endpoint),
    .params = params,
    .n_params = ARRAY_LEN(params),
    .init = init,
    .deinit = deinit,
    .operations = operations,
    .n_operations = ARRAY_LEN(operations),
    .events = events,
};
