/*
 * What a stack says, worked out once a stack: where it is in the user's code, and what channel operation its top frame
 * stands for when it wakes somebody. Also the time that was spent waiting at each.
 */
#ifndef GOLANES_ANALYSIS_SITES_H
#define GOLANES_ANALYSIS_SITES_H

#include "collect.h"
#include "golanes_analysis/summary.h"

typedef struct gl_stack_facts {
    uint64_t wait_ns; /* finished waits that began here */
    uint32_t waits, waits_ended;
    uint32_t wait_reason; /* string id: that of the last wait here */
    uint32_t root;        /* string id of the start function's name */
    gl_site site;
    uint8_t release; /* gl_release, for a stack that woke a channel operation */
    bool known;
} gl_stack_facts;

typedef struct gl_sites {
    const gl_dict *dict;
    gl_stack_facts *facts; /* by stack id */
    size_t capacity;
    gl_bits frames, funcs;
    gl_map lines; /* distinct (function, line) */
    uint64_t stacks, frame_count, func_count, depth;
    int status; /* sticky */
} gl_sites;

gl_stack_facts *gl_sites_learn(gl_sites *s, uint32_t stack);
void gl_sites_clean_up(gl_sites *s);

/** Of stack 0 and of those that the dictionary does not have: zeros. NULL: no memory. */
static inline gl_stack_facts *gl_sites_get(gl_sites *s, uint32_t stack)
{
    if (stack < s->capacity && s->facts[stack].known)
        return &s->facts[stack];
    return gl_sites_learn(s, stack);
}

/**
 * What a goroutine with this stack waits for, by the runtime's frames on top, in the words of Go's wait reasons; NULL
 * where they do not tell. For goroutines whose reason the trace does not give: those that waited when it started.
 */
const char *gl_sites_wait(const gl_sites *s, uint32_t stack);
/** Whether a stack's frames of the runtime, those on top of the user's first, have this function. */
bool gl_stack_enters(const gl_dict *dict, uint32_t stack, const char *func);
/** Where a channel was made: in the runtime, where the runtime made it for itself, whoever's code it ran under. */
gl_site gl_sites_maker(gl_sites *s, uint32_t stack);
gl_site gl_sites_where(gl_sites *s, uint32_t stack);
/** Most time first; *out is the caller's. */
int gl_sites_list(const gl_sites *s, size_t most, gl_block_site **out, size_t *n) GL_MUST_CHECK;

#endif
