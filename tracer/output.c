#include "output.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct gl_output {
    gl_output_options opt;
    char *path;
    int fd;
    gl_writer *writer;
    bool failed;
};

static int create(const gl_output_options *opt, gl_error *err)
{
    if (strcmp(opt->path, "-") == 0)
        return fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3);
    int flags = O_WRONLY | O_CREAT | O_CLOEXEC | O_NOCTTY | (opt->force ? O_TRUNC : O_EXCL);
    int fd = open(opt->path, flags, 0666);
    if (fd < 0 && errno == EEXIST) { /* a FIFO or a device is no file that could be lost */
        struct stat st;
        if (stat(opt->path, &st) == 0 && !S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode))
            fd = open(opt->path, O_WRONLY | O_CLOEXEC | O_NOCTTY);
        else
            errno = EEXIST;
    }
    if (fd >= 0)
        return fd;
    if (errno == EEXIST)
        return gl_fail(err, GL_E_IO, UINT64_MAX, "%s exists; --force overwrites it", opt->path);
    return gl_fail(err, GL_E_IO, UINT64_MAX, "%s can't be created: %s", opt->path, strerror(errno));
}

static void output_free(gl_output *o)
{
    if (o->fd >= 0)
        close(o->fd);
    free(o->path);
    free(o);
}

int gl_output_open(const gl_output_options *opt, gl_output **out, gl_error *err)
{
    gl_output *o = calloc(1, sizeof *o);
    if (!o || !(o->path = strdup(opt->path))) {
        free(o);
        return gl_fail(err, GL_E_NOMEM, UINT64_MAX, "no memory for a recording");
    }
    o->opt = *opt;
    o->opt.path = o->path;
    o->fd = create(opt, err);
    int status = o->fd < 0 ? o->fd : 0;
    gl_writer_options w = {.fd = o->fd, .dict = opt->dict, .level = opt->level, .threads = opt->threads,
                           .encode_here = true};
    if (status >= 0)
        status = gl_writer_open(&w, &o->writer, err);
    if (status < 0)
        output_free(o);
    else
        *out = o;
    return status;
}

static int checked(gl_output *o, int status)
{
    o->failed |= status < 0;
    return status;
}

int gl_output_meta(gl_output *o, const char *key, const char *value)
{
    return checked(o, gl_writer_meta(o->writer, key, value));
}

int gl_output_process(gl_output *o, const gl_process_info *process)
{
    return checked(o, gl_writer_process(o->writer, process));
}

int gl_output_events(gl_output *o, const gl_event *events, size_t n, gl_error *err)
{
    int status = checked(o, gl_writer_events(o->writer, events, n));
    if (status >= 0)
        return 0;
    /* The writer says what is wrong when it is asked to flush. */
    return gl_output_flush(o, err) < 0 ? status : gl_fail(err, (gl_status)status, UINT64_MAX, "%s", gl_status_text(status));
}

int gl_output_flush(gl_output *o, gl_error *err)
{
    return checked(o, gl_writer_flush(o->writer, err));
}

uint64_t gl_output_bytes(const gl_output *o)
{
    struct stat st;
    return fstat(o->fd, &st) == 0 && S_ISREG(st.st_mode) ? (uint64_t)st.st_size : 0;
}

const char *gl_output_path(const gl_output *o)
{
    return o->path;
}

int gl_output_close(gl_output *o, gl_writer_stats *stats, gl_error *err)
{
    int status = 0;
    if (o->failed)
        gl_writer_abandon(o->writer);
    else
        status = gl_writer_close(o->writer, stats, err);
    output_free(o);
    return status;
}
