/* JSON of sends over pauses, of who is stuck, and of what released whom. */
#include <inttypes.h>
#include <stdio.h>

#include "summary_inside.h"

void cli_json_channel(cli_json *j, const char *key, uint64_t chan)
{
    char text[24];
    snprintf(text, sizeof text, "0x%" PRIx64, chan);
    if (chan)
        cli_json_str(j, key, text);
    else
        cli_json_null(j, key);
}

void cli_summary_json_site(cli_summary_json *w, const char *key, const gl_site *s)
{
    cli_json *j = &w->json;
    if (!s->stack) {
        cli_json_null(j, key);
        return;
    }
    cli_json_open(j, key, '{');
    cli_summary_json_string(w, "func", s->func);
    cli_summary_json_string(w, "file", s->file);
    cli_json_uint(j, "line", s->line);
    cli_json_close(j, '}');
}

#define TOUCHED_MAX 8

/* The pauses that a send met, newest first: found again by time. */
static void touched(cli_summary_json *w, const gl_send *s, const gl_ranges_figures *stw)
{
    cli_json *j = &w->json;
    size_t low = 0, high = stw->list_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (stw->list[middle].begin < s->end)
            low = middle + 1;
        else
            high = middle;
    }
    cli_json_open(j, "touched", '[');
    for (uint32_t left = s->pauses < TOUCHED_MAX ? s->pauses : TOUCHED_MAX; low-- > 0 && left > 0;) {
        const gl_range_figures *x = &stw->list[low];
        if (!x->gc || x->end <= s->begin || x->begin >= s->end)
            continue;
        left--;
        cli_json_open(j, NULL, '{');
        cli_summary_json_string(w, "reason", x->reason);
        cli_json_int(j, "begin", x->begin);
        cli_json_int(j, "end", x->end);
        cli_json_close(j, '}');
    }
    cli_json_close(j, ']');
}

void cli_summary_json_send(cli_summary_json *w, const gl_send *s, const gl_ranges_figures *stw)
{
    cli_json *j = &w->json;
    cli_json_open(j, NULL, '{');
    cli_json_uint(j, "goroutine", s->g);
    cli_summary_json_string(w, "group", s->group);
    cli_json_channel(j, "channel", s->chan);
    cli_summary_json_site(w, "site", &s->site);
    cli_json_int(j, "begin", s->begin);
    cli_json_int(j, "end", s->end);
    cli_json_uint(j, "pauses", s->pauses);
    touched(w, s, stw);
    cli_json_uint(j, "overlap_ns", s->overlap_ns);
    if (!s->pauses)
        cli_json_uint(j, "cycle_ns", s->cycle_ns);
    cli_json_bool(j, "released_inside", s->released_inside);
    if (s->delay_ns >= 0)
        cli_json_int(j, "ran_after_restart_ns", s->delay_ns);
    else
        cli_json_null(j, "ran_after_restart_ns");
    if (s->woken) {
        cli_json_open(j, "released", '{');
        cli_json_int(j, "at", s->woken_at);
        if (s->woken_by)
            cli_json_uint(j, "by", s->woken_by);
        else
            cli_json_null(j, "by");
        cli_json_str(j, "operation", gl_release_name(s->release));
        cli_summary_json_site(w, "site", &s->release_site);
        cli_json_bool(j, "inferred", !s->release_recorded);
        cli_json_close(j, '}');
    } else {
        cli_json_null(j, "released");
    }
    cli_json_close(j, '}');
}

void cli_summary_json_sends(cli_summary_json *w, const char *key, const gl_sends_figures *f,
                            const gl_ranges_figures *stw)
{
    cli_json *j = &w->json;
    cli_json_open(j, key, '{');
    cli_json_bool(j, "recorded", f->recorded);
    cli_json_uint(j, "n", f->n);
    cli_json_uint(j, "wait_ns", f->wait_ns);
    cli_json_uint(j, "not_ended", f->not_ended);
    cli_json_uint(j, "straddling", f->straddling);
    cli_json_uint(j, "straddling_goroutines", f->goroutines);
    cli_json_uint(j, "overlap_ns", f->overlap_ns);
    cli_json_uint(j, "released_inside", f->released_inside);
    cli_json_uint(j, "during_gc", f->during_gc);
    cli_json_open(j, "worst", '[');
    for (size_t i = 0; i < f->worst_count; i++)
        cli_summary_json_send(w, &f->worst[i], stw);
    cli_json_close(j, ']');
    cli_json_close(j, '}');
}

void cli_summary_json_stuck(cli_summary_json *w, const gl_summary_result *r)
{
    cli_json *j = &w->json;
    cli_json_open(j, "stuck", '[');
    for (size_t i = 0; i < r->stuck_count; i++) {
        const gl_stuck_site *s = &r->stuck[i];
        cli_json_open(j, NULL, '{');
        cli_summary_json_string(w, "reason", s->reason);
        if (s->inferred_reason)
            cli_json_str(j, "inferred_reason", s->inferred_reason);
        cli_summary_json_string(w, "start", s->name);
        cli_summary_json_site(w, "site", &s->site);
        cli_summary_json_site(w, "created_at", &s->created_at);
        cli_json_uint(j, "n", s->n);
        cli_json_uint(j, "released_here", s->released_here);
        cli_json_bool(j, "system", s->system);
        cli_json_bool(j, "idle", s->idle);
        cli_json_open(j, "goroutines", '[');
        for (size_t k = 0; k < s->n; k++) {
            cli_json_open(j, NULL, '{');
            cli_json_uint(j, "id", s->goroutines[k].g);
            if (s->goroutines[k].since_known)
                cli_json_int(j, "since", s->goroutines[k].since);
            else
                cli_json_null(j, "since");
            cli_json_int(j, "parent", (int64_t)s->goroutines[k].parent);
            cli_json_close(j, '}');
        }
        cli_json_close(j, ']');
        cli_json_close(j, '}');
    }
    cli_json_close(j, ']');
}

void cli_summary_json_released(cli_summary_json *w, const gl_summary_result *r)
{
    static const char *const waited[GL_WAITED_KINDS] = {"chan send", "chan receive", "select"};
    cli_json *j = &w->json;
    uint64_t all = 0;
    for (unsigned i = 0; i < GL_WAITED_KINDS * GL_RELEASE_KINDS; i++)
        all += r->released[i / GL_RELEASE_KINDS][i % GL_RELEASE_KINDS];
    cli_json_open(j, "released", '{');
    cli_json_bool(j, "inferred", all == 0 || r->released_recorded < all);
    for (unsigned i = 0; i < GL_WAITED_KINDS; i++) {
        cli_json_open(j, waited[i], '{');
        for (unsigned k = 0; k < GL_RELEASE_KINDS; k++) {
            if (r->released[i][k])
                cli_json_uint(j, gl_release_name(k), r->released[i][k]);
        }
        cli_json_close(j, '}');
    }
    cli_json_close(j, '}');
}

void cli_summary_json_block_sites(cli_summary_json *w, const gl_summary_result *r)
{
    cli_json *j = &w->json;
    cli_json_open(j, "block_sites", '[');
    for (size_t i = 0; i < r->block_site_count; i++) {
        const gl_block_site *b = &r->block_sites[i];
        cli_json_open(j, NULL, '{');
        cli_summary_json_string(w, "reason", b->reason);
        cli_summary_json_site(w, "site", &b->site);
        cli_json_uint(j, "n", b->n);
        cli_json_uint(j, "ns", b->ns);
        cli_json_close(j, '}');
    }
    cli_json_close(j, ']');
}
