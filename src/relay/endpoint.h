/**
 * Endpoints: who sends media and who gets it, of whatever kind.
 *
 *     an endpoint emits   what it sends us, for any number of sinks    (it is a source)
 *                 hears   what we send it, of at most one source       (it is a sink)
 *
 *     A ──┬──▶ B          relay_connect(A, B), relay_connect(A, C)
 *         └──▶ C ──▶ A    relay_connect(C, A)
 *
 * The payload is never touched, but for RED (relay/red.h). Payload type, SSRC and header-extension
 * ids become those that the sink negotiated; its sequence numbers and timestamps continue whatever
 * happens at the source, also when it is exchanged for another one. What has no payload (padding,
 * by which browsers probe their line) is not passed on and leaves no gap. RTCP ends and begins at
 * each endpoint: nothing of it is forwarded.
 *
 * Everything is prepared when two endpoints are connected; a packet only reads it. A kind of
 * endpoint (relay/webrtc.h) embeds a struct relay_endpoint and brings a struct relay_ops.
 */
#ifndef RELAY_ENDPOINT_H
#define RELAY_ENDPOINT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/compiler.h"
#include "base/dgram.h"
#include "base/list.h"
#include "base/rng.h"
#include "base/time.h"
#include "peer/params.h"
#include "relay/red.h"
#include "rtp/packet.h"
#include "rtp/translate.h"

struct relay_endpoint;

/** What a kind of endpoint does with media for it. On the packet path, but for `loss`. */
struct relay_ops {
    /** Can it be sent to now? If not, a packet costs it no number. */
    bool (*is_ready)(const struct relay_endpoint *e);

    /**
     * A packet in the numbers of this endpoint.
     *
     * @param d       plain RTP, may be changed in place; room for RTPSEC_RTP_OVERHEAD behind it
     * @param packet  of it
     *
     * @return 0: `d` is addressed and ready to be sent
     *         RELAY_TAKEN: the endpoint has what it needs, nothing is to be sent
     *         a PEER_E_ code: drop and count
     */
    int (*send)(struct relay_endpoint *e, mono_us now, struct dgram *d,
                const struct rtp_packet *packet);

    /** The share of it that is lost on its way from there [1/256]. NULL = nothing ever is. */
    uint8_t (*loss)(struct relay_endpoint *e);
};

/** Outcomes besides enum peer_error; the RELAY_E_ ones: drop and count. */
enum relay_result {
    RELAY_TAKEN = 99,    /**< a sink that has no address took the packet */
    RELAY_E_CODEC = 100, /**< payload type that the sink did not negotiate */
    RELAY_E_OLD,         /**< from before the source changed, or a jump that may be a restart */
    RELAY_E_UNHEARD,     /**< nobody hears this source */
    RELAY_E_PADDING,     /**< holds nothing but padding; the sinks' numbers close up */
};

/** One direction of what an endpoint negotiated. Borrowed, as long as the endpoint lives. */
struct relay_format {
    const struct peer_codec *codecs; /**< (id, clock_rate) is the identity */
    unsigned n_codecs;               /**< 0: this direction is not used */
    const uint8_t *ext;              /**< ids by enum peer_ext; 0 = not agreed */
    uint8_t red_pt;                  /**< RED that carries codecs[0]; 0 = not agreed */
};

/** What becomes of a payload. */
enum relay_payload {
    RELAY_PAYLOAD_AS_IT_IS,
    RELAY_PAYLOAD_RED,      /**< RED for a sink that has it: the types of its blocks change */
    RELAY_PAYLOAD_OPEN_RED, /**< RED for a sink that has not: its newest block goes on */
};

/** What a sink makes of one payload type of its source. */
struct relay_codec_map {
    uint8_t from_pt, to_pt;
    uint8_t payload;              /**< enum relay_payload */
    uint8_t from_block, to_block; /**< likewise, of the blocks of RED */
    uint32_t clock_rate;          /**< Hz */
};

/** Embedded in its kind, hot members first. Fields are private. */
struct relay_endpoint {
    /* as a source */
    struct list sinks;           /**< their `siblings`, in the order of connecting */
    struct relay_red_source red; /**< of what it sends */

    /* as a sink */
    const struct relay_ops *ops;
    struct relay_endpoint *source; /**< NULL = hears nothing */
    struct list siblings;          /**< in source->sinks */
    struct rtp_translator translator;
    uint8_t n_codecs;
    bool opens_red;                                     /**< its source sends RED, it has none */
    struct relay_codec_map codecs[PEER_MAX_CODECS + 1]; /**< those that both have, RED first */
    uint8_t ext_map[256];                               /**< by the source's id; 0 = blank it */

    struct relay_format emits, hears; /**< for connecting */
};

/**
 * An endpoint without connections.
 *
 * @param ssrc  of what it is sent
 */
void relay_endpoint_init(struct relay_endpoint *e, const struct relay_ops *ops, uint32_t ssrc,
                         const struct relay_format *emits, const struct relay_format *hears,
                         struct rng *rng);

/**
 * It negotiated anew: what it sends and gets is mapped by these from now on. Connections and
 * numbering stay.
 */
void relay_endpoint_set_formats(struct relay_endpoint *e, const struct relay_format *emits,
                                const struct relay_format *hears);

/** Disconnects it from its source and from all of its sinks. */
void relay_endpoint_deinit(struct relay_endpoint *e);

/**
 * Let `sink` hear `source`, in place of whom it heard before; its stream goes on without a break.
 * Codecs that both have are matched by name; what else the source sends is dropped for this sink.
 * An endpoint may hear itself. Connecting what is connected changes nothing.
 */
void relay_connect(struct relay_endpoint *source, struct relay_endpoint *sink);

/** What the worst of its sinks loses [1/256]: the protection of what it sends must suit that. */
uint8_t relay_onward_loss(const struct relay_endpoint *source);

/** Let `sink` hear nobody. Legal when that is so already. */
void relay_disconnect(struct relay_endpoint *sink);

#endif
