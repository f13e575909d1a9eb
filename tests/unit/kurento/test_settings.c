/* Settings that are kept, and what is told of a module, a pipeline, an endpoint before it connects.
 */
#include "harness.h"

static int set_up(void **state)
{
    static struct world w;
    world_init(&w);
    open_socket(&w, 1);
    *state = &w;
    return 0;
}

static int tear_down(void **state)
{
    world_deinit(*state);
    return 0;
}

#define INVOKE(object, operation, params, id)                                                      \
    REQUEST("invoke",                                                                              \
            "'object':'" object "','operation':'" operation "','operationParams':" params, id)

#define P       "<1>_kurento.MediaPipeline"
#define W       P "/<2>_kurento.WebRtcEndpoint"
#define T       P "/<3>_kurento.PassThrough"
#define MANAGER "manager_ServerManager"

static void make(struct world *w)
{
    ask(w, REQUEST("create", "'type':'MediaPipeline'", "1"), VALUE("'" P "'", "1"));
    ask(w,
        REQUEST("create", "'type':'WebRtcEndpoint','constructorParams':{'mediaPipeline':'" P "'}",
                "2"),
        VALUE("'" W "'", "2"));
    ask(w,
        REQUEST("create", "'type':'PassThrough','constructorParams':{'mediaPipeline':'" P "'}",
                "3"),
        VALUE("'" T "'", "3"));
}

#define REMB(decrement, losses)                                                                    \
    "{'__module__':'kurento','__type__':'RembParams','decrementFactor':" decrement                 \
    ",'exponentialFactor':0.040000000000000001,'linealFactorGrade':30.0,'linealFactorMin':50,"     \
    "'packetsRecvIntervalTop':100,'rembOnConnect':300000,'thresholdFactor':0.80000000000000004,'"  \
    "upLosses':" losses "}"

static void a_setting_of_many_members_changes_in_those_that_are_given(void **state)
{
    struct world *w = *state;
    make(w);
    ask(w, INVOKE(W, "getRembParams", "{}", "4"), VALUE(REMB("0.5", "12"), "4"));
    ask(w, INVOKE(W, "setRembParams", "{'rembParams':{'upLosses':20,'other':'x'}}", "5"),
        VALUE("null", "5"));
    ask(w, INVOKE(W, "getRembParams", "{}", "6"), VALUE(REMB("0.5", "20"), "6"));
    ask(w, INVOKE(W, "setRembParams", "{'rembParams':{'decrementFactor':0.25}}", "7"),
        VALUE("null", "7"));
    ask(w, INVOKE(W, "getRembParams", "{}", "8"), VALUE(REMB("0.25", "20"), "8"));
    ask(w, INVOKE(W, "setRembParams", "{'rembParams':5}", "9"),
        REFUSED("40001", "MARSHALL_ERROR", "'rembParams' parameter should be an object", "9"));
}

static void a_setting_has_a_limit(void **state)
{
    static char request[4096], text[1100];
    struct world *w = *state;
    make(w);
    memset(text, 'x', sizeof(text) - 1);
    (void)snprintf(request, sizeof(request), INVOKE(W, "setTurnUrl", "{'turnUrl':'%s'}", "4"),
                   text);
    ask(w, request,
        REFUSED("40107", "MEDIA_OBJECT_ILLEGAL_PARAM_ERROR",
                "'turnUrl' has 1101 bytes: 1024 at most", "4"));
    ask(w, INVOKE(W, "getTurnUrl", "{}", "5"), VALUE("''", "5"));
}

static void an_endpoint_that_is_new_has_no_states(void **state)
{
    struct world *w = *state;
    make(w);
    ask(w, INVOKE(W, "getIceConnectionState", "{}", "4"), VALUE("[]", "4"));
    ask(w, INVOKE(W, "getDtlsConnectionState", "{}", "5"), VALUE("[]", "5"));
    ask(w, INVOKE(W, "getICECandidatePairs", "{}", "6"), VALUE("[]", "6"));
    ask(w, INVOKE(W, "getMediaState", "{}", "7"), VALUE("'DISCONNECTED'", "7"));
    ask(w, INVOKE(W, "createDataChannel", "{'label':'x'}", "8"),
        REFUSED("40111", "MEDIA_OBJECT_OPERATION_NOT_SUPPORTED", "Data channels are not supported",
                "8"));
    ask(w, INVOKE(W, "isMediaFlowingOut", "{'mediaType':'DATA'}", "9"),
        REFUSED("40107", "MEDIA_OBJECT_ILLEGAL_PARAM_ERROR",
                "Media type DATA is not supported for MediaFlowingOut", "9"));
}

#define GRAPH                                                                                      \
    "'digraph pipeline {\\n  rankdir=LR;\\n  \\'" P "\\' [label=\\'MediaPipeline\\'];\\n  \\'" W   \
    "\\' [label=\\'WebRtcEndpoint\\'];\\n  \\'" T "\\' [label=\\'PassThrough\\'];\\n  \\'" W       \
    "\\' -> \\'" T "\\';\\n}\\n'"

static void a_graph_shows_who_hears_whom(void **state)
{
    struct world *w = *state;
    make(w);
    ask(w, INVOKE(W, "connect", "{'sink':'" T "'}", "4"), VALUE("null", "4"));
    ask(w, INVOKE(P, "getGstreamerDot", "{}", "5"), VALUE(GRAPH, "5"));
    ask(w, INVOKE(T, "getGstreamerDot", "{'details':'SHOW_ALL'}", "6"), VALUE(GRAPH, "6"));
    ask(w, INVOKE(T, "dumpGstreamerDot", "{}", "7"), VALUE("null", "7"));
    mem_fail_at(1);
    frame(w, 1, INVOKE(P, "getGstreamerDot", "{}", "8"));
    mem_fail_at(0);
    assert_non_null(strstr(w->transcript, "-32603"));
}

static void a_module_describes_what_there_is(void **state)
{
    static const char *const facts[] = {
        "\\\"name\\\":\\\"WebRtcEndpoint\\\"",
        "\\\"extends\\\":\\\"BaseRtpEndpoint\\\"",
        "{\\\"name\\\":\\\"mediaPipeline\\\",\\\"optional\\\":false,\\\"type\\\":"
        "\\\"MediaPipeline\\\"}",
        "\\\"NewCandidatePairSelected\\\"",
    };
    struct world *w = *state;
    frame(w, 1, INVOKE(MANAGER, "getKmd", "{'moduleName':'elements'}", "1"));
    for (size_t i = 0; i < ARRAY_LEN(facts); i++)
        assert_non_null(strstr(w->transcript, facts[i]));
    assert_null(strstr(w->transcript, "MediaObject\\\",\\\"methods")); /* of core */
    text_init(&w->t, w->transcript, sizeof(w->transcript));
    ask(w, INVOKE(MANAGER, "getKmd", "{'moduleName':'cooking'}", "2"),
        REFUSED("40500", "SERVER_MANAGER_ERROR_KMD_NOT_FOUND",
                "Requested kmd module doesn't exist: cooking", "2"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_setting_of_many_members_changes_in_those_that_are_given),
        TEST(a_setting_has_a_limit),
        TEST(an_endpoint_that_is_new_has_no_states),
        TEST(a_graph_shows_who_hears_whom),
        TEST(a_module_describes_what_there_is),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
