/**
 * A type of media object is a row: its name, what it is derived from, how it is made, what it can
 * do and what it tells. Adding a method = one row in its type's file, one handler, one test.
 */
#ifndef KURENTO_TYPE_H
#define KURENTO_TYPE_H

#include <stdbool.h>
#include <stddef.h>

#include <jansson.h>

#include "base/compiler.h"
#include "base/time.h"
#include "kurento/error.h"
#include "kurento/param.h"

struct kurento;
struct kurento_session;
struct kurento_operation;

/** What a handler or constructor gets. Everything is borrowed for the call. */
struct kurento_call {
    struct kurento *kurento;
    struct kurento_session *session;
    struct kurento_object *object; /**< of the operation; the new one in a constructor */
    const struct kurento_operation *operation; /**< NULL in a constructor */
    const struct kurento_value *args;          /**< one a row, in the rows' order */
    mono_us now;
    struct kurento_fault *fault; /**< for kurento_fail */
    uint64_t socket;
    json_t *request_id; /**< NULL = a notification */
    bool is_inside;     /**< of a transaction: nothing can be put off */
};

/**
 * @param ret  owned by the caller then; left alone = null is answered
 *
 * @return 0
 *         KURENTO_PUT_OFF   the answer comes later, through kurento_put_off
 *         KURENTO_E_…       with fault filled
 *         a negative errno  on our side: KURENTO_E_INTERNAL is answered
 */
typedef int (*kurento_handler)(const struct kurento_call *call, json_t **ret);

#define KURENTO_PUT_OFF KURENTO_N_ERRORS

struct kurento_operation {
    const char *name;
    const struct kurento_param *params;
    size_t n_params;
    kurento_handler handler;
};

struct kurento_type {
    const char *name;                /**< "WebRtcEndpoint" */
    const char *module;              /**< "core", "elements"; of a factory */
    const struct kurento_type *base; /**< what it is derived from; NULL = MediaObject itself */
    size_t size;                     /**< of its struct; 0 = abstract: no factory */

    /** The first one is the parent, when it is an object. */
    const struct kurento_param *params;
    size_t n_params;

    /** Constructor; NULL = nothing to do. On failure the object is freed without deinit. */
    int (*init)(const struct kurento_call *call);

    /** The children are gone already. NULL = nothing to do. */
    void (*deinit)(struct kurento_object *object);

    const struct kurento_operation *operations;
    size_t n_operations;
    const char *const *events; /**< ends with NULL; NULL = none of its own */
};

/** By its name with or without "kurento."; NULL = none, or abstract. */
const struct kurento_type *kurento_type_find(struct str name);

/** Is it of that type, or derived from it? */
bool kurento_type_is(const struct kurento_type *type, const char *name);

/** Of the type or what it is derived from; NULL = none. */
const struct kurento_operation *kurento_type_operation(const struct kurento_type *type,
                                                       struct str name);

#endif
