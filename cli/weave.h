/* Several .lanes files as one run of events, in the order of one clock. */
#ifndef GOLANES_CLI_WEAVE_H
#define GOLANES_CLI_WEAVE_H

#include <stdbool.h>

#include "golanes/reader.h"
#include "golanes_export/remap.h"
#include "progress.h"

/** One of them. Set reader and shift, zero the rest. */
typedef struct cli_strand {
    gl_reader *reader;     /**< the caller's */
    int64_t shift;         /**< its time 0 in the time of the whole */
    uint32_t process;      /**< number of its first process in the whole */
    gl_cursor *cursor;
    gl_remap *remap;
    const gl_event *events;
    size_t n, at;
    bool ended;
    int64_t due; /* of its next event, in the time of the whole; never steps back */
} cli_strand;

/** The wall clock at time 0 of a file: told by it, or by its first clock record that has one. *wall 0: not known. */
int cli_strand_wall(gl_reader *reader, int64_t *wall, gl_error *err);
/** Its texts go to the dictionary as they are met. */
int cli_strand_open(cli_strand *s, gl_dict *dict, gl_error *err);
void cli_strand_close(cli_strand *s);
/** Gives all events to the sink. A signal (cli_signals_came) ends it with GL_E_CANCELLED. p NULL: nothing is drawn. */
int cli_weave(cli_strand *const *strands, size_t n, gl_event_fn sink, void *user, cli_progress *p, gl_error *err);

#endif
