/*
 * Any bytes as a Go trace of one of FUZZ_VERSIONS: the quick look, the whole import, whose events must be sound, and for some
 * a .lanes file, which must be readable with the same number of events. A header of another version is replaced, so that no input goes to waste and
 * each wire format has a corpus of its own.
 */
#include "golanes/gotrace.h"
#include "golanes/reader.h"
#include "golanes/writer.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void must(bool held, const char *what)
{
    if (!held) {
        fprintf(stderr, "fuzz: %s\n", what);
        abort();
    }
}

static void read_back(const char *path, uint64_t events)
{
    gl_reader *r = NULL;
    gl_cursor *c = NULL;
    const gl_event *ev;
    size_t n = 0;
    uint64_t seen = 0;
    must(gl_reader_open(path, &r, NULL) == 0, "what an import wrote can't be opened");
    must(gl_cursor_open(r, GL_COL_ALL, &c, NULL) == 0, "no cursor");
    while (gl_cursor_next(c, &ev, &n, NULL) == 0 && n > 0)
        seen += n;
    must(seen == events, "events were lost on their way through the file");
    gl_cursor_close(c);
    gl_reader_close(r);
}

typedef struct check {
    const gl_dict *dict;
    uint64_t events;
} check;

/* Whatever the source says, an event's ids must be the dictionary's. */
static int check_events(void *user, const gl_event *events, size_t n)
{
    check *c = user;
    c->events += n;
    for (size_t i = 0; i < n; i++) {
        const gl_event_info *info = gl_event_lookup(events[i].type);
        must(info != NULL, "an event that the table does not have");
        must(events[i].stack < gl_dict_stack_count(c->dict), "a stack that the dictionary does not have");
        must(events[i].thread == GL_NO_THREAD || events[i].thread < gl_dict_thread_count(c->dict), "no such thread");
        for (unsigned k = 0; k < info->arg_count; k++) {
            uint64_t v = events[i].arg[k];
            gl_kind kind = info->args[k].kind;
            must(kind != GL_KIND_STRING || v < gl_dict_string_count(c->dict), "a string that the dictionary does not have");
            must(kind != GL_KIND_STACK || v < gl_dict_stack_count(c->dict), "a stack that the dictionary does not have");
            must(kind != GL_KIND_GSTATE || v < GL_G_STATES, "a state that there is not");
            must(kind != GL_KIND_PSTATE || v < GL_P_STATES, "a state that there is not");
        }
    }
    return 0;
}

static void import(gl_input *in)
{
    gl_gotrace_result *result = calloc(1, sizeof *result);
    gl_dict *dict = gl_dict_new();
    must(result && dict, "no memory");
    check c = {.dict = dict};
    gl_gotrace_options o = {.dict = dict, .on_events = check_events, .events_user = &c};
    int status = gl_gotrace_import(in, &o, result, NULL);
    must(status < 0 || c.events == result->events, "the importer's count is not what it delivered");
    must(result->bytes_lost <= result->bytes_total || result->damage_count > 1, "more was lost than there was");
    gl_dict_destroy(dict);
    free(result);
}

/* The same into a file, and back. */
static void import_to_file(gl_input *in)
{
    gl_dict *dict = gl_dict_new();
    gl_writer *w = NULL;
    gl_gotrace_result *result = calloc(1, sizeof *result);
    int fd = memfd_create("fuzz", 0);
    char path[64];
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    must(dict && result && fd >= 0, "no memory");
    gl_writer_options to = {.fd = fd, .dict = dict};
    must(gl_writer_open(&to, &w, NULL) == 0, "no writer");
    gl_gotrace_options from = {.dict = dict, .on_events = gl_writer_sink, .events_user = w};
    int status = gl_gotrace_import(in, &from, result, NULL);
    must(status != GL_E_USAGE, "the importer made an event that the writer refuses");
    if (status == 0) {
        gl_writer_stats stats;
        must(gl_writer_close(w, &stats, NULL) == 0, "the writer did not close");
        must(stats.events == result->events, "the importer's count is not what it delivered");
        read_back(path, stats.events);
    } else {
        gl_writer_abandon(w);
    }
    close(fd);
    free(result);
    gl_dict_destroy(dict);
}

/* The same bytes with a header that is wanted. */
static uint8_t *with_header(const uint8_t *data, size_t n)
{
    static const unsigned versions[] = {FUZZ_VERSIONS};
    uint8_t *copy = malloc(n ? n : 1);
    must(copy != NULL, "no memory");
    if (n)
        memcpy(copy, data, n);
    if (n < 16)
        return copy;
    unsigned version = gl_gotrace_detect(copy, n);
    for (size_t i = 0; i < sizeof versions / sizeof *versions; i++)
        if (versions[i] == version)
            return copy;
    memset(copy, 0, 16);
    snprintf((char *)copy, 16, "go 1.%u trace", versions[data[15] % (sizeof versions / sizeof *versions)]);
    return copy;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    gl_input *in = NULL;
    uint8_t *copy = with_header(data, n);
    must(gl_input_from_memory(copy, n, &in) == 0, "no input");
    gl_gotrace_glance glance;
    int looked = gl_gotrace_look(in, &glance, NULL);
    must(looked < 0 || glance.bytes_walked <= glance.bytes_total, "the look went past the end");
    import(in);
    /* A file costs much more than an import: one input of eight gets one. */
    unsigned sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += copy[i];
    if (sum % 8 == 0)
        import_to_file(in);
    gl_input_close(in);
    free(copy);
    return 0;
}
