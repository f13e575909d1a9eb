/**
 * The description of a module as Kurento's generators read it ("kmd.json"): its classes with
 * constructors, methods and events. Made from the rows of the types, so that it is what there is.
 */
#ifndef KURENTO_KMD_H
#define KURENTO_KMD_H

#include <jansson.h>

#include "base/str.h"

/** @return owned; NULL = out of memory */
json_t *kurento_kmd(struct str module, const char *version);

#endif
