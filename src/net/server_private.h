/**
 * What the files of the server share. One connection is a net_conn, with the library's wsi beside
 * it; when it becomes a WebSocket it gets a net_socket.
 *
 *     net_server ── net_listener (plain, TLS)
 *         └─ net_conn ── wsi (the library's)
 *                └─ net_socket
 */
#ifndef NET_SERVER_PRIVATE_H
#define NET_SERVER_PRIVATE_H

#include <limits.h>

#include <libwebsockets.h>

#include "base/list.h"
#include "base/map.h"
#include "net/clients.h"
#include "net/files.h"
#include "net/listener.h"
#include "net/server.h"
#include "net/tls.h"

/** Connections beyond the WebSockets: page loads, health checks, those on their way to upgrade. */
#define NET_SPARE_CONNECTIONS 1024

/** The same for one address: a few browsers behind one NAT that load the page together. */
#define NET_SPARE_CONNECTIONS_PER_ADDRESS 64

/** How long a socket may take to send what is queued and its close frame. */
#define NET_CLOSE_TIMEOUT (3 * US_PER_S)

enum net_side { NET_PLAIN = 0, NET_TLS = 1, NET_API = 2 };

#define NET_SIDES  3
#define NET_VHOSTS 2 /**< by net_side: plain or TLS */

/** One TCP connection. Owner: server->conns; freed when the library destroys its wsi. */
struct net_conn {
    struct list link; /**< in server->conns */
    struct net_server *server;
    struct lws *wsi;           /**< NULL until the library made it */
    struct addr remote, local; /**< RO */
    enum net_side side;        /**< RO */
    struct net_client *client; /**< counts of its address; borrowed from server->clients */

    bool has_body;        /**< an answer's body is being sent */
    bool is_last;         /**< close after this answer */
    struct net_file body; /**< owned while has_body */
    size_t body_at;       /**< bytes of it sent */

    const struct net_route *route; /**< set when an upgrade was granted */
    bool is_misled;                /**< NET_API: it asked for another path */
    struct net_socket *socket;     /**< owned; NULL = HTTP */
};

struct net_server {
    struct net_loop *loop;
    struct net_limits limits; /**< RO; no zeroes */
    const struct net_route *routes;
    size_t n_routes;
    const char *const *origins;
    size_t n_origins;
    struct net_api_config api; /**< RO; no zeroes in its limits */
    struct net_handlers handlers;
    void *user;

    struct net_files files;
    char cert[PATH_MAX], key[PATH_MAX];        /**< files of the TLS pair; "" without TLS */
    char fingerprint[NET_FINGERPRINT_MAX];     /**< "" without TLS */
    struct net_listener *listeners[NET_SIDES]; /**< NULL = off, or stopped */
    char urls[NET_SIDES][NET_URL_MAX];         /**< "" = off */
    uint16_t ports[NET_SIDES];                 /**< 0 = off */

    struct lws_context *context; /**< the library sets it to NULL when it is gone */
    struct lws_vhost *vhosts[NET_VHOSTS];
    struct lws_protocols protocols[2]; /**< ours and the end mark */
    void *foreign_loop;
    char *error;               /**< where to put the text of a TLS error; NET_ERROR_MAX bytes */
    struct net_conn *adopting; /**< on its way to the library */

    const char *client_ca;              /**< of ws_client.c; "" or NULL = the system's */
    bool is_ca_bad;                     /**< it could not be read */
    struct lws_vhost *client_vhosts[2]; /**< plain and TLS; NULL = not needed yet */
    struct net_ws_link *linking;        /**< an outgoing connection on its way to the library */
    unsigned n_lookups;                 /**< of names: requests that the loop must see through */

    struct list conns;
    size_t n_conns;
    struct net_clients clients;
    bool is_full; /**< said so in the log; until it is not full any more */

    struct map sockets;      /**< id → net_socket */
    uint64_t next_id;        /**< never goes back */
    struct list pinging;     /**< sockets by ping_at, the next one first */
    struct list closing;     /**< sockets by close_deadline, the next one first */
    struct net_timer *sweep; /**< for both lists */

    bool is_stopping;
    bool is_freeing;        /**< no handler is called any more */
    struct net_timer *stop; /**< the limit of the stop, then the report of its end */
    net_stopped_fn on_stopped;
    void *on_stopped_user;
};

static inline bool net_conn_is_tls(const struct net_conn *conn)
{
    return conn->side == NET_TLS || (conn->side == NET_API && conn->server->api.is_tls);
}

/** Of all kinds. */
static inline size_t net_server_max_connections(const struct net_server *server)
{
    return (size_t)server->limits.max_sockets + NET_SPARE_CONNECTIONS;
}

/* -- connection.c -- */

/** A connection was accepted: the library has it from now on, or a limit closed it. */
void net_conn_adopt(struct net_server *server, enum net_side side, int fd,
                    const struct addr *remote, const struct addr *local);

/** The library's callback about it. @return what the callback returns */
int net_conn_event(struct net_conn *conn, struct lws *wsi, enum lws_callback_reasons reason,
                   void *in, size_t len);

/** Its wsi is gone, and so is it. */
void net_conn_destroyed(struct net_conn *conn);

/** Forget it. Only where the library will not say any more that it is gone. */
void net_conn_free(struct net_conn *conn);

/** End the connection from the loop, without a word to the peer. */
void net_conn_kill(struct net_conn *conn);

/* -- http.c: answers. The results are those of the library's callbacks: 0 = go on, -1 = close -- */

/** A request that is no upgrade. @param path decoded, without the query */
int net_http_request(struct net_conn *conn, struct lws *wsi, struct str path);

/** More of the body may be sent. */
int net_http_writable(struct net_conn *conn, struct lws *wsi);

/** Forget the body. */
void net_http_end(struct net_conn *conn);

/**
 * Answer with one line of text.
 *
 * @param headers further header lines, each with its CRLF; "" = none
 */
PRINTF_LIKE(5, 6)
int net_http_text(struct net_conn *conn, struct lws *wsi, int status, const char *headers,
                  const char *format, ...);

/** The route with this path; NULL = none */
const struct net_route *net_server_route(const struct net_server *server, struct str path);

/* -- upgrade.c -- */

/**
 * May this request become a WebSocket? If not, it has been answered.
 *
 * @param protocol the Upgrade header
 * @return 0 = yes (conn->route is set), -1 = close
 */
int net_upgrade_check(struct net_conn *conn, struct lws *wsi, const char *protocol);

/** One of these origins, or any when there is "*"? */
bool net_origin_is_listed(struct str origin, const char *const *origins, size_t n);

/** Copy of a request header. @return "" when there is none, or when it does not fit */
struct str net_header(struct lws *wsi, enum lws_token_indexes which, char *buf, int size);

/* -- api.c -- */

/** Is there a key? @return false = no, and it has been answered */
bool net_api_has_key(struct net_conn *conn, struct lws *wsi);

/** What NET_API wants of an upgrade, besides the form of it. @return false = it has been answered
 */
bool net_api_check(struct net_conn *conn, struct lws *wsi);

/** A request there that is no upgrade. */
int net_api_request(struct net_conn *conn, struct lws *wsi);

/* -- socket.c -- */

/** The handshake is done. @return 0, or -1 = close (out of memory) */
int net_socket_open(struct net_conn *conn, struct lws *wsi);

/** A piece of a message. */
int net_socket_receive(struct net_conn *conn, struct lws *wsi, const void *data, size_t len);

/** A pong came. */
void net_socket_heard(struct net_conn *conn);

/** The peer sent a close frame. @return 0 = the library answers it, -1 = end the connection */
int net_socket_peer_closed(struct net_conn *conn);

/** One frame may be sent. @return 0, or -1 = the connection is broken */
int net_socket_writable(struct net_conn *conn, struct lws *wsi);

/** The connection is gone: tells the user and frees. */
void net_socket_gone(struct net_conn *conn);

/** Close with a frame, see net_server_close_socket. */
void net_socket_close(struct net_conn *conn, unsigned code, struct str reason);

/** Key of the map of sockets. */
const void *net_socket_key(const void *value, size_t *ret_len);

/** Handler of server->sweep: pings, and those who do not come to an end. */
void net_socket_sweep(void *user, mono_us now);

#endif
