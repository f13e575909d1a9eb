/*
 * The TLS side: versions, the self-signed pair, what is said about a pair that cannot be used.
 */
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include "base/mem.h"
#include "net/self_signed.h"
#include "unit/net/bench.h"

static void start(struct bench *b)
{
    bench_init(b);
    b->config.http_listen = "";
    b->config.https_listen = "127.0.0.1:0";
    bench_start(b);
}

static SSL_CTX *client_ctx(int min, int max)
{
    SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
    SSL_CTX_set_security_level(ctx, 0); /* so that old versions are really offered */
    assert_int_equal(SSL_CTX_set_min_proto_version(ctx, min), 1);
    assert_int_equal(SSL_CTX_set_max_proto_version(ctx, max), 1);
    return ctx;
}

static struct client *open_tls(struct bench *b)
{
    return client_open_from(b, net_server_https_port(b->server), "127.0.0.1", NULL);
}

static void speaks_1_2_and_1_3_only(void **state)
{
    (void)state;
    static const struct {
        int min, max;
        const char *version; /* NULL = refused */
    } cases[] = {
        {TLS1_3_VERSION, TLS1_3_VERSION, "TLSv1.3"}, {TLS1_2_VERSION, TLS1_2_VERSION, "TLSv1.2"},
        {TLS1_VERSION, TLS1_3_VERSION, "TLSv1.3"},   {TLS1_1_VERSION, TLS1_1_VERSION, NULL},
        {TLS1_VERSION, TLS1_VERSION, NULL},
    };
    struct bench b;
    start(&b);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        SSL_CTX *ctx = client_ctx(cases[i].min, cases[i].max);
        struct client *c = open_tls(&b);
        assert_int_equal(client_tls(c, ctx), cases[i].version != NULL);
        if (cases[i].version) {
            struct response r;
            assert_string_equal(SSL_get_version(c->ssl), cases[i].version);
            assert_non_null(strstr(SSL_get_cipher_name(c->ssl), "GCM"));
            assert_true(client_request(c, "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n", false, &r));
            assert_int_equal(r.status, 200);
            assert_null(response_header(&r, "Strict-Transport-Security"));
            response_free(&r);
        }
        client_free(c);
        SSL_CTX_free(ctx);
    }
    bench_deinit(&b);
}

static void weak_ciphers_are_refused(void **state)
{
    (void)state;
    struct bench b;
    start(&b);
    SSL_CTX *ctx = client_ctx(TLS1_2_VERSION, TLS1_2_VERSION);
    assert_int_equal(SSL_CTX_set_cipher_list(ctx, "AES128-SHA:ECDHE-ECDSA-AES128-SHA:"
                                                  "ECDHE-ECDSA-AES128-SHA256"),
                     1);
    struct client *c = open_tls(&b);
    assert_false(client_tls(c, ctx));
    client_free(c);
    SSL_CTX_free(ctx);
    bench_deinit(&b);
}

static void http2_is_not_offered(void **state)
{
    (void)state;
    static const unsigned char alpn[] = "\x02h2\x08http/1.1";
    struct bench b;
    start(&b);
    SSL_CTX *ctx = client_ctx(TLS1_2_VERSION, TLS1_3_VERSION);
    assert_int_equal(SSL_CTX_set_alpn_protos(ctx, alpn, sizeof(alpn) - 1), 0);
    struct client *c = open_tls(&b);
    assert_true(client_tls(c, ctx));
    const unsigned char *chosen;
    unsigned len;
    SSL_get0_alpn_selected(c->ssl, &chosen, &len);
    assert_int_equal(len, 8);
    assert_memory_equal(chosen, "http/1.1", 8);
    client_free(c);
    SSL_CTX_free(ctx);
    bench_deinit(&b);
}

static void websocket_over_tls(void **state)
{
    (void)state;
    static char text[65536];
    struct bench b;
    struct response r;
    memset(text, 't', sizeof(text));
    start(&b);
    SSL_CTX *ctx = client_ctx(TLS1_2_VERSION, TLS1_3_VERSION);
    struct client *c = open_tls(&b);
    assert_true(client_tls(c, ctx));
    assert_int_equal(client_upgrade(c, "/one2one", "", &r), 101);
    assert_true(b.last_peer.is_tls);
    assert_true(client_send_frame(c, true, WS_TEXT, text, sizeof(text)));
    client_expect_text(c, text, sizeof(text));
    net_server_close_socket(b.server, b.last_socket, 1000, STR("bye"));
    client_expect_close(c, 1000, "bye");
    client_free(c);

    /* Leaving during the handshake, and plain HTTP on the TLS port, are ordinary. */
    c = open_tls(&b);
    assert_true(client_write(c, "\x16\x03\x01\x02", 4));
    client_free(c);
    c = open_tls(&b);
    assert_true(client_write(c, "GET / HTTP/1.1\r\nHost: x\r\n\r\n", 27));
    client_wait_end(c);
    client_free(c);
    BENCH_UNTIL(&b, b.closed == 1);
    SSL_CTX_free(ctx);
    bench_deinit(&b);
}

static X509 *read_cert(const char *path)
{
    FILE *f = fopen(path, "r");
    assert_non_null(f);
    X509 *cert = PEM_read_X509(f, NULL, NULL, NULL);
    fclose(f);
    assert_non_null(cert);
    return cert;
}

static void self_signed_pair_is_made_once(void **state)
{
    (void)state;
    struct bench b;
    struct stat st, again;
    char dir[128], path[256], error[NET_ERROR_MAX], first[NET_ERROR_MAX];
    bench_init(&b);
    bench_path(&b, "new/state", dir, sizeof(dir));
    assert_int_equal(net_self_signed(dir, path, sizeof(path), error), 0);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    assert_int_equal(stat(dir, &again), 0);
    assert_int_equal(again.st_mode & 0777, 0700);

    X509 *cert = read_cert(path);
    assert_int_equal(X509_check_host(cert, "localhost", 0, 0, NULL), 1);
    assert_int_equal(X509_check_ip_asc(cert, "127.0.0.1", 0), 1);
    assert_int_equal(X509_check_ip_asc(cert, "::1", 0), 1);
    assert_int_equal(X509_check_host(cert, "example.org", 0, 0, NULL), 0);
    EVP_PKEY *key = X509_get0_pubkey(cert);
    assert_int_equal(EVP_PKEY_get_base_id(key), EVP_PKEY_EC);
    assert_int_equal(EVP_PKEY_get_bits(key), 256);
    assert_int_equal(X509_verify(cert, key), 1);
    int days, seconds;
    assert_int_equal(ASN1_TIME_diff(&days, &seconds, NULL, X509_get0_notAfter(cert)), 1);
    assert_in_range(days, 363, 365);
    X509_free(cert);

    assert_int_equal(net_self_signed(dir, path, sizeof(path), error), 0);
    assert_int_equal(stat(path, &again), 0);
    assert_int_equal(again.st_ino, st.st_ino);

    /* Two starts of a server show the same fingerprint. */
    b.config.state_dir = dir;
    b.config.https_listen = "127.0.0.1:0";
    bench_start(&b);
    snprintf(first, sizeof(first), "%s", net_server_fingerprint(b.server));
    assert_int_equal(strlen(first), 95);
    net_server_free(b.server);
    b.server = NULL;
    bench_start(&b);
    assert_string_equal(net_server_fingerprint(b.server), first);
    bench_deinit(&b);
}

static void unusable_pair_is_made_anew(void **state)
{
    (void)state;
    struct bench b;
    struct stat before, after;
    char path[256], error[NET_ERROR_MAX];
    bench_init(&b);
    bench_path(&b, NET_SELF_SIGNED_FILE, path, sizeof(path));
    for (int i = 0; i < 3; i++) {
        if (i == 0)
            assert_int_equal(net_self_signed_make(path, -1), 0); /* over */
        else if (i == 1)
            assert_int_equal(net_self_signed_make(path, 0), 0); /* over in a moment */
        else
            bench_write_file(&b, NET_SELF_SIGNED_FILE, "garbage", 7);
        assert_int_equal(stat(path, &before), 0);
        char used[256];
        assert_int_equal(net_self_signed(b.dir, used, sizeof(used), error), 0);
        assert_string_equal(used, path);
        assert_int_equal(stat(path, &after), 0);
        assert_true(after.st_ino != before.st_ino ||
                    after.st_mtim.tv_nsec != before.st_mtim.tv_nsec);
        X509 *cert = read_cert(path);
        assert_int_equal(X509_cmp_current_time(X509_get0_notAfter(cert)), 1);
        X509_free(cert);
    }
    /* and nothing else is left in the folder */
    unsigned n = 0;
    DIR *d = opendir(b.dir);
    while (readdir(d))
        n++;
    closedir(d);
    assert_int_equal(n, 3);
    bench_deinit(&b);
}

/** The server cannot be made, and the text holds all of these. */
static void expect_refused(struct bench *b, const char *one, const char *two)
{
    b->error[0] = 0;
    assert_int_equal(net_server_new(b->loop, &b->config, &b->server, b->error), NET_E_CONFIG);
    if (!strstr(b->error, one) || !strstr(b->error, two))
        print_error("%s\n", b->error);
    assert_non_null(strstr(b->error, one));
    assert_non_null(strstr(b->error, two));
    assert_null(b->server);
}

static void bad_pairs_are_explained(void **state)
{
    (void)state;
    struct bench b;
    char one[128], two[128], junk[128], encrypted[128];
    bench_init(&b);
    bench_path(&b, "one.pem", one, sizeof(one));
    bench_path(&b, "two.pem", two, sizeof(two));
    bench_path(&b, "junk.pem", junk, sizeof(junk));
    bench_path(&b, "encrypted.pem", encrypted, sizeof(encrypted));
    assert_int_equal(net_self_signed_make(one, 10), 0);
    assert_int_equal(net_self_signed_make(two, 10), 0);
    bench_write_file(&b, "junk.pem", "no certificate", 14);
    EVP_PKEY *key = EVP_EC_gen("P-256");
    FILE *f = fopen(encrypted, "w");
    assert_true(PEM_write_PKCS8PrivateKey(f, key, EVP_aes_128_cbc(), "secret", 6, NULL, NULL));
    fclose(f);
    EVP_PKEY_free(key);

    b.config.https_listen = "127.0.0.1:0";
    b.config.tls_cert = one;
    expect_refused(&b, "tls.key: ", "self-signed");
    b.config.tls_cert = NULL;
    b.config.tls_key = one;
    expect_refused(&b, "tls.cert: ", "self-signed");
    b.config.tls_cert = "/nonexistent/cert.pem";
    expect_refused(&b, "tls.cert: /nonexistent/cert.pem", "No such file");
    b.config.tls_cert = junk;
    expect_refused(&b, "tls.cert: ", "junk.pem");
    b.config.tls_cert = one;
    b.config.tls_key = junk;
    expect_refused(&b, "tls.key: ", "junk.pem");
    b.config.tls_key = two;
    expect_refused(&b, "tls.key: ", "two.pem");
    b.config.tls_key = encrypted; /* must not ask on the terminal */
    expect_refused(&b, "tls.key: ", "encrypted.pem");
    b.config.tls_key = one;
    bench_start(&b);
    assert_string_not_equal(net_server_fingerprint(b.server), "");
    net_server_free(b.server);
    b.server = NULL;

    b.config.tls_cert = b.config.tls_key = NULL;
    b.config.state_dir = NULL;
    expect_refused(&b, "state.dir: ", "tls.cert");
    b.config.state_dir = "/proc/nowhere";
    expect_refused(&b, "state.dir: ", "/proc/nowhere");
    bench_deinit(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(speaks_1_2_and_1_3_only),
        cmocka_unit_test(weak_ciphers_are_refused),
        cmocka_unit_test(http2_is_not_offered),
        cmocka_unit_test(websocket_over_tls),
        cmocka_unit_test(self_signed_pair_is_made_once),
        cmocka_unit_test(unusable_pair_is_made_anew),
        cmocka_unit_test(bad_pairs_are_explained),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
