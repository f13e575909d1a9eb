/* The list of drivers, and what they share. */
#include "load/driver.h"

static const struct driver *const drivers[] = {&driver_one2one};

const struct driver *driver_find(const char *name)
{
    for (size_t i = 0; i < ARRAY_LEN(drivers); i++) {
        if (strcmp(drivers[i]->name, name) == 0)
            return drivers[i];
    }
    return NULL;
}

void driver_session_deinit(struct driver_session *s)
{
    json_decref(s->message);
    s->message = NULL;
}
