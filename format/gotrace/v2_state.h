/*
 * Goroutines, Ps and threads as far as a v2 trace has told of them. Internal to the v2 importer.
 */
#ifndef GOLANES_GOTRACE_V2_STATE_H
#define GOLANES_GOTRACE_V2_STATE_H

#include "v2.h"

/** A goroutine that lives. status: gl_gstate; GL_G_UNDETERMINED: damage has made it doubtful. */
typedef struct gl_v2_g {
    uint64_t id; /* 0: an empty slot */
    uint64_t seq;
    uint32_t part; /* ordinal of the generation that seq belongs to */
    uint8_t status;
} gl_v2_g;

/** Wire codes of a P's status; V2_P_DOUBTFUL is ours. */
enum { V2_P_DOUBTFUL = 0, V2_P_RUNNING = 1, V2_P_IDLE = 2, V2_P_SYSCALL = 3, V2_P_ABANDONED = 4, V2_P_STATUSES };

typedef struct gl_v2_p {
    uint64_t seq;
    uint32_t part;
    uint32_t id;
    struct gl_v2_m *m; /* that it was last bound to; true only where m->p is this P */
    uint8_t status;
} gl_v2_p;

/** A thread: what it runs. */
typedef struct gl_v2_m {
    uint64_t id;
    uint64_t g;      /* 0 none */
    uint32_t p;      /* index, V2_NONE none */
    uint32_t p_id;   /* GL_NO_PROC none */
    uint32_t thread; /* in the dictionary */
    bool seen;       /* one of its events came, or one that says what it runs */
} gl_v2_m;

#define V2_M_CHUNK 64u

typedef struct gl_v2_state {
    gl_dict *dict;
    /* Goroutines: open addressing; an entry moves when another is added or removed. */
    gl_v2_g *gs;
    size_t g_count;
    size_t g_mask;     /* slots, a power of two, less one */
    unsigned g_shift;  /* a hash shifted so far to the right is a slot */
    gl_v2_array ps;  /* gl_v2_p */
    gl_v2_map p_index;
    gl_v2_m **m_chunks; /* threads never move */
    uint32_t m_count;
    gl_v2_map m_index;
    gl_v2_m nobody; /* stands for "no thread" */
} gl_v2_state;

int gl_v2_state_init(gl_v2_state *s, gl_dict *dict);
void gl_v2_state_free(gl_v2_state *s);

static inline size_t gl_v2_g_home(const gl_v2_state *s, uint64_t id)
{
    return (size_t)((id * UINT64_C(0x9e3779b97f4a7c15)) >> s->g_shift);
}

/** NULL where it is not known. Valid until the next addition or removal. */
static inline gl_v2_g *gl_v2_g_find(const gl_v2_state *s, uint64_t id)
{
    size_t mask = s->g_mask, i = gl_v2_g_home(s, id);
    while (s->gs[i].id != id) {
        if (s->gs[i].id == 0)
            return NULL;
        i = (i + 1) & mask;
    }
    return &s->gs[i];
}

/* Fewer slots are in a core's cache anyway. */
#define V2_G_FETCH_FROM 32768u

/** Fetches the place of a goroutine that is asked for soon; any number will do. */
static inline void gl_v2_g_prefetch(const gl_v2_state *s, uint64_t id)
{
    if (s->g_mask >= V2_G_FETCH_FROM)
        __builtin_prefetch(&s->gs[gl_v2_g_home(s, id)]);
}

/** Finds or adds; id is not 0. NULL: no memory. */
gl_v2_g *gl_v2_g_add(gl_v2_state *s, uint64_t id);
void gl_v2_g_remove(gl_v2_state *s, gl_v2_g *g);

static inline gl_v2_p *gl_v2_p_at(const gl_v2_state *s, uint32_t index)
{
    return (gl_v2_p *)(void *)s->ps.at + index;
}

/** Index of a P, V2_NONE where it is not known. */
uint32_t gl_v2_p_find(const gl_v2_state *s, uint64_t id);
/** Adds one that is not known. V2_NONE: no memory. */
uint32_t gl_v2_p_add(gl_v2_state *s, uint32_t id);

/** NULL where it is not known. */
gl_v2_m *gl_v2_m_find(const gl_v2_state *s, uint64_t id);
/** Finds or adds. 0 or negative. */
int gl_v2_m_add(gl_v2_state *s, uint64_t id, gl_v2_m **m);

static inline void gl_v2_m_bind_p(gl_v2_state *s, gl_v2_m *m, uint32_t p)
{
    m->p = p;
    m->p_id = gl_v2_p_at(s, p)->id;
    gl_v2_p_at(s, p)->m = m;
}
static inline void gl_v2_m_drop_p(gl_v2_m *m)
{
    m->p = V2_NONE;
    m->p_id = GL_NO_PROC;
}
/** The thread that a P is bound to, or NULL. */
static inline gl_v2_m *gl_v2_p_owner(const gl_v2_state *s, uint32_t p)
{
    gl_v2_m *m = gl_v2_p_at(s, p)->m;
    return m && m->p == p ? m : NULL;
}

/** After a gap on one thread: what it ran is doubtful. */
void gl_v2_state_doubt(gl_v2_state *s, gl_v2_m *m);

#endif
