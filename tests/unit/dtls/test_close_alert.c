/*
 * close_notify against a real OpenSSL peer: what it says is understood, what we say ends it, with
 * every cipher suite that a handshake can choose, in both roles.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <openssl/err.h>
#include <openssl/ssl.h>

#include "base/bytes.h"
#include "dtls/bio.h"
#include "dtls/close_alert.h"
#include "dtls/context_private.h"
#include "dtls/identity.h"
#include "dtls/verify.h"

static const char *const suites[] = {
    "ECDHE-ECDSA-AES128-GCM-SHA256",
    "ECDHE-ECDSA-AES256-GCM-SHA384",
    "ECDHE-ECDSA-CHACHA20-POLY1305",
};

/* An SSL object over the module's BIO and nothing else of the module. */
struct end {
    SSL *ssl;
    struct dtls_bio bio;
    struct dtls_verify verify;
};

struct pair {
    struct dtls_identity id;
    struct dtls_context *ctx;
    struct end end[2]; /* client, server */
};

static void deliver(struct end *from, struct end *to)
{
    static uint8_t buf[DTLS_MTU];
    uint8_t none;
    size_t len;
    while (dtls_bio_pop(&from->bio, buf, sizeof(buf), &len)) {
        to->bio.in = buf;
        to->bio.in_len = len;
        if (SSL_in_init(to->ssl))
            (void)SSL_do_handshake(to->ssl);
        else
            (void)SSL_read(to->ssl, &none, 1);
    }
}

static void pair_init(struct pair *p, const char *suite)
{
    memset(p, 0, sizeof(*p));
    assert_int_equal(dtls_identity_init(&p->id, 1700000000), 0);
    assert_int_equal(dtls_context_new(&p->id, &p->ctx), 0);
    assert_int_equal(SSL_CTX_set_cipher_list(p->ctx->ssl_ctx, suite), 1);
    for (int i = 0; i < 2; i++) {
        struct end *e = &p->end[i];
        e->verify.fps[0] = p->id.fingerprint;
        e->verify.n_fps = 1;
        e->ssl = SSL_new(p->ctx->ssl_ctx);
        assert_non_null(e->ssl);
        assert_int_equal(dtls_bio_init(&e->bio, p->ctx->bio_method, e->ssl), 0);
        (void)SSL_set_mtu(e->ssl, DTLS_MTU);
        assert_int_equal(SSL_set_app_data(e->ssl, &e->verify), 1);
    }
    SSL_set_connect_state(p->end[0].ssl);
    SSL_set_accept_state(p->end[1].ssl);
    (void)SSL_do_handshake(p->end[0].ssl);
    for (int i = 0; i < 4; i++)
        deliver(&p->end[i % 2], &p->end[!(i % 2)]);
    assert_true(SSL_is_init_finished(p->end[0].ssl) && SSL_is_init_finished(p->end[1].ssl));
    assert_string_equal(SSL_get_cipher(p->end[0].ssl), suite);
}

static void pair_deinit(struct pair *p)
{
    for (int i = 0; i < 2; i++)
        SSL_free(p->end[i].ssl);
    dtls_context_free(p->ctx);
    dtls_identity_deinit(&p->id);
    ERR_clear_error();
}

static size_t close_of_openssl(struct end *e, uint8_t *buf)
{
    size_t len = 0;
    (void)SSL_shutdown(e->ssl);
    assert_true(dtls_bio_pop(&e->bio, buf, DTLS_MTU, &len));
    return len;
}

static void close_of_openssl_is_opened(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(suites); i++) {
        for (int us = 0; us < 2; us++) {
            struct pair p;
            struct dtls_close_alert ca;
            uint8_t buf[DTLS_MTU];
            pair_init(&p, suites[i]);
            assert_int_equal(dtls_close_alert_init(&ca, p.end[us].ssl, us == 0), 0);
            size_t len = close_of_openssl(&p.end[!us], buf);
            assert_true(len <= DTLS_CLOSE_ALERT_MAX);
            assert_int_equal(dtls_close_alert_open(&ca, buf, len), 0);
            assert_int_equal(dtls_close_alert_open(&ca, buf, len),
                             DTLS_CLOSE_ALERT_E_NOT_AUTHENTIC); /* replayed */
            pair_deinit(&p);
        }
    }
}

static void our_close_ends_openssl(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(suites); i++) {
        for (int us = 0; us < 2; us++) {
            struct pair p;
            struct dtls_close_alert ca;
            uint8_t buf[DTLS_CLOSE_ALERT_MAX];
            uint8_t none;
            size_t len = 0;
            pair_init(&p, suites[i]);
            struct end *peer = &p.end[!us];
            assert_int_equal(dtls_close_alert_init(&ca, p.end[us].ssl, us == 0), 0);
            assert_int_equal(dtls_close_alert_seal(&ca, buf, &len), 0);
            peer->bio.in = buf;
            peer->bio.in_len = len;
            int r = SSL_read(peer->ssl, &none, 1);
            assert_int_equal(SSL_get_error(peer->ssl, r), SSL_ERROR_ZERO_RETURN);
            assert_int_equal(SSL_get_shutdown(peer->ssl) & SSL_RECEIVED_SHUTDOWN,
                             SSL_RECEIVED_SHUTDOWN);
            pair_deinit(&p);
        }
    }
}

static void changed_cut_and_misplaced_records_are_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(suites); i++) {
        struct pair p;
        struct dtls_close_alert ca, other;
        uint8_t buf[DTLS_MTU];
        pair_init(&p, suites[i]);
        assert_int_equal(dtls_close_alert_init(&ca, p.end[0].ssl, true), 0);
        assert_int_equal(dtls_close_alert_init(&other, p.end[0].ssl, false), 0);
        size_t len = close_of_openssl(&p.end[1], buf);
        for (size_t bit = 0; bit < 8 * len; bit++) {
            buf[bit / 8] ^= (uint8_t)(1u << bit % 8);
            assert_int_equal(dtls_close_alert_open(&ca, buf, len),
                             DTLS_CLOSE_ALERT_E_NOT_AUTHENTIC);
            buf[bit / 8] ^= (uint8_t)(1u << bit % 8);
        }
        for (size_t cut = 0; cut < len; cut++)
            assert_int_equal(dtls_close_alert_open(&ca, buf, cut),
                             DTLS_CLOSE_ALERT_E_NOT_AUTHENTIC);
        /* The other direction's keys. */
        assert_int_equal(dtls_close_alert_open(&other, buf, len), DTLS_CLOSE_ALERT_E_NOT_AUTHENTIC);
        /* None of this has moved the window: the real one still counts. */
        assert_int_equal(dtls_close_alert_open(&ca, buf, len), 0);
        dtls_close_alert_deinit(&ca);
        dtls_close_alert_deinit(&other);
        pair_deinit(&p);
    }
}

/* An authentic alert that is not close_notify: the answer to an attempt to renegotiate. */
static void other_alerts_have_no_effect(void **state)
{
    struct pair p;
    struct dtls_close_alert ca;
    uint8_t buf[DTLS_MTU];
    size_t len = 0;
    (void)state;
    pair_init(&p, suites[0]);
    assert_int_equal(dtls_close_alert_init(&ca, p.end[0].ssl, true), 0);
    SSL_clear_options(p.end[0].ssl, SSL_OP_NO_RENEGOTIATION);
    assert_int_equal(SSL_renegotiate(p.end[0].ssl), 1);
    (void)SSL_do_handshake(p.end[0].ssl);
    deliver(&p.end[0], &p.end[1]);
    assert_true(dtls_bio_pop(&p.end[1].bio, buf, sizeof(buf), &len));
    assert_int_equal(buf[0], 21);
    assert_int_equal(dtls_close_alert_open(&ca, buf, len), DTLS_CLOSE_ALERT_E_OTHER);
    pair_deinit(&p);
}

static void a_suite_without_aead_is_not_supported(void **state)
{
    struct pair p;
    struct dtls_close_alert ca = {.next_number = 7};
    (void)state;
    pair_init(&p, "ECDHE-ECDSA-AES128-SHA256");
    assert_int_equal(dtls_close_alert_init(&ca, p.end[0].ssl, true), DTLS_CLOSE_ALERT_E_CIPHER);
    assert_int_equal(ca.next_number, 7);
    pair_deinit(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(close_of_openssl_is_opened),
        cmocka_unit_test(our_close_ends_openssl),
        cmocka_unit_test(changed_cut_and_misplaced_records_are_refused),
        cmocka_unit_test(other_alerts_have_no_effect),
        cmocka_unit_test(a_suite_without_aead_is_not_supported),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
