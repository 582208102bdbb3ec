#include "types.h"

#include <string.h>

enum {
    TYPE_SIZE = 0,
    TYPE_FLAGS = 20,
    TYPE_KIND = 23,
    TYPE_NAME = 40,
    TYPE_BYTES = 48,
    STRUCT_PACKAGE = 48,
    STRUCT_FIELDS = 56,
    STRUCT_FIELD_COUNT = 64,
    STRUCT_BYTES = 80,
    FIELD_BYTES = 24, /* name, type, offset */
    KIND_MASK = 31,
    KIND_STRUCT = 25,
    FLAG_EXTRA_STAR = 2,
    FIELDS_MAX = 4096,
    NAME_MAX_BYTES = 1 << 16,
};

typedef struct name {
    const char *text;
    size_t n;
} name;

/* A name: flags, length as a varint, bytes. */
static bool name_at(const gl_goprog *p, uint64_t address, name *out)
{
    uint64_t left = gl_image_left(&p->image, address), n = 0;
    const uint8_t *b = left >= 2 ? gl_image_at(&p->image, address, left) : NULL;
    for (unsigned i = 1; b && i < 4 && i < left; i++) {
        n |= (uint64_t)(b[i] & 0x7f) << 7 * (i - 1);
        if (b[i] < 0x80) {
            *out = (name){(const char *)b + i + 1, (size_t)n};
            return n <= left - i - 1 && n < NAME_MAX_BYTES;
        }
    }
    return false;
}

static bool is(name a, const char *text, size_t n)
{
    return a.n == n && memcmp(a.text, text, n) == 0;
}

/* A descriptor's name, without the star that it may share with the pointer to it. */
static bool type_name(const gl_goprog *p, uint64_t type, name *out)
{
    const uint8_t *t = gl_image_at(&p->image, type, TYPE_BYTES);
    if (!t || type < p->info.types || type >= p->info.types_end || !name_at(p, p->info.types + gl_le32(t + TYPE_NAME), out))
        return false;
    if ((t[TYPE_FLAGS] & FLAG_EXTRA_STAR) && out->n > 0) {
        out->text++;
        out->n--;
    }
    return out->n > 0;
}

bool gl_goprog_type_name(const gl_goprog *p, uint64_t address, char *out, size_t size)
{
    name n;
    if (size == 0 || !type_name(p, address, &n))
        return false;
    size_t room = n.n < size - 1 ? n.n : size - 1;
    memcpy(out, n.text, room);
    out[room] = 0;
    return true;
}

static bool of_package(const gl_goprog *p, const uint8_t *type, const char *package)
{
    name n;
    return name_at(p, gl_le64(type + STRUCT_PACKAGE), &n) && is(n, package, strlen(package));
}

/* Every eighth byte of the descriptors' part of the file is tried: descriptors have no list before 1.27. */
uint64_t gl_types_struct(const gl_goprog *p, const char *package, const char *name_wanted)
{
    uint64_t begin = p->info.types, n = p->info.types_end - begin;
    const uint8_t *b = gl_image_at(&p->image, begin, n);
    size_t package_n = strlen(package), name_n = strlen(name_wanted);
    for (uint64_t at = 0; b && at + STRUCT_BYTES <= n; at += 8) {
        name full;
        const uint8_t *t = b + at;
        if ((t[TYPE_KIND] & KIND_MASK) != KIND_STRUCT || gl_le32(t + TYPE_NAME) >= n || !type_name(p, begin + at, &full))
            continue;
        if (full.n == package_n + 1 + name_n && memcmp(full.text, package, package_n) == 0 && full.text[package_n] == '.' &&
            memcmp(full.text + package_n + 1, name_wanted, name_n) == 0 && of_package(p, t, package))
            return begin + at;
    }
    return 0;
}

uint64_t gl_types_size(const gl_goprog *p, uint64_t type)
{
    const uint8_t *t = gl_image_at(&p->image, type, TYPE_BYTES);
    return t ? gl_le64(t + TYPE_SIZE) : 0;
}

bool gl_types_field(const gl_goprog *p, uint64_t type, const char *wanted, size_t n, gl_types_member *out)
{
    const uint8_t *t = gl_image_at(&p->image, type, STRUCT_BYTES);
    if (!t || (t[TYPE_KIND] & KIND_MASK) != KIND_STRUCT)
        return false;
    uint64_t count = gl_le64(t + STRUCT_FIELD_COUNT);
    const uint8_t *f = count <= FIELDS_MAX ? gl_image_at(&p->image, gl_le64(t + STRUCT_FIELDS), count * FIELD_BYTES) : NULL;
    for (uint64_t i = 0; f && i < count; i++, f += FIELD_BYTES) {
        name field;
        if (!name_at(p, gl_le64(f), &field) || !is(field, wanted, n))
            continue;
        *out = (gl_types_member){.type = gl_le64(f + 8), .offset = gl_le64(f + 16)};
        return out->offset < gl_le64(t + TYPE_SIZE);
    }
    return false;
}
