/**
 * Registered users, found by name and by socket. A user lives from its accepted registration until
 * its socket closes.
 */
#ifndef CALL_USER_H
#define CALL_USER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/map.h"
#include "call/kept.h"
#include "call/name.h"

struct call;
struct call_play;

struct call_user {
    uint64_t socket;           /**< RO */
    char name[CALL_NAME_SIZE]; /**< key of by_name: changed only by call_users_rename */
    size_t name_len;           /**< bytes */

    struct call *call;      /**< borrowed; NULL = idle */
    enum call_leg leg;      /**< this user's side of `call` */
    struct call_play *play; /**< borrowed; what this user listens to, never beside a call */

    struct call_kept kept; /**< candidates that wait for the call to be accepted */
    size_t n_candidates;   /**< of the current offer, kept ones included */
    bool told_too_many;    /**< this call's error has been sent */
};

static inline struct str call_user_name(const struct call_user *u)
{
    return (struct str){u->name, u->name_len};
}

/** Cannot be called, and can begin nothing else. */
static inline bool call_user_is_busy(const struct call_user *u)
{
    return u->call || u->play;
}

struct call_users {
    struct map by_name, by_socket; /**< of struct call_user, owned */
};

void call_users_init(struct call_users *us, struct rng *rng);

/** Frees the users as well. */
void call_users_deinit(struct call_users *us);

struct call_user *call_users_find(const struct call_users *us, struct str name);
struct call_user *call_users_find_socket(const struct call_users *us, uint64_t socket);

/**
 * Add a user; name and socket must be free.
 *
 * @return 0, or -ENOMEM: nothing changed
 */
MUST_CHECK int call_users_add(struct call_users *us, uint64_t socket, struct str name);

/** Give a user another, free name. Cannot fail. */
void call_users_rename(struct call_users *us, struct call_user *u, struct str name);

/** Remove and free. The user must be idle. */
void call_users_remove(struct call_users *us, struct call_user *u);

#endif
