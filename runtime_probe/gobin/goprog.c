#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "program.h"

#include <elf.h>

static int refuse(gl_goprog_refusal *why, gl_goprog_refusal which, gl_error *err, const char *fmt, ...) GL_PRINTF(4, 5);
static int refuse(gl_goprog_refusal *why, gl_goprog_refusal which, gl_error *err, const char *fmt, ...)
{
    char text[GL_ERROR_TEXT_MAX];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    *why = which;
    return gl_fail(err, GL_E_UNSUPPORTED, UINT64_MAX, "%s", text);
}

static const char *machine_name(const gl_image *im)
{
    static const struct {
        uint16_t machine;
        const char *name;
    } names[] = {{EM_386, "386"},   {EM_ARM, "arm"},     {EM_AARCH64, "arm64"}, {EM_PPC64, "ppc64"}, {EM_S390, "s390x"},
                 {EM_RISCV, "riscv64"}, {EM_MIPS, "mips"}, {258, "loong64"},      {EM_X86_64, "amd64 with 32-bit pointers"}};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (names[i].machine == im->machine)
            return names[i].name;
    return "another machine";
}

static int check_kind(const gl_goprog *p, gl_image_answer answer, gl_goprog_refusal *why, gl_error *err)
{
    if (answer == GL_IMAGE_NOT_ELF)
        return refuse(why, GL_GOPROG_NOT_ELF, err, "%s: not an ELF program", p->path);
    if (answer == GL_IMAGE_OTHER_MACHINE)
        return refuse(why, GL_GOPROG_ARCHITECTURE, err, "%s: a program for %s; golanes records on amd64 only", p->path,
                      machine_name(&p->image));
    if (p->image.type != ET_EXEC && p->image.type != ET_DYN)
        return refuse(why, GL_GOPROG_NOT_PROGRAM, err, "%s: an ELF file, but not a program (an object file or a core?)", p->path);
    if (p->image.count == 0)
        return refuse(why, GL_GOPROG_NOT_PROGRAM, err, "%s: an ELF file, but nothing in it is to be loaded", p->path);
    return 0;
}

static bool setting_is(const gl_goprog *p, const char *key, const char *value)
{
    const char *v = gl_buildinfo_setting(&p->build, key);
    return v && strcmp(v, value) == 0;
}

/* "go1.26.11 X:nocoverageredesign" and "devel go1.27-abc" have the number too. */
static unsigned minor_of(const char *version)
{
    const char *at = strstr(version, "go1.");
    return at ? (unsigned)strtoul(at + 4, NULL, 10) : 0;
}

static void describe(gl_goprog *p, const gl_sections *s)
{
    gl_goprog_info *i = &p->info;
    const char *mode = gl_buildinfo_setting(&p->build, "-buildmode");
    i->path = p->path;
    i->version = p->build.version;
    i->minor = minor_of(i->version);
    i->package = p->build.package;
    i->module = p->build.module;
    i->pie = p->image.type == ET_DYN;
    i->build_mode = mode ? mode : i->pie ? "pie" : "exe";
    i->dynamic = p->image.interpreter;
    i->symbols = s->symbols;
    i->dwarf = s->dwarf;
    i->pgo = gl_buildinfo_setting(&p->build, "-pgo") != NULL;
    i->race = setting_is(p, "-race", "true");
    i->msan = setting_is(p, "-msan", "true");
    i->asan = setting_is(p, "-asan", "true");
    i->entry = p->image.entry;
}

static int check_build(const gl_goprog *p, gl_goprog_refusal *why, gl_error *err)
{
    static const char *const modes[] = {"plugin", "shared", "c-shared", "c-archive"};
    for (size_t i = 0; i < sizeof modes / sizeof *modes; i++)
        if (strcmp(p->info.build_mode, modes[i]) == 0)
            return refuse(why, GL_GOPROG_PLUGIN, err, "%s: built with -buildmode=%s; golanes records whole Go programs only",
                          p->path, modes[i]);
    if (setting_is(p, "-linkshared", "true"))
        return refuse(why, GL_GOPROG_PLUGIN, err, "%s: built with -linkshared; golanes records programs in one piece only", p->path);
    if (p->image.type == ET_DYN && !p->image.interpreter && !p->image.pie_flag)
        return refuse(why, GL_GOPROG_PLUGIN, err, "%s: a shared library, not a program", p->path);
    if (p->info.minor < 18)
        return refuse(why, GL_GOPROG_TOO_OLD, err, "%s: made by %s; golanes records programs of Go 1.18 and later", p->path,
                      p->info.version);
    return 0;
}

static int read_tables(gl_goprog *p, const gl_sections *s, gl_goprog_refusal *why, gl_error *err)
{
    switch (gl_module_find(p, s)) {
    case GL_MODULE_FOUND:
        p->info.functions = p->table.nfunc;
        return 0;
    case GL_MODULE_OLD_TABLE:
        return refuse(why, GL_GOPROG_TOO_OLD, err, "%s: its function table is of a Go before 1.18", p->path);
    case GL_MODULE_NO_TABLE:
        return refuse(why, GL_GOPROG_GARBLED, err, "%s: made by %s, but without Go's function table (garbled or packed?)",
                      p->path, p->info.version);
    case GL_MODULE_UNSOUND: break;
    }
    return refuse(why, GL_GOPROG_GARBLED, err,
                  "%s: made by %s, but its function table and its module data do not fit each other (garbled or damaged?)",
                  p->path, p->info.version);
}

static bool has_function_with(const gl_goprog *p, const char *prefix)
{
    gl_gofunc f;
    for (uint64_t i = 0; i < p->info.functions; i++)
        if (gl_goprog_func_at(p, i, &f) && strncmp(f.name, prefix, strlen(prefix)) == 0)
            return true;
    return false;
}

static int load(gl_goprog *p, int fd, gl_goprog_refusal *why, gl_error *err)
{
    gl_sections s;
    gl_image_answer answer = GL_IMAGE_READ;
    bool old = false;
    struct stat st = {0};
    if (fstat(fd, &st) == 0) {
        p->device = st.st_dev;
        p->inode = st.st_ino;
        p->size = st.st_size;
        p->info.privileged = (st.st_mode & (S_ISUID | S_ISGID)) != 0 || fgetxattr(fd, "security.capability", NULL, 0) > 0;
    }
    int rc = gl_image_open(&p->image, fd, p->path, &answer, err);
    if (rc == 0)
        rc = check_kind(p, answer, why, err);
    if (rc < 0)
        return rc;
    gl_sections_read(&s, fd);
    rc = gl_buildinfo_read(&p->build, &p->image, s.buildinfo, s.buildinfo_n, &old);
    if (rc < 0)
        return gl_fail(err, rc, UINT64_MAX, "%s: there is not enough memory to read it", p->path);
    if (rc == 0)
        return old ? refuse(why, GL_GOPROG_TOO_OLD, err, "%s: made by a Go before 1.18; golanes records later ones", p->path)
                   : refuse(why, GL_GOPROG_NOT_GO, err, "%s: not a Go program (it has no Go build information)", p->path);
    describe(p, &s);
    rc = check_build(p, why, err);
    if (rc == 0)
        rc = read_tables(p, &s, why, err);
    if (rc == 0)
        p->info.cgo = has_function_with(p, "crosscall2"); /* of runtime/cgo, in every program that has it */
    return rc;
}

static int open_as(const char *name, const char *file, gl_goprog **out, gl_goprog_refusal *why, gl_error *err)
{
    gl_goprog_refusal unheard;
    why = why ? why : &unheard;
    *why = GL_GOPROG_READABLE;
    *out = NULL;
    gl_goprog *p = calloc(1, sizeof *p);
    if (!p || !(p->path = strdup(name)) || !(p->file = strdup(file))) {
        gl_goprog_close(p);
        return gl_fail(err, GL_E_NOMEM, UINT64_MAX, "%s: there is not enough memory to read it", name);
    }
    int fd = open(file, O_RDONLY | O_CLOEXEC | O_NONBLOCK); /* a FIFO must not hold us */
    int rc = fd >= 0 ? load(p, fd, why, err)
                     : gl_fail(err, errno == ENOENT ? GL_E_NOT_FOUND : GL_E_IO, UINT64_MAX, "%s: %s", name, strerror(errno));
    if (fd >= 0)
        close(fd);
    if (rc < 0)
        gl_goprog_close(p);
    else
        *out = p;
    return rc;
}

int gl_goprog_open(const char *path, gl_goprog **out, gl_goprog_refusal *why, gl_error *err)
{
    return open_as(path, path, out, why, err);
}

int gl_goprog_open_pid(int pid, gl_goprog **out, gl_goprog_refusal *why, gl_error *err)
{
    char link[64], name[4096];
    snprintf(link, sizeof link, "/proc/%d/exe", pid);
    ssize_t n = readlink(link, name, sizeof name - 1);
    name[n > 0 ? n : 0] = 0;
    return open_as(n > 0 ? name : link, link, out, why, err);
}

void gl_goprog_close(gl_goprog *p)
{
    if (!p)
        return;
    gl_image_clean_up(&p->image);
    gl_buildinfo_clean_up(&p->build);
    free(p->path);
    free(p->file);
    free(p);
}

/* By the import path of the main package, as the linker wrote it. A test of a tool ends in .test, and is no tool. */
gl_goprog_role gl_goprog_get_role(const gl_goprog *p)
{
    static const char *const runners[] = {"cmd/go", "cmd/test2json", "cmd/dist"};
    const char *path = p->info.package;
    size_t n = strlen(path);
    if (strncmp(path, "cmd/", 4) != 0 || (n > 5 && strcmp(path + n - 5, ".test") == 0))
        return GL_GOPROG_OWN;
    for (size_t i = 0; i < sizeof runners / sizeof *runners; i++)
        if (strcmp(path, runners[i]) == 0)
            return GL_GOPROG_RUNNER;
    return GL_GOPROG_TOOL;
}

const gl_goprog_info *gl_goprog_get_info(const gl_goprog *p)
{
    return &p->info;
}

const char *gl_goprog_setting(const gl_goprog *p, const char *key)
{
    return gl_buildinfo_setting(&p->build, key);
}

const uint8_t *gl_goprog_bytes(const gl_goprog *p, uint64_t address, size_t n)
{
    return gl_image_at(&p->image, address, n);
}

size_t gl_goprog_bytes_left(const gl_goprog *p, uint64_t address)
{
    return (size_t)gl_image_left(&p->image, address);
}

bool gl_goprog_file_offset(const gl_goprog *p, uint64_t address, uint64_t *offset)
{
    const gl_segment *s = gl_image_segment(&p->image, address);
    if (s)
        *offset = s->offset + (address - s->address);
    return s != NULL;
}

bool gl_goprog_moves_text(const gl_goprog *p)
{
    return p->image.text_relocations;
}

#define PAGE UINT64_C(4096)

/** What is left of the last page of a segment, where no other segment begins in it. */
static bool spare_behind(const gl_image *im, const gl_segment *s, size_t n, uint64_t *address)
{
    uint64_t from = (s->address + s->memory + 15) & ~UINT64_C(15), page = (s->address + s->n - 1) & ~(PAGE - 1);
    if (!s->executable || s->writable || s->memory != s->n || from + n > page + PAGE)
        return false;
    for (unsigned i = 0; i < im->count; i++) {
        const gl_segment *o = &im->segments[i];
        if (o != s && o->address < page + PAGE && o->address + o->memory > page)
            return false;
    }
    *address = from;
    return true;
}

bool gl_goprog_spare(const gl_goprog *p, size_t n, uint64_t *address)
{
    static const char *const for_debuggers[] = {"runtime.debugCallV2", "runtime.debugCallV2.abi0", "runtime.debugCallV1"};
    const gl_image *im = &p->image;
    for (unsigned i = 0; i < im->count; i++)
        if (spare_behind(im, &im->segments[i], n, address))
            return true;
    for (size_t i = 0; i < sizeof for_debuggers / sizeof *for_debuggers; i++) {
        gl_gofunc f;
        if (gl_goprog_func(p, for_debuggers[i], &f, NULL) >= 0 && f.end - f.entry >= n) {
            *address = f.entry;
            return true;
        }
    }
    return false;
}
