#include "json_out.h"

#include <math.h>
#include <string.h>

void cli_json_init(cli_json *j, FILE *out)
{
    j->out = out;
    j->failed = j->comma = false;
    j->n = 0;
}

static void flush(cli_json *j)
{
    if (j->n && fwrite(j->buffer, 1, j->n, j->out) != j->n)
        j->failed = true;
    j->n = 0;
}

static void put(cli_json *j, char c)
{
    if (j->n == sizeof j->buffer)
        flush(j);
    j->buffer[j->n++] = c;
}

static void put_bytes(cli_json *j, const char *s, size_t n)
{
    if (n > sizeof j->buffer - j->n)
        flush(j);
    if (n > sizeof j->buffer) {
        for (size_t i = 0; i < n; i++)
            put(j, s[i]);
        return;
    }
    memcpy(j->buffer + j->n, s, n);
    j->n += n;
}

bool cli_json_finish(cli_json *j)
{
    put(j, '\n');
    flush(j);
    if (fflush(j->out) != 0)
        j->failed = true;
    return !j->failed;
}

/* Length of the well-formed UTF-8 character at s (Unicode 15, table 3-7), 0 where there is none. */
static size_t utf8_length(const unsigned char *s, size_t n)
{
    static const struct {
        unsigned char first_low, first_high, second_low, second_high, length;
    } rows[] = {
        {0x00, 0x7f, 0, 0, 1},       {0xc2, 0xdf, 0x80, 0xbf, 2}, {0xe0, 0xe0, 0xa0, 0xbf, 3},
        {0xe1, 0xec, 0x80, 0xbf, 3}, {0xed, 0xed, 0x80, 0x9f, 3}, {0xee, 0xef, 0x80, 0xbf, 3},
        {0xf0, 0xf0, 0x90, 0xbf, 4}, {0xf1, 0xf3, 0x80, 0xbf, 4}, {0xf4, 0xf4, 0x80, 0x8f, 4},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        if (s[0] < rows[i].first_low || s[0] > rows[i].first_high)
            continue;
        if (n < rows[i].length)
            return 0;
        if (rows[i].length > 1 && (s[1] < rows[i].second_low || s[1] > rows[i].second_high))
            return 0;
        for (size_t k = 2; k < rows[i].length; k++) {
            if (s[k] < 0x80 || s[k] > 0xbf)
                return 0;
        }
        return rows[i].length;
    }
    return 0;
}

static void put_control(cli_json *j, unsigned char c)
{
    static const char hex[] = "0123456789abcdef";
    char escape[] = {'\\', 'u', '0', '0', hex[c >> 4], hex[c & 15]};
    put_bytes(j, escape, sizeof escape);
}

static void put_quoted(cli_json *j, const char *text, size_t n)
{
    put(j, '"');
    for (size_t i = 0; i < n;) {
        unsigned char c = (unsigned char)text[i];
        size_t length = c < 0x80 ? 1 : utf8_length((const unsigned char *)text + i, n - i);
        if (c == '"' || c == '\\') {
            put(j, '\\');
            put(j, (char)c);
        } else if (c < 0x20 || c == 0x7f) {
            put_control(j, c);
        } else if (length) {
            put_bytes(j, text + i, length);
        } else {
            put_bytes(j, "\xef\xbf\xbd", 3);
            length = 1;
        }
        i += length;
    }
    put(j, '"');
}

static void begin(cli_json *j, const char *key)
{
    if (j->comma)
        put(j, ',');
    j->comma = true;
    if (key) {
        put_quoted(j, key, strlen(key));
        put(j, ':');
    }
}

void cli_json_open(cli_json *j, const char *key, char bracket)
{
    begin(j, key);
    put(j, bracket);
    j->comma = false;
}

void cli_json_close(cli_json *j, char bracket)
{
    put(j, bracket);
    j->comma = true;
}

void cli_json_uint(cli_json *j, const char *key, uint64_t value)
{
    char digits[20];
    size_t at = sizeof digits;
    do {
        digits[--at] = (char)('0' + value % 10);
        value /= 10;
    } while (value);
    begin(j, key);
    put_bytes(j, digits + at, sizeof digits - at);
}

void cli_json_int(cli_json *j, const char *key, int64_t value)
{
    if (value >= 0) {
        cli_json_uint(j, key, (uint64_t)value);
        return;
    }
    begin(j, key);
    put(j, '-');
    j->comma = false;
    cli_json_uint(j, NULL, -(uint64_t)value);
}

void cli_json_real(cli_json *j, const char *key, double value)
{
    char text[40];
    int n = snprintf(text, sizeof text, "%.17g", isfinite(value) ? value : 0.0);
    begin(j, key);
    for (int i = 0; i < n; i++)
        put(j, text[i] == ',' ? '.' : text[i]); /* whatever the locale says */
}

void cli_json_bool(cli_json *j, const char *key, bool value)
{
    begin(j, key);
    if (value)
        put_bytes(j, "true", 4);
    else
        put_bytes(j, "false", 5);
}

void cli_json_null(cli_json *j, const char *key)
{
    begin(j, key);
    put_bytes(j, "null", 4);
}

void cli_json_text(cli_json *j, const char *key, const char *text, size_t n)
{
    begin(j, key);
    put_quoted(j, text, n);
}

void cli_json_str(cli_json *j, const char *key, const char *text)
{
    cli_json_text(j, key, text, strlen(text));
}
