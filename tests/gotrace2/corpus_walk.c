#include "corpus_walk.h"

#include <dirent.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../support/golines.h"

static bool ends_with(const char *s, const char *tail)
{
    size_t n = strlen(s), m = strlen(tail);
    return n >= m && strcmp(s + n - m, tail) == 0;
}

char *corpus_load(const corpus_file *f, const char *suffix, size_t *n)
{
    char path[1024];
    snprintf(path, sizeof path, "%s/%s%s", f->folder, f->name, suffix);
    return golines_load(path, n);
}

static bool is_v2(const corpus_file *f)
{
    size_t n;
    char *data = corpus_load(f, ".trace", &n);
    unsigned version = data ? gl_gotrace_detect(data, n) : 0;
    free(data);
    return version >= 22 && version < 90;
}

size_t corpus_each(const char *const *folders, size_t n, void (*fn)(const corpus_file *f, void *user), void *user)
{
    size_t count = 0;
    for (size_t i = 0; i < n; i++) {
        DIR *d = opendir(folders[i]);
        struct dirent *e;
        while (d && (e = readdir(d))) {
            corpus_file f;
            snprintf(f.folder, sizeof f.folder, "%s", folders[i]);
            snprintf(f.name, sizeof f.name, "%s", e->d_name);
            if (ends_with(f.name, ".zst"))
                f.name[strlen(f.name) - 4] = 0;
            if (!ends_with(f.name, ".trace"))
                continue;
            f.name[strlen(f.name) - 6] = 0;
            if (!is_v2(&f))
                continue;
            fn(&f, user);
            count++;
        }
        if (d)
            closedir(d);
    }
    return count;
}

long long corpus_figure(const corpus_file *f, const char *const *path)
{
    size_t n;
    char *text = corpus_load(f, ".oracle.json", &n);
    json_t *root = text ? json_loads(text, 0, NULL) : NULL;
    const json_t *at = root;
    for (; at && *path; path++)
        at = json_object_get(at, *path);
    long long out = json_is_integer(at) ? json_integer_value(at) : -1;
    json_decref(root);
    free(text);
    return out;
}

static int keep(void *user, const gl_event *events, size_t n)
{
    imported *im = user;
    if (im->n + n > im->room) {
        im->room = (im->n + n) * 2;
        im->events = realloc(im->events, im->room * sizeof *im->events);
        if (!im->events)
            abort();
    }
    memcpy(im->events + im->n, events, n * sizeof *events);
    im->n += n;
    return 0;
}

void import_bytes(const void *data, size_t n, imported *out)
{
    memset(out, 0, sizeof *out);
    out->dict = gl_dict_new();
    gl_input *in = NULL;
    if (!out->dict || gl_input_from_memory(data, n, &in) < 0)
        abort();
    gl_gotrace_options opt = {.dict = out->dict, .on_events = keep, .events_user = out};
    out->rc = gl_gotrace_import(in, &opt, &out->result, &out->err);
    gl_input_close(in);
}

void imported_free(imported *out)
{
    gl_dict_destroy(out->dict);
    free(out->events);
}
