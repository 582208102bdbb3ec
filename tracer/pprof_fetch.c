#include "pprof_fetch.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "curl_late.h"

#define ADDRESS_MAX 2048
#define ANSWER_MAX 240 /* of a refusal's text, to show */

typedef struct fetch {
    const gl_curl *lib;
    const gl_pprof_options *opt;
    CURL *curl;
    int fd;
    int write_error; /* errno */
    bool cancelled;
    uint64_t bytes;
    int64_t started;    /* monotonic ns; 0: the request is not answered yet */
    unsigned seconds;   /* that the address asks for */
    char answer[ANSWER_MAX];
    size_t answer_n;
    char url[ADDRESS_MAX];
    char reason[CURL_ERROR_SIZE];
} fetch;

bool gl_pprof_is_address(const char *text)
{
    return strncmp(text, "http://", 7) == 0 || strncmp(text, "https://", 8) == 0;
}

/* Where a path begins: at the first '/', '?' or '#' behind "scheme://", or at the end. */
static size_t path_offset(const char *address)
{
    const char *host = strstr(address, "://");
    host = host ? host + 3 : address;
    return (size_t)(host - address) + strcspn(host, "/?#");
}

static bool ends_with(const char *s, size_t n, const char *tail)
{
    size_t t = strlen(tail);
    return n >= t && memcmp(s + n - t, tail, t) == 0;
}

static bool has_seconds(const char *query)
{
    return strncmp(query, "?seconds=", 9) == 0 || strstr(query, "&seconds=") != NULL;
}

int gl_pprof_address(const char *address, unsigned seconds, char *out, size_t n)
{
    size_t path = path_offset(address);
    const char *query = address + path + strcspn(address + path, "?#");
    size_t path_n = (size_t)(query - (address + path));
    size_t query_n = strcspn(query, "#");
    const char *more = "";
    if (path_n <= 1) {
        more = "/debug/pprof/trace";
        path_n = 0;
    } else if (ends_with(address + path, path_n, "/debug/pprof/")) {
        more = "trace";
    } else if (ends_with(address + path, path_n, "/debug/pprof")) {
        more = "/trace";
    }
    char ask[32] = "";
    if (!has_seconds(query))
        snprintf(ask, sizeof ask, "%sseconds=%u", query_n ? "&" : "?", seconds);
    return snprintf(out, n, "%.*s%s%.*s%s", (int)(path + path_n), address, more, (int)query_n, query, ask);
}

/* The seconds that the address itself asks for, else the option's. */
static unsigned seconds_of(const char *url, unsigned otherwise)
{
    const char *at = strstr(url, "seconds=");
    unsigned long n = at ? strtoul(at + 8, NULL, 10) : otherwise;
    return n > 0 && n < 86400 ? (unsigned)n : otherwise;
}

static int64_t now_ns(void)
{
    struct timespec ts;
    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (int64_t)ts.tv_sec * 1000000000 + ts.tv_nsec;
}

static void keep_answer(fetch *f, const char *bytes, size_t n)
{
    size_t room = sizeof f->answer - 1 - f->answer_n;
    n = n < room ? n : room;
    memcpy(f->answer + f->answer_n, bytes, n);
    f->answer_n += n;
    f->answer[f->answer_n] = '\0';
}

static size_t on_bytes(char *bytes, size_t size, size_t count, void *user)
{
    fetch *f = user;
    size_t n = size * count;
    long code = 0;
    f->lib->late_curl_easy_getinfo(f->curl, CURLINFO_RESPONSE_CODE, &code);
    if (code != 200) {
        keep_answer(f, bytes, n);
        return n;
    }
    for (size_t done = 0; done < n;) {
        ssize_t put = write(f->fd, bytes + done, n - done);
        if (put < 0 && errno == EINTR)
            continue;
        if (put < 0) {
            f->write_error = errno;
            return 0;
        }
        done += (size_t)put;
    }
    f->bytes += n;
    return n;
}

static int on_progress(void *user, curl_off_t total, curl_off_t now, curl_off_t up_total, curl_off_t up)
{
    (void)total, (void)now, (void)up_total, (void)up;
    fetch *f = user;
    curl_off_t sent_us = 0;
    f->lib->late_curl_easy_getinfo(f->curl, CURLINFO_PRETRANSFER_TIME_T, &sent_us);
    if (sent_us > 0 && f->started == 0)
        f->started = now_ns();
    if (!f->opt->progress)
        return 0;
    uint64_t done = f->started ? (uint64_t)(now_ns() - f->started) : 0;
    f->cancelled = f->opt->progress(f->opt->progress_user, done, (uint64_t)f->seconds * 1000000000, f->bytes) != 0;
    return f->cancelled;
}

/* First line of what the program said, without control characters and mark-up. */
static const char *answer_line(fetch *f)
{
    size_t n = strcspn(f->answer, "\r\n");
    f->answer[n] = '\0';
    for (size_t i = 0; i < n; i++)
        if (iscntrl((unsigned char)f->answer[i]))
            f->answer[i] = ' ';
    return n && f->answer[0] != '<' ? f->answer : "no reason given";
}

static int fail_answer(fetch *f, long code, gl_error *err)
{
    switch (code) {
    case 404:
        return gl_fail(err, GL_E_NOT_FOUND, UINT64_MAX,
                       "%s: there is no such page; import _ \"net/http/pprof\" in the program, and name the port that serves it",
                       f->url);
    case 401:
    case 403:
        return gl_fail(err, GL_E_UNSUPPORTED, UINT64_MAX, "%s: the program does not allow it (status %ld: %s)", f->url, code,
                       answer_line(f));
    default:
        return gl_fail(err, GL_E_UNSUPPORTED, UINT64_MAX, "%s: the program answered with status %ld: %s", f->url, code,
                       answer_line(f));
    }
}

static int fail_transfer(fetch *f, CURLcode rc, gl_error *err)
{
    const char *why = f->reason[0] ? f->reason : f->lib->late_curl_easy_strerror(rc);
    if (f->cancelled)
        return gl_fail(err, GL_E_CANCELLED, UINT64_MAX, "%s: cancelled", f->url);
    if (f->write_error)
        return gl_fail(err, GL_E_IO, f->bytes, "the temporary file could not be written (%s); set TMPDIR to a folder with room",
                       strerror(f->write_error));
    switch (rc) {
    case CURLE_COULDNT_CONNECT:
        return gl_fail(err, GL_E_IO, UINT64_MAX, "%s: no connection (%s); does the program run, and listen there?", f->url, why);
    case CURLE_COULDNT_RESOLVE_HOST:
        return gl_fail(err, GL_E_IO, UINT64_MAX, "%s: the host's name is not known", f->url);
    case CURLE_OPERATION_TIMEDOUT:
        return gl_fail(err, GL_E_IO, f->bytes, "%s: no answer in time (%s)", f->url, why);
    case CURLE_URL_MALFORMAT:
    case CURLE_UNSUPPORTED_PROTOCOL:
        return gl_fail(err, GL_E_USAGE, UINT64_MAX, "%s: not an address; write http://HOST:PORT", f->url);
    default:
        return gl_fail(err, GL_E_IO, f->bytes, "%s: the transfer failed after %llu bytes (%s)", f->url,
                       (unsigned long long)f->bytes, why);
    }
}

static int temporary_file(gl_error *err)
{
    const char *dir = getenv("TMPDIR");
    char path[4096];
    snprintf(path, sizeof path, "%s/golanes-XXXXXX", dir && *dir ? dir : "/tmp");
    int fd = mkostemp(path, O_CLOEXEC);
    if (fd < 0)
        return gl_fail(err, GL_E_IO, UINT64_MAX, "no temporary file could be made in %s (%s); set TMPDIR to a folder with room",
                       dir && *dir ? dir : "/tmp", strerror(errno));
    unlink(path);
    return fd;
}

static void set_options(fetch *f)
{
    unsigned patience = f->opt->patience_s ? f->opt->patience_s : 30;
    f->lib->late_curl_easy_setopt(f->curl, CURLOPT_URL, f->url);
    f->lib->late_curl_easy_setopt(f->curl, CURLOPT_PROTOCOLS_STR, "http,https");
    f->lib->late_curl_easy_setopt(f->curl, CURLOPT_REDIR_PROTOCOLS_STR, "http,https");
    f->lib->late_curl_easy_setopt(f->curl, CURLOPT_FOLLOWLOCATION, 1L);
    f->lib->late_curl_easy_setopt(f->curl, CURLOPT_MAXREDIRS, 3L);
    f->lib->late_curl_easy_setopt(f->curl, CURLOPT_NOSIGNAL, 1L);
    f->lib->late_curl_easy_setopt(f->curl, CURLOPT_USERAGENT, "golanes");
    f->lib->late_curl_easy_setopt(f->curl, CURLOPT_CONNECTTIMEOUT, 10L);
    /* The program may send nothing before it has traced for all the time it was asked for. */
    f->lib->late_curl_easy_setopt(f->curl, CURLOPT_LOW_SPEED_LIMIT, 1L);
    f->lib->late_curl_easy_setopt(f->curl, CURLOPT_LOW_SPEED_TIME, (long)f->seconds + (long)patience);
    f->lib->late_curl_easy_setopt(f->curl, CURLOPT_ERRORBUFFER, f->reason);
    f->lib->late_curl_easy_setopt(f->curl, CURLOPT_WRITEFUNCTION, on_bytes);
    f->lib->late_curl_easy_setopt(f->curl, CURLOPT_WRITEDATA, f);
    f->lib->late_curl_easy_setopt(f->curl, CURLOPT_XFERINFOFUNCTION, on_progress);
    f->lib->late_curl_easy_setopt(f->curl, CURLOPT_XFERINFODATA, f);
    f->lib->late_curl_easy_setopt(f->curl, CURLOPT_NOPROGRESS, 0L);
}

static int transfer(fetch *f, gl_error *err)
{
    set_options(f);
    CURLcode rc = f->lib->late_curl_easy_perform(f->curl);
    long code = 0;
    f->lib->late_curl_easy_getinfo(f->curl, CURLINFO_RESPONSE_CODE, &code);
    if (rc == CURLE_OK && code != 200)
        return fail_answer(f, code, err);
    /* A program that dies while it is traced leaves a cut trace, which is worth having. */
    bool cut = (rc == CURLE_PARTIAL_FILE || rc == CURLE_RECV_ERROR) && code == 200 && f->bytes > 0;
    if (rc != CURLE_OK && !cut)
        return fail_transfer(f, rc, err);
    if (lseek(f->fd, 0, SEEK_SET) < 0)
        return gl_fail(err, GL_E_IO, 0, "the temporary file: %s", strerror(errno));
    return 0;
}

int gl_pprof_fetch(const gl_pprof_options *opt, int *fd, gl_error *err)
{
    fetch f = {.opt = opt, .fd = -1};
    int n = gl_pprof_address(opt->address, opt->seconds, f.url, sizeof f.url);
    if (n < 0 || (size_t)n >= sizeof f.url)
        return gl_fail(err, GL_E_USAGE, UINT64_MAX, "the address is longer than %d bytes", ADDRESS_MAX);
    f.seconds = seconds_of(f.url, opt->seconds);
    f.lib = gl_curl_load(err);
    if (!f.lib)
        return GL_E_UNSUPPORTED;
    if (f.lib->late_curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK || !(f.curl = f.lib->late_curl_easy_init()))
        return gl_fail(err, GL_E_NOMEM, UINT64_MAX, "%s: libcurl could not be started", f.url);
    int rc = f.fd = temporary_file(err);
    if (rc >= 0)
        rc = transfer(&f, err);
    f.lib->late_curl_easy_cleanup(f.curl);
    f.lib->late_curl_global_cleanup();
    if (rc < 0 && f.fd >= 0)
        close(f.fd);
    else if (rc == 0)
        *fd = f.fd;
    return rc;
}
