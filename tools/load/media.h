/**
 * The audio of one user in one call: a UDP socket of its own, a struct peer as a browser has it
 * (who offers is controlling), a microphone that speaks every 20 ms, and an ear that checks what
 * it hears.
 *
 *     media_open            socket and credentials: media_offer makes the SDP
 *     media_start           the answer is there: ICE and DTLS begin   → on_connected
 *     or media_answer       the server offers: the same at once
 *     media_speak           the microphone opens
 *                                                  the first packet   → on_heard
 *     media_hush            it closes; the ear stays open
 *     media_close           BYE, close_notify, socket closed
 */
#ifndef LOAD_MEDIA_H
#define LOAD_MEDIA_H

#include <stdbool.h>
#include <stdint.h>

#include "base/list.h"
#include "base/siphash.h"
#include "base/text.h"
#include "load/ear.h"
#include "load/loop.h"
#include "load/offer.h"
#include "load/stats.h"
#include "peer/peer.h"

/** Packets of a second are spread over this many ticks of a frame. */
#define MEDIA_TICKS 20
#define MEDIA_FRAME (20 * US_PER_MS)
#define MEDIA_TICK  (MEDIA_FRAME / MEDIA_TICKS)
#define MEDIA_UFRAG 8
#define MEDIA_PWD   24
#define MEDIA_CNAME 16

struct media;

/** Called on the loop; a handler may close the media. */
struct media_handlers {
    void (*on_connected)(struct media *m, mono_us now);
    void (*on_heard)(struct media *m, mono_us now);
    /** The connection broke. @param why constant storage */
    void (*on_ended)(struct media *m, mono_us now, const char *why);
};

/** What all of them share. */
struct media_env {
    bool is_off;     /**< offers are made, no socket is opened */
    bool is_trickle; /**< the candidate is not in the SDP: media_candidate */
    struct loop *loop;
    struct stats *stats;
    struct peer_env peer;
    struct siphash_key key;     /**< of the payloads of this run */
    const uint8_t *fingerprint; /**< SHA-256 of the certificate of all */
    struct addr local;          /**< address of our candidates; port 0 */
    struct media_handlers handlers;

    struct loop_timer tick;         /**< of the microphones */
    mono_us tick_at;                /**< when it is due; MONO_NEVER = nobody speaks */
    unsigned tick_index;            /**< 0..MEDIA_TICKS - 1: which list is due */
    struct list ticks[MEDIA_TICKS]; /**< of media.link */
    unsigned n_speaking[MEDIA_TICKS];
    unsigned n_all_speaking;
};

struct media {
    struct media_env *env;
    struct media_identity id;
    struct watch watch; /**< the UDP socket */
    struct loop_timer deadline;
    struct addr local;       /**< of the candidate in use */
    struct addr kernel_peer; /**< that the socket is connected to; port 0 = none */
    struct peer *peer;       /**< owned; NULL before media_start */
    bool is_v6, is_connected;
    char ufrag[MEDIA_UFRAG + 1], pwd[MEDIA_PWD + 1], cname[MEDIA_CNAME + 1];
    char candidate[ICE_CANDIDATE_TEXT_MAX];
    struct offer offer;

    /* the microphone */
    struct list link;
    int tick;           /**< which list; -1 = silent */
    uint32_t n_sent;    /**< also the next sequence number of the payload */
    uint16_t first_seq; /**< RTP */
    uint32_t first_timestamp;

    struct ear ear;
};

/** @return 0 or a negative errno */
MUST_CHECK int media_env_init(struct media_env *env);

/** Once for the memory of a media, before anything else. @return 0 or -ENOMEM */
MUST_CHECK int media_init(struct media *m, struct media_env *env);

/** @return 0 or a negative errno */
MUST_CHECK int media_open(struct media *m, const struct media_identity *id);

void media_offer(const struct media *m, struct text *ret);

/**
 * @return NULL, or why the answer cannot be used: constant storage
 */
MUST_CHECK const char *media_start(struct media *m, mono_us now, struct str answer);

/**
 * The server offers. @param ret the answer, set on success only
 * @return NULL, or why the offer cannot be used: constant storage
 */
MUST_CHECK const char *media_answer(struct media *m, mono_us now, struct str offer,
                                    struct text *ret);

/** A trickled candidate; empty = no more. */
void media_add_candidate(struct media *m, mono_us now, struct str candidate);

void media_speak(struct media *m, mono_us now);
void media_hush(struct media *m);

/** Legal on one that is not open. */
void media_close(struct media *m, mono_us now);

#endif
