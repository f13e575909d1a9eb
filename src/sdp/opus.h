/**
 * Parameters of Opus in a=fmtp (RFC 7587 §6.1): text <-> struct.
 */
#ifndef SDP_OPUS_H
#define SDP_OPUS_H

#include "base/text.h"

enum sdp_opus_param {
    SDP_OPUS_MINPTIME,             /**< ms, 3..120; not in the RFC, but browsers write it */
    SDP_OPUS_MAXPLAYBACKRATE,      /**< Hz, 8000..48000 */
    SDP_OPUS_SPROP_MAXCAPTURERATE, /**< Hz, 8000..48000 */
    SDP_OPUS_MAXAVERAGEBITRATE,    /**< bits/s, 6000..510000 */
    SDP_OPUS_STEREO,               /**< 0, 1 like the rest */
    SDP_OPUS_SPROP_STEREO,
    SDP_OPUS_CBR,
    SDP_OPUS_USEINBANDFEC,
    SDP_OPUS_USEDTX,
    SDP_OPUS_N_PARAMS,
};

/** Parameters with a value in range; all others are as if not given. */
struct sdp_opus {
    bool given[SDP_OPUS_N_PARAMS];
    uint32_t value[SDP_OPUS_N_PARAMS]; /**< 0 when not given */
};

/** Never fails: what is unknown, malformed or out of range is left out; the last one counts. */
struct sdp_opus sdp_opus_parse(struct str fmtp);

/** Append the a=fmtp line; nothing when no parameter is given. */
void sdp_opus_write(struct text *t, uint8_t pt, const struct sdp_opus *o);

#endif
