/**
 * A session description as a struct: lines, attributes and media sections, found by name.
 * What an attribute's value means is in sdp/attr.h; what to answer is in peer/negotiate.h.
 *
 * All text is views into the caller's buffer, which must stay as long as the struct does.
 * The only allocation is one block for the attributes, of exactly the size needed.
 */
#ifndef SDP_SDP_H
#define SDP_SDP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"
#include "base/str.h"

/* Limits for text from outside. The largest browser offer seen, with ten video lines and all
 * candidates, has 24 KB and 700 lines. */
#define SDP_MAX_TEXT    65536
#define SDP_MAX_LINES   2048
#define SDP_MAX_MEDIA   32
#define SDP_MAX_FORMATS 128 /**< a line; more payload types than RTP has */

enum {
    SDP_E_SYNTAX = 1, /**< not a line of SDP, or a malformed v= or m= line */
    SDP_E_LIMIT,      /**< above one of the limits of this header */
};

/** What was wrong with a description. */
struct sdp_error {
    unsigned line;    /**< 1-based; 0 = the description as a whole */
    const char *text; /**< plain sentence without a full stop; static */
};

/** a=<name> or a=<name>:<value> */
struct sdp_attr {
    struct str name;
    struct str value; /**< without spaces around it; empty = no value or an empty one */
    unsigned line;    /**< 1-based */
};

/** Run of attributes in sdp.attrs. */
struct sdp_range {
    unsigned first;
    unsigned n;
};

/** One m= line and what stands below it: 80 bytes. */
struct sdp_media {
    struct str type;        /**< "audio", "video", "application", ... */
    struct str proto;       /**< "UDP/TLS/RTP/SAVPF", ... */
    struct str formats;     /**< payload types or other formats, 1..SDP_MAX_FORMATS words */
    struct str connection;  /**< value of its c= line, for sdp_find_connection; empty = none */
    uint16_t port;          /**< 0 = refused, or bundle-only (RFC 8843 §6) */
    unsigned line;          /**< 1-based */
    struct sdp_range attrs; /**< its attributes */
};

/** About 3 KB, fit for the stack; the attributes (40 bytes each) are on the heap. */
struct sdp {
    struct sdp_attr *attrs;                /**< owned; session level first */
    struct sdp_range session;              /**< attributes at session level */
    struct str connection;                 /**< value of the c= line there; empty = none */
    struct sdp_media media[SDP_MAX_MEDIA]; /**< in the order of the text */
    unsigned n_media;
};

/**
 * Parse a description.
 *
 * Lines end with LF or CRLF, the last one may end with nothing; empty lines are accepted at the
 * end only. `v=0` must come first. Lines that carry nothing for us (o s t b ...) may be missing
 * and are not looked into; of several c= lines of one level the first counts. A NUL or a bare CR is
 * refused, so whatever is echoed from a view stays on its line.
 *
 * @param ret   initialised by the call; to be given to sdp_deinit only when 0 came back
 * @param text  borrowed as long as *ret is in use
 * @param err   NULL = not wanted; set when a positive code comes back
 *
 * @return 0
 *         SDP_E_SYNTAX, SDP_E_LIMIT  refuse the description, err says which line and why
 *         -ENOMEM                    give up the call
 *
 * RFC 8866 §5, §9. We differ: docs/rfc/sdp.md
 */
MUST_CHECK int sdp_parse(struct sdp *ret, struct str text, struct sdp_error *err);

/** Frees the attributes. A zeroed struct is legal. */
void sdp_deinit(struct sdp *s);

/**
 * The next attribute of that name in a media section (NULL = at session level). Names are
 * compared exactly (RFC 8866 §5.13: they are case-sensitive).
 *
 * @param after  where to go on; NULL = from the start
 * @return NULL = no more
 */
const struct sdp_attr *sdp_next(const struct sdp *s, const struct sdp_media *m, struct str name,
                                const struct sdp_attr *after);

/** The first attribute of that name in a media section (NULL = at session level), or NULL. */
static inline const struct sdp_attr *sdp_find(const struct sdp *s, const struct sdp_media *m,
                                              struct str name)
{
    return sdp_next(s, m, name, NULL);
}

/** Like sdp_find, with the session level as default for a media section that has none. */
const struct sdp_attr *sdp_find_inherited(const struct sdp *s, const struct sdp_media *m,
                                          struct str name);

/** The media section whose a=mid is this; NULL = none. */
const struct sdp_media *sdp_find_mid(const struct sdp *s, struct str mid);

/**
 * The a=group:BUNDLE that lists this mid.
 *
 * @param ret_mids  all mids of the group, separated by spaces
 * @return false when there is none
 */
bool sdp_find_bundle(const struct sdp *s, struct str mid, struct str *ret_mids);

#endif
