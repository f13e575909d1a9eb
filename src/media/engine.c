/*
 * The engine behind the media interface. The engine answers at once, the interface lets a backend
 * take its time: what is ready at once waits here as a notice until it is polled.
 */
#include "media/engine.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "base/list.h"
#include "base/mem.h"
#include "log/log.h"
#include "media/log.h"
#include "media/playing.h"
#include "media/quality.h"
#include "media/recording.h"
#include "net/loop.h"

/* What engine_call_start gave: polled as one ANSWERED and each candidate of each leg, or ENDED. A
 * later offer: polled as one REANSWERED or UNCHANGED. */
struct notice {
    struct list notices;
    uint64_t call_id;
    bool is_later;
    enum media_leg leg; /* is_later */
    bool is_refused;
    size_t n_polled;
    struct engine_answers answers;
};

struct media_engine {
    struct media media;
    struct engine *engine; /* owned */
    struct list notices;   /* struct notice, oldest first; owned */
    struct engine_event event;
    struct media_quality quality;
    struct media_recordings recordings;
    struct media_playings playings;
};

/* A call is a pipeline of its id; its endpoints are numbered like its legs, its taps follow. */
static const char *leg_name(unsigned leg)
{
    return leg == MEDIA_CALLER ? "caller" : "callee";
}

static struct media_engine *self(struct media *m)
{
    return CONTAINER_OF(m, struct media_engine, media);
}

static bool check_offer(struct media *m, struct str offer, char *error)
{
    _Static_assert(MEDIA_ERROR_MAX == ENGINE_ERROR_MAX, "one buffer serves both");
    (void)m;
    return engine_check_offer(offer, error);
}

/* What came of an offer will be polled; what broke is told at once. @return for the caller */
static int give_notice(struct media_engine *me, struct notice *notice, int err)
{
    if (err < 0) {
        mem_free(notice);
        return err;
    }
    notice->is_refused = err > 0;
    list_append(&me->notices, &notice->notices);
    me->media.wake(me->media.wake_user);
    return 0;
}

static int start(struct media *m, uint64_t call_id, struct str caller_offer,
                 struct str callee_offer, const struct str files[MEDIA_LEGS])
{
    struct media_engine *me = self(m);
    struct notice *notice = mem_zalloc(sizeof(*notice));
    if (!notice)
        return -ENOMEM;
    notice->call_id = call_id;
    int err = files ? media_recordings_expect(&me->recordings, call_id, files) : 0;
    if (!err)
        err = engine_call_start(me->engine, net_loop_now(), call_id,
                                (const struct str[]){caller_offer, callee_offer}, &notice->answers);
    if (err < 0)
        media_recordings_release(&me->recordings, net_loop_now(), call_id);
    return give_notice(me, notice, err);
}

static int play(struct media *m, uint64_t id, struct str file, struct str offer)
{
    struct media_engine *me = self(m);
    struct notice *notice = mem_zalloc(sizeof(*notice));
    if (!notice)
        return -ENOMEM;
    notice->call_id = id;
    int err = media_playings_start(&me->playings, net_loop_now(), id, file, offer,
                                   &notice->answers.legs[MEDIA_CALLER], notice->answers.error);
    return give_notice(me, notice, err);
}

static int renegotiate(struct media *m, uint64_t call_id, enum media_leg leg, struct str offer)
{
    struct media_engine *me = self(m);
    struct notice *notice = mem_zalloc(sizeof(*notice));
    if (!notice)
        return -ENOMEM;
    *notice = (struct notice){.call_id = call_id, .is_later = true, .leg = leg};
    struct engine_answers *a = &notice->answers;
    int err = engine_endpoint_answer_again(me->engine, net_loop_now(), call_id, leg, offer,
                                           &a->legs[leg], a->error);
    if (err < 0 || err == ENGINE_E_UNKNOWN)
        return give_notice(me, notice, err < 0 ? err : -ENOENT);
    LOG_SCOPE(call_id, leg_name(leg));
    if (err)
        log_info(MEDIA, "a later offer is refused: %s", a->error);
    else
        log_info(MEDIA, "%s", a->legs[leg].is_restart ? "ICE restarts" : "negotiated anew");
    return give_notice(me, notice, err);
}

static void add_candidate(struct media *m, uint64_t call_id, enum media_leg leg,
                          const struct media_candidate *candidate)
{
    /* One audio line a leg: which line the page names does not matter. */
    LOG_SCOPE(call_id, leg_name(leg));
    if (engine_add_candidate(self(m)->engine, call_id, leg, candidate->candidate,
                             candidate->ufrag) == ENGINE_E_CANDIDATE)
        log_debug(MEDIA, "candidate cannot be used, ignoring: %.*s",
                  STR_FMT(str_head(candidate->candidate, 200)));
}

static void ask_quality(struct media *m, uint64_t call_id, enum media_leg leg,
                        const struct media_hearing *hearing)
{
    struct media_engine *me = self(m);
    /* Who shows the people of a call how it is asks every few seconds. */
    if (media_recordings_look(&me->recordings, net_loop_now(), call_id))
        m->wake(m->wake_user);
    /* The second only if the first: the answer needs both. Without memory the page asks again. */
    if (media_quality_asked(&me->quality, net_loop_now(), call_id, leg, hearing) ||
        engine_snapshot(me->engine, call_id, MEDIA_CALLER, leg) ||
        engine_snapshot(me->engine, call_id, MEDIA_CALLEE, leg))
        log_debug(MEDIA, "a question for the quality of call %016" PRIx64 " has no answer",
                  call_id);
}

static void free_notice(struct notice *notice)
{
    list_remove(&notice->notices);
    mem_free(notice);
}

static void release(struct media *m, uint64_t call_id)
{
    struct media_engine *me = self(m);
    LIST_FOREACH(node, &me->notices) {
        struct notice *notice = CONTAINER_OF(node, struct notice, notices);
        if (notice->call_id == call_id)
            free_notice(notice);
    }
    media_recordings_release(&me->recordings, net_loop_now(), call_id);
    media_playings_release(&me->playings, call_id);
    engine_pipeline_release(me->engine, call_id);
}

static size_t n_candidates(const struct notice *notice)
{
    return notice->answers.legs[0].n_candidates + notice->answers.legs[1].n_candidates;
}

static void fill_candidate(const struct notice *notice, size_t i, struct media_event *ret)
{
    const struct engine_answer *legs = notice->answers.legs;
    ret->leg = i < legs[0].n_candidates ? MEDIA_CALLER : MEDIA_CALLEE;
    if (ret->leg == MEDIA_CALLEE)
        i -= legs[0].n_candidates;
    ret->type = MEDIA_EVENT_CANDIDATE;
    ret->candidate = (struct media_candidate){
        .candidate = str_of(legs[ret->leg].candidates[i]),
        .mid = str_of(legs[ret->leg].mid),
        .mline_index = legs[ret->leg].mline_index,
    };
}

static bool poll_later(struct notice *notice, struct media_event *ret)
{
    const struct engine_answers *a = &notice->answers;
    ret->leg = notice->leg;
    if (notice->is_refused) {
        ret->type = MEDIA_EVENT_UNCHANGED;
        ret->end = MEDIA_END_REFUSED;
        ret->text = a->error;
    } else {
        ret->type = MEDIA_EVENT_REANSWERED;
        ret->answer[notice->leg] = str_of(a->legs[notice->leg].sdp);
    }
    return notice->n_polled++ == 0;
}

/* The next thing that a notice has to say. @return false = nothing more */
static bool poll_notice(struct notice *notice, struct media_event *ret)
{
    const struct engine_answers *a = &notice->answers;

    *ret = (struct media_event){.call_id = notice->call_id};
    if (notice->is_later)
        return poll_later(notice, ret);
    size_t n = notice->n_polled++;
    if (notice->is_refused) {
        ret->type = MEDIA_EVENT_ENDED;
        ret->leg = a->bad_leg ? MEDIA_CALLEE : MEDIA_CALLER;
        ret->end = MEDIA_END_REFUSED;
        ret->text = a->error;
        return n == 0;
    }
    if (n > 0) {
        if (n > n_candidates(notice))
            return false;
        fill_candidate(notice, n - 1, ret);
        return true;
    }
    ret->type = MEDIA_EVENT_ANSWERED;
    for (unsigned leg = 0; leg < MEDIA_LEGS; leg++)
        ret->answer[leg] = str_of(a->legs[leg].sdp);
    return true;
}

static const struct {
    enum media_end end;
    const char *text;
} ends[] = {
    [ENGINE_END_ICE_FAILED] = {MEDIA_END_FAILED, "no network path to the browser was found"},
    [ENGINE_END_DTLS_FAILED] = {MEDIA_END_FAILED, "the encrypted connection could not be made"},
    [ENGINE_END_CONSENT_LOST] = {MEDIA_END_LOST, "the network connection to the browser is lost"},
    [ENGINE_END_REMOTE_CLOSED] = {MEDIA_END_REMOTE_CLOSED, "the browser closed its connection"},
    [ENGINE_END_BROKEN] = {MEDIA_END_BROKEN, "the media server is out of resources"},
};

static void log_leg(uint64_t call_id, const struct media_quality_end *end, enum media_leg leg)
{
    char buf[MEDIA_LOG_MAX];
    struct text t;
    LOG_SCOPE(call_id, leg_name(leg));
    text_init(&t, buf, sizeof(buf));
    media_log_write(&t, end, leg);
    log_info(MEDIA, "%s", buf);
}

/* Both lines are written when both legs are gone: how one sounded is known by the other. */
static void log_end(struct media_engine *me, const struct engine_event *event)
{
    struct media_quality_end end;
    enum media_leg leg = event->endpoint ? MEDIA_CALLEE : MEDIA_CALLER;
    if (media_quality_gone(&me->quality, event->pipeline, leg, event->stats, &end))
        return;
    log_leg(event->pipeline, &end, MEDIA_CALLER);
    log_leg(event->pipeline, &end, MEDIA_CALLEE);
}

/* @return true: *ret is an answer for the page that asked */
static bool answer_quality(struct media_engine *me, const struct engine_event *event,
                           struct media_event *ret)
{
    struct relay_quality_report report;
    enum media_leg asker = event->tag ? MEDIA_CALLEE : MEDIA_CALLER;
    if (!media_quality_figures(&me->quality, net_loop_now(), event->pipeline, asker, ret->leg,
                               &event->stats->media, &report))
        return false;
    ret->type = MEDIA_EVENT_QUALITY;
    ret->leg = asker;
    for (unsigned leg = 0; leg < MEDIA_LEGS; leg++) {
        struct rtp_line_grade line = report.ends[leg].steady;
        ret->lines[leg].grade = rtp_grade_name(line.grade);
        if (line.trouble != RTP_TROUBLE_NONE)
            ret->lines[leg].trouble = rtp_trouble_name(line.trouble);
    }
    return true;
}

/* Of taps and players, which nobody made but this backend. */
static bool is_of_helper(const struct engine_event *event)
{
    return event->type != ENGINE_EVENT_GONE && event->type != ENGINE_EVENT_PLAYED &&
           event->endpoint >= MEDIA_LEGS;
}

static bool poll_engine(struct media_engine *me, struct media_event *ret)
{
    struct engine_event *event = &me->event;
    while (engine_poll_event(me->engine, ENGINE_CALLS, event)) {
        if (is_of_helper(event))
            continue;
        *ret = (struct media_event){.call_id = event->pipeline,
                                    .leg = event->endpoint ? MEDIA_CALLEE : MEDIA_CALLER};
        switch (event->type) {
        case ENGINE_EVENT_PATH:
            break;
        case ENGINE_EVENT_CONNECTED:
            ret->type = MEDIA_EVENT_CONNECTED;
            media_recordings_connected(&me->recordings, net_loop_now(), ret->call_id, ret->leg);
            media_playings_connected(&me->playings, ret->call_id);
            return true;
        case ENGINE_EVENT_ENDED:
            ret->type = MEDIA_EVENT_ENDED;
            ret->end = ends[event->end].end;
            ret->text = ends[event->end].text;
            return true;
        case ENGINE_EVENT_SNAPSHOT:
            if (answer_quality(me, event, ret))
                return true;
            break;
        case ENGINE_EVENT_PLAYED:
            ret->type = MEDIA_EVENT_ENDED;
            ret->end = MEDIA_END_PLAYED;
            return true;
        case ENGINE_EVENT_ENDPOINT_GONE:
            log_end(me, event);
            break;
        case ENGINE_EVENT_GONE:
            media_quality_forget(&me->quality, event->pipeline);
            break;
        }
    }
    return false;
}

static bool poll_event(struct media *m, struct media_event *ret)
{
    struct media_engine *me = self(m);
    enum media_end end;
    uint64_t id;
    media_recordings_poll(&me->recordings);
    *ret = (struct media_event){.type = MEDIA_EVENT_RECORDING};
    if (media_recordings_poll_change(&me->recordings, &ret->call_id, ret->is_recorded))
        return true;
    if (media_playings_poll(&me->playings, &id, &end)) {
        *ret = (struct media_event){.type = MEDIA_EVENT_ENDED, .call_id = id, .end = end};
        return true;
    }
    while (!list_is_empty(&me->notices)) {
        struct notice *notice = CONTAINER_OF(me->notices.next, struct notice, notices);
        if (poll_notice(notice, ret))
            return true;
        free_notice(notice);
    }
    return poll_engine(me, ret);
}

static void free_media(struct media *m)
{
    struct media_engine *me = self(m);
    engine_free(me->engine);
    while (!list_is_empty(&me->notices))
        free_notice(CONTAINER_OF(me->notices.next, struct notice, notices));
    media_quality_deinit(&me->quality);
    media_playings_deinit(&me->playings);
    media_recordings_deinit(&me->recordings);
    mem_free(me);
}

static const struct media_ops ops = {
    .check_offer = check_offer,
    .start = start,
    .play = play,
    .renegotiate = renegotiate,
    .add_candidate = add_candidate,
    .ask_quality = ask_quality,
    .release = release,
    .poll_event = poll_event,
    .free = free_media,
};

struct media *media_engine_new(const struct engine_config *config, struct recorder *recorder,
                               struct player *player, struct rng *rng, char *error)
{
    struct media_engine *me = mem_zalloc(sizeof(*me));
    if (!me)
        return NULL;
    list_init(&me->notices);
    media_quality_init(&me->quality, rng);
    me->media = (struct media){.ops = &ops, .wake = config->wake, .wake_user = config->wake_user};
    me->engine = engine_new(config, rng, error);
    if (!me->engine) {
        mem_free(me);
        return NULL;
    }
    media_recordings_init(&me->recordings, me->engine, recorder, rng);
    media_playings_init(&me->playings, me->engine, player, &me->recordings, rng);
    return &me->media;
}

struct engine *media_engine_of(struct media *m)
{
    return self(m)->engine;
}
