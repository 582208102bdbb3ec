/*
 * What was done with channels in a window: each event with the fill after it, channel by channel.
 * Threads: as the window's.
 */
#ifndef GOLANES_VIEWER_STEPS_H
#define GOLANES_VIEWER_STEPS_H

#include "model.h"

typedef struct gl_slot {
    uint32_t first, n;
} gl_slot;

typedef struct gl_step {
    int64_t time;
    uint64_t id;    /**< the channel's address */
    uint32_t chan;  /**< index in the catalogue, GL_NONE not known: set by gl_steps_sort */
    uint32_t gor;   /**< GL_NONE not known */
    uint32_t len;   /**< the fill from now on */
    uint16_t type;  /**< of the event */
    uint8_t dir;    /**< gl_chan_dir */
    uint8_t result; /**< gl_chan_result, of an end */
} gl_step;

typedef struct gl_steps {
    gl_step *list;
    size_t n, capacity;
    gl_ids slot_of;
    gl_slot *slots;
    size_t slot_count, slot_capacity;
    size_t known;   /**< channels in the catalogue when these were sorted, + 1 */
} gl_steps;

int gl_steps_take(gl_steps *ss, const gl_model *m, const gl_event *ev) GL_MUST_CHECK;
/** Puts each channel's together, unless they are; the catalogue may have met more channels since. */
int gl_steps_sort(gl_steps *ss, const gl_model *m) GL_MUST_CHECK;
const gl_step *gl_steps_of(const gl_steps *ss, uint32_t chan, size_t *n);
void gl_steps_clean_up(gl_steps *ss);

#endif
