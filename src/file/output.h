/** Bytes into a file, all of them or an error. */
#ifndef FILE_OUTPUT_H
#define FILE_OUTPUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"

/** @return 0, or the negative errno of write(2): ENOSPC, EDQUOT, EIO, … */
MUST_CHECK int file_output_append(int fd, const void *data, size_t len);

/** Over what is there. @param offset  from the file's beginning @return as above */
MUST_CHECK int file_output_patch(int fd, uint64_t offset, const void *data, size_t len);

/** Is there still a name that leads to this file? A deleted one takes bytes for nobody. */
bool file_output_has_name(int fd);

#endif
