/*
 * Connections coming and going: counted when they are accepted, handed to the library together
 * with a net_conn, found again by the opaque pointer of the wsi, and gone when the library says so.
 * A net_conn lives exactly as long as its wsi (LWS_CALLBACK_WSI_DESTROY).
 */
#include <unistd.h>

#include "base/mem.h"
#include "net/log.h"
#include "net/server_private.h"

void net_conn_free(struct net_conn *conn)
{
    struct net_server *server = conn->server;
    net_http_end(conn);
    net_socket_gone(conn);
    net_clients_remove(&server->clients, conn->client);
    list_remove(&conn->link);
    server->n_conns--;
    mem_free(conn);
    if (server->n_conns < net_server_max_connections(server))
        server->is_full = false;
    /* The report of the end comes from the loop, not from the middle of a close. */
    if (server->is_stopping && server->n_conns == 0 && !server->is_freeing)
        net_timer_set(server->stop, 0);
}

/** @return NULL when a limit says no, or there is no memory */
static struct net_conn *conn_new(struct net_server *server, const struct addr *remote,
                                 const struct addr *local)
{
    if (server->n_conns >= net_server_max_connections(server)) {
        if (!server->is_full)
            net_log(NET_LOG_WARNING,
                    "%zu connections are open; refusing more until some end. Raise "
                    "http.max_sockets if these are people.",
                    server->n_conns);
        server->is_full = true;
        return NULL;
    }
    struct net_client *client = net_clients_add(&server->clients, remote);
    if (!client)
        return NULL;
    unsigned max = server->limits.max_sockets_per_address + NET_SPARE_CONNECTIONS_PER_ADDRESS;
    bool exempt = addr_is_loopback(remote) && !server->limits.limit_loopback;
    struct net_conn *conn = !exempt && client->connections > max ? NULL : mem_zalloc(sizeof(*conn));
    if (!conn) {
        net_clients_remove(&server->clients, client);
        return NULL;
    }
    conn->server = server;
    conn->remote = *remote;
    conn->local = *local;
    conn->client = client;
    list_init(&conn->link);
    list_append(&server->conns, &conn->link);
    server->n_conns++;
    return conn;
}

void net_conn_kill(struct net_conn *conn)
{
    if (!conn->wsi)
        return;
    lws_set_timeout(conn->wsi, PENDING_TIMEOUT_USER_REASON_BASE, LWS_TO_KILL_ASYNC);
    /* The library looks at its timeouts after an event of its own only. */
    lws_cancel_service(conn->server->context);
}

void net_conn_adopt(struct net_server *server, enum net_side side, int fd,
                    const struct addr *remote, const struct addr *local)
{
    struct net_conn *conn = conn_new(server, remote, local);
    if (!conn) {
        close(fd);
        return;
    }
    conn->side = side;
    lws_adopt_desc_t info = {
        .vh = server->vhosts[net_conn_is_tls(conn) ? NET_TLS : NET_PLAIN],
        .type =
            LWS_ADOPT_SOCKET | LWS_ADOPT_HTTP | (net_conn_is_tls(conn) ? LWS_ADOPT_ALLOW_SSL : 0),
        .fd = {.sockfd = fd},
        .opaque = conn,
    };
    server->adopting = conn;
    struct lws *wsi = lws_adopt_descriptor_vhost_via_info(&info); /* fd is now the library's */
    /* Without a wsi nothing will ever free the conn, unless it was made and failed later: then
     * LWS_CALLBACK_WSI_DESTROY has come or is on its way. */
    if (!wsi && server->adopting == conn && !conn->wsi)
        net_conn_free(conn);
    server->adopting = NULL;
}

void net_conn_destroyed(struct net_conn *conn)
{
    if (conn->server->adopting == conn)
        conn->server->adopting = NULL;
    net_conn_free(conn);
}

int net_conn_event(struct net_conn *conn, struct lws *wsi, enum lws_callback_reasons reason,
                   void *in, size_t len)
{
    switch (reason) {
    case LWS_CALLBACK_HTTP:
        return net_http_request(conn, wsi, (struct str){in, len});
    case LWS_CALLBACK_HTTP_WRITEABLE:
        return net_http_writable(conn, wsi);
    case LWS_CALLBACK_CLOSED_HTTP:
        net_http_end(conn);
        return 0;
    case LWS_CALLBACK_HTTP_CONFIRM_UPGRADE:
        return net_upgrade_check(conn, wsi, in);
    case LWS_CALLBACK_ESTABLISHED:
        return net_socket_open(conn, wsi);
    case LWS_CALLBACK_RECEIVE:
        return net_socket_receive(conn, wsi, in, len);
    case LWS_CALLBACK_RECEIVE_PONG:
        net_socket_heard(conn);
        return 0;
    case LWS_CALLBACK_WS_PEER_INITIATED_CLOSE:
        return net_socket_peer_closed(conn);
    case LWS_CALLBACK_SERVER_WRITEABLE:
        return net_socket_writable(conn, wsi);
    case LWS_CALLBACK_CLOSED:
        net_socket_gone(conn);
        return 0;
    default:
        return 0;
    }
}
