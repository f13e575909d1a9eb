/* MediaPipeline: what holds the elements that may be connected with one another. */
#include "kurento/media_pipeline.h"

#include "kurento/dot.h"
#include "kurento/private.h"
#include "kurento/types.h"

const void *kurento_media_pipeline_key(const void *value, size_t *ret_len)
{
    const struct kurento_media_pipeline *pipeline = value;
    *ret_len = sizeof(pipeline->number);
    return &pipeline->number;
}

static int init(const struct kurento_call *call)
{
    struct kurento *k = call->kurento;
    struct kurento_media_pipeline *pipeline = kurento_media_pipeline_of(call->object);
    pipeline->number = rng_u64(k->rng);
    int err = engine_pipeline_new(k->engine, ENGINE_PIPELINES, pipeline->number);
    if (err)
        return err;
    err = map_insert(&k->pipelines, pipeline);
    if (err)
        engine_pipeline_release(k->engine, pipeline->number);
    return err;
}

static void deinit(struct kurento_object *object)
{
    const struct kurento_media_pipeline *pipeline = kurento_media_pipeline_of(object);
    (void)map_remove(&object->kurento->pipelines, &pipeline->number, sizeof(pipeline->number));
    engine_pipeline_release(object->kurento->engine, pipeline->number);
}

static int get_latency_stats(const struct kurento_call *call, json_t **ret)
{
    const struct kurento_media_pipeline *pipeline = kurento_media_pipeline_of(call->object);
    *ret = json_boolean(pipeline->latency_stats);
    return 0;
}

static int set_latency_stats(const struct kurento_call *call, json_t **ret)
{
    (void)ret;
    kurento_media_pipeline_of(call->object)->latency_stats = call->args[0].boolean;
    return 0;
}

static const struct kurento_param latency_param[] = {
    {.name = "latencyStats", .type = KURENTO_BOOLEAN},
};

static const struct kurento_operation operations[] = {
    {"getLatencyStats", NULL, 0, get_latency_stats},
    {"setLatencyStats", latency_param, 1, set_latency_stats},
    {"getGstreamerDot", kurento_dot_params, 1, kurento_get_dot},
    {"dumpGstreamerDot", kurento_dot_params, 1, kurento_dump_dot},
};

const struct kurento_type kurento_media_pipeline_type = {
    .name = "MediaPipeline",
    .module = "core",
    .base = &kurento_media_object_type,
    .size = sizeof(struct kurento_media_pipeline),
    .init = init,
    .deinit = deinit,
    .operations = operations,
    .n_operations = ARRAY_LEN(operations),
};
