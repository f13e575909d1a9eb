/**
 * Which ports of the range for plain RTP are in use: pairs, an even one for RTP and the odd one
 * above it for RTCP (RFC 3550 §11). Numbers only; the sockets are engine/plain_pair.h's.
 *
 * A port that was given back is the last one to be taken again: what still comes for its former
 * owner finds nobody, instead of somebody else.
 */
#ifndef ENGINE_PLAIN_PORTS_H
#define ENGINE_PLAIN_PORTS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/compiler.h"
#include "base/rng.h"

/** Fields are private but for the counts. */
struct plain_ports {
    uint16_t first;    /**< even */
    unsigned n;        /**< public, RO: pairs; 0 = there are none */
    unsigned n_taken;  /**< public */
    unsigned next;     /**< where the search begins */
    uint8_t *is_taken; /**< owned: one for each pair */
};

/**
 * @param first, last  of the range, both inclusive; 0 and 0 = none. What makes no whole pair is
 * left out
 * @return 0 or -ENOMEM
 */
MUST_CHECK int plain_ports_init(struct plain_ports *p, uint16_t first, uint16_t last,
                                struct rng *rng);

/** Legal on a zeroed one. */
void plain_ports_deinit(struct plain_ports *p);

/** @param ret  the even port @return false = all are taken */
bool plain_ports_take(struct plain_ports *p, uint16_t *ret);

/** @param port  that plain_ports_take gave */
void plain_ports_give_back(struct plain_ports *p, uint16_t port);

#endif
