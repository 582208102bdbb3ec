#!/usr/bin/env bash
# The benches work and print what they promise: lines of five fields, and nothing else. Figures are not judged here.
#   bench.sh TREE GOLANES BUILD
set -euo pipefail
cd "$1"

figures() { # figures LEAST: standard input is lines of five fields, and at least so many
    awk -F '\t' -v least="$1" '
        NF != 5 || $2 !~ /^-?[0-9]/ || $5 !~ /^(met|missed|-)$/ { print "not a figure: " $0; bad = 1 }
        ($4 == "-") != ($5 == "-") { print "a goal without a judgement: " $0; bad = 1 }
        END { if (NR < least) { print NR " figures only"; bad = 1 } exit bad }'
}

out=$(bench/emit --build "$3" --events 100000)
echo "$out"
figures 30 <<<"$out"

if ! scripts/go-toolchain 1.26 >/dev/null 2>"${TMPDIR:-/tmp}/bench.$$"; then
    echo "SKIP: $(tail -n 1 "${TMPDIR:-/tmp}/bench.$$")"
    rm -f "${TMPDIR:-/tmp}/bench.$$"
    exit 77
fi
rm -f "${TMPDIR:-/tmp}/bench.$$"
out=$(bench/import --mb 2 --runs 1 --golanes "$2")
echo "$out"
figures 15 <<<"$out"
