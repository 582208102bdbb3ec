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

static double utilisation_of(const gl_mmu *m, unsigned work, bool stopped)
{
    if (stopped)
        return 0;
    size_t taken = 0;
    for (size_t i = 0; work && i < m->proc_count; i++)
        taken += busy(&m->procs[i], work);
    return m->proc_count ? 1 - (double)taken / (double)m->proc_count : 1;
}

static double utilisation(const gl_mmu *m, unsigned work, bool all_stw)
{
    return utilisation_of(m, work, (all_stw ? m->stw_all : m->stw_gc) > 0);
}

static bool asked_stopped(const gl_mmu *m)
{
    const gl_mmu_request *r = &m->request;
    return !r->no_stw && (r->all_stw ? m->stw_all : m->stw_gc) > 0;
}

static unsigned asked_work(const gl_mmu_request *r)
{
    unsigned work = r->background ? WORK(WORKER) | (r->per_proc ? 0 : WORK(DEDICATED)) : 0;
    return work | (r->assist ? WORK(ASSIST) : 0) | (r->sweep ? WORK(SWEEP) : 0);
}

static void prepare(const gl_mmu *m, gl_curve *c, gl_curve_worst *worst)
{
    c->window = m->request.windows;
    c->windows = m->request.window_count;
    c->worst = worst;
    worst->window = m->request.worst_of;
    worst->most = m->request.worst;
}

int gl_mmu_ask(gl_mmu *m, const gl_mmu_request *r)
{
    if (!r->window_count || r->window_count > GL_CURVE_WINDOWS_MAX || r->worst > GL_CURVE_WORST_MAX ||
        r->worst_of >= r->window_count || m->begun)
        return GL_E_USAGE;
    m->request = *r;
    if (r->percentiles && !(m->mass = calloc(r->window_count, sizeof *m->mass)))
        return GL_E_NOMEM;
    m->asked.mass = r->per_proc ? NULL : m->mass;
    prepare(m, &m->asked, &m->worst);
    prepare(m, &m->early_asked, &m->early_worst);
    return 0;
}

/* The curve that was asked for has a change. */
static int update_asked(gl_mmu *m)
{
    const gl_mmu_request *r = &m->request;
    unsigned work = asked_work(r);
    bool stopped = asked_stopped(m);
    int status = 0;
    if (!r->window_count)
        return 0;
    if (!r->per_proc)
        return gl_curve_change(&m->asked, m->time, utilisation_of(m, work, stopped));
    if (!m->series_count)
        return gl_curve_change(&m->early_asked, m->time, stopped ? 0 : 1);
    for (size_t i = 0; i < m->proc_count && status == 0; i++)
        status = gl_curve_change(&m->procs[i].series->asked, m->time, stopped || busy(&m->procs[i], work) ? 0 : 1);
    return status;
}

static int update(gl_mmu *m, int64_t time)
{
    if (!m->begun)
        return 0;
    if (time > m->time)
        m->time = time;
    int status = update_asked(m);
    for (unsigned i = 0; i < PER_PROC && status == 0; i++)
        status = gl_curve_change(&m->sets[i], m->time, utilisation(m, sets[i].work, sets[i].all_stw));
    if (!m->series_count && status == 0)
        return gl_curve_change(&m->early, m->time, m->stw_gc > 0 ? 0 : 1);
    for (size_t i = 0; i < m->proc_count && status == 0; i++) {
        bool taken = m->stw_gc > 0 || busy(&m->procs[i], sets[PER_PROC].work);
        status = gl_curve_change(&m->procs[i].series->usual, m->time, taken ? 0 : 1);
    }
    return status;
}

static int add_proc(gl_mmu *m)
{
    int grown = GL_GROW(m->series, m->series_capacity, m->series_count + 1);
    if (grown < 0)
        return grown;
    gl_mmu_series *s = calloc(1, sizeof *s);
    if (!s)
        return GL_E_NOMEM;
    s->p = (uint32_t)m->proc_count;
    m->series[m->series_count++] = s;
    m->procs[m->proc_count++] = (gl_mmu_proc){.series = s};
    int status = m->early.next ? gl_curve_copy(&s->usual, &m->early) : gl_curve_change(&s->usual, m->time, 1);
    if (status < 0 || !m->request.per_proc || !m->request.window_count)
        return status;
    s->worst = m->early_worst;
    prepare(m, &s->asked, &s->worst);
    s->asked.mass = m->mass;
    if (!m->early_asked.next)
        return gl_curve_change(&s->asked, m->time, 1);
    status = gl_curve_copy(&s->asked, &m->early_asked);
    s->asked.worst = &s->worst;
    s->asked.mass = m->mass;
    return status;
}

int gl_mmu_begin(gl_mmu *m, int64_t time)
{
    m->begun = true;
    m->time = time;
    return update(m, time);
}

static int set_procs(gl_mmu *m, int64_t time, uint64_t procs)
{
    if (procs > GL_MMU_PROCS_MAX || m->series_count > GL_MMU_PROCS_MAX)
        m->missing = "the trace has more processors than this figure is kept for";
    if (m->missing)
        return 0;
    if (time > m->time)
        m->time = time;
    double mean;
    while (m->proc_count > procs) {
        gl_mmu_series *s = m->procs[--m->proc_count].series;
        int status = gl_curve_finish(&s->usual, m->time, &mean);
        if (status == 0)
            status = gl_curve_finish(&s->asked, m->time, &mean);
        if (status < 0)
            return status;
    }
    int status = GL_GROW(m->procs, m->proc_capacity, (size_t)procs);
    while (status == 0 && m->proc_count < procs)
        status = add_proc(m);
    gl_curve_clean_up(&m->early);
    gl_curve_clean_up(&m->early_asked);
    return status < 0 ? status : update(m, time);
}

int gl_mmu_procs(gl_mmu *m, int64_t time, uint64_t procs)
{
    m->told = true;
    return set_procs(m, time, procs);
}

int gl_mmu_seen(gl_mmu *m, int64_t time, uint32_t p)
{
    m->inferred = true;
    return m->told || p < m->proc_count ? 0 : set_procs(m, time, (uint64_t)p + 1);
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
    if (!executing(from) && executing(to) && (g->gc_work & GL_MMU_WORKER) && m->inferred)
        return set_counted(m, time, g, p, GL_GC_WORKER, true);
    if (!executing(from) || executing(to))
        return 0;
    for (unsigned i = 0; i < GL_GC_SWEEP && status == 0; i++)
        status = set_counted(m, time, g, p, i, false);
    g->gc_work &= WORK(ASSIST) | GL_MMU_WORKER; /* a worker's label holds until it stops running */
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
        gl_curve *c = &m->series[i]->usual;
        int status = gl_curve_finish(c, m->time, &mean);
        if (status < 0)
            return status;
        sum += mean * (double)c->span;
        spans += (double)c->span;
        for (size_t w = 0; w < GL_MMU_WINDOWS; w++) {
            if (c->least[w] < f->window[w])
                f->window[w] = c->least[w];
        }
        if (c->too_many)
            m->missing = "it changed too often to be kept";
    }
    f->mean = spans > 0 ? sum / spans : 1;
    return 0;
}

static void merge_worst(gl_mmu *m, const gl_mmu_window *list, size_t n, uint32_t p, uint32_t process)
{
    for (size_t i = 0; i < n; i++) {
        size_t at = m->worst.count;
        if (at == m->worst.most && (!at || list[i].utilisation >= m->worst.list[at - 1].utilisation))
            return;
        m->worst.count += at < m->worst.most;
        for (at = m->worst.count - 1; at > 0 && m->worst.list[at - 1].utilisation > list[i].utilisation; at--)
            m->worst.list[at] = m->worst.list[at - 1];
        m->worst.list[at] = list[i];
        m->worst.list[at].p = p == UINT32_MAX ? list[i].p : p;
        m->worst.list[at].process = process;
    }
}

/* Of a window as long as the trace there is one, and none of a longer one. */
static void finish_percentiles(gl_mmu *m)
{
    static const double shares[GL_MMU_PERCENTILES] = {[GL_MMU_P999] = 0.001, [GL_MMU_P99] = 0.01, [GL_MMU_P95] = 0.05};
    for (unsigned w = 0; m->mass && w < m->request.window_count; w++) {
        for (unsigned i = 0; i < GL_MMU_PERCENTILES; i++) {
            double at = gl_curve_mass_at(&m->mass[w], shares[i]);
            m->answer_percentile[w][i] = at > m->answer_least[w] ? at : m->answer_least[w];
        }
    }
    m->answer.percentile = m->mass ? (const double (*)[GL_MMU_PERCENTILES])m->answer_percentile : NULL;
}

static int finish_asked(gl_mmu *m)
{
    gl_mmu_curve *a = &m->answer;
    int status = 0;
    double sum = 0, spans = 0;
    if (!m->request.window_count)
        return 0;
    a->least = m->answer_least;
    a->worst = m->worst.list;
    if (!m->request.per_proc) {
        status = gl_curve_finish(&m->asked, m->time, &a->mean);
        memcpy(m->answer_least, m->asked.least, sizeof m->answer_least);
        if (m->asked.too_many)
            a->least = NULL;
        a->worst_count = m->worst.count;
        return status;
    }
    for (unsigned w = 0; w < m->request.window_count; w++)
        m->answer_least[w] = 1;
    for (size_t i = 0; i < m->series_count && status == 0; i++) {
        gl_curve *c = &m->series[i]->asked;
        double mean;
        status = gl_curve_finish(c, m->time, &mean);
        sum += mean * (double)c->span;
        spans += (double)c->span;
        for (unsigned w = 0; w < m->request.window_count; w++)
            m->answer_least[w] = c->least[w] < m->answer_least[w] ? c->least[w] : m->answer_least[w];
        merge_worst(m, m->series[i]->worst.list, m->series[i]->worst.count, m->series[i]->p, 0);
        if (c->too_many)
            a->least = NULL;
    }
    a->mean = spans > 0 ? sum / spans : 1;
    a->worst_count = m->worst.count;
    return status;
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
    if (status == 0)
        status = finish_asked(m);
    finish_percentiles(m);
    m->figure_count = m->missing ? 0 : GL_MMU_SETS;
    return status;
}

void gl_mmu_join(gl_mmu *m, const gl_mmu *other, uint32_t process)
{
    if (!m->missing)
        m->missing = other->missing;
    m->inferred |= other->inferred;
    if (m->missing) {
        m->figure_count = 0;
        return;
    }
    for (size_t i = 0; i < m->figure_count; i++) {
        const gl_mmu_figures *f = &other->figures[i];
        for (size_t w = 0; w < GL_MMU_WINDOWS; w++)
            m->figures[i].window[w] = f->window[w] < m->figures[i].window[w] ? f->window[w] : m->figures[i].window[w];
        m->figures[i].mean = f->mean < m->figures[i].mean ? f->mean : m->figures[i].mean;
    }
    if (!m->answer.least || !other->answer.least) {
        m->answer.least = NULL;
        return;
    }
    for (unsigned w = 0; w < m->request.window_count; w++) {
        double x = other->answer_least[w];
        m->answer_least[w] = x < m->answer_least[w] ? x : m->answer_least[w];
    }
    for (unsigned w = 0; m->mass && other->mass && w < m->request.window_count; w++) {
        for (unsigned i = 0; i < GL_CURVE_BINS; i++) {
            m->mass[w].part[i] += other->mass[w].part[i];
            m->mass[w].step[i] += other->mass[w].step[i];
        }
    }
    finish_percentiles(m);
    m->answer.mean = other->answer.mean < m->answer.mean ? other->answer.mean : m->answer.mean;
    merge_worst(m, other->worst.list, other->worst.count, UINT32_MAX, process);
    m->answer.worst_count = m->worst.count;
}

void gl_mmu_clean_up(gl_mmu *m)
{
    for (unsigned i = 0; i < PER_PROC; i++)
        gl_curve_clean_up(&m->sets[i]);
    for (size_t i = 0; i < m->series_count; i++) {
        gl_curve_clean_up(&m->series[i]->usual);
        gl_curve_clean_up(&m->series[i]->asked);
        free(m->series[i]);
    }
    gl_curve_clean_up(&m->early);
    gl_curve_clean_up(&m->early_asked);
    gl_curve_clean_up(&m->asked);
    free(m->series);
    free(m->procs);
    free(m->mass);
}
