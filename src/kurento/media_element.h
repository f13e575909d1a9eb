/**
 * MediaElement: what audio goes into and comes out of, and the connections between them.
 *
 * A connection is made by name as soon as a client asks for it; it becomes one of the media engine
 * when both ends have an endpoint there, which a WebRtcEndpoint has from its negotiation on.
 * Elements that only hand on (PassThrough, HubPort) have none: who hears them hears whom they hear,
 * which is worked out here and costs a packet nothing.
 *
 * Video and data are connected in name only.
 */
#ifndef KURENTO_MEDIA_ELEMENT_H
#define KURENTO_MEDIA_ELEMENT_H

#include <stdbool.h>

#include "base/list.h"
#include "engine/engine.h"
#include "kurento/object.h"
#include "kurento/param.h"

struct kurento_element;

/** One media type of one connection. Owned by its sink. */
struct kurento_link {
    struct kurento_element *source, *sink;
    enum kurento_media media;
    struct list of_source; /**< in source->links_out */
};

/** First member of every element's struct. */
struct kurento_element {
    struct kurento_object object;
    struct kurento_link *links_in[KURENTO_N_MEDIA]; /**< owned; NULL = hears nobody */
    struct list links_out;                          /**< of struct kurento_link.of_source */
    unsigned endpoint; /**< of the engine, within its pipeline; valid when is_live */
    bool is_live;      /**< the engine has the endpoint */
    bool hands_on;     /**< PassThrough, HubPort: has no endpoint ever */
    bool may_listen;   /**< media flows into it also while it has none: RecorderEndpoint */
    /** Of one that hands on: whose input comes out of it (itself, or another port of its hub); NULL
     * = nothing does. Set by kurento_element_hand_on. */
    struct kurento_element *output_of;
    struct list outputs;   /**< of struct kurento_element.of_output: where its input comes out */
    struct list of_output; /**< in output_of->outputs */
    /** The engine says something about its endpoint. RO; NULL = does not want to know. */
    void (*on_media)(struct kurento_object *object, const struct engine_event *event);
    /** Whom it hears, directly or through others, will not send any more. NULL = does not matter.
     */
    void (*on_end_of_stream)(struct kurento_object *object);
    bool flows_out, flows_in;      /**< as last told, kurento/watch.h */
    struct list questions;         /**< of struct kurento_question */
    struct kurento_element *heard; /**< live element that the engine lets it hear; NULL = none */
};

static inline struct kurento_element *kurento_element_of(struct kurento_object *object)
{
    return CONTAINER_OF(object, struct kurento_element, object);
}

/** First thing in a constructor, with the pipeline or hub as parent. Allocates nothing. */
void kurento_element_init(struct kurento_element *element);

/**
 * What goes into `input` comes out of `element` from now on.
 *
 * @param element  hands on
 * @param input    likewise; may be `element`; NULL = nothing comes out
 * @return 0 or -ENOMEM: some who hear it did not notice
 */
MUST_CHECK int kurento_element_hand_on(struct kurento_element *element,
                                       struct kurento_element *input);

/** First thing in deinit: who heard it hears nobody, and the engine's endpoint is released. */
void kurento_element_deinit(struct kurento_element *element);

/**
 * The engine has an endpoint for it from now on: connections that were made by name come true.
 *
 * @return 0, or -ENOMEM: some of them could not; it went away again
 */
MUST_CHECK int kurento_element_went_live(struct kurento_element *element, unsigned endpoint);

/** Release its endpoint of the engine: connections are by name only again, also of who heard it. */
void kurento_element_went_away(struct kurento_element *element);

/** Nothing will come out of it any more: those who hear it. Its deinit says so itself. */
void kurento_element_tell_end_of_stream(struct kurento_element *element);

/** Whose audio flows into it; NULL = nobody's. */
const struct kurento_element *kurento_element_hears(const struct kurento_element *element);

/** Whether anything flows out of it changed: those who hear it, directly or through others. */
void kurento_element_tell_flow(struct kurento_element *element);

/** Id of its pipeline in the engine. */
uint64_t kurento_element_pipeline(const struct kurento_element *element);

/** A number for an endpoint of its pipeline, not used before. */
unsigned kurento_element_new_endpoint(struct kurento_element *element);

/** Its constructors' first parameter. */
#define KURENTO_PIPELINE_PARAM                                                                     \
    {                                                                                              \
        .name = "mediaPipeline", .type = KURENTO_OBJECT, .type_name = "MediaPipeline"              \
    }

#endif
