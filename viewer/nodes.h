/*
 * The pyramid's nodes, as far as the viewer looks at them: of those read lately a bounded number is kept.
 * Threads: one thread per gl_nodes.
 */
#ifndef GOLANES_VIEWER_NODES_H
#define GOLANES_VIEWER_NODES_H

#include "golanes/reader.h"

typedef struct gl_node {
    int64_t time_from, time_to;
    uint64_t first_event, events;
    uint64_t running_ns;
} gl_node;

#define GL_NODES_KEPT 4096 /* a power of two */

typedef struct gl_node_kept {
    uint64_t key;      /**< of level and number, 0: free */
    uint64_t revision; /**< of the file, when it was read */
    gl_node node;
} gl_node_kept;

typedef struct gl_nodes {
    gl_reader *reader;
    gl_node_kept *kept; /**< NULL until the first is read */
} gl_nodes;

void gl_nodes_clean_up(gl_nodes *ns);
int gl_nodes_get(gl_nodes *ns, unsigned level, uint64_t i, gl_node *out) GL_MUST_CHECK;
/** First node of a level that ends after `time`; the level's size where none does. */
uint64_t gl_nodes_after(gl_nodes *ns, unsigned level, int64_t time);
/** About how many events there are between two times. */
uint64_t gl_nodes_events(gl_nodes *ns, int64_t from, int64_t to);

#endif
