/*
 * Tables: rows of typed columns, one table of them. A row is an array of values in the order of the table's columns; a
 * writer (CSV, JSON lines) puts those into its file that were asked for.
 */
#ifndef GOLANES_EXPORT_TABLES_H
#define GOLANES_EXPORT_TABLES_H

#include "golanes_analysis/summary.h"
#include "inside.h"
#include "spans.h"

typedef enum ex_type { EX_NULL, EX_I64, EX_U64, EX_BOOL, EX_TEXT, EX_HEX } ex_type;

typedef struct ex_value {
    ex_type type;
    union {
        int64_t i64;
        uint64_t u64;
        bool yes;
        const char *text;
    };
    size_t n; /* of text */
} ex_value;

#define EX_COLUMNS_MAX 64

typedef struct ex_tables ex_tables;

typedef struct ex_table {
    gl_export_choice choice;
    const char *const *columns; /* up to NULL */
    void (*prepare)(void);      /* fills columns in; NULL: they are there */
    int (*take)(ex_tables *t, const gl_event *ev);
    int (*finish)(ex_tables *t);
    ex_listener listener;       /* of spans; user is put in; begin and end NULL: no spans */
    bool uses_summary;
} ex_table;

struct ex_tables {
    ex_out *out;
    const ex_table *table;
    const gl_dict *dict;
    gl_export_options options;
    bool json;
    size_t column_count, chosen_count;
    unsigned char chosen[EX_COLUMNS_MAX]; /* numbers of columns, in the order that was asked for */
    ex_value row[EX_COLUMNS_MAX];
    ex_spans *spans;
    gl_summary *summary;
};

/** Writes t->row, and makes all of it null again. */
int ex_row(ex_tables *t) GL_MUST_CHECK;
void ex_put_i64(ex_tables *t, unsigned column, int64_t v);
void ex_put_u64(ex_tables *t, unsigned column, uint64_t v);
void ex_put_hex(ex_tables *t, unsigned column, uint64_t v);
void ex_put_bool(ex_tables *t, unsigned column, bool v);
/** The text must live until ex_row. */
void ex_put_text(ex_tables *t, unsigned column, const char *text, size_t n);
void ex_put_str(ex_tables *t, unsigned column, const char *text);
/** A string id; the empty text is null. */
void ex_put_string(ex_tables *t, unsigned column, uint64_t id);
/** Columns func, file, line from `column` on; nothing where the stack is empty. */
void ex_put_site(ex_tables *t, unsigned column, uint32_t stack);

/* table_*.c */
extern const ex_table ex_table_events, ex_table_spans, ex_table_goroutines, ex_table_waits, ex_table_straddles, ex_table_pauses,
    ex_table_regions, ex_table_tasks, ex_table_logs, ex_table_stacks;

#endif
