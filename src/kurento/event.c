/* Subscriptions and events: see the header. */
#include "kurento/event.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "kurento/private.h"
#include "kurento/watch.h"

/* What Kurento 7 renamed; the data of the events stayed the same but for their `type`. */
static const struct {
    const char *as, *event;
} renamed[] = {
    {"OnIceCandidate", "IceCandidateFound"},
    {"OnIceGatheringDone", "IceGatheringDone"},
    {"OnDataChannelOpened", "DataChannelOpened"},
    {"OnDataChannelClosed", "DataChannelClosed"},
    {"OnIceComponentStateChanged", "IceComponentStateChanged"},
    {"IceComponentStateChange", "IceComponentStateChanged"},
    {"MediaFlowInStateChange", "MediaFlowInStateChanged"},
    {"MediaFlowOutStateChange", "MediaFlowOutStateChanged"},
    {"MediaTranscodingStateChange", "MediaTranscodingStateChanged"},
};

static const char *find_exact(const struct kurento_type *type, struct str name)
{
    for (; type; type = type->base) {
        for (size_t i = 0; type->events && type->events[i]; i++) {
            if (str_eq(name, str_of(type->events[i])))
                return type->events[i];
        }
    }
    return NULL;
}

const char *kurento_event_find(const struct kurento_type *type, struct str name,
                               const char **ret_as)
{
    const char *event = find_exact(type, name);
    *ret_as = event;
    for (size_t i = 0; !event && i < ARRAY_LEN(renamed); i++) {
        if (!str_eq(name, str_of(renamed[i].as)))
            continue;
        event = find_exact(type, str_of(renamed[i].event));
        *ret_as = renamed[i].as;
    }
    return event;
}

struct kurento_subscription *kurento_subscribe(struct rng *rng, struct kurento_session *session,
                                               struct kurento_object *object, const char *event,
                                               const char *as)
{
    struct kurento_subscription *s = mem_alloc(sizeof(*s));
    if (!s)
        return NULL;
    s->session = session;
    s->object = object;
    s->type = event;
    s->as = as;
    kurento_uuid(rng, s->id);
    list_append(&session->subscriptions, &s->of_session);
    list_append(&object->subscriptions, &s->of_object);
    object->n_subscriptions++;
    if (kurento_is_flow_event(event))
        object->kurento->n_flow_subscriptions++;
    return s;
}

void kurento_subscription_free(struct kurento_subscription *subscription)
{
    list_remove(&subscription->of_session);
    list_remove(&subscription->of_object);
    subscription->object->n_subscriptions--;
    if (kurento_is_flow_event(subscription->type))
        subscription->object->kurento->n_flow_subscriptions--;
    mem_free(subscription);
}

struct kurento_subscription *kurento_subscription_find(struct kurento_object *object, struct str id)
{
    LIST_FOREACH(node, &object->subscriptions) {
        struct kurento_subscription *s = CONTAINER_OF(node, struct kurento_subscription, of_object);
        if (str_eq(id, str_of(s->id)))
            return s;
    }
    return NULL;
}

/* Is there an earlier subscription of the same session to the same event? */
static bool is_told(const struct kurento_subscription *subscription)
{
    struct list *head = &subscription->object->subscriptions;
    for (struct list *node = subscription->of_object.prev; node != head; node = node->prev) {
        const struct kurento_subscription *s =
            CONTAINER_OF(node, struct kurento_subscription, of_object);
        if (s->session == subscription->session && s->as == subscription->as)
            return true;
    }
    return false;
}

json_t *kurento_tags(const struct kurento_object *object)
{
    const char *key;
    json_t *value, *tags = json_array();
    json_object_foreach(object->tags, key, value)(void)
        json_array_append_new(tags, json_pack("{s:s, s:s, s:s, s:O}", "__module__", "kurento",
                                              "__type__", "Tag", "key", key, "value", value));
    return tags;
}

static void send_event(const struct kurento_subscription *s, json_t *data, bool has_type)
{
    struct kurento *k = s->object->kurento;
    if (!has_type)
        (void)json_object_set_new(data, "type", json_string(s->as));
    json_t *message = kurento_notification(
        json_pack("{s:O, s:s, s:s}", "data", data, "object", s->object->id, "type", s->as));
    char *text = kurento_rpc_text(message);
    if (text)
        k->transport.send(k->transport.user, s->session->conn->socket, str_of(text));
    free(text);
    json_decref(message);
}

void kurento_emit(struct kurento_object *object, const char *event, json_t *data)
{
    char ms[24];
    struct text t;
    bool has_type = json_object_get(data, "type");
    text_init(&t, ms, sizeof(ms));
    text_printf(&t, "%lld", (long long)kurento_wall_ms(object->kurento));
    (void)json_object_set_new(data, "source", json_string(object->id));
    (void)json_object_set_new(data, "tags",
                              object->sends_tags ? kurento_tags(object) : json_array());
    (void)json_object_set_new(data, "timestampMillis", json_string(ms)); /* a string, as in 7.x */
    LIST_FOREACH(node, &object->subscriptions) {
        const struct kurento_subscription *s =
            CONTAINER_OF(node, struct kurento_subscription, of_object);
        if (strcmp(s->type, event) == 0 && s->session->conn && !is_told(s))
            send_event(s, data, has_type);
    }
    json_decref(data);
}
