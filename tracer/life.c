/*
 * When and how recorded processes began and ended, as metadata of the trace: process.N.path, .start_ns, .end_ns, .exit.
 * How a process ended that is not our own child is asked of the kernel, which knows it (Linux 6.15 and later) once its
 * parent has waited for it.
 */
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "recording_internal.h"

#define LIVES_MAX 256u /* whose descriptors are kept open at once */

/* linux/pidfd.h, which older systems don't have. */
typedef struct pidfd_info {
    uint64_t mask, cgroup;
    uint32_t ids[11];
    int32_t exit_code;
} pidfd_info;
#define GET_INFO _IOWR(0xFF, 11, pidfd_info)
#define INFO_EXIT (UINT64_C(1) << 3)

static int put(gl_recording *r, uint32_t process, const char *what, const char *value)
{
    char key[48];
    snprintf(key, sizeof key, "process.%u.%s", process, what);
    return gl_store_meta(&r->store, key, value);
}

static int put_time(gl_recording *r, uint32_t process, const char *what, int64_t ns)
{
    char text[32];
    snprintf(text, sizeof text, "%" PRId64, ns > r->zero ? ns - r->zero : 0);
    return put(r, process, what, text);
}

int gl_life_begin(gl_recording *r, gl_intake *in)
{
    const gl_probe_source *s = &in->source;
    if (!s->path)
        return 0;
    int status = gl_names_process(r->names, s, &in->process);
    if (status >= 0)
        status = put(r, in->process, "path", s->path);
    if (status < 0)
        return status;
    if (r->lives == r->lives_room) {
        size_t room = r->lives_room ? 2 * r->lives_room : 16;
        gl_life *more = realloc(r->life, room * sizeof *more);
        if (!more)
            return GL_E_NOMEM;
        r->life = more;
        r->lives_room = room;
    }
    if (r->lives >= LIVES_MAX)
        status = gl_life_settle(r);
    int fd = r->lives < LIVES_MAX ? (int)syscall(SYS_pidfd_open, s->pid, 0) : -1;
    if (fd >= 0)
        r->life[r->lives++] = (gl_life){in->process, fd};
    return status;
}

int gl_life_end(gl_recording *r, const gl_intake *in, bool ended)
{
    struct timespec now;
    if (!in->source.path || !r->zero_known)
        return 0;
    clock_gettime(CLOCK_MONOTONIC, &now);
    int status = put_time(r, in->process, "start_ns", in->first.monotonic_ns);
    if (status >= 0 && ended)
        status = put_time(r, in->process, "end_ns", (int64_t)now.tv_sec * 1000000000 + now.tv_nsec);
    return status;
}

static int put_exit(gl_recording *r, const gl_life *l, int wait_status)
{
    char text[32];
    const char *name = WIFSIGNALED(wait_status) ? sigabbrev_np(WTERMSIG(wait_status)) : NULL;
    if (!WIFSIGNALED(wait_status))
        snprintf(text, sizeof text, "%d", WEXITSTATUS(wait_status));
    else if (name)
        snprintf(text, sizeof text, "SIG%s", name);
    else
        snprintf(text, sizeof text, "signal %d", WTERMSIG(wait_status));
    return put(r, l->process, "exit", text);
}

int gl_life_settle(gl_recording *r)
{
    size_t kept = 0;
    int status = 0;
    for (size_t i = 0; i < r->lives; i++) {
        gl_life l = r->life[i];
        pidfd_info info = {.mask = INFO_EXIT};
        if (ioctl(l.fd, GET_INFO, &info) == 0 && (info.mask & INFO_EXIT)) {
            close(l.fd);
            int rc = put_exit(r, &l, info.exit_code);
            status = status < 0 ? status : rc;
        } else {
            r->life[kept++] = l;
        }
    }
    r->lives = kept;
    return status;
}

void gl_life_free(gl_recording *r)
{
    for (size_t i = 0; i < r->lives; i++)
        close(r->life[i].fd);
    free(r->life);
}
