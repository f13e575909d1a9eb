/**
 * Candidates of one user that came before they can be used. Trickled candidates may overtake the
 * offer they belong to and may trail behind the call they belonged to (RFC 8838); the ufrag
 * tells which offer is theirs (RFC 8839 §5.4, usernameFragment in the browser API).
 */
#ifndef CALL_KEPT_H
#define CALL_KEPT_H

#include <stdbool.h>
#include <stddef.h>

#include "base/list.h"
#include "call/node.h"

struct call_kept {
    struct list nodes; /**< struct call_node of type MEDIA_CANDIDATE, oldest first; owned */
    size_t n;          /**< 0..CALL_MAX_CANDIDATES */
};

void call_kept_init(struct call_kept *k);

/** Drop all. */
void call_kept_clear(struct call_kept *k);

/** Takes the node; room must have been made. */
void call_kept_add(struct call_kept *k, struct call_node *n);

/** Oldest one, now the caller's; NULL = none. */
struct call_node *call_kept_pop(struct call_kept *k);

/** Drop the candidates of other offers than this one. */
void call_kept_sift(struct call_kept *k, struct str offer);

/**
 * Does a candidate with this ufrag belong to this offer?
 *
 * @param ufrag  empty = the page did not say: then it does
 * @return true also when the offer names no ufrag at all
 */
bool call_offer_owns(struct str offer, struct str ufrag);

#endif
