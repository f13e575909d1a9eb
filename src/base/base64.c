/* Base64: see the header. */
#include "base/base64.h"

static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

static int digit_of(char c)
{
    const char *at = c ? strchr(digits, c) : NULL;
    return at ? (int)(at - digits) : -1;
}

/* Padded it is a whole number of fours. */
static struct str without_padding(struct str text)
{
    size_t n = text.len % 4 == 0 ? 2 : 0;
    for (; n > 0 && text.len > 0 && text.p[text.len - 1] == '='; n--)
        text.len--;
    return text;
}

bool base64_read(struct str text, uint8_t *ret, size_t len)
{
    uint8_t bytes[BASE64_MAX];
    uint32_t bits = 0;
    size_t n = 0;
    text = without_padding(text);
    if (len > BASE64_MAX || text.len != (len * 4 + 2) / 3)
        return false;
    for (size_t i = 0; i < text.len; i++) {
        int digit = digit_of(text.p[i]);
        if (digit < 0)
            return false;
        bits = bits << 6 | (uint32_t)digit;
        if (i % 4 > 0)
            bytes[n++] = (uint8_t)(bits >> (6 - 2 * (i % 4)));
    }
    memcpy(ret, bytes, len);
    return true;
}

void base64_write(struct text *t, const uint8_t *bytes, size_t len)
{
    for (size_t i = 0; i < len; i += 3) {
        size_t n = len - i < 3 ? len - i : 3;
        uint32_t bits = (uint32_t)bytes[i] << 16;
        bits |= n > 1 ? (uint32_t)bytes[i + 1] << 8 : 0;
        bits |= n > 2 ? bytes[i + 2] : 0u;
        for (size_t k = 0; k < 4; k++)
            text_put(t, k <= n ? (struct str){&digits[bits >> (18 - 6 * k) & 63], 1} : STR("="));
    }
}
