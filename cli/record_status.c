/* What "golanes record" says while it runs and at its end. */
#include "record.h"

#include <stdio.h>
#include <string.h>

#include "text.h"

static void add_losses(const gl_recording_figures *f, gl_text *t)
{
    char a[GL_UNIT_TEXT_MAX];
    if (f->lost)
        gl_text_printf(t, "  %s lost", gl_unit_count_short(a, f->lost));
}

void cli_record_status(const gl_recording_figures *f, int64_t ns, double rate, size_t width, char *out, size_t size)
{
    char a[GL_UNIT_TEXT_MAX], b[GL_UNIT_TEXT_MAX], c[GL_UNIT_TEXT_MAX];
    gl_text t = {0}, fitted = {0};
    if (f->failed) {
        gl_text_str(&t, "not recording any more: the file can't be written on");
    } else {
        gl_text_printf(&t, "recording %s  %s events  %s/s", gl_unit_ns(a, ns / 1000000000 * 1000000000),
                       gl_unit_count_short(b, f->events), gl_unit_count_short(c, rate > 0 ? (uint64_t)rate : 0));
        add_losses(f, &t);
        if (f->bytes)
            gl_text_printf(&t, "  %s", gl_unit_bytes(a, f->bytes));
        if (f->goroutines)
            gl_text_printf(&t, "  %s goroutines", gl_unit_count_short(a, f->goroutines));
        if (f->last_stop_ns)
            gl_text_printf(&t, "  last STW %s", gl_unit_ns(a, f->last_stop_ns));
    }
    gl_text_fit(&fitted, t.bytes ? t.bytes : "", t.n, width, GL_CUT_END);
    snprintf(out, size, "%s", fitted.bytes ? fitted.bytes : "");
    gl_text_clean_up(&t);
    gl_text_clean_up(&fitted);
}

void cli_record_closing(const char *path, const gl_recording_figures *f, const gl_writer_stats *stats, int64_t ns, char *out,
                        size_t size)
{
    char a[GL_UNIT_TEXT_MAX], b[GL_UNIT_TEXT_MAX], c[GL_UNIT_TEXT_MAX], d[GL_UNIT_TEXT_MAX];
    int n = snprintf(out, size, "%s: %s events in %s, %s", path, gl_unit_count(a, f->events), gl_unit_ns(b, ns),
                     gl_unit_bytes(c, stats->bytes));
    if (f->lost && n > 0 && (size_t)n < size)
        snprintf(out + n, size - (size_t)n, "; %s events were lost", gl_unit_count(d, f->lost));
}
