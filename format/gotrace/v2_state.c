#include "v2_state.h"

#include <stdlib.h>

#define G_BITS_MIN 8u
#define G_BITS_MAX 40u

static void set_bits(gl_v2_state *s, unsigned bits)
{
    s->g_mask = ((size_t)1 << bits) - 1;
    s->g_shift = 64 - bits;
}

int gl_v2_state_init(gl_v2_state *s, gl_dict *dict)
{
    memset(s, 0, sizeof *s);
    s->dict = dict;
    s->ps.size = sizeof(gl_v2_p);
    set_bits(s, G_BITS_MIN);
    s->gs = calloc(s->g_mask + 1, sizeof *s->gs);
    s->nobody = (gl_v2_m){.id = V2_NO_M, .p = V2_NONE, .p_id = GL_NO_PROC, .thread = GL_NO_THREAD};
    return s->gs ? 0 : GL_E_NOMEM;
}

void gl_v2_state_free(gl_v2_state *s)
{
    free(s->gs);
    free(s->ps.at);
    gl_v2_map_free(&s->p_index);
    for (uint32_t i = 0; i < s->m_count; i += V2_M_CHUNK)
        free(s->m_chunks[i / V2_M_CHUNK]);
    free(s->m_chunks);
    gl_v2_map_free(&s->m_index);
    memset(s, 0, sizeof *s);
}

/* Goroutines */

static gl_v2_g *free_slot(const gl_v2_state *s, uint64_t id)
{
    size_t mask = s->g_mask, i = gl_v2_g_home(s, id);
    while (s->gs[i].id != 0)
        i = (i + 1) & mask;
    return &s->gs[i];
}

static int g_double(gl_v2_state *s)
{
    gl_v2_g *old = s->gs;
    size_t n = s->g_mask + 1;
    unsigned bits = 64 - s->g_shift + 1;
    gl_v2_g *gs = bits <= G_BITS_MAX ? calloc((size_t)1 << bits, sizeof *gs) : NULL;
    if (!gs)
        return GL_E_NOMEM;
    s->gs = gs;
    set_bits(s, bits);
    for (size_t i = 0; i < n; i++)
        if (old[i].id != 0)
            *free_slot(s, old[i].id) = old[i];
    free(old);
    return 0;
}

gl_v2_g *gl_v2_g_add(gl_v2_state *s, uint64_t id)
{
    gl_v2_g *g = gl_v2_g_find(s, id);
    if (g)
        return g;
    if (s->g_count >= (s->g_mask + 1) / 8 * 5 && g_double(s) < 0)
        return NULL;
    g = free_slot(s, id);
    *g = (gl_v2_g){.id = id};
    s->g_count++;
    return g;
}

/* Those behind it move up where the gap would cut them off from their home. */
void gl_v2_g_remove(gl_v2_state *s, gl_v2_g *g)
{
    size_t mask = s->g_mask, gap = (size_t)(g - s->gs);
    for (size_t i = (gap + 1) & mask; s->gs[i].id != 0; i = (i + 1) & mask) {
        size_t home = gl_v2_g_home(s, s->gs[i].id);
        if (((i - home) & mask) >= ((i - gap) & mask)) {
            s->gs[gap] = s->gs[i];
            gap = i;
        }
    }
    s->gs[gap].id = 0;
    s->g_count--;
}

/* Ps */

uint32_t gl_v2_p_find(const gl_v2_state *s, uint64_t id)
{
    return gl_v2_map_get(&s->p_index, id);
}

uint32_t gl_v2_p_add(gl_v2_state *s, uint32_t id)
{
    uint32_t index = (uint32_t)s->ps.n;
    gl_v2_p *p = gl_v2_array_add(&s->ps);
    if (!p || gl_v2_map_put(&s->p_index, id, index) < 0)
        return V2_NONE;
    p->id = id;
    return index;
}

/* Threads */

static gl_v2_m *m_at(const gl_v2_state *s, uint32_t i)
{
    return &s->m_chunks[i / V2_M_CHUNK][i % V2_M_CHUNK];
}

gl_v2_m *gl_v2_m_find(const gl_v2_state *s, uint64_t id)
{
    uint32_t i = gl_v2_map_get(&s->m_index, id);
    return i == V2_NONE ? NULL : m_at(s, i);
}

static int m_new_chunk(gl_v2_state *s)
{
    uint32_t n = s->m_count / V2_M_CHUNK;
    if ((n & (n - 1)) == 0) { /* the array of chunks doubles */
        gl_v2_m **chunks = realloc(s->m_chunks, (n ? (size_t)n * 2 : 1) * sizeof *chunks);
        if (!chunks)
            return GL_E_NOMEM;
        s->m_chunks = chunks;
    }
    s->m_chunks[n] = malloc(V2_M_CHUNK * sizeof **s->m_chunks);
    return s->m_chunks[n] ? 0 : GL_E_NOMEM;
}

int gl_v2_m_add(gl_v2_state *s, uint64_t id, gl_v2_m **m)
{
    *m = gl_v2_m_find(s, id);
    if (*m)
        return 0;
    uint32_t thread;
    int rc = gl_dict_thread(s->dict, (gl_thread_info){.tid = id}, &thread);
    if (rc == 0)
        rc = gl_v2_map_put(&s->m_index, id, s->m_count);
    if (rc == 0 && s->m_count % V2_M_CHUNK == 0)
        rc = m_new_chunk(s);
    if (rc < 0)
        return rc;
    *m = m_at(s, s->m_count++);
    **m = (gl_v2_m){.id = id, .p = V2_NONE, .p_id = GL_NO_PROC, .thread = thread};
    return 0;
}

/* After damage */

void gl_v2_state_doubt(gl_v2_state *s, gl_v2_m *m)
{
    gl_v2_g *g = m->g ? gl_v2_g_find(s, m->g) : NULL;
    if (g)
        g->status = GL_G_UNDETERMINED;
    m->g = 0;
    if (m->p != V2_NONE)
        gl_v2_p_at(s, m->p)->status = V2_P_DOUBTFUL;
}
