/* The retransmission clock of one request: see the header. `at` is the only alarm; its meaning
 * follows from n_sent: below Rc it is the next send, at Rc it is the end. */
#include "stun/transaction.h"

#include <string.h>

void stun_transaction_stop(struct stun_transaction *t)
{
    t->n_sent = 0;
    t->at = MONO_NEVER;
}

void stun_transaction_start(struct stun_transaction *t, mono_us now, mono_us rto, struct rng *rng)
{
    rng_fill(rng, t->id, sizeof(t->id));
    t->rto = rto < STUN_RTO_MIN ? STUN_RTO_MIN : rto;
    t->n_sent = 1;
    t->at = now + t->rto;
}

void stun_transaction_start_reliable(struct stun_transaction *t, mono_us now, struct rng *rng)
{
    rng_fill(rng, t->id, sizeof(t->id));
    t->rto = STUN_RTO_MIN;
    t->n_sent = STUN_RC; /* the only send is the last one */
    t->at = now + STUN_TI;
}

/* RFC 8489 §6.2.1: the interval doubles with each send; behind the last one it is Rm times RTO. */
static mono_us interval(const struct stun_transaction *t)
{
    return t->n_sent >= STUN_RC ? t->rto * STUN_RM : t->rto << (t->n_sent - 1);
}

enum stun_transaction_step stun_transaction_timeout(struct stun_transaction *t, mono_us now)
{
    if (t->n_sent == 0 || now < t->at)
        return STUN_TRANSACTION_WAIT;
    if (t->n_sent >= STUN_RC) {
        stun_transaction_stop(t);
        return STUN_TRANSACTION_FAILED;
    }
    t->n_sent++;
    /* From now, not from when it was due: a late caller must not send a burst. */
    t->at = now + interval(t);
    return STUN_TRANSACTION_SEND;
}

bool stun_transaction_matches(const struct stun_transaction *t, const uint8_t *id)
{
    return t->n_sent > 0 && memcmp(t->id, id, sizeof(t->id)) == 0;
}
