/**
 * One leg of a call that is over, in one line: for the operator who was told "it sounded bad".
 *
 * What the line says first is whose fault it was. "up" is what came from the client, "down" what
 * went to it; MOS is how the other side heard this client (ITU-T G.107, 1 … 4.4).
 */
#ifndef MEDIA_LOG_H
#define MEDIA_LOG_H

#include "base/text.h"
#include "media/quality.h"

/** Room for the longest line. */
#define MEDIA_LOG_MAX 512

/** What was not measured is left out. */
void media_log_write(struct text *t, const struct media_quality_end *end, enum media_leg leg);

#endif
