#include "lanes/model.h"

bool ln_model_init(ln_model *m)
{
    return ln_gmap_init(&m->map);
}

void ln_model_free(ln_model *m)
{
    ln_gmap_free(&m->map);
}

void ln_model_start(ln_model *m)
{
    if (++m->epoch == 0) { /* once in 2^32 chunks: nothing may look fresh by accident */
        memset(m->procs, 0, sizeof m->procs);
        memset(m->guesses, 0, sizeof m->guesses);
        memset(m->sites, 0, sizeof m->sites);
        memset(m->context_guesses, 0, sizeof m->context_guesses);
        m->epoch = 1;
    }
    memset(m->last, 0, sizeof m->last);
    memset(m->step, 0, sizeof m->step);
    ln_threads_start(&m->threads);
    ln_gmap_next_epoch(&m->map);
}

uint32_t ln_model_add_lane(ln_model *m, uint32_t thread)
{
    uint32_t lane = ln_threads_add(&m->threads, thread);
    m->lanes[lane] = (ln_lane){.thread = thread, .p = GL_NO_PROC};
    return lane;
}

void ln_model_reset_proc(ln_model *m, ln_proc *x, uint32_t p)
{
    x->p = p;
    x->epoch = m->epoch;
    x->created = 0;
    x->next = (ln_queued){0, 0};
    x->head = x->tail = 0;
}
