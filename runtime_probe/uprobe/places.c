/* Which places of a program get which probe. */
#include <string.h>

#include "kernel.h"

static const struct {
    gl_uprobe_kind kind;
    gl_goreg base; /* has the channel */
    gl_uprobe_result result;
} places[GL_GOPROBE_COUNT] = {
    [GL_GOPROBE_CAS] = {GL_UPROBE_CAS, GL_RAX, GL_UPROBE_AL},
    [GL_GOPROBE_NEWPROC] = {GL_UPROBE_NEWPROC, GL_RAX, GL_UPROBE_AL},
    [GL_GOPROBE_CHANSEND_BEGIN] = {GL_UPROBE_SEND, GL_RAX, GL_UPROBE_AL},
    [GL_GOPROBE_CHANSEND_END] = {GL_UPROBE_SEND_END, GL_RAX, GL_UPROBE_AL},
    [GL_GOPROBE_CHANRECV_BEGIN] = {GL_UPROBE_RECV, GL_RAX, GL_UPROBE_AL},
    [GL_GOPROBE_CHANRECV_END] = {GL_UPROBE_RECV_END, GL_RAX, GL_UPROBE_AL_BL},
    [GL_GOPROBE_CHANCLOSE_BEGIN] = {GL_UPROBE_CLOSE, GL_RAX, GL_UPROBE_AL},
    [GL_GOPROBE_SELECT_BEGIN] = {GL_UPROBE_SELECT, GL_RAX, GL_UPROBE_AL},
    [GL_GOPROBE_SELECT_END] = {GL_UPROBE_SELECT_END, GL_RAX, GL_UPROBE_AL},
    [GL_GOPROBE_MAKECHAN] = {GL_UPROBE_MAKE, GL_RAX, GL_UPROBE_AL},
    [GL_GOPROBE_GC_START] = {GL_UPROBE_GC_START, GL_RAX, GL_UPROBE_AL},
    [GL_GOPROBE_GC_END] = {GL_UPROBE_GC_END, GL_RAX, GL_UPROBE_AL},
    [GL_GOPROBE_STW_BEGIN] = {GL_UPROBE_STOP, GL_RAX, GL_UPROBE_AL},
    [GL_GOPROBE_STW_END] = {GL_UPROBE_START, GL_RAX, GL_UPROBE_AL},
    [GL_GOPROBE_ASSIST_BEGIN] = {GL_UPROBE_ASSIST, GL_RAX, GL_UPROBE_AL},
    [GL_GOPROBE_ASSIST_END] = {GL_UPROBE_ASSIST_END, GL_RAX, GL_UPROBE_AL},
    [GL_GOPROBE_PANIC] = {GL_UPROBE_PANIC, GL_RAX, GL_UPROBE_AL},
    [GL_GOPROBE_THROW] = {GL_UPROBE_THROW, GL_RAX, GL_UPROBE_AL},
    [GL_GOPROBE_FATAL] = {GL_UPROBE_FATAL, GL_RAX, GL_UPROBE_AL},
    [GL_GOPROBE_CHANSEND1_BEGIN] = {GL_UPROBE_SEND, GL_RAX, GL_UPROBE_AL},
    [GL_GOPROBE_CHANSEND1_END] = {GL_UPROBE_SEND_END, GL_RAX, GL_UPROBE_SENT},
    [GL_GOPROBE_SELECTNBSEND_BEGIN] = {GL_UPROBE_SEND, GL_RAX, GL_UPROBE_AL},
    [GL_GOPROBE_SELECTNBSEND_END] = {GL_UPROBE_SEND_END, GL_RAX, GL_UPROBE_AL},
    [GL_GOPROBE_CHANRECV1_BEGIN] = {GL_UPROBE_RECV, GL_RAX, GL_UPROBE_AL},
    [GL_GOPROBE_CHANRECV1_END] = {GL_UPROBE_RECV_END, GL_RAX, GL_UPROBE_UNTOLD},
    [GL_GOPROBE_CHANRECV2_BEGIN] = {GL_UPROBE_RECV, GL_RAX, GL_UPROBE_AL},
    [GL_GOPROBE_CHANRECV2_END] = {GL_UPROBE_RECV_END, GL_RAX, GL_UPROBE_AL_ONLY},
    [GL_GOPROBE_SELECTNBRECV_BEGIN] = {GL_UPROBE_RECV, GL_RBX, GL_UPROBE_AL},
    [GL_GOPROBE_SELECTNBRECV_END] = {GL_UPROBE_RECV_END, GL_RAX, GL_UPROBE_AL_BL},
};

/** Functions that change nothing but the collector's marks, or from one kind of waiting to another: never told of. */
static bool marks_only(const gl_goprog *prog, const gl_gosite *site)
{
    static const char *const functions[] = {"runtime.castogscanstatus", "runtime.casfrom_Gscanstatus", "runtime.casGFromPreempted",
                                            "runtime.allGsSnapshotSortedForGC"};
    gl_goframe f;
    if (gl_goprog_frames(prog, site->address, &f, 1) == 0)
        return false;
    for (size_t i = 0; i < sizeof functions / sizeof *functions; i++)
        if (strcmp(f.func, functions[i]) == 0)
            return true;
    return false;
}

/** Ends of channel operations that can be told before their registers have the result. */
static uint64_t early(const gl_goprog *prog, const gl_gosite *site, gl_uprobe_result result)
{
    const uint8_t *b = gl_goprog_bytes(prog, site->uprobe, 2);
    uint64_t cookie = GL_UPROBE_EARLY | (site->uprobe_al ? GL_UPROBE_EARLY_A : 0) | (site->uprobe_bl > 0 ? GL_UPROBE_EARLY_B : 0);
    if (!b || result > GL_UPROBE_AL_BL || (result == GL_UPROBE_AL_BL && site->uprobe_al && site->uprobe_bl < 0))
        return 0;
    if (site->uprobe_early == GL_GOEARLY_JUMP)
        cookie |= GL_UPROBE_EARLY_JUMP | (uint64_t)((b[0] == 0x0f ? b[1] : b[0]) & 15) << 4;
    return cookie;
}

static uint64_t place_of(const gl_goprog *prog, const gl_gosite *site, uint64_t *cookie)
{
    gl_uprobe_kind kind = places[site->probe].kind;
    if (kind != GL_UPROBE_SEND_END && kind != GL_UPROBE_RECV_END)
        return site->uprobe_early ? site->address + site->event : site->uprobe;
    uint64_t more = site->uprobe_early ? early(prog, site, places[site->probe].result) : 0;
    *cookie |= more;
    return more || !site->uprobe_early ? site->uprobe : site->address + site->event;
}

bool gl_uprobe_wants(const gl_goprog *prog, const gl_goplan *plan, const gl_gosite *site, uint64_t *at, uint64_t *cookie)
{
    gl_uprobe_kind kind = places[site->probe].kind;
    if (kind == GL_UPROBE_NONE || !site->hookable || !plan->probes[site->probe].works)
        return false;
    if (site->kind == GL_GOSITE_CAS) {
        *cookie = GL_UPROBE_COOKIE(kind, site->base, 0) | (uint64_t)site->value << 4 | (site->uprobe_clear ? GL_UPROBE_CLEAR : 0);
        *at = site->uprobe;
        return !marks_only(prog, site);
    }
    *cookie = GL_UPROBE_COOKIE(kind, places[site->probe].base, places[site->probe].result);
    *at = site->kind == GL_GOSITE_RETURN ? place_of(prog, site, cookie) : site->uprobe;
    return true;
}
