#!/usr/bin/env bash
# Runs bench_emit_lttng under a tracing session of its own and passes on what it prints.
#   emit-lttng.sh PROGRAM THREADS
set -euo pipefail
program=$1 threads=$2
work=$(mktemp -d)
export LTTNG_HOME=$work LTTNG_UST_HOME=$work HOME=$work
daemon=
finish() {
    lttng destroy golanes_bench >&2 || true
    if [ -n "$daemon" ]; then
        kill "$daemon" 2>/dev/null || true
        wait "$daemon" 2>/dev/null || true
    fi
    rm -rf "$work"
}
trap finish EXIT
lttng-sessiond --no-kernel >&2 &
daemon=$!
for _ in $(seq 50); do
    lttng list >/dev/null 2>&1 && break
    sleep 0.1
done
{
    lttng create golanes_bench --output="$work/trace"
    lttng enable-channel --userspace --subbuf-size=8M --num-subbuf=4 channel
    lttng enable-event --userspace --channel=channel golanes_bench:two_integers
    lttng start golanes_bench
} >&2
"$program" "$threads"
lttng stop golanes_bench >&2
# What it did not write would have cost it nothing.
size=$(du -sb "$work/trace" | cut -f1)
echo "LTTng wrote $size bytes" >&2
[ "$size" -gt 1000000 ]
