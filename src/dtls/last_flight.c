/* See the header. Whoever writes the first record that decrypts is the peer; whoever can forge one
 * before it does, in those few milliseconds and from the peer's address, only makes this useless.
 */
#include "dtls/last_flight.h"

#include <string.h>

void dtls_last_flight_heard(struct dtls_last_flight *f, const struct dtls_record *record)
{
    if (record->type != DTLS_CONTENT_HANDSHAKE || record->epoch != 1 ||
        record->len > sizeof(f->finished))
        return;
    memcpy(f->finished, record->bytes, record->len);
    f->finished_len = record->len;
}

bool dtls_last_flight_is_copy(const struct dtls_last_flight *f, const struct dtls_record *record)
{
    return f->finished_len == record->len && memcmp(f->finished, record->bytes, record->len) == 0;
}

bool dtls_last_flight_ask(struct dtls_last_flight *f, mono_us now)
{
    if (f->n_repeats == DTLS_LAST_FLIGHT_REPEATS || now - f->sent_at < DTLS_LAST_FLIGHT_PAUSE)
        return false;
    f->n_repeats++;
    f->sent_at = now;
    return true;
}
