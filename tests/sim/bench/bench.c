/* The bench: see the header. The network is an array of datagrams in flight, the clock jumps to
 * whatever is due next: an arrival or a deadline. */
#include "sim/bench/bench.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"

const struct bench_browser bench_chromium = {.opus_pt = 111,
                                             .level_ext = 1,
                                             .may_send = true,
                                             .may_receive = true,
                                             .nack = true,
                                             .reduced_size_rtcp = true};
const struct bench_browser bench_firefox = {
    .opus_pt = 109, .level_ext = 5, .may_send = true, .may_receive = true};

static struct ice_candidate host(const struct addr *addr)
{
    return (struct ice_candidate){.type = ICE_HOST,
                                  .transport = ICE_UDP,
                                  .component = 1,
                                  .priority = ice_candidate_priority(ICE_HOST, 65535),
                                  .foundation = "1",
                                  .addr = *addr};
}

static void fill_params(struct peer_params *p, const struct bench_browser *browser,
                        const struct dtls_identity *identity)
{
    memset(p, 0, sizeof(*p));
    p->codecs[0] = (struct peer_codec){CODEC_OPUS, browser->opus_pt, 2, 48000};
    p->codecs[1] =
        (struct peer_codec){CODEC_TELEPHONE_EVENT, (uint8_t)(browser->opus_pt - 10), 1, 48000};
    p->n_codecs = 2;
    p->red_pt = browser->red_pt;
    if (browser->n_codecs) {
        memcpy(p->codecs, browser->codecs, sizeof(p->codecs));
        p->n_codecs = browser->n_codecs;
    }
    p->ext_send[PEER_EXT_AUDIO_LEVEL] = p->ext_recv[PEER_EXT_AUDIO_LEVEL] = browser->level_ext;
    p->fingerprints[0].hash = SDP_SHA256;
    p->fingerprints[0].len = 32;
    memcpy(p->fingerprints[0].digest, identity->fingerprint.bytes, 32);
    p->n_fingerprints = 1;
    p->nack = browser->nack;
    p->reduced_size_rtcp = browser->reduced_size_rtcp;
}

static void set_remote(struct peer_params *p, const char *ufrag, const char *pwd, bool lite)
{
    assert_true(str_copy(str_of(ufrag), p->remote_ufrag, sizeof(p->remote_ufrag)));
    assert_true(str_copy(str_of(pwd), p->remote_pwd, sizeof(p->remote_pwd)));
    p->remote_lite = lite;
}

/* What leg i of the relay knows of its browser, and what the browser knows of the relay. */
static void make_browser(struct bench *b, unsigned i, const struct bench_browser *kind,
                         struct peer_params *relay_params, struct peer_local *relay_local)
{
    static const char *const ufrags[] = {"brw0", "brw1"}, *const relay_ufrags[] = {"rel0", "rel1"};
    static const char pwd[] = "passwordpasswordpassword";
    static struct ice_candidate candidates[2], server[2];
    struct peer_params params;

    candidates[i] = host(&b->addrs[i]);
    server[i] = host(&b->server);
    fill_params(relay_params, kind, &b->identities[i]);
    if (kind->wrong_fingerprint)
        relay_params->fingerprints[0].digest[7] ^= 1;
    relay_params->may_send = kind->may_receive;
    relay_params->may_receive = kind->may_send;
    relay_params->ext_recv[PEER_EXT_TRANSPORT_CC] = kind->transport_ext;
    relay_params->remb = kind->remb;
    relay_params->local_ssrc = 0x5e4e0000 + i;
    set_remote(relay_params, ufrags[i], pwd, kind->is_lite);
    relay_params->dtls_client = kind->is_dtls_server;
    *relay_local = (struct peer_local){.is_offerer = kind->is_answerer,
                                       .ufrag = str_of(relay_ufrags[i]),
                                       .pwd = str_of(pwd),
                                       .cname = STR("relay"),
                                       .candidates = &server[i],
                                       .n_candidates = 1};

    fill_params(&params, kind, &b->identities[2]);
    params.may_send = kind->may_send;
    params.may_receive = kind->may_receive;
    params.ext_send[PEER_EXT_TRANSPORT_CC] = kind->transport_ext;
    params.local_ssrc = 0xb0000000 + i;
    params.dtls_client = !kind->is_dtls_server;
    set_remote(&params, relay_ufrags[i], pwd, false);
    b->envs[i].ice_lite = kind->is_lite;
    b->browsers[i] = mem_zalloc_aligned(sizeof(struct peer));
    assert_non_null(b->browsers[i]);
    const struct peer_local local = {.is_offerer = kind->is_answerer == kind->claims_our_role,
                                     .ufrag = str_of(ufrags[i]),
                                     .pwd = str_of(pwd),
                                     .cname = STR("browser"),
                                     .candidates = &candidates[i],
                                     .n_candidates = 1};
    assert_int_equal(peer_init(b->browsers[i], b->now, &params, &local, &b->envs[i]), 0);
    /* Trickle: each side hears of the other's candidate by signaling. */
    assert_int_equal(peer_add_candidate(b->browsers[i], b->now, &server[i], STR("")), 0);
}

void bench_set_up(struct bench *b, const struct bench_browser browsers[2])
{
    struct peer_params params[2];
    struct peer_local locals[2];
    for (unsigned i = 0; i < 2; i++)
        make_browser(b, i, &browsers[i], &params[i], &locals[i]);
    for (unsigned i = 0; i < 2; i++) {
        struct ice_candidate c = host(&b->addrs[i]);
        b->legs[i] = mem_zalloc_aligned(sizeof(struct relay_webrtc));
        assert_non_null(b->legs[i]);
        assert_int_equal(relay_webrtc_init(b->legs[i], b->now, &params[i], &locals[i], &b->envs[2]),
                         0);
        assert_int_equal(peer_add_candidate(&b->legs[i]->peer, b->now, &c, STR("")), 0);
    }
    relay_connect(&b->legs[0]->endpoint, &b->legs[1]->endpoint);
    relay_connect(&b->legs[1]->endpoint, &b->legs[0]->endpoint);
}

struct bench *bench_new(void)
{
    struct bench *b = mem_zalloc(sizeof(*b));
    assert_non_null(b);
    rng_init_seeded(&b->rng, BENCH_SEED);
    rng_init_seeded(&b->line_rng, BENCH_SEED);
    b->now = 1000 * US_PER_S;
    b->delay = 5 * US_PER_MS;
    b->level_db[0] = b->level_db[1] = 42;
    b->server = addr_v4(192, 0, 2, 1, 40000);
    b->addrs[0] = addr_v4(198, 51, 100, 1, 5000);
    b->addrs[1] = addr_v4(198, 51, 100, 2, 5000);
    b->in_flight = mem_zalloc(BENCH_MAX_IN_FLIGHT * sizeof(struct bench_dgram));
    assert_non_null(b->in_flight);
    for (unsigned i = 0; i < 3; i++) {
        int err;
        assert_int_equal(dtls_identity_init(&b->identities[i], 1700000000), 0);
        b->envs[i].rng = &b->rng;
        b->envs[i].ntp_offset = UINT64_C(0xe0000000) << 32;
        b->envs[i].srtp = rtpsec_provider_new(RTPSEC_PROVIDER_AUTO, &err);
        assert_non_null(b->envs[i].srtp);
        assert_int_equal(dtls_context_new(&b->identities[i], &b->envs[i].dtls), 0);
    }
    return b;
}

void bench_free(struct bench *b)
{
    for (unsigned i = 0; i < 2; i++) {
        if (b->legs[i])
            relay_webrtc_deinit(b->legs[i]);
        mem_free(b->legs[i]);
        if (b->browsers[i])
            peer_deinit(b->browsers[i]);
        mem_free(b->browsers[i]);
    }
    for (unsigned i = 0; i < 3; i++) {
        dtls_context_free(b->envs[i].dtls);
        rtpsec_provider_free(b->envs[i].srtp);
        dtls_identity_deinit(&b->identities[i]);
    }
    mem_free(b->in_flight);
    mem_free(b);
}

/* --- the network --- */

static void travel(struct bench *b, const struct addr *from, const struct addr *to,
                   const void *data, size_t len)
{
    struct bench_dgram d = {.from = *from, .to = *to, .len = len, .order = b->order++};
    memcpy(d.data, data, len);
    d.at = b->now + b->delay;
    if (b->jitter)
        d.at += (mono_us)rng_below(&b->line_rng, (uint32_t)b->jitter);
    if (b->loss_percent && rng_below(&b->line_rng, 100) < b->loss_percent)
        return;
    if (b->filter && !b->filter(b, &d)) /* it may send something itself */
        return;
    assert_true(b->n_in_flight < BENCH_MAX_IN_FLIGHT);
    b->in_flight[b->n_in_flight++] = d;
}

bool bench_loses(struct bench *b, struct bench_loss *loss)
{
    if (loss->one_in == 0)
        return false;
    if (loss->n == 0)
        loss->victim = rng_below(&b->line_rng, loss->one_in);
    bool is_lost = loss->n == loss->victim;
    loss->n = (loss->n + 1) % loss->one_in;
    return is_lost;
}

void bench_inject(struct bench *b, const struct addr *from, const void *data, size_t len)
{
    travel(b, from, &b->server, data, len);
}

static size_t next_arrival(const struct bench *b)
{
    size_t best = SIZE_MAX;
    for (size_t i = 0; i < b->n_in_flight; i++) {
        const struct bench_dgram *d = &b->in_flight[i];
        if (best == SIZE_MAX || d->at < b->in_flight[best].at ||
            (d->at == b->in_flight[best].at && d->order < b->in_flight[best].order))
            best = i;
    }
    return best;
}

/* --- the ends --- */

static void note_connected(struct bench *b, bool *flag)
{
    *flag = true;
    b->connected_at = b->now;
}

static void drain(struct bench *b, struct peer *p, unsigned i, bool is_relay)
{
    uint8_t buf[DGRAM_MAX + 64];
    struct peer_event event;
    struct dgram d = {.data = buf, .cap = sizeof(buf)};
    while (peer_poll_send(p, &d)) {
        /* A NAT: whatever the browser thinks its address is, the server sees addrs[i]. */
        travel(b, is_relay ? &b->server : &b->addrs[i], &d.remote, d.data, d.len);
        d = (struct dgram){.data = buf, .cap = sizeof(buf)};
    }
    while (peer_poll_event(p, &event)) {
        if (event.type == PEER_EVENT_CONNECTED)
            note_connected(b, is_relay ? &b->relay_connected[i] : &b->browser_connected[i]);
        if (event.type == PEER_EVENT_ENDED && is_relay)
            b->relay_end[i] = event.end;
        if (event.type == PEER_EVENT_ENDED)
            *(is_relay ? &b->relay_ended[i] : &b->browser_ended[i]) = true;
        if (event.type == PEER_EVENT_VALIDATED && is_relay)
            b->routes[i] = event.remote;
        if (event.type == PEER_EVENT_PATH && is_relay)
            b->n_paths[i] += peer_path(p, &b->paths[i]);
    }
}

static void drain_all(struct bench *b)
{
    for (unsigned i = 0; i < 2; i++) {
        drain(b, b->browsers[i], i, false);
        drain(b, &b->legs[i]->peer, i, true);
    }
}

static void note_error(struct bench *b, unsigned leg, int err)
{
    if (err) {
        b->last_error[leg] = err;
        b->n_errors[leg]++;
    }
}

static void relay_input(struct bench *b, struct bench_dgram *in)
{
    struct dgram d = {.local = b->server,
                      .remote = in->from,
                      .data = in->data,
                      .len = in->len,
                      .cap = sizeof(in->data)};
    /* The demultiplexer of the engine, in small: by ufrag, else by address. */
    unsigned leg = addr_equal(&in->from, &b->addrs[1]) ? 1 : 0;
    struct str ufrag;
    if (stun_peek_username(in->data, in->len, &ufrag))
        leg = str_starts_with(ufrag, STR("rel1")) ? 1 : 0;
    if (!rtp_is_rtp(d.data, d.len)) {
        note_error(b, leg, peer_input(&b->legs[leg]->peer, b->now, &d));
        return;
    }
    note_error(b, leg, bench_forward(b, leg, &d));
}

int bench_forward(struct bench *b, unsigned i, struct dgram *d)
{
    uint8_t buf[DGRAM_MAX + 64];
    struct dgram spare = {.data = buf, .cap = sizeof(buf)};
    struct relay_fan fan;
    struct relay_out out;
    int err = relay_webrtc_receive(b->legs[i], b->now, d, &fan);
    if (err)
        return err;
    while (relay_fan_next(&fan, &spare, &out)) {
        if (!err)
            err = out.error;
        if (out.d)
            travel(b, &out.d->local, &out.d->remote, out.d->data, out.d->len);
    }
    return err;
}

/* What came out of SRTCP. Behind it stand what is left of the tag and the index. */
static void note_rtcp(struct bench *b, unsigned i, const uint8_t *data, size_t len)
{
    struct rtcp_iter it = rtcp_packets(data, len);
    for (struct rtcp_packet p; rtcp_next(&it, &p);) {
        if (p.type < RTCP_SR || p.type >= RTCP_SR + ARRAY_LEN(b->rtcp[i]))
            continue;
        struct bench_rtcp *kind = &b->rtcp[i][p.type - RTCP_SR][p.count];
        kind->n++;
        kind->body_len = p.body_len;
        memcpy(kind->body, p.body, p.body_len);
    }
}

static void browser_input(struct bench *b, unsigned i, struct bench_dgram *in)
{
    struct dgram d = {.local = host(&b->addrs[i]).addr,
                      .remote = in->from,
                      .data = in->data,
                      .len = in->len,
                      .cap = sizeof(in->data)};
    /* Behind the NAT the browser still has the address that it began with. */
    d.local = addr_v4(198, 51, 100, (uint8_t)(1 + i), 5000);
    if (!rtp_is_rtp(d.data, d.len)) {
        int err = peer_input(b->browsers[i], b->now, &d);
        if (rtp_is_rtcp(d.data, d.len) && (err == 0 || err == PEER_E_FEEDBACK))
            note_rtcp(b, i, d.data, d.len - RTPSEC_RTCP_OVERHEAD);
        return;
    }
    struct bench_rtp *got = &b->last_rtp[i];
    if (peer_receive_rtp(b->browsers[i], b->now, &d, &got->packet))
        return;
    memcpy(got->data, d.data, d.len);
    got->len = d.len;
    b->n_rtp[i]++;
    if (b->heard)
        b->heard(b, i, got);
}

static void arrive(struct bench *b, size_t index)
{
    struct bench_dgram d = b->in_flight[index];
    b->in_flight[index] = b->in_flight[--b->n_in_flight];
    if (addr_equal(&d.to, &b->server))
        relay_input(b, &d);
    for (unsigned i = 0; i < 2; i++) {
        if (addr_equal(&d.to, &b->addrs[i]))
            browser_input(b, i, &d);
    }
}

static void time_out(struct bench *b)
{
    for (unsigned i = 0; i < 2; i++) {
        if (peer_deadline(b->browsers[i]) <= b->now)
            peer_timeout(b->browsers[i], b->now);
        if (peer_deadline(&b->legs[i]->peer) <= b->now)
            relay_webrtc_timeout(b->legs[i], b->now);
    }
}

static mono_us next_event(const struct bench *b)
{
    size_t arrival = next_arrival(b);
    mono_us at = arrival == SIZE_MAX ? MONO_NEVER : b->in_flight[arrival].at;
    for (unsigned i = 0; i < 2; i++)
        at =
            mono_min(at, mono_min(peer_deadline(b->browsers[i]), peer_deadline(&b->legs[i]->peer)));
    return at;
}

void bench_run(struct bench *b, mono_us until)
{
    drain_all(b);
    for (mono_us at; (at = next_event(b)) <= until;) {
        if (at > b->now)
            b->now = at;
        size_t arrival = next_arrival(b);
        if (arrival != SIZE_MAX && b->in_flight[arrival].at <= b->now)
            arrive(b, arrival);
        else
            time_out(b);
        drain_all(b);
    }
    b->now = until;
}

static bool is_connected(const struct bench *b)
{
    for (unsigned i = 0; i < 2; i++) {
        if (!b->relay_connected[i] || !b->browser_connected[i])
            return false;
    }
    return true;
}

bool bench_connect(struct bench *b, mono_us limit)
{
    mono_us end = b->now + limit;
    while (!is_connected(b) && b->now < end)
        bench_run(b, b->now + 10 * US_PER_MS);
    return is_connected(b);
}

struct peer *bench_leg(struct bench *b, unsigned i)
{
    return &b->legs[i]->peer;
}

/* What the offer and its answer leave as it is. */
static void keep_params(struct peer_params *ret, const struct peer *p)
{
    memset(ret, 0, sizeof(*ret));
    memcpy(ret->codecs, p->codecs, sizeof(ret->codecs));
    ret->n_codecs = p->n_codecs;
    memcpy(ret->ext_send, p->ext_send, sizeof(ret->ext_send));
    memcpy(ret->ext_recv, p->ext_recv, sizeof(ret->ext_recv));
    ret->may_send = p->may_send;
    ret->may_receive = p->may_receive;
    ret->nack = p->repair.is_on;
    ret->remb = p->feedback.is_remb;
    ret->reduced_size_rtcp = p->repair.is_reduced;
}

void bench_restart(struct bench *b, unsigned i)
{
    static const char pwd[] = "passwordpasswordpassword";
    struct peer *browser = b->browsers[i], *leg = bench_leg(b, i);
    struct ice_candidate theirs = host(&b->addrs[i]), ours = host(&b->server);
    char browser_ufrag[16], leg_ufrag[16];
    struct peer_params params;

    unsigned n = ++b->n_restarts;
    (void)snprintf(browser_ufrag, sizeof(browser_ufrag), "brw%u%08u", i, n);
    (void)snprintf(leg_ufrag, sizeof(leg_ufrag), "rel%u%08u", i, n);
    assert_int_equal(ice_agent_restart(&browser->ice, b->now, str_of(browser_ufrag), str_of(pwd)),
                     0);
    bench_run(b, b->now + b->delay);
    keep_params(&params, leg);
    set_remote(&params, browser_ufrag, pwd, false);
    assert_int_equal(peer_renegotiate(leg, b->now, &params, str_of(leg_ufrag), str_of(pwd)), 0);
    assert_int_equal(peer_add_candidate(leg, b->now, &theirs, str_of(browser_ufrag)), 0);
    bench_run(b, b->now + b->delay);
    assert_int_equal(
        ice_agent_set_remote(&browser->ice, b->now, str_of(leg_ufrag), str_of(pwd), false), 0);
    assert_int_equal(peer_add_candidate(browser, b->now, &ours, str_of(leg_ufrag)), 0);
}

/* The extensions that this browser sends, in the one-byte form. */
static void put_extensions(struct bytes_writer *w, const struct peer *p, uint8_t level_db,
                           uint16_t transport_seq)
{
    uint8_t level = p->ext_send[PEER_EXT_AUDIO_LEVEL];
    uint8_t transport = p->ext_send[PEER_EXT_TRANSPORT_CC];
    size_t begin = w->len;
    bytes_put32(w, 0xbede0000);
    if (level) {
        bytes_put8(w, (uint8_t)(level << 4));
        bytes_put8(w, 0x80 | level_db);
    }
    if (transport) {
        bytes_put8(w, (uint8_t)(transport << 4 | 1));
        bytes_put16(w, transport_seq);
    }
    while (w->len % 4)
        bytes_put8(w, 0);
    put_be16(w->start + begin + 2, (uint16_t)((w->len - begin) / 4 - 1));
}

void bench_send_packet(struct bench *b, unsigned i, const struct bench_packet *packet)
{
    uint8_t buf[DGRAM_MAX + 64] = {0};
    const struct peer *p = b->browsers[i];
    struct bytes_writer w = bytes_writer(buf, DGRAM_MAX);
    bool has_extensions = p->ext_send[PEER_EXT_AUDIO_LEVEL] || p->ext_send[PEER_EXT_TRANSPORT_CC];
    struct rtp_packet parsed;

    bytes_put8(&w,
               (uint8_t)(0x80 | (packet->padding_len ? 0x20 : 0) | (has_extensions ? 0x10 : 0)));
    uint8_t pt = packet->is_red ? p->red_pt : p->codecs[packet->codec].pt;
    bytes_put8(&w, (uint8_t)(pt | (packet->marker ? 0x80 : 0)));
    bytes_put16(&w, packet->seq);
    bytes_put32(&w, packet->timestamp);
    bytes_put32(&w, packet->ssrc);
    if (has_extensions)
        put_extensions(&w, p, b->level_db[i], b->transport_seq[i]++);
    bytes_put(&w, packet->payload, packet->len);
    for (unsigned n = 1; n <= packet->padding_len; n++)
        bytes_put8(&w, n == packet->padding_len ? packet->padding_len : 0);
    assert_false(w.failed);
    assert_int_equal(rtp_parse(buf, w.len, &parsed), 0);
    struct dgram d = {.data = buf, .len = w.len, .cap = sizeof(buf)};
    assert_int_equal(peer_send_rtp(b->browsers[i], b->now, &d, &parsed), 0);
    b->last_sent[i] = (struct bench_dgram){.from = b->addrs[i], .to = b->server, .len = d.len};
    memcpy(b->last_sent[i].data, d.data, d.len);
    travel(b, &b->addrs[i], &d.remote, d.data, d.len);
}

void bench_send(struct bench *b, unsigned i, uint32_t ssrc, uint16_t seq, uint32_t timestamp,
                const void *payload, size_t len)
{
    const struct bench_packet packet = {
        .ssrc = ssrc, .seq = seq, .timestamp = timestamp, .payload = payload, .len = len};
    bench_send_packet(b, i, &packet);
}

void bench_send_rtcp(struct bench *b, unsigned i, const void *data, size_t len)
{
    uint8_t buf[DGRAM_MAX];
    struct peer *p = b->browsers[i];
    assert_true(len + RTPSEC_RTCP_OVERHEAD <= sizeof(buf));
    memcpy(buf, data, len);
    assert_int_equal(rtpsec_protect_rtcp(&p->tx, p->env->srtp, buf, &len, sizeof(buf)), 0);
    travel(b, &b->addrs[i], &b->server, buf, len);
}
