/* WebSocket framing of the client: RFC 6455's own examples, lengths, and what it must refuse. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "load/ws_frame.h"

static uint8_t buf[WS_MESSAGE_MAX + 100];

/* §1.3 */
static void accept_of_the_rfc(void **state)
{
    char accept[WS_ACCEPT_TEXT], key[WS_KEY_TEXT];
    (void)state;
    ws_accept_write("dGhlIHNhbXBsZSBub25jZQ==", accept);
    assert_string_equal(accept, "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
    ws_key_write((const uint8_t *)"the sample nonce", key);
    assert_string_equal(key, "dGhlIHNhbXBsZSBub25jZQ==");
}

/* §5.7: a masked and an unmasked "Hello" */
static void frames_of_the_rfc(void **state)
{
    static const uint8_t masked[] = {0x81, 0x85, 0x37, 0xfa, 0x21, 0x3d,
                                     0x7f, 0x9f, 0x4d, 0x51, 0x58};
    static const uint8_t plain[] = {0x81, 0x05, 'H', 'e', 'l', 'l', 'o'};
    struct ws_frame f;
    (void)state;
    assert_int_equal(ws_frame_write(WS_TEXT, STR("Hello"), masked + 2, buf), sizeof(masked));
    assert_memory_equal(buf, masked, sizeof(masked));
    assert_int_equal(ws_frame_parse(plain, sizeof(plain), &f), 0);
    assert_true(f.is_final);
    assert_int_equal(f.opcode, WS_TEXT);
    assert_int_equal(f.payload_len, 5);
    assert_memory_equal(f.payload, "Hello", 5);
    assert_int_equal(f.frame_len, sizeof(plain));
    for (size_t len = 0; len < sizeof(plain); len++)
        assert_int_equal(ws_frame_parse(plain, len, &f), WS_E_MORE);
}

/* The three forms of the length, both ways; unmasking what was written by clearing the mask. */
static void every_form_of_length(void **state)
{
    static const size_t lens[] = {0, 1, 125, 126, 127, 65535, 65536, WS_MESSAGE_MAX};
    static const uint8_t no_mask[4];
    static char text[WS_MESSAGE_MAX];
    (void)state;
    for (size_t i = 0; i < sizeof(lens) / sizeof(lens[0]); i++) {
        struct ws_frame f;
        size_t n = ws_frame_write(WS_BINARY, (struct str){text, lens[i]}, no_mask, buf);
        size_t head = n - lens[i] - 4;
        buf[1] &= 0x7f;
        memmove(buf + head, buf + head + 4, lens[i]);
        assert_int_equal(ws_frame_parse(buf, n - 4, &f), 0);
        assert_int_equal(f.payload_len, lens[i]);
        assert_int_equal(f.frame_len, n - 4);
    }
}

static void what_is_against_the_rfc_is_refused(void **state)
{
    static const struct {
        uint8_t bytes[10];
        int error;
    } rows[] = {
        {{0xc1, 0x00}, WS_E_PROTOCOL},             /* reserved bit */
        {{0x81, 0x80, 0, 0, 0, 0}, WS_E_PROTOCOL}, /* masked by the server */
        {{0x83, 0x00}, WS_E_PROTOCOL},             /* unknown opcode */
        {{0x8b, 0x00}, WS_E_PROTOCOL},             /* unknown control opcode */
        {{0x09, 0x00}, WS_E_PROTOCOL},             /* fragmented ping */
        {{0x89, 126, 0, 126}, WS_E_PROTOCOL},      /* long ping */
        {{0x82, 127, 0, 0, 0, 1, 0, 0, 0, 0}, WS_E_TOO_LONG},
        {{0x82, 127, 0x80, 0, 0, 0, 0, 0, 0, 0}, WS_E_TOO_LONG},
    };
    struct ws_frame f;
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        assert_int_equal(ws_frame_parse(rows[i].bytes, sizeof(rows[i].bytes), &f), rows[i].error);
}

static const char key[] = "dGhlIHNhbXBsZSBub25jZQ==";

static int respond(const char *text, size_t *ret_len, unsigned *ret_status)
{
    return ws_response_parse(str_of(text), key, ret_len, ret_status);
}

static void responses(void **state)
{
    size_t len;
    unsigned status = 0;
    static const char good[] = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
                               "sec-websocket-accept:  s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n";
    (void)state;
    assert_int_equal(respond(good, &len, &status), 0);
    assert_int_equal(len, sizeof(good) - 1);
    assert_int_equal(status, 101);
    for (size_t n = 0; n < sizeof(good) - 1; n++)
        assert_int_equal(ws_response_parse((struct str){good, n}, key, &len, &status), WS_E_MORE);
    assert_int_equal(respond("HTTP/1.1 503 Busy\r\n\r\n", &len, &status), WS_E_REFUSED);
    assert_int_equal(status, 503);
    assert_int_equal(respond("HTTP/1.1 101 X\r\n\r\n", &len, &status), WS_E_PROTOCOL);
    assert_int_equal(
        respond("HTTP/1.1 101 X\r\nSec-WebSocket-Accept: other\r\n\r\n", &len, &status),
        WS_E_PROTOCOL);
    assert_int_equal(respond("SSH-2.0-x\r\n\r\n", &len, &status), WS_E_PROTOCOL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(accept_of_the_rfc),
        cmocka_unit_test(frames_of_the_rfc),
        cmocka_unit_test(every_form_of_length),
        cmocka_unit_test(what_is_against_the_rfc_is_refused),
        cmocka_unit_test(responses),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
