#include "snap.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#define NUMBERS_MAX 100000u

void gl_snap_init(gl_snap *s, const char *base)
{
    memset(s, 0, sizeof *s);
    pthread_mutex_init(&s->lock, NULL);
    pthread_cond_init(&s->changed, NULL);
    snprintf(s->base, sizeof s->base, "%s", base);
}

void gl_snap_destroy(gl_snap *s)
{
    gl_snap_end(s);
    pthread_cond_destroy(&s->changed);
    pthread_mutex_destroy(&s->lock);
}

int gl_snap_ask(gl_snap *s, const char *reason, bool wait, char *text, size_t size)
{
    int status = 0;
    pthread_mutex_lock(&s->lock);
    if (!s->closed && !s->wanted) {
        s->wanted = true;
        s->asked++;
        snprintf(s->reason, sizeof s->reason, "%s", reason);
    }
    unsigned turn = s->asked;
    while (wait && !s->closed && (int)(s->done - turn) < 0)
        pthread_cond_wait(&s->changed, &s->lock);
    if (wait && (int)(s->done - turn) < 0)
        status = GL_E_CANCELLED;
    else if (wait)
        status = s->status;
    if (text)
        snprintf(text, size, "%s", status == GL_E_CANCELLED ? "the recording has ended" : s->text);
    pthread_mutex_unlock(&s->lock);
    return status;
}

bool gl_snap_note(gl_snap *s, char *text, size_t size)
{
    pthread_mutex_lock(&s->lock);
    if (s->notes - s->notes_read > GL_SNAP_NOTES)
        s->notes_read = s->notes - GL_SNAP_NOTES;
    bool there = s->notes_read != s->notes;
    if (there)
        snprintf(text, size, "%s", s->note[s->notes_read++ % GL_SNAP_NOTES]);
    pthread_mutex_unlock(&s->lock);
    return there;
}

bool gl_snap_is_wanted(gl_snap *s)
{
    pthread_mutex_lock(&s->lock);
    bool is = s->wanted && !s->busy;
    pthread_mutex_unlock(&s->lock);
    return is;
}

bool gl_snap_is_busy(gl_snap *s)
{
    pthread_mutex_lock(&s->lock);
    bool is = s->busy;
    pthread_mutex_unlock(&s->lock);
    return is;
}

/** The first name in the row that is free. */
static void choose_path(gl_snap *s)
{
    struct stat st;
    do
        gl_store_numbered(s->base, ++s->number, s->path, sizeof s->path);
    while (lstat(s->path, &st) == 0 && s->number < NUMBERS_MAX);
}

static void tell(gl_snap *s, int status, const gl_writer_stats *stats, const gl_error *err)
{
    pthread_mutex_lock(&s->lock);
    s->status = status;
    if (status < 0)
        snprintf(s->text, sizeof s->text, "no snapshot: %s", err->text[0] ? err->text : gl_status_text(status));
    else
        snprintf(s->text, sizeof s->text, "%s: %" PRIu64 " events, written because of: %s", s->path, stats->events, s->writing_for);
    snprintf(s->note[s->notes++ % GL_SNAP_NOTES], GL_SNAP_TEXT_MAX, "%s", s->text);
    s->busy = false;
    s->done = s->wanted ? s->asked - 1 : s->asked;
    pthread_cond_broadcast(&s->changed);
    pthread_mutex_unlock(&s->lock);
}

static void *write_it(void *user)
{
    gl_snap *s = user;
    gl_error err = {0};
    gl_writer_stats stats = {0};
    choose_path(s);
    int status = gl_flight_write(s->taken, s->path, s->writing_for, &stats, &err);
    gl_flight_taken_free(s->taken);
    tell(s, status, &stats, &err);
    return NULL;
}

static void join(gl_snap *s)
{
    if (s->started)
        pthread_join(s->thread, NULL);
    s->started = false;
}

void gl_snap_begin(gl_snap *s, gl_flight *flight, const char *reason)
{
    gl_error err = {0};
    join(s);
    pthread_mutex_lock(&s->lock);
    snprintf(s->writing_for, sizeof s->writing_for, "%s", reason ? reason : s->reason);
    s->busy = true;
    if (!reason)
        s->wanted = false;
    pthread_mutex_unlock(&s->lock);
    s->taken = gl_flight_take(flight, &err);
    if (!s->taken)
        tell(s, err.code ? (int)err.code : GL_E_NOMEM, NULL, &err);
    else if (pthread_create(&s->thread, NULL, write_it, s) == 0)
        s->started = true;
    else
        write_it(s);
}

void gl_snap_end(gl_snap *s)
{
    join(s);
    pthread_mutex_lock(&s->lock);
    s->closed = true;
    pthread_cond_broadcast(&s->changed);
    pthread_mutex_unlock(&s->lock);
}
