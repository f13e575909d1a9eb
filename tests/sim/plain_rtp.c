/* One end of plain RTP in virtual time: whose packets count, where ours go, when RTCP is sent. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "peer/plain.h"

#define OPUS_PT   96
#define EVENT_PT  101
#define FIRST_SEQ 7
#define OUR_SSRC  1
#define HER_SSRC  2
#define FRAME     (20 * US_PER_MS)
#define TICKS     960u

struct world {
    mono_us now;
    struct rng rng;
    struct peer_env env;
    struct plain_params params;
    struct plain_local local;
    struct plain plain;
    struct addr her, her_rtcp, stranger;
    uint16_t seq, our_seq;
    uint32_t timestamp;
    unsigned n_reports, n_byes, n_events;
    struct addr report_to;
    uint8_t rtcp[DGRAM_MAX]; /* the last one that was sent */
    size_t rtcp_len;
    mono_us last_report, longest, shortest;
};

static int set_up(void **state)
{
    static struct world w;
    memset(&w, 0, sizeof(w));
    rng_init_seeded(&w.rng, 1);
    w.now = 1000 * US_PER_S;
    w.our_seq = FIRST_SEQ;
    w.env = (struct peer_env){.rng = &w.rng, .ntp_offset = UINT64_C(1) << 62};
    w.her = addr_v4(198, 51, 100, 1, 5004);
    w.her_rtcp = addr_v4(198, 51, 100, 1, 5005);
    w.stranger = addr_v4(203, 0, 113, 1, 5004);
    w.local =
        (struct plain_local){addr_v4(192, 0, 2, 1, 41000), addr_v4(192, 0, 2, 1, 41001), STR("us")};
    w.params = (struct plain_params){
        .media = {.n_codecs = 2, .may_send = true, .may_receive = true, .local_ssrc = OUR_SSRC},
        .rtp = w.her,
        .rtcp = w.her_rtcp,
    };
    w.params.media.codecs[0] = (struct peer_codec){CODEC_OPUS, OPUS_PT, 2, 48000};
    w.params.media.codecs[1] = (struct peer_codec){CODEC_TELEPHONE_EVENT, EVENT_PT, 1, 48000};
    *state = &w;
    return 0;
}

static int tear_down(void **state)
{
    struct world *w = *state;
    plain_deinit(&w->plain);
    rtpsec_provider_free(w->env.srtp);
    return 0;
}

static void begin(struct world *w)
{
    assert_int_equal(plain_init(&w->plain, w->now, &w->params, &w->local, &w->env), 0);
}

/* --- what it is sent --- */

static struct dgram datagram(const struct world *w, const struct addr *from, uint8_t *data,
                             size_t len)
{
    return (struct dgram){
        .local = w->local.rtp, .remote = *from, .data = data, .len = len, .cap = DGRAM_MAX};
}

static int receive(struct world *w, const struct addr *from, uint8_t pt, uint32_t ssrc,
                   uint16_t seq)
{
    uint8_t data[RTP_HEADER_LEN + 10] = {0x80, pt};
    struct rtp_packet packet;
    put_be16(data + 2, seq);
    put_be32(data + 4, w->timestamp);
    put_be32(data + 8, ssrc);
    struct dgram d = datagram(w, from, data, sizeof(data));
    return plain_receive_rtp(&w->plain, w->now, &d, &packet);
}

/* Her next packet. */
static int speak(struct world *w, const struct addr *from)
{
    w->timestamp += TICKS;
    return receive(w, from, OPUS_PT, HER_SSRC, w->seq++);
}

static int input(struct world *w, const struct addr *from, struct bytes_writer *rtcp)
{
    struct dgram d = datagram(w, from, rtcp->start, rtcp->len);
    return plain_input(&w->plain, w->now, &d);
}

/* --- what it sends --- */

static void look_at_rtcp(struct world *w, const struct dgram *d)
{
    struct rtcp_iter it = rtcp_packets(d->data, d->len);
    assert_int_equal(rtcp_check(d->data, d->len), 0);
    for (struct rtcp_packet p; rtcp_next(&it, &p);)
        w->n_byes += p.type == RTCP_BYE;
    w->report_to = d->remote;
    w->rtcp_len = d->len;
    memcpy(w->rtcp, d->data, d->len);
    mono_us since = w->now - w->last_report;
    if (w->n_reports++ > 0) {
        w->longest = since > w->longest ? since : w->longest;
        w->shortest = w->shortest == 0 || since < w->shortest ? since : w->shortest;
    }
    w->last_report = w->now;
}

static void drain(struct world *w)
{
    uint8_t buf[DGRAM_MAX];
    struct dgram d = {.data = buf, .cap = sizeof(buf)};
    struct peer_event event;
    while (plain_poll_event(&w->plain, &event)) {
        assert_int_equal(event.type, PEER_EVENT_CONNECTED);
        w->n_events++;
    }
    while (plain_poll_send(&w->plain, &d)) {
        if (rtp_is_rtcp(d.data, d.len))
            look_at_rtcp(w, &d);
    }
}

static void run(struct world *w, mono_us until)
{
    drain(w);
    while (plain_deadline(&w->plain) <= until) {
        mono_us at = plain_deadline(&w->plain);
        w->now = at > w->now ? at : w->now + 1;
        plain_timeout(&w->plain, w->now);
        drain(w);
    }
    w->now = until;
}

/* @return where a packet of ours goes; port 0 = it is not sent */
static struct addr goes_to(struct world *w)
{
    uint8_t data[DGRAM_MAX] = {0x80, OPUS_PT};
    struct rtp_packet packet;
    put_be16(data + 2, w->our_seq++);
    assert_int_equal(rtp_parse(data, RTP_HEADER_LEN + 10, &packet), 0);
    struct dgram d = datagram(w, &w->stranger, data, RTP_HEADER_LEN + 10);
    if (plain_send_rtp(&w->plain, w->now, &d, &packet))
        return (struct addr){.port = 0};
    assert_true(addr_equal(&d.local, &w->local.rtp));
    return d.remote;
}

static void sends_to(struct world *w, const struct addr *who)
{
    const struct addr to = goes_to(w);
    assert_true(addr_equal(&to, who));
}

/* --- tests --- */

static void an_hour_with_a_thief_beside(void **state)
{
    struct world *w = *state;
    begin(w);
    drain(w);
    assert_int_equal(w->n_events, 1);
    assert_int_equal(speak(w, &w->her), PEER_E_SOURCE); /* proves the SSRC */
    for (unsigned i = 0; i < 3600 * 50; i++) {
        run(w, w->now + FRAME);
        assert_int_equal(receive(w, &w->stranger, OPUS_PT, HER_SSRC, w->seq), PEER_E_SOURCE);
        assert_int_equal(speak(w, &w->her), 0);
        if (i % 500 == 0)
            sends_to(w, &w->her);
    }
    struct peer_figures f;
    plain_figures(&w->plain, w->now, &f);
    assert_int_equal(f.up.packets, 3600 * 50);
    assert_int_equal(f.up.counts.lost, 0);
    assert_true(addr_equal(&w->report_to, &w->her_rtcp));
    /* RFC 3550 §6.2: 5 s, times 0.5 to 1.5 */
    assert_in_range(w->n_reports, 3600 / 6, 3600 / 4);
    assert_true(w->longest <= 7500 * US_PER_MS && w->shortest >= 2500 * US_PER_MS);
    assert_int_equal(w->n_events, 1);
}

/* Behind a NAT RTCP goes nowhere until some came from there, and then to where it came from. */
static void rtcp_follows_rtp_to_another_host(void **state)
{
    struct world *w = *state;
    uint8_t buf[200];
    struct bytes_writer rtcp = bytes_writer(buf, sizeof(buf));
    const struct addr mapped_rtcp = addr_v4(203, 0, 113, 1, 6666);
    begin(w);
    for (unsigned i = 0; i < 10; i++)
        (void)speak(w, &w->stranger);
    sends_to(w, &w->stranger);
    run(w, w->now + 20 * US_PER_S);
    assert_int_equal(w->n_reports, 0);
    rtcp_write_rr(&rtcp, HER_SSRC, NULL, 0);
    assert_int_equal(input(w, &w->her_rtcp, &rtcp), PEER_E_SOURCE); /* RTP is elsewhere now */
    assert_int_equal(input(w, &mapped_rtcp, &rtcp), 0);
    run(w, w->now + 20 * US_PER_S);
    assert_true(w->n_reports >= 2);
    assert_true(addr_equal(&w->report_to, &mapped_rtcp));
}

static void a_new_ssrc_proves_itself(void **state)
{
    struct world *w = *state;
    begin(w);
    (void)speak(w, &w->her);
    assert_int_equal(speak(w, &w->her), 0);
    assert_int_equal(receive(w, &w->her, OPUS_PT, 99, 100), PEER_E_SOURCE);
    assert_int_equal(speak(w, &w->her), 0); /* a single one does not take over */
    assert_int_equal(receive(w, &w->her, OPUS_PT, 99, 102), PEER_E_SOURCE);
    assert_int_equal(receive(w, &w->her, OPUS_PT, 99, 103), 0);
    assert_int_equal(receive(w, &w->her, OPUS_PT, 99, 104), 0);
    assert_int_equal(speak(w, &w->her), PEER_E_SOURCE);
    struct peer_figures f;
    plain_figures(&w->plain, w->now, &f);
    assert_int_equal(f.up.ssrc, 99);
}

static void only_what_was_described_is_learnt(void **state)
{
    struct world *w = *state;
    w->params.media.n_ssrcs = 1;
    w->params.media.ssrcs[0] = HER_SSRC;
    begin(w);
    for (uint16_t i = 0; i < 10; i++) {
        assert_int_equal(receive(w, &w->stranger, 50, HER_SSRC, i), PEER_E_SOURCE);
        assert_int_equal(receive(w, &w->stranger, OPUS_PT, 77, i), PEER_E_SOURCE);
    }
    sends_to(w, &w->her);
    for (unsigned i = 0; i < 10; i++)
        (void)speak(w, &w->stranger);
    sends_to(w, &w->stranger);
}

static void hold_and_another_address(void **state)
{
    struct world *w = *state;
    const struct addr elsewhere = addr_v4(198, 51, 100, 9, 7000);
    begin(w);
    (void)speak(w, &w->her);
    w->params.media.may_send = false;
    assert_int_equal(plain_renegotiate(&w->plain, w->now, &w->params), 0);
    assert_int_equal(goes_to(w).port, 0);
    assert_int_equal(speak(w, &w->her), 0); /* what she says is heard */
    w->params.media.may_send = true;
    w->params.rtp = elsewhere;
    assert_int_equal(plain_renegotiate(&w->plain, w->now, &w->params), 0);
    sends_to(w, &elsewhere);
    assert_int_equal(speak(w, &elsewhere), 0);
    assert_int_equal(speak(w, &w->her), PEER_E_SOURCE);
    w->params.media.may_receive = false;
    assert_int_equal(plain_renegotiate(&w->plain, w->now, &w->params), 0);
    assert_int_equal(speak(w, &elsewhere), PEER_E_DIRECTION);
}

static void an_old_hold_forgets_nobody(void **state)
{
    struct world *w = *state;
    begin(w);
    (void)speak(w, &w->her);
    w->params.media.may_send = false; /* peer/plain_sdp.h: c=0.0.0.0 */
    w->params.rtp = addr_v4(0, 0, 0, 0, 5004);
    w->params.rtcp = addr_v4(0, 0, 0, 0, 5005);
    assert_int_equal(plain_renegotiate(&w->plain, w->now, &w->params), 0);
    unsigned before = w->n_reports;
    for (unsigned i = 0; i < 1000; i++) {
        run(w, w->now + FRAME);
        assert_int_equal(receive(w, &w->stranger, OPUS_PT, 99, (uint16_t)i), PEER_E_SOURCE);
        assert_int_equal(speak(w, &w->her), 0); /* music on hold */
    }
    assert_int_equal(goes_to(w).port, 0);
    assert_int_equal(w->n_reports, before);
    w->params.media.may_send = true;
    w->params.rtp = w->her;
    w->params.rtcp = w->her_rtcp;
    assert_int_equal(plain_renegotiate(&w->plain, w->now, &w->params), 0);
    sends_to(w, &w->her);
    run(w, w->now + 20 * US_PER_S);
    assert_true(w->n_reports > before);
}

static void bad_packets(void **state)
{
    struct world *w = *state;
    struct rtp_packet packet;
    begin(w);
    static const struct {
        uint8_t bytes[20];
        size_t len;
    } rows[] = {
        {{0x80, OPUS_PT}, 11},                           /* no whole header */
        {{0x40, OPUS_PT}, 20},                           /* version 1 */
        {{0x8f, OPUS_PT}, 20},                           /* fifteen CSRCs that are not there */
        {{0x90, OPUS_PT, [14] = 0xff, [15] = 0xff}, 20}, /* an extension longer than the packet */
        {{0xa0, OPUS_PT, [19] = 200}, 20},               /* padding longer than the packet */
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        uint8_t data[20];
        memcpy(data, rows[i].bytes, sizeof(data));
        struct dgram d = datagram(w, &w->her, data, rows[i].len);
        assert_int_equal(plain_receive_rtp(&w->plain, w->now, &d, &packet), PEER_E_MALFORMED);
    }
    /* RTCP: nothing, no report in front, broken lengths, another protocol */
    uint8_t bye[] = {0x81, RTCP_BYE, 0, 1, 0, 0, 0, HER_SSRC};
    uint8_t cut[] = {0x80, RTCP_RR, 0, 7, 0, 0, 0, HER_SSRC};
    uint8_t stun[20] = {0, 1};
    struct dgram d = datagram(w, &w->her_rtcp, bye, sizeof(bye));
    assert_int_equal(plain_input(&w->plain, w->now, &d), PEER_E_MALFORMED);
    d = datagram(w, &w->her_rtcp, cut, sizeof(cut));
    assert_int_equal(plain_input(&w->plain, w->now, &d), PEER_E_MALFORMED);
    d = datagram(w, &w->her_rtcp, cut, 4);
    assert_int_equal(plain_input(&w->plain, w->now, &d), PEER_E_PROTOCOL);
    d = datagram(w, &w->her, stun, sizeof(stun));
    assert_int_equal(plain_input(&w->plain, w->now, &d), PEER_E_PROTOCOL);
    d = datagram(w, &w->her, stun, 0);
    assert_int_equal(plain_input(&w->plain, w->now, &d), PEER_E_PROTOCOL);
}

static void a_goodbye_both_ways(void **state)
{
    struct world *w = *state;
    uint8_t buf[200];
    struct bytes_writer rtcp = bytes_writer(buf, sizeof(buf));
    begin(w);
    (void)speak(w, &w->her);
    (void)speak(w, &w->her);
    rtcp_write_rr(&rtcp, HER_SSRC, NULL, 0);
    rtcp_write_bye(&rtcp, HER_SSRC, STR(""));
    assert_int_equal(input(w, &w->stranger, &rtcp), PEER_E_SOURCE);
    assert_int_equal(speak(w, &w->her), 0);
    assert_int_equal(input(w, &w->her_rtcp, &rtcp), 0);
    assert_int_equal(speak(w, &w->her), PEER_E_SOURCE); /* it begins anew */
    assert_int_equal(speak(w, &w->her), 0);
    plain_close(&w->plain, w->now);
    drain(w);
    assert_int_equal(w->n_byes, 1);
    assert_int_equal(speak(w, &w->her), PEER_E_NO_PATH);
    assert_int_equal(goes_to(w).port, 0);
    assert_true(plain_deadline(&w->plain) == MONO_NEVER);
}

static void who_is_nowhere_is_sent_nothing(void **state)
{
    struct world *w = *state;
    w->params.rtp = w->params.rtcp = addr_v4(0, 0, 0, 0, LATCH_UNKNOWN_PORT);
    begin(w);
    run(w, w->now + 60 * US_PER_S);
    assert_int_equal(w->n_events + w->n_reports, 0);
    assert_int_equal(goes_to(w).port, 0);
    for (unsigned i = 0; i < 10; i++)
        (void)speak(w, &w->her);
    run(w, w->now + 1);
    assert_int_equal(w->n_events, 1);
    sends_to(w, &w->her);
    plain_close(&w->plain, w->now);
    drain(w);
    assert_int_equal(w->n_byes, 0); /* where its RTCP is nobody said */
}

/* A description that was on its way when it ended. */
static void what_is_closed_is_not_begun_again(void **state)
{
    struct world *w = *state;
    w->params.rtp = w->params.rtcp = addr_v4(0, 0, 0, 0, LATCH_UNKNOWN_PORT);
    begin(w);
    plain_close(&w->plain, w->now);
    w->params.rtp = w->her;
    w->params.rtcp = w->her_rtcp;
    assert_int_equal(plain_renegotiate(&w->plain, w->now, &w->params), 0);
    run(w, w->now + 60 * US_PER_S);
    assert_int_equal(w->n_events + w->n_reports, 0);
    assert_int_equal(goes_to(w).port, 0);
}

static void muxed_rtcp_goes_where_rtp_goes(void **state)
{
    struct world *w = *state;
    uint8_t buf[200];
    struct bytes_writer rtcp = bytes_writer(buf, sizeof(buf));
    w->params.is_muxed = true;
    begin(w);
    run(w, w->now + 20 * US_PER_S);
    assert_true(w->n_reports >= 2);
    assert_true(addr_equal(&w->report_to, &w->her));
    /* From another port of hers it is not muxed, and not hers. */
    rtcp_write_rr(&rtcp, HER_SSRC, NULL, 0);
    assert_int_equal(input(w, &w->her_rtcp, &rtcp), PEER_E_SOURCE);
    assert_int_equal(input(w, &w->her, &rtcp), 0);
    run(w, w->now + 20 * US_PER_S);
    assert_true(addr_equal(&w->report_to, &w->her));
}

/* What was lost is asked for where that was agreed on, and sent again. */
static void nack_both_ways(void **state)
{
    struct world *w = *state;
    uint8_t buf[200], sent[DGRAM_MAX];
    struct bytes_writer rtcp = bytes_writer(buf, sizeof(buf));
    const uint16_t missing = FIRST_SEQ;
    w->params.media.nack = true;
    begin(w);
    for (unsigned i = 0; i < 10; i++) {
        run(w, w->now + FRAME);
        (void)speak(w, &w->her);
    }
    w->seq++;
    (void)speak(w, &w->her);
    unsigned before = w->n_reports;
    run(w, w->now + 50 * US_PER_MS);
    assert_true(w->n_reports > before);
    rtcp_write_rr(&rtcp, HER_SSRC, NULL, 0);
    rtcp_write_nack(&rtcp, HER_SSRC, OUR_SSRC, &missing, 1);
    assert_int_equal(input(w, &w->her_rtcp, &rtcp), 0); /* from now on packets are kept */
    sends_to(w, &w->her);
    w->now += FRAME;
    assert_int_equal(input(w, &w->her_rtcp, &rtcp), 0);
    struct dgram d = {.data = sent, .cap = sizeof(sent)};
    bool is_again = false;
    while (plain_poll_send(&w->plain, &d))
        is_again |= rtp_is_rtp(d.data, d.len) && get_be16(d.data + 2) == missing &&
                    addr_equal(&d.remote, &w->her);
    assert_true(is_again);
}

static void extensions_are_cut_out(void **state)
{
    struct world *w = *state;
    struct rtp_packet packet;
    uint8_t data[] = {0x90, OPUS_PT, 0,  1, 0, 0, 0, 2, 0, 0, 0, 1, /* header */
                      0xbe, 0xde,    0,  1, 0, 0, 0, 0,             /* a blanked extension */
                      'a',  'b',     'c'};
    begin(w);
    assert_int_equal(rtp_parse(data, sizeof(data), &packet), 0);
    struct dgram d = datagram(w, &w->her, data, sizeof(data));
    assert_int_equal(plain_send_rtp(&w->plain, w->now, &d, &packet), 0);
    assert_int_equal(d.len, RTP_HEADER_LEN + 3);
    assert_int_equal(d.data[0], 0x80);
    assert_memory_equal(d.data + RTP_HEADER_LEN, "abc", 3);
    assert_int_equal(get_be16(d.data + 2), 1);
}

/* --- with keys --- */

static void encrypt(struct world *w, enum rtpsec_profile profile)
{
    int err = 0;
    w->env.srtp = rtpsec_provider_new(RTPSEC_PROVIDER_AUTO, &err);
    assert_non_null(w->env.srtp);
    w->params.keys = (struct plain_keys){.profile = profile, .local = "ours", .remote = "hers"};
    begin(w);
}

struct sealed {
    uint8_t data[DGRAM_MAX];
    size_t len;
};

/* Her next packet, encrypted with this key. */
static struct sealed seal(struct world *w, struct rtpsec_tx *tx)
{
    struct sealed s = {.data = {0x80, OPUS_PT}, .len = RTP_HEADER_LEN + 10};
    put_be16(s.data + 2, w->seq++);
    put_be32(s.data + 4, w->timestamp += TICKS);
    put_be32(s.data + 8, HER_SSRC);
    assert_int_equal(rtpsec_protect_rtp(tx, w->env.srtp, s.data, &s.len, sizeof(s.data)), 0);
    return s;
}

static int deliver(struct world *w, struct sealed s, const struct addr *from)
{
    struct rtp_packet packet;
    struct dgram d = datagram(w, from, s.data, s.len);
    int err = plain_receive_rtp(&w->plain, w->now, &d, &packet);
    assert_true(err || packet.payload_len == 10);
    return err;
}

static int speak_with(struct world *w, struct rtpsec_tx *tx, const struct addr *from)
{
    return deliver(w, seal(w, tx), from);
}

static void key_of(struct world *w, struct rtpsec_tx *tx, enum rtpsec_profile profile,
                   const char *name)
{
    uint8_t key[30] = {0};
    memcpy(key, name, strlen(name));
    assert_int_equal(rtpsec_tx_init(tx, w->env.srtp, profile, key, key + RTPSEC_KEY_LEN), 0);
}

/* Who has the key is followed at once, wherever he is; who has it not is nobody. */
static void a_key_proves_more_than_an_address(void **state)
{
    static const enum rtpsec_profile profiles[] = {RTPSEC_AES_CM_128_HMAC_SHA1_80,
                                                   RTPSEC_AEAD_AES_128_GCM};
    struct world *w = *state;
    for (size_t i = 0; i < ARRAY_LEN(profiles); i++) {
        static struct rtpsec_tx hers, wrong;
        uint8_t rtcp[200], data[DGRAM_MAX] = {0x80, OPUS_PT};
        struct bytes_writer bye = bytes_writer(rtcp, sizeof(rtcp));
        struct rtp_packet packet;
        encrypt(w, profiles[i]);
        key_of(w, &hers, profiles[i], "hers");
        key_of(w, &wrong, profiles[i], "whose");
        assert_int_equal(speak_with(w, &hers, &w->her), 0); /* also the first one */
        assert_int_equal(speak_with(w, &wrong, &w->stranger), PEER_E_AUTH);
        assert_int_not_equal(speak(w, &w->her), 0); /* plain text */
        sends_to(w, &w->her);
        assert_int_equal(speak_with(w, &hers, &w->stranger), 0);
        sends_to(w, &w->stranger);
        rtcp_write_rr(&bye, HER_SSRC, NULL, 0);
        rtcp_write_bye(&bye, HER_SSRC, STR(""));
        assert_int_not_equal(input(w, &w->stranger, &bye), 0);
        assert_int_equal(rtp_parse(data, RTP_HEADER_LEN, &packet), 0);
        put_be16(data + 2, w->our_seq++);
        struct dgram d = datagram(w, &w->her, data, RTP_HEADER_LEN);
        assert_int_equal(plain_send_rtp(&w->plain, w->now, &d, &packet), 0);
        assert_true(d.len > RTP_HEADER_LEN);
        /* Another key of hers: hold and resume by some gateways. */
        memcpy(w->params.keys.remote, "next", 5);
        assert_int_equal(plain_renegotiate(&w->plain, w->now, &w->params), 0);
        assert_int_equal(speak_with(w, &hers, &w->stranger), PEER_E_AUTH);
        rtpsec_tx_deinit(&hers);
        key_of(w, &hers, profiles[i], "next");
        assert_int_equal(speak_with(w, &hers, &w->stranger), 0);
        rtpsec_tx_deinit(&hers);
        rtpsec_tx_deinit(&wrong);
        if (i + 1 < ARRAY_LEN(profiles)) {
            plain_deinit(&w->plain);
            rtpsec_provider_free(w->env.srtp);
        }
    }
}

/* A packet that somebody on the way held back is authentic, and says nothing about where she is. */
static void what_was_held_back_moves_nothing(void **state)
{
    struct world *w = *state;
    static struct rtpsec_tx hers;
    encrypt(w, RTPSEC_AES_CM_128_HMAC_SHA1_80);
    key_of(w, &hers, RTPSEC_AES_CM_128_HMAC_SHA1_80, "hers");
    assert_int_equal(speak_with(w, &hers, &w->her), 0);
    const struct sealed held = seal(w, &hers);
    assert_int_equal(speak_with(w, &hers, &w->her), 0);
    assert_int_equal(deliver(w, held, &w->stranger), 0);
    sends_to(w, &w->her);
    rtpsec_tx_deinit(&hers);
}

static void without_memory_there_are_no_keys(void **state)
{
    struct world *w = *state;
    w->params.keys.profile = RTPSEC_AES_CM_128_HMAC_SHA1_80;
    mem_fail_at(1);
    assert_int_equal(plain_init(&w->plain, w->now, &w->params, &w->local, &w->env), -ENOMEM);
    mem_fail_at(0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(an_hour_with_a_thief_beside),
        TEST(rtcp_follows_rtp_to_another_host),
        TEST(a_new_ssrc_proves_itself),
        TEST(only_what_was_described_is_learnt),
        TEST(hold_and_another_address),
        TEST(an_old_hold_forgets_nobody),
        TEST(bad_packets),
        TEST(a_goodbye_both_ways),
        TEST(who_is_nowhere_is_sent_nothing),
        TEST(what_is_closed_is_not_begun_again),
        TEST(muxed_rtcp_goes_where_rtp_goes),
        TEST(nack_both_ways),
        TEST(extensions_are_cut_out),
        TEST(a_key_proves_more_than_an_address),
        TEST(what_was_held_back_moves_nothing),
        TEST(without_memory_there_are_no_keys),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
