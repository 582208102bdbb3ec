/*
 * What each file of a recording says of it as a whole: metadata and processes, kept so that a file that is begun later has
 * them too. Threads: one at a time.
 */
#ifndef GOLANES_FACTS_H
#define GOLANES_FACTS_H

#include "golanes/writer.h"

typedef struct gl_fact {
    char *key, *value;
} gl_fact;

/** Zero-initialise. */
typedef struct gl_facts {
    gl_fact *fact;
    size_t n, capacity;
    gl_process_info *process;
    size_t processes, processes_capacity;
} gl_facts;

/** The last value of a key holds. NULL and "" are no values. 0 or GL_E_NOMEM. */
int gl_facts_meta(gl_facts *f, const char *key, const char *value) GL_MUST_CHECK;
int gl_facts_process(gl_facts *f, const gl_process_info *process) GL_MUST_CHECK;
int gl_facts_copy(gl_facts *to, const gl_facts *from) GL_MUST_CHECK;
int gl_facts_put(const gl_facts *f, gl_writer *w) GL_MUST_CHECK;
void gl_facts_free(gl_facts *f);

#endif
