#include "store.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define LOOK_EVERY 16384u /* events between two looks at the size */

void gl_store_numbered(const char *path, unsigned number, char *out, size_t size)
{
    static const char ending[] = ".lanes";
    size_t n = strlen(path), e = sizeof ending - 1;
    bool has = n > e && strcmp(path + n - e, ending) == 0;
    snprintf(out, size, "%.*s-%u%s", (int)(has ? n - e : n), path, number, has ? ending : "");
}

static int open_output(gl_store *s, const char *path, gl_error *err)
{
    snprintf(s->current, sizeof s->current, "%s", path);
    gl_output_options o = {.path = s->current, .force = s->opt.force, .level = s->opt.level, .threads = 1, .dict = s->dict};
    int status = gl_output_open(&o, &s->output, err);
    if (status < 0)
        s->output = NULL;
    else
        s->files++;
    return status;
}

/** A snapshot may be wanted much later: what is in its way is said now. */
static int look_at_folder(const char *path, gl_error *err)
{
    char folder[GL_STORE_PATH_MAX];
    snprintf(folder, sizeof folder, "%s", path);
    char *slash = strrchr(folder, '/');
    if (slash)
        slash[slash == folder] = '\0';
    if (access(slash ? folder : ".", W_OK | X_OK) == 0)
        return 0;
    return gl_fail(err, GL_E_IO, UINT64_MAX, "no file can be created in %s: %s", slash ? folder : ".", strerror(errno));
}

int gl_store_open(gl_store *s, const gl_store_options *opt, gl_dict *dict, gl_error *err)
{
    s->opt = *opt;
    s->dict = dict;
    s->track = opt->flight || opt->max_bytes;
    snprintf(s->path, sizeof s->path, "%s", opt->path);
    if (!opt->flight)
        return open_output(s, s->path, err);
    int status = look_at_folder(s->path, err);
    if (status < 0)
        return status;
    gl_flight_options f = {.keep_ns = opt->keep_ns, .keep_bytes = opt->keep_bytes, .level = opt->level, .dict = dict,
                           .facts = &s->facts};
    s->flight = gl_flight_new(&f);
    return s->flight ? 0 : gl_fail(err, GL_E_NOMEM, UINT64_MAX, "no memory for a recording");
}

int gl_store_meta(gl_store *s, const char *key, const char *value)
{
    int status = gl_facts_meta(&s->facts, key, value);
    return status >= 0 && s->output && value && *value ? gl_output_meta(s->output, key, value) : status;
}

int gl_store_process(gl_store *s, const gl_process_info *process)
{
    int status = gl_facts_process(&s->facts, process);
    return status >= 0 && s->output ? gl_output_process(s->output, process) : status;
}

uint64_t gl_store_bytes(const gl_store *s)
{
    return s->flight ? gl_flight_bytes(s->flight) : s->output ? s->bytes_before + gl_output_bytes(s->output) : s->bytes_before;
}

/* One file after the other. */

typedef struct stating {
    gl_output *output;
    gl_error *err;
} stating;

static int state(void *user, const gl_event *events, size_t n)
{
    stating *to = user;
    return gl_output_events(to->output, events, n, to->err);
}

static int put_facts(gl_store *s)
{
    int status = 0;
    for (size_t i = 0; i < s->facts.n && status >= 0; i++)
        status = gl_output_meta(s->output, s->facts.fact[i].key, s->facts.fact[i].value);
    for (size_t i = 0; i < s->facts.processes && status >= 0; i++)
        status = gl_output_process(s->output, &s->facts.process[i]);
    return status;
}

static int next_file(gl_store *s, gl_error *err)
{
    gl_writer_stats stats = {0};
    char path[GL_STORE_PATH_MAX];
    unsigned number = s->files + 1;
    int status = gl_output_close(s->output, &stats, err);
    s->output = NULL;
    s->bytes_before += stats.bytes;
    if (status >= 0 && s->opt.max_files && s->files >= s->opt.max_files) {
        unsigned oldest = s->files + 1 - s->opt.max_files;
        gl_store_numbered(s->path, oldest, path, sizeof path);
        (void)!unlink(oldest == 1 ? s->path : path);
    }
    gl_store_numbered(s->path, number, path, sizeof path);
    if (status >= 0)
        status = open_output(s, path, err);
    if (status >= 0 && (status = put_facts(s)) < 0)
        gl_fail(err, (gl_status)status, UINT64_MAX, "%s", gl_status_text(status));
    stating to = {s->output, err};
    return status < 0 ? status : gl_states_put(&s->states, s->last, state, &to);
}

static bool is_full(gl_store *s, size_t n)
{
    s->since_look += n;
    if (!s->opt.max_bytes || s->since_look < LOOK_EVERY)
        return false;
    s->since_look = 0;
    return gl_output_bytes(s->output) >= s->opt.max_bytes;
}

int gl_store_events(gl_store *s, const gl_event *events, size_t n, gl_error *err)
{
    int status = 0;
    if (s->flight)
        status = gl_flight_events(s->flight, &s->states, events, n, err);
    else if (is_full(s, n))
        status = next_file(s, err);
    if (status >= 0 && s->output)
        status = gl_output_events(s->output, events, n, err);
    s->last = events[n - 1].time;
    for (size_t i = 0; s->track && i < n && status >= 0; i++)
        status = gl_states_event(&s->states, &events[i]);
    return status;
}

int gl_store_flush(gl_store *s, gl_error *err)
{
    int status = s->output ? gl_output_flush(s->output, err) : 0;
    s->since_look = LOOK_EVERY;
    return status;
}

int gl_store_close(gl_store *s, gl_writer_stats *stats, gl_error *err)
{
    int status = s->output ? gl_output_close(s->output, stats, err) : 0;
    if (stats)
        stats->bytes += s->bytes_before;
    gl_flight_free(s->flight);
    gl_states_free(&s->states);
    gl_facts_free(&s->facts);
    s->output = NULL;
    s->flight = NULL;
    return status;
}
