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

/* @return NULL = the sink does not have it */
static const struct peer_codec *find_codec(const struct relay_format *format,
                                           const struct peer_codec *codec)
{
    for (unsigned i = 0; i < format->n_codecs; i++) {
        if (is_same_codec(&format->codecs[i], codec))
            return &format->codecs[i];
    }
    return NULL;
}

static void add_map(struct relay_endpoint *sink, const struct peer_codec *from,
                    const struct peer_codec *to)
{
    sink->codecs[sink->n_codecs++] = (struct relay_codec_map){
        .from_pt = from->pt, .to_pt = to->pt, .clock_rate = from->clock_rate};
}

/* First in the table: whoever agreed on RED sends little else. */
static void map_red(struct relay_endpoint *sink, const struct relay_format *from)
{
    const struct relay_format *to = &sink->hears;
    const struct peer_codec *codec = from->red_pt ? find_codec(to, &from->codecs[0]) : NULL;
    if (!codec)
        return;
    bool is_kept = to->red_pt && codec == &to->codecs[0];
    sink->opens_red = !is_kept;
    sink->codecs[sink->n_codecs++] = (struct relay_codec_map){
        .from_pt = from->red_pt,
        .to_pt = is_kept ? to->red_pt : codec->pt,
        .payload = is_kept ? RELAY_PAYLOAD_RED : RELAY_PAYLOAD_OPEN_RED,
        .from_block = from->codecs[0].pt,
        .to_block = codec->pt,
        .clock_rate = codec->clock_rate,
    };
}

static void map_codecs(struct relay_endpoint *sink, const struct relay_format *from)
{
    sink->n_codecs = 0;
    sink->opens_red = false;
    map_red(sink, from);
    for (unsigned i = 0; i < from->n_codecs; i++) {
        const struct peer_codec *to = find_codec(&sink->hears, &from->codecs[i]);
        if (to)
            add_map(sink, &from->codecs[i], to);
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

/* Make the tables of a sink; its source must know who cannot do with RED. */
static void prepare(struct relay_endpoint *sink)
{
    struct relay_endpoint *source = sink->source;
    source->red.n_openers -= sink->opens_red;
    map_codecs(sink, &source->emits);
    map_extensions(sink, &source->emits);
    source->red.n_openers += sink->opens_red;
}

static void init_red(struct relay_endpoint *e)
{
    relay_red_source_init(&e->red, e->emits.red_pt, e->emits.n_codecs ? e->emits.codecs[0].pt : 0);
}

void relay_endpoint_init(struct relay_endpoint *e, const struct relay_ops *ops, uint32_t ssrc,
                         const struct relay_format *emits, const struct relay_format *hears,
                         struct rng *rng)
{
    assert(emits->n_codecs <= PEER_MAX_CODECS && hears->n_codecs <= PEER_MAX_CODECS);
    *e = (struct relay_endpoint){.ops = ops, .emits = *emits, .hears = *hears};
    list_init(&e->sinks);
    list_init(&e->siblings);
    init_red(e);
    /* RFC 3550 §5.1: both random; below 2^15, so that no loss before the first roll-over can
     * leave the receiver with another roll-over count (RFC 3711 §3.3.1). */
    rtp_translator_init(&e->translator, ssrc, (uint16_t)(rng_u32(rng) & 0x7fff), rng_u32(rng));
}

void relay_endpoint_set_formats(struct relay_endpoint *e, const struct relay_format *emits,
                                const struct relay_format *hears)
{
    unsigned n_openers = e->red.n_openers;
    e->emits = *emits;
    e->hears = *hears;
    init_red(e);
    e->red.n_openers = n_openers;
    if (e->source)
        prepare(e);
    LIST_FOREACH(node, &e->sinks)
        prepare(CONTAINER_OF(node, struct relay_endpoint, siblings));
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
    sink->source = source;
    list_append(&source->sinks, &sink->siblings);
    prepare(sink);
    rtp_translator_expect_source(&sink->translator);
}

void relay_disconnect(struct relay_endpoint *sink)
{
    if (sink->source)
        sink->source->red.n_openers -= sink->opens_red;
    list_remove(&sink->siblings);
    sink->source = NULL;
    sink->opens_red = false;
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
