/* Writing RTCP: each packet is reserved whole and filled in, or left out whole. */
#include <assert.h>

#include "base/bytes.h"
#include "rtp/rtcp.h"
#include "rtp/rtcp_wire.h"

/* Room for a whole packet and its common header; NULL when it does not fit. len without header,
 * a multiple of 4. */
static uint8_t *reserve(struct bytes_writer *w, uint8_t type, unsigned count, size_t len)
{
    assert(count <= RTCP_MAX_BLOCKS && len % 4 == 0);
    uint8_t *p = bytes_reserve(w, RTCP_HEADER_LEN + len);
    if (!p)
        return NULL;
    p[0] = (uint8_t)(0x80 | count);
    p[1] = type;
    put_be16(p + 2, (uint16_t)(len / 4));
    return p + RTCP_HEADER_LEN;
}

static void put_blocks(uint8_t *p, const struct rtcp_report_block *blocks, unsigned n)
{
    for (unsigned i = 0; i < n; i++, p += RTCP_BLOCK_LEN) {
        const struct rtcp_report_block *b = &blocks[i];
        put_be32(p, b->ssrc);
        put_be32(p + 4, (uint32_t)b->fraction_lost << 24 | ((uint32_t)b->lost & 0xffffff));
        put_be32(p + 8, b->extended_seq);
        put_be32(p + 12, b->jitter);
        put_be32(p + 16, b->last_sr);
        put_be32(p + 20, b->delay);
    }
}

void rtcp_write_sr(struct bytes_writer *w, const struct rtcp_sr *sr,
                   const struct rtcp_report_block *blocks, unsigned n)
{
    uint8_t *p = reserve(w, RTCP_SR, n, RTCP_SENDER_INFO_LEN + RTCP_BLOCK_LEN * (size_t)n);
    if (!p)
        return;
    put_be32(p, sr->ssrc);
    put_be64(p + 4, sr->ntp);
    put_be32(p + 12, sr->rtp_ts);
    put_be32(p + 16, sr->packets);
    put_be32(p + 20, sr->octets);
    put_blocks(p + RTCP_SENDER_INFO_LEN, blocks, n);
}

void rtcp_write_rr(struct bytes_writer *w, uint32_t ssrc, const struct rtcp_report_block *blocks,
                   unsigned n)
{
    uint8_t *p = reserve(w, RTCP_RR, n, 4 + RTCP_BLOCK_LEN * (size_t)n);
    if (!p)
        return;
    put_be32(p, ssrc);
    put_blocks(p + 4, blocks, n);
}

void rtcp_write_sdes(struct bytes_writer *w, uint32_t ssrc, struct str cname)
{
    assert(cname.len > 0 && cname.len <= RTCP_MAX_TEXT);
    /* SSRC, item header, text, and at least one null octet up to the boundary */
    size_t len = (4 + 2 + cname.len + 4) / 4 * 4;
    uint8_t *p = reserve(w, RTCP_SDES, 1, len);
    if (!p)
        return;
    put_be32(p, ssrc);
    p[4] = RTCP_SDES_CNAME;
    p[5] = (uint8_t)cname.len;
    memcpy(p + 6, cname.p, cname.len);
    memset(p + 6 + cname.len, RTCP_SDES_END, len - 6 - cname.len);
}

void rtcp_write_bye(struct bytes_writer *w, uint32_t ssrc, struct str reason)
{
    assert(reason.len <= RTCP_MAX_TEXT);
    size_t text_len = reason.len ? (1 + reason.len + 3) / 4 * 4 : 0;
    uint8_t *p = reserve(w, RTCP_BYE, 1, 4 + text_len);
    if (!p)
        return;
    put_be32(p, ssrc);
    if (!text_len)
        return;
    p[4] = (uint8_t)reason.len;
    memcpy(p + 5, reason.p, reason.len);
    memset(p + 5 + reason.len, 0, text_len - 1 - reason.len);
}

uint8_t *rtcp_write_feedback(struct bytes_writer *w, uint8_t type, unsigned fmt,
                             uint32_t sender_ssrc, uint32_t media_ssrc, size_t fci_len)
{
    assert(type == RTCP_RTPFB || type == RTCP_PSFB);
    uint8_t *p = reserve(w, type, fmt, 8 + fci_len);
    if (!p)
        return NULL;
    put_be32(p, sender_ssrc);
    put_be32(p + 4, media_ssrc);
    return p + 8;
}

/* The numbers that the entry of seqs[0] takes in with its mask: at least itself. */
static unsigned nack_entry(const uint16_t *seqs, unsigned n, uint16_t *ret_blp)
{
    unsigned taken = 1;
    uint16_t blp = 0;
    for (; taken < n; taken++) {
        unsigned bit = (uint16_t)(seqs[taken] - seqs[0] - 1);
        if (bit >= 16)
            break;
        blp |= (uint16_t)(1u << bit);
    }
    *ret_blp = blp;
    return taken;
}

void rtcp_write_nack(struct bytes_writer *w, uint32_t sender_ssrc, uint32_t media_ssrc,
                     const uint16_t *seqs, unsigned n)
{
    unsigned n_entries = 0;
    uint16_t blp;
    assert(n > 0 && n <= RTCP_MAX_NACKS);
    for (unsigned i = 0; i < n; i += nack_entry(seqs + i, n - i, &blp))
        n_entries++;
    uint8_t *p = rtcp_write_feedback(w, RTCP_RTPFB, RTCP_RTPFB_NACK, sender_ssrc, media_ssrc,
                                     4 * (size_t)n_entries);
    if (!p)
        return;
    for (unsigned i = 0; i < n; p += 4) {
        put_be16(p, seqs[i]);
        i += nack_entry(seqs + i, n - i, &blp);
        put_be16(p + 2, blp);
    }
}

void rtcp_write_dlrr(struct bytes_writer *w, uint32_t ssrc, const struct rtcp_xr_dlrr *dlrr)
{
    uint8_t *p = reserve(w, RTCP_XR, 0, 4 + RTCP_HEADER_LEN + RTCP_DLRR_LEN);
    if (!p)
        return;
    put_be32(p, ssrc);
    put_be32(p + 4, (uint32_t)RTCP_XR_DLRR << 24 | RTCP_DLRR_LEN / 4);
    put_be32(p + 8, dlrr->ssrc);
    put_be32(p + 12, dlrr->last_rr);
    put_be32(p + 16, dlrr->delay);
}

void rtcp_write_remb(struct bytes_writer *w, uint32_t sender_ssrc, uint64_t bitrate_bps,
                     const uint32_t *ssrcs, unsigned n)
{
    unsigned exponent = 0;
    assert(n <= RTCP_MAX_REMB);
    for (; bitrate_bps >> exponent > 0x3ffff; exponent++)
        ;
    uint32_t mantissa = (uint32_t)(bitrate_bps >> exponent);
    /* "SSRC of media source: always 0" */
    uint8_t *p =
        rtcp_write_feedback(w, RTCP_PSFB, RTCP_PSFB_AFB, sender_ssrc, 0, 8 + 4 * (size_t)n);
    if (!p)
        return;
    memcpy(p, "REMB", 4);
    put_be32(p + 4, (uint32_t)n << 24 | (uint32_t)exponent << 18 | mantissa);
    for (unsigned i = 0; i < n; i++)
        put_be32(p + 8 + 4 * i, ssrcs[i]);
}
