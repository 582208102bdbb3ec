/*
 * A goroutine's change of state, as most events are one: here, so that it is compiled into the loop that goes over them, and
 * what a type of event cannot mean is left away.
 */
#ifndef GOLANES_LANES_TRACK_MOVE_H
#define GOLANES_LANES_TRACK_MOVE_H

#include "lanes/track.h"
#include "src/transition.h"

/* What is rare. */
ln_wait_class ln_track_new_class(ln_track *t, uint64_t reason);
void ln_track_begin_life(ln_track *t, uint32_t index, const gl_event *ev);
void ln_track_end_life(ln_track *t, uint32_t index);
void ln_track_end_send(ln_track *t, uint32_t index);

static inline uint8_t class_of(ln_track *t, uint64_t reason)
{
    if (LN_LIKELY(reason < t->classes_n && t->classes[reason]))
        return (uint8_t)(t->classes[reason] - 1);
    return (uint8_t)ln_track_new_class(t, reason);
}

enum { SPENT_NONE = 3 };

/** Which stretch a state counts to: those that wait, to none. */
static inline unsigned spent_of(unsigned state)
{
    return (SPENT_NONE | SPENT_NONE << 2 | 1u << 4 | 0u << 6 | 2u << 8 | SPENT_NONE << 10) >> (state * 2) & 3;
}

/** A goroutine that was not touched in this chunk starts it afresh. */
static inline void ln_track_open_account(ln_track *t, ln_live *l)
{
    if (l->chunk == (uint32_t)t->chunk)
        return;
    memset(l->spent, 0, sizeof l->spent);
    l->longest = 0;
    l->lane_flags = 0;
    l->chunk = (uint32_t)t->chunk;
    l->mark = t->from;
}

/** Brings what a goroutine has spent up to the clock. */
static inline void ln_track_settle(ln_track *t, ln_live *l)
{
    ln_track_open_account(t, l);
    unsigned at = spent_of(l->state);
    uint64_t stretch = t->clock - l->mark;
    l->mark = t->clock;
    if (at != SPENT_NONE) {
        l->spent[at] += stretch;
        return;
    }
    uint32_t wait = stretch >> 42 ? UINT32_MAX : (uint32_t)(stretch >> 10);
    if (wait >= l->longest) {
        l->longest = wait;
        l->long_class = l->wait_class;
    }
}

static inline void follow_send(ln_track *t, ln_live *l, uint32_t index, unsigned type)
{
    if (l->flags & LN_LIVE_IN_SEND)
        return;
    if (type == GL_EV_GoBlock && l->wait_class == LN_WAIT_CHAN_SEND) {
        l->flags |= LN_LIVE_SEND_WAIT;
        t->lives[index].send_since = t->clock;
    } else if (type == GL_EV_GoStart && (l->flags & LN_LIVE_SEND_WAIT)) {
        l->flags &= (uint8_t)~LN_LIVE_SEND_WAIT;
        ln_track_end_send(t, index);
    }
}

static inline bool stops(unsigned type)
{
    return type == GL_EV_GoBlock || type == GL_EV_GoYield || type == GL_EV_GoSyscallBegin;
}

/** Says what a goroutine was doing already. */
static inline bool ln_track_states(unsigned type)
{
    return type == GL_EV_GoStatus || type == GL_EV_GoCarried;
}

/** One change of state. type: the event's, a constant where the caller knows it, as that leaves half of this away. */
LN_INLINE void ln_track_move(ln_track *t, const gl_event *ev, unsigned type, const gl_transition *move, uint32_t index)
{
    ln_live *l = &t->live[index];
    unsigned from = l->state;
    uint8_t to = move->to == GL_G_NOT_EXIST ? 0 : move->to;
    if (LN_UNLIKELY(to >= GL_G_STATES || (from == 0 && to == 0)))
        return;
    uint64_t into = t->clock - t->from;
    if (LN_UNLIKELY(from == 0)) {
        ln_track_begin_life(t, index, ev);
    } else {
        ln_track_settle(t, l);
        t->state_sum[from] += into;
        t->in_state[from]--;
    }
    if (LN_UNLIKELY(to == 0)) {
        ln_track_end_life(t, index);
        return;
    }
    t->state_sum[to] -= into;
    t->in_state[to]++;
    if (from != to)
        l->since = ev->time;
    if (from != to || move->reason || type != GL_EV_GoStatus) {
        l->reason = move->reason;
        l->wait_class = move->reason ? class_of(t, move->reason) : LN_WAIT_NONE;
    }
    if (stops(type) || (ln_track_states(type) && ev->stack))
        l->stack = ev->stack;
    l->state = to;
    follow_send(t, l, index, type);
}

LN_INLINE void ln_track_advance(ln_track *t, int64_t time)
{
    if ((int64_t)t->clock < time)
        t->clock = (uint64_t)time;
}

LN_INLINE void track_known(ln_track *t, const gl_event *ev, unsigned type, unsigned to, uint32_t reason, uint32_t index)
{
    ln_track_advance(t, ev->time);
    if (LN_LIKELY(index != 0))
        ln_track_move(t, ev, type, &(gl_transition){.to = (uint8_t)to, .reason = reason}, index);
}

LN_INLINE void ln_track_start_of(ln_track *t, const gl_event *ev, uint32_t ti)
{
    track_known(t, ev, GL_EV_GoStart, GL_G_RUNNING, 0, ti);
}

LN_INLINE void ln_track_block(ln_track *t, const gl_event *ev, uint32_t gi)
{
    track_known(t, ev, GL_EV_GoBlock, GL_G_WAITING, (uint32_t)ev->arg[0], gi);
}

LN_INLINE void ln_track_unpark(ln_track *t, const gl_event *ev, uint32_t ti)
{
    track_known(t, ev, GL_EV_GoUnpark, GL_G_RUNNABLE, 0, ti);
}

/** An event that says nothing but that it is so late. */
LN_INLINE void ln_track_time(ln_track *t, int64_t time)
{
    ln_track_advance(t, time);
}

#endif
