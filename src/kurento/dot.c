/*
 * One node an object, one edge a connection of audio: those of other media go the same way in
 * almost every application, and are in getSinkConnections. What goes through a hub is dashed.
 */
#include "kurento/dot.h"

#include <errno.h>

#include "base/mem.h"
#include "base/text.h"
#include "kurento/media_element.h"
#include "kurento/private.h"

/* Of one object: its id twice and its edge. */
#define MAX_LINE 1024

/* Who can read a larger picture? It bounds what one request can make the server do. */
#define MAX_NODES 1000

static const char *const details[] = {
    "SHOW_MEDIA_TYPE",
    "SHOW_CAPS_DETAILS",
    "SHOW_NON_DEFAULT_PARAMS",
    "SHOW_STATES",
    "SHOW_FULL_PARAMS",
    "SHOW_ALL",
    "SHOW_VERBOSE",
    NULL,
};

const struct kurento_param kurento_dot_params[1] = {
    {.name = "details",
     .type = KURENTO_ENUM,
     .type_name = "GstreamerDotDetails",
     .words = details,
     .is_optional = true},
};

static void put_edges(struct text *t, struct kurento_element *element)
{
    const struct kurento_link *link = element->links_in[KURENTO_AUDIO];
    if (link)
        text_printf(t, "  \"%s\" -> \"%s\";\n", link->source->object.id, element->object.id);
    if (element->output_of && element->output_of != element)
        text_printf(t, "  \"%s\" -> \"%s\" [style=dashed];\n", element->output_of->object.id,
                    element->object.id);
}

static void put_object(struct text *t, struct kurento_object *object)
{
    text_printf(t, "  \"%s\" [label=\"%s\"];\n", object->id, object->type->name);
    if (kurento_type_is(object->type, "MediaElement"))
        put_edges(t, kurento_element_of(object));
    LIST_FOREACH(node, &object->children)
        put_object(t, CONTAINER_OF(node, struct kurento_object, siblings));
}

static size_t count(struct kurento_object *object)
{
    size_t n = 1;
    LIST_FOREACH(node, &object->children)
        n += count(CONTAINER_OF(node, struct kurento_object, siblings));
    return n;
}

int kurento_get_dot(const struct kurento_call *call, json_t **ret)
{
    struct text t;
    struct kurento_object *root = call->object;
    while (root->parent)
        root = root->parent;
    size_t n = count(root), size = (n + 1) * MAX_LINE;
    if (n > MAX_NODES)
        return kurento_fail(call->fault, KURENTO_E_RESOURCES, "%zu objects: a graph has %d at most",
                            n, MAX_NODES);
    char *buf = mem_alloc(size);
    if (!buf)
        return -ENOMEM;
    text_init(&t, buf, size);
    text_printf(&t, "digraph pipeline {\n  rankdir=LR;\n");
    put_object(&t, root);
    text_printf(&t, "}\n");
    *ret = json_stringn(text_str(&t).p, text_str(&t).len);
    mem_free(buf);
    return 0;
}

int kurento_dump_dot(const struct kurento_call *call, json_t **ret)
{
    (void)call;
    (void)ret;
    return 0;
}
