/**
 * What the parts of offer/answer share: negotiate.c decides about codecs and answers,
 * negotiate_read.c reads the audio line, negotiate_again.c holds a later offer to the earlier one,
 * negotiate_feedback.c has a=rtcp-fb and a=rtcp-xr, negotiate_write.c writes the answer,
 * negotiate_offer.c is the other way round.
 */
#ifndef PEER_NEGOTIATE_PRIVATE_H
#define PEER_NEGOTIATE_PRIVATE_H

#include "peer/negotiate.h"

/** The audio line of an offer and where its transport is described. */
struct audio_line {
    const struct sdp *offer;
    const struct sdp_media *m;
    struct str mid;                 /* empty = none */
    const struct sdp_media *tagged; /* first section of its BUNDLE group when another; or NULL */
    const struct sdp_media *anchor; /* `tagged` when it cannot be refused; or NULL */
    bool bundled;                   /* in a BUNDLE group of the offer */
};

/** Whose lines are read: the profiles that an offer may name. */
struct negotiate_profile {
    const char *const *protos; /* ends with NULL */
    const char *refusal;       /* of another one; static */
};

extern const struct negotiate_profile negotiate_webrtc; /* UDP/TLS/RTP/SAVPF and its spellings */

/**
 * The first audio line that could be answered; the first one wanted is blamed when none is.
 *
 * @return 0, NEGOTIATE_E_NO_AUDIO, NEGOTIATE_E_PROTO, NEGOTIATE_E_NO_CODEC
 */
int negotiate_find_audio(const struct sdp *offer, const struct negotiate_profile *profile,
                         struct audio_line *ret, struct negotiate_error *err);

/** What every audio line says, however it travels: mid, direction, extensions, sources, ptime. */
int negotiate_read_media(const struct audio_line *line, struct peer_params *p,
                         struct negotiate_error *err);

/** The codecs that both lines have, with the wishes of `b`. @return 0 or NEGOTIATE_E_NO_CODEC */
int negotiate_line_codecs(const struct audio_line *a, const struct audio_line *b,
                          struct codec_set *ret);

/** The first a=mid of a section; empty when there is none. */
struct str negotiate_mid(const struct sdp *s, const struct sdp_media *m);

/** Blame a line. @return code */
int negotiate_refuse(struct negotiate_error *err, int code, unsigned line, const char *attribute,
                     const char *text);

/**
 * Find the audio line of an offer and read everything of it but the codecs.
 *
 * @param ret  zeroed
 * @return as negotiate_check
 */
int negotiate_read(const struct sdp *offer, struct audio_line *ret_line, struct peer_params *ret,
                   struct negotiate_error *err);

/**
 * Is a later offer one that this leg may make? (RFC 3264 §8, RFC 8842 §5.5)
 *
 * @param before  NULL = it is the first: nothing to hold it to
 * @param p       of this offer; its DTLS role becomes the one that we have
 * @return 0 or NEGOTIATE_E_CHANGE
 */
int negotiate_hold_to(const struct audio_line *line, const struct negotiate_before *before,
                      struct peer_params *p, struct negotiate_error *err);

/**
 * An attribute of the transport: from the section, else from the session level, else from the
 * section whose transport is shared (a bundle-only section need not repeat it, RFC 8843 §7.1.3).
 *
 * @param ret_level  for sdp_next; may be NULL
 */
const struct sdp_attr *negotiate_find_transport(const struct audio_line *line, struct str name,
                                                const struct sdp_media **ret_level);

/**
 * Next payload type of a section that can carry a codec; others are passed over.
 *
 * RFC 5761 §4: with rtcp-mux, 64-95 would look like RTCP.
 *
 * @param rest  of m->formats
 */
bool negotiate_next_format(const struct sdp *s, const struct sdp_media *m, struct str *rest,
                           struct sdp_rtpmap *ret);

/** @param clock_rate 0 = any @return false when the section does not offer it */
bool negotiate_find_codec(const struct sdp *s, const struct sdp_media *m, enum codec_id id,
                          uint32_t clock_rate, struct sdp_rtpmap *ret);

/** Does the section offer a codec that can stand alone? */
bool negotiate_has_codec(const struct sdp *s, const struct sdp_media *m);

/** Each header extension that we know. */
struct negotiate_ext {
    const char *uri;
    bool is_sent; /**< a leg gets it, too; otherwise it is read and goes no further */
};

extern const struct negotiate_ext negotiate_exts[PEER_N_EXT];

/** What the offer asks for with a=rtcp-fb and a=rtcp-xr. After codecs and extensions are read. */
void negotiate_read_feedback(const struct audio_line *line, struct peer_params *p);

/** Is this feedback, without a parameter, offered for this payload type? */
bool negotiate_offers_feedback(const struct audio_line *line, uint8_t pt, struct str type);

/** a=rtcp-fb lines of one audio codec. @param pt its payload type */
void negotiate_write_feedback(struct text *t, const struct audio_line *line,
                              const struct peer_params *p, uint8_t pt);

/** The a=rtcp-xr line, if anything of it was agreed. */
void negotiate_write_xr(struct text *t, const struct peer_params *p);

/** RED for the first codec, if it is offered. After the codecs are read. */
void negotiate_read_red(const struct audio_line *line, struct peer_params *p);

/** Its a=rtpmap and a=fmtp lines, if it was agreed. */
void negotiate_write_red(struct text *t, const struct audio_line *line,
                         const struct peer_params *p);

/** What we offer, in order of preference. */
struct negotiate_offered {
    struct peer_codec codec;
    const char *encoding;
    const char *fmtp; /* NULL = none */
};

/** @param ret_n at most PEER_MAX_CODECS */
const struct negotiate_offered *negotiate_offered(size_t *ret_n);

/** An answer's payload types are those of our offer. @return 0 or NEGOTIATE_E_ANSWER */
int negotiate_check_payload_types(const struct audio_line *line, const struct peer_params *p,
                                  struct negotiate_error *err);

/** The a=rtpmap, a=fmtp, a=rtcp-fb and a=ptime lines of an answer. */
void negotiate_write_codecs(struct text *t, const struct audio_line *line,
                            const struct codec_set *set, const struct peer_params *p);

/** A line of the offer that is refused, in its place. */
void negotiate_write_refused(struct text *t, const struct sdp *offer, const struct sdp_media *m);

/** The encoding is echoed as it was offered: some clients compare it as text. */
void negotiate_write_rtpmap(struct text *t, const struct sdp_rtpmap *map);

/** Payload types of this line for the codecs of the set, place by place. */
int negotiate_match_codecs(const struct audio_line *line, const struct codec_set *set,
                           struct peer_params *p, struct negotiate_error *err);

/** Direction of a line of ours. */
enum sdp_direction negotiate_direction(const struct peer_params *p);

/** ICE, DTLS and the candidates; the a=extmap lines; what we send, when we may. */
void negotiate_write_transport(struct text *t, const struct negotiate_local *local,
                               enum sdp_setup setup);
void negotiate_write_extensions(struct text *t, const struct peer_params *p);
void negotiate_write_source(struct text *t, const struct negotiate_local *local,
                            const struct peer_params *p);

/** Append the answer to the offer of `line`. When it does not fit, t->failed is set. */
void negotiate_write_answer(struct text *t, const struct audio_line *line,
                            const struct codec_set *set, const struct negotiate_local *local,
                            const struct peer_params *p);

#endif
