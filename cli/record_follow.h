/* Which of the programs that a program starts are recorded with it: --follow. */
#ifndef GOLANES_CLI_RECORD_FOLLOW_H
#define GOLANES_CLI_RECORD_FOLLOW_H

#include "args.h"

#include "follow.h"
#include "recording.h"

/** Zero-initialise. */
typedef struct cli_follow {
    bool off;                  /* none are */
    struct gl_pattern *wanted; /* those whose path matches; NULL: all but Go's own tools */
    gl_follow *follow;         /* NULL: nothing is followed now */
    gl_recording *recording;
    bool quiet;
    unsigned recorded;         /* programs */
    void (*before_line)(void *user); /* something is about to be said; may be NULL */
    void *user;
} cli_follow;

/** Reads the option. 0, or CLI_EXIT_USAGE after a line on standard error. */
int cli_follow_parse(const cli_args *args, cli_follow *out);
/** True where a program that is to be started is passed by, as the programs that it starts are what is meant: go. */
bool cli_follow_passes_by(const cli_follow *f, const char *path);
/** Gets ready to follow what a program starts. path: it is no recorded one itself, and will be traced. False: its children
    won't be followed. */
bool cli_follow_begin(cli_follow *f, const char *path, const gl_probe_target *target);
/** For gl_launch_gate: user is a cli_follow. */
void cli_follow_forked(void *user, pid_t pid);
/** Lets all processes go. */
void cli_follow_end(cli_follow *f);
void cli_follow_clean_up(cli_follow *f);

#endif
