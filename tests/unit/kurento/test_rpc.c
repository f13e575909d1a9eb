/* The envelope and the odd requests: what a real server was seen to answer to each. */
#include "harness.h"

struct row {
    const char *request, *answer;
};

static void ask_all(const struct row *rows, size_t n)
{
    struct world w;
    for (size_t i = 0; i < n; i++) {
        world_init(&w);
        open_socket(&w, 1);
        ask(&w, rows[i].request, rows[i].answer);
        world_deinit(&w);
    }
}

#define INVALID                                                                                    \
    "{'error':{'code':-32600,'message':'Invalid JSON-RPC request.'},'id':null,'jsonrpc':'2.0'}"

static void what_is_no_request_is_refused_with_id_null(void **state)
{
    static const struct row rows[] = {
        {"{}", INVALID},
        {"[]", INVALID},
        {"5", INVALID},
        {"'x'", INVALID},
        {"{'jsonrpc':'1.0','method':'ping','id':1}", INVALID},
        {"{'jsonrpc':'2.0','id':1}", INVALID},
        {"{'jsonrpc':'2.0','method':5,'id':1}", INVALID},
        {"{'jsonrpc':'2.0','method':'ping','params':[],'id':1}", INVALID},
        {"{'jsonrpc':'2.0','method':'ping','id':{}}", INVALID},
        {"[{'jsonrpc':'2.0','method':'ping','id':1}]", INVALID},
        {"{", "{'error':{'code':-32700,'message':'Parse error.'},'id':null,'jsonrpc':'2.0'}"},
        {"", "{'error':{'code':-32700,'message':'Parse error.'},'id':null,'jsonrpc':'2.0'}"},
    };
    (void)state;
    ask_all(rows, ARRAY_LEN(rows));
}

static void ids_are_echoed_as_they_are(void **state)
{
    static const struct row rows[] = {
        {"{'jsonrpc':'2.0','method':'ping','id':0}",
         "{'id':0,'jsonrpc':'2.0','result':{'value':'pong'}}"},
        {"{'jsonrpc':'2.0','method':'ping','params':{'interval':5000},'id':'a'}",
         "{'id':'a','jsonrpc':'2.0','result':{'value':'pong'}}"},
        {"{'jsonrpc':'2.0','method':'ping','id':5.5}",
         "{'id':5.5,'jsonrpc':'2.0','result':{'value':'pong'}}"},
    };
    (void)state;
    ask_all(rows, ARRAY_LEN(rows));
}

static void a_notification_is_carried_out_and_answered_with_an_error(void **state)
{
    static const struct row rows[] = {
        {"{'jsonrpc':'2.0','method':'ping'}",
         "{'error':{'code':-32000,'data':{'value':'pong'},'message':'Ignoring response because of "
         "a notification request'},'id':null,'jsonrpc':'2.0'}"},
    };
    (void)state;
    ask_all(rows, ARRAY_LEN(rows));
}

static void what_is_missing_is_named(void **state)
{
    static const struct row rows[] = {
        {"{'jsonrpc':'2.0','method':'noSuch','id':1}",
         "{'error':{'code':-32601,'message':'Method not found.'},'id':1,'jsonrpc':'2.0'}"},
        {"{'jsonrpc':'2.0','method':'create','id':1}",
         "{'error':{'code':-32602,'data':{'type':'INVALID_PARAMS'},'message':''params' is "
         "required'},'id':1,'jsonrpc':'2.0'}"},
        {"{'jsonrpc':'2.0','method':'create','params':{},'id':1}",
         "{'error':{'code':-32000,'message':''type' parameter is "
         "required'},'id':1,'jsonrpc':'2.0'}"},
        {"{'jsonrpc':'2.0','method':'create','params':{'type':'NoSuch'},'id':1}",
         "{'error':{'code':40108,'data':{'type':'MEDIA_OBJECT_NOT_AVAILABLE'},'message':'Factory "
         "'NoSuch' not found'},'id':1,'jsonrpc':'2.0'}"},
        {"{'jsonrpc':'2.0','method':'create','params':{'type':'MediaElement'},'id':1}",
         "{'error':{'code':40108,'data':{'type':'MEDIA_OBJECT_NOT_AVAILABLE'},'message':'Factory "
         "'MediaElement' not found'},'id':1,'jsonrpc':'2.0'}"},
        {"{'jsonrpc':'2.0','method':'invoke','params':{'object':'manager_ServerManager'},'id':1}",
         "{'error':{'code':-32000,'message':''operation' parameter is "
         "required'},'id':1,'jsonrpc':'2.0'}"},
        {"{'jsonrpc':'2.0','method':'invoke','params':{'object':'manager_ServerManager',"
         "'operation':'noSuchOp'},'id':1}",
         "{'error':{'code':40008,'data':{'type':'MALFORMED_TRANSACTION'},'message':'Method "
         "'noSuchOp' with 0 parameters not found'},'id':1,'jsonrpc':'2.0'}"},
        {"{'jsonrpc':'2.0','method':'invoke','params':{'object':'manager_ServerManager',"
         "'operation':'addTag'},'id':1}",
         "{'error':{'code':40001,'data':{'type':'MARSHALL_ERROR'},'message':''operationParams' is "
         "required'},'id':1,'jsonrpc':'2.0'}"},
        {"{'jsonrpc':'2.0','method':'invoke','params':{'object':'manager_ServerManager',"
         "'operation':'addTag','operationParams':{'key':5}},'id':1}",
         "{'error':{'code':40001,'data':{'type':'MARSHALL_ERROR'},'message':''key' parameter "
         "should "
         "be a string'},'id':1,'jsonrpc':'2.0'}"},
        {"{'jsonrpc':'2.0','method':'describe','params':{'object':'nope'},'id':10}",
         "{'error':{'code':40101,'data':{'type':'MEDIA_OBJECT_NOT_FOUND'},'message':'Object 'nope' "
         "not found'},'id':10,'jsonrpc':'2.0'}"},
        {"{'jsonrpc':'2.0','method':'release','params':{'sessionId':'s'},'id':1}",
         "{'error':{'code':-32000,'message':''object' parameter is "
         "required'},'id':1,'jsonrpc':'2.0'}"},
        {"{'jsonrpc':'2.0','method':'connect','params':{'sessionId':'s'},'id':1}",
         "{'error':{'code':40007,'data':{'type':'INVALID_SESSION'},'message':'Invalid "
         "session'},'id':1,'jsonrpc':'2.0'}"},
    };
    (void)state;
    ask_all(rows, ARRAY_LEN(rows));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_no_request_is_refused_with_id_null),
        cmocka_unit_test(ids_are_echoed_as_they_are),
        cmocka_unit_test(a_notification_is_carried_out_and_answered_with_an_error),
        cmocka_unit_test(what_is_missing_is_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
