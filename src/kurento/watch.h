/**
 * What is known of an element's media only by asking its worker: figures for getStats, and whether
 * anything flows. Questions travel to the worker and come back as ENGINE_EVENT_SNAPSHOT, so their
 * requests are put off; events about flow come from a look every half second at those pipelines in
 * which somebody subscribed to them.
 *
 *     out   from the person, into the pipeline: packets came within KURENTO_FLOW_TIMEOUT
 *     in    from the pipeline, to the person: whom it hears flows out
 */
#ifndef KURENTO_WATCH_H
#define KURENTO_WATCH_H

#include "kurento/media_element.h"
#include "kurento/private.h"

/** Silence with DTX brings a packet every 400 ms (RFC 6716 §2.1.9); some of them may be lost. */
#define KURENTO_FLOW_TIMEOUT (2 * US_PER_S)

#define KURENTO_WATCH_INTERVAL (500 * US_PER_MS)

/** A request that waits for the figures of a live element. Owned by element->questions. */
struct kurento_question {
    struct list questions;
    unsigned tag;
    struct kurento_later *later;
    /** Make the value. @return owned; NULL = out of memory */
    json_t *(*answer)(struct kurento_element *asked, const struct engine_stats *stats);
};

/**
 * Put the call off until the figures are there.
 *
 * @param asked   live: its figures are looked at
 * @param answer  makes the value
 * @return what the handler is to return
 */
int kurento_ask(const struct kurento_call *call, struct kurento_element *asked,
                json_t *(*answer)(struct kurento_element *asked, const struct engine_stats *stats));

/** Nobody will answer any more: the element is going. */
void kurento_drop_questions(struct kurento_element *element);

/** ENGINE_EVENT_SNAPSHOT of this element. */
void kurento_snapshot(struct kurento_element *element, unsigned tag,
                      const struct engine_stats *stats);

/** Whom it hears changed: tell whether something flows in now. */
void kurento_flow_refresh(struct kurento_element *element);

/** Is anything flowing out of it, by these figures? */
bool kurento_flows(const struct engine_stats *stats);

/** Does who subscribes to it want the regular look? */
bool kurento_is_flow_event(const char *event);

/** Look at the pipelines that are watched. */
void kurento_watch(struct kurento *k);

#endif
