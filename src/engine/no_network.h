/**
 * What a kind of endpoint that knows no network does about one: nothing. For its pipeline_ops.
 */
#ifndef ENGINE_NO_NETWORK_H
#define ENGINE_NO_NETWORK_H

#include "engine/pipeline.h"

/** Each does nothing, and says so where it has to say something. */
void no_network_prefetch(struct pipeline_endpoint *e);
int no_network_receive(struct pipeline_endpoint *e, mono_us now, struct dgram *d,
                       struct relay_fan *ret, mono_us *ret_due);
bool no_network_is_connected(const struct pipeline_endpoint *e);
bool no_network_awaits(const struct pipeline_endpoint *e, const uint8_t *id);
int no_network_input(struct pipeline_endpoint *e, mono_us now, const struct dgram *d);
bool no_network_poll_send(struct pipeline_endpoint *e, struct dgram *ret);
bool no_network_poll_event(struct pipeline_endpoint *e, struct peer_event *ret);
void no_network_set_tag(struct pipeline_endpoint *e);
bool no_network_get_source(const struct pipeline_endpoint *e, uint32_t *ret);
bool no_network_get_path(const struct pipeline_endpoint *e, struct peer_path *ret);
int no_network_add_candidate(struct pipeline_endpoint *e, mono_us now,
                             const struct ice_candidate *c, struct str ufrag);
void no_network_disconnected(struct pipeline_endpoint *e, mono_us now, const struct addr *local,
                             const struct addr *remote);
int no_network_renegotiate(struct pipeline_endpoint *e, mono_us now,
                           const struct peer_params *params, struct str ufrag, struct str pwd);

/** Neither anything to do in time. */
void no_network_timeout(struct pipeline_endpoint *e, mono_us now);
mono_us no_network_deadline(const struct pipeline_endpoint *e);

/** All rows of the table that are about the network; the others are the kind's own. */
#define NO_NETWORK_OPS                                                                             \
    .prefetch = no_network_prefetch, .receive = no_network_receive,                                \
    .is_connected = no_network_is_connected, .awaits = no_network_awaits,                          \
    .input = no_network_input, .poll_send = no_network_poll_send,                                  \
    .poll_event = no_network_poll_event, .set_tag = no_network_set_tag,                            \
    .get_source = no_network_get_source, .get_path = no_network_get_path,                          \
    .add_candidate = no_network_add_candidate, .disconnected = no_network_disconnected,            \
    .renegotiate = no_network_renegotiate

#endif
