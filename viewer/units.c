#include "text.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* Three significant digits of a number below 1000 (or of any number in the last unit). */
static int put_digits(char *out, double v)
{
    int decimals = v < 9.995 ? 2 : v < 99.95 ? 1 : 0;
    return snprintf(out, GL_UNIT_TEXT_MAX, "%.*f", decimals, v);
}

/* v in steps of `step`: picks the first unit in which it prints below `step`. units[0] has no decimals. */
static const char *put_scaled(char *out, double v, double step, const char *const *units, size_t n)
{
    if (v < step) {
        snprintf(out, GL_UNIT_TEXT_MAX, "%.0f%s", v, units[0]);
        return out;
    }
    size_t u = 0;
    while (u + 1 < n && v >= (u == 0 ? step : step - 0.5)) {
        v /= step;
        u++;
    }
    int at = put_digits(out, v);
    snprintf(out + at, (size_t)(GL_UNIT_TEXT_MAX - at), "%s", units[u]);
    return out;
}

static const char *put_clock(char *out, uint64_t seconds)
{
    if (seconds < 3600)
        snprintf(out, GL_UNIT_TEXT_MAX, "%um%02us", (unsigned)(seconds / 60), (unsigned)(seconds % 60));
    else
        snprintf(out, GL_UNIT_TEXT_MAX, "%lluh%02um", (unsigned long long)(seconds / 3600),
                 (unsigned)(seconds / 60 % 60));
    return out;
}

const char *gl_unit_ns(char *out, int64_t ns)
{
    static const char *const units[] = {" ns", " µs", " ms", " s"};
    char *at = out;
    uint64_t n = (uint64_t)ns;
    if (ns < 0) {
        *at++ = '-';
        n = 0 - n;
    }
    /* From two minutes on, minutes read better than hundreds of seconds. */
    if (n >= UINT64_C(120000000000)) {
        char clock[GL_UNIT_TEXT_MAX];
        snprintf(at, (size_t)GL_UNIT_TEXT_MAX - 1, "%.38s", put_clock(clock, n / 1000000000));
        return out;
    }
    char text[GL_UNIT_TEXT_MAX];
    snprintf(at, (size_t)GL_UNIT_TEXT_MAX - 1, "%.38s", put_scaled(text, (double)n, 1000, units, 4));
    return out;
}

const char *gl_unit_bytes(char *out, uint64_t bytes)
{
    static const char *const units[] = {" B", " KiB", " MiB", " GiB", " TiB", " PiB", " EiB"};
    return put_scaled(out, (double)bytes, 1024, units, sizeof units / sizeof *units);
}

const char *gl_unit_count_short(char *out, double n)
{
    static const char *const units[] = {"", " k", " M", " G", " T", " P"};
    if (!(n > 0))
        n = 0;
    return put_scaled(out, n, 1000, units, sizeof units / sizeof *units);
}

const char *gl_unit_count(char *out, uint64_t n)
{
    char digits[24];
    int len = snprintf(digits, sizeof digits, "%llu", (unsigned long long)n);
    char *at = out;
    for (int i = 0; i < len; i++) {
        if (i && (len - i) % 3 == 0)
            *at++ = ',';
        *at++ = digits[i];
    }
    *at = '\0';
    return out;
}

const char *gl_unit_share(char *out, double share)
{
    if (!(share > 0))
        return memcpy(out, "0 %", 4);
    double percent = share * 100;
    if (percent < 0.05)
        return memcpy(out, "<0.1 %", 7);
    if (!isfinite(percent))
        return memcpy(out, "-", 2);
    snprintf(out, GL_UNIT_TEXT_MAX, "%.1f %%", percent);
    return out;
}
