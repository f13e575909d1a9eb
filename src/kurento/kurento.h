/**
 * The Kurento Protocol: an application written for Kurento Media Server runs on Duet.
 *
 *     transport ── kurento_frame ─▶ rpc.c: JSON → request ─▶ method.c ─▶ operation of the object's
 * type transport ◀─ send ── answer, events ◀───────────────────────────────────────┤ media engine
 * ◀── endpoints, connections ◀─────────────────────────────────────┘
 *
 * Everything happens on the control thread. `send` and `close` queue, they do not report back.
 * What a real server answers to what was measured on version 7.3.1; docs/kurento.md has the
 * differences.
 */
#ifndef KURENTO_KURENTO_H
#define KURENTO_KURENTO_H

#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"
#include "base/rng.h"
#include "base/str.h"
#include "base/time.h"
#include "engine/engine.h"
#include "play/player.h"
#include "record/recorder.h"

/** The network under it, filled by its owner. */
struct kurento_transport {
    /** Queue one text frame; the text is copied. Unknown and closing sockets are ignored. */
    void (*send)(void *user, uint64_t socket, struct str text);

    /** Close with a WebSocket code. The socket is forgotten here already. */
    void (*close)(void *user, uint64_t socket, int code, const char *reason);

    void *user;
};

/** RO after kurento_new. */
struct kurento_config {
    const char *version;      /**< of the media server that clients see; static */
    const char *build_time;   /**< of its modules, as clients see it; static */
    mono_us collector_period; /**< a session without connection lives one to two of these */
    int64_t wall_offset;      /**< wall time [µs since 1970] minus monotonic time */
};

struct kurento_stats {
    uint64_t requests, refused; /**< answered, and of those with an error */
    size_t sockets, sessions, objects, pipelines;
};

struct kurento;

/**
 * @param transport  copied; its user is borrowed
 * @param engine     borrowed; its `wake` must lead to kurento_media_ready by way of the event loop
 * @param recorder   likewise; NULL = nothing can be recorded
 * @param player     likewise; NULL = nothing can be played
 * @param rng        borrowed
 * @return NULL when out of memory
 */
struct kurento *kurento_new(const struct kurento_config *config,
                            const struct kurento_transport *transport, struct engine *engine,
                            struct recorder *recorder, struct player *player, struct rng *rng,
                            mono_us now);

/** Releases everything without telling anybody. NULL is legal. */
void kurento_free(struct kurento *k);

/** @return 0, or -ENOMEM: close it */
MUST_CHECK int kurento_socket_opened(struct kurento *k, uint64_t socket);

/** One whole frame, text or binary, borrowed. Unknown sockets are ignored. */
void kurento_frame(struct kurento *k, mono_us now, uint64_t socket, struct str text);

/** The socket is gone; its session lives on for a while. Unknown sockets are ignored. */
void kurento_socket_closed(struct kurento *k, mono_us now, uint64_t socket);

/** The engine, the recorder or the player has events: drains them. */
void kurento_media_ready(struct kurento *k, mono_us now);

/** Time has come (kurento_deadline). Early calls do no harm. */
void kurento_timeout(struct kurento *k, mono_us now);

/** When kurento_timeout is due. */
mono_us kurento_deadline(const struct kurento *k);

struct kurento_stats kurento_get_stats(const struct kurento *k);

#endif
