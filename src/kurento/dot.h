/**
 * getGstreamerDot: a pipeline as a graph in the language of Graphviz. There is no GStreamer here;
 * what a developer looks for in the picture is who is connected with whom, and that is in it.
 */
#ifndef KURENTO_DOT_H
#define KURENTO_DOT_H

#include "kurento/type.h"

/** Its parameter: which details of GStreamer are wanted. Taken and not looked at. */
extern const struct kurento_param kurento_dot_params[1];

/** Handlers for a pipeline, a hub or an element: the graph is of the whole pipeline. */
int kurento_get_dot(const struct kurento_call *call, json_t **ret);

/** Writes into a file of the server in KMS: nothing here. */
int kurento_dump_dot(const struct kurento_call *call, json_t **ret);

#endif
