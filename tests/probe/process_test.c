/* Programs and their recorders: start, join, fork in every way, death of either. Runs itself as the program. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>

#include <cmocka.h>

#include "recorder.h"

#if defined(__SANITIZE_THREAD__) || defined(__SANITIZE_ADDRESS__)
#define SANITIZED 1
#else
#define SANITIZED 0
#endif

static const gl_session_options small_rings = {.slots = 64, .large_rings = 64, .large_bytes = 1 << 18};

static void emit_numbers(uint64_t from, uint64_t to)
{
    for (uint64_t n = from; n <= to; n++)
        gl_emit_HeapLive(n);
}

static void reap(pid_t pid, int want)
{
    int status;
    CHECK(waitpid(pid, &status, 0) == pid);
    CHECK_EQUAL(status, want);
}

/** HeapLive 1 … n in this order, and nothing else but Lost. */
static void check_numbers(const recorder *r, uint64_t n)
{
    uint64_t next = 1;
    for (size_t i = 0; i < r->events; i++) {
        if (r->event[i].type == GL_EV_Lost)
            continue;
        CHECK_EQUAL(r->event[i].type, GL_EV_HeapLive);
        CHECK_EQUAL(r->event[i].arg[0], next++);
    }
    CHECK_EQUAL(next - 1, n);
}

/* Fork. */

static void children_keep_out_of_parents_rings(void)
{
    recorder r;
    recorder_join(&r, &small_rings);
    uint64_t sent = 0;
    for (unsigned i = 0; i < 100; i++) {
        emit_numbers(sent + 1, sent + 50);
        sent += 50;
        pid_t pid = fork();
        if (pid == 0) {
            if (gl_emit_listening()) /* nobody listens to this one */
                _exit(2);
            emit_numbers(1000000, 1005000);
            if (i % 10 == 0 && fork() == 0) {
                emit_numbers(2000000, 2005000);
                _exit(0);
            }
            _exit(0);
        }
        emit_numbers(sent + 1, sent + 50);
        sent += 50;
        reap(pid, 0);
        recorder_drain(&r);
    }
    recorder_finish(&r);
    CHECK_EQUAL(r.lost + r.damaged, 0);
    check_numbers(&r, sent);
    recorder_close(&r);
}

/** A child that no handler of fork was told of. */
static void bare_forks_emit_to_nobody(void)
{
    recorder r;
    recorder_join(&r, &small_rings);
    emit_numbers(1, 100);
    for (unsigned i = 0; i < 20; i++) {
#if defined(SYS_fork)
        pid_t pid = (pid_t)syscall(SYS_fork);
#else
        pid_t pid = (pid_t)syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0);
#endif
        if (pid == 0) {
            gl_emit_GoStart(7);
            emit_numbers(1000000, 1020000);
            gl_emit_UserLog(1, "child", "of a bare fork");
            syscall(SYS_exit_group, 0);
        }
        reap(pid, 0);
    }
    emit_numbers(101, 200);
    recorder_finish(&r);
    CHECK_EQUAL(r.lost + r.damaged, 0);
    check_numbers(&r, 200);
    recorder_close(&r);
}

static volatile sig_atomic_t forks;
static pid_t parent;

static void forking_handler(int sig)
{
    (void)sig;
    int before = errno;
    if (getpid() == parent && forks < 40 && fork() == 0) {
        forks = 1000; /* the child ends the emit that it was made in, and some more */
    } else {
        forks++;
    }
    errno = before;
}

static void forks_in_handlers_reach_no_ring(void)
{
    recorder r;
    gl_session_options opt = {.slots = 1, .large_rings = 1, .large_bytes = 16 << 20};
    recorder_join(&r, &opt);
    parent = getpid();
    struct sigaction sa = {.sa_handler = forking_handler};
    sigaction(SIGVTALRM, &sa, NULL);
    timer_t timer;
    struct sigevent ev = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGVTALRM};
    struct itimerspec often = {{0, 200000}, {0, 200000}};
    CHECK(timer_create(CLOCK_PROCESS_CPUTIME_ID, &ev, &timer) == 0 && timer_settime(timer, 0, &often, NULL) == 0);
    uint64_t sent = 0;
    while (forks < 40) {
        emit_numbers(sent + 1, sent + 1000);
        sent += 1000;
        if (getpid() == parent && sent % 50000 == 0) { /* a child must not drain what is its parent's */
            sigset_t set;
            sigemptyset(&set);
            sigaddset(&set, SIGVTALRM);
            sigprocmask(SIG_BLOCK, &set, NULL);
            recorder_drain(&r);
            sigprocmask(SIG_UNBLOCK, &set, NULL);
        }
        if (forks >= 1000) {
            emit_numbers(1, 10000);
            _exit(0);
        }
    }
    if (getpid() != parent) /* forked between the last look at that and the loop's */
        _exit(0);
    timer_delete(timer);
    for (unsigned i = 0; i < 40; i++) {
        int status;
        pid_t pid = wait(&status);
        CHECK(pid > 0 || errno == ECHILD);
        CHECK(pid <= 0 || status == 0);
    }
    recorder_finish(&r);
    CHECK_EQUAL(r.lost + r.damaged, 0);
    check_numbers(&r, sent);
    recorder_close(&r);
}

/* Programs that a recorder starts. */

static pid_t start_program(const recorder *r, const char *what, const char *extra)
{
    char variable[64];
    int fd = gl_session_fd(r->session);
    gl_session_environment(r->session, variable, sizeof variable);
    pid_t pid = fork();
    if (pid == 0) {
        char *const argv[] = {(char[]){"program"}, (char[64]){0}, NULL};
        char more[64] = "NOTHING=1";
        char *const envp[] = {variable, more, NULL};
        snprintf(argv[1], 64, "%s", what);
        if (extra)
            snprintf(more, sizeof more, "%s", extra);
        fcntl(fd, F_SETFD, 0);
        execve("/proc/self/exe", argv, envp);
        _exit(127);
    }
    return pid;
}

/** A page that is shared with a program that will be killed: how far it got. */
static uint64_t *map_counter(int fd)
{
    void *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    CHECK(page != MAP_FAILED);
    return page;
}

static void words_for_ever(uint64_t *counter)
{
    static const char *const reason[] = {"chan send", "select", "sleep", "sync.Mutex.Lock", "finalizer wait"};
    char text[64];
    for (uint64_t n = 1;; n++) {
        switch (n % 4) {
        case 0: gl_emit_GoBlock(reason[n % 5]); break;
        case 1: gl_emit_ChanSendBegin(n * 4096, n, 7); break;
        case 2: gl_emit_GoCreate(n, GL_G_RUNNABLE, (gl_emit_stack){&n, 1}); break;
        default: snprintf(text, sizeof text, "%llu", (unsigned long long)n); gl_emit_UserLog(n, "n", text);
        }
        __atomic_store_n(counter, n, __ATOMIC_RELEASE);
    }
}

/**
 * What a handler that forks has interrupted goes on in the child: an emit that has just found out where to look whether
 * somebody listens must find a page there. It does by chance where the system puts the child's page into its parent's
 * place; so better places, of one page each, are left for it here.
 */
static int finish_a_look(void)
{
    void *better[200];
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    for (unsigned i = 0; i < 200; i++)
        better[i] = mmap(NULL, page, i % 2 ? PROT_READ : PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    unsetenv(GL_RING_ENV_OFF);
    gl_emit_init();
    const uint32_t *word = gl_emit_process_.listening;
    for (unsigned i = 0; i < 200; i++)
        if (!word || better[i] == MAP_FAILED || munmap(better[i], page) < 0)
            return 1;
    pid_t pid = fork();
    if (pid == 0)
        _exit(__atomic_load_n(word, __ATOMIC_RELAXED) == 0 && gl_emit_process_.listening == word ? 0 : 2);
    int status = 0;
    return waitpid(pid, &status, 0) == pid && status == 0 ? 0 : 3;
}

static int program(const char *what)
{
    if (!strcmp(what, "numbers")) {
        emit_numbers(1, 20000);
    } else if (!strcmp(what, "family")) { /* forks and execs: eight processes of 1,000 each */
        for (unsigned i = 0; i < 3; i++)
            if (fork() < 0)
                return 1;
        emit_numbers(1, 1000);
        while (wait(NULL) > 0)
            continue;
    } else if (!strcmp(what, "execs")) {
        emit_numbers(1, 10);
        if (fork() == 0)
            execl("/proc/self/exe", "program", "numbers", (char *)NULL);
        wait(NULL);
    } else if (!strcmp(what, "silent")) {
        return gl_emit_listening();
    } else if (!strcmp(what, "words")) {
        words_for_ever(map_counter(atoi(getenv("COUNTER_FD"))));
    } else if (!strcmp(what, "look")) {
        return finish_a_look();
    } else if (!strcmp(what, "pause")) {
        pause();
    }
    return 0;
}

static void a_program_is_recorded_from_its_start(void)
{
    recorder r;
    recorder_create(&r, &small_rings);
    reap(start_program(&r, "numbers", NULL), 0);
    recorder_finish(&r);
    CHECK_EQUAL(r.lost + r.damaged, 0);
    check_numbers(&r, 20000);
    CHECK_EQUAL(gl_session_attached(r.session, NULL), 1);
    /* Another descriptor by that number means nothing. */
    char wrong[32];
    snprintf(wrong, sizeof wrong, "GOLANES_RING_FD=%d", open("/dev/null", O_RDONLY));
    pid_t pid = fork();
    if (pid == 0) {
        char *const argv[] = {(char[]){"program"}, (char[]){"silent"}, NULL}, *const envp[] = {wrong, NULL};
        execve("/proc/self/exe", argv, envp);
    }
    reap(pid, 0);
    reap(start_program(&r, "silent", GL_RING_ENV_OFF "=off"), 0);
    CHECK_EQUAL(gl_session_attached(r.session, NULL), 1);
    recorder_close(&r);
}

static void children_follow_where_asked(void)
{
    recorder r;
    gl_session_options opt = small_rings;
    opt.follow = true;
    recorder_create(&r, &opt);
    r.keep = false;
    reap(start_program(&r, "family", NULL), 0);
    recorder_finish(&r);
    CHECK_EQUAL(r.count, 8000);
    CHECK_EQUAL(r.lost + r.damaged, 0);
    uint32_t pids[8];
    unsigned different = 0;
    for (size_t i = 0; i < r.threads; i++) {
        unsigned k = 0;
        while (k < different && pids[k] != r.thread[i].pid)
            k++;
        if (k == different && different < 8)
            pids[different++] = r.thread[i].pid;
    }
    CHECK_EQUAL(different, 8);
    recorder_close(&r);

    recorder_create(&r, &opt);
    r.keep = false;
    pid_t pid = start_program(&r, "execs", NULL);
    reap(pid, 0);
    recorder_finish(&r);
    CHECK_EQUAL(r.count, 20010);
    recorder_close(&r);
}

/* Joining, and who may. */

static void one_recorder_at_a_time(void)
{
    recorder r;
    gl_session *second;
    gl_error err = {0};
    recorder_join(&r, &small_rings);
    CHECK_EQUAL(gl_session_join(getpid(), &small_rings, &second, &err), GL_E_USAGE);
    CHECK(strstr(err.text, "already") && !second);
    emit_numbers(1, 10);
    recorder_drain(&r);
    CHECK_EQUAL(r.count, 10);
    recorder_close(&r);
    emit_numbers(11, 20); /* nobody sees these */
    recorder_join(&r, &small_rings);
    emit_numbers(1, 30);
    recorder_finish(&r);
    check_numbers(&r, 30);
    CHECK_EQUAL(r.lost + r.damaged, 0);
    recorder_close(&r);
    CHECK_EQUAL(gl_session_join(0x3fffffff, &small_rings, &second, &err), GL_E_NOT_FOUND);
    pid_t pid = fork();
    if (pid == 0) {
        setenv(GL_RING_ENV_OFF, "off", 1);
        execl("/proc/self/exe", "program", "pause", (char *)NULL);
    }
    for (int status = 0; status != GL_E_NOT_FOUND; usleep(1000)) {
        status = gl_session_join(pid, &small_rings, &second, &err);
        if (status == 0)
            gl_session_close(second); /* it had not reached its exec yet */
    }
    kill(pid, SIGKILL);
    reap(pid, SIGKILL);
}

/** Which word an event was, from what it carries; the blocks say nothing of their own number. */
static void check_words(const recorder *r, uint64_t first)
{
    uint64_t n = first - 1;
    for (size_t i = 0; i < r->events; i++) {
        const gl_event *ev = &r->event[i];
        if (ev->type == GL_EV_Lost) {
            CHECK_EQUAL(ev->arg[1], 0);
            n += ev->arg[0];
            continue;
        }
        n++;
        switch (n % 4) {
        case 0: CHECK_EQUAL(ev->type, GL_EV_GoBlock); break;
        case 1: CHECK(ev->type == GL_EV_ChanSendBegin && ev->arg[0] == n * 4096 && ev->arg[1] == n); break;
        case 2: CHECK(ev->type == GL_EV_GoCreate && ev->arg[0] == n && r->stack[ev->arg[2] - 1].pcs[0] == n); break;
        default:
            CHECK(ev->type == GL_EV_UserLog && ev->arg[0] == n);
            CHECK_EQUAL(strtoull(recorder_text(r, ev->arg[2]), NULL, 10), n);
        }
    }
}

/** Texts and stacks are all different here: the recorder's search for them would be what takes the time. */
static int fresh_text(void *user, const char *text, size_t n, uint32_t *id)
{
    recorder *r = user;
    r->text = recorder_grown(r->text, r->texts, sizeof *r->text);
    r->text[r->texts++] = strndup(text, n);
    *id = (uint32_t)r->texts;
    return 0;
}

static int fresh_stack(void *user, uint32_t pid, const uint64_t *pcs, size_t n, uint32_t *id)
{
    recorder *r = user;
    (void)pid;
    r->stack = recorder_grown(r->stack, r->stacks, sizeof *r->stack);
    memcpy(r->stack[r->stacks].pcs, pcs, n * sizeof *pcs);
    r->stack[r->stacks++].n = n;
    *id = (uint32_t)r->stacks;
    return 0;
}

static void killed_programs_leave_all_they_wrote(void)
{
    char variable[32];
    int fd = memfd_create("counter", 0);
    CHECK(fd >= 0 && ftruncate(fd, 4096) == 0);
    uint64_t *counter = map_counter(fd);
    snprintf(variable, sizeof variable, "COUNTER_FD=%d", fd);
    srand(20241);
    for (unsigned round = 0; round < (SANITIZED ? 10 : 100); round++) {
        recorder r;
        gl_session_options opt = {.slots = 2, .large_rings = 2, .large_bytes = 1u << (16 + round % 4)};
        *counter = 0;
        recorder_create(&r, &opt);
        r.sink.on_text = fresh_text;
        r.sink.on_stack = fresh_stack;
        pid_t pid = start_program(&r, "words", variable);
        while (__atomic_load_n(counter, __ATOMIC_ACQUIRE) == 0)
            usleep(100);
        struct timespec pause = {.tv_nsec = rand() % 4000000};
        nanosleep(&pause, NULL);
        if (round % 2)
            recorder_drain(&r); /* half of them are being drained when they die */
        kill(pid, SIGKILL);
        reap(pid, SIGKILL);
        recorder_finish(&r);
        CHECK_EQUAL(r.damaged, 0);
        check_words(&r, 1);
        uint64_t said = *counter, have = r.count + r.lost;
        gl_session_no_ring no_ring;
        gl_session_no_ring_get(r.session, &no_ring);
        CHECK_EQUAL(no_ring.events, 0);
        CHECK(have == said || have == said + 1); /* killed between the event and the count */
        recorder_close(&r);
    }
}

static void recorders_may_die(void)
{
    gl_session_options opt = small_rings;
    opt.policy = GL_RING_WAIT;
    int to_parent[2];
    CHECK(pipe(to_parent) == 0);
    pid_t writer = getpid(), pid = fork();
    if (pid == 0) { /* the first recorder: joins its parent, reads a little, and dies */
        gl_session *s;
        recorder r;
        gl_error err = {0};
        recorder_create(&r, &opt); /* for its sink */
        CHECK_EQUAL(gl_session_join(writer, &opt, &s, &err), 0);
        gl_session_listen(s, true);
        CHECK(write(to_parent[1], "x", 1) == 1);
        while (r.count < 1000)
            for (uint32_t i = 0; i < gl_session_rings(s); i++)
                CHECK_EQUAL(gl_session_drain(s, i, &r.sink, NULL), 0);
        kill(getpid(), SIGKILL);
    }
    char x;
    CHECK(read(to_parent[0], &x, 1) == 1);
    emit_numbers(1, 1000);
    reap(pid, SIGKILL);
    CHECK(gl_emit_listening()); /* nobody could say that it has gone */
    emit_numbers(1001, 300000);  /* more than there is room for: waiting for the dead must end */
    opt.salvage = true;
    recorder r;
    recorder_join(&r, &opt);
    recorder_finish(&r);
    CHECK_EQUAL(r.damaged, 0);
    CHECK(r.events > 1000 && r.event[0].arg[0] <= 1001);
    uint64_t next = r.event[0].arg[0];
    for (size_t i = 0; i < r.events; i++)
        if (r.event[i].type == GL_EV_HeapLive)
            CHECK_EQUAL(r.event[i].arg[0], next++);
    CHECK_EQUAL(next - 1 + r.lost, 300000);
    recorder_close(&r);
}

static void run_forks(void **state) { (void)state; assert_true(in_child(children_keep_out_of_parents_rings)); }
static void run_bare_forks(void **state) { (void)state; assert_true(in_child(bare_forks_emit_to_nobody)); }

static void children_can_finish_a_look(void)
{
    pid_t pid = fork();
    if (pid == 0) {
        setenv(GL_RING_ENV_OFF, "off", 1); /* until it has made room */
        execl("/proc/self/exe", "program", "look", (char *)NULL);
        _exit(127);
    }
    reap(pid, 0);
}

static void run_looks(void **state) { (void)state; assert_true(in_child(children_can_finish_a_look)); }

static void run_handler_forks(void **state)
{
    (void)state;
    if (SANITIZED)
        skip(); /* a sanitizer's own locks do not stand it */
    assert_true(in_child(forks_in_handlers_reach_no_ring));
}

static void run_start(void **state) { (void)state; assert_true(in_child(a_program_is_recorded_from_its_start)); }
static void run_follow(void **state) { (void)state; assert_true(in_child(children_follow_where_asked)); }
static void run_one(void **state) { (void)state; assert_true(in_child(one_recorder_at_a_time)); }
static void run_killed(void **state) { (void)state; assert_true(in_child(killed_programs_leave_all_they_wrote)); }
static void run_dead_recorder(void **state) { (void)state; assert_true(in_child(recorders_may_die)); }

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(run_forks),  cmocka_unit_test(run_bare_forks), cmocka_unit_test(run_handler_forks),
        cmocka_unit_test(run_looks),
        cmocka_unit_test(run_start),  cmocka_unit_test(run_follow),     cmocka_unit_test(run_one),
        cmocka_unit_test(run_killed), cmocka_unit_test(run_dead_recorder),
    };
    return argc > 1 ? program(argv[1]) : cmocka_run_group_tests(tests, NULL, NULL);
}
