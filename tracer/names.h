/*
 * What a recording's events refer to, in the trace's dictionary: threads, processes, texts, stacks. One for all sources.
 *
 * Threads: one.
 */
#ifndef GOLANES_NAMES_H
#define GOLANES_NAMES_H

#include "golanes/dict.h"
#include "golanes/probe_source.h"
#include "golanes/writer.h"

typedef struct gl_names gl_names;

/** dict must outlive it. on_process hears of each process once, when its index is given. */
typedef int (*gl_names_process_fn)(void *user, const gl_process_info *process);
gl_names *gl_names_new(gl_dict *dict, gl_names_process_fn on_process, void *user);
void gl_names_free(gl_names *n);

/** The source's process, whether or not anything was heard of it. */
int gl_names_process(gl_names *n, const gl_probe_source *source, uint32_t *index) GL_MUST_CHECK;
/** The process has ended, or executes another program: whatever comes under its number from now on is another process. */
void gl_names_end(gl_names *n, uint32_t pid);
/** *fresh: the thread had not been met yet. */
int gl_names_thread(gl_names *n, const gl_probe_source *source, uint32_t pid, uint32_t tid, gl_session_thread *out, bool *fresh)
    GL_MUST_CHECK;
/** pcs as gl_session_sink.on_stack has them. */
int gl_names_stack(gl_names *n, const gl_probe_source *source, uint32_t pid, const uint64_t *pcs, size_t count, uint32_t *id)
    GL_MUST_CHECK;
/** Looks at what the process has mapped, now: later it may be gone. Again: at what has come since. */
void gl_names_look(gl_names *n, const gl_probe_source *source, uint32_t pid);

#endif
