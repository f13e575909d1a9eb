/**
 * What a Kurento Media Server answers when something cannot be done: one table of codes and names.
 * Codes and names after Kurento Media Server 7.3 (ErrorCodes of its core module, JSON-RPC 2.0
 * §5.1).
 */
#ifndef KURENTO_ERROR_H
#define KURENTO_ERROR_H

#include "base/compiler.h"

/** Positive: results of handlers. What the client is told stands in the table of error.c. */
enum kurento_error {
    KURENTO_E_PARSE = 1,       /**< no JSON */
    KURENTO_E_REQUEST,         /**< no JSON-RPC request */
    KURENTO_E_METHOD,          /**< no such JSON-RPC method */
    KURENTO_E_PARAMS,          /**< a method that needs params has none */
    KURENTO_E_INTERNAL,        /**< out of memory, or a bug */
    KURENTO_E_SERVER,          /**< a member of params is missing or of another type */
    KURENTO_E_MARSHALL,        /**< a parameter of an operation or constructor */
    KURENTO_E_UNEXPECTED,      /**< what has no code of its own */
    KURENTO_E_CONNECT,         /**< elements of two pipelines */
    KURENTO_E_NOT_IMPLEMENTED, /**< known, but not done here */
    KURENTO_E_SESSION,         /**< `connect` or `keepAlive` of a session that is not there */
    KURENTO_E_TRANSACTION,     /**< malformed transaction; also: no such operation */
    KURENTO_E_RESOURCES,       /**< a limit is reached */
    KURENTO_E_NO_OBJECT,       /**< unknown or released id */
    KURENTO_E_EVENT,           /**< the type has no such event */
    KURENTO_E_ARGUMENT,        /**< a value that this object cannot take */
    KURENTO_E_FACTORY,         /**< no such type can be created */
    KURENTO_E_NEWREF,          /**< `newref:` that names nothing */
    KURENTO_E_TAG,             /**< no such tag */
    KURENTO_E_UNSUPPORTED,     /**< the object cannot do this */
    KURENTO_E_SDP_CREATE,
    KURENTO_E_SDP_PARSE,
    KURENTO_E_NO_LOCAL_SDP,
    KURENTO_E_NO_REMOTE_SDP,
    KURENTO_E_GENERATE_OFFER,
    KURENTO_E_PROCESS_OFFER,
    KURENTO_E_PROCESS_ANSWER,
    KURENTO_E_NEGOTIATED, /**< an offer was made or answered already */
    KURENTO_E_NO_OFFER,   /**< an answer to no offer of ours */
    KURENTO_E_ANSWERED,   /**< a second answer */
    KURENTO_E_GATHER,
    KURENTO_E_CANDIDATE, /**< a candidate that ICE refused */
    KURENTO_E_NO_MODULE, /**< getKmd of a module that is not there */
    KURENTO_E_URI,       /**< a URI that cannot be opened */
    KURENTO_E_SEEK,
    KURENTO_N_ERRORS,
};

/** Room for the sentence of an error, the zero included; it quotes what the client sent, cut. */
#define KURENTO_TEXT_MAX 256

/** An error on its way to the client. */
struct kurento_fault {
    enum kurento_error error;
    char text[KURENTO_TEXT_MAX];
};

/** JSON-RPC code. */
int kurento_error_code(enum kurento_error error);

/** `data.type`; NULL = this error has no data. */
const char *kurento_error_type(enum kurento_error error);

/**
 * Fill a fault, the way handlers end: `return kurento_fail(fault, KURENTO_E_NO_OBJECT, "…", id)`.
 *
 * @return error
 */
PRINTF_LIKE(3, 4)
int kurento_fail(struct kurento_fault *fault, enum kurento_error error, const char *format, ...);

#endif
