/**
 * The relay: sockets, clients and the loop.
 *
 *     client ─► listener ─► line up   ─► the client's upstream socket ─► server
 *     client ◄─ listener ◄─ line down ◄─ the client's upstream socket ◄─ server
 *
 * Like a NAT, it gives every client (source address at a listener) a socket of its own towards the
 * server, so that the server can tell them apart and answers find their way back.
 *
 * Ownership: relay → clients → upstream sockets; relay → waiting packets, which borrow their
 * client. One thread.
 */
#ifndef IMPAIR_RELAY_H
#define IMPAIR_RELAY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/map.h"
#include "base/rng.h"
#include "base/text.h"
#include "base/timer_heap.h"
#include "impair/line.h"
#include "impair/options.h"
#include "impair/stats.h"
#include "impair/waiting.h"

/** Clients at once; each takes a descriptor, two for a while after a rebind. */
#define IMPAIR_MAX_CLIENTS 4096

/** Largest UDP payload. */
#define IMPAIR_DGRAM_MAX 65535

struct impair_relay;

/** A descriptor that the loop watches; embedded in what it belongs to. */
struct impair_source {
    int fd; /**< owned; -1 = closed */
    void (*on_ready)(struct impair_relay *r, struct impair_source *source);
};

/** A deadline of the loop; embedded in what it belongs to. */
struct impair_alarm {
    struct timer timer;
    void (*on_due)(struct impair_relay *r, struct impair_alarm *alarm);
};

struct impair_listener {
    struct impair_source source;
    struct addr bound;  /**< with the real port */
    struct addr server; /**< behind it */
};

struct impair_command_alarm {
    struct impair_alarm alarm;
    const struct impair_command *command; /**< borrowed from the options */
};

struct impair_relay {
    const struct impair_options *options; /**< borrowed, outlives the relay */
    mono_us started, now;                 /**< now: of this turn of the loop */
    bool must_end;
    int epoll;                     /**< owned; -1 = closed */
    struct impair_source clock;    /**< timerfd */
    struct impair_source signals;  /**< signalfd: SIGINT and SIGTERM end the loop */
    struct impair_source commands; /**< standard input: not closed here */
    char line[IMPAIR_COMMAND_MAX + 2];
    size_t line_len; /**< bytes of an unfinished command in `line` */
    struct impair_listener listeners[IMPAIR_MAX_LISTENERS];
    unsigned n_listeners;
    struct map clients;                /**< by address and listener; owns them */
    struct impair_upstream *discarded; /**< freed when no event can name them any more */
    struct impair_waiting waiting;
    struct timer_heap alarms;
    struct impair_command_alarm schedule[IMPAIR_MAX_SCHEDULE];
    struct impair_alarm end;
    struct impair_conditions conditions[IMPAIR_N_DIRECTIONS];
    struct impair_stats stats;
    struct rng seeds; /**< gives each line its seed */
    struct rng secret;
    uint8_t buffer[IMPAIR_DGRAM_MAX];
};

/**
 * Open the listeners and everything else, and start the clock of the schedule.
 *
 * @param why  on failure: a sentence
 * @return 0 or a negative errno; impair_relay_close is legal either way
 */
MUST_CHECK int impair_relay_open(struct impair_relay *r, const struct impair_options *options,
                                 struct text *why);

/** Relay until a signal, `quit` or --duration. @return 0, or a negative errno of epoll */
MUST_CHECK int impair_relay_run(struct impair_relay *r);

void impair_relay_close(struct impair_relay *r);

/** The counters as JSON, at this moment. */
void impair_relay_stats(const struct impair_relay *r, struct text *ret);

/**
 * Carry out a command.
 *
 * @param answer  "ok", "error: …" or the JSON of `stats`; room for IMPAIR_STATS_TEXT_MAX
 */
void impair_relay_command(struct impair_relay *r, const struct impair_command *command,
                          struct text *answer);

/* --- between the files of the relay --- */

/** Watch a descriptor. @return 0 or a negative errno (-EPERM: a file, always ready) */
MUST_CHECK int impair_relay_watch(struct impair_relay *r, struct impair_source *source);

/** A datagram enters a client's line. */
void impair_relay_enter(struct impair_relay *r, struct impair_client *client,
                        enum impair_direction direction, const void *data, size_t len);

/** Begin to read commands from standard input. @return 0 or a negative errno */
MUST_CHECK int impair_control_open(struct impair_relay *r);

#endif
