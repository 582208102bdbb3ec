/*
 * Records a program by the patch backend (or --backend uprobe), and says what came out, one fact a line:
 *
 *     patch_run [--facts FILE] [--ring MIB] [--stacks none|block|all] -- PROGRAM ARGUMENT…    launched
 *     patch_run [--facts FILE] [--ring MIB] -p PID [--for MS]              attached, detached after so long
 *
 *     "recording" to standard error once it does. Then what a tally says, and exit, the program's; to standard output, or
 *     into FILE. GOLANES_PATCH_DUMP=1: the events, too.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "golanes/probe_patch.h"
#include "golanes/probe_uprobe.h"
#include "tally.h"

static const gl_probe_provider *backend = &gl_probe_patch;

static int die(const gl_error *err)
{
    fprintf(stderr, "patch_run: %s\n", err->text);
    return 3;
}

static pid_t start(char **argv, void *state, int *error)
{
    int ends[2], go[2];
    char none;
    if (pipe2(ends, O_CLOEXEC) != 0 || pipe2(go, O_CLOEXEC) != 0)
        return -1;
    pid_t pid = fork();
    if (pid == 0) {
        close(ends[0]);
        close(go[1]);
        (void)!read(go[0], &none, 1);
        execvp(argv[0], argv);
        (void)!write(ends[1], &errno, sizeof errno);
        _exit(127);
    }
    *error = backend->forked(state, pid);
    close(go[0]);
    close(go[1]);
    close(ends[1]);
    if (read(ends[0], error, sizeof *error) <= 0)
        *error = 0;
    close(ends[0]);
    return pid;
}

static bool ended(pid_t pid, bool child, int *status)
{
    if (child)
        return waitpid(pid, status, WNOHANG) == pid;
    return kill(pid, 0) != 0 && errno == ESRCH;
}

static int64_t now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static int put(void *user, const char *key, const char *value)
{
    fprintf(user, "%s\t%s\n", key, value);
    return 0;
}

int main(int argc, char **argv)
{
    gl_probe_target target = {0};
    gl_probe_patch_options opt = {0};
    gl_probe_source src;
    gl_error err = {0};
    int64_t length = 0;
    int i = 1, status = 0;
    const char *facts = NULL;
    for (; i < argc && strcmp(argv[i], "--") != 0; i++) {
        if (strcmp(argv[i], "-p") == 0)
            target.pid = atoi(argv[++i]);
        else if (strcmp(argv[i], "--ring") == 0)
            target.rings.large_bytes = (uint64_t)atoi(argv[++i]) << 20;
        else if (strcmp(argv[i], "--backend") == 0)
            backend = strcmp(argv[++i], "uprobe") == 0 ? &gl_probe_uprobe : &gl_probe_patch;
        else if (strcmp(argv[i], "--facts") == 0)
            facts = argv[++i];
        else if (strcmp(argv[i], "--for") == 0)
            length = atoi(argv[++i]);
        else if (strcmp(argv[i], "--stacks") == 0) {
            const char *w = argv[++i];
            opt.stacks = strcmp(w, "none") == 0 ? GL_PROBE_STACKS_NONE : strcmp(w, "all") == 0 ? GL_PROBE_STACKS_ALL : GL_PROBE_STACKS_BLOCK;
        }
    }
    gl_probe_patch_choose(&opt);
    gl_probe_uprobe_choose(&opt);
    tally s = {.dict = gl_dict_new(), .dump = getenv("GOLANES_PATCH_DUMP") != NULL, .source = &src};
    gl_session_sink sink = tally_sink(&s);
    int rc;
    pid_t pid = target.pid;
    if (backend == &gl_probe_uprobe && gl_probe_uprobe_available(&err) < 0) {
        fprintf(stderr, "patch_run: %s\n", err.text);
        return 77;
    }
    if (pid) {
        rc = backend->join(&target, &src, &err);
    } else {
        target.path = argv[i + 1];
        target.argv = argv + i + 1;
        gl_probe_start extra = {0};
        void *state;
        int error;
        rc = backend->fits(&target, &err);
        if (rc <= 0) {
            fprintf(stderr, "patch_run: %s\n", rc < 0 ? err.text : "not a Go program");
            return 3;
        }
        rc = backend->prepare(&target, &extra, &state, &err);
        if (rc < 0)
            return die(&err);
        pid = start(argv + i + 1, state, &error);
        rc = backend->started(state, pid, &src, &err);
    }
    if (rc < 0)
        return die(&err);
    setpriority(PRIO_PROCESS, 0, -15); /* where that is allowed: readers that wait lose events */
    int64_t until = length ? now_ms() + length : INT64_MAX;
    if (src.ops->begin(src.self, &sink, &err) < 0)
        return die(&err);
    fprintf(stderr, "recording\n");
    while (!ended(pid, target.pid == 0, &status) && now_ms() < until) {
        if (src.ops->drain(src.self, 0, &sink, &err) < 0)
            return die(&err);
        src.ops->tend(src.self);
        usleep(500);
    }
    src.ops->stop(src.self);
    usleep(2000);
    if (src.ops->drain(src.self, 0, &sink, &err) < 0 || src.ops->finish(src.self, 0, &sink, &err) < 0)
        return die(&err);
    FILE *to = facts ? fopen(facts, "we") : stdout;
    if (!to)
        return 3;
    tally_print(&s, to);
    src.ops->meta(src.self, put, to);
    src.ops->close(src.self);
    tally_free(&s);
    struct rusage used;
    if (target.pid == 0 && getrusage(RUSAGE_CHILDREN, &used) == 0)
        fprintf(to, "cpu_us\t%lld\n", (long long)(used.ru_utime.tv_sec + used.ru_stime.tv_sec) * 1000000 + used.ru_utime.tv_usec + used.ru_stime.tv_usec);
    if (target.pid == 0)
        fprintf(to, "exit\t%d\n", WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
    return to == stdout || fclose(to) == 0 ? 0 : 3;
}
