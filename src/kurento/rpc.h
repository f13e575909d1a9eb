/**
 * The JSON-RPC 2.0 envelope as Kurento speaks it: one request a frame, keys of an answer in
 * alphabetical order, no spaces. Nothing here knows what a method does.
 */
#ifndef KURENTO_RPC_H
#define KURENTO_RPC_H

#include <stdbool.h>

#include <jansson.h>

#include "base/compiler.h"
#include "base/str.h"
#include "kurento/error.h"

#define KURENTO_RPC_MAX_METHOD 64

/** A request. Owns `root`, into which everything else points. */
struct kurento_request {
    json_t *root;
    json_t *id; /**< as it came, to be echoed; NULL = a notification (none, or null) */
    struct str method;
    const json_t *params; /**< an object; NULL = none */
};

/**
 * @param ret   filled on 0, to be freed by kurento_request_free; zeroed otherwise
 * @param fault filled with a positive result
 *
 * @return 0
 *         KURENTO_E_PARSE    no JSON: answer it, with id null
 *         KURENTO_E_REQUEST  no request of JSON-RPC 2.0 (a batch is none either): likewise
 */
MUST_CHECK int kurento_request_read(struct str frame, struct kurento_request *ret,
                                    struct kurento_fault *fault);

/** From an element of a transaction. @param json borrowed for the life of ret */
MUST_CHECK int kurento_request_of(json_t *json, struct kurento_request *ret,
                                  struct kurento_fault *fault);

/** Legal on a zeroed struct. */
void kurento_request_free(struct kurento_request *request);

/**
 * {"id":…,"jsonrpc":"2.0","result":…}
 *
 * @param id      borrowed; NULL = null
 * @param result  taken, also on failure; NULL = null
 * @return owned; NULL = out of memory
 */
MUST_CHECK json_t *kurento_response(json_t *id, json_t *result);

/**
 * {"error":{"code":…,"data":{"type":…},"message":…},"id":…,"jsonrpc":"2.0"}
 *
 * @param data  taken: takes the place of the data of the error's own; NULL = those
 * @return owned; NULL = out of memory
 */
MUST_CHECK json_t *kurento_error_response(json_t *id, const struct kurento_fault *fault,
                                          json_t *data);

/** {"jsonrpc":"2.0","method":"onEvent","params":{"value":…}} @param value taken */
MUST_CHECK json_t *kurento_notification(json_t *value);

/** As it goes onto the wire: free() it. NULL = out of memory. */
MUST_CHECK char *kurento_rpc_text(const json_t *message);

/**
 * A text that quotes what others wrote: cut anywhere, or never UTF-8. What is none becomes U+FFFD.
 *
 * @param text  what is behind KURENTO_TEXT_MAX bytes may be left out
 * @return owned; NULL = out of memory
 */
MUST_CHECK json_t *kurento_quoting(const char *text);

/** A string member of an object as a view; empty = missing or no string. */
struct str kurento_member(const json_t *object, const char *name);

#endif
