/**
 * The browser's half of the negotiation: an offer like Chromium's or Firefox's (audio only, as
 * tests/data/sdp has them) and what the server's answer makes of it; or, where the server offers to
 * the callee, the answer to that.
 */
#ifndef LOAD_OFFER_H
#define LOAD_OFFER_H

#include <stdint.h>

#include "base/addr.h"
#include "base/text.h"
#include "peer/params.h"

#define OFFER_MAX 4096

/** Numbers that differ from browser to browser, so that the server has something to translate. */
struct offer_kind {
    const char *name;
    uint8_t opus_pt;
    uint8_t event_pt;  /**< telephone-event/48000 */
    uint8_t level_ext; /**< id of the audio level; 0 = not offered to us */
    uint8_t mid_ext;
};

/** 0: Chromium, the callers; 1: Firefox, the callees. */
extern const struct offer_kind offer_kinds[2];

struct offer {
    struct offer_kind kind; /**< of an answer: with the numbers of the offer that it is for */
    const char *ufrag, *pwd;
    const uint8_t *fingerprint; /**< SHA-256 of our certificate */
    const char *cname;
    const char *candidate; /**< the only one; NULL = it will be trickled */
    struct addr address;   /**< of that candidate */
    uint32_t ssrc;
    uint64_t session_id;
};

void offer_write(const struct offer *o, struct text *ret);

/**
 * Read the answer to an offer of this kind.
 *
 * @param ret  fit for peer_init; its candidates borrow from the answer's text
 * @return NULL, or why it cannot be used: constant storage, *ret is undefined
 */
MUST_CHECK const char *offer_read_answer(const struct offer *o, struct str answer,
                                         struct peer_params *ret);

/** Read the server's offer; o->kind takes over its numbers. Otherwise like offer_read_answer. */
MUST_CHECK const char *offer_read_offer(struct offer *o, struct str offer, struct peer_params *ret);

/** @param params  of offer_read_offer */
void offer_write_answer(const struct offer *o, const struct peer_params *params, struct text *ret);

#endif
