/**
 * The address that a NAT gives to one of our ports, as STUN servers see it (RFC 8489 §7.3.1), and
 * kept alive: the NAT keeps a mapping as long as it is used.
 *
 * Sans-IO, one address family. All servers are asked at once and the first answer counts; from
 * then on only that server is asked, every STUN_MAPPING_REFRESH. When it falls silent the
 * mapping is given up after 39.5 s, and all are asked again.
 *
 * Drain the polls after each call that takes `now`, then re-arm from stun_mapping_deadline.
 */
#ifndef STUN_MAPPING_H
#define STUN_MAPPING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/compiler.h"
#include "base/dgram.h"
#include "base/rng.h"
#include "base/time.h"
#include "stun/transaction.h"

/** Servers of one family. */
#define STUN_MAPPING_SERVERS 4

/**
 * RFC 8445 §11: "Tr … SHOULD be configurable and SHOULD have a default of 15 seconds"; RFC 4787
 * REQ-5 has NATs keep a UDP mapping for two minutes at least, and real ones for 30 s.
 */
#define STUN_MAPPING_REFRESH (25 * US_PER_S)

/** Pause after nobody answered. */
#define STUN_MAPPING_PAUSE (30 * US_PER_S)

/** What happened; the fields say how it is now. */
struct stun_mapping_event {
    bool is_known;      /**< false: no server answered */
    struct addr local;  /**< is_known: where the answer arrived, so the base of `mapped` */
    struct addr mapped; /**< is_known: as the server sees us */
};

/** Fields are private. */
struct stun_mapping {
    struct rng *rng; /**< borrowed */
    uint32_t tag;    /**< how the transaction ids begin */
    struct addr servers[STUN_MAPPING_SERVERS];
    uint8_t n_servers;
    uint8_t asked_first, asked_end; /**< the servers that are asked now */
    uint8_t next_send;              /**< of those, the next to be polled; asked_end = none */
    struct stun_transaction tx;
    mono_us ask_at; /**< the next question; MONO_NEVER while one runs */
    bool has_event;
    struct stun_mapping_event now_is;
};

/**
 * No servers yet: nothing is asked, nothing is known.
 *
 * @param tag begin of our transaction ids, so that the owner of a shared port tells the answers
 */
void stun_mapping_init(struct stun_mapping *m, uint32_t tag, struct rng *rng);

/**
 * These servers from now on. The same ones again change nothing; others are asked at once, while
 * the mapping that is known stays until the answer is there.
 *
 * @param n 0 = none any more: the mapping is given up. More than STUN_MAPPING_SERVERS are ignored
 */
void stun_mapping_set_servers(struct stun_mapping *m, mono_us now, const struct addr *servers,
                              size_t n);

/**
 * Feed a STUN message from the port.
 *
 * @return 0, or STUN_E_NOT_STUN: not an answer to a question of ours; drop and count
 */
MUST_CHECK int stun_mapping_input(struct stun_mapping *m, mono_us now, const struct dgram *d);

void stun_mapping_timeout(struct stun_mapping *m, mono_us now);

/** @param ret `local` is left as it is: any address of the port will do */
bool stun_mapping_poll_send(struct stun_mapping *m, struct dgram *ret);

bool stun_mapping_poll_event(struct stun_mapping *m, struct stun_mapping_event *ret);

mono_us stun_mapping_deadline(const struct stun_mapping *m);

#endif
