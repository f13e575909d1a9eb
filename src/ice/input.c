/* Received STUN. Nothing here changes state before MESSAGE-INTEGRITY was checked with the password
 * that fits: ours for requests, the peer's for answers. What fails is dropped without an answer:
 * an error response to a stranger helps nobody but a scanner. */
#include <errno.h>
#include <string.h>

#include "ice/agent.h"
#include "ice/checks.h"
#include "ice/path.h"
#include "stun/message.h"

/* Which of our credentials a request names. The part behind the colon is the peer's and is
 * authentic by our password, whatever it says (RFC 8445 §7.3). */
static const struct ice_credentials *addressee(const struct ice_agent *a, struct str username,
                                               struct str *ret_remote_ufrag)
{
    struct str remote = username;
    struct str local = str_take_until(&remote, ':');

    *ret_remote_ufrag = remote;
    if (a->local && str_eq(local, ice_credentials_ufrag(a->local)))
        return a->local;
    if (a->old_local && str_eq(local, ice_credentials_ufrag(a->old_local)))
        return a->old_local;
    return NULL;
}

static void queue_answer(struct ice_agent *a, const struct stun_message *m, const struct dgram *d,
                         uint16_t code, bool is_old)
{
    /* An owner that did not drain loses the oldest one; the peer asks again. */
    if (a->n_answers == ICE_MAX_ANSWERS)
        memmove(&a->answers[0], &a->answers[1], sizeof(a->answers[0]) * (--a->n_answers));
    struct ice_answer *answer = &a->answers[a->n_answers++];
    *answer =
        (struct ice_answer){.local = d->local, .remote = d->remote, .code = code, .is_old = is_old};
    memcpy(answer->id, m->id, sizeof(answer->id));
    if (code == STUN_CODE_UNKNOWN_ATTRIBUTE) {
        answer->n_unknown = m->n_unknown;
        memcpy(answer->unknown, m->unknown, sizeof(answer->unknown));
    }
}

/* RFC 8445 §7.3.1.1. @return true: the peer must change its role, tell it so */
static bool repair_role(struct ice_agent *a, const struct stun_message *m)
{
    bool is_conflict = a->is_controlling ? m->is_controlling : m->is_controlled;

    if (!is_conflict)
        return false;
    bool we_control = a->tie_breaker >= m->tie_breaker;
    return a->is_controlling == we_control || !ice_agent_yield_role(a);
}

/* A valid pair that is not in use is checked again when the peer comes back to it. */
static bool wants_check(const struct ice_agent *a, mono_us now, const struct ice_pair *pair)
{
    if (a->lite)
        return false;
    if (!pair->is_valid)
        return true;
    return pair != ice_agent_path_pair(a) && now - pair->answered_at > 2 * ICE_CONSENT_INTERVAL;
}

static int on_check(struct ice_agent *a, mono_us now, const struct stun_message *m,
                    struct ice_pair *pair)
{
    bool is_nomination = m->use_candidate && !a->is_controlling;

    pair->heard_at = now;
    pair->is_hearsay = false;
    if (wants_check(a, now, pair))
        pair->is_triggered = true;
    if (a->lite) {
        pair->peer_nominates = pair->peer_nominates || is_nomination;
        return a->remote ? ice_agent_on_heard_lite(a, now, pair) : 0;
    }
    return is_nomination ? ice_agent_on_peer_nominates(a, now, pair) : 0;
}

/* A request of the generation before the restart: keep the old path alive, learn nothing. */
static int on_old_request(struct ice_agent *a, mono_us now, const struct stun_message *m,
                          const struct dgram *d)
{
    queue_answer(a, m, d, 0, true);
    if (a->lite && a->has_path && a->path_is_old && addr_equal(&d->local, &a->path_local) &&
        addr_equal(&d->remote, &a->path_remote))
        ice_consent_renew(&a->consent, now);
    return 0;
}

static int on_request(struct ice_agent *a, mono_us now, const struct stun_message *m,
                      const struct dgram *d)
{
    struct str remote_ufrag;
    const struct ice_credentials *to = addressee(a, m->username, &remote_ufrag);
    struct ice_pair *pair;

    if (a->state == ICE_FAILED || !to || !ice_pairs_has_base(&a->pairs, &d->local) ||
        !ice_pairs_accepts(&a->pairs, &d->remote) ||
        stun_check_integrity(m, ice_credentials_pwd(to)))
        return ICE_E_NOT_OURS;
    if (m->n_unknown) {
        queue_answer(a, m, d, STUN_CODE_UNKNOWN_ATTRIBUTE, to != a->local);
        return 0;
    }
    if (to != a->local)
        return on_old_request(a, now, m, d);
    if (repair_role(a, m)) {
        queue_answer(a, m, d, STUN_CODE_ROLE_CONFLICT, false);
        return 0;
    }

    /* RFC 8445 §7.1.1 demands PRIORITY. Without it the check is as good as any; the pair gets the
     * priority that the formula gives to a single peer-reflexive candidate. */
    uint32_t priority =
        m->has_priority ? m->priority : ice_candidate_priority(ICE_PRFLX, UINT16_MAX);
    uint32_t tag = a->remote ? 0 : ice_pairs_tag(remote_ufrag);
    int r = ice_pairs_learn(&a->pairs, &d->local, &d->remote, priority, tag, &pair);
    if (r == ICE_E_ADDRESS)
        return ICE_E_NOT_OURS;
    if (r)
        return r;
    queue_answer(a, m, d, 0, false);
    ice_agent_sweep_later(a, now);
    return on_check(a, now, m, pair);
}

static int on_consent_response(struct ice_agent *a, mono_us now, const struct stun_message *m,
                               const struct dgram *d)
{
    const struct ice_credentials *from = a->path_is_old ? a->old_remote : a->remote;

    if (stun_check_integrity(m, ice_credentials_pwd(from)) ||
        !addr_equal(&d->local, &a->path_local) || !addr_equal(&d->remote, &a->path_remote))
        return ICE_E_NOT_OURS;
    struct ice_pair *pair = ice_agent_path_pair(a);
    if (m->class == STUN_ERROR) {
        /* The question may be from before we took the role that we have now. A check is not. */
        if (m->error_code == STUN_CODE_ROLE_CONFLICT && pair)
            pair->is_triggered = true;
        return 0;
    }
    ice_consent_renew(&a->consent, now);
    if (pair)
        pair->heard_at = pair->answered_at = now;
    return 0;
}

static int on_response(struct ice_agent *a, mono_us now, const struct stun_message *m,
                       const struct dgram *d)
{
    if (a->has_path && ice_consent_matches(&a->consent, m->id))
        return on_consent_response(a, now, m, d);

    struct ice_pair *pair = ice_pairs_find_transaction(&a->pairs, m->id);
    if (!pair || stun_check_integrity(m, ice_credentials_pwd(a->remote)))
        return ICE_E_NOT_OURS;
    /* RFC 8445 §7.2.5.2.1 fails the pair; we only drop, so that someone on the way who replays an
     * answer from elsewhere cannot end a check that would have worked. */
    if (!addr_equal(&d->local, ice_pair_local(&a->pairs, pair)) ||
        !addr_equal(&d->remote, ice_pair_remote(&a->pairs, pair)))
        return ICE_E_NOT_OURS;

    if (m->class == STUN_ERROR && m->error_code == STUN_CODE_ROLE_CONFLICT)
        return ice_agent_on_role_conflict(a, pair);
    if (m->class == STUN_ERROR || m->n_unknown)
        return ice_agent_on_check_failed(a, pair);
    if (!m->has_mapped)
        return ICE_E_MALFORMED;
    return ice_agent_on_answered(a, now, pair, &m->mapped);
}

bool ice_agent_awaits(const struct ice_agent *a, const uint8_t *id)
{
    return (a->has_path && ice_consent_matches(&a->consent, id)) ||
           ice_pairs_find_transaction(&a->pairs, id);
}

int ice_agent_input(struct ice_agent *a, mono_us now, const struct dgram *d)
{
    struct stun_message m;
    int r = stun_parse(d->data, d->len, &m);

    if (r || m.method != STUN_METHOD_BINDING)
        return ICE_E_MALFORMED;
    switch (m.class) {
    case STUN_REQUEST:
        r = on_request(a, now, &m, d);
        break;
    case STUN_SUCCESS:
    case STUN_ERROR:
        r = on_response(a, now, &m, d);
        break;
    case STUN_INDICATION: /* a keepalive (RFC 8445 §11): its arrival was its purpose */
        return 0;
    }
    return r ? r : ice_agent_run(a, now);
}
