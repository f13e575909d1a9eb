/* Timeline and container, one after the other: see the header. */
#include "record/track.h"

#include <unistd.h>

#include "rtp/packet.h"

int record_track_open(struct record_track *t, mono_us now, int fd, enum record_format format,
                      uint32_t serial, int64_t began_us)
{
    t->fd = fd;
    t->put_at = MONO_NEVER;
    record_timeline_init(&t->timeline);
    record_timeline_start(&t->timeline, now);
    return record_container_begin(&t->container, format, fd, serial, began_us);
}

void record_track_close(struct record_track *t)
{
    record_container_deinit(&t->container);
    record_timeline_deinit(&t->timeline);
    (void)close(t->fd);
}

/* From the timeline into the file. */
static int put_pieces(struct record_track *t, mono_us now)
{
    struct record_piece piece;
    while (record_timeline_poll(&t->timeline, now, &piece)) {
        int err = record_container_put(&t->container, &piece);
        if (err)
            return err;
        t->put_at = now;
    }
    return 0;
}

int record_track_take(struct record_track *t, mono_us at, const uint8_t *data, size_t len)
{
    struct rtp_packet p;
    if (rtp_parse(data, len, &p))
        return 0; /* who pushed it has parsed it: nothing to count */
    int err = record_timeline_push(&t->timeline, at, p.seq, p.timestamp, data + p.header_len,
                                   p.payload_len);
    return err ? err : put_pieces(t, at);
}

static int flush(struct record_track *t)
{
    t->put_at = MONO_NEVER;
    return record_container_flush(&t->container);
}

int record_track_work(struct record_track *t, mono_us now)
{
    int err = put_pieces(t, now);
    if (!err && t->put_at != MONO_NEVER && now - t->put_at >= RECORD_FLUSH_AFTER)
        err = flush(t);
    return err;
}

/* Everything up to a moment is in the container. */
static int catch_up(struct record_track *t, mono_us until)
{
    record_timeline_stop(&t->timeline, until);
    return put_pieces(t, until);
}

int record_track_pause(struct record_track *t, mono_us now)
{
    int err = catch_up(t, now);
    return err ? err : flush(t);
}

void record_track_resume(struct record_track *t, mono_us now)
{
    if (!record_timeline_is_running(&t->timeline))
        record_timeline_start(&t->timeline, now);
}

int record_track_end(struct record_track *t, mono_us now)
{
    int err = catch_up(t, now);
    return err ? err : record_container_end(&t->container);
}
