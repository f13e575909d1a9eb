/**
 * The HTTP, WebSocket and TLS server: the page's files, /healthz, and text sockets.
 *
 * Everything happens on the loop's thread. A socket is named by an id that is never used twice, so
 * an id kept too long names nothing and does no harm. RFC 9110, RFC 6455: docs/rfc/net.md.
 *
 * One server has up to two listeners (plain and TLS) that serve the same files and routes, and one
 * for programs: a single WebSocket and no files. One server at a time in a process: the HTTP
 * library's TLS part has global state.
 */
#ifndef NET_SERVER_H
#define NET_SERVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/compiler.h"
#include "base/str.h"
#include "base/time.h"
#include "net/loop.h"

/** Room for the text of an error, the zero included. */
#define NET_ERROR_MAX 512

/** Room for a URL of this server ("https://[…]:8443"), the zero included. */
#define NET_URL_MAX 96

/** Longest text of a close reason that fits the frame (RFC 6455 §5.5, §7.1.6), in bytes. */
#define NET_REASON_MAX 123

/** Status codes of a close frame, RFC 6455 §7.4.1. */
enum net_close_code {
    NET_CLOSE_NORMAL = 1000,
    NET_CLOSE_GOING_AWAY = 1001,
    NET_CLOSE_PROTOCOL = 1002,
    NET_CLOSE_BAD_TEXT = 1007, /**< not UTF-8 */
    NET_CLOSE_POLICY = 1008,
    NET_CLOSE_TOO_BIG = 1009,
    NET_CLOSE_INTERNAL = 1011,
    NET_CLOSE_TRY_LATER = 1013,
};

/** What one client, or all of them together, may take. 0 = the default, unless it says otherwise.
 */
struct net_limits {
    size_t max_frame;       /**< bytes of one message, fragments together; default 65536 */
    size_t max_queue_bytes; /**< bytes queued to one socket; default 256 KiB */
    unsigned max_sockets_per_address; /**< WebSockets of one IP address; default 50. An IPv6
                                         client counts by its /64. */
    unsigned max_sockets;             /**< WebSockets of everybody; default 10000 */
    unsigned other_descriptors;       /**< that the rest of the process opens beside its own 1000 */
    mono_us ping_interval;            /**< default 10 s; MONO_NEVER = no pings */
    unsigned max_missed_pings; /**< silent intervals before the socket is closed; default 2 */
    bool limit_loopback; /**< count loopback clients against max_sockets_per_address too; false for
                            a proxy or a load tester on this machine */
};

/** A WebSocket path. */
struct net_route {
    const char *path; /**< "/one2one"; exact, case matters */
    int tag;          /**< given to on_open */
};

/** Who is at the other end of a socket. */
struct net_peer_info {
    struct addr remote; /**< of the TCP connection: a proxy's, when there is one */
    struct addr local;
    bool is_tls;
    const char *path;      /**< the route; borrowed, as long as the server */
    struct str origin;     /**< the Origin header; empty = none; borrowed for the call */
    struct str user_agent; /**< empty when over 255 bytes, as the others; borrowed for the call */
    struct str forwarded;  /**< X-Forwarded-For as sent: a claim; borrowed for the call */
};

/**
 * Called on the loop's thread. All of them may call any function of this header except
 * net_server_free. on_close comes exactly once for each on_open, whoever closed the socket; it is
 * never called from within net_server_send or net_server_close_socket, but from the loop.
 */
struct net_handlers {
    void (*on_open)(void *user, uint64_t socket, int tag, const struct net_peer_info *peer);

    /**
     * One whole message, text or binary, 0 to max_frame bytes. Not checked to be UTF-8: the
     * receiver knows what it parses.
     * @param text borrowed for the call
     */
    void (*on_message)(void *user, uint64_t socket, struct str text);

    void (*on_close)(void *user, uint64_t socket);
};

/**
 * The port for programs, in the manner of a Kurento Media Server: one WebSocket. Any other path is
 * upgraded too and then closed with 1002 "Invalid path", a request that is no upgrade is answered
 * with 426, and an upgrade without a key with 500 (the health check of its container wants that).
 */
struct net_api_config {
    const char *listen; /**< as http_listen; NULL or "" = off */
    bool is_tls;        /**< with the certificate of tls_cert */
    struct net_route route;
    const char *token; /**< NULL or "" = none is needed. Else: "?access_token=…" in the URL, or
                          "Authorization: Bearer …"; without it the upgrade is refused with 401 */
    /** Web pages that may use it; others send an Origin that is a URL, and are refused: else any
     *  page in a browser on this machine could. Programs send none, or one that is no URL. */
    const char *const *origins; /**< borrowed */
    size_t n_origins;
    size_t max_frame;       /**< bytes of one message; 0 = 4 MiB */
    size_t max_queue_bytes; /**< bytes queued to one socket; 0 = 16 MiB */
};

struct net_server_config {
    const char *http_listen;  /**< "127.0.0.1:8080", "[::]:8080" (both families); port 0: the system
                                 chooses; NULL or "" = off */
    const char *https_listen; /**< the same, with TLS */
    const char *tls_cert;  /**< PEM file: the certificate, then its chain. NULL or "": a self-signed
                              pair in state_dir */
    const char *tls_key;   /**< PEM file; NULL or "" together with tls_cert only */
    const char *state_dir; /**< where the self-signed pair lives; made when missing */
    const char *web_root;  /**< folder to serve; NULL or "" = the files inside the program */
    struct net_limits limits;
    const struct net_route *routes; /**< borrowed: as long as the server, with the paths */
    size_t n_routes;
    const char *const *origins; /**< pages that may open sockets ("https://phone.example.org");
                                   borrowed. "*" = any. Requests without Origin come from no
                                   browser and pass. */
    size_t n_origins;           /**< 0 = any */
    struct net_api_config api;
    const char *client_ca; /**< PEM file: whom outgoing connections with TLS trust (ws_client.h);
                              NULL or "" = the system's authorities; borrowed */
    struct net_handlers handlers;
    void *user; /**< first argument of the handlers */
};

enum net_error {
    NET_OK = 0,
    NET_E_CONFIG = 1, /**< a setting cannot be used: tell the operator, with ret_error */
};

struct net_server;

/**
 * Open the listeners and accept from then on (as soon as the loop runs).
 *
 * @param config    read during the call only, except what is said to be borrowed
 * @param ret_error NET_ERROR_MAX bytes, filled on failure: one sentence that names the setting, the
 *                  address or file, and what to do
 * @return 0
 *         NET_E_CONFIG   address in use, unreadable certificate, no such folder, …
 *         negative errno the system is out of something
 */
MUST_CHECK int net_server_new(struct net_loop *loop, const struct net_server_config *config,
                              struct net_server **ret, char *ret_error);

/** "http://127.0.0.1:8080" with the real port; "" = off. Valid as long as the server. */
const char *net_server_http_url(const struct net_server *server);

/** "https://0.0.0.0:8443"; "" = off. */
const char *net_server_https_url(const struct net_server *server);

/** 0 = off */
uint16_t net_server_http_port(const struct net_server *server);
uint16_t net_server_https_port(const struct net_server *server);

/** "ws://127.0.0.1:8888/kurento"; "" = off. */
const char *net_server_api_url(const struct net_server *server);

/** SHA-256 of the TLS certificate, "AB:CD:…"; "" without TLS. What a person can compare. */
const char *net_server_fingerprint(const struct net_server *server);

/**
 * Queue a text message, copied. Unknown and closing sockets are ignored. A socket whose queue
 * would pass max_queue_bytes is closed with 1008 and the limit's name: it does not read.
 *
 * @return 0, or -ENOMEM: the message is lost and the socket is being closed
 */
int net_server_send(struct net_server *server, uint64_t socket, struct str text);

/**
 * Send what is queued, then a close frame, and end the connection at the latest after 3 s.
 * Messages that arrive meanwhile are dropped. Unknown sockets are ignored.
 *
 * @param code   enum net_close_code or 3000-4999
 * @param reason UTF-8, cut to NET_REASON_MAX bytes
 */
void net_server_close_socket(struct net_server *server, uint64_t socket, unsigned code,
                             struct str reason);

/** WebSockets open now. */
size_t net_server_sockets(const struct net_server *server);

typedef void (*net_stopped_fn)(void *user);

/**
 * Stop in order: no new connections; to each socket what is queued and then a close frame
 * (1001). `on_stopped` is called from the loop when all are gone, at the latest after `limit`, when
 * the rest is cut off. on_close comes for each socket, before on_stopped. Once.
 */
void net_server_stop(struct net_server *server, mono_us limit, net_stopped_fn on_stopped,
                     void *user);

/**
 * Cut everything off and free. Not from a handler of the loop: it runs the loop until the library
 * has let go of its handles. on_close is not called any more. NULL is legal.
 */
void net_server_free(struct net_server *server);

DEFINE_CLEANUP(struct net_server *, net_server_free)

/**
 * Where the lines of this module and of the HTTP library go. Without it: to standard error, from
 * warnings upwards. Set before the first server is made; once a process.
 *
 * @param level 0 error (the operator must act), 1 warning, 2 info, 3 debug
 * @param line  without the newline
 */
void net_set_log(void (*log)(int level, const char *line));

#endif
