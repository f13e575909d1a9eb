/**
 * Subscriptions and events. A session that subscribed twice to the same event of an object is told
 * once; under the name that it asked for, which may be the one of Kurento 6.
 */
#ifndef KURENTO_EVENT_H
#define KURENTO_EVENT_H

#include <jansson.h>

#include "base/compiler.h"
#include "base/list.h"
#include "base/str.h"
#include "kurento/object.h"
#include "kurento/session.h"

/** Owned by both lists. */
struct kurento_subscription {
    struct kurento_session *session;
    struct kurento_object *object;
    const char *type; /**< Kurento 7's name of the event; static */
    const char *as;   /**< the name that was subscribed to; static */
    struct list of_session, of_object;
    char id[KURENTO_UUID_LEN + 1];
};

/**
 * Kurento 7's name of an event of a type.
 *
 * @param name    as the client has it: of version 7 or 6
 * @param ret_as  the static text that equals name
 * @return NULL = the type has no such event
 */
const char *kurento_event_find(const struct kurento_type *type, struct str name,
                               const char **ret_as);

/** @param event, as  of kurento_event_find @return NULL when out of memory */
MUST_CHECK struct kurento_subscription *kurento_subscribe(struct rng *rng,
                                                          struct kurento_session *session,
                                                          struct kurento_object *object,
                                                          const char *event, const char *as);

void kurento_subscription_free(struct kurento_subscription *subscription);

/** The subscription of that id to that object; NULL = none. */
struct kurento_subscription *kurento_subscription_find(struct kurento_object *object,
                                                       struct str id);

/** The tags of an object as Kurento has them: an array of Tag. NULL = out of memory. */
json_t *kurento_tags(const struct kurento_object *object);

/**
 * Tell everybody who subscribed. What cannot be told for lack of memory is lost: the same as an
 * event to a session without connection.
 *
 * @param event  Kurento 7's name
 * @param data   taken; its own members: source, tags and timestampMillis are added, and type where
 *               it has none of its own (that of Error says which error)
 */
void kurento_emit(struct kurento_object *object, const char *event, json_t *data);

#endif
