/**
 * The endpoint that is a WebRTC peer, in a pipeline.
 */
#ifndef ENGINE_WEBRTC_H
#define ENGINE_WEBRTC_H

#include "engine/pipeline.h"
#include "relay/webrtc.h"

/**
 * Not yet in the pipeline's list.
 *
 * @param local  its ufrag has DEMUX_UFRAG_LEN characters
 * @param env    of the worker that it will live on; outlives it
 *
 * @return 0
 *         ICE_E_CREDENTIALS, ICE_E_UNSUPPORTED  refuse the offer (see peer_init)
 *         -ENOMEM
 */
MUST_CHECK int webrtc_new(struct pipeline *p, unsigned number, mono_us now,
                          const struct peer_params *params, const struct peer_local *local,
                          const struct peer_env *env, struct pipeline_endpoint **ret);

#endif
