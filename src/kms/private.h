/** What the files of this folder share: the whole, and a call. */
#ifndef KMS_PRIVATE_H
#define KMS_PRIVATE_H

#include <jansson.h>

#include "base/list.h"
#include "base/map.h"
#include "base/timer_heap.h"
#include "kms/kms.h"
#include "kms/server.h"
#include "media/quality.h"

/** Something to be polled. */
struct kms_notice {
    struct list queue; /**< in kms.notices */
    struct media_event event;
    char *texts[MEDIA_LEGS]; /**< owned: what the event's views are of */
};

/** A call, from start to release. Owner: kms.calls. */
struct kms_call {
    struct kms *kms;
    uint64_t id;               /**< RO; key */
    char *offers[MEDIA_LEGS];  /**< owned; until the answers */
    json_t *early[MEDIA_LEGS]; /**< candidates before the answers: an array, owned */
    struct kms_bridge *bridge; /**< NULL = none yet, or ended */
    struct list waiting;       /**< in kms.waiting: for a server */
    uint32_t tried;            /**< servers, by bit */
    mono_us decide_by;
    struct timer timer;
    bool is_ended;
    struct kms_notice end; /**< here, so that ending needs no memory */
    char end_text[MEDIA_ERROR_MAX];
};

struct kms {
    struct media media; /**< first: see kms_media */
    struct kms_transport transport;
    struct kms_server servers[KMS_MAX_SERVERS];
    size_t n_servers;
    struct map calls;
    struct map bridges; /**< of kms_bridge, by number */
    uint64_t last_bridge;
    struct list waiting; /**< of kms_call */
    struct timer_heap timers;
    struct media_quality quality;
    struct list notices;       /**< to be polled */
    struct kms_notice *polled; /**< the last one that was; NULL = none, or the end of a call */
    mono_us not_before;        /**< what came while we were not running is to be read first */
    bool has_waited;           /**< it has been; or nothing began yet */
};

/** For the log. */
static inline const char *kms_leg_name(unsigned leg)
{
    return leg == MEDIA_CALLER ? "caller" : "callee";
}

/** A server is there: calls that wait for one get it. */
void kms_place_waiting(struct kms *k, mono_us now);

/** @return in kms.calls only when its caller puts it there; NULL = no memory */
struct kms_call *kms_call_new(struct kms *k, mono_us now, uint64_t id,
                              const struct str offers[MEDIA_LEGS]);

/** Its bridge is abandoned, or there was none; it is in no map any more. */
void kms_call_free(struct kms_call *c);

/** Its timer has run out. */
void kms_call_timeout(struct kms_call *c, mono_us now);

/** Could the call move to another server now? */
bool kms_call_has_other_server(const struct kms_call *c, mono_us now);

/** Its bridge came to nothing, before the answers: another server, or the end of the call. */
PRINTF_LIKE(3, 4) void kms_call_move(struct kms_call *c, mono_us now, const char *format, ...);

/** The call is over, told once; its bridge is abandoned. */
PRINTF_LIKE(5, 6)
void kms_call_end(struct kms_call *c, mono_us now, enum media_end end, enum media_leg leg,
                  const char *format, ...);

/** To be polled; the owner of `media` is woken. */
void kms_notice_queue(struct kms *k, struct kms_notice *notice);

/**
 * Something to tell of a call.
 *
 * @param texts  MEDIA_LEGS, taken; NULL = none. They are what the event's views are of
 * @return 0, or -ENOMEM: the call has ended instead
 */
int kms_call_tell(struct kms_call *c, mono_us now, const struct media_event *event, char **texts);

/** The deadlines of its bridge have changed. */
void kms_call_rearm(struct kms_call *c);

#endif
