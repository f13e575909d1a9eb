/* PassThrough: an element whose output is its input. */
#include "kurento/media_element.h"
#include "kurento/private.h"
#include "kurento/types.h"

static int init(const struct kurento_call *call)
{
    struct kurento_element *element = kurento_element_of(call->object);
    kurento_element_init(element);
    element->hands_on = true;
    return kurento_element_hand_on(element, element);
}

static void deinit(struct kurento_object *object)
{
    kurento_element_deinit(kurento_element_of(object));
}

static const struct kurento_param params[] = {KURENTO_PIPELINE_PARAM};

const struct kurento_type kurento_pass_through_type = {
    .name = "PassThrough",
    .module = "core",
    .base = &kurento_media_element_type,
    .size = sizeof(struct kurento_element),
    .params = params,
    .n_params = ARRAY_LEN(params),
    .init = init,
    .deinit = deinit,
};
