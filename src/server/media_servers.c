/* The glue between kms and its WebSockets: see the header. */
#include "server/media_servers.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#include "base/mem.h"
#include "kms/kms.h"
#include "log/log.h"
#include "net/ws_client.h"

/** Bytes of one message: an answer with an SDP has 5 KB, the list of a server's types 20. */
#define MAX_FRAME (1024 * 1024)

/** Bytes waiting to be sent to one server: a thousand calls being set up at once. */
#define MAX_QUEUE_BYTES (16 * 1024 * 1024)

_Static_assert(OPTIONS_LIST_MAX <= KMS_MAX_SERVERS, "all that can be listed");

struct media_server {
    struct media_servers *all;
    unsigned number;
    struct ws_url url;
    char name[WS_URL_MAX];        /* for the log */
    struct net_ws_client *client; /* owned; NULL = not open, or closed */
};

struct media_servers {
    const struct options *options; /* borrowed */
    struct net_timer *timer;
    struct kms *kms; /* freed as struct media, by its owner */
    struct media_server servers[KMS_MAX_SERVERS];
    size_t n;
    bool is_open; /* time and frames go in; there is a client for each */
};

/* --- kms → net --- */

static void do_connect(void *user, unsigned server)
{
    struct media_servers *ms = user;
    net_ws_client_connect(ms->servers[server].client);
}

static void do_send(void *user, unsigned server, struct str text)
{
    struct media_servers *ms = user;
    if (ms->servers[server].client)
        net_ws_client_send(ms->servers[server].client, text);
}

static void do_close(void *user, unsigned server)
{
    struct media_servers *ms = user;
    net_ws_client_close(ms->servers[server].client);
}

static mono_us get_now(void *user)
{
    (void)user;
    return net_loop_now();
}

/* --- net, time → kms --- */

void media_servers_rearm(struct media_servers *ms)
{
    net_timer_set(ms->timer, ms->is_open ? kms_deadline(ms->kms) : MONO_NEVER);
}

static void on_open(void *user)
{
    const struct media_server *s = user;
    kms_opened(s->all->kms, net_loop_now(), s->number);
    media_servers_rearm(s->all);
}

static void on_message(void *user, struct str text)
{
    const struct media_server *s = user;
    kms_frame(s->all->kms, net_loop_now(), s->number, text);
    media_servers_rearm(s->all);
}

static void on_close(void *user, const char *why)
{
    const struct media_server *s = user;
    kms_closed(s->all->kms, net_loop_now(), s->number, why);
    media_servers_rearm(s->all);
}

static void on_timer(void *user, mono_us now)
{
    struct media_servers *ms = user;
    kms_timeout(ms->kms, now);
    media_servers_rearm(ms);
}

/* --- beginning and end --- */

static int make_kms(struct media_servers *ms, struct rng *rng, void (*wake)(void *user),
                    void *wake_user)
{
    const char *names[KMS_MAX_SERVERS];
    for (size_t i = 0; i < ms->n; i++)
        names[i] = ms->servers[i].name;
    const struct kms_config config = {
        .names = names, .n_servers = ms->n, .wake = wake, .wake_user = wake_user};
    const struct kms_transport transport = {do_connect, do_send, do_close, get_now, ms};
    ms->kms = kms_new(&config, &transport, rng);
    return ms->kms ? 0 : -ENOMEM;
}

int media_servers_new(const struct options *options, struct net_loop *loop, struct rng *rng,
                      void (*wake)(void *user), void *wake_user, struct media_servers **ret)
{
    struct media_servers *ms = mem_zalloc(sizeof(*ms));
    if (!ms)
        return -ENOMEM;
    ms->options = options;
    ms->n = options->media_kurento_uri.n;
    for (unsigned i = 0; i < ms->n; i++) {
        struct media_server *s = &ms->servers[i];
        bool is_url = ws_url_parse(str_of(options->media_kurento_uri.item[i]), &s->url);
        assert(is_url); /* the option table refuses others */
        s->all = ms;
        s->number = i;
        (void)ws_url_write(&s->url, s->name);
    }
    int err = net_timer_new(loop, on_timer, ms, &ms->timer);
    if (!err)
        err = make_kms(ms, rng, wake, wake_user);
    if (err) {
        media_servers_free(ms);
        return err;
    }
    *ret = ms;
    return 0;
}

struct media *media_servers_media(struct media_servers *ms)
{
    return kms_media(ms->kms);
}

int media_servers_open(struct media_servers *ms, struct net_server *net)
{
    char error[NET_ERROR_MAX] = "";
    int err = 0;
    for (size_t i = 0; !err && i < ms->n; i++) {
        const struct net_ws_client_config config = {
            .url = ms->servers[i].url,
            .token = ms->options->media_kurento_token,
            .max_frame = MAX_FRAME,
            .max_queue_bytes = MAX_QUEUE_BYTES,
            .handlers = {on_open, on_message, on_close},
            .user = &ms->servers[i],
        };
        err = net_ws_client_new(net, &config, &ms->servers[i].client, error);
    }
    ms->is_open = !err;
    if (err)
        log_error(SERVER, "%s", error[0] ? error : strerror(-err));
    media_servers_rearm(ms);
    return err;
}

void media_servers_close(struct media_servers *ms)
{
    if (!ms)
        return;
    ms->is_open = false;
    for (size_t i = 0; i < ms->n; i++) {
        net_ws_client_free(ms->servers[i].client);
        ms->servers[i].client = NULL;
    }
    media_servers_rearm(ms);
}

void media_servers_free(struct media_servers *ms)
{
    if (!ms)
        return;
    net_timer_free(ms->timer);
    mem_free(ms);
}
