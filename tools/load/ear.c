/* The payload tells who sent it, as which number and when; the RTP header, which the server may
 * have renumbered, must agree with it. */
#include "load/ear.h"

#include "load/payload.h"

void ear_init(struct ear *ear, struct stats *stats, const struct siphash_key *key,
              const struct media_identity *own)
{
    *ear = (struct ear){.stats = stats, .key = key, .own = *own};
}

/* The numbers in the RTP header must run with those in the payload, whatever the server made of
 * them, and the rest must be what was negotiated. */
static bool is_header_right(struct ear *ear, uint8_t opus_pt, const struct rtp_packet *packet,
                            uint32_t seq)
{
    uint16_t first_seq = (uint16_t)(packet->seq - seq);
    uint32_t first_timestamp = packet->timestamp - seq * EAR_SAMPLES;
    if (!ear->has_heard) {
        ear->ssrc = packet->ssrc;
        ear->seq = first_seq;
        ear->timestamp = first_timestamp;
    }
    return packet->pt == opus_pt && packet->ssrc == ear->ssrc && first_seq == ear->seq &&
           first_timestamp == ear->timestamp && packet->padding_len == 0 && packet->n_csrc == 0 &&
           packet->marker == (seq == 0);
}

static void count_order(struct stats *stats, enum track_verdict verdict)
{
    switch (verdict) {
    case TRACK_IN_ORDER:
        break;
    case TRACK_GAP:
        stats->gaps++;
        break;
    case TRACK_REORDERED:
        stats->reordered++;
        break;
    case TRACK_DUPLICATE:
    case TRACK_TOO_OLD:
        stats->duplicates++;
        break;
    }
}

bool ear_hear(struct ear *ear, mono_us now, uint8_t opus_pt, const uint8_t *data,
              const struct rtp_packet *packet)
{
    struct stats *stats = ear->stats;
    const struct media_identity *own = &ear->own;
    struct payload p;
    stats->packets_received++;
    if (payload_read(data + packet->header_len, packet->payload_len, ear->key, &p)) {
        stats->corrupted++;
        return false;
    }
    if (p.call != own->call || p.round != own->round || p.side == own->side) {
        stats->misrouted++;
        return false;
    }
    if (!is_header_right(ear, opus_pt, packet, p.seq))
        stats->bad_headers++;
    count_order(stats, track_packet(&ear->track, p.seq));
    histogram_add(&stats->latency, now - p.sent_at);
    stats->late += now - p.sent_at > STATS_LATE;
    bool is_first = !ear->has_heard;
    ear->has_heard = true;
    return is_first;
}
