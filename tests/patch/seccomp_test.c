/* A seccomp filter, run here on a call that is yet to be made. */
#include <linux/audit.h>
#include <linux/seccomp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "patch/seccomp.h"

static const gl_seccomp_call call = {"openat", 257, {0xffffffffffffff9c, 0x1234567890, 2}};

static uint32_t run(const struct sock_filter *f, size_t n)
{
    return gl_seccomp_run(f, n, &call, 0x401000);
}

static void test_what_filters_look_at(void **state)
{
    (void)state;
    const struct sock_filter f[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, arch)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, AUDIT_ARCH_X86_64, 1, 0),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, 258, 3, 0),
        BPF_JUMP(BPF_JMP | BPF_JGT | BPF_K, 256, 0, 2),
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args[1]) + 4),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0x12, 1, 0),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_TRAP),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    assert_int_equal(run(f, 10), SECCOMP_RET_ALLOW);
}

static void test_arithmetic_and_memory(void **state)
{
    (void)state;
    const struct sock_filter f[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)), /* 257 */
        BPF_STMT(BPF_ALU | BPF_SUB | BPF_K, 1),
        BPF_STMT(BPF_ALU | BPF_RSH | BPF_K, 4), /* 16 */
        BPF_STMT(BPF_ST, 3),
        BPF_STMT(BPF_LDX | BPF_W | BPF_MEM, 3),
        BPF_STMT(BPF_MISC | BPF_TXA, 0),
        BPF_STMT(BPF_ALU | BPF_MUL | BPF_X, 0), /* 256 */
        BPF_STMT(BPF_ALU | BPF_OR | BPF_K, 0x50001),
        BPF_STMT(BPF_RET | BPF_A, 0),
    };
    assert_int_equal(run(f, 9), 0x50101);
}

static void test_what_is_no_filter_kills(void **state)
{
    (void)state;
    const struct sock_filter beyond[] = {BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 64), BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)};
    const struct sock_filter zero[] = {BPF_STMT(BPF_ALU | BPF_DIV | BPF_K, 0), BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)};
    const struct sock_filter away[] = {BPF_JUMP(BPF_JMP | BPF_JA, 100000, 0, 0), BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)};
    assert_int_equal(run(beyond, 2), SECCOMP_RET_KILL_PROCESS);
    assert_int_equal(run(zero, 2), SECCOMP_RET_KILL_PROCESS);
    assert_int_equal(run(away, 2), SECCOMP_RET_KILL_PROCESS);
    assert_int_equal(run(NULL, 0), SECCOMP_RET_KILL_PROCESS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_filters_look_at),
        cmocka_unit_test(test_arithmetic_and_memory),
        cmocka_unit_test(test_what_is_no_filter_kills),
    };
    return cmocka_run_group_tests_name("seccomp", tests, NULL, NULL);
}
