/* A small recorder for the tests of the rings: keeps all that it drains. */
#ifndef TESTS_PROBE_RECORDER_H
#define TESTS_PROBE_RECORDER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <unistd.h>

#include "golanes/emit.h"
#include "golanes/probe_session.h"

/** Tests run in children of their own, where a test library's assertions would be lost: one line, and the child fails. */
#define CHECK(condition)                                                                  \
    do {                                                                                  \
        if (!(condition)) {                                                               \
            fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__, #condition);       \
            _exit(1);                                                                     \
        }                                                                                 \
    } while (0)
#define CHECK_EQUAL(a, b)                                                                 \
    do {                                                                                  \
        uint64_t left_ = (uint64_t)(a), right_ = (uint64_t)(b);                           \
        if (left_ != right_) {                                                            \
            fprintf(stderr, "%s:%d: %s is %llu, %s is %llu\n", __FILE__, __LINE__, #a,    \
                    (unsigned long long)left_, #b, (unsigned long long)right_);           \
            _exit(1);                                                                     \
        }                                                                                 \
    } while (0)

typedef struct recorder {
    gl_session *session;
    gl_session_sink sink;
    gl_session_direct direct; /* recorder_go_direct */
    gl_event place[7];
    bool keep; /* events too, not only their number */
    gl_event *event;
    size_t events, event_cap;
    uint64_t count, lost, damaged; /* events that are no Lost; what the Lost say; Lost that speak of damage or gaps */
    char **text; /* id i + 1 */
    size_t texts;
    struct {
        uint64_t pcs[GL_RING_STACK_MAX];
        size_t n;
    } *stack; /* id i + 1 */
    size_t stacks;
    gl_session_owner *thread; /* index i */
    size_t threads;
} recorder;

/** Runs f in a child process; true where it returned. */
bool in_child(void (*f)(void));

/** A recorder that has joined this very process and listens. */
void recorder_join(recorder *r, const gl_session_options *opt);
/** One that a program is to be started under. */
void recorder_create(recorder *r, const gl_session_options *opt);
/** From now on, events come straight into their place, times in ns by this clock; some at a time. */
void recorder_go_direct(recorder *r, const gl_clock_map *clock);
void recorder_drain(recorder *r);
void recorder_finish(recorder *r);
/** Forgets what it has kept. */
void recorder_forget(recorder *r);
void recorder_close(recorder *r);
/** Room for one more row behind the n that the table has. */
void *recorder_grown(void *table, size_t n, size_t size);
const char *recorder_text(const recorder *r, uint64_t id);

#endif
