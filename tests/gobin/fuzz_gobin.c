/* Any bytes as a program: everything that is read out of one. */
#include <stddef.h>
#include <stdint.h>
#include <unistd.h>

#include "golanes/golayout.h"
#include "golanes/goprobes.h"
#include "golanes/goprog.h"
#include "maker.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int stop_soon(void *user, const char *callee, uint64_t pc, const gl_gofunc *into)
{
    (void)callee;
    (void)pc;
    (void)into;
    return ++*(int *)user > 100;
}

static void ask(const gl_goprog *p)
{
    gl_gofunc f;
    gl_goframe frames[32];
    gl_golayout l;
    gl_govars v;
    gl_goplan *plan;
    char name[64];
    int32_t delta;
    int told = 0;
    for (uint64_t i = 0; i < gl_goprog_get_info(p)->functions && i < 64; i++) {
        if (!gl_goprog_func_at(p, i, &f))
            continue;
        gl_goprog_frames(p, f.entry + (f.end - f.entry) / 2, frames, 32);
        gl_goprog_sp_delta(p, f.entry, &delta);
    }
    for (uint64_t at = 0; at < 512; at += 8)
        gl_goprog_type_name(p, gl_goprog_get_info(p)->types + at, name, sizeof name);
    gl_goprog_inlined(p, (const char *const[]){"main.small", "runtime.chansend"}, 2, stop_soon, &told);
    gl_goprog_vars(p, &v);
    if (gl_goprog_layout(p, &l, NULL) == 0 && gl_goplan_make(p, &l, &plan, NULL) == 0)
        gl_goplan_free(plan);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char path[64];
    gl_goprog *p;
    if (size > ((size_t)1 << 20))
        return 0;
    int fd = maker_file(data, size, path, sizeof path);
    if (gl_goprog_open(path, &p, NULL, NULL) == 0) {
        ask(p);
        gl_goprog_close(p);
    }
    close(fd);
    return 0;
}
