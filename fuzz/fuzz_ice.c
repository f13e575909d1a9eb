/* fuzz: duet_ice */
/* A whole agent under a script: the input is a list of steps, each an opcode and its operands. The
 * peer of the script knows the passwords, so that the fuzzer gets behind the integrity check; raw
 * datagrams, candidate text, time, restarts and failing allocations come in any order. After each
 * step the agent's promises to its owner are checked. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "ice/agent.h"
#include "stun/message.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define MAX_TOLD 128

struct told {
    struct addr local, remote;
};

struct script {
    struct bytes_reader in;
    struct ice_agent agent;
    struct rng rng;
    mono_us now;
    uint8_t asked_id[STUN_ID_LEN]; /* the last check that the agent sent */
    struct addr asked_local, asked_remote;
    struct told told[MAX_TOLD]; /* pairs told as valid */
    unsigned n_told;
    bool is_broken; /* -ENOMEM: nothing is promised any more */
};

static const char *const ufrags[] = {"aaaa", "bbbb", "cccc"};
static const char *const pwds[] = {"aaaaaaaaaaaaaaaaaaaaaa", "bbbbbbbbbbbbbbbbbbbbbb"};

static struct addr some_addr(uint8_t n)
{
    if ((n & 0xf0) == 0x10)
        return addr_v4(127, 0, 0, 1, (uint16_t)(1000 + (n & 15)));
    if ((n & 0xf0) == 0x20) {
        struct addr a = {.ip = {0x20, 0x01, 0x0d, 0xb8}, .port = (uint16_t)(1 + (n & 3))};
        a.ip[15] = n;
        return a;
    }
    if ((n & 0xf0) == 0x30) { /* over TCP: ours, or one of three connections */
        struct addr a = addr_v4(10, 0, 0, (uint8_t)(n & 3), 1);
        a.tcp = (uint16_t)(1 + ((n >> 2) & 3));
        return a;
    }
    return addr_v4(10, 0, 0, (uint8_t)(n & 7), (uint16_t)(1 + (n >> 5)));
}

static void note(struct script *s, int r)
{
    if (r < 0)
        s->is_broken = true;
}

static void datagram(struct script *s, struct addr local, struct addr remote, uint8_t *data,
                     size_t len)
{
    struct dgram d = {.local = local, .remote = remote, .data = data, .len = len, .cap = len};
    note(s, ice_agent_input(&s->agent, s->now, &d));
}

static void raw(struct script *s)
{
    struct addr local = some_addr(bytes_get8(&s->in)), remote = some_addr(bytes_get8(&s->in));
    uint8_t copy[256];
    size_t len = bytes_get8(&s->in);
    const uint8_t *p = bytes_skip(&s->in, len);
    if (p) {
        memcpy(copy, p, len);
        datagram(s, local, remote, copy, len);
    }
}

static void request(struct script *s)
{
    uint8_t buf[ICE_SEND_CAP], id[STUN_ID_LEN] = {bytes_get8(&s->in)};
    struct addr local = some_addr(bytes_get8(&s->in)), remote = some_addr(bytes_get8(&s->in));
    uint8_t flags = bytes_get8(&s->in);
    char username[] = "aaaa:bbbb";
    size_t len;

    memcpy(username, ufrags[flags & 1], 4);
    struct stun_writer w =
        stun_write_start(buf, sizeof(buf), STUN_REQUEST, STUN_METHOD_BINDING, id);
    stun_write_username(&w, str_of(username));
    if (flags & 2)
        stun_write_use_candidate(&w);
    if (flags & 4)
        stun_write_priority(&w, (uint32_t)flags << 20);
    stun_write_role(&w, flags & 8, flags & 16 ? UINT64_MAX : 0);
    if (flags & 32)
        bytes_put32(&w.w, 0x7fff0000);
    if (stun_write_end(&w, str_of(pwds[flags >> 7]), &len) == 0)
        datagram(s, local, remote, buf, len);
}

static void response(struct script *s)
{
    uint8_t buf[ICE_SEND_CAP], flags = bytes_get8(&s->in);
    struct addr remote = flags & 1 ? some_addr(bytes_get8(&s->in)) : s->asked_remote;
    size_t len;
    bool is_error = flags & 2;

    struct stun_writer w = stun_write_start(buf, sizeof(buf), is_error ? STUN_ERROR : STUN_SUCCESS,
                                            STUN_METHOD_BINDING, s->asked_id);
    if (is_error)
        stun_write_error(&w, flags & 4 ? STUN_CODE_ROLE_CONFLICT : STUN_CODE_BAD_REQUEST);
    if (!(flags & 8))
        stun_write_mapped(&w, &s->asked_local);
    if (stun_write_end(&w, str_of(pwds[flags & 16 ? 1 : 0]), &len) == 0)
        datagram(s, s->asked_local, remote, buf, len);
}

static void candidate_text(struct script *s)
{
    size_t len = bytes_get8(&s->in);
    const uint8_t *p = bytes_skip(&s->in, len);
    struct str text = {(const char *)p, len};
    struct ice_candidate c, again;
    char buf[ICE_CANDIDATE_TEXT_MAX];

    if (!p || ice_candidate_parse(text, &c))
        return;
    len = ice_candidate_write(&c, buf);
    if (ice_candidate_parse((struct str){buf, len}, &again) ||
        memcmp(&c.addr, &again.addr, sizeof(c.addr)) != 0 || c.priority != again.priority ||
        c.type != again.type || strcmp(c.foundation, again.foundation) != 0)
        abort();
    note(s, ice_agent_add_remote(&s->agent, s->now, &c, ice_candidate_ufrag(text)));
}

static struct ice_candidate some_candidate(struct script *s)
{
    struct ice_candidate c = {
        .component = 1,
        .type = (enum ice_type)(bytes_get8(&s->in) & 3),
        .priority = (uint32_t)bytes_get8(&s->in) << 20,
        .foundation = "1",
        .addr = some_addr(bytes_get8(&s->in)),
    };
    c.transport = c.addr.tcp ? ICE_TCP : ICE_UDP;
    return c;
}

static void disconnect(struct script *s)
{
    struct addr local = some_addr(bytes_get8(&s->in)), remote = some_addr(bytes_get8(&s->in));
    note(s, ice_agent_disconnected(&s->agent, s->now, &local, &remote));
}

static void pass_time(struct script *s, uint8_t n)
{
    /* Up to 64 deadlines, or a jump. */
    if (n & 0x80) {
        s->now += (mono_us)(n & 0x7f) * US_PER_S;
        note(s, ice_agent_timeout(&s->agent, s->now));
        return;
    }
    mono_us at = ice_agent_deadline(&s->agent);
    if (at == MONO_NEVER)
        return;
    if (at > s->now)
        s->now = at;
    note(s, ice_agent_timeout(&s->agent, s->now));
}

static void step(struct script *s)
{
    uint8_t op = bytes_get8(&s->in);
    uint8_t arg = op >> 4;
    struct ice_candidate c;

    switch (op & 15) {
    case 0:
        raw(s);
        break;
    case 1:
    case 2:
        request(s);
        break;
    case 3:
    case 4:
        response(s);
        break;
    case 5:
        candidate_text(s);
        break;
    case 6:
        c = some_candidate(s);
        note(s, ice_agent_add_remote(&s->agent, s->now, &c, str_of(arg & 1 ? ufrags[1] : NULL)));
        break;
    case 7:
        c = some_candidate(s);
        if (arg & 1)
            c.related = some_addr(arg);
        if (c.related.port)
            c.transport = c.related.tcp ? ICE_TCP : ICE_UDP;
        note(s, ice_agent_add_local(&s->agent, &c));
        break;
    case 8:
        note(s, ice_agent_restart(&s->agent, s->now, str_of(ufrags[arg % 3]), str_of(pwds[0])));
        break;
    case 9:
        note(s, ice_agent_set_remote(&s->agent, s->now, str_of(ufrags[arg % 3]),
                                     str_of(pwds[arg & 1]), arg == 15));
        break;
    case 10:
        note(s, ice_agent_end_of_candidates(&s->agent, s->now));
        break;
    case 11:
        mem_fail_at(arg);
        break;
    case 12:
        disconnect(s);
        break;
    default:
        pass_time(s, bytes_get8(&s->in));
        break;
    }
}

static void note_told(struct script *s, const struct ice_event *e)
{
    unsigned i = 0;

    while (i < s->n_told && !(addr_equal(&s->told[i].local, &e->local) &&
                              addr_equal(&s->told[i].remote, &e->remote)))
        i++;
    if (e->type == ICE_EVENT_VALIDATED) {
        if (i == MAX_TOLD)
            abort(); /* more than pairs and paths together can be */
        s->told[i] = (struct told){e->local, e->remote};
        if (i == s->n_told)
            s->n_told++;
    }
    if (e->type == ICE_EVENT_INVALIDATED) {
        if (i == s->n_told)
            abort(); /* never told as valid */
        s->told[i] = s->told[--s->n_told];
    }
}

static void drain(struct script *s)
{
    uint8_t buf[ICE_SEND_CAP];
    struct dgram d = {.data = buf, .cap = sizeof(buf)};
    struct stun_message m;
    struct ice_event e;
    unsigned n = 0;

    while (ice_agent_poll_send(&s->agent, &d)) {
        if (++n > ICE_MAX_PAIRS + ICE_MAX_ANSWERS + 1 || stun_parse(d.data, d.len, &m))
            abort();
        if (!addr_is_unicast(&d.remote) || !addr_is_unicast(&d.local))
            abort();
        if (m.class == STUN_REQUEST) {
            memcpy(s->asked_id, m.id, sizeof(s->asked_id));
            s->asked_local = d.local;
            s->asked_remote = d.remote;
        }
    }
    while (ice_agent_poll_event(&s->agent, &e))
        note_told(s, &e);
}

/* What the owner may rely on between two calls. */
static void check_promises(const struct script *s)
{
    const struct ice_agent *a = &s->agent;
    struct addr local, remote;
    bool has_path = ice_agent_selected(a, &local, &remote);

    if (has_path && !ice_agent_is_valid(a, &local, &remote))
        abort();
    if ((a->state == ICE_CONNECTED || a->state == ICE_COMPLETED) != has_path &&
        a->state != ICE_CHECKING) /* with the path before the restart */
        abort();
    for (unsigned i = 0; i < s->n_told; i++) {
        if (!ice_agent_is_valid(a, &s->told[i].local, &s->told[i].remote))
            abort();
    }
    for (unsigned i = 0; i < a->pairs.n_pairs; i++) {
        const struct ice_pair *pair = &a->pairs.pairs[i];
        if (pair->local >= a->pairs.n_locals || pair->remote >= a->pairs.n_remotes)
            abort();
    }
    if (ice_agent_heap(a) > 20000)
        abort();
}

/* Serving a deadline must move it, or a server would spin. */
static void check_no_spin(struct script *s)
{
    for (unsigned n = 0; n < 2 * ICE_MAX_PAIRS; n++) {
        if (s->is_broken || ice_agent_deadline(&s->agent) > s->now)
            return;
        note(s, ice_agent_timeout(&s->agent, s->now));
        drain(s);
    }
    if (!s->is_broken)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct script s;
    uint8_t kind;

    if (size < 2 || size > 4096)
        return 0;
    memset(&s, 0, sizeof(s));
    s.in = bytes_reader(data, size);
    s.now = 1000 * US_PER_S;
    rng_init_seeded(&s.rng, 1);
    kind = bytes_get8(&s.in);
    struct ice_config config = {.lite = kind & 1,
                                .controlling = kind & 2,
                                .ufrag = str_of(ufrags[0]),
                                .pwd = str_of(pwds[0])};
    if (ice_agent_init(&s.agent, &config, &s.rng))
        abort();
    struct ice_candidate host = {.component = 1, .priority = 2130706431, .addr = some_addr(1)};
    if (ice_agent_add_local(&s.agent, &host))
        abort();
    while (s.in.left && !s.in.failed && !s.is_broken) {
        step(&s);
        drain(&s);
        if (s.is_broken)
            break;
        check_promises(&s);
        check_no_spin(&s);
    }
    mem_fail_at(0);
    ice_agent_deinit(&s.agent);
    return 0;
}
