/* The table of messages and their handlers: see the header. */
#include "signal/methods.h"

#define AT(member) offsetof(struct signal_request, member)

/* ---- register ---- */

static const struct signal_field register_fields[] = {
    {"name", SIGNAL_NAME, SIGNAL_MAY_BE_EMPTY, CALL_NAME_MAX_CHARS, AT(name), NULL, 0},
    {"extras", SIGNAL_BOOLEAN, SIGNAL_OPTIONAL, 0, AT(extras), NULL, 0},
};

static const struct signal_field *on_register(const struct signal_request *request,
                                              struct media *media, char *offer_error,
                                              struct call_msg *ret)
{
    (void)media;
    (void)offer_error;
    *ret = (struct call_msg){.type = CALL_MSG_REGISTER, .name = request->name};
    return NULL;
}

/* ---- call ---- */

static const char *check_offer(struct media *media, struct str offer, char *error)
{
    error[0] = 0;
    return media->ops->check_offer(media, offer, error) ? NULL : error;
}

static const struct signal_field call_fields[] = {
    {"from", SIGNAL_NAME, SIGNAL_OPTIONAL, CALL_NAME_MAX_CHARS, AT(from), NULL, 0},
    {"to", SIGNAL_NAME, 0, CALL_NAME_MAX_CHARS, AT(to), NULL, 0},
    {"sdpOffer", SIGNAL_STRING, 0, SIGNAL_OFFER_MAX, AT(offer), NULL, 0},
};

static const struct signal_field *on_call(const struct signal_request *request, struct media *media,
                                          char *offer_error, struct call_msg *ret)
{
    *ret = (struct call_msg){
        .type = CALL_MSG_CALL,
        .from = request->from,
        .to = request->to,
        .offer = request->offer,
        .offer_error = check_offer(media, request->offer, offer_error),
    };
    return NULL;
}

/* ---- incomingCallResponse ---- */

static const struct signal_field response_fields[] = {
    {"from", SIGNAL_NAME, 0, CALL_NAME_MAX_CHARS, AT(from), NULL, 0},
    {"callResponse", SIGNAL_STRING, 0, 32, AT(response), NULL, 0},
    {"sdpOffer", SIGNAL_STRING, SIGNAL_OPTIONAL, SIGNAL_OFFER_MAX, AT(offer), NULL, 0},
    {"message", SIGNAL_STRING, SIGNAL_OPTIONAL | SIGNAL_MAY_BE_EMPTY, 256, AT(message), NULL, 0},
    {"callId", SIGNAL_CALL_ID, SIGNAL_OPTIONAL, 0, AT(call_id), NULL, 0},
};

#define RESPONSE_OFFER (&response_fields[2])

static const struct signal_field *on_response(const struct signal_request *request,
                                              struct media *media, char *offer_error,
                                              struct call_msg *ret)
{
    /* The tutorial takes anything but "accept" for a reject; its page says "bussy". */
    *ret = (struct call_msg){
        .type = CALL_MSG_RESPONSE,
        .from = request->from,
        .accept = str_eq(request->response, STR("accept")),
        .busy = str_eq(request->message, STR("bussy")) || str_eq(request->message, STR("busy")),
        .call_id = request->call_id,
    };
    if (!ret->accept)
        return NULL;
    if (request->offer.len == 0)
        return RESPONSE_OFFER;
    ret->offer = request->offer;
    ret->offer_error = check_offer(media, request->offer, offer_error);
    return NULL;
}

/* ---- onIceCandidate ---- */

static const struct signal_field candidate_fields[] = {
    {"candidate", SIGNAL_STRING, SIGNAL_MAY_BE_EMPTY, SIGNAL_CANDIDATE_MAX, AT(candidate.candidate),
     NULL, 0},
    {"sdpMid", SIGNAL_STRING, SIGNAL_OPTIONAL | SIGNAL_NULLABLE | SIGNAL_MAY_BE_EMPTY,
     SIGNAL_MID_MAX, AT(candidate.mid), NULL, 0},
    {"sdpMLineIndex", SIGNAL_INTEGER, SIGNAL_OPTIONAL | SIGNAL_NULLABLE, UINT16_MAX,
     AT(candidate.mline_index), NULL, 0},
    {"usernameFragment", SIGNAL_STRING, SIGNAL_OPTIONAL | SIGNAL_NULLABLE | SIGNAL_MAY_BE_EMPTY,
     SIGNAL_UFRAG_MAX, AT(candidate.ufrag), NULL, 0},
};

static const struct signal_field on_ice_candidate_fields[] = {
    {"candidate", SIGNAL_OBJECT, 0, 0, 0, candidate_fields, ARRAY_LEN(candidate_fields)},
};

static const struct signal_field *on_ice_candidate(const struct signal_request *request,
                                                   struct media *media, char *offer_error,
                                                   struct call_msg *ret)
{
    (void)media;
    (void)offer_error;
    *ret = (struct call_msg){.type = CALL_MSG_CANDIDATE, .candidate = request->candidate};
    return NULL;
}

/* ---- reoffer ---- */

static const struct signal_field reoffer_fields[] = {
    {"sdpOffer", SIGNAL_STRING, 0, SIGNAL_OFFER_MAX, AT(offer), NULL, 0},
    {"callId", SIGNAL_CALL_ID, SIGNAL_OPTIONAL, 0, AT(call_id), NULL, 0},
};

static const struct signal_field *on_reoffer(const struct signal_request *request,
                                             struct media *media, char *offer_error,
                                             struct call_msg *ret)
{
    *ret = (struct call_msg){
        .type = CALL_MSG_REOFFER,
        .call_id = request->call_id,
        .offer = request->offer,
        .offer_error = check_offer(media, request->offer, offer_error),
    };
    return NULL;
}

/* ---- stop ---- */

static const struct signal_field stop_fields[] = {
    {"callId", SIGNAL_CALL_ID, SIGNAL_OPTIONAL, 0, AT(call_id), NULL, 0},
};

static const struct signal_field *on_stop(const struct signal_request *request, struct media *media,
                                          char *offer_error, struct call_msg *ret)
{
    (void)media;
    (void)offer_error;
    *ret = (struct call_msg){.type = CALL_MSG_STOP, .call_id = request->call_id};
    return NULL;
}

/* ---- quality ---- */

static const struct signal_field quality_fields[] = {
    {"callId", SIGNAL_CALL_ID, SIGNAL_OPTIONAL, 0, AT(call_id), NULL, 0},
    {"concealed", SIGNAL_INTEGER, SIGNAL_OPTIONAL | SIGNAL_NULLABLE, 1000,
     AT(hearing.concealed_permille), NULL, 0},
    {"jitterBuffer", SIGNAL_INTEGER, SIGNAL_OPTIONAL | SIGNAL_NULLABLE, SIGNAL_JITTER_BUFFER_MAX,
     AT(hearing.jitter_buffer_ms), NULL, 0},
};

static const struct signal_field *on_quality(const struct signal_request *request,
                                             struct media *media, char *offer_error,
                                             struct call_msg *ret)
{
    (void)media;
    (void)offer_error;
    *ret = (struct call_msg){
        .type = CALL_MSG_QUALITY, .call_id = request->call_id, .hearing = request->hearing};
    return NULL;
}

/* ---- play, stopPlay ---- */

static const struct signal_field play_fields[] = {
    {"user", SIGNAL_NAME, SIGNAL_MAY_BE_EMPTY, CALL_NAME_MAX_CHARS, AT(name), NULL, 0},
    {"sdpOffer", SIGNAL_STRING, 0, SIGNAL_OFFER_MAX, AT(offer), NULL, 0},
};

static const struct signal_field *on_play(const struct signal_request *request, struct media *media,
                                          char *offer_error, struct call_msg *ret)
{
    *ret = (struct call_msg){
        .type = CALL_MSG_PLAY,
        .name = request->name,
        .offer = request->offer,
        .offer_error = check_offer(media, request->offer, offer_error),
    };
    return NULL;
}

static const struct signal_field *on_stop_play(const struct signal_request *request,
                                               struct media *media, char *offer_error,
                                               struct call_msg *ret)
{
    (void)request;
    (void)media;
    (void)offer_error;
    *ret = (struct call_msg){.type = CALL_MSG_STOP_PLAY};
    return NULL;
}

/* ---- the table ---- */

#define FIELDS(array) array, ARRAY_LEN(array)

static const struct signal_method methods[] = {
    {"register", false, FIELDS(register_fields), on_register},
    {"call", false, FIELDS(call_fields), on_call},
    {"incomingCallResponse", false, FIELDS(response_fields), on_response},
    {"onIceCandidate", false, FIELDS(on_ice_candidate_fields), on_ice_candidate},
    {"reoffer", false, FIELDS(reoffer_fields), on_reoffer},
    {"stop", false, FIELDS(stop_fields), on_stop},
    {"quality", false, FIELDS(quality_fields), on_quality},
    {"play", true, FIELDS(play_fields), on_play},
    {"stopPlay", true, NULL, 0, on_stop_play},
};

const struct signal_method *signal_method_find(enum signal_dialect dialect, struct str id)
{
    for (size_t i = 0; i < ARRAY_LEN(methods); i++) {
        const struct signal_method *m = &methods[i];
        if (str_eq(id, str_of(m->id)) && !(m->is_java_only && dialect == SIGNAL_NODE))
            return m;
    }
    return NULL;
}

const struct signal_method *signal_methods(size_t *ret_n)
{
    *ret_n = ARRAY_LEN(methods);
    return methods;
}
