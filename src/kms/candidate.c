/* RFC 8839 §5.1: "candidate:" foundation component transport priority address port "typ" … */
#include "kms/candidate.h"

/* The n-th word, counted from 0; empty = there are fewer. */
static struct str word(struct str candidate, unsigned n)
{
    struct str w = str_take_word(&candidate);
    while (n-- > 0)
        w = str_take_word(&candidate);
    return w;
}

/* Whoever makes it a line of a description must not get two. */
static bool is_one_line(struct str candidate)
{
    for (size_t i = 0; i < candidate.len; i++)
        if ((unsigned char)candidate.p[i] < ' ')
            return false;
    return true;
}

bool kms_candidates_take(struct kms_candidates *c, struct str candidate, uint64_t hash)
{
    if (candidate.len > KMS_CANDIDATE_MAX || !str_starts_with(candidate, STR("candidate:")) ||
        !str_eq(word(candidate, 1), STR("1")) || !is_one_line(candidate) ||
        c->n == KMS_MAX_CANDIDATES)
        return false;
    for (size_t i = 0; i < c->n; i++)
        if (c->seen[i] == hash)
            return false;
    c->seen[c->n++] = hash;
    return true;
}

bool kms_candidate_is_of_use(struct str candidate)
{
    struct str address = word(candidate, 4);
    struct str suffix = STR(".local");
    bool is_name = address.len >= suffix.len &&
                   str_caseeq(str_tail(address, address.len - suffix.len), suffix);
    return address.len > 0 && !is_name && is_one_line(candidate);
}
