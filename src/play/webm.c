/*
 * Opus in WebM and Matroska (RFC 9559), a tree of elements (play/ebml.h).
 *
 *     EBML
 *     Segment                  its content is walked through, and that of Tracks and Clusters:
 *       Info                   how long they are need not be known
 *       Tracks
 *         TrackEntry …         the first of Opus is ours
 *       Cluster …              Timestamp, then SimpleBlocks and BlockGroups: packets
 *       Cues, Tags, …          gone over
 *
 * Everything else that matters is small, and waited for until it is there as a whole. Times of
 * blocks are rounded, mostly to milliseconds, and browsers put down when they got the sound and not
 * where it belongs: packets follow one another unless a block says that there is a real hole.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "base/mem.h"
#include "base/time.h"
#include "file/date.h"
#include "file/opus.h"
#include "play/ebml.h"
#include "play/format.h"
#include "play/opus_head.h"

/* RFC 9559 §5.1; the leading bits of an id tell its length. */
enum id {
    EBML = 0x1a45dfa3,
    DOC_TYPE = 0x4282,
    SEGMENT = 0x18538067,
    INFO = 0x1549a966,
    TIMESTAMP_SCALE = 0x2ad7b1,
    DURATION = 0x4489,
    DATE_UTC = 0x4461,
    MUXING_APP = 0x4d80,
    TRACKS = 0x1654ae6b,
    TRACK_ENTRY = 0xae,
    TRACK_NUMBER = 0xd7,
    CODEC_ID = 0x86,
    CODEC_PRIVATE = 0x63a2,
    CONTENT_ENCODINGS = 0x6d80,
    CONTENT_ENCODING_TYPE = 0x5033,
    AUDIO = 0xe1,
    CHANNELS = 0x9f,
    CLUSTER = 0x1f43b675,
    TIMESTAMP = 0xe7,
    SIMPLE_BLOCK = 0xa3,
    BLOCK_GROUP = 0xa0,
    BLOCK = 0xa1,
    DISCARD_PADDING = 0x75a2,
};

/* RFC 9559 §5.1.2.5: "1000000 (i.e., timestamps in milliseconds)" when it is not told [ns]. */
#define DEFAULT_SCALE 1000000

/* RFC 9559 §10.3: one byte says how many frames there are but one. */
#define MAX_FRAMES 256

/* Half of a usual packet. A block so little behind its predecessor's end follows it. */
#define SLACK (PLAY_RATE / 100)

struct webm {
    uint64_t scale; /* of a timestamp [ns] */
    uint64_t track; /* ours */
    bool has_track;
    bool is_first;
    bool is_ours;        /* Duet wrote it, which tells a length when it ends a file */
    uint32_t skip;       /* still to be left out of the beginning */
    uint64_t cluster;    /* its Timestamp */
    char codecs[80];     /* of other tracks, for the error */
    uint64_t segment_to; /* where it ends in the file; PLAY_EBML_UNKNOWN = not told */

    /* the block whose frames are given out: the input's next `block_len` bytes */
    size_t block_len;
    size_t frame_at; /* of the next frame, in the block */
    size_t frames[MAX_FRAMES];
    unsigned n_frames, given_out;
    uint64_t at;      /* position of the next frame */
    uint64_t discard; /* of the end of the last frame [ticks] */
};

static bool webm_is(const uint8_t *head)
{
    return get_be32(head) == EBML;
}

static void *webm_new(void)
{
    return mem_zalloc(sizeof(struct webm));
}

static void webm_free(void *format)
{
    mem_free(format);
}

/* --- times --- */

/* [ns] of a number of timestamps in ticks; what no file can mean is cut off. */
static int64_t ticks(double ns)
{
    static const double most = 1e15;
    double t = ns * PLAY_RATE / 1e9;
    if (!(t > -most))
        return (int64_t)-most;
    return (int64_t)(t < most ? t + (t < 0 ? -0.5 : 0.5) : most);
}

/* --- head --- */

static int on_ebml(struct webm *w, struct play_file *file, struct bytes_reader in)
{
    struct bytes_reader child;
    uint32_t id;
    while (play_ebml_child(&in, &id, &child)) {
        struct str type = play_ebml_text(&child);
        if (id == DOC_TYPE && !str_eq(type, STR("webm")) && !str_eq(type, STR("matroska")))
            return play_fail(file, PLAY_READER_E_UNSUPPORTED,
                             "it is EBML, but neither WebM nor Matroska");
    }
    /* a second one: two files, one behind the other */
    *w = (struct webm){.scale = DEFAULT_SCALE, .is_first = true, .segment_to = PLAY_EBML_UNKNOWN};
    file->slack = SLACK;
    file->info.format = PLAY_WEBM;
    return 0;
}

static int on_info(struct webm *w, struct play_file *file, struct bytes_reader in)
{
    struct bytes_reader child;
    uint32_t id;
    double duration = 0;
    int64_t date = 0;
    while (play_ebml_child(&in, &id, &child)) {
        if (id == TIMESTAMP_SCALE)
            w->scale = play_ebml_number(&child, child.left);
        else if (id == DURATION)
            duration = play_ebml_float(&child);
        else if (id == MUXING_APP)
            w->is_ours = str_eq(play_ebml_text(&child), STR("Duet"));
        else if (id == DATE_UTC)
            date = play_ebml_signed(&child, child.left) / 1000 + FILE_DATE_2001 * US_PER_S;
    }
    if (date > 0 && !file->info.began_us)
        file->info.began_us = date;
    if (duration > 0)
        file->info.duration = (uint64_t)ticks(duration * (double)w->scale);
    return 0;
}

struct track {
    uint64_t number, channels;
    struct str codec;
    struct bytes_reader private;
    bool is_encoded, is_encrypted;
};

static void read_audio(struct track *t, struct bytes_reader in)
{
    struct bytes_reader child;
    uint32_t id;
    while (play_ebml_child(&in, &id, &child))
        if (id == CHANNELS)
            t->channels = play_ebml_number(&child, child.left);
}

static void read_encodings(struct track *t, struct bytes_reader in)
{
    struct bytes_reader encoding, child;
    uint32_t id;
    t->is_encoded = true;
    while (play_ebml_child(&in, &id, &encoding))
        while (play_ebml_child(&encoding, &id, &child))
            if (id == CONTENT_ENCODING_TYPE)
                t->is_encrypted |= play_ebml_number(&child, child.left) == 1;
}

static void read_track(struct track *t, struct bytes_reader in)
{
    struct bytes_reader child;
    uint32_t id;
    while (play_ebml_child(&in, &id, &child)) {
        if (id == TRACK_NUMBER)
            t->number = play_ebml_number(&child, child.left);
        else if (id == CODEC_ID)
            t->codec = play_ebml_text(&child);
        else if (id == CODEC_PRIVATE)
            t->private = child;
        else if (id == AUDIO)
            read_audio(t, child);
        else if (id == CONTENT_ENCODINGS)
            read_encodings(t, child);
    }
}

/* Only what can be shown to people. */
static void note_codec(struct webm *w, struct str codec)
{
    char *end = w->codecs + strlen(w->codecs);
    size_t room = sizeof(w->codecs) - (size_t)(end - w->codecs);
    for (size_t i = 0; i < codec.len; i++)
        if (codec.p[i] <= ' ' || codec.p[i] > '~')
            return;
    (void)snprintf(end, room, "%s%.*s", end > w->codecs ? ", " : "", STR_FMT(codec));
}

static int on_track(struct webm *w, struct play_file *file, struct bytes_reader in)
{
    struct track t = {.channels = 1};
    read_track(&t, in);
    if (!str_eq(t.codec, STR("A_OPUS"))) {
        note_codec(w, t.codec);
        return 0;
    }
    if (w->has_track)
        return 0;
    if (t.is_encoded)
        return play_fail(file, PLAY_READER_E_UNSUPPORTED,
                         t.is_encrypted ? "its Opus is encrypted"
                                        : "its Opus is compressed once more by Matroska");
    file->info.channels = t.channels == 2 ? 2 : 1;
    int err = t.private.left ? play_opus_head_parse(file, t.private.p, t.private.left) : 0;
    w->track = t.number;
    w->has_track = err == 0;
    w->skip = file->info.pre_skip;
    return err;
}

static int on_cluster(const struct webm *w, struct play_file *file)
{
    if (w->has_track)
        return 0;
    return play_fail(file, PLAY_READER_E_UNSUPPORTED, "no Opus in it: %s",
                     w->codecs[0] ? w->codecs : "no track at all");
}

/* --- blocks --- */

/* Sizes of all frames but the last, which has the rest. RFC 9559 §10.3. */
static void read_xiph(struct webm *w, struct bytes_reader *in)
{
    for (unsigned i = 0; i + 1 < w->n_frames; i++) {
        uint8_t part = 255;
        while (part == 255 && !in->failed)
            w->frames[i] += part = bytes_get8(in);
    }
}

static void read_ebml(struct webm *w, struct bytes_reader *in)
{
    int64_t size = 0;
    for (unsigned i = 0; i + 1 < w->n_frames; i++) {
        const unsigned len = in->left ? play_ebml_vint_len(in->p[0]) : 0;
        int64_t value = (int64_t)play_ebml_vint(in);
        if (i)
            value -= (INT64_C(1) << (7 * len - (len > 0))) - 1; /* "signed": half of the range */
        size += value;
        if (size < 0 || size > PLAY_UNIT_MAX || in->failed) {
            in->failed = true;
            return;
        }
        w->frames[i] = (size_t)size;
    }
}

static void read_fixed(struct webm *w, struct bytes_reader *in)
{
    for (unsigned i = 0; i + 1 < w->n_frames; i++)
        w->frames[i] = in->left / w->n_frames;
}

/* @return false: the sizes do not fit */
static bool read_lacing(struct webm *w, struct bytes_reader *in, unsigned lacing)
{
    static void (*const readers[])(struct webm *, struct bytes_reader *) = {
        [1] = read_xiph, [2] = read_fixed, [3] = read_ebml};
    memset(w->frames, 0, sizeof(w->frames));
    w->n_frames = lacing ? bytes_get8(in) + 1U : 1;
    if (lacing)
        readers[lacing](w, in);
    size_t left = in->left;
    for (unsigned i = 0; i + 1 < w->n_frames; i++) {
        if (w->frames[i] > left)
            return false;
        left -= w->frames[i];
    }
    w->frames[w->n_frames - 1] = left;
    return !in->failed;
}

/* @param block  in the input's next bytes, which begin at `start` */
static void on_block(struct webm *w, struct bytes_reader block, const uint8_t *start)
{
    uint64_t track = play_ebml_vint(&block);
    int16_t relative = (int16_t)bytes_get16(&block);
    unsigned lacing = bytes_get8(&block) >> 1 & 3;
    w->n_frames = w->given_out = 0;
    w->discard = 0;
    if (block.failed || !w->has_track || track != w->track)
        return;
    if (!read_lacing(w, &block, lacing)) {
        w->n_frames = 0; /* left out: its time is a hole */
        return;
    }
    w->frame_at = (size_t)(block.p - start);
    w->at = (uint64_t)ticks(((double)w->cluster + relative) * (double)w->scale);
}

static void on_group(struct webm *w, struct bytes_reader in, const uint8_t *start)
{
    struct bytes_reader child;
    uint32_t id;
    int64_t discard = 0;
    w->n_frames = w->given_out = 0;
    while (play_ebml_child(&in, &id, &child)) {
        if (id == BLOCK)
            on_block(w, child, start);
        else if (id == DISCARD_PADDING)
            discard = ticks((double)play_ebml_signed(&child, child.left));
    }
    w->discard = discard > 0 ? (uint64_t)discard : 0;
}

/* The next frame of the current block. @return false = there is none */
static bool give(struct webm *w, struct play_file *file, struct play_packet *ret)
{
    while (w->given_out < w->n_frames) {
        const uint8_t *data = play_input_peek(&file->in, w->block_len) + w->frame_at;
        size_t len = w->frames[w->given_out++];
        w->frame_at += len;
        uint32_t duration = len <= PLAY_PACKET_MAX ? file_opus_duration(data, len) : 0;
        if (!duration)
            continue;
        uint32_t skip = w->skip < duration ? w->skip : duration, trim = 0;
        if (w->given_out == w->n_frames)
            trim = w->discard < duration - skip ? (uint32_t)w->discard : duration - skip;
        *ret = (struct play_packet){
            data, len, w->at, duration, skip, trim, file->info.channels, w->is_first};
        w->at += duration;
        w->skip -= skip;
        w->is_first = false;
        return true;
    }
    return false;
}

/* --- the walk --- */

static int broken(struct play_file *file)
{
    return play_fail(file, PLAY_READER_E_BROKEN, "it is broken at byte %llu",
                     (unsigned long long)file->in.at);
}

/* The content is walked through. */
static bool is_open(uint32_t id)
{
    return id == SEGMENT || id == TRACKS || id == CLUSTER;
}

static bool is_wanted(uint32_t id)
{
    return id == EBML || id == INFO || id == TRACK_ENTRY || id == TIMESTAMP || id == SIMPLE_BLOCK ||
           id == BLOCK_GROUP;
}

static int enter(struct webm *w, struct play_file *file, const struct play_ebml_element *e)
{
    play_input_skip(&file->in, e->head);
    if (e->id == SEGMENT && e->size < UINT64_MAX - file->in.at)
        w->segment_to = file->in.at + e->size;
    return e->id == CLUSTER ? on_cluster(w, file) : 0;
}

/* An element that is there as a whole. Blocks stay in the input until their frames are out. */
static int take(struct webm *w, struct play_file *file, const struct play_ebml_element *e)
{
    size_t len = e->head + (size_t)e->size;
    const uint8_t *start = play_input_peek(&file->in, len);
    struct bytes_reader content = bytes_reader(start + e->head, (size_t)e->size);
    int err = 0;
    if (e->id == EBML)
        err = on_ebml(w, file, content);
    else if (e->id == INFO)
        err = on_info(w, file, content);
    else if (e->id == TRACK_ENTRY)
        err = on_track(w, file, content);
    else if (e->id == TIMESTAMP)
        w->cluster = play_ebml_number(&content, content.left);
    else if (e->id == SIMPLE_BLOCK)
        on_block(w, content, start);
    else
        on_group(w, content, start);
    w->block_len = len;
    return err;
}

/* @return 0, HUNGRY, or what is wrong */
static int next_element(struct webm *w, struct play_file *file)
{
    struct play_ebml_element e;
    play_input_skip(&file->in, w->block_len);
    w->block_len = 0;
    size_t len = file->in.len < PLAY_EBML_HEAD_MAX ? file->in.len : PLAY_EBML_HEAD_MAX;
    struct bytes_reader head = bytes_reader(play_input_peek(&file->in, len), len);
    if (!play_ebml_head(&head, &e))
        return len < PLAY_EBML_HEAD_MAX ? PLAY_READER_HUNGRY : broken(file);
    if (is_open(e.id))
        return enter(w, file, &e);
    if (e.size >= UINT64_MAX - file->in.at)
        return broken(file);
    if (!is_wanted(e.id) || e.head + e.size > PLAY_UNIT_MAX) { /* too large: a picture's block */
        play_input_skip(&file->in, e.head + e.size);
        return 0;
    }
    return file->in.len < e.head + e.size ? PLAY_READER_HUNGRY : take(w, file, &e);
}

static int webm_poll(void *format, struct play_file *file, struct play_packet *ret)
{
    struct webm *w = format;
    int err = 0;
    while (!err) {
        if (give(w, file, ret))
            return 0;
        err = next_element(w, file);
    }
    if (err != PLAY_READER_HUNGRY || !file->in.is_end)
        return err;
    bool is_told = w->segment_to != PLAY_EBML_UNKNOWN;
    file->info.is_cut =
        file->in.len || file->in.gap || (is_told ? file->in.at < w->segment_to : w->is_ours);
    return PLAY_READER_OVER;
}

const struct play_format_ops play_webm = {webm_is, webm_new, webm_free, webm_poll};
