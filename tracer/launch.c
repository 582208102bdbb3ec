#include "launch.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define LOOK_MS 20
#define PATH_DEFAULT "/bin:/usr/bin"

extern char **environ;

static struct {
    bool known;
    bool ignored[NSIG];
    sigset_t mask;
} given;

void gl_launch_remember(void)
{
    for (int i = 1; i < NSIG; i++) {
        struct sigaction act;
        given.ignored[i] = sigaction(i, NULL, &act) == 0 && act.sa_handler == SIG_IGN;
    }
    sigprocmask(SIG_SETMASK, NULL, &given.mask);
    given.known = true;
}

static void restore_signals(void)
{
    if (!given.known)
        return;
    for (int i = 1; i < NSIG; i++)
        if (i != SIGKILL && i != SIGSTOP)
            (void)signal(i, given.ignored[i] ? SIG_IGN : SIG_DFL);
    sigprocmask(SIG_SETMASK, &given.mask, NULL);
}

static bool can_run(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0 && S_ISREG(st.st_mode) && access(path, X_OK) == 0;
}

bool gl_launch_find(const char *name, char *path, size_t size)
{
    if (strchr(name, '/'))
        return (size_t)snprintf(path, size, "%s", name) < size && can_run(name);
    const char *at = getenv("PATH");
    for (at = at ? at : PATH_DEFAULT;; at++) {
        int n = (int)strcspn(at, ":");
        if ((size_t)snprintf(path, size, "%.*s%s%s", n, at, n ? "/" : "", name) < size && can_run(path))
            return true;
        at += n;
        if (!*at)
            return false;
    }
}

static bool names_same(const char *a, const char *b)
{
    size_t n = strcspn(a, "=");
    return strncmp(a, b, n) == 0 && b[n] == '=';
}

/** Our environment with the provider's variables in the place of older ones. The texts stay their owners'. */
static char **make_environment(gl_probe_start *start)
{
    size_t n = 0, k = 0;
    while (environ[n])
        n++;
    char **out = calloc(n + start->environment_count + 1, sizeof *out);
    if (!out)
        return NULL;
    for (size_t i = 0; i < n; i++) {
        bool replaced = false;
        for (unsigned e = 0; e < start->environment_count; e++)
            replaced |= names_same(start->environment[e], environ[i]);
        if (!replaced)
            out[k++] = environ[i];
    }
    for (unsigned e = 0; e < start->environment_count; e++)
        out[k++] = start->environment[e];
    return out;
}

typedef struct launch {
    const gl_probe_provider *provider;
    const gl_probe_target *target;
    gl_probe_start start;
    void *state;
    char **environment;
    const gl_launch_gate *gate;
    int open[2];   /* the child waits until this is closed here */
    int report[2]; /* the child writes an errno here, or closes it by exec */
} launch;

/** The child waits for us: somebody takes hold of it in front of its exec. */
static bool is_held(const launch *l)
{
    return l->gate || l->provider->forked;
}

_Noreturn static void in_child(launch *l)
{
    int error = 0;
    char none;
    if (is_held(l)) {
        close(l->open[1]);
        (void)!read(l->open[0], &none, 1);
    }
    restore_signals();
    for (unsigned i = 0; i < l->start.fd_count; i++)
        if (fcntl(l->start.fds[i], F_SETFD, 0) < 0)
            error = errno;
    if (!error) {
        execvpe(l->target->argv[0], l->target->argv, l->environment);
        error = errno;
    }
    (void)!write(l->report[1], &error, sizeof error);
    _exit(127);
}

/** A child that is traced stops for each signal that is sent to it; until its exec nobody else looks. */
static void let_on(pid_t pid)
{
    siginfo_t si = {0};
    int st;
    if (waitid(P_PID, (id_t)pid, &si, WSTOPPED | WNOHANG | WNOWAIT | __WALL) != 0 || si.si_pid != pid ||
        si.si_code != CLD_TRAPPED || si.si_status >> 8 == PTRACE_EVENT_EXEC)
        return;
    if (waitpid(pid, &st, __WALL) == pid && WIFSTOPPED(st))
        ptrace(PTRACE_CONT, pid, NULL, (void *)(intptr_t)(st >> 16 == 0 ? WSTOPSIG(st) : 0));
}

/** 0 after a successful exec, else the child's errno. */
static int wait_for_exec(launch *l, pid_t pid)
{
    int error = 0;
    ssize_t n;
    struct pollfd end = {.fd = l->report[0], .events = POLLIN};
    close(l->report[1]);
    while (is_held(l) && poll(&end, 1, LOOK_MS) <= 0)
        let_on(pid);
    while ((n = read(l->report[0], &error, sizeof error)) < 0 && errno == EINTR) {
    }
    return n == (ssize_t)sizeof error ? error : 0;
}

static gl_launch_result not_started(const char *name, int error, gl_error *err)
{
    gl_fail(err, GL_E_NOT_FOUND, UINT64_MAX, "%s can't be started: %s", name, strerror(error));
    return error == ENOENT ? GL_LAUNCH_NOT_FOUND : GL_LAUNCH_NOT_EXECUTABLE;
}

/** Those who want it take hold of the child, and it goes on to its exec. The provider's errno. */
static int let_in(launch *l, pid_t pid)
{
    int error = 0;
    if (!is_held(l))
        return 0;
    if (pid > 0 && l->provider->forked)
        error = l->provider->forked(l->state, pid);
    if (pid > 0 && l->gate)
        l->gate->forked(l->gate->user, pid);
    close(l->open[0]);
    close(l->open[1]);
    return error;
}

static gl_launch_result start(launch *l, pid_t *pid, gl_probe_source *source, gl_error *err)
{
    const char *name = l->target->argv[0];
    *pid = fork();
    if (*pid == 0)
        in_child(l);
    int failed = errno, not_held = let_in(l, *pid);
    int error = *pid < 0 ? failed : wait_for_exec(l, *pid);
    if (*pid < 0 || error || not_held)
        l->provider->discard(l->state);
    if (*pid < 0) {
        gl_fail(err, GL_E_NOMEM, UINT64_MAX, "%s can't be started: %s", name, strerror(error));
        return GL_LAUNCH_FAILED;
    }
    if (error) {
        waitpid(*pid, NULL, 0);
        return not_started(name, error, err);
    }
    if (not_held)
        gl_fail(err, GL_E_UNSUPPORTED, UINT64_MAX, "it may not be traced (%s)", strerror(not_held));
    else if (l->provider->started(l->state, *pid, source, err) >= 0)
        return GL_LAUNCHED;
    source->ops = NULL;
    return GL_LAUNCHED;
}

gl_launch_result gl_launch(const gl_probe_provider *provider, const gl_probe_target *target, const gl_launch_gate *gate,
                           pid_t *pid, gl_probe_source *source, gl_error *err)
{
    launch l = {.provider = provider, .target = target, .gate = gate};
    *source = (gl_probe_source){0};
    if (provider->prepare(target, &l.start, &l.state, err) < 0)
        return GL_LAUNCH_FAILED;
    l.environment = make_environment(&l.start);
    bool ready = l.environment && (!is_held(&l) || pipe2(l.open, O_CLOEXEC) == 0);
    if (ready && pipe2(l.report, O_CLOEXEC) < 0) {
        ready = false;
        if (is_held(&l)) {
            close(l.open[0]);
            close(l.open[1]);
        }
    }
    if (!ready) {
        provider->discard(l.state);
        free(l.environment);
        gl_fail(err, GL_E_NOMEM, UINT64_MAX, "%s can't be started: %s", target->argv[0], strerror(errno));
        return GL_LAUNCH_FAILED;
    }
    gl_launch_result result = start(&l, pid, source, err);
    close(l.report[0]);
    if (*pid < 0)
        close(l.report[1]);
    free(l.environment);
    return result;
}
