#include "nodes.h"

#include <stdlib.h>

void gl_nodes_clean_up(gl_nodes *ns)
{
    free(ns->kept);
    ns->kept = NULL;
}

/* Its place is that of its number within the level, so that neighbours never push each other out. */
static gl_node_kept *place_of(gl_nodes *ns, unsigned level, uint64_t i)
{
    if (!ns->kept)
        ns->kept = calloc(GL_NODES_KEPT, sizeof *ns->kept);
    return ns->kept ? &ns->kept[(i + level * (uint64_t)(GL_NODES_KEPT / 8)) & (GL_NODES_KEPT - 1)] : NULL;
}

int gl_nodes_get(gl_nodes *ns, unsigned level, uint64_t i, gl_node *out)
{
    uint64_t key = (i << 6 | level) + 1, revision = gl_reader_get_info(ns->reader)->usable_bytes;
    gl_node_kept *kept = place_of(ns, level, i);
    if (kept && kept->key == key && kept->revision == revision) {
        *out = kept->node;
        return 0;
    }
    gl_summary_node node;
    int status = gl_reader_summary(ns->reader, level, i, &node, NULL);
    if (status < 0)
        return status;
    *out = (gl_node){node.time_from, node.time_to, node.first_event, node.events, node.state_ns[GL_G_RUNNING]};
    if (kept)
        *kept = (gl_node_kept){key, revision, *out};
    return 0;
}

uint64_t gl_nodes_after(gl_nodes *ns, unsigned level, int64_t time)
{
    uint64_t lo = 0, hi = level < gl_reader_levels(ns->reader) ? gl_reader_level_size(ns->reader, level) : 0;
    while (lo < hi) {
        uint64_t mid = lo + (hi - lo) / 2;
        gl_node node;
        if (gl_nodes_get(ns, level, mid, &node) < 0)
            return hi;
        if (node.time_to <= time)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo;
}

/* Events up to a time: whole chunks from the summaries, within a chunk in proportion to its time. */
static uint64_t events_until(gl_nodes *ns, int64_t time)
{
    uint64_t at = gl_nodes_after(ns, 0, time);
    gl_node node;
    if (gl_reader_levels(ns->reader) == 0 || at >= gl_reader_level_size(ns->reader, 0))
        return gl_reader_get_info(ns->reader)->events;
    if (gl_nodes_get(ns, 0, at, &node) < 0)
        return 0;
    double span = (double)node.time_to - (double)node.time_from, in = (double)time - (double)node.time_from;
    return node.first_event + (uint64_t)(in <= 0 || span <= 0 ? 0 : (double)node.events * in / span);
}

uint64_t gl_nodes_events(gl_nodes *ns, int64_t from, int64_t to)
{
    uint64_t a = events_until(ns, from), b = events_until(ns, to);
    return b > a ? b - a : 0;
}
