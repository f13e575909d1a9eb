/**
 * The browser's half of the negotiation: an offer like Chromium's or Firefox's (audio only, as
 * tests/data/sdp has them), and what the server's answer makes of it.
 */
#ifndef LOAD_OFFER_H
#define LOAD_OFFER_H

#include <stdint.h>

#include "base/text.h"
#include "peer/params.h"

#define OFFER_MAX 4096

/** Numbers that differ from browser to browser, so that the server has something to translate. */
struct offer_kind {
    const char *name;
    uint8_t opus_pt;
    uint8_t event_pt;  /**< telephone-event/48000 */
    uint8_t level_ext; /**< id of the audio level */
    uint8_t mid_ext;
};

/** 0: Chromium, the callers; 1: Firefox, the callees. */
extern const struct offer_kind offer_kinds[2];

struct offer {
    const struct offer_kind *kind;
    const char *ufrag, *pwd;
    const uint8_t *fingerprint; /**< SHA-256 of our certificate */
    const char *cname;
    uint32_t ssrc;
    uint64_t session_id;
};

void offer_write(const struct offer *o, struct text *ret);

/**
 * Read the answer to an offer of this kind.
 *
 * @param ret        fit for peer_init; its candidates borrow from the answer's text
 * @param ret_error  why not, for a person; constant storage
 * @return false: the answer cannot be used
 */
MUST_CHECK bool offer_read_answer(const struct offer *o, struct str answer, struct peer_params *ret,
                                  const char **ret_error);

#endif
