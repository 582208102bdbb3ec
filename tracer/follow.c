#include "follow.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "golanes/ring.h"

#define EVENT_STOP 128 /* PTRACE_EVENT_STOP: the name is in linux/ptrace.h only, which does not go with sys/ptrace.h */
#define OPTIONS (PTRACE_O_TRACEEXEC | PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK | PTRACE_O_TRACECLONE)
#define PATH_MAX_ 4096
#define KINDS 64u         /* program files that are remembered */
#define GATE_LOOK_NS 200000000
#define LET_GO_NS INT64_C(300000000)

/** What is to be done with a process that executes a program file. */
typedef enum verdict { RECORD, THROUGH, LEAVE } verdict;

typedef struct kind {
    dev_t device;
    ino_t inode;
    struct timespec changed;
    verdict verdict;
} kind;

/** A thread that we trace. */
typedef struct traced {
    pid_t tid;
    pid_t group; /* one of another's, before an exec: it will have that number afterwards; else 0 */
} traced;

/** A recorded program's gate, and who waits for somebody to come there. */
typedef struct gate {
    pid_t pid;
    int wake; /* the follower's */
    gl_probe_gate *at;
    void *page;
    size_t bytes;
    pthread_t thread;
    bool end, over;
} gate;

struct gl_follow {
    gl_follow_options opt;
    traced *traced;
    size_t n, room;
    gate **gates;
    size_t gate_count, gate_room;
    int wake; /* readable when somebody is at a gate */
    pid_t root;
    bool root_ended;
    int root_status, root_stopped;
    kind kinds[KINDS];
    unsigned kind_count, kind_next;
};

/* Threads that we trace */

static bool add(gl_follow *f, pid_t tid, pid_t group)
{
    for (size_t i = 0; i < f->n; i++)
        if (f->traced[i].tid == tid)
            return true;
    if (f->n == f->room) {
        size_t room = f->room ? 2 * f->room : 32;
        traced *more = realloc(f->traced, room * sizeof *more);
        if (!more)
            return false;
        f->traced = more;
        f->room = room;
    }
    f->traced[f->n++] = (traced){tid, group};
    return true;
}

static void drop(gl_follow *f, pid_t tid)
{
    for (size_t i = 0; i < f->n; i++)
        if (f->traced[i].tid == tid) {
            f->traced[i] = f->traced[--f->n];
            return;
        }
}

/** There is no such thread of ours: it is gone with its process's exec, or has become that process. */
static void lost(gl_follow *f, size_t i)
{
    traced t = f->traced[i];
    drop(f, t.tid);
    if (t.group)
        add(f, t.group, 0);
}

static void go_on(pid_t tid, int signal)
{
    ptrace(PTRACE_CONT, tid, NULL, (void *)(intptr_t)signal);
}

static void let_go(gl_follow *f, pid_t tid, int signal)
{
    ptrace(PTRACE_DETACH, tid, NULL, (void *)(intptr_t)signal);
    drop(f, tid);
}

/* Program files */

bool gl_follow_is_linked(const char *path)
{
    static const char mark[] = GL_RING_ENV_FD;
    struct stat st;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    bool found = false;
    if (fd >= 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_size > 0) {
        void *at = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
        if (at != MAP_FAILED) {
            found = memmem(at, (size_t)st.st_size, mark, sizeof mark - 1) != NULL;
            munmap(at, (size_t)st.st_size);
        }
    }
    if (fd >= 0)
        close(fd);
    return found;
}

static verdict judge(const gl_follow *f, const char *path)
{
    gl_goprog *prog;
    gl_goprog_refusal why = GL_GOPROG_READABLE;
    int rc = gl_goprog_open(path, &prog, &why, NULL);
    if (rc < 0 && (why == GL_GOPROG_TOO_OLD || why == GL_GOPROG_GARBLED || why == GL_GOPROG_PLUGIN))
        return f->opt.wanted(f->opt.user, path, GL_GOPROG_OWN) ? RECORD : THROUGH; /* it will be refused, with the reason */
    if (rc < 0)
        return gl_follow_is_linked(path) ? LEAVE : THROUGH;
    gl_goprog_role role = gl_goprog_get_role(prog);
    gl_goprog_close(prog);
    if (f->opt.wanted(f->opt.user, path, role))
        return RECORD;
    return role == GL_GOPROG_TOOL && !f->opt.through_tools ? LEAVE : THROUGH;
}

/** The same file is looked into once. NULL: it is gone. */
static kind *kind_of(gl_follow *f, const char *path)
{
    struct stat st;
    if (stat(path, &st) != 0)
        return NULL;
    for (unsigned i = 0; i < f->kind_count; i++) {
        kind *k = &f->kinds[i];
        if (k->device == st.st_dev && k->inode == st.st_ino && k->changed.tv_sec == st.st_ctim.tv_sec &&
            k->changed.tv_nsec == st.st_ctim.tv_nsec)
            return k;
    }
    kind *k = &f->kinds[f->kind_next];
    *k = (kind){st.st_dev, st.st_ino, st.st_ctim, judge(f, path)};
    f->kind_next = (f->kind_next + 1) % KINDS;
    f->kind_count += f->kind_count < KINDS;
    return k;
}

/** The program's own path where it leads to the same file, else the kernel's. */
static void find_path(pid_t pid, char out[PATH_MAX_])
{
    char exe[48];
    struct stat a, b;
    snprintf(exe, sizeof exe, "/proc/%d/exe", (int)pid);
    ssize_t n = readlink(exe, out, PATH_MAX_ - 1);
    out[n > 0 ? n : 0] = '\0';
    if (stat(exe, &a) != 0 || stat(out, &b) != 0 || a.st_dev != b.st_dev || a.st_ino != b.st_ino)
        snprintf(out, PATH_MAX_, "%s", exe);
}

/* Exec */

/** It stands in front of its first instruction. Whatever comes of it, it is traced no more. */
static int record(gl_follow *f, pid_t pid, const char *path)
{
    const gl_probe_provider *p = f->opt.provider;
    gl_probe_target target = {.path = path, .rings = f->opt.rings, .gate = true};
    gl_probe_start start = {0};
    gl_probe_source source = {0};
    gl_error err = {0};
    void *state;
    int fits = p->fits(&target, &err);
    int rc = fits < 0 ? fits : fits == 0 ? gl_fail(&err, GL_E_UNSUPPORTED, UINT64_MAX, "%s can't be recorded", path) : 0;
    if (rc >= 0)
        rc = p->prepare(&target, &start, &state, &err);
    if (rc < 0) {
        let_go(f, pid, 0);
    } else {
        rc = p->caught(state, pid, &source, &err);
        drop(f, pid);
    }
    if (rc < 0) {
        f->opt.refused(f->opt.user, path, &err);
        return rc;
    }
    gl_follow_gate(f, &source, false);
    f->opt.recorded(f->opt.user, &source);
    return 0;
}

static void on_exec(gl_follow *f, pid_t pid)
{
    char path[PATH_MAX_];
    find_path(pid, path);
    kind *k = kind_of(f, path);
    switch (k ? k->verdict : THROUGH) {
    case RECORD:
        if (record(f, pid, path) == GL_E_UNSUPPORTED)
            k->verdict = LEAVE; /* the reason is said once */
        break;
    case LEAVE: let_go(f, pid, 0); break;
    case THROUGH: go_on(pid, 0); break;
    }
}

/* Stops */

static bool stops_the_group(int signal)
{
    return signal == SIGSTOP || signal == SIGTSTP || signal == SIGTTIN || signal == SIGTTOU;
}

static void on_born(gl_follow *f, pid_t tid)
{
    unsigned long born = 0;
    if (ptrace(PTRACE_GETEVENTMSG, tid, NULL, &born) == 0 && born > 0)
        add(f, (pid_t)born, 0);
    go_on(tid, 0);
}

static void on_ended(gl_follow *f, pid_t tid, int st)
{
    drop(f, tid);
    if (tid == f->root) {
        f->root_ended = true;
        f->root_status = st;
    }
}

/** It was stopped, or told to go on, with its whole process; or it has just been born. */
static void on_group(gl_follow *f, pid_t tid, int signal)
{
    if (!stops_the_group(signal)) {
        go_on(tid, 0);
        return;
    }
    if (tid == f->root)
        f->root_stopped = signal;
    ptrace(PTRACE_LISTEN, tid, NULL, NULL);
}

static void on_stop(gl_follow *f, pid_t tid, int st)
{
    switch (st >> 16) {
    case PTRACE_EVENT_EXEC: on_exec(f, tid); break;
    case PTRACE_EVENT_FORK:
    case PTRACE_EVENT_VFORK:
    case PTRACE_EVENT_CLONE: on_born(f, tid); break;
    case EVENT_STOP: on_group(f, tid, WSTOPSIG(st)); break;
    case 0: go_on(tid, WSTOPSIG(st)); break; /* a signal on its way */
    default: go_on(tid, 0); break;
    }
}

/** One by one, so that nothing is taken that others of this process wait for. */
static bool look_once(gl_follow *f)
{
    bool any = false;
    for (size_t i = 0; i < f->n; i++) {
        int st;
        pid_t tid = f->traced[i].tid, got = waitpid(tid, &st, __WALL | WNOHANG | __WNOTHREAD);
        if (got == 0)
            continue;
        any = true;
        if (got < 0)
            lost(f, i);
        else if (WIFSTOPPED(st))
            on_stop(f, tid, st);
        else
            on_ended(f, tid, st);
    }
    return any;
}

/* Gates */

static long futex(uint32_t *word, int what, uint32_t value, const struct timespec *within)
{
    return syscall(SYS_futex, word, what, value, within, NULL, 0);
}

/** Waits for somebody to come. What is missed is noticed a little later. */
static void *watch_gate(void *user)
{
    gate *g = user;
    const struct timespec within = {0, GATE_LOOK_NS};
    while (!__atomic_load_n(&g->end, __ATOMIC_ACQUIRE)) {
        uint32_t asked = __atomic_load_n(&g->at->asked, __ATOMIC_SEQ_CST);
        bool waits = asked != __atomic_load_n(&g->at->answered, __ATOMIC_SEQ_CST);
        if (!waits && kill(g->pid, 0) != 0 && errno == ESRCH) {
            __atomic_store_n(&g->over, true, __ATOMIC_RELEASE);
            waits = true;
        }
        if (waits)
            eventfd_write(g->wake, 1);
        if (__atomic_load_n(&g->over, __ATOMIC_RELAXED))
            break;
        futex(&g->at->asked, FUTEX_WAIT, asked, &within);
    }
    return NULL;
}

static void answer(gate *g)
{
    __atomic_store_n(&g->at->answered, __atomic_load_n(&g->at->asked, __ATOMIC_SEQ_CST), __ATOMIC_SEQ_CST);
    futex(&g->at->answered, FUTEX_WAKE, INT32_MAX, NULL);
}

/** The process of a thread, and its parent. False where there is none of that number. */
static bool family_of(pid_t tid, pid_t *group, pid_t *parent)
{
    char path[48], line[128];
    int found = 0;
    snprintf(path, sizeof path, "/proc/%d/status", (int)tid);
    FILE *f = fopen(path, "re");
    while (f && found < 2 && fgets(line, sizeof line, f))
        found += sscanf(line, "Tgid: %d", group) == 1 || sscanf(line, "PPid: %d", parent) == 1;
    if (f)
        fclose(f);
    return found == 2;
}

static bool seize(gl_follow *f, pid_t tid, pid_t group)
{
    return ptrace(PTRACE_SEIZE, tid, NULL, (void *)(uintptr_t)OPTIONS) == 0 && add(f, tid, group == tid ? 0 : group);
}

/** The goroutine that is about to exec may yet move to another thread: all are seized. What they make is so by itself. */
static void seize_all(gl_follow *f, pid_t pid)
{
    char path[48];
    snprintf(path, sizeof path, "/proc/%d/task", (int)pid);
    for (bool any = true; any;) {
        DIR *dir = opendir(path);
        any = false;
        for (struct dirent *e; dir && (e = readdir(dir));) {
            pid_t tid = (pid_t)strtol(e->d_name, NULL, 10);
            any |= tid > 0 && seize(f, tid, pid); /* one that is ours already can't be seized again */
        }
        if (dir)
            closedir(dir);
    }
}

/** A child is seized before its exec. (Whose number is another's to us is of another pid namespace: it goes on alone.) */
static void serve(gl_follow *f, gate *g)
{
    pid_t tid = (pid_t)g->at->tid, group, parent;
    if (tid > 0 && family_of(tid, &group, &parent)) {
        if (group == g->pid)
            seize_all(f, group);
        else if (parent == g->pid)
            seize(f, tid, group);
    }
    answer(g);
}

static void close_gate(gate *g)
{
    __atomic_store_n(&g->at->open, 0, __ATOMIC_SEQ_CST);
    answer(g);
    __atomic_store_n(&g->end, true, __ATOMIC_RELEASE);
    futex(&g->at->asked, FUTEX_WAKE, INT32_MAX, NULL);
    pthread_join(g->thread, NULL);
    munmap(g->page, g->bytes);
    free(g);
}

static void look_at_gates(gl_follow *f)
{
    eventfd_t n;
    if (eventfd_read(f->wake, &n) != 0)
        return;
    for (size_t i = f->gate_count; i-- > 0;) {
        gate *g = f->gates[i];
        if (g->at->asked != __atomic_load_n(&g->at->answered, __ATOMIC_SEQ_CST))
            serve(f, g);
        if (__atomic_load_n(&g->over, __ATOMIC_ACQUIRE)) {
            f->gates[i] = f->gates[--f->gate_count];
            close_gate(g);
        }
    }
}

static gate *open_gate(int fd, size_t offset, pid_t pid, int wake)
{
    gate *g = calloc(1, sizeof *g);
    if (!g)
        return NULL;
    *g = (gate){.pid = pid, .wake = wake, .bytes = offset + sizeof(gl_probe_gate)};
    g->page = mmap(NULL, g->bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (g->page == MAP_FAILED) {
        free(g);
        return NULL;
    }
    g->at = (gl_probe_gate *)(void *)((char *)g->page + offset);
    if (pthread_create(&g->thread, NULL, watch_gate, g) == 0)
        return g;
    munmap(g->page, g->bytes);
    free(g);
    return NULL;
}

void gl_follow_gate(gl_follow *f, const gl_probe_source *source, bool root)
{
    size_t offset = 0;
    int fd = source->ops->gate ? source->ops->gate(source->self, &offset) : -1;
    if (root)
        f->root = (pid_t)source->pid;
    if (fd < 0)
        return;
    if (f->gate_count == f->gate_room) {
        size_t room = f->gate_room ? 2 * f->gate_room : 16;
        gate **more = realloc(f->gates, room * sizeof(gate *));
        if (more) {
            f->gates = more;
            f->gate_room = room;
        }
    }
    gate *g = f->gate_count < f->gate_room ? open_gate(fd, offset, (pid_t)source->pid, f->wake) : NULL;
    if (g)
        f->gates[f->gate_count++] = g;
    close(fd);
}

int gl_follow_descriptor(const gl_follow *f)
{
    return f->wake;
}

void gl_follow_look(gl_follow *f)
{
    look_at_gates(f);
    while (look_once(f)) {
    }
}

/* From outside */

int gl_follow_new(const gl_follow_options *opt, gl_follow **out, gl_error *err)
{
    gl_follow *f = calloc(1, sizeof *f);
    if (!f)
        return gl_fail(err, GL_E_NOMEM, UINT64_MAX, "no memory for following processes");
    f->opt = *opt;
    f->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (f->wake < 0) {
        free(f);
        return gl_fail(err, GL_E_NOMEM, UINT64_MAX, "processes can't be followed: %s", strerror(errno));
    }
    *out = f;
    return 0;
}

int gl_follow_take(gl_follow *f, pid_t pid, gl_error *err)
{
    if (!add(f, pid, 0))
        return gl_fail(err, GL_E_NOMEM, UINT64_MAX, "no memory for following processes");
    if (ptrace(PTRACE_SEIZE, pid, NULL, (void *)(uintptr_t)OPTIONS) != 0) {
        int why = errno;
        drop(f, pid);
        return gl_fail(err, GL_E_UNSUPPORTED, UINT64_MAX, "children of process %d can't be followed (%s)", (int)pid, strerror(why));
    }
    if (f->root == 0)
        f->root = pid;
    return 0;
}

bool gl_follow_has_root(const gl_follow *f)
{
    for (size_t i = 0; i < f->n; i++)
        if (f->root && (f->traced[i].tid == f->root || f->traced[i].group == f->root))
            return true;
    return f->root_ended;
}

bool gl_follow_root_ended(const gl_follow *f, int *wait_status)
{
    *wait_status = f->root_status;
    return f->root_ended;
}

int gl_follow_root_stopped(gl_follow *f)
{
    int signal = f->root_stopped;
    f->root_stopped = 0;
    return signal;
}

static int64_t now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

/** A thread has to stop before it can be let go; one that sleeps where it can't be woken is freed by our own end. */
static void let_all_go(gl_follow *f)
{
    int64_t until = now_ns() + LET_GO_NS;
    for (size_t i = 0; i < f->n; i++)
        ptrace(PTRACE_INTERRUPT, f->traced[i].tid, NULL, NULL);
    while (f->n > 0 && now_ns() < until) {
        for (size_t i = f->n; i-- > 0;) {
            int st;
            pid_t tid = f->traced[i].tid, got = waitpid(tid, &st, __WALL | WNOHANG | __WNOTHREAD);
            if (got < 0 || (got > 0 && !WIFSTOPPED(st)))
                drop(f, tid);
            else if (got > 0) {
                if (st >> 16 == PTRACE_EVENT_FORK || st >> 16 == PTRACE_EVENT_VFORK || st >> 16 == PTRACE_EVENT_CLONE) {
                    unsigned long born = 0;
                    if (ptrace(PTRACE_GETEVENTMSG, tid, NULL, &born) == 0 && born > 0)
                        add(f, (pid_t)born, 0);
                }
                let_go(f, tid, st >> 16 == 0 ? WSTOPSIG(st) : 0);
            }
        }
        nanosleep(&(struct timespec){0, 200000}, NULL);
    }
}

void gl_follow_free(gl_follow *f)
{
    if (!f)
        return;
    for (size_t i = 0; i < f->gate_count; i++)
        close_gate(f->gates[i]);
    let_all_go(f);
    close(f->wake);
    free(f->gates);
    free(f->traced);
    free(f);
}
