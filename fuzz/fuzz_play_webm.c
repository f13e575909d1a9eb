/* fuzz: duet_play duet_base */
/* WebM and Matroska. */
#include "play.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    play_read_twice(data, size);
    return 0;
}
