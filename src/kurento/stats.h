/** getStats: what Kurento tells of an endpoint, from the figures of the media engine. */
#ifndef KURENTO_STATS_H
#define KURENTO_STATS_H

#include "kurento/watch.h"

/** The map of one endpoint. @return owned; NULL = out of memory */
json_t *kurento_stats(struct kurento_element *element, const struct engine_stats *stats);

/** An element without media of its own, or before there is any: what is said of itself alone. */
json_t *kurento_stats_empty(struct kurento_element *element);

#endif
