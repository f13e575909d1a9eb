/**
 * What one user hears: each packet is checked bit for bit, against the call and the side that it
 * must be from, and against the packets before it; what it is goes into the statistics.
 */
#ifndef LOAD_EAR_H
#define LOAD_EAR_H

#include <stdbool.h>
#include <stdint.h>

#include "base/siphash.h"
#include "load/stats.h"
#include "load/track.h"
#include "rtp/packet.h"

/** Samples of 48 kHz in a packet. */
#define EAR_SAMPLES 960

/** Who speaks in which call; it is in every packet. */
struct media_identity {
    uint32_t call, round;
    uint8_t side; /**< 0 caller, 1 callee */
};

struct ear {
    struct stats *stats;           /**< borrowed */
    const struct siphash_key *key; /**< borrowed; of the payloads */
    struct media_identity own;     /**< the user whose ear this is */
    struct track track;
    bool has_heard;
    uint32_t ssrc;
    uint16_t seq;       /**< RTP number that payload number 0 has */
    uint32_t timestamp; /**< the same for the timestamp */
};

/** The beginning of a call. */
void ear_init(struct ear *ear, struct stats *stats, const struct siphash_key *key,
              const struct media_identity *own);

/**
 * One decrypted packet.
 *
 * @param now      µs, of the sender's clock
 * @param opus_pt  payload type that was negotiated
 * @param data     the whole packet
 * @return it is the first that the partner was heard with
 */
bool ear_hear(struct ear *ear, mono_us now, uint8_t opus_pt, const uint8_t *data,
              const struct rtp_packet *packet);

#endif
