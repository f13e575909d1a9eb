/* Taking RED apart: see the header. Which numbers the blocks have is rtp/red.h's business. */
#include "relay/red.h"

#include <string.h>

#include "peer/peer.h"

#define FOLLOWS          0x80 /* RFC 2198 §3: another block header comes */
#define BLOCK_HEADER_LEN 4    /* the last one: 1 */

void relay_red_source_init(struct relay_red_source *s, uint8_t pt, uint8_t carried_pt)
{
    *s = (struct relay_red_source){.pt = pt, .carried_pt = carried_pt};
    rtp_red_recovery_init(&s->recovery, carried_pt);
}

int relay_red_receive(struct relay_red_source *s, const uint8_t *data,
                      const struct rtp_packet *packet, struct relay_red_packet *ret)
{
    ret->is_red = false;
    ret->recovered.n = 0;
    if (!s->has_ssrc || s->ssrc != packet->ssrc) {
        rtp_red_recovery_init(&s->recovery, s->carried_pt);
        s->has_ssrc = true;
        s->ssrc = packet->ssrc;
    }
    /* Chromium probes the line with packets of nothing but padding. */
    if (packet->pt == s->pt && packet->payload_len > 0 &&
        (s->n_openers || rtp_red_may_recover(&s->recovery, packet->seq))) {
        if (rtp_red_parse(data + packet->header_len, packet->payload_len, &ret->blocks))
            return PEER_E_MALFORMED;
        ret->is_red = true;
        ret->newest_at = (size_t)(rtp_red_primary(&ret->blocks)->data - data);
    }
    ret->is_repeat = rtp_red_recover(&s->recovery, packet->seq, packet->timestamp,
                                     ret->is_red ? &ret->blocks : NULL, &ret->recovered) != 0;
    return 0;
}

bool relay_red_carries(const uint8_t *payload, size_t len, uint8_t pt)
{
    for (size_t at = 0; at < len; at += BLOCK_HEADER_LEN) {
        if ((payload[at] & 0x7f) != pt)
            return false;
        if (!(payload[at] & FOLLOWS))
            return true;
    }
    return false;
}

void relay_red_set_pts(uint8_t *payload, uint8_t pt)
{
    for (; *payload & FOLLOWS; payload += BLOCK_HEADER_LEN)
        *payload = FOLLOWS | pt;
    *payload = pt;
}

/* RFC 3550 §5.1: the P bit; what was padded is left behind. */
static void clear_padding(uint8_t *data)
{
    data[0] &= 0xdf;
}

void relay_red_open(struct dgram *d, struct rtp_packet *packet, size_t offset, size_t len)
{
    size_t shift = offset - packet->header_len;
    memmove(d->data + shift, d->data, packet->header_len);
    d->data += shift;
    d->cap -= shift;
    d->len = packet->header_len + len;
    clear_padding(d->data);
    packet->payload_len = len;
    packet->padding_len = 0;
}

void relay_red_build(struct dgram *d, const struct rtp_red_packet *recovered,
                     struct rtp_packet *ret)
{
    memset(d->data, 0, RTP_HEADER_LEN);
    d->data[0] = 2 << 6;
    memcpy(d->data + RTP_HEADER_LEN, recovered->data, recovered->len);
    d->len = RTP_HEADER_LEN + recovered->len;
    *ret = (struct rtp_packet){.timestamp = recovered->timestamp,
                               .seq = recovered->seq,
                               .header_len = RTP_HEADER_LEN,
                               .payload_len = recovered->len};
}
