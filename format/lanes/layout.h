/*
 * The file's fixed parts: magics, kinds, limits, and the two headers. FORMAT.md says the same in tables.
 *
 *   file header | chunk | chunk | … | index chunk | trailer
 *   chunk = chunk header + payload; payload (of every kind but the index) = section directory + sections
 */
#ifndef GOLANES_LANES_LAYOUT_H
#define GOLANES_LANES_LAYOUT_H

#include "golanes/error.h"
#include "lanes/bytes.h"

#define LN_VERSION_MAJOR 1
#define LN_VERSION_MINOR 0

/* The first byte has its high bit set and the last two are CR LF, so that text transfers and 7-bit lines show at once. */
#define LN_MAGIC "\x8fLanes\r\n"
#define LN_CHUNK_MAGIC UINT32_C(0x434c4790)    /* bytes 90 'G' 'L' 'C' */
#define LN_TRAILER_MAGIC "\x8fLnEnd\r\n"

#define LN_FILE_HEADER_BYTES 64u
#define LN_FILE_HEADER_MAX 4096u   /* a later minor version may lengthen it up to here */
#define LN_CHUNK_HEADER_BYTES 88u
#define LN_TRAILER_BYTES 64u
#define LN_DIRECTORY_ROW_BYTES 12u

/* What a writer may write at most; a reader refuses more before it allocates anything. */
#define LN_CHUNK_EVENTS_MAX (UINT32_C(1) << 20)
#define LN_SECTIONS_MAX 32u
#define LN_SECTION_RAW_MAX (UINT32_C(1) << 28)
#define LN_PAYLOAD_MAX (UINT64_C(1) << 29)      /* every kind but the index */
#define LN_TABLE_ENTRIES_MAX (UINT32_C(1) << 24) /* new entries of one table in one chunk */
#define LN_ENTRIES_LOST_FREE UINT64_C(65536)     /* lost entries of tables, and one more for each byte of the file */
#define LN_STRING_MAX (UINT32_C(1) << 26)
#define LN_STACK_FRAMES_MAX (UINT32_C(1) << 16)
#define LN_CHUNKS_LOST_MAX (UINT64_C(1) << 20) /* gaps in the numbers of event chunks, all together */
#define LN_LEVELS_MAX 32u
#define LN_FANOUT 8u

typedef enum ln_chunk_kind {
    LN_EVENTS = 1,
    LN_TABLES = 2,
    LN_META = 3,
    LN_KEYFRAME = 4,
    LN_SUMMARY = 5,
    LN_GOROUTINES = 6,
    LN_CHANNELS = 7,
    LN_PROCESSES = 8,
    LN_INDEX = 9
} ln_chunk_kind;

/** What the chunk header says. Fields a, b and aux mean different things per kind: FORMAT.md, "Chunk kinds". */
typedef struct ln_chunk_header {
    uint16_t kind, level;
    uint32_t count;       /* events, rows, entries */
    uint64_t stored;      /* payload bytes */
    uint64_t number;      /* ordinal of the event chunk this one is, or belongs to; node number for summaries */
    uint64_t first;       /* number of the first event; 0 elsewhere */
    int64_t a, b;         /* smallest and largest time, or goroutine id */
    uint64_t aux[2];      /* types present, one bit a code */
    uint64_t payload_hash;
} ln_chunk_header;

void ln_file_header_put(uint8_t out[LN_FILE_HEADER_BYTES]);
/** Checks magic, version, checksum, reserved fields; *header_bytes is where the first chunk starts. */
int ln_file_header_get(const uint8_t *in, size_t n, uint16_t version[2], uint32_t *header_bytes, gl_error *err);
void ln_chunk_header_put(uint8_t out[LN_CHUNK_HEADER_BYTES], const ln_chunk_header *h);
/** 0; GL_E_CORRUPT for a wrong magic or checksum; GL_E_LIMIT; GL_E_VERSION where the must-be-zero field is set. */
int ln_chunk_header_get(const uint8_t in[LN_CHUNK_HEADER_BYTES], ln_chunk_header *h);

/** The last bytes of a finished file. */
typedef struct ln_trailer {
    uint64_t index_offset; /* of the index chunk's header */
    uint64_t file_bytes;   /* including the trailer */
} ln_trailer;
void ln_trailer_put(uint8_t out[LN_TRAILER_BYTES], const ln_trailer *t);
bool ln_trailer_get(const uint8_t in[LN_TRAILER_BYTES], ln_trailer *t);

#endif
