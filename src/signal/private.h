/** What the files of this folder share: the whole, and a socket. */
#ifndef SIGNAL_PRIVATE_H
#define SIGNAL_PRIVATE_H

#include "base/map.h"
#include "signal/rate.h"
#include "signal/recording.h"
#include "signal/signal.h"

struct signal_socket {
    uint64_t id;                 /**< RO; key of the map */
    enum signal_dialect dialect; /**< RO */
    bool has_extras;             /**< the page knows messages that the tutorials do not */
    struct signal_rate rate;
    struct signal_recordings recordings; /**< that it may hear */
};

struct signal {
    struct signal_config config;       /**< RO */
    struct signal_transport transport; /**< RO */
    struct media *media;               /**< borrowed */
    struct call_model *model;          /**< owned */
    struct map sockets;                /**< of struct signal_socket, owned */
    struct signal_stats stats;
};

/** Send a text and free it. @param text NULL = it could not be made: the socket is given up */
void signal_socket_send(struct signal *s, mono_us now, struct signal_socket *sock, char *text);

/** Memory ran out for one socket: it pays, the others go on. It is gone afterwards. */
void signal_socket_give_up(struct signal *s, mono_us now, struct signal_socket *sock);

/**
 * A frame becomes an input of the model, or its page is told what is wrong with it; the actions are
 * still to be run. The socket may be gone afterwards.
 */
void signal_frame_take(struct signal *s, mono_us now, struct signal_socket *sock, struct str text);

#endif
