#include "out.h"
#include "commands.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <utf8proc.h>

#include "facts.h"
#include "text.h"

void cli_out_init(cli_out *o, int fd)
{
    o->fd = fd;
    o->error = 0;
    o->closed = false;
    o->written = 0;
    o->n = 0;
}

static void write_all(cli_out *o, const char *bytes, size_t n)
{
    while (n && !o->error) {
        ssize_t put = write(o->fd, bytes, n);
        if (put < 0 && errno == EINTR)
            continue;
        if (put < 0) {
            o->error = errno;
            o->closed = errno == EPIPE;
            return;
        }
        bytes += put;
        n -= (size_t)put;
        o->written += (uint64_t)put;
    }
}

static void flush(cli_out *o)
{
    write_all(o, o->buffer, o->n);
    o->n = 0;
}

void cli_out_add(cli_out *o, const char *bytes, size_t n)
{
    if (n > sizeof o->buffer - o->n)
        flush(o);
    if (n > sizeof o->buffer) {
        write_all(o, bytes, n);
        return;
    }
    if (n)
        memcpy(o->buffer + o->n, bytes, n);
    o->n += n;
}

void cli_out_str(cli_out *o, const char *s)
{
    cli_out_add(o, s, strlen(s));
}

void cli_out_char(cli_out *o, char c)
{
    if (o->n == sizeof o->buffer)
        flush(o);
    o->buffer[o->n++] = c;
}

void cli_out_u64(cli_out *o, uint64_t n)
{
    char digits[20];
    size_t at = sizeof digits;
    do
        digits[--at] = (char)('0' + n % 10);
    while (n /= 10);
    cli_out_add(o, digits + at, sizeof digits - at);
}

void cli_out_i64(cli_out *o, int64_t n)
{
    if (n < 0)
        cli_out_char(o, '-');
    cli_out_u64(o, n < 0 ? 0 - (uint64_t)n : (uint64_t)n);
}

void cli_out_pad(cli_out *o, size_t from, size_t width)
{
    static const char spaces[] = "                                ";
    while (from < width) {
        size_t n = width - from < sizeof spaces - 1 ? width - from : sizeof spaces - 1;
        cli_out_add(o, spaces, n);
        from += n;
    }
}

void cli_out_printf(cli_out *o, const char *fmt, ...)
{
    char text[1024];
    va_list ap;
    va_start(ap, fmt);
    int n = vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    if (n > 0)
        cli_out_add(o, text, (size_t)n < sizeof text ? (size_t)n : sizeof text - 1);
}

static void json_escape(cli_out *o, unsigned char c)
{
    static const char short_of[32] = {['\b'] = 'b', ['\t'] = 't', ['\n'] = 'n', ['\f'] = 'f', ['\r'] = 'r'};
    if (c == '"' || c == '\\') {
        cli_out_char(o, '\\');
        cli_out_char(o, (char)c);
    } else if (c < 32 && short_of[c]) {
        cli_out_char(o, '\\');
        cli_out_char(o, short_of[c]);
    } else {
        cli_out_printf(o, "\\u%04x", c);
    }
}

static bool json_plain(unsigned char c)
{
    return c >= 0x20 && c < 0x7f && c != '"' && c != '\\';
}

void cli_out_json_string(cli_out *o, const char *s, size_t n)
{
    cli_out_char(o, '"');
    for (size_t i = 0; i < n;) {
        size_t plain = i;
        while (plain < n && json_plain((unsigned char)s[plain]))
            plain++;
        cli_out_add(o, s + i, plain - i);
        i = plain;
        if (i == n)
            break;
        utf8proc_int32_t c = -1;
        size_t left = n - i;
        utf8proc_ssize_t taken = utf8proc_iterate((const unsigned char *)s + i, left > 8 ? 8 : (utf8proc_ssize_t)left, &c);
        if (taken <= 0 || c < 0) {
            cli_out_str(o, "\xef\xbf\xbd");
            i++;
        } else if (c <= 0x7f) {
            json_escape(o, (unsigned char)s[i++]);
        } else {
            cli_out_add(o, s + i, (size_t)taken);
            i += (size_t)taken;
        }
    }
    cli_out_char(o, '"');
}

void cli_out_safe(cli_out *o, const char *s, size_t n)
{
    size_t plain = 0;
    while (plain < n && (unsigned char)s[plain] >= 0x20 && (unsigned char)s[plain] < 0x7f)
        plain++;
    cli_out_add(o, s, plain);
    if (plain == n)
        return;
    gl_text rest = {0};
    gl_text_safe(&rest, s + plain, n - plain);
    if (rest.bytes)
        cli_out_add(o, rest.bytes, rest.n);
    gl_text_clean_up(&rest);
}

bool cli_out_open(const cli_out *o)
{
    return o->error == 0;
}

void cli_out_drop(cli_out *o)
{
    o->n = 0;
}

int cli_out_finish(cli_out *o)
{
    flush(o);
    if (o->error == 0 || o->closed)
        return CLI_EXIT_DONE;
    fprintf(stderr, "golanes: standard output could not be written: %s\n", strerror(o->error));
    return CLI_EXIT_OUTPUT;
}

static ssize_t stream_write(void *cookie, const char *bytes, size_t n)
{
    cli_out *o = cookie;
    cli_out_add(o, bytes, n);
    return cli_out_open(o) ? (ssize_t)n : 0;
}

FILE *cli_out_stream(cli_out *o)
{
    return fopencookie(o, "w", (cookie_io_functions_t){.write = stream_write});
}

int cli_point_at(const char *text, size_t at, size_t n)
{
    gl_text marks = {0};
    size_t all = strlen(text), rest = at < all ? all - at : 0;
    size_t wide = rest ? gl_text_width(text + at, n < rest ? n : rest) : 1;
    gl_text_repeat(&marks, " ", gl_text_width(text, at < all ? at : all));
    gl_text_repeat(&marks, "^", wide ? wide : 1);
    cli_say("  %s", text);
    cli_say("  %s", marks.bytes ? marks.bytes : "");
    gl_text_clean_up(&marks);
    return CLI_EXIT_USAGE;
}
