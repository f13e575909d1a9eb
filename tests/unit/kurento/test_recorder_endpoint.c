/* RecorderEndpoint with a real writer: what is answered, what is told, and that the file is there.
 */
#include <poll.h>
#include <pthread.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include "kurento/recorder_endpoint.h"
#include "record/recorder.h"

#define TYPE "RecorderEndpoint"
#include "uri_endpoint.h"

#define MAX_RECORDINGS 2

static char path[80];
static int wake_fd;
static struct rng rng;

/* A disk that does not answer: the writer waits here as long as the test holds it. */
static pthread_mutex_t disk = PTHREAD_MUTEX_INITIALIZER;
static bool is_stopped; /* also by a test that failed then */

static void wake_test(void *user)
{
    (void)user;
    assert_int_equal(pthread_mutex_lock(&disk), 0);
    assert_int_equal(pthread_mutex_unlock(&disk), 0);
    assert_int_equal(write(wake_fd, &(uint64_t){1}, 8), 8);
}

static struct recorder *recorder_of_test(void)
{
    char error[RECORDER_ERROR_MAX];
    const struct recorder_config config = {
        .folder = folder, .max_recordings = MAX_RECORDINGS, .wake = wake_test};
    struct recorder *recorder = recorder_new(&config, &rng, error);
    if (!recorder)
        fail_msg("%s", error);
    return recorder;
}

static void disk_goes_on(void)
{
    if (is_stopped)
        (void)pthread_mutex_unlock(&disk);
    is_stopped = false;
}

static int set_up(void **state)
{
    (void)state;
    make_folder();
    (void)snprintf(path, sizeof(path), "%s/a.ogg", folder);
    wake_fd = eventfd(0, EFD_CLOEXEC);
    rng_init_seeded(&rng, 1);
    open_pipeline(recorder_of_test(), NULL);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    disk_goes_on();
    world_deinit(&w);
    close(wake_fd);
    (void)unlink(path);
    return rmdir(folder);
}

/* Until the writer had something to say, and it was passed on. */
static void writer_says(void)
{
    uint64_t n;
    assert_int_equal(read(wake_fd, &n, 8), 8);
    kurento_media_ready(w.k, w.now);
}

/* Until all of it was sent. */
static void expect_told(const char *transcript)
{
    while (w.t.len < strlen(transcript)) /* single quotes stand for as many double ones */
        writer_says();
    expect(&w, transcript);
}

static void make_told(const char *create)
{
    static const char *const events[] = {"UriEndpointStateChanged", "Recording", "Paused",
                                         "Stopped", "Error"};
    make(create);
    for (size_t i = 0; i < ARRAY_LEN(events); i++)
        subscribe(E, events[i], i);
}

static off_t size_of_file(void)
{
    struct stat st;
    return stat(path, &st) ? -1 : st.st_size;
}

/* The last page of an Ogg file that was ended says so. */
static bool is_whole(void)
{
    static uint8_t file[1 << 18];
    bool is_last = false;
    FILE *f = fopen(path, "rb");
    assert_non_null(f);
    size_t len = fread(file, 1, sizeof(file), f);
    (void)fclose(f);
    for (size_t i = 0; i + 27 < len; i++) {
        if (memcmp(file + i, "OggS", 4) == 0)
            is_last = file[i + 5] & 4;
    }
    return is_last;
}

/* --- what can be made --- */

static void what_cannot_be_recorded_is_refused(void **state)
{
    static const struct {
        const char *request, *answer;
    } rows[] = {
        {CREATE("'uri':'a.mp4','mediaProfile':'MP4'", "10"),
         REFUSED("40107", "MEDIA_OBJECT_ILLEGAL_PARAM_ERROR",
                 "MP4 cannot be recorded here: audio in WebM, Matroska or Ogg can", "10")},
        {CREATE("'uri':'a.webm','mediaProfile':'WEBM_VIDEO_ONLY'", "11"),
         REFUSED("40107", "MEDIA_OBJECT_ILLEGAL_PARAM_ERROR",
                 "WEBM_VIDEO_ONLY cannot be recorded here: audio in WebM, Matroska or Ogg can",
                 "11")},
        {CREATE("'uri':'http://example.org/a.webm'", "12"),
         REFUSED("40107", "MEDIA_OBJECT_ILLEGAL_PARAM_ERROR",
                 "'http://example.org/a.webm': only file:// URIs can be recorded to", "12")},
        {CREATE("'uri':'file:///etc/passwd'", "13"),
         REFUSED("40107", "MEDIA_OBJECT_ILLEGAL_PARAM_ERROR",
                 "'file:///etc/passwd': the file is not below recording.dir", "13")},
        {CREATE("'uri':'a','mediaProfile':'WAV'", "14"),
         REFUSED("40001", "MARSHALL_ERROR", "Invalid value for 'MediaProfileSpecType'", "14")},
        {CREATE("'mediaProfile':'WEBM'", "15"),
         REFUSED("40001", "MARSHALL_ERROR", "'uri' parameter should be a string", "15")},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        ask(&w, rows[i].request, rows[i].answer);
}

static void without_a_folder_it_says_which_setting(void **state)
{
    static struct world off;
    (void)state;
    world_init(&off);
    open_socket(&off, 1);
    ask(&off, REQUEST("create", "'type':'MediaPipeline'", "1"), VALUE("'" P "'", "1"));
    ask(&off, CREATE("'uri':'a.webm'", "2"),
        REFUSED("40108", "MEDIA_OBJECT_NOT_AVAILABLE",
                "this server does not record: its setting recording.dir is empty", "2"));
    world_deinit(&off);
}

static void it_is_a_uri_endpoint(void **state)
{
    (void)state;
    make(CREATE("'uri':'a.ogg','mediaProfile':'MKV','stopOnEndOfStream':true", "2"));
    ask(&w, INVOKE("getUri", "3"), VALUE("'a.ogg'", "3"));
    ask(&w, INVOKE("getState", "4"), VALUE("'STOP'", "4"));
    ask(&w, INVOKE("stop", "5"), VALUE("null", "5"));
    ask(&w, INVOKE("stopAndWait", "6"), VALUE("null", "6"));
    ask(&w, INVOKE("pause", "7"), VALUE("null", "7"));
    ask(&w, INVOKE("getState", "8"), VALUE("'STOP'", "8"));
    ask(&w, REQUEST("describe", "'object':'" E "'", "9"),
        "{'id':9,'jsonrpc':'2.0','result':{'hierarchy':['kurento.UriEndpoint','kurento.Endpoint',"
        "'kurento.MediaElement','kurento.MediaObject'],'qualifiedType':'kurento.RecorderEndpoint',"
        "'sessionId':'s','type':'RecorderEndpoint'}}");
    assert_int_equal(size_of_file(), -1);
}

/* --- record, pause, stop --- */

static void it_is_told_what_happens(void **state)
{
    (void)state;
    make_told(CREATE("'uri':'a.ogg'", "2"));
    ask(&w, INVOKE("record", "10"), VALUE("null", "10"));
    ask(&w, INVOKE("getState", "11"), VALUE("'START'", "11"));
    ask(&w, INVOKE("record", "12"), VALUE("null", "12")); /* it does already */
    expect_told(STATE("START") TOLD("Recording", ""));
    ask(&w, INVOKE("pause", "13"), VALUE("null", "13"));
    ask(&w, INVOKE("pause", "14"), VALUE("null", "14"));
    ask(&w, INVOKE("getState", "15"), VALUE("'PAUSE'", "15"));
    expect_told(STATE("PAUSE") TOLD("Paused", ""));
    ask(&w, INVOKE("record", "16"), VALUE("null", "16"));
    expect_told(STATE("START") TOLD("Recording", ""));
    ask(&w, INVOKE("stop", "17"), VALUE("null", "17"));
    ask(&w, INVOKE("getState", "18"), VALUE("'STOP'", "18"));
    expect_told(STATE("STOP") TOLD("Stopped", ""));
    assert_true(is_whole());
}

static void who_waits_is_answered_when_the_file_is_whole(void **state)
{
    (void)state;
    make(CREATE("'uri':'a.ogg'", "2"));
    ask(&w, INVOKE("record", "10"), VALUE("null", "10"));
    frame(&w, 1, INVOKE("stopAndWait", "11"));
    frame(&w, 1, INVOKE("stopAndWait", "12"));
    expect_told("1 < " VALUE("null", "11") "\n1 < " VALUE("null", "12") "\n");
    assert_true(is_whole());
    ask(&w, INVOKE("stopAndWait", "13"), VALUE("null", "13"));
}

static void it_records_again(void **state)
{
    (void)state;
    make_told(CREATE("'uri':'a.ogg'", "2"));
    ask(&w, INVOKE("record", "10"), VALUE("null", "10"));
    ask(&w, INVOKE("stop", "11"), VALUE("null", "11"));
    ask(&w, INVOKE("record", "12"), VALUE("null", "12")); /* the file is still being closed */
    ask(&w, INVOKE("getState", "13"), VALUE("'START'", "13"));
    expect_told(STATE("START") TOLD("Recording", "") STATE("STOP") TOLD("Stopped", "")
                    STATE("START") TOLD("Recording", ""));
    ask(&w, INVOKE("stop", "14"), VALUE("null", "14"));
    expect_told(STATE("STOP") TOLD("Stopped", ""));
    assert_true(is_whole());
}

/* --- trouble --- */

static void a_folder_that_is_not_there(void **state)
{
    (void)state;
    make_told(CREATE("'uri':'none/a.ogg'", "2"));
    ask(&w, INVOKE("record", "10"), VALUE("null", "10"));
    expect_told(
        "1 < {'jsonrpc':'2.0','method':'onEvent','params':{'value':{'data':{'description':"
        "'cannot record to none/a.ogg: No such file or directory','errorCode':6,'source':'" E
        "','tags':[],'timestampMillis':'1795375000000','type':'RESOURCE_ERROR_OPEN'},"
        "'object':'" E "','type':'Error'}}}\n" STATE("STOP") TOLD("Stopped", ""));
    ask(&w, INVOKE("getState", "11"), VALUE("'STOP'", "11"));
    ask(&w, INVOKE("stopAndWait", "12"), VALUE("null", "12"));
}

/* Paths are bytes, and long ones are cut; what is told is JSON. */
static void a_path_that_is_no_text(void **state)
{
    (void)state;
    char line[400];
    (void)snprintf(line, sizeof(line), CREATE("'uri':'file://%s/none/%%ff.ogg'", "2"), folder);
    make_told(line);
    ask(&w, INVOKE("record", "10"), VALUE("null", "10"));
    expect_told("1 < {'jsonrpc':'2.0','method':'onEvent','params':{'value':{'data':{'description':"
                "'cannot record to none/\xef\xbf\xbd.ogg: No such file or directory','errorCode':6,"
                "'source':'" E
                "','tags':[],'timestampMillis':'1795375000000','type':'RESOURCE_ERROR_OPEN'},"
                "'object':'" E "','type':'Error'}}}\n" STATE("STOP") TOLD("Stopped", ""));
}

static void more_than_the_limit(void **state)
{
    char name[] = "record0";
    (void)state;
    make(CREATE("'uri':'a.ogg'", "2"));
    for (unsigned i = 0; i < MAX_RECORDINGS; i++) {
        struct recording *taken;
        const struct recorder_order order = {.uri = str_of(name), .ring = packet_ring_new(4096)};
        name[6]++;
        assert_int_equal(recorder_start(w.recorder, w.now, &order, &taken), 0);
        packet_ring_unref(order.ring);
    }
    ask(&w, INVOKE("record", "10"),
        REFUSED("40009", "NOT_ENOUGH_RESOURCES",
                "as many recordings as recording.max_files allows are being made", "10"));
    ask(&w, INVOKE("getState", "11"), VALUE("'STOP'", "11"));
    kurento_free(w.k);
    recorder_free(w.recorder);
    w.k = NULL;
    w.recorder = NULL;
    for (char i = '0'; i <= '2'; i++) {
        char made[100];
        (void)snprintf(made, sizeof(made), "%s/record%c", folder, i);
        (void)unlink(made);
    }
}

static void without_memory_nothing_begins(void **state)
{
    (void)state;
    make(CREATE("'uri':'a.ogg'", "2"));
    for (unsigned n = 1;; n++) {
        char id[24];
        (void)snprintf(id, sizeof(id), "%u", 100 + n);
        char request[512];
        (void)snprintf(request, sizeof(request), INVOKE("record", "%s"), id);
        mem_fail_at(n);
        frame(&w, 1, request);
        bool was_reached = mem_count() >= n;
        mem_fail_at(0);
        if (!was_reached)
            break;
        text_init(&w.t, w.transcript, sizeof(w.transcript));
        frame(&w, 1, INVOKE("stopAndWait", "20"));
        while (!strstr(w.transcript, "null"))
            writer_says();
        text_init(&w.t, w.transcript, sizeof(w.transcript));
        w.now += 30 * US_PER_S; /* the answer is forgotten */
    }
}

/* --- a disk that does not answer --- */

#define LATE                                                                                       \
    "1 < {'jsonrpc':'2.0','method':'onEvent','params':{'value':{'data':{'description':"            \
    "'the disk does not answer: the file is not whole yet, and Stopped comes when it is',"         \
    "'errorCode':8,'source':'" E "','tags':[],'timestampMillis':'1795375004000',"                  \
    "'type':'RESOURCE_ERROR_CLOSE'},'object':'" E "','type':'Error'}}}\n"

/* From the pause on: what is asked for behind it is not carried out. */
static void disk_stops(void)
{
    assert_int_equal(pthread_mutex_lock(&disk), 0);
    is_stopped = true;
    ask(&w, INVOKE("pause", "20"), VALUE("null", "20"));
}

static void patience_ends(void)
{
    mono_us at = w.now + KURENTO_RECORDER_PATIENCE;
    assert_true(kurento_deadline(w.k) == at);
    kurento_timeout(w.k, w.now = at - 1);
    expect(&w, "");
    kurento_timeout(w.k, w.now = at);
}

static void who_waits_for_a_dead_disk_is_answered(void **state)
{
    (void)state;
    make_told(CREATE("'uri':'a.ogg'", "2"));
    ask(&w, INVOKE("record", "10"), VALUE("null", "10"));
    expect_told(STATE("START") TOLD("Recording", ""));
    disk_stops();
    frame(&w, 1, INVOKE("stopAndWait", "11"));
    frame(&w, 1, INVOKE("stopAndWait", "12"));
    patience_ends();
    expect(&w, LATE "1 < " VALUE("null", "11") "\n1 < " VALUE("null", "12") "\n");
    assert_false(is_whole());
    frame(&w, 1, INVOKE("stopAndWait", "13")); /* told once, and answered as late */
    patience_ends();
    expect(&w, "1 < " VALUE("null", "13") "\n");
    frame(&w, 1, INVOKE("stopAndWait", "14"));
    disk_goes_on();
    expect_told(STATE_AT("8000", "PAUSE") TOLD_AT("8000", "Paused", "") STATE_AT("8000", "STOP")
                    TOLD_AT("8000", "Stopped", "") "1 < " VALUE("null", "14") "\n");
    assert_true(is_whole());
    ask(&w, INVOKE("record", "15"), VALUE("null", "15"));
    expect_told(STATE_AT("8000", "START") TOLD_AT("8000", "Recording", ""));
}

static void released_on_a_dead_disk(void **state)
{
    (void)state;
    make(CREATE("'uri':'a.ogg'", "2"));
    ask(&w, INVOKE("record", "10"), VALUE("null", "10"));
    writer_says();
    disk_stops();
    frame(&w, 1, REQUEST("release", "'object':'" P "'", "12"));
    patience_ends();
    expect(&w, "1 < {'id':12,'jsonrpc':'2.0','result':{'sessionId':'s'}}\n");
    assert_false(is_whole());
    disk_goes_on();
    while (!recorder_are_whole(w.recorder, RECORDER_PIPELINES, 1))
        writer_says();
    expect(&w, ""); /* not once more */
    assert_true(is_whole());
}

/* --- the end --- */

static void assert_whole_at_the_end(void)
{
    kurento_free(w.k);
    recorder_free(w.recorder);
    w.k = NULL;
    w.recorder = NULL;
    assert_true(is_whole());
}

static void released_while_it_records(void **state)
{
    (void)state;
    make(CREATE("'uri':'a.ogg'", "2"));
    ask(&w, INVOKE("record", "10"), VALUE("null", "10"));
    frame(&w, 1, INVOKE("stopAndWait", "11"));
    frame(&w, 1, REQUEST("release", "'object':'" P "'", "12"));
    expect(&w, "1 < " REFUSED("40101", "MEDIA_OBJECT_NOT_FOUND", "Object '" E "' not found",
                              "11") "\n");
    expect_told("1 < {'id':12,'jsonrpc':'2.0','result':{'sessionId':'s'}}\n");
    assert_true(is_whole());
    ask(&w, REQUEST("release", "'object':'" P "'", "13"),
        "{'id':13,'jsonrpc':'2.0','result':{'sessionId':'s'}}"); /* nothing to wait for */
}

/* In a transaction nothing waits, and who shuts down waits for nobody. */
static void released_and_not_waited_for(void **state)
{
    (void)state;
    make(CREATE("'uri':'a.ogg'", "2"));
    ask(&w, INVOKE("record", "10"), VALUE("null", "10"));
    ask(&w,
        REQUEST("transaction",
                "'operations':[{'jsonrpc':'2.0','id':0,'method':'release','params':{'object':'" E
                "'}}]",
                "11"),
        VALUE("[{'id':0,'jsonrpc':'2.0','result':{'sessionId':'s'}}]", "11"));
    ask(&w, CREATE("'uri':'a.ogg'", "12"), VALUE("'" P "/<3>_kurento.RecorderEndpoint'", "12"));
    ask(&w,
        REQUEST("invoke", "'object':'" P "/<3>_kurento.RecorderEndpoint','operation':'record'",
                "13"),
        VALUE("null", "13"));
    frame(&w, 1, REQUEST("release", "'object':'" P "'", "14"));
    expect(&w, "");
    assert_whole_at_the_end();
}

static void its_session_is_gone(void **state)
{
    (void)state;
    make(CREATE("'uri':'a.ogg'", "2"));
    ask(&w, INVOKE("record", "10"), VALUE("null", "10"));
    kurento_socket_closed(w.k, w.now, 1);
    for (unsigned i = 0; i < 3; i++)
        kurento_timeout(w.k, w.now += COLLECTOR_PERIOD + 1);
    assert_int_equal(kurento_get_stats(w.k).pipelines, 0);
    assert_whole_at_the_end();
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(what_cannot_be_recorded_is_refused),
        TEST(without_a_folder_it_says_which_setting),
        TEST(it_is_a_uri_endpoint),
        TEST(it_is_told_what_happens),
        TEST(who_waits_is_answered_when_the_file_is_whole),
        TEST(it_records_again),
        TEST(a_folder_that_is_not_there),
        TEST(a_path_that_is_no_text),
        TEST(more_than_the_limit),
        TEST(without_memory_nothing_begins),
        TEST(who_waits_for_a_dead_disk_is_answered),
        TEST(released_on_a_dead_disk),
        TEST(released_while_it_records),
        TEST(released_and_not_waited_for),
        TEST(its_session_is_gone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
