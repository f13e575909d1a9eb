/*
 * The way of a message: frame → call model (frame.c) → actions. The model never calls back; after
 * every input its actions are run until none is left. Whatever an action brings about (a backend
 * that cannot start, a socket for which memory ran out) goes back into the model as an input, and
 * its actions join the same queue.
 */
#include "signal/signal.h"

#include <errno.h>
#include <stdlib.h>

#include "base/mem.h"
#include "log/log.h"
#include "signal/private.h"
#include "signal/reply.h"

/* RFC 6455 §7.4.1: the server met an unexpected condition. */
#define CLOSE_INTERNAL_ERROR 1011

static const void *socket_key(const void *value, size_t *ret_len)
{
    const struct signal_socket *sock = value;
    *ret_len = sizeof(sock->id);
    return &sock->id;
}

struct signal *signal_new(const struct signal_config *config,
                          const struct signal_transport *transport, struct media *media,
                          struct rng *rng)
{
    struct signal *s = mem_zalloc(sizeof(*s));
    if (!s)
        return NULL;
    s->model = call_model_new(&config->call, rng);
    if (!s->model) {
        mem_free(s);
        return NULL;
    }
    s->config = *config;
    s->transport = *transport;
    s->media = media;
    map_init(&s->sockets, socket_key, rng);
    return s;
}

static void free_socket(struct signal_socket *sock)
{
    signal_recordings_clear(&sock->recordings);
    mem_free(sock);
}

void signal_free(struct signal *s)
{
    size_t cursor = 0;
    if (!s)
        return;
    call_model_free(s->model);
    for (struct signal_socket *sock; (sock = map_next(&s->sockets, &cursor));)
        free_socket(sock);
    map_deinit(&s->sockets);
    mem_free(s);
}

/* ---- sockets ---- */

static struct signal_socket *find_socket(const struct signal *s, uint64_t socket)
{
    return map_find(&s->sockets, &socket, sizeof(socket));
}

/* The socket is gone for us; the actions that follow are still to be run. */
static void forget(struct signal *s, mono_us now, struct signal_socket *sock)
{
    uint64_t id = sock->id;
    (void)map_remove(&s->sockets, &id, sizeof(id));
    free_socket(sock);
    int err = call_input(s->model, now, id, &(struct call_msg){.type = CALL_MSG_SOCKET_CLOSED});
    (void)err; /* a closed socket needs no memory */
}

void signal_socket_give_up(struct signal *s, mono_us now, struct signal_socket *sock)
{
    uint64_t id = sock->id;
    forget(s, now, sock);
    s->transport.close(s->transport.user, id, CLOSE_INTERNAL_ERROR, "out of memory");
}

void signal_socket_send(struct signal *s, mono_us now, struct signal_socket *sock, char *text)
{
    if (!text) {
        signal_socket_give_up(s, now, sock);
        return;
    }
    s->transport.send(s->transport.user, sock->id, str_of(text));
    free(text);
}

/* ---- actions ---- */

static struct media_candidate to_media(const struct call_candidate *c)
{
    return (struct media_candidate){c->candidate, c->mid, c->mline_index, c->ufrag};
}

static void run_send(struct signal *s, mono_us now, const struct call_action *action)
{
    struct signal_socket *sock = find_socket(s, action->socket);
    bool is_extra =
        action->reply.type == CALL_REPLY_RINGING || action->reply.type == CALL_REPLY_RECORDING;
    if (!sock || (is_extra && !sock->has_extras))
        return;
    signal_socket_send(s, now, sock, signal_reply_text(sock->dialect, &action->reply));
}

/* Both sides may hear the call when it is over. The call itself is worth more than that. */
static void remember_recording(struct signal *s, const struct call_action *action,
                               const struct signal_recording_files *files)
{
    if (!s->media->ops->play)
        return;
    for (int leg = 0; leg < CALL_LEGS; leg++) {
        struct signal_socket *sock = find_socket(s, action->sockets[leg]);
        if (sock && signal_recordings_add(&sock->recordings, action->call_id, action->names, files))
            log_warning(SIGNAL, "out of memory: \"%.*s\" will not be able to hear this call",
                        STR_FMT(action->names[leg]));
    }
}

static int start_media(struct signal *s, const struct call_action *action)
{
    const struct str *offer = action->offer;
    struct signal_recording_files files;
    if (!action->is_recorded)
        return s->media->ops->start(s->media, action->call_id, offer[CALL_CALLER],
                                    offer[CALL_CALLEE], NULL);
    signal_recording_name(s->config.wall_clock(), action->call_id, action->names, &files);
    remember_recording(s, action, &files);
    const struct str names[CALL_LEGS] = {str_of(files.of[CALL_CALLER]),
                                         str_of(files.of[CALL_CALLEE])};
    return s->media->ops->start(s->media, action->call_id, offer[CALL_CALLER], offer[CALL_CALLEE],
                                names);
}

static void run_start(struct signal *s, mono_us now, const struct call_action *action)
{
    if (!start_media(s, action))
        return;
    call_media_event(s->model, now,
                     &(struct call_media){
                         .type = CALL_MEDIA_ENDED,
                         .call_id = action->call_id,
                         .end = CALL_MEDIA_END_BROKEN,
                         .text = STR("the media backend could not start the call"),
                     });
}

static void run_reoffer(struct signal *s, mono_us now, const struct call_action *action)
{
    enum media_leg leg = action->leg == CALL_CALLER ? MEDIA_CALLER : MEDIA_CALLEE;
    if (!s->media->ops->renegotiate(s->media, action->call_id, leg, action->offer[action->leg]))
        return;
    call_media_event(s->model, now,
                     &(struct call_media){
                         .type = CALL_MEDIA_UNCHANGED,
                         .call_id = action->call_id,
                         .leg = action->leg,
                         .end = CALL_MEDIA_END_BROKEN,
                         .text = STR("the media backend could not take the offer"),
                     });
}

static void run_play(struct signal *s, mono_us now, const struct call_action *action)
{
    LOG_SCOPE(action->call_id, NULL);
    log_info(SIGNAL, "\"%.*s\" hears %.*s", STR_FMT(action->names[0]), STR_FMT(action->recording));
    if (!s->media->ops->play(s->media, action->call_id, action->recording,
                             action->offer[CALL_CALLER]))
        return;
    call_media_event(s->model, now,
                     &(struct call_media){
                         .type = CALL_MEDIA_ENDED,
                         .call_id = action->call_id,
                         .end = CALL_MEDIA_END_BROKEN,
                     });
}

static void run_candidate(struct signal *s, const struct call_action *action)
{
    struct media_candidate candidate = to_media(&action->candidate);
    s->media->ops->add_candidate(s->media, action->call_id,
                                 action->leg == CALL_CALLER ? MEDIA_CALLER : MEDIA_CALLEE,
                                 &candidate);
}

static void run_quality(struct signal *s, const struct call_action *action)
{
    const struct media_hearing hearing = {action->hearing.concealed_permille,
                                          action->hearing.jitter_buffer_ms};
    s->media->ops->ask_quality(s->media, action->call_id,
                               action->leg == CALL_CALLER ? MEDIA_CALLER : MEDIA_CALLEE, &hearing);
}

/* A call that never connected must not hide the one before it. */
static void forget_recording(struct signal *s, const struct call_record *record)
{
    for (int leg = 0; leg < CALL_LEGS; leg++) {
        struct signal_socket *sock = find_socket(s, record->sockets[leg]);
        if (sock)
            signal_recordings_forget(&sock->recordings, record->call_id);
    }
}

static void run_ended(struct signal *s, const struct call_action *action)
{
    if (action->record.active_at == MONO_NEVER)
        forget_recording(s, &action->record);
    s->stats.calls_ended++;
    if (s->config.on_call_ended)
        s->config.on_call_ended(s->config.user, &action->record);
}

static void run_actions(struct signal *s, mono_us now)
{
    struct call_action action;
    while (call_poll_action(s->model, &action)) {
        switch (action.type) {
        case CALL_ACTION_SEND:
            run_send(s, now, &action);
            break;
        case CALL_ACTION_MEDIA_START:
            run_start(s, now, &action);
            break;
        case CALL_ACTION_MEDIA_PLAY:
            run_play(s, now, &action);
            break;
        case CALL_ACTION_MEDIA_CANDIDATE:
            run_candidate(s, &action);
            break;
        case CALL_ACTION_MEDIA_QUALITY:
            run_quality(s, &action);
            break;
        case CALL_ACTION_MEDIA_REOFFER:
            run_reoffer(s, now, &action);
            break;
        case CALL_ACTION_MEDIA_RELEASE:
            s->media->ops->release(s->media, action.call_id);
            break;
        case CALL_ACTION_ENDED:
            run_ended(s, &action);
            break;
        }
    }
}

/* ---- entry points ---- */

int signal_socket_opened(struct signal *s, mono_us now, uint64_t socket,
                         enum signal_dialect dialect)
{
    struct signal_socket *sock = mem_zalloc(sizeof(*sock));
    if (!sock)
        return -ENOMEM;
    sock->id = socket;
    sock->dialect = dialect;
    signal_recordings_init(&sock->recordings);
    signal_rate_init(&sock->rate, now);
    int err = map_insert(&s->sockets, sock);
    if (err)
        mem_free(sock);
    return err;
}

void signal_frame(struct signal *s, mono_us now, uint64_t socket, struct str text)
{
    struct signal_socket *sock = find_socket(s, socket);
    if (!sock)
        return;
    signal_frame_take(s, now, sock, text);
    run_actions(s, now);
}

void signal_socket_closed(struct signal *s, mono_us now, uint64_t socket)
{
    struct signal_socket *sock = find_socket(s, socket);
    if (!sock)
        return;
    forget(s, now, sock);
    run_actions(s, now);
}

static struct call_line line_of(const struct media_line *line)
{
    return (struct call_line){line->grade, line->trouble};
}

static struct call_media from_media(const struct media_event *event)
{
    static const enum call_media_type types[] = {
        [MEDIA_EVENT_ANSWERED] = CALL_MEDIA_ANSWERED,
        [MEDIA_EVENT_CANDIDATE] = CALL_MEDIA_CANDIDATE,
        [MEDIA_EVENT_CONNECTED] = CALL_MEDIA_CONNECTED,
        [MEDIA_EVENT_REANSWERED] = CALL_MEDIA_REANSWERED,
        [MEDIA_EVENT_UNCHANGED] = CALL_MEDIA_UNCHANGED,
        [MEDIA_EVENT_ENDED] = CALL_MEDIA_ENDED,
        [MEDIA_EVENT_QUALITY] = CALL_MEDIA_QUALITY,
        [MEDIA_EVENT_RECORDING] = CALL_MEDIA_RECORDING,
    };
    static const enum call_media_end ends[] = {
        [MEDIA_END_FAILED] = CALL_MEDIA_END_FAILED,
        [MEDIA_END_LOST] = CALL_MEDIA_END_LOST,
        [MEDIA_END_REMOTE_CLOSED] = CALL_MEDIA_END_REMOTE_CLOSED,
        [MEDIA_END_REFUSED] = CALL_MEDIA_END_REFUSED,
        [MEDIA_END_BROKEN] = CALL_MEDIA_END_BROKEN,
        [MEDIA_END_PLAYED] = CALL_MEDIA_END_PLAYED,
        [MEDIA_END_UNREADABLE] = CALL_MEDIA_END_UNREADABLE,
    };
    return (struct call_media){
        .type = types[event->type],
        .call_id = event->call_id,
        .leg = event->leg == MEDIA_CALLER ? CALL_CALLER : CALL_CALLEE,
        .answer = {event->answer[MEDIA_CALLER], event->answer[MEDIA_CALLEE]},
        .candidate = {event->candidate.candidate, event->candidate.mid,
                      event->candidate.mline_index, event->candidate.ufrag},
        .end = ends[event->end],
        .text = str_of(event->text),
        .lines = {line_of(&event->lines[MEDIA_CALLER]), line_of(&event->lines[MEDIA_CALLEE])},
        .is_recorded = {event->is_recorded[MEDIA_CALLER], event->is_recorded[MEDIA_CALLEE]},
    };
}

void signal_media_ready(struct signal *s, mono_us now)
{
    struct media_event event = {0};
    while (s->media->ops->poll_event(s->media, &event)) {
        struct call_media in = from_media(&event);
        call_media_event(s->model, now, &in);
        run_actions(s, now);
        event = (struct media_event){0};
    }
}

void signal_timeout(struct signal *s, mono_us now)
{
    call_timeout(s->model, now);
    run_actions(s, now);
}

mono_us signal_deadline(const struct signal *s)
{
    return call_deadline(s->model);
}

void signal_shutdown(struct signal *s, mono_us now)
{
    call_shutdown(s->model, now);
    run_actions(s, now);
}

struct signal_stats signal_get_stats(const struct signal *s)
{
    struct signal_stats stats = s->stats;
    stats.sockets = s->sockets.n;
    stats.users = call_n_users(s->model);
    stats.calls = call_n_calls(s->model);
    stats.plays = call_n_plays(s->model);
    return stats;
}
