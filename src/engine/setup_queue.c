/* Lines of datagrams, one a leg, and a line of the legs: see the header. The items come from one
 * array, last used first, so that a quiet worker touches a few of them only. */
#include "engine/setup_queue.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#include "base/mem.h"
#include "log/counters.h"

int setup_queue_init(struct setup_queue *q)
{
    *q = (struct setup_queue){.items = mem_alloc(SETUP_QUEUE_MAX * sizeof(struct setup_item))};
    list_init(&q->turns);
    return q->items ? 0 : -ENOMEM;
}

void setup_queue_deinit(struct setup_queue *q)
{
    mem_free(q->items);
    *q = (struct setup_queue){.items = NULL};
    list_init(&q->turns);
}

void setup_leg_init(struct setup_leg *leg)
{
    *leg = (struct setup_leg){.n = 0};
    list_init(&leg->turns);
}

static struct setup_leg *next_leg(struct setup_queue *q)
{
    return CONTAINER_OF(q->turns.next, struct setup_leg, turns);
}

static void give_back(struct setup_queue *q, struct setup_item *item)
{
    item->next = q->unused;
    q->unused = item;
}

static struct setup_item *remove_oldest(struct setup_leg *leg)
{
    struct setup_item *item = leg->first;
    leg->first = item->next;
    if (!leg->first)
        leg->last = NULL;
    leg->n--;
    if (leg->n == 0)
        list_remove(&leg->turns);
    return item;
}

static struct setup_item *find_room(struct setup_queue *q)
{
    if (!q->unused && q->n_touched == SETUP_QUEUE_MAX) {
        counter_add(COUNTER_DROP_SETUP);
        give_back(q, remove_oldest(next_leg(q))); /* at most one item is taken: somebody waits */
    }
    if (!q->unused)
        return &q->items[q->n_touched++];
    struct setup_item *item = q->unused;
    q->unused = item->next;
    return item;
}

void setup_queue_put(struct setup_queue *q, struct setup_leg *leg, const struct dgram *d)
{
    assert(d->len <= DGRAM_MAX);
    if (leg->n == SETUP_QUEUE_PER_LEG) {
        counter_add(COUNTER_DROP_SETUP);
        return;
    }
    struct setup_item *item = find_room(q);
    item->next = NULL;
    item->dgram = *d;
    item->dgram.data = item->bytes;
    item->dgram.cap = sizeof(item->bytes);
    memcpy(item->bytes, d->data, d->len);

    if (leg->last)
        leg->last->next = item;
    else
        leg->first = item;
    leg->last = item;
    if (leg->n++ == 0)
        list_append(&q->turns, &leg->turns);
}

struct setup_leg *setup_queue_take(struct setup_queue *q, struct dgram *ret)
{
    if (q->taken)
        give_back(q, q->taken);
    q->taken = NULL;
    if (setup_queue_is_empty(q))
        return NULL;
    struct setup_leg *leg = next_leg(q);
    q->taken = remove_oldest(leg);
    if (leg->n > 0) {
        list_remove(&leg->turns);
        list_append(&q->turns, &leg->turns);
    }
    *ret = q->taken->dgram;
    return leg;
}

void setup_queue_forget(struct setup_queue *q, struct setup_leg *leg)
{
    while (leg->n > 0)
        give_back(q, remove_oldest(leg));
}
