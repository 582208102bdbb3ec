/* Manual pages as scdoc(5) text, made from the table. */
#include "help.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

/* Escapes what scdoc takes as markup. */
static void add_plain(const char *s, gl_text *out)
{
    for (; *s; s++) {
        if (strchr("\\*_<>", *s) || (*s == '.' && s[1] == '.') || *s == '#')
            gl_text_str(out, "\\");
        gl_text_add(out, s, 1);
    }
}

static void add_heading(const char *name, gl_text *out)
{
    gl_text_printf(out, "\n# %s\n\n", name);
}

static void page_name(const cli_command *c, char *name, size_t n)
{
    snprintf(name, n, "golanes%s%s", c ? "-" : "", c ? c->name : "");
}

/* "[COMMAND]" and "NAME[,NAME...]": words in capitals are underlined, the rest stays. */
static void add_placeholder(const char *s, gl_text *out)
{
    while (*s) {
        size_t n = strspn(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZ");
        if (n) {
            gl_text_printf(out, "_%.*s_", (int)n, s);
            s += n;
        } else {
            char one[2] = {*s++, '\0'};
            gl_text_printf(out, "%s%s", strchr("[].,", one[0]) ? "\\" : "", one);
        }
    }
}

static void add_option(const cli_option *o, gl_text *out)
{
    if (o->letter)
        gl_text_printf(out, "*-%c*, ", o->letter);
    gl_text_printf(out, "*--%s*", o->name);
    if (o->value) {
        gl_text_str(out, " ");
        add_placeholder(o->value, out);
    }
    gl_text_str(out, "\n\t");
    add_plain(o->help, out);
    gl_text_str(out, "\n\n");
}

static void add_command_options(const cli_command *c, gl_text *out)
{
    add_heading("OPTIONS", out);
    const char *heading = "";
    bool done[CLI_COMMAND_OPTIONS_MAX] = {false};
    for (size_t i = 0; i < c->option_count; i++) {
        if (done[i])
            continue;
        heading = cli_options[c->options[i]].heading;
        gl_text_printf(out, "## %s\n\n", heading);
        for (size_t j = i; j < c->option_count; j++)
            if (strcmp(cli_options[c->options[j]].heading, heading) == 0) {
                add_option(&cli_options[c->options[j]], out);
                done[j] = true;
            }
    }
    out->n--; /* one empty line less before the next heading */
}

static void add_commands(gl_text *out)
{
    add_heading("COMMANDS", out);
    for (size_t i = 0; i < cli_command_count; i++) {
        gl_text_printf(out, "*golanes-%s*(1)\n\t", cli_commands[i]->name);
        add_plain(cli_commands[i]->brief, out);
        gl_text_str(out, "\n\n");
    }
    out->n--;
}

static void add_exit_status(const cli_command *c, gl_text *out)
{
    add_heading("EXIT STATUS", out);
    const cli_exit *exits = c && c->exits ? c->exits : cli_exits;
    size_t n = c && c->exits ? c->exit_count : cli_exit_count;
    for (size_t i = 0; i < n; i++) {
        gl_text_printf(out, "*%d*\n\t", exits[i].code);
        add_plain(exits[i].meaning, out);
        gl_text_str(out, "\n\n");
    }
    out->n--;
}

static void add_environment(gl_text *out)
{
    add_heading("ENVIRONMENT", out);
    for (size_t i = 0; i < cli_variable_count; i++) {
        gl_text_str(out, "*");
        for (const char *s = cli_variables[i].name; *s; s++)
            gl_text_printf(out, "%s%c", *s == '_' ? "\\" : "", *s);
        gl_text_str(out, "*\n\t");
        add_plain(cli_variables[i].meaning, out);
        gl_text_str(out, "\n\n");
    }
    out->n--;
}

static void add_example(const cli_example *e, gl_text *out)
{
    add_plain(e->says, out);
    gl_text_printf(out, "\n\n```\n%s\n```\n\n", e->line);
}

static void add_examples(const cli_command *c, gl_text *out)
{
    bool some = false;
    for (size_t i = 0; i < cli_command_count; i++) {
        const cli_command *each = cli_commands[i];
        if (c && each != c)
            continue;
        /* The page of the whole shows the first example of each command. */
        size_t most = c ? CLI_COMMAND_EXAMPLES_MAX : 1;
        for (size_t k = 0; k < most && each->examples[k].line; k++) {
            if (!some)
                add_heading("EXAMPLES", out);
            some = true;
            add_example(&each->examples[k], out);
        }
    }
    out->n -= some;
}

static void add_see_also(const cli_command *c, gl_text *out)
{
    add_heading("SEE ALSO", out);
    if (c)
        gl_text_str(out, "*golanes*(1), ");
    for (size_t i = 0; i < cli_command_count; i++)
        if (cli_commands[i] != c)
            gl_text_printf(out, "*golanes-%s*(1), ", cli_commands[i]->name);
    gl_text_str(out, "*golanes-format*(5), *golanes-config*(5)\n");
}

void cli_help_scdoc(const cli_command *c, gl_text *out)
{
    char name[64];
    page_name(c, name, sizeof name);
    gl_text_printf(out, "%s(1) \"\" \"golanes %s\"\n", name, GOLANES_VERSION);
    add_heading("NAME", out);
    gl_text_printf(out, "%s - ", name);
    add_plain(c ? c->brief : cli_about, out);
    gl_text_str(out, "\n");
    add_heading("SYNOPSIS", out);
    if (c) {
        gl_text_printf(out, "*golanes %s*%s%s", c->name, c->option_count > 1 ? " \\[_OPTION_...\\]" : "",
                       *c->operands ? " " : "");
        add_placeholder(c->operands, out);
    } else {
        gl_text_str(out, "*golanes* _COMMAND_ \\[_OPTION_...\\] \\[_FILE_\\]++\n*golanes* _FILE_");
    }
    gl_text_str(out, "\n");
    add_heading("DESCRIPTION", out);
    add_plain(c ? c->description : cli_about_description, out);
    gl_text_str(out, "\n");
    if (c)
        add_command_options(c, out);
    else
        add_commands(out);
    if (c && c->page_more)
        c->page_more(out);
    add_exit_status(c, out);
    add_environment(out);
    add_examples(c, out);
    add_see_also(c, out);
    /* The lengths were cut by hand above; the buffer stays NUL-terminated by the last addition. */
}
