/**
 * Private to the module: which pair media takes. Everything that can fail returns 0 or -ENOMEM.
 */
#ifndef ICE_PATH_H
#define ICE_PATH_H

#include "base/compiler.h"
#include "ice/agent.h"

/** Pair of the path in use; NULL = none, or the path is from before the restart. */
struct ice_pair *ice_agent_path_pair(const struct ice_agent *a);

/** A pair has just become valid, or was answered again: before a nomination the best one is used.
 */
MUST_CHECK int ice_path_propose(struct ice_agent *a, mono_us now, const struct ice_pair *pair);

/** A valid pair is nominated, by whom it may be. */
MUST_CHECK int ice_path_nominated(struct ice_agent *a, mono_us now, struct ice_pair *pair);

/** The controlling peer nominates this pair. */
MUST_CHECK int ice_agent_on_peer_nominates(struct ice_agent *a, mono_us now, struct ice_pair *pair);

/** Tell that an address is no longer trusted, unless something else still vouches for it. */
MUST_CHECK int ice_path_untrust(struct ice_agent *a, struct addr local, struct addr remote);

/** Ask for consent when it is time; without it another pair is the path, or none is. */
MUST_CHECK int ice_path_run_consent(struct ice_agent *a, mono_us now);

/** FAILED, and everything forgotten but what a restart needs. */
MUST_CHECK int ice_path_give_up(struct ice_agent *a);

/** Forget what is learnt about pairs; those that were valid are told. */
MUST_CHECK int ice_agent_clear_pairs(struct ice_agent *a);

/** There is a new pair: once settled, it goes when it is not used. */
void ice_agent_sweep_later(struct ice_agent *a, mono_us now);

/** The agent has settled, or some time has passed since: unused pairs go. */
MUST_CHECK int ice_path_sweep(struct ice_agent *a, mono_us now);

#endif
