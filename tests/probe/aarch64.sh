#!/usr/bin/env bash
# The ring tests, compiled for aarch64 and run by qemu-user: what a writer and a reader there make of each other, the
# layout, the clock, stacks by frame pointers. An emulator on x86-64 orders memory no more weakly than x86-64 does, so the
# orders themselves are looked for in the machine code: a ring's head is published by a store-release and read by a
# load-acquire.
#   aarch64.sh SOURCE_DIR GENERATED_INCLUDE_DIR FOLDER
set -euo pipefail
source=$1 generated=$2 folder=$3

cc=aarch64-linux-gnu-gcc
for tool in $cc aarch64-linux-gnu-objdump qemu-aarch64; do
    command -v "$tool" >/dev/null || { echo "SKIP: no $tool (Debian: gcc-aarch64-linux-gnu, qemu-user)"; exit 77; }
done
if ! echo 'int main(void) { return 0; }' | $cc -static -x c - -o "$folder/aarch64.probe" 2>/dev/null; then
    echo "SKIP: $cc links nothing (Debian: libc6-dev-arm64-cross)"
    exit 77
fi
rm -f "$folder/aarch64.probe"

probe=$source/runtime_probe
flags=(-std=c11 -D_GNU_SOURCE -O2 -g -fno-omit-frame-pointer -pthread -static -Wall -Wextra -DTESTS_EMULATED
    -I"$source/tests/probe/cross"
    -I"$probe" -I"$probe/include" -I"$source/format/include" -I"$source/format" -I"$generated")
rings=("$probe"/{emit,emit_attach,emit_intern,emit_refs,ring_layout,clock,ring_decode,session,session_drain,session_open}.c
    "$source"/format/src/{error,events}.c)
for name in ring threads; do
    $cc "${flags[@]}" "$source/tests/probe/${name}_test.c" "$source/tests/probe/recorder.c" "${rings[@]}" -o "$folder/aarch64_$name"
    qemu-aarch64 "$folder/aarch64_$name"
done

# The functions in which the order is everything, by what they must contain; a compiler may have split them.
has() {
    if ! aarch64-linux-gnu-objdump -d --no-show-raw-insn "$folder/aarch64_ring" |
        awk -v name="^<$1[.>]" -v op="^$2\$" '/^[0-9a-f]+ </ {here = $2 ~ name} here && $2 ~ op {n++} END {exit !n}'; then
        echo "$1 has no $2"
        exit 1
    fi
}
has gl_emit_HeapLive stlr
has gl_emit_publish stlr
has gl_session_drain '(ldar|ldapr)'
has gl_session_drain stlr
