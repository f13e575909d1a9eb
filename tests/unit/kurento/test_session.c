/* Sessions: how they begin, what they outlive, what is answered twice. */
#include "harness.h"
#include "kurento/session.h"

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

#define CREATE(session, id)                                                                        \
    "{'jsonrpc':'2.0','method':'create','params':{'type':'MediaPipeline','properties':{}" session  \
    "},'id':" id "}"

static void the_first_request_makes_a_session(void **state)
{
    struct world *w = *state;
    ask(w, "{'jsonrpc':'2.0','method':'ping','params':{'interval':5000},'id':0}",
        "{'id':0,'jsonrpc':'2.0','result':{'value':'pong'}}");
    ask(w,
        "{'jsonrpc':'2.0','method':'describe','params':{'object':'manager_ServerManager'},'id':1}",
        "{'id':1,'jsonrpc':'2.0','result':{'hierarchy':['kurento.MediaObject'],'qualifiedType':"
        "'kurento.ServerManager','sessionId':'<1>','type':'ServerManager'}}");
    ask(w, "{'jsonrpc':'2.0','method':'ping','id':2}",
        "{'id':2,'jsonrpc':'2.0','result':{'sessionId':'<1>','value':'pong'}}");
    ask(w, CREATE(",'sessionId':'<1>'", "3"),
        "{'id':3,'jsonrpc':'2.0','result':{'sessionId':'<1>','value':'<2>_kurento.MediaPipeline'}"
        "}");
    ask(w,
        "{'jsonrpc':'2.0','method':'release','params':{'object':'<2>_kurento.MediaPipeline',"
        "'sessionId':'<1>'},'id':4}",
        "{'id':4,'jsonrpc':'2.0','result':{'sessionId':'<1>'}}");
    ask(w,
        "{'jsonrpc':'2.0','method':'release','params':{'object':'<2>_kurento.MediaPipeline',"
        "'sessionId':'<1>'},'id':5}",
        "{'id':5,'jsonrpc':'2.0','result':{'sessionId':'<1>'}}");
    assert_int_equal(kurento_get_stats(w->k).objects, 1);
}

static void an_unknown_session_is_taken_over(void **state)
{
    struct world *w = *state;
    ask(w, CREATE(",'sessionId':'dead'", "1"),
        "{'id':1,'jsonrpc':'2.0','result':{'sessionId':'dead','value':'<1>_kurento.MediaPipeline'}"
        "}");
    ask(w, "{'jsonrpc':'2.0','method':'connect','params':{'sessionId':'dead'},'id':2}",
        "{'id':2,'jsonrpc':'2.0','result':{'serverId':'<2>','sessionId':'dead'}}");
}

static void connect_offers_a_session_that_begins_when_it_is_used(void **state)
{
    struct world *w = *state;
    ask(w, "{'jsonrpc':'2.0','method':'connect','id':1}",
        "{'id':1,'jsonrpc':'2.0','result':{'serverId':'<1>','sessionId':'<2>'}}");
    ask(w, "{'jsonrpc':'2.0','method':'connect','params':{'sessionId':'<2>'},'id':2}",
        "{'error':{'code':40007,'data':{'type':'INVALID_SESSION'},'message':'Invalid "
        "session'},'id':2,'jsonrpc':'2.0'}");
    ask(w, CREATE("", "3"),
        "{'id':3,'jsonrpc':'2.0','result':{'sessionId':'<2>','value':'<3>_kurento.MediaPipeline'}"
        "}");
    ask(w, "{'jsonrpc':'2.0','method':'connect','params':{'sessionId':'<2>'},'id':4}",
        "{'id':4,'jsonrpc':'2.0','result':{'serverId':'<1>','sessionId':'<2>'}}");
}

static void a_repeated_request_is_answered_as_before(void **state)
{
    struct world *w = *state;
    ask(w, CREATE(",'sessionId':'s'", "1"),
        "{'id':1,'jsonrpc':'2.0','result':{'sessionId':'s','value':'<1>_kurento.MediaPipeline'}}");
    ask(w, CREATE(",'sessionId':'s'", "1"),
        "{'id':1,'jsonrpc':'2.0','result':{'sessionId':'s','value':'<1>_kurento.MediaPipeline'}}");
    assert_int_equal(kurento_get_stats(w->k).pipelines, 1);
    w->now += KURENTO_ANSWER_KEPT;
    ask(w, CREATE(",'sessionId':'s'", "1"),
        "{'id':1,'jsonrpc':'2.0','result':{'sessionId':'s','value':'<2>_kurento.MediaPipeline'}}");
}

static void a_session_outlives_its_connection_until_the_second_pass(void **state)
{
    struct world *w = *state;
    frame(w, 1, CREATE(",'sessionId':'s'", "1"));
    kurento_socket_closed(w->k, w->now, 1);
    w->now += COLLECTOR_PERIOD;
    kurento_timeout(w->k, w->now);
    assert_int_equal(kurento_get_stats(w->k).pipelines, 1);
    w->now += COLLECTOR_PERIOD - 1;
    kurento_timeout(w->k, w->now);
    assert_int_equal(kurento_get_stats(w->k).pipelines, 1);
    w->now++;
    kurento_timeout(w->k, w->now);
    assert_int_equal(kurento_get_stats(w->k).pipelines, 0);
    assert_int_equal(kurento_get_stats(w->k).sessions, 0);
}

static void an_open_socket_keeps_its_session(void **state)
{
    struct world *w = *state;
    frame(w, 1, CREATE(",'sessionId':'s'", "1"));
    for (int i = 0; i < 5; i++) {
        w->now += COLLECTOR_PERIOD;
        kurento_timeout(w->k, w->now);
    }
    assert_int_equal(kurento_get_stats(w->k).pipelines, 1);
}

/* A request of many: nobody reads its answer. */
PRINTF_LIKE(2, 3) static void unheard(struct world *w, const char *format, ...)
{
    char request[512];
    va_list ap;
    va_start(ap, format);
    (void)vsnprintf(request, sizeof(request), format, ap);
    va_end(ap);
    frame(w, 1, request);
    assert_null(strstr(w->transcript, "error"));
    text_init(&w->t, w->transcript, sizeof(w->transcript));
}

#define NO_MORE(message, id) REFUSED("40009", "NOT_ENOUGH_RESOURCES", message, id)

#define UNREF "{'jsonrpc':'2.0','method':'unref','params':{'object':'x','sessionId':'s%u'},'id':%u}"

static void sessions_have_an_end(void **state)
{
    struct world *w = *state;
    for (unsigned i = 0; i < KURENTO_MAX_SESSIONS; i++)
        unheard(w, UNREF, i, i);
    ask(w, CREATE(",'sessionId':'one more'", "'a'"),
        NO_MORE("10000 sessions are alive: no more", "'a'"));
    unheard(w, UNREF, 7, 10); /* one that is there goes on */
    for (unsigned pass = 0; pass < 2; pass++) {
        w->now += COLLECTOR_PERIOD;
        kurento_timeout(w->k, w->now);
    }
    assert_int_equal(kurento_get_stats(w->k).sessions, 1);
    unheard(w, UNREF, 8, 9);
}

static void subscriptions_and_measurements_have_an_end(void **state)
{
    struct world *w = *state;
    for (unsigned i = 0; i < KURENTO_MAX_SUBSCRIPTIONS; i++) {
        w->n_ids = 0;
        unheard(w,
                "{'jsonrpc':'2.0','method':'subscribe','params':{'object':'manager_ServerManager',"
                "'type':'ObjectCreated','sessionId':'s'},'id':%u}",
                i);
    }
    ask(w,
        "{'jsonrpc':'2.0','method':'subscribe','params':{'object':'manager_ServerManager',"
        "'type':'ObjectCreated','sessionId':'s'},'id':'a'}",
        NO_MORE("1000 subscriptions to an object at most", "'a'"));
    frame(w, 1, "{'jsonrpc':'2.0','method':'closeSession','params':{'sessionId':'s'}}");
    text_init(&w->t, w->transcript, sizeof(w->transcript));
    unheard(w,
            "{'jsonrpc':'2.0','method':'subscribe','params':{'object':'manager_ServerManager',"
            "'type':'ObjectCreated','sessionId':'t'},'id':%u}",
            0);
    for (unsigned i = 0; i < 100; i++)
        unheard(w,
                "{'jsonrpc':'2.0','method':'invoke','params':{'object':'manager_ServerManager',"
                "'operation':'getUsedCpu','operationParams':{'interval':1000},'sessionId':'u'},"
                "'id':%u}",
                i);
    ask(w,
        "{'jsonrpc':'2.0','method':'invoke','params':{'object':'manager_ServerManager',"
        "'operation':'getUsedCpu','operationParams':{'interval':1000},'sessionId':'u'},'id':'b'}",
        NO_MORE("100 measurements are going on", "'b'"));
}

/* Its events go to the connection that spoke last; the other one may only say that it is there. */
static void who_keeps_a_session_alive_keeps_it(void **state)
{
    struct world *w = *state;
    frame(w, 1, CREATE(",'sessionId':'s'", "1"));
    open_socket(w, 2);
    frame(w, 2, "{'jsonrpc':'2.0','method':'connect','params':{'sessionId':'s'},'id':1}");
    kurento_socket_closed(w->k, w->now, 2);
    for (unsigned i = 0; i < 5; i++) {
        w->now += COLLECTOR_PERIOD;
        kurento_timeout(w->k, w->now);
        frame(w, 1, "{'jsonrpc':'2.0','method':'keepAlive','params':{'sessionId':'s'}}");
    }
    assert_int_equal(kurento_get_stats(w->k).pipelines, 1);
}

static void who_lists_the_pipelines_holds_them(void **state)
{
    struct world *w = *state;
    frame(w, 1, CREATE(",'sessionId':'s'", "1"));
    open_socket(w, 2);
    frame(w, 2,
          "{'jsonrpc':'2.0','method':'invoke','params':{'object':'manager_ServerManager',"
          "'operation':'getPipelines','sessionId':'t'},'id':1}");
    frame(w, 1, "{'jsonrpc':'2.0','method':'closeSession','params':{'sessionId':'s'},'id':2}");
    expect(w, "1 < {'id':1,'jsonrpc':'2.0','result':{'sessionId':'s','value':'<1>_kurento."
              "MediaPipeline'}}\n"
              "2 < {'id':1,'jsonrpc':'2.0','result':{'sessionId':'t','value':['<1>_kurento."
              "MediaPipeline']}}\n"
              "1 < {'id':2,'jsonrpc':'2.0','result':null}\n");
    assert_int_equal(kurento_get_stats(w->k).pipelines, 1);
    frame(w, 2, "{'jsonrpc':'2.0','method':'closeSession','params':{'sessionId':'t'},'id':2}");
    assert_int_equal(kurento_get_stats(w->k).pipelines, 0);
}

static void events_go_to_who_subscribed_once_a_session(void **state)
{
    struct world *w = *state;
    ask(w,
        "{'jsonrpc':'2.0','method':'subscribe','params':{'object':'manager_ServerManager',"
        "'type':'ObjectCreated','sessionId':'s'},'id':1}",
        "{'id':1,'jsonrpc':'2.0','result':{'sessionId':'s','value':'<1>'}}");
    ask(w,
        "{'jsonrpc':'2.0','method':'subscribe','params':{'object':'manager_ServerManager',"
        "'type':'ObjectCreated','sessionId':'s'},'id':2}",
        "{'id':2,'jsonrpc':'2.0','result':{'sessionId':'s','value':'<2>'}}");
    frame(w, 1, CREATE("", "3"));
    expect(w, "1 < {'jsonrpc':'2.0','method':'onEvent','params':{'value':{'data':{'object':'<3>_"
              "kurento.MediaPipeline','source':'manager_ServerManager','tags':[],"
              "'timestampMillis':'1795375000000','type':'ObjectCreated'},'object':"
              "'manager_ServerManager','type':'ObjectCreated'}}}\n"
              "1 < {'id':3,'jsonrpc':'2.0','result':{'sessionId':'s','value':'<3>_kurento."
              "MediaPipeline'}}\n");
    ask(w,
        "{'jsonrpc':'2.0','method':'subscribe','params':{'object':'manager_ServerManager',"
        "'type':'NoSuch','sessionId':'s'},'id':4}",
        "{'error':{'code':40106,'data':{'type':'MEDIA_OBJECT_EVENT_NOT_SUPPORTED'},'message':"
        "'Event 'NoSuch' not supported'},'id':4,'jsonrpc':'2.0'}");
    frame(w, 1,
          "{'jsonrpc':'2.0','method':'unsubscribe','params':{'object':'manager_ServerManager',"
          "'subscription':'<1>'},'id':5}");
    frame(w, 1,
          "{'jsonrpc':'2.0','method':'unsubscribe','params':{'object':'manager_ServerManager',"
          "'subscription':'<2>'},'id':6}");
    frame(w, 1,
          "{'jsonrpc':'2.0','method':'unsubscribe','params':{'object':'gone',"
          "'subscription':'<2>'},'id':7}");
    frame(w, 1, CREATE("", "8"));
    expect(w, "1 < {'id':5,'jsonrpc':'2.0','result':{'sessionId':'s'}}\n"
              "1 < {'id':6,'jsonrpc':'2.0','result':{'sessionId':'s'}}\n"
              "1 < {'id':7,'jsonrpc':'2.0','result':{'sessionId':'s'}}\n"
              "1 < {'id':8,'jsonrpc':'2.0','result':{'sessionId':'s','value':'<4>_kurento."
              "MediaPipeline'}}\n");
}

static void a_transaction_refers_to_its_own_results(void **state)
{
    struct world *w = *state;
    ask(w,
        "{'jsonrpc':'2.0','method':'transaction','params':{'object':'junk','operations':["
        "{'jsonrpc':'2.0','method':'create','params':{'type':'MediaPipeline'},'id':0},"
        "{'jsonrpc':'2.0','method':'invoke','params':{'object':'newref:0','operation':'getName'},"
        "'id':1},"
        "{'jsonrpc':'2.0','method':'noSuch','id':2},"
        "{'jsonrpc':'2.0','method':'ping','id':3}],'sessionId':'s'},'id':9}",
        "{'id':9,'jsonrpc':'2.0','result':{'sessionId':'s','value':["
        "{'id':0,'jsonrpc':'2.0','result':{'sessionId':'s','value':'<1>_kurento.MediaPipeline'}},"
        "{'id':1,'jsonrpc':'2.0','result':{'sessionId':'s','value':'<1>_kurento.MediaPipeline'}},"
        "{'error':{'code':-32601,'message':'Method not found.'},'id':2,'jsonrpc':'2.0'}]}}");
    ask(w,
        "{'jsonrpc':'2.0','method':'transaction','params':{'operations':[{'jsonrpc':'2.0',"
        "'method':'release','params':{'object':'newref:7'},'id':0}],'sessionId':'s'},'id':10}",
        "{'error':{'code':40109,'data':{'type':'MEDIA_OBJECT_NOT_FOUND_TRANSACTION_NO_COMMIT'},"
        "'message':'newref: names no earlier operation with a value'},'id':10,'jsonrpc':'2.0'}");
}

/* The session of an operation is not added to the answer that its parameters are. */
static void an_answer_that_is_referred_to_stays_as_it_is(void **state)
{
    struct world *w = *state;
    frame(w, 1,
          "{'jsonrpc':'2.0','method':'transaction','params':{'operations':["
          "{'jsonrpc':'2.0','method':'create','params':{'type':'MediaPipeline'},'id':0},"
          "{'jsonrpc':'2.0','method':'create','params':{'type':'RtpEndpoint',"
          "'constructorParams':{'mediaPipeline':'newref:0'}},'id':1},"
          "{'jsonrpc':'2.0','method':'invoke','params':{'object':'newref:1','operation':"
          "'getRembParams'},'id':2},"
          "{'jsonrpc':'2.0','method':'ping','params':'newref:2','id':3}],'sessionId':'s'},'id':9}");
    assert_non_null(strstr(w->transcript, "\"rembOnConnect\":300000,\"thresholdFactor\""));
}

/* Few bytes of a request make many of an answer: at some point nothing more is done. */
static void the_answers_of_a_transaction_are_not_without_end(void **state)
{
    enum { TAGS = 16, TAG_LEN = 4000, OPERATIONS = 80 };
    struct world *w = *state;
    char json[1 << 15];
    struct text t;
    frame(w, 1, CREATE(",'sessionId':'s'", "1"));
    for (int i = 0; i < TAGS; i++) {
        text_init(&t, json, sizeof(json));
        text_printf(&t,
                    "{'jsonrpc':'2.0','method':'invoke','params':{'object':'<1>_kurento."
                    "MediaPipeline','operation':'addTag','operationParams':{'key':'%d','value':"
                    "'%0*d'},'sessionId':'s'},'id':%d}",
                    i, TAG_LEN, 0, 100 + i);
        frame(w, 1, json);
    }
    text_init(&t, json, sizeof(json));
    text_printf(&t, "{'jsonrpc':'2.0','method':'transaction','params':{'operations':[");
    for (int i = 0; i < OPERATIONS; i++)
        text_printf(&t,
                    "{'jsonrpc':'2.0','method':'invoke','params':{'object':'<1>_kurento."
                    "MediaPipeline','operation':'getTags'},'id':%d},",
                    i);
    text_printf(&t, "{'jsonrpc':'2.0','method':'release','params':{'object':'<1>_kurento."
                    "MediaPipeline'},'id':0}],'sessionId':'s'},'id':3}");
    frame(w, 1, json);
    text_init(&w->t, w->transcript, sizeof(w->transcript)); /* it does not fit there, either */
    ask(w,
        "{'jsonrpc':'2.0','method':'invoke','params':{'object':'<1>_kurento.MediaPipeline',"
        "'operation':'getName','sessionId':'s'},'id':4}",
        "{'id':4,'jsonrpc':'2.0','result':{'sessionId':'s','value':'<1>_kurento.MediaPipeline'}}");
}

static void the_use_of_cpu_is_told_when_its_interval_is_over(void **state)
{
    struct world *w = *state;
    frame(w, 1,
          "{'jsonrpc':'2.0','method':'invoke','params':{'object':'manager_ServerManager',"
          "'operation':'getUsedCpu','operationParams':{'interval':1000},'sessionId':'s'},'id':1}");
    assert_int_equal(kurento_deadline(w->k), w->now + US_PER_S);
    w->now += US_PER_S - 1;
    kurento_timeout(w->k, w->now);
    expect(w, "");
    w->now++;
    kurento_timeout(w->k, w->now);
    assert_non_null(strstr(w->transcript, "\"id\":1"));
    assert_non_null(strstr(w->transcript, "\"value\":0."));
    text_init(&w->t, w->transcript, sizeof(w->transcript));
    ask(w,
        "{'jsonrpc':'2.0','method':'invoke','params':{'object':'manager_ServerManager',"
        "'operation':'getUsedCpu','operationParams':{'interval':0},'sessionId':'s'},'id':2}",
        "{'error':{'code':40001,'data':{'type':'MARSHALL_ERROR'},'message':''interval' parameter "
        "is 0: 1 to 60000 is needed'},'id':2,'jsonrpc':'2.0'}");
}

/* Whatever fails: only the request is lost, and nothing leaks. */
static void memory_may_run_out_anywhere(void **state)
{
    struct world *w = *state;
    for (unsigned n = 1; n < 12; n++) {
        mem_fail_at(n);
        frame(w, 1, CREATE(",'sessionId':'s'", "1"));
        mem_fail_at(0);
        w->now += KURENTO_ANSWER_KEPT;
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_first_request_makes_a_session),
        TEST(an_unknown_session_is_taken_over),
        TEST(connect_offers_a_session_that_begins_when_it_is_used),
        TEST(a_repeated_request_is_answered_as_before),
        TEST(a_session_outlives_its_connection_until_the_second_pass),
        TEST(an_open_socket_keeps_its_session),
        TEST(who_keeps_a_session_alive_keeps_it),
        TEST(sessions_have_an_end),
        TEST(subscriptions_and_measurements_have_an_end),
        TEST(who_lists_the_pipelines_holds_them),
        TEST(events_go_to_who_subscribed_once_a_session),
        TEST(a_transaction_refers_to_its_own_results),
        TEST(an_answer_that_is_referred_to_stays_as_it_is),
        TEST(the_answers_of_a_transaction_are_not_without_end),
        TEST(the_use_of_cpu_is_told_when_its_interval_is_over),
        TEST(memory_may_run_out_anywhere),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
