/*
 * The viewer without its terminal: what is looked at, and what keys do to it. A terminal feeds keys in and shows the
 * grid that gl_app_draw fills; a test and a picture do the same without one.
 *
 *     gl_app_open(&options, &app, &err);
 *     gl_app_resize(app, 80, 24);
 *     gl_app_draw(app, &cells);
 *     gl_app_key(app, key); while (gl_app_step(app, budget_ns)) …
 *
 * Threads: one thread per app.
 */
#ifndef GOLANES_VIEWER_APP_H
#define GOLANES_VIEWER_APP_H

#include "bookmarks.h"
#include "cells.h"
#include "columns.h"
#include "far.h"
#include "filter.h"
#include "lanes.h"
#include "layout.h"
#include "model.h"
#include "search.h"
#include "stats.h"
#include "trail.h"
#include "window.h"

/** Views: X(NAME, digit, "word", is a list). */
#define GL_VIEW_LIST(X)                                                                                                \
    X(GOROUTINES, '1', "goroutines", false)                                                                            \
    X(PROCS, '2', "processors", false)                                                                                 \
    X(THREADS, '3', "threads", false)                                                                                  \
    X(CHANNELS, '4', "channels", false)                                                                                \
    X(STRADDLES, '5', "straddles", true)                                                                               \
    X(PAUSES, '6', "pauses", true)                                                                                     \
    X(STUCK, '7', "stuck", true)                                                                                       \
    X(GROUPS, '8', "groups", true)                                                                                     \
    X(TASKS, '9', "tasks", false)                                                                                      \
    X(SELECTION, '%', "selection", true)

typedef enum gl_view {
#define X(name, digit, word, list) GL_VIEW_##name,
    GL_VIEW_LIST(X)
#undef X
    GL_VIEWS
} gl_view;

typedef struct gl_view_info {
    char digit;
    const char *word;
    bool list;
} gl_view_info;
const gl_view_info *gl_view_info_of(gl_view v);

/** Orders of channels' lanes. */
typedef enum gl_chan_order {
    GL_CHAN_BY_WAIT, GL_CHAN_BY_FIRST, GL_CHAN_BY_OPERATIONS, GL_CHAN_BY_WAITING, GL_CHAN_ORDERS
} gl_chan_order;

/** Which goroutines are hidden by what they do in view. */
typedef enum gl_hide { GL_HIDE_NONE, GL_HIDE_FINISHED, GL_HIDE_IDLE, GL_HIDES } gl_hide;

/** What undo brings back. */
typedef struct gl_place {
    int64_t from, to, cursor;
    gl_row row;
    uint32_t top;
    uint8_t view;
} gl_place;

#define GL_PLACES_MAX 100
#define GL_PROMPT_MAX 256

typedef enum gl_prompt_kind {
    GL_PROMPT_NONE,
    GL_PROMPT_COMMAND,
    GL_PROMPT_SEARCH,
    GL_PROMPT_FILTER,
    GL_PROMPT_FIND,
    GL_PROMPT_GOTO,
    GL_PROMPT_MARK,
    GL_PROMPT_BOOKMARK,
    GL_PROMPT_JUMP,
    GL_PROMPT_KEEP,
    GL_PROMPT_LEAVE,
    GL_PROMPT_KINDS
} gl_prompt_kind;

/** Of a live view: its recording is in a temporary file, and its owner keeps it when that is asked for. */
typedef struct gl_live {
    const char *name;   /**< proposed for it */
    const char *notice; /**< said at the start; NULL: nothing */
    /** 0; or -1, and why it could not be. */
    int (*keep)(void *user, const char *name, char *why, size_t why_size);
    void *user;
} gl_live;

typedef struct gl_config gl_config;

/** A list's place and order. */
typedef struct gl_list_state {
    size_t cursor, top;
    unsigned sort;
} gl_list_state;

/** Asked now and then while a file is imported: 1 at work, 0 it came to its end, negative: it failed. */
typedef int (*gl_import_state)(void *user);

/** What the groups on the screen did, and what it was worked out for. */
typedef struct gl_group_sums {
    gl_column_sum *sums;    /**< a row of columns for each row of the screen */
    size_t capacity, count;
    uint64_t window, looks; /**< where it comes from: a window's serial, 0 from afar */
    int64_t from, to;
    int columns;
    uint64_t listings;
    size_t straddles;
    uint32_t top;
} gl_group_sums;

typedef struct gl_app {
    gl_model *m;
    gl_windows windows;
    gl_far far;             /**< for windows that hold too much */
    const gl_theme *theme;
    bool ascii, plain;      /**< plain: no colour, so that glyphs must do it alone */
    int w, h;
    gl_layout layout;

    gl_view view;
    gl_detail_size detail;
    int64_t from, to;       /**< the window in time */
    int64_t cursor;
    int64_t anchor;         /**< second cursor, GL_TIME_NONE none */
    gl_lanes lanes;         /**< of goroutines */
    gl_lanes other;         /**< of the other timelines: Ps, threads, channels, tasks */
    uint8_t *chan_open, *kind_open; /**< by channel, by kind of task: unfolded */
    size_t chan_open_capacity, kind_open_capacity;
    gl_chan_order chan_order;
    gl_curves curves;       /**< which of the summary lanes are shown */
    gl_hide hide;
    gl_ids active;          /**< goroutines that `hide` leaves */
    gl_row row;             /**< lane of the cursor */
    uint32_t at, top;       /**< its row in the list, the first row shown */
    gl_list_state lists[GL_VIEWS];
    uint32_t *list;         /**< rows of the list in view: indexes into the model */
    size_t list_count, list_capacity;
    uint64_t list_revision;
    uint8_t list_view;
    unsigned list_sort;
    int64_t (*group_time)[GL_ORDERS]; /**< of the groups list: by group and order, ns */
    size_t group_time_count;
    bool follow;            /**< the right edge goes with a growing file */
    bool moved;             /**< the user has chosen a place, so growth does not change it */

    gl_place undo[GL_PLACES_MAX], redo[GL_PLACES_MAX];
    size_t undo_count, redo_count;
    gl_bookmarks bookmarks;
    size_t stored_pins;     /**< as they were when the trace's store was read */
    uint64_t pins_wanted[32]; /**< goroutines to be pinned as soon as the scan has met them */
    size_t pins_wanted_count;
    gl_grouping stored_by;
    const gl_config *config; /**< NULL: none */

    gl_prompt_kind prompt;
    char prompt_text[GL_PROMPT_MAX];
    size_t prompt_n;
    char prompt_last[GL_PROMPT_KINDS][GL_PROMPT_MAX]; /**< what was given last, by kind */
    bool in_stack;          /**< keys go to the stack in the detail */
    size_t frame;           /**< the frame chosen there */
    bool wants_editor;      /**< the terminal's owner is to open edit_file at edit_line, and to clear this */
    char edit_file[1024];
    uint32_t edit_line;
    bool help, legend;
    int help_top;
    char message[256];
    bool message_is_error;
    bool quit;
    const gl_live *live;    /**< NULL: this is no live view */
    bool live_kept, leaving; /**< leaving: as soon as it is kept */

    gl_search search;
    gl_trail trail;         /**< the critical path, n 0 none */
    gl_stats stats;         /**< of the list of the selection */
    uint32_t hidden_columns[GL_VIEWS]; /**< of lists: bits by column, from the configuration */
    gl_filter filter;
    uint64_t filter_listed; /**< goroutines that it had found when the lanes were listed */
    uint64_t related;       /**< only goroutines that deal with this one, 0 all */
    unsigned related_hops;
    gl_ids related_to;

    /* kept from frame to frame */
    gl_group_sums group_sums;
    gl_column_sum *map;     /**< of the overview */
    uint8_t *map_marks;     /**< by column of the overview: what to mark there */
    uint64_t marks_revision;
    int map_w;
    uint64_t map_revision;
    uint64_t lanes_revision;
    bool lanes_fitted;
    int dragging;           /**< column where a drag began + 1, 0 none */
    int64_t drag_from;
    int selecting;          /**< column where a drag along the ruler began + 1, 0 none */
    int64_t now_ns;         /**< of the monotonic clock at the last step; 0 where time stands still */
    double rate;            /**< events scanned a second */
    bool importing;         /**< the file grows because it is being imported, not because a program runs */
    gl_import_state import_state;
    void *import_user;
    int64_t listed_ns, list_took_ns; /**< when lanes were last put in order while the file grows, and for how long */
    double live_rate;       /**< events that a growing file gets a second */
    int64_t live_ns;        /**< when it was last counted */
    uint64_t live_events;
} gl_app;

typedef struct gl_app_options {
    gl_reader *reader;      /**< stays the caller's and must outlive the app */
    const char *name;       /**< as the header shows it */
    const gl_theme *theme;
    bool ascii;
    bool importing;         /**< what grows is an import, not a recording */
    int64_t promised;       /**< where the trace will end once it is imported, ns; 0 not known */
    gl_import_state import_state; /**< NULL: the file alone says whether it grows */
    void *import_user;
    const gl_live *live;    /**< of a live view; must outlive the app */
} gl_app_options;

int gl_app_open(const gl_app_options *opt, gl_app **out, gl_error *err) GL_MUST_CHECK;
void gl_app_close(gl_app *a);
/** The first frame's size, and what can be read before the eye has found it: most traces are then there as a whole. */
void gl_app_begin(gl_app *a, int w, int h);
void gl_app_resize(gl_app *a, int w, int h);
void gl_app_draw(gl_app *a, gl_cells *out);
/** Works on what is going on in the background for about budget_ns. True while there is more. */
bool gl_app_step(gl_app *a, int64_t budget_ns);
/** Works until nothing is left, or a failure: for pictures and tests. */
int gl_app_settle(gl_app *a, gl_error *err) GL_MUST_CHECK;

/** Keys are code points, or these. */
enum {
    GL_KEY_FIRST = 0x110000,
    GL_KEY_UP = GL_KEY_FIRST, GL_KEY_DOWN, GL_KEY_LEFT, GL_KEY_RIGHT, GL_KEY_SHIFT_LEFT, GL_KEY_SHIFT_RIGHT,
    GL_KEY_PAGE_UP, GL_KEY_PAGE_DOWN, GL_KEY_HOME, GL_KEY_END, GL_KEY_ENTER, GL_KEY_ESC, GL_KEY_TAB, GL_KEY_BACKTAB,
    GL_KEY_BACKSPACE, GL_KEY_DELETE, GL_KEY_LAST
};
/** "Left", "Enter", "C-l" or a character; 0 where it is none of them. */
int gl_key_by_name(const char *name, size_t n);
void gl_app_key(gl_app *a, int key);
typedef enum gl_mouse {
    GL_MOUSE_PRESS,
    GL_MOUSE_DRAG,
    GL_MOUSE_RELEASE,
    GL_MOUSE_WHEEL_UP,
    GL_MOUSE_WHEEL_DOWN
} gl_mouse;
void gl_app_mouse(gl_app *a, gl_mouse what, int x, int y);
/** What the mouse does, and keys at a prompt, for the help and the manual. NULL past the last. */
typedef struct gl_gesture {
    const char *what, *does;
} gl_gesture;
const gl_gesture *gl_gesture_at(size_t i);
/** One line of the prompt: a command's name and its argument. */
void gl_app_command(gl_app *a, const char *line);
void gl_app_say(gl_app *a, bool error, const char *fmt, ...) GL_PRINTF(3, 4);

/* Moving. Each keeps the view inside the trace. */
void gl_app_show(gl_app *a, int64_t from, int64_t to);
/** Puts the cursor at a time; the window follows where it must, in its middle where it has to jump. */
void gl_app_go(gl_app *a, int64_t time);
/** Puts the cursor on a goroutine's lane, unfolding its group. False where a filter hides it. */
bool gl_app_go_lane(gl_app *a, uint32_t gor);
void gl_app_zoom(gl_app *a, double factor, int64_t around);
void gl_app_move_lane(gl_app *a, int64_t by);
/** Remembers the place for undo. */
void gl_app_remember(gl_app *a);
gl_place gl_app_place(const gl_app *a);
void gl_app_return(gl_app *a, gl_place p);
/** Lists the lanes anew: after a change of order, filter, folding. */
void gl_app_relist(gl_app *a);
gl_lanes *gl_app_lanes(gl_app *a);
/** True where not all goroutines are listed. */
static inline bool gl_app_hides(const gl_app *a) { return a->filter.query || a->related || a->hide; }
/** Goes to another view; the moment stays. */
void gl_app_set_view(gl_app *a, gl_view v);
/** Row of the list that stands in line i of the lanes, GL_NONE none. Pinned rows stay on top. */
uint32_t gl_app_row_at(gl_app *a, int i);
/** Line of the lanes in which row `at` stands; below 0 or from their height on where it is scrolled off. */
int gl_app_screen_row(gl_app *a, uint32_t at);
/** Lists the rows of a view that is not that of goroutines (rows.c). */
int gl_app_list_other(gl_app *a) GL_MUST_CHECK;
const char *gl_app_chan_order_name(const gl_app *a);
/** Folds or unfolds the row of the cursor. False where there is nothing to fold. */
bool gl_app_fold(gl_app *a);
/** Unfolds all, or folds all where all is unfolded. */
void gl_app_fold_all(gl_app *a);
/** Puts the cursor on a channel's lane. */
bool gl_app_go_chan(gl_app *a, uint32_t chan);
/** Opens the prompt with a text to begin with. */
void gl_app_prompt(gl_app *a, gl_prompt_kind kind, const char *text);
/** Stack of what is under the cursor, GL_NONE where there is nothing to look at. */
uint32_t gl_app_stack(gl_app *a);
/** The channel of the cursor's lane, GL_NONE none. */
uint32_t gl_app_chan(const gl_app *a);
/** The time columns and the scale of the window in view. */
gl_scale gl_app_scale(const gl_app *a);
/** The goroutine of the cursor's lane (on a P's lane, what runs there), GL_NONE none. */
uint32_t gl_app_gor(gl_app *a);
/** Window of what is in view, NULL where it holds too much. */
const gl_window *gl_app_window(gl_app *a);
/** Straddle at the cursor on a goroutine's lane, GL_NONE none. */
uint32_t gl_app_straddle(const gl_app *a, uint32_t gor);

/* Lists (list.c). */
void gl_app_list_fill(gl_app *a);
void gl_app_list_enter(gl_app *a);
const char *gl_app_list_order(const gl_app *a);
void gl_app_list_next_order(gl_app *a);

#endif
