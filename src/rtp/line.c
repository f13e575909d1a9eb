/* The limits are those of the page (web/js/quality.js), so that the server and the page do not
 * contradict each other: loss as G.113 and experience with concealment have it (2 % is heard by
 * who listens for it, 8 % by everybody), jitter against jitter buffers of 60 to 120 ms, delay
 * after G.114 (150 ms one way is unnoticed, 400 ms is too much, minus what the other line and the
 * buffers add). */
#include "rtp/line.h"

#include <assert.h>

static const struct {
    const char *name;
    double fair, poor; /* from here on */
} limits[RTP_N_TROUBLES] = {
    [RTP_TROUBLE_NONE] = {"none", 0, 0},
    /* DTX still sends every 400 ms: three seconds without a packet are no pause in a talk. */
    [RTP_TROUBLE_SILENT] = {"silent", 3, 3},
    [RTP_TROUBLE_LOSS_UP] = {"loss-up", 0.02, 0.08},
    [RTP_TROUBLE_LOSS_DOWN] = {"loss-down", 0.02, 0.08},
    /* Time stretching conceals a little in every call. */
    [RTP_TROUBLE_CONCEALED] = {"concealed", 0.05, 0.15},
    /* Frames of 20 ms that come in order, but in bunches of any size, have 40 ms by the formula of
     * RFC 3550; what is more overtakes. */
    [RTP_TROUBLE_JITTER] = {"jitter", 25, 60},
    [RTP_TROUBLE_DELAY] = {"delay", 250, 500},
};

static const char *const grade_names[] = {
    [RTP_GRADE_UNKNOWN] = "unknown",
    [RTP_GRADE_GOOD] = "good",
    [RTP_GRADE_FAIR] = "fair",
    [RTP_GRADE_POOR] = "poor",
};

struct rtp_line_grade rtp_line_grade(const struct rtp_line *line)
{
    struct rtp_line_grade worst = {RTP_GRADE_UNKNOWN, RTP_TROUBLE_NONE};
    for (enum rtp_trouble t = RTP_TROUBLE_NONE + 1; t < RTP_N_TROUBLES; t++) {
        if (!line->is_known[t])
            continue;
        enum rtp_grade grade = line->value[t] >= limits[t].poor   ? RTP_GRADE_POOR
                               : line->value[t] >= limits[t].fair ? RTP_GRADE_FAIR
                                                                  : RTP_GRADE_GOOD;
        if (grade <= worst.grade)
            continue;
        worst.grade = grade;
        worst.trouble = grade > RTP_GRADE_GOOD ? t : RTP_TROUBLE_NONE;
    }
    return worst;
}

struct rtp_line_grade rtp_line_judge(struct rtp_line_judge *j, mono_us now,
                                     struct rtp_line_grade found)
{
    /* An interval without measures is no news, least of all good ones. */
    if (found.grade == RTP_GRADE_UNKNOWN)
        return j->said;
    if (found.grade >= j->said.grade) {
        j->said = found;
        j->better_since = 0;
        return found;
    }
    /* Better than what was said, but only as good as the worst of this time. */
    if (!j->better_since || found.grade > j->better.grade)
        j->better = found;
    if (!j->better_since)
        j->better_since = now;
    if (now - j->better_since >= RTP_LINE_BETTER_AFTER) {
        j->said = j->better;
        j->better_since = 0;
    }
    return j->said;
}

enum rtp_blame rtp_line_blame(enum rtp_grade first, enum rtp_grade second)
{
    if (first < RTP_GRADE_FAIR && second < RTP_GRADE_FAIR)
        return RTP_BLAME_NONE;
    if (first == second)
        return RTP_BLAME_BOTH;
    return first > second ? RTP_BLAME_FIRST : RTP_BLAME_SECOND;
}

const char *rtp_grade_name(enum rtp_grade grade)
{
    assert(grade <= RTP_GRADE_POOR);
    return grade_names[grade];
}

const char *rtp_trouble_name(enum rtp_trouble trouble)
{
    assert(trouble < RTP_N_TROUBLES);
    return limits[trouble].name;
}
