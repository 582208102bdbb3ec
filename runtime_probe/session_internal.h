/* What the files of the recorder's side share. */
#ifndef GOLANES_SESSION_INTERNAL_H
#define GOLANES_SESSION_INTERNAL_H

#include "ring_decode.h"
#include "ring_layout.h"

struct gl_session {
    int fd;      /* the file as programs inherit it */
    int lock_fd; /* the same file, opened anew: the lock on it goes away with us, not with the programs */
    gl_ring_header *header; /* all of it, mapped */
    uint64_t bytes;
    /* What the header says, as it was when we looked it over: programs could change it. */
    uint32_t slots;
    gl_ring_slot *table;
    gl_ring_clock clock;
    uint64_t *ring_offset, *ring_bytes;
    gl_ring_decoder *decoder;
    uint32_t ready;
    bool same_pid_namespace;
};

static inline gl_ring_slot *gl_session_slot(const gl_session *s, uint32_t i)
{
    return s->table + i;
}

static inline gl_ring_control *gl_session_control(const gl_session *s, uint32_t i)
{
    return (gl_ring_control *)(void *)((char *)s->header + s->ring_offset[i]);
}

#endif
