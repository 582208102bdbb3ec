/*
 * Minimum mutator utilisation, in one pass. A utilisation function changes at events; for each window length the mean
 * over a window is least where one of its edges meets a change, so it is enough to look there, and only the changes of
 * the last second (the longest window) are kept.
 *
 * What counts as the collector's: a stopped world takes all Ps; a P that runs a background worker (dedicated or
 * fractional: its label holds until the goroutine stops running), a mark assist or a sweep is taken by it while that
 * runs. Go 1.22 and later compute this with labels that are never taken off again; the figures here are those of
 * Go 1.21's own rule.
 *
 * A recorder that infers who has which P has no labels of the collector's workers either: all that they run counts as
 * background work then, an idle worker's too, and the figures are the least that the program can have had.
 */
#ifndef GOLANES_ANALYSIS_MMU_H
#define GOLANES_ANALYSIS_MMU_H

#include "collect.h"
#include "golanes_analysis/summary.h"
#include "goroutines.h"

typedef struct gl_util_change {
    int64_t time;
    double util;   /* from here on */
    double before; /* integral of the function from its start to here */
} gl_util_change;

#define GL_CURVE_CHANGES_MAX ((uint64_t)1 << 19) /* within one second */

#define GL_CURVE_WINDOWS_MAX 64
#define GL_CURVE_WORST_MAX 32

/** Those of one length in which the function's mean is least, none overlapping another, least first. */
typedef struct gl_curve_worst {
    unsigned window; /* which of the lengths */
    size_t most, count;
    gl_mmu_window list[GL_CURVE_WORST_MAX];
} gl_curve_worst;

/** One utilisation function. Zero-initialise; window and windows may be set before the first change. */
typedef struct gl_curve {
    const int64_t *window; /* lengths, rising; NULL: gl_mmu_window_ns */
    unsigned windows;
    gl_curve_worst *worst; /* NULL: not asked for */
    gl_util_change *ring;          /* by change number modulo capacity */
    size_t capacity;               /* a power of two */
    uint64_t first, next;          /* change numbers kept: first <= i < next */
    uint64_t left[GL_CURVE_WINDOWS_MAX]; /* change under the window's left edge, plus one; 0: the window has not begun */
    double least[GL_CURVE_WINDOWS_MAX], mean;
    int64_t begin, span;
    bool ended, too_many;
    struct gl_curve_mass *mass; /* of each window; NULL: not asked for */
    int64_t looked_at[GL_CURVE_WINDOWS_MAX]; /* where the window before began, and its mean */
    double looked[GL_CURVE_WINDOWS_MAX];
    uint64_t has_looked; /* bit by window */
} gl_curve;

#define GL_CURVE_BINS 1024

/**
 * How the windows of one length are spread over utilisations: while a window moves between two changes its mean moves
 * evenly, which is an even mass between the two means. The masses are kept as steps of their density, so that each costs
 * the same however far the mean moves. Zero-initialise.
 */
typedef struct gl_curve_mass {
    double part[GL_CURVE_BINS];     /* what fills a bin partly */
    double step[GL_CURVE_BINS + 1]; /* by how much a bin that is filled from end to end differs from the one before */
} gl_curve_mass;

void gl_curve_mass_add(gl_curve_mass *m, double from, double to, double mass);
/** The utilisation that `share` of the mass is at or below. */
double gl_curve_mass_at(const gl_curve_mass *m, double share);

/** *to, which is empty, becomes the same function. */
int gl_curve_copy(gl_curve *to, const gl_curve *from) GL_MUST_CHECK;
int gl_curve_change(gl_curve *c, int64_t time, double util) GL_MUST_CHECK;
/** The function ends at `time`; results are in least (a window longer than the function is its whole length).
 *  Further calls only give the mean again. */
int gl_curve_finish(gl_curve *c, int64_t time, double *mean) GL_MUST_CHECK;
void gl_curve_clean_up(gl_curve *c);

/** What a P is busy with for the collector. */
enum { GL_GC_WORKER, GL_GC_DEDICATED, GL_GC_ASSIST, GL_GC_SWEEP, GL_GC_WORKS };

/** In gl_goroutine.gc_work: by its start function it is one of the collector's workers. The place of sweeps, which are a P's. */
#define GL_MMU_WORKER (1u << GL_GC_SWEEP)

/** One stretch of life of a P. */
typedef struct gl_mmu_series {
    gl_curve usual, asked; /* for the figures of each P */
    gl_curve_worst worst;
    uint32_t p;
} gl_mmu_series;

typedef struct gl_mmu_proc {
    int32_t work[GL_GC_WORKS];
    gl_mmu_series *series;
} gl_mmu_proc;

#define GL_MMU_SETS 6
#define GL_MMU_PROCS_MAX 4096

typedef struct gl_mmu {
    gl_mmu_proc *procs;
    size_t proc_capacity, proc_count;
    gl_curve sets[GL_MMU_SETS - 1];
    gl_mmu_series **series;
    size_t series_capacity, series_count;
    gl_curve early, early_asked; /* what each P's function will be up to where the number of Ps is first told */
    gl_curve_worst early_worst;
    gl_mmu_request request; /* window_count 0: none */
    gl_curve asked;         /* of the whole system */
    gl_curve_worst worst;
    gl_mmu_curve answer;
    double answer_least[GL_CURVE_WINDOWS_MAX];
    gl_curve_mass *mass; /* by window; of all Ps together where each is looked at */
    double answer_percentile[GL_CURVE_WINDOWS_MAX][GL_MMU_PERCENTILES];
    int32_t stw_gc, stw_all;
    int64_t time; /* largest so far: the function's time never steps back */
    bool begun;
    bool told;     /* how many Ps there are; else they are as many as were seen */
    bool inferred; /* who has which P */
    gl_mmu_figures figures[GL_MMU_SETS];
    size_t figure_count;
    const char *missing;
} gl_mmu;

/** Asks for one more curve; before the trace begins. The windows are the caller's and must outlive m. */
int gl_mmu_ask(gl_mmu *m, const gl_mmu_request *r) GL_MUST_CHECK;
/** The trace begins. */
int gl_mmu_begin(gl_mmu *m, int64_t time) GL_MUST_CHECK;
/** The number of Ps; before it is known only stopped worlds count. */
int gl_mmu_procs(gl_mmu *m, int64_t time, uint64_t procs) GL_MUST_CHECK;
/** A recorder that infers who has which P has seen number p: counts where nothing tells how many there are. */
int gl_mmu_seen(gl_mmu *m, int64_t time, uint32_t p) GL_MUST_CHECK;
int gl_mmu_stw(gl_mmu *m, int64_t time, bool gc, int step) GL_MUST_CHECK;
/** step +1: a sweep begins on P, -1: it ends. */
int gl_mmu_sweep(gl_mmu *m, int64_t time, uint32_t p, int step) GL_MUST_CHECK;
int gl_mmu_assist(gl_mmu *m, int64_t time, gl_goroutine *g, uint32_t p, bool begin) GL_MUST_CHECK;
int gl_mmu_label(gl_mmu *m, int64_t time, gl_goroutine *g, uint32_t p, const char *label) GL_MUST_CHECK;
/** A goroutine with gc_work moves. */
int gl_mmu_move(gl_mmu *m, int64_t time, gl_goroutine *g, uint32_t p, uint8_t from, uint8_t to) GL_MUST_CHECK;
int gl_mmu_finish(gl_mmu *m, int64_t time) GL_MUST_CHECK;
/** After both are finished: of two processes the one that had less counts. */
void gl_mmu_join(gl_mmu *m, const gl_mmu *other, uint32_t process);
void gl_mmu_clean_up(gl_mmu *m);

#endif
