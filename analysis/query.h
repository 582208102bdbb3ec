/*
 * A filter expression as it is held: tests, and how they are combined.
 * Threads: as gl_query's.
 */
#ifndef GOLANES_ANALYSIS_QUERY_INSIDE_H
#define GOLANES_ANALYSIS_QUERY_INSIDE_H

#include "collect.h"
#include "golanes_analysis/pattern.h"
#include "golanes_analysis/query.h"

typedef enum gl_field {
#define GL_FIELD(name, word, kind, past, help) GL_FIELD_##name,
#include "golanes_analysis/query.def"
#undef GL_FIELD
    GL_FIELD_WORD, /* a word alone */
    GL_FIELDS
} gl_field;

typedef enum gl_compare { GL_IS, GL_IS_NOT, GL_LIKE, GL_NOT_LIKE, GL_BELOW, GL_AT_MOST, GL_ABOVE, GL_AT_LEAST } gl_compare;

typedef struct gl_test {
    uint8_t field, compare;
    gl_pattern *pattern;    /* of texts */
    bool types[GL_EV_LIMIT]; /* of TYPE: which are meant */
    uint64_t number;        /* of NUMBER; of a word alone: G's number, 0 none */
    int64_t time;
    uint8_t state;
} gl_test;

typedef enum gl_node_kind { GL_NODE_TEST, GL_NODE_AND, GL_NODE_OR, GL_NODE_NOT } gl_node_kind;
typedef struct gl_node {
    uint8_t kind;
    uint32_t left, right; /* nodes; of a test, left is its number */
} gl_node;

/* A goroutine as far as the events have told. */
typedef struct gl_past {
    uint64_t id, creator;
    int64_t since;
    uint32_t start, reason, stack;
    uint32_t next_free;
    uint8_t state;
    bool known, alive;
} gl_past;

/* Something open that an event will end. */
typedef struct gl_opened {
    int64_t begin;
    uint32_t name, next;
} gl_opened;

struct gl_query {
    gl_test *tests;
    size_t test_count, test_capacity;
    gl_node *nodes;
    size_t node_count, node_capacity;
    uint32_t root;
    bool past;
    gl_past *list;
    size_t n, capacity;
    uint32_t free_past, dying; /* GL_NONE32 none; dying: it ended with the event before */
    gl_map by_id;
    gl_map opened; /* kind and owner to the innermost */
    gl_opened *open;
    size_t open_count, open_capacity;
    uint32_t free_open; /* chain of free ones, GL_NONE32 none */
    uint64_t about;
};

#endif
