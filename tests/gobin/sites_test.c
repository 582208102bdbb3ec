/*
 * Places to hook, in code that was made for the purpose: what is displaced, where the record belongs, what is refused.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "golanes/goprobes.h"
#include "maker.h"

static maker made;
static gl_goprog *program;
static gl_goplan *plan;

#define CODE(...) ((const uint8_t[]){__VA_ARGS__})
#define FUNCTION(name, ...) {name, CODE(__VA_ARGS__), sizeof CODE(__VA_ARGS__), NULL}

static void drop(void)
{
    gl_goplan_free(plan);
    gl_goprog_close(program);
    plan = NULL;
    program = NULL;
}

/* Makes a program of these functions, Go 1.26, and its plan. word: put into the program's data, 0: none. */
static void plan_of(const maker_function *f, size_t n, uint64_t word)
{
    char path[64];
    gl_error err = {0};
    gl_golayout l;
    maker_make(&made, &(maker_options){.minor = 26, .functions = f, .function_count = n});
    if (word)
        maker_put(&made, made.data - MAKER_BASE, made.entries[0] + word, 8);
    int fd = maker_file(made.bytes, made.n, path, sizeof path);
    int rc = gl_goprog_open(path, &program, NULL, &err);
    close(fd);
    if (rc < 0 || gl_goprog_layout(program, &l, &err) < 0 || gl_goplan_make(program, &l, &plan, &err) < 0)
        fail_msg("%s", err.text);
}

static const gl_gosite *site_of(gl_goprobe_id id, uint32_t n)
{
    assert_true(n < plan->probes[id].sites);
    return &plan->sites[plan->probes[id].first_site + n];
}

static const gl_gosite *only_site(gl_goprobe_id id, maker_function f, uint64_t word)
{
    drop();
    plan_of(&f, 1, word);
    assert_int_equal(plan->probes[id].sites, 1);
    return site_of(id, 0);
}

static void refused(gl_goprobe_id id, maker_function f, uint64_t word, const char *words)
{
    const gl_gosite *s = only_site(id, f, word);
    assert_false(s->hookable);
    assert_non_null(strstr(s->why, words));
    assert_false(plan->probes[id].works);
    assert_non_null(strstr(plan->probes[id].why, words));
    assert_false(plan->records); /* nothing that is needed is there */
}

/* push rbp; mov rbp,rsp; sub rsp,16; */
#define FRAME 0x55, 0x48, 0x89, 0xe5, 0x48, 0x83, 0xec, 0x10
#define EPILOGUE 0x48, 0x83, 0xc4, 0x10, 0x5d, 0xc3 /* add rsp,16; pop rbp; ret */

static void an_entry_is_behind_its_stack_check(void **state)
{
    (void)state;
    /* cmp rsp,[r14+16]; jbe +0x10 … */
    const gl_gosite *s = only_site(GL_GOPROBE_CHANSEND_BEGIN, (maker_function)FUNCTION("runtime.chansend", 0x49, 0x3b, 0x66, 0x10,
        0x76, 0x0e, FRAME, EPILOGUE, 0xe8, 0, 0, 0, 0, 0xeb, 0xe5), 0);
    assert_true(s->hookable && s->stack_check && s->calls);
    assert_int_equal(s->address, made.entries[0]);
    assert_int_equal(s->length, 6);
    assert_int_equal(s->event, 6);
    assert_int_equal(s->uprobe, made.entries[0] + 6);
    assert_int_equal(s->dead & (1 << GL_R12 | 1 << GL_R13 | 1 << GL_R15 | 1 << GL_RDX), 1 << GL_R12 | 1 << GL_R13 | 1 << GL_R15 | 1 << GL_RDX);
    assert_int_equal(s->dead & (1 << GL_RAX | 1 << GL_RSP | 1 << GL_R14 | 1 << GL_RBP), 0);
    assert_true(s->flags_dead);
}

static void a_big_frames_check_is_taken_whole(void **state)
{
    (void)state;
    /* lea r12,[rsp-24] is five bytes, room for a jump; the comparison behind it needs r12 */
    const gl_gosite *s = only_site(GL_GOPROBE_STW_BEGIN, (maker_function)FUNCTION("runtime.stopTheWorldWithSema", 0x4c, 0x8d, 0x64,
        0x24, 0xe8, 0x4d, 0x3b, 0x66, 0x18, 0x0f, 0x86, 0x0e, 0, 0, 0, FRAME, EPILOGUE, 0xe8, 0, 0, 0, 0, 0xeb, 0xdc), 0);
    assert_true(s->hookable && s->stack_check);
    assert_int_equal(s->length, 15);
    assert_int_equal(s->event, 15);
    /* Without the jump behind it, it is no check that is known. */
    refused(GL_GOPROBE_STW_BEGIN, (maker_function)FUNCTION("runtime.stopTheWorldWithSema", 0x4c, 0x8d, 0x64, 0x24, 0xe8, 0x4d, 0x3b,
        0x66, 0x18, 0x90, 0x90, FRAME, EPILOGUE), 0, "a form that is not known");
    /* mov r12,rsp; sub r12,0x100000 …: of huge frames */
    refused(GL_GOPROBE_STW_BEGIN, (maker_function)FUNCTION("runtime.stopTheWorldWithSema", 0x49, 0x89, 0xe4, 0x49, 0x81, 0xec, 0, 0,
        0x10, 0, 0x72, 0x08, FRAME, EPILOGUE), 0, "a form that is not known");
}

static void an_entry_without_a_check(void **state)
{
    (void)state;
    const gl_gosite *s = only_site(GL_GOPROBE_THROW, (maker_function)FUNCTION("runtime.throw", FRAME, EPILOGUE), 0);
    assert_true(s->hookable && !s->stack_check && !s->calls);
    assert_int_equal(s->length, 8);
    assert_int_equal(s->event, 0);
    /* mov rax,rdx reads the closure's register */
    s = only_site(GL_GOPROBE_THROW, (maker_function)FUNCTION("runtime.throw", FRAME, 0x48, 0x89, 0xd0, EPILOGUE), 0);
    assert_int_equal(s->dead & 1 << GL_RDX, 0);
    /* sete dl; movzx edx,dl; mov rax,rdx does not */
    s = only_site(GL_GOPROBE_THROW, (maker_function)FUNCTION("runtime.throw", FRAME, 0x31, 0xc0, 0x0f, 0x94, 0xc2, 0x0f, 0xb6, 0xd2, 0x48,
        0x89, 0xd0, EPILOGUE), 0);
    assert_int_equal(s->dead & 1 << GL_RDX, 1 << GL_RDX);
}

static void entries_that_are_refused(void **state)
{
    (void)state;
    /* … jmp to the byte behind push rbp */
    refused(GL_GOPROBE_THROW, (maker_function)FUNCTION("runtime.throw", FRAME, 0xeb, 0xf7), 0, "a branch leads between");
    refused(GL_GOPROBE_THROW, (maker_function)FUNCTION("runtime.throw", FRAME, 0xeb, 0xf6), 0, "jumps back to its begin");
    refused(GL_GOPROBE_THROW, (maker_function)FUNCTION("runtime.throw", 0xe8, 0, 0, 0, 0, FRAME, EPILOGUE), 0, "displace a call");
    refused(GL_GOPROBE_THROW, (maker_function)FUNCTION("runtime.throw", 0x90, 0xc3, 0x90, 0x90, 0x90, 0x90), 0, "another block");
    refused(GL_GOPROBE_THROW, (maker_function)FUNCTION("runtime.throw", 0x0f, 0x0b, 0x90, 0x90, 0x90, 0x90), 0, "can't be moved");
    /* jmp [rip+…] through a table, a word of which points behind push rbp */
    refused(GL_GOPROBE_THROW, (maker_function)FUNCTION("runtime.throw", FRAME, 0xff, 0x25, 0, 0, 0, 0), 1, "a branch leads between");
    assert_true(only_site(GL_GOPROBE_THROW, (maker_function)FUNCTION("runtime.throw", FRAME, 0xff, 0x25, 0, 0, 0, 0), 8)->hookable);
    /* bytes that are no code */
    drop();
    plan_of(&(maker_function)FUNCTION("runtime.throw", 0x06, 0x06, 0x06, 0x06, 0x06), 1, 0);
    assert_int_equal(plan->probes[GL_GOPROBE_THROW].sites, 0);
    assert_non_null(strstr(plan->probes[GL_GOPROBE_THROW].why, "not plain machine code"));
    assert_non_null(strstr(plan->probes[GL_GOPROBE_MAKECHAN].why, "no function runtime.makechan"));
}

static void returns(void **state)
{
    (void)state;
    drop();
    /* je +6; add rsp; pop; ret; mov eax,1; sub rsp,-128; pop; nop; ret */
    const maker_function f = FUNCTION("runtime.makechan", FRAME, 0x74, 0x06, EPILOGUE, 0xb8, 1, 0, 0, 0, 0x48, 0x83, 0xec, 0x80, 0x5d,
                                      0x90, 0xc3);
    plan_of(&f, 1, 0);
    assert_int_equal(plan->probes[GL_GOPROBE_MAKECHAN].sites, 2);
    const gl_gosite *s = site_of(GL_GOPROBE_MAKECHAN, 0);
    assert_true(s->hookable);
    assert_int_equal(s->address, made.entries[0] + 10);
    assert_int_equal(s->length, 6);
    assert_int_equal(s->event, 0);
    s = site_of(GL_GOPROBE_MAKECHAN, 1);
    assert_true(s->hookable);
    assert_int_equal(s->address, made.entries[0] + 21);
    assert_int_equal(s->length, 7);
    assert_int_equal(s->dead & (1 << GL_RDX | 1 << GL_R12 | 1 << GL_R13 | 1 << GL_R15), 1 << GL_RDX | 1 << GL_R12 | 1 << GL_R13 | 1 << GL_R15);
    assert_int_equal(s->dead & (1 << GL_RAX | 1 << GL_RBX), 0);
    /* Too short by itself: what stands before is displaced too, and runs before the record is made. */
    s = only_site(GL_GOPROBE_MAKECHAN, (maker_function)FUNCTION("runtime.makechan", 0xb8, 1, 0, 0, 0, 0x5d, 0xc3), 0);
    assert_true(s->hookable);
    assert_int_equal(s->address, made.entries[0]);
    assert_int_equal(s->length, 7);
    assert_int_equal(s->event, 5);
    /* je to the pop */
    refused(GL_GOPROBE_MAKECHAN, (maker_function)FUNCTION("runtime.makechan", FRAME, 0x74, 0x04, EPILOGUE), 0, "no room for a jump");
    refused(GL_GOPROBE_MAKECHAN, (maker_function)FUNCTION("runtime.makechan", 0xe8, 0, 0, 0, 0, 0xc3), 0, "no room for a jump");
}

#define STATUS 0x90, 0, 0, 0
#define CAS(modrm) 0xf0, 0x0f, 0xb1, modrm, STATUS

static void compare_and_swaps(void **state)
{
    (void)state;
    drop();
    const maker_function f[] = {
        FUNCTION("runtime.casgstatus", FRAME, CAS(0x8a), 0x0f, 0x94, 0xc0, EPILOGUE),      /* [rdx+144], ecx */
        FUNCTION("runtime.exitsyscall", FRAME, 0xf0, 0x45, 0x0f, 0xb1, 0xbd, STATUS, EPILOGUE), /* [r13+144], r15d */
        FUNCTION("main.mine", FRAME, CAS(0x8a), EPILOGUE),                                 /* not the runtime's */
        FUNCTION("runtime.other", FRAME, 0xf0, 0x0f, 0xb1, 0x8a, 0x94, 0, 0, 0, EPILOGUE), /* another field */
        FUNCTION("runtime.wide", FRAME, 0xf0, 0x48, 0x0f, 0xb1, 0x8a, STATUS, EPILOGUE),   /* 64 bits */
        FUNCTION("runtime.plain", FRAME, 0x0f, 0xb1, 0x8a, STATUS, EPILOGUE),              /* not locked */
    };
    plan_of(f, sizeof f / sizeof *f, 0);
    assert_int_equal(plan->probes[GL_GOPROBE_CAS].sites, 2);
    assert_true(plan->probes[GL_GOPROBE_CAS].works);
    const gl_gosite *s = site_of(GL_GOPROBE_CAS, 0);
    assert_int_equal(s->address, made.entries[0] + 8);
    assert_int_equal(s->length, 8);
    assert_int_equal(s->event, 0);
    assert_true(s->base == GL_RDX && s->value == GL_RCX && s->displacement == 144 && s->flags_dead);
    assert_int_equal(s->dead & (1 << GL_RDX | 1 << GL_RCX | 1 << GL_RAX), 0);
    s = site_of(GL_GOPROBE_CAS, 1);
    assert_int_equal(s->length, 9);
    assert_true(s->base == GL_R13 && s->value == GL_R15);
    /* lea rsi,[rdx+144]; lock cmpxchg [rsi],ecx: seen, but the goroutine is in no register that is known */
    refused(GL_GOPROBE_CAS, (maker_function)FUNCTION("runtime.casgstatus", FRAME, 0x48, 0x8d, 0xb2, STATUS, 0xf0, 0x0f, 0xb1, 0x0e, EPILOGUE),
            0, "computed before");
    drop();
    plan_of(&f[1], 1, 0); /* casgstatus itself changes nothing: something was not understood */
    assert_false(plan->probes[GL_GOPROBE_CAS].works);
    assert_non_null(strstr(plan->probes[GL_GOPROBE_CAS].why, "casgstatus does not change"));
}

/* The kernel emulates jumps: behind an exchange, and before a return, a probe goes to one if nothing is lost by it. */
static void where_the_kernels_probes_go(void **state)
{
    (void)state;
    drop();
    /* sete r8b; test r8b,r8b; je +0. Another one sets AL, which has the old state. */
    const maker_function cas[] = {
        FUNCTION("runtime.casgstatus", FRAME, CAS(0x8a), 0x41, 0x0f, 0x94, 0xc0, 0x45, 0x84, 0xc0, 0x74, 0x00, EPILOGUE),
        FUNCTION("runtime.execute", FRAME, CAS(0x8a), 0x0f, 0x94, 0xc0, 0x84, 0xc0, 0x74, 0x00, EPILOGUE),
        FUNCTION("runtime.ready", FRAME, CAS(0x8a), 0x75, 0x00, EPILOGUE),
    };
    plan_of(cas, 3, 0);
    const gl_gosite *s = site_of(GL_GOPROBE_CAS, 0);
    assert_int_equal(s->uprobe, s->address + 15);
    assert_true(s->uprobe_clear);
    s = site_of(GL_GOPROBE_CAS, 1);
    assert_int_equal(s->uprobe, s->address + 8);
    assert_false(s->uprobe_clear);
    s = site_of(GL_GOPROBE_CAS, 2);
    assert_int_equal(s->uprobe, s->address + 8);
    assert_false(s->uprobe_clear);
    drop();
    /* je +8; xor eax,eax; return; mov eax,1, where the jump leads; return */
    const maker_function f = FUNCTION("runtime.chansend", FRAME, 0x74, 0x08, 0x31, 0xc0, EPILOGUE, 0xb8, 1, 0, 0, 0, EPILOGUE);
    plan_of(&f, 1, 0);
    s = site_of(GL_GOPROBE_CHANSEND_END, 0);
    assert_int_equal(s->uprobe_early, GL_GOEARLY_JUMP);
    assert_int_equal(s->uprobe, s->address - 4);
    assert_int_equal(s->uprobe_al, 0);
    s = site_of(GL_GOPROBE_CHANSEND_END, 1);
    assert_int_equal(s->uprobe_early, GL_GOEARLY_NOT);
    assert_int_equal(s->uprobe, s->address);
    drop();
    /* je +0; mov eax,1; mov ebx,eax; return: the jump leads here, too */
    const maker_function both = FUNCTION("runtime.chanrecv", FRAME, 0x74, 0x00, 0xb8, 1, 0, 0, 0, 0x89, 0xc3, EPILOGUE);
    plan_of(&both, 1, 0);
    s = site_of(GL_GOPROBE_CHANRECV_END, 0);
    assert_int_equal(s->uprobe_early, GL_GOEARLY_NOT);
    drop();
    /* je to the second return; mov eax,1; mov ebx,eax; return; return */
    const maker_function copied = FUNCTION("runtime.chanrecv", FRAME, 0x74, 0x0d, 0xb8, 1, 0, 0, 0, 0x89, 0xc3, EPILOGUE, EPILOGUE);
    plan_of(&copied, 1, 0);
    s = site_of(GL_GOPROBE_CHANRECV_END, 0);
    assert_int_equal(s->uprobe_early, GL_GOEARLY_JUMP);
    assert_true(s->uprobe_al == 1 && s->uprobe_bl == 1);
    drop();
    /* je to the second return; mov eax,1; cmovne eax,ecx: not a constant */
    const maker_function g = FUNCTION("runtime.chansend", FRAME, 0x74, 0x0e, 0xb8, 1, 0, 0, 0, 0x0f, 0x45, 0xc1, EPILOGUE, EPILOGUE);
    plan_of(&g, 1, 0);
    assert_int_equal(site_of(GL_GOPROBE_CHANSEND_END, 0)->uprobe_early, GL_GOEARLY_NOT);
}

static const uint8_t plain[] = {FRAME, EPILOGUE};

static void what_was_inlined(void **state)
{
    (void)state;
    drop();
    const maker_function covered[] = {{"runtime.chansend", plain, sizeof plain, NULL},
                                      {"runtime.chansend1", plain, sizeof plain, "runtime.chansend"}};
    plan_of(covered, 2, 0);
    assert_true(plan->probes[GL_GOPROBE_CHANSEND_BEGIN].works && plan->probes[GL_GOPROBE_CHANSEND_END].works);
    assert_true(plan->probes[GL_GOPROBE_CHANSEND1_BEGIN].applies && plan->probes[GL_GOPROBE_CHANSEND1_BEGIN].works);
    assert_true(plan->probes[GL_GOPROBE_CHANSEND1_END].works);
    assert_false(plan->probes[GL_GOPROBE_SELECTNBSEND_BEGIN].applies);
    assert_int_equal(plan->probes[GL_GOPROBE_SELECTNBSEND_BEGIN].sites, 0);
    drop();
    const maker_function lost[] = {{"runtime.chansend", plain, sizeof plain, NULL}, {"main.f", plain, sizeof plain, "runtime.chansend"}};
    plan_of(lost, 2, 0);
    const gl_goprobe_state *s = &plan->probes[GL_GOPROBE_CHANSEND_BEGIN];
    assert_true(!s->works && s->partly && s->inlined == 1 && s->hookable == 1);
    assert_string_equal(s->why, "runtime.chansend was inlined into 1 function, whose calls are not seen");
    drop();
    static const uint8_t short_one[] = {0xc3};
    const maker_function broken[] = {{"runtime.chansend", plain, sizeof plain, NULL},
                                     {"runtime.chansend1", short_one, 1, "runtime.chansend"}};
    plan_of(broken, 2, 0);
    assert_true(plan->probes[GL_GOPROBE_CHANSEND1_BEGIN].applies && !plan->probes[GL_GOPROBE_CHANSEND1_BEGIN].works);
    assert_false(plan->probes[GL_GOPROBE_CHANSEND_BEGIN].works);
    assert_non_null(strstr(plan->probes[GL_GOPROBE_CHANSEND_BEGIN].why, "was inlined, and"));
}

static int tear_down(void **state)
{
    (void)state;
    drop();
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_entry_is_behind_its_stack_check),
        cmocka_unit_test(a_big_frames_check_is_taken_whole),
        cmocka_unit_test(an_entry_without_a_check),
        cmocka_unit_test(entries_that_are_refused),
        cmocka_unit_test(returns),
        cmocka_unit_test(compare_and_swaps),
        cmocka_unit_test(where_the_kernels_probes_go),
        cmocka_unit_test(what_was_inlined),
    };
    return cmocka_run_group_tests(tests, NULL, tear_down);
}
