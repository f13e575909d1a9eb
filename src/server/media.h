/**
 * All that media needs, as the options want it: recorder, player, and the backend of calls with our
 * own engine or the media servers of others behind it.
 */
#ifndef SERVER_MEDIA_H
#define SERVER_MEDIA_H

#include "base/compiler.h"
#include "base/rng.h"
#include "media/engine.h"
#include "net/loop.h"
#include "server/media_servers.h"
#include "server/options.h"

/** Embedded in its owner, zeroed before it is opened. Read-only for others. */
struct server_media {
    struct media *backend;         /**< what signal drives; owned */
    struct engine *engine;         /**< inside backend; NULL: media.backend is kurento */
    struct media_servers *servers; /**< behind backend, owned; NULL: media.backend is engine */
    struct recorder *recorder;     /**< owned; NULL = nothing can be recorded */
    struct player *player;         /**< owned; NULL = nothing can be played */
};

/**
 * @param options  borrowed
 * @param rng      borrowed
 * @param wake     something is to be polled; called from any thread
 *
 * @return 0; positive: has been logged; a negative errno. server_media_close is due in any case
 */
MUST_CHECK int server_media_open(struct server_media *m, const struct options *options,
                                 struct net_loop *loop, struct rng *rng, void (*wake)(void *user),
                                 void *wake_user);

/** How many descriptors it may want, at most: a file each, a socket for each port of plain RTP. */
unsigned server_media_descriptors(const struct server_media *m, const struct options *options);

/**
 * Joins its threads: nobody is woken from here on. After who uses it is freed.
 *
 * @return false  the disk does not answer, and one thread hangs in it (recorder_free): `wake` may
 *                still be called. End the process
 */
bool server_media_close(struct server_media *m);

#endif
