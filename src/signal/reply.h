/**
 * Replies of the call model → JSON text in the words of a dialect. Key order and strings are those
 * of the tutorials (docs/protocol.md#dialects); our extras stand at the end.
 */
#ifndef SIGNAL_REPLY_H
#define SIGNAL_REPLY_H

#include "base/compiler.h"
#include "call/call.h"
#include "signal/signal.h"

/** One frame, to be freed with free(); NULL when out of memory. */
MUST_CHECK char *signal_reply_text(enum signal_dialect dialect, const struct call_reply *reply);

/** An `error` frame about the form of a message, likewise. reason and field may be NULL. */
MUST_CHECK char *signal_error_text(const char *message, const char *reason, const char *field);

#endif
