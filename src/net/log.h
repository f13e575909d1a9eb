/**
 * The lines of this module, and those of the HTTP library, on their way to the program's log.
 */
#ifndef NET_LOG_H
#define NET_LOG_H

#include "base/compiler.h"

/** The levels of net_set_log. */
enum net_log_level { NET_LOG_ERROR = 0, NET_LOG_WARNING = 1, NET_LOG_INFO = 2, NET_LOG_DEBUG = 3 };

/** One line, without the newline; cut at 511 bytes. */
PRINTF_LIKE(2, 3) void net_log(enum net_log_level level, const char *format, ...);

/** Send the HTTP library's lines here. Once a process is enough; more does no harm. */
void net_log_capture_library(void);

#endif
