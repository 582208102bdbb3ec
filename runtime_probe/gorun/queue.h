/*
 * Records of one thread on their way from its ring to the translation, and the times of those that have none of their own.
 *
 * Reading the clock is half of what a record costs, so a hook leaves it out (ticks 0) where the time is known without:
 *   begin  of an operation on an unbuffered channel whose lock is free: it has the time of the thread's next record. That is
 *          the change of state by which it parks, or wakes another; or its own end. No other thread can have acted on it before.
 *   end    of an operation that parked: the time of the record before, by which its goroutine went on running.
 * So a begin waits here for the next record. Where none comes (the thread is gone, or does not go on), it is settled: it has
 * the last time that is known of the thread, or that up to which everything was handed on.
 */
#ifndef GOLANES_GORUN_QUEUE_H
#define GOLANES_GORUN_QUEUE_H

#include <stdbool.h>
#include <stddef.h>

#include "record.h"

typedef struct gl_record_queue {
    uint8_t *bytes;
    size_t from, ready, to, room; /* records up to `ready` have their times */
    uint64_t last;                /* ticks of the last record that had its own */
} gl_record_queue;

/** Room for so many bytes more. False: no memory. */
bool gl_record_queue_room(gl_record_queue *q, size_t bytes);
/** Adds a record, for which there is room. passed: up to when everything was handed on. False: its time is impossible. */
bool gl_record_queue_put(gl_record_queue *q, const gl_patch_record *r, size_t bytes, uint64_t passed, uint64_t latest);
/** The oldest; NULL: there is none, or its time is not known yet. */
const gl_patch_record *gl_record_queue_next(const gl_record_queue *q);
void gl_record_queue_taken(gl_record_queue *q, size_t bytes);
/** Records whose time is not known yet stand at its end. */
bool gl_record_queue_waits(const gl_record_queue *q);
/** They wait no longer. */
void gl_record_queue_settle(gl_record_queue *q, uint64_t passed);
size_t gl_record_queue_bytes(const gl_record_queue *q);
void gl_record_queue_free(gl_record_queue *q);

#endif
