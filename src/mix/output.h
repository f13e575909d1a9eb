/**
 * A file that appears under its name when it is whole, or not at all. Where the file system can
 * (O_TMPFILE) nothing else appears either, however the process ends. Private to src/mix.
 */
#ifndef MIX_OUTPUT_H
#define MIX_OUTPUT_H

#include <limits.h>
#include <stdbool.h>

#include "base/compiler.h"

/** Embedded in its owner. */
struct mix_output {
    const char *name; /**< borrowed */
    int fd;           /**< public: write here; -1 = not open */
    bool may_replace;
    char temporary[PATH_MAX]; /**< its name until then; "" = it has none */
};

/**
 * Open a file in the folder of the one that it will be.
 *
 * @param name         borrowed until close
 * @param may_replace  what stands under the name is overwritten
 *
 * @return 0, or a negative errno: EEXIST it is there already; ENAMETOOLONG, ENOENT, EACCES, …
 */
MUST_CHECK int mix_output_open(struct mix_output *o, const char *name, bool may_replace);

/** Give it its name, once all of it is on the disk. @return 0 or a negative errno, as above */
MUST_CHECK int mix_output_finish(struct mix_output *o);

/** Unless it was finished nothing is left of it. */
void mix_output_close(struct mix_output *o);

#endif
