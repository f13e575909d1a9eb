/*
 * One thread, one block of memory for it and its owner. Whoever is the last of the two frees it:
 * the owner marks it abandoned and goes, the thread sees that after the look-up it is busy with.
 */
#include "engine/resolver.h"

#include <assert.h>
#include <errno.h>
#include <netdb.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <time.h>

#include "base/mem.h"
#include "engine/socket.h"

struct name {
    char host[RESOLVER_HOST_MAX];
    uint16_t port;
};

struct resolver {
    struct name names[RESOLVER_NAMES]; /* RO after new */
    size_t n;                          /* RO after new */
    resolver_fn on_resolved;           /* RO after new */
    void *user;                        /* RO after new */
    pthread_mutex_t mutex;
    pthread_cond_t wake;
    bool is_abandoned; /* LOCK: mutex. Then the thread owns the block, and calls nobody */
};

static void put(struct addr *list, size_t *n, const struct addr *a)
{
    for (size_t i = 0; i < *n; i++) {
        if (addr_equal(&list[i], a))
            return;
    }
    if (*n < STUN_MAPPING_SERVERS)
        list[(*n)++] = *a;
}

static void look_up(const struct name *name, struct resolver_result *ret)
{
    const struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_DGRAM};
    struct addrinfo *list;
    int err = getaddrinfo(name->host, NULL, &hints, &list);
    if (err) {
        if (ret->failed[0] == 0) {
            (void)str_copy(str_of(name->host), ret->failed, sizeof(ret->failed));
            ret->why = gai_strerror(err);
        }
        return;
    }
    for (const struct addrinfo *i = list; i; i = i->ai_next) {
        struct addr a;
        if (!socket_addr_from_sa(i->ai_addr, &a))
            continue;
        a.port = name->port;
        if (!addr_is_unicast(&a))
            continue;
        if (addr_is_v4(&a))
            put(ret->v4, &ret->n_v4, &a);
        else
            put(ret->v6, &ret->n_v6, &a);
    }
    freeaddrinfo(list);
}

void resolver_keep(const struct resolver_result *before, struct resolver_result *now)
{
    if (now->failed[0] == 0)
        return;
    if (now->n_v4 == 0) {
        memcpy(now->v4, before->v4, sizeof(now->v4));
        now->n_v4 = before->n_v4;
    }
    if (now->n_v6 == 0) {
        memcpy(now->v6, before->v6, sizeof(now->v6));
        now->n_v6 = before->n_v6;
    }
}

/* @return false: abandoned */
static bool tell_and_wait(struct resolver *r, const struct resolver_result *result)
{
    struct timespec until;
    (void)pthread_mutex_lock(&r->mutex);
    if (!r->is_abandoned)
        r->on_resolved(r->user, result);
    (void)clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += result->failed[0] ? RESOLVER_RETRY_S : RESOLVER_INTERVAL_S;
    int err = 0;
    while (!r->is_abandoned && err != ETIMEDOUT)
        err = pthread_cond_timedwait(&r->wake, &r->mutex, &until);
    bool goes_on = !r->is_abandoned;
    (void)pthread_mutex_unlock(&r->mutex);
    return goes_on;
}

static void free_block(struct resolver *r)
{
    (void)pthread_cond_destroy(&r->wake);
    (void)pthread_mutex_destroy(&r->mutex);
    mem_free(r);
}

static void *run(void *arg)
{
    struct resolver *r = arg;
    struct resolver_result before, result = {0};
    do {
        before = result;
        result = (struct resolver_result){0};
        for (size_t i = 0; i < r->n; i++)
            look_up(&r->names[i], &result);
        resolver_keep(&before, &result);
    } while (tell_and_wait(r, &result));
    free_block(r);
    return NULL;
}

static int init_locks(struct resolver *r)
{
    pthread_condattr_t attr;
    int err = pthread_mutex_init(&r->mutex, NULL);
    if (err)
        return -err;
    err = pthread_condattr_init(&attr);
    if (!err) {
        (void)pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
        err = pthread_cond_init(&r->wake, &attr);
        (void)pthread_condattr_destroy(&attr);
    }
    if (err)
        (void)pthread_mutex_destroy(&r->mutex);
    return -err;
}

static int start(struct resolver *r)
{
    pthread_t thread;
    sigset_t all, old;
    (void)sigfillset(&all); /* signals are the control thread's business */
    (void)pthread_sigmask(SIG_SETMASK, &all, &old);
    int err = pthread_create(&thread, NULL, run, r);
    (void)pthread_sigmask(SIG_SETMASK, &old, NULL);
    if (err)
        return -err;
    (void)pthread_setname_np(thread, "resolver");
    (void)pthread_detach(thread);
    return 0;
}

int resolver_new(const char *const *names, size_t n, resolver_fn on_resolved, void *user,
                 struct resolver **ret)
{
    struct resolver *r = mem_zalloc(sizeof(*r));
    if (!r)
        return -ENOMEM;
    r->on_resolved = on_resolved;
    r->user = user;
    for (size_t i = 0; i < n && r->n < RESOLVER_NAMES; i++) {
        struct name *name = &r->names[r->n];
        struct str host;
        if (addr_split(str_of(names[i]), RESOLVER_STUN_PORT, &host, &name->port) &&
            str_copy(host, name->host, sizeof(name->host)))
            r->n++;
    }
    int err = init_locks(r);
    if (err) {
        mem_free(r);
        return err;
    }
    err = start(r);
    if (err) {
        free_block(r);
        return err;
    }
    *ret = r; /* until resolver_free shared with its thread */
    return 0;
}

void resolver_free(struct resolver *r)
{
    if (!r)
        return;
    (void)pthread_mutex_lock(&r->mutex);
    r->is_abandoned = true;
    (void)pthread_cond_signal(&r->wake);
    (void)pthread_mutex_unlock(&r->mutex); /* now owned by the thread */
}
