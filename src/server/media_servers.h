/**
 * media.backend kurento: the media servers of media.kurento_uri, each with its WebSocket, behind
 * one struct media. It is the owner that src/kms asks for: it moves frames and time.
 */
#ifndef SERVER_MEDIA_SERVERS_H
#define SERVER_MEDIA_SERVERS_H

#include "base/compiler.h"
#include "base/rng.h"
#include "media/media.h"
#include "net/loop.h"
#include "net/server.h"
#include "server/options.h"

struct media_servers;

/**
 * @param options borrowed
 * @param rng     borrowed
 * @param wake    of struct media
 * @return 0, or a negative errno: nothing was made
 */
MUST_CHECK int media_servers_new(const struct options *options, struct net_loop *loop,
                                 struct rng *rng, void (*wake)(void *user), void *wake_user,
                                 struct media_servers **ret);

/** What signal drives. The caller's to free, after media_servers_close and before _free. */
struct media *media_servers_media(struct media_servers *ms);

/**
 * Begin to connect; servers that are not there are tried again and again.
 *
 * @return 0; NET_E_CONFIG (has been logged); a negative errno
 */
MUST_CHECK int media_servers_open(struct media_servers *ms, struct net_server *net);

/** Its deadline may have changed: due after every call into signal. Before it is open, and after
 * media_servers_close, nothing is waited for. */
void media_servers_rearm(struct media_servers *ms);

/** Cut the connections: before net_server_free. NULL is legal. */
void media_servers_close(struct media_servers *ms);

/** NULL is legal. */
void media_servers_free(struct media_servers *ms);

#endif
