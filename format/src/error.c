#include "golanes/error.h"

#include <stdarg.h>
#include <stdio.h>

const char *gl_status_text(int status)
{
    switch (status) {
    case GL_OK: return "ok";
    case GL_E_NOMEM: return "out of memory";
    case GL_E_IO: return "input/output error";
    case GL_E_NOT_TRACE: return "not a trace";
    case GL_E_VERSION: return "unknown version";
    case GL_E_CORRUPT: return "corrupt";
    case GL_E_TRUNCATED: return "truncated";
    case GL_E_LIMIT: return "above a limit";
    case GL_E_USAGE: return "wrong use";
    case GL_E_CANCELLED: return "cancelled";
    case GL_E_NOT_FOUND: return "not found";
    case GL_E_UNSUPPORTED: return "not supported";
    default: return "unknown error";
    }
}

int gl_fail(gl_error *err, gl_status code, uint64_t offset, const char *fmt, ...)
{
    if (err) {
        va_list ap;
        va_start(ap, fmt);
        vsnprintf(err->text, sizeof err->text, fmt, ap);
        va_end(ap);
        err->code = code;
        err->offset = offset;
    }
    return code;
}
