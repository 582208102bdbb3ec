#include "outlanes.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "outfile.h"
#include "source.h"

int cli_outlanes_open(cli_outlanes *o, const cli_args *args)
{
    gl_error err = {0};
    o->path = cli_args_text(args, CLI_OPT_OUT, NULL);
    if (!o->path)
        return cli_usage_error(args->command, "-o OUT is missing");
    int rc = cli_outfile_check(args, o->path);
    if (rc)
        return rc;
    o->dict = gl_dict_new();
    gl_writer_options w = {.path = o->path, .dict = o->dict, .level = (int)cli_args_number(args, CLI_OPT_LEVEL, 0)};
    int status = o->dict ? gl_writer_open(&w, &o->writer, &err) : GL_E_NOMEM;
    if (status == 0)
        return 0;
    gl_dict_destroy(o->dict);
    o->dict = NULL;
    cli_say("%s", err.text[0] ? err.text : gl_status_text(status));
    return status == GL_E_NOMEM ? CLI_EXIT_SYSTEM : CLI_EXIT_OUTPUT;
}

int cli_outlanes_meta(cli_outlanes *o, const char *key, const char *fmt, ...)
{
    char value[512];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(value, sizeof value, fmt, ap);
    va_end(ap);
    return gl_writer_meta(o->writer, key, value);
}

int cli_outlanes_events(cli_outlanes *o, const gl_event *events, size_t n)
{
    errno = 0;
    int status = gl_writer_events(o->writer, events, n);
    if (status < 0 && !o->failed) {
        o->failed = true;
        o->write_errno = errno;
    }
    return status;
}

int cli_outlanes_close(cli_outlanes *o, int status, const gl_error *err)
{
    gl_error close_err = {0};
    int rc = 0, closed = 0;
    if (status < 0 || o->failed)
        gl_writer_abandon(o->writer);
    else
        closed = gl_writer_close(o->writer, &o->stats, &close_err);
    gl_dict_destroy(o->dict);
    if (o->failed) {
        cli_say("%s: could not be written: %s", o->path, o->write_errno ? strerror(o->write_errno) : gl_status_text(status));
        rc = status == GL_E_NOMEM ? CLI_EXIT_SYSTEM : CLI_EXIT_OUTPUT;
    } else if (status < 0) {
        rc = cli_failed(status, err);
    } else if (closed < 0) {
        cli_say("%s", close_err.text[0] ? close_err.text : gl_status_text(closed));
        rc = CLI_EXIT_OUTPUT;
    }
    if (rc)
        cli_outfile_drop(o->path, rc);
    return rc;
}
