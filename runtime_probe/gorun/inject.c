#include "inject.h"

#include <errno.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>

/* Beside the code: its place is that of the mask that it puts back. */
#define MASK_AT 144u
#define MARK_AT 152u
#define TEXT_AT 160u
static const char mark[8] = "GLCALL01";

/* What the kernel makes a system call return that it is going to take up again (linux/errno.h, not for programs). */
#define RESTARTSYS (-512)
#define RESTARTNOINTR (-513)
#define RESTARTNOHAND (-514)
#define RESTART_RESTARTBLOCK (-516)
#define SYSCALL_BYTES 2u

/* Code that goes on with a thread's registers */

typedef struct code {
    uint8_t *at;
    size_t n;
} code;

static void put(code *t, const void *bytes, size_t n)
{
    memcpy(t->at + t->n, bytes, n);
    t->n += n;
}

static void put_bytes(code *t, const char *bytes, size_t n, uint64_t value)
{
    put(t, bytes, n);
    put(t, &value, 8);
}

/** Where, and with what, the kernel would have let it go on: a call that was broken off is taken up again. */
static struct user_regs_struct as_resumed(const struct user_regs_struct *before)
{
    struct user_regs_struct r = *before;
    if ((int64_t)r.orig_rax < 0)
        return r;
    switch ((int64_t)r.rax) {
    case RESTARTSYS:
    case RESTARTNOINTR:
    case RESTARTNOHAND:
        r.rax = r.orig_rax;
        r.rip -= SYSCALL_BYTES;
        break;
    case RESTART_RESTARTBLOCK:
        r.rax = SYS_restart_syscall;
        r.rip -= SYSCALL_BYTES;
        break;
    default: break;
    }
    return r;
}

/**
 * The call, rt_sigprocmask(SIG_SETMASK, &mask), the registers that calls take and change, and away. No instruction of it
 * changes a flag or the stack, and a call leaves the flags as they were.
 */
static void write_code(uint8_t out[GL_INJECT_BYTES], const struct user_regs_struct *before, uint64_t mask)
{
    static const uint8_t set_mask[] = {
        0x0f, 0x05,                                /* syscall */
        0xb8, SYS_rt_sigprocmask, 0, 0, 0,         /* mov eax, */
        0xbf, 2, 0, 0, 0,                          /* mov edi, SIG_SETMASK */
        0x48, 0x8d, 0x35, MASK_AT - 19, 0, 0, 0,   /* lea rsi, [rip + mask] */
        0xba, 0, 0, 0, 0,                          /* mov edx, 0 */
        0x41, 0xba, 8, 0, 0, 0,                    /* mov r10d, 8 */
        0x0f, 0x05,                                /* syscall */
    };
    struct user_regs_struct r = as_resumed(before);
    code t = {out, 0};
    memset(out, 0xcc, GL_INJECT_BYTES);
    put(&t, set_mask, sizeof set_mask);
    put_bytes(&t, "\x48\xb8", 2, r.rax); /* mov rax, … */
    put_bytes(&t, "\x48\xb9", 2, r.rcx);
    put_bytes(&t, "\x48\xba", 2, r.rdx);
    put_bytes(&t, "\x48\xbe", 2, r.rsi);
    put_bytes(&t, "\x48\xbf", 2, r.rdi);
    put_bytes(&t, "\x49\xb8", 2, r.r8);
    put_bytes(&t, "\x49\xb9", 2, r.r9);
    put_bytes(&t, "\x49\xba", 2, r.r10);
    put_bytes(&t, "\x49\xbb", 2, r.r11);
    put_bytes(&t, "\xff\x25\0\0\0\0", 6, r.rip); /* jmp [rip + 0] */
    memcpy(out + MASK_AT, &mask, sizeof mask);
    memcpy(out + MARK_AT, mark, sizeof mark);
}

/* Places */

static int no_place(const gl_injector *in, gl_error *err)
{
    return gl_fail(err, GL_E_UNSUPPORTED, UINT64_MAX, "the code of process %d can't be written: %s", (int)in->s->pid, strerror(errno));
}

bool gl_inject_is_left(const gl_surgeon *s, uint64_t at)
{
    char there[sizeof mark];
    return gl_surgeon_read(s, at + MARK_AT, there, sizeof there) && memcmp(there, mark, sizeof mark) == 0;
}

int gl_inject_begin(gl_injector *in, gl_surgeon *s, uint64_t at, const uint8_t *file, gl_error *err)
{
    *in = (gl_injector){.s = s, .at = at};
    if (!gl_surgeon_read(s, at, in->before, sizeof in->before))
        return no_place(in, err);
    if (memcmp(in->before + MARK_AT, mark, sizeof mark) == 0)
        memset(in->before, 0, sizeof in->before);
    if (file)
        memcpy(in->before, file, sizeof in->before);
    return 0;
}

void gl_inject_end(gl_injector *in)
{
    (void)gl_surgeon_write(in->s, in->at, in->before, sizeof in->before);
}

uint64_t gl_inject_text(gl_injector *in, const char *text)
{
    char all[GL_INJECT_TEXT] = "";
    size_t n = strlen(text);
    if (n >= sizeof all)
        return 0;
    memcpy(all, text, n);
    return gl_surgeon_write(in->s, in->at + TEXT_AT, all, sizeof all) ? in->at + TEXT_AT : 0;
}

/* Calls */

static int call(const gl_injector *in, int64_t *result, gl_error *err)
{
    struct user_regs_struct r;
    gl_surgeon *s = in->s;
    int rc = gl_surgeon_to_call(s, err);
    if (rc == 0)
        rc = gl_surgeon_to_call(s, err);
    if (rc == 0 && !gl_surgeon_regs(&s->held[0], &r))
        rc = gl_fail(err, GL_E_NOT_FOUND, UINT64_MAX, "process %d is gone", (int)s->pid);
    if (rc == 0)
        *result = (int64_t)r.rax;
    /* Its own call is taken up again only on the way out of a stop like the one that we found it in. */
    return rc == 0 ? gl_surgeon_interrupt(s, err) : rc;
}

int gl_inject(gl_injector *in, long number, const uint64_t args[6], int64_t *result, gl_error *err)
{
    uint8_t bytes[GL_INJECT_BYTES];
    struct user_regs_struct before, r;
    uint64_t all = ~UINT64_C(0), mask = 0;
    gl_held *h = &in->s->held[0];
    if (!gl_surgeon_regs(h, &before) || ptrace(PTRACE_GETSIGMASK, h->tid, (void *)sizeof mask, &mask) != 0)
        return gl_fail(err, GL_E_NOT_FOUND, UINT64_MAX, "process %d is gone", (int)in->s->pid);
    write_code(bytes, &before, mask);
    if (!gl_surgeon_write(in->s, in->at, bytes, TEXT_AT)) /* the text stays as it was put */
        return no_place(in, err);
    r = before;
    r.rip = in->at;
    r.rax = (uint64_t)number;
    r.orig_rax = (uint64_t)-1; /* the call it was in, if any, is not to be taken up now */
    r.rdi = args[0];
    r.rsi = args[1];
    r.rdx = args[2];
    r.r10 = args[3];
    r.r8 = args[4];
    r.r9 = args[5];
    /* From here on the code above is what it goes on with, should we die; then signals are held back, so that none is
       taken on the way; and the other way round. */
    if (!gl_surgeon_set_regs(h, &r))
        return gl_fail(err, GL_E_NOT_FOUND, UINT64_MAX, "process %d is gone", (int)in->s->pid);
    ptrace(PTRACE_SETSIGMASK, h->tid, (void *)sizeof all, &all);
    int rc = call(in, result, err);
    if (!h->gone) {
        ptrace(PTRACE_SETSIGMASK, h->tid, (void *)sizeof mask, &mask);
        gl_surgeon_set_regs(h, &before);
    }
    return rc;
}
