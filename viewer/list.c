/* Lists: straddles, pauses, what is stuck, groups, statistics. Rows are indexes into the model; Enter goes to a row's moment. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "list.h"

/* The n-th of a list's columns that can be sorted by, round and round. */
static const gl_list_column *sort_column(const gl_list_kind *k, unsigned n)
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
    const gl_list_column *c = sort_column(&gl_list_kinds[a->view], a->lists[a->view].sort);
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
    gl_span_kind k = g->state == GL_G_WAITING ? gl_span_kind_of_reason(gl_model_text(a->m, gl_model_life(a->m, gor)->reason)) : GL_SPAN_NONE;
    return g->last == GL_TIME_NONE && gl_span_is_wait(k) && k != GL_SPAN_SLEEP && k != GL_SPAN_NET &&
           k != GL_SPAN_GCWAIT && a->m->groups[g->group].name && !a->m->groups[g->group].system;
}

static size_t source_count(const gl_app *a)
{
    switch (a->view) {
    case GL_VIEW_STRADDLES: return a->m->straddle_count;
    case GL_VIEW_PAUSES: return a->m->pause_count;
    case GL_VIEW_STUCK: return a->m->gor_count;
    case GL_VIEW_SELECTION: return a->stats.n;
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
    const gl_list_column *c = sort_column(&gl_list_kinds[a->view], a->lists[a->view].sort);
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
    for (uint32_t i = 0; sums && i < m->gor_count; i++) {
        gl_model_pass(m, i);
        for (int o = GL_ORDER_BLOCKED; o < GL_ORDERS; o++)
            sums[m->gors[i].group][o] += gl_order_value(m, (gl_order)o, i);
    }
}

void gl_app_list_fill(gl_app *a)
{
    gl_list_state *st = &a->lists[a->view];
    bool same = a->list_view == a->view && a->list_sort == st->sort && a->list_revision == a->m->revision + a->stats.revision + 1;
    if (!same) {
        size_t n = source_count(a);
        a->list_count = 0;
        if (a->view == GL_VIEW_GROUPS)
            sum_group_times(a);
        for (uint32_t i = 0; i < n; i++) {
            gl_model_pass(a->m, i);
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
        a->list_revision = a->m->revision + a->stats.revision + 1;
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
        int64_t since = gl_model_since(a->m, row);
        gl_app_go_lane(a, row);
        show_around(a, since - (a->m->end - since) / 8, a->m->end);
        gl_app_go(a, since);
    } else if (a->view == GL_VIEW_SELECTION) {
        gl_stats_row r = a->stats.rows[row];
        if (!gl_app_go_lane(a, r.longest_gor))
            gl_app_say(a, true, "the filter hides the goroutine of the longest of these");
        a->view = GL_VIEW_GOROUTINES;
        show_around(a, r.longest_begin, r.longest_begin + r.longest);
        gl_app_go(a, r.longest_begin);
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
static void share_out(const gl_list_kind *k, int w, uint32_t hidden, int *width)
{
    int used = 0, open = 0;
    for (size_t i = 0; i < k->n; i++) {
        width[i] = w < k->columns[i].drop_at || (hidden >> i & 1) ? -1 : k->columns[i].width;
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

static void put_cell(gl_cells *c, const gl_list_column *col, int x, int y, int w, gl_style style, const char *text)
{
    if (col->right)
        gl_cells_fit_right(c, x, y, w, style, text);
    else
        gl_cells_fit(c, x, y, w, style, text, GL_CUT_END);
}

static void draw_row(const gl_app *a, gl_cells *c, const gl_list_kind *k, const int *width, int y, const uint32_t *row)
{
    const gl_list_column *sorted = sort_column(k, a->lists[a->view].sort);
    int x = 1;
    for (size_t i = 0; i < k->n; i++) {
        if (width[i] <= 0)
            continue;
        gl_list_cell t = {"", GL_ROLE_TEXT};
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
    const gl_list_kind *k = &gl_list_kinds[a->view];
    int width[GL_LIST_COLUMNS_MAX];
    if (r.h < 1)
        return;
    gl_app_list_fill(a);
    share_out(k, r.w - 1, a->hidden_columns[a->view], width);
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
