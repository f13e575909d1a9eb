/**
 * The running server: what is made in which order, who is told what, and how it ends.
 */
#ifndef SERVER_SERVER_H
#define SERVER_SERVER_H

#include "server/options.h"

/**
 * Serve until SIGTERM or SIGINT, then end every call in order.
 *
 * When everything accepts work, one line goes to standard output:
 * `ready http=http://127.0.0.1:8080 https=https://0.0.0.0:8443 media=udp:0.0.0.0:40000`, with the
 * real ports and only what is on.
 *
 * @return exit status: 0 ended in order, 1 something was missing (the log says what)
 */
int server_run(const struct options *options);

#endif
