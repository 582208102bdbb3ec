/*
 * What golanes reads out of a Go program, as lines for scripts to compare.
 *   gobin_ask PROGRAM info|functions|layout|sites|vars|live PID|types ADDRESS...|inlined NAME...|frames (addresses on standard input)
 */
#include <dirent.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "golanes/golayout.h"
#include "golanes/goprobes.h"
#include "golanes/goprog.h"

static int ask_info(const gl_goprog *p)
{
    const gl_goprog_info *i = gl_goprog_get_info(p);
    printf("version %s\nminor %u\npackage %s\nmodule %s\nmode %s\n", i->version, i->minor, i->package, i->module, i->build_mode);
    printf("pie %d\ndynamic %d\nsymbols %d\ndwarf %d\ncgo %d\npgo %d\nrace %d\n", i->pie, i->dynamic, i->symbols, i->dwarf,
           i->cgo, i->pgo, i->race);
    printf("text 0x%" PRIx64 "\ntext_end 0x%" PRIx64 "\ntypes 0x%" PRIx64 "\nmodule_data 0x%" PRIx64 "\nfunctions %" PRIu64 "\n",
           i->text, i->text_end, i->types, i->module_data, i->functions);
    return 0;
}

static int ask_functions(const gl_goprog *p)
{
    gl_gofunc f;
    for (uint64_t i = 0; i < gl_goprog_get_info(p)->functions; i++)
        if (gl_goprog_func_at(p, i, &f))
            printf("%" PRIx64 " %" PRIx64 " %s\n", f.entry, f.end, f.name);
    return 0;
}

static int ask_layout(const gl_goprog *p)
{
    gl_golayout l;
    gl_error err = {0};
    if (gl_goprog_layout(p, &l, &err) < 0) {
        fprintf(stderr, "%s\n", err.text);
        return 1;
    }
    printf("sources%s%s%s\n", l.sources & GL_GOLAYOUT_TYPES ? " types" : "", l.sources & GL_GOLAYOUT_DWARF ? " dwarf" : "",
           l.sources & GL_GOLAYOUT_KNOWN ? " known" : "");
    for (size_t i = 0; i < gl_gofield_count; i++)
        printf("%s.%s %d\n", gl_gofields[i].structure, gl_gofields[i].name, gl_golayout_field(&l, &gl_gofields[i]));
    printf("sizes %d %d %d %d %d %d\n", l.g_size, l.m_size, l.p_size, l.hchan_size, l.sudog_size, l.scase_size);
    return 0;
}

static void print_site(const gl_goprog *p, const gl_gosite *s)
{
    static const char *const kinds[] = {"cas", "entry", "return"};
    printf("site %s %s %" PRIx64 " %u event %u %s dead %04x%s sp %d", gl_goprobes[s->probe].name, kinds[s->kind], s->address,
           s->length, s->event, s->function.name, s->dead, s->flags_dead ? " flags" : "", s->sp_delta);
    if (s->kind == GL_GOSITE_CAS)
        printf(" base %d value %d uprobe %" PRIx64 " %02x%s", s->base, s->value, s->uprobe, *gl_goprog_bytes(p, s->uprobe, 1),
               s->uprobe_clear ? " clear" : "");
    if (s->kind == GL_GOSITE_RETURN && s->uprobe_early)
        printf(" early %" PRIx64 " %d %d", s->uprobe, s->uprobe_al, s->uprobe_bl);
    if (s->kind == GL_GOSITE_ENTRY)
        printf(" %s uprobe %" PRIx64 " %02x", s->stack_check ? "checks" : "nosplit", s->uprobe, *gl_goprog_bytes(p, s->uprobe, 1));
    printf("%s%s\n", s->hookable ? "" : " UNHOOKABLE ", s->hookable ? "" : s->why);
}

static int ask_sites(const gl_goprog *p)
{
    gl_golayout l;
    gl_goplan *plan;
    gl_error err = {0};
    if (gl_goprog_layout(p, &l, &err) < 0 || gl_goplan_make(p, &l, &plan, &err) < 0) {
        fprintf(stderr, "%s\n", err.text);
        return 1;
    }
    for (unsigned i = 0; i < GL_GOPROBE_COUNT; i++)
        if (plan->probes[i].applies)
            printf("probe %s %s sites %u hookable %u inlined %u %s\n", gl_goprobes[i].name, plan->probes[i].works ? "works" : "fails",
                   plan->probes[i].sites, plan->probes[i].hookable, plan->probes[i].inlined, plan->probes[i].why);
    for (uint32_t i = 0; i < plan->site_count; i++)
        print_site(p, &plan->sites[i]);
    gl_goplan_free(plan);
    return 0;
}

static int ask_vars(const gl_goprog *p)
{
    gl_govars v;
    gl_goprog_vars(p, &v);
    printf("allgs %" PRIx64 "\nallm %" PRIx64 "\nallp %" PRIx64 "\nwork_cycles %" PRIx64 "\n", v.allgs, v.allm, v.allp, v.work_cycles);
    return 0;
}

static size_t threads_of(int pid, int *out, size_t max)
{
    char path[64];
    size_t n = 0;
    snprintf(path, sizeof path, "/proc/%d/task", pid);
    DIR *d = opendir(path);
    for (struct dirent *e; d && n < max && (e = readdir(d));)
        if (e->d_name[0] != '.')
            out[n++] = atoi(e->d_name);
    if (d)
        closedir(d);
    return n;
}

/* A process of the program: its bias, whether its memory is the program's, whether the runtime's structures make sense. */
static int ask_live(const gl_goprog *p, int pid)
{
    gl_golayout l;
    gl_govars v;
    gl_goplan *plan = NULL;
    gl_error err = {0};
    uint64_t bias;
    int threads[1024];
    gl_gomemory mem = {gl_gomemory_read_pid, &pid};
    gl_goprog_vars(p, &v);
    int rc = gl_goprog_layout(p, &l, &err);
    if (rc == 0)
        rc = gl_goplan_make(p, &l, &plan, &err);
    if (rc == 0)
        rc = gl_goprog_bias(p, pid, &bias, &err);
    for (uint32_t i = 0; rc == 0 && i < plan->site_count; i++)
        rc = gl_goprog_check_memory(p, &mem, bias, &plan->sites[i].function, 1, &err);
    if (rc == 0)
        rc = gl_goprog_check_live(p, &l, &v, &mem, bias, threads, threads_of(pid, threads, 1024), &err);
    printf("%s\n", rc < 0 ? err.text : "live");
    gl_goplan_free(plan);
    return rc < 0;
}

static int ask_frames(const gl_goprog *p)
{
    char line[128];
    while (fgets(line, sizeof line, stdin)) {
        gl_goframe frames[64];
        size_t n = gl_goprog_frames(p, strtoull(line, NULL, 16), frames, 64);
        for (size_t i = 0; i < n; i++)
            printf("%s %s:%u%s\n", frames[i].func, frames[i].file, frames[i].line, frames[i].inlined ? " inlined" : "");
        if (n == 0)
            puts("none");
    }
    return 0;
}

static int ask_types(const gl_goprog *p, int n, char **addresses)
{
    char name[512];
    for (int i = 0; i < n; i++)
        puts(gl_goprog_type_name(p, strtoull(addresses[i], NULL, 16), name, sizeof name) ? name : "none");
    return 0;
}

static int tell_inlined(void *user, const char *callee, uint64_t pc, const gl_gofunc *into)
{
    (void)user;
    printf("%s %" PRIx64 " %s\n", callee, pc, into->name);
    return 0;
}

int main(int argc, char **argv)
{
    gl_goprog *p;
    gl_goprog_refusal why;
    gl_error err = {0};
    if (argc < 3)
        return 2;
    if (gl_goprog_open(argv[1], &p, &why, &err) < 0) {
        fprintf(stderr, "refusal %d: %s\n", why, err.text);
        return 1;
    }
    int rc = 2;
    if (strcmp(argv[2], "info") == 0)
        rc = ask_info(p);
    else if (strcmp(argv[2], "functions") == 0)
        rc = ask_functions(p);
    else if (strcmp(argv[2], "layout") == 0)
        rc = ask_layout(p);
    else if (strcmp(argv[2], "sites") == 0)
        rc = ask_sites(p);
    else if (strcmp(argv[2], "vars") == 0)
        rc = ask_vars(p);
    else if (strcmp(argv[2], "live") == 0 && argc > 3)
        rc = ask_live(p, atoi(argv[3]));
    else if (strcmp(argv[2], "frames") == 0)
        rc = ask_frames(p);
    else if (strcmp(argv[2], "types") == 0)
        rc = ask_types(p, argc - 3, argv + 3);
    else if (strcmp(argv[2], "inlined") == 0)
        rc = gl_goprog_inlined(p, (const char *const *)argv + 3, (size_t)(argc - 3), tell_inlined, NULL);
    gl_goprog_close(p);
    return rc;
}
