/* fuzz: duet_file duet_base */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "file/place.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What is accepted is a short relative path: terminated, not empty, of a file. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char path[FILE_PATH_MAX];
    if (file_place_parse((struct str){(const char *)data, size}, STR("/srv/rec"), path))
        return 0;
    size_t len = strnlen(path, sizeof(path));
    if (len == 0 || len == sizeof(path) || path[0] == '/' || path[len - 1] == '/')
        abort();
    return 0;
}
