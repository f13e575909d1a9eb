/* Both forms show the same figures, computed once in figures_of. */
#include "load/report.h"

#include <stdio.h>

#include <jansson.h>

static const char *const moment_names[] = {
    [RUN_BEFORE] = "before",    [RUN_REGISTERED] = "registered", [RUN_STEADY] = "steady",
    [RUN_LAST] = "last_steady", [RUN_HUNG_UP] = "hung_up",       [RUN_AFTER] = "after",
};

struct figures {
    double server_us_per_packet; /**< whole process, over the steady states; 0 = unknown */
    double media_us_per_packet;  /**< all threads but the first */
    double server_cores;
    double own_cores;
    double packets_per_s;
    double rss_kb_per_call; /**< steady minus before */
    double rss_kb_per_user; /**< registered minus before */
};

static double ratio(double a, double b)
{
    return b > 0 ? a / b : 0;
}

static struct figures figures_of(const struct run *run)
{
    const struct proc_sample *m = run->moments;
    bool has_server = m[RUN_STEADY].is_valid && m[RUN_BEFORE].is_valid;
    double s = (double)run->steady_us / 1e6;
    return (struct figures){
        .server_us_per_packet = ratio((double)run->server_cpu_us, (double)run->steady_packets),
        .media_us_per_packet = ratio((double)(run->server_cpu_us - run->server_main_cpu_us),
                                     (double)run->steady_packets),
        .server_cores = ratio((double)run->server_cpu_us / 1e6, s),
        .own_cores = ratio((double)run->own_cpu_us / 1e6, s),
        .packets_per_s = ratio((double)run->steady_packets, s),
        .rss_kb_per_call =
            has_server ? ratio((double)(m[RUN_STEADY].rss_kb - m[RUN_BEFORE].rss_kb), run->max_up)
                       : 0,
        .rss_kb_per_user = has_server
                               ? ratio((double)(m[RUN_REGISTERED].rss_kb - m[RUN_BEFORE].rss_kb),
                                       2.0 * (double)run->n_calls)
                               : 0,
    };
}

/* --- for people --- */

static void print_time(const char *words, const struct histogram *h)
{
    if (h->n)
        (void)printf("  %-26s p50 %8.2f  p99 %8.2f  max %8.2f ms  (%llu)\n", words,
                     (double)histogram_percentile(h, 50) / 1000,
                     (double)histogram_percentile(h, 99) / 1000, (double)h->max_us / 1000,
                     (unsigned long long)h->n);
}

static void print_server(const struct run *run, const struct figures *f)
{
    if (!run->moments[RUN_BEFORE].is_valid)
        return;
    (void)printf("server\n");
    if (run->steady_packets)
        (void)printf(
            "  CPU in steady state        %.2f us a relayed packet (%.2f without the first "
            "thread), %.3f cores at %.0f packets/s\n",
            f->server_us_per_packet, f->media_us_per_packet, f->server_cores, f->packets_per_s);
    if (f->rss_kb_per_call > 0) /* not after a larger load: the allocator has not given it back */
        (void)printf("  memory                     %.1f KB a call in steady state, %.1f KB a "
                     "registered user\n",
                     f->rss_kb_per_call, f->rss_kb_per_user);
    (void)printf("  %-14s %10s %10s %8s %12s\n", "", "RSS KB", "peak KB", "threads", "descriptors");
    for (unsigned i = 0; i < RUN_MOMENTS; i++) {
        const struct proc_sample *s = &run->moments[i];
        if (s->is_valid)
            (void)printf("  %-14s %10lld %10lld %8lld %12lld\n", moment_names[i],
                         (long long)s->rss_kb, (long long)s->hwm_kb, (long long)s->threads,
                         (long long)s->descriptors);
    }
}

void report_print(const struct run *run)
{
    const struct stats *s = &run->stats;
    struct figures f = figures_of(run);
    (void)printf("counts\n");
#define ROW(name, is_bad, words)                                                                   \
    if (s->name || !(is_bad))                                                                      \
        (void)printf("  %-44s %12llu%s\n", words, (unsigned long long)s->name,                     \
                     (is_bad) ? "  <-- bad" : "");
    STATS_COUNTERS(ROW)
#undef ROW
    (void)printf("times\n");
#define ROW(name, words) print_time(words, &s->name);
    STATS_TIMES(ROW)
#undef ROW
    print_server(run, &f);
    (void)printf("load generator\n  %.3f cores in steady state\n", f.own_cores);
    if (s->ticks_skipped || histogram_percentile(&s->lateness, 99) > MEDIA_FRAME)
        (void)printf(
            "  it was short of CPU itself: delays, set-up times and failures are partly its "
            "own\n");
    if (s->n_errors)
        (void)printf("errors\n");
    for (unsigned i = 0; i < s->n_errors; i++)
        (void)printf("  %8llu  %s\n", (unsigned long long)s->errors[i].n, s->errors[i].text);
    (void)printf("%s\n", stats_is_good(s) ? "every call worked, nothing was lost"
                                          : "NOT everything worked");
}

/* --- for programs --- */

static json_t *json_counts(const struct stats *s)
{
    json_t *o = json_object();
#define ROW(name, is_bad, words)                                                                   \
    (void)json_object_set_new(o, #name, json_integer((json_int_t)s->name));
    STATS_COUNTERS(ROW)
#undef ROW
    return o;
}

static json_t *json_time(const struct histogram *h)
{
    return json_pack("{s:I, s:f, s:I, s:I, s:I, s:I}", "n", (json_int_t)h->n, "mean_us",
                     histogram_mean(h), "p50_us", (json_int_t)histogram_percentile(h, 50), "p99_us",
                     (json_int_t)histogram_percentile(h, 99), "p999_us",
                     (json_int_t)histogram_percentile(h, 99.9), "max_us", (json_int_t)h->max_us);
}

static json_t *json_times(const struct stats *s)
{
    json_t *o = json_object();
#define ROW(name, words) (void)json_object_set_new(o, #name, json_time(&s->name));
    STATS_TIMES(ROW)
#undef ROW
    return o;
}

static json_t *json_server(const struct run *run)
{
    json_t *o = json_object();
    for (unsigned i = 0; i < RUN_MOMENTS; i++) {
        const struct proc_sample *s = &run->moments[i];
        if (s->is_valid)
            (void)json_object_set_new(
                o, moment_names[i],
                json_pack("{s:I, s:I, s:I, s:I, s:I}", "cpu_us", (json_int_t)s->cpu_us, "rss_kb",
                          (json_int_t)s->rss_kb, "peak_kb", (json_int_t)s->hwm_kb, "threads",
                          (json_int_t)s->threads, "descriptors", (json_int_t)s->descriptors));
    }
    return o;
}

static json_t *json_errors(const struct stats *s)
{
    json_t *o = json_object();
    for (unsigned i = 0; i < s->n_errors; i++)
        (void)json_object_set_new(o, s->errors[i].text, json_integer((json_int_t)s->errors[i].n));
    return o;
}

bool report_write_json(const struct run *run, const char *path)
{
    const struct options *o = run->options;
    struct figures f = figures_of(run);
    json_t *root = json_pack(
        "{s:b, s:{s:s, s:s, s:f, s:f, s:f, s:f, s:f, s:f, s:b}, s:{s:f, s:f, s:f, s:f, s:f, s:f, "
        "s:f, "
        "s:I}, s:o, s:o, s:o, s:o}",
        "ok", stats_is_good(&run->stats), "options", "url", o->url, "driver", o->driver, "calls",
        o->calls, "rate", o->rate, "hold_s", o->hold_s, "rounds", o->rounds, "churn", o->churn,
        "duration_s", o->duration_s, "media", !o->no_media, "figures", "server_us_per_packet",
        f.server_us_per_packet, "media_us_per_packet", f.media_us_per_packet, "server_cores",
        f.server_cores, "own_cores", f.own_cores, "packets_per_s", f.packets_per_s,
        "rss_kb_per_call", f.rss_kb_per_call, "rss_kb_per_user", f.rss_kb_per_user,
        "steady_packets", (json_int_t)run->steady_packets, "counts", json_counts(&run->stats),
        "times", json_times(&run->stats), "server", json_server(run), "errors",
        json_errors(&run->stats));
    bool ok = root && json_dump_file(root, path, JSON_INDENT(2)) == 0;
    json_decref(root);
    if (!ok)
        (void)fprintf(stderr, "duet-load: %s cannot be written\n", path);
    return ok;
}
