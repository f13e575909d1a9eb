/*
 * Control side and reading side share struct playing: what is above its line belongs to the control
 * thread until the start message is put, then it is read-only; what is below belongs to the thread.
 * Its messages are inside of it: no end, and no word of one, needs memory. Whoever stops a playing
 * forgets it at once; it is freed when the thread has let go of it.
 *
 * Each turn makes one step of each playing: a read at most, and the packets of it. So a file that
 * is wound forward for a while does not let the others run dry.
 */
#include "play/player.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/list.h"
#include "base/mailbox.h"
#include "base/mem.h"
#include "file/place.h"
#include "log/log.h"
#include "play/hosts.h"
#include "play/http.h"
#include "play/reading.h"

_Static_assert(FILE_PATH_MAX <= PLAYER_URI_MAX, "a path is kept in the place of its URI");

enum message_type {
    MESSAGE_START,
    MESSAGE_STOP, /* and on its way back: the thread has let go of it */
    MESSAGE_TOLD, /* failed or measured */
};

struct message {
    struct mail mail;
    enum message_type type;
    struct playing *playing;
};

struct playing {
    struct player *player;    /* RO */
    void *user;               /* RO */
    enum player_front front;  /* RO */
    bool is_file;             /* RO */
    struct packet_feed *feed; /* RO; a reference; NULL = it is measured */
    int64_t from;             /* RO; ticks */
    char uri[PLAYER_URI_MAX]; /* RO; of a file: the path below the folder */
    struct message start, stop, told;
    bool is_stopped; /* the control side's: its caller has forgotten it */

    /* the thread's, up to the message that tells */
    struct list playings;
    struct play_reading reading;
    enum player_event_type what;
};

/* Events of one front, taken from the mailbox, oldest first. */
struct pending {
    struct mail *first, *last; /* last is valid when first is */
};

struct player {
    struct player_config config; /* RO; the strings are not kept but for the folders and hosts */
    struct front {
        char *folder;             /* RO; owned; NULL = no files */
        int folder_fd;            /* RO; -1 = none */
        struct play_hosts *hosts; /* RO; owned */
    } fronts[PLAYER_N_FRONTS];
    int wake_fd; /* RO */
    pthread_t thread;
    bool is_running; /* RO: the thread was started */
    atomic_bool is_ending;
    struct mailbox commands, events;
    struct play_http *http; /* the thread's; NULL = nobody may fetch anything */
    struct list playings;   /* the thread's */
    struct pending pending[PLAYER_N_FRONTS];
    size_t n_playings; /* alive, up to their freeing */
};

static struct message *message_of(struct mail *mail)
{
    return CONTAINER_OF(mail, struct message, mail);
}

/* --- the thread --- */

static void report(struct message *m)
{
    struct player *p = m->playing->player;
    if (mailbox_put(&p->events, &m->mail))
        p->config.wake(p->config.wake_user);
}

static void tell(struct playing *g, enum player_event_type what)
{
    g->what = what;
    report(&g->told);
}

static void carry_out_start(struct playing *g)
{
    struct player *p = g->player;
    struct front *front = &p->fronts[g->front];
    struct play_error *error = &g->reading.error;
    struct play_source *source = g->is_file ? play_file_open(front->folder_fd, g->uri, error)
                                            : play_http_open(p->http, front->hosts, g->uri, error);
    play_reading_init(&g->reading, g->feed, g->from, source, g->is_file);
    list_append(&p->playings, &g->playings);
}

static void carry_out_stop(struct playing *g)
{
    const struct play_reading *r = &g->reading;
    if (r->is_cut)
        log_warning(PLAY, "%.200s is cut off; what there is was played", g->uri);
    if (r->n_long)
        log_warning(PLAY, "%.200s: %u packets are longer than %d bytes and were left out", g->uri,
                    r->n_long, PACKET_FEED_MAX_FRAME);
    play_reading_deinit(&g->reading);
    list_remove(&g->playings);
    report(&g->stop); /* it is the control thread's from here on */
}

/* @return there is more to be done now */
static bool work_on(struct playing *g)
{
    const struct play_reading *r = &g->reading;
    switch (play_reading_step(&g->reading)) {
    case PLAY_READING_BUSY:
        return true;
    case PLAY_READING_IDLE:
        break;
    case PLAY_READING_FAILED:
        log_warning(PLAY, "cannot play %.200s%s: %.200s", g->uri, r->has_begun ? " to its end" : "",
                    r->error.text);
        tell(g, PLAYER_FAILED);
        return true;
    case PLAY_READING_MEASURED:
        tell(g, PLAYER_MEASURED);
        break;
    }
    return false;
}

static void carry_out_all(struct player *p)
{
    for (struct mail *mail = mailbox_take_all(&p->commands), *next; mail; mail = next) {
        struct message *m = message_of(mail);
        next = mail->next;
        if (m->type == MESSAGE_START)
            carry_out_start(m->playing);
        else
            carry_out_stop(m->playing);
    }
}

static bool work_on_all(struct player *p)
{
    bool is_busy = false;
    LIST_FOREACH(node, &p->playings)
        is_busy |= work_on(CONTAINER_OF(node, struct playing, playings));
    return is_busy;
}

static void sleep_a_while(struct player *p)
{
    int ms = list_is_empty(&p->playings) ? -1 : (int)(PLAYER_PERIOD / US_PER_MS);
    struct pollfd wake = {.fd = p->wake_fd, .events = POLLIN};
    uint64_t n;
    if (p->http)
        play_http_wait(p->http, p->wake_fd, ms);
    else
        (void)poll(&wake, 1, ms);
    ssize_t ignored = read(p->wake_fd, &n, sizeof(n));
    (void)ignored; /* non-blocking: nobody woke us */
}

static void *run(void *arg)
{
    struct player *p = arg;
    while (!atomic_load(&p->is_ending)) {
        carry_out_all(p);
        if (p->http)
            play_http_run(p->http);
        if (!work_on_all(p))
            sleep_a_while(p);
    }
    carry_out_all(p);
    LIST_FOREACH(node, &p->playings)
        play_reading_deinit(&CONTAINER_OF(node, struct playing, playings)->reading);
    return NULL;
}

static void wake_thread(struct player *p)
{
    ssize_t n = write(p->wake_fd, &(uint64_t){1}, sizeof(uint64_t));
    (void)n; /* full: it is awake */
}

/* --- the control side: beginning and end --- */

static int say(char *error, const char *what, const char *why)
{
    (void)snprintf(error, PLAY_ERROR_MAX, "%.160s: %.80s", what, why);
    return -1;
}

static int refuse_folder(char *error, const struct player_rights *rights, const char *why)
{
    (void)snprintf(error, PLAY_ERROR_MAX, "%s: %.160s: %.80s", rights->setting, rights->folder,
                   why);
    return -1;
}

static int open_front(struct player *p, enum player_front front, char *error)
{
    const struct player_rights *rights = &p->config.rights[front];
    struct front *f = &p->fronts[front];
    f->hosts = play_hosts_new(rights->hosts, rights->n_hosts);
    if (!f->hosts)
        return say(error, "player", "out of memory");
    if (!rights->folder || !rights->folder[0])
        return 0;
    if (rights->folder[0] != '/')
        return refuse_folder(error, rights, "not an absolute path");
    f->folder = mem_strdup(str_of(rights->folder));
    if (!f->folder)
        return say(error, "player", "out of memory");
    f->folder_fd = open(f->folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (f->folder_fd < 0 || faccessat(f->folder_fd, ".", X_OK, AT_EACCESS))
        return refuse_folder(error, rights, strerror(errno));
    return 0;
}

static int open_all(struct player *p, char *error)
{
    bool needs_http = false;
    for (unsigned i = 0; i < PLAYER_N_FRONTS; i++) {
        if (open_front(p, (enum player_front)i, error))
            return -1;
        needs_http |= p->config.rights[i].n_hosts > 0;
    }
    p->wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (p->wake_fd < 0)
        return say(error, "eventfd", strerror(errno));
    if (needs_http)
        p->http = play_http_new();
    return needs_http && !p->http ? say(error, "player", "out of memory") : 0;
}

/* Signals are the main thread's. */
static int start_thread(struct player *p, char *error)
{
    sigset_t all, before;
    (void)sigfillset(&all);
    (void)pthread_sigmask(SIG_SETMASK, &all, &before);
    int err = pthread_create(&p->thread, NULL, run, p);
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (err)
        return say(error, "thread", strerror(err));
    (void)pthread_setname_np(p->thread, "player");
    p->is_running = true;
    return 0;
}

static void playing_free(struct playing *g)
{
    if (!g)
        return;
    g->player->n_playings--;
    packet_feed_unref(g->feed);
    mem_free(g);
}

struct player *player_new(const struct player_config *config, char *error)
{
    struct player *p = mem_zalloc(sizeof(*p));
    if (!p) {
        (void)say(error, "player", "out of memory");
        return NULL;
    }
    p->config = *config;
    p->wake_fd = -1;
    for (unsigned i = 0; i < PLAYER_N_FRONTS; i++)
        p->fronts[i].folder_fd = -1;
    list_init(&p->playings);
    mailbox_init(&p->commands);
    mailbox_init(&p->events);
    if (open_all(p, error) || start_thread(p, error)) {
        player_free(p);
        return NULL;
    }
    return p;
}

/* What nobody polled any more. */
static void drop_events(struct player *p)
{
    struct player_event event;
    for (unsigned i = 0; i < PLAYER_N_FRONTS; i++) {
        while (player_poll_event(p, (enum player_front)i, &event))
            continue;
    }
}

void player_free(struct player *p)
{
    if (!p)
        return;
    if (p->is_running) {
        atomic_store(&p->is_ending, true);
        wake_thread(p);
        (void)pthread_join(p->thread, NULL);
        drop_events(p);
    }
    for (struct list *node; (node = list_pop(&p->playings));)
        playing_free(CONTAINER_OF(node, struct playing, playings));
    play_http_free(p->http);
    for (unsigned i = 0; i < PLAYER_N_FRONTS; i++) {
        play_hosts_free(p->fronts[i].hosts);
        mem_free(p->fronts[i].folder);
        if (p->fronts[i].folder_fd >= 0)
            (void)close(p->fronts[i].folder_fd);
    }
    if (p->wake_fd >= 0)
        (void)close(p->wake_fd);
    mem_free(p);
}

/* --- the control side: what is to be played --- */

static int refuse_place(const struct player_rights *rights, int err, struct play_error *error)
{
    switch (err) {
    case FILE_E_SCHEME:
        return play_source_fail(error, PLAY_T_NOT_PERMITTED,
                                "only file://, http:// and https:// URIs can be played");
    case FILE_E_OUTSIDE:
        return play_source_fail(error, PLAY_T_NOT_PERMITTED, "the file is not below %s",
                                rights->setting);
    default:
        return play_source_fail(error, PLAY_T_NOT_FOUND, "the URI names no file");
    }
}

/**
 * What a URI means to a front.
 *
 * @param buf  PLAYER_URI_MAX bytes: the path below the folder, or the URI
 * @return 0, or PLAY_SOURCE_FAILED with *error
 */
static int locate(const struct player *p, enum player_front front, struct str uri, char *buf,
                  bool *ret_is_file, struct play_error *error)
{
    const struct front *f = &p->fronts[front];
    const struct player_rights *rights = &p->config.rights[front];
    *ret_is_file = player_is_file(uri);
    if (!str_copy(uri, buf, PLAYER_URI_MAX))
        return play_source_fail(error, PLAY_T_NOT_FOUND, "the URI is longer than %d bytes",
                                PLAYER_URI_MAX - 1);
    if (!*ret_is_file)
        return play_http_check(f->hosts, buf, error);
    int err = file_place_parse(uri, f->folder ? str_of(f->folder) : STR("/"), buf);
    if (!f->folder && err != FILE_E_SCHEME)
        return play_source_fail(error, PLAY_T_NOT_PERMITTED, "no files are played: %s is not set",
                                rights->setting);
    return err ? refuse_place(rights, err, error) : 0;
}

bool player_check(const struct player *p, enum player_front front, struct str uri,
                  struct play_error *error)
{
    char buf[PLAYER_URI_MAX];
    bool is_file;
    return locate(p, front, uri, buf, &is_file, error) == 0;
}

static void command(struct message *m, struct playing *g, enum message_type type)
{
    *m = (struct message){.type = type, .playing = g};
    if (mailbox_put(&g->player->commands, &m->mail))
        wake_thread(g->player);
}

int player_start(struct player *p, const struct player_order *order, struct playing **ret)
{
    struct play_error error;
    if (p->n_playings >= p->config.max_playings)
        return PLAYER_E_FULL;
    struct playing *g = mem_zalloc(sizeof(*g));
    if (!g)
        return -ENOMEM;
    int err = locate(p, order->front, order->uri, g->uri, &g->is_file, &error);
    if (err) { /* it has passed player_check: there is no memory to read the URL once more */
        assert(!g->is_file);
        mem_free(g);
        return -ENOMEM;
    }
    assert(order->from >= 0 && order->from < PACKET_FEED_MAX_POSITION);
    g->player = p;
    g->user = order->user;
    g->front = order->front;
    g->from = order->from;
    g->feed = order->feed ? packet_feed_ref(order->feed) : NULL;
    g->told = (struct message){.type = MESSAGE_TOLD, .playing = g};
    list_init(&g->playings);
    p->n_playings++;
    command(&g->start, g, MESSAGE_START);
    *ret = g;
    return 0;
}

void playing_stop(struct playing *g)
{
    if (!g)
        return;
    g->is_stopped = true;
    command(&g->stop, g, MESSAGE_STOP);
}

bool player_is_file(struct str uri)
{
    return !play_http_is(uri);
}

/* --- the control side: events --- */

static void sort_events(struct player *p)
{
    for (struct mail *mail = mailbox_take_all(&p->events), *next; mail; mail = next) {
        struct pending *pending = &p->pending[message_of(mail)->playing->front];
        next = mail->next;
        mail->next = NULL;
        *(pending->first ? &pending->last->next : &pending->first) = mail;
        pending->last = mail;
    }
}

static struct message *next_event(struct player *p, enum player_front front)
{
    struct pending *pending = &p->pending[front];
    if (!pending->first)
        sort_events(p);
    struct mail *mail = pending->first;
    if (!mail)
        return NULL;
    pending->first = mail->next;
    return message_of(mail);
}

bool player_poll_event(struct player *p, enum player_front front, struct player_event *ret)
{
    for (struct message *m; (m = next_event(p, front));) {
        struct playing *g = m->playing;
        if (m->type == MESSAGE_STOP) {
            playing_free(g);
            continue;
        }
        if (g->is_stopped)
            continue;
        *ret = (struct player_event){
            .type = g->what,
            .playing = g,
            .user = g->user,
            .has_begun = g->reading.has_begun,
            .error = g->what == PLAYER_FAILED ? &g->reading.error : NULL,
            .duration = g->what == PLAYER_MEASURED ? g->reading.end : 0,
        };
        return true;
    }
    return false;
}
