/* PlayerEndpoint with a real engine and a real reader: what is answered, and what is told. */
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "play/player.h"
#include "record/recorder.h"
#include "unit/play/tone.h"

#define TYPE "PlayerEndpoint"
#include "uri_endpoint.h"

#define MAX_PLAYINGS 4 /* what was stopped counts until it was let go of */

static void wake_test(void *user)
{
    (void)user; /* the test polls */
}

#define SEEK(ms, id)                                                                               \
    REQUEST("invoke",                                                                              \
            "'object':'" E "','operation':'setPosition','operationParams':{'position':" ms "}",    \
            id)

#define ERROR(text, type)                                                                          \
    "1 < {'jsonrpc':'2.0','method':'onEvent','params':{'value':{'data':{'description':'" text      \
    "','errorCode':0,'source':'" E "','tags':[],'timestampMillis':'1795375000000','type':'" type   \
    "'},'object':'" E "','type':'Error'}}}\n"
#define INFO(seekable, ms)                                                                         \
    "{'__module__':'kurento','__type__':'VideoInfo','duration':" ms ",'isSeekable':" seekable      \
    ",'seekableEnd':" ms ",'seekableInit':0}"

static const char *path_of(const char *name)
{
    static char path[100];
    (void)snprintf(path, sizeof(path), "%s/%s", folder, name);
    return path;
}

static void write_tone(const char *name, unsigned ms)
{
    size_t len;
    uint8_t *wav = tone_wav(ms, &len);
    tone_write_file(path_of(name), wav, len);
    free(wav);
}

static struct player *player_of_test(void)
{
    static const char *const hosts[] = {"media.example"};
    char error[PLAY_ERROR_MAX];
    const struct player_config config = {
        .rights[PLAYER_PIPELINES] = {.folder = folder,
                                     .setting = "player.dir",
                                     .hosts = hosts,
                                     .n_hosts = 1},
        .max_playings = MAX_PLAYINGS,
        .wake = wake_test,
    };
    struct player *player = player_new(&config, error);
    if (!player)
        fail_msg("%s", error);
    return player;
}

static struct recorder *recorder_of_test(void)
{
    static struct rng rng;
    char error[RECORDER_ERROR_MAX];
    const struct recorder_config config = {
        .folder = folder, .max_recordings = 1, .wake = wake_test};
    rng_init_seeded(&rng, 1);
    struct recorder *recorder = recorder_new(&config, &rng, error);
    if (!recorder)
        fail_msg("%s", error);
    return recorder;
}

static int set_up(void **state)
{
    (void)state;
    make_folder();
    open_pipeline(recorder_of_test(), player_of_test());
    return 0;
}

static int tear_down(void **state)
{
    char command[100];
    (void)state;
    world_deinit(&w);
    (void)snprintf(command, sizeof(command), "rm -r %s", folder);
    return system(command); /* NOLINT: a folder of ours */
}

/* Until all of it was sent. */
static void expect_told(const char *transcript)
{
    while (w.t.len < strlen(transcript)) { /* single quotes stand for as many double ones */
        usleep(1000);
        kurento_media_ready(w.k, w.now);
    }
    expect(&w, transcript);
}

static void make_told(const char *create)
{
    static const char *const events[] = {"UriEndpointStateChanged", "EndOfStream", "Error"};
    make(create);
    for (size_t i = 0; i < ARRAY_LEN(events); i++)
        subscribe(E, events[i], i);
}

/* The number that getPosition answers. */
static long position(void)
{
    static unsigned id = 1000;
    char request[256];
    (void)snprintf(request, sizeof(request),
                   REQUEST("invoke", "'object':'" E "','operation':'getPosition'", "%u"), id++);
    text_init(&w.t, w.transcript, sizeof(w.transcript));
    frame(&w, 1, request);
    const char *value = strstr(w.transcript, "\"value\":");
    assert_non_null(value);
    text_init(&w.t, w.transcript, sizeof(w.transcript));
    return strtol(value + 8, NULL, 10);
}

static void wait_position(long ms)
{
    while (position() < ms)
        usleep(1000);
}

/* --- what can be made --- */

#define ILLEGAL "MEDIA_OBJECT_ILLEGAL_PARAM_ERROR"

static void what_cannot_be_played_is_refused(void **state)
{
    static const struct {
        const char *request, *answer;
    } rows[] = {
        {CREATE("'uri':'rtsp://camera/1'", "10"),
         REFUSED("40107", ILLEGAL,
                 "'rtsp://camera/1': only file://, http:// and https:// URIs can be played", "10")},
        {CREATE("'uri':'file:///etc/passwd'", "11"),
         REFUSED("40107", ILLEGAL, "'file:///etc/passwd': the file is not below player.dir", "11")},
        {CREATE("'uri':'http://127.0.0.1/a.ogg'", "12"),
         REFUSED("40107", ILLEGAL,
                 "'http://127.0.0.1/a.ogg': player.http does not name the host 127.0.0.1:80",
                 "12")},
        {CREATE("'uri':''", "13"), REFUSED("40107", ILLEGAL, "'': the URI names no file", "13")},
        {CREATE("'useEncodedMedia':true", "14"),
         REFUSED("40001", "MARSHALL_ERROR", "'uri' parameter should be a string", "14")},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        ask(&w, rows[i].request, rows[i].answer);
}

static void without_a_setting_it_says_which(void **state)
{
    static struct world off;
    (void)state;
    world_init(&off);
    open_socket(&off, 1);
    ask(&off, REQUEST("create", "'type':'MediaPipeline'", "1"), VALUE("'" P "'", "1"));
    ask(&off, CREATE("'uri':'a.webm'", "2"),
        REFUSED("40108", "MEDIA_OBJECT_NOT_AVAILABLE",
                "this server does not play: its settings player.dir and player.http are empty",
                "2"));
    world_deinit(&off);
}

static void it_is_a_uri_endpoint(void **state)
{
    (void)state;
    make(CREATE("'uri':'a.wav','useEncodedMedia':true,'networkCache':2000", "2"));
    ask(&w, INVOKE("getUri", "3"), VALUE("'a.wav'", "3"));
    ask(&w, INVOKE("getState", "4"), VALUE("'STOP'", "4"));
    ask(&w, INVOKE("stop", "5"), VALUE("null", "5"));
    ask(&w, INVOKE("pause", "6"), VALUE("null", "6"));
    ask(&w, INVOKE("getState", "7"), VALUE("'STOP'", "7"));
    ask(&w, INVOKE("getPosition", "8"), VALUE("0", "8"));
    ask(&w, SEEK("100", "9"),
        REFUSED("40700", "PLAYER_SEEK_FAIL", "Seek fails: nothing is being played", "9"));
    ask(&w, REQUEST("describe", "'object':'" E "'", "10"),
        "{'id':10,'jsonrpc':'2.0','result':{'hierarchy':['kurento.UriEndpoint','kurento.Endpoint',"
        "'kurento.MediaElement','kurento.MediaObject'],'qualifiedType':'kurento.PlayerEndpoint',"
        "'sessionId':'s','type':'PlayerEndpoint'}}");
}

/* --- play, pause, stop --- */

static void it_plays_to_its_end_and_again(void **state)
{
    (void)state;
    write_tone("a.wav", 200);
    make_told(CREATE("'uri':'a.wav'", "2"));
    for (unsigned i = 0; i < 2; i++) {
        frame(&w, 1, i ? INVOKE("play", "11") : INVOKE("play", "10"));
        expect_told(i ? STATE("START") "1 < " VALUE("null", "11") "\n" TOLD("EndOfStream", "")
                            STATE("STOP")
                      : STATE("START") "1 < " VALUE("null", "10") "\n" TOLD("EndOfStream", "")
                            STATE("STOP"));
        assert_int_equal(position(), 0);
    }
}

static void a_pause_holds_it(void **state)
{
    (void)state;
    write_tone("a.wav", 300);
    make_told(CREATE("'uri':'a.wav'", "2"));
    frame(&w, 1, INVOKE("play", "10"));
    frame(&w, 1, INVOKE("play", "11")); /* it does already */
    expect_told(STATE("START") "1 < " VALUE("null", "10") "\n1 < " VALUE("null", "11") "\n");
    wait_position(100);
    frame(&w, 1, INVOKE("pause", "12"));
    expect_told(STATE("PAUSE") "1 < " VALUE("null", "12") "\n");
    ask(&w, INVOKE("getState", "13"), VALUE("'PAUSE'", "13"));
    usleep(100000); /* the worker takes note, and time passes */
    long at = position();
    assert_in_range(at, 100, 250);
    usleep(100000);
    assert_int_equal(position(), at);
    frame(&w, 1, INVOKE("play", "14"));
    expect_told(STATE("START") "1 < " VALUE("null", "14") "\n" TOLD("EndOfStream", "")
                    STATE("STOP"));
}

static void a_stop_begins_anew(void **state)
{
    (void)state;
    write_tone("a.wav", 60000);
    make_told(CREATE("'uri':'a.wav'", "2"));
    frame(&w, 1, INVOKE("play", "10"));
    wait_position(100);
    frame(&w, 1, INVOKE("stop", "11"));
    expect_told(STATE("STOP") "1 < " VALUE("null", "11") "\n");
    assert_int_equal(position(), 0);
    frame(&w, 1, INVOKE("play", "12"));
    assert_in_range(position(), 0, 60);
}

static void a_position_is_gone_to(void **state)
{
    (void)state;
    write_tone("a.wav", 60000);
    make_told(CREATE("'uri':'a.wav'", "2"));
    frame(&w, 1, INVOKE("play", "10"));
    expect_told(STATE("START") "1 < " VALUE("null", "10") "\n");
    ask(&w, SEEK("30000", "11"), VALUE("null", "11"));
    wait_position(30040);
    frame(&w, 1, INVOKE("pause", "12"));
    expect_told(STATE("PAUSE") "1 < " VALUE("null", "12") "\n");
    ask(&w, SEEK("59900", "13"), VALUE("null", "13")); /* and paused still */
    usleep(200000);
    assert_int_equal(position(), 59900);
    ask(&w, SEEK("-1", "14"),
        REFUSED("40700", "PLAYER_SEEK_FAIL", "Seek fails: no such position", "14"));
    ask(&w, SEEK("9223372036854775807", "15"),
        REFUSED("40700", "PLAYER_SEEK_FAIL", "Seek fails: no such position", "15"));
    frame(&w, 1, INVOKE("play", "16"));
    expect_told(STATE("START") "1 < " VALUE("null", "16") "\n" TOLD("EndOfStream", "")
                    STATE("STOP"));
}

/* The word of an end is on its way while somebody goes to another position: it is not its end. */
static void an_end_that_was_left_is_none(void **state)
{
    (void)state;
    write_tone("a.wav", 3000);
    make_told(CREATE("'uri':'a.wav'", "2"));
    frame(&w, 1, INVOKE("play", "10"));
    frame(&w, 1, SEEK("2900", "11"));
    wait_position(3000);
    usleep(100000); /* the worker has told it, nobody has read it */
    ask(&w, SEEK("0", "12"), VALUE("null", "12"));
    kurento_media_ready(w.k, w.now);
    expect(&w, "");
    ask(&w, SEEK("2900", "13"), VALUE("null", "13"));
    expect_told(TOLD("EndOfStream", "") STATE("STOP"));
}

/* --- trouble --- */

static void what_is_wrong_is_told(void **state)
{
    (void)state;
    make_told(CREATE("'uri':'missing.ogg'", "2"));
    frame(&w, 1, INVOKE("play", "10"));
    expect_told(STATE("START") "1 < " VALUE("null", "10") "\n" ERROR(
        "Invalid URI: there is no such file", "INVALID_URI") STATE("STOP"));
    tone_write_file(path_of("missing.ogg"), "now it is there, but no media", 29);
    frame(&w, 1, INVOKE("play", "11"));
    expect_told(STATE("START") "1 < " VALUE("null", "11") "\n" ERROR(
        "Invalid Media: it is neither Ogg nor WebM nor WAV", "INVALID_MEDIA") STATE("STOP"));
}

/* A file of Opus with so much behind it that is none. */
static void write_damaged(const char *name)
{
    static uint8_t bytes[400000];
    FILE *f = fopen(DUET_TEST_DATA "/play/opusenc.opus", "rb");
    assert_non_null(f);
    assert_true(fread(bytes, 1, sizeof(bytes), f) > 1000);
    (void)fclose(f);
    tone_write_file(path_of(name), bytes, sizeof(bytes));
}

/* What was read is heard, although nothing follows. */
static void trouble_on_the_way_is_not_the_end(void **state)
{
    (void)state;
    write_damaged("a.ogg");
    make_told(CREATE("'uri':'a.ogg'", "2"));
    frame(&w, 1, INVOKE("play", "10"));
    expect_told(STATE("START") "1 < " VALUE("null", "10") "\n" ERROR(
        "Cannot be read: more than 262144 bytes of it are not Ogg", "UNEXPECTED_ELEMENT_ERROR")
                    TOLD("EndOfStream", "") STATE("STOP"));
}

static void more_than_the_limit(void **state)
{
    (void)state;
    write_tone("a.wav", 100);
    make(CREATE("'uri':'a.wav'", "2"));
    for (unsigned i = 0; i < MAX_PLAYINGS; i++) {
        struct playing *taken;
        const struct player_order order = {.front = PLAYER_PIPELINES, .uri = STR("a.wav")};
        assert_int_equal(player_start(w.player, &order, &taken), 0);
    }
    ask(&w, INVOKE("play", "10"),
        REFUSED("40009", "NOT_ENOUGH_RESOURCES",
                "as many files as player.max_files allows are being played", "10"));
    ask(&w, INVOKE("getState", "11"), VALUE("'STOP'", "11"));
    kurento_free(w.k); /* it knows nothing of what the test has started */
    w.k = NULL;
}

static void without_memory_nothing_begins(void **state)
{
    (void)state;
    write_tone("a.wav", 100);
    make(CREATE("'uri':'a.wav'", "2"));
    for (unsigned n = 1;; n++) {
        char request[512];
        (void)snprintf(request, sizeof(request), INVOKE("play", "%u"), 100 + n);
        mem_fail_at(n);
        frame(&w, 1, request);
        bool was_reached = mem_count() >= n;
        mem_fail_at(0);
        if (!was_reached) {
            assert_true(n > 4);
            break;
        }
        frame(&w, 1, INVOKE("stop", "20"));
        kurento_media_ready(w.k, w.now);
        text_init(&w.t, w.transcript, sizeof(w.transcript));
        w.now += 30 * US_PER_S; /* the answer is forgotten */
        while (w.player && position() != 0)
            usleep(1000);
    }
}

/* --- how long it is --- */

static void its_length_is_told(void **state)
{
    (void)state;
    write_tone("a.wav", 61000);
    make(CREATE("'uri':'a.wav'", "2"));
    frame(&w, 1, INVOKE("getVideoInfo", "10"));
    frame(&w, 1, INVOKE("getVideoInfo", "11"));
    expect_told(
        "1 < " VALUE(INFO("true", "61000"), "10") "\n1 < " VALUE(INFO("true", "61000"), "11") "\n");
}

static void the_length_of_what_is_not_there(void **state)
{
    (void)state;
    make(CREATE("'uri':'missing.ogg'", "2"));
    frame(&w, 1, INVOKE("getVideoInfo", "10"));
    expect_told("1 < " VALUE(INFO("false", "0"), "10") "\n");
}

static void the_length_of_what_a_server_has_is_not_known(void **state)
{
    (void)state;
    make(CREATE("'uri':'http://media.example/a.ogg'", "2"));
    ask(&w, INVOKE("getVideoInfo", "10"), VALUE(INFO("true", "0"), "10"));
}

/* What is kept for those who wait is bounded. */
static void as_many_answers_come_later_as_are_kept(void **state)
{
    (void)state;
    char request[1000], id[300];
    write_tone("a.wav", 100);
    make(CREATE("'uri':'a.wav'", "2"));
    memset(id, 'x', sizeof(id));
    id[sizeof(id) - 1] = 0;
    (void)snprintf(request, sizeof(request), INVOKE("getVideoInfo", "'%s'"), id);
    frame(&w, 1, request);
    assert_non_null(strstr(w.transcript, "256 bytes is not kept"));
    text_init(&w.t, w.transcript, sizeof(w.transcript));
    for (unsigned i = 0; i < 20000; i++) {
        (void)snprintf(request, sizeof(request), INVOKE("getVideoInfo", "%u"), 10 + i);
        frame(&w, 1, request);
    }
    ask(&w, INVOKE("getVideoInfo", "30000"),
        REFUSED("40009", "NOT_ENOUGH_RESOURCES", "20000 answers are outstanding: no more",
                "30000"));
}

/* --- the end --- */

static void released_while_it_plays(void **state)
{
    (void)state;
    write_tone("a.wav", 60000);
    make(CREATE("'uri':'a.wav'", "2"));
    ask(&w, INVOKE("play", "10"), VALUE("null", "10"));
    frame(&w, 1, INVOKE("getVideoInfo", "11"));
    frame(&w, 1, REQUEST("release", "'object':'" E "'", "12"));
    expect(&w, "1 < " REFUSED("40101", "MEDIA_OBJECT_NOT_FOUND", "Object '" E "' not found",
                              "11") "\n1 < {'id':12,'jsonrpc':'2.0','result':{"
                                    "'sessionId':'s'}}\n");
    for (unsigned i = 0; i < 20; i++) {
        usleep(5000);
        kurento_media_ready(w.k, w.now);
    }
    expect(&w, "");
}

/* Who hears it directly, and wants to know. */
static void a_recorder_ends_with_it(void **state)
{
    struct timespec ts;
    (void)state;
    (void)clock_gettime(CLOCK_MONOTONIC, &ts); /* the recorder compares it with that of packets */
    w.now = (mono_us)ts.tv_sec * US_PER_S + ts.tv_nsec / 1000;
    write_tone("a.wav", 200);
    make(CREATE("'uri':'a.wav'", "2"));
    ask(&w,
        REQUEST("create",
                "'type':'RecorderEndpoint','constructorParams':{'mediaPipeline':'" P
                "','uri':'b.ogg','stopOnEndOfStream':true}",
                "3"),
        VALUE("'" P "/<3>_kurento.RecorderEndpoint'", "3"));
#define R P "/<3>_kurento.RecorderEndpoint"
    ask(&w,
        REQUEST("invoke",
                "'object':'" E "','operation':'connect','operationParams':{'sink':'" R "'}", "4"),
        VALUE("null", "4"));
    ask(&w, REQUEST("invoke", "'object':'" R "','operation':'record'", "5"), VALUE("null", "5"));
    subscribe(R, "Stopped", 9);
    frame(&w, 1, INVOKE("play", "6"));
    while (!strstr(w.transcript, "Stopped")) {
        usleep(1000);
        kurento_media_ready(w.k, w.now);
    }
    struct stat st;
    assert_int_equal(stat(path_of("b.ogg"), &st), 0);
    assert_in_range(st.st_size, 800, 10000); /* 200 ms of 64 kbit/s, and little before */
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(what_cannot_be_played_is_refused),
        TEST(without_a_setting_it_says_which),
        TEST(it_is_a_uri_endpoint),
        TEST(it_plays_to_its_end_and_again),
        TEST(a_pause_holds_it),
        TEST(a_stop_begins_anew),
        TEST(a_position_is_gone_to),
        TEST(an_end_that_was_left_is_none),
        TEST(what_is_wrong_is_told),
        TEST(trouble_on_the_way_is_not_the_end),
        TEST(more_than_the_limit),
        TEST(without_memory_nothing_begins),
        TEST(its_length_is_told),
        TEST(the_length_of_what_is_not_there),
        TEST(the_length_of_what_a_server_has_is_not_known),
        TEST(as_many_answers_come_later_as_are_kept),
        TEST(released_while_it_plays),
        TEST(a_recorder_ends_with_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
