/*
 * Records, in the order of their time over all rings, become events of the vocabulary.
 *
 * Because the order is that of time, and each change of state was stamped before it took place, the state of a goroutine
 * is always known; where records were lost, a GoStatus says where it is taken up again.
 */
#ifndef GOLANES_GORUN_TRANSLATE_H
#define GOLANES_GORUN_TRANSLATE_H

#include "golanes/goprog.h"
#include "golanes/probe_session.h"
#include "golanes/probe_source.h"
#include "goroutines.h"
#include "record.h"
#include "snapshot.h"

#define GL_TRANSLATE_BATCH 512

/** Whose records they are. */
typedef struct gl_translated {
    pid_t pid;
    const gl_goprog *prog;
    unsigned minor;       /* of its release */
    uint64_t bias;
    uint64_t begin_ticks; /* the moment of the snapshot */
    const gl_snapshot *snapshot;
    uint32_t threads;     /* at most: numbers of `ring` below are smaller */
} gl_translated;

/** A thread whose records are told apart by the number of its ring. */
typedef struct gl_patch_thread {
    gl_session_thread who;
    uint64_t g;     /* goroutine that it runs, 0: none */
    uint32_t p;     /* GL_NO_PROC: none */
    bool known;
    gl_patch_g itself; /* for what it does without a goroutine: the sends of timers */
} gl_patch_thread;

typedef struct gl_translation {
    gl_translated of;
    const gl_session_sink *sink;
    int status;     /* of the sink: negative ends it, GL_DRAIN_ENOUGH asks for a pause */
    uint64_t process; /* bits 48 and up of goroutine ids */
    gl_patch_gs gs;
    gl_patch_thread *threads; /* by ring */
    int32_t *p_thread;        /* by P: the ring whose thread has it, -1: none */
    uint32_t ps;
    struct gl_stack_ids *stacks;
    uint32_t reason_text[256], empty_text;
    bool reason_known[256];
    uint8_t reason_kind[256]; /* by the reason's number in this release, 0: not looked up yet */
    uint32_t stop_reason;
    uint64_t cycle;
    uint64_t restarts; /* of the world, that were handed on */
    uint64_t broken; /* changes of state that did not fit what was before */
    uint64_t damaged; /* records that made no sense */
    gl_event batch[GL_TRANSLATE_BATCH];
    size_t n;
} gl_translation;

int gl_translation_start(gl_translation *t, const gl_translated *of);
void gl_translation_end(gl_translation *t);
/** The state in which things were found. */
void gl_translate_snapshot(gl_translation *t);
/** A stack's frames stand in a ring: they are given to the sink, and its hash stands for them from now on. */
void gl_translate_stack(gl_translation *t, const gl_patch_record *r, const uint64_t *pcs, size_t n);
/** One record with its further units. ring: whose. */
void gl_translate(gl_translation *t, uint32_t ring, const gl_patch_record *r);
/** why: NULL, no room in the ring. ring: UINT32_MAX, whose they would have been is not known. */
void gl_translate_lost(gl_translation *t, uint32_t ring, uint64_t events, uint64_t first, uint64_t last, const char *why);
/** The thread of a ring has ended, and said all: the next to write there is another. */
void gl_translate_gone(gl_translation *t, uint32_t ring, uint64_t ticks);
/** The runtime was seen to have so many Ps. False: no thread is known yet that this could be told of. */
bool gl_translate_procs(gl_translation *t, uint64_t procs, uint64_t ticks);
/**
 * The functions at an address of the program, as Go shows them: one that the compiler made for `go f(x)` or `defer f(x)` is
 * left out where what it wraps was inlined into it (runtime/tracestack.go, fpunwindExpand). 0: of another process, or none.
 */
size_t gl_translate_places(const gl_translation *t, uint32_t pid, uint64_t pc, gl_probe_place *out, size_t n);
/** Gives what is ready to the sink. */
void gl_translate_flush(gl_translation *t);
/** Number of a record's units; 0: it makes no sense. */
uint32_t gl_record_units(const gl_patch_record *r);

#endif
