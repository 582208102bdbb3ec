/* A profile as pprof reads it: a gzipped message "Profile" (the field numbers are those of pprof's profile.proto). */
#include <stdlib.h>
#include <string.h>

#include <zlib.h>

#include "profile.h"
#include "proto.h"

enum { PROFILE_SAMPLE_TYPE = 1, PROFILE_SAMPLE, PROFILE_MAPPING, PROFILE_LOCATION, PROFILE_FUNCTION, PROFILE_STRING,
       PROFILE_PERIOD_TYPE = 11, PROFILE_PERIOD, PROFILE_COMMENT };
enum { VALUE_TYPE = 1, VALUE_UNIT };
enum { SAMPLE_LOCATION = 1, SAMPLE_VALUE, SAMPLE_LABEL };
enum { LABEL_KEY = 1, LABEL_STRING };
enum { LOCATION_ID = 1, LOCATION_ADDRESS = 3, LOCATION_LINE };
enum { LINE_FUNCTION = 1, LINE_LINE };
enum { FUNCTION_ID = 1, FUNCTION_NAME, FUNCTION_SYSTEM_NAME, FUNCTION_FILE };

#define BLOCK 65536

typedef struct pprof {
    ex_out *out;
    ex_profile *profile;
    ex_proto message;
    z_stream zip;
    bool zip_open;
    gl_bits frames, funcs; /* that samples use */
    gl_map strings;        /* text id to number in the profile */
    uint32_t string_count;
    char title[256];
} pprof;

static int open_pprof(ex_out *out, const gl_export_options *opt, void **made, gl_error *err)
{
    pprof *x = calloc(1, sizeof *x);
    if (!x)
        return GL_E_NOMEM;
    *made = x;
    x->out = out;
    strncpy(x->title, opt->title ? opt->title : "", sizeof x->title - 1);
    if (deflateInit2(&x->zip, Z_DEFAULT_COMPRESSION, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) != Z_OK)
        return GL_E_NOMEM;
    x->zip_open = true;
    return ex_profile_open(&x->profile, opt, err);
}

static int take_pprof(void *made, const gl_event *ev) { return ex_profile_take(((pprof *)made)->profile, ev); }

static void discard_pprof(void *made)
{
    pprof *x = made;
    if (!x)
        return;
    ex_profile_discard(x->profile);
    ex_proto_clean_up(&x->message);
    if (x->zip_open)
        deflateEnd(&x->zip);
    free(x->frames.words);
    free(x->funcs.words);
    gl_map_clean_up(&x->strings);
    free(x);
}

/* Packs what the message holds and empties it. */
static int pack(pprof *x, int flush)
{
    unsigned char block[BLOCK];
    if (x->message.failed)
        return GL_E_NOMEM;
    x->zip.next_in = x->message.bytes;
    x->zip.avail_in = (uInt)x->message.n;
    do {
        x->zip.next_out = block;
        x->zip.avail_out = sizeof block;
        deflate(&x->zip, flush);
        ex_out_add(x->out, block, sizeof block - x->zip.avail_out);
    } while (x->zip.avail_out == 0);
    ex_proto_clear(&x->message);
    return x->out->status;
}

static int pack_when_much(pprof *x) { return x->message.n > BLOCK ? pack(x, Z_NO_FLUSH) : 0; }

/* ---- strings: each is written when it is first needed, and has the next number --------------------------------------- */

static void write_string(pprof *x, const char *text, size_t n)
{
    ex_proto_text(&x->message, PROFILE_STRING, text, n);
    x->string_count++;
}

static uint64_t literal(pprof *x, const char *text)
{
    write_string(x, text, strlen(text));
    return x->string_count - 1;
}

static int string_of(pprof *x, uint32_t id, uint64_t *number)
{
    uint32_t at = id ? gl_map_get(&x->strings, id) : 0;
    if (at == GL_NONE32) {
        size_t n;
        const char *text = gl_dict_text(x->profile->dict, id, &n);
        at = x->string_count;
        write_string(x, text, n);
        if (gl_map_put(&x->strings, id, at) < 0)
            return GL_E_NOMEM;
    }
    *number = at;
    return 0;
}

/* ---- the message ---------------------------------------------------------------------------------------------------- */

static void value_type(pprof *x, unsigned field, const char *type, const char *unit)
{
    uint64_t t = literal(x, type), u = literal(x, unit);
    size_t at = ex_proto_begin(&x->message, field);
    ex_proto_uint(&x->message, VALUE_TYPE, t);
    ex_proto_uint(&x->message, VALUE_UNIT, u);
    ex_proto_end(&x->message, at);
}

static int mark_used(pprof *x, const uint32_t *frames, size_t n)
{
    int status = 0;
    for (size_t i = 0; i < n; i++) {
        gl_bits_set(&x->frames, frames[i], &status);
        gl_bits_set(&x->funcs, gl_dict_get_frame(x->profile->dict, frames[i]).func, &status);
    }
    return status;
}

/* Numbers of locations and functions are their ids plus one: pprof has no number 0. */
static int write_sample(pprof *x, const ex_sample *s, const uint64_t *label_keys)
{
    const ex_profile *p = x->profile;
    ex_proto *m = &x->message;
    char label[128];
    size_t n;
    const uint32_t *frames = gl_dict_get_stack(p->dict, s->stack, &n);
    uint64_t text = s->label ? literal(x, ex_label_text(p, s->label, label, sizeof label)) : 0;
    size_t at = ex_proto_begin(m, PROFILE_SAMPLE);
    size_t list = ex_proto_begin(m, SAMPLE_LOCATION);
    for (size_t i = 0; i < n; i++)
        ex_proto_varint(m, (uint64_t)frames[i] + 1);
    ex_proto_end(m, list);
    list = ex_proto_begin(m, SAMPLE_VALUE);
    ex_proto_varint(m, s->count);
    if (p->kind->value[1][0])
        ex_proto_varint(m, s->ns);
    ex_proto_end(m, list);
    if (s->label) {
        list = ex_proto_begin(m, SAMPLE_LABEL);
        ex_proto_uint(m, LABEL_KEY, label_keys[p->labels[s->label - 1].op ? 0 : 1]);
        ex_proto_uint(m, LABEL_STRING, text);
        ex_proto_end(m, list);
    }
    ex_proto_end(m, at);
    int status = mark_used(x, frames, n);
    return status < 0 ? status : pack_when_much(x);
}

static int write_location(pprof *x, uint32_t id)
{
    ex_proto *m = &x->message;
    gl_frame f = gl_dict_get_frame(x->profile->dict, id);
    size_t at = ex_proto_begin(m, PROFILE_LOCATION);
    ex_proto_uint(m, LOCATION_ID, (uint64_t)id + 1);
    ex_proto_uint(m, LOCATION_ADDRESS, f.pc);
    size_t line = ex_proto_begin(m, LOCATION_LINE);
    ex_proto_uint(m, LINE_FUNCTION, (uint64_t)f.func + 1);
    ex_proto_uint(m, LINE_LINE, f.line);
    ex_proto_end(m, line);
    ex_proto_end(m, at);
    return pack_when_much(x);
}

static int write_function(pprof *x, uint32_t id)
{
    ex_proto *m = &x->message;
    gl_func f = gl_dict_get_func(x->profile->dict, id);
    uint64_t name, file;
    int status = string_of(x, f.name, &name);
    if (status == 0)
        status = string_of(x, f.file, &file);
    if (status < 0)
        return status;
    size_t at = ex_proto_begin(m, PROFILE_FUNCTION);
    ex_proto_uint(m, FUNCTION_ID, (uint64_t)id + 1);
    ex_proto_uint(m, FUNCTION_NAME, name);
    ex_proto_uint(m, FUNCTION_SYSTEM_NAME, name);
    ex_proto_uint(m, FUNCTION_FILE, file);
    ex_proto_end(m, at);
    return pack_when_much(x);
}

static int write_used(pprof *x, const gl_bits *used, int (*write)(pprof *x, uint32_t id))
{
    int status = 0;
    for (size_t word = 0; word < used->capacity && status == 0; word++)
        for (uint32_t bit = 0; bit < 64 && status == 0; bit++)
            if (used->words[word] >> bit & 1)
                status = write(x, (uint32_t)(word * 64 + bit));
    return status;
}

static int finish_pprof(void *made)
{
    pprof *x = made;
    ex_profile *p = x->profile;
    int status = ex_profile_finish(p);
    if (status < 0)
        return status;
    write_string(x, "", 0);
    for (unsigned i = 0; i < 2 && p->kind->value[i][0]; i++)
        value_type(x, PROFILE_SAMPLE_TYPE, p->kind->value[i][0], p->kind->value[i][1]);
    uint64_t label_keys[2] = {literal(x, "channel"), literal(x, "reason")};
    for (size_t i = 0; i < p->sample_count && status == 0; i++)
        status = write_sample(x, &p->samples[i], label_keys);
    if (status == 0)
        status = write_used(x, &x->frames, write_location);
    if (status == 0)
        status = write_used(x, &x->funcs, write_function);
    if (status < 0)
        return status;
    value_type(x, PROFILE_PERIOD_TYPE, "trace", "count");
    ex_proto_uint(&x->message, PROFILE_PERIOD, 1);
    if (x->title[0])
        ex_proto_uint(&x->message, PROFILE_COMMENT, literal(x, x->title));
    return pack(x, Z_FINISH);
}

const ex_ops ex_pprof = {
    .format = {.name = "pprof", .ending = ".pb.gz", .brief = "a profile for go tool pprof",
               .abilities = GL_EXPORT_PROFILES | GL_EXPORT_BINARY},
    .open = open_pprof, .take = take_pprof, .finish = finish_pprof, .discard = discard_pprof};
