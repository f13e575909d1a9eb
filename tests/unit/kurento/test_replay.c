/*
 * A session that kurento-client had with a real Kurento Media Server, frame by frame: every answer
 * is the same to the byte, but for what is the server's own (descriptions, versions). The same
 * session runs against the whole program in tests/e2e/kurento_wire.test.mjs, where those are looked
 * at, too.
 */
#include "harness.h"

#define MAX_LINE  16384
#define MAX_LINES 128

/* The recorded ids, in the order in which they appear: as the harness numbers those of today. */
struct names {
    unsigned n;
    char ids[MAX_IDS][KURENTO_UUID_LEN + 1];
};

static unsigned name_of(struct names *names, const char *uuid)
{
    for (unsigned i = 0; i < names->n; i++) {
        if (strncmp(names->ids[i], uuid, KURENTO_UUID_LEN) == 0)
            return i + 1;
    }
    assert_true(names->n < MAX_IDS);
    memcpy(names->ids[names->n], uuid, KURENTO_UUID_LEN);
    return ++names->n;
}

/* @param ret MAX_LINE bytes */
static void put_names(struct names *names, const char *line, char *ret)
{
    struct text t;
    text_init(&t, ret, MAX_LINE);
    for (const char *p = line; *p && *p != '\n';) {
        if (is_uuid(p)) {
            text_printf(&t, "<%u>", name_of(names, p));
            p += KURENTO_UUID_LEN;
        } else {
            text_put(&t, (struct str){p++, 1});
        }
    }
    assert_false(t.failed);
}

/* What no two servers answer alike. */
static bool is_its_own(const char *answer)
{
    return strstr(answer, "v=0\\r\\n") || strstr(answer, "\"ServerInfo\"");
}

static bool is_event(const char *message)
{
    return strstr(message, "\"onEvent\"") != NULL;
}

/* The next answer that was sent; events lie between. */
static char *next_answer(char **at)
{
    char *line;
    do
        line = strsep(at, "\n");
    while (line && is_event(line));
    return line;
}

static void a_session_of_a_real_server_is_answered_alike(void **state)
{
    static struct world w;
    static struct names names;
    static char line[MAX_LINE], text[MAX_LINE], expected[MAX_LINES][MAX_LINE];
    unsigned n = 0, n_compared = 0;
    (void)state;
    FILE *f = fopen(DUET_TEST_DATA "/kurento/one2one.txt", "re");
    assert_non_null(f);
    world_init(&w);
    open_socket(&w, 1);
    while (fgets(line, sizeof(line), f)) {
        if (line[0] == '#')
            continue;
        put_names(&names, line + 2, text);
        if (line[0] == 'C')
            frame(&w, 1, text);
        else if (!is_event(text))
            memcpy(expected[n++], text, sizeof(text));
    }
    (void)fclose(f);
    char *at = w.transcript;
    for (unsigned i = 0; i < n; i++) {
        char *answer = next_answer(&at);
        assert_non_null(answer);
        if (is_its_own(expected[i]))
            continue;
        assert_string_equal(answer + strlen("1 < "), expected[i]);
        n_compared++;
    }
    assert_int_equal(n, 32);
    assert_int_equal(n_compared, 29);
    world_deinit(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_session_of_a_real_server_is_answered_alike),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
