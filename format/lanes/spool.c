#include "lanes/spool.h"

#include <stdlib.h>

#define SHIFT_FIRST 6u /* Go's ticks are 64 ns */

bool ln_spool_init(ln_spool *s, uint32_t capacity)
{
    size_t blocks = (size_t)capacity / LN_BLOCK_EVENTS + LN_LANES_MAX; /* each lane's last one may be nearly empty */
    *s = (ln_spool){
        .capacity = capacity,
        .shift = SHIFT_FIRST,
        .runs = malloc(((size_t)capacity + 1) * sizeof *s->runs),
        .reels = calloc(LN_LANES_MAX, sizeof *s->reels),
        .pool = malloc(blocks * sizeof *s->pool),
    };
    if (!s->runs || !s->reels || !s->pool)
        return false;
    ln_spool_start(s);
    return true;
}

void ln_spool_free(ln_spool *s)
{
    for (uint32_t i = 0; s->reels && i < LN_LANES_MAX; i++)
        ln_buf_free(&s->reels[i].more);
    ln_col_free(&s->order);
    free(s->runs);
    free(s->reels);
    free(s->pool);
}

void ln_spool_start(ln_spool *s)
{
    for (uint32_t k = 0; k < s->threads.n; k++) {
        s->reels[k].n = 0;
        ln_buf_clear(&s->reels[k].more);
    }
    ln_threads_start(&s->threads);
    s->n = s->runs_n = s->pool_n = 0;
    s->lane = s->other = 0;
    s->thread = UINT64_MAX;
    s->reel = s->reels; /* whose turn comes first is as if it went on */
    s->reel->last = INT64_MIN;
    s->bits = 0;
    s->ties.open = false;
    s->steady = true;
    s->smallest = INT64_MAX;
    s->largest = INT64_MIN;
    ln_col_start(&s->order);
}

/** The turn of a thread that is not the one before the last: false where the chunk has room for no more threads. */
bool ln_spool_new_thread(ln_spool *s, uint32_t thread, int64_t time)
{
    uint32_t lane = ln_threads_find(&s->threads, thread);
    if (lane == UINT32_MAX) {
        if (s->threads.n == LN_LANES_MAX)
            return false;
        lane = ln_threads_add(&s->threads, thread);
    }
    ln_spool_turn(s, lane, time);
    return true;
}

/** A reel's next block; before its first event, all that is not set yet. */
void ln_spool_block(ln_spool *s, ln_reel *r, int64_t time)
{
    ln_block *b = &s->pool[s->pool_n++];
    if (r->n == 1) {
        r->blocks = b;
        r->first = r->last = time;
        r->taken = (r - s->reels) - (int64_t)LN_LANES_MAX; /* all stand in line from the start, later ones in front */
        b->before = NULL;
    } else {
        b->before = r->block;
        r->block->next = b;
    }
    r->block = b;
}

/* Steps */

/** Where a reel's steps are read from again. */
typedef struct unwinder {
    ln_block *block;
    uint32_t i;
    ln_in more;
} unwinder;

static void unwind_start(unwinder *u, const ln_reel *r)
{
    *u = (unwinder){r->blocks, 0, {r->more.base, r->more.p, false}};
}

/** Where the next step's byte lies. */
static uint8_t *unwind_place(unwinder *u)
{
    if (u->i == LN_BLOCK_EVENTS) {
        u->block = u->block->next;
        u->i = 0;
    }
    return &u->block->steps[u->i++];
}

static uint64_t unwind_step(unwinder *u, uint8_t first, bool *back)
{
    *back = first == LN_NUM_NEGATIVE;
    if (first < LN_NUM_ONE)
        return first;
    const uint8_t *second;
    if (first < LN_NUM_NEGATIVE)
        return LN_NUM_ONE + ((uint64_t)(first - LN_NUM_ONE) << 8) + (ln_in_bytes(&u->more, 1, &second) ? *second : 0);
    return ln_leb_get(&u->more) + (*back ? 0 : LN_NUM_TWO);
}

/** A step's first byte; the others are put behind *more. */
static uint8_t put_step(ln_buf *more, uint64_t step, bool back)
{
    if (step < LN_NUM_ONE && !back)
        return (uint8_t)step;
    if (!ln_buf_room(more, LN_NUM_MAX))
        return 0;
    if (step < LN_NUM_TWO && !back) {
        step -= LN_NUM_ONE;
        *more->p++ = (uint8_t)step;
        return (uint8_t)(LN_NUM_ONE + (step >> 8));
    }
    more->p = ln_leb_put(more->p, back ? step : step - LN_NUM_TWO);
    return back ? LN_NUM_NEGATIVE : LN_NUM_ESCAPE;
}

/** Counts a reel's first n steps in another unit: each is multiplied and divided. */
static void recount(ln_spool *s, ln_reel *r, uint32_t n, uint64_t times, uint64_t parts)
{
    unwinder u;
    ln_buf more = {0};
    unwind_start(&u, r);
    for (uint32_t i = 0; i < n; i++) {
        bool back;
        uint8_t *place = unwind_place(&u);
        uint64_t step = unwind_step(&u, *place, &back) * times / parts;
        *place = put_step(&more, step, back);
        s->bits |= step;
    }
    s->no_memory |= more.failed;
    ln_buf_free(&r->more);
    r->more = more;
}

/** The unit is too large: counts in a smaller one, of which `difference` is a whole number. The event at hand has no step yet. */
static void count_finer(ln_spool *s, uint64_t difference)
{
    unsigned shift = (unsigned)__builtin_ctzll(difference);
    uint64_t times = UINT64_C(1) << (s->shift - shift);
    s->bits = 0;
    for (uint32_t k = 0; k < s->threads.n; k++)
        recount(s, &s->reels[k], s->reels[k].n - (&s->reels[k] == s->reel), times, 1);
    s->shift = shift;
}

/** A step that is no single byte: its first byte. */
uint8_t ln_spool_long(ln_spool *s, ln_reel *r, int64_t time)
{
    bool back = time < r->last;
    uint64_t difference = (uint64_t)time - (uint64_t)r->last;
    difference = back ? 0 - difference : difference;
    if (difference & ((UINT64_C(1) << s->shift) - 1))
        count_finer(s, difference);
    if (back) {
        s->steady = false;
        s->largest = r->last > s->largest ? r->last : s->largest;
        s->smallest = time < s->smallest ? time : s->smallest;
    }
    r->last = time;
    s->bits |= difference >> s->shift;
    return put_step(&r->more, difference >> s->shift, back);
}

static uint64_t common_divisor(uint64_t a, uint64_t b)
{
    while (b) {
        uint64_t rest = a % b;
        a = b;
        b = rest;
    }
    return a;
}

/** What all steps have in common: mostly nothing beside the power of two, so this ends soon. */
static uint64_t common_step(const ln_spool *s)
{
    uint64_t power = s->bits & (0 - s->bits), divisor = 0;
    for (uint32_t k = 0; k < s->threads.n; k++) {
        unwinder u;
        unwind_start(&u, &s->reels[k]);
        for (uint32_t i = 0; i < s->reels[k].n && divisor != power; i++) {
            bool back;
            divisor = common_divisor(unwind_step(&u, *unwind_place(&u), &back), divisor);
        }
    }
    return divisor;
}

void ln_spool_range(ln_spool *s)
{
    for (uint32_t k = 0; k < s->threads.n; k++) {
        s->smallest = s->reels[k].first < s->smallest ? s->reels[k].first : s->smallest;
        s->largest = s->reels[k].last > s->largest ? s->reels[k].last : s->largest;
    }
}

/** The unit of steps: the largest that all are a whole number of. Counts them in it. */
static uint64_t settle_unit(ln_spool *s)
{
    if (s->bits == 0)
        return 1;
    uint64_t common = common_step(s), unit = common << s->shift;
    if (common > 1)
        for (uint32_t k = 0; k < s->threads.n; k++)
            recount(s, &s->reels[k], s->reels[k].n, 1, common);
    s->shift = (unsigned)__builtin_ctzll(unit); /* for the next chunk */
    return unit;
}

/* How lanes come together */

/**
 * As long as times never step back, only events of equal time on several lanes can come in another order than the rule's:
 * the lane that had an event last is next.
 */
static void close_ties(ln_spool *s)
{
    const ln_ties *t = &s->ties;
    uint32_t from = s->n - t->n;
    for (uint32_t k = 0; k < t->n; k++) {
        uint32_t next = t->lanes[k];
        for (uint32_t q = k + 1; q < t->n; q++)
            if (s->reels[t->lanes[q]].taken > s->reels[next].taken)
                next = t->lanes[q];
        if (LN_UNLIKELY(next != t->lanes[k]))
            ln_col_miss(&s->order, from + k, t->lanes[k]);
        s->reels[t->lanes[k]].taken = from + k;
    }
    s->ties.open = false;
}

static void add_tie(ln_spool *s, const ln_reel *r)
{
    if (s->ties.n == LN_TIES_MAX) {
        s->steady = s->ties.open = false; /* as if: the order is then put otherwise */
        return;
    }
    s->ties.lanes[s->ties.n++] = (uint16_t)(r - s->reels);
}

/** The event at hand, while ties are open: one more, or the first behind them. */
void ln_spool_tie(ln_spool *s, int64_t time)
{
    if (time == s->ties.time)
        add_tie(s, s->reel);
    else
        close_ties(s);
}

/** How many events at the end of the run at hand have one time. */
static uint32_t count_equal(const ln_spool *s)
{
    const ln_reel *r = s->reel;
    const ln_block *b = r->block;
    uint32_t n = 1, run = s->n - (s->runs[s->runs_n - 1] >> LN_RUN_LANE), i = (r->n - 1) % LN_BLOCK_EVENTS;
    for (; n < run && b->steps[i] == 0; n++)
        if (i-- == 0) {
            b = b->before;
            i = LN_BLOCK_EVENTS - 1;
        }
    return n;
}

/** Another lane's turn at a time that is not later than the last event's, or while ties are open. */
void ln_spool_meet(ln_spool *s, int64_t time)
{
    if (s->n == 0)
        return;
    if (time < s->reel->last)
        s->steady = false;
    if (s->ties.open || time != s->reel->last || !s->steady)
        return;
    uint32_t equal = count_equal(s);
    if (s->n - equal > s->runs[s->runs_n - 1] >> LN_RUN_LANE)
        s->reel->taken = (int64_t)s->n - equal - 1;
    s->ties.open = true;
    s->ties.time = time;
    s->ties.n = 0;
    for (uint32_t i = 0; i < equal && s->ties.open; i++)
        add_tie(s, s->reel);
}

/** The times of all events in their order, and which one is next on each one's lane. */
static void unwind(const ln_spool *s, uint64_t unit, unwinder *u, int64_t *last, int64_t *times, uint32_t *following)
{
    uint32_t before[LN_LANES_MAX];
    for (uint32_t k = 0; k < s->threads.n; k++) {
        unwind_start(&u[k], &s->reels[k]);
        last[k] = s->reels[k].first;
        before[k] = UINT32_MAX;
    }
    uint32_t i = 0;
    for (uint32_t r = 0; r < s->runs_n; r++)
        for (uint32_t lane = s->runs[r] % LN_LANES_MAX; i < s->runs[r + 1] >> LN_RUN_LANE; i++) {
            bool back;
            uint64_t step = unwind_step(&u[lane], *unwind_place(&u[lane]), &back) * unit;
            times[i] = last[lane] = (int64_t)((uint64_t)last[lane] + (back ? 0 - step : step));
            following[i] = UINT32_MAX;
            if (before[lane] != UINT32_MAX)
                following[before[lane]] = i;
            before[lane] = i;
        }
}

/** The rule itself, run as a reader runs it. */
static void run_order(ln_spool *s, ln_order *o, const int64_t *times, const uint32_t *following)
{
    uint32_t i = 0;
    ln_order_start(o);
    for (uint32_t k = 0; k < s->threads.n; k++)
        ln_order_put(o, s->reels[k].first, k);
    for (uint32_t r = 0; r < s->runs_n; r++)
        for (uint32_t lane = s->runs[r] % LN_LANES_MAX; i < s->runs[r + 1] >> LN_RUN_LANE; i++) {
            if (ln_order_next(o) == lane) {
                ln_order_take(o);
            } else {
                ln_col_miss(&s->order, i, lane);
                ln_order_take_lane(o, lane);
            }
            if (following[i] != UINT32_MAX)
                ln_order_put(o, times[following[i]], lane);
        }
}

/** Puts the order, whatever it is. */
static bool put_any_order(ln_spool *s, uint64_t unit)
{
    ln_order *o = malloc(sizeof *o);
    unwinder *u = malloc(LN_LANES_MAX * sizeof *u);
    int64_t *times = malloc(((size_t)s->n + LN_LANES_MAX) * sizeof *times);
    uint32_t *following = malloc((size_t)s->n * sizeof *following);
    bool ok = o && u && times && following;
    if (ok) {
        unwind(s, unit, u, times + s->n, times, following);
        ln_col_start(&s->order);
        run_order(s, o, times, following);
    }
    free(o);
    free(u);
    free(times);
    free(following);
    return ok;
}

static bool put_order(ln_spool *s, uint64_t unit)
{
    s->runs[s->runs_n] = s->n << LN_RUN_LANE;
    if (!s->steady)
        return put_any_order(s, unit);
    if (s->ties.open)
        close_ties(s);
    return true;
}

/* Output */

/** One byte an event, lane after lane, from `offset` of each block on. */
static void put_bytes(const ln_spool *s, size_t offset, ln_buf *out)
{
    for (uint32_t k = 0; k < s->threads.n; k++) {
        uint32_t left = s->reels[k].n;
        for (const ln_block *b = s->reels[k].blocks; left; b = b->next) {
            uint32_t here = left < LN_BLOCK_EVENTS ? left : LN_BLOCK_EVENTS;
            ln_buf_bytes(out, (const uint8_t *)b + offset, here);
            left -= here;
        }
    }
}

static void put_times(const ln_spool *s, ln_buf *out)
{
    ln_buf_num(out, ln_buf_size(&s->order.gaps));
    ln_buf_num(out, ln_buf_size(&s->order.values));
    put_bytes(s, offsetof(ln_block, steps), out);
    for (uint32_t k = 0; k < s->threads.n; k++) {
        ln_buf_bytes(out, s->reels[k].more.base, ln_buf_size(&s->reels[k].more));
        out->failed |= s->reels[k].more.failed;
    }
    ln_buf_bytes(out, s->order.gaps.base, ln_buf_size(&s->order.gaps));
    ln_buf_bytes(out, s->order.values.base, ln_buf_size(&s->order.values));
    out->failed |= s->order.gaps.failed || s->order.values.failed;
}

bool ln_spool_finish(ln_spool *s, uint64_t *unit, ln_buf *types, ln_buf *times)
{
    *unit = settle_unit(s);
    if (s->no_memory || !put_order(s, *unit))
        return false;
    put_times(s, times);
    put_bytes(s, offsetof(ln_block, types), types);
    return !types->failed && !times->failed;
}
