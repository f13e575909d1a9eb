/* fuzz: duet_net */
/*
 * Paths of requests: whatever they are, only a file of the page is found, under its own name.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "net/files.h"
#include "net/web_files.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct net_files embedded = {.root = -1};
    /* A folder that has files beside it which must not be reached. */
    static struct net_files folder = {.root = -1};
    struct net_file file;
    struct str path = {(const char *)data, size};

    if (folder.root < 0) {
        char error[512];
        if (net_files_init(&folder, "/usr/share", error) != 0)
            abort();
    }
    if (net_files_open(&embedded, path, &file) == 0) {
        if (!file.data || file.fd != -1 || size == 0 || data[0] != '/')
            abort();
    }
    if (net_files_open(&folder, path, &file) == 0) {
        struct net_files copy = {.root = file.fd};
        if (file.fd < 0 || memmem(data, size, "/.", 2) || memchr(data, 0, size))
            abort();
        net_files_deinit(&copy); /* closes */
    }
    return 0;
}
