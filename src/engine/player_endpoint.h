/**
 * The endpoint that only speaks: what another thread read into a feed goes out when its time has
 * come (relay/pacer.h), as packets of one stream whose numbers have no break. It hears nobody and
 * knows no network.
 */
#ifndef ENGINE_PLAYER_ENDPOINT_H
#define ENGINE_PLAYER_ENDPOINT_H

#include "base/packet_feed.h"
#include "engine/pipeline.h"

/** While a feed is empty it is looked at so often. */
#define PLAYER_ENDPOINT_LOOK (10 * US_PER_MS)

/** Not yet in the pipeline's list. @return NULL = out of memory */
MUST_CHECK struct pipeline_endpoint *player_endpoint_new(struct pipeline *p, unsigned number,
                                                         struct rng *rng);

/** Is it of this kind? The others below are for those that are. */
bool player_endpoint_is(const struct pipeline_endpoint *e);

/**
 * Play a feed from now on, in place of what was played and not paused.
 *
 * @param feed    a reference, the endpoint's now; NULL = be silent
 * @param played  filled, the endpoint's now: told at the end of the feed. NULL with NULL
 *
 * The timer is the caller's to arm.
 */
void player_endpoint_play(struct pipeline_endpoint *e, mono_us now, struct packet_feed *feed,
                          struct worker_report *played);

/** Hold, or go on. The timer is the caller's to arm. */
void player_endpoint_pause(struct pipeline_endpoint *e, mono_us now, bool is_paused);

#endif
