/**
 * RTCP bytes: walking a compound packet, reading and writing its parts (RFC 3550 §6, RFC 4585 §6,
 * RFC 5506, RFC 3611). Nothing is copied; nothing is remembered.
 *
 * Reading: rtcp_check() the datagram once, walk it with rtcp_next(), and hand each packet to the
 * reader of its type. Every reader checks its own bounds, so a walk without the check is safe too.
 * Writing: append packets to a bytes_writer; what does not fit sets `failed` and is left out whole.
 */
#ifndef RTP_RTCP_H
#define RTP_RTCP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/compiler.h"
#include "base/str.h"
#include "rtp/packet.h"

/** RFC 3550 §12.1, RFC 4585 §6.1, RFC 3611 §2. */
enum rtcp_type {
    RTCP_SR = 200,
    RTCP_RR = 201,
    RTCP_SDES = 202,
    RTCP_BYE = 203,
    RTCP_APP = 204,
    RTCP_RTPFB = 205, /**< transport layer feedback; `count` is enum rtcp_rtpfb */
    RTCP_PSFB = 206,  /**< payload-specific feedback; `count` is enum rtcp_psfb */
    RTCP_XR = 207,
};

/** FMT of RTCP_RTPFB (IANA "FMT Values for RTPFB Payload Types"). */
enum rtcp_rtpfb {
    RTCP_RTPFB_NACK = 1,
    RTCP_RTPFB_TMMBR = 3,
    RTCP_RTPFB_TMMBN = 4,
    RTCP_RTPFB_CCFB = 11,
    RTCP_RTPFB_TRANSPORT_CC = 15,
};

/** FMT of RTCP_PSFB (IANA "FMT Values for PSFB Payload Types"). */
enum rtcp_psfb {
    RTCP_PSFB_PLI = 1,
    RTCP_PSFB_SLI = 2,
    RTCP_PSFB_RPSI = 3,
    RTCP_PSFB_FIR = 4,
    RTCP_PSFB_AFB = 15, /**< application layer, REMB among them */
};

/** RFC 3611 §4: block types of RTCP_XR. */
enum rtcp_xr_type {
    RTCP_XR_RRT = 4,     /**< receiver reference time */
    RTCP_XR_DLRR = 5,    /**< delay since the last of those */
    RTCP_XR_SUMMARY = 6, /**< statistics summary */
    RTCP_XR_VOIP = 7,    /**< VoIP metrics */
};

/** RC and SC have five bits. */
#define RTCP_MAX_BLOCKS 31
#define RTCP_MAX_BYE    31

/** Numbers of one generic NACK that is written. */
#define RTCP_MAX_NACKS 256

/** REMB: "Num SSRC (8 bits)". */
#define RTCP_MAX_REMB 255

/** RFC 3550 §6.5: text of an SDES item "can be no longer than 255 octets". */
#define RTCP_MAX_TEXT 255

/** One packet of a compound. */
struct rtcp_packet {
    uint8_t type;        /**< 192-223; enum rtcp_type are those known here */
    uint8_t count;       /**< RC, SC or FMT: 0-31 */
    const uint8_t *body; /**< after the common header; borrowed */
    size_t body_len;     /**< without padding [bytes] */
};

struct rtcp_iter {
    struct bytes_reader r;
};

/**
 * Is the whole datagram a sequence of well-framed RTCP packets? (RFC 3550 §A.2 without the demand
 * for SR or RR first, which RFC 5506 §3.4.2 lifts.)
 *
 * @return 0
 *         RTP_E_TRUNCATED  empty, or lengths do not add up to the datagram's
 *         RTP_E_VERSION    a packet of another version
 *         RTP_E_MALFORMED  type outside 192-223
 *         RTP_E_PADDING    padding elsewhere than in the last packet, or of a wrong length
 *         each: drop and count
 */
MUST_CHECK int rtcp_check(const uint8_t *data, size_t len);

/** Reduced-size (RFC 5506): the first packet is neither SR nor RR. The data passed rtcp_check. */
bool rtcp_is_reduced_size(const uint8_t *data, size_t len);

struct rtcp_iter rtcp_packets(const uint8_t *data, size_t len);

/** @return false at the end, or where the framing is broken; *ret is then untouched */
bool rtcp_next(struct rtcp_iter *it, struct rtcp_packet *ret);

/* Readers: 0; RTP_E_MALFORMED = another type; RTP_E_TRUNCATED = too short for what it claims.
 * On failure *ret is untouched: drop this packet, go on with the next. */

/** RFC 3550 §6.4.1, sender info. */
struct rtcp_sr {
    uint32_t ssrc;
    uint64_t ntp;     /**< 32.32 seconds since 1900 */
    uint32_t rtp_ts;  /**< the same moment on the media clock */
    uint32_t packets; /**< sent since the beginning */
    uint32_t octets;  /**< payload bytes sent since the beginning */
};

/** RFC 3550 §6.4.1, report block. */
struct rtcp_report_block {
    uint32_t ssrc;         /**< whom it is about */
    uint8_t fraction_lost; /**< since the report before, in 1/256 */
    int32_t lost;          /**< since the beginning, 24 bits with sign */
    uint32_t extended_seq; /**< highest received, with roll-overs in the high 16 bits */
    uint32_t jitter;       /**< [ticks] */
    uint32_t last_sr;      /**< LSR: middle 32 bits of the NTP time; 0 = none yet */
    uint32_t delay;        /**< DLSR [1/65536 s] */
};

MUST_CHECK int rtcp_read_sr(const struct rtcp_packet *p, struct rtcp_sr *ret);

/** The reporter of a receiver report. */
MUST_CHECK int rtcp_read_rr(const struct rtcp_packet *p, uint32_t *ret_ssrc);

/** Report blocks in an SR or RR that are really there: at most its count. 0 for other types. */
unsigned rtcp_n_blocks(const struct rtcp_packet *p);

/** @param i < rtcp_n_blocks(p) */
void rtcp_read_block(const struct rtcp_packet *p, unsigned i, struct rtcp_report_block *ret);

/**
 * The first CNAME of an SDES packet.
 *
 * @param ret_cname  borrowed from the packet; any bytes, UTF-8 if the sender keeps to the rules
 *
 * @return 0, RTP_E_MALFORMED (not SDES, or no CNAME in it), RTP_E_TRUNCATED
 */
MUST_CHECK int rtcp_read_cname(const struct rtcp_packet *p, uint32_t *ret_ssrc,
                               struct str *ret_cname);

/** RFC 3550 §6.6. */
struct rtcp_bye {
    unsigned n_ssrcs; /**< may be 0 */
    uint32_t ssrcs[RTCP_MAX_BYE];
    struct str reason; /**< borrowed; empty when absent or longer than the packet */
};

MUST_CHECK int rtcp_read_bye(const struct rtcp_packet *p, struct rtcp_bye *ret);

/** RFC 4585 §6.1: the common part of RTCP_RTPFB and RTCP_PSFB. */
struct rtcp_feedback {
    uint32_t sender_ssrc;
    uint32_t media_ssrc;
    const uint8_t *fci; /**< feedback control information, borrowed */
    size_t fci_len;     /**< bytes */
};

MUST_CHECK int rtcp_read_feedback(const struct rtcp_packet *p, struct rtcp_feedback *ret);

/** RFC 4585 §6.2.1: the sequence numbers of a generic NACK, one after the other. */
struct rtcp_nack_iter {
    struct bytes_reader r;
    uint16_t pid; /**< of the entry being read */
    uint16_t blp; /**< what is left of its bit mask */
};

/** Over anything but a well-formed generic NACK the walk is empty. */
struct rtcp_nack_iter rtcp_nacks(const struct rtcp_packet *p);

bool rtcp_nack_next(struct rtcp_nack_iter *it, uint16_t *ret_seq);

/**
 * Receiver estimated maximum bit rate (draft-alvestrand-rmcat-remb-03 §2.2).
 *
 * @param ret_bps  2^64 - 1 where the exponent takes it beyond
 *
 * @return 0, RTP_E_MALFORMED (also for other feedback), RTP_E_TRUNCATED
 */
MUST_CHECK int rtcp_read_remb(const struct rtcp_packet *p, uint64_t *ret_bps);

/** RFC 3611 §3: one block of an extended report. */
struct rtcp_xr_block {
    uint8_t type;        /**< enum rtcp_xr_type are those known here */
    uint8_t specific;    /**< meaning depends on the type */
    const uint8_t *body; /**< borrowed */
    size_t body_len;     /**< bytes, a multiple of 4 */
};

struct rtcp_xr_iter {
    struct bytes_reader r;
};

/** Start a walk over the blocks. @return 0, RTP_E_MALFORMED, RTP_E_TRUNCATED */
MUST_CHECK int rtcp_read_xr(const struct rtcp_packet *p, uint32_t *ret_ssrc,
                            struct rtcp_xr_iter *ret);

bool rtcp_xr_next(struct rtcp_xr_iter *it, struct rtcp_xr_block *ret);

/** RFC 3611 §4.4. */
MUST_CHECK int rtcp_xr_read_rrt(const struct rtcp_xr_block *b, uint64_t *ret_ntp);

/** RFC 3611 §4.5: one sub-block. */
struct rtcp_xr_dlrr {
    uint32_t ssrc;
    uint32_t last_rr; /**< middle 32 bits of the NTP time of the last RRT; 0 = none */
    uint32_t delay;   /**< since then [1/65536 s] */
};

/** Sub-blocks; 0 for blocks of another type. */
unsigned rtcp_xr_n_dlrr(const struct rtcp_xr_block *b);

/** @param i < rtcp_xr_n_dlrr(b) */
void rtcp_xr_read_dlrr(const struct rtcp_xr_block *b, unsigned i, struct rtcp_xr_dlrr *ret);

/** RFC 3611 §4.6: statistics summary; what its flags leave out is 0. */
struct rtcp_xr_summary {
    uint32_t ssrc;               /**< whom it is about */
    uint16_t begin_seq, end_seq; /**< numbers from … up to, without the last */
    bool has_loss, has_duplicates, has_jitter;
    uint32_t lost, duplicates;        /**< packets */
    uint32_t jitter_min, jitter_max;  /**< [ticks] */
    uint32_t jitter_mean, jitter_std; /**< [ticks] */
};

MUST_CHECK int rtcp_xr_read_summary(const struct rtcp_xr_block *b, struct rtcp_xr_summary *ret);

/** RFC 3611 §4.7: a value that the reporter does not know. */
#define RTCP_XR_VOIP_UNKNOWN 127

/** RFC 3611 §4.7: VoIP metrics; of them what tells how the call sounds. */
struct rtcp_xr_voip {
    uint32_t ssrc;             /**< whom it is about */
    uint8_t loss_rate;         /**< of packets lost on the way [1/256] */
    uint8_t discard_rate;      /**< of packets too late or too early to be played [1/256] */
    uint16_t round_trip_ms;    /**< between the RTP interfaces; 0 = not known */
    uint16_t end_system_ms;    /**< jitter buffer, decoder and the rest; 0 = not known */
    uint8_t r_factor;          /**< 0 … 100; RTCP_XR_VOIP_UNKNOWN */
    uint8_t mos_lq_x10;        /**< listening: 10 … 50; RTCP_XR_VOIP_UNKNOWN */
    uint8_t mos_cq_x10;        /**< conversation, with the delay: 10 … 50; RTCP_XR_VOIP_UNKNOWN */
    uint16_t jitter_buffer_ms; /**< nominal delay */
};

MUST_CHECK int rtcp_xr_read_voip(const struct rtcp_xr_block *b, struct rtcp_xr_voip *ret);

/* Writers: append one packet; when it does not fit, w->failed is set and nothing is appended. */

/** Sender report. @param n <= RTCP_MAX_BLOCKS */
void rtcp_write_sr(struct bytes_writer *w, const struct rtcp_sr *sr,
                   const struct rtcp_report_block *blocks, unsigned n);

/** Receiver report. @param n <= RTCP_MAX_BLOCKS */
void rtcp_write_rr(struct bytes_writer *w, uint32_t ssrc, const struct rtcp_report_block *blocks,
                   unsigned n);

/** Source description with the one item that RFC 3550 §6.5.1 demands. @param cname 1-255 bytes */
void rtcp_write_sdes(struct bytes_writer *w, uint32_t ssrc, struct str cname);

/** Goodbye. @param reason at most 255 bytes; empty = left out */
void rtcp_write_bye(struct bytes_writer *w, uint32_t ssrc, struct str reason);

/**
 * Feedback packet (RFC 4585 §6.1) whose control information the caller fills in.
 *
 * @param type     RTCP_RTPFB or RTCP_PSFB
 * @param fmt      enum rtcp_rtpfb or rtcp_psfb
 * @param fci_len  bytes, a multiple of 4
 *
 * @return where the control information goes, fci_len bytes; NULL = does not fit
 */
MUST_CHECK uint8_t *rtcp_write_feedback(struct bytes_writer *w, uint8_t type, unsigned fmt,
                                        uint32_t sender_ssrc, uint32_t media_ssrc, size_t fci_len);

/**
 * Generic NACK (RFC 4585 §6.2.1): a number and a mask of the 16 behind it, as often as needed.
 *
 * @param sender_ssrc  our own
 * @param media_ssrc   of the stream that is incomplete
 * @param seqs         missing numbers, oldest first; n of them, 1 … RTCP_MAX_NACKS
 */
void rtcp_write_nack(struct bytes_writer *w, uint32_t sender_ssrc, uint32_t media_ssrc,
                     const uint16_t *seqs, unsigned n);

/** Extended report with one DLRR sub-block (RFC 3611 §4.5). */
void rtcp_write_dlrr(struct bytes_writer *w, uint32_t ssrc, const struct rtcp_xr_dlrr *dlrr);

/**
 * Receiver estimated maximum bit rate (draft-alvestrand-rmcat-remb-03 §2): what the streams
 * together may take.
 *
 * @param bitrate_bps  from 2^18 on rounded down to the 18 bits of the mantissa
 * @param ssrcs        of the streams; n <= RTCP_MAX_REMB
 */
void rtcp_write_remb(struct bytes_writer *w, uint32_t sender_ssrc, uint64_t bitrate_bps,
                     const uint32_t *ssrcs, unsigned n);

#endif
