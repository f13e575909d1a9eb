/* The identity whose fingerprint is offered. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <openssl/evp.h>
#include <openssl/x509.h>

#include "dtls/fingerprint.h"
#include "dtls/identity.h"

static void identity_is_what_it_says(void **state)
{
    struct dtls_identity id, other;
    struct dtls_fingerprint fp;
    int days = 0, seconds = 0;
    const int64_t now = 1893456000; /* 2030-01-01 */
    (void)state;
    assert_int_equal(dtls_identity_init(&id, now), 0);
    assert_int_equal(dtls_identity_init(&other, now), 0);
    assert_int_equal(dtls_fingerprint_of(id.cert, DTLS_HASH_SHA256, &fp), 0);
    assert_true(dtls_fingerprint_equal(&fp, &id.fingerprint));
    assert_false(dtls_fingerprint_equal(&fp, &other.fingerprint));
    fp.hash = DTLS_HASH_SHA384;
    assert_false(dtls_fingerprint_equal(&fp, &id.fingerprint));
    assert_int_equal(EVP_PKEY_get_base_id(id.key), EVP_PKEY_EC);
    assert_int_equal(EVP_PKEY_get_bits(id.key), 256);
    assert_int_equal(X509_verify(id.cert, id.key), 1);
    assert_true(ASN1_INTEGER_get(X509_get0_serialNumber(id.cert)) != 0);
    time_t start = (time_t)now;
    assert_int_equal(X509_cmp_time(X509_get0_notBefore(id.cert), &start), -1);
    assert_int_equal(X509_cmp_time(X509_get0_notAfter(id.cert), &start), 1);
    assert_int_equal(
        ASN1_TIME_diff(&days, &seconds, X509_get0_notBefore(id.cert), X509_get0_notAfter(id.cert)),
        1);
    assert_int_equal(days, 3651);
    dtls_identity_deinit(&id);
    dtls_identity_deinit(&id); /* again is legal */
    dtls_identity_deinit(&other);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(identity_is_what_it_says),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
