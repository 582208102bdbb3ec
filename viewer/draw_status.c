/* The last line: prompt or message, what is in force, keys that matter here. And the whole screen put together. */
#include <stdio.h>
#include <string.h>

#include "command.h"
#include "draw.h"

static const char *const prompt_words[] = {
    [GL_PROMPT_NONE] = "", [GL_PROMPT_COMMAND] = ":", [GL_PROMPT_SEARCH] = "/", [GL_PROMPT_FILTER] = "filter lanes: ", [GL_PROMPT_FIND] = "find events: ",
    [GL_PROMPT_GOTO] = "go to (14.2ms, G37, function): ", [GL_PROMPT_MARK] = "mark (a letter): ",
    [GL_PROMPT_BOOKMARK] = "bookmark (a name): ",
    [GL_PROMPT_JUMP] = "jump to mark (a letter): ",
    [GL_PROMPT_KEEP] = "keep the recording as (a file's name): ",
    [GL_PROMPT_LEAVE] = "keep this recording? y, n, or Esc to stay ",
};

static void draw_prompt(const gl_app *a, gl_pen *p)
{
    gl_pen_text(p, GL_ROLE_KEY, prompt_words[a->prompt]);
    int room = p->end - p->x - 1;
    p->x += gl_cells_fit(p->c, p->x, p->y, room, gl_style_of(GL_ROLE_TITLE), a->prompt_text, GL_CUT_START);
    gl_cells_glyph(p->c, p->x, p->y, gl_style_on(GL_ROLE_DEFAULT, GL_ROLE_CURSOR), " ");
}

/* At the right: where this is in the list, what a column is worth. Returns the columns used. */
static int draw_place(gl_app *a, gl_cells *c, gl_rect r)
{
    char text[120], t[GL_UNIT_TEXT_MAX];
    if (gl_view_info_of(a->view)->list) {
        const gl_list_state *st = &a->lists[a->view];
        snprintf(text, sizeof text, "%zu of %zu, by %s ", a->list_count ? st->cursor + 1 : 0, a->list_count,
                 gl_app_list_order(a));
    } else {
        const gl_lanes *l = gl_app_lanes(a);
        gl_unit_ns(t, (int64_t)gl_scale_step(gl_app_scale(a)));
        if (r.w < 60)
            snprintf(text, sizeof text, "1 col = %s ", t);
        else
            snprintf(text, sizeof text, "row %u of %zu  1 col = %s ", l->n ? a->at + 1 : 0, l->n, t);
    }
    int width = (int)gl_text_width(text, strlen(text));
    if (width > r.w / 2)
        return 0;
    gl_cells_fit_right(c, r.x, r.y, r.w, gl_style_of(GL_ROLE_DIM), text);
    return width + 1;
}

/* Of a file that grows: that it does, how fast, and how to hold it still. */
static void draw_live(const gl_app *a, gl_pen *p)
{
    char n[GL_UNIT_TEXT_MAX], key[GL_KEYS_TEXT_MAX];
    bool imports = a->importing && a->m->follow;
    if (!imports && !gl_model_is_growing(a->m))
        return;
    if (imports && a->m->promised)
        gl_pen_printf(p, GL_ROLE_WARN, "importing, %s is here  ",
                      gl_unit_share(n, (double)a->m->read_end / (double)a->m->promised));
    else if (imports)
        gl_pen_text(p, GL_ROLE_WARN, "importing  ");
    else if (a->follow)
        gl_pen_printf(p, GL_ROLE_LIVE, "● live %s events/s, %s holds  ", gl_unit_count_short(n, a->live_rate),
                      gl_app_key_of(a, "pause", key));
    else
        gl_pen_printf(p, GL_ROLE_WARN, "held, %s events/s go on, %s follows  ", gl_unit_count_short(n, a->live_rate),
                      gl_app_key_of(a, "pause", key));
}

static void draw_trail(const gl_app *a, gl_pen *p)
{
    const gl_trail *t = &a->trail;
    char key[GL_KEYS_TEXT_MAX], n[GL_UNIT_TEXT_MAX], r[GL_UNIT_TEXT_MAX], w[GL_UNIT_TEXT_MAX], all[GL_UNIT_TEXT_MAX];
    if (t->cursor)
        gl_pen_printf(p, GL_ROLE_PATH, "following wake-ups, %s, %s stops  ",
                      gl_unit_share(n, (double)t->looked / (double)t->in_all), gl_app_key_of(a, "cancel", key));
    if (t->n == 0)
        return;
    gl_pen_printf(p, GL_ROLE_PATH, "path to G%llu, %s: running %s, runnable %s, waiting %s, %zu hops  ",
                  (unsigned long long)a->m->gors[t->gor].id, gl_unit_ns(all, t->to - t->from), gl_unit_ns(n, t->running),
                  gl_unit_ns(r, t->runnable), gl_unit_ns(w, t->waiting), t->hops);
}

static void draw_work(const gl_app *a, gl_pen *p)
{
    draw_trail(a, p);
    draw_live(a, p);
    char cancel[GL_KEYS_TEXT_MAX], next[GL_KEYS_TEXT_MAX], prev[GL_KEYS_TEXT_MAX];
    gl_app_key_of(a, "cancel", cancel);
    char n[GL_UNIT_TEXT_MAX], r[GL_UNIT_TEXT_MAX];
    if (!a->m->scanned && a->m->info->events && !(a->importing && a->m->follow))
        gl_pen_printf(p, GL_ROLE_WARN, "reading %s  ",
                      gl_unit_share(n, (double)a->m->scanned_events / (double)a->m->info->events));
    if (a->search.cursor)
        gl_pen_printf(p, GL_ROLE_MATCH, "%s%s: %s found, %s events looked at, %s stops  ", a->search.query ? "find " : "/", a->search.text,
                      gl_unit_count(n, a->search.found), gl_unit_count_short(r, (double)a->search.looked), cancel);
    else if (gl_search_is_on(&a->search))
        gl_pen_printf(p, GL_ROLE_MATCH, "%s%s: %s found, %s %s  ", a->search.query ? "find " : "/", a->search.text, gl_unit_count(n, a->search.found),
                      gl_app_key_of(a, "next-match", next), gl_app_key_of(a, "prev-match", prev));
    if (a->filter.query)
        gl_pen_printf(p, GL_ROLE_WARN, "filter %s: %zu of %zu  ", a->filter.text, a->lanes.gor_count, a->m->gor_count);
    if (a->filter.cursor)
        gl_pen_printf(p, GL_ROLE_WARN, "%s events looked at, %s stops  ", gl_unit_count_short(r, (double)a->filter.looked), cancel);
    if (a->stats.cursor)
        gl_pen_printf(p, GL_ROLE_WARN, "counting %s, %s stops  ",
                      gl_unit_share(n, (double)a->stats.looked / (double)(a->stats.in_all + 1)), cancel);
    if (a->hide)
        gl_pen_text(p, GL_ROLE_WARN, a->hide == GL_HIDE_IDLE ? "idle ones hidden  " : "finished ones hidden  ");
    if (a->lanes.by != GL_BY_FUNCTION && a->view == GL_VIEW_GOROUTINES)
        gl_pen_printf(p, GL_ROLE_DIM, "by %s  ", gl_grouping_word(a->lanes.by));
    if (a->related)
        gl_pen_printf(p, GL_ROLE_WARN, "related to G%llu  ", (unsigned long long)a->related);
    if (a->anchor != GL_TIME_NONE)
        gl_pen_printf(p, GL_ROLE_MATCH, "Δ %s  ",
                      gl_unit_ns(n, a->cursor > a->anchor ? a->cursor - a->anchor : a->anchor - a->cursor));
}

/* Shown with the first keys of one or two commands; `digits`: keys of the command that are better said so. */
typedef struct hint {
    const char *one, *other, *digits, *word;
} hint;

/* "s/S"; "" where no key runs it. */
static const char *hint_keys(const gl_app *a, const hint *h, char *out)
{
    char other[GL_KEYS_TEXT_MAX];
    if (h->digits) {
        const gl_command *c = gl_app_command_by_key(a, h->digits[0]);
        return c && strcmp(c->name, h->one) == 0 ? h->digits : "";
    }
    gl_app_key_of(a, h->one, out);
    size_t n = strlen(out);
    if (h->other && *gl_app_key_of(a, h->other, other) && n + 2 < GL_KEYS_TEXT_MAX)
        snprintf(out + n, GL_KEYS_TEXT_MAX - n, "%s%.*s", n ? "/" : "", (int)(GL_KEYS_TEXT_MAX - n - 2), other);
    return out;
}

static void draw_hints(const gl_app *a, gl_pen *p)
{
    static const hint timeline[] = {{"help", NULL, NULL, "keys"},
                                    {"next-straddle", "prev-straddle", NULL, "straddle"},
                                    {"next-pause", "prev-pause", NULL, "pause"},
                                    {"in", "out", NULL, "zoom"},
                                    {"back", NULL, NULL, "who released it"},
                                    {"enter", NULL, NULL, "open"},
                                    {"search", NULL, NULL, "search"},
                                    {"filter", NULL, NULL, "filter"},
                                    {"go", NULL, NULL, "go to"},
                                    {"order", NULL, NULL, "order"},
                                    {"view", NULL, "5-8", "lists"}};
    static const hint list[] = {{"help", NULL, NULL, "keys"},
                                {"enter", NULL, NULL, "go there"},
                                {"order", NULL, NULL, "order"},
                                {"view", NULL, "1", "timeline"},
                                {"cancel", NULL, NULL, "back"}};
    if (a->live && !a->live_kept) {
        gl_pen_text(p, GL_ROLE_KEY, "w");
        gl_pen_text(p, GL_ROLE_DIM, " keep  ");
    }
    bool is_list = gl_view_info_of(a->view)->list;
    size_t n = is_list ? sizeof list / sizeof *list : sizeof timeline / sizeof *timeline;
    for (size_t i = 0; i < n; i++) {
        const hint *h = is_list ? &list[i] : &timeline[i];
        char text[GL_KEYS_TEXT_MAX];
        const char *keys = hint_keys(a, h, text);
        if (!*keys)
            continue;
        if (p->end - p->x < (int)(strlen(keys) + strlen(h->word) + 3))
            return;
        gl_pen_text(p, GL_ROLE_KEY, keys);
        gl_pen_printf(p, GL_ROLE_DIM, " %s  ", h->word);
    }
}

void gl_draw_status(gl_app *a, gl_cells *c)
{
    gl_rect r = a->layout.status;
    gl_pen p = {c, r.x + 1, r.y, r.x + r.w};
    if (a->prompt) {
        draw_prompt(a, &p);
        return;
    }
    /* A long message is worth more than where this is. */
    if (!*a->message || (int)gl_text_width(a->message, strlen(a->message)) < r.w / 2)
        p.end -= draw_place(a, c, r);
    if (*a->message) {
        gl_pen_text(&p, a->message_is_error ? GL_ROLE_WARN : GL_ROLE_TITLE, a->message);
        return;
    }
    draw_work(a, &p);
    draw_hints(a, &p);
}

void gl_app_draw(gl_app *a, gl_cells *c)
{
    c->ascii = a->ascii;
    if (gl_cells_resize(c, a->w, a->h) < 0)
        return;
    if (a->layout.too_small) {
        gl_cells_fit(c, 0, a->h / 2, a->w, gl_style_of(GL_ROLE_WARN), "too small", GL_CUT_END);
        return;
    }
    if (a->help) {
        gl_draw_help(a, c);
        return;
    }
    bool list = gl_view_info_of(a->view)->list;
    gl_draw_header(a, c);
    gl_draw_map(a, c);
    if (list) {
        gl_draw_list(a, c);
    } else {
        if (a->layout.ruler.h)
            gl_draw_ruler(a, c);
        gl_draw_gc(a, c);
        gl_draw_curves(a, c);
        gl_draw_lanes(a, c);
    }
    gl_draw_detail(a, c);
    gl_draw_status(a, c);
}
