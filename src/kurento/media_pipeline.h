/** A pipeline of the media engine under the name of a MediaPipeline. */
#ifndef KURENTO_MEDIA_PIPELINE_H
#define KURENTO_MEDIA_PIPELINE_H

#include "kurento/object.h"

struct kurento_media_pipeline {
    struct kurento_object object;
    bool latency_stats; /**< asked for; what is relayed without a queue has no latency to tell */
};

static inline struct kurento_media_pipeline *kurento_media_pipeline_of(struct kurento_object *o)
{
    return CONTAINER_OF(o, struct kurento_media_pipeline, object);
}

#endif
