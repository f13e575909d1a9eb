/*
 * A real engine with real sockets on the loopback interface, and browsers that call through it.
 *
 *     browser 2c ─ UDP ─┐                            ┌─ UDP ─ browser 2c + 1
 *                       │ (or TCP, when has_no_udp)  │
 *                       └─ engine, call id c + 1 ────┘
 *
 * A browser is a struct peer in the offering role behind a socket of its own; its offer is a
 * recorded one with its own credentials and fingerprint, and all that it knows of the engine stands
 * in the answer. Everything of the control side happens on the test's thread. Nothing sleeps for
 * a guessed time: bench_wait polls until a condition holds.
 */
#ifndef TEST_ENGINE_BENCH_H
#define TEST_ENGINE_BENCH_H

#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/mem.h"
#include "engine/engine.h"
#include "engine/framing.h"
#include "engine/socket.h"
#include "peer/peer.h"
#include "sdp/sdp.h"

#define BENCH_MAX_CALLS    96
#define BENCH_MAX_BROWSERS (2 * BENCH_MAX_CALLS)
#define BENCH_LEGS         8 /* of one pipeline; a call has two */

/* Far above what anything here takes; a test that gets there has failed. */
#define BENCH_LIMIT (120 * US_PER_S) /* reached only when something is wrong */

static const uint8_t bench_payload[] = {0x78, 1, 2, 3, 4, 5, 6, 7, 8, 9};

struct browser {
    bool is_open;
    struct socket socket;
    bool has_no_udp;      /* set before it is answered: it connects by TCP, and by nothing else */
    int tcp_fd;           /* 0 = none */
    struct addr tcp_addr; /* its end of the connection */
    struct addr tcp_remote;
    struct framing_in tcp_in;
    struct peer *peer; /* NULL until it was answered */
    char ufrag[9], pwd[25];
    char offer[8192];
    bool is_lite, has_left;
    bool is_answerer;   /* set before it is answered: what it gets is an offer */
    struct addr inside; /* behind a NAT: what it takes for its address; port 0 = there is none */
    bool connected, ended;
    unsigned n_rtp;
    struct rtp_packet rtp; /* the last one */
    uint8_t rtp_data[DGRAM_MAX];
};

struct bench_call {
    bool connected[BENCH_LEGS], ended[BENCH_LEGS], endpoint_gone[BENCH_LEGS], gone;
    unsigned n_ended[BENCH_LEGS], n_gone;
    enum engine_end end[BENCH_LEGS];
    struct engine_stats stats[BENCH_LEGS]; /* of the last snapshot, or of its end */
    unsigned n_snapshots, snapshot_tag;
    unsigned n_played, played_tag;
    struct engine_path path[BENCH_LEGS]; /* the last one told */
    unsigned n_paths[BENCH_LEGS];
};

struct bench {
    struct rng rng;
    struct engine *engine;
    int wake_fd;
    _Atomic(unsigned) fail_worker_at; /* wake makes this allocation of its thread fail; 0 = none */
    struct engine_answers *answers;   /* of the last call */
    struct dtls_identity identity;    /* of all browsers */
    struct peer_env env;              /* of those with full ICE */
    struct peer_env lite_env;
    struct browser *browsers;
    struct bench_call calls[BENCH_MAX_CALLS];
};

static inline mono_us bench_now(void)
{
    struct timespec ts;
    (void)clock_gettime(CLOCK_MONOTONIC, &ts);
    return (mono_us)ts.tv_sec * US_PER_S + ts.tv_nsec / 1000;
}

/* On a worker's thread. */
static inline void bench_wake(void *user)
{
    struct bench *b = user;
    uint64_t one = 1;
    unsigned fail_at = atomic_exchange(&b->fail_worker_at, 0);
    if (fail_at)
        mem_fail_at(fail_at);
    ssize_t n = write(b->wake_fd, &one, sizeof(one));
    (void)n; /* fails only when it is awake already */
}

/* Two workers on ports of the system's choice; `wake` is the bench's. */
static inline struct engine_config bench_config(void)
{
    return (struct engine_config){.listen = addr_v4(127, 0, 0, 1, 0), .workers = 2};
}

static inline struct engine *bench_engine(struct bench *b, struct engine_config config, char *error)
{
    config.wake = bench_wake;
    config.wake_user = b;
    return engine_new(&config, &b->rng, error);
}

static inline struct bench *bench_new_with(struct engine_config config)
{
    struct bench *b = calloc(1, sizeof(*b));
    char error[ENGINE_ERROR_MAX];
    int err = 0;
    assert_non_null(b);
    rng_init_system(&b->rng);
    b->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    assert_true(b->wake_fd >= 0);
    b->engine = bench_engine(b, config, error);
    assert_non_null(b->engine);
    b->answers = malloc(sizeof(*b->answers));
    b->browsers = calloc(BENCH_MAX_BROWSERS, sizeof(*b->browsers));
    assert_true(b->answers && b->browsers);
    assert_int_equal(dtls_identity_init(&b->identity, 1700000000), 0);
    b->env = (struct peer_env){.srtp = rtpsec_provider_new(RTPSEC_PROVIDER_AUTO, &err),
                               .rng = &b->rng,
                               .ntp_offset = UINT64_C(0xe0000000) << 32};
    assert_non_null(b->env.srtp);
    assert_int_equal(dtls_context_new(&b->identity, &b->env.dtls), 0);
    b->lite_env = b->env;
    b->lite_env.ice_lite = true;
    return b;
}

static inline struct bench *bench_new(void)
{
    return bench_new_with(bench_config());
}

static inline void browser_close(struct browser *br)
{
    if (!br->is_open)
        return;
    socket_close(&br->socket);
    if (br->tcp_fd)
        (void)close(br->tcp_fd);
    if (br->peer)
        peer_deinit(br->peer);
    mem_free(br->peer);
    *br = (struct browser){0};
}

static inline void bench_free(struct bench *b)
{
    engine_free(b->engine);
    for (unsigned i = 0; i < BENCH_MAX_BROWSERS; i++)
        browser_close(&b->browsers[i]);
    dtls_context_free(b->env.dtls);
    rtpsec_provider_free(b->env.srtp);
    dtls_identity_deinit(&b->identity);
    (void)close(b->wake_fd);
    free(b->browsers);
    free(b->answers);
    free(b);
}

/* --- offers and answers --- */

static inline size_t bench_read_file(const char *name, char *buf, size_t size)
{
    char path[512];
    (void)snprintf(path, sizeof(path), "%s/sdp/%s", DUET_TEST_DATA, name);
    FILE *f = fopen(path, "rb");
    assert_non_null(f);
    size_t n = fread(buf, 1, size - 1, f);
    (void)fclose(f);
    assert_true(n > 0 && n < size - 1);
    buf[n] = 0;
    return n;
}

/* The recorded offer with this browser's own credentials; its candidates are trickled. */
static inline void browser_write_offer(struct bench *b, struct browser *br, const char *file)
{
    char recorded[8192], fingerprint[256];
    struct text f, t;
    struct str rest = {recorded, bench_read_file(file, recorded, sizeof(recorded))};
    text_init(&f, fingerprint, sizeof(fingerprint));
    struct sdp_fingerprint ours = {.hash = SDP_SHA256, .len = 32};
    memcpy(ours.digest, b->identity.fingerprint.bytes, 32);
    sdp_fingerprint_write(&f, &ours);
    text_init(&t, br->offer, sizeof(br->offer));
    while (rest.len) {
        struct str line = str_trim(str_take_until(&rest, '\n'));
        if (str_starts_with(line, STR("a=candidate")) ||
            str_starts_with(line, STR("a=end-of-candidates")))
            continue;
        if (str_eq(line, STR("a=ice-lite")))
            br->is_lite = true;
        if (str_starts_with(line, STR("a=ice-ufrag:")))
            text_printf(&t, "a=ice-ufrag:%s\r\n", br->ufrag);
        else if (str_starts_with(line, STR("a=ice-pwd:")))
            text_printf(&t, "a=ice-pwd:%s\r\n", br->pwd);
        else if (str_starts_with(line, STR("a=fingerprint:")))
            text_put(&t, text_str(&f));
        else
            text_printf(&t, "%.*s\r\n", STR_FMT(line));
    }
    assert_false(t.failed);
}

static inline struct browser *browser_open(struct bench *b, unsigned i, const char *file)
{
    const struct addr any_port = addr_v4(127, 0, 0, 1, 0);
    struct browser *br = &b->browsers[i];
    assert_false(br->is_open);
    assert_int_equal(socket_open(&br->socket, &any_port), 0);
    br->is_open = true;
    rng_ice_chars(&b->rng, br->ufrag, sizeof(br->ufrag) - 1);
    rng_ice_chars(&b->rng, br->pwd, sizeof(br->pwd) - 1);
    browser_write_offer(b, br, file);
    return br;
}

/* What a browser calls its only connection. */
#define BENCH_CONNECTION 7

/** @return 0, or the errno of connect */
static inline int browser_try_connect(struct browser *br, const struct addr *to)
{
    struct sockaddr_storage sa = {.ss_family = AF_INET};
    struct sockaddr_in *in = (struct sockaddr_in *)&sa;
    socklen_t len = sizeof(*in);
    if (br->tcp_fd)
        (void)close(br->tcp_fd);
    in->sin_port = htons(to->port);
    memcpy(&in->sin_addr, to->ip + 12, 4);
    br->tcp_fd = socket(AF_INET, SOCK_STREAM, 0);
    assert_true(br->tcp_fd > 0);
    if (connect(br->tcp_fd, (struct sockaddr *)&sa, len))
        return errno;
    len = sizeof(sa);
    assert_int_equal(getsockname(br->tcp_fd, (struct sockaddr *)&sa, &len), 0);
    assert_true(socket_addr_from_sa((struct sockaddr *)&sa, &br->tcp_addr));
    br->tcp_addr.tcp = ADDR_TCP;
    br->tcp_remote = *to;
    br->tcp_remote.tcp = BENCH_CONNECTION;
    br->tcp_in = (struct framing_in){0};
    return 0;
}

static inline void browser_connect(struct browser *br, const struct addr *to)
{
    int err = browser_try_connect(br, to);
    if (err)
        fail_msg("connect: %s", strerror(err));
}

static inline struct ice_candidate browser_tcp_candidate(const struct browser *br)
{
    return (struct ice_candidate){
        .type = ICE_HOST,
        .transport = ICE_TCP,
        .tcptype = ICE_TCP_ACTIVE,
        .component = 1,
        .priority = ice_candidate_tcp_priority(ICE_HOST, ICE_TCP_ACTIVE, ICE_OTHER_PREFERENCE_MAX),
        .foundation = "2",
        .addr = br->tcp_addr};
}

static inline struct ice_candidate browser_candidate(const struct browser *br)
{
    if (br->has_no_udp)
        return browser_tcp_candidate(br);
    return (struct ice_candidate){.type = ICE_HOST,
                                  .transport = ICE_UDP,
                                  .component = 1,
                                  .priority = ice_candidate_priority(ICE_HOST, 65535),
                                  .foundation = "1",
                                  .addr = br->socket.bound};
}

static inline struct str sdp_value(const struct sdp *sdp, const struct sdp_media *m,
                                   struct str name)
{
    const struct sdp_attr *a = sdp_find_inherited(sdp, m, name);
    return a ? a->value : STR("");
}

static inline const struct sdp_media *audio_of(const struct sdp *sdp)
{
    for (unsigned i = 0; i < sdp->n_media; i++) {
        if (str_eq(sdp->media[i].type, STR("audio")) && sdp->media[i].port)
            return &sdp->media[i];
    }
    return NULL;
}

/* What the browser makes of its answer. */
static inline void read_answer(struct str text, struct peer_params *p)
{
    struct sdp sdp;
    struct sdp_rtpmap map;
    enum sdp_setup setup;
    uint64_t pt;
    *p = (struct peer_params){.n_fingerprints = 1, .n_codecs = 1};
    assert_int_equal(sdp_parse(&sdp, text, NULL), 0);
    const struct sdp_media *m = audio_of(&sdp);
    assert_non_null(m);
    struct str formats = m->formats;
    assert_true(str_to_u64(str_take_word(&formats), 127, &pt));
    p->codecs[0] = (struct peer_codec){CODEC_OPUS, (uint8_t)pt, 2, 48000};
    if (sdp_find_rtpmap(&sdp, m, (uint8_t)pt, &map))
        p->codecs[0].clock_rate = map.clock_rate;
    assert_true(
        str_copy(sdp_value(&sdp, m, STR("ice-ufrag")), p->remote_ufrag, sizeof(p->remote_ufrag)));
    assert_true(str_copy(sdp_value(&sdp, m, STR("ice-pwd")), p->remote_pwd, sizeof(p->remote_pwd)));
    p->remote_lite = sdp_find(&sdp, NULL, STR("ice-lite")) != NULL;
    assert_int_equal(
        sdp_fingerprint_parse(sdp_value(&sdp, m, STR("fingerprint")), &p->fingerprints[0]), 0);
    assert_true(sdp_setup_parse(sdp_value(&sdp, m, STR("setup")), &setup));
    p->dtls_client = setup != SDP_SETUP_ACTIVE; /* which whom we offered chooses, too */
    enum sdp_direction direction = sdp_find_direction(&sdp, m);
    p->may_send = direction & SDP_RECVONLY;
    p->may_receive = direction & SDP_SENDONLY;
    sdp_deinit(&sdp);
}

/* The candidate of the server that this browser can use, as it uses it. @return false: none */
static inline bool browser_choose(const struct browser *br, struct str text,
                                  struct ice_candidate *ret)
{
    assert_int_equal(ice_candidate_parse(text, ret), 0);
    if ((ret->transport == ICE_TCP) != br->has_no_udp)
        return false;
    if (ret->transport == ICE_TCP)
        ret->addr.tcp = BENCH_CONNECTION;
    return true;
}

static inline void browser_put(struct browser *br, const struct dgram *d)
{
    static struct framing_out out;
    size_t len;
    if (!d->remote.tcp) {
        socket_tx_batch(&br->socket, d, 1);
        return;
    }
    assert_true(framing_out_put(&out, d->data, d->len, 0));
    const uint8_t *p = framing_out_peek(&out, &len);
    (void)!send(br->tcp_fd, p, len, MSG_NOSIGNAL); /* may be closed by the other side */
    framing_out_sent(&out, len);
}

static inline void browser_drain(struct browser *br)
{
    uint8_t buf[DGRAM_MAX + SOCKET_TAIL_ROOM];
    struct peer_event event;
    while (peer_poll_event(br->peer, &event)) {
        br->connected |= event.type == PEER_EVENT_CONNECTED;
        br->ended |= event.type == PEER_EVENT_ENDED;
    }
    struct dgram d = {.data = buf, .cap = sizeof(buf)};
    while (peer_poll_send(br->peer, &d)) {
        browser_put(br, &d);
        d = (struct dgram){.data = buf, .cap = sizeof(buf)};
    }
}

static inline void browser_answered(struct bench *b, struct browser *br,
                                    const struct engine_answer *answer)
{
    for (size_t i = 0; i < answer->n_candidates; i++) {
        struct ice_candidate c;
        if (br->has_no_udp && browser_choose(br, str_of(answer->candidates[i]), &c))
            browser_connect(br, &c.addr);
    }
    const struct ice_candidate host = browser_candidate(br);
    struct peer_params params;
    const struct peer_local local = {.is_offerer = !br->is_answerer,
                                     .ufrag = str_of(br->ufrag),
                                     .pwd = str_of(br->pwd),
                                     .cname = STR("browser"),
                                     .candidates = &host,
                                     .n_candidates = 1};
    read_answer(str_of(answer->sdp), &params);
    params.local_ssrc = rng_u32(&b->rng);
    br->peer = mem_zalloc_aligned(sizeof(struct peer));
    assert_non_null(br->peer);
    assert_int_equal(
        peer_init(br->peer, bench_now(), &params, &local, br->is_lite ? &b->lite_env : &b->env), 0);
    for (size_t i = 0; i < answer->n_candidates; i++) {
        struct ice_candidate c;
        if (browser_choose(br, str_of(answer->candidates[i]), &c))
            assert_int_equal(peer_add_candidate(br->peer, bench_now(), &c, STR("")), 0);
    }
    if (br->has_no_udp)
        browser_drain(br); /* what it asks by TCP, it asks once */
}

static inline void browser_trickle(struct bench *b, uint64_t id, unsigned leg,
                                   const struct browser *br)
{
    char text[ICE_CANDIDATE_TEXT_MAX];
    struct ice_candidate c = browser_candidate(br);
    if (c.transport == ICE_TCP)
        c.addr.port = 9; /* RFC 6544 §4.5: of an active one nobody needs it */
    (void)ice_candidate_write(&c, text);
    assert_int_equal(engine_add_candidate(b->engine, id, leg, str_of(text), str_of(br->ufrag)), 0);
}

static inline uint64_t bench_id(unsigned call)
{
    return call + 1;
}

/* Browsers 2c and 2c + 1 with these offers; what engine_call_start says. */
static inline int bench_start(struct bench *b, unsigned call, const char *const files[2])
{
    struct str offers[2];
    for (unsigned leg = 0; leg < 2; leg++)
        offers[leg] = str_of(browser_open(b, 2 * call + leg, files[leg])->offer);
    int err = engine_call_start(b->engine, bench_now(), bench_id(call), offers, b->answers);
    if (err > 0)
        print_message("refused: %s\n", b->answers->error);
    return err;
}

/* The answers reach the browsers, their candidates reach the engine. */
static inline void bench_answer(struct bench *b, unsigned call)
{
    for (unsigned leg = 0; leg < 2; leg++) {
        struct browser *br = &b->browsers[2 * call + leg];
        browser_answered(b, br, &b->answers->legs[leg]);
        browser_trickle(b, bench_id(call), leg, br);
    }
}

static inline void bench_call(struct bench *b, unsigned call)
{
    static const char *const files[2] = {"chromium_audio.sdp", "firefox_audio.sdp"};
    assert_int_equal(bench_start(b, call, files), 0);
    bench_answer(b, call);
}

/* --- the loop --- */

static inline void browser_input(struct browser *br, struct dgram *d)
{
    if (!rtp_is_rtp(d->data, d->len)) {
        int ignored = peer_input(br->peer, bench_now(), d);
        (void)ignored;
        return;
    }
    if (peer_receive_rtp(br->peer, bench_now(), d, &br->rtp))
        return;
    memcpy(br->rtp_data, d->data, d->len);
    br->n_rtp++;
}

static inline void browser_run_tcp(struct browser *br)
{
    uint8_t buf[DGRAM_MAX + SOCKET_TAIL_ROOM];
    size_t room;
    uint8_t *to = framing_in_room(&br->tcp_in, &room);
    ssize_t n = recv(br->tcp_fd, to, room, MSG_DONTWAIT);
    if (n > 0)
        framing_in_added(&br->tcp_in, (size_t)n);
    struct dgram d = {
        .local = br->tcp_addr, .remote = br->tcp_remote, .data = buf, .cap = sizeof(buf)};
    while (!framing_in_next(&br->tcp_in, buf, &d.len))
        browser_input(br, &d);
}

static inline void browser_run(struct browser *br)
{
    struct dgram in[SOCKET_BATCH];
    if (!br->peer || br->has_left)
        return;
    size_t n = socket_rx_batch(&br->socket, in);
    for (size_t i = 0; i < n; i++) {
        if (br->inside.port)
            in[i].local = br->inside;
        browser_input(br, &in[i]);
    }
    if (br->tcp_fd)
        browser_run_tcp(br);
    if (peer_deadline(br->peer) <= bench_now())
        peer_timeout(br->peer, bench_now());
    browser_drain(br);
}

static inline void note_event(struct bench *b, const struct engine_event *event)
{
    assert_in_range(event->pipeline, 1, BENCH_MAX_CALLS);
    struct bench_call *call = &b->calls[event->pipeline - 1];
    assert_false(call->gone); /* GONE is the last one */
    switch (event->type) {
    case ENGINE_EVENT_PATH:
        call->path[event->endpoint] = event->path;
        call->n_paths[event->endpoint]++;
        break;
    case ENGINE_EVENT_CONNECTED:
        call->connected[event->endpoint] = true;
        break;
    case ENGINE_EVENT_SNAPSHOT:
        call->n_snapshots++;
        call->snapshot_tag = event->tag;
        call->stats[event->endpoint] = *event->stats;
        break;
    case ENGINE_EVENT_PLAYED:
        call->n_played++;
        call->played_tag = event->tag;
        break;
    case ENGINE_EVENT_ENDED:
        call->ended[event->endpoint] = true;
        call->n_ended[event->endpoint]++;
        call->end[event->endpoint] = event->end;
        break;
    case ENGINE_EVENT_ENDPOINT_GONE:
        call->endpoint_gone[event->endpoint] = true;
        call->stats[event->endpoint] = *event->stats;
        break;
    case ENGINE_EVENT_GONE:
        call->gone = true;
        call->n_gone++;
        break;
    }
}

static inline void bench_poll_events(struct bench *b)
{
    struct engine_event event;
    for (unsigned front = 0; front < ENGINE_N_FRONTS; front++) {
        while (engine_poll_event(b->engine, (enum engine_front)front, &event))
            note_event(b, &event);
    }
}

static inline mono_us browsers_deadline(const struct bench *b)
{
    mono_us at = MONO_NEVER;
    for (unsigned i = 0; i < BENCH_MAX_BROWSERS; i++) {
        const struct browser *br = &b->browsers[i];
        if (br->peer && !br->has_left)
            at = mono_min(at, peer_deadline(br->peer));
    }
    return at;
}

static inline void bench_sleep(struct bench *b, mono_us until)
{
    struct pollfd fds[BENCH_MAX_BROWSERS * (SOCKET_FAMILIES + 1) + 1] = {
        {.fd = b->wake_fd, .events = POLLIN}};
    nfds_t n = 1;
    for (unsigned i = 0; i < BENCH_MAX_BROWSERS; i++) {
        const struct browser *br = &b->browsers[i];
        if (br->peer && !br->has_left)
            n += socket_poll_fds(&br->socket, fds + n);
        if (br->peer && !br->has_left && br->tcp_fd)
            fds[n++] = (struct pollfd){.fd = br->tcp_fd, .events = POLLIN};
    }
    mono_us wait = mono_min(until, browsers_deadline(b)) - bench_now();
    int r = poll(fds, n, wait > 0 ? (int)((wait + 999) / 1000) : 0);
    assert_true(r >= 0 || errno == EINTR);
    uint64_t count;
    ssize_t got = read(b->wake_fd, &count, sizeof(count));
    (void)got;
}

static inline void bench_turn(struct bench *b, mono_us until)
{
    bench_sleep(b, until);
    for (unsigned i = 0; i < BENCH_MAX_BROWSERS; i++)
        browser_run(&b->browsers[i]);
    bench_poll_events(b);
}

typedef bool (*bench_condition)(struct bench *b, unsigned call);

/* Until the condition holds for the calls 0 … n - 1. */
static inline void bench_wait_all(struct bench *b, bench_condition holds, unsigned n)
{
    mono_us limit = bench_now() + BENCH_LIMIT;
    for (unsigned call = 0; call < n;) {
        if (holds(b, call)) {
            call++;
            continue;
        }
        if (bench_now() >= limit)
            fail_msg("call %u: nothing happened within %d s", call, (int)(BENCH_LIMIT / US_PER_S));
        bench_turn(b, limit);
    }
}

static inline void bench_wait(struct bench *b, bench_condition holds, unsigned call)
{
    mono_us limit = bench_now() + BENCH_LIMIT;
    while (!holds(b, call)) {
        if (bench_now() >= limit)
            fail_msg("call %u: nothing happened within %d s", call, (int)(BENCH_LIMIT / US_PER_S));
        bench_turn(b, limit);
    }
}

/* --- conditions --- */

static inline bool is_connected(struct bench *b, unsigned call)
{
    const struct bench_call *c = &b->calls[call];
    return c->connected[0] && c->connected[1] && b->browsers[2 * call].connected &&
           b->browsers[2 * call + 1].connected;
}

static inline bool is_gone(struct bench *b, unsigned call)
{
    return b->calls[call].gone;
}

/* --- media --- */

static inline void browser_send(struct browser *br, uint16_t seq, const uint8_t *payload,
                                size_t len)
{
    uint8_t buf[DGRAM_MAX + SOCKET_TAIL_ROOM];
    struct rtp_packet packet;
    struct bytes_writer w = bytes_writer(buf, DGRAM_MAX);
    bytes_put8(&w, 0x80);
    bytes_put8(&w, br->peer->codecs[0].pt);
    bytes_put16(&w, seq);
    bytes_put32(&w, seq * 960u);
    bytes_put32(&w, br->peer->local_ssrc);
    bytes_put(&w, payload, len);
    assert_false(w.failed);
    assert_int_equal(rtp_parse(buf, w.len, &packet), 0);
    struct dgram d = {.data = buf, .len = w.len, .cap = sizeof(buf)};
    assert_int_equal(peer_send_rtp(br->peer, bench_now(), &d, &packet), 0);
    browser_put(br, &d);
}

#endif
