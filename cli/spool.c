#include "spool.h"
#include "temporary.h"

#include <errno.h>
#include <string.h>

static int to_writer(void *writer, const gl_event *events, size_t n) { return gl_writer_events(writer, events, n); }

static int import(cli_source *s, int fd, gl_error *err)
{
    gl_writer *w = NULL;
    gl_writer_options o = {.fd = fd, .dict = cli_source_own_dict(s)};
    int status = gl_writer_open(&o, &w, err);
    if (status == 0)
        status = cli_source_stream(s, &(cli_plan){0}, to_writer, w, err);
    if (status == 0)
        status = cli_facts_put_start(cli_source_facts(s), w);
    if (status == 0)
        status = cli_facts_put_end(cli_source_facts(s), w);
    if (status == 0)
        return gl_writer_close(w, NULL, err);
    gl_writer_abandon(w);
    return status;
}

int cli_spool(cli_source *s, gl_reader **reader, gl_reader **own, int *fd, gl_error *err)
{
    *own = NULL;
    *fd = -1;
    *reader = cli_source_reader(s);
    if (*reader)
        return 0;
    *fd = gl_input_temporary();
    if (*fd < 0)
        return gl_fail(err, GL_E_IO, UINT64_MAX, "no temporary file could be made (%s); set TMPDIR to a folder with room",
                       strerror(errno));
    int status = import(s, *fd, err);
    if (status == 0)
        status = cli_temporary_reader(*fd, own, err);
    *reader = *own;
    return status;
}
