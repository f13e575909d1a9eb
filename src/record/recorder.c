/*
 * Control side and writer side share struct recording: what is above its line belongs to the
 * control thread until the start message is put, then to the writer, and with the closed message to
 * the control thread again. A message is a command on its way there and its answer on the way back.
 *
 * Stop, failure and the answer to the start have their messages inside of the recording: an end
 * needs no memory.
 */
#include "record/recorder.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "base/list.h"
#include "base/mailbox.h"
#include "base/mem.h"
#include "file/output.h"
#include "file/place.h"
#include "log/log.h"
#include "record/track.h"

/* How often a recording looks whether its file was deleted. */
#define CHECK_PERIOD US_PER_S

struct message {
    struct mail mail;
    enum recorder_event_type type; /* as a command: what it will be when it was carried out */
    struct recording *recording;
    mono_us at;
    bool is_own; /* allocated for itself, not inside of the recording */
};

enum state {
    RECORDING_NEW,
    RECORDING_OPEN, /* running or paused: the track knows */
    RECORDING_FAILED,
};

struct recording {
    struct recorder *recorder; /* RO */
    void *user;                /* RO */
    enum record_format format; /* RO */
    enum recorder_front front; /* RO */
    struct packet_ring *ring;  /* a reference */
    int64_t began_us;          /* RO; UTC */
    char path[FILE_PATH_MAX];
    struct message start, stop, failed;

    /* the control thread's */
    bool is_stopping;
    uint64_t forgotten_as; /* the how manieth of its front; 0 = it is not */
    struct list forgotten; /* in front->forgotten */

    /* the writer's */
    struct list recordings;
    enum state state;
    struct record_track track; /* of an open one */
    mono_us checked_at;        /* that the file has a name */
    int error;                 /* of the failure */
    char text[RECORDER_ERROR_MAX];
};

/* Events of one front. */
struct front {
    struct mailbox events;
    struct mail *polled;       /* oldest event not given out yet */
    struct message *given_out; /* the last one that was */
    struct list forgotten;     /* of recordings that are not closed, in their order */
    uint64_t n_forgotten;
};

struct recorder {
    struct recorder_config config; /* RO; folder is ours */
    int folder_fd, wake_fd;        /* RO */
    pthread_t thread;
    atomic_bool is_ending;
    atomic_uint n_steps; /* of the writer: while they grow, the disk answers */
    sem_t is_done;       /* the writer's work is, and it can be joined */
    struct mailbox commands;
    struct front fronts[RECORDER_N_FRONTS];
    struct list recordings; /* the writer's */
    uint32_t serial;        /* the writer's: of the next file */
    unsigned n_recordings;  /* the control thread's: alive */
};

static mono_us clock_now(void)
{
    struct timespec ts;
    (void)clock_gettime(CLOCK_MONOTONIC, &ts);
    return (mono_us)ts.tv_sec * US_PER_S + ts.tv_nsec / 1000;
}

/* Of a moment not long ago. */
static int64_t utc_of(mono_us at)
{
    struct timespec ts;
    (void)clock_gettime(CLOCK_REALTIME, &ts);
    return (int64_t)ts.tv_sec * US_PER_S + ts.tv_nsec / 1000 - (clock_now() - at);
}

static struct message *message_of(struct mail *mail)
{
    return CONTAINER_OF(mail, struct message, mail);
}

/* --- the writer: one recording --- */

static void report(struct recording *rec, struct message *m)
{
    struct recorder *r = rec->recorder;
    if (mailbox_put(&r->fronts[rec->front].events, &m->mail))
        r->config.wake(r->config.wake_user);
}

static void fail(struct recording *rec, int err)
{
    if (rec->state == RECORDING_OPEN)
        record_track_close(&rec->track);
    rec->state = RECORDING_FAILED;
    rec->error = err;
    (void)snprintf(rec->text, sizeof(rec->text), "cannot record to %.160s: %.60s", rec->path,
                   file_place_error_text(err));
    report(rec, &rec->failed);
}

static void carry_out_start(struct recording *rec, struct message *m)
{
    struct recorder *r = rec->recorder;
    list_append(&r->recordings, &rec->recordings);
    int fd = file_place_open(r->folder_fd, rec->path);
    if (fd < 0) {
        fail(rec, fd);
        return;
    }
    rec->state = RECORDING_OPEN;
    int err = record_track_open(&rec->track, m->at, fd, rec->format, r->serial++, rec->began_us);
    if (err)
        fail(rec, err);
    else
        report(rec, m);
}

/* All that the ring has; after a failure it is only emptied. */
static void drain(struct recording *rec)
{
    const uint8_t *data;
    mono_us at;
    size_t len;
    while ((data = packet_ring_peek(rec->ring, &at, &len))) {
        int err = rec->state == RECORDING_OPEN ? record_track_take(&rec->track, at, data, len) : 0;
        if (err)
            fail(rec, err);
        packet_ring_pop(rec->ring);
    }
}

/* Somebody who deletes the file, or the folder, ends the recording; writing would never say so. */
static int check_name(struct recording *rec, mono_us now)
{
    if (now - rec->checked_at < CHECK_PERIOD)
        return 0;
    rec->checked_at = now;
    return file_output_has_name(rec->track.fd) ? 0 : -ENOENT;
}

static void work(struct recording *rec, mono_us now)
{
    drain(rec);
    if (rec->state != RECORDING_OPEN)
        return;
    int err = record_track_work(&rec->track, now);
    if (!err)
        err = check_name(rec, now);
    if (err)
        fail(rec, err);
}

static void carry_out_pause(struct recording *rec, struct message *m)
{
    drain(rec);
    int err = rec->state == RECORDING_OPEN ? record_track_pause(&rec->track, m->at) : 0;
    if (err)
        fail(rec, err);
    report(rec, m);
}

static void carry_out_resume(struct recording *rec, struct message *m)
{
    drain(rec);
    if (rec->state == RECORDING_OPEN)
        record_track_resume(&rec->track, m->at);
    report(rec, m);
}

static void end_file(struct recording *rec, mono_us at)
{
    drain(rec);
    if (rec->state != RECORDING_OPEN)
        return;
    int err = record_track_end(&rec->track, at);
    if (err)
        fail(rec, err);
    else
        record_track_close(&rec->track);
}

static void carry_out_stop(struct recording *rec, struct message *m)
{
    end_file(rec, m->at);
    uint64_t n_dropped = packet_ring_n_dropped(rec->ring);
    if (n_dropped)
        log_warning(RECORD, "%s: the disk was too slow, %llu packets are missing", rec->path,
                    (unsigned long long)n_dropped);
    list_remove(&rec->recordings);
    report(rec, m); /* it is the control thread's from here on */
}

static void carry_out(struct message *m)
{
    struct recording *rec = m->recording;
    switch (m->type) {
    case RECORDER_STARTED:
        carry_out_start(rec, m);
        break;
    case RECORDER_PAUSED:
        carry_out_pause(rec, m);
        break;
    case RECORDER_RESUMED:
        carry_out_resume(rec, m);
        break;
    case RECORDER_CLOSED:
        carry_out_stop(rec, m);
        break;
    case RECORDER_FAILED:
        break; /* never a command */
    }
}

/* --- the writer: its thread --- */

static void carry_out_all(struct recorder *r)
{
    for (struct mail *mail = mailbox_take_all(&r->commands), *next; mail; mail = next) {
        next = mail->next;
        carry_out(message_of(mail));
        r->n_steps++;
    }
}

static void sleep_a_while(struct recorder *r)
{
    struct pollfd wake = {.fd = r->wake_fd, .events = POLLIN};
    bool is_idle = list_is_empty(&r->recordings);
    uint64_t n;
    if (poll(&wake, 1, is_idle ? -1 : (int)(RECORDER_PERIOD / US_PER_MS)) > 0 &&
        read(r->wake_fd, &n, sizeof(n)) < 0)
        return; /* somebody woke us all the same */
}

static void *run(void *arg)
{
    struct recorder *r = arg;
    while (!atomic_load(&r->is_ending)) {
        carry_out_all(r);
        mono_us now = clock_now();
        LIST_FOREACH(node, &r->recordings)
            work(CONTAINER_OF(node, struct recording, recordings), now);
        sleep_a_while(r);
    }
    carry_out_all(r);
    LIST_FOREACH(node, &r->recordings) {
        end_file(CONTAINER_OF(node, struct recording, recordings), clock_now());
        r->n_steps++;
    }
    (void)sem_post(&r->is_done);
    return NULL;
}

static void wake_writer(struct recorder *r)
{
    ssize_t n = write(r->wake_fd, &(uint64_t){1}, sizeof(uint64_t));
    (void)n; /* full: it is awake */
}

/* --- the control side --- */

static void recording_free(struct recording *rec)
{
    rec->recorder->n_recordings--;
    list_remove(&rec->forgotten);
    packet_ring_unref(rec->ring);
    mem_free(rec);
}

/* What an event is made of, once it was seen. */
static void forget(struct message *m)
{
    if (!m)
        return;
    if (m->type == RECORDER_CLOSED)
        recording_free(m->recording);
    else if (m->is_own)
        mem_free(m);
}

static int open_all(struct recorder *r, char *error)
{
    r->folder_fd = open(r->config.folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
    /* A folder that nobody may write into is told at the start, and not by the first call. */
    bool is_usable = r->folder_fd >= 0 && !faccessat(r->folder_fd, ".", W_OK | X_OK, AT_EACCESS);
    if (r->config.folder[0] != '/' || !is_usable) {
        (void)snprintf(error, RECORDER_ERROR_MAX, "%s: %s", r->config.folder,
                       is_usable ? "not an absolute path" : strerror(errno));
        return -1;
    }
    r->wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (r->wake_fd < 0)
        (void)snprintf(error, RECORDER_ERROR_MAX, "eventfd: %s", strerror(errno));
    return r->wake_fd;
}

/* Signals are the main thread's. */
static int start_thread(struct recorder *r, char *error)
{
    sigset_t all, before;
    (void)sigfillset(&all);
    (void)pthread_sigmask(SIG_SETMASK, &all, &before);
    int err = pthread_create(&r->thread, NULL, run, r);
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (err)
        (void)snprintf(error, RECORDER_ERROR_MAX, "thread: %s", strerror(err));
    return err;
}

static void free_shell(struct recorder *r)
{
    if (r->folder_fd >= 0)
        (void)close(r->folder_fd);
    if (r->wake_fd >= 0)
        (void)close(r->wake_fd);
    (void)sem_destroy(&r->is_done);
    mem_free((char *)(uintptr_t)r->config.folder);
    mem_free(r);
}

struct recorder *recorder_new(const struct recorder_config *config, struct rng *rng, char *error)
{
    struct recorder *r = mem_zalloc(sizeof(*r));
    char *folder = r ? mem_strdup(str_of(config->folder)) : NULL;
    if (!folder) {
        (void)snprintf(error, RECORDER_ERROR_MAX, "out of memory");
        mem_free(r);
        return NULL;
    }
    r->config = *config;
    r->config.folder = folder;
    if (!r->config.end_patience)
        r->config.end_patience = RECORDER_END_PATIENCE;
    r->folder_fd = r->wake_fd = -1;
    (void)sem_init(&r->is_done, 0, 0);
    r->serial = rng_u32(rng);
    list_init(&r->recordings);
    mailbox_init(&r->commands);
    for (unsigned i = 0; i < RECORDER_N_FRONTS; i++) {
        mailbox_init(&r->fronts[i].events);
        list_init(&r->fronts[i].forgotten);
    }
    if (open_all(r, error) < 0 || start_thread(r, error)) {
        free_shell(r);
        return NULL;
    }
    return r;
}

/* Of a call the front says it, with the call's id: one line for one trouble. */
static void log_failure(const struct recording *rec)
{
    log_warning(RECORD, "%s, recording ends", rec->text);
}

/* @return false when the writer made no step for as long as it is waited for */
static bool join(struct recorder *r)
{
    for (;;) {
        unsigned n_steps = atomic_load(&r->n_steps);
        mono_us until = clock_now() + r->config.end_patience;
        const struct timespec at = {.tv_sec = until / US_PER_S, .tv_nsec = until % US_PER_S * 1000};
        if (sem_clockwait(&r->is_done, CLOCK_MONOTONIC, &at) == 0)
            break;
        if (errno == ETIMEDOUT && atomic_load(&r->n_steps) == n_steps)
            return false;
    }
    (void)pthread_join(r->thread, NULL);
    return true;
}

bool recorder_free(struct recorder *r)
{
    struct recorder_event event;
    if (!r)
        return true;
    atomic_store(&r->is_ending, true);
    wake_writer(r);
    if (!join(r)) {
        log_error(RECORD, "the disk does not answer: of %u recordings the end may be missing",
                  r->n_recordings);
        return false;
    }
    for (unsigned i = 0; i < RECORDER_N_FRONTS; i++) {
        while (recorder_poll_event(r, (enum recorder_front)i, &event)) {
            if (event.type == RECORDER_FAILED && i == RECORDER_CALLS)
                log_failure(event.recording);
        }
    }
    for (struct list *node; (node = list_pop(&r->recordings));)
        recording_free(CONTAINER_OF(node, struct recording, recordings));
    free_shell(r);
    return true;
}

bool recorder_check(const struct recorder *r, struct str uri, char *error)
{
    char path[FILE_PATH_MAX];
    int err = file_place_parse(uri, str_of(r->config.folder), path);
    if (err)
        (void)snprintf(error, RECORDER_ERROR_MAX, "%s", file_place_error_text(err));
    return err == 0;
}

static void command(struct message *m, struct recording *rec, enum recorder_event_type type,
                    mono_us now)
{
    m->type = type;
    m->recording = rec;
    m->at = now;
    if (mailbox_put(&rec->recorder->commands, &m->mail))
        wake_writer(rec->recorder);
}

int recorder_start(struct recorder *r, mono_us now, const struct recorder_order *order,
                   struct recording **ret)
{
    if (r->n_recordings >= r->config.max_recordings)
        return RECORDER_E_FULL;
    struct recording *rec = mem_zalloc(sizeof(*rec));
    if (!rec)
        return -ENOMEM;
    int err = file_place_parse(order->uri, str_of(r->config.folder), rec->path);
    assert(!err); /* recorder_check */
    rec->recorder = r;
    rec->user = order->user;
    rec->format = order->format;
    rec->front = order->front;
    rec->ring = packet_ring_ref(order->ring);
    rec->began_us = utc_of(now);
    rec->failed = (struct message){.type = RECORDER_FAILED, .recording = rec};
    list_init(&rec->recordings);
    list_init(&rec->forgotten);
    r->n_recordings++;
    command(&rec->start, rec, RECORDER_STARTED, now);
    *ret = rec;
    return 0;
}

static int command_own(struct recording *rec, enum recorder_event_type type, mono_us now)
{
    struct message *m = mem_zalloc(sizeof(*m));
    if (!m)
        return -ENOMEM;
    m->is_own = true;
    command(m, rec, type, now);
    return 0;
}

int recording_pause(struct recording *recording, mono_us now)
{
    return command_own(recording, RECORDER_PAUSED, now);
}

int recording_resume(struct recording *recording, mono_us now)
{
    return command_own(recording, RECORDER_RESUMED, now);
}

void recording_stop(struct recording *recording, mono_us now)
{
    assert(!recording->is_stopping);
    recording->is_stopping = true;
    command(&recording->stop, recording, RECORDER_CLOSED, now);
}

void recording_forget(struct recording *recording, mono_us now)
{
    struct front *front = &recording->recorder->fronts[recording->front];
    recording->forgotten_as = ++front->n_forgotten;
    list_append(&front->forgotten, &recording->forgotten);
    if (!recording->is_stopping)
        recording_stop(recording, now);
}

uint64_t recording_n_dropped(const struct recording *recording)
{
    return packet_ring_n_dropped(recording->ring);
}

uint64_t recorder_n_forgotten(const struct recorder *r, enum recorder_front front)
{
    return r->fronts[front].n_forgotten;
}

bool recorder_are_whole(const struct recorder *r, enum recorder_front front, uint64_t n)
{
    const struct front *f = &r->fronts[front];
    return list_is_empty(&f->forgotten) ||
           CONTAINER_OF(f->forgotten.next, struct recording, forgotten)->forgotten_as > n;
}

static struct message *next_event(struct front *front)
{
    forget(front->given_out);
    front->given_out = NULL;
    if (!front->polled)
        front->polled = mailbox_take_all(&front->events);
    if (!front->polled)
        return NULL;
    front->given_out = message_of(front->polled);
    front->polled = front->polled->next;
    return front->given_out;
}

bool recorder_poll_event(struct recorder *r, enum recorder_front front, struct recorder_event *ret)
{
    for (const struct message *m; (m = next_event(&r->fronts[front]));) {
        const struct recording *rec = m->recording;
        bool is_failure = m->type == RECORDER_FAILED;
        if (is_failure && (rec->forgotten_as || front != RECORDER_CALLS))
            log_failure(rec);
        if (rec->forgotten_as)
            continue;
        *ret = (struct recorder_event){
            .type = m->type,
            .recording = m->recording,
            .user = rec->user,
            .error = is_failure ? rec->error : 0,
            .text = is_failure ? rec->text : NULL,
        };
        return true;
    }
    return false;
}
