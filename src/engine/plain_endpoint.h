/**
 * The endpoint of plain RTP, in a pipeline: a struct plain with two ports of its own.
 */
#ifndef ENGINE_PLAIN_ENDPOINT_H
#define ENGINE_PLAIN_ENDPOINT_H

#include "engine/pipeline.h"
#include "engine/plain_pair.h"
#include "peer/plain.h"

/** WORKER_PLAIN_RENEGOTIATE: a later offer of an endpoint was answered. */
struct worker_plain_renegotiation {
    struct worker_command command; /**< first: freed as one */
    struct plain_params params;
};

/**
 * Not yet in the pipeline's list.
 *
 * @param local  its addresses are those that `pair` is bound to
 * @param env    of the worker that it will live on; outlives it
 * @param pair   open; the endpoint's on success
 *
 * @return NULL = out of memory
 */
MUST_CHECK struct pipeline_endpoint *
plain_endpoint_new(struct pipeline *p, unsigned number, mono_us now,
                   const struct plain_params *params, struct str cname, const struct peer_env *env,
                   struct plain_pair *pair);

/** On the worker's thread. @return as plain_renegotiate */
MUST_CHECK int plain_endpoint_renegotiate(struct pipeline_endpoint *e, mono_us now,
                                          const struct plain_params *params);

#endif
