/*
 * What a connection holds, OpenSSL's part included, and what happens when OpenSSL gets none: the
 * library's allocator is replaced before anything else of it runs.
 */
#include <errno.h>
#include <malloc.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <openssl/crypto.h>

#include "bench.h"

static size_t held;      /* bytes */
static unsigned fail_at; /* the n-th allocation from now on gives NULL; 0 = none */
static unsigned n_allocs;

static void *count(void *p)
{
    held += p ? malloc_usable_size(p) : 0;
    return p;
}

static void *openssl_malloc(size_t size, const char *file, int line)
{
    (void)file;
    (void)line;
    return ++n_allocs == fail_at ? NULL : count(malloc(size));
}

static void openssl_free(void *p, const char *file, int line)
{
    (void)file;
    (void)line;
    held -= p ? malloc_usable_size(p) : 0;
    free(p);
}

static void *openssl_realloc(void *p, size_t size, const char *file, int line)
{
    size_t before = p ? malloc_usable_size(p) : 0;
    (void)file;
    (void)line;
    if (++n_allocs == fail_at)
        return NULL;
    void *bigger = realloc(p, size);
    if (!bigger)
        return NULL;
    held -= before;
    return count(bigger);
}

/* The first handshake of a process fills caches that stay. */
static void warm_up(void)
{
    for (int i = 0; i < 3; i++) {
        struct bench *b = bench_new();
        bench_start(b);
        bench_run(b, DTLS_LINGER + US_PER_S);
        bench_free(b);
    }
}

static void nothing_is_left_after_the_linger_time(void **state)
{
    (void)state;
    warm_up();
    struct bench *b = bench_new();
    for (int i = 0; i < 2; i++)
        dtls_conn_deinit(&b->end[i].conn);
    size_t empty = held;
    for (int i = 0; i < 2; i++)
        bench_conn(b, i, &b->end[!i].id.fingerprint);
    size_t made = held;
    bench_start(b);
    bench_run(b, 25 * US_PER_MS); /* both flights are under way */
    size_t during = held;
    bench_run(b, US_PER_S);
    size_t lingering = held; /* the server's only */
    bench_run(b, DTLS_LINGER);
    size_t after = held;
    bench_assert_connected(b, DTLS_SRTP_AEAD_AES_128_GCM);
    print_message("OpenSSL, two ends: made %zu, during %zu, lingering (server) %zu, after %zu; "
                  "of our own: struct %zu\n",
                  made - empty, during - empty, lingering - empty, after - empty,
                  sizeof(struct dtls_conn));
    assert_true(during - empty < 2 * 90 * 1024);
    assert_int_equal(after, empty);
    bench_free(b);
}

static void strangers_records_do_not_pile_up(void **state)
{
    (void)state;
    struct bench *b = bench_new();
    bench_start(b);
    assert_true(bench_step(b, MONO_NEVER - 1)); /* the hello has arrived */
    size_t before = held;
    for (unsigned i = 0; i < 500; i++) {
        uint8_t record[13 + 48] = {22,         0xfe, 0xfd, 0, 1, 0, 0, 0, 0, (uint8_t)(i >> 8),
                                   (uint8_t)i, 0,    48};
        (void)bench_input(b, SERVER, record, sizeof(record));
        record[0] = 21;
        (void)bench_input(b, SERVER, record, sizeof(record));
    }
    assert_true(held - before < 100 * 1024);
    bench_run(b, US_PER_S);
    bench_assert_connected(b, DTLS_SRTP_AEAD_AES_128_GCM);
    bench_free(b);
}

/* Success or a failure that is told, never a crash. OpenSSL's own clean-up is OpenSSL's. */
static void openssl_without_memory_is_survived(void **state)
{
    unsigned n_connected = 0, n_failed = 0;
    (void)state;
    for (unsigned n = 1; n < 2500; n += 13) {
        struct bench *b = bench_new();
        for (int i = 0; i < 2; i++)
            dtls_conn_deinit(&b->end[i].conn);
        n_allocs = 0;
        fail_at = n;
        bool is_made = true;
        for (int i = 0; i < 2; i++) {
            int r = dtls_conn_init(&b->end[i].conn, b->end[i].ctx, i == CLIENT,
                                   &b->end[!i].id.fingerprint, 1);
            assert_true(r == 0 || r == -ENOMEM);
            is_made &= r == 0;
        }
        if (is_made) {
            bench_start(b);
            bench_run(b, DTLS_HANDSHAKE_TIMEOUT + US_PER_S);
            for (int i = 0; i < 2; i++)
                assert_true(b->end[i].is_connected || b->end[i].is_failed);
            n_connected += b->end[0].is_connected && b->end[1].is_connected;
            n_failed += b->end[0].is_failed || b->end[1].is_failed;
        }
        fail_at = 0;
        bench_free(b);
    }
    print_message("connected %u, failed %u\n", n_connected, n_failed);
    assert_true(n_connected > 0 && n_failed > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_is_left_after_the_linger_time),
        cmocka_unit_test(strangers_records_do_not_pile_up),
        cmocka_unit_test(openssl_without_memory_is_survived),
    };
    if (CRYPTO_set_mem_functions(openssl_malloc, openssl_realloc, openssl_free) != 1)
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
