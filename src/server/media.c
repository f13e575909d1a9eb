/*
 * From options to configurations. What writes and reads files comes before the engine, which uses
 * both, and goes after it: what the workers still pushed is recorded.
 */
#include "server/media.h"

#include <assert.h>

#include "log/log.h"
#include "play/player.h"
#include "record/recorder.h"

/* What every part gets. */
struct surroundings {
    const struct options *options;
    struct net_loop *loop;
    struct rng *rng;
    void (*wake)(void *user);
    void *wake_user;
};

static int open_engine(struct server_media *m, const struct surroundings *s)
{
    const struct options *o = s->options;
    char error[ENGINE_ERROR_MAX] = "out of memory";
    struct interface_rule rules[OPTIONS_LIST_MAX];
    _Static_assert(OPTIONS_LIST_MAX <= ENGINE_MAX_RULES, "all of them");
    for (size_t i = 0; i < o->media_interfaces.n; i++) {
        bool is_rule = interface_rule_parse(str_of(o->media_interfaces.item[i]), &rules[i]);
        assert(is_rule); /* the option table refuses others */
    }
    struct engine_config config = {
        .listen = o->media_listen,
        .workers = o->media_workers,
        .red = o->media_red,
        .ice_lite = o->media_ice_lite,
        .tcp = o->media_tcp,
        .tick = o->media_tick_us,
        .dscp = o->media_dscp,
        .stun = (const char *const *)o->media_stun.item,
        .n_stun = o->media_stun.n,
        .external_auto = o->media_external_ip.is_auto,
        .rtp_first = o->media_rtp_ports.first,
        .rtp_last = o->media_rtp_ports.last,
        .interfaces = rules,
        .n_interfaces = o->media_interfaces.n,
        .external_ips = o->media_external_ip.item,
        .n_external_ips = o->media_external_ip.n,
        .wake = s->wake,
        .wake_user = s->wake_user,
    };
    config.listen.port = o->media_port;
    m->backend = media_engine_new(&config, m->recorder, m->player, s->rng, error);
    if (!m->backend) {
        log_error(SERVER, "%s", error);
        return 1;
    }
    m->engine = media_engine_of(m->backend);
    return 0;
}

static int open_servers(struct server_media *m, const struct surroundings *s)
{
    int err = media_servers_new(s->options, s->loop, s->rng, s->wake, s->wake_user, &m->servers);
    if (!err)
        m->backend = media_servers_media(m->servers);
    return err;
}

static int open_recorder(struct server_media *m, const struct surroundings *s)
{
    const struct recorder_config config = {
        .folder = s->options->recording_dir,
        .max_recordings = s->options->recording_max_files,
        .wake = s->wake,
        .wake_user = s->wake_user,
    };
    char error[RECORDER_ERROR_MAX];
    if (!*config.folder)
        return 0;
    m->recorder = recorder_new(&config, s->rng, error);
    if (!m->recorder) {
        log_error(SERVER, "recording.dir: %s", error);
        return 1;
    }
    return 0;
}

/* Applications play what their operator put there; the calls of the page, what was recorded. */
static int open_player(struct server_media *m, const struct surroundings *s)
{
    const struct options *o = s->options;
    const struct player_config config = {
        .rights = {[PLAYER_PIPELINES] = {.folder = o->player_dir,
                                         .setting = "player.dir",
                                         .hosts = (const char *const *)o->player_http.item,
                                         .n_hosts = o->player_http.n},
                   [PLAYER_CALLS] = {.folder = o->recording_dir, .setting = "recording.dir"}},
        .max_playings = o->player_max_files,
        .wake = s->wake,
        .wake_user = s->wake_user,
    };
    char error[PLAY_ERROR_MAX];
    if (!*o->player_dir && !*o->recording_dir && !o->player_http.n)
        return 0;
    m->player = player_new(&config, error);
    if (!m->player) {
        log_error(SERVER, "%s", error);
        return 1;
    }
    return 0;
}

int server_media_open(struct server_media *m, const struct options *options, struct net_loop *loop,
                      struct rng *rng, void (*wake)(void *user), void *wake_user)
{
    const struct surroundings s = {options, loop, rng, wake, wake_user};
    if (options->media_backend == OPTIONS_MEDIA_KURENTO)
        return open_servers(m, &s);
    int err = open_recorder(m, &s);
    if (!err)
        err = open_player(m, &s);
    if (!err)
        err = open_engine(m, &s);
    return err;
}

unsigned server_media_descriptors(const struct server_media *m, const struct options *options)
{
    unsigned n = 0;
    if (m->recorder)
        n += options->recording_max_files;
    if (m->player)
        n += options->player_max_files;
    if (m->engine)
        n += (unsigned)(options->media_rtp_ports.last - options->media_rtp_ports.first) + 1;
    return n;
}

bool server_media_close(struct server_media *m)
{
    if (m->backend)
        m->backend->ops->free(m->backend); /* joins the workers */
    player_free(m->player);                /* joins the reader */
    media_servers_free(m->servers);
    return recorder_free(m->recorder); /* joins the writer */
}
