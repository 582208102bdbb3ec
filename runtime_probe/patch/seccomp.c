#include "seccomp.h"

#include <errno.h>
#include <linux/audit.h>
#include <linux/seccomp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <unistd.h>

#define FILTERS_MAX 1024u

/* A filter's program (the kernel's Documentation/networking/filter.rst) */

typedef struct machine {
    uint32_t a, x, memory[BPF_MEMWORDS];
    const uint8_t *data; /* struct seccomp_data */
} machine;

/** The operand of a load; false where it is beyond what there is. */
static bool load(const machine *m, const struct sock_filter *f, uint32_t *out)
{
    switch (BPF_MODE(f->code)) {
    case BPF_IMM: *out = f->k; return true;
    case BPF_LEN: *out = sizeof(struct seccomp_data); return true;
    case BPF_MEM:
        if (f->k >= BPF_MEMWORDS)
            return false;
        *out = m->memory[f->k];
        return true;
    case BPF_ABS:
        if (f->k > sizeof(struct seccomp_data) - 4 || f->k % 4 != 0)
            return false;
        memcpy(out, m->data + f->k, 4);
        return true;
    default: return false;
    }
}

static bool compute(machine *m, const struct sock_filter *f)
{
    uint32_t with = BPF_SRC(f->code) == BPF_X ? m->x : f->k;
    switch (BPF_OP(f->code)) {
    case BPF_ADD: m->a += with; return true;
    case BPF_SUB: m->a -= with; return true;
    case BPF_MUL: m->a *= with; return true;
    case BPF_DIV:
        if (with == 0)
            return false;
        m->a /= with;
        return true;
    case BPF_AND: m->a &= with; return true;
    case BPF_OR: m->a |= with; return true;
    case BPF_XOR: m->a ^= with; return true;
    case BPF_LSH: m->a = with < 32 ? m->a << with : 0; return true;
    case BPF_RSH: m->a = with < 32 ? m->a >> with : 0; return true;
    case BPF_NEG: m->a = 0 - m->a; return true;
    default: return false;
    }
}

static bool holds(const machine *m, const struct sock_filter *f)
{
    uint32_t with = BPF_SRC(f->code) == BPF_X ? m->x : f->k;
    switch (BPF_OP(f->code)) {
    case BPF_JEQ: return m->a == with;
    case BPF_JGT: return m->a > with;
    case BPF_JGE: return m->a >= with;
    default: return (m->a & with) != 0; /* BPF_JSET */
    }
}

/** One instruction that neither ends the program nor jumps. */
static bool step(machine *m, const struct sock_filter *f)
{
    switch (BPF_CLASS(f->code)) {
    case BPF_LD: return load(m, f, &m->a);
    case BPF_LDX: return load(m, f, &m->x);
    case BPF_ST:
    case BPF_STX:
        if (f->k >= BPF_MEMWORDS)
            return false;
        m->memory[f->k] = BPF_CLASS(f->code) == BPF_ST ? m->a : m->x;
        return true;
    case BPF_ALU: return compute(m, f);
    case BPF_MISC:
        if (BPF_MISCOP(f->code) == BPF_TAX)
            m->x = m->a;
        else
            m->a = m->x;
        return true;
    default: return false;
    }
}

uint32_t gl_seccomp_run(const struct sock_filter *filter, size_t n, const gl_seccomp_call *call, uint64_t ip)
{
    struct seccomp_data data = {.nr = (int)call->number, .arch = AUDIT_ARCH_X86_64, .instruction_pointer = ip};
    memcpy(data.args, call->args, sizeof data.args);
    machine m = {.data = (const uint8_t *)&data};
    /* Jumps go forward only, so it ends. */
    for (size_t at = 0; at < n; at++) {
        const struct sock_filter *f = &filter[at];
        if (BPF_CLASS(f->code) == BPF_RET)
            return BPF_RVAL(f->code) == BPF_A ? m.a : f->k;
        if (BPF_CLASS(f->code) == BPF_JMP)
            at += BPF_OP(f->code) == BPF_JA ? f->k : holds(&m, f) ? f->jt : f->jf;
        else if (!step(&m, f))
            break;
    }
    return SECCOMP_RET_KILL_PROCESS;
}

/* A thread's filters */

static void read_mode(const char *path, int *mode, unsigned *filters)
{
    char line[128];
    FILE *f = fopen(path, "re");
    *mode = 0;
    *filters = 0;
    while (f && fgets(line, sizeof line, f)) {
        (void)!sscanf(line, "Seccomp: %d", mode);
        (void)!sscanf(line, "Seccomp_filters: %u", filters);
    }
    if (f)
        fclose(f);
}

static int forbidden(const gl_surgeon *s, const gl_seccomp_call *call, uint32_t answer, gl_error *err)
{
    bool deadly = answer != SECCOMP_RET_ERRNO;
    return gl_fail(err, GL_E_UNSUPPORTED, UINT64_MAX,
                   "a seccomp filter of process %d does not allow %s%s: only when golanes starts it, before it has that filter, can "
                   "it be recorded", (int)s->pid, call->name, deadly ? ", and would stop it" : "");
}

static int check_filter(const gl_surgeon *s, const struct sock_filter *filter, size_t length, uint64_t ip, const gl_seccomp_call *calls,
                        size_t n, gl_error *err)
{
    for (size_t i = 0; i < n; i++) {
        uint32_t answer = gl_seccomp_run(filter, length, &calls[i], ip) & SECCOMP_RET_ACTION_FULL;
        if (answer != SECCOMP_RET_ALLOW && answer != SECCOMP_RET_LOG)
            return forbidden(s, &calls[i], answer, err);
    }
    return 0;
}

int gl_seccomp_check(const gl_surgeon *s, uint64_t ip, const gl_seccomp_call *calls, size_t n, gl_error *err)
{
    char path[64];
    int mode, own_mode;
    unsigned filters, own_filters;
    pid_t tid = s->held[0].tid;
    snprintf(path, sizeof path, "/proc/%d/task/%d/status", (int)s->pid, (int)tid);
    read_mode(path, &mode, &filters);
    if (mode == 0)
        return 0;
    if (mode != SECCOMP_MODE_FILTER)
        return gl_fail(err, GL_E_UNSUPPORTED, UINT64_MAX,
                       "process %d is in strict seccomp mode: it would be killed by the system calls that a recorder needs in it",
                       (int)s->pid);
    for (unsigned i = 0; i < FILTERS_MAX; i++) {
        struct sock_filter filter[BPF_MAXINSNS];
        long length = ptrace((enum __ptrace_request)PTRACE_SECCOMP_GET_FILTER, tid, (void *)(uintptr_t)i, NULL);
        if (length < 0 && errno == ENOENT)
            return 0;
        if (length >= 0 && length <= BPF_MAXINSNS)
            length = ptrace((enum __ptrace_request)PTRACE_SECCOMP_GET_FILTER, tid, (void *)(uintptr_t)i, filter);
        if (length < 0 || length > BPF_MAXINSNS)
            break;
        int rc = check_filter(s, filter, (size_t)length, ip, calls, n, err);
        if (rc < 0)
            return rc;
    }
    /* In a container all have the container's filters, we too, and live by them. */
    read_mode("/proc/thread-self/status", &own_mode, &own_filters);
    if (own_mode == SECCOMP_MODE_FILTER && own_filters != 0 && filters == own_filters)
        return 0;
    return gl_fail(err, GL_E_UNSUPPORTED, UINT64_MAX,
                   "process %d has a seccomp filter, and whether it would kill the process for a recorder's system calls can't be "
                   "looked up: run golanes with CAP_SYS_ADMIN, or start the program with it", (int)s->pid);
}
