#include "layout.h"

/* Rows are dealt out from the top and from the bottom; what lies between belongs to the lanes. */
typedef struct deal {
    int w, top, bottom; /* rows top .. bottom - 1 are free */
    int keep;           /* rows that the lanes must have */
} deal;

static gl_rect take_top(deal *d, int rows)
{
    if (rows <= 0 || d->bottom - d->top - rows < d->keep)
        return (gl_rect){0, d->top, d->w, 0};
    d->top += rows;
    return (gl_rect){0, d->top - rows, d->w, rows};
}

static gl_rect take_bottom(deal *d, int rows)
{
    if (rows <= 0 || d->bottom - d->top - rows < d->keep)
        return (gl_rect){0, d->bottom, d->w, 0};
    d->bottom -= rows;
    return (gl_rect){0, d->bottom, d->w, rows};
}

static int gutter_of(int w)
{
    if (w < 60)
        return w < 34 ? 8 : 10;
    if (w < 100)
        return 20;
    return w < 160 ? 28 : 36;
}

static int detail_rows(int h, gl_detail_size size)
{
    if (size == GL_DETAIL_NONE || h < 12)
        return 0;
    int normal = h < 20 ? 2 : h < 36 ? 3 : h < 46 ? 5 : 7;
    int large = h / 2 - 2;
    return size == GL_DETAIL_LARGE && large > normal ? large : normal;
}

static int curve_rows(int h, gl_curves curves, bool counts)
{
    if (curves == GL_CURVES_NONE)
        return 0;
    if (curves == GL_CURVES_ALL)
        return h < 20 ? 1 : h < 36 ? 2 : 4;
    return h < 28 ? 0 : h < 44 ? (counts ? h >= 36 : 1) : 2;
}

gl_layout gl_layout_make(int w, int h, bool table, gl_detail_size detail, gl_curves curves)
{
    gl_layout l = {.too_small = w < GL_SCREEN_MIN_W || h < GL_SCREEN_MIN_H};
    if (l.too_small)
        return l;
    deal d = {.w = w, .bottom = h, .keep = 2};
    l.gutter = gutter_of(w);
    l.status = take_bottom(&d, 1);
    l.header = take_top(&d, 1);
    d.keep = 3;
    l.ruler = take_top(&d, table ? 0 : 1);
    l.gc = take_top(&d, table || h < 9 ? 0 : 1);
    int rows = detail_rows(h, detail);
    if (rows) {
        l.detail = take_bottom(&d, rows);
        l.rule = take_bottom(&d, l.detail.h ? 1 : 0);
    }
    bool map = h >= 14;
    /* The overview stands above the ruler, so what was dealt before it moves down. */
    int above = map ? 2 + (h >= 40) : 0;
    if (above && d.bottom - d.top - above >= d.keep) {
        int at = l.header.y + l.header.h;
        l.map = (gl_rect){0, at, w, above - 1};
        l.marks = (gl_rect){0, at + above - 1, w, 1};
        l.ruler.y += above;
        l.gc.y += above;
        d.top += above;
    }
    l.stw = take_top(&d, table || h < 30 ? 0 : 1);
    l.heap = take_top(&d, table ? 0 : curve_rows(h, curves, false));
    l.counts = take_top(&d, table ? 0 : curve_rows(h, curves, true));
    gl_rect rest = {0, d.top, w, d.bottom - d.top};
    *(table ? &l.table : &l.lanes) = rest;
    if (l.detail.h && w >= 130) {
        int side = w * 2 / 5;
        l.side = (gl_rect){w - side, l.detail.y, side, l.detail.h};
        l.detail.w -= side + 1;
    }
    return l;
}

gl_rect gl_layout_time(const gl_layout *l, gl_rect r)
{
    r.x += l->gutter;
    r.w -= l->gutter;
    return r;
}
