/* Who released whom, by the places of both: what an imported trace has instead of channels. */
#include <stdlib.h>
#include <string.h>

#include "channels.h"

static bool of_channel(const char *reason)
{
    return strcmp(reason, "chan send") == 0 || strcmp(reason, "chan receive") == 0 || strcmp(reason, "select") == 0;
}

int gl_rendezvous_take(gl_channels *x, const gl_span *s)
{
    if (s->state != GL_G_WAITING || s->open_end || s->ender != GL_EV_GoUnpark || !s->ender_g ||
        !of_channel(gl_dict_text(x->dict, s->reason, NULL)))
        return 0;
    uint64_t key = (uint64_t)s->cause_stack << 32 | s->ender_stack;
    uint32_t at = gl_map_get(&x->rendezvous_of, key);
    if (at == GL_NONE32) {
        if (x->rendezvous_count == GL_RENDEZVOUS_MAX) {
            x->result.rendezvous_cut = true;
            return 0;
        }
        at = (uint32_t)x->rendezvous_count;
        if (GL_GROW(x->rendezvous, x->rendezvous_capacity, x->rendezvous_count + 1) < 0 ||
            gl_map_put(&x->rendezvous_of, key, at) < 0)
            return GL_E_NOMEM;
        x->rendezvous[x->rendezvous_count++] =
            (gl_rendezvous){.reason = s->reason,
                            .wait = gl_summary_site_of(x->summary, s->cause_stack),
                            .release = gl_summary_site_of(x->summary, s->ender_stack),
                            .how = gl_summary_release_of(x->summary, s->ender_g, s->ender_stack, NULL)};
    }
    x->rendezvous[at].n++;
    x->rendezvous[at].ns += s->end > s->begin ? (uint64_t)(s->end - s->begin) : 0;
    return 0;
}

static int by_place(const void *a, const void *b)
{
    const gl_rendezvous *x = a, *y = b;
    const uint32_t left[] = {x->reason, (uint32_t)x->how, x->wait.func, x->wait.line, x->release.func, x->release.line};
    const uint32_t right[] = {y->reason,    (uint32_t)y->how, y->wait.func,
                              y->wait.line, y->release.func,  y->release.line};
    for (size_t i = 0; i < sizeof left / sizeof *left; i++) {
        if (left[i] != right[i])
            return left[i] < right[i] ? -1 : 1;
    }
    return 0;
}

static int by_time(const void *a, const void *b)
{
    const gl_rendezvous *x = a, *y = b;
    if (x->ns != y->ns)
        return x->ns > y->ns ? -1 : 1;
    return by_place(a, b);
}

/* Different ways to the same two places are one row. */
void gl_rendezvous_finish(gl_channels *x)
{
    size_t kept = 0;
    if (!x->rendezvous_count)
        return;
    qsort(x->rendezvous, x->rendezvous_count, sizeof *x->rendezvous, by_place);
    for (size_t i = 0; i < x->rendezvous_count; i++) {
        if (kept && by_place(&x->rendezvous[kept - 1], &x->rendezvous[i]) == 0) {
            x->rendezvous[kept - 1].n += x->rendezvous[i].n;
            x->rendezvous[kept - 1].ns += x->rendezvous[i].ns;
        } else {
            x->rendezvous[kept++] = x->rendezvous[i];
        }
    }
    x->rendezvous_count = kept;
    qsort(x->rendezvous, kept, sizeof *x->rendezvous, by_time);
    x->result.rendezvous = x->rendezvous;
    x->result.rendezvous_count = kept;
}
