#include "golanes_analysis/blocked.h"

#include <stdlib.h>
#include <string.h>

#include "collect.h"

const char *const gl_blocked_cause_name[GL_BLOCKED_CAUSES] = {
    "not known",    "nil channel",       "empty select",        "deadlock",
    "never closed", "no sender is left", "no receiver is left", "between jobs"};

struct gl_blocked {
    gl_summary *summary;
    const gl_dict *dict;
    const gl_channels *channels;
    gl_map alive; /* goroutine to its state at the end, plus BLOCKED */
    uint64_t alive_of_program;
    gl_map number_of; /* stuck goroutine to index into goroutines */
    gl_blocked_goroutine *goroutines;
    bool *hopeless; /* nobody outside this set is known who could release it */
    size_t count;
    gl_blocked_site *sites;
    gl_blocked_result result;
};

/* By its name neither the runtime's nor the tracer's. */
static bool of_program(const gl_blocked *b, uint32_t name)
{
    return strncmp(gl_dict_text(b->dict, name, NULL), "runtime/trace.", 14) != 0 &&
           !gl_summary_of_runtime(b->summary, name);
}

static int take_goroutine(void *user, const gl_goroutine_figures *g)
{
    gl_blocked *b = user;
    if (g->end_state == GL_G_NOT_EXIST)
        return 0;
    /* One without a name that does something may be the program's; one that waits is as like as not the runtime's. */
    b->alive_of_program += g->name ? of_program(b, g->name) : g->end_state != GL_G_WAITING;
    return gl_map_put(&b->alive, g->id, g->end_state);
}

gl_blocked *gl_blocked_new(gl_summary *s, const gl_dict *dict, const gl_channels *channels)
{
    gl_blocked *b = calloc(1, sizeof *b);
    if (!b)
        return NULL;
    b->summary = s;
    b->dict = dict;
    b->channels = channels;
    if (gl_summary_watch(s, &(gl_watcher){.user = b, .on_goroutine = take_goroutine}) == 0)
        return b;
    gl_blocked_destroy(b);
    return NULL;
}

static bool alive(const gl_blocked *b, uint64_t g) { return gl_map_get(&b->alive, g) != GL_NONE32; }

static const gl_channel *channel_of(const gl_blocked *b, const gl_blocked_goroutine *x)
{
    return x->in_operation && !x->op.select && x->op.chan ? gl_channels_find(b->channels, x->op.chan) : NULL;
}

static const gl_channel_end *other_end(const gl_channel *c, const gl_blocked_goroutine *x)
{
    return &c->end[x->op.end == GL_CHANNEL_SEND ? GL_CHANNEL_RECV : GL_CHANNEL_SEND];
}

/* --- who could release whom --- */

/* May somebody be able to release it who is not himself without hope? By all who used the other end before. */
static bool has_hope(const gl_blocked *b, const gl_blocked_goroutine *x)
{
    const gl_channel *c = channel_of(b, x);
    if (!c || c->closed_at >= 0)
        return true;
    const gl_channel_end *e = other_end(c, x);
    if (e->more_users || !e->user_count)
        return true;
    for (size_t i = 0; i < e->user_count; i++) {
        uint32_t at = gl_map_get(&b->number_of, e->users[i].g);
        if (alive(b, e->users[i].g) && (at == GL_NONE32 || !b->hopeless[at]) && e->users[i].g != x->figures->g)
            return true;
    }
    return false;
}

#define PASSES_MAX 256 /* one finds at least one more; past this a chain is so long that no answer is given */

/* All are without hope until somebody is found; what is left when nothing changes any more is the largest such set. */
static void find_hopeless(gl_blocked *b)
{
    for (size_t i = 0; i < b->count; i++)
        b->hopeless[i] = channel_of(b, &b->goroutines[i]) != NULL;
    bool changed = true;
    for (unsigned pass = 0; changed && pass < PASSES_MAX; pass++) {
        changed = false;
        for (size_t i = 0; i < b->count; i++) {
            if (b->hopeless[i] && has_hope(b, &b->goroutines[i])) {
                b->hopeless[i] = false;
                changed = true;
            }
        }
    }
    if (changed)
        memset(b->hopeless, 0, b->count * sizeof *b->hopeless);
}

/* The first living one of those who used the other end: in a set without hope it is in the set too. */
static uint32_t waits_for(const gl_blocked *b, uint32_t at)
{
    const gl_blocked_goroutine *x = &b->goroutines[at];
    const gl_channel_end *e = other_end(channel_of(b, x), x);
    for (size_t i = 0; i < e->user_count; i++) {
        uint32_t next = gl_map_get(&b->number_of, e->users[i].g);
        if (next != GL_NONE32 && next != at && b->hopeless[next])
            return next;
    }
    return GL_NONE32;
}

#define CYCLE_STEPS_MAX 4096

/* Follows who waits for whom: the way ends at one whom nobody is left to release, or in a circle. */
static void find_cycle(gl_blocked *b, uint32_t start)
{
    uint32_t at = start, number = 0;
    size_t steps = 0;
    for (; at != GL_NONE32 && steps <= b->count && steps <= CYCLE_STEPS_MAX; steps++) {
        if (b->goroutines[at].cycle) {
            number = b->goroutines[at].cycle;
            break;
        }
        at = waits_for(b, at);
    }
    if (at == GL_NONE32 || steps > CYCLE_STEPS_MAX)
        return;
    if (!number)
        number = ++b->result.cycles;
    for (at = start; at != GL_NONE32 && !b->goroutines[at].cycle; at = waits_for(b, at))
        b->goroutines[at].cycle = number;
}

static gl_blocked_cause cause_of_lonely(const gl_channel *c, const gl_blocked_goroutine *x)
{
    if (x->op.end == GL_CHANNEL_SEND)
        return GL_BLOCKED_NO_RECEIVER;
    return c->asked_for_close ? GL_BLOCKED_NO_CLOSE : GL_BLOCKED_NO_SENDER;
}

/* --- causes --- */

/* Go's reason "forever" stands for three things, which the top of the stack tells apart. */
static gl_blocked_cause cause_by_stack(const gl_blocked *b, const gl_stuck_goroutine *g)
{
    const char *reason = gl_dict_text(b->dict, g->reason, NULL);
    const char *wait = gl_summary_wait_of(b->summary, g->site.stack);
    if (strstr(reason, "nil chan"))
        return GL_BLOCKED_NIL;
    if (strcmp(reason, "select (no cases)") == 0)
        return GL_BLOCKED_EMPTY_SELECT;
    if (strcmp(reason, "forever") != 0 || !wait)
        return GL_BLOCKED_UNKNOWN;
    return strncmp(wait, "chan", 4) == 0 ? GL_BLOCKED_NIL : GL_BLOCKED_EMPTY_SELECT;
}

/* Does any living goroutine that the trace saw have the channel, other than those that wait for it at that end? */
static bool reachable(const gl_blocked *b, const gl_channel *c, unsigned end)
{
    for (unsigned k = 0; k < GL_CHANNEL_ENDS; k++) {
        if (c->end[k].more_users)
            return true;
        for (size_t i = 0; i < c->end[k].user_count; i++) {
            gl_channel_operation op;
            uint64_t g = c->end[k].users[i].g;
            bool waits =
                gl_channels_operation_of(b->channels, g, &op) && !op.select && op.chan == c->chan && op.end == end;
            if (alive(b, g) && !waits)
                return true;
        }
    }
    gl_channel_operation op;
    if (c->made_at < 0)
        return true; /* who made it is not known, nor to whom it was given */
    return alive(b, c->made_by) && !(gl_channels_operation_of(b->channels, c->made_by, &op) && op.chan == c->chan);
}

static void judge(gl_blocked *b, uint32_t at, const gl_stuck_site *site)
{
    gl_blocked_goroutine *x = &b->goroutines[at];
    const gl_channel *c = channel_of(b, x);
    x->cause = cause_by_stack(b, x->figures);
    if (x->cause == GL_BLOCKED_UNKNOWN && x->in_operation && !x->op.select && !x->op.chan)
        x->cause = GL_BLOCKED_NIL;
    if (x->cause != GL_BLOCKED_UNKNOWN)
        return;
    if (b->hopeless[at]) {
        find_cycle(b, at);
        x->cause = x->cycle ? GL_BLOCKED_CYCLE : cause_of_lonely(c, x);
    } else if (c && c->closed_at < 0 && !other_end(c, x)->user_count && !reachable(b, c, x->op.end)) {
        x->cause = cause_of_lonely(c, x);
    } else if (site->released_here >= site->n) {
        x->cause = GL_BLOCKED_BETWEEN_JOBS;
    }
}

#define PARTS 4
#define GROWING_LEAST 8 /* fewer may be chance */

/* Some were made in each quarter of a good part of the trace, and fewer waits ended here than last: of workers between
 * jobs more end, and they are made at once. */
static void look_for_growth(gl_blocked_site *s, int64_t end_ns)
{
    uint64_t in[PARTS] = {0};
    const gl_stuck_site *f = s->figures;
    if (f->released_here >= f->n || f->n < GROWING_LEAST || end_ns <= 0)
        return;
    int64_t first = INT64_MAX, last = 0;
    for (size_t i = 0; i < f->n; i++) {
        int64_t created = f->goroutines[i].created;
        if (created < 0)
            continue;
        first = created < first ? created : first;
        last = created > last ? created : last;
    }
    if (last - first < end_ns / 4)
        return;
    for (size_t i = 0; i < f->n; i++) {
        double share = (double)(f->goroutines[i].created - first) / (double)(last - first + 1);
        if (f->goroutines[i].created >= 0)
            in[(unsigned)(share * PARTS)]++;
    }
    s->growing = in[0] && in[1] && in[2] && in[3];
    s->grown_per_s = (double)f->n / ((double)(last - first) / 1e9);
}

static void add_reach(gl_blocked *b, gl_blocked_site *s, uint64_t g)
{
    gl_channel_operation op;
    if (!g || g == GL_NO_GOROUTINE || !alive(b, g) || s->reach_count == GL_BLOCKED_REACH_MAX)
        return;
    if (gl_channels_operation_of(b->channels, g, &op) && op.chan == s->channel.chan && !op.select)
        return; /* waits for it */
    for (size_t i = 0; i < s->reach_count; i++) {
        if (s->reach[i] == g)
            return;
    }
    s->reach[s->reach_count++] = g;
}

static void describe_channel(gl_blocked *b, gl_blocked_site *s)
{
    const gl_blocked_goroutine *x = &s->goroutines[0];
    const gl_channel *c = channel_of(b, x);
    if (!c)
        return;
    s->channel_known = true;
    s->channel = *c;
    s->reach_complete = c->made_at >= 0;
    for (unsigned k = 0; k < GL_CHANNEL_ENDS; k++) {
        s->others += gl_channels_waiting(b->channels, c->chan, k);
        s->reach_complete &= !c->end[k].more_users;
        for (size_t i = 0; i < c->end[k].user_count; i++)
            add_reach(b, s, c->end[k].users[i].g);
    }
    add_reach(b, s, c->made_at >= 0 ? c->made_by : 0);
    add_reach(b, s, c->closed_at >= 0 ? c->closed_by : 0);
    for (size_t i = 0; i < s->figures->n; i++) {
        const gl_blocked_goroutine *y = &s->goroutines[i];
        s->others -= y->in_operation && !y->op.select && y->op.chan == c->chan;
    }
}

static gl_blocked_cause main_cause(const gl_blocked_site *s)
{
    uint64_t n[GL_BLOCKED_CAUSES] = {0};
    unsigned best = 0;
    for (size_t i = 0; i < s->figures->n; i++)
        n[s->goroutines[i].cause]++;
    for (unsigned i = 0; i < GL_BLOCKED_CAUSES; i++)
        best = n[i] > n[best] ? i : best;
    return (gl_blocked_cause)best;
}

static int collect(gl_blocked *b, const gl_summary_result *r)
{
    for (size_t i = 0; i < r->stuck_count; i++)
        b->count += r->stuck[i].n;
    b->goroutines = calloc(b->count + 1, sizeof *b->goroutines);
    b->hopeless = calloc(b->count + 1, sizeof *b->hopeless);
    b->sites = calloc(r->stuck_count + 1, sizeof *b->sites);
    if (!b->goroutines || !b->hopeless || !b->sites)
        return GL_E_NOMEM;
    size_t at = 0;
    for (size_t i = 0; i < r->stuck_count; i++) {
        b->sites[i] = (gl_blocked_site){.figures = &r->stuck[i], .goroutines = &b->goroutines[at]};
        for (size_t k = 0; k < r->stuck[i].n; k++, at++) {
            gl_blocked_goroutine *x = &b->goroutines[at];
            x->figures = &r->stuck[i].goroutines[k];
            x->in_operation = b->channels && gl_channels_operation_of(b->channels, x->figures->g, &x->op);
            int status = gl_map_put(&b->number_of, x->figures->g, (uint32_t)at);
            if (status < 0)
                return status;
        }
    }
    return 0;
}

static void count_kinds(gl_blocked *b)
{
    uint64_t runtimes = 0;
    for (size_t i = 0; i < b->result.site_count; i++) {
        const gl_stuck_site *f = b->sites[i].figures;
        *(f->system ? &b->result.system : f->idle ? &b->result.idle : &b->result.waiting) += f->n;
        if (f->system && f->name && of_program(b, f->name))
            runtimes += f->n; /* by what they wait for, though not by their name */
    }
    uint64_t others = b->result.waiting + runtimes;
    b->result.active = b->alive_of_program > others ? b->alive_of_program - others : 0;
    b->result.everybody = b->result.waiting && !b->result.active;
}

/* 0: something is wrong there, as far as can be seen; 3: nothing is. */
static int rank(const gl_blocked_site *s)
{
    if (s->figures->system || s->figures->idle)
        return 3;
    return s->growing || (s->cause && s->cause != GL_BLOCKED_BETWEEN_JOBS) ? 0 : s->cause ? 2 : 1;
}

static int by_rank(const void *a, const void *b)
{
    const gl_blocked_site *x = a, *y = b;
    if (rank(x) != rank(y))
        return rank(x) - rank(y);
    if (rank(x) == 0 && x->figures->n != y->figures->n)
        return x->figures->n > y->figures->n ? -1 : 1;
    return x->figures < y->figures ? -1 : x->figures > y->figures; /* as the summary has them */
}

int gl_blocked_finish(gl_blocked *b, const gl_summary_result *r, const gl_blocked_result **out)
{
    *out = &b->result;
    if (b->sites)
        return 0;
    int status = collect(b, r);
    if (status < 0)
        return status;
    if (b->channels)
        find_hopeless(b);
    uint32_t at = 0;
    for (size_t i = 0; i < r->stuck_count; i++) {
        gl_blocked_site *s = &b->sites[i];
        for (size_t k = 0; k < s->figures->n; k++)
            judge(b, at++, s->figures);
        s->cause = main_cause(s);
        look_for_growth(s, r->end_ns);
        if (b->channels)
            describe_channel(b, s);
    }
    qsort(b->sites, r->stuck_count, sizeof *b->sites, by_rank);
    b->result.sites = b->sites;
    b->result.site_count = r->stuck_count;
    count_kinds(b);
    return 0;
}

void gl_blocked_destroy(gl_blocked *b)
{
    if (!b)
        return;
    gl_map_clean_up(&b->alive);
    gl_map_clean_up(&b->number_of);
    free(b->goroutines);
    free(b->hopeless);
    free(b->sites);
    free(b);
}
