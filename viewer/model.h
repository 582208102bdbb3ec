/*
 * The model: what the viewer knows of one trace. The file is read out of core; the catalogue (goroutines, pauses,
 * straddles, notes) grows while a scan walks through the file once, in steps, and is what lists, lanes and jumps use.
 * Where a file is still being written, the scan goes on when more has come.
 *
 * All times are ns since the start of the trace. Texts are string ids of the dictionary.
 * Threads: one thread per model.
 */
#ifndef GOLANES_VIEWER_MODEL_H
#define GOLANES_VIEWER_MODEL_H

#include <stdbool.h>

#include "golanes/reader.h"
#include "chans.h"
#include "ids.h"
#include "kinds.h"
#include "nodes.h"
#include "spill.h"
#include "tasks.h"
#include "use.h"

/** A goroutine of the catalogue: there may be millions, of which few live at once. */
typedef struct gl_gor {
    uint64_t id, creator;      /**< creator 0: not known */
    int64_t first, last;       /**< first mention; its end, GL_TIME_NONE while it lives */
    int64_t ns[GL_G_STATES - GL_G_RUNNABLE]; /**< time by state, of finished stretches; see gl_gor_ns */
    int64_t straddle_ns;       /**< time shared with GC pauses while sending */
    uint32_t straddles, first_straddle;
    uint32_t group, start_stack;
    uint32_t life;             /**< index, GL_NONE: has ended, or was met by name only */
    uint32_t last_chan;        /**< of one that has ended: the channel of its latest operation + 1, 0 none */
    uint8_t state;
    bool from_before;          /**< was there when the trace started */
} gl_gor;

/** What a goroutine that has not ended is at. */
typedef struct gl_life {
    uint32_t gor;              /**< whose, GL_NONE: free */
    int64_t since;             /**< in its state since */
    int64_t send_begin;        /**< of the send that is going on, GL_TIME_NONE none */
    int64_t unparked;          /**< when its last wait was ended, GL_TIME_NONE not yet */
    uint64_t unparked_by;
    uint64_t chan;             /**< of the recorded send that is going on */
    uint32_t reason, stack;    /**< of the last block */
    uint32_t unpark_stack;
    uint32_t last_straddle;
    uint32_t p, thread;        /**< where it runs, GL_NO_PROC, GL_NO_THREAD */
    bool recorded;             /**< the send that is going on was recorded as such */
    gl_chan_op op;             /**< recorded operation on a channel that is going on */
} gl_life;

static inline int64_t gl_gor_ns(const gl_gor *g, unsigned state)
{
    return state >= GL_G_RUNNABLE && state < GL_G_STATES ? g->ns[state - GL_G_RUNNABLE] : 0;
}

/** Goroutines with the same start function. */
typedef struct gl_group {
    uint32_t name; /**< string id, 0 not known */
    uint32_t n, alive, straddles;
    int64_t straddle_ns, first;
    bool system;   /**< the runtime's own */
} gl_group;

typedef struct gl_pause {
    int64_t begin, end; /**< end GL_TIME_NONE: still going on where the file ends */
    uint64_t g;
    uint32_t reason, stack, straddles;
    bool gc;
} gl_pause;

typedef struct gl_stretch {
    int64_t begin, end;
    uint64_t cycle;
} gl_stretch;

/** A send that shares time with a GC pause. */
typedef struct gl_straddle {
    int64_t begin, end, overlap;
    int64_t unparked;    /**< GL_TIME_NONE: not by an unpark */
    uint64_t g, by;      /**< by 0: not known, or not a goroutine */
    uint64_t chan;       /**< 0 not known */
    uint32_t gor;        /**< index in the catalogue */
    uint32_t pause, pauses; /**< the first pause touched, and how many */
    uint32_t stack, unpark_stack;
    uint32_t next_of_gor; /**< GL_NONE: last */
    bool released_inside;
    int64_t delay;       /**< from the last restart until it ran, -1: it ran before */
} gl_straddle;

/** Something that is marked on the timeline whatever the zoom. */
typedef struct gl_note {
    int64_t time;
    uint64_t g;
    uint32_t text; /**< string id */
    uint16_t type; /**< GL_EV_Panic, GL_EV_Lost */
} gl_note;

#define GL_HEAP_POINTS 4096
typedef struct gl_heap_point {
    int64_t time;
    uint64_t live, goal;
} gl_heap_point;

typedef struct gl_model {
    gl_reader *reader;
    const gl_dict *dict;
    const gl_reader_info *info;
    gl_nodes nodes;
    char *name;               /**< as the header shows it */
    int64_t begin, end;       /**< of the trace */
    int64_t read_end;         /**< of what the file has: before `end` while a trace of known length is imported */
    int64_t promised;         /**< where a trace that is being imported will end, 0 not known */
    int64_t wall_unix_ns;     /**< wall clock at time 0, 0 not known */

    gl_gor *gors;
    size_t gor_count, gor_capacity;
    gl_spill gors_spill;      /**< of gors */
    gl_id_map by_id;
    gl_life *lives;           /**< some are free */
    size_t life_count, life_capacity;
    uint32_t *free_lives;
    size_t free_life_count, free_life_capacity;
    gl_group *groups;
    size_t group_count, group_capacity;
    gl_ids by_name;
    gl_pause *pauses;
    size_t pause_count, pause_capacity, gc_pause_count;
    gl_stretch *gcs;
    size_t gc_count, gc_capacity;
    gl_straddle *straddles;
    size_t straddle_count, straddle_capacity;
    int64_t straddle_longest;  /**< ns from begin to end */
    gl_note *notes;
    size_t note_count, note_capacity;
    gl_heap_point *heap;      /**< from each time on; neighbours merge when it is full */
    size_t heap_count;
    int64_t heap_step;        /**< points are at least so far apart, ns */
    uint64_t heap_live, heap_goal; /**< of the last event */
    uint32_t *root_of_stack;  /**< by stack id: name of the start function + 1, 0 not looked up */
    size_t root_capacity;
    uint8_t *kind_of_string;  /**< by string id: gl_span_kind + 1 */
    size_t kind_capacity;
    gl_chans chans;
    gl_tasks tasks;
    gl_use use;
    uint64_t procs;           /**< GOMAXPROCS, 0 not known */
    int64_t pause_ns;         /**< all GC pauses */

    gl_cursor *scan;
    uint64_t scanned_events;
    int64_t scanned_to;       /**< the catalogue is complete up to here */
    bool scanned;             /**< the scan has reached the end of what is there */
    bool follow;              /**< the file may grow: its writer has not finished it */
    unsigned quiet;           /**< looks at it in a row that found nothing new */
    uint64_t revision;        /**< changes with every addition */
} gl_model;

/** The reader stays the caller's and must outlive the model. */
int gl_model_open(gl_reader *reader, const char *name, gl_model **out, gl_error *err) GL_MUST_CHECK;
void gl_model_close(gl_model *m);

/** Scans on for about `events` events. 1: more to do; 0: at the end of what is there; negative: a gl_status. */
int gl_model_scan(gl_model *m, uint64_t events, gl_error *err) GL_MUST_CHECK;
/** Of a file that an import is still writing: about where the trace will end. 0: it has come to its end. */
void gl_model_promise(gl_model *m, int64_t end);
/** Takes up what the file's writer has added. 1 where something was. */
int gl_model_refresh(gl_model *m, gl_error *err) GL_MUST_CHECK;
/** True while the file is seen to grow. */
bool gl_model_is_growing(const gl_model *m);
/** The catalogue's part of the scan: takes events in trace order. Negative: no memory. */
int gl_model_take(gl_model *m, const gl_event *events, size_t n) GL_MUST_CHECK;

/** Index of a goroutine, GL_NONE where the catalogue does not have it. */
uint32_t gl_model_find(const gl_model *m, uint64_t g);
/** The same, adding it (first mention at `time`) where it is new; GL_NONE: no memory. */
uint32_t gl_model_add(gl_model *m, uint64_t g, int64_t time);
/** To be called for each i by who walks along all goroutines: of those that are many, only the neighbours stay in memory. */
static inline void gl_model_pass(const gl_model *m, size_t i)
{
    if (i % 131072 == 131071)
        gl_spill_rest(&m->gors_spill);
}
/** What a goroutine is at; of one that has ended, nothing. */
const gl_life *gl_model_life(const gl_model *m, uint32_t gor);
/** Since when it is in its state. */
int64_t gl_model_since(const gl_model *m, uint32_t gor);
/** The channel of its latest recorded operation + 1, 0 none. */
uint32_t gl_model_last_chan(const gl_model *m, uint32_t gor);
/** Puts a goroutine into the group of a stack's outermost function, where it has none yet. */
int gl_model_name(gl_model *m, uint32_t gor, uint32_t stack) GL_MUST_CHECK;
/** Name of the start function, "(not known)" where it is not. */
const char *gl_model_group_name(const gl_model *m, uint32_t group);
const char *gl_model_text(const gl_model *m, uint32_t string);
gl_span_kind gl_model_kind(gl_model *m, uint32_t reason);
/** First pause that ends after `time` (the number of pauses where none does). */
size_t gl_model_pause_after(const gl_model *m, int64_t time);
/** Straddles that may touch from..to: *first to the one before *last. They stand in order of their ends, nearly. */
void gl_model_straddles_in(const gl_model *m, int64_t from, int64_t to, size_t *first, size_t *last);
/** The heap from the last change at or before `time`; zero where none is known. */
gl_heap_point gl_model_heap_at(const gl_model *m, int64_t time);
/** First GC that ends after `time`. */
size_t gl_model_gc_after(const gl_model *m, int64_t time);
/** A pause's, straddle's or stretch's end, the end of what is known where it has none. */
static inline int64_t gl_model_end(const gl_model *m, int64_t end) { return end == GL_TIME_NONE ? m->read_end : end; }

typedef struct gl_site_text {
    const char *func, *file;
    uint32_t line;
} gl_site_text;
/** The leaf-most frame that is not of package runtime (the leaf where all are). func "" where there is no stack. */
gl_site_text gl_model_site(const gl_model *m, uint32_t stack);
/** Frame i of a stack, 0 the leaf; false past the last. */
bool gl_model_frame(const gl_model *m, uint32_t stack, size_t i, gl_site_text *out);

#endif
