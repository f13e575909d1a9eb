/* Whatever a URI says, the file is below the folder, or there is none. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/compiler.h"
#include "file/place.h"

static void test_uris(void **state)
{
    (void)state;
    static const struct {
        const char *uri;
        int err;
        const char *path;
    } cases[] = {
        {"file:///srv/rec/a.webm", 0, "a.webm"},
        {"FILE:///srv/rec/a.webm", 0, "a.webm"},
        {"file://localhost/srv/rec/a/b.webm", 0, "a/b.webm"},
        {"file:///srv/rec//a%20b%c3%a4.ogg", 0, "a b\xc3\xa4.ogg"},
        {"file:///srv/rec/%2E%2e/x", 0, "../x"}, /* the kernel refuses */
        {"/srv/rec/a.webm", 0, "a.webm"},
        {"/srv/rec/100%.webm", 0, "100%.webm"}, /* a path is not encoded */
        {"a.webm", 0, "a.webm"},
        {"calls/7.ogg", 0, "calls/7.ogg"},
        {"a:b.webm", 0, "a:b.webm"},
        {"file:///etc/passwd", FILE_E_OUTSIDE, NULL},
        {"file:///srv/recordings/a", FILE_E_OUTSIDE, NULL},
        {"file:///srv/rec", FILE_E_OUTSIDE, NULL},
        {"/etc/passwd", FILE_E_OUTSIDE, NULL},
        {"file:///srv/rec/", FILE_E_URI, NULL},
        {"file:///srv/rec/a/", FILE_E_URI, NULL},
        {"file://other/srv/rec/a", FILE_E_URI, NULL},
        {"file://", FILE_E_URI, NULL},
        {"file:///srv/rec/%", FILE_E_URI, NULL},
        {"file:///srv/rec/%4", FILE_E_URI, NULL},
        {"file:///srv/rec/%zz", FILE_E_URI, NULL},
        {"file:///srv/rec/a%00b", FILE_E_URI, NULL},
        {"", FILE_E_URI, NULL},
        {"http://host/a.webm", FILE_E_SCHEME, NULL},
        {"rtsp://host/a", FILE_E_SCHEME, NULL},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        char path[FILE_PATH_MAX];
        assert_int_equal(file_place_parse(str_of(cases[i].uri), STR("/srv/rec"), path),
                         cases[i].err);
        if (!cases[i].err)
            assert_string_equal(path, cases[i].path);
        else
            assert_true(strlen(file_place_error_text(cases[i].err)) > 10);
    }
}

static void test_lengths(void **state)
{
    (void)state;
    char uri[7 + 2 * FILE_PATH_MAX] = "file:///r/", path[FILE_PATH_MAX];
    memset(uri + 10, 'a', sizeof(uri) - 10);
    for (size_t len = 11; len < sizeof(uri); len++) {
        int expected = len - 7 < FILE_PATH_MAX ? 0 : FILE_E_URI;
        assert_int_equal(file_place_parse((struct str){uri, len}, STR("/r/"), path), expected);
    }
}

static char folder[64];
static int folder_fd;

static int begin(void **state)
{
    (void)state;
    strcpy(folder, "/tmp/duet-place-XXXXXX");
    if (!mkdtemp(folder))
        return -1;
    folder_fd = open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
    return folder_fd < 0 || mkdirat(folder_fd, "in", 0700) || mkdirat(folder_fd, "beside", 0700) ||
           mkfifoat(folder_fd, "in/fifo", 0600) || symlinkat("/etc", folder_fd, "in/etc") ||
           symlinkat("../beside/x", folder_fd, "in/up") ||
           symlinkat("a.webm", folder_fd, "in/link");
}

static int end(void **state)
{
    static const char *const files[] = {"in/fifo", "in/etc", "in/up", "in/link", "in/a.webm"};
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(files); i++)
        (void)unlinkat(folder_fd, files[i], 0);
    (void)unlinkat(folder_fd, "in", AT_REMOVEDIR);
    (void)unlinkat(folder_fd, "beside", AT_REMOVEDIR); /* works only when it is empty */
    close(folder_fd);
    return rmdir(folder);
}

static void test_nothing_outside(void **state)
{
    (void)state;
    static const struct {
        const char *path;
        int err;
    } cases[] = {
        {"../beside/x", -EXDEV}, {"etc/x", -EXDEV},   {"up", -EXDEV}, {"/etc/x", -EXDEV},
        {"fifo", -ENOTSUP},      {"none/x", -ENOENT}, {".", -EISDIR}, {"a/../../x", -ENOENT},
    };
    int in = openat(folder_fd, "in", O_PATH | O_DIRECTORY | O_CLOEXEC);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        assert_int_equal(file_place_open(in, cases[i].path), cases[i].err);
    close(in);
}

static void test_one_recording_a_file(void **state)
{
    (void)state;
    struct stat st;
    int in = openat(folder_fd, "in", O_PATH | O_DIRECTORY | O_CLOEXEC);
    int first = file_place_open(in, "a.webm");
    assert_true(first >= 0);
    assert_int_equal(write(first, "old", 3), 3);
    assert_int_equal(file_place_open(in, "a.webm"), -EBUSY);
    assert_int_equal(file_place_open(in, "link"), -EBUSY); /* a link inside is followed */
    close(first);
    int second = file_place_open(in, "a.webm");
    assert_true(second >= 0);
    assert_int_equal(fstat(second, &st), 0);
    assert_int_equal(st.st_size, 0);
    close(second);
    close(in);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_uris),
        cmocka_unit_test(test_lengths),
        cmocka_unit_test_setup_teardown(test_nothing_outside, begin, end),
        cmocka_unit_test_setup_teardown(test_one_recording_a_file, begin, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
