/*
 * Which format it is, and one line of time: positions of the parts of a file follow one another,
 * never go back, and never jump further than a pause can be meant.
 */
#include "play/reader.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "play/format.h"

struct play_reader {
    struct play_file file;
    const struct play_format_ops *ops; /* NULL = not known yet */
    void *format;                      /* owned, with ops */
    int result;                        /* final: of every further poll; 0 = not yet */
    uint64_t offset;                   /* from the file's positions to ours, modulo 2^64 */
    uint64_t end;                      /* of the last packet */
    uint64_t unheard;                  /* of all packets */
    bool has_packet;
    bool is_wound; /* packets were left out since the last one that was given out */
};

struct magic {
    size_t at;
    struct str bytes;
    const char *name;
};

/* What people try. */
static const struct magic others[] = {
    {4, {"ftyp", 4}, "MP4"},       {0, {"ID3", 3}, "MP3"},      {0, {"\xff\xfb", 2}, "MP3"},
    {0, {"\xff\xf3", 2}, "MP3"},   {0, {"\xff\xf1", 2}, "AAC"}, {0, {"fLaC", 4}, "FLAC"},
    {0, {"FORM", 4}, "AIFF"},      {0, {"#!AMR", 5}, "AMR"},    {0, {"<!DOCTYPE", 9}, "HTML"},
    {0, {"<!doctype", 9}, "HTML"}, {0, {"<html", 5}, "HTML"},
};

static const struct play_format_ops *const formats[] = {&play_ogg, &play_webm, &play_wav};

int play_fail(struct play_file *file, int result, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    (void)vsnprintf(file->error, sizeof(file->error), format, args);
    va_end(args);
    return result;
}

struct play_reader *play_reader_new(uint64_t from)
{
    struct play_reader *r = mem_zalloc(sizeof(*r));
    if (r)
        r->file.from = from;
    return r;
}

void play_reader_free(struct play_reader *r)
{
    if (!r)
        return;
    if (r->format)
        r->ops->free(r->format);
    play_input_deinit(&r->file.in);
    mem_free(r);
}

int play_reader_push(struct play_reader *r, const void *data, size_t len)
{
    return play_input_push(&r->file.in, data, len);
}

void play_reader_end(struct play_reader *r)
{
    r->file.in.is_end = true;
}

const struct play_info *play_reader_info(const struct play_reader *r)
{
    return &r->file.info;
}

const char *play_reader_error(const struct play_reader *r)
{
    return r->file.error;
}

/* --- which format --- */

static int refuse(struct play_file *file, const uint8_t *head)
{
    for (size_t i = 0; i < ARRAY_LEN(others); i++) {
        const struct magic *m = &others[i];
        if (memcmp(head + m->at, m->bytes.p, m->bytes.len) == 0)
            return play_fail(file, PLAY_READER_E_UNSUPPORTED,
                             "it is %s: only Ogg Opus, WebM with Opus and WAV can be played",
                             m->name);
    }
    return play_fail(file, PLAY_READER_E_UNSUPPORTED, "it is neither Ogg nor WebM nor WAV");
}

static int find_format(struct play_reader *r)
{
    const struct play_input *in = &r->file.in;
    const uint8_t *head = play_input_peek(in, PLAY_MAGIC_LEN);
    if (!head && !in->is_end)
        return PLAY_READER_HUNGRY;
    if (!head)
        return play_fail(&r->file, PLAY_READER_E_BROKEN,
                         in->len ? "it ends within its first bytes" : "it is empty");
    for (size_t i = 0; i < ARRAY_LEN(formats); i++) {
        if (!formats[i]->is(head))
            continue;
        r->ops = formats[i];
        r->format = r->ops->new ();
        return r->format ? 0 : -ENOMEM;
    }
    return refuse(&r->file, head);
}

/* --- one line of time --- */

/* Positions are compared by their difference: a file may say anything. */
static void place(struct play_reader *r, struct play_packet *p)
{
    if (p->is_first)
        r->offset = r->end - p->position;
    uint64_t at = p->position + r->offset;
    int64_t hole = (int64_t)(at - r->end), most = (int64_t)PLAY_PAUSE_MAX;
    if (hole > most || hole < -most)
        r->offset -= (uint64_t)hole;
    if (hole > most || hole < (int64_t)r->file.slack)
        at = r->end;
    p->position = at;
    r->end = at + p->duration;
    r->unheard += p->skip + p->trim;
    r->has_packet = true;
}

static int finish(struct play_reader *r, int result)
{
    if (result == PLAY_READER_OVER && !r->has_packet)
        result = play_fail(&r->file, PLAY_READER_E_BROKEN, "it ends before its first sound");
    else if (result == PLAY_READER_OVER)
        r->file.info.duration = r->end - r->unheard;
    else if (result == PLAY_READER_E_UNSUPPORTED && r->has_packet)
        result = PLAY_READER_E_BROKEN; /* a later part */
    r->result = result;
    return result;
}

int play_reader_poll(struct play_reader *r, struct play_packet *ret)
{
    struct play_packet p;
    if (r->result)
        return r->result;
    int err = r->ops ? 0 : find_format(r);
    while (!err && !(err = r->ops->poll(r->format, &r->file, &p))) {
        place(r, &p);
        if (r->end > r->file.from) {
            p.is_first |= r->is_wound;
            r->is_wound = false;
            *ret = p;
            return 0;
        }
        r->is_wound = true;
    }
    return err == PLAY_READER_HUNGRY ? err : finish(r, err);
}
