/*
 * An ELF program's loaded part in memory: segments at their link addresses, with the relocations that the loader would
 * make at bias 0 already made. Nothing that the file says is believed before it was compared with the file's length.
 */
#ifndef GOLANES_GOBIN_IMAGE_H
#define GOLANES_GOBIN_IMAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "golanes/error.h"

#define GL_IMAGE_SEGMENTS 32
#define GL_IMAGE_MAX (UINT64_C(4) << 30)

typedef struct gl_segment {
    uint64_t address, offset, n; /**< n: bytes that the file holds */
    uint64_t memory;             /**< bytes that it has in memory, n and zeros */
    bool writable, executable;
} gl_segment;

typedef struct gl_image {
    uint8_t *bytes; /**< the file's, from its begin to the end of its last segment */
    uint64_t n;
    gl_segment segments[GL_IMAGE_SEGMENTS];
    unsigned count;
    unsigned char elf_class, data; /**< of e_ident */
    uint16_t type, machine;
    uint64_t entry;
    bool interpreter, dynamic, pie_flag, text_relocations;
    uint32_t file_segments; /**< PT_LOADs that the file claims */
} gl_image;

typedef enum gl_image_answer { GL_IMAGE_READ, GL_IMAGE_NOT_ELF, GL_IMAGE_OTHER_MACHINE } gl_image_answer;

/** Reads the segments through fd. *answer: what it is, where it is no error of input. Of another machine only the header is read. */
int gl_image_open(gl_image *im, int fd, const char *path, gl_image_answer *answer, gl_error *err) GL_MUST_CHECK;
void gl_image_clean_up(gl_image *im);

/** n bytes at an address, or NULL. */
const uint8_t *gl_image_at(const gl_image *im, uint64_t address, uint64_t n);
/** Bytes from an address to the end of what the file holds of its segment. */
uint64_t gl_image_left(const gl_image *im, uint64_t address);
const gl_segment *gl_image_segment(const gl_image *im, uint64_t address);

/** Little-endian words; false where they are not in the image. */
bool gl_image_u32(const gl_image *im, uint64_t address, uint32_t *v);
bool gl_image_u64(const gl_image *im, uint64_t address, uint64_t *v);

static inline uint32_t gl_le32(const uint8_t *p)
{
    return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

static inline uint64_t gl_le64(const uint8_t *p)
{
    return (uint64_t)gl_le32(p + 4) << 32 | gl_le32(p);
}

#endif
