/**
 * One line, the network between one client and us, in one word: good, fair or poor, and why. And
 * of the two lines of a call: whose is the bad one.
 *
 *     measures of an interval ─ rtp_line_grade ─▶ grade, trouble
 *                             ─ rtp_line_judge ─▶ the same, steady enough to be shown to people
 *     two of these            ─ rtp_line_blame ─▶ caller, callee, both, none
 *
 * Pure functions. Both directions of a line count: a client that is heard badly and one that hears
 * badly have the same remedy.
 */
#ifndef RTP_LINE_H
#define RTP_LINE_H

#include <stdbool.h>

#include "base/compiler.h"
#include "base/time.h"

/** From best to worst. */
enum rtp_grade {
    RTP_GRADE_UNKNOWN, /**< nothing was measured yet */
    RTP_GRADE_GOOD,
    RTP_GRADE_FAIR,
    RTP_GRADE_POOR,
};

/** What can be wrong with a line. The limits are rows of a table in line.c. */
enum rtp_trouble {
    RTP_TROUBLE_NONE,
    RTP_TROUBLE_SILENT,    /**< nothing is heard of the client [s] */
    RTP_TROUBLE_LOSS_UP,   /**< from the client, after repair [share] */
    RTP_TROUBLE_LOSS_DOWN, /**< to the client, after repair [share] */
    RTP_TROUBLE_CONCEALED, /**< the client's decoder invents sound, its packets were there [share]
                            */
    RTP_TROUBLE_JITTER,    /**< the greater of both directions [ms] */
    RTP_TROUBLE_DELAY,     /**< round trip [ms] */
    RTP_N_TROUBLES,
};

/** Measures of one line over one interval. Zeroed = nothing is known. */
struct rtp_line {
    bool is_known[RTP_N_TROUBLES];
    double value[RTP_N_TROUBLES]; /**< in the unit of the trouble */
};

struct rtp_line_grade {
    enum rtp_grade grade;
    enum rtp_trouble trouble; /**< NONE unless the grade is FAIR or POOR */
};

static inline void rtp_line_set(struct rtp_line *line, enum rtp_trouble trouble, double value)
{
    line->is_known[trouble] = true;
    line->value[trouble] = value;
}

/** The worst measure speaks; of equally bad ones the first in the order of enum rtp_trouble. */
struct rtp_line_grade rtp_line_grade(const struct rtp_line *line);

/** So long a line must have been better before it is called better: a word that flickers is read as
 * "something is wrong here", whatever it says. */
#define RTP_LINE_BETTER_AFTER (8 * US_PER_S)

/** Hysteresis: worse is said at once, better when it lasts. Zeroed is ready. Fields are private. */
struct rtp_line_judge {
    struct rtp_line_grade said;
    struct rtp_line_grade better; /**< the worst since then */
    mono_us better_since;         /**< 0 = is not better */
};

/**
 * The next interval's grade in, the word to show out.
 *
 * @param now  end of the interval [µs, monotonic, > 0]
 */
struct rtp_line_grade rtp_line_judge(struct rtp_line_judge *j, mono_us now,
                                     struct rtp_line_grade found);

/** Whose line is the bad one, of the two ends of a call. */
enum rtp_blame {
    RTP_BLAME_NONE,
    RTP_BLAME_FIRST,
    RTP_BLAME_SECOND,
    RTP_BLAME_BOTH,
};

/** The worse of the two, where it is FAIR or POOR; both, when they are equally bad. */
enum rtp_blame rtp_line_blame(enum rtp_grade first, enum rtp_grade second);

/** "good", "loss-up", …: the words of the protocol and of the log. */
const char *rtp_grade_name(enum rtp_grade grade);
const char *rtp_trouble_name(enum rtp_trouble trouble);

#endif
