/*
 * What a probe in a Go program writes down, whichever backend put it there: records of one or more units, which the
 * translation (translate.h) turns into events.
 */
#ifndef GOLANES_GORUN_RECORD_H
#define GOLANES_GORUN_RECORD_H

#include <stdint.h>

#define GL_PATCH_UNIT 32u

/** Which record it is. The order is that of the translation's table. */
typedef enum gl_patch_type {
    GL_PATCH_NONE,
    GL_PATCH_CAS,        /* g: whose state; arg: hash of its stack or 0; aux: P + 1; a old, b new, c wait reason */
    GL_PATCH_STACK,      /* g: number of frames; arg: hash; then the frames */
    GL_PATCH_NEWPROC,    /* g: creator; arg: new goroutine; aux: state. Then: hash, start function, creating pc, 0 */
    GL_PATCH_SEND,       /* g; arg: channel; aux: fill; abc: capacity */
    GL_PATCH_SEND_END,   /* g; arg: channel or 0; aux: fill; a: sent */
    GL_PATCH_RECV,
    GL_PATCH_RECV_END,   /* a: selected, b: received */
    GL_PATCH_CLOSE,      /* g; arg: channel; aux: fill; a: was closed already or is nil. Then: hash */
    GL_PATCH_SELECT,     /* g; aux: sends | receives << 16; a: blocks; then the cases' channels, SELECT_CASES at most */
    GL_PATCH_SELECT_END, /* g; arg: channel or 0; aux: fill; a: received; c: chosen's low byte. Then: chosen */
    GL_PATCH_MAKE,       /* g; arg: channel; aux: 0. Then: hash, capacity, element type, 0 */
    GL_PATCH_GC_START,   /* g */
    GL_PATCH_GC_END,
    GL_PATCH_STW,        /* g; arg: who called; a: reason. Until 1.20 there is none; then: three more callers, 0 */
    GL_PATCH_STW_END,
    GL_PATCH_ASSIST,
    GL_PATCH_ASSIST_END,
    GL_PATCH_PANIC,      /* g; arg: type; aux: bytes of text; a: what arg is. Then: hash, 0, 0, 0, the text */
    GL_PATCH_THROW,
    GL_PATCH_FATAL,
    GL_PATCH_JUMP,       /* the next record stands at the start of the next lap */
    GL_PATCH_TYPES
} gl_patch_type;

typedef struct gl_patch_record {
    uint64_t ticks; /* 0: known by another record (queue.h) */
    uint64_t g;   /* top byte: further units of this record */
    uint64_t arg;
    uint32_t aux;
    uint8_t a, b, c, type;
} gl_patch_record;
_Static_assert(sizeof(gl_patch_record) == GL_PATCH_UNIT, "a unit");

#define GL_PATCH_EXTRA_SHIFT 56
#define GL_PATCH_FRAMES 16u       /* of a stack at most */
#define GL_PATCH_SELECT_CASES 32u
#define GL_PATCH_TEXT 256u        /* bytes of a panic's text at most */
/** No record is longer, with the stack before it: room for this is asked for where a record is not one unit. */
#define GL_PATCH_LONGEST 1024u

#endif
