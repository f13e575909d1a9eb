/**
 * Media objects: a tree of what clients created, each named by an id that tells its whole way
 * ("<uuid>_kurento.MediaPipeline/<uuid>_kurento.WebRtcEndpoint").
 *
 *     manager_ServerManager          always there, belongs to nobody
 *     MediaPipeline ─┬ WebRtcEndpoint
 *                    ├ RecorderEndpoint
 *                    └ Composite ─ HubPort
 *
 * An object lives until it or one of its parents is released, or until no session holds it any
 * more (kurento/session.h). Its type is a row: kurento/type.h.
 */
#ifndef KURENTO_OBJECT_H
#define KURENTO_OBJECT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

#include "base/compiler.h"
#include "base/list.h"
#include "base/map.h"
#include "base/rng.h"
#include "base/str.h"
#include "kurento/type.h"

/** Characters of a UUID in text form. */
#define KURENTO_UUID_LEN 36

/** Objects alive at a time; more are refused with NOT_ENOUGH_RESOURCES. */
#define KURENTO_MAX_OBJECTS 200000

/** Subscriptions to one object, of all sessions: each event walks through them. */
#define KURENTO_MAX_SUBSCRIPTIONS 1000

/** First member of every object; freed by kurento_object_release. */
struct kurento_object {
    const struct kurento_type *type; /**< RO */
    char *id;                        /**< owned, RO */
    struct kurento *kurento;         /**< RO; borrowed */
    struct kurento_object *parent;   /**< RO; NULL = has none */
    struct list children;            /**< of `siblings` */
    struct list siblings;            /**< in parent->children or objects->roots */
    struct list refs;                /**< of struct kurento_ref.of_object */
    struct list subscriptions;       /**< of struct kurento_subscription.of_object */
    size_t n_subscriptions;
    char *name;         /**< owned; NULL = the id */
    json_t *tags;       /**< owned, an object in order of addition; NULL = none */
    json_t *properties; /**< owned, kurento/property.h; NULL = none was set */
    bool sends_tags;    /**< events carry the tags */
    int64_t created_s;  /**< Unix time */
};

struct kurento_objects {
    struct map by_id;
    struct list roots; /**< pipelines, in order of creation */
    struct rng *rng;   /**< borrowed */
};

void kurento_objects_init(struct kurento_objects *objects, struct rng *rng);

/** All objects must be gone. */
void kurento_objects_deinit(struct kurento_objects *objects);

/** NULL = none. */
struct kurento_object *kurento_objects_find(const struct kurento_objects *objects, struct str id);

/**
 * Memory for an object of a type, with its id, in the tree; the type's `init` is the caller's to
 * call.
 *
 * @param id      NULL = a new one is made from type and parent
 * @param parent  NULL = a root
 * @return NULL when out of memory
 */
MUST_CHECK struct kurento_object *kurento_object_new(struct kurento_objects *objects,
                                                     const struct kurento_type *type,
                                                     struct kurento_object *parent, const char *id);

/** Take an object out of the tree and free it; its children are gone already. */
void kurento_object_free(struct kurento_objects *objects, struct kurento_object *object);

/** A random UUID (RFC 9562 version 4). @param buf KURENTO_UUID_LEN + 1 bytes */
void kurento_uuid(struct rng *rng, char *buf);

#endif
