#!/usr/bin/env bash
# The emit headers are C99 and C++11 without a warning, and every function of theirs links and runs from both.
#   headers.sh CC CXX LIBRARY INCLUDE...
set -euo pipefail
cc=$1 cxx=$2 library=$3
shift 3
include=("${@/#/-I}")
warnings=(-Wall -Wextra -Wpedantic -Wshadow -Wundef -Wcast-qual -Werror)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cat >"$work/program.c" <<'EOF'
#include <golanes/emit.h>
#include <golanes/ring.h>

int main(void)
{
    uint64_t pc = 1;
    gl_emit_stack stack = {&pc, 1};
    gl_emit_status status;
    gl_emit_init();
    gl_emit_set_goroutine(1);
    gl_emit_set_proc(0);
    gl_emit_set_stack_bounds(0, 0);
    gl_emit_set_stack_depth(4);
    gl_emit_GoCreate_at(stack, 2, GL_G_RUNNABLE, stack);
    gl_emit_GoBlock("chan send");
    gl_emit_GoBlock_here("chan send");
    gl_emit_ChanSendBegin(1, 2, 3);
    gl_emit_ChanSelectEnd(1, GL_CHAN_RECV, 0, GL_CHAN_CLOSED);
    gl_emit_ProcStop(GL_NO_PROC);
    gl_emit_UserLog_here(gl_emit_new_task(), gl_emit_intern("a category", 10), "message");
    gl_emit_Experimental("name", 1, 2, 3);
    gl_emit_get_status(&status);
    gl_emit_thread_end();
    return status.listening + gl_emit_busy() + gl_emit_listening();
}
EOF
cp "$work/program.c" "$work/program.cc"
"$cc" -std=c99 "${warnings[@]}" "${include[@]}" "$work/program.c" "$library" -o "$work/c99" -pthread
"$work/c99"
"$cc" -std=c99 -O2 -static-pie -fPIE "${warnings[@]}" "${include[@]}" "$work/program.c" "$library" -o "$work/static" -pthread
"$work/static"
"$cxx" -std=c++11 "${warnings[@]}" "${include[@]}" "$work/program.cc" "$library" -o "$work/cxx11" -pthread
"$work/cxx11"
# In a shared library of its own, loaded late.
"$cc" -std=c99 -O2 -shared -fPIC "${warnings[@]}" "${include[@]}" -Dmain=inner "$work/program.c" "$library" -o "$work/libinner.so" -pthread
cat >"$work/late.c" <<'EOF'
#include <dlfcn.h>
int main(int argc, char **argv)
{
    void *library = argc > 1 ? dlopen(argv[1], RTLD_NOW) : 0;
    int (*inner)(void);
    if (!library)
        return 2;
    *(void **)&inner = dlsym(library, "inner");
    return inner ? inner() : 3;
}
EOF
"$cc" "$work/late.c" -o "$work/late" -ldl
"$work/late" "$work/libinner.so"
echo "C99, C99 static, C++11, loaded late: all run"
