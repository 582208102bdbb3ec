/*
 * The life of each channel: where it was made, who uses which end, how full it is, how long both ends wait, how it is
 * closed. Only a recorded trace knows channels; for an imported one there is the table of who released whom where,
 * which stands for rendezvous by their two sites.
 *
 * An address that is made again is another channel: its life before leaves.
 *
 * Memory: about 700 bytes for each channel that may still be used, at most GL_CHANNELS_MAX of them (the ones longest
 * out of use leave first), and some KB for each place where channels are made.
 */
#ifndef GOLANES_ANALYSIS_CHANNELS_H
#define GOLANES_ANALYSIS_CHANNELS_H

#include "golanes_analysis/watch.h"

#ifdef __cplusplus
extern "C" {
#endif

#define GL_CHANNELS_MAX 32768
#define GL_CHANNEL_USERS_MAX 8

/** The order is that of gl_channel.end. */
enum { GL_CHANNEL_SEND, GL_CHANNEL_RECV, GL_CHANNEL_ENDS };

typedef struct gl_channel_user {
    uint64_t g, n; /**< goroutine, and how often */
    uint32_t group;
} gl_channel_user;

typedef struct gl_channel_end {
    uint64_t done;        /**< operations that took place, those of selects included */
    uint64_t would_block; /**< non-blocking ones that were not ready */
    uint64_t closed;      /**< receives that found it closed and empty */
    uint64_t panics;      /**< sends on the closed channel */
    uint64_t waiting;     /**< goroutines that are in such an operation when the trace ends */
    gl_spread wait;       /**< from begin to end of those that took place; percentiles only where they are kept */
    bool wait_spread;     /**< they are */
    gl_channel_user users[GL_CHANNEL_USERS_MAX]; /**< the first ones */
    size_t user_count;
    bool more_users;
} gl_channel_end;

typedef struct gl_channel {
    uint64_t chan; /**< its address; 0: the nil channel */
    uint32_t life; /**< 1: the first of this address */
    uint32_t elem; /**< string id of its element's type */
    uint64_t cap;
    bool cap_known;
    int64_t made_at; /**< -1: before the trace */
    uint64_t made_by;
    uint32_t made_group;
    gl_site made_site;
    int64_t first, last; /**< first and last event that names it */
    gl_channel_end end[GL_CHANNEL_ENDS];
    uint64_t fill_max, fill_last;
    uint64_t fill_ns;           /**< fill times time: divided by seen_ns it is the mean */
    uint64_t full_ns, empty_ns; /**< of seen_ns; both 0 for an unbuffered one */
    uint64_t seen_ns;           /**< from its first event to its close, or the end */
    int64_t closed_at;          /**< -1: it was not */
    uint64_t closed_by;
    uint32_t closed_group;
    gl_site closed_site;
    uint64_t closes_too_many; /**< closes that panicked */
    bool asked_for_close;     /**< somebody receives with a look at whether it is closed (range) */
} gl_channel;

/** Channels made at one place (or, of an unknown place, of one element type). */
typedef struct gl_channel_group {
    gl_site site;
    uint32_t elem;
    uint64_t n, closed, unclosed_though_asked, late_sends;
    uint64_t cap_least, cap_most;
    uint64_t done[GL_CHANNEL_ENDS], waiting[GL_CHANNEL_ENDS];
    gl_spread wait[GL_CHANNEL_ENDS];
    uint64_t fill_ns, full_ns, empty_ns, seen_ns, fill_max;
} gl_channel_group;

/** Waits at one place that were ended from another: for traces that do not know channels. */
typedef struct gl_rendezvous {
    uint32_t reason;
    gl_site wait, release;
    gl_release how;
    uint64_t n, ns;
} gl_rendezvous;

typedef struct gl_channels_result {
    bool recorded; /**< the trace has channel operations */
    uint64_t seen; /**< channels */
    uint64_t operations;
    bool cut; /**< there were too many at once: some count twice */
    const gl_channel_group *groups; /**< most waiting first */
    size_t group_count;
    const gl_channel *channels; /**< most waiting first */
    size_t channel_count;
    const gl_rendezvous *rendezvous; /**< most time first */
    size_t rendezvous_count;
    bool rendezvous_cut;
} gl_channels_result;

typedef struct gl_channels_options {
    size_t keep; /**< channels to list */
} gl_channels_options;

typedef struct gl_channels gl_channels;
/** Watches s, which must outlive it. NULL: no memory. */
gl_channels *gl_channels_new(gl_summary *s, const gl_dict *dict, const gl_channels_options *opt);
/** After gl_summary_finish. */
int gl_channels_finish(gl_channels *x, int64_t end_ns, const gl_channels_result **out) GL_MUST_CHECK;
void gl_channels_destroy(gl_channels *x);

/** What a goroutine is in the middle of, at any time. */
typedef struct gl_channel_operation {
    uint64_t chan; /**< 0: a select, or the nil channel */
    bool select;
    uint8_t end; /**< GL_CHANNEL_SEND or GL_CHANNEL_RECV */
    int64_t begin;
    uint32_t stack;
} gl_channel_operation;
/** False: none. */
bool gl_channels_operation_of(const gl_channels *x, uint64_t g, gl_channel_operation *out);
/** Goroutines that are in an operation of that end of a channel. */
uint64_t gl_channels_waiting(const gl_channels *x, uint64_t chan, unsigned end);
/** The newest life of a channel; spreads are not filled. NULL: not known, or gl_channels_finish was called. Until the next
 * event. */
const gl_channel *gl_channels_find(const gl_channels *x, uint64_t chan);

#ifdef __cplusplus
}
#endif
#endif
