/**
 * JSON → struct by a table: each message of a page is a row with its fields, each field a row with
 * type and limits. The rows do all the checking and all the explaining; a handler gets a struct
 * that is right in form.
 */
#ifndef SIGNAL_REQUEST_H
#define SIGNAL_REQUEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

#include "base/compiler.h"
#include "base/str.h"
#include "call/call.h"

enum signal_type {
    SIGNAL_STRING,  /**< struct str; max bytes */
    SIGNAL_NAME,    /**< struct str; max characters; a user's name, call/name.h */
    SIGNAL_CALL_ID, /**< uint64_t; 16 hexadecimal digits, not all zero */
    SIGNAL_INTEGER, /**< int; 0..max */
    SIGNAL_BOOLEAN, /**< bool */
    SIGNAL_OBJECT,  /**< its fields are rows of their own */
};

enum {
    SIGNAL_OPTIONAL = 1,     /**< may be missing */
    SIGNAL_NULLABLE = 2,     /**< may be null: the same as missing */
    SIGNAL_MAY_BE_EMPTY = 4, /**< string of no characters */
};

struct signal_field {
    const char *name;
    enum signal_type type;
    unsigned flags;
    size_t max;                        /**< STRING: bytes; NAME: characters; INTEGER: value */
    size_t offset;                     /**< in struct signal_request; not for OBJECT */
    const struct signal_field *fields; /**< OBJECT */
    size_t n_fields;
};

/** What the fields of a message say. Views are borrowed from the JSON. */
struct signal_request {
    struct str name, from, to, offer, response, message;
    uint64_t call_id; /**< 0 = not given */
    bool extras;
    struct call_candidate candidate;
    struct call_hearing hearing;
};

/** Everything missing. */
#define SIGNAL_REQUEST_EMPTY                                                                       \
    (struct signal_request)                                                                        \
    {                                                                                              \
        .candidate.mline_index = -1, .hearing = { -1, -1 }                                         \
    }

/** Room for a field's path and for the sentence about it. */
#define SIGNAL_FIELD_MAX   64
#define SIGNAL_MESSAGE_MAX 256

/** What is wrong with a message: the field's path, and a sentence that says what would be right. */
struct signal_fault {
    char field[SIGNAL_FIELD_MAX]; /**< "to", "candidate.sdpMid" */
    char message[SIGNAL_MESSAGE_MAX];
};

enum signal_request_error { SIGNAL_E_FIELD = 1 };

/**
 * Read an object by rows.
 *
 * @param id   the message's id, for the sentence
 * @param ret  SIGNAL_REQUEST_EMPTY; filled as far as the fields are right
 *
 * @return 0               every row is satisfied
 *         SIGNAL_E_FIELD  tell the page what *fault says
 */
MUST_CHECK int signal_request_read(const char *id, const struct signal_field *fields,
                                   size_t n_fields, const json_t *object,
                                   struct signal_request *ret, struct signal_fault *fault);

/** The fault of a field that is missing although a row allows it. */
void signal_request_missing(const char *id, const struct signal_field *field,
                            struct signal_fault *fault);

#endif
