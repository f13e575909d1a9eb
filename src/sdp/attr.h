/**
 * Attribute values: text <-> struct, one pair of functions for each.
 *
 * A parser gets the value (what stands behind "a=name:") and gives false when it is malformed,
 * with *ret untouched; an empty value is just another malformed one. A writer appends the whole
 * line, "a=" and CRLF included.
 */
#ifndef SDP_ATTR_H
#define SDP_ATTR_H

#include "base/addr.h"
#include "base/text.h"
#include "sdp/sdp.h"

/** RFC 8866 §9: token, one character or more of it. */
bool sdp_is_token(struct str s);

/** RFC 8839 §5.4: ice-char (letters, digits, '+', '/') only, and as many as that. */
bool sdp_is_ice_chars(struct str s, size_t min, size_t max);

/* ---- media formats -------------------------------------------------------------------- */

/** a=rtpmap:<pt> <name>/<clock rate>[/<channels>]   RFC 8866 §6.6 */
struct sdp_rtpmap {
    uint8_t pt;          /**< 0..127 */
    struct str name;     /**< any case: compare with str_caseeq */
    uint32_t clock_rate; /**< Hz, > 0 */
    uint8_t channels;    /**< 1 when not given */
    struct str encoding; /**< name, rate and channels as they were written */
};

bool sdp_rtpmap_parse(struct str value, struct sdp_rtpmap *ret);

/**
 * The mapping of one payload type of a section: its first a=rtpmap, or for payload types 0, 8, 9
 * and 13 without one the static assignment of RFC 3551 §6.
 *
 * @return false when there is none or it is malformed
 */
bool sdp_find_rtpmap(const struct sdp *s, const struct sdp_media *m, uint8_t pt,
                     struct sdp_rtpmap *ret);

/** a=fmtp:<pt> <parameters>   @return the parameters; empty = none   RFC 8866 §6.15 */
struct str sdp_find_fmtp(const struct sdp *s, const struct sdp_media *m, uint8_t pt);

/**
 * Next "name=value" or "name" of an fmtp list separated by semicolons.
 *
 * @param rest  moved behind it
 * @return false = no more
 */
bool sdp_fmtp_next(struct str *rest, struct str *ret_name, struct str *ret_value);

/** a=rtcp-fb:<pt or *> <type> [<parameter>]   RFC 4585 §4.2 */
struct sdp_rtcp_fb {
    bool all;             /**< "*": every payload type of the section */
    uint8_t pt;           /**< not when `all` */
    struct str type;      /**< "nack", "transport-cc", ... */
    struct str parameter; /**< "pli", ...; empty = none */
};

bool sdp_rtcp_fb_parse(struct str value, struct sdp_rtcp_fb *ret);

/** a=ptime, a=maxptime   @return milliseconds, 1..10000; 0 = missing or malformed */
unsigned sdp_find_ptime(const struct sdp *s, const struct sdp_media *m, struct str name);

/* ---- direction ------------------------------------------------------------------------ */

enum sdp_direction { SDP_INACTIVE = 0, SDP_SENDONLY = 1, SDP_RECVONLY = 2, SDP_SENDRECV = 3 };

/** From the section, else from the session level, else sendrecv (RFC 8866 §6.7). */
enum sdp_direction sdp_find_direction(const struct sdp *s, const struct sdp_media *m);

/** "sendrecv", ... */
const char *sdp_direction_name(enum sdp_direction d);

/* ---- header extensions, sources ------------------------------------------------------- */

/** a=extmap:<id>["/"<direction>] <URI> [<attributes>]   RFC 8285 §8 */
struct sdp_extmap {
    uint16_t id; /**< 1..14 one-byte form, 16..255 two-byte form; else up to 4351 */
    enum sdp_direction direction; /**< sendrecv when not given; from the view of the writer */
    struct str uri;
    struct str attributes; /**< empty = none */
};

bool sdp_extmap_parse(struct str value, struct sdp_extmap *ret);
void sdp_extmap_write(struct text *t, const struct sdp_extmap *e);

/** a=ssrc:<ssrc> <attribute>[:<value>]   RFC 5576 §4.1 */
struct sdp_ssrc {
    uint32_t ssrc;
    struct str attribute;
    struct str value;
};

bool sdp_ssrc_parse(struct str value, struct sdp_ssrc *ret);

/* ---- transport ------------------------------------------------------------------------ */

/**
 * "IN IP4 <address>" or "IN IP6 <address>": what c= and o= lines and a=rtcp have in common. A
 * multicast TTL is passed over, whether the address is one that can be sent to is not judged; names
 * are refused: nobody here resolves them. RFC 8866 §5.7
 *
 * @param port  to be that of *ret
 */
bool sdp_address_parse(struct str value, uint16_t port, struct addr *ret);

/** The c= line of a section, else that of the session.   @return false = missing or malformed */
bool sdp_find_connection(const struct sdp *s, const struct sdp_media *m, struct addr *ret);

/** "IN IP4 192.0.2.1", without a line's end. */
void sdp_address_write(struct text *t, const struct addr *a);

/**
 * a=rtcp:<port> [IN IP4 <address>]   RFC 3605 §2.1
 *
 * @param ret  the port is set; the address where there is one, otherwise as it was
 */
bool sdp_rtcp_parse(struct str value, struct addr *ret);

/** Hash functions that a fingerprint may use; the older ones of RFC 8122 are not accepted. */
enum sdp_hash { SDP_SHA256, SDP_SHA384, SDP_SHA512 };

#define SDP_MAX_DIGEST 64

/** a=fingerprint:<hash> <hex>:<hex>...   RFC 8122 §5 */
struct sdp_fingerprint {
    enum sdp_hash hash;
    uint8_t len; /**< 32, 48 or 64 */
    uint8_t digest[SDP_MAX_DIGEST];
};

enum {
    SDP_E_UNKNOWN_HASH = 16, /**< not one of enum sdp_hash: look at the next one */
    SDP_E_FINGERPRINT,       /**< malformed: refuse the description */
};

/** @return 0, SDP_E_UNKNOWN_HASH or SDP_E_FINGERPRINT */
MUST_CHECK int sdp_fingerprint_parse(struct str value, struct sdp_fingerprint *ret);

void sdp_fingerprint_write(struct text *t, const struct sdp_fingerprint *f);

/** a=setup   RFC 4145 §4 */
enum sdp_setup { SDP_SETUP_ACTIVE, SDP_SETUP_PASSIVE, SDP_SETUP_ACTPASS, SDP_SETUP_HOLDCONN };

bool sdp_setup_parse(struct str value, enum sdp_setup *ret);

/** "active", ... */
const char *sdp_setup_name(enum sdp_setup setup);

/** Is the option (say, "trickle") in a=ice-options of the section or of the session level? */
bool sdp_has_ice_option(const struct sdp *s, const struct sdp_media *m, struct str option);

/**
 * An a=candidate attribute as the text that trickling would carry, "candidate:..." . Its fields
 * are the business of ice/candidate.h.
 */
struct str sdp_candidate_text(const struct sdp_attr *a);

#endif
