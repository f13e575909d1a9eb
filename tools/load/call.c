/* Three kinds of events move a call: what the server says (driver events), what the media finds,
 * and the limit of the state. All of them are handled here, so that the whole order of a call is on
 * one page. */
#include "load/call.h"

#include <stdarg.h>
#include <stdio.h>

/** Longer than anybody waits. The server itself gives up after 30 s. */
#define SETUP_LIMIT (15 * US_PER_S)
/** From the opening of the WebSocket to registered. */
#define REGISTER_LIMIT (20 * US_PER_S)
/** Time for the last packets to arrive: ten frames, and more as long as some are missing. */
#define HUSH_TIME  (200 * US_PER_MS)
#define HUSH_LIMIT (3 * US_PER_S)
/** Until the partner is told of the end. */
#define END_LIMIT (5 * US_PER_S)
/** After a failure: what is still under way belongs to the old call. */
#define FAILURE_PAUSE US_PER_S

const char *call_state_name(enum call_state state)
{
    static const char *const names[] = {
        [CALL_NEW] = "new",         [CALL_REGISTERING] = "registering", [CALL_IDLE] = "idle",
        [CALL_RINGING] = "ringing", [CALL_CONNECTING] = "connecting",   [CALL_UP] = "up",
        [CALL_HUSHED] = "hushed",   [CALL_ENDING] = "ending",           [CALL_FAILED] = "failed",
        [CALL_DEAD] = "dead",
    };
    return names[state];
}

static void set_state(struct call *call, enum call_state state, mono_us limit)
{
    call->env->n_in[call->state]--;
    call->env->n_in[state]++;
    call->state = state;
    loop_timer_set(call->env->loop, &call->timer, limit);
}

static struct user *partner_of(const struct user *u)
{
    return &u->call->users[1 - u->side];
}

PRINTF_LIKE(2, 3) static void tell(const struct user *u, const char *format, ...)
{
    static const char *const names[] = {"alice", "bob"};
    va_list args;
    if (!u->call->env->is_demo)
        return;
    mono_us since = u->call->dialled_at ? loop_now() - u->call->dialled_at : 0;
    (void)printf("%9.1f ms  %-6s", (double)since / 1000, names[u->side]);
    va_start(args, format);
    (void)vprintf(format, args);
    va_end(args);
    (void)printf("\n");
    (void)fflush(stdout);
}

/* --- the end --- */

static void close_media(struct call *call, mono_us now)
{
    for (unsigned i = 0; i < 2; i++)
        media_close(&call->users[i].media, now);
}

static bool is_running(const struct call *call)
{
    return call->state >= CALL_RINGING && call->state <= CALL_ENDING;
}

/* What was missing when the time was over; for the list of errors. */
static const char *progress_of(const struct user *u)
{
    if (!u->has_answer)
        return "no answer";
    if (u->call->env->has_media && !u->media.is_connected)
        return u->media.peer ? peer_state_name(u->media.peer->state) : "no media";
    return u->media.ear.has_heard ? "hears" : "connected, hears nothing";
}

static void fail(struct user *u, mono_us now, const char *why)
{
    struct call *call = u->call;
    if (!is_running(call))
        return;
    stats_error(call->env->stats, "%s, %s: %s", call_state_name(call->state),
                u->side == 0 ? "caller" : "callee", why);
    tell(u, "FAILED: %s", why);
    call->env->stats->calls_failed++;
    for (unsigned i = 0; i < 2; i++)
        call->env->driver->hang_up(&call->users[i].session);
    close_media(call, now);
    set_state(call, CALL_FAILED, now + FAILURE_PAUSE);
}

static void kill_user(struct user *u, mono_us now, const char *why)
{
    struct call *call = u->call;
    struct stats *stats = call->env->stats;
    fail(u, now, why);
    ws_close(&u->ws);
    if (call->state == CALL_DEAD)
        return;
    if (u->is_registered)
        stats->users_lost++;
    else
        stats->users_failed++;
    stats_error(stats, "%s: %s", u->is_registered ? "WebSocket" : "registration", why);
    set_state(call, CALL_DEAD, MONO_NEVER);
}

static uint32_t n_missing(const struct call *call)
{
    uint32_t n = 0;
    for (unsigned i = 0; i < 2; i++)
        n += track_lost(&call->users[i].media.ear.track, call->users[1 - i].media.n_sent);
    return n;
}

void call_keep_alive(struct call *call)
{
    for (unsigned i = 0; i < 2; i++)
        call->env->driver->keep_alive(&call->users[i].session);
}

void call_hang_up(struct call *call, mono_us now)
{
    for (unsigned i = 0; i < 2; i++)
        media_hush(&call->users[i].media);
    call->hushed_at = now;
    set_state(call, CALL_HUSHED, now + HUSH_TIME);
}

static void hang_up_now(struct call *call, mono_us now)
{
    struct user *u = &call->users[(call->index + call->round) % 2];
    call->env->stats->packets_lost += n_missing(call);
    tell(u, "→ hangs up");
    call->env->driver->hang_up(&u->session);
    media_close(&u->media, now);
    set_state(call, CALL_ENDING, now + END_LIMIT);
}

static void on_ended(struct user *u, mono_us now, struct str why)
{
    struct call *call = u->call;
    char text[DRIVER_TEXT_MAX];
    if (call->state == CALL_ENDING && u->side != (call->index + call->round) % 2) {
        tell(u, "← the call has ended: %.*s", STR_FMT(why));
        close_media(call, now);
        call->env->stats->calls_ended++;
        set_state(call, CALL_IDLE, MONO_NEVER);
        return;
    }
    (void)snprintf(text, sizeof(text), "ended by the server: %.*s", STR_FMT(why));
    fail(u, now, text);
}

/* --- the beginning --- */

static void send_candidates(struct user *u)
{
    const struct driver *driver = u->call->env->driver;
    if (!u->call->env->has_media || !driver->candidate)
        return;
    tell(u, "→ %s", u->media.candidate);
    driver->candidate(&u->session, u->media.candidate, u->media.ufrag);
    driver->candidate(&u->session, "", u->media.ufrag);
}

void call_dial(struct call *call, mono_us now)
{
    struct user *u = &call->users[0];
    char offer[OFFER_MAX];
    struct text text;
    call->round++;
    call->dialled_at = now;
    call->env->stats->calls_tried++;
    set_state(call, CALL_RINGING, now + SETUP_LIMIT);
    for (unsigned i = 0; i < 2; i++) {
        const struct media_identity id = {call->index, call->round, (uint8_t)i};
        call->users[i].has_answer = false;
        if (media_open(&call->users[i].media, &id)) {
            fail(u, now, "no UDP socket can be opened");
            return;
        }
    }
    text_init(&text, offer, sizeof(offer));
    media_offer(&u->media, &text);
    tell(u, "→ calls bob, with an offer as %s makes it", u->media.offer.kind.name);
    call->env->driver->call(&u->session, call->users[1].session.name, offer);
    send_candidates(u);
}

/* With an offer of one's own, or, to a server that offers, with the answer. */
static void on_incoming(struct user *u, mono_us now, struct str from, struct str offer)
{
    char sdp[OFFER_MAX];
    struct text text;
    const char *why = NULL;
    if (u->call->state != CALL_RINGING || !str_eq(from, str_of(partner_of(u)->session.name))) {
        fail(u, now, "rung by somebody else, or out of turn");
        return;
    }
    tell(u, "← alice calls%s", offer.len ? ", with the server's offer" : "");
    text_init(&text, sdp, sizeof(sdp));
    if (offer.len) {
        why = media_answer(&u->media, now, offer, &text);
        u->has_answer = true;
    } else {
        media_offer(&u->media, &text);
    }
    if (why) {
        fail(u, now, why);
        return;
    }
    tell(u, "→ accepts, with an %s as %s makes it", offer.len ? "answer" : "offer",
         u->media.offer.kind.name);
    u->call->env->driver->accept(&u->session, partner_of(u)->session.name, sdp);
    send_candidates(u);
}

static void come_up(struct call *call, mono_us now)
{
    histogram_add(&call->env->stats->setup, now - call->dialled_at);
    call->env->stats->calls_up++;
    call->up_at = now;
    set_state(call, CALL_UP, MONO_NEVER);
}

static void on_answer(struct user *u, mono_us now, struct str answer)
{
    struct call *call = u->call;
    if (call->state != CALL_RINGING || u->has_answer) {
        fail(u, now, "an answer out of turn");
        return;
    }
    tell(u, "← %s the server's answer", u->side == 0 ? "bob accepts:" : "the call begins:");
    u->has_answer = true;
    const char *why = call->env->has_media ? media_start(&u->media, now, answer) : NULL;
    if (why)
        fail(u, now, why);
    if (call->state != CALL_RINGING || !partner_of(u)->has_answer)
        return;
    histogram_add(&call->env->stats->answered, now - call->dialled_at);
    if (call->env->has_media)
        set_state(call, CALL_CONNECTING, call->dialled_at + SETUP_LIMIT);
    else
        come_up(call, now);
}

/* --- handlers of the media --- */

static struct user *user_of_media(struct media *m)
{
    return CONTAINER_OF(m, struct user, media);
}

/* The microphones open when both are connected: from then on not a packet may be missing. */
static void on_media_connected(struct media *m, mono_us now)
{
    struct user *u = user_of_media(m);
    char path[ADDR_TEXT_MAX];
    tell(u, "ICE found the path to %s, DTLS agreed on keys",
         addr_write(&m->peer->path_remote, path));
    if (!partner_of(u)->media.is_connected)
        return;
    histogram_add(&u->call->env->stats->connected, now - u->call->dialled_at);
    for (unsigned i = 0; i < 2; i++)
        media_speak(&u->call->users[i].media, now);
}

static void on_media_heard(struct media *m, mono_us now)
{
    struct user *u = user_of_media(m);
    tell(u, "hears %s: the first packet, decrypted and checked", u->side == 0 ? "bob" : "alice");
    if (partner_of(u)->media.ear.has_heard && u->call->state == CALL_CONNECTING)
        come_up(u->call, now);
}

/* When one hangs up the server closes the other's media too, and that may be faster than the word
 * on the WebSocket, which is what ends the call. */
static void on_media_ended(struct media *m, mono_us now, const char *why)
{
    struct user *u = user_of_media(m);
    if (u->call->state != CALL_ENDING)
        fail(u, now, why);
    else
        media_close(m, now);
}

/* --- handlers of the WebSocket --- */

static struct user *user_of_ws(struct ws *ws)
{
    return CONTAINER_OF(ws, struct user, ws);
}

static void on_ws_open(struct ws *ws, mono_us now)
{
    struct user *u = user_of_ws(ws);
    (void)now;
    tell(u, "→ WebSocket open; registers as %s", u->session.name);
    u->call->env->driver->open(&u->session);
}

static void on_registered(struct user *u, mono_us now)
{
    u->is_registered = true;
    tell(u, "← registered");
    histogram_add(&u->call->env->stats->registration, now - u->opened_at);
    if (partner_of(u)->is_registered && u->call->state == CALL_REGISTERING)
        set_state(u->call, CALL_IDLE, MONO_NEVER);
}

static void on_refused(struct user *u, mono_us now, struct str why)
{
    char text[DRIVER_TEXT_MAX];
    (void)snprintf(text, sizeof(text), "%.*s", STR_FMT(why));
    if (u->is_registered)
        fail(u, now, text);
    else
        kill_user(u, now, text);
}

static void on_ws_message(struct ws *ws, mono_us now, struct str message)
{
    struct user *u = user_of_ws(ws);
    struct driver_event event = u->call->env->driver->receive(&u->session, message);
    char text[DRIVER_TEXT_MAX];
    if (event.is_for_partner)
        u = partner_of(u);
    switch (event.type) {
    case DRIVER_NOTHING:
        break;
    case DRIVER_REGISTERED:
        on_registered(u, now);
        break;
    case DRIVER_RINGING:
        tell(u, "← ringing");
        break;
    case DRIVER_INCOMING:
        on_incoming(u, now, event.from, event.text);
        break;
    case DRIVER_ANSWER:
        on_answer(u, now, event.text);
        break;
    case DRIVER_CANDIDATE:
        tell(u, "← %.*s", STR_FMT(event.text));
        media_add_candidate(&u->media, now, event.text);
        break;
    case DRIVER_ENDED:
        on_ended(u, now, event.text);
        break;
    case DRIVER_REFUSED:
        on_refused(u, now, event.text);
        break;
    case DRIVER_ERROR:
        (void)snprintf(text, sizeof(text), "%.*s", STR_FMT(event.text));
        stats_error(u->call->env->stats, "%s", text);
        fail(u, now, text);
        break;
    }
}

static void on_ws_closed(struct ws *ws, mono_us now, const char *why)
{
    kill_user(user_of_ws(ws), now, why);
}

/* --- the limit of a state --- */

static void on_limit(struct loop_timer *t, mono_us now)
{
    struct call *call = CONTAINER_OF(t, struct call, timer);
    char text[DRIVER_TEXT_MAX];
    switch (call->state) {
    case CALL_REGISTERING:
        kill_user(&call->users[call->users[0].is_registered], now, "no answer in 20 s");
        break;
    case CALL_RINGING:
    case CALL_CONNECTING:
        (void)snprintf(text, sizeof(text), "not up after 15 s (caller: %s, callee: %s)",
                       progress_of(&call->users[0]), progress_of(&call->users[1]));
        fail(&call->users[0], now, text);
        break;
    case CALL_HUSHED:
        if (n_missing(call) && now - call->hushed_at < HUSH_LIMIT)
            set_state(call, CALL_HUSHED, now + HUSH_TIME);
        else
            hang_up_now(call, now);
        break;
    case CALL_ENDING:
        fail(&call->users[1 - (call->index + call->round) % 2], now, "not told of the end");
        break;
    case CALL_FAILED:
        set_state(call, CALL_IDLE, MONO_NEVER);
        break;
    case CALL_NEW:
    case CALL_IDLE:
    case CALL_UP:
    case CALL_DEAD:
    case CALL_STATES:
        break;
    }
}

/* --- making it --- */

void call_env_init(struct call_env *env)
{
    env->ws.handlers = (struct ws_handlers){on_ws_open, on_ws_message, on_ws_closed};
    env->media.handlers =
        (struct media_handlers){on_media_connected, on_media_heard, on_media_ended};
}

int call_init(struct call *call, struct call_env *env, uint32_t index)
{
    *call = (struct call){.env = env, .state = CALL_NEW, .index = index};
    env->n_in[CALL_NEW]++;
    int err = loop_timer_init(env->loop, &call->timer, on_limit);
    for (unsigned i = 0; i < 2 && !err; i++) {
        struct user *u = &call->users[i];
        u->call = call;
        u->side = (uint8_t)i;
        u->ws.watch.fd = -1;
        u->session.driver = env->driver;
        u->session.ws = &u->ws;
        u->session.partner = &partner_of(u)->session;
        (void)snprintf(u->session.name, sizeof(u->session.name), "%s-%s-%u",
                       i == 0 ? "alice" : "bob", env->run, index);
        err = media_init(&u->media, &env->media);
    }
    return err;
}

void call_deinit(struct call *call, mono_us now)
{
    close_media(call, now);
    for (unsigned i = 0; i < 2; i++) {
        ws_close(&call->users[i].ws);
        driver_session_deinit(&call->users[i].session);
    }
    loop_timer_set(call->env->loop, &call->timer, MONO_NEVER);
}

void call_register(struct call *call, mono_us now)
{
    set_state(call, CALL_REGISTERING, now + REGISTER_LIMIT);
    for (unsigned i = 0; i < 2; i++) {
        struct user *u = &call->users[i];
        u->opened_at = now;
        int err = ws_open(&u->ws, &call->env->ws);
        if (err) {
            kill_user(u, now, strerror(-err));
            return;
        }
    }
}
