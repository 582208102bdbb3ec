#include "reasons.h"

#include <stdlib.h>
#include <string.h>

#include "collect.h"

static const struct {
    const char *text;
    gl_wait_kind kind;
} wait_kinds[] = {
    {"chan send", GL_WAIT_SEND},
    {"chan receive", GL_WAIT_RECV},
    {"select", GL_WAIT_SELECT},
    {"sync", GL_WAIT_SYNC},
    {"semacquire", GL_WAIT_SYNC},
    {"sleep", GL_WAIT_IDLE},
    {"network", GL_WAIT_IDLE},
    {"system goroutine wait", GL_WAIT_RUNTIME},
    {"GC background sweeper wait", GL_WAIT_RUNTIME},
    {"GC mark assist wait for work", GL_WAIT_RUNTIME},
    {"GC weak to strong wait", GL_WAIT_RUNTIME},
    {"wait until GC ends", GL_WAIT_RUNTIME},
};

static uint8_t kind_of(const char *text)
{
    for (size_t i = 0; i < sizeof wait_kinds / sizeof *wait_kinds; i++) {
        if (strcmp(wait_kinds[i].text, text) == 0)
            return (uint8_t)wait_kinds[i].kind;
    }
    return GL_WAIT_OTHER;
}

int gl_reasons_init(gl_reasons *r, const gl_dict *dict)
{
    r->dict = dict;
    r->list = calloc(GL_REASONS_MAX, sizeof *r->list);
    if (!r->list)
        return GL_E_NOMEM;
    gl_reasons_add(r, 0);
    return r->status;
}

void gl_reasons_clean_up(gl_reasons *r)
{
    for (unsigned i = 0; i < r->count; i++) {
        gl_dist_clean_up(&r->list[i].wait);
        gl_dist_clean_up(&r->list[i].stw);
    }
    free(r->list);
    free(r->numbers);
}

uint8_t gl_reasons_add(gl_reasons *r, uint32_t string)
{
    if (string >= gl_dict_string_count(r->dict))
        return 0;
    int grown = GL_GROW(r->numbers, r->capacity, (size_t)string + 1);
    if (grown < 0) {
        r->status = grown;
        return 0;
    }
    if (r->count == GL_REASONS_MAX) {
        r->numbers[string] = 1;
        return 0;
    }
    uint8_t number = (uint8_t)r->count++;
    const char *text = gl_dict_text(r->dict, string, NULL);
    r->numbers[string] = (uint8_t)(number + 1);
    r->list[number].figures.reason = string;
    r->list[number].kind = kind_of(text);
    r->list[number].gc = strstr(text, "GC") != NULL;
    return number;
}

int gl_spread_of(const gl_dist *d, gl_spread *out)
{
    static const unsigned percents[] = {50, 90, 95, 99};
    uint64_t values[4];
    int status = gl_dist_percentiles(d, percents, values, 4);
    *out = (gl_spread){d->n,      d->total,  values[0], values[1],
                       values[2], values[3], d->max,    gl_dist_approximate(d)};
    return status;
}
