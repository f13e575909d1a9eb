/** A PlayerEndpoint plays what its URI names to whoever hears it (play/player.h, engine_play). */
#ifndef KURENTO_PLAYER_ENDPOINT_H
#define KURENTO_PLAYER_ENDPOINT_H

#include "kurento/uri_endpoint.h"
#include "play/player.h"

struct kurento_player_endpoint {
    struct kurento_uri_endpoint uri;
    struct playing *playing;   /**< NULL = nothing is being played */
    struct packet_feed *feed;  /**< a reference, with playing */
    unsigned run;              /**< tag of what is played: the end of an earlier one is not its */
    struct playing *measuring; /**< how long it is; NULL = nobody asked */
    struct list waits;         /**< of getVideoInfo, whose answer that is; owned */
};

/** Drain the player's events. */
void kurento_player_ready(struct kurento *k);

#endif
