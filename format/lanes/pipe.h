/*
 * From drafts to bytes in the file: jobs are compressed by helper threads, or at once where there are none, and written in
 * the order in which they were given, so that the file is the same whatever the number of threads.
 *
 * Threads: one caller. Memory: threads + 2 jobs, one without threads.
 */
#ifndef GOLANES_LANES_PIPE_H
#define GOLANES_LANES_PIPE_H

#include <pthread.h>

#include "lanes/index.h"
#include "lanes/pack.h"

#define LN_PIPE_THREADS_MAX 64u

typedef enum ln_job_state { LN_JOB_FREE, LN_JOB_QUEUED, LN_JOB_BUSY, LN_JOB_DONE } ln_job_state;

/** Chunks that go into the file together. Buffers are kept from use to use. */
typedef struct ln_job {
    ln_draft *drafts;
    unsigned n, capacity;
    ln_buf out;
    ln_job_state state;
    int rc;
} ln_job;

/** A cleared draft at the job's end, or NULL without memory. Good until the next call. */
ln_draft *ln_job_draft(ln_job *j, ln_chunk_kind kind);

typedef struct ln_pipe {
    int fd;
    uint64_t offset; /* bytes written */
    ln_index index;
    int rc, error_number; /* first failure, and errno then */
    unsigned threads, jobs_n;
    ln_job *jobs;
    ln_packer *packers;   /* one a thread, and at least one */
    pthread_t *ids;
    uint64_t given, written; /* jobs so far: job i is jobs[i % jobs_n] */
    bool writing, stop;
    pthread_mutex_t lock;
    pthread_cond_t changed;
} ln_pipe;

int ln_pipe_open(ln_pipe *p, int fd, int level, unsigned threads);
/** Frees; jobs that were given are written first unless drop. */
void ln_pipe_close(ln_pipe *p, bool drop);
/** Bytes outside of chunks: the file header and the trailer. Only while no job is under way. */
int ln_pipe_raw(ln_pipe *p, const void *bytes, size_t n);
/** An empty job to fill; waits for one. NULL without memory or after a failure. */
ln_job *ln_pipe_take(ln_pipe *p);
void ln_pipe_give(ln_pipe *p, ln_job *j);
/** Waits until all that was given is written: 0, or the first failure. */
int ln_pipe_wait(ln_pipe *p);

#endif
