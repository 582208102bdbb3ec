#include "tally.h"

#include <stdlib.h>
#include <string.h>

/* What is named by numbers */

static int on_thread(void *user, const gl_session_owner *owner, gl_session_thread *out)
{
    tally *t = user;
    (void)owner;
    *out = (gl_session_thread){.thread = t->threads++};
    return 0;
}

static int on_text(void *user, const char *text, size_t n, uint32_t *id)
{
    tally *t = user;
    return gl_dict_string(t->dict, text, n, id);
}

static int on_stack(void *user, uint32_t pid, const uint64_t *pcs, size_t n, uint32_t *id)
{
    tally *t = user;
    (void)pid;
    if (t->stacks + 1 >= t->stack_room) {
        t->stack_room = t->stack_room ? 2 * t->stack_room : 1024;
        t->stack = realloc(t->stack, t->stack_room * sizeof *t->stack);
        if (!t->stack)
            return GL_E_NOMEM;
    }
    *id = (uint32_t)++t->stacks; /* 0 is none */
    t->stack[*id] = (struct tally_stack){n ? pcs[0] : 0, n ? pcs[n - 1] - (n > 1) : 0};
    return 0;
}

/** The functions that are inlined at an address and the one they are inlined into, each in turn. */
static size_t places(const tally *t, uint64_t pc, gl_probe_place out[GL_PROBE_PLACES_MAX])
{
    return pc && t->source ? t->source->ops->places(t->source->self, t->source->pid, pc, out, GL_PROBE_PLACES_MAX) : 0;
}

static bool begins(const char *text, const char *with)
{
    return strncmp(text, with, strlen(with)) == 0;
}

/** A goroutine that works for the runtime, by its first function. */
static bool runs_the_runtime(const tally *t, uint32_t stack)
{
    static const char *const programs[] = {"runtime.main", "runtime.corostart"}, *const own[] = {"runtime.", "unique.", "internal/"};
    gl_probe_place p[GL_PROBE_PLACES_MAX];
    size_t n = stack ? places(t, t->stack[stack].outer, p) : 0;
    for (size_t i = 0; n > 0 && i < sizeof programs / sizeof *programs; i++)
        if (strcmp(p[n - 1].func, programs[i]) == 0)
            return false;
    for (size_t i = 0; n > 0 && i < sizeof own / sizeof *own; i++)
        if (begins(p[n - 1].func, own[i]))
            return true;
    return false;
}

static tally_maker maker_of(const tally *t, uint32_t stack)
{
    gl_probe_place p[GL_PROBE_PLACES_MAX];
    size_t n = stack ? places(t, t->stack[stack].inner, p) : 0;
    if (n == 0)
        return TALLY_OTHER;
    return begins(p[0].func, "main.") ? TALLY_MAIN : begins(p[0].func, "time.") ? TALLY_TIME : TALLY_OTHER;
}

/* Goroutines */

static struct tally_goroutine *goroutine(tally *t, uint64_t id)
{
    if (id >= t->goroutines) {
        size_t n = (size_t)id * 2 + 1024;
        t->goroutine = realloc(t->goroutine, n * sizeof *t->goroutine);
        if (!t->goroutine)
            abort();
        memset(t->goroutine + t->goroutines, 0, (n - t->goroutines) * sizeof *t->goroutine);
        t->goroutines = n;
    }
    return &t->goroutine[id];
}

static void check_state(tally *t, const gl_event *ev)
{
    gl_transition x;
    if (!gl_event_transition(ev, &x))
        return;
    struct tally_goroutine *g = goroutine(t, x.id);
    uint8_t was = g->state;
    bool unknown = was == GL_G_UNDETERMINED || (was == GL_G_NOT_EXIST && ev->type == GL_EV_GoCreate);
    if (x.from != was && !(unknown && (x.from == GL_G_NOT_EXIST || ev->type == GL_EV_GoStatus))) {
        t->violations++;
        if (t->violations < 20)
            fprintf(stderr, "violation: %s g %llu was %s\n", gl_event_lookup(ev->type)->name, (unsigned long long)x.id, gl_gstate_name(was));
    }
    g->state = x.to;
}

static void count_goroutine(tally *t, const gl_event *ev)
{
    if (ev->type == GL_EV_GoCreate) {
        bool own = runs_the_runtime(t, (uint32_t)ev->arg[2]), callback = ev->arg[1] == GL_G_SYSCALL;
        goroutine(t, ev->arg[0])->own = own;
        t->callbacks += callback;
        t->created_by_main += !own && !callback;
    } else if (ev->type == GL_EV_GoStatus && ev->stack) {
        goroutine(t, ev->arg[0])->own = runs_the_runtime(t, ev->stack);
    } else if (ev->type == GL_EV_GoBlock && (ev->flags & GL_FLAG_INFERRED) == 0 && !goroutine(t, ev->g)->own) {
        t->switches += (ev->flags & GL_FLAG_COROUTINE) != 0;
        t->blocks[ev->arg[0] < TALLY_REASONS ? ev->arg[0] : 0]++;
    }
}

/* Channels */

static struct tally_chan *channel(tally *t, uint64_t address)
{
    size_t i = (address >> 4) * UINT64_C(0x9E3779B97F4A7C15) >> 20 & (t->chan_room - 1);
    while (t->chan[i].address != 0 && t->chan[i].address != address)
        i = (i + 1) & (t->chan_room - 1);
    return &t->chan[i];
}

static void make_room(tally *t)
{
    struct tally_chan *old = t->chan;
    size_t room = t->chan_room;
    t->chan_room = room ? 2 * room : 4096;
    t->chan = calloc(t->chan_room, sizeof *t->chan);
    if (!t->chan)
        abort();
    for (size_t i = 0; i < room; i++)
        if (old[i].address)
            *channel(t, old[i].address) = old[i];
    free(old);
}

static void count_channel(tally *t, const gl_event *ev)
{
    if (ev->type != GL_EV_ChanMake && ev->type != GL_EV_ChanClose && ev->type != GL_EV_ChanSendBegin && ev->type != GL_EV_ChanRecvBegin)
        return;
    if (2 * (t->chans + 1) > t->chan_room)
        make_room(t);
    struct tally_chan *c = channel(t, ev->arg[0]);
    if (ev->type == GL_EV_ChanMake) {
        t->chans += c->address == 0;
        *c = (struct tally_chan){ev->arg[0], maker_of(t, ev->stack)};
    }
    t->by[c->maker][ev->type]++;
}

/* Events */

static void look_at_stop(tally *t, const gl_event *ev)
{
    size_t n;
    const char *why = gl_dict_text(t->dict, (uint32_t)ev->arg[0], &n);
    t->gc_stops += n > 3 && begins(why, "GC ");
    t->nameless_stops += n == 0;
}

static void dump(const tally *t, const gl_event *ev)
{
    const gl_event_info *info = gl_event_lookup(ev->type);
    printf("%lld g%llu p%d t%u %s %llx %llx %llx stack %u flags %u", (long long)ev->time, (unsigned long long)ev->g, (int)ev->p, ev->thread,
           info->name, (unsigned long long)ev->arg[0], (unsigned long long)ev->arg[1], (unsigned long long)ev->arg[2], ev->stack, ev->flags);
    for (int k = 0; k < info->arg_count; k++)
        if (info->args[k].kind == GL_KIND_STRING) {
            size_t n;
            printf(" '%s'", gl_dict_text(t->dict, (uint32_t)ev->arg[k], &n));
        }
    printf("\n");
}

static void count_lost(tally *t, const gl_event *ev)
{
    size_t n;
    const char *why = gl_dict_text(t->dict, (uint32_t)ev->arg[3], &n);
    if (n > 5 && begins(why, "left "))
        t->left += ev->arg[0];
    else
        t->lost += ev->arg[0];
}

static int on_events(void *user, const gl_event *events, size_t n)
{
    tally *t = user;
    for (size_t i = 0; i < n; i++) {
        const gl_event *ev = &events[i];
        t->events++;
        t->of[ev->type]++;
        t->back += ev->time < t->last;
        t->last = ev->time;
        if (ev->type == GL_EV_Lost)
            count_lost(t, ev);
        if (ev->type == GL_EV_GCSTWBegin)
            look_at_stop(t, ev);
        check_state(t, ev);
        count_goroutine(t, ev);
        count_channel(t, ev);
        if (t->dump)
            dump(t, ev);
    }
    return 0;
}

gl_session_sink tally_sink(tally *t)
{
    return (gl_session_sink){t, on_thread, on_text, on_stack, on_events, NULL};
}

static void print_fact(FILE *to, const char *name, uint64_t n)
{
    fprintf(to, "%s\t%llu\n", name, (unsigned long long)n);
}

void tally_print(const tally *t, FILE *to)
{
    static const char *const makers[TALLY_MAKERS] = {"other", "main", "time"};
    char name[128];
    size_t len;
    for (unsigned k = 1; k < GL_EV_LIMIT; k++) {
        if (t->of[k])
            print_fact(to, gl_event_lookup(k)->name, t->of[k]);
        for (unsigned m = 0; m < TALLY_MAKERS; m++)
            if (t->by[m][k]) {
                snprintf(name, sizeof name, "%s %s", makers[m], gl_event_lookup(k)->name);
                print_fact(to, name, t->by[m][k]);
            }
    }
    for (uint32_t r = 0; r < TALLY_REASONS; r++)
        if (t->blocks[r]) {
            snprintf(name, sizeof name, "block %.100s", gl_dict_text(t->dict, r, &len));
            print_fact(to, name, t->blocks[r]);
        }
    print_fact(to, "goroutines", t->created_by_main);
    print_fact(to, "callbacks", t->callbacks);
    print_fact(to, "switches", t->switches);
    print_fact(to, "gc-stops", t->gc_stops);
    print_fact(to, "nameless-stops", t->nameless_stops);
    print_fact(to, "events", t->events);
    print_fact(to, "violations", t->violations);
    print_fact(to, "steps-back", t->back);
    print_fact(to, "lost", t->lost);
    print_fact(to, "left", t->left);
    print_fact(to, "threads", t->threads);
}

void tally_free(tally *t)
{
    gl_dict_destroy(t->dict);
    free(t->goroutine);
    free(t->stack);
    free(t->chan);
}
