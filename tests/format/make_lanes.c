/*
 * Makes a .lanes file that holds everything that the format has: each event of the table and a few that it does not have,
 * texts, stacks, threads that come and go, several processes, times that step back, all flags, small chunks. What is in it is
 * made up but reproducible: a second reader (lanes_reader.py) is to find the same in it as the library.
 *
 *   make_lanes OUT.lanes
 */
#include "golanes/writer.h"

#include <stdio.h>
#include <stdlib.h>

#define EVENTS 20000
#define THREADS 40
#define GOROUTINES 60
#define STACKS 50

static uint64_t seed = 88172645463325252u;

static uint64_t below(uint64_t n)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return seed % n;
}

static void must(int rc, const char *what)
{
    if (rc < 0) {
        fprintf(stderr, "make_lanes: %s: %s\n", what, gl_status_text(rc));
        exit(1);
    }
}

static gl_dict *make_tables(void)
{
    gl_dict *d = gl_dict_new();
    char text[64];
    uint32_t id, name, file, frames[8];
    must(d ? 0 : GL_E_NOMEM, "a dictionary");
    for (unsigned i = 0; i < THREADS; i++) {
        must(gl_dict_string(d, text, (size_t)snprintf(text, sizeof text, "thread %u \xe2\x82\xac", i), &name), "a name");
        must(gl_dict_thread(d, (gl_thread_info){.tid = 1000 + i * 7, .process = i % 3, .name = name}, &id), "a thread");
    }
    for (unsigned i = 0; i < STACKS; i++) {
        must(gl_dict_string(d, text, (size_t)snprintf(text, sizeof text, "main.f%u", i), &name), "a name");
        must(gl_dict_string(d, text, (size_t)snprintf(text, sizeof text, "f%u.go", i / 7), &file), "a file");
        must(gl_dict_func(d, (gl_func){.name = name, .file = i % 5 ? file : 0}, &id), "a function");
        for (unsigned k = 0; k <= i % 8; k++)
            must(gl_dict_frame(d, (gl_frame){.func = 1 + (uint32_t)below(id), .line = i + k, .pc = i % 3 ? 0x401000 + i * 16 : 0},
                               &frames[k]), "a frame");
        must(gl_dict_stack(d, frames, i % 8 + 1, &id), "a stack");
    }
    return d;
}

/* A value that a kind can have; now and then one that it should not have. */
static uint64_t value(const gl_dict *d, gl_kind kind)
{
    static const uint64_t limits[GL_KIND_COUNT_] = {
        [GL_KIND_GOROUTINE] = GOROUTINES, [GL_KIND_PROC] = 9, [GL_KIND_CHAN] = 30, [GL_KIND_GSTATE] = GL_G_STATES,
        [GL_KIND_PSTATE] = GL_P_STATES, [GL_KIND_BOOL] = 2, [GL_KIND_CHANRESULT] = 4, [GL_KIND_CHANDIR] = 3,
        [GL_KIND_TASK] = 20, [GL_KIND_COUNT] = 5};
    if (kind == GL_KIND_STRING)
        return below(gl_dict_string_count(d));
    if (kind == GL_KIND_STACK)
        return below(gl_dict_stack_count(d));
    if (kind == GL_KIND_THREAD)
        return below(8) ? below(THREADS) : GL_NO_THREAD;
    if (kind == GL_KIND_PROC && below(16) == 0)
        return GL_NO_PROC;
    return limits[kind] ? below(limits[kind]) << (kind == GL_KIND_CHAN ? 5 : 0) : seed >> below(64);
}

static gl_event make_event(const gl_dict *d, uint64_t i, int64_t *time)
{
    /* The first events are one of each code; then mostly what a scheduler writes. */
    unsigned type = i < 127 ? (unsigned)i + 1 : below(4) ? 1 + (unsigned)below(10) : 1 + (unsigned)below(75);
    if (i >= 127 && !gl_event_lookup(type))
        type = GL_EV_GoStart;
    const gl_event_info *info = gl_event_lookup(type);
    gl_event ev = {.type = (uint16_t)type,
                   .g = below(3) << 48 | below(GOROUTINES),
                   .thread = below(50) ? (uint32_t)below(i / 500 + 1) % THREADS : GL_NO_THREAD,
                   .p = below(20) ? (uint32_t)below(300) : GL_NO_PROC,
                   .flags = (uint16_t)(below(30) ? 0 : below(8))};
    unsigned args = info ? info->arg_count : GL_EVENT_ARGS_MAX;
    for (unsigned k = 0; k < args; k++)
        ev.arg[k] = value(d, info ? info->args[k].kind : GL_KIND_NUMBER);
    if (!info || info->has_stack)
        ev.stack = (uint32_t)value(d, GL_KIND_STACK);
    *time += below(40) ? (int64_t)below(3000) * 64 : -(int64_t)below(100000) * 64;
    ev.time = *time;
    if (below(5) == 0)
        *time += (int64_t)below(1u << 30) * 64;
    return ev;
}

int main(int argc, char **argv)
{
    gl_dict *d = make_tables();
    gl_writer *w;
    gl_error err = {0};
    uint32_t name;
    int64_t time = 0;
    if (argc != 2)
        return 2;
    gl_writer_options o = {.path = argv[1], .dict = d, .chunk_events = 700};
    must(gl_writer_open(&o, &w, &err), err.text);
    must(gl_writer_meta(w, "source.kind", "make_lanes"), "metadata");
    for (uint32_t i = 0; i < 3; i++) {
        must(gl_dict_string(d, "server", 6, &name), "a name");
        must(gl_writer_process(w, &(gl_process_info){.index = i, .pid = 100 + i, .name = name, .parent = i ? 100 : 0}), "a process");
    }
    for (uint64_t i = 0; i < EVENTS; i++) {
        char text[32];
        int n = snprintf(text, sizeof text, "\"%llu\"\t", (unsigned long long)i);
        if (i % 1000 == 0) /* tables grow on the way; the byte 0 belongs to the text */
            must(gl_dict_string(d, text, (size_t)n + 1, &name), "a string");
        gl_event ev = make_event(d, i, &time);
        must(gl_writer_events(w, &ev, 1), "an event");
        if (i == EVENTS / 2)
            must(gl_writer_meta(w, "source.kind", "changed"), "metadata");
    }
    must(gl_writer_close(w, NULL, &err), err.text);
    gl_dict_destroy(d);
    return 0;
}
