#include "lanes/spool.h"

#include <stdlib.h>

bool ln_spool_init(ln_spool *s, uint32_t capacity)
{
    size_t blocks = (size_t)capacity / LN_BLOCK_EVENTS + LN_LANES_MAX; /* each lane's last one may be nearly empty */
    *s = (ln_spool){
        .times = malloc(capacity * sizeof *s->times),
        .runs = malloc(((size_t)capacity + 1) * sizeof *s->runs),
        .reels = calloc(LN_LANES_MAX, sizeof *s->reels),
        .blocks = malloc(blocks * sizeof *s->blocks),
    };
    return s->times && s->runs && s->reels && s->blocks;
}

void ln_spool_free(ln_spool *s)
{
    for (uint32_t i = 0; s->reels && i < LN_LANES_MAX; i++)
        ln_buf_free(&s->reels[i].more);
    ln_col_free(&s->order);
    free(s->times);
    free(s->runs);
    free(s->reels);
    free(s->blocks);
}

void ln_spool_start(ln_spool *s)
{
    s->n = s->runs_n = s->reels_n = s->blocks_n = 0;
    ln_col_start(&s->order);
}

void ln_spool_block(ln_spool *s, ln_reel *r)
{
    ln_block *b = &s->blocks[s->blocks_n++];
    b->next = NULL;
    if (r->n == 1) /* its first event is being added */
        r->first = b;
    else
        r->block->next = b;
    r->block = b;
}

/** How many events a reel has in this block and those behind it, given that of the block before. */
static uint32_t in_block(uint32_t left)
{
    return left < LN_BLOCK_EVENTS ? left : LN_BLOCK_EVENTS;
}

/* The survey */

static uint64_t common_divisor(uint64_t a, uint64_t b)
{
    while (b) {
        uint64_t rest = a % b;
        a = b;
        b = rest;
    }
    return a;
}

/** Looks for an odd factor that all steps have, beside the power of two: it is rare, so this ends soon. */
static uint64_t whole_unit(const ln_spool *s, uint64_t power)
{
    uint64_t divisor = 0;
    for (uint32_t lane = 0; lane < s->reels_n; lane++) {
        int64_t last = ln_spool_first(s, lane);
        uint32_t left = s->reels[lane].n;
        for (const ln_block *b = s->reels[lane].first; left; left -= in_block(left), b = b->next)
            for (uint32_t i = 0; i < in_block(left); i++) {
                int64_t time = b->times[i];
                uint64_t step = time < last ? (uint64_t)last - (uint64_t)time : (uint64_t)time - (uint64_t)last;
                divisor = common_divisor(step, divisor);
                last = time;
                if (divisor == power)
                    return divisor;
            }
    }
    return divisor;
}

#define FAR (UINT64_C(1) << 62)

/** Adds what steps have in common; and to *wild, in its highest bit, whether any time is far from zero. */
static uint64_t survey_reel(const ln_reel *r, uint64_t *wild)
{
    uint64_t bits = 0, far = 0;
    int64_t last = r->first->times[0];
    uint32_t left = r->n;
    for (const ln_block *b = r->first; left; left -= in_block(left), b = b->next) {
        bits |= (uint64_t)b->times[0] - (uint64_t)last;
        far |= (uint64_t)b->times[0] + FAR;
        for (uint32_t i = 1; i < in_block(left); i++) {
            bits |= (uint64_t)b->times[i] - (uint64_t)b->times[i - 1];
            far |= (uint64_t)b->times[i] + FAR;
        }
        last = b->times[in_block(left) - 1];
    }
    *wild |= far;
    return bits;
}

static void survey_range(ln_spool *s)
{
    s->smallest = s->largest = s->times[0];
    if (s->forth) {
        for (uint32_t lane = 0; lane < s->reels_n; lane++) {
            const ln_reel *r = &s->reels[lane];
            int64_t first = r->first->times[0], last = r->block->times[(r->n - 1) % LN_BLOCK_EVENTS];
            s->smallest = first < s->smallest ? first : s->smallest;
            s->largest = last > s->largest ? last : s->largest;
        }
        return;
    }
    for (uint32_t i = 1; i < s->n; i++) {
        s->smallest = s->times[i] < s->smallest ? s->times[i] : s->smallest;
        s->largest = s->times[i] > s->largest ? s->times[i] : s->largest;
    }
}

void ln_spool_survey(ln_spool *s)
{
    uint64_t bits = 0, wild = 0; /* a step back has the same lowest bit as a step forth */
    for (uint32_t lane = 0; lane < s->reels_n; lane++)
        bits |= survey_reel(&s->reels[lane], &wild);
    s->tame = !(wild >> 63);
    s->forth = s->tame && !(bits >> 63);
    survey_range(s);
    s->unit = bits ? whole_unit(s, bits & (0 - bits)) : 1; /* mostly 64: Go's ticks */
}

/* How lanes come together */

#define TIES_MAX 64u

/** The lanes of n events from `from` on, the first of them in run r. */
static void list_lanes(const ln_run *r, uint32_t from, uint32_t n, uint32_t *lanes)
{
    for (uint32_t i = 0; i < n; i++) {
        r += from + i == r[1].from;
        lanes[i] = r->lane;
    }
}

/**
 * Events of one time, the first in run r and others in runs behind it: where they come in another order than the rule's,
 * that is stored. The end of them, or UINT32_MAX where there are too many.
 */
static uint32_t put_ties(ln_spool *s, const ln_run *r)
{
    uint32_t lanes[TIES_MAX], from = r[1].from - 1, end = r[1].from + 1;
    while (from > r->from && s->times[from - 1] == s->times[from])
        from--;
    while (end < s->n && s->times[end] == s->times[from])
        end++;
    if (end - from > TIES_MAX)
        return UINT32_MAX;
    if (from > r->from)
        s->reels[r->lane].taken = from - 1;
    list_lanes(r, from, end - from, lanes);
    for (uint32_t k = 0; k < end - from; k++) {
        uint32_t next = lanes[k];
        for (uint32_t q = k + 1; q < end - from; q++)
            if (s->reels[lanes[q]].taken > s->reels[next].taken)
                next = lanes[q];
        if (LN_UNLIKELY(next != lanes[k]))
            ln_col_miss(&s->order, from + k, lanes[k]);
        s->reels[lanes[k]].taken = from + k;
    }
    return end;
}

/**
 * Puts the order, as long as times never step back: then only events of equal time on several lanes can come in another
 * order than the rule's. False: time steps back between lanes, or there are too many of those.
 */
static bool put_steady_order(ln_spool *s)
{
    uint32_t ties = 0; /* up to here, ties need no look any more */
    for (uint32_t k = 0; k < s->reels_n; k++)
        s->reels[k].taken = (int64_t)k - LN_LANES_MAX; /* all stand in line from the start, later ones in front */
    for (const ln_run *r = s->runs; r + 1 < s->runs + s->runs_n; r++) {
        uint32_t next = r[1].from;
        if (LN_UNLIKELY(s->times[next] < s->times[next - 1]))
            return false;
        if (LN_LIKELY(s->times[next] != s->times[next - 1] || next < ties))
            s->reels[r->lane].taken = next - 1;
        else if ((ties = put_ties(s, r)) == UINT32_MAX)
            return false;
    }
    return true;
}

/** The rule itself, run as a reader runs it. following: by event, the next of its lane. */
static void run_order(ln_spool *s, ln_order *o, const uint32_t *following)
{
    ln_order_start(o);
    for (uint32_t k = 0; k < s->reels_n; k++)
        ln_order_put(o, ln_spool_first(s, k), k);
    for (const ln_run *r = s->runs; r < s->runs + s->runs_n; r++)
        for (uint32_t i = r->from; i < r[1].from; i++) {
            if (ln_order_next(o) == r->lane) {
                ln_order_take(o);
            } else {
                ln_col_miss(&s->order, i, r->lane);
                ln_order_take_lane(o, r->lane);
            }
            if (following[i] != UINT32_MAX)
                ln_order_put(o, s->times[following[i]], r->lane);
        }
}

/** By event, the next of its lane. last: room for a number a lane. */
static void find_following(const ln_spool *s, uint32_t *following, uint32_t *last)
{
    for (uint32_t k = 0; k < s->reels_n; k++)
        last[k] = UINT32_MAX;
    for (uint32_t k = s->runs_n; k-- > 0;)
        for (uint32_t i = s->runs[k + 1].from; i-- > s->runs[k].from;) {
            following[i] = last[s->runs[k].lane];
            last[s->runs[k].lane] = i;
        }
}

/** Puts the order, whatever it is. */
static bool put_any_order(ln_spool *s)
{
    ln_order *o = malloc(sizeof *o);
    uint32_t *following = malloc(((size_t)s->n + LN_LANES_MAX) * sizeof *following);
    bool ok = o && following;
    if (ok) {
        find_following(s, following, following + s->n);
        ln_col_start(&s->order);
        run_order(s, o, following);
    }
    free(o);
    free(following);
    return ok;
}

/* Steps */

/** A step that one byte does not hold, or a step back: its first byte. */
static uint8_t put_long(ln_buf *more, uint64_t step, bool back)
{
    if (step < LN_NUM_TWO && !back) {
        step -= LN_NUM_ONE;
        ln_buf_u8(more, (uint8_t)step);
        return (uint8_t)(LN_NUM_ONE + (step >> 8));
    }
    if (ln_buf_room(more, LN_NUM_MAX))
        more->p = ln_leb_put(more->p, back ? step : step - LN_NUM_TWO);
    return back ? LN_NUM_NEGATIVE : LN_NUM_ESCAPE;
}

/** Steps to n times, one by one. */
static void put_each(const ln_spool *s, ln_buf *more, int64_t last, const int64_t *times, uint32_t n, uint8_t *out)
{
    for (uint32_t i = 0; i < n; i++) {
        bool back = times[i] < last;
        uint64_t step = (uint64_t)times[i] - (uint64_t)last;
        step = (back ? 0 - step : step) / s->unit;
        last = times[i];
        out[i] = step < LN_NUM_ONE && !back ? (uint8_t)step : put_long(more, step, back);
    }
}

#define STEPS_AT_ONCE 8u

/** Steps to STEPS_AT_ONCE times, where all fit a byte; false: some do not. */
LN_INLINE bool put_short(int64_t last, const int64_t *times, unsigned shift, uint8_t *out)
{
    uint64_t over = 0; /* bits above a byte, where a step reaches LN_NUM_ONE: both sums, as one may overflow */
    for (uint32_t i = 0; i < STEPS_AT_ONCE; i++) {
        uint64_t step = ((uint64_t)times[i] - (uint64_t)(i ? times[i - 1] : last)) >> shift;
        over |= step | (step + (256 - LN_NUM_ONE));
        out[i] = (uint8_t)step;
    }
    return over < 256;
}

/** All steps of a reel: where the unit is a power of two, as mostly, several at once. */
static void put_reel(const ln_spool *s, ln_reel *r, uint8_t *out)
{
    const unsigned shift = (unsigned)__builtin_ctzll(s->unit);
    const bool quick = s->tame && s->unit == UINT64_C(1) << shift;
    int64_t last = r->first->times[0];
    uint32_t left = r->n;
    ln_buf_clear(&r->more);
    for (const ln_block *b = r->first; left; left -= in_block(left), b = b->next) {
        const uint32_t n = in_block(left), together = quick ? n - n % STEPS_AT_ONCE : 0;
        for (uint32_t i = 0; i < together; i += STEPS_AT_ONCE) {
            if (LN_UNLIKELY(!put_short(last, b->times + i, shift, out + i)))
                put_each(s, &r->more, last, b->times + i, STEPS_AT_ONCE, out + i);
            last = b->times[i + STEPS_AT_ONCE - 1];
        }
        put_each(s, &r->more, last, b->times + together, n - together, out + together);
        last = b->times[n - 1];
        out += n;
    }
}

bool ln_spool_put_times(ln_spool *s, ln_buf *out)
{
    s->runs[s->runs_n].from = s->n;
    if (!(s->forth && put_steady_order(s)) && !put_any_order(s))
        return false;
    ln_buf_num(out, ln_buf_size(&s->order.gaps));
    ln_buf_num(out, ln_buf_size(&s->order.values));
    if (!ln_buf_room(out, s->n))
        return false;
    for (uint32_t lane = 0; lane < s->reels_n; lane++) {
        put_reel(s, &s->reels[lane], out->p);
        out->p += s->reels[lane].n;
        out->failed |= s->reels[lane].more.failed;
    }
    for (uint32_t lane = 0; lane < s->reels_n; lane++)
        ln_buf_bytes(out, s->reels[lane].more.base, ln_buf_size(&s->reels[lane].more));
    ln_buf_bytes(out, s->order.gaps.base, ln_buf_size(&s->order.gaps));
    ln_buf_bytes(out, s->order.values.base, ln_buf_size(&s->order.values));
    out->failed |= s->order.gaps.failed || s->order.values.failed;
    return !out->failed;
}

void ln_spool_put_types(const ln_spool *s, ln_buf *out)
{
    for (uint32_t lane = 0; lane < s->reels_n; lane++) {
        uint32_t left = s->reels[lane].n;
        for (const ln_block *b = s->reels[lane].first; left; left -= in_block(left), b = b->next)
            ln_buf_bytes(out, b->types, in_block(left));
    }
}
