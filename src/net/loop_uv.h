/**
 * The libuv side of the loop, for files of this module only.
 */
#ifndef NET_LOOP_UV_H
#define NET_LOOP_UV_H

#include <uv.h>

#include "net/loop.h"

uv_loop_t *net_loop_uv(struct net_loop *loop);

/** Run the loop until no handle is on its way to being closed. Not from a handler. */
void net_loop_settle(struct net_loop *loop);

#endif
