#include "out.h"

#include <string.h>

#include <utf8proc.h>

#define REPLACEMENT "\xef\xbf\xbd"

void ex_out_init(ex_out *o, gl_export_sink_fn sink, void *user)
{
    o->sink = sink;
    o->user = user;
    o->status = 0;
    o->n = 0;
}

static void hand_over(ex_out *o, const void *bytes, size_t n)
{
    if (o->status == 0 && n)
        o->status = o->sink(o->user, bytes, n);
}

int ex_out_flush(ex_out *o)
{
    hand_over(o, o->buffer, o->n);
    o->n = 0;
    return o->status;
}

void ex_out_add(ex_out *o, const void *bytes, size_t n)
{
    if (n > sizeof o->buffer - o->n)
        ex_out_flush(o);
    if (n > sizeof o->buffer) {
        hand_over(o, bytes, n);
        return;
    }
    if (n)
        memcpy(o->buffer + o->n, bytes, n);
    o->n += n;
}

void ex_out_str(ex_out *o, const char *s) { ex_out_add(o, s, strlen(s)); }

void ex_out_char(ex_out *o, char c)
{
    if (o->n == sizeof o->buffer)
        ex_out_flush(o);
    o->buffer[o->n++] = c;
}

size_t ex_decimal(uint64_t n, char out[20])
{
    char digits[20];
    size_t at = sizeof digits;
    do
        digits[--at] = (char)('0' + n % 10);
    while (n /= 10);
    memcpy(out, digits + at, sizeof digits - at);
    return sizeof digits - at;
}

void ex_out_u64(ex_out *o, uint64_t n)
{
    char digits[20];
    ex_out_add(o, digits, ex_decimal(n, digits));
}

void ex_out_i64(ex_out *o, int64_t n)
{
    if (n < 0)
        ex_out_char(o, '-');
    ex_out_u64(o, n < 0 ? 0 - (uint64_t)n : (uint64_t)n);
}

void ex_out_us(ex_out *o, int64_t ns)
{
    uint64_t n = ns < 0 ? 0 - (uint64_t)ns : (uint64_t)ns;
    char rest[4] = {'.', (char)('0' + n / 100 % 10), (char)('0' + n / 10 % 10), (char)('0' + n % 10)};
    if (ns < 0)
        ex_out_char(o, '-');
    ex_out_u64(o, n / 1000);
    ex_out_add(o, rest, sizeof rest);
}

void ex_out_hex(ex_out *o, uint64_t n)
{
    char digits[18];
    size_t at = sizeof digits;
    do
        digits[--at] = "0123456789abcdef"[n & 15];
    while (n >>= 4);
    digits[--at] = 'x';
    digits[--at] = '0';
    ex_out_add(o, digits + at, sizeof digits - at);
}

size_t ex_character(const char *s, size_t n)
{
    utf8proc_int32_t c = -1;
    utf8proc_ssize_t taken = utf8proc_iterate((const unsigned char *)s, n > 8 ? 8 : (utf8proc_ssize_t)n, &c);
    return taken > 0 && c >= 0 ? (size_t)taken : 0;
}

static void json_escape(ex_out *o, unsigned char c)
{
    if (c == '"' || c == '\\') {
        char pair[2] = {'\\', (char)c};
        ex_out_add(o, pair, 2);
        return;
    }
    char code[6] = {'\\', 'u', '0', '0', "0123456789abcdef"[c >> 4], "0123456789abcdef"[c & 15]};
    ex_out_add(o, code, 6);
}

static bool is_plain(unsigned char c) { return c >= 0x20 && c < 0x7f && c != '"' && c != '\\'; }

void ex_out_json(ex_out *o, const char *s, size_t n)
{
    ex_out_char(o, '"');
    for (size_t i = 0; i < n;) {
        size_t plain = i;
        while (plain < n && is_plain((unsigned char)s[plain]))
            plain++;
        ex_out_add(o, s + i, plain - i);
        i = plain;
        if (i == n)
            break;
        size_t length = (unsigned char)s[i] < 0x80 ? 1 : ex_character(s + i, n - i);
        if (length == 1)
            json_escape(o, (unsigned char)s[i]);
        else if (length)
            ex_out_add(o, s + i, length);
        else
            ex_out_str(o, REPLACEMENT);
        i += length ? length : 1;
    }
    ex_out_char(o, '"');
}

static bool needs_quotes(const char *s, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (!is_plain((unsigned char)s[i]) || s[i] == ',')
            return true;
    return n == 0 || s[0] == ' ' || s[n - 1] == ' ';
}

void ex_out_csv(ex_out *o, const char *s, size_t n)
{
    if (!needs_quotes(s, n)) {
        ex_out_add(o, s, n);
        return;
    }
    ex_out_char(o, '"');
    for (size_t i = 0; i < n;) {
        size_t length = ex_character(s + i, n - i);
        if (s[i] == '"')
            ex_out_str(o, "\"\"");
        else if (length && s[i]) /* a zero byte ends the text for some readers */
            ex_out_add(o, s + i, length);
        else
            ex_out_str(o, REPLACEMENT);
        i += length ? length : 1;
    }
    ex_out_char(o, '"');
}
