/* fuzz: duet_rtp duet_base */
/* RTP framing and header extensions. First 16 bytes: the translation table (repeated); the rest: a
 * packet. What the parser says must lie inside the packet, and a translation must leave only what
 * the table let through. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "rtp/extension.h"
#include "rtp/packet.h"
#include "rtp/recv_stats.h"
#include "rtp/translate.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_translation(uint8_t *packet, size_t len, struct rtp_packet *p,
                              const uint8_t map[256])
{
    unsigned left = rtp_extensions_translate(packet, p, map);
    struct rtp_extension_iter it = rtp_extensions(packet, p);
    unsigned n = 0;
    for (struct rtp_extension e; rtp_extension_next(&it, &e); n++)
        assert(e.data >= packet && e.data + e.len <= packet + len && e.id != 0);
    assert(n == left);
    struct rtp_packet again;
    assert(rtp_parse(packet, len, &again) == 0);
    assert(again.header_len == p->header_len && again.payload_len == p->payload_len);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 16)
        return 0;
    uint8_t map[256];
    for (size_t i = 0; i < sizeof(map); i++)
        map[i] = data[i % 16];
    size_t len = size - 16;
    uint8_t *packet = malloc(len ? len : 1);
    if (!packet)
        return 0;
    memcpy(packet, data + 16, len);

    struct rtp_packet p;
    assert(!(rtp_is_rtp(packet, len) && rtp_is_rtcp(packet, len)));
    if (rtp_parse(packet, len, &p) == 0) {
        assert(p.header_len + p.payload_len + p.padding_len == len);
        assert(p.extension_offset + p.extension_len <= p.header_len);
        struct rtp_audio_level level;
        (void)rtp_audio_level_read(packet, &p, data[0], &level);
        check_translation(packet, len, &p, map);

        struct rtp_translator t;
        uint16_t seq;
        uint32_t ts;
        rtp_translator_init(&t, 1, 2, 3);
        int err = rtp_translate(&t, p.ssrc, p.seq, p.timestamp, 5, 48000, &seq, &ts);
        assert(err == 0 && seq == 2 && ts == 3);
        struct rtp_recv_stats s;
        rtp_recv_stats_init(&s, p.ssrc, 48000, 0);
        for (size_t i = p.header_len; i + 6 <= len; i += 6) {
            mono_us now = (mono_us)i * 1000;
            err = rtp_translate(&t, packet[i], get_be16(packet + i), get_be32(packet + i + 2), now,
                                48000, &seq, &ts);
            (void)rtp_recv_stats_packet(&s, get_be16(packet + i), get_be32(packet + i + 2), now);
        }
    }
    free(packet);
    return 0;
}
