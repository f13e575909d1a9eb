/**
 * Continuity of an outgoing stream: one SSRC whose sequence numbers and timestamps never jump,
 * whatever the packets are made from.
 *
 * The receiver of a relayed stream must not notice that its source was exchanged (a new SSRC
 * after renegotiation, another speaker, an announcement) or that the source restarted its numbers:
 * its jitter buffer would drain, and a step back would be a replay for SRTP. Within one source
 * the translation is a constant offset, so loss and reordering stay visible where they happened.
 * Only what the owner says is not sent on at all (padding) leaves no gap: the offset changes there.
 *
 *    source A   98  99 100 102 101      B  7   9  pad 11   8
 *    out        5   6   7   9   8         10  12      13  11
 */
#ifndef RTP_TRANSLATE_H
#define RTP_TRANSLATE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/compiler.h"
#include "base/time.h"
#include "rtp/packet.h"

/**
 * RFC 3550 §A.1 MAX_DROPOUT: a step ahead that is larger is a restart, not loss [packets]; a
 * minute of 20 ms audio.
 */
#define RTP_TRANSLATE_MAX_DROPOUT 3000

/**
 * A step back that is larger is a restart, not reordering [packets]. More than the SRTP replay
 * window lets through, so what was authenticated late is still put in its place.
 */
#define RTP_TRANSLATE_MAX_MISORDER 256

/**
 * After a switch the previous source is refused for this long: its stragglers must not switch
 * the stream back. Longer than any reordering, shorter than anybody changes sides.
 */
#define RTP_TRANSLATE_STRAGGLERS (500 * US_PER_MS)

/**
 * Source numbers back for which it is remembered which ones were skipped; behind the last one that
 * was forgotten a packet is too old. Twice what NACK asks for (RTP_NACK_WINDOW).
 */
#define RTP_TRANSLATE_SKIP_WINDOW 64

/**
 * A timestamp that is further from what the clock says is a jump of the source's clock [s].
 * A telephone-event keeps one timestamp for its whole length (RFC 4733 §2.3), at most 8.2 s.
 */
#define RTP_TRANSLATE_TS_JUMP_S 10

/** Embedded in its owner; nothing to release. Fields are private. */
struct rtp_translator {
    uint32_t ssrc;          /**< of the outgoing stream; RO after init */
    uint32_t source_ssrc;   /**< where the current offsets apply */
    uint32_t previous_ssrc; /**< the source before, valid when has_previous */
    uint32_t ts_offset;     /**< out - source */
    uint32_t last_ts;       /**< out, of the newest packet */
    uint64_t skipped;       /**< bit n: newest source number - n has no number in the stream */
    uint16_t seq_offset;    /**< out - source, at the newest number */
    uint16_t last_seq;      /**< out, newest: given, or kept for one that is on its way */
    uint16_t span;          /**< packets back that still belong to this source, saturated */
    uint16_t kept;          /**< numbers behind the newest that was given, kept by skips */
    uint16_t jump_seq;      /**< source seq that would confirm a restart, valid when has_jump */
    bool is_joined;         /**< the offsets apply; false = the next packet is of another source */
    bool started, has_previous, has_jump;
    mono_us last_at;     /**< arrival of the newest packet */
    mono_us switched_at; /**< when the current source took over */
};

/**
 * @param ssrc       of the outgoing stream
 * @param first_seq  number of the first packet; choose it random and below 2^15 (RFC 3711 §3.3.1:
 *                   so that no packet is lost before the first roll-over)
 * @param first_ts   timestamp of the first packet; choose it random
 */
void rtp_translator_init(struct rtp_translator *t, uint32_t ssrc, uint16_t first_seq,
                         uint32_t first_ts);

/**
 * The next packet is of another source, whatever its SSRC says: somebody connected the stream to
 * it. The one before does not come back by itself, so nobody's stragglers are refused.
 */
void rtp_translator_expect_source(struct rtp_translator *t);

/**
 * Where a packet stands in the outgoing stream.
 *
 * @param ssrc, seq, ts  of the source packet, authenticated
 * @param now            its arrival [µs, monotonic]; must not go back
 * @param clock_rate     of its payload type [Hz], > 0
 * @param ret_seq, ret_ts  set on success only
 *
 * @return 0
 *         RTP_E_OLD   from before the last switch or restart: drop and count
 *         RTP_E_JUMP  numbers far off; the next packet decides whether the source has restarted:
 *                     drop and count
 *
 * No sequence number is ever given to two different source packets.
 */
MUST_CHECK int rtp_translate(struct rtp_translator *t, uint32_t ssrc, uint16_t seq, uint32_t ts,
                             mono_us now, uint32_t clock_rate, uint16_t *ret_seq, uint32_t *ret_ts);

/**
 * A source packet that is not sent on: what comes after it closes up, what comes late from before
 * it keeps its place.
 *
 * Nothing happens where the gap cannot be closed any more, because newer numbers went out, where
 * the packet is not of the present source or far off, and where such packets alone would carry the
 * stream on by more than RTP_TRANSLATE_MAX_DROPOUT: a receiver that missed half a round of the
 * numbers decrypts nothing any more (RFC 3711 §3.3.1).
 */
void rtp_translator_skip(struct rtp_translator *t, uint32_t ssrc, uint16_t seq);

#endif
