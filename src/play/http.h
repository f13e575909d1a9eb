/**
 * Media from a server: http and https, as a source that is read like a file. All transfers are of
 * one thread, which waits for them and for whoever wakes it in one place.
 *
 * A transfer stops where nobody reads: memory is bounded by one piece of 16 KB and by what stands
 * in headers, whatever the server sends. Redirections are followed as far as their hosts are named,
 * too, and never from https to http. No proxy, no cookies, no passwords.
 */
#ifndef PLAY_HTTP_H
#define PLAY_HTTP_H

#include <stdbool.h>

#include "base/compiler.h"
#include "base/str.h"
#include "base/time.h"
#include "play/source.h"

/** Until a connection stands, names and TLS included. */
#define PLAY_HTTP_CONNECT_LIMIT (10 * US_PER_S)

/** A server that sends nothing for so long, while somebody wants to read, is gone. */
#define PLAY_HTTP_SILENCE_LIMIT (20 * US_PER_S)

#define PLAY_HTTP_MAX_REDIRECTIONS 5

/** Header fields and trailers of all answers of a transfer together [bytes]. */
#define PLAY_HTTP_MAX_HEAD 65536

/** Of what stands behind a status of error or redirection so much is read [bytes]. */
#define PLAY_HTTP_MAX_PAGE 65536

struct play_hosts;
struct play_http;

/** Is it for a server at all? */
bool play_http_is(struct str uri);

/** May it be fetched? @return 0, or PLAY_SOURCE_FAILED with *error */
MUST_CHECK int play_http_check(const struct play_hosts *hosts, const char *url,
                               struct play_error *error);

/** On the thread that starts the others. NULL = out of memory */
MUST_CHECK struct play_http *play_http_new(void);

/** After all of its sources. NULL is legal. */
void play_http_free(struct play_http *c);

/**
 * Begin to fetch.
 *
 * @param hosts  outlives it
 * @return NULL = *error says why. What the server says to it comes with `read`
 */
MUST_CHECK struct play_source *play_http_open(struct play_http *c, const struct play_hosts *hosts,
                                              const char *url, struct play_error *error);

/** Let all transfers go on as far as they can. Never blocks. */
void play_http_run(struct play_http *c);

/** Until a transfer can go on, `fd` is readable, or so much time is over [ms; -1 = ever]. */
void play_http_wait(struct play_http *c, int fd, int ms);

#endif
