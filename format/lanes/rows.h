/*
 * The goroutine, channel and process tables as chunk sections.
 */
#ifndef GOLANES_LANES_ROWS_H
#define GOLANES_LANES_ROWS_H

#include "golanes/reader.h"
#include "golanes/writer.h"
#include "lanes/track.h"

/** number: the event chunk that this goes before. */
void ln_goroutines_put(const ln_ended *rows, size_t n, uint64_t number, ln_buf *out);
/** Rows of a section; *out is a growing array. */
int ln_goroutines_get(const uint8_t *bytes, size_t n, uint64_t number, gl_goroutine_info **out, size_t *capacity,
                      size_t *count);
void ln_channels_put(const gl_channel_info *rows, size_t n, ln_buf *out);
int ln_channels_get(const uint8_t *bytes, size_t n, gl_channel_info **out, size_t *capacity, size_t *count);
void ln_processes_put(const gl_process_info *rows, size_t n, ln_buf *out);
int ln_processes_get(const uint8_t *bytes, size_t n, gl_process_info **out, size_t *capacity, size_t *count);


#endif
