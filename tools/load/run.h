/**
 * The course of a run: register everybody, place calls, hold, hang up, again; or churn.
 */
#ifndef LOAD_RUN_H
#define LOAD_RUN_H

#include "dtls/identity.h"
#include "load/call.h"
#include "load/options.h"
#include "load/proc.h"

enum run_phase {
    RUN_REGISTERING,
    RUN_DIALLING, /**< placing calls until all are up or failed */
    RUN_HOLDING,  /**< everybody talks: the steady state */
    RUN_HANGING_UP,
    RUN_CHURNING,
    RUN_SETTLING, /**< WebSockets closed: what the server keeps is measured */
    RUN_DONE,
};

/** Samples of the server that the report shows. */
enum run_moment {
    RUN_BEFORE,     /**< nobody connected */
    RUN_REGISTERED, /**< all registered, no call yet */
    RUN_STEADY,     /**< end of the first steady state */
    RUN_LAST,       /**< end of the last one */
    RUN_HUNG_UP,    /**< after the last round, everybody still registered */
    RUN_AFTER,      /**< nobody connected */
    RUN_MOMENTS,
};

struct run {
    const struct options *options;
    struct stats stats;
    struct loop loop;
    struct rng rng;
    struct dtls_identity identity;
    struct call_env env;
    struct call *calls; /**< owned */
    size_t n_calls;

    enum run_phase phase;
    mono_us started_at, phase_at; /**< since when */
    unsigned round;               /**< counted from 0 */
    size_t n_dialled;             /**< of this round; churning: all */
    mono_us dial_at;              /**< when the next call is placed */
    size_t cursor;                /**< churning: where to look for a free pair */
    mono_us alive_at;             /**< begin of the current round of keeping sessions alive */
    size_t n_alive;               /**< calls that had their turn in it */
    struct loop_timer timer;
    mono_us progress_at;
    uint64_t progress_received;
    struct proc_sample progress_sample;

    struct proc_sample moments[RUN_MOMENTS];
    unsigned max_up; /**< calls up at the same time */
    /* sums over the steady states */
    struct proc_sample steady_begin;
    mono_us own_cpu_begin;
    uint64_t received_begin;
    mono_us steady_us, server_cpu_us, server_main_cpu_us, own_cpu_us;
    uint64_t steady_packets;
};

/** @return 0, or 2 after telling on standard error what is wrong */
MUST_CHECK int run_init(struct run *run, const struct options *options);
void run_deinit(struct run *run);

/** Until it is over or *stop is set. */
void run_all(struct run *run, const volatile bool *stop);

#endif
