/* Recorded calls, as far as their pages are concerned: see the header. */
#include "signal/recording.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <time.h>

#include "base/mem.h"
#include "base/text.h"
#include "base/time.h"
#include "base/utf8.h"
#include "call/name.h"

/* ---- names of files ---- */

static void put_time(struct text *t, int64_t wall)
{
    const time_t seconds = (time_t)(wall / US_PER_S);
    struct tm utc = {0};
    char date[24] = "";
    (void)gmtime_r(&seconds, &utc);
    (void)strftime(date, sizeof(date), "%Y-%m-%d_%H-%M-%S", &utc);
    text_printf(t, "%s-%03d", date, (int)(wall / US_PER_MS % 1000));
}

static bool is_plain(uint32_t c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '_';
}

/* One byte a character: the longest name has 64 of them. */
static void put_name(struct text *t, struct str name)
{
    _Static_assert(SIGNAL_RECORDING_NAME_MAX >= CALL_NAME_MAX_CHARS, "all of a name fits");
    uint32_t c;
    while (utf8_take(&name, &c)) {
        const char plain = is_plain(c) ? (char)c : '_';
        text_put(t, (struct str){&plain, 1});
    }
}

void signal_recording_name(int64_t wall, uint64_t call_id, const struct str names[CALL_LEGS],
                           struct signal_recording_files *ret)
{
    static const char *const legs[] = {[CALL_CALLER] = "caller", [CALL_CALLEE] = "callee"};
    for (int leg = 0; leg < CALL_LEGS; leg++) {
        struct text t;
        text_init(&t, ret->of[leg], sizeof(ret->of[leg]));
        put_time(&t, wall);
        text_printf(&t, "-%016" PRIx64 "-%s-", call_id, legs[leg]);
        put_name(&t, names[leg]);
        text_put(&t, STR(".webm"));
        assert(!t.failed);
    }
}

/* ---- who may hear them ---- */

struct heard_call {
    struct list calls;
    uint64_t id;
    char name[CALL_LEGS][CALL_NAME_SIZE];
    struct signal_recording_files files;
};

void signal_recordings_init(struct signal_recordings *r)
{
    list_init(&r->calls);
    r->n = 0;
}

static void forget(struct signal_recordings *r, struct list *node)
{
    list_remove(node);
    mem_free(CONTAINER_OF(node, struct heard_call, calls));
    r->n--;
}

void signal_recordings_clear(struct signal_recordings *r)
{
    LIST_FOREACH(node, &r->calls)
        forget(r, node);
}

void signal_recordings_forget(struct signal_recordings *r, uint64_t call_id)
{
    LIST_FOREACH(node, &r->calls) {
        if (CONTAINER_OF(node, struct heard_call, calls)->id == call_id)
            forget(r, node);
    }
}

int signal_recordings_add(struct signal_recordings *r, uint64_t call_id,
                          const struct str names[CALL_LEGS],
                          const struct signal_recording_files *files)
{
    struct heard_call *call = mem_zalloc(sizeof(*call));
    if (!call)
        return -ENOMEM;
    for (int leg = 0; leg < CALL_LEGS; leg++) {
        bool fits = str_copy(names[leg], call->name[leg], sizeof(call->name[leg]));
        assert(fits);
    }
    call->id = call_id;
    call->files = *files;
    if (r->n == SIGNAL_RECORDINGS_MAX)
        forget(r, r->calls.next);
    list_append(&r->calls, &call->calls);
    r->n++;
    return 0;
}

struct str signal_recordings_find(const struct signal_recordings *r, struct str user)
{
    struct str found = {0};
    LIST_FOREACH(node, &r->calls) {
        const struct heard_call *call = CONTAINER_OF(node, struct heard_call, calls);
        for (int leg = 0; leg < CALL_LEGS; leg++) {
            if (str_eq(user, str_of(call->name[leg])))
                found = str_of(call->files.of[leg]);
        }
    }
    return found;
}
