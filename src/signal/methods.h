/**
 * The messages that a page may send. To add one: a row here, a handler beside it, a test, and its
 * section in docs/protocol.md.
 */
#ifndef SIGNAL_METHODS_H
#define SIGNAL_METHODS_H

#include <stddef.h>

#include "call/call.h"
#include "call/name.h"
#include "media/media.h"
#include "signal/request.h"
#include "signal/signal.h"

/** Bytes of an offer: four times what a browser with every codec and video sends. */
#define SIGNAL_OFFER_MAX 32768

/** Bytes of a candidate attribute: twice the longest that browsers send. */
#define SIGNAL_CANDIDATE_MAX 512

/** Bytes of a mid, which the page's browser chooses: "0", "audio". */
#define SIGNAL_MID_MAX 64

/** RFC 8839 §5.4: "4*256ice-char". */
#define SIGNAL_UFRAG_MAX 256

/** Milliseconds that a browser's jitter buffer may hold: fifty times what is usual. */
#define SIGNAL_JITTER_BUFFER_MAX 10000

struct signal_method {
    const char *id;
    bool is_java_only; /**< the Node tutorial does not know it */
    const struct signal_field *fields;
    size_t n_fields;

    /**
     * Turn a request that is right in form into a message of the call model.
     *
     * @param media        checks the offer
     * @param offer_error  MEDIA_ERROR_MAX bytes that outlive ret
     * @return NULL, or the field that is missing in this combination
     */
    const struct signal_field *(*handler)(const struct signal_request *request, struct media *media,
                                          char *offer_error, struct call_msg *ret);
};

/** NULL = unknown id in this dialect. */
const struct signal_method *signal_method_find(enum signal_dialect dialect, struct str id);

/** All rows, for tests. */
const struct signal_method *signal_methods(size_t *ret_n);

#endif
