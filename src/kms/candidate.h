/**
 * Which of a media server's candidates a browser is told. A Kurento Media Server announces each of
 * them for components 1 and 2, although RTCP is multiplexed, and some of them repeatedly.
 */
#ifndef KMS_CANDIDATE_H
#define KMS_CANDIDATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/str.h"
#include "kms/kms.h"

/** Longest that is passed on; the longest kinds have 200. */
#define KMS_CANDIDATE_MAX 512

/** Those that one leg has been told. Zeroed = none. */
struct kms_candidates {
    uint64_t seen[KMS_MAX_CANDIDATES]; /**< hashes */
    size_t n;
};

/**
 * Is this one to be told? If so, it is noted and will not be again.
 *
 * @param hash of candidate and sdpMid together
 * @return false: known, of component 2, no candidate, with control characters, or one too many
 */
bool kms_candidates_take(struct kms_candidates *c, struct str candidate, uint64_t hash);

/**
 * Is a browser's candidate of use to a server? Names ending in ".local" (mDNS) are not: servers
 * cannot look them up, and a Kurento Media Server stands still while it tries. The browser behind
 * one is found by its own checks. Nor is what is more than one line.
 */
bool kms_candidate_is_of_use(struct str candidate);

#endif
