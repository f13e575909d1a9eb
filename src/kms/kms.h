/**
 * The media backend that is somebody else's: Kurento Media Servers, or other Duets, each driven
 * over its WebSocket with the Kurento Protocol. A call is a MediaPipeline with two WebRtcEndpoints
 * on one of them.
 *
 *     signal ── struct media ──► calls ──► one bridge a call ──► its server ── frames ──► transport
 *
 * A call goes to the server with the fewest of our calls among those that answer; before its
 * answers are out it moves on to another one when its own is silent, full or gone. A server's
 * connection may break: its calls go on while it is made again, and end when that takes too long
 * or the server does not know its session any more.
 *
 * No sockets and no clock here: the owner moves frames and time, in the way of a core; what the
 * server is to be told leaves through the transport at once. One thread, nothing blocks.
 * docs/howto/kurento-media-server.md says the same for operators.
 */
#ifndef KMS_KMS_H
#define KMS_KMS_H

#include <stddef.h>

#include "base/compiler.h"
#include "base/rng.h"
#include "base/str.h"
#include "base/time.h"
#include "media/media.h"

#define KMS_MAX_SERVERS 16

/** A server that was sent something and gave no answer is asked again this often … */
#define KMS_PING_INTERVAL (2 * US_PER_S)

/** … and is taken for lost after so many pings in a row: its calls end, 8 s after it fell silent.
 */
#define KMS_MAX_MISSED_PINGS 3

/** A connection that broke has so long to come back before its calls end. */
#define KMS_RESUME_LIMIT (6 * US_PER_S)

/** TCP, TLS and upgrade together; and then the first answer. */
#define KMS_CONNECT_LIMIT (3 * US_PER_S)

/** Between attempts to connect: doubling from the one to the other. */
#define KMS_RETRY_MIN (100 * US_PER_MS)
#define KMS_RETRY_MAX (2 * US_PER_S)

/** When we ourselves come so late, what servers said meanwhile is read first, for that long. */
#define KMS_LATE    (500 * US_PER_MS)
#define KMS_CATCHUP (100 * US_PER_MS)

/** A new call waits so long for a server to be there, or moves from one to the next. */
#define KMS_DECIDE_LIMIT (4 * US_PER_S)

/** Making a pipeline takes a millisecond: who has not said so by then does not answer, if there is
 * another one that may. */
#define KMS_FIRST_ANSWER_LIMIT (2 * US_PER_S)

/** Any other request: as the client libraries of Kurento have it. */
#define KMS_REQUEST_LIMIT (20 * US_PER_S)

/** A server that refused or let down a call is the last choice for so long. */
#define KMS_DOUBT (5 * US_PER_S)

/** ICE may fail and find a way after all (a late candidate): a leg that stays without one is over.
 */
#define KMS_ICE_GRACE (2 * US_PER_S)

/** Of one leg, each way; browsers and servers have 2 to 30. More are ignored. */
#define KMS_MAX_CANDIDATES 64

/** Bytes of an id or a session that a server may choose; Kurento's have 36 to 120. */
#define KMS_ID_MAX 512

/** Filled by the owner. None of these calls back into this module. Servers are numbered from 0. */
struct kms_transport {
    /** Begin to connect: comes to kms_opened or kms_closed. */
    void (*connect)(void *user, unsigned server);

    /** Queue one text frame, copied; without a connection it is dropped. */
    void (*send)(void *user, unsigned server, struct str text);

    /** Cut the connection, or the attempt: kms_closed is not called for it. */
    void (*close)(void *user, unsigned server);

    /** The monotonic clock, for what comes through struct media, which has no time in it. */
    mono_us (*now)(void *user);

    void *user;
};

struct kms_config {
    const char *const *names; /**< of the servers, for the log; borrowed */
    size_t n_servers;         /**< 1 to KMS_MAX_SERVERS */
    void (*wake)(void *user); /**< of struct media */
    void *wake_user;
};

struct kms;

/** @param rng borrowed: hash keys. @return NULL when out of memory; free with media's ops->free */
struct kms *kms_new(const struct kms_config *config, const struct kms_transport *transport,
                    struct rng *rng);

/** What signal drives: the first member of the whole. */
struct media *kms_media(struct kms *k);

/** The WebSocket to a server is open. */
void kms_opened(struct kms *k, mono_us now, unsigned server);

/** One message of a server, borrowed. What makes no sense is counted and dropped. */
void kms_frame(struct kms *k, mono_us now, unsigned server, struct str text);

/** The WebSocket is gone, or did not come about. @param why for the log */
void kms_closed(struct kms *k, mono_us now, unsigned server, const char *why);

/** Time has come; early calls do no harm. The first one begins: it connects to every server. */
void kms_timeout(struct kms *k, mono_us now);

/** When kms_timeout is due. Ask again after every call above, and of struct media. */
mono_us kms_deadline(const struct kms *k);

/** Of one server, for tests and the log. */
struct kms_server_info {
    bool is_up;
    size_t n_calls;      /**< of ours that are there */
    uint64_t bad_frames; /**< dropped since the start */
};

struct kms_server_info kms_server_info(const struct kms *k, unsigned server);

#endif
