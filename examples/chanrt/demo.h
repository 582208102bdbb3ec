/* What chanrt-demo can be told to do. */
#ifndef CHANRT_DEMO_H
#define CHANRT_DEMO_H

#include "chanrt.h"

typedef struct demo {
    const char *name;
    const char *argument; /* its name in the help, NULL: none */
    void (*run)(uint64_t n);
    const char *help;
} demo;

extern const demo demos[];
extern const unsigned demo_count;

/** Waits until no goroutines are there but so many. */
void demo_wait_for(uint64_t alive);

/** Goroutines that were left behind for good. */
extern uint64_t demo_leaks;

void demo_straddle(uint64_t k);
void demo_quiet_sends(uint64_t n);
void demo_leak(uint64_t n);
void demo_send_closed(uint64_t n);
void demo_close_closed(uint64_t n);
void demo_deadlock(uint64_t n);
void demo_uncaught(uint64_t n);
void demo_select(uint64_t n);
void demo_pipeline(uint64_t n);
void demo_storm(uint64_t n);
void demo_gc(uint64_t n);
void demo_stop(uint64_t n);
void demo_system(uint64_t n);

#endif
