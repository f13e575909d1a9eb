/*
 * The one list of settings, and how to find a row in it.
 *
 * Limits: where a number has no natural end, the maximum is what was thought through, not what
 * the type holds: a value beyond it is a slip of the pen more often than a wish.
 */
#include "server/options_table.h"

#include "base/compiler.h"

#define MEMBER(m) .offset = offsetof(struct options, m), .size = sizeof(((struct options *)0)->m)

static const char *const log_levels[] = {
    [OPTIONS_LOG_ERROR] = "error",
    [OPTIONS_LOG_WARNING] = "warning",
    [OPTIONS_LOG_INFO] = "info",
    [OPTIONS_LOG_DEBUG] = "debug",
    NULL,
};

static const char *const media_backends[] = {
    [OPTIONS_MEDIA_ENGINE] = "engine",
    [OPTIONS_MEDIA_KURENTO] = "kurento",
    NULL,
};

/* clang-format off */
const struct options_row options_table[] = {
    {.key = "http.listen", .type = OPTIONS_TYPE_LISTEN, MEMBER(http_listen),
     .fallback = "127.0.0.1:8080",
     .help = "Address and port of the page and the WebSocket without TLS. Browsers give the "
             "microphone to a plain page on localhost only. Port 0: the system chooses; empty: off."},
    {.key = "http.web_root", .type = OPTIONS_TYPE_PATH, MEMBER(http_web_root), .fallback = "",
     .help = "Folder to serve in place of the page that is built in."},
    {.key = "http.origins", .type = OPTIONS_TYPE_ORIGINS, MEMBER(http_origins), .fallback = "",
     .help = "Pages that may open a WebSocket, as the browser names them in Origin "
             "(https://calls.example.org). Empty: any page may."},
    {.key = "http.max_sockets", .type = OPTIONS_TYPE_NUMBER, MEMBER(http_max_sockets),
     .fallback = "10000", .min = 1, .max = 1000000,
     .help = "Open WebSockets of the whole server; more are refused with status 503. Each needs a "
             "descriptor (ulimit -n) and about 20 KB."},
    {.key = "http.max_sockets_per_address", .type = OPTIONS_TYPE_NUMBER,
     MEMBER(http_max_sockets_address), .fallback = "256", .min = 1, .max = 1000000,
     .help = "Open WebSockets from one remote address; more are refused with status 429. An office "
             "behind one router is one address. Connections from the machine itself are not counted."},
    {.key = "http.max_frame", .type = OPTIONS_TYPE_NUMBER, MEMBER(http_max_frame),
     .fallback = "65536", .min = 16384, .max = 65536, .unit = "bytes",
     .help = "Largest WebSocket message taken; a larger one closes its socket with code 1009."},
    {.key = "http.queue_bytes", .type = OPTIONS_TYPE_NUMBER, MEMBER(http_queue_bytes),
     .fallback = "262144", .min = 65536, .max = 16777216, .unit = "bytes",
     .help = "Unsent bytes kept for one WebSocket; a client that reads too slowly is closed."},
    {.key = "http.ping_interval", .type = OPTIONS_TYPE_DURATION, MEMBER(http_ping_interval),
     .fallback = "10s", .min = US_PER_S, .max = 600 * US_PER_S,
     .help = "Time between WebSocket pings; a client that misses two is gone."},
    {.key = "https.listen", .type = OPTIONS_TYPE_LISTEN, MEMBER(https_listen),
     .fallback = "0.0.0.0:8443",
     .help = "Address and port of the page and the WebSocket with TLS. Port 0: the system chooses; "
             "empty: off."},
    {.key = "tls.cert", .type = OPTIONS_TYPE_PATH, MEMBER(tls_cert), .fallback = "",
     .help = "PEM file with the certificate chain for https.listen. Empty: a self-signed P-256 pair "
             "is made once and kept in state.dir."},
    {.key = "tls.key", .type = OPTIONS_TYPE_PATH, MEMBER(tls_key), .fallback = "",
     .help = "PEM file with the private key of tls.cert."},
    {.key = "state.dir", .type = OPTIONS_TYPE_PATH, MEMBER(state_dir), .fallback = "",
     .help = "Folder for what the server makes and keeps. Empty: $XDG_STATE_HOME/duet, else "
             "/var/lib/duet for root and ~/.local/state/duet for everybody else."},
    {.key = "media.listen", .type = OPTIONS_TYPE_IP, MEMBER(media_listen), .fallback = "0.0.0.0",
     .help = "Address of the media ports; 0.0.0.0 and :: both stand for every address, IPv4 and "
             "IPv6."},
    {.key = "media.port", .type = OPTIONS_TYPE_NUMBER, MEMBER(media_port), .fallback = "40000",
     .min = 0, .max = 65535,
     .help = "Media port of worker 0; worker i uses media.port + i. 0: the system chooses."},
    {.key = "media.workers", .type = OPTIONS_TYPE_NUMBER, MEMBER(media_workers), .fallback = "0",
     .min = 0, .max = 64, .help = "Media threads. 0: one for each core."},
    {.key = "media.external_ip", .type = OPTIONS_TYPE_IPS, MEMBER(media_external_ip),
     .fallback = "",
     .help = "Addresses to give to browsers in place of the machine's own, when it stands behind a "
             "1:1 NAT: one IPv4, one IPv6, or both. auto: the servers of media.stun are asked at "
             "start and every 25 s; until they answer, the machine's own addresses are given."},
    {.key = "media.stun", .type = OPTIONS_TYPE_HOSTS, MEMBER(media_stun), .fallback = "",
     .help = "STUN servers, host:port (port 3478 when left out), asked from each media port. What "
             "they see is offered besides the machine's own addresses (server-reflexive "
             "candidates), which helps behind a NAT that is not 1:1; with media.external_ip=auto, "
             "in place of them."},
    {.key = "media.interfaces", .type = OPTIONS_TYPE_RULES, MEMBER(media_interfaces),
     .fallback = "",
     .help = "Which of the machine's addresses are offered when media.listen is a wildcard: names of "
             "interfaces (eth0, wg*) or networks (192.0.2.0/24, 2001:db8::/32); with - in front: "
             "not these. Empty: all but loopback and link-local ones."},
    {.key = "media.rtp_ports", .type = OPTIONS_TYPE_PORTS, MEMBER(media_rtp_ports),
     .fallback = "41000-41999",
     .help = "UDP ports for plain RTP (RtpEndpoint of the Kurento Protocol): SIP gateways, ffmpeg "
             "and the like. Each endpoint has two of its own, an even one for RTP and the next one "
             "for RTCP, as long as it lives; none is open before. Empty: off."},
    {.key = "media.tcp", .type = OPTIONS_TYPE_BOOL, MEMBER(media_tcp), .fallback = "true",
     .help = "Accept media over TCP too, on the media ports, for browsers whose network drops UDP "
             "(RFC 6544). They prefer UDP where it works."},
    {.key = "media.red", .type = OPTIONS_TYPE_BOOL, MEMBER(media_red),
     .fallback = "true",
     .help = "Take redundant audio (RED, RFC 2198) from browsers that offer it: each packet repeats "
             "the one before it, which outlives single losses without a delay and doubles the "
             "bandwidth of speech. Other browsers get what was lost as plain Opus."},
    {.key = "media.ice_lite", .type = OPTIONS_TYPE_BOOL, MEMBER(media_ice_lite),
     .fallback = "false",
     .help = "Answer connectivity checks without sending any (RFC 8445 section 2.5). Only for a "
             "server that every browser can reach."},
    {.key = "media.tick_us", .type = OPTIONS_TYPE_NUMBER, MEMBER(media_tick_us),
     .fallback = "1000", .min = 0, .max = 10000, .unit = "µs",
     .help = "A busy worker collects packets for this long before it relays them, which halves the "
             "CPU time for half of it as mean delay. 0: never."},
    {.key = "media.dscp", .type = OPTIONS_TYPE_NUMBER, MEMBER(media_dscp), .fallback = "46",
     .min = 0, .max = 63,
     .help = "Differentiated services mark of outgoing media. 46: expedited forwarding, as RFC 8837 "
             "has it for audio. 0: none."},
    {.key = "media.backend", .type = OPTIONS_TYPE_WORD, MEMBER(media_backend),
     .fallback = "engine", .words = media_backends,
     .help = "Who carries the audio. engine: this server. kurento: the servers of media.kurento_uri; "
             "then there are no media ports here, kurento.listen stays closed, and recording, player "
             "and the other settings of media have no effect."},
    {.key = "media.kurento_uri", .type = OPTIONS_TYPE_WS_URLS, MEMBER(media_kurento_uri),
     .fallback = "",
     .help = "Kurento Media Servers, or other Duets, that carry the audio with media.backend=kurento: "
             "ws://host:8888/kurento. A call goes to the one with the fewest of our calls among those "
             "that answer."},
    {.key = "media.kurento_token", .type = OPTIONS_TYPE_TOKEN, MEMBER(media_kurento_token),
     .fallback = "",
     .help = "Secret that is shown to each of media.kurento_uri, in the header Authorization: Bearer "
             "SECRET: the kurento.token of another Duet. Empty: none."},
    {.key = "media.kurento_ca", .type = OPTIONS_TYPE_PATH, MEMBER(media_kurento_ca), .fallback = "",
     .help = "PEM file with the certificates that wss:// servers of media.kurento_uri may be signed "
             "by, or have. Empty: the authorities that the system trusts."},
    {.key = "call.ring_timeout", .type = OPTIONS_TYPE_DURATION, MEMBER(call_ring_timeout),
     .fallback = "1min", .min = US_PER_S, .max = 3600 * US_PER_S,
     .help = "A call that nobody answers ends after this time."},
    {.key = "call.setup_timeout", .type = OPTIONS_TYPE_DURATION, MEMBER(call_setup_timeout),
     .fallback = "30s", .min = US_PER_S, .max = 600 * US_PER_S,
     .help = "An accepted call whose audio does not come up on both sides ends after this time."},
    {.key = "call.max_users", .type = OPTIONS_TYPE_NUMBER, MEMBER(call_max_users),
     .fallback = "10000", .min = 2, .max = 1000000,
     .help = "Registered names; more are refused with reason server-full."},
    {.key = "call.max_calls", .type = OPTIONS_TYPE_NUMBER, MEMBER(call_max_calls),
     .fallback = "5000", .min = 1, .max = 100000,
     .help = "Calls at the same time, ringing ones included; more are refused with reason "
             "server-full."},
    {.key = "call.record", .type = OPTIONS_TYPE_BOOL, MEMBER(call_record), .fallback = "false",
     .help = "Record every call of /one2one and /call below recording.dir, two files each "
             "(recording.max_files): what the one says, and what the other. Both pages are told "
             "so, and when it fails; in most countries people must be, and must agree. Nothing is "
             "ever deleted."},
    {.key = "kurento.listen", .type = OPTIONS_TYPE_LISTEN, MEMBER(kurento_listen),
     .fallback = "127.0.0.1:8888",
     .help = "Address and port of the Kurento Protocol, at the path /kurento: applications written "
             "for a Kurento Media Server run on this one. Who may connect may do everything: see "
             "kurento.token. Port 0: the system chooses; empty: off."},
    {.key = "kurento.tls", .type = OPTIONS_TYPE_BOOL, MEMBER(kurento_tls), .fallback = "false",
     .help = "Speak TLS at kurento.listen (wss), with the certificate of tls.cert."},
    {.key = "kurento.token", .type = OPTIONS_TYPE_TOKEN, MEMBER(kurento_token), .fallback = "",
     .help = "Secret that an application must show: ws://host:8888/kurento?access_token=SECRET, or "
             "the header Authorization: Bearer SECRET. Empty: none is needed."},
    {.key = "kurento.origins", .type = OPTIONS_TYPE_ORIGINS, MEMBER(kurento_origins),
     .fallback = "",
     .help = "Web pages that may open the Kurento WebSocket themselves. Empty: none; programs are "
             "not concerned."},
    {.key = "recording.dir", .type = OPTIONS_TYPE_PATH, MEMBER(recording_dir), .fallback = "",
     .help = "Folder below which recordings go, an absolute path; nothing is ever written outside "
             "of it, whatever an application asks for. Empty: nothing can be recorded."},
    {.key = "recording.max_files", .type = OPTIONS_TYPE_NUMBER, MEMBER(recording_max_files),
     .fallback = "1000", .min = 1, .max = 100000,
     .help = "Recordings at the same time, one file each; more are refused. Each needs a descriptor "
             "(ulimit -n) and 64 KB."},
    {.key = "player.dir", .type = OPTIONS_TYPE_PATH, MEMBER(player_dir), .fallback = "",
     .help = "Folder below which the files are that applications may play (PlayerEndpoint), an "
             "absolute path; it may be recording.dir. Nothing is ever read outside of it. Empty: no "
             "files are played."},
    {.key = "player.http", .type = OPTIONS_TYPE_HOSTS, MEMBER(player_http), .fallback = "",
     .help = "Servers from which applications may play, by http and https: a host alone means ports "
             "80 and 443. Redirections are followed to these, and to no others. A host that is named "
             "may be played from whatever address its name leads to, private ones too. Empty: none."},
    {.key = "player.max_files", .type = OPTIONS_TYPE_NUMBER, MEMBER(player_max_files),
     .fallback = "1000", .min = 1, .max = 100000,
     .help = "Files and servers that are played from at the same time; more are refused. Each needs "
             "a descriptor (ulimit -n) and up to 250 KB."},
    {.key = "log.level", .type = OPTIONS_TYPE_WORD, MEMBER(log_level), .fallback = "info",
     .words = log_levels,
     .help = "What is written to standard error. error: the operator must act; warning: somebody "
             "should soon; info: the life of each call; debug: for developers."},
};
/* clang-format on */

const size_t options_table_len = ARRAY_LEN(options_table);

const struct options_row *options_table_find(struct str key)
{
    for (size_t i = 0; i < options_table_len; i++)
        if (str_eq(key, str_of(options_table[i].key)))
            return &options_table[i];
    return NULL;
}

bool options_table_has_section(struct str section)
{
    for (size_t i = 0; i < options_table_len; i++) {
        const char *key = options_table[i].key;
        if (section.len && str_starts_with(str_of(key), section) && key[section.len] == '.')
            return true;
    }
    return false;
}

/** Longest key that is compared; a longer one resembles none. */
#define NEAREST_MAX 48

/** Characters to insert, remove or change to get from a to b (Levenshtein), one row at a time. */
static unsigned distance(struct str a, struct str b)
{
    unsigned row[NEAREST_MAX + 1];
    for (unsigned j = 0; j <= b.len; j++)
        row[j] = j;
    for (unsigned i = 0; i < a.len; i++) {
        unsigned diagonal = row[0];
        row[0] = i + 1;
        for (unsigned j = 0; j < b.len; j++) {
            unsigned best = diagonal + (a.p[i] != b.p[j]);
            if (row[j] + 1 < best)
                best = row[j] + 1;
            if (row[j + 1] + 1 < best)
                best = row[j + 1] + 1;
            diagonal = row[j + 1];
            row[j + 1] = best;
        }
    }
    return row[b.len];
}

const struct options_row *options_table_nearest(struct str key)
{
    const struct options_row *best = NULL;
    unsigned best_distance = 4; /* more changes than that, and it is another word */
    if (key.len > NEAREST_MAX)
        return NULL;
    for (size_t i = 0; i < options_table_len; i++) {
        struct str name = str_of(options_table[i].key);
        unsigned d = name.len <= NEAREST_MAX ? distance(key, name) : best_distance;
        if (d < best_distance) {
            best_distance = d;
            best = &options_table[i];
        }
    }
    return best;
}

const char *options_table_env(const struct options_row *row, char *buf)
{
    static const char prefix[] = "DUET_";
    size_t at = sizeof(prefix) - 1;
    memcpy(buf, prefix, at);
    for (const char *p = row->key; *p && at < OPTIONS_ENV_MAX - 1; p++)
        buf[at++] = (char)(*p == '.' ? '_' : *p >= 'a' && *p <= 'z' ? *p - 'a' + 'A' : *p);
    buf[at] = '\0';
    return buf;
}
