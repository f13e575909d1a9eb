/*
 * A call with the frames of a real server: Kurento Media Server 7.3.1 as it was recorded with
 * another client (tests/data/kurento/one2one.txt). Each request of ours gets the frame with which
 * that server answered one of the same kind, under our id; its candidates come behind
 * gatherCandidates.
 */
#include "unit/kms/bench.h"

#define MAX_FRAMES 200

struct recorded {
    json_t *frame; /* owned */
    bool is_server, is_used;
};

static struct recorded frames[MAX_FRAMES];
static size_t n_frames;

static int load(void **state)
{
    static char line[65536];
    FILE *f = fopen(DUET_TEST_DATA "/kurento/one2one.txt", "r");
    (void)state;
    assert_non_null(f);
    while (fgets(line, sizeof(line), f)) {
        if (line[0] != 'C' && line[0] != 'S')
            continue;
        assert_true(n_frames < MAX_FRAMES);
        json_t *frame = json_loads(line + 2, 0, NULL);
        assert_non_null(frame);
        frames[n_frames++] = (struct recorded){frame, line[0] == 'S', false};
    }
    (void)fclose(f);
    return n_frames > 0 ? 0 : -1;
}

static int unload(void **state)
{
    (void)state;
    while (n_frames > 0)
        json_decref(frames[--n_frames].frame);
    return 0;
}

static bool is_same(const json_t *a, const json_t *b, const char *name)
{
    return strcmp(text_of(a, name), text_of(b, name)) == 0;
}

/* The offers are ours, and so is what we subscribe to besides candidates. */
static bool is_like(const json_t *asked, const json_t *recorded)
{
    const json_t *a = json_object_get(asked, "params"), *b = json_object_get(recorded, "params");
    bool is_subscription = strcmp(text_of(asked, "method"), "subscribe") == 0;
    return is_same(asked, recorded, "method") && is_same(a, b, "operation") &&
           (is_subscription || (is_same(a, b, "type") && is_same(a, b, "object")));
}

static json_t *recorded_answer(const json_t *request)
{
    bool may_repeat =
        strcmp(text_of(request, "method"), "subscribe") == 0 ||
        strcmp(text_of(json_object_get(request, "params"), "operation"), "connect") == 0;
    for (size_t i = 0; i < n_frames; i++) {
        if (frames[i].is_server || (frames[i].is_used && !may_repeat) ||
            !is_like(request, frames[i].frame))
            continue;
        frames[i].is_used = true;
        for (size_t j = i; j < n_frames; j++)
            if (frames[j].is_server && json_equal(json_object_get(frames[i].frame, "id"),
                                                  json_object_get(frames[j].frame, "id")))
                return json_copy(frames[j].frame);
    }
    fail_msg("nothing like it was recorded: %s", json_dumps(request, 0));
    return NULL;
}

static void say_events_of(struct world *w, const char *object)
{
    for (size_t i = 0; i < n_frames; i++) {
        const json_t *value = json_object_get(json_object_get(frames[i].frame, "params"), "value");
        if (frames[i].is_server && strcmp(text_of(value, "object"), object) == 0)
            say(w, 0, json_incref(frames[i].frame));
    }
}

static void answer_all(struct world *w)
{
    while (json_array_size(w->servers[0].asked) > 0) {
        json_t *request = json_incref(json_array_get(w->servers[0].asked, 0));
        const json_t *params = json_object_get(request, "params");
        (void)json_array_remove(w->servers[0].asked, 0);
        json_t *answer = recorded_answer(request);
        (void)json_object_set(answer, "id", json_object_get(request, "id"));
        say(w, 0, answer);
        if (strcmp(text_of(params, "operation"), "gatherCandidates") == 0)
            say_events_of(w, text_of(params, "object"));
        json_decref(request);
    }
}

WORLD_TEST(its_frames_make_a_call, 1)
{
    struct media_event e;
    kms_timeout(w->k, w->now);
    w->servers[0].is_connecting = false;
    w->servers[0].is_open = true;
    kms_opened(w->k, w->now, 0);
    answer_all(w);
    assert_true(kms_server_info(w->k, 0).is_up);
    calls(w, 7);
    answer_all(w);

    assert_true(w->m->ops->poll_event(w->m, &e));
    assert_int_equal(e.type, MEDIA_EVENT_ANSWERED);
    for (unsigned leg = 0; leg < MEDIA_LEGS; leg++) {
        assert_true(str_starts_with(e.answer[leg], STR("v=0\r\no=- 4004363447 4004363447")));
        assert_non_null(strstr(e.answer[leg].p, leg ? "a=ice-ufrag:oh6c" : "a=ice-ufrag:o0Yu"));
    }
    /* Six candidates each, half of them for component 2. */
    unsigned n[MEDIA_LEGS] = {0};
    while (w->m->ops->poll_event(w->m, &e)) {
        assert_int_equal(e.type, MEDIA_EVENT_CANDIDATE);
        assert_true(str_eq(e.candidate.mid, STR("0")));
        assert_int_equal(e.candidate.mline_index, 0);
        assert_null(strstr(e.candidate.candidate.p, " 2 UDP"));
        assert_null(strstr(e.candidate.candidate.p, " 2 TCP"));
        n[e.leg]++;
    }
    assert_int_equal(n[MEDIA_CALLER], 3);
    assert_int_equal(n[MEDIA_CALLEE], 3);
    w->m->ops->release(w->m, 7);
    answer_all(w);
    run(w, KMS_PING_INTERVAL);
    assert_int_equal(json_array_size(w->servers[0].asked), 0);
    assert_int_equal(kms_server_info(w->k, 0).bad_frames, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(its_frames_make_a_call),
    };
    return cmocka_run_group_tests(tests, load, unload);
}
