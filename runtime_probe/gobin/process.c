#include "golanes/goprocess.h"

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

#define LINE 4608

static bool starts(const char *line, const char *with, const char **rest)
{
    size_t n = strlen(with);
    if (strncmp(line, with, n) != 0)
        return false;
    *rest = line + n + strspn(line + n, " \t");
    return true;
}

static bool read_status(gl_goprocess *p)
{
    char path[64], line[LINE];
    const char *rest;
    snprintf(path, sizeof path, "/proc/%d/status", p->pid);
    FILE *f = fopen(path, "re");
    if (!f)
        return false;
    while (fgets(line, sizeof line, f)) {
        if (starts(line, "State:", &rest))
            p->state = *rest;
        else if (starts(line, "Uid:", &rest))
            p->uid = (unsigned)strtoul(rest, NULL, 10);
        else if (starts(line, "TracerPid:", &rest))
            p->tracer = (int)strtol(rest, NULL, 10);
        else if (starts(line, "Seccomp:", &rest))
            p->seccomp = (int)strtol(rest, NULL, 10);
    }
    fclose(f);
    return true;
}

static void read_threads(gl_goprocess *p)
{
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/task", p->pid);
    DIR *d = opendir(path);
    for (struct dirent *e; d && (e = readdir(d));) {
        if (e->d_name[0] == '.')
            continue;
        if (p->thread_count < GL_GOPROCESS_THREADS_MAX)
            p->threads[p->thread_count] = (int)strtol(e->d_name, NULL, 10);
        p->thread_count++;
    }
    if (d)
        closedir(d);
}

static bool read_line(const char *path, char *out, size_t size)
{
    FILE *f = fopen(path, "re");
    bool got = f && fgets(out, (int)size, f);
    if (f)
        fclose(f);
    if (got)
        out[strcspn(out, "\n")] = 0;
    return got;
}

static int read_ptrace_scope(void)
{
    char line[32];
    return read_line("/proc/sys/kernel/yama/ptrace_scope", line, sizeof line) ? (int)strtol(line, NULL, 10) : -1;
}

/* Where the process has something mapped: the first line of its maps (which need a right that is no greater). */
static uint64_t some_address(int pid)
{
    char path[64], line[LINE];
    snprintf(path, sizeof path, "/proc/%d/maps", pid);
    uint64_t at = 0;
    return read_line(path, line, sizeof line) && sscanf(line, "%" SCNx64, &at) == 1 ? at : 0;
}

/* The same question to the kernel, and to its security modules, as attaching: PTRACE_MODE_ATTACH_REALCREDS. */
static bool may_trace(int pid)
{
    uint8_t byte;
    uint64_t at = some_address(pid);
    struct iovec local = {&byte, 1}, remote = {(void *)(uintptr_t)at, 1}; /* NOLINT: another process's address */
    return at != 0 && (process_vm_readv(pid, &local, 1, &remote, 1, 0) == 1 || errno == EFAULT);
}

int gl_goprocess_look(int pid, gl_goprocess *out, gl_error *err)
{
    memset(out, 0, sizeof *out);
    out->pid = pid;
    out->own_uid = (unsigned)geteuid();
    if (pid <= 0 || !read_status(out))
        return gl_fail(err, GL_E_NOT_FOUND, UINT64_MAX, "there is no process %d", pid);
    read_threads(out);
    out->ptrace_scope = read_ptrace_scope();
    out->may_trace = may_trace(pid);
    return 0;
}

static const char *user_name(unsigned uid, char *out, size_t size)
{
    struct passwd entry, *found = NULL;
    char buffer[1024];
    if (getpwuid_r((uid_t)uid, &entry, buffer, sizeof buffer, &found) == 0 && found)
        snprintf(out, size, "%s", found->pw_name);
    else
        snprintf(out, size, "%u", uid);
    return out;
}

/* Why the kernel said no. */
static int explain(const gl_goprocess *p, gl_error *err)
{
    char owner[64], own[64];
    if (p->own_uid != 0 && p->uid != p->own_uid)
        return gl_fail(err, GL_E_UNSUPPORTED, UINT64_MAX,
                       "process %d belongs to user %s and golanes runs as %s; run golanes as %s%s", p->pid,
                       user_name(p->uid, owner, sizeof owner), user_name(p->own_uid, own, sizeof own), owner,
                       p->uid == 0 ? "" : " or as root");
    if (p->ptrace_scope > 0)
        return gl_fail(err, GL_E_UNSUPPORTED, UINT64_MAX,
                       "process %d may not be traced: kernel.yama.ptrace_scope is %d here; %s", p->pid, p->ptrace_scope,
                       p->ptrace_scope == 1 ? "start the program with golanes record -- PROGRAM, or run golanes as root"
                       : p->ptrace_scope == 2 ? "run golanes as root" : "no process may be traced until the next boot");
    return gl_fail(err, GL_E_UNSUPPORTED, UINT64_MAX,
                   "process %d may not be traced: the kernel does not allow it (is it privileged, not dumpable, or in another "
                   "container?); run golanes as root on its host", p->pid);
}

int gl_goprocess_check(const gl_goprocess *p, gl_error *err)
{
    if (p->state == 'Z' || p->state == 'X')
        return gl_fail(err, GL_E_UNSUPPORTED, UINT64_MAX, "process %d has ended", p->pid);
    if (p->pid == (int)getpid())
        return gl_fail(err, GL_E_UNSUPPORTED, UINT64_MAX, "process %d is golanes itself", p->pid);
    if (p->tracer != 0)
        return gl_fail(err, GL_E_UNSUPPORTED, UINT64_MAX,
                       "process %d is traced by process %d already (a debugger, strace?); there can be one only", p->pid, p->tracer);
    if (!p->may_trace)
        return explain(p, err);
    if (p->seccomp == 1)
        return gl_fail(err, GL_E_UNSUPPORTED, UINT64_MAX,
                       "process %d is in strict seccomp mode: it would be killed by the system calls that a recorder needs in it",
                       p->pid);
    return 0;
}

static bool cpu_has(const char *flags, const char *flag)
{
    size_t n = strlen(flag);
    for (const char *at = flags; (at = strstr(at, flag)); at += n)
        if (at[-1] == ' ' && (at[n] == ' ' || at[n] == '\n' || at[n] == 0))
            return true;
    return false;
}

void gl_goclock_look(gl_goclock *out)
{
    char line[8192];
    memset(out, 0, sizeof *out);
    if (!read_line("/sys/devices/system/clocksource/clocksource0/current_clocksource", out->source, sizeof out->source))
        snprintf(out->source, sizeof out->source, "unknown");
    FILE *f = fopen("/proc/cpuinfo", "re");
    while (f && fgets(line, sizeof line, f)) {
        if (strncmp(line, "flags", 5) != 0)
            continue;
        out->constant = cpu_has(line, "constant_tsc");
        out->nonstop = cpu_has(line, "nonstop_tsc");
        break;
    }
    if (f)
        fclose(f);
    static const char *const built_on_it[] = {"tsc", "kvm-clock", "hyperv_clocksource_tsc_page"};
    for (size_t i = 0; i < sizeof built_on_it / sizeof *built_on_it; i++)
        out->trusted |= out->constant && out->nonstop && strcmp(out->source, built_on_it[i]) == 0;
}
