/* What the parts of runtime_probe/gobin/ share: an open program. */
#ifndef GOLANES_GOBIN_PROGRAM_H
#define GOLANES_GOBIN_PROGRAM_H

#include <sys/types.h>

#include "golanes/goprog.h"

#include "image.h"
#include "pclntab.h"

typedef struct gl_gosetting {
    const char *key, *value;
} gl_gosetting;

/* Build information, taken apart. Texts point into `text`, which is its own. */
typedef struct gl_buildinfo {
    char *text;
    const char *version, *package, *module;
    gl_gosetting *settings;
    size_t count;
} gl_buildinfo;

struct gl_goprog {
    char *path;
    char *file; /* to open it again */
    dev_t device;
    ino_t inode;
    off_t size;
    gl_image image;
    gl_buildinfo build;
    gl_pclntab table;
    gl_goprog_info info;
    uint64_t go_func; /* runtime's go.func.*: where offsets of funcdata count from */
    uint64_t data_end; /* of the module, with its zeros */
};

/** 1: found and taken apart; 0: there is none; or GL_E_NOMEM. *old: it is of a Go before 1.18. */
int gl_buildinfo_read(gl_buildinfo *b, const gl_image *im, uint64_t section, uint64_t section_n, bool *old);
void gl_buildinfo_clean_up(gl_buildinfo *b);
const char *gl_buildinfo_setting(const gl_buildinfo *b, const char *key);

/** Sections of interest, found by name; 0 where there is none of that name. */
typedef struct gl_sections {
    uint64_t buildinfo, buildinfo_n, table, table_n;
    bool symbols, dwarf;
} gl_sections;
/** Never fails: without sections everything is found by its look. */
void gl_sections_read(gl_sections *s, int fd);

typedef enum gl_module_answer { GL_MODULE_FOUND, GL_MODULE_NO_TABLE, GL_MODULE_OLD_TABLE, GL_MODULE_UNSOUND } gl_module_answer;
/** Finds the function table and the module data that points to it; sets table, go_func and the addresses of info. */
gl_module_answer gl_module_find(gl_goprog *p, const gl_sections *s);

#endif
