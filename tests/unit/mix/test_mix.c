/*
 * Recordings by our own recorder's files, mixed by the command, decoded again: who is heard where,
 * when, and what is said about files that are not as they should be.
 */
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <opus/opus.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/mem.h"
#include "base/time.h"
#include "mix/command.h"
#include "mix/mix.h"
#include "mix/output.h"
#include "record/container.h"

#define FRAME  960
#define BEGAN  INT64_C(1769860800000000)
#define HEARD  (30 * PLAY_RATE) /* most that is decoded */
#define CALLER 440
#define CALLEE 880

static char folder[] = "/tmp/duet-mix-XXXXXX";
static int home;
static int16_t pcm[2 * HEARD];
static size_t n_heard; /* of each channel */
static char told[2000];

/* Every test in an empty folder, which is the working directory. */
static int begin(void **state)
{
    (void)state;
    strcpy(folder, "/tmp/duet-mix-XXXXXX");
    home = open(".", O_PATH | O_DIRECTORY | O_CLOEXEC);
    return !mkdtemp(folder) || chdir(folder);
}

static unsigned n_files(void)
{
    FILE *ls = popen("ls -A | wc -l", "r");
    unsigned n = 99;
    assert_int_equal(fscanf(ls, "%u", &n), 1);
    pclose(ls);
    return n;
}

static int end(void **state)
{
    (void)state;
    char command[64];
    (void)snprintf(command, sizeof(command), "rm -rf %s", folder);
    int err = fchdir(home) || system(command);
    close(home);
    return err;
}

/* --- recordings --- */

struct recording {
    const char *name;
    enum record_format format;
    unsigned hz, channels;
    int64_t began_us;
    unsigned n;            /* packets of 20 ms */
    unsigned gap, gap_len; /* packets that are not there */
    bool is_cut;
};

static void put_frames(const struct recording *r, struct record_container *c)
{
    OpusEncoder *encoder =
        opus_encoder_create(PLAY_RATE, (int)r->channels, OPUS_APPLICATION_VOIP, NULL);
    int16_t frame[2 * FRAME];
    uint8_t packet[1500];
    for (unsigned i = 0; i < r->n; i++) {
        for (unsigned k = 0; k < FRAME * r->channels; k++) {
            double at = (double)(i * FRAME + k / r->channels) / PLAY_RATE;
            frame[k] = (int16_t)(10000 * sin(2 * M_PI * r->hz * at));
        }
        opus_int32 len = opus_encode(encoder, frame, FRAME, packet, sizeof(packet));
        assert_true(len > 0);
        if (r->gap_len && i == r->gap)
            assert_int_equal(record_container_put(
                                 c, &(struct record_piece){i * FRAME, r->gap_len * FRAME, NULL, 0}),
                             0);
        if (i < r->gap || i >= r->gap + r->gap_len)
            assert_int_equal(record_container_put(
                                 c, &(struct record_piece){i * FRAME, FRAME, packet, (size_t)len}),
                             0);
    }
    opus_encoder_destroy(encoder);
}

static void record(const struct recording *r)
{
    static struct record_container c;
    int fd = open(r->name, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    assert_int_equal(record_container_begin(&c, r->format, fd, 7, r->began_us), 0);
    put_frames(r, &c);
    if (!r->is_cut)
        assert_int_equal(record_container_end(&c), 0);
    record_container_deinit(&c);
    close(fd);
}

static void record_two(void)
{
    record(&(struct recording){"a.ogg", RECORD_OGG, CALLER, 1, BEGAN, .n = 100});
    record(&(struct recording){"b.webm", RECORD_WEBM, CALLEE, 2, BEGAN, .n = 100});
}

/* --- the command --- */

/* What it says goes to `told`. @return its exit status */
static int run(const char *const argv[])
{
    int argc = 0, saved = dup(2), saved_out = dup(1);
    while (argv[argc])
        argc++;
    int err = memfd_create("told", MFD_CLOEXEC);
    assert_true(err >= 0);
    dup2(err, 2);
    dup2(err, 1);
    int status = mix_command(argc, (char *const *)(uintptr_t)argv);
    dup2(saved, 2);
    dup2(saved_out, 1);
    ssize_t n = pread(err, told, sizeof(told) - 1, 0);
    told[n > 0 ? n : 0] = 0;
    close(err);
    close(saved);
    close(saved_out);
    return status;
}

#define RUN(...) run((const char *const[]){__VA_ARGS__, NULL})

static void assert_told(const char *what)
{
    if (!strstr(told, what))
        fail_msg("\"%s\" is not in \"%s\"", what, told);
}

/* Left and right of a mix, by our own reader: opusdec is asked in another test. */
static int64_t hear(const char *name)
{
    OpusDecoder *decoder = opus_decoder_create(PLAY_RATE, 2, NULL);
    struct play_reader *r = play_reader_new(0);
    struct play_packet p;
    static int16_t out[2 * 5760];
    uint8_t bytes[4096];
    int fd = open(name, O_RDONLY | O_CLOEXEC), result;
    n_heard = 0;
    assert_true(fd >= 0);
    while (!(result = play_reader_poll(r, &p)) || result == PLAY_READER_HUNGRY) {
        if (result == PLAY_READER_HUNGRY) {
            ssize_t n = read(fd, bytes, sizeof(bytes));
            if (n > 0)
                assert_int_equal(play_reader_push(r, bytes, (size_t)n), 0);
            else
                play_reader_end(r);
            continue;
        }
        int n = opus_decode(decoder, p.data, (opus_int32)p.len, out, 5760, 0);
        assert_int_equal(n, p.duration);
        size_t heard = p.duration - p.skip - p.trim;
        assert_true(n_heard + heard <= HEARD);
        memcpy(pcm + 2 * n_heard, out + 2 * p.skip, heard * 4);
        n_heard += heard;
    }
    assert_int_equal(result, PLAY_READER_OVER);
    assert_false(play_reader_info(r)->is_cut);
    assert_int_equal(play_reader_info(r)->channels, 2);
    int64_t began = play_reader_info(r)->began_us;
    opus_decoder_destroy(decoder);
    play_reader_free(r);
    close(fd);
    return began;
}

/* Power of one channel between two moments, and the share of it that is a tone. */
static double power(unsigned side, unsigned from_ms, unsigned to_ms, double hz, double *ret_share)
{
    double re = 0, im = 0, all = 1;
    size_t from = from_ms * 48, to = to_ms * 48;
    assert_true(to <= n_heard);
    for (size_t i = from; i < to; i++) {
        double angle = 2 * M_PI * hz * (double)i / PLAY_RATE, x = pcm[2 * i + side];
        re += x * cos(angle);
        im += x * sin(angle);
        all += x * x;
    }
    *ret_share = 2 * (re * re + im * im) / ((double)(to - from) * all);
    return sqrt(all / (double)(to - from));
}

static void assert_tone(unsigned side, unsigned from_ms, unsigned to_ms, double hz)
{
    double share, level = power(side, from_ms, to_ms, hz, &share);
    if (share < 0.95 || level < 5000)
        fail_msg("side %u, %u..%u ms: level %.0f, %.3f of it is the tone", side, from_ms, to_ms,
                 level, share);
}

static void assert_silence(unsigned side, unsigned from_ms, unsigned to_ms)
{
    double share, level = power(side, from_ms, to_ms, CALLER, &share);
    if (level > 40)
        fail_msg("side %u, %u..%u ms: level %.0f", side, from_ms, to_ms, level);
}

/* --- what is heard --- */

static void test_left_and_right(void **state)
{
    (void)state;
    record_two();
    assert_int_equal(RUN("a.ogg", "b.webm", "-o", "c.ogg"), 0);
    assert_string_equal(told, "");
    assert_int_equal(hear("c.ogg"), BEGAN);
    assert_in_range(n_heard, 100 * FRAME, 100 * FRAME + 500); /* WebM has no end to the sample */
    assert_tone(0, 20, 1980, CALLER);
    assert_tone(1, 20, 1980, CALLEE);
    assert_int_equal(RUN("b.webm", "a.ogg", "-o", "d.opus"), 0);
    hear("d.opus");
    assert_tone(0, 20, 1980, CALLEE);
    assert_tone(1, 20, 1980, CALLER);
}

static void test_who_began_later(void **state)
{
    (void)state;
    for (unsigned late = 0; late < 2; late++) {
        record(&(struct recording){"a", RECORD_OGG, CALLER, 1, BEGAN + (late ? 0 : 1234567),
                                   .n = 100});
        record(&(struct recording){"b", RECORD_OGG, CALLEE, 1, BEGAN + (late ? 1234567 : 0),
                                   .n = 100});
        assert_int_equal(RUN("--force", "a", "b", "-o", "c.ogg"), 0);
        assert_int_equal(hear("c.ogg"), BEGAN);
        assert_int_equal(n_heard, 100 * FRAME + 1234567 * 48 / 1000);
        assert_silence(late, 0, 1220);
        assert_tone(late, 1250, 3200, late ? CALLEE : CALLER);
        assert_tone(!late, 20, 1980, late ? CALLER : CALLEE);
        assert_silence(!late, 2020, 3230);
    }
}

static void test_gaps(void **state)
{
    (void)state;
    record(&(struct recording){"a", RECORD_OGG, CALLER, 1, BEGAN, .n = 400, .gap = 100,
                               .gap_len = 200});
    record(&(struct recording){"b", RECORD_WEBM, CALLEE, 1, BEGAN, .n = 400, .gap = 200,
                               .gap_len = 1});
    assert_int_equal(RUN("a", "b", "-o", "c.ogg"), 0);
    hear("c.ogg");
    assert_in_range(n_heard, 400 * FRAME, 400 * FRAME + 500);
    assert_tone(0, 20, 1980, CALLER);
    assert_silence(0, 2600, 5980);
    assert_tone(0, 6100, 7980, CALLER);
    assert_tone(1, 20, 7980, CALLEE); /* one packet of it was lost */
}

/* Where a page of a mono recording ends [ms]. */
static unsigned heard_to(const uint8_t *page)
{
    return (unsigned)((page[6] | page[7] << 8 | page[8] << 16) - FILE_OPUS_PRE_SKIP) / 48;
}

/* Pages are missing: a hole in the times of what is left. */
static void test_pages_missing(void **state)
{
    (void)state;
    static uint8_t bytes[100000];
    record(&(struct recording){"a", RECORD_OGG, CALLER, 1, BEGAN, .n = 250});
    record(&(struct recording){"b", RECORD_OGG, CALLEE, 1, BEGAN, .n = 250});
    int fd = open("a", O_RDWR | O_CLOEXEC);
    size_t len = (size_t)read(fd, bytes, sizeof(bytes)), pages[40], n = 0;
    for (uint8_t *p = bytes;
         n < ARRAY_LEN(pages) && (p = memmem(p, len - (size_t)(p - bytes), "OggS", 4)); p++)
        pages[n++] = (size_t)(p - bytes);
    assert_in_range(n, 6, ARRAY_LEN(pages)); /* the first two are heads */
    size_t first = n / 3, last = 2 * n / 3;
    unsigned from = heard_to(bytes + pages[first - 1]), to = heard_to(bytes + pages[last - 1]);
    assert_true(to - from > 1000);
    assert_int_equal(pwrite(fd, bytes + pages[last], len - pages[last], (off_t)pages[first]),
                     len - pages[last]);
    assert_int_equal(ftruncate(fd, (off_t)(len - (pages[last] - pages[first]))), 0);
    close(fd);
    assert_int_equal(RUN("a", "b", "-o", "c.ogg"), 0);
    hear("c.ogg");
    assert_int_equal(n_heard, 250 * FRAME);
    assert_tone(0, 20, from, CALLER);
    assert_silence(0, from + 600, to);
    assert_tone(0, to + 100, 4900, CALLER);
}

static void test_not_told_when(void **state)
{
    (void)state;
    record(&(struct recording){"a", RECORD_OGG, CALLER, 1, BEGAN, .n = 100});
    record(&(struct recording){"b", RECORD_OGG, CALLEE, 1, 0, .n = 50});
    assert_int_equal(RUN("a", "b", "-o", "c.ogg"), 0);
    assert_told("not both recordings tell when they began");
    assert_int_equal(hear("c.ogg"), BEGAN);
    assert_int_equal(n_heard, 100 * FRAME);
    assert_tone(1, 20, 980, CALLEE);
}

/* The server was killed: what was written is whole pages or clusters. */
static void test_cut_off(void **state)
{
    (void)state;
    for (enum record_format format = RECORD_OGG; format <= RECORD_WEBM; format++) {
        record(&(struct recording){"a", format, CALLER, 1, BEGAN, .n = 230, .is_cut = true});
        record(&(struct recording){"b", format, CALLEE, 1, BEGAN, .n = 100});
        assert_int_equal(RUN("a", "b", "-o", "c.ogg", "--force"), 0);
        assert_string_equal(told, "duet mix: a: it was cut off, and is mixed as far as it goes\n");
        hear("c.ogg");
        assert_in_range(n_heard, 150 * FRAME, 230 * FRAME);
        assert_tone(0, 20, 2980, CALLER);
    }
}

/* A crash of the machine may leave zeros behind what was written. */
static void test_broken_at_the_end(void **state)
{
    (void)state;
    record_two();
    assert_int_equal(truncate("b.webm", 1000), 0);
    assert_int_equal(truncate("b.webm", 5000), 0);
    assert_int_equal(RUN("a.ogg", "b.webm", "-o", "c.ogg"), 0);
    assert_told("duet mix: b.webm: it ");
    hear("c.ogg");
    assert_tone(0, 20, 1980, CALLER);
}

/* --- what goes wrong --- */

static void assert_failed(int status, const char *why, unsigned n)
{
    assert_told(why);
    assert_int_equal(status, 1);
    assert_int_equal(n_files(), n);
}

static void test_bad_inputs(void **state)
{
    (void)state;
    record_two();
    FILE *f = fopen("text", "w");
    fputs("this is not a recording", f);
    fclose(f);
    f = fopen("empty", "w");
    fclose(f);
    assert_failed(RUN("a.ogg", "none", "-o", "c.ogg"),
                  "duet mix: none: No such file or directory\n", 4);
    assert_failed(RUN("a.ogg", "text", "-o", "c.ogg"),
                  "duet mix: text: it is neither Ogg nor WebM nor WAV\n", 4);
    assert_failed(RUN("empty", "a.ogg", "-o", "c.ogg"), "duet mix: empty: it is empty\n", 4);
    assert_failed(RUN(".", "a.ogg", "-o", "c.ogg"), "duet mix: .: Is a directory\n", 4);
    record(&(struct recording){"c", RECORD_OGG, CALLEE, 1, BEGAN + 86401 * US_PER_S, .n = 100});
    assert_failed(RUN("a.ogg", "c", "-o", "c.ogg"),
                  "duet mix: c: it began more than a day before or after the other one\n", 5);
}

/* Recordings with some bytes wrong: heard as far as it goes, or not; every sample within bounds. */
static void test_damaged(void **state)
{
    (void)state;
    static uint8_t bytes[100000];
    record_two();
    for (unsigned i = 0; i < 100; i++) {
        struct mix_leg *leg;
        float frame[FRAME];
        size_t n = FRAME;
        int fd = open(i % 2 ? "a.ogg" : "b.webm", O_RDONLY | O_CLOEXEC);
        int damaged = memfd_create("damaged", MFD_CLOEXEC);
        size_t len = (size_t)read(fd, bytes, sizeof(bytes));
        for (unsigned k = 0; k < 1 + i / 10; k++)
            bytes[(size_t)rand() % len] = (uint8_t)rand();
        assert_int_equal(write(damaged, bytes, len), len);
        assert_int_equal(lseek(damaged, 0, SEEK_SET), 0);
        int err = mix_leg_new(damaged, &leg);
        assert_true(err >= 0);
        assert_int_equal(err == 0, *mix_leg_error(leg) == 0);
        for (unsigned k = 0; !err && n == FRAME && k < 60 * 50; k++) {
            err = mix_leg_read(leg, frame, FRAME, &n);
            for (size_t m = 0; m < n; m++)
                assert_true(frame[m] > -4 && frame[m] < 4);
        }
        assert_true(err >= 0);
        mix_leg_free(leg);
        close(damaged);
        close(fd);
    }
}

static void test_output_is_there(void **state)
{
    (void)state;
    struct stat before, after;
    record_two();
    assert_int_equal(RUN("a.ogg", "b.webm", "-o", "c.ogg"), 0);
    stat("c.ogg", &before);
    assert_int_equal(before.st_mode & 0777 & ~0640U, 0);
    assert_failed(RUN("a.ogg", "b.webm", "-o", "c.ogg"),
                  "duet mix: c.ogg: it is there already; --force overwrites it\n", 3);
    stat("c.ogg", &after);
    assert_int_equal(before.st_ino, after.st_ino);
    assert_int_equal(RUN("a.ogg", "b.webm", "--force", "-o", "c.ogg"), 0);
    stat("c.ogg", &after);
    assert_int_not_equal(before.st_ino, after.st_ino);
    assert_int_equal(n_files(), 3);
    assert_int_equal(symlink("nothing.ogg", "link.ogg"), 0);
    assert_failed(RUN("a.ogg", "b.webm", "-o", "link.ogg"),
                  "duet mix: link.ogg: it is there already; --force overwrites it\n", 4);
    assert_int_equal(unlink("link.ogg"), 0);
    assert_failed(RUN("a.ogg", "b.webm", "--force", "-o", "a.ogg"),
                  "duet mix: a.ogg: it is one of the recordings\n", 3);
    assert_failed(RUN("a.ogg", "b.webm", "-o", "no/where.ogg"),
                  "duet mix: no/where.ogg: No such file or directory\n", 3);
}

/* What is done in there ends with it. @return its status as of waitpid */
static int in_a_child(void (*work)(void))
{
    int status = -1;
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        work();
        _exit(0);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    return status;
}

static void write_and_die(void)
{
    struct mix_output o;
    if (mix_output_open(&o, "c.ogg", false) == 0 && *o.temporary == 0 && write(o.fd, "c", 1) == 1)
        (void)raise(SIGKILL);
}

static void test_killed(void **state)
{
    (void)state;
    int fd = open(".", O_TMPFILE | O_WRONLY | O_CLOEXEC, 0600);
    if (fd < 0)
        skip(); /* this file system has no files without names */
    close(fd);
    int status = in_a_child(write_and_die);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
    assert_int_equal(n_files(), 0);
}

/* Without /proc a file without a name would never get one. */
static void write_without_proc(void)
{
    struct mix_output o;
    for (unsigned i = 0; i < 3; i++) {
        if (chroot(".") || mix_output_open(&o, "/c.ogg", i > 0) || *o.temporary == 0 ||
            write(o.fd, "c", 1) != 1 || (i < 2 && mix_output_finish(&o)))
            _exit(1);
        mix_output_close(&o); /* the last one was not finished */
    }
}

static void test_file_with_a_name(void **state)
{
    (void)state;
    struct stat st;
    if (geteuid() != 0)
        skip(); /* only root may chroot */
    assert_int_equal(in_a_child(write_without_proc), 0);
    assert_int_equal(n_files(), 1);
    assert_int_equal(stat("c.ogg", &st), 0);
    assert_int_equal(st.st_size, 1);
    assert_int_equal(st.st_mode & 0777 & ~0640U, 0);
}

/* The file system is full: here by a limit, which fails the same calls. */
static void test_disk_full(void **state)
{
    (void)state;
    struct rlimit before, limit;
    record_two();
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    limit = before;
    limit.rlim_cur = 4000;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
    int status = RUN("a.ogg", "b.webm", "-o", "c.ogg");
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    assert_failed(status, "duet mix: c.ogg: File too large\n", 2);
}

static void test_disk_full_errno(void **state)
{
    (void)state;
    struct mix_leg *legs[2];
    volatile sig_atomic_t is_stopping = 0;
    unsigned broken = 9;
    int fds[2] = {-1, -1}, full = open("/dev/full", O_WRONLY | O_CLOEXEC);
    record_two();
    fds[0] = open("a.ogg", O_RDONLY | O_CLOEXEC);
    fds[1] = open("b.webm", O_RDONLY | O_CLOEXEC);
    assert_int_equal(mix_leg_new(fds[0], &legs[0]), 0);
    assert_int_equal(mix_leg_new(fds[1], &legs[1]), 0);
    assert_int_equal(mix_run(legs, full, 1, &is_stopping, &broken), -ENOSPC);
    assert_int_equal(broken, 2);
    is_stopping = 1;
    assert_int_equal(mix_run(legs, fds[0], 1, &is_stopping, &broken), -EBADF); /* is read only */
    for (unsigned i = 0; i < 2; i++) {
        mix_leg_free(legs[i]);
        close(fds[i]);
    }
    close(full);
}

/* Who waits for the other end of a pipe can be told to stop. */
static void test_interrupted(void **state)
{
    (void)state;
    int status = 0;
    record_two();
    assert_int_equal(mkfifo("pipe", 0600), 0);
    pid_t mixer = fork();
    if (mixer == 0) {
        (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
        _exit(RUN("pipe", "b.webm", "-o", "c.ogg"));
    }
    int pipe_fd = open("pipe", O_WRONLY | O_CLOEXEC); /* until it is being read */
    assert_true(pipe_fd >= 0);
    while (waitpid(mixer, &status, WNOHANG) == 0) {
        assert_int_equal(kill(mixer, SIGINT), 0); /* may come before it waits */
        usleep(1000);
    }
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 1);
    close(pipe_fd);
}

static void test_usage(void **state)
{
    (void)state;
    static const struct {
        const char *argv[7], *told;
    } table[] = {
        {{NULL}, "two recordings are wanted"},
        {{"a", "-o", "c.ogg", NULL}, "two recordings are wanted"},
        {{"a", "b", NULL}, "-o FILE is missing"},
        {{"a", "b", "-o", NULL}, "-o: FILE is missing"},
        {{"a", "b", "-o", "c.ogg", "-o", "d.ogg", NULL}, "-o is given twice"},
        {{"a", "b", "c", "-o", "c.ogg", NULL}, "more than two recordings: c"},
        {{"a", "b", "-o", "c.mp3", NULL}, "only .ogg and .opus can be written: c.mp3"},
        {{"a", "b", "-o", ".ogg", NULL}, "only .ogg and .opus can be written: .ogg"},
        {{"a", "b", "-x", NULL}, "unknown argument: -x"},
        {{"--", "a", "b", "-o", "c.ogg", NULL}, "more than two recordings: -o"},
    };
    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        assert_int_equal(run(table[i].argv), 2);
        assert_told(table[i].told);
    }
    assert_int_equal(RUN("--help"), 0);
    assert_told("duet mix CALLER CALLEE -o FILE");
}

static void test_no_memory(void **state)
{
    (void)state;
    record_two();
    int status = 1;
    unsigned n = 0;
    while (status && n < 100) {
        mem_fail_at(++n);
        status = RUN("a.ogg", "b.webm", "-o", "c.ogg");
        mem_fail_at(0);
        if (status)
            assert_failed(status, "Cannot allocate memory", 2);
    }
    assert_in_range(n, 10, 99);
}

/* Ten minutes, most of them silence: to the sample. */
static void test_ten_minutes(void **state)
{
    (void)state;
    record(&(struct recording){"a", RECORD_OGG, CALLER, 1, BEGAN, .n = 100});
    record(&(struct recording){"b", RECORD_OGG, CALLEE, 1, BEGAN + 600 * US_PER_S, .n = 100});
    assert_int_equal(RUN("a", "b", "-o", "c.ogg"), 0);
    int fd = open("c.ogg", O_RDONLY | O_CLOEXEC);
    struct mix_leg *leg;
    float frame[FRAME];
    size_t n;
    uint64_t all = 0;
    assert_int_equal(mix_leg_new(fd, &leg), 0);
    do {
        assert_int_equal(mix_leg_read(leg, frame, FRAME, &n), 0);
        all += n;
    } while (n == FRAME);
    assert_int_equal(all, (uint64_t)602 * PLAY_RATE);
    mix_leg_free(leg);
    close(fd);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_left_and_right),
        TEST(test_who_began_later),
        TEST(test_gaps),
        TEST(test_pages_missing),
        TEST(test_not_told_when),
        TEST(test_cut_off),
        TEST(test_broken_at_the_end),
        TEST(test_bad_inputs),
        TEST(test_damaged),
        TEST(test_output_is_there),
        TEST(test_killed),
        TEST(test_file_with_a_name),
        TEST(test_disk_full),
        TEST(test_disk_full_errno),
        TEST(test_interrupted),
        TEST(test_usage),
        TEST(test_no_memory),
        TEST(test_ten_minutes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
