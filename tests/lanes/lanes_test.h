/*
 * What the tests of the .lanes file share: made-up event streams, scratch files, comparison.
 */
#ifndef GOLANES_TESTS_LANES_TEST_H
#define GOLANES_TESTS_LANES_TEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "golanes/reader.h"
#include "golanes/writer.h"

typedef struct lt_random {
    uint64_t state;
} lt_random;

uint64_t lt_next(lt_random *r);
/** 0..n-1 */
uint64_t lt_below(lt_random *r, uint64_t n);

/** A growing list of events. */
typedef struct lt_events {
    gl_event *at;
    size_t n, capacity;
} lt_events;

void lt_push(lt_events *l, const gl_event *ev);
void lt_free(lt_events *l);

/** Any type, any value: what no runtime would do. The file must keep it all the same. */
void lt_noise(lt_events *l, lt_random *r, size_t n);
/** What a scheduler does: goroutines created, woken, run, parked, in system calls, ended, with GC and stop-the-world. */
void lt_schedule(lt_events *l, lt_random *r, size_t n, unsigned goroutines, unsigned procs, gl_dict *d);

/** A path of this process's own; *out must have 256 bytes. */
void lt_path(char *out, const char *name);
/** Writes a whole file. */
void lt_write(const char *path, const lt_events *l, gl_dict *d, uint32_t chunk_events, unsigned threads);
/** Reads all events of a file; fails the test where one cannot be read. */
void lt_read(gl_reader *r, unsigned columns, lt_events *out);
/** Fails with the number of the first event that differs. */
void lt_same(const gl_event *a, const gl_event *b, size_t n);
/** The bytes of a file (malloc). */
uint8_t *lt_slurp(const char *path, size_t *n);
void lt_spill(const char *path, const void *bytes, size_t n);

#endif
