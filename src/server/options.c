/*
 * The command line, and the order of the sources.
 */
#include "server/options.h"

#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "base/mem.h"
#include "server/config.h"
#include "server/config_document.h"
#include "server/config_value.h"
#include "server/options_table.h"

_Static_assert(sizeof(enum options_log_level) == sizeof(uint32_t) &&
                   sizeof(enum options_media_backend) == sizeof(uint32_t),
               "a WORD member has 4 bytes");

/** What `duet serve` was given; the texts are borrowed from argv. */
struct arguments {
    const char *config_file;                   /**< NULL = none */
    void (*document)(struct config_text *ret); /**< print this and exit; NULL = none */
    bool print_config;
};

void options_init(struct options *o)
{
    memset(o, 0, sizeof(*o));
}

void options_deinit(struct options *o)
{
    for (size_t i = 0; i < options_table_len; i++)
        config_value_clear(&options_table[i], o);
    options_init(o);
}

void options_request_deinit(struct options_request *request)
{
    options_deinit(&request->options);
    mem_free(request->text);
    request->text = NULL;
}

static void bad_argument(struct config *c, const char *argument)
{
    struct config_place place = {.source = "duet"};
    config_mistake(c, place, "'%.60s' is no argument of duet: see duet --help", argument);
}

/**
 * First pass: everything but the values of --set, which are read last.
 * @return 0; mistakes are in the report
 */
static int read_arguments(struct config *c, int argc, const char *const *argv,
                          struct arguments *ret)
{
    struct config_place place = {.source = "duet"};
    for (int i = 2; i < argc; i++) {
        struct str argument = str_of(argv[i]);
        bool is_config = str_eq(argument, STR("--config"));
        bool is_set = str_eq(argument, STR("--set"));
        if ((is_config || is_set) && ++i == argc)
            config_mistake(c, place, "%s: %s is missing", argv[i - 1],
                           is_config ? "the file" : "KEY=VALUE");
        else if (is_config && ret->config_file)
            config_mistake(c, place, "--config: given twice");
        else if (is_config)
            ret->config_file = argv[i];
        else if (str_eq(argument, STR("--help")))
            ret->document = config_document_help;
        else if (str_eq(argument, STR("--print-reference")))
            ret->document = config_document_reference;
        else if (str_eq(argument, STR("--print-config")))
            ret->print_config = true;
        else if (!is_set)
            bad_argument(c, argv[i]);
    }
    return 0;
}

static int read_file(struct config *c, const char *name)
{
    struct config_place place = {.source = name};
    FILE *f = fopen(name, "rb");
    char *buf = mem_alloc(CONFIG_FILE_MAX + 1); /* one more shows that it is too large */
    int r = buf ? 0 : -ENOMEM;
    if (!r && !f) {
        config_mistake(c, place, "cannot be read: %s", strerror(errno));
    } else if (!r) {
        size_t len = fread(buf, 1, CONFIG_FILE_MAX + 1, f);
        if (ferror(f))
            config_mistake(c, place, "cannot be read: %s", strerror(errno));
        else
            r = config_read_yaml(c, name, (struct str){buf, len});
    }
    mem_free(buf);
    if (f)
        (void)fclose(f); /* opened for reading: nothing can be lost */
    return r;
}

static int read_sources(struct config *c, const struct arguments *a, int argc,
                        const char *const *argv, const char *const *env)
{
    int r = config_set_defaults(c);
    if (!r && a->config_file)
        r = read_file(c, a->config_file);
    if (!r)
        r = config_read_environment(c, env);
    for (int i = 2; !r && i + 1 < argc; i++) {
        if (str_eq(str_of(argv[i]), STR("--config")))
            i++;
        else if (str_eq(str_of(argv[i]), STR("--set")))
            r = config_read_set(c, str_of(argv[++i]));
    }
    return r;
}

static const char *variable(const char *const *env, struct str name)
{
    for (; *env; env++)
        if (str_starts_with(str_of(*env), name) && (*env)[name.len] == '=')
            return *env + name.len + 1;
    return "";
}

/** XDG base directory specification: a relative $XDG_STATE_HOME is to be ignored. */
static int default_state_dir(struct config *c, const char *const *env, struct config_text *ret)
{
    const char *xdg = variable(env, STR("XDG_STATE_HOME"));
    const char *home = variable(env, STR("HOME"));
    struct config_place place = {.source = "settings"};
    if (*xdg == '/')
        config_text_printf(ret, "%s/duet", xdg);
    else if (geteuid() == 0)
        config_text_put(ret, STR("/var/lib/duet"));
    else if (*home == '/')
        config_text_printf(ret, "%s/.local/state/duet", home);
    else
        config_mistake(c, place, "state.dir: neither it nor $XDG_STATE_HOME nor $HOME is set");
    return ret->failed ? -ENOMEM : 0;
}

static int put_state_dir(struct config *c, const char *const *env)
{
    if (*c->options->state_dir)
        return 0;
    struct config_text dir = {0};
    int r = default_state_dir(c, env, &dir);
    if (!r && dir.len) {
        mem_free(c->options->state_dir);
        c->options->state_dir = NULL;
        r = config_text_take(&dir, &c->options->state_dir);
    }
    config_text_deinit(&dir);
    return r;
}

/** Make `text` the request's text. @return `result`, or -ENOMEM */
static int answer(struct options_request *request, struct config_text *text, int result)
{
    int r = config_text_take(text, &request->text);
    config_text_deinit(text);
    request->action = OPTIONS_ACTION_PRINT;
    return r ? r : result;
}

static int refuse(struct config *c, struct options_request *request)
{
    if (c->n_mistakes > CONFIG_MISTAKES_MAX)
        config_text_printf(&c->report, "... and %u more\n", c->n_mistakes - CONFIG_MISTAKES_MAX);
    return answer(request, &c->report, OPTIONS_E_REFUSED);
}

static int load_serve(struct config *c, int argc, const char *const *argv, const char *const *env,
                      struct options_request *request)
{
    struct arguments a = {0};
    struct config_text document = {0};
    int r = read_arguments(c, argc, argv, &a);
    if (!r && !c->n_mistakes && a.document) { /* help is given also when a setting is wrong */
        a.document(&document);
        return answer(request, &document, 0);
    }
    if (!r)
        r = read_sources(c, &a, argc, argv, env);
    if (r)
        return r;
    config_check(c);
    if (a.print_config && !c->n_mistakes) { /* before state.dir depends on who asks */
        config_document_sample(c->options, &document);
        return answer(request, &document, 0);
    }
    r = put_state_dir(c, env);
    return !r && c->n_mistakes ? refuse(c, request) : r;
}

static int load(struct config *c, int argc, const char *const *argv, const char *const *env,
                struct options_request *request)
{
    struct config_text document = {0};
    struct str command = argc > 1 ? str_of(argv[1]) : STR("");
    if (str_eq(command, STR("serve")))
        return load_serve(c, argc, argv, env, request);
    if (argc == 2 && str_eq(command, STR("--version")))
        config_text_put(&document, STR("duet " DUET_VERSION "\n"));
    else if (argc == 2 && str_eq(command, STR("--help")))
        config_document_usage(&document);
    if (document.len || document.failed)
        return answer(request, &document, 0);
    if (argc > 1)
        bad_argument(c, argv[argc > 2 ? 2 : 1]);
    config_document_usage(&c->report);
    return refuse(c, request);
}

int options_load(int argc, const char *const *argv, const char *const *env,
                 struct options_request *ret)
{
    struct options_request request = {.action = OPTIONS_ACTION_SERVE};
    struct config config;
    config_init(&config, &request.options);
    int r = load(&config, argc, argv, env, &request);
    config_deinit(&config);
    if (r < 0)
        options_request_deinit(&request);
    else
        *ret = request; /* now owned by the caller */
    return r;
}
