/*
 * Stacks, and going from one to another. By our own code on x86-64, by ucontext elsewhere (or with CHANRT_UCONTEXT).
 * Sanitizers are told of each switch.
 */
#ifndef CHANRT_SWITCH_H
#define CHANRT_SWITCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#if defined(__x86_64__) && !defined(__ILP32__) && !defined(CHANRT_UCONTEXT)
#define RT_OWN_SWITCH 1
#else
#define RT_OWN_SWITCH 0
#include <ucontext.h>
#endif

#if defined(__SANITIZE_ADDRESS__)
#define RT_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define RT_ASAN 1
#endif
#endif
#if defined(__SANITIZE_THREAD__)
#define RT_TSAN 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define RT_TSAN 1
#endif
#endif
#ifndef RT_ASAN
#define RT_ASAN 0
#endif
#ifndef RT_TSAN
#define RT_TSAN 0
#endif

typedef struct rt_stack {
    void *mapping; /* a guard page, then the stack */
    size_t mapped;
    uintptr_t low, high;
} rt_stack;

typedef struct rt_context {
#if RT_OWN_SWITCH
    void *sp; /* its registers lie there */
#else
    ucontext_t uc;
#endif
    void *fiber;      /* as a thread sanitizer knows it */
    void *fake_stack; /* as an address sanitizer knows it */
    const void *bottom;
    size_t size;
} rt_context;

bool rt_stack_make(rt_stack *s, size_t bytes);
void rt_stack_free(rt_stack *s);

/** The context of the thread that asks, on the stack that the system gave it. */
void rt_context_of_thread(rt_context *c);
/** One that begins at `entry`, which never returns. */
void rt_context_make(rt_context *c, const rt_stack *s, void (*entry)(void));
/** First thing that `entry` does; `from`: whoever switched to it. */
void rt_context_entered(rt_context *from);
/** Leaves `from` in a state to be gone on with, and goes on with `to`. last: nobody will go on with `from`. */
void rt_switch(rt_context *from, rt_context *to, bool last);
void rt_context_free(rt_context *c);
/** Words that hold registers and stack of a context that nobody runs. */
void rt_context_words(const rt_context *c, const rt_stack *s, void (*f)(const uintptr_t *words, size_t n));

#endif
