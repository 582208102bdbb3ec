#include <string.h>

#include "inside.h"

int gl_summary_watch(gl_summary *s, const gl_watcher *w)
{
    if (s->watcher_count == GL_WATCHERS_MAX)
        return GL_E_LIMIT;
    s->watchers[s->watcher_count++] = *w;
    s->watched_events |= w->on_event != NULL;
    s->watched_spans |= w->on_span != NULL;
    if (w->on_goroutine)
        s->goroutines.on_goroutine = gl_watch_goroutine;
    if (w->on_send || w->on_operation)
        s->straddles.on_send = gl_watch_send;
    if (w->on_operation)
        s->straddles.watched |= w->kinds;
    return 0;
}

int gl_watch_event(gl_summary *s, const gl_event *ev)
{
    int status = 0;
    for (unsigned i = 0; i < s->watcher_count && status == 0; i++) {
        if (s->watchers[i].on_event)
            status = s->watchers[i].on_event(s->watchers[i].user, ev);
    }
    return status;
}

int gl_watch_goroutine(void *summary, const gl_goroutine_figures *g)
{
    gl_summary *s = summary;
    int status = s->on_goroutine ? s->on_goroutine(s->goroutine_user, g) : 0;
    for (unsigned i = 0; i < s->watcher_count && status == 0; i++) {
        if (s->watchers[i].on_goroutine)
            status = s->watchers[i].on_goroutine(s->watchers[i].user, g);
    }
    return status;
}

int gl_watch_send(void *summary, const gl_send *x)
{
    gl_summary *s = summary;
    bool straddles = x->kind == GL_OPERATION_SEND && x->pauses;
    int status = straddles && s->on_send ? s->on_send(s->send_user, x) : 0;
    for (unsigned i = 0; i < s->watcher_count && status == 0; i++) {
        const gl_watcher *w = &s->watchers[i];
        if (straddles && w->on_send)
            status = w->on_send(w->user, x);
        if (w->on_operation && (w->kinds >> x->kind & 1) && status == 0)
            status = w->on_operation(w->user, x);
    }
    return status;
}

int gl_watch_span(gl_summary *s, gl_goroutine *g, const gl_event *ev, unsigned left_as, int64_t end)
{
    gl_span x = {.g = g->id,
                 .group = g->name,
                 .state = g->state,
                 .left_as = (uint8_t)left_as,
                 .open_start = g->since_open,
                 .open_end = ev == NULL,
                 .begin = g->since,
                 .end = end,
                 .cause = g->cause,
                 .cause_g = g->cause_g,
                 .cause_stack = g->state == GL_G_WAITING ? g->wait_stack : g->cause_stack};
    if (g->state == GL_G_WAITING)
        x.reason = s->reasons.list[g->reason].figures.reason;
    if (ev) {
        x.ender = ev->type;
        x.ender_g = ev->g;
        x.ender_stack = ev->stack;
        x.resync = (ev->flags & (GL_FLAG_INFERRED | GL_FLAG_RESYNC)) != 0;
        g->cause = ev->type;
        g->cause_g = ev->g;
        g->cause_stack = ev->stack;
    }
    bool told = g->state != GL_G_NOT_EXIST || left_as != GL_G_NOT_EXIST;
    int status = 0;
    for (unsigned i = 0; told && i < s->watcher_count && status == 0; i++) {
        if (s->watchers[i].on_span)
            status = s->watchers[i].on_span(s->watchers[i].user, &x);
    }
    return status;
}

/* Times in states up to `time`, the state that it is in included. */
static void times_at(const gl_goroutine *g, int64_t time, uint64_t *ns)
{
    memcpy(ns, g->ns, sizeof g->ns);
    ns[g->state] += time > g->since ? (uint64_t)(time - g->since) : 0;
}

void gl_watch_region_begin(const gl_goroutine *g, const gl_event *ev, gl_open_region *r)
{
    r->stack = ev->stack;
    times_at(g, ev->time, r->ns);
}

int gl_watch_region(gl_summary *s, const gl_goroutine *g, const gl_open_region *was, int64_t end, bool open_end)
{
    if (!s->watcher_count)
        return 0;
    gl_region x = {.g = g->id,
                   .task = was->task,
                   .group = g->name,
                   .type = was->type,
                   .site = gl_sites_where(&s->sites, was->stack),
                   .begin = was->begin,
                   .end = end,
                   .open_end = open_end};
    times_at(g, end, x.ns);
    for (unsigned i = 0; i < GL_G_STATES; i++)
        x.ns[i] = x.ns[i] > was->ns[i] ? x.ns[i] - was->ns[i] : 0;
    int status = 0;
    for (unsigned i = 0; i < s->watcher_count && status == 0; i++) {
        if (s->watchers[i].on_region)
            status = s->watchers[i].on_region(s->watchers[i].user, &x);
    }
    return status;
}

uint32_t gl_summary_group_of(const gl_summary *s, uint64_t g)
{
    uint32_t slot = g ? gl_goroutines_find(&s->goroutines, g) : GL_NONE32;
    return slot == GL_NONE32 ? 0 : gl_goroutines_at(&s->goroutines, slot)->name;
}

uint32_t gl_summary_wait_before(const gl_summary *s, uint64_t g)
{
    uint32_t slot = g ? gl_goroutines_find(&s->goroutines, g) : GL_NONE32;
    return slot == GL_NONE32 ? 0 : s->reasons.list[gl_goroutines_at(&s->goroutines, slot)->reason].figures.reason;
}

gl_site gl_summary_site_of(gl_summary *s, uint32_t stack) { return gl_sites_where(&s->sites, stack); }
gl_site gl_summary_maker_of(gl_summary *s, uint32_t stack) { return gl_sites_maker(&s->sites, stack); }

/** What this goroutine is doing to a channel, if that was recorded. */
static gl_release operation_of(const gl_summary *s, uint64_t id)
{
    static const uint8_t releases[] = {
        [GL_WAIT_SEND] = GL_RELEASE_SEND, [GL_WAIT_RECV] = GL_RELEASE_RECV, [GL_WAIT_SELECT] = GL_RELEASE_SELECT};
    uint32_t slot = gl_goroutines_find(&s->goroutines, id);
    const gl_goroutine *g = slot == GL_NONE32 ? NULL : gl_goroutines_at(&s->goroutines, slot);
    if (!g || !g->op.recorded)
        return GL_RELEASE_UNKNOWN;
    return g->op.closing ? GL_RELEASE_CLOSE : g->op.kind < sizeof releases ? (gl_release)releases[g->op.kind] : GL_RELEASE_UNKNOWN;
}

gl_release gl_summary_release_of(gl_summary *s, uint64_t waker, uint32_t stack, bool *recorded)
{
    gl_release known = waker && s->recorded ? operation_of(s, waker) : GL_RELEASE_UNKNOWN;
    if (recorded)
        *recorded = known != GL_RELEASE_UNKNOWN;
    if (known != GL_RELEASE_UNKNOWN)
        return known;
    const gl_stack_facts *k = gl_sites_get(&s->sites, stack);
    return !waker ? GL_RELEASE_OUTSIDE : k ? (gl_release)k->release : GL_RELEASE_UNKNOWN;
}

const char *gl_summary_wait_of(gl_summary *s, uint32_t stack) { return gl_sites_wait(&s->sites, stack); }

bool gl_summary_of_runtime(const gl_summary *s, uint32_t group)
{
    return gl_system_goroutine(gl_dict_text(s->dict, group, NULL));
}
