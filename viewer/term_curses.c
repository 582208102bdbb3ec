/* The terminal by way of ncurses: the blit and the key reader. */
#include "term.h"

#include <curses.h>
#include <errno.h>
#include <fcntl.h>
#include <langinfo.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <term.h>
#include <termios.h>
#include <unistd.h>
#include <utf8proc.h>

#define RESTORE_MAX 256

struct gl_term {
    SCREEN *screen;
    FILE *in, *out;
    int colours;
    bool unicode;
    gl_cells shown;     /* what the terminal shows now */
    const gl_theme *theme;
    bool forget;
    short pair[GL_ROLES][GL_ROLES]; /* 0: not made yet */
    int next_pair;
    struct sigaction before[16];
};

/* For the handler of a crash: only calls that a signal handler may make, on what was prepared before. */
static struct {
    volatile sig_atomic_t active;
    int fd;
    struct termios modes;
    bool have_modes;
    char bytes[RESTORE_MAX];
    size_t n;
} restore;
static volatile sig_atomic_t leave_signal;

static const int ending[] = {SIGTERM, SIGHUP, SIGINT, SIGQUIT};
static const int crashing[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT};
#define ENDING (sizeof ending / sizeof *ending)
#define CRASHING (sizeof crashing / sizeof *crashing)

static void on_ending(int signal_number) { leave_signal = signal_number; }

static void on_crash(int signal_number)
{
    if (restore.active) {
        restore.active = 0;
        ssize_t n = write(restore.fd, restore.bytes, restore.n);
        (void)n;
        if (restore.have_modes)
            tcsetattr(restore.fd, TCSANOW, &restore.modes);
    }
    signal(signal_number, SIG_DFL);
    raise(signal_number);
}

static void add_restore(const char *s)
{
    size_t n = s && s != (const char *)-1 ? strlen(s) : 0;
    if (restore.n + n > RESTORE_MAX)
        return;
    memcpy(restore.bytes + restore.n, s, n);
    restore.n += n;
}

/* The capability names are not changed by terminfo, but its interface is older than const. */
static const char *capability(const char *name)
{
    char copy[16];
    strncpy(copy, name, sizeof copy - 1);
    copy[sizeof copy - 1] = '\0';
    return tigetstr(copy);
}

static void prepare_restore(gl_term *t)
{
    restore.n = 0;
    restore.fd = fileno(t->out);
    add_restore("\x1b[?1002l\x1b[?1006l");
    add_restore(capability("sgr0"));
    add_restore(capability("cnorm"));
    add_restore(capability("rmcup"));
    restore.active = 1;
}

static void catch_signals(gl_term *t)
{
    struct sigaction sa = {.sa_handler = on_ending};
    sigemptyset(&sa.sa_mask);
    leave_signal = 0;
    for (size_t i = 0; i < ENDING; i++)
        sigaction(ending[i], &sa, &t->before[i]);
    sa.sa_handler = on_crash;
    sa.sa_flags = (int)SA_RESETHAND;
    for (size_t i = 0; i < CRASHING; i++)
        sigaction(crashing[i], &sa, &t->before[ENDING + i]);
}

static void release_signals(const gl_term *t)
{
    for (size_t i = 0; i < ENDING; i++)
        sigaction(ending[i], &t->before[i], NULL);
    for (size_t i = 0; i < CRASHING; i++)
        sigaction(crashing[i], &t->before[ENDING + i], NULL);
}

/* Ctrl-C is a key here, so that it can stop a search instead of the program. Ctrl-Z still suspends. */
static void set_modes(gl_term *t)
{
    struct termios modes;
    cbreak();
    noecho();
    nonl();
    keypad(stdscr, TRUE);
    leaveok(stdscr, TRUE);
    curs_set(0);
    set_escdelay(25);
    mousemask(ALL_MOUSE_EVENTS | REPORT_MOUSE_POSITION, NULL);
    mouseinterval(0);
    if (tcgetattr(fileno(t->in), &modes) == 0) {
        modes.c_cc[VINTR] = _POSIX_VDISABLE;
        tcsetattr(fileno(t->in), TCSANOW, &modes);
        def_prog_mode();
    }
    t->colours = 0;
    if (has_colors() && start_color() == OK) {
        use_default_colors();
        t->colours = COLORS;
    }
}

static int open_streams(gl_term *t)
{
    bool in_is_tty = isatty(STDIN_FILENO) != 0, out_is_tty = isatty(STDOUT_FILENO) != 0;
    int in = in_is_tty ? dup(STDIN_FILENO) : open("/dev/tty", O_RDWR | O_CLOEXEC);
    int out = out_is_tty ? dup(STDOUT_FILENO) : open("/dev/tty", O_RDWR | O_CLOEXEC);
    t->in = in >= 0 ? fdopen(in, "r") : NULL;
    t->out = out >= 0 ? fdopen(out, "w") : NULL;
    if (t->in && t->out)
        return 0;
    if (in >= 0 && !t->in)
        close(in);
    if (out >= 0 && !t->out)
        close(out);
    return GL_E_UNSUPPORTED;
}

static void close_streams(gl_term *t)
{
    if (t->in)
        fclose(t->in);
    if (t->out)
        fclose(t->out);
}

int gl_term_open(gl_term **out, gl_error *err)
{
    const char *name = getenv("TERM");
    gl_term *t = calloc(1, sizeof *t);
    if (!t)
        return gl_fail(err, GL_E_NOMEM, UINT64_MAX, "the viewer cannot start: no memory");
    if (open_streams(t) < 0) {
        close_streams(t);
        free(t);
        return gl_fail(err, GL_E_UNSUPPORTED, UINT64_MAX,
                       "there is no terminal to show the trace on; --render draws it without one");
    }
    restore.have_modes = tcgetattr(fileno(t->in), &restore.modes) == 0;
    t->screen = name && *name ? newterm(NULL, t->out, t->in) : NULL;
    if (!t->screen) {
        close_streams(t);
        free(t);
        return gl_fail(err, GL_E_UNSUPPORTED, UINT64_MAX,
                       "the terminal type %.60s is not known here; set TERM, or use --render",
                       name && *name ? name : "(TERM is not set)");
    }
    set_term(t->screen);
    t->unicode = strcmp(nl_langinfo(CODESET), "UTF-8") == 0;
    set_modes(t);
    prepare_restore(t);
    catch_signals(t);
    t->forget = true;
    *out = t;
    return 0;
}

void gl_term_close(gl_term *t)
{
    if (!t)
        return;
    endwin();
    restore.active = 0;
    release_signals(t);
    delscreen(t->screen);
    close_streams(t);
    gl_cells_clean_up(&t->shown);
    free(t);
}

void gl_term_lend(gl_term *t)
{
    (void)t;
    def_prog_mode();
    endwin();
    /* What the borrower is interrupted with is not meant for us. */
    signal(SIGINT, SIG_IGN);
    signal(SIGQUIT, SIG_IGN);
}

void gl_term_take_back(gl_term *t)
{
    struct sigaction sa = {.sa_handler = on_ending};
    sigemptyset(&sa.sa_mask);
    sigaction(SIGINT, &sa, NULL);
    sigaction(SIGQUIT, &sa, NULL);
    reset_prog_mode();
    refresh();
    t->forget = true;
}

int gl_term_colours(const gl_term *t) { return t->colours; }
bool gl_term_is_unicode(const gl_term *t) { return t->unicode; }
void gl_term_forget(gl_term *t) { t->forget = true; }

void gl_term_size(const gl_term *t, int *w, int *h)
{
    (void)t;
    *w = COLS;
    *h = LINES;
}

int gl_term_signal(const gl_term *t)
{
    (void)t;
    return leave_signal;
}

static int colour_of(const gl_term *t, const gl_theme *theme, gl_role role)
{
    if (role == GL_ROLE_DEFAULT || theme->depth == GL_DEPTH_MONO)
        return -1;
    if (theme->depth == GL_DEPTH_16 || t->colours < 256) {
        return t->colours < 16 ? gl_theme_index8(role) : gl_theme_index16(role);
    }
    /* Terminals with direct colour take the value itself. */
    return t->colours > 256 ? (int)gl_theme_rgb(theme, role) : gl_theme_index256(theme, role);
}

static int pair_of(gl_term *t, const gl_theme *theme, gl_style s)
{
    if (t->colours < 8 || s.fg >= GL_ROLES || s.bg >= GL_ROLES || theme->depth == GL_DEPTH_MONO)
        return 0;
    short *pair = &t->pair[s.fg][s.bg];
    if (!*pair) {
        if (t->next_pair + 1 >= COLOR_PAIRS || t->next_pair >= INT16_MAX)
            return 0;
        *pair = (short)++t->next_pair;
        init_extended_pair(*pair, colour_of(t, theme, (gl_role)s.fg), colour_of(t, theme, (gl_role)s.bg));
    }
    return *pair;
}

static attr_t attributes_of(const gl_theme *theme, gl_style s)
{
    unsigned a = gl_theme_attr(theme, s);
    return (a & GL_ATTR_BOLD ? A_BOLD : 0) | (a & GL_ATTR_REVERSE ? A_REVERSE : 0) |
           (a & GL_ATTR_UNDERLINE ? A_UNDERLINE : 0) | (a & GL_ATTR_ITALIC ? A_ITALIC : 0);
}

static void put_cell(gl_term *t, const gl_cell *cell, int x, int y, const gl_theme *theme)
{
    wchar_t text[CCHARW_MAX + 1];
    int n = 0;
    utf8proc_ssize_t at = 0, size = (utf8proc_ssize_t)strlen(cell->text);
    while (at < size && n < CCHARW_MAX) {
        utf8proc_int32_t code;
        utf8proc_ssize_t taken = utf8proc_iterate((const utf8proc_uint8_t *)cell->text + at, size - at, &code);
        if (taken <= 0)
            break;
        text[n++] = (wchar_t)code;
        at += taken;
    }
    text[n] = L'\0';
    cchar_t c;
    int pair = pair_of(t, theme, cell->style);
    if (setcchar(&c, text, attributes_of(theme, cell->style), (short)pair, NULL) == OK)
        mvadd_wch(y, x, &c);
}

void gl_term_show(gl_term *t, const gl_cells *c, const gl_theme *theme)
{
    if (theme != t->theme) {
        memset(t->pair, 0, sizeof t->pair);
        t->next_pair = 0;
        t->forget = true;
    }
    bool all = t->forget || c->w != t->shown.w || c->h != t->shown.h;
    if (all && gl_cells_resize(&t->shown, c->w, c->h) < 0)
        return;
    if (t->forget)
        clearok(stdscr, TRUE);
    for (int i = 0; i < c->w * c->h; i++) {
        if (c->cell[i].width == 0 || (!all && memcmp(&c->cell[i], &t->shown.cell[i], sizeof c->cell[i]) == 0))
            continue;
        put_cell(t, &c->cell[i], i % c->w, i / c->w, theme);
    }
    memcpy(t->shown.cell, c->cell, (size_t)c->w * (size_t)c->h * sizeof *c->cell);
    t->theme = theme;
    t->forget = false;
    refresh();
}

static const struct {
    int curses, ours;
} special_keys[] = {
    {KEY_UP, GL_KEY_UP}, {KEY_DOWN, GL_KEY_DOWN}, {KEY_LEFT, GL_KEY_LEFT}, {KEY_RIGHT, GL_KEY_RIGHT},
    {KEY_SLEFT, GL_KEY_SHIFT_LEFT}, {KEY_SRIGHT, GL_KEY_SHIFT_RIGHT}, {KEY_PPAGE, GL_KEY_PAGE_UP},
    {KEY_NPAGE, GL_KEY_PAGE_DOWN}, {KEY_HOME, GL_KEY_HOME}, {KEY_END, GL_KEY_END}, {KEY_ENTER, GL_KEY_ENTER},
    {KEY_BTAB, GL_KEY_BACKTAB}, {KEY_BACKSPACE, GL_KEY_BACKSPACE}, {KEY_DC, GL_KEY_DELETE},
};

static gl_input_event mouse_event(void)
{
    MEVENT m;
    gl_input_event e = {.type = GL_INPUT_NONE};
    if (getmouse(&m) != OK)
        return e;
    e = (gl_input_event){.type = GL_INPUT_MOUSE, .x = m.x, .y = m.y, .mouse = GL_MOUSE_DRAG};
    if (m.bstate & BUTTON4_PRESSED)
        e.mouse = GL_MOUSE_WHEEL_UP;
    else if (m.bstate & BUTTON5_PRESSED)
        e.mouse = GL_MOUSE_WHEEL_DOWN;
    else if (m.bstate & BUTTON1_PRESSED)
        e.mouse = GL_MOUSE_PRESS;
    else if (m.bstate & BUTTON1_RELEASED)
        e.mouse = GL_MOUSE_RELEASE;
    return e;
}

static gl_input_event key_event(wint_t code, bool special)
{
    gl_input_event e = {.type = GL_INPUT_KEY, .key = (int)code};
    if (!special) {
        e.key = code == '\r' || code == '\n' ? GL_KEY_ENTER : code == 27 ? GL_KEY_ESC : code == '\t' ? GL_KEY_TAB
              : code == 127 || code == 8 ? GL_KEY_BACKSPACE : (int)code;
        return e;
    }
    if (code == KEY_MOUSE)
        return mouse_event();
    if (code == KEY_RESIZE)
        return (gl_input_event){.type = GL_INPUT_RESIZE, .x = COLS, .y = LINES};
    for (size_t i = 0; i < sizeof special_keys / sizeof *special_keys; i++)
        if ((wint_t)special_keys[i].curses == code)
            return e.key = special_keys[i].ours, e;
    e.type = GL_INPUT_NONE;
    return e;
}

/* A terminal that went away reads as its end for ever. */
static bool is_gone(const gl_term *t, int timeout_ms)
{
    struct pollfd p = {.fd = fileno(t->in), .events = POLLIN};
    int n = poll(&p, 1, timeout_ms);
    return n > 0 && (p.revents & (POLLHUP | POLLERR | POLLNVAL)) && !(p.revents & POLLIN);
}

gl_input_event gl_term_wait(gl_term *t, int timeout_ms)
{
    wint_t code = 0;
    if (leave_signal)
        return (gl_input_event){.type = GL_INPUT_END};
    timeout(0);
    int status = get_wch(&code);
    if (status == ERR && timeout_ms != 0) {
        if (is_gone(t, timeout_ms) || leave_signal)
            return (gl_input_event){.type = GL_INPUT_END};
        status = get_wch(&code);
    }
    if (status == ERR)
        return (gl_input_event){.type = GL_INPUT_NONE};
    return key_event(code, status == KEY_CODE_YES);
}
