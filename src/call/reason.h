/**
 * Why something was refused or ended: one row a reason, with the name that programs read (`reason`
 * on the wire, the log, call records) and the sentence that people read.
 *
 * A sentence may hold one user's name: it is then `before` + name + `after`. Those of the Node
 * tutorial are kept to the letter ("remote user hanged out"): pages and their tests compare them.
 */
#ifndef CALL_REASON_H
#define CALL_REASON_H

/* X(symbol, name, before, after); after = NULL: the sentence holds no name. */
#define CALL_REASONS(X)                                                                            \
    /* ends of a call that its people caused */                                                    \
    X(HANG_UP, "hang-up", "remote user hanged out", NULL)                                          \
    X(DECLINED, "declined", "user declined", NULL)                                                 \
    X(DECLINED_BUSY, "busy", "user declined", NULL)                                                \
    X(CANCELLED, "cancelled", "User ", " cancelled the call")                                      \
    X(NO_ANSWER, "no-answer", "User ", " did not answer")                                          \
    X(PEER_LOST, "peer-lost", "remote user hanged out", NULL)                                      \
    /* calls that never ring */                                                                    \
    X(BUSY, "busy", "User ", " is busy")                                                           \
    X(NOT_REGISTERED, "not-registered", "User ", " is not registered")                             \
    X(SELF_CALL, "self-call", "you cannot call yourself", NULL)                                    \
    X(REGISTER_FIRST, "register-first", "register first: this connection has no user name", NULL)  \
    X(INVALID_OFFER, "invalid-offer", "the offer of ", " cannot be answered")                      \
    /* later offers that are not taken; the call goes on */                                        \
    X(NOT_IN_CALL, "not-in-call", "there is no call here that an offer could change", NULL)        \
    X(OFFER_PENDING, "offer-pending", "the answer to the last offer is still to come", NULL)       \
    X(TOO_MANY_OFFERS, "too-many-offers",                                                          \
      "too many offers: one a second, and ten at once, is what a call takes", NULL)                \
    /* ends that the media caused; the name is that of the leg where it happened */                \
    X(NO_COMMON_CODEC, "no-common-codec", "the two browsers have no audio codec in common", NULL)  \
    X(MEDIA_FAILED, "media-failed", "the audio connection of ", " could not be set up")            \
    X(MEDIA_LOST, "media-lost", "the audio connection of ", " was lost")                           \
    /* the server's own */                                                                         \
    X(SERVER_SHUTDOWN, "server-shutdown", "the server is shutting down", NULL)                     \
    X(SERVER_FULL, "server-full", "the server is full", NULL)                                      \
    X(SERVER_ERROR, "server-error", "the server could not go on with this call", NULL)             \
    /* recordings; the name is that of who is to be heard */                                       \
    X(NO_RECORDING, "no-recording", "No recording for user '",                                     \
      "'. Please type a correct user in the 'Peer' field.")                                        \
    X(PLAYING, "playing", "you are listening to a recording: send stopPlay first", NULL)           \
    X(PLAYED, "played", "the recording is over", NULL)                                             \
    /* refused registrations and answers */                                                        \
    X(EMPTY_NAME, "empty-name", "empty user name", NULL)                                           \
    X(NAME_TAKEN, "name-taken", "User ", " is already registered")                                 \
    X(IN_CALL, "in-call", "you are in a call: send stop first", NULL)                              \
    X(UNKNOWN_FROM, "unknown-from", "unknown from = ", "")                                         \
    X(NOT_RINGING, "not-ringing", "no call from ", " is ringing here")                             \
    X(WRONG_FROM, "wrong-from", "from is not the name that this connection registered: ", "")      \
    X(TOO_MANY_CANDIDATES, "too-many-candidates",                                                  \
      "too many candidates: a call takes 64 a side, the rest is ignored", NULL)

enum call_reason {
#define CALL_REASON_ENUM(symbol, name, before, after) CALL_REASON_##symbol,
    CALL_REASONS(CALL_REASON_ENUM)
#undef CALL_REASON_ENUM
};

/** The name for programs, such as "no-answer". */
const char *call_reason_name(enum call_reason reason);

/** The sentence up to the user's name, or all of it. */
const char *call_reason_before(enum call_reason reason);

/** The sentence after the user's name; NULL when it holds none. */
const char *call_reason_after(enum call_reason reason);

#endif
