/* A merged trace holds several processes: each has its own collector, its own pauses and its own processors. */
#include "inside.h"

#include <stdlib.h>

#define PROCESSES_MAX 1024

uint32_t gl_summary_process_of(const gl_summary *s, const gl_event *ev)
{
    if (ev->g)
        return GL_PROCESS_OF(ev->g);
    uint32_t process = ev->thread == GL_NO_THREAD ? 0 : gl_dict_get_thread(s->dict, ev->thread).process;
    return process || ev->p == GL_NO_PROC ? process : ev->p / GL_PROCS_APART;
}

gl_mmu *gl_summary_mmu_of(gl_summary *s, uint32_t process)
{
    size_t at = process - 1;
    int status = process < PROCESSES_MAX ? GL_GROW(s->mmus, s->mmu_capacity, process) : 0;
    if (process >= PROCESSES_MAX)
        s->mmu.missing = "the trace has more processes than this figure is kept for";
    if (status == 0 && process < PROCESSES_MAX && !s->mmus[at]) {
        s->mmus[at] = calloc(1, sizeof *s->mmus[at]);
        s->mmu_count = s->mmu_count > process ? s->mmu_count : process;
        status = s->mmus[at] ? 0 : GL_E_NOMEM;
        if (status == 0 && s->mmu_request.window_count)
            status = gl_mmu_ask(s->mmus[at], &s->mmu_request);
        if (status == 0)
            status = gl_mmu_begin(s->mmus[at], s->mmu.time);
    }
    if (status < 0)
        s->mmu_status = status;
    return status < 0 || process >= PROCESSES_MAX || !s->mmus[at] ? &s->mmu : s->mmus[at];
}

int gl_finish_mmus(gl_summary *s)
{
    int status = gl_mmu_finish(&s->mmu, s->result.end_ns);
    for (size_t i = 0; i < s->mmu_count && status == 0; i++) {
        if (!s->mmus[i])
            continue;
        status = gl_mmu_finish(s->mmus[i], s->result.end_ns);
        if (status == 0)
            gl_mmu_join(&s->mmu, s->mmus[i], (uint32_t)i + 1);
    }
    return status;
}

void gl_mmus_clean_up(gl_summary *s)
{
    gl_mmu_clean_up(&s->mmu);
    for (size_t i = 0; i < s->mmu_count; i++) {
        if (s->mmus[i])
            gl_mmu_clean_up(s->mmus[i]);
        free(s->mmus[i]);
    }
    free(s->mmus);
}
