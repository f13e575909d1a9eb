/*
 * One connection, or the attempt at one, is a `link`, with the library's wsi beside it; it lives as
 * long as the wsi does (LWS_CALLBACK_WSI_DESTROY), while its client may have let go of it before
 * and be on the way to the next one.
 *
 *     connect ─ name → address (libuv's threads) ─ the library: TCP, TLS, upgrade ─ open ─ closed
 *
 * Names are looked up here, because the library would do it on the loop's thread, and stand still
 * with it. Whatever ends a link is reported by a timer, from the loop: the library fails in the
 * middle of calls to it, too.
 */
#include "net/ws_client.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "net/log.h"
#include "net/loop_uv.h"
#include "net/server_private.h"

/** Room for the words of on_close. */
#define WHY_MAX 160

/** Bytes that the library reads at once. */
#define RX_BUFFER 4096

struct net_ws_link {
    struct net_ws_client *client; /**< NULL = let go */
    struct net_server *server;
    struct lws *wsi; /**< NULL = not made yet, or gone */
    uv_getaddrinfo_t lookup;
    bool is_looking_up;
};

/** A message on its way out. */
struct queued {
    struct list link;
    size_t len;
    unsigned char data[]; /**< LWS_PRE bytes for the frame's head, then the text */
};

struct net_ws_client {
    struct net_server *server;          /**< borrowed */
    struct net_ws_client_config config; /**< RO */
    struct net_ws_link *link;           /**< NULL = no connection */
    bool is_open;
    unsigned attempt; /**< which of the name's addresses is next */
    struct list queue;
    size_t queued_bytes;
    uint8_t *rx; /**< message being put together; NULL = none */
    size_t rx_len;
    struct net_timer *report; /**< armed: the end is to be told */
    char why[WHY_MAX];
};

static void free_link(struct net_ws_link *link)
{
    if (link->server->linking == link)
        link->server->linking = NULL;
    mem_free(link);
}

/* Nothing of the old connection may reach the next one. */
static void drop_messages(struct net_ws_client *client)
{
    for (struct list *node; (node = list_pop(&client->queue));)
        mem_free(CONTAINER_OF(node, struct queued, link));
    client->queued_bytes = 0;
    mem_free(client->rx);
    client->rx = NULL;
    client->rx_len = 0;
}

static void kill_wsi(struct net_ws_link *link)
{
    lws_set_timeout(link->wsi, PENDING_TIMEOUT_USER_REASON_BASE, LWS_TO_KILL_ASYNC);
    /* The library looks at its timeouts after an event of its own only. */
    lws_cancel_service(link->server->context);
}

/* The link goes its way alone: to the end of its lookup or its wsi. */
static void let_go(struct net_ws_client *client)
{
    struct net_ws_link *link = client->link;
    client->link = NULL;
    client->is_open = false;
    drop_messages(client);
    if (!link)
        return;
    link->client = NULL;
    if (link->is_looking_up)
        (void)uv_cancel((uv_req_t *)&link->lookup);
    else if (link->wsi)
        kill_wsi(link);
}

/* The first reason that was seen is the one that is told. */
static void note(struct net_ws_client *client, struct str why)
{
    struct text t;
    if (client->why[0])
        return;
    text_init(&t, client->why, sizeof(client->why));
    text_put(&t, str_head(why, sizeof(client->why) - 1));
}

/* The connection is over. */
static void give_up(struct net_ws_client *client, const char *why)
{
    note(client, str_of(why));
    let_go(client);
    net_timer_set(client->report, 0);
}

static void on_report(void *user, mono_us now)
{
    struct net_ws_client *client = user;
    (void)now;
    client->config.handlers.on_close(client->config.user, client->why);
}

/* -- the library's callback -- */

static void on_gone(struct net_ws_link *link)
{
    link->wsi = NULL;
    if (link->client)
        give_up(link->client, "the connection was closed");
    if (link->server->linking != link)
        free_link(link); /* else connect_to still looks at it */
}

static int append_token(const struct net_ws_client *client, struct lws *wsi, void *in, size_t len)
{
    char value[512];
    struct text t;
    unsigned char **p = in;
    if (!client->config.token || !client->config.token[0])
        return 0;
    text_init(&t, value, sizeof(value));
    text_printf(&t, "Bearer %s", client->config.token);
    if (t.failed)
        return -1;
    return lws_add_http_header_by_name(wsi, (const unsigned char *)"authorization:",
                                       (const unsigned char *)value, (int)t.len, p, *p + len)
               ? -1
               : 0;
}

static int on_data(struct net_ws_client *client, struct lws *wsi, const void *data, size_t len)
{
    size_t expected = lws_remaining_packet_payload(wsi);
    size_t max = client->config.max_frame;
    if (len > max || expected > max || client->rx_len + len + expected > max) {
        give_up(client, "it sent a message that is too large");
        return 0;
    }
    bool is_complete = lws_is_final_fragment(wsi);
    if (is_complete && client->rx_len == 0) {
        client->config.handlers.on_message(client->config.user, (struct str){data, len});
        return 0;
    }
    /* The rest of this frame is known: room for it at once. */
    uint8_t *rx = mem_realloc(client->rx, client->rx_len + len + expected + 1);
    if (!rx) {
        give_up(client, "out of memory");
        return 0;
    }
    memcpy(rx + client->rx_len, data, len);
    client->rx = rx;
    client->rx_len += len;
    if (!is_complete)
        return 0;
    struct str message = {(const char *)rx, client->rx_len};
    client->rx = NULL; /* out of reach of a close in the handler */
    client->rx_len = 0;
    client->config.handlers.on_message(client->config.user, message);
    mem_free(rx);
    return 0;
}

static int on_writable(struct net_ws_client *client, struct lws *wsi)
{
    struct list *node = list_pop(&client->queue);
    if (!node)
        return 0;
    struct queued *message = CONTAINER_OF(node, struct queued, link);
    client->queued_bytes -= message->len;
    int n = lws_write(wsi, message->data + LWS_PRE, message->len, LWS_WRITE_TEXT);
    int r = n < (int)message->len ? -1 : 0;
    mem_free(message);
    if (r == 0 && !list_is_empty(&client->queue))
        (void)lws_callback_on_writable(wsi);
    return r;
}

/* A close frame: two bytes of code, then a text. It says more than that the connection is gone. */
static void note_close_frame(struct net_ws_client *client, const uint8_t *frame, size_t len)
{
    char words[WHY_MAX];
    struct text t;
    if (len < 2)
        return;
    text_init(&t, words, sizeof(words));
    text_printf(&t, "it closed the connection: %u %.*s", frame[0] << 8 | frame[1], (int)(len - 2),
                (const char *)frame + 2);
    note(client, text_str(&t));
}

/* What the library says of a failed attempt, for an operator. Its other words stay as they are. */
static struct str in_words(struct str what)
{
    static const struct {
        const char *library, *ours;
    } words[] = {
        {"closed before established", "connection refused, or closed before it was open"},
        {"HS: ws upgrade unauthorized", "it wants a token, or another one (status 401)"},
        {"HS: ws upgrade response not 101", "what answers there is no WebSocket at this path"},
    };
    for (size_t i = 0; i < ARRAY_LEN(words); i++) {
        if (str_eq(what, str_of(words[i].library)))
            return str_of(words[i].ours);
    }
    return what;
}

/* The library says "SSL error"; what is wrong with the certificate is known to OpenSSL. */
static void note_error(struct net_ws_client *client, struct lws *wsi, struct str what)
{
    const SSL *ssl = client->config.url.is_tls ? lws_get_ssl(wsi) : NULL;
    long verdict = ssl ? SSL_get_verify_result(ssl) : X509_V_OK;
    char words[WHY_MAX];
    struct text t;
    text_init(&t, words, sizeof(words));
    text_printf(&t, "its certificate is not trusted: %s", X509_verify_cert_error_string(verdict));
    note(client, verdict == X509_V_OK ? in_words(what) : text_str(&t));
}

static int on_link(struct net_ws_link *link, struct lws *wsi, enum lws_callback_reasons reason,
                   void *in, size_t len)
{
    struct net_ws_client *client = link->client;
    if (reason == LWS_CALLBACK_WSI_DESTROY)
        on_gone(link);
    if (!client)
        return reason == LWS_CALLBACK_WSI_DESTROY ? 0 : -1;
    switch (reason) {
    case LWS_CALLBACK_CLIENT_APPEND_HANDSHAKE_HEADER:
        return append_token(client, wsi, in, len);
    case LWS_CALLBACK_CLIENT_CONNECTION_ERROR:
        /* the zero at its end is counted, or not */
        note_error(client, wsi, in ? (struct str){in, strnlen(in, len)} : STR("no connection"));
        return 0;
    case LWS_CALLBACK_CLIENT_ESTABLISHED:
        client->is_open = true;
        client->config.handlers.on_open(client->config.user);
        return 0;
    case LWS_CALLBACK_CLIENT_RECEIVE:
        return on_data(client, wsi, in, len);
    case LWS_CALLBACK_CLIENT_WRITEABLE:
        return on_writable(client, wsi);
    case LWS_CALLBACK_WS_PEER_INITIATED_CLOSE:
        note_close_frame(client, in, len);
        return 0;
    default:
        return 0;
    }
}

/* Whom wss trusts. The library would only log what is wrong with the file. */
static int trust(struct net_server *server, SSL_CTX *ctx)
{
    if (!SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION))
        return -1;
    if (server->client_ca && server->client_ca[0] &&
        SSL_CTX_load_verify_locations(ctx, server->client_ca, NULL) != 1) {
        server->is_ca_bad = true;
        return -1;
    }
    return 0;
}

static int on_library(struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in,
                      size_t len)
{
    struct net_server *server = lws_context_user(lws_get_context(wsi));
    struct net_ws_link *link = lws_get_opaque_user_data(wsi);
    switch (reason) {
    case LWS_CALLBACK_OPENSSL_LOAD_EXTRA_CLIENT_VERIFY_CERTS:
        return trust(server, user);
    case LWS_CALLBACK_WSI_DESTROY:
        /* An attempt may end before the pointer is set. */
        if (!link && server->linking && server->linking->wsi == wsi)
            link = server->linking;
        return link ? on_link(link, wsi, reason, in, len) : 0;
    case LWS_CALLBACK_CLIENT_APPEND_HANDSHAKE_HEADER:
    case LWS_CALLBACK_CLIENT_CONNECTION_ERROR:
    case LWS_CALLBACK_CLIENT_ESTABLISHED:
    case LWS_CALLBACK_CLIENT_RECEIVE:
    case LWS_CALLBACK_CLIENT_WRITEABLE:
    case LWS_CALLBACK_WS_PEER_INITIATED_CLOSE:
        return link ? on_link(link, wsi, reason, in, len) : 0;
    default:
        return 0;
    }
}

/* -- making connections -- */

/** Pings are of the protocol above. */
static const lws_retry_bo_t no_library_pings = {.secs_since_valid_ping = 0};

/*
 * Plain and TLS each have a vhost of their own, made with the first client of its kind: who has no
 * wss server reads no certificates.
 */
static int make_vhost(struct net_server *server, bool is_tls, char *error)
{
    static const struct lws_protocols protocols[] = {
        {.name = "duet-client", .callback = on_library, .rx_buffer_size = RX_BUFFER},
        {.name = NULL},
    };
    bool has_own_ca = server->client_ca && server->client_ca[0];
    struct lws_context_creation_info info = {
        .vhost_name = is_tls ? "wss client" : "ws client",
        .port = CONTEXT_PORT_NO_LISTEN,
        .protocols = protocols,
        .options = LWS_SERVER_OPTION_DO_SSL_GLOBAL_INIT |
                   (is_tls && !has_own_ca ? 0 : LWS_SERVER_OPTION_DISABLE_OS_CA_CERTS),
        .retry_and_idle_policy = &no_library_pings,
        .alpn = "http/1.1",
    };
    if (server->client_vhosts[is_tls])
        return 0;
    server->is_ca_bad = false;
    struct lws_vhost *vhost = lws_create_vhost(server->context, &info);
    if (server->is_ca_bad) {
        snprintf(error, NET_ERROR_MAX, "media.kurento_ca: %.300s holds no PEM certificates.",
                 server->client_ca);
        return NET_E_CONFIG;
    }
    server->client_vhosts[is_tls] = vhost;
    return vhost ? 0 : -ENOMEM;
}

int net_ws_client_new(struct net_server *server, const struct net_ws_client_config *config,
                      struct net_ws_client **ret, char *ret_error)
{
    int err = make_vhost(server, config->url.is_tls, ret_error);
    if (err)
        return err;
    struct net_ws_client *client = mem_zalloc(sizeof(*client));
    if (!client)
        return -ENOMEM;
    client->server = server;
    client->config = *config;
    list_init(&client->queue);
    err = net_timer_new(server->loop, on_report, client, &client->report);
    if (err) {
        mem_free(client);
        return err;
    }
    *ret = client;
    return 0;
}

/* @param address "192.0.2.1", "2001:db8::1" */
static void connect_to(struct net_ws_link *link, const char *address)
{
    const struct net_ws_client *client = link->client;
    const struct ws_url *url = &client->config.url;
    struct net_server *server = link->server;
    char host[WS_HOST_MAX + 8];
    bool is_v6 = strchr(url->host, ':') != NULL;
    snprintf(host, sizeof(host), "%s%s%s:%u", is_v6 ? "[" : "", url->host, is_v6 ? "]" : "",
             url->port);
    struct lws_client_connect_info info = {
        .context = server->context,
        .vhost = server->client_vhosts[url->is_tls],
        .address = address,
        .port = url->port,
        .ssl_connection = url->is_tls ? LCCSCF_USE_SSL : 0,
        .path = url->path,
        .host = host, /* also the name that the certificate must have */
        .ietf_version_or_minus_one = -1,
        .retry_and_idle_policy = &no_library_pings,
        .opaque_user_data = link,
        .pwsi = &link->wsi, /* early: it may fail before the call returns */
    };
    server->linking = link;
    struct lws *wsi = lws_client_connect_via_info(&info);
    server->linking = NULL;
    if (wsi)
        return;
    if (link->client)
        give_up(link->client, "no connection");
    if (!link->wsi)
        free_link(link); /* else it is on its way to WSI_DESTROY */
}

/* The address after the one that was tried last: "localhost" is ::1 and 127.0.0.1. */
static void pick(const struct addrinfo *all, unsigned attempt, char *ret, size_t size)
{
    unsigned n = 0;
    for (const struct addrinfo *a = all; a; a = a->ai_next)
        n++;
    for (unsigned i = n ? attempt % n : 0; i > 0; i--)
        all = all->ai_next;
    ret[0] = '\0';
    if (all && all->ai_family == AF_INET6)
        (void)uv_ip6_name((const struct sockaddr_in6 *)(const void *)all->ai_addr, ret, size);
    else if (all)
        (void)uv_ip4_name((const struct sockaddr_in *)(const void *)all->ai_addr, ret, size);
}

static void on_looked_up(uv_getaddrinfo_t *lookup, int status, struct addrinfo *all)
{
    struct net_ws_link *link = CONTAINER_OF(lookup, struct net_ws_link, lookup);
    struct net_ws_client *client = link->client;
    char address[INET6_ADDRSTRLEN];
    link->is_looking_up = false;
    link->server->n_lookups--;
    if (client && status == 0) {
        pick(all, client->attempt++, address, sizeof(address));
        connect_to(link, address); /* the link is the library's */
    } else {
        if (client)
            give_up(client, "its name is not known (DNS)");
        free_link(link);
    }
    uv_freeaddrinfo(all);
}

static int look_up(struct net_ws_link *link, const char *host)
{
    const struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_ADDRCONFIG};
    link->is_looking_up = true;
    int err = uv_getaddrinfo(net_loop_uv(link->server->loop), &link->lookup, on_looked_up, host,
                             NULL, &hints);
    link->is_looking_up = err == 0;
    link->server->n_lookups += link->is_looking_up;
    return err;
}

void net_ws_client_connect(struct net_ws_client *client)
{
    struct addr ip;
    const char *host = client->config.url.host;
    assert(!client->link);
    client->why[0] = '\0';
    struct net_ws_link *link = mem_zalloc(sizeof(*link));
    if (!link) {
        give_up(client, "out of memory");
        return;
    }
    link->client = client;
    link->server = client->server;
    client->link = link;
    if (addr_parse_ip(str_of(host), 0, &ip)) {
        connect_to(link, host);
    } else if (look_up(link, host)) {
        give_up(client, "its name cannot be looked up");
        free_link(link);
    }
}

void net_ws_client_send(struct net_ws_client *client, struct str text)
{
    if (!client->is_open)
        return;
    struct queued *message = NULL;
    if (text.len <= client->config.max_queue_bytes - client->queued_bytes)
        message = mem_alloc(sizeof(*message) + LWS_PRE + text.len);
    if (!message) {
        give_up(client, "it does not read: too much is waiting to be sent");
        return;
    }
    message->len = text.len;
    memcpy(message->data + LWS_PRE, text.p, text.len);
    list_init(&message->link);
    list_append(&client->queue, &message->link);
    client->queued_bytes += text.len;
    (void)lws_callback_on_writable(client->link->wsi);
}

void net_ws_client_close(struct net_ws_client *client)
{
    let_go(client);
    net_timer_set(client->report, MONO_NEVER);
}

void net_ws_client_free(struct net_ws_client *client)
{
    if (!client)
        return;
    net_ws_client_close(client);
    net_timer_free(client->report);
    mem_free(client);
}
