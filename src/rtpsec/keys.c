/* What differs between the profiles: see the header. */
#include "rtpsec/keys.h"

/* RFC 3711 §8.2 and RFC 7714 §12: what the master salt of a profile measures [bytes]. */
static const struct {
    enum rtpsec_profile profile;
    size_t salt_len;
} profiles[] = {
    {RTPSEC_AEAD_AES_128_GCM, 12},
    {RTPSEC_AES_CM_128_HMAC_SHA1_80, 14},
};

size_t rtpsec_salt_len(enum rtpsec_profile profile)
{
    for (size_t i = 0; i < ARRAY_LEN(profiles); i++) {
        if (profiles[i].profile == profile)
            return profiles[i].salt_len;
    }
    return 0;
}
