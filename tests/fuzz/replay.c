/*
 * Runs a fuzz target's function over files instead of made-up bytes: what fuzzing has found stays found in every build.
 *
 *     fuzz_NAME [-seconds=N] [-megabytes=N] [-mutants=N] FILE|FOLDER…
 *
 * Folders' files are taken, not deeper. Each input may take N seconds of processor time (10) and the process N megabytes
 * of address space (2048; a sanitizer's build bounds single allocations instead, for it reserves more than it uses).
 * -mutants runs N changed copies of each input besides: always the same ones, so that a failure comes back. The input
 * that failed is left in the current folder as failed_input, for saved/NAME.
 */
#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define WITH_ASAN 1
#endif
#if __has_feature(thread_sanitizer)
#define WITH_TSAN 1
#endif
#endif
#if defined(__SANITIZE_ADDRESS__)
#define WITH_ASAN 1
#endif
#if defined(__SANITIZE_THREAD__)
#define WITH_TSAN 1
#endif

#ifdef WITH_ASAN
const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
    return "max_allocation_size_mb=1024:allocator_may_return_null=1";
}
#endif

static size_t runs, mutants;
static unsigned seconds = 10, megabytes = 2048;
static char at[4200]; /* what runs now, for the messages below */
static int at_mutant;
static const uint8_t *at_data;
static size_t at_n;

/* Only what a signal handler may call. */
static void say_where(const char *what)
{
    char number[16];
    int n = at_mutant, i = (int)sizeof number;
    do
        number[--i] = (char)('0' + n % 10);
    while ((n /= 10) > 0);
    (void)!write(STDERR_FILENO, what, strlen(what));
    (void)!write(STDERR_FILENO, at, strlen(at));
    (void)!write(STDERR_FILENO, ", mutant ", 9);
    (void)!write(STDERR_FILENO, number + i, sizeof number - (size_t)i);
    (void)!write(STDERR_FILENO, "\n", 1);
    int fd = open("failed_input", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    if (fd >= 0 && at_data)
        (void)!write(fd, at_data, at_n);
}

static void on_time(int signal)
{
    (void)signal;
    say_where("too slow: ");
    _exit(1);
}

static void on_abort(int number)
{
    say_where("failed: ");
    signal(number, SIG_DFL);
    raise(number);
}

static void run_bytes(const uint8_t *data, size_t n)
{
    /* An exact copy, so that a sanitizer sees a read past the end. */
    uint8_t *exact = malloc(n ? n : 1);
    if (!exact)
        return;
    if (n)
        memcpy(exact, data, n);
    at_data = exact;
    at_n = n;
    struct itimerval limit = {.it_value.tv_sec = (time_t)seconds};
    setitimer(ITIMER_PROF, &limit, NULL);
    LLVMFuzzerTestOneInput(exact, n);
    setitimer(ITIMER_PROF, &(struct itimerval){0}, NULL);
    at_data = NULL;
    free(exact);
    runs++;
}

/* A small generator of our own (xorshift), the same everywhere. */
static uint64_t chance(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

/* One change of a few kinds; the copy has room for twice n. Returns the new length. */
static size_t mutate(uint8_t *copy, size_t n, uint64_t *state)
{
    static const uint8_t edges[] = {0, 1, 0x7f, 0x80, 0xff, 0xfe};
    if (n == 0)
        return 0;
    size_t where = (size_t)(chance(state) % n), length = (size_t)(chance(state) % 64) + 1;
    if (length > n - where)
        length = n - where;
    switch (chance(state) % 7) {
    case 0: copy[where] ^= (uint8_t)(1u << chance(state) % 8); return n;
    case 1: copy[where] = edges[chance(state) % sizeof edges]; return n;
    case 2: return where; /* cut */
    case 3: memmove(copy + where, copy + where + length, n - where - length); return n - length;
    case 4: /* a stretch twice */
        memmove(copy + where + length, copy + where, n - where);
        return n + length;
    case 5: memset(copy + where, 0xff, length); return n;
    default: memmove(copy + where, copy + (size_t)(chance(state) % (n - length + 1)), length); return n;
    }
}

static void run_mutants(const uint8_t *data, size_t n)
{
    uint64_t state = UINT64_C(0x9e3779b97f4a7c15) ^ n;
    uint8_t *copy = malloc(2 * n + 1024);
    for (size_t i = 0; copy && i < mutants; i++) {
        at_mutant = (int)i + 1;
        if (n)
            memcpy(copy, data, n);
        size_t length = n;
        for (uint64_t changes = chance(&state) % 8 + 1; changes > 0 && length < 2 * n + 512; changes--)
            length = mutate(copy, length, &state);
        run_bytes(copy, length);
    }
    at_mutant = 0;
    free(copy);
}

static uint8_t *read_all(const char *path, size_t *n)
{
    FILE *f = fopen(path, "rb");
    uint8_t *data = NULL;
    size_t room = 0, got = 1;
    *n = 0;
    while (f && got > 0) {
        if (*n == room) {
            room = room ? 2 * room : 65536;
            uint8_t *more = realloc(data, room);
            if (!more)
                break;
            data = more;
        }
        got = fread(data + *n, 1, room - *n, f);
        *n += got;
    }
    if (!f || ferror(f) || got > 0) {
        perror(path);
        free(data);
        data = NULL;
    }
    if (f)
        fclose(f);
    return data;
}

static int run_file(const char *path)
{
    size_t n;
    uint8_t *data = read_all(path, &n);
    if (!data)
        return -1;
    snprintf(at, sizeof at, "%s", path);
    run_bytes(data, n);
    run_mutants(data, n);
    free(data);
    return 0;
}

static int run_folder(const char *path)
{
    DIR *d = opendir(path);
    if (!d) {
        perror(path);
        return -1;
    }
    int status = 0;
    for (struct dirent *e = readdir(d); e; e = readdir(d)) {
        char name[4096];
        struct stat st;
        int n = snprintf(name, sizeof name, "%s/%s", path, e->d_name);
        if (n > 0 && (size_t)n < sizeof name && stat(name, &st) == 0 && S_ISREG(st.st_mode))
            status |= run_file(name);
    }
    closedir(d);
    return status;
}

static void set_limits(void)
{
    signal(SIGPROF, on_time);
    signal(SIGABRT, on_abort);
#if !defined(WITH_ASAN) && !defined(WITH_TSAN)
    struct rlimit space = {.rlim_cur = (rlim_t)megabytes << 20, .rlim_max = (rlim_t)megabytes << 20};
    setrlimit(RLIMIT_AS, &space);
#endif
}

static bool take_option(const char *word)
{
    unsigned n;
    if (sscanf(word, "-seconds=%u", &n) == 1)
        seconds = n;
    else if (sscanf(word, "-megabytes=%u", &n) == 1)
        megabytes = n;
    else if (sscanf(word, "-mutants=%u", &n) == 1)
        mutants = n;
    else
        return false;
    return true;
}

int main(int argc, char **argv)
{
    int status = 0, first = 1;
    while (first < argc && take_option(argv[first]))
        first++;
    set_limits();
    for (int i = first; i < argc; i++) {
        struct stat st;
        int is_folder = stat(argv[i], &st) == 0 && S_ISDIR(st.st_mode);
        status |= is_folder ? run_folder(argv[i]) : run_file(argv[i]);
    }
    printf("%zu inputs\n", runs);
    return status || runs == 0;
}
