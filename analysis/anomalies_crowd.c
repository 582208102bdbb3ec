/* What is only wrong in great number: busy loops, storms, explosions. */
#include "anomalies.h"
#include "sites.h"

#include <string.h>

static void add_to_row(gl_row *r, int64_t time, uint32_t stack)
{
    if (!r->n++) {
        r->begin = time;
        r->stack = stack;
    }
    r->last = time;
}

static int end_row(gl_anomalies *a, const gl_suspect *s, gl_row *r, gl_anomaly_kind kind, uint64_t least, int64_t gap)
{
    gl_row was = *r;
    *r = (gl_row){0};
    if (was.n < least || was.last - was.begin > gap * (int64_t)was.n)
        return 0;
    gl_anomaly x = gl_anomaly_of(a, kind, was.begin, s->g, was.stack);
    x.group = s->group;
    x.end = was.last;
    x.count = was.n;
    x.ns = was.last > was.begin ? (uint64_t)(was.last - was.begin) : 0;
    return gl_anomaly_add(a, &x);
}

int gl_crowd_break(gl_anomalies *a, gl_suspect *s)
{
    int status = end_row(a, s, &s->looks, GL_ANOMALY_BUSY_SELECT, GL_ANOMALY_BUSY_LEAST, GL_ANOMALY_BUSY_GAP_NS);
    if (status < 0)
        return status;
    return end_row(a, s, &s->yields, GL_ANOMALY_GOSCHED_STORM, GL_ANOMALY_GOSCHED_LEAST, GL_ANOMALY_GOSCHED_GAP_NS);
}

int gl_crowd_look(gl_anomalies *a, const gl_event *ev, uint32_t stack)
{
    gl_suspect *s;
    int status = gl_suspect_find(a, ev->g, true, &s);
    if (status == 0)
        add_to_row(&s->looks, ev->time, stack);
    return status;
}

/* A recorder that does not know why says nothing: what is preempted does not yield that often. */
static bool may_be_gosched(const gl_anomalies *a, const gl_event *ev)
{
    const char *reason = gl_dict_text(a->dict, (uint32_t)ev->arg[0], NULL);
    return !*reason || strcmp(reason, "runtime.Gosched") == 0;
}

/* runtime.GC sweeps what is left, a span at a time, after its wait for the cycle: that is no spinning. */
static bool collects(const gl_anomalies *a, const gl_event *ev)
{
    if (gl_stack_enters(a->dict, ev->stack, "runtime.GC"))
        return true;
    uint32_t waited = ev->stack ? 0 : gl_summary_wait_before(a->summary, ev->g);
    return waited && strcmp(gl_dict_text(a->dict, waited, NULL), "wait for GC cycle") == 0;
}

int gl_crowd_yield(gl_anomalies *a, const gl_event *ev)
{
    gl_suspect *s;
    uint32_t group = gl_summary_group_of(a->summary, ev->g);
    if (!may_be_gosched(a, ev) || (group && gl_summary_of_runtime(a->summary, group)) || collects(a, ev))
        return 0;
    int status = gl_suspect_find(a, ev->g, true, &s);
    if (status == 0)
        add_to_row(&s->yields, ev->time, ev->stack);
    return status;
}

/* --- timers --- */

static int end_timer_storm(gl_anomalies *a)
{
    gl_anomaly x = a->timer_storm;
    a->timer_storm.count = 0;
    x.ns = (uint64_t)(x.end - x.begin);
    return x.count ? gl_anomaly_add(a, &x) : 0;
}

/* The time since timers_from is over: was it a storm? */
static int end_timer_part(gl_anomalies *a)
{
    int64_t end = a->timers_from + GL_ANOMALY_TIMERS_NS;
    if (a->timers < GL_ANOMALY_TIMERS_LEAST) {
        a->timers = 0;
        return end_timer_storm(a);
    }
    if (!a->timer_storm.count) {
        a->timer_storm = gl_anomaly_of(a, GL_ANOMALY_TIMER_STORM, a->timers_from, 0, 0);
        a->timer_storm.count = 0;
    }
    a->timer_storm.count += a->timers;
    a->timer_storm.end = end;
    a->timers = 0;
    return 0;
}

int gl_crowd_timer(gl_anomalies *a, int64_t time)
{
    int status = 0;
    if (time >= a->timers_from + GL_ANOMALY_TIMERS_NS) {
        bool gap = time >= a->timers_from + 2 * GL_ANOMALY_TIMERS_NS;
        status = end_timer_part(a);
        if (status == 0 && gap)
            status = end_timer_storm(a);
        a->timers_from = time - time % GL_ANOMALY_TIMERS_NS;
    }
    a->timers++;
    return status;
}

/* --- how many there are --- */

static int64_t fewest(const gl_anomalies *a)
{
    int64_t least = a->fewest[0];
    for (unsigned i = 1; i < GL_ALIVE_PARTS; i++)
        least = a->fewest[i] < least ? a->fewest[i] : least;
    return least;
}

static int end_explosion(gl_anomalies *a)
{
    gl_anomaly x = a->explosion;
    a->explosion.count = 0;
    if (!x.count)
        return 0;
    x.site = gl_summary_site_of(a->summary, a->maker_stack);
    x.ns = (uint64_t)(x.end - x.begin);
    return gl_anomaly_add(a, &x);
}

/* Time has gone on: parts that nothing happened in had as many as there are now. */
static void move_on(gl_anomalies *a, int64_t time)
{
    int64_t part = time / (GL_ANOMALY_EXPLOSION_NS / GL_ALIVE_PARTS);
    if (part - a->alive_part > GL_ALIVE_PARTS)
        a->alive_part = part - GL_ALIVE_PARTS;
    while (a->alive_part < part)
        a->fewest[++a->alive_part % GL_ALIVE_PARTS] = a->alive;
}

int gl_crowd_alive(gl_anomalies *a, int64_t time, int step, uint32_t stack)
{
    move_on(a, time);
    a->alive += step;
    int64_t *now = &a->fewest[a->alive_part % GL_ALIVE_PARTS];
    *now = a->alive < *now ? a->alive : *now;
    int64_t more = a->alive - fewest(a);
    if (more <= 0)
        a->maker_votes = 0;
    if (step > 0) {
        if (!a->maker_votes)
            a->maker_stack = stack;
        if (stack == a->maker_stack)
            a->maker_votes++;
        else
            a->maker_votes--;
    }
    if (more < GL_ANOMALY_EXPLOSION_LEAST)
        return end_explosion(a);
    if (!a->explosion.count) {
        int64_t from = time - GL_ANOMALY_EXPLOSION_NS;
        a->explosion = gl_anomaly_of(a, GL_ANOMALY_EXPLOSION, from > 0 ? from : 0, 0, 0);
        a->explosion_base = fewest(a);
    }
    a->explosion.end = time;
    uint64_t grown = (uint64_t)(a->alive - a->explosion_base);
    a->explosion.count = grown > a->explosion.count ? grown : a->explosion.count;
    return 0;
}

int gl_crowd_finish(gl_anomalies *a)
{
    int status = end_timer_part(a);
    if (status == 0)
        status = end_timer_storm(a);
    if (status == 0)
        status = end_explosion(a);
    for (size_t i = 0; i < a->suspect_count && status == 0; i++) {
        if (a->suspects[i].used)
            status = gl_crowd_break(a, &a->suspects[i]);
    }
    return status;
}
