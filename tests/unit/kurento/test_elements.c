/* Objects, names, tags, connections, and a WebRtcEndpoint up to its answer. */
#include "harness.h"
#include "kurento/media_element.h"
#include "kurento/private.h"

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

#define P "<1>_kurento.MediaPipeline"
#define A P "/<2>_kurento.PassThrough"
#define B P "/<3>_kurento.PassThrough"

static void two_elements(struct world *w)
{
    ask(w, REQUEST("create", "'type':'MediaPipeline'", "1"), VALUE("'" P "'", "1"));
    ask(w,
        REQUEST("create", "'type':'PassThrough','constructorParams':{'mediaPipeline':'" P "'}",
                "2"),
        VALUE("'" A "'", "2"));
    ask(w,
        REQUEST("create",
                "'type':'kurento.PassThrough','constructorParams':{'mediaPipeline':'" P "'}", "3"),
        VALUE("'" B "'", "3"));
}

static void an_object_is_described_with_what_it_is_derived_from(void **state)
{
    struct world *w = *state;
    ask(w, REQUEST("create", "'type':'MediaPipeline'", "1"), VALUE("'" P "'", "1"));
    ask(w,
        REQUEST("create", "'type':'WebRtcEndpoint','constructorParams':{'mediaPipeline':'" P "'}",
                "2"),
        VALUE("'" P "/<2>_kurento.WebRtcEndpoint'", "2"));
    ask(w, REQUEST("describe", "'object':'" P "/<2>_kurento.WebRtcEndpoint'", "3"),
        "{'id':3,'jsonrpc':'2.0','result':{'hierarchy':['kurento.BaseRtpEndpoint','kurento."
        "SdpEndpoint','kurento.SessionEndpoint','kurento.Endpoint','kurento.MediaElement','kurento."
        "MediaObject'],'qualifiedType':'kurento.WebRtcEndpoint','sessionId':'s','type':"
        "'WebRtcEndpoint'}}");
}

static void names_tags_and_the_tree(void **state)
{
    static const struct {
        const char *request, *answer;
    } rows[] = {
        {INVOKE(A, "getName", "{}", "10"), VALUE("'" A "'", "10")},
        {INVOKE(A, "setName", "{'name':'left'}", "11"), VALUE("null", "11")},
        {INVOKE(A, "getName", "{}", "12"), VALUE("'left'", "12")},
        {INVOKE(A, "addTag", "{'key':'k','value':'v'}", "13"), VALUE("null", "13")},
        {INVOKE(A, "getTag", "{'key':'k'}", "14"), VALUE("'v'", "14")},
        {INVOKE(A, "getTags", "{}", "15"),
         VALUE("[{'__module__':'kurento','__type__':'Tag','key':'k','value':'v'}]", "15")},
        {INVOKE(A, "removeTag", "{'key':'k'}", "16"), VALUE("null", "16")},
        {INVOKE(A, "getTag", "{'key':'k'}", "17"),
         "{'error':{'code':40110,'data':{'type':'MEDIA_OBJECT_TAG_KEY_NOT_FOUND'},'message':'Tag "
         "key not found'},'id':17,'jsonrpc':'2.0'}"},
        {INVOKE(A, "getParent", "{}", "18"), VALUE("'" P "'", "18")},
        {INVOKE(P, "getParent", "{}", "19"), VALUE("null", "19")},
        {INVOKE(P, "getMediaPipeline", "{}", "20"), VALUE("'" P "'", "20")},
        {INVOKE(A, "getMediaPipeline", "{}", "21"), VALUE("'" P "'", "21")},
        {INVOKE(P, "getChildren", "{}", "22"), VALUE("['" A "','" B "']", "22")},
        {INVOKE(A, "getCreationTime", "{}", "23"), VALUE("1795375000", "23")},
        {INVOKE(P, "setLatencyStats", "{'latencyStats':true}", "24"), VALUE("null", "24")},
        {INVOKE(P, "getLatencyStats", "{}", "25"), VALUE("true", "25")},
    };
    struct world *w = *state;
    two_elements(w);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        ask(w, rows[i].request, rows[i].answer);
}

/* At its limit a name is cut between two characters: in half of one, getName would answer null. */
static void a_name_that_is_too_long_is_cut(void **state)
{
    enum { CHARACTERS = 2048 }; /* of two bytes, behind one: one byte more than fits */
    struct world *w = *state;
    char name[2 * CHARACTERS + 2] = "x", json[8192];
    for (int i = 0; i < CHARACTERS; i++)
        strcat(name, "\u00e9");
    two_elements(w);
    (void)snprintf(json, sizeof(json), INVOKE(A, "setName", "{'name':'%s'}", "10"), name);
    ask(w, json, VALUE("null", "10"));
    name[2 * CHARACTERS - 1] = 0;
    (void)snprintf(json, sizeof(json), VALUE("'%s'", "11"), name);
    ask(w, INVOKE(A, "getName", "{}", "11"), json);
}

#define CONNECTION(media)                                                                          \
    "{'__module__':'kurento','__type__':'ElementConnectionData','sink':'" B                        \
    "','sinkDescription':'default','source':'" A "','sourceDescription':'default','type':'" media  \
    "'}"

static void a_connection_is_of_all_media_or_of_one(void **state)
{
    static const struct {
        const char *request, *answer;
    } rows[] = {
        {INVOKE(A, "connect", "{'sink':'" B "'}", "10"), VALUE("null", "10")},
        {INVOKE(A, "getSinkConnections", "{}", "11"),
         VALUE("[" CONNECTION("AUDIO") "," CONNECTION("VIDEO") "," CONNECTION("DATA") "]", "11")},
        {INVOKE(A, "disconnect", "{'sink':'" B "','mediaType':'VIDEO'}", "12"),
         VALUE("null", "12")},
        {INVOKE(B, "getSourceConnections", "{}", "13"),
         VALUE("[" CONNECTION("AUDIO") "," CONNECTION("DATA") "]", "13")},
        {INVOKE(B, "getSourceConnections", "{'mediaType':'AUDIO'}", "14"),
         VALUE("[" CONNECTION("AUDIO") "]", "14")},
        {INVOKE(A, "connect", "{'sink':'" B "','mediaType':'SMELL'}", "15"),
         "{'error':{'code':40001,'data':{'type':'MARSHALL_ERROR'},'message':'Invalid value for "
         "'MediaType''},'id':15,'jsonrpc':'2.0'}"},
        {INVOKE(A, "connect", "{'sink':'nobody'}", "16"),
         "{'error':{'code':40101,'data':{'type':'MEDIA_OBJECT_NOT_FOUND'},'message':'Object "
         "'nobody' not found'},'id':16,'jsonrpc':'2.0'}"},
        {INVOKE(A, "connect", "{}", "17"),
         "{'error':{'code':40001,'data':{'type':'MARSHALL_ERROR'},'message':''sink' parameter "
         "should be a string'},'id':17,'jsonrpc':'2.0'}"},
        {INVOKE(A, "connect", "{'sink':'" A "'}", "18"), VALUE("null", "18")},
        {REQUEST("release", "'object':'" A "'", "19"),
         "{'id':19,'jsonrpc':'2.0','result':{'sessionId':'s'}}"},
        {INVOKE(B, "getSourceConnections", "{}", "20"), VALUE("[]", "20")},
    };
    struct world *w = *state;
    two_elements(w);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        ask(w, rows[i].request, rows[i].answer);
}

static void elements_of_two_pipelines_are_not_connected(void **state)
{
    struct world *w = *state;
    two_elements(w);
    frame(w, 1, REQUEST("create", "'type':'MediaPipeline'", "10"));
    expect(w, "1 < " VALUE("'<4>_kurento.MediaPipeline'", "10") "\n");
    frame(w, 1,
          REQUEST("create",
                  "'type':'PassThrough','constructorParams':{'mediaPipeline':'<4>_kurento."
                  "MediaPipeline'}",
                  "11"));
    expect(w, "1 < " VALUE("'<4>_kurento.MediaPipeline/<5>_kurento.PassThrough'", "11") "\n");
    ask(w,
        INVOKE(A, "connect", "{'sink':'<4>_kurento.MediaPipeline/<5>_kurento.PassThrough'}", "12"),
        "{'error':{'code':40004,'data':{'type':'CONNECT_ERROR'},'message':'Media elements do not "
        "share pipeline'},'id':12,'jsonrpc':'2.0'}");
}

/* --- hubs --- */

#define HUB   P "/<2>_kurento.Dispatcher"
#define PORT1 HUB "/<3>_kurento.HubPort"
#define PORT2 HUB "/<4>_kurento.HubPort"
#define OTHER P "/<5>_kurento.DispatcherOneToMany"
#define ALIEN OTHER "/<6>_kurento.HubPort"
#define NEW(type, param, parent, id)                                                               \
    REQUEST("create", "'type':'" type "','constructorParams':{'" param "':'" parent "'}", id)

static void ports_hand_on_within_their_hub(void **state)
{
    static const struct {
        const char *request, *answer;
    } rows[] = {
        {REQUEST("create", "'type':'MediaPipeline'", "1"), VALUE("'" P "'", "1")},
        {NEW("Dispatcher", "mediaPipeline", P, "2"), VALUE("'" HUB "'", "2")},
        {NEW("HubPort", "hub", HUB, "3"), VALUE("'" PORT1 "'", "3")},
        {NEW("HubPort", "hub", HUB, "4"), VALUE("'" PORT2 "'", "4")},
        {NEW("DispatcherOneToMany", "mediaPipeline", P, "5"), VALUE("'" OTHER "'", "5")},
        {NEW("HubPort", "hub", OTHER, "6"), VALUE("'" ALIEN "'", "6")},
        {NEW("HubPort", "hub", P, "7"),
         "{'error':{'code':40001,'data':{'type':'MARSHALL_ERROR'},'message':''hub' parameter is a "
         "MediaPipeline: a Hub is needed'},'id':7,'jsonrpc':'2.0'}"},
        {INVOKE(HUB, "connect", "{'source':'" PORT1 "','sink':'" PORT2 "'}", "8"),
         VALUE("null", "8")},
        {INVOKE(HUB, "connect", "{'source':'" PORT2 "','sink':'" PORT1 "'}", "9"),
         VALUE("null", "9")},
        {INVOKE(HUB, "connect", "{'source':'" PORT1 "','sink':'" ALIEN "'}", "10"),
         "{'error':{'code':40004,'data':{'type':'CONNECT_ERROR'},'message':'HubPort '" ALIEN
         "' is of another hub'},'id':10,'jsonrpc':'2.0'}"},
        {INVOKE(OTHER, "setSource", "{'source':{'_events':{},'id':'" ALIEN "'}}", "11"),
         VALUE("null", "11")},
        /* a ring through a hub is heard by nobody, and ends nothing */
        {INVOKE(PORT1, "connect", "{'sink':'" PORT2 "'}", "12"), VALUE("null", "12")},
        {INVOKE(PORT2, "connect", "{'sink':'" PORT1 "'}", "13"), VALUE("null", "13")},
        {REQUEST("release", "'object':'" PORT1 "'", "14"),
         "{'id':14,'jsonrpc':'2.0','result':{'sessionId':'s'}}"},
        {INVOKE(OTHER, "removeSource", "{}", "15"), VALUE("null", "15")},
        {REQUEST("release", "'object':'" OTHER "'", "16"),
         "{'id':16,'jsonrpc':'2.0','result':{'sessionId':'s'}}"},
    };
    struct world *w = *state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        ask(w, rows[i].request, rows[i].answer);
}

/* --- WebRtcEndpoint --- */

#define SDP_OF(ufrag, setup, mid)                                                                  \
    "v=0\\r\\no=- 1 2 IN IP4 127.0.0.1\\r\\ns=-\\r\\nt=0 0\\r\\na=group:BUNDLE " mid "\\r\\n"      \
    "m=audio 9 UDP/TLS/RTP/SAVPF 111\\r\\nc=IN IP4 0.0.0.0\\r\\na=ice-ufrag:" ufrag "\\r\\n"       \
    "a=ice-pwd:dm9e+jp6XgnRHoWYahhY1Zdm\\r\\na=ice-options:trickle\\r\\na=fingerprint:sha-256 "    \
    "D5:0F:63:C4:3C:11:6F:9A:69:59:7E:F8:58:97:20:82:92:F2:31:A2:2C:73:DA:49:85:AE:67:12:5A:A3:"   \
    "09:95\\r\\na=setup:" setup "\\r\\na=mid:" mid "\\r\\na=sendrecv\\r\\na=rtcp-mux\\r\\n"        \
    "a=rtpmap:111 opus/48000/2\\r\\n"

#define OFFER         SDP_OF("+rVp", "actpass", "0")
#define RESTART_OFFER SDP_OF("again", "actpass", "0")
#define ANSWER        SDP_OF("+rVp", "active", "audio0")

#define W            P "/<2>_kurento.WebRtcEndpoint"
#define SOURCE       P "/<4>_kurento.WebRtcEndpoint"
#define SINK         P "/<5>_kurento.WebRtcEndpoint"
#define ANOTHER_SINK P "/<6>_kurento.WebRtcEndpoint"

static void endpoint(struct world *w)
{
    ask(w, REQUEST("create", "'type':'MediaPipeline'", "1"), VALUE("'" P "'", "1"));
    ask(w,
        REQUEST("create", "'type':'WebRtcEndpoint','constructorParams':{'mediaPipeline':'" P "'}",
                "2"),
        VALUE("'" W "'", "2"));
}

static bool sent(const struct world *w, const char *what)
{
    return strstr(w->transcript, what) != NULL;
}

/* Whom it heard goes while there is no memory to tell the engine: it is forgotten all the same. */
static void whom_it_heard_is_forgotten_without_memory(void **state)
{
    struct world *w = *state;
    for (unsigned n = 1; n < 6; n++) {
        world_deinit(w);
        world_init(w);
        open_socket(w, 1);
        two_elements(w);
        ask(w, NEW("WebRtcEndpoint", "mediaPipeline", P, "4"), VALUE("'" SOURCE "'", "4"));
        ask(w, NEW("WebRtcEndpoint", "mediaPipeline", P, "5"), VALUE("'" SINK "'", "5"));
        frame(w, 1, INVOKE(SOURCE, "processOffer", "{'offer':'" OFFER "'}", "6"));
        frame(w, 1, INVOKE(SINK, "processOffer", "{'offer':'" OFFER "'}", "7"));
        frame(w, 1, INVOKE(SOURCE, "connect", "{'sink':'" SINK "'}", "8"));
        assert_false(sent(w, "error"));
        mem_fail_at(n);
        frame(w, 1, REQUEST("release", "'object':'" SOURCE "'", "9"));
        mem_fail_at(0);
        frame(w, 1, INVOKE(A, "connect", "{'sink':'" SINK "'}", "10"));
        assert_false(sent(w, "error"));
    }
}

static const struct kurento_element *heard_by_sink(const struct world *w)
{
    char id[256];
    (void)snprintf(id, sizeof(id), "%s_kurento.MediaPipeline/%s_kurento.WebRtcEndpoint", w->ids[0],
                   w->ids[4]);
    struct kurento_object *sink = kurento_objects_find(&w->k->objects, str_of(id));
    assert_non_null(sink);
    return kurento_element_hears(kurento_element_of(sink));
}

/* Its source could not begin: there was no memory to connect the other one who was to hear it. A
 * later offer succeeds, and is heard. */
static void a_source_that_begins_at_the_second_try_is_heard(void **state)
{
    struct world *w = *state;
    for (unsigned n = 1, is_through = 0; !is_through; n++) {
        world_deinit(w);
        world_init(w);
        open_socket(w, 1);
        two_elements(w);
        ask(w, NEW("WebRtcEndpoint", "mediaPipeline", P, "4"), VALUE("'" SOURCE "'", "4"));
        ask(w, NEW("WebRtcEndpoint", "mediaPipeline", P, "5"), VALUE("'" SINK "'", "5"));
        frame(w, 1, NEW("WebRtcEndpoint", "mediaPipeline", P, "50"));
        frame(w, 1, INVOKE(SINK, "processOffer", "{'offer':'" OFFER "'}", "6"));
        frame(w, 1, INVOKE(ANOTHER_SINK, "processOffer", "{'offer':'" OFFER "'}", "60"));
        frame(w, 1, INVOKE(SOURCE, "connect", "{'sink':'" SINK "'}", "7"));
        frame(w, 1, INVOKE(SOURCE, "connect", "{'sink':'" ANOTHER_SINK "'}", "70"));
        assert_false(sent(w, "error"));
        mem_fail_at(n);
        frame(w, 1, INVOKE(SOURCE, "processOffer", "{'offer':'" OFFER "'}", "8"));
        is_through = mem_count() < n;
        mem_fail_at(0);
        if (!heard_by_sink(w)) {
            frame(w, 1, INVOKE(SOURCE, "processOffer", "{'offer':'" OFFER "'}", "9"));
            assert_non_null(heard_by_sink(w));
        }
        assert_true(heard_by_sink(w)->is_live);
    }
}

static void what_is_no_offer_is_refused(void **state)
{
    static const struct {
        const char *offer, *error;
    } rows[] = {
        {"''", "'code':40201,'data':{'type':'SDP_PARSE_ERROR'},'message':'Empty offer not valid'"},
        {"'garbage'", "'code':40201,'data':{'type':'SDP_PARSE_ERROR'},'message':'Invalid SDP'"},
        {"null", "'code':40001,'data':{'type':'MARSHALL_ERROR'},'message':''offer' parameter "
                 "should be a string'"},
    };
    struct world *w = *state;
    char request[1024], answer[1024];
    endpoint(w);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        (void)snprintf(request, sizeof(request), INVOKE(W, "processOffer", "{'offer':%s}", "1%zu"),
                       rows[i].offer, i);
        (void)snprintf(answer, sizeof(answer), "{'error':{%s},'id':1%zu,'jsonrpc':'2.0'}",
                       rows[i].error, i);
        ask(w, request, answer);
    }
}

static void an_offer_is_answered_and_candidates_follow_when_asked_for(void **state)
{
    struct world *w = *state;
    endpoint(w);
    ask(w,
        INVOKE(W, "addIceCandidate",
               "{'candidate':{'candidate':'candidate:1 1 udp 2122063615 127.0.0.1 52393 typ host',"
               "'sdpMid':'0','sdpMLineIndex':0}}",
               "3"),
        VALUE("null", "3"));
    ask(w, INVOKE(W, "addIceCandidate", "{'candidate':{'candidate':'garbage'}}", "4"),
        VALUE("null", "4"));
    ask(w, INVOKE(W, "gatherCandidates", "{}", "5"), VALUE("null", "5"));
    frame(w, 1, REQUEST("subscribe", "'object':'" W "','type':'OnIceCandidate'", "6"));
    frame(w, 1, REQUEST("subscribe", "'object':'" W "','type':'IceGatheringDone'", "7"));
    frame(w, 1, REQUEST("subscribe", "'object':'" W "','type':'MediaSessionStarted'", "8"));
    assert_false(sent(w, "error"));
    frame(w, 1, INVOKE(W, "processOffer", "{'offer':'" OFFER "'}", "9"));
    assert_true(sent(w, "a=rtpmap:111 opus/48000/2"));
    assert_true(sent(w, "\"type\":\"MediaSessionStarted\""));
    assert_false(sent(w, "\"type\":\"OnIceCandidate\""));
    frame(w, 1, INVOKE(W, "gatherCandidates", "{}", "10"));
    assert_true(sent(w, "\"type\":\"OnIceCandidate\""));
    assert_true(sent(w, "\"sdpMid\":\"0\""));
    assert_true(sent(w, "\"type\":\"IceGatheringDone\""));
    text_init(&w->t, w->transcript, sizeof(w->transcript));
    ask(w, INVOKE(W, "gatherCandidates", "{}", "11"), VALUE("null", "11"));
    frame(w, 1, INVOKE(W, "getLocalSessionDescriptor", "{}", "12"));
    assert_true(sent(w, "a=rtpmap:111 opus/48000/2"));
    frame(w, 1, INVOKE(W, "getRemoteSessionDescriptor", "{}", "13"));
    assert_true(sent(w, "+rVp"));
}

static void a_later_offer_is_answered_with_the_same_source(void **state)
{
    struct world *w = *state;
    char ssrc[32];
    endpoint(w);
    frame(w, 1, REQUEST("subscribe", "'object':'" W "','type':'IceCandidateFound'", "3"));
    frame(w, 1, INVOKE(W, "processOffer", "{'offer':'" OFFER "'}", "4"));
    frame(w, 1, INVOKE(W, "gatherCandidates", "{}", "5"));
    const char *at = strstr(w->transcript, "a=ssrc:");
    assert_non_null(at);
    assert_true(str_copy((struct str){at, strcspn(at, " ")}, ssrc, sizeof(ssrc)));
    text_init(&w->t, w->transcript, sizeof(w->transcript));
    frame(w, 1, INVOKE(W, "processOffer", "{'offer':'" RESTART_OFFER "'}", "6"));
    assert_true(sent(w, ssrc));
    assert_true(sent(w, " 2 IN IP4 "));
    assert_false(sent(w, "IceCandidateFound"));
    frame(w, 1, INVOKE(W, "gatherCandidates", "{}", "7"));
    assert_true(sent(w, "IceCandidateFound"));
    text_init(&w->t, w->transcript, sizeof(w->transcript));
    frame(w, 1, INVOKE(W, "processOffer", "{'offer':'v=0\\r\\no=- 1 2 IN IP4 0.0.0.0'}", "8"));
    assert_true(sent(w, "SDP_END_POINT_PROCESS_OFFER_ERROR"));
    text_init(&w->t, w->transcript, sizeof(w->transcript));
    frame(w, 1, INVOKE(W, "getRemoteSessionDescriptor", "{}", "9"));
    assert_true(sent(w, "a=ice-ufrag:again"));
}

static void an_endpoint_offers_and_takes_one_answer(void **state)
{
    struct world *w = *state;
    endpoint(w);
    ask(w, INVOKE(W, "processAnswer", "{'answer':''}", "3"),
        REFUSED("40201", "SDP_PARSE_ERROR", "Empty answer not valid", "3"));
    ask(w, INVOKE(W, "processAnswer", "{'answer':'v=0'}", "4"),
        REFUSED("40209", "SDP_END_POINT_NOT_OFFER_GENERATED",
                "Offer not generated. It is not possible to process an answer.", "4"));
    frame(w, 1, REQUEST("subscribe", "'object':'" W "','type':'IceCandidateFound'", "5"));
    frame(w, 1,
          INVOKE(W, "generateOffer",
                 "{'options':{'offerToReceiveAudio':true,'offerToReceiveVideo':false}}", "6"));
    assert_true(sent(w, "a=mid:audio0"));
    assert_true(sent(w, "a=sendrecv"));
    text_init(&w->t, w->transcript, sizeof(w->transcript));
    frame(w, 1, INVOKE(W, "gatherCandidates", "{}", "7"));
    assert_true(sent(w, "\"sdpMid\":\"audio0\""));
    text_init(&w->t, w->transcript, sizeof(w->transcript));
    ask(w, INVOKE(W, "getRemoteSessionDescriptor", "{}", "8"),
        REFUSED("40203", "SDP_END_POINT_NO_REMOTE_SDP_ERROR", "No remote SDP", "8"));
    ask(w, INVOKE(W, "generateOffer", "{}", "9"),
        REFUSED("40208", "SDP_END_POINT_ALREADY_NEGOTIATED", "Endpoint already negotiated", "9"));
    ask(w, INVOKE(W, "processOffer", "{'offer':'" OFFER "'}", "10"),
        REFUSED("40208", "SDP_END_POINT_ALREADY_NEGOTIATED", "Endpoint already negotiated", "10"));
    ask(w, INVOKE(W, "processAnswer", "{'answer':'" OFFER "'}", "11"),
        REFUSED("40206", "SDP_END_POINT_PROCESS_ANSWER_ERROR",
                "Error processing answer: line 12, a=setup: must be active or passive in an answer",
                "11"));
    frame(w, 1, INVOKE(W, "processAnswer", "{'answer':'" ANSWER "'}", "12"));
    assert_true(sent(w, "a=mid:audio0"));
    assert_false(sent(w, "error"));
    text_init(&w->t, w->transcript, sizeof(w->transcript));
    ask(w, INVOKE(W, "processAnswer", "{'answer':'" ANSWER "'}", "13"),
        REFUSED("40210", "SDP_END_POINT_ANSWER_ALREADY_PROCCESED", "Sdp Answer already processed",
                "13"));
}

static void make_one_way(struct world *w, const char *way)
{
    char request[512];
    ask(w, REQUEST("create", "'type':'MediaPipeline'", "1"), VALUE("'" P "'", "1"));
    (void)snprintf(
        request, sizeof(request),
        REQUEST("create",
                "'type':'WebRtcEndpoint','constructorParams':{'mediaPipeline':'" P "',%s}", "2"),
        way);
    frame(w, 1, request);
}

static void an_endpoint_of_one_way_answers_so(void **state)
{
    struct world *w = *state;
    make_one_way(w, "'recvonly':true");
    expect(w, "1 < " VALUE("'" W "'", "2") "\n");
    ask(w, INVOKE(W, "generateOffer", "{'options':{'offerToReceiveAudio':false}}", "3"),
        REFUSED("40204", "SDP_END_POINT_GENERATE_OFFER_ERROR",
                "Error generating offer: neither sending nor receiving is left", "3"));
    frame(w, 1, INVOKE(W, "processOffer", "{'offer':'" OFFER "'}", "4"));
    assert_true(sent(w, "a=recvonly"));
}

static void an_endpoint_of_one_way_offers_so(void **state)
{
    struct world *w = *state;
    make_one_way(w, "'sendonly':true");
    frame(w, 1, INVOKE(W, "generateOffer", "{}", "3"));
    assert_true(sent(w, "a=sendonly"));
}

static void no_endpoint_is_of_both_ways_only(void **state)
{
    struct world *w = *state;
    make_one_way(w, "'sendonly':true,'recvonly':true");
    assert_true(sent(w, "recvonly and sendonly exclude one another"));
}

static void descriptions_are_missing_before_there_are_any(void **state)
{
    struct world *w = *state;
    endpoint(w);
    ask(w, INVOKE(W, "getLocalSessionDescriptor", "{}", "3"),
        "{'error':{'code':40202,'data':{'type':'SDP_END_POINT_NO_LOCAL_SDP_ERROR'},'message':'No "
        "local SDP'},'id':3,'jsonrpc':'2.0'}");
    ask(w, INVOKE(W, "getRemoteSessionDescriptor", "{}", "4"),
        "{'error':{'code':40203,'data':{'type':'SDP_END_POINT_NO_REMOTE_SDP_ERROR'},'message':'No "
        "remote SDP'},'id':4,'jsonrpc':'2.0'}");
    ask(w, INVOKE(W, "getConnectionState", "{}", "5"), VALUE("'DISCONNECTED'", "5"));
}

/* A server whose objects nobody watches sleeps until the collector is due. */
static void flow_is_looked_at_while_somebody_subscribed(void **state)
{
    struct world *w = *state;
    mono_us collector = kurento_deadline(w->k);
    endpoint(w);
    assert_int_equal(kurento_deadline(w->k), collector);
    ask(w, REQUEST("subscribe", "'object':'" W "','type':'MediaFlowInStateChange'", "3"),
        VALUE("'<3>'", "3"));
    assert_true(kurento_deadline(w->k) < collector);
    ask(w, REQUEST("unsubscribe", "'object':'" W "','subscription':'<3>'", "4"),
        "{'id':4,'jsonrpc':'2.0','result':{'sessionId':'s'}}");
    assert_int_equal(kurento_deadline(w->k), collector);
    frame(w, 1, REQUEST("subscribe", "'object':'" W "','type':'MediaStateChanged'", "5"));
    frame(w, 1, REQUEST("release", "'object':'" P "'", "6"));
    assert_int_equal(kurento_deadline(w->k), collector);
}

static void settings_are_kept_and_given_back(void **state)
{
    struct world *w = *state;
    endpoint(w);
    ask(w, INVOKE(W, "getStunServerPort", "{}", "3"), VALUE("3478", "3"));
    ask(w, INVOKE(W, "setStunServerPort", "{'stunServerPort':19302}", "4"), VALUE("null", "4"));
    ask(w, INVOKE(W, "getStunServerPort", "{}", "5"), VALUE("19302", "5"));
    ask(w, INVOKE(W, "setStunServerPort", "{'stunServerPort':70000}", "6"),
        "{'error':{'code':40001,'data':{'type':'MARSHALL_ERROR'},'message':''stunServerPort' "
        "parameter is 70000: 1 to 65535 is needed'},'id':6,'jsonrpc':'2.0'}");
    ask(w, INVOKE(W, "getTurnUrl", "{}", "7"), VALUE("''", "7"));
    ask(w, INVOKE(W, "setTurnUrl", "{'turnUrl':'u:p@192.0.2.1:3478'}", "8"), VALUE("null", "8"));
    ask(w, INVOKE(W, "getTurnUrl", "{}", "9"), VALUE("'u:p@192.0.2.1:3478'", "9"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(an_object_is_described_with_what_it_is_derived_from),
        TEST(names_tags_and_the_tree),
        TEST(a_name_that_is_too_long_is_cut),
        TEST(a_connection_is_of_all_media_or_of_one),
        TEST(elements_of_two_pipelines_are_not_connected),
        TEST(ports_hand_on_within_their_hub),
        TEST(whom_it_heard_is_forgotten_without_memory),
        TEST(a_source_that_begins_at_the_second_try_is_heard),
        TEST(what_is_no_offer_is_refused),
        TEST(an_offer_is_answered_and_candidates_follow_when_asked_for),
        TEST(a_later_offer_is_answered_with_the_same_source),
        TEST(an_endpoint_offers_and_takes_one_answer),
        TEST(an_endpoint_of_one_way_answers_so),
        TEST(an_endpoint_of_one_way_offers_so),
        TEST(no_endpoint_is_of_both_ways_only),
        TEST(descriptions_are_missing_before_there_are_any),
        TEST(flow_is_looked_at_while_somebody_subscribed),
        TEST(settings_are_kept_and_given_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
