/* Credentials: one block, so that they cost one allocation and are wiped in one go. */
#include "ice/credentials.h"

#include <errno.h>
#include <string.h>

#include "base/mem.h"
#include "ice/candidate.h"

/* RFC 8839 §5.4: ice-char = ALPHA / DIGIT / "+" / "/". Browsers keep to it; some older stacks put
 * '-', '_' or '=' into it, which harms nobody. A colon would break USERNAME, blanks the SDP. */
static bool is_fit(struct str s, size_t min, size_t max)
{
    if (s.len < min || s.len > max)
        return false;
    for (size_t i = 0; i < s.len; i++) {
        if (s.p[i] <= ' ' || s.p[i] >= 0x7f || s.p[i] == ':')
            return false;
    }
    return true;
}

int ice_credentials_new(struct str ufrag, struct str pwd, struct ice_credentials **ret)
{
    if (!is_fit(ufrag, ICE_UFRAG_MIN, ICE_UFRAG_MAX) || !is_fit(pwd, ICE_PWD_MIN, ICE_PWD_MAX))
        return ICE_E_CREDENTIALS;

    struct ice_credentials *c = mem_alloc(sizeof(*c) + ufrag.len + pwd.len);
    if (!c)
        return -ENOMEM;
    c->ufrag_len = (uint16_t)ufrag.len;
    c->pwd_len = (uint16_t)pwd.len;
    memcpy(c->text, ufrag.p, ufrag.len);
    memcpy(c->text + ufrag.len, pwd.p, pwd.len);
    *ret = c;
    return 0;
}

void ice_credentials_free(struct ice_credentials *c)
{
    if (c)
        mem_wipe(c, ice_credentials_size(c));
    mem_free(c);
}

size_t ice_credentials_size(const struct ice_credentials *c)
{
    return c ? sizeof(*c) + c->ufrag_len + c->pwd_len : 0;
}

struct str ice_credentials_ufrag(const struct ice_credentials *c)
{
    return c ? (struct str){c->text, c->ufrag_len} : (struct str){NULL, 0};
}

struct str ice_credentials_pwd(const struct ice_credentials *c)
{
    return c ? (struct str){c->text + c->ufrag_len, c->pwd_len} : (struct str){NULL, 0};
}

bool ice_credentials_equal(const struct ice_credentials *a, const struct ice_credentials *b)
{
    return a && b && str_eq(ice_credentials_ufrag(a), ice_credentials_ufrag(b)) &&
           str_eq(ice_credentials_pwd(a), ice_credentials_pwd(b));
}
