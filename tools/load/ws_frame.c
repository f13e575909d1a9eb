/* The part of WebSocket without a socket. */
#include "load/ws_frame.h"

#include <openssl/evp.h>

#include "base/bytes.h"

/** RFC 6455 §1.3 */
static const char guid[] = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

/** An answer's head; servers send some hundred bytes. */
#define HEAD_MAX 16384

size_t ws_frame_write(enum ws_opcode opcode, struct str payload, const uint8_t mask[4],
                      uint8_t *buf)
{
    struct bytes_writer w = bytes_writer(buf, payload.len + WS_HEADER_MAX);
    bytes_put8(&w, (uint8_t)(0x80 | opcode));
    if (payload.len < 126) {
        bytes_put8(&w, (uint8_t)(0x80 | payload.len));
    } else if (payload.len <= UINT16_MAX) {
        bytes_put8(&w, 0x80 | 126);
        bytes_put16(&w, (uint16_t)payload.len);
    } else {
        bytes_put8(&w, 0x80 | 127);
        bytes_put64(&w, payload.len);
    }
    bytes_put(&w, mask, 4);
    for (size_t i = 0; i < payload.len; i++)
        bytes_put8(&w, (uint8_t)payload.p[i] ^ mask[i % 4]);
    return w.len;
}

static bool is_opcode(uint8_t opcode)
{
    return opcode <= WS_BINARY || (opcode >= WS_CLOSE && opcode <= WS_PONG);
}

int ws_frame_parse(const uint8_t *data, size_t len, struct ws_frame *ret)
{
    struct bytes_reader r = bytes_reader(data, len);
    uint8_t first = bytes_get8(&r), second = bytes_get8(&r);
    uint64_t payload_len = second & 0x7f;
    if (payload_len == 126)
        payload_len = bytes_get16(&r);
    else if (payload_len == 127)
        payload_len = bytes_get64(&r);
    if (r.failed)
        return WS_E_MORE;
    uint8_t opcode = first & 0x0f;
    /* §5.2: no extension was agreed; §5.1: a server must not mask; §5.5: control frames */
    if ((first & 0x70) || (second & 0x80) || !is_opcode(opcode))
        return WS_E_PROTOCOL;
    if (opcode >= WS_CLOSE && (payload_len > 125 || !(first & 0x80)))
        return WS_E_PROTOCOL;
    if (payload_len > WS_MESSAGE_MAX)
        return WS_E_TOO_LONG;
    const uint8_t *payload = bytes_skip(&r, (size_t)payload_len);
    if (!payload)
        return WS_E_MORE;
    *ret = (struct ws_frame){
        .is_final = first & 0x80,
        .opcode = opcode,
        .payload = payload,
        .payload_len = (size_t)payload_len,
        .frame_len = len - r.left,
    };
    return 0;
}

void ws_key_write(const uint8_t random[16], char *ret)
{
    (void)EVP_EncodeBlock((unsigned char *)ret, random, 16);
}

void ws_accept_write(const char *key, char *ret)
{
    char text[WS_KEY_TEXT + sizeof(guid)];
    uint8_t digest[EVP_MAX_MD_SIZE] = {0};
    size_t key_len = strlen(key);
    memcpy(text, key, key_len);
    memcpy(text + key_len, guid, sizeof(guid));
    (void)EVP_Digest(text, key_len + sizeof(guid) - 1, digest, NULL, EVP_sha1(), NULL);
    (void)EVP_EncodeBlock((unsigned char *)ret, digest, 20);
}

int ws_response_parse(struct str data, const char *key, size_t *ret_len, unsigned *ret_status)
{
    char accept[WS_ACCEPT_TEXT];
    const char *end = memmem(data.p, data.len, "\r\n\r\n", 4);
    uint64_t status;
    bool accepted = false;

    if (!end)
        return data.len > HEAD_MAX ? WS_E_PROTOCOL : WS_E_MORE;
    struct str rest = str_head(data, (size_t)(end - data.p));
    struct str line = str_take_until(&rest, '\n');
    struct str version = str_take_word(&line);
    if (!str_starts_with(version, STR("HTTP/1.1")) ||
        !str_to_u64(str_trim(str_take_word(&line)), 999, &status))
        return WS_E_PROTOCOL;
    *ret_status = (unsigned)status;
    if (status != 101)
        return WS_E_REFUSED;
    ws_accept_write(key, accept);
    while (rest.len > 0) {
        line = str_take_until(&rest, '\n');
        struct str name = str_take_until(&line, ':');
        if (str_caseeq(str_trim(name), STR("Sec-WebSocket-Accept")))
            accepted = str_eq(str_trim(line), str_of(accept));
    }
    *ret_len = (size_t)(end - data.p) + 4;
    return accepted ? 0 : WS_E_PROTOCOL;
}
