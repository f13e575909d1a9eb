/* Arguments, files, and sentences: see the header. */
#include "mix/command.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/rng.h"
#include "base/str.h"
#include "mix/mix.h"
#include "mix/output.h"

#define EXIT_FAILED 1
#define EXIT_USAGE  2

static const char help[] =
    "duet mix CALLER CALLEE -o FILE [--force]\n"
    "\n"
    "  CALLER, CALLEE  the two recordings of a call: Ogg Opus, WebM or WAV\n"
    "  -o FILE         .ogg or .opus: the caller is left, the callee right; who began later is\n"
    "                  heard later\n"
    "  --force         overwrite FILE\n"
    "  --help          print this and exit\n"
    "\n"
    "A recording that was cut off is mixed as far as it goes. FILE appears when it is whole. The\n"
    "exit status is 0, 1 when it did not work, 2 for a wrong command line.\n";

struct arguments {
    const char *in[2];
    unsigned n_in;
    const char *out;
    bool is_forced, wants_help;
};

static volatile sig_atomic_t is_stopping;

static void on_signal(int number)
{
    (void)number;
    is_stopping = 1;
}

/* --- arguments --- */

static int usage(const char *what, const char *argument)
{
    (void)fprintf(stderr, "duet mix: %s%s%s\n\n%s", what, *argument ? ": " : "", argument, help);
    return EXIT_USAGE;
}

static bool has_ending(struct str name, struct str ending)
{
    return name.len > ending.len && str_caseeq(str_tail(name, name.len - ending.len), ending);
}

static int check(const struct arguments *a)
{
    if (a->n_in < 2)
        return usage("two recordings are wanted", "");
    if (!a->out)
        return usage("-o FILE is missing", "");
    struct str out = str_of(a->out);
    if (!has_ending(out, STR(".ogg")) && !has_ending(out, STR(".opus")))
        return usage("only .ogg and .opus can be written", a->out);
    return 0;
}

/* @return 0 or EXIT_USAGE, which was told */
static int read_arguments(int argc, char *const argv[], struct arguments *ret)
{
    bool is_name = false; /* behind "--" */
    for (int i = 0; i < argc; i++) {
        struct str argument = str_of(argv[i]);
        if (!is_name && str_eq(argument, STR("--"))) {
            is_name = true;
        } else if (!is_name && str_eq(argument, STR("--help"))) {
            ret->wants_help = true;
            return 0;
        } else if (!is_name && str_eq(argument, STR("--force"))) {
            ret->is_forced = true;
        } else if (!is_name && str_eq(argument, STR("-o"))) {
            if (ret->out || ++i == argc)
                return usage(ret->out ? "-o is given twice" : "-o: FILE is missing", "");
            ret->out = argv[i];
        } else if (!is_name && str_starts_with(argument, STR("-"))) {
            return usage("unknown argument", argv[i]);
        } else if (ret->n_in == 2) {
            return usage("more than two recordings", argv[i]);
        } else {
            ret->in[ret->n_in++] = argv[i];
        }
    }
    return check(ret);
}

/* --- mixing --- */

struct work {
    const struct arguments *arguments;
    int fd[2];
    struct mix_leg *legs[2];
    struct mix_output output;
};

static int fail(const char *name, const char *why)
{
    (void)fprintf(stderr, "duet mix: %s: %s\n", name, why);
    return EXIT_FAILED;
}

static void warn(const char *name, const char *what)
{
    (void)fprintf(stderr, "duet mix: %s: %s\n", name, what);
}

static int open_leg(struct work *w, unsigned side)
{
    const char *name = w->arguments->in[side];
    w->fd[side] = open(name, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    if (w->fd[side] < 0)
        return fail(name, strerror(errno));
    int err = mix_leg_new(w->fd[side], &w->legs[side]);
    if (err < 0)
        return fail(name, strerror(-err));
    return err ? fail(name, mix_leg_error(w->legs[side])) : 0;
}

/* Overwritten would be what is being read. */
static bool is_input(const struct work *w)
{
    struct stat in, out;
    if (stat(w->arguments->out, &out))
        return false;
    for (unsigned side = 0; side < 2; side++)
        if (fstat(w->fd[side], &in) == 0 && in.st_dev == out.st_dev && in.st_ino == out.st_ino)
            return true;
    return false;
}

static int open_output(struct work *w)
{
    const struct arguments *a = w->arguments;
    if (is_input(w))
        return fail(a->out, "it is one of the recordings");
    int err = mix_output_open(&w->output, a->out, a->is_forced);
    if (err == -EEXIST)
        return fail(a->out, "it is there already; --force overwrites it");
    return err ? fail(a->out, strerror(-err)) : 0;
}

static int fail_mix(const struct work *w, int err, unsigned broken)
{
    const struct arguments *a = w->arguments;
    switch (err) {
    case MIX_E_APART:
        return fail(a->in[1], "it began more than a day before or after the other one");
    case MIX_E_LONG:
        return fail(a->out, "it would be longer than a day");
    case MIX_E_STOPPED:
        return fail(a->out, "interrupted");
    default:
        return fail(broken < 2 ? a->in[broken] : a->out, strerror(-err));
    }
}

/* What the user should know of a mix that was made. */
static void tell(const struct work *w)
{
    for (unsigned side = 0; side < 2; side++) {
        const char *name = w->arguments->in[side], *error = mix_leg_error(w->legs[side]);
        if (mix_leg_is_cut(w->legs[side]))
            warn(name, "it was cut off, and is mixed as far as it goes");
        else if (*error)
            (void)fprintf(stderr, "duet mix: %s: %s; it is mixed up to there\n", name, error);
    }
    if (!mix_is_aligned(w->legs))
        warn(w->arguments->out, "not both recordings tell when they began: they begin together");
}

static int mix(struct work *w)
{
    unsigned broken;
    struct rng rng;
    rng_init_system(&rng);
    int err = mix_run(w->legs, w->output.fd, rng_u32(&rng), &is_stopping, &broken);
    if (err)
        return fail_mix(w, err, broken);
    err = mix_output_finish(&w->output);
    if (err)
        return fail(w->arguments->out, strerror(-err));
    tell(w);
    return 0;
}

static void catch_signals(void)
{
    static const int numbers[] = {SIGINT, SIGTERM, SIGHUP};
    struct sigaction action = {.sa_handler = on_signal};
    (void)sigemptyset(&action.sa_mask);
    for (size_t i = 0; i < ARRAY_LEN(numbers); i++)
        (void)sigaction(numbers[i], &action, NULL);
    (void)signal(SIGXFSZ, SIG_IGN); /* EFBIG says it as well */
}

static int work(const struct arguments *a)
{
    struct work w = {.arguments = a, .fd = {-1, -1}, .output.fd = -1};
    int status = open_leg(&w, 0);
    if (!status)
        status = open_leg(&w, 1);
    if (!status)
        status = open_output(&w);
    if (!status)
        status = mix(&w);
    mix_output_close(&w.output);
    for (unsigned side = 0; side < 2; side++) {
        mix_leg_free(w.legs[side]);
        if (w.fd[side] >= 0)
            (void)close(w.fd[side]);
    }
    return status;
}

int mix_command(int argc, char *const argv[])
{
    struct arguments a = {0};
    int status = read_arguments(argc, argv, &a);
    if (status)
        return status;
    if (a.wants_help)
        return fputs(help, stdout) == EOF || fflush(stdout) == EOF ? EXIT_FAILED : 0;
    is_stopping = 0;
    catch_signals();
    return work(&a);
}
