/*
 * Error codes and the error record that every part of golanes' libraries uses.
 *
 * A function that can fail returns 0, or one of the negative codes below; results go through out-parameters. Where a
 * person will have to be told what happened, the function also takes a `gl_error *` (may be NULL) and fills it with one
 * clear sentence: what failed, where (path, byte offset), what to do next.
 *
 * Threads: a gl_error belongs to its caller. The functions here are safe from any thread.
 */
#ifndef GOLANES_ERROR_H
#define GOLANES_ERROR_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__GNUC__)
#define GL_PRINTF(fmt, args) __attribute__((format(printf, fmt, args)))
#define GL_MUST_CHECK __attribute__((warn_unused_result))
#define GL_API __attribute__((visibility("default")))
#else
#define GL_PRINTF(fmt, args)
#define GL_MUST_CHECK
#define GL_API
#endif

/** What went wrong. Values are stable: they are part of the library's binary interface. */
typedef enum gl_status {
    GL_OK = 0,
    GL_E_NOMEM = -1,       /**< memory could not be had */
    GL_E_IO = -2,          /**< a read or write failed; the message names the system's reason */
    GL_E_NOT_TRACE = -3,   /**< the bytes are neither a golanes file nor a Go trace */
    GL_E_VERSION = -4,     /**< a version that this reader does not know */
    GL_E_CORRUPT = -5,     /**< the bytes contradict the format; the message gives the offset */
    GL_E_TRUNCATED = -6,   /**< the bytes end early; what came before is sound */
    GL_E_LIMIT = -7,       /**< a length or count in the file is above the format's limit */
    GL_E_USAGE = -8,       /**< the caller broke a rule of the interface */
    GL_E_CANCELLED = -9,   /**< a callback asked to stop */
    GL_E_NOT_FOUND = -10,  /**< nothing there (a file, a time, a name) */
    GL_E_UNSUPPORTED = -11 /**< known, but not possible here (the message says why) */
} gl_status;

#define GL_ERROR_TEXT_MAX 512

/** One failure. Zero-initialise before use. */
typedef struct gl_error {
    gl_status code;
    uint64_t offset;              /**< byte offset in the input, UINT64_MAX where none applies */
    char text[GL_ERROR_TEXT_MAX]; /**< one sentence, NUL-terminated, no newline */
} gl_error;

/** A constant short text for a code ("truncated", "not a trace"). Never NULL. */
GL_API const char *gl_status_text(int status);

/**
 * Fills *err (if not NULL) and returns code, so that `return gl_fail(err, GL_E_IO, off, "…", …);` reads well.
 * offset: UINT64_MAX where none applies. The text is cut to fit.
 */
GL_API int gl_fail(gl_error *err, gl_status code, uint64_t offset, const char *fmt, ...) GL_PRINTF(4, 5);

#ifdef __cplusplus
}
#endif
#endif
