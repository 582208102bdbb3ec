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

bool ex_out_make_room(ex_out *o, const void *bytes, size_t n)
{
    ex_out_flush(o);
    if (n <= sizeof o->buffer)
        return true;
    hand_over(o, bytes, n);
    return false;
}

static unsigned count_digits(uint64_t n)
{
    unsigned digits = 1;
    for (; n >= 10000; n /= 10000)
        digits += 4;
    return digits + (n >= 10) + (n >= 100) + (n >= 1000);
}

/* Two digits at a time, from the last. */
size_t ex_decimal(uint64_t n, char out[20])
{
    static const char pairs[] = "0001020304050607080910111213141516171819202122232425262728293031323334353637383940414243444546474849"
                                "5051525354555657585960616263646566676869707172737475767778798081828384858687888990919293949596979899";
    unsigned digits = count_digits(n), at = digits;
    for (; n >= 100; n /= 100) {
        at -= 2;
        memcpy(out + at, &pairs[n % 100 * 2], 2);
    }
    if (at == 2)
        memcpy(out, &pairs[n * 2], 2);
    else
        out[0] = (char)('0' + n);
    return digits;
}

void ex_out_u64(ex_out *o, uint64_t n)
{
    if (sizeof o->buffer - o->n < 20)
        ex_out_flush(o);
    o->n += ex_decimal(n, o->buffer + o->n);
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
    unsigned rest = (unsigned)(n % 1000);
    char decimals[4] = {'.', (char)('0' + rest / 100), (char)('0' + rest / 10 % 10), (char)('0' + rest % 10)};
    if (ns < 0)
        ex_out_char(o, '-');
    ex_out_u64(o, n / 1000);
    ex_out_add(o, decimals, sizeof decimals);
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
