#include "image.h"

#include <elf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define FLAG_PIE 0x08000000u /* DF_1_PIE */

static bool read_at(int fd, uint64_t offset, void *to, uint64_t n)
{
    uint8_t *p = to;
    while (n > 0) {
        ssize_t got = pread(fd, p, n < (1u << 30) ? (size_t)n : (size_t)1 << 30, (off_t)offset);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return false;
        p += got;
        offset += (uint64_t)got;
        n -= (uint64_t)got;
    }
    return true;
}

const gl_segment *gl_image_segment(const gl_image *im, uint64_t address)
{
    for (unsigned i = 0; i < im->count; i++)
        if (address >= im->segments[i].address && address - im->segments[i].address < im->segments[i].n)
            return &im->segments[i];
    return NULL;
}

uint64_t gl_image_left(const gl_image *im, uint64_t address)
{
    const gl_segment *s = gl_image_segment(im, address);
    return s ? s->n - (address - s->address) : 0;
}

const uint8_t *gl_image_at(const gl_image *im, uint64_t address, uint64_t n)
{
    const gl_segment *s = gl_image_segment(im, address);
    if (!s || n > s->n - (address - s->address))
        return NULL;
    return im->bytes + s->offset + (address - s->address);
}

bool gl_image_u32(const gl_image *im, uint64_t address, uint32_t *v)
{
    const uint8_t *p = gl_image_at(im, address, 4);
    if (p)
        *v = gl_le32(p);
    return p != NULL;
}

bool gl_image_u64(const gl_image *im, uint64_t address, uint64_t *v)
{
    const uint8_t *p = gl_image_at(im, address, 8);
    if (p)
        *v = gl_le64(p);
    return p != NULL;
}

/* Segments */

static void take_segment(gl_image *im, const Elf64_Phdr *h, uint64_t size)
{
    im->file_segments++;
    if (im->count == GL_IMAGE_SEGMENTS || h->p_offset >= size || h->p_filesz == 0)
        return;
    gl_segment s = {.address = h->p_vaddr, .offset = h->p_offset, .n = h->p_filesz, .memory = h->p_memsz,
                    .writable = h->p_flags & PF_W, .executable = h->p_flags & PF_X};
    if (s.n > size - s.offset)
        s.n = size - s.offset;
    if (s.n > UINT64_MAX - s.address)
        return;
    if (im->n < s.offset + s.n)
        im->n = s.offset + s.n;
    im->segments[im->count++] = s;
}

static bool read_segments(gl_image *im, int fd, const Elf64_Ehdr *h, uint64_t size, Elf64_Phdr *dynamic)
{
    bool found = false;
    for (unsigned i = 0; i < h->e_phnum; i++) {
        Elf64_Phdr p;
        if (h->e_phoff > size || !read_at(fd, h->e_phoff + (uint64_t)i * sizeof p, &p, sizeof p))
            break;
        if (p.p_type == PT_LOAD)
            take_segment(im, &p, size);
        im->interpreter |= p.p_type == PT_INTERP;
        if (p.p_type == PT_DYNAMIC) {
            *dynamic = p;
            found = true;
        }
    }
    return found;
}

/* Relocations: only those that need no symbol, as pointers within one program are. */

static uint8_t *writable_at(gl_image *im, uint64_t address, uint64_t n)
{
    const uint8_t *p = gl_image_at(im, address, n);
    return p ? im->bytes + (p - im->bytes) : NULL;
}

static void put64(gl_image *im, uint64_t address, uint64_t v)
{
    uint8_t *p = writable_at(im, address, 8);
    for (unsigned i = 0; p && i < 8; i++)
        p[i] = (uint8_t)(v >> 8 * i);
}

static void relocate_rela(gl_image *im, uint64_t table, uint64_t n)
{
    const uint8_t *p = gl_image_at(im, table, n);
    for (uint64_t i = 0; p && i + 24 <= n; i += 24)
        if ((uint32_t)gl_le64(p + i + 8) == R_X86_64_RELATIVE)
            put64(im, gl_le64(p + i), gl_le64(p + i + 16));
}

/*
 * RELR: an even word is an address whose word is to be moved; an odd one says by its bits which of the 63 words behind
 * are. The addend lies in place, so with bias 0 nothing changes: nothing is to be done. The table is only walked by those
 * who add a bias.
 */

static void relocate(gl_image *im, const Elf64_Phdr *dynamic)
{
    uint64_t rela = 0, rela_n = 0;
    const uint8_t *p = gl_image_at(im, dynamic->p_vaddr, dynamic->p_filesz);
    im->dynamic = p != NULL;
    for (uint64_t i = 0; p && i + 16 <= dynamic->p_filesz; i += 16) {
        uint64_t tag = gl_le64(p + i), v = gl_le64(p + i + 8);
        if (tag == DT_NULL)
            break;
        rela = tag == DT_RELA ? v : rela;
        rela_n = tag == DT_RELASZ ? v : rela_n;
        im->pie_flag |= tag == DT_FLAGS_1 && (v & FLAG_PIE);
        im->text_relocations |= tag == DT_TEXTREL || (tag == DT_FLAGS && (v & DF_TEXTREL));
    }
    if (rela && rela_n)
        relocate_rela(im, rela, rela_n);
}

static int read_header(gl_image *im, int fd, uint64_t size, Elf64_Ehdr *h, gl_image_answer *answer)
{
    *answer = GL_IMAGE_NOT_ELF;
    memset(h, 0, sizeof *h);
    if (size < EI_NIDENT + 4 || !read_at(fd, 0, h, size < sizeof *h ? size : sizeof *h) ||
        memcmp(h->e_ident, ELFMAG, SELFMAG) != 0)
        return 1;
    im->elf_class = h->e_ident[EI_CLASS];
    im->data = h->e_ident[EI_DATA];
    im->type = h->e_type;
    im->machine = im->data == ELFDATA2LSB ? h->e_machine : (uint16_t)(h->e_machine << 8 | h->e_machine >> 8);
    *answer = GL_IMAGE_OTHER_MACHINE;
    if (im->elf_class != ELFCLASS64 || im->data != ELFDATA2LSB || im->machine != EM_X86_64)
        return 1;
    *answer = GL_IMAGE_READ;
    im->entry = h->e_entry;
    return size < sizeof *h || h->e_phentsize != sizeof(Elf64_Phdr) ? 1 : 0;
}

int gl_image_open(gl_image *im, int fd, const char *path, gl_image_answer *answer, gl_error *err)
{
    struct stat st;
    Elf64_Ehdr h;
    Elf64_Phdr dynamic = {0};
    *im = (gl_image){0};
    if (fstat(fd, &st) != 0)
        return gl_fail(err, GL_E_IO, UINT64_MAX, "%s: %s", path, strerror(errno));
    if (!S_ISREG(st.st_mode))
        return gl_fail(err, GL_E_UNSUPPORTED, UINT64_MAX, "%s: not a regular file", path);
    uint64_t size = (uint64_t)st.st_size;
    if (read_header(im, fd, size, &h, answer) != 0)
        return 0;
    bool has_dynamic = read_segments(im, fd, &h, size, &dynamic);
    if (im->n > GL_IMAGE_MAX)
        return gl_fail(err, GL_E_LIMIT, UINT64_MAX, "%s: a program of more than 4 GiB", path);
    im->bytes = malloc(im->n ? (size_t)im->n : 1);
    if (!im->bytes)
        return gl_fail(err, GL_E_NOMEM, UINT64_MAX, "%s: there is not enough memory to read it", path);
    if (!read_at(fd, 0, im->bytes, im->n)) {
        gl_image_clean_up(im);
        return gl_fail(err, GL_E_IO, UINT64_MAX, "%s: it can't be read to its end", path);
    }
    if (has_dynamic)
        relocate(im, &dynamic);
    return 0;
}

void gl_image_clean_up(gl_image *im)
{
    free(im->bytes);
    *im = (gl_image){0};
}
