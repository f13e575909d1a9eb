/* The table of error codes: see the header. */
#include "kurento/error.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>

static const struct {
    int code;
    const char *type;
} errors[KURENTO_N_ERRORS] = {
    [KURENTO_E_PARSE] = {-32700, NULL},
    [KURENTO_E_REQUEST] = {-32600, NULL},
    [KURENTO_E_METHOD] = {-32601, NULL},
    [KURENTO_E_PARAMS] = {-32602, "INVALID_PARAMS"},
    [KURENTO_E_INTERNAL] = {-32603, NULL},
    [KURENTO_E_SERVER] = {-32000, NULL},
    [KURENTO_E_MARSHALL] = {40001, "MARSHALL_ERROR"},
    [KURENTO_E_UNEXPECTED] = {40003, "UNEXPECTED_ERROR"},
    [KURENTO_E_CONNECT] = {40004, "CONNECT_ERROR"},
    [KURENTO_E_NOT_IMPLEMENTED] = {40006, "NOT_IMPLEMENTED"},
    [KURENTO_E_SESSION] = {40007, "INVALID_SESSION"},
    [KURENTO_E_TRANSACTION] = {40008, "MALFORMED_TRANSACTION"},
    [KURENTO_E_RESOURCES] = {40009, "NOT_ENOUGH_RESOURCES"},
    [KURENTO_E_NO_OBJECT] = {40101, "MEDIA_OBJECT_NOT_FOUND"},
    [KURENTO_E_EVENT] = {40106, "MEDIA_OBJECT_EVENT_NOT_SUPPORTED"},
    [KURENTO_E_ARGUMENT] = {40107, "MEDIA_OBJECT_ILLEGAL_PARAM_ERROR"},
    [KURENTO_E_FACTORY] = {40108, "MEDIA_OBJECT_NOT_AVAILABLE"},
    [KURENTO_E_NEWREF] = {40109, "MEDIA_OBJECT_NOT_FOUND_TRANSACTION_NO_COMMIT"},
    [KURENTO_E_TAG] = {40110, "MEDIA_OBJECT_TAG_KEY_NOT_FOUND"},
    [KURENTO_E_UNSUPPORTED] = {40111, "MEDIA_OBJECT_OPERATION_NOT_SUPPORTED"},
    [KURENTO_E_SDP_CREATE] = {40200, "SDP_CREATE_ERROR"},
    [KURENTO_E_SDP_PARSE] = {40201, "SDP_PARSE_ERROR"},
    [KURENTO_E_NO_LOCAL_SDP] = {40202, "SDP_END_POINT_NO_LOCAL_SDP_ERROR"},
    [KURENTO_E_NO_REMOTE_SDP] = {40203, "SDP_END_POINT_NO_REMOTE_SDP_ERROR"},
    [KURENTO_E_GENERATE_OFFER] = {40204, "SDP_END_POINT_GENERATE_OFFER_ERROR"},
    [KURENTO_E_PROCESS_OFFER] = {40205, "SDP_END_POINT_PROCESS_OFFER_ERROR"},
    [KURENTO_E_PROCESS_ANSWER] = {40206, "SDP_END_POINT_PROCESS_ANSWER_ERROR"},
    [KURENTO_E_NEGOTIATED] = {40208, "SDP_END_POINT_ALREADY_NEGOTIATED"},
    [KURENTO_E_NO_OFFER] = {40209, "SDP_END_POINT_NOT_OFFER_GENERATED"},
    /* the next name is spelt so in Kurento */
    [KURENTO_E_ANSWERED] = {40210, "SDP_END_POINT_ANSWER_ALREADY_PROCCESED"},
    [KURENTO_E_GATHER] = {40400, "ICE_GATHER_CANDIDATES_ERROR"},
    [KURENTO_E_CANDIDATE] = {40401, "ICE_ADD_CANDIDATE_ERROR"},
    [KURENTO_E_NO_MODULE] = {40500, "SERVER_MANAGER_ERROR_KMD_NOT_FOUND"},
    [KURENTO_E_URI] = {40600, "URI_PATH_FILE_NOT_FOUND"},
    [KURENTO_E_SEEK] = {40700, "PLAYER_SEEK_FAIL"},
};

int kurento_error_code(enum kurento_error error)
{
    assert(error > 0 && error < KURENTO_N_ERRORS);
    return errors[error].code;
}

const char *kurento_error_type(enum kurento_error error)
{
    assert(error > 0 && error < KURENTO_N_ERRORS);
    return errors[error].type;
}

int kurento_fail(struct kurento_fault *fault, enum kurento_error error, const char *format, ...)
{
    va_list args;
    fault->error = error;
    va_start(args, format);
    int n = vsnprintf(fault->text, sizeof(fault->text), format, args);
    va_end(args);
    if (n < 0)
        fault->text[0] = 0;
    return (int)error;
}
