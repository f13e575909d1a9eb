/**
 * The connection to one media server, and whether it can be relied on.
 *
 *     DOWN ── back-off ──► CONNECTING ── WebSocket ──► GREETING ── answer ──► UP
 *       ▲                      │                          │                    │
 *       └──────────────────────┴──── refused, too slow ───┴── gone, silent ────┘
 *
 * The greeting is getInfo, which every server answers and which begins a session; when calls of
 * ours are still there, it is `connect` with their session, and what had no answer yet is sent
 * again after it.
 */
#ifndef KMS_SERVER_H
#define KMS_SERVER_H

#include <stdbool.h>

#include "base/list.h"
#include "base/map.h"
#include "kms/rpc.h"

enum kms_server_state { KMS_DOWN, KMS_CONNECTING, KMS_GREETING, KMS_UP };

struct kms_server {
    struct kms *kms;  /**< its owner */
    unsigned number;  /**< RO */
    const char *name; /**< RO; borrowed */
    enum kms_server_state state;
    struct kms_rpc rpc;
    struct list bridges; /**< of kms_bridge, owned; abandoned ones included */
    struct map objects;  /**< of kms_object, by id */
    size_t load;         /**< bridges with a call */
    mono_us at;      /**< DOWN: of the next attempt. CONNECTING, GREETING: when to give up. UP: of
                          the next ping */
    mono_us lose_at; /**< calls wait for the connection until then; MONO_NEVER = UP, or no calls */
    mono_us retry;   /**< the next back-off */
    mono_us doubted_until;
    unsigned missed; /**< pings in a row without any answer */
    bool has_heard;  /**< an answer came since the last ping */
    bool is_told;    /**< that it is not there is in the log */
    uint64_t bad_frames;
};

void kms_server_init(struct kms_server *s, struct kms *k, unsigned number, const char *name,
                     struct rng *rng);
void kms_server_deinit(struct kms_server *s);

void kms_server_opened(struct kms_server *s, mono_us now);
void kms_server_frame(struct kms_server *s, mono_us now, struct str text);
void kms_server_closed(struct kms_server *s, mono_us now, const char *why);
void kms_server_timeout(struct kms_server *s, mono_us now);
mono_us kms_server_deadline(const struct kms_server *s);

/**
 * Ask something for a bridge. While the connection is down it waits, and is sent when it is back.
 *
 * @param params taken; NULL = there was no memory for it
 * @return 0, or -ENOMEM: no answer will come
 */
MUST_CHECK int kms_server_ask(struct kms_server *s, mono_us now, const char *method, json_t *params,
                              struct kms_tag tag);

/** It let a call down: others are taken first for a while. */
void kms_server_doubt(struct kms_server *s, mono_us now);

/** Does it answer at the moment? Only meaningful when it is UP. */
bool kms_server_is_doubtful(const struct kms_server *s, mono_us now);

#endif
