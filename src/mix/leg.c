/*
 * Packet after packet through libopus, and what is between them.
 *
 * Where nothing was sent the decoder conceals, as it would have in the call: a lost packet is
 * hardly heard, and what goes on not to be sent fades into silence. A packet of one byte, with
 * which recordings fill their gaps (RFC 7845 §4.1), is such a gap.
 */
#include "mix/leg.h"

#include <assert.h>
#include <errno.h>
#include <opus/opus.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"

/* Longest packet: 120 ms. */
#define PACKET_TICKS 5760

/* A piece of a gap, and the decoder's grain for it. */
#define GAP_PIECE 960
#define GAP_GRAIN 120

/* libopus has faded to nothing by then, whatever it was in: to decode on costs time only. */
#define CONCEAL_MAX (PLAY_RATE / 2)

struct mix_leg {
    int fd;                     /* borrowed */
    struct play_reader *reader; /* owned */
    OpusDecoder *decoder;       /* owned */
    struct play_packet packet;  /* the next one; valid when has_packet */
    bool has_packet;
    int result;       /* the reader's last one; 0 = it goes on */
    uint64_t end;     /* of the last packet, as the reader counts */
    uint64_t gap;     /* still to be filled [samples] */
    uint64_t hushed;  /* since something was sent */
    size_t at, until; /* what of pcm was not given out yet */
    float pcm[PACKET_TICKS];
    uint8_t bytes[PLAY_READER_PUSH_MAX];
};

int64_t mix_leg_began(const struct mix_leg *l)
{
    return play_reader_info(l->reader)->began_us;
}

const char *mix_leg_error(const struct mix_leg *l)
{
    return play_reader_error(l->reader);
}

bool mix_leg_is_cut(const struct mix_leg *l)
{
    return play_reader_info(l->reader)->is_cut;
}

void mix_leg_free(struct mix_leg *l)
{
    if (!l)
        return;
    play_reader_free(l->reader);
    mem_free(l->decoder);
    mem_free(l);
}

/* --- file → packets --- */

/* Not again after EINTR: that is the user, who wants it to end. */
static int push_bytes(struct mix_leg *l)
{
    ssize_t n = read(l->fd, l->bytes, sizeof(l->bytes));
    if (n < 0)
        return -errno;
    if (n > 0)
        return play_reader_push(l->reader, l->bytes, (size_t)n);
    play_reader_end(l->reader);
    return 0;
}

/* The next packet, or l->result. @return 0, -ENOMEM, or of read(2) */
static int next_packet(struct mix_leg *l)
{
    int r, err = 0;
    while ((r = play_reader_poll(l->reader, &l->packet)) == PLAY_READER_HUNGRY && !err)
        err = push_bytes(l);
    if (err || r < 0)
        return err ? err : r;
    l->has_packet = r == 0;
    l->result = r;
    return 0;
}

static int make(struct mix_leg *l)
{
    l->reader = play_reader_new(0);
    l->decoder = mem_alloc((size_t)opus_decoder_get_size(1));
    if (!l->reader || !l->decoder)
        return -ENOMEM;
    int err = opus_decoder_init(l->decoder, PLAY_RATE, 1);
    assert(!err);
    err = next_packet(l);
    return err ? err : l->result;
}

int mix_leg_new(int fd, struct mix_leg **ret)
{
    struct mix_leg *l = mem_zalloc(sizeof(*l));
    *ret = NULL;
    if (!l)
        return -ENOMEM;
    l->fd = fd;
    int err = make(l);
    if (err == -ENOMEM)
        mix_leg_free(l);
    else
        *ret = l;
    return err;
}

/* --- packets → sound --- */

static void fill_gap(struct mix_leg *l)
{
    size_t n = l->gap < GAP_PIECE ? (size_t)l->gap : GAP_PIECE;
    bool is_concealed = l->hushed < CONCEAL_MAX && n >= GAP_GRAIN;
    if (is_concealed) {
        n -= n % GAP_GRAIN;
        int made = opus_decode_float(l->decoder, NULL, 0, l->pcm, (int)n, 0);
        assert(made == (int)n);
    } else {
        memset(l->pcm, 0, n * sizeof(l->pcm[0]));
    }
    l->hushed += n;
    l->gap -= n;
    l->at = 0;
    l->until = n;
}

static void begin_part(struct mix_leg *l)
{
    (void)opus_decoder_ctl(l->decoder, OPUS_RESET_STATE);
    (void)opus_decoder_ctl(l->decoder, OPUS_SET_GAIN(play_reader_info(l->reader)->gain_q8));
    l->hushed = CONCEAL_MAX; /* nothing to go on with */
}

static void decode(struct mix_leg *l)
{
    const struct play_packet *p = &l->packet;
    uint32_t heard = p->duration - p->skip - p->trim;
    int n = 0;
    l->has_packet = false;
    l->end = p->position + p->duration;
    if (p->is_first)
        begin_part(l);
    if (p->len > 1)
        n = opus_decode_float(l->decoder, p->data, (opus_int32)p->len, l->pcm, PACKET_TICKS, 0);
    if (n != (int)p->duration) { /* nothing in it, or broken */
        l->gap = heard;
        return;
    }
    l->hushed = 0;
    l->at = p->skip;
    l->until = p->skip + heard;
}

/* Something to give out, when there is. @return 0, -ENOMEM, or of read(2) */
static int refill(struct mix_leg *l)
{
    while (l->at == l->until && (l->gap || !l->result)) {
        if (l->gap) {
            fill_gap(l);
        } else if (!l->has_packet) {
            int err = next_packet(l);
            if (err)
                return err;
        } else if (l->packet.position > l->end) {
            l->gap = l->packet.position - l->end;
            l->end = l->packet.position;
        } else {
            decode(l);
        }
    }
    return 0;
}

int mix_leg_read(struct mix_leg *l, float *ret, size_t n, size_t *ret_n)
{
    size_t done = 0;
    while (done < n) {
        int err = refill(l);
        if (err)
            return err;
        size_t there = l->until - l->at;
        if (there == 0)
            break;
        if (there > n - done)
            there = n - done;
        memcpy(ret + done, l->pcm + l->at, there * sizeof(*ret));
        l->at += there;
        done += there;
    }
    *ret_n = done;
    return 0;
}
