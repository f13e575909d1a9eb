/* Two lines meet in the server, so each is judged by what happened on it alone:
 *
 *     loss up      what we miss of the client
 *     loss down    what the client misses of what we really sent (peer_delivery)
 *     jitter       as we see it; down: as the client sees it, less what the other line brought
 *     round trip   between the client and us
 *
 * What one hears of the other passes both: loss of both, half of each round trip, and jitter as the
 * ear has it. A decoder that invents sound although both lines are good is blamed on the line of
 * who hears it: late packets in its buffer, which no report shows. */
#include "relay/quality.h"

static enum rtp_quality_codec model_of(enum codec_id codec)
{
    switch (codec) {
    case CODEC_OPUS:
        return RTP_QUALITY_OPUS;
    case CODEC_PCMU:
    case CODEC_PCMA:
        return RTP_QUALITY_G711;
    case CODEC_G722:
        return RTP_QUALITY_G722;
    case CODEC_CN:
    case CODEC_TELEPHONE_EVENT:
        break; /* never a leg's first */
    }
    return RTP_QUALITY_OPUS;
}

void relay_quality_init(struct relay_quality *q)
{
    *q = (struct relay_quality){0};
}

static void measure_down(const struct peer_figures *before, const struct peer_figures *now,
                         struct relay_quality_end *end)
{
    uint32_t expected = now->down.delivery.expected - before->down.delivery.expected;
    uint32_t lost = now->down.delivery.lost - before->down.delivery.lost;
    uint32_t resent = now->down.resent - before->down.resent;
    end->has_loss_down = expected >= RTP_QUALITY_MIN_PACKETS;
    if (!end->has_loss_down)
        return;
    lost = lost < expected ? lost : expected;
    resent = resent < expected - lost ? resent : expected - lost;
    end->loss_down_after = (double)lost / expected;
    end->loss_down_before = (double)(lost + resent) / expected;
}

static void measure_rtt(const struct peer_figures *before, const struct peer_figures *now,
                        struct relay_quality_end *end)
{
    end->has_rtt = now->has_rtt;
    if (now->has_rtt)
        end->rtt = rtp_mean_since(&now->rtts, &before->rtts, now->rtt);
}

static mono_us jitter_up(const struct peer_figures *before, const struct peer_figures *now)
{
    return rtp_mean_since(&now->up.jitters, &before->up.jitters, now->up.jitter);
}

static mono_us jitter_down(const struct peer_figures *before, const struct peer_figures *now)
{
    return rtp_mean_since(&now->down.jitters, &before->down.jitters, now->down.jitter);
}

/* What `i` says, on its way to the other end's ear. */
static void measure_speech(struct relay_quality *q, unsigned i, const struct peer_figures *figures,
                           const struct relay_quality_end *ear, struct relay_quality_end *mouth)
{
    const struct peer_figures *from = &figures[i], *to = &figures[1 - i];
    struct rtp_quality_state state = {
        .codec = model_of(from->codec),
        .has_jitter = from->up.has_jitter,
        .has_rtt = mouth->has_rtt && ear->has_rtt,
        .jitter = to->down.is_reported ? jitter_down(&q->before[1 - i], to)
                                       : jitter_up(&q->before[i], from),
        .rtt_near = mouth->rtt,
        .rtt_far = ear->rtt,
        .far_loss = ear->has_loss_down ? ear->loss_down_after : 0,
    };
    if (!q->before[i].at)
        rtp_quality_init(&q->speech[i], from->connected_at);
    rtp_quality_snapshot(&q->speech[i], from->at, &from->up.counts, &state, &mouth->speech);
}

static double in_ms(mono_us us)
{
    return (double)us / (double)US_PER_MS;
}

static void set_jitter(const struct relay_quality *q, unsigned i,
                       const struct peer_figures *figures, struct rtp_line *line)
{
    const struct peer_figures *own = &figures[i], *other = &figures[1 - i];
    mono_us up = own->up.has_jitter ? jitter_up(&q->before[i], own) : 0, down = 0;
    if (own->down.is_reported) {
        down = jitter_down(&q->before[i], own);
        if (other->up.has_jitter)
            down -= mono_min(down, jitter_up(&q->before[1 - i], other));
    }
    if (own->up.has_jitter || own->down.is_reported)
        rtp_line_set(line, RTP_TROUBLE_JITTER, in_ms(up > down ? up : down));
}

static void measure_line(const struct relay_quality *q, unsigned i,
                         const struct peer_figures *figures, struct relay_quality_end *end)
{
    const struct peer_figures *own = &figures[i];
    struct rtp_line *line = &end->line;
    if (own->connected_at && own->up.is_wanted)
        rtp_line_set(line, RTP_TROUBLE_SILENT, in_ms(own->at - own->up.heard_at) / 1000);
    if (end->speech.has_loss)
        rtp_line_set(line, RTP_TROUBLE_LOSS_UP, end->speech.loss_after);
    if (end->has_loss_down)
        rtp_line_set(line, RTP_TROUBLE_LOSS_DOWN, end->loss_down_after);
    if (end->has_rtt)
        rtp_line_set(line, RTP_TROUBLE_DELAY, in_ms(end->rtt));
    set_jitter(q, i, figures, line);
    end->found = rtp_line_grade(line);
}

static struct relay_hearing hearing_of(const struct relay_hearing *told,
                                       const struct peer_figures_down *down)
{
    if (told->is_known || !down->has_discarded)
        return *told;
    return (struct relay_hearing){.is_known = true, .concealed = down->discarded / 256.0};
}

static void add_hearing(const struct relay_hearing *hearing, struct relay_quality_end *ear,
                        struct relay_quality_end *mouth)
{
    if (!hearing->is_known)
        return;
    mouth->speech.has_concealment = true;
    mouth->speech.concealed = hearing->concealed;
    if (ear->found.grade >= RTP_GRADE_FAIR || mouth->found.grade >= RTP_GRADE_FAIR)
        return;
    rtp_line_set(&ear->line, RTP_TROUBLE_CONCEALED, hearing->concealed);
    ear->found = rtp_line_grade(&ear->line);
}

void relay_quality_ask(struct relay_quality *q,
                       const struct peer_figures figures[RELAY_QUALITY_ENDS],
                       const struct relay_hearing hearing[RELAY_QUALITY_ENDS],
                       struct relay_quality_report *ret)
{
    struct relay_quality_end *ends = ret->ends;
    *ret = (struct relay_quality_report){0};
    for (unsigned i = 0; i < RELAY_QUALITY_ENDS; i++) {
        measure_down(&q->before[i], &figures[i], &ends[i]);
        measure_rtt(&q->before[i], &figures[i], &ends[i]);
    }
    for (unsigned i = 0; i < RELAY_QUALITY_ENDS; i++) {
        measure_speech(q, i, figures, &ends[1 - i], &ends[i]);
        measure_line(q, i, figures, &ends[i]);
    }
    for (unsigned i = 0; i < RELAY_QUALITY_ENDS; i++) {
        const struct relay_hearing heard = hearing_of(&hearing[i], &figures[i].down);
        add_hearing(&heard, &ends[i], &ends[1 - i]);
    }
    for (unsigned i = 0; i < RELAY_QUALITY_ENDS; i++) {
        ends[i].steady = rtp_line_judge(&q->judges[i], figures[i].at, ends[i].found);
        q->before[i] = figures[i];
    }
    ret->blame = rtp_line_blame(ends[0].steady.grade, ends[1].steady.grade);
}
