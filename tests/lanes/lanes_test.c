#include "lanes_test.h"

#include <stdio.h>
#include <unistd.h>

uint64_t lt_next(lt_random *r)
{
    uint64_t z = r->state += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return z ^ z >> 31;
}

uint64_t lt_below(lt_random *r, uint64_t n)
{
    return lt_next(r) % n;
}

void lt_push(lt_events *l, const gl_event *ev)
{
    if (l->n == l->capacity) {
        l->capacity = l->capacity ? l->capacity * 2 : 1024;
        l->at = realloc(l->at, l->capacity * sizeof *l->at);
        assert_non_null(l->at);
    }
    l->at[l->n++] = *ev;
}

void lt_free(lt_events *l)
{
    free(l->at);
    *l = (lt_events){0};
}

static uint64_t any_value(lt_random *r)
{
    switch (lt_below(r, 6)) {
    case 0: return 0;
    case 1: return UINT64_MAX - lt_below(r, 3);
    case 2: return lt_next(r);
    case 3: return UINT64_C(1) << lt_below(r, 64);
    default: return lt_below(r, 300);
    }
}

static int64_t any_time(lt_random *r, int64_t last)
{
    switch (lt_below(r, 40)) {
    case 0: return INT64_MIN;
    case 1: return INT64_MAX;
    case 2: return (int64_t)lt_next(r);
    case 3: return (int64_t)((uint64_t)last - lt_below(r, 1000));
    default: return (int64_t)((uint64_t)last + lt_below(r, 5000));
    }
}

void lt_noise(lt_events *l, lt_random *r, size_t n)
{
    int64_t time = 0;
    for (size_t i = 0; i < n; i++) {
        gl_event ev = {.time = time = any_time(r, time), .type = (uint16_t)(1 + lt_below(r, GL_EV_LIMIT - 1))};
        const gl_event_info *info = gl_event_lookup(ev.type);
        unsigned args = info ? info->arg_count : GL_EVENT_ARGS_MAX;
        for (unsigned k = 0; k < args; k++)
            ev.arg[k] = any_value(r);
        ev.g = any_value(r);
        ev.thread = lt_below(r, 4) ? (uint32_t)lt_below(r, 4) : (uint32_t)any_value(r);
        ev.p = lt_below(r, 4) ? (uint32_t)lt_below(r, 4) : (uint32_t)any_value(r);
        if (!info || info->has_stack)
            ev.stack = lt_below(r, 2) ? 0 : (uint32_t)any_value(r);
        ev.flags = lt_below(r, 8) ? 0 : (uint16_t)lt_next(r);
        lt_push(l, &ev);
    }
}

typedef struct sim_g {
    uint64_t id;
    uint8_t state;
} sim_g;

typedef struct sim {
    lt_events *l;
    lt_random *r;
    int64_t time;
    sim_g *gs;
    unsigned n, procs;
    uint64_t next_id;
    unsigned running[16]; /* index into gs + 1 by P */
    uint32_t stacks[8], reasons[4];
    bool gc;
    uint64_t cycle;
} sim;

static void sim_emit(sim *s, unsigned p, unsigned type, uint32_t stack, uint64_t a, uint64_t b, uint64_t c, uint64_t d)
{
    s->time += (int64_t)lt_below(s->r, 40) * 64;
    gl_event ev = {.time = s->time, .type = (uint16_t)type, .stack = stack, .arg = {a, b, c, d}, .thread = p + 1, .p = p};
    ev.g = s->running[p] ? s->gs[s->running[p] - 1].id : 0;
    lt_push(s->l, &ev);
}

static unsigned sim_pick(sim *s, uint8_t state)
{
    unsigned from = (unsigned)lt_below(s->r, s->n);
    for (unsigned i = 0; i < s->n; i++)
        if (s->gs[(from + i) % s->n].state == state)
            return (from + i) % s->n + 1;
    return 0;
}

static void sim_stop_or_gc(sim *s, unsigned p)
{
    if (s->gc) {
        sim_emit(s, p, GL_EV_GCEnd, 0, s->cycle, 0, 0, 0);
    } else {
        sim_emit(s, p, GL_EV_GCStart, s->stacks[0], ++s->cycle, 0, 0, 0);
    }
    s->gc = !s->gc;
    sim_emit(s, p, GL_EV_GCSTWBegin, s->stacks[0], s->reasons[3], 0, 0, 0);
    sim_emit(s, p, GL_EV_HeapLive, 0, 1000000 + lt_below(s->r, 1000000), 0, 0, 0);
    sim_emit(s, p, GL_EV_GCSTWEnd, 0, s->reasons[3], 0, 0, 0);
}

/** One step of a P whose goroutine runs. */
static void sim_run(sim *s, unsigned p)
{
    sim_g *g = &s->gs[s->running[p] - 1];
    unsigned other;
    switch (lt_below(s->r, 12)) {
    case 0:
    case 1:
    case 2:
        sim_emit(s, p, GL_EV_GoBlock, s->stacks[1 + lt_below(s->r, 3)], s->reasons[lt_below(s->r, 3)], 0, 0, 0);
        g->state = GL_G_WAITING;
        s->running[p] = 0;
        return;
    case 3:
        sim_emit(s, p, GL_EV_GoYield, s->stacks[4], s->reasons[2], 0, 0, 0);
        g->state = GL_G_RUNNABLE;
        s->running[p] = 0;
        return;
    case 4:
        sim_emit(s, p, GL_EV_GoSyscallBegin, s->stacks[5], 0, 0, 0, 0);
        sim_emit(s, p, GL_EV_GoSyscallEnd, 0, 0, 0, 0, 0);
        return;
    case 5:
        if (lt_below(s->r, 4) == 0) {
            sim_emit(s, p, GL_EV_GoEnd, 0, GL_G_RUNNING, 0, 0, 0);
            s->running[p] = 0;
            *g = (sim_g){0};
        }
        return;
    case 6:
        for (unsigned i = 0; i < s->n; i++)
            if (!s->gs[i].id) {
                s->gs[i] = (sim_g){s->next_id++, GL_G_RUNNABLE};
                sim_emit(s, p, GL_EV_GoCreate, s->stacks[6], s->gs[i].id, GL_G_RUNNABLE, s->stacks[7], 0);
                return;
            }
        return;
    case 7:
        if (lt_below(s->r, 20) == 0)
            sim_stop_or_gc(s, p);
        return;
    default:
        other = sim_pick(s, GL_G_WAITING);
        if (other) {
            sim_emit(s, p, GL_EV_GoUnpark, s->stacks[2], s->gs[other - 1].id, 0, 0, 0);
            s->gs[other - 1].state = GL_G_RUNNABLE;
        }
        return;
    }
}

static void sim_names(sim *s, gl_dict *d)
{
    static const char *const names[4] = {"chan send", "chan receive", "select", "GC mark termination"};
    for (unsigned i = 0; i < 4; i++)
        assert_int_equal(gl_dict_string(d, names[i], strlen(names[i]), &s->reasons[i]), 0);
    for (unsigned i = 0; i < 8; i++) {
        uint32_t name, func, frame;
        char text[32];
        int n = snprintf(text, sizeof text, "main.f%u", i);
        assert_int_equal(gl_dict_string(d, text, (size_t)n, &name), 0);
        assert_int_equal(gl_dict_func(d, (gl_func){name, 0}, &func), 0);
        assert_int_equal(gl_dict_frame(d, (gl_frame){4096 + i, func, i}, &frame), 0);
        assert_int_equal(gl_dict_stack(d, (uint32_t[]){frame, 0}, 2, &s->stacks[i]), 0);
    }
}

void lt_schedule(lt_events *l, lt_random *r, size_t n, unsigned goroutines, unsigned procs, gl_dict *d)
{
    sim s = {.l = l, .r = r, .n = goroutines, .procs = procs, .next_id = 1};
    s.gs = calloc(goroutines, sizeof *s.gs);
    assert_non_null(s.gs);
    sim_names(&s, d);
    for (unsigned i = 0; i < goroutines / 2 + 1; i++) {
        s.gs[i] = (sim_g){s.next_id++, GL_G_RUNNABLE};
        sim_emit(&s, 0, GL_EV_GoStatus, 0, s.gs[i].id, GL_G_UNDETERMINED, GL_G_RUNNABLE, GL_NO_THREAD);
    }
    size_t end = l->n + n;
    while (l->n < end) {
        unsigned p = (unsigned)lt_below(r, procs);
        if (s.running[p]) {
            sim_run(&s, p);
            continue;
        }
        unsigned g = sim_pick(&s, GL_G_RUNNABLE);
        if (g) {
            sim_emit(&s, p, GL_EV_GoStart, 0, s.gs[g - 1].id, 0, 0, 0);
            s.gs[g - 1].state = GL_G_RUNNING;
            s.running[p] = g;
        } else { /* all wait: the network wakes one */
            g = sim_pick(&s, GL_G_WAITING);
            if (!g)
                break;
            sim_emit(&s, p, GL_EV_GoUnpark, 0, s.gs[g - 1].id, 0, 0, 0);
            s.gs[g - 1].state = GL_G_RUNNABLE;
        }
    }
    free(s.gs);
}

void lt_path(char *out, const char *name)
{
    const char *dir = getenv("TMPDIR");
    snprintf(out, 256, "%s/golanes-%ld-%s.lanes", dir ? dir : "/tmp", (long)getpid(), name);
}

void lt_write(const char *path, const lt_events *l, gl_dict *d, uint32_t chunk_events, unsigned threads)
{
    gl_error err = {0};
    gl_writer *w;
    gl_writer_options o = {.path = path, .dict = d, .chunk_events = chunk_events, .threads = threads};
    if (gl_writer_open(&o, &w, &err) < 0)
        fail_msg("%s", err.text);
    assert_int_equal(gl_writer_meta(w, "source", "made up"), 0);
    for (size_t i = 0; i < l->n; i += 777) {
        size_t n = l->n - i < 777 ? l->n - i : 777;
        assert_int_equal(gl_writer_events(w, l->at + i, n), 0);
    }
    if (gl_writer_close(w, NULL, &err) < 0)
        fail_msg("%s", err.text);
}

void lt_read(gl_reader *r, unsigned columns, lt_events *out)
{
    gl_error err = {0};
    gl_cursor *c;
    const gl_event *ev;
    size_t n;
    assert_int_equal(gl_cursor_open(r, columns, &c, &err), 0);
    do {
        if (gl_cursor_next(c, &ev, &n, &err) < 0)
            fail_msg("%s", err.text);
        for (size_t i = 0; i < n; i++)
            lt_push(out, &ev[i]);
    } while (n);
    gl_cursor_close(c);
}

void lt_same(const gl_event *a, const gl_event *b, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (memcmp(&a[i], &b[i], sizeof *a) != 0)
            fail_msg("event %zu differs: type %u and %u, time %lld and %lld, g %llu and %llu, stack %u and %u", i, a[i].type,
                     b[i].type, (long long)a[i].time, (long long)b[i].time, (unsigned long long)a[i].g,
                     (unsigned long long)b[i].g, a[i].stack, b[i].stack);
}

uint8_t *lt_slurp(const char *path, size_t *n)
{
    FILE *f = fopen(path, "rb");
    assert_non_null(f);
    fseek(f, 0, SEEK_END);
    long size = ftell(f);
    rewind(f);
    uint8_t *out = malloc((size_t)size + 1);
    assert_non_null(out);
    *n = fread(out, 1, (size_t)size, f);
    assert_int_equal(*n, (size_t)size);
    fclose(f);
    return out;
}

void lt_spill(const char *path, const void *bytes, size_t n)
{
    FILE *f = fopen(path, "wb");
    assert_non_null(f);
    assert_int_equal(fwrite(bytes, 1, n, f), n);
    assert_int_equal(fclose(f), 0);
}
