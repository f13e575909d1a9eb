/** A pipeline of the media engine under the name of a MediaPipeline. */
#ifndef KURENTO_MEDIA_PIPELINE_H
#define KURENTO_MEDIA_PIPELINE_H

#include "kurento/object.h"

struct kurento_media_pipeline {
    struct kurento_object object;
    uint64_t number;        /**< its id in the engine */
    unsigned next_endpoint; /**< numbers of the engine are not used twice */
    bool latency_stats; /**< asked for; what is relayed without a queue has no latency to tell */
};

static inline struct kurento_media_pipeline *kurento_media_pipeline_of(struct kurento_object *o)
{
    return CONTAINER_OF(o, struct kurento_media_pipeline, object);
}

/** Key of the map of pipelines. */
const void *kurento_media_pipeline_key(const void *value, size_t *ret_len);

#endif
