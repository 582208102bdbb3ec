/*
 * A profile as flame graph tools read it: a line for each stack, outermost frame first, and how much time (us) or, where
 * the profile has no time, how many.
 */
#include <stdlib.h>
#include <string.h>

#include "profile.h"

typedef struct folded {
    ex_out *out;
    ex_profile *profile;
} folded;

static int open_folded(ex_out *out, const gl_export_options *opt, void **made, gl_error *err)
{
    folded *x = calloc(1, sizeof *x);
    if (!x)
        return GL_E_NOMEM;
    *made = x;
    x->out = out;
    return ex_profile_open(&x->profile, opt, err);
}

static int take_folded(void *made, const gl_event *ev) { return ex_profile_take(((folded *)made)->profile, ev); }

static void discard_folded(void *made)
{
    folded *x = made;
    if (x)
        ex_profile_discard(x->profile);
    free(x);
}

/* ';' parts frames, and a line is a stack: neither can stand in a name. */
static void write_name(ex_out *o, const char *name)
{
    if (!*name)
        name = "(not known)";
    for (const char *c = name; *c; c++)
        ex_out_char(o, *c == ';' ? ':' : (unsigned char)*c < 0x20 ? ' ' : *c);
}

static void write_sample(folded *x, const ex_sample *s)
{
    const gl_dict *d = x->profile->dict;
    char label[128];
    size_t n;
    const uint32_t *frames = gl_dict_get_stack(d, s->stack, &n);
    if (n == 0)
        write_name(x->out, "");
    for (size_t i = n; i-- > 0;) {
        write_name(x->out, ex_func(d, gl_dict_get_frame(d, frames[i])));
        if (i)
            ex_out_char(x->out, ';');
    }
    if (s->label) {
        ex_out_char(x->out, ';');
        write_name(x->out, ex_label_text(x->profile, s->label, label, sizeof label));
    }
    ex_out_char(x->out, ' ');
    ex_out_u64(x->out, x->profile->kind->value[1][0] ? (s->ns + 500) / 1000 : s->count);
    ex_out_char(x->out, '\n');
}

static int finish_folded(void *made)
{
    folded *x = made;
    int status = ex_profile_finish(x->profile);
    for (size_t i = 0; i < x->profile->sample_count && status == 0; i++)
        write_sample(x, &x->profile->samples[i]);
    return status;
}

const ex_ops ex_folded = {
    .format = {.name = "folded", .ending = ".folded", .brief = "a profile as folded stacks, in microseconds, for flame graphs",
               .abilities = GL_EXPORT_PROFILES},
    .open = open_folded, .take = take_folded, .finish = finish_folded, .discard = discard_folded};
