/**
 * The asking side of JSON-RPC 2.0 as Kurento speaks it: ids, who waits for which answer and for how
 * long, the session. No connection: what is to be sent is returned, and kept until it is answered,
 * so that it can be sent again over a new one. (A server remembers its answers for 20 s, by session
 * and id, and repeats them instead of doing the same thing twice.)
 */
#ifndef KMS_RPC_H
#define KMS_RPC_H

#include <stdbool.h>
#include <stdint.h>

#include <jansson.h>

#include "base/compiler.h"
#include "base/list.h"
#include "base/map.h"
#include "base/rng.h"
#include "base/str.h"
#include "base/time.h"
#include "kms/kms.h"

/** What the asker wants to be reminded of when the answer comes. */
struct kms_tag {
    uint64_t bridge; /**< its number; 0 = the connection's own business */
    uint8_t step;
    uint8_t leg;
    uint8_t detail; /**< of the step */
};

/** A request without an answer. */
struct kms_request {
    struct list waiting; /**< in kms_rpc.waiting */
    uint64_t id;
    mono_us due;
    struct kms_tag tag;
    char *text; /**< owned; as it was sent */
};

/** Fields are private but for `session` and, to send them again, `waiting`. */
struct kms_rpc {
    struct list waiting; /**< of kms_request, oldest first: so they are due in order */
    struct map by_id;
    uint64_t last_id;             /**< never goes back, not even with a new connection */
    char session[KMS_ID_MAX + 1]; /**< read from the answers; "" = none yet */
};

enum kms_answer_kind {
    KMS_ANSWER_OK,      /**< value */
    KMS_ANSWER_REFUSED, /**< code, message */
    KMS_ANSWER_NONE,    /**< it is overdue; message says so */
};

/** Views live as long as the kms_heard that holds them. */
struct kms_answer {
    enum kms_answer_kind kind;
    const json_t *value; /**< NULL = none */
    int code;            /**< of Kurento; 0 when it sent none */
    struct str message;  /**< may be empty */
};

enum kms_heard_type {
    KMS_HEARD_ANSWER,
    KMS_HEARD_EVENT,
    KMS_HEARD_STRAY, /**< well-formed, and nothing that anybody waits for */
    KMS_HEARD_BAD,   /**< no JSON, no object, no answer and no event */
};

struct kms_heard {
    enum kms_heard_type type;
    json_t *root;             /**< owned */
    struct kms_tag tag;       /**< ANSWER */
    struct kms_answer answer; /**< ANSWER */
    struct str object, event; /**< EVENT: who tells what */
    const json_t *data;       /**< EVENT: an object */
};

/** @param rng borrowed for the call: hash keys */
void kms_rpc_init(struct kms_rpc *rpc, struct rng *rng);
void kms_rpc_deinit(struct kms_rpc *rpc);

/**
 * Make a request; it waits for its answer from now on.
 *
 * @param params   taken, also on failure; NULL = there was no memory for it
 * @param ret_text to be sent; borrowed until the answer
 * @return 0, or -ENOMEM: nothing waits
 */
MUST_CHECK int kms_rpc_ask(struct kms_rpc *rpc, mono_us now, const char *method, json_t *params,
                           struct kms_tag tag, struct str *ret_text);

/** One message of the server. @param ret kms_heard_free is due whatever its type */
void kms_rpc_hear(struct kms_rpc *rpc, struct str text, struct kms_heard *ret);

void kms_heard_free(struct kms_heard *heard);

/** Take out one request whose time is over. @return false = none */
bool kms_rpc_overdue(struct kms_rpc *rpc, mono_us now, struct kms_tag *ret);

/** MONO_NEVER = nothing waits */
mono_us kms_rpc_deadline(const struct kms_rpc *rpc);

/** Nobody waits any more; late answers are strays. */
void kms_rpc_forget(struct kms_rpc *rpc);

/** A string member as a view; empty = missing or no string. */
struct str kms_member(const json_t *object, const char *name);

#endif
