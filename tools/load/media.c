/*
 * The socket is bound to no address, as a browser's host candidate on a machine with one interface
 * would be; which of our addresses a datagram belongs to follows from the other end (one socket
 * serves one call, so there is no doubt).
 *
 * The microphones of all users share one clock of 1 ms. Who begins to speak is put into the tick
 * that has the fewest speakers, so that the packets of a frame are spread evenly, and says its
 * first word at once.
 */
#include "load/media.h"

#include <errno.h>
#include <netinet/in.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "base/mem.h"
#include "load/payload.h"
#include "load/sockaddr.h"
#include "rtp/packet.h"

/** How far the microphones may lag behind, and how many ticks are made up for at once. */
#define TICK_DEBT     (100 * US_PER_MS)
#define TICKS_AT_ONCE 5

/** Room for a packet and what SRTP puts behind it. */
#define PACKET_ROOM (DGRAM_MAX + 64)

/** A datagram is read for each report of the loop, two when the first was not the last: nearly all
 * bring one. */
#define READS_AT_ONCE 2

/* --- sending --- */

/* @return false: this machine refused */
static bool send_datagram(struct media *m, const struct dgram *d)
{
    struct sockaddr_storage sa;
    socklen_t len = 0;
    bool is_peer = addr_equal(&d->remote, &m->kernel_peer);
    if (!is_peer)
        len = sockaddr_of(&d->remote, m->is_v6, &sa);
    return sendto(m->watch.fd, d->data, d->len, 0, is_peer ? NULL : (struct sockaddr *)&sa, len) >=
           0;
}

/* Tell the kernel the other end: it then looks the route up once, not for each packet. */
static void connect_socket(struct media *m)
{
    struct sockaddr_storage sa;
    socklen_t len = sockaddr_of(&m->peer->path_remote, m->is_v6, &sa);
    if (connect(m->watch.fd, (struct sockaddr *)&sa, len) == 0)
        m->kernel_peer = m->peer->path_remote;
}

static void rearm(struct media *m)
{
    loop_timer_set(m->env->loop, &m->deadline, peer_deadline(m->peer));
}

static const char *end_text(enum peer_end end)
{
    static const char *const texts[] = {
        [PEER_END_ICE_FAILED] = "ICE found no path",
        [PEER_END_DTLS_FAILED] = "DTLS failed",
        [PEER_END_CONSENT_LOST] = "the server stopped answering (consent)",
        [PEER_END_REMOTE_CLOSED] = "the server closed DTLS",
        [PEER_END_BROKEN] = "out of memory",
    };
    return texts[end];
}

static void apply_event(struct media *m, mono_us now, const struct peer_event *event)
{
    switch (event->type) {
    case PEER_EVENT_VALIDATED:
    case PEER_EVENT_INVALIDATED:
    case PEER_EVENT_PATH:
        break;
    case PEER_EVENT_CONNECTED:
        m->is_connected = true;
        connect_socket(m);
        m->env->handlers.on_connected(m, now);
        break;
    case PEER_EVENT_ENDED:
        m->env->handlers.on_ended(m, now,
                                  event->end == PEER_END_DTLS_FAILED
                                      ? dtls_failure_text(event->dtls)
                                      : end_text(event->end));
        break;
    }
}

/* @return datagrams that were refused */
static unsigned flush(struct media *m)
{
    uint8_t buf[PACKET_ROOM];
    unsigned n_refused = 0;
    struct dgram d = {.data = buf, .cap = sizeof(buf)};
    while (peer_poll_send(m->peer, &d)) {
        n_refused += !send_datagram(m, &d);
        d = (struct dgram){.data = buf, .cap = sizeof(buf)};
    }
    return n_refused;
}

/* A handler may close the media: then there is nothing left to drain. */
static void drain(struct media *m, mono_us now)
{
    struct peer_event event;
    m->env->stats->send_failed += flush(m);
    while (m->peer && peer_poll_event(m->peer, &event))
        apply_event(m, now, &event);
    if (!m->peer)
        return;
    m->env->stats->send_failed += flush(m);
    rearm(m);
}

/* --- the microphone --- */

/* RFC 6464 in the one-byte form of RFC 8285, as browsers send it. */
static void write_level(struct bytes_writer *w, uint8_t id)
{
    bytes_put16(w, 0xbede);
    bytes_put16(w, 1);
    bytes_put8(w, (uint8_t)(id << 4));
    bytes_put8(w, 0x80 | 42);
    bytes_put16(w, 0);
}

static void say_one(struct media *m)
{
    uint8_t buf[PACKET_ROOM], payload[PAYLOAD_LEN];
    mono_us now = loop_now();
    struct bytes_writer w = bytes_writer(buf, sizeof(buf));
    uint8_t ext = m->peer->ext_send[PEER_EXT_AUDIO_LEVEL];
    struct rtp_packet packet;

    payload_write(&(struct payload){m->id.side, m->id.call, m->id.round, m->n_sent, now},
                  &m->env->key, payload);
    bytes_put8(&w, ext ? 0x90 : 0x80);
    bytes_put8(&w, (uint8_t)(m->offer.kind.opus_pt | (m->n_sent == 0 ? 0x80 : 0)));
    bytes_put16(&w, (uint16_t)(m->first_seq + m->n_sent));
    bytes_put32(&w, m->first_timestamp + m->n_sent * EAR_SAMPLES);
    bytes_put32(&w, m->offer.ssrc);
    if (ext)
        write_level(&w, ext);
    bytes_put(&w, payload, sizeof(payload));
    struct dgram d = {.data = buf, .len = w.len, .cap = sizeof(buf)};
    m->n_sent++;
    m->env->stats->packets_sent++;
    if (rtp_parse(buf, w.len, &packet) || peer_send_rtp(m->peer, now, &d, &packet) ||
        !send_datagram(m, &d))
        m->env->stats->send_failed++;
}

static void run_tick(struct media_env *env)
{
    LIST_FOREACH(node, &env->ticks[env->tick_index]) {
        say_one(CONTAINER_OF(node, struct media, link));
    }
    env->tick_index = (env->tick_index + 1) % MEDIA_TICKS;
    env->tick_at += MEDIA_TICK;
}

/* What was missed for less than TICK_DEBT is made up for, a few ticks at a time, so that receiving
 * has its turn. More is left out and counted: a machine that is too slow to play all users must not
 * fill the server's queues and its own until nobody gets through. */
static void on_tick(struct loop_timer *t, mono_us now)
{
    struct media_env *env = CONTAINER_OF(t, struct media_env, tick);
    mono_us late = now - env->tick_at;
    histogram_add(&env->stats->lateness, late);
    if (late > TICK_DEBT) {
        env->stats->ticks_skipped += (uint64_t)(late / MEDIA_TICK);
        env->tick_at += late / MEDIA_TICK * MEDIA_TICK;
    }
    for (unsigned i = 0; i < TICKS_AT_ONCE && env->tick_at <= now; i++)
        run_tick(env);
    if (env->n_all_speaking == 0)
        env->tick_at = MONO_NEVER;
    loop_timer_set(env->loop, &env->tick, env->tick_at);
}

void media_speak(struct media *m, mono_us now)
{
    struct media_env *env = m->env;
    unsigned best = 0;
    if (m->tick >= 0 || !m->peer)
        return;
    for (unsigned i = 1; i < MEDIA_TICKS; i++) {
        if (env->n_speaking[i] < env->n_speaking[best])
            best = i;
    }
    m->tick = (int)best;
    list_append(&env->ticks[best], &m->link);
    env->n_speaking[best]++;
    env->n_all_speaking++;
    if (env->tick_at == MONO_NEVER) {
        env->tick_at = now + MEDIA_TICK;
        loop_timer_set(env->loop, &env->tick, env->tick_at);
    }
    say_one(m);
}

void media_hush(struct media *m)
{
    if (m->tick < 0)
        return;
    list_remove(&m->link);
    m->env->n_speaking[m->tick]--;
    m->env->n_all_speaking--;
    m->tick = -1;
}

/* --- datagrams --- */

/* The tag tells the profile that the two agreed on: RFC 7714 §5.3, RFC 5764 §4.1.2. */
static void count_profile(struct stats *stats, size_t tag_len)
{
    if (tag_len == 16)
        stats->heard_gcm++;
    else
        stats->heard_sha1++;
}

static void hear(struct media *m, mono_us now, const struct dgram *d,
                 const struct rtp_packet *packet)
{
    if (ear_hear(&m->ear, now, m->offer.kind.opus_pt, d->data, packet))
        m->env->handlers.on_heard(m, now);
}

static void input(struct media *m, struct dgram *d)
{
    mono_us now = loop_now();
    struct rtp_packet packet;
    size_t wire_len = d->len;
    if (!m->peer) /* a check of the server before its answer: it will come again */
        return;
    if (!rtp_is_rtp(d->data, d->len)) {
        (void)!peer_input(m->peer, now, d);
        drain(m, now);
    } else if (peer_receive_rtp(m->peer, now, d, &packet)) {
        m->env->stats->undecryptable++;
    } else {
        if (!m->ear.has_heard)
            count_profile(m->env->stats, wire_len - d->len);
        hear(m, now, d, &packet);
    }
}

static void on_readable(struct watch *w, uint32_t events, mono_us now)
{
    struct media *m = CONTAINER_OF(w, struct media, watch);
    uint8_t buf[PACKET_ROOM];
    (void)events;
    (void)now;
    for (unsigned i = 0; i < READS_AT_ONCE && m->watch.fd >= 0; i++) {
        struct sockaddr_storage sa;
        socklen_t sa_len = sizeof(sa);
        struct dgram d = {.data = buf, .cap = sizeof(buf), .local = m->local};
        ssize_t n = recvfrom(m->watch.fd, buf, DGRAM_MAX, 0, (struct sockaddr *)&sa, &sa_len);
        if (n <= 0 || !sockaddr_read(&sa, &d.remote))
            return;
        d.len = (size_t)n;
        input(m, &d);
        if (rtp_is_rtp(buf, (size_t)n))
            return;
    }
}

static void on_deadline(struct loop_timer *t, mono_us now)
{
    struct media *m = CONTAINER_OF(t, struct media, deadline);
    if (!m->peer)
        return;
    peer_timeout(m->peer, now);
    drain(m, now);
}

/* --- beginning and end --- */

int media_env_init(struct media_env *env)
{
    for (unsigned i = 0; i < MEDIA_TICKS; i++)
        list_init(&env->ticks[i]);
    env->tick_at = MONO_NEVER;
    return loop_timer_init(env->loop, &env->tick, on_tick);
}

int media_init(struct media *m, struct media_env *env)
{
    *m = (struct media){.env = env, .watch = {.fd = -1}, .tick = -1};
    list_init(&m->link);
    return loop_timer_init(env->loop, &m->deadline, on_deadline);
}

static int open_socket(struct media *m)
{
    struct sockaddr_storage sa;
    struct addr any = m->env->local;
    memset(any.ip + (m->is_v6 ? 0 : 12), 0, m->is_v6 ? 16 : 4);
    any.port = 0;
    socklen_t len = sockaddr_of(&any, m->is_v6, &sa);
    m->watch = (struct watch){.on_ready = on_readable};
    m->watch.fd =
        socket(m->is_v6 ? AF_INET6 : AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (m->watch.fd < 0)
        return -errno;
    if (bind(m->watch.fd, (struct sockaddr *)&sa, len) ||
        getsockname(m->watch.fd, (struct sockaddr *)&sa, &len))
        return -errno;
    if (!sockaddr_read(&sa, &any))
        return -EAFNOSUPPORT;
    m->local.port = any.port;
    return loop_watch(m->env->loop, &m->watch, EPOLLIN);
}

static struct ice_candidate host_candidate(const struct media *m)
{
    return (struct ice_candidate){
        .type = ICE_HOST,
        .transport = ICE_UDP,
        .component = 1,
        .priority = ice_candidate_priority(ICE_HOST, 65535),
        .foundation = "1",
        .addr = m->local,
    };
}

static void write_candidate(struct media *m)
{
    struct ice_candidate c = host_candidate(m);
    (void)ice_candidate_write(&c, m->candidate);
    m->offer.candidate = m->env->is_trickle ? NULL : m->candidate;
    m->offer.address = m->local;
}

int media_open(struct media *m, const struct media_identity *id)
{
    struct rng *rng = m->env->peer.rng;
    m->id = *id;
    m->local = m->env->local;
    m->is_v6 = !addr_is_v4(&m->local);
    m->is_connected = false;
    m->kernel_peer = (struct addr){0};
    m->n_sent = 0;
    ear_init(&m->ear, m->env->stats, &m->env->key, id);
    m->first_seq = (uint16_t)rng_u32(rng);
    m->first_timestamp = rng_u32(rng);
    rng_ice_chars(rng, m->ufrag, MEDIA_UFRAG);
    rng_ice_chars(rng, m->pwd, MEDIA_PWD);
    rng_ice_chars(rng, m->cname, MEDIA_CNAME);
    m->offer = (struct offer){
        .kind = offer_kinds[id->side],
        .ufrag = m->ufrag,
        .pwd = m->pwd,
        .fingerprint = m->env->fingerprint,
        .cname = m->cname,
        .ssrc = rng_u32(rng),
        .session_id = rng_u64(rng) >> 1,
    };
    int err = m->env->is_off ? 0 : open_socket(m);
    if (err) {
        media_close(m, 0);
        return err;
    }
    write_candidate(m);
    return 0;
}

void media_offer(const struct media *m, struct text *ret)
{
    offer_write(&m->offer, ret);
}

/* A server on the loopback address alone is reached from there only. */
static void choose_local(struct media *m, const struct peer_params *params)
{
    struct ice_candidate c;
    if (params->n_candidates == 0)
        return;
    for (unsigned i = 0; i < params->n_candidates; i++) {
        if (!ice_candidate_parse(params->candidates[i], &c) && !addr_is_loopback(&c.addr))
            return;
    }
    m->local = addr_v4(127, 0, 0, 1, m->local.port);
}

/* @return NULL, or why not */
static const char *start_peer(struct media *m, mono_us now, const struct peer_params *params,
                              bool is_offerer)
{
    choose_local(m, params);
    struct ice_candidate candidate = host_candidate(m);
    const struct peer_local local = {
        .is_offerer = is_offerer,
        .ufrag = str_of(m->ufrag),
        .pwd = str_of(m->pwd),
        .cname = str_of(m->cname),
        .candidates = &candidate,
        .n_candidates = 1,
    };
    struct peer *p = mem_zalloc_aligned(sizeof(*p));
    if (!p || peer_init(p, now, params, &local, &m->env->peer)) {
        mem_free(p);
        return "the peer cannot be made";
    }
    m->peer = p;
    drain(m, now);
    return NULL;
}

const char *media_start(struct media *m, mono_us now, struct str answer)
{
    struct peer_params params;
    const char *error = offer_read_answer(&m->offer, answer, &params);
    return error ? error : start_peer(m, now, &params, true);
}

const char *media_answer(struct media *m, mono_us now, struct str offer, struct text *ret)
{
    struct peer_params params;
    const char *error = offer_read_offer(&m->offer, offer, &params);
    if (error)
        return error;
    offer_write_answer(&m->offer, &params, ret);
    return m->env->is_off ? NULL : start_peer(m, now, &params, false);
}

void media_add_candidate(struct media *m, mono_us now, struct str candidate)
{
    struct ice_candidate c;
    if (!m->peer)
        return;
    if (candidate.len == 0)
        (void)!peer_end_of_candidates(m->peer, now);
    else if (!ice_candidate_parse(candidate, &c))
        (void)!peer_add_candidate(m->peer, now, &c, ice_candidate_ufrag(candidate));
    drain(m, now);
}

void media_close(struct media *m, mono_us now)
{
    media_hush(m);
    if (m->peer) {
        peer_close(m->peer, now);
        (void)flush(m); /* the server may have closed its port already */
        peer_deinit(m->peer);
        mem_free(m->peer);
        m->peer = NULL;
    }
    loop_timer_set(m->env->loop, &m->deadline, MONO_NEVER);
    int fd = loop_unwatch(m->env->loop, &m->watch);
    if (fd >= 0)
        (void)close(fd);
}
