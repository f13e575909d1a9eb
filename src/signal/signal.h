/**
 * The browser protocol: JSON frames of a WebSocket ↔ messages of the call model, and the execution
 * of what the model decides. docs/protocol.md is the catalogue of what passes here.
 *
 * Two dialects of the same protocol: the Node tutorial's at /one2one, the Java tutorials' at /call.
 *
 *     transport ── signal_frame ──► request.c: JSON → struct ──► call model ──► actions ─┐
 *     transport ◄── send ── reply.c: struct → JSON ◄─────────────────────────────────────┤
 *     media backend ◄── start, play, candidate, release ◄────────────────────────────────┘
 *
 * Everything happens on the control thread. No function here calls signal again through the
 * transport or the media backend: `send` and `close` queue, they do not report back.
 */
#ifndef SIGNAL_SIGNAL_H
#define SIGNAL_SIGNAL_H

#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"
#include "base/rng.h"
#include "base/str.h"
#include "base/time.h"
#include "call/call.h"
#include "media/media.h"

enum signal_dialect {
    SIGNAL_NODE, /**< path /one2one */
    SIGNAL_JAVA, /**< path /call */
};

/** Messages a second that a socket may send in the long run: a call is set up with 10 to 40. */
#define SIGNAL_RATE_PER_S 50

/** Messages at once: a page with every kind of candidate, twice over. */
#define SIGNAL_RATE_BURST 200

/** Once over the limit, a socket is heard again when it may send this many. */
#define SIGNAL_RATE_RESUME 50

/** The network under the signaling, filled by its owner. */
struct signal_transport {
    /** Queue one text frame; the text is copied. Unknown and closing sockets are ignored. */
    void (*send)(void *user, uint64_t socket, struct str text);

    /** Close with a WebSocket code. signal has forgotten the socket already. */
    void (*close)(void *user, uint64_t socket, int code, const char *reason);

    void *user;
};

/** RO after signal_new. */
struct signal_config {
    struct call_config call; /**< time-outs and limits of users and calls; are they recorded? */

    /** Time of day [µs since 1970, UTC]; needed where calls are recorded. */
    int64_t (*wall_clock)(void);

    /** A call is over: for the log and call records. Views are borrowed for the call. May be NULL.
     */
    void (*on_call_ended)(void *user, const struct call_record *record);
    void *user; /**< of on_call_ended */
};

/** Counters since the start, and what is alive. */
struct signal_stats {
    uint64_t frames;         /**< received */
    uint64_t frames_refused; /**< answered with an error of form */
    uint64_t frames_dropped; /**< over the rate limit */
    uint64_t calls_ended;
    size_t sockets, users, calls; /**< now */
    size_t plays;                 /**< recordings that are played now */
};

struct signal;

/**
 * @param config     copied
 * @param transport  copied; its user is borrowed
 * @param media      borrowed for the life of signal; its `wake` must lead to
 *                   signal_media_ready by way of the event loop, never directly
 * @param rng        borrowed likewise
 * @return NULL when out of memory
 */
struct signal *signal_new(const struct signal_config *config,
                          const struct signal_transport *transport, struct media *media,
                          struct rng *rng);

/** NULL is legal. Ends nothing in order: that is signal_shutdown. Frees neither media nor sockets.
 */
void signal_free(struct signal *s);

/**
 * A WebSocket is open.
 *
 * @param socket  its number, never used again in this process
 * @return 0, or -ENOMEM: close it
 */
MUST_CHECK int signal_socket_opened(struct signal *s, mono_us now, uint64_t socket,
                                    enum signal_dialect dialect);

/** One whole frame (text or binary, at most 64 KiB), borrowed. Unknown sockets are ignored. */
void signal_frame(struct signal *s, mono_us now, uint64_t socket, struct str text);

/** The socket is gone, whoever closed it. Unknown sockets are ignored. */
void signal_socket_closed(struct signal *s, mono_us now, uint64_t socket);

/** The media backend has events: drains them. */
void signal_media_ready(struct signal *s, mono_us now);

/** Time has come (signal_deadline). Early calls do no harm. */
void signal_timeout(struct signal *s, mono_us now);

/** When signal_timeout is due; MONO_NEVER = nothing waits. Ask again after every call above. */
mono_us signal_deadline(const struct signal *s);

/** Every call ends with reason `server-shutdown`; new ones are refused. Sockets stay open. */
void signal_shutdown(struct signal *s, mono_us now);

struct signal_stats signal_get_stats(const struct signal *s);

#endif
