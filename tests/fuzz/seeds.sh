#!/usr/bin/env bash
# Makes the seeds of the fuzz targets: plain traces, and .lanes files, whole and cut.
#   seeds.sh CORPUS OUT GOLANES LANES_UNPACK
set -euo pipefail
corpus=$1 out=$2 golanes=$3 unpack=$4
rm -rf "$out/traces" "$out/lanes" "$out/v1" "$out/v2"
mkdir -p "$out/traces" "$out/lanes" "$out/v1" "$out/v2"
find "$corpus" -name '*.trace' -exec cp {} "$out/traces" \;
find "$corpus" -name '*.trace.zst' -exec zstd -dq --output-dir-flat "$out/traces" {} +
chmod u+w "$out"/traces/*
for trace in "$out"/traces/*.trace; do
    name=$(basename "$trace" .trace)
    # What is no trace gives no seed.
    "$golanes" import --quiet --force -o "$out/lanes/$name.lanes" "$trace" 2>/dev/null || continue
    "$unpack" "$out/lanes/$name.lanes" "$out/lanes/$name.unpacked.lanes"
    size=$(stat -c %s "$out/lanes/$name.lanes")
    head -c $((size * 2 / 3)) "$out/lanes/$name.lanes" >"$out/lanes/$name.cut.lanes"
done
# By wire format: "go 1.5 trace" to "go 1.21 trace" are the old one.
for trace in "$out"/traces/*; do
    case $(head -c 7 "$trace" | tr -d '\0') in
        "go 1.5 "|"go 1.7 "|"go 1.8 "|"go 1.9 "|"go 1.10"|"go 1.11"|"go 1.19"|"go 1.21") ln "$trace" "$out/v1/" ;;
        *) ln "$trace" "$out/v2/" ;;
    esac
done
echo "$(find "$out/traces" -type f | wc -l) traces, $(find "$out/lanes" -type f | wc -l) .lanes files"
