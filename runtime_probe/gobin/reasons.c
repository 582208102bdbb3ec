#include <stddef.h>

#include "golanes/golayout.h"

#define RELEASES 8
static const unsigned releases[RELEASES] = {19, 21, 22, 23, 24, 25, 26, 27};

typedef struct reason {
    const char *text;
    int number[RELEASES];
} reason;

#define GL_GOWAIT(text, ...) {text, {__VA_ARGS__}},
#define GL_GOSTOP(text, ...)
static const reason waits[] = {
#include "golanes/goreasons.def"
};
#define GL_GOWAIT(text, ...)
#define GL_GOSTOP(text, ...) {text, {__VA_ARGS__}},
static const reason stops[] = {
#include "golanes/goreasons.def"
};

static const char *find(const reason *r, size_t n, unsigned minor, unsigned number)
{
    size_t column = 0;
    while (column < RELEASES && releases[column] != minor)
        column++;
    for (size_t i = 0; column < RELEASES && i < n; i++)
        if (r[i].number[column] >= 0 && (unsigned)r[i].number[column] == number)
            return r[i].text;
    return NULL;
}

const char *gl_goprog_wait_reason(unsigned minor, unsigned number)
{
    return find(waits, sizeof waits / sizeof *waits, minor, number);
}

const char *gl_goprog_stop_reason(unsigned minor, unsigned number)
{
    return find(stops, sizeof stops / sizeof *stops, minor, number);
}
