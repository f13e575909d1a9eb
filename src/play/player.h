/**
 * Playing of files: one thread that reads for all. What it read goes into feeds, commands come by
 * mailbox.
 *
 *     control thread   player_start ─▶ struct playing ─ playing_stop ─┐  ▲ events
 *     reading thread   file or server ─▶ reader ─▶ feed ──┐           ▼  │
 *     media worker                                        └▶ packets, each at its time
 *
 * Nobody waits for a disk or a net but this thread. What may be played is settled once, for each
 * front: files below one folder, servers by their names. Calls and events are the control thread's.
 */
#ifndef PLAY_PLAYER_H
#define PLAY_PLAYER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"
#include "base/packet_feed.h"
#include "base/str.h"
#include "base/time.h"
#include "play/source.h"

/** Longest URI [bytes], the zero included. */
#define PLAYER_URI_MAX 2048

/** The thread looks into the feeds so often; PACKET_FEED_AHEAD is many times as much. */
#define PLAYER_PERIOD (100 * US_PER_MS)

/** Who plays; each reads the events of what it made. */
enum player_front {
    PLAYER_CALLS,     /**< signal */
    PLAYER_PIPELINES, /**< kurento */
    PLAYER_N_FRONTS,
};

/** What one front may play. Borrowed for player_new. */
struct player_rights {
    const char *folder;       /**< absolute; files below it. NULL or empty = no files */
    const char *setting;      /**< the operator's name for that: "player.dir"; static */
    const char *const *hosts; /**< "host" or "host:port"; what else http and https reach: nothing */
    size_t n_hosts;
};

struct player_config {
    struct player_rights rights[PLAYER_N_FRONTS];
    unsigned max_playings;    /**< alive at a time: a descriptor and some 150 KB each */
    void (*wake)(void *user); /**< events wait; called from the thread */
    void *wake_user;
};

enum player_event_type {
    /**
     * At most once: nothing more is read. When anything was, the feed ends there: what was read
     * will be played, and ENGINE_EVENT_PLAYED comes. When nothing was, the feed stays empty.
     */
    PLAYER_FAILED,
    PLAYER_MEASURED, /**< the answer to player_measure */
};

struct playing;

struct player_event {
    enum player_event_type type;
    struct playing *playing;
    void *user;
    bool has_begun;                 /**< FAILED: something was read */
    const struct play_error *error; /**< FAILED; until the next poll */
    int64_t duration;               /**< MEASURED [ticks of PACKET_FEED_RATE] */
};

/** Outcomes of player_start. */
enum {
    PLAYER_E_FULL = 1, /**< max_playings are alive: try later */
};

/** What is to be played. Borrowed for the call. */
struct player_order {
    enum player_front front;
    struct str uri;           /**< passed player_check */
    int64_t from;             /**< begin there [ticks]; what is before is not heard */
    struct packet_feed *feed; /**< new, with the same position; referenced. NULL = measure it */
    void *user;               /**< comes back with the events */
};

struct player;

/**
 * Start the thread.
 *
 * @param error  what went wrong, for the operator; PLAY_ERROR_MAX bytes
 * @return NULL on failure
 */
struct player *player_new(const struct player_config *config, char *error);

/** Stops everything; the handles are gone. NULL is legal. */
void player_free(struct player *p);

/**
 * May this be played, as far as the name says? What there is behind it shows later.
 *
 * @param uri    file: URI or path, as file/place.h has it; http: or https:
 * @param error  why not
 */
bool player_check(const struct player *p, enum player_front front, struct str uri,
                  struct play_error *error);

/**
 * Read from now on. The end of the media is the end of the feed.
 *
 * Without a feed it is read to its end as fast as it goes, to learn how long it is: MEASURED or
 * FAILED comes.
 *
 * @param ret  the caller's, until playing_stop
 * @return 0, PLAYER_E_FULL, or -ENOMEM
 */
MUST_CHECK int player_start(struct player *p, const struct player_order *order,
                            struct playing **ret);

/** It is not wanted any more, and no event of it comes. NULL is legal. */
void playing_stop(struct playing *playing);

/** Is it a file of this machine? Of a server's, what is before `from` has to be fetched, too. */
bool player_is_file(struct str uri);

/** @return false = none waits */
bool player_poll_event(struct player *p, enum player_front front, struct player_event *ret);

#endif
