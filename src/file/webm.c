/*
 * EBML by hand (RFC 8794): an element is an id, a length, a content.
 *
 *     EBML head
 *     Segment            length unknown until the end
 *       SeekHead         a Void of its size until the end: where the Cues are
 *       Info             Duration is a Void until the end
 *       Tracks           one, A_OPUS
 *       Cluster …        a second each; SimpleBlocks
 *       Cues             at the end, one for ten seconds
 *
 * Times are milliseconds from the beginning, rounded: a block stands at most half of one aside, and
 * the error does not grow. Positions count from the Segment's content.
 */
#include "file/webm.h"

#include <errno.h>
#include <string.h>

#include "base/bytes.h"
#include "base/mem.h"
#include "base/time.h"
#include "file/date.h"
#include "file/opus.h"
#include "file/output.h"

/* RFC 9559 §5.1; the leading bits of an id tell its length. */
enum id {
    EBML = 0x1a45dfa3,
    EBML_VERSION = 0x4286,
    EBML_READ_VERSION = 0x42f7,
    EBML_MAX_ID_LENGTH = 0x42f2,
    EBML_MAX_SIZE_LENGTH = 0x42f3,
    DOC_TYPE = 0x4282,
    DOC_TYPE_VERSION = 0x4287,
    DOC_TYPE_READ_VERSION = 0x4285,
    VOID = 0xec,
    SEGMENT = 0x18538067,
    SEEK_HEAD = 0x114d9b74,
    SEEK = 0x4dbb,
    SEEK_ID = 0x53ab,
    SEEK_POSITION = 0x53ac,
    INFO = 0x1549a966,
    TIMESTAMP_SCALE = 0x2ad7b1,
    DURATION = 0x4489,
    DATE_UTC = 0x4461,
    MUXING_APP = 0x4d80,
    WRITING_APP = 0x5741,
    TRACKS = 0x1654ae6b,
    TRACK_ENTRY = 0xae,
    TRACK_NUMBER = 0xd7,
    TRACK_UID = 0x73c5,
    TRACK_TYPE = 0x83,
    FLAG_LACING = 0x9c,
    CODEC_ID = 0x86,
    CODEC_PRIVATE = 0x63a2,
    CODEC_DELAY = 0x56aa,
    SEEK_PRE_ROLL = 0x56bb,
    AUDIO = 0xe1,
    SAMPLING_FREQUENCY = 0xb5,
    CHANNELS = 0x9f,
    CLUSTER = 0x1f43b675,
    TIMESTAMP = 0xe7,
    SIMPLE_BLOCK = 0xa3,
    CUES = 0x1c53bb6b,
    CUE_POINT = 0xbb,
    CUE_TIME = 0xb3,
    CUE_TRACK_POSITIONS = 0xb7,
    CUE_TRACK = 0xf7,
    CUE_CLUSTER_POSITION = 0xf1,
};

#define TRACK        1
#define TRACK_AUDIO  2
#define KEYFRAME     0x80
#define TICKS_PER_MS (FILE_OPUS_RATE / 1000)

/* A cluster so often: what a crash takes away. Its blocks count in 16 bits, 32 s at most. */
#define CLUSTER_MS 1000

/* A cue so often: to wind there means to read so much at most. */
#define CUE_MS 10000

/* Players take it off the blocks' times. */
#define CODEC_DELAY_NS (FILE_OPUS_PRE_SKIP * UINT64_C(1000000) / TICKS_PER_MS)

/* What a decoder of Opus needs to converge: RFC 7845 §4.6, "at least 80 ms" [ns]. */
#define PRE_ROLL_NS 80000000

/* Length that is not known; the same eight bytes take the real one at the end. */
#define SIZE_UNKNOWN 0x01ffffffffffffffU
#define SIZE_8_BYTES 0x0100000000000000U

/* An unsigned number or a double, with its id of two bytes: a placeholder's size, too. */
#define NUMBER_LEN 11

/* SeekHead with one Seek. */
#define SEEK_HEAD_LEN (12 + 10 + 7 + NUMBER_LEN)

/* Where what is patched stands: all before it has a fixed size. */
#define EBML_HEAD_LEN    (12 + 6 * NUMBER_LEN + 7)
#define SEGMENT_SIZE_AT  (EBML_HEAD_LEN + 4)
#define SEGMENT_AT       (EBML_HEAD_LEN + 12)
#define SEEK_HEAD_AT     SEGMENT_AT
#define DURATION_AT      (SEEK_HEAD_AT + SEEK_HEAD_LEN + 12)
#define CLUSTER_HEAD_LEN (12 + 10)
#define BLOCK_HEAD_LEN   9
#define CUE_POINT_LEN    (9 + 10 + 9 + 10 + 10)

struct file_webm_cue {
    uint64_t at;       /* ms */
    uint64_t position; /* of the cluster, in the segment */
};

/* --- elements --- */

static void put_id(struct bytes_writer *w, enum id id)
{
    for (int shift = 24; shift >= 0; shift -= 8) {
        if ((uint32_t)id >> shift)
            bytes_put8(w, (uint8_t)((uint32_t)id >> shift));
    }
}

/* An element that holds others; its length is told at the end. */
static size_t open_master(struct bytes_writer *w, enum id id)
{
    put_id(w, id);
    bytes_put64(w, SIZE_UNKNOWN);
    return w->len;
}

static void close_master(struct bytes_writer *w, size_t content)
{
    if (!w->failed)
        put_be64(w->start + content - 8, SIZE_8_BYTES | (w->len - content));
}

static void put_number(struct bytes_writer *w, enum id id, uint64_t value)
{
    put_id(w, id);
    bytes_put8(w, 0x88);
    bytes_put64(w, value);
}

static void put_double(struct bytes_writer *w, enum id id, double value)
{
    uint64_t bits;
    memcpy(&bits, &value, sizeof(bits));
    put_number(w, id, bits);
}

/* At most 126 bytes. */
static void put_bytes(struct bytes_writer *w, enum id id, const void *data, size_t len)
{
    put_id(w, id);
    bytes_put8(w, (uint8_t)(0x80 | len));
    bytes_put(w, data, len);
}

static void put_text(struct bytes_writer *w, enum id id, const char *text)
{
    put_bytes(w, id, text, strlen(text));
}

/* Room for something of that size in all. */
static void put_void(struct bytes_writer *w, size_t len)
{
    static const uint8_t zeros[64];
    put_bytes(w, VOID, zeros, len - 2);
}

/* --- head --- */

static void put_ebml_head(struct bytes_writer *w)
{
    size_t head = open_master(w, EBML);
    put_number(w, EBML_VERSION, 1);
    put_number(w, EBML_READ_VERSION, 1);
    put_number(w, EBML_MAX_ID_LENGTH, 4);
    put_number(w, EBML_MAX_SIZE_LENGTH, 8);
    put_text(w, DOC_TYPE, "webm");
    put_number(w, DOC_TYPE_VERSION, 4);
    put_number(w, DOC_TYPE_READ_VERSION, 2);
    close_master(w, head);
}

static void put_info(struct bytes_writer *w, int64_t began_us)
{
    size_t info = open_master(w, INFO);
    put_void(w, NUMBER_LEN);
    put_number(w, TIMESTAMP_SCALE, 1000000);
    if (began_us)
        put_number(w, DATE_UTC, (uint64_t)(began_us - FILE_DATE_2001 * US_PER_S) * 1000);
    put_text(w, MUXING_APP, "Duet");
    put_text(w, WRITING_APP, "Duet");
    close_master(w, info);
}

static void put_track(struct bytes_writer *w)
{
    uint8_t head[FILE_OPUS_HEAD_LEN];
    file_opus_head(head);
    put_number(w, TRACK_NUMBER, TRACK);
    put_number(w, TRACK_UID, TRACK);
    put_number(w, TRACK_TYPE, TRACK_AUDIO);
    put_number(w, FLAG_LACING, 0);
    put_text(w, CODEC_ID, "A_OPUS");
    put_bytes(w, CODEC_PRIVATE, head, sizeof(head));
    put_number(w, CODEC_DELAY, CODEC_DELAY_NS);
    put_number(w, SEEK_PRE_ROLL, PRE_ROLL_NS);
    size_t audio = open_master(w, AUDIO);
    put_double(w, SAMPLING_FREQUENCY, FILE_OPUS_RATE);
    put_number(w, CHANNELS, 2);
    close_master(w, audio);
}

static void put_tracks(struct bytes_writer *w)
{
    size_t tracks = open_master(w, TRACKS);
    size_t entry = open_master(w, TRACK_ENTRY);
    put_track(w);
    close_master(w, entry);
    close_master(w, tracks);
}

static int append(struct file_webm *w, const void *data, size_t len)
{
    int err = file_output_append(w->fd, data, len);
    if (!err)
        w->written += len;
    return err;
}

int file_webm_begin(struct file_webm *w, int fd, int64_t began_us)
{
    uint8_t buf[512];
    struct bytes_writer out = bytes_writer(buf, sizeof(buf));
    w->fd = fd;
    put_ebml_head(&out);
    (void)open_master(&out, SEGMENT); /* stays open */
    put_void(&out, SEEK_HEAD_LEN);
    put_info(&out, began_us);
    put_tracks(&out);
    return append(w, buf, out.len);
}

/* --- clusters --- */

static int note_cue(struct file_webm *w)
{
    if (w->n_cues && w->cluster_at < w->cues[w->n_cues - 1].at + CUE_MS)
        return 0;
    if (w->n_cues == w->cap_cues) {
        size_t cap = w->cap_cues ? 2 * w->cap_cues : 64;
        struct file_webm_cue *more = mem_realloc(w->cues, cap * sizeof(*more));
        if (!more)
            return -ENOMEM;
        w->cues = more;
        w->cap_cues = cap;
    }
    w->cues[w->n_cues++] = (struct file_webm_cue){w->cluster_at, w->written - SEGMENT_AT};
    return 0;
}

int file_webm_flush(struct file_webm *w)
{
    if (w->len == 0)
        return 0;
    int err = note_cue(w);
    if (err)
        return err;
    /* the head's place was left when the cluster was opened: one write, whole or not at all */
    struct bytes_writer head = bytes_writer(w->cluster, CLUSTER_HEAD_LEN);
    (void)open_master(&head, CLUSTER);
    put_number(&head, TIMESTAMP, w->cluster_at);
    put_be64(w->cluster + 4, SIZE_8_BYTES | (w->len - 12));
    err = append(w, w->cluster, w->len);
    w->len = 0;
    return err;
}

static int make_room(struct file_webm *w, size_t len)
{
    if (w->len + len <= w->cap)
        return 0;
    size_t cap = 2 * (w->len + len);
    uint8_t *bigger = mem_realloc(w->cluster, cap);
    if (!bigger)
        return -ENOMEM;
    w->cluster = bigger;
    w->cap = cap;
    return 0;
}

static void put_block(struct file_webm *w, uint64_t at, const uint8_t *data, size_t len)
{
    struct bytes_writer out = bytes_writer(w->cluster + w->len, w->cap - w->len);
    put_id(&out, SIMPLE_BLOCK);
    bytes_put32(&out, (uint32_t)(0x10000000U | (len + 4))); /* a length of four bytes */
    bytes_put8(&out, 0x80 | TRACK);
    bytes_put16(&out, (uint16_t)(at - w->cluster_at));
    bytes_put8(&out, KEYFRAME);
    bytes_put(&out, data, len);
    w->len += out.len;
}

int file_webm_put(struct file_webm *w, const uint8_t *data, size_t len, uint32_t duration)
{
    uint64_t at = (w->end + TICKS_PER_MS / 2) / TICKS_PER_MS;
    int err = 0;
    if (w->len && at - w->cluster_at >= CLUSTER_MS)
        err = file_webm_flush(w);
    if (!err)
        err = make_room(w, CLUSTER_HEAD_LEN + BLOCK_HEAD_LEN + len);
    if (err)
        return err;
    if (w->len == 0) {
        w->cluster_at = at;
        w->len = CLUSTER_HEAD_LEN;
    }
    put_block(w, at, data, len);
    w->end += duration;
    return 0;
}

/* --- end --- */

static int append_cues(struct file_webm *w)
{
    size_t cap = 12 + w->n_cues * CUE_POINT_LEN;
    uint8_t *buf = mem_alloc(cap);
    if (!buf)
        return -ENOMEM;
    struct bytes_writer out = bytes_writer(buf, cap);
    size_t cues = open_master(&out, CUES);
    for (size_t i = 0; i < w->n_cues; i++) {
        size_t point = open_master(&out, CUE_POINT);
        put_number(&out, CUE_TIME, w->cues[i].at);
        size_t positions = open_master(&out, CUE_TRACK_POSITIONS);
        put_number(&out, CUE_TRACK, TRACK);
        put_number(&out, CUE_CLUSTER_POSITION, w->cues[i].position);
        close_master(&out, positions);
        close_master(&out, point);
    }
    close_master(&out, cues);
    int err = append(w, buf, out.len);
    mem_free(buf);
    return err;
}

static int patch_seek_head(const struct file_webm *w, uint64_t cues_at)
{
    static const uint8_t cues_id[] = {0x1c, 0x53, 0xbb, 0x6b};
    uint8_t buf[SEEK_HEAD_LEN];
    struct bytes_writer out = bytes_writer(buf, sizeof(buf));
    size_t head = open_master(&out, SEEK_HEAD);
    size_t seek = open_master(&out, SEEK);
    put_bytes(&out, SEEK_ID, cues_id, sizeof(cues_id));
    put_number(&out, SEEK_POSITION, cues_at);
    close_master(&out, seek);
    close_master(&out, head);
    return file_output_patch(w->fd, SEEK_HEAD_AT, buf, out.len);
}

static int patch_duration(const struct file_webm *w, uint64_t total)
{
    uint8_t buf[NUMBER_LEN];
    struct bytes_writer out = bytes_writer(buf, sizeof(buf));
    put_double(&out, DURATION, (double)total / TICKS_PER_MS);
    return file_output_patch(w->fd, DURATION_AT, buf, out.len);
}

static int patch_size(const struct file_webm *w)
{
    uint8_t buf[8];
    put_be64(buf, SIZE_8_BYTES | (w->written - SEGMENT_AT));
    return file_output_patch(w->fd, SEGMENT_SIZE_AT, buf, sizeof(buf));
}

int file_webm_end(struct file_webm *w, uint64_t total)
{
    int err = file_webm_flush(w);
    uint64_t cues_at = w->written - SEGMENT_AT;
    if (!err && w->n_cues) {
        err = append_cues(w);
        if (!err)
            err = patch_seek_head(w, cues_at);
    }
    if (!err)
        err = patch_duration(w, total);
    return err ? err : patch_size(w);
}

void file_webm_deinit(struct file_webm *w)
{
    mem_free(w->cluster);
    mem_free(w->cues);
    w->cluster = NULL;
    w->cues = NULL;
}
