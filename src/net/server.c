/*
 * The server's life: listeners, the library's context on our loop, the orderly stop. Connections
 * come and go in connection.c; what happens on one stands in http.c, upgrade.c and socket.c.
 *
 * The library never listens: our listeners do, and hand on what they accept.
 *
 * Ports are known only to us; to the library the two sides are vhosts without a port. They must
 * have different "no port" numbers: it looks a vhost up again by port and Host header.
 */
#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>

#include "base/mem.h"
#include "net/log.h"
#include "net/loop_uv.h"
#include "net/self_signed.h"
#include "net/server_private.h"

/** Seconds for a TLS handshake, for a request's head, and for an answer to be taken. */
#define REQUEST_TIMEOUT_S 10

/** Seconds a connection may wait for its next request. */
#define KEEPALIVE_S 15

/** Bytes of a request's head. Other programs on the same host name may have set many cookies. */
#define REQUEST_HEAD_MAX 8192

/** Bytes the library reads at once; it keeps a buffer of that size for each WebSocket. */
#define RX_BUFFER 2048

/** Bytes the library writes at once; larger messages would be copied. */
#define TX_PIECE (128 * 1024)

/** Of the port for programs, where nothing else is said: frames of a media server's clients carry
 *  whole transactions, and events of thousands of objects may wait while a client is busy. */
#define API_MAX_FRAME   (4 * 1024 * 1024)
#define API_QUEUE_BYTES (16 * 1024 * 1024)

/** Descriptors of everybody else in the process: workers, files, libraries. */
#define OTHER_DESCRIPTORS 1024

static const struct net_limits default_limits = {
    .max_frame = 64 * 1024,
    .max_queue_bytes = 256 * 1024,
    .max_sockets_per_address = 50,
    .max_sockets = 10000,
    .ping_interval = 10 * US_PER_S,
    .max_missed_pings = 2,
};

/* -- what comes in -- */

static void on_accept_plain(void *user, int fd, const struct addr *remote, const struct addr *local)
{
    net_conn_adopt(user, NET_PLAIN, fd, remote, local);
}

static void on_accept_tls(void *user, int fd, const struct addr *remote, const struct addr *local)
{
    net_conn_adopt(user, NET_TLS, fd, remote, local);
}

static void on_accept_api(void *user, int fd, const struct addr *remote, const struct addr *local)
{
    net_conn_adopt(user, NET_API, fd, remote, local);
}

static int on_library(struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in,
                      size_t len)
{
    switch (reason) {
    case LWS_CALLBACK_OPENSSL_LOAD_EXTRA_SERVER_VERIFY_CERTS: {
        struct net_server *server = lws_context_user(lws_get_context(wsi));
        if (net_tls_setup(user, server->cert, server->key, server->error) != 0)
            return -1;
        net_tls_fingerprint(user, server->fingerprint);
        return 0;
    }
    case LWS_CALLBACK_WSI_CREATE: {
        /* The opaque pointer is not set yet. */
        struct net_server *server = lws_context_user(lws_get_context(wsi));
        if (server->adopting)
            server->adopting->wsi = wsi;
        return 0;
    }
    case LWS_CALLBACK_WSI_DESTROY: {
        struct net_conn *conn = lws_get_opaque_user_data(wsi);
        if (conn)
            net_conn_destroyed(conn);
        return 0;
    }
    case LWS_CALLBACK_HTTP:
    case LWS_CALLBACK_HTTP_WRITEABLE:
    case LWS_CALLBACK_CLOSED_HTTP:
    case LWS_CALLBACK_HTTP_CONFIRM_UPGRADE:
    case LWS_CALLBACK_ESTABLISHED:
    case LWS_CALLBACK_RECEIVE:
    case LWS_CALLBACK_RECEIVE_PONG:
    case LWS_CALLBACK_WS_PEER_INITIATED_CLOSE:
    case LWS_CALLBACK_SERVER_WRITEABLE:
    case LWS_CALLBACK_CLOSED: {
        struct net_conn *conn = lws_get_opaque_user_data(wsi);
        return conn ? net_conn_event(conn, wsi, reason, in, len) : -1;
    }
    default:
        /* Others concern clients, files and sub-protocols, or want 0 to go on. */
        return 0;
    }
}

/* -- making it -- */

/**
 * The library sizes two tables by the limit of open files, and looks descriptors up in one of them;
 * any other way of limiting them makes it search. So the limit is what the sockets need while the
 * context is made, and at least that afterwards.
 */
static void with_descriptors(struct net_server *server,
                             const struct lws_context_creation_info *info)
{
    struct rlimit was, now;
    rlim_t need =
        net_server_max_connections(server) + server->limits.other_descriptors + OTHER_DESCRIPTORS;
    bool known = getrlimit(RLIMIT_NOFILE, &was) == 0;
    if (known) {
        if (was.rlim_max < need) {
            net_log(NET_LOG_WARNING,
                    "http.max_sockets (%u) needs %llu open files and the system allows %llu: fewer "
                    "people can connect. Raise the limit (ulimit -Hn, LimitNOFILE).",
                    server->limits.max_sockets, (unsigned long long)need,
                    (unsigned long long)was.rlim_max);
            need = was.rlim_max;
        }
        now = (struct rlimit){.rlim_cur = need, .rlim_max = was.rlim_max};
        known = setrlimit(RLIMIT_NOFILE, &now) == 0;
    }
    server->context = lws_create_context(info);
    if (known && was.rlim_cur > need)
        (void)setrlimit(RLIMIT_NOFILE, &was);
}

/** Pings are ours (they have to be in ms and say why they close): the library's stay off. */
static const lws_retry_bo_t no_library_pings = {.secs_since_valid_ping = 0};

static int make_context(struct net_server *server, struct net_loop *loop)
{
    server->protocols[0] = (struct lws_protocols){
        .name = "duet",
        .callback = on_library,
        .rx_buffer_size = RX_BUFFER,
        .tx_packet_size = TX_PIECE,
    };
    server->foreign_loop = net_loop_uv(loop);
    struct lws_context_creation_info info = {
        .port = CONTEXT_PORT_NO_LISTEN,
        .protocols = server->protocols,
        .options = LWS_SERVER_OPTION_LIBUV | LWS_SERVER_OPTION_EXPLICIT_VHOSTS |
                   LWS_SERVER_OPTION_DO_SSL_GLOBAL_INIT | LWS_SERVER_OPTION_DISABLE_OS_CA_CERTS,
        .foreign_loops = &server->foreign_loop,
        .pcontext = &server->context,
        .user = server,
        .gid = -1,
        .uid = -1,
        .timeout_secs = REQUEST_TIMEOUT_S,
        .max_http_header_data = REQUEST_HEAD_MAX,
    };
    with_descriptors(server, &info);
    return server->context ? 0 : -ENOMEM;
}

static int make_vhost(struct net_server *server, enum net_side side)
{
    static const struct {
        const char *name;
        int port;
        uint64_t options;
    } kinds[NET_VHOSTS] = {
        [NET_PLAIN] = {"http", CONTEXT_PORT_NO_LISTEN, 0},
        [NET_TLS] = {"https", CONTEXT_PORT_NO_LISTEN_SERVER,
                     LWS_SERVER_OPTION_CREATE_VHOST_SSL_CTX},
    };
    struct lws_context_creation_info info = {
        .vhost_name = kinds[side].name,
        .port = kinds[side].port,
        .protocols = server->protocols,
        .options = LWS_SERVER_OPTION_DO_SSL_GLOBAL_INIT | LWS_SERVER_OPTION_DISABLE_OS_CA_CERTS |
                   kinds[side].options,
        .keepalive_timeout = KEEPALIVE_S,
        .retry_and_idle_policy = &no_library_pings,
        .alpn = "http/1.1", /* WebSockets over HTTP/2 would cost a second state machine */
    };
    if (server->vhosts[side])
        return 0; /* of two listeners */
    server->vhosts[side] = lws_create_vhost(server->context, &info);
    return server->vhosts[side] ? 0 : -ENOMEM;
}

static const char *const listen_keys[NET_SIDES] = {"http.listen", "https.listen", "kurento.listen"};
static const net_accept_fn accepts[NET_SIDES] = {on_accept_plain, on_accept_tls, on_accept_api};

static const char *scheme_of(const struct net_server *server, enum net_side side)
{
    if (side == NET_API)
        return server->api.is_tls ? "wss" : "ws";
    return side == NET_TLS ? "https" : "http";
}

static int make_side(struct net_server *server, enum net_side side, const char *listen, char *error)
{
    int r = net_listener_new(server->loop, listen_keys[side], listen, accepts[side], server,
                             &server->listeners[side], error);
    if (r != 0)
        return r;
    char text[ADDR_TEXT_MAX];
    const struct addr *at = net_listener_addr(server->listeners[side]);
    server->ports[side] = at->port;
    snprintf(server->urls[side], NET_URL_MAX, "%s://%s%s", scheme_of(server, side),
             addr_write(at, text), side == NET_API ? server->api.route.path : "");
    bool is_tls = side == NET_TLS || (side == NET_API && server->api.is_tls);
    return make_vhost(server, is_tls ? NET_TLS : NET_PLAIN);
}

static bool is_set(const char *setting)
{
    return setting && setting[0];
}

/** Find the TLS pair, or make one, and see that it can be used. */
static int prepare_tls(struct net_server *server, const struct net_server_config *config,
                       char *error)
{
    if (is_set(config->tls_cert) != is_set(config->tls_key)) {
        snprintf(error, NET_ERROR_MAX,
                 "%s: set it too, or leave both tls.cert and tls.key out for a self-signed "
                 "certificate.",
                 is_set(config->tls_cert) ? "tls.key" : "tls.cert");
        return NET_E_CONFIG;
    }
    if (!is_set(config->tls_cert)) {
        int r = net_self_signed(config->state_dir, server->cert, sizeof(server->cert), error);
        if (r != 0)
            return r;
        memcpy(server->key, server->cert, sizeof(server->key));
    } else if (!str_copy(str_of(config->tls_cert), server->cert, sizeof(server->cert)) ||
               !str_copy(str_of(config->tls_key), server->key, sizeof(server->key))) {
        snprintf(error, NET_ERROR_MAX, "tls.cert, tls.key: the path is too long.");
        return NET_E_CONFIG;
    }
    return net_tls_check(server->cert, server->key, error);
}

static struct net_limits limits_of(const struct net_limits *asked)
{
    struct net_limits l = *asked;
    const struct net_limits *d = &default_limits;
    l.max_frame = l.max_frame ? l.max_frame : d->max_frame;
    l.max_queue_bytes = l.max_queue_bytes ? l.max_queue_bytes : d->max_queue_bytes;
    l.max_sockets_per_address =
        l.max_sockets_per_address ? l.max_sockets_per_address : d->max_sockets_per_address;
    l.max_sockets = l.max_sockets ? l.max_sockets : d->max_sockets;
    l.ping_interval = l.ping_interval ? l.ping_interval : d->ping_interval;
    l.max_missed_pings = l.max_missed_pings ? l.max_missed_pings : d->max_missed_pings;
    return l;
}

static void on_stop_timer(void *user, mono_us now);

/** Everything of the struct that cannot fail. */
static void init(struct net_server *server, struct net_loop *loop,
                 const struct net_server_config *config)
{
    struct rng rng;
    rng_init_system(&rng);
    server->loop = loop;
    server->limits = limits_of(&config->limits);
    server->routes = config->routes;
    server->n_routes = config->n_routes;
    server->origins = config->origins;
    server->n_origins = config->n_origins;
    server->api = config->api;
    server->api.max_frame = config->api.max_frame ? config->api.max_frame : API_MAX_FRAME;
    server->api.max_queue_bytes =
        config->api.max_queue_bytes ? config->api.max_queue_bytes : API_QUEUE_BYTES;
    server->client_ca = config->client_ca;
    server->handlers = config->handlers;
    server->user = config->user;
    server->files.root = -1;
    server->next_id = 1;
    list_init(&server->conns);
    list_init(&server->pinging);
    list_init(&server->closing);
    net_clients_init(&server->clients, &rng);
    map_init(&server->sockets, net_socket_key, &rng);
}

static int open_all(struct net_server *server, const struct net_server_config *config, char *error)
{
    int r = net_files_init(&server->files, config->web_root, error);
    if (r == 0)
        r = net_timer_new(server->loop, net_socket_sweep, server, &server->sweep);
    if (r == 0)
        r = net_timer_new(server->loop, on_stop_timer, server, &server->stop);
    if (r == 0 &&
        (is_set(config->https_listen) || (is_set(config->api.listen) && config->api.is_tls)))
        r = prepare_tls(server, config, error);
    if (r == 0)
        r = make_context(server, server->loop);
    if (r == 0 && is_set(config->http_listen))
        r = make_side(server, NET_PLAIN, config->http_listen, error);
    if (r == 0 && is_set(config->https_listen))
        r = make_side(server, NET_TLS, config->https_listen, error);
    if (r == 0 && is_set(config->api.listen))
        r = make_side(server, NET_API, config->api.listen, error);
    return r;
}

int net_server_new(struct net_loop *loop, const struct net_server_config *config,
                   struct net_server **ret, char *ret_error)
{
    struct net_server *server = mem_zalloc(sizeof(*server));
    if (!server)
        return -ENOMEM;
    net_log_capture_library();
    init(server, loop, config);
    snprintf(ret_error, NET_ERROR_MAX, "the HTTP server cannot be made: out of memory.");
    server->error = ret_error;
    int r = open_all(server, config, ret_error);
    server->error = NULL; /* the certificate is read while the vhost is made, and never again */
    if (r != 0) {
        net_server_free(server);
        return r;
    }
    *ret = server;
    return 0;
}

/* -- asking it -- */

const char *net_server_http_url(const struct net_server *server)
{
    return server->urls[NET_PLAIN];
}

const char *net_server_https_url(const struct net_server *server)
{
    return server->urls[NET_TLS];
}

const char *net_server_api_url(const struct net_server *server)
{
    return server->urls[NET_API];
}

uint16_t net_server_http_port(const struct net_server *server)
{
    return server->ports[NET_PLAIN];
}

uint16_t net_server_https_port(const struct net_server *server)
{
    return server->ports[NET_TLS];
}

const char *net_server_fingerprint(const struct net_server *server)
{
    return server->fingerprint;
}

size_t net_server_sockets(const struct net_server *server)
{
    return server->sockets.n;
}

/* -- ending it -- */

static void on_stop_timer(void *user, mono_us now)
{
    struct net_server *server = user;
    (void)now;
    if (server->n_conns == 0) {
        net_stopped_fn on_stopped = server->on_stopped;
        server->on_stopped = NULL;
        if (on_stopped)
            on_stopped(server->on_stopped_user);
        return;
    }
    LIST_FOREACH(link, &server->conns)
        net_conn_kill(CONTAINER_OF(link, struct net_conn, link));
}

void net_server_stop(struct net_server *server, mono_us limit, net_stopped_fn on_stopped,
                     void *user)
{
    assert(!server->is_stopping);
    server->is_stopping = true;
    server->on_stopped = on_stopped;
    server->on_stopped_user = user;
    for (int side = 0; side < NET_SIDES; side++) {
        net_listener_free(server->listeners[side]);
        server->listeners[side] = NULL;
    }
    LIST_FOREACH(link, &server->conns) {
        struct net_conn *conn = CONTAINER_OF(link, struct net_conn, link);
        conn->is_last = true;
        if (conn->socket)
            net_socket_close(conn, NET_CLOSE_GOING_AWAY, STR("the server is stopping"));
        else if (!conn->has_body)
            net_conn_kill(conn);
    }
    net_timer_set(server->stop, server->n_conns == 0 ? 0 : net_loop_now() + limit);
}

void net_server_free(struct net_server *server)
{
    if (!server)
        return;
    server->is_freeing = true;
    for (int side = 0; side < NET_SIDES; side++)
        net_listener_free(server->listeners[side]);
    net_timer_free(server->stop);
    while (server->n_lookups) /* of ws_client.c: one that has begun cannot be taken back */
        net_loop_step(server->loop, MONO_NEVER);
    if (server->context) {
        /* On a loop that is not its own the library needs to be asked twice: the first time it
         * closes its handles, and only when the loop has seen that through it can be freed. */
        lws_context_destroy(server->context);
        net_loop_settle(server->loop);
        if (server->context)
            lws_context_destroy(server->context);
    }
    LIST_FOREACH(link, &server->conns)
        net_conn_free(CONTAINER_OF(link, struct net_conn, link));
    net_timer_free(server->sweep);
    net_files_deinit(&server->files);
    net_clients_deinit(&server->clients);
    map_deinit(&server->sockets);
    mem_free(server);
}
