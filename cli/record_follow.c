#include "record_follow.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "golanes/probe_patch.h"
#include "golanes_analysis/pattern.h"

#include "facts.h"
#include "record.h"

int cli_follow_parse(const cli_args *args, cli_follow *out)
{
    const char *which = cli_args_text(args, CLI_OPT_FOLLOW, "go");
    char why[200];
    out->off = strcmp(which, "none") == 0;
    if (out->off || strcmp(which, "go") == 0)
        return 0;
    out->wanted = gl_pattern_new(which, 0, why, sizeof why);
    return out->wanted ? 0 : cli_usage_error(args->command, "--follow: %s", why);
}

static bool is_wanted(void *user, const char *path, gl_goprog_role role)
{
    const cli_follow *f = user;
    return f->wanted ? gl_pattern_matches(f->wanted, path, strlen(path)) : role == GL_GOPROG_OWN;
}

bool cli_follow_passes_by(const cli_follow *f, const char *path)
{
    gl_goprog *prog;
    if (f->off || gl_goprog_open(path, &prog, NULL, NULL) < 0)
        return false;
    gl_goprog_role role = gl_goprog_get_role(prog);
    gl_goprog_close(prog);
    return role == GL_GOPROG_RUNNER && !(f->wanted && gl_pattern_matches(f->wanted, path, strlen(path)));
}

static void warn(cli_follow *f, const char *path, const char *why)
{
    if (f->before_line)
        f->before_line(f->user);
    cli_say("warning: %s%s%s", path ? path : "", path ? " runs unrecorded: " : "", why);
}

static void on_recorded(void *user, const gl_probe_source *source)
{
    cli_follow *f = user;
    gl_error err = {0};
    char path[4096];
    snprintf(path, sizeof path, "%s", source->path ? source->path : "a program"); /* the source may be gone afterwards */
    if (gl_recording_add(f->recording, source, &err) < 0)
        warn(f, path, err.text);
    else
        f->recorded++;
}

static void on_refused(void *user, const char *path, const gl_error *err)
{
    cli_follow *f = user;
    if (err->code != GL_E_NOT_FOUND && !f->quiet) /* else it has ended meanwhile */
        warn(f, path, err->text);
}

bool cli_follow_begin(cli_follow *f, const char *path, const gl_probe_target *target)
{
#if defined(__x86_64__)
    gl_error err = {0};
    gl_follow_options o = {.provider = &gl_probe_patch, .rings = target->rings, .wanted = is_wanted,
                           .through_tools = f->wanted != NULL, .recorded = on_recorded, .refused = on_refused, .user = f};
    if (f->off || (path && gl_follow_is_linked(path)) || gl_follow_new(&o, &f->follow, &err) < 0)
        return false;
    signal(SIGCHLD, SIG_DFL); /* where it is ignored nobody tells us of stops; children get it as it was */
    return true;
#else
    (void)path;
    (void)target;
    (void)is_wanted;
    return false;
#endif
}

void cli_follow_forked(void *user, pid_t pid)
{
    cli_follow *f = user;
    gl_error err = {0};
    if (gl_follow_take(f->follow, pid, &err) == 0)
        return;
    cli_follow_end(f);
    if (!f->quiet)
        warn(f, NULL, err.text);
}

void cli_follow_end(cli_follow *f)
{
    gl_follow_free(f->follow);
    f->follow = NULL;
}

void cli_follow_clean_up(cli_follow *f)
{
    cli_follow_end(f);
    gl_pattern_destroy(f->wanted);
    f->wanted = NULL;
}
