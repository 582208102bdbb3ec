/*
 * An input: bytes with a size that can be read at any offset. A plain file is read in place; a gzip or zstd file, standard
 * input, or any other stream is unpacked into an unlinked temporary file ($TMPDIR, else /tmp) first, so that reading
 * stays bounded in memory. Reads use pread: a file that shrinks meanwhile gives a short read, never a signal.
 *
 * Threads: gl_input_read may be called from several threads at once; open and close may not.
 */
#ifndef GOLANES_INPUT_H
#define GOLANES_INPUT_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "golanes/error.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct gl_input gl_input;

/** Called while a stream is unpacked: bytes so far (out), of total (in; 0 not known). Non-zero cancels. */
typedef int (*gl_input_progress_fn)(void *user, uint64_t done, uint64_t total);

/** Opens a path; "-" is standard input. Compression is found from the bytes (gzip, zstd). progress may be NULL. */
GL_API int gl_input_open(const char *path, gl_input_progress_fn progress, void *user, gl_input **out, gl_error *err) GL_MUST_CHECK;
/** Takes over fd (closes it when the input is closed, and on failure too). name is used in messages. */
GL_API int gl_input_from_fd(int fd, const char *name, gl_input_progress_fn progress, void *user, gl_input **out, gl_error *err) GL_MUST_CHECK;
/** Reads from the caller's memory, which must outlive the input. For tests and fuzzers. */
GL_API int gl_input_from_memory(const void *data, size_t n, gl_input **out) GL_MUST_CHECK;
GL_API void gl_input_close(gl_input *in);

/** Bytes read (short only at the end of the input), or a negative gl_status. */
GL_API ssize_t gl_input_read(gl_input *in, uint64_t offset, void *buf, size_t n);
GL_API uint64_t gl_input_size(const gl_input *in);
/** True where the packed form was cut or damaged: size is what could be unpacked; text says why. */
GL_API int gl_input_was_cut(const gl_input *in, const char **why);
GL_API const char *gl_input_name(const gl_input *in);
/** "plain", "gzip", "zstd" */
GL_API const char *gl_input_packing(const gl_input *in);

/**
 * A nameless file in $TMPDIR, else /tmp, as streams are unpacked into: no way of ending leaves it behind. A descriptor, closed
 * by exec, that is the caller's; -1 with errno where the folder does not take one. May be called from any thread.
 */
GL_API int gl_input_temporary(void);

#ifdef __cplusplus
}
#endif
#endif
