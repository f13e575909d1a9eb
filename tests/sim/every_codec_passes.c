/* Payloads of every codec that two browsers have in common, and what goes along with one: each
 * arrives untouched under the payload type of the leg that hears it, whatever the sender's was.
 *
 * The payload types are those that real offers lead to (tests/data/sdp). */
#include <stdio.h>
#include <string.h>

#include "peer/negotiate.h"
#include "sim/bench/bench.h"

static void load(const char *name, char *buf, size_t size, struct sdp *ret)
{
    char path[512];
    (void)snprintf(path, sizeof(path), "%s/sdp/%s.sdp", DUET_TEST_DATA, name);
    FILE *f = fopen(path, "rb");
    if (!f)
        fail_msg("%s is missing", path);
    size_t len = fread(buf, 1, size, f);
    (void)fclose(f);
    assert_int_equal(sdp_parse(ret, (struct str){buf, len}, NULL), 0);
}

static struct bench_browser browser_of(const struct sdp *offer, const struct codec_set *set)
{
    static char answer[NEGOTIATE_ANSWER_MAX];
    const struct negotiate_local local = {
        .ufrag = STR("abcd"), .pwd = STR("0123456789012345678901"), .ssrc = 1, .cname = STR("c")};
    struct bench_browser browser = bench_firefox;
    struct peer_params p;
    struct text t;
    text_init(&t, answer, sizeof(answer));
    assert_int_equal(negotiate_answer(offer, set, &local, &p, &t, NULL), 0);
    memcpy(browser.codecs, p.codecs, sizeof(browser.codecs));
    browser.n_codecs = p.n_codecs;
    browser.level_ext = p.ext_recv[PEER_EXT_AUDIO_LEVEL];
    browser.transport_ext = p.ext_recv[PEER_EXT_TRANSPORT_CC];
    return browser;
}

/* A call between two that made these offers. */
static struct bench *call_of(const char *a, const char *b)
{
    static char buf[2][32768];
    struct sdp s[2];
    struct codec_set sets[2];
    load(a, buf[0], sizeof(buf[0]), &s[0]);
    load(b, buf[1], sizeof(buf[1]), &s[1]);
    assert_int_equal(negotiate_common(&s[0], &s[1], &sets[0]), 0);
    assert_int_equal(negotiate_common(&s[1], &s[0], &sets[1]), 0);
    const struct bench_browser browsers[2] = {browser_of(&s[0], &sets[0]),
                                              browser_of(&s[1], &sets[1])};
    struct bench *bench = bench_new();
    bench_set_up(bench, browsers);
    assert_true(bench_connect(bench, 5 * US_PER_S));
    sdp_deinit(&s[0]);
    sdp_deinit(&s[1]);
    return bench;
}

static uint8_t place_of(const struct bench *b, enum codec_id id, uint32_t clock_rate)
{
    const struct peer *p = b->browsers[0];
    for (uint8_t i = 0; i < p->n_codecs; i++) {
        if (p->codecs[i].id == id && p->codecs[i].clock_rate == clock_rate)
            return i;
    }
    fail_msg("codec %d/%u was not negotiated", id, (unsigned)clock_rate);
    return 0;
}

static void send_frame(struct bench *b, uint8_t codec, uint16_t seq, uint32_t timestamp,
                       bool marker, const uint8_t *payload, size_t len)
{
    const struct bench_packet packet = {
        .ssrc = 0xaaaa,
        .seq = seq,
        .timestamp = timestamp,
        .codec = codec,
        .marker = marker,
        .payload = payload,
        .len = len,
    };
    unsigned before = b->n_rtp[1];
    bench_send_packet(b, 0, &packet);
    bench_run(b, b->now + 20 * US_PER_MS);
    assert_int_equal(b->n_rtp[1], before + 1);
    const struct bench_rtp *got = &b->last_rtp[1];
    assert_int_equal(got->packet.pt, b->browsers[1]->codecs[codec].pt);
    assert_int_equal(got->packet.marker, marker);
    assert_int_equal(got->packet.payload_len, len);
    assert_memory_equal(got->data + got->packet.header_len, payload, len);
}

static void each_under_the_other_legs_number(void **state)
{
    static const char *const pairs[][2] = {
        {"chromium_audio", "firefox_audio"},  {"firefox_audio", "chromium_audio"},
        {"chromium_audio", "safari12_audio"}, {"kurento_utils_av", "safari17_audio"},
        {"chromium_audio", "pcmu_device"},    {"werift_audio", "chromium_av"},
    };
    (void)state;
    unsigned differ = 0;
    for (size_t i = 0; i < ARRAY_LEN(pairs); i++) {
        struct bench *b = call_of(pairs[i][0], pairs[i][1]);
        uint16_t seq = 1;
        for (uint8_t c = 0; c < b->browsers[0]->n_codecs; c++, seq++) {
            uint8_t payload[60];
            memset(payload, c, sizeof(payload));
            send_frame(b, c, seq, seq * 160u, false, payload, sizeof(payload));
            differ += b->browsers[0]->codecs[c].pt != b->browsers[1]->codecs[c].pt;
        }
        bench_free(b);
    }
    assert_true(differ >= 5); /* otherwise nothing was shown */
}

/* RFC 4733 §2.5.1: one timestamp for all packets of a key, a duration that grows, the marker on the
 * first, the end bit on three copies of the last; the audio goes on behind it. */
static void press_a_key(struct bench *b, uint8_t audio, uint8_t event, uint32_t frame)
{
    uint8_t voice[80] = {0x78};
    uint16_t seq = 65530; /* over the wrap */
    uint32_t ts = 5 * frame;
    for (unsigned n = 0; n < 5; n++, seq++)
        send_frame(b, audio, seq, n * frame, false, voice, sizeof(voice));
    uint32_t key_at = b->last_rtp[1].packet.timestamp + frame;
    uint16_t key_seq = (uint16_t)(b->last_rtp[1].packet.seq + 1);
    for (unsigned n = 0; n < 12; n++, seq++) {
        unsigned duration = (n < 9 ? n + 1 : 10) * frame;
        uint8_t key[4] = {5, (uint8_t)(10 | (n >= 9 ? 0x80 : 0)), (uint8_t)(duration >> 8),
                          (uint8_t)duration};
        send_frame(b, event, seq, ts, n == 0, key, sizeof(key));
        assert_int_equal(b->last_rtp[1].packet.timestamp, key_at);
        assert_int_equal(b->last_rtp[1].packet.seq, (uint16_t)(key_seq + n));
    }
    for (unsigned n = 0; n < 5; n++, seq++)
        send_frame(b, audio, seq, ts + (12 + n) * frame, n == 0, voice, sizeof(voice));
    assert_int_equal(b->last_rtp[1].packet.timestamp, key_at + 16 * frame);
    /* a key that is held is neither loss nor jitter of the line */
    const struct peer *leg = bench_leg(b, 0);
    assert_int_equal(rtp_recv_stats_lost(&leg->source), 0);
    assert_true(rtp_recv_stats_jitter(&leg->source) < frame / 20);
    assert_int_equal(leg->repair.nack.lost, 0);
}

static void keys_at_the_clock_of_opus(void **state)
{
    (void)state;
    struct bench *b = call_of("chromium_audio", "safari17_audio");
    press_a_key(b, 0, place_of(b, CODEC_TELEPHONE_EVENT, 48000), 960);
    bench_free(b);
}

static void keys_at_the_clock_of_a_telephone(void **state)
{
    (void)state;
    struct bench *b = call_of("chromium_audio", "firefox_audio");
    /* the source is what its first packet says: PCMU */
    press_a_key(b, place_of(b, CODEC_PCMU, 8000), place_of(b, CODEC_TELEPHONE_EVENT, 8000), 160);
    bench_free(b);
}

/* RFC 3389: instead of silent frames one description of the noise, now and then. */
static void comfort_noise_fills_a_silence(void **state)
{
    (void)state;
    struct bench *b = call_of("chromium_audio", "safari17_audio");
    uint8_t voice = place_of(b, CODEC_PCMU, 8000), noise = place_of(b, CODEC_CN, 8000);
    uint8_t frame[160] = {0xff};
    static const uint8_t level[] = {70};
    uint16_t seq = 1;
    uint32_t ts = 0;
    send_frame(b, voice, seq++, ts, true, frame, sizeof(frame));
    uint32_t first = b->last_rtp[1].packet.timestamp;
    uint16_t first_seq = b->last_rtp[1].packet.seq;
    for (unsigned n = 0; n < 10; n++) {
        ts += 160;
        send_frame(b, noise, seq++, ts, false, level, sizeof(level));
        bench_run(b, b->now + 180 * US_PER_MS); /* nothing for nine frames */
        ts += 9 * 160;
    }
    send_frame(b, voice, seq++, ts + 160, true, frame, sizeof(frame));
    assert_int_equal(b->last_rtp[1].packet.timestamp, first + ts + 160);
    assert_int_equal(b->last_rtp[1].packet.seq, (uint16_t)(first_seq + 11));
    bench_free(b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_under_the_other_legs_number),
        cmocka_unit_test(keys_at_the_clock_of_opus),
        cmocka_unit_test(keys_at_the_clock_of_a_telephone),
        cmocka_unit_test(comfort_noise_fills_a_silence),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
