/* What the files of a recording share. */
#ifndef GOLANES_RECORDING_INTERNAL_H
#define GOLANES_RECORDING_INTERNAL_H

#include <pthread.h>
#include <semaphore.h>

#include "golanes/clock.h"

#include "names.h"
#include "order.h"
#include "recording.h"
#include "snap.h"
#include "store.h"

#define GL_RECORDING_SOURCES_MAX 64

typedef struct gl_feed gl_feed;

/** A source, as the recording has it. */
typedef struct gl_intake {
    gl_probe_source source;
    gl_recording *recording;
    gl_ring_pair first;
    gl_clock_map clock;
    gl_feed **feed; /* one a ring */
    uint32_t feeds, made, capacity; /* in use; there, of this and earlier sources; room for them */
    gl_feed *aside; /* what belongs to no ring: the state at the start, losses without a ring */
    gl_session_no_ring told;
    bool open, stopped;
    uint32_t process; /* its index in the trace */
} gl_intake;

/** A recorded process whose end is not known yet. */
typedef struct gl_life {
    uint32_t process;
    int fd; /* of the process, -1: not to be had */
} gl_life;

/** A ring of a source: where its events wait for their turn. */
struct gl_feed {
    gl_queue queue;
    gl_session_sink sink;
    gl_session_direct direct;
    gl_intake *intake;
    uint32_t ring;
    size_t quota;     /* the queue takes no more than about so many */
    uint64_t left;    /* bytes that the last pass left in the ring */
    uint32_t pending; /* threads whose ThreadStart is to come before their first event */
};

struct gl_recording {
    gl_recording_options opt;
    gl_dict *dict;
    gl_names *names;
    gl_store store;
    gl_snap snap;        /* of a flight */
    const gl_trigger *hit; /* a trigger whose condition held */
    int64_t rest_until;  /* triggers rest */
    unsigned hits;
    const char *end_reason;
    gl_order order;
    gl_intake intake[GL_RECORDING_SOURCES_MAX];
    unsigned intakes;
    uint8_t *met; /* by thread: its ThreadStart is pending, or was delivered */
    size_t met_n;
    int64_t zero;        /* CLOCK_MONOTONIC of the trace's time 0 */
    bool zero_known;
    int64_t hold;        /* how long events wait, as rings are filled */
    uint32_t rings;
    int status;          /* first failure: nothing is written after it */
    gl_error error;
    gl_recording_figures now;    /* the recording thread's own */
    int64_t stop_began;

    gl_life *life;
    size_t lives, lives_room;

    pthread_t thread;
    bool running;
    sem_t wake;                  /* a condition's wait would take a second system call, to unlock again */
    pthread_mutex_t lock;        /* of what follows */
    bool end;                    /* asked for; then `wake` is posted, too */
    bool ended;                  /* no source is alive */
    gl_probe_source coming[GL_RECORDING_SOURCES_MAX]; /* added while it runs, not taken up yet */
    unsigned comings;
    gl_recording_figures shown;
};

/* intake.c: from a source to queues. */
int gl_intake_open(gl_intake *in, gl_recording *r, const gl_probe_source *source);
/** Sets the clock up; the events of the state at the start are in aside->queue afterwards. */
int gl_intake_begin(gl_intake *in, gl_error *err);
/** Looks for new rings, and takes from each what its queue has room for. */
int gl_intake_drain(gl_intake *in, gl_error *err);
/** The same for the ring of one queue: what gl_order wants. `recording` is one. */
int gl_intake_refill(void *recording, gl_queue *q);
/** After a pass: what it left in the rings is not new at the next look. */
void gl_intake_note_left(gl_intake *in);
/** Losses of threads without a ring, since the last call. */
int gl_intake_no_ring(gl_intake *in);
/** The last of each ring: when nobody writes any more, and all was drained. */
int gl_intake_finish(gl_intake *in, gl_error *err);
void gl_intake_take_clock(gl_intake *in);
/** Nothing was delivered of it that still waits for its turn: the place can be another source's. */
bool gl_intake_is_free(const gl_intake *in);
void gl_intake_stop(gl_intake *in);
void gl_intake_close(gl_intake *in);

/* life.c: when and how recorded processes began and ended, as metadata. */
/** The source's process begins to be recorded. */
int gl_life_begin(gl_recording *r, gl_intake *in);
/** It has ended, or the recording has. */
int gl_life_end(gl_recording *r, const gl_intake *in, bool ended);
/** How processes ended, as far as the system tells it by now. */
int gl_life_settle(gl_recording *r);
void gl_life_free(gl_recording *r);

#endif
