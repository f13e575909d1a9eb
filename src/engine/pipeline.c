/* Memory of pipelines and endpoints; what happens to them on a worker is engine/life.c. */
#include "engine/pipeline.h"

#include <assert.h>
#include <errno.h>

#include "base/mem.h"

struct worker_report *worker_report_new(bool has_stats)
{
    struct worker_report *r = mem_zalloc(sizeof(*r) + (has_stats ? sizeof(r->stats[0]) : 0));
    if (r && has_stats)
        r->event.stats = r->stats;
    return r;
}

struct pipeline *pipeline_new(uint64_t id)
{
    struct pipeline *p = mem_zalloc(sizeof(*p));
    if (!p)
        return NULL;
    p->id = id;
    list_init(&p->endpoints);
    list_init(&p->pipelines);
    p->add = (struct worker_command){.type = WORKER_ADD_PIPELINE, .pipeline = p};
    p->release = (struct worker_command){.type = WORKER_RELEASE_PIPELINE, .pipeline = p};
    p->gone = worker_report_new(false);
    if (!p->gone) {
        pipeline_free(p);
        return NULL;
    }
    return p;
}

void pipeline_free(struct pipeline *p)
{
    if (!p)
        return;
    for (struct list *node; (node = list_pop(&p->endpoints));)
        pipeline_endpoint_free(CONTAINER_OF(node, struct pipeline_endpoint, endpoints));
    mem_free(p->gone);
    mem_free(p);
}

/* A row that was forgotten is found when the first endpoint of the kind is made, and not by a
 * packet. */
static bool is_complete(const struct pipeline_ops *o)
{
    return o->prefetch && o->receive && o->is_connected && o->awaits && o->input && o->timeout &&
           o->deadline && o->poll_send && o->poll_event && o->set_tag && o->get_source &&
           o->get_path && o->add_candidate && o->disconnected && o->renegotiate && o->close &&
           o->figures && o->free;
}

int pipeline_endpoint_init(struct pipeline_endpoint *e, const struct pipeline_ops *ops,
                           struct pipeline *p, unsigned number)
{
    assert(is_complete(ops));
    e->ops = ops;
    e->pipeline = p;
    e->number = number;
    e->demux.tag = DEMUX_NO_TAG;
    e->add = (struct worker_command){.type = WORKER_ADD_ENDPOINT, .endpoint = e};
    e->release = (struct worker_command){.type = WORKER_RELEASE_ENDPOINT, .endpoint = e};
    list_init(&e->endpoints);
    setup_leg_init(&e->setup);
    e->ended = worker_report_new(false);
    e->gone = worker_report_new(true);
    return e->ended && e->gone ? 0 : -ENOMEM;
}

void pipeline_endpoint_deinit(struct pipeline_endpoint *e)
{
    mem_free(e->ended);
    mem_free(e->gone);
    mem_free(e->tell);
    said_free(e->said);
    e->said = NULL;
    e->ended = e->gone = e->tell = NULL;
}

void pipeline_endpoint_free(struct pipeline_endpoint *e)
{
    if (e)
        e->ops->free(e);
}
