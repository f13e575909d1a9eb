/* Reading RTCP. Framing first (a chain of length-prefixed packets), then one small reader for each
 * type that a relay has a use for. What is not known is skipped by its length. */
#include "rtp/rtcp.h"

#include <assert.h>

#include "base/bytes.h"
#include "rtp/rtcp_wire.h"

#define SUMMARY_LEN 36
#define VOIP_LEN    32

/* RFC 3611 §4.6: which parts of a statistics summary are filled in. */
#define SUMMARY_LOSS       0x80
#define SUMMARY_DUPLICATES 0x40
#define SUMMARY_JITTER     0x20

struct rtcp_iter rtcp_packets(const uint8_t *data, size_t len)
{
    return (struct rtcp_iter){bytes_reader(data, len)};
}

/* One packet off the front. The reader is not moved on failure. */
static int take_packet(struct bytes_reader *r, struct rtcp_packet *ret)
{
    if (r->left < RTCP_HEADER_LEN)
        return RTP_E_TRUNCATED;
    const uint8_t *p = r->p;
    size_t len = RTCP_HEADER_LEN + 4 * (size_t)get_be16(p + 2);
    if (p[0] >> 6 != 2)
        return RTP_E_VERSION;
    if (p[1] < RTCP_TYPE_FIRST || p[1] > RTCP_TYPE_LAST)
        return RTP_E_MALFORMED;
    if (len > r->left)
        return RTP_E_TRUNCATED;

    size_t body_len = len - RTCP_HEADER_LEN;
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
        .body = p + RTCP_HEADER_LEN,
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
    return len >= RTCP_HEADER_LEN && data[1] != RTCP_SR && data[1] != RTCP_RR;
}

bool rtcp_next(struct rtcp_iter *it, struct rtcp_packet *ret)
{
    return it->r.left && take_packet(&it->r, ret) == 0;
}

int rtcp_read_sr(const struct rtcp_packet *p, struct rtcp_sr *ret)
{
    if (p->type != RTCP_SR)
        return RTP_E_MALFORMED;
    if (p->body_len < RTCP_SENDER_INFO_LEN)
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
    return type == RTCP_SR ? RTCP_SENDER_INFO_LEN : type == RTCP_RR ? 4 : 0;
}

unsigned rtcp_n_blocks(const struct rtcp_packet *p)
{
    size_t offset = blocks_offset(p->type);
    if (offset == 0 || p->body_len < offset)
        return 0;
    size_t room = (p->body_len - offset) / RTCP_BLOCK_LEN;
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
    const uint8_t *b = p->body + blocks_offset(p->type) + (size_t)i * RTCP_BLOCK_LEN;
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
        if (item == RTCP_SDES_END)
            break;
        size_t len = bytes_get8(r);
        const uint8_t *text = bytes_skip(r, len);
        if (!text)
            return false;
        if (item == RTCP_SDES_CNAME && !ret_cname->p)
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
    return b->type == RTCP_XR_DLRR ? (unsigned)(b->body_len / RTCP_DLRR_LEN) : 0;
}

void rtcp_xr_read_dlrr(const struct rtcp_xr_block *b, unsigned i, struct rtcp_xr_dlrr *ret)
{
    assert(i < rtcp_xr_n_dlrr(b));
    const uint8_t *p = b->body + (size_t)i * RTCP_DLRR_LEN;
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
