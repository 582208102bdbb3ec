/* Values as people type them: times, numbers, and what a mistyped word was meant to be. */
#include "args.h"

#include <ctype.h>
#include <string.h>

typedef struct time_unit {
    const char *name;
    int64_t ns;
} time_unit;

/* Longer names before those that begin like them. */
static const time_unit time_units[] = {
    {"ns", 1},        {"us", 1000}, {"\xc2\xb5s", 1000}, {"\xce\xbcs", 1000}, {"ms", 1000000}, {"s", INT64_C(1000000000)},
    {"m", INT64_C(60000000000)}, {"h", INT64_C(3600000000000)},
};

static const time_unit *unit_at(const char *s)
{
    for (size_t i = 0; i < sizeof time_units / sizeof *time_units; i++)
        if (strncmp(s, time_units[i].name, strlen(time_units[i].name)) == 0)
            return &time_units[i];
    return NULL;
}

static bool add_scaled(int64_t *sum, int64_t n, int64_t scale)
{
    int64_t part;
    return !__builtin_mul_overflow(n, scale, &part) && !__builtin_add_overflow(*sum, part, sum);
}

/* "12.5ms" at *s: adds it and moves *s behind it. Digits below a nanosecond are read and dropped. */
static bool take_time_part(const char **s, int64_t *sum)
{
    const char *p = *s;
    int64_t whole = 0;
    bool digits = false;
    for (; isdigit((unsigned char)*p); p++, digits = true)
        if (__builtin_mul_overflow(whole, 10, &whole) || __builtin_add_overflow(whole, *p - '0', &whole))
            return false;
    const char *fraction = NULL;
    if (*p == '.') {
        fraction = ++p;
        for (; isdigit((unsigned char)*p); p++)
            digits = true;
    }
    const time_unit *unit = digits ? unit_at(p) : NULL;
    if (!unit || !add_scaled(sum, whole, unit->ns))
        return false;
    for (int64_t scale = unit->ns; fraction && isdigit((unsigned char)*fraction) && scale >= 1; fraction++) {
        /* Hours and minutes are not powers of ten, so the scale stays exact only in this order. */
        int64_t digit = *fraction - '0';
        if (__builtin_add_overflow(*sum, digit * (scale / 10) + digit * (scale % 10) / 10, sum))
            return false;
        scale /= 10;
    }
    *s = p + strlen(unit->name);
    return true;
}

bool cli_time_parse(const char *text, int64_t *ns)
{
    if (strcmp(text, "0") == 0) {
        *ns = 0;
        return true;
    }
    int64_t sum = 0;
    if (!*text)
        return false;
    while (*text)
        if (!take_time_part(&text, &sum))
            return false;
    *ns = sum;
    return true;
}

bool cli_number_parse(const char *text, uint64_t *number)
{
    uint64_t n = 0;
    if (!*text)
        return false;
    for (; *text; text++) {
        if (!isdigit((unsigned char)*text))
            return false;
        if (__builtin_mul_overflow(n, (uint64_t)10, &n) || __builtin_add_overflow(n, (uint64_t)(*text - '0'), &n))
            return false;
    }
    *number = n;
    return true;
}

#define WORD_MAX 40

/* Edit distance without regard to case; words longer than WORD_MAX are taken as far from anything. */
static size_t distance(const char *a, const char *b)
{
    size_t n = strlen(a), m = strlen(b);
    size_t row[WORD_MAX + 1];
    if (n > WORD_MAX || m > WORD_MAX)
        return WORD_MAX;
    for (size_t j = 0; j <= m; j++)
        row[j] = j;
    for (size_t i = 1; i <= n; i++) {
        size_t diagonal = row[0];
        row[0] = i;
        for (size_t j = 1; j <= m; j++) {
            size_t change = diagonal + (tolower((unsigned char)a[i - 1]) != tolower((unsigned char)b[j - 1]));
            diagonal = row[j];
            size_t best = row[j] < row[j - 1] ? row[j] + 1 : row[j - 1] + 1;
            row[j] = change < best ? change : best;
        }
    }
    return row[m];
}

const char *cli_nearest(const char *word, const char *const *names, size_t n)
{
    const char *best = NULL;
    size_t least = strlen(word) / 3 + 2;
    for (size_t i = 0; i < n; i++) {
        size_t d = distance(word, names[i]);
        if (d < least) {
            least = d;
            best = names[i];
        }
    }
    return best;
}
