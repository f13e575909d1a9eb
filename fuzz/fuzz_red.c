/* fuzz: duet_rtp duet_base */
/* RED payloads, and a stream of them: what is given back lies within its packet, has a number of
 * the window, and no number is given out twice. */
#include <assert.h>
#include <string.h>

#include "rtp/red.h"
#include "rtp/sequence.h"
#include "support/red_write.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define PT 111

static uint8_t out[65536]; /* by number: how often it went out */

static bool is_within(const uint8_t *p, size_t len, const uint8_t *data, size_t size)
{
    return p >= data && len <= size && p + len <= data + size;
}

/* What was read is written as it was. */
static void write_back(const struct rtp_red *red, const uint8_t *data, size_t size)
{
    uint8_t buf[2048];
    struct bytes_writer w = bytes_writer(buf, sizeof(buf));
    if (size > sizeof(buf))
        return;
    red_write(&w, red->blocks, red->n_blocks);
    assert(!w.failed && w.len == size && memcmp(buf, data, size) == 0);
}

static void parse_one(const uint8_t *data, size_t size)
{
    struct rtp_red red;
    if (rtp_red_parse(data, size, &red))
        return;
    assert(red.n_blocks > 0 && red.n_blocks <= RTP_RED_MAX_BLOCKS);
    for (unsigned i = 0; i < red.n_blocks; i++)
        assert(is_within(red.blocks[i].data, red.blocks[i].len, data, size));
    write_back(&red, data, size);
}

/* Records: step of the number, step of the timestamp in quarter frames, length, payload. */
static void run_stream(const uint8_t *data, size_t size)
{
    struct bytes_reader in = bytes_reader(data, size);
    struct rtp_red_recovery r;
    struct rtp_red_recovered got;
    uint16_t seq = 65000, newest = seq;
    uint32_t ts = 0xfffff000;

    memset(out, 0, sizeof(out));
    rtp_red_recovery_init(&r, PT);
    for (unsigned i = 0; i < 500; i++) {
        int8_t step = (int8_t)bytes_get8(&in);
        int8_t ticks = (int8_t)bytes_get8(&in);
        size_t len = bytes_get8(&in);
        const uint8_t *payload = bytes_skip(&in, len);
        if (!payload)
            return;
        /* within the window: beyond it a stream begins anew, and so do its numbers */
        if (step < -32 || step >= 32)
            return;
        seq = (uint16_t)(seq + step);
        if (rtp_seq_diff(seq, newest) <= -32)
            return;
        ts += (uint32_t)(ticks * 240);
        struct rtp_red red;
        bool is_red = rtp_red_parse(payload, len, &red) == 0;
        int err = rtp_red_recover(&r, seq, ts, is_red ? &red : NULL, &got);
        assert(err == 0 || err == RTP_E_OLD);
        assert(got.n < RTP_RED_MAX_BLOCKS);
        if (rtp_seq_is_newer(seq, newest))
            newest = seq;
        for (unsigned k = 0; k < got.n; k++) {
            const struct rtp_red_packet *p = &got.packets[k];
            assert(p->len > 0 && is_within(p->data, p->len, payload, len));
            assert(rtp_seq_is_newer(seq, p->seq));
            assert(rtp_ts_is_newer(ts, p->timestamp));
            assert(k == 0 || rtp_seq_is_newer(p->seq, got.packets[k - 1].seq));
            assert(out[p->seq]++ == 0);
        }
        if (err == 0)
            assert(out[seq]++ == 0);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    parse_one(data, size);
    run_stream(data, size);
    return 0;
}
