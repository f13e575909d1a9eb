/* Source → reader → feed: see the header. */
#include "play/reading.h"

#include <errno.h>

_Static_assert(PLAY_RATE == PACKET_FEED_RATE, "positions are passed on as they are");

void play_reading_init(struct play_reading *r, struct packet_feed *feed, int64_t from,
                       struct play_source *source, bool is_file)
{
    r->feed = feed;
    r->source = source;
    r->is_file = is_file;
    r->end = from;
    r->state = PLAY_READING_READS;
    r->reader = source ? play_reader_new(feed ? (uint64_t)from : UINT64_MAX) : NULL;
    if (source && !r->reader)
        (void)play_source_fail_errno(&r->error, -ENOMEM);
}

void play_reading_deinit(struct play_reading *r)
{
    play_source_close(r->source);
    play_reader_free(r->reader);
    r->source = NULL;
    r->reader = NULL;
}

/* Nothing more is read. */
static void finish(struct play_reading *r, bool ends_feed)
{
    play_reading_deinit(r);
    r->state = r->feed && ends_feed ? PLAY_READING_ENDS : PLAY_READING_OVER;
}

static enum play_reading_result fail(struct play_reading *r)
{
    finish(r, r->has_begun);
    return PLAY_READING_FAILED;
}

static enum play_reading_result fail_with(struct play_reading *r, enum play_trouble trouble,
                                          const char *text)
{
    (void)play_source_fail(&r->error, trouble, "%s", text);
    return fail(r);
}

static enum play_reading_result succeed(struct play_reading *r)
{
    const struct play_info *info = play_reader_info(r->reader);
    r->is_cut = info->is_cut;
    if (!r->feed)
        r->end = (int64_t)info->duration;
    finish(r, true);
    return r->feed ? PLAY_READING_BUSY : PLAY_READING_MEASURED;
}

/* The reader has no more packets. */
static enum play_reading_result end_reading(struct play_reading *r, int result)
{
    if (r->is_broken)
        return fail(r);
    switch (result) {
    case PLAY_READER_OVER:
        return succeed(r);
    case PLAY_READER_E_UNSUPPORTED:
        return fail_with(r, PLAY_T_NOT_MEDIA, play_reader_error(r->reader));
    case PLAY_READER_E_BROKEN:
        return fail_with(r, r->has_begun ? PLAY_T_UNREADABLE : PLAY_T_NOT_MEDIA,
                         play_reader_error(r->reader));
    default:
        return fail_with(r, PLAY_T_NO_MEMORY, "out of memory");
    }
}

static enum play_reading_result feed_reader(struct play_reading *r)
{
    uint8_t buf[PLAY_READER_PUSH_MAX];
    ssize_t n = r->source->ops->read(r->source, buf, sizeof(buf), &r->error);
    if (n == PLAY_SOURCE_WAIT)
        return PLAY_READING_IDLE;
    if (n <= 0) { /* what is in the reader is good in any case */
        r->is_broken = n < 0;
        play_reader_end(r->reader);
        return PLAY_READING_BUSY;
    }
    r->barren += (size_t)n;
    if (!r->is_file && r->barren > PLAY_READING_MAX_BARREN)
        return fail_with(r, PLAY_T_NOT_MEDIA, "nothing comes that could be heard");
    if (play_reader_push(r->reader, buf, (size_t)n))
        return fail_with(r, PLAY_T_NO_MEMORY, "out of memory");
    return PLAY_READING_BUSY;
}

/* @return false = its time is nonsense */
static bool put_packet(struct play_reading *r, const struct play_packet *packet)
{
    if (packet->position >= (uint64_t)PACKET_FEED_MAX_POSITION - packet->duration)
        return false;
    const struct packet_feed_frame frame = {
        .position = (int64_t)packet->position,
        .duration = packet->duration,
        .data = packet->data,
        .len = packet->len,
    };
    r->has_begun = true;
    r->barren = 0;
    r->end = frame.position + packet->duration - packet->trim;
    if (packet->len > PACKET_FEED_MAX_FRAME)
        r->n_long++;
    else
        packet_feed_push(r->feed, &frame);
    return true;
}

static bool has_room(const struct play_reading *r)
{
    return !r->feed || packet_feed_has_room(r->feed);
}

static enum play_reading_result read_some(struct play_reading *r)
{
    struct play_packet packet;
    while (has_room(r)) {
        int result = play_reader_poll(r->reader, &packet);
        if (result == PLAY_READER_HUNGRY)
            return feed_reader(r);
        if (result)
            return end_reading(r, result);
        if (!put_packet(r, &packet))
            return fail_with(r, PLAY_T_UNREADABLE, "its times are beyond all reason");
    }
    return PLAY_READING_IDLE;
}

enum play_reading_result play_reading_step(struct play_reading *r)
{
    switch (r->state) {
    case PLAY_READING_READS:
        return r->reader ? read_some(r) : fail(r);
    case PLAY_READING_ENDS:
        if (has_room(r)) {
            packet_feed_end(r->feed, r->end);
            r->state = PLAY_READING_OVER;
        }
        break;
    case PLAY_READING_OVER:
        break;
    }
    return PLAY_READING_IDLE;
}
