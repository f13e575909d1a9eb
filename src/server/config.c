/*
 * Merging: defaults, then one source after the other into the same struct, where a later value
 * replaces an earlier one. Mistakes do not stop the reading.
 *
 * Values in the report are shown as they came, but without control characters and shortened: a
 * report goes to a terminal.
 */
#include "server/config.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/ws_url.h"
#include "server/config_value.h"
#include "server/options_table.h"

/** Characters of a refused key or value that are shown. */
#define SHOWN_MAX 60

void config_init(struct config *c, struct options *options)
{
    *c = (struct config){.options = options};
}

void config_deinit(struct config *c)
{
    config_text_deinit(&c->report);
}

void config_mistake(struct config *c, struct config_place place, const char *format, ...)
{
    if (c->n_mistakes++ >= CONFIG_MISTAKES_MAX)
        return;
    char sentence[512];
    va_list args;
    va_start(args, format);
    (void)vsnprintf(sentence, sizeof(sentence), format, args);
    va_end(args);
    if (place.line)
        config_text_printf(&c->report, "%s:%u: %s\n", place.source, place.line, sentence);
    else
        config_text_printf(&c->report, "%s: %s\n", place.source, sentence);
}

/** A text from outside as it may stand in the report. @param buf SHOWN_MAX + 4 bytes */
static const char *shown(struct str s, char *buf)
{
    size_t n = s.len < SHOWN_MAX ? s.len : SHOWN_MAX;
    for (size_t i = 0; i < n; i++)
        buf[i] = (char)((unsigned char)s.p[i] < 0x20 || s.p[i] == 0x7f ? '?' : s.p[i]);
    while (n < s.len && n > 0 && ((unsigned char)s.p[n] & 0xc0) == 0x80)
        n--; /* do not cut a UTF-8 character */
    memcpy(buf + n, n < s.len ? "..." : "", n < s.len ? 4 : 1);
    return buf;
}

int config_set_defaults(struct config *c)
{
    for (size_t i = 0; i < options_table_len; i++) {
        char buf[CONFIG_WHY_MAX];
        struct text why;
        text_init(&why, buf, sizeof(buf));
        const struct options_row *row = &options_table[i];
        int r = config_value_set(row, str_of(row->fallback), c->options, &why);
        if (r)
            return -ENOMEM; /* a default out of its own range fails test_options, not a start */
    }
    return 0;
}

void config_begin_source(struct config *c)
{
    memset(c->given, 0, sizeof(c->given));
}

static void unknown_key(struct config *c, struct config_place place, struct str key)
{
    char buf[SHOWN_MAX + 4];
    const struct options_row *near = options_table_nearest(key);
    if (near)
        config_mistake(c, place, "unknown key '%s': did you mean '%s'?", shown(key, buf),
                       near->key);
    else
        config_mistake(c, place, "unknown key '%s': duet serve --help lists them", shown(key, buf));
}

static int set_row(struct config *c, struct config_place place, const struct options_row *row,
                   struct str value)
{
    char buf[CONFIG_WHY_MAX];
    char value_buf[SHOWN_MAX + 4];
    struct text why;
    text_init(&why, buf, sizeof(buf));
    bool *given = &c->given[row - options_table];
    if (*given) {
        config_mistake(c, place, "%s: given twice", row->key);
        return 0;
    }
    *given = true;
    int r = config_value_set(row, value, c->options, &why);
    if (r != OPTIONS_E_REFUSED)
        return r;
    config_mistake(c, place, "%s: %s, not '%s'", row->key, buf, shown(value, value_buf));
    return 0;
}

int config_set(struct config *c, struct config_place place, struct str key, struct str value)
{
    const struct options_row *row = options_table_find(key);
    if (row)
        return set_row(c, place, row, value);
    unknown_key(c, place, key);
    return 0;
}

static const struct options_row *row_of_variable(struct str name)
{
    char buf[OPTIONS_ENV_MAX];
    for (size_t i = 0; i < options_table_len; i++)
        if (str_eq(name, str_of(options_table_env(&options_table[i], buf))))
            return &options_table[i];
    return NULL;
}

int config_read_environment(struct config *c, const char *const *env)
{
    struct config_place place = {.source = "environment"};
    config_begin_source(c);
    for (; *env; env++) {
        struct str value = str_of(*env);
        struct str name = str_take_until(&value, '=');
        if (!str_starts_with(name, STR("DUET_")))
            continue;
        const struct options_row *row = row_of_variable(name);
        int r = 0;
        char buf[SHOWN_MAX + 4];
        if (row)
            r = set_row(c, place, row, value);
        else
            config_mistake(c, place, "%s: no setting has this name (DUET_MEDIA_PORT is media.port)",
                           shown(name, buf));
        if (r)
            return r;
    }
    return 0;
}

int config_read_set(struct config *c, struct str assignment)
{
    struct config_place place = {.source = "--set"};
    struct str value = assignment;
    struct str key = str_take_until(&value, '=');
    if (key.len == assignment.len) {
        char buf[SHOWN_MAX + 4];
        config_mistake(c, place, "'%s': write --set KEY=VALUE", shown(assignment, buf));
        return 0;
    }
    config_begin_source(c);
    return config_set(c, place, str_trim(key), value);
}

/* The HTTP library cannot verify a certificate for one. */
static void check_media_servers(struct config *c, struct config_place place)
{
    const struct options_texts *uris = &c->options->media_kurento_uri;
    for (size_t i = 0; i < uris->n; i++) {
        struct ws_url url;
        if (ws_url_parse(str_of(uris->item[i]), &url) && url.is_tls && strchr(url.host, ':'))
            config_mistake(c, place, "media.kurento_uri: wss:// wants a name or an IPv4 address");
    }
}

void config_check(struct config *c)
{
    const struct options *o = c->options;
    struct config_place place = {.source = "settings"};
    if (!*o->tls_cert != !*o->tls_key)
        config_mistake(c, place, "tls.cert, tls.key: give both or neither");
    if (!*o->http_listen && !*o->https_listen)
        config_mistake(c, place, "http.listen, https.listen: both are off, nobody could call");
    if (*o->recording_dir && *o->recording_dir != '/')
        config_mistake(c, place, "recording.dir: %s is not an absolute path", o->recording_dir);
    if (*o->player_dir && *o->player_dir != '/')
        config_mistake(c, place, "player.dir: %s is not an absolute path", o->player_dir);
    if (o->call_record && !*o->recording_dir)
        config_mistake(c, place, "call.record: recordings need a folder: set recording.dir");
    if (o->media_external_ip.is_auto && o->media_stun.n == 0)
        config_mistake(c, place, "media.external_ip: auto needs somebody to ask: set media.stun");
    if (o->media_backend == OPTIONS_MEDIA_KURENTO && o->media_kurento_uri.n == 0)
        config_mistake(c, place, "media.backend: kurento needs servers: set media.kurento_uri");
    if (o->media_backend != OPTIONS_MEDIA_KURENTO && o->media_kurento_uri.n > 0)
        config_mistake(c, place, "media.kurento_uri: has no effect without media.backend: kurento");
    if (o->media_backend == OPTIONS_MEDIA_KURENTO && o->call_record)
        config_mistake(c, place, "call.record: calls of media.backend kurento are not recorded");
    check_media_servers(c, place);
    if (o->media_port && o->media_port + o->media_workers > 65536)
        config_mistake(c, place, "media.port, media.workers: port %u + %u workers is above 65535",
                       o->media_port, o->media_workers);
    if (o->media_port && o->media_rtp_ports.last >= o->media_port &&
        o->media_rtp_ports.first < o->media_port + (o->media_workers ? o->media_workers : 1))
        config_mistake(
            c, place, "media.port, media.rtp_ports: port %u is in both: move one of them",
            o->media_port > o->media_rtp_ports.first ? o->media_port : o->media_rtp_ports.first);
}
