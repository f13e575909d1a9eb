/* write(2) and pwrite(2) until all is written: see the header. */
#include "file/output.h"

#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

int file_output_append(int fd, const void *data, size_t len)
{
    const uint8_t *p = data;
    while (len) {
        ssize_t n = write(fd, p, len);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return n ? -errno : -EIO;
        p += n;
        len -= (size_t)n;
    }
    return 0;
}

int file_output_patch(int fd, uint64_t offset, const void *data, size_t len)
{
    const uint8_t *p = data;
    while (len) {
        ssize_t n = pwrite(fd, p, len, (off_t)offset);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return n ? -errno : -EIO;
        p += n;
        offset += (uint64_t)n;
        len -= (size_t)n;
    }
    return 0;
}

bool file_output_has_name(int fd)
{
    struct stat st;
    return fstat(fd, &st) || st.st_nlink > 0;
}
