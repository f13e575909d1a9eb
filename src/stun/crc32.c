/* CRC-32 four bits at a time: a STUN message has about a hundred bytes, so a table of one cache
 * line is worth more than the last nanosecond. Row i is i * x^28 modulo the reflected polynomial
 * 0xEDB88320. */
#include "stun/crc32.h"

static const uint32_t rows[16] = {
    0x00000000, 0x1DB71064, 0x3B6E20C8, 0x26D930AC, 0x76DC4190, 0x6B6B51F4, 0x4DB26158, 0x5005713C,
    0xEDB88320, 0xF00F9344, 0xD6D6A3E8, 0xCB61B38C, 0x9B64C2B0, 0x86D3D2D4, 0xA00AE278, 0xBDBDF21C,
};

uint32_t stun_crc32(const uint8_t *data, size_t len)
{
    uint32_t crc = UINT32_MAX;
    for (size_t i = 0; i < len; i++) {
        crc ^= data[i];
        crc = (crc >> 4) ^ rows[crc & 15];
        crc = (crc >> 4) ^ rows[crc & 15];
    }
    return ~crc;
}
