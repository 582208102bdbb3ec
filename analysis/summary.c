#include <stdlib.h>

#include "inside.h"

/* A pair can come again while both are alive, or not yet gone for good. */
static bool pair_gone(const void *goroutines, gl_pair p)
{
    const gl_goroutines *gs = goroutines;
    return gl_goroutines_find(gs, p.a) == GL_NONE32 || gl_goroutines_find(gs, p.b) == GL_NONE32;
}

static int init(gl_summary *s, const gl_summary_options *opt)
{
    static const char *const metric_names[GL_METRICS] = {"/memory/classes/heap/objects:bytes", "/gc/heap/goal:bytes",
                                                         "/sched/gomaxprocs:threads"};
    s->dict = s->sites.dict = s->goroutines.dict = opt->dict;
    s->goroutines.reasons = s->straddles.reasons = &s->reasons;
    s->on_goroutine = opt->on_goroutine;
    s->goroutine_user = opt->goroutine_user;
    s->on_send = opt->on_send;
    s->send_user = opt->send_user;
    s->goroutines.on_goroutine = opt->on_goroutine ? gl_watch_goroutine : NULL;
    s->goroutines.user = s;
    s->straddles.goroutines = &s->goroutines;
    s->straddles.sites = &s->sites;
    s->straddles.stw = &s->stw;
    s->straddles.gc = &s->gc;
    s->wakes.gone = pair_gone;
    s->wakes.user = &s->goroutines;
    for (unsigned i = 0; i < GL_METRICS; i++)
        s->result.metrics[i].name = metric_names[i];
    gl_straddles_init(&s->straddles, opt->worst, opt->on_send ? gl_watch_send : NULL, s);
    if (opt->mmu)
        s->mmu_request = *opt->mmu;
    int status = opt->mmu ? gl_mmu_ask(&s->mmu, opt->mmu) : 0;
    return status < 0 ? status : gl_reasons_init(&s->reasons, opt->dict);
}

gl_summary *gl_summary_new(const gl_summary_options *opt)
{
    gl_summary *s = opt && opt->dict ? calloc(1, sizeof *s) : NULL;
    if (s && init(s, opt) < 0) {
        gl_summary_destroy(s);
        return NULL;
    }
    return s;
}

int gl_summary_finish(gl_summary *s, const gl_summary_result **out)
{
    *out = NULL;
    if (!s->finished && s->status == 0) {
        s->finished = true;
        s->order++;
        gl_ranges_finish(&s->gc, s->result.end_ns);
        gl_ranges_finish(&s->stw, s->result.end_ns);
        gl_finish_procs(s);
        s->status = gl_pairs_settle(&s->wakes);
        if (s->status == 0)
            s->status = gl_finish_goroutines(s);
        if (s->status == 0)
            s->status = gl_finish_mmus(s);
        if (s->status == 0)
            s->status = gl_fill_result(s);
    }
    if (s->status == 0)
        *out = &s->result;
    return s->status;
}

void gl_summary_destroy(gl_summary *s)
{
    if (!s)
        return;
    gl_reasons_clean_up(&s->reasons);
    gl_sites_clean_up(&s->sites);
    gl_goroutines_clean_up(&s->goroutines);
    gl_dist_clean_up(&s->running);
    gl_dist_clean_up(&s->runnable);
    gl_dist_clean_up(&s->syscall);
    gl_ranges_clean_up(&s->gc);
    gl_ranges_clean_up(&s->stw);
    gl_straddles_clean_up(&s->straddles);
    gl_mmus_clean_up(s);
    gl_user_clean_up(&s->user);
    gl_stuck_clean_up(&s->stuck);
    gl_pairs_clean_up(&s->wakes);
    free(s->threads_seen.words);
    gl_map_clean_up(&s->tids);
    gl_map_clean_up(&s->proc_of);
    free(s->procs);
    free(s->proc_ids);
    gl_map_clean_up(&s->assists);
    free(s->assist_list);
    gl_map_clean_up(&s->label_of);
    free(s->labels);
    free(s->reason_list);
    free(s->group_list);
    free(s->group_times);
    free(s->proc_list);
    free(s->block_sites);
    free(s);
}
