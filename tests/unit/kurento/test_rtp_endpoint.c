/* RtpEndpoint as an application sees it: offer, answer, states, what is refused. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sched.h>
#include <sys/socket.h>
#include <unistd.h>

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

#define INVOKE(operation, params, id)                                                              \
    REQUEST("invoke", "'object':'" R "','operation':'" operation "','operationParams':" params, id)

#define P "<1>_kurento.MediaPipeline"
#define R P "/<2>_kurento.RtpEndpoint"

#define SDP(connection, way)                                                                       \
    "v=0\\r\\no=- 1 1 IN IP4 127.0.0.1\\r\\ns=-\\r\\nc=IN IP4 " connection                         \
    "\\r\\nt=0 0\\r\\nm=audio 4000 RTP/AVP 0\\r\\na=" way "\\r\\n"
#define OFFER SDP("127.0.0.1", "sendrecv")

static void create(struct world *w, const char *more)
{
    char request[512];
    ask(w, REQUEST("create", "'type':'MediaPipeline'", "1"), VALUE("'" P "'", "1"));
    (void)snprintf(request, sizeof(request),
                   REQUEST("create",
                           "'type':'RtpEndpoint','constructorParams':{'mediaPipeline':'" P "'%s}",
                           "2"),
                   more);
    frame(w, 1, request);
}

static void endpoint(struct world *w)
{
    create(w, "");
    expect(w, "1 < " VALUE("'" R "'", "2") "\n");
}

static bool sent(const struct world *w, const char *what)
{
    return strstr(w->transcript, what) != NULL;
}

static void forget(struct world *w)
{
    text_init(&w->t, w->transcript, sizeof(w->transcript));
}

/* What the engine says comes from another thread. */
static void until_sent(struct world *w, const char *what)
{
    for (unsigned i = 0; i < 10000000 && !sent(w, what); i++)
        kurento_media_ready(w->k, w->now);
    if (!sent(w, what))
        fail_msg("%s instead of %s", w->transcript, what);
}

static void it_is_derived_as_in_kurento(void **state)
{
    struct world *w = *state;
    endpoint(w);
    ask(w, REQUEST("describe", "'object':'" R "'", "3"),
        "{'id':3,'jsonrpc':'2.0','result':{'hierarchy':['kurento.BaseRtpEndpoint','kurento."
        "SdpEndpoint','kurento.SessionEndpoint','kurento.Endpoint','kurento.MediaElement','kurento."
        "MediaObject'],'qualifiedType':'kurento.RtpEndpoint','sessionId':'s','type':"
        "'RtpEndpoint'}}");
}

static void an_offer_is_answered_and_connected(void **state)
{
    struct world *w = *state;
    endpoint(w);
    ask(w, INVOKE("getConnectionState", "{}", "3"), VALUE("'DISCONNECTED'", "3"));
    ask(w, INVOKE("getMediaState", "{}", "31"), VALUE("'DISCONNECTED'", "31"));
    frame(w, 1, REQUEST("subscribe", "'object':'" R "','type':'ConnectionStateChanged'", "4"));
    frame(w, 1, REQUEST("subscribe", "'object':'" R "','type':'MediaSessionStarted'", "5"));
    frame(w, 1, REQUEST("subscribe", "'object':'" R "','type':'OnKeySoftLimit'", "6"));
    assert_false(sent(w, "error"));
    frame(w, 1, INVOKE("processOffer", "{'offer':'" OFFER "'}", "7"));
    assert_true(sent(w, " RTP/AVP 0\\r\\na=sendrecv\\r\\na=rtcp:21"));
    assert_true(sent(w, "c=IN IP4 127.0.0.1\\r\\n"));
    assert_true(sent(w, "\"type\":\"MediaSessionStarted\""));
    until_sent(w, "\"newState\":\"CONNECTED\",\"oldState\":\"DISCONNECTED\"");
    forget(w);
    ask(w, INVOKE("getConnectionState", "{}", "8"), VALUE("'CONNECTED'", "8"));
    frame(w, 1, INVOKE("getMediaState", "{}", "81"));
    until_sent(w, "\"value\":\"DISCONNECTED\"}"); /* nobody spoke */
    forget(w);
    frame(w, 1, INVOKE("getLocalSessionDescriptor", "{}", "9"));
    assert_true(sent(w, "m=audio 21"));
    frame(w, 1, INVOKE("getRemoteSessionDescriptor", "{}", "10"));
    assert_true(sent(w, "m=audio 4000"));
}

static void a_later_offer_is_hold(void **state)
{
    struct world *w = *state;
    endpoint(w);
    frame(w, 1, INVOKE("processOffer", "{'offer':'" OFFER "'}", "3"));
    assert_true(sent(w, "a=sendrecv"));
    forget(w);
    frame(w, 1, INVOKE("processOffer", "{'offer':'" SDP("127.0.0.1", "inactive") "'}", "4"));
    assert_true(sent(w, "a=inactive"));
    forget(w);
    frame(w, 1, INVOKE("processOffer", "{'offer':'" SDP("0.0.0.0", "sendrecv") "'}", "5"));
    assert_true(sent(w, "a=recvonly")); /* as it was before there were directions */
    forget(w);
    ask(w, INVOKE("processOffer", "{'offer':'" SDP("sip.example.org", "sendrecv") "'}", "6"),
        REFUSED("40205", "SDP_END_POINT_PROCESS_OFFER_ERROR",
                "Error processing offer: line 6, c=: an IPv4 or IPv6 address is needed here or "
                "above, not a name",
                "6"));
}

static void it_offers_and_takes_one_answer(void **state)
{
    struct world *w = *state;
    endpoint(w);
    ask(w, INVOKE("processAnswer", "{'answer':'v=0'}", "3"),
        REFUSED("40209", "SDP_END_POINT_NOT_OFFER_GENERATED",
                "Offer not generated. It is not possible to process an answer.", "3"));
    frame(w, 1, INVOKE("generateOffer", "{'options':{'offerToReceiveAudio':false}}", "4"));
    assert_true(sent(w, " RTP/AVP 111 0 8 9 13 110 126\\r\\na=sendonly\\r\\na=rtcp:21"));
    assert_true(sent(w, "a=rtcp-mux"));
    forget(w);
    ask(w, INVOKE("generateOffer", "{}", "5"),
        REFUSED("40208", "SDP_END_POINT_ALREADY_NEGOTIATED", "Endpoint already negotiated", "5"));
    ask(w, INVOKE("processOffer", "{'offer':'" OFFER "'}", "6"),
        REFUSED("40208", "SDP_END_POINT_ALREADY_NEGOTIATED", "Endpoint already negotiated", "6"));
    ask(w, INVOKE("processAnswer", "{'answer':'v=0'}", "7"),
        REFUSED("40206", "SDP_END_POINT_PROCESS_ANSWER_ERROR",
                "Error processing answer: m=: the answer must have as many lines as the offer",
                "7"));
    frame(w, 1, INVOKE("processAnswer", "{'answer':'" SDP("127.0.0.1", "recvonly") "'}", "8"));
    assert_true(sent(w, "RTP/AVP 111"));
    forget(w);
    ask(w, INVOKE("processAnswer", "{'answer':'" OFFER "'}", "9"),
        REFUSED("40210", "SDP_END_POINT_ANSWER_ALREADY_PROCCESED", "Sdp Answer already processed",
                "9"));
}

#define ANSWER SDP("127.0.0.1", "sendrecv")

/* Each allocation of an answer fails once: the offer is over then, and another one can be made. */
static void an_answer_without_memory_ends_the_offer(void **state)
{
    struct world *w = *state;
    for (unsigned n = 1, is_through = 0; !is_through; n++) {
        world_deinit(w);
        world_init(w);
        open_socket(w, 1);
        endpoint(w);
        frame(w, 1, INVOKE("generateOffer", "{}", "3"));
        forget(w);
        mem_fail_at(n);
        frame(w, 1, INVOKE("processAnswer", "{'answer':'" ANSWER "'}", "4"));
        is_through = mem_count() < n;
        mem_fail_at(0);
        bool is_taken = sent(w, "RTP/AVP 111");
        frame(w, 1, INVOKE("processAnswer", "{'answer':'" ANSWER "'}", "5"));
        assert_true(sent(w, is_taken ? "40210" : "40209"));
        forget(w);
        if (is_taken)
            continue;
        frame(w, 1, INVOKE("generateOffer", "{}", "6"));
        frame(w, 1, INVOKE("processAnswer", "{'answer':'" ANSWER "'}", "7"));
        assert_false(sent(w, "error"));
    }
}

#define CRYPTO(members, id)                                                                        \
    REQUEST("create",                                                                              \
            "'type':'RtpEndpoint','constructorParams':{'mediaPipeline':'" P "','crypto':{" members \
            "}}",                                                                                  \
            id)

static void keys_that_cannot_be(void **state)
{
    static const struct {
        const char *request, *error;
    } rows[] = {
        {CRYPTO("'crypto':'AES_256_CM_HMAC_SHA1_80'", "11"), "40006"},
        {CRYPTO("'crypto':'AES_128_CM_HMAC_SHA1_32'", "12"), "40006"},
        {CRYPTO("'key':'too short'", "13"), "40107"},
        {CRYPTO("'keyBase64':'AAAA'", "14"), "40107"},
        {CRYPTO("'keyBase64':'no base64'", "15"), "40107"},
        {CRYPTO("'key':'too short','keyBase64':'MDEyMzQ1Njc4OWFiY2RlZmdoaWprbG1ub3BxcnN0'", "17"),
         "40107"},
    };
    struct world *w = *state;
    ask(w, REQUEST("create", "'type':'MediaPipeline'", "1"), VALUE("'" P "'", "1"));
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        frame(w, 1, rows[i].request);
        assert_true(sent(w, rows[i].error));
        forget(w);
    }
    frame(w, 1, CRYPTO("", "16")); /* none is asked for */
    assert_false(sent(w, "error"));
}

static void a_key_that_is_given_is_used(void **state)
{
    struct world *w = *state;
    create(w, ",'crypto':{'crypto':'AES_128_CM_HMAC_SHA1_80','key':'0123456789abcdefghijklmnopqrst'"
              "}");
    frame(w, 1, INVOKE("generateOffer", "{}", "3"));
    assert_true(sent(w, "m=audio 21"));
    assert_true(sent(w, " RTP/SAVP 111 "));
    assert_true(sent(w, "a=crypto:1 AES_CM_128_HMAC_SHA1_80 "
                        "inline:MDEyMzQ1Njc4OWFiY2RlZmdoaWprbG1ub3BxcnN0\\r"));
    forget(w);
    ask(w, INVOKE("processAnswer", "{'answer':'" OFFER "'}", "4"),
        REFUSED("40206", "SDP_END_POINT_PROCESS_ANSWER_ERROR",
                "Error processing answer: line 6, m=audio: audio must be RTP/SAVP or RTP/SAVPF, "
                "with a=crypto",
                "4"));
}

static void figures_are_those_of_any_endpoint(void **state)
{
    struct world *w = *state;
    endpoint(w);
    frame(w, 1, INVOKE("processOffer", "{'offer':'" OFFER "'}", "3"));
    forget(w);
    frame(w, 1, INVOKE("getStats", "{}", "4"));
    until_sent(w, "outboundrtp");
}

static bool is_free(unsigned port)
{
    const struct sockaddr_in at = {.sin_family = AF_INET,
                                   .sin_port = htons((uint16_t)port),
                                   .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    assert_true(fd >= 0);
    bool is = bind(fd, (const struct sockaddr *)(const void *)&at, sizeof(at)) == 0;
    assert_int_equal(close(fd), 0);
    return is;
}

/* Of the endpoint alone: its pipeline lives on. */
static void who_is_released_gives_its_port_back(void **state)
{
    struct world *w = *state;
    endpoint(w);
    frame(w, 1, INVOKE("processOffer", "{'offer':'" OFFER "'}", "3"));
    const char *line = strstr(w->transcript, "m=audio ");
    assert_non_null(line);
    unsigned port = (unsigned)strtoul(line + strlen("m=audio "), NULL, 10);
    assert_false(is_free(port));
    forget(w);
    frame(w, 1, REQUEST("release", "'object':'" R "'", "4"));
    assert_false(sent(w, "error"));
    for (unsigned i = 0; i < 1000000 && !is_free(port); i++)
        (void)sched_yield(); /* its worker closes it */
    assert_true(is_free(port));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(it_is_derived_as_in_kurento),
        TEST(an_offer_is_answered_and_connected),
        TEST(a_later_offer_is_hold),
        TEST(it_offers_and_takes_one_answer),
        TEST(an_answer_without_memory_ends_the_offer),
        TEST(keys_that_cannot_be),
        TEST(a_key_that_is_given_is_used),
        TEST(figures_are_those_of_any_endpoint),
        TEST(who_is_released_gives_its_port_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
