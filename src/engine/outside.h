/**
 * How a worker's port looks from outside, as STUN servers see it: asked from the port itself, by
 * its worker, and read by the control thread for the candidates that it offers.
 *
 *     resolver ── servers ──▶ worker: stun/mapping.h, one a family ── result ──▶ control thread
 *
 * Both arrows are a few bytes behind a mutex, written some times an hour.
 */
#ifndef ENGINE_OUTSIDE_H
#define ENGINE_OUTSIDE_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/compiler.h"
#include "base/dgram.h"
#include "base/rng.h"
#include "base/time.h"
#include "engine/resolver.h"
#include "stun/mapping.h"

#define OUTSIDE_FAMILIES 2

struct outside {
    pthread_mutex_t mutex;
    struct addr servers[OUTSIDE_FAMILIES][STUN_MAPPING_SERVERS]; /**< LOCK: mutex */
    size_t n_servers[OUTSIDE_FAMILIES];                          /**< LOCK: mutex */
    struct stun_mapping_event results[OUTSIDE_FAMILIES];         /**< LOCK: mutex */
    _Atomic(bool) has_servers;    /**< new ones, the worker has not seen them */
    _Atomic(unsigned) generation; /**< of the results; 0 = nothing is known yet, good or bad */

    struct stun_mapping mappings[OUTSIDE_FAMILIES]; /**< the worker's thread only */
};

/**
 * @param tag how the transaction ids begin: one that belongs to nobody else on the port
 * @return 0 or a negative errno: outside_deinit is not needed
 */
MUST_CHECK int outside_init(struct outside *o, uint32_t tag, struct rng *rng);
void outside_deinit(struct outside *o);

/* --- any thread --- */

/** Ask these from now on. Wake the worker afterwards. */
void outside_set_servers(struct outside *o, const struct resolver_result *servers);

/** @param is_v6 of IPv6 addresses. @return false: nothing is known */
bool outside_get(struct outside *o, bool is_v6, struct addr *ret_local, struct addr *ret_mapped);

/** Changes with each result; 0 = none yet. */
unsigned outside_generation(const struct outside *o);

/* --- the worker's thread --- */

/** An answer to a question of ours? Call outside_run afterwards. */
bool outside_input(struct outside *o, mono_us now, const struct dgram *d);

/** Take new servers and what time brings, publish what is new. @return true: a result is new */
bool outside_run(struct outside *o, mono_us now);

/** @param ret `data` and `cap` are the caller's; leaves from any address of the port */
bool outside_poll_send(struct outside *o, struct dgram *ret);

/** When outside_run has work. */
mono_us outside_deadline(const struct outside *o);

#endif
