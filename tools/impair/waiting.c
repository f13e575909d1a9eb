/* A timer heap of packets. */
#include "impair/waiting.h"

#include <errno.h>
#include <string.h>

#include "base/mem.h"

void impair_waiting_init(struct impair_waiting *w)
{
    timer_heap_init(&w->heap);
}

void impair_waiting_deinit(struct impair_waiting *w)
{
    struct impair_packet *packet;
    while ((packet = impair_waiting_take(w, MONO_NEVER)))
        mem_free(packet);
    timer_heap_deinit(&w->heap);
}

int impair_waiting_put(struct impair_waiting *w, mono_us at, struct impair_client *client,
                       enum impair_direction direction, const void *data, size_t len)
{
    if (w->heap.n >= IMPAIR_MAX_WAITING)
        return -ENOBUFS;
    int err = timer_heap_reserve(&w->heap, w->heap.n + 1);
    if (err)
        return err;
    struct impair_packet *packet = mem_alloc(sizeof(*packet) + len);
    if (!packet)
        return -ENOMEM;
    *packet = (struct impair_packet){.client = client, .direction = direction, .len = len};
    memcpy(packet->data, data, len);
    timer_heap_set(&w->heap, &packet->due, at);
    return 0;
}

mono_us impair_waiting_next(const struct impair_waiting *w)
{
    return timer_heap_next(&w->heap);
}

struct impair_packet *impair_waiting_take(struct impair_waiting *w, mono_us now)
{
    struct timer *timer = timer_heap_pop(&w->heap, now);
    return timer ? CONTAINER_OF(timer, struct impair_packet, due) : NULL;
}
