/* What golanes doctor finds out, and how it is printed. */
#ifndef GOLANES_CLI_DOCTOR_H
#define GOLANES_CLI_DOCTOR_H

#include "golanes/golayout.h"
#include "golanes/goprobes.h"
#include "golanes/goprocess.h"
#include "golanes/goprog.h"

#include "json_out.h"
#include "text.h"

typedef struct cli_doctor {
    const char *name;         /**< as given */
    int pid;                  /**< 0: a file was asked about */
    gl_goprog *program;       /**< NULL where it was refused */
    gl_goprog_refusal refusal;
    gl_golayout layout;
    bool has_layout;
    gl_govars vars;
    gl_goplan *plan;          /**< NULL where it was refused before */
    gl_goprocess process;     /**< where pid is set */
    gl_goclock clock;
    uint64_t bias;
    bool live;                /**< the process's memory was compared, and makes sense */
    char refused[GL_ERROR_TEXT_MAX]; /**< why it can't be recorded: one sentence; "": it can */
    char note[GL_ERROR_TEXT_MAX];    /**< what may go wrong; "": nothing is known */
} cli_doctor;

/** What is in the way of an event; NULL: nothing, it will be seen. */
const char *cli_doctor_objection(const cli_doctor *d, const char *event);

/** Calls for each event that some probe gives, in the order of the vocabulary. */
void cli_doctor_events(const cli_doctor *d, void (*fn)(void *user, const char *event, const char *objection), void *user);

int cli_doctor_text(const cli_doctor *d, size_t width, gl_text *out);
void cli_doctor_json(const cli_doctor *d, cli_json *j);

#endif
