/* Gaps filled, and one of two formats: see the header. */
#include "record/container.h"

#include <string.h>

/* Before anything was heard: CELT, fullband, 20 ms. */
#define FIRST_TOC (31 << 3)

static int put_packet(struct record_container *c, const uint8_t *data, size_t len,
                      uint32_t duration)
{
    c->position += duration;
    c->toc = data[0];
    switch (c->format) {
    case RECORD_OGG:
        return file_ogg_opus_put(&c->ogg, data, len, duration);
    case RECORD_WEBM:
        return file_webm_put(&c->webm, data, len, duration);
    }
    return 0;
}

static int fill_with_silence(struct record_container *c, uint64_t until)
{
    uint8_t packet[FILE_OPUS_SILENCE_LEN];
    int err = 0;
    file_opus_silence(c->toc, packet);
    while (!err && until - c->position >= FILE_OPUS_SILENCE)
        err = put_packet(c, packet, sizeof(packet), FILE_OPUS_SILENCE);
    return err;
}

static int fill(struct record_container *c, uint64_t until)
{
    uint32_t duration;
    uint8_t toc;
    int err = 0;
    while (!err && (duration = file_opus_conceal(c->toc, until - c->position, &toc)))
        err = put_packet(c, &toc, 1, duration);
    return err;
}

static void keep(struct record_container *c, const struct record_piece *piece)
{
    c->last_len = piece->len <= RECORD_MAX_REPEATED ? piece->len : 0;
    c->last_duration = (uint32_t)piece->duration;
    memcpy(c->last, piece->data, c->last_len);
}

/* Once: a sound that goes on and on is worse than one that fades. */
static int repeat(struct record_container *c)
{
    size_t len = c->last_len;
    c->last_len = 0;
    if (!len || c->end - c->position < c->last_duration)
        return 0;
    return put_packet(c, c->last, len, c->last_duration);
}

static int fill_gap(struct record_container *c, uint64_t duration)
{
    int err = repeat(c);
    if (!err && duration > RECORD_MAX_CONCEALED) {
        err = fill(c, c->position + RECORD_FADE);
        if (!err)
            err = fill_with_silence(c, c->end);
    }
    return err ? err : fill(c, c->end);
}

int record_container_begin(struct record_container *c, enum record_format format, int fd,
                           uint32_t serial, int64_t began_us)
{
    *c = (struct record_container){.format = format, .toc = FIRST_TOC};
    switch (format) {
    case RECORD_OGG:
        c->ogg = (struct file_ogg_opus){.fd = fd};
        return file_ogg_opus_begin(&c->ogg, fd, serial, began_us);
    case RECORD_WEBM:
        c->webm = (struct file_webm){.fd = fd};
        return file_webm_begin(&c->webm, fd, began_us);
    }
    return 0;
}

int record_container_put(struct record_container *c, const struct record_piece *piece)
{
    c->end = piece->start + piece->duration;
    if (!piece->data)
        return fill_gap(c, piece->duration);
    keep(c, piece);
    return put_packet(c, piece->data, piece->len, (uint32_t)piece->duration);
}

int record_container_flush(struct record_container *c)
{
    switch (c->format) {
    case RECORD_OGG:
        return file_ogg_opus_flush(&c->ogg);
    case RECORD_WEBM:
        return file_webm_flush(&c->webm);
    }
    return 0;
}

/* The last samples come out of a decoder as late as the first ones. */
static int round_up(struct record_container *c, uint64_t until)
{
    int err = fill(c, until);
    if (!err && c->position < until)
        err = fill(c, c->position + FILE_OPUS_GRAIN);
    return err;
}

int record_container_end(struct record_container *c)
{
    int err = round_up(c, c->end + FILE_OPUS_PRE_SKIP);
    if (err)
        return err;
    switch (c->format) {
    case RECORD_OGG:
        return file_ogg_opus_end(&c->ogg, c->end + FILE_OPUS_PRE_SKIP);
    case RECORD_WEBM:
        return file_webm_end(&c->webm, c->end);
    }
    return 0;
}

void record_container_deinit(struct record_container *c)
{
    switch (c->format) {
    case RECORD_OGG:
        file_ogg_opus_deinit(&c->ogg);
        break;
    case RECORD_WEBM:
        file_webm_deinit(&c->webm);
        break;
    }
}
