/*
 * Who hears whom: see the header. A source keeps a list of its sinks, a sink points to its source;
 * the tables that a packet goes by belong to the sink and are made when it is connected.
 */
#include "relay/endpoint.h"

#include <assert.h>
#include <string.h>

static bool is_same_codec(const struct peer_codec *a, const struct peer_codec *b)
{
    return a->id == b->id && a->clock_rate == b->clock_rate;
}

static void map_codecs(struct relay_endpoint *sink, const struct relay_format *from)
{
    const struct relay_format *to = &sink->hears;
    sink->n_codecs = 0;
    for (unsigned i = 0; i < from->n_codecs; i++) {
        for (unsigned k = 0; k < to->n_codecs; k++) {
            if (!is_same_codec(&from->codecs[i], &to->codecs[k]))
                continue;
            sink->codecs[sink->n_codecs++] =
                (struct relay_codec_map){.from_pt = from->codecs[i].pt,
                                         .to_pt = to->codecs[k].pt,
                                         .clock_rate = from->codecs[i].clock_rate};
            break;
        }
    }
}

static void map_extensions(struct relay_endpoint *sink, const struct relay_format *from)
{
    memset(sink->ext_map, 0, sizeof(sink->ext_map));
    for (unsigned i = 0; from->ext && sink->hears.ext && i < PEER_N_EXT; i++) {
        if (from->ext[i])
            sink->ext_map[from->ext[i]] = sink->hears.ext[i];
    }
}

void relay_endpoint_init(struct relay_endpoint *e, const struct relay_ops *ops, uint32_t ssrc,
                         const struct relay_format *emits, const struct relay_format *hears,
                         struct rng *rng)
{
    assert(emits->n_codecs <= PEER_MAX_CODECS && hears->n_codecs <= PEER_MAX_CODECS);
    *e = (struct relay_endpoint){.ops = ops, .emits = *emits, .hears = *hears};
    list_init(&e->sinks);
    list_init(&e->siblings);
    /* RFC 3550 §5.1: both random; below 2^15, so that no loss before the first roll-over can
     * leave the receiver with another roll-over count (RFC 3711 §3.3.1). */
    rtp_translator_init(&e->translator, ssrc, (uint16_t)(rng_u32(rng) & 0x7fff), rng_u32(rng));
}

static void map_formats(struct relay_endpoint *sink, const struct relay_endpoint *source)
{
    map_codecs(sink, &source->emits);
    map_extensions(sink, &source->emits);
}

void relay_endpoint_set_formats(struct relay_endpoint *e, const struct relay_format *emits,
                                const struct relay_format *hears)
{
    e->emits = *emits;
    e->hears = *hears;
    if (e->source)
        map_formats(e, e->source);
    LIST_FOREACH(node, &e->sinks)
        map_formats(CONTAINER_OF(node, struct relay_endpoint, siblings), e);
}

void relay_endpoint_deinit(struct relay_endpoint *e)
{
    relay_disconnect(e);
    LIST_FOREACH(node, &e->sinks)
        relay_disconnect(CONTAINER_OF(node, struct relay_endpoint, siblings));
}

void relay_connect(struct relay_endpoint *source, struct relay_endpoint *sink)
{
    if (sink->source == source)
        return;
    relay_disconnect(sink);
    map_formats(sink, source);
    rtp_translator_expect_source(&sink->translator);
    sink->source = source;
    list_append(&source->sinks, &sink->siblings);
}

void relay_disconnect(struct relay_endpoint *sink)
{
    list_remove(&sink->siblings);
    sink->source = NULL;
}

uint8_t relay_onward_loss(const struct relay_endpoint *source)
{
    uint8_t worst = 0;
    LIST_FOREACH(node, &source->sinks) {
        struct relay_endpoint *sink = CONTAINER_OF(node, struct relay_endpoint, siblings);
        uint8_t loss = sink->ops->loss ? sink->ops->loss(sink) : 0;
        worst = loss > worst ? loss : worst;
    }
    return worst;
}
