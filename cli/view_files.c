#include "view_files.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "commands.h"
#include "facts.h"
#include "store.h"

#define PATH_ROOM 4400
#define TEXT_MAX (1 << 20) /* nobody writes more by hand, and a thousand bookmarks need less */

/* A folder of the XDG base directories with golanes' own below it. False where there is no home. */
static bool xdg_folder(const char *variable, const char *below_home, char *out, size_t size)
{
    const char *folder = getenv(variable), *home = getenv("HOME");
    if (folder && *folder == '/')
        return snprintf(out, size, "%.4000s/golanes", folder) < (int)size;
    return home && *home && snprintf(out, size, "%.4000s/%s/golanes", home, below_home) < (int)size;
}

/* The whole file as a text; NULL with errno. The caller frees it. */
static char *read_text(const char *path)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    struct stat st;
    char *text = NULL;
    if (fd < 0)
        return NULL;
    if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) || st.st_size > TEXT_MAX || !(text = calloc(1, (size_t)st.st_size + 1))) {
        errno = errno ? errno : EFBIG;
        close(fd);
        return NULL;
    }
    size_t n = 0;
    for (ssize_t got = 1; got > 0 && n < (size_t)st.st_size; n += got > 0 ? (size_t)got : 0)
        got = read(fd, text + n, (size_t)st.st_size - n);
    close(fd);
    return text;
}

int cli_config_read(gl_config *c)
{
    char folder[PATH_ROOM], path[PATH_ROOM + 16];
    gl_error err = {0};
    if (!xdg_folder("XDG_CONFIG_HOME", ".config", folder, sizeof folder))
        return 0;
    snprintf(path, sizeof path, "%s/config", folder);
    char *text = read_text(path);
    if (!text) {
        if (errno == ENOENT || errno == ENOTDIR)
            return 0;
        cli_say("%s: it cannot be read: %s", path, strerror(errno));
        return CLI_EXIT_USAGE;
    }
    int status = gl_config_parse(c, text, &err);
    free(text);
    if (status < 0)
        cli_say("%s: %s; see golanes-config(5)", path, err.text);
    return status < 0 ? CLI_EXIT_USAGE : 0;
}

/* FNV-1a: traces of one name in several folders have a state each. */
static unsigned long long hash_of(const char *s)
{
    unsigned long long h = 0xcbf29ce484222325u;
    for (; *s; s++)
        h = (h ^ (unsigned char)*s) * 0x100000001b3u;
    return h;
}

/* Where it may be kept: beside the trace, and among the user's states. False where the trace is no file of its own. */
static bool state_paths(const char *path, char *beside, char *among, char *folder)
{
    struct stat st;
    char whole[PATH_ROOM];
    *among = '\0';
    if (stat(path, &st) < 0 || !S_ISREG(st.st_mode))
        return false;
    const char *slash = strrchr(path, '/');
    int n = snprintf(beside, PATH_ROOM, "%.*s.%s.golanes", slash ? (int)(slash + 1 - path) : 0, path, slash ? slash + 1 : path);
    char *real = realpath(path, NULL);
    snprintf(whole, sizeof whole, "%.4300s", real ? real : path);
    free(real);
    slash = strrchr(path, '/');
    if (xdg_folder("XDG_STATE_HOME", ".local/state", folder, PATH_ROOM - 300))
        snprintf(among, PATH_ROOM, "%.4000s/%.100s-%016llx", folder, slash ? slash + 1 : path, hash_of(whole));
    return n > 0 && n < PATH_ROOM;
}

void cli_state_read(gl_app *a, const char *path)
{
    char beside[PATH_ROOM], among[PATH_ROOM], folder[PATH_ROOM];
    if (!state_paths(path, beside, among, folder))
        return;
    char *text = read_text(beside);
    if (!text && *among)
        text = read_text(among);
    gl_store_read(a, text ? text : "");
    free(text);
}

static void make_folders(const char *folder)
{
    char path[PATH_ROOM];
    snprintf(path, sizeof path, "%s", folder);
    for (char *at = path + 1; *at; at++)
        if (*at == '/') {
            *at = '\0';
            mkdir(path, 0700);
            *at = '/';
        }
    mkdir(path, 0700);
}

/* As a whole or not at all. */
static int write_text(const char *path, const gl_text *text)
{
    char temp[PATH_ROOM + 16];
    snprintf(temp, sizeof temp, "%s.XXXXXX", path);
    int fd = mkstemp(temp);
    if (fd < 0)
        return -1;
    size_t n = 0;
    for (ssize_t put = 1; put > 0 && n < text->n; n += put > 0 ? (size_t)put : 0)
        put = write(fd, text->bytes + n, text->n - n);
    int status = close(fd) == 0 && n == text->n ? rename(temp, path) : -1;
    if (status < 0)
        unlink(temp);
    return status;
}

int cli_state_write(const gl_app *a, const char *path, char *why, size_t why_size)
{
    char beside[PATH_ROOM], among[PATH_ROOM], folder[PATH_ROOM];
    if (!gl_store_is_changed(a) || !state_paths(path, beside, among, folder))
        return 0;
    gl_text text = {0};
    gl_store_write(a, &text);
    int status = text.failed ? -1 : write_text(beside, &text);
    if (status < 0 && *among && !text.failed) {
        make_folders(folder);
        status = write_text(among, &text);
    }
    if (status < 0)
        snprintf(why, why_size, "the bookmarks could not be kept: %s", strerror(errno));
    gl_text_clean_up(&text);
    return status;
}
