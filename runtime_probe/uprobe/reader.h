/*
 * From the ring to the translation: entries are put in the order of their time, and changes of a goroutine's state in
 * the order in which they must have been.
 *
 * The kernel stamps a change when it has taken place and the thread has come to the kernel; meanwhile another thread may
 * have seen it, and made, and stamped, the next one. Such a pair is told by the states themselves: what a change says was
 * before is not what the goroutine was in. Then the missing one is looked for among those stamped shortly afterwards.
 */
#ifndef GOLANES_UPROBE_READER_H
#define GOLANES_UPROBE_READER_H

#include "gorun/translate.h"
#include "kernel.h"

#define GL_UPROBE_THREADS 16384u

typedef struct gl_uprobe_item {
    uint64_t ticks;
    uint32_t at;     /* of its record, in the bytes */
    uint32_t thread; /* UINT32_MAX: it was handed on, out of turn */
} gl_uprobe_item;

typedef struct gl_uprobe_reader {
    gl_uprobe_kernel *k;
    gl_translation *t;
    uint8_t *bytes; /* records, in the ring's order */
    size_t used, room;
    gl_uprobe_item *items; /* in the order of time; those before `next` were handed on */
    size_t next, n, items_room;
    uint64_t bound;     /* nothing older will come */
    uint64_t lost, looked;
    gl_patch_gs states; /* the runtime's number of each goroutine's state, + 1 */
    uint32_t *tids;     /* of threads, by number + 1, in a table by hash */
    uint32_t *numbers;
    uint32_t threads;
    uint64_t crowded; /* events of threads beyond those that have a number */
    uint64_t mended;  /* changes of state that were put before another */
} gl_uprobe_reader;

int gl_uprobe_reader_start(gl_uprobe_reader *r, gl_uprobe_kernel *k, gl_translation *t);
void gl_uprobe_reader_end(gl_uprobe_reader *r);
/** last: nobody writes any more, all of it is handed on. */
int gl_uprobe_reader_drain(gl_uprobe_reader *r, const gl_session_sink *sink, bool last, gl_error *err);
uint64_t gl_uprobe_reader_waiting(const gl_uprobe_reader *r);

#endif
