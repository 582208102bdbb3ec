/*
 * What an event of a v1 trace is in today's words (Go 1.26 src/internal/trace/tracev1.go does the same for 1.11 to 1.21).
 *
 * Things that differ from a one-to-one table:
 * - Goroutines that were there before the trace are created, started and put to sleep at its start, up to the first
 *   Gomaxprocs. They become a status each; those that are only created are runnable.
 * - A P's first start or stop becomes its status.
 * - A system call had no end unless it blocked: one that did not gets an end one nanosecond later.
 * - Events that belong to no P, or not to the one that wrote them, get numbers of their own (V1_P_TIMERS and so on).
 * - Before 1.10 each P told of its part in a pause: the parts that overlap are one pause.
 * - FutileWakeup (up to 1.8 or so) marks a wake-up as pointless; it took place nevertheless, so only the mark goes.
 */
#include "v1_convert.h"

#include <stdlib.h>

/* Our own texts */

static const char *const words[] = {
    [V1_W_NONE] = "",
    [V1_W_FOREVER] = "forever",
    [V1_W_PREEMPTED] = "preempted",
    [V1_W_GOSCHED] = "runtime.Gosched",
    [V1_W_SLEEP] = "sleep",
    [V1_W_SEND] = "chan send",
    [V1_W_RECEIVE] = "chan receive",
    [V1_W_NETWORK] = "network",
    [V1_W_SYNC] = "sync",
    [V1_W_COND] = "sync.(*Cond).Wait",
    [V1_W_SELECT] = "select",
    [V1_W_ASSIST] = "GC mark assist wait for work",
    [V1_W_STW_MARK_TERMINATION] = "GC mark termination",
    "GC sweep termination",
    "write heap dump",
    "goroutine profile",
    "goroutine profile cleanup",
    "all goroutine stack trace",
    "read mem stats",
    "AllThreadsSyscall",
    "GOMAXPROCS",
    "start trace",
    "stop trace",
    "CountPagesInUse (test)",
    "ReadMetricsSlow (test)",
    "ReadMemStatsSlow (test)",
    "PageCachePagesLeaked (test)",
    "ResetDebugLog (test)",
};

_Static_assert(sizeof words / sizeof words[0] == V1_W_COUNT, "a word an entry");
_Static_assert(V1_W_COUNT <= sizeof((gl_v1_convert *)0)->words / sizeof(uint32_t), "room for the words' ids");

static int word(gl_v1_convert *c, unsigned i, uint64_t *id)
{
    uint32_t text;
    if (c->words[i] == 0) {
        int rc = gl_dict_string(c->t->opt->dict, words[i], strlen(words[i]), &text);
        if (rc < 0)
            return rc;
        c->words[i] = text + 1;
    }
    *id = c->words[i] - 1;
    return 0;
}

/* Names of the file */

uint32_t gl_v1_string_of(gl_v1_convert *c, uint64_t id)
{
    uint32_t text = 0;
    if (id != 0 && !gl_v1_ids_get(&c->t->strings, id, &text))
        c->strings_missing++;
    return text;
}

uint32_t gl_v1_stack_of(gl_v1_convert *c, uint64_t id)
{
    uint32_t stack = 0;
    if ((uint32_t)id != 0 && !gl_v1_ids_get(&c->t->stacks, (uint32_t)id, &stack))
        c->stacks_missing++;
    return stack;
}

int64_t gl_v1_ns(const gl_v1_convert *c, int64_t ticks)
{
    int64_t apart = (int64_t)((uint64_t)ticks - (uint64_t)c->t->min_ticks);
    double ns = (double)apart * c->ns_per_tick;
    if (apart <= 0)
        return 1;
    return ns < 4e18 ? (int64_t)ns + 1 : INT64_C(4000000000000000000);
}

gl_event *gl_v1_emit(gl_v1_convert *c, const gl_v1_event *ev, unsigned type, uint16_t flags, int *rc)
{
    gl_event *out = gl_event_run_next(c->run, rc);
    if (!out)
        return NULL;
    out->type = (uint16_t)type;
    out->flags = flags;
    out->time = gl_v1_ns(c, ev->ticks);
    out->g = ev->g;
    if (ev->proc != V1_NONE) {
        const gl_v1_proc *p = &c->t->procs[ev->proc];
        out->p = p->pid < 0 ? GL_NO_PROC : (uint32_t)p->pid;
        out->thread = p->thread;
    }
    out->stack = gl_v1_stack_of(c, ev->stack);
    return out;
}

typedef int (*convert_fn)(gl_v1_convert *c, const gl_v1_event *ev, uint16_t flags);

int gl_v1_plain(gl_v1_convert *c, const gl_v1_event *ev, uint16_t flags, unsigned type, unsigned arguments)
{
    int rc = 0;
    gl_event *out = gl_v1_emit(c, ev, type, flags, &rc);
    for (unsigned i = 0; out && i < arguments; i++)
        out->arg[i] = ev->arg[i];
    return out ? 0 : rc;
}

int gl_v1_worded(gl_v1_convert *c, const gl_v1_event *ev, uint16_t flags, unsigned type, unsigned w)
{
    uint64_t text;
    int rc = word(c, w, &text);
    if (rc < 0)
        return rc;
    gl_event *out = gl_v1_emit(c, ev, type, flags, &rc);
    if (!out)
        return rc;
    out->arg[0] = text;
    return 0;
}

/* The start of the trace */

int gl_v1_status_of(gl_v1_convert *c, const gl_v1_event *ev, uint16_t flags, unsigned state)
{
    int rc = 0;
    gl_event *out = gl_v1_emit(c, ev, GL_EV_GoStatus, flags, &rc);
    if (!out)
        return rc;
    out->arg[0] = ev->arg[0];
    out->arg[1] = GL_G_UNDETERMINED;
    out->arg[2] = state;
    out->arg[3] = GL_NO_THREAD;
    return 0;
}

static int id_order(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return x < y ? -1 : x > y;
}

/* All that were there have been told by now, but for those that are runnable. */
static int end_start(gl_v1_convert *c, const gl_v1_event *ev, uint16_t flags)
{
    const gl_v1_gs *gs = &c->order->gs;
    c->starting = false;
    uint64_t *ids = gs->count ? malloc(gs->count * sizeof *ids) : NULL;
    size_t n = 0;
    if (gs->count && !ids)
        return GL_E_NOMEM;
    for (uint32_t i = 0; i < gs->used; i++)
        if (gs->records[i].bits & V1_G_PRESENT)
            ids[n++] = gs->records[i].id;
    if (n)
        qsort(ids, n, sizeof *ids, id_order);
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < n; i++) {
        gl_v1_event g = {.ticks = ev->ticks, .proc = V1_NONE, .record = V1_NONE, .arg = {ids[i]}};
        rc = gl_v1_status_of(c, &g, flags, GL_G_RUNNABLE);
        gl_v1_set_bits(gl_v1_find_g(c, ids[i]), V1_G_PRESENT, 0);
    }
    free(ids);
    return rc;
}

/* What may stand before the first Gomaxprocs. */
static bool is_start(unsigned type)
{
    return type == V1_EV_GoCreate || type == V1_EV_GoWaiting || type == V1_EV_GoInSyscall || type == V1_EV_GoStart ||
           type == V1_EV_ProcStart || type == V1_EV_Gomaxprocs;
}

/* Ps */

static int gomaxprocs(gl_v1_convert *c, const gl_v1_event *ev, uint16_t flags)
{
    return c->starting ? end_start(c, ev, flags) : gl_v1_plain(c, ev, flags, GL_EV_ProcsChange, 1);
}

static int proc_event(gl_v1_convert *c, const gl_v1_event *ev, uint16_t flags, unsigned type, unsigned state)
{
    gl_v1_proc *p = &c->t->procs[ev->proc];
    bool seen = p->seen;
    p->seen = true;
    int rc = 0;
    gl_event *out = gl_v1_emit(c, ev, seen ? type : GL_EV_ProcStatus, flags, &rc);
    if (!out)
        return rc;
    out->arg[0] = out->p;
    if (!seen) {
        out->arg[1] = GL_P_UNDETERMINED;
        out->arg[2] = state;
    }
    return 0;
}

static int proc_start(gl_v1_convert *c, const gl_v1_event *ev, uint16_t flags)
{
    int rc = gl_dict_thread(c->t->opt->dict, (gl_thread_info){.tid = ev->arg[0]}, &c->t->procs[ev->proc].thread);
    return rc < 0 ? rc : proc_event(c, ev, flags, GL_EV_ProcStart, GL_P_RUNNING);
}

static int proc_stop(gl_v1_convert *c, const gl_v1_event *ev, uint16_t flags)
{
    int rc = proc_event(c, ev, flags, GL_EV_ProcStop, GL_P_IDLE);
    c->t->procs[ev->proc].thread = GL_NO_THREAD;
    return rc;
}

/* Garbage collection */

static int gc_start(gl_v1_convert *c, const gl_v1_event *ev, uint16_t flags)
{
    int rc = 0;
    gl_event *out = gl_v1_emit(c, ev, GL_EV_GCStart, flags, &rc);
    if (!out)
        return rc;
    gl_v1_move_to(out, V1_P_GC);
    c->cycle = c->t->wire.version < 7 ? c->cycle + 1 : ev->arg[0];
    out->arg[0] = c->cycle;
    return 0;
}

static int gc_done(gl_v1_convert *c, const gl_v1_event *ev, uint16_t flags)
{
    int rc = 0;
    gl_event *out = gl_v1_emit(c, ev, GL_EV_GCEnd, flags, &rc);
    if (out)
        out->arg[0] = c->cycle;
    return out ? 0 : rc;
}

/* Up to 1.19 the kinds are 0 mark termination, 1 sweep termination; 1.21 has 17, the first of them "not known". */
static unsigned stw_word(const gl_v1_convert *c, uint64_t kind)
{
    if (c->t->wire.version < 21)
        return kind <= 1 ? V1_W_STW_MARK_TERMINATION + (unsigned)kind : V1_W_NONE;
    return kind >= 1 && kind <= V1_W_STW_LAST - V1_W_STW + 1 ? V1_W_STW + (unsigned)kind - 1 : V1_W_NONE;
}

static int stw_start(gl_v1_convert *c, const gl_v1_event *ev, uint16_t flags)
{
    if (c->t->wire.version < 10 && c->stw_depth++ > 0)
        return 0;
    c->stw_word = stw_word(c, ev->arg[0]);
    return gl_v1_worded(c, ev, flags, GL_EV_GCSTWBegin, c->stw_word);
}

static int stw_done(gl_v1_convert *c, const gl_v1_event *ev, uint16_t flags)
{
    if (c->t->wire.version < 10 && c->stw_depth > 0 && --c->stw_depth > 0)
        return 0;
    return gl_v1_worded(c, ev, flags, GL_EV_GCSTWEnd, c->stw_word);
}

static int sweep_start(gl_v1_convert *c, const gl_v1_event *ev, uint16_t flags)
{
    return gl_v1_plain(c, ev, flags, GL_EV_GCSweepBegin, 0);
}

static int sweep_done(gl_v1_convert *c, const gl_v1_event *ev, uint16_t flags)
{
    return gl_v1_plain(c, ev, flags, GL_EV_GCSweepEnd, 2);
}

static int assist_start(gl_v1_convert *c, const gl_v1_event *ev, uint16_t flags)
{
    return gl_v1_plain(c, ev, flags, GL_EV_GCMarkAssistBegin, 0);
}

static int assist_done(gl_v1_convert *c, const gl_v1_event *ev, uint16_t flags)
{
    return gl_v1_plain(c, ev, flags, GL_EV_GCMarkAssistEnd, 0);
}

static int heap_alloc(gl_v1_convert *c, const gl_v1_event *ev, uint16_t flags)
{
    return gl_v1_plain(c, ev, flags, GL_EV_HeapLive, 1);
}

static int heap_goal(gl_v1_convert *c, const gl_v1_event *ev, uint16_t flags)
{
    return gl_v1_plain(c, ev, flags, GL_EV_HeapGoal, 1);
}

/* What the program says of itself */

static int task_create(gl_v1_convert *c, const gl_v1_event *ev, uint16_t flags)
{
    uint32_t name = gl_v1_string_of(c, ev->arg[2]);
    int rc = 0;
    gl_event *out = gl_v1_emit(c, ev, GL_EV_TaskBegin, flags, &rc);
    if (!out)
        return rc;
    out->arg[0] = ev->arg[0];
    out->arg[1] = ev->arg[1];
    out->arg[2] = name;
    return 0;
}

static int task_end(gl_v1_convert *c, const gl_v1_event *ev, uint16_t flags)
{
    return gl_v1_plain(c, ev, flags, GL_EV_TaskEnd, 1);
}

static int region(gl_v1_convert *c, const gl_v1_event *ev, uint16_t flags)
{
    uint32_t name = gl_v1_string_of(c, ev->arg[2]);
    int rc = 0;
    gl_event *out = gl_v1_emit(c, ev, ev->arg[1] == 0 ? GL_EV_RegionBegin : GL_EV_RegionEnd, flags, &rc);
    if (!out)
        return rc;
    out->arg[0] = ev->arg[0];
    out->arg[1] = name;
    return 0;
}

static int read_message(gl_v1_convert *c, uint64_t offset, uint64_t n, uint32_t *text)
{
    *text = 0;
    if (n == 0 || n > V1_STRING_MAX)
        return 0;
    char *grown = realloc(c->message, (size_t)n);
    if (!grown)
        return GL_E_NOMEM;
    c->message = grown;
    ssize_t got = gl_input_read(c->t->in, offset, c->message, (size_t)n);
    return got < 0 ? (int)got : gl_dict_string(c->t->opt->dict, c->message, (size_t)got, text);
}

static int user_log(gl_v1_convert *c, const gl_v1_event *ev, uint16_t flags)
{
    uint32_t category = gl_v1_string_of(c, ev->arg[1]), message;
    int rc = read_message(c, ev->arg[2], ev->arg[3], &message);
    if (rc < 0)
        return rc;
    gl_event *out = gl_v1_emit(c, ev, GL_EV_UserLog, flags, &rc);
    if (!out)
        return rc;
    out->arg[0] = ev->arg[0];
    out->arg[1] = category;
    out->arg[2] = message;
    return 0;
}

static int cpu_sample(gl_v1_convert *c, const gl_v1_event *ev, uint16_t flags)
{
    int rc = 0;
    gl_event *out = gl_v1_emit(c, ev, GL_EV_CPUSample, flags, &rc);
    if (out)
        out->p = (uint32_t)ev->arg[0];
    return out ? 0 : rc;
}

static const convert_fn converts[V1_EV_LIMIT] = {
    [V1_EV_Gomaxprocs] = gomaxprocs,
    [V1_EV_ProcStart] = proc_start,
    [V1_EV_ProcStop] = proc_stop,
    [V1_EV_GCStart] = gc_start,
    [V1_EV_GCDone] = gc_done,
    [V1_EV_STWStart] = stw_start,
    [V1_EV_STWDone] = stw_done,
    [V1_EV_GCSweepStart] = sweep_start,
    [V1_EV_GCSweepDone] = sweep_done,
    [V1_EV_GoCreate] = gl_v1_go_create,
    [V1_EV_GoStart] = gl_v1_go_start,
    [V1_EV_GoEnd] = gl_v1_go_end,
    [V1_EV_GoStop] = gl_v1_go_park,
    [V1_EV_GoSched] = gl_v1_go_yield,
    [V1_EV_GoPreempt] = gl_v1_go_yield,
    [V1_EV_GoSleep] = gl_v1_go_park,
    [V1_EV_GoBlock] = gl_v1_go_park,
    [V1_EV_GoUnblock] = gl_v1_go_unpark,
    [V1_EV_GoBlockSend] = gl_v1_go_park,
    [V1_EV_GoBlockRecv] = gl_v1_go_park,
    [V1_EV_GoBlockSelect] = gl_v1_go_park,
    [V1_EV_GoBlockSync] = gl_v1_go_park,
    [V1_EV_GoBlockCond] = gl_v1_go_park,
    [V1_EV_GoBlockNet] = gl_v1_go_park,
    [V1_EV_GoSysCall] = gl_v1_sys_call,
    [V1_EV_GoSysExit] = gl_v1_sys_exit,
    [V1_EV_GoSysBlock] = gl_v1_sys_block,
    [V1_EV_GoWaiting] = gl_v1_go_waiting,
    [V1_EV_GoInSyscall] = gl_v1_go_in_syscall,
    [V1_EV_HeapAlloc] = heap_alloc,
    [V1_EV_HeapGoal] = heap_goal,
    [V1_EV_GoStartLabel] = gl_v1_go_start_label,
    [V1_EV_GoBlockGC] = gl_v1_go_park,
    [V1_EV_GCMarkAssistStart] = assist_start,
    [V1_EV_GCMarkAssistDone] = assist_done,
    [V1_EV_UserTaskCreate] = task_create,
    [V1_EV_UserTaskEnd] = task_end,
    [V1_EV_UserRegion] = region,
    [V1_EV_UserLog] = user_log,
    [V1_EV_CPUSample] = cpu_sample,
};

void gl_v1_convert_init(gl_v1_convert *c, gl_v1_trace *t, gl_v1_order *order, gl_event_run *run, double frequency)
{
    *c = (gl_v1_convert){.t = t, .order = order, .run = run, .ns_per_tick = 1e9 / frequency};
    c->starting = t->has_gomaxprocs;
}

void gl_v1_convert_free(gl_v1_convert *c)
{
    free(c->message);
}

/* What a goroutine does to itself means nothing without the goroutine; a sound trace has none such. */
static bool needs_goroutine(unsigned type)
{
    gl_v1_rule rule = gl_v1_rule_of(type);
    return rule == V1_RULE_PARK || rule == V1_RULE_YIELD || type == V1_EV_GoEnd || type == V1_EV_GoStop ||
           type == V1_EV_GoSysCall;
}

int gl_v1_convert_event(gl_v1_convert *c, const gl_v1_event *ev, uint16_t flags)
{
    /* A damaged trace may have lost the Gomaxprocs that ends the start. */
    if (c->starting && c->t->damaged && !is_start(ev->type)) {
        int rc = end_start(c, ev, flags | GL_FLAG_INFERRED);
        if (rc < 0)
            return rc;
    }
    if (ev->g == 0 && needs_goroutine(ev->type)) {
        c->ownerless++;
        return 0;
    }
    convert_fn convert = ev->type < V1_EV_LIMIT ? converts[ev->type] : NULL;
    return convert ? convert(c, ev, flags) : 0;
}
