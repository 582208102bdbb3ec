/* The help overlay: the legend, and the keys from the command table. */
#include <stdio.h>
#include <string.h>

#include "command.h"
#include "draw.h"

/* Help is a page of lines; only those between top and bottom are put on the screen. */
typedef struct page {
    gl_cells *c;
    gl_rect r;
    int line, top;
} page;

static int line_y(const page *p)
{
    int y = p->r.y + p->line - p->top;
    return y >= p->r.y && y < p->r.y + p->r.h ? y : -1;
}

static void legend_line(page *p, gl_style style, const char *glyphs, const char *text)
{
    int y = line_y(p);
    p->line++;
    if (y < 0)
        return;
    gl_cells_put(p->c, p->r.x + 3, y, 6, style, glyphs, strlen(glyphs));
    gl_cells_fit(p->c, p->r.x + 11, y, p->r.w - 11, gl_style_of(GL_ROLE_TEXT), text, GL_CUT_END);
}

static void heading(page *p, const char *text)
{
    p->line += p->line > 0;
    gl_cells_fit(p->c, p->r.x + 1, line_y(p), p->r.w - 2, gl_style_bold(gl_style_of(GL_ROLE_TITLE)), text, GL_CUT_END);
    p->line++;
}

static void legend(page *p)
{
    heading(p, "Lanes");
    static const gl_span_kind order[] = {GL_SPAN_STRADDLE, GL_SPAN_RUNNING, GL_SPAN_ASSIST, GL_SPAN_SYSCALL,
                                         GL_SPAN_RUNNABLE, GL_SPAN_SEND,    GL_SPAN_RECV,   GL_SPAN_SELECT,
                                         GL_SPAN_SYNC,     GL_SPAN_NET,     GL_SPAN_SLEEP,  GL_SPAN_GCWAIT,
                                         GL_SPAN_OTHER};
    for (size_t i = 0; i < sizeof order / sizeof *order; i++) {
        const gl_span_look *l = gl_span_look_of(order[i]);
        char glyphs[32] = "";
        for (int k = 0; k < 6; k++)
            strncat(glyphs, l->glyph, sizeof glyphs - strlen(glyphs) - 1);
        legend_line(p, gl_style_of(l->role), glyphs, l->legend);
    }
    legend_line(p, gl_style_on(GL_ROLE_RUNNING, GL_ROLE_STW_BAND), " ━━━  ", "a GC pause: a band across all lanes");
    legend_line(p, gl_style_of(GL_ROLE_STW_LINE), "  │   ", "a GC pause that is narrower than a column");
    legend_line(p, gl_style_of(GL_ROLE_RUNNING), "▁▂▃▅▆█", "many changes in one column: how busy it was");
    legend_line(p, gl_style_bold(gl_style_of(GL_ROLE_ARROW)), "●┃┃▼  ", "who ended the wait under the cursor");
    legend_line(p, gl_style_of(GL_ROLE_STW), "╵ ▀ ▲ ", "overview: a pause, a long one, one that a send straddles");
    legend_line(p, gl_style_of(GL_ROLE_PANIC), "✕ ◆   ", "overview: a panic or a loss, a bookmark; of a channel: closed, made");
}

/* As many lines as the words need. */
static void wrapped(page *p, int x, const char *text)
{
    int room = p->r.w - x > 10 ? p->r.w - x : 10;
    do {
        size_t n = strlen(text), end = n;
        while ((int)gl_text_width(text, end) > room && end > 0) {
            size_t space = end - 1;
            while (space > 0 && text[space] != ' ')
                space--;
            end = space;
        }
        end = end ? end : n; /* a word that is too long is cut */
        if (line_y(p) >= 0)
            gl_cells_put(p->c, p->r.x + x, line_y(p), room, gl_style_of(GL_ROLE_TEXT), text, end);
        p->line++;
        text += end;
        text += strspn(text, " ");
    } while (*text);
}

static void key_line(page *p, const gl_app *a, const gl_command *cmd)
{
    char keys[GL_KEYS_TEXT_MAX];
    bool names = p->r.w >= 76;
    if (line_y(p) >= 0)
        gl_cells_fit(p->c, p->r.x + 3, line_y(p), 15, gl_style_of(GL_ROLE_KEY), gl_app_keys(a, cmd, keys), GL_CUT_END);
    if (names && line_y(p) >= 0)
        gl_cells_fit(p->c, p->r.x + 19, line_y(p), 13, gl_style_of(GL_ROLE_DIM), cmd->name, GL_CUT_END);
    wrapped(p, names ? 33 : 18, cmd->help);
}

static void gesture_lines(page *p)
{
    heading(p, "Mouse and prompt");
    for (size_t i = 0; gl_gesture_at(i); i++) {
        if (line_y(p) >= 0)
            gl_cells_fit(p->c, p->r.x + 3, line_y(p), 15, gl_style_of(GL_ROLE_KEY), gl_gesture_at(i)->what, GL_CUT_END);
        wrapped(p, p->r.w >= 76 ? 33 : 19, gl_gesture_at(i)->does);
    }
}

static void keys(page *p, const gl_app *a, gl_section s)
{
    heading(p, gl_section_title(s));
    for (size_t i = 0; gl_command_at(i); i++)
        if (gl_command_at(i)->section == s)
            key_line(p, a, gl_command_at(i));
}

void gl_draw_help(gl_app *a, gl_cells *c)
{
    gl_rect r = {0, 1, a->w, a->h - 2};
    bool wide = a->w >= 150;
    int half = a->w / 2;
    page left = {c, wide ? (gl_rect){0, 1, half - 1, a->h - 2} : r, 0, a->help_top};
    page right = {c, (gl_rect){half, 1, a->w - half, a->h - 2}, 0, a->help_top};
    legend(&left);
    keys(wide ? &right : &left, a, GL_SECTION_MOVE);
    keys(wide ? &right : &left, a, GL_SECTION_JUMP);
    keys(&left, a, GL_SECTION_LOOK);
    gesture_lines(wide ? &right : &left);
    int lines = wide && right.line > left.line ? right.line : left.line;
    int most = lines > r.h ? lines - r.h : 0;
    if (a->help_top > most) {
        a->help_top = most;
        gl_cells_blank(c);
        gl_draw_help(a, c);
        return;
    }
    gl_cells_fit(c, 1, 0, a->w - 2, gl_style_bold(gl_style_of(GL_ROLE_TITLE)), "golanes: legend and keys", GL_CUT_END);
    gl_cells_fit(c, 1, a->h - 1, a->w - 2, gl_style_of(GL_ROLE_DIM),
                 most ? "Down, Up, PageDown, PageUp scroll; any other key closes" : "any key closes", GL_CUT_END);
}
