#include "sniff.h"

#include <ctype.h>
#include <stdbool.h>
#include <string.h>

typedef struct look {
    const char *magic;
    size_t n, at;
    const char *name;
} look;

static const look looks[] = {
    {"\x7f" "ELF", 4, 0, "looks like an ELF program; to trace one, run it with tracing on, or name its http://HOST:PORT"},
    {"go 1.", 5, 0, "holds the cut or damaged header of a Go trace"},
    {"PERFILE2", 8, 0, "looks like a file of perf(1)"},
    {"\x1f\x8b", 2, 0, "looks like gzip inside gzip"},
    {"\x28\xb5\x2f\xfd", 4, 0, "looks like zstd inside another packing"},
    {"\xfd" "7zXZ", 5, 0, "looks like an xz file: unpack it first"},
    {"BZh", 3, 0, "looks like a bzip2 file: unpack it first"},
    {"PK\x03\x04", 4, 0, "looks like a zip archive: unpack it first"},
    {"ustar", 5, 257, "looks like a tar archive: unpack it first"},
    {"MZ", 2, 0, "looks like a Windows program"},
    {"\xcf\xfa\xed\xfe", 4, 0, "looks like a macOS program"},
    {"SQLite format 3", 15, 0, "looks like an SQLite database"},
    {"FxT\x16", 4, 4, "looks like a Fuchsia trace"},
    {"\x89PNG", 4, 0, "looks like a picture"},
    {"%PDF", 4, 0, "looks like a PDF document"},
};

static bool starts_without_case(const char *s, size_t n, const char *word)
{
    size_t i = 0;
    for (; word[i] && i < n; i++)
        if (tolower((unsigned char)s[i]) != word[i])
            return false;
    return word[i] == '\0';
}

static bool is_text(const char *s, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if ((unsigned char)s[i] < 0x20 && !isspace((unsigned char)s[i]))
            return false;
    return true;
}

/* A profile of pprof is a protobuf message whose first field is one of a few. */
static bool is_pprof(const unsigned char *u, size_t n)
{
    return n > 4 && u[0] == 0x0a && u[1] < 0x20 && u[2] == 0x08;
}

const char *cli_sniff(const void *first, size_t n)
{
    const char *s = first;
    if (n == 0)
        return "is empty";
    for (size_t i = 0; i < sizeof looks / sizeof *looks; i++)
        if (n >= looks[i].at + looks[i].n && memcmp(s + looks[i].at, looks[i].magic, looks[i].n) == 0)
            return looks[i].name;
    if (is_pprof(first, n))
        return "looks like a pprof profile (go tool pprof reads those)";
    size_t skip = 0;
    while (skip < n && isspace((unsigned char)s[skip]))
        skip++;
    if (starts_without_case(s + skip, n - skip, "<!doctype") || starts_without_case(s + skip, n - skip, "<html"))
        return "looks like HTML";
    if (skip < n && s[skip] == '<')
        return "looks like XML or HTML";
    if (skip < n && (s[skip] == '{' || s[skip] == '['))
        return "looks like JSON";
    if (is_text(s, n))
        return "looks like text";
    for (size_t i = 0; i < n; i++)
        if (s[i])
            return "looks like something else";
    return "holds nothing but zeros";
}
