#include "lanes/keyframe.h"

#include <stdlib.h>

/*
 * Columns, each of all rows: steps of g; state (bit 7: constant fields follow); time of the state, back from the
 * keyframe's; stack; reason; then for the marked rows creator, creation and start stack. Times are counted in a unit
 * that all of them are whole numbers of.
 */

#define OWN_FIELDS 0x80u
#define BEFORE_TRACE 0u /* in the creation column; else the time back plus one */

static uint64_t time_bits(const ln_track *t, const uint32_t *sorted, size_t n)
{
    uint64_t bits = 0;
    for (size_t i = 0; i < n; i++) {
        int64_t created = t->lives[sorted[i]].created;
        bits |= t->clock - (uint64_t)t->live[sorted[i]].since;
        bits |= created == INT64_MIN ? 0 : t->clock - (uint64_t)created;
    }
    return bits;
}

int ln_keyframe_put(const ln_track *t, uint64_t base, ln_buf *out)
{
    size_t n;
    const uint32_t *sorted = ln_track_sorted(t, &n);
    uint64_t g = 0, bits = time_bits(t, sorted, n), stack = 0;
    unsigned shift = bits ? (unsigned)__builtin_ctzll(bits) : 0;
    ln_buf_num(out, n);
    ln_buf_u64(out, t->clock);
    ln_buf_u8(out, (uint8_t)shift);
    for (size_t i = 0; i < n; i++) {
        ln_buf_num(out, t->map->recs[sorted[i]].id - g);
        g = t->map->recs[sorted[i]].id;
    }
    for (size_t i = 0; i < n; i++)
        ln_buf_u8(out, (uint8_t)(t->live[sorted[i]].state | (t->lives[sorted[i]].first_chunk >= base ? OWN_FIELDS : 0)));
    for (size_t i = 0; i < n; i++)
        ln_buf_num(out, (t->clock - (uint64_t)t->live[sorted[i]].since) >> shift);
    for (size_t i = 0; i < n; i++) {
        ln_buf_num(out, ln_zigzag(t->live[sorted[i]].stack - stack));
        stack = t->live[sorted[i]].stack;
    }
    for (size_t i = 0; i < n; i++)
        ln_buf_num(out, t->live[sorted[i]].reason);
    for (size_t i = 0; i < n; i++) {
        const ln_life *l = &t->lives[sorted[i]];
        if (l->first_chunk < base)
            continue;
        ln_buf_num(out, l->creator);
        ln_buf_num(out, l->created == INT64_MIN ? BEFORE_TRACE : 1 + ((t->clock - (uint64_t)l->created) >> shift));
        ln_buf_num(out, l->start_stack);
    }
    return out->failed ? GL_E_NOMEM : 0;
}

static const gl_goroutine_at *find(const gl_goroutine_at *rows, size_t n, uint64_t g)
{
    size_t low = 0, high = n;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (rows[middle].g < g)
            low = middle + 1;
        else
            high = middle;
    }
    return low < n && rows[low].g == g ? &rows[low] : NULL;
}

static void constant_fields(ln_in *in, uint64_t clock, unsigned shift, gl_goroutine_at *r)
{
    r->creator = ln_num_get(in);
    uint64_t back = ln_num_get(in);
    r->created = back == BEFORE_TRACE ? INT64_MIN : (int64_t)(clock - ((back - 1) << shift));
    r->start_stack = (uint32_t)ln_num_get(in);
}

int ln_keyframe_get(const uint8_t *bytes, size_t n, const gl_goroutine_at *full, size_t full_n, gl_goroutine_at **out,
                    size_t *capacity, size_t *count)
{
    ln_in in = {bytes, bytes + n, false};
    const uint8_t *fixed, *states;
    uint64_t rows = ln_num_get(&in), g = 0, stack = 0;
    *count = 0;
    if (in.bad || rows > (uint64_t)(in.end - in.p) || !ln_in_bytes(&in, 9, &fixed) || fixed[8] > 63)
        return GL_E_CORRUPT;
    gl_goroutine_at *r = ln_grow(*out, capacity, rows, sizeof *r);
    if (!r)
        return GL_E_NOMEM;
    *out = r;
    uint64_t clock = ln_get64(fixed);
    unsigned shift = fixed[8];
    for (size_t i = 0; i < rows; i++)
        r[i] = (gl_goroutine_at){.g = g += ln_num_get(&in)};
    if (!ln_in_bytes(&in, (size_t)rows, &states))
        return GL_E_CORRUPT;
    for (size_t i = 0; i < rows; i++)
        r[i].since = (int64_t)(clock - (ln_num_get(&in) << shift));
    for (size_t i = 0; i < rows; i++)
        r[i].stack = (uint32_t)(stack += ln_unzigzag(ln_num_get(&in)));
    for (size_t i = 0; i < rows; i++)
        r[i].reason = (uint32_t)ln_num_get(&in);
    for (size_t i = 0; i < rows; i++) {
        const gl_goroutine_at *before;
        r[i].state = states[i] & (uint8_t)~OWN_FIELDS;
        r[i].created = INT64_MIN;
        if (states[i] & OWN_FIELDS) {
            constant_fields(&in, clock, shift, &r[i]);
        } else if ((before = find(full, full_n, r[i].g)) != NULL) {
            r[i].creator = before->creator;
            r[i].created = before->created;
            r[i].start_stack = before->start_stack;
        }
        if (r[i].state >= GL_G_STATES)
            return GL_E_CORRUPT;
    }
    *count = (size_t)rows;
    return in.bad ? GL_E_CORRUPT : 0;
}
