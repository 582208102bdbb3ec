#include "recorder.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

bool in_child(void (*f)(void))
{
    fflush(NULL);
    pid_t pid = fork();
    if (pid == 0) {
        /* The test library's handlers would go on with its other tests here. */
        static const int fatal[] = {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGSYS};
        for (size_t i = 0; i < sizeof fatal / sizeof *fatal; i++)
            (void)signal(fatal[i], SIG_DFL);
        f();
        _exit(0);
    }
    int status = 0;
    return pid > 0 && waitpid(pid, &status, 0) == pid && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

void *recorder_grown(void *table, size_t n, size_t size)
{
    if (n & (n - 1)) /* grown when it is full: at powers of two */
        return table;
    void *more = realloc(table, (n ? 2 * n : 1) * size);
    CHECK(more != NULL);
    return more;
}

static int on_thread(void *user, const gl_session_owner *owner, gl_session_thread *out)
{
    recorder *r = user;
    size_t i = 0;
    while (i < r->threads && (r->thread[i].tid != owner->tid || r->thread[i].turn != owner->turn ||
                              r->thread[i].ring != owner->ring || r->thread[i].pid != owner->pid))
        i++;
    if (i == r->threads) {
        r->thread = recorder_grown(r->thread, r->threads, sizeof *r->thread);
        r->thread[r->threads++] = *owner;
    }
    *out = (gl_session_thread){(uint32_t)i, 0};
    return 0;
}

static int on_text(void *user, const char *text, size_t n, uint32_t *id)
{
    recorder *r = user;
    for (*id = 1; *id <= r->texts; ++*id)
        if (strlen(r->text[*id - 1]) == n && !memcmp(r->text[*id - 1], text, n))
            return 0;
    r->text = recorder_grown(r->text, r->texts, sizeof *r->text);
    r->text[r->texts++] = strndup(text, n);
    return 0;
}

static int on_stack(void *user, uint32_t pid, const uint64_t *pcs, size_t n, uint32_t *id)
{
    recorder *r = user;
    (void)pid;
    for (*id = 1; *id <= r->stacks; ++*id)
        if (r->stack[*id - 1].n == n && !memcmp(r->stack[*id - 1].pcs, pcs, n * sizeof *pcs))
            return 0;
    r->stack = recorder_grown(r->stack, r->stacks, sizeof *r->stack);
    memcpy(r->stack[r->stacks].pcs, pcs, n * sizeof *pcs);
    r->stack[r->stacks++].n = n;
    return 0;
}

static int on_events(void *user, const gl_event *events, size_t n)
{
    recorder *r = user;
    for (size_t i = 0; i < n; i++) {
        if (events[i].type == GL_EV_Lost && events[i].arg[1] == 0)
            r->lost += events[i].arg[0];
        else if (events[i].type == GL_EV_Lost)
            r->damaged++;
        else
            r->count++;
        if (!r->keep)
            continue;
        r->event = recorder_grown(r->event, r->events, sizeof *r->event);
        r->event[r->events++] = events[i];
    }
    return 0;
}

static gl_event *room(void *user, size_t *n)
{
    recorder *r = user;
    *n = sizeof r->place / sizeof *r->place;
    memset(r->place, 0xa5, sizeof r->place); /* nothing is left as it was */
    return r->place;
}

static int added(void *user, size_t n)
{
    recorder *r = user;
    CHECK(n > 0 && n <= sizeof r->place / sizeof *r->place);
    return on_events(r, r->place, n);
}

void recorder_go_direct(recorder *r, const gl_clock_map *clock)
{
    r->direct = (gl_session_direct){room, added, clock};
    r->sink.direct = &r->direct;
}

static void start(recorder *r, gl_session *s)
{
    *r = (recorder){.session = s, .keep = true};
    r->sink = (gl_session_sink){r, on_thread, on_text, on_stack, on_events, NULL};
    gl_session_listen(s, true);
}

void recorder_join(recorder *r, const gl_session_options *opt)
{
    gl_session *s;
    gl_error err = {0};
    if (gl_session_join(getpid(), opt, &s, &err) < 0) {
        fprintf(stderr, "%s\n", err.text);
        _exit(1);
    }
    start(r, s);
}

void recorder_create(recorder *r, const gl_session_options *opt)
{
    gl_session *s;
    gl_error err = {0};
    if (gl_session_create(opt, &s, &err) < 0) {
        fprintf(stderr, "%s\n", err.text);
        _exit(1);
    }
    start(r, s);
}

void recorder_drain(recorder *r)
{
    for (uint32_t i = 0; i < gl_session_rings(r->session); i++)
        CHECK_EQUAL(gl_session_drain(r->session, i, &r->sink, NULL), 0);
}

void recorder_finish(recorder *r)
{
    for (uint32_t i = 0; i < gl_session_rings(r->session); i++)
        CHECK_EQUAL(gl_session_finish(r->session, i, &r->sink, NULL), 0);
}

void recorder_forget(recorder *r)
{
    r->events = 0;
    r->count = r->lost = r->damaged = 0;
}

void recorder_close(recorder *r)
{
    gl_session_close(r->session);
    for (size_t i = 0; i < r->texts; i++)
        free(r->text[i]);
    free(r->text);
    free(r->stack);
    free(r->event);
    free(r->thread);
}

const char *recorder_text(const recorder *r, uint64_t id)
{
    return id && id <= r->texts ? r->text[id - 1] : "";
}
