/*
 * Kept candidates. The offer is not parsed here (that is sdp's work): its `a=ice-ufrag:` lines,
 * at session or media level, are all that is looked for.
 */
#include "call/kept.h"

void call_kept_init(struct call_kept *k)
{
    list_init(&k->nodes);
    k->n = 0;
}

void call_kept_clear(struct call_kept *k)
{
    struct call_node *n;
    while ((n = call_kept_pop(k)))
        call_node_free(n);
}

void call_kept_add(struct call_kept *k, struct call_node *n)
{
    list_append(&k->nodes, &n->link);
    k->n++;
}

struct call_node *call_kept_pop(struct call_kept *k)
{
    struct list *link = list_pop(&k->nodes);
    if (!link)
        return NULL;
    k->n--;
    return CONTAINER_OF(link, struct call_node, link);
}

void call_kept_sift(struct call_kept *k, struct str offer)
{
    LIST_FOREACH(link, &k->nodes) {
        struct call_node *n = CONTAINER_OF(link, struct call_node, link);
        if (call_offer_owns(offer, n->action.candidate.ufrag))
            continue;
        list_remove(link);
        k->n--;
        call_node_free(n);
    }
}

bool call_offer_owns(struct str offer, struct str ufrag)
{
    const struct str prefix = STR("a=ice-ufrag:");
    bool named = false;
    if (ufrag.len == 0)
        return true;
    while (offer.len) {
        struct str line = str_trim(str_take_until(&offer, '\n'));
        if (!str_starts_with(line, prefix))
            continue;
        named = true;
        if (str_eq(str_tail(line, prefix.len), ufrag))
            return true;
    }
    return !named;
}
