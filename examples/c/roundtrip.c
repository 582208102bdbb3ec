/*
 * Writes a small golanes trace and reads it back: one goroutine that starts, waits for a channel, and goes on.
 *
 *     cc roundtrip.c $(pkg-config --cflags --libs golanes) -o roundtrip && ./roundtrip small.lanes
 */
#include <golanes/reader.h>
#include <golanes/writer.h>

#include <inttypes.h>
#include <stdio.h>

static int write_trace(const char *path, gl_error *err)
{
    int status = -1;
    gl_writer *w = NULL;
    gl_dict *dict = gl_dict_new();
    uint32_t chan_receive;
    if (!dict || gl_dict_string(dict, "chan receive", 12, &chan_receive) < 0)
        goto out;
    gl_writer_options options = {.path = path, .dict = dict};
    if (gl_writer_open(&options, &w, err) < 0)
        goto out;

    /* The context (thread, p, g) is the one before the event: a start has no goroutine yet, it names it. */
    const gl_event events[] = {
        {.type = GL_EV_GoStatus, .time = 0, .thread = GL_NO_THREAD, .p = GL_NO_PROC,
         .arg = {7, GL_G_UNDETERMINED, GL_G_RUNNABLE, GL_NO_THREAD}},
        {.type = GL_EV_GoStart, .time = 1000, .thread = GL_NO_THREAD, .p = 0, .arg = {7}},
        {.type = GL_EV_GoBlock, .time = 5000, .thread = GL_NO_THREAD, .p = 0, .g = 7, .arg = {chan_receive}},
        {.type = GL_EV_GoUnpark, .time = 9000, .thread = GL_NO_THREAD, .p = GL_NO_PROC, .arg = {7}},
        {.type = GL_EV_GoStart, .time = 9500, .thread = GL_NO_THREAD, .p = 0, .arg = {7}},
    };
    if (gl_writer_meta(w, "source", "roundtrip example") < 0 ||
        gl_writer_events(w, events, sizeof events / sizeof *events) < 0) {
        fprintf(stderr, "the events were not taken\n");
        goto out;
    }
    status = gl_writer_close(w, NULL, err);
    w = NULL;
out:
    gl_writer_abandon(w);
    gl_dict_destroy(dict);
    return status;
}

static int print_trace(const char *path, gl_error *err)
{
    gl_reader *r = NULL;
    gl_cursor *c = NULL;
    const gl_dict *dict;
    int status = gl_reader_open(path, &r, err);
    if (status == 0)
        status = gl_reader_dict(r, &dict, err);
    if (status == 0)
        status = gl_cursor_open(r, GL_COL_ALL, &c, err);

    const gl_event *events;
    size_t n = 0;
    while (status == 0 && (status = gl_cursor_next(c, &events, &n, err)) == 0 && n > 0) {
        for (size_t i = 0; i < n; i++) {
            const gl_event_info *info = gl_event_lookup(events[i].type);
            printf("%" PRId64 " ns %s", events[i].time, info ? info->name : "(newer than this library)");
            if (events[i].type == GL_EV_GoBlock)
                printf(": %s", gl_dict_text(dict, (uint32_t)events[i].arg[0], NULL));
            putchar('\n');
        }
    }
    gl_cursor_close(c);
    gl_reader_close(r);
    return status;
}

int main(int argc, char **argv)
{
    gl_error err = {0};
    const char *path = argc > 1 ? argv[1] : "small.lanes";
    if (write_trace(path, &err) < 0 || print_trace(path, &err) < 0) {
        fprintf(stderr, "roundtrip: %s\n", err.text[0] ? err.text : "failed");
        return 1;
    }
    return 0;
}
