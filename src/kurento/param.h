/**
 * The parameters of an operation or constructor, by rows: the row does all the checking and says
 * what is wrong as Kurento Media Server does; a handler gets values that are right in form.
 */
#ifndef KURENTO_PARAM_H
#define KURENTO_PARAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

#include "base/compiler.h"
#include "base/str.h"
#include "kurento/error.h"

struct kurento_object;
struct kurento_objects;

enum kurento_param_type {
    KURENTO_STRING,
    KURENTO_INTEGER, /**< min..max of its row */
    KURENTO_BOOLEAN,
    KURENTO_ENUM,    /**< one of the row's words; the value is its index */
    KURENTO_OBJECT,  /**< id of a media object of the row's type, or of one derived from it */
    KURENTO_COMPLEX, /**< a JSON object, read by the handler */
};

struct kurento_param {
    const char *name;
    enum kurento_param_type type;
    bool is_optional;
    const char *type_name;    /**< ENUM: "MediaType"; OBJECT: "MediaElement" */
    const char *const *words; /**< ENUM: ends with NULL */
    int64_t min, max;         /**< INTEGER; both 0 = any */
};

/** What one parameter is. Views are borrowed from the JSON. */
struct kurento_value {
    bool is_given; /**< false: the rest is zero */
    struct str string;
    int64_t integer; /**< INTEGER, and the index of an ENUM */
    bool boolean;
    struct kurento_object *object;
    const json_t *json;
};

/** Parameters of one operation at most. */
#define KURENTO_MAX_PARAMS 8

/**
 * Read parameters by rows. Members that no row names are not looked at.
 *
 * @param json    the JSON object; NULL = none was sent
 * @param objects where ids are looked up
 * @param ret     n values, filled as far as they are right
 *
 * @return 0
 *         KURENTO_E_MARSHALL   one is missing or of another type
 *         KURENTO_E_NO_OBJECT  an id that names nothing
 */
MUST_CHECK int kurento_params_read(const struct kurento_param *params, size_t n, const json_t *json,
                                   const struct kurento_objects *objects, struct kurento_value *ret,
                                   struct kurento_fault *fault);

/** Media types, in Kurento's order; the words of every parameter `mediaType`. */
enum kurento_media { KURENTO_AUDIO, KURENTO_VIDEO, KURENTO_DATA, KURENTO_N_MEDIA };
extern const char *const kurento_media_words[];

#endif
