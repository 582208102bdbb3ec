#include "lanes/feed.h"

#include <stdlib.h>

/* Who waits is woken when there is work for a while: being woken costs more than a batch does. */
#define WHILE (LN_FEED_BATCHES / 2u)

static void *run(void *arg)
{
    ln_feed *f = arg;
    pthread_mutex_lock(&f->lock);
    for (;;) {
        f->taker_waits = f->taken == f->given;
        while (f->taker_waits && !f->stop)
            pthread_cond_wait(&f->changed, &f->lock);
        if (f->stop)
            break;
        int rc = f->rc;
        pthread_mutex_unlock(&f->lock);
        if (rc == 0)
            rc = f->take(f->user, &f->batches[f->taken % LN_FEED_BATCHES]);
        pthread_mutex_lock(&f->lock);
        if (f->rc == 0)
            f->rc = rc;
        f->taken++;
        if (f->caller_waits && f->given - f->taken <= f->wanted) {
            f->caller_waits = false;
            pthread_cond_broadcast(&f->changed);
        }
    }
    pthread_mutex_unlock(&f->lock);
    return NULL;
}

/** Under the lock. */
static void wake_taker(ln_feed *f)
{
    f->taker_waits = false;
    pthread_cond_broadcast(&f->changed);
}

/** Under the lock: waits until no more than so many batches are left to be taken. */
static void wait_left(ln_feed *f, uint64_t wanted)
{
    if (f->taker_waits && f->taken < f->given)
        wake_taker(f);
    f->wanted = wanted;
    f->caller_waits = f->given - f->taken > wanted;
    while (f->caller_waits)
        pthread_cond_wait(&f->changed, &f->lock);
}

int ln_feed_open(ln_feed *f, ln_feed_fn take, void *user)
{
    *f = (ln_feed){.take = take, .user = user};
    f->events = malloc((size_t)LN_FEED_BATCHES * LN_FEED_EVENTS * sizeof *f->events);
    if (!f->events)
        return GL_E_NOMEM;
    for (unsigned i = 0; i < LN_FEED_BATCHES; i++)
        f->batches[i].events = f->events + (size_t)i * LN_FEED_EVENTS;
    pthread_mutex_init(&f->lock, NULL);
    pthread_cond_init(&f->changed, NULL);
    if (pthread_create(&f->id, NULL, run, f) == 0)
        return 0;
    free(f->events);
    f->events = NULL;
    return GL_E_NOMEM;
}

/** Hands over the batch at hand, and waits until there is a next one to fill. */
static int give(ln_feed *f)
{
    pthread_mutex_lock(&f->lock);
    f->given++;
    if (f->taker_waits && f->given - f->taken >= WHILE)
        wake_taker(f);
    if (f->given - f->taken == LN_FEED_BATCHES)
        wait_left(f, WHILE);
    int rc = f->rc;
    pthread_mutex_unlock(&f->lock);
    f->batches[f->given % LN_FEED_BATCHES].n = 0;
    return rc;
}

int ln_feed_put(ln_feed *f, const gl_event *events, size_t n, const ln_dict_mark *reach)
{
    int rc = 0;
    ln_batch *b = &f->batches[f->given % LN_FEED_BATCHES];
    if (b->n && memcmp(&b->reach, reach, sizeof *reach) != 0)
        rc = give(f);
    while (n && rc == 0) {
        b = &f->batches[f->given % LN_FEED_BATCHES];
        size_t room = LN_FEED_EVENTS - b->n, run_n = n < room ? n : room;
        memcpy(b->events + b->n, events, run_n * sizeof *events);
        b->reach = *reach;
        b->n += run_n;
        events += run_n;
        n -= run_n;
        if (b->n == LN_FEED_EVENTS)
            rc = give(f);
    }
    return rc;
}

int ln_feed_settle(ln_feed *f)
{
    if (f->batches[f->given % LN_FEED_BATCHES].n)
        give(f);
    pthread_mutex_lock(&f->lock);
    wait_left(f, 0);
    int rc = f->rc;
    pthread_mutex_unlock(&f->lock);
    return rc;
}

void ln_feed_close(ln_feed *f)
{
    if (!f->events)
        return;
    pthread_mutex_lock(&f->lock);
    f->stop = true;
    pthread_cond_broadcast(&f->changed);
    pthread_mutex_unlock(&f->lock);
    pthread_join(f->id, NULL);
    pthread_cond_destroy(&f->changed);
    pthread_mutex_destroy(&f->lock);
    free(f->events);
    f->events = NULL;
}
