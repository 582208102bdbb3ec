/* From keys and names to commands. */
#include "command.h"
#include "config.h"

#include <stdio.h>
#include <string.h>
#include <utf8proc.h>

static const gl_command commands[] = {
#define GL_COMMAND(id, name, keys, argument, section, help)                                                            \
    {name, keys, argument, help, GL_SECTION_##section, gl_do_##id},
#include "commands.def"
#undef GL_COMMAND
};
#define COMMANDS (sizeof commands / sizeof *commands)

static const char *const section_titles[GL_SECTIONS] = {"Moving", "Jumping", "Looking"};

const char *gl_section_title(gl_section s) { return section_titles[s]; }

const gl_command *gl_command_at(size_t i) { return i < COMMANDS ? &commands[i] : NULL; }

const gl_command *gl_command_by_name(const char *name, size_t n)
{
    for (size_t i = 0; i < COMMANDS; i++)
        if (strlen(commands[i].name) == n && memcmp(commands[i].name, name, n) == 0)
            return &commands[i];
    return NULL;
}

static const struct {
    const char *name;
    int key;
} key_names[] = {
    {"Up", GL_KEY_UP}, {"Down", GL_KEY_DOWN}, {"Left", GL_KEY_LEFT}, {"Right", GL_KEY_RIGHT},
    {"S-Left", GL_KEY_SHIFT_LEFT}, {"S-Right", GL_KEY_SHIFT_RIGHT}, {"PageUp", GL_KEY_PAGE_UP},
    {"PageDown", GL_KEY_PAGE_DOWN}, {"Home", GL_KEY_HOME}, {"End", GL_KEY_END}, {"Enter", GL_KEY_ENTER},
    {"Esc", GL_KEY_ESC}, {"Tab", GL_KEY_TAB}, {"BackTab", GL_KEY_BACKTAB}, {"Backspace", GL_KEY_BACKSPACE},
    {"Delete", GL_KEY_DELETE}, {"Space", ' '},
};

int gl_key_by_name(const char *name, size_t n)
{
    for (size_t i = 0; i < sizeof key_names / sizeof *key_names; i++)
        if (strlen(key_names[i].name) == n && memcmp(key_names[i].name, name, n) == 0)
            return key_names[i].key;
    if (n == 3 && name[0] == 'C' && name[1] == '-' && name[2] >= 'a' && name[2] <= 'z')
        return name[2] - 'a' + 1;
    utf8proc_int32_t code;
    utf8proc_ssize_t taken = n ? utf8proc_iterate((const utf8proc_uint8_t *)name, (utf8proc_ssize_t)n, &code) : 0;
    return taken > 0 && (size_t)taken == n ? code : 0;
}

static bool has_key(const char *keys, int key)
{
    for (const char *at = keys; *at;) {
        size_t n = strcspn(at, " ");
        if (gl_key_by_name(at, n) == key)
            return true;
        at += n + (at[n] == ' ');
    }
    return false;
}

const gl_command *gl_command_by_key(int key)
{
    for (size_t i = 0; i < COMMANDS; i++)
        if (has_key(commands[i].keys, key))
            return &commands[i];
    return NULL;
}

/* What the configuration gives a key to takes it from whatever has it by the table. */
const gl_command *gl_app_command_by_key(const gl_app *a, int key)
{
    _Static_assert(COMMANDS <= GL_CONFIG_COMMANDS, "a configuration has room for every command");
    for (size_t i = 0; a->config && i < COMMANDS; i++)
        if (a->config->keys[i] && has_key(a->config->keys[i], key))
            return &commands[i];
    const gl_command *c = gl_command_by_key(key);
    return c && a->config && a->config->keys[c - commands] ? NULL : c;
}

const char *gl_app_keys(const gl_app *a, const gl_command *c, char *out)
{
    const char *own = a->config ? a->config->keys[c - commands] : NULL;
    size_t at = 0;
    bool changed = a->config && a->config->has_keys;
    *out = '\0';
    for (const char *key = own ? own : c->keys; *key;) {
        size_t n = strcspn(key, " ");
        /* The configuration may have given it to another command. */
        if (n && at + n + 2 < GL_KEYS_TEXT_MAX && (!changed || gl_app_command_by_key(a, gl_key_by_name(key, n)) == c))
            at += (size_t)snprintf(out + at, GL_KEYS_TEXT_MAX - at, "%s%.*s", at ? " " : "", (int)n, key);
        key += n + (key[n] == ' ');
    }
    return out;
}

const char *gl_app_key_of(const gl_app *a, const char *command, char *out)
{
    const gl_command *c = gl_command_by_name(command, strlen(command));
    *out = '\0';
    if (c)
        gl_app_keys(a, c, out);
    out[strcspn(out, " ")] = '\0';
    return out;
}

void gl_app_command(gl_app *a, const char *line)
{
    line += strspn(line, " ");
    size_t n = strcspn(line, " ");
    const gl_command *c = gl_command_by_name(line, n);
    if (n == 0)
        return;
    if (!c) {
        char help[GL_KEYS_TEXT_MAX];
        gl_app_say(a, true, "there is no command %.*s; %s lists them all", (int)(n < 60 ? n : 60), line,
                   gl_app_key_of(a, "help", help));
        return;
    }
    const char *argument = line + n + strspn(line + n, " ");
    c->run(a, argument, 0);
}

static void end_prompt(gl_app *a)
{
    gl_prompt_kind kind = a->prompt;
    char text[GL_PROMPT_MAX];
    memcpy(text, a->prompt_text, sizeof text);
    a->prompt = GL_PROMPT_NONE;
    if (*text)
        memcpy(a->prompt_last[kind], text, sizeof text);
    switch (kind) {
    case GL_PROMPT_COMMAND: gl_app_command(a, text); break;
    case GL_PROMPT_SEARCH: gl_do_search(a, text, 0); break;
    case GL_PROMPT_FILTER: gl_do_filter(a, *text ? text : "", 0); break;
    case GL_PROMPT_FIND: gl_do_find(a, text, 0); break;
    case GL_PROMPT_GOTO: gl_app_go_text(a, text); break;
    case GL_PROMPT_BOOKMARK: gl_do_bookmark(a, text, 0); break;
    case GL_PROMPT_KEEP: gl_do_keep(a, text, 0); break;
    default: break;
    }
}

static void prompt_add(gl_app *a, int key)
{
    utf8proc_uint8_t bytes[4];
    utf8proc_ssize_t n = key >= ' ' && key < GL_KEY_FIRST ? utf8proc_encode_char(key, bytes) : 0;
    if (n <= 0 || a->prompt_n + (size_t)n >= GL_PROMPT_MAX || key == 0x7f)
        return;
    memcpy(a->prompt_text + a->prompt_n, bytes, (size_t)n);
    a->prompt_n += (size_t)n;
    a->prompt_text[a->prompt_n] = '\0';
}

static void prompt_drop(gl_app *a)
{
    if (a->prompt_n == 0) {
        a->prompt = GL_PROMPT_NONE;
        return;
    }
    do
        a->prompt_n--;
    while (a->prompt_n > 0 && ((unsigned char)a->prompt_text[a->prompt_n] & 0xc0) == 0x80);
    a->prompt_text[a->prompt_n] = '\0';
}

static void prompt_key(gl_app *a, int key)
{
    if (a->prompt == GL_PROMPT_MARK || a->prompt == GL_PROMPT_JUMP) {
        char letter[2] = {key > ' ' && key < 0x7f ? (char)key : '\0', '\0'};
        bool mark = a->prompt == GL_PROMPT_MARK;
        a->prompt = GL_PROMPT_NONE;
        if (*letter)
            (mark ? gl_do_mark : gl_do_jump)(a, letter, 0);
        return;
    }
    if (a->prompt == GL_PROMPT_LEAVE) {
        gl_live_leave_key(a, key);
        return;
    }
    switch (key) {
    case GL_KEY_ENTER: end_prompt(a); break;
    case GL_KEY_ESC:
    case 3: a->prompt = GL_PROMPT_NONE; break;
    case GL_KEY_BACKSPACE: prompt_drop(a); break;
    case GL_KEY_UP: gl_app_prompt(a, a->prompt, a->prompt_last[a->prompt]); break;
    case GL_KEY_DOWN:
    case 21: /* C-u */
        a->prompt_n = 0;
        a->prompt_text[0] = '\0';
        break;
    default: prompt_add(a, key);
    }
}

static bool help_key(gl_app *a, int key)
{
    int page = a->h > 6 ? a->h - 4 : 1;
    int by = key == GL_KEY_DOWN || key == 'j' ? 1 : key == GL_KEY_UP || key == 'k' ? -1
           : key == GL_KEY_PAGE_DOWN || key == ' ' ? page : key == GL_KEY_PAGE_UP ? -page : 0;
    a->help_top = a->help_top + by < 0 ? 0 : a->help_top + by;
    return by != 0;
}

void gl_app_key(gl_app *a, int key)
{
    if (a->prompt) {
        prompt_key(a, key);
        return;
    }
    a->message[0] = '\0';
    a->message_is_error = false;
    if (a->help && help_key(a, key))
        return;
    const gl_command *c = gl_app_command_by_key(a, key);
    if (a->live && key == 'w') /* there it writes, as in many programs */
        c = gl_command_by_name("keep", 4);
    if (a->help) {
        a->help = false;
        /* The key that closes the help is not meant for what lies below, unless it leaves. */
        if (!c || c->run != gl_do_quit || key == 'q')
            return;
    }
    if (c)
        c->run(a, "", key);
}
