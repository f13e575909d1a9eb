/*
 * Peers that repeat their flights as copies, record numbers and all. RFC 6347 §4.2.2: a repeated
 * message is a new record. Not to them, and OpenSSL drops what it has seen before, used or not.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "bench.h"
#include "dtls/last_flight.h"
#include "dtls/record.h"

/* Of the victim only the first datagram arrives: its hello. */
static int lose_all_but_hello(struct bench *b, int from, unsigned index, mono_us *delay)
{
    (void)delay;
    return b->victim[from] == 0 || index == 0;
}

static int lose_client(struct bench *b, int from, unsigned index, mono_us *delay)
{
    (void)b;
    (void)index;
    (void)delay;
    return from == SERVER;
}

/* The flight that ends with Finished: the second datagram of either side. */
static const struct bench_packet *find_last_flight(const struct bench *b, int from)
{
    unsigned n = 0;
    for (size_t i = 0; i < b->n_log; i++) {
        if (b->log[i].to == !from && n++ == 1)
            return &b->log[i];
    }
    fail_msg("not sent yet");
    return NULL;
}

/* A datagram for each record, but for one that is lost. @return how many records there are */
static unsigned deliver_copy(struct bench *b, int from, unsigned lost)
{
    const struct bench_packet *p = find_last_flight(b, from);
    struct bytes_reader datagram = bytes_reader(p->data, p->len);
    struct dtls_record record;
    unsigned n = 0;
    for (; dtls_record_next(&datagram, &record); n++) {
        if (n != lost)
            (void)bench_input(b, !from, record.bytes, record.len);
    }
    return n;
}

/* --- the peer's flight is lost -------------------------------------------------------------- */

static void a_peer_that_repeats_copies_connects(void **state)
{
    (void)state;
    for (int from = CLIENT; from <= SERVER; from++) {
        unsigned n_records = 1;
        for (unsigned lost = 0; lost < n_records; lost++) {
            struct bench *b = bench_new();
            b->filter = lose_all_but_hello;
            b->victim[from] = 1;
            bench_start(b);
            bench_run(b, 3 * BENCH_DELAY);
            n_records = deliver_copy(b, from, lost);
            assert_false(b->end[!from].is_connected);
            assert_int_equal(deliver_copy(b, from, UINT32_MAX), n_records);
            bench_run(b, US_PER_S);
            bench_assert_connected(b, DTLS_SRTP_AEAD_AES_128_GCM);
            bench_free(b);
        }
        assert_int_equal(n_records, from == CLIENT ? 5 : 2);
    }
}

/* --- our last flight is lost --------------------------------------------------------------- */

/* The client's flight goes out once, and nothing comes of it: the server's answer is lost. */
static struct bench *lose_the_last_flight(void)
{
    struct bench *b = bench_new();
    bench_start(b);
    while (!b->end[SERVER].is_connected)
        assert_true(bench_step(b, MONO_NEVER - 1));
    assert_int_equal(b->n, 1);
    b->n = 0;
    b->filter = lose_client;
    return b;
}

static void a_copy_of_the_finished_brings_the_last_flight(void **state)
{
    (void)state;
    for (unsigned n_lost = 0; n_lost < DTLS_LAST_FLIGHT_REPEATS; n_lost++) {
        struct bench *b = lose_the_last_flight();
        size_t first_len = b->log[b->n_log - 1].len;
        for (unsigned i = 0; i <= n_lost; i++) {
            b->n = 0;                             /* lost once more */
            bench_run(b, (i + 1) * US_PER_S / 2); /* as werift does */
            assert_false(b->end[CLIENT].is_connected);
            (void)deliver_copy(b, CLIENT, UINT32_MAX);
            assert_int_equal(b->n, 1);
            assert_int_equal(b->packets[0].len, first_len);
        }
        bench_run(b, BENCH_DELAY);
        bench_assert_connected(b, DTLS_SRTP_AEAD_AES_128_GCM);
        bench_free(b);
    }
}

/* Finished overtakes the rest of its flight: OpenSSL keeps it until its turn, and so do we. */
static void a_copy_of_a_finished_that_came_early(void **state)
{
    struct bench *b = bench_new();
    (void)state;
    b->filter = lose_all_but_hello;
    b->victim[CLIENT] = 1;
    bench_start(b);
    bench_run(b, 3 * BENCH_DELAY);
    (void)deliver_copy(b, CLIENT, 0); /* without the Certificate, so that all waits */
    assert_false(b->end[SERVER].is_connected);
    (void)deliver_copy(b, CLIENT, 4); /* without Finished */
    assert_true(b->end[SERVER].is_connected);
    b->n = 0;
    bench_run(b, US_PER_S);
    assert_false(b->end[CLIENT].is_connected);
    (void)deliver_copy(b, CLIENT, UINT32_MAX);
    bench_run(b, BENCH_DELAY);
    bench_assert_connected(b, DTLS_SRTP_AEAD_AES_128_GCM);
    bench_free(b);
}

/* Whoever has seen the Finished can send copies of it, as many as they like. */
static void copies_of_the_finished_are_answered_seldom(void **state)
{
    struct bench *b = lose_the_last_flight();
    (void)state;
    mono_us end = b->now + DTLS_LINGER + US_PER_S;
    mono_us last = b->now;
    unsigned n = 0;
    while (b->now < end) {
        unsigned before = b->end[SERVER].n_sent;
        (void)deliver_copy(b, CLIENT, UINT32_MAX);
        unsigned sent = b->end[SERVER].n_sent - before;
        assert_in_range(sent, 0, 1);
        if (sent) {
            assert_true(b->now - last >= DTLS_LAST_FLIGHT_PAUSE);
            last = b->now;
            n++;
        }
        b->n = 0; /* the client stays where it is */
        b->now += 10 * US_PER_MS;
        dtls_conn_timeout(&b->end[SERVER].conn, b->now);
    }
    assert_int_equal(n, DTLS_LAST_FLIGHT_REPEATS);
    assert_int_equal(b->end[SERVER].conn.state, DTLS_STATE_CONNECTED);
    assert_null(b->end[SERVER].conn.handshake);
    bench_free(b);
}

/* Afterwards a peer that repeats as it should is still heard. */
static void new_records_are_answered_when_copies_no_longer_are(void **state)
{
    struct bench *b = lose_the_last_flight();
    (void)state;
    for (unsigned i = 0; i < 2 * DTLS_LAST_FLIGHT_REPEATS; i++) {
        bench_run(b, DTLS_LAST_FLIGHT_PAUSE);
        (void)deliver_copy(b, CLIENT, UINT32_MAX);
        b->n = 0;
    }
    assert_false(b->end[CLIENT].is_connected);
    b->filter = NULL;
    bench_run(b, DTLS_RTO_MAX + 2 * BENCH_DELAY);
    bench_assert_connected(b, DTLS_SRTP_AEAD_AES_128_GCM);
    bench_free(b);
}

static void every_changed_bit_of_a_copy_is_noticed(void **state)
{
    struct bench *b = lose_the_last_flight();
    (void)state;
    bench_run(b, US_PER_S);
    const struct bench_packet *flight = find_last_flight(b, CLIENT);
    uint8_t finished[DTLS_FINISHED_MAX];
    memcpy(finished, flight->data + flight->len - sizeof(finished), sizeof(finished));
    unsigned n_sent = b->end[SERVER].n_sent;
    for (size_t bit = 0; bit < sizeof(finished) * 8; bit++) {
        finished[bit / 8] ^= (uint8_t)(1u << bit % 8);
        (void)bench_input(b, SERVER, finished, sizeof(finished));
        finished[bit / 8] ^= (uint8_t)(1u << bit % 8);
        assert_int_equal(b->end[SERVER].n_sent, n_sent);
    }
    assert_int_equal(bench_input(b, SERVER, finished, sizeof(finished)), 0);
    assert_int_equal(b->end[SERVER].n_sent, n_sent + 1);
    assert_int_equal(bench_input(b, SERVER, finished, sizeof(finished)), DTLS_CONN_E_IGNORED);
    bench_free(b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_peer_that_repeats_copies_connects),
        cmocka_unit_test(a_copy_of_the_finished_brings_the_last_flight),
        cmocka_unit_test(a_copy_of_a_finished_that_came_early),
        cmocka_unit_test(copies_of_the_finished_are_answered_seldom),
        cmocka_unit_test(new_records_are_answered_when_copies_no_longer_are),
        cmocka_unit_test(every_changed_bit_of_a_copy_is_noticed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
