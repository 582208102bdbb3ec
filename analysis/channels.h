/* The parts of the channels question. */
#ifndef GOLANES_ANALYSIS_CHANNELS_INSIDE_H
#define GOLANES_ANALYSIS_CHANNELS_INSIDE_H

#include "collect.h"
#include "golanes_analysis/channels.h"
#include "keep.h"
#include "sample.h"

#define GL_CHANNEL_SAMPLES_MAX 2048 /* channels whose waits are kept one by one */
#define GL_RENDEZVOUS_MAX ((size_t)1 << 16)

/* A channel that may still be used. */
typedef struct gl_live_channel {
    gl_channel figures;
    gl_sample *wait; /* [GL_CHANNEL_ENDS]; NULL: not kept */
    uint64_t total[GL_CHANNEL_ENDS], max[GL_CHANNEL_ENDS];
    int64_t since; /* when its fill was last told */
    uint32_t group;
    bool used;
} gl_live_channel;

typedef struct gl_made_group {
    gl_channel_group figures;
    gl_sample wait[GL_CHANNEL_ENDS];
} gl_made_group;

typedef struct gl_open_operation {
    uint64_t g;
    gl_channel_operation op;
    bool used;
} gl_open_operation;

struct gl_channels {
    gl_summary *summary;
    const gl_dict *dict;
    gl_map live_of; /* address to index */
    gl_live_channel *live;
    uint32_t *free_live;
    size_t live_capacity, free_capacity, live_count, free_count, samples;
    gl_map operation_of; /* goroutine to index */
    gl_open_operation *operations;
    uint32_t *free_operations;
    size_t operation_capacity, free_operation_capacity, operation_count, free_operation_count;
    gl_map group_of; /* a hash of (site, type), or the next free number after it, to index */
    gl_made_group *groups;
    size_t group_capacity, group_count;
    gl_keep worst;
    gl_map rendezvous_of; /* stack pair to index */
    gl_rendezvous *rendezvous;
    size_t rendezvous_capacity, rendezvous_count;
    gl_channel_group *group_list;
    gl_channels_result result;
    bool finished;
};

/* channel_life.c */
/** The live record of an address, made at need. */
int gl_channel_meet(gl_channels *x, uint64_t chan, int64_t time, gl_live_channel **out) GL_MUST_CHECK;
/** The address begins a new life. */
int gl_channel_make(gl_channels *x, const gl_event *ev) GL_MUST_CHECK;
void gl_channel_fill(gl_live_channel *c, int64_t time, uint64_t len);
int gl_channel_done(gl_channels *x, gl_live_channel *c, unsigned end, uint64_t g, uint64_t ns) GL_MUST_CHECK;
/** All leave: the trace has ended. */
int gl_channels_leave(gl_channels *x, int64_t end_ns) GL_MUST_CHECK;

/* rendezvous.c */
int gl_rendezvous_take(gl_channels *x, const gl_span *s) GL_MUST_CHECK;
void gl_rendezvous_finish(gl_channels *x);

#endif
