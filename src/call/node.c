/* Nodes and their queue: see the header. A polled node is kept until the next poll. */
#include "call/node.h"

#include <assert.h>
#include <string.h>

#include "base/mem.h"

struct call_node *call_node_new(enum call_action_type type, size_t len)
{
    struct call_node *n = mem_zalloc(sizeof(*n) + len);
    if (!n)
        return NULL;
    call_node_init(n, type, n);
    n->room = len;
    n->text = (char *)(n + 1);
    return n;
}

void call_node_init(struct call_node *n, enum call_action_type type, void *frees)
{
    *n = (struct call_node){.action.type = type, .frees = frees};
    list_init(&n->link);
}

struct str call_node_put(struct call_node *n, struct str s)
{
    assert(s.len <= n->room);
    struct str copy = {n->text, s.len};
    if (s.len)
        memcpy(n->text, s.p, s.len);
    n->text += s.len;
    n->room -= s.len;
    return copy;
}

size_t call_candidate_len(const struct call_candidate *c)
{
    return c->candidate.len + c->mid.len + c->ufrag.len;
}

struct call_candidate call_node_put_candidate(struct call_node *n, const struct call_candidate *c)
{
    return (struct call_candidate){
        .candidate = call_node_put(n, c->candidate),
        .mid = call_node_put(n, c->mid),
        .mline_index = c->mline_index,
        .ufrag = call_node_put(n, c->ufrag),
    };
}

void call_node_free(struct call_node *n)
{
    mem_free(n);
}

void call_queue_init(struct call_queue *q)
{
    list_init(&q->nodes);
    q->polled = NULL;
}

static void free_polled(struct call_queue *q)
{
    if (q->polled)
        mem_free(q->polled->frees);
    q->polled = NULL;
}

void call_queue_deinit(struct call_queue *q)
{
    struct call_action action;
    while (call_queue_poll(q, &action))
        ;
}

void call_queue_push(struct call_queue *q, struct call_node *n)
{
    if (n)
        list_append(&q->nodes, &n->link);
}

bool call_queue_poll(struct call_queue *q, struct call_action *ret)
{
    free_polled(q);
    struct list *link = list_pop(&q->nodes);
    if (!link)
        return false;
    q->polled = CONTAINER_OF(link, struct call_node, link);
    *ret = q->polled->action;
    return true;
}
