/**
 * Which servers media may be fetched from: those that the operator names, and no others, also by
 * redirection. A name that is on the list is the operator's word, whatever address it leads to.
 *
 *     media.example.org          http://media.example.org/…:80, https://media.example.org/…:443
 *     media.example.org:8080     http://media.example.org:8080/…, and https likewise
 */
#ifndef PLAY_HOSTS_H
#define PLAY_HOSTS_H

#include <curl/curl.h>
#include <stddef.h>

#include "base/compiler.h"
#include "play/source.h"

struct play_hosts;

/** @param hosts  "host", "host:port", "[IPv6]:port"; copied. NULL = out of memory */
MUST_CHECK struct play_hosts *play_hosts_new(const char *const *hosts, size_t n);

/** NULL is legal. */
void play_hosts_free(struct play_hosts *h);

/**
 * Read a URL, and see whether it may be fetched.
 *
 * @return what is to be fetched, by the very reading that was checked: curl_url_cleanup it; NULL =
 *         *error says why not
 */
MUST_CHECK CURLU *play_hosts_parse(const struct play_hosts *h, const char *url,
                                   struct play_error *error);

#endif
