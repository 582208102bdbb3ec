/*
 * The pyramid as a reader sees it. Nodes that are not in the file yet (it has no end, or its writer is at work) are made
 * from the level below on the way: at most one a level, each of at most eight.
 */
#include <stdlib.h>

#include "lanes/cursor.h"
#include "lanes/sums.h"

static uint64_t level0_size(const gl_reader *r)
{
    const ln_list *events = ln_index_list(&r->index, LN_EVENTS, 0);
    ln_row last;
    if (!events || events->n == 0 || ln_index_row(events, r->fd, events->n - 1, &last) < 0)
        return 0;
    return last.number >= events->n + LN_CHUNKS_LOST_MAX ? 0 : last.number + 1;
}

uint64_t gl_reader_level_size(const gl_reader *r, unsigned level)
{
    uint64_t n = level0_size(r);
    for (unsigned i = 0; i < level && n; i++)
        n = n == 1 ? 0 : (n - 1) / LN_FANOUT + 1;
    return n;
}

unsigned gl_reader_levels(const gl_reader *r)
{
    unsigned levels = 0;
    for (uint64_t n = level0_size(r); n; n = n == 1 ? 0 : (n - 1) / LN_FANOUT + 1)
        levels++;
    return levels;
}

/** The row of node i, or GL_E_NOT_FOUND. Rows are in order of their numbers; few or none are missing. */
static int find_node(const gl_reader *r, unsigned level, uint64_t i, ln_row *row)
{
    const ln_list *l = ln_index_list(&r->index, LN_SUMMARY, level);
    uint64_t low = 0, high = l ? l->n : 0;
    while (low < high) {
        uint64_t middle = low + (high - low) / 2;
        int rc = ln_index_row(l, r->fd, middle, row);
        if (rc < 0)
            return rc;
        if (row->number == i)
            return 0;
        if (row->number < i)
            low = middle + 1;
        else
            high = middle;
    }
    return GL_E_NOT_FOUND;
}

/** n nodes of a level cover so many of the level `below` levels further down; no more than there can be. */
static uint64_t covered(uint64_t n, unsigned below)
{
    unsigned shift = 3 * below; /* LN_FANOUT is 8 */
    return shift >= 64 || n > UINT64_MAX >> shift ? UINT64_MAX : n << shift;
}

/** The smallest number of a level's rows that is at least `from`; UINT64_MAX where there is none, or none to be read. */
static uint64_t next_row(const gl_reader *r, unsigned level, uint64_t from)
{
    const ln_list *l = ln_index_list(&r->index, LN_SUMMARY, level);
    uint64_t low = 0, high = l ? l->n : 0, found = UINT64_MAX;
    while (low < high) {
        uint64_t middle = low + (high - low) / 2;
        ln_row row;
        if (ln_index_row(l, r->fd, middle, &row) < 0)
            return UINT64_MAX;
        if (row.number < from) {
            low = middle + 1;
        } else {
            found = row.number;
            high = middle;
        }
    }
    return found;
}

/**
 * True where some level below has a row that node i is made of. A file may number its chunks as it likes: without this
 * look, a node would be searched for under every number that there could be.
 */
static bool has_rows_below(const gl_reader *r, unsigned level, uint64_t i)
{
    for (unsigned k = 0; k < level; k++)
        if (next_row(r, k, covered(i, level - k)) < covered(i + 1, level - k))
            return true;
    return false;
}

uint64_t ln_sum_next(const gl_reader *r, unsigned level, uint64_t i)
{
    uint64_t row = next_row(r, level - 1, covered(i, 1));
    return row == UINT64_MAX ? UINT64_MAX : row / LN_FANOUT;
}

/** What loading a node needs: a reader's own, or a cursor's. */
typedef struct loader {
    const gl_reader *r;
    ln_buf *payload;
    ln_unpacker *unpacker;
    bool lanes; /* load shares too */
} loader;

static int load_stored(const loader *x, const ln_row *row, ln_sum *out)
{
    ln_span spans[LN_S_LIMIT];
    unsigned wanted = 1u << LN_S_ROWS | (x->lanes ? 1u << LN_S_LANES : 0);
    size_t capacity = 0;
    int rc = ln_file_payload(x->r, row, LN_SUMMARY, x->payload);
    if (rc == 0)
        rc = ln_unpack(x->unpacker, x->payload->base, ln_buf_size(x->payload), wanted, spans);
    if (rc == 0 && !spans[LN_S_ROWS].bytes)
        rc = GL_E_CORRUPT;
    if (rc == 0)
        rc = ln_node_get(spans[LN_S_ROWS].bytes, spans[LN_S_ROWS].n, &out->node);
    if (rc == 0 && spans[LN_S_LANES].bytes)
        rc = ln_shares_get(spans[LN_S_LANES].bytes, spans[LN_S_LANES].n, &out->lanes, &capacity, &out->n);
    if (rc < 0) {
        free(out->lanes);
        out->lanes = NULL;
    }
    return rc;
}

/** Node i of a level: stored, or merged from what the level below has. */
static int load(const loader *x, unsigned level, uint64_t i, ln_sum *out)
{
    ln_row row;
    *out = (ln_sum){.lanes = NULL};
    int rc = find_node(x->r, level, i, &row);
    if (rc == 0)
        return load_stored(x, &row, out);
    if (rc != GL_E_NOT_FOUND || level == 0 || !has_rows_below(x->r, level, i))
        return rc;
    ln_sum *parts = calloc(LN_FANOUT, sizeof *parts);
    if (!parts)
        return GL_E_NOMEM;
    size_t n = 0;
    uint64_t below = gl_reader_level_size(x->r, level - 1);
    for (uint64_t k = i * LN_FANOUT; k < below && k < (i + 1) * LN_FANOUT; k++) {
        int part = load(x, level - 1, k, &parts[n]);
        if (part == GL_E_NOMEM || part == GL_E_IO) {
            rc = part;
            break;
        }
        n += part == 0; /* a node that is lost leaves a hole, not a failure */
    }
    if (rc == GL_E_NOT_FOUND && n)
        rc = ln_sum_merge(parts, n, out);
    for (size_t k = 0; k < n; k++)
        free(parts[k].lanes);
    free(parts);
    return rc;
}

static int load_checked(const loader *x, unsigned level, uint64_t i, ln_sum *out, gl_error *err)
{
    if (level >= LN_LEVELS_MAX || i >= gl_reader_level_size(x->r, level))
        return gl_fail(err, GL_E_NOT_FOUND, UINT64_MAX, "There is no summary %llu on level %u.", (unsigned long long)i,
                       level);
    int rc = load(x, level, i, out);
    if (rc == GL_E_CORRUPT)
        ln_file_damaged(x->r);
    if (rc < 0)
        return gl_fail(err, (gl_status)rc, UINT64_MAX, "Cannot read summary %llu of level %u of %s: %s.",
                       (unsigned long long)i, level, x->r->path, gl_status_text(rc));
    return 0;
}

int gl_reader_summary(gl_reader *r, unsigned level, uint64_t i, gl_summary_node *out, gl_error *err)
{
    ln_sum sum;
    pthread_mutex_lock(&r->lock);
    int rc = load_checked(&(loader){r, &r->payload, &r->unpacker, false}, level, i, &sum, err);
    pthread_mutex_unlock(&r->lock);
    if (rc < 0)
        return rc;
    *out = sum.node;
    free(sum.lanes);
    return 0;
}

int gl_cursor_lanes(gl_cursor *c, unsigned level, uint64_t i, const gl_lane_share **out, size_t *n, gl_error *err)
{
    ln_sum sum;
    int rc = load_checked(&(loader){c->reader, &c->side, &c->side_unpacker, true}, level, i, &sum, err);
    if (rc < 0)
        return rc;
    free(c->lanes);
    *out = c->lanes = sum.lanes;
    *n = sum.n;
    return 0;
}

uint64_t gl_reader_lane_count(const gl_reader *r, unsigned level, uint64_t i)
{
    ln_row row;
    return level < LN_LEVELS_MAX && find_node(r, level, i, &row) == 0 ? row.count : 0;
}

int ln_sum_load(const gl_reader *r, ln_buf *payload, ln_unpacker *unpacker, unsigned level, uint64_t i, ln_sum *out)
{
    return load(&(loader){r, payload, unpacker, true}, level, i, out);
}

bool ln_sum_stored(const gl_reader *r, unsigned level, uint64_t i)
{
    ln_row row;
    return find_node(r, level, i, &row) == 0;
}
