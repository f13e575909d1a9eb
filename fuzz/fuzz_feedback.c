/* fuzz: duet_rtp duet_base */
/* Arrivals in any order and at any time, as a stranger could choose them: whatever is asked for or
 * reported is well-formed RTCP, fits its room, and the owner is never kept busy. */
#include <assert.h>

#include "rtp/nack.h"
#include "rtp/rtcp.h"
#include "rtp/transport_cc.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void write_nack(const uint16_t *seqs, unsigned n)
{
    uint8_t buf[12 + 4 * RTP_NACK_WINDOW];
    struct bytes_writer w = bytes_writer(buf, sizeof(buf));
    rtcp_write_nack(&w, 1, 2, seqs, n);
    assert(!w.failed && rtcp_check(buf, w.len) == 0);
    struct rtcp_iter packets = rtcp_packets(buf, w.len);
    struct rtcp_packet p;
    assert(rtcp_next(&packets, &p));
    struct rtcp_nack_iter it = rtcp_nacks(&p);
    uint16_t seq = 0;
    for (unsigned i = 0; i < n; i++)
        assert(rtcp_nack_next(&it, &seq) && seq == seqs[i]);
    assert(!rtcp_nack_next(&it, &seq));
}

static void ask(struct rtp_nack *n, mono_us now)
{
    uint16_t seqs[RTP_NACK_WINDOW];
    unsigned n_seqs = rtp_nack_poll(n, now, seqs);
    assert(n_seqs <= RTP_NACK_WINDOW);
    assert(rtp_nack_deadline(n) > now);
    if (n_seqs)
        write_nack(seqs, n_seqs);
}

static void report(struct rtp_transport_cc *t, mono_us now)
{
    uint8_t buf[RTP_TRANSPORT_CC_MAX_LEN];
    for (unsigned i = 0;; i++) {
        struct bytes_writer w = bytes_writer(buf, sizeof(buf));
        bool done = rtp_transport_cc_write(t, now, 1, 2, &w);
        assert(!w.failed && i <= RTP_TRANSPORT_CC_WINDOW);
        if (!done)
            break;
        assert(rtcp_check(buf, w.len) == 0);
    }
    assert(rtp_transport_cc_deadline(t) > now);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct bytes_reader in = bytes_reader(data, size);
    struct rtp_nack n;
    struct rtp_transport_cc t;
    mono_us now = 1;
    uint16_t seq = 65000;

    rtp_nack_init(&n);
    rtp_transport_cc_init(&t);
    while (in.left >= 4) {
        uint8_t what = bytes_get8(&in);
        seq = (uint16_t)(seq + (int8_t)bytes_get8(&in) * (what & 8 ? 100 : 1));
        /* up to 65 ms, and up to 19 hours */
        now += (mono_us)bytes_get16(&in) << (what & 16 ? 20 : 0);
        if (what & 1)
            rtp_nack_packet(&n, seq, now);
        if (what & 2)
            rtp_transport_cc_packet(&t, seq, now);
        if (what & 4)
            rtp_nack_repaired(&n, seq, now);
        if (what & 32)
            rtp_nack_set_rtt(&n, (mono_us)seq * 10);
        if (what & 64)
            ask(&n, now);
        if (what & 128 && rtp_transport_cc_deadline(&t) <= now)
            report(&t, now);
        assert(n.repaired + n.late <= n.lost && n.lost <= n.expected && n.runs <= n.lost);
    }
    ask(&n, now);
    report(&t, now + RTP_TRANSPORT_CC_INTERVAL);
    return 0;
}
