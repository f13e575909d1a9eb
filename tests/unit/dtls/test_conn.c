/*
 * Handshakes between two connections over a network that loses, repeats, reorders, truncates
 * and forges; and what may and may not end an association.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/bytes.h"
#include "bench.h"
#include "dtls/record.h"

/* --- it works ----------------------------------------------------------------------------- */

static void both_ends_connect_with_equal_keys(void **state)
{
    struct bench *b = bench_new();
    (void)state;
    bench_start(b);
    bench_run(b, US_PER_S);
    bench_assert_connected(b, DTLS_SRTP_AEAD_AES_128_GCM);
    /* Two round trips, nothing waited for. */
    assert_int_equal(b->end[SERVER].connected_at - BENCH_EPOCH, 3 * BENCH_DELAY);
    assert_int_equal(b->end[CLIENT].connected_at - BENCH_EPOCH, 4 * BENCH_DELAY);
    bench_free(b);
}

static void keys_are_wiped_when_seen(void **state)
{
    struct bench *b = bench_new();
    (void)state;
    bench_start(b);
    bench_run(b, US_PER_S);
    static const struct dtls_srtp_keys none;
    assert_memory_equal(&b->end[CLIENT].conn.keys, &none, sizeof(none));
    bench_free(b);
}

static void memory_is_given_back(void **state)
{
    struct bench *b = bench_new();
    (void)state;
    bench_start(b);
    bench_run(b, US_PER_S);
    assert_null(b->end[CLIENT].conn.handshake); /* the client at once */
    assert_non_null(b->end[SERVER].conn.handshake);
    assert_int_equal(dtls_conn_deadline(&b->end[CLIENT].conn), MONO_NEVER);
    bench_run(b, DTLS_LINGER);
    assert_null(b->end[SERVER].conn.handshake);
    assert_int_equal(dtls_conn_deadline(&b->end[SERVER].conn), MONO_NEVER);
    bench_free(b);
}

static void server_is_started_by_a_hello_and_client_is_not(void **state)
{
    struct bench *b = bench_new();
    (void)state;
    dtls_conn_start(&b->end[CLIENT].conn, b->now);
    bench_drain(b, CLIENT);
    bench_run(b, US_PER_S);
    bench_assert_connected(b, DTLS_SRTP_AEAD_AES_128_GCM);

    struct bench *other = bench_new();
    for (size_t i = 0; i < b->n_log; i++)
        assert_int_equal(bench_input(other, CLIENT, b->log[i].data, b->log[i].len),
                         DTLS_CONN_E_IGNORED);
    assert_int_equal(other->end[CLIENT].conn.state, DTLS_STATE_NEW);
    bench_free(other);
    bench_free(b);
}

/* --- losses ------------------------------------------------------------------------------- */

static int lose_victim(struct bench *b, int from, unsigned index, mono_us *delay)
{
    (void)delay;
    return index == b->victim[from] ? 0 : 1;
}

static void each_lost_datagram_delays_by_one_timeout(void **state)
{
    (void)state;
    for (int side = 0; side < 2; side++) {
        for (unsigned victim = 0; victim < 4; victim++) {
            struct bench *b = bench_new();
            b->filter = lose_victim;
            b->victim[side] = victim;
            b->victim[!side] = UINT32_MAX;
            bench_start(b);
            bench_run(b, 10 * US_PER_S);
            bench_assert_connected(b, DTLS_SRTP_AEAD_AES_128_GCM);
            /* The server's last flight has no timer: the client's repeat brings it back. */
            assert_true(b->end[CLIENT].connected_at - BENCH_EPOCH <=
                        DTLS_RTO_INITIAL + 6 * BENCH_DELAY);
            bench_free(b);
        }
    }
}

static int lose_first_n(struct bench *b, int from, unsigned index, mono_us *delay)
{
    (void)delay;
    return index >= b->victim[from];
}

static void several_losses_in_a_row_are_survived(void **state)
{
    (void)state;
    for (unsigned n = 1; n <= 6; n++) {
        struct bench *b = bench_new();
        b->filter = lose_first_n;
        b->victim[CLIENT] = n;
        b->victim[SERVER] = n / 2;
        bench_start(b);
        bench_run(b, DTLS_HANDSHAKE_TIMEOUT);
        bench_assert_connected(b, DTLS_SRTP_AEAD_AES_128_GCM);
        bench_free(b);
    }
}

static int lose_percent(struct bench *b, int from, unsigned index, mono_us *delay)
{
    (void)from;
    (void)index;
    (void)delay;
    return rng_below(&b->rng, 100) >= b->percent;
}

static void random_loss_is_survived(void **state)
{
    mono_us total = 0;
    (void)state;
    for (unsigned seed = 0; seed < 40; seed++) {
        struct bench *b = bench_new();
        rng_init_seeded(&b->rng, seed);
        b->filter = lose_percent;
        b->percent = 20;
        bench_start(b);
        bench_run(b, DTLS_HANDSHAKE_TIMEOUT);
        bench_assert_connected(b, DTLS_SRTP_AEAD_AES_128_GCM);
        total += b->end[CLIENT].connected_at - BENCH_EPOCH;
        bench_free(b);
    }
    print_message("20 %% loss, 20 ms round trip: connected after %d ms in the mean\n",
                  (int)(total / 40 / US_PER_MS));
}

static int repeat_and_reorder(struct bench *b, int from, unsigned index, mono_us *delay)
{
    (void)from;
    (void)index;
    *delay = rng_below(&b->rng, 90) * US_PER_MS;
    return 1 + (int)rng_below(&b->rng, 3);
}

static void repeated_and_reordered_datagrams_do_no_harm(void **state)
{
    (void)state;
    for (unsigned seed = 0; seed < 40; seed++) {
        struct bench *b = bench_new();
        rng_init_seeded(&b->rng, seed);
        b->filter = repeat_and_reorder;
        bench_start(b);
        bench_run(b, DTLS_HANDSHAKE_TIMEOUT);
        bench_assert_connected(b, DTLS_SRTP_AEAD_AES_128_GCM);
        bench_free(b);
    }
}

static int lose_all(struct bench *b, int from, unsigned index, mono_us *delay)
{
    (void)b;
    (void)from;
    (void)index;
    (void)delay;
    return 0;
}

static void waits_double_and_end(void **state)
{
    static const int at_ms[] = {0, 100, 300, 700, 1500, 3100, 6100, 9100, 12100, 15100, 18100};
    struct bench *b = bench_new();
    (void)state;
    b->filter = lose_all;
    bench_start(b);
    bench_run(b, DTLS_HANDSHAKE_TIMEOUT - 1);
    assert_int_equal(b->n_log, ARRAY_LEN(at_ms));
    for (size_t i = 0; i < b->n_log; i++)
        assert_int_equal(b->log[i].at - BENCH_EPOCH, at_ms[i] * US_PER_MS);
    assert_false(b->end[CLIENT].is_failed);
    bench_run(b, 1);
    for (int i = 0; i < 2; i++) {
        assert_true(b->end[i].is_failed);
        assert_int_equal(b->end[i].failure, DTLS_FAILURE_TIMEOUT);
        assert_null(b->end[i].conn.handshake);
        assert_int_equal(dtls_conn_deadline(&b->end[i].conn), MONO_NEVER);
    }
    bench_free(b);
}

static void a_timeout_called_early_or_late_is_harmless(void **state)
{
    struct bench *b = bench_new();
    (void)state;
    b->filter = lose_all;
    bench_start(b);
    dtls_conn_timeout(&b->end[CLIENT].conn, b->now + DTLS_RTO_INITIAL - 1);
    bench_drain(b, CLIENT);
    assert_int_equal(b->n_log, 1);
    b->now += 5 * US_PER_S;
    dtls_conn_timeout(&b->end[CLIENT].conn, b->now);
    bench_drain(b, CLIENT);
    assert_int_equal(b->n_log, 2); /* one flight, not one for each wait that was missed */
    assert_int_equal(dtls_conn_deadline(&b->end[CLIENT].conn), b->now + 2 * DTLS_RTO_INITIAL);
    bench_free(b);
}

/* --- nonsense before the keys ------------------------------------------------------------- */

static int deliver_all_truncations_first(struct bench *b, int from, unsigned index, mono_us *delay)
{
    const struct bench_packet *p = &b->log[b->n_log - 1];
    (void)index;
    (void)delay;
    for (size_t len = 0; len < p->len; len++) {
        uint8_t *exact = malloc(len ? len : 1);
        assert_non_null(exact);
        memcpy(exact, p->data, len);
        (void)dtls_conn_input(&b->end[!from].conn, b->now, exact, len);
        free(exact);
    }
    return 1;
}

static void truncated_datagrams_do_no_harm(void **state)
{
    struct bench *b = bench_new();
    (void)state;
    b->filter = deliver_all_truncations_first;
    bench_start(b);
    bench_run(b, DTLS_HANDSHAKE_TIMEOUT);
    bench_assert_connected(b, DTLS_SRTP_AEAD_AES_128_GCM);
    bench_free(b);
}

static size_t make_record(uint8_t *buf, uint8_t type, uint16_t epoch, uint64_t number,
                          const void *content, size_t len)
{
    buf[0] = type;
    put_be16(buf + 1, 0xfefd);
    put_be64(buf + 3, (uint64_t)epoch << 48 | number);
    put_be16(buf + 11, (uint16_t)len);
    memcpy(buf + DTLS_RECORD_HEADER_LEN, content, len);
    return DTLS_RECORD_HEADER_LEN + len;
}

/* Records that anybody can write, to one side, n of each kind. */
static void forge(struct bench *b, int side, unsigned n)
{
    uint8_t buf[DTLS_MTU];
    uint8_t noise[200];
    for (unsigned i = 0; i < n; i++) {
        rng_fill(&b->rng, noise, sizeof(noise));
        for (unsigned type = 0; type < 256; type = type == 0 ? 19 : type < 26 ? type + 1 : 256) {
            for (uint16_t epoch = 0; epoch < 4; epoch++) {
                size_t len = rng_below(&b->rng, sizeof(noise));
                size_t n_bytes = make_record(buf, (uint8_t)type, epoch, 5 + i, noise, len);
                (void)bench_input(b, side, buf, n_bytes);
            }
        }
        const uint8_t alerts[][2] = {{2, 40}, {2, 0}, {1, 0}, {2, 42}, {1, 90}, {0xff, 0xff}};
        for (size_t k = 0; k < ARRAY_LEN(alerts); k++) {
            for (uint16_t epoch = 0; epoch < 3; epoch++)
                (void)bench_input(b, side, buf,
                                  make_record(buf, DTLS_CONTENT_ALERT, epoch, 9 + i, alerts[k], 2));
        }
        (void)bench_input(b, side, noise, sizeof(noise));
    }
}

static int forge_to_receiver(struct bench *b, int from, unsigned index, mono_us *delay)
{
    static bool is_busy; /* what the forged records provoke is not forged for again */
    (void)index;
    (void)delay;
    if (!is_busy) {
        is_busy = true;
        forge(b, !from, 20);
        is_busy = false;
    }
    return 1;
}

static void forged_records_and_alert_floods_do_not_stop_a_handshake(void **state)
{
    struct bench *b = bench_new();
    (void)state;
    b->filter = forge_to_receiver;
    bench_start(b);
    bench_run(b, DTLS_HANDSHAKE_TIMEOUT);
    bench_assert_connected(b, DTLS_SRTP_AEAD_AES_128_GCM);
    bench_free(b);
}

static void garbage_is_ignored(void **state)
{
    struct bench *b = bench_new();
    uint8_t noise[300];
    (void)state;
    for (unsigned i = 0; i < 2000; i++) {
        size_t len = rng_below(&b->rng, sizeof(noise));
        rng_fill(&b->rng, noise, len);
        assert_int_equal(bench_input(b, SERVER, noise, len), DTLS_CONN_E_IGNORED);
    }
    assert_int_equal(b->end[SERVER].conn.state, DTLS_STATE_NEW);
    bench_start(b);
    bench_run(b, US_PER_S);
    bench_assert_connected(b, DTLS_SRTP_AEAD_AES_128_GCM);
    bench_free(b);
}

static void alert_in_the_clear_ends_it_only_when_silence_follows(void **state)
{
    static const uint8_t fatal[] = {2, 40};
    uint8_t buf[64];
    size_t len = make_record(buf, DTLS_CONTENT_ALERT, 0, 0, fatal, sizeof(fatal));
    struct bench *b = bench_new();
    (void)state;
    b->filter = lose_all;
    bench_start(b);
    assert_int_equal(bench_input(b, CLIENT, buf, len), 0);
    bench_run(b, DTLS_ALERT_GRACE - 1);
    assert_false(b->end[CLIENT].is_failed);
    bench_run(b, 1);
    assert_true(b->end[CLIENT].is_failed);
    assert_int_equal(b->end[CLIENT].failure, DTLS_FAILURE_PEER_ALERT);
    bench_free(b);
}

/* --- nonsense after the keys -------------------------------------------------------------- */

static void replay_log(struct bench *b)
{
    size_t n = b->n_log;
    for (int side = 0; side < 2; side++)
        for (size_t i = 0; i < n; i++)
            (void)bench_input(b, side, b->log[i].data, b->log[i].len);
}

static void assert_nothing_ends_it(struct bench *b)
{
    struct bench *stranger = bench_new();
    bench_start(stranger);
    bench_run(stranger, US_PER_S);
    for (int side = 0; side < 2; side++) {
        forge(b, side, 20);
        /* A second ClientHello, and everything else of another handshake. */
        for (size_t i = 0; i < stranger->n_log; i++)
            (void)bench_input(b, side, stranger->log[i].data, stranger->log[i].len);
    }
    replay_log(b);
    bench_run(b, 5 * US_PER_S);
    for (int side = 0; side < 2; side++) {
        assert_int_equal(b->end[side].conn.state, DTLS_STATE_CONNECTED);
        assert_false(b->end[side].is_failed || b->end[side].is_closed);
    }
    bench_free(stranger);
}

static void nothing_forged_ends_a_connection(void **state)
{
    struct bench *b = bench_new();
    (void)state;
    bench_start(b);
    bench_run(b, US_PER_S);
    size_t n_sent = b->n_log;
    assert_nothing_ends_it(b);
    assert_int_equal(b->n_log, n_sent + 1); /* nor is it answered, but for a copied Finished */
    bench_run(b, DTLS_LINGER);
    assert_nothing_ends_it(b);
    assert_int_equal(b->n_log, n_sent + 1);
    bench_free(b);
}

static void last_flight_is_repeated_after_forgeries(void **state)
{
    struct bench *b = bench_new();
    (void)state;
    bench_start(b);
    while (!b->end[SERVER].is_connected)
        assert_true(bench_step(b, MONO_NEVER - 1));
    b->n = 0; /* the last flight is lost */
    forge(b, SERVER, 20);
    bench_run(b, 2 * DTLS_RTO_INITIAL);
    bench_assert_connected(b, DTLS_SRTP_AEAD_AES_128_GCM);
    bench_free(b);
}

/* --- close -------------------------------------------------------------------------------- */

static void close_is_heard(void **state)
{
    static const mono_us after[] = {US_PER_S, DTLS_LINGER + US_PER_S};
    (void)state;
    for (int side = 0; side < 2; side++) {
        for (size_t i = 0; i < ARRAY_LEN(after); i++) {
            struct bench *b = bench_new();
            bench_start(b);
            bench_run(b, after[i]);
            dtls_conn_close(&b->end[side].conn, b->now);
            bench_drain(b, side);
            dtls_conn_close(&b->end[side].conn, b->now); /* again: nothing */
            bench_drain(b, side);
            assert_int_equal(b->n, 1);
            bench_run(b, US_PER_S);
            assert_true(b->end[!side].is_closed);
            assert_false(b->end[side].is_closed); /* who closes need not be told */
            for (int k = 0; k < 2; k++) {
                assert_int_equal(b->end[k].conn.state, DTLS_STATE_CLOSED);
                assert_null(b->end[k].conn.handshake);
                assert_int_equal(dtls_conn_deadline(&b->end[k].conn), MONO_NEVER);
            }
            bench_free(b);
        }
    }
}

static void every_changed_bit_of_a_close_is_noticed(void **state)
{
    struct bench *b = bench_new();
    (void)state;
    bench_start(b);
    bench_run(b, US_PER_S);
    dtls_conn_close(&b->end[CLIENT].conn, b->now);
    bench_drain(b, CLIENT);
    assert_int_equal(b->n, 1);
    struct bench_packet close = b->packets[0];
    for (size_t bit = 0; bit < close.len * 8; bit++) {
        close.data[bit / 8] ^= (uint8_t)(1u << bit % 8);
        (void)bench_input(b, SERVER, close.data, close.len);
        close.data[bit / 8] ^= (uint8_t)(1u << bit % 8);
        assert_int_equal(b->end[SERVER].conn.state, DTLS_STATE_CONNECTED);
    }
    /* Reflected: our own close does not close us. */
    (void)bench_input(b, CLIENT, close.data, close.len);
    assert_false(b->end[CLIENT].is_closed);
    bench_run(b, US_PER_S);
    assert_true(b->end[SERVER].is_closed);
    bench_free(b);
}

static void close_before_the_keys_is_silent(void **state)
{
    struct bench *b = bench_new();
    (void)state;
    bench_start(b);
    size_t n = b->n_log;
    dtls_conn_close(&b->end[CLIENT].conn, b->now);
    bench_drain(b, CLIENT);
    assert_int_equal(b->n_log, n);
    bench_run(b, US_PER_S);
    assert_int_equal(b->end[CLIENT].conn.state, DTLS_STATE_CLOSED);
    bench_free(b);
}

/* --- other peers -------------------------------------------------------------------------- */

static void wrong_fingerprint_is_refused(void **state)
{
    (void)state;
    for (int side = 0; side < 2; side++) {
        struct bench *b = bench_new();
        dtls_conn_deinit(&b->end[side].conn);
        bench_conn(b, side, &b->end[side].id.fingerprint); /* ours instead of theirs */
        bench_start(b);
        bench_run(b, DTLS_HANDSHAKE_TIMEOUT);
        assert_true(b->end[side].is_failed && !b->end[side].is_connected);
        assert_int_equal(b->end[side].failure, DTLS_FAILURE_FINGERPRINT);
        /* The other one hears an alert, and never gets as far as keys. */
        assert_true(b->end[!side].is_failed && !b->end[!side].is_connected);
        assert_int_equal(b->end[!side].failure, DTLS_FAILURE_PEER_ALERT);
        assert_true(b->end[!side].failed_at - BENCH_EPOCH < 2 * DTLS_ALERT_GRACE);
        bench_free(b);
    }
}

static void any_of_several_fingerprints_is_enough(void **state)
{
    static const enum dtls_hash hashes[] = {DTLS_HASH_SHA256, DTLS_HASH_SHA384, DTLS_HASH_SHA512};
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(hashes); i++) {
        struct bench *b = bench_new();
        struct dtls_fingerprint fps[3] = {b->end[SERVER].id.fingerprint,
                                          b->end[SERVER].id.fingerprint};
        for (int side = 0; side < 2; side++) {
            dtls_conn_deinit(&b->end[side].conn);
            fps[0] = fps[1] = b->end[side].id.fingerprint;
            assert_int_equal(dtls_fingerprint_of(b->end[!side].id.cert, hashes[i], &fps[2]), 0);
            assert_int_equal(
                dtls_conn_init(&b->end[side].conn, b->end[side].ctx, side == CLIENT, fps, 3), 0);
        }
        bench_start(b);
        bench_run(b, US_PER_S);
        bench_assert_connected(b, DTLS_SRTP_AEAD_AES_128_GCM);
        bench_free(b);
    }
}

static void peer_with_one_srtp_profile(void **state)
{
    (void)state;
    for (int side = 0; side < 2; side++) {
        struct bench *b = bench_new();
        dtls_conn_deinit(&b->end[side].conn);
        assert_int_equal(
            SSL_CTX_set_tlsext_use_srtp(b->end[side].ctx->ssl_ctx, "SRTP_AES128_CM_SHA1_80"), 0);
        bench_conn(b, side, &b->end[!side].id.fingerprint);
        bench_start(b);
        bench_run(b, US_PER_S);
        bench_assert_connected(b, DTLS_SRTP_AES128_CM_SHA1_80);
        bench_free(b);
    }
}

static void server_prefers_gcm_whatever_the_client_prefers(void **state)
{
    struct bench *b = bench_new();
    (void)state;
    dtls_conn_deinit(&b->end[CLIENT].conn);
    assert_int_equal(SSL_CTX_set_tlsext_use_srtp(b->end[CLIENT].ctx->ssl_ctx,
                                                 "SRTP_AES128_CM_SHA1_80:SRTP_AEAD_AES_128_GCM"),
                     0);
    bench_conn(b, CLIENT, &b->end[SERVER].id.fingerprint);
    bench_start(b);
    bench_run(b, US_PER_S);
    bench_assert_connected(b, DTLS_SRTP_AEAD_AES_128_GCM);
    bench_free(b);
}

static int accept_all(X509_STORE_CTX *store, void *arg)
{
    (void)arg;
    X509_STORE_CTX_set_error(store, X509_V_OK);
    return 1;
}

/* An OpenSSL peer with its own ideas, in the place of one end. */
static SSL_CTX *replace_context(struct bench *b, int side)
{
    struct bench_end *e = &b->end[side];
    SSL_CTX *ssl_ctx = SSL_CTX_new(DTLS_method());
    assert_non_null(ssl_ctx);
    assert_int_equal(SSL_CTX_use_certificate(ssl_ctx, e->id.cert), 1);
    assert_int_equal(SSL_CTX_use_PrivateKey(ssl_ctx, e->id.key), 1);
    SSL_CTX_set_options(ssl_ctx, SSL_OP_NO_QUERY_MTU);
    SSL_CTX_set_verify(ssl_ctx, SSL_VERIFY_PEER, NULL);
    SSL_CTX_set_cert_verify_callback(ssl_ctx, accept_all, NULL);
    dtls_conn_deinit(&e->conn);
    SSL_CTX_free(e->ctx->ssl_ctx);
    e->ctx->ssl_ctx = ssl_ctx;
    return ssl_ctx;
}

static void peer_without_use_srtp_is_refused(void **state)
{
    (void)state;
    for (int side = 0; side < 2; side++) {
        struct bench *b = bench_new();
        (void)replace_context(b, side);
        bench_conn(b, side, &b->end[!side].id.fingerprint);
        bench_start(b);
        bench_run(b, DTLS_HANDSHAKE_TIMEOUT);
        assert_true(b->end[!side].is_failed && !b->end[!side].is_connected);
        assert_int_equal(b->end[!side].failure, DTLS_FAILURE_NO_SRTP_PROFILE);
        bench_free(b);
    }
}

static void client_without_certificate_is_refused(void **state)
{
    struct bench *b = bench_new();
    (void)state;
    SSL_CTX *ssl_ctx = replace_context(b, CLIENT);
    assert_int_equal(SSL_CTX_set_tlsext_use_srtp(ssl_ctx, "SRTP_AES128_CM_SHA1_80"), 0);
    SSL_CTX *bare = SSL_CTX_new(DTLS_client_method());
    assert_non_null(bare);
    SSL_CTX_set_options(bare, SSL_OP_NO_QUERY_MTU);
    assert_int_equal(SSL_CTX_set_tlsext_use_srtp(bare, "SRTP_AES128_CM_SHA1_80"), 0);
    SSL_CTX_free(ssl_ctx);
    b->end[CLIENT].ctx->ssl_ctx = bare;
    bench_conn(b, CLIENT, &b->end[SERVER].id.fingerprint);
    bench_start(b);
    bench_run(b, DTLS_HANDSHAKE_TIMEOUT);
    assert_true(b->end[SERVER].is_failed && !b->end[SERVER].is_connected);
    assert_int_equal(b->end[SERVER].failure, DTLS_FAILURE_HANDSHAKE);
    bench_free(b);
}

static void peer_of_dtls_1_0_is_refused(void **state)
{
    (void)state;
    for (int side = 0; side < 2; side++) {
        struct bench *b = bench_new();
        SSL_CTX *ssl_ctx = replace_context(b, side);
        SSL_CTX_set_security_level(ssl_ctx, 0);
        assert_int_equal(SSL_CTX_set_min_proto_version(ssl_ctx, DTLS1_VERSION), 1);
        assert_int_equal(SSL_CTX_set_max_proto_version(ssl_ctx, DTLS1_VERSION), 1);
        assert_int_equal(SSL_CTX_set_tlsext_use_srtp(ssl_ctx, "SRTP_AES128_CM_SHA1_80"), 0);
        bench_conn(b, side, &b->end[!side].id.fingerprint);
        bench_start(b);
        bench_run(b, DTLS_HANDSHAKE_TIMEOUT);
        assert_true(b->end[!side].is_failed && !b->end[!side].is_connected);
        bench_free(b);
    }
}

static void peer_with_an_rsa_certificate(void **state)
{
    (void)state;
    for (int side = 0; side < 2; side++) {
        struct bench *b = bench_new();
        struct dtls_identity *id = &b->end[side].id;
        dtls_conn_deinit(&b->end[0].conn);
        dtls_conn_deinit(&b->end[1].conn);
        EVP_PKEY_free(id->key);
        id->key = EVP_RSA_gen(2048);
        assert_non_null(id->key);
        assert_int_equal(X509_set_pubkey(id->cert, id->key), 1);
        assert_true(X509_sign(id->cert, id->key, EVP_sha256()) > 0);
        assert_int_equal(dtls_fingerprint_of(id->cert, DTLS_HASH_SHA256, &id->fingerprint), 0);
        dtls_context_free(b->end[side].ctx);
        assert_int_equal(dtls_context_new(id, &b->end[side].ctx), 0);
        for (int i = 0; i < 2; i++)
            bench_conn(b, i, &b->end[!i].id.fingerprint);
        bench_start(b);
        bench_run(b, US_PER_S);
        bench_assert_connected(b, DTLS_SRTP_AEAD_AES_128_GCM);
        bench_free(b);
    }
}

/* --- memory ------------------------------------------------------------------------------- */

static void failed_allocations_are_reported(void **state)
{
    struct bench *b = bench_new();
    struct dtls_context *ctx = NULL;
    struct dtls_conn conn;
    (void)state;
    mem_fail_at(1);
    assert_int_equal(dtls_context_new(&b->end[0].id, &ctx), -ENOMEM);
    mem_fail_at(1);
    assert_int_equal(dtls_conn_init(&conn, b->end[0].ctx, true, &b->end[1].id.fingerprint, 1),
                     -ENOMEM);
    dtls_conn_deinit(&conn);
    /* Nothing is allocated of our own after init. */
    mem_fail_at(0);
    bench_start(b);
    bench_run(b, US_PER_S);
    assert_int_equal(mem_count(), 0);
    bench_assert_connected(b, DTLS_SRTP_AEAD_AES_128_GCM);
    bench_free(b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(both_ends_connect_with_equal_keys),
        cmocka_unit_test(keys_are_wiped_when_seen),
        cmocka_unit_test(memory_is_given_back),
        cmocka_unit_test(server_is_started_by_a_hello_and_client_is_not),
        cmocka_unit_test(each_lost_datagram_delays_by_one_timeout),
        cmocka_unit_test(several_losses_in_a_row_are_survived),
        cmocka_unit_test(random_loss_is_survived),
        cmocka_unit_test(repeated_and_reordered_datagrams_do_no_harm),
        cmocka_unit_test(waits_double_and_end),
        cmocka_unit_test(a_timeout_called_early_or_late_is_harmless),
        cmocka_unit_test(truncated_datagrams_do_no_harm),
        cmocka_unit_test(forged_records_and_alert_floods_do_not_stop_a_handshake),
        cmocka_unit_test(garbage_is_ignored),
        cmocka_unit_test(alert_in_the_clear_ends_it_only_when_silence_follows),
        cmocka_unit_test(nothing_forged_ends_a_connection),
        cmocka_unit_test(last_flight_is_repeated_after_forgeries),
        cmocka_unit_test(close_is_heard),
        cmocka_unit_test(every_changed_bit_of_a_close_is_noticed),
        cmocka_unit_test(close_before_the_keys_is_silent),
        cmocka_unit_test(wrong_fingerprint_is_refused),
        cmocka_unit_test(any_of_several_fingerprints_is_enough),
        cmocka_unit_test(peer_with_one_srtp_profile),
        cmocka_unit_test(server_prefers_gcm_whatever_the_client_prefers),
        cmocka_unit_test(peer_without_use_srtp_is_refused),
        cmocka_unit_test(client_without_certificate_is_refused),
        cmocka_unit_test(peer_of_dtls_1_0_is_refused),
        cmocka_unit_test(peer_with_an_rsa_certificate),
        cmocka_unit_test(failed_allocations_are_reported),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
