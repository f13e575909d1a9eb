/**
 * Actions waiting to be polled: a queue of nodes, each with the text that its views point to.
 *
 * What must not fail (the end of a call) uses nodes that live inside the call; everything else is
 * one allocation, made before the state changes. A candidate that waits for its time is a node
 * outside the queue, so that letting it go needs no memory.
 */
#ifndef CALL_NODE_H
#define CALL_NODE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/list.h"
#include "call/call.h"

struct call_node {
    struct list link; /**< in a queue or in a list of kept candidates */
    struct call_action action;
    void *frees; /**< freed after this node was polled: itself, the call it is part of, or
                      NULL for a part that does not end its owner */
    size_t room; /**< bytes left in text */
    char *text;  /**< where the next view is copied to */
};

/** A node on the heap with room for `len` bytes of text; NULL when out of memory. */
struct call_node *call_node_new(enum call_action_type type, size_t len);

/** Prepare a node that is part of another object. */
void call_node_init(struct call_node *n, enum call_action_type type, void *frees);

/** Copy a view into the node's room (too little of it is a bug) and give the copy. */
struct str call_node_put(struct call_node *n, struct str s);

/** Bytes that call_node_put_candidate needs. */
size_t call_candidate_len(const struct call_candidate *c);

struct call_candidate call_node_put_candidate(struct call_node *n, const struct call_candidate *c);

/** Free a node on the heap that never was in a queue; NULL is legal. */
void call_node_free(struct call_node *n);

DEFINE_CLEANUP(struct call_node *, call_node_free)

struct call_queue {
    struct list nodes;
    struct call_node *polled; /**< its views are with the owner until the next poll */
};

void call_queue_init(struct call_queue *q);
void call_queue_deinit(struct call_queue *q);

/** Takes the node; NULL is legal and does nothing. */
void call_queue_push(struct call_queue *q, struct call_node *n);

bool call_queue_poll(struct call_queue *q, struct call_action *ret);

#endif
