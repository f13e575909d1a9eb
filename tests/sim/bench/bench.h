/**
 * The test bench: two endpoints that hear one another, and their browsers over an emulated network,
 * in virtual time.
 *
 *     browser 0 (198.51.100.1:5000) ─┐                      ┌─ leg 0 ─┐
 *                                    ├─ emulated network ───┤         relay (192.0.2.1:40000)
 *     browser 1 (198.51.100.2:5000) ─┘                      └─ leg 1 ─┘
 *
 * A browser is a struct peer too, as offerer: controlling ICE role, DTLS client, payload types and
 * extension ids of its own. A run is repeatable to the byte up to OpenSSL's own randomness.
 */
#ifndef SIM_BENCH_H
#define SIM_BENCH_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "relay/webrtc.h"

#define BENCH_MAX_IN_FLIGHT 4096
#ifndef BENCH_SEED
#define BENCH_SEED 4711 /**< any other serves as well: a test that needs this one is wrong */
#endif

/** What one browser is like. */
struct bench_browser {
    uint8_t opus_pt;                           /**< of its own choosing */
    uint8_t red_pt;                            /**< 0 = has no RED */
    uint8_t level_ext;                         /**< 0 = not offered */
    uint8_t transport_ext;                     /**< of the transport-wide number; 0 = not agreed */
    bool remb;                                 /**< agreed */
    struct peer_codec codecs[PEER_MAX_CODECS]; /**< of negotiation */
    unsigned n_codecs;                         /**< 0 = Opus and its telephone-event */
    bool is_lite;                              /**< answers checks only */
    bool is_answerer;                          /**< the server offered: ICE roles are exchanged */
    bool claims_our_role;                      /**< in ICE, whichever of the two we have */
    bool is_dtls_server;                       /**< which an answerer may want to be */
    bool wrong_fingerprint;     /**< its certificate is not what the relay was told */
    bool may_send, may_receive; /**< direction from the browser's view */
    bool nack, reduced_size_rtcp;
};

/** One datagram on its way. */
struct bench_dgram {
    mono_us at;
    uint64_t order;
    struct addr from, to;
    size_t len;
    uint8_t data[DGRAM_MAX + 64];
};

/** One RTP packet that a browser sends. */
struct bench_packet {
    uint32_t ssrc;
    uint16_t seq;
    uint32_t timestamp;
    uint8_t codec; /**< its place; 0 = the one that is preferred */
    bool marker;
    bool is_red; /**< the payload is RED, of the preferred codec */
    const void *payload;
    size_t len;
    uint8_t padding_len; /**< 0 = none */
};

/** RTCP that a browser got: how many of each kind, and the last of each. */
struct bench_rtcp {
    unsigned n;
    uint8_t body[1200]; /**< of the last one, after the common header */
    size_t body_len;
};

/** RTP that a browser got, as it came out of SRTP. */
struct bench_rtp {
    struct rtp_packet packet;
    uint8_t data[DGRAM_MAX];
    size_t len;
};

struct bench;

/**
 * Loss on one way of a line: exactly one in so many is lost, which one is chance. So a share that a
 * test asks for is there whatever the seed, and never are more than two lost in a row.
 */
struct bench_loss {
    unsigned one_in;    /**< 0 = nothing is lost */
    unsigned n, victim; /**< place in the present group, and the place that is lost */
};

/** Decides about a datagram before it travels. @return false = lost */
typedef bool (*bench_filter_fn)(struct bench *b, struct bench_dgram *d);

struct bench {
    mono_us now;
    struct rng rng;      /**< of the peers, and of what a test makes up */
    struct rng line_rng; /**< of the network: what peers draw does not change what is lost */
    struct dtls_identity identities[3]; /**< of the browsers, and [2] of the relay */
    struct peer_env envs[3];

    struct relay_webrtc *legs[2];
    struct peer *browsers[2];
    struct addr server, addrs[2]; /**< addrs: as the server sees them; a test may move one */

    uint8_t level_db[2]; /**< audio level that browser i marks its packets with [-dBov] */

    unsigned loss_percent;
    mono_us delay, jitter; /**< one way */
    bench_filter_fn filter;
    unsigned n_filtered; /**< for the filter's own use */

    struct bench_dgram *in_flight;
    size_t n_in_flight;
    uint64_t order;

    /* what came of it */
    bool relay_connected[2], relay_ended[2], browser_connected[2], browser_ended[2];
    enum peer_end relay_end[2];
    struct addr routes[2];     /**< last VALIDATED of each leg */
    struct peer_path paths[2]; /* that the server tells of, the last one */
    unsigned n_paths[2];
    mono_us connected_at; /**< when the last of all four was connected */
    int last_error[2]; /**< of relay_webrtc_receive, relay_fan_next or peer_input, by leg; 0 = none
                          yet */
    unsigned n_errors[2];
    unsigned n_rtp[2]; /**< received by browser i */
    struct bench_rtp last_rtp[2];
    /** Browser i got a packet; NULL = nobody wants to know. */
    void (*heard)(struct bench *b, unsigned i, const struct bench_rtp *got);
    void *user;                       /**< for its own use */
    struct bench_rtcp rtcp[2][8][32]; /**< by browser, type (from RTCP_SR) and count or FMT */
    struct bench_dgram last_sent[2];  /**< last RTP datagram of browser i, protected */
    uint16_t transport_seq[2];        /**< of the next packet of browser i */
    unsigned n_restarts;
};

/** Two Chromium-like browsers, no loss, 5 ms one way. */
struct bench *bench_new(void);

/** Before bench_start: what the browsers are like. */
void bench_set_up(struct bench *b, const struct bench_browser browsers[2]);

void bench_free(struct bench *b);

/** Go on until `until`. */
void bench_run(struct bench *b, mono_us until);

/** Go on until both sides of both legs are connected. @return false = not within `limit` */
bool bench_connect(struct bench *b, mono_us limit);

/** The server's peer of browser i. */
struct peer *bench_leg(struct bench *b, unsigned i);

/**
 * Browser i restarts ICE: it has new credentials at once, the server one delay later, and the
 * browser knows the server's after another one. Candidates travel with them.
 */
void bench_restart(struct bench *b, unsigned i);

/** Browser i sends one RTP packet with this payload, marked with its audio level if it has one. */
void bench_send(struct bench *b, unsigned i, uint32_t ssrc, uint16_t seq, uint32_t timestamp,
                const void *payload, size_t len);

/** One RTP datagram at leg i, and on to who hears it. @return the first error, 0 = none */
int bench_forward(struct bench *b, unsigned i, struct dgram *d);

/** The same as bench_send for any packet; numbered over the transport when that was agreed. */
void bench_send_packet(struct bench *b, unsigned i, const struct bench_packet *packet);

/** Browser i sends plain RTCP, protected with its keys. @param len <= 1200 */
void bench_send_rtcp(struct bench *b, unsigned i, const void *data, size_t len);

/** Any bytes, from anywhere, towards the relay; they arrive after the usual delay. */
void bench_inject(struct bench *b, const struct addr *from, const void *data, size_t len);

/** The next datagram on this way of a line. @return whether it is lost */
bool bench_loses(struct bench *b, struct bench_loss *loss);

extern const struct bench_browser bench_chromium, bench_firefox;

#endif
