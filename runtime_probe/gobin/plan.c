/*
 * From the table of probes to the sites of one program.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sites.h"

const gl_goprobe gl_goprobes[GL_GOPROBE_COUNT] = {
#define GL_GOPROBE(id, function, site, first, last, need, events, tells)                                                \
    {#id, function, GL_GOSITE_##site, first, last, (need) != 0, events, tells, -1},
#define GL_GOSTANDIN(id, function, site, base, events, tells)                                                           \
    {#id, function, GL_GOSITE_##site, 0, 0, false, events, tells, GL_GOPROBE_##base},
#include "golanes/goprobes.def"
#undef GL_GOPROBE
};

typedef struct maker {
    const gl_goprog *p;
    const gl_golayout *l;
    gl_goplan *plan;
    gl_sites sites;
    gl_error *err;
} maker;

static int no_memory(const maker *m)
{
    return gl_fail(m->err, GL_E_NOMEM, UINT64_MAX, "%s: there is not enough memory to look for its probes",
                   gl_goprog_get_info(m->p)->path);
}

/* Decodes a function. 1: done; 0: its bytes are no code. */
static int read_code(const maker *m, const gl_gofunc *f, bool at_entry, gl_code *c)
{
    int rc = gl_code_read(c, m->p, f);
    if (rc == 0)
        rc = gl_code_liveness(c, m->p, at_entry);
    if (rc == 0)
        return 1;
    gl_code_clean_up(c);
    return rc == GL_E_NOMEM ? no_memory(m) : 0;
}

/* Whether a place in the code is, by the inline tree too, a part of the runtime. */
static bool of_runtime(const gl_goprog *p, const gl_gosite *s)
{
    gl_goframe frames[64];
    size_t n = gl_goprog_frames(p, s->address, frames, 64);
    for (size_t i = 0; i < n; i++)
        if (strncmp(frames[i].func, "runtime.", 8) == 0)
            return true;
    return false;
}

static bool in_casgstatus(const gl_goprog *p, const gl_gosite *s)
{
    gl_goframe frames[64];
    size_t n = gl_goprog_frames(p, s->address, frames, 64);
    for (size_t i = 0; i < n; i++)
        if (strcmp(frames[i].func, "runtime.casgstatus") == 0)
            return true;
    return false;
}

/*
 * All of Go's code is looked through, as casgstatus is inlined under a profile, also into functions that other packages
 * have of the runtime by linkname.
 */
static int find_cas(maker *m)
{
    gl_goprobe_state *state = &m->plan->probes[GL_GOPROBE_CAS];
    gl_gofunc f;
    bool heart = false;
    for (uint64_t i = 0; i < gl_goprog_get_info(m->p)->functions; i++) {
        gl_code c;
        if (!gl_goprog_func_at(m->p, i, &f) || !gl_sites_cas_likely(m->p, &f))
            continue;
        int rc = read_code(m, &f, false, &c);
        if (rc < 0)
            return rc;
        if (rc == 0)
            continue;
        uint32_t before = m->sites.n;
        gl_sites_cas(&m->sites, &c, m->l);
        gl_code_clean_up(&c);
        uint32_t kept = before;
        for (uint32_t k = before; k < m->sites.n; k++)
            if (of_runtime(m->p, &m->sites.at[k])) {
                heart |= in_casgstatus(m->p, &m->sites.at[k]);
                m->sites.at[kept++] = m->sites.at[k];
            }
        m->sites.n = kept;
    }
    if (!heart)
        snprintf(state->why, sizeof state->why, "runtime.casgstatus does not change a state in a way that is known");
    return 0;
}

static int find_in_function(maker *m, gl_goprobe_id id)
{
    const gl_goprobe *probe = &gl_goprobes[id];
    gl_goprobe_state *state = &m->plan->probes[id];
    gl_error err = {0};
    gl_gofunc f;
    gl_code c;
    if (gl_goprog_func(m->p, probe->function, &f, &err) < 0) {
        snprintf(state->why, sizeof state->why, "there is %s function %s", err.code == GL_E_NOT_FOUND ? "no" : "more than one",
                 probe->function);
        return 0;
    }
    int rc = read_code(m, &f, probe->site == GL_GOSITE_ENTRY, &c);
    if (rc == 0)
        snprintf(state->why, sizeof state->why, "%s is not plain machine code", probe->function);
    if (rc <= 0)
        return rc;
    if (probe->site == GL_GOSITE_ENTRY)
        gl_sites_entry(&m->sites, id, &c, m->l);
    else
        gl_sites_returns(&m->sites, id, m->p, &c);
    gl_code_clean_up(&c);
    return 0;
}

/* Inlining */

/* The stand-in for a probe in a function, or GL_GOPROBE_COUNT. */
static unsigned stand_in(unsigned probe, const char *function)
{
    unsigned i = 0;
    while (i < GL_GOPROBE_COUNT && (gl_goprobes[i].stands_for != (int)probe || strcmp(gl_goprobes[i].function, function) != 0))
        i++;
    return i;
}

static int count_inlined(void *user, const char *callee, uint64_t pc, const gl_gofunc *into)
{
    maker *m = user;
    (void)pc;
    for (unsigned i = 0; i < GL_GOPROBE_COUNT; i++) {
        if (strcmp(gl_goprobes[i].function, callee) != 0)
            continue;
        unsigned other = stand_in(i, into->name);
        if (other < GL_GOPROBE_COUNT)
            m->plan->probes[other].applies = true;
        else
            m->plan->probes[i].inlined++;
    }
    return 0;
}

static bool named_before(unsigned i)
{
    for (unsigned k = 0; k < i; k++)
        if (strcmp(gl_goprobes[k].function, gl_goprobes[i].function) == 0)
            return true;
    return false;
}

static void look_for_inlining(maker *m)
{
    const char *names[GL_GOPROBE_COUNT];
    size_t n = 0;
    for (unsigned i = 0; i < GL_GOPROBE_COUNT; i++)
        if (gl_goprobes[i].function[0] && !named_before(i))
            names[n++] = gl_goprobes[i].function;
    gl_goprog_inlined(m->p, names, n, count_inlined, m);
}

/* A stand-in that does not work: what is wrong with it. */
static bool failing_stand_in(const gl_goplan *plan, gl_goprobe_id id, char *why, size_t bytes)
{
    for (unsigned i = 0; i < GL_GOPROBE_COUNT; i++)
        if (gl_goprobes[i].stands_for == (int)id && plan->probes[i].applies && !plan->probes[i].works) {
            snprintf(why, bytes, "%s", plan->probes[i].why);
            return true;
        }
    return false;
}

static void judge(gl_goplan *plan, gl_goprobe_id id)
{
    gl_goprobe_state *s = &plan->probes[id];
    const char *first = NULL;
    for (uint32_t i = 0; i < s->sites; i++) {
        const gl_gosite *site = &plan->sites[s->first_site + i];
        s->hookable += site->hookable;
        first = first || site->hookable ? first : site->why;
    }
    if (!s->applies || s->why[0])
        return;
    char other[150];
    if (s->sites == 0)
        snprintf(s->why, sizeof s->why, "%s has no place to hook", gl_goprobes[id].function);
    else if (first)
        snprintf(s->why, sizeof s->why, "%u of %u places can't be hooked: %s", s->sites - s->hookable, s->sites, first);
    else if (s->inlined)
        snprintf(s->why, sizeof s->why, "%s was inlined into %u function%s, whose calls are not seen", gl_goprobes[id].function,
                 s->inlined, s->inlined == 1 ? "" : "s");
    else if (failing_stand_in(plan, id, other, sizeof other))
        snprintf(s->why, sizeof s->why, "%s was inlined, and %s", gl_goprobes[id].function, other);
    s->works = s->why[0] == 0;
    s->partly = !s->works && s->sites > 0 && !first;
}

/* Stand-ins first: what they stand for depends on them. */
static void judge_all(gl_goplan *plan)
{
    plan->records = true;
    for (unsigned i = 0; i < GL_GOPROBE_COUNT; i++)
        if (gl_goprobes[i].stands_for >= 0)
            judge(plan, (gl_goprobe_id)i);
    for (unsigned i = 0; i < GL_GOPROBE_COUNT; i++) {
        if (gl_goprobes[i].stands_for >= 0)
            continue;
        judge(plan, (gl_goprobe_id)i);
        plan->records &= plan->probes[i].works || !gl_goprobes[i].needed;
    }
}

static bool applies(const gl_goprobe *probe, unsigned minor)
{
    return (probe->first == 0 || minor >= probe->first) && (probe->last == 0 || minor <= probe->last);
}

static int find_all(maker *m)
{
    look_for_inlining(m);
    for (unsigned i = 0; i < GL_GOPROBE_COUNT; i++) {
        gl_goprobe_state *s = &m->plan->probes[i];
        if (gl_goprobes[i].stands_for < 0)
            s->applies = applies(&gl_goprobes[i], gl_goprog_get_info(m->p)->minor);
        s->first_site = m->sites.n;
        int rc = !s->applies ? 0 : gl_goprobes[i].site == GL_GOSITE_CAS ? find_cas(m) : find_in_function(m, (gl_goprobe_id)i);
        if (rc < 0)
            return rc;
        s->sites = m->sites.n - s->first_site;
    }
    return m->sites.failed ? no_memory(m) : 0;
}

int gl_goplan_make(const gl_goprog *p, const gl_golayout *layout, gl_goplan **out, gl_error *err)
{
    maker m = {.p = p, .l = layout, .plan = calloc(1, sizeof *m.plan), .err = err};
    *out = NULL;
    if (!m.plan)
        return no_memory(&m);
    int rc = find_all(&m);
    m.plan->sites = m.sites.at;
    m.plan->site_count = m.sites.n;
    if (rc < 0) {
        gl_goplan_free(m.plan);
        return rc;
    }
    judge_all(m.plan);
    for (uint32_t i = 0; i < m.plan->site_count; i++)
        if (!gl_goprog_sp_delta(p, m.plan->sites[i].address, &m.plan->sites[i].sp_delta))
            m.plan->sites[i].sp_delta = -1;
    *out = m.plan;
    return 0;
}

bool gl_goplan_entry(const gl_goprog *p, const gl_golayout *layout, const char *function, gl_gosite *out)
{
    gl_error err = {0};
    maker m = {.p = p, .l = layout, .err = &err};
    gl_gofunc f;
    gl_code c;
    if (gl_goprog_func(p, function, &f, &err) < 0 || read_code(&m, &f, true, &c) <= 0)
        return false;
    gl_sites_entry(&m.sites, GL_GOPROBE_COUNT, &c, layout);
    gl_code_clean_up(&c);
    bool found = m.sites.n == 1 && m.sites.at[0].hookable && m.sites.at[0].flags_dead;
    if (found)
        *out = m.sites.at[0];
    free(m.sites.at);
    return found;
}

void gl_goplan_free(gl_goplan *plan)
{
    if (!plan)
        return;
    free(plan->sites);
    free(plan);
}
