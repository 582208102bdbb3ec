/* Lists: straddles, pauses, what is stuck, groups. Rows are indexes into the model; Enter goes to a row's moment. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "draw.h"

typedef struct cell_text {
    char text[200];
    gl_role role;
} cell_text;

typedef struct column {
    const char *title;
    uint8_t width;   /* 0: what is left, shared */
    uint8_t drop_at; /* left out where the screen is narrower than this */
    bool right;
    void (*put)(const gl_app *a, uint32_t row, cell_text *out);
    /* What the column sorts by: smaller first. NULL: it does not. */
    int64_t (*key)(const gl_app *a, uint32_t row);
} column;

static void put_ns(cell_text *out, int64_t ns)
{
    gl_unit_ns(out->text, ns);
}

static void put_time(const gl_app *a, cell_text *out, int64_t t)
{
    gl_time_text(out->text, t, (double)(a->m->end - a->m->begin) / 1e6);
}

static void put_where(const gl_app *a, cell_text *out, uint32_t stack)
{
    gl_site_text s = gl_model_site(a->m, stack);
    const char *slash = strrchr(s.file, '/');
    if (*s.func)
        snprintf(out->text, sizeof out->text, "%s %s:%u", s.func, slash ? slash + 1 : s.file, s.line);
    else
        snprintf(out->text, sizeof out->text, "not known");
}

static void put_who(const gl_app *a, cell_text *out, uint64_t g)
{
    uint32_t gor = g ? gl_model_find(a->m, g) : GL_NONE;
    if (!g)
        snprintf(out->text, sizeof out->text, "-");
    else if (gor == GL_NONE)
        snprintf(out->text, sizeof out->text, "G%llu", (unsigned long long)g);
    else
        snprintf(out->text, sizeof out->text, "G%llu %s", (unsigned long long)g,
                 gl_model_group_name(a->m, a->m->gors[gor].group));
}

#define STRADDLE(a, row) (&(a)->m->straddles[row])
static void s_overlap(const gl_app *a, uint32_t r, cell_text *o)
{
    put_ns(o, STRADDLE(a, r)->overlap), o->role = GL_ROLE_STRADDLE;
}
static void s_length(const gl_app *a, uint32_t r, cell_text *o)
{
    put_ns(o, STRADDLE(a, r)->end - STRADDLE(a, r)->begin);
}
static void s_begin(const gl_app *a, uint32_t r, cell_text *o) { put_time(a, o, STRADDLE(a, r)->begin); }
static void s_who(const gl_app *a, uint32_t r, cell_text *o) { put_who(a, o, STRADDLE(a, r)->g); }
static void s_by(const gl_app *a, uint32_t r, cell_text *o) { put_who(a, o, STRADDLE(a, r)->by); }
static void s_where(const gl_app *a, uint32_t r, cell_text *o) { put_where(a, o, STRADDLE(a, r)->stack); }
static void s_pause(const gl_app *a, uint32_t r, cell_text *o)
{
    snprintf(o->text, sizeof o->text, "%.190s", gl_model_text(a->m, a->m->pauses[STRADDLE(a, r)->pause].reason));
    o->role = GL_ROLE_STW;
}
static void s_delay(const gl_app *a, uint32_t r, cell_text *o)
{
    if (STRADDLE(a, r)->delay >= 0)
        put_ns(o, STRADDLE(a, r)->delay);
    else
        snprintf(o->text, sizeof o->text, "-");
}
static int64_t s_by_overlap(const gl_app *a, uint32_t r) { return -STRADDLE(a, r)->overlap; }
static int64_t s_by_length(const gl_app *a, uint32_t r) { return STRADDLE(a, r)->begin - STRADDLE(a, r)->end; }
static int64_t s_by_begin(const gl_app *a, uint32_t r) { return STRADDLE(a, r)->begin; }
static int64_t s_by_delay(const gl_app *a, uint32_t r) { return -STRADDLE(a, r)->delay; }

#define PAUSE(a, row) (&(a)->m->pauses[row])
static int64_t pause_length(const gl_app *a, uint32_t r)
{
    return gl_model_end(a->m, PAUSE(a, r)->end) - PAUSE(a, r)->begin;
}
static void p_length(const gl_app *a, uint32_t r, cell_text *o)
{
    put_ns(o, pause_length(a, r)), o->role = PAUSE(a, r)->gc ? GL_ROLE_STW : GL_ROLE_STOP;
}
static void p_begin(const gl_app *a, uint32_t r, cell_text *o) { put_time(a, o, PAUSE(a, r)->begin); }
static void p_reason(const gl_app *a, uint32_t r, cell_text *o)
{
    snprintf(o->text, sizeof o->text, "%.190s", gl_model_text(a->m, PAUSE(a, r)->reason));
}
static void p_who(const gl_app *a, uint32_t r, cell_text *o) { put_who(a, o, PAUSE(a, r)->g); }
static void p_straddles(const gl_app *a, uint32_t r, cell_text *o)
{
    if (PAUSE(a, r)->straddles)
        snprintf(o->text, sizeof o->text, "%u", PAUSE(a, r)->straddles);
    o->role = GL_ROLE_STRADDLE;
}
static int64_t p_by_length(const gl_app *a, uint32_t r) { return -pause_length(a, r); }
static int64_t p_by_begin(const gl_app *a, uint32_t r) { return PAUSE(a, r)->begin; }
static int64_t p_by_straddles(const gl_app *a, uint32_t r) { return -(int64_t)PAUSE(a, r)->straddles; }

#define GOR(a, row) (&(a)->m->gors[row])
static void g_who(const gl_app *a, uint32_t r, cell_text *o) { put_who(a, o, GOR(a, r)->id); }
static void g_for(const gl_app *a, uint32_t r, cell_text *o)
{
    put_ns(o, a->m->end - GOR(a, r)->since), o->role = GL_ROLE_WARN;
}
static void g_since(const gl_app *a, uint32_t r, cell_text *o)
{
    if (GOR(a, r)->since <= a->m->begin)
        snprintf(o->text, sizeof o->text, "the beginning");
    else
        put_time(a, o, GOR(a, r)->since);
}
static void g_reason(const gl_app *a, uint32_t r, cell_text *o)
{
    const char *reason = gl_model_text(a->m, GOR(a, r)->reason);
    snprintf(o->text, sizeof o->text, "%.190s", *reason ? reason : "not known");
    o->role = gl_span_look_of(gl_span_kind_of_reason(reason))->role;
}
static void g_where(const gl_app *a, uint32_t r, cell_text *o) { put_where(a, o, GOR(a, r)->stack); }
static void g_creator(const gl_app *a, uint32_t r, cell_text *o) { put_who(a, o, GOR(a, r)->creator); }
static int64_t g_by_since(const gl_app *a, uint32_t r) { return GOR(a, r)->since; }
static int64_t g_by_id(const gl_app *a, uint32_t r) { return (int64_t)(GOR(a, r)->id >> 1); }
static int64_t g_by_where(const gl_app *a, uint32_t r) { return GOR(a, r)->stack; }

#define GROUP(a, row) (&(a)->m->groups[row])
static void n_name(const gl_app *a, uint32_t r, cell_text *o)
{
    snprintf(o->text, sizeof o->text, "%.190s", gl_model_group_name(a->m, r));
    o->role = GROUP(a, r)->system ? GL_ROLE_DIM : GL_ROLE_GROUP;
}
static void n_count(const gl_app *a, uint32_t r, cell_text *o) { gl_unit_count(o->text, GROUP(a, r)->n); }
static void n_alive(const gl_app *a, uint32_t r, cell_text *o) { gl_unit_count(o->text, GROUP(a, r)->alive); }
static int64_t group_ns(const gl_app *a, uint32_t r, gl_order order)
{
    return r < a->group_time_count ? a->group_time[r][order] : 0;
}
static void n_running(const gl_app *a, uint32_t r, cell_text *o) { put_ns(o, group_ns(a, r, GL_ORDER_RUNNING)); }
static void n_runnable(const gl_app *a, uint32_t r, cell_text *o) { put_ns(o, group_ns(a, r, GL_ORDER_RUNNABLE)); }
static void n_blocked(const gl_app *a, uint32_t r, cell_text *o) { put_ns(o, group_ns(a, r, GL_ORDER_BLOCKED)); }
static void n_straddles(const gl_app *a, uint32_t r, cell_text *o)
{
    char t[GL_UNIT_TEXT_MAX];
    if (GROUP(a, r)->straddles)
        snprintf(o->text, sizeof o->text, "%u  %s", GROUP(a, r)->straddles, gl_unit_ns(t, GROUP(a, r)->straddle_ns));
    o->role = GL_ROLE_STRADDLE;
}
static int64_t n_by_count(const gl_app *a, uint32_t r) { return -(int64_t)GROUP(a, r)->n; }
static int64_t n_by_straddles(const gl_app *a, uint32_t r) { return -GROUP(a, r)->straddle_ns; }
static int64_t n_by_running(const gl_app *a, uint32_t r) { return -group_ns(a, r, GL_ORDER_RUNNING); }
static int64_t n_by_blocked(const gl_app *a, uint32_t r) { return -group_ns(a, r, GL_ORDER_BLOCKED); }

static const column straddle_columns[] = {
    {"in the pause", 12, 0, true, s_overlap, s_by_overlap}, {"send lasted", 12, 40, true, s_length, s_by_length},
    {"at", 16, 0, true, s_begin, s_by_begin},               {"goroutine", 0, 0, false, s_who, NULL},
    {"released by", 0, 72, false, s_by, NULL},              {"ran after", 10, 100, true, s_delay, s_by_delay},
    {"pause", 21, 110, false, s_pause, NULL},               {"where", 0, 130, false, s_where, NULL},
};
static const column pause_columns[] = {
    {"lasted", 12, 0, true, p_length, p_by_length},       {"at", 16, 0, true, p_begin, p_by_begin},
    {"straddles", 9, 48, true, p_straddles, p_by_straddles}, {"reason", 0, 0, false, p_reason, NULL},
    {"stopped by", 0, 70, false, p_who, NULL},
};
static const column stuck_columns[] = {
    {"blocked for", 12, 0, true, g_for, g_by_since}, {"goroutine", 0, 0, false, g_who, g_by_id},
    {"since", 16, 90, true, g_since, NULL},          {"reason", 22, 60, false, g_reason, NULL},
    {"where", 0, 80, false, g_where, g_by_where},    {"created by", 0, 120, false, g_creator, NULL},
};
static const column group_columns[] = {
    {"start function", 0, 0, false, n_name, NULL},          {"goroutines", 10, 0, true, n_count, n_by_count},
    {"alive", 8, 60, true, n_alive, NULL},                  {"running", 10, 60, true, n_running, n_by_running},
    {"for a P", 10, 80, true, n_runnable, NULL},            {"blocked", 10, 72, true, n_blocked, n_by_blocked},
    {"straddles", 16, 50, true, n_straddles, n_by_straddles},
};

typedef struct list_kind {
    const column *columns;
    size_t n;
    const char *empty;
} list_kind;
#define LIST(columns, empty) {columns, sizeof(columns) / sizeof *(columns), empty}
static const list_kind kinds[GL_VIEWS] = {
    [GL_VIEW_STRADDLES] = LIST(straddle_columns, "no send in this trace straddles a GC pause"),
    [GL_VIEW_PAUSES] = LIST(pause_columns, "the world was never stopped in this trace"),
    [GL_VIEW_STUCK] =
        LIST(stuck_columns, "no goroutine was still blocked at the end (timers, network and the runtime's own aside)"),
    [GL_VIEW_GROUPS] = LIST(group_columns, "no goroutines in this trace"),
};

/* The n-th of a list's columns that can be sorted by, round and round. */
static const column *sort_column(const list_kind *k, unsigned n)
{
    size_t sortable = 0;
    for (size_t i = 0; i < k->n; i++)
        sortable += k->columns[i].key != NULL;
    n %= sortable ? (unsigned)sortable : 1;
    for (size_t i = 0; i < k->n; i++)
        if (k->columns[i].key && n-- == 0)
            return &k->columns[i];
    return NULL;
}

const char *gl_app_list_order(const gl_app *a)
{
    const column *c = sort_column(&kinds[a->view], a->lists[a->view].sort);
    return c ? c->title : "";
}

void gl_app_list_next_order(gl_app *a)
{
    a->lists[a->view].sort++;
    a->lists[a->view].cursor = 0;
}

/* Waits that another goroutine has to end, and none did: not those for time or the network, nor the runtime's own. */
static bool is_stuck(const gl_app *a, uint32_t gor)
{
    const gl_gor *g = &a->m->gors[gor];
    gl_span_kind k = g->state == GL_G_WAITING ? gl_span_kind_of_reason(gl_model_text(a->m, g->reason)) : GL_SPAN_NONE;
    return g->last == GL_TIME_NONE && gl_span_is_wait(k) && k != GL_SPAN_SLEEP && k != GL_SPAN_NET &&
           k != GL_SPAN_GCWAIT && !a->m->groups[g->group].system;
}

static size_t source_count(const gl_app *a)
{
    switch (a->view) {
    case GL_VIEW_STRADDLES: return a->m->straddle_count;
    case GL_VIEW_PAUSES: return a->m->pause_count;
    case GL_VIEW_STUCK: return a->m->gor_count;
    default: return a->m->group_count;
    }
}

typedef struct item {
    int64_t key;
    uint32_t row;
} item;

static int by_key(const void *a, const void *b)
{
    const item *x = a, *y = b;
    if (x->key != y->key)
        return x->key < y->key ? -1 : 1;
    return x->row < y->row ? -1 : x->row > y->row;
}

static void sort_list(gl_app *a)
{
    const column *c = sort_column(&kinds[a->view], a->lists[a->view].sort);
    item *items = c ? malloc((a->list_count ? a->list_count : 1) * sizeof *items) : NULL;
    for (size_t i = 0; items && i < a->list_count; i++)
        items[i] = (item){c->key(a, a->list[i]), a->list[i]};
    if (items)
        qsort(items, a->list_count, sizeof *items, by_key);
    for (size_t i = 0; items && i < a->list_count; i++)
        a->list[i] = items[i].row;
    free(items);
}

/* Times of groups are sums over all goroutines: made once for each change of the catalogue. */
static void sum_group_times(gl_app *a)
{
    const gl_model *m = a->m;
    int64_t (*sums)[GL_ORDERS] = calloc(m->group_count ? m->group_count : 1, sizeof *sums);
    free(a->group_time);
    a->group_time = sums;
    a->group_time_count = sums ? m->group_count : 0;
    for (uint32_t i = 0; sums && i < m->gor_count; i++)
        for (int o = GL_ORDER_BLOCKED; o < GL_ORDERS; o++)
            sums[m->gors[i].group][o] += gl_order_value(m, (gl_order)o, i);
}

void gl_app_list_fill(gl_app *a)
{
    gl_list_state *st = &a->lists[a->view];
    bool same = a->list_view == a->view && a->list_sort == st->sort && a->list_revision == a->m->revision + 1;
    if (!same) {
        size_t n = source_count(a);
        a->list_count = 0;
        if (a->view == GL_VIEW_GROUPS)
            sum_group_times(a);
        for (uint32_t i = 0; i < n; i++) {
            if (a->view == GL_VIEW_STUCK && !is_stuck(a, i))
                continue;
            if (a->view == GL_VIEW_GROUPS && a->m->groups[i].n == 0)
                continue;
            if (GL_ROOM(a->list, a->list_capacity, a->list_count) < 0) {
                gl_app_say(a, true, "no memory is left for this list");
                break;
            }
            a->list[a->list_count++] = i;
        }
        sort_list(a);
        a->list_view = (uint8_t)a->view;
        a->list_sort = st->sort;
        a->list_revision = a->m->revision + 1;
    }
    size_t rows = a->layout.table.h > 1 ? (size_t)a->layout.table.h - 1 : 1;
    if (st->cursor >= a->list_count)
        st->cursor = a->list_count ? a->list_count - 1 : 0;
    if (st->cursor < st->top)
        st->top = st->cursor;
    if (st->cursor >= st->top + rows)
        st->top = st->cursor - rows + 1;
    if (st->top + rows > a->list_count)
        st->top = a->list_count > rows ? a->list_count - rows : 0;
}

/* A window in which something of this length is well seen. */
static void show_around(gl_app *a, int64_t begin, int64_t end)
{
    int64_t length = end - begin > 1 ? end - begin : 1, most = a->m->end - a->m->begin;
    int64_t span = length > most / 4 ? most : length * 4;
    gl_app_show(a, begin + length / 2 - span / 2, begin + length / 2 - span / 2 + span);
}

void gl_app_list_enter(gl_app *a)
{
    gl_app_list_fill(a);
    if (a->lists[a->view].cursor >= a->list_count)
        return;
    uint32_t row = a->list[a->lists[a->view].cursor];
    gl_app_remember(a);
    if (a->view == GL_VIEW_STRADDLES) {
        const gl_straddle *s = &a->m->straddles[row];
        gl_app_go_lane(a, s->gor);
        show_around(a, s->begin, s->end);
        gl_app_go(a, a->m->pauses[s->pause].begin > s->begin ? a->m->pauses[s->pause].begin : s->begin);
    } else if (a->view == GL_VIEW_PAUSES) {
        const gl_pause *p = &a->m->pauses[row];
        a->view = GL_VIEW_GOROUTINES;
        show_around(a, p->begin, gl_model_end(a->m, p->end));
        gl_app_go(a, p->begin);
    } else if (a->view == GL_VIEW_STUCK) {
        int64_t since = a->m->gors[row].since;
        gl_app_go_lane(a, row);
        show_around(a, since - (a->m->end - since) / 8, a->m->end);
        gl_app_go(a, since);
    } else {
        a->view = GL_VIEW_GOROUTINES;
        if (a->lanes.by != GL_BY_FUNCTION)
            gl_lanes_group(&a->lanes, GL_BY_FUNCTION, NULL, 0);
        gl_app_relist(a);
        if (row < a->lanes.group_count)
            a->lanes.groups[row].open = true;
        gl_app_relist(a);
        uint32_t at = gl_lanes_find_group(&a->lanes, row);
        a->at = at == GL_NONE ? a->at : at;
    }
    gl_app_resize(a, a->w, a->h);
}

/* Widths of the columns that the screen has room for; those without one of their own share what is left. */
static void share_out(const list_kind *k, int w, int *width)
{
    int used = 0, open = 0;
    for (size_t i = 0; i < k->n; i++) {
        width[i] = w < k->columns[i].drop_at ? -1 : k->columns[i].width;
        used += width[i] > 0 ? width[i] + 2 : width[i] == 0 ? 2 : 0;
        open += width[i] == 0;
    }
    for (size_t i = 0; i < k->n; i++)
        if (width[i] == 0) {
            width[i] = w - used > 0 ? (w - used) / open : 0;
            used += width[i];
            open--;
        }
}

static void put_cell(gl_cells *c, const column *col, int x, int y, int w, gl_style style, const char *text)
{
    if (col->right)
        gl_cells_fit_right(c, x, y, w, style, text);
    else
        gl_cells_fit(c, x, y, w, style, text, GL_CUT_END);
}

static void draw_row(const gl_app *a, gl_cells *c, const list_kind *k, const int *width, int y, const uint32_t *row)
{
    const column *sorted = sort_column(k, a->lists[a->view].sort);
    int x = 1;
    for (size_t i = 0; i < k->n; i++) {
        if (width[i] <= 0)
            continue;
        cell_text t = {"", GL_ROLE_TEXT};
        gl_style style = gl_style_of(GL_ROLE_DIM);
        if (row) {
            k->columns[i].put(a, *row, &t);
            style = gl_style_of(t.role);
        } else {
            snprintf(t.text, sizeof t.text, "%s", k->columns[i].title);
            if (&k->columns[i] == sorted)
                style = gl_style_bold(gl_style_of(GL_ROLE_KEY));
        }
        put_cell(c, &k->columns[i], x, y, width[i], style, t.text);
        x += width[i] + 2;
    }
}

void gl_draw_list(gl_app *a, gl_cells *c)
{
    gl_rect r = a->layout.table;
    const list_kind *k = &kinds[a->view];
    int width[16];
    if (r.h < 1)
        return;
    gl_app_list_fill(a);
    share_out(k, r.w - 1, width);
    draw_row(a, c, k, width, r.y, NULL);
    const gl_list_state *st = &a->lists[a->view];
    for (int i = 1; i < r.h && st->top + (size_t)i - 1 < a->list_count; i++) {
        size_t at = st->top + (size_t)i - 1;
        draw_row(a, c, k, width, r.y + i, &a->list[at]);
        if (at == st->cursor)
            gl_cells_tint(c, (gl_rect){0, r.y + i, r.w, 1}, GL_ROLE_ROW);
    }
    if (a->list_count == 0)
        gl_cells_fit(c, 1, r.y + 1, r.w - 2, gl_style_of(GL_ROLE_DIM), a->m->scanned ? k->empty : "reading…",
                     GL_CUT_END);
}
