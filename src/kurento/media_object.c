/* MediaObject: what every object has: a name, tags, a place in the tree. */
#include <errno.h>
#include <string.h>

#include "base/mem.h"
#include "base/utf8.h"
#include "kurento/private.h"
#include "kurento/types.h"

/** Tags of one object, and what one of them may take. */
#define MAX_TAGS     128
#define MAX_TAG_SIZE 4096

static json_t *id_of(const struct kurento_object *object)
{
    return object ? json_string(object->id) : NULL;
}

static int get_id(const struct kurento_call *call, json_t **ret)
{
    *ret = id_of(call->object);
    return 0;
}

static int get_name(const struct kurento_call *call, json_t **ret)
{
    *ret = json_string(call->object->name ? call->object->name : call->object->id);
    return 0;
}

static int set_name(const struct kurento_call *call, json_t **ret)
{
    (void)ret;
    struct str text = str_head(call->args[0].string, MAX_TAG_SIZE);
    char *name = mem_strdup(str_head(text, utf8_valid_prefix(text)));
    if (!name)
        return -ENOMEM;
    mem_free(call->object->name);
    call->object->name = name;
    return 0;
}

/* --- tags --- */

static int add_tag(const struct kurento_call *call, json_t **ret)
{
    struct kurento_object *object = call->object;
    const struct str key = call->args[0].string, value = call->args[1].string;
    (void)ret;
    if (key.len + value.len > MAX_TAG_SIZE)
        return kurento_fail(call->fault, KURENTO_E_ARGUMENT, "a tag has %zu bytes: %d at most",
                            key.len + value.len, MAX_TAG_SIZE);
    if (!object->tags)
        object->tags = json_object();
    if (json_object_size(object->tags) >= MAX_TAGS)
        return kurento_fail(call->fault, KURENTO_E_RESOURCES, "%d tags at most", MAX_TAGS);
    return json_object_set_new(object->tags, key.p, json_stringn(value.p, value.len)) ? -ENOMEM : 0;
}

static int no_tag(const struct kurento_call *call)
{
    return kurento_fail(call->fault, KURENTO_E_TAG, "Tag key not found");
}

static int remove_tag(const struct kurento_call *call, json_t **ret)
{
    (void)ret;
    return json_object_del(call->object->tags, call->args[0].string.p) ? no_tag(call) : 0;
}

static int get_tag(const struct kurento_call *call, json_t **ret)
{
    *ret = json_incref(json_object_get(call->object->tags, call->args[0].string.p));
    return *ret ? 0 : no_tag(call);
}

static int get_tags(const struct kurento_call *call, json_t **ret)
{
    *ret = kurento_tags(call->object);
    return 0;
}

static int get_sends_tags(const struct kurento_call *call, json_t **ret)
{
    *ret = json_boolean(call->object->sends_tags);
    return 0;
}

static int set_sends_tags(const struct kurento_call *call, json_t **ret)
{
    (void)ret;
    call->object->sends_tags = call->args[0].boolean;
    return 0;
}

/* --- the tree --- */

static int get_creation_time(const struct kurento_call *call, json_t **ret)
{
    *ret = json_integer(call->object->created_s);
    return 0;
}

static int get_parent(const struct kurento_call *call, json_t **ret)
{
    *ret = id_of(call->object->parent);
    return 0;
}

static int get_media_pipeline(const struct kurento_call *call, json_t **ret)
{
    const struct kurento_object *object = call->object;
    while (object->parent)
        object = object->parent;
    *ret = object == call->kurento->manager ? NULL : id_of(object);
    return 0;
}

static int get_children(const struct kurento_call *call, json_t **ret)
{
    *ret = json_array();
    LIST_FOREACH(node, &call->object->children)
        (void)json_array_append_new(*ret,
                                    id_of(CONTAINER_OF(node, struct kurento_object, siblings)));
    return 0;
}

/* --- the row --- */

static const struct kurento_param name_param[] = {{.name = "name", .type = KURENTO_STRING}};
static const struct kurento_param key_param[] = {{.name = "key", .type = KURENTO_STRING}};
static const struct kurento_param tag_params[] = {
    {.name = "key", .type = KURENTO_STRING},
    {.name = "value", .type = KURENTO_STRING},
};
static const struct kurento_param sends_tags_param[] = {
    {.name = "sendTagsInEvents", .type = KURENTO_BOOLEAN},
};

static const struct kurento_operation operations[] = {
    {"getId", NULL, 0, get_id},
    {"getName", NULL, 0, get_name},
    {"setName", name_param, 1, set_name},
    {"addTag", tag_params, 2, add_tag},
    {"removeTag", key_param, 1, remove_tag},
    {"getTag", key_param, 1, get_tag},
    {"getTags", NULL, 0, get_tags},
    {"getSendTagsInEvents", NULL, 0, get_sends_tags},
    {"setSendTagsInEvents", sends_tags_param, 1, set_sends_tags},
    {"getCreationTime", NULL, 0, get_creation_time},
    {"getParent", NULL, 0, get_parent},
    {"getMediaPipeline", NULL, 0, get_media_pipeline},
    {"getChildren", NULL, 0, get_children},
    {"getChilds", NULL, 0, get_children}, /* as Kurento 6 spelt it */
};

static const char *const events[] = {"Error", NULL};

const struct kurento_type kurento_media_object_type = {
    .name = "MediaObject",
    .operations = operations,
    .n_operations = ARRAY_LEN(operations),
    .events = events,
};
