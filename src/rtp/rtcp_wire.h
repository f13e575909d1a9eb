/** Private to the module: what the reader and the writer of RTCP share. */
#ifndef RTP_RTCP_WIRE_H
#define RTP_RTCP_WIRE_H

/* Lengths of RFC 3550 §6.4 and RFC 3611 §4.5 [bytes]. */
#define RTCP_HEADER_LEN      4
#define RTCP_SENDER_INFO_LEN 24 /**< with the SSRC of the sender */
#define RTCP_BLOCK_LEN       24
#define RTCP_DLRR_LEN        12

/** RFC 3550 §6.5 */
enum rtcp_sdes_item {
    RTCP_SDES_END = 0,
    RTCP_SDES_CNAME = 1,
};

#endif
