/**
 * SRTP and SRTCP of one direction of one peer (RFC 3711, RFC 7714): packets in, packets out, in
 * place.
 *
 * A session is embedded in its owner's cache-aligned block and holds everything that a packet
 * needs: the hot lines (transform, salt, streams) stand first, then the expanded key. SRTCP comes
 * once in seconds: its keys are kept short and expanded when used.
 *
 *    line 0     transform, salt, the stream that speaks
 *    lines 1-2  three more streams, SRTCP key and salt
 *    lines 3…   expanded SRTP key (1 KB with ipsec-mb GCM, of which a packet touches six lines)
 *    the rest   SRTCP authentication key and streams
 *
 * The packet path neither allocates nor branches on secret bytes. A session is used with one
 * provider, by one thread.
 */
#ifndef RTPSEC_SESSION_H
#define RTPSEC_SESSION_H

#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"
#include "rtpsec/keys.h"
#include "rtpsec/provider.h"

/** What can be wrong with a packet. Reaction to each: drop and count; never end the call. */
enum rtpsec_error {
    RTPSEC_E_AUTH = 1,  /**< forged, damaged, or protected with other keys */
    RTPSEC_E_REPLAY,    /**< seen before, or older than the window; sending: number used before */
    RTPSEC_E_MALFORMED, /**< too short, not version 2, header longer than the packet, SRTCP without
                             encryption */
    RTPSEC_E_LIMIT,     /**< lifetime of the key is over, or sending on too many SSRCs */
    RTPSEC_E_NO_ROOM,   /**< sending: the tag does not fit behind the packet */
};

/** Bytes that protect_rtp appends at most: the GCM tag. */
#define RTPSEC_RTP_OVERHEAD 16

/** Bytes that protect_rtcp appends at most: the GCM tag, E flag and index. */
#define RTPSEC_RTCP_OVERHEAD 20

/**
 * SSRCs of one direction. A call has one; renegotiation and a second track need more. Receiving,
 * a new SSRC takes the place of the one that was silent longest, after its packet was
 * authenticated. Sending, a fifth is refused: to forget a stream could mean to reuse an index.
 */
#define RTPSEC_MAX_STREAMS 4

/** The same for SRTCP, received; sending has one index for all SSRCs. */
#define RTPSEC_MAX_RTCP_STREAMS 3

/**
 * Replay window [packets]. RFC 3711 §3.3.2 demands 64 at least. 128 are 2.5 s of 20 ms audio:
 * more than a jitter buffer waits for, and two machine words, half a cache line with the rest.
 */
#define RTPSEC_WINDOW 128

/** One SSRC: the highest index and which of those before it came. */
struct rtpsec_stream {
    uint64_t index;                    /**< SRTP: ROC << 16 | SEQ; SRTCP: 31 bits */
    uint64_t seen[RTPSEC_WINDOW / 64]; /**< bit n of the whole: index - n was seen */
    uint32_t ssrc;
    uint32_t used_at; /**< reading of the session's clock, for the choice of whom to forget */
};

struct rtpsec_transform;

/** Room for the expanded key of any transform of this build [bytes]. */
#ifdef DUET_HAVE_IPSEC_MB
#define RTPSEC_KEY_ROOM 1008
#else
#define RTPSEC_KEY_ROOM 128
#endif

/** Common part of both directions. Private. */
struct rtpsec_direction {
    _Alignas(CACHE_LINE) const struct rtpsec_transform *transform; /**< NULL = not initialised */
    uint8_t salt[16];                                              /**< zero-padded */
    uint32_t clock;         /**< counts packets; orders rtpsec_stream.used_at */
    uint8_t n_streams;      /**< places taken */
    uint8_t n_rtcp_streams; /**< places taken */
    uint8_t reserved[2];
    struct rtpsec_stream streams[RTPSEC_MAX_STREAMS];
    uint8_t rtcp_key[RTPSEC_KEY_LEN];
    uint8_t rtcp_salt[16];
    _Alignas(CACHE_LINE) uint8_t key[RTPSEC_KEY_ROOM]; /**< belongs to the transform */
    uint8_t rtcp_auth[20];                             /**< HMAC-SHA1 key; unused with GCM */
    uint32_t rtcp_index;                               /**< sending: the next one */
    struct rtpsec_stream rtcp_streams[RTPSEC_MAX_RTCP_STREAMS]; /**< receiving */
};

/** Receiving direction. Fields are private. */
struct rtpsec_rx {
    struct rtpsec_direction d;
};

/** Sending direction. Fields are private. */
struct rtpsec_tx {
    struct rtpsec_direction d;
};

/**
 * Derive the session keys (RFC 3711 §4.3, key derivation rate 0).
 *
 * @param provider     used for every later call with this session
 * @param profile      decides the length of the salt
 * @param master_key   RTPSEC_KEY_LEN bytes
 * @param master_salt  rtpsec_salt_len(profile) bytes
 *
 * @return 0
 *         -EINVAL  unknown profile
 *         -ENOMEM, -EIO  the cipher library failed
 *         on failure the session is wiped, and rtpsec_*_deinit is legal but not needed
 */
MUST_CHECK int rtpsec_tx_init(struct rtpsec_tx *tx, struct rtpsec_provider *provider,
                              enum rtpsec_profile profile, const uint8_t *master_key,
                              const uint8_t *master_salt);
MUST_CHECK int rtpsec_rx_init(struct rtpsec_rx *rx, struct rtpsec_provider *provider,
                              enum rtpsec_profile profile, const uint8_t *master_key,
                              const uint8_t *master_salt);

/** Wipe the keys. Legal on a zeroed struct, and twice. The provider is still there. */
void rtpsec_tx_deinit(struct rtpsec_tx *tx);
void rtpsec_rx_deinit(struct rtpsec_rx *rx);

/**
 * Ask for the lines that the next packet needs first, for a whole batch before the first of it is
 * decrypted. With 10 000 sessions (27 MB) on ipsec-mb GCM it takes 55 ns of 350 off a packet.
 *
 * always_inline: gcc 12 takes a function of nothing but prefetches for one without effect, and
 * removes the call.
 */
__attribute__((always_inline)) static inline void rtpsec_prefetch(const struct rtpsec_direction *d)
{
    __builtin_prefetch(d, 1);
    __builtin_prefetch(d->key);
    __builtin_prefetch(d->key + CACHE_LINE);
    __builtin_prefetch(d->key + 2 * CACHE_LINE);
    /* ipsec-mb keeps the low powers of the hash key, one for each block, at the end */
    __builtin_prefetch(d->key + RTPSEC_KEY_ROOM - 96);
    __builtin_prefetch(d->key + RTPSEC_KEY_ROOM - 1);
}

/**
 * Encrypt and authenticate one RTP packet in place.
 *
 * @param data  the packet; room for cap bytes
 * @param len   in: bytes of the packet; out, on success: with the tag
 * @param cap   at least *len + RTPSEC_RTP_OVERHEAD
 *
 * @return 0
 *         RTPSEC_E_MALFORMED  not an RTP packet
 *         RTPSEC_E_REPLAY     this SSRC used the number before, or is past it by a window: with GCM
 *                             a second use would give the key stream away
 *         RTPSEC_E_LIMIT      2^48 packets sent, or a fifth SSRC
 *         RTPSEC_E_NO_ROOM
 *         each: drop and count; the packet is unchanged
 *         -EIO                the cipher library failed: close the peer
 */
MUST_CHECK int rtpsec_protect_rtp(struct rtpsec_tx *tx, struct rtpsec_provider *provider,
                                  uint8_t *data, size_t *len, size_t cap);

/**
 * Check and decrypt one SRTP packet in place.
 *
 * @param len  in: bytes of the datagram; out, on success: without the tag
 *
 * @return 0
 *         RTPSEC_E_MALFORMED, RTPSEC_E_REPLAY, RTPSEC_E_LIMIT: the packet is unchanged
 *         RTPSEC_E_AUTH: the payload is zeroed, nothing of it was decrypted for anybody to use
 *         each: drop and count; the session is as before
 *
 * RFC 3711 §3.3: the replay list is asked before and written after the authentication.
 */
MUST_CHECK int rtpsec_unprotect_rtp(struct rtpsec_rx *rx, struct rtpsec_provider *provider,
                                    uint8_t *data, size_t *len);

/** Like rtpsec_protect_rtp, for a compound RTCP packet; cap: *len + RTPSEC_RTCP_OVERHEAD.
 *  RTPSEC_E_LIMIT: 2^31 packets sent (RFC 3711 §9.2). */
MUST_CHECK int rtpsec_protect_rtcp(struct rtpsec_tx *tx, struct rtpsec_provider *provider,
                                   uint8_t *data, size_t *len, size_t cap);

/** Like rtpsec_unprotect_rtp, for SRTCP. A packet without E flag is RTPSEC_E_MALFORMED: both
 *  profiles encrypt SRTCP (RFC 5764 §4.1.2). -EIO, -ENOMEM: the cipher library failed. */
MUST_CHECK int rtpsec_unprotect_rtcp(struct rtpsec_rx *rx, struct rtpsec_provider *provider,
                                     uint8_t *data, size_t *len);

#endif
