/* fuzz: duet_play duet_base */
/* WAV; of what can be heard only the beginning, for encoding takes its time. */
#include "play.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    play_read_twice(data, size < 8192 ? size : 8192);
    return 0;
}
