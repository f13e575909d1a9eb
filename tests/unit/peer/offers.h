/** Offers and answers of real and made-up clients, tests/data/sdp, and changes of their text. */
#ifndef TESTS_UNIT_PEER_OFFERS_H
#define TESTS_UNIT_PEER_OFFERS_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/text.h"
#include "peer/negotiate.h"

#define FILE_MAX 32768

/** Those that can be answered. */
static const char *const fixtures[] = {
    "chromium_audio",     "chromium_av",    "firefox_audio",   "firefox_av",
    "werift_audio",       "safari17_audio", "safari12_audio",  "kurento_utils_av",
    "pcmu_device",        "setup_active",   "setup_passive",   "session_level",
    "strange_mids",       "two_audio",      "datachannel",     "bundle_only_audio",
    "firefox_max_bundle", "aiortc_audio",   "gstreamer_audio", "pion_audio",
};

/** @param buf  FILE_MAX bytes; a zero stands behind the text */
static inline struct str load(const char *name, char *buf)
{
    char path[512];
    (void)snprintf(path, sizeof(path), "%s/sdp/%s.sdp", DUET_TEST_DATA, name);
    FILE *f = fopen(path, "rb");
    if (!f)
        fail_msg("%s is missing", path);
    size_t len = fread(buf, 1, FILE_MAX, f);
    assert_true(len > 0 && len < FILE_MAX);
    (void)fclose(f);
    buf[len] = 0;
    return (struct str){buf, len};
}

/** The same, valid until the next call. */
static inline const char *load_text(const char *name)
{
    static char buf[FILE_MAX];
    return load(name, buf).p;
}

/** Every line that begins with `start` becomes `with`, or goes when that is NULL. */
static inline void replace_lines(const char *from, const char *start, const char *with, char *ret)
{
    struct text t;
    struct str rest = str_of(from);
    text_init(&t, ret, FILE_MAX);
    while (rest.len) {
        struct str line = str_take_until(&rest, '\n');
        bool is_meant = str_starts_with(line, str_of(start));
        if (is_meant && with)
            text_printf(&t, "%s\r\n", with);
        if (!is_meant)
            text_printf(&t, "%.*s\n", STR_FMT(line));
    }
    assert_false(t.failed);
}

#endif
