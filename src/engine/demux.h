/**
 * Which leg of which call a datagram of a shared port belongs to. Three small tables:
 *
 *     a Binding request   names our ufrag                          demux_find_ufrag
 *     a Binding answer    begins with the tag of our transaction   demux_find_tag
 *     everything else     comes from a remote address              demux_find_remote
 *
 * An address that is merely heard (an authentic check came from there, but its source may be forged
 * by whoever knows the password) never takes an address away from another leg. One that answered
 * a check of ours does: it proved to be there, so the other one is not any more.
 */
#ifndef ENGINE_DEMUX_H
#define ENGINE_DEMUX_H

#include <stdint.h>

#include "base/addr.h"
#include "base/compiler.h"
#include "base/map.h"
#include "base/rng.h"
#include "base/str.h"

/** Local ufrags are of our own making; RFC 8839 §5.4 asks for 4 at least. 48 random bits. */
#define DEMUX_UFRAG_LEN 8

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
    char ufrag[DEMUX_UFRAG_LEN + 1]; /**< set by the owner before demux_add; RO afterwards */
    uint32_t tag;                    /**< set by demux_add; RO for the owner */
    uint8_t next_route;              /**< the one to be replaced next; private */
    struct demux_route routes[DEMUX_MAX_ROUTES];
};

/** Owner: the worker. Fields are private. */
struct demux {
    struct map by_ufrag;        /**< struct demux_leg */
    struct map by_remote;       /**< struct demux_route */
    struct demux_leg **by_tag;  /**< owned array; NULL = free place */
    uint32_t n_tags, free_hint; /**< no place below free_hint is free */
};

void demux_init(struct demux *d, struct rng *rng);

/** Legs that are still inside are forgotten. Legal on a zeroed struct. */
void demux_deinit(struct demux *d);

/**
 * Enter a leg: its ufrag, and a tag for its transactions.
 *
 * @return 0
 *         -EEXIST  its ufrag is taken
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

/** NULL = nobody's. */
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
