/* RTCP bytes. Framing first (a chain of length-prefixed packets), then one small reader and writer
 * for each type that a relay has a use for. What is not known is skipped by its length. */
#include "rtp/rtcp.h"

#include <assert.h>

#include "base/bytes.h"

#define HEADER_LEN      4
#define SENDER_INFO_LEN 24 /* with the SSRC of the sender */
#define BLOCK_LEN       24
#define DLRR_LEN        12
#define SUMMARY_LEN     36
#define VOIP_LEN        32

/* RFC 3611 §4.6: which parts of a statistics summary are filled in. */
#define SUMMARY_LOSS       0x80
#define SUMMARY_DUPLICATES 0x40
#define SUMMARY_JITTER     0x20

enum sdes_item {
    SDES_END = 0,
    SDES_CNAME = 1,
};

struct rtcp_iter rtcp_packets(const uint8_t *data, size_t len)
{
    return (struct rtcp_iter){bytes_reader(data, len)};
}

/* One packet off the front. The reader is not moved on failure. */
static int take_packet(struct bytes_reader *r, struct rtcp_packet *ret)
{
    if (r->left < HEADER_LEN)
        return RTP_E_TRUNCATED;
    const uint8_t *p = r->p;
    size_t len = HEADER_LEN + 4 * (size_t)get_be16(p + 2);
    if (p[0] >> 6 != 2)
        return RTP_E_VERSION;
    if (p[1] < RTCP_TYPE_FIRST || p[1] > RTCP_TYPE_LAST)
        return RTP_E_MALFORMED;
    if (len > r->left)
        return RTP_E_TRUNCATED;

    size_t body_len = len - HEADER_LEN;
    if (p[0] & 0x20) {
        /* RFC 3550 §6.4.1: padding "is only required on one individual packet" of a compound, the
         * last; its last octet counts the octets, "it will be a multiple of four". */
        size_t padding = p[len - 1];
        if (len != r->left || padding == 0 || padding % 4 || padding > body_len)
            return RTP_E_PADDING;
        body_len -= padding;
    }
    *ret = (struct rtcp_packet){
        .type = p[1],
        .count = p[0] & 0x1f,
        .body = p + HEADER_LEN,
        .body_len = body_len,
    };
    (void)bytes_skip(r, len);
    return 0;
}

int rtcp_check(const uint8_t *data, size_t len)
{
    struct bytes_reader r = bytes_reader(data, len);
    struct rtcp_packet p;
    do {
        int err = take_packet(&r, &p);
        if (err)
            return err;
    } while (r.left);
    return 0;
}

bool rtcp_is_reduced_size(const uint8_t *data, size_t len)
{
    return len >= HEADER_LEN && data[1] != RTCP_SR && data[1] != RTCP_RR;
}

bool rtcp_next(struct rtcp_iter *it, struct rtcp_packet *ret)
{
    return it->r.left && take_packet(&it->r, ret) == 0;
}

int rtcp_read_sr(const struct rtcp_packet *p, struct rtcp_sr *ret)
{
    if (p->type != RTCP_SR)
        return RTP_E_MALFORMED;
    if (p->body_len < SENDER_INFO_LEN)
        return RTP_E_TRUNCATED;
    *ret = (struct rtcp_sr){
        .ssrc = get_be32(p->body),
        .ntp = get_be64(p->body + 4),
        .rtp_ts = get_be32(p->body + 12),
        .packets = get_be32(p->body + 16),
        .octets = get_be32(p->body + 20),
    };
    return 0;
}

int rtcp_read_rr(const struct rtcp_packet *p, uint32_t *ret_ssrc)
{
    if (p->type != RTCP_RR)
        return RTP_E_MALFORMED;
    if (p->body_len < 4)
        return RTP_E_TRUNCATED;
    *ret_ssrc = get_be32(p->body);
    return 0;
}

/* Where the report blocks begin; 0 = the type has none. */
static size_t blocks_offset(uint8_t type)
{
    return type == RTCP_SR ? SENDER_INFO_LEN : type == RTCP_RR ? 4 : 0;
}

unsigned rtcp_n_blocks(const struct rtcp_packet *p)
{
    size_t offset = blocks_offset(p->type);
    if (offset == 0 || p->body_len < offset)
        return 0;
    size_t room = (p->body_len - offset) / BLOCK_LEN;
    return room < p->count ? (unsigned)room : p->count;
}

/* 24 bits with sign. */
static int32_t sign_extend24(uint32_t v)
{
    return (int32_t)((v & 0xffffff) ^ 0x800000) - 0x800000;
}

void rtcp_read_block(const struct rtcp_packet *p, unsigned i, struct rtcp_report_block *ret)
{
    assert(i < rtcp_n_blocks(p));
    const uint8_t *b = p->body + blocks_offset(p->type) + (size_t)i * BLOCK_LEN;
    *ret = (struct rtcp_report_block){
        .ssrc = get_be32(b),
        .fraction_lost = b[4],
        .lost = sign_extend24(get_be32(b + 4)),
        .extended_seq = get_be32(b + 8),
        .jitter = get_be32(b + 12),
        .last_sr = get_be32(b + 16),
        .delay = get_be32(b + 20),
    };
}

/* One chunk of SDES items, up to and over its end (RFC 3550 §6.5: "the list of items in each chunk
 * MUST be terminated by one or more null octets", to the next 32-bit boundary). */
static bool skip_chunk(struct bytes_reader *r, const uint8_t *start, struct str *ret_cname)
{
    for (;;) {
        uint8_t item = bytes_get8(r);
        if (r->failed)
            return false;
        if (item == SDES_END)
            break;
        size_t len = bytes_get8(r);
        const uint8_t *text = bytes_skip(r, len);
        if (!text)
            return false;
        if (item == SDES_CNAME && !ret_cname->p)
            *ret_cname = (struct str){(const char *)text, len};
    }
    size_t used = (size_t)(r->p - start);
    return bytes_skip(r, (4 - used % 4) % 4) != NULL;
}

int rtcp_read_cname(const struct rtcp_packet *p, uint32_t *ret_ssrc, struct str *ret_cname)
{
    if (p->type != RTCP_SDES)
        return RTP_E_MALFORMED;
    struct bytes_reader r = bytes_reader(p->body, p->body_len);
    for (unsigned i = 0; i < p->count; i++) {
        const uint8_t *start = r.p;
        uint32_t ssrc = bytes_get32(&r);
        struct str cname = {0};
        if (r.failed || !skip_chunk(&r, start, &cname))
            return RTP_E_TRUNCATED;
        if (cname.p) {
            *ret_ssrc = ssrc;
            *ret_cname = cname;
            return 0;
        }
    }
    return RTP_E_MALFORMED;
}

int rtcp_read_bye(const struct rtcp_packet *p, struct rtcp_bye *ret)
{
    if (p->type != RTCP_BYE)
        return RTP_E_MALFORMED;
    if (p->body_len < 4 * (size_t)p->count)
        return RTP_E_TRUNCATED;
    struct bytes_reader r = bytes_reader(p->body, p->body_len);
    *ret = (struct rtcp_bye){.n_ssrcs = p->count};
    for (unsigned i = 0; i < p->count; i++)
        ret->ssrcs[i] = bytes_get32(&r);
    /* A reason that claims more than there is was a way into PJSIP (CVE-2021-43804). */
    size_t len = bytes_get8(&r);
    const uint8_t *text = bytes_skip(&r, len);
    if (text)
        ret->reason = (struct str){(const char *)text, len};
    return 0;
}

int rtcp_read_feedback(const struct rtcp_packet *p, struct rtcp_feedback *ret)
{
    if (p->type != RTCP_RTPFB && p->type != RTCP_PSFB)
        return RTP_E_MALFORMED;
    if (p->body_len < 8)
        return RTP_E_TRUNCATED;
    *ret = (struct rtcp_feedback){
        .sender_ssrc = get_be32(p->body),
        .media_ssrc = get_be32(p->body + 4),
        .fci = p->body + 8,
        .fci_len = p->body_len - 8,
    };
    return 0;
}

struct rtcp_nack_iter rtcp_nacks(const struct rtcp_packet *p)
{
    struct rtcp_feedback feedback;
    if (p->type != RTCP_RTPFB || p->count != RTCP_RTPFB_NACK || rtcp_read_feedback(p, &feedback))
        return (struct rtcp_nack_iter){0};
    return (struct rtcp_nack_iter){.r = bytes_reader(feedback.fci, feedback.fci_len)};
}

bool rtcp_nack_next(struct rtcp_nack_iter *it, uint16_t *ret_seq)
{
    if (it->blp) {
        unsigned bit = (unsigned)__builtin_ctz(it->blp);
        it->blp &= (uint16_t)(it->blp - 1);
        *ret_seq = (uint16_t)(it->pid + 1 + bit);
        return true;
    }
    if (it->r.left < 4)
        return false;
    it->pid = bytes_get16(&it->r);
    it->blp = bytes_get16(&it->r);
    *ret_seq = it->pid;
    return true;
}

int rtcp_read_remb(const struct rtcp_packet *p, uint64_t *ret_bps)
{
    struct rtcp_feedback f;
    if (p->type != RTCP_PSFB || p->count != RTCP_PSFB_AFB)
        return RTP_E_MALFORMED;
    int err = rtcp_read_feedback(p, &f);
    if (err)
        return err;
    if (f.fci_len < 4 || memcmp(f.fci, "REMB", 4))
        return RTP_E_MALFORMED;
    if (f.fci_len < 8 || f.fci_len - 8 < 4 * (size_t)f.fci[4])
        return RTP_E_TRUNCATED;
    uint32_t rate = get_be32(f.fci + 4) & 0xffffff;
    unsigned exponent = rate >> 18;
    uint64_t mantissa = rate & 0x3ffff;
    *ret_bps = mantissa > UINT64_MAX >> exponent ? UINT64_MAX : mantissa << exponent;
    return 0;
}

int rtcp_read_xr(const struct rtcp_packet *p, uint32_t *ret_ssrc, struct rtcp_xr_iter *ret)
{
    if (p->type != RTCP_XR)
        return RTP_E_MALFORMED;
    if (p->body_len < 4)
        return RTP_E_TRUNCATED;
    *ret_ssrc = get_be32(p->body);
    *ret = (struct rtcp_xr_iter){bytes_reader(p->body + 4, p->body_len - 4)};
    return 0;
}

bool rtcp_xr_next(struct rtcp_xr_iter *it, struct rtcp_xr_block *ret)
{
    uint8_t type = bytes_get8(&it->r);
    uint8_t specific = bytes_get8(&it->r);
    size_t len = 4 * (size_t)bytes_get16(&it->r);
    const uint8_t *body = bytes_skip(&it->r, len);
    if (!body)
        return false;
    *ret = (struct rtcp_xr_block){type, specific, body, len};
    return true;
}

int rtcp_xr_read_rrt(const struct rtcp_xr_block *b, uint64_t *ret_ntp)
{
    if (b->type != RTCP_XR_RRT)
        return RTP_E_MALFORMED;
    if (b->body_len < 8)
        return RTP_E_TRUNCATED;
    *ret_ntp = get_be64(b->body);
    return 0;
}

unsigned rtcp_xr_n_dlrr(const struct rtcp_xr_block *b)
{
    return b->type == RTCP_XR_DLRR ? (unsigned)(b->body_len / DLRR_LEN) : 0;
}

void rtcp_xr_read_dlrr(const struct rtcp_xr_block *b, unsigned i, struct rtcp_xr_dlrr *ret)
{
    assert(i < rtcp_xr_n_dlrr(b));
    const uint8_t *p = b->body + (size_t)i * DLRR_LEN;
    *ret = (struct rtcp_xr_dlrr){get_be32(p), get_be32(p + 4), get_be32(p + 8)};
}

int rtcp_xr_read_summary(const struct rtcp_xr_block *b, struct rtcp_xr_summary *ret)
{
    if (b->type != RTCP_XR_SUMMARY)
        return RTP_E_MALFORMED;
    if (b->body_len < SUMMARY_LEN)
        return RTP_E_TRUNCATED;
    const uint8_t *p = b->body;
    struct rtcp_xr_summary s = {
        .ssrc = get_be32(p),
        .begin_seq = get_be16(p + 4),
        .end_seq = get_be16(p + 6),
        .has_loss = b->specific & SUMMARY_LOSS,
        .has_duplicates = b->specific & SUMMARY_DUPLICATES,
        .has_jitter = b->specific & SUMMARY_JITTER,
    };
    /* "the value MUST be set to zero" where the flag is not set; not everybody does. */
    s.lost = s.has_loss ? get_be32(p + 8) : 0;
    s.duplicates = s.has_duplicates ? get_be32(p + 12) : 0;
    if (s.has_jitter) {
        s.jitter_min = get_be32(p + 16);
        s.jitter_max = get_be32(p + 20);
        s.jitter_mean = get_be32(p + 24);
        s.jitter_std = get_be32(p + 28);
    }
    *ret = s;
    return 0;
}

int rtcp_xr_read_voip(const struct rtcp_xr_block *b, struct rtcp_xr_voip *ret)
{
    if (b->type != RTCP_XR_VOIP)
        return RTP_E_MALFORMED;
    if (b->body_len < VOIP_LEN)
        return RTP_E_TRUNCATED;
    const uint8_t *p = b->body;
    *ret = (struct rtcp_xr_voip){
        .ssrc = get_be32(p),
        .loss_rate = p[4],
        .discard_rate = p[5],
        .round_trip_ms = get_be16(p + 12),
        .end_system_ms = get_be16(p + 14),
        .r_factor = p[20],
        .mos_lq_x10 = p[22],
        .mos_cq_x10 = p[23],
        .jitter_buffer_ms = get_be16(p + 26),
    };
    return 0;
}

/* Room for a whole packet and its common header; NULL when it does not fit. len without header,
 * a multiple of 4. */
static uint8_t *reserve(struct bytes_writer *w, uint8_t type, unsigned count, size_t len)
{
    assert(count <= RTCP_MAX_BLOCKS && len % 4 == 0);
    uint8_t *p = bytes_reserve(w, HEADER_LEN + len);
    if (!p)
        return NULL;
    p[0] = (uint8_t)(0x80 | count);
    p[1] = type;
    put_be16(p + 2, (uint16_t)(len / 4));
    return p + HEADER_LEN;
}

static void put_blocks(uint8_t *p, const struct rtcp_report_block *blocks, unsigned n)
{
    for (unsigned i = 0; i < n; i++, p += BLOCK_LEN) {
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
    uint8_t *p = reserve(w, RTCP_SR, n, SENDER_INFO_LEN + BLOCK_LEN * (size_t)n);
    if (!p)
        return;
    put_be32(p, sr->ssrc);
    put_be64(p + 4, sr->ntp);
    put_be32(p + 12, sr->rtp_ts);
    put_be32(p + 16, sr->packets);
    put_be32(p + 20, sr->octets);
    put_blocks(p + SENDER_INFO_LEN, blocks, n);
}

void rtcp_write_rr(struct bytes_writer *w, uint32_t ssrc, const struct rtcp_report_block *blocks,
                   unsigned n)
{
    uint8_t *p = reserve(w, RTCP_RR, n, 4 + BLOCK_LEN * (size_t)n);
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
    p[4] = SDES_CNAME;
    p[5] = (uint8_t)cname.len;
    memcpy(p + 6, cname.p, cname.len);
    memset(p + 6 + cname.len, SDES_END, len - 6 - cname.len);
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
    uint8_t *p = reserve(w, RTCP_XR, 0, 4 + HEADER_LEN + DLRR_LEN);
    if (!p)
        return;
    put_be32(p, ssrc);
    put_be32(p + 4, (uint32_t)RTCP_XR_DLRR << 24 | DLRR_LEN / 4);
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
