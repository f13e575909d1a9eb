/**
 * Offers answered, and every answer checked: check_answer() reads both texts with a line splitter
 * of its own (not with the parser under test) and holds them against RFC 3264, 8843 and 8285: same
 * lines in the same order, nothing in the answer that was not offered.
 */
#ifndef TESTS_UNIT_PEER_ANSWERS_H
#define TESTS_UNIT_PEER_ANSWERS_H

#include "unit/peer/offers.h"

/* ---- an independent reader of SDP ------------------------------------------------------ */

struct section {
    struct str lines[1024]; /* without line ends; [0] is the m= line (session: v=) */
    unsigned n;
};

struct split {
    struct section sections[SDP_MAX_MEDIA + 1]; /* [0] = session */
    unsigned n;
};

static inline void split(struct str text, struct split *ret)
{
    ret->n = 1;
    ret->sections[0].n = 0;
    while (text.len) {
        struct str line = str_trim(str_take_until(&text, '\n'));
        if (str_starts_with(line, STR("m=")))
            ret->sections[ret->n++].n = 0;
        struct section *s = &ret->sections[ret->n - 1];
        assert_true(s->n < ARRAY_LEN(s->lines));
        s->lines[s->n++] = line;
    }
}

/** What follows the n-th line that begins like this; a NULL view = none. */
static inline struct str line_after(const struct section *s, const char *start, unsigned nth)
{
    for (unsigned i = 0; i < s->n; i++) {
        if (str_starts_with(s->lines[i], str_of(start)) && nth-- == 0)
            return str_tail(s->lines[i], strlen(start));
    }
    return (struct str){0};
}

static inline bool has_line(const struct section *s, const char *line)
{
    for (unsigned i = 0; i < s->n; i++) {
        if (str_eq(s->lines[i], str_of(line)))
            return true;
    }
    return false;
}

static inline bool is_among(struct str list, struct str word)
{
    for (struct str w; (w = str_take_word(&list)).len;) {
        if (str_eq(w, word))
            return true;
    }
    return false;
}

/** "111" -> "opus/48000/2" of a section, by its own a=rtpmap; static ones by what RFC 3551 says. */
static inline struct str encoding_of(const struct section *s, struct str pt)
{
    struct str map;
    for (unsigned i = 0; (map = line_after(s, "a=rtpmap:", i)).p; i++) {
        if (str_eq(str_take_word(&map), pt))
            return str_trim(map);
    }
    if (str_eq(pt, STR("0")))
        return STR("PCMU/8000");
    if (str_eq(pt, STR("8")))
        return STR("PCMA/8000");
    if (str_eq(pt, STR("13")))
        return STR("CN/8000");
    return str_eq(pt, STR("9")) ? STR("G722/8000") : (struct str){0};
}

static inline void check_m_line(const struct section *o, const struct section *a, bool accepted)
{
    struct str offered = o->lines[0], answered = a->lines[0];
    assert_true(str_eq(str_take_word(&offered), str_take_word(&answered))); /* kind */
    (void)str_take_word(&offered);
    struct str port = str_take_word(&answered);
    assert_true(str_eq(port, accepted ? STR("9") : STR("0")));
    assert_true(str_eq(str_take_word(&offered), str_take_word(&answered))); /* proto */
    unsigned n = 0;
    for (struct str pt; (pt = str_take_word(&answered)).len; n++) {
        assert_true(is_among(offered, pt));
        if (accepted)
            assert_true(str_eq(encoding_of(o, pt), encoding_of(a, pt)));
    }
    assert_true(n > 0);
    struct str mid = line_after(o, "a=mid:", 0);
    assert_true(str_eq(mid, line_after(a, "a=mid:", 0)));
}

static inline struct str setup_of(const struct split *s, const struct section *m)
{
    struct str setup = line_after(m, "a=setup:", 0);
    if (!setup.p)
        setup = line_after(&s->sections[0], "a=setup:", 0);
    return setup;
}

static inline void check_extmaps(const struct split *o, const struct section *om,
                                 const struct section *am)
{
    struct str taken;
    for (unsigned i = 0; (taken = line_after(am, "a=extmap:", i)).p; i++) {
        struct str id = str_take_word(&taken);
        struct str number = str_take_until(&id, '/');
        bool found = false;
        const struct section *levels[] = {om, &o->sections[0]};
        for (size_t l = 0; l < ARRAY_LEN(levels); l++) {
            struct str e;
            for (unsigned k = 0; (e = line_after(levels[l], "a=extmap:", k)).p; k++) {
                struct str offered_id = str_take_word(&e);
                if (str_eq(str_take_until(&offered_id, '/'), number) &&
                    str_eq(str_take_word(&e), str_trim(taken)))
                    found = true;
            }
        }
        assert_true(found);
    }
}

static inline void check_accepted(const struct split *o, const struct section *om,
                                  const struct section *am)
{
    struct str setup = setup_of(o, om);
    bool offered_passive = setup.p && str_eq(setup, STR("passive"));
    assert_true(has_line(am, offered_passive ? "a=setup:active" : "a=setup:passive"));
    assert_true(has_line(am, "a=rtcp-mux"));
    if (has_line(am, "a=rtcp-rsize"))
        assert_true(has_line(om, "a=rtcp-rsize"));
    assert_true(line_after(am, "a=ice-ufrag:", 0).len >= 4);
    assert_true(line_after(am, "a=ice-pwd:", 0).len >= 22);
    assert_int_equal(line_after(am, "a=fingerprint:sha-256 ", 0).len, 32 * 3 - 1);
    assert_null(line_after(am, "a=crypto", 0).p);
    check_extmaps(o, om, am);
}

static inline void check_bundle(const struct split *o, const struct split *a)
{
    struct str group = line_after(&a->sections[0], "a=group:BUNDLE", 0);
    struct str offered = line_after(&o->sections[0], "a=group:BUNDLE", 0);
    if (group.p)
        assert_non_null(offered.p);
    for (struct str mid; (mid = str_take_word(&group)).len;)
        assert_true(is_among(offered, mid));
    /* RFC 8843 §7.3.3: what is refused is not in the group, what is accepted stays in it. */
    group = line_after(&a->sections[0], "a=group:BUNDLE", 0);
    for (unsigned i = 1; i < a->n; i++) {
        struct str m = a->sections[i].lines[0];
        (void)str_take_word(&m);
        bool refused = str_eq(str_take_word(&m), STR("0"));
        struct str mid = line_after(&a->sections[i], "a=mid:", 0);
        assert_int_equal(mid.len && is_among(group, mid),
                         !refused && mid.len && is_among(offered, mid));
    }
}

/** @param kept index of another line that must be accepted for its transport; -1 = none */
static inline void check_answer(struct str offer, struct str answer, const struct peer_params *p,
                                int kept)
{
    static struct split o, a;
    split(offer, &o);
    split(answer, &a);
    assert_int_equal(o.n, a.n);
    for (size_t i = 0; i < answer.len; i++) {
        if (answer.p[i] == '\n')
            assert_true(i > 0 && answer.p[i - 1] == '\r');
    }
    for (unsigned i = 1; i < o.n; i++) {
        bool accepted = i - 1 == p->mline_index;
        check_m_line(&o.sections[i], &a.sections[i], accepted || (int)i - 1 == kept);
        if (accepted)
            check_accepted(&o, &o.sections[i], &a.sections[i]);
        else
            assert_true(has_line(&a.sections[i], "a=inactive"));
    }
    check_bundle(&o, &a);
    struct sdp again;
    assert_int_equal(sdp_parse(&again, answer, NULL), 0);
    assert_int_equal(again.n_media, o.n - 1);
    sdp_deinit(&again);
}

/* ---- answering ------------------------------------------------------------------------- */

static inline struct sdp parsed(struct str text)
{
    struct sdp s;
    struct sdp_error err = {0};
    int code = sdp_parse(&s, text, &err);
    if (code)
        fail_msg("line %u: %s", err.line, err.text);
    return s;
}

/* media.red of the answers that follow. */
static bool is_red_on;

static inline struct negotiate_local our_side(void)
{
    struct negotiate_local local = {
        .ufrag = STR("abcdefgh"),
        .pwd = STR("ABCDEFGHIJKLMNOPQRSTUVWX"),
        .ssrc = 0xCAFE0001,
        .cname = STR("cname0123456789"),
        .msid = STR("duet"),
        .session_id = 0x7FFFFFFFFFFFFFFF,
        .session_version = 1,
        .red = is_red_on,
    };
    for (unsigned i = 0; i < 32; i++)
        local.fingerprint[i] = (uint8_t)(0xF0 + i);
    return local;
}

/** Answers one offer, alone or towards another one, and checks the answer. */
static inline int answer_text(struct str offer, struct str other, struct peer_params *p, char *buf,
                              struct negotiate_error *err)
{
    struct sdp s, t;
    struct codec_set set;
    struct text text;
    struct negotiate_local local = our_side();

    int code = sdp_parse(&s, offer, NULL);
    if (code)
        return 1000 + code;
    t = parsed(other.len ? other : offer);
    text_init(&text, buf, NEGOTIATE_ANSWER_MAX);
    code = negotiate_common(&s, &t, &set);
    if (!code)
        code = negotiate_answer(&s, &set, &local, p, &text, err);
    else if (negotiate_check(&s, err) == 0 && err)
        *err = (struct negotiate_error){.line = 1, .attribute = "m=audio", .text = "common"};
    if (!code) {
        int kept = -1;
        struct str mids;
        if (s.media[p->mline_index].port == 0 && sdp_find_bundle(&s, str_of(p->mid), &mids))
            kept = (int)(sdp_find_mid(&s, str_take_word(&mids)) - s.media);
        check_answer(offer, text_str(&text), p, kept);
    }
    sdp_deinit(&s);
    sdp_deinit(&t);
    return code;
}

static char answer_buf[NEGOTIATE_ANSWER_MAX];

static inline struct peer_params answered(const char *name, const char *other)
{
    static char offer_buf[FILE_MAX], other_buf[FILE_MAX];
    struct negotiate_error err = {0};
    struct peer_params p = {0};
    struct str offer = load(name, offer_buf);
    struct str behind = other ? load(other, other_buf) : (struct str){0};
    int code = answer_text(offer, behind, &p, answer_buf, &err);
    if (code)
        fail_msg("%s: code %d, line %u %s", name, code, err.line, err.text ? err.text : "");
    return p;
}

#define O  CODEC_OPUS
#define U  CODEC_PCMU
#define A  CODEC_PCMA
#define G  CODEC_G722
#define CN CODEC_CN
#define TE CODEC_TELEPHONE_EVENT

static inline bool answer_has(const char *line)
{
    return strstr(answer_buf, line) != NULL;
}

/* ---- an offer to be broken ------------------------------------------------------------- */

#define FP                                                                                         \
    "00:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:EE:FF:00:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:"   \
    "EE:FF"

static const char base_offer[] = "v=0\n"
                                 "t=0 0\n"
                                 "m=audio 9 UDP/TLS/RTP/SAVPF 96\n"
                                 "a=mid:0\n"
                                 "a=ice-ufrag:abcd\n"
                                 "a=ice-pwd:0123456789012345678901\n"
                                 "a=fingerprint:sha-256 " FP "\n"
                                 "a=setup:actpass\n"
                                 "a=rtcp-mux\n"
                                 "a=rtpmap:96 opus/48000/2\n";

/** Copy of the base offer with the n-th line (1-based) replaced; empty = left out. */
static inline struct str with_line(unsigned n, const char *line, char *buf, size_t size)
{
    struct str rest = str_of(base_offer);
    struct text t;
    text_init(&t, buf, size);
    for (unsigned i = 1; rest.len; i++) {
        struct str old = str_take_until(&rest, '\n');
        struct str now = i == n ? str_of(line) : old;
        if (now.len) {
            text_put(&t, now);
            text_put(&t, STR("\n"));
        }
    }
    assert_false(t.failed);
    return text_str(&t);
}

/** The base offer with these lines behind it. */
static inline struct str with_lines(const char *lines, char *buf, size_t size)
{
    int len = snprintf(buf, size, "%s%s", base_offer, lines);
    assert_true(len > 0 && (size_t)len < size);
    return (struct str){buf, (size_t)len};
}

#endif
