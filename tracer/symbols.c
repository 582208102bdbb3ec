#include "symbols.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <dwarf.h>
#include <elfutils/libdw.h>
#include <elfutils/libdwfl.h>

#define LOOK_AGAIN_S 1 /* seconds between two looks at what is mapped */

struct gl_symbols {
    Dwfl *dwfl;
    pid_t pid;
    time_t looked;
};

/* Debug information that is not on this machine is not fetched: recording does not wait for a network. */
static int find_debuginfo(Dwfl_Module *mod, void **user, const char *name, Dwarf_Addr base, const char *file,
                          const char *debuglink, GElf_Word crc, char **out)
{
    if (getenv("DEBUGINFOD_URLS"))
        return -1;
    return dwfl_standard_find_debuginfo(mod, user, name, base, file, debuglink, crc, out);
}

static const Dwfl_Callbacks callbacks = {.find_elf = dwfl_linux_proc_find_elf, .find_debuginfo = find_debuginfo};

static bool look(gl_symbols *s)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    s->looked = now.tv_sec;
    dwfl_report_begin_add(s->dwfl);
    int status = dwfl_linux_proc_report(s->dwfl, s->pid);
    return dwfl_report_end(s->dwfl, NULL, NULL) == 0 && status == 0;
}

void gl_symbols_look(gl_symbols *s)
{
    (void)look(s); /* what was found before stays known where the process is gone */
}

gl_symbols *gl_symbols_open(uint32_t pid)
{
    gl_symbols *s = calloc(1, sizeof *s);
    if (!s)
        return NULL;
    s->pid = (pid_t)pid;
    s->dwfl = dwfl_begin(&callbacks);
    if (!s->dwfl || !look(s)) {
        gl_symbols_close(s);
        return NULL;
    }
    return s;
}

void gl_symbols_close(gl_symbols *s)
{
    if (!s)
        return;
    if (s->dwfl)
        dwfl_end(s->dwfl);
    free(s);
}

static Dwfl_Module *module_of(gl_symbols *s, uint64_t pc)
{
    Dwfl_Module *mod = dwfl_addrmodule(s->dwfl, pc);
    struct timespec now;
    if (mod || clock_gettime(CLOCK_MONOTONIC, &now) < 0 || now.tv_sec - s->looked < LOOK_AGAIN_S)
        return mod;
    (void)look(s);
    return dwfl_addrmodule(s->dwfl, pc);
}

static uint32_t number_attribute(Dwarf_Die *die, unsigned name)
{
    Dwarf_Attribute attribute;
    Dwarf_Word value = 0;
    return dwarf_attr(die, name, &attribute) && dwarf_formudata(&attribute, &value) == 0 ? (uint32_t)value : 0;
}

static const char *file_of_call(Dwarf_Die *unit, Dwarf_Die *inlined)
{
    Dwarf_Files *files;
    size_t n;
    uint32_t i = number_attribute(inlined, DW_AT_call_file);
    if (dwarf_getsrcfiles(unit, &files, &n) < 0 || i >= n)
        return "";
    const char *name = dwarf_filesrc(files, i, NULL, NULL);
    return name ? name : "";
}

/** The scopes at the address, innermost first, each inside the next one as the code is: dwarf_getscopes alone goes on from
    an inlined function to where its source stands, and leaves out who called it. */
static int nested_scopes(Dwarf_Die *unit, uint64_t address, Dwarf_Die **out)
{
    Dwarf_Die *scopes = NULL;
    int n = dwarf_getscopes(unit, address, &scopes);
    *out = NULL;
    if (n > 0)
        n = dwarf_getscopes_die(&scopes[0], out);
    free(scopes);
    return n;
}

/** The functions that were inlined at the address, and the one they were inlined into. 0 where there is no debug
    information. The innermost place's file and line are the address's own; the others are where the inner was called. */
static size_t from_dwarf(Dwfl_Module *mod, uint64_t pc, gl_probe_place *out, size_t n)
{
    Dwarf_Addr bias;
    Dwarf_Die *unit = dwfl_module_addrdie(mod, pc, &bias), *scopes = NULL;
    if (!unit)
        return 0;
    gl_probe_place here = {"", "", 0};
    Dwfl_Line *line = dwfl_module_getsrc(mod, pc);
    int number;
    const char *file = line ? dwfl_lineinfo(line, NULL, &number, NULL, NULL, NULL) : NULL;
    if (file) {
        here.file = file;
        here.line = (uint32_t)number;
    }
    int found = nested_scopes(unit, pc - bias, &scopes);
    size_t count = 0;
    for (int i = 0; i < found && count < n; i++) {
        int tag = dwarf_tag(&scopes[i]);
        if (tag != DW_TAG_inlined_subroutine && tag != DW_TAG_subprogram)
            continue;
        const char *name = dwarf_diename(&scopes[i]);
        here.func = name ? name : "";
        out[count++] = here;
        if (tag == DW_TAG_subprogram)
            break;
        here.file = file_of_call(unit, &scopes[i]);
        here.line = number_attribute(&scopes[i], DW_AT_call_line);
    }
    free(scopes);
    return count;
}

size_t gl_symbols_places(gl_symbols *s, uint64_t pc, gl_probe_place *out, size_t n)
{
    Dwfl_Module *mod = n ? module_of(s, pc) : NULL;
    if (!mod)
        return 0;
    size_t count = from_dwarf(mod, pc, out, n);
    if (count && out[count - 1].func[0])
        return count;
    const char *name = dwfl_module_addrname(mod, pc);
    if (!name)
        return count;
    if (!count)
        out[count++] = (gl_probe_place){name, "", 0};
    out[count - 1].func = name;
    return count;
}
