/**
 * Which leg of which call a datagram of a shared port belongs to. Four small tables:
 *
 *     a Binding request   names our ufrag                          demux_find_ufrag
 *     a Binding answer    begins with the tag of our transaction   demux_find_tag
 *     everything else     comes from a remote address              demux_find_remote
 *     RTP from elsewhere  has the SSRC of a leg's source           demux_find_source
 *
 * An address that is merely heard (an authentic check came from there, but its source may be forged
 * by whoever knows the password) never takes an address away from another leg. One that answered
 * a check of ours does: it proved to be there, so the other one is not any more.
 *
 * An SSRC proves nothing and opens no address: it only says with whose keys a packet from an
 * unknown address is worth a try. So a browser whose NAT gave it a new address is heard without a
 * gap.
 */
#ifndef ENGINE_DEMUX_H
#define ENGINE_DEMUX_H

#include <stdbool.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/compiler.h"
#include "base/map.h"
#include "base/rng.h"
#include "base/str.h"

/**
 * Local ufrags are of our own making. Their first characters are the leg's for its whole life (48
 * random bits); those behind tell its ICE generations apart, so that a restart leaves the tables
 * alone and checks of the generation before still find their leg.
 */
#define DEMUX_NAME_LEN 8

/** A ufrag of ours. RFC 8839 §5.4 asks for 24 random bits at least: each generation has as many. */
#define DEMUX_UFRAG_LEN 12

/** Remote addresses of one leg at a time; the oldest makes room for a new one. */
#define DEMUX_MAX_ROUTES 4

/** Tag of a leg that has none. */
#define DEMUX_NO_TAG UINT32_MAX

struct demux_leg;

/** A remote address and whose it is; free when leg is NULL. Private. */
struct demux_route {
    struct addr remote;
    struct demux_leg *leg;
};

/** Embedded in its leg, which stays where it is while it is in the tables. */
struct demux_leg {
    char name[DEMUX_NAME_LEN]; /**< how its ufrags begin; set by the owner before demux_add */
    uint32_t tag;              /**< set by demux_add; RO for the owner */
    uint8_t next_route;        /**< the one to be replaced next; private */
    bool has_source;           /**< private */
    uint32_t source;           /**< SSRC that it is found by; private */
    struct demux_route routes[DEMUX_MAX_ROUTES];
};

/** Owner: the worker. Fields are private. */
struct demux {
    struct map by_name;         /**< struct demux_leg */
    struct map by_remote;       /**< struct demux_route */
    struct map by_source;       /**< struct demux_leg with has_source */
    struct demux_leg **by_tag;  /**< owned array; NULL = free place */
    uint32_t n_tags, free_hint; /**< no place below free_hint is free */
};

void demux_init(struct demux *d, struct rng *rng);

/** Legs that are still inside are forgotten. Legal on a zeroed struct. */
void demux_deinit(struct demux *d);

/**
 * Enter a leg: its name, and a tag for its transactions.
 *
 * @return 0
 *         -EEXIST  its name is taken
 *         -ENOMEM
 *         on failure demux_remove is legal and needed
 */
MUST_CHECK int demux_add(struct demux *d, struct demux_leg *leg);

/** Take out whatever of a leg is in the tables. */
void demux_remove(struct demux *d, struct demux_leg *leg);

/** An authentic check came from `remote`. @param keep an address in use, which is never replaced */
void demux_heard(struct demux *d, struct demux_leg *leg, const struct addr *remote,
                 const struct addr *keep);

/** `remote` answered a check of ours. */
void demux_validated(struct demux *d, struct demux_leg *leg, const struct addr *remote,
                     const struct addr *keep);

/** `remote` is of no use any more. */
void demux_invalidated(struct demux *d, struct demux_leg *leg, const struct addr *remote);

/** What this leg sends has this SSRC now. When another leg has it already, nothing changes. */
void demux_set_source(struct demux *d, struct demux_leg *leg, uint32_t ssrc);

/** NULL = nobody's. The owner authenticates before it believes. */
struct demux_leg *demux_find_source(const struct demux *d, uint32_t ssrc);

/** By any of its ufrags. NULL = nobody's. */
struct demux_leg *demux_find_ufrag(const struct demux *d, struct str ufrag);

static inline struct demux_leg *demux_find_tag(const struct demux *d, uint32_t tag)
{
    return tag < d->n_tags ? d->by_tag[tag] : NULL;
}

/** Packet path, for a whole batch: hash, prefetch; then look up. */
static inline uint64_t demux_hash(const struct demux *d, const struct addr *remote)
{
    uint64_t hash = map_hash(&d->by_remote, remote, sizeof(*remote));
    map_prefetch(&d->by_remote, hash);
    return hash;
}

static inline struct demux_leg *demux_find_remote(const struct demux *d, uint64_t hash,
                                                  const struct addr *remote)
{
    struct demux_route *route = map_find_hashed(&d->by_remote, hash, remote, sizeof(*remote));
    return route ? route->leg : NULL;
}

#endif
