/**
 * What an endpoint and we have said to one another: the control side keeps it for later offers,
 * which are held to it (peer/negotiate.h) and answered with the same SSRC and names.
 */
#ifndef ENGINE_SAID_H
#define ENGINE_SAID_H

#include "base/rng.h"
#include "engine/demux.h"
#include "engine/engine.h"
#include "engine/messages.h"
#include "peer/negotiate.h"

/** RFC 7022 §4.2: a CNAME for one endpoint only, 96 random bits. */
#define SAID_CNAME_LEN 16

/** An endpoint that has no other one to agree with. */
#define SAID_NO_PARTNER UINT32_MAX

/** About 500 bytes and the offer, which is 1 to 6 KB with browsers. */
struct said {
    char ufrag[DEMUX_UFRAG_LEN + 1]; /**< of the current ICE generation, ours */
    char pwd[WORKER_PWD_LEN + 1];
    char cname[SAID_CNAME_LEN + 1];  /**< also the id of our stream */
    uint32_t ssrc;                   /**< of what it is sent */
    uint64_t session_id;             /**< of the o= line of our answers */
    uint64_t session_version;        /**< of the last one */
    bool dtls_client;                /**< our role */
    bool is_offerer;                 /**< the first offer was ours: ICE begins controlling */
    enum engine_direction direction; /**< of all that we say */
    uint32_t partner;                /**< number of the endpoint whose wishes our answers carry */
    struct codec_set set;            /**< of every answer; fmtp is empty: that is the partner's */
    size_t remote_len;
    char *remote; /**< the other side's last description that was agreed on; owned */
};

/**
 * Names and numbers of our side; the rest is zero.
 *
 * @return NULL = out of memory
 */
MUST_CHECK struct said *said_new(struct rng *rng, struct str remote,
                                 enum engine_direction direction);

/** The same with another description of the other side. @return NULL = out of memory */
MUST_CHECK struct said *said_copy(const struct said *s, struct str remote);

/** @return 0 or -ENOMEM: as before */
MUST_CHECK int said_set_remote(struct said *s, struct str remote);

/** NULL is legal. Passwords are wiped. */
void said_free(struct said *s);

/** New credentials: the ufrag goes on to name the same endpoint, behind that all is random. */
void said_renew_credentials(struct said *s, struct rng *rng);

/** Keep the identity of a set's codecs. */
void said_keep_codecs(struct said *s, const struct codec_set *set);

static inline struct str said_remote(const struct said *s)
{
    return (struct str){s->remote, s->remote_len};
}

/** Our side as the answer tells it, but for fingerprint and candidates. Borrows from `s`. */
struct negotiate_local said_local(const struct said *s);

#endif
