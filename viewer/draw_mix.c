/* A lane's columns as cells: kinds as glyphs, boundaries to an eighth of a cell, pauses as bands and lines, words. */
#include <math.h>
#include <string.h>

#include "canvas.h"

gl_role gl_canvas_band(const gl_canvas *f, int x)
{
    if (f->pause[x].gc >= 0.5f)
        return GL_ROLE_STW_BAND;
    return f->pause[x].other >= 0.5f ? GL_ROLE_STOP_BAND : GL_ROLE_DEFAULT;
}

static bool is_filled(gl_span_kind k) { return gl_span_is_busy(k) || k == GL_SPAN_RUNNABLE || k == GL_SPAN_STRADDLE; }

gl_look gl_look_of_kind(const gl_canvas *f, gl_span_kind k, gl_role band)
{
    const gl_span_look *l = gl_span_look_of(k);
    gl_look out = {l->glyph, gl_style_on(l->role, band)};
    /* Nothing truly runs while the world is stopped, and what is filled would hide the band. */
    if (band != GL_ROLE_DEFAULT && k == GL_SPAN_RUNNING)
        out.glyph = "━";
    if (k == GL_SPAN_STRADDLE && !f->a->plain)
        out.style.bg = GL_ROLE_STRADDLE_DEEP;
    if (k == GL_SPAN_NONE && band == GL_ROLE_DEFAULT)
        out.style = gl_style_of(GL_ROLE_DEFAULT);
    return out;
}

/* Two kinds that meet inside the cell: the left one's block, by eighths, on the right one's colour. */
static gl_look look_of_boundary(const gl_canvas *f, const gl_column_mix *mix, gl_role band)
{
    gl_span_kind left = (gl_span_kind)mix->left, right = (gl_span_kind)mix->right;
    gl_span_kind larger = mix->share[left] >= mix->share[right] ? left : right;
    if (left == GL_SPAN_STRADDLE || right == GL_SPAN_STRADDLE)
        larger = GL_SPAN_STRADDLE;
    int split = mix->split;
    if (f->a->plain || (!is_filled(left) && !is_filled(right)) || split <= 0 || split >= 8)
        return gl_look_of_kind(f, larger, band);
    gl_role l = gl_span_look_of(left)->role, r = gl_span_look_of(right)->role;
    if (is_filled(left))
        return (gl_look){gl_block_left[split], gl_style_on(l, is_filled(right) ? r : band)};
    gl_look out = {gl_block_left[split], gl_style_on(r, band)};
    out.style.attr = GL_ATTR_REVERSE;
    return out;
}

/* Many kinds in one cell: how busy it is as height, in the colour of what keeps it busy. */
static gl_look look_of_mix(const gl_canvas *f, const gl_column_mix *mix, gl_role band)
{
    unsigned busy = mix->share[GL_SPAN_RUNNING] + mix->share[GL_SPAN_ASSIST] + mix->share[GL_SPAN_SYSCALL];
    if (mix->share[GL_SPAN_STRADDLE]) {
        int level = (int)(mix->share[GL_SPAN_STRADDLE] * 8u / GL_SHARE_FULL) + 2;
        return (gl_look){gl_block_low[level > 8 ? 8 : level], gl_style_on(GL_ROLE_STRADDLE, band)};
    }
    if (busy < GL_SHARE_FULL / 100)
        return gl_look_of_kind(f, gl_column_main(mix), band);
    gl_span_kind k = GL_SPAN_RUNNING;
    k = mix->share[GL_SPAN_ASSIST] > mix->share[k] ? GL_SPAN_ASSIST : k;
    k = mix->share[GL_SPAN_SYSCALL] > mix->share[k] ? GL_SPAN_SYSCALL : k;
    int level = (int)ceil((double)busy * 8 / GL_SHARE_FULL);
    return (gl_look){gl_block_low[level > 8 ? 8 : level], gl_style_on(gl_span_look_of(k)->role, band)};
}

/* A pause narrower than half a cell is a line through it; what lies behind stays as background. */
static gl_look with_narrow_pause(const gl_canvas *f, int x, const gl_column_mix *mix, gl_look l)
{
    const gl_pause_column *p = &f->pause[x];
    bool narrow = (p->gc > 0 && p->gc < 0.5f) || (p->gc <= 0 && p->other > 0 && p->other < 0.5f);
    /* What is left of a band in the column beside it is not a pause of its own. */
    narrow = narrow && (x == 0 || gl_canvas_band(f, x - 1) == GL_ROLE_DEFAULT) &&
             (x + 1 == f->s.n || gl_canvas_band(f, x + 1) == GL_ROLE_DEFAULT);
    if (!narrow || f->pauses_are_dense || mix->share[GL_SPAN_STRADDLE])
        return l;
    gl_role ink = p->gc > 0 ? GL_ROLE_STW_LINE : GL_ROLE_STOP_LINE;
    gl_span_kind k = gl_column_main(mix);
    if (f->a->plain && is_filled(k))
        return l;
    bool behind = is_filled(k) && mix->parts <= 2 && mix->share[k] > GL_SHARE_FULL / 2;
    return (gl_look){"│", gl_style_on(ink, behind ? gl_span_look_of(k)->role : GL_ROLE_DEFAULT)};
}

/* Without colour a band is told by its edges. */
static bool is_band_edge(const gl_canvas *f, int x)
{
    if (gl_canvas_band(f, x) == GL_ROLE_DEFAULT)
        return false;
    return x == 0 || x + 1 == f->s.n || gl_canvas_band(f, x - 1) == GL_ROLE_DEFAULT || gl_canvas_band(f, x + 1) == GL_ROLE_DEFAULT;
}

void gl_canvas_mix(const gl_canvas *f, int y)
{
    for (int x = 0; x < f->s.n; x++) {
        const gl_column_mix *mix = &f->mix[x];
        gl_role band = gl_canvas_band(f, x);
        gl_look l;
        if (mix->parts <= 1)
            l = gl_look_of_kind(f, mix->parts ? (gl_span_kind)mix->right : gl_column_main(mix), band);
        else if (mix->parts == 2)
            l = look_of_boundary(f, mix, band);
        else
            l = look_of_mix(f, mix, band);
        l = with_narrow_pause(f, x, mix, l);
        if (f->a->plain && is_band_edge(f, x) && gl_column_main(mix) != GL_SPAN_STRADDLE)
            l = (gl_look){"┃", gl_style_on(GL_ROLE_STW, band)};
        gl_cells_glyph(f->c, f->time.x + x, y, l.style, l.glyph);
    }
}

/* A word inside a stretch that has room for it. */
void gl_canvas_label(const gl_canvas *f, int y, int64_t begin, int64_t end, const char *text, gl_style style, int least)
{
    int from = begin <= f->s.from ? 0 : gl_scale_column(f->s, begin) + 1;
    int to = end >= f->s.to ? f->s.n : gl_scale_column(f->s, end);
    int width = (int)gl_text_width(text, strlen(text));
    int room = to - from;
    if (room < least || !*text)
        return;
    int w = width + 2;
    if (w + 2 > room)
        return;
    int x = from + (room - w) / 2;
    for (int i = x; i < x + w; i++) {
        const gl_cell *cell = gl_cells_at(f->c, f->time.x + i, y);
        gl_style s = style;
        if (cell && s.bg == GL_ROLE_DEFAULT && gl_canvas_band(f, i) != GL_ROLE_DEFAULT)
            s.bg = (uint8_t)gl_canvas_band(f, i);
        gl_cells_glyph(f->c, f->time.x + i, y, s, " ");
    }
    int at = x + 1;
    char one[GL_CELL_BYTES];
    for (size_t i = 0; text[i] && at < x + w - 1;) {
        size_t n = 1;
        while ((text[i + n] & 0xc0) == 0x80 && n < sizeof one - 1)
            n++;
        gl_style s = style;
        if (s.bg == GL_ROLE_DEFAULT && at < f->s.n && gl_canvas_band(f, at) != GL_ROLE_DEFAULT)
            s.bg = (uint8_t)gl_canvas_band(f, at);
        at += gl_cells_put(f->c, f->time.x + at, y, x + w - 1 - at, s, text + i, n);
        i += n;
    }
}


bool gl_canvas_has_line(const gl_canvas *f, int x)
{
    return f->pause[x].gc > 0 && f->pause[x].gc < 0.5f && !f->pauses_are_dense;
}

void gl_canvas_bar(const gl_canvas *f, int x, int y, double share, gl_role role)
{
    int level = (int)ceil(share * 8 - 1e-6);
    gl_look l = {gl_block_low[level < 0 ? 0 : level > 8 ? 8 : level], gl_style_on(role, gl_canvas_band(f, x))};
    if (level <= 0 && gl_canvas_has_line(f, x))
        l = (gl_look){"│", gl_style_of(GL_ROLE_STW_LINE)};
    gl_cells_glyph(f->c, f->time.x + x, y, l.style, l.glyph);
}

void gl_canvas_gutter(const gl_canvas *f, int y, const char *name, gl_style style, const char *value, gl_role role)
{
    int room = f->a->layout.gutter - 2, width = (int)gl_text_width(value, strlen(value));
    if (*value && room - width >= 7) {
        gl_cells_fit_right(f->c, 1, y, room, gl_style_of(role), value);
        room -= width + 1;
    }
    gl_cells_fit(f->c, 1, y, room, style, name, GL_CUT_END);
}
