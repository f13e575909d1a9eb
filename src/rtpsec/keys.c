/* Splitting exported keying material: one table of profiles, one walk. */
#include "rtpsec/keys.h"

#include <errno.h>
#include <string.h>

#include "base/mem.h"

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

size_t rtpsec_material_len(enum rtpsec_profile profile)
{
    size_t salt_len = rtpsec_salt_len(profile);
    return salt_len ? 2 * (RTPSEC_KEY_LEN + salt_len) : 0;
}

int rtpsec_keys_split(enum rtpsec_profile profile, const uint8_t *material, size_t len,
                      struct rtpsec_keys *ret)
{
    size_t salt_len = rtpsec_salt_len(profile);
    if (salt_len == 0 || len != rtpsec_material_len(profile))
        return -EINVAL;
    *ret = (struct rtpsec_keys){.profile = profile};
    memcpy(ret->client.key, material, RTPSEC_KEY_LEN);
    memcpy(ret->server.key, material + RTPSEC_KEY_LEN, RTPSEC_KEY_LEN);
    memcpy(ret->client.salt, material + 2 * (size_t)RTPSEC_KEY_LEN, salt_len);
    memcpy(ret->server.salt, material + 2 * (size_t)RTPSEC_KEY_LEN + salt_len, salt_len);
    return 0;
}

void rtpsec_keys_wipe(struct rtpsec_keys *keys)
{
    mem_wipe(keys, sizeof(*keys));
}
