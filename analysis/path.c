#include "golanes_analysis/path.h"

#include <stdlib.h>
#include <string.h>

#include "collect.h"

#define NONE UINT32_MAX

typedef struct node {
    uint64_t g;
    int64_t begin, end;
    uint32_t before; /* the step before it, NONE */
    uint32_t refs;   /* paths and steps that hold it; 0: free, before is the next free one */
    uint32_t stack, reason;
    uint32_t group;
    uint8_t state, link;
} node;

/* A goroutine: its path up to `since`, from when on its state goes on. */
typedef struct walker {
    uint64_t g;
    int64_t since;
    uint32_t tail;
} walker;

struct gl_path {
    gl_path_options opt;
    gl_summary *summary;
    node *nodes;
    size_t node_capacity, node_count;
    uint32_t free_node;
    gl_map walker_of;
    walker *walkers;
    uint32_t *free_walkers;
    size_t walker_capacity, free_capacity, walker_count, free_count;
    bool done; /* the moment is reached: the answer is `answer` */
    uint32_t answer;
    bool cut, found;
    gl_path_step *steps;
    gl_path_share *shares;
    gl_path_result result;
};

/* --- steps --- */

static void hold(gl_path *p, uint32_t at)
{
    if (at != NONE)
        p->nodes[at].refs++;
}

static void let_go(gl_path *p, uint32_t at)
{
    while (at != NONE && --p->nodes[at].refs == 0) {
        uint32_t before = p->nodes[at].before;
        p->nodes[at].before = p->free_node;
        p->free_node = at;
        at = before;
    }
}

static int by_time(const void *a, const void *b)
{
    const int64_t *x = a, *y = b;
    return *x < *y ? -1 : *x > *y;
}

#define SAMPLES 1024

/* About the older half of all steps: what lies before it is forgotten, so that there is room again. */
static int64_t middle_time(const gl_path *p)
{
    int64_t times[SAMPLES];
    size_t n = 0;
    for (size_t i = 0; i < SAMPLES; i++) {
        const node *x = &p->nodes[i * p->node_count / SAMPLES];
        if (x->refs)
            times[n++] = x->end;
    }
    qsort(times, n, sizeof *times, by_time);
    return n ? times[n / 2] : INT64_MIN;
}

static void forget_old(gl_path *p)
{
    int64_t cutoff = middle_time(p);
    p->cut = true;
    for (size_t i = 0; i < p->node_count; i++) {
        node *x = &p->nodes[i];
        if (x->refs && x->before != NONE && p->nodes[x->before].end <= cutoff && x->end > cutoff) {
            uint32_t before = x->before;
            x->before = NONE;
            let_go(p, before);
        }
    }
    for (size_t i = 0; i < p->walker_count; i++) {
        walker *w = &p->walkers[i];
        if (w->tail != NONE && p->nodes[w->tail].refs && p->nodes[w->tail].end <= cutoff) {
            let_go(p, w->tail);
            w->tail = NONE;
        }
    }
    /* The free ones in order of their place, so that taking them walks through memory. */
    p->free_node = NONE;
    for (uint32_t i = (uint32_t)p->node_count; i-- > 0;) {
        if (!p->nodes[i].refs) {
            p->nodes[i].before = p->free_node;
            p->free_node = i;
        }
    }
}

static int new_node(gl_path *p, uint32_t *at)
{
    size_t most = p->opt.steps_max ? p->opt.steps_max : GL_PATH_STEPS_MAX;
    if (p->free_node == NONE && p->node_count == most)
        forget_old(p);
    if (p->free_node != NONE) {
        *at = p->free_node;
        p->free_node = p->nodes[*at].before;
        return 0;
    }
    if (p->node_count == most)
        return GL_E_LIMIT; /* a path for itself has more steps since the middle than there is room for */
    int grown = GL_GROW(p->nodes, p->node_capacity, p->node_count + 1);
    if (grown < 0)
        return grown;
    *at = (uint32_t)p->node_count++;
    return 0;
}

/* w's path goes on by a step up to `end`. An empty one is left out. */
static int extend(gl_path *p, walker *w, const node *step)
{
    uint32_t at;
    int64_t begin = step->begin > w->since ? step->begin : w->since;
    begin = begin > p->opt.from ? begin : p->opt.from;
    if (step->end > w->since)
        w->since = step->end;
    if (step->end <= begin && step->link == GL_PATH_GOES_ON)
        return 0;
    int status = new_node(p, &at);
    if (status < 0)
        return status;
    node *x = &p->nodes[at];
    *x = *step;
    x->begin = begin;
    x->end = step->end > begin ? step->end : begin;
    x->refs = 1;         /* the walker's */
    x->before = w->tail; /* which held that one, as the step does now */
    w->tail = at;
    return 0;
}

/* --- goroutines --- */

static int meet(gl_path *p, uint64_t g, int64_t since, walker **out)
{
    uint32_t at = gl_map_get(&p->walker_of, g);
    if (at == GL_NONE32) {
        if (p->free_count) {
            at = p->free_walkers[--p->free_count];
        } else {
            at = (uint32_t)p->walker_count;
            if (GL_GROW(p->walkers, p->walker_capacity, p->walker_count + 1) < 0 ||
                GL_GROW(p->free_walkers, p->free_capacity, p->walker_count + 1) < 0)
                return GL_E_NOMEM;
            p->walker_count++;
        }
        p->walkers[at] = (walker){g, since, NONE};
        int status = gl_map_put(&p->walker_of, g, at);
        if (status < 0)
            return status;
    }
    *out = &p->walkers[at];
    return 0;
}

static void forget(gl_path *p, uint64_t g)
{
    uint32_t at = gl_map_get(&p->walker_of, g);
    if (at == GL_NONE32)
        return;
    let_go(p, p->walkers[at].tail);
    p->walkers[at].tail = NONE;
    gl_map_remove(&p->walker_of, g);
    p->free_walkers[p->free_count++] = at;
}

/* `from` woke or made g at `time`: g's path is from's, up to here. */
static int branch(gl_path *p, uint64_t from, uint64_t g, int64_t time, uint32_t stack, gl_path_link link)
{
    walker *w, *x;
    int status = meet(p, from, p->opt.from, &w);
    if (status < 0)
        return status;
    node step = {.g = from,
                 .begin = w->since,
                 .end = time,
                 .state = GL_G_RUNNING,
                 .group = gl_summary_group_of(p->summary, from),
                 .stack = stack,
                 .link = (uint8_t)link};
    status = extend(p, w, &step);
    uint32_t tail = w->tail;
    if (status == 0)
        status = meet(p, g, time, &x);
    if (status < 0)
        return status;
    hold(p, tail);
    let_go(p, x->tail);
    x->tail = tail;
    x->since = time;
    return 0;
}

/* The moment is reached, or the goroutine has ended: its path stays as it is. */
static int answer(gl_path *p, int64_t time, uint8_t state, uint32_t reason, uint32_t stack, uint32_t group)
{
    walker *w;
    int status = meet(p, p->opt.g, p->opt.from, &w);
    if (status < 0)
        return status;
    node step = {.g = p->opt.g,
                 .begin = w->since,
                 .end = time,
                 .state = state,
                 .reason = reason,
                 .stack = stack,
                 .group = group};
    status = extend(p, w, &step);
    p->done = p->found = true;
    p->answer = w->tail;
    return status;
}

static bool is_waiting_for_nobody(const gl_span *s) { return s->state == GL_G_WAITING && s->ender_g == 0; }

static int take_span(void *user, const gl_span *s)
{
    gl_path *p = user;
    walker *w;
    if (p->done)
        return 0;
    if (s->g == p->opt.g && (s->end >= p->opt.to || s->open_end))
        return answer(p, s->end < p->opt.to ? s->end : p->opt.to, s->state, s->reason,
                      s->state == GL_G_WAITING ? s->cause_stack : s->ender_stack, s->group);
    if (s->end <= p->opt.from || s->end > p->opt.to)
        return 0;
    /* A wait that a goroutine ends is not on the path: that one's is. */
    if (s->state == GL_G_WAITING && s->ender_g && s->ender == GL_EV_GoUnpark)
        return branch(p, s->ender_g, s->g, s->end, s->ender_stack, GL_PATH_WAKES);
    int status = meet(p, s->g, s->begin > p->opt.from ? s->begin : p->opt.from, &w);
    if (status < 0)
        return status;
    node step = {.g = s->g,
                 .begin = s->begin,
                 .end = s->end,
                 .state = s->state,
                 .group = s->group,
                 .reason = s->reason,
                 .stack = is_waiting_for_nobody(s) ? s->cause_stack : s->ender_stack};
    return extend(p, w, &step);
}

static int take_event(void *user, const gl_event *ev)
{
    gl_path *p = user;
    if (p->done)
        return 0;
    if (ev->type == GL_EV_GoCreate && ev->g && ev->time > p->opt.from && ev->time < p->opt.to)
        return branch(p, ev->g, ev->arg[0], ev->time, ev->stack, GL_PATH_CREATES);
    if (ev->type != GL_EV_GoEnd)
        return 0;
    if (ev->g == p->opt.g)
        return answer(p, ev->time, GL_G_RUNNING, 0, ev->stack, gl_summary_group_of(p->summary, ev->g));
    forget(p, ev->g);
    return 0;
}

gl_path *gl_path_new(gl_summary *s, const gl_path_options *opt)
{
    gl_path *p = calloc(1, sizeof *p);
    if (!p)
        return NULL;
    p->opt = *opt;
    p->summary = s;
    p->free_node = NONE;
    p->answer = NONE;
    if (gl_summary_watch(s, &(gl_watcher){.user = p, .on_event = take_event, .on_span = take_span}) == 0)
        return p;
    gl_path_destroy(p);
    return NULL;
}

/* --- the answer --- */

static gl_path_step step_of(const gl_path *p, const node *x)
{
    return (gl_path_step){.g = x->g,
                          .group = x->group,
                          .state = x->state,
                          .link = (gl_path_link)x->link,
                          .reason = x->reason,
                          .site = gl_summary_site_of(p->summary, x->stack),
                          .begin = x->begin,
                          .end = x->end};
}

/* A goroutine's early steps may be from before its name was known. */
static int name_steps(gl_path *p, size_t n)
{
    gl_map names = {0};
    int status = 0;
    for (size_t i = n; i-- > 0 && status == 0;) {
        gl_path_step *x = &p->steps[i];
        uint32_t name = gl_map_get(&names, x->g);
        if (!x->group && name != GL_NONE32)
            x->group = name;
        else if (x->group && name == GL_NONE32)
            status = gl_map_put(&names, x->g, x->group);
    }
    gl_map_clean_up(&names);
    return status;
}

/* The steps were found from the end: puts them in order, and makes those of one goroutine in one state one. */
static void list_steps(gl_path *p, size_t n)
{
    size_t kept = 0;
    for (uint32_t at = p->answer, i = 0; at != NONE; at = p->nodes[at].before, i++)
        p->steps[n - 1 - i] = step_of(p, &p->nodes[at]);
    for (size_t i = 0; i < n; i++) {
        gl_path_step *last = kept ? &p->steps[kept - 1] : NULL;
        const gl_path_step *x = &p->steps[i];
        if (last && last->g == x->g && last->state == x->state && last->reason == x->reason) {
            last->end = x->end;
            last->link = x->link;
            if (x->site.stack)
                last->site = x->site;
            if (x->group)
                last->group = x->group;
        } else {
            p->steps[kept++] = *x;
        }
    }
    for (size_t i = 0; i < kept; i++) {
        bool last = i + 1 == kept;
        if (!last && p->steps[i].g == p->steps[i + 1].g)
            p->steps[i].link = GL_PATH_GOES_ON;
        else if (last)
            p->steps[i].link = GL_PATH_END;
        p->result.hops += !last && p->steps[i].g != p->steps[i + 1].g;
    }
    p->result.step_count = kept;
}

static int by_share(const void *a, const void *b)
{
    const gl_path_share *x = a, *y = b;
    if (x->group != y->group)
        return x->group < y->group ? -1 : 1;
    if (x->state != y->state)
        return x->state < y->state ? -1 : 1;
    return x->reason < y->reason ? -1 : x->reason > y->reason;
}

static int by_ns(const void *a, const void *b)
{
    const gl_path_share *x = a, *y = b;
    return x->ns != y->ns ? (x->ns > y->ns ? -1 : 1) : by_share(a, b);
}

static void sum_up(gl_path *p)
{
    size_t kept = 0, n = p->result.step_count;
    for (size_t i = 0; i < n; i++) {
        const gl_path_step *x = &p->steps[i];
        p->shares[i] = (gl_path_share){x->group, x->reason, x->state, 1, (uint64_t)(x->end - x->begin)};
    }
    qsort(p->shares, n, sizeof *p->shares, by_share);
    for (size_t i = 0; i < n; i++) {
        if (kept && by_share(&p->shares[kept - 1], &p->shares[i]) == 0) {
            p->shares[kept - 1].steps++;
            p->shares[kept - 1].ns += p->shares[i].ns;
        } else {
            p->shares[kept++] = p->shares[i];
        }
    }
    qsort(p->shares, kept, sizeof *p->shares, by_ns);
    p->result.shares = p->shares;
    p->result.share_count = kept;
}

int gl_path_finish(gl_path *p, int64_t end_ns, const gl_path_result **out)
{
    size_t n = 0;
    *out = &p->result;
    if (p->steps)
        return 0;
    (void)end_ns;
    for (uint32_t at = p->answer; at != NONE; at = p->nodes[at].before)
        n++;
    p->steps = calloc(n + 1, sizeof *p->steps);
    p->shares = calloc(n + 1, sizeof *p->shares);
    if (!p->steps || !p->shares)
        return GL_E_NOMEM;
    list_steps(p, n);
    int status = name_steps(p, p->result.step_count);
    sum_up(p);
    p->result.found = p->found;
    p->result.steps = p->steps;
    if (p->result.step_count) {
        p->result.begin = p->steps[0].begin;
        p->result.end = p->steps[p->result.step_count - 1].end;
    }
    p->result.cut = p->cut && p->result.begin > p->opt.from;
    return status;
}

void gl_path_destroy(gl_path *p)
{
    if (!p)
        return;
    free(p->nodes);
    free(p->walkers);
    free(p->free_walkers);
    free(p->steps);
    free(p->shares);
    gl_map_clean_up(&p->walker_of);
    free(p);
}
