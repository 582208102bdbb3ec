#include "switch.h"

#include <pthread.h>
#include <sys/mman.h>
#include <unistd.h>

#if RT_ASAN
#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>
#endif
#if RT_TSAN
#include <sanitizer/tsan_interface.h>
#endif

bool rt_stack_make(rt_stack *s, size_t bytes)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    bytes = (bytes + page - 1) / page * page;
    s->mapped = bytes + page;
    s->mapping = mmap(NULL, s->mapped, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_STACK, -1, 0);
    if (s->mapping == MAP_FAILED)
        return false;
    if (mprotect(s->mapping, page, PROT_NONE) < 0) {
        munmap(s->mapping, s->mapped);
        return false;
    }
    s->low = (uintptr_t)s->mapping + page;
    s->high = s->low + bytes;
    return true;
}

void rt_stack_free(rt_stack *s)
{
    munmap(s->mapping, s->mapped);
}

#if RT_OWN_SWITCH

/*
 * The callee-saved registers and the modes of both floating-point units go on the stack, the stack pointer into *from;
 * then all of it the other way round. A new stack looks as if it had been left like this, by a call from nowhere.
 */
void rt_switch_registers(void **from, void *to);
__asm__(".text\n"
        ".p2align 4\n"
        ".globl rt_switch_registers\n"
        ".hidden rt_switch_registers\n"
        ".type rt_switch_registers, @function\n"
        "rt_switch_registers:\n"
        "    pushq %rbp\n"
        "    pushq %rbx\n"
        "    pushq %r12\n"
        "    pushq %r13\n"
        "    pushq %r14\n"
        "    pushq %r15\n"
        "    subq $8, %rsp\n"
        "    stmxcsr (%rsp)\n"
        "    fnstcw 4(%rsp)\n"
        "    movq %rsp, (%rdi)\n"
        "    movq %rsi, %rsp\n"
        "    ldmxcsr (%rsp)\n"
        "    fldcw 4(%rsp)\n"
        "    addq $8, %rsp\n"
        "    popq %r15\n"
        "    popq %r14\n"
        "    popq %r13\n"
        "    popq %r12\n"
        "    popq %rbx\n"
        "    popq %rbp\n"
        "    ret\n"
        ".size rt_switch_registers, .-rt_switch_registers\n");

static void make_registers(rt_context *c, const rt_stack *s, void (*entry)(void))
{
    uint64_t *sp = (uint64_t *)s->high;
    uint32_t mxcsr;
    uint16_t x87;
    __asm__ volatile("stmxcsr %0\n\tfnstcw %1" : "=m"(mxcsr), "=m"(x87));
    *--sp = 0; /* entry's return address: none; it also puts the stack where a call would */
    *--sp = (uint64_t)(uintptr_t)entry;
    for (int i = 0; i < 6; i++)
        *--sp = 0; /* among them the frame pointer: walks end here */
    *--sp = mxcsr | (uint64_t)x87 << 32;
    c->sp = sp;
}

static void switch_registers(rt_context *from, rt_context *to)
{
    rt_switch_registers(&from->sp, to->sp);
}

void rt_context_words(const rt_context *c, const rt_stack *s, void (*f)(const uintptr_t *words, size_t n))
{
    f(c->sp, (s->high - (uintptr_t)c->sp) / sizeof(uintptr_t));
}

#else

static void make_registers(rt_context *c, const rt_stack *s, void (*entry)(void))
{
    getcontext(&c->uc);
    c->uc.uc_stack.ss_sp = (void *)s->low;
    c->uc.uc_stack.ss_size = s->high - s->low;
    c->uc.uc_link = NULL;
    makecontext(&c->uc, entry, 0);
}

static void switch_registers(rt_context *from, rt_context *to)
{
    swapcontext(&from->uc, &to->uc);
}

/* Where the stack pointer is kept depends on the machine, so the whole stack is looked at. */
void rt_context_words(const rt_context *c, const rt_stack *s, void (*f)(const uintptr_t *words, size_t n))
{
    f((const uintptr_t *)(const void *)&c->uc, sizeof c->uc / sizeof(uintptr_t));
    f((const uintptr_t *)s->low, (s->high - s->low) / sizeof(uintptr_t));
}

#endif

void rt_context_of_thread(rt_context *c)
{
    pthread_attr_t attr;
    void *low;
    if (pthread_getattr_np(pthread_self(), &attr) == 0) {
        if (pthread_attr_getstack(&attr, &low, &c->size) == 0)
            c->bottom = low;
        pthread_attr_destroy(&attr);
    }
#if RT_TSAN
    c->fiber = __tsan_get_current_fiber();
#endif
}

void rt_context_free(rt_context *c)
{
#if RT_TSAN
    if (c->fiber)
        __tsan_destroy_fiber(c->fiber);
#endif
    c->fiber = NULL;
}

void rt_context_make(rt_context *c, const rt_stack *s, void (*entry)(void))
{
    c->bottom = (const void *)s->low;
    c->size = s->high - s->low;
    c->fake_stack = NULL;
#if RT_ASAN
    __asan_unpoison_memory_region(c->bottom, c->size);
#endif
#if RT_TSAN
    rt_context_free(c); /* one that was never gone back to keeps the calls it was in */
    c->fiber = __tsan_create_fiber(0);
#endif
    make_registers(c, s, entry);
}

void rt_context_entered(rt_context *from)
{
#if RT_ASAN
    __sanitizer_finish_switch_fiber(NULL, &from->bottom, &from->size);
#else
    (void)from;
#endif
}

void rt_switch(rt_context *from, rt_context *to, bool last)
{
#if RT_ASAN
    __sanitizer_start_switch_fiber(last ? NULL : &from->fake_stack, to->bottom, to->size);
#else
    (void)last;
#endif
#if RT_TSAN
    __tsan_switch_to_fiber(to->fiber, 0);
#endif
    switch_registers(from, to);
#if RT_ASAN
    __sanitizer_finish_switch_fiber(from->fake_stack, NULL, NULL);
#endif
}
