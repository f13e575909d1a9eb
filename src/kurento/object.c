/* The tree and its index: see the header. */
#include "kurento/object.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"

static const void *object_key(const void *value, size_t *ret_len)
{
    const struct kurento_object *object = value;
    *ret_len = strlen(object->id);
    return object->id;
}

void kurento_objects_init(struct kurento_objects *objects, struct rng *rng)
{
    map_init(&objects->by_id, object_key, rng);
    list_init(&objects->roots);
    objects->rng = rng;
}

void kurento_objects_deinit(struct kurento_objects *objects)
{
    assert(objects->by_id.n == 0);
    map_deinit(&objects->by_id);
}

struct kurento_object *kurento_objects_find(const struct kurento_objects *objects, struct str id)
{
    return map_find(&objects->by_id, id.p, id.len);
}

void kurento_uuid(struct rng *rng, char *buf)
{
    uint8_t b[16];
    size_t n = 0;
    rng_fill(rng, b, sizeof(b));
    b[6] = (uint8_t)((b[6] & 0x0f) | 0x40);
    b[8] = (uint8_t)((b[8] & 0x3f) | 0x80);
    for (size_t i = 0; i < sizeof(b); i++) {
        static const char digits[] = "0123456789abcdef";
        if (i == 4 || i == 6 || i == 8 || i == 10)
            buf[n++] = '-';
        buf[n++] = digits[b[i] >> 4];
        buf[n++] = digits[b[i] & 15];
    }
    buf[n] = 0;
}

/* "<parent>/<uuid>_kurento.<Type>" */
static char *make_id(struct kurento_objects *objects, const struct kurento_type *type,
                     const struct kurento_object *parent)
{
    char uuid[KURENTO_UUID_LEN + 1];
    size_t room = (parent ? strlen(parent->id) + 1 : 0) + sizeof(uuid) + sizeof("_kurento.") +
                  strlen(type->name);
    char *id = mem_alloc(room);
    if (!id)
        return NULL;
    kurento_uuid(objects->rng, uuid);
    int n = snprintf(id, room, "%s%s%s_kurento.%s", parent ? parent->id : "", parent ? "/" : "",
                     uuid, type->name);
    assert(n > 0 && (size_t)n < room);
    return id;
}

struct kurento_object *kurento_object_new(struct kurento_objects *objects,
                                          const struct kurento_type *type,
                                          struct kurento_object *parent, const char *id)
{
    assert(type->size >= sizeof(struct kurento_object));
    struct kurento_object *object = mem_zalloc(type->size);
    if (!object)
        return NULL;
    object->type = type;
    object->parent = parent;
    list_init(&object->children);
    list_init(&object->siblings);
    list_init(&object->refs);
    list_init(&object->subscriptions);
    object->id = id ? mem_strdup(str_of(id)) : make_id(objects, type, parent);
    if (!object->id || map_insert(&objects->by_id, object)) {
        mem_free(object->id);
        mem_free(object);
        return NULL;
    }
    list_append(parent ? &parent->children : &objects->roots, &object->siblings);
    return object;
}

void kurento_object_free(struct kurento_objects *objects, struct kurento_object *object)
{
    assert(list_is_empty(&object->children) && list_is_empty(&object->refs) &&
           list_is_empty(&object->subscriptions));
    (void)map_remove(&objects->by_id, object->id, strlen(object->id));
    list_remove(&object->siblings);
    json_decref(object->tags);
    json_decref(object->properties);
    mem_free(object->name);
    mem_free(object->id);
    mem_free(object);
}
