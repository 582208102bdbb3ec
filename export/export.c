#include "inside.h"

#include <stdlib.h>
#include <string.h>

struct gl_export {
    ex_out out;
    const ex_ops *ops;
    void *made;
    int status; /* the first failure */
};

static const ex_ops *const formats[] = {&ex_chrome, &ex_perfetto, &ex_pprof, &ex_folded, &ex_csv, &ex_jsonl};
#define FORMATS (sizeof formats / sizeof *formats)

const gl_export_format *gl_export_format_at(size_t i) { return i < FORMATS ? &formats[i]->format : NULL; }

static const ex_ops *find(const char *name)
{
    for (size_t i = 0; i < FORMATS; i++)
        if (strcmp(formats[i]->format.name, name) == 0)
            return formats[i];
    return NULL;
}

const gl_export_format *gl_export_format_find(const char *name)
{
    const ex_ops *ops = find(name);
    return ops ? &ops->format : NULL;
}

const gl_export_choice *gl_export_table_at(size_t i) { return ex_table_choice(i); }
const gl_export_choice *gl_export_profile_at(size_t i) { return ex_profile_choice(i); }
const char *gl_export_column_at(const char *table, size_t i) { return ex_table_column(table, i); }

int gl_export_open(const char *format, const gl_export_options *opt, gl_export **out, gl_error *err)
{
    const ex_ops *ops = find(format);
    if (!ops)
        return gl_fail(err, GL_E_USAGE, UINT64_MAX, "there is no format %s", format);
    if (!opt->dict || !opt->sink)
        return gl_fail(err, GL_E_USAGE, UINT64_MAX, "an export needs a dictionary and a sink");
    gl_export *x = malloc(sizeof *x);
    if (!x)
        return gl_fail(err, GL_E_NOMEM, UINT64_MAX, "no memory");
    ex_out_init(&x->out, opt->sink, opt->sink_user);
    x->ops = ops;
    x->made = NULL;
    x->status = ops->open(&x->out, opt, &x->made, err);
    if (x->status < 0) {
        int status = x->status;
        gl_export_abandon(x);
        return err && err->code ? status : gl_fail(err, (gl_status)status, UINT64_MAX, "%s", gl_status_text(status));
    }
    *out = x;
    return 0;
}

/* Stamps of a damaged trace can be anything; within 73 years of time 0 no difference or sum of two overflows. */
#define TIME_MAX (INT64_C(1) << 61)

static int take_bounded(gl_export *x, const gl_event *ev)
{
    gl_event copy = *ev;
    copy.time = ev->time < 0 ? -TIME_MAX : TIME_MAX;
    return x->ops->take(x->made, &copy);
}

int gl_export_sink(void *export, const gl_event *events, size_t n)
{
    gl_export *x = export;
    for (size_t i = 0; i < n && x->status == 0; i++) {
        bool sound = events[i].time >= -TIME_MAX && events[i].time <= TIME_MAX;
        x->status = sound ? x->ops->take(x->made, &events[i]) : take_bounded(x, &events[i]);
    }
    if (x->status == 0)
        x->status = x->out.status;
    return x->status;
}

int gl_export_close(gl_export *x, gl_error *err)
{
    int status = x->status;
    if (status == 0)
        status = x->ops->finish(x->made);
    if (status == 0)
        status = ex_out_flush(&x->out);
    gl_export_abandon(x);
    return status < 0 ? gl_fail(err, (gl_status)status, UINT64_MAX, "%s", gl_status_text(status)) : 0;
}

void gl_export_abandon(gl_export *x)
{
    if (!x)
        return;
    x->ops->discard(x->made);
    free(x);
}

/* ---- names ---------------------------------------------------------------------------------------------------------- */

const char *ex_text(const gl_dict *d, uint64_t id, size_t *n)
{
    return gl_dict_text(d, id > UINT32_MAX ? 0 : (uint32_t)id, n);
}

const char *ex_func(const gl_dict *d, gl_frame f) { return gl_dict_text(d, gl_dict_get_func(d, f.func).name, NULL); }
const char *ex_file(const gl_dict *d, gl_frame f) { return gl_dict_text(d, gl_dict_get_func(d, f.func).file, NULL); }

static bool is_runtime(const char *func)
{
    return strncmp(func, "runtime.", 8) == 0 || strncmp(func, "internal/runtime/", 17) == 0;
}

bool ex_site(const gl_dict *d, uint32_t stack, gl_frame *out)
{
    size_t n;
    const uint32_t *frames = gl_dict_get_stack(d, stack, &n);
    for (size_t i = 0; i < n; i++) {
        *out = gl_dict_get_frame(d, frames[i]);
        const char *name = ex_func(d, *out);
        if (*name && !is_runtime(name))
            return true;
    }
    if (n)
        *out = gl_dict_get_frame(d, frames[0]);
    return n > 0;
}
