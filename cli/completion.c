/* Completions for the shells, made from the table. */
#include "help.h"

#include "golanes/events.h"

#include <stdio.h>
#include <string.h>

static void each_event_name(gl_text *out, const char *between)
{
    bool first = true;
    for (unsigned code = 1; code < GL_EV_LIMIT; code++) {
        const gl_event_info *info = gl_event_lookup(code);
        if (!info)
            continue;
        gl_text_printf(out, "%s%s", first ? "" : between, info->name);
        first = false;
    }
}

static void each_command_name(gl_text *out, const char *between)
{
    for (size_t i = 0; i < cli_command_count; i++)
        gl_text_printf(out, "%s%s", i ? between : "", cli_commands[i]->name);
}

/* The first sentence of a help text, without its full stop. */
static void add_first_sentence(const char *help, gl_text *out, const char *escape)
{
    const char *end = strstr(help, ". ");
    size_t n = end ? (size_t)(end - help) : strlen(help);
    if (n && help[n - 1] == '.')
        n--;
    for (size_t i = 0; i < n; i++) {
        if (strchr(escape, help[i]))
            gl_text_str(out, "\\");
        gl_text_add(out, &help[i], 1);
    }
}

/* Two commands may mean different things by one name; what its value is they agree on. */
static bool named_before(size_t option)
{
    for (size_t i = 0; i < option; i++)
        if (strcmp(cli_options[i].name, cli_options[option].name) == 0)
            return true;
    return false;
}

static void bash_values(gl_text *out)
{
    gl_text_str(out, "    case $previous in\n");
    for (size_t i = 0; i < CLI_OPT_COUNT_; i++) {
        const cli_option *o = &cli_options[i];
        if (o->kind == CLI_FLAG || named_before(i))
            continue;
        gl_text_printf(out, "    --%s", o->name);
        if (o->letter)
            gl_text_printf(out, "|-%c", o->letter);
        gl_text_str(out, ") ");
        if (o->kind == CLI_PATH)
            gl_text_str(out, "COMPREPLY=($(compgen -f -- \"$word\"))");
        else if (o->kind == CLI_SHELL)
            gl_text_str(out, "COMPREPLY=($(compgen -W 'bash zsh fish' -- \"$word\"))");
        else if (o->kind == CLI_TYPES) {
            gl_text_str(out, "COMPREPLY=($(compgen -P \"$list\" -W '");
            each_event_name(out, " ");
            gl_text_str(out, "' -- \"${word##*,}\"))");
        } else {
            gl_text_str(out, "COMPREPLY=()");
        }
        gl_text_str(out, "; return;;\n");
    }
    gl_text_str(out, "    esac\n");
}

static void bash_completion(gl_text *out)
{
    gl_text_str(out, "# bash completion for golanes; made by: golanes help --completion bash\n"
                     "_golanes()\n{\n"
                     "    local word=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD-1]} list=\n"
                     "    [[ $word == *,* ]] && list=${word%,*},\n"
                     "    if ((COMP_CWORD == 1)); then\n"
                     "        COMPREPLY=($(compgen -W '");
    each_command_name(out, " ");
    gl_text_str(out, " --help --version' -- \"$word\") $(compgen -f -- \"$word\"))\n        return\n    fi\n");
    bash_values(out);
    gl_text_str(out, "    case ${COMP_WORDS[1]} in\n");
    for (size_t i = 0; i < cli_command_count; i++) {
        const cli_command *c = cli_commands[i];
        gl_text_printf(out, "    %s)\n        if [[ $word == -* ]]; then\n            COMPREPLY=($(compgen -W '", c->name);
        for (size_t k = 0; k < c->option_count; k++)
            gl_text_printf(out, "%s--%s", k ? " " : "", cli_options[c->options[k]].name);
        gl_text_str(out, "' -- \"$word\"))\n            return\n        fi;;\n");
    }
    gl_text_str(out, "    esac\n    if [[ ${COMP_WORDS[1]} == help ]]; then\n        COMPREPLY=($(compgen -W '");
    each_command_name(out, " ");
    gl_text_str(out, "' -- \"$word\"))\n    else\n        COMPREPLY=($(compgen -f -- \"$word\"))\n    fi\n}\n"
                     "complete -o filenames -F _golanes golanes\n");
}

static void zsh_option(const cli_option *o, gl_text *out)
{
    gl_text_str(out, " \\\n            '");
    if (o->repeatable)
        gl_text_str(out, "*");
    gl_text_printf(out, "--%s%s[", o->name, o->value ? "=" : "");
    add_first_sentence(o->help, out, "[]:'\\");
    gl_text_str(out, "]");
    if (o->value) {
        gl_text_str(out, ":");
        add_first_sentence(o->value, out, "[]:'\\");
        gl_text_str(out, ":");
    }
    if (o->kind == CLI_PATH)
        gl_text_str(out, "_files");
    else if (o->kind == CLI_SHELL)
        gl_text_str(out, "(bash zsh fish)");
    else if (o->kind == CLI_TYPES) {
        gl_text_str(out, "_sequence compadd - ");
        each_event_name(out, " ");
    }
    gl_text_str(out, "'");
}

static void zsh_completion(gl_text *out)
{
    gl_text_str(out, "#compdef golanes\n# zsh completion for golanes; made by: golanes help --completion zsh\n"
                     "_golanes() {\n    local -a commands\n    commands=(\n");
    for (size_t i = 0; i < cli_command_count; i++)
        gl_text_printf(out, "        '%s:%s'\n", cli_commands[i]->name, cli_commands[i]->brief);
    gl_text_str(out, "    )\n    if (( CURRENT == 2 )); then\n        _describe command commands\n        _files\n"
                     "        return\n    fi\n    local command=$words[2]\n    shift words\n    (( CURRENT-- ))\n"
                     "    case $command in\n");
    for (size_t i = 0; i < cli_command_count; i++) {
        const cli_command *c = cli_commands[i];
        gl_text_printf(out, "        (%s) _arguments", c->name);
        for (size_t k = 0; k < c->option_count; k++)
            zsh_option(&cli_options[c->options[k]], out);
        if (strcmp(c->name, "help") == 0) {
            gl_text_str(out, " \\\n            '1:command:(");
            each_command_name(out, " ");
            gl_text_str(out, ")'");
        } else if (c->operands_max) {
            gl_text_str(out, " \\\n            '1:file:_files'");
        }
        gl_text_str(out, ";;\n");
    }
    gl_text_str(out, "    esac\n}\n_golanes \"$@\"\n");
}

static void fish_option(const cli_command *c, const cli_option *o, gl_text *out)
{
    gl_text_printf(out, "complete -c golanes -n '__fish_seen_subcommand_from %s' -l %s", c->name, o->name);
    if (o->letter)
        gl_text_printf(out, " -s %c", o->letter);
    if (o->kind == CLI_PATH)
        gl_text_str(out, " -r -F");
    else if (o->kind == CLI_SHELL)
        gl_text_str(out, " -x -a 'bash zsh fish'");
    else if (o->kind == CLI_TYPES) {
        gl_text_str(out, " -x -a '(__fish_append , ");
        each_event_name(out, " ");
        gl_text_str(out, ")'");
    } else if (o->kind != CLI_FLAG) {
        gl_text_str(out, " -x");
    }
    gl_text_str(out, " -d '");
    add_first_sentence(o->help, out, "'\\");
    gl_text_str(out, "'\n");
}

static void fish_completion(gl_text *out)
{
    gl_text_str(out, "# fish completion for golanes; made by: golanes help --completion fish\n");
    for (size_t i = 0; i < cli_command_count; i++) {
        gl_text_printf(out, "complete -c golanes -n __fish_use_subcommand -a %s -d '", cli_commands[i]->name);
        add_first_sentence(cli_commands[i]->brief, out, "'\\");
        gl_text_str(out, "'\n");
    }
    for (size_t i = 0; i < cli_command_count; i++)
        for (size_t k = 0; k < cli_commands[i]->option_count; k++)
            fish_option(cli_commands[i], &cli_options[cli_commands[i]->options[k]], out);
    gl_text_str(out, "complete -c golanes -n '__fish_seen_subcommand_from help' -f -a '");
    each_command_name(out, " ");
    gl_text_str(out, "'\n");
}

void cli_help_completion(const char *shell, gl_text *out)
{
    if (strcmp(shell, "bash") == 0)
        bash_completion(out);
    else if (strcmp(shell, "zsh") == 0)
        zsh_completion(out);
    else
        fish_completion(out);
}
