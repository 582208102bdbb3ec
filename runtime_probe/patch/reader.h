/*
 * Reading all rings, and putting what they hold in the order of time.
 *
 * A record may be handed on once no ring can bring an older one. A ring says whether a record is in the making: then no
 * record of it is older than its last; else none is older than the moment we looked.
 */
#ifndef GOLANES_PATCH_READER_H
#define GOLANES_PATCH_READER_H

#include "gorun/queue.h"
#include "gorun/translate.h"
#include "patch.h"

typedef struct gl_reader_ring {
    uint64_t tail;       /* position read up to */
    uint64_t bound;      /* nothing older than this will come */
    uint64_t stuck_since; /* ticks since when the same record has been in the making, 0: none is */
    uint64_t stuck_head;
    uint64_t waits_since;     /* ticks since when a begin waits for its time, 0: none does */
    uint64_t dropped, looked; /* losses told of; ticks of the last look */
    gl_record_queue queue;    /* read, not handed on yet */
    uint64_t retired;         /* ticks since when no thread finds it any more, 0: it is in use */
    uint32_t turn;            /* threads before this one */
} gl_reader_ring;

typedef struct gl_reader {
    gl_patch *p;
    gl_translation *t;
    gl_reader_ring *ring;
    uint32_t rings;
    uint32_t filled[GL_PATCH_RINGS], filled_count; /* those that have something to hand on, while it is done */
    uint64_t no_ring;
    uint64_t handed;  /* ticks of the last record handed on */
    uint64_t passed;  /* ticks up to which everything was */
    uint64_t recycled; /* ticks of the last look for threads that have ended */
    bool same_ns;     /* their numbers are those that the program knows */
    uint64_t procs, restarts; /* Ps that were told of, 0: none yet; restarts of the world up to then */
} gl_reader;

int gl_reader_start(gl_reader *r, gl_patch *p, gl_translation *t);
void gl_reader_end(gl_reader *r);
/** Reads and hands on. last: nobody writes any more, all of it is handed on. */
int gl_reader_drain(gl_reader *r, const gl_session_sink *sink, bool last, gl_error *err);
/** Offers the rings of threads that have ended to others. recycle.c */
void gl_reader_recycle(gl_reader *r, uint64_t now);
/** Bytes that wait in the fullest ring. */
uint64_t gl_reader_waiting(const gl_reader *r);

#endif
