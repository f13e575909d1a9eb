/**
 * Counters: what the packet path says instead of a log line. One line adds one.
 *
 * Any thread; relaxed atomics. The same numbers serve the log, the health page and tests.
 */
#ifndef LOG_COUNTERS_H
#define LOG_COUNTERS_H

#include <stdatomic.h>
#include <stdint.h>

/* X(symbol, name) */
#define COUNTERS(X)                                                                                \
    /* datagrams that were dropped, by reason */                                                   \
    X(DROP_UNKNOWN, "drop-unknown-peer")    /* no leg is known for address or ufrag */             \
    X(DROP_PROTOCOL, "drop-protocol")       /* no protocol of ours, or DTLS of no use */           \
    X(DROP_STUN, "drop-stun")               /* malformed or not authentic */                       \
    X(DROP_CONSENT, "drop-not-validated")   /* DTLS from an address ICE has not validated */       \
    X(DROP_NO_KEYS, "drop-before-keys")     /* media before the handshake */                       \
    X(DROP_AUTH, "drop-srtp-auth")          /* SRTP or SRTCP that does not authenticate */         \
    X(DROP_REPLAY, "drop-srtp-replay")      /* seen before */                                      \
    X(DROP_MALFORMED, "drop-rtp-malformed") /* RTP or RTCP that breaks its rules */                \
    X(DROP_DIRECTION, "drop-direction")     /* media against the negotiated direction */           \
    X(DROP_SOURCE, "drop-not-the-source")   /* plain RTP of a stranger, or of a new sender */      \
    X(DROP_CODEC, "drop-codec")             /* payload type that was not negotiated */             \
    X(DROP_OLD, "drop-old")                 /* from before the source changed */                   \
    X(DROP_NO_PATH, "drop-no-receiver")     /* the other leg cannot receive yet */                 \
    X(DROP_UNHEARD, "drop-unheard")         /* nobody is connected to its source */                \
    X(DROP_PADDING, "drop-padding")         /* nothing but padding: a browser probes its line */   \
    X(RTCP_IGNORED, "rtcp-ignored")         /* feedback and reports of no use: PLI, FIR, APP */    \
    X(DROP_TRUNCATED, "drop-too-long")      /* longer than DGRAM_MAX */                            \
    X(DROP_SETUP, "drop-setup-rush")        /* more new legs at once than there was time for */    \
    X(TAP_FULL, "tap-full")                 /* who records it was too slow */                      \
    X(SEND_FAILED, "send-failed")           /* the kernel refused a datagram */                    \
    X(TCP_QUEUE_FULL, "tcp-queue-full") /* a datagram for a connection that reads too slowly */    \
    X(TCP_GONE, "tcp-gone")             /* a datagram for a connection that is closed */           \
    X(TCP_BAD_FRAME, "tcp-bad-frame")   /* closed: too long, or a stranger who is not STUN */      \
    X(MEDIA_SERVER_BAD_FRAME, "media-server-bad-frame") /* of a media server: makes no sense */    \
    /* connections that were turned away */                                                        \
    X(TCP_REFUSED, "tcp-refused")       /* over a limit, or descriptors ran out */                 \
    X(TCP_NOT_PROVEN, "tcp-not-proven") /* closed before any authentic check */                    \
    /* trouble inside */                                                                           \
    X(ENGINE_CANDIDATE_IGNORED, "candidate-ignored")                                               \
    X(ENGINE_REPORT_LOST, "report-lost")                                                           \
    X(ENGINE_NO_MEMORY, "no-memory")

enum counter {
#define COUNTER_ENUM(symbol, name) COUNTER_##symbol,
    COUNTERS(COUNTER_ENUM)
#undef COUNTER_ENUM
        COUNTER_N,
};

extern _Atomic(uint64_t) counter_values[COUNTER_N];

static inline void counter_add_n(enum counter counter, uint64_t n)
{
    atomic_fetch_add_explicit(&counter_values[counter], n, memory_order_relaxed);
}

static inline void counter_add(enum counter counter)
{
    counter_add_n(counter, 1);
}

/** Name of a counter, for people and programs; static. */
const char *counter_name(enum counter counter);

/** All values as they stand now. */
void counter_snapshot(uint64_t ret[COUNTER_N]);

#endif
