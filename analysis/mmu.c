#include "mmu.h"

#include <stdlib.h>
#include <string.h>

#define WORK(x) (1u << GL_GC_##x)

/* What each figure counts; the last one looks at each P for itself. */
static const struct {
    const char *name;
    unsigned work; /* bits of GL_GC_…; a dedicated worker does not count where each P is looked at: it leaves no
                      goroutine on its P that could be delayed */
    bool all_stw;
} sets[GL_MMU_SETS] = {
    {"stw", 0, false},
    {"stw+background+assist", WORK(WORKER) | WORK(DEDICATED) | WORK(ASSIST), false},
    {"stw+background+assist+sweep", WORK(WORKER) | WORK(DEDICATED) | WORK(ASSIST) | WORK(SWEEP), false},
    {"allstw", 0, true},
    {"allstw+background+assist", WORK(WORKER) | WORK(DEDICATED) | WORK(ASSIST), true},
    {"perproc:stw+background+assist", WORK(WORKER) | WORK(ASSIST), false},
};
#define PER_PROC (GL_MMU_SETS - 1)

static bool busy(const gl_mmu_proc *p, unsigned work)
{
    for (unsigned i = 0; i < GL_GC_WORKS; i++) {
        if ((work >> i & 1) && p->work[i] > 0)
            return true;
    }
    return false;
}

static double utilisation(const gl_mmu *m, unsigned set)
{
    if ((sets[set].all_stw ? m->stw_all : m->stw_gc) > 0)
        return 0;
    size_t taken = 0;
    for (size_t i = 0; sets[set].work && i < m->proc_count; i++)
        taken += busy(&m->procs[i], sets[set].work);
    return m->proc_count ? 1 - (double)taken / (double)m->proc_count : 1;
}

static int update(gl_mmu *m, int64_t time)
{
    if (!m->begun)
        return 0;
    if (time > m->time)
        m->time = time;
    int status = 0;
    for (unsigned i = 0; i < PER_PROC && status == 0; i++)
        status = gl_curve_change(&m->sets[i], m->time, utilisation(m, i));
    if (!m->series_count && status == 0)
        return gl_curve_change(&m->early, m->time, m->stw_gc > 0 ? 0 : 1);
    for (size_t i = 0; i < m->proc_count && status == 0; i++) {
        bool taken = m->stw_gc > 0 || busy(&m->procs[i], sets[PER_PROC].work);
        status = gl_curve_change(m->procs[i].curve, m->time, taken ? 0 : 1);
    }
    return status;
}

static int add_proc(gl_mmu *m)
{
    int grown = GL_GROW(m->series, m->series_capacity, m->series_count + 1);
    if (grown < 0)
        return grown;
    gl_curve *c = calloc(1, sizeof *c);
    if (!c)
        return GL_E_NOMEM;
    m->series[m->series_count++] = c;
    m->procs[m->proc_count++] = (gl_mmu_proc){.curve = c};
    return m->early.next ? gl_curve_copy(c, &m->early) : gl_curve_change(c, m->time, 1);
}

int gl_mmu_begin(gl_mmu *m, int64_t time)
{
    m->begun = true;
    m->time = time;
    return update(m, time);
}

int gl_mmu_procs(gl_mmu *m, int64_t time, uint64_t procs)
{
    if (procs > GL_MMU_PROCS_MAX || m->series_count > GL_MMU_PROCS_MAX)
        m->missing = "the trace has more processors than this figure is kept for";
    if (m->missing)
        return 0;
    if (time > m->time)
        m->time = time;
    double mean;
    while (m->proc_count > procs) {
        int status = gl_curve_finish(m->procs[--m->proc_count].curve, m->time, &mean);
        if (status < 0)
            return status;
    }
    int status = GL_GROW(m->procs, m->proc_capacity, (size_t)procs);
    while (status == 0 && m->proc_count < procs)
        status = add_proc(m);
    gl_curve_clean_up(&m->early);
    return status < 0 ? status : update(m, time);
}

static int count_work(gl_mmu *m, int64_t time, uint32_t p, unsigned work, int step)
{
    if (p >= m->proc_count)
        return 0;
    m->procs[p].work[work] += step;
    return update(m, time);
}

int gl_mmu_stw(gl_mmu *m, int64_t time, bool gc, int step)
{
    m->stw_all += step;
    m->stw_gc += gc ? step : 0;
    return update(m, time);
}

int gl_mmu_sweep(gl_mmu *m, int64_t time, uint32_t p, int step) { return count_work(m, time, p, GL_GC_SWEEP, step); }

static bool executing(uint8_t state) { return state == GL_G_RUNNING || state == GL_G_SYSCALL; }

/* Bits of gl_goroutine.gc_work: what it does, and (shifted) what of that is counted on its P now. */
#define COUNTED 4

static int set_counted(gl_mmu *m, int64_t time, gl_goroutine *g, uint32_t p, unsigned work, bool on)
{
    uint8_t bit = (uint8_t)(1u << (work + COUNTED));
    if (on == ((g->gc_work & bit) != 0))
        return 0;
    g->gc_work ^= bit;
    if (on)
        g->gc_proc = p;
    return count_work(m, time, g->gc_proc, work, on ? 1 : -1);
}

int gl_mmu_assist(gl_mmu *m, int64_t time, gl_goroutine *g, uint32_t p, bool begin)
{
    if (begin)
        g->gc_work |= WORK(ASSIST);
    else
        g->gc_work &= (uint8_t)~WORK(ASSIST);
    return set_counted(m, time, g, p, GL_GC_ASSIST, begin && executing(g->state));
}

int gl_mmu_label(gl_mmu *m, int64_t time, gl_goroutine *g, uint32_t p, const char *label)
{
    if (strncmp(label, "GC ", 3) != 0 || strcmp(label, "GC (idle)") == 0)
        return 0;
    unsigned work = strcmp(label, "GC (dedicated)") == 0 ? GL_GC_DEDICATED : GL_GC_WORKER;
    g->gc_work |= (uint8_t)(1u << work);
    return set_counted(m, time, g, p, work, true);
}

int gl_mmu_move(gl_mmu *m, int64_t time, gl_goroutine *g, uint32_t p, uint8_t from, uint8_t to)
{
    int status = 0;
    if (!executing(from) && executing(to) && (g->gc_work & WORK(ASSIST)))
        return set_counted(m, time, g, p, GL_GC_ASSIST, true);
    if (!executing(from) || executing(to))
        return 0;
    for (unsigned i = 0; i < GL_GC_SWEEP && status == 0; i++)
        status = set_counted(m, time, g, p, i, false);
    g->gc_work &= WORK(ASSIST); /* a worker's label holds until it stops running */
    return status;
}

static int finish_sets(gl_mmu *m)
{
    for (unsigned i = 0; i < PER_PROC; i++) {
        gl_mmu_figures *f = &m->figures[i];
        f->set = sets[i].name;
        int status = gl_curve_finish(&m->sets[i], m->time, &f->mean);
        if (status < 0)
            return status;
        memcpy(f->window, m->sets[i].least, sizeof f->window);
        if (m->sets[i].too_many)
            m->missing = "it changed too often to be kept";
    }
    return 0;
}

/* Of all the Ps the worst; the mean is that of them all. */
static int finish_procs(gl_mmu *m)
{
    gl_mmu_figures *f = &m->figures[PER_PROC];
    *f = (gl_mmu_figures){.set = sets[PER_PROC].name, .window = {1, 1, 1, 1, 1}, .mean = 1};
    double sum = 0, spans = 0;
    for (size_t i = 0; i < m->series_count; i++) {
        double mean;
        int status = gl_curve_finish(m->series[i], m->time, &mean);
        if (status < 0)
            return status;
        sum += mean * (double)m->series[i]->span;
        spans += (double)m->series[i]->span;
        for (size_t w = 0; w < GL_MMU_WINDOWS; w++) {
            if (m->series[i]->least[w] < f->window[w])
                f->window[w] = m->series[i]->least[w];
        }
        if (m->series[i]->too_many)
            m->missing = "it changed too often to be kept";
    }
    f->mean = spans > 0 ? sum / spans : 1;
    return 0;
}

int gl_mmu_finish(gl_mmu *m, int64_t time)
{
    if (!m->proc_count && !m->missing)
        m->missing = "the trace does not say how many processors there are";
    if (m->missing)
        return 0;
    if (time > m->time)
        m->time = time;
    int status = finish_sets(m);
    if (status == 0)
        status = finish_procs(m);
    m->figure_count = m->missing ? 0 : GL_MMU_SETS;
    return status;
}

void gl_mmu_clean_up(gl_mmu *m)
{
    for (unsigned i = 0; i < PER_PROC; i++)
        gl_curve_clean_up(&m->sets[i]);
    for (size_t i = 0; i < m->series_count; i++) {
        gl_curve_clean_up(m->series[i]);
        free(m->series[i]);
    }
    gl_curve_clean_up(&m->early);
    free(m->series);
    free(m->procs);
}
