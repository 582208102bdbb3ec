#include "stands.h"

#include <stdlib.h>
#include <string.h>

static void drop(gl_stands *ss, size_t i)
{
    ss->spans -= ss->at[i].n;
    free(ss->at[i].open);
    ss->at[i] = ss->at[--ss->count];
}

void gl_stands_clean_up(gl_stands *ss)
{
    while (ss->count)
        drop(ss, ss->count - 1);
    memset(ss, 0, sizeof *ss);
}

const gl_stand *gl_stands_find(gl_stands *ss, int64_t time)
{
    gl_stand *best = NULL;
    for (size_t i = 0; i < ss->count; i++)
        if (ss->at[i].reach <= time && (!best || ss->at[i].event > best->event))
            best = &ss->at[i];
    if (best)
        best->used = ++ss->clock;
    return best;
}

static size_t least_used(const gl_stands *ss)
{
    size_t at = 0;
    for (size_t i = 1; i < ss->count; i++)
        if (ss->at[i].used < ss->at[at].used)
            at = i;
    return at;
}

void gl_stands_keep(gl_stands *ss, uint64_t event, int64_t reach, gl_lane_span *open, size_t n)
{
    bool known = n > GL_STANDS_SPANS / 2;
    for (size_t i = 0; i < ss->count; i++)
        known = known || ss->at[i].event == event;
    if (known) {
        free(open);
        return;
    }
    while (ss->count == GL_STANDS || (ss->count && ss->spans + n > GL_STANDS_SPANS))
        drop(ss, least_used(ss));
    ss->at[ss->count++] = (gl_stand){event, reach, open, n, ++ss->clock};
    ss->spans += n;
}
