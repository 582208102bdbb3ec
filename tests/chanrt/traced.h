/* Runs a program under the recorder's side of the rings and keeps all of it: its events in order, and what it printed. */
#ifndef TESTS_CHANRT_TRACED_H
#define TESTS_CHANRT_TRACED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "golanes/dict.h"
#include "golanes/events.h"

typedef struct traced {
    gl_dict *dict;
    gl_event *events; /* by time; of one thread in its order */
    size_t count, capacity;
    int status; /* as of waitpid */
    char text[8192];
} traced;

/** argv[0] is the program's path. False: it could not be run or recorded; why stands on standard error. */
bool traced_run(traced *t, char *const *argv);
void traced_clean_up(traced *t);
/** The number behind "name " at the beginning of a line of what it printed; UINT64_MAX: there is none. */
uint64_t traced_number(const traced *t, const char *name);

#endif
