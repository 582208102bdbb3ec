/*
 * Makes golanes/emit_events.h, the functions of the emit API, from the event table.
 *
 *     emitgen OUT.h
 *
 * Runs on the machine that builds. Exit status 1 where the file can't be written or the table asks for something that
 * the API has no form for.
 */
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "golanes/ring.h"

#define ARGS_MAX GL_EVENT_ARGS_MAX

typedef struct arg {
    gl_kind number;
    const char *kind, *name;
} arg;

typedef struct event {
    unsigned code;
    const char *name, *meaning;
    int stack, count;
    arg args[ARGS_MAX];
} event;

#define GL_ARG(kind, name) {GL_KIND_##kind, #kind, #name}
#define GL_EVENT(code, name, op, phase, stack, meaning, count, ...) {code, #name, meaning, stack, count, {__VA_ARGS__}},
static const event events[] = {
#include "golanes/events.def"
};

/* How a kind looks in C. */
typedef struct kind_info {
    const char *kind, *type;
} kind_info;

static const kind_info kinds[] = {
    {"GOROUTINE", "uint64_t "},
    {"PROC", "uint32_t "},
    {"THREAD", "uint64_t "},
    {"CHAN", "uint64_t "},
    {"STRING", "const char *"},
    {"STACK", "gl_emit_stack "},
    {"GSTATE", "gl_gstate "},
    {"PSTATE", "gl_pstate "},
    {"BOOL", "int "},
    {"CHANRESULT", "gl_chan_result "},
    {"CHANDIR", "gl_chan_dir "},
    {"TASK", "uint64_t "},
    {"COUNT", "uint64_t "},
    {"BYTES", "uint64_t "},
    {"TIME", "uint64_t "},
    {"CLOCK", "uint64_t "},
    {"SEQUENCE", "uint64_t "},
    {"NUMBER", "uint64_t "},
};

static const kind_info *kind_of(const arg *a)
{
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (!strcmp(kinds[i].kind, a->kind))
            return &kinds[i];
    return NULL;
}

static void put_parameters(FILE *f, const event *e, bool at)
{
    fputs(at ? "gl_emit_stack at" : e->count ? "" : "void", f);
    for (int i = 0; i < e->count; i++)
        fprintf(f, "%s%s%s", i || at ? ", " : "", kind_of(&e->args[i])->type, e->args[i].name);
}

/** True where an event has a short way: nothing in it that takes a while to look up. */
static bool is_short(const event *e, bool at)
{
    bool yes = !at;
    for (int i = 0; i < e->count; i++)
        yes &= e->args[i].number != GL_KIND_STACK && strcmp(e->args[i].name, GL_RING_COPIED) != 0;
    return yes;
}

/** What the event does to the thread's context; nothing for most. */
static void put_effect(FILE *f, const event *e, const char *indent)
{
    uint64_t g = 0;
    uint32_t p = 0;
    if (!gl_ring_effect(e->code, 1, &g, &p))
        return;
    bool number = e->count && e->args[0].number != GL_KIND_STRING && e->args[0].number != GL_KIND_STACK;
    fprintf(f, "%sgl_emit_thread *self = gl_emit_thread_();\n%s(void)gl_ring_effect(GL_EV_%s, %s%s, &self->g, &self->p);\n",
            indent, indent, e->name, number ? "(uint64_t)" : "", number ? e->args[0].name : "0");
}

/** Each argument as the ring has it, in a variable of its own. */
static void put_values(FILE *f, const event *e)
{
    static const char indent[] = "            ";
    for (int i = 0; i < e->count; i++) {
        const arg *a = &e->args[i];
        switch (a->number) {
        case GL_KIND_STRING: fprintf(f, "%suint64_t v%d = gl_emit_text_(t, %s);\n", indent, i, a->name); break;
        case GL_KIND_CHAN: fprintf(f, "%suint64_t v%d = %s - t->chan;\n", indent, i, a->name); break;
        case GL_KIND_BOOL: fprintf(f, "%suint64_t v%d = %s != 0;\n", indent, i, a->name); break;
        default: fprintf(f, "%suint64_t v%d = (uint64_t)%s;\n", indent, i, a->name);
        }
    }
}

/** The end of a condition: that each argument fits its width. Values of one width are looked at together. */
static void put_fits(FILE *f, const event *e)
{
    for (unsigned width = 1; width <= 4; width *= 2) {
        const char *before = " && (";
        for (int i = 0; i < e->count; i++) {
            const arg *a = &e->args[i];
            if (GL_RING_WIDTH(a->number) != width || a->number == GL_KIND_CHAN || a->number == GL_KIND_BOOL)
                continue;
            fprintf(f, "%sv%d", before, i);
            before = " | ";
        }
        if (before[1] == '|')
            fprintf(f, ") >> %u == 0", 8 * width);
    }
    for (int i = 0; i < e->count; i++)
        if (e->args[i].number == GL_KIND_CHAN)
            fprintf(f, " && (v%d + 0x80000000u) >> 32 == 0", i);
}

static void put_stores(FILE *f, const event *e)
{
    static const char indent[] = "                ";
    fprintf(f, "%st->last = now;\n%sp = gl_emit_u8_(p, GL_EV_%s);\n%sp = gl_emit_u16_(p, since);\n", indent, indent, e->name,
            indent);
    for (int i = 0; i < e->count; i++) {
        fprintf(f, "%sp = gl_emit_u%u_(p, v%d);\n", indent, 8 * GL_RING_WIDTH(e->args[i].number), i);
        if (e->args[i].number == GL_KIND_CHAN)
            fprintf(f, "%st->chan = %s;\n", indent, e->args[i].name);
    }
    put_effect(f, e, indent);
    fprintf(f, "%sgl_emit_close_(place, t, p);\n%sreturn;\n", indent, indent);
}

static void put_short(FILE *f, const event *e)
{
    fputs("    gl_emit_writer *t = gl_emit_writer_(place);\n"
          "    if (t != NULL) {\n"
          "        gl_emit_mark_(place, NULL);\n"
          "        uint8_t *p = t->pos;\n"
          "        if (__builtin_expect(p < t->limit, 1)) {\n"
          "            uint64_t now = gl_emit_counter_(), since = now - t->last;\n", f);
    put_values(f, e);
    fputs("            if (__builtin_expect(since <= GL_RING_TICKS_MAX", f);
    put_fits(f, e);
    fputs(", 1)) {\n", f);
    put_stores(f, e);
    fputs("            }\n        }\n        gl_emit_mark_(place, t);\n    } else if", f);
}

static void put_slow(FILE *f, const event *e, bool at)
{
    if (!e->count) {
        fprintf(f, "    gl_emit_slowly_(GL_EV_%s, NULL, %s);\n", e->name, at ? "&at" : "NULL");
        return;
    }
    fprintf(f, "    uint64_t args[%d];\n", e->count);
    for (int i = 0; i < e->count; i++) {
        const arg *a = &e->args[i];
        const char *form = a->number == GL_KIND_STRING  ? "(uint64_t)(uintptr_t)"
                           : a->number == GL_KIND_STACK ? "(uint64_t)(uintptr_t)&"
                                                        : "(uint64_t)";
        fprintf(f, "    args[%d] = %s%s%s;\n", i, form, a->name, a->number == GL_KIND_BOOL ? " != 0" : "");
    }
    fprintf(f, "    gl_emit_slowly_(GL_EV_%s, args, %s);\n", e->name, at ? "&at" : "NULL");
}

static void put_event(FILE *f, const event *e, bool at)
{
    fprintf(f, "static inline void gl_emit_%s%s(", e->name, at ? "_at" : "");
    put_parameters(f, e, at);
    fputs(")\n{\n    uintptr_t place = gl_emit_place_();\n", f);
    if (is_short(e, at))
        put_short(f, e);
    else
        fputs("    if (gl_emit_writer_(place) == NULL &&", f);
    fputs(is_short(e, at) ? " (__builtin_expect(!gl_emit_listening(), 1)) {\n" : " !gl_emit_listening()) {\n", f);
    put_effect(f, e, "        ");
    fputs("        return;\n    }\n", f);
    put_slow(f, e, at);
    fputs("}\n\n", f);
}

static void put_here(FILE *f, const event *e)
{
    fprintf(f, "static inline __attribute__((always_inline)) void gl_emit_%s_here(", e->name);
    put_parameters(f, e, false);
    fputs(")\n{\n    uint64_t pcs[GL_RING_STACK_MAX];\n    gl_emit_stack at = {NULL, 0};\n"
          "    if (gl_emit_listening())\n        GL_EMIT_HERE_(at, pcs);\n",
          f);
    fprintf(f, "    gl_emit_%s_at(at", e->name);
    for (int i = 0; i < e->count; i++)
        fprintf(f, ", %s", e->args[i].name);
    fputs(");\n}\n\n", f);
}

static bool put_all(FILE *f)
{
    fputs("/* Made from events.def: one function for each event of the vocabulary. Include golanes/emit.h, which says what\n"
          "   arguments, _at and _here are. THREAD arguments are thread ids of the system; TIME and CLOCK are ns. */\n"
          "#ifndef GOLANES_EMIT_EVENTS_H\n#define GOLANES_EMIT_EVENTS_H\n\n#include \"golanes/emit.h\"\n\n"
          "#ifdef __cplusplus\nextern \"C\" {\n#endif\n\n",
          f);
    for (size_t i = 0; i < sizeof events / sizeof *events; i++) {
        const event *e = &events[i];
        for (int k = 0; k < e->count; k++)
            if (!kind_of(&e->args[k]))
                return false;
        fprintf(f, "/** %s: %s. */\n", e->name, e->meaning);
        put_event(f, e, false);
        if (e->stack) {
            put_event(f, e, true);
            put_here(f, e);
        }
    }
    fputs("#ifdef __cplusplus\n}\n#endif\n#endif\n", f);
    return true;
}

int main(int argc, char **argv)
{
    FILE *f = argc == 2 ? fopen(argv[1], "w") : NULL;
    if (!f)
        return 1;
    bool good = put_all(f) && !ferror(f);
    return fclose(f) == 0 && good ? 0 : 1;
}
