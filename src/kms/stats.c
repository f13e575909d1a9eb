/* getStats: a map of objects, of which "inboundrtp" and "outboundrtp" concern us. */
#include "kms/stats.h"

#include <string.h>

/** More than any counter or time of a call: what is beyond makes no sense. */
#define NUMBER_MAX 4e9

static double number(const json_t *object, const char *name)
{
    double value = json_number_value(json_object_get(object, name));
    return value > 0 && value < NUMBER_MAX ? value : 0; /* not a number is neither */
}

static mono_us seconds(const json_t *object, const char *name)
{
    double value = number(object, name);
    return value < 3600 ? (mono_us)(value * (double)US_PER_S) : 0;
}

static bool is_of_type(const json_t *object, const char *type)
{
    const char *is = json_string_value(json_object_get(object, "type"));
    return is && strcmp(is, type) == 0;
}

void kms_stats_read(const json_t *value, struct kms_stats *ret)
{
    const json_t *object;
    *ret = (struct kms_stats){0};
    for (void *at = json_object_iter((json_t *)(uintptr_t)value); at;
         at = json_object_iter_next((json_t *)(uintptr_t)value, at)) {
        object = json_object_iter_value(at);
        if (is_of_type(object, "inboundrtp")) {
            ret->has_up = true;
            ret->received += (uint32_t)number(object, "packetsReceived");
            ret->lost_up += (uint32_t)number(object, "packetsLost");
            ret->jitter_up = seconds(object, "jitter");
        } else if (is_of_type(object, "outboundrtp")) {
            ret->has_down = true;
            ret->sent += (uint32_t)number(object, "packetsSent");
            ret->lost_down += (uint32_t)number(object, "packetsLost");
            ret->jitter_down = seconds(object, "jitter");
            ret->rtt = seconds(object, "roundTripTime");
        }
    }
}

static void keep_most(uint32_t *most, uint32_t now)
{
    if (now > *most)
        *most = now;
}

void kms_stats_fill(const struct kms_stats *own, const struct kms_stats *other, mono_us now,
                    struct kms_stats_memory *memory, struct peer_figures *ret)
{
    uint32_t lost_down = own->lost_down > other->lost_up ? own->lost_down - other->lost_up : 0;
    if (own->received > memory->received || memory->heard_at < memory->connected_at)
        memory->heard_at = now;
    keep_most(&memory->received, own->received);
    keep_most(&memory->lost_up, own->lost_up);
    keep_most(&memory->lost_down, lost_down);
    *ret = (struct peer_figures){
        .at = now,
        .connected_at = memory->connected_at,
        .has_rtt = own->rtt > 0,
        .rtt = own->rtt,
        .up = {.is_wanted = true,
               .has_source = own->has_up,
               .packets = memory->received,
               .heard_at = memory->heard_at,
               .counts = {.expected = memory->received + memory->lost_up, .lost = memory->lost_up},
               .has_jitter = own->has_up,
               .jitter = own->jitter_up},
        .down = {.is_wanted = true,
                 .packets = own->sent,
                 .delivery = {.expected = own->sent, .lost = memory->lost_down},
                 .is_reported = own->has_down,
                 .jitter = own->jitter_down},
    };
}
