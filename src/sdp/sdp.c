/* Session description: text to struct.
 *
 * Two passes: the first one counts lines and attributes (so that one allocation of the right
 * size is enough), the second one fills in the views. Only v=, m=, c= and a= lines mean something
 * here. The others are checked to be lines of SDP and left alone, as browsers do: nothing that
 * WebRTC needs stands in them, and refusing a call for a missing t= helps nobody.
 *
 *     text     v=0 | o=... | a=group:BUNDLE 0 | m=audio ... | a=mid:0 | a=rtcp-mux | m=video ...
 *     attrs               [ 0                ,              1        , 2          , ...
 *     session   ----------- 0..1
 *     media[0]  ------------------------------------------- 1..3
 */
#include "sdp/sdp.h"

#include <errno.h>

#include "base/mem.h"

/** Walks over the lines of a text. */
struct line_reader {
    struct str rest;
    unsigned number; /* of the line taken last, 1-based */
};

/** Everything that is a line of SDP (RFC 8866 §5), including what was dropped from it (k=). */
#define LINE_TYPES "vosiuepcbtrzkam"

static int fail(struct sdp_error *err, unsigned line, int code, const char *text)
{
    if (err)
        *err = (struct sdp_error){.line = line, .text = text};
    return code;
}

/** @return false at the end of the text */
static bool next_line(struct line_reader *r, struct str *ret)
{
    if (r->rest.len == 0)
        return false;
    struct str line = str_take_until(&r->rest, '\n');
    if (line.len && line.p[line.len - 1] == '\r')
        line.len--;
    r->number++;
    *ret = line;
    return true;
}

static bool has_char(struct str s, int c)
{
    return s.len && memchr(s.p, c, s.len);
}

static bool is_blank_to_the_end(struct str rest)
{
    return str_trim(rest).len == 0;
}

static int check_line(struct str line, unsigned number, struct sdp_error *err)
{
    if (has_char(line, 0))
        return fail(err, number, SDP_E_SYNTAX, "a NUL character");
    if (has_char(line, '\r'))
        return fail(err, number, SDP_E_SYNTAX, "a carriage return in the middle of a line");
    if (line.len < 2 || line.p[1] != '=' || !has_char(STR(LINE_TYPES), line.p[0]))
        return fail(err, number, SDP_E_SYNTAX, "not a line of a session description");
    if (number == 1 && !str_eq(str_trim(line), STR("v=0")))
        return fail(err, number, SDP_E_SYNTAX, "the first line must be v=0");
    return 0;
}

/** First pass: is every line a line, and how many are attributes? */
static int check_lines(struct str text, unsigned *ret_attrs, struct sdp_error *err)
{
    struct line_reader r = {.rest = text};
    struct str line;
    unsigned n_attrs = 0;

    while (next_line(&r, &line)) {
        if (line.len == 0 && is_blank_to_the_end(r.rest))
            break;
        if (r.number > SDP_MAX_LINES)
            return fail(err, r.number, SDP_E_LIMIT, "too many lines");
        int code = check_line(line, r.number, err);
        if (code)
            return code;
        n_attrs += line.p[0] == 'a';
    }
    if (r.number == 0 || is_blank_to_the_end(text))
        return fail(err, 0, SDP_E_SYNTAX, "an empty description");
    *ret_attrs = n_attrs;
    return 0;
}

static struct sdp_attr parse_attr(struct str value, unsigned line)
{
    struct str name = str_take_until(&value, ':');
    return (struct sdp_attr){.name = str_trim(name), .value = str_trim(value), .line = line};
}

static unsigned count_words(struct str s)
{
    unsigned n = 0;
    while (str_take_word(&s).len)
        n++;
    return n;
}

/** m=<media> <port>["/"<number of ports>] <proto> <format> ...   RFC 8866 §5.14 */
static int parse_media(struct str value, unsigned line, struct sdp_media *ret,
                       struct sdp_error *err)
{
    struct sdp_media m = {.line = line};
    m.type = str_take_word(&value);
    struct str ports = str_take_word(&value);
    struct str port = str_take_until(&ports, '/');
    m.proto = str_take_word(&value);
    m.formats = str_trim(value);
    uint64_t number;
    if (!str_to_u64(port, UINT16_MAX, &number))
        return fail(err, line, SDP_E_SYNTAX, "m= line without a port number");
    if (m.formats.len == 0)
        return fail(err, line, SDP_E_SYNTAX, "m= line without a format");
    if (count_words(m.formats) > SDP_MAX_FORMATS)
        return fail(err, line, SDP_E_LIMIT, "m= line with too many formats");
    m.port = (uint16_t)number;
    *ret = m;
    return 0;
}

/** Second pass. `attrs` has room for every attribute of the text. */
static int fill(struct sdp *s, struct str text, struct sdp_error *err)
{
    struct line_reader r = {.rest = text};
    struct str line;
    struct sdp_range *level = &s->session;
    struct str *connection = &s->connection;
    unsigned n_attrs = 0;

    while (next_line(&r, &line) && line.len) {
        struct str value = str_tail(line, 2);
        if (line.p[0] == 'a') {
            s->attrs[n_attrs++] = parse_attr(value, r.number);
            level->n++;
        } else if (line.p[0] == 'c' && connection->len == 0) {
            *connection = str_trim(value);
        } else if (line.p[0] == 'm') {
            if (s->n_media == SDP_MAX_MEDIA)
                return fail(err, r.number, SDP_E_LIMIT, "too many m= lines");
            struct sdp_media *m = &s->media[s->n_media];
            int code = parse_media(value, r.number, m, err);
            if (code)
                return code;
            m->attrs.first = n_attrs;
            level = &m->attrs;
            connection = &m->connection;
            s->n_media++;
        }
    }
    return 0;
}

int sdp_parse(struct sdp *ret, struct str text, struct sdp_error *err)
{
    unsigned n_attrs = 0;

    memset(ret, 0, sizeof(*ret));
    if (text.len > SDP_MAX_TEXT)
        return fail(err, 0, SDP_E_LIMIT, "a description longer than 64 KiB");
    int code = check_lines(text, &n_attrs, err);
    if (code)
        return code;
    if (n_attrs) {
        ret->attrs = mem_alloc(n_attrs * sizeof(*ret->attrs));
        if (!ret->attrs)
            return -ENOMEM;
    }
    code = fill(ret, text, err);
    if (code)
        sdp_deinit(ret);
    return code;
}

void sdp_deinit(struct sdp *s)
{
    mem_free(s->attrs);
    memset(s, 0, sizeof(*s));
}

const struct sdp_attr *sdp_next(const struct sdp *s, const struct sdp_media *m, struct str name,
                                const struct sdp_attr *after)
{
    const struct sdp_range *range = m ? &m->attrs : &s->session;
    if (range->n == 0)
        return NULL;
    const struct sdp_attr *end = s->attrs + range->first + range->n;
    for (const struct sdp_attr *a = after ? after + 1 : s->attrs + range->first; a < end; a++) {
        if (str_eq(a->name, name))
            return a;
    }
    return NULL;
}

const struct sdp_attr *sdp_find_inherited(const struct sdp *s, const struct sdp_media *m,
                                          struct str name)
{
    const struct sdp_attr *a = m ? sdp_find(s, m, name) : NULL;
    return a ? a : sdp_find(s, NULL, name);
}

const struct sdp_media *sdp_find_mid(const struct sdp *s, struct str mid)
{
    for (unsigned i = 0; i < s->n_media; i++) {
        const struct sdp_attr *a = sdp_find(s, &s->media[i], STR("mid"));
        if (a && a->value.len && str_eq(a->value, mid))
            return &s->media[i];
    }
    return NULL;
}

static bool has_word(struct str list, struct str word)
{
    for (struct str w; (w = str_take_word(&list)).len;) {
        if (str_eq(w, word))
            return true;
    }
    return false;
}

bool sdp_find_bundle(const struct sdp *s, struct str mid, struct str *ret_mids)
{
    const struct sdp_attr *a = NULL;
    while ((a = sdp_next(s, NULL, STR("group"), a))) {
        struct str mids = a->value;
        struct str semantics = str_take_word(&mids);
        if (str_eq(semantics, STR("BUNDLE")) && mid.len && has_word(mids, mid)) {
            *ret_mids = str_trim(mids);
            return true;
        }
    }
    return false;
}
