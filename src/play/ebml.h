/**
 * EBML (RFC 8794): a tree of elements, each an id, a length, a content. Private to src/play.
 *
 * A reader that is past its end stays failed (base/bytes.h), also by a number that is none.
 */
#ifndef PLAY_EBML_H
#define PLAY_EBML_H

#include "base/bytes.h"
#include "base/str.h"

/** §5 and §6: an id of up to four bytes, a length of up to eight. */
#define PLAY_EBML_HEAD_MAX 12

/** §6.2: it goes on until something comes that cannot be in it. */
#define PLAY_EBML_UNKNOWN UINT64_MAX

struct play_ebml_element {
    uint32_t id;   /**< with the bits that tell its length */
    uint64_t size; /**< of its content [bytes]; PLAY_EBML_UNKNOWN */
    size_t head;   /**< of id and size [bytes] */
};

/** Id and length of what comes next. @return false: it is not whole, or none */
bool play_ebml_head(struct bytes_reader *r, struct play_ebml_element *ret);

/** The next child of an element that is there as a whole. @return false: there is none, or broken
 */
bool play_ebml_child(struct bytes_reader *in, uint32_t *ret_id, struct bytes_reader *ret);

/** §4: how long a number is by its first byte; 0 = malformed. */
unsigned play_ebml_vint_len(uint8_t first);

/** §4: a number that tells its own length, without the bits that do. */
uint64_t play_ebml_vint(struct bytes_reader *r);

/** §7.2: unsigned, of `len` bytes, up to eight. */
uint64_t play_ebml_number(struct bytes_reader *r, size_t len);

/** §7.1: two's complement, of `len` bytes, up to eight. */
int64_t play_ebml_signed(struct bytes_reader *r, size_t len);

/** §7.3: all that is left. 0 when it is neither four nor eight bytes. */
double play_ebml_float(struct bytes_reader *r);

/** §7.4: all that is left, up to its first zero. */
struct str play_ebml_text(const struct bytes_reader *r);

#endif
