/* fuzz: duet_rtpsec duet_rtp duet_base */
/* What arrives on the wire at a receiving session, both profiles, both providers. Without the key
 * nothing may authenticate, and the session must be as before. Then the same bytes as a plain
 * packet: what is protected must come back. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "rtp/packet.h"
#include "rtpsec/session.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define N_SESSIONS 4

static struct session {
    struct rtpsec_provider *p;
    struct rtpsec_rx rx;
    struct rtpsec_tx tx;
} sessions[N_SESSIONS];

static const uint8_t key[RTPSEC_KEY_LEN] = {1}, salt[RTPSEC_MAX_SALT_LEN] = {2};

static enum rtpsec_profile profile_of(size_t i)
{
    return i % 2 ? RTPSEC_AEAD_AES_128_GCM : RTPSEC_AES_CM_128_HMAC_SHA1_80;
}

static void reset(struct session *s, enum rtpsec_profile profile)
{
    rtpsec_rx_deinit(&s->rx);
    rtpsec_tx_deinit(&s->tx);
    if (rtpsec_rx_init(&s->rx, s->p, profile, key, salt) ||
        rtpsec_tx_init(&s->tx, s->p, profile, key, salt))
        abort();
}

static void init(void)
{
    for (size_t i = 0; i < N_SESSIONS; i++) {
        if (sessions[i].p)
            return;
        sessions[i].p =
            rtpsec_provider_new(i < 2 ? RTPSEC_PROVIDER_EVP : RTPSEC_PROVIDER_AUTO, NULL);
        if (!sessions[i].p)
            abort();
        reset(&sessions[i], profile_of(i));
    }
}

/* An exact copy, so that one byte too far is seen. */
static uint8_t *copy(const uint8_t *data, size_t len, size_t room)
{
    uint8_t *p = malloc(len + room ? len + room : 1);
    if (!p)
        abort();
    memcpy(p, data, len);
    return p;
}

static void receive(struct session *s, const uint8_t *data, size_t size)
{
    struct rtpsec_rx before = s->rx;
    size_t len = size;
    uint8_t *p = copy(data, size, 0);
    assert(rtpsec_unprotect_rtp(&s->rx, s->p, p, &len) > 0);
    memcpy(p, data, size);
    assert(rtpsec_unprotect_rtcp(&s->rx, s->p, p, &len) > 0);
    assert(len == size && memcmp(&before, &s->rx, sizeof(before)) == 0);
    free(p);
}

static void go_round(struct session *s, const uint8_t *data, size_t size)
{
    size_t len = size;
    uint8_t *p = copy(data, size, RTPSEC_RTP_OVERHEAD);
    if (rtpsec_protect_rtp(&s->tx, s->p, p, &len, size + RTPSEC_RTP_OVERHEAD) == 0) {
        int err = rtpsec_unprotect_rtp(&s->rx, s->p, p, &len);
        assert(err == 0 && len == size && memcmp(p, data, size) == 0);
    }
    free(p);
    len = size;
    p = copy(data, size, RTPSEC_RTCP_OVERHEAD);
    if (rtpsec_protect_rtcp(&s->tx, s->p, p, &len, size + RTPSEC_RTCP_OVERHEAD) == 0) {
        int err = rtpsec_unprotect_rtcp(&s->rx, s->p, p, &len);
        assert(err == 0 && len == size && memcmp(p, data, size) == 0);
    }
    free(p);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size > 4096)
        return 0;
    init();
    for (size_t i = 0; i < N_SESSIONS; i++) {
        receive(&sessions[i], data, size);
        go_round(&sessions[i], data, size);
        reset(&sessions[i], profile_of(i));
    }
    return 0;
}
