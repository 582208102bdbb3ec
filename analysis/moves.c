#include <stdlib.h>
#include <string.h>

#include "inside.h"

void gl_name_goroutine(gl_summary *s, gl_goroutine *g, uint32_t stack)
{
    const gl_stack_facts *k = gl_sites_get(&s->sites, stack);
    if (!k)
        return;
    g->name = k->root;
    if (strncmp(gl_dict_text(s->dict, g->name, NULL), "runtime.gcBgMark", 16) == 0)
        g->gc_work |= GL_MMU_WORKER;
}

static int leave_goroutine(gl_summary *s, uint32_t slot)
{
    int status = gl_straddles_release(&s->straddles, gl_goroutines_at(&s->goroutines, slot));
    return status < 0 ? status : gl_goroutines_leave(&s->goroutines, slot);
}

/* The goroutine, or the trace, ends: what regions are open stay so. */
static int leave_regions(gl_summary *s, gl_goroutine *g, int64_t time)
{
    int status = 0;
    while (g->regions && status == 0) {
        gl_open_region was;
        status = gl_user_leave(&s->user, g, &was);
        if (status == 0)
            status = gl_watch_region(s, g, &was, time, true);
    }
    return status;
}

int gl_end_goroutine(gl_summary *s, gl_goroutine *g, uint32_t slot, int64_t time)
{
    uint32_t leaving;
    g->ended = time;
    g->op = (gl_operation){0};
    s->result.ended++;
    int status = leave_regions(s, g, time);
    if (status < 0)
        return status;
    gl_goroutines_ended(&s->goroutines, slot, &leaving);
    return leaving == GL_NONE32 ? 0 : leave_goroutine(s, leaving);
}

/* First sight of a goroutine: made here, or there since before this part of the trace. */
int gl_meet_goroutine(gl_summary *s, const gl_event *ev, const gl_transition *t, uint32_t *slot)
{
    int status = gl_goroutines_add(&s->goroutines, t->id, slot);
    if (status < 0)
        return status;
    gl_goroutine *g = gl_goroutines_at(&s->goroutines, *slot);
    g->created = g->since = ev->time;
    g->order = s->order;
    g->state = GL_G_NOT_EXIST;
    if (t->from == GL_G_NOT_EXIST)
        return 0;
    g->preexisting = true;
    g->created = g->since = s->part_begin;
    g->since_open = true;
    g->state = t->from == GL_G_UNDETERMINED ? t->to : t->from;
    return 0;
}

void gl_create_goroutine(gl_summary *s, gl_goroutine *g, const gl_event *ev)
{
    s->result.created++;
    g->created = ev->time;
    g->ended = -1;
    g->create_stack = ev->stack;
    if (ev->type != GL_EV_GoCreate)
        return;
    g->parent = ev->g ? ev->g : GL_NO_GOROUTINE;
    if (!g->name && ev->arg[2] <= UINT32_MAX)
        gl_name_goroutine(s, g, (uint32_t)ev->arg[2]);
}

void gl_carry_goroutine(gl_summary *s, gl_goroutine *g, const gl_event *ev)
{
    if (ev->arg[2] <= UINT32_MAX)
        g->reason = gl_reasons_find(&s->reasons, (uint32_t)ev->arg[2]);
    if (ev->arg[3])
        g->parent = ev->arg[3];
}

static const uint8_t kind_of_begin[GL_EV_LIMIT] = {
    [GL_EV_ChanSendBegin] = GL_WAIT_SEND, [GL_EV_ChanRecvBegin] = GL_WAIT_RECV, [GL_EV_ChanSelectBegin] = GL_WAIT_SELECT};

/** A goroutine in a channel operation runs, if nothing else is known of it yet. */
static int in_operation(gl_summary *s, const gl_event *ev, uint32_t *slot)
{
    const gl_transition t = {.id = ev->g, .from = GL_G_UNDETERMINED, .to = GL_G_RUNNING};
    *slot = ev->g && ev->g != GL_NO_GOROUTINE ? gl_goroutines_find(&s->goroutines, ev->g) : GL_NONE32;
    return *slot == GL_NONE32 && ev->g && ev->g != GL_NO_GOROUTINE ? gl_meet_goroutine(s, ev, &t, slot) : 0;
}

/** What it was after all: a select may have sent, and what did not take place, as it would have had to wait, is nothing. */
static unsigned kind_at_end(const gl_operation *op, const gl_event *ev)
{
    bool select = ev->type == GL_EV_ChanSelectEnd;
    unsigned wanted = select ? GL_WAIT_SELECT : ev->type == GL_EV_ChanRecvEnd ? GL_WAIT_RECV : GL_WAIT_SEND;
    if (!op->recorded || op->kind != wanted)
        return GL_WAIT_OTHER;
    if (select)
        return ev->arg[1] == GL_CHAN_SEND ? GL_WAIT_SEND : ev->arg[1] == GL_CHAN_RECV ? GL_WAIT_RECV : GL_WAIT_OTHER;
    return ev->arg[2] != GL_CHAN_WOULD_BLOCK ? wanted : GL_WAIT_OTHER;
}

/* A recorder saw the operation itself. */
int gl_take_chan(gl_summary *s, const gl_event *ev)
{
    uint32_t slot;
    int status = in_operation(s, ev, &slot);
    s->recorded = true;
    if (status < 0 || slot == GL_NONE32)
        return status;
    gl_goroutine *g = gl_goroutines_at(&s->goroutines, slot);
    unsigned begun = kind_of_begin[ev->type];
    if (begun || ev->type == GL_EV_ChanClose) {
        g->op = (gl_operation){.kind = (uint8_t)begun, .recorded = true, .closing = !begun, .stack = ev->stack, .begin = ev->time};
        g->op.chan = begun == GL_WAIT_SELECT ? 0 : ev->arg[0];
        return 0;
    }
    unsigned kind = kind_at_end(&g->op, ev);
    if (kind == GL_WAIT_SEND || (kind == GL_WAIT_RECV && (s->straddles.watched >> GL_OPERATION_RECV & 1))) {
        g->op.kind = (uint8_t)kind;
        g->op.chan = ev->arg[0];
        status = gl_straddles_send(&s->straddles, slot, ev->time);
    }
    g->op = (gl_operation){0};
    return status;
}

static int finish_clock(gl_summary *s, uint32_t slot)
{
    gl_goroutine *g = gl_goroutines_at(&s->goroutines, slot);
    if (g->state == GL_G_NOT_EXIST)
        return 0;
    if (g->state == GL_G_WAITING && g->reason == s->forever && s->forever)
        s->result.blocked_forever++;
    s->result.sends.not_ended += g->op.kind == GL_WAIT_SEND;
    s->result.selects.not_ended += g->op.kind == GL_WAIT_SELECT;
    int status = leave_regions(s, g, s->result.end_ns);
    if (status == 0 && s->watched_spans)
        status = gl_watch_span(s, g, NULL, g->state, s->result.end_ns);
    return status < 0 ? status : gl_close_span(s, g, slot, s->result.end_ns, false);
}

/* The number of a reason by its text, 0 where the trace does not have it. */
static uint8_t reason_named(const gl_summary *s, const char *text)
{
    for (unsigned i = 1; i < s->reasons.count; i++) {
        if (strcmp(gl_dict_text(s->dict, s->reasons.list[i].figures.reason, NULL), text) == 0)
            return (uint8_t)i;
    }
    return 0;
}

int gl_finish_goroutines(gl_summary *s)
{
    uint32_t *slots;
    size_t n;
    int status = gl_stuck_find(&s->stuck, &s->goroutines, &s->sites);
    if (status == 0)
        status = gl_goroutines_all(&s->goroutines, &slots, &n);
    if (status < 0)
        return status;
    s->forever = reason_named(s, "forever");
    for (size_t i = 0; i < n && status == 0; i++)
        status = finish_clock(s, slots[i]);
    if (status == 0)
        status = gl_straddles_drain(&s->straddles);
    for (size_t i = 0; i < n && status == 0; i++)
        status = gl_goroutines_leave(&s->goroutines, slots[i]);
    free(slots);
    return status;
}

static int find_proc(gl_summary *s, uint64_t id, gl_proc_state **out)
{
    *out = NULL;
    uint32_t at = gl_map_get(&s->proc_of, id);
    if (at == GL_NONE32) {
        if (s->proc_count == GL_PROC_ID_MAX || id >= GL_NO_PROC)
            return 0;
        at = (uint32_t)s->proc_count;
        if (GL_GROW(s->procs, s->proc_capacity, s->proc_count + 1) < 0 ||
            GL_GROW(s->proc_ids, s->proc_id_capacity, s->proc_count + 1) < 0 || gl_map_put(&s->proc_of, id, at) < 0)
            return GL_E_NOMEM;
        s->proc_ids[s->proc_count++] = (uint32_t)id;
    }
    *out = &s->procs[at];
    return 0;
}

static void close_proc(gl_proc_state *p, int64_t time)
{
    if (p->state != GL_P_RUNNING)
        return;
    p->running_ns += time > p->since ? (uint64_t)(time - p->since) : 0;
}

int gl_take_proc(gl_summary *s, const gl_event *ev, const gl_transition *t)
{
    if (t->from >= GL_P_STATES || t->to >= GL_P_STATES)
        return 0;
    s->result.proc_moves[t->from][t->to]++;
    gl_proc_state *p;
    int status = find_proc(s, t->id, &p);
    if (status < 0 || !p || (t->from == t->to && p->seen))
        return status;
    close_proc(p, ev->time);
    p->since = p->seen || t->from != GL_P_UNDETERMINED ? ev->time : s->part_begin;
    p->seen = true;
    p->state = t->to;
    p->running_spans += t->to == GL_P_RUNNING;
    if (t->to == GL_P_RUNNING && (ev->flags & GL_FLAG_INFERRED))
        return gl_mmu_seen(gl_summary_mmu(s, gl_summary_process_of(s, ev)), ev->time, gl_summary_proc_in(s, (uint32_t)t->id));
    return 0;
}

void gl_finish_procs(gl_summary *s)
{
    for (size_t i = 0; i < s->proc_count; i++)
        close_proc(&s->procs[i], s->result.end_ns);
}
