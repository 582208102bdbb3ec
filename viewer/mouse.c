/* What the mouse does. */
#include "app.h"

static const gl_gesture gestures[] = {
    {"click", "cursor there; on a lane's name: unfold or fold; on a list's row: choose it, again: go there"},
    {"drag", "move the window"},
    {"drag on ruler", "select a span of time"},
    {"click overview", "go there"},
    {"wheel", "zoom around the pointer; over the names: lanes up and down"},
    {"Up at a prompt", "what it was given last; Down or C-u: an empty line, Esc: away"},
};

const gl_gesture *gl_gesture_at(size_t i) { return i < sizeof gestures / sizeof *gestures ? &gestures[i] : NULL; }

static bool inside(gl_rect r, int x, int y) { return x >= r.x && x < r.x + r.w && y >= r.y && y < r.y + r.h; }

/* A click on the overview puts the window there. */
static void click_map(gl_app *a, gl_rect r, int x)
{
    gl_scale s = {a->m->begin, a->m->end, r.w > 0 ? r.w : 1};
    int64_t span = a->to - a->from, at = gl_scale_time(s, x - r.x);
    gl_app_show(a, at - span / 2, at - span / 2 + span);
    gl_app_go(a, at);
}

static void click_lanes(gl_app *a, int x, int y)
{
    gl_rect time = gl_layout_time(&a->layout, a->layout.lanes);
    uint32_t row = gl_app_row_at(a, y - time.y);
    if (row == GL_NONE)
        return;
    a->at = row;
    gl_app_move_lane(a, 0);
    a->moved = true;
    if (x >= time.x) {
        gl_app_go(a, gl_scale_time(gl_app_scale(a), x - time.x));
        a->dragging = x + 1;
        a->drag_from = a->from;
    } else {
        gl_app_fold(a);
    }
}

/* A drag along the ruler selects a span of time; a click there only goes to its moment. */
static void select_on_ruler(gl_app *a, int x, bool begins)
{
    gl_rect time = gl_layout_time(&a->layout, a->layout.ruler);
    int at = x < time.x ? 0 : x >= time.x + time.w ? time.w - 1 : x - time.x;
    int64_t t = gl_scale_time(gl_app_scale(a), at);
    if (begins) {
        a->anchor = GL_TIME_NONE;
        a->selecting = at + 1;
    } else if (at + 1 != a->selecting && a->anchor == GL_TIME_NONE) {
        a->anchor = gl_scale_time(gl_app_scale(a), a->selecting - 1);
    }
    gl_app_go(a, t);
}

static void click_list(gl_app *a, int y)
{
    gl_list_state *st = &a->lists[a->view];
    size_t row = st->top + (size_t)(y - a->layout.table.y - 1);
    if (y <= a->layout.table.y || row >= a->list_count)
        return;
    if (row == st->cursor)
        gl_app_list_enter(a);
    else
        st->cursor = row;
}

static void wheel(gl_app *a, bool up, int x, int y)
{
    gl_rect time = gl_layout_time(&a->layout, a->layout.lanes);
    if (a->layout.table.h) {
        gl_list_state *st = &a->lists[a->view];
        st->cursor = up ? (st->cursor > 3 ? st->cursor - 3 : 0) : st->cursor + 3;
        gl_app_list_fill(a);
    } else if (inside(a->layout.lanes, x, y) && x < time.x) {
        gl_app_move_lane(a, up ? -3 : 3);
    } else if (x >= time.x) {
        gl_app_zoom(a, up ? 1 / 1.3 : 1.3, gl_scale_time(gl_app_scale(a), x - time.x));
    }
}

void gl_app_mouse(gl_app *a, gl_mouse what, int x, int y)
{
    const gl_layout *l = &a->layout;
    if (l->too_small || a->help || a->prompt)
        return;
    gl_rect map = gl_layout_time(l, l->map), marks = gl_layout_time(l, l->marks);
    switch (what) {
    case GL_MOUSE_PRESS:
        if (inside(map, x, y) || inside(marks, x, y))
            click_map(a, map, x);
        else if (inside(l->ruler, x, y) && x >= l->gutter)
            select_on_ruler(a, x, true);
        else if (inside(l->table, x, y))
            click_list(a, y);
        else if (inside(l->lanes, x, y))
            click_lanes(a, x, y);
        break;
    case GL_MOUSE_DRAG:
        if (a->selecting) {
            select_on_ruler(a, x, false);
        } else if (a->dragging) {
            int64_t by = (int64_t)(gl_scale_step(gl_app_scale(a)) * (a->dragging - 1 - x)), span = a->to - a->from;
            gl_app_show(a, a->drag_from + by, a->drag_from + by + span);
        }
        break;
    case GL_MOUSE_RELEASE: a->dragging = a->selecting = 0; break;
    case GL_MOUSE_WHEEL_UP:
    case GL_MOUSE_WHEEL_DOWN: wheel(a, what == GL_MOUSE_WHEEL_UP, x, y); break;
    }
}
