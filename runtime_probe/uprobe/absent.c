/* In the place of the kernel's probes, where they could not be built. */
#include "golanes/probe_uprobe.h"

void gl_probe_uprobe_choose(const gl_probe_patch_options *opt)
{
    (void)opt;
}

int gl_probe_uprobe_available(gl_error *err)
{
    return gl_fail(err, GL_E_UNSUPPORTED, UINT64_MAX,
                   "this golanes was built without probes in the kernel (clang or libbpf was missing)");
}

static int fits(const gl_probe_target *target, gl_error *err)
{
    (void)target;
    return gl_probe_uprobe_available(err);
}

/* fits() refuses, so nothing else is ever called. */
const gl_probe_provider gl_probe_uprobe = {.name = "uprobe", .fits = fits};
