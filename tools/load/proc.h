/**
 * What /proc says of a process.
 */
#ifndef LOAD_PROC_H
#define LOAD_PROC_H

#include <stdbool.h>
#include <stdint.h>

#include "base/compiler.h"
#include "base/time.h"

struct proc_sample {
    bool is_valid;
    mono_us at;
    int64_t cpu_us;      /**< user and system, all threads */
    int64_t main_cpu_us; /**< of the first thread: signaling, in Duet */
    int64_t rss_kb;
    int64_t hwm_kb; /**< highest rss so far */
    int64_t threads;
    int64_t descriptors; /**< -1 = not allowed to look */
};

/** @param pid 0 = none: the sample is not valid */
struct proc_sample proc_read(int pid);

#endif
