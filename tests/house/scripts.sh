#!/usr/bin/env bash
# Scripts can be run, say what they are for, and hold no registry's host name and no path of one machine.
#   scripts.sh TREE
set -euo pipefail
cd "$1"
bad=0
complain() {
    echo "$1"
    bad=1
}

for script in scripts/* .ci/run; do
    [ -x "$script" ] || complain "$script can't be run: chmod +x"
    [ "$(sed -n '2s/^\(# \).*/\1/p' "$script")" = "# " ] || complain "$script does not say in its second line what it is for"
    bash -n "$script" || complain "$script is no valid bash"
done
if command -v shellcheck >/dev/null; then
    mapfile -t helpers < <(find tests examples bench -name '*.sh')
    shellcheck scripts/* .ci/run "${helpers[@]}" || complain "shellcheck has complaints"
fi

# Hosts are asked of the system's own apt sources, so that none need stand here.
hosts=$(sed -nE 's#^(URIs:|deb)[^/]*https?://([^/ ]+).*#\2#p' /etc/apt/sources.list /etc/apt/sources.list.d/* 2>/dev/null | sort -u || true)
for host in $hosts; do
    found=$(grep -rIlF --exclude-dir=build --exclude-dir=.git -e "$host" . || true)
    [ -z "$found" ] || complain "a registry's host name stands in $found"
done

# The help of the exit codes is a promise.
scripts/go-toolchain nonsense 2>/dev/null && complain "go-toolchain takes nonsense for a version"
[ "$(scripts/install-deps nonsense 2>&1 | wc -l)" = 1 ] || complain "install-deps does not refuse a set that it does not know"
exit $bad
