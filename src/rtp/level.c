/* A reading stands for the time since the one before, but for no more than RTP_LEVEL_HOLD of it: a
 * longer pause between packets is how DTX says "silence". */
#include "rtp/level.h"

void rtp_level_take(struct rtp_level *l, mono_us now, struct rtp_audio_level level)
{
    struct rtp_level_counts *c = &l->counts;
    mono_us gap = c->n ? now - l->at : RTP_LEVEL_INTERVAL;
    mono_us held = mono_min(gap, RTP_LEVEL_HOLD);
    l->at = now;
    l->now_db = level.level_db;
    c->n++;
    c->sum_db += level.level_db;
    if (level.level_db <= RTP_LEVEL_TALK_DB) {
        c->n_talk++;
        c->talk_sum_db += level.level_db;
        c->talk_ms += (uint32_t)(held / US_PER_MS);
        gap -= held;
    }
    c->silent_ms += (uint32_t)(gap / US_PER_MS);
}
