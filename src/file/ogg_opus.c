/*
 * libogg makes the pages; here is when they go out, and where they stand. The newest packet waits
 * for its successor: only the last one may say that it is (RFC 3533 §4, "end of stream"), and its
 * position may be less than all packets make together (RFC 7845 §4.4, end trimming).
 */
#include "file/ogg_opus.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#include "base/bytes.h"
#include "base/mem.h"
#include "file/date.h"
#include "file/opus.h"
#include "file/output.h"

/* A page at least so often: what a crash takes away [ticks]. */
#define PAGE_TICKS FILE_OPUS_RATE

/* RFC 7845 §5.2: magic, vendor string, number of comments; lengths are little endian. */
static const uint8_t tags_head[] = {'O', 'p', 'u', 's', 'T', 'a', 'g', 's',
                                    4,   0,   0,   0,   'D', 'u', 'e', 't'};

static int write_pages(struct file_ogg_opus *o)
{
    ogg_page page;
    while (ogg_stream_flush(&o->stream, &page)) {
        int err = file_output_append(o->fd, page.header, (size_t)page.header_len);
        if (!err)
            err = file_output_append(o->fd, page.body, (size_t)page.body_len);
        if (err)
            return err;
    }
    return 0;
}

static int submit(struct file_ogg_opus *o, uint8_t *data, size_t len, uint64_t position,
                  bool is_last)
{
    ogg_packet packet = {
        .packet = data,
        .bytes = (long)len,
        .b_o_s = o->n_packets == 0,
        .e_o_s = is_last,
        .granulepos = (ogg_int64_t)position,
        .packetno = o->n_packets,
    };
    o->n_packets++;
    return ogg_stream_packetin(&o->stream, &packet) ? -ENOMEM : 0;
}

/* RFC 7845 §3: each header on a page of its own, with position 0. */
static int put_header(struct file_ogg_opus *o, uint8_t *data, size_t len)
{
    int err = submit(o, data, len, 0, false);
    return err ? err : write_pages(o);
}

static int put_tags(struct file_ogg_opus *o, int64_t began_us)
{
    uint8_t buf[sizeof(tags_head) + 8 + sizeof(FILE_DATE_KEY) + FILE_DATE_MAX];
    char date[FILE_DATE_MAX];
    struct bytes_writer w = bytes_writer(buf, sizeof(buf));
    bytes_put(&w, tags_head, sizeof(tags_head));
    bytes_put32(&w, began_us ? 0x01000000 : 0);
    if (began_us) {
        file_date_write(began_us, date);
        bytes_put32(&w, __builtin_bswap32((uint32_t)(strlen(FILE_DATE_KEY) + strlen(date))));
        bytes_put(&w, FILE_DATE_KEY, strlen(FILE_DATE_KEY));
        bytes_put(&w, date, strlen(date));
    }
    return put_header(o, buf, w.len);
}

int file_ogg_opus_begin(struct file_ogg_opus *o, int fd, uint32_t serial, int64_t began_us)
{
    uint8_t head[FILE_OPUS_HEAD_LEN];
    o->fd = fd;
    if (ogg_stream_init(&o->stream, (int)serial))
        return -ENOMEM;
    file_opus_head(head);
    int err = put_header(o, head, sizeof(head));
    return err ? err : put_tags(o, began_us);
}

static int keep(struct file_ogg_opus *o, const uint8_t *data, size_t len)
{
    if (len > o->cap) {
        uint8_t *bigger = mem_realloc(o->waiting, len);
        if (!bigger)
            return -ENOMEM;
        o->waiting = bigger;
        o->cap = len;
    }
    memcpy(o->waiting, data, len);
    o->len = len;
    o->has_waiting = true;
    return 0;
}

int file_ogg_opus_put(struct file_ogg_opus *o, const uint8_t *data, size_t len, uint32_t duration)
{
    int err = 0;
    if (o->has_waiting) {
        err = submit(o, o->waiting, o->len, o->end, false);
        if (!err && o->end - o->paged >= PAGE_TICKS)
            err = file_ogg_opus_flush(o);
    }
    if (!err)
        err = keep(o, data, len);
    if (!err)
        o->end += duration;
    return err;
}

int file_ogg_opus_flush(struct file_ogg_opus *o)
{
    o->paged = o->end;
    return write_pages(o);
}

int file_ogg_opus_end(struct file_ogg_opus *o, uint64_t total)
{
    assert(o->has_waiting && total <= o->end);
    int err = submit(o, o->waiting, o->len, total, true);
    return err ? err : write_pages(o);
}

void file_ogg_opus_deinit(struct file_ogg_opus *o)
{
    (void)ogg_stream_clear(&o->stream);
    mem_free(o->waiting);
    o->waiting = NULL;
}
