/* golanes doctor: can this program be recorded, and what will be seen of it. */
#include "args.h"
#include "doctor.h"
#include "out.h"
#include "report.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "golanes/events.h"

#define LOOKS 5 /* a running program changes while it is looked at: the check may need more than one look */

static bool is_number(const char *s)
{
    size_t n = strspn(s, "0123456789");
    return n > 0 && n <= 9 && s[n] == 0;
}

static void refuse(cli_doctor *d, const gl_error *err)
{
    if (!d->refused[0])
        snprintf(d->refused, sizeof d->refused, "%s", err->text);
}

static void check_host(cli_doctor *d)
{
    struct utsname u;
    if (uname(&u) == 0 && strcmp(u.machine, "x86_64") != 0 && !d->refused[0])
        snprintf(d->refused, sizeof d->refused, "this machine is %s; programs are recorded on x86_64 only", u.machine);
}

static bool all_there(const cli_doctor *d)
{
    return d->program && d->has_layout && d->plan;
}

/* The code of every function that is to be hooked, then what the runtime's structures hold. */
static int check_live(cli_doctor *d, gl_error *err)
{
    gl_gomemory memory = {gl_gomemory_read_pid, &d->pid};
    int rc = gl_goprog_bias(d->program, d->pid, &d->bias, err);
    for (uint32_t i = 0; rc == 0 && i < d->plan->site_count; i++)
        rc = gl_goprog_check_memory(d->program, &memory, d->bias, &d->plan->sites[i].function, 1, err);
    if (rc < 0)
        return rc;
    size_t threads = d->process.thread_count < GL_GOPROCESS_THREADS_MAX ? d->process.thread_count : 0;
    for (int i = 0; i < LOOKS; i++) {
        rc = gl_goprog_check_live(d->program, &d->layout, &d->vars, &memory, d->bias, d->process.threads, threads, err);
        if (rc == 0 || rc == GL_E_NOT_FOUND)
            break;
        usleep(20000);
    }
    return rc;
}

static void look_at_process(cli_doctor *d)
{
    gl_error err = {0};
    if (gl_goprocess_look(d->pid, &d->process, &err) < 0 || gl_goprocess_check(&d->process, &err) < 0) {
        refuse(d, &err);
        return;
    }
    if (d->process.seccomp == 2)
        snprintf(d->note, sizeof d->note,
                 "a seccomp filter is on: where it forbids the system calls that a recorder needs in the process, or can't be "
                 "looked at (that takes CAP_SYS_ADMIN), attaching is refused; started by golanes it can be recorded");
    if (!all_there(d))
        return;
    int rc = check_live(d, &err);
    d->live = rc == 0;
    if (rc < 0)
        refuse(d, &err);
}

/* Stamps are read from the processor's counter, on whatever processor a thread is. */
static void look_at_clock(cli_doctor *d)
{
    gl_goclock_look(&d->clock);
    if (!d->clock.trusted && !d->note[0])
        snprintf(d->note, sizeof d->note,
                 "the processor's counter is not to be relied on here (clock source %s): stamps of different threads may not fit "
                 "each other", d->clock.source);
}

static void look_at_program(cli_doctor *d)
{
    gl_error err = {0};
    gl_goprog_vars(d->program, &d->vars);
    d->has_layout = gl_goprog_layout(d->program, &d->layout, &err) == 0;
    if (!d->has_layout || gl_goplan_make(d->program, &d->layout, &d->plan, &err) < 0) {
        refuse(d, &err);
        return;
    }
    for (unsigned i = 0; i < GL_GOPROBE_COUNT && !d->plan->records; i++)
        if (gl_goprobes[i].needed && !d->plan->probes[i].works && !d->refused[0])
            snprintf(d->refused, sizeof d->refused, "%s: %s", d->name, d->plan->probes[i].why);
    if (d->pid == 0 && gl_goprog_get_info(d->program)->privileged && !d->refused[0])
        snprintf(d->refused, sizeof d->refused,
                 "%s: set-user-ID, set-group-ID or with capabilities, which the kernel drops where a program is traced", d->name);
}

/* Whether a probe gives an event; stand-ins speak through those that they stand for. */
static bool gives(const gl_goprobe *probe, const char *event)
{
    size_t n = strlen(event);
    for (const char *at = probe->stands_for < 0 ? probe->events : ""; (at = strstr(at, event)); at += n)
        if ((at[n] == 0 || at[n] == ' ') && (at == probe->events || at[-1] == ' '))
            return true;
    return false;
}

const char *cli_doctor_objection(const cli_doctor *d, const char *event)
{
    const char *objection = "there is no probe for it";
    for (unsigned i = 0; d->plan && i < GL_GOPROBE_COUNT; i++) {
        if (!gives(&gl_goprobes[i], event))
            continue;
        if (d->plan->probes[i].works)
            return NULL;
        if (d->plan->probes[i].why[0])
            objection = d->plan->probes[i].why;
    }
    return objection;
}

static bool has_probe(const char *event)
{
    for (unsigned i = 0; i < GL_GOPROBE_COUNT; i++)
        if (gives(&gl_goprobes[i], event))
            return true;
    return false;
}

void cli_doctor_events(const cli_doctor *d, void (*fn)(void *user, const char *event, const char *objection), void *user)
{
    for (unsigned code = 1; code < GL_EV_LIMIT; code++) {
        const gl_event_info *e = gl_event_lookup(code);
        if (e && has_probe(e->name))
            fn(user, e->name, cli_doctor_objection(d, e->name));
    }
}

static bool all_seen(const cli_doctor *d)
{
    for (unsigned i = 0; d->plan && i < GL_GOPROBE_COUNT; i++)
        if (d->plan->probes[i].applies && !d->plan->probes[i].works)
            return false;
    return d->plan != NULL;
}

static int print(const cli_doctor *d, const cli_args *args)
{
    static cli_out out;
    static cli_json json;
    cli_out_init(&out, STDOUT_FILENO);
    if (cli_args_has(args, CLI_OPT_JSON)) {
        FILE *stream = cli_out_stream(&out);
        bool whole = stream != NULL;
        if (stream) {
            cli_json_init(&json, stream);
            cli_doctor_json(d, &json);
            whole = cli_json_finish(&json);
            fclose(stream);
        }
        if (!whole && cli_out_open(&out)) {
            cli_say("no memory");
            return CLI_EXIT_SYSTEM;
        }
        return cli_out_finish(&out);
    }
    gl_text text = {0};
    size_t width = (size_t)cli_args_number(args, CLI_OPT_WIDTH, gl_text_terminal_width(STDOUT_FILENO, 100));
    bool failed = cli_doctor_text(d, width, &text) < 0 || text.failed;
    if (failed)
        cli_say("no memory");
    else
        cli_out_add(&out, text.bytes, text.n);
    gl_text_clean_up(&text);
    return failed ? CLI_EXIT_SYSTEM : cli_out_finish(&out);
}

static int run_doctor(const cli_args *args)
{
    static cli_doctor d;
    gl_error err = {0};
    d = (cli_doctor){.name = args->operands[0]};
    d.pid = is_number(d.name) && access(d.name, F_OK) != 0 ? atoi(d.name) : 0;
    int rc = d.pid ? gl_goprocess_look(d.pid, &d.process, &err) : 0;
    if (rc < 0)
        return cli_failed(rc, &err);
    rc = d.pid ? gl_goprog_open_pid(d.pid, &d.program, &d.refusal, &err) : gl_goprog_open(d.name, &d.program, &d.refusal, &err);
    if (rc < 0 && d.refusal == GL_GOPROG_READABLE && !d.pid)
        return cli_failed(rc, &err);
    if (rc < 0 && d.refusal == GL_GOPROG_READABLE) { /* its program is not to be seen: mostly the right is missing */
        look_at_process(&d);
        refuse(&d, &err);
    } else if (rc < 0) {
        refuse(&d, &err);
    } else {
        check_host(&d);
        look_at_program(&d);
        if (d.pid)
            look_at_process(&d);
    }
    look_at_clock(&d);
    int code = print(&d, args);
    if (code == CLI_EXIT_DONE && d.refused[0])
        code = CLI_EXIT_INPUT;
    else if (code == CLI_EXIT_DONE && cli_args_has(args, CLI_OPT_DOCTOR_STRICT) && !all_seen(&d))
        code = CLI_EXIT_DAMAGED;
    gl_goplan_free(d.plan);
    gl_goprog_close(d.program);
    return code;
}

const cli_command cli_command_doctor = {
    .name = "doctor", .operands = "PROGRAM|PID", .operands_min = 1, .operands_max = 1, .run = run_doctor,
    .brief = "whether a Go program can be recorded, and what will be seen",
    .description =
        "Looks over a Go program, or a running process of one, and changes nothing. Prints what was found in it (version, "
        "how it was built, its function table, where the runtime's fields lie and who says so), which events a recording "
        "will have, which it will not have and why; of a process also whether it may be traced, and whether its memory is "
        "that of its file.\n\n"
        "Nothing is guessed: where the program's type metadata, its debug information and what is known of its release do "
        "not agree, where code is not of a known shape, or where a process's structures make no sense, the answer is that "
        "it can't be recorded.\n\n"
        "A file whose name is all digits is taken before a process of that number.\n\n"
        "Exit status: 0 where it can be recorded; 3 where it can't, and the last line says why in one sentence; with "
        "--strict, 1 where it can but some events will be missing.",
    CLI_OPTIONS(CLI_OPT_JSON, CLI_OPT_WIDTH, CLI_OPT_DOCTOR_STRICT, CLI_OPT_HELP),
    .examples = {{"golanes doctor ./server", "What would a recording of it show?"},
                 {"golanes doctor 4711", "May this process be recorded, here and now?"}},
};
