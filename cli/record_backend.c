/* Which of the ways to have a program's events is taken. */
#include "record.h"
#include "facts.h"

#include <string.h>

#include "golanes/probe_patch.h"
#include "golanes/probe_uprobe.h"

const gl_probe_provider *const cli_record_providers[] = {
#if defined(__x86_64__)
    &gl_probe_patch,
#endif
    &gl_probe_emit};
const size_t cli_record_provider_count = sizeof cli_record_providers / sizeof *cli_record_providers;

static const struct {
    const char *name;
    const gl_probe_provider *only; /* NULL: whichever fits */
} backends[] = {
    {"auto", NULL},
#if defined(__x86_64__)
    {"patch", &gl_probe_patch},
#endif
    {"uprobe", &gl_probe_uprobe},
    {"emit", &gl_probe_emit},
};

int cli_record_backend_parse(const cli_args *args, const gl_probe_provider **only)
{
    const char *name = cli_args_text(args, CLI_OPT_BACKEND, "auto");
    gl_error err = {0};
    for (size_t i = 0; i < sizeof backends / sizeof *backends; i++) {
        if (strcmp(name, backends[i].name) != 0)
            continue;
        *only = backends[i].only;
        if (*only != &gl_probe_uprobe || gl_probe_uprobe_available(&err) == 0)
            return 0;
        cli_say("--backend uprobe: %s", err.text);
        return CLI_EXIT_SYSTEM;
    }
    return cli_usage_error(args->command, "--backend: '%s' is none of auto, patch, uprobe, emit", name);
}

/** NULL after a line on standard error. */
const gl_probe_provider *cli_record_choose_provider(const gl_probe_target *target, const gl_probe_provider *only)
{
    const gl_probe_provider *const *from = only ? &only : cli_record_providers;
    gl_error err = {0};
    for (size_t i = 0; i < (only ? 1 : cli_record_provider_count); i++) {
        int fits = from[i]->fits(target, &err);
        if (fits > 0)
            return from[i];
        if (fits < 0) {
            cli_say("%s", err.text[0] ? err.text : gl_status_text(fits));
            return NULL;
        }
    }
    if (only)
        cli_say("%s can't be recorded by --backend %s: it is no Go program", target->path, only->name);
    else
        cli_say("%s is nothing that can be recorded", target->path);
    return NULL;
}

void cli_record_say_backend(const gl_probe_provider *provider)
{
    if (provider == &gl_probe_uprobe)
        cli_say("probes in the kernel: %s; %s", gl_probe_uprobe_cost, gl_probe_uprobe_limits);
}
