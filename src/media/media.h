/**
 * The media backend: what the signaling needs of a media server, and nothing more.
 *
 * One implementation is our own engine (media/engine.c). A call is named by the id that
 * the call model gave it; its two legs are the caller's and the callee's. A recording that is
 * played has an id like a call and one leg, the caller's. Everything happens on the
 * control thread, but for `wake`. Nothing is called back: after `wake` the owner drains poll_event.
 */
#ifndef MEDIA_MEDIA_H
#define MEDIA_MEDIA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"
#include "base/str.h"

enum media_leg { MEDIA_CALLER = 0, MEDIA_CALLEE = 1 };

#define MEDIA_LEGS 2

/** Room for the text of an error, the zero included. */
#define MEDIA_ERROR_MAX 160

/** One candidate as it stands in an onIceCandidate or iceCandidate message. */
struct media_candidate {
    struct str candidate; /**< "candidate:…"; empty = end of candidates */
    struct str mid;       /**< sdpMid; empty = not given */
    int mline_index;      /**< sdpMLineIndex; -1 = not given */
    struct str ufrag;     /**< usernameFragment; empty = not given */
};

enum media_event_type {
    MEDIA_EVENT_ANSWERED,   /**< both answers are ready */
    MEDIA_EVENT_CANDIDATE,  /**< a local candidate of one leg; comes after MEDIA_EVENT_ANSWERED */
    MEDIA_EVENT_CONNECTED,  /**< one leg: ICE and DTLS are through, media may flow */
    MEDIA_EVENT_REANSWERED, /**< a later offer of one leg is answered; candidates are in it */
    MEDIA_EVENT_UNCHANGED,  /**< a later offer of one leg was refused: all is as it was */
    MEDIA_EVENT_ENDED,      /**< the call's media is over; release is still the caller's to call */
    MEDIA_EVENT_QUALITY,    /**< what `leg` asked for with ask_quality */
    MEDIA_EVENT_RECORDING,  /**< of a call that is to be recorded: what is, first and changed */
};

/** What a page says of its own ears. */
struct media_hearing {
    int concealed_permille; /**< of the samples; -1 = not given */
    int jitter_buffer_ms;   /**< -1 = not given */
};

/** How one leg's line is: words of docs/protocol.md, static text. */
struct media_line {
    const char *grade;   /**< "good"… */
    const char *trouble; /**< NULL = none */
};

/** Why media ended; the name goes to the page as `reason`. */
enum media_end {
    MEDIA_END_FAILED,        /**< ICE or DTLS of the leg never came up */
    MEDIA_END_LOST,          /**< consent of the leg expired (RFC 7675) */
    MEDIA_END_REMOTE_CLOSED, /**< the leg closed its DTLS connection */
    MEDIA_END_REFUSED,       /**< no codec in common, or an offer that cannot be answered */
    MEDIA_END_BROKEN,        /**< the backend itself failed */
    MEDIA_END_PLAYED,        /**< a recording: it was played to its end */
    MEDIA_END_UNREADABLE,    /**< a recording: there is no such file, or it cannot be played */
};

struct media_event {
    enum media_event_type type;
    uint64_t call_id;
    enum media_leg leg;                  /**< not for ANSWERED, RECORDING */
    struct str answer[MEDIA_LEGS];       /**< ANSWERED, REANSWERED; borrowed until the next poll */
    struct media_candidate candidate;    /**< CANDIDATE; borrowed until the next poll */
    enum media_end end;                  /**< ENDED; UNCHANGED: REFUSED or BROKEN */
    struct media_line lines[MEDIA_LEGS]; /**< QUALITY */
    bool is_recorded[MEDIA_LEGS];        /**< RECORDING: what this leg says goes into a file */
    const char *text; /**< ENDED, UNCHANGED: one sentence; borrowed until the next poll */
};

struct media;

struct media_ops {
    /**
     * Can this offer be answered at all? Used when a message arrives, so that a broken offer is
     * refused at once and by name.
     *
     * @param error filled with what is wrong, MEDIA_ERROR_MAX bytes
     * @return true when it can
     */
    bool (*check_offer)(struct media *m, struct str offer, char *error);

    /**
     * Make both legs and answer both offers. The answers come as MEDIA_EVENT_ANSWERED, possibly
     * much later; what goes wrong after that comes as MEDIA_EVENT_ENDED.
     *
     * @param files  record what each leg says, from the moment when both are connected, to these
     *               files (signal/recording.h); a recording that fails changes nothing of the call.
     *               What is in fact recorded comes as MEDIA_EVENT_RECORDING. NULL = not recorded
     *
     * @return 0, or a negative errno: nothing was made
     */
    int (*start)(struct media *m, uint64_t call_id, struct str caller_offer,
                 struct str callee_offer, const struct str files[MEDIA_LEGS]);

    /**
     * Let somebody hear a recording, from its beginning, as soon as its listener is connected.
     * ANSWERED and CANDIDATE come for MEDIA_CALLER, and at last ENDED.
     *
     * NULL = this backend cannot play; then nobody is told that there is anything to hear.
     *
     * @param id    of its own; add_candidate and release take it like a call's
     * @param file  as given to start; may still be written
     *
     * @return 0, or a negative errno: nothing was made
     */
    int (*play)(struct media *m, uint64_t id, struct str file, struct str offer);

    /**
     * A later offer of one leg of a call whose answers are out: an ICE restart, hold, other codecs.
     * The other leg does not notice. Comes back as MEDIA_EVENT_REANSWERED or
     * MEDIA_EVENT_UNCHANGED; at most one is under way a leg.
     *
     * @return 0, or a negative errno: nothing changed, and no event will come
     */
    int (*renegotiate)(struct media *m, uint64_t call_id, enum media_leg leg, struct str offer);

    /** A remote candidate of a started call; unknown ids and unusable candidates are ignored. */
    void (*add_candidate)(struct media *m, uint64_t call_id, enum media_leg leg,
                          const struct media_candidate *candidate);

    /**
     * How do both lines of a started call do? The answer comes as MEDIA_EVENT_QUALITY of this leg,
     * or not at all (unknown call, no memory): ask again. At most once a second a leg.
     *
     * @param hearing  of this leg's page
     */
    void (*ask_quality)(struct media *m, uint64_t call_id, enum media_leg leg,
                        const struct media_hearing *hearing);

    /** End a call; unknown ids are ignored. No event of this call is polled afterwards. */
    void (*release)(struct media *m, uint64_t call_id);

    /** @return false when there is none */
    bool (*poll_event)(struct media *m, struct media_event *ret);

    void (*free)(struct media *m);
};

/** Base of every backend: its first member. */
struct media {
    const struct media_ops *ops;
    void (*wake)(void *user); /**< events wait: have them polled soon. Called from any thread */
    void *wake_user;
};

#endif
