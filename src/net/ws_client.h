/**
 * A WebSocket to another server (RFC 6455), on the same loop and with the same library as our own
 * server: text messages out and in, TLS with the other side's certificate verified.
 *
 * A client outlives its connections: it is told to connect as often as its owner likes, one
 * connection at a time. Everything happens on the loop's thread. No handler is called from within
 * a function of this header; they come from the loop.
 */
#ifndef NET_WS_CLIENT_H
#define NET_WS_CLIENT_H

#include <stddef.h>

#include "base/compiler.h"
#include "base/str.h"
#include "base/ws_url.h"
#include "net/server.h"

struct net_ws_client_handlers {
    void (*on_open)(void *user);

    /** One whole message, text or binary. @param text borrowed for the call */
    void (*on_message)(void *user, struct str text);

    /**
     * The connection is gone, or did not come about. Once for each net_ws_client_connect that was
     * not followed by net_ws_client_close.
     *
     * @param why a few words for the log; borrowed for the call
     */
    void (*on_close)(void *user, const char *why);
};

struct net_ws_client_config {
    struct ws_url url;
    const char *token;      /**< sent as "Authorization: Bearer …"; NULL or "" = none; borrowed */
    size_t max_frame;       /**< bytes of one message; a larger one ends the connection */
    size_t max_queue_bytes; /**< bytes waiting to be sent; more end the connection */
    struct net_ws_client_handlers handlers;
    void *user;
};

struct net_ws_client;

/**
 * @param server    whose library context is used, and who waits at its end for names that are
 *                  still looked up; must outlive the client. net_server_config.client_ca says
 *                  whom wss trusts
 * @param ret_error NET_ERROR_MAX bytes, filled on NET_E_CONFIG
 *
 * @return 0 (nothing happens before net_ws_client_connect)
 *         NET_E_CONFIG  the file of trusted certificates cannot be used
 *         -ENOMEM
 */
MUST_CHECK int net_ws_client_new(struct net_server *server,
                                 const struct net_ws_client_config *config,
                                 struct net_ws_client **ret, char *ret_error);

/**
 * Begin to connect; comes to on_open or on_close. There is no time limit but that of the network
 * and the library (10 s each for TLS and upgrade): who has less patience closes. A name with
 * several addresses is tried at the next one with each call.
 *
 * Legal only when there is no connection.
 */
void net_ws_client_connect(struct net_ws_client *client);

/** Queue a text message, copied. Without an open connection it is dropped. */
void net_ws_client_send(struct net_ws_client *client, struct str text);

/** Cut the connection, if there is one; no handler is called for it any more. */
void net_ws_client_close(struct net_ws_client *client);

/** NULL is legal. */
void net_ws_client_free(struct net_ws_client *client);

#endif
