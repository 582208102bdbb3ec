/*
 * Looking after a program that is recorded: to it and to its shell we are not there.
 *
 * Signals of the terminal reach the program by themselves, as it is in our process group; those that somebody sends to us
 * are passed on. Where the program stops, so do we, and the shell sees a stopped job as it would without us.
 */
#include "record.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#include "facts.h"
#include "text.h"

#define DRAW_EVERY_MS 500
#define SECOND INT64_C(1000000000)

typedef struct watch {
    pid_t pid;
    bool child, draw, flight, quiet;
    gl_recording *recording;
    cli_follow *follow;
    cli_record_end *end;
    int leash;
    int signals, process; /* descriptors; process: readable once it has ended, -1 not to be had */
    int64_t started, drawn;
    uint64_t drawn_events;
    size_t width; /* columns of the line on the screen */
} watch;

static int64_t now_ns(void)
{
    struct timespec ts;
    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (int64_t)ts.tv_sec * SECOND + ts.tv_nsec;
}

/* ---- signals -------------------------------------------------------------------------------------------------------- */

/** Faults are our own; what can't be caught can't be passed on. */
static void signals_looked_after(sigset_t *set)
{
    static const int own[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGABRT, SIGSYS, SIGKILL, SIGSTOP, SIGXFSZ, SIGPIPE};
    sigfillset(set);
    for (size_t i = 0; i < sizeof own / sizeof *own; i++)
        sigdelset(set, own[i]);
}

void cli_record_block_signals(void)
{
    sigset_t set;
    signals_looked_after(&set);
    sigprocmask(SIG_BLOCK, &set, NULL);
}

/** A signal of the terminal went to the whole foreground group: the program has it already. */
static void pass_on(const watch *w, const struct signalfd_siginfo *si)
{
    int number = (int)si->ssi_signo;
    if (si->ssi_code > 0 || number == SIGCHLD || number == SIGTTOU || number == SIGTTIN)
        return;
    if (si->ssi_pid == (uint32_t)w->pid) /* the program's own doing */
        return;
    kill(w->pid, number);
}

static bool in_foreground(void)
{
    return tcgetpgrp(STDIN_FILENO) == getpgrp() || tcgetpgrp(STDERR_FILENO) == getpgrp();
}

static void erase(watch *w);

/** SIGSTOP may be meant for the program alone; the signals of job control are for the job, which is us. */
static void stop_too(watch *w, int number)
{
    if (number == SIGSTOP && !in_foreground())
        return;
    erase(w);
    raise(SIGSTOP);
    /* Continued: by the shell, which has continued the program too, or by somebody who knows of us only. */
    kill(w->pid, SIGCONT);
}

/** True once the program has ended. */
static bool look_at_child(watch *w)
{
    int status;
    for (;;) {
        pid_t got = waitpid(w->pid, &status, WNOHANG | WUNTRACED);
        if (got == 0)
            return false;
        if (got < 0) { /* somebody else has waited for it */
            w->end->wait_status = 0;
            return true;
        }
        if (!WIFSTOPPED(status)) {
            w->end->wait_status = status;
            return true;
        }
        stop_too(w, WSTOPSIG(status));
    }
}

/** Processes that are followed, the program among them as long as it is one of those. True once it has ended. */
static bool look_at_followed(watch *w)
{
    gl_follow *f = w->follow->follow;
    gl_follow_look(f);
    int stopped = gl_follow_root_stopped(f);
    if (stopped)
        stop_too(w, stopped);
    if (gl_follow_root_ended(f, &w->end->wait_status))
        return true;
    return !gl_follow_has_root(f) && w->child && look_at_child(w);
}

/** True where the recording is to end. */
static bool on_signal(watch *w, const struct signalfd_siginfo *si)
{
    if (w->flight && si->ssi_signo == SIGUSR1) {
        (void)gl_recording_snap(w->recording, "SIGUSR1", false, NULL, 0);
        return false;
    }
    if (w->child) {
        pass_on(w, si);
        return false;
    }
    switch (si->ssi_signo) {
    case SIGTSTP:
        erase(w);
        raise(SIGSTOP);
        return false;
    case SIGINT:
    case SIGTERM:
    case SIGHUP:
    case SIGQUIT: w->end->interrupted = true; return true;
    default: return false;
    }
}

static bool read_signals(watch *w)
{
    struct signalfd_siginfo si;
    bool end = false;
    while (read(w->signals, &si, sizeof si) == (ssize_t)sizeof si)
        end |= on_signal(w, &si);
    return end;
}

/* ---- the line on the terminal --------------------------------------------------------------------------------------- */

static void put_line(watch *w, const char *line)
{
    size_t width = gl_text_width(line, strlen(line));
    size_t blanks = w->width > width ? w->width - width : 0;
    fprintf(stderr, "\r%s%*s\r", line, (int)blanks, "");
    fflush(stderr);
    w->width = width;
}

static void erase(watch *w)
{
    if (w->width)
        put_line(w, "");
}

/** A program that reads single keys draws its own screen. */
static bool has_screen(void)
{
    struct termios t;
    return tcgetattr(STDERR_FILENO, &t) == 0 && !(t.c_lflag & ICANON);
}

static void draw(watch *w)
{
    int64_t now = now_ns();
    if (!w->draw || now - w->drawn < DRAW_EVERY_MS * SECOND / 1000 || !in_foreground() || has_screen())
        return;
    gl_recording_figures f;
    char line[512];
    gl_recording_look(w->recording, &f);
    double rate = (double)(f.events - w->drawn_events) * 1e9 / (double)(now - w->drawn);
    size_t width = gl_text_terminal_width(STDERR_FILENO, 80);
    cli_record_status(&f, now - w->started, rate, width > 1 ? width - 1 : 1, line, sizeof line);
    put_line(w, line);
    w->drawn = now;
    w->drawn_events = f.events;
}

/** What became of snapshots; that one could not be written is said also where nothing else is. */
static void say_notes(watch *w)
{
    char text[GL_RECORDING_NOTE_MAX];
    while (gl_recording_note(w->recording, text, sizeof text)) {
        if (w->quiet && strncmp(text, "no ", 3) != 0)
            continue;
        erase(w);
        cli_say("%s", text);
    }
}

/* ---- waiting -------------------------------------------------------------------------------------------------------- */

static bool process_ended(const watch *w)
{
    struct pollfd p = {w->process, POLLIN, 0};
    if (w->process >= 0)
        return poll(&p, 1, 0) > 0;
    return kill(w->pid, 0) < 0 && errno == ESRCH;
}

static bool leash_ended(watch *w)
{
    struct pollfd p = {w->leash, POLLIN, 0};
    if (w->leash < 0 || poll(&p, 1, 0) <= 0)
        return false;
    w->end->interrupted = true;
    w->end->let_go = w->child;
    return true;
}

static bool ended(watch *w)
{
    if (leash_ended(w))
        return true;
    if (read_signals(w))
        return true;
    if (w->follow->follow && look_at_followed(w))
        return true;
    if (w->child)
        return !w->follow->follow && look_at_child(w);
    return process_ended(w) || gl_recording_ended(w->recording);
}

static void before_line(void *user)
{
    erase(user);
}

void cli_record_wait(const cli_record_watch *what, cli_record_end *end)
{
    watch w = {.pid = what->pid, .child = what->child, .recording = what->recording, .flight = what->flight,
               .quiet = what->quiet, .follow = what->follow, .leash = what->leash, .end = end, .started = now_ns()};
    sigset_t set;
    *end = (cli_record_end){0};
    w.draw = !w.quiet && isatty(STDERR_FILENO);
    w.drawn = w.started;
    signals_looked_after(&set);
    w.signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    w.process = (int)syscall(SYS_pidfd_open, w.pid, 0);
    w.follow->before_line = before_line;
    w.follow->user = &w;
    int gates = w.follow->follow ? gl_follow_descriptor(w.follow->follow) : -1;
    struct pollfd p[4] = {{w.signals, POLLIN, 0}, {w.leash, POLLIN, 0}, {gates, POLLIN, 0}, {w.process, POLLIN, 0}}; /* those
        below 0 are passed over */
    while (!ended(&w)) {
        say_notes(&w);
        draw(&w);
        int timeout = w.draw || w.flight ? DRAW_EVERY_MS : w.child ? -1 : 1000;
        poll(p, 4, w.process >= 0 || w.child ? timeout : 100);
    }
    say_notes(&w);
    erase(&w);
    w.follow->before_line = NULL;
    close(w.signals);
    if (w.process >= 0)
        close(w.process);
}

int cli_record_leash(void)
{
    const char *number = getenv(CLI_RECORD_LEASH);
    int fd = number ? (int)strtol(number, NULL, 10) : -1;
    unsetenv(CLI_RECORD_LEASH);
    return fd > STDERR_FILENO && fcntl(fd, F_SETFD, FD_CLOEXEC) == 0 ? fd : -1;
}

int cli_record_end_as(int wait_status)
{
    if (!WIFSIGNALED(wait_status))
        return WEXITSTATUS(wait_status);
    int number = WTERMSIG(wait_status);
    struct rlimit none = {0, 0};
    sigset_t set;
    setrlimit(RLIMIT_CORE, &none);
    prctl(PR_SET_DUMPABLE, 0);
    fflush(NULL);
    signal(number, SIG_DFL);
    sigemptyset(&set);
    sigaddset(&set, number);
    sigprocmask(SIG_UNBLOCK, &set, NULL);
    kill(getpid(), number);
    pause(); /* only signals that don't kill by themselves get here */
    return 128 + number;
}
