/**
 * What the two halves of offer/answer share: negotiate.c reads and decides, negotiate_write.c
 * writes.
 */
#ifndef PEER_NEGOTIATE_PRIVATE_H
#define PEER_NEGOTIATE_PRIVATE_H

#include "peer/negotiate.h"

/** The audio line of an offer and where its transport is described. */
struct audio_line {
    const struct sdp *offer;
    const struct sdp_media *m;
    struct str mid;                 /* empty = none */
    const struct sdp_media *tagged; /* first section of its BUNDLE group when another; or NULL */
    const struct sdp_media *anchor; /* `tagged` when it cannot be refused; or NULL */
    bool bundled;                   /* in a BUNDLE group of the offer */
};

/** The first a=mid of a section; empty when there is none. */
struct str negotiate_mid(const struct sdp *s, const struct sdp_media *m);

/** URI of each header extension that we know. */
extern const char *const negotiate_ext_uris[PEER_N_EXT];

/** Append the answer to the offer of `line`. When it does not fit, t->failed is set. */
void negotiate_write_answer(struct text *t, const struct audio_line *line,
                            const struct codec_set *set, const struct negotiate_local *local,
                            const struct peer_params *p);

#endif
