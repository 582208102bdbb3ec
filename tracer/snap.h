/*
 * Snapshots of a flight recording: asked for by a person, by a trigger, by the program's end; written by a thread of
 * their own, one at a time, while the recording goes on.
 *
 * Threads: gl_snap_ask, gl_snap_note from any; the others by the recording's thread.
 */
#ifndef GOLANES_SNAP_H
#define GOLANES_SNAP_H

#include <pthread.h>

#include "store.h"

#define GL_SNAP_REASON_MAX 160
#define GL_SNAP_TEXT_MAX 4608 /* GL_RECORDING_NOTE_MAX */
#define GL_SNAP_NOTES 8

typedef struct gl_snap {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    bool wanted, busy, closed;
    char reason[GL_SNAP_REASON_MAX];
    unsigned asked, done; /* turns: asked for, and finished */
    unsigned number;      /* of the last file */
    int status;           /* of the last one */
    char text[GL_SNAP_TEXT_MAX];
    char note[GL_SNAP_NOTES][GL_SNAP_TEXT_MAX];
    unsigned notes, notes_read;
    pthread_t thread;
    bool started;
    gl_flight_taken *taken; /* being written */
    char path[GL_STORE_PATH_MAX];
    char base[GL_STORE_PATH_MAX];
    char writing_for[GL_SNAP_REASON_MAX];
} gl_snap;

void gl_snap_init(gl_snap *s, const char *base);
void gl_snap_destroy(gl_snap *s);
/** Asks for one and waits for it where `wait`; else it is enough that one is under way. text gets what became of it (the
    file, or why not), and may be NULL. 0 or a gl_status. */
int gl_snap_ask(gl_snap *s, const char *reason, bool wait, char *text, size_t size);
/** What became of one, each told once. */
bool gl_snap_note(gl_snap *s, char *text, size_t size);

bool gl_snap_is_wanted(gl_snap *s);
bool gl_snap_is_busy(gl_snap *s);
/** Takes what is there and has it written. reason NULL: that of who asked. */
void gl_snap_begin(gl_snap *s, gl_flight *flight, const char *reason);
/** Waits for the one under way; nobody is answered any more but that there is no recording. */
void gl_snap_end(gl_snap *s);

#endif
