/* The receiver's own count of what was lost is no use for telling the two lines of a call apart: we
 * pass on the numbers of the sender with their gaps, so whatever the sender's line lost is missing
 * there, too. But both sides agree on numbers, and we know how many packets we gave them to. */
#include "peer/measure.h"

#define HALF_OF_NUMBERS 0x8000u

/* A minute that was called lost and came after all. */
#define MAX_CREDIT 3000

/* How many packets had gone out when number `seq` did. @return false = we never sent that one */
static bool sent_up_to(const struct peer_measure *m, const struct rtp_report *report, uint16_t seq,
                       uint32_t *ret)
{
    uint16_t since = (uint16_t)(m->last_seq - seq);
    if (since >= HALF_OF_NUMBERS || since > report->packets)
        return false;
    *ret = report->packets - since;
    return true;
}

/* What a client claims is bounded by what it was sent, both ways. */
static void count(struct peer_delivery *d, uint32_t sent, int64_t received)
{
    int64_t missing = (int64_t)sent - received + d->credit;
    d->expected += sent;
    d->lost += (uint32_t)(missing <= 0 ? 0 : missing < sent ? missing : sent);
    d->credit = (int32_t)(missing >= 0 ? 0 : missing > -MAX_CREDIT ? missing : -MAX_CREDIT);
}

static void deliver(struct peer_measure *m, const struct rtp_report *report)
{
    struct peer_delivery *d = &m->delivery;
    uint32_t number = report->remote.extended_seq, sent;
    int32_t reported = report->remote.lost;
    if (!sent_up_to(m, report, (uint16_t)number, &sent))
        return;
    bool is_first = d->n_reports == 0;
    /* The receiver began anew: its next report has something to be compared with. */
    bool is_restart = !is_first && (number < d->number || sent < d->sent);
    if (is_first && number >= m->first_seq)
        count(d, sent, (int64_t)number - m->first_seq + 1 - reported);
    else if (!is_first && !is_restart)
        count(d, sent - d->sent, (int64_t)number - d->number - ((int64_t)reported - d->reported));
    d->n_reports++;
    d->sent = sent;
    d->number = number;
    d->reported = reported;
}

void peer_measure_reported(struct peer_measure *m, const struct rtp_report *report, bool is_rtt)
{
    if (is_rtt)
        rtp_mean_add(&m->rtt, report->rtt);
    if (!report->has_sent)
        return;
    if (report->clock_rate)
        rtp_mean_add(&m->jitter_down, (mono_us)((uint64_t)report->remote.jitter *
                                                (uint64_t)US_PER_S / report->clock_rate));
    deliver(m, report);
}
