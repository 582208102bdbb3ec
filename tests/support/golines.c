#include "golines.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zstd.h>

typedef struct task {
    uint64_t id, parent;
    uint32_t name;
} task;

struct golines {
    const gl_dict *dict;
    bool v1;
    char *text;
    size_t n, room;
    task *tasks;
    size_t task_count;
};

golines *golines_new(const gl_dict *dict, bool v1)
{
    golines *gl = calloc(1, sizeof *gl);
    if (!gl)
        abort();
    gl->dict = dict;
    gl->v1 = v1;
    return gl;
}

void golines_free(golines *gl)
{
    if (!gl)
        return;
    free(gl->text);
    free(gl->tasks);
    free(gl);
}

/* Building a line */

static void reserve(golines *gl, size_t more)
{
    if (gl->n + more < gl->room)
        return;
    gl->room = (gl->n + more + 64) * 2;
    gl->text = realloc(gl->text, gl->room);
    if (!gl->text)
        abort();
}

static void add(golines *gl, const char *fmt, ...) GL_PRINTF(2, 3);
static void add(golines *gl, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    reserve(gl, 256);
    int n = vsnprintf(gl->text + gl->n, 256, fmt, args);
    va_end(args);
    if (n < 0 || n >= 256)
        abort();
    gl->n += (size_t)n;
}

static void add_text(golines *gl, const char *s, size_t n)
{
    reserve(gl, n + 1);
    memcpy(gl->text + gl->n, s, n);
    gl->n += n;
    gl->text[gl->n] = 0;
}

/* Go's %q for the characters that occur */
static void add_quoted(golines *gl, uint32_t string)
{
    size_t n;
    const char *s = gl_dict_text(gl->dict, string, &n);
    add(gl, "\"");
    for (size_t i = 0; i < n; i++) {
        const char *escape = s[i] == '\n' ? "\\n" : s[i] == '\t' ? "\\t" : s[i] == '\r' ? "\\r"
                           : s[i] == '"' ? "\\\"" : s[i] == '\\' ? "\\\\" : NULL;
        if (escape)
            add(gl, "%s", escape);
        else if ((unsigned char)s[i] < 0x20 || s[i] == 0x7f)
            add(gl, "\\x%02x", (unsigned char)s[i]);
        else
            add_text(gl, s + i, 1);
    }
    add(gl, "\"");
}

static void add_stack(golines *gl, const char *label, uint32_t stack)
{
    size_t n;
    const uint32_t *frames = gl_dict_get_stack(gl->dict, stack, &n);
    if (n == 0)
        return;
    add(gl, " %s=", label);
    for (size_t i = 0; i < n; i++) {
        gl_frame f = gl_dict_get_frame(gl->dict, frames[i]);
        size_t len;
        const char *name = gl_dict_text(gl->dict, gl_dict_get_func(gl->dict, f.func).name, &len);
        if (i)
            add(gl, "|");
        add_text(gl, name, len);
        add(gl, ":%" PRIu32, f.line);
    }
}

static void add_id(golines *gl, const char *before, uint64_t id, bool none)
{
    if (none)
        add(gl, "%s-", before);
    else
        add(gl, "%s%" PRIu64, before, id);
}

static void head(golines *gl, const gl_event *ev, const char *kind)
{
    add(gl, "%" PRId64 " %s", ev->time, kind);
    add_id(gl, " ", gl_dict_get_thread(gl->dict, ev->thread).tid, ev->thread == GL_NO_THREAD);
    add_id(gl, " ", ev->p, ev->p == GL_NO_PROC);
    add_id(gl, " ", ev->g, ev->g == 0);
}

/* One maker a kind of line */

static void go_line(golines *gl, const gl_event *ev, uint64_t g, unsigned from, unsigned to, uint32_t reason)
{
    head(gl, ev, "StateTransition");
    add(gl, " g%" PRIu64 " %s->%s reason=", g, gl_gstate_name(from), gl_gstate_name(to));
    add_quoted(gl, reason);
    add_stack(gl, "stack", ev->stack);
    if (ev->type == GL_EV_GoCreate)
        add_stack(gl, "tstack", (uint32_t)ev->arg[2]);
}

static void proc_line(golines *gl, const gl_event *ev, unsigned from, unsigned to)
{
    head(gl, ev, "StateTransition");
    add(gl, " p%" PRIu64 " %s->%s", ev->arg[0], gl_pstate_name(from), gl_pstate_name(to));
}

static void range_line(golines *gl, const gl_event *ev, const char *kind, const char *name, char scope, uint64_t id)
{
    head(gl, ev, kind);
    add(gl, " name=\"%s\" scope=", name);
    if (scope == 'n')
        add(gl, "none");
    else if (scope == 'g' && id == 0)
        add(gl, "g-1");
    else
        add_id(gl, scope == 'g' ? "g" : "p", id, false);
    if (ev->type == GL_EV_GCSweepEnd)
        add(gl, " \"bytes swept\"=%" PRIu64 " \"bytes reclaimed\"=%" PRIu64, ev->arg[0], ev->arg[1]);
    add_stack(gl, "stack", ev->stack);
}

static void stw_line(golines *gl, const gl_event *ev, const char *kind)
{
    char name[128];
    snprintf(name, sizeof name, "stop-the-world (%s)", gl_dict_text(gl->dict, (uint32_t)ev->arg[0], NULL));
    range_line(gl, ev, kind, name, 'g', ev->g);
}

static void metric_line(golines *gl, const gl_event *ev, const char *name)
{
    head(gl, ev, "Metric");
    add(gl, " %s=%" PRIu64, name, ev->arg[0]);
    add_stack(gl, "stack", ev->stack);
}

static void task_begin_line(golines *gl, const gl_event *ev)
{
    gl->tasks = realloc(gl->tasks, (gl->task_count + 1) * sizeof *gl->tasks);
    if (!gl->tasks)
        abort();
    gl->tasks[gl->task_count++] = (task){.id = ev->arg[0], .parent = ev->arg[1], .name = (uint32_t)ev->arg[2]};
    head(gl, ev, "TaskBegin");
    add(gl, " id=%" PRIu64, ev->arg[0]);
    add_id(gl, " parent=", ev->arg[1], ev->arg[1] == 0);
    add(gl, " type=");
    add_quoted(gl, (uint32_t)ev->arg[2]);
    add_stack(gl, "stack", ev->stack);
}

static void task_end_line(golines *gl, const gl_event *ev)
{
    task t = {0};
    bool known = false;
    for (size_t i = 0; i < gl->task_count && !known; i++)
        if (gl->tasks[i].id == ev->arg[0]) {
            t = gl->tasks[i];
            gl->tasks[i] = gl->tasks[--gl->task_count];
            known = true;
        }
    head(gl, ev, "TaskEnd");
    add(gl, " id=%" PRIu64, ev->arg[0]);
    add_id(gl, " parent=", t.parent, t.parent == 0 && !(gl->v1 && known));
    add(gl, " type=");
    add_quoted(gl, t.name);
    add_stack(gl, "stack", ev->stack);
}

static void region_line(golines *gl, const gl_event *ev, const char *kind)
{
    head(gl, ev, kind);
    add(gl, " task=%" PRIu64 " type=", ev->arg[0]);
    add_quoted(gl, (uint32_t)ev->arg[1]);
    add_stack(gl, "stack", ev->stack);
}

static void log_line(golines *gl, const gl_event *ev)
{
    head(gl, ev, "Log");
    add(gl, " task=%" PRIu64 " category=", ev->arg[0]);
    add_quoted(gl, (uint32_t)ev->arg[1]);
    add(gl, " message=");
    add_quoted(gl, (uint32_t)ev->arg[2]);
    add_stack(gl, "stack", ev->stack);
}

static void label_line(golines *gl, const gl_event *ev)
{
    head(gl, ev, "Label");
    add(gl, " label=");
    add_quoted(gl, (uint32_t)ev->arg[0]);
    add(gl, " scope=g%" PRIu64, ev->g);
}

static void other_line(golines *gl, const gl_event *ev)
{
    const gl_event_info *info = gl_event_lookup(ev->type);
    head(gl, ev, info ? info->name : "?");
    for (size_t i = 0; info && i < info->arg_count; i++) {
        add(gl, " %s=", info->args[i].name);
        if (info->args[i].kind == GL_KIND_STRING)
            add_quoted(gl, (uint32_t)ev->arg[i]);
        else
            add(gl, "%" PRIu64, ev->arg[i]);
    }
    add_stack(gl, "stack", ev->stack);
}

#define MARK "GC concurrent mark phase"
#define ASSIST "GC mark assist"
#define SWEEP "GC incremental sweep"

const char *golines_line(golines *gl, const gl_event *ev)
{
    gl->n = 0;
    const uint64_t *a = ev->arg;
    switch (ev->type) {
    case GL_EV_ClockSync:
        head(gl, ev, "Sync");
        add(gl, " n=%" PRIu64, a[0]);
        break;
    case GL_EV_GoCreate: go_line(gl, ev, a[0], GL_G_NOT_EXIST, (unsigned)a[1], 0); break;
    case GL_EV_GoStart: go_line(gl, ev, a[0], GL_G_RUNNABLE, GL_G_RUNNING, 0); break;
    case GL_EV_GoBlock: go_line(gl, ev, ev->g, GL_G_RUNNING, GL_G_WAITING, (uint32_t)a[0]); break;
    case GL_EV_GoUnpark: go_line(gl, ev, a[0], GL_G_WAITING, GL_G_RUNNABLE, 0); break;
    case GL_EV_GoYield: go_line(gl, ev, ev->g, GL_G_RUNNING, GL_G_RUNNABLE, (uint32_t)a[0]); break;
    case GL_EV_GoEnd: go_line(gl, ev, ev->g, (unsigned)a[0], GL_G_NOT_EXIST, 0); break;
    case GL_EV_GoSyscallBegin: go_line(gl, ev, ev->g, GL_G_RUNNING, GL_G_SYSCALL, 0); break;
    case GL_EV_GoSyscallEnd: go_line(gl, ev, ev->g, GL_G_SYSCALL, a[0] ? GL_G_RUNNABLE : GL_G_RUNNING, 0); break;
    case GL_EV_GoStatus: go_line(gl, ev, a[0], (unsigned)a[1], (unsigned)a[2], 0); break;
    case GL_EV_GoLabel: label_line(gl, ev); break;
    case GL_EV_ProcStart: proc_line(gl, ev, GL_P_IDLE, GL_P_RUNNING); break;
    case GL_EV_ProcStop: proc_line(gl, ev, GL_P_RUNNING, GL_P_IDLE); break;
    case GL_EV_ProcSteal: proc_line(gl, ev, (unsigned)a[1], GL_P_IDLE); break;
    case GL_EV_ProcStatus: proc_line(gl, ev, (unsigned)a[1], (unsigned)a[2]); break;
    case GL_EV_ProcsChange: metric_line(gl, ev, "/sched/gomaxprocs:threads"); break;
    case GL_EV_HeapLive: metric_line(gl, ev, "/memory/classes/heap/objects:bytes"); break;
    case GL_EV_HeapGoal: metric_line(gl, ev, "/gc/heap/goal:bytes"); break;
    case GL_EV_GCStart: range_line(gl, ev, "RangeBegin", MARK, 'n', 0); break;
    case GL_EV_GCActive: range_line(gl, ev, "RangeActive", MARK, 'n', 0); break;
    case GL_EV_GCEnd: range_line(gl, ev, "RangeEnd", MARK, 'n', 0); break;
    case GL_EV_GCSTWBegin: stw_line(gl, ev, "RangeBegin"); break;
    case GL_EV_GCSTWEnd: stw_line(gl, ev, "RangeEnd"); break;
    case GL_EV_GCMarkAssistBegin: range_line(gl, ev, "RangeBegin", ASSIST, 'g', ev->g); break;
    case GL_EV_GCMarkAssistActive: range_line(gl, ev, "RangeActive", ASSIST, 'g', a[0]); break;
    case GL_EV_GCMarkAssistEnd: range_line(gl, ev, "RangeEnd", ASSIST, 'g', ev->g); break;
    case GL_EV_GCSweepBegin: range_line(gl, ev, "RangeBegin", SWEEP, 'p', ev->p); break;
    case GL_EV_GCSweepActive: range_line(gl, ev, "RangeActive", SWEEP, 'p', a[0]); break;
    case GL_EV_GCSweepEnd: range_line(gl, ev, "RangeEnd", SWEEP, 'p', ev->p); break;
    case GL_EV_TaskBegin: task_begin_line(gl, ev); break;
    case GL_EV_TaskEnd: task_end_line(gl, ev); break;
    case GL_EV_RegionBegin: region_line(gl, ev, "RegionBegin"); break;
    case GL_EV_RegionEnd: region_line(gl, ev, "RegionEnd"); break;
    case GL_EV_UserLog: log_line(gl, ev); break;
    case GL_EV_CPUSample:
        head(gl, ev, "StackSample");
        add_stack(gl, "stack", ev->stack);
        break;
    default: other_line(gl, ev); break;
    }
    return gl->text;
}

/* The corpus */

const char *golines_corpus(void)
{
    const char *dir = getenv("GOLANES_CORPUS");
#ifdef GOLANES_CORPUS_DEFAULT
    if (!dir)
        dir = GOLANES_CORPUS_DEFAULT;
#endif
    return dir && access(dir, R_OK) == 0 ? dir : NULL;
}

static char *read_all(FILE *f, size_t *n)
{
    size_t room = 1 << 16, got;
    char *buf = malloc(room + 1);
    *n = 0;
    while (buf && (got = fread(buf + *n, 1, room - *n, f)) > 0) {
        *n += got;
        if (*n == room)
            buf = realloc(buf, (room *= 2) + 1);
    }
    if (!buf)
        abort();
    buf[*n] = 0;
    return buf;
}

static char *unpack(char *packed, size_t n, size_t *out_n)
{
    ZSTD_DStream *stream = ZSTD_createDStream();
    ZSTD_inBuffer in = {packed, n, 0};
    ZSTD_outBuffer out = {malloc((size_t)1 << 20), (size_t)1 << 20, 0};
    size_t rc = 1;
    while (stream && out.dst && (in.pos < in.size || rc != 0)) {
        if (out.pos == out.size)
            out.dst = realloc(out.dst, (out.size *= 2) + 1);
        size_t before = out.pos;
        rc = ZSTD_decompressStream(stream, &out, &in);
        if (ZSTD_isError(rc) || (in.pos == in.size && out.pos == before && out.pos < out.size))
            break;
    }
    if (!stream || !out.dst || !(out.dst = realloc(out.dst, out.pos + 1)))
        abort();
    ZSTD_freeDStream(stream);
    free(packed);
    ((char *)out.dst)[out.pos] = 0;
    *out_n = out.pos;
    return out.dst;
}

char *golines_load(const char *path, size_t *n)
{
    char longer[4096];
    snprintf(longer, sizeof longer, "%s.zst", path);
    FILE *f = fopen(path, "rb");
    if (!f)
        f = fopen(longer, "rb");
    if (!f)
        return NULL;
    char *all = read_all(f, n);
    fclose(f);
    static const unsigned char magic[4] = {0x28, 0xb5, 0x2f, 0xfd};
    return *n >= 4 && memcmp(all, magic, 4) == 0 ? unpack(all, *n, n) : all;
}
