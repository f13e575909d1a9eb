/**
 * One pair of users and the calls they make with each other, one after the other.
 *
 *     NEW ─ REGISTERING ─ IDLE ─ RINGING ─ CONNECTING ─ UP ─ HUSHED ─ ENDING ─ IDLE
 *              │                    └──────────┴────────┴──── FAILED ───────────┘
 *             DEAD  a WebSocket is gone: nothing more is tried
 *
 * RINGING lasts until both have their answers, CONNECTING until both have heard the other. HUSHED:
 * both are silent, what is under way still arrives; what has not arrived then is lost. Then one
 * hangs up (each in turn) and the other must be told.
 */
#ifndef LOAD_CALL_H
#define LOAD_CALL_H

#include "load/driver.h"
#include "load/media.h"

enum call_state {
    CALL_NEW,
    CALL_REGISTERING,
    CALL_IDLE,
    CALL_RINGING,
    CALL_CONNECTING,
    CALL_UP,
    CALL_HUSHED,
    CALL_ENDING,
    CALL_FAILED,
    CALL_DEAD,
    CALL_STATES,
};

/** What all calls share. */
struct call_env {
    struct loop *loop;
    struct stats *stats;
    const struct driver *driver;
    struct ws_env ws;
    struct media_env media;
    bool has_media;
    bool is_demo;               /**< tell each step */
    char run[8];                /**< part of the names: two runs do not meet */
    unsigned n_in[CALL_STATES]; /**< calls by state */
};

struct call;

struct user {
    struct call *call; /**< back-pointer */
    uint8_t side;      /**< 0 caller, 1 callee */
    bool is_registered, has_answer;
    mono_us opened_at;
    struct ws ws;
    struct driver_session session;
    struct media media;
};

struct call {
    struct call_env *env;
    enum call_state state;
    uint32_t index, round; /**< number of the pair; calls it made before this one */
    struct user users[2];
    struct loop_timer timer; /**< the limit of the state */
    mono_us dialled_at, up_at, hushed_at;
};

/** Sets the handlers of env->ws and env->media. */
void call_env_init(struct call_env *env);

/** @return 0 or -ENOMEM */
MUST_CHECK int call_init(struct call *call, struct call_env *env, uint32_t index);
void call_deinit(struct call *call, mono_us now);

/** NEW: connect and register both. */
void call_register(struct call *call, mono_us now);

/** IDLE: the first calls the second. */
void call_dial(struct call *call, mono_us now);

/** What the server needs so that it does not forget its users. */
void call_keep_alive(struct call *call);

/** UP: end it in order. */
void call_hang_up(struct call *call, mono_us now);

const char *call_state_name(enum call_state state);

#endif
