#!/usr/bin/env bash
# bench/import works and prints what it promises: lines of five fields, and nothing else. Figures are not judged here.
#   bench.sh TREE GOLANES
set -euo pipefail
cd "$1"
if ! scripts/go-toolchain 1.26 >/dev/null 2>"${TMPDIR:-/tmp}/bench.$$"; then
    echo "SKIP: $(tail -n 1 "${TMPDIR:-/tmp}/bench.$$")"
    rm -f "${TMPDIR:-/tmp}/bench.$$"
    exit 77
fi
rm -f "${TMPDIR:-/tmp}/bench.$$"
out=$(bench/import --mb 2 --runs 1 --golanes "$2")
echo "$out"
awk -F '\t' '
    NF != 5 || $2 !~ /^[0-9]/ || $5 !~ /^(met|missed|-)$/ { print "not a figure: " $0; bad = 1 }
    ($4 == "-") != ($5 == "-") { print "a goal without a judgement: " $0; bad = 1 }
    END { if (NR < 15) { print NR " figures only"; bad = 1 } exit bad }' <<<"$out"
