/*
 * Field offsets: three sources, which must agree.
 */
#include "layout.h"

#include <string.h>

#include "types.h"

const char *const gl_struct_names[GL_STRUCTS] = {"g", "m", "p", "hchan", "sudog", "scase"};

#define GL_GOFIELD(structure, name, path, need, ...)                                                                    \
    {#structure, #name, path, (need) != 0, offsetof(gl_golayout, structure##_##name)},
const gl_gofield gl_gofields[] = {
#include "golanes/gofields.def"
};
const size_t gl_gofield_count = sizeof gl_gofields / sizeof *gl_gofields;

#define RELEASES 8
static const unsigned releases[RELEASES] = {19, 21, 22, 23, 24, 25, 26, 27};
#define GL_GOFIELD(structure, name, path, need, ...) {__VA_ARGS__},
static const int32_t known[][RELEASES] = {
#include "golanes/gofields.def"
};

int32_t gl_golayout_field(const gl_golayout *l, const gl_gofield *f)
{
    int32_t v;
    memcpy(&v, (const char *)l + f->member, sizeof v);
    return v;
}

static unsigned struct_of(const gl_gofield *f)
{
    unsigned i = 0;
    while (i < GL_STRUCTS - 1 && strcmp(gl_struct_names[i], f->structure) != 0)
        i++;
    return i;
}

static void say_nothing(gl_offsets *o)
{
    o->any = false;
    for (size_t i = 0; i < GL_FIELDS; i++)
        o->field[i] = GL_OFFSET_UNKNOWN;
    for (size_t i = 0; i < GL_STRUCTS; i++)
        o->size[i] = GL_OFFSET_UNKNOWN;
}

void gl_offsets_known(unsigned minor, gl_offsets *out)
{
    say_nothing(out);
    for (size_t r = 0; r < RELEASES; r++)
        for (size_t i = 0; releases[r] == minor && i < GL_FIELDS; i++) {
            out->field[i] = known[i][r];
            out->any = true;
        }
}

/* One alternative: names separated by dots, up to end. */
static int32_t walk(gl_member_fn member, void *source, gl_type_ref type, const char *path, const char *end)
{
    uint64_t sum = 0;
    while (path < end) {
        size_t n = 0;
        uint64_t offset;
        while (path + n < end && path[n] != '.')
            n++;
        if (!member(source, type, path, n, &type, &offset) || offset > GL_OFFSET_MAX)
            return GL_OFFSET_ABSENT;
        sum += offset;
        path += n + (path + n < end);
    }
    return (int32_t)sum;
}

int32_t gl_offset_by_path(gl_member_fn member, void *source, gl_type_ref type, const char *path)
{
    for (const char *end;; path = end + 1) {
        end = path + strcspn(path, "|");
        int32_t offset = walk(member, source, type, path, end);
        if (offset >= 0 || *end == 0)
            return offset;
    }
}

/* The program's type descriptors */

typedef struct types_source {
    const gl_goprog *p;
} types_source;

static bool types_member(void *source, gl_type_ref type, const char *name, size_t n, gl_type_ref *inner, uint64_t *offset)
{
    const types_source *s = source;
    gl_types_member m;
    if (!gl_types_field(s->p, type.address, name, n, &m))
        return false;
    *inner = (gl_type_ref){.address = m.type};
    *offset = m.offset;
    return true;
}

void gl_offsets_from_types(const gl_goprog *p, gl_offsets *out)
{
    types_source source = {p};
    uint64_t types[GL_STRUCTS];
    say_nothing(out);
    for (unsigned i = 0; i < GL_STRUCTS; i++) {
        types[i] = gl_types_struct(p, "runtime", gl_struct_names[i]);
        uint64_t size = types[i] ? gl_types_size(p, types[i]) : 0;
        if (size > 0 && size <= GL_OFFSET_MAX)
            out->size[i] = (int32_t)size;
    }
    for (size_t i = 0; i < GL_FIELDS; i++) {
        unsigned s = struct_of(&gl_gofields[i]);
        if (!types[s])
            continue;
        out->field[i] = gl_offset_by_path(types_member, &source, (gl_type_ref){.address = types[s]}, gl_gofields[i].path);
        out->any = true;
    }
}

/* Agreement */

typedef struct opinion {
    gl_offsets offsets;
    const char *name;
    uint8_t bit;
} opinion;

#define OPINIONS 3

static int disagree(const gl_goprog *p, const gl_gofield *f, const opinion *a, int32_t x, const opinion *b, int32_t y, gl_error *err)
{
    return gl_fail(err, GL_E_UNSUPPORTED, UINT64_MAX,
                   "%s: where runtime.%s.%s lies is not certain: %s says %d, %s says %d", p->path, f->structure, f->path,
                   a->name, x, b->name, y);
}

/* What those that know say; UNKNOWN: none knows. */
static int agree(const gl_goprog *p, const opinion *o, size_t i, int32_t *value, uint8_t *voices, gl_error *err)
{
    const opinion *first = NULL;
    *voices = 0;
    *value = GL_OFFSET_UNKNOWN;
    for (size_t k = 0; k < OPINIONS; k++) {
        int32_t v = o[k].offsets.field[i];
        if (v == GL_OFFSET_UNKNOWN)
            continue;
        *voices |= o[k].bit;
        if (first && v != *value)
            return disagree(p, &gl_gofields[i], first, *value, &o[k], v, err);
        first = first ? first : &o[k];
        *value = v;
    }
    return 0;
}

static void take_sizes(gl_golayout *out, const opinion *o)
{
    int32_t *sizes[GL_STRUCTS] = {&out->g_size, &out->m_size, &out->p_size, &out->hchan_size, &out->sudog_size, &out->scase_size};
    for (unsigned i = 0; i < GL_STRUCTS; i++) {
        *sizes[i] = -1;
        for (size_t k = OPINIONS; k-- > 0;)
            if (o[k].offsets.size[i] >= 0)
                *sizes[i] = o[k].offsets.size[i];
    }
}

int gl_goprog_layout(const gl_goprog *p, gl_golayout *out, gl_error *err)
{
    opinion o[OPINIONS] = {{.name = "its type metadata", .bit = GL_GOLAYOUT_TYPES},
                           {.name = "its debug information", .bit = GL_GOLAYOUT_DWARF},
                           {.name = "the table of known releases", .bit = GL_GOLAYOUT_KNOWN}};
    gl_offsets_from_types(p, &o[0].offsets);
    gl_offsets_from_dwarf(p, &o[1].offsets);
    gl_offsets_known(p->info.minor, &o[2].offsets);
    *out = (gl_golayout){0};
    out->sources = GL_GOLAYOUT_TYPES | GL_GOLAYOUT_DWARF | GL_GOLAYOUT_KNOWN;
    for (size_t i = 0; i < GL_FIELDS; i++) {
        int32_t value;
        uint8_t voices;
        int rc = agree(p, o, i, &value, &voices, err);
        if (rc < 0)
            return rc;
        if (gl_gofields[i].needed) {
            if (value < 0)
                return gl_fail(err, GL_E_UNSUPPORTED, UINT64_MAX, "%s: runtime.%s.%s is not to be found in it", p->path,
                               gl_gofields[i].structure, gl_gofields[i].path);
            out->sources &= voices;
        }
        value = value < 0 ? -1 : value;
        memcpy((char *)out + gl_gofields[i].member, &value, sizeof value);
    }
    take_sizes(out, o);
    return 0;
}
