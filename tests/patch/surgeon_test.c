/* Processes are stopped, called in, and let go, while they do what makes that hard. The processes are children of ours. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "gorun/inject.h"
#include "gorun/surgeon.h"

#define LONG_NS INT64_C(60000000000)

/* A place to make calls from, the same in us and our children. */
__asm__(".text\n.globl surgeon_test_spare\nsurgeon_test_spare:\n\t.fill 256, 1, 0xcc\n");
extern const uint8_t surgeon_test_spare[];

static volatile uint64_t *shared; /* of a child and us */

static void nap_us(long us)
{
    nanosleep(&(struct timespec){0, us * 1000}, NULL);
}

static pid_t start(void (*run)(void))
{
    memset((void *)(uintptr_t)shared, 0, 4096);
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        run();
        _exit(0);
    }
    while (shared[0] == 0)
        nap_us(1000);
    return pid;
}

static void end(pid_t pid)
{
    int st;
    kill(pid, SIGKILL);
    assert_int_equal(waitpid(pid, &st, 0), pid);
}

static int call_once(gl_surgeon *s, int64_t *result, gl_error *err)
{
    static const uint64_t args[6];
    gl_injector in;
    int rc = gl_inject_begin(&in, s, (uint64_t)(uintptr_t)surgeon_test_spare, surgeon_test_spare, err);
    if (rc == 0)
        rc = gl_inject(&in, SYS_getpid, args, result, err);
    gl_inject_end(&in);
    return rc;
}

/** A call in its name, which tells its number; then it goes on. */
static void call_in(gl_surgeon *s, pid_t pid)
{
    gl_error err;
    sigset_t before;
    int64_t result = 0;
    gl_surgeon_quiet(&before);
    int rc = gl_surgeon_stop_one(s, LONG_NS, &err);
    if (rc == 0) {
        rc = call_once(s, &result, &err);
        gl_surgeon_release(s);
    }
    gl_surgeon_unquiet(&before);
    if (rc != 0)
        print_message("%s\n", err.text);
    assert_int_equal(rc, 0);
    assert_int_equal(result, pid);
    assert_false(gl_inject_is_left(s, (uint64_t)(uintptr_t)surgeon_test_spare));
}

/* A thread that waits for a child of vfork can't stop before that has ended; and then it waits for the next one. */

static void make_children(void)
{
    for (;;) {
        pid_t pid = vfork();
        if (pid == 0) {
            shared[0]++;
            syscall(SYS_nanosleep, &(struct timespec){0, 100000000}, NULL);
            _exit(0);
        }
        waitpid(pid, NULL, 0);
    }
}

static void test_a_thread_that_waits_for_a_child(void **state)
{
    (void)state;
    gl_surgeon s;
    gl_error err;
    pid_t pid = start(make_children);
    assert_int_equal(gl_surgeon_open(&s, pid, &err), 0);
    for (int i = 0; i < 5; i++)
        call_in(&s, pid);
    gl_surgeon_close(&s);
    uint64_t made = shared[0];
    while (shared[0] < made + 2)
        nap_us(1000);
    end(pid);
}

/* A signal that was about to be delivered is: the thread sends itself one after the other, so it mostly stops at one. */

static void on_signal(int number, siginfo_t *info, void *context)
{
    (void)number;
    (void)context;
    shared[2] += info->si_value.sival_int != (int)shared[1];
    shared[1]++;
}

static void signal_itself(void)
{
    struct sigaction act = {.sa_sigaction = on_signal, .sa_flags = SA_SIGINFO};
    sigaction(SIGRTMIN, &act, NULL);
    shared[0] = 1;
    for (int i = 0; shared[3] == 0; i++) {
        sigqueue(getpid(), SIGRTMIN, (union sigval){.sival_int = i});
        shared[4] = (uint64_t)i + 1;
    }
}

static void test_no_signal_is_lost(void **state)
{
    (void)state;
    gl_surgeon s;
    gl_error err;
    pid_t pid = start(signal_itself);
    int st = 0;
    assert_int_equal(gl_surgeon_open(&s, pid, &err), 0);
    for (int i = 0; i < 300; i++)
        call_in(&s, pid);
    gl_surgeon_close(&s);
    shared[3] = 1;
    assert_int_equal(waitpid(pid, &st, 0), pid);
    assert_int_equal(st, 0);
    assert_int_equal(shared[2], 0);
    assert_int_equal(shared[1], shared[4]);
}

/* Whoever makes the calls is killed, at any moment: the program computes, sleeps and takes signals as before. */

static volatile sig_atomic_t ticks;

static void on_tick(int number)
{
    (void)number;
    ticks++;
}

/** All registers that a call takes or changes, and the flags, through a loop long enough to be stopped in. */
static uint64_t compute(uint64_t n)
{
    uint64_t sum;
    __asm__ volatile("mov $1, %%rax\n mov $2, %%rcx\n mov $3, %%rdx\n mov $4, %%rsi\n mov $5, %%rdi\n mov $6, %%r8\n mov $7, %%r9\n"
                     "mov $8, %%r10\n mov $9, %%r11\n"
                     "1: stc\n adc $0, %%rax\n lea 1(%%rcx), %%rcx\n lea 1(%%rdx), %%rdx\n lea 1(%%rsi), %%rsi\n lea 1(%%rdi), %%rdi\n"
                     "lea 1(%%r8), %%r8\n lea 1(%%r9), %%r9\n lea 1(%%r10), %%r10\n lea 1(%%r11), %%r11\n dec %1\n jnz 1b\n"
                     "add %%rcx, %%rax\n add %%rdx, %%rax\n add %%rsi, %%rax\n add %%rdi, %%rax\n add %%r8, %%rax\n"
                     "add %%r9, %%rax\n add %%r10, %%rax\n add %%r11, %%rax\n mov %%rax, %0\n"
                     : "=r"(sum), "+r"(n)::"rax", "rcx", "rdx", "rsi", "rdi", "r8", "r9", "r10", "r11", "cc", "memory");
    return sum;
}

/** Stopped in a call, too: one that is taken up again as it was, and one with the time that was left. */
static void sleep_a_little(void)
{
    int64_t began = 0, ended = 0;
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    began = (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
    shared[2] += syscall(SYS_nanosleep, &(struct timespec){0, 300000}, NULL) != 0;
    clock_gettime(CLOCK_MONOTONIC, &t);
    ended = (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
    shared[2] += ended - began < 300000;
    char none;
    shared[2] += read((int)shared[5], &none, 1) != 1;
}

static void work(void)
{
    struct sigaction act = {.sa_handler = on_tick, .sa_flags = SA_RESTART};
    sigset_t now, before;
    int ends[2];
    sigaction(SIGUSR1, &act, NULL);
    if (pipe(ends) != 0 || fork() == 0) { /* it feeds the pipe, as long as somebody reads */
        close(ends[0]);
        for (;;) {
            nap_us(300);
            if (write(ends[1], "", 1) != 1)
                _exit(0);
        }
    }
    shared[5] = (uint64_t)ends[0];
    sigprocmask(SIG_SETMASK, NULL, &before);
    shared[0] = 1;
    while (shared[3] == 0) {
        shared[2] += compute(20000) != 45 + 9 * 20000;
        if (shared[6])
            sleep_a_little();
        sigprocmask(SIG_SETMASK, NULL, &now);
        shared[2] += memcmp(&now, &before, 8) != 0;
        shared[1]++;
    }
    raise(SIGUSR1);
    _exit(ticks == 1 ? 0 : 1);
}

/** A surgeon of its own, which does not end by itself. */
static pid_t start_surgeon(pid_t of)
{
    pid_t pid = fork();
    if (pid == 0) {
        gl_surgeon s;
        gl_error err;
        if (gl_surgeon_open(&s, of, &err) == 0)
            for (;;)
                call_in(&s, of);
        _exit(1);
    }
    return pid;
}

static void run_killed(bool sleeps)
{
    pid_t pid = start(work);
    int st = 0;
    shared[6] = sleeps;
    for (int i = 0; i < 250; i++) {
        pid_t surgeon = start_surgeon(pid);
        nap_us(i * 7 % 1500);
        end(surgeon);
        assert_int_equal(waitpid(pid, &st, WNOHANG), 0);
    }
    uint64_t done = shared[1];
    while (shared[1] < done + 2)
        nap_us(1000);
    shared[3] = 1;
    assert_int_equal(waitpid(pid, &st, 0), pid);
    assert_int_equal(st, 0);
    assert_int_equal(shared[2], 0);
}

static void test_a_surgeon_is_killed(void **state)
{
    (void)state;
    run_killed(false);
}

static void test_a_surgeon_of_one_who_sleeps_is_killed(void **state)
{
    (void)state;
    run_killed(true);
}

static bool may_trace(void)
{
    gl_surgeon s;
    gl_error err;
    pid_t pid = start(signal_itself);
    int rc = gl_surgeon_open(&s, pid, &err);
    if (rc == 0) {
        rc = gl_surgeon_stop_one(&s, LONG_NS, &err);
        if (rc == 0)
            gl_surgeon_release(&s);
        gl_surgeon_close(&s);
    }
    end(pid);
    return rc == 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_thread_that_waits_for_a_child),
        cmocka_unit_test(test_no_signal_is_lost),
        cmocka_unit_test(test_a_surgeon_is_killed),
        cmocka_unit_test(test_a_surgeon_of_one_who_sleeps_is_killed),
    };
    shared = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (shared == MAP_FAILED)
        return 1;
    if (!may_trace()) {
        printf("SKIP: no process may be traced here\n");
        return 77;
    }
    return cmocka_run_group_tests_name("surgeon", tests, NULL, NULL);
}
