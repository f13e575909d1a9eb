/**
 * Private to the module: what happens inside an agent. agent.c is the door, input.c turns
 * messages into calls of these two: checks.c checks and keeps time, path.c chooses (ice/path.h).
 */
#ifndef ICE_CHECKS_H
#define ICE_CHECKS_H

#include <stdbool.h>

#include "base/compiler.h"
#include "ice/agent.h"

/** Append to the queue. @return 0 or -ENOMEM */
MUST_CHECK int ice_agent_push(struct ice_agent *a, const struct ice_event *event);

/** Change state and tell; the same state is no change. @return 0 or -ENOMEM */
MUST_CHECK int ice_agent_set_state(struct ice_agent *a, enum ice_state state);

/** Do all that is due at `now`. The last step of every call that takes `now`. */
MUST_CHECK int ice_agent_run(struct ice_agent *a, mono_us now);

/** A check of this pair was answered with success: it is valid, maybe nominated, maybe selected. */
MUST_CHECK int ice_agent_on_answered(struct ice_agent *a, mono_us now, struct ice_pair *pair,
                                     const struct addr *mapped);

/** A check of this pair came to nothing. */
MUST_CHECK int ice_agent_on_check_failed(struct ice_agent *a, struct ice_pair *pair);

/** We are lite: an authentic check is all the proof there is (RFC 8445 §7.3.2). */
MUST_CHECK int ice_agent_on_heard_lite(struct ice_agent *a, mono_us now, struct ice_pair *pair);

/**
 * Take the other role: all priorities anew, and no check that claims the old one goes on. What was
 * running waits for its turn again, as a new transaction.
 */
void ice_agent_switch_role(struct ice_agent *a);

/**
 * Both claim the same role, and we should have the other one: take it.
 *
 * @return false: not with a lite side, whose role is fixed, and not after ICE_MAX_ROLE_SWITCHES
 */
bool ice_agent_yield_role(struct ice_agent *a);

/**
 * The running check of this pair was answered with 487. We take the other role, with a new
 * tie-breaker, and the pair is checked again at once (RFC 8445 §7.2.5.1). If we may not, the 487 is
 * an error like others.
 */
MUST_CHECK int ice_agent_on_role_conflict(struct ice_agent *a, struct ice_pair *pair);

/** Is a check on the wire allowed at all? */
bool ice_agent_can_check(const struct ice_agent *a);

#endif
