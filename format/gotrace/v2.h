/*
 * Go's v2 traces (Go 1.22 and later): the parts that the importer is made of.
 *
 *   v2_walk     finds batches by their headers and collects one generation's index
 *   v2_tables   reads a generation's strings, stacks, CPU samples and clocks into the dictionary
 *   v2_cursor   one thread's batches as a row of decoded events; the heap of all threads
 *   v2_state    goroutines, Ps and threads as far as they are known
 *   v2_rules_*  what an event needs before it may come, and what it does; delivers it
 *   v2_order    the door to the rules
 *   v2_import   drives them, generation by generation
 *
 * A generation is collected and its tables are read before its first event is decoded, as strings and stacks stand at
 * its end. Nothing but the index, the tables and one buffer a thread is in memory.
 *
 * Threads: all objects belong to one import.
 */
#ifndef GOLANES_GOTRACE_V2_H
#define GOLANES_GOTRACE_V2_H

#include "internal.h"

#define V2_NONE UINT32_C(0xffffffff)
#define V2_NO_M UINT64_MAX /**< "no thread" on the wire */

/* Limits of the format (Go 1.26 src/internal/trace/tracev2/events.go). */
#define V2_BATCH_MAX (64u * 1024)
#define V2_STRING_MAX 1024u
#define V2_FRAMES_MAX 128u

/* Ours: goroutine ids from 2^48 on have another meaning in gl_event; a time past 73 years is damage. */
#define V2_GOROUTINE_LIMIT (UINT64_C(1) << 48)
#define V2_TIME_LIMIT (INT64_C(1) << 61)
/* Threads that may write into one generation. */
#define V2_STREAMS_MAX (UINT32_C(1) << 18)
/* Batches of one generation do not lie further apart; only asked where something is damaged. */
#define V2_GENERATION_SECONDS 300u

/* Wire codes outside of event batches. */
enum {
    V2_EVENT_BATCH = 1,
    V2_STACKS = 2,
    V2_STACK = 3,
    V2_STRINGS = 4,
    V2_STRING = 5,
    V2_CPU_SAMPLES = 6,
    V2_CPU_SAMPLE = 7,
    V2_FREQUENCY = 8,
    V2_EXPERIMENTAL_BATCH = 49,
    V2_SYNC = 50,
    V2_CLOCK_SNAPSHOT = 51,
    V2_END_OF_GENERATION = 52
};

/* Wire codes of timed events: V2_EV_GoStart and so on. */
enum {
#define V2_EVENT(code, name, args, rule) V2_EV_##name = code,
#include "v2_events.def"
#undef V2_EVENT
    V2_EV_LIMIT = 256
};

/* A map from 64-bit numbers to small ones, insert-only. */

typedef struct gl_v2_map_slot {
    uint64_t key;
    uint32_t value; /* plus one; 0: empty */
} gl_v2_map_slot;

typedef struct gl_v2_map {
    gl_v2_map_slot *slots;
    uint32_t count, mask;
} gl_v2_map;

/** The value, or V2_NONE. */
uint32_t gl_v2_map_get(const gl_v2_map *map, uint64_t key);
/** Adds or replaces; value below V2_NONE. 0 or GL_E_NOMEM. */
int gl_v2_map_put(gl_v2_map *map, uint64_t key, uint32_t value) GL_MUST_CHECK;
void gl_v2_map_clear(gl_v2_map *map);
void gl_v2_map_free(gl_v2_map *map);

/* Ids of one generation to ids of the dictionary: an array while ids are dense, as the runtime's are, else a map. */

typedef struct gl_v2_remap {
    uint32_t *dense; /* plus one; 0: absent */
    uint32_t size, count;
    gl_v2_map sparse;
} gl_v2_remap;

/** False where the id is not there. Id 0 is there always: it is 0. */
static inline bool gl_v2_remap_get(const gl_v2_remap *r, uint64_t id, uint32_t *out)
{
    if (id < r->size && r->dense[id] != 0) {
        *out = r->dense[id] - 1;
        return true;
    }
    *out = 0;
    if (id == 0)
        return true;
    uint32_t v = gl_v2_map_get(&r->sparse, id);
    if (v == V2_NONE)
        return false;
    *out = v;
    return true;
}
int gl_v2_remap_put(gl_v2_remap *r, uint64_t id, uint32_t value) GL_MUST_CHECK;
void gl_v2_remap_clear(gl_v2_remap *r);
void gl_v2_remap_free(gl_v2_remap *r);

/* One generation */

typedef struct gl_v2_batch {
    uint64_t offset; /* of its data */
    uint64_t time;   /* ticks */
    uint32_t size;   /* of its data; less than its header says where the file ends early */
    uint32_t next;   /* of the same thread, V2_NONE: last */
} gl_v2_batch;

/** The event batches of one thread, in the order of the file. */
typedef struct gl_v2_stream {
    uint64_t m;
    uint32_t first, last;
    uint32_t largest; /* bytes of its largest batch */
} gl_v2_stream;

/** A batch of strings, stacks, CPU samples or clocks. */
typedef struct gl_v2_table {
    uint64_t offset, time;
    uint32_t size;
    uint8_t kind; /* its first byte */
} gl_v2_table;

typedef struct gl_v2_sample {
    int64_t time; /* ticks until the frequency is known, then ns */
    uint64_t m, p, g, stack;
} gl_v2_sample;

/** Something that could not be read, to be told in its place among the events. Times in ticks until resolved to ns. */
typedef struct gl_v2_loss {
    int64_t time, until;
    uint64_t offset, bytes, events;
    const char *reason; /* constant */
} gl_v2_loss;

/* A growing array: `void *` of elements of one size. */
typedef struct gl_v2_array {
    char *at;
    size_t n, cap, size;
} gl_v2_array;

/** A zeroed new element at the end, or NULL (no memory). */
void *gl_v2_array_add(gl_v2_array *a);

typedef struct gl_v2_gen {
    uint64_t number;
    uint64_t begin, end;          /* offsets in the file */
    uint64_t min_time, last_time; /* ticks: smallest batch, latest batch seen */
    bool any;                     /* has a batch */
    bool finished;                /* ended as the format says */
    bool cut;                     /* the file ended inside */
    uint64_t experimental_batches;

    gl_v2_array batches; /* gl_v2_batch */
    gl_v2_array streams; /* gl_v2_stream */
    gl_v2_array tables;  /* gl_v2_table */
    gl_v2_array samples; /* gl_v2_sample */
    gl_v2_array losses;  /* gl_v2_loss */
    gl_v2_map stream_of; /* m -> index in streams */

    uint64_t frequency; /* ticks per second, 0 not known */
    bool has_clock;
    uint64_t clock_ticks, mono_ns;
    int64_t wall_unix_ns;
    double ns_per_tick;
    uint32_t whole_ns; /* ns_per_tick where it is a whole number and not large, else 0 */

    gl_v2_remap strings, stacks;
    bool has_strings;        /* at least one batch of strings was there */
    bool has_frequency;      /* of its own */
    uint64_t names_missing;  /* strings and stacks that events or frames refer to and that are not there */
    uint64_t names_broken;   /* entries of the tables that could not be read */
} gl_v2_gen;

void gl_v2_gen_init(gl_v2_gen *gen);
/** Empties it for the next generation; keeps the memory where it is not large. */
void gl_v2_gen_reset(gl_v2_gen *gen);
void gl_v2_gen_free(gl_v2_gen *gen);
/** Remembers a loss. 0 or GL_E_NOMEM. */
int gl_v2_gen_lose(gl_v2_gen *gen, gl_v2_loss loss) GL_MUST_CHECK;

/** Go's own conversion: a product of floats, cut off (Go 1.26 src/internal/trace/base.go, frequency.mul). */
static inline int64_t gl_v2_ns(double ns_per_tick, uint64_t ticks)
{
    double ns = (double)ticks * ns_per_tick;
    return ns < (double)V2_TIME_LIMIT ? (int64_t)ns : V2_TIME_LIMIT;
}

/* Walking over batch headers */

#define V2_WINDOW_BYTES (256u * 1024)
#define V2_WINDOW_HEADERS 4096u /* read at once while only headers are wanted */

typedef struct gl_v2_walker {
    gl_input *in;
    uint64_t size; /* of the input */
    uint64_t at;   /* offset of the next batch */
    unsigned version;
    uint8_t *window;
    uint64_t window_at;
    size_t window_n;
    uint64_t gen, min_time, last_time; /* of the generation in hand or the last one; gen 0: none yet */
} gl_v2_walker;

typedef enum gl_v2_header_kind {
    V2_HEADER_BATCH,
    V2_HEADER_END_MARK, /* one byte, Go 1.26 and later */
    V2_HEADER_EOF,
    V2_HEADER_CUT, /* the file ends inside the header */
    V2_HEADER_BAD
} gl_v2_header_kind;

typedef struct gl_v2_header {
    uint64_t gen, m, time;
    uint64_t data;     /* offset of the data */
    uint32_t size;     /* as stated */
    uint32_t got;      /* bytes of data that the file holds */
    bool experimental;
    bool size_broken;  /* a BAD header of which all but the size makes sense; size and got are 0 */
    uint8_t first;     /* first byte of the data, 0 where there is none */
} gl_v2_header;

int gl_v2_walker_init(gl_v2_walker *w, gl_input *in, unsigned version);
void gl_v2_walker_free(gl_v2_walker *w);
/** Reads the header at an offset. Negative: I/O error; else a gl_v2_header_kind. */
int gl_v2_walker_header(gl_v2_walker *w, uint64_t at, gl_v2_header *h);
/** At least `want` bytes at an offset, fewer only at the end of the input: *n bytes at *p. 0 or negative. */
int gl_v2_walker_bytes(gl_v2_walker *w, uint64_t at, size_t want, const uint8_t **p, size_t *n);
/**
 * Looks for the next believable batch header from `from` on; gen knows the threads seen so far. 1: it is at *found;
 * 0: there is none; negative: I/O error.
 */
int gl_v2_walker_resync(gl_v2_walker *w, uint64_t from, const gl_v2_gen *gen, uint64_t *found);

/**
 * Collects the next generation. 1: there is one; 0: the input is at its end; negative: I/O or memory. Damage goes to
 * gen->losses; the walker stands behind what was used.
 */
int gl_v2_gen_collect(gl_v2_gen *gen, gl_v2_walker *w);
/** Sorts out kinds of batches as Go does; what is none of the tables holds events. */
bool gl_v2_is_table(unsigned version, const gl_v2_header *h);

/* Reading a generation's tables */

#define V2_FIXED_NAMES 32u

typedef struct gl_v2_names {
    uint32_t fixed[V2_FIXED_NAMES]; /* dictionary ids of the strings that every generation begins with; 0: not known */
    uint64_t last_frequency;
} gl_v2_names;

/** Reads clocks, strings, stacks and samples of a collected generation. 0 or negative (I/O, memory). */
int gl_v2_gen_read_tables(gl_v2_gen *gen, gl_v2_walker *w, gl_dict *dict, gl_v2_names *names);
/** Takes a sync batch (or a lone frequency) apart. False where it is broken. */
bool gl_v2_gen_read_sync(gl_v2_gen *gen, unsigned version, uint64_t time, const uint8_t *p, size_t n);

/* One thread's events */

/** The largest: a type and five numbers of ten bytes. */
#define V2_EVENT_BYTES_MAX 51

typedef struct gl_v2_event {
    int64_t time; /* ns, absolute */
    uint64_t arg[4];
    uint8_t type;
} gl_v2_event;

struct gl_v2_m;

/* Events are decoded so many at a time: a tight loop is twice as fast as one event here and one there. */
#define V2_DECODE_AHEAD 32u
/* Behind the decoded ones there is room for so many, which may be looked at without looking where the end is. */
#define V2_LOOK_AHEAD 2u

typedef struct gl_v2_cursor {
    const gl_v2_event *ev, *ev_end; /* the next event, and the end of those that are decoded */
    gl_v2_event *events;
    struct gl_v2_m *m;
    const uint8_t *at, *end; /* in buf: what is not decoded yet */
    uint8_t *buf;
    int64_t time;     /* of the last event decoded */
    uint64_t rest_at; /* offset of what is not in buf yet */
    uint32_t rest;    /* bytes of the batch that are not in buf yet */
    uint32_t batch;   /* V2_NONE: before the first */
    uint32_t stream;
    uint32_t buf_size;
    uint32_t ahead; /* events that there is room for */
    bool broken;    /* what stands at `at` cannot be decoded */
} gl_v2_cursor;

/* Short events: all numbers in so many bytes behind the type, at most so many, each of at most four bytes. */
#define V2_SPREAD_BYTES 8u
#define V2_SPREAD_NUMBERS 4u

/** By which of those bytes are not the last of their number (lowest bit: the first byte). */
typedef struct gl_v2_spread {
    uint8_t place[256][16];  /* the byte that comes to each place, number after number; 0x80 none */
    uint8_t behind[256][8];  /* by the event's numbers: how many bytes these take; 0 where it is not short */
} gl_v2_spread;

typedef struct gl_v2_heap_entry {
    int64_t time;
    gl_v2_cursor *cursor;
} gl_v2_heap_entry;

typedef struct gl_v2_heap {
    gl_v2_heap_entry *at, *spare; /* spare: as long, for sorting */
    size_t n;
} gl_v2_heap;

/** Where the cursors of a generation get their bytes, and what they met. */
typedef struct gl_v2_source {
    gl_input *in;
    const gl_v2_gen *gen;
    const gl_v2_spread *spread; /* or NULL */
    uint32_t window; /* bytes a cursor holds at most */
    uint64_t bytes_done;
    /* Set by gl_v2_cursor_next where a batch broke. */
    bool broke;
    uint64_t broke_at, broke_bytes;
    int64_t broke_time, broke_until;
} gl_v2_source;

/** Makes room for the cursor. 0 or GL_E_NOMEM. */
int gl_v2_cursor_init(gl_v2_cursor *c, const gl_v2_source *src, uint32_t stream);

void gl_v2_spread_init(gl_v2_spread *s);
/** Has the machine the instructions for it? */
bool gl_v2_has_spread(void);
/** Decodes what is in the window, as far as there is room for events. spread: NULL where the machine has it not. */
void gl_v2_cursor_decode(gl_v2_cursor *c, const gl_v2_gen *gen, const gl_v2_spread *spread);
/** Decodes more events; as gl_v2_cursor_next, which calls it. */
int gl_v2_cursor_fill(gl_v2_cursor *c, gl_v2_source *src);

/**
 * Puts c->ev on the next event. 1: there is one; 0: no more; negative: I/O error. src->broke tells of a batch whose
 * rest
 * was passed over on the way.
 */
static inline int gl_v2_cursor_next(gl_v2_cursor *c, gl_v2_source *src)
{
    return c->ev + 1 < c->ev_end ? (c->ev++, 1) : gl_v2_cursor_fill(c, src);
}
bool gl_v2_event_known(unsigned type);

/*
 * The heap. Same shape as Go's (Go 1.26 src/internal/trace/batchcursor.go), as ties come out in the order of its
 * shape.
 */

void gl_v2_heap_insert(gl_v2_heap *h, gl_v2_cursor *c);
/** Entry i has a new event. */
void gl_v2_heap_update(gl_v2_heap *h, size_t i);
void gl_v2_heap_remove(gl_v2_heap *h, size_t i);
void gl_v2_heap_sort(gl_v2_heap *h);

/** The entry at i goes down: to the child that is earliest and earlier than it, of equal ones the left. */
static inline void gl_v2_heap_sift_down(gl_v2_heap *h, size_t i)
{
    gl_v2_heap_entry *at = h->at, e = at[i];
    size_t n = h->n;
    for (size_t left; (left = 2 * i + 1) < n;) {
        size_t least = left + (left + 1 < n && at[left + 1].time < at[left].time);
        if (at[least].time >= e.time)
            break;
        at[i] = at[least];
        i = least;
    }
    at[i] = e;
}

#endif
