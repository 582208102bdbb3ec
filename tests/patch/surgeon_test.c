/* Processes are stopped, called in, and let go, while they do what makes that hard. The processes are children of ours. */
#include <setjmp.h>
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

#include "gorun/surgeon.h"

#define LONG_NS INT64_C(60000000000)

/* A place to make calls from, the same in us and our children. */
__asm__(".text\n.globl surgeon_test_call\nsurgeon_test_call:\n\tsyscall\n\tret\n");
extern const char surgeon_test_call[];

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

/** A call in its name, which tells its number; then it goes on. */
static void call_in(gl_surgeon *s, pid_t pid)
{
    gl_error err;
    sigset_t before;
    int64_t result = 0;
    static const uint64_t args[6];
    gl_surgeon_quiet(&before);
    int rc = gl_surgeon_stop_one(s, LONG_NS, &err);
    if (rc == 0) {
        rc = gl_inject(s, (uint64_t)(uintptr_t)surgeon_test_call, SYS_getpid, args, &result, &err);
        gl_surgeon_release(s);
    }
    gl_surgeon_unquiet(&before);
    if (rc != 0)
        print_message("%s\n", err.text);
    assert_int_equal(rc, 0);
    assert_int_equal(result, pid);
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
