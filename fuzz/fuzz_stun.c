/* fuzz: duet_stun */
/* Any bytes as a STUN datagram: parse, look at every view, find the username both ways. */
#include <stdint.h>
#include <stdlib.h>

#include "stun/message.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_inside(const uint8_t *data, size_t size, struct str s)
{
    const uint8_t *p = (const uint8_t *)s.p;
    if (s.len && (p < data || p + s.len > data + size))
        abort();
}

/* What was understood can be written, and reads back as the same. */
static void check_round_trip(const struct stun_message *m)
{
    uint8_t buf[1500];
    size_t len;
    struct stun_message again;
    struct stun_writer w = stun_write_start(buf, sizeof(buf), m->class, m->method, m->id);

    if (m->has_mapped)
        stun_write_mapped(&w, &m->mapped);
    if (m->has_priority)
        stun_write_priority(&w, m->priority);
    if (m->is_controlled || m->is_controlling)
        stun_write_role(&w, m->is_controlling, m->tie_breaker);
    if (stun_write_end(&w, STR("key"), &len) || stun_parse(buf, len, &again) ||
        stun_check_integrity(&again, STR("key")))
        abort();
    if (again.class != m->class || again.method != m->method || again.priority != m->priority ||
        again.tie_breaker != m->tie_breaker || again.has_mapped != m->has_mapped ||
        (m->has_mapped && !addr_equal(&again.mapped, &m->mapped)))
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct stun_message m;
    struct str local;
    bool has_username = stun_peek_username(data, size, &local);

    if (has_username)
        check_inside(data, size, local);
    if (stun_parse(data, size, &m))
        return 0;
    check_inside(data, size, m.username);
    check_inside(data, size, m.realm);
    check_inside(data, size, m.nonce);
    check_inside(data, size, m.software);
    check_inside(data, size, m.reason);
    if (stun_check_integrity(&m, STR("a key that nobody knows")) == 0)
        abort();
    /* What the demultiplexer finds is what the agent will see. */
    if (has_username && (m.username.len <= local.len || m.username.p != local.p))
        abort();
    check_round_trip(&m);
    return 0;
}
