#!/usr/bin/env bash
# Installs into a fresh place, and builds and runs an outside program against it in each way that the README offers.
#   install.sh TREE BUILD CC CMAKE
set -euo pipefail
tree=$1 build=$2 cc=$3 cmake=$4
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
# shellcheck disable=SC2054
warnings=(-std=c11 -Wall -Wextra -Wpedantic -Werror)

"$cmake" --install "$build" --prefix "$work/first" >"$work/install.log" || { cat "$work/install.log"; exit 1; }
# An installed tree may be moved: everything in it is found relative to itself.
mv "$work/first" "$work/prefix"
prefix=$work/prefix
pc=$(find "$prefix" -name golanes.pc)
lib=$(dirname "$(dirname "$pc")")
export PKG_CONFIG_PATH=${pc%/*}

check() { # check WHAT COMMAND...: what the program prints is what it wrote
    local what=$1
    shift
    rm -f "$work/small.lanes"
    "$@" "$work/small.lanes" >"$work/said"
    diff -u - "$work/said" <<'END' || { echo "FAILED: $what"; exit 1; }
0 ns GoStatus
1000 ns GoStart
5000 ns GoBlock: chan receive
9000 ns GoUnpark
9500 ns GoStart
END
    echo "ok: $what"
}

read -ra flags <<<"$(pkg-config --cflags --libs golanes)"
"$cc" "${warnings[@]}" "$tree/examples/c/roundtrip.c" "${flags[@]}" -o "$work/by_pkg_config"
check "pkg-config, shared" env LD_LIBRARY_PATH="$lib" "$work/by_pkg_config"

read -ra flags <<<"$(pkg-config --static --cflags --libs golanes)"
"$cc" "${warnings[@]}" "$tree/examples/c/roundtrip.c" "${flags[@]/#-lgolanes/-l:libgolanes.a}" -o "$work/by_archive"
check "pkg-config, static" "$work/by_archive"
if readelf -d "$work/by_archive" | grep -q libgolanes; then echo "FAILED: the static program needs the shared library"; exit 1; fi

mkdir "$work/outside"
cp "$tree/examples/c/roundtrip.c" "$work/outside"
cat >"$work/outside/CMakeLists.txt" <<'END'
cmake_minimum_required(VERSION 3.25)
project(outside LANGUAGES C)
find_package(golanes 0.1 REQUIRED)
add_executable(shared roundtrip.c)
target_link_libraries(shared PRIVATE golanes::golanes)
add_executable(static roundtrip.c)
target_link_libraries(static PRIVATE golanes::golanes_static)
END
if ! { "$cmake" -S "$work/outside" -B "$work/outside/build" -DCMAKE_C_COMPILER="$cc" -DCMAKE_PREFIX_PATH="$prefix" &&
    "$cmake" --build "$work/outside/build"; } >"$work/cmake.log" 2>&1; then
    cat "$work/cmake.log"
    exit 1
fi
check "find_package, shared" "$work/outside/build/shared"
check "find_package, static" "$work/outside/build/static"

# The README's own programs, as they stand there.
readme() { # readme N: the N-th block of C
    awk -v n="$1" '/^```c$/ { on = ++block == n; next } /^```$/ { on = 0 } on' "$tree/README.md"
}
read -ra flags <<<"$(pkg-config --cflags --libs golanes)"
readme 1 >"$work/parked.c"
"$cc" "${warnings[@]}" "$work/parked.c" "${flags[@]}" -o "$work/parked"
said=$(LD_LIBRARY_PATH=$lib "$work/parked" "$work/small.lanes")
[ "$said" = "1 times a goroutine parked" ] || { echo "FAILED: the README's program says: $said"; exit 1; }

readme 2 >"$work/turns.c"
[ "$(wc -l <"$work/turns.c")" -ge 20 ] || { echo "FAILED: the README has no program that emits"; exit 1; }
"$cc" "$work/turns.c" "${flags[@]}" -o "$work/turns" # as a reader would; then in other ways
"$cc" -std=c99 -Wall -Wextra -Wpedantic -Werror -D_DEFAULT_SOURCE "$work/turns.c" "${flags[@]}" -o "$work/turns_c99"
LD_LIBRARY_PATH=$lib "$work/turns"
LD_LIBRARY_PATH=$lib "$work/turns_c99"
read -ra flags <<<"$(pkg-config --static --cflags --libs golanes)"
"$cc" "$work/turns.c" "${flags[@]/#-lgolanes/-l:libgolanes.a}" -o "$work/turns_static"
"$work/turns_static"
if command -v c++ >/dev/null; then
    read -ra flags <<<"$(pkg-config --cflags --libs golanes)"
    c++ -std=c++11 -Wall -Wextra -Werror -x c++ "$work/turns.c" -x none "${flags[@]}" -o "$work/turns_cxx"
    LD_LIBRARY_PATH=$lib "$work/turns_cxx"
fi
echo "ok: the README's programs"

# Everything else that an installation owes.
readelf -d "$(readlink -f "$lib/libgolanes.so")" | grep -q 'SONAME.*libgolanes\.so\.[0-9]' || { echo "FAILED: no versioned soname"; exit 1; }
[ -f "$prefix/include/golanes/events.def" ] || { echo "FAILED: events.def is not installed"; exit 1; }
[ -n "$(find "$prefix/share/doc" -name LICENSE)" ] || { echo "FAILED: the licence is not installed"; exit 1; }
if [ -e "$build/golanes" ]; then
    for text in FORMAT.md ring.md; do
        [ -n "$(find "$prefix/share/doc" -name $text)" ] || { echo "FAILED: $text is not installed"; exit 1; }
    done
    # Captured first: a pipe that closes early would make a working program look failed.
    version=$("$prefix/bin/golanes" version)
    grep -q '[0-9]' <<<"$version" || { echo "FAILED: the installed program does not run"; exit 1; }
    for page in man1/golanes.1 man1/golanes-summary.1 man3/golanes-reader.3 man3/golanes-emit.3 man5/golanes-format.5; do
        [ -f "$prefix/share/man/$page" ] || { echo "FAILED: man page $page is not installed"; exit 1; }
    done
    for file in bash-completion/completions/golanes zsh/site-functions/_golanes fish/vendor_completions.d/golanes.fish; do
        [ -s "$prefix/share/$file" ] || { echo "FAILED: completions $file are not installed"; exit 1; }
    done
fi
echo "ok: soname, headers, licence, program, pages, completions"
