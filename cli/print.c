#include "print.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#define TIME_COLUMNS 16
#define NAME_COLUMNS 19

static const char *const chan_results[] = {"done", "would block", "closed", "panic"};
static const char *const chan_dirs[] = {"default", "send", "recv"};

typedef struct flag_name {
    unsigned bit;
    const char *name;
} flag_name;
static const flag_name flag_names[] = {
    {GL_FLAG_COROUTINE, "coroutine"}, {GL_FLAG_INFERRED, "inferred"}, {GL_FLAG_RESYNC, "resync"}};
#define FLAG_NAMES (sizeof flag_names / sizeof *flag_names)

static bool is_runtime(const char *func)
{
    return strncmp(func, "runtime.", 8) == 0 || strncmp(func, "internal/runtime/", 17) == 0;
}

bool cli_site(const gl_dict *d, uint32_t stack, gl_frame *out)
{
    size_t n;
    const uint32_t *frames = gl_dict_get_stack(d, stack, &n);
    for (size_t i = 0; i < n; i++) {
        gl_frame f = gl_dict_get_frame(d, frames[i]);
        const char *name = gl_dict_text(d, gl_dict_get_func(d, f.func).name, NULL);
        if (*name && !is_runtime(name)) {
            *out = f;
            return true;
        }
    }
    if (n)
        *out = gl_dict_get_frame(d, frames[0]);
    return n > 0;
}

const char *cli_wall_text(char *out, size_t n, int64_t unix_ns)
{
    int64_t seconds = unix_ns / 1000000000, rest = unix_ns % 1000000000;
    if (rest < 0) {
        rest += 1000000000;
        seconds--;
    }
    time_t t = (time_t)seconds;
    struct tm tm;
    char day[64];
    if (!gmtime_r(&t, &tm) || strftime(day, sizeof day, "%Y-%m-%dT%H:%M:%S", &tm) == 0)
        snprintf(out, n, "%" PRId64 "ns", unix_ns);
    else
        snprintf(out, n, "%s.%09" PRId64 "Z", day, rest);
    return out;
}

static int64_t wall_of(const cli_print *p, int64_t time)
{
    int64_t wall;
    return __builtin_add_overflow(p->wall_unix_ns, time, &wall) ? INT64_MAX : wall;
}

static uint32_t id_of(uint64_t arg)
{
    return arg > UINT32_MAX ? 0 : (uint32_t)arg;
}

/* A name from a small set; NULL where the number is not in it. */
static const char *word_of(gl_kind kind, uint64_t v)
{
    switch (kind) {
    case GL_KIND_GSTATE: return v < GL_G_STATES ? gl_gstate_name((unsigned)v) : NULL;
    case GL_KIND_PSTATE: return v < GL_P_STATES ? gl_pstate_name((unsigned)v) : NULL;
    case GL_KIND_CHANRESULT: return v < sizeof chan_results / sizeof *chan_results ? chan_results[v] : NULL;
    case GL_KIND_CHANDIR: return v < sizeof chan_dirs / sizeof *chan_dirs ? chan_dirs[v] : NULL;
    case GL_KIND_BOOL: return v == 0 ? "false" : v == 1 ? "true" : NULL;
    default: return NULL;
    }
}

static bool is_none(gl_kind kind, uint64_t v)
{
    switch (kind) {
    case GL_KIND_GOROUTINE:
    case GL_KIND_CHAN:
    case GL_KIND_STACK:
    case GL_KIND_CLOCK: return v == 0;
    case GL_KIND_PROC: return v == GL_NO_PROC;
    case GL_KIND_THREAD: return v == GL_NO_THREAD;
    default: return false;
    }
}

static uint64_t tid_of(const cli_print *p, uint64_t index)
{
    return index > UINT32_MAX ? 0 : gl_dict_get_thread(p->dict, (uint32_t)index).tid;
}

/* ---- text --------------------------------------------------------------------------------------------------------- */

/* Milliseconds with all digits, and the unit, so that it can be given to --from again. */
static void text_ms(cli_out *o, int64_t ns, size_t width)
{
    char digits[40];
    size_t at = sizeof digits;
    uint64_t n = ns < 0 ? 0 - (uint64_t)ns : (uint64_t)ns, fraction = n % 1000000;
    digits[--at] = 's';
    digits[--at] = 'm';
    for (int i = 0; i < 6; i++, fraction /= 10)
        digits[--at] = (char)('0' + fraction % 10);
    digits[--at] = '.';
    n /= 1000000;
    do
        digits[--at] = (char)('0' + n % 10);
    while (n /= 10);
    if (ns < 0)
        digits[--at] = '-';
    cli_out_pad(o, sizeof digits - at, width);
    cli_out_add(o, digits + at, sizeof digits - at);
}

static void text_padded(cli_out *o, char letter, bool none, uint64_t n, size_t width)
{
    size_t digits = 1;
    cli_out_char(o, ' ');
    if (none) {
        cli_out_char(o, '-');
        cli_out_pad(o, 1, width);
        return;
    }
    cli_out_char(o, letter);
    for (uint64_t v = n; v >= 10; v /= 10)
        digits++;
    cli_out_u64(o, n);
    cli_out_pad(o, digits + 1, width);
}

static void text_string(const cli_print *p, uint32_t id)
{
    size_t n;
    const char *s = gl_dict_text(p->dict, id, &n);
    cli_out_char(p->out, '"');
    cli_out_safe(p->out, s, n);
    cli_out_char(p->out, '"');
}

static void text_frame(const cli_print *p, gl_frame f)
{
    gl_func func = gl_dict_get_func(p->dict, f.func);
    size_t n;
    const char *name = gl_dict_text(p->dict, func.name, &n);
    if (n)
        cli_out_safe(p->out, name, n);
    else
        cli_out_printf(p->out, "0x%" PRIx64, f.pc);
    const char *file = gl_dict_text(p->dict, func.file, &n);
    if (n == 0)
        return;
    cli_out_char(p->out, ' ');
    cli_out_safe(p->out, file, n);
    cli_out_char(p->out, ':');
    cli_out_u64(p->out, f.line);
}

static void text_value(const cli_print *p, gl_kind kind, uint64_t v)
{
    cli_out *o = p->out;
    const char *word = word_of(kind, v);
    gl_frame site;
    if (word) {
        cli_out_str(o, word);
        return;
    }
    if (is_none(kind, v)) {
        cli_out_char(o, '-');
        return;
    }
    switch (kind) {
    case GL_KIND_STRING: text_string(p, id_of(v)); break;
    case GL_KIND_GOROUTINE: cli_out_char(o, 'G'); cli_out_u64(o, v); break;
    case GL_KIND_PROC: cli_out_char(o, 'P'); cli_out_u64(o, v); break;
    case GL_KIND_THREAD: cli_out_char(o, 'M'); cli_out_u64(o, tid_of(p, v)); break;
    case GL_KIND_CHAN: cli_out_printf(o, "0x%" PRIx64, v); break;
    case GL_KIND_TIME: text_ms(o, (int64_t)v, 0); break;
    case GL_KIND_STACK:
        if (cli_site(p->dict, id_of(v), &site))
            cli_out_safe(o, gl_dict_text(p->dict, gl_dict_get_func(p->dict, site.func).name, NULL),
                         strlen(gl_dict_text(p->dict, gl_dict_get_func(p->dict, site.func).name, NULL)));
        else
            cli_out_char(o, '-');
        break;
    default: cli_out_u64(o, v);
    }
}

static void text_stack(const cli_print *p, uint32_t stack, const char *title)
{
    size_t n;
    const uint32_t *frames = gl_dict_get_stack(p->dict, stack, &n);
    if (n && title)
        cli_out_printf(p->out, "%*s%s:\n", TIME_COLUMNS + 2, "", title);
    for (size_t i = 0; i < n; i++) {
        cli_out_pad(p->out, 0, TIME_COLUMNS + (title ? 4 : 2));
        text_frame(p, gl_dict_get_frame(p->dict, frames[i]));
        cli_out_char(p->out, '\n');
    }
}

static void text_stacks(const cli_print *p, const gl_event_info *info, const gl_event *ev)
{
    text_stack(p, ev->stack, NULL);
    for (unsigned i = 0; info && i < info->arg_count; i++)
        if (info->args[i].kind == GL_KIND_STACK)
            text_stack(p, id_of(ev->arg[i]), info->args[i].name);
}

static void arg_name(cli_out *o, const gl_event_info *info, unsigned i)
{
    if (info) {
        cli_out_str(o, info->args[i].name);
    } else {
        cli_out_char(o, 'a');
        cli_out_char(o, (char)('0' + i));
    }
}

static void text_args(const cli_print *p, const gl_event_info *info, const gl_event *ev)
{
    unsigned n = info ? info->arg_count : GL_EVENT_ARGS_MAX;
    for (unsigned i = 0; i < n; i++) {
        cli_out_char(p->out, ' ');
        arg_name(p->out, info, i);
        cli_out_char(p->out, '=');
        text_value(p, info ? info->args[i].kind : GL_KIND_NUMBER, ev->arg[i]);
    }
}

static void text_flags(const cli_print *p, const gl_event *ev)
{
    for (size_t i = 0; i < FLAG_NAMES; i++)
        if (ev->flags & flag_names[i].bit)
            cli_out_printf(p->out, " [%s]", flag_names[i].name);
}

/* Returns the columns. */
static size_t event_name(cli_out *o, const gl_event_info *info, const gl_event *ev)
{
    char unknown[24];
    if (!info)
        snprintf(unknown, sizeof unknown, "Event%u", ev->type);
    const char *name = info ? info->name : unknown;
    size_t n = strlen(name);
    cli_out_add(o, name, n);
    return n;
}

void cli_print_text(const cli_print *p, const gl_event *ev)
{
    const gl_event_info *info = gl_event_lookup(ev->type);
    cli_out *o = p->out;
    char wall[48];
    if (p->wall)
        cli_out_str(o, cli_wall_text(wall, sizeof wall, wall_of(p, ev->time)));
    else
        text_ms(o, ev->time, TIME_COLUMNS);
    cli_out_str(o, "  ");
    cli_out_pad(o, event_name(o, info, ev), NAME_COLUMNS);
    text_padded(o, 'M', ev->thread == GL_NO_THREAD, tid_of(p, ev->thread), 8);
    text_padded(o, 'P', ev->p == GL_NO_PROC, ev->p, 4);
    text_padded(o, 'G', ev->g == 0, ev->g, 7);
    text_args(p, info, ev);
    text_flags(p, ev);
    gl_frame site;
    if (!p->stacks && cli_site(p->dict, ev->stack, &site)) {
        cli_out_str(o, "  ");
        text_frame(p, site);
    }
    cli_out_char(o, '\n');
    if (p->stacks)
        text_stacks(p, info, ev);
}

/* ---- JSON --------------------------------------------------------------------------------------------------------- */

static void json_string_id(const cli_print *p, uint32_t id)
{
    size_t n;
    const char *s = gl_dict_text(p->dict, id, &n);
    cli_out_json_string(p->out, s, n);
}

static void json_frame_keys(const cli_print *p, gl_frame f)
{
    gl_func func = gl_dict_get_func(p->dict, f.func);
    cli_out_str(p->out, "\"func\":");
    json_string_id(p, func.name);
    if (func.file) {
        cli_out_str(p->out, ",\"file\":");
        json_string_id(p, func.file);
        cli_out_str(p->out, ",\"line\":");
        cli_out_u64(p->out, f.line);
    }
}

static void json_stack(const cli_print *p, uint32_t stack)
{
    size_t n;
    const uint32_t *frames = gl_dict_get_stack(p->dict, stack, &n);
    cli_out_char(p->out, '[');
    for (size_t i = 0; i < n; i++) {
        gl_frame f = gl_dict_get_frame(p->dict, frames[i]);
        cli_out_str(p->out, i ? ",{" : "{");
        json_frame_keys(p, f);
        if (f.pc)
            cli_out_printf(p->out, ",\"pc\":\"0x%" PRIx64 "\"", f.pc);
        cli_out_char(p->out, '}');
    }
    cli_out_char(p->out, ']');
}

static void json_stack_value(const cli_print *p, uint32_t stack)
{
    gl_frame site;
    if (p->stacks) {
        json_stack(p, stack);
    } else if (cli_site(p->dict, stack, &site)) {
        cli_out_char(p->out, '{');
        json_frame_keys(p, site);
        cli_out_char(p->out, '}');
    } else {
        cli_out_str(p->out, "null");
    }
}

static void json_word(cli_out *o, const char *word)
{
    cli_out_char(o, '"');
    cli_out_str(o, word);
    cli_out_char(o, '"');
}

static void json_value(const cli_print *p, gl_kind kind, uint64_t v)
{
    cli_out *o = p->out;
    const char *word = word_of(kind, v);
    if (word && kind != GL_KIND_BOOL)
        json_word(o, word);
    else if (word)
        cli_out_str(o, word);
    else if (is_none(kind, v))
        cli_out_str(o, "null");
    else if (kind == GL_KIND_STRING)
        json_string_id(p, id_of(v));
    else if (kind == GL_KIND_STACK)
        json_stack_value(p, id_of(v));
    else if (kind == GL_KIND_CHAN)
        cli_out_printf(o, "\"0x%" PRIx64 "\"", v);
    else if (kind == GL_KIND_THREAD)
        cli_out_u64(o, tid_of(p, v));
    else if (kind == GL_KIND_TIME)
        cli_out_i64(o, (int64_t)v);
    else
        cli_out_u64(o, v);
}

static void json_args(const cli_print *p, const gl_event_info *info, const gl_event *ev)
{
    unsigned n = info ? info->arg_count : GL_EVENT_ARGS_MAX;
    if (n == 0)
        return;
    cli_out_str(p->out, ",\"args\":{");
    for (unsigned i = 0; i < n; i++) {
        cli_out_str(p->out, i ? ",\"" : "\"");
        arg_name(p->out, info, i);
        cli_out_str(p->out, "\":");
        json_value(p, info ? info->args[i].kind : GL_KIND_NUMBER, ev->arg[i]);
    }
    cli_out_char(p->out, '}');
}

static void json_number(cli_out *o, const char *lead, uint64_t n, bool none)
{
    if (none)
        return;
    cli_out_str(o, lead);
    cli_out_u64(o, n);
}

static void json_flags(cli_out *o, const gl_event *ev)
{
    bool some = false;
    for (size_t i = 0; i < FLAG_NAMES; i++)
        if (ev->flags & flag_names[i].bit) {
            cli_out_printf(o, "%s\"%s\"", some ? "," : ",\"flags\":[", flag_names[i].name);
            some = true;
        }
    if (some)
        cli_out_char(o, ']');
}

void cli_print_json(const cli_print *p, const gl_event *ev)
{
    const gl_event_info *info = gl_event_lookup(ev->type);
    cli_out *o = p->out;
    char wall[48];
    cli_out_str(o, "{\"t\":");
    cli_out_i64(o, ev->time);
    if (p->wall)
        cli_out_printf(o, ",\"wall\":\"%s\"", cli_wall_text(wall, sizeof wall, wall_of(p, ev->time)));
    cli_out_str(o, ",\"name\":\"");
    event_name(o, info, ev);
    cli_out_char(o, '"');
    json_number(o, ",\"m\":", tid_of(p, ev->thread), ev->thread == GL_NO_THREAD);
    json_number(o, ",\"p\":", ev->p, ev->p == GL_NO_PROC);
    json_number(o, ",\"g\":", ev->g, ev->g == 0);
    json_args(p, info, ev);
    gl_frame site;
    if (p->stacks && ev->stack) {
        cli_out_str(o, ",\"stack\":");
        json_stack(p, ev->stack);
    } else if (cli_site(p->dict, ev->stack, &site)) {
        cli_out_char(o, ',');
        json_frame_keys(p, site);
    }
    json_flags(o, ev);
    cli_out_str(o, "}\n");
}
