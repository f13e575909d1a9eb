/* ServerManager: what the server is, what lives on it, what it uses. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/mem.h"
#include "kurento/kmd.h"
#include "kurento/private.h"
#include "kurento/types.h"

/* Of getUsedCpu at a time: each of them is looked at whenever a deadline is asked for. */
#define MAX_MEASUREMENTS 100

/* Clients refuse a server that lacks one of these modules. */
static const char *const modules[] = {"core", "elements", "filters"};

static json_t *module_info(const struct kurento *k, const char *module)
{
    size_t n;
    const struct kurento_type *const *types = kurento_types(&n);
    json_t *factories = json_array();
    for (size_t i = 0; i < n; i++) {
        if (strcmp(types[i]->module, module) == 0)
            (void)json_array_append_new(factories, json_string(types[i]->name));
    }
    return json_pack("{s:s, s:s, s:o, s:s, s:s, s:s}", "__module__", "kurento", "__type__",
                     "ModuleInfo", "factories", factories, "generationTime", k->config.build_time,
                     "name", module, "version", k->config.version);
}

static int get_info(const struct kurento_call *call, json_t **ret)
{
    const struct kurento *k = call->kurento;
    json_t *infos = json_array();
    for (size_t i = 0; i < ARRAY_LEN(modules); i++)
        (void)json_array_append_new(infos, module_info(k, modules[i]));
    *ret = json_pack("{s:s, s:s, s:[s], s:o, s:s, s:s}", "__module__", "kurento", "__type__",
                     "ServerInfo", "capabilities", "transactions", "modules", infos, "type", "KMS",
                     "version", k->config.version);
    return 0;
}

/* Who asks for them holds them: so the pipelines of a client that is gone can be taken over. */
static int get_pipelines(const struct kurento_call *call, json_t **ret)
{
    *ret = json_array();
    LIST_FOREACH(node, &call->kurento->objects.roots) {
        struct kurento_object *object = CONTAINER_OF(node, struct kurento_object, siblings);
        if (object == call->kurento->manager)
            continue;
        if (kurento_session_hold(call->session, object))
            return -ENOMEM;
        (void)json_array_append_new(*ret, json_string(object->id));
    }
    return 0;
}

static int get_sessions(const struct kurento_call *call, json_t **ret)
{
    *ret = json_array();
    LIST_FOREACH(node, &call->kurento->sessions.all)
        (void)json_array_append_new(
            *ret, json_string(CONTAINER_OF(node, struct kurento_session, of_all)->id));
    return 0;
}

static int get_metadata(const struct kurento_call *call, json_t **ret)
{
    (void)call;
    *ret = json_string("");
    return 0;
}

static int get_cpu_count(const struct kurento_call *call, json_t **ret)
{
    (void)call;
    *ret = json_integer(sysconf(_SC_NPROCESSORS_ONLN));
    return 0;
}

/* --- getUsedCpu: what the process takes from now until the interval is over --- */

struct measurement {
    struct list measurements;
    struct kurento_later *later;
    mono_us from, until;
    int64_t cpu_from; /* [µs] */
};

static int64_t cpu_us(void)
{
    struct timespec ts;
    (void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);
    return (int64_t)ts.tv_sec * US_PER_S + ts.tv_nsec / 1000;
}

static size_t count(struct list *list)
{
    size_t n = 0;
    LIST_FOREACH(node, list)
        n++;
    return n;
}

static int get_used_cpu(const struct kurento_call *call, json_t **ret)
{
    int err = -ENOMEM;
    (void)ret;
    if (count(&call->kurento->measurements) >= MAX_MEASUREMENTS)
        return kurento_fail(call->fault, KURENTO_E_RESOURCES, "%d measurements are going on",
                            MAX_MEASUREMENTS);
    struct measurement *m = mem_zalloc(sizeof(*m));
    if (!m)
        return err;
    m->later = kurento_put_off(call, &err);
    if (!m->later) {
        mem_free(m);
        return err;
    }
    m->from = call->now;
    m->until = call->now + call->args[0].integer * US_PER_MS;
    m->cpu_from = cpu_us();
    list_append(&call->kurento->measurements, &m->measurements);
    return KURENTO_PUT_OFF;
}

mono_us kurento_measurements_deadline(const struct kurento *k)
{
    mono_us at = MONO_NEVER;
    struct list *head = (struct list *)(uintptr_t)&k->measurements;
    LIST_FOREACH(node, head)
        at = mono_min(at, CONTAINER_OF(node, struct measurement, measurements)->until);
    return at;
}

/* Percent of all processors, as Kurento has it. */
static json_t *used_cpu(const struct measurement *m, mono_us now)
{
    double share = (double)(cpu_us() - m->cpu_from) / (double)(now - m->from);
    return json_real(100 * share / (double)sysconf(_SC_NPROCESSORS_ONLN));
}

void kurento_measurements_timeout(struct kurento *k, mono_us now)
{
    LIST_FOREACH(node, &k->measurements) {
        struct measurement *m = CONTAINER_OF(node, struct measurement, measurements);
        if (m->until > now)
            continue;
        list_remove(&m->measurements);
        kurento_answer_later(k, m->later, 0, used_cpu(m, now), NULL);
        mem_free(m);
    }
}

void kurento_measurements_drop(struct kurento *k)
{
    LIST_FOREACH(node, &k->measurements) {
        struct measurement *m = CONTAINER_OF(node, struct measurement, measurements);
        list_remove(&m->measurements);
        kurento_forget_later(m->later);
        mem_free(m);
    }
}

/* Resident memory [KiB]. */
static int get_used_memory(const struct kurento_call *call, json_t **ret)
{
    long size, resident;
    FILE *f = fopen("/proc/self/statm", "re");
    if (!f)
        return kurento_fail(call->fault, KURENTO_E_UNEXPECTED, "/proc/self/statm: %s",
                            strerror(errno));
    int n = fscanf(f, "%ld %ld", &size, &resident);
    (void)fclose(f);
    if (n != 2)
        return kurento_fail(call->fault, KURENTO_E_UNEXPECTED,
                            "/proc/self/statm: two numbers are expected");
    *ret = json_integer(resident * (sysconf(_SC_PAGESIZE) / 1024));
    return 0;
}

static bool is_module(struct str name)
{
    for (size_t i = 0; i < ARRAY_LEN(modules); i++) {
        if (str_eq(name, str_of(modules[i])))
            return true;
    }
    return false;
}

/* As text: who asks writes it into a file. */
static int get_kmd(const struct kurento_call *call, json_t **ret)
{
    struct str module = call->args[0].string;
    if (!is_module(module))
        return kurento_fail(call->fault, KURENTO_E_NO_MODULE,
                            "Requested kmd module doesn't exist: %.*s",
                            STR_FMT(str_head(module, 100)));
    json_t *kmd = kurento_kmd(module, call->kurento->config.version);
    char *text = kmd ? kurento_rpc_text(kmd) : NULL;
    json_decref(kmd);
    if (!text)
        return -ENOMEM;
    *ret = json_string(text);
    free(text);
    return 0;
}

static const struct kurento_param module_param[] = {
    {.name = "moduleName", .type = KURENTO_STRING},
};

static const struct kurento_param interval_param[] = {
    {.name = "interval", .type = KURENTO_INTEGER, .min = 1, .max = 60000}, /* ms */
};

static const struct kurento_operation operations[] = {
    {"getInfo", NULL, 0, get_info},
    {"getPipelines", NULL, 0, get_pipelines},
    {"getSessions", NULL, 0, get_sessions},
    {"getMetadata", NULL, 0, get_metadata},
    {"getCpuCount", NULL, 0, get_cpu_count},
    {"getUsedCpu", interval_param, 1, get_used_cpu},
    {"getUsedMemory", NULL, 0, get_used_memory},
    {"getKmd", module_param, 1, get_kmd},
};

static const char *const events[] = {"ObjectCreated", "ObjectDestroyed", NULL};

const struct kurento_type kurento_server_manager_type = {
    .name = "ServerManager",
    .module = "core",
    .base = &kurento_media_object_type,
    .size = sizeof(struct kurento_object),
    .operations = operations,
    .n_operations = ARRAY_LEN(operations),
    .events = events,
};
