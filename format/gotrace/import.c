/*
 * The door of the importer: which wire format an input holds, the shared pieces of both importers.
 */
#include "internal.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

/* The run of events */

void gl_event_run_init(gl_event_run *run, const gl_gotrace_options *opt, gl_gotrace_result *result)
{
    run->on_events = opt->on_events;
    run->user = opt->events_user;
    run->result = result;
    run->n = 0;
}

int gl_event_run_flush(gl_event_run *run)
{
    size_t n = run->n;
    if (n == 0)
        return 0;
    run->n = 0;
    run->result->events += n;
    return run->on_events(run->user, run->events, n);
}

int gl_event_run_lost(gl_event_run *run, gl_dict *dict, int64_t time, int64_t until, uint64_t events, uint64_t bytes,
                      const char *reason)
{
    uint32_t text;
    int rc = gl_dict_string(dict, reason, strlen(reason), &text);
    if (rc < 0)
        return rc;
    gl_event *ev = gl_event_run_next(run, &rc);
    if (!ev)
        return rc;
    ev->type = GL_EV_Lost;
    ev->time = time;
    ev->arg[0] = events;
    ev->arg[1] = bytes;
    ev->arg[2] = (uint64_t)until;
    ev->arg[3] = text;
    return 0;
}

/* Damages */

void gl_damage_add(gl_gotrace_result *result, uint64_t offset, uint64_t bytes, uint64_t events, int64_t time_from,
                   int64_t time_to, const char *fmt, ...)
{
    result->complete = false;
    result->bytes_lost += bytes;
    result->events_lost += events;
    if (result->damage_count++ >= GL_GOTRACE_DAMAGES_MAX)
        return;
    gl_damage *d = &result->damages[result->damage_count - 1];
    d->offset = offset;
    d->bytes = bytes;
    d->events = events;
    d->time_from = time_from;
    d->time_to = time_to;
    va_list args;
    va_start(args, fmt);
    vsnprintf(d->reason, sizeof d->reason, fmt, args);
    va_end(args);
}

/* Detection and dispatch */

/* "go 1.N trace" and zeros up to 16 bytes; N without a leading zero, at most 9999. */
unsigned gl_gotrace_detect(const void *first16, size_t n)
{
    const char *s = first16;
    if (n < GL_GOTRACE_HEADER_BYTES || memcmp(s, "go 1.", 5) != 0 || s[5] == '0')
        return 0;
    unsigned version = 0;
    size_t i = 5;
    for (; i < 9 && s[i] >= '0' && s[i] <= '9'; i++)
        version = version * 10 + (unsigned)(s[i] - '0');
    static const char tail[GL_GOTRACE_HEADER_BYTES] = " trace";
    return i > 5 && memcmp(s + i, tail, GL_GOTRACE_HEADER_BYTES - i) == 0 ? version : 0;
}

typedef enum wire { WIRE_UNKNOWN, WIRE_V1, WIRE_V2 } wire;

/* Versions that were ever written. Go 1.24 writes 1.23's header, Go 1.27 writes 1.26's. */
static wire wire_of(unsigned version)
{
    switch (version) {
    case 5:
    case 7:
    case 8:
    case 9:
    case 10:
    case 11:
    case 19:
    case 21:
        return WIRE_V1;
    case 22:
    case 23:
    case 25:
    case 26:
        return WIRE_V2;
    default:
        return WIRE_UNKNOWN;
    }
}

/* The version in the input's header, or a negative status with its sentence in *err. */
static int read_header(gl_input *in, unsigned *version, gl_error *err)
{
    uint8_t head[GL_GOTRACE_HEADER_BYTES];
    ssize_t n = gl_input_read(in, 0, head, sizeof head);
    if (n < 0)
        return gl_fail(err, (gl_status)n, 0, "%s: cannot be read", gl_input_name(in));
    *version = gl_gotrace_detect(head, (size_t)n);
    if (*version == 0)
        return gl_fail(err, GL_E_NOT_TRACE, 0, "%s: not a Go execution trace: it does not begin with \"go 1.N trace\"",
                       gl_input_name(in));
    if (wire_of(*version) == WIRE_UNKNOWN)
        return gl_fail(err, GL_E_VERSION, 5,
                       "%s: trace format \"go 1.%u\" is not known to this version of golanes (newest known: 1.26)",
                       gl_input_name(in), *version);
    return 0;
}

int gl_gotrace_import(gl_input *in, const gl_gotrace_options *opt, gl_gotrace_result *result, gl_error *err)
{
    memset(result, 0, sizeof *result);
    result->first_abs_ns = -1;
    result->bytes_total = gl_input_size(in);
    if (!opt->dict || !opt->on_events)
        return gl_fail(err, GL_E_USAGE, UINT64_MAX, "gl_gotrace_import needs a dictionary and an event callback");
    unsigned version;
    int rc = read_header(in, &version, err);
    if (rc < 0)
        return rc;
    result->header_version = version;
    result->complete = true;
    rc = wire_of(version) == WIRE_V1 ? gl_v1_import(in, opt, version, result, err)
                                     : gl_v2_import(in, opt, version, result, err);
    const char *why = NULL;
    if (rc == 0 && gl_input_was_cut(in, &why)) {
        result->truncated = true;
        gl_damage_add(result, result->bytes_total, 0, 0, -1, -1, "the packed input ends early: %s", why ? why : "");
    }
    if (result->damage_count != 0 || result->truncated || rc < 0)
        result->complete = false;
    return rc;
}

int gl_gotrace_look(gl_input *in, gl_gotrace_glance *out, gl_error *err)
{
    memset(out, 0, sizeof *out);
    out->bytes_total = gl_input_size(in);
    out->span_ns = -1;
    unsigned version;
    int rc = read_header(in, &version, err);
    if (rc < 0)
        return rc;
    out->header_version = version;
    return wire_of(version) == WIRE_V1 ? gl_v1_look(in, version, out, err) : gl_v2_look(in, version, out, err);
}
