#!/usr/bin/env bash
# Holds the function tables of real programs against what Go's own tools say of them.
#   gobin_real.sh GOBIN_LINES          GOLANES_GO: the go commands to try, by spaces (default: go on PATH, /usr/lib/go-*)
set -euo pipefail
lines=$(realpath "$1")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
cat >hello.go <<'GO'
package main

import (
	"fmt"
	"os"
	"sort"
	"strings"
)

func words(s string) []string {
	out := strings.Fields(s)
	sort.Slice(out, func(i, j int) bool { return out[i] < out[j] })
	return out
}

func main() {
	ch := make(chan []string)
	go func() { ch <- words(strings.Join(os.Args, " ")) }()
	fmt.Println(<-ch)
}
GO

# same WANT GOT: Go prints a negative number where there is no line, we print 0.
same() { diff <(sed -E 's/:-[0-9]+$/:0/' "$1") <(sed -E 's/:-[0-9]+$/:0/' "$2") | head -5; }

checked=0
for go in ${GOLANES_GO:-$(command -v go || true) /usr/lib/go-*/bin/go}; do
    [ -x "$go" ] || continue
    export GOCACHE=$work/cache GO111MODULE=off CGO_ENABLED=0 GOFLAGS='' GOTOOLCHAIN=local
    version=$("$go" version | cut -d' ' -f3)
    if ! "$go" build -o plain hello.go 2>build.log; then
        echo "$version: builds no program here: $(head -1 build.log)"
        continue
    fi
    "$go" build -ldflags='-s -w' -o stripped hello.go
    # Each function's first byte, and one a little behind it.
    "$go" tool nm plain | awk '$2 == "T" || $2 == "t" {print "0x" $1}' | sort -u >entries.txt
    while read -r pc; do printf '%s\n0x%x\n' "$pc" $((pc + 5)); done <entries.txt >pcs.txt
    "$go" tool addr2line plain <pcs.txt >want
    # Without its section headers a program still runs: the table has to be found by its look.
    cp stripped bare
    printf '\0\0\0\0\0\0\0\0' | dd of=bare bs=1 seek=40 conv=notrunc status=none
    printf '\0\0\0\0' | dd of=bare bs=1 seek=60 conv=notrunc status=none
    for program in plain stripped bare; do
        "$lines" "$program" <pcs.txt >got
        difference=$(same want got)
        if [ -n "$difference" ]; then
            echo "$version, $program: differs from go tool addr2line"
            echo "$difference"
            exit 1
        fi
    done
    echo "$version: $(wc -l <pcs.txt) addresses in three programs agree with go tool addr2line"
    checked=$((checked + 1))
done
[ $checked -gt 0 ] || { echo "SKIP: there is no Go toolchain here"; exit 77; }
