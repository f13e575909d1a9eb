/* What was said: see the header. */
#include "engine/said.h"

#include <errno.h>
#include <string.h>

#include "base/mem.h"

int said_set_remote(struct said *s, struct str remote)
{
    char *copy = mem_strdup(remote);
    if (!copy)
        return -ENOMEM;
    mem_free(s->remote);
    s->remote = copy;
    s->remote_len = remote.len;
    return 0;
}

struct said *said_new(struct rng *rng, struct str remote, enum engine_direction direction)
{
    struct said *s = mem_zalloc(sizeof(*s));
    if (!s)
        return NULL;
    if (said_set_remote(s, remote)) {
        mem_free(s);
        return NULL;
    }
    s->direction = direction;
    s->partner = SAID_NO_PARTNER;
    s->ssrc = rng_u32(rng);
    s->session_id = rng_u64(rng) >> 2;
    s->session_version = 1;
    rng_ice_chars(rng, s->ufrag, DEMUX_UFRAG_LEN);
    rng_ice_chars(rng, s->pwd, WORKER_PWD_LEN);
    rng_ice_chars(rng, s->cname, SAID_CNAME_LEN);
    return s;
}

struct said *said_copy(const struct said *from, struct str remote)
{
    struct said *s = mem_alloc(sizeof(*s));
    if (!s)
        return NULL;
    *s = *from;
    s->remote = NULL;
    if (said_set_remote(s, remote)) {
        said_free(s);
        return NULL;
    }
    return s;
}

void said_free(struct said *s)
{
    if (!s)
        return;
    mem_free(s->remote);
    mem_wipe(s, sizeof(*s));
    mem_free(s);
}

void said_renew_credentials(struct said *s, struct rng *rng)
{
    rng_ice_chars(rng, s->ufrag + DEMUX_NAME_LEN, DEMUX_UFRAG_LEN - DEMUX_NAME_LEN);
    rng_ice_chars(rng, s->pwd, WORKER_PWD_LEN);
}

void said_keep_codecs(struct said *s, const struct codec_set *set)
{
    s->set = *set;
    for (unsigned i = 0; i < set->n; i++)
        s->set.codecs[i].fmtp = (struct str){0}; /* a view into text that is not ours */
}

struct negotiate_local said_local(const struct said *s)
{
    return (struct negotiate_local){
        .ufrag = str_of(s->ufrag),
        .pwd = str_of(s->pwd),
        .ssrc = s->ssrc,
        .cname = str_of(s->cname),
        .msid = str_of(s->cname),
        .session_id = s->session_id,
        .session_version = s->session_version,
        .never_sends = s->direction == ENGINE_RECVONLY,
        .never_receives = s->direction == ENGINE_SENDONLY,
    };
}
