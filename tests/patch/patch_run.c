/*
 * Records a program by the patch backend, and says what came out, one fact a line:
 *
 *     patch_run [--stacks none|block|all] -- PROGRAM ARGUMENT…       launched
 *     patch_run -p PID [--for MS]                                    attached, detached after so long
 *
 *     NAME TAB COUNT for each event seen, then: events, violations (of the chain of states, checked here anew), broken (as
 *     the translation counts them), steps-back (an event older than the one before it), lost, gc-stops and nameless-stops (of
 *     the world: for the collector, for no known reason), stop_us, exit.
 *     GOLANES_PATCH_DUMP=1: the events, too.
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

#include "golanes/dict.h"
#include "golanes/probe_patch.h"
#include "golanes/state.h"
#include "golanes/clock.h"

typedef struct seen {
    uint64_t of[GL_EV_LIMIT], events, violations, back, lost, waits_told, gc_stops, nameless_stops;
    int64_t last;
    gl_dict *dict;
    uint8_t *state; /* by goroutine */
    size_t states;
    bool dump;
    uint32_t threads;
} seen;

static int on_thread(void *user, const gl_session_owner *owner, gl_session_thread *out)
{
    seen *s = user;
    (void)owner;
    *out = (gl_session_thread){.thread = s->threads++};
    return 0;
}

static int on_text(void *user, const char *text, size_t n, uint32_t *id)
{
    seen *s = user;
    return gl_dict_string(s->dict, text, n, id);
}

static int on_stack(void *user, uint32_t pid, const uint64_t *pcs, size_t n, uint32_t *id)
{
    (void)user;
    (void)pid;
    (void)pcs;
    *id = (uint32_t)n;
    return 0;
}

static void check(seen *s, const gl_event *ev)
{
    gl_transition t;
    if (!gl_event_transition(ev, &t))
        return;
    if (t.id >= s->states) {
        size_t n = (size_t)t.id * 2 + 1024;
        s->state = realloc(s->state, n);
        memset(s->state + s->states, 0, n - s->states);
        s->states = n;
    }
    uint8_t was = s->state[t.id];
    bool unknown = was == GL_G_UNDETERMINED || (was == GL_G_NOT_EXIST && ev->type == GL_EV_GoCreate);
    if (t.from != was && !(unknown && (t.from == GL_G_NOT_EXIST || ev->type == GL_EV_GoStatus))) {
        s->violations++;
        if (s->violations < 20)
            fprintf(stderr, "violation: %s g %llu was %s\n", gl_event_lookup(ev->type)->name, (unsigned long long)t.id, gl_gstate_name(was));
    }
    s->state[t.id] = t.to;
}

static void look_at_stop(seen *s, const gl_event *ev)
{
    size_t n;
    const char *why = gl_dict_text(s->dict, (uint32_t)ev->arg[0], &n);
    s->gc_stops += n > 3 && memcmp(why, "GC ", 3) == 0;
    s->nameless_stops += n == 0;
}

static int on_events(void *user, const gl_event *events, size_t n)
{
    seen *s = user;
    for (size_t i = 0; i < n; i++) {
        const gl_event *ev = &events[i];
        s->events++;
        s->of[ev->type]++;
        s->back += ev->time < s->last;
        s->last = ev->time;
        if (ev->type == GL_EV_Lost)
            s->lost += ev->arg[0];
        if (ev->type == GL_EV_GCSTWBegin)
            look_at_stop(s, ev);
        check(s, ev);
        if (s->dump) {
            printf("%lld g%llu p%d t%u %s %llx %llx %llx stack %u flags %u", (long long)ev->time, (unsigned long long)ev->g, (int)ev->p, ev->thread,
                   gl_event_lookup(ev->type)->name, (unsigned long long)ev->arg[0], (unsigned long long)ev->arg[1],
                   (unsigned long long)ev->arg[2], ev->stack, ev->flags);
            gl_transition t;
            (void)t;
            const gl_event_info *info = gl_event_lookup(ev->type);
            for (int k = 0; k < info->arg_count; k++)
                if (info->args[k].kind == GL_KIND_STRING)
                    { size_t len; printf(" '%s'", gl_dict_text(s->dict, (uint32_t)ev->arg[k], &len)); }
            printf("\n");
        }
    }
    return 0;
}

static int die(const gl_error *err)
{
    fprintf(stderr, "patch_run: %s\n", err->text);
    return 3;
}

static pid_t start(char **argv, void *state, int *error)
{
    int ends[2];
    if (pipe(ends) != 0)
        return -1;
    pid_t pid = fork();
    if (pid == 0) {
        close(ends[0]);
        fcntl(ends[1], F_SETFD, FD_CLOEXEC);
        int rc = gl_probe_patch.in_child(state);
        if (rc == 0) {
            execvp(argv[0], argv);
            rc = errno;
        }
        (void)!write(ends[1], &rc, sizeof rc);
        _exit(127);
    }
    close(ends[1]);
    *error = 0;
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
    (void)user;
    printf("%s\t%s\n", key, value);
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
    for (; i < argc && strcmp(argv[i], "--") != 0; i++) {
        if (strcmp(argv[i], "-p") == 0)
            target.pid = atoi(argv[++i]);
        else if (strcmp(argv[i], "--ring") == 0)
            target.rings.large_bytes = (uint64_t)atoi(argv[++i]) << 20;
        else if (strcmp(argv[i], "--for") == 0)
            length = atoi(argv[++i]);
        else if (strcmp(argv[i], "--stacks") == 0) {
            const char *w = argv[++i];
            opt.stacks = strcmp(w, "none") == 0 ? GL_PROBE_STACKS_NONE : strcmp(w, "all") == 0 ? GL_PROBE_STACKS_ALL : GL_PROBE_STACKS_BLOCK;
        }
    }
    gl_probe_patch_choose(&opt);
    seen s = {.dict = gl_dict_new(), .dump = getenv("GOLANES_PATCH_DUMP") != NULL};
    gl_session_sink sink = {&s, on_thread, on_text, on_stack, on_events};
    int rc;
    pid_t pid = target.pid;
    if (pid) {
        rc = gl_probe_patch.join(&target, &src, &err);
    } else {
        target.path = argv[i + 1];
        target.argv = argv + i + 1;
        gl_probe_start extra = {0};
        void *state;
        int error;
        rc = gl_probe_patch.fits(&target, &err);
        if (rc <= 0) {
            fprintf(stderr, "patch_run: %s\n", rc < 0 ? err.text : "not a Go program");
            return 3;
        }
        rc = gl_probe_patch.prepare(&target, &extra, &state, &err);
        if (rc < 0)
            return die(&err);
        pid = start(argv + i + 1, state, &error);
        rc = gl_probe_patch.started(state, pid, &src, &err);
    }
    if (rc < 0)
        return die(&err);
    setpriority(PRIO_PROCESS, 0, -15); /* where that is allowed: readers that wait lose events */
    int64_t until = length ? now_ms() + length : INT64_MAX;
    if (src.ops->begin(src.self, &sink, &err) < 0)
        return die(&err);
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
    for (unsigned k = 1; k < GL_EV_LIMIT; k++)
        if (s.of[k])
            printf("%s\t%llu\n", gl_event_lookup(k)->name, (unsigned long long)s.of[k]);
    src.ops->meta(src.self, put, NULL);
    printf("gc-stops\t%llu\nnameless-stops\t%llu\n", (unsigned long long)s.gc_stops, (unsigned long long)s.nameless_stops);
    printf("events\t%llu\nviolations\t%llu\nsteps-back\t%llu\nlost\t%llu\n", (unsigned long long)s.events, (unsigned long long)s.violations,
           (unsigned long long)s.back, (unsigned long long)s.lost);
    src.ops->close(src.self);
    gl_dict_destroy(s.dict);
    free(s.state);
    struct rusage used;
    if (target.pid == 0 && getrusage(RUSAGE_CHILDREN, &used) == 0)
        printf("cpu_us\t%lld\n", (long long)(used.ru_utime.tv_sec + used.ru_stime.tv_sec) * 1000000 + used.ru_utime.tv_usec + used.ru_stime.tv_usec);
    if (target.pid == 0)
        printf("exit\t%d\n", WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
    return 0;
}
