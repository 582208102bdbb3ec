/*
 * A Go program as it lies in its file, as far as a recorder has to know it: version and build, functions by name and by
 * address, source lines with inlined frames, and the program's bytes as the loader leaves them. No debug information and
 * no symbols are needed: a stripped program is as good.
 *
 * For Linux on amd64, Go 1.18 and later. Everything else is refused with one sentence (gl_gobin in golanes/gobin.h reads
 * function tables of older and foreign programs, for traces that hold bare addresses).
 *
 * Addresses are those of the file ("link addresses") everywhere, except where a parameter is called `live`. A program
 * that is position-independent runs at link address + bias.
 *
 * Threads: an open program is never changed after gl_goprog_open; any number of threads may ask it. Texts that are handed
 * out live as long as the program is open.
 */
#ifndef GOLANES_GOPROG_H
#define GOLANES_GOPROG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "golanes/error.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct gl_goprog gl_goprog;

/** Why a program was refused, beside the sentence; 0 where the file itself could not be read. */
typedef enum gl_goprog_refusal {
    GL_GOPROG_READABLE = 0,
    GL_GOPROG_NOT_ELF,
    GL_GOPROG_NOT_PROGRAM,   /**< an object file, a core, a shared library */
    GL_GOPROG_ARCHITECTURE,  /**< not amd64 */
    GL_GOPROG_NOT_GO,
    GL_GOPROG_TOO_OLD,       /**< before 1.18 */
    GL_GOPROG_GARBLED,       /**< Go's marks are there, but its tables are not where they belong or not sound */
    GL_GOPROG_PLUGIN,        /**< -buildmode plugin, shared, c-shared, c-archive, or -linkshared */
} gl_goprog_refusal;

/**
 * Opens a program file. Negative status with one sentence in *err; *why (may be NULL) then says which class of refusal it
 * is. The file is read once and closed.
 */
GL_API int gl_goprog_open(const char *path, gl_goprog **out, gl_goprog_refusal *why, gl_error *err) GL_MUST_CHECK;
/** The program that a process runs, also where its file was deleted or lies in another mount namespace. */
GL_API int gl_goprog_open_pid(int pid, gl_goprog **out, gl_goprog_refusal *why, gl_error *err) GL_MUST_CHECK;
GL_API void gl_goprog_close(gl_goprog *p);

/* ---- what it is ---------------------------------------------------------------------------------------------------- */

typedef struct gl_goprog_info {
    const char *path;
    const char *version;      /**< "go1.26.11", as the linker wrote it */
    unsigned minor;           /**< 26 */
    const char *package;      /**< path of the main package, "" where not known */
    const char *module;       /**< path of the main module, "" where not known */
    const char *build_mode;   /**< "exe", "pie" */
    bool pie;                 /**< position-independent: runs at a bias */
    bool dynamic;             /**< has an interpreter (ld.so) */
    bool symbols;             /**< has a symbol table */
    bool dwarf;               /**< has debug information */
    bool cgo;                 /**< C code is linked in */
    bool pgo;                 /**< compiled with a profile: more is inlined */
    bool race, msan, asan;    /**< compiled with a sanitizer */
    bool privileged;          /**< set-user-ID, set-group-ID, or with capabilities: the kernel drops them under a tracer */
    uint64_t entry;           /**< the ELF entry point: where the kernel or ld.so begins */
    uint64_t text, text_end;  /**< Go's code; C code of cgo lies outside */
    uint64_t table;           /**< address of the function table (pclntab) */
    uint64_t module_data;     /**< address of runtime.firstmoduledata */
    uint64_t types, types_end; /**< type descriptors */
    uint64_t functions;       /**< how many the function table has */
} gl_goprog_info;

GL_API const gl_goprog_info *gl_goprog_get_info(const gl_goprog *p);
/** A build setting as `go version -m` prints it ("-ldflags", "CGO_ENABLED", "vcs.revision"); NULL where there is none. */
GL_API const char *gl_goprog_setting(const gl_goprog *p, const char *key);

/** What a program is to somebody who looks for the programs that a command line is about. */
typedef enum gl_goprog_role {
    GL_GOPROG_OWN,    /**< anybody's program, or a test of one */
    GL_GOPROG_TOOL,   /**< a part of Go's toolchain: compile, link, vet … */
    GL_GOPROG_RUNNER, /**< one that starts others' programs: go, test2json */
} gl_goprog_role;
GL_API gl_goprog_role gl_goprog_get_role(const gl_goprog *p);

/* ---- functions ----------------------------------------------------------------------------------------------------- */

typedef struct gl_gofunc {
    uint64_t entry, end;     /**< end: where the next function begins; padding included */
    uint64_t index;          /**< in the table */
    const char *name;        /**< "runtime.chansend", "main.(*T).Run.func1" */
    uint32_t start_line;     /**< of the func keyword; 0: not known (before 1.20) */
    uint32_t defer_return;   /**< offset of the call that runs deferred functions after a recover; 0: none */
    uint8_t id, flag;        /**< as the runtime's abi.FuncID and abi.FuncFlag */
} gl_gofunc;

/** Function i of the table, in order of addresses; i from 0 to functions - 1. */
GL_API bool gl_goprog_func_at(const gl_goprog *p, uint64_t i, gl_gofunc *out);
/** The function that an address is in. */
GL_API bool gl_goprog_func_of(const gl_goprog *p, uint64_t pc, gl_gofunc *out);
/** The one function of exactly this name. GL_E_NOT_FOUND: none; GL_E_UNSUPPORTED: more than one (both with a sentence). */
GL_API int gl_goprog_func(const gl_goprog *p, const char *name, gl_gofunc *out, gl_error *err) GL_MUST_CHECK;

/** How far the stack pointer is below the return address at pc; false where the table does not say. */
GL_API bool gl_goprog_sp_delta(const gl_goprog *p, uint64_t pc, int32_t *delta);

/* ---- source lines -------------------------------------------------------------------------------------------------- */

typedef struct gl_goframe {
    const char *func, *file; /**< "" where not known */
    uint32_t line;           /**< 0: not known */
    uint32_t start_line;     /**< of func; 0: not known */
    bool inlined;            /**< has no frame of its own: the next one in the list is whom it was inlined into */
} gl_goframe;

/**
 * The frames at an address, innermost first; how many (0: no function there). Of more than max the outermost are left
 * out. A return address needs 1 taken off to be the call's.
 */
GL_API size_t gl_goprog_frames(const gl_goprog *p, uint64_t pc, gl_goframe *out, size_t max);
/**
 * The entry of what the function at an address wraps, where the compiler made it for `go f(x)` or `defer f(x)`; 0: it is no
 * wrapper (runtime/tracestack.go, startPCForTrace).
 */
GL_API uint64_t gl_goprog_wrapped(const gl_goprog *p, uint64_t pc);

/** Tells of a place where a function's body stands inside another function. Not 0: stop. */
typedef int (*gl_goprog_inlined_fn)(void *user, const char *callee, uint64_t pc, const gl_gofunc *into);
/**
 * Walks every function's inline tree and tells where one of the n functions was inlined (once for each function that it
 * was inlined into). A hook at such a function's entry does not see these calls. 0, or what fn returned.
 */
GL_API int gl_goprog_inlined(const gl_goprog *p, const char *const *names, size_t n, gl_goprog_inlined_fn fn, void *user);

/* ---- bytes --------------------------------------------------------------------------------------------------------- */

/** n bytes at an address, as the loader would leave them with bias 0; NULL where the file does not hold them all. */
GL_API const uint8_t *gl_goprog_bytes(const gl_goprog *p, uint64_t address, size_t n);
/** Bytes at an address that the file holds up to the end of their segment; 0: none. */
GL_API size_t gl_goprog_bytes_left(const gl_goprog *p, uint64_t address);
/** Where an address of the program's stands in its file (what uprobes ask for). */
GL_API bool gl_goprog_file_offset(const gl_goprog *p, uint64_t address, uint64_t *offset);

/** Whether its code is changed when it is loaded (relocations in the text, which Go's own linker never makes). */
GL_API bool gl_goprog_moves_text(const gl_goprog *p);
/**
 * n executable bytes that the program never runs: behind the end of its code, or a function that is there for debuggers
 * only. False where there is no such room.
 */
GL_API bool gl_goprog_spare(const gl_goprog *p, size_t n, uint64_t *address);

/**
 * Name of the type whose descriptor lies at an address ("int", "chan error", "*main.Job"), into out[size]. False where
 * there is none (a type that the program made at run time has its descriptor on the heap).
 */
GL_API bool gl_goprog_type_name(const gl_goprog *p, uint64_t address, char *out, size_t size);

/* ---- live memory --------------------------------------------------------------------------------------------------- */

/** Reads n bytes of a process; 0, or a negative status where not all could be read. */
typedef struct gl_gomemory {
    int (*read)(void *user, uint64_t live, void *to, size_t n);
    void *user;
} gl_gomemory;

/** Memory of a process by process_vm_readv, and by /proc/PID/mem where that is refused. user: an int's address, the PID. */
GL_API int gl_gomemory_read_pid(void *pid, uint64_t live, void *to, size_t n);

/** How far a process has loaded its program from its link addresses, from /proc/PID/maps and the program's identity. */
GL_API int gl_goprog_bias(const gl_goprog *p, int pid, uint64_t *bias, gl_error *err) GL_MUST_CHECK;

/**
 * Whether the process's memory is this program: its module data, its function table's header, and the code of n
 * functions, byte for byte (another tracer, a uprobe or a patch shows here). 0, or GL_E_UNSUPPORTED with a sentence.
 */
GL_API int gl_goprog_check_memory(const gl_goprog *p, const gl_gomemory *mem, uint64_t bias, const gl_gofunc *functions,
                                  size_t n, gl_error *err) GL_MUST_CHECK;

#ifdef __cplusplus
}
#endif
#endif
