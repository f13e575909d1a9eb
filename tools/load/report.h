/**
 * What a run found, for people and for programs.
 */
#ifndef LOAD_REPORT_H
#define LOAD_REPORT_H

#include "load/run.h"

/** A table on standard output. */
void report_print(const struct run *run);

/** @return false: the file cannot be written, which was told on standard error */
MUST_CHECK bool report_write_json(const struct run *run, const char *path);

#endif
