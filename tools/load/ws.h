/**
 * A WebSocket to the server, plain or over TLS: RFC 6455 over a non-blocking socket.
 *
 * A load test wants thousands of them in one thread, each silent for most of the time: 300 bytes
 * and no buffers while nothing is under way. Pings are answered here.
 */
#ifndef LOAD_WS_H
#define LOAD_WS_H

#include <openssl/types.h>

#include "base/addr.h"
#include "base/rng.h"
#include "base/str.h"
#include "load/loop.h"
#include "load/url.h"
#include "load/ws_frame.h"

struct ws;

/** Called on the loop. A handler may close the WebSocket. */
struct ws_handlers {
    void (*on_open)(struct ws *ws, mono_us now);
    void (*on_message)(struct ws *ws, mono_us now, struct str message);
    /** Once, not after ws_close. @param why for a person; borrowed for the call */
    void (*on_closed)(struct ws *ws, mono_us now, const char *why);
};

/** What all of them share. */
struct ws_env {
    struct loop *loop;
    struct rng *rng;
    struct url url;
    struct addr server;      /**< of url.host */
    const char *subprotocol; /**< NULL = none */
    SSL_CTX *tls;            /**< owned; NULL = plain */
    bool is_insecure;        /**< any certificate will do */
    struct ws_handlers handlers;
};

/** Growing buffer; no memory while it is empty. */
struct ws_buffer {
    uint8_t *data; /**< owned */
    size_t len, cap;
};

enum ws_state { WS_CLOSED, WS_CONNECTING, WS_TLS, WS_UPGRADING, WS_OPEN };

struct ws {
    struct watch watch;
    struct ws_env *env;
    enum ws_state state;
    bool waits_for_write; /**< EPOLLOUT is armed */
    SSL *ssl;             /**< owned; NULL = plain */
    char key[WS_KEY_TEXT];
    struct ws_buffer in, out, message; /**< message: fragments so far */
};

/** Resolve the host, prepare TLS. @param error why not, for a person @return false on failure */
MUST_CHECK bool ws_env_init(struct ws_env *env, const char **error);
void ws_env_deinit(struct ws_env *env);

/** Begin to connect. @return 0 or a negative errno: on_closed does not come */
MUST_CHECK int ws_open(struct ws *ws, struct ws_env *env);

/** A text message; dropped when it is not open. */
void ws_send(struct ws *ws, struct str message);

/** Legal on a zeroed or closed one. */
void ws_close(struct ws *ws);

#endif
