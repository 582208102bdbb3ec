#include "commands.h"
#include "run.h"
#include "view.h"

#include <string.h>

const char cli_about[] = "execution traces of Go programs, read in a terminal";
const char cli_about_description[] =
    "golanes reads execution traces of Go programs, from Go 1.5 to Go 1.27, and its own trace files (.lanes), which are "
    "smaller, need no parsing as a whole, and stay readable when their writer is killed.\n\n"
    "Every reading command takes a Go trace as it takes a .lanes file; either may be packed with gzip or zstd, come from "
    "standard input (-), or be fetched from a running program (http://HOST:PORT, which asks for /debug/pprof/trace). What "
    "a file is, is found from its bytes, never from its name.\n\n"
    "golanes FILE, without a command, prints the summary of FILE.";

const cli_exit cli_exits[] = {
    {CLI_EXIT_DONE, "Done. A damaged or incomplete trace that could be read counts as done: what was lost is said on standard "
                    "error. So does a listing whose reader went away, as head(1) does."},
    {CLI_EXIT_DAMAGED, "Done, but the trace is damaged or incomplete, and --strict was given."},
    {CLI_EXIT_USAGE, "The command line was wrong."},
    {CLI_EXIT_INPUT, "The input could not be read, or is not a trace."},
    {CLI_EXIT_OUTPUT, "The output could not be written."},
    {CLI_EXIT_SYSTEM, "The system refused something else, such as memory."},
    {CLI_EXIT_INTERRUPTED, "Interrupted (SIGINT). What an import had written by then is kept, and can be read."},
    {CLI_EXIT_TERMINATED, "Terminated (SIGTERM). As above."},
};
const size_t cli_exit_count = sizeof cli_exits / sizeof *cli_exits;

const cli_variable cli_variables[] = {
    {"TMPDIR", "Where packed or piped input is unpacked while it is read (else /tmp). The files there have no name and go "
               "away with golanes."},
    {"COLUMNS", "Width of text output, where it is set; else that of the terminal, else 100."},
    {"http_proxy, no_proxy", "As curl(1) has them, for traces fetched over HTTP."},
};
const size_t cli_variable_count = sizeof cli_variables / sizeof *cli_variables;

static const char in_general[] = "General";
static const char in_selection[] = "Selection";
static const char in_output[] = "Output";
static const char in_input[] = "Input";

const cli_option cli_options[CLI_OPT_COUNT_] = {
    [CLI_OPT_HELP] = {.name = "help", .letter = 'h', .heading = in_general, .help = "Print this help and exit."},
    [CLI_OPT_VERSION] = {.name = "version", .letter = 'V', .heading = in_general, .help = "Print the version and exit."},
    [CLI_OPT_QUIET] = {.name = "quiet", .letter = 'q', .heading = in_general,
                       .help = "No progress line, no warnings, no closing line; errors only."},
    [CLI_OPT_STRICT] = {.name = "strict", .heading = in_general,
                        .help = "Exit with 1 where the trace is damaged or incomplete."},
    [CLI_OPT_SECONDS] = {.name = "seconds", .kind = CLI_NUMBER, .value = "N", .least = 1, .most = 3600, .heading = in_input,
                         .help = "How long to trace a program named by http://HOST:PORT. The default is 5."},
    [CLI_OPT_JSON] = {.name = "json", .letter = 'j', .heading = in_output,
                      .help = "Print JSON. Times are whole nanoseconds since the start of the trace."},
    [CLI_OPT_OUTPUT] = {.name = "output", .letter = 'o', .kind = CLI_PATH, .value = "OUT", .heading = in_output,
                        .help = "The file to write. The default is the input's name, its ending replaced by .lanes, beside "
                                "the input; for standard input it must be given, for a program it is HOST-PORT.lanes in the "
                                "current folder."},
    [CLI_OPT_FORCE] = {.name = "force", .letter = 'f', .heading = in_output, .help = "Overwrite OUT where it exists."},
    [CLI_OPT_BINARY] = {.name = "binary", .letter = 'b', .kind = CLI_PATH, .value = "FILE", .heading = in_input,
                        .help = "The traced program. Only traces of Go 1.5 and 1.6 need it: they hold addresses without "
                                "names."},
    [CLI_OPT_LEVEL] = {.name = "level", .kind = CLI_NUMBER, .value = "N", .least = 1, .most = 19, .heading = in_output,
                       .help = "How hard to compress (zstd level). The default is 1."},
    [CLI_OPT_THREADS] = {.name = "threads", .kind = CLI_NUMBER, .value = "N", .least = 0, .most = 64, .heading = in_general,
                         .help = "Threads that compress beside the one that reads. The default is one less than there are "
                                 "processors, at most 4."},
    [CLI_OPT_FROM] = {.name = "from", .kind = CLI_TIME, .value = "TIME", .heading = in_selection,
                      .help = "Only events at or after TIME, from the start of the trace: 1.5ms, 2s, 500us, 120ns, 1m30s."},
    [CLI_OPT_TO] = {.name = "to", .kind = CLI_TIME, .value = "TIME", .heading = in_selection,
                    .help = "Only events before TIME."},
    [CLI_OPT_GOROUTINE] = {.name = "goroutine", .letter = 'g', .kind = CLI_NUMBER, .repeatable = true, .value = "N",
                           .least = 0, .most = UINT64_MAX, .heading = in_selection,
                           .help = "Only events that happened in goroutine N or name it. May be given several times."},
    [CLI_OPT_TYPE] = {.name = "type", .letter = 't', .kind = CLI_TYPES, .repeatable = true, .value = "NAME[,NAME...]",
                      .heading = in_selection,
                      .help = "Only events of these names (GoBlock), or operations (GoSyscall is GoSyscallBegin and "
                              "GoSyscallEnd). Upper and lower case are the same."},
    [CLI_OPT_GREP] = {.name = "grep", .letter = 'e', .kind = CLI_TEXT, .value = "REGEX", .heading = in_selection,
                      .help = "Only events with a match, as Perl has regular expressions, in their texts (reasons, log "
                              "messages, names of tasks and regions) or in a function or file of their stacks."},
    [CLI_OPT_IGNORE_CASE] = {.name = "ignore-case", .letter = 'i', .heading = in_selection,
                             .help = "Let --grep take upper and lower case as the same."},
    [CLI_OPT_STACKS] = {.name = "stacks", .letter = 's', .heading = in_output,
                        .help = "Print whole stacks, innermost function first, not only where the event happened."},
    [CLI_OPT_WALL] = {.name = "wall", .letter = 'w', .heading = in_output,
                      .help = "Print wall-clock times (UTC). Traces before Go 1.25 do not have them."},
    [CLI_OPT_COUNT] = {.name = "count", .letter = 'c', .heading = in_output,
                       .help = "Print only how many events there are."},
    [CLI_OPT_LIMIT] = {.name = "limit", .letter = 'n', .kind = CLI_NUMBER, .value = "N", .least = 0, .most = UINT64_MAX,
                       .heading = in_selection, .help = "Stop after N events."},
    [CLI_OPT_WIDTH] = {.name = "width", .kind = CLI_NUMBER, .value = "N", .least = 40, .most = 10000, .heading = in_output,
                       .help = "Fit the text into N columns. The default is the terminal's width, or 100."},
    [CLI_OPT_TOP] = {.name = "top", .kind = CLI_NUMBER, .value = "N", .least = 0, .most = 100000, .heading = in_output,
                     .help = "Print at most N rows of each table; 0 prints all."},
    [CLI_OPT_REPAIR_OUTPUT] = {.name = "output", .letter = 'o', .kind = CLI_PATH, .value = "OUT", .heading = in_output,
                               .help = "The file to write. The default is to replace FILE, at the end and at once."},
    [CLI_OPT_RENDER] = {.name = "render", .kind = CLI_TEXT, .value = "SIZE", .heading = in_output,
                        .help = "Print the screen that a terminal of SIZE (120x40: columns, lines) would show, and exit."},
    [CLI_OPT_AT] = {.name = "at", .kind = CLI_TIME, .value = "TIME", .heading = in_selection,
                    .help = "Put the cursor at TIME, from the start of the trace: 1.5ms, 2s, 500us."},
    [CLI_OPT_SPAN] = {.name = "span", .kind = CLI_TIME, .value = "TIME", .heading = in_selection,
                      .help = "Show this much time, around the cursor. The default is the whole trace."},
    [CLI_OPT_VIEW] = {.name = "view", .kind = CLI_TEXT, .value = "NAME", .heading = in_selection,
                      .help = "Begin with this view: goroutines, processors, straddles, pauses, stuck or groups, or its digit."},
    [CLI_OPT_KEYS] = {.name = "keys", .kind = CLI_TEXT, .value = "KEYS", .heading = in_selection,
                      .help = "With --render: press these keys first, separated by spaces (\"X Down b\")."},
    [CLI_OPT_THEME] = {.name = "theme", .kind = CLI_TEXT, .value = "NAME", .heading = in_output,
                       .help = "Colours: dark, light, safe (told apart by every kind of colour vision), 16 (the terminal's "
                               "own) or mono. The default follows the terminal, COLORFGBG and NO_COLOR."},
    [CLI_OPT_ASCII] = {.name = "ascii", .heading = in_output, .help = "Draw with ASCII only. The default outside UTF-8."},
    [CLI_OPT_ANSI] = {.name = "ansi", .heading = in_output, .help = "With --render: with the escape sequences of a terminal."},
    [CLI_OPT_SVG] = {.name = "svg", .heading = in_output, .help = "With --render: as an SVG picture."},
    [CLI_OPT_HTML] = {.name = "html", .heading = in_output, .help = "With --render: as an HTML page."},
    [CLI_OPT_SCDOC] = {.name = "scdoc", .heading = in_output,
                       .help = "Print the manual page as scdoc(5) text; without COMMAND, that of golanes itself."},
    [CLI_OPT_COMPLETION] = {.name = "completion", .kind = CLI_SHELL, .value = "SHELL", .heading = in_output,
                            .help = "Print the completions for bash, zsh or fish."},
};

#define OPTIONS(...) .option_count = sizeof((cli_id[]){__VA_ARGS__}) / sizeof(cli_id), .options = {__VA_ARGS__}

const cli_command cli_commands[] = {
    {.name = "summary", .operands = "FILE", .operands_min = 1, .operands_max = 1, .run = cli_run_summary,
     .brief = "what happened in a trace, on one page",
     .description = "Prints what a trace says as a whole: how long it is, where goroutines spent their time, garbage "
                    "collections and pauses, the sends that a pause cut, who waited for what and where, and what is still "
                    "blocked at the end. With --json every figure, for scripts and for gates in a build.",
     OPTIONS(CLI_OPT_JSON, CLI_OPT_WIDTH, CLI_OPT_TOP, CLI_OPT_SECONDS, CLI_OPT_STRICT, CLI_OPT_QUIET, CLI_OPT_HELP),
     .examples = {{"golanes summary server.trace", "The page for a trace that Go wrote."},
                  {"golanes summary --json run.lanes | jq .stw", "One part of the figures."},
                  {"golanes summary --seconds 10 http://localhost:6060", "Trace a running server for ten seconds."}}},
    {.name = "view", .operands = "FILE", .operands_min = 1, .operands_max = 1, .run = cli_run_view,
     .brief = "look at a trace in the terminal",
     .description =
         "Shows a lane for each goroutine, time to the right: what it did as colour and glyph, stop-the-world pauses as bands "
         "across all lanes, and the channel sends that straddle a GC pause lit up. The cursor starts on the worst of them. "
         "? shows the legend and all keys.\n\n"
         "A .lanes file that is still being written is followed. A Go trace is imported behind the screen, which shows what has "
         "come so far.\n\n"
         "With --render the same screen is printed instead, as text or as a picture, for reports, chat and documents.",
     OPTIONS(CLI_OPT_AT, CLI_OPT_SPAN, CLI_OPT_VIEW, CLI_OPT_KEYS, CLI_OPT_THEME, CLI_OPT_ASCII, CLI_OPT_RENDER, CLI_OPT_ANSI,
             CLI_OPT_SVG, CLI_OPT_HTML, CLI_OPT_SECONDS, CLI_OPT_QUIET, CLI_OPT_HELP),
     .page_more = cli_view_keys,
     .examples = {{"golanes view server.trace", "Look at a trace that Go wrote."},
                  {"golanes view --at 14.2ms --span 3ms run.lanes", "Begin with three milliseconds around a moment."},
                  {"golanes view --render 120x40 --keys X --svg run.lanes > worst.svg", "A picture of the worst straddling send."}}},
    {.name = "info", .operands = "FILE", .operands_min = 1, .operands_max = 1, .run = cli_run_info,
     .brief = "what a file is, without reading all of it",
     .description = "Prints what kind of file it is, the Go version, the length of the trace, when it was taken, events by "
                    "name, sizes of the parts, and what is missing or damaged. Of a .lanes file only the index is read; of a "
                    "Go trace only the headers of its batches, so that figures which that cannot tell are left out or "
                    "marked as estimates.",
     OPTIONS(CLI_OPT_JSON, CLI_OPT_WIDTH, CLI_OPT_SECONDS, CLI_OPT_STRICT, CLI_OPT_QUIET, CLI_OPT_HELP),
     .examples = {{"golanes info big.trace", "What is in this file?"},
                  {"golanes info --strict --quiet run.lanes", "Succeeds only where nothing is missing."}}},
    {.name = "events", .operands = "FILE", .operands_min = 1, .operands_max = 1, .run = cli_run_events,
     .brief = "list, search and count events",
     .description =
         "Prints one line for each event, in the order of the trace: time, name, thread (M), processor (P), goroutine (G), "
         "arguments by name, and the function and line where it happened. \"-\" stands for none.\n\n"
         "With --json each line is an object: t (ns), name, m, p, g, args (by the names of golanes-format(5)), func, file and "
         "line, or stack with --stacks, and flags. Absent keys mean none or not known.\n\n"
         "Selections narrow each other; several --type or --goroutine widen their own.",
     OPTIONS(CLI_OPT_FROM, CLI_OPT_TO, CLI_OPT_GOROUTINE, CLI_OPT_TYPE, CLI_OPT_GREP, CLI_OPT_IGNORE_CASE, CLI_OPT_LIMIT,
             CLI_OPT_JSON, CLI_OPT_STACKS, CLI_OPT_WALL, CLI_OPT_COUNT, CLI_OPT_SECONDS, CLI_OPT_STRICT, CLI_OPT_QUIET,
             CLI_OPT_HELP),
     .examples = {{"golanes events --goroutine 37 --from 14ms --to 16ms run.lanes", "Two milliseconds of one goroutine."},
                  {"golanes events --type gcstw --stacks server.trace", "Every stop-the-world, and who asked for it."},
                  {"golanes events --type GoBlock --grep 'chan send' --count run.lanes", "How many sends had to wait."},
                  {"golanes events --json run.lanes | jq -r 'select(.name==\"UserLog\").args.message'",
                   "The program's own log."}}},
    {.name = "import", .operands = "FILE", .operands_min = 1, .operands_max = 1, .run = cli_run_import,
     .brief = "turn a Go trace into a .lanes file",
     .description =
         "Reads a Go trace and writes the same events as a .lanes file, which opens at once whatever its size. A damaged "
         "or cut trace is imported as far as it is sound, with a mark wherever something is missing.\n\n"
         "OUT is written in place and can be read while it grows; an import that is interrupted leaves what it had.",
     OPTIONS(CLI_OPT_OUTPUT, CLI_OPT_FORCE, CLI_OPT_LEVEL, CLI_OPT_BINARY, CLI_OPT_SECONDS, CLI_OPT_THREADS, CLI_OPT_STRICT,
             CLI_OPT_QUIET, CLI_OPT_HELP),
     .examples = {{"golanes import server.trace", "Writes server.lanes."},
                  {"ssh host cat /tmp/run.trace.zst | golanes import -o run.lanes -", "From another machine."},
                  {"golanes import --seconds 30 -o now.lanes http://localhost:6060", "From a running program."}}},
    {.name = "repair", .operands = "FILE", .operands_min = 1, .operands_max = 1, .run = cli_run_repair,
     .brief = "rebuild a .lanes file that was cut or damaged",
     .description = "Writes what is readable in a .lanes file again, with a new index. Reading commands take damaged files as "
                    "they are; a repaired one opens faster and can be handed on.",
     OPTIONS(CLI_OPT_REPAIR_OUTPUT, CLI_OPT_FORCE, CLI_OPT_QUIET, CLI_OPT_HELP),
     .examples = {{"golanes repair -o whole.lanes killed.lanes", "Keeps the damaged file."}}},
    {.name = "help", .operands = "[COMMAND]", .operands_max = 1, .run = cli_run_help,
     .brief = "print help, manual pages, shell completions",
     .description = "Prints the list of commands, or the help of one.",
     OPTIONS(CLI_OPT_SCDOC, CLI_OPT_COMPLETION, CLI_OPT_HELP),
     .examples = {{"golanes help events", "The same as golanes events --help."},
                  {"golanes help --completion bash > ~/.local/share/bash-completion/completions/golanes",
                   "Completions for one user."}}},
    {.name = "version", .operands = "", .run = cli_run_version,
     .brief = "print the version",
     .description = "Prints the version of golanes and of the libraries that it runs with.",
     OPTIONS(CLI_OPT_HELP)},
};
const size_t cli_command_count = sizeof cli_commands / sizeof *cli_commands;

const cli_command *cli_command_find(const char *name)
{
    for (size_t i = 0; i < cli_command_count; i++)
        if (strcmp(cli_commands[i].name, name) == 0)
            return &cli_commands[i];
    return NULL;
}
