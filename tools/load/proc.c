/* CPU time comes from the scheduler's account of each thread, in nanoseconds; /proc/PID/stat counts
 * hundredths of a second. Threads that have ended are missing from it, so it is for servers that
 * keep theirs. */
#include "load/proc.h"

#include <dirent.h>
#include <stdio.h>
#include <string.h>

#include "load/loop.h"

static int64_t thread_cpu_ns(int pid, const char *thread)
{
    char path[64];
    unsigned long long ns = 0;
    (void)snprintf(path, sizeof(path), "/proc/%d/task/%.16s/schedstat", pid, thread);
    FILE *f = fopen(path, "re");
    if (!f)
        return 0;
    if (fscanf(f, "%llu", &ns) != 1)
        ns = 0;
    (void)fclose(f);
    return (int64_t)ns;
}

/* @return number of entries, -1 = not allowed */
static int64_t count_entries(int pid, const char *folder)
{
    char path[64];
    int64_t n = 0;
    (void)snprintf(path, sizeof(path), "/proc/%d/%s", pid, folder);
    DIR *dir = opendir(path);
    if (!dir)
        return -1;
    for (struct dirent *entry; (entry = readdir(dir));) {
        if (entry->d_name[0] == '.')
            continue;
        n++;
    }
    (void)closedir(dir);
    return n;
}

static void read_threads(int pid, struct proc_sample *ret)
{
    char path[64], main_thread[16];
    int64_t cpu_ns = 0;
    (void)snprintf(path, sizeof(path), "/proc/%d/task", pid);
    (void)snprintf(main_thread, sizeof(main_thread), "%d", pid);
    DIR *dir = opendir(path);
    if (!dir)
        return;
    for (struct dirent *entry; (entry = readdir(dir));) {
        if (entry->d_name[0] == '.')
            continue;
        int64_t ns = thread_cpu_ns(pid, entry->d_name);
        cpu_ns += ns;
        if (strcmp(entry->d_name, main_thread) == 0)
            ret->main_cpu_us = ns / 1000;
        ret->threads++;
    }
    (void)closedir(dir);
    ret->cpu_us = cpu_ns / 1000;
}

static bool read_memory(int pid, struct proc_sample *ret)
{
    char path[64], line[256];
    long long kb;
    (void)snprintf(path, sizeof(path), "/proc/%d/status", pid);
    FILE *f = fopen(path, "re");
    if (!f)
        return false;
    while (fgets(line, sizeof(line), f)) {
        if (sscanf(line, "VmRSS: %lld", &kb) == 1)
            ret->rss_kb = kb;
        else if (sscanf(line, "VmHWM: %lld", &kb) == 1)
            ret->hwm_kb = kb;
    }
    (void)fclose(f);
    return true;
}

struct proc_sample proc_read(int pid)
{
    struct proc_sample s = {.at = loop_now()};
    if (pid <= 0 || !read_memory(pid, &s))
        return s;
    read_threads(pid, &s);
    s.descriptors = count_entries(pid, "fd");
    s.is_valid = s.threads > 0;
    return s;
}
