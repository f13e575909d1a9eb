/* fuzz: duet_peer duet_sdp duet_rtp duet_base */
/* A description of plain RTP, a NUL, and datagrams: each with a byte for its sender and port, a
 * byte for the time since the last one, and a length byte. What we answer we must be able to read
 * as an offer with the same codecs; media goes to addresses that were named or that sent something,
 * and to no others. */
#include <assert.h>
#include <stdlib.h>

#include "peer/plain_sdp.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define SENDERS 4

struct run {
    struct plain plain;
    struct plain_params params;
    struct addr senders[SENDERS];
    bool has_sent[SENDERS];
    mono_us now;
};

static struct plain_side side(void)
{
    return (struct plain_side){
        .addr = addr_v4(192, 0, 2, 1, 41000),
        .rtcp_port = 41001,
        .ssrc = 0xcafe0001,
        .cname = {"cname", 5},
        .session_id = 1,
        .session_version = 1,
    };
}

static void check_params(const struct plain_params *p)
{
    assert(p->media.n_codecs >= 1 && p->media.n_codecs <= PEER_MAX_CODECS);
    assert(p->media.codecs[0].id < CODEC_CN);
    assert(p->media.n_ssrcs <= PEER_MAX_SSRCS);
    assert(addr_is_any(&p->rtp) || addr_is_unicast(&p->rtp));
}

/* @return false = refused */
static bool answer(struct str offer, struct plain_params *ret)
{
    static char buf[NEGOTIATE_ANSWER_MAX];
    const struct plain_side ours = side();
    struct negotiate_error err = {0};
    struct plain_params again;
    struct addr remote;
    struct text text;
    struct sdp sdp, own;
    if (sdp_parse(&sdp, offer, NULL))
        return false;
    text_init(&text, buf, sizeof(buf));
    int found = plain_sdp_remote(&sdp, &remote, &err);
    int code = plain_sdp_answer(&sdp, &ours, ret, &text, &err);
    assert(code ? err.attribute && err.text : !found);
    sdp_deinit(&sdp);
    if (code)
        return false;
    check_params(ret);
    int parsed = sdp_parse(&own, text_str(&text), NULL);
    assert(parsed <= 0);
    if (parsed)
        return true;
    char *other = malloc(NEGOTIATE_ANSWER_MAX);
    text_init(&text, other, other ? NEGOTIATE_ANSWER_MAX : 1);
    code = other ? plain_sdp_answer(&own, &ours, &again, &text, &err) : 1;
    assert(!other || code == 0 || code == NEGOTIATE_E_TOO_LONG);
    assert(code || again.media.n_codecs == ret->media.n_codecs);
    free(other);
    sdp_deinit(&own);
    return true;
}

static void accept(struct str text)
{
    char buf[2048];
    const struct plain_side ours = side();
    struct negotiate_error err = {0};
    struct plain_params params;
    struct sdp offer, answer;
    struct text t;
    text_init(&t, buf, sizeof(buf));
    int code = plain_sdp_offer(&ours, &t);
    assert(code == 0);
    if (sdp_parse(&offer, text_str(&t), NULL))
        return;
    if (!sdp_parse(&answer, text, NULL)) {
        code = plain_sdp_accept(&offer, &answer, &ours, &params, &err);
        assert(code == 0 || (err.attribute && err.text));
        if (code == 0)
            check_params(&params);
        sdp_deinit(&answer);
    }
    sdp_deinit(&offer);
}

static void check_remote(const struct run *r, const struct addr *to)
{
    bool is_known = addr_equal(to, &r->params.rtp) || addr_equal(to, &r->params.rtcp);
    for (unsigned i = 0; i < SENDERS; i++)
        is_known |= r->has_sent[i] && addr_equal(to, &r->senders[i]);
    assert(is_known);
}

static void drain(struct run *r)
{
    uint8_t buf[DGRAM_MAX + 64];
    struct dgram d = {.data = buf, .cap = sizeof(buf)};
    struct peer_event event;
    while (plain_poll_event(&r->plain, &event))
        ;
    while (plain_poll_send(&r->plain, &d)) {
        assert(d.len <= DGRAM_MAX);
        check_remote(r, &d.remote);
    }
    while (plain_deadline(&r->plain) <= r->now) {
        plain_timeout(&r->plain, r->now);
        if (!plain_poll_send(&r->plain, &d))
            break;
        check_remote(r, &d.remote);
    }
}

/* What came goes back: the packet is also one that we send. */
static void feed(struct run *r, unsigned sender, const uint8_t *data, size_t len)
{
    uint8_t *copy = malloc(len ? len : 1); /* exact: one byte too far is seen */
    struct rtp_packet packet;
    if (!copy)
        return;
    if (len)
        memcpy(copy, data, len);
    struct dgram d = {.local = r->plain.local.rtp,
                      .remote = r->senders[sender],
                      .data = copy,
                      .len = len,
                      .cap = len};
    r->has_sent[sender] = true;
    if (!rtp_is_rtp(copy, len))
        (void)plain_input(&r->plain, r->now, &d);
    else if (!plain_receive_rtp(&r->plain, r->now, &d, &packet) &&
             !plain_send_rtp(&r->plain, r->now, &d, &packet))
        check_remote(r, &d.remote);
    drain(r);
    free(copy);
}

static void play(struct run *r, const uint8_t *data, size_t size)
{
    while (size >= 3) {
        size_t len = data[2] < size - 3 ? data[2] : size - 3;
        r->now += (mono_us)data[1] * 20 * US_PER_MS;
        feed(r, data[0] % SENDERS, data + 3, len);
        data += 3 + len;
        size -= 3 + len;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct run r;
    struct rng rng;
    struct str rest = {(const char *)data, size};
    struct str text = str_take_until(&rest, 0);
    accept(text);
    r = (struct run){.now = US_PER_S};
    if (!answer(text, &r.params))
        return 0;
    rng_init_seeded(&rng, 1);
    const struct peer_env env = {.rng = &rng, .ntp_offset = UINT64_C(1) << 62};
    const struct plain_local local = {addr_v4(192, 0, 2, 1, 41000), addr_v4(192, 0, 2, 1, 41001),
                                      STR("cname")};
    r.senders[0] = r.params.rtp;
    r.senders[1] = r.params.rtcp;
    r.senders[2] = addr_v4(203, 0, 113, 1, 5000);
    r.senders[3] = addr_v4(203, 0, 113, 1, 5001);
    r.params.keys.profile = RTPSEC_NONE; /* what it is about needs no key: fuzz_srtp.c has those */
    if (plain_init(&r.plain, r.now, &r.params, &local, &env))
        return 0;
    play(&r, (const uint8_t *)rest.p, rest.len);
    plain_close(&r.plain, r.now);
    drain(&r);
    plain_deinit(&r.plain);
    return 0;
}
