/* The head of the screen: figures, overview of the whole trace, ruler, collector and heap. */
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "draw.h"

void gl_pen_text(gl_pen *p, gl_role role, const char *text)
{
    p->x += gl_cells_fit(p->c, p->x, p->y, p->end - p->x, gl_style_of(role), text, GL_CUT_END);
}

void gl_pen_printf(gl_pen *p, gl_role role, const char *fmt, ...)
{
    char text[512];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    gl_pen_text(p, role, text);
}

double gl_nice_step(double x)
{
    double base = pow(10, floor(log10(x)));
    for (int i = 0; i < 3; i++) {
        static const double factors[] = {1, 2, 5};
        if (base * factors[i] >= x * 0.999999)
            return base * factors[i];
    }
    return base * 10;
}

typedef struct unit {
    double ns;
    const char *name;
} unit;

/* Long times in seconds, short ones in what they would be said in. */
static unit unit_of(double ns)
{
    static const unit units[] = {{1e9, "s"}, {1e6, "ms"}, {1e3, "µs"}};
    for (int i = 0; i < 3; i++)
        if (ns >= units[i].ns)
            return units[i];
    return (unit){1, "ns"};
}

static int decimals_of(double step_in_unit)
{
    int d = step_in_unit > 0 ? (int)ceil(-log10(step_in_unit) - 1e-9) : 0;
    return d < 0 ? 0 : d > 9 ? 9 : d;
}

const char *gl_time_text(char *out, int64_t t, double step_ns)
{
    unit u = unit_of(fabs((double)t));
    int most = u.ns >= 1e9 ? 9 : u.ns >= 1e6 ? 6 : u.ns >= 1e3 ? 3 : 0;
    int d = decimals_of(step_ns / u.ns);
    snprintf(out, GL_UNIT_TEXT_MAX, "%.*f %s", d < most ? d : most, (double)t / u.ns, u.name);
    return out;
}

/* A fact is shown whole or not at all. */
static void fact(gl_pen *pen, gl_role role, const char *fmt, ...) GL_PRINTF(3, 4);
static void fact(gl_pen *pen, gl_role role, const char *fmt, ...)
{
    char text[256];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    int width = (int)gl_text_width(text, strlen(text));
    if (pen->x + width > pen->end)
        return;
    gl_pen_text(pen, role, text);
    pen->x += 2;
}

/* Facts in order of weight; the last ones go where there is no room. */
static void header_facts(gl_app *a, gl_pen *pen)
{
    const gl_model *m = a->m;
    char t[GL_UNIT_TEXT_MAX], u[GL_UNIT_TEXT_MAX];
    fact(pen, GL_ROLE_TEXT, "%s", gl_unit_ns(t, m->end - m->begin));
    if (m->straddle_count)
        fact(pen, GL_ROLE_STRADDLE, "%s straddling send%s", gl_unit_count(u, m->straddle_count),
                      m->straddle_count == 1 ? "" : "s");
    if (m->gc_pause_count)
        fact(pen, GL_ROLE_STW, "%s GC pause%s %s", gl_unit_count(u, m->gc_pause_count),
                      m->gc_pause_count == 1 ? "" : "s", gl_unit_ns(t, m->pause_ns));
    fact(pen, GL_ROLE_TEXT, "%s goroutine%s", gl_unit_count(u, m->gor_count), m->gor_count == 1 ? "" : "s");
    if (m->note_count)
        fact(pen, GL_ROLE_PANIC, "%s panic%s or loss%s", gl_unit_count(u, m->note_count),
                      m->note_count == 1 ? "" : "s", m->note_count == 1 ? "" : "es");
    if (m->procs)
        fact(pen, GL_ROLE_DIM, "%llu P%s", (unsigned long long)m->procs, m->procs == 1 ? "" : "s");
    const char *go = gl_reader_meta(m->reader, "go.version");
    if (go)
        fact(pen, GL_ROLE_DIM, "%s%s", *go >= '0' && *go <= '9' ? "Go " : "", go);
    fact(pen, GL_ROLE_DIM, "%s events", gl_unit_count(u, m->info->events));
}

static int draw_clock(const gl_app *a, gl_cells *c, gl_rect r)
{
    if (!a->m->wall_unix_ns || r.w < 70)
        return 0;
    int64_t ns = a->m->wall_unix_ns + a->cursor;
    time_t s = (time_t)(ns / 1000000000);
    struct tm tm;
    char text[40];
    if (!gmtime_r(&s, &tm))
        return 0;
    snprintf(text, sizeof text, "%02d:%02d:%02d.%06ld UTC", tm.tm_hour, tm.tm_min, tm.tm_sec,
             (long)(ns % 1000000000 / 1000));
    gl_cells_fit_right(c, r.x, r.y, r.w - 1, gl_style_of(GL_ROLE_DIM), text);
    return (int)strlen(text) + 2;
}

void gl_draw_header(gl_app *a, gl_cells *c)
{
    gl_rect r = a->layout.header;
    int clock = draw_clock(a, c, r);
    gl_pen pen = {c, r.x + 1, r.y, r.x + r.w - clock};
    int room = (r.w - clock) / 3;
    pen.x += gl_cells_fit(c, pen.x, pen.y, room < 8 ? 8 : room, gl_style_bold(gl_style_of(GL_ROLE_TITLE)), a->m->name,
                          GL_CUT_START);
    pen.x += 2;
    header_facts(a, &pen);
}

/* Once the scan has been through all of it, it knows how many ran in each column, however coarse the file's pyramid. */
static void map_from_scan(const gl_model *m, gl_scale s, gl_column_sum *out)
{
    for (int x = 0; x < s.n; x++)
        out[x].busy = gl_history_get(&m->use.counts[GL_G_RUNNING], gl_scale_time(s, x), gl_scale_time(s, x + 1)).mean;
}

/* Overview from the pyramid, while nothing else is known: a node may be as wide as some columns. */
static void map_from_far(gl_app *a, gl_scale s, gl_column_sum *out)
{
    gl_reader *r = a->m->reader;
    uint64_t least = (uint64_t)s.n / 4;
    unsigned level = gl_reader_levels(r);
    while (level > 0 && gl_reader_level_size(r, level - 1) < least)
        level--;
    level = level ? level - 1 : 0;
    uint64_t n = gl_reader_levels(r) ? gl_reader_level_size(r, level) : 0;
    double step = gl_scale_step(s);
    for (uint64_t i = 0; i < n; i++) {
        gl_node node;
        if (gl_nodes_get(&a->m->nodes, level, i, &node) < 0)
            continue;
        double from = ((double)node.time_from - (double)s.from) / step,
               to = ((double)node.time_to - (double)s.from) / step;
        double span = to - from > 1e-9 ? to - from : 1e-9;
        double busy = (double)node.running_ns / step / span;
        from = from < 0 ? 0 : from;
        for (int x = (int)from; x < s.n && x < to; x++) {
            double share = (to < x + 1 ? to : x + 1) - (from > x ? from : x);
            out[x].busy += (float)(busy * share);
        }
    }
}

/* The overview changes with the file and the width only, so it is kept. */
static const gl_column_sum *map_columns(gl_app *a, gl_scale s)
{
    uint64_t revision = a->m->info->usable_bytes * 2 + a->m->scanned;
    if (a->map && a->map_w == s.n && a->map_revision == revision)
        return a->map;
    gl_column_sum *map = realloc(a->map, (size_t)s.n * sizeof *map);
    if (!map)
        return NULL;
    a->map = map;
    a->map_w = s.n;
    a->marks_revision = 0;
    a->map_revision = revision;
    memset(map, 0, (size_t)s.n * sizeof *map);
    const gl_window *w;
    bool near = gl_windows_get(&a->windows, s.from, s.to, &w, NULL) == 0 && gl_columns_sum(w, s, map) == 0;
    if (!near && a->m->scanned)
        map_from_scan(a->m, s, map);
    else if (!near)
        map_from_far(a, s, map);
    return map;
}

void gl_draw_bar(gl_cells *c, gl_rect r, int x, double share, gl_style style)
{
    int eighths = (int)ceil(share * 8 * r.h - 1e-9);
    for (int y = r.y + r.h - 1; y >= r.y && eighths > 0; y--, eighths -= 8)
        gl_cells_glyph(c, x, y, style, gl_block_low[eighths > 8 ? 8 : eighths]);
}

/* What happened in a column of the overview; several may have. */
enum { MARK_STOP = 1, MARK_PAUSE = 2, MARK_LONG = 4, MARK_STRADDLE = 8, MARK_NOTE = 16 };

static void mark_columns(const gl_model *m, gl_scale s, uint8_t *marks)
{
    memset(marks, 0, (size_t)s.n);
    for (size_t i = 0; i < m->pause_count; i++) {
        int from = gl_scale_column(s, m->pauses[i].begin), to = gl_scale_column(s, gl_model_end(m, m->pauses[i].end));
        for (int x = from < 0 ? 0 : from; x <= to && x < s.n; x++)
            marks[x] |= (uint8_t)((m->pauses[i].gc ? MARK_PAUSE : MARK_STOP) | (to > from + 1 ? MARK_LONG : 0));
    }
    for (size_t i = 0; i < m->straddle_count; i++) {
        int x = gl_scale_column(s, m->pauses[m->straddles[i].pause].begin);
        marks[x < 0 ? 0 : x >= s.n ? s.n - 1 : x] |= MARK_STRADDLE;
    }
    for (size_t i = 0; i < m->note_count; i++) {
        int x = gl_scale_column(s, m->notes[i].time);
        marks[x < 0 ? 0 : x >= s.n ? s.n - 1 : x] |= MARK_NOTE;
    }
}

/* Panics rank before straddles, straddles before pauses, pauses for GC before others: each marks its column, however
 * short. */
static void draw_marks(gl_app *a, gl_cells *c, gl_rect r, gl_scale s)
{
    if (!a->map_marks || a->marks_revision != a->m->revision + 1) {
        uint8_t *marks = realloc(a->map_marks, (size_t)s.n);
        if (!marks)
            return;
        a->map_marks = marks;
        mark_columns(a->m, s, marks);
        a->marks_revision = a->m->revision + 1;
    }
    for (int x = 0; x < s.n; x++) {
        unsigned m = a->map_marks[x];
        if (m & MARK_NOTE)
            gl_cells_glyph(c, r.x + x, r.y, gl_style_of(GL_ROLE_PANIC), "✕");
        else if (m & MARK_STRADDLE)
            gl_cells_glyph(c, r.x + x, r.y, gl_style_bold(gl_style_of(GL_ROLE_STRADDLE)), "▲");
        else if (m)
            gl_cells_glyph(c, r.x + x, r.y, gl_style_of(m & MARK_PAUSE ? GL_ROLE_STW : GL_ROLE_STOP),
                           m & MARK_LONG ? "▀" : "╵");
    }
}

static void draw_bookmarks(const gl_app *a, gl_cells *c, gl_rect r, gl_scale s)
{
    for (size_t i = 0; i < a->bookmarks.n; i++) {
        int x = gl_scale_column(s, a->bookmarks.list[i].time);
        if (x >= 0 && x < s.n)
            gl_cells_glyph(c, r.x + x, r.y, gl_style_bold(gl_style_of(GL_ROLE_KEY)), "◆");
    }
}

void gl_draw_map(gl_app *a, gl_cells *c)
{
    gl_rect map = gl_layout_time(&a->layout, a->layout.map), marks = gl_layout_time(&a->layout, a->layout.marks);
    if (map.h == 0)
        return;
    gl_scale s = {a->m->begin, a->m->end, map.w};
    const gl_column_sum *sum = map_columns(a, s);
    double top = a->m->procs ? (double)a->m->procs : 1;
    for (int x = 0; sum && x < s.n; x++)
        top = sum[x].busy > top ? sum[x].busy : top;
    for (int x = 0; sum && x < s.n; x++)
        gl_draw_bar(c, map, map.x + x, sum[x].busy / top, gl_style_of(GL_ROLE_MAP));
    draw_marks(a, c, marks, s);
    draw_bookmarks(a, c, marks, s);
    gl_style dim = gl_style_of(GL_ROLE_DIM);
    gl_cells_fit(c, map.x - a->layout.gutter + 1, map.y + map.h - 1, a->layout.gutter - 2, dim, "whole trace",
                 GL_CUT_END);
    gl_cells_fit(c, marks.x - a->layout.gutter + 1, marks.y, a->layout.gutter - 2, dim, "pauses, straddles",
                 GL_CUT_END);
    int from = gl_scale_column(s, a->from), to = gl_scale_column(s, a->to - 1);
    if (a->from > a->m->begin || a->to < a->m->end)
        gl_cells_tint(c, (gl_rect){map.x + from, map.y, to - from + 1, map.h + marks.h}, GL_ROLE_WINDOW);
}

/* Ticks on 1, 2, 5 x 10^n. Where labels would be long, all but the first say how much later they are. */
void gl_draw_ruler(gl_app *a, gl_cells *c)
{
    gl_rect r = gl_layout_time(&a->layout, a->layout.ruler);
    gl_scale s = {a->from, a->to, r.w};
    double column = gl_scale_step(s), step = gl_nice_step(column * 14);
    unit u = unit_of((double)(a->to > -a->from ? a->to : -a->from));
    int d = decimals_of(step / u.ns);
    char label[64];
    int longest = snprintf(label, sizeof label, "%.*f %s", d, (double)a->to / u.ns, u.name);
    bool offsets = longest > 11;
    unit ou = unit_of((double)(a->to - a->from));
    double first = ceil((double)a->from / step) * step;
    bool named = false;
    for (int i = 0; i < 64; i++) {
        double t = first + step * i;
        if (t >= (double)a->to)
            break;
        int x = (int)(((double)t - (double)a->from) / column);
        if (!named)
            snprintf(label, sizeof label, "%.*f %s", d, t / u.ns, u.name);
        else if (offsets)
            snprintf(label, sizeof label, "+%.*f %s", decimals_of(step / ou.ns), (t - first) / ou.ns, ou.name);
        else
            snprintf(label, sizeof label, "%.*f", d, t / u.ns);
        if (x + (int)gl_text_width(label, strlen(label)) + 1 < r.w || !named) {
            gl_cells_glyph(c, r.x + x, r.y, gl_style_of(GL_ROLE_FAINT), "╷");
            gl_cells_fit(c, r.x + x + 1, r.y, r.w - x - 1, gl_style_of(GL_ROLE_DIM), label, GL_CUT_END);
            named = true;
        }
    }
    draw_bookmarks(a, c, r, s);
    int cursor = gl_scale_column(s, a->cursor);
    gl_cells_glyph(c, r.x + cursor, r.y, gl_style_bold(gl_style_of(GL_ROLE_CURSOR)), "▼");
    if (a->anchor != GL_TIME_NONE && a->anchor >= a->from && a->anchor < a->to)
        gl_cells_glyph(c, r.x + gl_scale_column(s, a->anchor), r.y, gl_style_bold(gl_style_of(GL_ROLE_MATCH)), "▼");
    char t[GL_UNIT_TEXT_MAX];
    gl_cells_fit_right(c, r.x - a->layout.gutter, r.y, a->layout.gutter - 1, gl_style_bold(gl_style_of(GL_ROLE_CURSOR)),
                       gl_time_text(t, a->cursor, column));
}

void gl_pause_columns(const gl_model *m, gl_scale s, gl_pause_column *out)
{
    double step = gl_scale_step(s);
    memset(out, 0, (size_t)s.n * sizeof *out);
    for (size_t i = gl_model_pause_after(m, s.from); i < m->pause_count && m->pauses[i].begin < s.to; i++) {
        const gl_pause *p = &m->pauses[i];
        double from = ((double)p->begin - (double)s.from) / step;
        double to = ((double)gl_model_end(m, p->end) - (double)s.from) / step;
        from = from < 0 ? 0 : from;
        for (int x = (int)from; x < s.n && (x < to || x == (int)from); x++) {
            double share = (to < x + 1 ? to : x + 1) - (from > x ? from : x);
            float *of = p->gc ? &out[x].gc : &out[x].other;
            *of += (float)(share > 1e-3 ? share : 1e-3);
        }
    }
}

static void draw_gc_ranges(const gl_app *a, gl_cells *c, gl_rect r, gl_scale s)
{
    const gl_model *m = a->m;
    for (size_t i = gl_model_gc_after(m, s.from); i < m->gc_count && m->gcs[i].begin < s.to; i++) {
        int from = gl_scale_column(s, m->gcs[i].begin), to = gl_scale_column(s, gl_model_end(m, m->gcs[i].end));
        for (int x = from < 0 ? 0 : from; x <= to && x < s.n; x++)
            gl_cells_glyph(c, r.x + x, r.y, gl_style_of(GL_ROLE_GC), "░");
        char label[48];
        snprintf(label, sizeof label, " GC %llu ", (unsigned long long)m->gcs[i].cycle);
        if (from >= 0 && to - from > (int)strlen(label) + 4 && m->gcs[i].cycle)
            gl_cells_fit(c, r.x + from + 2, r.y, to - from - 3, gl_style_of(GL_ROLE_GC), label, GL_CUT_END);
    }
}

/* A pause wider than a cell is drawn to an eighth of one; a narrower one still takes a mark. */
static void draw_pauses(const gl_app *a, gl_cells *c, gl_rect r, gl_scale s)
{
    double step = gl_scale_step(s);
    const gl_model *m = a->m;
    for (size_t i = gl_model_pause_after(m, s.from); i < m->pause_count && m->pauses[i].begin < s.to; i++) {
        const gl_pause *p = &m->pauses[i];
        gl_style style = gl_style_of(p->gc ? GL_ROLE_STW : GL_ROLE_STOP), reverse = style;
        reverse.attr |= GL_ATTR_REVERSE;
        double from = ((double)p->begin - (double)s.from) / step;
        double to = ((double)gl_model_end(m, p->end) - (double)s.from) / step;
        from = from < 0 ? 0 : from;
        int first = (int)from, last = (int)ceil(to) - 1;
        if (last <= first) {
            int eighths = (int)lrint((to - from) * 8);
            gl_cells_glyph(c, r.x + first, r.y, style, gl_block_left[eighths < 2 ? 2 : eighths > 8 ? 8 : eighths]);
            continue;
        }
        for (int x = first; x <= last && x < s.n; x++) {
            int skip = from > x ? (int)lrint((from - x) * 8) : 0, upto = to < x + 1 ? (int)lrint((to - x) * 8) : 8;
            bool late = skip > 0 && !a->ascii;
            gl_cells_glyph(c, r.x + x, r.y, late ? reverse : style, gl_block_left[late ? skip : upto < 1 ? 1 : upto]);
        }
    }
}

static void gutter_label(const gl_app *a, gl_cells *c, gl_rect r, gl_role role, const char *text)
{
    gl_cells_fit(c, r.x + 1, r.y + r.h - 1, a->layout.gutter - 2, gl_style_of(role), text, GL_CUT_END);
}

void gl_draw_gc(gl_app *a, gl_cells *c)
{
    const gl_layout *l = &a->layout;
    gl_rect gc = gl_layout_time(l, l->gc), stw = gl_layout_time(l, l->stw);
    gl_scale s = gl_app_scale(a);
    if (gc.h) {
        draw_gc_ranges(a, c, gc, s);
        draw_pauses(a, c, stw.h ? stw : gc, s);
        gutter_label(a, c, l->gc, GL_ROLE_GC, stw.h ? "GC mark phase" : l->gutter > 12 ? "GC, pauses" : "GC");
    }
    if (stw.h)
        gutter_label(a, c, l->stw, GL_ROLE_STW, "stop-the-world");
}
