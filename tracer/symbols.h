/*
 * Code addresses of a running program to functions, files and lines, from the ELF files that it has mapped: their debug
 * information where they have any, else their symbol tables.
 *
 * Threads: one at a time.
 */
#ifndef GOLANES_SYMBOLS_H
#define GOLANES_SYMBOLS_H

#include "golanes/probe_source.h"

typedef struct gl_symbols gl_symbols;

/** NULL where the process can't be looked at (any more), or no memory. */
gl_symbols *gl_symbols_open(uint32_t pid);
void gl_symbols_close(gl_symbols *s);
/** Takes in what has been mapped since. */
void gl_symbols_look(gl_symbols *s);
/** As gl_probe_source_ops.places. An address in a file that was mapped since the last look is found too, as long as the
    process lives. Texts live until the next call that has to look again: copy them. */
size_t gl_symbols_places(gl_symbols *s, uint64_t pc, gl_probe_place *out, size_t n);

#endif
