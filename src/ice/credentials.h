/**
 * ufrag and password of one side in one generation, in one allocation that is wiped when freed.
 */
#ifndef ICE_CREDENTIALS_H
#define ICE_CREDENTIALS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/compiler.h"
#include "base/str.h"

/** RFC 8839 §5.4: ufrag 4*256ice-char, password 22*256ice-char. */
#define ICE_UFRAG_MIN 4
#define ICE_UFRAG_MAX 256
#define ICE_PWD_MIN   22
#define ICE_PWD_MAX   256

struct ice_credentials {
    uint16_t ufrag_len, pwd_len; /**< characters */
    char text[];                 /**< ufrag, then password */
};

/**
 * @param ret owned by the caller, ice_credentials_free; untouched on failure
 * @return 0, ICE_E_CREDENTIALS (length, or a character that is blank, not ASCII or a colon),
 * -ENOMEM
 */
MUST_CHECK int ice_credentials_new(struct str ufrag, struct str pwd, struct ice_credentials **ret);

/** NULL is legal. */
void ice_credentials_free(struct ice_credentials *c);

/** Views into *c; empty when c is NULL. */
struct str ice_credentials_ufrag(const struct ice_credentials *c);
struct str ice_credentials_pwd(const struct ice_credentials *c);

/** Bytes of heap; 0 when c is NULL. */
size_t ice_credentials_size(const struct ice_credentials *c);

/** Both the same; false when either is NULL. */
bool ice_credentials_equal(const struct ice_credentials *a, const struct ice_credentials *b);

#endif
