/*
 * What every format is made of: an out, and four functions in a row of the table of formats (export.c).
 */
#ifndef GOLANES_EXPORT_INSIDE_H
#define GOLANES_EXPORT_INSIDE_H

#include "golanes_export/export.h"
#include "out.h"

typedef struct ex_ops {
    gl_export_format format;
    /** Makes what the format keeps, *made (also on failure, where it then goes to discard), and writes the head. */
    int (*open)(ex_out *out, const gl_export_options *opt, void **made, gl_error *err);
    int (*take)(void *made, const gl_event *ev);
    int (*finish)(void *made);
    void (*discard)(void *made);
} ex_ops;

extern const ex_ops ex_chrome, ex_perfetto, ex_pprof, ex_folded, ex_csv, ex_jsonl;

/** Text of a string id that comes from an event, "" where it is none. */
const char *ex_text(const gl_dict *d, uint64_t id, size_t *n);
/** The frame where something happened: the leaf-most that is not the runtime's. False: the stack is empty. */
bool ex_site(const gl_dict *d, uint32_t stack, gl_frame *out);
/** Function and file name of a frame. */
const char *ex_func(const gl_dict *d, gl_frame f);
const char *ex_file(const gl_dict *d, gl_frame f);
/** Goroutine's number and process, of an id that may hold both. */
#define EX_NUMBER(g) ((g) & ((UINT64_C(1) << 48) - 1))
#define EX_PROCESS(g) ((g) >> 48)

/* profile.c: the table of profiles */
const gl_export_choice *ex_profile_choice(size_t i);
/* tables.c */
const gl_export_choice *ex_table_choice(size_t i);
const char *ex_table_column(const char *table, size_t i);

#endif
