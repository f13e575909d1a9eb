/* Users in two maps that share them: see the header. */
#include "call/user.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#include "base/mem.h"

static const void *name_key(const void *value, size_t *ret_len)
{
    const struct call_user *u = value;
    *ret_len = u->name_len;
    return u->name;
}

static const void *socket_key(const void *value, size_t *ret_len)
{
    const struct call_user *u = value;
    *ret_len = sizeof(u->socket);
    return &u->socket;
}

void call_users_init(struct call_users *us, struct rng *rng)
{
    map_init(&us->by_name, name_key, rng);
    map_init(&us->by_socket, socket_key, rng);
}

static void free_user(struct call_user *u)
{
    call_kept_clear(&u->kept);
    mem_free(u);
}

void call_users_deinit(struct call_users *us)
{
    size_t cursor = 0;
    for (struct call_user *u; (u = map_next(&us->by_name, &cursor));)
        free_user(u);
    map_deinit(&us->by_name);
    map_deinit(&us->by_socket);
}

struct call_user *call_users_find(const struct call_users *us, struct str name)
{
    return map_find(&us->by_name, name.p, name.len);
}

struct call_user *call_users_find_socket(const struct call_users *us, uint64_t socket)
{
    return map_find(&us->by_socket, &socket, sizeof(socket));
}

static void set_name(struct call_user *u, struct str name)
{
    bool fits = str_copy(name, u->name, sizeof(u->name));
    assert(fits);
    u->name_len = name.len;
}

int call_users_add(struct call_users *us, uint64_t socket, struct str name)
{
    struct call_user *u = mem_zalloc(sizeof(*u));
    if (!u)
        return -ENOMEM;
    u->socket = socket;
    set_name(u, name);
    call_kept_init(&u->kept);
    int err = map_insert(&us->by_name, u);
    if (!err) {
        err = map_insert(&us->by_socket, u);
        if (err)
            (void)map_remove(&us->by_name, u->name, u->name_len);
    }
    if (err)
        mem_free(u);
    return err;
}

void call_users_rename(struct call_users *us, struct call_user *u, struct str name)
{
    (void)map_remove(&us->by_name, u->name, u->name_len);
    set_name(u, name);
    /* One was taken out, so the table has room without growing. */
    int err = map_insert(&us->by_name, u);
    assert(!err);
}

void call_users_remove(struct call_users *us, struct call_user *u)
{
    assert(!call_user_is_busy(u));
    (void)map_remove(&us->by_name, u->name, u->name_len);
    (void)map_remove(&us->by_socket, &u->socket, sizeof(u->socket));
    free_user(u);
}
