/*
 * Finding the function table in an ELF file: by its section's name, or, where the sections were stripped off, by the
 * look of its header. From Go 1.18 on it needs the address of the program's text, which has stood in several places.
 */
#include "golanes/gobin.h"

#include <errno.h>
#include <fcntl.h>
#include <gelf.h>
#include <libelf.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "pclntab.h"

#define TABLE_MAX (UINT64_C(1) << 30)
#define CHUNK ((size_t)1 << 20)
#define MODULE_TEXT_WORD 22 /* of runtime.moduledata since Go 1.16, whose first word points to the table */
#define MODULE_WORDS 24

struct gl_gobin {
    gl_pclntab table;
    uint8_t *bytes;
};

typedef struct binary {
    const char *path;
    int fd;
    Elf *elf;
    uint64_t size;
    uint64_t table_address;
    gl_gobin *bin;
} binary;

/* Bytes of the file: all of them, or false. */
static bool read_at(const binary *b, uint64_t offset, void *to, size_t n)
{
    uint8_t *p = to;
    while (n > 0) {
        ssize_t got = pread(b->fd, p, n, (off_t)offset);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return false;
        p += got;
        offset += (uint64_t)got;
        n -= (size_t)got;
    }
    return true;
}

/* Takes n bytes from an offset as the table. 1: it is one; 0: it is none; negative: no memory. */
static int take_table(binary *b, uint64_t offset, uint64_t n, uint64_t address)
{
    if (offset > b->size || n > b->size - offset || n > TABLE_MAX || n < GL_PCLNTAB_HEADER)
        return 0;
    uint8_t *bytes = malloc((size_t)n);
    if (!bytes)
        return GL_E_NOMEM;
    if (!read_at(b, offset, bytes, (size_t)n) || !gl_pclntab_parse(&b->bin->table, bytes, n)) {
        free(bytes);
        return 0;
    }
    b->bin->bytes = bytes;
    b->table_address = address;
    return 1;
}

/* By section */

static const char *section_name(const binary *b, const GElf_Shdr *h)
{
    size_t strings;
    const char *name = elf_getshdrstrndx(b->elf, &strings) == 0 ? elf_strptr(b->elf, strings, h->sh_name) : NULL;
    return name ? name : "";
}

static int find_by_section(binary *b)
{
    int rc = 0;
    for (Elf_Scn *s = NULL; rc == 0 && (s = elf_nextscn(b->elf, s));) {
        GElf_Shdr h;
        if (!gelf_getshdr(s, &h) || h.sh_type == SHT_NOBITS)
            continue;
        const char *name = section_name(b, &h);
        if (strcmp(name, ".gopclntab") == 0 || strcmp(name, ".data.rel.ro.gopclntab") == 0)
            rc = take_table(b, h.sh_offset, h.sh_size, h.sh_addr);
    }
    return rc;
}

/* By look */

/* Calls for each stretch of a loaded segment that stands in the file, `overlap` bytes of each shown twice. */
typedef int (*chunk_fn)(binary *b, const GElf_Phdr *h, uint64_t at, const uint8_t *p, size_t n, void *user);

static int scan_segments(binary *b, size_t overlap, chunk_fn fn, void *user)
{
    size_t n = 0;
    uint8_t *buf = malloc(CHUNK);
    int rc = buf && elf_getphdrnum(b->elf, &n) == 0 ? 0 : buf ? 0 : GL_E_NOMEM;
    for (size_t i = 0; rc == 0 && i < n && i <= INT32_MAX; i++) {
        GElf_Phdr h;
        if (!gelf_getphdr(b->elf, (int)i, &h) || h.p_type != PT_LOAD || h.p_offset > b->size)
            continue;
        uint64_t length = h.p_filesz < b->size - h.p_offset ? h.p_filesz : b->size - h.p_offset;
        for (uint64_t at = 0; rc == 0 && at < length; at += CHUNK - overlap) {
            size_t part = length - at < CHUNK ? (size_t)(length - at) : CHUNK;
            if (!read_at(b, h.p_offset + at, buf, part))
                break;
            rc = fn(b, &h, at, buf, part, user);
        }
    }
    free(buf);
    return rc;
}

/* The linker puts the table at a multiple of 32; 4 is asked for here. */
static int look_for_table(binary *b, const GElf_Phdr *h, uint64_t at, const uint8_t *p, size_t n, void *user)
{
    (void)user;
    for (size_t i = 0; i + GL_PCLNTAB_HEADER <= n; i += 4) {
        uint64_t here = at + i;
        if (p[i + 1] != 0xff || !gl_pclntab_begins(p + i, n - i))
            continue;
        uint64_t rest = h->p_filesz - here;
        if (rest > b->size - h->p_offset - here)
            rest = b->size - h->p_offset - here;
        int rc = take_table(b, h->p_offset + here, rest < TABLE_MAX ? rest : TABLE_MAX, h->p_vaddr + here);
        if (rc != 0)
            return rc;
    }
    return 0;
}

/* The address of the text */

/* A position-independent program's word is a relocation. */
static bool text_by_relocation(const binary *b, uint64_t *text)
{
    uint64_t word = b->table_address + GL_PCLNTAB_TEXT_WORD(b->bin->table.pointer);
    for (Elf_Scn *s = NULL; (s = elf_nextscn(b->elf, s));) {
        GElf_Shdr h;
        GElf_Rela r;
        if (!gelf_getshdr(s, &h) || h.sh_type != SHT_RELA || h.sh_entsize == 0)
            continue;
        Elf_Data *d = elf_getdata(s, NULL);
        for (uint64_t i = 0; d && i < h.sh_size / h.sh_entsize && i <= INT32_MAX && gelf_getrela(d, (int)i, &r); i++)
            if (r.r_offset == word && r.r_addend > 0) {
                *text = (uint64_t)r.r_addend;
                return true;
            }
    }
    return false;
}

static bool text_by_symbol(const binary *b, uint64_t *text)
{
    for (Elf_Scn *s = NULL; (s = elf_nextscn(b->elf, s));) {
        GElf_Shdr h;
        GElf_Sym sym;
        if (!gelf_getshdr(s, &h) || h.sh_type != SHT_SYMTAB || h.sh_entsize == 0)
            continue;
        Elf_Data *d = elf_getdata(s, NULL);
        for (uint64_t i = 0; d && i < h.sh_size / h.sh_entsize && i <= INT32_MAX && gelf_getsym(d, (int)i, &sym); i++) {
            const char *name = elf_strptr(b->elf, h.sh_link, sym.st_name);
            if (name && strcmp(name, "runtime.text") == 0 && sym.st_value != 0) {
                *text = sym.st_value;
                return true;
            }
        }
    }
    return false;
}

static uint64_t word_at(const uint8_t *p, unsigned pointer)
{
    uint64_t v = 0;
    for (unsigned i = 0; i < pointer; i++)
        v |= (uint64_t)p[i] << 8 * i;
    return v;
}

/* runtime.moduledata: a word that points to the table, and the text's begin and end at their places behind it. */
static int look_for_module(binary *b, const GElf_Phdr *h, uint64_t at, const uint8_t *p, size_t n, void *user)
{
    (void)h;
    (void)at;
    unsigned size = b->bin->table.pointer;
    for (size_t i = 0; i + MODULE_WORDS * size <= n; i += size) {
        if (word_at(p + i, size) != b->table_address)
            continue;
        uint64_t text = word_at(p + i + MODULE_TEXT_WORD * size, size);
        uint64_t end = word_at(p + i + (MODULE_TEXT_WORD + 1) * size, size);
        if (text != 0 && text < end) {
            *(uint64_t *)user = text;
            return 1;
        }
    }
    return 0;
}

static bool text_by_section(const binary *b, uint64_t *text)
{
    for (Elf_Scn *s = NULL; (s = elf_nextscn(b->elf, s));) {
        GElf_Shdr h;
        if (gelf_getshdr(s, &h) && strcmp(section_name(b, &h), ".text") == 0) {
            *text = h.sh_addr;
            return true;
        }
    }
    return false;
}

/* Up to Go 1.25 the table has it; from 1.26 on the runtime's module record. 1, 0: not found; or negative. */
static int find_text(binary *b)
{
    gl_pclntab *t = &b->bin->table;
    if (t->format < 18 || t->text != 0)
        return 1;
    if (text_by_relocation(b, &t->text) || text_by_symbol(b, &t->text))
        return 1;
    int rc = scan_segments(b, MODULE_WORDS * 8, look_for_module, &t->text);
    return rc != 0 ? rc : text_by_section(b, &t->text);
}

static int open_elf(binary *b, gl_error *err)
{
    if (elf_version(EV_CURRENT) == EV_NONE || !(b->elf = elf_begin(b->fd, ELF_C_READ, NULL)))
        return gl_fail(err, GL_E_UNSUPPORTED, UINT64_MAX, "%s: cannot be read as an ELF file: %s", b->path, elf_errmsg(-1));
    const char *ident = elf_getident(b->elf, NULL);
    if (elf_kind(b->elf) != ELF_K_ELF || !ident)
        return gl_fail(err, GL_E_UNSUPPORTED, 0, "%s: not an ELF program", b->path);
    if (ident[EI_DATA] != ELFDATA2LSB)
        return gl_fail(err, GL_E_UNSUPPORTED, 0, "%s: a program for a big-endian machine; only little-endian ones can be read",
                       b->path);
    return 0;
}

static int load(binary *b, gl_error *err)
{
    int rc = open_elf(b, err);
    if (rc < 0)
        return rc;
    rc = find_by_section(b);
    if (rc == 0)
        rc = scan_segments(b, 64, look_for_table, NULL);
    if (rc > 0) {
        rc = find_text(b);
        if (rc == 0)
            return gl_fail(err, GL_E_NOT_FOUND, UINT64_MAX,
                           "%s: has a Go function table, but not where its code begins; take a program that is not stripped",
                           b->path);
    }
    if (rc == GL_E_NOMEM)
        return gl_fail(err, GL_E_NOMEM, UINT64_MAX, "%s: there is not enough memory for its function table", b->path);
    if (rc == 0)
        return gl_fail(err, GL_E_NOT_FOUND, UINT64_MAX, "%s: has no Go function table; is it a Go program?", b->path);
    return 0;
}

static int open_file(binary *b, gl_error *err)
{
    struct stat st;
    b->fd = open(b->path, O_RDONLY | O_CLOEXEC);
    if (b->fd < 0 || fstat(b->fd, &st) != 0)
        return gl_fail(err, errno == ENOENT ? GL_E_NOT_FOUND : GL_E_IO, UINT64_MAX, "%s: %s", b->path, strerror(errno));
    if (!S_ISREG(st.st_mode))
        return gl_fail(err, GL_E_UNSUPPORTED, UINT64_MAX, "%s: not a regular file", b->path);
    b->size = (uint64_t)st.st_size;
    return 0;
}

int gl_gobin_open(const char *path, gl_gobin **out, gl_error *err)
{
    binary b = {.path = path, .fd = -1, .bin = calloc(1, sizeof *b.bin)};
    *out = NULL;
    if (!b.bin)
        return gl_fail(err, GL_E_NOMEM, UINT64_MAX, "%s: there is not enough memory to open it", path);
    int rc = open_file(&b, err);
    if (rc == 0)
        rc = load(&b, err);
    if (b.elf)
        elf_end(b.elf);
    if (b.fd >= 0)
        close(b.fd);
    if (rc < 0)
        gl_gobin_close(b.bin);
    else
        *out = b.bin;
    return rc;
}

void gl_gobin_close(gl_gobin *bin)
{
    if (!bin)
        return;
    free(bin->bytes);
    free(bin);
}

bool gl_gobin_find(const gl_gobin *bin, uint64_t pc, gl_gobin_place *out)
{
    return gl_pclntab_find(&bin->table, pc, out);
}

uint64_t gl_gobin_functions(const gl_gobin *bin)
{
    return bin->table.nfunc;
}

unsigned gl_gobin_format(const gl_gobin *bin)
{
    return bin->table.format;
}
