/**
 * The endpoint that only listens: what it hears goes into a ring, for somebody on another thread.
 * It emits nothing and knows no network.
 */
#ifndef ENGINE_TAP_H
#define ENGINE_TAP_H

#include "base/packet_ring.h"
#include "engine/pipeline.h"

/** Payload type in the ring. There is only one: Opus. */
#define TAP_OPUS_PT 111

/**
 * Not yet in the pipeline's list.
 *
 * @param ring  referenced
 * @return NULL = out of memory
 */
MUST_CHECK struct pipeline_endpoint *tap_new(struct pipeline *p, unsigned number,
                                             struct packet_ring *ring, struct rng *rng);

#endif
