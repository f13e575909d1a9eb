/**
 * Every setting of the server: one table, one struct.
 *
 * The rows of options_table[] are the only list of keys. From them come the YAML file, the
 * environment, --set, --help, the sample file and docs/configuration.md; adding a setting is one
 * row and one member (docs/howto/add-an-option.md).
 *
 * Later sources win: defaults < file < environment < --set.
 */
#ifndef SERVER_OPTIONS_H
#define SERVER_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/compiler.h"
#include "base/str.h"
#include "base/time.h"

/** Items of one list setting. */
#define OPTIONS_LIST_MAX 16

/** Characters of one text setting: PATH_MAX less its zero. */
#define OPTIONS_TEXT_MAX 4095

struct options_texts {
    char *item[OPTIONS_LIST_MAX + 1]; /**< owned; NULL behind the last */
    size_t n;
};

/** In the order of media.backend's words. */
enum options_media_backend {
    OPTIONS_MEDIA_ENGINE,
    OPTIONS_MEDIA_KURENTO,
};

struct options_ips {
    struct addr item[OPTIONS_LIST_MAX]; /**< port 0 */
    size_t n;
    bool is_auto; /**< to be found out; n is 0 then */
};

/** A range of ports, both included; 0 and 0 = none. */
struct options_ports {
    uint16_t first, last;
};

/** In the order of log.level's words: the higher, the more is written. */
enum options_log_level {
    OPTIONS_LOG_ERROR,
    OPTIONS_LOG_WARNING,
    OPTIONS_LOG_INFO,
    OPTIONS_LOG_DEBUG,
};

/**
 * The settings in effect; RO after options_load. Texts are owned by the struct, never NULL, and
 * "" when not set. Every number is within its row's range.
 */
struct options {
    char *http_listen;                 /**< "address:port", "" = off */
    char *http_web_root;               /**< folder, "" = the page built in */
    uint32_t http_max_frame;           /**< bytes */
    uint32_t http_max_sockets;         /**< n, the whole server */
    uint32_t http_max_sockets_address; /**< n, one remote address */
    uint32_t http_queue_bytes;         /**< bytes, one socket */
    struct options_texts http_origins; /**< "scheme://host[:port]"; none = any */
    mono_us http_ping_interval;
    char *https_listen;       /**< "address:port", "" = off */
    char *tls_cert;           /**< PEM file; both or neither of cert and key */
    char *tls_key;            /**< PEM file */
    char *state_dir;          /**< folder; options_load puts the default in: never "" after it */
    struct addr media_listen; /**< port 0 */
    uint16_t media_port;      /**< worker 0's; 0 = the system chooses all of them */
    uint32_t media_workers;   /**< 0 = one a core */
    struct options_ports media_rtp_ports; /**< at least a pair */
    bool media_tcp;
    struct options_ips media_external_ip;  /**< at most one of each family; none = as bound */
    struct options_texts media_stun;       /**< "host:port", "host" (addr_split); none = off */
    struct options_texts media_interfaces; /**< interface_rule_parse takes each; none = all */
    bool media_red;
    bool media_ice_lite;
    uint32_t media_tick_us; /**< µs, 0 = wake for every packet */
    uint32_t media_dscp;    /**< 0 = unmarked */
    enum options_media_backend media_backend;
    struct options_texts media_kurento_uri; /**< ws_url_parse takes each */
    char *media_kurento_token;              /**< "" = none */
    char *media_kurento_ca;                 /**< PEM file; "" = the system's */
    mono_us call_ring_timeout;
    mono_us call_setup_timeout;
    uint32_t call_max_users; /**< n */
    uint32_t call_max_calls; /**< n */
    bool call_record;
    char *kurento_listen; /**< "address:port", "" = off */
    bool kurento_tls;
    char *kurento_token;                  /**< "" = none */
    struct options_texts kurento_origins; /**< none = no page */
    char *recording_dir;                  /**< absolute; "" = off */
    uint32_t recording_max_files;         /**< n */
    char *player_dir;                     /**< absolute; "" = no files */
    struct options_texts player_http;     /**< "host" or "host:port"; none = off */
    uint32_t player_max_files;            /**< n */
    enum options_log_level log_level;
};

/** Sets every member to nothing: legal input of options_deinit. */
void options_init(struct options *o);

/** Frees what the members own. */
void options_deinit(struct options *o);

/** What the command line asks for. */
enum options_action {
    OPTIONS_ACTION_SERVE, /**< run the server with `options` */
    OPTIONS_ACTION_PRINT, /**< put `text` on standard output and exit with status 0 */
};

struct options_request {
    enum options_action action;
    struct options options; /**< SERVE */
    char *text;             /**< owned. PRINT: the output. OPTIONS_E_REFUSED: what is wrong */
};

enum options_error {
    OPTIONS_E_REFUSED = 1, /**< command line, environment or file are wrong */
};

/**
 * Read command line, environment and file, in full: all that is wrong is told at once.
 *
 *     duet --version | --help
 *     duet serve [--config FILE] [--set KEY=VALUE]… [--help | --print-config | --print-reference]
 *
 * @param argv    as main gets it, argv[0] included (C wants a cast from char **)
 * @param env     "NAME=value", NULL behind the last: main passes environ
 * @param ret     filled with 0 and OPTIONS_E_REFUSED: the caller's to options_request_deinit
 *
 * @return 0                  ret->action says what to do
 *         OPTIONS_E_REFUSED  ret->text, lines ready for standard error: print them, exit with 2
 *         -ENOMEM            nothing to free
 *
 * Reads one file, and nothing else of the system; one thread at a time.
 */
MUST_CHECK int options_load(int argc, const char *const *argv, const char *const *env,
                            struct options_request *ret);

void options_request_deinit(struct options_request *request);

#endif
