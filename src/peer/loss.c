/* Shares of fixed windows, smoothed: a report samples one moment, and fifty packets vary by chance.
 */
#include "peer/loss.h"

#define ONE 65536

uint8_t peer_loss_share(struct peer_loss *l, uint32_t packets, uint32_t lost)
{
    uint32_t n = packets - l->packets;
    if (n >= PEER_LOSS_WINDOW) {
        uint32_t missing = lost - l->lost < n ? lost - l->lost : n;
        int32_t share = (int32_t)((uint64_t)missing * (ONE - 1) / n);
        l->share += l->has_share ? (share - l->share) / PEER_LOSS_WEIGHT : share;
        l->has_share = true;
        l->packets = packets;
        l->lost = lost;
    }
    return (uint8_t)(l->share / 256);
}
