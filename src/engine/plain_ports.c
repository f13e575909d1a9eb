/* Pairs of ports: see the header. */
#include "engine/plain_ports.h"

#include <assert.h>
#include <errno.h>

#include "base/mem.h"

int plain_ports_init(struct plain_ports *p, uint16_t first, uint16_t last, struct rng *rng)
{
    *p = (struct plain_ports){.first = (uint16_t)(first + (first & 1))};
    unsigned end = (unsigned)last + 1;
    p->n = last && end > p->first ? (end - p->first) / 2 : 0;
    if (p->n == 0)
        return 0;
    p->is_taken = mem_zalloc(p->n);
    if (!p->is_taken) {
        p->n = 0;
        return -ENOMEM;
    }
    p->next = rng_below(rng, p->n); /* nobody knows beforehand which one comes first */
    return 0;
}

void plain_ports_deinit(struct plain_ports *p)
{
    mem_free(p->is_taken);
    *p = (struct plain_ports){.n = 0};
}

bool plain_ports_take(struct plain_ports *p, uint16_t *ret)
{
    if (p->n_taken == p->n)
        return false;
    while (p->is_taken[p->next])
        p->next = (p->next + 1) % p->n;
    p->is_taken[p->next] = true;
    p->n_taken++;
    *ret = (uint16_t)(p->first + 2 * p->next);
    p->next = (p->next + 1) % p->n;
    return true;
}

void plain_ports_give_back(struct plain_ports *p, uint16_t port)
{
    unsigned i = (unsigned)(port - p->first) / 2;
    assert(i < p->n && p->is_taken[i]);
    p->is_taken[i] = false;
    p->n_taken--;
}
