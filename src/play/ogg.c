/*
 * Ogg Opus (RFC 7845). libogg finds the pages and checks their sums; packets are put together here,
 * page by page, so that no file can make us keep more than one of them.
 *
 *     pages    ┌ head ┐┌ tags ┐┌ 1 2 3 4… ┐┌ …4 5 6 ┐┌ end ┐  ┌ head ┐ …    the next part
 *     granule  0       0       end of 3    end of 6  end of what is heard
 *
 * A page says where its last packet ends; from there back the others have their places. So a page
 * that was lost, or never written, is a hole and moves nothing. Only of the last page the end may
 * be before that of its packets: the rest is not to be heard (§4.4).
 */
#include <errno.h>
#include <ogg/ogg.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "file/date.h"
#include "file/opus.h"
#include "play/format.h"
#include "play/opus_head.h"

enum state {
    OGG_BETWEEN, /* no part is open: the file's beginning, or behind the end of one */
    OGG_TAGS,    /* the comments come next */
    OGG_AUDIO,
};

/* RFC 3533 §6: a page has up to 255 segments, so that many packets end on it. */
#define MAX_PACKETS 255

#define LACING_AT 27
#define PAGE_MAX  65307

/*
 * Damage that is borne, in the whole file [bytes]. A byte of it may cost the sum of a page's 65307:
 * four megabytes took five seconds.
 */
#define MAX_PASSED_OVER 262144

/* Three million years: so far that nothing overflows. */
#define MAX_GRANULE (INT64_MAX / 2)

struct ogg_opus {
    ogg_sync_state sync;
    uint64_t passed_over; /* that were no pages [bytes] */
    bool is_padded;       /* what is in sync is all of it, and more */
    enum state state;
    int serial;      /* of our stream */
    long page_no;    /* that is due */
    bool has_part;   /* there was Opus */
    bool is_first;   /* no packet of this part was given out */
    uint32_t skip;   /* still to be left out of its beginning */
    int64_t next;    /* granule where its next packet begins; valid unless is_first */
    char codecs[80]; /* of other streams, for the error */

    uint8_t *partial;   /* a packet that goes on over a page's end; owned */
    size_t partial_len; /* of it, so far: no more than PLAY_PACKET_MAX is kept */
    size_t partial_cap;
    bool has_partial, is_too_long;
    const uint8_t *tail; /* its beginning, at the end of the current page; NULL = none */
    size_t tail_len;

    struct ogg_opus_packet {
        const uint8_t *data;
        size_t len;
        uint32_t duration;
    } packets[MAX_PACKETS]; /* of the current page, into it or into partial */
    unsigned n_packets, given_out;
    int64_t granule;  /* of the next one of them */
    int64_t heard_to; /* what is behind is not to be heard; INT64_MAX = all is */
};

static bool ogg_is(const uint8_t *head)
{
    return memcmp(head, "OggS", 4) == 0;
}

static void *ogg_new(void)
{
    struct ogg_opus *o = mem_zalloc(sizeof(*o));
    if (o)
        (void)ogg_sync_init(&o->sync); /* cannot fail: it only clears */
    return o;
}

static void ogg_free(void *format)
{
    struct ogg_opus *o = format;
    (void)ogg_sync_clear(&o->sync);
    mem_free(o->partial);
    mem_free(o);
}

/* --- packets of a page --- */

static int append_partial(struct ogg_opus *o, const uint8_t *data, size_t len)
{
    if (len > PLAY_PACKET_MAX - o->partial_len) {
        len = PLAY_PACKET_MAX - o->partial_len;
        o->is_too_long = true;
    }
    if (o->partial_len + len > o->partial_cap) {
        size_t cap = 2 * (o->partial_len + len);
        uint8_t *bigger = mem_realloc(o->partial, cap);
        if (!bigger)
            return -ENOMEM;
        o->partial = bigger;
        o->partial_cap = cap;
    }
    if (len)
        memcpy(o->partial + o->partial_len, data, len);
    o->partial_len += len;
    return 0;
}

/* What the last page ended with must be kept before the next one overwrites it. */
static int keep_tail(struct ogg_opus *o)
{
    if (!o->tail)
        return 0;
    o->partial_len = 0;
    o->is_too_long = false;
    o->has_partial = true;
    int err = append_partial(o, o->tail, o->tail_len);
    o->tail = NULL;
    return err;
}

static void add_packet(struct ogg_opus *o, const uint8_t *data, size_t len)
{
    uint32_t duration = len <= PLAY_PACKET_MAX ? file_opus_duration(data, len) : 0;
    o->packets[o->n_packets++] = (struct ogg_opus_packet){data, len, duration};
}

/* The page's first packet, which began before it: *data and *segment move behind it. */
static int end_partial(struct ogg_opus *o, const ogg_page *page, int *segment, const uint8_t **data)
{
    int n_segments = page->header[LACING_AT - 1];
    size_t len = 0;
    uint8_t lacing = 255;
    while (*segment < n_segments && lacing == 255)
        len += lacing = page->header[LACING_AT + (*segment)++];
    int err = o->has_partial ? append_partial(o, *data, len) : 0;
    *data += len;
    if (err || lacing == 255)
        return err;
    if (o->has_partial)
        add_packet(o, o->partial, o->is_too_long ? PLAY_PACKET_MAX + 1 : o->partial_len);
    o->has_partial = false;
    return 0;
}

static int split(struct ogg_opus *o, const ogg_page *page)
{
    const uint8_t *data = page->body;
    int n_segments = page->header[LACING_AT - 1], i = 0, err = 0;
    o->n_packets = o->given_out = 0;
    if (ogg_page_continued(page))
        err = end_partial(o, page, &i, &data);
    else
        o->has_partial = false;
    while (i < n_segments && !err) {
        size_t len = 0;
        uint8_t lacing = 255;
        while (i < n_segments && lacing == 255)
            len += lacing = page->header[LACING_AT + i++];
        if (lacing < 255) {
            add_packet(o, data, len);
        } else {
            o->tail = data;
            o->tail_len = len;
        }
        data += len;
    }
    return err;
}

/* --- one page of our stream --- */

static uint32_t get_le32(const uint8_t *p)
{
    return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

/* RFC 7845 §5.2: vendor, number, comments. What does not fit ends it: a comment is no necessity. */
static void read_tags(struct play_file *file, struct str tags)
{
    if (file->info.began_us || !str_starts_with(tags, STR("OpusTags")))
        return;
    tags = str_tail(tags, 8);
    for (unsigned i = 0; tags.len >= 4; i++) {
        struct str text = str_head(str_tail(tags, 4), get_le32((const uint8_t *)tags.p));
        tags = str_tail(tags, 4 + text.len);
        if (i == 0)
            tags = str_tail(tags, 4);
        else if (str_caseeq(str_head(text, strlen(FILE_DATE_KEY)), STR(FILE_DATE_KEY)) &&
                 file_date_read(str_tail(text, strlen(FILE_DATE_KEY)), &file->info.began_us))
            return;
    }
}

/* Where the page's packets stand, and how much of them is heard. */
static void place(struct ogg_opus *o, int64_t granule, bool is_last)
{
    int64_t sum = 0;
    for (unsigned i = 0; i < o->n_packets; i++)
        sum += o->packets[i].duration;
    o->heard_to = INT64_MAX;
    o->granule = o->next;
    if (granule < 0 || granule > MAX_GRANULE) { /* not told (-1), or nonsense */
        if (o->is_first)
            o->granule = 0;
    } else if (!is_last) {
        o->granule = granule - sum;
    } else {
        int64_t start = o->is_first ? 0 : o->next;
        o->granule = granule - sum > start ? granule - sum : start;
        o->heard_to = granule;
    }
    o->next = o->granule + sum;
}

static int take_page(struct ogg_opus *o, struct play_file *file, const ogg_page *page)
{
    if (ogg_page_pageno(page) != o->page_no)
        o->has_partial = false;
    o->page_no = ogg_page_pageno(page) + 1;
    int err = split(o, page);
    if (err)
        return err;
    if (o->state == OGG_TAGS && o->n_packets) {
        /* "the header packets are … on pages of their own" (§3): no audio is behind it */
        read_tags(file, (struct str){(const char *)o->packets[0].data,
                                     o->packets[0].len <= PLAY_PACKET_MAX ? o->packets[0].len
                                                                          : PLAY_PACKET_MAX});
        o->state = OGG_AUDIO;
        o->n_packets = 0;
    } else if (o->state == OGG_AUDIO && o->n_packets) {
        place(o, ogg_page_granulepos(page), ogg_page_eos(page));
    }
    if (ogg_page_eos(page))
        o->state = OGG_BETWEEN;
    return 0;
}

/* --- streams --- */

static void note_codec(struct ogg_opus *o, const ogg_page *page)
{
    static const struct {
        struct str magic;
        const char *name;
    } known[] = {
        {{"\x01vorbis", 7}, "Vorbis"},
        {{"\x7f"
          "FLAC",
          5},
         "FLAC"},
        {{"Speex   ", 8}, "Speex"},
        {{"\x80theora", 7}, "Theora"},
        {{"fishead", 7}, "a skeleton"},
    };
    const char *name = "something unknown";
    struct str body = {(const char *)page->body, (size_t)page->body_len};
    for (size_t i = 0; i < ARRAY_LEN(known); i++)
        if (str_starts_with(body, known[i].magic))
            name = known[i].name;
    size_t len = strlen(o->codecs);
    (void)snprintf(o->codecs + len, sizeof(o->codecs) - len, "%s%s", len ? ", " : "", name);
}

static int begin_part(struct ogg_opus *o, struct play_file *file, const ogg_page *page)
{
    int err = play_opus_head_parse(file, page->body, (size_t)page->body_len);
    if (err)
        return err;
    file->info.format = PLAY_OGG;
    o->state = OGG_TAGS;
    o->serial = ogg_page_serialno(page);
    o->page_no = ogg_page_pageno(page) + 1;
    o->has_partial = false;
    o->has_part = o->is_first = true;
    o->skip = file->info.pre_skip;
    return 0;
}

/* The first page of a stream. A second Opus beside ours is another's. */
static int meet(struct ogg_opus *o, struct play_file *file, const ogg_page *page)
{
    bool is_opus = page->body_len >= 8 && memcmp(page->body, "OpusHead", 8) == 0;
    bool is_ours = o->state != OGG_BETWEEN && ogg_page_serialno(page) == o->serial;
    if (is_opus && (is_ours || o->state == OGG_BETWEEN || (o->state == OGG_AUDIO && !o->is_first)))
        return begin_part(o, file, page);
    if (o->state == OGG_BETWEEN)
        note_codec(o, page);
    return 0;
}

static int on_page(struct ogg_opus *o, struct play_file *file, const ogg_page *page)
{
    if (ogg_page_bos(page))
        return meet(o, file, page);
    if (o->state != OGG_BETWEEN && ogg_page_serialno(page) == o->serial)
        return take_page(o, file, page);
    if (!o->has_part && o->codecs[0])
        return play_fail(file, PLAY_READER_E_UNSUPPORTED, "no Opus in it: %s", o->codecs);
    return 0;
}

/* --- poll --- */

/* The next packet of the current page. @return false = there is none */
static bool give(struct ogg_opus *o, struct play_file *file, struct play_packet *ret)
{
    while (o->given_out < o->n_packets) {
        const struct ogg_opus_packet *p = &o->packets[o->given_out++];
        if (!p->duration)
            continue;
        int64_t at = o->granule;
        o->granule += p->duration;
        uint32_t trim = 0, skip = o->skip < p->duration ? o->skip : p->duration;
        if (o->granule > o->heard_to) {
            int64_t over = o->granule - o->heard_to, most = p->duration - skip;
            trim = (uint32_t)(over < most ? over : most);
        }
        *ret = (struct play_packet){p->data, p->len, (uint64_t)at,        p->duration,
                                    skip,    trim,   file->info.channels, o->is_first};
        o->skip -= skip;
        o->is_first = false;
        return true;
    }
    return false;
}

static int feed(struct ogg_opus *o, struct play_input *in)
{
    size_t len = in->len;
    char *buf = ogg_sync_buffer(&o->sync, (long)len);
    if (!buf)
        return -ENOMEM;
    memcpy(buf, in->buf + in->start, len);
    (void)ogg_sync_wrote(&o->sync, (long)len); /* cannot fail: there is room for it */
    play_input_skip(in, len);
    return 0;
}

/*
 * Behind the file's end: what seemed to begin a page, and is waited for, is none, and behind it
 * there may be one.
 */
static int pad(struct ogg_opus *o)
{
    char *buf = ogg_sync_buffer(&o->sync, PAGE_MAX);
    if (!buf)
        return -ENOMEM;
    memset(buf, 0, PAGE_MAX);
    (void)ogg_sync_wrote(&o->sync, PAGE_MAX);
    o->is_padded = true;
    return 0;
}

/* Bytes that are no page. What they took away is told by the numbers of those that follow. */
static int pass_over(struct ogg_opus *o, struct play_file *file, uint64_t n)
{
    o->passed_over += n;
    if (o->passed_over <= MAX_PASSED_OVER || o->is_padded)
        return 0;
    return play_fail(file, PLAY_READER_E_BROKEN, "more than %u bytes of it are not Ogg",
                     MAX_PASSED_OVER);
}

/* @return 0, HUNGRY, or of what is on the page */
static int next_page(struct ogg_opus *o, struct play_file *file)
{
    ogg_page page;
    int err = keep_tail(o);
    o->n_packets = 0;
    while (!err) {
        long found = ogg_sync_pageseek(&o->sync, &page);
        if (found > 0)
            return on_page(o, file, &page);
        if (found < 0)
            err = pass_over(o, file, (uint64_t)-found);
        else if (file->in.len)
            err = feed(o, &file->in);
        else if (file->in.is_end && !o->is_padded)
            err = pad(o);
        else
            return PLAY_READER_HUNGRY;
    }
    return err;
}

static int ogg_poll(void *format, struct play_file *file, struct play_packet *ret)
{
    struct ogg_opus *o = format;
    int err = 0;
    while (!err) {
        if (give(o, file, ret))
            return 0;
        err = next_page(o, file);
    }
    if (err != PLAY_READER_HUNGRY || !file->in.is_end)
        return err;
    file->info.is_cut = o->state != OGG_BETWEEN;
    return PLAY_READER_OVER;
}

const struct play_format_ops play_ogg = {ogg_is, ogg_new, ogg_free, ogg_poll};
