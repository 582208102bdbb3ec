#include "lanes/pipe.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

ln_draft *ln_job_draft(ln_job *j, ln_chunk_kind kind)
{
    if (j->n == j->capacity) {
        unsigned capacity = j->capacity ? j->capacity * 2 : 8;
        ln_draft *drafts = realloc(j->drafts, capacity * sizeof *drafts);
        if (!drafts)
            return NULL;
        memset(drafts + j->capacity, 0, (capacity - j->capacity) * sizeof *drafts);
        j->drafts = drafts;
        j->capacity = capacity;
    }
    ln_draft *d = &j->drafts[j->n++];
    d->h = (ln_chunk_header){.kind = (uint16_t)kind};
    d->present = 0;
    for (unsigned i = 0; i < LN_S_LIMIT; i++)
        ln_buf_clear(&d->sections[i]);
    return d;
}

static void job_free(ln_job *j)
{
    for (unsigned i = 0; i < j->capacity; i++)
        for (unsigned k = 0; k < LN_S_LIMIT; k++)
            ln_buf_free(&j->drafts[i].sections[k]);
    free(j->drafts);
    ln_buf_free(&j->out);
}

static int write_all(int fd, const uint8_t *p, size_t n)
{
    while (n) {
        ssize_t put = write(fd, p, n);
        if (put < 0 && errno == EINTR)
            continue;
        if (put < 0)
            return GL_E_IO;
        p += put;
        n -= (size_t)put;
    }
    return 0;
}

static int job_pack(ln_packer *packer, ln_job *j)
{
    int rc = 0;
    ln_buf_clear(&j->out);
    for (unsigned i = 0; i < j->n && rc == 0; i++)
        rc = ln_pack(packer, &j->drafts[i], &j->out);
    return rc;
}

/** Writes a packed job and enters its chunks into the index. */
static int job_write(ln_pipe *p, const ln_job *j)
{
    int rc = write_all(p->fd, j->out.base, ln_buf_size(&j->out));
    for (unsigned i = 0; i < j->n && rc == 0; i++) {
        rc = ln_index_add(&p->index, &j->drafts[i].h, p->offset);
        p->offset += LN_CHUNK_HEADER_BYTES + j->drafts[i].h.stored;
    }
    return rc;
}

static void note_failure(ln_pipe *p, int rc)
{
    if (rc < 0 && p->rc == 0) {
        p->rc = rc;
        p->error_number = rc == GL_E_IO ? errno : 0;
    }
}

/** With the lock held: writes finished jobs that are next in order, the lock open while it writes. */
static void write_finished(ln_pipe *p)
{
    while (!p->writing && p->written < p->given && p->jobs[p->written % p->jobs_n].state == LN_JOB_DONE) {
        ln_job *j = &p->jobs[p->written % p->jobs_n];
        p->writing = true;
        int rc = j->rc < 0 ? j->rc : p->rc;
        if (rc == 0) {
            pthread_mutex_unlock(&p->lock);
            rc = job_write(p, j);
            pthread_mutex_lock(&p->lock);
        }
        note_failure(p, rc);
        j->state = LN_JOB_FREE;
        p->written++;
        p->writing = false;
        pthread_cond_broadcast(&p->changed);
    }
}

static ln_job *oldest_queued(ln_pipe *p)
{
    for (uint64_t i = p->written; i < p->given; i++)
        if (p->jobs[i % p->jobs_n].state == LN_JOB_QUEUED)
            return &p->jobs[i % p->jobs_n];
    return NULL;
}

typedef struct helper {
    ln_pipe *pipe;
    ln_packer *packer;
} helper;

static void *help(void *arg)
{
    helper h = *(helper *)arg;
    ln_pipe *p = h.pipe;
    free(arg);
    pthread_mutex_lock(&p->lock);
    for (;;) {
        ln_job *j = oldest_queued(p);
        if (j) {
            j->state = LN_JOB_BUSY;
            pthread_mutex_unlock(&p->lock);
            j->rc = job_pack(h.packer, j);
            pthread_mutex_lock(&p->lock);
            j->state = LN_JOB_DONE;
            write_finished(p);
        } else if (p->stop) {
            break;
        } else {
            pthread_cond_wait(&p->changed, &p->lock);
        }
    }
    pthread_mutex_unlock(&p->lock);
    return NULL;
}

static int start_helper(ln_pipe *p, unsigned i)
{
    helper *h = malloc(sizeof *h);
    if (!h)
        return GL_E_NOMEM;
    *h = (helper){p, &p->packers[i]};
    if (pthread_create(&p->ids[i], NULL, help, h) != 0) {
        free(h);
        return GL_E_NOMEM;
    }
    return 0;
}

int ln_pipe_open(ln_pipe *p, int fd, int level, unsigned threads)
{
    unsigned packers = threads ? threads : 1;
    *p = (ln_pipe){.fd = fd, .jobs_n = threads ? threads + 2 : 1};
    pthread_mutex_init(&p->lock, NULL);
    pthread_cond_init(&p->changed, NULL);
    p->jobs = calloc(p->jobs_n, sizeof *p->jobs);
    p->packers = calloc(packers, sizeof *p->packers);
    p->ids = calloc(packers, sizeof *p->ids);
    int rc = p->jobs && p->packers && p->ids ? 0 : GL_E_NOMEM;
    for (unsigned i = 0; i < packers && rc == 0; i++)
        rc = ln_packer_init(&p->packers[i], level);
    while (rc == 0 && p->threads < threads) {
        /* fewer helpers than asked for do the same work */
        if (start_helper(p, p->threads) < 0)
            break;
        p->threads++;
    }
    if (rc < 0)
        ln_pipe_close(p, true);
    return rc;
}

void ln_pipe_close(ln_pipe *p, bool drop)
{
    pthread_mutex_lock(&p->lock);
    if (drop)
        note_failure(p, GL_E_CANCELLED);
    p->stop = true;
    pthread_cond_broadcast(&p->changed);
    pthread_mutex_unlock(&p->lock);
    for (unsigned i = 0; i < p->threads; i++)
        pthread_join(p->ids[i], NULL);
    for (unsigned i = 0; p->jobs && i < p->jobs_n; i++)
        job_free(&p->jobs[i]);
    for (unsigned i = 0; p->packers && i < (p->jobs_n > 2 ? p->jobs_n - 2 : 1); i++)
        ln_packer_free(&p->packers[i]);
    free(p->jobs);
    free(p->packers);
    free(p->ids);
    ln_index_free(&p->index);
    pthread_cond_destroy(&p->changed);
    pthread_mutex_destroy(&p->lock);
}

int ln_pipe_raw(ln_pipe *p, const void *bytes, size_t n)
{
    int rc = write_all(p->fd, bytes, n);
    note_failure(p, rc);
    p->offset += n;
    return rc;
}

ln_job *ln_pipe_take(ln_pipe *p)
{
    ln_job *j = &p->jobs[p->given % p->jobs_n];
    pthread_mutex_lock(&p->lock);
    while (j->state != LN_JOB_FREE)
        pthread_cond_wait(&p->changed, &p->lock);
    bool failed = p->rc < 0;
    pthread_mutex_unlock(&p->lock);
    j->n = 0;
    j->rc = 0;
    return failed ? NULL : j;
}

void ln_pipe_give(ln_pipe *p, ln_job *j)
{
    pthread_mutex_lock(&p->lock);
    p->given++;
    if (p->threads) {
        j->state = LN_JOB_QUEUED;
        pthread_cond_broadcast(&p->changed);
    } else {
        j->rc = job_pack(&p->packers[0], j);
        j->state = LN_JOB_DONE;
        write_finished(p);
    }
    pthread_mutex_unlock(&p->lock);
}

int ln_pipe_wait(ln_pipe *p)
{
    pthread_mutex_lock(&p->lock);
    while (p->written < p->given)
        pthread_cond_wait(&p->changed, &p->lock);
    int rc = p->rc;
    pthread_mutex_unlock(&p->lock);
    return rc;
}
