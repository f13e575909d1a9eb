/*
 * The state machine around OpenSSL. It decides three things itself and leaves the handshake to
 * the library:
 *
 *  - which records OpenSSL sees. Before CONNECTED: handshake, change_cipher_spec in its turn, and
 *    what is encrypted; not alerts in the clear, not application data. Afterwards: repeated
 *    handshake messages, as long as the last flight is kept. OpenSSL drops what it cannot
 *    authenticate, but some versions die of records that they should drop; what they never see
 *    is harmless. What they drop and should not, a copy of the peer's Finished: last_flight.h.
 *  - when time passes (bio.h).
 *  - when it is over: close_alert.c, without OpenSSL's state machine.
 *
 *     datagram ─ records ─┬─ HANDSHAKE: on_record_handshake ─ OpenSSL ─ bio queue ─ poll_send
 *                         └─ CONNECTED: on_record_connected ─┬─ OpenSSL (last flight again)
 *                                                            └─ close alert
 *
 * OpenSSL's error queue belongs to the thread, not to the object: it is emptied before and after
 * each call, so that one connection's failure is not read as another's.
 */
#include "dtls/conn.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#include <openssl/err.h>
#include <openssl/ssl.h>

#include "base/mem.h"
#include "dtls/bio.h"
#include "dtls/context_private.h"
#include "dtls/last_flight.h"
#include "dtls/record.h"
#include "dtls/verify.h"

/*
 * Encrypted records that arrive before the peer's change_cipher_spec are kept by OpenSSL, with a
 * buffer of 17 KB each, up to 100 of them. One is legitimate (Finished, overtaking), sent a few
 * times; further ones wait for the peer's next attempt.
 */
#define MAX_EARLY_RECORDS 4

/* RFC 5246 §7.2: level, description. */
#define ALERT_LEN 2

struct dtls_handshake {
    SSL *ssl; /* owned; NULL when only datagrams are left to send */
    struct dtls_bio bio;
    struct dtls_verify verify;
    mono_us give_up_at; /* DTLS_HANDSHAKE_TIMEOUT */
    mono_us doubt_at;   /* DTLS_ALERT_GRACE after an alert in the clear; MONO_NEVER = none */
    unsigned n_early;   /* of MAX_EARLY_RECORDS */
    struct dtls_last_flight last_flight; /* as server */
};

const char *dtls_failure_text(enum dtls_failure failure)
{
    switch (failure) {
    case DTLS_FAILURE_FINGERPRINT:
        return "certificate does not match the fingerprint";
    case DTLS_FAILURE_NO_SRTP_PROFILE:
        return "no SRTP profile in common";
    case DTLS_FAILURE_HANDSHAKE:
        return "handshake failed";
    case DTLS_FAILURE_PEER_ALERT:
        return "peer gave the handshake up";
    case DTLS_FAILURE_TIMEOUT:
        return "handshake timed out";
    case DTLS_FAILURE_MEMORY:
        return "out of memory";
    }
    return "unknown";
}

/* What may become what: bit = predecessor. CLOSED is reached from anywhere by dtls_conn_close. */
static const unsigned allowed_from[] = {
    [DTLS_STATE_NEW] = 0,
    [DTLS_STATE_HANDSHAKE] = 1u << DTLS_STATE_NEW,
    [DTLS_STATE_CONNECTED] = 1u << DTLS_STATE_HANDSHAKE,
    [DTLS_STATE_FAILED] = 1u << DTLS_STATE_HANDSHAKE,
    [DTLS_STATE_CLOSED] =
        1u << DTLS_STATE_NEW | 1u << DTLS_STATE_HANDSHAKE | 1u << DTLS_STATE_CONNECTED,
};

static void set_state(struct dtls_conn *conn, enum dtls_state state, bool is_event)
{
    assert(allowed_from[state] & 1u << conn->state);
    conn->state = state;
    conn->is_event_pending = is_event;
}

static void free_handshake(struct dtls_conn *conn)
{
    mem_free(conn->handshake);
    conn->handshake = NULL;
}

/* Give back OpenSSL's memory now, and the rest as soon as nothing waits to be sent. */
static void release(struct dtls_conn *conn)
{
    struct dtls_handshake *h = conn->handshake;
    conn->linger_until = MONO_NEVER;
    if (!h)
        return;
    SSL_free(h->ssl);
    h->ssl = NULL;
    if (h->bio.n == 0)
        free_handshake(conn);
}

static void fail(struct dtls_conn *conn, enum dtls_failure failure, const char *detail)
{
    conn->failure = failure;
    conn->detail = detail;
    set_state(conn, DTLS_STATE_FAILED, true);
    release(conn);
}

static void wipe_keys(struct dtls_conn *conn)
{
    mem_wipe(&conn->keys, sizeof(conn->keys));
    conn->is_keys_borrowed = false;
}

/* --- Set-up ------------------------------------------------------------------------------- */

static int make_ssl(struct dtls_handshake *h, struct dtls_context *ctx, bool is_client)
{
    h->ssl = SSL_new(ctx->ssl_ctx);
    if (!h->ssl)
        return -ENOMEM;
    if (dtls_bio_init(&h->bio, ctx->bio_method, h->ssl) ||
        SSL_set_mtu(h->ssl, DTLS_MTU) != DTLS_MTU || SSL_set_app_data(h->ssl, &h->verify) != 1) {
        SSL_free(h->ssl);
        return -ENOMEM;
    }
    if (is_client)
        SSL_set_connect_state(h->ssl);
    else
        SSL_set_accept_state(h->ssl);
    return 0;
}

int dtls_conn_init(struct dtls_conn *conn, struct dtls_context *ctx, bool is_client,
                   const struct dtls_fingerprint *fps, size_t n_fps)
{
    assert(n_fps >= 1 && n_fps <= DTLS_MAX_FINGERPRINTS);
    *conn = (struct dtls_conn){.is_client = is_client, .linger_until = MONO_NEVER};
    struct dtls_handshake *h = mem_zalloc(sizeof(*h));
    if (!h)
        return -ENOMEM;
    h->give_up_at = h->doubt_at = MONO_NEVER;
    memcpy(h->verify.fps, fps, n_fps * sizeof(*fps));
    h->verify.n_fps = n_fps;
    int r = make_ssl(h, ctx, is_client);
    ERR_clear_error();
    if (r) {
        mem_free(h);
        return r;
    }
    conn->handshake = h;
    return 0;
}

void dtls_conn_deinit(struct dtls_conn *conn)
{
    release(conn);
    free_handshake(conn);
    dtls_close_alert_deinit(&conn->close_alert);
    wipe_keys(conn);
}

/* --- Handshake ---------------------------------------------------------------------------- */

static void on_handshake_done(struct dtls_conn *conn)
{
    struct dtls_handshake *h = conn->handshake;
    if (!h->verify.is_accepted) { /* no path through OpenSSL leads here; keys must not either */
        fail(conn, DTLS_FAILURE_HANDSHAKE, "no certificate was verified");
        return;
    }
    if (!dtls_srtp_keys_export(h->ssl, conn->is_client, &conn->keys) ||
        dtls_close_alert_init(&conn->close_alert, h->ssl, conn->is_client)) {
        wipe_keys(conn);
        fail(conn, DTLS_FAILURE_MEMORY, "key export");
        return;
    }
    set_state(conn, DTLS_STATE_CONNECTED, true);
    /* RFC 6347 §4.2.4: who sent the last flight, the server, repeats it when it was lost. The
     * client has the server's Finished and will never be asked for anything again. */
    if (conn->is_client) {
        release(conn);
        return;
    }
    h->last_flight.sent_at = h->bio.now;
    conn->linger_until = h->bio.now + DTLS_LINGER;
}

/* Reads the thread's error queue, which holds this failure only. */
static void on_handshake_failed(struct dtls_conn *conn)
{
    const struct dtls_verify *verify = &conn->handshake->verify;
    unsigned long error = ERR_peek_error();
    int reason = ERR_GET_REASON(error);
    const char *detail = ERR_reason_error_string(error);
    if (verify->is_refused)
        fail(conn, verify->failure, NULL);
    else if (reason == ERR_R_MALLOC_FAILURE)
        fail(conn, DTLS_FAILURE_MEMORY, detail);
    else if (ERR_GET_LIB(error) == ERR_LIB_SSL && reason == SSL_R_READ_TIMEOUT_EXPIRED)
        fail(conn, DTLS_FAILURE_TIMEOUT, detail);
    else if (ERR_GET_LIB(error) == ERR_LIB_SSL && reason > SSL_AD_REASON_OFFSET)
        fail(conn, DTLS_FAILURE_PEER_ALERT, detail);
    else
        fail(conn, DTLS_FAILURE_HANDSHAKE, detail);
}

/* Let OpenSSL do what it can with what it has. */
static void run_handshake(struct dtls_conn *conn)
{
    SSL *ssl = conn->handshake->ssl;
    ERR_clear_error();
    int r = SSL_do_handshake(ssl);
    if (r == 1)
        on_handshake_done(conn);
    else if (SSL_get_error(ssl, r) != SSL_ERROR_WANT_READ)
        on_handshake_failed(conn);
    ERR_clear_error();
}

void dtls_conn_start(struct dtls_conn *conn, mono_us now)
{
    if (conn->state != DTLS_STATE_NEW)
        return;
    struct dtls_handshake *h = conn->handshake;
    set_state(conn, DTLS_STATE_HANDSHAKE, false);
    h->give_up_at = now + DTLS_HANDSHAKE_TIMEOUT;
    h->bio.now = now;
    run_handshake(conn);
}

static void feed(struct dtls_handshake *h, mono_us now, const struct dtls_record *record)
{
    h->bio.now = now;
    h->bio.in = record->bytes;
    h->bio.in_len = record->len;
}

/* The peer's change_cipher_spec has been processed: encrypted records can be read. */
static bool is_decrypting(const SSL *ssl)
{
    OSSL_HANDSHAKE_STATE state = SSL_get_state(ssl);
    return state == TLS_ST_SR_CHANGE || state == TLS_ST_CR_CHANGE;
}

/*
 * Is the peer's change_cipher_spec what OpenSSL waits for? Our handshakes are full ones, with two
 * certificates and without tickets: it follows CertificateVerify, or our own Finished.
 *
 * It has no message number. OpenSSL throws one that comes too early away, but remembers its record
 * as seen: a peer whose repeated records keep their numbers (RFC 6347 §4.2.2 says that they are new
 * records, but there is such a peer) could then never bring it again.
 */
static bool is_ccs_next(const SSL *ssl)
{
    OSSL_HANDSHAKE_STATE state = SSL_get_state(ssl);
    return state == TLS_ST_SR_CERT_VRFY || state == TLS_ST_CW_FINISHED;
}

static bool on_change_cipher_spec(struct dtls_conn *conn, mono_us now,
                                  const struct dtls_record *record)
{
    struct dtls_handshake *h = conn->handshake;
    if (record->epoch != 0 || !dtls_record_is_well_formed(record) || !is_ccs_next(h->ssl))
        return false;
    h->doubt_at = MONO_NEVER;
    feed(h, now, record);
    run_handshake(conn);
    return true;
}

static bool on_handshake_message(struct dtls_conn *conn, mono_us now,
                                 const struct dtls_record *record)
{
    struct dtls_handshake *h = conn->handshake;
    if (record->epoch > 1 || (record->epoch == 0 && !dtls_record_is_well_formed(record)))
        return false;
    if (record->epoch == 1 && !is_decrypting(h->ssl) && h->n_early++ >= MAX_EARLY_RECORDS)
        return false;
    h->doubt_at = MONO_NEVER; /* it still speaks */
    dtls_last_flight_heard(&h->last_flight, record);
    feed(h, now, record);
    run_handshake(conn);
    return true;
}

/* Anybody can have written it: remember it, and believe it if the peer falls silent. */
static bool on_clear_alert(struct dtls_conn *conn, mono_us now, const struct dtls_record *record)
{
    struct dtls_handshake *h = conn->handshake;
    if (record->content_len != ALERT_LEN || record->content[0] != SSL3_AL_FATAL)
        return false;
    h->doubt_at = mono_min(h->doubt_at, now + DTLS_ALERT_GRACE);
    return true;
}

static bool on_record_handshake(struct dtls_conn *conn, mono_us now,
                                const struct dtls_record *record)
{
    switch (record->type) {
    case DTLS_CONTENT_ALERT:
        if (record->epoch == 0)
            return on_clear_alert(conn, now, record);
        return on_handshake_message(conn, now, record);
    case DTLS_CONTENT_CHANGE_CIPHER_SPEC:
        return on_change_cipher_spec(conn, now, record);
    case DTLS_CONTENT_HANDSHAKE:
        return on_handshake_message(conn, now, record);
    default:
        return false; /* RFC 8827 §6.5: keys only, no application data */
    }
}

/* --- After the handshake ------------------------------------------------------------------ */

static void queue_close_notify(struct dtls_conn *conn)
{
    /* Out of memory: then the peer finds out by consent. */
    if (dtls_close_alert_seal(&conn->close_alert, conn->last_words, &conn->last_words_len))
        conn->last_words_len = 0;
}

/* A Finished as a new record makes OpenSSL send the last flight again. @return false = it broke */
static bool read_late(struct dtls_handshake *h, mono_us now, const struct dtls_record *record)
{
    uint8_t none;
    feed(h, now, record);
    int r = SSL_read(h->ssl, &none, sizeof(none));
    return r > 0 || SSL_get_error(h->ssl, r) == SSL_ERROR_WANT_READ;
}

static bool on_late_handshake(struct dtls_conn *conn, mono_us now, const struct dtls_record *record)
{
    struct dtls_handshake *h = conn->handshake;
    if (!h || !h->ssl)
        return false;
    bool is_copy = dtls_last_flight_is_copy(&h->last_flight, record);
    if (is_copy && !dtls_last_flight_ask(&h->last_flight, now))
        return false;
    ERR_clear_error();
    bool is_well = is_copy ? dtls_bio_repeat(&h->bio, h->ssl, now) >= 0 : read_late(h, now, record);
    ERR_clear_error();
    if (!is_well)
        release(conn); /* it cannot repeat anything any more; the call goes on */
    return true;
}

static bool on_record_connected(struct dtls_conn *conn, mono_us now,
                                const struct dtls_record *record)
{
    if (record->epoch != 1)
        return false;
    if (record->type == DTLS_CONTENT_HANDSHAKE)
        return on_late_handshake(conn, now, record);
    if (record->type != DTLS_CONTENT_ALERT ||
        dtls_close_alert_open(&conn->close_alert, record->bytes, record->len))
        return false;
    /* RFC 5246 §7.2.1: answer with our own and close at once. */
    queue_close_notify(conn);
    set_state(conn, DTLS_STATE_CLOSED, true);
    wipe_keys(conn);
    release(conn);
    return true;
}

/* --- Entrances ---------------------------------------------------------------------------- */

static bool on_record(struct dtls_conn *conn, mono_us now, const struct dtls_record *record)
{
    switch (conn->state) {
    case DTLS_STATE_NEW:
        if (conn->is_client || record->type != DTLS_CONTENT_HANDSHAKE || record->epoch != 0 ||
            !dtls_record_is_well_formed(record))
            return false;
        dtls_conn_start(conn, now);
        return on_record_handshake(conn, now, record);
    case DTLS_STATE_HANDSHAKE:
        return on_record_handshake(conn, now, record);
    case DTLS_STATE_CONNECTED:
        return on_record_connected(conn, now, record);
    case DTLS_STATE_FAILED:
    case DTLS_STATE_CLOSED:
        return false;
    }
    return false;
}

int dtls_conn_input(struct dtls_conn *conn, mono_us now, const uint8_t *data, size_t len)
{
    struct bytes_reader datagram = bytes_reader(data, len);
    struct dtls_record record;
    bool is_used = false;
    while (dtls_record_next(&datagram, &record))
        is_used |= on_record(conn, now, &record);
    return is_used ? 0 : DTLS_CONN_E_IGNORED;
}

static void on_handshake_timeout(struct dtls_conn *conn, mono_us now)
{
    struct dtls_handshake *h = conn->handshake;
    if (now >= h->give_up_at) {
        fail(conn, DTLS_FAILURE_TIMEOUT, NULL);
        return;
    }
    if (now >= h->doubt_at) {
        fail(conn, DTLS_FAILURE_PEER_ALERT, NULL);
        return;
    }
    ERR_clear_error();
    if (dtls_bio_timeout(&h->bio, h->ssl, now) < 0)
        on_handshake_failed(conn);
    ERR_clear_error();
}

void dtls_conn_timeout(struct dtls_conn *conn, mono_us now)
{
    if (conn->state == DTLS_STATE_HANDSHAKE)
        on_handshake_timeout(conn, now);
    else if (now >= conn->linger_until)
        release(conn);
}

mono_us dtls_conn_deadline(const struct dtls_conn *conn)
{
    const struct dtls_handshake *h = conn->handshake;
    if (conn->state == DTLS_STATE_HANDSHAKE)
        return mono_min(h->bio.deadline, mono_min(h->give_up_at, h->doubt_at));
    return conn->linger_until;
}

bool dtls_conn_poll_send(struct dtls_conn *conn, struct dgram *dgram)
{
    struct dtls_handshake *h = conn->handshake;
    if (h && dtls_bio_pop(&h->bio, dgram->data, dgram->cap, &dgram->len)) {
        if (!h->ssl && h->bio.n == 0)
            free_handshake(conn);
        return true;
    }
    if (conn->last_words_len == 0)
        return false;
    assert(dgram->cap >= conn->last_words_len);
    memcpy(dgram->data, conn->last_words, conn->last_words_len);
    dgram->len = conn->last_words_len;
    conn->last_words_len = 0;
    return true;
}

bool dtls_conn_poll_event(struct dtls_conn *conn, struct dtls_event *ret)
{
    if (conn->is_keys_borrowed)
        wipe_keys(conn);
    if (!conn->is_event_pending)
        return false;
    conn->is_event_pending = false;
    *ret = (struct dtls_event){0};
    switch (conn->state) {
    case DTLS_STATE_CONNECTED:
        ret->type = DTLS_EVENT_CONNECTED;
        ret->keys = &conn->keys;
        conn->is_keys_borrowed = true;
        return true;
    case DTLS_STATE_FAILED:
        ret->type = DTLS_EVENT_FAILED;
        ret->failure = conn->failure;
        ret->detail = conn->detail;
        return true;
    case DTLS_STATE_CLOSED:
        ret->type = DTLS_EVENT_CLOSED;
        return true;
    case DTLS_STATE_NEW:
    case DTLS_STATE_HANDSHAKE:
        break;
    }
    assert(false); /* an event of a state that has none */
    return false;
}

void dtls_conn_close(struct dtls_conn *conn, mono_us now)
{
    (void)now; /* nothing waits: the alert is sent once, as alerts are (RFC 6347 §4.2.4) */
    if (conn->state == DTLS_STATE_FAILED || conn->state == DTLS_STATE_CLOSED)
        return;
    if (conn->state == DTLS_STATE_CONNECTED)
        queue_close_notify(conn);
    set_state(conn, DTLS_STATE_CLOSED, false);
    wipe_keys(conn);
    release(conn);
}
