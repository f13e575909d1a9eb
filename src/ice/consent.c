/* Consent: see the header. Two clocks, one for asking and one for expiry; an answer moves the
 * second only, so that the rhythm of asking does not depend on the network. */
#include "ice/consent.h"

#include <string.h>

/* RFC 7675 §5.1: 0.8 to 1.2 times the interval, so that many calls do not ask in step. */
static mono_us next_interval(struct rng *rng)
{
    return ICE_CONSENT_INTERVAL * 8 / 10 +
           (mono_us)rng_below(rng, (uint32_t)(ICE_CONSENT_INTERVAL * 4 / 10));
}

void ice_consent_start(struct ice_consent *c, mono_us now, mono_us answered_at, bool is_asking,
                       struct rng *rng)
{
    c->n = 0;
    c->answered_at = answered_at;
    c->next_at = is_asking ? now + next_interval(rng) : MONO_NEVER;
}

enum ice_consent_step ice_consent_timeout(struct ice_consent *c, mono_us now, struct rng *rng)
{
    if (now - c->answered_at >= ICE_CONSENT_EXPIRY)
        return ICE_CONSENT_EXPIRED;
    if (now < c->next_at)
        return ICE_CONSENT_WAIT;
    memmove(c->ids[1], c->ids[0], sizeof(c->ids) - sizeof(c->ids[0]));
    rng_fill(rng, c->ids[0], sizeof(c->ids[0]));
    if (c->n < ICE_CONSENT_OPEN)
        c->n++;
    c->next_at = now + next_interval(rng);
    return ICE_CONSENT_ASK;
}

bool ice_consent_matches(const struct ice_consent *c, const uint8_t *id)
{
    for (uint8_t i = 0; i < c->n; i++) {
        if (memcmp(c->ids[i], id, sizeof(c->ids[i])) == 0)
            return true;
    }
    return false;
}

void ice_consent_renew(struct ice_consent *c, mono_us now)
{
    c->answered_at = now;
}

mono_us ice_consent_deadline(const struct ice_consent *c)
{
    return mono_min(c->next_at, c->answered_at + ICE_CONSENT_EXPIRY);
}
