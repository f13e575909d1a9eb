/* Opus parameters: a table of names and ranges. What is written is made from the numbers, so
 * nothing that another client wrote is copied as text.
 */
#include "sdp/opus.h"

#include "sdp/attr.h"

static const struct {
    const char *name;
    uint32_t min, max;
} rows[SDP_OPUS_N_PARAMS] = {
    [SDP_OPUS_MINPTIME] = {"minptime", 3, 120},
    [SDP_OPUS_MAXPLAYBACKRATE] = {"maxplaybackrate", 8000, 48000},
    [SDP_OPUS_SPROP_MAXCAPTURERATE] = {"sprop-maxcapturerate", 8000, 48000},
    [SDP_OPUS_MAXAVERAGEBITRATE] = {"maxaveragebitrate", 6000, 510000},
    [SDP_OPUS_STEREO] = {"stereo", 0, 1},
    [SDP_OPUS_SPROP_STEREO] = {"sprop-stereo", 0, 1},
    [SDP_OPUS_CBR] = {"cbr", 0, 1},
    [SDP_OPUS_USEINBANDFEC] = {"useinbandfec", 0, 1},
    [SDP_OPUS_USEDTX] = {"usedtx", 0, 1},
};

static void take(struct sdp_opus *o, struct str name, struct str value)
{
    uint64_t number;
    for (size_t i = 0; i < SDP_OPUS_N_PARAMS; i++) {
        if (!str_caseeq(name, str_of(rows[i].name)))
            continue;
        if (!str_to_u64(value, rows[i].max, &number) || number < rows[i].min)
            return;
        o->given[i] = true;
        o->value[i] = (uint32_t)number;
    }
}

struct sdp_opus sdp_opus_parse(struct str fmtp)
{
    struct sdp_opus o = {0};
    struct str name, value;
    while (sdp_fmtp_next(&fmtp, &name, &value))
        take(&o, name, value);
    return o;
}

void sdp_opus_write(struct text *t, uint8_t pt, const struct sdp_opus *o)
{
    bool first = true;
    for (size_t i = 0; i < SDP_OPUS_N_PARAMS; i++) {
        if (!o->given[i])
            continue;
        if (first)
            text_printf(t, "a=fmtp:%u ", (unsigned)pt);
        text_printf(t, "%s%s=%u", first ? "" : ";", rows[i].name, (unsigned)o->value[i]);
        first = false;
    }
    if (!first)
        text_put(t, STR("\r\n"));
}
