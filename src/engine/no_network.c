/*
 * One set of functions for all kinds without a network, in place of a question before each call:
 * the packet path calls through the table as it is.
 */
#include "engine/no_network.h"

void no_network_prefetch(struct pipeline_endpoint *e)
{
    (void)e;
}

int no_network_receive(struct pipeline_endpoint *e, mono_us now, struct dgram *d,
                       struct relay_fan *ret, mono_us *ret_due)
{
    (void)e, (void)now, (void)d, (void)ret;
    *ret_due = MONO_NEVER;
    return PEER_E_PROTOCOL;
}

bool no_network_is_connected(const struct pipeline_endpoint *e)
{
    (void)e;
    return true;
}

bool no_network_awaits(const struct pipeline_endpoint *e, const uint8_t *id)
{
    (void)e, (void)id;
    return false;
}

int no_network_input(struct pipeline_endpoint *e, mono_us now, const struct dgram *d)
{
    (void)e, (void)now, (void)d;
    return PEER_E_PROTOCOL;
}

bool no_network_poll_send(struct pipeline_endpoint *e, struct dgram *ret)
{
    (void)e, (void)ret;
    return false;
}

bool no_network_poll_event(struct pipeline_endpoint *e, struct peer_event *ret)
{
    (void)e, (void)ret;
    return false;
}

void no_network_set_tag(struct pipeline_endpoint *e)
{
    (void)e;
}

bool no_network_get_source(const struct pipeline_endpoint *e, uint32_t *ret)
{
    (void)e, (void)ret;
    return false;
}

bool no_network_get_path(const struct pipeline_endpoint *e, struct peer_path *ret)
{
    (void)e, (void)ret;
    return false;
}

int no_network_add_candidate(struct pipeline_endpoint *e, mono_us now,
                             const struct ice_candidate *c, struct str ufrag)
{
    (void)e, (void)now, (void)c, (void)ufrag;
    return 0;
}

void no_network_disconnected(struct pipeline_endpoint *e, mono_us now, const struct addr *local,
                             const struct addr *remote)
{
    (void)e, (void)now, (void)local, (void)remote;
}

int no_network_renegotiate(struct pipeline_endpoint *e, mono_us now,
                           const struct peer_params *params, struct str ufrag, struct str pwd)
{
    (void)e, (void)now, (void)params, (void)ufrag, (void)pwd;
    return 0;
}

void no_network_timeout(struct pipeline_endpoint *e, mono_us now)
{
    (void)e, (void)now;
}

mono_us no_network_deadline(const struct pipeline_endpoint *e)
{
    (void)e;
    return MONO_NEVER;
}
