/* Two states: a question runs (`tx`), or the next one is due at `ask_at`. The same identifier goes
 * to all servers that are asked: whose answer it is, its source address tells. */
#include "stun/mapping.h"

#include <string.h>

#include "base/bytes.h"

void stun_mapping_init(struct stun_mapping *m, uint32_t tag, struct rng *rng)
{
    *m = (struct stun_mapping){.rng = rng, .tag = tag, .ask_at = MONO_NEVER};
    stun_transaction_stop(&m->tx);
}

static void ask(struct stun_mapping *m, mono_us now, uint8_t first, uint8_t end)
{
    m->asked_first = m->next_send = first;
    m->asked_end = end;
    m->ask_at = MONO_NEVER;
    stun_transaction_start(&m->tx, now, 0, m->rng);
    put_be32(m->tx.id, m->tag);
}

/* An event for every end of a question that began without a mapping, and for every change. */
static void become(struct stun_mapping *m, const struct stun_mapping_event *is)
{
    bool is_same = is->is_known && m->now_is.is_known && addr_equal(&is->local, &m->now_is.local) &&
                   addr_equal(&is->mapped, &m->now_is.mapped);
    m->now_is = *is;
    m->has_event |= !is_same;
}

static void give_up(struct stun_mapping *m)
{
    become(m, &(struct stun_mapping_event){.is_known = false});
}

void stun_mapping_set_servers(struct stun_mapping *m, mono_us now, const struct addr *servers,
                              size_t n)
{
    if (n > STUN_MAPPING_SERVERS)
        n = STUN_MAPPING_SERVERS;
    if (n == m->n_servers && (n == 0 || memcmp(servers, m->servers, n * sizeof(*servers)) == 0))
        return;
    if (n)
        memcpy(m->servers, servers, n * sizeof(*servers));
    m->n_servers = (uint8_t)n;
    if (n) {
        ask(m, now, 0, m->n_servers);
        return;
    }
    stun_transaction_stop(&m->tx);
    m->ask_at = MONO_NEVER;
    m->next_send = m->asked_first = m->asked_end = 0;
    give_up(m);
}

/* @return index of the server that this comes from; asked_end = of none that is asked */
static uint8_t server_of(const struct stun_mapping *m, const struct addr *remote)
{
    uint8_t i = m->asked_first;
    while (i < m->asked_end && !addr_equal(&m->servers[i], remote))
        i++;
    return i;
}

int stun_mapping_input(struct stun_mapping *m, mono_us now, const struct dgram *d)
{
    struct stun_message message;
    uint8_t from = server_of(m, &d->remote);

    if (from == m->asked_end || stun_parse(d->data, d->len, &message) ||
        message.method != STUN_METHOD_BINDING || !stun_transaction_matches(&m->tx, message.id))
        return STUN_E_NOT_STUN;
    /* One that refuses, or answers nonsense, is like one that is not there: others may answer. */
    if (message.class != STUN_SUCCESS || message.n_unknown || !message.has_mapped ||
        !addr_is_unicast(&message.mapped))
        return 0;
    stun_transaction_stop(&m->tx);
    m->asked_first = from; /* from now on it alone */
    m->asked_end = m->next_send = (uint8_t)(from + 1);
    m->ask_at = now + STUN_MAPPING_REFRESH;
    become(m, &(struct stun_mapping_event){
                  .is_known = true, .local = d->local, .mapped = message.mapped});
    return 0;
}

void stun_mapping_timeout(struct stun_mapping *m, mono_us now)
{
    bool had_one = m->now_is.is_known;

    switch (stun_transaction_timeout(&m->tx, now)) {
    case STUN_TRANSACTION_WAIT:
        break;
    case STUN_TRANSACTION_SEND:
        m->next_send = m->asked_first;
        break;
    case STUN_TRANSACTION_FAILED:
        give_up(m);
        m->ask_at = had_one ? now : now + STUN_MAPPING_PAUSE;
        break;
    }
    if (now < m->ask_at)
        return;
    if (m->now_is.is_known)
        ask(m, now, m->asked_first, m->asked_end);
    else
        ask(m, now, 0, m->n_servers);
}

bool stun_mapping_poll_send(struct stun_mapping *m, struct dgram *ret)
{
    if (m->next_send >= m->asked_end)
        return false;
    ret->remote = m->servers[m->next_send++];
    struct stun_writer w =
        stun_write_start(ret->data, ret->cap, STUN_REQUEST, STUN_METHOD_BINDING, m->tx.id);
    return stun_write_end(&w, STR(""), &ret->len) == 0;
}

bool stun_mapping_poll_event(struct stun_mapping *m, struct stun_mapping_event *ret)
{
    if (!m->has_event)
        return false;
    m->has_event = false;
    *ret = m->now_is;
    return true;
}

mono_us stun_mapping_deadline(const struct stun_mapping *m)
{
    return mono_min(m->tx.at, m->ask_at);
}
