/*
 * One object for the endpoint and one for each direction, under the names that Kurento gives them.
 * Inbound is from the person to us, outbound from us to the person. What a relay of audio does not
 * have (PLI, REMB of video) is there and zero, because clients read it.
 */
#include "kurento/stats.h"

#include <inttypes.h>
#include <stdio.h>

static void put(json_t *map, json_t *stats, const char *id, const char *type, const char *name,
                int64_t now_ms)
{
    (void)json_object_set_new(stats, "__module__", json_string("kurento"));
    (void)json_object_set_new(stats, "__type__", json_string(type));
    (void)json_object_set_new(stats, "id", json_string(id));
    (void)json_object_set_new(stats, "type", json_string(name));
    (void)json_object_set_new(stats, "timestampMillis", json_integer(now_ms));
    (void)json_object_set_new(map, id, stats);
}

static double seconds(mono_us t)
{
    return (double)t / (double)US_PER_S;
}

static json_t *rtp_stats(uint32_t ssrc)
{
    char text[11];
    (void)snprintf(text, sizeof(text), "%" PRIu32, ssrc);
    return json_pack("{s:s, s:i, s:i, s:i, s:i, s:b, s:s, s:s, s:s, s:s}", "ssrc", text, "firCount",
                     0, "pliCount", 0, "sliCount", 0, "remb", 0, "isRemote", 0, "associateStatsId",
                     "", "mediaTrackId", "", "transportId", "", "codecId", "");
}

/* The unit of fractionLost is that of RTCP, 1/256 (RFC 3550 §6.4.1): so Kurento hands it on. */

static json_t *inbound(const struct peer_figures *media)
{
    const struct peer_figures_up *up = &media->up;
    json_t *s = rtp_stats(up->ssrc);
    uint32_t lost = up->counts.lost - up->counts.repaired - up->late; /* never came */
    (void)json_object_set_new(s, "packetsReceived", json_integer(up->packets));
    (void)json_object_set_new(s, "bytesReceived", json_integer((json_int_t)up->octets));
    (void)json_object_set_new(s, "packetsLost", json_integer(lost));
    (void)json_object_set_new(s, "fractionLost", json_real(up->fraction));
    (void)json_object_set_new(s, "jitter", json_real(up->has_jitter ? seconds(up->jitter) : 0));
    (void)json_object_set_new(s, "nackCount", json_integer(up->n_asked));
    return s;
}

/* [bit/s], payload, over the whole time: who wants another interval asks twice. */
static double bitrate(const struct peer_figures *media)
{
    mono_us took = media->connected_at ? media->at - media->connected_at : 0;
    return took > 0 ? 8.0 * media->down.octets / seconds(took) : 0;
}

static json_t *outbound(const struct peer_figures *media)
{
    const struct peer_figures_down *down = &media->down;
    json_t *s = rtp_stats(down->ssrc);
    (void)json_object_set_new(s, "packetsSent", json_integer(down->packets));
    (void)json_object_set_new(s, "bytesSent", json_integer(down->octets));
    (void)json_object_set_new(s, "packetsLost", json_integer(down->delivery.lost));
    (void)json_object_set_new(s, "fractionLost", json_real(down->is_reported ? down->fraction : 0));
    (void)json_object_set_new(s, "roundTripTime",
                              json_real(media->has_rtt ? seconds(media->rtt) : 0));
    (void)json_object_set_new(s, "nackCount", json_integer(down->resent));
    (void)json_object_set_new(s, "targetBitrate", json_real(bitrate(media)));
    return s;
}

static void put_element(json_t *map, const struct kurento_element *element, int64_t now_ms)
{
    bool is_endpoint = kurento_type_is(element->object.type, "BaseRtpEndpoint");
    json_t *stats = json_pack("{s:[]}", "inputLatency");
    if (is_endpoint)
        (void)json_object_set_new(stats, "E2ELatency", json_array());
    put(map, stats, element->object.id, is_endpoint ? "EndpointStats" : "ElementStats",
        is_endpoint ? "endpoint" : "element", now_ms);
}

json_t *kurento_stats_empty(struct kurento_element *element)
{
    json_t *map = json_object();
    put_element(map, element, kurento_wall_ms(element->object.kurento));
    return map;
}

json_t *kurento_stats(struct kurento_element *element, const struct engine_stats *stats)
{
    const struct peer_figures *media = &stats->media;
    int64_t now_ms = kurento_wall_ms(element->object.kurento);
    char id[512];
    json_t *map = kurento_stats_empty(element);
    if (!kurento_type_is(element->object.type, "SdpEndpoint"))
        return map; /* has no RTP of its own */
    if (media->up.has_source) {
        (void)snprintf(id, sizeof(id), "%s_in_%" PRIu32, element->object.id, media->up.ssrc);
        put(map, inbound(media), id, "RTCInboundRTPStreamStats", "inboundrtp", now_ms);
    }
    (void)snprintf(id, sizeof(id), "%s_out_%" PRIu32, element->object.id, media->down.ssrc);
    put(map, outbound(media), id, "RTCOutboundRTPStreamStats", "outboundrtp", now_ms);
    return map;
}
