#include "traced.h"

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "golanes/probe_session.h"

static int on_thread(void *user, const gl_session_owner *owner, gl_session_thread *out)
{
    const traced *t = user;
    gl_thread_info info = {.tid = owner->tid};
    out->process = 0;
    return gl_dict_thread(t->dict, info, &out->thread);
}

static int on_text(void *user, const char *text, size_t n, uint32_t *id)
{
    const traced *t = user;
    return gl_dict_string(t->dict, text, n, id);
}

static int on_stack(void *user, uint32_t pid, const uint64_t *pcs, size_t n, uint32_t *id)
{
    const traced *t = user;
    uint32_t frames[GL_RING_STACK_MAX];
    (void)pid;
    for (size_t i = 0; i < n; i++) {
        int status = gl_dict_frame(t->dict, (gl_frame){.pc = pcs[i]}, &frames[i]);
        if (status < 0)
            return status;
    }
    return gl_dict_stack(t->dict, frames, n, id);
}

static int on_events(void *user, const gl_event *events, size_t n)
{
    traced *t = user;
    if (t->count + n > t->capacity) {
        size_t more = 2 * (t->count + n);
        gl_event *grown = realloc(t->events, more * sizeof *grown);
        if (!grown)
            return GL_E_NOMEM;
        t->events = grown;
        t->capacity = more;
    }
    memcpy(t->events + t->count, events, n * sizeof *events);
    t->count += n;
    return 0;
}

static bool drain(gl_session *s, traced *t, bool last)
{
    const gl_session_sink sink = {t, on_thread, on_text, on_stack, on_events, NULL};
    gl_error err = {0};
    for (uint32_t i = 0; i < gl_session_rings(s); i++) {
        int status = last ? gl_session_finish(s, i, &sink, &err) : gl_session_drain(s, i, &sink, &err);
        if (status < 0) {
            fprintf(stderr, "%s\n", err.text);
            return false;
        }
    }
    return true;
}

static bool start(const gl_session *s, char *const *argv, pid_t *pid, int *out)
{
    char variable[64];
    char *envp[] = {variable, NULL};
    int ends[2], fd = gl_session_fd(s);
    posix_spawn_file_actions_t files;
    gl_session_environment(s, variable, sizeof variable);
    if (pipe2(ends, O_CLOEXEC) < 0)
        return false;
    posix_spawn_file_actions_init(&files);
    posix_spawn_file_actions_adddup2(&files, fd, fd);
    posix_spawn_file_actions_adddup2(&files, ends[1], STDOUT_FILENO);
    int status = posix_spawn(pid, argv[0], &files, NULL, argv, envp);
    posix_spawn_file_actions_destroy(&files);
    close(ends[1]);
    *out = ends[0];
    return status == 0;
}

/** Until the program closes its standard output; its rings are drained meanwhile. */
static bool follow(gl_session *s, traced *t, int out)
{
    size_t have = 0;
    for (;;) {
        struct pollfd ready = {.fd = out, .events = POLLIN};
        if (poll(&ready, 1, 5) < 0 || !drain(s, t, false))
            return false;
        (void)gl_session_tend(s);
        if (!ready.revents)
            continue;
        ssize_t n = read(out, t->text + have, sizeof t->text - 1 - have);
        if (n <= 0)
            return n == 0;
        have += (size_t)n;
        t->text[have] = 0;
    }
}

typedef struct place {
    int64_t time;
    size_t at;
} place;

static int by_time(const void *a, const void *b)
{
    const place *x = a, *y = b;
    return x->time != y->time ? (x->time < y->time ? -1 : 1) : (x->at > y->at) - (x->at < y->at);
}

/** Stamps are the counter's ticks: from the first event on they do for nanoseconds here. */
static bool put_in_order(traced *t)
{
    place *order = calloc(t->count + 1, sizeof *order);
    gl_event *sorted = calloc(t->count + 1, sizeof *sorted);
    for (size_t i = 0; order && i < t->count; i++)
        order[i] = (place){t->events[i].time, i};
    if (order)
        qsort(order, t->count, sizeof *order, by_time);
    for (size_t i = 0; order && sorted && i < t->count; i++) {
        sorted[i] = t->events[order[i].at];
        sorted[i].time -= order[0].time;
    }
    bool good = order && sorted;
    free(order);
    free(t->events);
    t->events = sorted;
    return good;
}

bool traced_run(traced *t, char *const *argv)
{
    gl_error err = {0};
    gl_session *s = NULL;
    pid_t pid = 0;
    int out = -1;
    memset(t, 0, sizeof *t);
    t->dict = gl_dict_new();
    if (!t->dict || gl_session_create(&(gl_session_options){.slots = 64}, &s, &err) < 0) {
        fprintf(stderr, "%s\n", err.text);
        return false;
    }
    gl_session_listen(s, true);
    bool good = start(s, argv, &pid, &out) && follow(s, t, out);
    good = good && waitpid(pid, &t->status, 0) == pid && drain(s, t, true);
    if (out >= 0)
        close(out);
    gl_session_close(s);
    return good && put_in_order(t);
}

void traced_clean_up(traced *t)
{
    gl_dict_destroy(t->dict);
    free(t->events);
}

uint64_t traced_number(const traced *t, const char *name)
{
    size_t n = strlen(name);
    for (const char *line = t->text; line && *line; line = strchr(line, '\n')) {
        line += *line == '\n';
        if (!strncmp(line, name, n) && line[n] == ' ')
            return strtoull(line + n + 1, NULL, 10);
    }
    return UINT64_MAX;
}
