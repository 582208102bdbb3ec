#include <gelf.h>
#include <libelf.h>
#include <string.h>

#include "program.h"

static void take_section(gl_sections *s, const char *name, const GElf_Shdr *h)
{
    s->symbols |= h->sh_type == SHT_SYMTAB;
    s->dwarf |= strcmp(name, ".debug_info") == 0 || strcmp(name, ".zdebug_info") == 0;
    if (!(h->sh_flags & SHF_ALLOC) || h->sh_type == SHT_NOBITS)
        return;
    if (strcmp(name, ".go.buildinfo") == 0) {
        s->buildinfo = h->sh_addr;
        s->buildinfo_n = h->sh_size;
    } else if (strcmp(name, ".gopclntab") == 0 || strcmp(name, ".data.rel.ro.gopclntab") == 0) {
        s->table = h->sh_addr;
        s->table_n = h->sh_size;
    }
}

void gl_sections_read(gl_sections *s, int fd)
{
    *s = (gl_sections){0};
    Elf *elf = elf_version(EV_CURRENT) == EV_NONE ? NULL : elf_begin(fd, ELF_C_READ, NULL);
    size_t names;
    if (elf && elf_kind(elf) == ELF_K_ELF && elf_getshdrstrndx(elf, &names) == 0)
        for (Elf_Scn *scn = NULL; (scn = elf_nextscn(elf, scn));) {
            GElf_Shdr h;
            const char *name = gelf_getshdr(scn, &h) ? elf_strptr(elf, names, h.sh_name) : NULL;
            if (name)
                take_section(s, name, &h);
        }
    elf_end(elf);
}
