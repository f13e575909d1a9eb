/* fuzz: duet_peer duet_relay */
/*
 * A leg of a relay under a script. The first byte says how far its connection to an honest browser
 * gets before the script begins: not at all, to the first check, into the handshake, through, to
 * the farewell. Then datagrams of the browser are delivered, lost, repeated and damaged, raw ones
 * come from right and wrong addresses, RTP and RTCP of the script's bytes come with the right keys,
 * candidates are trickled, later offers come with and without an ICE restart, memory fails, time
 * passes.
 *
 * What must hold whatever happens: a peer ends once; one that has ended says its farewell and is
 * silent; datagrams fit and have an address; a deadline that was served lies in the future; what is
 * forwarded is RTP with the receiver's SSRC.
 */
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "relay/webrtc.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define QUEUE        32
#define MAX_OPS      200
#define MAX_FAREWELL 8 /* BYE, close_notify, what is left of a flight, an alert */
#define CAP          (DGRAM_MAX + 64)

#define CHECK(condition)                                                                           \
    do {                                                                                           \
        if (!(condition))                                                                          \
            abort();                                                                               \
    } while (0)

struct packet {
    struct peer *to;
    size_t len;
    uint8_t data[CAP];
};

struct script {
    struct bytes_reader in;
    struct relay_webrtc *legs[2]; /* 0 is under test; 1 hears it, to take what is forwarded */
    struct peer *leg, *browser;
    struct rng rng;
    struct peer_env env;
    struct addr addrs[2]; /* of the browser, of the relay */
    struct packet queue[QUEUE];
    size_t n;
    mono_us now;
    bool has_ended;
    unsigned n_farewell;
    unsigned n_restarts;
};

static struct dtls_identity identity;
static struct dtls_context *context;
static struct rtpsec_provider *provider;

static const char pwd[] = "passwordpasswordpassword";

/* --- set-up --- */

static void fill_params(struct peer_params *p, const char *remote_ufrag, bool dtls_client)
{
    *p = (struct peer_params){
        .codecs = {{CODEC_OPUS, 111, 2, 48000}, {CODEC_TELEPHONE_EVENT, 101, 1, 8000}},
        .n_codecs = 2,
        .may_send = true,
        .may_receive = true,
        .local_ssrc = dtls_client ? 0xb0 : 0xe0,
        .ext_send = {1},
        .ext_recv = {1},
        .dtls_client = dtls_client,
        .fingerprints = {{.hash = SDP_SHA256, .len = 32}},
        .n_fingerprints = 1,
        .candidates = {STR("candidate:1 1 udp 2130706431 192.0.2.1 5000 typ host"),
                       STR("candidate:2 1 udp 2130706431 192.0.2.2 40000 typ host")},
        .n_candidates = 2,
    };
    memcpy(p->fingerprints[0].digest, identity.fingerprint.bytes, 32);
    memcpy(p->remote_ufrag, remote_ufrag, 5);
    memcpy(p->remote_pwd, pwd, sizeof(pwd));
}

static struct ice_candidate host(const struct addr *addr)
{
    return (struct ice_candidate){.type = ICE_HOST,
                                  .transport = ICE_UDP,
                                  .component = 1,
                                  .priority = ice_candidate_priority(ICE_HOST, 65535),
                                  .foundation = "1",
                                  .addr = *addr};
}

/* Leg 1 as if it were connected, with keys that nobody needs to know. */
static void connect_receiver(struct peer *p)
{
    static const uint8_t key[16] = {1}, salt[14] = {2};
    CHECK(!rtpsec_tx_init(&p->tx, provider, RTPSEC_AES_CM_128_HMAC_SHA1_80, key, salt));
    p->state = PEER_CONNECTED;
    p->has_path = true;
    p->path_local = addr_v4(192, 0, 2, 2, 40000);
    p->path_remote = addr_v4(192, 0, 2, 3, 5000);
}

static void set_up(struct script *s)
{
    struct peer_params params[3];
    const struct ice_candidate candidates[2] = {host(&s->addrs[0]), host(&s->addrs[1])};
    const struct peer_local browser = {.is_offerer = true,
                                       .ufrag = STR("brow"),
                                       .pwd = STR("passwordpasswordpassword"),
                                       .cname = STR("b"),
                                       .candidates = &candidates[0],
                                       .n_candidates = 1};
    struct peer_local leg = browser;
    leg.is_offerer = false;
    leg.ufrag = STR("rely");
    leg.candidates = &candidates[1];
    fill_params(&params[0], "brow", false);
    fill_params(&params[1], "brow", false);
    fill_params(&params[2], "rely", true);
    for (unsigned i = 0; i < 2; i++) {
        s->legs[i] = mem_zalloc_aligned(sizeof(*s->legs[i]));
        CHECK(s->legs[i] && !relay_webrtc_init(s->legs[i], s->now, &params[i], &leg, &s->env));
    }
    relay_connect(&s->legs[0]->endpoint, &s->legs[1]->endpoint);
    s->leg = &s->legs[0]->peer;
    s->browser = mem_zalloc_aligned(sizeof(*s->browser));
    CHECK(s->browser);
    CHECK(!peer_init(s->browser, s->now, &params[2], &browser, &s->env));
    connect_receiver(&s->legs[1]->peer);
}

/* --- what the leg promises --- */

static void enqueue(struct script *s, struct peer *to, const uint8_t *data, size_t len)
{
    if (s->n == QUEUE)
        return;
    struct packet *p = &s->queue[s->n++];
    p->to = to;
    p->len = len;
    memcpy(p->data, data, len);
}

static void drain_browser(struct script *s)
{
    struct peer_event event;
    uint8_t buf[CAP];
    while (peer_poll_event(s->browser, &event))
        continue;
    for (;;) {
        struct dgram d = {.data = buf, .cap = sizeof(buf)};
        if (!peer_poll_send(s->browser, &d))
            break;
        if (addr_equal(&d.remote, &s->addrs[1]))
            enqueue(s, s->leg, buf, d.len);
    }
}

static void drain_leg(struct script *s)
{
    struct peer_event event;
    uint8_t buf[CAP];
    while (peer_poll_event(s->leg, &event)) {
        CHECK(!s->has_ended);
        s->has_ended = event.type == PEER_EVENT_ENDED;
    }
    CHECK(!s->has_ended || s->leg->state == PEER_ENDED);
    for (;;) {
        struct dgram d = {.data = buf, .cap = sizeof(buf)};
        if (!peer_poll_send(s->leg, &d))
            break;
        CHECK(d.len > 0 && d.len <= DGRAM_MAX && d.remote.port != 0);
        CHECK(s->leg->state != PEER_ENDED || ++s->n_farewell <= MAX_FAREWELL);
        if (addr_equal(&d.remote, &s->addrs[0]))
            enqueue(s, s->browser, buf, d.len);
    }
    CHECK(s->leg->state != PEER_ENDED || peer_deadline(s->leg) == MONO_NEVER);
}

static void leg_forward(struct script *s, struct dgram *d)
{
    uint8_t buf[CAP];
    struct dgram spare = {.data = buf, .cap = sizeof(buf)};
    struct relay_fan fan;
    struct relay_out out;
    size_t header_len;
    if (relay_webrtc_receive(s->legs[0], s->now, d, &fan))
        return;
    while (relay_fan_next(&fan, &spare, &out)) {
        CHECK(!out.error == (out.d != NULL));
        if (out.d)
            CHECK(!rtp_parse_header_len(out.d->data, out.d->len, &header_len) &&
                  out.d->len <= out.d->cap &&
                  get_be32(out.d->data + 8) == s->legs[1]->peer.local_ssrc);
    }
}

static void leg_input(struct script *s, const struct addr *from, const uint8_t *data, size_t len)
{
    uint8_t *exact = malloc(len + RTPSEC_RTP_OVERHEAD);
    CHECK(exact);
    if (len)
        memcpy(exact, data, len);
    struct dgram d = {.local = s->addrs[1],
                      .remote = *from,
                      .data = exact,
                      .len = len,
                      .cap = len + RTPSEC_RTP_OVERHEAD};
    if (rtp_is_rtp(exact, len)) {
        leg_forward(s, &d);
    } else {
        int err = peer_input(s->leg, s->now, &d);
        CHECK(err >= 0);
    }
    free(exact);
    drain_leg(s);
}

static void browser_input(struct script *s, const struct packet *p)
{
    uint8_t copy[CAP];
    struct dgram d = {.local = s->addrs[0],
                      .remote = s->addrs[1],
                      .data = copy,
                      .len = p->len,
                      .cap = sizeof(copy)};
    memcpy(copy, p->data, p->len);
    if (!rtp_is_rtp(copy, d.len))
        (void)!peer_input(s->browser, s->now, &d);
    drain_browser(s);
}

static void deliver(struct script *s, const struct packet *p)
{
    if (p->to == s->browser)
        browser_input(s, p);
    else
        leg_input(s, &s->addrs[0], p->data, p->len);
}

static bool deliver_next(struct script *s)
{
    if (s->n == 0)
        return false;
    struct packet p = s->queue[0];
    memmove(s->queue, s->queue + 1, --s->n * sizeof(p));
    deliver(s, &p);
    return true;
}

static void time_out(struct script *s)
{
    if (peer_deadline(s->browser) <= s->now) {
        peer_timeout(s->browser, s->now);
        drain_browser(s);
    }
    if (peer_deadline(s->leg) > s->now)
        return;
    peer_timeout(s->leg, s->now);
    drain_leg(s);
    CHECK(peer_deadline(s->leg) > s->now);
}

/* --- operations --- */

static const uint8_t *take(struct script *s, size_t *ret_len)
{
    size_t len = bytes_get8(&s->in);
    if (len > s->in.left)
        len = s->in.left;
    *ret_len = len;
    return bytes_skip(&s->in, len);
}

static void damage_next(struct script *s)
{
    if (s->n == 0)
        return;
    struct packet *p = &s->queue[0];
    size_t at = bytes_get16(&s->in);
    uint8_t change = bytes_get8(&s->in);
    if (at < p->len)
        p->data[at] ^= change;
    else
        p->len = p->len * change / 255;
}

static void repeat_next(struct script *s)
{
    if (s->n)
        enqueue(s, s->queue[0].to, s->queue[0].data, s->queue[0].len);
}

static void raw(struct script *s)
{
    const struct addr stranger = addr_v4(198, 51, 100, 66, 666);
    bool is_stranger = bytes_get8(&s->in) & 1;
    size_t len;
    const uint8_t *bytes = take(s, &len);
    if (bytes)
        leg_input(s, is_stranger ? &stranger : &s->addrs[0], bytes, len);
}

/* The browser says what the script wants, with its own keys. */
static void protected(struct script *s, bool is_rtcp)
{
    uint8_t buf[CAP] = {0};
    size_t len;
    const uint8_t *bytes = take(s, &len);
    if (!bytes || s->browser->state != PEER_CONNECTED)
        return;
    memcpy(buf, bytes, len);
    int err = is_rtcp ? rtpsec_protect_rtcp(&s->browser->tx, provider, buf, &len, sizeof(buf))
                      : rtpsec_protect_rtp(&s->browser->tx, provider, buf, &len, sizeof(buf));
    if (!err)
        leg_input(s, &s->addrs[0], buf, len);
}

static void candidate(struct script *s)
{
    struct ice_candidate c;
    size_t len;
    const uint8_t *bytes = take(s, &len);
    struct str text = {(const char *)bytes, len};
    if (len == 0) {
        CHECK(peer_end_of_candidates(s->leg, s->now) == 0);
    } else if (bytes && !ice_candidate_parse(text, &c)) {
        int err = peer_add_candidate(s->leg, s->now, &c, ice_candidate_ufrag(text));
        if (err < 0) {
            peer_close(s->leg, s->now);
            s->has_ended = true;
        }
    }
    drain_leg(s);
}

/* The generation of ICE is the last character of both ufrags. */
static void name_generation(const struct script *s, char *ufrag)
{
    if (s->n_restarts)
        ufrag[3] = (char)('a' + s->n_restarts % 26);
}

static void follow_restart(struct script *s, const char *theirs, const char *ours)
{
    struct ice_agent *ice = &s->browser->ice;
    if (s->browser->state == PEER_ENDED ||
        ice_agent_restart(ice, s->now, str_of(theirs), str_of(pwd)) ||
        ice_agent_set_remote(ice, s->now, str_of(ours), str_of(pwd), false))
        return; /* memory fails for this side, too */
    const struct ice_candidate c = host(&s->addrs[1]);
    (void)!peer_add_candidate(s->browser, s->now, &c, STR(""));
    drain_browser(s);
}

/* A later offer; its first byte says what it changes, and whether the browser hears the answer. */
static void renegotiate(struct script *s)
{
    uint8_t how = bytes_get8(&s->in);
    bool is_restart = how & 1;
    char theirs[5] = "brow", ours[5] = "rely";
    struct peer_params params;
    s->n_restarts += is_restart;
    name_generation(s, theirs);
    name_generation(s, ours);
    fill_params(&params, theirs, false);
    params.may_send = how & 2;
    params.may_receive = how & 4;
    params.codecs[0].pt = how & 8 ? 112 : 111;
    params.ext_send[0] = params.ext_recv[0] = how & 16 ? 3 : 1;
    int err = relay_webrtc_renegotiate(s->legs[0], s->now, &params,
                                       is_restart ? str_of(ours) : STR(""), str_of(pwd));
    CHECK(err <= 0);
    if (err < 0) {
        peer_close(s->leg, s->now);
        s->has_ended = true;
    } else if (is_restart && how & 32) {
        follow_restart(s, theirs, ours);
    }
    drain_leg(s);
}

static void pass_time(struct script *s)
{
    s->now += (mono_us)bytes_get16(&s->in) * US_PER_MS / 4;
    time_out(s);
}

/* To what is due next, which may be far. */
static void skip_time(struct script *s)
{
    mono_us at = mono_min(peer_deadline(s->leg), peer_deadline(s->browser));
    if (at == MONO_NEVER)
        return;
    s->now = at > s->now ? at : s->now;
    time_out(s);
}

static void run(struct script *s)
{
    for (unsigned ops = 0; ops < MAX_OPS && s->in.left; ops++) {
        switch (bytes_get8(&s->in) % 14) {
        case 0:
            (void)deliver_next(s);
            break;
        case 1:
            if (s->n)
                memmove(s->queue, s->queue + 1, --s->n * sizeof(s->queue[0]));
            break;
        case 2:
            repeat_next(s);
            break;
        case 3:
            damage_next(s);
            break;
        case 4:
            raw(s);
            break;
        case 5:
        case 6:
            protected
            (s, false);
            break;
        case 7:
            protected
            (s, true);
            break;
        case 8:
            candidate(s);
            break;
        case 9:
            pass_time(s);
            break;
        case 10:
            skip_time(s);
            break;
        case 11:
            mem_fail_at(1u + bytes_get8(&s->in) % 8);
            break;
        case 12:
            while (deliver_next(s))
                continue;
            break;
        case 13:
            renegotiate(s);
            break;
        }
    }
}

/* --- how far it gets by itself --- */

static void connect_until(struct script *s, enum peer_state state)
{
    drain_leg(s);
    drain_browser(s);
    for (unsigned n = 0; n < 200 && s->leg->state < state; n++) {
        if (!deliver_next(s))
            skip_time(s);
    }
    CHECK(s->leg->state >= state);
}

static void begin(struct script *s, uint8_t how)
{
    switch (how % 5) {
    case 0:
        break;
    case 1:
        drain_browser(s);
        break;
    case 2:
        connect_until(s, PEER_SECURING);
        break;
    case 3:
        connect_until(s, PEER_CONNECTED);
        while (s->browser->state != PEER_CONNECTED && deliver_next(s))
            continue;
        break;
    case 4:
        connect_until(s, PEER_CONNECTED);
        peer_close(s->leg, s->now);
        s->has_ended = true; /* no event may come any more */
        drain_leg(s);
        break;
    }
}

static void init_once(void)
{
    int err = 0;
    if (context)
        return;
    CHECK(!dtls_identity_init(&identity, 1700000000));
    CHECK(!dtls_context_new(&identity, &context));
    provider = rtpsec_provider_new(RTPSEC_PROVIDER_AUTO, &err);
    CHECK(provider);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    init_once();
    struct script *s = calloc(1, sizeof(*s));
    CHECK(s);
    s->in = bytes_reader(data, size);
    s->now = 1000 * US_PER_S;
    s->addrs[0] = addr_v4(192, 0, 2, 1, 5000);
    s->addrs[1] = addr_v4(192, 0, 2, 2, 40000);
    rng_init_seeded(&s->rng, 7);
    s->env = (struct peer_env){.srtp = provider, .dtls = context, .rng = &s->rng};
    set_up(s);
    begin(s, bytes_get8(&s->in));
    run(s);
    mem_fail_at(0);
    for (unsigned i = 0; i < 2; i++) {
        relay_webrtc_deinit(s->legs[i]);
        mem_free(s->legs[i]);
    }
    peer_deinit(s->browser);
    mem_free(s->browser);
    free(s);
    return 0;
}
