#include <stdlib.h>
#include <string.h>

#include "inside.h"

#define BLOCK_SITES 60

static int fill_reasons(gl_summary *s)
{
    s->reason_list = calloc(s->reasons.count, sizeof *s->reason_list);
    if (!s->reason_list)
        return GL_E_NOMEM;
    for (unsigned i = 0; i < s->reasons.count; i++) {
        gl_reason *r = &s->reasons.list[i];
        int status = gl_spread_of(&r->wait, &r->figures.wait);
        if (status == 0)
            status = gl_spread_of(&r->stw, &r->figures.stw);
        if (status < 0)
            return status;
        s->reason_list[i] = r->figures;
    }
    s->result.reasons = s->reason_list;
    s->result.reason_count = s->reasons.count;
    return 0;
}

static int by_size(const void *a, const void *b)
{
    const gl_group_figures *x = a, *y = b;
    if (x->n != y->n)
        return x->n > y->n ? -1 : 1;
    return x->name < y->name ? -1 : x->name > y->name;
}

/* Rows of (reason, ns) for the groups and, behind them, for the sum of all. */
static gl_reason_time *times_of(gl_reason_time *row, const gl_summary *s, const uint64_t *block, size_t n,
                                gl_state_times *out)
{
    out->block = row;
    for (size_t i = 0; i < n; i++) {
        if (block[i])
            *row++ = (gl_reason_time){s->reasons.list[i].figures.reason, block[i]};
    }
    out->block_count = (size_t)(row - out->block);
    return row;
}

static int fill_groups(gl_summary *s)
{
    const gl_goroutines *gs = &s->goroutines;
    uint64_t total[GL_REASONS_MAX] = {0};
    s->group_list = calloc(gs->group_count + 1, sizeof *s->group_list);
    s->group_times = calloc((gs->group_count + 1) * s->reasons.count, sizeof *s->group_times);
    if (!s->group_list || !s->group_times)
        return GL_E_NOMEM;
    gl_reason_time *row = s->group_times;
    for (size_t i = 0; i < gs->group_count; i++) {
        const gl_group *g = &gs->groups[i];
        gl_group_figures *f = &s->group_list[i];
        *f = (gl_group_figures){.name = g->name, .n = g->n, .alive = g->alive};
        f->system = gl_system_goroutine(gl_dict_text(s->dict, g->name, NULL));
        memcpy(f->times.ns, g->ns, sizeof g->ns);
        size_t reasons = g->block_capacity < s->reasons.count ? g->block_capacity : s->reasons.count;
        row = times_of(row, s, g->block, reasons, &f->times);
        for (size_t k = 0; k < GL_G_STATES; k++)
            s->result.sum.ns[k] += g->ns[k];
        for (size_t k = 0; k < reasons; k++)
            total[k] += g->block[k];
    }
    times_of(row, s, total, s->reasons.count, &s->result.sum);
    qsort(s->group_list, gs->group_count, sizeof *s->group_list, by_size);
    s->result.groups = s->group_list;
    s->result.group_count = gs->group_count;
    return 0;
}

static int by_id(const void *a, const void *b)
{
    const gl_proc_figures *x = a, *y = b;
    return x->id < y->id ? -1 : x->id > y->id;
}

static int fill_procs(gl_summary *s)
{
    s->proc_list = calloc(s->proc_count + 1, sizeof *s->proc_list);
    if (!s->proc_list)
        return GL_E_NOMEM;
    for (size_t i = 0; i < s->proc_count; i++)
        s->proc_list[i] = (gl_proc_figures){s->proc_ids[i], s->procs[i].running_ns, s->procs[i].running_spans};
    qsort(s->proc_list, s->proc_count, sizeof *s->proc_list, by_id);
    s->result.procs = s->proc_list;
    s->result.proc_count = s->proc_count;
    return 0;
}

static void fill_goroutines(gl_summary *s)
{
    const gl_goroutines *gs = &s->goroutines;
    s->result.seen = gs->seen;
    s->result.preexisting = gs->preexisting;
    s->result.alive = gs->alive;
    s->result.unnamed = gs->unnamed;
    s->result.system = gs->system;
    memcpy(s->result.end_states, gs->end_states, sizeof gs->end_states);
}

static void fill_straddles(gl_summary *s)
{
    uint64_t sends = s->result.sends.not_ended, selects = s->result.selects.not_ended;
    gl_straddles_finish(&s->straddles);
    memcpy(s->result.operations, s->straddles.figures, sizeof s->result.operations);
    s->result.sends = s->straddles.figures[GL_OPERATION_SEND];
    s->result.selects = s->straddles.figures[GL_OPERATION_SELECT];
    s->result.sends.not_ended = sends;
    s->result.selects.not_ended = selects;
    s->result.send_waits_over_stw = s->straddles.send_waits;
    s->result.send_waiters_over_stw = s->straddles.send_waiters;
    s->result.stuck = s->stuck.sites;
    s->result.stuck_count = s->stuck.site_count;
}

int gl_fill_result(gl_summary *s)
{
    gl_summary_result *r = &s->result;
    int status = fill_reasons(s);
    if (status == 0)
        status = fill_groups(s);
    if (status == 0)
        status = fill_procs(s);
    if (status == 0)
        status = gl_spread_of(&s->running, &r->running);
    if (status == 0)
        status = gl_spread_of(&s->runnable, &r->runnable);
    if (status == 0)
        status = gl_spread_of(&s->syscall, &r->syscall);
    if (status == 0)
        status = gl_sites_list(&s->sites, BLOCK_SITES, &s->block_sites, &r->block_site_count);
    if (status < 0)
        return status;
    fill_goroutines(s);
    fill_straddles(s);
    gl_user_finish(&s->user);
    r->user = s->user.figures;
    r->gc = gl_ranges_result(&s->gc);
    r->stw = gl_ranges_result(&s->stw);
    r->labels = s->labels;
    r->label_count = s->label_count;
    r->threads = (uint32_t)s->tids.count;
    r->stacks = s->sites.stacks;
    r->stack_frames = s->sites.frame_count;
    r->stack_lines = s->sites.lines.count;
    r->stack_funcs = s->sites.func_count;
    r->stack_depth = s->sites.depth;
    r->unpark_pairs = gl_pairs_count(&s->wakes);
    r->unpark_pairs_cut = s->wakes.overflow;
    r->mmu = s->mmu.figures;
    r->mmu_count = s->mmu.figure_count;
    r->mmu_curve = s->mmu.answer;
    r->mmu_missing = s->mmu.missing;
    r->mmu_inferred = s->mmu.inferred;
    r->block_sites = s->block_sites;
    r->unknown_types = r->by_type[0];
    return 0;
}
