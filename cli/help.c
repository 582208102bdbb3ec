#include "help.h"
#include "args.h"
#include "curl_late.h"
#include "out.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>
#include <zlib.h>
#include <zstd.h>

#define OPTION_COLUMN 28

static void add_usage(const cli_command *c, gl_text *out)
{
    if (!c) {
        gl_text_str(out, "Usage: golanes COMMAND [OPTION...] [FILE]\n       golanes FILE\n");
        return;
    }
    gl_text_printf(out, "Usage: golanes %s%s%s%s\n", c->name, c->option_count > 1 ? " [OPTION...]" : "", *c->operands ? " " : "",
                   c->operands);
}

/* A description: paragraphs, each filled to the width. */
static void add_paragraphs(const char *text, size_t width, gl_text *out)
{
    while (*text) {
        const char *end = strstr(text, "\n\n");
        size_t n = end ? (size_t)(end - text) : strlen(text);
        char paragraph[2048];
        snprintf(paragraph, sizeof paragraph, "%.*s", (int)n, text);
        gl_text_wrap(out, paragraph, width, 0);
        gl_text_str(out, end ? "\n\n" : "\n");
        text += n + (end ? 2 : 0);
    }
}

/* Two columns: a short text, and sentences beside it, or below where the first is too long. */
static void add_entry(const char *left, const char *right, size_t width, size_t column, gl_text *out)
{
    size_t used = gl_text_width(left, strlen(left));
    gl_text_str(out, left);
    if (width < column + 20) { /* too narrow for two columns */
        gl_text_str(out, "\n      ");
        gl_text wrapped = {0};
        gl_text_wrap(&wrapped, right, width > 26 ? width - 6 : 20, 6);
        gl_text_str(out, wrapped.bytes ? wrapped.bytes : "");
        gl_text_clean_up(&wrapped);
        gl_text_str(out, "\n");
        return;
    }
    if (used + 2 > column) {
        gl_text_str(out, "\n");
        used = 0;
    }
    gl_text_repeat(out, " ", column - used);
    gl_text wrapped = {0};
    gl_text_wrap(&wrapped, right, width - column, 0);
    for (const char *s = wrapped.bytes ? wrapped.bytes : ""; *s; s++) {
        gl_text_add(out, s, 1);
        if (*s == '\n')
            gl_text_repeat(out, " ", column);
    }
    gl_text_clean_up(&wrapped);
    gl_text_str(out, "\n");
}

static void option_left(const cli_option *o, char *left, size_t n)
{
    char letter[8] = "    ";
    if (o->letter)
        snprintf(letter, sizeof letter, "-%c, ", o->letter);
    snprintf(left, n, "  %s--%s%s%s", letter, o->name, o->value ? " " : "", o->value ? o->value : "");
}

/* The headings in the order in which the command's options first name them. */
static size_t headings_of(const cli_command *c, const char **headings)
{
    size_t n = 0;
    for (size_t i = 0; i < c->option_count; i++) {
        const char *heading = cli_options[c->options[i]].heading;
        size_t j = 0;
        while (j < n && strcmp(headings[j], heading) != 0)
            j++;
        if (j == n)
            headings[n++] = heading;
    }
    return n;
}

static void add_options(const cli_command *c, size_t width, gl_text *out)
{
    const char *headings[CLI_COMMAND_OPTIONS_MAX];
    size_t n = headings_of(c, headings);
    for (size_t h = 0; h < n; h++) {
        gl_text_printf(out, "\n%s\n", headings[h]);
        for (size_t i = 0; i < c->option_count; i++) {
            const cli_option *o = &cli_options[c->options[i]];
            if (strcmp(o->heading, headings[h]) != 0)
                continue;
            char left[128];
            option_left(o, left, sizeof left);
            add_entry(left, o->help, width, OPTION_COLUMN, out);
        }
    }
}

static void add_exits(const cli_command *c, size_t width, gl_text *out)
{
    gl_text_str(out, "\nExit status\n");
    const cli_exit *exits = c && c->exits ? c->exits : cli_exits;
    size_t n = c && c->exits ? c->exit_count : cli_exit_count;
    for (size_t i = 0; i < n; i++) {
        char left[16];
        snprintf(left, sizeof left, "  %d", exits[i].code);
        add_entry(left, exits[i].meaning, width, 7, out);
    }
}

static void add_command_help(const cli_command *c, size_t width, gl_text *out)
{
    add_usage(c, out);
    gl_text_str(out, "\n");
    add_paragraphs(c->description, width, out);
    add_options(c, width, out);
    if (c->examples[0].line)
        gl_text_str(out, "\nExamples\n");
    for (size_t i = 0; i < CLI_COMMAND_EXAMPLES_MAX && c->examples[i].line; i++)
        gl_text_printf(out, "  %s\n      %s\n", c->examples[i].line, c->examples[i].says);
    if (c->operands_max && c != &cli_command_help)
        add_exits(c, width, out);
}

void cli_help_text(const cli_command *command, size_t width, gl_text *out)
{
    if (command) {
        add_command_help(command, width, out);
        return;
    }
    gl_text_printf(out, "golanes: %s\n\n", cli_about);
    add_usage(NULL, out);
    gl_text_str(out, "\nCommands\n");
    for (size_t i = 0; i < cli_command_count; i++) {
        char left[64];
        snprintf(left, sizeof left, "  %s %s", cli_commands[i]->name, cli_commands[i]->operands);
        add_entry(left, cli_commands[i]->brief, width, OPTION_COLUMN - 6, out);
    }
    gl_text_str(out, "\n");
    add_paragraphs(cli_about_description, width, out);
    gl_text_str(out, "\nEnvironment\n");
    for (size_t i = 0; i < cli_variable_count; i++) {
        char left[64];
        snprintf(left, sizeof left, "  %s", cli_variables[i].name);
        add_entry(left, cli_variables[i].meaning, width, OPTION_COLUMN - 6, out);
    }
    add_exits(NULL, width, out);
    gl_text_str(out, "\ngolanes COMMAND --help says more of each.\n");
}

static int print(gl_text *text)
{
    static cli_out out;
    cli_out_init(&out, STDOUT_FILENO);
    int rc = CLI_EXIT_DONE;
    if (text->failed || !text->bytes) {
        fprintf(stderr, "golanes: no memory\n");
        rc = CLI_EXIT_SYSTEM;
    } else {
        cli_out_add(&out, text->bytes, text->n);
        rc = cli_out_finish(&out);
    }
    gl_text_clean_up(text);
    return rc;
}

static size_t help_width(void)
{
    size_t width = gl_text_terminal_width(STDOUT_FILENO, 100);
    return width > 100 ? 100 : width;
}

static int operand_command(const cli_args *args, const cli_command **out)
{
    *out = NULL;
    if (args->operand_count == 0 || strcmp(args->operands[0], "golanes") == 0)
        return 0;
    *out = cli_command_find(args->operands[0]);
    return *out ? 0 : cli_usage_error(args->command, "there is no command '%.60s'", args->operands[0]);
}

static int run_help(const cli_args *args)
{
    gl_text text = {0};
    const cli_command *command = NULL;
    int rc = operand_command(args, &command);
    if (rc)
        return rc;
    const char *shell = cli_args_text(args, CLI_OPT_COMPLETION, NULL);
    if (shell)
        cli_help_completion(shell, &text);
    else if (cli_args_has(args, CLI_OPT_SCDOC))
        cli_help_scdoc(command, &text);
    else
        cli_help_text(command, help_width(), &text);
    return print(&text);
}

const cli_command cli_command_help = {
    .name = "help", .operands = "[COMMAND]", .operands_max = 1, .run = run_help,
    .brief = "print help, manual pages, shell completions",
    .description = "Prints the list of commands, or the help of one.",
    CLI_OPTIONS(CLI_OPT_SCDOC, CLI_OPT_COMPLETION, CLI_OPT_HELP),
    .examples = {{"golanes help events", "The same as golanes events --help."},
                 {"golanes help --completion bash > ~/.local/share/bash-completion/completions/golanes",
                  "Completions for one user."}},
};

static int run_version(const cli_args *args)
{
    (void)args;
    gl_text text = {0};
    char pcre[64] = "";
    if (pcre2_config(PCRE2_CONFIG_VERSION, NULL) < (int)sizeof pcre)
        pcre2_config(PCRE2_CONFIG_VERSION, pcre);
    gl_text_printf(&text, "golanes %s\nzstd %s, zlib %s, libcurl %s, pcre2 %s\n", GOLANES_VERSION, ZSTD_versionString(),
                   zlibVersion(), gl_curl_version(), pcre);
    return print(&text);
}

const cli_command cli_command_version = {
    .name = "version", .operands = "", .run = run_version,
    .brief = "print the version",
    .description = "Prints the version of golanes and of the libraries that it runs with.",
    CLI_OPTIONS(CLI_OPT_HELP),
};
