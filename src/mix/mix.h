/**
 * The two recordings of a call as one: caller left, callee right, side by side in time as they were
 * in the call. Ogg Opus, stereo.
 *
 *     left   began 12:00:00.0   ├──────────────────────┤
 *     right  began 12:00:01.3        ├────────────────────────┤
 *     out    began 12:00:00.0   ├─────────────────────────────┤
 */
#ifndef MIX_MIX_H
#define MIX_MIX_H

#include <signal.h>

#include "mix/leg.h"

/** Longest mix [samples]: a day. A recording's silence costs no bytes, but time in here. */
#define MIX_LENGTH_MAX (UINT64_C(24) * 3600 * PLAY_RATE)

enum mix_result {
    MIX_E_LONG = 1, /**< longer than MIX_LENGTH_MAX */
    MIX_E_APART,    /**< they began further apart than that: they are not of one call */
    MIX_E_STOPPED,  /**< it was asked for */
};

/**
 * Do both say when they began? If not they are laid side by side from their first packets on.
 */
bool mix_is_aligned(struct mix_leg *const legs[2]);

/**
 * @param legs         left, right; as mix_leg_new gave them
 * @param fd           empty, open for writing; borrowed. Not whole when this fails
 * @param serial       of the stream: any number, another one for each file
 * @param is_stopping  looked at now and then; set by a handler of signals
 * @param ret_broken   which leg a negative errno is of: 0, 1; 2 = the output. Set on failure
 *
 * @return 0, enum mix_result, -ENOMEM, or the negative errno of reading or writing
 *
 * A leg that was cut off or is broken ends there; look at it afterwards. Memory is constant.
 */
MUST_CHECK int mix_run(struct mix_leg *const legs[2], int fd, uint32_t serial,
                       const volatile sig_atomic_t *is_stopping, unsigned *ret_broken);

#endif
