#include "append.h"

#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "golanes/writer.h"
#include "weave.h"

#define PARTS_MAX 64 /* taken up at once; more wait for the next one who comes */
#define PROCESSES_MAX 0xffffu

/** What is woven: the whole, if there is one, and parts. */
typedef struct piece {
    char path[PATH_MAX];
    int fd; /* of a part: its lock is held by us */
    gl_reader *reader;
    cli_strand strand;
    int64_t wall;
} piece;

typedef struct joining {
    piece *pieces; /* the whole first, where there is one */
    size_t n;
    bool had_whole;
    gl_dict *dict;
    gl_writer *writer;
    char made[PATH_MAX];
    int64_t wall;
    uint32_t processes;
} joining;

static int failed(gl_error *err, const char *path)
{
    return gl_fail(err, GL_E_IO, UINT64_MAX, "%s: %s", path, strerror(errno));
}

/* ---- the lock ------------------------------------------------------------------------------------------------------- */

/** The lock file goes away with its last holder: who waited for one that is gone takes the next. */
static int lock_whole(cli_append *a, gl_error *err)
{
    char path[PATH_MAX];
    struct stat held, there;
    snprintf(path, sizeof path, "%s.lock", a->whole);
    for (;;) {
        a->lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
        if (a->lock < 0)
            return failed(err, path);
        while (flock(a->lock, LOCK_EX) != 0)
            if (errno != EINTR) {
                close(a->lock);
                a->lock = -1;
                return failed(err, path);
            }
        if (fstat(a->lock, &held) == 0 && stat(path, &there) == 0 && held.st_ino == there.st_ino && held.st_dev == there.st_dev)
            return 0;
        close(a->lock);
    }
}

static void unlock_whole(cli_append *a)
{
    char path[PATH_MAX];
    snprintf(path, sizeof path, "%s.lock", a->whole);
    if (a->lock >= 0) {
        unlink(path);
        close(a->lock);
    }
    a->lock = -1;
}

/* ---- pieces --------------------------------------------------------------------------------------------------------- */

static bool is_empty(const char *path)
{
    struct stat st;
    return stat(path, &st) != 0 || st.st_size == 0;
}

static int open_piece(joining *j, const char *path, int fd, gl_error *err)
{
    piece *p = &j->pieces[j->n];
    *p = (piece){.fd = fd};
    snprintf(p->path, sizeof p->path, "%s", path);
    int status = gl_reader_open(path, &p->reader, err);
    if (status == 0)
        status = cli_strand_wall(p->reader, &p->wall, err);
    if (status == 0) {
        j->n++;
        return 0;
    }
    gl_reader_close(p->reader);
    p->reader = NULL;
    return status;
}

/** Parts that nobody writes any more. One that can't be read holds nothing: its recorder was killed at once. */
static int find_parts(joining *j, const cli_append *a, gl_error *err)
{
    char pattern[2 * PATH_MAX];
    size_t n = 0;
    for (const char *c = a->whole; *c && n + 16 < sizeof pattern; c++) {
        if (strchr("*?[\\", *c))
            pattern[n++] = '\\';
        pattern[n++] = *c;
    }
    snprintf(pattern + n, sizeof pattern - n, ".part-*");
    glob_t found;
    int rc = glob(pattern, 0, NULL, &found);
    if (rc == GLOB_NOMATCH)
        return 0;
    if (rc != 0)
        return gl_fail(err, GL_E_NOMEM, UINT64_MAX, "no memory");
    for (size_t i = 0; i < found.gl_pathc && j->n < PARTS_MAX; i++) {
        int fd = open(found.gl_pathv[i], O_RDONLY | O_CLOEXEC);
        bool ended = fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) == 0;
        if (ended && open_piece(j, found.gl_pathv[i], fd, NULL) == 0)
            continue;
        if (ended && is_empty(found.gl_pathv[i]))
            unlink(found.gl_pathv[i]);
        if (fd >= 0)
            close(fd);
    }
    globfree(&found);
    return 0;
}

static uint32_t count_processes(const piece *p)
{
    gl_process_info info;
    uint32_t n = 0;
    while (n < PROCESSES_MAX && gl_cursor_process(p->strand.cursor, n, &info, NULL) == 0)
        n++;
    return n ? n : 1;
}

/** Places each on the time line, and gives its processes their numbers. */
static int place(joining *j, gl_error *err)
{
    int status = 0;
    j->wall = INT64_MAX;
    for (size_t i = 0; i < j->n; i++)
        if (j->pieces[i].wall)
            j->wall = j->pieces[i].wall < j->wall ? j->pieces[i].wall : j->wall;
    for (size_t i = 0; i < j->n && status == 0; i++) {
        piece *p = &j->pieces[i];
        p->strand = (cli_strand){.reader = p->reader, .process = j->processes};
        p->strand.shift = p->wall ? p->wall - j->wall : 0;
        status = cli_strand_open(&p->strand, j->dict, err);
        if (status == 0)
            j->processes += count_processes(p);
        if (status == 0 && j->processes > PROCESSES_MAX)
            status = gl_fail(err, GL_E_LIMIT, UINT64_MAX, "a file holds at most %u processes", PROCESSES_MAX);
    }
    return status;
}

/* ---- what is said of the whole -------------------------------------------------------------------------------------- */

static int put_processes(joining *j, piece *p)
{
    gl_process_info info;
    int status = 0;
    for (uint32_t i = 0; status == 0 && gl_cursor_process(p->strand.cursor, i, &info, NULL) == 0; i++) {
        info.index += p->strand.process;
        status = gl_remap_string(p->strand.remap, info.name, &info.name);
        if (status == 0)
            status = gl_remap_string(p->strand.remap, info.go_version, &info.go_version);
        if (status == 0)
            status = gl_writer_process(j->writer, &info);
    }
    return status;
}

/** A fact of one process, or of the piece as a whole. */
static int put_fact(joining *j, const piece *p, const char *key, const char *value)
{
    char name[96], text[32];
    unsigned process;
    int at = 0;
    if (strncmp(key, "clock.", 6) == 0 && strcmp(key, "clock.kind") != 0) {
        if (strcmp(key, "clock.wall_unix_ns") != 0 && strcmp(key, "clock.first_abs_ns") != 0)
            return 0;
        snprintf(text, sizeof text, "%" PRId64, (int64_t)strtoll(value, NULL, 10) - p->strand.shift);
        return gl_writer_meta(j->writer, key, text);
    }
    if (sscanf(key, "process.%u.%n", &process, &at) != 1 || at == 0)
        return gl_writer_meta(j->writer, key, value);
    snprintf(name, sizeof name, "process.%u.%.60s", process + p->strand.process, key + at);
    if (strcmp(key + at, "start_ns") != 0 && strcmp(key + at, "end_ns") != 0)
        return gl_writer_meta(j->writer, name, value);
    snprintf(text, sizeof text, "%" PRId64, (int64_t)strtoll(value, NULL, 10) + p->strand.shift);
    return gl_writer_meta(j->writer, name, text);
}

/** Of several the last value of a key holds: what the first piece says of the whole comes last. */
static int put_facts(joining *j)
{
    int status = 0;
    for (size_t i = j->n; i-- > 0 && status == 0;) {
        const char *key, *value;
        for (size_t k = 0; status == 0 && gl_reader_meta_at(j->pieces[i].reader, k, &key, &value) == 0; k++)
            status = put_fact(j, &j->pieces[i], key, value);
        if (status == 0)
            status = put_processes(j, &j->pieces[i]);
    }
    return status;
}

/* ---- joining -------------------------------------------------------------------------------------------------------- */

static int write_whole(joining *j, const cli_append *a, gl_error *err)
{
    cli_strand *strands[PARTS_MAX];
    snprintf(j->made, sizeof j->made, "%.4000s.new-%ld", a->whole, (long)getpid());
    gl_writer_options o = {.path = j->made, .dict = j->dict};
    int status = gl_writer_open(&o, &j->writer, err);
    if (status < 0)
        return status;
    for (size_t i = 0; i < j->n; i++)
        strands[i] = &j->pieces[i].strand;
    status = put_facts(j);
    if (status == 0)
        status = cli_weave(strands, j->n, gl_writer_sink, j->writer, NULL, err);
    if (status < 0) {
        gl_writer_abandon(j->writer);
        if (err && !err->text[0])
            gl_fail(err, (gl_status)status, UINT64_MAX, "%s: %s", j->made, gl_status_text(status));
        return status;
    }
    return gl_writer_close(j->writer, NULL, err);
}

/** The new whole is on the disk before it takes the old one's place. */
static int put_in_place(const joining *j, const cli_append *a, gl_error *err)
{
    struct stat st;
    int fd = open(j->made, O_RDWR | O_CLOEXEC);
    if (fd < 0)
        return failed(err, j->made);
    if (j->had_whole && stat(a->whole, &st) == 0)
        (void)!fchmod(fd, st.st_mode & 0777);
    bool synced = fsync(fd) == 0;
    close(fd);
    return synced && rename(j->made, a->whole) == 0 ? 0 : failed(err, a->whole);
}

static int join(joining *j, const cli_append *a, gl_error *err)
{
    int status = 0;
    j->had_whole = !is_empty(a->whole);
    if (j->had_whole)
        status = open_piece(j, a->whole, -1, err);
    if (status == 0)
        status = find_parts(j, a, err);
    if (status < 0 || j->n == (size_t)j->had_whole)
        return status; /* somebody else has joined ours, too */
    status = place(j, err);
    if (status == 0)
        status = write_whole(j, a, err);
    if (status == 0)
        status = put_in_place(j, a, err);
    if (status < 0 && j->made[0])
        unlink(j->made);
    for (size_t i = j->had_whole; i < j->n && status == 0; i++)
        unlink(j->pieces[i].path);
    return status;
}

static int join_all(const cli_append *a, gl_error *err)
{
    joining j = {.pieces = calloc(PARTS_MAX, sizeof *j.pieces), .dict = gl_dict_new()};
    int status = j.pieces && j.dict ? join(&j, a, err) : gl_fail(err, GL_E_NOMEM, UINT64_MAX, "no memory");
    for (size_t i = 0; i < j.n; i++) {
        cli_strand_close(&j.pieces[i].strand);
        gl_reader_close(j.pieces[i].reader);
        if (j.pieces[i].fd >= 0)
            close(j.pieces[i].fd);
    }
    gl_dict_destroy(j.dict);
    free(j.pieces);
    return status;
}

/* ---- from outside --------------------------------------------------------------------------------------------------- */

int cli_append_begin(cli_append *a, const char *whole, gl_error *err)
{
    gl_reader *reader;
    *a = (cli_append){.whole = whole, .lock = -1, .own = -1};
    if ((size_t)snprintf(a->part, sizeof a->part, "%s.part-%ld", whole, (long)getpid()) >= sizeof a->part)
        return gl_fail(err, GL_E_USAGE, UINT64_MAX, "--append: the name is too long");
    int status = lock_whole(a, err);
    if (status == 0 && !is_empty(whole)) {
        status = gl_reader_open(whole, &reader, err);
        if (status == 0)
            gl_reader_close(reader);
    }
    if (status < 0)
        unlock_whole(a);
    return status;
}

void cli_append_made(cli_append *a)
{
    a->own = open(a->part, O_RDONLY | O_CLOEXEC);
    if (a->own >= 0)
        flock(a->own, LOCK_EX | LOCK_NB);
    unlock_whole(a);
}

void cli_append_drop(cli_append *a)
{
    if (a->own >= 0)
        close(a->own);
    a->own = -1;
}

int cli_append_end(cli_append *a, gl_error *err)
{
    cli_append_drop(a);
    int status = lock_whole(a, err);
    if (status == 0)
        status = join_all(a, err);
    unlock_whole(a);
    return status;
}
