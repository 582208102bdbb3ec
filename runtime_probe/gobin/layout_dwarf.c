/*
 * Field offsets out of debug information. The linker puts all types into one unit, that of package runtime.
 */
#include <dwarf.h>
#include <elfutils/libdw.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "layout.h"

#define PEEL_MAX 16

/* A file that was replaced meanwhile tells of another program. */
static int open_same(const gl_goprog *p)
{
    struct stat st;
    int fd = open(p->file, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return -1;
    if (fstat(fd, &st) == 0 && st.st_dev == p->device && st.st_ino == p->inode && st.st_size == p->size)
        return fd;
    close(fd);
    return -1;
}

/* The type behind typedefs. */
static bool peel(Dwarf_Die *die)
{
    for (unsigned i = 0; i < PEEL_MAX && dwarf_tag(die) == DW_TAG_typedef; i++) {
        Dwarf_Attribute a;
        if (!dwarf_formref_die(dwarf_attr(die, DW_AT_type, &a), die))
            return false;
    }
    return dwarf_tag(die) == DW_TAG_structure_type;
}

static bool dwarf_member(void *source, gl_type_ref type, const char *name, size_t n, gl_type_ref *inner, uint64_t *offset)
{
    Dwarf *dw = source;
    Dwarf_Die die, child;
    Dwarf_Attribute a;
    if (!dwarf_offdie(dw, (Dwarf_Off)type.die, &die) || !peel(&die) || dwarf_child(&die, &child) != 0)
        return false;
    do {
        const char *its = dwarf_diename(&child);
        Dwarf_Word at;
        if (dwarf_tag(&child) != DW_TAG_member || !its || strlen(its) != n || memcmp(its, name, n) != 0)
            continue;
        if (dwarf_formudata(dwarf_attr(&child, DW_AT_data_member_location, &a), &at) != 0)
            return false;
        *offset = at;
        *inner = (gl_type_ref){0};
        if (dwarf_formref_die(dwarf_attr(&child, DW_AT_type, &a), &die))
            inner->die = dwarf_dieoffset(&die);
        return true;
    } while (dwarf_siblingof(&child, &child) == 0);
    return false;
}

/* Finds the structs among a unit's children. */
static void find_structs(Dwarf_Die *unit, Dwarf_Off *structs, int32_t *sizes)
{
    Dwarf_Die child;
    if (dwarf_child(unit, &child) != 0)
        return;
    do {
        const char *name = dwarf_diename(&child);
        int tag = dwarf_tag(&child);
        if ((tag != DW_TAG_structure_type && tag != DW_TAG_typedef) || !name || strncmp(name, "runtime.", 8) != 0)
            continue;
        for (unsigned i = 0; i < GL_STRUCTS; i++)
            if (structs[i] == 0 && strcmp(name + 8, gl_struct_names[i]) == 0) {
                structs[i] = dwarf_dieoffset(&child);
                Dwarf_Word size;
                Dwarf_Attribute a;
                if (dwarf_formudata(dwarf_attr(&child, DW_AT_byte_size, &a), &size) == 0 && size <= GL_OFFSET_MAX)
                    sizes[i] = (int32_t)size;
            }
    } while (dwarf_siblingof(&child, &child) == 0);
}

static void read_offsets(Dwarf *dw, gl_offsets *out)
{
    Dwarf_Off structs[GL_STRUCTS] = {0};
    Dwarf_CU *unit = NULL;
    Dwarf_Die die;
    while (dwarf_get_units(dw, unit, &unit, NULL, NULL, &die, NULL) == 0) {
        const char *name = dwarf_diename(&die);
        if (name && strcmp(name, "runtime") == 0)
            find_structs(&die, structs, out->size);
    }
    for (size_t i = 0; i < GL_FIELDS; i++)
        for (unsigned s = 0; s < GL_STRUCTS; s++)
            if (structs[s] != 0 && strcmp(gl_struct_names[s], gl_gofields[i].structure) == 0) {
                out->field[i] = gl_offset_by_path(dwarf_member, dw, (gl_type_ref){.die = structs[s]}, gl_gofields[i].path);
                out->any = true;
            }
}

void gl_offsets_from_dwarf(const gl_goprog *p, gl_offsets *out)
{
    gl_offsets_known(0, out); /* nothing */
    int fd = p->info.dwarf ? open_same(p) : -1;
    if (fd < 0)
        return;
    Dwarf *dw = dwarf_begin(fd, DWARF_C_READ);
    if (dw) {
        read_offsets(dw, out);
        dwarf_end(dw);
    }
    close(fd);
}
