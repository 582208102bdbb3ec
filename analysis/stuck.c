#include "stuck.h"

#include <stdlib.h>
#include <string.h>

/* Same process, reason, start and place: one site. */
static int by_kind(const gl_stuck_goroutine *x, const gl_stuck_goroutine *y)
{
    const uint32_t a[] = {GL_PROCESS_OF(x->g), x->reason, x->name, x->site.func, x->site.line, x->created_at.func, x->created_at.line};
    const uint32_t b[] = {GL_PROCESS_OF(y->g), y->reason, y->name, y->site.func, y->site.line, y->created_at.func, y->created_at.line};
    for (size_t i = 0; i < sizeof a / sizeof *a; i++) {
        if (a[i] != b[i])
            return a[i] < b[i] ? -1 : 1;
    }
    return 0;
}

static int by_site(const void *a, const void *b)
{
    const gl_stuck_goroutine *x = a, *y = b;
    int order = by_kind(x, y);
    if (order == 0 && x->since_known != y->since_known)
        order = x->since_known ? 1 : -1;
    if (order == 0 && x->since != y->since)
        order = x->since < y->since ? -1 : 1;
    return order ? order : x->g < y->g ? -1 : x->g > y->g;
}

static int by_weight(const void *a, const void *b)
{
    const gl_stuck_site *x = a, *y = b;
    int left = x->system * 2 + x->idle, right = y->system * 2 + y->idle;
    if (left != right)
        return left < right ? -1 : 1;
    if ((x->released_here == 0) != (y->released_here == 0))
        return x->released_here == 0 ? -1 : 1;
    if (x->n != y->n)
        return x->n > y->n ? -1 : 1;
    return x->goroutines < y->goroutines ? -1 : x->goroutines > y->goroutines;
}

static gl_stuck_goroutine describe(const gl_goroutines *gs, const gl_goroutine *g, gl_sites *sites)
{
    return (gl_stuck_goroutine){
        .g = g->id,
        .parent = g->parent,
        .name = g->name,
        .reason = gs->reasons->list[g->reason].figures.reason,
        .since_known = !g->since_open,
        .since = g->since,
        .created = g->preexisting ? -1 : g->created,
        .site = gl_sites_where(sites, g->wait_stack),
        .created_at = gl_sites_where(sites, g->create_stack),
    };
}

static uint8_t kind_of(const gl_reasons *reasons, uint32_t reason)
{
    for (unsigned i = 0; i < reasons->count; i++) {
        if (reasons->list[i].figures.reason == reason)
            return reasons->list[i].kind;
    }
    return GL_WAIT_OTHER;
}

/*
 * The runtime's and the tracer's own goroutines wait by design. Older traces give no name to a goroutine that does
 * nothing, damaged ones to nobody: of those the ones count that never did anything, or wait as only the runtime does.
 */
static bool own_work(const char *name, uint32_t reason, uint8_t kind, const char *reason_text)
{
    if (strcmp(reason_text, "system goroutine wait") == 0) /* in any runtime */
        return true;
    if (*name == 0)
        return reason == 0 || kind == GL_WAIT_RUNTIME;
    return gl_system_goroutine(name) || strncmp(name, "runtime/trace.", 14) == 0;
}

static void describe_site(gl_stuck_site *s, const gl_stuck_goroutine *first, const gl_goroutines *gs, gl_sites *sites)
{
    *s = (gl_stuck_site){.reason = first->reason,
                         .name = first->name,
                         .site = first->site,
                         .created_at = first->created_at,
                         .goroutines = first};
    uint8_t kind = kind_of(gs->reasons, first->reason);
    s->system = own_work(gl_dict_text(gs->dict, first->name, NULL), first->reason, kind,
                         gl_dict_text(gs->dict, first->reason, NULL));
    s->idle = kind == GL_WAIT_IDLE;
    if (first->reason == 0)
        s->inferred_reason = gl_sites_wait(sites, first->site.stack);
    if (s->inferred_reason)
        s->idle = strcmp(s->inferred_reason, "sleep") == 0 || strcmp(s->inferred_reason, "network") == 0 ||
                  strcmp(s->inferred_reason, "signal") == 0;
}

/* Waits at this place that did end, over all the ways to it that the goroutines of the site have taken. */
static uint64_t released_here(const gl_stuck_site *s, gl_sites *sites)
{
    uint64_t n = 0;
    for (size_t i = 0; i < s->n; i++) {
        bool counted = false;
        for (size_t k = 0; k < i && !counted; k++)
            counted = s->goroutines[k].site.stack == s->goroutines[i].site.stack;
        const gl_stack_facts *f = counted ? NULL : gl_sites_get(sites, s->goroutines[i].site.stack);
        n += f ? f->waits_ended : 0;
        if (i == 64)
            break; /* enough to tell a loop from a leak */
    }
    return n;
}

int gl_stuck_find(gl_stuck *x, const gl_goroutines *gs, gl_sites *sites)
{
    uint32_t *slots;
    size_t n, waiting = 0;
    int status = gl_goroutines_all(gs, &slots, &n);
    if (status < 0)
        return status;
    x->goroutines = calloc(n + 1, sizeof *x->goroutines);
    x->sites = calloc(n + 1, sizeof *x->sites);
    for (size_t i = 0; x->goroutines && i < n; i++) {
        const gl_goroutine *g = gl_goroutines_at(gs, slots[i]);
        if (g->state == GL_G_WAITING)
            x->goroutines[waiting++] = describe(gs, g, sites);
    }
    free(slots);
    if (!x->goroutines || !x->sites)
        return GL_E_NOMEM;
    qsort(x->goroutines, waiting, sizeof *x->goroutines, by_site);
    for (size_t i = 0; i < waiting; i++) {
        if (i == 0 || by_kind(&x->goroutines[i - 1], &x->goroutines[i]) != 0)
            describe_site(&x->sites[x->site_count++], &x->goroutines[i], gs, sites);
        x->sites[x->site_count - 1].n++;
    }
    for (size_t i = 0; i < x->site_count; i++)
        x->sites[i].released_here = released_here(&x->sites[i], sites);
    qsort(x->sites, x->site_count, sizeof *x->sites, by_weight);
    return sites->status;
}

void gl_stuck_clean_up(gl_stuck *x)
{
    free(x->goroutines);
    free(x->sites);
}
