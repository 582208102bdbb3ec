#include "model.h"

#include <stdlib.h>
#include <string.h>

#define QUIET_LOOKS 15 /* an unfinished file that did not grow for so long had its writer killed */

static int64_t number_of(const char *text) { return text ? strtoll(text, NULL, 10) : 0; }

static void take_extent(gl_model *m)
{
    m->begin = m->info->events ? m->info->time_first : 0;
    m->end = m->info->events ? m->info->time_last : 0;
    if (m->begin > 0)
        m->begin = 0;
    if (m->end <= m->begin)
        m->end = m->begin + 1;
    m->read_end = m->end;
    if (m->follow && m->promised > m->end)
        m->end = m->promised;
}

void gl_model_promise(gl_model *m, int64_t end)
{
    m->promised = end;
    take_extent(m);
}

/* A writer that came to its end leaves an index; one that is read while it writes says so in its metadata. */
static bool is_finished(const gl_model *m)
{
    return m->info->indexed || gl_reader_meta(m->reader, "import.finished") != NULL;
}

bool gl_model_is_growing(const gl_model *m) { return m->follow && m->quiet < QUIET_LOOKS; }

#define RESERVED_MOST 400000

/* As many goroutines as the coarsest summaries speak of: lists that grow to that by doubling would be copied, and touch
 * twice the memory. */
static int reserve(gl_model *m)
{
    unsigned levels = gl_reader_levels(m->reader);
    uint64_t n = 0, size = levels ? gl_reader_level_size(m->reader, levels - 1) : 0;
    for (uint64_t i = 0; i < size; i++) {
        uint64_t here = gl_reader_lane_count(m->reader, levels - 1, i);
        n = here > n ? here : n;
    }
    size_t room = (size_t)(n > RESERVED_MOST ? RESERVED_MOST : n + 64);
    int status = gl_list_reserve(&m->gors, &m->gor_capacity, room, sizeof *m->gors);
    return status < 0 ? status : gl_list_reserve(&m->lives, &m->life_capacity, room, sizeof *m->lives);
}

int gl_model_open(gl_reader *reader, const char *name, gl_model **out, gl_error *err)
{
    gl_model *m = calloc(1, sizeof *m);
    if (!m || !(m->name = strdup(name))) {
        free(m);
        return gl_fail(err, GL_E_NOMEM, UINT64_MAX, "%s cannot be opened: no memory", name);
    }
    m->reader = m->nodes.reader = reader;
    int status = gl_reader_dict(m->reader, &m->dict, err);
    if (status == 0)
        status = gl_cursor_open(m->reader, GL_COL_ALL, &m->scan, err);
    if (status == 0 && reserve(m) < 0)
        status = gl_fail(err, GL_E_NOMEM, UINT64_MAX, "%s cannot be opened: no memory", name);
    if (status < 0) {
        gl_model_close(m);
        return status;
    }
    m->info = gl_reader_get_info(m->reader);
    m->wall_unix_ns = number_of(gl_reader_meta(m->reader, "clock.wall_unix_ns"));
    m->heap_step = 1;
    m->follow = !is_finished(m);
    m->quiet = QUIET_LOOKS;
    take_extent(m);
    *out = m;
    return 0;
}

void gl_model_close(gl_model *m)
{
    if (!m)
        return;
    gl_cursor_close(m->scan);
    gl_id_map_clean_up(&m->by_id);
    gl_ids_clean_up(&m->by_name);
    gl_chans_clean_up(&m->chans);
    gl_tasks_clean_up(&m->tasks);
    gl_use_clean_up(&m->use);
    gl_nodes_clean_up(&m->nodes);
    gl_spill_free(&m->gors_spill, m->gors);
    free(m->lives);
    free(m->free_lives);
    free(m->groups);
    free(m->pauses);
    free(m->gcs);
    free(m->straddles);
    free(m->notes);
    free(m->heap);
    free(m->root_of_stack);
    free(m->kind_of_string);
    free(m->name);
    free(m);
}

int gl_model_scan(gl_model *m, uint64_t events, gl_error *err)
{
    for (uint64_t done = 0; done < events;) {
        const gl_event *ev;
        size_t n;
        int status = gl_cursor_next(m->scan, &ev, &n, err);
        if (status < 0)
            return status;
        if (n == 0) {
            m->scanned = true;
            m->scanned_to = m->read_end;
            return 0;
        }
        status = gl_model_take(m, ev, n);
        if (status < 0)
            return gl_fail(err, (gl_status)status, UINT64_MAX, "no memory is left for the list of goroutines");
        done += n;
        m->revision++;
    }
    return 1;
}

int gl_model_refresh(gl_model *m, gl_error *err)
{
    int status = gl_reader_refresh(m->reader, err);
    m->quiet = status > 0 ? 0 : m->quiet + 1;
    m->follow = !is_finished(m);
    if (status <= 0)
        return status;
    status = gl_reader_dict(m->reader, &m->dict, err);
    if (status < 0)
        return status;
    m->info = gl_reader_get_info(m->reader);
    m->scanned = false;
    take_extent(m);
    m->revision++;
    return 1;
}

uint32_t gl_model_find(const gl_model *m, uint64_t g) { return gl_id_map_get(&m->by_id, g); }

const gl_life *gl_model_life(const gl_model *m, uint32_t gor)
{
    static const gl_life none = {.gor = GL_NONE, .send_begin = GL_TIME_NONE, .unparked = GL_TIME_NONE, .p = GL_NO_PROC,
                                 .thread = GL_NO_THREAD, .op = {.chan = GL_NONE, .gor = GL_NONE}};
    return m->gors[gor].life == GL_NONE ? &none : &m->lives[m->gors[gor].life];
}

int64_t gl_model_since(const gl_model *m, uint32_t gor)
{
    const gl_gor *g = &m->gors[gor];
    return g->life != GL_NONE ? m->lives[g->life].since : g->last != GL_TIME_NONE ? g->last : g->first;
}

uint32_t gl_model_last_chan(const gl_model *m, uint32_t gor)
{
    return m->gors[gor].life == GL_NONE ? m->gors[gor].last_chan : m->lives[m->gors[gor].life].op.last;
}

const char *gl_model_text(const gl_model *m, uint32_t string) { return gl_dict_text(m->dict, string, NULL); }

const char *gl_model_group_name(const gl_model *m, uint32_t group)
{
    const char *name = group < m->group_count ? gl_model_text(m, m->groups[group].name) : "";
    return *name ? name : "(not known)";
}

gl_span_kind gl_model_kind(gl_model *m, uint32_t reason)
{
    if (reason >= m->kind_capacity) {
        size_t capacity = (size_t)gl_dict_string_count(m->dict) + 64;
        uint8_t *p = reason < capacity ? realloc(m->kind_of_string, capacity) : NULL;
        if (!p)
            return gl_span_kind_of_reason(gl_model_text(m, reason));
        memset(p + m->kind_capacity, 0, capacity - m->kind_capacity);
        m->kind_of_string = p;
        m->kind_capacity = capacity;
    }
    if (!m->kind_of_string[reason])
        m->kind_of_string[reason] = (uint8_t)(gl_span_kind_of_reason(gl_model_text(m, reason)) + 1);
    return (gl_span_kind)(m->kind_of_string[reason] - 1);
}

size_t gl_model_pause_after(const gl_model *m, int64_t time)
{
    size_t lo = 0, hi = m->pause_count;
    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;
        if (m->pauses[mid].end <= time)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo;
}

static size_t straddle_ending_after(const gl_model *m, int64_t time)
{
    size_t lo = 0, hi = m->straddle_count;
    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;
        if (m->straddles[mid].end <= time)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo;
}

/* Stamps of different threads may disagree by a little: a margin keeps those that stand out of order. */
#define DISORDER_NS 1000000

void gl_model_straddles_in(const gl_model *m, int64_t from, int64_t to, size_t *first, size_t *last)
{
    *first = straddle_ending_after(m, from - DISORDER_NS);
    *last = straddle_ending_after(m, to + m->straddle_longest + DISORDER_NS);
}

size_t gl_model_gc_after(const gl_model *m, int64_t time)
{
    size_t lo = 0, hi = m->gc_count;
    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;
        if (m->gcs[mid].end <= time)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo;
}

gl_heap_point gl_model_heap_at(const gl_model *m, int64_t time)
{
    size_t lo = 0, hi = m->heap_count;
    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;
        if (m->heap[mid].time <= time)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo ? m->heap[lo - 1] : (gl_heap_point){0};
}

bool gl_model_frame(const gl_model *m, uint32_t stack, size_t i, gl_site_text *out)
{
    size_t n;
    const uint32_t *frames = gl_dict_get_stack(m->dict, stack, &n);
    if (i >= n)
        return false;
    gl_frame frame = gl_dict_get_frame(m->dict, frames[i]);
    gl_func func = gl_dict_get_func(m->dict, frame.func);
    *out = (gl_site_text){gl_model_text(m, func.name), gl_model_text(m, func.file), frame.line};
    return true;
}

gl_site_text gl_model_site(const gl_model *m, uint32_t stack)
{
    gl_site_text site = {"", "", 0};
    for (size_t i = 0; gl_model_frame(m, stack, i, &site); i++)
        if (strncmp(site.func, "runtime.", 8) != 0)
            return site;
    if (!gl_model_frame(m, stack, 0, &site))
        site = (gl_site_text){"", "", 0};
    return site;
}
