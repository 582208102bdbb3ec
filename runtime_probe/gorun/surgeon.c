#include "surgeon.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define PTRACE_EVENT_STOP_ 128
#define OWED_NS INT64_C(10000000000)
#define PATIENCE_NS INT64_C(2000000) /* before the next thread is asked, too */

static int64_t now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static void nap(long ns)
{
    struct timespec t = {0, ns};
    nanosleep(&t, NULL);
}

static int refused(gl_error *err, pid_t pid, int why)
{
    if (why == ESRCH)
        return gl_fail(err, GL_E_NOT_FOUND, UINT64_MAX, "process %d is gone", (int)pid);
    return gl_fail(err, GL_E_UNSUPPORTED, UINT64_MAX,
                   "process %d may not be traced (%s): it must be of the same user and have no other tracer, and where "
                   "/proc/sys/kernel/yama/ptrace_scope is not 0 only a program that golanes starts can be recorded",
                   (int)pid, strerror(why));
}

int gl_surgeon_open(gl_surgeon *s, pid_t pid, gl_error *err)
{
    char path[48];
    memset(s, 0, sizeof *s);
    s->pid = pid;
    snprintf(path, sizeof path, "/proc/%d/mem", (int)pid);
    s->mem = open(path, O_RDWR | O_CLOEXEC);
    if (s->mem < 0)
        return refused(err, pid, errno == ENOENT ? ESRCH : errno);
    return 0;
}

void gl_surgeon_close(gl_surgeon *s)
{
    if (s->mem > 0)
        close(s->mem);
    free(s->held);
    memset(s, 0, sizeof *s);
}

void gl_surgeon_quiet(sigset_t *before)
{
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, before);
}

void gl_surgeon_unquiet(const sigset_t *before)
{
    pthread_sigmask(SIG_SETMASK, before, NULL);
}

/* Threads */

static gl_held *find(gl_surgeon *s, pid_t tid)
{
    for (size_t i = 0; i < s->n; i++)
        if (s->held[i].tid == tid && !s->held[i].gone)
            return &s->held[i];
    return NULL;
}

static gl_held *add(gl_surgeon *s, pid_t tid)
{
    if (s->n == s->room) {
        size_t room = s->room ? 2 * s->room : 64;
        gl_held *held = realloc(s->held, room * sizeof *held);
        if (!held)
            return NULL;
        s->held = held;
        s->room = room;
    }
    s->held[s->n] = (gl_held){.tid = tid};
    return &s->held[s->n++];
}

/** 1: taken and told to stop. 0: it is gone. Negative: may not be traced. */
static int take(gl_surgeon *s, pid_t tid, gl_error *err)
{
    if (ptrace(PTRACE_SEIZE, tid, NULL, (void *)(uintptr_t)PTRACE_O_TRACESYSGOOD) != 0)
        return errno == ESRCH ? 0 : refused(err, s->pid, errno);
    if (!add(s, tid)) {
        ptrace(PTRACE_DETACH, tid, NULL, NULL); /* works only if it is stopped; else our end lets it go */
        return gl_fail(err, GL_E_NOMEM, UINT64_MAX, "no memory for the threads of process %d", (int)s->pid);
    }
    ptrace(PTRACE_INTERRUPT, tid, NULL, NULL);
    return 1;
}

/** Looks whether a thread has stopped by now. */
static void look(gl_held *h)
{
    int st;
    pid_t got = waitpid(h->tid, &st, __WALL | WNOHANG);
    if (got == 0)
        return;
    if (got < 0 || WIFEXITED(st) || WIFSIGNALED(st)) {
        h->gone = true;
        return;
    }
    h->stopped = true;
    if (st >> 16 == 0 && (WSTOPSIG(st) & 0x80) == 0)
        h->signal = WSTOPSIG(st);
}

/** Takes all threads that are not taken yet; how many there were, or a failure. */
static int take_new(gl_surgeon *s, gl_error *err)
{
    char path[48];
    snprintf(path, sizeof path, "/proc/%d/task", (int)s->pid);
    DIR *dir = opendir(path);
    if (!dir)
        return refused(err, s->pid, ESRCH);
    int taken = 0, rc = 0;
    for (struct dirent *e; rc >= 0 && (e = readdir(dir));) {
        pid_t tid = (pid_t)strtol(e->d_name, NULL, 10);
        if (tid > 0 && !find(s, tid)) {
            rc = take(s, tid, err);
            taken += rc > 0;
        }
    }
    closedir(dir);
    return rc < 0 ? rc : taken;
}

static bool all_stopped(gl_surgeon *s)
{
    bool all = true;
    for (size_t i = 0; i < s->n; i++) {
        gl_held *h = &s->held[i];
        if (!h->stopped && !h->gone)
            look(h);
        all &= h->stopped || h->gone;
    }
    return all;
}

static bool wait_stopped(gl_surgeon *s, int64_t until)
{
    for (int tries = 0; !all_stopped(s); tries++) {
        if (now_ns() >= until)
            return false;
        nap(tries < 20 ? 10000 : 100000);
    }
    return true;
}

static bool any_stopped(const gl_surgeon *s)
{
    for (size_t i = 0; i < s->n; i++)
        if (s->held[i].stopped && !s->held[i].gone)
            return true;
    return false;
}

int gl_surgeon_stop(gl_surgeon *s, int64_t within_ns, gl_error *err)
{
    int64_t until = now_ns() + within_ns;
    s->n = 0;
    int rc;
    do {
        rc = take_new(s, err);
        if (rc >= 0 && !wait_stopped(s, until))
            rc = gl_fail(err, GL_E_CANCELLED, UINT64_MAX, "a thread of process %d did not stop in time", (int)s->pid);
    } while (rc > 0);
    if (rc == 0 && !any_stopped(s))
        rc = refused(err, s->pid, ESRCH);
    if (rc < 0)
        gl_surgeon_release(s);
    return rc;
}

/** A thread in the middle of a system call would have to take it up again afterwards, which works, but the fewer the better. */
static bool computes(const gl_held *h)
{
    struct user_regs_struct r;
    return gl_surgeon_regs(h, &r) && (int64_t)r.orig_rax < 0;
}

/** Lets a stopped thread go; true once it is gone. */
static bool let_go(gl_held *h)
{
    if (h->stopped && !h->gone && (ptrace(PTRACE_DETACH, h->tid, NULL, (void *)(intptr_t)h->signal) == 0 || errno == ESRCH))
        h->gone = true;
    return h->gone;
}

/** A thread that has stopped by now comes to the first place; one in a system call only if it may be. Others go on. So
    does one that was about to be given a signal: past a call in its name the signal could not be given any more. */
static bool choose(gl_surgeon *s, bool any)
{
    bool chosen = false;
    all_stopped(s);
    for (size_t i = 0; i < s->n; i++) {
        gl_held *h = &s->held[i];
        if (h->gone || !h->stopped || chosen)
            continue;
        if (h->signal == 0 && (any || computes(h))) {
            gl_held first = s->held[0];
            s->held[0] = *h;
            *h = first;
            chosen = true;
        } else {
            let_go(h);
        }
    }
    return chosen;
}

static bool wait_chosen(gl_surgeon *s, bool any, int64_t until)
{
    while (!choose(s, any)) {
        if (now_ns() >= until)
            return false;
        nap(20000);
    }
    return true;
}

/** The next thread that is not held yet, 0 after the last one. */
static pid_t next_thread(gl_surgeon *s, DIR *dir)
{
    for (struct dirent *e; (e = readdir(dir));) {
        pid_t tid = (pid_t)strtol(e->d_name, NULL, 10);
        if (tid > 0 && !find(s, tid))
            return tid;
    }
    return 0;
}

/* One after the other is asked, and those that have not answered stay asked: on a busy machine, or where a thread waits for
   its child of vfork, the answer takes long, and whoever is let go and asked again never gives it. */
int gl_surgeon_stop_one(gl_surgeon *s, int64_t within_ns, gl_error *err)
{
    char path[48];
    snprintf(path, sizeof path, "/proc/%d/task", (int)s->pid);
    DIR *dir = opendir(path);
    if (!dir)
        return refused(err, s->pid, ESRCH);
    int64_t until = now_ns() + within_ns;
    int rc = 0;
    bool chosen = false;
    s->n = 0;
    for (int rounds = 0; rc >= 0 && !chosen && now_ns() < until;) {
        pid_t tid = next_thread(s, dir);
        rc = tid ? take(s, tid, err) : 0;
        if (rc >= 0)
            chosen = wait_chosen(s, rounds > 0, now_ns() + PATIENCE_NS);
        if (tid == 0) {
            rounds++;
            rewinddir(dir);
        }
    }
    closedir(dir);
    if (rc >= 0 && !chosen)
        rc = kill(s->pid, 0) != 0 ? refused(err, s->pid, ESRCH)
                                  : gl_fail(err, GL_E_CANCELLED, UINT64_MAX, "no thread of process %d stopped in time", (int)s->pid);
    if (rc < 0)
        gl_surgeon_release(s);
    return rc < 0 ? rc : 0;
}

void gl_surgeon_release(gl_surgeon *s)
{
    int64_t until = now_ns() + OWED_NS;
    for (size_t left = s->n; left > 0;) {
        left = 0;
        for (size_t i = 0; i < s->n; i++) {
            gl_held *h = &s->held[i];
            if (!h->gone && !h->stopped)
                look(h);
            left += !let_go(h);
        }
        /* A thread that waits for a child of vfork stops later: until then it is ours, and may not be left. */
        if (left && now_ns() > until)
            break;
        if (left)
            nap(200000);
    }
    s->n = 0;
}

/* Steps of the one thread that is held */

/** Lets it go on by `request` up to its next stop: the status without its low byte. */
static int step(gl_surgeon *s, long request, int signal, gl_error *err)
{
    int st = 0;
    pid_t tid = s->held[0].tid, got;
    if (ptrace((enum __ptrace_request)request, tid, NULL, (void *)(intptr_t)signal) != 0)
        return refused(err, s->pid, errno);
    do
        got = waitpid(tid, &st, __WALL);
    while (got < 0 && errno == EINTR);
    if (got == tid && WIFSTOPPED(st))
        return st >> 8;
    s->held[0].gone = true;
    return gl_fail(err, GL_E_NOT_FOUND, UINT64_MAX, "process %d ended", (int)s->pid);
}

int gl_surgeon_to_call(gl_surgeon *s, gl_error *err)
{
    int st;
    do
        st = step(s, PTRACE_SYSCALL, 0, err);
    while (st >= 0 && st != (SIGTRAP | 0x80));
    return st < 0 ? st : 0;
}

int gl_surgeon_interrupt(gl_surgeon *s, gl_error *err)
{
    if (ptrace(PTRACE_INTERRUPT, s->held[0].tid, NULL, NULL) != 0)
        return refused(err, s->pid, errno);
    int st = step(s, PTRACE_CONT, 0, err);
    return st < 0 ? st : 0;
}

/* A child that is about to become the program */

int gl_surgeon_seize_child(pid_t pid)
{
    return ptrace(PTRACE_SEIZE, pid, NULL, (void *)(uintptr_t)(PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACEEXEC)) == 0 ? 0 : errno;
}

/** Up to the stop of its exec; signals on their way to it arrive. How it ended stays to be asked by others. */
static int wait_exec(gl_surgeon *s, gl_error *err)
{
    for (;;) {
        siginfo_t si = {0};
        int st;
        if (waitid(P_PID, (id_t)s->pid, &si, WSTOPPED | WEXITED | WNOWAIT | __WALL) != 0 && errno == EINTR)
            continue;
        if (si.si_code != CLD_TRAPPED || waitpid(s->pid, &st, __WALL) != s->pid || !WIFSTOPPED(st))
            return gl_fail(err, GL_E_NOT_FOUND, UINT64_MAX, "process %d ended before it began", (int)s->pid);
        if (st >> 8 == (SIGTRAP | PTRACE_EVENT_EXEC << 8))
            return 0;
        ptrace(PTRACE_CONT, s->pid, NULL, (void *)(intptr_t)(st >> 16 == 0 ? WSTOPSIG(st) : 0));
    }
}

int gl_surgeon_adopt(gl_surgeon *s, bool caught, gl_error *err)
{
    s->n = 0;
    int rc = caught ? 0 : wait_exec(s, err);
    if (rc < 0)
        return rc;
    if (!add(s, s->pid))
        return gl_fail(err, GL_E_NOMEM, UINT64_MAX, "no memory for a thread");
    s->held[0].stopped = true;
    if (ptrace(PTRACE_SETOPTIONS, s->pid, NULL, (void *)(uintptr_t)PTRACE_O_TRACESYSGOOD) != 0)
        return refused(err, s->pid, errno);
    return gl_surgeon_to_call(s, err); /* in the stop of the exec itself registers would be changed once more */
}

/* Registers and memory */

bool gl_surgeon_regs(const gl_held *h, struct user_regs_struct *out)
{
    return !h->gone && ptrace(PTRACE_GETREGS, h->tid, NULL, out) == 0;
}

bool gl_surgeon_set_regs(const gl_held *h, const struct user_regs_struct *regs)
{
    struct user_regs_struct r = *regs;
    return ptrace(PTRACE_SETREGS, h->tid, NULL, &r) == 0;
}

bool gl_surgeon_read(const gl_surgeon *s, uint64_t address, void *to, size_t n)
{
    return pread(s->mem, to, n, (off_t)address) == (ssize_t)n;
}

/** Where the kernel lets nobody write through read-only mappings by /proc/PID/mem, it may let a tracer by words. A word
    may lie anywhere, so a jump is never there by half. */
static bool poke(gl_surgeon *s, uint64_t address, const uint8_t *from, size_t n)
{
    for (size_t i = 0; i < s->n; i++) {
        pid_t tid = s->held[i].tid;
        if (s->held[i].gone || !s->held[i].stopped)
            continue;
        for (size_t at = 0; at < n; at += 8) {
            void *word_at = (void *)(uintptr_t)(address + at); /* NOLINT: an address in the program */
            errno = 0;
            long word = n - at < 8 ? ptrace(PTRACE_PEEKDATA, tid, word_at, NULL) : 0;
            if (errno != 0)
                return false;
            memcpy(&word, from + at, n - at < 8 ? n - at : 8);
            if (ptrace(PTRACE_POKEDATA, tid, word_at, (void *)word) != 0)
                return false;
        }
        return true;
    }
    return false;
}

bool gl_surgeon_write(gl_surgeon *s, uint64_t address, const void *from, size_t n)
{
    return pwrite(s->mem, from, n, (off_t)address) == (ssize_t)n || poke(s, address, from, n);
}
