/* fuzz: duet_options
 * A settings file of any bytes: it is read or refused; what it sets is within range. */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>

#include "server/config.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct options options;
    struct config config;
    options_init(&options);
    config_init(&config, &options);
    if (config_set_defaults(&config))
        abort();
    if (config_read_yaml(&config, "fuzz", (struct str){(const char *)data, size}))
        abort();
    config_check(&config);
    assert(options.media_tick_us <= 10000);
    assert(options.call_ring_timeout >= US_PER_S);
    assert(options.media_external_ip.n <= 2);
    for (const char *p = config.report.p; p && *p; p++)
        assert((unsigned char)*p >= 0x20 || *p == '\n');
    config_deinit(&config);
    options_deinit(&options);
    return 0;
}
