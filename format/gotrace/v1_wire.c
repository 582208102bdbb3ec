/*
 * One event of a v1 trace from bytes, and what each version's events look like.
 *
 * An event is a byte (type, and in the two highest bits how many numbers follow the time), then LEB128 numbers. Where
 * there are three or more, the two bits say 3 and the numbers' length in bytes comes first.
 */
#include "v1.h"

#define NO_EVENT 0xff

const gl_v1_spec gl_v1_specs[V1_EV_LIMIT + 1] = {
#define V1_EVENT(code, name, version, arguments, stack, order) [code] = {version, arguments, stack, V1_RULE_##order},
#include "v1_events.def"
#undef V1_EVENT
    [V1_EV_Lost] = {.rule = V1_RULE_FREE},
};

/* What events had less, and until when (Go 1.19 src/internal/trace/parser.go, argNum). */
static const struct {
    uint8_t type, before, less;
} shorter[] = {
    {V1_EV_GCSweepDone, 9, 2}, {V1_EV_STWStart, 10, 1}, {V1_EV_GCStart, 7, 1},
    {V1_EV_GoStart, 7, 1},     {V1_EV_GoUnblock, 7, 1},
};

void gl_v1_wire_init(gl_v1_wire *w, unsigned version)
{
    w->version = version;
    w->times = version < 7 ? 2 : 1;
    for (unsigned type = 0; type < V1_EV_LIMIT; type++) {
        const gl_v1_spec *s = &gl_v1_specs[type];
        w->numbers[type] = s->version == 0 || s->version > version
                               ? NO_EVENT
                               : (uint8_t)(s->arguments + s->stack + w->times);
    }
    /* These have no time. Before 1.7 each had one number more: a batch its sequence number, the others an unused one. */
    uint8_t more = version < 7 ? 1 : 0;
    w->numbers[V1_EV_Batch] = 2 + more;
    w->numbers[V1_EV_Frequency] = 1 + more;
    w->numbers[V1_EV_TimerGoroutine] = 1 + more;
    static const uint8_t special[] = {V1_EV_Batch,          V1_EV_Frequency, V1_EV_Stack,
                                      V1_EV_TimerGoroutine, V1_EV_String,    V1_EV_UserLog,
                                      V1_EV_CPUSample};
    w->plain = 0;
    for (unsigned type = 0; type < V1_EV_LIMIT; type++)
        w->plain |= (uint64_t)(w->numbers[type] != NO_EVENT) << type;
    for (size_t i = 0; i < sizeof special; i++)
        w->plain &= ~(UINT64_C(1) << special[i]);
    for (size_t i = 0; i < sizeof shorter / sizeof shorter[0]; i++)
        if (version < shorter[i].before)
            w->numbers[shorter[i].type] -= shorter[i].less;
}

/* Length of what comes next: a number up to a limit. */
static gl_v1_step read_length(const uint8_t **at, const uint8_t *end, uint64_t limit, uint32_t *length)
{
    uint64_t v;
    if (!gl_leb_read(at, end, &v))
        return end - *at < 10 ? V1_STEP_SHORT : V1_STEP_BAD;
    *length = (uint32_t)v;
    return v <= limit ? V1_STEP_OK : V1_STEP_BAD;
}

static gl_v1_step read_numbers(const uint8_t **at, const uint8_t *end, unsigned n, gl_v1_raw *raw)
{
    const uint8_t *p = *at;
    for (unsigned i = 0; i < n; i++) {
        if (p < end && *p < 0x80)
            raw->number[i] = *p++;
        else if (!gl_leb_read(&p, end, &raw->number[i]))
            return end - p < 10 ? V1_STEP_SHORT : V1_STEP_BAD;
    }
    *at = p;
    return V1_STEP_OK;
}

/* Numbers behind their length in bytes: both must agree with what the version says. */
static gl_v1_step read_counted(const uint8_t **at, const uint8_t *end, unsigned n, gl_v1_raw *raw)
{
    uint32_t length;
    gl_v1_step step = read_length(at, end, V1_ARGS_BYTES_MAX, &length);
    if (step != V1_STEP_OK)
        return step;
    if ((size_t)(end - *at) < length)
        return V1_STEP_SHORT;
    const uint8_t *stop = *at + length;
    if (read_numbers(at, stop, n, raw) != V1_STEP_OK || *at != stop)
        return V1_STEP_BAD;
    return V1_STEP_OK;
}

/* A string: its id, its length, then that many bytes. */
static gl_v1_step read_string(const uint8_t **at, const uint8_t *end, gl_v1_raw *raw)
{
    gl_v1_step step = read_numbers(at, end, 1, raw);
    if (step == V1_STEP_OK)
        step = read_length(at, end, V1_STRING_MAX, &raw->blob);
    return step;
}

gl_v1_step gl_v1_step_event(const gl_v1_wire *w, const uint8_t **at, const uint8_t *end, gl_v1_raw *raw)
{
    const uint8_t *p = *at;
    if (p == end)
        return V1_STEP_SHORT;
    unsigned type = *p & 0x3f, bits = *p >> 6;
    p++;
    unsigned n = w->numbers[type];
    if (n == NO_EVENT)
        return V1_STEP_BAD;
    raw->type = (uint8_t)type;
    raw->blob = 0;
    gl_v1_step step;
    if (type == V1_EV_String)
        step = read_string(&p, end, raw);
    else if (type == V1_EV_Stack)
        step = bits == V1_COUNT_IN_BYTES ? read_length(&p, end, V1_STACK_BYTES_MAX, &raw->blob) : V1_STEP_BAD;
    else if (type == V1_EV_Batch || type == V1_EV_Frequency || type == V1_EV_TimerGoroutine)
        step = bits == (type == V1_EV_Batch) ? read_numbers(&p, end, n, raw) : V1_STEP_BAD;
    else if (bits == V1_COUNT_IN_BYTES)
        step = n >= w->times + V1_COUNT_IN_BYTES ? read_counted(&p, end, n, raw) : V1_STEP_BAD;
    else
        step = n == w->times + bits ? read_numbers(&p, end, n, raw) : V1_STEP_BAD;
    if (step == V1_STEP_OK && type == V1_EV_UserLog)
        step = read_length(&p, end, V1_STRING_MAX, &raw->blob);
    if (step == V1_STEP_OK)
        *at = p;
    return step;
}

bool gl_v1_batch_pid(const gl_v1_raw *raw, int32_t *pid)
{
    uint64_t p = raw->number[0];
    *pid = p == UINT64_MAX ? -1 : (int32_t)(p & INT32_MAX);
    return p == UINT64_MAX || p <= INT32_MAX;
}
