/* What an expression says of an event, and what must be known of the past for that. */
#include "query.h"

#include <stdlib.h>
#include <string.h>

#include "golanes/state.h"

void gl_query_destroy(gl_query *q)
{
    if (!q)
        return;
    for (size_t i = 0; i < q->test_count; i++)
        gl_pattern_destroy(q->tests[i].pattern);
    free(q->tests);
    free(q->nodes);
    free(q->list);
    free(q->open);
    gl_map_clean_up(&q->by_id);
    gl_map_clean_up(&q->opened);
    free(q);
}

bool gl_query_needs_past(const gl_query *q) { return q->past; }

bool gl_query_gave_up(const gl_query *q)
{
    for (size_t i = 0; i < q->test_count; i++)
        if (q->tests[i].pattern && gl_pattern_gave_up(q->tests[i].pattern))
            return true;
    return false;
}

bool gl_query_is_of_goroutines(const gl_query *q)
{
    for (size_t i = 0; i < q->test_count; i++) {
        unsigned f = q->tests[i].field;
        if (f != GL_FIELD_WORD && f != GL_FIELD_G && f != GL_FIELD_CREATOR && f != GL_FIELD_START)
            return false;
    }
    return true;
}

/* ---- one subject: an event with what is known, or a goroutine --------------------------------------------------- */

typedef struct subject {
    const gl_dict *d;
    const gl_event *ev;  /* NULL: a goroutine, or its open stretch */
    const gl_event_info *info;
    uint64_t g, creator;
    int64_t time, dur;   /* dur below 0: nothing ends here */
    uint32_t start, reason, own_reason, stack;
    uint8_t state;
} subject;

static uint32_t id_of(uint64_t arg) { return arg > UINT32_MAX ? 0 : (uint32_t)arg; }

static bool compare_signed(int64_t have, gl_compare c, int64_t want)
{
    switch (c) {
    case GL_IS: return have == want;
    case GL_IS_NOT: return have != want;
    case GL_BELOW: return have < want;
    case GL_AT_MOST: return have <= want;
    case GL_ABOVE: return have > want;
    default: return have >= want;
    }
}

static bool compare_number(uint64_t have, gl_compare c, uint64_t want)
{
    if (c == GL_IS || c == GL_IS_NOT)
        return (have == want) == (c == GL_IS);
    return compare_signed(have > want ? 1 : have < want ? -1 : 0, c, 0);
}

/* A number among an event's arguments. */
static bool any_argument(const subject *s, gl_kind kind, const gl_test *t)
{
    for (unsigned i = 0; s->info && i < s->info->arg_count; i++)
        if (s->info->args[i].kind == kind && s->ev->arg[i] && compare_number(s->ev->arg[i], t->compare, t->number))
            return true;
    return false;
}

static bool any_goroutine(const subject *s, const gl_test *t)
{
    gl_compare c = t->compare == GL_IS_NOT ? GL_IS : (gl_compare)t->compare;
    bool found = (s->g && compare_number(s->g, c, t->number)) ||
                 (s->ev && s->ev->g && compare_number(s->ev->g, c, t->number));
    for (unsigned i = 0; s->ev && s->info && i < s->info->arg_count && !found; i++)
        found = s->info->args[i].kind == GL_KIND_GOROUTINE && s->ev->arg[i] && compare_number(s->ev->arg[i], c, t->number);
    return found != (t->compare == GL_IS_NOT);
}

static bool any_text(const subject *s, gl_pattern *p)
{
    for (unsigned i = 0; s->ev && s->info && i < s->info->arg_count; i++)
        if (s->info->args[i].kind == GL_KIND_STRING && gl_pattern_string(p, s->d, id_of(s->ev->arg[i])))
            return true;
    return false;
}

static bool any_stack(const subject *s, gl_pattern *p)
{
    if (gl_pattern_stack(p, s->d, s->stack) || (s->ev && gl_pattern_stack(p, s->d, s->ev->stack)))
        return true;
    for (unsigned i = 0; s->ev && s->info && i < s->info->arg_count; i++)
        if (s->info->args[i].kind == GL_KIND_STACK && gl_pattern_stack(p, s->d, id_of(s->ev->arg[i])))
            return true;
    return false;
}

static bool text_holds(const subject *s, const gl_test *t)
{
    switch (t->field) {
    case GL_FIELD_REASON:
        return gl_pattern_string(t->pattern, s->d, s->reason) || gl_pattern_string(t->pattern, s->d, s->own_reason);
    case GL_FIELD_START: return gl_pattern_string(t->pattern, s->d, s->start);
    case GL_FIELD_TEXT: return any_text(s, t->pattern);
    case GL_FIELD_WORD:
        return (t->number && s->g == t->number) || gl_pattern_string(t->pattern, s->d, s->start) ||
               gl_pattern_string(t->pattern, s->d, s->reason);
    default: return any_stack(s, t->pattern);
    }
}

static bool test_holds(const subject *s, const gl_test *t)
{
    gl_compare c = (gl_compare)t->compare;
    bool negative = c == GL_IS_NOT || c == GL_NOT_LIKE;
    switch (t->field) {
    case GL_FIELD_TYPE: return s->ev ? t->types[s->ev->type < GL_EV_LIMIT ? s->ev->type : 0] != negative : negative;
    case GL_FIELD_TIME: return compare_signed(s->time, c, t->time);
    case GL_FIELD_DUR: return s->dur >= 0 && compare_signed(s->dur, c, t->time);
    case GL_FIELD_STATE: return s->state && (s->state == t->state) != negative;
    case GL_FIELD_G: return any_goroutine(s, t);
    case GL_FIELD_CREATOR: return compare_number(s->creator, c, t->number);
    case GL_FIELD_P: return s->ev && s->ev->p != GL_NO_PROC && compare_number(s->ev->p, c, t->number);
    case GL_FIELD_M: return s->ev && s->ev->thread != GL_NO_THREAD && compare_number(s->ev->thread, c, t->number);
    case GL_FIELD_CHAN: return s->ev && any_argument(s, GL_KIND_CHAN, t);
    case GL_FIELD_TASK: return s->ev && any_argument(s, GL_KIND_TASK, t);
    default: return text_holds(s, t) != negative;
    }
}

static bool node_holds(const gl_query *q, uint32_t at, const subject *s)
{
    const gl_node *n = &q->nodes[at];
    switch (n->kind) {
    case GL_NODE_AND: return node_holds(q, n->left, s) && node_holds(q, n->right, s);
    case GL_NODE_OR: return node_holds(q, n->left, s) || node_holds(q, n->right, s);
    case GL_NODE_NOT: return !node_holds(q, n->left, s);
    default: return test_holds(s, &q->tests[n->left]);
    }
}

/* ---- the past --------------------------------------------------------------------------------------------------- */

/* What has ended is forgotten, so that memory follows the live goroutines. */
static void forget_dead(gl_query *q)
{
    if (q->dying == GL_NONE32)
        return;
    gl_past *p = &q->list[q->dying];
    if (!p->alive) {
        gl_map_remove(&q->by_id, p->id);
        *p = (gl_past){.next_free = q->free_past};
        q->free_past = q->dying;
    }
    q->dying = GL_NONE32;
}

static gl_past *past_of(gl_query *q, uint64_t g)
{
    uint32_t at = g ? gl_map_get(&q->by_id, g) : GL_NONE32;
    if (at != GL_NONE32 || !g)
        return at == GL_NONE32 ? NULL : &q->list[at];
    at = q->free_past;
    if (at != GL_NONE32) {
        q->free_past = q->list[at].next_free;
    } else {
        if (q->n >= GL_NONE32 || GL_GROW(q->list, q->capacity, q->n + 1) < 0)
            return NULL;
        at = (uint32_t)q->n++;
    }
    q->list[at] = (gl_past){.id = g};
    return gl_map_put(&q->by_id, g, at) < 0 ? NULL : &q->list[at];
}

static uint32_t root_of(const gl_dict *d, uint32_t stack)
{
    size_t n;
    const uint32_t *frames = gl_dict_get_stack(d, stack, &n);
    return n ? gl_dict_get_func(d, gl_dict_get_frame(d, frames[n - 1]).func).name : 0;
}

/* Events that begin something which another ends. Owner: G, P, a task, or nobody in particular. */
typedef enum owner { OF_ALL, OF_G, OF_P, OF_TASK } owner;
static const struct {
    uint16_t begin, end;
    owner owner;
    int name; /* argument that both share, -1 none */
} pairs[] = {
    {GL_EV_GCSTWBegin, GL_EV_GCSTWEnd, OF_ALL, -1},
    {GL_EV_GCStart, GL_EV_GCEnd, OF_ALL, -1},
    {GL_EV_GCMarkAssistBegin, GL_EV_GCMarkAssistEnd, OF_G, -1},
    {GL_EV_GCSweepBegin, GL_EV_GCSweepEnd, OF_P, -1},
    {GL_EV_RegionBegin, GL_EV_RegionEnd, OF_G, 1},
    {GL_EV_TaskBegin, GL_EV_TaskEnd, OF_TASK, -1},
    {GL_EV_ChanSendBegin, GL_EV_ChanSendEnd, OF_G, -1},
    {GL_EV_ChanRecvBegin, GL_EV_ChanRecvEnd, OF_G, -1},
    {GL_EV_ChanSelectBegin, GL_EV_ChanSelectEnd, OF_G, -1},
};

static uint64_t key_of(size_t pair, const gl_event *ev)
{
    uint64_t who = pairs[pair].owner == OF_G ? ev->g : pairs[pair].owner == OF_P ? ev->p
                                                   : pairs[pair].owner == OF_TASK ? ev->arg[0] : 0;
    return gl_mix(who + 1) ^ ((uint64_t)(pair + 1) << 58);
}

static int open_one(gl_query *q, size_t pair, const gl_event *ev)
{
    uint32_t at = q->free_open;
    if (at != GL_NONE32) {
        q->free_open = q->open[at].next;
    } else {
        if (q->open_count >= GL_NONE32 || GL_GROW(q->open, q->open_capacity, q->open_count + 1) < 0)
            return GL_E_NOMEM;
        at = (uint32_t)q->open_count++;
    }
    uint64_t key = key_of(pair, ev);
    uint32_t name = pairs[pair].name < 0 ? 0 : id_of(ev->arg[pairs[pair].name]);
    q->open[at] = (gl_opened){ev->time, name, gl_map_get(&q->opened, key)};
    return gl_map_put(&q->opened, key, at);
}

/* Length of what ends here, -1 where its begin was not seen. What was left open inside it ends with it. */
static int close_one(gl_query *q, size_t pair, const gl_event *ev, int64_t *dur)
{
    uint64_t key = key_of(pair, ev);
    uint32_t name = pairs[pair].name < 0 ? 0 : id_of(ev->arg[pairs[pair].name]);
    uint32_t first = gl_map_get(&q->opened, key), at = first;
    while (at != GL_NONE32 && q->open[at].name != name)
        at = q->open[at].next;
    if (at == GL_NONE32)
        return 0;
    *dur = ev->time > q->open[at].begin ? ev->time - q->open[at].begin : 0;
    uint32_t rest = q->open[at].next;
    q->open[at].next = q->free_open;
    q->free_open = first;
    if (rest == GL_NONE32) {
        gl_map_remove(&q->opened, key);
        return 0;
    }
    return gl_map_put(&q->opened, key, rest);
}

static int take_pair(gl_query *q, const gl_event *ev, int64_t *dur)
{
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
        if (ev->type == pairs[i].begin)
            return open_one(q, i, ev);
        if (ev->type == pairs[i].end)
            return close_one(q, i, ev, dur);
    }
    return 0;
}

/* What the event says of the goroutine that it moves, before that is written down. */
static void tell_past(subject *s, const gl_past *p)
{
    s->creator = p->creator;
    s->start = p->start;
    s->state = p->known ? p->state : 0;
    if (p->known && p->state == GL_G_WAITING) {
        s->reason = p->reason;
        s->stack = p->stack;
    }
}

static void move(gl_past *p, const gl_event *ev, const gl_transition *t)
{
    p->state = t->to;
    p->since = ev->time;
    p->known = true;
    p->alive = t->to != GL_G_NOT_EXIST;
    if (t->to == GL_G_WAITING) {
        p->reason = t->reason;
        p->stack = ev->type == GL_EV_GoBlock || ev->type == GL_EV_GoStatus ? ev->stack : 0;
    }
}

static int take_past(gl_query *q, subject *s)
{
    const gl_event *ev = s->ev;
    gl_transition t;
    bool moves = gl_event_transition(ev, &t) && t.id;
    gl_past *p = past_of(q, moves ? t.id : ev->g);
    if (!p)
        return (moves ? t.id : ev->g) ? GL_E_NOMEM : take_pair(q, ev, &s->dur);
    s->g = p->id;
    if (ev->type == GL_EV_GoCreate) {
        p->creator = ev->g;
        p->start = root_of(s->d, id_of(ev->arg[2]));
    } else if (!p->start && ev->stack && (ev->g == p->id || ev->type == GL_EV_GoStatus)) {
        p->start = root_of(s->d, ev->stack);
    }
    tell_past(s, p);
    if (!moves)
        return take_pair(q, ev, &s->dur);
    if (p->known && t.from != GL_G_NOT_EXIST && t.from != t.to)
        s->dur = ev->time > p->since ? ev->time - p->since : 0;
    if (t.from != t.to || !p->known)
        move(p, ev, &t);
    if (t.to == GL_G_NOT_EXIST)
        q->dying = (uint32_t)(p - q->list);
    return take_pair(q, ev, &s->dur);
}

static uint32_t own_reason_of(const subject *s)
{
    for (unsigned i = 0; s->info && i < s->info->arg_count; i++)
        if (s->info->args[i].kind == GL_KIND_STRING && strcmp(s->info->args[i].name, "reason") == 0)
            return id_of(s->ev->arg[i]);
    return 0;
}

int gl_query_event(gl_query *q, const gl_dict *d, const gl_event *ev)
{
    subject s = {.d = d, .ev = ev, .g = ev->g, .time = ev->time, .dur = -1};
    s.info = ev->type < GL_EV_LIMIT ? gl_event_lookup(ev->type) : NULL;
    if (q->past) {
        forget_dead(q);
        int status = take_past(q, &s);
        if (status < 0)
            return status;
        s.own_reason = own_reason_of(&s);
    }
    q->about = s.g;
    return node_holds(q, q->root, &s);
}

uint64_t gl_query_about(const gl_query *q) { return q->about; }

bool gl_query_open(gl_query *q, const gl_dict *d, int64_t end, size_t *at, uint64_t *g)
{
    for (; *at < q->n; (*at)++) {
        const gl_past *p = &q->list[*at];
        if (!p->known || !p->alive)
            continue;
        subject s = {.d = d, .g = p->id, .time = end, .dur = end > p->since ? end - p->since : 0};
        tell_past(&s, p);
        if (node_holds(q, q->root, &s)) {
            *g = p->id;
            (*at)++;
            return true;
        }
    }
    return false;
}

bool gl_query_goroutine(gl_query *q, const gl_dict *d, const gl_query_goroutine_info *info)
{
    subject s = {.d = d, .g = info->g, .creator = info->creator, .start = info->start, .reason = info->reason, .dur = -1};
    return node_holds(q, q->root, &s);
}
