/*
 * golanes live: a recorder that writes a temporary file, and the viewer that follows it, as two processes. The terminal is
 * the viewer's: recorder and program are a process group of their own, without it, and what the program prints goes into
 * a file. The recorder ends when the other end of a pipe is closed, so that it lets the program go however we end.
 */
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

#include "facts.h"
#include "launch.h"
#include "progress.h"
#include "record.h"
#include "source.h"
#include "temporary.h"
#include "view.h"

#define WORDS_MAX 16
#define LOOK_EVERY_NS 10000000
#define PATIENCE_NS INT64_C(1500000000) /* afterwards it is said what is waited for */

typedef struct live {
    const cli_args *args;
    char trace[256], output[256]; /* the temporary files; "": not there */
    char name[NAME_MAX + 1];      /* proposed for the trace */
    char kept[PATH_MAX];          /* "": not kept */
    bool linked;                  /* that name is the file's own already */
    pid_t recorder;               /* 0: it has ended */
    bool let_go;                  /* it was ended before its program was */
    int status;                   /* as waitpid has it, once it has */
    int leash;                    /* the recorder ends when this is closed */
    gl_reader *reader;
} live;

/* ---- files ---------------------------------------------------------------------------------------------------------- */

static int make_file(char path[256], const char *ending)
{
    snprintf(path, 256, "%.200s/golanes-live-XXXXXX%s", cli_temporary_folder(), ending);
    int fd = mkostemps(path, (int)strlen(ending), O_CLOEXEC);
    if (fd < 0) {
        cli_say("%s: no file can be made there: %s", cli_temporary_folder(), strerror(errno));
        *path = '\0';
    }
    return fd;
}

static int make_files(live *l)
{
    int fd = make_file(l->trace, ".lanes");
    if (fd < 0)
        return CLI_EXIT_OUTPUT;
    close(fd);
    fd = make_file(l->output, ".out");
    if (fd < 0)
        return CLI_EXIT_OUTPUT;
    close(fd);
    return 0;
}

static void remove_file(char path[256])
{
    if (*path)
        unlink(path);
    *path = '\0';
}

/** NAME.lanes, or NAME-2.lanes, … where that is there. */
static void propose_name(live *l)
{
    char path[64], comm[128] = "live";
    struct stat st;
    long pid = (long)cli_args_number(l->args, CLI_OPT_PID, 0);
    if (pid) {
        snprintf(path, sizeof path, "/proc/%ld/comm", pid);
        FILE *f = fopen(path, "re");
        if (f && fgets(comm, sizeof comm, f))
            comm[strcspn(comm, "\n/")] = '\0';
        if (f)
            fclose(f);
    } else {
        const char *slash = strrchr(l->args->rest[0], '/');
        snprintf(comm, sizeof comm, "%.120s", slash ? slash + 1 : l->args->rest[0]);
    }
    snprintf(l->name, sizeof l->name, "%s.lanes", comm);
    for (unsigned i = 2; lstat(l->name, &st) == 0 && i < 10000; i++)
        snprintf(l->name, sizeof l->name, "%s-%u.lanes", comm, i);
}

/* ---- the recorder --------------------------------------------------------------------------------------------------- */

/** What the recorder is told: the options that are its own, and the program. */
static char **make_words(const live *l, char pid[24])
{
    const cli_args *args = l->args;
    char **words = calloc(WORDS_MAX + args->rest_count + 1, sizeof *words);
    size_t n = 0;
    static char name[] = "golanes", command[] = "record", quiet[] = "--quiet", force[] = "--force", output[] = "--output",
                flush[] = "--flush", often[] = "100ms", pid_word[] = "--pid", end[] = "--", follow[] = "--follow",
                stacks[] = "--stacks";
    if (!words)
        return NULL;
    char *first[] = {name, command, quiet, force, flush, often, output, (char *)(uintptr_t)l->trace};
    for (size_t i = 0; i < sizeof first / sizeof *first; i++)
        words[n++] = first[i];
    const char *which = cli_args_text(args, CLI_OPT_FOLLOW, NULL), *with = cli_args_text(args, CLI_OPT_RECORD_STACKS, NULL);
    if (which) {
        words[n++] = follow;
        words[n++] = (char *)(uintptr_t)which;
    }
    if (with) {
        words[n++] = stacks;
        words[n++] = (char *)(uintptr_t)with;
    }
    if (cli_args_has(args, CLI_OPT_PID)) {
        snprintf(pid, 24, "%llu", (unsigned long long)cli_args_number(args, CLI_OPT_PID, 0));
        words[n++] = pid_word;
        words[n++] = pid;
        return words;
    }
    words[n++] = end;
    for (size_t i = 0; i < args->rest_count; i++)
        words[n++] = args->rest[i];
    return words;
}

_Noreturn static void be_recorder(const live *l, int leash, char **words)
{
    char number[16];
    int null = open("/dev/null", O_RDONLY), out = open(l->output, O_WRONLY | O_APPEND);
    setpgid(0, 0);
    dup2(null, STDIN_FILENO);
    dup2(out, STDOUT_FILENO);
    dup2(out, STDERR_FILENO);
    snprintf(number, sizeof number, "%d", leash);
    setenv(CLI_RECORD_LEASH, number, 1);
    fcntl(leash, F_SETFD, 0);
    execv("/proc/self/exe", words);
    _exit(126);
}

static int start_recorder(live *l)
{
    int ends[2];
    char pid[24];
    char **words = make_words(l, pid);
    if (!words || pipe2(ends, O_CLOEXEC) < 0) {
        cli_say("the recorder can't be started: %s", strerror(errno));
        free(words);
        return CLI_EXIT_SYSTEM;
    }
    fflush(NULL);
    l->recorder = fork();
    if (l->recorder == 0) {
        close(ends[1]);
        be_recorder(l, ends[0], words);
    }
    close(ends[0]);
    l->leash = ends[1];
    free(words);
    if (l->recorder > 0)
        return 0;
    l->recorder = 0;
    cli_say("the recorder can't be started: %s", strerror(errno));
    return CLI_EXIT_SYSTEM;
}

static bool recorder_ended(live *l)
{
    if (l->recorder > 0 && waitpid(l->recorder, &l->status, WNOHANG) == l->recorder)
        l->recorder = 0;
    return l->recorder == 0;
}

/** It finishes the file; the program goes on. */
static void end_recorder(live *l)
{
    l->let_go = !recorder_ended(l);
    if (l->leash >= 0)
        close(l->leash);
    l->leash = -1;
    if (!l->let_go)
        return;
    waitpid(l->recorder, &l->status, 0);
    l->recorder = 0;
}

/** What was said or printed, onto standard error. */
static void show_output(const live *l)
{
    char bytes[4096];
    ssize_t n;
    int fd = open(l->output, O_RDONLY | O_CLOEXEC);
    while (fd >= 0 && (n = read(fd, bytes, sizeof bytes)) > 0)
        (void)!write(STDERR_FILENO, bytes, (size_t)n);
    if (fd >= 0)
        close(fd);
}

/** Waits until there is something to be seen. 0, or an exit code; -1: it ended and there is nothing. */
static int await_events(live *l)
{
    bool said = false;
    struct timespec start, now;
    clock_gettime(CLOCK_MONOTONIC, &start);
    for (;;) {
        bool ended = recorder_ended(l);
        if (gl_reader_open(l->trace, &l->reader, NULL) == 0) {
            if (gl_reader_get_info(l->reader)->events > 1) /* the first one tells the clock */
                return 0;
            gl_reader_close(l->reader);
            l->reader = NULL;
        }
        if (ended)
            return -1;
        if (cli_signals_came())
            return cli_signals_came();
        clock_gettime(CLOCK_MONOTONIC, &now);
        if (!said && (now.tv_sec - start.tv_sec) * INT64_C(1000000000) + now.tv_nsec - start.tv_nsec > PATIENCE_NS) {
            said = true;
            cli_say("waiting for the first event of a Go program; Ctrl-C leaves");
        }
        nanosleep(&(struct timespec){.tv_nsec = LOOK_EVERY_NS}, NULL);
    }
}

/* ---- keeping -------------------------------------------------------------------------------------------------------- */

static int failed_to_keep(const char *name, char *why, size_t size)
{
    snprintf(why, size, errno == EEXIST ? "%.100s exists: give another name" : "%.100s can't be created: %s", name,
             strerror(errno));
    return -1;
}

/** A second name of the file, where that can be; else the name is taken, and filled at the end. */
static int keep(void *user, const char *name, char *why, size_t size)
{
    live *l = user;
    if (*l->kept) {
        snprintf(why, size, "it is kept already, as %.100s", l->kept);
        return -1;
    }
    l->linked = link(l->trace, name) == 0;
    if (!l->linked && errno == EEXIST)
        return failed_to_keep(name, why, size);
    int fd = l->linked ? -1 : open(name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (!l->linked && fd < 0)
        return failed_to_keep(name, why, size);
    if (fd >= 0)
        close(fd);
    else
        chmod(name, 0644);
    snprintf(l->kept, sizeof l->kept, "%s", name);
    return 0;
}

static int copy(const char *from, const char *to)
{
    static char bytes[1 << 16];
    int in = open(from, O_RDONLY | O_CLOEXEC), out = open(to, O_WRONLY | O_TRUNC | O_CLOEXEC);
    ssize_t n = -1;
    while (in >= 0 && out >= 0 && (n = read(in, bytes, sizeof bytes)) > 0)
        if (write(out, bytes, (size_t)n) != n) {
            n = -1;
            break;
        }
    int why = errno;
    if (in >= 0)
        close(in);
    if (out >= 0 && close(out) < 0)
        n = -1;
    if (n == 0)
        return 0;
    cli_say("%s: %s; the recording stays in %s", to, strerror(why), from);
    return CLI_EXIT_OUTPUT;
}

/** The recorder has ended. */
static int finish_kept(live *l)
{
    if (!*l->kept)
        return 0;
    int code = l->linked ? 0 : copy(l->trace, l->kept);
    if (code == 0)
        cli_say("kept as %s", l->kept);
    else
        *l->trace = '\0'; /* not removed */
    return code;
}

/** What the program printed is not thrown away unseen; nor is the file into which it still prints. */
static void tell_output(live *l)
{
    struct stat st;
    if (!l->args->rest_count || stat(l->output, &st) < 0 || (st.st_size == 0 && !l->let_go))
        return;
    cli_say(l->let_go ? "the program goes on; what it prints is in %s" : "what the program printed is in %s", l->output);
    *l->output = '\0';
}

/* ---- the command ---------------------------------------------------------------------------------------------------- */

static int check(const cli_args *args)
{
    bool pid = cli_args_has(args, CLI_OPT_PID);
    if (pid && args->rest_count)
        return cli_usage_error(args->command, "--pid and a program to be started exclude each other");
    if (!pid && !args->rest_count)
        return cli_usage_error(args->command, "a program is missing, or --pid");
    if (!cli_view_theme_is_known(args))
        return cli_usage_error(args->command, "--theme: there are dark, light, safe, 16 and mono");
    if (!isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO))
        return cli_usage_error(args->command, "a live view needs a terminal; golanes record writes a file");
    return 0;
}

static int watch(live *l)
{
    int code = start_recorder(l);
    if (code == 0)
        code = await_events(l);
    if (code < 0) {
        show_output(l);
        remove_file(l->output);
        return WIFEXITED(l->status) && WEXITSTATUS(l->status) ? WEXITSTATUS(l->status) : CLI_EXIT_INPUT;
    }
    char notice[320];
    snprintf(notice, sizeof notice, "what the program prints goes into %s", l->output);
    gl_live hooks = {l->name, l->args->rest_count ? notice : NULL, keep, l};
    if (code == 0)
        code = cli_view_live(l->args, l->reader, l->name, &hooks);
    return code;
}

static int run_live(const cli_args *args)
{
    live l = {.args = args, .leash = -1};
    int code = check(args);
    if (code)
        return code;
    code = make_files(&l);
    if (code == 0) {
        propose_name(&l);
        code = watch(&l);
    }
    end_recorder(&l);
    gl_reader_close(l.reader);
    int kept = finish_kept(&l);
    tell_output(&l);
    remove_file(l.trace);
    remove_file(l.output);
    return code ? code : kept;
}

const cli_command cli_command_live = {
    .name = "live", .operands = "PROGRAM...", .program = true, .run = run_live,
    .brief = "record a program and watch it in the terminal meanwhile",
    .description =
        "Records like golanes-record(1), into a temporary file, and shows it like golanes-view(1) while it grows. With --pid a "
        "running program is joined; leaving lets it go on as it was. A program that is started runs beside the viewer, without "
        "the terminal: its input is empty, and what it prints goes into a file, which is named at the end. When the viewer is "
        "left before the program has ended, the program goes on, unrecorded.\n\n"
        "w keeps the recording: it asks for a name. Leaving with q asks whether to keep it, where that has not been done; else "
        "it is gone. The program's end does not end the view.",
    CLI_OPTIONS(CLI_OPT_PID, CLI_OPT_FOLLOW, CLI_OPT_RECORD_STACKS, CLI_OPT_VIEW, CLI_OPT_THEME, CLI_OPT_ASCII,
                CLI_OPT_HELP),
    .examples = {{"golanes live --pid $(pidof server)", "Look into a server; q leaves it as it was."},
                 {"golanes live ./server -addr :8080", "Start it, and watch it from its first instruction on."}},
};
