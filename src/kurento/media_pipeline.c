/* MediaPipeline: what holds the elements that may be connected with one another. */
#include "kurento/media_pipeline.h"

#include "kurento/private.h"
#include "kurento/types.h"

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
};

const struct kurento_type kurento_media_pipeline_type = {
    .name = "MediaPipeline",
    .module = "core",
    .base = &kurento_media_object_type,
    .size = sizeof(struct kurento_media_pipeline),
    .operations = operations,
    .n_operations = ARRAY_LEN(operations),
};
