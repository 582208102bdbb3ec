#include "inside.h"

static gl_goroutine *alive(gl_summary *s, uint64_t id)
{
    uint32_t slot = id ? gl_goroutines_find(&s->goroutines, id) : GL_NONE32;
    return slot == GL_NONE32 ? NULL : gl_goroutines_at(&s->goroutines, slot);
}

static int take_metric(gl_summary *s, unsigned which, uint64_t value)
{
    gl_metric_figures *m = &s->result.metrics[which];
    if (!m->count++)
        m->first = m->min = value;
    m->last = value;
    if (value < m->min)
        m->min = value;
    if (value > m->max)
        m->max = value;
    return 0;
}

static int take_stw(gl_summary *s, const gl_event *ev)
{
    gl_reason *r = &s->reasons.list[gl_reasons_find(&s->reasons, (uint32_t)ev->arg[0])];
    uint32_t process = gl_summary_process_of(s, ev);
    if (ev->type == GL_EV_GCSTWBegin) {
        r->figures.stw_begins++;
        gl_range_figures x = {
            .begin = ev->time, .g = ev->g, .reason = (uint32_t)ev->arg[0], .gc = r->gc, .process = process};
        int status = gl_ranges_begin(&s->stw, &x, s->order);
        return status < 0 ? status : gl_mmu_stw(gl_summary_mmu(s, process), ev->time, r->gc, 1);
    }
    r->figures.stw_ends++;
    const gl_range_figures *x = gl_ranges_end(&s->stw, ev->g, process, ev->time, s->order);
    if (!x)
        return 0;
    r = &s->reasons.list[gl_reasons_find(&s->reasons, x->reason)];
    int status = gl_dist_add(&r->stw, x->end > x->begin ? (uint64_t)(x->end - x->begin) : 0);
    return status < 0 ? status : gl_mmu_stw(gl_summary_mmu(s, process), ev->time, r->gc, -1);
}

static int take_gc(gl_summary *s, const gl_event *ev)
{
    uint32_t process = gl_summary_process_of(s, ev);
    if (ev->type == GL_EV_GCEnd) {
        gl_ranges_end(&s->gc, 0, process, ev->time, s->order);
        return 0;
    }
    bool active = ev->type == GL_EV_GCActive;
    if (active && gl_ranges_is_open(&s->gc, process))
        return 0; /* restated at the start of a part */
    gl_range_figures x = {
        .begin = active ? s->part_begin : ev->time, .open_start = active, .gc = true, .process = process};
    return gl_ranges_begin(&s->gc, &x, s->order);
}

static int take_assist(gl_summary *s, const gl_event *ev)
{
    bool begin = ev->type != GL_EV_GCMarkAssistEnd;
    uint64_t id = ev->type == GL_EV_GCMarkAssistActive ? ev->arg[0] : ev->g;
    uint32_t at = gl_map_get(&s->assists, id);
    gl_goroutine *g = alive(s, id);
    if (begin && at != GL_NONE32)
        return 0; /* restated */
    int status = 0;
    if (begin) {
        at = (uint32_t)s->assist_count;
        if (GL_GROW(s->assist_list, s->assist_capacity, s->assist_count + 1) < 0 || gl_map_put(&s->assists, id, at) < 0)
            return GL_E_NOMEM;
        int64_t since = ev->type == GL_EV_GCMarkAssistActive ? s->part_begin : ev->time;
        s->assist_list[s->assist_count++] = (gl_assist){id, since};
        s->result.assists++;
    } else if (at != GL_NONE32) {
        gl_assist *a = &s->assist_list[at];
        s->result.assist_ns += ev->time > a->begin ? (uint64_t)(ev->time - a->begin) : 0;
        gl_map_remove(&s->assists, id);
        *a = s->assist_list[--s->assist_count];
        if (at < s->assist_count)
            status = gl_map_put(&s->assists, a->g, at);
    }
    return status == 0 && g ? gl_mmu_assist(gl_summary_mmu(s, GL_PROCESS_OF(id)), ev->time, g, gl_summary_proc_in(s, ev->p), begin) : status;
}

static int take_sweep(gl_summary *s, const gl_event *ev)
{
    uint64_t id = ev->type == GL_EV_GCSweepActive ? ev->arg[0] : ev->p;
    uint32_t at = gl_map_get(&s->proc_of, id);
    gl_proc_state *p = at == GL_NONE32 ? NULL : &s->procs[at];
    if (ev->type == GL_EV_GCSweepEnd) {
        s->result.swept_bytes += ev->arg[0];
        s->result.reclaimed_bytes += ev->arg[1];
        if (!p || !p->sweeping)
            return 0;
        s->result.sweep_ns += ev->time > p->sweep_begin ? (uint64_t)(ev->time - p->sweep_begin) : 0;
        p->sweeping = false;
        return gl_mmu_sweep(gl_summary_mmu(s, gl_summary_process_of(s, ev)), ev->time, gl_summary_proc_in(s, (uint32_t)id), -1);
    }
    if (ev->type == GL_EV_GCSweepActive && p && p->sweeping)
        return 0;
    s->result.sweeps++;
    if (!p || p->sweeping)
        return 0;
    p->sweeping = true;
    p->sweep_begin = ev->type == GL_EV_GCSweepActive ? s->part_begin : ev->time;
    return gl_mmu_sweep(gl_summary_mmu(s, gl_summary_process_of(s, ev)), ev->time, gl_summary_proc_in(s, (uint32_t)id), 1);
}

static int take_label(gl_summary *s, const gl_event *ev)
{
    uint32_t label = (uint32_t)ev->arg[0];
    uint32_t at = gl_map_get(&s->label_of, label);
    if (at == GL_NONE32) {
        at = (uint32_t)s->label_count;
        if (GL_GROW(s->labels, s->label_capacity, s->label_count + 1) < 0 || gl_map_put(&s->label_of, label, at) < 0)
            return GL_E_NOMEM;
        s->labels[s->label_count++].name = label;
    }
    s->labels[at].n++;
    gl_goroutine *g = alive(s, ev->g);
    return g ? gl_mmu_label(gl_summary_mmu(s, GL_PROCESS_OF(g->id)), ev->time, g, gl_summary_proc_in(s, ev->p),
                            gl_dict_text(s->dict, label, NULL))
             : 0;
}

static int take_clock(gl_summary *s, const gl_event *ev)
{
    s->result.parts++;
    s->part_begin = ev->time;
    if (ev->arg[2] && ev->arg[2] <= INT64_MAX && !s->result.wall_unix_ns && ev->time >= 0)
        s->result.wall_unix_ns = (int64_t)ev->arg[2] - ev->time;
    return 0;
}

static int take_sample(gl_summary *s, const gl_event *ev)
{
    s->result.samples++;
    s->result.samples_with_g += ev->g != 0;
    s->result.samples_with_p += ev->p != GL_NO_PROC;
    return 0;
}

static int take_lost(gl_summary *s, const gl_event *ev)
{
    s->result.lost_places++;
    s->result.lost_events += ev->arg[0];
    s->result.lost_bytes += ev->arg[1];
    return 0;
}

static int take_region(gl_summary *s, const gl_event *ev)
{
    gl_goroutine *g = alive(s, ev->g);
    if (ev->type == GL_EV_RegionBegin) {
        gl_open_region *begun;
        int status = gl_user_region_begin(&s->user, ev, g, &begun);
        if (begun)
            gl_watch_region_begin(g, ev, begun);
        return status;
    }
    gl_open_region was;
    bool had;
    int status = gl_user_region_end(&s->user, ev, g, &was, &had);
    return status == 0 && had ? gl_watch_region(s, g, &was, ev->time, false) : status;
}

int gl_take_other(gl_summary *s, const gl_event *ev)
{
    gl_transition t;
    if (gl_event_proc_transition(ev, &t))
        return gl_take_proc(s, ev, &t);
    switch (ev->type) {
    case GL_EV_ChanSendBegin:
    case GL_EV_ChanSendEnd:
    case GL_EV_ChanRecvBegin:
    case GL_EV_ChanRecvEnd:
    case GL_EV_ChanClose:
    case GL_EV_ChanSelectBegin:
    case GL_EV_ChanSelectEnd: return gl_take_chan(s, ev);
    case GL_EV_HeapLive: return take_metric(s, GL_METRIC_LIVE, ev->arg[0]);
    case GL_EV_HeapGoal: return take_metric(s, GL_METRIC_GOAL, ev->arg[0]);
    case GL_EV_ProcsChange:
        take_metric(s, GL_METRIC_PROCS, ev->arg[0]);
        return gl_mmu_procs(gl_summary_mmu(s, gl_summary_process_of(s, ev)), ev->time, ev->arg[0]);
    case GL_EV_GCStart:
    case GL_EV_GCEnd:
    case GL_EV_GCActive: return take_gc(s, ev);
    case GL_EV_GCSTWBegin:
    case GL_EV_GCSTWEnd: return take_stw(s, ev);
    case GL_EV_GCMarkAssistBegin:
    case GL_EV_GCMarkAssistEnd:
    case GL_EV_GCMarkAssistActive: return take_assist(s, ev);
    case GL_EV_GCSweepBegin:
    case GL_EV_GCSweepEnd:
    case GL_EV_GCSweepActive: return take_sweep(s, ev);
    case GL_EV_GoLabel: return take_label(s, ev);
    case GL_EV_TaskBegin: return gl_user_task_begin(&s->user, ev);
    case GL_EV_TaskEnd: return gl_user_task_end(&s->user, ev);
    case GL_EV_RegionBegin:
    case GL_EV_RegionEnd: return take_region(s, ev);
    case GL_EV_UserLog: return gl_user_log(&s->user, ev);
    case GL_EV_CPUSample: return take_sample(s, ev);
    case GL_EV_Panic: s->result.panics++; return 0;
    case GL_EV_Lost: return take_lost(s, ev);
    case GL_EV_ClockSync: return take_clock(s, ev);
    default: return 0;
    }
}
