/* Plain RTP over real sockets: ports of the range, media both ways, strangers, the end. */
#include <sys/resource.h>

#include "bench.h"
#include "rtp/rtcp.h"

#define PIPELINE   1
#define MAX_PACKET 1500

/* Each test has addresses of its own, so that nobody else's ports are in the way. */
struct world {
    struct bench *b;
    struct addr ours, theirs, stranger;
    char sdp[ENGINE_ANSWER_MAX], error[ENGINE_ERROR_MAX];
};

static struct addr loopback(struct bench *b, uint8_t last)
{
    return addr_v4(127, (uint8_t)(1 + rng_below(&b->rng, 250)),
                   (uint8_t)(1 + rng_below(&b->rng, 250)), last, 0);
}

/* @param external  what stands for our address outside; NULL = nothing */
static struct world *world_outside(uint16_t first, uint16_t last, const struct addr *external)
{
    struct world *w = calloc(1, sizeof(*w));
    struct engine_config config = bench_config();
    struct bench seed;
    assert_non_null(w);
    rng_init_system(&seed.rng);
    w->ours = loopback(&seed, 1);
    w->theirs = loopback(&seed, 2);
    w->stranger = loopback(&seed, 3);
    config.listen = w->ours;
    config.rtp_first = first;
    config.rtp_last = last;
    config.external_ips = external;
    config.n_external_ips = external != NULL;
    w->b = bench_new_with(config);
    assert_int_equal(engine_pipeline_new(w->b->engine, ENGINE_PIPELINES, PIPELINE), 0);
    return w;
}

static struct world *world_new(uint16_t first, uint16_t last)
{
    return world_outside(first, last, NULL);
}

static void world_free(struct world *w)
{
    bench_free(w->b);
    free(w);
}

/* --- the other end --- */

struct party {
    int rtp, rtcp;
    struct addr at;     /* of rtp; rtcp is the port above */
    struct addr server; /* where it sends its RTP */
    uint32_t ssrc;
    uint16_t seq;
};

static int open_at(const struct addr *at)
{
    struct sockaddr_storage sa;
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    socklen_t len = socket_addr_to_sa(false, at, &sa);
    assert_true(fd >= 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&sa, len), 0);
    return fd;
}

static struct party party_open(const struct addr *ip, uint16_t port)
{
    struct party p = {.at = *ip, .ssrc = 0xabc00000u + port, .seq = 65530};
    struct addr above;
    p.at.port = port;
    above = p.at;
    above.port++;
    p.rtp = open_at(&p.at);
    p.rtcp = open_at(&above);
    return p;
}

static void party_close(struct party *p)
{
    (void)close(p->rtp);
    (void)close(p->rtcp);
}

static void send_bytes(int fd, const struct addr *to, const uint8_t *data, size_t len)
{
    struct sockaddr_storage sa;
    socklen_t sa_len = socket_addr_to_sa(false, to, &sa);
    assert_int_equal(sendto(fd, data, len, 0, (struct sockaddr *)&sa, sa_len), (ssize_t)len);
}

static void talk(struct party *p, uint8_t pt, unsigned n)
{
    uint8_t packet[RTP_HEADER_LEN + 4] = {0x80, pt};
    put_be32(packet + 8, p->ssrc);
    for (; n > 0; n--) {
        put_be16(packet + 2, p->seq);
        put_be32(packet + 4, p->seq * 160u);
        put_be16(packet + 12, p->seq++);
        send_bytes(p->rtp, &p->server, packet, sizeof(packet));
    }
}

/* @return length; 0 = nothing came within the limit */
static size_t hear(int fd, mono_us limit, uint8_t *buf)
{
    struct pollfd poll_fd = {.fd = fd, .events = POLLIN};
    if (poll(&poll_fd, 1, (int)(limit / 1000)) <= 0)
        return 0;
    ssize_t n = recv(fd, buf, MAX_PACKET, 0);
    return n > 0 ? (size_t)n : 0;
}

static void hears(const struct party *p, uint8_t pt, uint16_t first, unsigned n)
{
    uint8_t buf[MAX_PACKET];
    struct rtp_packet packet;
    for (unsigned i = 0; i < n; i++) {
        size_t len = hear(p->rtp, BENCH_LIMIT, buf);
        assert_int_equal(rtp_parse(buf, len, &packet), 0);
        assert_int_equal(packet.pt, pt);
        assert_int_equal(packet.payload_len, 4);
        assert_int_equal(get_be16(buf + packet.header_len), (uint16_t)(first + i));
    }
}

static void hears_nothing(const struct party *p)
{
    uint8_t buf[MAX_PACKET];
    assert_int_equal(hear(p->rtp, 0, buf), 0);
}

/* --- negotiation --- */

static const char *describe(const struct party *p, const char *rest)
{
    static char text[1024];
    char ip[ADDR_TEXT_MAX];
    (void)snprintf(text, sizeof(text),
                   "v=0\r\no=x 1 1 IN IP4 192.0.2.9\r\ns=-\r\nc=IN IP4 %s\r\nt=0 0\r\n"
                   "m=audio %u RTP/AVP 8 0 101\r\na=rtpmap:101 telephone-event/8000\r\n%s",
                   addr_write_ip(&p->at, ip), p->at.port, rest);
    return text;
}

/* The port that our description names. */
static uint16_t port_of(const char *text)
{
    struct sdp sdp;
    assert_int_equal(sdp_parse(&sdp, str_of(text), NULL), 0);
    uint16_t port = sdp.media[0].port;
    sdp_deinit(&sdp);
    return port;
}

static int answer(struct world *w, unsigned endpoint, const char *offer)
{
    return engine_plain_answer(w->b->engine, bench_now(), PIPELINE, endpoint, str_of(offer), NULL,
                               w->sdp, w->error);
}

static void join(struct world *w, unsigned endpoint, struct party *p, const char *rest)
{
    if (answer(w, endpoint, describe(p, rest)))
        fail_msg("%s", w->error);
    p->server = w->ours;
    p->server.port = port_of(w->sdp);
}

static void connect_both(struct world *w)
{
    assert_int_equal(engine_connect(w->b->engine, PIPELINE, 0, 1), 0);
    assert_int_equal(engine_connect(w->b->engine, PIPELINE, 1, 0), 0);
}

static struct engine_stats snapshot(struct world *w, unsigned endpoint)
{
    struct engine_event event;
    mono_us limit = bench_now() + BENCH_LIMIT;
    assert_int_equal(engine_snapshot(w->b->engine, PIPELINE, endpoint, 7), 0);
    while (bench_now() < limit) {
        if (engine_poll_event(w->b->engine, ENGINE_PIPELINES, &event) &&
            event.type == ENGINE_EVENT_SNAPSHOT)
            return *event.stats;
    }
    fail_msg("no snapshot");
    return (struct engine_stats){0};
}

static void release(struct world *w, unsigned endpoint)
{
    struct engine_event event;
    mono_us limit = bench_now() + BENCH_LIMIT;
    engine_endpoint_release(w->b->engine, PIPELINE, endpoint);
    while (bench_now() < limit) {
        if (engine_poll_event(w->b->engine, ENGINE_PIPELINES, &event) &&
            event.type == ENGINE_EVENT_ENDPOINT_GONE && event.endpoint == endpoint)
            return;
    }
    fail_msg("it is still there");
}

/* What was sent to it has been read. */
static struct engine_stats when_received(struct world *w, unsigned endpoint, uint32_t n)
{
    struct engine_stats stats;
    mono_us limit = bench_now() + BENCH_LIMIT;
    do
        stats = snapshot(w, endpoint);
    while (stats.media.up.packets + stats.packets_dropped < n && bench_now() < limit);
    return stats;
}

static bool ends_with_bye(const uint8_t *data, size_t len)
{
    struct rtcp_iter it = rtcp_packets(data, len);
    struct rtcp_packet packet = {.type = 0};
    while (rtcp_next(&it, &packet))
        ;
    return packet.type == RTCP_BYE;
}

/* --- tests --- */

/* The first packet of a source proves it, and is not passed on. */
static void two_phones_talk(void **state)
{
    (void)state;
    struct world *w = world_new(30000, 30009);
    struct party a = party_open(&w->theirs, 5000), b = party_open(&w->theirs, 6000);
    uint8_t buf[MAX_PACKET];
    join(w, 0, &a, "");
    join(w, 1, &b, "");
    assert_true(a.server.port % 2 == 0 && a.server.port >= 30000 && a.server.port < 30009);
    connect_both(w);
    talk(&a, 8, 11);
    hears(&b, 8, 65531, 10);
    talk(&b, 101, 11);
    hears(&a, 101, 65531, 10);
    const struct engine_stats stats = snapshot(w, 0);
    assert_int_equal(stats.packets_received, 10);
    assert_int_equal(stats.media.up.packets, 10);
    assert_int_equal(stats.media.down.packets, 10);
    release(w, 0);
    size_t len = hear(a.rtcp, BENCH_LIMIT, buf);
    assert_int_equal(rtcp_check(buf, len), 0);
    assert_true(ends_with_bye(buf, len));
    party_close(&a);
    party_close(&b);
    world_free(w);
}

static void a_stranger_changes_nothing(void **state)
{
    (void)state;
    struct world *w = world_new(30000, 30009);
    struct party a = party_open(&w->theirs, 5000), b = party_open(&w->theirs, 6000);
    struct party thief = party_open(&w->stranger, 5000);
    join(w, 0, &a, "");
    join(w, 1, &b, "");
    connect_both(w);
    talk(&a, 8, 2);
    hears(&b, 8, 65531, 1);
    thief.server = a.server;
    thief.ssrc = a.ssrc;
    thief.seq = a.seq;
    talk(&thief, 8, 50);
    talk(&a, 8, 3);
    hears(&b, 8, 65532, 3);
    talk(&b, 8, 3);
    hears(&a, 8, 65531, 2);
    hears_nothing(&thief);
    assert_int_equal(when_received(w, 0, 54).packets_dropped, 51);
    party_close(&thief);
    party_close(&a);
    party_close(&b);
    world_free(w);
}

static void behind_a_nat_it_is_found(void **state)
{
    (void)state;
    struct world *w = world_new(30000, 30009);
    struct party a = party_open(&w->theirs, 5000), b = party_open(&w->theirs, 6000);
    struct party outside = party_open(&w->stranger, 5555);
    join(w, 0, &a, "");
    join(w, 1, &b, "");
    connect_both(w);
    outside.server = a.server;
    talk(&outside, 8, 10);
    hears(&b, 8, 65533,
          7); /* three prove the address, the third of them begins to prove the source */
    talk(&b, 8, 4);
    hears(&outside, 8, 65531, 3);
    hears_nothing(&a);
    party_close(&outside);
    party_close(&a);
    party_close(&b);
    world_free(w);
}

static void hold_and_resume(void **state)
{
    (void)state;
    struct world *w = world_new(30000, 30009);
    struct party a = party_open(&w->theirs, 5000), b = party_open(&w->theirs, 6000);
    join(w, 0, &a, "");
    join(w, 1, &b, "");
    connect_both(w);
    const uint16_t port = a.server.port;
    assert_int_equal(engine_plain_answer_again(w->b->engine, PIPELINE, 0,
                                               str_of(describe(&a, "a=sendonly\r\n")), w->sdp,
                                               w->error),
                     0);
    assert_int_equal(port_of(w->sdp), port);
    assert_non_null(strstr(w->sdp, "a=recvonly\r\n"));
    talk(&b, 8, 5);
    const struct engine_stats held = when_received(w, 1, 9); /* four came, and were sent nowhere */
    assert_int_equal(held.media.up.packets, 4);
    assert_int_equal(held.packets_received, 0);
    hears_nothing(&a);
    assert_int_equal(engine_plain_answer_again(w->b->engine, PIPELINE, 0,
                                               str_of(describe(&a, "a=sendrecv\r\n")), w->sdp,
                                               w->error),
                     0);
    talk(&b, 8, 5);
    hears(&a, 8, (uint16_t)(65530 + 5), 5);
    party_close(&a);
    party_close(&b);
    world_free(w);
}

static void ports_come_back(void **state)
{
    (void)state;
    struct world *w = world_new(30001, 30007); /* three pairs: 30002, 30004, 30006 */
    struct party a = party_open(&w->theirs, 5000);
    unsigned n = 0;
    for (; n < 3; n++)
        join(w, n, &a, "");
    assert_int_equal(answer(w, n, describe(&a, "")), ENGINE_E_PORTS);
    assert_string_equal(w->error, "media.rtp_ports: all ports are in use, 3 of 3 pairs by us");
    uint16_t last = 0;
    for (; n < 103; n++) {
        release(w, n - 3);
        join(w, n, &a, "");
        assert_true(a.server.port != last && a.server.port >= 30002 && a.server.port <= 30006);
        last = a.server.port;
    }
    engine_pipeline_release(w->b->engine, PIPELINE);
    party_close(&a);
    world_free(w);
}

static void an_offer_holds_its_ports_until_it_is_thrown_away(void **state)
{
    (void)state;
    struct world *w = world_new(30000, 30001);
    struct party a = party_open(&w->theirs, 5000);
    struct engine *e = w->b->engine;
    struct engine_plain_offered *o;
    for (int i = 0; i < 2; i++) {
        assert_int_equal(engine_plain_offer(e, bench_now(), PIPELINE, false, ENGINE_SENDRECV, NULL,
                                            w->error, &o),
                         0);
        assert_int_equal(answer(w, 0, describe(&a, "")), ENGINE_E_PORTS);
        engine_plain_offered_free(o);
    }
    assert_int_equal(
        engine_plain_offer(e, bench_now(), PIPELINE, false, ENGINE_SENDRECV, NULL, w->error, &o),
        0);
    a.server = w->ours;
    a.server.port = port_of(engine_plain_offered_sdp(o));
    assert_int_equal(engine_plain_accept(e, bench_now(), PIPELINE, 0, o, STR("v=0\r\n"), w->error),
                     ENGINE_E_OFFER);
    static const char *const bad = "v=0\r\nc=IN IP6 2001:db8::1\r\nm=audio 4000 RTP/AVP 8\r\n";
    assert_int_equal(engine_plain_accept(e, bench_now(), PIPELINE, 0, o, str_of(bad), w->error),
                     ENGINE_E_OFFER);
    assert_string_equal(w->error, "c=: the address must be IPv4");
    char text[512], ip[ADDR_TEXT_MAX];
    (void)snprintf(text, sizeof(text), "v=0\r\nc=IN IP4 %s\r\nm=audio 5000 RTP/AVP 8\r\n",
                   addr_write_ip(&a.at, ip));
    assert_int_equal(engine_plain_accept(e, bench_now(), PIPELINE, 0, o, str_of(text), w->error),
                     0);
    engine_plain_offered_free(o);
    assert_int_equal(engine_connect(e, PIPELINE, 0, 0), 0); /* it hears itself */
    talk(&a, 8, 5);
    hears(&a, 8, 65531, 4);
    release(w, 0);
    assert_int_equal(answer(w, 1, describe(&a, "")), 0);
    party_close(&a);
    world_free(w);
}

static void it_is_told_what_is_wrong(void **state)
{
    (void)state;
    static const struct {
        const char *offer, *error;
    } rows[] = {
        {"v=0\r\nm=audio 4000 RTP/AVP 0\r\n",
         "line 2, c=: an IPv4 or IPv6 address is needed here or above, not a name"},
        {"v=0\r\nc=IN IP4 sip.example.org\r\nm=audio 4000 RTP/AVP 0\r\n",
         "line 3, c=: an IPv4 or IPv6 address is needed here or above, not a name"},
        {"v=0\r\nc=IN IP4 224.2.1.1/127\r\nm=audio 4000 RTP/AVP 0\r\n",
         "line 3, c=: nothing is sent to multicast or reserved addresses"},
        {"v=0\r\nc=IN IP6 2001:db8::1\r\nm=audio 4000 RTP/AVP 0\r\n",
         "c=: this server has no IPv6 address towards there"},
        {"v=0\r\nc=IN IP4 192.0.2.1\r\nm=audio 4000 UDP/TLS/RTP/SAVPF 0\r\n",
         "line 3, m=audio: audio must be RTP/AVP, RTP/AVPF, or RTP/SAVP with a=crypto"},
        {"v=0\r\nc=IN IP4 192.0.2.1\r\nm=audio 4000 RTP/SAVP 0\r\n",
         "line 3, a=crypto: AES_CM_128_HMAC_SHA1_80 or AEAD_AES_128_GCM is needed"},
        {"v=0\r\nc=IN IP4 192.0.2.1\r\nm=audio 4000 RTP/AVP 18\r\n",
         "line 3, m=audio: none of Opus, PCMU, PCMA and G722 is there"},
        {"v=0\r\nc=IN IP4 192.0.2.1\r\nm=audio 0 RTP/AVP 0\r\n", "m=audio: the offer has no audio"},
        {"v=0\r\nc=IN IP4 192.0.2.1\r\nm=audio 4000 RTP/AVP 0\r\na=rtcp:x\r\n",
         "line 4, a=rtcp: must be a port, and an address where it is another one"},
        {"m=audio", "line 1: the first line must be v=0"},
    };
    struct world *w = world_new(30000, 30001);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        assert_int_equal(answer(w, 0, rows[i].offer), ENGINE_E_OFFER);
        assert_string_equal(w->error, rows[i].error);
    }
    char own[256], ip[ADDR_TEXT_MAX];
    (void)snprintf(own, sizeof(own), "v=0\r\nc=IN IP4 %s\r\nm=audio 30000 RTP/AVP 0\r\n",
                   addr_write_ip(&w->ours, ip));
    assert_int_equal(answer(w, 0, own), ENGINE_E_OFFER);
    assert_string_equal(w->error, "c=: address and port are those of this endpoint itself");
    world_free(w);
    w = world_new(0, 0);
    assert_int_equal(answer(w, 0, "v=0\r\nc=IN IP4 192.0.2.1\r\nm=audio 4000 RTP/AVP 0\r\n"),
                     ENGINE_E_PORTS);
    assert_string_equal(w->error, "media.rtp_ports: plain RTP is switched off");
    world_free(w);
}

static void what_stands_for_us_outside_is_told_to_those_outside(void **state)
{
    (void)state;
    const struct addr external = addr_v4(203, 0, 113, 9, 0);
    struct world *w = world_outside(30000, 30003, &external);
    char ours[ADDR_TEXT_MAX], line[ADDR_TEXT_MAX + 16];
    assert_int_equal(answer(w, 0, "v=0\r\nc=IN IP4 192.0.2.1\r\nm=audio 4000 RTP/AVP 0\r\n"), 0);
    assert_non_null(strstr(w->sdp, "c=IN IP4 203.0.113.9\r\n"));
    assert_int_equal(answer(w, 1, "v=0\r\nc=IN IP4 127.0.0.1\r\nm=audio 4000 RTP/AVP 0\r\n"), 0);
    (void)snprintf(line, sizeof(line), "c=IN IP4 %s\r\n", addr_write_ip(&w->ours, ours));
    assert_non_null(strstr(w->sdp, line));
    world_free(w);
}

#define KEY "d0RmdmcmVCspeEc3QGZiNWpVLFJhQX1cfHAwJSoj"
#define ENCRYPTED                                                                                  \
    "v=0\r\nc=IN IP4 127.0.0.1\r\nm=audio 4000 RTP/SAVP 0\r\n"                                     \
    "a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:" KEY "\r\n"

static void encryption_stays_as_it_began(void **state)
{
    (void)state;
    static const char plain[] = "v=0\r\nc=IN IP4 127.0.0.1\r\nm=audio 4000 RTP/AVP 0\r\n";
    struct world *w = world_new(30000, 30009);
    struct engine *e = w->b->engine;
    const struct engine_sdes sdes = {.has_key = false};
    char first[128];
    assert_int_equal(answer(w, 0, ENCRYPTED), 0);
    const char *line = strstr(w->sdp, "a=crypto:1 ");
    assert_non_null(line);
    assert_true(str_copy((struct str){line, strcspn(line, "\r")}, first, sizeof(first)));
    assert_null(strstr(first, KEY));
    assert_int_equal(engine_plain_answer_again(e, PIPELINE, 0, STR(ENCRYPTED), w->sdp, w->error),
                     0);
    assert_non_null(strstr(w->sdp, first)); /* our key stays */
    assert_int_equal(engine_plain_answer_again(e, PIPELINE, 0, str_of(plain), w->sdp, w->error),
                     ENGINE_E_OFFER);
    assert_string_equal(w->error, "m=audio: encryption stays as it was in the first offer");
    static const char other[] =
        "v=0\r\nc=IN IP4 127.0.0.1\r\nm=audio 4000 RTP/SAVP 0\r\n"
        "a=crypto:1 AEAD_AES_128_GCM inline:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGw==\r\n";
    assert_int_equal(engine_plain_answer_again(e, PIPELINE, 0, str_of(other), w->sdp, w->error),
                     ENGINE_E_OFFER);
    assert_int_equal(answer(w, 1, plain), 0);
    assert_int_equal(engine_plain_answer_again(e, PIPELINE, 1, STR(ENCRYPTED), w->sdp, w->error),
                     ENGINE_E_OFFER);
    assert_int_equal(
        engine_plain_answer(e, bench_now(), PIPELINE, 2, str_of(plain), &sdes, w->sdp, w->error),
        ENGINE_E_OFFER);
    for (unsigned n = 1, err = 1; err; n++) {
        mem_fail_at(n);
        err = answer(w, 3, ENCRYPTED) != 0;
        mem_fail_at(0);
        assert_true(n < 100);
    }
    world_free(w);
}

static bool has_ipv6(void)
{
    struct addr one = {.ip = {[15] = 1}};
    struct sockaddr_storage sa;
    socklen_t len = socket_addr_to_sa(true, &one, &sa);
    int fd = socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    bool is_there = fd >= 0 && bind(fd, (struct sockaddr *)&sa, len) == 0;
    if (fd >= 0)
        (void)close(fd);
    return is_there;
}

/* On every address: the one that is told is the one towards who asks. */
static void of_both_families(void **state)
{
    (void)state;
    struct engine_config config = bench_config();
    char sdp[ENGINE_ANSWER_MAX], error[ENGINE_ERROR_MAX];
    if (!has_ipv6())
        skip();
    config.listen = addr_v4(0, 0, 0, 0, 0);
    config.rtp_first = 30100;
    config.rtp_last = 30999;
    struct bench *b = bench_new_with(config);
    assert_int_equal(engine_pipeline_new(b->engine, ENGINE_PIPELINES, PIPELINE), 0);
    assert_int_equal(engine_plain_answer(b->engine, bench_now(), PIPELINE, 0,
                                         STR("v=0\r\nc=IN IP6 ::1\r\nm=audio 4000 RTP/AVP 0\r\n"),
                                         NULL, sdp, error),
                     0);
    assert_non_null(strstr(sdp, "c=IN IP6 ::1\r\n"));
    assert_int_equal(
        engine_plain_answer(b->engine, bench_now(), PIPELINE, 1,
                            STR("v=0\r\nc=IN IP4 127.0.0.1\r\nm=audio 4000 RTP/AVP 0\r\n"), NULL,
                            sdp, error),
        0);
    assert_non_null(strstr(sdp, "c=IN IP4 127.0.0.1\r\n"));
    assert_int_equal(engine_plain_answer_again(
                         b->engine, PIPELINE, 1,
                         STR("v=0\r\nc=IN IP6 ::1\r\nm=audio 4000 RTP/AVP 0\r\n"), sdp, error),
                     ENGINE_E_OFFER);
    bench_free(b);
}

static void without_memory_nothing_is_made(void **state)
{
    (void)state;
    struct world *w = world_new(30000, 30001);
    struct party a = party_open(&w->theirs, 5000);
    struct engine_plain_offered *o;
    for (unsigned n = 1;; n++) {
        mem_fail_at(n);
        int err = answer(w, 0, describe(&a, ""));
        mem_fail_at(0);
        if (err == 0)
            break;
        assert_int_equal(err, -ENOMEM);
        assert_true(n < 100);
    }
    release(w, 0);
    for (unsigned n = 1;; n++) {
        mem_fail_at(n);
        int err = engine_plain_offer(w->b->engine, bench_now(), PIPELINE, false, ENGINE_SENDRECV,
                                     NULL, w->error, &o);
        mem_fail_at(0);
        if (err == 0)
            break;
        assert_int_equal(err, -ENOMEM);
        assert_true(n < 100);
    }
    engine_plain_offered_free(o);
    party_close(&a);
    world_free(w);
}

static void without_descriptors_it_says_so(void **state)
{
    (void)state;
    struct world *w = world_new(30000, 30009);
    struct rlimit before, none;
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
    none = before;
    none.rlim_cur = 3; /* new ones only: what is open stays */
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
    int err = answer(w, 0, "v=0\r\nc=IN IP4 127.0.0.1\r\nm=audio 4000 RTP/AVP 0\r\n");
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
    assert_int_equal(err, ENGINE_E_PORTS);
    assert_string_equal(w->error, "media.rtp_ports: no descriptors are left (ulimit -n)");
    assert_int_equal(answer(w, 0, "v=0\r\nc=IN IP4 127.0.0.1\r\nm=audio 4000 RTP/AVP 0\r\n"), 0);
    world_free(w);
}

/* Beside a call it loses nothing. */
static void a_flood_at_one_port_starves_nobody(void **state)
{
    (void)state;
    struct world *w = world_new(30000, 30009);
    struct party a = party_open(&w->theirs, 5000), b = party_open(&w->theirs, 6000);
    struct party flood = party_open(&w->stranger, 5000);
    join(w, 0, &a, "");
    join(w, 1, &b, "");
    connect_both(w);
    flood.server = b.server;
    talk(&b, 8, 2);
    hears(&a, 8, 65531, 1);
    talk(&a, 8, 1);
    for (unsigned i = 0; i < 100; i++) {
        talk(&flood, 8, 20);
        talk(&a, 8, 1);
        hears(&b, 8, (uint16_t)(65531 + i), 1);
    }
    party_close(&flood);
    party_close(&a);
    party_close(&b);
    world_free(w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(two_phones_talk),
        cmocka_unit_test(a_stranger_changes_nothing),
        cmocka_unit_test(behind_a_nat_it_is_found),
        cmocka_unit_test(hold_and_resume),
        cmocka_unit_test(ports_come_back),
        cmocka_unit_test(an_offer_holds_its_ports_until_it_is_thrown_away),
        cmocka_unit_test(it_is_told_what_is_wrong),
        cmocka_unit_test(what_stands_for_us_outside_is_told_to_those_outside),
        cmocka_unit_test(encryption_stays_as_it_began),
        cmocka_unit_test(of_both_families),
        cmocka_unit_test(without_memory_nothing_is_made),
        cmocka_unit_test(without_descriptors_it_says_so),
        cmocka_unit_test(a_flood_at_one_port_starves_nobody),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
