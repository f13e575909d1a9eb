/*
 * Endpoints of plain RTP from the control side: two ports of the range are opened here, because the
 * description names them; with the endpoint they go to its worker. The number of the pair is given
 * back when the last event of the endpoint was read, and by then its sockets are closed.
 *
 *     answer         the offer names where they are ─▶ an address of ours towards there
 *     offer, accept  nothing is known yet           ─▶ our first one of the family
 */
#include <assert.h>
#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/mem.h"
#include "engine/engine_private.h"
#include "engine/plain_endpoint.h"
#include "peer/plain_sdp.h"

/* Pairs that are tried when somebody else has ports of the range open. */
#define PORT_TRIES 64

/* What we said of one endpoint. */
struct engine_plain {
    struct plain_side side;      /* with a key: wiped */
    enum rtpsec_profile profile; /* as the first description settled it */
    char cname[SAID_CNAME_LEN + 1];
    struct plain_pair pair; /* until the endpoint has it */
};

struct engine_plain_offered {
    struct engine *engine;
    struct engine_plain *said; /* owned; NULL = the endpoint has it */
    char sdp[ENGINE_ANSWER_MAX];
};

/* --- addresses and ports --- */

/* From which address would the kernel send there? Nothing is sent by this. */
static bool find_route(const struct addr *remote, struct addr *ret)
{
    struct sockaddr_storage sa;
    bool is_v6 = !addr_is_v4(remote);
    socklen_t len = socket_addr_to_sa(is_v6, remote, &sa);
    int fd = socket(is_v6 ? AF_INET6 : AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return false;
    bool is_found = connect(fd, (const struct sockaddr *)&sa, len) == 0;
    len = sizeof(sa);
    is_found = is_found && getsockname(fd, (struct sockaddr *)&sa, &len) == 0 &&
               socket_addr_from_sa((const struct sockaddr *)&sa, ret);
    (void)close(fd);
    return is_found;
}

static bool find_first(const struct engine *e, bool is_v6, struct addr *ret)
{
    for (size_t i = 0; i < e->n_addrs; i++) {
        if (addr_is_v4(&e->addrs[i]) == is_v6)
            continue;
        *ret = e->addrs[i];
        return true;
    }
    return false;
}

/*
 * The address that a description of ours names; not its port.
 *
 * @param remote  0.0.0.0 or :: = not known: of that family
 * @return false: there is none of the family
 */
static bool choose_address(const struct engine *e, struct worker *w, const struct addr *remote,
                           struct addr *ret)
{
    struct addr local, external;
    bool is_v6 = !addr_is_v4(remote);
    if (!e->is_wildcard)
        local = e->addrs[0];
    else if (addr_is_any(remote) ? !find_first(e, is_v6, &local) : !find_route(remote, &local))
        return false;
    if (addr_is_v4(&local) == is_v6)
        return false;
    bool is_near = addr_is_loopback(remote); /* no NAT stands in between */
    *ret = !is_near && engine_find_external(e, w, &local, &external) ? external : local;
    return true;
}

/* @return 0, ENGINE_E_PORTS with `error`, or a negative errno */
static int open_pair(struct engine *e, const struct addr *shown, unsigned dscp,
                     struct plain_pair *ret, char *error)
{
    struct addr at = e->addrs[0];
    int err = -EADDRINUSE;
    if (e->is_wildcard)
        at = addr_is_v4(shown) ? addr_v4(0, 0, 0, 0, 0) : (struct addr){.port = 0};
    for (unsigned i = 0; i < PORT_TRIES && err == -EADDRINUSE; i++) {
        if (!plain_ports_take(&e->plain_ports, &at.port))
            break;
        err = plain_pair_open(ret, &at, dscp);
        if (err)
            plain_ports_give_back(&e->plain_ports, at.port);
    }
    if (err != -EADDRINUSE && err != -EMFILE && err != -ENFILE)
        return err;
    if (err != -EADDRINUSE)
        engine_say(error, "media.rtp_ports: no descriptors are left (ulimit -n)");
    else if (e->plain_ports.n == 0)
        engine_say(error, "media.rtp_ports: plain RTP is switched off");
    else
        engine_say(error, "media.rtp_ports: all ports are in use, %u of %u pairs by us",
                   e->plain_ports.n_taken, e->plain_ports.n);
    return ENGINE_E_PORTS;
}

/* --- our side --- */

static void forget_ports(struct engine *e, const struct engine_plain *said)
{
    plain_ports_give_back(&e->plain_ports, said->side.addr.port);
}

void engine_plain_free(struct engine *e, struct engine_plain *said)
{
    if (!said)
        return;
    plain_pair_close(&said->pair);
    forget_ports(e, said);
    mem_wipe(said, sizeof(*said));
    mem_free(said);
}

/* Ports, an address, names and numbers. @return 0, ENGINE_E_OFFER or ENGINE_E_PORTS with `error`,
 * or a negative errno */
static int make_side(struct engine *e, struct worker *w, mono_us now, const struct addr *remote,
                     enum engine_direction direction, const struct engine_sdes *sdes,
                     struct engine_plain **ret, char *error)
{
    struct addr shown;
    int err = engine_list_addresses(e, now);
    (void)err; /* what was there at start is better than nothing */
    if (!choose_address(e, w, remote, &shown)) {
        engine_say(error, "c=: this server has no %s address towards there",
                   addr_is_v4(remote) ? "IPv4" : "IPv6");
        return ENGINE_E_OFFER;
    }
    struct engine_plain *said = mem_zalloc(sizeof(*said));
    if (!said)
        return -ENOMEM;
    err = open_pair(e, &shown, w->config.dscp, &said->pair, error);
    if (err) {
        mem_free(said);
        return err;
    }
    rng_ice_chars(e->rng, said->cname, SAID_CNAME_LEN);
    shown.port = said->pair.rtp.local.port;
    said->side = (struct plain_side){
        .addr = shown,
        .rtcp_port = said->pair.rtcp.local.port,
        .ssrc = rng_u32(e->rng),
        .cname = str_of(said->cname),
        .session_id = rng_u64(e->rng) >> 2,
        .session_version = 1,
        .never_sends = direction == ENGINE_RECVONLY,
        .never_receives = direction == ENGINE_SENDONLY,
        .must_encrypt = sdes != NULL,
    };
    _Static_assert(sizeof(said->side.key) == sizeof(sdes->key), "key and salt");
    if (sdes && sdes->has_key)
        memcpy(said->side.key, sdes->key, sizeof(said->side.key));
    else
        rng_fill(e->rng, said->side.key, sizeof(said->side.key));
    *ret = said;
    return 0;
}

static int refuse(char *error, const struct negotiate_error *refusal)
{
    (void)negotiate_error_write(refusal, error);
    return ENGINE_E_OFFER;
}

/* Our sockets are of one family, and nobody talks to himself. */
static int check_remote(const struct engine_plain *said, const struct plain_params *params,
                        char *error)
{
    const struct addr *ours = &said->side.addr;
    if (addr_is_v4(&params->rtp) != addr_is_v4(ours)) {
        engine_say(error, "c=: the address must be %s", addr_is_v4(ours) ? "IPv4" : "IPv6");
        return ENGINE_E_OFFER;
    }
    if (addr_equal(&params->rtp, ours)) {
        engine_say(error, "c=: address and port are those of this endpoint itself");
        return ENGINE_E_OFFER;
    }
    return 0;
}

/* @param said  the endpoint's on success */
static int make(struct engine *e, mono_us now, const struct engine_pipeline *known, unsigned number,
                struct engine_plain *said, const struct plain_params *params)
{
    struct worker *w = known->worker;
    struct pipeline_endpoint *endpoint = plain_endpoint_new(known->pipeline, number, now, params,
                                                            said->side.cname, &w->env, &said->pair);
    if (!endpoint)
        return -ENOMEM;
    int err = engine_give_endpoint(e, w, endpoint);
    if (err)
        return err;
    said->profile = params->keys.profile;
    engine_find_endpoint(e, known->id, number)->plain = said;
    return 0;
}

/* --- they offer --- */

/* @return as plain_sdp_answer, in the engine's words */
static int write_answer(const struct engine_plain *said, const struct plain_side *side,
                        const struct sdp *offer, struct plain_params *params, char *ret_sdp,
                        char *error)
{
    struct negotiate_error refusal;
    struct text text;
    text_init(&text, ret_sdp, ENGINE_ANSWER_MAX);
    if (plain_sdp_answer(offer, side, params, &text, &refusal))
        return refuse(error, &refusal);
    return check_remote(said, params, error);
}

static int answer(struct engine *e, mono_us now, const struct engine_pipeline *known,
                  unsigned number, const struct sdp *offer, const struct engine_sdes *sdes,
                  char *ret_sdp, char *error)
{
    struct engine_plain *said;
    struct plain_params params;
    struct negotiate_error refusal;
    struct addr remote;
    if (plain_sdp_remote(offer, &remote, &refusal))
        return refuse(error, &refusal);
    int err = make_side(e, known->worker, now, &remote, ENGINE_SENDRECV, sdes, &said, error);
    if (err)
        return err;
    err = write_answer(said, &said->side, offer, &params, ret_sdp, error);
    if (!err)
        err = make(e, now, known, number, said, &params);
    mem_wipe(&params, sizeof(params));
    if (err)
        engine_plain_free(e, said);
    return err;
}

int engine_plain_answer(struct engine *e, mono_us now, uint64_t pipeline, unsigned number,
                        struct str offer, const struct engine_sdes *sdes, char *ret_sdp,
                        char *error)
{
    const struct engine_pipeline *known = engine_find_pipeline(e, pipeline);
    struct sdp sdp;
    error[0] = 0;
    if (!known)
        return ENGINE_E_UNKNOWN;
    int err = engine_parse(offer, &sdp, error);
    if (err)
        return err;
    err = answer(e, now, known, number, &sdp, sdes, ret_sdp, error);
    sdp_deinit(&sdp);
    return err;
}

static int answer_again(const struct engine_endpoint *known, const struct sdp *offer, char *ret_sdp,
                        char *error)
{
    struct plain_side side = known->plain->side;
    struct worker_plain_renegotiation *c = mem_zalloc(sizeof(*c));
    if (!c)
        return -ENOMEM;
    side.session_version++;
    int err = write_answer(known->plain, &side, offer, &c->params, ret_sdp, error);
    if (!err && c->params.keys.profile != known->plain->profile) {
        engine_say(error, "m=audio: encryption stays as it was in the first offer");
        err = ENGINE_E_OFFER;
    }
    if (err) {
        mem_wipe(c, sizeof(*c));
        mem_free(c);
        return err;
    }
    c->command =
        (struct worker_command){.type = WORKER_PLAIN_RENEGOTIATE, .endpoint = known->endpoint};
    known->plain->side = side;
    worker_send(known->worker, &c->command);
    return 0;
}

int engine_plain_answer_again(struct engine *e, uint64_t pipeline, unsigned number,
                              struct str offer, char *ret_sdp, char *error)
{
    const struct engine_endpoint *known = engine_find_endpoint(e, pipeline, number);
    struct sdp sdp;
    error[0] = 0;
    if (!known || !known->plain)
        return ENGINE_E_UNKNOWN;
    int err = engine_parse(offer, &sdp, error);
    if (err)
        return err;
    err = answer_again(known, &sdp, ret_sdp, error);
    sdp_deinit(&sdp);
    return err;
}

/* --- we offer --- */

void engine_plain_offered_free(struct engine_plain_offered *o)
{
    if (!o)
        return;
    engine_plain_free(o->engine, o->said);
    mem_wipe(o->sdp, sizeof(o->sdp)); /* a key may stand in it */
    mem_free(o);
}

int engine_plain_offer(struct engine *e, mono_us now, uint64_t pipeline, bool is_v6,
                       enum engine_direction direction, const struct engine_sdes *sdes, char *error,
                       struct engine_plain_offered **ret)
{
    const struct engine_pipeline *known = engine_find_pipeline(e, pipeline);
    const struct addr remote = is_v6 ? (struct addr){.port = 0} : addr_v4(0, 0, 0, 0, 0);
    struct text text;
    error[0] = 0;
    if (!known)
        return ENGINE_E_UNKNOWN;
    struct engine_plain_offered *o = mem_zalloc(sizeof(*o));
    if (!o)
        return -ENOMEM;
    o->engine = e;
    int err = make_side(e, known->worker, now, &remote, direction, sdes, &o->said, error);
    text_init(&text, o->sdp, sizeof(o->sdp));
    if (!err && plain_sdp_offer(&o->said->side, &text))
        err = -ENOBUFS; /* it has a fixed length */
    if (err) {
        engine_plain_offered_free(o);
        return err;
    }
    *ret = o;
    return 0;
}

const char *engine_plain_offered_sdp(const struct engine_plain_offered *o)
{
    return o->sdp;
}

static int read_answer(const struct engine_plain_offered *o, const struct sdp *answer,
                       struct plain_params *ret, char *error)
{
    struct negotiate_error refusal;
    struct sdp ours;
    int err = sdp_parse(&ours, str_of(o->sdp), NULL);
    if (err)
        return err < 0 ? err : -EINVAL;
    err = plain_sdp_accept(&ours, answer, &o->said->side, ret, &refusal);
    sdp_deinit(&ours);
    return err ? refuse(error, &refusal) : check_remote(o->said, ret, error);
}

int engine_plain_accept(struct engine *e, mono_us now, uint64_t pipeline, unsigned number,
                        struct engine_plain_offered *o, struct str answer, char *error)
{
    const struct engine_pipeline *known = engine_find_pipeline(e, pipeline);
    struct plain_params params;
    struct sdp sdp;
    error[0] = 0;
    if (!known)
        return ENGINE_E_UNKNOWN;
    assert(o->said);
    int err = engine_parse(answer, &sdp, error);
    if (err)
        return err;
    err = read_answer(o, &sdp, &params, error);
    sdp_deinit(&sdp);
    if (!err)
        err = make(e, now, known, number, o->said, &params);
    mem_wipe(&params, sizeof(params));
    if (!err)
        o->said = NULL; /* now owned by what we know of the endpoint */
    return err;
}
