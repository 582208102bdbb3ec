#include "record.h"
#include "append.h"
#include "args.h"
#include "facts.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "control.h"
#include "golanes/probe_patch.h"
#include "golanes/probe_uprobe.h"
#include "launch.h"
#include "text.h"

#define EXIT_NOT_EXECUTABLE 126
#define EXIT_NOT_FOUND 127
#define NAMES_MAX 10000
#define FLUSH_LEAST INT64_C(10000000)

typedef struct record {
    const cli_args *args;
    bool quiet;
    const char *whole; /* --append: what is added to, NULL nothing */
    cli_append append;
    int leash;
    pid_t pid; /* of --pid; 0: a program is started */
    char out[PATH_MAX];
    char program[PATH_MAX]; /* the file that will be, or is, executed */
    char command[4096];
    gl_recording *recording;
    gl_control *control;
    cli_record_plan plan;
    const gl_probe_provider *only; /* of --backend; NULL: whichever fits */
    cli_follow follow;
    bool followed; /* for Go programs among the children */
    int64_t started;
} record;

static int64_t now_ns(void)
{
    struct timespec ts;
    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (int64_t)ts.tv_sec * 1000000000 + ts.tv_nsec;
}

/* ---- what is asked for ---------------------------------------------------------------------------------------------- */

static int choose_stacks(const record *rec)
{
    static const char *const names[] = {
        [GL_PROBE_STACKS_BLOCK] = "block", [GL_PROBE_STACKS_NONE] = "none", [GL_PROBE_STACKS_ALL] = "all"};
    const char *wanted = cli_args_text(rec->args, CLI_OPT_RECORD_STACKS, "block");
    for (unsigned i = 0; i < sizeof names / sizeof *names; i++)
        if (strcmp(wanted, names[i]) == 0) {
#if defined(__x86_64__)
            gl_probe_patch_choose(&(gl_probe_patch_options){.stacks = (gl_probe_stacks)i,
                                                            .exact_times = cli_args_has(rec->args, CLI_OPT_EXACT_TIMES)});
#endif
            gl_probe_uprobe_choose(&(gl_probe_patch_options){.stacks = (gl_probe_stacks)i});
            return 0;
        }
    return cli_usage_error(rec->args->command, "--stacks: '%s' is none of block, none, all", wanted);
}

static int check(record *rec)
{
    const cli_args *args = rec->args;
    const char *out = cli_args_text(args, CLI_OPT_RECORD_OUTPUT, NULL);
    rec->pid = (pid_t)cli_args_number(args, CLI_OPT_PID, 0);
    if (rec->pid && args->rest_count)
        return cli_usage_error(args->command, "--pid and a program to be started exclude each other");
    if (!rec->pid && !args->rest_count)
        return cli_usage_error(args->command, "a program is missing, or --pid");
    rec->whole = cli_args_text(args, CLI_OPT_APPEND, NULL);
    if (rec->whole && (out || cli_args_has(args, CLI_OPT_FLIGHT) || cli_args_has(args, CLI_OPT_MAX_SIZE)))
        return cli_usage_error(args->command, "--append goes with none of --output, --flight and --max-size");
    if (cli_args_has(args, CLI_OPT_BLOCK) && cli_args_has(args, CLI_OPT_DROP))
        return cli_usage_error(args->command, "--block and --drop exclude each other");
    if (cli_args_has(args, CLI_OPT_FLUSH) && (int64_t)cli_args_number(args, CLI_OPT_FLUSH, 0) < FLUSH_LEAST)
        return cli_usage_error(args->command, "--flush: less than 10ms would cost more than it tells");
    if (out && strcmp(out, "-") == 0 && !rec->pid)
        return cli_usage_error(args->command, "standard output is the program's; name a file");
    if (out && strcmp(out, "-") == 0 && isatty(STDOUT_FILENO))
        return cli_usage_error(args->command, "a trace is nothing for a terminal; send it to a file or a pipe");
    int rc = choose_stacks(rec);
    if (rc == 0)
        rc = cli_follow_parse(args, &rec->follow);
    if (rc == 0)
        rc = cli_record_plan_parse(args, &rec->plan);
    if (rc == 0 && out && strcmp(out, "-") == 0 && (rec->plan.flight || rec->plan.max_bytes))
        rc = cli_usage_error(args->command, "several files can't go to standard output; name one");
    if (rc == 0)
        rc = cli_record_backend_parse(args, &rec->only);
    if (rc == 0 && rec->only && !rec->only->caught) /* it can't take up a program in front of its first instruction */
        rec->follow.off = true;
    return rc;
}

static void read_comm(pid_t pid, char *out, size_t size)
{
    char path[64];
    snprintf(path, sizeof path, "/proc/%ld/comm", (long)pid);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t n = fd < 0 ? 0 : read(fd, out, size - 1);
    if (fd >= 0)
        close(fd);
    out[n > 0 ? n : 0] = '\0';
    out[strcspn(out, "\n")] = '\0';
}

/** The first of NAME.lanes, NAME-2.lanes, … that is not there. */
static void choose_name(record *rec, const char *name)
{
    struct stat st;
    if (!*name || strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
        name = "trace";
    snprintf(rec->out, sizeof rec->out, "%.200s.lanes", name);
    if (rec->plan.flight) /* the files' names are made from it when they are written */
        return;
    for (unsigned i = 2; lstat(rec->out, &st) == 0 && i < NAMES_MAX && !cli_args_has(rec->args, CLI_OPT_FORCE); i++)
        snprintf(rec->out, sizeof rec->out, "%.200s-%u.lanes", name, i);
}

static int choose_output(record *rec)
{
    const char *given = cli_args_text(rec->args, CLI_OPT_RECORD_OUTPUT, NULL);
    if (rec->whole) /* the name is chosen with the file */
        return 0;
    if (given) {
        if ((size_t)snprintf(rec->out, sizeof rec->out, "%s", given) >= sizeof rec->out)
            return cli_usage_error(rec->args->command, "--output: the name is too long");
        return 0;
    }
    char name[64];
    if (rec->pid) {
        read_comm(rec->pid, name, sizeof name);
        char *slash;
        while ((slash = strchr(name, '/')) != NULL)
            *slash = '-';
        choose_name(rec, name);
    } else {
        const char *slash = strrchr(rec->args->rest[0], '/');
        choose_name(rec, slash ? slash + 1 : rec->args->rest[0]);
    }
    return 0;
}

/** The words with spaces between them, as /proc/PID/cmdline or the command line has them. */
static void describe_command(record *rec)
{
    size_t n = 0;
    if (!rec->pid) {
        for (size_t i = 0; i < rec->args->rest_count && n < sizeof rec->command; i++)
            n += (size_t)snprintf(rec->command + n, sizeof rec->command - n, "%s%s", i ? " " : "", rec->args->rest[i]);
        return;
    }
    char path[64];
    snprintf(path, sizeof path, "/proc/%ld/cmdline", (long)rec->pid);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t got = fd < 0 ? 0 : read(fd, rec->command, sizeof rec->command - 1);
    if (fd >= 0)
        close(fd);
    while (got > 0 && rec->command[got - 1] == '\0')
        got--;
    for (ssize_t i = 0; i < got; i++)
        if (rec->command[i] == '\0')
            rec->command[i] = ' ';
    rec->command[got > 0 ? got : 0] = '\0';
}

static gl_probe_target target_of(record *rec)
{
    gl_probe_target t = {.pid = rec->pid, .path = rec->program, .argv = rec->pid ? NULL : rec->args->rest};
    t.rings.policy = cli_args_has(rec->args, CLI_OPT_BLOCK) ? GL_RING_WAIT : GL_RING_DROP;
    t.rings.follow = true;
    t.rings.salvage = true;
    t.gate = !rec->follow.off && !rec->pid;
    return t;
}

/* ---- the recording -------------------------------------------------------------------------------------------------- */

static int exit_of(int status)
{
    switch (status) {
    case GL_E_IO: return CLI_EXIT_OUTPUT;
    case GL_E_USAGE: return CLI_EXIT_USAGE;
    case GL_E_NOMEM: return CLI_EXIT_SYSTEM;
    default: return CLI_EXIT_INPUT;
    }
}

static int said(int status, const gl_error *err)
{
    cli_say("%s", err->text[0] ? err->text : gl_status_text(status));
    return exit_of(status);
}

static int open_recording(record *rec)
{
    gl_error err = {0};
    int status = rec->whole ? cli_append_begin(&rec->append, rec->whole, &err) : 0;
    if (status < 0) {
        cli_say("%s", err.text[0] ? err.text : gl_status_text(status));
        return CLI_EXIT_OUTPUT;
    }
    if (rec->whole)
        snprintf(rec->out, sizeof rec->out, "%s", rec->append.part);
    const cli_record_plan *p = &rec->plan;
    gl_recording_options o = {.path = rec->out, .force = cli_args_has(rec->args, CLI_OPT_FORCE) || rec->whole,
                              .max_bytes = p->max_bytes, .max_files = p->max_files, .flight = p->flight, .keep_ns = p->keep_ns,
                              .keep_bytes = p->keep_bytes, .triggers = p->triggers, .trigger_count = p->trigger_count,
                              .cooldown_ns = p->cooldown_ns, .limit = p->limit,
                              .flush_ns = (int64_t)cli_args_number(rec->args, CLI_OPT_FLUSH, 0),
                              .level = (int)cli_args_number(rec->args, CLI_OPT_LEVEL, 0),
                              .command = rec->command, .version = GOLANES_VERSION};
    status = gl_recording_open(&o, &rec->recording, &err);
    if (rec->whole)
        cli_append_made(&rec->append);
    return status < 0 ? said(status, &err) : 0;
}

/** Nothing was recorded: the file that was made for it goes away again. */
static void drop_recording(record *rec)
{
    struct stat st;
    (void)!gl_recording_close(rec->recording, NULL, NULL, NULL);
    if (!rec->plan.flight && strcmp(rec->out, "-") != 0 && stat(rec->out, &st) == 0 && S_ISREG(st.st_mode))
        unlink(rec->out);
    if (rec->whole)
        cli_append_drop(&rec->append);
}

/** The recording is finished: it becomes a part of the whole. */
static int add_to_whole(record *rec)
{
    gl_error err = {0};
    int status = cli_append_end(&rec->append, &err);
    if (status == 0)
        return 0;
    cli_say("%s; the recording is in %s", err.text[0] ? err.text : gl_status_text(status), rec->out);
    return CLI_EXIT_OUTPUT;
}

static int answer(void *user, char *text, size_t size)
{
    return gl_recording_snap(user, "golanes snap", true, text, size);
}

static int add_and_start(record *rec, const gl_probe_source *source, bool gate)
{
    gl_error err = {0};
    if (gate && rec->follow.follow)
        gl_follow_gate(rec->follow.follow, source, true);
    int status = gl_recording_add(rec->recording, source, &err);
    if (status >= 0)
        status = gl_recording_start(rec->recording, &err);
    if (status < 0)
        return said(status, &err);
    rec->control = gl_control_open((pid_t)source->pid, answer, rec->recording);
    return 0;
}

/** For the last snapshot: why it was written. */
static void describe_end(const record *rec, const cli_record_end *end, char *out, size_t size)
{
    if (rec->pid)
        snprintf(out, size, end->interrupted ? "the recording was ended" : "the program ended");
    else if (end->let_go)
        snprintf(out, size, "the recording was ended");
    else if (WIFSIGNALED(end->wait_status))
        snprintf(out, size, "the program died of SIG%s", sigabbrev_np(WTERMSIG(end->wait_status)));
    else
        snprintf(out, size, "the program ended with exit status %d", WEXITSTATUS(end->wait_status));
}

static void say_end(const record *rec, const gl_recording_result *result)
{
    char line[PATH_MAX + 256];
    int64_t ns = now_ns() - rec->started;
    if (*result->explain)
        cli_say("warning: nothing was recorded: %s%s", result->explain,
                rec->followed ? "; nor did it start a Go program that could be recorded" : "");
    if (rec->plan.flight) {
        cli_say("%s", result->last_note);
        return;
    }
    cli_record_closing(rec->whole ? rec->whole : rec->out, &result->figures, &result->stats, ns, line, sizeof line);
    cli_say("%s", line);
}

/** 0 or an exit code. */
static int close_recording(record *rec, const cli_record_end *end)
{
    gl_recording_result result;
    gl_error err = {0};
    char reason[80];
    describe_end(rec, end, reason, sizeof reason);
    gl_control_close(rec->control);
    int status = gl_recording_close(rec->recording, reason, &result, &err);
    if (status < 0) {
        cli_say("%s: %s", rec->out, err.text[0] ? err.text : gl_status_text(status));
        return exit_of(status) == CLI_EXIT_SYSTEM ? CLI_EXIT_SYSTEM : CLI_EXIT_OUTPUT;
    }
    int rc = rec->whole ? add_to_whole(rec) : 0;
    if (!rec->quiet && rc == 0)
        say_end(rec, &result);
    return rc;
}

static void wait_for(record *rec, pid_t pid, bool child, cli_record_end *end)
{
    cli_record_watch what = {.pid = pid, .child = child, .flight = rec->plan.flight, .quiet = rec->quiet,
                             .recording = rec->recording, .follow = &rec->follow, .leash = rec->leash};
    rec->follow.recording = rec->recording;
    cli_record_wait(&what, end);
    cli_follow_end(&rec->follow);
}

static int record_process(record *rec)
{
    snprintf(rec->program, sizeof rec->program, "/proc/%ld/exe", (long)rec->pid);
    gl_error err = {0};
    gl_probe_target target = target_of(rec);
    gl_probe_source source;
    if (kill(rec->pid, 0) < 0 && errno == ESRCH) {
        cli_say("there is no process %ld", (long)rec->pid);
        return CLI_EXIT_INPUT;
    }
    const gl_probe_provider *provider = cli_record_choose_provider(&target, rec->only);
    if (!provider)
        return CLI_EXIT_INPUT;
    int rc = open_recording(rec);
    if (rc)
        return rc;
    if (!rec->quiet)
        cli_record_say_backend(provider);
    int status = provider->join(&target, &source, &err);
    if (status < 0) {
        drop_recording(rec);
        said(status, &err);
        return status == GL_E_NOMEM ? CLI_EXIT_SYSTEM : CLI_EXIT_INPUT;
    }
    if ((rc = add_and_start(rec, &source, false)) != 0) {
        drop_recording(rec);
        return rc;
    }
    cli_record_end end;
    wait_for(rec, rec->pid, false, &end);
    return close_recording(rec, &end);
}

static int launch_failed(record *rec, gl_launch_result result, const gl_error *err)
{
    cli_follow_end(&rec->follow);
    drop_recording(rec);
    cli_say("%s", err->text);
    return result == GL_LAUNCH_NOT_FOUND ? EXIT_NOT_FOUND
           : result == GL_LAUNCH_NOT_EXECUTABLE ? EXIT_NOT_EXECUTABLE
           : err->code == GL_E_UNSUPPORTED      ? CLI_EXIT_INPUT
                                                : CLI_EXIT_SYSTEM;
}

static int record_program(record *rec)
{
    gl_error err = {0};
    char *const *argv = rec->args->rest;
    if (!gl_launch_find(argv[0], rec->program, sizeof rec->program))
        snprintf(rec->program, sizeof rec->program, "%s", argv[0]);
    gl_probe_target target = target_of(rec);
    const gl_probe_provider *provider = cli_record_choose_provider(&target, rec->only);
    if (!provider)
        return CLI_EXIT_INPUT;
    if (provider != &gl_probe_emit && cli_follow_passes_by(&rec->follow, rec->program))
        provider = &gl_probe_emit;
    int rc = open_recording(rec);
    if (rc)
        return rc;
    if (!rec->quiet)
        cli_record_say_backend(provider);
    pid_t pid;
    gl_probe_source source;
    gl_launch_gate gate = {cli_follow_forked, &rec->follow};
    bool patched = provider != &gl_probe_emit;
    bool follow = cli_follow_begin(&rec->follow, patched ? NULL : rec->program, &target) && !patched;
    rec->followed = follow;
    gl_launch_result result = gl_launch(provider, &target, follow ? &gate : NULL, &pid, &source, &err);
    if (result != GL_LAUNCHED)
        return launch_failed(rec, result, &err);
    if (!source.ops)
        cli_say("warning: %s runs, but can't be recorded: %s", argv[0], err.text);
    else
        rc = add_and_start(rec, &source, patched);
    cli_record_end end;
    wait_for(rec, pid, true, &end);
    if (!source.ops || rc)
        drop_recording(rec);
    else
        rc = close_recording(rec, &end);
    int code = end.let_go ? 0 : cli_record_end_as(end.wait_status);
    return code ? code : rc;
}

static int run_record(const cli_args *args)
{
    record *rec = calloc(1, sizeof *rec);
    if (!rec) {
        cli_say("no memory");
        return CLI_EXIT_SYSTEM;
    }
    rec->args = args;
    rec->quiet = cli_args_has(args, CLI_OPT_QUIET);
    rec->started = now_ns();
    rec->leash = cli_record_leash();
    int rc = check(rec);
    if (rc == 0)
        rc = choose_output(rec);
    if (rc == 0) {
        describe_command(rec);
        cli_record_block_signals();
        rc = rec->pid ? record_process(rec) : record_program(rec);
    }
    cli_record_plan_clean_up(&rec->plan);
    cli_follow_clean_up(&rec->follow);
    free(rec);
    return rc;
}

const cli_command cli_command_record = {
    .name = "record", .operands = "PROGRAM...", .program = true, .run = run_record,
    .brief = "run a program, or join one, and record its events",
    .description =
        "Starts PROGRAM, with the arguments that follow it, and writes what happens in it into a .lanes file. It may be any Go "
        "program for linux/amd64, as it is (Go 1.18 or later, stripped or not): its code is changed in memory while it runs. "
        "Or a program that is linked with golanes (see golanes-emit(3)), or that starts one. With --pid a running one is "
        "joined; when golanes ends, the program goes on as it was.\n\n"
        "The program notices nothing: it has our standard streams, our terminal and our process group; signals that are sent "
        "to golanes reach it; and golanes ends as it ended, with the same exit status or by the same signal. Options after "
        "PROGRAM are its own.\n\n"
        "Programs that PROGRAM starts are followed: where it is a shell, make, or go itself, every Go program that comes of it is "
        "recorded from its first instruction on, into the same file, where each is a process of its own (golanes info lists "
        "them). So golanes record go test ./... records the tests. Go's own tools (go, compile, link, ...) are passed by; "
        "--follow says otherwise. For this, processes that are no recorded programs themselves are traced (ptrace), which a "
        "program notices in that sudo and the like get no other user's rights under it, and that no debugger can attach. Recorded "
        "programs are not traced; what they start waits a moment, between fork and exec, until it is followed. What C code "
        "forks is not followed, nor what a program starts that was joined with --pid. The recording ends with PROGRAM.\n\n"
        "The file can be read while it grows (golanes view FILE follows it). Whatever was flushed stays readable if the program, "
        "golanes or both are killed, at any moment, and what the program did last is taken from the shared memory after its death. Where "
        "golanes alone was killed, golanes record --pid goes on where it stopped.\n\n"
        "With --flight it is a flight recorder: only the recent past is kept, in memory, and written when golanes-snap(1) or "
        "SIGUSR1 (sent to golanes; the program does not get it) asks for it, when a trigger says so, and when the program "
        "ends or crashes.\n\n"
        "With --append a recording goes into FILE.part-PID first and is added to FILE when it ends, under a lock (FILE.lock): "
        "FILE is replaced as a whole and is sound at any moment. A part that a killed recorder has left is added by the next "
        "one. A damaged FILE is added to as far as it can be read.\n\n"
        "Where the file can't be written on (a full disk, a limit, a reader that went away), one line says so, the program goes "
        "on unrecorded, and what was written before can be read; golanes then ends with 4 where the program's own exit "
        "status is 0. A program that is not there gives 127, one that can't be executed 126.\n\n"
        "Where a program's code may not be changed, --backend uprobe has the kernel put its probes at the same places. That "
        "needs root, or the capabilities CAP_BPF and CAP_PERFMON, and costs the program a hundred times as much or more: the "
        "line at the start says how much. Where the right is missing, or golanes was built without it, one sentence says so "
        "and golanes ends with 5.",
    CLI_OPTIONS(CLI_OPT_RECORD_OUTPUT, CLI_OPT_APPEND, CLI_OPT_FORCE, CLI_OPT_FLUSH, CLI_OPT_LEVEL, CLI_OPT_MAX_SIZE, CLI_OPT_MAX_FILES, CLI_OPT_PID, CLI_OPT_FOLLOW,
                CLI_OPT_BLOCK, CLI_OPT_DROP, CLI_OPT_FLIGHT, CLI_OPT_TRIGGER, CLI_OPT_COOLDOWN, CLI_OPT_SNAP_LIMIT,
                CLI_OPT_RECORD_STACKS, CLI_OPT_EXACT_TIMES, CLI_OPT_BACKEND, CLI_OPT_QUIET, CLI_OPT_HELP),
    .page_more = cli_record_page,
    .examples = {{"golanes record ./server -addr :8080", "Writes server.lanes until the server ends."},
                 {"golanes record -o run.lanes -- ./server -v", "Into a file of that name."},
                 {"golanes record go test ./...", "The tests of all packages, into go.lanes."},
                 {"go test -exec \"golanes record --append $PWD/all.lanes --\" ./...", "The same, one recorder for each package; go starts each in the package's folder."},
                 {"golanes record --pid $(pidof server)", "Until Ctrl-C."},
                 {"golanes record --flight 30s --trigger 'stw>5ms' ./server", "The half minute before each long pause."}},
};
