/*
 * The dictionary of a trace: strings, functions, frames, stacks, threads. Each distinct thing has one small id for the
 * whole trace; ids are given in order of first appearance, so new entries are always a suffix, which is how the writer
 * puts each entry into the file once.
 *
 * Ownership: texts and frame arrays that a lookup returns belong to the dictionary and live as long as it does.
 * Threads: one writer, or any number of readers after the last insertion.
 */
#ifndef GOLANES_DICT_H
#define GOLANES_DICT_H

#include <stddef.h>
#include <stdint.h>

#include "golanes/error.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct gl_dict gl_dict;

typedef struct gl_func {
    uint32_t name; /**< string id: "main.worker.func1" */
    uint32_t file; /**< string id: path as the source has it, 0 not known */
} gl_func;

typedef struct gl_frame {
    uint64_t pc;   /**< 0 not known */
    uint32_t func; /**< function id, 0 not known */
    uint32_t line; /**< 0 not known */
} gl_frame;

typedef struct gl_thread_info {
    uint64_t tid;     /**< the system's thread id, or Go's M id in a v1 trace */
    uint32_t process; /**< index into the process table of the file */
    uint32_t name;    /**< string id, 0 none */
} gl_thread_info;

/** String 0 is "", function 0 is "not known", stack 0 is "none": a new dictionary holds just these. NULL: no memory. */
GL_API gl_dict *gl_dict_new(void);
GL_API void gl_dict_destroy(gl_dict *d);

/**
 * Each finds or adds, puts the id into *id and returns 0; GL_E_NOMEM, or GL_E_LIMIT past 2^32-2 entries.
 * gl_dict_string copies the n bytes (they need no NUL; zero bytes are kept). gl_dict_stack copies the frame ids, leaf
 * first; n = 0 gives stack 0.
 */
GL_API int gl_dict_string(gl_dict *d, const char *text, size_t n, uint32_t *id) GL_MUST_CHECK;
GL_API int gl_dict_func(gl_dict *d, gl_func f, uint32_t *id) GL_MUST_CHECK;
GL_API int gl_dict_frame(gl_dict *d, gl_frame f, uint32_t *id) GL_MUST_CHECK;
GL_API int gl_dict_stack(gl_dict *d, const uint32_t *frames, size_t n, uint32_t *id) GL_MUST_CHECK;
GL_API int gl_dict_thread(gl_dict *d, gl_thread_info t, uint32_t *index) GL_MUST_CHECK;

GL_API uint32_t gl_dict_string_count(const gl_dict *d);
GL_API uint32_t gl_dict_func_count(const gl_dict *d);
GL_API uint32_t gl_dict_frame_count(const gl_dict *d);
GL_API uint32_t gl_dict_stack_count(const gl_dict *d);
GL_API uint32_t gl_dict_thread_count(const gl_dict *d);

/** NUL-terminated text of a string; *n (may be NULL) its length. An id not in the dictionary gives "". */
GL_API const char *gl_dict_text(const gl_dict *d, uint32_t id, size_t *n);
/** Ids not in the dictionary give the zero value. */
GL_API gl_func gl_dict_get_func(const gl_dict *d, uint32_t id);
GL_API gl_frame gl_dict_get_frame(const gl_dict *d, uint32_t id);
GL_API gl_thread_info gl_dict_get_thread(const gl_dict *d, uint32_t index);
/** Frame ids of a stack, leaf first; *n their number (0 and NULL for stack 0 and for ids not in the dictionary). */
GL_API const uint32_t *gl_dict_get_stack(const gl_dict *d, uint32_t id, size_t *n);
/** Function name of frame i of a stack (0 = leaf); "" where there is none. */
GL_API const char *gl_dict_stack_func(const gl_dict *d, uint32_t stack, size_t i);
/** Function name of the outermost frame ("the start function"); "" where there is none. */
GL_API const char *gl_dict_stack_root(const gl_dict *d, uint32_t stack);

#ifdef __cplusplus
}
#endif
#endif
