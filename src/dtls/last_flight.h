/**
 * Was our last flight lost, and does the peer ask for it? As server only: its Finished ends the
 * handshake, has no timer, and is sent again when the peer repeats its own (RFC 6347 §4.2.4).
 *
 * A peer that repeats its Finished as a new record, as §4.2.2 says, is understood by OpenSSL. One
 * that sends copies of its datagrams is not: the record number is an old one, and what has an old
 * number is dropped as a replay before it is looked at. So the record of the peer's Finished is
 * kept here, and what is the same to the byte is the question again. It proves nothing, since
 * anybody who saw it can send it: such questions are answered seldom, and a few times only.
 *
 * No sending and no OpenSSL: says what is a copy, and whether it may have an answer.
 */
#ifndef DTLS_LAST_FLIGHT_H
#define DTLS_LAST_FLIGHT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/time.h"
#include "dtls/record.h"

/**
 * Bytes of a Finished, record header included: header 13, explicit nonce 8, message header 12,
 * verify data 12, tag 16 (RFC 6347 §4.1, §4.2.2; RFC 5246 §7.4.9; RFC 5288 §3).
 */
#define DTLS_FINISHED_MAX 61

/**
 * Answers to copies in all. OpenSSL has twelve repeats in it, and ends the association with the
 * next one: four are left for a peer whose repeats are new records. Peers that send copies
 * (werift) wait half a second longer each time, so this is over 15 s of losses.
 */
#define DTLS_LAST_FLIGHT_REPEATS 8

/** No answer sooner than this after the flight was last sent: a datagram that the network has
 * doubled asks for nothing. No peer that we know repeats its flight sooner. */
#define DTLS_LAST_FLIGHT_PAUSE (100 * US_PER_MS)

/** Owned by the handshake, and gone with it. All zero: no Finished has come. */
struct dtls_last_flight {
    uint8_t finished[DTLS_FINISHED_MAX]; /**< as it came */
    size_t finished_len;                 /**< bytes, 0 = none */
    mono_us sent_at;                     /**< our last flight, last time */
    unsigned n_repeats;                  /**< of DTLS_LAST_FLIGHT_REPEATS */
};

/**
 * A record goes to OpenSSL during the handshake. The last encrypted handshake message is the peer's
 * Finished; others, and what is longer than DTLS_FINISHED_MAX, are passed over.
 */
void dtls_last_flight_heard(struct dtls_last_flight *f, const struct dtls_record *record);

/** Is this a copy of that one? */
bool dtls_last_flight_is_copy(const struct dtls_last_flight *f, const struct dtls_record *record);

/**
 * A copy has come at `now`.
 *
 * @return true: send the last flight again; it is counted
 *         false: too soon, or too often: drop and count
 */
bool dtls_last_flight_ask(struct dtls_last_flight *f, mono_us now);

#endif
